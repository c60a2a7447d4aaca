"""Which files a project has: those that git would show, or all where git can't say; never what tools left behind."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pathspec

from fixer.config import anchored

MAX_BYTES = 5_000_000
"""A larger source is left alone."""

LEFT_OUT = frozenset(
    {
        ".git",
        ".nox",
        ".terraform",
        ".terragrunt-cache",
        ".tox",
        "__pycache__",
        "cdk.out",
        "node_modules",
        "site-packages",
        "third_party",
        "vendor",
    }
)
"""Directories of other people's files and of what tools write; those that hold a `pyvenv.cfg` are left out as well."""

SOURCES = (".py", ".tf", ".tofu", ".tf.json", ".tofu.json")

_LEFT_OUT_PATH = re.compile("(?:^|/)(?:" + "|".join(map(re.escape, sorted(LEFT_OUT))) + ")/")
_GENERATED = re.compile(
    rb"""
    ^ [ \t]* (?: (?: \# | // | /?\*+ | \"{3} | '{3} ) [^\n]*? )?
    (?: @generated | DO\ NOT\ EDIT | Code\ generated\ by | [Aa]utomatically\ generated\ by | [Aa]uto-?generated\ by )
    """,
    re.VERBOSE | re.MULTILINE,
)
_HEAD_LINES = 5
_GIT_STATE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")
"""What git sets for its hooks: it would have git look at another repository than the one asked for."""


@dataclass(frozen=True)
class Listing:
    """The files of a project, relative to its root."""

    root: Path
    files: tuple[str, ...]
    """Regular files under their real names, each once, sorted."""
    links: Mapping[str, str]
    """Names of symbolic links to them, and what they lead to."""
    errors: tuple[tuple[str, str], ...]
    """Path and message of what is left out though it may matter."""


def root_of(paths: Sequence[Path]) -> Path:
    """The root of the project that the paths are in.

    It is the git work tree that holds them all (the innermost directory with a `.git`), else the directory that they
    have in common; that of a lone file is the one that it is in.
    """
    real = [path.resolve() for path in paths or [Path()]]
    directories = [path if path.is_dir() else path.parent for path in real]
    tops = {_work_tree(directory) for directory in directories}
    (top, *others) = tops
    if top is not None and not others:
        return top
    return Path(os.path.commonpath(directories))


def _work_tree(directory: Path) -> Path | None:
    return next((one for one in (directory, *directory.parents) if (one / ".git").exists()), None)


def list_files(root: Path, paths: Sequence[str], exclude: Sequence[str]) -> Listing:
    """List the files below a root.

    Args:
        root: A real path (no symbolic links in it).
        paths: What was asked for, relative to the root; taken even if git ignores it.
        exclude: Patterns as in `.gitignore`, relative to the root.
    """
    errors: list[tuple[str, str]] = []
    names = {path for path in _names(root, paths, errors) if not _LEFT_OUT_PATH.search(path)}
    environments = tuple(path.removesuffix("pyvenv.cfg") for path in names if path.endswith("/pyvenv.cfg"))
    files, links = _regular(root, (path for path in names if not path.startswith(environments)), errors)
    excluded = pathspec.GitIgnoreSpec.from_lines(exclude)
    if exclude:
        files = {path for path in files if not excluded.match_file(path)}
    for spec in _linguist(root, files):
        files = {path for path in files if not (path.endswith(SOURCES) and spec.match_file(path))}
    kept = {link: path for link, path in links.items() if path in files and not excluded.match_file(link)}
    return Listing(root, tuple(sorted(files)), kept, tuple(errors))


def directory_of(path: str) -> str:
    """The directory that holds the file or directory; `.` is the root, and its own."""
    return path.rpartition("/")[0] or "."


