"""How a campaign goes on, while it does: a table on standard error, if that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fixer.migrate.journal import Journal
from fixer.migrate.states import State
from fixer.report.wording import count, one_line

if TYPE_CHECKING:
    from rich.console import Group

_EVERY = 0.25
"""Seconds between two looks at the journal."""
_FAILURES = 3
"""So many of the last failures are shown."""


@contextmanager
def live(journal: Journal, waiting: tuple[State, ...], *, quiet: bool) -> Iterator[Callable[[], None]]:
    """Show how many repositories are in each state, how fast it goes, how long that takes and what failed last.

    Args:
        journal: Where they are.
        waiting: The states that the work takes repositories from.
        quiet: Whether to show nothing.

    Yields:
        What is to be called after each repository, by the thread that the journal belongs to.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.live import Live

    started = shown = time.monotonic()
    done = 0
    # a thread of rich's draws what it was given; it must not ask the journal
    console = Console(stderr=True)
    with Live(_view(journal, waiting, 0, 0), console=console, transient=True, refresh_per_second=4) as display:

        def tell() -> None:
            nonlocal done, shown
            done += 1
            if time.monotonic() - shown >= _EVERY:
                shown = time.monotonic()
                display.update(_view(journal, waiting, done, shown - started))

        yield tell


def _view(journal: Journal, waiting: tuple[State, ...], done: int, seconds: float) -> Group:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    counts = journal.counts()
    table = Table("state", box=None)
    table.add_column("repositories", justify="right")
    for state in State:
        if state in counts:
            table.add_row(state.value, f"{counts[state]:,}")
    failures = (
        Text(one_line(f"{name}: {kind}: {error}"), style="red", no_wrap=True, overflow="ellipsis")
        for name, kind, error in journal.last_errors(_FAILURES)
    )
    return Group(table, Text(pace(done, sum(counts.get(state, 0) for state in waiting), seconds)), *failures)


def pace(done: int, left: int, seconds: float) -> str:
    """What was done in so many seconds, how fast, and how long the rest, if there is any, takes at that rate."""
    rate = done / seconds if seconds > 0 else 0.0
    speed = f", {60 * rate:,.1f} a minute" if rate else ""
    rest = f"; {left:,} left" if left else ""
    until = f", about {_duration(left / rate)}" if rate and left else ""
    return f"{done:,} done{speed}{rest}{until}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return count(round(seconds), "second")
    minutes = round(seconds / 60)
    return count(minutes, "minute") if minutes < 90 else f"{minutes // 60:,} h {minutes % 60} min"
