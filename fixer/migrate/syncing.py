"""Ask the host what became of a campaign's pull requests, many at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from fixer.hosting.github import Host
from fixer.migrate.journal import Journal, Repository
from fixer.migrate.states import CLOSED_BY_SOMEBODY, State

_STATES = {"OPEN": State.OPEN, "MERGED": State.MERGED, "CLOSED": State.CLOSED}
_ENDED = (State.MERGED, State.CLOSED, State.DECLINED)
_AT_ONCE = 50


def sync(journal: Journal, host: Host, tell: Callable[[], None] = lambda: None) -> int:
    """Bring the journal up to what people did; returns how many pull requests changed.

    Raises:
        HostingError: the host fails.
    """
    pulls = journal.pull_requests()
    waiting = iter([one for one in journal.repositories() if one.id in pulls])
    changed = 0
    while some := list(islice(waiting, _AT_ONCE)):
        states = host.pull_request_states([(one.name, pulls[one.id]["number"]) for one in some])
        for one, said in zip(some, states, strict=True):
            pull = {key: pulls[one.id][key] for key in ("branch", "number", "url", "head", "state")}
            if said in _STATES and pull["state"] != said.lower():
                journal.opened(one, *_moved(one, _STATES[said]), **{**pull, "state": said.lower()})
                changed += 1
        tell()
    return changed


def _moved(one: Repository, state: State) -> tuple[State | None, str]:
    """The state that this brings a repository to, if any, and why."""
    if state is State.OPEN and one.state not in _ENDED:
        return None, ""
    return state, CLOSED_BY_SOMEBODY if state is State.CLOSED else ""
