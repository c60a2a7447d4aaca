"""The rows of a journal as they are at one moment, beside a coordinator that may be writing."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fixer.hosting.proposal import Proposal
from fixer.migrate.journal import JournalError

_TABLES = ("campaign", "repository", "plan", "pull_request", "attempt", "event")
"""What `exported` gives, in this order; the others hold nothing to tell."""

_WITH_ADDRESSES = ("node", "url", "page", "reason", "error", "data")
_LOGIN = re.compile(r"(?<=://)[^/@\s\"']+@")


@contextmanager
def reading(path: Path) -> Iterator[Rows]:
    """The rows of the journal, all of one moment.

    Raises:
        JournalError: they can't be read.
    """
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10)
        try:
            db.execute("begin")
            yield Rows(db)
        finally:
            db.close()
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path}: is no journal that can be used: {error}") from error
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise JournalError(f"{path}: holds a plan or an event that can't be read") from error


class Rows:
    """A journal that is being read."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def of(self, table: str, repository: int | None = None) -> Iterator[dict[str, Any]]:
        """The rows of a table in their order, or those of one repository, by the names of the columns."""
        where, values = ("", ()) if repository is None else ("where repository = ?", (repository,))
        cursor = self._db.execute(f"select * from {table} {where} order by rowid", values)  # noqa: S608 - our own names
        names = [one[0] for one in cursor.description]
        for row in cursor:
            yield {name: _told(name, value) for name, value in zip(names, row, strict=True)}

    def number(self, query: str) -> int:
        """What a query for one number gives."""
        return int(self._db.execute(query).fetchone()[0])


def _told(column: str, value: Any) -> Any:
    """The value, without what stands before the host of an address: that may be a password; reports opened."""
    if column == "report":
        return json.loads(zlib.decompress(value))
    return _LOGIN.sub("", value) if column in _WITH_ADDRESSES else value


def exported(path: Path) -> Iterator[str]:
    """The journal as lines of JSON: each row with its table's name; of proposals all but the contents of files.

    Raises:
        JournalError: it can't be read.
    """
    with reading(path) as rows:
        for table in _TABLES:
            for row in rows.of(table):
                yield json.dumps({"table": table, **row, **_opened(table, row)})


def _opened(table: str, row: dict[str, Any]) -> dict[str, Any]:
    if table == "event":
        return {"data": json.loads(row["data"])}
    if table != "plan":
        return {}
    return {"proposal": row["proposal"] and _proposal(row["proposal"])}


def _proposal(packed: bytes) -> dict[str, Any]:
    there = Proposal.unpack(packed)
    commits = [
        {
            "message": one.message,
            "files": [{"path": file.path, "change": file.change, "from": file.moved_from} for file in one.files],
        }
        for one in there.commits
    ]
    return {"title": there.title, "body": there.body, "commits": commits}
