"""The report for programs; `report.schema.json` beside this file is its contract."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib import resources
from typing import Any

from fixer.model import Status
from fixer.result import Answered, FileChange, Outcome, Proof, Result

VERSION = 1
"""Grows with a change that a reader of the report could stumble over."""


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the report."""
    text = resources.files("fixer.report").joinpath("report.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def render(result: Result) -> str:
    """The report as a JSON object, in ASCII; a byte of a path that is not UTF-8 is a lone surrogate, as in Python."""
    report = {
        "version": VERSION,
        "findings": [_finding(outcome) for outcome in result.outcomes],
        "files": [_file(file) for file in result.files],
        "errors": [{"path": error.path, "message": error.message} for error in result.errors],
        "notes": [*result.warnings, *result.notes],
        "summary": _summary(result),
        **({"proofs": [proof_object(proof) for proof in result.proofs]} if result.proofs else {}),
        **({"from": _answered(result.answered)} if result.answered else {}),
    }
    return json.dumps(report, indent=2) + "\n"


def _finding(outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule,
        "language": outcome.language.value,
        "path": outcome.path,
        "line": outcome.region.line,
        "column": outcome.region.column,
        "end_line": outcome.region.end_line,
        "end_column": outcome.region.end_column,
        "message": outcome.message,
        "impact": str(outcome.impact),
        "status": outcome.status.value,
        "reason": outcome.reason,
        "help": outcome.help,
    }


def _file(file: FileChange) -> dict[str, Any]:
    return {"path": file.path, "change": file.change, "from": file.moved_from}


def _answered(answered: Answered) -> dict[str, Any]:
    return {
        "reports": list(answered.reports),
        "findings": answered.findings,
        "matched": answered.matched,
        "unmatched": [{"rule": one.rule, "reason": one.reason, "count": one.count} for one in answered.unmatched],
    }


def proof_object(proof: Proof) -> dict[str, Any]:
    """The proof as the schema has it."""
    return {**asdict(proof), "verdict": proof.verdict.value}


def _summary(result: Result) -> dict[str, Any]:
    return {
        "files_scanned": result.files_scanned,
        "findings": len(result.outcomes),
        "fixed": result.counts[Status.FIXED],
        "fixable": result.counts[Status.FIXABLE],
        "manual": result.counts[Status.MANUAL],
        "suppressed": result.counts[Status.SUPPRESSED],
        "files_changed": len(result.files),
        "seconds": round(result.seconds, 3),
    }
