"""How to write a name of the CDK at some place of a file, with the import that it needs there."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.layout import Brackets, Item, Splice, difference, end_of_line, indent_at, relay, splice, start_of_line
from fixer.cdk.tree import Scope, dotted, module_of
from fixer.model import Edit

if TYPE_CHECKING:
    from fixer.cdk.calls import Call
    from fixer.cdk.file import CdkFile
    from fixer.cdk.references import Reference


class Speller:
    """Spells names for one place; gathers the imports that all of them need."""

    def __init__(self, file: CdkFile, at: Call | Reference) -> None:
        """Take the file and the call or name near which the names will stand."""
        self._file = file
        self._tree = file.tree
        self._at = at
        self._known = self._in_scope()
        self._additions: dict[cst.ImportFrom, list[str]] = {}
        self._fresh: list[str] = []

    def spell(self, names: Iterable[str]) -> tuple[dict[str, str], tuple[Edit, ...]]:
        """The text for every name, and the edits of imports."""
        spelled = {name: self._spell(name) for name in names}
        splices: list[Splice] = []
        for node, texts in self._additions.items():
            lines = self._one_a_line(node)
            splices += self._beside(lines, texts) if lines else extend(self._file, node, texts)
        if self._fresh:
            splices.append(self._new_imports())
        return spelled, self._file.edits(splices)

    def _in_scope(self) -> dict[str, str]:
        """Canonical names of what is imported and readable at the place, with how it is written; inner scopes win."""
        found: dict[str, str] = {}
        inner: list[Scope] = []
        for scope in self._at.scope.visible():
            for name, full, start in scope.imported:
                is_late = scope is self._at.scope and start > self._at.start
                if not is_late and not any(name in each.bindings for each in inner):
                    found.setdefault(full, name)
            inner.append(scope)
        return found

    def _spell(self, name: str) -> str:
        module, owner, rest = _split(name)
        full = f"{module}.{owner}" if module else owner
        if full in self._known:
            return self._known[full] + rest
        if module and module in self._known:
            return f"{self._known[module]}.{owner}{rest}"
        by_class = self._import_of(f"aws_cdk.{module}") if module else None
        if by_class is not None and (not self._root() or self._at.text.startswith(tuple(self._names_of(by_class)))):
            return self._add(by_class, owner, full) + rest
        root = self._root()
        if root and not (module and self._imports_modules()):
            return f"{root}.{full}{rest}"
        if not module:
            return self._add(self._import_of_core(), owner, full) + rest
        alias = self._alias(module)
        return f"{self._add(self._import_of('aws_cdk'), alias, module)}.{owner}{rest}"

    def _imports_modules(self) -> bool:
        """Whether the place has modules that were imported one by one, as in `from aws_cdk import aws_s3 as s3`."""
        package = self._import_of("aws_cdk")
        return package is not None and any(name.startswith("aws_") for name in self._known if "." not in name)

    def _root(self) -> str | None:
        return self._known.get("")

    def _alias(self, module: str) -> str:
        """`aws_kms as kms` where the file writes its modules so, else `aws_kms`."""
        short = module.removeprefix("aws_")
        if keyword.iskeyword(short):
            short += "_"
        targets = {name: target for name, targets in self._file.outline.imports.items() for target in targets}
        aliased = [
            name for name, target in targets.items() if target.startswith("aws_cdk.aws_") and target.count(".") == 1
        ]
        plain = [name for name in aliased if name.startswith("aws_")]
        return module if aliased and len(plain) * 2 > len(aliased) else f"{module} as {short}"

    def _add(self, node: cst.ImportFrom | None, text: str, full: str) -> str:
        """Import something, and give the name that it has then."""
        bound = text.rpartition(" ")[2]
        original = text.partition(" ")[0]
        if self._is_taken(bound):
            bound = next(
                each
                for each in (original, *(f"cdk_{original}{tail}" for tail in ("", "_", "_2")))
                if not self._is_taken(each)
            )
            text = original if bound == original else f"{original} as {bound}"
        self._known[full] = bound
        if node is None:
            package = full.rpartition(".")[0] if full.rpartition(".")[2] == original else ""
            module = ".".join(
                part
                for part in (
                    "aws_cdk",
                    "core" if self._file.is_v1 and not package and original[:1].isupper() else package,
                )
                if part
            )
            self._fresh.append(f"from {module} import {text}")
        else:
            self._additions.setdefault(node, []).append(text)
        return bound

    def _is_taken(self, name: str) -> bool:
        if name in self._known.values() or hasattr(builtins, name):
            return True
        stack: list[Scope] = [self._tree.scope]
        while stack:
            scope = stack.pop()
            if name in scope.bindings:
                return True
            stack.extend(scope.children)
        return False

    def _imports(self) -> Iterator[cst.ImportFrom]:
        """The imports that can be extended for the place, the last first; a function's own after those of the file."""
        visible = list(self._at.scope.visible())
        nodes = {
            (visible.index(scope), start): node
            for node, scope, typing_only in self._tree.imports
            if isinstance(node, cst.ImportFrom) and not typing_only and scope in visible
            if not isinstance(node.names, cst.ImportStar) and (start := self._tree.span(node)[0]) < self._at.start
        }
        yield from (nodes[place] for place in sorted(nodes, reverse=True))

    def _import_of(self, module: str) -> cst.ImportFrom | None:
        """The last `from module import ...` that can be extended for the place."""
        return next((each for each in self._imports() if module_of(each) == module), None)

    def _import_of_core(self) -> cst.ImportFrom | None:
        """The last import of classes of the core that can be extended; of anything right from the package, if none."""
        package = "aws_cdk.core" if self._file.is_v1 else "aws_cdk"
        found = [each for each in self._imports() if module_of(each) == package]
        return next((each for each in found if not _modules_of(each)), next(iter(found), None))

    def _one_a_line(self, node: cst.ImportFrom) -> list[cst.ImportFrom]:
        """The imports of modules around one, in order, where the file has a line for each of them; else none."""
        scopes = {each: scope for each, scope, _ in self._tree.imports}
        found = [each for each in self._imports() if module_of(each) == "aws_cdk" and _modules_of(each)]
        found = [each for each in found if scopes[each] is scopes[node]]
        single = all(len(list(self._names_of(each))) == 1 for each in found)
        return found[::-1] if node in found and single and len(found) > 1 else []

    def _beside(self, lines: list[cst.ImportFrom], texts: Iterable[str]) -> list[Splice]:
        """Lines of their own for more modules, where their names come if the others are in order."""
        source, newline = self._file.source, self._file.newline
        names = [_modules_of(each)[0] for each in lines]
        places: dict[int, list[str]] = {}
        for text in sorted(texts):
            before = sum(1 for each in names if each < text) if names == sorted(names) else len(names)
            places.setdefault(before, []).append(text)
        splices = []
        for before, added in places.items():
            start, end = self._tree.span(lines[max(before - 1, 0)])
            written = [f"{indent_at(source, start)}from aws_cdk import {text}" for text in added]
            if before:
                at = end_of_line(source, end)
                splices.append(Splice(at, at, "".join(newline + line for line in written)))
            else:
                at = start_of_line(source, start)
                splices.append(Splice(at, at, "".join(line + newline for line in written)))
        return splices

    def _names_of(self, node: cst.ImportFrom) -> Iterator[str]:
        for alias in () if isinstance(node.names, cst.ImportStar) else node.names:
            name = alias.asname.name if alias.asname is not None else alias.name
            if isinstance(name, cst.Name):
                yield name.value

    def _new_imports(self) -> Splice:
        """New statements: after the last import of the CDK at the top of the file, else after the first imports."""
        last: cst.SimpleStatementLine | None = None
        for each in self._file.module.body:
            if not isinstance(each, cst.SimpleStatementLine):
                continue
            small = each.body[0]
            if isinstance(small, cst.Import | cst.ImportFrom) and (
                last is None or _of_cdk(small) or not _line_of_cdk(last)
            ):
                last = each
        source, newline = self._file.source, self._file.newline
        lines = list(dict.fromkeys(self._fresh))
        if last is not None:
            at = end_of_line(source, self._tree.span(last)[1])
            return Splice(at, at, "".join(newline + line for line in lines))
        first = next(iter(self._file.module.body))
        at = start_of_line(source, self._tree.span(first)[0])
        return Splice(at, at, "".join(line + newline for line in lines))


