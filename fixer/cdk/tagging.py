"""Which tags an app gives: `Tags.of(x).add()`, in loops too, and the `tags` of its stacks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.tree import dotted
from fixer.cdk.values import behind, evaluate, single_value
from fixer.model import Known, Unknown

if TYPE_CHECKING:
    from fixer.cdk.calls import Call, Construct
    from fixer.cdk.file import CdkFile
    from fixer.cdk.tree import Scope
    from fixer.model import Edit


@dataclass(frozen=True)
class Tagging:
    """One call that gives tags to a construct and all below it."""

    call: Call
    target: str
    """What is tagged, as it is written."""
    keys: tuple[str, ...] | None
    """None: they can't be told."""
    value: str = ""
    """The tag's value, if it is one literal."""


def taggings(file: CdkFile) -> Iterator[Tagging]:
    """The calls of a file that tag something, in order; `Tag.add` of version 1 too."""
    if b"Tag" not in file.source:
        return
    made: dict[cst.CSTNode, Call] = {each.node: each for each in file.calls("Tags.of")}
    for call in file.methods("add") if made else ():
        receiver = getattr(call.node.func, "value", None)
        found = made.get(behind(file, receiver, call.scope)) if isinstance(receiver, cst.BaseExpression) else None
        if found is not None and found.arguments:
            given = {each.name or ("key", "value")[number]: each for number, each in enumerate(call.arguments[:2])}
            value = evaluate(file, given["value"].node, call.scope) if "value" in given else None
            text = value.value if isinstance(value, Known) and isinstance(value.value, str) else ""
            keys = _keys(file, given["key"].node, call) if "key" in given else None
            yield Tagging(call, found.arguments[0].text, keys, text)
    for call in file.calls("Tag.add"):
        if len(call.positional) > 1:
            yield Tagging(call, call.positional[0].text, _keys(file, call.positional[1].node, call))


def property_tags(construct: Construct) -> tuple[str, ...] | None:
    """The keys of its `tags`, none if it has none; None if they can't be told."""
    given = construct.behind("tags")
    return _of_dict(construct.file, given.node, construct.scope) if given else ()


def _keys(file: CdkFile, node: cst.BaseExpression, call: Call) -> tuple[str, ...] | None:
    value = evaluate(file, node, call.scope)
    if isinstance(value, Known) and isinstance(value.value, str):
        return (value.value,)
    name = dotted(node)
    for above in file.tree.above(call.node):
        target = above.target if isinstance(above, cst.For) else None
        if isinstance(above, cst.For) and isinstance(target, cst.Tuple) and dotted(target.elements[0].value) == name:
            return _of_iterable(file, above.iter, call.scope)
    return None


