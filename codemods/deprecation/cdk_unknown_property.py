"""Repair names that the CDK does not have.

## Why

A keyword, member, method or class that aws-cdk-lib does not have ends the program with `TypeError` or `AttributeError`,
but only when the line is reached: in a branch for production that may be at the deployment. Programs that were written
from memory, or by a model, have such names; most are near the right one.

## CDK Python

Calls of classes, structures and functions of the CDK are held against its API, and so are the methods and attributes of
what the file makes itself. Where exactly one thing can be meant, it is written:

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
takes a `Duration`, a class that one other module has, and modules such as `aws_elbv2`. Impact `none`: the program did
not synthesise before.

## Not fixed

- Names that more than one thing, or nothing, may be meant by. The report has the nearest names.
- What aws-cdk-lib had once and has no more.
- `from aws_cdk import core` in a project that pins version 2, and classes that are imported by a name that their module
  does not have.
- Not reported: `**arguments`; things whose class can't be told, and classes of the program itself; modules that come in
  packages of their own (`..._alpha`); what stands in a `try` that catches it; names that the version that the project
  pins still had; `point_in_time_recovery_enabled` of tables (see `dynamodb-point-in-time-recovery`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import libcst as cst

from codemods.deprecation._api.imports import unknown_imports
from codemods.deprecation._api.names import nearest, same, split
from codemods.deprecation._api.repairs import KEYWORDS, NAMES, UNITS, Repair
from codemods.deprecation._api.uses import Use, attributes, is_caught, members, uses
from codemods.facts.cdk_api import cdk_keywords, cdk_module, cdk_modules, cdk_owner, cdk_type, cdk_types_called
from codemods.facts.cdk_history import cdk_first, cdk_gone_in
from fixer.cdk.references import Reference
from fixer.model import Findings, Fix, Impact, Known, Manual, Rule, Symbol

if TYPE_CHECKING:
    from fixer.cdk import Argument, Call, CdkFile
    from fixer.model import Finding, Value

rule = Rule(__name__, impact=Impact.NONE, keywords=("aws_cdk",))

_OF_CLASSES = ("name", "value", "mro")
_ANOTHER_RULES = "point_in_time_recovery_enabled"


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Imports, then keywords by the structs that calls take, names as they are read, members by their receivers."""
    yield from unknown_imports(file, rule)
    if file.is_v1:
        return
    for use in uses(file):
        if not is_caught(file, use.call.node) and not _has_other_bases(use.call):
            for argument in use.call.keywords:
                if argument.name not in use.takes and not _elsewhere(use, str(argument.name)):
                    yield from _keyword(file, use, argument)
    for reference in file.references:
        if not is_caught(file, reference.node):
            yield from _name(file, reference)
    for member in (*members(file), *attributes(file)):
        known = {*member.owner.methods, *member.owner.properties, *member.owner.constants}
        if member.exact and member.name not in known and not is_caught(file, member.node):
            reference = Reference(file, member.node, f"{member.owner.name}.{member.name}")
            if not _is_added(file, reference):
                yield from _member(file, reference, known)


# ---- what is not judged ------------------------------------------------------------------------


def _has_other_bases(call: Call) -> bool:
    """Whether `super()` may be a class of somebody else, since there are several."""
    owner = call.scope.nearest("class") if getattr(call, "is_super", False) else None
    return owner is not None and isinstance(owner.node, cst.ClassDef) and len(owner.node.bases) > 1


def _is_added(file: CdkFile, reference: Reference) -> bool:
    """Whether the file itself gives something the attribute, or asks first whether it is there."""
    name = reference.name.rpartition(".")[2]
    if any(one.target == reference.text for one in file.tree.assignments):
        return True
    return any(sign in file.source for sign in (b"hasattr(", b"setattr(")) and f'"{name}"'.encode() in file.source


def _elsewhere(use: Use, keyword: str) -> bool:
    """Whether another rule says it."""
    return keyword == _ANOTHER_RULES and use.name.startswith("aws_dynamodb.")


def _was_there(file: CdkFile, name: str) -> bool:
    """Whether the version that the project pins still has it."""
    version, gone = file.app.facts.version, cdk_gone_in(name)
    return version is not None and gone is not None and tuple(version) < gone


# ---- keywords ----------------------------------------------------------------------------------


