"""Arguments and blocks as text to stand elsewhere: with their comments, unindented, and parts of them replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fixer.terraform import layout

if TYPE_CHECKING:
    from fixer.terraform.block import Attribute, Block
    from fixer.terraform.file import TerraformFile

    Replaced = Mapping[Attribute | Block, str]


def span(item: Attribute | Block, file: TerraformFile) -> tuple[int, int]:
    """Where an item starts and ends with the comments right above it and those on its last line."""
    start = file.head(item.start) if file.starts_line(item.start) else item.start
    return start, file.tail(item.end)


def text_of(item: Attribute | Block, file: TerraformFile, replaced: Replaced | None = None) -> str:
    """An item and its comments.

    Args:
        item: An attribute or a block.
        file: The file that it is in.
        replaced: Attributes and blocks, it itself or in it, and what stands in their place, with further lines indented
            as they would be in the file; nothing takes one out.
    """
    return _dedented(_cut(file, *span(item, file), replaced or {}))


def body_of(block: Block, replaced: Replaced | None = None) -> str:
    """What a block's brackets hold; see `text_of`."""
    text = _cut(block.file, *block.inside, replaced or {})
    first, line, others = text.partition("\n")
    return "\n".join(filter(None, (first.strip(" \t\r"), _dedented(others)))) if line else first.strip(" \t")


def nested(kind: str, body: str) -> str:
    """A block of that type around lines."""
    lines = (f"  {line}" if line else "" for line in body.split("\n"))
    return "\n".join([f"{kind} {{", *lines, "}"])


def in_place(attribute: Attribute, kind: str, body: str) -> str:
    """A block of that type around lines, for the place of an attribute."""
    return nested(kind, body).replace("\n", "\n" + attribute.block.file.indent(attribute.start))


def joined(lines: Iterable[str], blocks: Iterable[str]) -> str:
    """Arguments below each other, and blocks with blank lines between; empty ones are left out."""
    return "\n\n".join(filter(None, ("\n".join(filter(None, lines)), *blocks)))


def lost_comments(items: Iterable[tuple[Attribute | Block, TerraformFile]], text: str) -> list[str]:
    """The comments in items and right above them that a text does not have."""
    found = []
    for item, file in items:
        start, end = span(item, file)
        found += [said for place, _, said in file.comments() if start <= place < end and said not in text]
    return found


def _cut(file: TerraformFile, start: int, end: int, replaced: Replaced) -> str:
    text, last = "", start
    for item in sorted((one for one in replaced if start <= one.start < end), key=lambda one: one.start):
        new = replaced[item]
        first, behind = (item.start, item.end) if new else span(item, file)
        if not new and file.starts_line(item.start):
            behind = min(file.next_line(behind), end)
        text += file.text(last, first) + new
        last = behind
    return (text + file.text(last, end)).replace("\r\n", "\n")


def _dedented(text: str) -> str:
    """Lines without the indentation that they share, and without blank ones around; heredocs are left alone."""
    data = text.encode()
    lines = [data[line.start : line.end].decode() for line in layout.lines(data)]
    width = min((len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()), default=0)
    return "\n".join(line[width:] if line.strip() else "" for line in lines).strip("\n")
