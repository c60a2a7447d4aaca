"""One branch and one pull request, brought in line with a proposal: opened, updated, left alone or closed.

Each step may fail or be cut off, and the next run goes on from whatever is there: the host is the truth, and what
iacfix wrote into the pull request tells it what is its own. A person's commits, and a person's no, are never overruled.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fixer import __version__
from fixer.hosting import marker as markers
from fixer.hosting.errors import HostingError, Kind
from fixer.hosting.github import HostedRepository, Request
from fixer.hosting.marker import Marker
from fixer.hosting.plan import TRAILER
from fixer.hosting.plumbing import Remote
from fixer.hosting.proposal import Proposal
from fixer.hosting.store import Identity, Store
from fixer.report.pull_request import REBASE_LABEL, STOP_LABEL
from fixer.result import FileChange

IDENTITY = Identity("iacfix[bot]", "iacfix[bot]@users.noreply.github.com")
PREFIX = "iacfix"
"""Of the names of iacfix's own branches."""
OPT_OUT = "no-iacfix"
"""The topic of a repository that wants none of it."""
_LEASE_TRIES = 3
_SIGNED = "noreply@github.com"
"""Committer of what GitHub itself commits for an API's user."""


class Operation(str, enum.Enum):
    """What became of the pull request."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    CLOSED = "closed"
    """Nothing is left to fix."""
    CLEAN = "clean"
    """There is nothing to fix, and no pull request."""
    DECLINED = "declined"
    """A person closed the pull request with these very changes."""
    QUARANTINED = "quarantined"
    """The branch holds commits that are not iacfix's."""
    STOPPED = "stopped"
    """A label sends iacfix away."""
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Wish:
    """What the pull request is to be like."""

    base: str
    """The branch that it is for."""
    branch: str
    """The branch that it comes from."""
    campaign: str = "fixes"
    draft: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    team_reviewers: tuple[str, ...] = ()
    signed: bool = False
    """Whether commits are made through the API, so that GitHub signs them."""
    delete_branch: bool = True
    """Whether the branch goes with a pull request that is no longer needed."""
    always_rebase: bool = False
    """Whether the branch is rebuilt whenever its base moves, not only on conflicts."""


@dataclass(frozen=True)
class Published:
    """What was done."""

    operation: Operation
    number: int | None = None
    url: str = ""
    head: str = ""
    reason: str = ""
    """A sentence without a capital and a full stop; may be empty."""
    problems: tuple[str, ...] = ()
    """What could not be done besides, such as asking for reviews."""


def is_campaign(name: str) -> bool:
    """Whether a campaign may be called so: its name is a part of its branches'."""
    return bool(_CAMPAIGN.fullmatch(name)) and ".." not in name and not name.endswith((".", ".lock"))


CAMPAIGN = "lower-case letters, digits, '.', '_' and '-' only"
"""What `is_campaign` says no for, in words."""
_CAMPAIGN = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")


def branch_name(campaign: str, base: str, default: str) -> str:
    """The branch of a campaign: one for each base."""
    if base == default:
        return f"{PREFIX}/{campaign}"
    slug = re.sub(r"[^a-z0-9]+", "-", base.lower()).strip("-")[:40]
    return f"{PREFIX}/{campaign}--{slug}-{hashlib.sha256(base.encode()).hexdigest()[:6]}"


def is_own(branch: str) -> bool:
    """Whether a branch is one that iacfix makes."""
    return branch.startswith(f"{PREFIX}/")


def unwanted(repository: HostedRepository) -> str:
    """Why the repository is left alone; empty if it is not."""
    if repository.info.archived:
        return "it is archived"
    return f"it has the topic {OPT_OUT}" if OPT_OUT in repository.info.topics else ""


def references(store: Store, remote: Remote, wish: Wish) -> dict[str, str]:
    """The commits of the branches that `publish` goes by, as the host has them now.

    Raises:
        HostingError: see `Store.refs`.
    """
    return store.refs(remote, *(f"refs/heads/{name}" for name in (wish.base, wish.branch, PREFIX)))


