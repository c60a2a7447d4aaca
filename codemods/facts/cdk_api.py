"""The types of aws-cdk-lib in Python's names. Made by `tools/facts/cdk_api.py`; read a module at a time."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from codemods.facts._archive import document, documents

ARCHIVE = "cdk_api.zip"
_KINDS = {"c": "class", "s": "struct", "i": "interface", "e": "enum"}


@dataclass(frozen=True)
class Property:
    """A property of a class or a keyword of a struct."""

    type: str
    """As Python writes it, the CDK's own without `aws_cdk`: `list[aws_ec2.ISubnet]`."""
    required: bool


@dataclass(frozen=True)
class Signature:
    """What a call takes."""

    positional: tuple[str, ...]
    """Parameters by name; in Python they may be given as keywords too."""
    optional: frozenset[str]
    """Those of them that may be missing."""
    variadic: str
    """The parameter that takes all further arguments; empty if there is none."""
    struct: str
    """The struct whose properties are keywords of the call; empty if there is none."""
    returns: str = ""
    """The type of the CDK that the call gives; empty if it gives none, and for making something."""


@dataclass(frozen=True)
class CdkType:
    """A class, struct, interface or enum with all that it inherits; a class has what it implements of interfaces."""

    name: str
    """Without `aws_cdk`: `aws_s3.Bucket`, `Duration`."""
    kind: str
    bases: tuple[str, ...]
    initializer: Signature | None
    properties: Mapping[str, Property]
    methods: Mapping[str, Signature]
    constants: frozenset[str]
    """Members of an enum, and those of a class that stand for a value: `BlockPublicAccess.BLOCK_ALL`."""
    deprecated: Mapping[str, str]
    """What is deprecated, by member, "" for the whole type: what the CDK says about it."""
    replaced: Mapping[str, str]
    """Of these, the ones that another member of the same type is to be used for."""


@functools.cache
def cdk_type(name: str) -> CdkType | None:
    """A type by its name without `aws_cdk`; None if the facts do not have it."""
    encoded = _encoded(name)
    if encoded is None:
        return None
    kind = _KINDS[encoded["k"]]
    inherited = _inherited(kind, encoded.get("b", ()))
    deprecated = {key: text for key, text in encoded.get("d", {}).items() if not text.startswith("=")}
    replaced = {key: text[1:] for key, text in encoded.get("d", {}).items() if text.startswith("=")}
    own = {*encoded.get("p", ()), *encoded.get("m", ()), *encoded.get("c", ())}
    for base in inherited:
        deprecated |= {key: text for key, text in base.deprecated.items() if key and key not in own}
        replaced |= {key: text for key, text in base.replaced.items() if key not in own}
    deprecated |= {key: f"use {name} instead" for key, name in replaced.items()}
    return CdkType(
        name,
        kind,
        tuple(encoded.get("b", ())),
        _initializer(encoded, inherited),
        {key: one for base in inherited for key, one in base.properties.items()}
        | {key: Property(text.removesuffix("!"), text.endswith("!")) for key, text in encoded.get("p", {}).items()},
        {key: one for base in inherited for key, one in base.methods.items()}
        | {key: _signature(text) for key, text in encoded.get("m", {}).items()},
        frozenset(encoded.get("c", ())).union(*(base.constants for base in inherited)),
        deprecated,
        replaced,
    )


def cdk_bases(name: str) -> tuple[CdkType, ...]:
    """The types whose members a type inherits: a class those of a class."""
    found = cdk_type(name)
    return tuple(_inherited(found.kind, found.bases)) if found else ()


def cdk_struct(name: str) -> CdkType | None:
    """The struct whose properties are the keywords that making a class or struct takes; None if there is none."""
    found = cdk_type(name)
    if found and found.kind == "class" and found.initializer:
        found = cdk_type(found.initializer.struct)
    return found if found and found.kind == "struct" else None


def cdk_keywords(name: str) -> Mapping[str, Property]:
    """The keywords that making a class or struct takes, without its positional parameters; none if it is not known."""
    found = cdk_struct(name)
    return found.properties if found else {}


def cdk_module(name: str) -> frozenset[str]:
    """The types of a module, `aws_s3`, or "" for the core, by their names in it; none if there is no such module."""
    return frozenset(document(ARCHIVE, name or "aws_cdk") or ())


def cdk_owner(name: str, member: str) -> str:
    """The type that has a member itself, of a type and what it derives from; the type's own name if none has it."""
    if member in _own(name):
        return name
    found = (cdk_owner(base, member) for base in reversed((_encoded(name) or {}).get("b", ())) if cdk_type(base))
    return next((one for one in found if member in _own(one)), name)


def _own(name: str) -> set[str]:
    encoded = _encoded(name) or {}
    return {member for kind in "pmc" for member in encoded.get(kind, ())}


@functools.cache
def cdk_modules() -> frozenset[str]:
    """The modules that the facts have, such as `aws_s3`; the core is ""."""
    return frozenset("" if name == "aws_cdk" else name for name in documents(ARCHIVE) if not name.startswith("_"))


@functools.cache
def cdk_types_called(name: str) -> tuple[str, ...]:
    """The types of that name in all modules, nested ones apart: `aws_cloudwatch_actions.SnsAction`."""
    modules = ("" if one == "aws_cdk" else one for one in documents(ARCHIVE, f'"{name}":{{') if not one.startswith("_"))
    return tuple(sorted(f"{module}.{name}".lstrip(".") for module in modules if name in cdk_module(module)))


def _encoded(name: str) -> dict[str, Any] | None:
    module, _, rest = name.partition(".") if name[:1].islower() else ("aws_cdk", "", name)
    found: dict[str, Any] | None = (document(ARCHIVE, module) or {}).get(rest)
    return found


def _inherited(kind: str, bases: Iterable[str]) -> list[CdkType]:
    return [base for base in map(cdk_type, bases) if base and (base.kind == kind or kind != "class")]


def _initializer(encoded: dict[str, Any], inherited: list[CdkType]) -> Signature | None:
    if "i" in encoded:
        return _signature(encoded["i"])
    return next((base.initializer for base in inherited if base.initializer), None)


def _signature(text: str) -> Signature:
    """The signature that is written as `scope, id, name=, *more, **aws_s3.BucketProps -> aws_s3.IBucket`."""
    text, _, returns = text.partition(" -> ")
    parts = text.split(", ") if text else []
    plain = [part for part in parts if not part.startswith("*")]
    return Signature(
        tuple(part.removesuffix("=") for part in plain),
        frozenset(part[:-1] for part in plain if part.endswith("=")),
        next((part[1:].removesuffix("=") for part in parts if part.startswith("*") and part[1] != "*"), ""),
        next((part[2:] for part in parts if part.startswith("**")), ""),
        returns,
    )