def _of_iterable(file: CdkFile, node: cst.BaseExpression, scope: Scope) -> tuple[str, ...] | None:
    """The keys that a loop goes through: those of `tags.items()`, or the first parts of pairs."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "items":
        return _of_dict(file, node.func.value, scope)
    value = evaluate(file, node, scope)
    if isinstance(value, Known) and isinstance(value.value, list):
        firsts = [each[0] if isinstance(each, list) and each else None for each in value.value]
        return tuple(map(str, firsts)) if all(isinstance(each, str) for each in firsts) else None
    return None


def _of_dict(file: CdkFile, node: cst.BaseExpression, scope: Scope) -> tuple[str, ...] | None:
    """The keys of a dict literal, or of a variable that is assigned one once."""
    if isinstance(node, cst.Name | cst.Attribute):
        found = single_value(file, node, scope)
        if isinstance(found, Unknown):
            return None
        node, scope = found
    if not isinstance(node, cst.Dict):
        return None
    keys = [evaluate(file, each.key, scope) if isinstance(each, cst.DictElement) else None for each in node.elements]
    texts = [key.value if isinstance(key, Known) else None for key in keys]
    return tuple(str(each) for each in texts) if all(isinstance(each, str) for each in texts) else None


def tag(construct: Construct, tags: Mapping[str, str], below: int = 0) -> tuple[Edit, ...] | None:
    """The edits that tag a construct, in lines below it; None if it is made within another statement.

    Args:
        construct: One that is assigned to something.
        tags: Python source by their keys.
        below: An offset in a later statement, which what they read comes from.
    """
    name, imports = construct.file.spell("Tags", construct)
    lines = [f"{name}.of({construct.target}).add({construct.file.quoted(key)}, {value})" for key, value in tags.items()]
    edits = construct.insert_after("\n".join(lines), below=below)
    return (*edits, *imports) if edits else None


class Tagged:
    """What is tagged of an app or a stage, which an app's tags do not reach.

    The CDK applies tags as aspects, and these stop at a stage: `invokeAspects` in core's synthesis.
    """

    def __init__(self, root: Construct) -> None:
        """Take the call that makes it, or the `super().__init__` of its class."""
        self.root = root
        app = root.file.app
        self._files = [root.file if each.path == root.path else each for each in app.files()]
        self.taggings = [tagging for file in self._files for tagging in taggings(file)]
        made = [each for file in self._files for each in file.constructs("Stack", include_subclass_calls=True)]
        bodies = [each for each in made if _is_body(each)]
        self._bodies = {each.class_name: each for each in bodies}
        self._others = {each.target for each in root.file.constructs("App")} - {root.target}
        calls = [each for each in made if not _is_body(each)]
        self.stacks = [each for each in calls if self._is_inside(each)]
        """The stacks that are made in it, or all classes of stacks if no stack is seen to be made anywhere."""
        if not calls and root.name == "App":
            self.stacks = bodies

    def has(self, wanted: Callable[[str], bool]) -> bool:
        """Whether it, or each of its stacks, has a tag with such a key."""
        if any(wanted(key) for each in self.direct for key in each.keys or ()):
            return True
        return bool(self.stacks) and all(any(map(wanted, self._of_stack(each))) for each in self.stacks)

    @property
    def direct(self) -> list[Tagging]:
        """What tags the root itself."""
        return [each for each in self.taggings if self._is_meant(each, self.root)]

    @property
    def unclear(self) -> Tagging | None:
        """Something that tags it, or a stack of it, with keys that can't be told."""
        constructs = (self.root, *self.stacks, *self._bodies.values())
        open_ = (each for each in self.taggings if each.keys is None)
        return next((each for each in open_ if any(self._is_meant(each, one) for one in constructs)), None)

    def bare(self, key: Callable[[str], bool]) -> list[Construct] | None:
        """The bodies of the classes of stacks that lack such a tag; None if a stack that lacks it is of none."""
        found: dict[str, Construct] = {}
        for stack in self.stacks:
            if not any(map(key, self._of_stack(stack))):
                body = stack if _is_body(stack) else self._bodies.get(stack.subclass)
                if body is None or body.class_name is None:
                    return None
                found[body.class_name] = body
        return list(found.values())

    def properties(self) -> Iterator[tuple[str, str]]:
        """Keys of tags that are given as a property, which tags of something around replace, each with its place."""
        for file in self._files:
            for call in file.calls("CfnTag"):
                value = call.value("key")
                if isinstance(value, Known):
                    yield str(value.value), f"{call.path}:{call.line}"
        for stack in {*self.stacks, *self._bodies.values()}:
            for key in property_tags(stack) or ():
                yield key, f"{stack.path}:{stack.line}"

    def _is_inside(self, stack: Construct) -> bool:
        around = stack.class_name
        if self.root.name == "App":
            if stack.path == self.root.path and stack.scope_text in self._others:
                return False
            return stack.file.app.subclasses.get(around or "") != "Stage"
        if self.root.is_super:
            return around == self.root.class_name and stack.path == self.root.path
        return stack.path == self.root.path and self.root.target == stack.scope_text

    def _of_stack(self, stack: Construct) -> frozenset[str]:
        own = [key for each in self.taggings if self._is_meant(each, stack) for key in each.keys or ()]
        name = stack.class_name if _is_body(stack) else stack.subclass
        return frozenset((*own, *(property_tags(stack) or ()))) | self._of_class(name, ())

    def _of_class(self, name: str | None, seen: tuple[str, ...]) -> frozenset[str]:
        """The keys that a class of the app, or one that it derives from, tags itself with."""
        if name is None or name in seen:
            return frozenset()
        body = self._bodies.get(name)
        own = [key for each in self.taggings if body and self._is_meant(each, body) for key in each.keys or ()]
        found = frozenset((*own, *(property_tags(body) or () if body else ())))
        for file in self._files:
            outline = file.outline.classes.get(name)
            for base in outline.bases if outline else ():
                found |= self._of_class(base.rpartition(".")[2], (*seen, name))
        return found

    def _is_meant(self, tagging: Tagging, construct: Construct) -> bool:
        """Whether a construct is tagged there, also by a function that it is handed to."""
        function = tagging.call.scope.nearest("function")
        if function and tagging.target != "self" and tagging.target in function.parameters:
            handed = re.compile(rf"\b{function.name}\(\s*(?:\w+\s*=\s*)?{re.escape(construct.target or '()')}\s*[,)]")
            return handed.search(construct.file.source.decode()) is not None
        same = tagging.call.path == construct.path
        return same and construct.is_meant_by(tagging.target, tagging.call)


def _is_body(stack: Construct) -> bool:
    """Whether it is the `super().__init__` of a class of stacks, and not a stack that is made."""
    attribute = getattr(stack.node.func, "attr", None)
    return attribute is not None and attribute.value == "__init__"
