"""What scales a table of DynamoDB, in any way of referring to it; and several changes at once."""

from __future__ import annotations

import pytest

from fixer.cdk import CdkApp, Construct
from fixer.cdk import load as load_app
from fixer.cdk.scaling import doubtful, is_scaled, unclear
from fixer.facts import CdkFacts, TerraformFacts
from fixer.model import Edit
from fixer.terraform import Block, Module, load
from fixer.terraform.references import unused_without
from fixer.terraform.scaling import scaling, target

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


def applied(text: str, edits: tuple[Edit, ...]) -> str:
    source = text.encode()
    for edit in sorted(edits, reverse=True):
        source = source[: edit.start] + edit.text.encode() + source[edit.end :]
    return source.decode()


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
    assert applied(text, edits) == (
        'resource "a" "b" {\n  name = "c"\n  mode = "new"\n\n  part {\n    size = 1\n  }\n}\n'
    )


@pytest.mark.parametrize(
    ("lifecycle", "expected"),
    [
        ("", "  lifecycle {\n    ignore_changes = [read, write]\n  }\n"),
        ("  lifecycle {\n  }\n", "  lifecycle {\n    ignore_changes = [read, write]\n  }\n"),
        (
            "  lifecycle {\n    ignore_changes = [tags]\n  }\n",
            "  lifecycle {\n    ignore_changes = [tags, read, write]\n  }\n",
        ),
        ("  lifecycle {\n    ignore_changes = all\n  }\n", None),
    ],
)
def test_a_block_ignores_further_changes(lifecycle: str, expected: str | None) -> None:
    text = f'resource "a" "b" {{\n  name = "b"\n\n{lifecycle}}}\n'
    (block,) = module_of(text).resources("a")
    edits = block.ignore_changes("read", "write")
    after = None if edits is None else applied(text, edits).replace("\n\n\n", "\n\n")
    assert after == (None if expected is None else f'resource "a" "b" {{\n  name = "b"\n\n{expected}}}\n')


def test_nested_blocks_may_be_made() -> None:
    text = """\
resource "a" "b" {
  part {
    name = "one"
  }

  dynamic "part" {
    for_each = var.parts

    content {
      name = part.value
    }
  }
}
"""
    (block,) = module_of(text).resources("a")
    assert [one.type for one in block.nested("part")] == ["part", "content"]
    assert block.nested("whole") == []


def test_some_variables_are_used_by_nothing_else() -> None:
    text = """\
variable "read" {
  type = number
}

variable "both" {
  type = number
}

resource "a" "b" {
  read  = var.read
  write = max(var.read, var.both)
  units = var.both
}
"""
    module = module_of(text)
    (block,) = module.resources("a")
    read, write, units = (one.expr for one in block.attributes())
    assert unused_without(module, [read]) == []
    assert unused_without(module, [read, write]) == ["var.read"]
    assert unused_without(module, [read, write, units]) == ["var.read", "var.both"]


def test_what_scales_a_table_is_found_again() -> None:
    _, orders, _ = tables('"orders"', '"table/carts"')
    text = target(orders, "Write", "5", "100", 70)
    module, orders, _ = tables('"orders"', '"table/carts"', f"\n{text}")
    found = scaling(module, orders)
    assert [one.address for one in found.blocks] == [
        "aws_appautoscaling_target.orders_write",
        "aws_appautoscaling_policy.orders_write",
    ]
    assert found.doubtful == ()


# ---- CDK Python --------------------------------------------------------------------------------


def made(body: str, **others: str) -> tuple[CdkApp, list[Construct]]:
    source = (
        f"from aws_cdk import aws_dynamodb as ddb\n\none = ddb.Table(x, 'One')\nlow = ddb.CfnTable(x, 'Low')\n{body}\n"
    )
    app = load_app(CdkFacts("."), {"a.py": source.encode(), **{f"{k}.py": v.encode() for k, v in others.items()}})
    file = app.file("a.py")
    assert file
    return app, list(file.constructs("aws_dynamodb.Table", "aws_dynamodb.CfnTable"))


@pytest.mark.parametrize(
    ("body", "others", "scaled", "doubt"),
    [
        ("", {}, False, ""),
        ("one.auto_scale_read_capacity(max_capacity=9)", {}, True, ""),
        ("other.auto_scale_read_capacity(max_capacity=9)", {}, False, "a.py:5"),
        ("", {"b": "x.auto_scale_write_capacity(max_capacity=9)\n"}, False, "b.py"),
        ("", {"b": "x = Table()\nx.auto_scale_write_capacity(max_capacity=9)\n"}, False, ""),
    ],
)
def test_what_scales_a_table_of_an_app(body: str, others: dict[str, str], scaled: bool, doubt: str) -> None:
    _, tables = made(body, **others)
    assert is_scaled(tables[0]) is scaled
    assert doubtful(tables[0], tables) == doubt


def test_a_scalable_target_may_be_for_a_low_level_table() -> None:
    _, tables = made("", b="ScalableTarget(scalable_dimension='dynamodb:table:ReadCapacityUnits')\n")
    assert [doubtful(table, tables) for table in tables] == ["", "a scalable target"]


def test_calls_of_tables_that_can_not_be_told() -> None:
    _, tables = made("one.add_index(read_capacity=1)\nother.add_index(name='x')")
    assert unclear(tables, ["add_index"], "_capacity") == ""
    assert unclear(tables, ["add_index"]) == "a.py:6"
    _, tables = made("", b="x.add_index(name='x')\n", c="x.add_index(read_capacity=1)\n")
    assert unclear(tables, ["add_index"], "_capacity") == "c.py"


def test_other_files_of_an_app() -> None:
    app, _ = made("word", b="word", c="other", d="term")
    file = app.file("a.py")
    assert file
    assert file.elsewhere("term", "word") == ("d.py", "b.py")


def test_a_call_is_changed_with_those_in_it() -> None:
    app, _ = made("ddb.CfnTable(x, 'Two', parts=[ddb.CfnTable.PartProperty(name='p', low=1)], low=2)")
    file = app.file("a.py")
    assert file
    *_, two = file.constructs("aws_dynamodb.CfnTable")
    (part,) = file.calls("aws_dynamodb.CfnTable.PartProperty")
    assert part.is_in(two)
    assert not two.is_in(part)
    after = applied(file.source.decode(), two.rewrite(set={"mode": "3"}, remove=["low"], within={part: ["low"]}))
    assert after.endswith("ddb.CfnTable(x, 'Two', parts=[ddb.CfnTable.PartProperty(name='p')], mode=3)\n")
