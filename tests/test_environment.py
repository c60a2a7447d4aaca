"""Where code has its environment, in both languages, and when that is production."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from fixer.cdk import environment as cdk_environment
from fixer.cdk import load
from fixer.cdk.environment import Environments, Source, in_production, is_for_some
from fixer.environment import check_production, names_one, tells_apart
from fixer.facts import CdkFacts, TerraformFacts
from fixer.proof.templates import Template, compare
from fixer.terraform import environment
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


@pytest.mark.parametrize(
    ("wanted", "elsewhere", "code"),
    [
        ('"PLUS"', "null", 'var.env == "prod" ? "PLUS" : null'),
        ("true", "false", 'var.env == "prod"'),
        ("false", "true", 'var.env != "prod"'),
    ],
)
def test_a_setting_of_a_module_depends_on_its_environment(wanted: str, elsewhere: str, code: str) -> None:
    assert environment.in_production('var.env == "prod"', wanted, elsewhere) == code
    assert environment.in_production(None, wanted, elsewhere) == wanted


@pytest.mark.parametrize(
    ("wanted", "elsewhere", "code"),
    [
        ("Mfa.ON", "None", 'Mfa.ON if env_name == "prod" else None'),
        ("True", "False", 'env_name == "prod"'),
        ("False", "True", 'env_name != "prod"'),
    ],
)
def test_a_setting_of_a_stack_depends_on_its_environment(wanted: str, elsewhere: str, code: str) -> None:
    assert in_production(Source('env_name == "prod"', "env_name"), wanted, elsewhere) == code
    assert in_production(None, wanted, elsewhere) == wanted


@pytest.mark.parametrize(
    ("code", "opposite"),
    [
        ("is_prod", "not is_prod"),
        ('env in ("a", "b")', 'env not in ("a", "b")'),
        ('env not in ("a", "b")', 'env in ("a", "b")'),
        ('env == "a" and is_new', 'not (env == "a" and is_new)'),
        ("prod()", "not (prod())"),
    ],
)
def test_conditions_in_python_have_opposites(code: str, opposite: str) -> None:
    assert cdk_environment.negated(code) == opposite


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        ('if env_name != "prod":', True),
        ("if is_dev:", True),
        ("if bucket_name:", False),
        ("for name in names:", False),
    ],
)
def test_some_calls_are_for_some_environments(around: str, expected: bool) -> None:
    source = f"from aws_cdk import aws_s3 as s3\n\n\ndef f():\n    {around}\n        s3.Bucket(x, 'Data')\n"
    (file,) = load(CdkFacts("."), {"stack.py": source.encode()}).files()
    (bucket,) = file.constructs("aws_s3.Bucket")
    assert is_for_some(bucket) is expected


@pytest.mark.parametrize(
    ("argument", "some", "each"),
    [
        ("", False, False),
        ('count = var.environment == "dev" ? 1 : 0', True, False),
        ("count = var.is_needed ? 1 : 0", False, False),
        ("for_each = var.environments", False, True),
        ('for_each = toset(["dev", "prod"])', False, True),
        ("for_each = local.all", False, True),
        ('for_each = toset(["a", "b"])', False, False),
    ],
)
def test_some_resources_are_for_some_environments(argument: str, some: bool, each: bool) -> None:
    text = f'resource "aws_s3_bucket" "x" {{\n  {argument}\n}}\nlocals {{\n  all = {{\n    prod = 1\n  }}\n}}\n'
    (bucket,) = load_module(TerraformFacts(), {"main.tf": text.encode()}).resources("aws_s3_bucket")
    assert environment.is_for_some(bucket) is some
    assert environment.is_for_each(bucket) is each


def test_production_has_names() -> None:
    check_production(("prod", "live-eu"))
    for names in ((), ("",), ("a b",)):
        with pytest.raises(ValueError, match="production: expects names"):
            check_production(names)


def test_some_code_names_an_environment() -> None:
    assert names_one('var.x == "prod"')
    assert not names_one('var.x == "products"')


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
