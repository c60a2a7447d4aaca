"""Have all repositories planned; nothing is written to any of them."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points

from fixer import __version__
from fixer.hosting.credentials import Credentials
from fixer.hosting.errors import Kind
from fixer.hosting.plan import Words
from fixer.migrate import engine
from fixer.migrate.campaign import Campaign
from fixer.migrate.journal import Journal, Repository
from fixer.migrate.states import State
from fixer.migrate.work import Outcome, Task
from fixer.request import Request

RETRIES = 5
"""So often what passes is tried again."""
_WAIT = 60.0
"""Seconds before the first of these; it doubles."""
READ_TOKEN = "IACFIX_READ_TOKEN"  # noqa: S105 - a variable's name
"""The environment variable with a token that may only read, for those who plan."""
_BY_GIT = re.compile(r"(?:^|: )git [a-z-]+: ")
_WITH_PLAN = (State.CLEAN, State.PLANNED, State.OPEN)


def identity(campaign: Campaign) -> str:
    """What a plan depends on besides the commit that it is for: tool, rules and what is asked."""
    packages = {one.dist for one in entry_points(group="iacfix.codemods") if one.dist}
    rules = ",".join(sorted(f"{one.name}-{one.version}" for one in packages))
    return f"{__version__}:{rules}:{campaign.digest}"


def plan(
    journal: Journal,
    campaign: Campaign,
    credentials: Credentials | None,
    *,
    limit: int | None = None,
    shard: tuple[int, int] = (1, 1),
    refresh: bool = False,
    stopping: threading.Event,
    tell: Callable[[], None] = lambda: None,
    env: Mapping[str, str] = os.environ,
) -> int:
    """Plan for the repositories that wait for it; returns how many were planned for.

    Args:
        journal: Where they are, and the plans go.
        campaign: What is asked for.
        credentials: For reading, if any are needed.
        limit: So many at most.
        shard: Which part of how many, from 1, of the repositories in their order.
        refresh: Whether those with a plan are looked at again, in case their branch has moved.
        stopping: Set to take no more work.
        tell: Told after each.
        env: May hold a token for reading; see READ_TOKEN.

    Raises:
        EngineError: the engine can't be had, or must not be given the only token that there is.
    """
    key = identity(campaign)
    waiting = _waiting(journal, shard, key, refresh=refresh)[:limit]
    by_id = {one.id: one for one in waiting}
    token = reading(campaign, credentials, env)
    done = 0
    with engine.executor(campaign.engine) as (workers, window):
        tasks = (_task(one, journal, campaign, key, token) for one in waiting)
        for outcome in engine.outcomes(tasks, workers, window, goes_on=lambda: not stopping.is_set()):
            _keep(journal, key, by_id[outcome.number], outcome)
            done += 1
            tell()
    return done


def reading(campaign: Campaign, credentials: Credentials | None, env: Mapping[str, str]) -> Callable[[str], str]:
    """What gives the token to read a repository of the host with, by its name.

    Raises:
        EngineError: it would be one that may write, for workers elsewhere.
    """
    if credentials is None:
        return lambda name: ""
    token = env.get(READ_TOKEN)
    if token is not None and (token.strip() or campaign.engine.kind == "dask"):
        return lambda name: token.strip()
    if campaign.engine.kind == "dask":
        raise engine.EngineError(
            f"no token that may write is given to a cluster: set {READ_TOKEN} to one that may only read, "
            "or to nothing if all repositories are public"
        )
    return credentials.token


def _waiting(journal: Journal, shard: tuple[int, int], key: str, *, refresh: bool) -> list[Repository]:
    """Those without a plan, and those whose plan is for something else than is asked for now."""
    number, parts = shard
    outdated = journal.with_other_plans(key, *_WITH_PLAN)
    now = time.time()
    return [
        one
        for one in journal.repositories(State.DISCOVERED, State.DEFERRED, *_WITH_PLAN)
        if one.id % parts == number % parts
        and one.until <= now
        and (refresh or one.state not in _WITH_PLAN or one.id in outdated)
    ]


def _task(one: Repository, journal: Journal, campaign: Campaign, key: str, token: Callable[[str], str]) -> Task:
    fix, pull = campaign.fix, campaign.pull_request
    there = journal.plan_key(one)
    return Task(
        one.id,
        one.url,
        Words(campaign.name, pull.title, pull.commit_message),
        Request(select=fix.select, ignore=fix.ignore, impact=campaign.impact, jobs=1, cached=False),
        page=one.page,
        branch=fix.base or one.branch,
        paths=fix.paths,
        by_rule=pull.commits == "rule",
        known=there[1] if there and there[0] == key else "",
        token=token(one.name) if one.host else "",
        timeout=fix.timeout_s,
        memory=fix.memory_mb,
    )


def _keep(journal: Journal, key: str, repository: Repository, outcome: Outcome) -> None:
    if outcome.skipped:
        journal.planned(repository, State.SKIPPED, None, outcome.skipped)
    elif outcome.kind:
        _keep_failure(journal, repository, outcome)
    elif outcome.is_known:
        there = journal.plan_key(repository)
        if repository.state not in _WITH_PLAN:
            journal.planned(repository, _state(journal, repository, bool(there and there[2])), None)
    else:
        row = {
            "key": key,
            "base": outcome.base,
            "fingerprint": outcome.fingerprint,
            "proposal": outcome.proposal or None,
            "report": outcome.report,
            "milliseconds": outcome.milliseconds,
        }
        journal.planned(repository, _state(journal, repository, bool(outcome.proposal)), row)


def _state(journal: Journal, repository: Repository, has_changes: bool) -> State:
    """A pull request that is open has something to do in any case: to follow its base, or to be closed."""
    pull = journal.pull_request(repository)
    return State.PLANNED if has_changes or (pull and pull["state"] == "open") else State.CLEAN


def _keep_failure(journal: Journal, repository: Repository, outcome: Outcome) -> None:
    attempt = journal.attempt(repository, "plan")
    journal.ended(attempt, outcome.kind, outcome.error)
    failed = journal.attempts(repository, "plan")
    if may_pass(outcome.kind, outcome.error) and failed < RETRIES:
        journal.move(repository, State.DEFERRED, outcome.error, time.time() + _WAIT * 2 ** (failed - 1))
    else:
        journal.move(repository, State.FAILED, outcome.error)


def may_pass(kind: str, message: str) -> bool:
    """Whether trying a failed step again later may help; git is not told whether a refusal is a limit or for good."""
    if kind == Kind.PERMISSION.value:
        return bool(_BY_GIT.search(message))
    return kind in {one.value for one in Kind if one.passes or one in (Kind.GIT, Kind.STALE)}


def mended(journal: Journal) -> int:
    """Let what failed or waits for another try be tried again now; returns how many."""
    found = journal.repositories(State.FAILED, State.DEFERRED, State.PLANNED)
    found = [one for one in found if one.state is not State.PLANNED or one.until]
    for one in found:
        journal.retry(one, State.PLANNED if journal.plan_key(one) else State.DISCOVERED)
    return len(found)
