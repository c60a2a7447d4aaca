"""Have Lambda functions write their logs as JSON.

## Why

Lambda's plain text lines have to be taken apart by patterns before they can be searched. As JSON, each line has its
time, level and request id as fields, which CloudWatch Logs Insights reads by itself, and levels can be filtered.

## CDK Python

Functions (`aws_lambda.Function` and what derives from it) get `logging_format=lambda_.LoggingFormat.JSON`, in place of
`log_format` where that is set, and `CfnFunction` the `logging_config` with the format `JSON`. Impact `behavior`: the
function is updated in place. **Whatever reads its logs as plain text has to follow**: saved queries, dashboards and
programs are not looked at.

## Terraform

```hcl
logging_config {
  log_format = "JSON"
}
```

Impact `behavior`, as above.

## Not fixed

- A function whose logs a metric filter or a subscription filter reads, or may read, by a pattern for text: make the
  pattern one for JSON, such as `{ $.level = "ERROR" }`, and set the format with it. Filters are looked for in the
  function's file (CDK) or module (Terraform); those that take all events are no obstacle.
- A function in a module with a file that can't be read, which may hold such filters.
- A format that can't be judged: a condition, a variable without default, `**arguments`, a `dynamic` block, JSON.
- A project that allows an aws-cdk-lib, or an aws provider, that does not have the setting yet.
- Not reported: functions at CloudFront's edge, whose format can't be set.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from codemods.facts import cdk_since
from codemods.facts.terraform_aws import terraform_resource
from fixer.cdk.functions import HIGH_LEVEL
from fixer.cdk.functions import functions as cdk_functions
from fixer.cdk.functions import writes_to as cdk_writes_to
from fixer.model import Findings, Fix, Impact, Known, Manual, Rule, Symbol, Unknown
from fixer.terraform.functions import functions, writes_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixer.cdk import Call, CdkFile, Construct
    from fixer.cdk.calls import Argument
    from fixer.model import Lack
    from fixer.terraform import Block, Module

rule = Rule(__name__, impact=Impact.BEHAVIOR, seeds=("S0-4.3", "S2-4.1"), keywords=("aws_lambda",))

_TEXT = "writes its logs as plain text"
_FIXED = f"{_TEXT}; once fixed, what reads them gets JSON"
_DOUBTFUL = "may write its logs as plain text"
_READER_STEP = 'Make that a pattern for JSON, such as { $.level = "ERROR" }, and set the format to JSON with it'


def _message(found: Lack, manual: Manual | None) -> str:
    return _DOUBTFUL if isinstance(found.value, Unknown) else _TEXT if found.manual or manual else _FIXED


def _read(who: str, verdict: bool | None) -> Manual:
    return Manual(f"{who} {'reads' if verdict else 'may read'} its logs as text", _READER_STEP)


# ---- CDK Python --------------------------------------------------------------------------------

_FORMAT = "aws_lambda.LoggingFormat.JSON"
_LOW_LEVEL = "aws_lambda.CfnFunction.LoggingConfigProperty"
_JSON = (Known("JSON"), Known(Symbol("aws_lambda.LogFormat.JSON")))
_FILTERS = ("MetricFilter", "SubscriptionFilter", "CfnMetricFilter", "CfnSubscriptionFilter")
_TERMS = re.compile(r"\b(any_term|any_term_group|all_terms|space_delimited)\b")


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Functions by `logging_format`, which has taken the place of `log_format`."""
    for function in cdk_functions(file):
        if function.name not in HIGH_LEVEL:
            found = function.lack("logging_config.log_format", "JSON", struct=_LOW_LEVEL, since=cdk_since(_LOW_LEVEL))
        elif function.value("log_format", shared=True) in _JSON:
            continue
        else:
            found = function.lack(
                "logging_format", Symbol(_FORMAT), since=cdk_since(_FORMAT), properties=("logging_config",)
            )
        if found is None:
            continue
        manual = found.manual or _cdk_reader(function)
        if manual is None and function.name in HIGH_LEVEL and function.has("log_format"):
            name, imports = file.spell(_FORMAT, function)
            edits = function.replace("log_format", "logging_format", name)
            yield function.finding(rule, _FIXED, fix=Fix((*edits, *imports), Impact.BEHAVIOR))
        else:
            yield found.finding(rule, _message(found, manual), manual=manual)


def _cdk_reader(function: Construct) -> Manual | None:
    """What keeps a function's logs from becoming JSON: a filter with a pattern for text."""
    for each, group in _filters(function.file):
        if _is_for_text(each) and group and (verdict := cdk_writes_to(function, group, each)) is not False:
            return _read(f"The filter in line {each.line}", verdict)
    return None


def _filters(file: CdkFile) -> Iterator[tuple[Call, Argument | str | None]]:
    """Filters of log groups, with the group as it is written."""
    for each in file.constructs(*(f"aws_logs.{name}" for name in _FILTERS)):
        yield each, each.argument("log_group_name" if ".Cfn" in each.name else "log_group")
    for method in ("add_metric_filter", "add_subscription_filter"):
        yield from ((call, file.receiver(call)) for call in file.methods(method))


def _is_for_text(each: Call) -> bool:
    value, pattern = each.value("filter_pattern"), each.behind("filter_pattern")
    if pattern is None:
        return each.has_splat
    if isinstance(value, Known) and isinstance(value.value, str):
        return _is_text(value.value)
    if ".literal(" in pattern.text:
        return _is_text(pattern.text.partition(".literal(")[2].strip("rf\"' \n"))
    return _TERMS.search(pattern.text) is not None or "FilterPattern" not in pattern.text


def _is_text(pattern: str) -> bool:
    """Whether a pattern is one for text: neither one for JSON, nor the empty one, which takes all events."""
    return not pattern.strip().startswith("{") and pattern.strip() != ""


# ---- Terraform ---------------------------------------------------------------------------------

_INCOMPLETE = Manual("A file of the module can't be read, and may hold filters of its logs", "Mend that file first")
_PATTERNS = {
    "aws_cloudwatch_log_metric_filter": "pattern",
    "aws_cloudwatch_log_subscription_filter": "filter_pattern",
}


@rule.terraform
def terraform(module: Module, options: object) -> Findings:
    """Functions by the format in their `logging_config`."""
    for function in functions(module):
        if found := function.lack("logging_config.log_format", '"JSON"'):
            manual = _too_old(module) or (_INCOMPLETE if module.incomplete else _reader(function))
            yield found.finding(rule, _message(found, manual), manual=manual)


def _too_old(module: Module) -> Manual | None:
    body = terraform_resource("aws_lambda_function")
    block = body.blocks.get("logging_config") if body else None
    missing = sorted(set(module.facts.aws_majors) - set(block.majors)) if block else []
    if not missing:
        return None
    reason = f"The module allows version {missing[0]} of the aws provider, which has no logging_config"
    return Manual(reason, "Require a newer provider, then run iacfix again")


def _reader(function: Block) -> Manual | None:
    """What keeps a function's logs from becoming JSON: a filter with a pattern for text."""
    for kind, name in _PATTERNS.items():
        for each in function.module.all_resources(kind):
            group, pattern = each.attribute("log_group_name"), each.attribute(name)
            value = each.value(name)
            text = str(value.value) if isinstance(value, Known) else pattern.expr.text.lstrip('"') if pattern else ""
            if group and _is_text(text) and (verdict := writes_to(function, group.expr)) is not False:
                return _read(each.address, verdict)
    return None
