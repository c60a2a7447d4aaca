"""Keep the events of CloudWatch log groups for a set time.

## Why

A log group without a retention keeps its events for ever, and every month's bill holds all the months before. The
CDK's own default is better, two years, but nobody chose it.

## CDK Python

`aws_logs.LogGroup` without `retention` gets the enum member for the configured days, and `aws_logs.CfnLogGroup`
without `retention_in_days` the number:

```python
logs.LogGroup(self, "Api", retention=logs.RetentionDays.ONE_MONTH)
```

Impact `behavior`: the log group is updated in place, and **CloudWatch deletes the events that are older**.
`log_retention=` of functions is another matter, and not touched.

## Terraform

`aws_cloudwatch_log_group` without `retention_in_days` gets it: the module's own variable for it, if it declares just
one (such as `log_retention_days`, a number that has no default or one that CloudWatch accepts), else the number.
Impact `behavior`, as above.

```hcl
resource "aws_cloudwatch_log_group" "api" {
  name = "api"

  retention_in_days = 30
}
```

## Not fixed

- A group that says that it keeps its events for ever (`RetentionDays.INFINITE`, `retention_in_days = 0`): somebody
  chose that. Choose another time, or keep it with `# iacfix: ignore[log-group-retention] why`.
- A retention that comes from a variable whose default is 0 or null: set the variable where the module is called, or
  change its default.
- A call with `**arguments` that can't be looked into, a group that an override file changes or whose `lifecycle`
  ignores changes of the retention, and a group in a `.tf.json` file: see to it there.
- Days for which the project's version of aws-cdk-lib has no enum member: choose others, or upgrade.

A group that is given a retention is in order, also where the value can't be seen: a parameter, a variable without
default, a condition, an override. So are groups of the class `DELIVERY`: CloudWatch keeps their events for two days
whatever is asked.

## Options

- `days` (default 30): one of the values that CloudWatch Logs accepts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codemods._logs import Retention, retention_member, retention_variable
from codemods.facts import cdk_since
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Symbol, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixer.cdk import CdkFile, Construct
    from fixer.model import Finding
    from fixer.terraform import Block, Module


rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S4-9",),
    scanners=(
        "CKV_AWS_66",
        "ef0b316a-211e-42f1-888e-64efe172b755",
        "HIPAA.Security-CloudWatchLogGroupRetentionPeriod",
        "NIST.800.53.R4-CloudWatchLogGroupRetentionPeriod",
        "NIST.800.53.R5-CloudWatchLogGroupRetentionPeriod",
    ),
    options=Retention,
    keywords=("aws_cloudwatch_log_group", "LogGroup"),
)

_FOR_EVER = "keeps its events for ever"
_ON_PURPOSE = Manual(
    "It says that events are kept for ever, so somebody may want that",
    "Set a retention, or keep it with a suppression that says why",
)


def _message(kept: str, days: str) -> str:
    return f"keeps its events {kept}; once fixed, CloudWatch deletes those older than {days}"


# ---- CDK Python --------------------------------------------------------------------------------

_KEYWORDS = {"aws_logs.LogGroup": "retention", "aws_logs.CfnLogGroup": "retention_in_days"}
_MEMBERS = "aws_logs.RetentionDays"


@rule.cdk
def cdk(file: CdkFile, options: Retention) -> Findings:
    """Log groups whose keyword for the retention is missing."""
    for group in file.constructs(*_KEYWORDS):
        if not _is_delivery(group) and not group.overridden("retention_in_days"):
            yield from _group(file, group, options.days)


def _group(file: CdkFile, group: Construct, days: int) -> Iterator[Finding]:
    keyword = _KEYWORDS[group.name]
    value, argument = group.value(keyword), group.argument(keyword)
    if value in (Known(Symbol(f"{_MEMBERS}.INFINITE")), Known(0)):
        yield group.finding(rule, _FOR_EVER, manual=_ON_PURPOSE, at=argument)
    elif isinstance(value, Unknown) and not group.has(keyword):
        manual = Manual(f"The retention can't be judged: it {value.why}", f"Make sure that {keyword} is set there")
        yield group.finding(rule, "may have no retention", manual=manual)
    elif value is Absent and keyword == "retention_in_days":
        fix = Fix(group.set(keyword, str(days)), Impact.BEHAVIOR)
        yield group.finding(rule, _message("for ever", f"{days} days"), fix=fix)
    elif value is Absent:
        message = _message("for two years, the CDK's default", f"{days} days")
        member = retention_member(days)
        if too_old := file.too_old(member, cdk_since(member)):
            yield group.finding(rule, message, manual=too_old)
        else:
            text, imports = file.spell(member, group)
            yield group.finding(rule, message, fix=Fix((*group.set(keyword, text), *imports), Impact.BEHAVIOR))


def _is_delivery(group: Construct) -> bool:
    """Whether CloudWatch keeps the group's events for two days in any case."""
    return group.value("log_group_class") in (Known(Symbol("aws_logs.LogGroupClass.DELIVERY")), Known("DELIVERY"))


# ---- Terraform ---------------------------------------------------------------------------------

_ARGUMENT = "retention_in_days"


@rule.terraform
def terraform(module: Module, options: Retention) -> Findings:
    """Log groups without `retention_in_days`, or with 0."""
    variable = retention_variable(module)
    for group in module.declared("aws_cloudwatch_log_group"):
        value, attribute = group.value(_ARGUMENT), group.attribute(_ARGUMENT)
        if group.value("log_group_class") == Known("DELIVERY"):
            continue
        if value is Absent:
            message = _message("for ever", f"{variable} says" if variable else f"{options.days} days")
            if manual := _obstacle(group):
                yield group.finding(rule, _FOR_EVER, manual=manual)
            else:
                fix = Fix(group.set(_ARGUMENT, variable or str(options.days)), Impact.BEHAVIOR)
                yield group.finding(rule, message, fix=fix)
        elif value == Known(0) or (isinstance(value, Unknown) and value.why.endswith("whose default is null")):
            yield group.finding(rule, _FOR_EVER, manual=_origin(group) or _ON_PURPOSE, at=attribute)
        elif isinstance(value, Unknown) and (attribute is None or module.overridden(group)):
            manual = Manual(
                f"The retention can't be judged: it {value.why}", f"Make sure that {_ARGUMENT} is set there"
            )
            yield group.finding(rule, "may have no retention", manual=manual)


def _obstacle(group: Block) -> Manual | None:
    """Why the argument can't be set here."""
    return group.unchangeable(_ARGUMENT, f"Make sure that {_ARGUMENT} is set there")


def _origin(group: Block) -> Manual | None:
    """What to do about a variable that the argument is set by."""
    attribute = group.attribute(_ARGUMENT)
    names = group.module.variables_behind(attribute.expr) if attribute else ()
    if not names:
        return None
    reason = f"The retention comes from var.{', var.'.join(names)}, whose default keeps events for ever"
    return Manual(reason, "Set the variable where the module is called, or change its default")
