"""What Terraform refuses and tree-sitter-hcl takes: a file with such an error is broken, and is not to be changed.

The grammar of tree-sitter-hcl knows no line breaks. Terraform's does: "Bodies" and "Expression Terms" in the HCL
Native Syntax Specification (hashicorp/hcl, hclsyntax/spec.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from tree_sitter import Language, Node, Query, QueryCursor


class Refusal(NamedTuple):
    """Where an error is, in bytes, and what it is."""

    offset: int
    reason: str


_ODD = re.compile(
    rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|\xc2[\x80-\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\xaf]|\xe2\x81[\x9f-\xaf]"
    rb"|\xe3\x80\x80|(?<!\A)\xef\xbb\xbf"
)
_PLAIN = bytes((*b"\t\n\r", *range(0x20, 0x7F)))
_LABEL = rb'[ \t]+(?:"[A-Za-z_][\w-]*"|[A-Za-z_][\w-]*)'
_HEAD = re.compile(
    rb"(?:(?:resource|data|ephemeral)(?:%s){2}|(?:module|provider|variable|output)%s|"
    rb"(?!(?:resource|data|ephemeral|module|provider|variable|output)\b)[A-Za-z_]\w*(?:%s)*)[ \t]*\{"
    % (_LABEL, _LABEL, _LABEL)
)
"""The head of nearly every block, as it should be."""
_MARK = re.compile(rb"<<-?(?:(?!\xef\xbb\xbf)\S)+\r?\n")
_HALF = re.compile(rb"\\u[dD][89abAB]")
_ESCAPE = re.compile(rb"\\(?:u....|.)", re.DOTALL)
_COMMENT = re.compile(rb"(?:#|//)[^\n]*|/\*.*?\*/", re.DOTALL)
_IDENTIFIER = re.compile(r"[^\W\d][\w-]*")
_LABELS = {
    **dict.fromkeys((b"resource", b"data", b"ephemeral"), 2),
    **dict.fromkeys((b"module", b"provider", b"variable", b"output"), 1),
}
"""What Terraform declares, with so many labels, which are names."""
_QUOTED = frozenset(("quoted_template", "string_lit"))
_TEXTS = frozenset(("quoted_template", "string_lit", "heredoc_template", "template_literal", "comment"))
_FREE = frozenset(
    (
        *("function_arguments", "function_call", "tuple", "new_index", "template_interpolation", "template_directive"),
        *("for_expr", "for_tuple_expr", "for_object_expr"),
    )
)
"""Nodes in whose brackets line breaks mean nothing."""


class Strictness:
    """Looks for the errors; made once for the language."""

    def __init__(self, language: Language) -> None:
        """Prepare the queries."""
        self._parts = Query(
            language,
            "(body) @body (attribute . (identifier) @name) @line @item (object_elem) @line (object) @object"
            "(block) @block @item (block_end) @item"
            "[(quoted_template) (string_lit)] @quoted (heredoc_template) @heredoc",
        )

    def refusal(self, source: bytes, root: Node) -> Refusal | None:
        """The first error; None if Terraform's parser takes the file too."""
        found = QueryCursor(self._parts).captures(root)
        every = (
            *_odd_characters(source, root),
            *(one for quoted in found.get("quoted", ()) for one in _in_quoted(source, quoted)),
            *(_half_characters(source, found.get("quoted", ())) if _HALF.search(source) else ()),
            *(
                Refusal(heredoc.start_byte, "a heredoc whose mark does not end its line")
                for heredoc in found.get("heredoc", ())
                if not _MARK.match(source, heredoc.start_byte)
            ),
            *(one for block in found.get("block", ()) for one in _in_head(source, block)),
            *_repeated(source, found.get("body", ()), found.get("name", ())),
            *(one for block in _crowded(source, found.get("item", ())) for one in _in_block(source, block)),
            *(one for each in found.get("object", ()) for one in _in_object(source, each)),
            *(one for line in found.get("line", ()) for one in _in_line(source, line)),
        )
        return min(every, default=None)


def _odd_characters(source: bytes, root: Node) -> Iterator[Refusal]:
    if not source.translate(None, _PLAIN) and source.count(b"\r") == source.count(b"\r\n"):
        return
    for match in _ODD.finditer(source):
        node = root.descendant_for_byte_range(match.start(), match.end())
        if node is None or node.type not in _TEXTS:
            yield Refusal(match.start(), "a character that is not used in HCL")
        elif match.group() == b"\r" and not _QUOTED.isdisjoint((node.type, node.parent and node.parent.type)):
            yield Refusal(match.start(), "a line break in a string")


def _in_quoted(source: bytes, node: Node) -> Iterator[Refusal]:
    """Text between quotes stays on its line."""
    if node.start_point.row == node.end_point.row:
        return
    end = node.start_byte
    for child in node.children:
        until = child.start_byte if child.type.startswith("template_") and child.children else child.end_byte
        if source.find(b"\n", end, until) >= 0:
            yield Refusal(end, "a line break in a string")
        end = child.end_byte


