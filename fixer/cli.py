"""The command `iacfix`: flags, printing and exit codes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fixer import __version__

if TYPE_CHECKING:
    from fixer.model import Rule
    from fixer.project import Project
    from fixer.result import Result
    from fixer.run import Measure, Progress
    from fixer.scanners import Sought

FOUND, ERROR, INTERRUPTED, CLOSED = 1, 2, 130, 141
PROOFS = ("synth", "validate", "plan")
FORMATS = ("text", "json", "sarif", "github", "markdown")
Command = TypeVar("Command", bound=Callable[..., Any])


class Failure(click.ClickException):
    """An error of the whole run: one line on standard error, exit code 2."""

    exit_code = ERROR

    def show(self, file: Any = None) -> None:
        """Print the line."""
        _complain(self.message)


def _complain(message: str) -> None:
    from fixer.report.wording import one_line

    click.echo(f"iacfix: {one_line(message)}", err=True)


def _drop_output() -> None:
    """Forget what could not be written, which Python would try again when it ends."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Commands(click.Group):
    """Ends every run with an exit code and at most one line, whatever happens."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        for name in ("stdout", "stderr"):
            if getattr(sys, name) is None:  # the caller closed it
                setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except (KeyboardInterrupt, click.Abort) as error:
            _complain("; ".join(["interrupted", *error.args]))
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _drop_output()
            ctx.exit(CLOSED)
        except OSError as error:
            _drop_output()
            where = f"{error.filename}: " if error.filename else ""
            raise Failure(f"{where}{error.strerror or error}") from error
        except BrokenExecutor as error:
            raise Failure("a worker process died, for want of memory perhaps; --jobs 1 does without") from error
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            from fixer.engine import defect

            raise Failure(f"broke, which is a defect; please report it: {defect(error)}") from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="iacfix", message="%(prog)s %(version)s")
def main() -> None:
    """Repair AWS CDK (Python) and Terraform code, and leave every other byte alone.

    Exit codes: 0 nothing to report, 1 findings or changes, 2 an error, 130 interrupted.
    """


def _names(_: click.Context, __: click.Parameter, value: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.strip() for one in value for part in one.split(",") if part.strip())


def _proofs(context: click.Context, option: click.Parameter, value: Sequence[str]) -> tuple[str, ...]:
    kinds = _names(context, option, value)
    for kind in kinds:
        if kind not in PROOFS:
            raise click.BadParameter(f"{kind!r} is not one of {', '.join(PROOFS)}.")
    return kinds


def _complete_rule(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """What the last name of a list may become."""
    from fixer.rules import RuleError, load

    before, comma, last = incomplete.rpartition(",")
    with suppress(RuleError):
        return [before + comma + rule.name for rule in load() if rule.name.startswith(last)]
    return []


_SHARED: tuple[Callable[[Any], Any], ...] = (
    click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path)),
    click.option(
        "--select",
        multiple=True,
        callback=_names,
        metavar="RULE,...",
        shell_complete=_complete_rule,
        help="Only these rules: names, categories or patterns such as 's3-*'.",
    ),
    click.option(
        "--ignore",
        multiple=True,
        callback=_names,
        metavar="RULE,...",
        shell_complete=_complete_rule,
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
    click.option("--format", "format_", type=click.Choice(FORMATS), help="How to report.  [default: text]"),
    click.option(
        "--output",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Write the report to this file.",
    ),
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


def _shared(command: Command) -> Command:
    for option in reversed(_SHARED):
        command = option(command)
    return command


@main.command()
@_shared
def check(**flags: Any) -> None:
    """Report what the rules find; change nothing. Exit 1 if there are findings."""
    from fixer.model import Status

    result = _run("check", flags)
    _report(result, flags)
    reported = any(one.status is not Status.SUPPRESSED for one in result.outcomes)
    sys.exit(ERROR if result.errors else FOUND if reported else 0)


@main.command()
@_shared
@click.option("--dry-run", is_flag=True, help="Print the diff of what would be written; exit 1 if there is any.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit 1 if something was fixed.")
@click.option(
    "--prove",
    multiple=True,
    callback=_proofs,
    metavar="KIND[,KIND]",
    help="Run the project's own programs on copies, before and after, and take back what does more than it declares: "
    "synth (each app's command), validate, plan (terraform or tofu).",
)
@click.option(
    "--prove-timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=300,
    metavar="SECONDS",
    show_default=True,
    help="How long each of these programs may take.",
)
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
    from fixer import config as configuration
    from fixer import project as projects
    from fixer.cache import Cache, default_directory
    from fixer.model import Impact
    from fixer.rules import RuleError, load
    from fixer.run import run

    paths = list(flags["paths"]) or [Path()]
    for path in paths:
        if not path.exists():
            raise Failure(f"{path}: no such file or directory")
    output: Path | None = flags["output"]
    if output and not output.parent.is_dir():
        raise Failure(f"{output}: its directory does not exist")
    try:
        root = projects.root_of(paths)
        config = configuration.load(paths[0], root, flags["config_path"])
        if not config.enabled:
            click.echo(f"iacfix: off, as {config.name} says enabled = false", err=True)
            sys.exit(0)
        everything = load()
        configuration.validate(config, everything)
        rules = configuration.selected(everything, flags["select"] or config.select, (*config.ignore, *flags["ignore"]))
        with _progress(flags["quiet"]) as progress:
            project = projects.discover(root, paths, exclude=config.exclude)
            return run(
                project,
                rules,
                config,
                command=command,
                impact=Impact.of(flags["impact"]) if flags["impact"] else config.impact,
                jobs=flags["jobs"] or _cores(),
                cache=Cache(None if flags["no_cache"] else default_directory()),
                progress=progress,
                sought=_sought(flags["reports"], project, rules, everything) if flags["reports"] else None,
                measure=_measure(root, flags),
            )
    except (configuration.ConfigError, RuleError) as error:
        raise Failure(str(error)) from error


def _measure(root: Path, flags: dict[str, Any]) -> Measure | None:
    """What `--prove` asks for."""
    if not flags.get("prove"):
        return None
    from fixer.proof.measure import Measure

    return Measure(root, flags["prove"], flags["prove_timeout"])


def _sought(paths: Sequence[Path], project: Project, rules: Sequence[Rule], known: Sequence[Rule]) -> Sought:
    from fixer.scanners import ReportError, read, seek

    try:
        return seek([read(path) for path in paths], project, rules, known)
    except ReportError as error:
        raise Failure(str(error)) from error


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    """Show a bar on standard error, if that is a terminal and the work takes more than a second."""
    import time

    started = time.monotonic()
    shown = sys.stderr.isatty() and not quiet
    bar: Any = None

    def tell(done: int, total: int) -> None:
        nonlocal bar
        if shown and bar is None and time.monotonic() - started > 1:
            from rich.console import Console
            from rich.progress import Progress as Bar

            bar = Bar(console=Console(stderr=True), transient=True)
            bar.add_task("modules and apps", total=total)
            bar.start()
        if bar is not None:
            bar.update(bar.task_ids[0], completed=done)

    try:
        yield tell
    finally:
        if bar is not None:
            bar.stop()


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


# ---- about the rules ---------------------------------------------------------------------------


def _all_rules() -> tuple[Rule, ...]:
    from fixer.rules import RuleError, load

    try:
        return load()
    except RuleError as error:
        raise Failure(str(error)) from error


@main.command()
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to list them.")
def rules(format_: str) -> None:
    """List the rules."""
    from fixer.rules import describe

    infos = [describe(rule) for rule in _all_rules()]
    if format_ == "json":
        import json

        keys = ("name", "category", "summary", "scanners", "languages")
        rows = [{**{key: getattr(info, key) for key in keys}, "impact": str(info.impact)} for info in infos]
        click.echo(json.dumps(rows, indent=2))
        return
    if not sys.stdout.isatty():
        for info in infos:
            click.echo(f"{info.name}\t{','.join(info.languages)}\t{info.impact}\t{info.summary}")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("rule", "languages", "impact", "what it does", box=None, pad_edge=False)
    for info in infos:
        table.add_row(info.name, ", ".join(info.languages), str(info.impact), info.summary)
    Console().print(table)


@main.command()
@click.argument("rule", metavar="RULE", shell_complete=_complete_rule)
def explain(rule: str) -> None:
    """Print the manual page of a rule."""
    from fixer.config import nearest
    from fixer.rules import page

    known = {one.name: one for one in _all_rules()}
    if rule not in known:
        raise Failure(f"there is no rule {rule!r}{nearest(rule, known)}")
    text = page(known[rule])
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        click.echo(text.encode(), nl=False)


@main.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the configuration instead.")
def init(directory: Path, schema: bool) -> None:
    """Write an iacfix.toml that says what the defaults are."""
    from fixer import config as configuration

    if schema:
        import json

        click.echo(json.dumps(configuration.schema(_all_rules()), indent=2))
        return
    text = configuration.template(_all_rules())
    try:
        there = configuration.load(directory, directory)
    except configuration.ConfigError as error:
        raise Failure(f"there is a configuration already: {error}") from error
    if there.path:
        raise Failure(f"{directory / there.name}: is there already")
    path = directory / "iacfix.toml"
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    click.echo(f"wrote {path}")


@main.command(short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a shell's completion script: for bash, eval "$(iacfix completion bash)" puts it to use.

    zsh takes the same line with its own name, and fish: iacfix completion fish | source
    """
    from click.shell_completion import get_completion_class

    if kind := get_completion_class(shell):
        click.echo(kind(main, {}, "iacfix", "_IACFIX_COMPLETE").source())


if __name__ == "__main__":
    main()
