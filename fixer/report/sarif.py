"""The report for code scanning: SARIF 2.1.0, within what GitHub takes.

Sources: the OASIS standard and its schema; GitHub's "SARIF support for code scanning" for the limits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any
from urllib.parse import quote

from fixer import __version__
from fixer.model import Status
from fixer.report import wording
from fixer.report.json import proof_object
from fixer.result import FileError, Outcome, Region, Replacement, Result, RuleInfo

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS = 25_000
"""GitHub refuses a run with more results."""
_MAX_DESCRIPTION = 1024
"""Characters of a rule's full description that GitHub takes."""

_LEVELS = {
    Status.FIXED: "none",
    Status.FIXABLE: "warning",
    Status.MANUAL: "warning",
    Status.SUPPRESSED: "warning",
    Status.FAILED: "error",
}
_FIRST_KEPT = (Status.FAILED, Status.MANUAL, Status.FIXABLE, Status.SUPPRESSED, Status.FIXED)

_Object = dict[str, Any]


def render(result: Result) -> str:
    """The log with its one run, in ASCII; places are relative to the project's root, columns count code points."""
    kept = result.outcomes
    if len(kept) > MAX_RESULTS:
        kept = tuple(sorted(kept, key=lambda one: _FIRST_KEPT.index(one.status))[:MAX_RESULTS])
    numbers = {rule.name: number for number, rule in enumerate(result.rules)}
    run: _Object = {
        "tool": {
            "driver": {
                "name": "iacfix",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(rule) for rule in result.rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(result, left_off=len(result.outcomes) - len(kept))],
        "results": [_result(outcome, numbers.get(outcome.rule)) for outcome in kept],
    }
    if result.proofs:
        run["properties"] = {"proofs": [proof_object(proof) for proof in result.proofs]}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


# ---- rules -------------------------------------------------------------------------------------


def _rule(rule: RuleInfo) -> _Object:
    return {
        "id": rule.name,
        "shortDescription": {"text": wording.sentence(rule.summary)},
        "fullDescription": {"text": _description(rule)},
        "help": {"text": rule.manual or rule.summary, "markdown": rule.manual or rule.summary},
        "defaultConfiguration": {"level": "warning"},
        "properties": {
            "tags": [rule.category, *(language.value for language in rule.languages)],
            "impact": str(rule.impact),
            "scanners": list(rule.scanners),
        },
    }


def _description(rule: RuleInfo) -> str:
    """The summary and the first paragraph below the manual's first heading, as long as GitHub takes them together."""
    _, _, body = f"\n{rule.manual}".partition("\n## ")
    _, _, section = body.partition("\n")
    paragraph = " ".join(section.strip().partition("\n\n")[0].split())
    full = f"{wording.sentence(rule.summary)} {paragraph}".strip()
    return full if len(full) <= _MAX_DESCRIPTION else wording.sentence(rule.summary)


# ---- results -----------------------------------------------------------------------------------


def _result(outcome: Outcome, rule_index: int | None) -> _Object:
    level = _LEVELS[outcome.status]
    result: _Object = {
        "ruleId": outcome.rule,
        "kind": "informational" if level == "none" else "fail",
        "level": level,
        "message": {"text": wording.explanation(outcome)},
        "locations": [_location(outcome.path, outcome.region)],
        "properties": {"status": outcome.status.value, "impact": str(outcome.impact)},
    }
    if rule_index is not None:
        result["ruleIndex"] = rule_index
    if outcome.fingerprint:
        result["partialFingerprints"] = {"iacfix/v1": outcome.fingerprint}
    if outcome.status is Status.SUPPRESSED:
        result["suppressions"] = [{"kind": "inSource", **({"justification": outcome.reason} if outcome.reason else {})}]
    if outcome.replacements:
        result["fixes"] = [{"artifactChanges": list(_artifact_changes(outcome.replacements))}]
    return result


def _artifact_changes(replacements: Iterable[Replacement]) -> Iterator[_Object]:
    in_order = sorted(replacements, key=lambda one: (one.path, one.offset))
    for path, edits in groupby(in_order, key=lambda one: one.path):
        yield {"artifactLocation": _artifact(path), "replacements": [_replacement(edit) for edit in edits]}


def _replacement(edit: Replacement) -> _Object:
    inserted = {"insertedContent": {"text": edit.text}} if edit.text else {}
    return {"deletedRegion": _region(edit.region), **inserted}


def _location(path: str, region: Region | None = None) -> _Object:
    physical: _Object = {"artifactLocation": _artifact(path)}
    if region is not None:
        physical["region"] = _region(region)
    return {"physicalLocation": physical}


def _artifact(path: str) -> _Object:
    return {"uri": quote(path.encode("utf-8", "surrogateescape"))}


def _region(region: Region) -> _Object:
    return {
        "startLine": region.line,
        "startColumn": region.column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
    }


# ---- the invocation ----------------------------------------------------------------------------


def _invocation(result: Result, left_off: int) -> _Object:
    notifications = [_error(error) for error in result.errors]
    notifications += [{"level": "warning", "message": {"text": warning}} for warning in result.warnings]
    notifications += [{"level": "note", "message": {"text": note}} for note in result.notes]
    if left_off:
        text = f"{wording.count(left_off, 'result')} left off: GitHub takes {MAX_RESULTS:,} of a run."
        notifications.append({"level": "warning", "message": {"text": text}})
    return {"executionSuccessful": not result.errors, "toolExecutionNotifications": notifications}


def _error(error: FileError) -> _Object:
    place = {"locations": [_location(error.path)]} if error.path else {}
    return {"level": "error", "message": {"text": error.message}, **place}
