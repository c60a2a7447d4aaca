"""Give Lambda functions log groups of their own, which keep events for a set time.

## Why

Lambda makes a log group by itself when a function first runs: it keeps its events for ever, belongs to no stack, and
stays behind when the function goes. The CDK's `log_retention`, which sets the retention of such a group by a function
of its own, is deprecated: `log_group` has taken its place.

## CDK Python

A function (`aws_lambda.Function` and what derives from it) gets a log group in place of its `log_retention` and
`log_removal_policy`, or because it has neither:

```python
log_group=logs.LogGroup(self, "OrdersLogGroup", retention=logs.RetentionDays.ONE_MONTH)
```

Impact `behavior`: the function is updated in place and **writes to a new log group; older events stay in
`/aws/lambda/<name>`**; where `log_removal_policy` says that they go with the setting, they are deleted, so that the
impact is `replacement`. To keep that group, give the new one its name, by `log_group_name`, and deploy with
`cdk deploy --import-existing-resources`.

## Terraform

A function without a log group gets one right below it, with the function's own `count`, `for_each` and `provider`:

```hcl
resource "aws_cloudwatch_log_group" "orders" {
  name              = "/aws/lambda/${aws_lambda_function.orders.function_name}"
  retention_in_days = 30
}
```

The retention is the module's variable for it, if there is one. Impact `behavior`: a resource is added. **Where the
function has run before, Lambda has made the group: import it first**, `terraform import` with the group's name.

## Not fixed

- A function with `**arguments` that may bring the settings, or whose id can't be told to make one for the log group.
- A function where it can't be told whether one of the log groups that are there, by its name, is its own.
- In Terraform, a function whose name another module gives or is given, which may make the log group itself, and one in
  JSON.
- Not reported: functions whose log group another construct makes by its name, `log_group_name="/aws/lambda/..."`, those
  whose `logging_config` names a log group, and those at CloudFront's edge, which log in every region.

## Options

- `days` (default 30): how long the events are kept, where nothing else says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codemods._logs import LOG_GROUP, Retention, log_group, retention_member
from codemods.facts import cdk_since
from fixer.cdk.functions import functions as cdk_functions
from fixer.cdk.functions import is_named_for as cdk_is_named_for
from fixer.model import Absent, Findings, Fix, Impact, Manual, Rule, Unknown
from fixer.terraform import known_to
from fixer.terraform.functions import functions, is_named_for

if TYPE_CHECKING:
    from fixer.cdk import CdkFile, Construct
    from fixer.terraform import Block, Module


rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S1-3.2", "S4-9"),
    scanners=("Serverless-LambdaLogging",),
    options=Retention,
    keywords=("aws_lambda",),
)

_UNCLEAR = Manual("It can't be told whether a log group that is there is its own", "Name one by its function_name")

# ---- CDK Python --------------------------------------------------------------------------------

_OLD = ("log_retention", "log_removal_policy", "log_retention_retry_options", "log_retention_role")


@rule.cdk
def cdk(file: CdkFile, options: Retention) -> Findings:
    """Functions by `log_group`, and by what was there before it."""
    if not file.has_since(cdk_since("aws_lambda.Function", "log_group")):
        return
    groups = list(file.constructs("aws_logs.LogGroup", "aws_logs.CfnLogGroup"))
    for function in cdk_functions(file, low_level=False):
        if function.has("log_group") or function.overridden("logging_config"):
            continue
        named = [cdk_is_named_for(group, function) for group in groups]
        if True in named:
            continue
        is_old = function.has("log_retention")
        message = "sets the retention of its log group by a deprecated property" if is_old else "has no log group"
        fate = "go" if function.has("log_removal_policy") else "stay where they are"
        message += f"; once fixed, it writes to a new one, and older events {fate}"
        if manual := _obstacle(function) or (_UNCLEAR if None in named else None):
            yield function.finding(rule, message, manual=manual)
        else:
            yield function.finding(rule, message, fix=_grouped(file, function, options.days))


def _obstacle(function: Construct) -> Manual | None:
    for keyword in ("log_group", "log_retention", "log_removal_policy"):
        value = function.value(keyword)
        if isinstance(value, Unknown) and not function.argument(keyword):
            return Manual(f"{keyword} can't be judged: it {value.why}", "Give it a log_group there")
    return function.no_companion("LogGroup", "Give it a log_group")


def _grouped(file: CdkFile, function: Construct, days: int) -> Fix:
    member = retention_member(days)
    old = {name: given.text for name in _OLD if (given := function.behind(name)) and function.value(name) is not Absent}
    names = ("aws_logs.LogGroup", *(() if "log_retention" in old else (member,)))
    spelled, imports = file.spell_all(names, function)
    keywords = [f"retention={old.get('log_retention') or spelled[member]}"]
    if policy := old.get("log_removal_policy"):
        keywords.append(f"removal_policy={policy}")
    made = function.companion(spelled["aws_logs.LogGroup"], "LogGroup", *keywords)
    gone = [name for name in _OLD if function.has(name)]
    impact = Impact.REPLACEMENT if policy else Impact.BEHAVIOR
    return Fix((*function.rewrite(set={"log_group": made}, remove=gone), *imports), impact)


# ---- Terraform ---------------------------------------------------------------------------------

_PREFIX = "/aws/lambda/"


@rule.terraform
def terraform(module: Module, options: Retention) -> Findings:
    """Functions by the log groups of the module."""
    for function in functions(module):
        if function.value("logging_config.log_group") is Absent and not function.dynamic("logging_config"):
            yield from _judged(module, function, options)


def _judged(module: Module, function: Block, options: Retention) -> Findings:
    message = "has no log group of its own; if it has run before, import the one that Lambda made"
    name = function.attribute("function_name")
    found = [is_named_for(group, function) for group in module.all_resources(LOG_GROUP)]
    if True in found or name is None:
        return
    if manual := function.no_companion(LOG_GROUP):
        yield function.finding(rule, message, manual=manual)
    elif None in found:
        yield function.finding(rule, message, manual=_UNCLEAR)
    elif place := known_to(function, "function_name"):
        manual = Manual(f"{place} knows its name, and may make the log group", "Look there, and make it in one place")
        yield function.finding(rule, message, manual=manual)
    else:
        called = f'name = "{_PREFIX}${{{function.reference("function_name")}}}"'
        _, text = log_group(function, function.name, called, options, "_lambda")
        yield function.finding(rule, message, fix=Fix(function.insert_after(text), Impact.BEHAVIOR))
