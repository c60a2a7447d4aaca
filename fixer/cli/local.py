"""`iacfix check` and `iacfix apply`: on files that are here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fixer.cli.frame import ERROR, FOUND, Failure
from fixer.cli.options import HOW, PATHS, PROVE, REPORT, WHAT, progress, request_of, takes

if TYPE_CHECKING:
    from fixer.result import Result


@click.command()
@takes(PATHS, *WHAT, *REPORT, *HOW)
def check(**flags: Any) -> None:
    """Report what the rules find; change nothing. Exit 1 if there are findings."""
    from fixer.model import Status

    result = _run("check", flags)
    _report(result, flags)
    reported = any(one.status is not Status.SUPPRESSED for one in result.outcomes)
    sys.exit(ERROR if result.errors else FOUND if reported else 0)


@click.command()
@takes(PATHS, *WHAT, *REPORT, *HOW)
@click.option("--dry-run", is_flag=True, help="Print the diff of what would be written; exit 1 if there is any.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit 1 if something was fixed.")
@takes(*PROVE)
def apply(dry_run: bool, exit_non_zero_on_fix: bool, **flags: Any) -> None:
    """Fix what can be fixed; report the rest."""
    if dry_run:
        trial = _run("apply --dry-run", flags)
        _print_diff(trial, flags)
        sys.exit(ERROR if trial.errors else FOUND if trial.files else 0)
    result: Result | None = None
    try:
        result = _run("apply", flags)
        _write(result)
        _report(result, flags)
    except KeyboardInterrupt:
        made = result and result.files and all(map(result.is_in_place, result.files))
        raise KeyboardInterrupt("all fixes were made" if made else "no file was changed") from None
    sys.exit(ERROR if result.errors else FOUND if exit_non_zero_on_fix and result.files else 0)


def _run(command: str, flags: dict[str, Any]) -> Result:
    from fixer.request import DisabledError, RequestError

    try:
        with progress(quiet=flags["quiet"]) as tell:
            return request_of(flags).perform(command, progress=tell)
    except RequestError as error:
        raise Failure(str(error)) from error
    except DisabledError as error:
        click.echo(f"iacfix: off, as {error} says enabled = false", err=True)
        sys.exit(0)


def _write(result: Result) -> None:
    from fixer.write import LostError, WriteError, write

    try:
        write(result.root, result.files)
    except LostError as error:
        raise Failure(str(error)) from error
    except WriteError as error:
        raise Failure(f"{error}; no file was changed") from error


# ---- printing ----------------------------------------------------------------------------------


def _report(result: Result, flags: dict[str, Any]) -> None:
    from fixer import report

    name = flags["format_"] or "text"
    output: Path | None = flags["output"]
    if name == "text" and not output and not flags["quiet"]:
        report.print_text(result, sys.stdout, sys.stderr)
        report.print_answered(result, sys.stderr)
        return
    if output:
        output.write_text(report.render(name, result), encoding="utf-8", newline="")
    elif name != "text":
        click.echo(report.render(name, result).encode(), nl=False)
    report.print_errors(result, sys.stderr)
    if not flags["quiet"]:
        report.print_answered(result, sys.stderr)


def _print_diff(result: Result, flags: dict[str, Any]) -> None:
    """The diff goes to standard output, unless another format was asked for there; the summary to standard error."""
    from fixer import report

    is_text = flags["format_"] in (None, "text")
    if is_text or flags["output"]:
        report.print_diff(result, sys.stdout)
    if is_text and not flags["output"] and not flags["quiet"]:
        report.print_text(result, sys.stderr, sys.stderr)
        report.print_answered(result, sys.stderr)
    else:
        _report(result, flags)
