"""Throttle the stages of APIs.

## Why

A stage that has no limits of its own takes what the account takes, in most regions 10,000 requests a second, shared by
all of its APIs there. One client that retries too fast then starves the other APIs, and the functions and tables
behind this one are called, and paid for, as often as somebody likes. A rate and a burst of its own bound both.

## CDK Python

The stage that `RestApi`, `LambdaRestApi`, `SpecRestApi` or `StepFunctionsRestApi` makes for itself, and `Stage`, get
what they lack of the two limits:

```python
deploy_options=apigateway.StageOptions(throttling_rate_limit=1000, throttling_burst_limit=500)
```

A method that is listed in `method_options` or `method_settings` has settings of its own, and gets the limits too.
`HttpStage` and `WebSocketStage` get `throttle`, the `CfnStage` of both kinds of APIs their `method_settings` or
`default_route_settings`. `HttpApi` takes no limits for the stage that it makes; they are set on that:

```python
default_stage = api.default_stage.node.default_child
default_stage.default_route_settings = apigatewayv2.CfnStage.RouteSettingsProperty(
    throttling_rate_limit=1000, throttling_burst_limit=500
)
```

Impact `behavior`: the stage is updated in place. API Gateway answers requests beyond the limits with 429.

## Terraform

A stage of a REST API, also one that `aws_api_gateway_deployment` makes by its `stage_name`, gets settings for all of
its methods, right below it, as many times and with the same provider; those that are there get what they lack:

```hcl
resource "aws_api_gateway_method_settings" "prod" {
  stage_name  = aws_api_gateway_stage.prod.stage_name
  rest_api_id = aws_api_gateway_stage.prod.rest_api_id
  method_path = "*/*"

  settings {
    throttling_rate_limit  = 1000
    throttling_burst_limit = 500
  }
}
```

`aws_apigatewayv2_stage` gets both in `default_route_settings`, and in each of its `route_settings`. Impact
`behavior`, as above.

## Not fixed

- Limits of -1, which is none: somebody chose that. Choose limits, or keep it with a suppression that says why.
- What can't be judged: `**arguments`, options that are written as a dict, come from a variable or are shared by several
  APIs, `method_settings` that lack an entry for all methods, a `dynamic` block, settings whose stage or methods are not
  known, override files, JSON, a stage whose `lifecycle` ignores the change.
- A setting made afterwards on the stage's CloudFormation resource, and an `HttpApi` without a name or an own line.
- HTTP and WebSocket APIs of version 1 of the CDK, where these were experimental.
- Not reported: a limit that is there, whatever it says, also where its value can't be seen; APIs that make no stage;
  the stage that `CfnApi` or `aws_apigatewayv2_api` make by their `target`.

## Options

- `rate` (default 1000): requests a second that a stage takes on average.
- `burst` (default 500): requests that it takes at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.apis import OPTIONS, rest_stages
from fixer.cdk.calls import Call
from fixer.cdk.companion import free_name as free_variable
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Unknown
from fixer.terraform.companion import free_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixer.cdk import CdkFile, Construct
    from fixer.cdk.apis import RestStage
    from fixer.cdk.calls import Argument
    from fixer.terraform import Block, Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    rate: int = 1000
    """Requests a second that a stage takes on average."""
    burst: int = 500
    """Requests that it takes at once."""

    def __post_init__(self) -> None:
        """Refuse limits that let nothing through with ValueError."""
        for name in ("rate", "burst"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expects at least 1")


rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S1-4.2", "S2-4.2"),
    scanners=("Serverless-APIGWDefaultThrottling",),
    options=Options,
    keywords=("apigateway", "aws_api_gateway"),
)

_MESSAGE = "has no limits of its own to the requests that it takes"
_RATE, _BURST = "throttling_rate_limit", "throttling_burst_limit"
_NONE = Manual("It says that there is no limit", "Choose limits, or keep it with a suppression that says why")


def _limits(options: Options) -> dict[str, str]:
    return {_RATE: str(options.rate), _BURST: str(options.burst)}


# ---- CDK Python --------------------------------------------------------------------------------

_METHODS = ("aws_apigateway.MethodDeploymentOptions", "aws_apigateway.CfnStage.MethodSettingProperty")
_METHOD = _METHODS[1]
_THROTTLE, _ROUTES = "aws_apigatewayv2.ThrottleSettings", "aws_apigatewayv2.CfnStage.RouteSettingsProperty"
_STRUCTS = {
    "aws_apigatewayv2.HttpStage": ("throttle", _THROTTLE),
    "aws_apigatewayv2.WebSocketStage": ("throttle", _THROTTLE),
    "aws_apigatewayv2.CfnStage": ("default_route_settings", _ROUTES),
}
_ALL = "/*/*"


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Stages, and methods with settings of their own, that lack one of the two limits."""
    for stage in rest_stages(file):
        if stage.construct.name == "aws_apigateway.CfnStage":
            yield from _low_level(stage.construct, options)
        else:
            yield from _rest(stage, options)
    for name in _METHODS:
        for call in file.calls(name):
            yield from _limited_call(call, call, name.rpartition(".")[2], _limits(options))
    for construct in file.constructs(*_STRUCTS, "aws_apigatewayv2.HttpApi"):
        if construct.value("create_default_stage", shared=True) == Known(False):
            continue
        if file.is_v1:
            manual = Manual("It is written for version 1 of the CDK", "Set its limits there")
            yield construct.finding(rule, _MESSAGE, manual=manual)
        elif construct.name in _STRUCTS:
            yield from _by_struct(construct, *_STRUCTS[construct.name], options)
        else:
            yield from _default_stage(construct, options)


