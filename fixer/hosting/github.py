"""GitHub's API, for what a bot needs of it, through PyGithub.

PyGithub's own retries are off: they send a creation again after a 502 though it was done, and give up on a 429 without
`Retry-After`. Here reading is tried again, and a creation whose answer was lost is looked up instead. Rates and limits:
"Rate limits for the REST API" and "Best practices for using the REST API" in GitHub's documentation.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from fixer.hosting.credentials import Credentials
from fixer.hosting.errors import HostingError, Kind

if TYPE_CHECKING:
    from github import Github, GithubException
    from github.PaginatedList import PaginatedList
    from github.PullRequest import PullRequest
    from github.Repository import Repository

_TRIES = 4
_SECONDARY_WAIT = 60.0
"""Seconds to wait after a secondary limit that names no time, by GitHub's documentation."""
_TIMEOUT = 30
_PER_PAGE = 100
_SWITCH = (
    "the organisation or the repository does not let GitHub Actions create pull requests: turn on Settings > Actions > "
    'General > "Allow GitHub Actions to create and approve pull requests", or use the token of a GitHub App'
)
Value = TypeVar("Value")


@dataclass(frozen=True)
class Info:
    """What is known of a repository."""

    node: str
    """GitHub's id, which stays when it is renamed."""
    name: str
    """Owner and name as they are now."""
    clone_url: str
    page: str
    """Its address for people."""
    default_branch: str
    kilobytes: int
    archived: bool
    is_fork: bool
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """A pull request as it stands."""

    number: int
    url: str
    title: str
    body: str
    head: str
    """The commit at the head of its branch."""
    is_open: bool
    is_merged: bool
    labels: frozenset[str]


