"""Texts with holes: strings that code puts together, as plain strings that compare.

Each expression in such a text stands as a hole: its source between two characters that no source has. So a text that
is put together, and the places that put together the same one, compare as strings do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

OPEN, CLOSE = "\ue000", "\ue001"
HOLE = re.compile(f"{OPEN}([^{CLOSE}]*){CLOSE}")


@dataclass(frozen=True)
class Change:
    """What happens to a text: `before`, an expression and `after` take the place of `start:end`.

    With `drop` nothing does.
    """

    start: int
    end: int
    before: str = ""
    after: str = ""
    drop: bool = False

    def apply(self, text: str, made: str) -> str:
        """The text as it will be, with what the expression gives."""
        made = "" if self.drop else f"{self.before}{made}{self.after}"
        return text[: self.start] + made + text[self.end :]

    def moved(self, by: int) -> Change:
        """The same for a text that starts so many characters earlier."""
        return replace(self, start=self.start + by, end=self.end + by)


def hole(code: str) -> str:
    """An expression as part of a text; spaces and the kind of quotes don't count."""
    return f"{OPEN}{''.join(code.split()).replace(chr(34), chr(39))}{CLOSE}"


def holes(text: str) -> list[str]:
    """The source texts of the expressions in a text."""
    return HOLE.findall(text)


def core(text: str) -> str:
    """The longest piece of a text between its holes, which every place that repeats it must hold."""
    return max(HOLE.split(text)[::2], key=len)


def shown(text: str) -> str:
    """A text for people: expressions in braces."""
    return HOLE.sub(r"{\1}", text)


def occurrences(text: str, part: str) -> Iterator[int]:
    """Where a text holds another one as a word of its own, not as a part of another name or of a file's name."""
    start = text.find(part)
    while start >= 0:
        before, after = text[:start][-1:], text[start + len(part) :]
        if not re.match(rf"[\w.{CLOSE}-]", before) and not re.match(rf"[\w{OPEN}-]|\.(?!s3)", after):
            yield start
        start = text.find(part, start + 1)
