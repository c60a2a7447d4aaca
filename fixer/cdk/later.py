"""What a file does to its constructs after it has made them: assignments, overrides, acknowledgements."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.tree import Assignment, Scope, Site, children, dotted
from fixer.cdk.values import single_value
from fixer.model import Unknown

if TYPE_CHECKING:
    from fixer.cdk.calls import Call, Construct
    from fixer.cdk.file import CdkFile

_OVERRIDES = frozenset(
    ("add_property_override", "add_property_deletion_override", "add_override", "add_deletion_override")
)
_CHILD = ".node.default_child"
_VERSION = ".current_version"
"""Stands for a Lambda function wherever it is called."""


class Later:
    """Looks up later uses of what constructs are assigned to, in the same function, or for `self.x` the same class."""

    def __init__(self, file: CdkFile) -> None:
        """Take the file."""
        self._file = file
        self._tree = file.tree
        self._named: dict[cst.CSTNode, dict[str, Scope | None]] = {}

    @cached_property
    def _aliases(self) -> list[tuple[str, Assignment]]:
        """Assignments of a name, or of its version, with that name."""
        texts = ((dotted(each.value) or "", each) for each in self._tree.assignments)
        return [(text.removesuffix(_VERSION), each) for text, each in texts if text]

    @cached_property
    def _targets(self) -> dict[cst.CSTNode, str]:
        found: dict[cst.CSTNode, str] = {}
        for each in self._tree.assignments:
            found.setdefault(each.value, each.target)
        return found

    @cached_property
    def _overriding(self) -> list[tuple[str, Site]]:
        """Calls of the override methods, with the text of what they are called on."""
        found = []
        for site in self._tree.calls:
            func = site.node.func
            if isinstance(func, cst.Attribute) and func.attr.value in _OVERRIDES:
                found.append((self._root(func.value) or "", site))
        return found

    @cached_property
    def _acknowledging(self) -> list[tuple[Site, bool]]:
        """Calls that acknowledge cdk-nag rules, and whether they do so for a stack."""
        found = []
        for site in self._tree.calls:
            func = site.node.func
            if isinstance(func, cst.Attribute) and func.attr.value.startswith("add_"):
                owner = self._tree.target(func.value, site.scope) or ""
                if owner.endswith("NagSuppressions") and func.attr.value != "add_resource_suppressions_by_path":
                    found.append((site, func.attr.value == "add_stack_suppressions"))
        return found

    def target(self, site: Site) -> str | None:
        """What a call's result is assigned to."""
        return self._targets.get(site.node)

    def methods(self, construct: Construct, name: str, through: str) -> Iterator[Call]:
        """Calls of a method on a construct, or on what `through` (such as `.grants`) leads to from it."""
        for call in self._file.methods(name) if construct.target else ():
            receiver = self._file.receiver(call)
            if receiver.endswith(through) and self.is_meant(construct, receiver.removesuffix(through), call.scope):
                yield call

    def is_meant(self, construct: Construct, text: str, scope: Scope) -> bool:
        """Whether a name that is read in a scope stands for a construct."""
        names = self._names(construct)
        return text in names and _home(text, scope) is names[text]

    def names(self, construct: Construct) -> tuple[str, ...]:
        """All that a construct, or its version, is assigned to."""
        return tuple(self._names(construct))

    def _names(self, construct: Construct) -> dict[str, Scope | None]:
        """What a construct is assigned to, and what that, or its version, is assigned to, each with where it lives."""
        target = construct.target
        if target is None:
            return {}
        if construct.node not in self._named:
            names = self._named[construct.node] = {target: _home(target, construct.scope)}
            for text, each in self._aliases:
                if text in names and _home(text, each.scope) is names[text]:
                    names.setdefault(each.target, _home(each.target, each.scope))
        return self._named[construct.node]

    def overrides(self, construct: Construct) -> tuple[str, ...]:
        """Properties and override paths that are set on a construct later."""
        target = construct.target
        if target is None:
            return ()
        home = _home(target, construct.scope)
        children = self._children.get(target, ())
        names = {target} | {each.target for each in children if _home(target, each.scope) is home}
        found = [
            name
            for each in self._tree.assignments
            if (name := _property(each, names)) is not None and self._at_home(each.target, each.scope, names, construct)
        ]
        for root, site in self._overriding:
            if root in names and self._at_home(root, site.scope, names, construct):
                path = site.node.args[0].value if site.node.args else None
                value = path.evaluated_value if isinstance(path, cst.SimpleString) else None
                found.append(value if isinstance(value, str) else "*")
        return tuple(found)

    def _at_home(self, text: str, scope: Scope, names: set[str], construct: Construct) -> bool:
        name = next((each for each in names if text == each or text.startswith(f"{each}.")), text)
        return _home(name, scope) is _home(name, construct.scope)

    def _root(self, node: cst.BaseExpression) -> str | None:
        """The text of a construct, with `.node.default_child` and a cast around it taken off."""
        return self._uncast(node).removesuffix(_CHILD) or None

    @cached_property
    def _children(self) -> dict[str, list[Assignment]]:
        """Assignments of `x.node.default_child`, in a cast or not, by that `x`."""
        found: dict[str, list[Assignment]] = {}
        for each in self._tree.assignments:
            text = self._uncast(each.value)
            if text.endswith(_CHILD):
                found.setdefault(text.removesuffix(_CHILD), []).append(each)
        return found

    def _uncast(self, node: cst.BaseExpression) -> str:
        """A dotted name, with a cast around it taken off; empty if it is something else."""
        if isinstance(node, cst.Call):
            is_cast = (dotted(node.func) or "").rpartition(".")[2] == "cast" and len(node.args) == 2
            return self._uncast(node.args[1].value) if is_cast else ""
        return dotted(node) or ""

    def nag(self, construct: Construct) -> frozenset[str]:
        """Ids that are acknowledged for a construct, or for the whole stack by the class that it is made in."""
        found: set[str] = set()
        target = construct.target
        for site, for_stack in self._acknowledging:
            given = {each.keyword.value: each.value for each in site.node.args if each.keyword is not None}
            positional = [each.value for each in site.node.args if each.keyword is None]
            subject = given.get("stack" if for_stack else "construct", positional[0] if positional else None)
            rest = positional if subject not in positional else positional[1:]
            listed = given.get("suppressions", rest[0] if rest else None)
            if subject is None or listed is None:
                continue
            texts = [dotted(each) for each in _each(subject)]
            if for_stack:
                same = "self" in texts and site.scope.nearest("class") is construct.scope.nearest("class")
            else:
                same = (
                    target in texts
                    and target is not None
                    and _home(target, site.scope) is _home(target, construct.scope)
                )
            if same:
                found.update(self._ids(listed, site.scope))
        return frozenset(found)

    def _ids(self, node: cst.CSTNode, scope: Scope) -> Iterator[str]:
        if isinstance(node, cst.Name | cst.Attribute):
            value = single_value(self._file, node, scope)
            if not isinstance(value, Unknown) and not isinstance(value[0], cst.Name | cst.Attribute):
                yield from self._ids(*value)
            return
        pair: tuple[cst.CSTNode, cst.CSTNode] | None = None
        if isinstance(node, cst.DictElement):
            pair = node.key, node.value
        elif isinstance(node, cst.Arg) and node.keyword is not None:
            pair = node.keyword, node.value
        if pair is not None:
            name = pair[0].evaluated_value if isinstance(pair[0], cst.SimpleString) else dotted(pair[0])
            if name == "id" and isinstance(pair[1], cst.SimpleString):
                yield str(pair[1].evaluated_value)
            return
        for each in children(node):
            if not isinstance(node, cst.Call) or each is not node.func:
                yield from self._ids(each, scope)


def _each(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(node, cst.List | cst.Tuple):
        yield from (each.value for each in node.elements)
    else:
        yield node


def _property(each: Assignment, names: set[str]) -> str | None:
    """The property that an assignment sets on one of these names."""
    for name in names:
        if each.target.startswith(f"{name}."):
            rest = each.target[len(name) + 1 :].removeprefix("node.default_child.")
            if name != "self":
                return rest
    return None


def _home(target: str, scope: Scope) -> Scope | None:
    """Where a target lives: the class for `self.x`, else the scope that binds the name."""
    head = target.partition(".")[0]
    if head == "self":
        return scope.nearest("class")
    found = scope.find(head)
    return found[0] if found else None
