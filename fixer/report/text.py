"""The report for people at a terminal: a line for each finding, then errors, notes and the summary."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, TextIO

from fixer.model import Status
from fixer.report import wording
from fixer.result import Outcome, Result, Verdict

if TYPE_CHECKING:
    from rich.table import Table

_Line = list[tuple[str, str]]
"""Pieces of text with the style that a terminal gives them."""

_STYLES = {
    Status.FIXED: "green",
    Status.FIXABLE: "cyan",
    Status.MANUAL: "yellow",
    Status.SUPPRESSED: "dim",
    Status.FAILED: "red",
}

_VERDICTS = {Verdict.PROVEN: "green", Verdict.REFUTED: "red", Verdict.NOT_COMPARABLE: "yellow"}


def render(result: Result) -> str:
    """The report without colours, each finding as `path:line:column: rule message [status]`."""
    parts = (_findings(result), _errors(result), _warnings(result), _notes(result), _proofs(result), _closing(result))
    return _plain(chain.from_iterable(parts))


def show(result: Result, stream: TextIO, errors: TextIO) -> None:
    """Print the report to the streams; see `fixer.report.print_text`."""
    _print(_findings(result), stream)
    show_errors(result, errors)
    _print(chain(_notes(result), _proofs(result)), stream)
    if result.outcomes and _is_rich(stream):
        from rich.console import Console

        Console(file=stream).print(_table(result))
    _print(_closing(result), stream)


def show_errors(result: Result, stream: TextIO) -> None:
    """Print the lines of the errors and warnings alone."""
    _print(chain(_errors(result), _warnings(result)), stream)


def show_answered(result: Result, stream: TextIO) -> None:
    """Print what became of the findings of scanners."""
    _print(([(line, "")] for line in wording.answered(result)), stream)


def _is_rich(stream: TextIO) -> bool:
    return stream.isatty() or bool(os.environ.get("FORCE_COLOR"))


def _print(lines: Iterable[_Line], stream: TextIO) -> None:
    if _is_rich(stream):  # a pipe is spared the 40 ms that rich takes to import
        from rich.console import Console
        from rich.text import Text

        console = Console(file=stream)
        for line in lines:
            console.print(Text.assemble(*line), soft_wrap=True)
    else:
        encoding = stream.encoding or "utf-8"
        stream.write(_plain(lines).encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _plain(lines: Iterable[_Line]) -> str:
    return "".join("".join(text for text, _ in line) + "\n" for line in lines)


def _findings(result: Result) -> Iterator[_Line]:
    for outcome in result.outcomes:
        if outcome.status is not Status.SUPPRESSED:
            yield from _finding(outcome, withheld=wording.withheld(result, outcome))


def _errors(result: Result) -> Iterator[_Line]:
    for error in result.errors:
        place = [(wording.printable(error.path), "bold"), (": ", "")] if error.path not in ("", ".") else []
        yield [*place, ("error: ", "bold red"), (wording.one_line(error.message), "")]


def _warnings(result: Result) -> Iterator[_Line]:
    for warning in result.warnings:
        yield [("warning: ", "bold yellow"), (wording.one_line(warning), "")]


def _notes(result: Result) -> Iterator[_Line]:
    for note in result.notes:
        yield [("note: ", "bold blue"), (wording.one_line(note), "")]


def _proofs(result: Result) -> Iterator[_Line]:
    for proof in result.proofs:
        yield [("proof: ", "bold blue"), (wording.one_line(wording.proof_line(proof)), _VERDICTS[proof.verdict])]


def _finding(outcome: Outcome, *, withheld: bool) -> Iterator[_Line]:
    label = f"{outcome.status.value} with --impact {outcome.impact}" if withheld else outcome.status.value
    yield [
        (wording.printable(outcome.path), "bold"),
        (f":{outcome.region.line}:{outcome.region.column}: ", "dim"),
        (outcome.rule, "magenta"),
        (f" {wording.one_line(outcome.message)} ", ""),
        (f"[{label}]", _STYLES[outcome.status]),
    ]
    if outcome.status in (Status.MANUAL, Status.FAILED):
        for word, text in (("why", outcome.reason), ("next", outcome.help)):
            if text:
                yield [(f"    {word}: ", "dim"), (wording.one_line(text), "")]


def _closing(result: Result) -> Iterator[_Line]:
    for sentence in wording.summary(result):
        yield [(sentence, "bold")]


def _table(result: Result) -> Table:
    from rich.table import Table

    statuses, rules = wording.by_rule(result)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rule", overflow="fold")
    for status in statuses:
        table.add_column(status.value, justify="right", style=_STYLES[status], min_width=len(status.value))
    for rule, counts in rules:
        table.add_row(rule, *(f"{counts[status]:,}" if counts[status] else "" for status in statuses))
    return table
