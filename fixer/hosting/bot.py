"""One repository from end to end: what is on the host, the fixes for it, and the pull request with them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fixer.hosting import lifecycle, plan
from fixer.hosting.checkout import Checkout
from fixer.hosting.errors import HostingError, Kind
from fixer.hosting.lifecycle import Operation, Published, Wish
from fixer.hosting.plan import Plan, Words
from fixer.hosting.plumbing import Remote
from fixer.hosting.store import Store
from fixer.request import DisabledError, Request

if TYPE_CHECKING:
    from fixer.hosting.github import Host
    from fixer.run import Progress


@dataclass(frozen=True)
class Order:
    """What is to be done in a repository."""

    request: Request = field(default_factory=Request)
    """What to fix; its paths do not count."""
    paths: tuple[str, ...] = ()
    """Files and directories of the repository; empty for all."""
    base: str | None = None
    """The branch to fix; None for the default one."""
    branch: str | None = None
    """The branch of the pull request; None for the campaign's own."""
    campaign: str = "fixes"
    by_rule: bool = False
    """Whether each rule gets a commit of its own."""
    expected: str | None = None
    """The commit that the base is to be at; a run for an older one leaves the work to the newer."""
    title: str = ""
    """Empty for one that says what was fixed."""
    commit_message: str = ""
    """Empty for one that says what was fixed."""
    wish: Wish = field(default_factory=lambda: Wish("", ""))
    """The rest; its branches are filled in."""


@dataclass(frozen=True)
class Served:
    """What came of it."""

    published: Published
    plan: Plan | None = None


def serve(host: Host, name: str, order: Order, progress: Progress = lambda done, total, doing: None) -> Served:
    """Fix a repository and bring its pull request in line.

    Raises:
        HostingError, RequestError: a step failed; running again goes on from there.
    """
    repository = host.repository(name)
    if reason := lifecycle.unwanted(repository):
        return Served(Published(Operation.SKIPPED, reason=reason))
    info = repository.info
    base = order.base or info.default_branch
    branch = order.branch or lifecycle.branch_name(order.campaign, base, info.default_branch)
    remote = Remote(info.clone_url, lambda: host.credentials.token(info.name))
    wish = replace(order.wish, base=base, branch=branch, campaign=order.campaign)
    with tempfile.TemporaryDirectory(prefix="iacfix-") as scratch:
        store = Store(Path(scratch))
        if branch == base or not store.is_branch_name(branch):
            raise HostingError(Kind.INVALID, f"{branch!r} can't be the branch of a pull request to {base}")
        refs = lifecycle.references(store, remote, wish)
        if f"refs/heads/{base}" not in refs:
            return Served(Published(Operation.SKIPPED, reason=f"there is no branch {base}"))
        commit = store.fetch(remote, f"refs/heads/{base}")
        if order.expected and commit != order.expected:
            reason = f"{base} has moved on to {commit[:12]}, which a newer run is for"
            return Served(Published(Operation.SKIPPED, reason=reason))
        try:
            made = _planned(store, commit, Path(scratch), order, progress, info.page)
        except DisabledError as error:
            return Served(Published(Operation.SKIPPED, reason=f"{error} says enabled = false"))
        return Served(lifecycle.publish(repository, remote, store, made.proposal, wish, refs), made)


def preview(checkout: Checkout, order: Order, progress: Progress = lambda done, total, doing: None) -> Plan:
    """What `serve` would change, as far as a checkout knows the host's branch; no host is asked.

    Raises:
        HostingError, RequestError, DisabledError: it can't be done.
    """
    _, commit = checkout.commit_of(order.base)
    with tempfile.TemporaryDirectory(prefix="iacfix-") as scratch:
        store = Store(Path(scratch))
        fetched = store.fetch(Remote(checkout.root.as_uri()), commit)
        return _planned(store, fetched, Path(scratch), order, progress)


def _planned(store: Store, commit: str, scratch: Path, order: Order, progress: Progress, page: str = "") -> Plan:
    words = Words(order.campaign, order.title, order.commit_message)
    return plan.make(
        *(store, commit, scratch, order.request, order.paths),
        words=words,
        page=page,
        by_rule=order.by_rule,
        progress=progress,
    )
