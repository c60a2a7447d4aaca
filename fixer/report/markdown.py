"""The report for a step summary or the text of a pull request, in GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fixer.model import Status
from fixer.report import wording
from fixer.result import Outcome, Result

LIMIT = 60_000
"""Characters; GitHub takes 65,536 in the text of a pull request, and the one who sends it may add some."""
_RESERVE = 200
"""Characters kept for the sentence about the rows left off."""

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_MARKUP = re.compile(r"[\\`*_\[\]|~$!#]")
_REFERENCE = re.compile(r"(@|#|\bGH-)(?=\w)", re.IGNORECASE)
_UNLINKED = r"\1&#8203;"
"""A zero-width space behind the sign: GitHub then sees neither a mention nor the number of an issue."""


@dataclass(frozen=True)
class _Section:
    """Lines that open it, and rows, of which it may show only the first ones."""

    head: tuple[str, ...]
    rows: tuple[str, ...]


def render(result: Result) -> str:
    """The summary, a table of the rules, errors, proofs, findings left for a person, and notes.

    What would make it longer than `LIMIT` is left off by whole rows, and the last line says how many.
    """
    lines = ["## iacfix", "", " ".join(wording.summary(result))]
    room = LIMIT - _RESERVE - sum(len(line) + 1 for line in lines)
    left_off = 0
    for section in _sections(result):
        head = ("", *section.head)
        needed = sum(len(line) + 1 for line in head)
        for row in section.rows:
            needed += len(row) + 1
            if left_off or needed > room:
                left_off += 1
                continue
            lines += (*head, row)
            room -= needed
            head, needed = (), 0
    if left_off:
        lines += ["", f"{wording.count(left_off, 'more row')} left off: this text ends at {LIMIT:,} characters."]
    return "\n".join(lines) + "\n"


def _sections(result: Result) -> Iterator[_Section]:
    statuses, rules = wording.by_rule(result)
    numbers = [(f"`{rule}`", *(f"{counts[status]:,}" for status in statuses)) for rule, counts in rules]
    yield _table("", ("rule", *(status.value for status in statuses)), numbers, align="--:")
    yield _table("Errors", ("file", "error"), ((_text(one.path), _text(one.message)) for one in result.errors))
    proofs = (tuple(map(_text, wording.proof_cells(proof))) for proof in result.proofs)
    yield _table("Proofs", wording.PROOF_COLUMNS, proofs)
    left = [one for one in result.outcomes if one.status in (Status.MANUAL, Status.FAILED)]
    yield _table("Left for you", ("place", "rule", "finding", "why", "next step"), map(_row, left))
    if told := result.answered:
        yield _Section(("### Reports of scanners", ""), tuple(map(_text, wording.answered(result)[:1])))
        rows = ((_text(one.rule), f"{one.count:,}", _text(one.reason)) for one in told.unmatched)
        yield _table("", ("check", "not matched", "why"), rows)
    yield _Section(("### Notes", ""), tuple(f"- {_text(note)}" for note in result.notes))


def _row(outcome: Outcome) -> tuple[str, ...]:
    place = f"{_text(outcome.path)}:{outcome.region.line}"
    return place, f"`{outcome.rule}`", _text(outcome.message), _text(outcome.reason), _text(outcome.help)


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], align: str = "---") -> _Section:
    heading = (f"### {title}", "") if title else ()
    head = (*heading, _cells(columns), _cells(("---", *(align for _ in columns[1:]))))
    return _Section(head, tuple(map(_cells, rows)))


def _cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """The text as itself on one line: no markup, no HTML, no mention, no reference."""
    escaped = _MARKUP.sub(r"\\\g<0>", wording.one_line(text).translate(_ENTITIES))
    return _REFERENCE.sub(_UNLINKED, escaped)
