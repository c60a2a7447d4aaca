"""One parsed file: byte spans, scopes, what each name is bound to, and every call, gathered in one traversal."""

from __future__ import annotations

import dataclasses
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import libcst as cst
from libcst._nodes.internal import CodegenState

from fixer.cdk.outline import ClassOutline, Outline, canonical, join
from fixer.cdk.syntax import check_depth
from fixer.model import SourceError

_PUNCTUATION = ("lpar", "rpar", "lbracket", "rbracket", "lbrace", "rbrace", "comma", "equal", "dot", "semicolon")
_BLANK = ("indent", "leading_lines", "header", "footer", "trailing_whitespace", "lines_after_decorators")
_SKIPPED = frozenset((*_PUNCTUATION, *_BLANK, "operator", "asynchronous"))
_FIELDS: dict[type[cst.CSTNode], tuple[str, ...]] = {}
_DEPTH = 20
_LONE_RETURN = re.compile(rb"\r(?!\n)")
"""It ends a line for Python; here and in editors none is seen."""


# ---- spans -------------------------------------------------------------------------------------


Span: TypeAlias = tuple[int, int]


class _State(CodegenState):
    """Computes what `ByteSpanPositionProvider` does, without its walk of the whole tree and without keeping the text.

    That takes a fourth of the time; a test holds both against each other.
    """

    def __init__(self, module: cst.Module) -> None:
        super().__init__(module.default_indent, module.default_newline)
        self.spans: dict[cst.CSTNode, Span] = {}
        self.position = 0
        self._starts: list[int] = []
        self._last = 0
        if module.header or module.body or module.footer:
            self.tokens.append("")  # an empty module would get a line break

    def add_token(self, value: str) -> None:
        self._last = len(value) if value.isascii() else len(value.encode())
        self.position += self._last

    def pop_trailing_newline(self) -> None:
        self.position -= self._last

    def add_indent_tokens(self) -> None:
        for value in self.indent_tokens:
            self.position += len(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._starts.append(self.position)

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self._starts.pop()
        if node not in self.spans:
            self.spans[node] = start, self.position

    def record_syntactic_position(  # type: ignore[override]  # the base says which context manager
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> AbstractContextManager[None]:
        return _Recorded(self, node, start_node, end_node)


class _Recorded(AbstractContextManager[None]):
    """Records the span of a node between its own white space."""

    __slots__ = ("_end", "_first", "_node", "_start", "_state")

    def __init__(self, state: _State, node: cst.CSTNode, start: cst.CSTNode | None, end: cst.CSTNode | None) -> None:
        self._state, self._node, self._start, self._end = state, node, start, end

    def __enter__(self) -> None:
        self._first = self._state.position

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            return
        spans = self._state.spans
        start = self._first if self._start is None else spans[self._start][0]
        spans[self._node] = start, self._state.position if self._end is None else spans[self._end][1]


def spans(module: cst.Module, size: int) -> dict[cst.CSTNode, Span]:
    """Where every node starts and ends, in bytes of UTF-8, as `ByteSpanPositionProvider` says.

    Raises:
        SourceError: the module is not of that size, since LibCST lost something: no place would be right.
    """
    state = _State(module)
    module._codegen(state)
    if state.position != size:
        raise SourceError("has a form feed in a place where LibCST loses it")
    return state.spans


# ---- scopes ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Binding:
    """One place that gives a name its meaning: an import's `target`, an assigned `value`, or else neither."""

    start: int
    target: str | None = None
    value: cst.BaseExpression | None = None
    is_class: bool = False
    typing_only: bool = False
    why: str = "is set from a variable that is assigned elsewhere"


@dataclass(eq=False)
class Scope:
    """A module, class, function, lambda or comprehension; `attributes` are a class's `self.x = ...`."""

    kind: str
    name: str
    parent: Scope | None
    start: int
    end: int
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    attributes: dict[str, list[Binding]] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    children: list[Scope] = field(default_factory=list)
    parameters: tuple[str, ...] = ()
    node: cst.CSTNode | None = None

    @cached_property
    def imported(self) -> tuple[tuple[str, str, int], ...]:
        """The names that stand for one thing of the CDK and nothing else, with it, and from where on."""
        found = []
        for name, bindings in self.bindings.items():
            targets = {each.target for each in bindings}
            if len(targets) == 1 and not any(each.typing_only for each in bindings):
                full = canonical(targets.pop() or "")
                if full is not None and not full.startswith("constructs"):
                    found.append((name, full, min(each.start for each in bindings)))
        return tuple(found)

    def chain(self) -> Iterator[Scope]:
        """The scope and those around it, from the inside."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def visible(self) -> Iterator[Scope]:
        """The scopes whose names can be read here: classes around a function don't count."""
        yield self
        yield from (scope for scope in self.chain() if scope is not self and scope.kind != "class")

    def nearest(self, kind: str) -> Scope | None:
        """The innermost scope of that kind around here."""
        return next((scope for scope in self.chain() if scope.kind == kind), None)

    def find(self, name: str) -> tuple[Scope, list[Binding]] | None:
        """The scope that a name read here belongs to, with all its bindings there."""
        for scope in self.visible():
            if name in scope.bindings and name not in scope.outside:
                return scope, scope.bindings[name]
        return None


@dataclass(frozen=True)
class Statement:
    """What a call stands in: the node that takes whole lines, the small statement in it if any, and how many it has."""

    node: cst.CSTNode
    small: cst.BaseSmallStatement | None
    count: int
    is_line: bool


@dataclass(frozen=True)
class Site:
    """A call, the scope it is in, its statement, and the node right above it."""

    node: cst.Call
    scope: Scope
    statement: Statement | None
    parent: cst.CSTNode


@dataclass(frozen=True)
class Assignment:
    """`target = value`, with the target as dotted text."""

    target: str
    value: cst.BaseExpression
    scope: Scope
    start: int


class Tree:
    """A parsed file."""

    def __init__(self, source: bytes) -> None:
        """Parse UTF-8 bytes, with or without a byte order mark; SourceError if that can't be done."""
        self._shift = len(BOM_UTF8) if source.startswith(BOM_UTF8) else 0
        check_depth(source)
        if lone := _LONE_RETURN.search(source):
            line = source.count(b"\n", 0, lone.start()) + 1
            raise SourceError(f"has a carriage return without a line feed (line {line})")
        try:
            self.module = cst.parse_module(source[self._shift :].decode("utf-8"))
            self._spans = spans(self.module, len(source) - self._shift)
            self.calls: list[Site] = []
            self.assignments: list[Assignment] = []
            self.imports: list[tuple[cst.Import | cst.ImportFrom, Scope, bool]] = []
            self.scope = Scope("module", "", None, 0, len(source), node=self.module)
            self._typing_only = False
            self._visit_body(self.module.body, self.scope)
        except cst.ParserSyntaxError as error:
            raise SourceError(f"is not valid Python: {error.message} (line {error.raw_line})") from error
        except UnicodeDecodeError as error:
            raise SourceError("is not UTF-8") from error
        except RecursionError as error:
            raise SourceError("nests too deep to be read") from error

    # -- positions

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """Where a node starts and ends in the file's bytes, without white space and own parentheses."""
        start, end = self._spans[node]
        return start + self._shift, end + self._shift

    def comma(self, node: cst.Comma | cst.MaybeSentinel) -> int | None:
        """Where the comma after an element is, if there is one."""
        return self.span(node)[0] if isinstance(node, cst.Comma) else None

    def outer_span(self, node: cst.BaseExpression) -> tuple[int, int]:
        """The same with the parentheses around an expression."""
        start, end = self.span(node)
        if node.lpar:
            start, end = self.span(node.lpar[0])[0], self.span(node.rpar[-1])[1]
        return start, end

    @cached_property
    def parents(self) -> dict[cst.CSTNode, cst.CSTNode]:
        """The node right above each node, white space and punctuation apart."""
        found: dict[cst.CSTNode, cst.CSTNode] = {}
        waiting: list[cst.CSTNode] = [self.module]
        while waiting:
            node = waiting.pop()
            for child in children(node):
                found[child] = node
                waiting.append(child)
        return found

    @cached_property
    def statements(self) -> list[tuple[int, int]]:
        """Where the statements without blocks start and end, several on one line as one, in order."""
        return sorted(self.span(node) for node in self.parents if isinstance(node, cst.SimpleStatementLine))

    def above(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around a node, from the inside."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    @cached_property
    def comments(self) -> list[tuple[int, int, str]]:
        """Start, end and text of all comments, in order."""
        return sorted((*self.span(node), node.value) for node in self._spans if isinstance(node, cst.Comment))

    def scope_at(self, offset: int) -> Scope:
        """The innermost scope around a byte offset."""
        scope = self.scope
        while True:
            inner = next((each for each in scope.children if each.start <= offset < each.end), None)
            if inner is None:
                return scope
            scope = inner

    # -- names

    def target(self, node: cst.CSTNode, scope: Scope, depth: int = 0) -> str | None:
        """The dotted import target that a name or attribute stands for; `:Name` for a class of this file."""
        if isinstance(node, cst.Attribute):
            base = self.target(node.value, scope, depth)
            return None if base is None else join(base, node.attr.value)
        if not isinstance(node, cst.Name) or depth > _DEPTH:
            return None
        found = scope.find(node.value)
        if found is None:
            return None
        owner, bindings = found
        targets = [self._binding_target(each, node.value, owner, depth) for each in bindings]
        if len({_same(each) for each in targets}) == 1:
            return targets[0]
        known = {_same(each) for each in targets if each is not None}
        harmless = all(each is not None or _is_none(binding) for each, binding in zip(targets, bindings, strict=True))
        if len(known) == 1 and harmless:
            return next(each for each in targets if each is not None)
        if owner is scope:
            start = self.span(node)[0]
            before = [each for each, binding in zip(targets, bindings, strict=True) if binding.start < start]
            return before[-1] if before else None
        return None

    def _binding_target(self, binding: Binding, name: str, scope: Scope, depth: int) -> str | None:
        if binding.target is not None:
            return binding.target
        if binding.is_class:
            return f":{name}"
        if isinstance(binding.value, cst.Name | cst.Attribute):
            return self.target(binding.value, scope, depth + 1)
        return None

    def outline(self) -> Outline:
        """The outline of this file, for files that `ast` can't read."""
        result = Outline(words=None)
        stack = [self.scope]
        while stack:
            scope = stack.pop()
            stack.extend(scope.children)
            for name, bindings in scope.bindings.items():
                targets = [each.target for each in bindings if each.target is not None]
                if targets:
                    result.imports.setdefault(name, []).extend(targets)
            if isinstance(scope.node, cst.ClassDef):
                bases = tuple(base for each in scope.node.bases if (base := dotted(each.value)))
                result.classes[scope.name] = ClassOutline(scope.name, bases, "__init__" in scope.bindings)
        return result

    # -- the traversal

    def _bind(self, scope: Scope, name: str, node: cst.CSTNode, **more: object) -> None:
        made = dataclasses.replace(Binding(self.span(node)[0], typing_only=self._typing_only), **more)  # type: ignore[arg-type]
        scope.bindings.setdefault(name, []).append(made)

    def _child(self, kind: str, name: str, parent: Scope, within: cst.CSTNode, node: cst.CSTNode) -> Scope:
        start, end = self.span(within)
        made = Scope(kind, name, parent, start, end, node=node)
        parent.children.append(made)
        return made

    def _visit_body(self, body: Sequence[cst.CSTNode], scope: Scope) -> None:
        for node in body:
            if isinstance(node, cst.SimpleStatementLine):
                for small in node.body:
                    self._visit(small, node, scope, Statement(node, small, len(node.body), is_line=True))
            else:
                self._visit(node, node, scope, Statement(node, None, 1, is_line=True))

    def _visit(self, node: cst.CSTNode, parent: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            handler(self, node, parent, scope, statement)
        else:
            self._visit_children(node, scope, statement)

    def _visit_children(self, node: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        for name in _FIELDS.get(type(node)) or _fields(type(node)):
            value = getattr(node, name)
            if isinstance(value, cst.CSTNode):
                self._visit(value, node, scope, statement)
            elif isinstance(value, list | tuple):
                for each in value:
                    if isinstance(each, cst.CSTNode):
                        self._visit(each, node, scope, statement)

    def _on_block(self, node: cst.IndentedBlock, _: cst.CSTNode, scope: Scope, __: Statement | None) -> None:
        self._visit_body(node.body, scope)

    def _on_suite(self, node: cst.SimpleStatementSuite, _: cst.CSTNode, scope: Scope, __: Statement | None) -> None:
        for small in node.body:
            self._visit(small, node, scope, Statement(node, small, len(node.body), is_line=False))

    def _on_call(self, node: cst.Call, parent: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        self.calls.append(Site(node, scope, statement, parent))
        self._visit_children(node, scope, statement)

    def _on_function(self, node: cst.FunctionDef, _: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        self._bind(scope, node.name.value, node.name, why="is set from a function")
        for decorator in node.decorators:
            self._visit(decorator, node, scope, statement)
        if node.returns is not None:
            self._visit(node.returns, node, scope, statement)
        inner = self._child("function", node.name.value, scope, node.body, node)
        self._parameters(node.params, scope, inner, statement)
        self._visit(node.body, node, inner, None)

    def _on_lambda(self, node: cst.Lambda, _: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        inner = self._child("lambda", "", scope, node.body, node)
        self._parameters(node.params, scope, inner, statement)
        self._visit(node.body, node, inner, statement)

    def _parameters(self, params: cst.Parameters, outer: Scope, inner: Scope, statement: Statement | None) -> None:
        every = [*params.posonly_params, *params.params, *params.kwonly_params]
        every += [each for each in (params.star_arg, params.star_kwarg) if isinstance(each, cst.Param)]
        for each in every:
            self._bind(inner, each.name.value, each, why=f"is set from the parameter `{each.name.value}`")
            if each.default is not None:
                self._visit(each.default, each, outer, statement)
            if each.annotation is not None:
                self._visit(each.annotation, each, outer, statement)
        inner.parameters = tuple(each.name.value for each in [*params.posonly_params, *params.params])

    def _on_class(self, node: cst.ClassDef, _: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        self._bind(scope, node.name.value, node.name, is_class=True, why="is set from a class")
        for each in (*node.decorators, *node.bases, *node.keywords):
            self._visit(each, node, scope, statement)
        self._visit(node.body, node, self._child("class", node.name.value, scope, node.body, node), None)

    def _on_comprehension(self, node: cst.BaseComp, _: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        self._visit_children(node, self._child("comprehension", "", scope, node, node), statement)

    def _on_import(self, node: cst.Import, _: cst.CSTNode, scope: Scope, __: Statement | None) -> None:
        self.imports.append((node, scope, self._typing_only))
        for alias in node.names:
            full = dotted(alias.name) or ""
            name = _alias(alias)
            self._bind(scope, name or full.partition(".")[0], node, target=full if name else full.partition(".")[0])

    def _on_import_from(self, node: cst.ImportFrom, _: cst.CSTNode, scope: Scope, __: Statement | None) -> None:
        self.imports.append((node, scope, self._typing_only))
        module = module_of(node)
        for alias in () if isinstance(node.names, cst.ImportStar) else node.names:
            full = dotted(alias.name) or ""
            self._bind(scope, _alias(alias) or full, node, target=join(module, full))

    def _on_if(self, node: cst.If, _: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        self._visit(node.test, node, scope, statement)
        before, text = self._typing_only, dotted(node.test) or ""
        self._typing_only = before or text.rpartition(".")[2] == "TYPE_CHECKING"
        self._visit(node.body, node, scope, statement)
        self._typing_only = before
        if node.orelse is not None:
            self._visit(node.orelse, node, scope, statement)

    def _on_assign(self, node: cst.Assign, _: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        for each in node.targets:
            self._assign(each.target, node.value, scope)
        self._visit_children(node, scope, statement)

    def _on_ann_assign(self, node: cst.AnnAssign, _: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        if node.value is not None:
            self._assign(node.target, node.value, scope)
        self._visit_children(node, scope, statement)

    def _on_named(self, node: cst.NamedExpr, _: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        owner = next(each for each in scope.chain() if each.kind != "comprehension")
        self._assign(node.target, node.value, owner)
        self._visit(node.value, node, scope, statement)

    def _assign(self, target: cst.CSTNode, value: cst.BaseExpression, scope: Scope) -> None:
        text = dotted(target)
        if text is not None:
            self.assignments.append(Assignment(text, value, scope, self.span(target)[0]))
        if isinstance(target, cst.Name):
            self._bind(scope, target.value, target, value=value)
        else:
            self._rebind(target, scope, value)

    def _rebind(self, target: cst.CSTNode, scope: Scope, value: cst.BaseExpression | None = None) -> None:
        """Bind the names of a target whose value is not known, and `self.x` in the class."""
        if isinstance(target, cst.Name):
            self._bind(scope, target.value, target)
        elif isinstance(target, cst.Attribute):
            owner = scope.nearest("class")
            if owner is not None and isinstance(target.value, cst.Name) and target.value.value in ("self", owner.name):
                made = Binding(self.span(target)[0], value=value)
                owner.attributes.setdefault(target.attr.value, []).append(made)
        elif isinstance(target, cst.Tuple | cst.List):
            for each in target.elements:
                self._rebind(each.value, scope)

    def _on_target(self, node: cst.CSTNode, _: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        target = node.name if isinstance(node, cst.AsName) else getattr(node, "target", None)
        if isinstance(target, cst.CSTNode):
            self._rebind(target, scope)
        self._visit_children(node, scope, statement)

    def _on_match(self, node: cst.CSTNode, _: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        for each in (getattr(node, "name", None), getattr(node, "rest", None)):
            if isinstance(each, cst.Name):
                self._bind(scope, each.value, each)
        self._visit_children(node, scope, statement)

    def _on_outside(self, node: cst.Global | cst.Nonlocal, _: cst.CSTNode, scope: Scope, __: Statement | None) -> None:
        for each in node.names:
            name = each.name.value
            scope.outside.add(name)
            for outer in scope.chain():
                if outer is not scope:
                    self._bind(outer, name, node) if name in outer.bindings or outer.kind == "module" else None

    def _on_del(self, node: cst.Del, _: cst.CSTNode, scope: Scope, statement: Statement | None) -> None:
        self._rebind(node.target, scope)
        self._visit_children(node, scope, statement)


_HANDLERS: dict[type[cst.CSTNode], Callable[..., None]] = {
    cst.IndentedBlock: Tree._on_block,
    cst.SimpleStatementSuite: Tree._on_suite,
    cst.Call: Tree._on_call,
    cst.FunctionDef: Tree._on_function,
    cst.Lambda: Tree._on_lambda,
    cst.ClassDef: Tree._on_class,
    cst.ListComp: Tree._on_comprehension,
    cst.SetComp: Tree._on_comprehension,
    cst.DictComp: Tree._on_comprehension,
    cst.GeneratorExp: Tree._on_comprehension,
    cst.Import: Tree._on_import,
    cst.ImportFrom: Tree._on_import_from,
    cst.If: Tree._on_if,
    cst.Assign: Tree._on_assign,
    cst.AnnAssign: Tree._on_ann_assign,
    cst.NamedExpr: Tree._on_named,
    cst.AugAssign: Tree._on_target,
    cst.For: Tree._on_target,
    cst.CompFor: Tree._on_target,
    cst.AsName: Tree._on_target,
    cst.MatchAs: Tree._on_match,
    cst.MatchStar: Tree._on_match,
    cst.MatchMapping: Tree._on_match,
    cst.Global: Tree._on_outside,
    cst.Nonlocal: Tree._on_outside,
    cst.Del: Tree._on_del,
}


def dotted(node: cst.CSTNode) -> str | None:
    """`a.b.c` as text for a chain of names, else None."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return None
    return ".".join([node.value, *reversed(parts)])


def module_of(node: cst.ImportFrom) -> str:
    """The module that a `from` import names, with its leading dots."""
    return "." * len(node.relative) + (dotted(node.module) or "" if node.module is not None else "")


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The nodes right below one, without white space and punctuation."""
    for name in _FIELDS.get(type(node)) or _fields(type(node)):
        value = getattr(node, name)
        for each in value if isinstance(value, list | tuple) else (value,):
            if isinstance(each, cst.CSTNode):
                yield each


def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    names = (each.name for each in dataclasses.fields(kind))
    _FIELDS[kind] = tuple(name for name in names if "whitespace" not in name and name not in _SKIPPED)
    return _FIELDS[kind]


def _alias(alias: cst.ImportAlias) -> str | None:
    name = alias.asname.name if alias.asname is not None else None
    return name.value if isinstance(name, cst.Name) else None


def _same(target: str | None) -> str | None:
    """v1's core and v2's package are the same to us, as in `try: from aws_cdk import core` with a fall-back."""
    return "aws_cdk" if target == "aws_cdk.core" else target


def _is_none(binding: Binding) -> bool:
    return isinstance(binding.value, cst.Name) and binding.value.value == "None"
