"""Give the consumers of REST APIs a usage plan.

## Why

A method that requires an API key takes only keys that belong to a usage plan of its stage: without one, every request
is refused. And a plan is what bounds each consumer by itself, by a rate, a burst and a quota, so that one that runs
wild does not use up what the others need.

## CDK Python

A REST API with methods that require a key and no usage plan gets one, with a key and the API's stage:

```python
usage_plan = api.add_usage_plan(
    "UsagePlan",
    throttle=apigateway.ThrottleSettings(rate_limit=100, burst_limit=50),
    quota=apigateway.QuotaSettings(limit=1000000, period=apigateway.Period.MONTH),
)
usage_plan.add_api_key(api.add_api_key("ApiKey"))
usage_plan.add_api_stage(stage=api.deployment_stage)
```

The key is the one that the API has, if it has just one. A plan that bounds nothing gets `throttle`. Impact `behavior`:
resources are added, or the plan is updated in place; requests beyond its limits are answered with 429.

## Terraform

A stage of an API with methods that require a key, and which is in no usage plan, gets `aws_api_gateway_usage_plan`,
`aws_api_gateway_api_key` (or the one of the module that has no plan) and `aws_api_gateway_usage_plan_key` right below
it, as many times and with the same provider. A plan with neither `throttle_settings` nor `quota_settings` gets the
first. Impact `behavior`, as above.

## Not fixed

- An API none of whose methods is seen to require a key: a plan would bound nobody, and to require keys shuts all of its
  clients out until they send one. Give them keys first, then set `api_key_required` and run iacfix again; or keep it
  with `# iacfix: ignore[api-gateway-usage-plan] why`.
- What can't be judged: a requirement from a variable or a condition, an API described by OpenAPI, a plan elsewhere in
  the project that may be for it, several keys to choose from, override files, JSON.
- CDK: an API that makes no stage itself, or that has no name or line of its own.
- Not reported: a plan that has a throttle or a quota, whatever they say; HTTP and WebSocket APIs, which have no plans.

## Options

- `rate` (default 100): requests a second that one consumer may make on average.
- `burst` (default 50): requests that one consumer may make at once.
- `quota` (default 1000000): requests that one consumer may make in a period.
- `period` (default `MONTH`, or `WEEK` or `DAY`): the period of the quota.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fixer.cdk.apis import REST_APIS, method_settings
from fixer.cdk.companion import free_name as free_variable
from fixer.cdk.functions import mentions
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Unknown
from fixer.terraform import free_name, tag_lines
from fixer.terraform.apis import api_of, is_meant, of_same_api, rest_stages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixer.cdk import CdkFile, Construct
    from fixer.terraform import Block, Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    rate: int = 100
    """Requests a second that one consumer may make on average."""
    burst: int = 50
    """Requests that one consumer may make at once."""
    quota: int = 1_000_000
    """Requests that one consumer may make in a period."""
    period: Literal["MONTH", "WEEK", "DAY"] = "MONTH"
    """The period of the quota."""

    def __post_init__(self) -> None:
        """Refuse limits that let nothing through with ValueError."""
        for name in ("rate", "burst", "quota"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expects at least 1")


rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S1-5.3",),
    scanners=("b3a59b8e-94a3-403e-b6e2-527abaf12034", "c999cf62-0920-40f8-8dda-0caccd66ed7e"),
    options=Options,
    keywords=("apigateway", "aws_api_gateway"),
)

_MESSAGE = "has no usage plan that bounds its consumers"
_BOUNDLESS = "bounds its consumers by nothing"
_KEYLESS = Manual(
    "No method is seen to require an API key, so that a plan would bound nobody",
    "Give its clients keys, set api_key_required and run iacfix again, or keep it with a suppression that says why",
)
_STEP = "Make sure that a usage plan holds its stage"
_REQUIRED = "api_key_required"


def _limits(options: Options) -> dict[str, str]:
    return {"rate_limit": str(options.rate), "burst_limit": str(options.burst)}


# ---- CDK Python --------------------------------------------------------------------------------

_PLANS = ("aws_apigateway.UsagePlan", "aws_apigateway.CfnUsagePlan")
_NAMES = ("aws_apigateway.ThrottleSettings", "aws_apigateway.QuotaSettings", "aws_apigateway.Period")
_LIMIT = "Make sure that it holds a throttle or a quota"


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """REST APIs without a usage plan, and plans without limits."""
    for api in file.constructs(*REST_APIS):
        if not any(api.methods("add_usage_plan")) and not _is_planned(file, api):
            made = _made(file, api, options) if _requires(api) is True else None
            yield api.finding(rule, _MESSAGE, fix=made, manual=None if made else _unplanned(file, api))
    for plan in (*file.methods("add_usage_plan"), *file.constructs(_PLANS[0])):
        is_bare = all(plan.value(name, shared=True) is Absent for name in ("throttle", "quota"))
        found = plan.lack_all(_limits(options), _LIMIT, keyword="throttle", struct=_NAMES[0]) if is_bare else None
        if found and "throttle" not in plan.text:
            yield found.finding(rule, _BOUNDLESS)


def _is_planned(file: CdkFile, api: Construct) -> bool:
    """Whether something of the file puts the API, or a stage of it, into a plan."""
    owners = (api, *file.constructs("aws_apigateway.Stage"))
    calls = (*file.constructs(*_PLANS), *file.methods("add_api_stage"))
    return any(mentions(call.text, one) for call in calls for one in owners)


def _plans_elsewhere(file: CdkFile) -> set[str]:
    """Files with usage plans that may be for any API: others, and this one if it has a plan for none of its own."""
    places = {*file.app.holding("UsagePlan"), *file.app.holding("add_usage_plan")} - file.app.tests - {file.path}
    owners = list(file.constructs(*REST_APIS, "aws_apigateway.Stage"))
    plans = [file.receiver(call) for call in file.methods("add_usage_plan")]
    for plan in file.constructs(*_PLANS):
        held = (call.text for call in file.methods("add_api_stage") if file.receiver(call) == plan.target)
        plans.append(" ".join((plan.text, *held)))
    is_own = all(any(mentions(text, one) for one in owners) for text in plans)
    return places if is_own else {*places, file.path}


def _requires(api: Construct) -> bool | Unknown:
    """Whether a method of the API requires a key, as far as the file shows."""
    found = [call.value(_REQUIRED) for call in method_settings(api)]
    unknown = next((one for one in found if isinstance(one, Unknown)), None)
    return True if Known(True) in found else unknown or False


def _unplanned(file: CdkFile, api: Construct) -> Manual:
    """Why the API is given no plan."""
    requires = _requires(api)
    if isinstance(requires, Unknown):
        return Manual(f"{_REQUIRED} of a method can't be judged: it {requires.why}", _STEP)
    if places := _plans_elsewhere(file):
        return Manual(f"It can't be told whether a usage plan in {min(places)} is for it", _STEP)
    if not requires:
        return _KEYLESS
    if api.value("deploy", shared=True) not in (Absent, Known(True)):
        return Manual("It makes no stage itself", "Put the stage that is made of it into a usage plan")
    return Manual("It, or the API key to use, has no name or line of its own here", "Call add_usage_plan() on it")


def _made(file: CdkFile, api: Construct, options: Options) -> Fix | None:
    """The fix, if the API has a name, a stage, and one key or none."""
    keys = [*api.methods("add_api_key"), *file.constructs("aws_apigateway.ApiKey")]
    key = file.later.target(keys[0].site) if len(keys) == 1 else None
    deploys = api.value("deploy", shared=True) in (Absent, Known(True))
    has_key = not keys or (key is not None and keys[0].scope is api.scope)
    if api.target is None or not deploys or not has_key or _plans_elsewhere(file):
        return None
    spelled, imports = file.spell_all(_NAMES, api)
    throttle, quota, period = (spelled[name] for name in _NAMES)
    plan = free_variable(api, "usage_plan")
    limits = f"throttle={throttle}(rate_limit={options.rate}, burst_limit={options.burst})"
    limits += f", quota={quota}(limit={options.quota}, period={period}.{options.period})"
    lines = [
        f'{plan} = {api.target}.add_usage_plan("UsagePlan", {limits})',
        f"{plan}.add_api_key({key})" if key else f'{plan}.add_api_key({api.target}.add_api_key("ApiKey"))',
        f"{plan}.add_api_stage(stage={api.target}.deployment_stage)",
    ]
    last = max((api, *keys), key=lambda call: call.start)
    edits = last.insert_after("\n".join(lines))
    return Fix((*edits, *imports), Impact.BEHAVIOR) if edits else None


# ---- Terraform ---------------------------------------------------------------------------------

_PLAN, _KEY, _PLAN_KEY = (f"aws_api_gateway_{kind}" for kind in ("usage_plan", "api_key", "usage_plan_key"))


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """Stages in no usage plan, and plans without limits."""
    for stage in rest_stages(module):
        yield from _stage(module, stage, options)
    for plan in module.all_resources(_PLAN):
        if not plan.holds("throttle_settings") and not plan.holds("quota_settings"):
            limits = {f"throttle_settings.{name}": text for name, text in _limits(options).items()}
            if found := plan.lack_all(limits):
                yield found.finding(rule, _BOUNDLESS)


def _stage(module: Module, stage: Block, options: Options) -> Findings:
    """The finding for a stage that is in no plan."""
    plans = [(plan, _holds(plan, stage)) for plan in module.all_resources(_PLAN)]
    if any(holds for _, holds in plans):
        return
    unclear = next((plan for plan, holds in plans if holds is None), None)
    keys = [key for key in module.all_resources(_KEY) if not any(module.resources_for(key, _PLAN_KEY, "key_id"))]
    manual = _obstacle(stage, unclear) or _keyless(stage)
    if not manual and (len(keys) > 1 or any(key.meta() or key.read_only for key in keys)):
        reason = f"It can't be told which of {', '.join(key.address for key in keys)} is for it"
        manual = Manual(reason, "Add a usage plan for the stage, with its keys")
    if manual:
        yield stage.finding(rule, _MESSAGE, manual=manual)
    else:
        text = "\n".join(_resources(module, stage, keys[0] if keys else None, options))
        yield stage.finding(rule, _MESSAGE, fix=Fix(stage.insert_after(text), Impact.BEHAVIOR))


def _obstacle(stage: Block, unclear: Block | None) -> Manual | None:
    if unclear:
        step = "Write its api_stages out there, with the addresses of API and stage"
        return Manual(f"It can't be told whether {unclear.address} holds it", step)
    return stage.no_companion(_PLAN)


def _keyless(stage: Block) -> Manual | None:
    """Why no method is known to require a key; None if one is."""
    values = [method.value(_REQUIRED) for method in of_same_api(stage, "aws_api_gateway_method")]
    if Known(True) in values:
        return None
    if unknown := next((one for one in values if isinstance(one, Unknown)), None):
        return Manual(f"{_REQUIRED} of a method can't be judged: it {unknown.why}", _STEP)
    if (api := api_of(stage)) and api.holds("body"):
        return Manual("OpenAPI describes its methods, which may require API keys", _STEP)
    return _KEYLESS


def _holds(plan: Block, stage: Block) -> bool | None:
    """Whether a plan holds a stage; None if that can't be told."""
    if plan.dynamic("api_stages") or plan.module.overridden(plan):
        return None
    held = [is_meant(stage, one.attribute("api_id"), one.attribute("stage")) for one in plan.blocks("api_stages")]
    return True if True in held else None if None in held else False


