"""Give items of the CDK's context a default where the code reads them.

## Why

`try_get_context` gives nothing if an item was neither written down nor given on the command line. The program then
breaks far away from there, or does worse and deploys: a name made with it becomes `orders-None`.

## CDK Python

A read of an item that has a default in the rule's options gets it:

```python
environment_suffix = self.node.try_get_context("environmentSuffix") or "dev"
```

`get_context`, which stops the program, becomes the same. Nothing changes where the item is given. Where it is not, the
impact is `none` if the program could not be synthesised, since it certainly adds the item to a text, or reads an
attribute or element of it. Else it is `replacement`: names that held `None` hold the default then.

In order are items that `cdk.json` or `cdk.context.json` has, those that the app's code sets, and reads after which the
code asks whether there is something: `or`, `if`, `assert`, `is None`, `in`. So is an item without a default in the
options that goes straight to an optional keyword of the CDK: `Environment(account=node.try_get_context("account"))`.

## Not fixed

- Items without a default in the options: write one there, put the item into `cdk.json`, or say in the code what
  happens without it. `get_context` is in order then: it says what is missing.
- A read whose key can't be told.

## Options

- `defaults` (none by default): more items with their defaults; that of `environmentSuffix` is `dev` unless it is given
  here too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from codemods.facts.cdk_api import cdk_keywords
from fixer.model import Findings, Fix, Impact, Manual, Rule, Unknown

if TYPE_CHECKING:
    from fixer.cdk import CdkFile
    from fixer.cdk.context import Read

_KNOWN = {"environmentSuffix": "dev"}


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    defaults: dict[str, str] = field(default_factory=dict, hash=False)
    """Items of the context with their defaults, besides `environmentSuffix` with `dev`."""

    def __post_init__(self) -> None:
        """Refuse empty defaults, and those that would have to be escaped, with ValueError."""
        for key, value in self.defaults.items():
            if not value or not value.isprintable() or re.search(r"[\"'\\{}]", value):
                raise ValueError(f"defaults: {key} expects a text without quotes, backslashes and braces")


rule = Rule(
    __name__,
    impact=Impact.REPLACEMENT,
    seeds=("S2-2.2",),
    options=Options,
    keywords=("get_context",),
)


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Reads of items that may not be there, which nothing provides for."""
    from fixer.cdk.context import is_given, reads

    defaults = {**_KNOWN, **options.defaults}
    for read in reads(file):
        if read.is_provided_for:
            continue
        if isinstance(read.key, Unknown):
            if not read.is_required:
                manual = Manual(f"The key {read.key.why}", "Make sure that the item has a default, or say what it is")
                yield read.finding(rule, "reads an item of the context that may not be there", manual=manual)
        elif is_given(file.app, read.key):
            continue
        elif (default := defaults.get(read.key)) is not None:
            impact = Impact.NONE if read.breaks_without else Impact.REPLACEMENT
            effect = "the program breaks without it" if read.breaks_without else "without it, the value is None"
            message = f"{read.key} has no default where it is read from the context: {effect}"
            yield read.finding(rule, message, fix=Fix(read.with_default(default), impact))
        elif not read.is_required and not _may_be_none(read):
            step = f"Write one there, put {read.key} under context in cdk.json, or set the option defaults.{read.key}"
            message = f"{read.key} has no default where it is read from the context"
            yield read.finding(rule, message, manual=Manual(f"No default is known for {read.key}", step))


def _may_be_none(read: Read) -> bool:
    """Whether the CDK takes it for an optional keyword, where nothing is an answer too."""
    name, keyword = read.given_to or ("", "")
    found = cdk_keywords(name).get(keyword) if name else None
    return found is not None and not found.required
