"""`iacfix migrate`: many repositories."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fixer.cli.frame import INTERRUPTED, Failure
from fixer.cli.hosted import redacting
from fixer.cli.options import takes

if TYPE_CHECKING:
    from fixer.hosting.credentials import Credentials
    from fixer.hosting.github import Host
    from fixer.migrate.campaign import Campaign
    from fixer.migrate.journal import Journal

SOME_FAILED, STOPPED = 3, 4
_LAST = 10
"""So many of the last failures are told."""

CAMPAIGN = click.argument("campaign", type=click.Path(path_type=Path, dir_okay=False))
JOURNAL = click.option(
    "--journal",
    "journal_path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where what happens is kept.  [default: CAMPAIGN with .journal]",
)
ACCESS = (
    click.option(
        "--token-file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Read the token from this file, not from IACFIX_TOKEN, GITHUB_TOKEN or GH_TOKEN.",
    ),
    click.option(
        "--app-key",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="The private key of the campaign's GitHub App.",
    ),
)
QUIET = click.option("--quiet", "-q", is_flag=True, help="Print errors only.")


@click.group(short_help="Fix many repositories: plan, publish, follow.")
def migrate() -> None:
    """Fix many repositories: plan for all of them, then open pull requests at a pace that people bear.

    CAMPAIGN is a TOML file that says what to do; the journal beside it says how far it is. Any of these may be cut off
    and run again. Exit codes: 0 done, 2 an error, 3 some repositories failed, 4 stopped at a bound, 130 interrupted.
    """


@migrate.command()
@click.argument("campaign", type=click.Path(path_type=Path, dir_okay=False))
def init(campaign: Path) -> None:
    """Write a campaign file that says what the defaults are."""
    from fixer.hosting.lifecycle import CAMPAIGN, is_campaign
    from fixer.migrate.campaign import template

    name = campaign.stem.lower()
    if not is_campaign(name):
        raise Failure(f"{campaign}: the name of the file becomes the campaign's: {CAMPAIGN}")
    try:
        with campaign.open("x", encoding="utf-8", newline="\n") as file:
            file.write(template(name))
    except FileExistsError as error:
        raise Failure(f"{campaign}: is there already") from error
    click.echo(f"wrote {campaign}")


@migrate.command()
@takes(CAMPAIGN, JOURNAL, *ACCESS, QUIET)
def discover(**flags: Any) -> None:
    """Find the campaign's repositories."""
    with _opened(flags) as work:
        work.discover()


@migrate.command()
@takes(
    CAMPAIGN,
    JOURNAL,
    click.option("--limit", type=click.IntRange(1), metavar="N", help="So many repositories at most."),
    click.option("--shard", metavar="I/N", help="The I-th of N parts of the repositories."),
    click.option("--refresh", is_flag=True, help="Look again at those with a plan: their branches may have moved."),
    click.option("--jobs", type=click.IntRange(1), metavar="N", help="Repositories at once."),
    click.option("--scheduler", metavar="URL", help="Plan on this Dask cluster."),
    *ACCESS,
    QUIET,
)
def plan(**flags: Any) -> None:
    """Work out the fixes for each repository; write to none."""
    with _opened(flags) as work:
        work.plan()


@migrate.command()
@takes(
    CAMPAIGN,
    JOURNAL,
    click.option("--limit", type=click.IntRange(1), metavar="N", help="So many pull requests at most."),
    click.option("--all-waves", is_flag=True, help="Do not stop between waves."),
    *ACCESS,
    QUIET,
)
def publish(**flags: Any) -> None:
    """Open pull requests for what is planned, a wave of them."""
    with _opened(flags) as work:
        work.publish()


@migrate.command()
@takes(
    CAMPAIGN,
    JOURNAL,
    click.option("--jobs", type=click.IntRange(1), metavar="N", help="Repositories at once."),
    click.option("--scheduler", metavar="URL", help="Plan on this Dask cluster."),
    click.option("--all-waves", is_flag=True, help="Do not stop between waves."),
    *ACCESS,
    QUIET,
)
def run(**flags: Any) -> None:
    """Discover, plan and publish, and again what has moved meanwhile."""
    with _opened(flags) as work:
        work.discover()
        work.plan()
        work.publish()


@migrate.command()
@takes(CAMPAIGN, JOURNAL, *ACCESS, QUIET)
def sync(**flags: Any) -> None:
    """Ask what became of the pull requests."""
    with _opened(flags) as work:
        work.sync()