def _resources(module: Module, stage: Block, key: Block | None, options: Options) -> Iterator[str]:
    """The plan, the key if there is none, and what puts the one into the other."""
    api = api_of(stage)
    title = (
        f"{api.address}.name" if api and not api.meta() and api.attribute("name") else stage.reference("rest_api_id")
    )
    label = f'name = "${{{title}}}-${{{stage.reference("stage_name")}}}"'
    limits = "".join(f"  {name} = {text}\n" for name, text in _limits(options).items())
    lines = (
        label,
        *tag_lines(stage),
        f"\napi_stages {{\n  api_id = {stage.reference('rest_api_id')}\n  stage = {stage.reference('stage_name')}\n}}",
        f'\nquota_settings {{\n  limit = {options.quota}\n  period = "{options.period}"\n}}',
        f"\nthrottle_settings {{\n{limits}}}",
    )
    name = free_name(module, _PLAN, stage.name, "_plan")
    yield stage.companion(_PLAN, name, "\n".join(lines), reference="")
    key_name = key.name if key else free_name(module, _KEY, stage.name, "_key")
    if key is None:
        yield stage.companion(_KEY, key_name, "\n".join((label, *tag_lines(stage))), reference="")
    ids = f'key_id = {_KEY}.{key_name}{"" if key else stage.index}.id\nkey_type = "API_KEY"\n'
    body = f"{ids}usage_plan_id = {_PLAN}.{name}{stage.index}.id"
    yield stage.companion(_PLAN_KEY, free_name(module, _PLAN_KEY, stage.name, "_key"), body, reference="")
