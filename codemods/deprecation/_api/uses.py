"""Calls with what they take, and members of things whose type is certain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from codemods.facts.cdk_api import CdkType, Signature, cdk_keywords, cdk_type
from fixer.cdk.tree import dotted
from fixer.cdk.values import single_value
from fixer.model import Unknown

if TYPE_CHECKING:
    from codemods.facts.cdk_api import Property
    from fixer.cdk import Call, CdkFile
    from fixer.cdk.tree import Scope

_DEPTH = 12
_CAUGHT = ("AttributeError", "ImportError", "ModuleNotFoundError", "TypeError", "Exception")


@dataclass(frozen=True)
class Use:
    """A call of something that the facts know."""

    call: Call
    name: str
    """What is called: `aws_s3.Bucket`, `aws_ec2.MachineImage.latest_amazon_linux`, `aws_ec2.Vpc.add_flow_log`."""
    signature: Signature

    @property
    def keywords(self) -> Mapping[str, Property]:
        """The keywords that it takes by name alone."""
        return cdk_keywords(self.signature.struct) if self.signature.struct else {}

    @property
    def takes(self) -> frozenset[str]:
        """All that it takes by name."""
        return frozenset((*self.signature.positional, *self.keywords))


@dataclass(frozen=True)
class Member:
    """A member of something whose type is known."""

    node: cst.Attribute
    owner: CdkType
    name: str
    exact: bool
    """What has it was made as that very type: it has no other members, unless the file adds some."""
    call: Call | None = None
    """The call, if it is a method that is called."""


def uses(file: CdkFile) -> Iterator[Use]:
    """The calls that make something, in the order of their sort: classes and structs, functions of classes, methods."""
    for construct in file.constructs():
        made = cdk_type(construct.name) if construct.is_super else None
        if made and made.initializer:
            yield Use(construct, construct.name, made.initializer)
    for call in file.calls():
        if signature := _signature(call.name):
            yield Use(call, call.name, signature)
    for member in members(file):
        if member.call and (signature := member.owner.methods.get(member.name)):
            yield Use(member.call, f"{member.owner.name}.{member.name}", signature)


def _signature(name: str) -> Signature | None:
    found = cdk_type(name)
    if found:
        own = Signature((), frozenset(), "", name)
        return own if found.kind == "struct" else found.initializer if found.kind == "class" else None
    owner = cdk_type(name.rpartition(".")[0])
    return owner.methods.get(name.rpartition(".")[2]) if owner else None


def members(file: CdkFile) -> Iterator[Member]:
    """The methods that are called on things whose type is known."""
    for call in file.method_calls:
        node = call.node.func
        if isinstance(node, cst.Attribute):
            name, exact = type_of(file, node.value, call.scope)
            if found := cdk_type(name) if name else None:
                yield Member(node, found, call.name, exact, call)


def attributes(file: CdkFile) -> Iterator[Member]:
    """The attributes that are read of what is assigned to a name, if its type is known."""
    targets = {one.target for one in file.tree.assignments}
    for node, parent in file.tree.parents.items():
        if not isinstance(node, cst.Attribute) or dotted(node.value) not in targets:
            continue
        if getattr(parent, "func", None) is node or getattr(parent, "target", None) is node:
            continue
        name, exact = type_of(file, node.value, file.tree.scope_at(file.tree.span(node)[0]))
        if found := cdk_type(name) if name else None:
            yield Member(node, found, node.attr.value, exact)


def is_of_2(file: CdkFile) -> bool:
    """Whether the project does not ask for version 1 of the CDK, which has another API."""
    version = file.app.facts.version
    return version is None or version[0] >= 2


def is_caught(file: CdkFile, node: cst.CSTNode) -> bool:
    """Whether what goes wrong there is caught around it, in the same function."""
    inner = node
    for above in file.tree.above(node):
        if isinstance(above, cst.FunctionDef | cst.ClassDef):
            return False
        if isinstance(above, cst.Try) and inner is above.body:
            return any(_catches(one) for one in above.handlers)
        inner = above
    return False


def _catches(handler: cst.ExceptHandler) -> bool:
    kinds = handler.type
    every = [one.value for one in kinds.elements] if isinstance(kinds, cst.Tuple) else [kinds]
    return any(one is None or getattr(one, "value", "") in _CAUGHT for one in every)


def type_of(file: CdkFile, node: cst.BaseExpression, scope: Scope, depth: int = 0) -> tuple[str, bool]:
    """The type of the CDK that an expression has, and whether it is made as that very type; empty if unknown."""
    if depth > _DEPTH:
        return "", False
    if isinstance(node, cst.Call):
        return _called(file, node, scope, depth)
    if not isinstance(node, cst.Name | cst.Attribute) or file.qualified_in(node, scope):
        return "", False
    found = single_value(file, node, scope)
    if not isinstance(found, Unknown):
        return type_of(file, *found, depth + 1)
    if isinstance(node, cst.Attribute):
        owner = cdk_type(type_of(file, node.value, scope, depth + 1)[0])
        property_ = owner.properties.get(node.attr.value) if owner else None
        return (property_.type, False) if property_ else ("", False)
    return "", False


def _called(file: CdkFile, node: cst.Call, scope: Scope, depth: int) -> tuple[str, bool]:
    name = file.qualified_in(node.func, scope) or ""
    made = cdk_type(name) if name else None
    if made:
        return (name, made.kind == "class") if made.kind in ("class", "struct") else ("", False)
    if name:
        signature = _signature(name)
        return (signature.returns if signature else "", False)
    if isinstance(node.func, cst.Attribute):
        owner = cdk_type(type_of(file, node.func.value, scope, depth + 1)[0])
        method = owner.methods.get(node.func.attr.value) if owner else None
        return (method.returns, False) if method else ("", False)
    return "", False