def _keyword(file: CdkFile, use: Use, argument: Argument) -> Iterator[Finding]:
    name, struct = str(argument.name), use.signature.struct
    message = f"{use.name.removeprefix('aws_')} has no {name}: the program fails with TypeError"
    if struct and _was_there(file, f"{struct}.{name}"):
        return
    if gone := _gone(f"{struct}.{name}"):
        yield use.call.finding(rule, message, manual=gone, at=argument)
        return
    repair = _repair(struct, name) if struct else None
    new = repair.new if repair else same(name, use.takes, plural=True)
    text = argument.text
    if repair and repair.values:
        key = _key(use.call.value(name))
        if key not in repair.values:
            yield use.call.finding(rule, message, manual=_nearest(name, use.takes, repair.new), at=argument)
            return
        text = repair.values[key]
    found = _with_unit(file, use, argument) if not new and repair is None else None
    fitting = _fitting(use, new, argument, text) if new else None
    if found:
        yield use.call.finding(rule, message, fix=found, at=argument)
    elif repair and not repair.new:
        yield use.call.finding(rule, message, fix=Fix(use.call.remove(name), Impact.NONE), at=argument)
    elif fitting is None:
        manual = _inner(use, name) or _nearest(name, use.takes, new)
        yield use.call.finding(rule, message, manual=manual, at=argument)
    elif later := _later(file, f"{cdk_owner(struct, new)}.{new}"):
        yield use.call.finding(rule, message, manual=later, at=argument)
    elif use.call.has(new):
        manual = Manual(f"{new} may be meant, which it has as well", f"Take {name} out")
        yield use.call.finding(rule, message, manual=manual, at=argument)
    else:
        edits = use.call.rename(name, new) if fitting == argument.text else use.call.replace(name, new, fitting)
        yield use.call.finding(rule, message, fix=Fix(edits, Impact.NONE), at=argument)


def _key(value: Value) -> str:
    """How a table of values has one: a member by its name, else the `repr`; empty if it is not known."""
    if not isinstance(value, Known):
        return ""
    return value.value.name.rpartition(".")[2] if isinstance(value.value, Symbol) else repr(value.value)


def _repair(struct: str, keyword: str) -> Repair | None:
    """What is known to be meant by a keyword, in the table for a struct or one that it derives from."""
    found = cdk_type(struct)
    if found is None or f"{struct}.{keyword}" in KEYWORDS:
        return KEYWORDS.get(f"{struct}.{keyword}")
    return next((one for base in found.bases if (one := _repair(base, keyword))), None)


def _with_unit(file: CdkFile, use: Use, argument: Argument) -> Fix | None:
    """A duration for a number whose keyword says the unit."""
    name = str(argument.name)
    end = next((one for one in UNITS if name.endswith(one)), "")
    new = name.removesuffix(end)
    value = use.call.value(name)
    if not end or new not in use.keywords or use.call.has(new) or not isinstance(value, Known):
        return None
    if use.keywords[new].type != "Duration" or not isinstance(value.value, int | float):
        return None
    spelled, imports = file.spell("Duration", use.call)
    text = f"{spelled}.{UNITS[end]}({argument.text})"
    return Fix((*use.call.replace(name, new, text), *imports), Impact.NONE)


def _fitting(use: Use, new: str, argument: Argument, text: str) -> str | None:
    """The value as the keyword takes it: a list for a list, the only element of a list for something else."""
    kind = use.keywords[new].type if new in use.keywords else "Any"
    if "Any" in kind or kind.startswith("list[") == isinstance(argument.node, cst.List | cst.ListComp):
        return text
    elements = argument.node.elements if isinstance(argument.node, cst.List) else ()
    if len(elements) == 1 and isinstance(elements[0], cst.Element):
        return use.call.file.text(*use.call.file.tree.outer_span(elements[0].value))
    return None


def _inner(use: Use, keyword: str) -> Manual | None:
    """The keywords that take a structure which has it."""
    kinds = ((name, cdk_type(kind)) for name, one in use.keywords.items() for kind in one.type.split(" | "))
    found = [name for name, kind in kinds if kind and kind.kind == "struct" and keyword in kind.properties]
    if not found:
        return None
    return Manual(f"It is a part of what {' or '.join(found[:3])} takes", "Give it there")


def _nearest(name: str, names: Iterable[str], meant: str = "") -> Manual:
    near = meant or nearest(name, names)
    if not near:
        return Manual("Nothing there has a name like it", "Look in the documentation for what does it")
    return Manual(f"What is meant can't be told; the nearest: {near}", "Write what is meant")


# ---- names -------------------------------------------------------------------------------------


