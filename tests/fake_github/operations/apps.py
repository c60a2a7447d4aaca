"""Apps and their installations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from fake_github.calls import Answer, Call, RefusedError, not_found, operation
from fake_github.state import App


@operation("apps/get-authenticated")
def own_app(call: Call) -> Answer:
    return Answer(call.github.view.app(_app(call)))


@operation("apps/list-installations")
def installations(call: Call) -> Answer:
    return Answer([call.github.view.installation(each) for each in _app(call).installations])


@operation("apps/get-installation")
def installation(call: Call) -> Answer:
    return _installation(call, lambda each: str(each.id) == call.parameters["installation_id"])


@operation("apps/get-org-installation")
def installation_of_organization(call: Call) -> Answer:
    return _installation(call, lambda each: each.account.login.lower() == call.parameters["org"].lower())


@operation("apps/get-user-installation")
def installation_of_user(call: Call) -> Answer:
    return _installation(call, lambda each: each.account.login.lower() == call.parameters["username"].lower())


@operation("apps/get-repo-installation")
def installation_of_repository(call: Call) -> Answer:
    name = call.github.find(f"{call.parameters['owner']}/{call.parameters['repo']}").full_name

    def holds(each: Any) -> bool:
        return each.account.login == name.partition("/")[0] and (each.repositories is None or name in each.repositories)

    return _installation(call, holds)


@operation("apps/create-installation-access-token")
def installation_token(call: Call) -> Answer:
    found = next(
        (each for each in _app(call).installations if str(each.id) == call.parameters["installation_id"]), None
    )
    if found is None:
        raise not_found()
    if found.suspended:
        raise RefusedError(403, "This installation has been suspended")
    asked = call.body or {}
    permissions = asked.get("permissions", dict(found.permissions))
    for name, level in permissions.items():
        if level not in {"read": {"read"}, "write": {"read", "write"}}.get(found.permissions.get(name, ""), ()):
            raise RefusedError(422, "The permissions requested are not granted to this installation.")
    repositories = found.repositories
    if "repositories" in asked:
        repositories = frozenset(f"{found.account.login}/{name}" for name in asked["repositories"])
        if not all(call.github.has(name) for name in repositories):
            raise RefusedError(
                422,
                "There is at least one repository that does not exist or is not accessible to the parent installation.",
            )
    token = call.github.installation_token(found, permissions, repositories)
    expires = datetime.fromtimestamp(token.expires or 0, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    selection = "all" if repositories is None else "selected"
    answer = {
        "token": token.value,
        "expires_at": expires,
        "permissions": permissions,
        "repository_selection": selection,
    }
    if "repositories" in asked:
        answer["repositories"] = [
            call.github.view.repository(call.github.find(name), token) for name in sorted(repositories or ())
        ]
    return Answer(answer, 201)


def _app(call: Call) -> App:
    if call.app is None:
        raise RefusedError(401, "A JSON web token could not be decoded")
    return call.app


def _installation(call: Call, wanted: Callable[[Any], bool]) -> Answer:
    for each in _app(call).installations:
        if wanted(each):
            return Answer(call.github.view.installation(each))
    raise not_found()
