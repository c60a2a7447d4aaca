"""When things came into aws-cdk-lib, were deprecated and went out of it. Made by `tools/facts/cdk_history.py`.

Names are those of `cdk_api`, a member behind the type that has it itself: `aws_ec2.VpcProps.cidr`. The versions are
every tenth minor one and the newest: what came in between is first in the next of them.
"""

from __future__ import annotations

import functools
from typing import Any

from codemods.facts import Version
from codemods.facts._archive import document

ARCHIVE = "cdk_history.zip"


def cdk_first(name: str) -> Version | None:
    """The first version that has a type or member; None for Cfn types, and where it was there before or never."""
    return _version("since", name)


def cdk_deprecated_in(name: str) -> Version | None:
    """The first version that deprecates a type or member; None if the newest does not."""
    return _version("deprecated", name)


def cdk_gone_in(name: str) -> Version | None:
    """The first version that does not have a type or member any more; None if the newest has it, or none ever had."""
    return _version("gone", name)


def cdk_newest() -> Version:
    """The newest version that the facts know."""
    return _versions()[-1]


def _version(kind: str, name: str) -> Version | None:
    module, _, rest = name.partition(".") if name[:1].islower() else ("aws_cdk", "", name)
    found: dict[str, Any] = document(ARCHIVE, module) or {}
    index = found.get(kind, {}).get(rest)
    return None if index is None else _versions()[index]


@functools.cache
def _versions() -> tuple[Version, ...]:
    versions: list[str] = (document(ARCHIVE, "_versions") or {}).get("versions", [])
    return tuple((int(major), int(minor), int(patch)) for major, minor, patch in (text.split(".") for text in versions))
