"""What somebody's checkout says of where it comes from; it is only read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fixer.hosting.errors import HostingError, Kind
from fixer.hosting.plumbing import git

_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>(?!//).+)")
"""The form `git@github.com:acme/infra.git`."""
_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Origin:
    """A repository on a host."""

    host: str
    """With its port, if that is not the usual one."""
    name: str
    """Owner and name."""
    scheme: str = "https"

    @property
    def api_url(self) -> str:
        """Where the host's API is: GitHub's own, or that of a GitHub Enterprise Server."""
        return "https://api.github.com" if self.host == "github.com" else f"{self.scheme}://{self.host}/api/v3"

    @classmethod
    def of(cls, url: str) -> Origin:
        """What a remote's URL names.

        Raises:
            HostingError: it is no repository on a host.
        """
        parts = urlsplit(url)
        if parts.scheme in ("https", "http", "ssh", "git") and parts.hostname:
            port = f":{parts.port}" if parts.port and parts.scheme.startswith("http") else ""
            host, path = parts.hostname + port, parts.path
        elif match := _SCP.fullmatch(url):
            host, path = match["host"], match["path"]
        else:
            host, path = "", ""
        name = path.strip("/").removesuffix(".git")
        if not host or not _NAME.fullmatch(name):
            raise HostingError(Kind.INVALID, "the remote named origin is no repository on GitHub; give --repository")
        return cls(host, name, "http" if parts.scheme == "http" else "https")


class Checkout:
    """A git work tree."""

    def __init__(self, root: Path) -> None:
        """`root` holds the `.git`.

        Raises:
            HostingError: it is no git repository.
        """
        self.root = root
        if not (root / ".git").exists():
            raise HostingError(Kind.GIT, f"{root}: is not in a git repository")

    def origin(self) -> Origin:
        """The remote named origin.

        Raises:
            HostingError: there is none, or it is not on a host.
        """
        url = self._line("config", "--local", "--no-includes", "--get", "remote.origin.url")
        if not url:
            raise HostingError(Kind.INVALID, "there is no remote named origin; give --repository")
        return Origin.of(url)

    def commit_of(self, branch: str | None) -> tuple[str, str]:
        """A branch and its commit, as far as this checkout knows them: the remote's, its default one if none is named.

        Raises:
            HostingError: there is no such branch, or no commit at all.
        """
        if branch is None:
            default = self._line("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")
            branch = default.removeprefix("refs/remotes/origin/") or self._line(
                "symbolic-ref", "--quiet", "--short", "HEAD"
            )
        for ref in (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}", *([] if branch else ["HEAD"])):
            if commit := self._line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"):
                return branch or "HEAD", commit
        raise HostingError(
            Kind.NOT_FOUND, f"{self.root}: there is no branch {branch}" if branch else "there is no commit"
        )

    def _line(self, *args: str) -> str:
        """A line of git's output; empty if it says no."""
        try:
            return git(f"--git-dir={self.root / '.git'}", *args, cwd=self.root).decode().strip()
        except HostingError as error:
            if "dubious ownership" in str(error) or "not installed" in str(error):
                raise
            return ""
