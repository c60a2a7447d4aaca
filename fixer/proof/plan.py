"""`--prove plan`: `terraform plan` before and after, against the state as the backend has it, which stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fixer.model import Impact
from fixer.project import Unit
from fixer.proof.difference import Difference
from fixer.proof.scratch import BrokenError, Scratch
from fixer.proof.terraform import Terraform
from fixer.proof.verdict import incomparable, judge, refute
from fixer.result import FileChange, Proof

KIND = "plan"

Object = Mapping[str, Any]


def prove(scratch: Scratch, unit: Unit, changes: Sequence[FileChange], declared: Impact) -> list[Proof]:
    """Plan the module before and after the changes, and compare."""
    try:
        before = _plan(scratch, ())
    except BrokenError as error:
        return [incomparable(unit.path, KIND, f"not possible: {error}", before=False)]
    try:
        after = _plan(scratch, changes)
    except BrokenError as error:
        return [refute(unit.path, KIND, f"after the changes there is no plan: {error}")]
    return [judge(unit.path, KIND, compare(before, after), declared)]


def _plan(scratch: Scratch, changes: Sequence[FileChange]) -> Object:
    with scratch.copy(changes) as copy:
        terraform = Terraform(scratch, copy)
        terraform.init()
        file = str(scratch.place / "plan")
        terraform.must("plan", "-refresh=false", "-input=false", "-lock=false", "-no-color", f"-out={file}")
        return terraform.told("show", "-json", "-no-color", file)


def compare(before: Object, after: Object) -> Difference:
    """What the second plan does to the resources that the first does not.

    Where nothing is deployed yet, both plans create everything: what would force a replacement is then not seen, and
    counts as changed.
    """
    old, new = _changes(before), _changes(after)
    groups: dict[str, set[str]] = {name: set() for name in ("added", "changed", "replaced", "removed")}
    for address in {*old, *new}:
        if fate := _fate(old.get(address), new.get(address)):
            groups[fate].add(address)
    outputs = before.get("output_changes", {}), after.get("output_changes", {})
    other = {f"output {name}" for name in {*outputs[0], *outputs[1]} if outputs[0].get(name) != outputs[1].get(name)}
    return Difference(**{name: frozenset(names) for name, names in groups.items()}, other=frozenset(other))


def _changes(plan: Object) -> dict[str, Object]:
    """The change of each managed resource, by the address that it had before a `moved` block."""
    return {
        one.get("previous_address", one["address"]): one["change"]
        for one in plan.get("resource_changes", [])
        if one.get("mode") == "managed"
    }


def _fate(old: Object | None, new: Object | None) -> str:
    """What becomes of a resource that would not without the fixes: empty, or one of the groups."""
    if new is None:
        return "removed" if old and "delete" not in old["actions"] else ""
    actions = set(new["actions"])
    known = set(old["actions"]) if old else set()
    if old and (actions, _values(new)) == (known, _values(old)):
        return ""
    if {"create", "delete"} <= actions:
        return "changed" if {"create", "delete"} <= known else "replaced"
    if actions & {"delete", "forget"}:
        return "" if known & {"delete", "forget"} else "removed"
    if actions == {"create"}:
        return "changed" if "create" in known else "added"
    return "changed"


def _values(change: Object) -> tuple[Any, ...]:
    return change.get("after"), change.get("after_unknown"), change.get("after_sensitive")
