"""The REST API and GraphQL: who asks, what they may, and that both sides are as GitHub describes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from fake_github.calls import Answer, Call, MovedError, RefusedError, Rule, not_found
from fake_github.description import Operation
from fake_github.faults import DOCS, Request
from fake_github.graph import Query, text_of
from fake_github.operations import RULES
from fake_github.reply import Reply
from fake_github.represent import Json
from fake_github.state import Identity, Repository, Token

if TYPE_CHECKING:
    from fake_github.server import GitHub


class Api:
    """Answers a request of the REST API, and holds both sides to GitHub's description."""

    def __init__(self, github: GitHub) -> None:
        self.github = github

    def answer(self, request: Request, headers: Any, content: bytes) -> Reply:
        """The reply to a request, which gets its operation and the login noted."""
        with self.github.lock:
            identity = Identity()
            try:
                identity = self.github.identity(headers.get("Authorization"))
                account = identity.token and identity.token.account
                request.login = account.login if account else identity.app.slug if identity.app else ""
                self._count(request, identity.token)
                carry_out = self._query if request.path == "/graphql" else self._operate
                reply = carry_out(request, identity, content)
            except RefusedError as refusal:
                reply = self._refusal(refusal)
            except MovedError as moved:
                reply = self._moved(request, moved.repository)
            if request.method == "GET" and reply.status == 200:
                self._tag(reply, headers.get("If-None-Match"), identity.token)
            return self._finish(reply, identity.token)

    def _operate(self, request: Request, identity: Identity, content: bytes) -> Reply:
        path = self._named(request.path)
        found = self.github.description.find(request.method, path)
        if found is None:
            self.github.violations.append(f"{request}: not among the operations of api.github.com.json")
            raise not_found()
        operation, parameters = found
        request.operation = operation.name
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        request.body = body = _json(content)
        rule = RULES[operation.name]
        call = Call(self.github, parameters, query, body, identity.token, identity.app)
        self._admit(operation, rule, call)
        if problem := self.github.description.request_problem(operation, query, body):
            self.github.violations.append(f"{request}: {problem}")
            raise RefusedError(422, f"Invalid request.\n\n{problem}")
        try:
            answer = rule.handler(call)
        except RefusedError as refusal:
            self._hold(request, operation, refusal.status, _error(refusal))
            raise
        page, links = _page(answer, query, f"{self.github.view.api}{request.path}")
        self._hold(request, operation, answer.status, page)
        body_out = b"" if page is None else json.dumps(page).encode()
        return Reply(answer.status, body_out, {**answer.headers, **links})

    def _query(self, request: Request, identity: Identity, content: bytes) -> Reply:
        """GraphQL."""
        if identity.token is None:
            raise RefusedError(403, "API rate limit exceeded: GraphQL needs a token.")
        request.body = _json(content)
        query = Query(self.github, identity.token, text_of(request.body))
        request.operation = "graphql mutation" if query.mutates else "graphql"
        if query.document is None:
            self.github.violations.append(f"{request}: {query.problem}")
        return Reply(200, json.dumps(query.answer()).encode())

    def _admit(self, operation: Operation, rule: Rule, call: Call) -> None:
        """Refuse what the token may not do."""
        if not operation.path.startswith("/repos/") or operation.name == "apps/get-repo-installation":
            return
        repository = call.repository
        if operation.writes and call.token is None:
            raise RefusedError(401, "Requires authentication")
        allowed = call.token is None or call.token.allows(rule.permission, rule.level)
        open_to_all = not operation.writes and not repository.private
        if not open_to_all and not (allowed and self.github.reaches(call.token, repository)):
            kind = call.token.kind if call.token else ""
            name = "integration" if kind in {"installation", "actions"} else "personal access token"
            accepted = "; ".join(f"{each}={rule.level}" for each in rule.permission.split("|"))
            raise RefusedError(
                403, f"Resource not accessible by {name}", headers={"X-Accepted-GitHub-Permissions": accepted}
            )
        if operation.writes and repository.archived:
            raise RefusedError(403, "Repository was archived so is read-only.")

    def _hold(self, request: Request, operation: Operation, status: int, body: object) -> None:
        """Hold an answer to the description."""
        if problem := self.github.description.response_problem(operation, status, body):
            self.github.violations.append(f"{request}: answer {status} of {operation.name}: {problem}")
            raise RefusedError(500, f"The fake answered what GitHub does not describe: {problem}")

    def _count(self, request: Request, token: Token | None) -> None:
        if token is None or request.path == "/rate_limit":
            return
        if self.github.rate(token)["remaining"] <= 0:
            raise RefusedError(403, f"API rate limit exceeded for user ID {token.account.id}.")
        token.remaining -= 1

    def _named(self, path: str) -> str:
        """`/repositories/ID/...`, where redirects lead, with the name that the repository has now."""
        if not path.startswith("/repositories/"):
            return path
        _, _, number, *rest = path.split("/")
        for repository in self.github.repositories.values():
            if str(repository.id) == number:
                return "/".join(["/repos", repository.full_name, *rest])
        raise not_found()

    def _moved(self, request: Request, repository: Repository) -> Reply:
        rest = "/".join(request.path.split("/")[4:])
        query = f"?{request.query}" if request.query else ""
        url = f"{self.github.url}/repositories/{repository.id}{'/' * bool(rest)}{rest}{query}"
        status, message = (
            (301, "Moved Permanently") if request.method in {"GET", "HEAD"} else (307, "Temporary Redirect")
        )
        body = {"message": message, "url": url, "documentation_url": DOCS}
        return Reply(status, json.dumps(body).encode(), {"Location": url})

    def _refusal(self, refusal: RefusedError) -> Reply:
        return Reply(refusal.status, json.dumps(_error(refusal)).encode(), dict(refusal.headers))

    def _tag(self, reply: Reply, known: str | None, token: Token | None) -> None:
        """Give the answer its ETag; if the client has it already it gets 304, which does not count."""
        reply.headers["ETag"] = tag = f'W/"{hashlib.sha256(reply.body).hexdigest()}"'
        if known == tag:
            reply.status, reply.body = 304, b""
            if token is not None:
                token.remaining += 1

    def _finish(self, reply: Reply, token: Token | None) -> Reply:
        rate = self.github.rate(token)
        limits = {f"X-RateLimit-{name.title()}": str(value) for name, value in rate.items()}
        common = {
            "X-RateLimit-Resource": "core",
            "X-GitHub-Media-Type": "github.v3",
            "X-GitHub-Request-Id": "FAKE:1:2:3",
        }
        if reply.body:
            common["Content-Type"] = "application/json; charset=utf-8"
        reply.headers = {**common, **limits, **reply.headers}
        return reply


