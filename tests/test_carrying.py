"""Arguments and blocks as text to stand elsewhere, and the verbs that take them from where they were."""

from __future__ import annotations

import pytest
from test_terraform import edited, read

from fixer.facts import TerraformFacts
from fixer.model import Edit
from fixer.terraform import Attribute, Block, load
from fixer.terraform.carrying import body_of, joined, lost_comments, nested, text_of
from fixer.terraform.companion import waiting

TEXT = """\
resource "t" "x" {
  # which one
  a   = 1 # the first
  long = 2

  policy = <<EOF
 {
   "a": 1
 }
EOF

  # why
  b { # here
    # what
    c {
      d = {
        e = 1
      }
    }

    # end
  }
  one { f = 1 }
}
"""


def item(block: Block, name: str) -> Attribute | Block:
    return block.attribute(name) or block.blocks(name)[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a", "# which one\na   = 1 # the first"),
        ("long", "long = 2"),
        ("policy", 'policy = <<EOF\n {\n   "a": 1\n }\nEOF'),
        ("one", "one { f = 1 }"),
    ],
)
def test_text_has_its_comments_and_no_indentation(name: str, text: str) -> None:
    block = read(TEXT)
    assert text_of(item(block, name), block.file) == text


def test_a_body_has_its_comments_and_no_indentation() -> None:
    block = read(TEXT)
    assert body_of(block.blocks("b")[0]) == "# here\n# what\nc {\n  d = {\n    e = 1\n  }\n}\n\n# end"
    assert body_of(block.blocks("one")[0]) == "f = 1"
    assert body_of(read('resource "t" "x" {}\n')) == ""


def test_parts_are_replaced_and_taken_out() -> None:
    block = read(TEXT)
    (outer,) = block.blocks("b")
    (inner,) = outer.blocks("c")
    only = block.attribute("a")
    assert only
    assert text_of(outer, block.file, {inner: "g = 1"}) == "# why\nb { # here\n  # what\n  g = 1\n\n  # end\n}"
    assert text_of(outer, block.file, {inner: ""}) == "# why\nb { # here\n\n  # end\n}"
    assert text_of(only, block.file, {only: "h = 2"}) == "# which one\nh = 2 # the first"


def test_items_are_taken_out_with_their_comments() -> None:
    after = edited(TEXT, lambda block: block.take_out(item(block, "a"), item(block, "policy"), item(block, "b")))
    assert after == 'resource "t" "x" {\n  long = 2\n\n  one { f = 1 }\n}\n'


def test_what_is_taken_out_leaves_the_rest_aligned() -> None:
    text = 'resource "t" "x" {\n  a      = 1\n  longer = 2\n  b      = 3\n}\n'
    after = edited(text, lambda block: block.take_out(item(block, "longer")))
    assert after == 'resource "t" "x" {\n  a = 1\n  b = 3\n}\n'


def test_an_argument_is_replaced_by_another() -> None:
    text = 'resource "t" "x" {\n  vpc = true # yes\n  b   = 3\n}\n'

    def domain(block: Block) -> tuple[Edit, ...]:
        vpc = block.attribute("vpc")
        assert vpc
        return block.replace(vpc, 'domain = "vpc"')

    assert edited(text, domain) == 'resource "t" "x" {\n  domain = "vpc" # yes\n  b      = 3\n}\n'


@pytest.mark.parametrize(
    ("constraint", "version", "expected"),
    [
        (None, (1, 5), False),
        (">= 1.5", (1, 5), True),
        (">= 1.5.7, < 2.0.0", (1, 5), True),
        ("~> 1.6", (1, 7), False),
        ("~> 1.7.1", (1, 7), True),
        ("1.5.0", (1, 5), True),
        ("< 2.0", (1, 5), False),
        ("!= 1.9.0", (1, 5), False),
        (">= 0.13", (1, 5), False),
    ],
)
def test_what_version_of_terraform_is_required(
    constraint: str | None, version: tuple[int, ...], expected: bool
) -> None:
    module = load(TerraformFacts(terraform=constraint), {})
    assert module.requires_terraform(*version) is expected


def test_something_else_takes_an_item_s_place() -> None:
    text = 'resource "t" "x" {\n  a = 1\n  # why\n  b {\n    c = 1\n  } # here\n  d {}\n}\n'

    def change(block: Block) -> tuple[Edit, ...]:
        (inner,) = block.blocks("b")
        return block.take_out(inner, item(block, "d"), instead={inner: "longer = true"})

    assert edited(text, change) == 'resource "t" "x" {\n  a = 1\n  # why\n  longer = true # here\n}\n'


def test_lines_and_blocks_are_put_together() -> None:
    assert (
        joined(["a = 1", "", "b = 2"], ["", nested("c", "d = 1"), "e {}"]) == "a = 1\nb = 2\n\nc {\n  d = 1\n}\n\ne {}"
    )
    block = read(TEXT)
    (outer,) = block.blocks("b")
    assert lost_comments([(outer, block.file)], "# what") == ["# why", "# here", "# end"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  a = 1\n", "  a = 1\n\n  depends_on = [t.y, t.z]\n"),
        ("  depends_on = [t.y]\n", "  depends_on = [t.y, t.z]\n"),
        ("  depends_on = [t.z, t.y]\n", "  depends_on = [t.z, t.y]\n"),
        ("  depends_on = []\n", "  depends_on = [t.y, t.z]\n"),
        ("  depends_on = [\n    t.x,\n  ]\n", "  depends_on = [\n    t.x,\n    t.y,\n    t.z,\n  ]\n"),
    ],
)
def test_a_resource_waits_for_others(before: str, after: str) -> None:
    text = f'resource "t" "x" {{\n{before}}}\n'
    assert edited(text, lambda block: waiting(block, ["t.y", "t.z"])) == f'resource "t" "x" {{\n{after}}}\n'
