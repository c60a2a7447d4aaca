"""Statements in CDK Python: what they say, and how new ones are written and join others."""

from __future__ import annotations

import ast

import pytest

from fixer.cdk import Construct, load
from fixer.cdk.policy import (
    NewStatement,
    allows_everybody,
    insecure_refused,
    is_widened,
    is_written_out,
    joined,
    statements,
)
from fixer.facts import CdkFacts

IMPORTS = "from aws_cdk import aws_iam as iam, aws_sqs as sqs\n"
NEW = NewStatement(
    "Send",
    ("sqs:SendMessage", "sqs:GetQueueUrl"),
    ("queue.queue_arn",),
    principals=(("Service", ("sns.amazonaws.com",)), ("AWS", ("arn:aws:iam::1:root",))),
    conditions=(("ArnLike", "aws:SourceArn", ("a", "b")), ("Bool", "aws:SecureTransport", ("true",))),
)
SPELLED = {name: name.replace("aws_", "") for name in (*NEW.uses, "aws_iam.Effect", "aws_iam.AnyPrincipal")}


def test_a_call_and_a_dictionary_say_the_same() -> None:
    call = ast.unparse(ast.parse(NEW.call(SPELLED)))
    assert call == (
        "iam.PolicyStatement(sid='Send', principals=[iam.ServicePrincipal('sns.amazonaws.com'), "
        "iam.ArnPrincipal('arn:aws:iam::1:root')], actions=['sqs:SendMessage', 'sqs:GetQueueUrl'], "
        "resources=[queue.queue_arn], conditions={'ArnLike': {'aws:SourceArn': ['a', 'b']}, "
        "'Bool': {'aws:SecureTransport': 'true'}})"
    )
    text = NEW.dictionary().replace("queue.queue_arn", '"q"')
    assert ast.literal_eval(text) == {
        "Sid": "Send",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com", "AWS": "arn:aws:iam::1:root"},
        "Action": ["sqs:SendMessage", "sqs:GetQueueUrl"],
        "Resource": "q",
        "Condition": {"ArnLike": {"aws:SourceArn": ["a", "b"]}, "Bool": {"aws:SecureTransport": "true"}},
    }


def test_everybody_is_a_star() -> None:
    deny = NewStatement("No", ("*",), ("x",), "Deny", (("*", ("*",)),))
    assert deny.dictionary() == '{"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": x}'
    assert "effect=iam.Effect.DENY, principals=[iam.AnyPrincipal()]" in deny.call(SPELLED)


@pytest.mark.parametrize(
    "text",
    [
        "iam.PolicyStatement(effect=iam.Effect.DENY, principals=[iam.AnyPrincipal()], actions=['s3:*'], "
        "resources=[a, b], conditions={'Bool': {'aws:SecureTransport': 'false'}})",
        "{'Effect': 'Deny', 'Principal': {'AWS': ['*']}, 'Action': 'S3:*', 'Resource': [a, b], "
        "'Condition': {'Bool': {'aws:SecureTransport': ['false']}}}",
        "iam.PolicyDocument(statements=[iam.PolicyStatement.from_json({'Effect': 'Deny', 'Principal': '*', "
        "'Action': ['s3:*'], 'Resource': [a, b], 'Condition': {'Bool': {'aws:SecureTransport': False}}})])",
    ],
)
def test_statements_are_read(text: str) -> None:
    (found,) = statements(text)
    assert found.denies
    assert found.everybody
    assert found.names("s3:*")
    assert not found.names("*")
    assert found.resources == ["a", "b"]
    assert found.conditions == "{bool:{aws:securetransport:false}}"


def policy_of(document: str) -> Construct:
    source = f"{IMPORTS}given = 1\nsqs.QueuePolicy(self, 'P'{document})\n"
    (file,) = load(CdkFacts("."), {"app.py": source.encode()}).files()
    (found,) = file.constructs("aws_sqs.QueuePolicy")
    return found


