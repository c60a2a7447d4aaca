"""The GraphQL API: what a campaign asks of many repositories at once. `schema.graphql` is cut from GitHub's own.

As on GitHub an answer is 200 with `errors` in it, also for what is not there. A query that GitHub's schema has no words
for is a violation.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from fake_github.bare import GitError
from fake_github.calls import RefusedError
from fake_github.represent import Json
from fake_github.state import Account, Pull, Repository, Token, node_id

if TYPE_CHECKING:
    from fake_github.server import GitHub

MERGEABLE = {None: "UNKNOWN", True: "MERGEABLE", False: "CONFLICTING"}


@functools.cache
def schema() -> GraphQLSchema:
    return build_schema((Path(__file__).parent / "schema.graphql").read_text())


class Query:
    """One request: its text and variables, asked with a token."""

    def __init__(self, github: GitHub, token: Token, body: Json) -> None:
        self.github = github
        self.token = token
        self.variables: Json = body.get("variables") or {}
        self.document, self.problem = _read(body["query"])

    @property
    def mutates(self) -> bool:
        if self.document is None:
            return False
        operations = [each for each in self.document.definitions if isinstance(each, OperationDefinitionNode)]
        return any(operation.operation == OperationType.MUTATION for operation in operations)

    def answer(self) -> Json:
        """`data` and `errors`."""
        if self.document is None:
            return {"errors": [{"message": self.problem}]}
        root = self._mutation() if self.mutates else self._query()
        done = execute_sync(schema(), self.document, root, variable_values=self.variables)
        answer: Json = {"data": done.data}
        if done.errors:
            answer["errors"] = [{**error.formatted, **(error.extensions or {})} for error in done.errors]
            for error in answer["errors"]:
                error.pop("extensions", None)
        return answer

    def _query(self) -> Json:
        return {
            "repository": lambda _, **about: self._repository(**about),
            "node": lambda _, id: self._node(id),  # noqa: A006 - GitHub's name
            "nodes": lambda _, ids: [self._node(each) for each in ids],
            "rateLimit": lambda _, **__: self._rate(),
            "viewer": lambda _: self._account(self.token.account),
        }

    def _mutation(self) -> Json:
        return {
            "convertPullRequestToDraft": lambda _, input: self._draft(input, draft=True),  # noqa: A006
            "markPullRequestReadyForReview": lambda _, input: self._draft(input, draft=False),  # noqa: A006
        }

    def _repository(self, owner: str, name: str, followRenames: bool = True) -> Json | None:  # noqa: N803 - GitHub's name
        full_name = f"{owner}/{name}"
        found = self.github.repositories.get(full_name.lower())
        if found is None and followRenames:
            found = self.github.former.get(full_name.lower())
        if found is None or (found.private and not self.github.reaches(self.token, found)):
            raise _missing(f"Could not resolve to a Repository with the name '{full_name}'.")
        return self._shown(found)

    def _node(self, wanted: str) -> Json:
        for repository in self.github.visible(self.token):
            if node_id("Repository", repository.id) == wanted:
                return self._shown(repository)
            for pull in repository.pulls:
                if node_id("PullRequest", pull.id) == wanted:
                    repository.synchronize()
                    return self._pull(pull)
        raise _missing(f"Could not resolve to a node with the global id of '{wanted}'")

    def _draft(self, given: Json, *, draft: bool) -> Json:
        for repository in self.github.visible(self.token):
            for pull in repository.pulls:
                if node_id("PullRequest", pull.id) == given["pullRequestId"]:
                    self._admit(repository)
                    pull.draft = draft
                    pull.touch()
                    return {"pullRequest": self._pull(pull), "clientMutationId": given.get("clientMutationId")}
        raise _missing(f"Could not resolve to a node with the global id of '{given['pullRequestId']}'")

    def _admit(self, repository: Repository) -> None:
        if not (self.github.reaches(self.token, repository) and self.token.allows("pull_requests", "write")):
            name = "integration" if self.token.kind in {"installation", "actions"} else "personal access token"
            raise GraphQLError(f"Resource not accessible by {name}", extensions={"type": "FORBIDDEN"})

    def _shown(self, repository: Repository) -> Json:
        repository.synchronize()
        return {
            "__typename": "Repository",
            "id": node_id("Repository", repository.id),
            "databaseId": repository.id,
            "name": repository.name,
            "nameWithOwner": repository.full_name,
            "url": f"{self.github.origin}/{repository.full_name}",
            "isArchived": repository.archived,
            "isDisabled": repository.disabled,
            "isFork": repository.parent is not None,
            "isPrivate": repository.private,
            "defaultBranchRef": lambda _: _ref(repository, f"refs/heads/{repository.default_branch}"),
            "ref": lambda _, qualifiedName: _ref(repository, qualifiedName),  # noqa: N803
            "object": lambda _, expression=None, oid=None: _object(repository, oid or expression),
            "repositoryTopics": lambda _, **page: _connection(_topics(repository), page),
            "pullRequest": lambda _, number: self._numbered(repository, number),
            "pullRequests": lambda _, **about: self._pulls(repository, about),
        }

    def _numbered(self, repository: Repository, number: int) -> Json:
        try:
            return self._pull(repository.pull(number))
        except KeyError:
            raise _missing(f"Could not resolve to a PullRequest with the number of {number}.") from None

    def _pulls(self, repository: Repository, about: Json) -> Json:
        found = [
            pull
            for pull in repository.pulls
            if _state(pull) in about.get("states", [_state(pull)])
            and pull.head == about.get("headRefName", pull.head)
            and pull.base == about.get("baseRefName", pull.base)
        ]
        if order := about.get("orderBy"):
            keys: dict[str, Callable[[Pull], tuple[str, int]]] = {
                "CREATED_AT": lambda pull: (pull.created_at, pull.number),
                "UPDATED_AT": lambda pull: (pull.updated_at, pull.number),
            }
            found.sort(key=keys[order["field"]], reverse=order["direction"] == "DESC")
        return _connection([self._pull(pull) for pull in found], about)

    def _pull(self, pull: Pull) -> Json:
        return {
            "__typename": "PullRequest",
            "id": node_id("PullRequest", pull.id),
            "fullDatabaseId": str(pull.id),
            "number": pull.number,
            "title": pull.title,
            "body": pull.body or "",
            "url": f"{self.github.origin}/{pull.repository.full_name}/pull/{pull.number}",
            "state": _state(pull),
            "closed": pull.state == "closed",
            "merged": pull.merged,
            "isDraft": pull.draft,
            "createdAt": pull.created_at,
            "updatedAt": pull.updated_at,
            "closedAt": pull.closed_at,
            "mergedAt": pull.merged_at,
            "headRefName": pull.head,
            "headRefOid": pull.head_sha,
            "baseRefName": pull.base,
            "baseRefOid": pull.base_sha,
            "mergeable": lambda _: MERGEABLE[self.github.view.mergeable(pull)],
            "author": self._account(pull.user),
            "labels": lambda _, **page: _connection(_labels(pull), page),
            "repository": lambda _: self._shown(pull.repository),
        }

    def _account(self, account: Account) -> Json:
        kind = "Bot" if account.kind == "Bot" else "User"
        login = account.login.removesuffix("[bot]")
        return {"__typename": kind, "id": node_id(kind, account.id), "login": login}

    def _rate(self) -> Json:
        rate = self.github.rate(self.token)
        reset = datetime.fromtimestamp(rate["reset"], timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {**rate, "cost": 1, "nodeCount": 1, "resetAt": reset}


def _read(text: str) -> tuple[DocumentNode | None, str]:
    """The query, or what is wrong with it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return None, error.message
    errors = validate(schema(), document)
    return (None, errors[0].message) if errors else (document, "")


