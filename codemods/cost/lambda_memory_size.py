"""Give Lambda functions no more memory than was decided.

## Why

Lambda is paid by memory and time. Memory that nobody had a reason for is paid with every call. It is not always the
dearer choice, since the share of a processor grows with it: measure before, with AWS Lambda Power Tuning, and write
down why a function needs more. The rule is off by default, and is for projects that want a reason for each size.

## CDK Python

Functions, and `CfnFunction`, with more memory than the limit get the limit:

```python
memory_size=128
```

A comment on the line, or right above it, that says why (three words or more) keeps what is there, and so does the
option `functions`. Impact `behavior`: the function is updated in place. **It gets less of a processor too.**

## Terraform

```hcl
memory_size = 128
```

Impact `behavior`, as above.

## Not fixed

- More than four times the limit: somebody hardly chose that without thought. Measure what the function needs.
- Functions in Java or .NET, and container images, which seldom run in little memory.
- A size that can't be judged or changed for the one function: a condition, a constant, a variable, `**arguments`, a
  size set afterwards, JSON.
- Not reported: functions without a size, which have 128 MB, and those at CloudFront's edge.

## Options

- `megabytes` (default 128): the most memory that needs no reason.
- `functions` (default none): functions that may have more, as patterns such as `report-*` for ids, names or addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixer.cdk.functions import functions as cdk_functions
from fixer.cdk.functions import is_named as cdk_is_named
from fixer.model import Absent, Findings, Impact, Known, Manual, Rule, Unknown, at_most
from fixer.terraform.functions import functions, is_named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fixer.cdk import CdkFile, Construct
    from fixer.model import Lack
    from fixer.terraform import Block, Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    megabytes: int = 128
    """The most memory that needs no reason."""
    functions: tuple[str, ...] = ()
    """Functions that may have more, as patterns such as `report-*` for ids, names or addresses."""

    def __post_init__(self) -> None:
        """Refuse what Lambda refuses with ValueError."""
        if not 128 <= self.megabytes <= 10240:
            raise ValueError("megabytes: Lambda accepts 128 to 10240")


rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S2-4.3",),
    options=Options,
    keywords=("aws_lambda",),
    default=False,
)

_WORD = re.compile(r"[^\W\d]{2,}")
_UNITS = frozenset(("kb", "mb", "gb", "kib", "mib", "gib"))
_WORDS = 3
_FURTHEST = 4
"""How many times the limit a size may be to be lowered; what is further above it was hardly set without thought."""
_TOOL = re.compile(r"\b(iacfix|checkov|tfsec|trivy|kics|tflint|nosec|noqa|pylint)\b")
"""What comments are for that speak to a program."""
_HUNGRY = re.compile("java|dotnet", re.IGNORECASE)
_STEP = "Measure what it needs, and keep that with a comment that says why"


def _message(found: Lack, megabytes: int) -> str:
    if isinstance(found.value, Known):
        return f"has {found.value.value} MB of memory, which is above {megabytes}, and nothing says why"
    return f"may have more than {megabytes} MB of memory"


def _hungry(found: Lack, limit: int, runtime: str, *, is_image: bool) -> Manual | None:
    """Why little memory would hardly do for the function."""
    if is_image:
        return Manual("It is a container image, which seldom runs in little memory", _STEP)
    if match := _HUNGRY.search(runtime):
        return Manual(f"It runs on {match.group().lower()}, which seldom does in little memory", _STEP)
    if isinstance(found.value, Known) and not at_most(_FURTHEST * limit)(found.value.value):
        return Manual("It would be left with less than a quarter of it, and as little of a processor", _STEP)
    return None


def _say_why(comments: Iterable[str]) -> bool:
    """Whether one of the comments has the words for a reason, and is none to a program."""
    words = ([word for word in _WORD.findall(text) if word.lower() not in _UNITS] for text in comments)
    return any(len(found) >= _WORDS and not _TOOL.search(" ".join(found)) for found in words)


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Functions by `memory_size`; absent, it is the least there is."""
    limit = options.megabytes
    for function in cdk_functions(file):
        if cdk_is_named(function, options.functions) or _is_explained(function):
            continue
        found = function.lack("memory_size", limit, accepts=at_most(limit))
        if found is None or (found.value is Absent and found.manual is None):
            continue
        runtime = function.argument("runtime")
        is_image = function.name == "aws_lambda.DockerImageFunction" or "from_image" in function.text
        manual = _hungry(found, limit, runtime.text if runtime else "", is_image=is_image)
        yield found.finding(rule, _message(found, limit), manual=manual)


def _is_explained(function: Construct) -> bool:
    """Whether a comment on the argument's line, or on those right above it, says why."""
    argument, source = function.argument("memory_size"), function.file.source
    if argument is None:
        return False
    start = source.rfind(b"\n", 0, argument.start) + 1
    found = [function.file.comment_on(argument.end)]
    while start and source[(above := source.rfind(b"\n", 0, start - 1) + 1) : start].lstrip().startswith(b"#"):
        found.append(source[above:start].decode())
        start = above
    return _say_why(found)


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """Functions by `memory_size`; absent, it is the least there is."""
    limit = options.megabytes
    for function in functions(module):
        if is_named(function, options.functions) or _is_explained_there(function):
            continue
        found = function.lack("memory_size", str(limit), at_most(limit))
        if found is None or found.value is Absent:
            continue
        if isinstance(found.value, Unknown) and found.value.why.endswith("whose default is null"):
            continue
        runtime = function.attribute("runtime")
        is_image = function.value("package_type") == Known("Image")
        runs_on = module.follow(runtime.expr).text if runtime else ""
        manual = _hungry(found, limit, runs_on, is_image=is_image)
        yield found.finding(rule, _message(found, limit), manual=manual)


def _is_explained_there(function: Block) -> bool:
    attribute, file = function.attribute("memory_size"), function.file
    if attribute is None or file.is_json:
        return False
    above = file.text(file.head(attribute.start), file.line_start(attribute.start))
    return _say_why([*above.splitlines(), file.text(attribute.end, file.tail(attribute.end))])
