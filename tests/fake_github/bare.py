"""Bare git repositories: made fast, filled by `git fast-import`, and read where GitHub's answers depend on git."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Files = Mapping[str, "str | bytes | tuple[str, str | bytes] | None"]
"""Contents by path; None takes the file away; a pair has the mode first (`120000`: the content is a link's target)."""

EPOCH = 1_767_225_600
"""2026-01-01T00:00:00Z, the time of the first commit of each repository; the next ones follow by the minute."""
ISOLATED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "GitHub",
    "GIT_AUTHOR_EMAIL": "noreply@github.com",
    "GIT_COMMITTER_NAME": "GitHub",
    "GIT_COMMITTER_EMAIL": "noreply@github.com",
}
CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tlogAllRefUpdates = false
\thooksPath = /dev/null
[gc]
\tauto = 0
[http]
\treceivepack = true
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[receive]
\tautogc = false
\thideRefs = refs/pull
"""
SHA = re.compile(r"[0-9a-f]{40}")
_LASTING = re.compile(r"-.*|[0-9a-f]{40}(?:\.\.[0-9a-f]{40})?")
_FACTS: dict[tuple[str, ...], bytes | None] = {}


def environment() -> dict[str, str]:
    """Variables for a git that knows nothing of this machine's configuration, nor of a hook that the tests run in."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ} | ISOLATED


class GitError(Exception):
    """Git refused; the text is what it said."""


@dataclass(frozen=True)
class Person:
    """Who a commit is by."""

    name: str
    email: str

    def line(self, seconds: int) -> str:
        return f"{self.name} <{self.email}> {seconds} +0000"


SOMEONE = Person("Ada Lovelace", "ada@example.com")


