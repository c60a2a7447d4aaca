"""What a scanner complains of, and how its JSON is read: a key may be missing, but not be of another kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MODULE = re.compile(r"^module\.[^.\[]+(?:\[[^\]]*\])?\.")
_INDEX = re.compile(r"\[[^\]]*\]")
_GENERATED = ("Resource", "Default")
"""Ids that constructs of the CDK give to the resource inside of them."""
_KINDS: Mapping[type, str] = {list: "list", dict: "object", str: "string", int: "integer"}


class ReportError(Exception):
    """A report that can't be read; the message is one line."""


@dataclass(frozen=True)
class Reported:
    """One finding of a scanner."""

    rule: str
    """The scanner's own id of its check, as it is written."""
    file: str = ""
    """As the report has it: absolute, or relative to a directory that it does not tell; empty if it names none."""
    lines: tuple[int, int] | None = None
    """First and last, from 1."""
    subject: str = ""
    """The resource's address in its Terraform module, or the construct's id; empty if the report names none."""


def address(text: str) -> str:
    """A resource's address within its own module: `module.a["x"].aws_s3_bucket.b[0]` is `aws_s3_bucket.b` there."""
    while match := _MODULE.match(text):
        text = text[match.end() :]
    return _INDEX.sub("", text)


def construct_id(path: str) -> str:
    """The id that the code gives to the construct of that path: of `Shop/Data/Resource` it is `Data`."""
    ids = [one for one in path.split("/") if one]
    while len(ids) > 1 and ids[-1] in _GENERATED:
        ids.pop()
    return ids[-1] if ids else ""


def line_range(first: int, last: int) -> tuple[int, int] | None:
    """The two lines in order; None if there is no first, which scanners write as 0 or -1."""
    return (first, max(first, last)) if first > 0 else None


def objects(data: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    """The objects in the list of that key; ReportError if it holds something else."""
    for item in _of(data, key, list) or ():
        if not isinstance(item, dict):
            raise ReportError(f"an item of {key!r} is no object")
        yield item


def child(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object of that key, empty if there is none; ReportError if it is something else."""
    return _of(data, key, dict) or {}


def text(data: Mapping[str, Any], key: str) -> str:
    """The string of that key, empty if there is none; ReportError if it is something else."""
    return _of(data, key, str) or ""


def number(data: Mapping[str, Any], key: str) -> int:
    """The integer of that key, 0 if there is none; ReportError if it is something else."""
    return _of(data, key, int) or 0


def _of(data: Mapping[str, Any], key: str, kind: type) -> Any:
    value = data.get(key)
    if value is not None and not isinstance(value, kind):
        raise ReportError(f"{key!r} is no {_KINDS[kind]}")
    return value
