"""Strings as texts with holes, what repeats them, and what expressions and resources depend on."""

from __future__ import annotations

import pytest

from fixer.facts import TerraformFacts
from fixer.holes import CLOSE, OPEN, core, hole, holes, occurrences, shown
from fixer.model import Create, Edit
from fixer.terraform import Module, load
from fixer.terraform.companion import new_variable
from fixer.terraform.expression import Expr
from fixer.terraform.texts import repeating


def module_of(main: str, path: str = ".", **others: str) -> Module:
    files = {"main.tf": main, **{f"{name}.tf": text for name, text in others.items()}}
    module = load(TerraformFacts(path), {name: text.encode() for name, text in files.items()})
    assert not module.errors
    return module


def written(module: Module, *edits: Edit) -> str:
    source = module.files[0].source
    for edit in sorted(edits, reverse=True):
        source = source[: edit.start] + edit.text.encode() + source[edit.end :]
    return source.decode()


def local(module: Module, name: str) -> Expr:
    found = module.local(name)
    assert found is not None
    return found.expr


# ---- texts with holes --------------------------------------------------------------------------


def test_a_hole_is_an_expression_whatever_its_blanks_and_quotes() -> None:
    inner = hole('x[ "k" ]')
    text = f"a-{inner}-b"
    assert inner == hole("x['k']")
    assert holes(text) == ["x['k']"]
    assert shown(text) == "a-{x['k']}-b"
    assert core(f"a-{hole('x')}-bcd") == "-bcd"
    assert text.count(OPEN) == text.count(CLOSE) == 1


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("orders", [0]),
        ("arn:aws:sqs:::orders and orders/x", [14, 25]),
        ("my-orders", []),
        ("orders-2", []),
        ("orders.json", []),
        ("orders.s3.amazonaws.com", [0]),
        (f"{hole('x')}orders", []),
    ],
)
def test_a_word_of_its_own(text: str, places: list[int]) -> None:
    assert list(occurrences(text, "orders")) == places


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        ('"orders"', "orders"),
        ('"a\\"b"', 'a"b'),
        ('"ä-${var.x}-b"', f"ä-{hole('var.x')}-b"),
        ('"$${x}"', "${x}"),
        ("var.x", hole("var.x")),
        ("<<EOF\nname: ${var.x}\nEOF", f"name: {hole('var.x')}\n"),
        ('"%{ if true }a%{ endif }"', None),
    ],
)
def test_an_expression_as_a_text(expr: str, text: str | None) -> None:
    found = local(module_of(f"locals {{\n  a = {expr}\n}}\n"), "a").as_text
    assert (found and found.text) == text
    assert found is None or len(found.offsets) == len(found.text) + 1
    assert found is None or found.is_bare == expr.startswith("var.")


@pytest.mark.parametrize("expr", ['"ä-NAME-${var.x}"', '"\\u00e4${var.x}NAME"', "<<EOF\nä NAME\nEOF"])
def test_a_part_of_a_text_is_written_where_it_stands(expr: str) -> None:
    module = module_of(f"locals {{\n  a = {expr}\n}}\n")
    text = local(module, "a").as_text
    assert text is not None
    start = text.text.index("NAME")
    assert (
        written(module, text.put(start, start + 4, "other"))
        == f"locals {{\n  a = {expr.replace('NAME', 'other')}\n}}\n"
    )
    assert text.code == expr.removesuffix("\n")
    assert written(module, text.replaced("1")) == "locals {\n  a = 1\n}\n"


def test_all_strings_that_repeat_a_text() -> None:
    others = {
        "more": 'locals {\n  b = "arn:x:orders-${var.env}"\n  c = "orders-${var.stage}"\n}\n',
        "more_override": 'locals {\n  d = "orders-${var.env}"\n}\n',
    }
    module = module_of('locals {\n  a = "orders-${ var.env }"\n}\n', **others)
    text = local(module, "a").as_text
    assert text is not None
    assert [(one.file.path, one.text) for one in repeating(module, text.text)] == [
        ("main.tf", text.text),
        ("more.tf", f"arn:x:{text.text}"),
        ("more_override.tf", text.text),
    ]


