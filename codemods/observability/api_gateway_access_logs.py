"""Log who called an API of API Gateway, when, and what came of it.

## Why

Without access logs nobody can tell afterwards which requests an API had, from where, and which of them it refused:
not for an incident, not for a bill, not for an auditor.

## CDK Python

The stage that `RestApi`, `LambdaRestApi`, `SpecRestApi` or `StepFunctionsRestApi` makes for itself, and `Stage`, get a
log group of their own and the JSON format with the standard fields:

```python
deploy_options=apigateway.StageOptions(
    access_log_destination=apigateway.LogGroupLogDestination(
        logs.LogGroup(self, "OrdersAccessLogs", retention=logs.RetentionDays.ONE_MONTH)
    ),
    access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(...),
)
```

`CfnStage` gets the same as `access_log_setting`. API Gateway writes logs with a role that is set once for the account:
where the feature flag `@aws-cdk/aws-apigateway:disableCloudWatchRole` keeps the CDK from setting it, and nothing in the
app does, an API that is fixed gets `cloud_watch_role=True` too. Impact `behavior`: the stage is updated in place.

## Terraform

`aws_api_gateway_stage` and `aws_apigatewayv2_stage` get `access_log_settings` with a JSON format, and a log group below
them with the stage's own `count`, `for_each` and `provider`; its retention is the module's variable for it, if there is
one. Impact `behavior`.

## Not fixed

- A REST or WebSocket API where nothing shows that the account's role for API Gateway's logs is set: neither an
  `aws_api_gateway_account` (`CfnAccount`) nor another stage that logs. Set it, or tell iacfix by `account_role = true`.
- `HttpApi`, `HttpStage` and `WebSocketStage` of the CDK, which take such settings from Python only by way of their
  `CfnStage`; and that one, whose format is written by hand.
- A stage that a deployment makes by its `stage_name`: declare it as a resource of its own.
- Settings that can't be judged: a condition, `**arguments`, options that are written as a dict or shared, a `dynamic`
  block, JSON. Settings that are there are in order, whatever their format.

## Options

- `days` (default 30): how long the events are kept, where the module has no variable for it.
- `account_role` (default false): whether the role for API Gateway's logs is known to be set in all accounts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codemods._logs import Retention, log_group, retention_member
from fixer.cdk import Call
from fixer.cdk.apis import OPTIONS, rest_stages
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Unknown
from fixer.terraform.apis import REST_STAGE, api_of

if TYPE_CHECKING:
    from fixer.cdk import CdkFile
    from fixer.cdk.apis import RestStage
    from fixer.model import Finding, Lack
    from fixer.terraform import Block, Expr, Module


@dataclass(frozen=True)
class Options(Retention):
    """Options of the rule."""

    account_role: bool = False
    """Whether the role for API Gateway's logs is known to be set in all accounts."""


rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S0-5.3", "S2-4.1"),
    scanners=(
        "CKV_AWS_76",
        "AWS-0001",
        "AVD-AWS-0001",
        "aws-api-gateway-enable-access-logging",
        "1b6799eb-4a7a-4b04-9001-8cceb9999326",
        "AwsSolutions-APIG1",
        "Serverless-APIGWAccessLogging",
        "Serverless-APIGWStructuredLogging",
    ),
    options=Options,
    keywords=("apigateway", "aws_api_gateway"),
)

_MESSAGE = "has no access logs"
_NO_ROLE = Manual(
    "Nothing shows that API Gateway has a role in the account to write logs with",
    "Set the role (aws_api_gateway_account, CfnAccount), or say account_role = true in the rule's options",
)
_OWN_STAGE = Manual(
    "The deployment makes the stage, by its stage_name, and can't have it logged",
    "Declare the stage as a resource of its own, then run iacfix again",
)

# ---- CDK Python --------------------------------------------------------------------------------

