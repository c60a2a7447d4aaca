"""Comments by which people keep a finding: iacfix's own, and those that they wrote for other scanners.

Sources of the scanners' forms: checkov "Suppressing and Skipping Policies", tfsec "Ignoring Warnings", trivy
"Filtering: inline ignore", KICS "Running KICS: comment commands", bandit "Exclusions".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from fixer.model import Finding, Rule

_WORDS = (b"iacfix:", b"checkov:skip", b"tfsec:ignore", b"trivy:ignore", b"kics-scan", b"nosec")

_OWN = re.compile(r"iacfix:\s*ignore(?P<file>-file)?\b(?:\[(?P<rules>[^\]]*)\])?", re.I)
_SKIP = re.compile(r"(?:checkov:skip\s*=\s*|(?:tfsec|trivy):ignore:)(?P<id>[\w*-]+)", re.I)
_KICS = re.compile(r"kics-scan\s+(?P<what>ignore-line|ignore-block|ignore|disable\s*=\s*(?P<ids>[\w,-]+))", re.I)
_NOSEC = re.compile(r"#\s*nosec\b", re.I)


def may_suppress(source: bytes) -> bool:
    """Whether a file may hold a suppression; quick, and right if it says no."""
    lower = source.lower()
    return any(word in lower for word in _WORDS)


@dataclass
class _Own:
    """A comment of iacfix's own."""

    line: int
    whole_file: bool
    rules: frozenset[str]
    used: set[str] = field(default_factory=set)

    def covers(self, rule: str) -> bool:
        return not self.rules or rule in self.rules


class Suppressions:
    """The suppressions in one file.

    Args:
        source: The file's bytes.
        comments: Start, end and text of each of its comments, in order.
    """

    def __init__(self, source: bytes, comments: Iterable[tuple[int, int, str]]) -> None:
        self._source = source
        self._own: list[_Own] = []
        self._ids: list[tuple[int, str]] = []
        self._ignored_lines: set[int] = set()
        self._ignored_blocks: set[int] = set()
        self._nosec: set[int] = set()
        self._comment_lines: set[int] = set()
        self._whole_file = False
        for start, end, text in comments:
            self._read(self.line(start), self.line(max(start, end - 1)), start, text)

    def line(self, offset: int) -> int:
        """The number of the line that the byte is in, from 1."""
        return self._source.count(b"\n", 0, offset) + 1

    def _read(self, line: int, last: int, start: int, text: str) -> None:
        if not self._source[self._source.rfind(b"\n", 0, start) + 1 : start].strip():
            self._comment_lines.update(range(line, last + 1))
        for match in _OWN.finditer(text):
            names = frozenset(part.strip().lower() for part in (match["rules"] or "").split(",") if part.strip())
            self._own.append(_Own(line, match["file"] is not None, names))
        self._ids += [(line, match["id"].lower()) for match in _SKIP.finditer(text)]
        for match in _KICS.finditer(text):
            what = match["what"].lower()
            if match["ids"]:
                self._ids += [(0, one.strip().lower()) for one in match["ids"].split(",")]
            elif what == "ignore":
                self._whole_file = True
            else:
                (self._ignored_lines if what == "ignore-line" else self._ignored_blocks).add(last + 1)
        if _NOSEC.search(text):
            self._nosec.add(line)

    def reason(self, finding: Finding, rule: Rule) -> str | None:
        """Who suppresses the finding, as a sentence without a full stop; None if nobody does."""
        scope_start, scope_end = finding.scope or (finding.start, finding.end)
        first, last = self.line(scope_start), self.line(max(scope_start, scope_end - 1))
        lines = {self.line(finding.start), first}
        near = lines | {line - 1 for line in lines if line - 1 in self._comment_lines}
        for own in self._own:
            if own.covers(rule.name) and (own.whole_file or own.line in near):
                own.used.add(rule.name)
                return f"Suppressed by the comment on line {own.line}"
        above = first
        while above - 1 in self._comment_lines:
            above -= 1
        scanners = {one.lower(): one for one in rule.scanners}
        for line, check in self._ids:
            if (check in scanners or check == "*") and (line == 0 or above <= line <= last):
                return f"Suppressed for another scanner: {scanners.get(check, check)}"
        if self._whole_file or lines & self._ignored_lines or first in self._ignored_blocks:
            return "Suppressed for another scanner: KICS"
        if lines & self._nosec:
            return "Suppressed by # nosec"
        acknowledged = sorted(one for one in finding.acknowledged if one.lower() in scanners)
        return f"Acknowledged for cdk-nag: {acknowledged[0]}" if acknowledged else None

    def unused(self, rules: Iterable[str]) -> list[tuple[int, str]]:
        """Line and rule of iacfix's own suppressions of the given rules that suppressed nothing."""
        ran = set(rules)
        found = []
        for own in self._own:
            found += [(own.line, name) for name in sorted(own.rules & ran - own.used)]
            if not own.rules and not own.used:
                found.append((own.line, "every rule"))
        return found
