"""Workflow commands, which GitHub Actions shows as annotations.

Source: `packages/core/src/command.ts` and `core.ts` of actions/toolkit, for the escapes and the properties: columns
"cannot be sent" for an annotation of several lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from fixer.model import Status
from fixer.report import wording
from fixer.result import Outcome, Result

_COMMANDS = {
    Status.FIXED: "notice",
    Status.FIXABLE: "warning",
    Status.MANUAL: "warning",
    Status.FAILED: "error",
}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = {**_DATA, **str.maketrans({":": "%3A", ",": "%2C"})}


def render(result: Result) -> str:
    """A command for each error, each finding that is not suppressed, each proof, each warning and each note."""
    return "".join(line + "\n" for line in _lines(result)).encode("utf-8", "backslashreplace").decode()


def _lines(result: Result) -> Iterator[str]:
    for error in result.errors:
        yield command("error", {"file": error.path, "title": "iacfix"}, error.message)
    for outcome in result.outcomes:
        if outcome.status is not Status.SUPPRESSED:
            yield command(_COMMANDS[outcome.status], _properties(outcome), wording.explanation(outcome))
    for proof in result.proofs:
        yield command("notice", {"title": f"iacfix ({proof.kind})"}, wording.proof_line(proof))
    for warning in result.warnings:
        yield command("warning", {"title": "iacfix"}, warning)
    for note in result.notes:
        yield command("notice", {"title": "iacfix"}, note)


def _properties(outcome: Outcome) -> dict[str, str]:
    region = outcome.region
    columns = {"col": str(region.column)} if region.line == region.end_line else {}
    place = {"file": outcome.path, "line": str(region.line), "endLine": str(region.end_line), **columns}
    return {**place, "title": f"{outcome.rule} ({outcome.status.value})"}


def command(name: str, properties: dict[str, str], message: str) -> str:
    """The line that the runner takes for a command, whatever is in the message; empty properties are left out."""
    given = ",".join(f"{key}={value.translate(_PROPERTY)}" for key, value in properties.items() if value)
    return f"::{name}{given and ' '}{given}::{message.translate(_DATA)}"
