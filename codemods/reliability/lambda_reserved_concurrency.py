"""Reserve concurrency for the Lambda functions that need it.

## Why

All functions of an account in a region share one limit of concurrent executions, by default 1,000. A function that
runs away takes it from all others. Reserved concurrency does two things for a function: so many executions are kept for
it, and it never has more.

## CDK Python

Which functions matter, only the project knows: name them in the option `functions`. Those without a reservation get

```python
reserved_concurrent_executions=10
```

Impact `behavior`: the function is updated in place. **It is throttled when it needs more**, and what is reserved is
taken from what the account's other functions share. AWS refuses to leave these less than 100, so an account with a low
limit (new ones may start with 10) has to have it raised first.

## Terraform

```hcl
reserved_concurrent_executions = 10
```

Impact `behavior`, as above.

## Not fixed

- A function with a reservation of 0, whether it is named or not: it is never run. Set another number, or take the
  setting away, or keep it with `# iacfix: ignore[lambda-reserved-concurrency] why`.
- A named function with provisioned concurrency, or a queue that may run more of it than would be reserved: choose a
  number above that.
- A named function whose reservation can't be judged: `**arguments`, a `dynamic` block, a setting made afterwards, JSON.
- Not reported: functions that have a reservation, also where the number can't be seen, and those at CloudFront's edge,
  which can't have one.

## Options

- `functions` (default none): functions that are to have a reservation, as patterns such as `orders-*` for ids, names or
  addresses.
- `executions` (default 10): how many to reserve for each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixer.cdk.functions import functions as cdk_functions
from fixer.cdk.functions import involves
from fixer.cdk.functions import is_named as cdk_is_named
from fixer.model import Absent, Findings, Impact, Known, Manual, Rule, Unknown
from fixer.terraform.functions import feeders, functions, is_named

if TYPE_CHECKING:
    from fixer.cdk import CdkFile, Construct
    from fixer.model import Lack
    from fixer.terraform import Block, Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    functions: tuple[str, ...] = ()
    """Functions that are to have a reservation, as patterns such as `orders-*` for ids, names or addresses."""
    executions: int = 10
    """How many to reserve for each."""

    def __post_init__(self) -> None:
        """Refuse, with ValueError, a reservation that stops functions."""
        if self.executions < 1:
            raise ValueError("executions: at least 1; a function with a reservation of 0 is never run")


rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S0-4.2",),
    scanners=("CKV_AWS_115", "HIPAA.Security-LambdaConcurrency", "NIST.800.53.R5-LambdaConcurrency"),
    options=Options,
    keywords=("aws_lambda",),
)

_SETTING = "reserved_concurrent_executions"
_PROVISIONED = "aws_lambda_provisioned_concurrency_config"
_NONE = "has no reserved concurrency"
_NEVER = "is never run, since its reserved concurrency is 0"
_STOPPED = Manual("Somebody may have stopped it on purpose", "Reserve another number, or keep it with a suppression")
_MORE = re.compile(r"\b(provisioned_concurrent_executions|ProvisionedConcurrentExecutions|max_concurrency)\b")


def _message(found: Lack, manual: Manual | None, executions: int) -> str:
    if isinstance(found.value, Unknown):
        return "may have no reserved concurrency"
    return _NONE if manual else f"{_NONE}; once fixed, it never runs more than {executions} times at once"


def _above(what: str, executions: int) -> Manual:
    return Manual(f"{what} may need more than {executions} executions", f"Choose the number, and set {_SETTING} to it")


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Functions with a reservation of 0, and those that are named and have none."""
    for function in cdk_functions(file):
        value = function.value(_SETTING, shared=True)
        if value == Known(0):
            yield function.finding(rule, _NEVER, manual=_STOPPED, at=function.argument(_SETTING))
        elif not cdk_is_named(function, options.functions) or (value is not Absent and function.has(_SETTING)):
            continue
        elif found := function.lack(_SETTING, options.executions):
            manual = found.manual or _cdk_need(function, options.executions)
            yield found.finding(rule, _message(found, manual, options.executions), manual=manual)


def _cdk_need(function: Construct, executions: int) -> Manual | None:
    """What wants a number of executions of its own."""
    methods = ("add_event_source", "add_event_source_mapping", "add_alias")
    calls = [function, *(call for name in methods for call in function.methods(name))]
    calls += [
        call
        for name in ("aws_lambda.Alias", "aws_lambda.EventSourceMapping", "CfnResource")
        for call in function.file.calls(name)
        if involves(call, function)
    ]
    found = next((match for call in calls if (match := _MORE.search(call.text))), None)
    return _above(found.group(), executions) if found else None


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """Functions with a reservation of 0, and those that are named and have none."""
    for function in functions(module):
        value, attribute = function.value(_SETTING), function.attribute(_SETTING)
        if isinstance(value, Known) and str(value.value) == "0":
            yield function.finding(rule, _NEVER, manual=_STOPPED, at=attribute)
        elif not is_named(function, options.functions) or (attribute is not None and value != Known(-1)):
            continue
        elif found := function.lack(_SETTING, str(options.executions), lambda number: str(number) != "-1"):
            manual = found.manual or _need(function, options.executions)
            yield found.finding(rule, _message(found, manual, options.executions), manual=manual)


def _need(function: Block, executions: int) -> Manual | None:
    """What wants a number of executions of its own."""
    module = function.module
    for one in feeders(function):
        if one.holds("scaling_config"):
            return _above(one.address, executions)
    for one, _ in module.resources_for(function, _PROVISIONED, "function_name"):
        return _above(one.address, executions)
    return None
