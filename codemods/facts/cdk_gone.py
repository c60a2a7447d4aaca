"""What was in aws-cdk-lib once and is there no more. Made by `tools/facts/cdk_gone.py`; read a module at a time.

The versions are every tenth minor one and the newest: what went in between is first missing in the next of them.
"""

from __future__ import annotations

import functools

from codemods.facts._archive import document
from codemods.facts.cdk_versions import Version

ARCHIVE = "cdk_gone.zip"


def cdk_gone_in(name: str) -> Version | None:
    """The first version that does not have a type or member any more; None if the newest has it, or none ever had.

    A member is behind the type that had it: `aws_ec2.CfnSubnetProps.ipv6_cidr_blocks`.
    """
    module, _, rest = name.partition(".") if name[:1].islower() else ("aws_cdk", "", name)
    index = (document(ARCHIVE, module) or {}).get(rest)
    return None if index is None else _versions()[index]


def cdk_newest() -> Version:
    """The newest version that the facts know."""
    return _versions()[-1]


@functools.cache
def _versions() -> tuple[Version, ...]:
    versions: list[str] = (document(ARCHIVE, "_versions") or {}).get("versions", [])
    return tuple((int(major), int(minor), int(patch)) for major, minor, patch in (text.split(".") for text in versions))
