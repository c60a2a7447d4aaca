"""The command line of the benchmark; see docs/performance.md."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click
import platformdirs

from bench import corpus, tables
from bench.corpus import Corpus, Unit
from bench.measure import TooSlowError, run
from bench.tables import Aim, Result, ratio
from bench.tools import CONCERNS, Tool, iacfix, last_line, peers

_DOUBLINGS = 4


class Bench:
    """One run of the benchmark: where it works, how often each command is timed, and which iacfix it measures."""

    def __init__(self, scratch: Path, command: str, trials: int, limit: float) -> None:
        self.scratch = scratch
        self.command = command
        self.trials = trials
        self.limit = limit

    def cold(self, name: str = "iacfix check, cold", *options: str) -> Tool:
        """`iacfix check` without a cache, and what the table calls it."""
        return iacfix(self.command, name, *options)

    def warm(self, name: str) -> Tool:
        """`iacfix check` with a cache of its own, of that name."""
        return iacfix(self.command, "iacfix check, warm", cache=self.scratch / "caches" / name)

    def measure(self, tools: Sequence[Tool], on: Corpus) -> list[Result]:
        """Run each tool once to warm up and to watch its memory, then all in turn, `trials` times, by the clock.

        In turn, since the speed of a machine drifts: what each is compared with ran in the same minutes.
        """
        results = [self._watched(tool, on) for tool in tools]
        for _ in range(self.trials):
            for number, (tool, result) in enumerate(zip(tools, results, strict=True)):
                if result.peak:
                    results[number] = self._timed(tool, on, result)
        return results

    def _watched(self, tool: Tool, on: Corpus) -> Result:
        if tool.missing:
            return Result(tool.name, remark=tool.missing)
        _say(f"{tool.name}: {on.root.name}, {on.files} files")
        argv = (*tool.argv, str(on.root))
        try:
            if tool.cached:
                run(argv, tool.env, self.limit)
            watched = run(argv, tool.env, self.limit, watch=True)
            return Result(tool.name, peak=watched.peak, remark=tool.found(watched.code, watched.output))
        except TooSlowError:
            return Result(tool.name, remark=f"not done after {self.limit:.0f} s")
        except OSError as error:
            return Result(tool.name, remark=f"did not start: {error.strerror}")
        except (ValueError, KeyError):
            said = last_line((watched.errors or watched.output).decode(errors="replace"))
            return Result(tool.name, remark=f"failed, exit code {watched.code}: {said}")

    def _timed(self, tool: Tool, on: Corpus, result: Result) -> Result:
        try:
            timed = run((*tool.argv, str(on.root)), tool.env, self.limit)
        except TooSlowError:
            return Result(tool.name, remark=f"not done after {self.limit:.0f} s")
        wall, processor = (*result.wall, timed.seconds), (*result.processor, timed.processor)
        return replace(result, wall=wall, processor=processor)

    def start(self) -> Result:
        """How long `iacfix --version` takes."""
        _say("iacfix --version")
        try:
            runs = [run((self.command, "--version"), {}, self.limit) for _ in range(2 * self.trials + 1)][1:]
        except OSError as error:
            return Result("iacfix --version", remark=f"did not start: {error.strerror}")
        if any(r.code for r in runs):
            return Result("iacfix --version", remark=f"failed, exit code {runs[0].code}")
        return Result("iacfix --version", tuple(r.seconds for r in runs), tuple(r.processor for r in runs))

    def growth(self, language: str, chosen: Sequence[Unit]) -> Iterator[tuple[int, int, float, Result, Result]]:
        """Cold and warm times and memory while the corpus is doubled."""
        target = self.scratch / "growth" / language
        for factor, grown in corpus.doubled(chosen, target, _DOUBLINGS):
            cold, warm = self.measure([self.cold(), self.warm(f"growth-{language}")], grown)
            yield factor, grown.files, grown.megabytes, cold, warm


@click.command(context_settings={"show_default": True})
@click.argument("directories", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--trials", default=3, type=click.IntRange(1), help="Timed runs of each command; medians count.")
@click.option("--max-mb", default=2.0, help="Size of the corpus of each language that all tools run on.")
@click.option("--base-mb", default=0.25, help="Size of the corpus of each language that is doubled four times.")
@click.option("--many", default=5000, help="Files of the large warm run; 0 leaves it out.")
@click.option("--limit", default=900.0, help="Seconds that one run of one command may take.")
@click.option("--iacfix", "command", help="The iacfix to measure; by default the one of this Python, or on the PATH.")
@click.option(
    "--environments",
    default=Path(platformdirs.user_cache_dir("iacfix-bench")),
    type=click.Path(path_type=Path),
    help="Where the peers from PyPI are installed, once.",
)
def main(
    *,
    directories: tuple[Path, ...],
    trials: int,
    max_mb: float,
    base_mb: float,
    many: int,
    limit: float,
    command: str | None,
    environments: Path,
) -> None:
    """Measure iacfix beside its peers on the Terraform and CDK Python below DIRECTORIES, and print markdown."""
    found = {
        language: [unit for directory in directories for unit in corpus.units(directory.resolve(), language)]
        for language in corpus.LANGUAGES
    }
    if not any(found.values()):
        raise click.UsageError("there is no Terraform and no CDK Python in these directories")
    rivals = peers(environments.resolve())
    with tempfile.TemporaryDirectory(prefix="iacfix-bench-") as scratch:
        bench = Bench(Path(scratch), command or _installed_iacfix(), trials, limit)
        click.echo(_machine(bench) + "\n")
        aims: list[Aim] = []
        for language, units in found.items():
            if units:
                aims += _side_by_side(bench, language, corpus.sample(units, max_mb), rivals)
        for language, units in found.items():
            if units:
                aims += _growth(bench, language, corpus.sample(units, base_mb))
        aims += _many(bench, [unit for units in found.values() for unit in units], many)
        aims.append(Aim("`iacfix --version` in at most 150 ms", _milliseconds(bench.start()), 150, "ms"))
        click.echo(tables.aims_table(aims))


def _side_by_side(bench: Bench, language: str, chosen: Sequence[Unit], rivals: Sequence[Tool]) -> list[Aim]:
    on = corpus.lay_out(chosen, bench.scratch / language)
    tools = [
        bench.cold(),
        bench.cold("iacfix check, cold, one job", "--jobs", "1"),
        bench.cold("iacfix check, cold, the same concerns", "--select", CONCERNS),
        bench.warm(language),
        *(tool for tool in rivals if language in tool.languages),
    ]
    results = bench.measure(tools, on)
    cold, single, *_ = results
    click.echo(f"## {language}: {on.files} files, {on.megabytes:.2f} MB\n\n{tables.ratio_table(results, cold)}\n")
    if language == "terraform":
        others = {result.tool: result for result in results}
        checkov, terraform = others["checkov, all checks"], others["terraform fmt -check -recursive"]
        faster = ratio(checkov.seconds, cold.seconds)
        slower = ratio(cold.seconds, terraform.seconds)
        return [
            Aim("Terraform, cold: at least 30 times as fast as checkov", faster, 30, "times as fast", at_least=True),
            Aim("Terraform, cold: at most 5 times as long as `terraform fmt -check`", slower, 5, "times as long"),
        ]
    speed = ratio(on.megabytes, single.seconds)
    return [Aim("CDK Python, cold: at least 0.3 MB/s on one core", speed, 0.3, "MB/s", at_least=True)]


def _growth(bench: Bench, language: str, chosen: Sequence[Unit]) -> list[Aim]:
    rows = list(bench.growth(language, chosen))
    click.echo(tables.growth_table(language, rows) + "\n")
    first, last = rows[0][3], rows[-1][3]
    grown = ratio(last.peak or None, first.peak or None)
    text = f"{language}, cold: {rows[-1][0]} times the source takes at most {tables.FLAT} times the memory"
    return [Aim(text, grown, tables.FLAT, "times the memory")]


def _many(bench: Bench, units: Sequence[Unit], files: int) -> list[Aim]:
    if not files:
        return []
    on = corpus.repeated(units, bench.scratch / "many", files)
    [warm] = bench.measure([bench.warm("many")], on)
    click.echo(f"## {on.files} files, {on.megabytes:.1f} MB\n\n{tables.ratio_table([warm], warm)}\n")
    return [Aim(f"warm: at most 1 s on {files} files", warm.seconds, 1, "s")]


def _installed_iacfix() -> str:
    beside = Path(sys.executable).parent / "iacfix"
    return str(beside) if beside.exists() else shutil.which("iacfix") or "iacfix"


def _machine(bench: Bench) -> str:
    versions = []
    for name, argv in (("iacfix", (bench.command, "--version")), ("terraform", ("terraform", "version"))):
        if shutil.which(argv[0]):
            said = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip().splitlines()
            versions.append(said[0] if said else name)
    load = os.getloadavg()[0]
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors (load {load:.1f}), "
        f"Python {platform.python_version()}; {'; '.join(versions)}; medians of {bench.trials}."
    )


def _milliseconds(result: Result) -> float | None:
    return None if result.seconds is None else 1000 * result.seconds


def _say(text: str) -> None:
    click.echo(f"... {text}", err=True)


if __name__ == "__main__":
    main(prog_name="python -m bench")
