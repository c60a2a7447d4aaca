"""What functions say of their parameters and of what they return, and the edits that let them say it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.layout import Splice, end_of_line, relay, start_of_line
from fixer.cdk.outline import ProjectClass, canonical
from fixer.cdk.spelling import extend
from fixer.cdk.tree import Binding, Scope, children, dotted, module_of
from fixer.cdk.values import single_value
from fixer.model import Unknown

if TYPE_CHECKING:
    from fixer.cdk.file import CdkFile
    from fixer.model import Edit

_CLOSE = re.compile(rb"(?:[\s,\\/]|#[^\n]*)*\)")
_TYPE_COMMENT = re.compile(rb"#\s*type:\s*\(")


class Function:
    """A `def` of a file."""

    def __init__(self, file: CdkFile, node: cst.FunctionDef, scope: Scope) -> None:
        """Take the file, the statement, and the scope of its body."""
        self.file = file
        self.node = node
        self.scope = scope
        self.name = node.name.value
        self.start = file.tree.span(node.name)[0]
        self.start = file.source.rfind(b"def", 0, self.start)

    @property
    def owner(self) -> Scope:
        """The scope that the function is defined in: a class for a method."""
        return self.scope.parent or self.scope

    @property
    def title(self) -> str:
        """What a message calls it: `Shop.create`."""
        return f"{self.owner.name}.{self.name}" if self.owner.kind == "class" else self.name

    @cached_property
    def parameters(self) -> Mapping[str, cst.Param]:
        """All parameters by name, those with stars too."""
        given = self.node.params
        every = [*given.posonly_params, *given.params, given.star_arg, *given.kwonly_params, given.star_kwarg]
        return {each.name.value: each for each in every if isinstance(each, cst.Param)}

    @cached_property
    def end(self) -> int:
        """Where the parentheses around the parameters end."""
        tree = self.file.tree
        parts = [part for one in self.parameters.values() for part in (one.name, one.annotation, one.default) if part]
        ends = [
            (tree.outer_span(each) if isinstance(each, cst.BaseExpression) else tree.span(each))[1] for each in parts
        ]
        at = max(ends) if ends else self.file.source.index(b"(", tree.span(self.node.name)[1]) + 1
        found = _CLOSE.match(self.file.source, at)
        if found is None:
            raise ValueError(f"{self.name}: nothing closes its parameters")
        return found.end()

    @cached_property
    def has_type_comment(self) -> bool:
        """Whether a comment below the parameters says all types."""
        line = end_of_line(self.file.source, self.end)
        below = end_of_line(self.file.source, min(line + 2, len(self.file.source)))
        return _TYPE_COMMENT.search(self.file.source, self.end, below) is not None

    # -- what it returns

    @cached_property
    def returned(self) -> tuple[cst.BaseExpression | None, ...]:
        """What its `return` statements give, None for one that gives nothing; empty if there is none."""
        return tuple(each.value for each in self._inside if isinstance(each, cst.Return))

    @property
    def returns_nothing(self) -> bool:
        """Whether it ends without a value in any case, and is no generator."""
        return not self.is_generator and all(
            each is None or (isinstance(each, cst.Name) and each.value == "None") for each in self.returned
        )

    @property
    def ends_with_return(self) -> bool:
        """Whether its last statement returns something, so that its end is never reached."""
        last = self.node.body.body[-1] if self.node.body.body else None
        small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
        return isinstance(small, cst.Return) and small.value is not None

    @property
    def is_generator(self) -> bool:
        """Whether it yields."""
        return any(isinstance(each, cst.Yield | cst.From) for each in self._inside)

    @property
    def is_left_open(self) -> bool:
        """Whether the body is `...` or nothing but a `NotImplementedError`, so that others say what it returns."""
        body = [each for each in self.node.body.body if not _is_text(each)]
        line = body[0] if len(body) == 1 else None
        small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else line
        if isinstance(small, cst.Raise) and small.exc is not None:
            return "NotImplementedError" in self.file.text(*self.file.tree.span(small))
        return isinstance(small, cst.Expr) and isinstance(small.value, cst.Ellipsis)

    @cached_property
    def decorators(self) -> tuple[str, ...]:
        """The last parts of its decorators' names."""
        names = (each.decorator for each in self.node.decorators)
        return tuple(
            (dotted(each.func if isinstance(each, cst.Call) else each) or "").rpartition(".")[2] for each in names
        )

    @cached_property
    def _inside(self) -> tuple[cst.CSTNode, ...]:
        return tuple(_within(self.node.body))

    # -- edits

    def annotate(self, parameters: Mapping[str, str], returns: str | None = None) -> tuple[Edit, ...]:
        """Give parameters their types, and the function that of what it returns."""
        splices = []
        for name, kind in parameters.items():
            at = self.file.tree.span(self.parameters[name].name)[1]
            splices.append(Splice(at, at, f": {kind}"))
        if returns is not None:
            splices.append(Splice(self.end, self.end, f" -> {returns}"))
        source, file = self.file.source, self.file
        start = start_of_line(source, self.start)
        region = source[start : end_of_line(source, self.end)]
        return file.edits(relay(region, splices, start, file.line_length, file.unit, file.newline))


def functions(file: CdkFile) -> Iterator[Function]:
    """All functions of a file that are made by `def`, in no order."""
    scopes = [file.tree.scope]
    while scopes:
        scope = scopes.pop()
        scopes += scope.children
        if isinstance(scope.node, cst.FunctionDef):
            yield Function(file, scope.node, scope)


