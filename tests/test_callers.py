"""What calls Lambda functions, where they write their logs, and what they are called, in both languages."""

from __future__ import annotations

import pytest

from fixer.cdk import Construct
from fixer.cdk import callers as cdk_callers
from fixer.cdk import functions as cdk_functions
from fixer.cdk import load as load_app
from fixer.cdk.durations import seconds
from fixer.facts import CdkFacts, TerraformFacts
from fixer.model import Absent, Caller, Known, Unknown, at_most
from fixer.rules import load as rules
from fixer.terraform import Block, load
from fixer.terraform import callers as tf_callers
from fixer.terraform import functions as tf_functions

HEAD = """from aws_cdk import Duration, Stack, aws_lambda as lambda_, aws_logs as logs
from aws_cdk import aws_apigateway as apigateway, aws_apigatewayv2 as v2, aws_events_targets as targets
from aws_cdk import aws_cognito as cognito


class Shop(Stack):
    def __init__(self, scope, id):
        super().__init__(scope, id)
"""


def made(*lines: str, others: dict[str, str] | None = None) -> Construct:
    """The first function that the lines make in the constructor of a stack."""
    text = HEAD + "".join(f"        {line}\n" for line in lines)
    sources = {"shop.py": text.encode(), **{path: more.encode() for path, more in (others or {}).items()}}
    file = load_app(CdkFacts("."), sources).file("shop.py")
    assert file is not None
    return next(cdk_functions.functions(file))


def declared(text: str) -> Block:
    """The first function of a module."""
    return next(tf_functions.functions(load(TerraformFacts("."), {"main.tf": text.encode()})))


FUNCTION = 'f = lambda_.Function(self, "F")'


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([], []),
        (["apigateway.LambdaIntegration(f)"], [("LambdaIntegration", True)]),
        (["apigateway.LambdaIntegration(f, timeout=Duration.seconds(29))"], [("LambdaIntegration", True)]),
        (["apigateway.LambdaIntegration(f, timeout=Duration.seconds(90))"], [("LambdaIntegration", False)]),
        (
            ["""apigateway.LambdaIntegration(f, request_parameters={"X-Amz-Invocation-Type": "'Event'"})"""],
            [("LambdaIntegration", False)],
        ),
        (["g = f", "apigateway.LambdaRestApi(self, 'A', handler=g)"], [("LambdaRestApi", True)]),
        (["f.add_function_url()"], [("add_function_url", True)]),
        (["f.add_function_url(invoke_mode=lambda_.InvokeMode.RESPONSE_STREAM)"], [("add_function_url", False)]),
        (["pool.add_trigger(cognito.UserPoolOperation.PRE_SIGN_UP, f)"], [("add_trigger", True)]),
        (["targets.LambdaFunction(f)"], [("LambdaFunction", False)]),
        (["f.add_permission('P', principal=x)"], [("add_permission", False)]),
        (["lambda_.Function(self, 'G', environment={'F': f.function_name})"], [("Function", False)]),
        (["f.metric_errors()", "f.add_environment('A', 'b')"], []),
        (["self.schedule(every=1, functions=[f])"], [("schedule", False)]),
        (["table.grant_read_data(f)", "print(f.function_name)"], []),
        (["def other(f):", "    targets.LambdaFunction(f)"], []),
    ],
)
def test_callers_in_the_cdk(lines: list[str], found: list[tuple[str, bool]]) -> None:
    assert [(one.what, one.waits) for one in cdk_callers.callers(made(FUNCTION, *lines))] == found


def test_a_function_that_another_file_uses() -> None:
    app = "from aws_cdk import App\nfrom shop import Shop\nprint(Shop(App(), 'S').handler)\n"
    given = made(FUNCTION, "self.handler = f", others={"app.py": app})
    assert list(cdk_callers.callers(given)) == [Caller("app.py", waits=False)]


def test_a_name_for_two_functions() -> None:
    assert cdk_callers.is_ambiguous(made(FUNCTION, FUNCTION))
    assert not cdk_callers.is_ambiguous(made(FUNCTION))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", Absent),
        ("timeout=None", Absent),
        ("timeout=Duration.minutes(2)", Known(120)),
        ("timeout=Duration.minutes(amount=2)", Known(120)),
        ("timeout=given", Known(60)),
        ("timeout=5", Known(5)),
        ("timeout=Duration.seconds(scope.x)", Unknown("is set from `scope.x`")),
        ("timeout=Duration.parse('PT5M')", Unknown("is the result of Duration.parse(...)")),
        ("timeout='5'", Unknown("is no duration")),
    ],
)
def test_seconds(text: str, value: object) -> None:
    found = seconds(made("given = Duration.seconds(60)", f'lambda_.Function(self, "F", {text})'), "timeout")
    assert found == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ('resource "aws_lambda_function_url" "u" {\n  function_name = "f"\n}', [("aws_lambda_function_url.u", True)]),
        (
            'resource "aws_lambda_permission" "p" {\n  function_name = aws_lambda_function.f.arn\n'
            '  principal = "events.amazonaws.com"\n}',
            [("aws_lambda_permission.p", False)],
        ),
        (
            "locals {\n  arn = aws_lambda_function.f.invoke_arn\n}\n"
            'resource "aws_api_gateway_integration" "i" {\n  uri = local.arn\n}',
            [("aws_api_gateway_integration.i", True)],
        ),
        (
            'resource "aws_apigatewayv2_integration" "i" {\n  integration_uri = aws_lambda_function.f.arn\n'
            "  timeout_milliseconds = 29000\n}",
            [("aws_apigatewayv2_integration.i", True)],
        ),
        (
            'resource "aws_api_gateway_integration" "i" {\n  uri = aws_lambda_function.f.arn\n'
            "  timeout_milliseconds = 90000\n}",
            [("aws_api_gateway_integration.i", False)],
        ),
        ('module "m" {\n  source = "./m"\n  arn = aws_lambda_function.f.arn\n}', [("module.m", False)]),
        ('output "arn" {\n  value = aws_lambda_function.f.arn\n}', []),
    ],
)
def test_callers_in_terraform(text: str, found: list[tuple[str, bool]]) -> None:
    function = declared(f'resource "aws_lambda_function" "f" {{\n  function_name = "f"\n}}\n{text}\n')
    assert [(one.what, one.waits) for one in tf_callers.callers(function)] == found