def _json(content: bytes) -> Any:
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        raise RefusedError(400, "Problems parsing JSON") from None


def _error(refusal: RefusedError) -> Json:
    body: Json = {"message": refusal.message, "documentation_url": DOCS}
    if refusal.errors is not None:
        return {**body, "errors": refusal.errors}
    return body if refusal.status == HTTPStatus.UNPROCESSABLE_ENTITY else {**body, "status": str(refusal.status)}


def _page(answer: Answer, query: Mapping[str, str], url: str) -> tuple[Any, dict[str, str]]:
    """One page of a list, and the Link header to the others."""
    if not isinstance(answer.body, list):
        return answer.body, {}
    size = min(max(int(query.get("per_page", 30)), 1), 100)
    number = max(int(query.get("page", 1)), 1)
    last = max(-(-len(answer.body) // size), 1)
    page: Any = [answer.show(item) for item in answer.body[(number - 1) * size : number * size]]
    targets = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    wanted = [
        name
        for name, to in targets.items()
        if 1 <= to <= last and (to - number) * (-1 if name in {"prev", "first"} else 1) > 0
    ]
    links = ", ".join(f'<{url}?{urlencode({**query, "page": targets[name]})}>; rel="{name}"' for name in wanted)
    if answer.key is not None:
        page = {"total_count": len(answer.body), answer.key: page}
        if answer.key == "items":
            page["incomplete_results"] = False
    return page, {"Link": links} if links else {}
