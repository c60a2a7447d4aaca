"""Arguments that are not what they should be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fixer.model import Absent, Known, Lack, Manual, Unknown
from fixer.terraform.block import EditError

if TYPE_CHECKING:
    from fixer.model import Value
    from fixer.terraform.block import Attribute, Block


def lack(block: Block, path: str, expr: str | None, accepts: Callable[[Any], bool] | None) -> Lack | None:
    """What is wrong with an argument; see `Block.lack`."""
    if block.read_only and block.module.resource(block.top.address) is not block.top:
        return None  # an override of a block that is looked at itself
    value, at = block.value(path), attribute_at(block, path)
    if isinstance(value, Known) and (accepts or _equals(expr))(value.value):
        return None
    if expr is None and at and value is not Absent and not block.module.overridden(block.top):
        return None  # whatever it is
    if manual := _obstacle(block, path, expr, value, at):
        return Lack(block, value, manual=manual, at=at)
    try:
        return Lack(block, value, block.set(path, expr) if expr else (), at=at)
    except EditError as error:
        return Lack(block, value, manual=Manual(f"It can't be set: {error}", f"Make sure that {path} is {expr}"), at=at)


def lack_all(block: Block, values: Mapping[str, str], accepts: Callable[[Any], bool]) -> Lack | None:
    """What is wrong with arguments that must all be there; see `Block.lack_all`."""
    found = {path: lack(block, path, expr, accepts) for path, expr in values.items()}
    lacking = {path: one for path, one in found.items() if one and not (one.at and isinstance(one.value, Unknown))}
    first = next(iter(lacking.values()), None)
    if first is None or first.manual:
        return first
    return replace(first, changes=block.set_all({path: values[path] for path in lacking}))


def _equals(expr: str | None) -> Callable[[Any], bool]:
    """Whether a value is the literal; Terraform takes "true" for true, and "1" for 1."""
    if expr is None:
        return lambda _: True
    wanted = expr.strip('"')
    return lambda value: wanted == (str(value).lower() if isinstance(value, bool) else str(value))


def attribute_at(block: Block, path: str) -> Attribute | None:
    """The attribute in nested blocks that a path leads to, if there is one of each."""
    *outer, last = path.split(".")
    for name in outer:
        blocks = block.blocks(name)
        if len(blocks) != 1:
            return None
        (block,) = blocks
    return block.attribute(last)


def _obstacle(block: Block, path: str, expr: str | None, value: Value, at: Attribute | None) -> Manual | None:
    """Why the argument can't be set where it stands."""
    there = f"Make sure that {path} is {expr or 'set'} there"
    if manual := unchangeable(block, path, there) or (at and given(at, path, value)):
        return manual
    if isinstance(value, Unknown):
        return Manual(f"{path} can't be judged: it {value.why}", there)
    if at and at.expr.traversals():
        return Manual(f"{path} comes from {at.expr.text}", f"Make sure that it is {expr or 'set'}")
    return None


def unchangeable(block: Block, path: str, step: str) -> Manual | None:
    """Why an argument can't be set where it stands, whatever it is; see `Block.unchangeable`."""
    module, top = block.module, block.top
    if block.read_only:
        return Manual(f"It is in {block.file.path}, which iacfix does not rewrite", step)
    if top.labels and module.resource(top.address) is None and top.type in ("resource", "data"):
        return Manual(f"{top.address} is declared more than once", "Keep one of them")
    if top.ignores_changes((path if block is top else block.type).split(".")[0]):
        return Manual(f"Its lifecycle ignores changes of {path}", step)
    return None


def overridden(block: Block, path: str, step: str) -> Manual | None:
    """Why an argument can't be judged that an override file sets too; see `Block.overridden`."""
    where = block.module.override_of(block.top)
    if where is None or not (block.parent or where.holds(path.partition(".")[0])):
        return None
    return Manual(f"{path} can't be judged: it is overridden in {where.file.path}", step)


def given(attribute: Attribute, path: str, value: Value) -> Manual | None:
    """Why variables must give an argument another value; None if it comes from none; see `Block.given`."""
    names = attribute.block.module.variables_behind(attribute.expr)
    if not names or isinstance(value, Unknown):
        return None
    default = json.dumps(value.value) if isinstance(value, Known) else "null"
    step = "Set the variable where the module is called, or change its default"
    return Manual(f"{path} comes from var.{', var.'.join(names)}, which is {default} by default", step)
