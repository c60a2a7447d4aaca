"""The schema of the AWS provider for Terraform. Made by `tools/facts/terraform_aws.py`; read a service at a time.

Its source does not tell which values an attribute takes, nor which attributes exclude each other.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from codemods.facts._archive import document

ARCHIVE = "terraform_aws.zip"

Majors = tuple[int, ...]
"""The major versions of the provider, of 4, 5 and 6, that have something."""


@dataclass(frozen=True)
class Attribute:
    """An attribute as it is in the newest major that has it."""

    type: str
    """As Terraform writes it: `list(object({name=string}))`."""
    required: bool
    optional: bool
    computed: bool
    majors: Majors


@dataclass(frozen=True)
class Body:
    """What a resource, a data source or a block within them holds."""

    majors: Majors
    attributes: Mapping[str, Attribute]
    encoded: Mapping[str, list[Any]] = field(repr=False)
    """The blocks as the archive has them: a firewall's rules hold each other very often."""

    @functools.cached_property
    def blocks(self) -> Mapping[str, NestedBlock]:
        """The nested blocks by name."""
        return {name: _nested(self.majors, *one) for name, one in self.encoded.items()}


@dataclass(frozen=True)
class NestedBlock(Body):
    """A block as it is in the newest major that has it."""

    nesting: str
    """list, set, map or single."""
    min: int
    max: int
    """0 if there may be any number."""


def terraform_resource(name: str) -> Body | None:
    """A resource type by its name; None if the facts do not have it."""
    return _body(f"resource {name}")


def terraform_data(name: str) -> Body | None:
    """A data source by its name; None if the facts do not have it."""
    return _body(f"data {name}")


def terraform_provider() -> Body:
    """What a `provider "aws"` block takes, but for `alias` and `version`."""
    found = _body("provider aws")
    if found is None:
        raise LookupError(f"{ARCHIVE} has no provider")
    return found


@functools.cache
def _body(key: str) -> Body | None:
    name = key.partition(" ")[2]
    encoded = (document(ARCHIVE, name.split("_")[1] if "_" in name else name) or {}).get(key)
    if encoded is None:
        return None
    text, attributes, blocks = encoded
    return Body(_majors(text), _attributes(_majors(text), attributes), blocks)


def _attributes(majors: Majors, encoded: dict[str, str]) -> dict[str, Attribute]:
    return {name: _attribute(text, majors) for name, text in encoded.items()}


def _attribute(text: str, majors: Majors) -> Attribute:
    """The attribute that is written as `string oc 56`, the last if not all majors have it."""
    kind, flags, *fewer = text.split(" ")
    own = _majors(fewer[0]) if fewer else majors
    return Attribute(kind, "r" in flags, "o" in flags, "c" in flags, own)


def _nested(majors: Majors, text: str, attributes: dict[str, str], blocks: dict[str, list[Any]]) -> NestedBlock:
    """The block that is written as `list 1 1 56`: nesting, least and greatest number, and majors if not all have it."""
    nesting, least, most, *fewer = text.split(" ")
    own = _majors(fewer[0]) if fewer else majors
    return NestedBlock(own, _attributes(own, attributes), blocks, nesting, int(least), int(most))


def _majors(text: str) -> Majors:
    return tuple(map(int, text))
