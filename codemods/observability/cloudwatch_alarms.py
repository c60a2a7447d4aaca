"""Raise alarms when functions, tables and APIs fail.

## Why

A function that fails, a table that refuses requests and an API that gets slow say so in their metrics, which nobody
reads at night. An alarm reads them all the time, and tells a topic.

## CDK Python

What a file makes gets the alarms that it lacks, right below it, for the metrics that the CDK's methods give:

- functions: errors, throttles, and the longest duration against the timeout;
- tables: throttled reads and throttled writes (those of the table itself, not of its global secondary indexes);
- REST and HTTP APIs: 4XX responses, 5XX responses, and the latency of the slowest twentieth.

```python
handler_errors_alarm = cloudwatch.Alarm(
    self,
    "HandlerErrorsAlarm",
    metric=handler.metric_errors(),
    threshold=1,
    evaluation_periods=1,
    treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
)
handler_errors_alarm.add_alarm_action(cloudwatch_actions.SnsAction(self.alarm_topic))
```

They notify the topic of the class that other alarms notify, or that is called after alarms or alerts, and stand below
it if it comes later; a parameter of the function for such a topic; else one that the class gets, once, as
`self.alarm_topic`: closed to requests without TLS, and encrypted by a key of its own, since CloudWatch may not use the
AWS managed one. What is assigned to nothing, or returned at once, is assigned to a variable. Low-level constructs
(`CfnFunction`, `CfnTable`, `CfnGlobalTable`, `CfnRestApi`, `CfnApi`) get a `cloudwatch.Metric`. Impact `behavior`:
resources are added, which cost a little.

## Terraform

`aws_lambda_function`, `aws_dynamodb_table`, `aws_api_gateway_rest_api` and `aws_apigatewayv2_api` get an
`aws_cloudwatch_metric_alarm` for each of these metrics, with their own `count`, `for_each`, `provider` and shared tags:
in `alarms.tf`, `monitoring.tf` or `cloudwatch.tf`, if the module has one, else right below. Names are made of the
resource's name. They notify the topic that the module's alarms notify, or that is called after alarms or alerts, or a
variable for its ARN; else one that is added above the first of them, as in the CDK. Impact `behavior`.

## Not fixed

- What may be watched already: by an alarm whose metric or dimension is a parameter or a variable, by a module for
  monitoring that is given the resource, by the module that calls this one, or in another file that reads the construct.
- Constructs in files for version 1 of the CDK, in classes that derive from the construct, in functions outside of
  classes, or whose id or timeout can't be told; a class whose topic may not be there yet.
- Terraform: resources in JSON; a topic with `count` or `for_each`.
- Alarms that the caller of a Terraform module makes can't be seen.
- Not reported: WebSocket APIs, which have other metrics, and functions at CloudFront's edge.

## Options

- `topic` (default none): the ARN of the topic to notify.
- `alarms` (default all): which alarms there are to be, of `lambda-errors`, `lambda-throttles`, `lambda-duration`,
  `dynamodb-read-throttles`, `dynamodb-write-throttles`, `api-4xx`, `api-5xx`, `api-latency`.
- `period` (default 300) and `evaluation_periods` (default 1): the seconds that are looked at together, and how many
  such periods in a row must reach a threshold.
- `errors` (default 1), `throttles` (default 1), `duration_percent` (default 80, of the timeout), `table_throttles`
  (default 1), `client_errors` (default 50), `server_errors` (default 5), `latency` (default 3000 milliseconds): the
  thresholds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from codemods._metrics import FUNCTIONS, HTTP_APIS, KEYS, REST_APIS, SERVICES, TABLES
from codemods.facts import cdk_since
from fixer.cdk.alarms import TOPIC, Alarms, named
from fixer.cdk.apis import REST_APIS as REST
from fixer.cdk.companion import free_name as free_name_there
from fixer.cdk.durations import seconds
from fixer.cdk.functions import HIGH_LEVEL
from fixer.cdk.functions import is_at_edge as is_at_cdk_edge
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Unknown
from fixer.terraform import Chunk, free_name, known_to, placed, tag_lines
from fixer.terraform.alarms import ALARM, is_watched, notified, topic_for
from fixer.terraform.functions import is_at_edge

if TYPE_CHECKING:
    from codemods._metrics import Metric, Service
    from fixer.cdk import CdkFile, Construct
    from fixer.model import Edit
    from fixer.terraform import Attribute, Block, Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    topic: str = ""
    """ARN of the SNS topic that alarms notify; if empty, the project's own, or one that is added."""
    alarms: tuple[str, ...] = field(default=KEYS)
    """Which alarms there are to be."""
    period: int = 300
    """Seconds that are looked at together: 60 or a multiple of it."""
    evaluation_periods: int = 1
    """How many periods in a row must reach the threshold."""
    errors: int = 1
    """Errors of a function in a period."""
    throttles: int = 1
    """Throttled invocations of a function in a period."""
    duration_percent: int = 80
    """Longest duration of a function, in percent of its timeout."""
    table_throttles: int = 1
    """Throttled reads, and throttled writes, of a table in a period."""
    client_errors: int = 50
    """4XX responses of an API in a period."""
    server_errors: int = 5
    """5XX responses of an API in a period."""
    latency: int = 3000
    """Milliseconds that the slowest twentieth of an API's responses take."""

    def __post_init__(self) -> None:
        """Refuse what CloudWatch refuses with ValueError."""
        if unknown := {*self.alarms} - {*KEYS}:
            raise ValueError(f"alarms: {', '.join(sorted(unknown))} is none of {', '.join(KEYS)}")
        if self.period < 60 or self.period % 60:
            raise ValueError("period: 60 or a multiple of it")
        if not 1 <= self.evaluation_periods * self.period <= 86400:
            raise ValueError("evaluation_periods: together they may not be longer than a day")
        if not 1 <= self.duration_percent <= 100:
            raise ValueError("duration_percent: from 1 to 100")
        limits = (self.errors, self.throttles, self.table_throttles, self.client_errors, self.server_errors)
        if min(*limits, self.latency) < 1:
            raise ValueError("thresholds: at least 1")
        if self.topic and not self.topic.startswith("arn:"):
            raise ValueError("topic: an ARN")


rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S0-5.1", "S1-5.2"),
    options=Options,
    keywords=("aws_lambda", "dynamodb", "apigateway", "aws_api_gateway"),
)


def _message(metrics: Sequence[Metric]) -> str:
    *others, last = [one.what for one in metrics]
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"has no alarm{'s' if others else ''} for its {listed}"


# ---- CDK Python --------------------------------------------------------------------------------

_HIGH: Mapping[str, Service] = {
    **dict.fromkeys(HIGH_LEVEL, FUNCTIONS),
    **dict.fromkeys(("aws_dynamodb.Table", "aws_dynamodb.TableV2"), TABLES),
    **dict.fromkeys(REST, REST_APIS),
    **dict.fromkeys(("aws_apigatewayv2.HttpApi", "aws_apigatewayv2_alpha.HttpApi"), HTTP_APIS),
}
_LOW: Mapping[str, tuple[Service, str]] = {
    "aws_lambda.CfnFunction": (FUNCTIONS, "ref"),
    "aws_dynamodb.CfnTable": (TABLES, "ref"),
    "aws_dynamodb.CfnGlobalTable": (TABLES, "ref"),
    "aws_apigateway.CfnRestApi": (REST_APIS, "name"),
    "aws_apigatewayv2.CfnApi": (HTTP_APIS, "ref"),
}
"""Low-level constructs, with the attribute that is the value of the dimension."""
_ALARM, _METRIC = "aws_cloudwatch.Alarm", "aws_cloudwatch.Metric"
_MISSING, _ACTION = "aws_cloudwatch.TreatMissingData.NOT_BREACHING", "aws_cloudwatch_actions.SnsAction"
_PERIOD = 300
"""The CDK's own period for metrics, in seconds."""
_BY_HAND = "Add an alarm that notifies a topic"


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Functions, tables and APIs by the alarms of the file."""
    watchable = [one for one in file.constructs(*_HIGH, *_LOW) if _is_watchable(one)]
    if not watchable:
        return
    alarms = Alarms(file, watchable)
    for construct in watchable:
        service = _service(construct)
        wanted = [one for one in service.metrics if one.key in options.alarms]
        found = {one: alarms.is_watched(construct, one.methods, one.names) for one in wanted}
        lacking = [one for one, verdict in found.items() if not verdict]
        if lacking:
            fix = _UNSURE if None in found.values() else _watched(alarms, construct, lacking, options)
            fixed, manual = (None, fix) if isinstance(fix, Manual) else (fix, None)
            yield construct.finding(rule, _message(lacking), fix=fixed, manual=manual)


_UNSURE = Manual(
    "It can't be told whether alarms that are there watch it",
    f"Look at their metrics; {_BY_HAND[0].lower()}{_BY_HAND[1:]} if they don't",
)


def _service(construct: Construct) -> Service:
    return _HIGH[construct.name] if construct.name in _HIGH else _LOW[construct.name][0]


def _is_watchable(construct: Construct) -> bool:
    if construct.name.endswith("CfnApi") and construct.value("protocol_type") == Known("WEBSOCKET"):
        return False
    return _service(construct) is not FUNCTIONS or not is_at_cdk_edge(construct)


def _obstacle(construct: Construct) -> Manual | None:
    if construct.file.is_v1:
        return Manual("It is written for version 1 of the CDK", _BY_HAND)
    if construct.is_super:
        return Manual("A class of the app is the construct itself", f"{_BY_HAND}, there or where it is made")
    if manual := construct.no_companion("Alarm", _BY_HAND):
        return manual
    if construct.name.endswith("CfnApi") and isinstance(construct.value("protocol_type"), Unknown):
        return Manual("It can't be told whether it is an HTTP API", _BY_HAND)
    if construct.name == "aws_apigateway.CfnRestApi" and not construct.argument("name"):
        return Manual("Its metrics go by its name, which is not to be seen", _BY_HAND)
    return None


def _watched(alarms: Alarms, construct: Construct, metrics: Sequence[Metric], options: Options) -> Fix | Manual:
    known, since = named(construct), cdk_since(TOPIC, "enforce_ssl")
    if manual := _obstacle(construct):
        return manual
    if known is None:
        return Manual("It is assigned to nothing that alarms could read it by", f"Assign it. {_BY_HAND}")
    place = alarms.topic(construct, options.topic) or alarms.new_topic(construct, options.topic, since)
    if isinstance(place, Manual):
        return place
    names = [_ALARM, _MISSING, _ACTION, *((_METRIC,) if construct.name in _LOW else ())]
    names += ("Duration",) if options.period != _PERIOD else ()
    spelled, imports = construct.file.spell_all([*names, *place.names], construct)
    above = place.made(spelled, imports)
    if isinstance(above, Manual):
        return above
    lines: list[str] = []
    for metric in metrics:
        threshold = _threshold(construct, known.name, metric, options)
        if isinstance(threshold, Manual):
            return threshold
        lines += _statements(construct, known.name, metric, options, threshold, place.topic, spelled)
    if known.is_returned:
        lines += ("", f"return {known.name}")
    below = place.below.insert_after("\n".join(lines), apart=True, returned=known.is_returned)
    if below is None:
        return Manual("No alarm can be made below it where it is made", _BY_HAND)
    return Fix((*known.edits, *above, *below, *imports), Impact.BEHAVIOR)


def _threshold(construct: Construct, name: str, metric: Metric, options: Options) -> str | Manual:
    limit = getattr(options, metric.limit)
    if metric.limit != "duration_percent":
        return str(limit)
    timeout = seconds(construct, "timeout")
    has_it = cdk_since(construct.name, "timeout") and construct.name not in (*_LOW, "aws_lambda.SingletonFunction")
    if has_it and construct.argument("timeout") and timeout is not Absent:
        return f"{name}.timeout.to_milliseconds() * {limit / 100:g}"
    if isinstance(timeout, Unknown):
        return Manual(f"Its timeout can't be judged: it {timeout.why}", _BY_HAND)
    known = timeout.value if isinstance(timeout, Known) else 3
    return f"{known * limit * 10:g}" if known * limit * 10 < 1e6 else str(int(known * limit * 10))


def _statements(
    construct: Construct,
    name: str,
    metric: Metric,
    options: Options,
    threshold: str,
    topic: str,
    spelled: Mapping[str, str],
) -> Iterator[str]:
    label = metric.limit if metric.key.startswith("api-") else metric.label
    title = "".join(word.capitalize() for word in label.split("_"))
    stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(".")[2]).lower()
    variable = free_name_there(construct, f"{stem}_{label}_alarm")
    alarm = construct.companion(
        spelled[_ALARM],
        f"{title}Alarm",
        f"metric={_of(construct, name, metric, options, spelled)}",
        f"threshold={threshold}",
        f"evaluation_periods={options.evaluation_periods}",
        f"treat_missing_data={spelled[_MISSING]}",
    )
    yield f"{variable} = {alarm}"
    yield f"{variable}.add_alarm_action({spelled[_ACTION]}({topic}))"


def _of(construct: Construct, name: str, metric: Metric, options: Options, spelled: Mapping[str, str]) -> str:
    """The metric of a construct as Python source."""
    service, given = _service(construct), []
    if construct.name in _LOW:
        attribute = _LOW[construct.name][1]
        given = [f'namespace="{service.namespace}"', f'metric_name="{metric.names[0]}"']
        given.append(f'dimensions_map={{"{service.dimension}": {name}.{attribute}}}')
    elif service is TABLES:
        given = [f'"{metric.names[0]}"']
    is_default = metric.statistic == "Sum" and construct.name not in _LOW and service is not TABLES
    given += [] if is_default else [f'statistic="{metric.statistic}"']
    if options.period != _PERIOD:
        given.append(f"period={spelled['Duration']}.seconds({options.period})")
    maker = f"{name}.{'metric' if service is TABLES else metric.methods[0]}"
    return f"{spelled[_METRIC] if construct.name in _LOW else maker}({', '.join(given)})"


# ---- Terraform ---------------------------------------------------------------------------------

_FILES = ("alarms.tf", "cloudwatch_alarms.tf", "cloudwatch-alarms.tf", "monitoring.tf", "cloudwatch.tf")


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """Functions, tables and APIs by the alarms of the module."""
    shared = _Shared(module)
    for service in SERVICES:
        for block in filter(_counts, module.declared(service.resource)):
            wanted = [one for one in service.metrics if one.key in options.alarms]
            found = {one: is_watched(module, block, one.names, service.dimension) for one in wanted}
            lacking = [one for one, verdict in found.items() if not verdict]
            if lacking:
                manual = _no_alarm(block, service, is_sure=None not in found.values())
                fix = manual or _alarmed(shared, block, service, lacking, options)
                fixed, manual = (None, fix) if isinstance(fix, Manual) else (fix, None)
                yield block.finding(rule, _message(lacking), fix=fixed, manual=manual)


def _counts(block: Block) -> bool:
    """Whether a resource is one to be watched."""
    is_websocket = block.value("protocol_type") == Known("WEBSOCKET")
    return not is_websocket and not (block.labels[0] == FUNCTIONS.resource and is_at_edge(block))


def _no_alarm(block: Block, service: Service, *, is_sure: bool) -> Manual | None:
    """Why no alarms can be made for it."""
    step = f"add an {ALARM} that notifies a topic"
    if block.read_only:
        return Manual(f"It is in {block.file.path}, which iacfix does not rewrite", f"{step.capitalize()} there")
    if block.module.resource(block.address) is None:
        return Manual(f"{block.address} is declared more than once", "Keep one of them")
    if block.module.incomplete:
        return Manual("A file of the module can't be read, and alarms may be in it", "Mend the file")
    if not is_sure:
        reason = "It can't be told whether alarms or modules that are there watch it"
        return Manual(reason, f"Look at their metrics and dimensions; {step} if they don't")
    if block.attribute(service.name) is None:
        return Manual(f"It has no {service.name}, which names its alarms", step.capitalize())
    if place := known_to(block, service.name):
        return Manual(f"{place} knows its name, and may have alarms for it", f"Look there; {step}")
    return None


class _Shared:
    """What the alarms of a module share: their names, and the place of what they need."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.labels: list[str] = []

    @cached_property
    def _watched(self) -> list[Block]:
        found = (one for service in SERVICES for one in filter(_counts, self.module.resources(service.resource)))
        return sorted(found, key=lambda one: (one.file.path, one.start))

    def first(self, *providers: str | None) -> Block:
        """The first resource to be watched, of all or of one of these providers: that is where it is made."""
        return next(one for one in self._watched if not providers or one.meta().get("provider") in providers)


