"""Which KMS key is taken for a purpose, in both languages, and where a new one is made."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest

from fixer.cdk import load as load_app
from fixer.cdk.keys import Grant
from fixer.cdk.keys import Purpose as StackPurpose
from fixer.cdk.keys import lacks as lacking_constructs
from fixer.facts import CdkFacts, TerraformFacts
from fixer.model import Lack
from fixer.terraform import load
from fixer.terraform.keys import Purpose, Surroundings, lacks
from fixer.terraform.policy_place import NewStatement

WORDS, OTHERS = frozenset(("queue", "queues")), frozenset(("topic",))
STACK = StackPurpose("queues", "Encrypts queues", {"aws_sqs.Queue": "encryption_master_key"}, WORDS, OTHERS, None)


def statement(at: Surroundings) -> NewStatement:
    return NewStatement("AllowMail", ("kms:Decrypt",), ("*",), principals=(("Service", (f"mail.{at.region}.x",)),))


MODULE = Purpose("queues", "Encrypts queues", "aws_sqs_queue", WORDS, OTHERS, statement, r"mail\.", r"only-some")
QUEUE = 'resource "aws_sqs_queue" "q" {\n  name = "q"\n}\n'
MINE = 'data "aws_caller_identity" "me" {}\ndata "aws_region" "here" {}\n'


def constructs(body: str, more: str = "", purpose: StackPurpose = STACK) -> list[Lack]:
    source = "from aws_cdk import Stack, aws_iam as iam, aws_kms as kms, aws_sqs as sqs\n\nclass S(Stack):\n"
    source += "    def __init__(self, scope, id, key):\n        super().__init__(scope, id)\n"
    source += textwrap.indent(textwrap.dedent(body), "        ") + "\n" + textwrap.indent(textwrap.dedent(more), "    ")
    (file,) = load_app(CdkFacts(), {"s.py": source.encode()}).files()
    return list(lacking_constructs(file, purpose))


def outcome(found: Lack) -> str:
    return found.manual.reason if found.manual else "".join(edit.text for edit in found.changes)


def block(text: str) -> str:
    """The outcome for the queue `q`."""
    found = list(lacks(load(TerraformFacts("."), {"main.tf": text.encode()}), MODULE))
    return outcome(next(lack for lack in found if getattr(lack.subject, "name", "") == "q"))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('queue_key = kms.Key(self, "K")\nsqs.Queue(self, "Q")', "encryption_master_key=queue_key"),
        ('k = kms.Key(self, "K", description="For queues")\nsqs.Queue(self, "Q")', "encryption_master_key=k"),
        (
            'k = kms.Key(self, "K")\nsqs.Queue(self, "A", encryption_master_key=k)\nsqs.Queue(self, "Q")',
            "encryption_master_key=k",
        ),
        ('k = kms.Key(self, "QueueTopicKey")\nsqs.Queue(self, "Q")', "queues_key = kms.Key"),
        ('queue_key = kms.Key(self, "K", enabled=False)\nsqs.Queue(self, "Q")', "queues_key = kms.Key"),
        ('queue_key = kms.Key(self, "K", **key)\nsqs.Queue(self, "Q")', "queues_key = kms.Key"),
        ('if key:\n    queue_key = kms.Key(self, "K")\nsqs.Queue(self, "Q")', "queues_key = kms.Key"),
        ('sqs.Queue(self, "Q")\nqueue_key = kms.Key(self, "K")', "queues_key = kms.Key"),
        ('queue_key = kms.Key(self, "K")\nqueue_key = key\nsqs.Queue(self, "Q")', "queues_key = kms.Key"),
        ('sqs.Queue(self, "A", encryption_master_key=key)\nsqs.Queue(self, "Q")', "is given `key`"),
        (
            'queue_a = kms.Key(self, "A")\nqueue_b = kms.Key(self, "B")\nsqs.Queue(self, "Q")',
            "It can't be told which of queue_a and queue_b",
        ),
        ('sqs.Queue(self, "Q", **key)', "can't be judged"),
    ],
)
def test_the_key_of_a_stack(body: str, text: str) -> None:
    (found,) = constructs(body)
    assert text in outcome(found)


@pytest.mark.parametrize(
    ("body", "more", "text"),
    [
        (
            "self.keys()\nself.queues()",
            'def keys(self):\n    self.queue_key = kms.Key(self, "K")\n\ndef queues(self):\n    sqs.Queue(self, "Q")',
            "encryption_master_key=self.queue_key",
        ),
        (
            "self.queues()\nself.keys()",
            'def keys(self):\n    self.queue_key = kms.Key(self, "K")\n\ndef queues(self):\n    sqs.Queue(self, "Q")',
            "        queues_key = kms.Key",
        ),
        (
            "for _ in key:\n    self.queues(_)",
            "def queues(self, name):\n    sqs.Queue(self, name)",
            "self.queues_key =",
        ),
        ("pass", 'def queues(self):\n    sqs.Queue(self, "Q")', "self.queues_key ="),
    ],
)
def test_keys_of_methods(body: str, more: str, text: str) -> None:
    (found,) = constructs(body, more)
    assert text in outcome(found)


GRANT = Grant(
    "{aws_iam.ServicePrincipal}(f'mail.{stack}')", ("aws_iam.ServicePrincipal",), ("kms:*",), r"mail\.", "some"
)


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ("pass", "queue_key.grant("),
        ('queue_key.add_to_resource_policy(iam.PolicyStatement(principals=[iam.ServicePrincipal("x")]))', ".grant("),
        ('queue_key.grant_decrypt(iam.ServicePrincipal("mail.x"))', "encryption_master_key=queue_key"),
        ('mail = iam.ServicePrincipal("mail.x")\nqueue_key.grant_decrypt(mail)', "encryption_master_key=queue_key"),
        ('queue_key.grant_decrypt(iam.ServicePrincipal("some.mail.x"))', "speaks of certain resources"),
        ("queue_key.add_to_resource_policy(key)", "can't be judged"),
    ],
)
def test_a_key_that_must_allow_something(policy: str, text: str) -> None:
    (found,) = constructs(
        f'queue_key = kms.Key(self, "K")\n{policy}\nsqs.Queue(self, "Q")', purpose=replace(STACK, grant=GRANT)
    )
    assert text in outcome(found)
    assert (".grant(" in outcome(found)) is (".grant(" in text)


def test_a_key_stands_outside_of_loops_and_is_the_same_for_all() -> None:
    found = constructs('for name in key:\n    sqs.Queue(self, name)\nsqs.Queue(self, "Last")')
    keys = {edit for lack in found for edit in lack.changes if "kms.Key(" in edit.text}
    assert len(found) == 2
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (QUEUE, 'resource "aws_kms_key" "queues"'),
        (f'resource "aws_kms_key" "queues" {{\n  count = 1\n}}\n{QUEUE}', "aws_kms_key.queues_key.arn"),
        (f'resource "aws_kms_key" "queues" {{\n  key_usage = "SIGN_VERIFY"\n}}\n{QUEUE}', "aws_kms_key.queues_key.arn"),
        (f'resource "aws_kms_key" "a" {{\n  description = "${{var.queue}}"\n}}\n{QUEUE}', "aws_kms_key.queues.arn"),
        (
            f'resource "aws_kms_key" "a" {{\n  policy = "mail.x"\n}}\nresource "aws_kms_alias" "a" {{\n'
            f'  name = "alias/queues"\n  target_key_id = aws_kms_key.a.id\n}}\n{QUEUE}',
            "aws_kms_key.a.arn",
        ),
        (
            f'resource "aws_kms_key" "queue" {{\n  policy = "only-some mail.x"\n}}\n{QUEUE}',
            "speaks of certain resources",
        ),
        (f'resource "aws_kms_key" "queue" {{\n  policy = var.policy\n}}\n{QUEUE}', "can't be extended: it is set by"),
        (f'{MINE}resource "aws_kms_key" "queue" {{}}\n{QUEUE}', "mail.${data.aws_region.here.id}.x"),
        (
            f'{QUEUE}resource "aws_sqs_queue" "other" {{\n  kms_key_id = module.keys.arn\n}}\n',
            "is given module.keys.arn",
        ),
        (QUEUE.replace("{", '{\n  region = "eu-west-1"'), "in a region of its own"),
        (QUEUE.replace("{", "{\n  kms_key_id = var.k") + 'variable "k" {\n  default = null\n}\n', "default is null"),
        (QUEUE.replace("{", "{\n  count = var.on ? 1 : 0"), "aws_kms_key.queues[0].arn"),
    ],
)
def test_the_key_of_a_module(text: str, wanted: str) -> None:
    assert wanted in block(text)


def test_data_sources_go_to_their_file() -> None:
    sources = {"main.tf": QUEUE.encode(), "data.tf": b'data "aws_region" "r" {}\n'}
    (found,) = lacks(load(TerraformFacts("."), sources), MODULE)
    assert {edit.path: "data " in edit.text for edit in found.changes} == {"main.tf": False, "data.tf": True}
