"""Facts that rules read: generated data with its generator, source and date inside. Nothing is read until asked for."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from codemods.facts.cdk_versions import Version, cdk_deprecated_since, cdk_since

__all__ = (
    "Kind",
    "PhysicalName",
    "PhysicalNames",
    "Version",
    "cdk_deprecated_since",
    "cdk_since",
    "log_retention",
    "physical_names",
)


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(files(__name__).joinpath(name).read_text(encoding="utf-8"))
    return document


# ---- physical names ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A sort of physical name, such as the names of buckets, and what AWS says of it."""

    name: str
    label: str
    """What messages call it: "bucket name"."""
    min: int
    max: int
    """Characters that a name has at least and at most."""
    pattern: str
    """A regular expression of the whole name, for `re.fullmatch` with `re.ASCII`."""
    separator: str
    """What joins an environment suffix to the name: `-` or `_`."""
    lower: bool
    """Only lower-case letters are allowed."""
    paths: bool
    """A name may be a path with `/` between its parts, as `/aws/lambda/orders`."""
    start: str
    """What stays first in a name that starts with it: `alias/`."""
    end: str
    """What stays last in a name that ends with it: `.fifo`."""
    source: str
    """Where the limits come from: a page, or a parameter of an API in botocore."""
    replaces: bool
    """CloudFormation replaces a resource that gets another name; else it renames it in place."""

    def allows(self, name: str) -> bool:
        """Whether AWS takes the name, which holds no placeholders."""
        return self.min <= len(name) <= self.max and re.fullmatch(self.pattern, name, re.ASCII) is not None


@dataclass(frozen=True)
class PhysicalName:
    """An argument that names the resource."""

    argument: str
    kind: Kind
    reference: str | None
    """The attribute of the construct or resource that gives the name back; None if there is none."""


@dataclass(frozen=True)
class PhysicalNames:
    """The arguments that are physical names, by construct or resource type and then by argument."""

    cdk: Mapping[str, Mapping[str, PhysicalName]]
    """By qualified name without `aws_cdk`: `aws_s3.Bucket`, `aws_s3.CfnBucket`."""
    terraform: Mapping[str, Mapping[str, PhysicalName]]
    kinds: Mapping[str, Kind]


@functools.cache
def physical_names() -> PhysicalNames:
    """The arguments that are physical names in the CDK and in Terraform."""
    document = _read("physical_names.json")
    kinds = {name: Kind(name=name, **kind) for name, kind in document["kinds"].items()}
    otherwise: dict[str, str | None] = document["references"]

    def named(owners: dict[str, dict[str, str]]) -> dict[str, dict[str, PhysicalName]]:
        return {
            owner: {
                argument: PhysicalName(argument, kinds[kind], otherwise.get(f"{owner}.{argument}", argument))
                for argument, kind in arguments.items()
            }
            for owner, arguments in owners.items()
        }

    return PhysicalNames(named(document["cdk"]), named(document["terraform"]), kinds)


# ---- retention of logs -------------------------------------------------------------------------


@functools.cache
def log_retention() -> Mapping[int, str]:
    """The days that CloudWatch Logs can keep events for, ascending, and their members of `aws_logs.RetentionDays`."""
    days: dict[str, int | None] = _read("log_retention.json")["days"]
    return {number: member for member, number in days.items() if number is not None}
