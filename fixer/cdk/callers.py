"""What calls the Lambda functions of CDK apps, as far as their code shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.calls import Call
from fixer.cdk.durations import seconds
from fixer.cdk.elsewhere import readers
from fixer.cdk.functions import HIGH_LEVEL, LOW_LEVEL, involves
from fixer.cdk.tree import dotted
from fixer.model import Absent, Caller, Known

if TYPE_CHECKING:
    from fixer.cdk.calls import Construct

_WAITING = (
    "aws_apigateway.LambdaIntegration",
    "aws_apigateway.LambdaRestApi",
    "aws_apigateway.RequestAuthorizer",
    "aws_apigateway.TokenAuthorizer",
    "aws_apigateway.CfnAuthorizer",
    "aws_apigateway.CfnMethod",
    "aws_apigateway.CfnMethod.IntegrationProperty",
    "aws_apigatewayv2.CfnAuthorizer",
    "aws_apigatewayv2.CfnIntegration",
    "aws_apigatewayv2_authorizers.HttpLambdaAuthorizer",
    "aws_apigatewayv2_authorizers.WebSocketLambdaAuthorizer",
    "aws_apigatewayv2_authorizers_alpha.HttpLambdaAuthorizer",
    "aws_apigatewayv2_integrations.HttpLambdaIntegration",
    "aws_apigatewayv2_integrations.LambdaProxyIntegration",
    "aws_apigatewayv2_integrations.LambdaWebSocketIntegration",
    "aws_apigatewayv2_integrations.WebSocketLambdaIntegration",
    "aws_apigatewayv2_integrations_alpha.HttpLambdaIntegration",
    "aws_apigatewayv2_integrations_alpha.WebSocketLambdaIntegration",
    "aws_appsync.LambdaDataSource",
    "aws_appsync.CfnDataSource",
    "aws_appsync.CfnDataSource.LambdaConfigProperty",
    "aws_cognito.UserPoolTriggers",
    "aws_elasticloadbalancingv2_targets.LambdaTarget",
    "aws_lambda.CfnUrl",
    "aws_lambda.FunctionUrl",
)
"""Whatever makes one of these has a client that waits for the function's answer."""
_HANDING_OVER = (
    "aws_cloudformation.CustomResource",
    "aws_events.CfnRule",
    "aws_events_targets.LambdaFunction",
    "aws_iot.CfnTopicRule",
    "aws_iot_actions_alpha.LambdaFunctionAction",
    "aws_kinesisfirehose.LambdaFunctionProcessor",
    "aws_lambda.CfnEventInvokeConfig",
    "aws_lambda.CfnEventSourceMapping",
    "aws_lambda.EventInvokeConfig",
    "aws_lambda.EventSourceMapping",
    "aws_lambda_destinations.LambdaDestination",
    "aws_logs_destinations.LambdaDestination",
    "aws_pipes.CfnPipe",
    "aws_s3.CfnBucket",
    "aws_s3_notifications.LambdaDestination",
    "aws_scheduler.CfnSchedule",
    "aws_scheduler_targets.LambdaInvoke",
    "aws_scheduler_targets_alpha.LambdaInvoke",
    "aws_secretsmanager.RotationSchedule",
    "aws_ses_actions.Lambda",
    "aws_sns.CfnSubscription",
    "aws_sns_subscriptions.LambdaSubscription",
    "aws_stepfunctions_tasks.LambdaInvoke",
    "aws_stepfunctions.CfnStateMachine",
    "CustomResource",
    "CfnCustomResource",
    "custom_resources.AwsCustomResource",
    "custom_resources.Provider",
    "triggers.Trigger",
)
"""These hand work over, or the function does work for them while nobody waits who gives up after seconds."""
_OWN = {
    "add_alias": False,
    "add_event_source": False,
    "add_event_source_mapping": False,
    "add_function_url": True,
    "configure_async_invoke": False,
    "grant_invoke": False,
    "grant_invoke_composite_principal": False,
    "grant_invoke_latest_version": False,
    "grant_invoke_url": True,
}
"""Methods of the function that give it a caller, and whether that waits."""
_GIVEN_TO = {"add_lambda_data_source": True, "add_trigger": True, "add_rotation_schedule": False}
"""Methods of others that take the function as an argument."""
_HARMLESS = ("grant", "allow_", "add_dependency", "add_resource_suppressions", "of")
"""How the names of methods start that take the function and don't call it."""
_ALIASES = ("aws_lambda.Alias", "aws_lambda.CfnAlias")
_PRINCIPALS = (
    "apigateway.amazonaws.com",
    "appsync.amazonaws.com",
    "cognito-idp.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
)
_NOT_WAITING = re.compile("X-Amz-Invocation-Type|RESPONSE_STREAM")
"""An integration that does not wait, and an answer that is sent piece by piece."""
_TIMEOUT = re.compile(r"\b(timeout|timeout_in_millis)\s*=")
_USUAL = 30
"""Seconds that API Gateway waits at most, unless its quota is raised."""


