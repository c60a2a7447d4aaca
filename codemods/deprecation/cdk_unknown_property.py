"""Repair names that the CDK does not have.

## Why

A keyword, member, method or class that aws-cdk-lib does not have ends the program with `TypeError` or `AttributeError`,
but only when the line is reached: in a branch for production that may be at the deployment. Programs that were written
from memory, or by a model, have such names; most are near the right one.

## CDK Python

Calls of classes, structures and functions of the CDK are held against the API of aws-cdk-lib 2.275, and so are the
methods and attributes of what the file makes itself. Where exactly one thing can be meant, it is written:

```python
versioned=True                                    # versioning_enabled=True
cloudwatch_logs_exports=["postgresql"]            # enabled_cloudwatch_logs_exports=["postgresql"]
interval=Duration.seconds(30)                     # interval_seconds=30
dynamodb.BillingMode.PAY_PER_REQUEST              # dynamodb.BillingMode.ON_DEMAND
logs.RetentionDays.ONE_MONTH                      # logs.RetentionDays.THIRTY_DAYS
cloudfront.CacheHeaderBehavior.allow_list(...)    # cloudfront.CacheHeaderBehavior.allowList(...)
cloudwatch_actions.SnsAction(topic)               # cloudwatch.SnsAction(topic)
```

that is: names that are known to be mistaken for others, capitals, underscores and plurals, a unit in the name of what
takes a `Duration`, a class that one other module has, and imports of modules such as `aws_elbv2` or of one class that
another module has. Impact `none`: the program did not synthesise before.

## Not fixed

- Names that more than one thing, or nothing, may be meant by. The report has the nearest names.
- What aws-cdk-lib had once and has no more, and what came later than the version that the project pins.
- `from aws_cdk import core` in a project that asks for version 2, and a class that is imported together with others
  from a module that does not have it.
- Not reported: `**arguments`; things whose class can't be told, and classes of the program itself; modules that come in
  packages of their own (`..._alpha`); what stands in a `try` that catches it; names that the version that the project
  pins still had; projects for version 1, or that pin a version later than 2.275; `point_in_time_recovery_enabled` of
  tables (see `dynamodb-point-in-time-recovery`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from codemods.deprecation._api.imports import unknown_imports
from codemods.deprecation._api.unknown_keywords import unknown_keyword
from codemods.deprecation._api.unknown_names import unknown_member, unknown_name
from codemods.deprecation._api.uses import Use, attributes, is_caught, is_of_2, members, uses
from codemods.facts.cdk_gone import cdk_newest
from fixer.cdk.references import Reference
from fixer.model import Findings, Impact, Rule

if TYPE_CHECKING:
    from fixer.cdk import Call, CdkFile

rule = Rule(__name__, impact=Impact.NONE, keywords=("aws_cdk",))

_ANOTHER_RULES = "point_in_time_recovery_enabled"


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Imports, then keywords by the structs that calls take, names as they are read, members by their receivers."""
    version = file.app.facts.version
    if version and tuple(version) > cdk_newest():
        return
    yield from unknown_imports(file, rule)
    if file.is_v1 or not is_of_2(file):
        return
    for use in uses(file):
        wrong = [one for one in use.call.keywords if one.name not in use.takes and not _elsewhere(use, str(one.name))]
        if wrong and not is_caught(file, use.call.node) and not _has_other_bases(use.call):
            for argument in wrong:
                yield from unknown_keyword(file, rule, use, argument)
    for reference in file.references:
        yield from unknown_name(file, rule, reference)
    for member in (*members(file), *attributes(file)):
        known = {*member.owner.methods, *member.owner.properties, *member.owner.constants}
        if member.exact and member.name not in known and not is_caught(file, member.node):
            found = Reference(file, member.node, f"{member.owner.name}.{member.name}")
            if not _is_added(file, found):
                yield from unknown_member(file, rule, found, known)


def _has_other_bases(call: Call) -> bool:
    """Whether `super()` may be a class of somebody else, since there are several."""
    owner = call.scope.nearest("class") if getattr(call, "is_super", False) else None
    return owner is not None and isinstance(owner.node, cst.ClassDef) and len(owner.node.bases) > 1


def _is_added(file: CdkFile, reference: Reference) -> bool:
    """Whether the file itself gives something the attribute, or asks first whether it is there."""
    name = reference.name.rpartition(".")[2]
    if any(one.target == reference.text for one in file.tree.assignments):
        return True
    asked = re.compile(rf"(?:has|get|set)attr\([^()]*['\"]{re.escape(name)}['\"]".encode())
    return asked.search(file.source) is not None


def _elsewhere(use: Use, keyword: str) -> bool:
    """Whether another rule says it."""
    return keyword == _ANOTHER_RULES and use.name.startswith("aws_dynamodb.")