def _missing(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"type": "NOT_FOUND"})


def _state(pull: Pull) -> str:
    return "MERGED" if pull.merged else pull.state.upper()


def _labels(pull: Pull) -> list[Json]:
    known = [pull.repository.labels[name.lower()] for name in pull.labels]
    return [{"id": node_id("Label", label.id), "name": label.name} for label in known]


def _topics(repository: Repository) -> list[Json]:
    return [{"id": name, "topic": {"id": name, "name": name}} for name in repository.topics]


def _ref(repository: Repository, name: str) -> Json | None:
    refs = repository.git.refs()
    found = next((each for each in (name, f"refs/heads/{name}", f"refs/tags/{name}") if each in refs), None)
    if found is None:
        return None
    short = found.removeprefix("refs/heads/").removeprefix("refs/tags/")
    return {"id": node_id("Ref", repository.id), "name": short, "target": _object(repository, refs[found])}


def _object(repository: Repository, expression: str) -> Json | None:
    """The object that an expression as `HEAD:iacfix.toml` means; None if there is none."""
    git = repository.git
    try:
        oid = git.says("rev-parse", "--verify", "--quiet", "--end-of-options", expression).splitlines()[-1]
    except GitError:
        return None
    if git.kind(oid) != "blob":
        return {"__typename": "Commit", "id": oid, "oid": oid}
    raw = git.blob(oid)
    binary = b"\0" in raw
    text = None if binary else raw.decode(errors="replace")
    about = {"byteSize": len(raw), "isBinary": binary, "isTruncated": False, "text": text}
    return {"__typename": "Blob", "id": oid, "oid": oid, **about}


def _connection(nodes: Sequence[Json], page: Json) -> Json:
    """A page of nodes; GitHub demands `first` or `last`, of at most 100."""
    size = page.get("first") or page.get("last")
    if size is None:
        raise GraphQLError("You must provide a `first` or `last` value to properly paginate the connection.")
    if size > 100:
        raise GraphQLError(f"Requesting {size} records on the connection exceeds the `first` limit of 100 records.")
    start = int(base64.b64decode(page["after"])) if page.get("after") else 0
    if page.get("last"):
        start = max(len(nodes) - size, 0)
    end = min(start + size, len(nodes))
    return {
        "nodes": list(nodes[start:end]),
        "totalCount": len(nodes),
        "pageInfo": {
            "startCursor": _cursor(start),
            "endCursor": _cursor(end),
            "hasNextPage": end < len(nodes),
            "hasPreviousPage": start > 0,
        },
    }


def _cursor(number: int) -> str:
    return base64.b64encode(str(number).encode()).decode()


def text_of(body: Any) -> Json:
    """The body of a request, which must have a `query`; RefusedError if not."""
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise RefusedError(400, "A query attribute must be specified and must be a string.")
    return body