_NO_ROLE_BY_DEFAULT = "@aws-cdk/aws-apigateway:disableCloudWatchRole"
_FIELDS = "caller http_method ip protocol request_time resource_path response_length status user"
_FORMAT = "aws_apigateway.AccessLogFormat"
_DESTINATION = "aws_apigateway.LogGroupLogDestination"
_SETTING = "aws_apigateway.CfnStage.AccessLogSettingProperty"
_BY_CHILD = ("aws_apigatewayv2.HttpApi", "aws_apigatewayv2.HttpStage", "aws_apigatewayv2.WebSocketStage")
_LOW_STAGE = "aws_apigatewayv2.CfnStage"
_SUFFIX = "AccessLogs"


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Stages by where their access logs go."""
    for stage in rest_stages(file):
        construct, given = stage.construct, stage.options
        keyword = "access_log_setting" if construct.name.endswith("CfnStage") else "access_log_destination"
        value = stage.value(keyword)
        if construct.overridden("access_log_setting") or (isinstance(given, Call) and given.argument(keyword)):
            continue
        if isinstance(value, Unknown):
            manual = Manual(f"{keyword} can't be judged: it {value.why}", f"Make sure that {keyword} is set there")
            yield construct.finding(rule, _MESSAGE, manual=manual)
        elif value is Absent:
            no_role = None if options.account_role or _has_role(file, stage) else _NO_ROLE
            obstacle = construct.no_companion(_SUFFIX, f"Set {keyword} there") or no_role
            fix = None if obstacle else _logged(file, stage, options)
            yield construct.finding(rule, _MESSAGE, fix=fix, manual=obstacle)
    yield from _by_hand(file)


def _by_hand(file: CdkFile) -> Findings:
    found = list(file.constructs(*_BY_CHILD, _LOW_STAGE))
    is_set = ".access_log_settings" in file.source.decode()
    for construct in found:
        if construct.has("access_log_settings") or construct.overridden("access_log_settings"):
            continue
        if construct.name == _LOW_STAGE:
            manual = Manual("Its format is written by hand", "Set access_log_settings there")
            yield construct.finding(rule, _MESSAGE, manual=manual)
        elif not is_set or len(found) > 1:
            reason = "From Python it takes access logs only by way of its CfnStage"
            reason += ", and it can't be told which of the file's has them" if is_set else ""
            step = "Set access_log_settings on the CfnStage that is the default_child of the stage's node"
            yield construct.finding(rule, _MESSAGE, manual=Manual(reason, step))
    for deployment in file.constructs("aws_apigateway.CfnDeployment"):
        if deployment.value("stage_name") is not Absent:
            yield deployment.finding(rule, _MESSAGE, manual=_OWN_STAGE)


def _is_set_by_default(file: CdkFile) -> bool:
    return dict(file.app.facts.context).get(_NO_ROLE_BY_DEFAULT) is not True


def _sets_role(file: CdkFile) -> bool:
    """Whether the app sets the account's role in so many words."""
    return bool(file.app.holding("cloud_watch_role_arn") or file.app.holding("cloud_watch_role=True"))


def _has_role(file: CdkFile, stage: RestStage) -> bool:
    """Whether the app sets the account's role, as a whole or by the API itself, if need be by the fix."""
    if _sets_role(file):
        return True
    if stage.is_own:
        refused = file.app.holding("cloud_watch_role=False")
        return _is_set_by_default(file) and bool(file.app.holding("RestApi(")) and not refused
    return stage.construct.value("cloud_watch_role") in (Absent, Known(True))


def _logged(file: CdkFile, stage: RestStage, options: Options) -> Fix:
    construct = stage.construct
    retention = retention_member(options.days)
    names = ("aws_logs.LogGroup", retention, _FORMAT, _SETTING if construct.name.endswith("CfnStage") else _DESTINATION)
    spelled, imports = file.spell_all((*names, *((OPTIONS,) if stage.options is Absent else ())), construct)
    group = construct.companion(spelled["aws_logs.LogGroup"], _SUFFIX, f"retention={spelled[retention]}")
    fields = ", ".join(f"{name}=True" for name in _FIELDS.split())
    form = f"{spelled[_FORMAT]}.json_with_standard_fields({fields})"
    if construct.name.endswith("CfnStage"):
        setting = f"{spelled[_SETTING]}(destination_arn={group}.log_group_arn, format={form}.to_string())"
        return Fix((*construct.set("access_log_setting", setting), *imports), Impact.BEHAVIOR)
    values = {"access_log_destination": f"{spelled[_DESTINATION]}({group})"}
    if stage.value("access_log_format") is Absent:
        values["access_log_format"] = form
    needs_role = not stage.is_own and not _is_set_by_default(file) and not _sets_role(file)
    others = {"cloud_watch_role": "True"} if needs_role else {}
    return Fix((*stage.set_all(values, spelled.get(OPTIONS, ""), others), *imports), Impact.BEHAVIOR)


