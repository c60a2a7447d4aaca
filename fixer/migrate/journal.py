"""What happened in a campaign: a SQLite file with one writer, that may be cut off at any moment.

GitHub is the truth and the journal a memory of it: without it a run finds out again, by the names of branches and the
markers in pull requests. Each remote step is noted before it is taken and after; one that has no end is looked up.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixer.migrate.states import CLOSED_BY_SOMEBODY, State

VERSION = 1
_LOCK_TRIES = 20
_LOCK_WAIT = 0.1
"""Seconds between two of these."""

_SCHEMA = """
create table campaign (name text not null, digest text not null, tool text not null, started real not null);
create table repository (
  id integer primary key, host text not null, node text not null, name text not null, url text not null,
  page text not null default '', branch text not null default '', kilobytes integer not null default 0,
  state text not null default 'discovered', reason text not null default '', until real not null default 0,
  changed real not null default 0,
  unique (host, node)
);
create table plan (
  repository integer primary key references repository on delete cascade, key text not null, base text not null,
  fingerprint text not null, proposal blob, report blob not null, milliseconds integer not null
);
create table pull_request (
  repository integer primary key references repository on delete cascade, branch text not null, number integer not null,
  url text not null, head text not null, state text not null, opened real not null, ended real
);
create table attempt (
  id integer primary key, repository integer not null references repository on delete cascade, stage text not null,
  started real not null, ended real, kind text not null default '', error text not null default ''
);
create table budget (id integer primary key, at real not null);
create table event (at real not null, repository integer, kind text not null, data text not null);
create index attempt_repository on attempt (repository, stage);
create index repository_state on repository (state, id);
create index event_kind on event (kind);
"""


class JournalError(Exception):
    """The journal can't be used; one line for people."""


@dataclass(frozen=True)
class Repository:
    """One repository of the campaign, and how far it is."""

    id: int
    host: str
    """The API's address; empty for a repository without a host."""
    node: str
    """What stays the same if it is renamed: GitHub's id, or the URL."""
    name: str
    url: str
    page: str
    branch: str
    """The default branch; empty for whatever HEAD is."""
    kilobytes: int
    state: State
    reason: str
    until: float
    """When a deferred one may be tried again, in seconds since 1970."""


_INSERT = (
    "insert into repository (host, node, name, url, page, branch, kilobytes, state, reason, changed)"
    " values (:host, :node, :name, :url, :page, :branch, :kilobytes, :state, :reason, :now)"
)
_UPDATE = (
    "update repository set name = :name, url = :url, page = :page, branch = :branch, kilobytes = :kilobytes"
    " where host = :host and node = :node"
)
_COLUMNS = "id, host, node, name, url, page, branch, kilobytes, state, reason, until"


