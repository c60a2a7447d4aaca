"""Results of units that have not changed since: one small file for each, in the user's cache directory.

A cache never makes a run fail. What is damaged, foreign or unreadable counts as absent, and where nothing can be
written nothing is. Several processes may share it: a file is written aside and renamed into place.

A file for each result reads about as fast as one SQLite database (2,000 results of 2.5 KB: 90 ms against 60 ms, and
20 ms to find that there are none), writes slower (200 ms against 100 ms), and needs no lock, no repair and no journal.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import platformdirs

_DAY = 24 * 60 * 60
_UNUSED_DAYS = 30
_MAX_BYTES = 200 * 1000 * 1000
_BLOCK = 4096
_SUM_BYTES = 16
_SHARD = re.compile(r"[0-9a-f]{2}")
_ENTRY = re.compile(r"[0-9a-f]{16,}")
_TEMPORARY = re.compile(r"[0-9a-f]{16,}\.[0-9a-f]{16}\.tmp")


def digest(parts: Iterable[bytes]) -> str:
    """The hex BLAKE2b of the parts, each with its length before it, so that no two lists share one by joining."""
    whole = blake2b(digest_size=32)
    for part in parts:
        whole.update(len(part).to_bytes(8, "little"))
        whole.update(part)
    return whole.hexdigest()


def default_directory() -> Path | None:
    """`IACFIX_CACHE_DIR`, or the user's own cache directory; None for a user without a home."""
    if named := os.environ.get("IACFIX_CACHE_DIR"):
        return Path(named)
    directory = platformdirs.user_cache_path("iacfix", appauthor=False)
    return directory if directory.is_absolute() else None


class Cache:
    """Values by key, below `directory`; None is a cache that keeps nothing.

    Keys are hex digests of all that a value depends on (see `digest`), values are what JSON can hold. Entries that were
    not used for 30 days go, and above 200 MB those unused for longest; that is looked after once a day.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = None if directory is None else directory / "results-1"
        self._writable = directory is not None
        self._pruned = False

    @property
    def keeps(self) -> bool:
        """Whether it keeps anything at all."""
        return self._directory is not None

    def get(self, key: str) -> Any | None:
        """The value of that key, as JSON gives it back; None if there is none. Its shape is the caller's to judge."""
        if self._directory is None:
            return None
        path = self._path(self._directory, key)
        try:
            with path.open("rb") as file:
                data = file.read()
                used = os.fstat(file.fileno()).st_mtime
        except OSError:
            return None
        body = data[_SUM_BYTES:]
        if data[:_SUM_BYTES] != _sum(key, body):
            return None
        if used < time.time() - _DAY:
            with suppress(OSError):
                os.utime(path)
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            return None

    def put(self, key: str, value: Any) -> None:
        """Keep a value; TypeError if JSON can't hold it. A cache that can't be written is not tried again."""
        body = json.dumps(value, separators=(",", ":")).encode()
        if self._directory is None or not self._writable:
            return
        path = self._path(self._directory, key)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.write_bytes(_sum(key, body) + body)
            temporary.replace(path)
        except OSError:
            self._writable = False
            _remove(temporary)
        if not self._pruned:
            self._pruned = True
            with suppress(OSError):
                _prune_daily(self._directory)

    @staticmethod
    def _path(directory: Path, key: str) -> Path:
        return directory.joinpath(key[:2], key[2:])


def _sum(key: str, body: bytes) -> bytes:
    whole = blake2b(key.encode(), digest_size=_SUM_BYTES)
    whole.update(body)
    return whole.digest()


def _prune_daily(directory: Path) -> None:
    """Prune the cache unless that was done within a day; the age of a file tells."""
    stamp = directory / "pruned"
    now = time.time()
    if not stamp.exists() or stamp.stat().st_mtime < now - _DAY:
        stamp.touch()
        _prune(directory, now)


def _prune(directory: Path, now: float) -> None:
    """Remove what was not used for long, then the least used until the rest fits; touch no file but the cache's own."""
    kept = []
    for path, found in _files(directory):
        days = 1 if _TEMPORARY.fullmatch(path.name) else _UNUSED_DAYS
        if found.st_mtime < now - days * _DAY:
            _remove(path)
        else:
            kept.append((found.st_mtime, found.st_size, path))
    kept.sort(reverse=True)
    total = 0
    for _used, size, path in kept:
        total += -(-size // _BLOCK) * _BLOCK
        if total > _MAX_BYTES:
            _remove(path)


def _files(directory: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The cache's own files; other processes may remove some meanwhile."""
    for shard in directory.iterdir():
        if not _SHARD.fullmatch(shard.name) or shard.is_symlink():
            continue
        with suppress(OSError), os.scandir(shard) as entries:
            for entry in entries:
                own = _ENTRY.fullmatch(entry.name) or _TEMPORARY.fullmatch(entry.name)
                if own and entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):
                        yield Path(entry.path), entry.stat(follow_symlinks=False)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
