"""The report for a step summary, in GitHub's Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from fixer.model import Status
from fixer.report import wording
from fixer.report.gfm import LIMIT, Section, code, page, table, text
from fixer.result import Outcome, Result


def render(result: Result) -> str:
    """The summary, a table of the rules, errors, proofs, findings left for a person, and notes.

    What would make it longer than `LIMIT` is left off by whole rows, and the last line says how many.
    """
    return page(["## iacfix", "", " ".join(wording.summary(result))], _sections(result), limit=LIMIT)


def _sections(result: Result) -> Iterator[Section]:
    statuses, rules = wording.by_rule(result)
    numbers = [(f"`{rule}`", *(f"{counts[status]:,}" for status in statuses)) for rule, counts in rules]
    yield table("", ("rule", *(status.value for status in statuses)), numbers, align="--:")
    yield table("Errors", ("file", "error"), ((text(one.path), text(one.message)) for one in result.errors))
    yield table("Proofs", wording.PROOF_COLUMNS, (tuple(map(text, wording.proof_cells(one))) for one in result.proofs))
    left = [one for one in result.outcomes if one.status in (Status.MANUAL, Status.FAILED)]
    yield table("Left for you", ("place", "rule", "finding", "why", "next step"), map(_row, left))
    if told := result.answered:
        yield Section(("### Reports of scanners", ""), tuple(map(text, wording.answered(result)[:1])))
        rows = ((code(one.rule), f"{one.count:,}", text(one.reason)) for one in told.unmatched)
        yield table("", ("check", "not matched", "why"), rows)
    yield Section(("### Notes", ""), tuple(f"- {text(note)}" for note in (*result.warnings, *result.notes)))


def _row(outcome: Outcome) -> tuple[str, ...]:
    place = f"{text(outcome.path)}:{outcome.region.line}"
    return place, f"`{outcome.rule}`", text(outcome.message), text(outcome.reason), text(outcome.help)
