"""What Application Auto Scaling does to a table, wherever in the module it is set up, and what has it do that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixer.model import Known
from fixer.terraform.companion import free_name
from fixer.terraform.expression import Chunk

if TYPE_CHECKING:
    from fixer.terraform.block import Block
    from fixer.terraform.expression import Traversal
    from fixer.terraform.module import Module

_TARGET = "aws_appautoscaling_target"
_POLICY = "aws_appautoscaling_policy"
_FOLLOWING = (_POLICY, "aws_appautoscaling_scheduled_action")
_PREFIX = "table/"


@dataclass(frozen=True)
class Scaling:
    """The targets of a table and its indexes with their policies and schedules."""

    blocks: tuple[Block, ...] = ()
    doubtful: tuple[Block, ...] = ()
    """Targets of DynamoDB that may be this table's or another's."""


def scaling(module: Module, table: Block) -> Scaling:
    """What scales a table of DynamoDB."""
    found: list[Block] = []
    doubtful: list[Block] = []
    for target in module.all_resources(_TARGET):
        if _is_dynamodb(target):
            means = _means(module, target, table)
            if means:
                found.append(target)
            elif means is None:
                doubtful.append(target)
    followers = [one for kind in _FOLLOWING for one in module.all_resources(kind)]
    found += [one for one in followers if any(_follows(module, one, target, table) for target in found)]
    return Scaling(tuple(found), tuple(doubtful))


def target(table: Block, dimension: str, least: str, most: str, percent: int) -> str:
    """The text of a target and a policy that scale a table of DynamoDB.

    Args:
        table: The table.
        dimension: `Read` or `Write`.
        least: An HCL expression for its least capacity.
        most: One for its greatest.
        percent: How much of the capacity is to be used.
    """
    name = free_name(table.module, _TARGET, f"{table.name}_{dimension.lower()}", "_capacity")
    reference = f"{_TARGET}.{name}{table.index}"
    scaled = f"""
service_namespace = "dynamodb"
resource_id = "table/${{{table.reference("name")}}}"
scalable_dimension = "dynamodb:table:{dimension}CapacityUnits"
min_capacity = {least}
max_capacity = {most}
"""
    followed = f"""
name = "DynamoDB{dimension}CapacityUtilization:${{{reference}.resource_id}}"
policy_type = "TargetTrackingScaling"
service_namespace = {reference}.service_namespace
resource_id = {reference}.resource_id
scalable_dimension = {reference}.scalable_dimension

target_tracking_scaling_policy_configuration {{
  target_value = {percent}

  predefined_metric_specification {{
    predefined_metric_type = "DynamoDB{dimension}CapacityUtilization"
  }}
}}
"""
    blocks = ((_TARGET, scaled), (_POLICY, followed))
    return "\n".join(table.companion(kind, name, body, reference="") for kind, body in blocks)


def _is_dynamodb(target: Block) -> bool:
    return target.value("service_namespace") == Known("dynamodb") or "dynamodb" in target.text()


def _means(module: Module, block: Block, table: Block) -> bool | None:
    """Whether the resource id is that of the table or of one of its indexes; None if that can't be told."""
    attribute, name = block.attribute("resource_id"), table.attribute("name")
    if attribute is None or name is None:
        return None
    expr, named = module.follow(attribute.expr), module.follow(name.expr)
    whole, own = module.resolve(expr), module.resolve(named)
    if isinstance(whole, Known) and isinstance(own, Known):
        parts = str(whole.value).split("/")
        return parts[0] == "table" and parts[1:2] == [own.value]
    text, inside = _inside(expr.text), _inside(named.text)
    if text.startswith(_PREFIX) and text.removeprefix(_PREFIX).partition("/index/")[0] == inside:
        return True
    answers = {module.refers_to(part, table, "name") for part in expr.parts if not isinstance(part, Chunk)}
    if expr.kind == "traversal":
        answers = {module.refers_to(expr, table, "name")}
    return True if True in answers else None if None in answers else False


def _inside(text: str) -> str:
    """A template without its quotes; other expressions as they would stand in one."""
    return text[1:-1] if text[:1] == '"' else f"${{{text}}}"


def _follows(module: Module, block: Block, target: Block, table: Block) -> bool:
    attribute = block.attribute("resource_id")
    mentioned = {one.address for one in _traversals(block)}
    return target.address in mentioned or (attribute is not None and bool(_means(module, block, table)))


def _traversals(block: Block) -> Iterator[Traversal]:
    for attribute in block.attributes():
        yield from attribute.expr.traversals()
