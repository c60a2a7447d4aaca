"""Whether a file is Python that can be read."""

from __future__ import annotations

import ast
import re

from fixer.model import SourceError

_BRACKET = re.compile(rb"[\[({\])}]")
_DEEPEST = 200
"""Brackets in each other that Python takes: MAXLEVEL in CPython's tokenizer. LibCST crashes at some 1,000."""


def check_depth(source: bytes) -> None:
    """Raise SourceError for what would overflow LibCST's stack, which ends the process.

    Brackets in strings count too here; text that holds so many is fine if Python itself reads it.
    """
    if sum(map(source.count, (b"[", b"(", b"{"))) > _DEEPEST and _depth(source) > _DEEPEST:
        try:
            ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise SourceError("nests too deep to be read") from None


def _depth(source: bytes) -> int:
    depth = deepest = 0
    for match in _BRACKET.finditer(source):
        depth = depth + 1 if match.group() in b"[({" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def syntax_error(source: bytes) -> str | None:
    """What is wrong with the syntax, and on which line; None if this Python or LibCST (newer grammar) reads it."""
    try:
        ast.parse(source)
    except (RecursionError, MemoryError):
        return "nests too deep to be read"
    except (SyntaxError, ValueError):
        from fixer.cdk.tree import Tree

        try:
            Tree(source)
        except SourceError as error:
            return str(error)
    return None
