"""Accounts, organizations and their repositories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fake_github.calls import Answer, Call, RefusedError, not_found, operation
from fake_github.state import Account, Repository


@operation("rate-limit/get")
def rate_limit(call: Call) -> Answer:
    rate = call.github.rate(call.token)
    search = {"limit": 30, "remaining": 30, "reset": rate["reset"], "used": 0}
    return Answer({"resources": {"core": rate, "search": search, "graphql": rate}, "rate": rate})


@operation("users/get-authenticated")
def own_account(call: Call) -> Answer:
    if call.account.kind == "Bot":
        raise RefusedError(403, "Resource not accessible by integration")
    return Answer(call.github.view.person(call.account, 0))


@operation("users/get-by-username")
def account(call: Call) -> Answer:
    found = _account(call, call.parameters["username"])
    return Answer(call.github.view.person(found, len(call.github.owned(found, call.token))))


@operation("orgs/get")
def organization(call: Call) -> Answer:
    found = _account(call, call.parameters["org"], kind="Organization")
    return Answer(call.github.view.organization(found, len(call.github.owned(found, call.token))))


@operation("repos/list-for-org")
def repositories_of_organization(call: Call) -> Answer:
    return _repositories(
        call, call.github.owned(_account(call, call.parameters["org"], kind="Organization"), call.token)
    )


@operation("repos/list-for-user")
def repositories_of_user(call: Call) -> Answer:
    return _repositories(call, call.github.owned(_account(call, call.parameters["username"]), call.token))


@operation("repos/list-for-authenticated-user")
def own_repositories(call: Call) -> Answer:
    if call.account.kind == "Bot":
        raise RefusedError(403, "Resource not accessible by integration")
    return _repositories(
        call, [each for each in call.github.visible(call.token) if call.github.reaches(call.token, each)]
    )


@operation("apps/list-repos-accessible-to-installation")
def repositories_of_installation(call: Call) -> Answer:
    if call.token is None or call.token.kind not in {"installation", "actions"}:
        raise RefusedError(
            403, "You must authenticate with an installation access token in order to list repositories."
        )
    found = [each for each in call.github.visible(call.token) if call.github.reaches(call.token, each)]
    return Answer(found, show=lambda each: call.github.view.repository(each, call.token), key="repositories")


@operation("search/repos")
def search(call: Call) -> Answer:
    found = [each for each in call.github.visible(call.token) if _sought(call.query["q"], each)]
    show = call.github.view.repository
    return Answer(found[:1000], show=lambda each: {**show(each, call.token), "score": 1.0}, key="items")


@operation("repos/get")
def repository(call: Call) -> Answer:
    return Answer(call.github.view.full_repository(call.repository, call.token))


@operation("repos/get-all-topics")
def topics(call: Call) -> Answer:
    return Answer({"names": list(call.repository.topics)})


def _account(call: Call, login: str, kind: str | None = None) -> Account:
    found = call.github.accounts.get(login.lower())
    if found is None or (kind and found.kind != kind):
        raise not_found()
    return found


def _repositories(call: Call, found: list[Repository]) -> Answer:
    keys: dict[str, Callable[[Repository], Any]] = {
        "full_name": lambda each: each.full_name.lower(),
        "created": lambda each: each.id,
        "updated": lambda each: each.created_at,
        "pushed": lambda each: each.pushed_at,
    }
    sort = call.query.get("sort", "full_name" if call.parameters.get("username") or not call.parameters else "created")
    direction = call.query.get("direction", "asc" if sort == "full_name" else "desc")
    ordered = sorted(found, key=keys[sort], reverse=direction == "desc")
    return Answer(ordered, show=lambda each: call.github.view.repository(each, call.token))


def _sought(query: str, repository: Repository) -> bool:
    """Whether the search finds it: the qualifiers that people use for campaigns, and words of the name."""
    truth: dict[str, Callable[[str], bool]] = {
        "org": lambda value: repository.owner.login.lower() == value,
        "user": lambda value: repository.owner.login.lower() == value,
        "repo": lambda value: repository.full_name.lower() == value,
        "topic": lambda value: value in repository.topics,
        "language": lambda value: (repository.language or "").lower() == value,
        "archived": lambda value: repository.archived == (value == "true"),
        "fork": lambda value: value == "true" or repository.parent is None,
        "is": lambda value: {"public": not repository.private, "private": repository.private}.get(value, True),
    }
    for word in query.lower().split():
        name, colon, value = word.lstrip("-").partition(":")
        fits = truth[name](value) if colon and name in truth else name in repository.name.lower()
        if fits == word.startswith("-"):
            return False
    return repository.parent is None or "fork:true" in query