# ---- Terraform ---------------------------------------------------------------------------------

_KINDS = {
    REST_STAGE: ("rest_api_id", "stage_name", "resourcePath"),
    "aws_apigatewayv2_stage": ("api_id", "name", "routeKey"),
}
"""Of each type of stages: the arguments for its API and its name, and what was called."""
_IN_NAMES = re.compile(r"[\w./#-]+")


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """Stages by their `access_log_settings`."""
    for kind in _KINDS:
        for stage in module.all_resources(kind):
            if found := stage.lack("access_log_settings.destination_arn"):
                yield _finding(module, stage, found, options)
    for deployment in module.all_resources("aws_api_gateway_deployment"):
        if deployment.value("stage_name") is not Absent:
            yield deployment.finding(rule, _MESSAGE, manual=_OWN_STAGE, at=deployment.attribute("stage_name"))


def _finding(module: Module, stage: Block, found: Lack, options: Options) -> Finding:
    argument, _, _ = _KINDS[stage.labels[0]]
    attribute, api = stage.attribute(argument), api_of(stage)
    needs_role = stage.labels[0] == REST_STAGE or not api or api.value("protocol_type") != Known("HTTP")
    if found.manual or attribute is None:
        return found.finding(rule, _MESSAGE, manual=Manual(f"It has no {argument}", "Say which API it is a stage of"))
    if needs_role and not options.account_role and not _shows_role(module):
        return found.finding(rule, _MESSAGE, manual=_NO_ROLE)
    called = f'name = "/aws/apigateway/{_group_name(stage, attribute.expr, api)}"'
    group, text = log_group(stage, f"{stage.name}_access_logs", called, options)
    settings = {"destination_arn": f"{group}.arn", "format": _format(stage)}
    edits = stage.set_all({f"access_log_settings.{key}": text for key, text in settings.items()})
    return found.finding(rule, _MESSAGE, also=(*edits, *stage.insert_after(text)))


def _shows_role(module: Module) -> bool:
    """Whether something in the module shows that the account has its role: it is set, or other stages log."""
    return any(module.all_resources("aws_api_gateway_account")) or any(
        stage.blocks("access_log_settings") for stage in module.all_resources(REST_STAGE)
    )


def _group_name(stage: Block, api_id: Expr, api: Block | None) -> str:
    """The end of the log group's name as part of a template: the API, and the stage if its name may stand there."""
    known = api.value("name") if api else Absent
    is_fit = isinstance(known, Known) and _IN_NAMES.fullmatch(str(known.value))
    owner = re.sub(r"\.id\}$", ".name}", api_id.in_template) if is_fit else api_id.in_template
    name = stage.attribute(_KINDS[stage.labels[0]][1])
    literal = stage.module.literal(name.expr) if name else Absent
    if name is None or (isinstance(literal, Known) and not _IN_NAMES.fullmatch(str(literal.value))):
        return owner
    return f"{owner}/{name.expr.in_template}" if isinstance(literal, Known) or name.name == "stage_name" else owner


def _format(stage: Block) -> str:
    fields = {
        "requestId": "requestId",
        "ip": "identity.sourceIp",
        "requestTime": "requestTime",
        "httpMethod": "httpMethod",
        _KINDS[stage.labels[0]][2]: _KINDS[stage.labels[0]][2],
        "status": "status",
        "protocol": "protocol",
        "responseLength": "responseLength",
    }
    return "jsonencode({\n" + "".join(f'  {key} = "$context.{name}"\n' for key, name in fields.items()) + "})"