def test_references_that_repeat_an_expression() -> None:
    module = module_of('locals {\n  a = var.x\n  b = "${var.x}/*"\n  c = f(var.x)\n  d = var.x.y\n  e = "var.x"\n}\n')
    assert [one.code for one in repeating(module, hole("var.x"))] == ['"${var.x}/*"', "var.x", "var.x"]


# ---- edits of several blocks -------------------------------------------------------------------


def test_edits_of_several_blocks_keep_each_aligned() -> None:
    text = 'a "x" {\n  one   = 1   # one\n  three = 333 # three\n}\nb "y" {\n  one = 1 # one\n}\n'
    module = module_of(text)
    file = module.files[0]
    ends = [attribute.expr.end for block in file.blocks for attribute in block.attributes()[:1]]
    edits = file.settled([file.edit(end, end, "00000") for end in (*ends, ends[0])])
    aligned = 'a "x" {\n  one   = 100000 # one\n  three = 333    # three\n}\nb "y" {\n  one = 100000 # one\n}\n'
    assert written(module, *edits) == aligned


# ---- what things depend on ---------------------------------------------------------------------


def test_what_an_expression_mentions_through_locals_and_each() -> None:
    more = 'locals {\n  outer = { a = "${var.y}-${data.t.n.z}", b = var.z }\n}\n'
    main = 'locals {\n  inner = local.outer["a"]\n}\n'
    main += 'r "t" "n" {\n  for_each = toset([var.x])\n  a = "${local.inner}${each.key}"\n}\n'
    module = module_of(main, more=more)
    (block,) = module.blocks("r")
    attribute = block.attribute("a")
    assert attribute is not None
    found = {one.text for one in module.traversals_behind(attribute.expr)}
    assert found == {"local.inner", 'local.outer["a"]', "var.y", "data.t.n.z", "each.key", "var.x"}


def test_expressions_at_the_same_place_of_two_files_are_two() -> None:
    module = module_of("locals {\n  a = local.b\n}\n", more="locals {\n  b = var.xxx\n}\n")
    assert {one.text for one in module.traversals_behind(local(module, "a"))} == {"local.b", "var.xxx"}


def test_what_a_resource_depends_on() -> None:
    main = """
resource "t" "a" {
  b = local.b
}

resource "t" "c" {
}

locals {
  b = t.c.id
  d = t.a.id
}
"""
    module = module_of(main)
    assert module.dependencies("t.a", {}) == {"t.a", "local.b", "t.c"}
    assert module.dependencies("local.d", {}) == {"local.d", "t.a", "local.b", "t.c"}
    assert module.dependencies("t.c", {"t.c": {"local.d"}}) == {"t.c", "local.d", "t.a", "local.b"}


# ---- variables ---------------------------------------------------------------------------------

DECLARED = 'variable "suffix" {\n  description = "What"\n  type        = string\n  default     = "dev"\n}\n'


@pytest.mark.parametrize(
    ("path", "others", "file"),
    [
        (".", {}, "variables.tf"),
        ("modules/data", {}, "modules/data/variables.tf"),
        (".", {"inputs": 'variable "x" {\n}\n'}, "inputs.tf"),
        (".", {"inputs": 'variable "x" {\n}\n', "variables": ""}, "variables.tf"),
    ],
)
def test_a_variable_is_declared_where_the_others_are(path: str, others: dict[str, str], file: str) -> None:
    (change,) = new_variable(module_of("", path, **others), "suffix", "What", "dev")
    assert change == Create(file, DECLARED) if not others else isinstance(change, Edit)
    assert isinstance(change, Create | Edit)
    assert change.path == file
    assert change.text.strip() == DECLARED.strip()


def test_a_variable_that_is_there_is_not_declared_again() -> None:
    assert new_variable(module_of('variable "suffix" {\n}\n'), "suffix", "What", "dev") == ()


def test_a_reference_asks_for_an_attribute_and_can_ask_for_another() -> None:
    module = module_of("locals {\n  a = data.t.n[0].name\n  b = data.t.n.name.x\n  c = data.t.n . name\n}\n")
    found = module.references("data.t.n")
    assert [one.asks_for("name") for one in found] == [True, False, True]
    edits = (one.renamed("region") for one in found if one.asks_for("name"))
    assert written(module, *edits) == (
        "locals {\n  a = data.t.n[0].region\n  b = data.t.n.name.x\n  c = data.t.n . region\n}\n"
    )