def _within(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The nodes below one that belong to the same function."""
    for each in children(node):
        if not isinstance(each, cst.FunctionDef | cst.ClassDef | cst.Lambda):
            yield each
            yield from _within(each)


def _is_text(node: cst.CSTNode) -> bool:
    body = node.body if isinstance(node, cst.SimpleStatementLine) else ()
    return len(body) == 1 and isinstance(body[0], cst.Expr) and isinstance(body[0].value, cst.SimpleString)


# ---- names of types ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """How types are written in annotations, by their full names, and the edits of imports that this needs."""

    texts: Mapping[str, str]
    edits: tuple[Edit, ...]


def type_names(file: CdkFile, targets: Iterable[str], at: int) -> Named:
    """How to write types, such as `typing.Any`, in an annotation at an offset; without those whose name is taken.

    What is imported at the top of the file counts, above the annotation; what isn't is imported.
    """
    texts: dict[str, str] = {}
    fresh: dict[str, list[str]] = {}
    for target in dict.fromkeys(targets):
        module, _, name = target.rpartition(".")
        if text := _known(file.tree.scope, target, at):
            texts[target] = text
        elif not _is_taken(file.tree.scope, name):
            texts[target] = name
            fresh.setdefault(module, []).append(name)
    splices: list[Splice] = []
    for module, names in fresh.items():
        node = next((each for each in _imports(file, at) if module_of(each) == module), None)
        splices += extend(file, node, names, ordered=True) if node is not None else [_new(file, module, names)]
    return Named(texts, file.edits(splices))


def _known(scope: Scope, target: str, at: int) -> str | None:
    module, _, name = target.rpartition(".")
    found: dict[str, str] = {}
    for text, bindings in scope.bindings.items():
        known = [each.target for each in bindings if _is_certain(each, at)]
        if len(bindings) == 1 and known and known[0] is not None:
            found.setdefault(_same(known[0]), text)
    if _same(target) in found:
        return found[_same(target)]
    return f"{found[_same(module)]}.{name}" if _same(module) in found else None


def _same(target: str) -> str:
    """One name for what version 1 and 2 of the CDK have in different places."""
    known = canonical(target)
    return target if known is None or known.startswith("constructs") else f"aws_cdk.{known}"


def _is_certain(binding: Binding, at: int) -> bool:
    return binding.target is not None and not binding.typing_only and binding.start < at


def _is_taken(scope: Scope, name: str) -> bool:
    return name in scope.bindings or any(_is_taken(each, name) for each in scope.children)


def _imports(file: CdkFile, at: int) -> Iterator[cst.ImportFrom]:
    for line in _top(file):
        small = line.body[0]
        if not isinstance(small, cst.ImportFrom) or isinstance(small.names, cst.ImportStar):
            continue
        if file.tree.span(small)[0] < at:
            yield small


def _top(file: CdkFile) -> Sequence[cst.SimpleStatementLine]:
    """The import statements at the top level."""
    lines = [each for each in file.module.body if isinstance(each, cst.SimpleStatementLine)]
    return [each for each in lines if isinstance(each.body[0], cst.Import | cst.ImportFrom)]


def _new(file: CdkFile, module: str, names: Sequence[str]) -> Splice:
    """A new statement: among the imports of its kind, those of Python itself above all others."""
    source, newline = file.source, file.newline
    text = f"from {module} import {', '.join(names)}"
    root = module.partition(".")[0]
    lines = [(each, _root(each)) for each in _top(file)]
    akin = [each for each, name in lines if name == "aws_cdk"]
    if root in sys.stdlib_module_names:
        first = next((at for at, (_, name) in enumerate(lines) if name not in sys.stdlib_module_names), len(lines))
        akin = [each for each, name in lines[:first] if name != "__future__"]
    if akin:
        at = end_of_line(source, file.tree.span(akin[-1])[1])
        return Splice(at, at, newline + text)
    below = next((each for each, name in lines if name != "__future__"), file.module.body[0])
    at = start_of_line(source, file.tree.span(below)[0])
    return Splice(at, at, f"{text}{newline}{newline}")


def _root(line: cst.SimpleStatementLine) -> str:
    small = line.body[0]
    if isinstance(small, cst.ImportFrom):
        return module_of(small).partition(".")[0]
    names = small.names if isinstance(small, cst.Import) else ()
    return (dotted(names[0].name) or "").partition(".")[0] if names else ""


# ---- what is returned --------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """A call that makes what a function returns: what is called as it is written, and what that stands for."""

    text: str
    meaning: str | ProjectClass


def made_by(function: Function, node: cst.BaseExpression | None) -> Made | None:
    """The call of a class that an expression in a function is, or that a name is once assigned."""
    file, scope = function.file, function.scope
    if isinstance(node, cst.Name):
        found = single_value(file, node, scope)
        if isinstance(found, Unknown) or found[1] is not scope or _is_annotated(file, found[0]):
            return None
        node = found[0]
    text = dotted(node.func) if isinstance(node, cst.Call) else None
    meaning = file.meaning(node.func, scope) if isinstance(node, cst.Call) else None
    last = text.rpartition(".")[2] if text else ""
    return Made(text, meaning) if text and meaning and last[:1].isupper() else None


def _is_annotated(file: CdkFile, value: cst.BaseExpression) -> bool:
    return isinstance(file.tree.parents.get(value), cst.AnnAssign)