def _alarmed(
    shared: _Shared, block: Block, service: Service, metrics: Sequence[Metric], options: Options
) -> Fix | Manual:
    module = shared.module
    topic = f'"{options.topic}"' if options.topic else notified(module, block)
    if isinstance(topic, Manual):
        return topic
    texts: list[str] = []
    above: tuple[Edit, ...] = ()
    if topic is None:
        topic, text, data = topic_for(module, block)
        if any(file.path.rpartition("/")[2] in _FILES for file in module.files):
            texts += filter(None, (f"{data}\n" if data else "", f"{text}\n"))
        else:
            above = shared.first().insert_before(data) if data else ()
            above += shared.first(block.meta().get("provider")).insert_before(text)
    for metric in metrics:
        label = free_name(module, ALARM, f"{block.name}_{metric.label}", "_alarm", shared.labels)
        shared.labels.append(label)
        lines = _alarm(block, service, metric, options, topic)
        texts.append(block.companion(ALARM, label, "\n".join(lines), reference=""))
    return Fix((*above, *placed(block, "\n".join(texts), _FILES)), Impact.BEHAVIOR)


def _alarm(block: Block, service: Service, metric: Metric, options: Options, topic: str) -> Iterator[str]:
    named = block.attribute(service.name)
    is_snake = named is not None and "_" in _literal(named) and "-" not in _literal(named)
    mark = "_" if is_snake else "-"
    label = metric.label.replace("_", mark)
    yield f'alarm_name = "${{{block.reference(service.name)}}}{mark}{label}"'
    is_duration = metric.limit == "duration_percent"
    percent = f": {options.duration_percent} % of the timeout" if is_duration else ""
    what = f"{metric.what[:1].upper()}{metric.what[1:]}"
    yield f'alarm_description = "{what} of ${{{block.reference(service.name)}}}{percent}"'
    yield f'namespace = "{service.namespace}"'
    yield f'metric_name = "{metric.names[0]}"'
    yield f'{"extended_statistic" if metric.statistic.startswith("p") else "statistic"} = "{metric.statistic}"'
    yield 'comparison_operator = "GreaterThanOrEqualToThreshold"'
    limit = getattr(options, metric.limit)
    threshold = f"{block.reference('timeout')} * {limit * 10}" if is_duration else str(limit)
    yield f"threshold = {threshold}"
    yield f"period = {options.period}"
    yield f"evaluation_periods = {options.evaluation_periods}"
    yield 'treat_missing_data = "notBreaching"'
    yield f"alarm_actions = [{topic}]"
    yield f"\ndimensions = {{\n  {service.dimension} = {block.reference(service.attribute)}\n}}"
    yield from tag_lines(block)


def _literal(attribute: Attribute) -> str:
    """The parts of a name that are written out."""
    return "".join(part.text for part in attribute.expr.parts if isinstance(part, Chunk))
