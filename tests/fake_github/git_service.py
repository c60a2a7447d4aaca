"""Git over HTTP."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from fake_github.bare import environment
from fake_github.calls import MovedError, RefusedError
from fake_github.faults import Request
from fake_github.reply import Reply
from fake_github.state import Repository

if TYPE_CHECKING:
    from fake_github.server import GitHub

NO_PASSWORD = "Invalid username or token. Password authentication is not supported for Git operations."
_SERVICES = ("info/refs", "git-upload-pack", "git-receive-pack")


class GitService:
    """Git over HTTP, by `git http-backend`; the token's permission `contents` decides about fetching and pushing."""

    def __init__(self, github: GitHub) -> None:
        self.github = github

    def answer(self, request: Request, headers: Any, content: bytes) -> Reply:
        """The reply to one of the three requests of the protocol."""
        name, service = _service(request)
        if not service:
            return _text(404, "Not Found")
        request.operation = service
        try:
            repository = self._admit(request, name, service, headers.get("Authorization"))
        except RefusedError as refusal:
            return _text(refusal.status, refusal.message, **refusal.headers)
        except MovedError as moved:
            target = request.path[1:].replace(name, f"{moved.repository.full_name}.git", 1)
            return Reply(
                301, b"", {"Location": f"{self.github.origin}/{target}{'?' * bool(request.query)}{request.query}"}
            )
        reply = self._backend(repository, request, headers, content)
        if request.writes:
            with self.github.lock:
                repository.synchronize()
        return reply

    def _admit(self, request: Request, name: str, service: str, authorization: str | None) -> Repository:
        challenge = {"WWW-Authenticate": 'Basic realm="GitHub"'}
        try:
            token = self.github.identity(authorization).token
        except RefusedError:
            raise RefusedError(401, NO_PASSWORD, headers=challenge) from None
        pushes = service == "git-receive-pack"
        request.login = token.account.login if token else ""
        repository = self.github.find(name.removesuffix(".git"))
        if token is None and (pushes or repository.private):
            raise RefusedError(401, "No anonymous write access.", headers=challenge)
        reaches = self.github.reaches(token, repository)
        if repository.private and not (reaches and token and token.allows("contents", "read")):
            raise RefusedError(404, "Repository not found.")
        if pushes and not (reaches and token and token.allows("contents", "write")):
            raise RefusedError(403, f"Permission to {repository.full_name}.git denied to {request.login}.")
        if pushes and repository.archived:
            raise RefusedError(403, "This repository was archived so it is read-only.")
        return repository

    def _backend(self, repository: Repository, request: Request, headers: Any, content: bytes) -> Reply:
        suffix = next(each for each in _SERVICES if request.path.endswith(f"/{each}"))
        with self.github.lock:
            bare = repository.bare
        env = {
            **environment(),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_TRANSLATED": f"{bare}/{suffix}",
            "PATH_INFO": request.path,
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.query,
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(content)),
            "REMOTE_USER": request.login,
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], env=env, input=content, capture_output=True, check=False)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
        status = fields.pop("Status", "200 OK" if done.returncode == 0 else "500 Internal Server Error")
        return Reply(int(status.split()[0]), body, fields)


def _service(request: Request) -> tuple[str, str]:
    """The repository's name as it stands in the path, and the service that is asked for; "" for none."""
    for suffix in _SERVICES:
        if request.path.endswith(f"/{suffix}"):
            name = request.path.removesuffix(f"/{suffix}").lstrip("/")
            service = dict(parse_qsl(request.query)).get("service", "") if suffix == "info/refs" else suffix
            return name, service if service in _SERVICES else ""
    return "", ""


def _text(status: int, message: str, **headers: str) -> Reply:
    return Reply(status, f"{message}\n".encode(), {"Content-Type": "text/plain; charset=utf-8", **headers})