def _lacking(call: Call, limits: Mapping[str, str]) -> dict[str, str]:
    """The limits that a call is not given, with what they should be."""
    return {name: text for name, text in limits.items() if call.value(name, shared=True) is Absent}


def _why(call: Call, limits: Mapping[str, str]) -> str:
    """Why it can't be told whether a call is given the limits; empty if it can, or if it shows that it is."""
    values = {name: call.value(name) for name in limits}
    return next((one.why for name, one in values.items() if isinstance(one, Unknown) and not call.argument(name)), "")


def _limited_call(at: Call, call: Call, what: str, limits: Mapping[str, str]) -> Findings:
    """The finding for a call that takes the limits itself."""
    lacking = _lacking(call, limits)
    if why := _why(call, limits):
        yield at.finding(rule, _MESSAGE, manual=_unclear(what, why))
    elif lacking:
        yield at.finding(rule, _MESSAGE, fix=Fix(call.set_all(lacking), Impact.BEHAVIOR))


def _unclear(keyword: str, why: str) -> Manual:
    return Manual(f"{keyword} can't be judged: it {why}", f"Make sure that {keyword} holds a rate and a burst limit")


def _rest(stage: RestStage, options: Options) -> Findings:
    construct, given = stage.construct, stage.options
    written = given.behind("method_options") if isinstance(given, Call) else None
    source = construct.file.source
    if isinstance(given, Unknown):
        yield construct.finding(rule, _MESSAGE, manual=_unclear("deploy_options", given.why))
        return
    lacking = _lacking(given, _limits(options)) if isinstance(given, Call) else _limits(options)
    changed = b"deployment_stage.node" in source and (b"ethodSettings" in source or b"ethod_settings" in source)
    if written and _ALL in written.text:
        return
    if isinstance(given, Call) and (_why(given, _limits(options)) or not lacking):
        yield from _limited_call(construct, given, "deploy_options", _limits(options))
    elif changed or construct.overridden("method_settings"):
        manual = Manual("Something sets the settings of methods afterwards", "Make sure that there are limits for all")
        yield construct.finding(rule, _MESSAGE, manual=manual)
    else:
        spelled, imports = construct.file.spell(OPTIONS, construct) if given is Absent else ("", ())
        fix = Fix((*stage.set_all(lacking, spelled), *imports), Impact.BEHAVIOR)
        yield construct.finding(rule, _MESSAGE, fix=fix)


