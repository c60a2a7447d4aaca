"""`--prove validate`: `terraform validate` before and after; only a diagnostic that is new counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from fixer.model import Impact
from fixer.project import Unit
from fixer.proof.scratch import BrokenError, Scratch
from fixer.proof.terraform import Terraform
from fixer.proof.verdict import incomparable
from fixer.result import FileChange, Proof, Verdict

KIND = "validate"

Diagnostic = tuple[str, str, str, str]
"""Severity, summary, detail and what it is about; its line is none of it, since fixes move lines."""


def prove(scratch: Scratch, unit: Unit, changes: Sequence[FileChange], declared: Impact) -> list[Proof]:
    """Validate the module before and after the changes, and compare; what is declared does not matter here."""
    try:
        before = _diagnostics(scratch, ())
    except BrokenError as error:
        return [incomparable(unit.path, KIND, f"before the changes: {error}", before=False)]
    try:
        after = _diagnostics(scratch, changes)
    except BrokenError as error:
        reason = f"after the changes: {error}"
        return [Proof(unit.path, KIND, Verdict.REFUTED, _is_valid(before), after=False, reason=reason)]
    new = after - before
    reason = f"{_told(next(iter(new)))} is new" if new else ""
    verdict = Verdict.REFUTED if new else Verdict.PROVEN
    return [Proof(unit.path, KIND, verdict, _is_valid(before), _is_valid(after), reason=reason)]


def _diagnostics(scratch: Scratch, changes: Sequence[FileChange]) -> Counter[Diagnostic]:
    with scratch.copy(changes) as copy:
        terraform = Terraform(scratch, copy)
        terraform.init("-backend=false")
        said = terraform.told("validate", "-json", "-no-color")
    return Counter(map(_diagnostic, said.get("diagnostics", [])))


def _diagnostic(one: dict[str, Any]) -> Diagnostic:
    about = one.get("address") or (one.get("snippet") or {}).get("context") or ""
    return one.get("severity", ""), one.get("summary", ""), one.get("detail", ""), about


def _is_valid(diagnostics: Counter[Diagnostic]) -> bool:
    return not any(severity == "error" for severity, *_ in diagnostics)


def _told(one: Diagnostic) -> str:
    severity, summary, detail, about = one
    where = f" in {about}" if about else ""
    return f"the {severity} {summary!r}{where} ({' '.join(detail.split())})"
