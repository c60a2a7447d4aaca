"""`--prove plan`: `terraform plan` before and after, against the state as the backend has it, which stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from fixer.project import Unit
from fixer.proof.difference import Difference, settled
from fixer.proof.scratch import Scratch
from fixer.proof.terraform import Terraform
from fixer.proof.trial import Trial, comparison
from fixer.result import FileChange

Object = Mapping[str, Any]


def trial(scratch: Scratch, unit: Unit) -> Trial[Object]:
    """What plans the module before and after changes, and compares."""
    return comparison(unit.path, "plan", partial(_plan, scratch), compare)


def _plan(scratch: Scratch, changes: Sequence[FileChange]) -> Object:
    with scratch.copy(changes) as copy:
        terraform = Terraform(scratch, copy)
        terraform.init()
        file = str(scratch.place / "plan")
        terraform.must("plan", "-refresh=false", "-input=false", "-lock=false", "-no-color", f"-out={file}")
        return terraform.told("show", "-json", "-no-color", file)


def compare(before: Object, after: Object, again: Object | None = None) -> Difference:
    """What the second plan does to the resources that the first does not.

    What differs between `before` and `again`, two plans of the same, does not count, unless it is an action. Where
    nothing is deployed yet, both plans create everything: what would force a replacement is then not seen, and counts
    as changed.
    """
    old, new, other_old = _changes(before), _changes(after), _changes(again or before)
    groups: dict[str, set[str]] = {name: set() for name in ("added", "changed", "replaced", "removed")}
    for address in {*old, *new}:
        if fate := _fate(old.get(address), new.get(address), other_old.get(address)):
            groups[fate].add(address)
    outputs = [one.get("output_changes", {}) for one in (before, again or before, after)]
    other = set()
    for name in {*outputs[0], *outputs[2]}:
        was, still, now = (one.get(name) for one in outputs)
        if was != settled(was, still, now):
            other.add(f"output {name}")
    return Difference(**{name: frozenset(names) for name, names in groups.items()}, other=frozenset(other))


def _changes(plan: Object) -> dict[str, Object]:
    """The change of each managed resource, by the address that it had before a `moved` block."""
    return {
        one.get("previous_address", one["address"]): one["change"]
        for one in plan.get("resource_changes", [])
        if one.get("mode") == "managed"
    }


def _fate(old: Object | None, new: Object | None, again: Object | None) -> str:
    """What becomes of a resource that would not without the fixes: empty, or one of the groups."""
    if new is None:
        return "removed" if old and "delete" not in old["actions"] else ""
    actions = set(new["actions"])
    known = set(old["actions"]) if old else set()
    if old and actions == known and _values(old) == settled(_values(old), _values(again or old), _values(new)):
        return ""
    if {"create", "delete"} <= actions:
        return "changed" if {"create", "delete"} <= known else "replaced"
    if actions & {"delete", "forget"}:
        return "" if known & {"delete", "forget"} else "removed"
    if actions == {"create"}:
        return "changed" if "create" in known else "added"
    return "changed"


def _values(change: Object) -> list[Any]:
    return [change.get("after"), change.get("after_unknown"), change.get("after_sensitive")]
