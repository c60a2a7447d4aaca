"""The flags that several commands have, and the request that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fixer.cli.frame import Failure

if TYPE_CHECKING:
    from fixer.request import Request
    from fixer.run import Progress

PROOFS = ("synth", "validate", "plan")
FORMATS = ("text", "json", "sarif", "github", "markdown")
Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Any], Any]


def names(_: click.Context, __: click.Parameter, value: Sequence[str]) -> tuple[str, ...]:
    """The names of an option that takes several, one by one or with commas."""
    return tuple(part.strip() for one in value for part in one.split(",") if part.strip())


def _proofs(context: click.Context, option: click.Parameter, value: Sequence[str]) -> tuple[str, ...]:
    kinds = names(context, option, value)
    for kind in kinds:
        if kind not in PROOFS:
            raise click.BadParameter(f"{kind!r} is not one of {', '.join(PROOFS)}.")
    return kinds


def complete_rule(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """What the last name of a list may become."""
    from fixer.rules import RuleError, load

    before, comma, last = incomplete.rpartition(",")
    with suppress(RuleError):
        return [before + comma + rule.name for rule in load() if rule.name.startswith(last)]
    return []


PATHS = click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))

WHAT: tuple[Option, ...] = (
    click.option(
        "--select",
        multiple=True,
        callback=names,
        metavar="RULE,...",
        shell_complete=complete_rule,
        help="Only these rules: names, categories or patterns such as 's3-*'.",
    ),
    click.option(
        "--ignore",
        multiple=True,
        callback=names,
        metavar="RULE,...",
        shell_complete=complete_rule,
        help="Not these rules.",
    ),
    click.option(
        "--impact",
        type=click.Choice(["none", "behavior", "replacement"]),
        help="The greatest impact on deployed infrastructure that a fix may have.  [default: behavior]",
    ),
    click.option(
        "--from",
        "reports",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="REPORT",
        help="Only what this report of a scanner has too: SARIF, or what checkov, trivy, KICS or cdk-nag write.",
    ),
)
"""What to look for."""

REPORT: tuple[Option, ...] = (
    click.option("--format", "format_", type=click.Choice(FORMATS), help="How to report.  [default: text]"),
    click.option(
        "--output",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Write the report to this file.",
    ),
)

HOW: tuple[Option, ...] = (
    click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Use this configuration file, not the nearest.",
    ),
    click.option("--jobs", type=click.IntRange(1), metavar="N", help="Worker processes.  [default: one for each core]"),
    click.option("--no-cache", is_flag=True, help="Do not use or write the cache."),
    click.option("--quiet", "-q", is_flag=True, help="Print errors only."),
)

PROVE: tuple[Option, ...] = (
    click.option(
        "--prove",
        multiple=True,
        callback=_proofs,
        metavar="KIND[,KIND]",
        help="Run the project's own programs on copies, before and after, and take back what does more than it "
        "declares: synth (each app's command), validate, plan (terraform or tofu).",
    ),
    click.option(
        "--prove-timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=300,
        metavar="SECONDS",
        show_default=True,
        help="How long each of these programs may take.",
    ),
)


def takes(*options: Option) -> Callable[[Command], Command]:
    """Give a command the options, in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def request_of(flags: dict[str, Any]) -> Request:
    """What the flags ask for.

    Raises:
        Failure: the report's directory does not exist.
    """
    from fixer.model import Impact
    from fixer.request import Request

    output: Path | None = flags.get("output")
    if output and not output.parent.is_dir():
        raise Failure(f"{output}: its directory does not exist")
    return Request(
        tuple(flags.get("paths", ())),
        select=flags["select"],
        ignore=flags["ignore"],
        impact=Impact.of(flags["impact"]) if flags["impact"] else None,
        reports=flags["reports"],
        config=flags["config_path"],
        jobs=flags["jobs"],
        cached=not flags["no_cache"],
        proofs=flags.get("prove", ()),
        proof_timeout=flags.get("prove_timeout", 300),
    )


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Show a bar on standard error, if that is a terminal and the work takes more than a second, as proofs do."""
    import sys
    import time

    from fixer.report.wording import printable

    started = time.monotonic()
    shown = sys.stderr.isatty() and not quiet
    bar: Any = None

    def tell(done: int, total: int, doing: str) -> None:
        nonlocal bar
        if shown and bar is None and (doing or time.monotonic() - started > 1):
            from rich.console import Console
            from rich.progress import Progress as Bar

            bar = Bar(console=Console(stderr=True), transient=True)
            bar.add_task("", total=total)
        if bar is not None:
            from rich.markup import escape

            what = escape(printable(doing)) if doing else "modules and apps"
            bar.update(bar.task_ids[0], completed=done, description=what)
            bar.start()

    try:
        yield tell
    finally:
        if bar is not None:
            bar.stop()