def publish(
    repository: HostedRepository, remote: Remote, store: Store, proposal: Proposal, wish: Wish, refs: Mapping[str, str]
) -> Published:
    """Bring branch and pull request in line with the proposal; doing it again does nothing.

    `refs` are the `references` as they were seen when the base was.

    Raises:
        HostingError: a step failed; running again goes on from there.
    """
    for attempt in range(_LEASE_TRIES):
        try:
            return _Publisher(repository, remote, store, proposal, wish, refs).run()
        except HostingError as error:
            if error.kind not in (Kind.STALE, Kind.EXISTS) or attempt == _LEASE_TRIES - 1:
                raise
            refs = references(store, remote, wish)
    raise AssertionError


@dataclass(frozen=True)
class _Publisher:
    repository: HostedRepository
    remote: Remote
    store: Store
    proposal: Proposal
    wish: Wish
    refs: Mapping[str, str]

    def run(self) -> Published:
        if f"refs/heads/{PREFIX}" in self.refs and is_own(self.wish.branch):
            message = f"there is a branch named {PREFIX}, so none can be named {self.wish.branch}"
            raise HostingError(Kind.INVALID, message)
        old = self.refs.get(f"refs/heads/{self.wish.branch}", "")
        there = [one for one in self._pulls() if Marker.of(one.body)]
        current = next((one for one in there if one.is_open), None)
        if current and STOP_LABEL in current.labels:
            return _published(Operation.STOPPED, current, f"it has the label {STOP_LABEL}")
        if not self.proposal.commits:
            return self._close(current, old) if current else self._clean(there, old)
        if not current and (no := self._declined(there)):
            return no
        if old and not self._may_overwrite(current, old):
            return self._keep_off(current, old)
        return self._bring(current, old)

    def _pulls(self) -> list[Request]:
        return self.repository.pull_requests(self.wish.branch, self.wish.base)

    # ---- what people want ------------------------------------------------------------------------

    def _declined(self, there: Sequence[Request]) -> Published | None:
        """A person's no to these very changes: it holds until the changes are others."""
        last = next(iter(there), None)
        mark = Marker.of(last.body) if last else None
        if not last or not mark or last.is_merged or mark.done or mark.fingerprint != self.proposal.fingerprint:
            return None
        return _published(Operation.DECLINED, last, "it was closed with the same changes")

    def _may_overwrite(self, current: Request | None, old: str) -> bool:
        mark = Marker.of(current.body) if current else None
        if mark and mark.head == old:
            return True
        if current and REBASE_LABEL in current.labels:
            return True
        return all(
            committer in (IDENTITY.email, _SIGNED) and f"{TRAILER}: {self.wish.campaign}" in message
            for _, committer, message in self.repository.commits(self.proposal.base, old)
        )

    def _keep_off(self, current: Request | None, old: str) -> Published:
        reason = f"the branch {self.wish.branch} holds commits that are not iacfix's"
        if not current:
            return Published(Operation.QUARANTINED, head=old, reason=reason)
        self.repository.comment(
            current.number,
            f"This branch holds commits that are not mine, so I keep off it. Merge or close this pull request as you "
            f"like; to have me build the branch anew, without these commits, add the label `{REBASE_LABEL}`.",
            "keeps-off",
        )
        return _published(Operation.QUARANTINED, current, reason)

    # ---- nothing left ----------------------------------------------------------------------------

    def _clean(self, there: Sequence[Request], old: str) -> Published:
        """Nothing, but for a branch that a run left which was cut off."""
        mark = Marker.of(there[0].body) if there else None
        if old and mark and mark.done and mark.head == old and self.wish.delete_branch:
            self.store.push(self.remote, "", self.wish.branch, old)
        return Published(Operation.CLEAN)

    def _close(self, current: Request, old: str) -> Published:
        if old and not self._may_overwrite(current, old):
            return self._keep_off(current, old)
        mark = Marker.of(current.body)
        assert mark is not None  # noqa: S101
        nothing = f"There is nothing left to fix on `{self.wish.base}`, so this pull request is no longer needed."
        said = self.proposal.body or nothing
        self.repository.comment(current.number, said, f"done-{mark.head[:12]}")
        done = replace(mark, done=True)
        self.repository.update(current.number, body=current.body.replace(str(mark), str(done)), close=True)
        if old and self.wish.delete_branch:
            self.store.push(self.remote, "", self.wish.branch, old)
        return _published(Operation.CLOSED, current, "nothing is left to fix")

    # ---- something to fix ------------------------------------------------------------------------

    def _bring(self, current: Request | None, old: str) -> Published:
        mark = Marker.of(current.body) if current else None
        kept = mark if mark and self._is_kept(mark, current, old) else None
        if current and kept and kept.base != self.proposal.base:
            return _published(Operation.UNCHANGED, current)  # its text tells of the base that it is on
        head = kept.head if kept else self._pushed(old)
        title = self.proposal.title
        if current is None:
            wish = self.wish
            made = self.repository.create(wish.branch, wish.base, title, self._body(head), draft=wish.draft)
            problems = self.repository.decorate(made.number, wish.labels, wish.reviewers, wish.team_reviewers)
            problems += self._checked(made.number, head)
            return replace(_published(Operation.CREATED, made), head=head, problems=tuple(problems))
        assert mark is not None  # noqa: S101
        body = self._body(head, current.body)
        # A title that somebody has changed stays.
        renamed = title if current.title == mark.title != title else None
        if renamed or not markers.same_body(current.body, body):
            self.repository.update(current.number, title=renamed, body=body)
        elif head == old:
            return _published(Operation.UNCHANGED, current)
        problems = self._checked(current.number, head) if head != old else []
        return replace(_published(Operation.UPDATED, current), head=head, problems=tuple(problems))

    def _is_kept(self, mark: Marker, current: Request | None, old: str) -> bool:
        """Whether the branch may stay where it is: the same changes, on this base or one that they still go with."""
        if mark.head != old or mark.fingerprint != self.proposal.fingerprint or not current:
            return False
        if mark.base == self.proposal.base:
            return True
        if self.wish.always_rebase or REBASE_LABEL in current.labels:
            return False
        return not self.repository.is_conflicting(current.number)

    def _body(self, head: str, there: str | None = None) -> str:
        proposal = self.proposal
        mark = Marker(self.wish.campaign, proposal.fingerprint, proposal.base, head, proposal.title, __version__)
        return markers.body(proposal.body, mark, there)

    def _pushed(self, old: str) -> str:
        """Make the commits and put the branch on them; returns the last one."""
        if self.wish.signed:
            return self._pushed_by_api(old)
        head, date = self.proposal.base, self.store.date(self.proposal.base)
        for commit in self.proposal.commits:
            tree = self.store.tree(self.proposal.base, commit.files)
            head = self.store.commit(tree, head, commit.message, date, IDENTITY)
        if head != old:
            self.store.push(self.remote, head, self.wish.branch, old)
        return head

    def _pushed_by_api(self, old: str) -> str:
        head, tree = self.proposal.base, self.store.tree_of(self.proposal.base)
        modes = {entry.path: entry.mode for entry in self.store.entries(self.proposal.base)}
        for commit in self.proposal.commits:
            head = self.repository.commit(head, tree, commit.message, _as_elements(commit.files, modes))
        self.repository.point(self.wish.branch, head, old)
        return head

    def _checked(self, number: int, head: str) -> list[str]:
        seen = self.repository.head_of(number)
        return [] if seen == head else [f"the pull request is at {seen[:12]}, not at {head[:12]}, which was pushed"]


def _as_elements(files: Sequence[FileChange], modes: dict[str, str]) -> list[tuple[str, str, bytes | None]]:
    found: list[tuple[str, str, bytes | None]] = []
    for change in files:
        mode = modes.get(change.moved_from or change.path, "100644")
        if change.moved_from is not None:
            found.append((change.moved_from, mode, None))
        found.append((change.path, mode, change.after))
    return found


def _published(operation: Operation, request: Request, reason: str = "") -> Published:
    return Published(operation, request.number, request.url, request.head, reason)
