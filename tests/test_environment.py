"""Where code has its environment, in both languages, and when that is production."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from fixer.cdk import load
from fixer.cdk.environment import Environments, Source
from fixer.environment import tells_apart
from fixer.facts import CdkFacts, TerraformFacts
from fixer.proof.templates import Template, compare
from fixer.terraform import load as load_module
from fixer.terraform.environment import negated, production


def asked(parameters: str, body: str, *, attribute: bool = False, often: bool = False) -> Source | None:
    """The condition for a bucket that is made at the end of a stack's `__init__`."""
    lines = indent(dedent(body), " " * 8)
    source = (
        "from aws_cdk import Stack, aws_s3 as s3\n\n\nclass Shop(Stack):\n"
        f"    def __init__(self, scope, id, {parameters}):\n        super().__init__(scope, id)\n{lines}\n"
        '        s3.Bucket(self, "Data")\n'
    )
    file = next(load(CdkFacts("."), {"stack.py": source.encode()}).files())
    (bucket,) = file.constructs("aws_s3.Bucket")
    return Environments(file).production(bucket.scope, bucket.start, attribute=attribute, often=often)


@pytest.mark.parametrize(
    ("parameters", "body", "code", "line"),
    [
        ("env_name: str", "x = env_name == 'prod'", 'env_name == "prod"', ""),
        ("env_name: str", "x = env_name in ['prod', 'dev']", 'env_name == "prod"', ""),
        ("env_name: str = 'Production'", "", 'env_name == "Production"', ""),
        ("env_name: str", "", "is_production", 'is_production = env_name in ("prod", "production", "prd")'),
        ("env_name: str", "is_prod = env_name == 'live'", "is_prod", ""),
        ("is_production: bool", "", "is_production", ""),
        (
            "environment_suffix: str, env_name: str",
            "x = environment_suffix != 'prd'",
            'environment_suffix == "prd"',
            "",
        ),
        ("environment_suffix='', env_name='prod'", "", 'env_name == "prod"', ""),
        ("env_name", "if not env_name:\n    env_name = 'prod'", 'env_name == "prod"', ""),
        ("props", "x = props.environment == 'prod'", 'props.environment == "prod"', ""),
    ],
)
def test_a_stack_knows_whether_it_is_production(parameters: str, body: str, code: str, line: str) -> None:
    found = asked(parameters, body)
    assert found is not None
    assert found.code == code
    assert [edit.text.strip() for edit in found.edits] == ([line] if line else [])


@pytest.mark.parametrize(
    ("parameters", "body"),
    [
        ("name: str", ""),
        ("env", ""),
        ("is_production", ""),
        ("x", "environment = CfnParameter(self, 'E').value_as_string"),
        ("env_name: str = None", ""),
        ("x", "if x: env_name = 'prod'"),
        ("env", "x = f'{env.region}'"),
    ],
)
def test_a_stack_may_not_know_its_environment(parameters: str, body: str) -> None:
    assert asked(parameters, body) is None


def test_what_is_needed_often_or_elsewhere_gets_a_name() -> None:
    often = asked("stage='prod'", "", often=True)
    assert often is not None
    assert (often.code, often.edits[0].text.strip()) == ("is_production", 'is_production = stage == "prod"')
    shared = asked("stage='prod'", "", often=True, attribute=True)
    assert shared is not None
    assert (shared.code, shared.edits[0].text.strip()) == ("self.is_production", 'self.is_production = stage == "prod"')


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ('variable "environment" {}', 'contains(["prod", "production", "prd"], var.environment)'),
        ('variable "environment" {\n  default = "Prod"\n}', 'var.environment == "Prod"'),
        ('variable "env" {}\nlocals {\n  x = var.env == "prd" ? 1 : 0\n}', 'var.env == "prd"'),
        ('variable "environment_suffix" {}\nvariable "stage" {\n  default = "prod"\n}', 'var.stage == "prod"'),
        ('variable "environment" {\n  type = map(string)\n}', None),
        ('locals {\n  environment = "prod"\n  x = local.environment == "prod"\n}', 'local.environment == "prod"'),
        ('locals {\n  is_prod = var.a == "b"\n}', "local.is_prod"),
        ('variable "is_production" {\n  type = bool\n}', "var.is_production"),
        (
            'output "o" {\n  value = terraform.workspace\n}',
            'contains(["prod", "production", "prd"], terraform.workspace)',
        ),
        ('variable "name" {}', None),
    ],
)
def test_a_module_knows_whether_it_is_production(text: str, condition: str | None) -> None:
    assert production(load_module(TerraformFacts(), {"main.tf": text.encode()})) == condition


def test_conditions_have_opposites() -> None:
    assert negated('var.environment == "prod"') == 'var.environment != "prod"'
    assert negated("local.is_prod") == "!local.is_prod"
    assert negated('contains(["a"], var.b)') == '!contains(["a"], var.b)'


def test_some_words_tell_environments_apart() -> None:
    assert tells_apart("var.environment_suffix")
    assert tells_apart("Aws.STACK_NAME")
    assert not tells_apart("env.region")


def test_what_empties_a_bucket_is_a_setting_of_the_bucket() -> None:
    provider = "CustomS3AutoDeleteObjectsCustomResourceProvider"
    role = {"Fn::GetAtt": [f"{provider}RoleA1", "Arn"]}
    policy = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": role}}]}
    bucket = {"Data": {"Type": "AWS::S3::Bucket"}}
    emptied = {
        **bucket,
        "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": policy}},
        "Auto": {"Type": "Custom::S3AutoDeleteObjects"},
        f"{provider}RoleA1": {"Type": "AWS::IAM::Role"},
    }
    found = compare({"a": Template("a", (), {"Resources": emptied})}, {"a": Template("a", (), {"Resources": bucket})})
    assert not found.removed
    assert found.changed == {"a.Policy", "a.Auto", f"a.{provider}RoleA1"}
