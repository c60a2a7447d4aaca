"""Who a policy lets in, however it is written."""

from __future__ import annotations

import pytest

from fixer import terraform
from fixer.facts import TerraformFacts
from fixer.model import Unknown
from fixer.terraform.policy import Statement, known_statements, statements
from fixer.terraform.policy_text import encoded_policy, insecure_refused

AROUND = """
data "aws_caller_identity" "current" {}

variable "principals" {
  type = list(string)
}

variable "policy" {
  default = "{}"
}

locals {
  anybody  = "*"
  policy   = data.aws_iam_policy_document.reader.json
  circular = local.circle
  circle   = local.circular
  several  = { reader = jsonencode({ Statement = [] }) }
}

data "aws_iam_policy_document" "reader" {
  statement {
    principals {
      type        = "AWS"
      identifiers = [data.aws_caller_identity.current.arn]
    }
  }
}

resource "aws_iam_role" "reader" {
  assume_role_policy = "{}"
}
"""


def judge(policy: str, more: str = "") -> list[Statement] | Unknown:
    source = f'{AROUND}\n{more}\nresource "aws_s3_bucket_policy" "x" {{\n  policy = {policy}\n}}\n'
    module = terraform.load(TerraformFacts("."), {"main.tf": source.encode()})
    assert module.errors == []
    (block,) = module.resources("aws_s3_bucket_policy")
    attribute = block.attribute("policy")
    assert attribute
    return statements(module, attribute.expr)


def encoded(principal: str, effect: str = '"Allow"') -> str:
    return f'jsonencode({{ Statement = [{{ Effect = {effect}, Principal = {principal}, Action = "s3:GetObject" }}] }})'


@pytest.mark.parametrize(
    ("principal", "everybody"),
    [
        ('"*"', True),
        ('{ AWS = "*" }', True),
        ('{ "AWS" = ["arn:aws:iam::111122223333:root", "*"] }', True),
        ("{ AWS = local.anybody }", True),
        ('{ AWS = "${local.anybody}" }', True),
        ('{ AWS = "arn:aws:iam::111122223333:root" }', False),
        ('{ AWS = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root" }', False),
        ("{ AWS = aws_iam_role.reader.arn }", False),
        ('{ AWS = [for id in var.principals : "arn:aws:iam::${id}:root"] }', False),
        ('{ AWS = format("arn:aws:iam::%s:root", var.principals[0]) }', False),
        ('{ Service = "logs.amazonaws.com" }', False),
        ('{ Federated = "*" }', False),
    ],
)
def test_principals(principal: str, everybody: bool) -> None:
    assert judge(encoded(principal)) == [Statement("Allow", everybody)]


@pytest.mark.parametrize(
    "principal",
    [
        "{ AWS = var.principals }",
        "{ AWS = [for id in var.principals : id] }",
        '{ AWS = format("%s", var.principals[0]) }',
        '{ AWS = length(var.principals) > 0 ? var.principals : ["*"] }',
        "{ AWS = module.access.principals }",
        "{ AWS = aws_iam_role.not_here.arn }",
    ],
)
def test_principals_that_may_be_everybody(principal: str) -> None:
    found = judge(encoded(principal))
    assert isinstance(found, list)
    assert [type(one.everybody) for one in found] == [Unknown]


@pytest.mark.parametrize(
    "policy",
    [
        '"{\\"Statement\\": {\\"Effect\\": \\"Allow\\", \\"Principal\\": \\"*\\"}}"',
        '<<EOT\n{"Statement": [{"Principal": {"AWS": "*"}, "Resource": "${var.policy}/*"}]}\nEOT\n',
        '<<-EOT\n    {\n      "Statement": [{"Effect": "Allow", "Principal": "*"}]\n    }\n  EOT\n',
        'jsonencode({ Statement = { Principal = "*" } })',
        '(jsonencode({ Statement = [{ "Effect" : "Allow", "NotPrincipal" : { "AWS" : "111122223333" } }] }))',
        '"${jsonencode({ Statement = [{ Principal = "*" }] })}"',
    ],
)
def test_forms(policy: str) -> None:
    assert judge(policy) == [Statement("Allow", True)]


def test_effect() -> None:
    assert judge(encoded('"*"', '"Deny"')) == [Statement("Deny", True)]
    found = judge(encoded('"*"', "var.policy"))
    assert isinstance(found, list)
    assert found[0].everybody is True


@pytest.mark.parametrize("policy", ["null", '""', 'jsonencode({ Version = "2012-10-17" })', 'local.several["reader"]'])
def test_no_statements(policy: str) -> None:
    assert judge(policy) == []


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("var.policy", "is set by var.policy"),
        ("module.access.policy", "is set by module.access.policy"),
        ("local.circular", "refers to itself"),
        ("local.absent", "is set by local.absent"),
        ("data.aws_iam_policy_document.absent.json", "is set by data.aws_iam_policy_document.absent"),
        ('file("policy.json")', "is a call of file()"),
        ('var.policy == "" ? "{}" : var.policy', "is an expression"),
        ('"{not json"', "can't be read as JSON"),
        ('<<EOT\n{"Statement": %{if true}[]%{else}[1]%{endif}}\nEOT\n', "directive"),
        ("jsonencode(var.policy.statements)", "is an expression"),
        ("jsonencode({ Statement = var.principals })", "statements that are an expression"),
        ("jsonencode({ Statement = concat([], var.policy) })", "statements that are an expression"),
    ],
)
def test_not_written_out(policy: str, why: str) -> None:
    found = judge(policy)
    assert isinstance(found, Unknown)
    assert why in found.why