@pytest.mark.parametrize(
    ("document", "number"),
    [
        ("", 1),
        (", document=iam.PolicyDocument()", 1),
        (", document=iam.PolicyDocument(statements=[iam.PolicyStatement(actions=['*'])])", 2),
        (", document={'Statement': [{'Effect': 'Allow'}]}", 2),
    ],
)
def test_a_statement_joins_the_others(document: str, number: int) -> None:
    policy = policy_of(document)
    edits = joined(policy, "document", NEW)
    assert edits is not None
    source = policy.file.source
    for edit in sorted(edits, reverse=True):
        source = source[: edit.start] + edit.text.encode() + source[edit.end :]
    written = ast.parse(source)
    lists = [
        node
        for node in ast.walk(written)
        if isinstance(node, ast.List) and node.elts and isinstance(node.elts[0], ast.Call | ast.Dict)
    ]
    assert len(lists[0].elts) == number
    assert "Send" in ast.unparse(lists[0].elts[-1])


@pytest.mark.parametrize(
    "document",
    [", document=given", ", document=iam.PolicyDocument(statements=given)", ", document={'Statement': given}"],
)
def test_what_is_not_written_out_is_left_alone(document: str) -> None:
    assert joined(policy_of(document), "document", NEW) is None


@pytest.mark.parametrize(
    ("change", "refuses"),
    [
        (("", ""), True),
        (("DENY", "ALLOW"), False),
        (("s3:*", "s3:GetObject"), False),
        (("AnyPrincipal()", "AccountRootPrincipal()"), False),
        (("'false'}", "'true'}"), False),
        (("'false'}}", "'false'}, 'StringEquals': {'aws:PrincipalOrgID': 'o-1'}}"), False),
    ],
)
def test_a_statement_refuses_requests_without_tls(change: tuple[str, str], refuses: bool) -> None:
    text = (
        "iam.PolicyStatement(effect=iam.Effect.DENY, principals=[iam.AnyPrincipal()], actions=['s3:*'], "
        "resources=[a], conditions={'Bool': {'aws:SecureTransport': 'false'}})"
    )
    (found,) = statements(text.replace(*change))
    assert found.refuses_insecure("*", "s3:*") == refuses


def test_the_statement_that_refuses_requests_without_tls_is_read_as_one() -> None:
    new = insecure_refused(("s3:*",), ("a", "b"))
    (found,) = statements(new.call({name: name for name in new.uses}))
    assert found.refuses_insecure("s3:*")


@pytest.mark.parametrize(
    ("text", "everybody"),
    [
        ("iam.PolicyStatement(principals=[iam.AnyPrincipal()])", True),
        ("iam.PolicyStatement(effect=iam.Effect.DENY, principals=[iam.AnyPrincipal()])", False),
        ("iam.PolicyStatement(principals=[iam.ServicePrincipal('x')])", False),
        ("iam.PolicyStatement(not_principals=[iam.ServicePrincipal('x')])", True),
        ("{'Statement': [{'Effect': 'Deny', 'Principal': '*'}, {'Effect': 'Allow', 'Principal': {'AWS': '*'}}]}", True),
        ("{'Statement': [{'Effect': 'Deny', 'Principal': '*'}]}", False),
        ("statement.add_arn_principal('*')", True),
    ],
)
def test_everybody_is_allowed_something(text: str, everybody: bool) -> None:
    assert allows_everybody(text) == everybody


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("iam.PolicyStatement(actions=[])", True),
        ("iam.PolicyStatement.from_json(given)", True),
        ("iam.PolicyStatement(**{'actions': []})", True),
        ("iam.PolicyStatement(**given)", False),
        ("{'Statement': given}", True),
        ("readable(bucket)", False),
        ("given", False),
    ],
)
def test_what_is_written_out_is_a_policy_or_a_statement(text: str, written: bool) -> None:
    assert is_written_out(text) == written


@pytest.mark.parametrize(
    ("line", "widened"),
    [
        ("one.add_any_principal()", True),
        ("one.add_principals(iam.AnyPrincipal())", True),
        ("one.add_principals(iam.ServicePrincipal('x'))", False),
        ("other.add_any_principal()", False),
    ],
)
def test_principals_are_added_later(line: str, widened: bool) -> None:
    (file,) = load(CdkFacts("."), {"app.py": f"{IMPORTS}{line}\n".encode()}).files()
    assert is_widened(file, "one") == widened
