"""What iacfix writes into a pull request to know it again: a section of its text, and a marker that nobody sees."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from fixer.model import Status
from fixer.report.diff import unified
from fixer.result import FileChange, Outcome

_BEGIN, _END = "<!-- iacfix:begin -->", "<!-- iacfix:end -->"
_MARKER = re.compile(r"<!-- iacfix:v1 (\{.*?\}) -->", re.DOTALL)
_SECTION = re.compile(f"{_BEGIN}.*?{_END}", re.DOTALL)


@dataclass(frozen=True)
class Marker:
    """What a pull request says of itself."""

    campaign: str
    fingerprint: str
    """Of the changes; see `fingerprint`."""
    base: str
    """The commit that they were made on."""
    head: str
    """The commit that iacfix put the branch on."""
    title: str
    """The title that iacfix gave it."""
    tool: str
    """The version that wrote it."""
    done: bool = False
    """Whether iacfix closed it itself, since nothing is left to fix."""

    @classmethod
    def of(cls, body: str | None) -> Marker | None:
        """The marker in a pull request's text; None if it is not one of iacfix's."""
        found = _MARKER.search(body or "")
        if not found:
            return None
        try:
            return cls(**json.loads(found[1]))
        except (ValueError, TypeError):
            return None

    def __str__(self) -> str:
        text = json.dumps(asdict(self), sort_keys=True)
        # Within a JSON string only; and an HTML comment ends at two hyphens for some readers.
        return f"<!-- iacfix:v1 {text.replace('--', '-' + chr(92) + 'u002d').replace('>', chr(92) + 'u003e')} -->"


def body(text: str, marker: Marker, there: str | None = None) -> str:
    """The text of a pull request: iacfix's section, and what people wrote around the section that is there."""
    section = f"{_BEGIN}\n{text.strip()}\n\n{marker}\n{_END}"
    old = (there or "").replace("\r\n", "\n")
    if _SECTION.search(old):
        return _SECTION.sub(lambda _: section, old, count=1)
    return f"{section}\n\n{_MARKER.sub('', old).strip()}".rstrip() + "\n"


def same_body(one: str | None, other: str) -> bool:
    """Whether two texts are the same to a reader; the host may change line ends."""
    return (one or "").replace("\r\n", "\n").strip() == other.strip()


def fingerprint(outcomes: Iterable[Outcome], files: Sequence[FileChange]) -> str:
    """What the changes are, wherever in a file they stand: the rules, and each hunk's old and new lines by file."""
    rules: dict[str, set[str]] = {}
    for one in outcomes:
        if one.status is Status.FIXED:
            rules.setdefault(one.path, set()).add(one.rule)
    parts = sorted((change.path, *sorted(rules.get(change.path, ())), *_lines(change)) for change in files)
    return "sha256:" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _lines(change: FileChange) -> list[str]:
    """The lines of the file's diff that go and that come, and its names; not where they stand, nor what is around."""
    lines = unified([change]).split(b"\n")
    return [line.decode("utf-8", "backslashreplace") for line in lines if line.startswith((b"-", b"+"))]
