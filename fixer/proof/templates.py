"""What changes between the CloudFormation templates of two syntheses."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from fixer.proof.difference import Difference, settled

_TOOLS = ("aws:", "cdk_nag")
"""Metadata that only tools read starts with one of these."""

_REVISIONS = frozenset(
    {
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGatewayV2::Deployment",
        "AWS::ECS::TaskDefinition",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Version",
    }
)
"""Types that are immutable revisions of something else, which is updated by making another one. The CDK gives some of
them a hash of what they are a revision of as a part of their logical id."""

_SERVICES = re.compile(r"Custom::(?:S3AutoDeleteObjects|ECRAutoDeleteImages|LogRetention)")
_SERVANTS = re.compile(
    r"(?:Custom(?:S3AutoDeleteObjects|ECRAutoDeleteImages)CustomResourceProvider|LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a)"
)
"""What the CDK adds to do for another resource what CloudFormation does not: to empty it before it goes, or to
set its retention; and the functions and roles for that. They hold nothing."""

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Template:
    """A stack's template, and where the stack is deployed to: its name and environment."""

    name: str
    target: tuple[str, ...]
    body: Object

    @property
    def resources(self) -> Object:
        """The resources by logical id."""
        found: Object = self.body.get("Resources") or {}
        return found

    @property
    def names(self) -> dict[str, str]:
        """What reports call each resource, by its logical id."""
        return {key: f"{self.name}.{key}" for key in self.resources}


def read(directory: Path) -> dict[str, Template]:
    """The templates of a cloud assembly and of those within it, by their path; those in assets do not count.

    Raises:
        OSError: a file of it can't be read.
        ValueError, AttributeError, KeyError, TypeError: a file of it is not what a synthesis writes.
    """
    targets: dict[str, tuple[str, ...]] = {}
    for manifest in sorted(_below(directory, "manifest.json")):
        artifacts: Object = json.loads(manifest.read_bytes()).get("artifacts", {})
        for name, artifact in artifacts.items():
            if artifact.get("type") == "aws:cloudformation:stack":
                properties = artifact["properties"]
                path = (manifest.parent / properties["templateFile"]).relative_to(directory).as_posix()
                targets[path] = (properties.get("stackName", name), artifact.get("environment", ""))
    found = {}
    for file in _below(directory, "*.template.json"):
        path = file.relative_to(directory).as_posix()
        name = path.removesuffix(".template.json").removesuffix(".nested")
        body = json.loads(file.read_bytes())
        if not all(isinstance(one, dict) for one in (body, *(body.get("Resources") or {}).values())):
            raise ValueError(f"{path} is no template")
        found[path] = Template(name, targets.get(path, ()), body)
    return found


def _below(directory: Path, pattern: str) -> Iterator[Path]:
    for path in directory.rglob(pattern):
        inner = path.relative_to(directory).parts[:-1]
        if path.is_file() and not any(part.startswith("asset.") for part in inner):
            yield path


def compare(
    before: Mapping[str, Template], after: Mapping[str, Template], again: Mapping[str, Template] | None = None
) -> Difference:
    """Which resources CloudFormation would add, update, replace and remove.

    What differs between `before` and `again`, two syntheses of the same, does not count, unless it is what has a
    resource replaced or removed.

    A stack that is deployed under another name or elsewhere has all its resources replaced. A resource that has
    another logical id and is else the same counts as replaced.
    """
    added: set[str] = set()
    changed: set[str] = set()
    replaced: set[str] = set()
    removed: set[str] = set()
    other: set[str] = set()
    doubtful: set[str] = set()
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old is None or new is None:
            if old:
                removed |= set(old.names.values())
            if new:
                added |= set(new.names.values())
            continue
        if old.target != new.target:
            replaced |= set(old.names.values())
            continue
        other_old = (again or before).get(path, old)
        same = old.resources.keys() & new.resources.keys()
        for key in same:
            was = old.resources[key]
            match _fate(was, new.resources[key], other_old.resources.get(key, was)):
                case "changed":
                    changed.add(old.names[key])
                case "doubtful":
                    changed.add(old.names[key])
                    doubtful.add(old.names[key])
                case "replaced":
                    replaced.add(old.names[key])
        gone, come = old.resources.keys() - same, new.resources.keys() - same
        revised = _revised(old, gone, new, come)
        changed |= {old.names[key] for key in revised.keys() & other_old.resources.keys()}
        gone, come = gone - revised.keys(), come - set(revised.values())
        renamed = _renamed({key: old.resources[key] for key in gone}, {key: new.resources[key] for key in come})
        replaced |= {f"{old.names[key]} (now {new_key})" for key, new_key in renamed.items()}
        serving = {key for key in gone - renamed.keys() if _serves(key, old.resources[key])}
        changed |= {old.names[key] for key in serving}
        removed |= {old.names[key] for key in gone - renamed.keys() - serving}
        added |= {new.names[key] for key in come - set(renamed.values())}
        lost = (_exports(old.body) & _exports(other_old.body)) - _exports(new.body)
        removed |= {f"{old.name}'s export {name}" for name in lost}
        other |= {f"{old.name}'s {part}" for part in _parts(old.body, new.body, other_old.body)}
    return Difference(*map(frozenset, (added, changed, replaced, removed, other, doubtful)))


