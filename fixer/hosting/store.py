"""Git in a bare repository of iacfix's own: what is on a host is fetched into it, and commits are pushed from it.

Nobody's checkout is touched, and no file is checked out: content goes in and out as blobs.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from fixer.hosting.errors import HostingError
from fixer.hosting.plumbing import Remote, git

if TYPE_CHECKING:
    from fixer.result import FileChange

_BASE = "refs/iacfix/base"
_REGULAR = ("100644", "100755")
_NEW_MODE = "100644"
_GONE = "0" * 40


@dataclass(frozen=True)
class Entry:
    """A regular file of a commit."""

    path: str
    mode: str
    blob: str


@dataclass(frozen=True)
class Identity:
    """Whose name commits carry."""

    name: str
    email: str


class Store:
    """The bare repository, in a directory of the caller's."""

    def __init__(self, directory: Path) -> None:
        """Make it.

        Raises:
            HostingError: there is no git, or it can't.
        """
        self._directory = directory / "store.git"
        directory.mkdir(parents=True, exist_ok=True)
        self._scratch = directory
        git("init", "--quiet", "--bare", "--template=", os.fspath(self._directory), cwd=directory)

    # ---- the host --------------------------------------------------------------------------------

    def refs(self, remote: Remote, *patterns: str) -> dict[str, str]:
        """The remote's references that match, each with its commit.

        Raises:
            HostingError: see `fetch`.
        """
        lines = self._run("ls-remote", "--quiet", "--", remote.url, *patterns, remote=remote).splitlines()
        return {name: sha for sha, _, name in (line.partition("\t") for line in lines)}

    def fetch(self, remote: Remote, ref: str, *, contents: bool = True) -> str:
        """Fetch one commit, with the contents of its files or without; returns its hash.

        `ref` is a whole name, or a hash. A host that can't leave contents out sends them.

        Raises:
            HostingError: the remote can't be reached, refuses, or has no such reference.
        """
        self._run(
            *("fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
            *(() if contents else ("--filter=blob:none",)),
            *("--", remote.url, f"+{ref}:{_BASE}"),
            remote=remote,
        )
        return self._run("rev-parse", "--verify", f"{_BASE}^{{commit}}").strip()

    def fetch_contents(self, remote: Remote, commit: str, blobs: Iterable[str]) -> None:
        """Fetch those of a commit's blobs that are not there, all at once.

        Raises:
            HostingError: see `fetch`.
        """
        listing = self._run("rev-list", "--objects", "--no-object-names", "--missing=print", commit).splitlines()
        missing = {line.removeprefix("?") for line in listing if line.startswith("?")}
        if not (wanted := missing.intersection(blobs)):
            return
        with self._input(f"{blob}\n" for blob in sorted(wanted)) as stdin:
            self._read(
                *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
                *("--no-recurse-submodules", "--filter=blob:none", "--stdin", "--", remote.url),
                remote=remote,
                stdin=stdin,
            )

    def push(self, remote: Remote, commit: str, branch: str, old: str) -> None:
        """Put a branch on a commit, if it still is where it was.

        No commit deletes the branch; `old` is where it was, empty for one that is not there.

        Raises:
            HostingError: of kind STALE if the branch moved meanwhile; see `fetch` for others.
        """
        ref = f"refs/heads/{branch}"
        self._run(
            *("push", "--quiet", "--porcelain", "--no-verify", "--no-recurse-submodules"),
            *(f"--force-with-lease={ref}:{old}", "--", remote.url, f"{commit}:{ref}"),
            remote=remote,
        )

    # ---- what is in it ---------------------------------------------------------------------------

    def entries(self, commit: str) -> Iterator[Entry]:
        """The regular files of a commit; symbolic links and submodules are none. Names need not be valid text."""
        listing = self._read("ls-tree", "-r", "-z", "--full-tree", commit)
        for line in filter(None, listing.split(b"\0")):
            head, _, path = line.partition(b"\t")
            mode, kind, blob = head.decode().split()
            if kind == "blob" and mode in _REGULAR:
                yield Entry(os.fsdecode(path), mode, blob)

    def contents(self, blobs: Iterable[str]) -> Iterator[bytes]:
        """The bytes of blobs, in the order asked for."""
        with self._input(f"{blob}\n" for blob in blobs) as stdin, tempfile.TemporaryFile(dir=self._scratch) as output:
            self._read("cat-file", "--batch", "--buffer", stdin=stdin, output=output)
            output.seek(0)
            while head := output.readline():
                size = int(head.split()[2])
                yield output.read(size)
                output.read(1)

    def date(self, commit: str) -> int:
        """When it was committed, in seconds since 1970."""
        return int(self._run("show", "--no-patch", "--format=%ct", commit))

    def tree_of(self, commit: str) -> str:
        """The hash of a commit's tree."""
        return self._run("rev-parse", "--verify", f"{commit}^{{tree}}").strip()

    # ---- what is made ----------------------------------------------------------------------------

    def tree(self, commit: str, changes: Sequence[FileChange]) -> str:
        """A tree like that of a commit but for the changes; files keep their modes. Returns its hash."""
        modes = {entry.path: entry.mode for entry in self.entries(commit)}
        lines = []
        for change in changes:
            if change.moved_from is not None:
                lines.append(f"0 {_GONE}\t{change.moved_from}")
            if change.after is None:
                lines.append(f"0 {_GONE}\t{change.path}")
            else:
                mode = modes.get(change.moved_from or change.path, _NEW_MODE)
                lines.append(f"{mode} {self.blob(change.after)}\t{change.path}")
        index = {"GIT_INDEX_FILE": os.fspath(self._scratch / "index")}
        self._run("read-tree", commit, env=index)
        with self._input(f"{line}\0" for line in lines) as stdin:
            self._read("update-index", "-z", "--index-info", stdin=stdin, env=index)
        return self._run("write-tree", "--missing-ok", env=index).strip()

    def blob(self, content: bytes) -> str:
        """The hash of a blob with that content, which is made."""
        with self._input([content]) as stdin:
            return self._read("hash-object", "-w", "--stdin", "--no-filters", stdin=stdin).decode().strip()

    def commit(self, tree: str, parent: str, message: str, date: int, identity: Identity) -> str:
        """A commit; the same arguments give the same hash. `date` is in seconds since 1970."""
        env = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", identity.name), ("EMAIL", identity.email), ("DATE", f"@{date} +0000"))
        }
        with self._input([message]) as stdin:
            made = self._read("commit-tree", "--no-gpg-sign", tree, "-p", parent, "-F", "-", stdin=stdin, env=env)
        return made.decode().strip()

    def is_branch_name(self, name: str) -> bool:
        """Whether git takes it for the name of a branch."""
        try:
            self._run("check-ref-format", "--branch", name)
        except HostingError:
            return False
        return True

    @contextmanager
    def _input(self, parts: Iterable[str | bytes]) -> Iterator[IO[bytes]]:
        """A file that git can read from, with these parts one after the other."""
        with tempfile.TemporaryFile(dir=self._scratch) as file:
            file.writelines(os.fsencode(part) for part in parts)
            file.seek(0)
            yield file

    def _run(self, *args: str, remote: Remote | None = None, env: Mapping[str, str] | None = None) -> str:
        return self._read(*args, remote=remote, env=env).decode(errors="surrogateescape")

    def _read(
        self,
        *args: str,
        remote: Remote | None = None,
        env: Mapping[str, str] | None = None,
        stdin: IO[bytes] | None = None,
        output: IO[bytes] | None = None,
    ) -> bytes:
        place = f"--git-dir={os.fspath(self._directory)}"
        return git(place, *args, cwd=self._scratch, remote=remote, env=env, stdin=stdin, output=output)
