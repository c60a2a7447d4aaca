"""The report as one HTML page that needs no network, and lets nothing that stands in it act.

All text is escaped, and what could command or mislead is written as an escape. A content security policy allows the
page's own style and script alone, by their hashes. Without scripts all is there but search, filter and colours.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib import resources
from itertools import groupby
from typing import Any
from urllib.parse import quote

from fixer.migrate.report.chart import burndown
from fixer.migrate.report.markup import escaped, link, moment, table
from fixer.migrate.states import State
from fixer.model import Status
from fixer.report.wording import count, printable

_MOST_ROWS = 200
"""Repositories in the table of rules."""
_MOST_FINDINGS = 20
"""Findings that a repository's entry tells of."""
_SYMBOLS = {
    State.DISCOVERED: "○",
    State.CLEAN: "✓",
    State.PLANNED: "◐",
    State.OPEN: "●",
    State.MERGED: "✓",
    State.CLOSED: "×",
    State.DECLINED: "×",
    State.SKIPPED: "–",
    State.DEFERRED: "○",
    State.QUARANTINED: "!",
    State.FAILED: "!",
}


def render(report: dict[str, Any]) -> str:
    """The page."""
    style, script = _own("page.css"), _own("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    name = escaped(report["campaign"]["name"])
    return "".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="referrer" content="no-referrer">\n',
            f"<title>{name}: campaign of iacfix</title>\n<style>{style}</style>\n</head>\n<body>\n",
            *_body(report, name),
            f"<script>{script}</script>\n</body>\n</html>\n",
        )
    )