def _name(file: CdkFile, reference: Reference) -> Iterator[Finding]:
    """The finding for a class that its module does not have, or for a member that a class does not have."""
    owner, member = split(reference.name)
    found = cdk_type(owner) if owner else None
    if found is None:
        yield from _class(file, reference)
        return
    part = reference.part(f"{owner}.{member}")
    module = owner.partition(".")[0] if owner[0].islower() else ""
    prefix = f"{owner.removeprefix(f'{module}.')}."
    nested = {one.removeprefix(prefix) for one in cdk_module(module) if one.startswith(prefix)}
    known = {*found.constants, *found.methods, *found.properties, *nested}
    if member and member not in known and part and found.kind != "struct" and member not in _OF_CLASSES:
        yield from _member(file, part, known)


def _class(file: CdkFile, reference: Reference) -> Iterator[Finding]:
    """The finding for a class that is not where it is looked for."""
    parts = reference.name.split(".")
    at = next((index for index, part in enumerate(parts) if part[:1].isupper()), None)
    module = parts[0] if parts[0] in cdk_modules() else ""
    if at is None or (not module and at):
        return
    name = ".".join(parts[: at + 1])
    part = reference.part(name)
    if part is None or not isinstance(part.node, cst.Attribute) or _was_there(file, name):
        return
    message = f"{'.'.join(filter(None, ('aws_cdk', module)))} has no {parts[at]}: the program fails with AttributeError"
    others = cdk_types_called(parts[at])
    others = tuple(one for one in others if module and one.startswith(f"{module}_")) or others
    alike = same(parts[at], cdk_module(module))
    later = _later(file, others[0]) if len(others) == 1 else None
    if later:
        yield part.finding(rule, message, manual=later)
    elif len(others) == 1 and not (unfit := _unfit(part, others[0])):
        spelled, imports = file.spell(others[0], part)
        yield part.finding(rule, message, fix=Fix((*part.replace(spelled), *imports), Impact.NONE))
    elif others:
        reason = f"{' and '.join(others)} may be meant" + (f", which does not take {unfit}" if len(others) == 1 else "")
        yield part.finding(rule, message, manual=Manual(reason, "Take the one that is meant from its module"))
    elif alike:
        yield part.finding(rule, message, fix=Fix(part.rename(alike), Impact.NONE))
    elif name == "Construct":
        manual = Manual("Since version 2 it is in a package of its own", "Import it from constructs")
        yield part.finding(rule, message, manual=manual)
    else:
        yield part.finding(rule, message, manual=_gone(name) or _nearest(parts[at], cdk_module(module)))


def _unfit(reference: Reference, other: str) -> str:
    """A keyword that a call gives and the class of that name does not take."""
    found = cdk_type(other)
    call = reference.called
    if not found or not call:
        return ""
    made = found.initializer
    takes = {*cdk_keywords(other), *(made.positional if made else ())}
    return next((one.keyword.value for one in call.args if one.keyword and one.keyword.value not in takes), "")


def _member(file: CdkFile, reference: Reference, known: Iterable[str]) -> Iterator[Finding]:
    """The finding for a member that a class, or something made of it, does not have."""
    owner, _, member = reference.name.rpartition(".")
    if member.startswith("_") or _was_there(file, reference.name):
        return
    message = f"{owner.removeprefix('aws_')} has no {member}: the program fails with AttributeError"
    right = NAMES.get(reference.name) or same(member, known)
    if manual := _gone(reference.name) or (_later(file, f"{cdk_owner(owner, right)}.{right}") if right else None):
        yield reference.finding(rule, message, manual=manual)
    elif right and isinstance(reference.node, cst.Attribute):
        yield reference.finding(rule, message, fix=Fix(reference.rename(right), Impact.NONE))
    else:
        yield reference.finding(rule, message, manual=_nearest(member, known))


def _later(file: CdkFile, name: str) -> Manual | None:
    """Why what is meant can't be written: the version that the project pins may not have it."""
    version, since = file.app.facts.version, cdk_first(name)
    if version is None or since is None or tuple(version) >= since:
        return None
    last, wanted = name.rpartition(".")[2], ".".join(map(str, since))
    return Manual(f"{last} may be meant, which came to aws-cdk-lib by {wanted}", f"Require aws-cdk-lib {wanted}")


def _gone(name: str) -> Manual | None:
    gone = cdk_gone_in(name)
    if gone is None:
        return None
    return Manual(f"aws-cdk-lib {'.'.join(map(str, gone))} has it no more", "Use what has taken its place")
