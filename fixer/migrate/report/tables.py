"""The report for spreadsheets and for programs that read line by line."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import Any

from fixer.model import Status
from fixer.report.wording import one_line

_FORMULAS = ("=", "+", "-", "@")
"""What a spreadsheet takes for the start of a formula; "CSV Injection", OWASP."""


def repositories(report: dict[str, Any]) -> str:
    """A row for each repository, as CSV (RFC 4180); the last columns count the findings of each rule."""
    rules = [one["rule"] for one in report["rules"]]
    statuses = [status.value for status in Status]
    file = io.StringIO()
    writer = csv.writer(file)
    first = ("repository", "url", "state", "reason", "changed", "pull_request", "pull_request_state", "base", "seconds")
    writer.writerow(map(_cell, (*first, "files", *statuses, *rules)))
    for one in report["repositories"]:
        plan, pull = one["plan"] or {}, one["pull_request"] or {}
        by_status = Counter(found["status"] for found in plan.get("findings", ()))
        by_rule = Counter(found["rule"] for found in plan.get("findings", ()))
        about = (one["name"], one["page"] or one["url"], one["state"], one["reason"], one["changed"])
        cells = (*about, pull.get("url", ""), pull.get("state", ""), plan.get("base", ""), plan.get("seconds", ""))
        counts = (
            len(plan.get("files", ())),
            *(by_status[name] for name in statuses),
            *(by_rule[name] for name in rules),
        )
        writer.writerow(map(_cell, (*cells, *counts)))
    return file.getvalue()


def _cell(value: object) -> object:
    """The value as one line that is no formula."""
    if not isinstance(value, str):
        return value
    line = one_line(value)
    return f"'{line}" if line.startswith(_FORMULAS) else line


def findings(report: dict[str, Any]) -> str:
    """A line of JSON for each finding: what the report says of it, its repository and the commit that was looked at."""
    return "".join(
        json.dumps({"repository": one["name"], "base": one["plan"]["base"], **found}) + "\n"
        for one in report["repositories"]
        if one["plan"]
        for found in one["plan"]["findings"]
    )
