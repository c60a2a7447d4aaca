"""The files of a commit, laid out in a scratch directory for rules and programs to read; nothing else is written."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from fixer.hosting.store import Entry, Store

_LONGEST_NAME = 255
_LONGEST_PATH = 3000
_LFS = b"version https://git-lfs"


def lay_out(
    store: Store, commit: str, directory: Path, wanted: Callable[[Entry], bool] = lambda entry: True
) -> list[str]:
    """Write the regular files of a commit that are wanted; links and submodules are left out.

    Names that could lead out of the directory, mean something to git, or clash on a file system that ignores case are
    left out too, and so are pointers to files that git-lfs keeps elsewhere.

    Returns:
        The paths that were left out for their names.
    """
    taken: set[str] = set()
    safe: list[Entry] = []
    refused = []
    for entry in filter(wanted, store.entries(commit)):
        if _is_safe(entry.path) and _folded(entry.path) not in taken:
            taken.add(_folded(entry.path))
            safe.append(entry)
        else:
            refused.append(entry.path)
    _write(directory, safe, store)
    return refused


def _write(directory: Path, entries: Sequence[Entry], store: Store) -> None:
    for entry, content in zip(entries, store.contents(entry.blob for entry in entries), strict=True):
        if content.startswith(_LFS):
            continue
        path = directory / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o644)
        with os.fdopen(handle, "wb") as file:
            file.write(content)


def _is_safe(path: str) -> bool:
    parts = path.split("/")
    return (
        len(os.fsencode(path)) <= _LONGEST_PATH
        and not path.startswith("/")
        and "\\" not in path
        and all(map(_is_plain, parts))
    )


def _is_plain(name: str) -> bool:
    """Whether a part of a path names a file here, and nothing of git's on any system."""
    visible = "".join(char for char in name if unicodedata.category(char) != "Cf")  # HFS+ ignores these
    bare = visible.casefold().rstrip(". ").partition(":")[0]  # NTFS ignores these
    return (
        name not in ("", ".", "..")
        and bare not in (".git", "git~1")
        and len(os.fsencode(name)) <= _LONGEST_NAME
        and not any(unicodedata.category(char) == "Cc" for char in name)
    )


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
