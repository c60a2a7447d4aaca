"""One file of a module: its blocks, its comments, its lines, and edits in its own style."""

from __future__ import annotations

import re
from bisect import bisect_right
from codecs import BOM_UTF8
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from fixer.model import Edit
from fixer.terraform import layout, syntax
from fixer.terraform.block import Attribute, Block, EditError
from fixer.terraform.expression import Expr, Traversal, traversal_at

if TYPE_CHECKING:
    from fixer.terraform.module import Module

_BLANKS = re.compile(rb"[ \t\r]*")
_BLANK_END = re.compile(rb"(?:(?:\r?\n[ \t]*)+|[ \t]+)\Z")
_BLANK_LINE = re.compile(rb"[ \t]*(?:\r?\n|\Z)")


@dataclass(frozen=True)
class Place:
    """Where an expression stands: the innermost block, its attribute, and what surrounds it there, from outside in."""

    block: Block | None
    attribute: Attribute | None
    keys: tuple[str, ...]
    """The keys of the objects around it."""
    is_key: bool
    """Whether it is, or is in, a key of one of them."""
    functions: tuple[str, ...]
    """The functions in whose arguments it is."""


class TerraformFile:
    """A file and what stands in it. Offsets count its bytes, a byte order mark among them."""

    def __init__(
        self, module: Module, path: str, source: bytes, *, read_only: bool = False, is_json: bool = False
    ) -> None:
        """Parse `source`, which for a JSON file is what it says put into HCL.

        Raises:
            ParseError: it can't be parsed.
        """
        self.module, self.path, self.read_only = module, path, read_only
        self.is_json = is_json
        self.source = source
        self._tree = syntax.parse(source)

    def __repr__(self) -> str:
        return f"TerraformFile({self.path!r})"

    @cached_property
    def newline(self) -> str:
        """How its first line ends; a line feed if it has one line."""
        end = self.source.find(b"\n")
        return "\r\n" if end > 0 and self.source[end - 1 : end] == b"\r" else "\n"

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks at the top level, in order."""
        bodies = (child for child in self._tree.root_node.children if child.type == "body")
        return tuple(Block(self, node, None) for body in bodies for node in body.children if node.type == "block")

    def comments(self) -> list[tuple[int, int, str]]:
        """Start, end and text of each comment, in order; what looks like one in a string or heredoc is none."""
        return [(start, end, self.text(start, end)) for start, end in self._comments]

    @cached_property
    def _comments(self) -> list[tuple[int, int]]:
        spans = syntax.comments(self._tree.root_node)
        return [(start, end - self.source.endswith(b"\r", start, end)) for start, end in spans]

    @cached_property
    def _comment_ends(self) -> dict[int, int]:
        return dict(self._comments)

    @cached_property
    def traversals(self) -> list[Traversal]:
        """All traversals in it, in order of their start."""
        return [traversal_at(self.source, start) for start in syntax.names(self._tree.root_node)]

    @cached_property
    def strings(self) -> tuple[Expr, ...]:
        """All strings, templates and heredocs in it, in order of their start; those inside of others too."""
        return tuple(Expr(self, [node]) for node in syntax.strings(self._tree.root_node))

    def place(self, start: int, end: int) -> Place:
        """Where in the code an expression stands."""
        keys: list[str] = []
        functions: list[str] = []
        is_key = False
        node = self._tree.root_node.descendant_for_byte_range(start, end)
        while node is not None and node.type != "attribute":
            outer = node.parent
            if outer is not None and outer.type == "object_elem":
                key = next(child for child in outer.children if child.type == "expression")
                is_key = is_key or key == node
                keys.append(self.text(key.start_byte, key.end_byte).strip('"'))
            elif outer is not None and outer.type == "function_call":
                functions.append(self.text(outer.children[0].start_byte, outer.children[0].end_byte))
            node = outer
        block, attribute = self.enclosing(start)
        return Place(block, attribute, tuple(reversed(keys)), is_key, tuple(reversed(functions)))

    def enclosing(self, offset: int) -> tuple[Block | None, Attribute | None]:
        """The innermost block around the byte, and the attribute of that block that it is in."""
        block: Block | None = None
        items: Sequence[Block | Attribute] = self.blocks
        while number := bisect_right(items, offset, key=lambda item: item.start):
            item = items[number - 1]
            if offset >= item.end:
                break
            if isinstance(item, Attribute):
                return block, item
            block, items = item, item.items
        return block, None

    # ---- lines -----------------------------------------------------------------------------------

    def text(self, start: int, end: int) -> str:
        """The text of those bytes."""
        return self.source[start:end].decode()

    def line_start(self, offset: int) -> int:
        """Where the line of the byte starts."""
        return self.source.rfind(b"\n", 0, offset) + 1

    def line_end(self, offset: int) -> int:
        """Where the line of the byte ends, before its line break."""
        end = self.source.find(b"\n", offset)
        if end < 0:
            return len(self.source)
        return end - (end > offset and self.source[end - 1 : end] == b"\r")

    def next_line(self, offset: int) -> int:
        """Where the line after that of the byte starts, or the file ends."""
        end = self.source.find(b"\n", offset)
        return len(self.source) if end < 0 else end + 1

    def indent(self, offset: int) -> str:
        """The white space that the line of the byte starts with."""
        start = self.line_start(offset)
        line = self.source[start : self.line_end(start)].removeprefix(BOM_UTF8)
        return line[: len(line) - len(line.lstrip(b" \t"))].decode()

    def starts_line(self, offset: int) -> bool:
        """Whether nothing but white space stands before the byte on its line."""
        return not self.source[self.line_start(offset) : offset].removeprefix(BOM_UTF8).strip()

    def is_blank(self, line: int) -> bool:
        """Whether the line that starts there is blank; the file's end is."""
        return _BLANK_LINE.match(self.source, line) is not None

    def tail(self, end: int) -> int:
        """Where the comments that follow on the same line end; `end` if there are none."""
        while True:
            match = _BLANKS.match(self.source, end)
            position = match.end() if match else end
            following = self._comment_ends.get(position)
            if following is None:
                return end
            end = following

    def head(self, start: int) -> int:
        """The start of the comments that stand right above the line of the byte, or of that line."""
        head = self.line_start(start)
        number = bisect_right(self._comments, (head, -1)) - 1
        while number >= 0:
            comment, end = self._comments[number]
            alone = self.starts_line(comment) and not self.source[end : self.line_end(end)].strip()
            if not alone or self.next_line(end) != head:
                break
            head = self.line_start(comment)
            number -= 1
        bom = head == 0 and self.source.startswith(BOM_UTF8)
        return 3 if bom else head

    # ---- edits -----------------------------------------------------------------------------------

    def edit(self, start: int, end: int, text: str) -> Edit:
        """Replace the bytes; line breaks in `text` become those of the file.

        Raises:
            EditError: the file is read-only.
        """
        if self.read_only:
            raise EditError(f"{self.path} is read-only")
        return Edit(self.path, start, end, text.replace("\r\n", "\n").replace("\n", self.newline))

    def settle(self, start: int, end: int, edits: Iterable[Edit]) -> tuple[Edit, ...]:
        """The edits, which lie in the lines of those bytes, and those that keep these lines aligned."""
        edits = tuple(edits)
        if all(map(self._stays_aligned, edits)):
            return edits
        base, end = self.line_start(start), self.line_end(end)
        ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
        local = [replace(edit, start=edit.start - base, end=edit.end - base) for edit in ordered]
        settled = layout.settle(self.source[base:end], local)
        return tuple(self.edit(edit.start + base, edit.end + base, edit.text) for edit in settled)

    def settled(self, edits: Iterable[Edit]) -> tuple[Edit, ...]:
        """The edits, wherever in the file, and those that keep the lines of the blocks that they are in aligned."""
        by_block: dict[Block | None, list[Edit]] = {}
        for edit in dict.fromkeys(edits):
            block, _ = self.enclosing(edit.start)
            by_block.setdefault(block.top if block else None, []).append(edit)
        made: list[Edit] = []
        for top, found in by_block.items():
            first, last = min(one.start for one in found), max(one.end for one in found)
            made += self.settle(*((top.start, max(top.end, last)) if top else (first, last)), found)
        return tuple(made)

    def _stays_aligned(self, edit: Edit) -> bool:
        """Whether it only changes a value within its line, and no comment that is aligned with others stands behind."""
        lead = self.source[self.line_start(edit.start) : edit.start]
        rest = self.source[edit.end : self.line_end(edit.end)]
        lines = edit.text.encode() + self.source[edit.start : edit.end]
        return b"=" in lead and b"#" not in rest and b"//" not in rest and b"\n" not in lines

    def remove(self, spans: Iterable[tuple[int, int]], opening: int, closing: int) -> list[Edit]:
        """Take out whole lines, and of the blank lines around them those that would be one too many.

        Args:
            spans: Parts of the file that end where their last line ends.
            opening: Where the body that they are in starts, behind its bracket.
            closing: Where it ends.
        """
        merged: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            apart = not merged or self.source[merged[-1][1] : start].strip()
            merged.append((start if apart else merged.pop()[0], end))
        return [self._removal(start, end, opening, closing) for start, end in merged]

    def _removal(self, start: int, end: int, opening: int, closing: int) -> Edit:
        before, after = self.source[opening:start], self.source[end:closing]
        if not before.strip() and not after.strip() and b"\n" not in before:
            return self.edit(opening, closing, "")
        if not after.strip() and before.strip():
            return self.edit(opening + len(_BLANK_END.sub(b"", before)), end, "")
        if not self.starts_line(start):
            return self.edit(opening + len(before.rstrip(b" \t")), end, "")
        stop = self.next_line(end)
        previous = self.line_start(max(start - 1, 0))
        first = not before.strip() or start == 0 or self.is_blank(previous)
        if first and stop < closing and self.is_blank(stop):
            stop = self.next_line(stop)
        return self.edit(start, stop, "")

    @cached_property
    def _is_aligned(self) -> bool:
        return layout.is_aligned(self.source)

    def appended(self, text: str) -> Edit:
        """Add text at the end, with a blank line before it; the file ends in a line break then.

        The text is aligned as `terraform fmt` does it if the file is.
        """
        text = text.strip("\n")
        if self._is_aligned:
            text = layout.align(text)
        stripped = self.source.rstrip(b"\r\n")
        if not stripped.removeprefix(BOM_UTF8):
            return self.edit(len(stripped), len(self.source), text + "\n")
        breaks = self.source.count(b"\n", len(stripped))
        return self.edit(len(self.source), len(self.source), "\n" * max(2 - breaks, 0) + text + "\n")
