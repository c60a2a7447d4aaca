"""What goes wrong on demand: refusals, broken connections, and people who do something at the wrong moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "If you reach out to GitHub Support for help, please include the request ID."
)
DOCS = "https://docs.github.com/rest"


@dataclass(eq=False)
class Request:
    """One line of the log: a request of the API or of a git service."""

    method: str
    path: str
    """Without `/api/v3`; of a git service `/owner/name.git/git-receive-pack` and its like."""
    query: str
    git: bool
    """Whether it is for a git service, and none of the API's."""
    operation: str = ""
    """As GitHub's description names it, `pulls/create`; `graphql`; `git-upload-pack`, `git-receive-pack`."""
    login: str = ""
    at: float = 0
    """When it came, by the clock of the server."""
    status: int = 0
    """0: the connection was broken, or is still waiting."""
    body: object = None
    """The JSON that was sent."""

    @property
    def writes(self) -> bool:
        """Whether it asks for a change; GraphQL's queries do not."""
        if self.git:
            return self.method == "POST" and self.path.endswith("/git-receive-pack")
        if self.path == "/graphql":
            return self.operation == "graphql mutation"
        return self.method not in {"GET", "HEAD"}

    def __str__(self) -> str:
        return f"{self.method} {self.path}{'?' * bool(self.query)}{self.query} {self.status}"


@dataclass(frozen=True)
class Failure:
    """How it goes wrong; made by the functions below.

    `after`: only once the request has had its effect. `kind`: `answer` with the status, `reset` the connection, `hang`
    until the client gives up, or `call` something and go on as if nothing had been.
    """

    kind: str
    after: bool = False
    status: int = 0
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    reset_in: float | None = None
    """Seconds until the time that `X-RateLimit-Reset` tells."""
    call: Callable[[], object] = lambda: None


def secondary_limit(status: int = 403, retry_after: int | None = None) -> Failure:
    """Too many requests in a short time; GitHub answers 403 or 429, with Retry-After in seconds or without."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Failure("answer", status=status, message=SECONDARY, headers=headers)


def primary_limit(reset_in: float = 1, status: int = 403) -> Failure:
    """The hour's requests are used up; they come back in `reset_in` seconds."""
    headers = {
        "X-RateLimit-Limit": "5000",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Used": "5000",
    }
    message = "API rate limit exceeded for user ID 1."
    return Failure("answer", status=status, message=message, headers=headers, reset_in=reset_in)


def server_error(status: int = 502, *, after: bool = False) -> Failure:
    """500, 502, 503; `after`: although the request has been carried out."""
    return Failure("answer", after=after, status=status, message="Server Error")


def refused(status: int, message: str) -> Failure:
    """Any other answer, for example 403 `Resource not accessible by integration`."""
    return Failure("answer", status=status, message=message)


def reset(*, after: bool = False) -> Failure:
    """The connection is reset."""
    return Failure("reset", after=after)


def hang(*, after: bool = False) -> Failure:
    """No answer comes until the client gives up."""
    return Failure("hang", after=after)


def meanwhile(call: Callable[[], object], *, after: bool = False) -> Failure:
    """Someone does something just before the request (or just after it): pushes, renames, closes, kills a process."""
    return Failure("call", after=after, call=call)


@dataclass(eq=False)
class Fault:
    """A failure for some requests: those from the `nth` on that match, `times` of them (None: all further ones).

    `method` and `path` are shell patterns (`*` for any) on the request's method and path; `writes` restricts to
    requests that ask for a change.
    """

    method: str
    path: str
    failure: Failure
    nth: int = 1
    times: int | None = 1
    writes: bool = False
    seen: int = 0
    """How many requests matched so far."""

    def strikes(self, request: Request) -> bool:
        """Whether this request is one to fail; counts it."""
        if self.writes and not request.writes:
            return False
        if not (fnmatchcase(request.method, self.method) and fnmatchcase(request.path, self.path)):
            return False
        self.seen += 1
        return self.nth <= self.seen and (self.times is None or self.seen < self.nth + self.times)
