"""The imports of a file: which of the names that they bring nothing reads, and the edits that take them out."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.layout import Brackets, Item, Splice, end_of_line, relay, start_of_line
from fixer.cdk.outline import canonical, join
from fixer.cdk.tree import Scope, children, dotted, module_of

if TYPE_CHECKING:
    from fixer.cdk.file import CdkFile
    from fixer.model import Edit

_TYPE_CALLS = frozenset(("cast", "ForwardRef", "NewType", "TypeVar"))
_GENERICS = frozenset(
    (
        "Annotated",
        "Callable",
        "ClassVar",
        "Dict",
        "Final",
        "FrozenSet",
        "Generic",
        "Iterable",
        "Iterator",
        "List",
        "Mapping",
        "Optional",
        "Sequence",
        "Set",
        "Tuple",
        "Type",
        "Union",
        "dict",
        "frozenset",
        "list",
        "set",
        "tuple",
    )
)
"""What takes types between brackets, where they may be strings."""
_BY_NAME = frozenset(("eval", "exec", "globals", "locals", "vars"))
_TYPE_COMMENT = re.compile(r"#\s*type:(?!\s*ignore\b)(.*)")
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Imported:
    """A name that an import brings into its scope, and what it stands for: `s3`, `aws_cdk.aws_s3`."""

    name: str
    target: str
    module: str
    """The module that the import loads for it, with leading dots if it is relative."""
    start: int
    end: int
    written: str
    """What a message calls it: the name, or all of `import a.b`, which brings `a`."""
    renamed: bool
    """Whether it is written `as` something."""
    exported: bool
    """Whether it is written `x as x`, which tells readers that it is there for others."""


class Import:
    """One import statement."""

    def __init__(self, file: CdkFile, node: cst.Import | cst.ImportFrom, scope: Scope, *, typing_only: bool) -> None:
        """Take the file, the statement, and the scope that it binds names in."""
        self.file = file
        self.node = node
        self.scope = scope
        self.typing_only = typing_only
        self.start, self.end = file.tree.span(node)

    @cached_property
    def names(self) -> tuple[Imported, ...]:
        """What it brings; nothing if that is `*`."""
        return () if isinstance(self.node.names, cst.ImportStar) else tuple(map(self._imported, self.node.names))

    def _imported(self, alias: cst.ImportAlias) -> Imported:
        tree, full = self.file.tree, dotted(alias.name) or ""
        bound = alias.asname.name if alias.asname is not None else None
        given = bound.value if isinstance(bound, cst.Name) else ""
        start, end = tree.span(alias)[0], tree.span(bound if bound is not None else alias.name)[1]
        exported = given == full
        if isinstance(self.node, cst.ImportFrom):
            module = module_of(self.node)
            return Imported(given or full, join(module, full), module, start, end, given or full, bool(given), exported)
        name = given or full.partition(".")[0]
        return Imported(name, full, full, start, end, given or full, bool(given), exported)

    @cached_property
    def around(self) -> tuple[cst.CSTNode, ...]:
        """The nodes around it, from the inside."""
        return tuple(self.file.tree.above(self.node))

    def is_from(self, module: str) -> bool:
        """Whether it is `from module import`, or of any module for an empty name."""
        return isinstance(self.node, cst.ImportFrom) and module in ("", module_of(self.node))

    @property
    def is_guarded(self) -> bool:
        """Whether the code goes on if the import fails."""
        return any(isinstance(each, cst.Try | cst.TryStar | cst.With) for each in self.around)

    @property
    def has_its_lines(self) -> bool:
        """Whether no other statement stands on its lines."""
        line = self.around[0]
        return isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1

    @property
    def siblings(self) -> tuple[cst.CSTNode, ...]:
        """The statements of its block, itself among them as a line."""
        block = self.around[1] if len(self.around) > 1 else None
        return tuple(block.body) if isinstance(block, cst.Module | cst.IndentedBlock) else ()

    def without(self, gone: Collection[Imported]) -> tuple[Edit, ...]:
        """The edits that take names out: the statement with its lines if these are all, which `has_its_lines` allows.

        Blank lines above and below become as many as there were on the side that had more.
        """
        if len(gone) == len(self.names):
            return self.file.edits([self._lines()])
        indices = [at for at, each in enumerate(self.names) if each in gone]
        splices = [self._to_next(*each) for each in self._brackets().remove(indices)]
        source = self.file.source
        start = start_of_line(source, self.start)
        region = source[start : end_of_line(source, self.end)]
        limit, unit, newline = self.file.line_length, self.file.unit, self.file.newline
        return self.file.edits(relay(region, splices, start, limit, unit, newline))

    def _to_next(self, start: int, end: int, text: str) -> Splice:
        """What is taken away; up to the next name if it is all that stood on the line of the bracket."""
        source, first = self.file.source, self.names[0].start
        following = next((each.start for each in self.names if each.start >= end), end)
        alone = start == first and source[start_of_line(source, first) : first].strip()
        return Splice(start, following if alone and not source[end:following].strip() else end, text)

    def _brackets(self) -> Brackets:
        tree, node = self.file.tree, self.node
        aliases = () if isinstance(node.names, cst.ImportStar) else node.names
        items = [
            Item(each.start, each.end, tree.comma(alias.comma)) for each, alias in zip(self.names, aliases, strict=True)
        ]
        opening, closing = items[0].start, items[-1].end
        if isinstance(node, cst.ImportFrom) and node.lpar is not None and node.rpar is not None:
            opening, closing = tree.span(node.lpar)[0] + 1, self.end - 1
        return Brackets(self.file.source, opening, closing, items, self.file.newline, self.file.unit)

    def _lines(self) -> Splice:
        source = self.file.source
        first, last = start_of_line(source, self.start), _next_line(source, self.end)
        top, bottom = first, last
        while top and not source[start_of_line(source, top - 1) : top].strip():
            top = start_of_line(source, top - 1)
        while bottom < len(source) and not source[bottom : _next_line(source, bottom)].strip():
            bottom = _next_line(source, bottom)
        above, below = source.count(b"\n", top, first), source.count(b"\n", last, bottom)
        opens = len(self.siblings) > 1 and self.siblings[0] is self.around[0] and self.scope.kind != "module"
        if not source[:top].removeprefix(BOM_UTF8).strip() or (opens and not above):
            return Splice(first, bottom, "")
        if not source[bottom:].strip():
            return Splice(top, last, "")
        return Splice(top, last, "") if above <= below else Splice(first, bottom, "")


class Imports:
    """All imports of a file, and what is read of them."""

    def __init__(self, file: CdkFile) -> None:
        """Take the file."""
        self._file = file
        self._tree = file.tree
        self.statements = tuple(
            Import(file, node, scope, typing_only=typing_only) for node, scope, typing_only in self._tree.imports
        )

    def is_read(self, imported: Imported, scope: Scope) -> bool:
        """Whether code, an annotation or `__all__` in this file reads a name that is imported in a scope."""
        return scope in self._reading.get(imported.name, ()) or imported.name in self.exported | self._in_types

    @cached_property
    def _reading(self) -> dict[str, set[Scope]]:
        """By imported name: the scopes that own it where it is read."""
        wanted = {each.name for statement in self.statements for each in statement.names}
        stored = self._stored()
        found: dict[str, set[Scope]] = {}
        for node, parent in self._tree.parents.items():
            if isinstance(node, cst.Name) and node.value in wanted and not self._is_label(node, parent):
                start = self._tree.span(node)[0]
                if (start, node.value) not in stored or isinstance(parent, cst.AugAssign | cst.Del):
                    found.setdefault(node.value, set()).update(self._owners(node, start))
        return found

    def _stored(self) -> set[tuple[int, str]]:
        """Where names are given a value, but for imports, which start elsewhere than at the name."""
        found: set[tuple[int, str]] = set()
        scopes = [self._tree.scope]
        while scopes:
            scope = scopes.pop()
            scopes += scope.children
            found.update((each.start, name) for name, bindings in scope.bindings.items() for each in bindings)
        return found

    def _is_label(self, node: cst.Name, parent: cst.CSTNode) -> bool:
        """Whether it is no name of its own: an attribute, a keyword, a parameter, part of an import."""
        if isinstance(parent, cst.Attribute):
            if parent.attr is node:
                return True
        elif isinstance(parent, cst.Arg):
            return parent.keyword is node
        elif isinstance(parent, cst.Param | cst.FunctionDef | cst.ClassDef):
            return parent.name is node
        above: cst.CSTNode | None = parent
        while isinstance(above, cst.Attribute | cst.AsName | cst.ImportAlias):
            above = self._tree.parents.get(above)
        return isinstance(above, cst.Import | cst.ImportFrom)

    def _owners(self, node: cst.Name, start: int) -> Iterator[Scope]:
        """The scopes that a name may be read from; a class's may give way to those around it."""
        scope = self._tree.scope_at(start)
        if scope.kind == "comprehension" and scope.parent is not None and self._is_first_source(node, scope):
            scope = scope.parent
        found = scope.find(node.value)
        yield found[0] if found else self._tree.scope
        if found and found[0].kind == "class" and found[0].parent and (outer := found[0].parent.find(node.value)):
            yield outer[0]

    def _is_first_source(self, node: cst.Name, scope: Scope) -> bool:
        """Whether it stands in what a comprehension first goes through, which is read outside of it."""
        within = getattr(scope.node, "for_in", None)
        if not isinstance(within, cst.CompFor):
            return False
        start, end = self._tree.outer_span(within.iter)
        return start <= self._tree.span(node)[0] < end

    # -- names in texts

    @cached_property
    def exported(self) -> frozenset[str]:
        """The names in `__all__`."""
        return frozenset(word for node in self._exporting for word in self._strings(node))

    @cached_property
    def exports_unknown(self) -> bool:
        """Whether `__all__` is computed."""
        return any(not isinstance(each, _PLAIN_EXPORT) for node in self._exporting for each in self._below(node))

    @cached_property
    def _exporting(self) -> tuple[cst.CSTNode, ...]:
        if b"__all__" not in self._file.source:
            return ()
        return tuple(
            line
            for line in self._tree.module.body
            if isinstance(line, cst.SimpleStatementLine)
            and any(isinstance(each, cst.Name) and each.value == "__all__" for each in self._below(line))
        )

    @cached_property
    def _in_types(self) -> frozenset[str]:
        """The words in annotations that are strings, and in comments that are types."""
        found: set[str] = set()
        for node in self._tree.parents:
            if isinstance(node, cst.SimpleString | cst.ConcatenatedString) and self._is_type(node):
                found.update(_WORD.findall(self._file.text(*self._tree.span(node))))
        for _, _, text in self._file.comments() if b"type:" in self._file.source else ():
            if comment := _TYPE_COMMENT.match(text):
                found.update(_WORD.findall(comment[1]))
        return frozenset(found)

    def _is_type(self, node: cst.CSTNode) -> bool:
        for each in self._tree.above(node):
            if isinstance(each, cst.Annotation):
                return True
            if isinstance(each, cst.Call):
                return (dotted(each.func) or "").rpartition(".")[2] in _TYPE_CALLS
            if isinstance(each, cst.Subscript):
                return (dotted(each.value) or "").rpartition(".")[2] in _GENERICS or self._is_type(each)
            if isinstance(each, cst.BaseStatement | cst.BaseSmallStatement):
                return False
        return False

    @cached_property
    def read_by_name(self) -> str | None:
        """The function, such as `globals`, by which the file may read names that it does not spell."""
        for site in self._tree.calls:
            name = dotted(site.node.func)
            if name in _BY_NAME and not (name == "vars" and site.node.args):
                return name
        return None

    def in_doctest(self, name: str) -> bool:
        """Whether the examples in a docstring hold a name."""
        if b">>>" not in self._file.source:
            return False
        texts = (text for node in self._tree.parents for text in self._text(node) if ">>>" in text)
        return any(re.search(rf"\b{name}\b", text) for text in texts)

    def _strings(self, node: cst.CSTNode) -> Iterator[str]:
        for each in self._below(node):
            yield from self._text(each)

    @staticmethod
    def _text(node: cst.CSTNode) -> Iterator[str]:
        value = node.evaluated_value if isinstance(node, cst.SimpleString) else None
        if isinstance(value, str):
            yield value

    def _below(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        for each in children(node):
            yield each
            yield from self._below(each)

    # -- other files

    def is_taken_elsewhere(self, imported: Imported) -> bool:
        """Whether another file of the app takes the name from this one, or may: by import, attribute or mock."""
        stem = self._file.path.rpartition("/")[2].removesuffix(".py")
        app = self._file.app
        for path in app.holding(imported.name):
            if path != self._file.path and stem.encode() in app.sources[path]:
                text = app.sources[path].decode("utf-8", "replace")
                if _takes(text, stem, imported.name, self._is_cdk_name(path, stem)):
                    return True
        return False

    def _is_cdk_name(self, path: str, name: str) -> bool:
        """Whether a name stands for something of the CDK in another file, as `s3` mostly does."""
        file = self._file.app.file(path)
        targets = file.outline.imports.get(name, []) if file else []
        return bool(targets) and all(canonical(each) is not None for each in targets)


_PLAIN_EXPORT = (
    cst.Assign,
    cst.AssignTarget,
    cst.AugAssign,
    cst.Element,
    cst.List,
    cst.Name,
    cst.SimpleString,
    cst.Tuple,
    cst.BaseAugOp,
    cst.BaseParenthesizableWhitespace,
)


def _takes(text: str, stem: str, name: str, foreign: bool) -> bool:
    code = re.sub(r"#[^\n]*", "", text)
    names = r"import\s*(\([^)]*\)|(?:[^\n\\]|\\\r?\n)*)"
    for found in re.finditer(rf"\bfrom\s+(?:[\w.]*\.)?{stem}\s+{names}", code):
        if "*" in found[1] or re.search(rf"\b{name}\b", found[1]):
            return True
    aliases = re.findall(rf"\b{stem}\s+as\s+(\w+)", code)
    heads = "|".join(map(re.escape, dict.fromkeys([*([] if foreign else [stem]), *aliases])))
    if heads and re.search(rf"\b(?:{heads})\.{name}\b", text):
        return True
    return re.search(rf"""["'][\w.]*\b{stem}\.{name}\b""", text) is not None


def _next_line(source: bytes, offset: int) -> int:
    return source.find(b"\n", offset) + 1 or len(source)
