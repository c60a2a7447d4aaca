"""Alarms of CloudWatch: what they watch and whom they notify, in both languages."""

from __future__ import annotations

import pytest

from fixer.cdk import load as load_app
from fixer.cdk.alarms import Alarms, Place, named
from fixer.facts import CdkFacts, TerraformFacts
from fixer.model import Edit, Manual
from fixer.terraform import Module, load
from fixer.terraform.alarms import is_watched, notified

FUNCTION = 'resource "aws_lambda_function" "f" {\n  function_name = "orders"\n}\n'
ERRORS = 'metric_name = "Errors"\nnamespace = "AWS/Lambda"\n'


def module(text: str) -> Module:
    return load(TerraformFacts("."), {"main.tf": (FUNCTION + text).encode()})


def alarm(body: str) -> str:
    return f'resource "aws_cloudwatch_metric_alarm" "a" {{\n{body}\n}}\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        (alarm(ERRORS + "dimensions = { FunctionName = aws_lambda_function.f.function_name }"), True),
        (alarm(ERRORS + 'dimensions = { FunctionName = "orders" }'), True),
        (alarm(ERRORS + 'dimensions = { FunctionName = "others" }'), False),
        (alarm(ERRORS + "dimensions = { FunctionName = var.name }"), None),
        (alarm(ERRORS + "dimensions = { FunctionName = aws_lambda_function.g.function_name }"), False),
        (alarm(ERRORS + "dimensions = local.dimensions"), None),
        (alarm(ERRORS), True),
        (alarm(ERRORS.replace("AWS/Lambda", "Shop") + 'dimensions = { FunctionName = "orders" }'), False),
        (alarm('metric_name = "Throttles"\ndimensions = { FunctionName = "orders" }'), False),
        (alarm(f'metric_query {{\nmetric {{\n{ERRORS}dimensions = {{ FunctionName = "orders" }}\n}}\n}}'), True),
        (alarm('for_each = var.m\nmetric_name = each.value\ndimensions = { FunctionName = "orders" }'), None),
        (
            alarm('for_each = toset(["Errors"])\nmetric_name = each.value\ndimensions = { FunctionName = "orders" }'),
            True,
        ),
        ('module "alarms" {\n  function = aws_lambda_function.f.arn\n}\n', True),
        ('module "monitoring" {\n  function = aws_lambda_function.f.arn\n}\n', None),
        ('module "api" {\n  function = aws_lambda_function.f.arn\n}\n', False),
    ],
)
def test_what_alarms_of_a_module_watch(text: str, expected: bool | None) -> None:
    there = module(text)
    block = there.resource("aws_lambda_function.f")
    assert block is not None
    assert is_watched(there, block, ("Errors",), "FunctionName") is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ('resource "aws_sns_topic" "orders" {}', None),
        ('resource "aws_sns_topic" "ops_alerts" {}', "aws_sns_topic.ops_alerts.arn"),
        ('resource "aws_sns_topic" "security_alerts" {}', None),
        (alarm("alarm_actions = [aws_sns_topic.x.arn]") + 'resource "aws_sns_topic" "x" {}', "aws_sns_topic.x.arn"),
        (alarm("alarm_actions = [aws_autoscaling_policy.x.arn]"), None),
        ('variable "alarm_topic_arn" {}', "var.alarm_topic_arn"),
        ('variable "alarm_topic_arn" {\n  default = ""\n}', None),
        ('resource "aws_sns_topic" "alarms" {\n  provider = aws.west\n}', None),
    ],
)
def test_the_topic_of_a_module(text: str, expected: str | None) -> None:
    there = module(text)
    block = there.resource("aws_lambda_function.f")
    assert block is not None
    assert notified(there, block) == expected


def test_a_topic_that_is_not_always_there() -> None:
    there = module('resource "aws_sns_topic" "alarms" {\n  count = 1\n}')
    block = there.resource("aws_lambda_function.f")
    assert block is not None
    assert isinstance(notified(there, block), Manual)


HEAD = """\
from aws_cdk import Stack, aws_cloudwatch, aws_cloudwatch_actions, aws_lambda, aws_sns


class Shop(Stack):
    def __init__(self, scope, construct_id):
        super().__init__(scope, construct_id)
"""
MADE = '        self.fn = aws_lambda.Function(self, "Fn", function_name="orders")\n'


