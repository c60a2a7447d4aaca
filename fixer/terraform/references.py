"""Which resource an expression means, and where a module refers to something."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixer.model import Edit, Known
from fixer.terraform import evaluate
from fixer.terraform.expression import Expr, Traversal

if TYPE_CHECKING:
    from fixer.terraform.block import Attribute, Block
    from fixer.terraform.file import TerraformFile
    from fixer.terraform.module import Module

_DEEPEST = 20
_PASSING = {
    **dict.fromkeys(("coalesce", "compact", "concat", "flatten", "nonsensitive", "one"), slice(None)),
    **dict.fromkeys(("sensitive", "tolist", "toset", "tostring", "trimspace", "try"), slice(None)),
    "element": slice(0, 1),
    "join": slice(1, None),
}
"""Functions that give one of their arguments, or an element of one, and which arguments these are."""
NAMES = (
    "bucket",
    "name",
    "function_name",
    "identifier",
    "cluster_identifier",
    "domain_name",
    "domain",
    "repository_name",
)
"""Arguments that hold what AWS calls a resource; the first one that a resource has is its name."""


@dataclass(frozen=True)
class Reference:
    """A place where the module refers to something."""

    file: TerraformFile
    traversal: Traversal

    @property
    def start(self) -> int:
        """Where the traversal starts."""
        return self.traversal.start

    @property
    def end(self) -> int:
        """Where the traversal ends."""
        return self.traversal.end

    @property
    def address_end(self) -> int:
        """Where the address in it ends, and the rest starts."""
        return self.traversal.address_end

    @property
    def rest(self) -> str:
        """What follows the address: `.id`, `[0].bucket`."""
        return "".join(self.traversal.rest)

    @property
    def block(self) -> Block | None:
        """The innermost block that it stands in; `.top` is the resource."""
        return self.file.enclosing(self.start)[0]

    @property
    def attribute(self) -> Attribute | None:
        """The attribute that it stands in."""
        return self.file.enclosing(self.start)[1]

    def asks_for(self, name: str) -> bool:
        """Whether it ends with an attribute of that name: `.id`."""
        return self.traversal.rest[-1:] == (f".{name}",)

    def renamed(self, name: str) -> Edit:
        """Have it ask for another attribute than the one that it ends with."""
        return self.file.edit(self.end - len(self.traversal.rest[-1]) + 1, self.end, name)


def traversals_behind(module: Module, expr: Expr) -> list[Traversal]:
    """All that an expression mentions, through locals and through what `each` stands for."""
    found: dict[tuple[str, int], Traversal] = {}
    seen: set[tuple[str, int]] = set()
    waiting = [expr]
    while waiting:
        one = waiting.pop()
        if (one.file.path, one.start) in seen:
            continue
        seen.add((one.file.path, one.start))
        for traversal in one.traversals():
            found[one.file.path, traversal.start] = traversal
            if traversal.names[0] == "local" and len(traversal.names) > 1:
                if local := module.local(traversal.names[1]):
                    inside = one.traversal and module.follow(one)
                    waiting.append(inside if inside and inside is not one else local.expr)
            elif traversal.names[0] == "each":
                block, _ = one.file.enclosing(traversal.start)
                if each := block.top.attribute("for_each") if block else None:
                    waiting.append(each.expr)
    return list(found.values())


def dependencies(module: Module, address: str, more: Mapping[str, Iterable[str]]) -> set[str]:
    """The addresses of all that a resource or a local depends on, its own too.

    Args:
        module: The module.
        address: The address of the resource or the local.
        more: What some addresses will refer to besides.
    """
    seen = {address}
    waiting = [address]
    while waiting:
        one = waiting.pop()
        root, _, name = one.partition(".")
        local = module.local(name) if root == "local" else None
        block = local.block if local else module.resource(one)
        mentioned = set(more.get(one, ()))
        if block:
            start, end = (local.start, local.end) if local else (block.start, block.end)
            mentioned |= {each.address for each in block.file.traversals if start <= each.start < end}
        waiting += mentioned - seen
        seen |= mentioned
    return seen


def refers_to(module: Module, expr: Expr, target: Block, name: str | None = None) -> bool | None:
    """Whether an argument such as `bucket = ...` means this resource; None if that can't be judged.

    True: an attribute of it in any form of access, also through a local, through `each` over the resource, through an
    argument of another resource, and through functions and conditionals that give one of several things; or the name
    that it has, as a constant or as the same expression. False: another resource of its type, another constant.
    `name` is the target's argument that holds its name; by default the first of `NAMES` that it has.
    """
    return _Search(module, target, name).means(expr, 0)


def unused_without(module: Module, exprs: Sequence[Expr]) -> list[str]:
    """The addresses of the variables that these expressions use, and nothing else in the module."""
    spans = [(expr.file, expr.start, expr.end) for expr in exprs]
    addresses = dict.fromkeys(f"var.{name}" for expr in exprs for name in expr.variables())

    def is_left(address: str) -> bool:
        return any(
            not any(one.file is file and start <= one.start < end for file, start, end in spans)
            for one in module.references(address)
            if one.block and one.block.top.address != address
        )

    return [address for address in addresses if not is_left(address)]


def gives(module: Module, address: str, depth: int = 0) -> bool:
    """Whether an output gives something; see `Module.gives`."""
    for reference in module.references(address) if depth < _DEEPEST else ():
        block, attribute = reference.block, reference.attribute
        if block and block.top.type == "output":
            return True
        local = attribute.name if block and block.top.type == "locals" and attribute else ""
        if local and gives(module, f"local.{local}", depth + 1):
            return True
    return False


class _Search:
    def __init__(self, module: Module, target: Block, name: str | None) -> None:
        self._module, self._target = module, target
        names = (target.attribute(one) for one in ((name,) if name else NAMES))
        self._name = next((attribute.expr for attribute in names if attribute), None)

    def means(self, expr: Expr, depth: int) -> bool | None:
        if depth > _DEEPEST:
            return None
        if expr.inner:
            return self.means(expr.inner, depth + 1)
        if self._is_named_alike(expr):
            return True
        match expr.kind:
            case "traversal" if expr.traversal:
                return self._traversal(expr, expr.traversal, depth + 1)
            case "list":
                return self._one_of(expr.elements, depth + 1)
            case "conditional":
                return self._one_of(expr.branches[1:], depth + 1)
            case "call" if expr.function in _PASSING:
                return self._one_of(expr.elements[_PASSING[expr.function]], depth + 1)
            case "access":
                return self._access(expr)
        return self._constant(expr)

    def _is_named_alike(self, expr: Expr) -> bool:
        """Whether it is written as the target's name is, and means the same there."""
        if self._name is None or _squeezed(expr) != _squeezed(self._name):
            return False
        roots = {one.names[0] for one in expr.traversals()}
        if not roots & {"each", "count"}:
            return True
        block, _ = expr.file.enclosing(expr.start)
        here, there = block.top.meta() if block else {}, self._target.meta()
        return all(here.get(one) == there.get(one) for one in ("count", "for_each"))

    def _one_of(self, choices: Iterable[Expr], depth: int) -> bool | None:
        """The answer for an expression that gives one of several; a constant beside a resource is its stand-in."""
        real = [one for one in choices if one.kind not in ("null", "number") and one.text not in ('""', "[]")]
        answers = [(self.means(one, depth), bool(one.traversals())) for one in real]
        resources = {answer for answer, is_reference in answers if is_reference}
        if True in resources:
            return None if False in resources else True
        verdicts = {answer for answer, _ in answers}
        return verdicts.pop() if len(verdicts) == 1 else None

    def _some_of(self, choices: Iterable[Expr], depth: int) -> bool | None:
        """The answer for an expression that gives each of several in turn."""
        answers = {self.means(one, depth) for one in choices}
        return True if True in answers else None if None in answers or not answers else False

    def _traversal(self, expr: Expr, traversal: Traversal, depth: int) -> bool | None:
        target = self._target
        if traversal.address == target.address:
            return True
        root = traversal.names[0]
        if root == "each":
            return self._each(expr, traversal, depth)
        if root in ("local", "var"):
            return self._followed(expr, depth)
        if root in ("data", "ephemeral") or target.type != "resource":
            same = traversal.names[:2] == (target.type, target.labels[0])
            return False if same and len(traversal.names) > 2 else None
        if root == target.labels[0] and len(traversal.names) > 1:
            return False
        other = self._module.resource(traversal.address)
        steps = [step[1:] for step in traversal.rest if step.startswith(".")]
        attribute = other.attribute(steps[0]) if other and len(steps) == 1 else None
        return self.means(attribute.expr, depth) if attribute else None

    def _followed(self, expr: Expr, depth: int) -> bool | None:
        followed = evaluate.follow(self._module, expr)
        if followed is expr:
            return self._constant(expr)
        answer = self.means(followed, depth)
        return None if answer is False and self._module.variables_behind(expr) else answer

    def _each(self, expr: Expr, traversal: Traversal, depth: int) -> bool | None:
        block, _ = expr.file.enclosing(expr.start)
        over = block.top.attribute("for_each") if block else None
        if over is None or len(traversal.names) < 2:
            return None
        source = evaluate.follow(self._module, over.expr)
        if source.kind == "call" and source.function == "toset" and len(source.elements) == 1:
            source = evaluate.follow(self._module, source.elements[0])
        if found := source.traversal:
            return None if found.rest else self._traversal(source, found, depth)
        if source.kind == "list":
            return self._some_of(source.elements, depth)
        if source.kind != "object":
            return None
        if traversal.names[1] == "key":
            return self._some_of((name for name, _ in source.entries), depth)
        values = [evaluate.entry(value, traversal.rest) for _, value in source.entries]
        known = [value for value in values if value]
        answer = self._some_of(known, depth)
        return None if answer is False and len(known) < len(values) else answer

    def _access(self, expr: Expr) -> bool | None:
        """The answer for steps behind something computed, by the resources of the target's type that it mentions."""
        kind = self._target.address.rpartition(".")[0] + "."
        found = {one.address for one in expr.traversals() if one.address.startswith(kind)}
        return None if len(found) != 1 else self._target.address in found

    def _constant(self, expr: Expr) -> bool | None:
        mine = evaluate.evaluate(self._module, expr)
        if not isinstance(mine, Known) or not isinstance(mine.value, str):
            return None
        if self._name is None:
            return None if self._module.variables_behind(expr) else False
        theirs = evaluate.evaluate(self._module, self._name)
        if not isinstance(theirs, Known):
            return None
        parts = re.split("[:/]", mine.value) if mine.value.startswith("arn:") else [mine.value]
        if theirs.value in (mine.value, *parts):
            return True
        behind = self._module.variables_behind(expr), self._module.variables_behind(self._name)
        return None if any(behind) else False


def _squeezed(expr: Expr) -> str:
    return "".join(expr.text.split())
