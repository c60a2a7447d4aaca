"""Settings of constructs that are not what they should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libcst as cst

from fixer.cdk.calls import Call
from fixer.cdk.values import behind
from fixer.model import Absent, Edit, Known, Lack, Manual, Symbol, Unknown

if TYPE_CHECKING:
    from fixer.cdk.calls import Argument
    from fixer.model import Value


@dataclass(frozen=True)
class Wanted:
    """What a setting is to be.

    Attributes:
        path: The keyword, or one within the struct of a keyword: `deploy_options.tracing_enabled`.
        value: Plain data, or a Symbol.
        struct: The struct's full name; empty if the path is a keyword alone.
        accepts: Whether a known value is right.
        since: The first version of aws-cdk-lib that has the setting; None if that does not matter.
        properties: What it is called in CloudFormation, in snake case, to know what is set on it afterwards.
    """

    path: str
    value: Any
    struct: str
    accepts: Callable[[Any], bool]
    since: tuple[int, ...] | None
    properties: tuple[str, ...]


def lack(call: Call, wanted: Wanted) -> Lack | None:
    """What is wrong with a setting; see `Call.lack`."""
    keyword, _, inner = wanted.path.partition(".")
    found = within(call, keyword, wanted.struct) if inner else call
    value, at = (
        (found.value(inner or keyword, shared=True), found.argument(inner or keyword))
        if isinstance(found, Call)
        else (found, call.argument(keyword))
    )
    if isinstance(value, Known) and wanted.accepts(value.value) and not _later(call, wanted):
        return None
    if isinstance(found, Call):
        value = found.value(inner or keyword)
    if manual := _obstacle(call, wanted, value, at):
        return Lack(call, value, manual=manual, at=at)
    return Lack(call, value, _changes(call, wanted, found), at=at)


def lack_all(call: Call, values: Mapping[str, str], step: str, keyword: str, struct: str) -> Lack | None:
    """What is wrong with settings that must all be there; see `Call.lack_all`."""
    found = within(call, keyword, struct) if keyword else call
    if isinstance(found, Unknown):
        return Lack(call, found, manual=_unclear(keyword, found, step))
    if not isinstance(found, Call):
        text, imports = call.file.spell_call(struct, values, call)
        return Lack(call, found, (*call.set(keyword, text), *imports))
    lacking = {name: text for name, text in values.items() if found.value(name, shared=True) is Absent}
    others = {name: found.value(name) for name in values if not found.argument(name)}
    for name, value in others.items():
        if isinstance(value, Unknown):
            return Lack(call, value, manual=_unclear(keyword or name, value, step))
    return Lack(call, Absent, found.set_all(lacking)) if lacking else None


def _unclear(what: str, value: Unknown, step: str) -> Manual:
    return Manual(f"{what} can't be judged: it {value.why}", step)


def within(call: Call, keyword: str, struct: str) -> Call | Value:
    """The call that makes the struct that a keyword is set to; else what the keyword is set to.

    Unknown too if the call can't be changed for this one alone, or if it is written as a dict.
    """
    value, argument = call.value(keyword), call.argument(keyword)
    written = call.behind(keyword)
    if value is Absent or written is None:
        return value
    made = call.call_behind(keyword, struct)
    if made is None:
        return Unknown("is written as a dict") if isinstance(written.node, cst.Dict) else _unknown(value)
    if argument is None or (argument.value_start, argument.value_end) != (made.start, made.end):
        return Unknown(f"is set in `{argument.text}`" if argument else "is set in the dict that it unpacks")
    return made


def _unknown(value: Value) -> Value:
    return value if isinstance(value, Unknown) else Unknown("is not what the CDK takes there")


def _changes(call: Call, wanted: Wanted, found: Call | Value) -> tuple[Edit, ...]:
    keyword, _, inner = wanted.path.partition(".")
    is_symbol = isinstance(wanted.value, Symbol)
    names = [wanted.value.name] if is_symbol else []
    spelled, imports = call.file.spell_all([*names, *([wanted.struct] if inner and found is Absent else ())], call)
    text = spelled[wanted.value.name] if is_symbol else written(wanted.value)
    if inner and found is Absent:
        return (*call.set(keyword, f"{spelled[wanted.struct]}({inner}={text})"), *imports)
    target = found if isinstance(found, Call) else call
    return (*target.set(inner or keyword, text), *imports)


def written(value: Any) -> str:
    """Plain data as Python source, with the quotes that black likes."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)


def _told(wanted: Wanted) -> str:
    return wanted.value.name if isinstance(wanted.value, Symbol) else written(wanted.value)


def _later(call: Call, wanted: Wanted) -> str:
    """What is set on the construct afterwards that decides the setting; empty if nothing is."""
    names = {name.replace("_", "").lower() for name in (*wanted.properties, wanted.path.partition(".")[0])}
    for each in call.overrides:
        path = each.removeprefix("Properties.").replace("_", "").lower()
        if path == "*" or path.split(".")[0] in names:
            return each
    return ""


def _obstacle(call: Call, wanted: Wanted, value: Value, at: Argument | None) -> Manual | None:
    """Why the setting can't be made where it stands."""
    there = f"Make sure that {wanted.path} is {_told(wanted)} there"
    if later := _later(call, wanted):
        what = "something" if later == "*" else later
        return Manual(f"{what} is set on it afterwards", there)
    if isinstance(value, Unknown):
        return _unclear(wanted.path, value, there)
    if manual := call.file.too_old(wanted.path, wanted.since):
        return manual
    if at and isinstance(at.node, cst.Name | cst.Attribute) and behind(call.file, at.node, call.scope) is not at.node:
        return Manual(f"{wanted.path} comes from `{at.text}`", f"Make sure that it is {_told(wanted)}")
    return None
