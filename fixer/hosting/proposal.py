"""What is proposed for a branch: commits, and the words of the pull request; plain data that can be kept and sent."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict, dataclass
from typing import Any

from fixer.result import FileChange


@dataclass(frozen=True)
class Commit:
    """One commit: all that differs from the base after it, what earlier ones changed among it."""

    message: str
    files: tuple[FileChange, ...]


@dataclass(frozen=True)
class Proposal:
    """Changes to one commit; without commits there is nothing to change."""

    base: str
    """The commit, by its hash."""
    fingerprint: str
    """What the changes are, wherever in a file they stand; see `marker.fingerprint`."""
    title: str
    body: str
    """Markdown. Without commits, what a pull request is closed with."""
    commits: tuple[Commit, ...]

    def pack(self) -> bytes:
        """The proposal in few bytes; `unpack` reads them."""
        return zlib.compress(json.dumps(asdict(self), default=_encoded).encode())

    @classmethod
    def unpack(cls, packed: bytes) -> Proposal:
        """The proposal that `pack` gave these bytes for.

        Raises:
            ValueError: they are none.
        """
        try:
            data = json.loads(zlib.decompress(packed))
            commits = [Commit(one["message"], tuple(map(_file, one["files"]))) for one in data["commits"]]
            return cls(**{**data, "commits": tuple(commits)})
        except (zlib.error, KeyError, TypeError) as error:
            raise ValueError("no proposal of this version") from error


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _file(data: dict[str, Any]) -> FileChange:
    contents = {key: None if data[key] is None else base64.b64decode(data[key]) for key in ("before", "after")}
    return FileChange(**{**data, **contents})
