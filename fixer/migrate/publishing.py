"""Turn plans into pull requests: the one place that writes to a host, one repository after the other.

How fast, how many at once and when is the campaign's to say. What was written is counted in the journal, so that a run
that is started again does not begin a new hour. Limits: "Rate limits for the REST API" in GitHub's documentation.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from fixer.hosting import lifecycle
from fixer.hosting.errors import HostingError, Kind
from fixer.hosting.github import Host
from fixer.hosting.lifecycle import Operation, Published, Wish
from fixer.hosting.plumbing import Remote
from fixer.hosting.proposal import Proposal
from fixer.hosting.store import Store
from fixer.migrate.campaign import Campaign, Window
from fixer.migrate.journal import Journal, Repository
from fixer.migrate.planning import RETRIES, identity, may_pass
from fixer.migrate.states import State

HOUR = 3600.0
_GAP = 1.0
"""Seconds between two repositories."""
_NAP = 30.0
"""Seconds that are slept at once at most."""
_WAIT = 60.0
"""Seconds until what failed is tried again first; it doubles."""
_STATES = {
    Operation.CREATED: State.OPEN,
    Operation.UPDATED: State.OPEN,
    Operation.UNCHANGED: State.OPEN,
    Operation.CLOSED: State.CLOSED,
    Operation.CLEAN: State.CLEAN,
    Operation.DECLINED: State.DECLINED,
    Operation.QUARANTINED: State.QUARANTINED,
    Operation.STOPPED: State.QUARANTINED,
    Operation.SKIPPED: State.SKIPPED,
}
_WRITTEN = (Operation.CREATED, Operation.UPDATED, Operation.CLOSED)


class Stop(Exception):  # noqa: N818 - no error: a bound that the campaign sets
    """Enough for now; the message says why, and when to go on."""


@dataclass(frozen=True)
class Clock:
    """The time, and how it is waited for."""

    now: Callable[[], float] = time.time
    """Seconds since 1970."""
    sleep: Callable[[float], object] | None = None
    """Waits that many seconds; None for doing so until the publisher is to stop."""


@dataclass
class Publisher:
    """Publishes what is planned.

    Attributes:
        journal: Where the plans are.
        campaign: How fast, how many and when.
        host: Where the repositories are.
        stopping: Set to stop after the current repository.
        tell: Told after each.
        clock: See Clock.
    """

    journal: Journal
    campaign: Campaign
    host: Host
    stopping: threading.Event
    tell: Callable[[], None] = lambda: None
    clock: Clock = Clock()

    def publish(self, *, limit: int | None = None, all_waves: bool = False) -> int:
        """Publish a wave, or all of them; returns how many were published.

        Raises:
            Stop: a bound is reached; running again later goes on.
            HostingError: nothing can be published at all.
        """
        done = 0
        size = None if all_waves else self._wave()
        for one in self.journal.repositories(State.PLANNED):
            if self.stopping.is_set() or (limit is not None and done >= limit):
                return done
            if not one.host:
                self.journal.move(one, State.SKIPPED, "it has no host to open a pull request on")
                continue
            if one.until > self.clock.now():
                continue
            if size is not None and done >= size:
                raise Stop(_end_of_wave(size))
            self._look_at_bounds()
            if self._wait_for_room():
                self._look_at_bounds()  # that may have taken an hour
                done += self._publish(one)
                self.tell()
        return done

    def close(self) -> int:
        """Close all open pull requests of the campaign; returns how many.

        Raises:
            Stop: the host wants a pause; running again later goes on.
            HostingError: nothing can be done at all.
        """
        pulls = self.journal.pull_requests()
        open_ones = [one for one in self.journal.repositories() if pulls.get(one.id, {}).get("state") == "open"]
        return sum(self._publish(one, "close") for one in open_ones if self._wait_for_room())

    # ---- leave -----------------------------------------------------------------------------------

    def _wave(self) -> int | None:
        """How many may still be published in this wave; None for the rest of them."""
        published = sum(self.journal.pull_request_counts().values())
        for wave in self.campaign.publish.waves:
            if wave == "rest":
                return None
            if published < int(wave):
                return int(wave) - published
            published -= int(wave)
        return 0

    def _look_at_bounds(self) -> None:
        """Stop where a person should look, or where it is not the time."""
        publish, windows, pulls = self.campaign.publish, self.campaign.windows, self.journal.pull_request_counts()
        self._look_at_shares(sum(pulls.values()))
        if pulls.get("open", 0) >= publish.max_open:
            raise Stop(f"{publish.max_open} pull requests are open: wait until some are merged or closed")
        if windows and not any(is_open(window, self.clock.now()) for window in windows):
            raise Stop("it is outside of the hours in which pull requests may be opened")

    def _look_at_shares(self, published: int) -> None:
        bounds = self.campaign.stop_if
        failed, closed = self.journal.failures("publish"), self.journal.refusals()
        tried = published + failed
        if tried >= bounds.at_least and failed / tried > bounds.failed:
            raise Stop(f"{failed} of {tried} could not be published: look at them, then retry")
        if published >= bounds.at_least and closed / published > bounds.closed:
            raise Stop(f"people closed {closed} of {published} pull requests: look why before there are more")

    def _wait_for_room(self) -> bool:
        """Wait until the hour has room; False if iacfix is to stop meanwhile."""
        now, rate = self.clock.now, self.campaign.publish.rate_per_hour
        if (pause := self.journal.paused_until() - now()) > 0:
            raise Stop(f"the host wants a pause; go on in {pause:.0f} s")
        while not self.stopping.is_set():
            spent = self.journal.spent(now() - HOUR)
            wait = spent[-1] + _GAP - now() if spent else 0
            if len(spent) >= rate:
                wait = max(wait, spent[-rate] + HOUR - now())
            if wait <= 0:
                return True
            (self.clock.sleep or self.stopping.wait)(min(wait, _NAP))
        return False

    # ---- one -------------------------------------------------------------------------------------

    def _publish(self, one: Repository, stage: str = "publish") -> bool:
        """Publish one, or close it; whether something was written."""
        attempt, spent = self.journal.attempt(one, stage), self.journal.spend(self.clock.now())
        try:
            published = self._brought(one, is_farewell=stage == "close")
        except HostingError as error:
            self.journal.ended(attempt, error.kind.value, str(error))
            self._failed(one, error, stage)
            return False
        if isinstance(published, str):
            self.journal.move(one, State.DISCOVERED, published)
        else:
            self._note(one, *published)
        self.journal.ended(attempt)
        is_written = not isinstance(published, str) and published[0].operation in _WRITTEN
        if not is_written:
            self.journal.refund(spent)
        return is_written

    def _brought(self, one: Repository, *, is_farewell: bool) -> tuple[Published, str] | str:
        """What became of it, and its branch; or why it has to be planned anew."""
        campaign, pull = self.campaign, self.campaign.pull_request
        repository = self.host.repository(one.name)
        info = repository.info
        base = campaign.fix.base or info.default_branch
        branch = lifecycle.branch_name(campaign.name, base, info.default_branch)
        if reason := lifecycle.unwanted(repository):
            return Published(Operation.SKIPPED, reason=reason), branch
        wish = Wish(
            base,
            branch,
            campaign.name,
            draft=pull.draft,
            labels=pull.labels,
            reviewers=pull.reviewers,
            team_reviewers=pull.team_reviewers,
            signed=pull.sign_commits,
            always_rebase=pull.rebase == "behind",
        )
        remote = Remote(info.clone_url, lambda: self.host.credentials.token(info.name))
        with tempfile.TemporaryDirectory(prefix="iacfix-") as scratch:
            store = Store(Path(scratch))
            refs = lifecycle.references(store, remote, wish)
            newest = refs.get(f"refs/heads/{base}", "")
            proposal = self._farewell(newest) if is_farewell else self._proposal(one)
            if proposal is None or proposal.base != newest:
                return f"{'its branch has moved' if proposal else 'the campaign has changed'} since it was planned"
            store.fetch(remote, f"refs/heads/{base}", contents=False)
            return lifecycle.publish(repository, remote, store, proposal, wish, refs), branch

    def _proposal(self, one: Repository) -> Proposal | None:
        """The plan's proposal, of which an empty one closes what is open; None if it is no plan for this campaign."""
        row = self.journal.plan(one)
        if row is None or row["key"] != self._identity:
            return None
        if row["proposal"] is None:
            return Proposal(row["base"], row["fingerprint"], "", "", ())
        return Proposal.unpack(row["proposal"])

    def _farewell(self, base: str) -> Proposal:
        return Proposal(base, "", "", f"The campaign `{self.campaign.name}` has ended.", ())

    @cached_property
    def _identity(self) -> str:
        return identity(self.campaign)

    def _note(self, one: Repository, published: Published, branch: str) -> None:
        state = _STATES[published.operation]
        if published.number is None:
            self.journal.move(one, state, published.reason)
            return
        self.journal.opened(
            one,
            state,
            published.reason,
            branch=branch,
            number=published.number,
            url=published.url,
            head=published.head,
            state="open" if state in (State.OPEN, State.QUARANTINED) else "closed",
        )

    def _failed(self, one: Repository, error: HostingError, stage: str) -> None:
        if error.kind is Kind.AUTH:
            raise error  # nothing will work
        failed = self.journal.attempts(one, stage)
        wait = error.wait if error.wait is not None else _WAIT * 2 ** (failed - 1)
        is_limit = error.kind in (Kind.RATE_PRIMARY, Kind.RATE_SECONDARY)
        if is_limit:
            self.journal.pause(self.clock.now() + wait)
        if stage == "publish":
            if may_pass(error.kind.value, str(error)) and (is_limit or failed < RETRIES):
                self.journal.move(one, State.PLANNED, str(error), self.clock.now() + wait)
            else:
                is_theirs = error.kind in (Kind.PERMISSION, Kind.NOT_FOUND)
                self.journal.move(one, State.SKIPPED if is_theirs else State.FAILED, str(error))
        if is_limit:
            raise Stop(f"{error}; go on in {wait:.0f} s") from error


def _end_of_wave(size: int) -> str:
    if size:
        return f"this wave of {size} is done: look at its pull requests, then publish the next"
    return "all waves are done, and there is more: add a wave to the campaign"


def is_open(window: Window, now: float) -> bool:
    """Whether a time, in seconds since 1970, is in a window."""
    there = datetime.fromtimestamp(now, ZoneInfo(window.timezone))
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[there.weekday()]
    return day in window.days and window.start <= there.strftime("%H:%M") < window.end
