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

from fixer.cdk import Call
from fixer.cdk.apis import rest_stages
from fixer.cdk.companion import free_name as free_variable
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Unknown
from fixer.terraform import free_name
from fixer.terraform.apis import is_meant
from fixer.terraform.apis import rest_stages as terraform_stages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fixer.cdk import Argument, CdkFile, Construct
    from fixer.cdk.apis import RestStage
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
    for call in (call for name in _METHODS for call in file.calls(name)):
        if found := call.lack_all(_limits(options), _step("it")):
            yield found.finding(rule, _MESSAGE)
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


def _step(keyword: str) -> str:
    return f"Make sure that {keyword} holds a rate and a burst limit"


def _rest(stage: RestStage, options: Options) -> Findings:
    construct, given, source = stage.construct, stage.options, stage.construct.file.source
    methods = given.behind("method_options") if isinstance(given, Call) else None
    found = stage.lack_all(_limits(options), _step("deploy_options"))
    if found is None or (methods and _ALL in methods.text):
        return
    later = b"deployment_stage.node" in source and (b"ethodSettings" in source or b"ethod_settings" in source)
    is_set = later or construct.overridden("method_settings")
    manual = Manual("Something sets the settings of methods afterwards", "Make sure that there are limits for all")
    yield found.finding(rule, _MESSAGE, manual=manual if is_set else None)


def _low_level(stage: Construct, options: Options) -> Findings:
    """A `CfnStage` of a REST API: its list needs an entry for all methods; the entries are judged themselves."""
    value, written = stage.value("method_settings"), stage.behind("method_settings")
    manual = None
    if stage.overridden("method_settings"):
        manual = Manual("method_settings is set on it afterwards", "Make sure that it holds limits for all methods")
    elif value is Absent:
        values = {"http_method": '"*"', "resource_path": '"/*"', **_limits(options)}
        entry, imports = stage.file.spell_call(_METHOD, values, stage)
        fix = Fix((*stage.set("method_settings", f"[{entry}]"), *imports), Impact.BEHAVIOR)
        yield stage.finding(rule, _MESSAGE, fix=fix)
    elif written is None or not isinstance(written.node, cst.List):
        why = value.why if isinstance(value, Unknown) else "is no list that is written out"
        manual = Manual(f"method_settings can't be judged: it {why}", _step("method_settings"))
    elif not any(_is_for_all(call) for call in stage.file.calls(_METHOD) if _is_in(call, written)):
        manual = Manual("method_settings has no entry for all methods", 'Add one with http_method="*" to it')
    if manual:
        yield stage.finding(rule, _MESSAGE, manual=manual)


def _is_in(call: Call, written: Argument) -> bool:
    return written.start <= call.start and call.end <= written.end


def _is_for_all(call: Call) -> bool:
    return call.value("http_method") == Known("*") and call.value("resource_path") in (Known("/*"), Known("/"))


def _by_struct(construct: Construct, keyword: str, struct: str, options: Options) -> Findings:
    """A stage that takes the limits as a struct."""
    names = ("rate_limit", "burst_limit") if struct == _THROTTLE else (_RATE, _BURST)
    limits = dict(zip(names, _limits(options).values(), strict=True))
    found = construct.lack_all(limits, _step(keyword), keyword=keyword, struct=struct)
    is_set = construct.overridden("default_route_settings")
    if found and not is_set and not _is_given(construct, keyword, struct, names):
        yield found.finding(rule, _MESSAGE)


def _is_given(construct: Construct, keyword: str, struct: str, names: Iterable[str]) -> bool:
    """Whether something else than a call of the struct gives a stage the limits."""
    value = construct.value(keyword, shared=True)
    if not isinstance(construct.within(keyword, struct), Unknown):
        return False
    if keyword == "throttle" and construct.has(keyword):
        return True
    keys = value.value if isinstance(value, Known) and isinstance(value.value, dict) else {}
    return {name.replace("_", "") for name in names} <= {key.replace("_", "").lower() for key in keys}


def _default_stage(api: Construct, options: Options) -> Findings:
    """The stage that an HTTP API makes for itself."""
    source = api.file.source
    if b"efault_route_settings" in source or b"DefaultRouteSettings" in source:
        return
    target, variable = api.target, free_variable(api, "default_stage")
    limits, imports = api.file.spell_call(_ROUTES, _limits(options), api)
    lines = f"{variable} = {target}.default_stage.node.default_child\n{variable}.default_route_settings = {limits}"
    if target and target != "self" and (edits := api.insert_after(lines)):
        yield api.finding(rule, _MESSAGE, fix=Fix((*edits, *imports), Impact.BEHAVIOR))
    else:
        step = "Set default_route_settings on the default_child of its default_stage's node"
        manual = Manual("It takes no limits for the stage that it makes, and has no name or line of its own here", step)
        yield api.finding(rule, _MESSAGE, manual=manual)


# ---- Terraform ---------------------------------------------------------------------------------

_SETTINGS = "aws_api_gateway_method_settings"


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """Stages without settings for all of their methods, and settings of methods and routes without limits."""
    for stage in terraform_stages(module):
        yield from _stage(module, stage, options)
    for settings in module.all_resources(_SETTINGS):
        yield from _limited(settings, "settings.", options)
    for stage in module.all_resources("aws_apigatewayv2_stage"):
        yield from _limited(stage, "default_route_settings.", options)
        for route in stage.blocks("route_settings"):
            yield from _limited(route, "", options)


def _stage(module: Module, stage: Block, options: Options) -> Findings:
    """The finding for a stage of a REST API that has no settings for all of its methods."""
    manual = None
    for settings in module.all_resources(_SETTINGS):
        means = is_meant(stage, settings.attribute("rest_api_id"), settings.attribute("stage_name"))
        path = settings.value("method_path")
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


def _limited(block: Block, prefix: str, options: Options) -> Findings:
    """The finding for a block that lacks one of the limits."""
    limits = {f"{prefix}{name}": text for name, text in _limits(options).items()}
    if found := block.lack_all(limits, accepts=lambda limit: limit != -1):
        yield found.finding(rule, _MESSAGE, manual=_NONE if found.value == Known(-1) else None)