@pytest.mark.parametrize(
    ("name", "group", "verdict"),
    [
        ('"f"', '"/aws/lambda/f"', True),
        ('"f"', '"/aws/lambda/g"', False),
        ('"f"', '"/aws/lambda/${aws_lambda_function.f.function_name}"', True),
        ('"${var.p}-f"', '"/aws/lambda/${var.p}-f"', True),
        ('"${var.p}-f"', '"/aws/lambda/${var.p}-g"', False),
        ("var.f", '"/aws/lambda/${var.f}"', True),
        ('"f"', '"/shop/f"', False),
        ('"f"', "var.group", None),
    ],
)
def test_the_log_group_of_a_function(name: str, group: str, verdict: bool | None) -> None:
    block = f'resource "aws_lambda_function" "f" {{\n  function_name = {name}\n}}\n'
    variables = 'variable "p" {}\nvariable "f" {}\nvariable "group" {}\n'
    there = f'resource "aws_cloudwatch_log_group" "g" {{\n  name = {group}\n}}\n'
    for text in ("aws_cloudwatch_log_group.g.name", group):
        more = f'resource "aws_cloudwatch_log_metric_filter" "m" {{\n  log_group_name = {text}\n}}\n'
        function = declared(block + variables + (there if "_group.g" in text else "") + more)
        named = next(function.module.resources("aws_cloudwatch_log_metric_filter")).attribute("log_group_name")
        assert named is not None
        assert tf_functions.writes_to(function, named.expr) is verdict


@pytest.mark.parametrize(
    ("function", "lines", "verdict"),
    [
        ("", ["f.log_group.add_metric_filter('M')"], True),
        (", log_group=g", ["g.add_metric_filter('M')"], True),
        (", log_group=g", ["h = logs.LogGroup(self, 'H')", "h.add_metric_filter('M')"], False),
        (", log_group=g", ["self.g = g", "self.g.add_metric_filter('M')"], True),
        ("", ["g.add_metric_filter('M')"], False),
        (
            "",
            [
                "n = logs.LogGroup(self, 'N', log_group_name=f'/aws/lambda/{f.function_name}')",
                "n.add_metric_filter('M')",
            ],
            True,
        ),
        (
            ", function_name='f'",
            ["n = logs.LogGroup(self, 'N', log_group_name='/aws/lambda/f')", "n.add_metric_filter('M')"],
            True,
        ),
        (
            ", function_name='f'",
            ["n = logs.LogGroup(self, 'N', log_group_name='/aws/lambda/g')", "n.add_metric_filter('M')"],
            False,
        ),
        ("", ["scope.group.add_metric_filter('M')"], None),
    ],
)
def test_the_log_group_of_a_function_in_the_cdk(function: str, lines: list[str], verdict: bool | None) -> None:
    found = made("g = logs.LogGroup(self, 'G')", f'f = lambda_.Function(self, "F"{function})', *lines)
    call = next(found.file.methods("add_metric_filter"))
    assert cdk_functions.writes_to(found, found.file.receiver(call), call) is verdict


def test_names() -> None:
    block = declared('resource "aws_lambda_function" "f" {\n  function_name = "shop-f"\n}\n')
    assert [tf_functions.is_named(block, [one]) for one in ("f", "shop-*", "*.f", "g")] == [True, True, True, False]
    given = made('f = lambda_.Function(self, "Orders", function_name="shop-f")')
    assert [cdk_functions.is_named(given, [one]) for one in ("f", "shop-*", "Ord*", "g")] == [True, True, True, False]


def test_a_limit() -> None:
    assert [at_most(30)(value) for value in (30, "30", 31, "x", None, True)] == [True, True, False, False, False, False]


@pytest.mark.parametrize("name", ["lambda-json-logging", "lambda-timeout", "lambda-tracing"])
def test_a_file_that_cannot_be_read_may_decide(name: str) -> None:
    text = (
        'resource "aws_lambda_function" "f" {\n  role = aws_iam_role.r.arn\n  timeout = 60\n}\n'
        'resource "aws_iam_role" "r" {}\n'
        'resource "aws_lambda_function_url" "u" {\n  function_name = aws_lambda_function.f.arn\n}\n'
    )
    (rule,) = (one for one in rules() if one.name == name)
    assert rule.check_terraform is not None
    for others, is_fixed in (({}, True), ({"broken.tf": b"resource {"}, False)):
        (found,) = rule.check_terraform(load(TerraformFacts("."), {"main.tf": text.encode(), **others}), rule.options())
        assert (found.fix is not None) is is_fixed
