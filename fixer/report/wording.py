"""The sentences and counts that several reports have in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import groupby

from fixer.model import Status
from fixer.result import Outcome, Proof, Result, Verdict

MAX_CHECKS = 20
"""So many checks of a scanner are named where a line lists them."""
MAX_NAMES = 5
"""So many resources are named where a sentence lists them."""
_LINE_BREAKS = re.compile(r"\s*[\r\n]+\s*")


def count(number: int, noun: str) -> str:
    """The number with its noun, which takes an `s` unless it is one: `1 file`, `1,200 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def printable(text: str) -> str:
    """The text with all that could command a terminal, mislead the eye or fail to be encoded written as an escape."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def one_line(text: str) -> str:
    """The text as one printable line; line breaks become spaces."""
    return printable(_LINE_BREAKS.sub(" ", text.strip()))


def explanation(outcome: Outcome) -> str:
    """The message with the reason and the next step as sentences, where something is left to do."""
    parts = [outcome.message]
    if outcome.status in (Status.MANUAL, Status.FAILED):
        parts += [outcome.reason, outcome.help]
    return " ".join(sentence(part) for part in parts if part)


def sentence(text: str) -> str:
    """The text with a capital and a full stop; a first word that is no plain word, such as a name, stays as it is."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    if first.isalpha() and first.islower():
        text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


PROOF_COLUMNS = ("path", "proof", "before", "after", "added", "changed", "replaced", "removed", "verdict")


def proof_cells(proof: Proof) -> tuple[str, ...]:
    """The proof as a row below `PROOF_COLUMNS`; counts only where resources were compared.

    Why it is refuted is told once, by the error that a refutation is.
    """
    compared = proof.kind != "validate" and proof.verdict is not Verdict.NOT_COMPARABLE and proof.after
    counts = (f"{number:,}{_named(names)}" if compared else "" for _, number, names in _groups(proof))
    ran = ("not run" if one is None else "ok" if one else "failed" for one in (proof.before, proof.after))
    return proof.path, proof.kind, *ran, *counts, proof.verdict.value + _reason(": ", proof)


def proof_line(proof: Proof) -> str:
    """The proof as a line: `app: synth proven: before ok, after ok, 1 added`."""
    path, kind, before, after, *counts, _ = proof_cells(proof)
    groups = zip(counts, _groups(proof), strict=True)
    words = [f"{number:,} {word}{_named(names)}" for cell, (word, number, names) in groups if cell]
    ran = [] if proof.before is None else [f"before {before}", f"after {after}"]
    facts = ", ".join([*ran, *words])
    return f"{path}: {kind} {proof.verdict.value}{facts and f': {facts}'}{_reason('; ' if facts else ': ', proof)}"


def _groups(proof: Proof) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
    return (
        ("added", proof.added, ()),
        ("changed", proof.changed, ()),
        ("replaced", proof.replaced, proof.replaced_resources),
        ("removed", proof.removed, proof.removed_resources),
    )


def _named(names: Sequence[str]) -> str:
    return f" ({listed(names)})" if names else ""


def _reason(before: str, proof: Proof) -> str:
    return f"{before}{proof.reason}" if proof.reason and proof.verdict is not Verdict.REFUTED else ""


def listed(names: Collection[str]) -> str:
    """The first of the names, which must not be none, in order: `a, b and 3 more`."""
    shown = sorted(names)[:MAX_NAMES]
    more = [f"{len(names) - MAX_NAMES} more"] if len(names) > MAX_NAMES else []
    *first, last = [*shown, *more]
    return f"{', '.join(first)} and {last}" if first else last


def withheld(result: Result, outcome: Outcome) -> bool:
    """Whether the finding's fix needs a greater `--impact` than the run had."""
    return outcome.status is Status.FIXABLE and outcome.impact > result.impact


def summary(result: Result) -> list[str]:
    """The closing sentences: findings by status, fixes that need a greater `--impact`, files changed, errors.

    The withheld fixes are not among those called fixable: a reader takes these for what `apply` would do.
    """
    counts = {**result.counts, Status.FIXABLE: result.counts[Status.FIXABLE] - result.withheld}
    parts = ", ".join(f"{counts[status]:,} {status.value}" for status in Status if counts[status])
    found = count(len(result.outcomes), "finding") if result.outcomes else "nothing"
    sentences = [f"Found {found}{parts and f' ({parts})'} in {count(result.files_scanned, 'file')}."]
    if result.withheld:
        impact = max(one.impact for one in result.outcomes if withheld(result, one))
        more = "1 more fix" if result.withheld == 1 else f"{result.withheld:,} more fixes"
        sentences.append(f"{more} with --impact {impact}.")
    if result.files and result.command != "check":
        verb = "Would change" if "--dry-run" in result.command else "Changed"
        sentences.append(f"{verb} {count(len(result.files), 'file')}.")
    if result.errors:
        sentences.append(f"{count(len(result.errors), 'error')}.")
    return sentences


def answered(result: Result) -> list[str]:
    """Of a run restricted to reports: how many of their findings it has too, and why not the others, by reason."""
    told = result.answered
    if told is None:
        return []
    reports = ", ".join(map(one_line, told.reports))
    lines = [f"{told.matched:,} of {count(told.findings, 'finding')} in {reports} matched."]
    for reason, group in groupby(told.unmatched, key=lambda one: one.reason):
        rows = list(group)
        checks = [f"{one_line(one.rule)} ({one.count:,})" for one in rows[:MAX_CHECKS]]
        left = f" and {count(len(rows) - MAX_CHECKS, 'more check')}" if len(rows) > MAX_CHECKS else ""
        lines.append(f"{sum(one.count for one in rows):,} not, {one_line(reason)}: {', '.join(checks)}{left}.")
    return lines


def by_rule(result: Result) -> tuple[list[Status], list[tuple[str, Counter[Status]]]]:
    """The statuses that occur, and for each rule with findings how often it has each, by rule name."""
    rules: dict[str, Counter[Status]] = {}
    for outcome in result.outcomes:
        rules.setdefault(outcome.rule, Counter())[outcome.status] += 1
    return [status for status in Status if result.counts[status]], sorted(rules.items(), key=lambda item: item[0])