def document(body: str) -> list[Statement] | Unknown:
    return judge("data.aws_iam_policy_document.x.json", f'data "aws_iam_policy_document" "x" {{\n{body}\n}}\n')


def principals(identifiers: str, kind: str = '"AWS"') -> str:
    return f"principals {{\n type = {kind}\n identifiers = {identifiers}\n }}"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f'statement {{\n {principals("""["*"]""")}\n }}', [Statement("Allow", True)]),
        (f'statement {{\n effect = "Deny"\n {principals("""["*"]""", """"*" """)}\n }}', [Statement("Deny", True)]),
        (f'statement {{\n {principals("""["*"]""", """"Service" """)}\n }}', [Statement("Allow", False)]),
        (f"statement {{\n not_{principals('[aws_iam_role.reader.arn]')}\n }}", [Statement("Allow", True)]),
        (
            f'dynamic "statement" {{\n for_each = [1]\n content {{\n {principals("""["*"]""")}\n }}\n }}',
            [Statement("Allow", True)],
        ),
        ("source_policy_documents = [local.policy]", [Statement("Allow", False)]),
        ("source_json = data.aws_iam_policy_document.reader.json", [Statement("Allow", False)]),
    ],
)
def test_documents(body: str, expected: list[Statement]) -> None:
    assert document(body) == expected


def test_document_from_elsewhere() -> None:
    found = document("override_policy_documents = [var.policy]")
    assert found == Unknown("is set by var.policy")


def test_document_in_an_override_file() -> None:
    sources = {
        "main.tf": f'{AROUND}\nresource "aws_s3_bucket_policy" "x" {{\n  policy = local.policy\n}}\n'.encode(),
        "override.tf": b'data "aws_iam_policy_document" "reader" {\n}\n',
    }
    module = terraform.load(TerraformFacts("."), sources)
    (block,) = module.resources("aws_s3_bucket_policy")
    attribute = block.attribute("policy")
    assert attribute
    assert isinstance(statements(module, attribute.expr), Unknown)


def test_what_a_statement_says_is_the_same_however_it_is_written() -> None:
    document = """
data "aws_iam_policy_document" "x" {
  statement {
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = ["${aws_iam_role.reader.arn}/*", data.aws_caller_identity.current.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }

    condition {
      test     = "Bool"
      variable = "aws:ViaAWSService"
      values   = ["false", "true"]
    }
  }
}
"""
    text = (
        '{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["${aws_iam_role.reader.arn}/*", "x"], '
        '"Condition": {"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": ["false", "true"]}}}'
    )
    for policy in ("data.aws_iam_policy_document.x.json", f'<<EOF\n{{"Statement": [{text}]}}\nEOF'):
        found = judge(policy, document)
        assert isinstance(found, list)
        (statement,) = found
        assert statement.listed("Action") == ("s3:*",)
        assert [one.endswith("/*") for one in statement.listed("Resource")] == [True, False]
        assert statement.listed("NotAction") == ()
        assert statement.conditions() == [
            ("Bool", "aws:SecureTransport", ("false",)),
            ("Bool", "aws:ViaAWSService", ("false", "true")),
        ]


def test_conditions_that_are_not_written_out_are_unknown() -> None:
    found = judge('jsonencode({ Statement = [{ Effect = "Deny", Condition = var.policy }] })')
    assert isinstance(found, list)
    assert isinstance(found[0].conditions(), Unknown)


def test_statements_that_are_known_are_told_beside_those_that_are_not() -> None:
    source = """
resource "aws_s3_bucket_policy" "x" {
  policy = jsonencode({ Statement = concat([{ Effect = "Deny" }], var.more) })
}
"""
    module = terraform.load(TerraformFacts("."), {"main.tf": source.encode()})
    (block,) = module.resources("aws_s3_bucket_policy")
    attribute = block.attribute("policy")
    assert attribute
    known, gap = known_statements(module, attribute.expr)
    assert [one.effect for one in known] == ["Deny"]
    assert gap == Unknown("has statements that are an expression")


@pytest.mark.parametrize(
    ("change", "refuses"),
    [
        (("", ""), True),
        (('"Bool"', '"BoolIfExists"'), True),
        (("Deny", "Allow"), False),
        (("s3:*", "s3:GetObject"), False),
        (('"Principal": "*"', '"NotPrincipal": "*"'), False),
        (('"false"}', '"true"}'), False),
        (('"false"}', '"false", "aws:ViaAWSService": "false"}'), False),
    ],
)
def test_a_statement_refuses_requests_without_tls(change: tuple[str, str], refuses: bool) -> None:
    text = (
        '{"Effect": "Deny", "Principal": "*", "Action": "s3:*", '
        '"Condition": {"Bool": {"aws:SecureTransport": "false"}}}'
    )
    found = judge(f'<<EOF\n{{"Statement": [{text.replace(*change)}]}}\nEOF')
    assert isinstance(found, list)
    assert found[0].refuses_insecure("*", "s3:*") == refuses


def test_the_statement_that_refuses_requests_without_tls_is_read_as_one() -> None:
    found = judge(encoded_policy(insecure_refused(("s3:*",), ("a",))))
    assert isinstance(found, list)
    assert found[0].refuses_insecure("s3:*")
