"""Stages of API Gateway: which there are, and what is meant by what names them, in both languages."""

from __future__ import annotations

import pytest

from fixer.cdk import load as load_app
from fixer.cdk.apis import REST_APIS, method_settings
from fixer.facts import CdkFacts, TerraformFacts
from fixer.terraform import Module, load
from fixer.terraform.apis import api_of, is_meant, of_same_api, rest_stages

API = 'resource "aws_api_gateway_rest_api" "a" {}\nresource "aws_api_gateway_rest_api" "b" {}\n'


def module(text: str) -> Module:
    return load(TerraformFacts("."), {"main.tf": (API + text).encode()})


def resource(kind: str, name: str, *lines: str) -> str:
    return f'resource "aws_api_gateway_{kind}" "{name}" {{\n' + "".join(f"  {line}\n" for line in lines) + "}\n"


OF_A = "rest_api_id = aws_api_gateway_rest_api.a.id"
STAGE = resource("stage", "s", OF_A, 'stage_name = "prod"')


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        (STAGE, ["stage.s"]),
        (resource("stage", "s", OF_A), []),
        (resource("deployment", "d", OF_A), []),
        (resource("deployment", "d", OF_A, 'stage_name = "prod"'), ["deployment.d"]),
        (STAGE + resource("deployment", "d", OF_A, 'stage_name = "prod"'), ["stage.s"]),
        (STAGE + resource("deployment", "d", OF_A, 'stage_name = "test"'), ["stage.s", "deployment.d"]),
    ],
)
def test_stages(text: str, stages: list[str]) -> None:
    assert [one.address for one in rest_stages(module(text))] == [f"aws_api_gateway_{one}" for one in stages]


def test_the_api_of_a_stage_and_what_else_is_of_it() -> None:
    there = module(
        STAGE
        + "locals {\n  api = aws_api_gateway_rest_api.a.id\n}\n"
        + resource("method", "one", OF_A)
        + resource("method", "two", "rest_api_id = local.api")
        + resource("method", "three", "rest_api_id = aws_api_gateway_rest_api.b.id")
        + resource("stage", "elsewhere", "rest_api_id = var.api", 'stage_name = "prod"')
        + resource("method", "four", "rest_api_id = var.api")
    )
    stage, other = rest_stages(there)
    api = api_of(stage)
    assert api is not None
    assert api.address == "aws_api_gateway_rest_api.a"
    assert api_of(other) is None
    assert [one.name for one in of_same_api(stage, "aws_api_gateway_method")] == ["one", "two"]
    assert [one.name for one in of_same_api(other, "aws_api_gateway_method")] == ["four"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("rest_api_id = var.api", "stage_name = aws_api_gateway_stage.s.stage_name"), True),
        (("rest_api_id = aws_api_gateway_stage.s.rest_api_id", 'stage_name = "prod"'), True),
        ((OF_A, 'stage_name = "prod"'), True),
        ((OF_A, 'stage_name = "test"'), False),
        ((OF_A, "stage_name = var.stage"), None),
        ((OF_A,), None),
        (("rest_api_id = aws_api_gateway_rest_api.b.id", 'stage_name = "prod"'), False),
    ],
)
def test_what_names_a_stage(lines: tuple[str, ...], expected: bool | None) -> None:
    there = module(STAGE + resource("method_settings", "m", *lines))
    (stage,) = rest_stages(there)
    (settings,) = there.all_resources("aws_api_gateway_method_settings")
    assert is_meant(stage, settings.attribute("rest_api_id"), settings.attribute("stage_name")) is expected


# ---- CDK Python --------------------------------------------------------------------------------

ORDERS = 'orders = apigateway.RestApi(self, "Orders")\n'
ADDED = 'item = orders.root.add_resource("item")\nitem.add_method("GET", api_key_required=True)\n'
DEFAULT = "default_method_options=apigateway.MethodOptions(api_key_required=True)"


@pytest.mark.parametrize(
    ("lines", "methods"),
    [
        (ORDERS, []),
        (ORDERS + ADDED, ["add_method"]),
        (ORDERS + 'self.other.add_method("GET")\n', ["add_method"]),
        (ORDERS + 'apigateway.RestApi(self, "Other")\nself.other.add_method("GET")\n', []),
        (ORDERS + 'apigateway.RestApi(self, "Other")\n' + ADDED, ["add_method"]),
        (ORDERS.replace('"Orders"', f'"Orders", {DEFAULT}'), ["aws_apigateway.MethodOptions"]),
    ],
)
def test_what_says_how_methods_are(lines: str, methods: list[str]) -> None:
    start = "from aws_cdk import Stack, aws_apigateway as apigateway\n\n\nclass Data(Stack):\n    def make(self):\n"
    text = start + "".join(f"        {line}\n" for line in lines.splitlines())
    (file,) = load_app(CdkFacts("."), {"stack.py": text.encode()}).files()
    api = next(file.constructs(*REST_APIS))
    assert [call.name for call in method_settings(api)] == methods