def _low_level(stage: Construct, options: Options) -> Findings:
    """A `CfnStage` of a REST API: its list needs an entry for all methods; the entries are judged themselves."""
    value, written = stage.value("method_settings"), stage.behind("method_settings")
    if stage.overridden("method_settings"):
        manual = Manual("method_settings is set on it afterwards", "Make sure that it holds limits for all methods")
        yield stage.finding(rule, _MESSAGE, manual=manual)
    elif value is Absent:
        name, imports = stage.file.spell("aws_apigateway.CfnStage", stage)
        entry = {"http_method": '"*"', "resource_path": '"/*"', **_limits(options)}
        text = ", ".join(f"{key}={one}" for key, one in entry.items())
        edits = stage.set("method_settings", f"[{name}.MethodSettingProperty({text})]")
        yield stage.finding(rule, _MESSAGE, fix=Fix((*edits, *imports), Impact.BEHAVIOR))
    elif written is None or not isinstance(written.node, cst.List):
        why = value.why if isinstance(value, Unknown) else "is no list that is written out"
        yield stage.finding(rule, _MESSAGE, manual=_unclear("method_settings", why))
    elif not any(_is_for_all(call) for call in stage.file.calls(_METHOD) if _is_in(call, written)):
        manual = Manual("method_settings has no entry for all methods", 'Add one with http_method="*" to it')
        yield stage.finding(rule, _MESSAGE, manual=manual)


def _is_in(call: Call, written: Argument) -> bool:
    return written.start <= call.start and call.end <= written.end


def _is_for_all(call: Call) -> bool:
    return call.value("http_method") == Known("*") and call.value("resource_path") in (Known("/*"), Known("/"))


def _by_struct(construct: Construct, keyword: str, struct: str, options: Options) -> Findings:
    """A stage that takes the limits as a struct."""
    names = ("rate_limit", "burst_limit") if struct == _THROTTLE else (_RATE, _BURST)
    limits = dict(zip(names, _limits(options).values(), strict=True))
    found, value = construct.within(keyword, struct), construct.value(keyword, shared=True)
    if construct.overridden("default_route_settings"):
        return
    if found is Absent:
        name, imports = construct.file.spell(struct, construct)
        text = ", ".join(f"{key}={one}" for key, one in limits.items())
        fix = Fix((*construct.set(keyword, f"{name}({text})"), *imports), Impact.BEHAVIOR)
        yield construct.finding(rule, _MESSAGE, fix=fix)
    elif isinstance(found, Call):
        yield from _limited_call(construct, found, keyword, limits)
    elif isinstance(found, Unknown) and not (keyword == "throttle" and construct.has(keyword)):
        keys = (
            {key.replace("_", "").lower() for key in value.value}
            if isinstance(value, Known) and isinstance(value.value, dict)
            else set()
        )
        if not {name.replace("_", "") for name in names} <= keys:
            yield construct.finding(rule, _MESSAGE, manual=_unclear(keyword, found.why))


def _default_stage(api: Construct, options: Options) -> Findings:
    """The stage that an HTTP API makes for itself."""
    source = api.file.source
    if b"efault_route_settings" in source or b"DefaultRouteSettings" in source:
        return
    target = api.target
    variable = free_variable(api, "default_stage")
    name, imports = api.file.spell("aws_apigatewayv2.CfnStage", api)
    limits = ", ".join(f"{key}={one}" for key, one in _limits(options).items())
    lines = [
        f"{variable} = {target}.default_stage.node.default_child",
        f"{variable}.default_route_settings = {name}.RouteSettingsProperty({limits})",
    ]
    edits = api.insert_after("\n".join(lines)) if target and target != "self" else None
    if edits is None:
        step = "Set default_route_settings on the default_child of its default_stage's node"
        manual = Manual("It takes no limits for the stage that it makes, and has no name or line of its own here", step)
        yield api.finding(rule, _MESSAGE, manual=manual)
    else:
        yield api.finding(rule, _MESSAGE, fix=Fix((*edits, *imports), Impact.BEHAVIOR))


# ---- Terraform ---------------------------------------------------------------------------------