def _half_characters(source: bytes, strings: Iterable[Node]) -> Iterator[Refusal]:
    """Escapes of what is no character by itself: HCL has no pairs of them."""
    for node in strings:
        for match in _ESCAPE.finditer(source, node.start_byte, node.end_byte):
            if _HALF.match(match.group()):
                yield Refusal(match.start(), "an escape that is no character")


def _breaks(source: bytes, start: int, end: int) -> bool:
    """Whether a line ends there; within a comment none does."""
    gap = source[start:end]
    return b"\n" in gap and b"\n" in _COMMENT.sub(b"", gap)


def _repeated(source: bytes, bodies: Sequence[Node], names: Sequence[Node]) -> Iterator[Refusal]:
    """Arguments that a body has twice."""
    spans = sorted((body.start_byte, -body.end_byte) for body in bodies)
    within: list[tuple[int, set[bytes]]] = []
    begun = 0
    for start, end in sorted((name.start_byte, name.end_byte) for name in names):
        while begun < len(spans) and spans[begun][0] <= start:
            within.append((-spans[begun][1], set()))
            begun += 1
        while within[-1][0] <= start:
            within.pop()
        there, name = within[-1][1], source[start:end]
        if name in there:
            yield Refusal(start, "an argument that is there already")
        there.add(name)


def _crowded(source: bytes, items: Iterable[Node]) -> Iterable[Node]:
    """The blocks, and the file, in which an argument, a block or an end is not the first on its line."""
    found = {}
    for item in items:
        start = item.start_byte
        if source[source.rfind(b"\n", 0, start) + 1 : start].strip(b" \t\r") and (above := item.parent):
            block = above.parent or above if above.type == "body" else above
            found[block.id] = block
    return found.values()


def _in_block(source: bytes, block: Node) -> Iterator[Refusal]:
    """Arguments and blocks each end their line; a block on one line holds one argument at most."""
    body = next((child for child in block.children if child.type == "body"), None)
    items = [child for child in body.children if child.type in ("attribute", "block")] if body else []
    for one, other in pairwise(items):
        if not _breaks(source, one.end_byte, other.start_byte):
            yield Refusal(other.start_byte, "a missing line break")
    if block.type != "block" or not items:
        return
    opening = next(child for child in block.children if child.type == "block_start")
    opened = _breaks(source, opening.end_byte, items[0].start_byte)
    closed = _breaks(source, items[-1].end_byte, block.end_byte - 1)
    if opened != closed or (not opened and (len(items) > 1 or items[0].type == "block")):
        yield Refusal(items[0].start_byte, "a missing line break")


def _in_head(source: bytes, block: Node) -> Iterator[Refusal]:
    """It is one line, and the names of what Terraform declares are identifiers: only so they can be referred to."""
    if _HEAD.match(source, block.start_byte):
        return
    opening = next(child for child in block.children if child.type == "block_start")
    if _breaks(source, block.start_byte, opening.start_byte):
        yield Refusal(opening.start_byte, "a line break before the bracket")
    kind, *labels = (child for child in block.children if child.type in ("identifier", "string_lit"))
    if kind.text not in _LABELS or not _is_top(block):
        return
    if len(labels) != _LABELS[kind.text]:
        yield Refusal(block.start_byte, "a block with too few or too many labels")
    for label in labels:
        if not _IDENTIFIER.fullmatch((label.text or b"").decode().strip('"')):
            yield Refusal(label.start_byte, "a label that is no name")


def _is_top(block: Node) -> bool:
    return block.parent is not None and block.parent.parent is not None and block.parent.parent.type == "config_file"


def _in_object(source: bytes, node: Node) -> Iterator[Refusal]:
    """Elements are apart by a comma or a line break."""
    last: Node | None = None
    for child in node.children:
        if child.type == "object_elem":
            if last is not None and not _breaks(source, last.end_byte, child.start_byte):
                yield Refusal(child.start_byte, "a missing comma")
            last = child
        elif child.type == ",":
            last = None


def _in_line(source: bytes, node: Node) -> Iterator[Refusal]:
    """Outside of brackets an argument's line does not end before its value does."""
    if node.start_point.row == node.end_point.row:
        return
    end, depth = node.start_byte, 0
    for part in _pieces(node):
        if depth == 0 and _breaks(source, end, part.start_byte):
            yield Refusal(end, "a line break within an expression")
            return
        depth += (part.type == "(") - (part.type == ")")
        end = part.end_byte


def _pieces(node: Node) -> Iterator[Node]:
    """The parts between which no line may end."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        children = here.children
        if not children or here.type in _TEXTS or here.type in _FREE or here.type == "object":
            yield here
        else:
            waiting += reversed(children)
