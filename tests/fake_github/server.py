"""A GitHub on loopback: the REST API under `/api/v3`, as GitHub Enterprise has it, and git over HTTP beside it."""

from __future__ import annotations

import base64
import functools
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fake_github.bare import EPOCH, SOMEONE, Bare, Files, Person
from fake_github.calls import MovedError, RefusedError, not_found
from fake_github.connection import API, Connection, Server
from fake_github.description import Description
from fake_github.faults import Failure, Fault, Request
from fake_github.represent import View
from fake_github.state import Account, App, Identity, Installation, Label, Repository, Token, next_id

PULL_REQUESTS = {"metadata": "read", "contents": "write", "pull_requests": "write"}
"""What our own tool asks for."""
EXPIRED = (
    "'Expiration time' claim ('exp') must be a numeric value representing the future time "
    "at which the assertion expires"
)


class GitHub:
    """The server and all it knows. Use it as the fixture `github`, or in a `with` statement."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.description = Description.of_github()
        self.accounts: dict[str, Account] = {}
        self.tokens: dict[str, Token] = {}
        self.apps: list[App] = []
        self.repositories: dict[str, Repository] = {}
        """By full name in lower case."""
        self.former: dict[str, Repository] = {}
        """Renamed ones, by the name they had."""
        self.log: list[Request] = []
        """All requests, in the order in which they came."""
        self.violations: list[str] = []
        """What GitHub does not describe, in requests and in answers. The fixture fails the test if there are any."""
        self.faults: list[Fault] = []
        self.clock: Callable[[], float] = time.time
        """Tells the time in seconds since 1970, for the log, the limits and the life of tokens. Tests may set it."""
        self.closing = threading.Event()
        self.lock = threading.RLock()
        self._store = Bare(directory / "objects.git", "main")
        self._seeds: dict[object, str] = {}
        self._server = Server(("127.0.0.1", 0), Connection)
        self._server.github = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.url = self.origin + API
        """The address of the API: PyGithub's `base_url`."""
        self.view = View(self.origin, self.accounts)

    def __enter__(self) -> GitHub:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    # What a test sets up

    def user(self, login: str) -> Account:
        """The person of that name, made if need be."""
        return self._account(login, "User")

    def organization(self, login: str, *, members: Iterable[str] = (), teams: Iterable[str] = ()) -> Account:
        """The organization of that name, made if need be; its members (made as well) and teams can review."""
        made = self._account(login, "Organization")
        made.members |= {self.user(member).login for member in members}
        made.teams |= {slug: next_id() for slug in teams}
        return made

    def repository(
        self,
        full_name: str,
        files: Files | None = None,
        *,
        author: Person = SOMEONE,
        message: str = "Start",
        **about: Any,
    ) -> Repository:
        """Make a repository with one commit of the files; without files it is empty.

        `about`: fields of `Repository`, such as `private=True`, `default_branch`, `topics`, `collaborators` (logins,
        made if need be). An owner that is not known yet is an organization. Repositories share their first objects,
        and are written when they are first used, so that thousands of them cost little.
        """
        head = None if files is None else self._seed(files, author, message)
        return self._made(full_name, about, [self._store.path / "objects"], head)

    def fork(self, parent: Repository, owner: str) -> Repository:
        """A fork in the account of a user, with all branches."""
        self.user(owner)
        about = {"parent": parent, "default_branch": parent.default_branch, "private": parent.private}
        made = self._made(
            f"{owner}/{parent.name}", about, [self._store.path / "objects", parent.bare / "objects"], None
        )
        for name, sha in parent.branches.items():
            made.git.set_ref(f"refs/heads/{name}", sha)
        return made

    def token(
        self,
        login: str = "iacfix-bot",
        permissions: Mapping[str, str] | None = None,
        repositories: Iterable[str] | None = None,
    ) -> str:
        """A personal access token of a user: a classic one, which may do all, or a fine-grained one."""
        kind, start = ("classic", "ghp_") if permissions is None else ("fine-grained", "github_pat_")
        chosen = None if repositories is None else frozenset(repositories)
        return self._issue(Token(_secret(start), self.user(login), kind, permissions, chosen))

    def actions_token(self, repository: Repository, permissions: Mapping[str, str] = PULL_REQUESTS) -> str:
        """The GITHUB_TOKEN of a workflow of the repository."""
        bot = self._account("github-actions[bot]", "Bot")
        chosen = frozenset({repository.full_name})
        return self._issue(Token(_secret("ghs_"), bot, "actions", permissions, chosen, limit=1000, remaining=1000))

    def app(self, slug: str = "iacfix", permissions: Mapping[str, str] = PULL_REQUESTS) -> App:
        """Register an app; it is nowhere installed yet. Making the key of the first one takes a tenth of a second."""
        private, public = _keys()
        made = App(slug, private, public, self.organization("iacfix-makers"), permissions)
        self._account(made.bot, "Bot")
        self.apps.append(made)
        return made

    def install(self, app: App, login: str, repositories: Iterable[str] | None = None) -> Installation:
        """Install the app on an account, for all its repositories or for those with the full names."""
        chosen = None if repositories is None else frozenset(repositories)
        made = Installation(app, self.accounts[login.lower()], app.permissions, chosen)
        app.installations.append(made)
        return made

    def label(self, repository: Repository, name: str, color: str = "ededed") -> Label:
        """Make a label."""
        return repository.labels.setdefault(name.lower(), Label(name, color))

    def fault(self, method: str, path: str, failure: Failure, **which: Any) -> Fault:
        """Let requests fail: `which` are the further fields of `Fault` (nth, times, writes)."""
        self.faults.append(Fault(method, path, failure, **which))
        return self.faults[-1]

    # What a test asks afterwards

    @property
    def calls(self) -> list[Request]:
        """The requests of the API, without those of git."""
        return [request for request in self.log if not request.git]

    @property
    def writes(self) -> list[Request]:
        """The requests, of the API and of git, that asked for a change."""
        return [request for request in self.log if request.writes]

    def busiest(self, seconds: float) -> int:
        """The most requests for a change that the API got within so many seconds."""
        times = [request.at for request in self.log if request.writes and not request.git]
        return max((sum(start <= at < start + seconds for at in times) for start in times), default=0)

    # What the operations need

    def has(self, full_name: str) -> bool:
        return full_name.lower() in self.repositories

    def find(self, full_name: str) -> Repository:
        """The repository of that name; RefusedError if there is none, or another name for it."""
        found = self.repositories.get(full_name.lower())
        if found is None and (renamed := self.former.get(full_name.lower())):
            raise MovedError(renamed)
        if found is None:
            raise not_found()
        return found

    def seen(self, full_name: str, token: Token | None) -> Repository:
        """The same, if the token may know of it."""
        found = self.find(full_name)
        if found.private and not self.reaches(token, found):
            raise not_found()
        if found.disabled:
            raise RefusedError(403, "Repository access blocked")
        return found

    def reaches(self, token: Token | None, repository: Repository) -> bool:
        """Whether the token is for this repository at all."""
        if token is None or (token.owner and token.owner != repository.owner.login):
            return False
        return token.repositories is None or repository.full_name in token.repositories

    def visible(self, token: Token | None) -> list[Repository]:
        return [each for each in self.repositories.values() if not each.private or self.reaches(token, each)]

    def owned(self, account: Account, token: Token | None) -> list[Repository]:
        """The repositories of an account that the token may see."""
        return [each for each in self.visible(token) if each.owner is account]

    def installation_token(
        self, installation: Installation, permissions: Mapping[str, str], repositories: frozenset[str] | None
    ) -> Token:
        """A token of an installation, good for an hour."""
        bot = self._account(installation.app.bot, "Bot")
        token = Token(
            _secret("ghs_"), bot, "installation", {"metadata": "read", **permissions}, repositories,
            owner=installation.account.login, expires=self.clock() + 3600,
        )  # fmt: skip
        self._issue(token)
        return token

    def rate(self, token: Token | None) -> dict[str, int]:
        """`rate-limit`, with a new hour begun if the last one is over."""
        if token is None:
            return {"limit": 60, "remaining": 60, "reset": int(self.clock()) + 3600, "used": 0}
        if self.clock() >= token.reset:
            token.remaining, token.reset = token.limit, int(self.clock()) + 3600
        return {
            "limit": token.limit,
            "remaining": token.remaining,
            "reset": token.reset,
            "used": token.limit - token.remaining,
        }

    def identity(self, header: str | None) -> Identity:
        """Who the Authorization header is of; RefusedError if it is nobody's."""
        if not header:
            return Identity()
        kind, _, value = header.partition(" ")
        if kind.lower() == "basic":
            value = base64.b64decode(value).decode().partition(":")[2]
        if value.count(".") == 2:
            return Identity(app=self._app(value))
        token = self.tokens.get(value)
        if token is None or (token.expires is not None and token.expires < self.clock()):
            raise RefusedError(401, "Bad credentials")
        return Identity(token)

    def _app(self, value: str) -> App:
        for app in self.apps:
            try:
                jwt.decode(value, app.public_key, algorithms=["RS256"], issuer=str(app.id))
            except jwt.ExpiredSignatureError:
                raise RefusedError(401, EXPIRED) from None
            except jwt.InvalidTokenError:
                continue
            return app
        raise RefusedError(401, "A JSON web token could not be decoded")

    def _made(self, full_name: str, about: dict[str, Any], objects: list[Path], head: str | None) -> Repository:
        owner, _, name = full_name.partition("/")
        holder = self.accounts.get(owner.lower()) or self.organization(owner)
        number = next_id()
        git = Bare(self.directory / f"{number}.git", about.get("default_branch", "main"), objects, head)
        made = Repository(holder, name, git, self.origin, renamed=self._rename, id=number, **about)
        made.collaborators = {self.user(login).login for login in made.collaborators}
        self.repositories[full_name.lower()] = made
        return made

    def _account(self, login: str, kind: str) -> Account:
        return self.accounts.setdefault(login.lower(), Account(login, kind))

    def _issue(self, token: Token) -> str:
        token.reset = int(self.clock()) + 3600
        self.tokens[token.value] = token
        return token.value

    def _seed(self, files: Files, author: Person, message: str) -> str:
        key = (tuple(files.items()), author, message)
        with self.lock:
            if key not in self._seeds:
                self._seeds[key] = self._store.commit(
                    "refs/heads/seed", files, parent=None, message=message, author=author, seconds=EPOCH
                )
            return self._seeds[key]

    def _rename(self, repository: Repository, full_name: str) -> None:
        del self.repositories[repository.full_name.lower()]
        self.former[repository.full_name.lower()] = repository
        owner, _, name = full_name.partition("/")
        repository.owner, repository.name = self.accounts.get(owner.lower()) or self.organization(owner), name
        self.repositories[full_name.lower()] = repository
        self.former.pop(full_name.lower(), None)


def _secret(start: str) -> str:
    return start + os.urandom(18).hex()


@functools.cache
def _keys() -> tuple[str, str]:
    """A private and a public key in PEM."""
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()