@migrate.command()
@takes(CAMPAIGN, JOURNAL, *ACCESS, QUIET)
def close(**flags: Any) -> None:
    """Close the campaign's pull requests; delete their branches."""
    with _opened(flags) as work:
        work.close()


@migrate.command()
@takes(CAMPAIGN, JOURNAL, QUIET)
def retry(**flags: Any) -> None:
    """Let what failed be tried again by the next plan or publish."""
    from fixer.migrate.planning import mended

    with _journal(flags, writing=True) as journal:
        click.echo(f"{mended(journal)} to be tried again")


@migrate.command()
@takes(
    CAMPAIGN,
    JOURNAL,
    click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True),
)
def status(format_: str, **flags: Any) -> None:
    """Say how many repositories are how far, and what failed last."""
    from fixer.migrate.states import State
    from fixer.report.wording import one_line

    with _journal(flags, writing=False) as journal:
        counts, failures = journal.counts(), journal.last_errors(_LAST)
    if format_ == "json":
        states = {state.value: counts.get(state, 0) for state in State}
        failed = [{"repository": name, "kind": kind, "error": error} for name, kind, error in failures]
        click.echo(
            json.dumps({"version": 1, "repositories": sum(counts.values()), "states": states, "failures": failed})
        )
        return
    for state in State:
        click.echo(f"{state.value:12} {counts.get(state, 0):>6,}")
    if failures:
        click.echo("\nlast failures:")
    for name, kind, error in failures:
        click.echo(one_line(f"{name}: {kind}: {error}"))


@migrate.command()
@click.argument("repository")
@takes(CAMPAIGN, JOURNAL)
def show(repository: str, **flags: Any) -> None:
    """Tell how far one repository is, its plan and the diff."""
    from fixer.migrate import report
    from fixer.migrate.report.text import entry
    from fixer.report import diff

    with _journal(flags, writing=False) as journal:
        found = journal.find(repository)
        if found is None:
            raise Failure(f"{repository}: there is no such repository in the journal, or more than one")
        one, files = report.told(journal.path, found)
    click.echo(entry(one), nl=False)
    if files:
        click.echo()
        diff.show(files, sys.stdout)


@migrate.command()
@takes(
    CAMPAIGN,
    JOURNAL,
    click.option(
        "--output",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIRECTORY",
        help="Write the files there.  [default: CAMPAIGN with -report]",
    ),
    click.option("--no-diffs", is_flag=True, help="Leave the diffs out."),
    QUIET,
)
def report(output: Path | None, no_diffs: bool, quiet: bool, **flags: Any) -> None:
    """Write what there is to read: HTML, Markdown, JSON and tables."""
    from fixer.migrate.report import collect, write

    with _journal(flags, writing=False) as journal:
        document = collect(journal.path, diffs=not no_diffs)
    campaign: Path = flags["campaign"]
    for path in write(document, output or campaign.with_name(f"{campaign.stem}-report")):
        if not quiet:
            click.echo(f"wrote {path}")


@migrate.command()
@takes(CAMPAIGN, JOURNAL)
def export(**flags: Any) -> None:
    """Print the journal, a line of JSON for each of its rows."""
    from fixer.migrate.report import exported

    with _journal(flags, writing=False) as journal:
        for line in exported(journal.path):
            click.echo(line)


# ---- the work ----------------------------------------------------------------------------------


@contextmanager
def _opened(flags: dict[str, Any]) -> Iterator[_Work]:
    """The campaign with its journal; SIGINT ends it after the current step."""
    from fixer import __version__
    from fixer.migrate.engine import EngineError
    from fixer.migrate.publishing import Stop

    campaign = _campaign(flags)
    stopping = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: _stop(stopping))
    code = 0
    try:
        with redacting(None):
            credentials = _credentials(campaign, flags)
        with redacting(credentials), _journal(flags, writing=True) as journal:
            journal.begin(campaign.name, campaign.digest, __version__)
            work = _Work(campaign, journal, credentials, stopping, flags)
            try:
                yield work
            except EngineError as error:
                raise Failure(str(error)) from error
            except Stop as stop:
                click.echo(f"iacfix: {stop}", err=True)
                code = STOPPED
            code = code or (SOME_FAILED if work.some_failed() else 0)
    finally:
        signal.signal(signal.SIGINT, before)
    if stopping.is_set():
        click.echo("iacfix: interrupted; run it again to go on", err=True)
        code = INTERRUPTED
    sys.exit(code)


