"""The layout that `terraform fmt` gives to lines: which `=` and which trailing comments stand below each other.

The rules are those of `formatCells` and `linesForFormat` in hashicorp/hcl, hclwrite/format.go, tried on Terraform 1.11:
lines that follow each other and hold a whole `name = value` align their first `=`; lines that follow each other and
end in a `#` or `//` comment align it. Every other line ends the run.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, groupby

from fixer.model import Edit

_TOKEN = re.compile(
    rb"""(?P<newline>\n)
    |(?P<blank>[ \t\r]+)
    |(?P<comment>(?:\#|//)[^\n]*)
    |/\*.*?(?:\*/|\Z)
    |(?P<heredoc><<-?(?P<marker>[\w.-]+)\r?\n)
    |(?P<quote>")
    |(?P<open>[\[({])
    |(?P<close>[\])}])
    |[=!<>]=|=>
    |(?P<equals>=)
    |[\w.-]+
    |.""",
    re.VERBOSE | re.DOTALL,
)
_IN_STRING = re.compile(rb'\\.|\$\$\{|%%\{|(?P<code>[$%]\{)|(?P<quote>")|\n', re.DOTALL)
_IN_CODE = re.compile(rb'(?P<quote>")|(?P<open>\{)|(?P<close>\})')


@dataclass
class Line:
    """A line of HCL as `terraform fmt` sees it; one with a heredoc reaches to the marker that ends it.

    Offsets count bytes. `lead` is where the code before the first `=` ends, `code` where all code ends. `is_whole` says
    whether all brackets behind that `=` are closed.
    """

    start: int
    end: int
    first: int
    lead: int = 0
    equals: int | None = None
    code: int = 0
    comment: int | None = None
    is_whole: bool = True


@dataclass(frozen=True)
class Gap:
    """The spaces before an aligned `=` or comment, those that `terraform fmt` wants there, and their line's number."""

    line: int
    start: int
    end: int
    wanted: int


def skip_string(text: bytes, start: int) -> int:
    """The offset behind the quoted template that opens at `start`; the end of its line if it is not closed."""
    position, nesting = start + 1, ['"']
    while nesting:
        pattern = _IN_STRING if nesting[-1] == '"' else _IN_CODE
        match = pattern.search(text, position)
        if match is None:
            return len(text)
        position = match.end()
        kind = match.lastgroup
        if nesting[-1] == '"':
            if kind == "quote":
                nesting.pop()
            elif kind == "code":
                nesting.append("{")
            elif match.group() == b"\n" and len(nesting) == 1:
                return match.start()
        elif kind == "close":
            nesting.pop()
        else:
            nesting.append('"' if kind == "quote" else "{")
    return position


def _skip_heredoc(text: bytes, body: int, marker: bytes) -> int:
    closing = re.compile(rb"^[ \t]*" + re.escape(marker) + rb"(?=[ \t\r]*$)", re.MULTILINE).search(text, body)
    return closing.end() if closing else len(text)


def lines(text: bytes) -> list[Line]:
    """The lines of HCL that starts outside of any string or comment, blank ones and all."""
    found: list[Line] = []
    position, size = 0, len(text)
    while position <= size:
        line = Line(position, size, -1)
        net, equals, lead = 0, None, 0
        while position < size:
            match = _TOKEN.match(text, position)
            assert match is not None  # noqa: S101  the last branch takes any byte
            kind, start, position = match.lastgroup, position, match.end()
            if kind == "newline":
                line.end = start
                break
            if kind == "blank":
                continue
            if kind == "comment" and line.first >= 0:
                line.comment = start
                continue
            if kind == "equals" and equals is None and line.first >= 0:
                equals, lead, net = start, line.code, 0
            elif kind == "open":
                net += 1
            elif kind == "close":
                net -= 1
            elif kind == "quote":
                position = skip_string(text, start)
            elif kind == "heredoc":
                position = _skip_heredoc(text, position, match["marker"])
            if line.first < 0:
                line.first = start
            line.code = position
        else:
            position = size + 1
        if equals is not None:
            line.equals, line.lead, line.is_whole = equals, lead, net == 0
        found.append(line)
    return found


def columns(text: bytes) -> int:
    """How many columns `terraform fmt` counts for it: one a character, none for marks that join the one before."""
    characters = text.decode(errors="replace")
    if characters.isascii():
        return len(characters)
    joined = sum(unicodedata.category(c) in ("Mn", "Me", "Cf") for c in characters)
    return len(characters) - joined


def _runs(text: bytes, found: Sequence[Line], ends: Callable[[Line], tuple[int, int] | None]) -> Iterator[list[Gap]]:
    """The gaps of lines that follow each other; `ends` says where a line's gap starts and ends, if it has one.

    A line whose value goes on below has its `=` a space behind its name.
    """

    def run_of(number: int) -> int | None:
        if ends(found[number]) is None:
            return None
        return -1 if ends is _comment or found[number].is_whole else number

    for kind, numbers in groupby(range(len(found)), run_of):
        if kind is not None:
            run = [(number, *span) for number in numbers if (span := ends(found[number]))]
            widths = [columns(text[found[number].start : start]) for number, start, _ in run]
            widest = max(widths)
            yield [Gap(*gap, widest - width + 1) for gap, width in zip(run, widths, strict=True)]


def _assignment(line: Line) -> tuple[int, int] | None:
    return None if line.equals is None else (line.lead, line.equals)


def _comment(line: Line) -> tuple[int, int] | None:
    return None if line.comment is None else (line.code, line.comment)


def _wrong(text: bytes, run: Iterable[Gap]) -> list[Gap]:
    return [gap for gap in run if text[gap.start : gap.end] != b" " * gap.wanted]


def settle(old: bytes, edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The edits, and those that keep aligned what was aligned.

    `old` is whole lines, the first of them in no string or comment. The edits count from its start, are in order and
    don't overlap. A run that was not aligned before stays as it is; a run of new lines is aligned.
    """
    before = lines(old)
    for ends in (_assignment, _comment):
        crooked = {gap.line for run in _runs(old, before, ends) for gap in _wrong(old, run)}
        edits = _aligned(old, edits, ends, {before[number].first for number in crooked})
    return tuple(edits)


def _aligned(
    old: bytes, edits: Sequence[Edit], ends: Callable[[Line], tuple[int, int] | None], crooked: set[int]
) -> list[Edit]:
    """The edits with spaces put right; a run with a line whose first byte stood at one of `crooked` is left alone."""
    texts = [edit.text.encode() for edit in edits]
    pieces: list[tuple[bytes, int, int | None]] = []  # bytes, where they stood, number of the edit if they are new
    position = 0
    for number, edit in enumerate(edits):
        pieces += (old[position : edit.start], position, None), (texts[number], edit.start, number)
        position = edit.end
    pieces.append((old[position:], position, None))
    starts = list(accumulate((len(data) for data, _, _ in pieces[:-1]), initial=0))
    text = b"".join(data for data, _, _ in pieces)
    found = lines(text)
    spaces: list[Edit] = []

    def was_crooked(gap: Gap) -> bool:
        first = found[gap.line].first
        number = bisect_right(starts, first) - 1
        _, origin, edit = pieces[number]
        return edit is None and origin + first - starts[number] in crooked

    runs = [run for run in _runs(text, found, ends) if not any(map(was_crooked, run))]
    for gap in reversed([gap for run in runs for gap in _wrong(text, run)]):
        number = bisect_right(starts, gap.start) - 1
        data, origin, new = pieces[number]
        start, end = gap.start - starts[number], gap.end - starts[number]
        if end > len(data):
            continue
        if new is None:
            spaces.append(Edit("", origin + start, origin + end, " " * gap.wanted))
        else:
            texts[new] = texts[new][:start] + b" " * gap.wanted + texts[new][end:]
    changed = [replace(edit, text=text.decode()) for edit, text in zip(edits, texts, strict=True)]
    return sorted([*changed, *spaces], key=lambda edit: (edit.start, edit.end))


@lru_cache(maxsize=64)
def align(text: str) -> str:
    """HCL with its `=` and its trailing comments aligned."""
    return settle(b"", (Edit("", 0, 0, text),))[0].text


def is_aligned(text: bytes) -> bool:
    """Whether all that `terraform fmt` would align is aligned."""
    found = lines(text)
    return not any(_wrong(text, run) for ends in (_assignment, _comment) for run in _runs(text, found, ends))
