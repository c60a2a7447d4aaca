"""The report for programs; `report.schema.json` beside this file is its contract."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timezone
from importlib import resources
from pathlib import Path
from typing import Any

from fixer import __version__
from fixer.hosting.proposal import Proposal
from fixer.migrate.journal import Repository
from fixer.migrate.report.rows import Rows, reading
from fixer.migrate.states import State
from fixer.model import Status
from fixer.report.diff import unified
from fixer.result import FileChange

VERSION = 1
"""Grows with a change that a reader of the report could stumble over."""
_ALL_LINES = 300_000
"""Lines of diffs in a report, divided among the repositories."""
_MOST_LINES, _FEWEST_LINES = 1_000, 40
"""Lines of one repository's diff, however few or many there are."""
_LINE_LENGTH = 120
"""Characters that a line of a diff may have on average."""
_POINTS = 200
"""Moments that the progress is told of."""


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the report."""
    text = resources.files("fixer.migrate.report").joinpath("report.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def collect(path: Path, *, diffs: bool = True) -> dict[str, Any]:
    """The report on all that is in a journal, as it is now.

    Args:
        path: The journal.
        diffs: Whether the diffs are in it; long ones are cut, and say by how many lines.

    Raises:
        JournalError: it can't be read.
    """
    with reading(path) as rows:
        limit = _limit(rows) if diffs else 0
        pulls = {row["repository"]: row for row in rows.of("pull_request")}
        attempts = _attempts(rows)
        plans = {row["repository"]: _plan(row, limit) for row in rows.of("plan")}
        there = list(rows.of("repository"))
        repositories = [
            _repository(row, plans.get(row["id"]), pulls.get(row["id"]), attempts[row["id"]]) for row in there
        ]
        campaign = _campaign(rows, path)
        return {
            "version": VERSION,
            "tool": __version__,
            "made": _now(),
            "campaign": campaign,
            "summary": _summary(repositories),
            "progress": _progress(there, rows.of("event"), campaign["started"]),
            "rules": _rules(repositories),
            "failures": _failures(repositories),
            "repositories": repositories,
        }


def told(path: Path, repository: Repository) -> tuple[dict[str, Any], tuple[FileChange, ...]]:
    """What the report says of one repository, without its diff, and all that its plan changes.

    Raises:
        JournalError: the journal can't be read.
    """
    with reading(path) as rows:
        row = next(one for one in rows.of("repository") if one["id"] == repository.id)
        plan = next(rows.of("plan", repository.id), None)
        pull = next(rows.of("pull_request", repository.id), None)
        attempts = list(map(_attempt, rows.of("attempt", repository.id)))
        files = _changes(plan["proposal"])[1] if plan else ()
        return _repository(row, plan and _plan(plan, 0), pull, attempts), files


def _campaign(rows: Rows, path: Path) -> dict[str, Any]:
    nothing: dict[str, Any] = {"name": path.stem, "digest": "", "tool": "", "started": None}
    row = next(rows.of("campaign"), nothing)
    return {**row, "started": _time(row["started"])}


# ---- one repository ----------------------------------------------------------------------------


def _repository(
    row: dict[str, Any], plan: dict[str, Any] | None, pull: dict[str, Any] | None, attempts: list[dict[str, Any]]
) -> dict[str, Any]:
    names = ("name", "url", "page", "branch", "kilobytes", "state", "reason")
    return {
        **{name: row[name] for name in names},
        "changed": _time(row["changed"]),
        "until": _time(row["until"] or None),
        "plan": plan,
        "pull_request": pull and _pull_request(pull),
        "attempts": attempts,
    }


def _pull_request(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ("number", "url", "state")}
    return {**kept, "opened": _time(row["opened"]), "ended": _time(row["ended"])}


def _attempts(rows: Rows) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.of("attempt"):
        found[row["repository"]].append(_attempt(row))
    return found


def _attempt(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ("stage", "kind", "error")}
    return {**kept, "started": _time(row["started"]), "ended": _time(row["ended"])}


def _plan(row: dict[str, Any], limit: int) -> dict[str, Any]:
    report = row["report"]
    title, files = _changes(row["proposal"])
    diffs = [(file, unified([file])) for file in files]
    return {
        "base": row["base"],
        "seconds": row["milliseconds"] / 1000,
        "title": title,
        "findings": report["findings"],
        "errors": report["errors"],
        "files": [_file(file, diff) for file, diff in diffs],
        "diff": _cut(b"".join(diff for _, diff in diffs), limit) if limit and files else None,
    }


def _changes(packed: bytes | None) -> tuple[str, tuple[FileChange, ...]]:
    """The title of a proposal and all that it changes, which its last commit has."""
    if packed is None:
        return "", ()
    there = Proposal.unpack(packed)
    return there.title, there.commits[-1].files


def _file(file: FileChange, diff: bytes) -> dict[str, Any]:
    _, _, hunks = diff.partition(b"\n@@")
    counts = {"added": hunks.count(b"\n+"), "removed": hunks.count(b"\n-")}
    return {"path": file.path, "change": file.change, "from": file.moved_from, **counts}


def _limit(rows: Rows) -> int:
    there = rows.number("select count(*) from plan where proposal is not null")
    return max(_FEWEST_LINES, min(_MOST_LINES, _ALL_LINES // max(there, 1)))


def _cut(diff: bytes, limit: int) -> dict[str, Any]:
    """The first lines of a diff, and how many there are and are left off."""
    lines = diff.decode("utf-8", "surrogateescape").split("\n")[:-1]
    kept, room = [], limit * _LINE_LENGTH
    for line in lines[:limit]:
        room -= len(line)
        if room < 0:
            break
        kept.append(line + "\n")
    return {"text": "".join(kept), "lines": len(lines), "left_off": len(lines) - len(kept)}


# ---- all of them -------------------------------------------------------------------------------


def _summary(repositories: list[dict[str, Any]]) -> dict[str, Any]:
    states = Counter(one["state"] for one in repositories)
    pulls = Counter(one["pull_request"]["state"] for one in repositories if one["pull_request"])
    findings = Counter(found["status"] for one in repositories for found in _findings(one))
    files = [file for one in repositories if one["plan"] for file in one["plan"]["files"]]
    return {
        "repositories": len(repositories),
        "states": {state.value: states[state.value] for state in State},
        "pull_requests": {state: pulls[state] for state in ("open", "merged", "closed")},
        "findings": {status.value: findings[status.value] for status in Status},
        "files": len(files),
        "added": sum(file["added"] for file in files),
        "removed": sum(file["removed"] for file in files),
        "errors": sum(len(one["plan"]["errors"]) for one in repositories if one["plan"]),
    }


def _findings(repository: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = repository["plan"]["findings"] if repository["plan"] else []
    return found


def _rules(repositories: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each rule that finds something, by name: in how many repositories, and what becomes of that."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    where: Counter[str] = Counter()
    for one in repositories:
        where.update({found["rule"] for found in _findings(one)})
        for found in _findings(one):
            counts[found["rule"]][found["status"]] += 1
    return [
        {"rule": rule, "repositories": where[rule], **{status.value: by[status.value] for status in Status}}
        for rule, by in sorted(counts.items())
    ]


def _failures(repositories: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each class of failures, the most frequent first."""
    attempts: Counter[str] = Counter()
    last: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for one in repositories:
        attempts.update(attempt["kind"] for attempt in one["attempts"] if attempt["kind"])
        if one["attempts"] and one["attempts"][-1]["kind"]:
            last[one["attempts"][-1]["kind"]].append((one["name"], one["attempts"][-1]))
    return [
        {"kind": kind, "attempts": number, "repositories": len(last[kind]), **_example(last[kind])}
        for kind, number in attempts.most_common()
    ]