def _serves(key: str, resource: Object) -> bool:
    """Whether a resource is there for another one: to be without it is a setting of that one.

    A log group may have been told to go with what sets its retention.
    """
    kind, properties = str(resource.get("Type")), resource.get("Properties") or {}
    if _SERVICES.fullmatch(kind) or _SERVANTS.match(key):
        return bool(properties.get("RemovalPolicy") != "destroy")
    document = properties.get("PolicyDocument") or {}
    statements = document.get("Statement") if kind == "AWS::S3::BucketPolicy" and isinstance(document, dict) else None
    return bool(statements) and all(_SERVANTS.search(json.dumps(each)) for each in statements or ())


def _parts(old: Object, new: Object, again: Object) -> set[str]:
    """The sections other than the resources that differ; descriptions and metadata deploy nothing."""
    quiet = {"Resources", "Description", "Metadata", "AWSTemplateFormatVersion"}
    parts = {part: [_undescribed(part, one.get(part)) for one in (old, again, new)] for part in {*old, *new} - quiet}
    return {part for part, states in parts.items() if states[0] != settled(*states)}


def _undescribed(section: str, content: Any) -> Any:
    """What a section holds, without the descriptions of outputs and parameters."""
    if section not in ("Outputs", "Parameters") or not isinstance(content, dict):
        return content
    return {
        name: {key: value for key, value in one.items() if key != "Description"} if isinstance(one, dict) else one
        for name, one in content.items()
    }


def _exports(body: Object) -> set[str]:
    """The names that a template exports, which other stacks may import; those that are computed as JSON."""
    outputs = body.get("Outputs") or {}
    names = (one["Export"].get("Name") for one in outputs.values() if isinstance(one, dict) and one.get("Export"))
    return {name if isinstance(name, str) else json.dumps(name) for name in names}


def _revised(old: Template, gone: set[str], new: Template, come: set[str]) -> dict[str, str]:
    """The revisions that others take the place of, old id to new."""
    left: dict[str, list[str]] = {}
    for key in sorted(come, reverse=True):
        left.setdefault(new.resources[key].get("Type"), []).append(key)
    kinds = {key: old.resources[key].get("Type") for key in sorted(gone)}
    return {key: left[kind].pop() for key, kind in kinds.items() if kind in _REVISIONS and left.get(kind)}


def _renamed(gone: Object, come: Object) -> dict[str, str]:
    """The resources that differ in their logical id alone, old id to new.

    Those that refer to others with new ids are found once these are.
    """
    ids: dict[str, str] = {}
    while True:
        texts = {key: _text(come[key], {}) for key in sorted(come) if key not in ids.values()}
        for key in sorted(gone.keys() - ids.keys()):
            text = _text(gone[key], ids)
            twin = next((one for one, other in texts.items() if other == text), None)
            if twin is not None:
                ids[key] = twin
                break
        else:
            return ids


def _text(resource: Object, ids: Mapping[str, str]) -> str:
    shape = {key: value for key, value in resource.items() if key != "Metadata"}
    text = json.dumps(shape, sort_keys=True)
    for old, new in ids.items():
        text = text.replace(f'"{old}"', f'"{new}"').replace(f"${{{old}", f"${{{new}")
    return text


def _fate(old: Object, new: Object, again: Object) -> str:
    """What happens to a resource of the same logical id: empty, `changed`, `replaced`, or `doubtful` if either."""
    kind = old.get("Type")
    if kind != new.get("Type"):
        return "replaced"
    always, sometimes = ([], []) if kind in _REVISIONS else update_types(str(kind))
    was = old.get("Properties") or {}
    if _differ(was, new.get("Properties") or {}, always):
        return "replaced"
    now = settled(old, again, new)
    if _stripped(old) == _stripped(now):
        return ""
    return "doubtful" if _differ(was, now.get("Properties") or {}, sometimes) else "changed"


def _differ(was: Any, now: Any, paths: Sequence[Sequence[str]]) -> bool:
    return any(_at(was, path) != _at(now, path) for path in paths)


def _stripped(resource: Object) -> Object:
    metadata = {key: one for key, one in (resource.get("Metadata") or {}).items() if not key.startswith(_TOOLS)}
    return {**resource, "Metadata": metadata}


def _at(value: Any, path: Sequence[str]) -> Any:
    """The value at the path, for `*` those of all items; None if there is none."""
    if not path:
        return value
    first, *rest = path
    if first == "*":
        return [_at(one, rest) for one in value] if isinstance(value, list) else None
    return _at(value[first], rest) if isinstance(value, dict) and first in value else None


# ---- facts -------------------------------------------------------------------------------------


@functools.cache
def _types() -> dict[str, tuple[str, str]]:
    """For each type its properties that are immutable, and those that may be."""
    text = files(__package__).joinpath("data/update_types.json").read_text(encoding="utf-8")
    types: dict[str, tuple[str, str]] = json.loads(text)["types"]
    return types


def update_types(kind: str) -> tuple[list[list[str]], list[list[str]]]:
    """The paths of a type's properties that CloudFormation can't change in place, and of those that it sometimes can't.

    There are none for a type that the facts do not know.
    """
    always, sometimes = _types().get(kind, ("", ""))
    return [path.split("/") for path in always.split()], [path.split("/") for path in sometimes.split()]
