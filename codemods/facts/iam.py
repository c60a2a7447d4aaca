"""What IAM policies name: actions, resource types, and the policies that AWS manages. Nothing is read until asked for.

The facts are of a date: a name that they lack may be newer. Made by `tools/facts/iam_actions.py` and
`tools/facts/managed_policies.py`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from codemods.facts import _read
from codemods.facts._archive import document

ARCHIVE = "iam_actions.zip"

Level = Literal["List", "Read", "Write", "Tagging", "Permissions management"]


@dataclass(frozen=True)
class Action:
    """An action of a service."""

    name: str
    """With the service, in AWS's spelling: `s3:GetObject`. IAM does not tell cases apart."""
    level: Level
    resources: Mapping[str, bool]
    """The types of resources that a policy may name for it, and whether each call works on one of the type.

    With none, only `"*"` will do as the policy's resource. If none is required, a call works on one of them or on none.
    """
    condition_keys: tuple[str, ...]
    """Its own, for any of its types of resources; these have keys too, and some keys are for all actions."""


@dataclass(frozen=True)
class ResourceType:
    """A type of resource that policies can name."""

    name: str
    arn: str
    """With placeholders: `arn:${Partition}:s3:::${BucketName}/${ObjectName}`."""
    condition_keys: tuple[str, ...]


@dataclass(frozen=True)
class ManagedPolicy:
    """A policy that AWS manages."""

    name: str
    path: str
    """What stands before the name: `service-role/`, or nothing."""
    deprecated: str
    """What AWS says of it; empty if it is not deprecated."""

    @property
    def full_name(self) -> str:
        """Path and name: what follows `arn:aws:iam::aws:policy/`, and what the CDK looks the policy up by."""
        return self.path + self.name


# ---- actions -----------------------------------------------------------------------------------


def services() -> Mapping[str, str]:
    """The prefix of each service's actions, and what AWS calls the service: `s3`, `Amazon S3`."""
    return document(ARCHIVE, "_services") or {}


@functools.cache
def actions(service: str) -> Mapping[str, Action]:
    """The actions of a service, `s3`, by their names without it, `GetObject`; none if the service is not known."""
    encoded, found = _service(service), {}
    for name, one in encoded["actions"].items():
        level, *types, keys = _with_keys(one, encoded)
        resources = {kind.removesuffix("*"): kind.endswith("*") for kind in types}
        found[name] = Action(f"{service}:{name}", level, resources, keys)
    return found


def action(name: str) -> Action | None:
    """An action by its name with the service, `s3:getobject`, in any spelling of cases; None if it is not known."""
    service, _, rest = name.lower().partition(":")
    exact = _by_lower_case(service).get(rest)
    return actions(service)[exact] if exact else None


def matching(pattern: str) -> tuple[Action, ...]:
    """The actions that a pattern of one service stands for, `s3:Get*`: `*` is any text, `?` any character."""
    service, _, rest = pattern.lower().partition(":")
    compiled = re.compile(re.escape(rest).replace(r"\*", ".*").replace(r"\?", "."))
    return tuple(actions(service)[exact] for name, exact in _by_lower_case(service).items() if compiled.fullmatch(name))


def nearest_action(name: str) -> str | None:
    """The action that a wrong name may mean: `s3:GetObject` for `s3:GetObjects`; None if none is like it.

    To be told, never to be written: the nearest to `aoss:DeleteCollectionItems` is `aoss:DeleteCollection`.
    """
    service, _, rest = name.partition(":")
    known = _nearest(service, services())
    found = _nearest(rest, actions(known)) if known else None
    return f"{known}:{found}" if found else None


@functools.cache
def resource_types(service: str) -> Mapping[str, ResourceType]:
    """The types of resources of a service, `s3`, by name; none if the service is not known."""
    encoded, found = _service(service), {}
    for name, one in encoded["resources"].items():
        arn, keys = _with_keys(one, encoded)
        found[name] = ResourceType(name, f"arn:${{Partition}}:{arn}", keys)
    return found


def _service(prefix: str) -> dict[str, Any]:
    found: dict[str, Any] | None = (document(ARCHIVE, prefix[:1]) or {}).get(prefix)
    return found or {"actions": {}, "resources": {}}


def _with_keys(one: list[Any], encoded: dict[str, Any]) -> list[Any]:
    """The list with its condition keys at the end, where it has the place of their set, or nothing."""
    if isinstance(one[-1], int):
        return [*one[:-1], tuple(encoded["keys"][one[-1]])]
    return [*one, ()]


@functools.cache
def _by_lower_case(service: str) -> Mapping[str, str]:
    return {name.lower(): name for name in actions(service)}


# ---- managed policies --------------------------------------------------------------------------


@functools.cache
def managed_policies() -> Mapping[str, ManagedPolicy]:
    """The policies that AWS manages, by name without the path."""
    facts = _read("managed_policies.json")
    return {
        name: ManagedPolicy(name, path, facts["deprecated"].get(name, ""))
        for path, names in facts["policies"].items()
        for name in names
    }


def managed_policies_date() -> str:
    """The day that the list of managed policies is of: `2026-11-21`."""
    return str(_read("managed_policies.json")["generated"]["date"])


def nearest_managed_policy(name: str) -> ManagedPolicy | None:
    """The policy that a wrong name, without path, may mean; None if none is like it."""
    found = _nearest(name, managed_policies())
    return managed_policies()[found] if found else None


def _nearest(wrong: str, names: Iterable[str]) -> str | None:
    """The name that is most like a wrong one, whatever their cases."""
    import difflib

    by_lower_case = {name.lower(): name for name in names}
    found = difflib.get_close_matches(wrong.lower(), by_lower_case, n=1, cutoff=0.85)
    return by_lower_case[found[0]] if found else None