def _example(failed: list[tuple[str, dict[str, Any]]]) -> dict[str, str]:
    """The newest of the failures that nothing came after."""
    if not failed:
        return {"repository": "", "error": ""}
    name, attempt = max(failed, key=lambda one: one[1]["started"])
    return {"repository": name, "error": attempt["error"]}


def _progress(
    there: list[dict[str, Any]], events: Iterator[dict[str, Any]], started: str | None
) -> list[dict[str, Any]]:
    """How many repositories were in each state, at the start and at some moments since, in their order.

    Nothing is noted of those that discovery itself skipped: they count as skipped from the start.
    """
    moves = [
        (row["at"], row["repository"], json.loads(row["data"])["state"]) for row in events if row["kind"] == "state"
    ]
    moved = {repository for _, repository, _ in moves}
    states = {row["id"]: State.DISCOVERED.value if row["id"] in moved else row["state"] for row in there}
    counts = Counter(states.values())
    points = [_point(started, counts)] if started else []
    every = max(1, len(moves) // _POINTS)
    for number, (at, repository, state) in enumerate(moves, 1):
        if repository in states:
            counts[states[repository]] -= 1
            counts[state] += 1
            states[repository] = state
        if number % every == 0 or number == len(moves):
            points.append(_point(_time(at), counts))
    return points


def _point(at: str | None, counts: Counter[str]) -> dict[str, Any]:
    return {"at": at, "states": {state.value: counts[state.value] for state in State}}


# ---- times -------------------------------------------------------------------------------------


def _time(seconds: float | None) -> str | None:
    """Seconds since 1970 as RFC 3339 has them, in UTC."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
