"""Terraform modules: reading, values, references, and edits that keep every other byte and the alignment."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixer.facts import TerraformFacts
from fixer.model import Absent, Edit, Impact, Known, Language, Manual, Rule, Unknown, Value
from fixer.terraform import (
    Block,
    EditError,
    Module,
    TerraformFile,
    align,
    delete_blocks,
    free_name,
    load,
)
from fixer.terraform.layout import is_aligned

TERRAFORM = shutil.which("terraform")


def module(**files: str) -> Module:
    """A module of files, named by keyword: `main="..."` is `main.tf`, `b_tf_json` is `b.tf.json`."""
    sources = {
        f"{name.replace('_tf_json', '.tf.json').replace('_tofu', '.tofu')}": text for name, text in files.items()
    }
    return load(
        TerraformFacts("."),
        {(name if "." in name else f"{name}.tf"): text.encode() for name, text in sources.items()},
    )


def read(text: str) -> Block:
    (block,) = module(main=text).files[0].blocks
    return block


def apply(source: bytes, edits: tuple[Edit, ...]) -> bytes:
    position, parts = 0, []
    for edit in sorted(edits, key=lambda one: (one.start, one.end)):
        assert edit.start >= position
        parts += [source[position : edit.start], edit.text.encode()]
        position = edit.end
    return b"".join([*parts, source[position:]])


def edited(text: str, change: Callable[[Block], tuple[Edit, ...]], number: int = 0) -> str:
    file = module(main=text).files[0]
    return apply(file.source, change(file.blocks[number])).decode()


def value(text: str, path: str = "v") -> Value:
    """The value of an argument of the resource `t.x` in this text."""
    found = module(main=text).resource("t.x")
    assert found is not None
    return found.value(path)


def of(expr: str, others: str = "") -> Value:
    return value(f'resource "t" "x" {{\n  v = {expr}\n}}\n{others}')


# ---- reading -------------------------------------------------------------------------------------


def test_blocks_have_types_labels_and_addresses() -> None:
    text = """
    resource "aws_s3_bucket" "x" {
      versioning {}
      dynamic "rule" {
        content {}
      }
    }
    data "aws_region" here {}
    variable "y" {}
    provider "aws" {}
    terraform {}
    resource "aü" "b" {}
    thing "a\\"b" "ü" {}
    """
    found = module(main=text)
    addresses = [block.address for block in found.files[0].blocks]
    assert addresses == [
        "aws_s3_bucket.x",
        "data.aws_region.here",
        "var.y",
        "provider.aws",
        "terraform",
        "aü.b",
        'thing.a"b.ü',
    ]
    bucket = next(found.resources("aws_s3_bucket"))
    assert [block.address for block in bucket.walk()] == [
        "aws_s3_bucket.x",
        "aws_s3_bucket.x.versioning",
        "aws_s3_bucket.x.rule",
        "aws_s3_bucket.x.rule.content",
    ]
    assert bucket.blocks("versioning")[0].top is bucket
    assert bucket.dynamic("rule") is not None
    assert [block.type for kind in ("versioning", "rule") for block in bucket.nested(kind)] == ["versioning", "content"]
    assert [block.name for block in found.data("aws_region")] == ["here"]
    assert [block.type for block in found.blocks("content", nested=True)] == ["content"]


def test_kinds_of_expressions() -> None:
    kinds = {
        '"a"': "string",
        '""': "string",
        '"a${b}"': "template",
        '"%{ if a }b%{ endif }"': "template",
        "<<-EOT\n  a\n  EOT": "heredoc",
        "1.5": "number",
        "true": "bool",
        "null": "null",
        "[1]": "list",
        "{ a = 1 }": "object",
        "a.b[0].c": "traversal",
        "a.*.c": "traversal",
        "f(a)": "call",
        "provider::p::f(a)": "call",
        "a ? b : c": "conditional",
        "[for a in b : a]": "for",
        "{ for a in b : a => a }": "for",
        "-a": "operation",
        "a + 1": "operation",
        "(a)": "parenthesis",
        "(a).b": "access",
        "f(a)[0].b": "access",
    }
    for text, kind in kinds.items():
        attribute = read(f"b {{\n  v = {text}\n}}\n").attribute("v")
        assert attribute is not None
        assert (attribute.expr.text, attribute.expr.kind) == (text, kind)


def test_parts_of_templates_have_their_spans() -> None:
    text = 'b {\n  v = "é ${a.b} c ${d}"\n}\n'
    expr = read(text).attributes()[0].expr
    assert [part.text for part in expr.parts] == ["é ", "a.b", " c ", "d"]
    assert [text.encode()[part.start : part.end].decode() for part in expr.parts] == ["é ", "a.b", " c ", "d"]
    heredoc = read("b {\n  v = <<-EOT\n    a ${b}\n    c\n  EOT\n}\n").attributes()[0].expr
    assert [part.text for part in heredoc.parts] == ["    a ", "b", "\n    c\n"]


def test_traversals_leave_out_keys_and_find_those_in_templates_and_indexes() -> None:
    expr = read('b {\n  v = { key = "${a.b[c.d].e}", (f.g) = [var.h, data.t.n.id] }\n}\n').attributes()[0].expr
    found = {one.text: (one.address, "".join(one.rest)) for one in expr.traversals()}
    assert found == {
        "a.b[c.d].e": ("a.b", "[c.d].e"),
        "c.d": ("c.d", ""),
        "f.g": ("f.g", ""),
        "var.h": ("var.h", ""),
        "data.t.n.id": ("data.t.n", ".id"),
    }
    assert expr.variables() == ("h",)


def test_comments_are_found_and_what_looks_like_one_is_not() -> None:
    text = '# a\r\nb { // c\r\n  v = "# no" /* d */\r\n  w = <<EOT\r\n# no\r\nEOT\r\n}\r\n'
    (file,) = module(main=text).files
    assert [comment for _, _, comment in file.comments()] == ["# a", "// c", "/* d */"]
    assert all(file.source[start:end].decode() == comment for start, end, comment in file.comments())
    assert file.newline == "\r\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b'resource "a" "b" {\n  c =\n}\n', "line 2: syntax error"),
        (b"a {\n", "syntax error"),
        (b"a = 1\nb = \xff\n", "line 2: is not UTF-8"),
        (b"a = 1\n\0", "line 2: holds a NUL byte"),
        (b"a = " + b"[" * 10_000 + b"]" * 10_000, "line 1: is nested too deeply"),
    ],
)
def test_a_file_that_can_not_be_read_is_an_error_and_the_others_go_on(source: bytes, message: str) -> None:
    found = load(TerraformFacts("."), {"bad.tf": source, "good.tf": b'resource "t" "x" {}\n'})
    assert [path for path, _ in found.errors] == ["bad.tf"]
    assert message in found.errors[0][1]
    assert found.incomplete
    assert [file.path for file in found.files] == ["good.tf"]
    assert [block.name for block in found.resources("t")] == ["x"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a = 1 b = 2\n", "line 1: syntax error: a missing line break"),
        ("a = 1 /*\n*/ b = 2\n", "line 2: syntax error: a missing line break"),
        ("a {} b {}\n", "line 1: syntax error: a missing line break"),
        ("a { b {} }\n", "line 1: syntax error: a missing line break"),
        ("a { b = 1\n}\n", "line 1: syntax error: a missing line break"),
        ("a {\n  b = 1 }\n", "line 2: syntax error: a missing line break"),
        ('a "b"\n{}\n', "line 2: syntax error: a line break before the bracket"),
        ("a\n= 1\n", "line 1: syntax error: a line break within an expression"),
        ("a = 1 +\n  2\n", "line 1: syntax error: a line break within an expression"),
        ("a = (b) ?\n  1 : (2)\n", "line 1: syntax error: a line break within an expression"),
        ("a = {\n  b =\n  1\n}\n", "line 2: syntax error: a line break within an expression"),
        ("a = { b = 1 c = 2 }\n", "line 1: syntax error: a missing comma"),
        ("b {\n  a = 1\n  a = 2\n}\n", "line 3: syntax error: an argument that is there already"),
        ('a = "b\nc"\n', "line 1: syntax error: a line break in a string"),
        ('a "b\n" {}\n', "line 1: syntax error: a line break in a string"),
        ('a = "b\r"\n', "line 1: syntax error: a line break in a string"),
        ('a = "\\d"\n', "line 1: syntax error"),
        ('a = "\\u12"\n', "line 1: syntax error"),
        ("a = 1\n\x0cb = 2\n", "line 2: syntax error: a character"),
        ("a = 1\rb = 2\n", "line 1: syntax error: a character"),
        ("a = 1\n\ufeffb = 2\n", "line 2: syntax error"),
        ("a =\u00a01\n", "line 1: syntax error"),
        ("a = <<E \n\nE\n", "line 1: syntax error: a heredoc whose mark does not end its line"),
        ("a = <<E\ufeff\n\nE\n", "line 1: syntax error: a heredoc whose mark does not end its line"),
        ('resource "a" "b c" {}\n', "line 1: syntax error: a label that is no name"),
    ],
)
def test_what_terraform_refuses_is_an_error(source: str, message: str) -> None:
    """Each is refused by `terraform fmt` 1.12 too, but for the name, which `terraform validate` refuses."""
    found = load(TerraformFacts("."), {"main.tf": source.encode()})
    assert message in str(found.errors)


@pytest.mark.parametrize(
    "source",
    [
        "\ufeffa = 1\r\n# \x0c\r \u2028\ufeff\n",
        'a = "\x0c\u2028\ufeff \\n\\u00e9\\"\\\\d"\n',
        "a = <<E\n\x0c \\d\r\n\rF\nE\nb = 1\n",
        'a = "${\n1\n}"\n',
        "a = [\n1\n+\n2, foo(\n1\n,\n2), { for a\nin b : a\n=>\nc }\n]\n",
        "a = x && (\n  y\n  || z\n) ? !(\n  w\n) : {\n  b = 1, c : 2\n  (d) = [\n  ]\n}\n",
        "a {}\nb { c = [\n1] }\nc { # d = 1\n} // e\nd {\n}",
        "a = 1 # }\nb = 2 /*\n*/\nc = 3",
        'a = b[\n0\n].c.*.d /* e */ + 1\nbackend "b c" {}\n',
    ],
)
def test_what_terraform_takes_is_no_error(source: str) -> None:
    """Each is taken by `terraform fmt` 1.12 too."""
    assert load(TerraformFacts("."), {"main.tf": source.encode()}).errors == []


@pytest.mark.parametrize("expr", ["!" * 5000 + "true", "1 + " * 5000 + "1", "a ? 1 : " * 3000 + "2"])
def test_long_chains_of_operators_are_no_error_of_the_program(expr: str) -> None:
    assert isinstance(of(expr), Unknown)


def test_deep_json_is_an_error_of_its_file() -> None:
    found = module(deep_tf_json='{"locals": {"a": ' + "[" * 100_000 + "]" * 100_000 + "}}")
    assert [path for path, _ in found.errors] == ["deep.tf.json"]


def test_override_files_and_json_are_read_only() -> None:
    found = module(
        main='resource "t" "x" {\n  v = 1\n}\nresource "t" "y" {\n  v = 1\n}\n',
        override='resource "t" "x" {\n  v = 2\n}\n',
        b_tf_json=json.dumps({"resource": {"t": {"z": {"v": 'a-${lookup(var.m, "k")}', "w": {"e": True}}}}}),
        c_tofu='resource "t" "c" {}\n',
    )
    assert [file.path for file in found.files] == ["c.tofu", "main.tf"]
    assert [file.path for file in found.fixed] == ["b.tf.json", "override.tf"]
    assert [block.name for block in found.resources("t")] == ["c", "x", "y"]
    assert [(block.name, block.read_only) for block in found.all_resources("t")] == [
        *(("c", False), ("x", False), ("y", False)),
        *(("z", True), ("x", True)),
    ]
    x, y = (found.resource("t.x"), found.resource("t.y"))
    assert x is not None
    assert y is not None
    assert found.overridden(x)
    assert x.value("v") == Unknown("is overridden in override.tf")
    assert not found.overridden(y)
    z = found.resource("t.z")
    assert z is not None
    assert z.value("w.e") == Known(True)
    assert z.value("w.f") is Absent
    assert isinstance(z.value("v"), Unknown)
    assert z.attributes()[0].expr.variables() == ("m",)
    with pytest.raises(EditError, match="read-only"):
        z.set("v", "1")


def test_json_strings_say_the_same_in_hcl() -> None:
    texts = ['q"uote', "back\\slash", "line\nbreak", "tab\t", "é", "$${no}", "plain $ {"]
    found = module(a_tf_json=json.dumps({"//": "x", "locals": [{f"l{n}": text for n, text in enumerate(texts)}]}))
    assert not found.errors
    values = [found.resolve(attribute.expr) for n in range(len(texts)) if (attribute := found.local(f"l{n}"))]
    assert values == [Known(text.replace("$${", "${")) for text in texts]


def test_facts_can_be_sent_to_another_process() -> None:
    facts = TerraformFacts("a", ("main.tf:12",), (5, 6), ">= 1.5")
    assert pickle.loads(pickle.dumps(facts)) == facts  # noqa: S301


# ---- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("30", Known(30)),
        ("-2.5", Known(-2.5)),
        ("1.5e3", Known(1500)),
        ("(true)", Known(True)),
        ("!true", Known(False)),
        ("null", Absent),
        (r'"a\"\n\u00e9$${b}%%{c}"', Known('a"\né${b}%{c}')),
        ('"${1}-${true}"', Known("1-true")),
        ('"${[1]}"', Known([1])),
        ('[1, "a", [null]]', Known([1, "a", [None]])),
        ('{ a = 1, "b c" : 2, ("d") = 3 }', Known({"a": 1, "b c": 2, "d": 3})),
        # these four are what Terraform 1.11 says of them
        ("<<-EOT\n      x\n\n    y\n  EOT", Known("  x\n\ny\n")),
        ("<<-EOT\n  \n      y\n  EOT", Known("  \ny\n")),
        ('<<-EOT\n    ${"q"} z\n      y $${k} \\n\n    EOT', Known("q z\n  y ${k} \\n\n")),
        ("<<EOT\n  a\nEOT", Known("  a\n")),
        ("<<EOT\nEOT", Known("")),
    ],
)
def test_constants(expr: str, expected: Value) -> None:
    assert of(expr) == expected


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("local.a", Known("x-dev")),
        ("local.names.b", Known(7)),
        ('local.names["b"]', Known(7)),
        ("local.list[1]", Known(2)),
        ('"${var.env}!"', Known("dev!")),
        ("var.none", Unknown("is set by variable none, which has no default")),
        ("var.null", Unknown("is set by variable null, whose default is null")),
        ("local.null", Absent),
        ("var.gone", Unknown("refers to variable gone, which has not one declaration here")),
        ("local.twice", Unknown("refers to local.twice, which has not one definition here")),
        ("local.loop", Unknown("is nested too deeply, or refers to itself")),
        ("each.value", Unknown("depends on each.value")),
        ("module.m.o", Unknown("is taken from module.m")),
        ("data.t.n.id", Unknown("is taken from data.t.n")),
        ("lower(local.a)", Unknown("is a call of lower()")),
        ("true ? 1 : 2", Unknown("depends on a condition")),
        ("[for x in [] : x]", Unknown("is a for expression")),
        ("1 + 1", Unknown("is an expression")),
    ],
)
def test_locals_and_defaults_are_followed(expr: str, expected: Value) -> None:
    others = """
    locals {
      a     = "x-${var.env}"
      names = { b = (7), c = uuid() }
      list  = [1, 2]
      null  = null
      twice = 1
      loop  = local.loop
    }
    locals {
      twice = 2
    }
    variable "env" {
      default = "dev"
    }
    variable "null" {
      default = null
    }
    variable "none" {}
    """
    assert of(expr, others) == expected


def test_literal_does_not_follow_and_variables_behind_are_named() -> None:
    found = module(
        main='locals {\n  a = "${var.b}-${local.c}"\n  c = var.d\n}\nvariable "b" {\n  default = 1\n}\n'
        'variable "d" {\n  default = 2\n}\nresource "t" "x" {\n  v = local.a\n}\n'
    )
    expr = next(found.resources("t")).attributes()[0].expr
    assert found.resolve(expr) == Known("1-2")
    assert found.literal(expr) == Unknown("is taken from local.a")
    assert found.variables_behind(expr) == ("b", "d")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", Absent),
        ("a {}", Absent),
        ("a {\n b = true\n}", Known(True)),
        ("a {\n b = null\n}", Absent),
        ("a = { b = 1 }", Known(1)),
        ("a {}\n a {}", Unknown("is set in several a blocks")),
        ('dynamic "a" {\n for_each = x\n content {}\n}', Unknown("is set by a dynamic block")),
        ('a {\n dynamic "b" {\n content {}\n}\n}', Unknown("is set by a dynamic block")),
        ("a {\n b {}\n}", Unknown("is a block")),
    ],
)
def test_paths_into_blocks(body: str, expected: Value) -> None:
    assert value(f'resource "t" "x" {{\n{body}\n}}\n', "a.b") == expected


# ---- references ----------------------------------------------------------------------------------


def test_what_outputs_give() -> None:
    text = """
        resource "aws_s3_bucket" "a" {}
        resource "aws_s3_bucket" "b" {}
        resource "aws_s3_bucket" "c" {
          bucket = aws_s3_bucket.c.id
        }
        locals {
          b    = aws_s3_bucket.b.id
          both = [local.b]
        }
        output "a" {
          value = aws_s3_bucket.a.arn
        }
        output "b" {
          value = local.both
        }
    """
    there = module(main=text)
    assert [there.gives(f"aws_s3_bucket.{name}") for name in "abc"] == [True, True, False]
    assert free_name(there, "output", "a", "_2") == "a_2"
    assert free_name(there, "output", "c", "_2") == "c"


def test_references_say_where_they_stand() -> None:
    text = (
        'resource "t" "y" {\n  log {\n    target = "${t.x[0].id}/*"\n  }\n  depends_on = [t.x]\n}\n'
        "output o {\n  value = t.xx.id\n}\n"
    )
    found = module(main=text, other='moved {\n  from = t.old\n  to   = t.x["a.b]"].id\n}\n').references("t.x")
    assert [(one.file.path, one.rest) for one in found] == [
        ("main.tf", "[0].id"),
        ("main.tf", ""),
        ("other.tf", '["a.b]"].id'),
    ]
    first = found[0]
    assert first.file.text(first.start, first.address_end) == "t.x"
    assert first.file.text(first.start, first.end) == "t.x[0].id"
    assert first.block is not None
    assert first.block.address == "t.y.log"
    assert first.attribute is not None
    assert first.attribute.name == "target"


BUCKETS = """
resource "aws_s3_bucket" "x" {
  count  = 2
  bucket = "the-name"
}
resource "aws_s3_bucket" "y" {
  bucket = var.default
}
resource "aws_s3_bucket" "z" {
  for_each = var.m
  bucket   = each.key
}
resource "aws_s3_bucket_versioning" "v" {
  bucket = aws_s3_bucket.x[0].id
}
variable "m" {}
variable "none" {}
variable "default" {
  default = "y-name"
}
locals {
  name = aws_s3_bucket.x[0].bucket
  by   = { one = aws_s3_bucket.x[0].id, two = aws_s3_bucket.y.id }
  text = "the-name"
}
"""


@pytest.mark.parametrize(
    ("expr", "x", "y"),
    [
        ("aws_s3_bucket.x[0].id", True, False),
        ("aws_s3_bucket.x[count.index].arn", True, False),
        ("aws_s3_bucket.x[each.key].id", True, False),
        ('"${aws_s3_bucket.x[0].id}"', True, False),
        ("(aws_s3_bucket.x[0].bucket)", True, False),
        ("one(aws_s3_bucket.x[*].id)", True, False),
        ('join("", aws_s3_bucket.x.*.id)', True, False),
        ("element(aws_s3_bucket.x.*.id, count.index)", True, False),
        ('try(aws_s3_bucket.x[0].id, "")', True, False),
        ("values(aws_s3_bucket.x)[0].id", True, False),
        ("var.none ? aws_s3_bucket.x[0].id : null", True, False),
        ("var.none ? aws_s3_bucket.x[0].id : var.none", True, None),
        ("var.none ? aws_s3_bucket.x[0].id : aws_s3_bucket.y.id", None, None),
        ("local.name", True, False),
        ("local.by.one", True, False),
        ('local.by["two"]', False, True),
        ("local.text", True, None),
        ("aws_s3_bucket_versioning.v.bucket", True, False),
        ('"the-name"', True, None),
        ('"arn:aws:s3:::the-name"', True, None),
        ('"other"', False, None),
        ('"y-name"', False, True),
        ("var.default", None, True),
        ("var.none", None, None),
        ("module.m.bucket", None, None),
        ("data.aws_s3_bucket.x.id", None, None),
        ("aws_s3_bucket.z[0].id", False, False),
        ("lower(aws_s3_bucket.x[0].id)", None, None),
        ('"${aws_s3_bucket.x[0].id}-logs"', None, None),
    ],
)
def test_which_bucket_an_argument_means(expr: str, x: bool | None, y: bool | None) -> None:
    found = module(main=f'{BUCKETS}\nresource "c" "c" {{\n  bucket = {expr}\n}}\n')
    argument = next(found.resources("c")).attributes()[0].expr
    targets = [found.resource(f"aws_s3_bucket.{name}") for name in "xy"]
    assert [found.refers_to(argument, target) for target in targets if target] == [x, y]


@pytest.mark.parametrize(
    ("over", "expr", "x", "z"),
    [
        ("aws_s3_bucket.z", "each.value.id", False, True),
        ("aws_s3_bucket.z", "each.key", False, True),
        ("var.m", "each.key", None, True),
        ("var.other", "each.key", None, None),
        ("toset([aws_s3_bucket.x[0].id, aws_s3_bucket.y.id])", "each.value", True, False),
        ("{ a = aws_s3_bucket.x[0].id }", "each.value", True, False),
        ("{ a = { bucket = aws_s3_bucket.x[0].id } }", "each.value.bucket", True, False),
        ("local.by", "each.value", True, False),
        ('toset(["the-name"])', "each.key", True, None),
    ],
)
def test_each_leads_to_what_it_stands_for(over: str, expr: str, x: bool | None, z: bool | None) -> None:
    found = module(main=f'{BUCKETS}\nresource "c" "c" {{\n  for_each = {over}\n  bucket   = {expr}\n}}\n')
    argument = next(found.resources("c")).attribute("bucket")
    assert argument is not None
    targets = [found.resource(f"aws_s3_bucket.{name}") for name in "xz"]
    assert [found.refers_to(argument.expr, target) for target in targets if target] == [x, z]


# ---- edits ---------------------------------------------------------------------------------------

EDITS: list[tuple[str, Callable[[Block], tuple[Edit, ...]], str]] = [
    # set: replace, join, stand apart
    ("b {\n  a = 1 # c\n}\n", lambda b: b.set("a", "22"), "b {\n  a = 22 # c\n}\n"),
    (
        "b {\n  name  = 1 # c\n  other = 2 # d\n}\n",
        lambda b: b.set("name", '"long"'),
        'b {\n  name  = "long" # c\n  other = 2      # d\n}\n',
    ),
    (
        "b {\n  name = 1\n  long_name = 2\n}\n",
        lambda b: b.set("x", "3"),
        "b {\n  name = 1\n  long_name = 2\n  x = 3\n}\n",
    ),
    (
        "b {\n  name      = 1\n  long_name = 2 # c\n}\n",
        lambda b: b.set("x", "3"),
        "b {\n  name      = 1\n  long_name = 2 # c\n  x         = 3\n}\n",
    ),
    (
        'b {\n  name = "x"\n\n  tags = {\n    a = 1\n  }\n}\n',
        lambda b: b.set("retention_in_days", "30"),
        'b {\n  name = "x"\n\n  retention_in_days = 30\n\n  tags = {\n    a = 1\n  }\n}\n',
    ),
    (
        "b {\n  count = 1\n\n  c {\n  }\n}\n",
        lambda b: b.set("name", "3"),
        "b {\n  count = 1\n\n  name = 3\n\n  c {\n  }\n}\n",
    ),
    ("b {\n  c {\n  }\n}\n", lambda b: b.set("name", "3"), "b {\n  name = 3\n\n  c {\n  }\n}\n"),
    (
        "b {\n  policy = <<EOT\n x\nEOT\n  z      = 1\n}\n",
        lambda b: b.set("policy", "null"),
        "b {\n  policy = null\n  z      = 1\n}\n",
    ),
    (
        "b {\n  a   = 1\n  bcd = 2\n  e   = 3\n}\n",
        lambda b: b.set("bcd", "[\n  1,\n]"),
        "b {\n  a = 1\n  bcd = [\n    1,\n  ]\n  e = 3\n}\n",
    ),
    # one line, no line, other styles
    ("b {}\n", lambda b: b.set("a", "1"), "b {\n  a = 1\n}\n"),
    ("b { a = 1 } # c\n", lambda b: b.set("bb", "2"), "b {\n  a  = 1\n  bb = 2\n} # c\n"),
    ("b {\n}\n", lambda b: b.set("a", "1"), "b {\n  a = 1\n}\n"),
    ("b { # c\n}\n", lambda b: b.set("a", "1"), "b { # c\n  a = 1\n}\n"),
    ("b {\r\n  aa = 1\r\n}\r\n", lambda b: b.set("c", "2"), "b {\r\n  aa = 1\r\n  c  = 2\r\n}\r\n"),
    ("\ufeffb {\n  aa = 1\n}", lambda b: b.set("c", "2"), "\ufeffb {\n  aa = 1\n  c  = 2\n}"),
    ("b {\n\taa = 1\n}\n", lambda b: b.append("c {\n  d = 1\n}"), "b {\n\taa = 1\n\n\tc {\n\t\td = 1\n\t}\n}\n"),
    # paths
    ("b {\n  c {\n    d = 1\n  }\n}\n", lambda b: b.set("c.d", "2"), "b {\n  c {\n    d = 2\n  }\n}\n"),
    ("b {\n  c {}\n}\n", lambda b: b.set("c.d", "2"), "b {\n  c {\n    d = 2\n  }\n}\n"),
    ("b {\n  a = 1\n}\n", lambda b: b.set("c.d", "2"), "b {\n  a = 1\n\n  c {\n    d = 2\n  }\n}\n"),
    (
        "b {\n  aa = 1\n}\n",
        lambda b: b.set_all({"c.d": "2", "c.eee": "3", "x": "4"}),
        "b {\n  aa = 1\n  x  = 4\n\n  c {\n    d   = 2\n    eee = 3\n  }\n}\n",
    ),
    # append, remove, rename
    ("b {\n  a = 1\n}\n", lambda b: b.append("c {\n}"), "b {\n  a = 1\n\n  c {\n  }\n}\n"),
    ("b {}\n", lambda b: b.append("c {\n}"), "b {\n  c {\n  }\n}\n"),
    (
        "b {\n  a = 1\n}\n",
        lambda b: b.append("p = <<EOT\n{\n}\nEOT"),
        "b {\n  a = 1\n\n  p = <<EOT\n{\n}\nEOT\n}\n",
    ),
    (
        "b {\n  a = 1\n}\n",
        lambda b: (*b.set("c", "2"), *b.append("d {\n}")),
        "b {\n  a = 1\n  c = 2\n\n  d {\n  }\n}\n",
    ),
    ("b {\n  a   = 1\n  bcd = 2 # c\n}\n", lambda b: b.remove("bcd"), "b {\n  a = 1\n}\n"),
    ("b {\n  a = 1\n\n  b = 2\n\n  c = 3\n}\n", lambda b: b.remove("b"), "b {\n  a = 1\n\n  c = 3\n}\n"),
    ("b {\n  a = 1\n\n  b = 2\n}\n", lambda b: b.remove("b"), "b {\n  a = 1\n}\n"),
    ("b {\n  a = 1\n\n  b = 2\n\n  c = 3\n}\n", lambda b: b.remove("c", "b"), "b {\n  a = 1\n}\n"),
    ("b { a = 1 }\n", lambda b: b.remove("a"), "b {}\n"),
    ("b {\n  c {\n    d = 1\n  }\n}\n", lambda b: b.remove("c.d"), "b {\n  c {\n  }\n}\n"),
    (
        "b {\n  a   = 1 # x\n  bcd = 2 # y\n}\n",
        lambda b: b.rename("bcd", "b"),
        "b {\n  a = 1 # x\n  b = 2 # y\n}\n",
    ),
    # around a block
    ("b {} # c\n", lambda b: b.insert_after("x {\n}"), "b {} # c\n\nx {\n}\n"),
    ("b {}", lambda b: b.insert_after("x {\n}\n"), "b {}\n\nx {\n}"),
    ("b {}\nc {}\n", lambda b: b.insert_after("x {\n}"), "b {}\n\nx {\n}\n\nc {}\n"),
    ("b {}\n\nc {}\n", lambda b: b.insert_after("x {\n}"), "b {}\n\nx {\n}\n\nc {}\n"),
    ("a {}\n\n# c\nb {}\n", lambda b: b.insert_before("x {\n}"), "x {\n}\n\na {}\n\n# c\nb {}\n"),
    ("# license\n\n# c\n// d\nb {} # e\n\nc {}\n", lambda b: b.delete(), "# license\n\nc {}\n"),
    ("/* c\n   d */\nb {}\n\nc {}\n", lambda b: b.delete(), "c {}\n"),
    ("\ufeffb {}\n\nc {}\n", lambda b: b.delete(), "\ufeffc {}\n"),
    ("b {\n  c {\n  }\n\n  d = 1\n}\n", lambda b: b.blocks("c")[0].delete(), "b {\n  d = 1\n}\n"),
    (
        "b {\n  a = 1\n\n  c {\n  }\n\n  c {\n  }\n}\n",
        lambda b: delete_blocks(b.blocks("c")),
        "b {\n  a = 1\n}\n",
    ),
    (
        "b {\n  c {\n  }\n}\n",
        lambda b: b.blocks("c")[0].insert_after("d {\n}"),
        "b {\n  c {\n  }\n\n  d {\n  }\n}\n",
    ),
    ("a {}\n", lambda b: (b.file.appended("x {\n}"),), "a {}\n\nx {\n}\n"),
    ("a {}", lambda b: (b.file.appended("x {\n}"),), "a {}\n\nx {\n}\n"),
    ("a {}", lambda b: (b.file.appended("x {\n  y  = 1\n}"),), "a {}\n\nx {\n  y = 1\n}\n"),
    ("a {\n  y  = 1\n}", lambda b: (b.file.appended("x {\n  y  = 1\n}"),), "a {\n  y  = 1\n}\n\nx {\n  y  = 1\n}\n"),
]


@pytest.mark.parametrize(("before", "change", "after"), EDITS)
def test_edits(before: str, change: Callable[[Block], tuple[Edit, ...]], after: str) -> None:
    assert edited(before, change) == after


@pytest.mark.slow
@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed: nothing tells how it would format")
def test_terraform_fmt_agrees_that_clean_files_stay_clean(tmp_path: Path) -> None:
    for number, (before, change, _) in enumerate(EDITS):
        (tmp_path / f"{number:02}-before.tf").write_bytes(before.encode())
        (tmp_path / f"{number:02}-after.tf").write_bytes(edited(before, change).encode())
    run = subprocess.run([TERRAFORM or "", "fmt", "-check", str(tmp_path)], capture_output=True, text=True, check=False)
    assert "Error:" not in run.stderr
    unclean = {Path(line).stem for line in run.stdout.split()}
    # Terraform wants spaces for tabs and no byte order mark, and two cases are crooked by intent.
    dirty = [
        n for n, (before, _, _) in enumerate(EDITS) if "\t" in before or "\ufeff" in before or n in (2, len(EDITS) - 1)
    ]
    assert unclean == {f"{n:02}-{when}" for n in dirty for when in ("before", "after")}


def test_several_blocks_deleted_at_once_leave_one_blank_line_between_the_others() -> None:
    text = "a {}\n\nb {}\n\n# c\nb {}\n\nd {}\n\nb {}\n"
    (file,) = module(main=text).files
    doomed = [block for block in file.blocks if block.type == "b"]
    assert apply(file.source, delete_blocks(doomed)) == b"a {}\n\nd {}\n"
    assert apply(file.source, delete_blocks(file.blocks)) == b""


@pytest.mark.parametrize("body", ['dynamic "c" {\n content {}\n}', "c {}\n c {}", "c = {}"])
def test_what_can_not_be_set_is_refused(body: str) -> None:
    with pytest.raises(EditError):
        read(f"b {{\n{body}\n}}\n").set("c.d", "1")


def test_text_of_a_block_has_its_comments() -> None:
    text = "# no\n\n# yes\nb {\n} # too\n# no\n"
    assert read(text).text() == "# yes\nb {\n} # too"


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ("", "  bucket = aws_s3_bucket.x.id\n\n  yes = true\n"),
        ("  count = 2\n", "  count = 2\n\n  bucket = aws_s3_bucket.x[count.index].id\n\n  yes = true\n"),
        (
            "  provider = aws.w\n  for_each = {\n    a = 1\n  }\n",
            "  for_each = {\n    a = 1\n  }\n  provider = aws.w\n\n"
            "  bucket = aws_s3_bucket.x[each.key].id\n\n  yes = true\n",
        ),
    ],
)
def test_a_companion_goes_with_its_resource(meta: str, expected: str) -> None:
    block = read(f'resource "aws_s3_bucket" "x" {{\n{meta}}}\n')
    text = block.companion("aws_thing", "x", "\nyes = true\n")
    assert text == f'resource "aws_thing" "x" {{\n{expected}}}\n'


def test_a_finding_points_to_the_block_or_to_a_part_of_it() -> None:
    rule = Rule("codemods.security.made_up", impact=Impact.NONE)
    block = read('\nresource "t" "x" {\n  v = 1\n}\n')
    why = Manual("Because", "Do it")
    whole = block.finding(rule, "is bad", manual=why)
    part = block.finding(rule, "is bad", manual=why, at=block.attribute("v"))
    assert (whole.language, whole.path, whole.subject) == (Language.TERRAFORM, "main.tf", "t.x")
    assert (whole.start, whole.end) == (block.start, block.end)
    assert block.file.text(part.start, part.end) == "v = 1"


def test_align_gives_terraforms_layout() -> None:
    text = 'a = 1 # x\nbcd = "é" # y\nt = {\n  e = 1\n  ff = 2\n}\nw { x = 1 }\ng = <<EOT\na = 1\nEOT\nhh = 1 /* z */\n'
    assert align(text) == (
        'a   = 1   # x\nbcd = "é" # y\nt = {\n  e  = 1\n  ff = 2\n}\nw { x = 1 }\n'
        "g  = <<EOT\na = 1\nEOT\nhh = 1 /* z */\n"
    )


# ---- properties ----------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "bb", "name", "retention_in_days", "tags_all"])
VALUES = st.sampled_from(
    ["1", '"é ${a.b} # no"', "[\n    1,\n  ]", "{\n    k = 1\n  }", "<<EOT\n = { # no\nEOT", "f(a,\n  b)", "null"]
)
TAILS = st.sampled_from(["", " # c", "  // d", " /* e */"])


@st.composite
def bodies(draw: st.DrawFn) -> str:
    names = draw(st.lists(NAMES, unique=True, max_size=5))
    lines = []
    for name in names:
        written = draw(VALUES)
        tail = "" if written.startswith("<<") else draw(TAILS)
        lines.append(f"  {name}{draw(st.sampled_from([' = ', '   = ']))}{written}{tail}\n")
        lines.append(draw(st.sampled_from(["", "\n", "  # note\n", "  nested {\n    x = 1\n  }\n"])))
    return "".join(lines)


def changes(file: TerraformFile) -> list[tuple[Edit, ...]]:
    block = next(block for block in file.blocks if block.type == "resource")
    made = [
        block.set("zone", "1"),
        block.set("a_quite_long_name", "[\n  1,\n]"),
        block.append("lifecycle {\n}"),
        block.lead("first", "0"),
        block.lead("first_of_all", "0", "check {\n  x = 1\n}"),
        block.insert_after("x {\n}"),
        block.insert_before("x {\n}"),
        block.delete(),
    ]
    for attribute in block.attributes():
        made += [block.set(attribute.name, "12345"), block.remove(attribute.name), block.rename(attribute.name, "new")]
    return made


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ("{}", "{\n  a = 0\n\n  b {\n    c = 1\n  }\n}"),
        ("{ value = x }", "{\n  a     = 0\n  value = x\n\n  b {\n    c = 1\n  }\n}"),
        ("{\n  # note\n  value = x\n}", "{\n  a = 0\n  # note\n  value = x\n\n  b {\n    c = 1\n  }\n}"),
        ("{\n  value = [\n    x\n  ]\n}", "{\n  a = 0\n  value = [\n    x\n  ]\n\n  b {\n    c = 1\n  }\n}"),
    ],
)
def test_an_argument_leads(body: str, after: str) -> None:
    source = f'output "o" {body}\n'.encode()
    block = load(TerraformFacts("."), {"main.tf": source}).files[0].blocks[0]
    assert apply(source, block.lead("a", "0", "b {\n  c = 1\n}")).decode() == f'output "o" {after}\n'


@settings(max_examples=150, deadline=None)
@given(bodies(), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_whatever_is_edited_all_else_stays_and_can_be_read(body: str, newline: str, ends: bool, clean: bool) -> None:
    text = f'# top\nlocals {{\n  crooked   = 1\n  x = 2\n}}\n\nresource "t" "x" {{ # here\n{body}}}\n\nother {{}}\n'
    if clean:
        text = align(text)
    source = (text if ends else text.rstrip("\n")).replace("\n", newline).encode()
    file = load(TerraformFacts("."), {"main.tf": source}).files[0]
    block = file.blocks[1]
    first, last = file.line_start(block.leading_comments_start), file.tail(block.end) + 2 * len(newline)
    for edits in changes(file):
        assert all(first <= edit.start <= edit.end <= last for edit in edits)
        after = apply(source, edits)
        assert not load(TerraformFacts("."), {"main.tf": after}).errors
        assert after.count(b"\n") == after.count(newline.encode())
        assert after.startswith(source[:first])
        assert after.rstrip().endswith(b"other {}")
        if clean:
            assert is_aligned(after)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='ab=#"{}[]()<$%~/*\n\r\\ .-1', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_are_an_error(source: bytes) -> None:
    found = load(TerraformFacts("."), {"main.tf": source, "b.tf.json": source})
    assert {file.path for file in (*found.files, *found.fixed)} | {path for path, _ in found.errors} == {
        "main.tf",
        "b.tf.json",
    }
    for file in found.files:
        file.comments()
        for block in file.blocks:
            for inner in block.walk():
                for attribute in inner.attributes():
                    found.resolve(attribute.expr)
                    attribute.expr.traversals()
    assert is_aligned(align("a = 1\nbb = 2\n").encode())
