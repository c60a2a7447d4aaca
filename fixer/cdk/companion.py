"""Constructs that go with others: their ids, and the names of variables for them."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING

import libcst as cst

if TYPE_CHECKING:
    from fixer.cdk.calls import Call, Construct

_NEEDS_ITS_QUOTES = re.compile(r"[\"\\\n]")
_WORD = re.compile(r"[A-Z][a-z0-9]*")


def free_id(construct: Construct, suffix: str) -> str | None:
    """Python source of an id for a construct in the same scope, made of this one's in its style.

    Args:
        construct: What the new one goes with.
        suffix: Words in capitals: `LogGroup` makes `OrdersLogGroup` of `Orders` and `orders-log-group` of `orders-fn`.

    Returns:
        None if the construct's own id can't be told or continued.
    """
    argument = construct.id_argument
    if argument is None:
        return None
    text = _continued(argument.node, argument.text, suffix)
    number = 2
    while text is not None and _is_taken(construct, text):
        text = _continued(argument.node, argument.text, f"{suffix}{number}")
        number += 1
    return text


def _continued(node: cst.BaseExpression, text: str, suffix: str) -> str | None:
    if isinstance(node, cst.SimpleString) and isinstance(node.evaluated_value, str):
        written, styled = node.raw_value, _styled(node.evaluated_value, suffix)
        quote = node.quote if _NEEDS_ITS_QUOTES.search(written) else '"'
        return f"{quote}{written}{styled}{quote}" if not node.prefix else None
    if isinstance(node, cst.FormattedString):
        end = len(node.end)
        return f"{text[:-end]}{_styled(text[:-end], suffix)}{text[-end:]}" if node.parts else None
    if isinstance(node, cst.Name | cst.Attribute):
        return f'f"{{{text}}}{suffix}"'
    return None


def words(suffix: str) -> list[str]:
    """The words of an id in capitals."""
    return _WORD.findall(suffix)


def _styled(stem: str, suffix: str) -> str:
    """The suffix in the style of what it continues: `LogGroup`, `-log-group` or `_log_group`."""
    fixed = re.sub(r"\{[^}]*\}", "", stem)
    for mark in ("-", "_"):
        if mark in fixed and not re.search(rf"{mark}[A-Z]", fixed):
            return "".join(f"{mark}{word.lower()}" for word in words(suffix))
    return f"-{suffix}" if "-" in fixed else suffix


def _is_taken(construct: Construct, text: str) -> bool:
    """Whether the class around it makes another construct of that id, as far as ids are written out."""
    return (construct.class_name, text.replace("'", '"')) in construct.file.written_ids


def free_name(at: Call, name: str) -> str:
    """The name for a variable, or one like it that means nothing where the call is."""
    taken = at.file.names_in_scope(at)
    free, number = name, 2
    while free in taken or keyword.iskeyword(free):
        free, number = f"{name}_{number}", number + 1
    return free