def _stop(stopping: threading.Event) -> None:
    if stopping.is_set():
        raise KeyboardInterrupt
    stopping.set()
    click.echo("iacfix: stopping after what is under way; interrupt again to stop at once", err=True)


def _campaign(flags: dict[str, Any]) -> Campaign:
    from fixer.config import ConfigError
    from fixer.migrate.campaign import load

    try:
        campaign = load(flags["campaign"])
    except ConfigError as error:
        raise Failure(str(error)) from error
    if flags.get("scheduler"):
        campaign = campaign.with_engine(kind="dask", scheduler=flags["scheduler"])
    return campaign.with_engine(jobs=flags["jobs"]) if flags.get("jobs") else campaign


def _credentials(campaign: Campaign, flags: dict[str, Any]) -> Credentials | None:
    """None if the campaign needs no host: with a list on standard input that shows when it is read."""
    from fixer.hosting.credentials import from_environment
    from fixer.hosting.errors import HostingError
    from fixer.migrate.sources import STDIN, needs_host

    is_needed, github = needs_host(campaign), campaign.github
    if not is_needed and STDIN not in campaign.repositories.files:
        return None
    try:
        return from_environment(os.environ, github.api_url, flags["token_file"], github.app_id, flags["app_key"])
    except HostingError:
        if is_needed:
            raise
        return None


@contextmanager
def _journal(flags: dict[str, Any], *, writing: bool) -> Iterator[Journal]:
    from fixer.migrate.journal import Journal, JournalError

    path = flags["journal_path"] or flags["campaign"].with_suffix(".journal")
    try:
        with Journal(path, writing=writing) as journal:
            yield journal
    except JournalError as error:
        raise Failure(str(error)) from error


@dataclass
class _Work:
    """What the verbs do."""

    campaign: Campaign
    journal: Journal
    credentials: Credentials | None
    stopping: threading.Event
    flags: dict[str, Any]

    def discover(self) -> None:
        from fixer.migrate.sources import find
        from fixer.migrate.states import State

        rows = []
        for one in find(self.campaign, self._host(), sys.stdin):
            state = State.SKIPPED if one.skipped else State.DISCOVERED
            row = {key: value for key, value in vars(one).items() if key != "skipped"}
            rows.append({**row, "state": state.value, "reason": one.skipped})
        new = self.journal.add(rows)
        self._say(f"{len(rows)} repositories, {new} of them new")

    def plan(self) -> None:
        from fixer.cli.live import live
        from fixer.migrate.planning import plan
        from fixer.migrate.states import State

        with live(self.journal, (State.DISCOVERED, State.DEFERRED), quiet=self.flags["quiet"]) as tell:
            done = plan(
                self.journal,
                self.campaign,
                self.credentials,
                limit=self.flags.get("limit"),
                shard=_shard(self.flags.get("shard")),
                refresh=bool(self.flags.get("refresh")),
                stopping=self.stopping,
                tell=tell,
            )
        self._say(f"planned for {done}")

    def publish(self) -> None:
        from fixer.cli.live import live
        from fixer.migrate.publishing import Publisher
        from fixer.migrate.states import State

        host = self._host()
        if host is None:
            raise Failure("the campaign has no repositories on a host: there is nothing to publish")
        with live(self.journal, (State.PLANNED,), quiet=self.flags["quiet"]) as tell:
            publisher = Publisher(self.journal, self.campaign, host, self.stopping, tell)
            done = publisher.publish(limit=self.flags.get("limit"), all_waves=self.flags["all_waves"])
        self._say(f"published {done}")

    def sync(self) -> None:
        from fixer.migrate.syncing import sync

        host = self._host()
        self._say(f"{sync(self.journal, host) if host else 0} pull requests changed")

    def close(self) -> None:
        from fixer.migrate.publishing import Publisher

        if host := self._host():
            self._say(f"closed {Publisher(self.journal, self.campaign, host, self.stopping).close()}")

    def some_failed(self) -> bool:
        from fixer.migrate.states import State

        return State.FAILED in self.journal.counts()

    def _host(self) -> Host | None:
        from fixer.hosting.github import Host

        return Host(self.campaign.github.api_url, self.credentials) if self.credentials else None

    def _say(self, text: str) -> None:
        if not self.flags["quiet"]:
            click.echo(text)


def _shard(text: str | None) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", text or "1/1")
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise Failure("--shard: expected I/N, such as 2/4")
    return int(match[1]), int(match[2])
