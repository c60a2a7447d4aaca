"""Running git: plumbing with literal arguments, through GitPython's `Git.execute`, and nobody's configuration.

No hook, filter, alias or configuration of a person or of a repository has a say. The token goes to git by its
environment, so that no process list, remote URL or configuration file shows it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from fixer.hosting.credentials import basic, redacted
from fixer.hosting.errors import HostingError, Kind

_CONFIG = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.symlinks": "false",
    "core.attributesFile": os.devnull,
    "credential.helper": "",
    "fetch.fsckObjects": "true",
    "gc.auto": "0",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "maintenance.auto": "false",
    "protocol.ext.allow": "never",
    "push.gpgSign": "false",
    "submodule.recurse": "false",
}
_TIMEOUT = 900
"""Seconds after which a git command is killed."""
_SCHEMES = ("https", "http", "file")
_STATE = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"),
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_NAMESPACE", "GIT_SSH_COMMAND"),
    *("GIT_TRACE", "GIT_TRACE_CURL", "GIT_CURL_VERBOSE", "GIT_TRACE_PACKET", "GIT_EXEC_PATH", "GIT_TEMPLATE_DIR"),
)
"""What git sets for its hooks, and what would have it look elsewhere or tell secrets."""
_SETTINGS = {
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_ASKPASS": "true",
    "GIT_CONFIG_COUNT": "0",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "SSH_ASKPASS": "true",
}

_REASONS: tuple[tuple[re.Pattern[str], Kind], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (
            r"stale info|fetch first|non-fast-forward|cannot lock ref|reference already exists|failed to lock",
            Kind.STALE,
        ),
        (r"authentication failed|could not read (username|password)|error: 401", Kind.AUTH),
        (r"error: 403|protected branch|permission to .* denied|not allowed|GH006|GH013|pre-receive", Kind.PERMISSION),
        (r"error: 404|repository .*not found|does not appear to be a git repository", Kind.NOT_FOUND),
        (r"couldn't find remote ref|no such remote ref", Kind.NOT_FOUND),
        (
            r"error: 429|error: 5\d\d|could not resolve|connection|timed? ?out|early eof|hung up|rpc failed",
            Kind.TRANSIENT,
        ),
    )
)


@dataclass(frozen=True)
class Remote:
    """A repository on a host, by a URL that holds no secret, and what gives the token for it."""

    url: str
    token: Callable[[], str] = str

    @property
    def environment(self) -> dict[str, str]:
        """What has git send the token, to this host alone.

        Raises:
            HostingError: the URL is of a kind that could start programs, or is none.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in _SCHEMES or "::" in self.url.partition("/")[0]:
            raise HostingError(Kind.INVALID, "the address of the repository is none that iacfix speaks to")
        token = self.token()
        env = {"GIT_ALLOW_PROTOCOL": parts.scheme}
        if token and parts.scheme in ("http", "https"):
            env |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.{parts.scheme}://{parts.netloc}/.extraheader",
                "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic(token)}",
            }
        return env


def git(
    *args: str,
    cwd: Path,
    remote: Remote | None = None,
    env: Mapping[str, str] | None = None,
    stdin: IO[bytes] | None = None,
    output: IO[bytes] | None = None,
) -> bytes:
    """The standard output of a git command; it may go to a file instead.

    Args:
        args: The command and its arguments.
        cwd: Where it runs.
        remote: Whom it speaks to, if it does.
        env: Variables on top of this process's environment.
        stdin: What it reads.
        output: Where its output goes instead.

    Raises:
        HostingError: there is no git, or it fails.
    """
    from git import Git
    from git.exc import GitCommandNotFound

    for name in _STATE:
        os.environ.pop(name, None)
    settings = [part for key, value in _CONFIG.items() for part in ("-c", f"{key}={value}")]
    try:
        said: Any = Git(os.fspath(cwd)).execute(
            ["git", *settings, *args],
            istream=stdin,  # type: ignore[arg-type]
            output_stream=output,  # type: ignore[arg-type]
            env={**_SETTINGS, **(remote.environment if remote else {}), **(env or {})},
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
            kill_after_timeout=_TIMEOUT if remote else None,
        )
    except GitCommandNotFound as error:
        raise HostingError(Kind.GIT, "git is not installed, or not on the PATH") from error
    code, out, err = said
    if code:
        raise _failure(args, remote, out or b"", err)
    return bytes(out or b"")


def _failure(args: Sequence[str], remote: Remote | None, out: bytes, err: bytes | str) -> HostingError:
    command = next(arg for arg in args if not arg.startswith("-"))
    said = err if isinstance(err, str) else err.decode(errors="replace")
    said = f"{said}\n{out.decode(errors='replace')}" if command == "push" else said
    kind = next((kind for pattern, kind in _REASONS if pattern.search(said)), Kind.GIT) if remote else Kind.GIT
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = next((line for line in lines if line.startswith(("!", "fatal:", "error:", "remote:"))), "".join(lines[:1]))
    told = redacted(told, [remote.token()] if remote else [])
    return HostingError(kind, f"git {command}: {told or 'failed without a word'}")
