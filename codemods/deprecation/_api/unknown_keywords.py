"""Keywords that a call does not take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from codemods.deprecation._api.guesses import comes_later, gone_since, guess, was_there
from codemods.deprecation._api.names import same
from codemods.deprecation._api.repairs import KEYWORDS, UNITS, Repair
from codemods.facts.cdk_api import cdk_owner, cdk_type
from fixer.model import Fix, Impact, Known, Manual, Symbol

if TYPE_CHECKING:
    from codemods.deprecation._api.uses import Use
    from fixer.cdk import Argument, CdkFile
    from fixer.model import Finding, Rule, Value


def unknown_keyword(file: CdkFile, rule: Rule, use: Use, argument: Argument) -> Iterator[Finding]:
    """The finding for a keyword that a call gives and that what it calls does not take."""
    name, struct = str(argument.name), use.signature.struct
    message = f"{use.name.removeprefix('aws_')} has no {name}: the program fails with TypeError"
    if struct and was_there(file, f"{struct}.{name}"):
        return
    if gone := gone_since(f"{struct}.{name}"):
        yield use.call.finding(rule, message, manual=gone, at=argument)
        return
    repair = _repair(struct, name) if struct else None
    new = repair.new if repair else same(name, use.takes, plural=True)
    text = argument.text
    if repair and repair.values:
        key = _key(use.call.value(name))
        if key not in repair.values:
            yield use.call.finding(rule, message, manual=guess(name, use.takes, repair.new), at=argument)
            return
        text = repair.values[key]
    found = _with_unit(file, use, argument) if not new and repair is None else None
    fitting = _fitting(use, new, argument, text) if new else None
    if found:
        yield use.call.finding(rule, message, fix=found, at=argument)
    elif repair and not repair.new:
        yield use.call.finding(rule, message, fix=Fix(use.call.remove(name), Impact.NONE), at=argument)
    elif fitting is None:
        manual = _inner(use, name) or guess(name, use.takes, new)
        yield use.call.finding(rule, message, manual=manual, at=argument)
    elif later := comes_later(file, f"{cdk_owner(struct, new)}.{new}"):
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
    if "Any" in kind or ("list[" in kind) == isinstance(argument.node, cst.List | cst.ListComp):
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
