"""GitHub's Markdown: text that stays what it is, links, tables, and a limit that whole rows are left off for.

Sources: the GitHub Flavored Markdown specification; for what github.com makes of the result, "Basic writing and
formatting syntax", "Autolinked references and URLs" and "Writing mathematical expressions" in its documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fixer.report import wording

LIMIT = 60_000
"""Characters; GitHub takes 65,536 in the text of a pull request, and the one who sends it may add some."""
_RESERVE = 200
"""Characters kept for the sentence about the rows left off."""

ZERO_WIDTH_SPACE = "\u200b"
_SPACE = "&#8203;"
"""A zero-width space; what would be a mention, a reference or a link is none with this in its midst."""

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_MARKUP = re.compile(r"[\\`*_\[\]|~$!#]")
_OPENS_LIST = re.compile(r"^(\d+(?=[.)])|(?=[-+]))")
_CODE = re.compile(r"(?<!`)`([^`\s](?:[^`]*[^`\s])?)`(?!`)")
_PLAIN_CODE = re.compile(r"(?:[\w\-./:,;=+*'\"()\[\]{}!?%^~$ ]|#(?!\w))+", re.ASCII)

_UNBROKEN = 24
"""Characters of a path that stay on one line."""

_LINKED = re.compile(
    r"@(?=\S)"  # a mention, an address, a commit of somebody's
    r"|#(?=\w)"  # the number of an issue
    r"|\b(?:GH|GHSA|CVE)-(?=\w)"
    r"|:(?=//|[\w+\\-]+:)"  # a URL, an emoji
    r"|\bwww(?=\.)",
    re.IGNORECASE,
)
_HASH = re.compile(r"(?<![0-9a-zA-Z])(?=[0-9]*[a-f])[0-9a-f]{7,40}(?![0-9a-zA-Z])")
"""What GitHub may take for a commit. Digits alone stay whole: they are account numbers."""
_SHORT_OF_HASH = re.compile(r"[0-9a-f]{6}(?=.)")


# ---- text --------------------------------------------------------------------------------------


def text(raw: str) -> str:
    """The text as itself on one line: no markup, no HTML, no mention, no reference, no link, no emoji, no formula."""
    line = wording.one_line(raw)
    return _OPENS_LIST.sub(r"\1\\", _dollars(_escaped(line), line))


def prose(raw: str) -> str:
    """The same, but what stands in backticks is code."""
    line = wording.one_line(raw)
    pieces = _CODE.split(line)  # every second one stood in backticks
    shown = (code(piece) if number % 2 else _escaped(piece) for number, piece in enumerate(pieces))
    return _OPENS_LIST.sub(r"\1\\", _dollars("".join(shown), "".join(pieces[::2])))


def code(raw: str) -> str:
    """The text as code on one line, such as a path; empty if it is."""
    line = wording.one_line(raw)
    if not line:
        return ""
    return f"`{line}`" if _PLAIN_CODE.fullmatch(line) else f"<code>{_escaped(line)}</code>"


def path(raw: str) -> str:
    """A path as code; a long one may be broken behind each `/`, as a cell of a table would grow with it else."""
    line = wording.one_line(raw)
    if len(line) <= _UNBROKEN:
        return code(line)
    return f"<code>{'/<wbr>'.join(map(_escaped, line.split('/')))}</code>"


def unlinked(raw: str, space: str = ZERO_WIDTH_SPACE) -> str:
    """The text in which GitHub finds neither mentions nor references nor links; for text that is no Markdown, too."""
    broken = _LINKED.sub(lambda found: found[0] + space, raw)
    return _HASH.sub(lambda found: _SHORT_OF_HASH.sub(lambda part: part[0] + space, found[0]), broken)


def _escaped(line: str) -> str:
    return unlinked(_MARKUP.sub(r"\\\g<0>", line.translate(_ENTITIES)), _SPACE)


def _dollars(escaped: str, line: str) -> str:
    """Two dollar signs may hold a formula between them, whatever stands before them; in elements of their own, none."""
    return escaped if line.count("$") < 2 else escaped.replace(r"\$", "<span>$</span>")


def link(shown: str, url: str) -> str:
    """What is shown, which is Markdown already, as a link; without a URL it is none, and of nothing neither."""
    return f"[{shown}]({url})" if shown and url else shown


# ---- sections ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Section:
    """Lines that open it, rows, of which it may show only the first ones, and lines that close it."""

    head: tuple[str, ...]
    rows: tuple[str, ...]
    tail: tuple[str, ...] = ()

    def folded(self, summary: str) -> Section:
        """The section to be opened by a click on its summary, which is plain text."""
        opening = ("<details>", f"<summary>{summary.translate(_ENTITIES)}</summary>", "")
        return Section((*opening, *self.head), self.rows, (*self.tail, "", "</details>"))


def table(
    title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]], align: str | Iterable[str] = "---"
) -> Section:
    """A table; its cells are Markdown already.

    `align` is what stands below the names of the columns: one for all but the first, or one for each.
    """
    names = tuple(columns)
    below = ("---", *(align for _ in names[1:])) if isinstance(align, str) else tuple(align)
    heading = (f"### {title}", "") if title else ()
    return Section((*heading, _cells(names), _cells(below)), tuple(map(_cells, rows)))


def _cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def page(opening: Iterable[str], sections: Iterable[Section], closing: Iterable[str] = (), *, limit: int) -> str:
    """The lines, the sections that have rows, with an empty line before each, and the closing lines.

    What would make it longer than `limit` characters is left off by whole rows, and a sentence before the closing lines
    says how many. Opening and closing lines are never left off.
    """
    lines, last = list(opening), list(closing)
    room = limit - _RESERVE - _length(lines) - _length(last)
    left_off = 0
    for section in sections:
        head, tail = ("", *section.head), section.tail
        needed = _length(head) + _length(tail)
        for row in section.rows:
            needed += len(row) + 1
            if left_off or needed > room:
                left_off += 1
                continue
            lines += (*head, row)
            room -= needed
            head, needed = (), 0
        if not head:
            lines += tail
    if left_off:
        lines += ["", f"{wording.count(left_off, 'more row')} left off: this text ends at {limit:,} characters."]
    return "\n".join((*lines, *last)) + "\n"


def _length(lines: Iterable[str]) -> int:
    return sum(len(line) + 1 for line in lines)
