"""Give Lambda functions that somebody waits for a short timeout.

## Why

A function that hangs is paid until its timeout. Somebody who waits for an answer through an API has given up long
before: API Gateway does so after 29 or 30 seconds, unless it is told otherwise. What a longer timeout pays for is work
whose answer nobody takes.

## CDK Python

Where a function's timeout is above the limit, and all that the app shows to call it waits for the answer, it gets

```python
timeout=Duration.seconds(30)
```

and `CfnFunction` the number. What waits: integrations and authorizers of API Gateway, function URLs, data sources of
AppSync, triggers of Cognito user pools, targets of load balancers. Impact `behavior`: the function is updated in
place. **A request that takes longer than the limit fails once fixed.**

## Terraform

```hcl
timeout = 30
```

Impact `behavior`, as above. Callers are looked for in the module.

## Not fixed

- A function that queues, streams, events, schedules, notifications, Step Functions or CloudFormation hand work to, or
  another function: that may need its time. Choose the timeout by the work, and keep it with
  `# iacfix: ignore[lambda-timeout] why`.
- A container image, which may need long to start, and a function whose name speaks of long work, such as `backup`,
  `worker` or `export`: behind an API it may go on when nobody waits any more.
- A function of which the code does not show who calls it, one that is given to something that may call it, such as
  another stack, and a class of the app that makes functions.
- A caller that waits longer than usual, or not at all: an integration with a timeout of its own or with
  `X-Amz-Invocation-Type`, a function URL that streams its answer.
- A timeout that can't be judged or changed for the one function: a condition, a constant, a variable, `**arguments`,
  JSON.
- Not reported: functions without a timeout, which have three seconds, and those at CloudFront's edge, which can't
  have more than thirty.

## Options

- `seconds` (default 30): the longest timeout for a function that somebody waits for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixer.cdk.callers import callers as cdk_callers
from fixer.cdk.callers import is_ambiguous
from fixer.cdk.durations import seconds
from fixer.cdk.functions import functions as cdk_functions
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Unknown, at_most
from fixer.terraform.callers import callers
from fixer.terraform.functions import functions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fixer.cdk import Argument, CdkFile, Construct
    from fixer.model import Caller, Value
    from fixer.terraform import Block, Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    seconds: int = 30
    """The longest timeout for a function that somebody waits for."""

    def __post_init__(self) -> None:
        """Refuse what Lambda refuses with ValueError."""
        if not 1 <= self.seconds <= 900:
            raise ValueError("seconds: Lambda accepts 1 to 900")


rule = Rule(__name__, impact=Impact.BEHAVIOR, seeds=("S1-4.1",), options=Options, keywords=("aws_lambda",))

_CHOOSE = "Choose the timeout by the time that the work takes, and keep it with a suppression that says why"
_IMAGE = Manual("It is a container image, which may need long to start", _CHOOSE)
_CLASS = Manual("It is a class of the app, and what calls its functions can't be told", _CHOOSE)
_AMBIGUOUS = Manual("The variable that holds it holds other things too, so its callers can't be told", _CHOOSE)

_LONG_WORK = frozenset(
    (
        "archive",
        "archiver",
        "async",
        "background",
        "backup",
        "batch",
        "cleanup",
        "cron",
        "etl",
        "export",
        "exporter",
        "import",
        "importer",
        "ingest",
        "ingestion",
        "job",
        "jobs",
        "migrate",
        "migration",
        "restore",
        "scheduled",
        "train",
        "training",
        "worker",
        "workers",
    )
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def _named_for_work(*names: str | None) -> Manual | None:
    """Whether a name of the function speaks of work that takes long."""
    words = {word.lower() for name in names if name for word in _WORD.findall(name)} & _LONG_WORK
    return Manual(f"Its name speaks of long work: {', '.join(sorted(words))}", _CHOOSE) if words else None


def _message(value: Value, limit: int) -> str:
    if isinstance(value, Known):
        number = f"{value.value:g}" if isinstance(value.value, int | float) else value.value
        return f"has a timeout of {number} seconds, which is above {limit}"
    return f"may have a timeout above {limit} seconds"


def _patient(found: Iterable[Caller], where: str) -> Manual | None:
    """Why the function may need its time: who calls it does not wait, or is not known."""
    all_callers = list(found)
    if not all_callers:
        return Manual(f"Nothing in the {where} shows who calls it", f"{_CHOOSE}, or shorten it if somebody waits")
    for caller in all_callers:
        if not caller.waits:
            return Manual(f"{caller.what} may hand it work that takes its time", _CHOOSE)
    return None


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Functions by the seconds of their timeout, those of an app's own subclasses too."""
    for function in cdk_functions(file):
        value, at = seconds(function, "timeout"), function.argument("timeout")
        if value is Absent or (isinstance(value, Known) and at_most(options.seconds)(value.value)):
            continue
        message = _message(value, options.seconds)
        if manual := _obstacle(function, value) or _cdk_patient(function):
            yield function.finding(rule, message, manual=manual, at=at)
        else:
            text = str(options.seconds) if at is None else _like(at, options.seconds)
            fix = Fix(function.set("timeout", text), Impact.BEHAVIOR)
            yield function.finding(rule, message, fix=fix, at=at)


def _like(at: Argument, limit: int) -> str:
    """The limit, written like the timeout that is there: a duration of the same class, or a number."""
    return f"{at.text.partition('(')[0].rpartition('.')[0]}.seconds({limit})" if "(" in at.text else str(limit)


def _obstacle(function: Construct, value: Value) -> Manual | None:
    """Why the timeout can't be set where it stands."""
    there = "Make sure that the timeout fits what calls the function"
    at, behind = function.argument("timeout"), function.behind("timeout")
    if function.overridden("timeout"):
        return Manual("The timeout is set on it afterwards", there)
    if isinstance(value, Unknown):
        return Manual(f"The timeout can't be judged: it {value.why}", there)
    if at is None or behind is None or at.node is not behind.node:
        return Manual(f"The timeout comes from `{at.text}`" if at else "The timeout is set in a dict", there)
    return None


def _cdk_patient(function: Construct) -> Manual | None:
    if function.name == "aws_lambda.DockerImageFunction" or "from_image" in function.text:
        return _IMAGE
    if function.value("package_type") == Known("Image"):
        return _IMAGE
    if function.is_super:
        return _CLASS
    if is_ambiguous(function):
        return _AMBIGUOUS
    name = function.argument("function_name")
    named = _named_for_work(function.id, function.target, function.subclass, name.text if name else None)
    return _patient(cdk_callers(function), "app" if function.target else "file") or named


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """Functions by their `timeout`."""
    limit = options.seconds
    for function in functions(module):
        found = function.lack("timeout", str(limit), at_most(limit))
        if found is None or found.value is Absent or _is_optional(found.value):
            continue
        yield found.finding(rule, _message(found.value, limit), manual=_patient_there(function))


def _patient_there(function: Block) -> Manual | None:
    if function.value("package_type") == Known("Image"):
        return _IMAGE
    if function.module.incomplete:
        return Manual("A file of the module can't be read, and may show who calls it", "Mend that file first")
    name = function.attribute("function_name")
    named = _named_for_work(function.name, name.expr.text if name else None)
    return _patient(callers(function), "module") or named


def _is_optional(value: Value) -> bool:
    """Whether a variable says that there is no timeout unless the module's caller sets one."""
    return isinstance(value, Unknown) and value.why.endswith("whose default is null")
