"""The report as Markdown, short enough for the text of an issue."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from fixer.model import Status
from fixer.report import wording
from fixer.report.gfm import LIMIT, Section, code, link, page, prose, table, text

_URL = re.compile(r"https?://[^\s<>()\[\]\"'`\\|]+")


def render(report: dict[str, Any]) -> str:
    """The report; of the repositories that do not fit, it says how many there are."""
    campaign, summary = report["campaign"], report["summary"]
    findings = sum(summary["findings"].values())
    opening = (
        f"# Campaign {code(campaign['name'])}",
        "",
        f"{wording.count(summary['repositories'], 'repository').replace('repositorys', 'repositories')}, "
        f"{wording.count(findings, 'finding')}, {summary['findings']['fixed']:,} of them fixed by the plans; "
        f"as of {report['made']}, by iacfix {report['tool']}.",
    )
    sections = (_states(summary), _failures(report), _rules(report), _repositories(report))
    return page(opening, [one for one in sections if one.rows], limit=LIMIT)


def _states(summary: dict[str, Any]) -> Section:
    rows = [(state, f"{number:,}") for state, number in summary["states"].items() if number]
    return table("Repositories by state", ("state", "repositories"), rows, align="--:")


def _failures(report: dict[str, Any]) -> Section:
    rows = [
        (
            code(one["kind"]),
            f"{one['repositories']:,}",
            f"{one['attempts']:,}",
            code(one["repository"]),
            text(one["error"]),
        )
        for one in report["failures"]
    ]
    columns = ("class", "repositories now", "attempts", "the last", "said")
    return table("Failures", columns, rows, align=("---", "--:", "--:", "---", "---"))


def _rules(report: dict[str, Any]) -> Section:
    columns = ("rule", "repositories", *(status.value for status in Status))
    rows = [(code(one["rule"]), *(f"{one[name]:,}" for name in columns[1:])) for one in report["rules"]]
    return table("Rules", columns, rows, align="--:")


def _repositories(report: dict[str, Any]) -> Section:
    columns = ("repository", "state", "pull request", "fixed", "left", "reason")
    align = ("---", "---", "---", "--:", "--:", "---")
    return table("Repositories", columns, [_row(one) for one in report["repositories"]], align=align)


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    pull = one["pull_request"]
    counts = Counter(found["status"] for found in one["plan"]["findings"]) if one["plan"] else Counter()
    left = sum(counts.values()) - counts["fixed"] - counts["suppressed"]
    there = link(f"{pull['number']}, {pull['state']}", _url(pull["url"])) if pull else ""
    return (
        link(code(one["name"]), _url(one["page"])),
        one["state"],
        there,
        f"{counts['fixed']:,}",
        f"{left:,}",
        prose(one["reason"]),
    )


def _url(raw: str) -> str:
    """The address if it is one that Markdown takes as it is; else empty."""
    return raw if _URL.fullmatch(raw) else ""
