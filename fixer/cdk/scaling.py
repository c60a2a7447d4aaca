"""What scales the tables of DynamoDB of an app, and what may."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fixer.cdk.calls import Construct

TABLE, LOW_TABLE = "aws_dynamodb.Table", "aws_dynamodb.CfnTable"
READING, WRITING = "auto_scale_read_capacity", "auto_scale_write_capacity"
"""The methods of a table that scale it."""
_METHODS = (
    READING,
    WRITING,
    "auto_scale_global_secondary_index_read_capacity",
    "auto_scale_global_secondary_index_write_capacity",
)
_MADE = re.compile(rb"\bTable\(")


def is_scaled(table: Construct) -> bool:
    """Whether its file certainly scales a table, or an index of it."""
    return any(True for name in _METHODS for _ in table.methods(name))


def doubtful(table: Construct, tables: Sequence[Construct]) -> str:
    """What scales a table that can't be told, and may be this one: a place, for people; empty if nothing does.

    Args:
        table: The table.
        tables: All tables of its file.
    """
    app = table.file.app
    if table.name == LOW_TABLE and any(
        b"dynamodb:table:" in app.sources[path] for path in app.holding("ScalableTarget")
    ):
        return "a scalable target"
    return unclear(tables, _METHODS)


def unclear(tables: Sequence[Construct], methods: Sequence[str], word: str = "") -> str:
    """A place that calls one of these methods, of a table that can't be told; empty if there is none.

    A file that makes tables itself speaks of these.

    Args:
        tables: All tables of a file.
        methods: Names of methods.
        word: What a call, or a file that can't be told to be about its own, must hold besides.
    """
    file = tables[0].file
    for call in (call for name in methods for call in file.methods(name)):
        if word in call.text and not any(one.is_meant_by(file.receiver(call), call) for one in tables):
            return f"{file.path}:{call.line}"
    sources = ((path, file.app.sources[path]) for path in file.elsewhere(*methods))
    return next((path for path, source in sources if word.encode() in source and not _MADE.search(source)), "")