def read(root: Path, path: str) -> bytes:
    """The bytes of a file, at most one more than `MAX_BYTES`.

    One that can't be read is empty here: whoever works on it finds out, and leaves the unit alone.
    """
    try:
        with open(f"{root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123 - half the time of Path
            return file.read(MAX_BYTES + 1) or b""
    except OSError:
        return b""


def skim(root: Path, path: str, errors: list[tuple[str, str]]) -> bytes | None:
    """The bytes of a source; None if it is to be left alone: generated, or too large, which is noted in `errors`."""
    data = read(root, path)
    if len(data) > MAX_BYTES:
        errors.append((path, "is larger than 5 MB and left alone"))
        return None
    end = -1
    for _ in range(_HEAD_LINES):
        end = data.find(b"\n", end + 1)
        if end < 0:
            break
    return None if _GENERATED.search(data, 0, end if end >= 0 else len(data)) else data


# ---- names -------------------------------------------------------------------------------------


def _names(root: Path, paths: Sequence[str], errors: list[tuple[str, str]]) -> Iterator[str]:
    known = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if known is None or _git(root, "check-ignore", "-q", ".") is not None:
        yield from _walk(root, ".", errors)
        return
    yield from known
    inner = [path for path in paths if path != "."]
    for path in _git(root, "check-ignore", "-z", "--stdin", given=inner) or () if inner else ():
        yield from _walk(root, path, errors)


def _git(root: Path, *arguments: str, given: Iterable[str] = ()) -> list[str] | None:
    """The paths that git prints, NUL after each; None if git is not there, refuses, or answers no."""
    environment = {name: value for name, value in os.environ.items() if name not in _GIT_STATE}
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", *arguments],
            cwd=root,
            env=environment,
            input=b"\0".join(map(os.fsencode, given)),
            capture_output=True,
            check=False,
        )
    except OSError:
        return None
    return os.fsdecode(done.stdout).split("\0")[:-1] if done.returncode == 0 else None


def _walk(root: Path, start: str, errors: list[tuple[str, str]]) -> Iterator[str]:
    """All files below `start`, or itself if it is one. Repositories on the way are asked for theirs."""
    if not (root / start).is_dir():
        yield start
        return
    todo = [start]
    while todo:
        here = todo.pop()
        prefix = "" if here == "." else f"{here}/"
        try:
            with os.scandir(root / here) as entries:
                found = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
        except OSError as error:
            errors.append((printable(here), f"can't be read: {error.strerror}"))
            continue
        if "pyvenv.cfg" in found:
            continue
        if ".git" in found and here != start:
            known = _git(root / here, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
            if known is not None:
                yield from (prefix + path for path in known)
                continue
        for name, is_directory in found.items():
            if not is_directory:
                yield prefix + name
            elif name not in LEFT_OUT:
                todo.append(prefix + name)


def _regular(root: Path, names: Iterable[str], errors: list[tuple[str, str]]) -> tuple[set[str], dict[str, str]]:
    """Those of the names that are regular files, and the links to such within the root."""
    files: set[str] = set()
    links: dict[str, str] = {}
    base = f"{root}{os.sep}".replace(os.sep * 2, os.sep)
    for path in names:
        if not path.isascii() and printable(path) != path:
            if path.endswith(SOURCES):
                errors.append((printable(path), "has a name that is not UTF-8 and is left alone"))
            continue
        try:
            mode = os.lstat(base + path).st_mode
            if stat.S_ISREG(mode):
                files.add(path)
            elif stat.S_ISLNK(mode):
                real = os.path.realpath(base + path, strict=True)
                target = real.removeprefix(base).replace(os.sep, "/")
                if not real.startswith(base):
                    if path.endswith(SOURCES):
                        errors.append((path, "is a symbolic link out of the project and left alone"))
                elif stat.S_ISREG(os.lstat(real).st_mode) and not _LEFT_OUT_PATH.search(target):
                    links[path] = target
            elif path.endswith(SOURCES) and not stat.S_ISDIR(mode):
                errors.append((path, "is no regular file and left alone"))
        except OSError:
            continue  # deleted though git knows it, a link to nowhere, a circle of links
    files.update(target for target in links.values() if printable(target) == target)
    return files, links


def printable(path: str) -> str:
    r"""The path with `\xNN` for what is not UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


# ---- .gitattributes ----------------------------------------------------------------------------


def _linguist(root: Path, files: Iterable[str]) -> list[pathspec.GitIgnoreSpec]:
    """What `.gitattributes` files call generated, and what they call vendored.

    Source: the section "Using gitattributes" of github-linguist's docs/overrides.md.
    """
    lines: dict[str, list[str]] = {"linguist-generated": [], "linguist-vendored": []}
    for path in sorted((one for one in files if one.endswith(".gitattributes")), key=lambda one: one.count("/")):
        directory, _, name = path.rpartition("/")
        data = read(root, path) if name == ".gitattributes" else b""
        for line in data.decode("utf-8", "replace").splitlines():
            pattern, *attributes = line.split() or [""]
            for attribute in attributes:
                name = attribute.lstrip("-!").partition("=")[0]
                if name in lines and not pattern.startswith("#"):
                    unset = attribute[0] in "-!" or attribute.endswith("=false")
                    lines[name].append(anchored(f"!{pattern}" if unset else pattern, directory or "."))
    return [pathspec.GitIgnoreSpec.from_lines(patterns) for patterns in lines.values() if patterns]
