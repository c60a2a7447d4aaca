"""A Terraform module: the files of one directory, read together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from fixer.facts import TerraformFacts
from fixer.model import Known, Value
from fixer.terraform import evaluate, json_syntax, references
from fixer.terraform.block import Attribute, Block
from fixer.terraform.expression import Expr, Traversal
from fixer.terraform.file import TerraformFile
from fixer.terraform.references import Reference
from fixer.terraform.syntax import ParseError

T = TypeVar("T")

_BOUND = re.compile(r"([<>=!~]*)\s*v?(\d+(?:\.\d+)*)")
_JSON = re.compile(r"\.(?:tf|tofu)\.json$")
_OVERRIDE = re.compile(r"(?:^|/|_)override\.(?:tf|tofu)(?:\.json)?$")
"""Names that mark override files; "Override Files" in the Terraform language documentation."""


def load(facts: TerraformFacts, sources: Mapping[str, bytes]) -> Module:
    """The module that the files of one directory are; `sources` holds their bytes by their paths in the project."""
    return Module(facts, sources)


class Module:
    """The files of one directory and what they declare."""

    def __init__(self, facts: TerraformFacts, sources: Mapping[str, bytes]) -> None:
        """Parse the files; those that can't be parsed are listed in `errors` and left out."""
        self.facts = facts
        self.errors: list[tuple[str, str]] = []
        """Path of each file that can't be read, and why."""
        read = [file for path in sorted(sources) if (file := self._read(path, sources[path]))]
        self.files: tuple[TerraformFile, ...] = tuple(file for file in read if not file.read_only)
        """The files that may be changed, in the order of their names."""
        self.fixed: tuple[TerraformFile, ...] = tuple(file for file in read if file.read_only)
        """Override files and JSON, which are read but never changed."""

    def _read(self, path: str, source: bytes) -> TerraformFile | None:
        is_json = _JSON.search(path) is not None
        try:
            text = json_syntax.to_hcl(source) if is_json else source
            return TerraformFile(self, path, text, read_only=is_json or _is_override(path), is_json=is_json)
        except ParseError as error:
            self.errors.append((path, str(error)))
            return None

    @property
    def path(self) -> str:
        """The directory, relative to the project."""
        return self.facts.path

    def requires_terraform(self, *version: int) -> bool:
        """Whether `required_version` rules out all versions of Terraform before that one; `1, 5` is 1.5.0."""
        for operator, text in _BOUND.findall(self.facts.terraform or ""):
            bound = tuple(map(int, text.split(".")))
            if operator in ("", "=", ">=", ">", "~>") and bound >= version:
                return True
        return False

    @property
    def incomplete(self) -> bool:
        """Whether a file can't be read: what seems to be absent may stand in it."""
        return bool(self.errors)

    # ---- what it declares ------------------------------------------------------------------------

    def blocks(self, kind: str, *labels: str, nested: bool = False) -> Iterator[Block]:
        """The blocks of that type whose labels start with these, at the top level of the files that may be changed.

        With `nested`, also those inside other blocks.
        """
        if not nested:
            found = self._by_type(fixed=False).get((kind, *labels[:1]), ())
        else:
            found = [
                inner for file in self.files for block in file.blocks for inner in block.walk() if inner.type == kind
            ]
        return (block for block in found if block.labels[: len(labels)] == labels)

    def resources(self, kind: str) -> Iterator[Block]:
        """The resources of that type in the files that may be changed."""
        return self.blocks("resource", kind)

    def all_resources(self, kind: str) -> Iterator[Block]:
        """The resources of that type in all files, to know that something exists; some are read-only."""
        yield from self.resources(kind)
        yield from self._by_type(fixed=True).get(("resource", kind), ())

    def declared(self, *kinds: str) -> Iterator[Block]:
        """The resources of these types in all files but overrides, which change what is declared elsewhere."""
        return (block for kind in kinds for block in self.all_resources(kind) if not _is_override(block.file.path))

    def data(self, kind: str) -> Iterator[Block]:
        """The data sources of that type in the files that may be changed."""
        return self.blocks("data", kind)

    def variables(self) -> Iterator[Block]:
        """The variables in the files that may be changed."""
        return self.blocks("variable")

    def outputs(self) -> Iterator[Block]:
        """The outputs in the files that may be changed."""
        return self.blocks("output")

    def resource(self, address: str) -> Block | None:
        """The one resource or data source of that address; None if there is none, or two."""
        return _only(self._by_address.get(address, ()))

    def variable(self, name: str) -> Block | None:
        """The one declaration of a variable, in any file but overrides; None if there is none, or two."""
        return _only(self._by_address.get(f"var.{name}", ()))

    def local(self, name: str) -> Attribute | None:
        """The one definition of a local; None if there is none or two, or an override file defines it."""
        return _only(self._locals.get(name, ()))

    @cached_property
    def _tables(self) -> tuple[dict[tuple[str, ...], list[Block]], dict[tuple[str, ...], list[Block]]]:
        tables: tuple[dict[tuple[str, ...], list[Block]], ...] = (defaultdict(list), defaultdict(list))
        for table, files in zip(tables, (self.files, self.fixed), strict=True):
            for file in files:
                for block in file.blocks:
                    table[(block.type,)].append(block)
                    if block.labels:
                        table[block.type, block.labels[0]].append(block)
        return tables[0], tables[1]

    def _by_type(self, *, fixed: bool) -> dict[tuple[str, ...], list[Block]]:
        return self._tables[fixed]

    @cached_property
    def _by_address(self) -> dict[str, list[Block]]:
        found: dict[str, list[Block]] = defaultdict(list)
        for file in (*self.files, *self.fixed):
            if not _is_override(file.path):
                for block in file.blocks:
                    found[block.address].append(block)
        return found

    @cached_property
    def _locals(self) -> dict[str, list[Attribute]]:
        found: dict[str, list[Attribute]] = defaultdict(list)
        for fixed in (False, True):
            for block in self._by_type(fixed=fixed).get(("locals",), ()):
                for attribute in block.attributes():
                    found[attribute.name].append(attribute)
        return found

    # ---- overrides -------------------------------------------------------------------------------

    def overridden(self, block: Block) -> bool:
        """Whether an override file has a block of its type and labels, which changes what it says."""
        return self.override_of(block) is not None

    def override_of(self, block: Block) -> Block | None:
        """That block of an override file; for a provider, one with the same `alias`."""
        found = self._overrides.get((block.type, *block.labels), ())
        return next((one for one in found if one is not block and _alias(one) == _alias(block)), None)

    @cached_property
    def _overrides(self) -> dict[tuple[str, ...], list[Block]]:
        found: dict[tuple[str, ...], list[Block]] = defaultdict(list)
        for file in self.fixed:
            if _is_override(file.path):
                for block in file.blocks:
                    labels = (block.type, *block.labels)
                    found[labels].append(block)
        return found

    # ---- expressions -----------------------------------------------------------------------------

    def resolve(self, expr: Expr) -> Value:
        """The value of an expression, through locals and through variables by their default.

        Known for literals, lists, objects, templates of known parts, parentheses and signs; Unknown for calls,
        conditionals, `for`, and what the module does not say. `variables_behind` tells whether a default is involved.
        """
        return evaluate.evaluate(self, expr)

    def literal(self, expr: Expr) -> Value:
        """The value of an expression if it is all written there: names are Unknown."""
        return evaluate.evaluate(self, expr, follow=False)

    def configures(self, provider: str) -> bool:
        """Whether the module has the provider that `provider = aws.west` of a resource names, or is given it."""
        kind, _, alias = provider.partition(".")
        for found in (self._by_type(fixed=False), self._by_type(fixed=True)):
            if any(one.value("alias") == Known(alias) for one in found.get(("provider", kind), ())):
                return True
            wanted = (inner for block in found.get(("terraform",), ()) for inner in block.blocks("required_providers"))
            for attribute in filter(None, (block.attribute(kind) for block in wanted)):
                if re.search(rf"\b{re.escape(provider)}\b", attribute.expr.text):
                    return True
        return False

    def follow(self, expr: Expr) -> Expr:
        """The expression that stands behind locals, variables' defaults, parentheses and templates like `"${x}"`."""
        return evaluate.follow(self, expr)

    def setting(self, expr: Expr, keys: Sequence[str] = ()) -> Value:
        """What an argument set to the expression is set to, or the entry of the object that it is; null is Absent."""
        return evaluate.setting(self, expr, keys)

    def variables_behind(self, expr: Expr) -> tuple[str, ...]:
        """The names of all variables that the expression depends on, through locals too."""
        found: dict[str, None] = {}
        seen: set[str] = set()
        waiting = [expr]
        while waiting:
            one = waiting.pop()
            found.update(dict.fromkeys(one.variables()))
            for traversal in one.traversals():
                if traversal.names[0] == "local" and len(traversal.names) > 1 and traversal.names[1] not in seen:
                    seen.add(traversal.names[1])
                    waiting += [attribute.expr for attribute in self._locals.get(traversal.names[1], ())]
        return tuple(found)

    def traversals_behind(self, expr: Expr) -> list[Traversal]:
        """All that the expression mentions, through locals and through what `each` stands for."""
        return references.traversals_behind(self, expr)

    def dependencies(self, address: str, more: Mapping[str, Iterable[str]]) -> set[str]:
        """The addresses of all that a resource or a local depends on, its own too; see `references.dependencies`."""
        return references.dependencies(self, address, more)

    def references(self, address: str, *, fixed: bool = False) -> list[Reference]:
        """Every place that refers to `aws_s3_bucket.x`, `var.y`, `local.z`, `data.t.n` or `module.m`.

        In the files that may be changed; with `fixed`, in the others instead.
        """
        return list(self._references[fixed].get(address, ()))

    @cached_property
    def _references(self) -> tuple[dict[str, list[Reference]], dict[str, list[Reference]]]:
        return _references(self.files), _references(self.fixed)

    def gives(self, address: str) -> bool:
        """Whether an output of the files that may be changed gives something, itself or through locals."""
        return references.gives(self, address)

    def resources_for(self, target: Block, kind: str, argument: str) -> Iterator[tuple[Block, bool]]:
        """Resources of a type, in all files, whose argument certainly means another resource, or may (False)."""
        for block in self.all_resources(kind):
            given = block.attribute(argument)
            means = self.refers_to(given.expr, target) if given else False
            if means is not False:
                yield block, means is True

    def refers_to(self, expr: Expr, target: Block, name: str | None = None) -> bool | None:
        """Whether an argument such as `bucket = ...` means this resource; None if that can't be judged.

        `name` is the target's argument that holds its name, by default the first of `references.NAMES` that it has.
        """
        return references.refers_to(self, expr, target, name)


def _references(files: Iterable[TerraformFile]) -> dict[str, list[Reference]]:
    found: dict[str, list[Reference]] = defaultdict(list)
    for file in files:
        for traversal in file.traversals:
            if traversal.steps:
                found[traversal.address].append(Reference(file, traversal))
    return found


def _is_override(path: str) -> bool:
    return _OVERRIDE.search(path) is not None


def _alias(block: Block) -> str | None:
    alias = block.attribute("alias") if block.type == "provider" else None
    return alias.expr.text if alias else None


def _only(found: Sequence[T]) -> T | None:
    return found[0] if len(found) == 1 else None