def extend(file: CdkFile, node: cst.ImportFrom, texts: list[str], *, ordered: bool = False) -> list[Splice]:
    """Add names to a `from` import, in their order if it has one; `ordered`: one name alone counts as in order."""
    tree, source = file.tree, file.source
    names = [] if isinstance(node.names, cst.ImportStar) else list(node.names)
    items = []
    for each in names:
        start, _ = tree.span(each)
        bound = each.asname.name if each.asname is not None else each.name
        items.append(Item(start, tree.span(bound)[1], tree.comma(each.comma)))
    opening = tree.span(node.lpar)[1] if node.lpar is not None else items[0].start
    closing = tree.span(node.rpar)[0] if node.rpar is not None else items[-1].end
    brackets = Brackets(source, opening, closing, items, file.newline, file.unit)
    written = [dotted(each.name) or "" for each in names]
    orders: tuple[Callable[[str], tuple[int, str]], ...] = (_plain, _caseless, _isort)
    order = next((key for key in orders if written == sorted(written, key=key)), None)
    splices: list[Splice] = []
    places: dict[int, list[str]] = {}
    order = order if len(names) > 1 or ordered else None
    for text in sorted(texts, key=order) if order else texts:
        name = text.partition(" ")[0]
        after = len(names) - 1
        if order is not None:
            after = sum(1 for each in written if order(each) < order(name)) - 1
        places.setdefault(after, []).append(text)
    for after, each_place in places.items():
        splices += brackets.insert(each_place, after)
    return _relaid(file, node, splices)


