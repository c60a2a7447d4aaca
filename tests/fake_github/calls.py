"""What an operation of the REST API is given, what it returns, and how it refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fake_github.represent import Json
from fake_github.state import Account, App, Pull, Repository, Token

if TYPE_CHECKING:
    from fake_github.server import GitHub


class RefusedError(Exception):
    """An answer that is an error; `errors` as in `Validation Failed`."""

    def __init__(
        self, status: int, message: str, errors: list[Json] | None = None, headers: Mapping[str, str] = {}
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.errors, self.headers = status, message, errors, headers


class MovedError(Exception):
    """The repository has another name now."""

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository.full_name)
        self.repository = repository


def not_found() -> RefusedError:
    return RefusedError(404, "Not Found")


def invalid(resource: str, field: str | None, code: str, message: str | None = None) -> RefusedError:
    """422 Validation Failed, with one error."""
    error = {"resource": resource, "field": field, "code": code, "message": message}
    return RefusedError(422, "Validation Failed", [{key: value for key, value in error.items() if value is not None}])


@dataclass(frozen=True)
class Call:
    """One request on its way to an operation."""

    github: GitHub
    parameters: Mapping[str, str]
    """Of the path."""
    query: Mapping[str, str]
    body: Any
    token: Token | None
    app: App | None
    """Who asks with an app's JSON web token."""

    @property
    def repository(self) -> Repository:
        return self.github.seen(f"{self.parameters['owner']}/{self.parameters['repo']}", self.token)

    @property
    def pull(self) -> Pull:
        number = self.parameters.get("pull_number") or self.parameters["issue_number"]
        try:
            return self.repository.pull(int(number))
        except (KeyError, ValueError):
            raise not_found() from None

    @property
    def account(self) -> Account:
        if self.token is None:
            raise RefusedError(401, "Requires authentication")
        return self.token.account


@dataclass(frozen=True)
class Answer:
    """What an operation returns: a body (of a list one page is sent, each item by `show`), and a status."""

    body: Any
    status: int = 200
    show: Callable[[Any], Any] = lambda item: item
    key: str | None = None
    """Of a list in an object: where the list is, beside `total_count`."""
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Rule:
    """How an operation is carried out, and what a token needs for it."""

    handler: Handler
    permission: str
    level: str


RULES: dict[str, Rule] = {}


def operation(name: str, permission: str = "metadata", level: str = "read") -> Callable[[Handler], Handler]:
    """Carry out the operation by the function; `permission`: names of which one is enough, parted by `|`."""

    def register(handler: Handler) -> Handler:
        RULES[name] = Rule(handler, permission, level)
        return handler

    return register