def alarms(body: str) -> Alarms:
    app = load_app(CdkFacts("."), {"stack.py": (HEAD + body).encode()})
    (file,) = app.files()
    return Alarms(file, list(file.constructs("aws_lambda.Function")))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", False),
        ('self.fn.metric_errors().create_alarm(self, "A")', True),
        ('aws_cloudwatch.Alarm(self, "A", metric=self.fn.metric_errors())', True),
        ('aws_cloudwatch.Alarm(self, "A", metric=self.fn.metric_throttles())', False),
        ('aws_cloudwatch.Alarm(self, "A", metric=self.fn.metric("Errors"))', True),
        ('m = self.fn.metric_errors()\n        aws_cloudwatch.Alarm(self, "A", metric=m)', True),
        ("aws_cloudwatch.GraphWidget(left=[self.fn.metric_errors()])", False),
        ("self.add_alarm(self.fn.metric_errors())", True),
        ("keep(self.fn.metric_errors())", None),
        ('aws_cloudwatch.Alarm(self, "A", metric=scope.fn.metric_errors())', None),
        ('aws_cloudwatch.CfnAlarm(self, "A", metric_name="Errors", dimensions=[dict(name="N", value="x")])', False),
        (
            'aws_cloudwatch.Alarm(self, "A", metric=aws_cloudwatch.Metric(namespace="AWS/Lambda", '
            'metric_name="Errors", dimensions_map={"FunctionName": self.fn.function_name}))',
            True,
        ),
        (
            'aws_cloudwatch.Alarm(self, "A", metric=aws_cloudwatch.Metric(namespace="AWS/Lambda", '
            'metric_name="Errors", dimensions_map={"FunctionName": "orders"}))',
            True,
        ),
        (
            'aws_cloudwatch.Alarm(self, "A", metric=aws_cloudwatch.Metric(namespace="Shop", '
            'metric_name="Errors", dimensions_map={"FunctionName": "orders"}))',
            False,
        ),
    ],
)
def test_what_alarms_of_a_file_watch(body: str, expected: bool | None) -> None:
    there = alarms(f"{MADE}        {body}\n")
    (function,) = there.watchable
    assert there.is_watched(function, ("metric_errors",), ("Errors",)) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (MADE, None),
        (f'        topic = aws_sns.Topic(self, "Alarms")\n{MADE}', "topic"),
        (f'        topic = aws_sns.Topic(self, "Orders")\n{MADE}', None),
        (f'{MADE}        topic = aws_sns.Topic(self, "O")\n        aws_cloudwatch_actions.SnsAction(topic)\n', "topic"),
        (f'        if scope:\n            topic = aws_sns.Topic(self, "Alarms")\n{MADE}', Manual),
    ],
)
def test_the_topic_of_a_class(body: str, expected: object) -> None:
    there = alarms(body)
    (function,) = there.watchable
    found = there.topic(function)
    assert (found.topic if isinstance(found, Place) else found and Manual) == expected


SINCE = (2, 100, 0)
SPELLED = {"aws_sns.Topic": "sns.Topic", "aws_kms.Key": "kms.Key"}


def test_a_topic_that_is_still_to_be_made() -> None:
    there = alarms(MADE)
    (function,) = there.watchable
    place = there.new_topic(function, "", SINCE)
    assert isinstance(place, Place)
    assert place.names == ("aws_sns.Topic", "aws_kms.Key", "aws_iam.ServicePrincipal")
    spelled = {**SPELLED, "aws_iam.ServicePrincipal": "aws_iam.ServicePrincipal"}
    (edit,) = made if isinstance(made := place.made(spelled, ()), tuple) else ()
    assert 'self.alarm_topic = sns.Topic(self, "AlarmTopic", master_key=alarm_topic_key, enforce_ssl=True)' in " ".join(
        edit.text.split()
    ).replace("( ", "(").replace(", )", ")").replace(" )", ")")
    assert edit.start < function.start
    late = Edit("stack.py", function.start, function.start, "import x")
    assert isinstance(place.made(spelled, (late,)), Manual)


def test_a_topic_for_an_older_cdk() -> None:
    app = load_app(CdkFacts(".", (2, 0, 0)), {"stack.py": (HEAD + MADE).encode()})
    (file,) = app.files()
    (function,) = file.constructs("aws_lambda.Function")
    place = Alarms(file, [function]).new_topic(function, "", SINCE)
    assert isinstance(place, Place)
    assert place.names[3:] == ("aws_iam.PolicyStatement", "aws_iam.Effect.DENY", "aws_iam.AnyPrincipal")


def test_a_topic_that_is_only_read() -> None:
    there = alarms(MADE)
    (function,) = there.watchable
    place = there.new_topic(function, "arn:aws:sns:x", SINCE)
    assert isinstance(place, Place)
    (edit,) = made if isinstance(made := place.made(SPELLED, ()), tuple) else ()
    assert "self.alarm_topic = sns.Topic.from_topic_arn(" in edit.text
    assert Place("topic", function).made(SPELLED, ()) == ()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"        self.alarm_topic = None\n{MADE}", "The class has an alarm_topic"),
        (f'        aws_sns.Topic(self, "AlarmTopic")\n{MADE}', "The class has an alarm_topic"),
        (f'{MADE}\n\n\ndef make(scope):\n    return aws_lambda.Function(scope, "Other")\n', "It is not made by"),
    ],
)
def test_a_topic_that_has_no_place(body: str, reason: str) -> None:
    there = alarms(body)
    found = there.new_topic(there.watchable[-1], "", SINCE)
    assert isinstance(found, Manual)
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('fn = aws_lambda.Function(self, "Fn")', "fn"),
        ('aws_lambda.Function(self, "OrderApi-fn")', "order_api_fn"),
        ('return aws_lambda.Function(self, "Fn")', "fn"),
        ('print(aws_lambda.Function(self, "Fn"))', None),
        ('aws_lambda.Function(self,\n                            "Fn")', None),
    ],
)
def test_names_of_constructs(body: str, name: str | None) -> None:
    (function,) = alarms(f"        {body}\n").watchable
    found = named(function)
    assert (found.name if found else None) == name
