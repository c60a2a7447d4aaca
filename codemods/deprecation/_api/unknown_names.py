"""Classes that a module does not have, and members that a class does not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import libcst as cst

from codemods.deprecation._api.guesses import comes_later, gone_since, guess, was_there
from codemods.deprecation._api.names import same, split
from codemods.deprecation._api.repairs import NAMES
from codemods.deprecation._api.uses import is_caught
from codemods.facts.cdk_api import cdk_keywords, cdk_module, cdk_modules, cdk_owner, cdk_type, cdk_types_called
from fixer.model import Fix, Impact, Manual

if TYPE_CHECKING:
    from fixer.cdk import CdkFile
    from fixer.cdk.references import Reference
    from fixer.model import Finding, Rule

_OF_CLASSES = ("name", "value", "mro")


def unknown_name(file: CdkFile, rule: Rule, reference: Reference) -> Iterator[Finding]:
    """The finding for a class that its module does not have, or for a member that a class does not have."""
    owner, member = split(reference.name)
    found = cdk_type(owner) if owner else None
    if found is None:
        yield from _class(file, rule, reference)
        return
    part = reference.part(f"{owner}.{member}")
    known = {*found.constants, *found.methods, *found.properties}
    if member and member not in known and part and found.kind != "struct" and member not in _OF_CLASSES:
        module = owner.partition(".")[0] if owner[0].islower() else ""
        prefix = f"{owner.removeprefix(f'{module}.')}."
        nested = {one.removeprefix(prefix) for one in cdk_module(module) if one.startswith(prefix)}
        if not is_caught(file, part.node):
            yield from unknown_member(file, rule, part, known | nested)


def _class(file: CdkFile, rule: Rule, reference: Reference) -> Iterator[Finding]:
    """The finding for a class that is not where it is looked for."""
    parts = reference.name.split(".")
    at = next((index for index, part in enumerate(parts) if part[:1].isupper()), None)
    module = parts[0] if parts[0] in cdk_modules() else ""
    if at is None or (not module and at):
        return
    name = ".".join(parts[: at + 1])
    part = reference.part(name)
    if part is None or not isinstance(part.node, cst.Attribute):
        return
    if was_there(file, name) or is_caught(file, part.node):
        return
    message = f"{'.'.join(filter(None, ('aws_cdk', module)))} has no {parts[at]}: the program fails with AttributeError"
    others = cdk_types_called(parts[at])
    others = tuple(one for one in others if module and one.startswith(f"{module}_")) or others
    alike = same(parts[at], cdk_module(module))
    later = comes_later(file, others[0]) if len(others) == 1 else None
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
        yield part.finding(rule, message, manual=gone_since(name) or guess(parts[at], cdk_module(module)))


def _unfit(reference: Reference, other: str) -> str:
    """A keyword that a call gives and the class of that name does not take."""
    found = cdk_type(other)
    call = reference.called
    if not found or not call:
        return ""
    made = found.initializer
    takes = {*cdk_keywords(other), *(made.positional if made else ())}
    return next((one.keyword.value for one in call.args if one.keyword and one.keyword.value not in takes), "")


def unknown_member(file: CdkFile, rule: Rule, reference: Reference, known: Iterable[str]) -> Iterator[Finding]:
    """The finding for a member that a class, or something made of it, does not have."""
    owner, _, member = reference.name.rpartition(".")
    if member.startswith("_") or was_there(file, reference.name):
        return
    message = f"{owner.removeprefix('aws_')} has no {member}: the program fails with AttributeError"
    right = NAMES.get(reference.name) or same(member, known)
    if manual := gone_since(reference.name) or (
        comes_later(file, f"{cdk_owner(owner, right)}.{right}") if right else None
    ):
        yield reference.finding(rule, message, manual=manual)
    elif right and isinstance(reference.node, cst.Attribute):
        yield reference.finding(rule, message, fix=Fix(reference.rename(right), Impact.NONE))
    else:
        yield reference.finding(rule, message, manual=guess(member, known))