def _relaid(file: CdkFile, node: cst.ImportFrom, splices: list[Splice]) -> list[Splice]:
    """Put brackets around a list that has grown too long for its line; open it if it has them."""
    source, limit = file.source, file.line_length
    first, last = file.tree.span(node)
    start, end = start_of_line(source, first), end_of_line(source, last)
    region = source[start:end]
    grown = len(region.decode()) + sum(len(each.text) for each in splices)
    alone = not source[last:end].strip() and not source[start:first].strip()
    if node.lpar is None and b"\n" not in region and grown > limit and alone:
        local = [Splice(each.start - start, each.end - start, each.text) for each in splices]
        head, _, names = splice(region, local).decode().partition(" import ")
        indent = head[: len(head) - len(head.lstrip())]
        lines = [f"{indent}{file.unit}{each.strip()}," for each in names.split(",")]
        text = "\n".join((f"{head} import (", *lines, f"{indent})"))
        return difference(region, text, start, file.newline)
    return relay(region, splices, start, limit, file.unit, file.newline)


def _plain(name: str) -> tuple[int, str]:
    return 0, name


def _caseless(name: str) -> tuple[int, str]:
    return 0, name.lower()


def _isort(name: str) -> tuple[int, str]:
    """The order of isort: constants, classes, then the rest."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name


def _modules_of(node: cst.ImportFrom) -> list[str]:
    """The modules of services that an import names, if it names nothing else."""
    names = [] if isinstance(node.names, cst.ImportStar) else [dotted(each.name) or "" for each in node.names]
    return names if all(name.startswith("aws_") for name in names) else []


def _of_cdk(node: cst.Import | cst.ImportFrom) -> bool:
    if isinstance(node, cst.ImportFrom):
        return module_of(node).partition(".")[0] == "aws_cdk"
    return any((dotted(each.name) or "").partition(".")[0] == "aws_cdk" for each in node.names)


def _line_of_cdk(line: cst.SimpleStatementLine) -> bool:
    return any(isinstance(each, cst.Import | cst.ImportFrom) and _of_cdk(each) for each in line.body)


def _split(name: str) -> tuple[str, str, str]:
    """Module, class and the rest with its dot: `aws_s3.BlockPublicAccess.BLOCK_ALL`, `Duration.days`."""
    parts = name.split(".")
    owner = next((at for at, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
    rest = "".join(f".{part}" for part in parts[owner + 1 :])
    return ".".join(parts[:owner]), parts[owner], rest
