"""What the report says of one repository, for people at a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from fixer.model import Status
from fixer.report.wording import count, one_line


def entry(one: dict[str, Any]) -> str:
    """How far it is, its pull request, its plan, and what was tried for it; a line each."""
    return "".join(f"{line}\n" for line in _lines(one))


def _lines(one: dict[str, Any]) -> Iterator[str]:
    reason = f", {one_line(one['reason'])}" if one["reason"] else ""
    yield f"{one_line(one['name'])}: {one['state']}{reason}"
    yield f"  {one_line(one['page'] or one['url'])}"
    if one["until"]:
        yield f"  to be tried again after {one['until']}"
    if pull := one["pull_request"]:
        yield f"  pull request {pull['number']}, {pull['state']}, opened {pull['opened']}: {one_line(pull['url'])}"
    if one["plan"]:
        yield from _plan(one["plan"])
    for attempt in one["attempts"]:
        failed = f"{attempt['kind']}: {one_line(attempt['error'])}" if attempt["kind"] else "done"
        yield f"  {attempt['started']} {attempt['stage']}: {failed if attempt['ended'] else 'cut off'}"


def _plan(plan: dict[str, Any]) -> Iterator[str]:
    changes = f", {count(len(plan['files']), 'file')} to change" if plan["files"] else ", nothing to change"
    yield f"  planned for {plan['base']} in {plan['seconds']:.1f} s{changes}"
    rules: dict[str, Counter[str]] = {}
    for found in plan["findings"]:
        rules.setdefault(found["rule"], Counter())[found["status"]] += 1
    for rule, by in sorted(rules.items()):
        statuses = ", ".join(f"{by[status.value]:,} {status.value}" for status in Status if by[status.value])
        yield f"  {one_line(rule)}: {statuses}"
    for error in plan["errors"]:
        yield f"  {one_line(error['path'])}: {one_line(error['message'])}"
