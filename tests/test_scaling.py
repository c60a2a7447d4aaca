"""What scales a table of DynamoDB, in any way of referring to it; and several changes of one block at once."""

from __future__ import annotations

import pytest

from fixer.facts import TerraformFacts
from fixer.terraform import Block, Module, load
from fixer.terraform.scaling import scaling

TABLE = """
variable "name" {
  default = "orders"
}

locals {
  table = "orders"
  names = ["a", "b"]
}

resource "aws_dynamodb_table" "orders" {
  name = NAME
}

resource "aws_dynamodb_table" "carts" {
  name = "carts"
}

resource "aws_appautoscaling_target" "t" {
  service_namespace  = "dynamodb"
  resource_id        = ID
  scalable_dimension = "dynamodb:table:ReadCapacityUnits"
}
"""


def module_of(text: str) -> Module:
    module = load(TerraformFacts(), {"main.tf": text.encode()})
    assert not module.errors
    return module


def tables(name: str, resource: str, more: str = "") -> tuple[Module, Block, Block]:
    module = module_of(TABLE.replace("NAME", name).replace("ID", resource) + more)
    orders, carts = module.resources("aws_dynamodb_table")
    return module, orders, carts


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ('"orders"', '"table/orders"'),
        ('"orders"', '"table/orders/index/day"'),
        ('"orders"', '"table/${aws_dynamodb_table.orders.name}"'),
        ('"orders"', '"table/${aws_dynamodb_table.orders.id}/index/day"'),
        ('"orders"', '"table/${aws_dynamodb_table.orders[0].name}"'),
        ('"orders"', '"table/${local.table}"'),
        ("var.name", '"table/${var.name}"'),
        ("local.table", '"table/orders"'),
        ('"orders-${terraform.workspace}"', '"table/orders-${terraform.workspace}"'),
    ],
)
def test_a_target_is_for_its_table(name: str, resource: str) -> None:
    module, orders, carts = tables(name, resource)
    assert [one.name for one in scaling(module, orders).blocks] == ["t"]
    assert scaling(module, carts).blocks == ()


@pytest.mark.parametrize("resource", ["each.value", '"table/${each.key}"', '"table/${var.unknown}"'])
def test_a_target_may_be_for_a_table(resource: str) -> None:
    module, orders, _ = tables('"orders"', resource)
    found = scaling(module, orders)
    assert found.blocks == ()
    assert [one.name for one in found.doubtful] == ["t"]


def test_policies_and_schedules_go_with_their_target() -> None:
    more = """
resource "aws_appautoscaling_policy" "p" {
  resource_id = aws_appautoscaling_target.t.resource_id
}

resource "aws_appautoscaling_scheduled_action" "s" {
  resource_id = "table/orders"
}

resource "aws_appautoscaling_policy" "other" {
  resource_id = "table/carts"
}
"""
    module, orders, _ = tables('"orders"', '"table/orders"', more)
    assert [one.name for one in scaling(module, orders).blocks] == ["t", "p", "s"]


def test_a_block_is_changed_in_several_ways_at_once() -> None:
    text = """\
resource "a" "b" {
  name     = "b"
  old_mode = 1
  older    = 2 # units

  part {
    size  = 1
    width = 2
  }
}
"""
    (block,) = module_of(text).resources("a")
    edits = block.rewrite(
        set={"mode": '"new"', "name": '"c"'},
        remove=["old_mode", "older"],
        within={block.blocks("part")[0]: ["width"]},
    )
    source = text.encode()
    for edit in sorted(edits, reverse=True):
        source = source[: edit.start] + edit.text.encode() + source[edit.end :]
    assert source.decode() == ('resource "a" "b" {\n  name = "c"\n  mode = "new"\n\n  part {\n    size = 1\n  }\n}\n')