_SETTINGS = "aws_api_gateway_method_settings"
_DEPLOYMENT = "aws_api_gateway_deployment"


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """Stages without settings for all of their methods, and settings of methods and routes without limits."""
    for stage in module.declared("aws_api_gateway_stage", _DEPLOYMENT):
        if stage.value("stage_name") is not Absent and not _is_a_stage_too(module, stage):
            yield from _stage(module, stage, options)
    for settings in module.all_resources(_SETTINGS):
        yield from _limited(settings, "settings.", options)
    for stage in module.all_resources("aws_apigatewayv2_stage"):
        yield from _limited(stage, "default_route_settings.", options)
        for route in stage.blocks("route_settings"):
            yield from _limited(route, "", options)


def _is_a_stage_too(module: Module, deployment: Block) -> bool:
    """Whether the stage that a deployment makes is also a resource of its own, which has the settings then."""
    stages = module.all_resources("aws_api_gateway_stage") if deployment.labels[0] == _DEPLOYMENT else ()
    return any(
        all(
            (own := one.attribute(name)) and (its := deployment.attribute(name)) and own.expr.text == its.expr.text
            for name in ("rest_api_id", "stage_name")
        )
        for one in stages
    )


def _stage(module: Module, stage: Block, options: Options) -> Findings:
    """The finding for a stage of a REST API that has no settings for all of its methods."""
    manual = None
    for settings in module.all_resources(_SETTINGS):
        means, path = _is_for(module, settings, stage), settings.value("method_path")
        if means and path == Known("*/*"):
            return
        if means is None or (means and isinstance(path, Unknown)):
            reason = f"It can't be told whether {settings.address} is for all of its methods"
            manual = Manual(reason, "Refer to the stage there by its address, and write the method_path out")
    if manual := stage.no_companion(_SETTINGS) or manual:
        yield stage.finding(rule, _MESSAGE, manual=manual)
        return
    limits = "".join(f"  {name} = {value}\n" for name, value in _limits(options).items())
    body = f'rest_api_id = {stage.reference("rest_api_id")}\nmethod_path = "*/*"\n\nsettings {{\n{limits}}}'
    name = free_name(module, _SETTINGS, stage.name, "_all")
    text = stage.companion(_SETTINGS, name, body, "stage_name", "stage_name")
    yield stage.finding(rule, _MESSAGE, fix=Fix(stage.insert_after(text), Impact.BEHAVIOR))


def _is_for(module: Module, settings: Block, stage: Block) -> bool | None:
    """Whether settings are those of a stage; None if that can't be told."""
    name, api = settings.attribute("stage_name"), settings.attribute("rest_api_id")
    own = stage.attribute("rest_api_id")
    if name is None or api is None or own is None:
        return None
    if any(one.address == stage.address for one in name.expr.traversals()):
        return True
    if not any(one.address == stage.address for one in api.expr.traversals()) and api.expr.text != own.expr.text:
        return False
    return module.refers_to(name.expr, stage, "stage_name")


def _limited(block: Block, prefix: str, options: Options) -> Findings:
    """The finding for a block that lacks one of the limits."""
    lacking = {}
    for name, text in _limits(options).items():
        value = block.value(prefix + name)
        is_dynamic = isinstance(value, Unknown) and not _is_given(block, prefix, name)
        if value is Absent or is_dynamic or value == Known(-1):
            lacking[prefix + name] = text
    for path, text in lacking.items():
        found = block.lack(path, text, accepts=lambda _: False)
        if found is None:
            return
        if found.manual or found.value == Known(-1):
            yield found.finding(rule, _MESSAGE, manual=_NONE)
        else:
            yield block.finding(rule, _MESSAGE, fix=Fix(block.set_all(lacking), Impact.BEHAVIOR))
        return


def _is_given(block: Block, prefix: str, name: str) -> bool:
    """Whether the limit is written out, whatever it says."""
    inner = block.blocks(prefix.rstrip(".")) if prefix else [block]
    return len(inner) == 1 and inner[0].attribute(name) is not None