class Journal:
    """A campaign's journal; use it in a `with` statement."""

    def __init__(self, path: Path, *, writing: bool = True) -> None:
        """Open it, make it if need be.

        Args:
            path: The file; not on a network file system.
            writing: Whether this is the coordinator, of which there may be one.

        Raises:
            JournalError: it is none, of a later version, or another coordinator is at it.
        """
        self.path = path
        if not writing and not path.is_file():
            raise JournalError(f"{path}: there is no such journal; start with iacfix migrate discover")
        self._held = ExitStack()
        try:
            if writing:
                self._held.enter_context(_alone(path))
            self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
            self._held.callback(self._db.close)
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._held.close()
            raise JournalError(f"{path}: is no journal that can be used: {error}") from error
        except OSError as error:
            self._held.close()
            raise JournalError(f"{path}: {error.strerror}") from error
        except JournalError:
            self._held.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def _prepare(self) -> None:
        version = self._number("pragma user_version")
        is_new = not self._number("select count(*) from sqlite_master")
        if version > VERSION:
            raise JournalError(f"{self.path}: was written by a later iacfix")
        if not is_new and version != VERSION:
            raise JournalError(f"{self.path}: is no journal, but a database of something else")
        self._db.execute("pragma foreign_keys = on")
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        if is_new:
            with self._all_or_nothing():
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    self._db.execute(statement)
                self._db.execute(f"pragma user_version = {VERSION}")

    def _number(self, query: str, values: Sequence[object] = ()) -> int:
        return int(self._db.execute(query, values).fetchone()[0])

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    # ---- the campaign ----------------------------------------------------------------------------

    def begin(self, name: str, digest: str, tool: str) -> None:
        """Note what the campaign is; a journal belongs to one.

        Raises:
            JournalError: it belongs to another.
        """
        there = self._db.execute("select name from campaign").fetchone()
        if there and there[0] != name:
            raise JournalError(f"{self.path}: belongs to the campaign {there[0]!r}")
        with self._all_or_nothing():
            started = self._db.execute("select started from campaign").fetchone()
            self._db.execute("delete from campaign")
            values = (name, digest, tool, started[0] if started else time.time())
            self._db.execute("insert into campaign values (?, ?, ?, ?)", values)

    # ---- repositories ----------------------------------------------------------------------------

    def add(self, found: Sequence[dict[str, Any]]) -> int:
        """Note repositories that were found, or bring them up to date. Returns how many are new.

        One that is known keeps its state, but for what is to be skipped now, or no longer.
        """
        before = self.count()
        with self._all_or_nothing():
            for one in found:
                values = {**one, "now": time.time()}
                if not self._db.execute(_UPDATE, values).rowcount:
                    self._db.execute(_INSERT, values)
                else:
                    self._judge(one)
        return self.count() - before

    def _judge(self, found: dict[str, Any]) -> None:
        query = "select id, state, reason from repository where host = ? and node = ?"
        number, state, reason = self._db.execute(query, (found["host"], found["node"])).fetchone()
        was_skipped, is_skipped = (one == State.SKIPPED.value for one in (state, found["state"]))
        if is_skipped and found["reason"] != reason:
            if was_skipped or state == State.CLEAN.value or State(state).is_waiting:
                self._move(number, State.SKIPPED, found["reason"])
        elif was_skipped and not is_skipped:
            self._move(number, State.DISCOVERED, "")

    def count(self) -> int:
        """How many repositories there are."""
        return self._number("select count(*) from repository")

    def counts(self) -> dict[State, int]:
        """How many repositories are in each state."""
        rows = self._db.execute("select state, count(*) from repository group by state")
        return {State(state): number for state, number in rows}

    def repositories(self, *states: State) -> list[Repository]:
        """Those in the states, or all, in the order in which they were found."""
        marks = ", ".join("?" * len(states))
        where = f"where state in ({marks})" if states else ""
        query = f"select {_COLUMNS} from repository {where} order by id"  # noqa: S608 - marks alone
        return [_repository(row) for row in self._db.execute(query, [state.value for state in states])]

    def find(self, name: str) -> Repository | None:
        """The repository of that name, or part of a name that only one has."""
        rows = self._db.execute(f"select {_COLUMNS} from repository where name = ?", (name,)).fetchall()  # noqa: S608
        rows = (
            rows
            or self._db.execute(
                f"select {_COLUMNS} from repository where instr(name, ?) limit 2",  # noqa: S608
                (name,),
            ).fetchall()
        )
        return _repository(rows[0]) if len(rows) == 1 else None

    def move(self, repository: Repository, state: State, reason: str = "", until: float = 0) -> None:
        """Note that a repository has come to a state."""
        with self._all_or_nothing():
            self._move(repository.id, state, reason, until)

    def _move(self, repository: int, state: State, reason: str, until: float = 0) -> None:
        now = time.time()
        self._db.execute(
            "update repository set state = ?, reason = ?, until = ?, changed = ? where id = ?",
            (state.value, reason, until, now, repository),
        )
        data = json.dumps({"state": state.value, "reason": reason})
        self._db.execute("insert into event values (?, ?, 'state', ?)", (now, repository, data))

    # ---- plans -----------------------------------------------------------------------------------

    def planned(self, repository: Repository, state: State, plan: dict[str, Any] | None, reason: str = "") -> None:
        """Keep a plan, and the state that it brings its repository to."""
        with self._all_or_nothing():
            if plan is not None:
                self._db.execute(
                    "insert or replace into plan values"
                    " (:repository, :key, :base, :fingerprint, :proposal, :report, :milliseconds)",
                    {**plan, "repository": repository.id},
                )
            self._move(repository.id, state, reason)

    def plan(self, repository: Repository) -> dict[str, Any] | None:
        """The plan of a repository."""
        return self._row("select * from plan where repository = ?", repository)

    def plan_key(self, repository: Repository) -> tuple[str, str, bool] | None:
        """Of the plan of a repository its key, the commit that it is for, and whether there is something to change."""
        query = "select key, base, proposal is not null from plan where repository = ?"
        row = self._db.execute(query, (repository.id,)).fetchone()
        return (row[0], row[1], bool(row[2])) if row else None

    def with_other_plans(self, key: str, *states: State) -> set[int]:
        """The ids of those in the states whose plan has another key."""
        marks = ", ".join("?" * len(states))
        there = "select repository.id from repository join plan on plan.repository = repository.id"
        query = f"{there} where key != ? and state in ({marks})"
        return {row[0] for row in self._db.execute(query, [key, *(state.value for state in states)])}

    def _row(self, query: str, repository: Repository) -> dict[str, Any] | None:
        cursor = self._db.execute(query, (repository.id,))
        row = cursor.fetchone()
        return dict(zip((one[0] for one in cursor.description), row, strict=True)) if row else None

    # ---- remote steps ----------------------------------------------------------------------------

    def attempt(self, repository: Repository, stage: str) -> int:
        """Note that a step is about to be taken; returns its number."""
        cursor = self._db.execute(
            "insert into attempt (repository, stage, started) values (?, ?, ?)", (repository.id, stage, time.time())
        )
        return int(cursor.lastrowid or 0)

    def ended(self, attempt: int, kind: str = "", error: str = "") -> None:
        """Note what a step came to."""
        values = (time.time(), kind, error, attempt)
        self._db.execute("update attempt set ended = ?, kind = ?, error = ? where id = ?", values)

    def attempts(self, repository: Repository, stage: str) -> int:
        """How often a step has failed since it last succeeded, or since somebody asked for another try."""
        query = (
            "select kind from attempt where repository = ?1 and stage = ?2 and ended is not null and started >="
            " (select coalesce(max(at), 0) from event where kind = 'retry' and repository = ?1) order by id desc"
        )
        failed = 0
        for (kind,) in self._db.execute(query, (repository.id, stage)):
            if not kind:
                break
            failed += 1
        return failed

    def failures(self, stage: str) -> int:
        """How many repositories are where they are since the last attempt at a step failed."""
        last = "select kind from attempt where repository = there.id and stage = ? order by id desc limit 1"
        stopped = "(state in ('failed', 'skipped') or until > 0)"
        query = f"select count(*) from repository as there where {stopped} and coalesce(({last}), '') != ''"  # noqa: S608
        return self._number(query, (stage,))

    def retry(self, repository: Repository, state: State) -> None:
        """Let a repository be tried again, as if it had not failed before."""
        with self._all_or_nothing():
            self._db.execute("insert into event values (?, ?, 'retry', '{}')", (time.time(), repository.id))
            self._move(repository.id, state, "")

    def opened(self, repository: Repository, to: State | None = None, reason: str = "", **pull: Any) -> None:
        """Keep what is known of the repository's pull request: branch, number, url, head, state.

        `to` is the state that this brings the repository to; None leaves it where it is.
        """
        with self._all_or_nothing():
            now = time.time()
            there = self._db.execute(
                "select number, opened from pull_request where repository = ?", (repository.id,)
            ).fetchone()
            opened = there[1] if there and there[0] == pull["number"] else now
            ended = None if pull["state"] == "open" else now
            self._db.execute(
                "insert or replace into pull_request values (?, ?, ?, ?, ?, ?, ?, ?)",
                (repository.id, *(pull[key] for key in ("branch", "number", "url", "head", "state")), opened, ended),
            )
            if to is not None:
                self._move(repository.id, to, reason)

    def pull_request(self, repository: Repository) -> dict[str, Any] | None:
        """What is known of the repository's pull request."""
        return self._row("select * from pull_request where repository = ?", repository)

    def pull_requests(self) -> dict[int, dict[str, Any]]:
        """What is known of pull requests, by the repository's id."""
        cursor = self._db.execute("select * from pull_request")
        names = [one[0] for one in cursor.description]
        return {row[0]: dict(zip(names, row, strict=True)) for row in cursor}

    def pull_request_counts(self) -> dict[str, int]:
        """How many pull requests are in each state, as far as is known: open, merged, closed."""
        return dict(self._db.execute("select state, count(*) from pull_request group by state"))

    def refusals(self) -> int:
        """How many repositories have a pull request that a person closed."""
        query = "select count(*) from repository where state = 'declined' or (state = 'closed' and reason = ?)"
        return self._number(query, (CLOSED_BY_SOMEBODY,))

    # ---- the budget ------------------------------------------------------------------------------

    def spend(self, at: float) -> int:
        """Note that a pull request is about to be written; returns what `refund` wants."""
        return int(self._db.execute("insert into budget (at) values (?)", (at,)).lastrowid or 0)

    def refund(self, spent: int) -> None:
        """Note that nothing was written after all."""
        self._db.execute("delete from budget where id = ?", (spent,))

    def spent(self, since: float) -> list[float]:
        """When that was, since a time; what is older is forgotten."""
        self._db.execute("delete from budget where at < ?", (since,))
        return [row[0] for row in self._db.execute("select at from budget order by at")]

    def pause(self, until: float) -> None:
        """Note that the host wants nothing to be written before a time."""
        self.note("pause", until=until)

    def paused_until(self) -> float:
        """Until when the host wants nothing to be written."""
        return max((data["until"] for _, _, _, data in self.events("pause")), default=0.0)

    # ---- what happened ---------------------------------------------------------------------------

    def note(self, kind: str, **data: Any) -> None:
        """Keep something that happened to the campaign."""
        self._db.execute("insert into event values (?, null, ?, ?)", (time.time(), kind, json.dumps(data)))

    def events(self, kind: str | None = None) -> Iterator[tuple[float, int | None, str, dict[str, Any]]]:
        """All that happened, in its order: when, to which repository, what, and more about it."""
        where, values = ("where kind = ?", [kind]) if kind else ("", [])
        query = f"select at, repository, kind, data from event {where} order by rowid"  # noqa: S608
        for at, repository, name, data in self._db.execute(query, values):
            yield at, repository, name, json.loads(data)

    def last_errors(self, number: int) -> list[tuple[str, str, str]]:
        """The newest failures: repository, kind, message."""
        query = (
            "select name, kind, error from attempt join repository on repository.id = attempt.repository"
            " where kind != '' order by attempt.id desc limit ?"
        )
        return [tuple(row) for row in self._db.execute(query, (number,))]


def _repository(row: Sequence[Any]) -> Repository:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    return Repository(**{**values, "state": State(values["state"])})


# ---- one at a time -----------------------------------------------------------------------------


@contextmanager
def _alone(journal: Path) -> Iterator[None]:
    """Hold the lock beside a journal; the system lets it go when the process ends, however it does."""
    path = journal.with_name(f"{journal.name}.lock")
    with path.open("a+", encoding="utf-8") as file:
        if not _is_taken(file.fileno()):
            with suppress(OSError):
                file.seek(0)
            raise JournalError(f"{journal}: another iacfix is at it ({file.read().strip() or 'see its lock'})")
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def _is_taken(handle: int) -> bool:
    """Whether the lock is ours now; one that was killed may leave it for a moment to a child that it was starting."""
    for _ in range(_LOCK_TRIES):
        try:
            _lock(handle)
        except OSError:
            time.sleep(_LOCK_WAIT)
        else:
            return True
    return False


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        os.lseek(handle, 1000, os.SEEK_SET)  # beyond what is written there, which others may read
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
