"""Statements that join policies where these stand, in whatever form."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from fixer import terraform
from fixer.facts import TerraformFacts
from fixer.model import Edit, Unknown
from fixer.terraform.policy import statements
from fixer.terraform.policy_place import Place, place
from fixer.terraform.policy_text import NewStatement

NEW = NewStatement(
    "Delivery",
    ("logs:PutLogEvents",),
    ("${aws_s3_bucket.x.arn}", "${aws_s3_bucket.x.arn}/*"),
    principals=(("Service", ("logs.amazonaws.com",)),),
    conditions=(("ArnLike", "aws:SourceArn", ("arn:aws:logs:*:*:*",)), ("Bool", "aws:SecureTransport", ("true",))),
)
TERRAFORM = shutil.which("terraform")

ENCODED = [
    "jsonencode({\n    Statement = []\n  })",
    "jsonencode({\n    Statement = [\n    ]\n  })",
    "jsonencode({\n    Statement = [\n      {\n        Effect = \"Allow\"\n      },\n    ]\n  })",
    "jsonencode({\n    Statement = [\n      {\n        Effect = \"Allow\"\n      } # last\n    ]\n  })",
    "jsonencode({\n    Statement = [\n      {\n        Effect = \"Allow\"\n      }, # last\n    ]\n  })",
    "jsonencode({\n    Statement = [{\n      Effect = \"Allow\"\n    }]\n  })",
    "jsonencode({\n    Statement = [\n      {\n        Effect = \"Allow\"\n        }, {\n"
    "        Effect = \"Deny\"\n      }\n    ]\n  })",
    "jsonencode({\n    \"Statement\" : {\n      \"Effect\" : \"Allow\",\n    }\n  })",
    "jsonencode({ Statement = [{ Effect = \"Allow\" }] })",
    "jsonencode({ Statement = { Effect = \"Allow\" } })",
    "(jsonencode({\n    Statement = concat([{ Effect = \"Deny\" }], [\n      {\n"
    "        Effect = \"Allow\"\n      }\n    ])\n  }))",
    "jsonencode(local.policy)",
    "local.encoded",
]  # fmt: skip
TEXTS = [
    '{"Statement": []}',
    '{"Statement": [{"Effect": "Allow"}]}',
    '{"Statement": {"Effect": "Allow"}}',
    '{\n  "Id": "Statement",\n  "Statement": [\n    {\n      "Effect": "Allow"\n    }\n  ],\n  "Version": "1"\n}',
    '{\n\t"Statement": [{\n\t\t"Effect": "Allow",\n\t\t"Resource": "${aws_s3_bucket.x.arn}/*"\n\t}]\n}',
    '{"Statement": [{"Effect": "Allow", "Resource": "${lookup({a = "}]"}, "a")}", "Sid": "Delivery"}]}',
    '{"Statement": [\n    {"Effect": "Allow", "Condition": {"Bool": {"Statement": "[]"}}},\n    {"Effect": "Deny"}\n]}',
]  # fmt: skip


def module(policy: str, more: str = "") -> terraform.Module:
    source = f"""\
resource "aws_s3_bucket" "x" {{}}

locals {{
  encoded = jsonencode({{
    Statement = [
      {{
        Effect = "Allow"
      }}
    ]
  }})
  policy = {{
    Statement = [
      {{
        Effect = "Allow"
      }}
    ]
  }}
}}

