"""Terraform's JSON syntax, put into HCL for reading.

What goes where is in "JSON Configuration Syntax" of the Terraform language documentation. Without a provider's schema
a nested block can't be told from an object: both become an attribute, which `Block.value` sees through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from fixer.terraform.syntax import ParseError

_LABELS = {"resource": 2, "data": 2, "ephemeral": 2, "variable": 1, "output": 1, "module": 1, "provider": 1, "check": 1}
_NAME = re.compile(r"[^\W\d][\w-]*")
_TEMPLATE = re.compile(r"(?<!\$)(?:\$\$)*\$\{|(?<!%)(?:%%)*%\{")
_PLAIN = re.compile(r'["\\\n\r\t]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def to_hcl(source: bytes) -> bytes:
    """HCL that says the same.

    Raises:
        ParseError: it is no JSON object in UTF-8, or is nested too deeply.
    """
    try:
        document = json.loads(source.decode("utf-8-sig"))
        if not isinstance(document, dict):
            raise ParseError(1, "is no JSON object")
        return "".join(_blocks(document)).encode()
    except UnicodeDecodeError as error:
        raise ParseError(source.count(b"\n", 0, error.start) + 1, "is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ParseError(error.lineno, "syntax error") from None
    except RecursionError:
        raise ParseError(1, "is nested too deeply") from None


def _blocks(document: dict[str, Any]) -> Iterator[str]:
    for kind, content in document.items():
        if _NAME.fullmatch(kind):
            for labels, body in _labelled(content, _LABELS.get(kind, 0)):
                head = " ".join([kind, *(_string(label, plain=True) for label in labels)])
                lines = "".join(
                    f"  {name} = {_value(value)}\n" for name, value in body.items() if _NAME.fullmatch(name)
                )
                yield f"{head} {{\n{lines}}}\n"


def _labelled(content: Any, count: int) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """The bodies below so many levels of labels; a list at any level holds several."""
    if isinstance(content, list):
        for one in content:
            yield from _labelled(one, count)
    elif isinstance(content, dict) and count == 0:
        yield [], content
    elif isinstance(content, dict):
        for label, inner in content.items():
            for labels, body in _labelled(inner, count - 1):
                yield [label, *labels], body


def _value(value: Any) -> str:
    if isinstance(value, dict):
        entries = (f"{_string(name)} = {_value(inner)}" for name, inner in value.items() if name != "//")
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return _string(value) if isinstance(value, str) else json.dumps(value)


def _string(text: str, *, plain: bool = False) -> str:
    """A quoted template; what its interpolations hold stays as it is."""
    parts = []
    position = 0
    while not plain and (match := _TEMPLATE.search(text, position)):
        end = _interpolation_end(text, match.end())
        parts += [_escaped(text[position : match.end()]), text[match.end() : end]]
        position = end
    return '"' + "".join(parts) + _escaped(text[position:]) + '"'


def _escaped(text: str) -> str:
    return _PLAIN.sub(lambda match: _ESCAPES[match[0]], text)


def _interpolation_end(text: str, start: int) -> int:
    depth = 1
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position
    return len(text)
