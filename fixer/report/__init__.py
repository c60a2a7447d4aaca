"""What a run found, told in a form that the reader knows: each report is a function of the `Result` alone."""

from __future__ import annotations

import importlib
from typing import TextIO

from fixer.result import Result

FORMATS: tuple[str, ...] = ("text", "json", "sarif", "github", "markdown")
"""What `render` knows; each is the module of that name, imported when it is asked for."""


def render(name: str, result: Result) -> str:
    """The report of that name, of `FORMATS`, with a newline at its end; it can always be encoded as UTF-8.

    Raises:
        ValueError: There is no such format.
    """
    if name not in FORMATS:
        raise ValueError(f"no format {name!r}: one of {', '.join(FORMATS)}")
    report: str = importlib.import_module(f"fixer.report.{name}").render(result)
    return report


def print_text(result: Result, stream: TextIO, errors: TextIO | None = None) -> None:
    """Print the text report: in colour and with a table of the rules on a terminal, plain elsewhere.

    The errors in it go to a stream of their own if one is given.

    `NO_COLOR` takes the colours away, `FORCE_COLOR` gives the terminal's form to a pipe.
    """
    from fixer.report import text

    text.show(result, stream, errors or stream)


def print_errors(result: Result, stream: TextIO) -> None:
    """Print the lines that the text report has for errors."""
    from fixer.report import text

    text.show_errors(result, stream)


def print_answered(result: Result, stream: TextIO) -> None:
    """Print how many of the scanners' findings were matched, and which were not; nothing for a run without reports."""
    from fixer.report import text

    text.show_answered(result, stream)


def print_diff(result: Result, stream: TextIO) -> None:
    """Print the diff of `result.files`: in colour on a terminal, elsewhere the very bytes that `git apply` takes.

    `FORCE_COLOR` does not count here: a diff in a pipe is for a program.
    """
    from fixer.report import diff

    diff.show(result.files, stream)