def _own(name: str) -> str:
    return resources.files("fixer.migrate.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


# ---- the page's parts --------------------------------------------------------------------------


def _body(report: dict[str, Any], name: str) -> Iterator[str]:
    parts = [
        ("totals", "Totals", _totals(report["summary"])),
        ("progress", "What is left over time", burndown(report["progress"])),
        ("failures", "Failures by class", _failures(report["failures"])),
        ("rules", "Rules", _rules(report["rules"])),
        ("matrix", "Rules by repository", _matrix(report)),
        ("repositories", "Repositories", _repositories(report)),
    ]
    campaign, shown = report["campaign"], [one for one in parts if one[2]]
    yield '<a class="skip" href="#repositories">To the repositories</a>\n'
    started = f"Started {moment(campaign['started'])}. " if campaign["started"] else ""
    yield f'<header>\n<h1>Campaign <bdi>{name}</bdi></h1>\n<p class="quiet">{started}'
    yield f"As of {moment(report['made'])}, by iacfix {escaped(report['tool'])}.</p>\n</header>\n"
    links = "".join(f'<li><a href="#{key}">{title}</a></li>' for key, title, _ in shown)
    yield f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n<main>\n'
    for key, title, content in shown:
        heading = f'<h2 id="{key}-title">{title}</h2>\n'
        yield f'<section id="{key}" aria-labelledby="{key}-title">\n{heading}{content}</section>\n'
    yield "</main>\n"


def _totals(summary: dict[str, Any]) -> str:
    findings = summary["findings"]
    pulls = summary["pull_requests"]
    facts = (
        ("repositories", summary["repositories"]),
        ("findings", sum(findings.values())),
        ("fixed by the plans", findings["fixed"]),
        ("need a greater impact", findings["fixable"]),
        ("left to people", findings["manual"] + findings["failed"]),
        ("files changed", summary["files"]),
        ("pull requests", sum(pulls.values())),
    )
    shown = "".join(f"<li><strong>{number:,}</strong>{name}</li>" for name, number in facts)
    states = [(State(name), number) for name, number in summary["states"].items() if number]
    rows = [
        (f"{_SYMBOLS[state]} {state.value}", number, f"{number / summary['repositories']:.0%}")
        for state, number in states
    ]
    lines = (
        f"<p>The plans add {count(summary['added'], 'line')} and take {count(summary['removed'], 'line')} away.</p>\n"
    )
    by_state = table("Repositories by state", ("state", "repositories", "share"), rows, numbers=True)
    return f'<ul class="facts">{shown}</ul>\n{lines if summary["files"] else ""}{by_state}'


def _failures(failures: list[dict[str, Any]]) -> str:
    rows = [
        (f"<code>{escaped(one['kind'])}</code>", one["repositories"], one["attempts"], _failed(one)) for one in failures
    ]
    columns = ("class", "repositories now", "attempts", "the last")
    return table("Attempts that failed", columns, rows)


def _failed(one: dict[str, Any]) -> str:
    if not one["repository"]:
        return "none that stands: later attempts succeeded, or failed otherwise"
    return f"<bdi>{escaped(one['repository'])}</bdi>: {escaped(one['error'])}"


def _rules(rules: list[dict[str, Any]]) -> str:
    columns = ("rule", "repositories", *_occurring(rules))
    rows = [(f"<code>{escaped(one['rule'])}</code>", *(one[name] for name in columns[1:])) for one in rules]
    return table("Findings by rule; fixed is what the plans fix", columns, rows)


def _occurring(counts: Collection[Mapping[str, int]]) -> list[str]:
    """The statuses that there is a finding with."""
    return [status.value for status in Status if any(by[status.value] for by in counts)]


def _matrix(report: dict[str, Any]) -> str:
    """How many findings each rule has in each repository: those fixed, and all."""
    rules = [one["rule"] for one in report["rules"]]
    there = [one for one in report["repositories"] if one["plan"] and one["plan"]["findings"]]
    there.sort(key=lambda one: -len(one["plan"]["findings"]))
    rows = [(f"<bdi>{escaped(one['name'])}</bdi>", *_by_rule(one, rules)) for one in there[:_MOST_ROWS]]
    about = "Findings fixed by the plan, of all"
    if len(there) > _MOST_ROWS:
        about += f"; the {_MOST_ROWS} repositories with the most of {len(there):,}, all are in repos.csv"
    heads = ("repository", *(f"<code>{escaped(rule)}</code>" for rule in rules))
    return table(about, heads, rows, numbers=True)


def _by_rule(one: dict[str, Any], rules: Sequence[str]) -> Iterator[str]:
    all_of: Counter[str] = Counter(found["rule"] for found in one["plan"]["findings"])
    fixed = Counter(found["rule"] for found in one["plan"]["findings"] if found["status"] == Status.FIXED.value)
    for rule in rules:
        yield f"{fixed[rule]:,} of {all_of[rule]:,}" if all_of[rule] else '<span class="zero">–</span>'


# ---- repositories ------------------------------------------------------------------------------


def _repositories(report: dict[str, Any]) -> str:
    if not report["repositories"]:
        return "<p>There are none.</p>\n"
    entries = "".join(map(_entry, report["repositories"]))
    return (
        f'{_form(report)}<p id="shown" role="status">Search and filter need JavaScript; all else is here.</p>\n'
        f'<ul id="list" role="list">\n{entries}</ul>\n'
        '<button type="button" id="more" hidden>Show more</button>\n'
    )


def _form(report: dict[str, Any]) -> str:
    states = [(state, report["summary"]["states"][state.value]) for state in State]
    boxes = "".join(
        f'<label><input type="checkbox" name="state" value="{state.value}">'
        f"{_SYMBOLS[state]} {state.value} ({number:,})</label>"
        for state, number in states
        if number
    )
    rules = "".join(f"<option>{escaped(one['rule'])}</option>" for one in report["rules"])
    return (
        '<form id="filter" role="search" aria-label="Repositories" hidden>\n<div class="fields">'
        '<label>Search<input type="search" name="words" autocomplete="off" spellcheck="false"></label>'
        f'<label>Rule<select name="rule"><option value="">any</option>{rules}</select></label></div>\n'
        f'<fieldset><legend>State</legend>{boxes}</fieldset>\n<button type="reset">Show all</button></form>\n'
    )


def _entry(one: dict[str, Any]) -> str:
    plan, pull = one["plan"], one["pull_request"]
    findings = plan["findings"] if plan else []
    rules = " ".join(sorted({found["rule"] for found in findings}))
    state = State(one["state"])
    fixed = sum(found["status"] == Status.FIXED.value for found in findings)
    numbers = f"{fixed:,} of {count(len(findings), 'finding')} fixed" if findings else ""
    facts = " · ".join(filter(None, (numbers, f"pull request {pull['number']}" if pull else "")))
    said = f"{one['reason']} {one['page']} {rules} {' '.join(attempt['kind'] for attempt in one['attempts'])}"
    return (
        f'<li data-state="{state.value}" data-rules="{escaped(rules)}" data-said="{escaped(said)}">'
        f'<details><summary><bdi class="name">{escaped(one["name"])}</bdi> '
        f'<span class="state">{_SYMBOLS[state]} {state.value}</span> <span class="quiet">{facts}</span></summary>\n'
        f'<div class="inside">{_about(one)}{_findings(one)}{_diff(one)}</div></details></li>\n'
    )


def _about(one: dict[str, Any]) -> str:
    plan, pull = one["plan"], one["pull_request"]
    why = f": {escaped(one['reason'])}" if one["reason"] else ""
    lines = [
        f"{one['state'].capitalize()} since {moment(one['changed'])}{why}.",
        link(escaped(one["page"] or one["url"]), one["page"]),
    ]
    if one["until"]:
        lines.append(f"To be tried again after {moment(one['until'])}.")
    if pull:
        number = link(f"Pull request {pull['number']}", pull["url"])
        lines.append(f"{number}, {pull['state']}, opened {moment(pull['opened'])}.")
    if plan:
        changes = f", {count(len(plan['files']), 'file')} to change" if plan["files"] else ""
        lines.append(
            f"Planned in {plan['seconds']:,.1f} s for commit <code>{escaped(plan['base'][:12])}</code>{changes}."
        )
    lines += [_failure(attempt) for attempt in one["attempts"] if attempt["kind"]][-3:]
    return "".join(f"<p>{line}</p>\n" for line in lines)


def _failure(attempt: dict[str, Any]) -> str:
    what = f"{attempt['stage']} failed, <code>{escaped(attempt['kind'])}</code>"
    return f"{moment(attempt['started'])}: {what}: {escaped(attempt['error'])}"


def _findings(one: dict[str, Any]) -> str:
    """A table of rules, and what is left to people."""
    findings = one["plan"]["findings"] if one["plan"] else []
    if not findings:
        return ""
    ordered = sorted(findings, key=lambda found: found["rule"])
    groups = groupby(ordered, key=lambda found: str(found["rule"]))
    counts = {rule: Counter(found["status"] for found in group) for rule, group in groups}
    statuses = _occurring(counts.values())
    rows = [(f"<code>{escaped(rule)}</code>", *(by[status] for status in statuses)) for rule, by in counts.items()]
    by_rule = table("Findings by rule", ("rule", *statuses), rows)
    left = [found for found in findings if found["status"] in (Status.MANUAL.value, Status.FAILED.value)]
    entries = "".join(f"<li>{_finding(one, found)}</li>\n" for found in left[:_MOST_FINDINGS])
    more = f"<p>{len(left) - _MOST_FINDINGS:,} more are in findings.jsonl.</p>\n" if len(left) > _MOST_FINDINGS else ""
    return by_rule + (f"<h3>Left to people</h3>\n<ul>{entries}</ul>\n{more}" if left else "")


def _finding(one: dict[str, Any], found: dict[str, Any]) -> str:
    place = f"<code>{escaped(found['path'])}:{found['line']}</code>"
    there = quote(found["path"].encode("utf-8", "surrogateescape"))
    page = f"{one['page'].rstrip('/')}/blob/{one['plan']['base']}/{there}#L{found['line']}" if one["page"] else ""
    why = escaped("; ".join(filter(None, (found["reason"], found["help"]))))
    more = f' <span class="quiet">({why})</span>' if why else ""
    return f"{link(place, page)} {escaped(found['message'])}{more}"


def _diff(one: dict[str, Any]) -> str:
    plan = one["plan"]
    diff = plan and plan["diff"]
    if not diff:
        return ""
    files = count(len(plan["files"]), "file")
    name = escaped(one["name"])
    lines = ("\t".join(map(printable, line.split("\t"))) for line in diff["text"].split("\n"))
    cut = ""
    if diff["left_off"]:
        left_off = count(diff["left_off"], "more line")
        cut = f"<p>{left_off} left off; <code>iacfix migrate show</code> prints all of them.</p>\n"
    shown = html.escape("\n".join(lines), quote=False)
    return (
        f"<details><summary>The diff: {files}, {count(diff['lines'], 'line')}</summary>"
        f'<pre tabindex="0" role="group" aria-label="Diff of {name}">{shown}</pre>{cut}</details>\n'
    )