@dataclass(frozen=True)
class Commit:
    """What a commit object says; dates in ISO 8601."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: tuple[str, str, str]
    committer: tuple[str, str, str]
    message: str


@dataclass(frozen=True)
class Entry:
    """One line of a tree; `size` is None for trees and submodules."""

    path: str
    mode: str
    kind: str
    sha: str
    size: int | None


@dataclass(frozen=True)
class Changed:
    """One file of a difference."""

    path: str
    status: str
    sha: str
    additions: int
    deletions: int


class Bare:
    """One bare repository. Its refs are read anew each time: what git has is the truth."""

    def __init__(self, path: Path, branch: str, objects: Sequence[Path] = (), head: str | None = None) -> None:
        """`branch` is the default one; `head` its first commit; `objects` are directories of objects to borrow."""
        self._place = path
        self._start = (branch, objects, head)

    @cached_property
    def path(self) -> Path:
        """The directory; made when it is first asked for, so that thousands cost nothing until they are used."""
        branch, objects, head = self._start
        for directory in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (self._place / directory).mkdir(parents=True)
        (self._place / "HEAD").write_text(f"ref: refs/heads/{branch}\n")
        (self._place / "config").write_text(CONFIG)
        (self._place / "objects/info/alternates").write_text("".join(f"{directory}\n" for directory in objects))
        if head is not None:
            ref = self._place / "refs/heads" / branch
            ref.parent.mkdir(exist_ok=True, parents=True)
            ref.write_text(f"{head}\n")
        return self._place

    def git(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """Run git here and return its standard output; GitError if it fails."""
        done = self._run(arguments, stdin, env)
        if done.returncode:
            raise GitError(done.stderr.decode(errors="replace").strip())
        return done.stdout

    def _run(
        self, arguments: Sequence[str], stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", "-c", "core.quotePath=false", *arguments],
            cwd=self.path,
            env={**environment(), "GIT_DIR": str(self.path), **(env or {})},
            input=stdin,
            capture_output=True,
            check=False,
        )

    def _fact(self, *arguments: str) -> bytes | None:
        """What git says of commits; None if it says no, and GitError if it does not know them.

        What it says of those that are named by their hashes never changes, and is asked for once for all repositories.
        """
        if arguments in _FACTS:
            return _FACTS[arguments]
        done = self._run(arguments)
        if done.returncode > 1:
            raise GitError(done.stderr.decode(errors="replace").strip())
        answer = None if done.returncode else done.stdout
        if all(_LASTING.fullmatch(one) for one in arguments[1:]):
            _FACTS[arguments] = answer
        return answer

    def says(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """The standard output as text, without the last line end."""
        return self.git(*arguments, env=env).decode().rstrip("\n")

    # Refs

    def refs(self) -> dict[str, str]:
        """All refs with their objects, from the files that git keeps them in."""
        found = {}
        packed = self.path / "packed-refs"
        if packed.exists():
            lines = (line.split() for line in packed.read_text().splitlines() if line[:1] not in {"#", "^"})
            found = {name: sha for sha, name in lines}
        for directory, _, names in os.walk(self.path / "refs"):
            for name in names:
                file = Path(directory, name)
                if not name.endswith(".lock") and SHA.fullmatch(sha := file.read_text().strip()):
                    found[file.relative_to(self.path).as_posix()] = sha
        return dict(sorted(found.items()))

    def branches(self) -> dict[str, str]:
        """The head of each branch, by its name."""
        return {
            name.removeprefix("refs/heads/"): sha for name, sha in self.refs().items() if name.startswith("refs/heads/")
        }

    def set_ref(self, name: str, sha: str) -> None:
        self.git("update-ref", "--", name, sha)

    def delete_ref(self, name: str) -> None:
        self.git("update-ref", "-d", "--", name)

    # Commits

    def commit(self, ref: str, files: Files, *, parent: str | None, message: str, author: Person, seconds: int) -> str:
        """Make a commit that changes `files`, put the ref on it and return its name."""
        stream = bytearray(f"commit {ref}\nmark :1\n".encode())
        stream += f"author {author.line(seconds)}\ncommitter {author.line(seconds)}\n".encode()
        stream += _data(message)
        if parent is not None:
            stream += f"from {parent}\n".encode()
        for path, content in files.items():
            stream += _change(path, content)
        stream += b"get-mark :1\n"
        return self.git("fast-import", "--quiet", "--force", stdin=bytes(stream)).decode().strip()

    def kind(self, sha: str) -> str | None:
        """commit, tree, blob or tag; None if there is no such object."""
        try:
            return self.says("cat-file", "-t", sha)
        except GitError:
            return None

    def read_commit(self, sha: str) -> Commit:
        return self.log(sha, count=1)[0]

    def log(self, *revisions: str, count: int = 250) -> list[Commit]:
        """Commits, the newest first."""
        form = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"
        text = self.git("log", f"--max-count={count}", f"--format={form}", *revisions, "--").decode(errors="replace")
        return [_commit(part.lstrip("\n")) for part in text.split("\x01") if part.strip("\n")]

    def is_ancestor(self, old: str, new: str) -> bool:
        return self._fact("merge-base", "--is-ancestor", old, new) is not None

    def merge_base(self, one: str, other: str) -> str | None:
        found = self._fact("merge-base", one, other)
        return None if found is None else found.decode().strip()

    def count(self, since: str, until: str) -> int:
        """How many commits `until` has that `since` does not have."""
        return int(self._fact("rev-list", "--count", f"{since}..{until}", "--") or 0)

    def merges(self, one: str, other: str) -> bool:
        """Whether they can be merged without a conflict."""
        return self._fact("merge-tree", "--write-tree", one, other) is not None

    def merged_tree(self, one: str, other: str) -> str | None:
        """The tree that a merge makes; None if it conflicts."""
        try:
            return self.says("merge-tree", "--write-tree", one, other).splitlines()[0]
        except GitError:
            return None

    def changed(self, old: str, new: str) -> list[Changed]:
        """The files that differ between two commits."""
        raw = self._fact("diff-tree", "-r", "-z", "--no-renames", "--raw", "--numstat", old, new) or b""
        status = {}
        counts = {}
        parts = iter(raw.decode().split("\0"))
        for part in parts:
            if part.startswith(":"):
                _, _, before, after, letter = part.split()
                status[next(parts)] = (letter, before if letter == "D" else after)
            elif part:
                added, deleted, path = part.split("\t")
                counts[path] = (int(added) if added != "-" else 0, int(deleted) if deleted != "-" else 0)
        words = {"A": "added", "D": "removed", "M": "modified", "T": "changed"}
        return [Changed(path, words[letter], sha, *counts[path]) for path, (letter, sha) in status.items()]

    # Trees and blobs

    def tree(self, treeish: str, *, recursive: bool = False, path: str = "") -> list[Entry]:
        """The entries of a tree; of that below `path`, which ends in a slash, if given."""
        flags = ["-r", "-t"] if recursive else []
        lines = self.git("ls-tree", "-z", "-l", *flags, treeish, "--", *([path] if path else [])).decode().split("\0")
        return [_entry(line) for line in lines if line]

    def blob(self, sha: str) -> bytes:
        return self.git("cat-file", "blob", sha)

    def write_blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", stdin=content).decode().strip()

    def write_tree(self, base: str | None, entries: Sequence[tuple[str, str, str | None]]) -> str:
        """A tree: `base` with the entries (path, mode, object; None takes it away) put over it. GitError if refused."""
        with tempfile.TemporaryDirectory() as directory:
            env = {"GIT_INDEX_FILE": str(Path(directory, "index"))}
            if base is not None:
                self.git("read-tree", base, env=env)
            lines = "".join(f"{mode if sha else 0} {sha or '0' * 40}\t{path}\0" for path, mode, sha in entries)
            self.git("update-index", "-z", "--add", "--replace", "--index-info", stdin=lines.encode(), env=env)
            return self.says("write-tree", env=env)

    def write_commit(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        author: tuple[str, str, str],
        committer: tuple[str, str, str],
    ) -> str:
        """A commit object; persons are (name, mail, ISO 8601 date)."""
        env: dict[str, str] = {}
        for who, (name, email, date) in (("AUTHOR", author), ("COMMITTER", committer)):
            env |= {f"GIT_{who}_NAME": name, f"GIT_{who}_EMAIL": email, f"GIT_{who}_DATE": date}
        given = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, *given, "-F", "-", stdin=message.encode(), env=env).decode().strip()


def _data(content: str | bytes) -> bytes:
    raw = content.encode() if isinstance(content, str) else content
    return b"data %d\n%s\n" % (len(raw), raw)


def _change(path: str, content: str | bytes | tuple[str, str | bytes] | None) -> bytes:
    quoted = '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if content is None:
        return f"D {quoted}\n".encode()
    mode, text = content if isinstance(content, tuple) else ("100644", content)
    return f"M {mode} inline {quoted}\n".encode() + _data(text)


def _commit(text: str) -> Commit:
    sha, tree, parents, *who, message, _ = text.split("\0")
    author, committer = (who[0], who[1], who[2]), (who[3], who[4], who[5])
    return Commit(sha, tree, tuple(parents.split()), author, committer, message.rstrip("\n"))


def _entry(line: str) -> Entry:
    about, path = line.split("\t", 1)
    mode, kind, sha, size = about.split()
    return Entry(path, mode, kind, sha, None if size == "-" else int(size))
