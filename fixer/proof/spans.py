"""Which bytes edits touch, in the old content and in the new one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fixer.model import Edit


class Span(NamedTuple):
    """The bytes `start:end`; an empty one is a place between two bytes."""

    start: int
    end: int

    def touches(self, start: int, end: int) -> bool:
        """Whether it changes something of the bytes `start:end`; what is put right beside them does not."""
        return self.start < end and start < self.end if self.end > self.start else start < self.start < end

    def meets(self, start: int, end: int) -> bool:
        """Whether it touches the bytes `start:end` or is right beside them."""
        return self.start <= end and start <= self.end

    def holds(self, start: int, end: int) -> bool:
        """Whether the bytes `start:end` are within it."""
        return self.start <= start < end <= self.end

    def with_space(self, source: bytes) -> Span:
        """The span and the white space around it, which no node of a tree ends with."""
        end = self.end + len(source[self.end :]) - len(source[self.end :].lstrip())
        return Span(len(source[: self.start].rstrip()), end)


def spans(edits: Iterable[Edit]) -> tuple[list[Span], list[Span]]:
    """What the edits of a file replace, as spans of its old content, and what by, as spans of its new content."""
    before, after = [], []
    shift = 0
    for edit in sorted(edits, key=lambda one: (one.start, one.end)):
        size = len(edit.text.encode())
        before.append(Span(edit.start, edit.end))
        after.append(Span(edit.start + shift, edit.start + shift + size))
        shift += size - (edit.end - edit.start)
    return before, after