{more}
resource "aws_s3_bucket_policy" "x" {{
  bucket = aws_s3_bucket.x.id
  policy = {policy}
}}
"""
    found = terraform.load(TerraformFacts("."), {"main.tf": source.encode()})
    assert found.errors == []
    return found


def expr_of(found: terraform.Module) -> terraform.Expr:
    (block,) = found.resources("aws_s3_bucket_policy")
    attribute = block.attribute("policy")
    assert attribute
    return attribute.expr


def extended(found: terraform.Module, new: NewStatement = NEW) -> bytes:
    there = place(found, expr_of(found))
    assert isinstance(there, Place), there
    return made(found.files[0].source, there.add(new))


def made(source: bytes, edits: tuple[Edit, ...]) -> bytes:
    for edit in sorted(edits, reverse=True, key=lambda edit: (edit.start, edit.end)):
        source = source[: edit.start] + edit.text.encode() + source[edit.end :]
    return source


def heredoc(text: str) -> str:
    return f"<<EOF\n{text}\nEOF"


@pytest.mark.parametrize("policy", [*ENCODED, *map(heredoc, TEXTS)])
def test_the_statement_is_there_and_the_others_stay(policy: str) -> None:
    before = module(policy)
    after = terraform.load(TerraformFacts("."), {"main.tf": extended(before)})
    assert after.errors == []
    old, new = statements(before, expr_of(before)), statements(after, expr_of(after))
    assert isinstance(old, list)
    assert isinstance(new, list)
    assert [one.data for one in new[:-1]] == [one.data for one in old]
    added = new[-1]
    assert added.effect == "Allow"
    assert added.everybody is False
    assert added.data["Principal"] == {"Service": "logs.amazonaws.com"}
    assert added.listed("Action") == ("logs:PutLogEvents",)
    assert [str(one).endswith("/*") for one in added.listed("Resource")] == [False, True]
    assert added.conditions() == [
        ("ArnLike", "aws:SourceArn", ("arn:aws:logs:*:*:*",)),
        ("Bool", "aws:SecureTransport", ("true",)),
    ]


@pytest.mark.parametrize("text", TEXTS)
def test_text_stays_json(text: str) -> None:
    after = terraform.load(TerraformFacts("."), {"main.tf": extended(module(heredoc(text)))})
    expr = expr_of(after)
    parts = ("word" if isinstance(part, terraform.Expr) else part.text for part in expr.parts)
    assert json.loads("".join(parts))["Statement"]


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed: its fmt judges")
@pytest.mark.parametrize("policy", ENCODED)
def test_what_was_formatted_stays_so(policy: str) -> None:
    found = module(policy)
    if formatted(found.files[0].source) == found.files[0].source:
        after = extended(found)
        assert formatted(after) == after


def formatted(source: bytes) -> bytes:
    done = subprocess.run([str(TERRAFORM), "fmt", "-"], input=source, capture_output=True, check=True)
    return done.stdout


def test_a_document_gets_a_block_below_its_statements() -> None:
    document = """\
data "aws_iam_policy_document" "x" {
  statement {
    sid     = "Delivery"
    actions = ["s3:GetObject"]
  } # first

  version = "2012-10-17"
}
"""
    after = extended(module("data.aws_iam_policy_document.x.json", document)).decode()
    assert (
        """\
  } # first

  statement {
    sid     = "Delivery2"
    actions = ["logs:PutLogEvents"]
    resources = [
      aws_s3_bucket.x.arn,
      "${aws_s3_bucket.x.arn}/*"
    ]

    principals {
      type        = "Service"
      identifiers = ["logs.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:aws:logs:*:*:*"]
    }
"""
        in after
    )
    assert '  version = "2012-10-17"\n}\n' in after


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("var.policy", "is set by var.policy"),
        ("file(\"policy.json\")", "is a call of file()"),
        ("true ? local.encoded : null", "is an expression"),
        ("\"{}\"", "is an expression"),
        ("jsonencode({ Statement = [for one in [] : one] })", "has statements that are an expression"),
        ("jsonencode({ Id = \"none\" })", "is an expression"),
        ("jsonencode(merge({}, {}))", "is an expression"),
        ("<<EOF\n{\"Id\": \"none\"}\nEOF", "is a text without a list of statements"),
        ("<<EOF\n{\"Statement\": [%{if true}{}%{endif}]}\nEOF", "is a template with a directive"),
        ("data.aws_iam_policy_document.none.json", "is set by data.aws_iam_policy_document.none.json"),
        ("data.aws_iam_policy_document.two.json", "comes from data.aws_iam_policy_document.two, which other code uses"),
    ],
)  # fmt: skip
def test_no_place(policy: str, why: str) -> None:
    two = (
        'data "aws_iam_policy_document" "two" {}\noutput "two" {\n  value = data.aws_iam_policy_document.two.json\n}\n'
    )
    found = module(policy, two)
    there = place(found, expr_of(found))
    assert isinstance(there, Unknown)
    assert there.why.startswith(why)


def test_a_shared_local_is_left_alone() -> None:
    found = module("local.encoded", 'output "policy" {\n  value = local.encoded\n}\n')
    assert place(found, expr_of(found)) == Unknown("is set by local.encoded, which other code uses too")
