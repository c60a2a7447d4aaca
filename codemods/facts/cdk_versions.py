"""Since when aws-cdk-lib has its types and members. Made by `tools/facts/cdk_versions.py`; read a module at a time.

Upper bounds: not every version of aws-cdk-lib was read, so a name may be there since some versions before the one that
is told, but all versions read from that one on have it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from codemods.facts._archive import document
from codemods.facts.cdk_api import cdk_bases, cdk_struct, cdk_type

ARCHIVE = "cdk_versions.zip"

Version = tuple[int, int, int]

_OLDEST = (2, 0, 0)


def cdk_since(name: str, *keywords: str) -> Version | None:
    """The first version of aws-cdk-lib, as far as it was read, that has a type or member; None if the newest has not.

    A member is `aws_logs.RetentionDays.ONE_MONTH`, `aws_s3.Bucket.add_lifecycle_rule` or
    `aws_lambda.FunctionProps.logging_format`. A class may stand for its props: `aws_lambda.Function.logging_format`; if
    it has an attribute of that name too, the later of the two counts. With `keywords` it is the first version in
    which making the class or struct takes all of them: `cdk_since("aws_lambda.Function", "logging_format")`.

    What 2.0.0 has, version 1 may have had too. What a member is, such as a type or a parameter, may have changed since.
    """
    struct = cdk_struct(name)
    if keywords and (struct is None or not struct.properties.keys() >= {*keywords}):
        return None
    named = [*_named(name), *((struct.name, keyword) for keyword in keywords if struct)]
    return max((_first("since", *one) for one in named), default=None)


def cdk_deprecated_since(name: str) -> Version | None:
    """The first version of aws-cdk-lib, as far as it was read, that deprecates a type or member, named as above.

    None if the newest does not.
    """
    deprecated = [one for one in _named(name) if _has("deprecated", *one)]
    return max((_first("deprecated", *one) for one in deprecated), default=None)


def _named(name: str) -> Iterator[tuple[str, str]]:
    """The types and members that a name is for."""
    if cdk_type(name):
        yield name, ""
        return
    owner, _, member = name.rpartition(".")
    for found in (cdk_type(owner), cdk_struct(owner)):
        if found and _has("since", found.name, member):
            yield found.name, member


def _has(part: str, name: str, member: str) -> bool:
    """Whether a type has a member, or has it deprecated."""
    found = cdk_type(name)
    if found is None:
        return False
    if part == "deprecated":
        return member in found.deprecated
    return not member or member in found.properties or member in found.methods or member in found.constants


@functools.cache
def _first(part: str, name: str, member: str) -> Version:
    """The version that is written, or that follows as the generator says."""
    module, _, rest = name.partition(".") if name[:1].islower() else ("aws_cdk", "", name)
    parts: dict[str, Any] = document(ARCHIVE, module) or {}
    if text := parts.get(part, {}).get(rest, {}).get(member):
        major, minor, patch = text.split(".")
        return int(major), int(minor), int(patch)
    found = [_OLDEST if part == "since" else _first("since", name, member)]
    others = [(name, ""), *((base.name, member) for base in cdk_bases(name))] if member else []
    return max([*found, *(_first(part, *other) for other in others if _has(part, *other))])
