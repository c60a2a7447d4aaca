"""`--prove validate`: `terraform validate` before and after; only a diagnostic that is new counts.

Terraform looks no further than to the first stage that has errors. So a module that is invalid before and after is not
proven by the same errors: it may not have come to the changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fixer.model import Impact
from fixer.project import Unit
from fixer.proof.scratch import Scratch
from fixer.proof.terraform import Terraform, described
from fixer.proof.trial import Trial
from fixer.result import FileChange, Proof, Verdict


@dataclass(frozen=True)
class Diagnostic:
    """An error or a warning; where it is does not tell it from others, since fixes move lines."""

    severity: str
    summary: str
    detail: str
    about: str
    """The block or the address that it is about; may be empty."""
    place: str = field(compare=False)
    """File and line; may be empty."""

    def __str__(self) -> str:
        """For people, in one line."""
        return described(self.summary, self.place, self.detail)


Diagnostics = Counter[Diagnostic]


def trial(scratch: Scratch, unit: Unit) -> Trial[Diagnostics]:
    """What validates the module before and after changes, and compares."""
    return Trial(unit.path, "validate", partial(_diagnostics, scratch), partial(_proof, unit.path))


def _diagnostics(scratch: Scratch, changes: Sequence[FileChange]) -> Diagnostics:
    with scratch.copy(changes) as copy:
        terraform = Terraform(scratch, copy)
        terraform.init("-backend=false")
        said = terraform.told("validate", "-json", "-no-color")
    return Counter(map(_diagnostic, said.get("diagnostics", [])))


def _proof(path: str, before: Diagnostics, after: Diagnostics, _: Impact) -> Proof:
    verdict, reason = _verdict(before, after)
    return Proof(path, "validate", verdict, not _errors(before), not _errors(after), reason=reason)


def _verdict(before: Diagnostics, after: Diagnostics) -> tuple[Verdict, str]:
    if new := list(after - before):
        return Verdict.REFUTED, f"the {new[0].severity} is new: {new[0]}"
    if errors := _errors(after):
        return Verdict.NOT_COMPARABLE, f"the module is invalid with the changes and without them: {errors[0]}"
    return Verdict.PROVEN, ""


def _errors(diagnostics: Diagnostics) -> list[Diagnostic]:
    return [one for one in diagnostics if one.severity == "error"]


def _diagnostic(one: dict[str, Any]) -> Diagnostic:
    about = one.get("address") or (one.get("snippet") or {}).get("context") or ""
    extent = one.get("range") or {}
    place = f"{extent['filename']}:{extent['start']['line']}" if extent else ""
    return Diagnostic(one.get("severity", ""), one.get("summary", ""), one.get("detail", ""), about, place)
