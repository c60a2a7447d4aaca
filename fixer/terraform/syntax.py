"""The tree that tree-sitter-hcl makes of a file's bytes."""

from __future__ import annotations

import re

import tree_sitter_hcl
from tree_sitter import Language, Node, Parser, Query, QueryCursor, Tree

from fixer.terraform.strictness import Strictness

_LANGUAGE = Language(tree_sitter_hcl.language())
_STRICTNESS = Strictness(_LANGUAGE)
_COMMENTS = Query(_LANGUAGE, "(comment) @comment")
_NAMES = Query(_LANGUAGE, "(variable_expr) @name (object_elem . (expression . (variable_expr) @key .))")
_STRINGS = Query(_LANGUAGE, "[(quoted_template) (heredoc_template) (string_lit)] @string")
_ERRORS = Query(_LANGUAGE, "(ERROR) @error (MISSING) @error")
_BRACKET = re.compile(rb"[\[({\])}]")
_DEEPEST = 500
"""Brackets in each other; real code has a dozen."""


class ParseError(ValueError):
    """A file can't be read; the text says why and names the line."""

    def __init__(self, line: int, reason: str) -> None:
        """`line` counts from 1."""
        super().__init__(f"line {line}: {reason}")
        self.line = line


def parse(source: bytes) -> Tree:
    """The tree of an HCL file.

    Raises:
        ParseError: it is not UTF-8, holds a NUL byte, has a syntax error or is nested too deeply.
    """
    if (nul := source.find(b"\0")) >= 0:
        raise ParseError(_line(source, nul), "holds a NUL byte")
    try:
        source.decode()
    except UnicodeDecodeError as error:
        raise ParseError(_line(source, error.start), "is not UTF-8") from None
    if (deep := _too_deep(source)) is not None:
        raise ParseError(_line(source, deep), "is nested too deeply")
    tree = Parser(_LANGUAGE).parse(source)
    if tree.root_node.has_error:
        first = min((node.start_byte for node in _captured(_ERRORS, tree.root_node, "error")), default=0)
        raise ParseError(_line(source, first), "syntax error")
    if refusal := _STRICTNESS.refusal(source, tree.root_node):
        raise ParseError(_line(source, refusal.offset), f"syntax error: {refusal.reason}")
    return tree


def comments(root: Node) -> list[tuple[int, int]]:
    """Where each comment starts and ends, in order; a carriage return that ends its line may be in it."""
    return sorted((node.start_byte, node.end_byte) for node in _captured(_COMMENTS, root, "comment"))


def names(root: Node) -> list[int]:
    """Where each name that is an expression starts, in order; the bare keys of objects are none."""
    found = QueryCursor(_NAMES).captures(root)
    keys = {node.start_byte for node in found.get("key", ())}
    return sorted({node.start_byte for node in found.get("name", ())} - keys)


def strings(root: Node) -> list[Node]:
    """Every string, template and heredoc, in order; also those inside of others, but not the labels of blocks."""
    found = _captured(_STRINGS, root, "string")
    return sorted(
        (node for node in found if node.parent and node.parent.type != "block"), key=lambda node: node.start_byte
    )


def _captured(query: Query, root: Node, name: str) -> list[Node]:
    return QueryCursor(query).captures(root).get(name, [])


def _line(source: bytes, offset: int) -> int:
    return source.count(b"\n", 0, offset) + 1


def _too_deep(source: bytes) -> int | None:
    """Where brackets get too deep, if they do. Those in strings count too: text that opens so many is no real code."""
    if sum(map(source.count, (b"[", b"(", b"{"))) <= _DEEPEST:
        return None
    depth = 0
    for match in _BRACKET.finditer(source):
        depth = depth + 1 if match.group() in b"[({" else max(depth - 1, 0)
        if depth > _DEEPEST:
            return match.start()
    return None