def callers(function: Construct) -> Iterator[Caller]:
    """What calls the function, or an alias of it, as far as the app shows it."""
    aliases = [one for one in function.file.constructs(*_ALIASES) if involves(one, function)]
    for one in (function, *aliases):
        yield from _in_file(one, function)
        yield from _in_other_files(one)


def _in_other_files(function: Construct) -> Iterator[Caller]:
    """Files of the app that read an attribute of the name that the function is assigned to."""
    for path in readers(function):
        if function.file.app.file(path):
            yield Caller(path, waits=False)


def _in_file(function: Construct, root: Construct) -> Iterator[Caller]:
    file = function.file
    for names, waits in ((_WAITING, True), (_HANDING_OVER, False)):
        for name in names:
            for call in file.calls(name):
                if involves(call, function):
                    yield _caller(call, function, waits=waits)
    for method, waits in _OWN.items():
        yield from (_caller(call, function, waits=waits) for call in function.methods(method))
    for method, waits in _GIVEN_TO.items():
        yield from (_caller(call, function, waits=waits) for call in file.methods(method) if involves(call, function))
    yield from _permitted(function)
    yield from _handed_on(function)
    if function.has("events"):
        yield Caller("events", waits=False)
    for other in file.constructs(*HIGH_LEVEL, LOW_LEVEL):
        if other.start != root.start and involves(other, function):
            yield _caller(other, function, waits=False)
    for call in file.methods("add_environment"):
        if involves(call, function) and not function.is_meant_by(file.receiver(call), call):
            yield _caller(call, function, waits=False)


def _handed_on(function: Construct) -> Iterator[Caller]:
    """Classes and functions of the app, and methods, that are given the function and may do anything with it."""
    file = function.file
    for site in file.tree.calls:
        name = (dotted(site.node.func) or "").rpartition(".")[2]
        if not name or name in _GIVEN_TO or name.startswith(_HARMLESS) or file.qualified_in(site.node.func, site.scope):
            continue
        given = {dotted(value) for each in site.node.args for value in _values(each.value)}
        call = Call(file, site, name)
        if any(target in given and function.is_meant_by(target, call) for target in function.targets):
            yield Caller(name, waits=False)


def _values(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What an argument is, and what it holds if it is a list, a tuple or a dict."""
    yield node
    if isinstance(node, cst.List | cst.Tuple | cst.Set | cst.Dict):
        for each in node.elements:
            yield from _values(each.value)


def _permitted(function: Construct) -> Iterator[Caller]:
    """Services that a permission lets call it."""
    calls = [*function.methods("add_permission")]
    calls += [call for call in function.file.calls("aws_lambda.CfnPermission") if involves(call, function)]
    for call in calls:
        yield _caller(call, function, waits=any(principal in call.text for principal in _PRINCIPALS))


def _caller(call: Call, function: Construct, *, waits: bool) -> Caller:
    """The caller; in a report it is the class or the method."""
    text = call.text.replace(function.text, "")
    is_patient = _NOT_WAITING.search(text) or (_TIMEOUT.search(text) and not _waits_as_usual(call))
    return Caller(call.name.rpartition(".")[2], waits and not is_patient)


def _waits_as_usual(call: Call) -> bool:
    """Whether an integration's own timeout is not longer than what API Gateway has by default."""
    duration, millis = seconds(call, "timeout"), call.value("timeout_in_millis")
    given = [(one, unit) for one, unit in ((duration, 1), (millis, 1000)) if one is not Absent]
    return bool(given) and all(
        isinstance(one, Known) and isinstance(one.value, int | float) and one.value <= _USUAL * unit
        for one, unit in given
    )


def is_ambiguous(function: Construct) -> bool:
    """Whether what the function is assigned to stands for other things too, so that its callers can't be told."""
    found = function.scope.find(function.target) if function.target and "." not in function.target else None
    return found is not None and len(found[1]) > 1