class Host:
    """One GitHub, with the credentials for it.

    Args:
        api_url: Such as `https://api.github.com`, or `https://git.example.com/api/v3`.
        credentials: See Credentials.
        patience: Seconds that a single step may wait for a limit or a fault to pass.
        pace: Seconds between two requests that change something; GitHub asks for one.
        sleep: Waits that many seconds.
    """

    def __init__(
        self,
        api_url: str,
        credentials: Credentials,
        patience: float = 90,
        pace: float = 1,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.api_url = api_url.rstrip("/")
        self.credentials = credentials
        self.patience, self.pace, self.sleep = patience, pace, sleep

    def repository(self, name: str) -> HostedRepository:
        """A repository by owner and name, such as `acme/infra`.

        Raises:
            HostingError: there is none that the token may see, or the host fails.
        """
        found = self._github(name).get_repo(name)
        self.ask(f"{name}: reading the repository", found.complete)
        return HostedRepository(self, found)

    def repositories_of(self, owner: str) -> list[Info]:
        """All repositories of an organisation or a user that the token may see, by name.

        Raises:
            HostingError: there is no such owner, or the host fails.
        """
        github = self._github(f"{owner}/")

        def everything() -> list[Info]:
            account = github.get_user(owner)
            account.complete()
            many = github.get_organization(owner) if account.type == "Organization" else account
            return sorted(map(_info, _paged(many.get_repos())), key=lambda one: one.name)

        return self.ask(f"{owner}: listing repositories", everything)

    def search(self, query: str) -> list[Info]:
        """The repositories that GitHub's search finds, of which it tells a thousand at most.

        Raises:
            HostingError: the query is none, or the host fails.
        """
        github = self._github("")
        return self.ask(f"searching for {query!r}", lambda: [_info(one) for one in github.search_repositories(query)])

    def pull_request_states(self, pulls: Sequence[tuple[str, int]]) -> list[str]:
        """`OPEN`, `CLOSED` or `MERGED` for each, by repository and number, in one query; empty for one that is gone.

        Raises:
            HostingError: the host fails.
        """
        if not pulls:
            return []
        parts = []
        values: dict[str, Any] = {}
        for at, (name, number) in enumerate(pulls):
            values[f"owner{at}"], _, values[f"name{at}"] = name.partition("/")
            values[f"number{at}"] = number
            one = f"repository(owner: $owner{at}, name: $name{at})"
            parts.append(f"p{at}: {one} {{ pullRequest(number: $number{at}) {{ state }} }}")
        kinds = ", ".join(f"${key}: {'Int!' if key.startswith('number') else 'String!'}" for key in values)
        query = f"query({kinds}) {{ {' '.join(parts)} }}"
        requester = self._github(pulls[0][0]).requester
        _, said = self.ask("asking for pull requests", lambda: requester.graphql_query(query, values))
        found = [said["data"].get(f"p{at}") or {} for at in range(len(pulls))]
        return [(one.get("pullRequest") or {}).get("state", "") for one in found]

    def _github(self, name: str) -> Github:
        from github import Github

        return Github(
            auth=self.credentials.auth(name),
            base_url=self.api_url,
            timeout=_TIMEOUT,
            per_page=_PER_PAGE,
            retry=None,
            lazy=True,
            user_agent="iacfix",
            seconds_between_requests=None,
            seconds_between_writes=self.pace,
        )

    def ask(self, what: str, call: Callable[[], Value], *, again: bool = True) -> Value:
        """The answer of a call; with `again` it is repeated while the reason passes in the time that there is.

        Raises:
            HostingError: it fails for good; the message begins with `what`.
        """
        left = self.patience
        for attempt in range(_TRIES):
            try:
                return call()
            except Exception as error:
                failure = _failure(what, error)
                wait = failure.wait if failure.wait is not None else 2**attempt * (1 + random.random())  # noqa: S311
                limited = failure.kind in (Kind.RATE_PRIMARY, Kind.RATE_SECONDARY)  # nothing was done then
                if not failure.kind.passes or not (again or limited) or attempt == _TRIES - 1 or wait > left:
                    raise failure from error
                left -= wait
                self.sleep(wait)
        raise AssertionError


class HostedRepository:
    """One repository of a host."""

    def __init__(self, host: Host, found: Repository) -> None:
        self._host, self._repo = host, found
        self.info = _info(found)

    # ---- reading ---------------------------------------------------------------------------------

    def pull_requests(self, branch: str, base: str) -> list[Request]:
        """Those from a branch of this repository to a base, open or closed, the newest first.

        Raises:
            HostingError: as all methods here.
        """
        head = f"{self.info.name.partition('/')[0]}:{branch}"
        pulls = self._ask(
            "listing pull requests",
            lambda: list(self._repo.get_pulls(state="all", head=head, base=base, sort="created", direction="desc")),
        )
        return [_request(pull) for pull in pulls if pull.head.ref == branch]

    def head_of(self, number: int) -> str:
        """The commit that a pull request's branch is at, as the host sees it."""
        return self._ask("reading the pull request", lambda: self._repo.get_pull(number).head.sha)

    def is_conflicting(self, number: int) -> bool:
        """Whether it can't be merged; False also while the host does not know yet."""
        return self._ask("reading the pull request", lambda: self._repo.get_pull(number).mergeable) is False

    def commits(self, base: str, head: str) -> list[tuple[str, str, str]]:
        """The commits that `head` has and `base` has not: the e-mails of author and committer, and the message."""
        found = self._ask("comparing commits", lambda: list(self._repo.compare(base, head).commits))
        return [(one.commit.author.email, one.commit.committer.email, one.commit.message) for one in found]

    # ---- writing ---------------------------------------------------------------------------------

    def create(self, branch: str, base: str, title: str, body: str, *, draft: bool) -> Request:
        """Open a pull request, or find the one that is open already.

        Raises:
            HostingError: of kind EMPTY if there is no difference; as all methods here.
        """

        def make() -> Request:
            return _request(self._repo.create_pull(base=base, head=branch, title=title, body=body, draft=draft))

        for attempt in range(_TRIES):
            try:
                return self._ask("opening the pull request", make, again=False)
            except HostingError as error:
                if error.kind not in (Kind.TRANSIENT, Kind.EXISTS):
                    raise
                # Its answer was lost, or somebody was faster: look before it is made again.
                there = next((one for one in self.pull_requests(branch, base) if one.is_open), None)
                if there:
                    return there
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError

    def update(self, number: int, *, title: str | None = None, body: str | None = None, close: bool = False) -> None:
        """Change what is given."""
        changed: dict[str, Any] = {"title": title, "body": body, "state": "closed" if close else None}
        changed = {key: value for key, value in changed.items() if value is not None}
        self._ask("updating the pull request", lambda: self._pull(number).edit(**changed))

    def comment(self, number: int, text: str, mark: str) -> None:
        """Say something once: nothing is said if a comment with that mark is there."""
        mark = f"<!-- iacfix:{mark} -->"
        issue = self._lazy(number)

        def is_said() -> bool:
            return any(mark in (one.body or "") for one in issue.get_comments())

        if self._ask("reading comments", is_said):
            return
        try:
            self._ask("commenting", lambda: issue.create_comment(f"{text}\n\n{mark}"), again=False)
        except HostingError as error:
            if error.kind is not Kind.TRANSIENT or not self._ask("reading comments", is_said):
                raise

    def decorate(self, number: int, labels: Sequence[str], reviewers: Sequence[str], teams: Sequence[str]) -> list[str]:
        """Add labels and ask for reviews. What can't be done is told: the pull request is worth more than these."""
        problems = []
        if labels:
            problems += self._tried("labels", lambda: self._lazy(number).add_to_labels(*labels))
        if reviewers or teams:
            asked = {"reviewers": list(reviewers), "team_reviewers": list(teams)}
            problems += self._tried("reviewers", lambda: self._pull(number).create_review_request(**asked))
        return problems

    def commit(
        self, parent: str, base_tree: str, message: str, changes: Sequence[tuple[str, str, bytes | None]]
    ) -> str:
        """Make a commit through the API, which GitHub signs for an app or a job. Returns its hash.

        Args:
            parent: The commit below it.
            base_tree: That commit's tree.
            message: Of the commit.
            changes: Path, mode and content of each file; no content deletes it.
        """
        from github import InputGitTreeElement

        elements = []
        for path, mode, content in changes:
            text = _text(content)
            if content is None:
                elements.append(InputGitTreeElement(path, mode, "blob", sha=None))
            elif text is not None:
                elements.append(InputGitTreeElement(path, mode, "blob", content=text))
            else:
                blob = self._blob(content)
                elements.append(InputGitTreeElement(path, mode, "blob", sha=blob))
        below = self._ask("reading a tree", lambda: self._repo.get_git_tree(base_tree))
        tree = self._ask("making a tree", lambda: self._repo.create_git_tree(elements, below))
        above = self._ask("reading a commit", lambda: self._repo.get_git_commit(parent))
        return self._ask("making a commit", lambda: self._repo.create_git_commit(message, tree, [above]).sha)

    def point(self, branch: str, commit: str, old: str) -> None:
        """Put a branch on a commit; `old` is where it was, empty for none."""
        if old:
            ref = self._repo.get_git_ref(f"heads/{branch}")
            if self._ask("reading the branch", lambda: ref.object.sha) != old:
                raise HostingError(Kind.STALE, f"the branch {branch} moved meanwhile")
            self._ask("moving the branch", lambda: ref.edit(commit, force=True))
        else:
            make = lambda: self._repo.create_git_ref(f"refs/heads/{branch}", commit)  # noqa: E731
            self._ask("making the branch", make, again=False)

    def _blob(self, content: bytes) -> str:
        from base64 import b64encode

        return self._ask("making a blob", lambda: self._repo.create_git_blob(b64encode(content).decode(), "base64").sha)

    def _tried(self, what: str, call: Callable[[], Any]) -> list[str]:
        """Do what may fail; a pull request that was opened a moment ago is not known everywhere yet."""
        for attempt in range(_TRIES):
            try:
                self._ask(what, call)
                break
            except HostingError as error:
                if "Could not resolve to a node" not in str(error) or attempt == _TRIES - 1:
                    return [f"{what} were not set: {error}"]
                self._host.sleep(1 + attempt)
        return []

    def _pull(self, number: int) -> PullRequest:
        """The pull request by its number alone, without asking for it."""
        return self._repo.get_pull(number)

    def _lazy(self, number: int) -> Any:
        return self._repo.get_issue(number)

    def _ask(self, what: str, call: Callable[[], Value], *, again: bool = True) -> Value:
        return self._host.ask(f"{self.info.name}: {what}", call, again=again)


def _paged(listing: PaginatedList[Any]) -> Iterator[Any]:
    """What a listing holds, a page at a time: iterated, it keeps all that it gives, 20 KB for each repository."""
    number, page = 0, listing.get_page(0)
    while page:
        yield from page
        number += 1
        page = listing.get_page(number) if len(page) == _PER_PAGE else []


def _info(found: Repository) -> Info:
    return Info(
        found.node_id,
        found.full_name,
        found.clone_url,
        found.html_url,
        found.default_branch,
        found.size,
        found.archived,
        found.fork,
        tuple(found.topics or ()),
    )


def _request(pull: PullRequest) -> Request:
    return Request(
        pull.number,
        pull.html_url,
        pull.title,
        pull.body or "",
        pull.head.sha,
        pull.state == "open",
        pull.merged_at is not None,
        frozenset(label.name for label in pull.labels),
    )


def _text(content: bytes | None) -> str | None:
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError:
        return None


# ---- failures ----------------------------------------------------------------------------------


def _failure(what: str, error: Exception) -> HostingError:
    """What a call came to, in our words; what is no failure of the host's goes on as it is."""
    from github import GithubException
    from requests import RequestException

    if isinstance(error, HostingError):
        return error
    if isinstance(error, GithubException):
        return _refusal(what, error)
    if isinstance(error, RequestException):
        return HostingError(Kind.TRANSIENT, f"{what} failed: {_reason(error)}")
    raise error


def _reason(error: Exception) -> str:
    from requests import ConnectionError as Unreachable
    from requests import Timeout

    if isinstance(error, Timeout):
        return "the host did not answer in time"
    return "the host can't be reached" if isinstance(error, Unreachable) else type(error).__name__


def _refusal(what: str, error: GithubException) -> HostingError:
    data = error.data if isinstance(error.data, dict) else {}
    said = str(data.get("message") or error.data or "no reason given")
    details = "; ".join(
        str(one.get("message")) for one in data.get("errors", ()) if isinstance(one, dict) and "message" in one
    )
    text = f"{said} ({details})" if details else said
    headers = {key.lower(): value for key, value in (error.headers or {}).items()}
    kind, wait = _kind(error.status, text, headers)
    if "not permitted to create or approve pull requests" in text:
        text = _SWITCH
    return HostingError(kind, f"{what} failed: {text}", wait)


def _kind(status: int, text: str, headers: dict[str, Any]) -> tuple[Kind, float | None]:
    low = text.lower()
    if status == 429 or (status == 403 and ("rate limit" in low or "abuse" in low or "retry-after" in headers)):
        return _limit(headers)
    match status:
        case 401:
            return Kind.AUTH, None
        case 403:
            return Kind.PERMISSION, None
        case 404 | 410 | 451:
            return Kind.NOT_FOUND, None
        case 422 if "already exists" in low:
            return Kind.EXISTS, None
        case 422 if "no commits between" in low:
            return Kind.EMPTY, None
        case 409 | 422:
            return Kind.INVALID, None
    return (Kind.TRANSIENT if status >= 500 or status in (0, 408) else Kind.INVALID), None


def _limit(headers: dict[str, Any]) -> tuple[Kind, float]:
    """Which limit, and the seconds to wait."""
    after, left, reset = (headers.get(name) for name in ("retry-after", "x-ratelimit-remaining", "x-ratelimit-reset"))
    if after and str(after).isdigit():
        return Kind.RATE_SECONDARY, float(after)
    if str(left) == "0" and reset and str(reset).isdigit():
        return Kind.RATE_PRIMARY, max(float(reset) - time.time(), 0) + 1
    return Kind.RATE_SECONDARY, _SECONDARY_WAIT
