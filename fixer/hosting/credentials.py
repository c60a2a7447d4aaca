"""Tokens: where they come from, and how they are kept out of everything that is written."""

from __future__ import annotations

import base64
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from fixer.hosting.errors import HostingError, Kind

if TYPE_CHECKING:
    from github.Auth import AppInstallationAuth, Auth

VARIABLES = ("IACFIX_TOKEN", "GITHUB_TOKEN", "GH_TOKEN")
"""Environment variables that may hold a token; the first that is set counts."""

NO_TOKEN = f"there is no token: set {VARIABLES[1]}, or give --token-file or an app's key"

PERMISSIONS = {"contents": "write", "pull_requests": "write"}
"""All that a token of an installed app is asked for."""


class Credentials(Protocol):
    """Gives a token whenever one is needed; it may be another one an hour later."""

    def auth(self, repository: str) -> Auth:
        """What PyGithub signs its requests with."""
        ...

    def token(self, repository: str) -> str:
        """The token of the moment, for git."""
        ...

    def redact(self, text: str) -> str:
        """The text without any secret that these credentials gave or hold."""
        ...


class TokenCredentials:
    """A token that somebody gave: a person's, or the one of a GitHub Actions job."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth(self, repository: str) -> Auth:
        """What PyGithub signs its requests with."""
        from github import Auth

        return Auth.Token(self._token)

    def token(self, repository: str) -> str:
        """The token."""
        return self._token

    def redact(self, text: str) -> str:
        """The text without the token."""
        return redacted(text, [self._token])


class AppCredentials:
    """A GitHub App that is installed where the repositories are; each owner's token lasts an hour and renews itself."""

    def __init__(self, app_id: str, key: str, api_url: str) -> None:
        self._app_id, self._key, self._api_url = app_id, key, api_url
        self._installations: dict[str, AppInstallationAuth] = {}
        self._given: set[str] = set()

    def auth(self, repository: str) -> Auth:
        """What PyGithub signs its requests with: the installation's token.

        Raises:
            HostingError: the app is not installed there, or its key is not right.
        """
        from github import Auth, GithubException, GithubIntegration

        owner, _, name = repository.partition("/")
        if owner not in self._installations:
            app = Auth.AppAuth(self._app_id, self._key)
            integration = GithubIntegration(auth=app, base_url=self._api_url)
            try:
                installation = integration.get_repo_installation(owner, name)
            except GithubException as error:
                kind = Kind.PERMISSION if error.status == 404 else Kind.AUTH
                why = "is not installed there" if error.status == 404 else f"was refused ({error.status})"
                raise HostingError(kind, f"{repository}: the app {self._app_id} {why}") from error
            except (ValueError, TypeError) as error:
                raise HostingError(Kind.AUTH, "the key of the app is no private key in PEM form") from error
            self._installations[owner] = app.get_installation_auth(
                installation.id, token_permissions=PERMISSIONS, requester=integration.requester
            )
        return self._installations[owner]

    def token(self, repository: str) -> str:
        """The installation's token of the moment.

        Raises:
            HostingError: see `auth`.
        """
        self.auth(repository)
        token = self._installations[repository.partition("/")[0]].token
        self._given.add(token)
        return token

    def redact(self, text: str) -> str:
        """The text without the key and the tokens that were made with it."""
        return redacted(text, [self._key, *self._given])


def from_environment(
    env: Mapping[str, str], api_url: str, token_file: Path | None = None, app_id: str = "", app_key: Path | None = None
) -> Credentials:
    """The credentials that were given: an app's key, a file with a token, or a variable of the environment.

    Raises:
        HostingError: there are none, or they can't be read.
    """
    if app_id or app_key:
        if not (app_id and app_key):
            raise HostingError(Kind.AUTH, "an app needs both its id and the file of its private key")
        return AppCredentials(app_id, _secret(app_key), api_url)
    if token_file:
        return TokenCredentials(_secret(token_file))
    token = next((env[name].strip() for name in VARIABLES if env.get(name, "").strip()), "")
    if not token:
        raise HostingError(Kind.AUTH, NO_TOKEN)
    return TokenCredentials(_checked(token))


def _secret(path: Path) -> str:
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise HostingError(Kind.AUTH, f"{path}: others can read this secret: chmod 600 it first")
        return _checked(path.read_text().strip())
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is no text"
        raise HostingError(Kind.AUTH, f"{path}: {why}") from error


def _checked(secret: str) -> str:
    if not secret or (any(one.isspace() for one in secret) and "PRIVATE KEY" not in secret):
        raise HostingError(Kind.AUTH, "the token is empty or holds white space")
    return secret


def redacted(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, in any form that they go over the wire in."""
    for secret in filter(None, secrets):
        for form in (secret, quote(secret, safe=""), basic(secret), base64.b64encode(secret.encode()).decode()):
            text = text.replace(form, "***")
    return text


def basic(token: str) -> str:
    """The token as git hands it to GitHub in an `Authorization: Basic` header."""
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()
