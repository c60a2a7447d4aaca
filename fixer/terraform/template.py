"""The text that a template's literal parts stand for.

Escapes are those of the HCL native syntax specification, "Template Expressions" and "Quoted Templates".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|([$%])\4\{", re.DOTALL)
_DOUBLED = re.compile(r"([$%])\1\{")
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def unescape(text: str) -> str:
    """The content of a quoted template without its escapes."""

    def plain(match: re.Match[str]) -> str:
        if code := match[1] or match[2]:
            number = int(code, 16)
            return chr(number) if number < 0x110000 else match[0]
        return _SIMPLE.get(match[3], match[0]) if match[3] else f"{match[4]}{{"

    return _ESCAPE.sub(plain, text) if "\\" in text or "{" in text else text


def undouble(text: str) -> str:
    """The content of a heredoc without its escapes: `$${` and `%%{`."""
    return _DOUBLED.sub(r"\1{", text)


def flush(parts: Sequence[str | None]) -> list[str | None]:
    """The literal parts of a `<<-` heredoc without the indentation that all its lines share; None is an expression.

    Blank lines don't count and lose nothing, tried with Terraform 1.11.
    """
    at_start = True
    starts: list[tuple[int, int]] = []  # number of the part, offset of the line in it
    widths: list[int] = []
    for number, part in enumerate(parts):
        if part is None:
            widths += [0] if at_start else []
            at_start = False
            continue
        offset = 0
        for line in part.split("\n"):
            blank = not line.strip() and offset + len(line) < len(part)
            if (at_start or offset) and (line or number + 1 < len(parts)) and not blank:
                starts.append((number, offset))
                widths.append(len(line) - len(line.lstrip()))
            offset += len(line) + 1
        at_start = part.endswith("\n")
    width = min(widths, default=0)
    flushed = list(parts)
    for number, offset in reversed(starts):
        text = flushed[number] or ""
        flushed[number] = text[:offset] + text[offset + width :]
    return flushed
