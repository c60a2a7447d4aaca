"""Which variables, parameters and attributes of a class hold a text, or a truth value, at a place of CDK code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.classes import first_own_call, init_of
from fixer.cdk.tree import dotted
from fixer.environment import tells_apart

if TYPE_CHECKING:
    from fixer.cdk.file import CdkFile
    from fixer.cdk.tree import Binding, Scope

_READERS = frozenset(["context", "get", "get_context", "get_str", "get_string", "getenv", "str", "try_get_context"])
_SAME = frozenset(["capitalize", "lower", "replace", "strip", "title", "upper"])
"""Methods that make a text of a text."""
_UNCLEAR = ("environment", "env", "stage")
"""Parameters that are as often an `aws_cdk.Environment`, a dict of variables, or a stage of an API."""
_DEPTH = 8


@dataclass(frozen=True)
class Held:
    """How code reads what a name holds: `env_name`, `self.env_name`."""

    code: str
    binding: Binding
    """What sets it last."""
    is_own: bool
    """Whether the function around the place, or the file if there is none, sets it; else it is there from the start."""

    @property
    def start(self) -> int:
        """From where on it is there; 0 if it is from the start."""
        return self.binding.start if self.is_own else 0


class Holding:
    """What names hold at an offset of a file, or below it in the same function: `Held.start` tells.

    A name that is set in a condition that the place is not in holds nothing for certain, unless it does so before.
    """

    def __init__(self, file: CdkFile, scope: Scope, at: int, *, certainly: bool = False) -> None:
        """Take the place.

        Args:
            file: The file.
            scope: The scope around the place.
            at: Its offset.
            certainly: Whether what comes from outside must have a default; else what is read from the context, from a
                dict or from something else that tells environments apart counts as a text too.
        """
        self._file, self._tree, self._scope, self._at = file, file.tree, scope, at
        self._certainly = certainly

    def texts(self, names: Iterable[str]) -> Iterator[Held]:
        """What of these names holds a text."""
        yield from (
            held for name in names for held, owner, set_by in self._named(name) if self._are("str", set_by, owner)
        )

    def truths(self, names: Iterable[str]) -> Iterator[Held]:
        """What of these names holds true or false."""
        yield from (
            held for name in names for held, owner, set_by in self._named(name) if self._are("bool", set_by, owner)
        )

    # ---- names -----------------------------------------------------------------------------------

    def _named(self, name: str) -> Iterator[tuple[Held, Scope, list[Binding]]]:
        """The variable and the attribute of a name, with the scope that sets them, and all that sets them there."""
        home = self._scope.nearest("function")
        found = self._scope.find(name)
        if found is not None and found[0].kind in ("function", "module"):
            owner, bindings = found
            yield Held(name, _last(bindings), owner is home or home is None), owner, bindings
        around = self._scope.nearest("class")
        bindings = around.attributes.get(name, []) if around else []
        setters = {self._tree.scope_at(each.start).nearest("function") for each in bindings}
        setter = setters.pop() if len(setters) == 1 else None
        if around is None or setter is None:
            return
        held = Held(f"self.{name}", _last(bindings), setter is self._tree.scope_at(self._at).nearest("function"))
        if held.is_own or (
            setter is init_of(around) and held.binding.start <= first_own_call(self._file, around, setter)
        ):
            yield held, setter, bindings

    # ---- values ----------------------------------------------------------------------------------

    def _are(self, kind: str, bindings: list[Binding], owner: Scope, depth: int = 0) -> bool:
        """Whether a name that these set in a scope certainly holds a value of that kind: `str` or `bool`."""
        ordered = sorted(bindings, key=lambda each: each.start)
        certain = [number for number, each in enumerate(ordered) if self._is_certain(each, owner)]
        return bool(certain) and all(self._is(kind, each, owner, depth) for each in ordered[certain[-1] :])

    def _is_certain(self, binding: Binding, owner: Scope) -> bool:
        """Whether what sets a name is no matter of a condition that the place is not in."""
        if binding.value is None:
            return True
        block = self.block(binding.value)
        start, end = self._tree.span(block)
        return isinstance(block, cst.Module) or block is getattr(owner.node, "body", None) or start <= self._at < end

    def block(self, node: cst.CSTNode) -> cst.CSTNode:
        """The block, or the file, that a node stands in."""
        kinds = (cst.IndentedBlock, cst.SimpleStatementSuite, cst.Module)
        return next(each for each in self._tree.above(node) if isinstance(each, kinds))

    def _is(self, kind: str, binding: Binding, owner: Scope, depth: int) -> bool:
        if binding.value is None:
            return self._is_parameter(kind, binding, owner)
        return _is_truth(binding.value) if kind == "bool" else self._is_text(binding.value, owner, depth)

    def _is_parameter(self, kind: str, binding: Binding, owner: Scope) -> bool:
        """Whether what sets a name is a parameter of that kind."""
        node = owner.node
        if not isinstance(node, cst.FunctionDef):
            return False
        params = (*node.params.posonly_params, *node.params.params, *node.params.kwonly_params)
        param = next((each for each in params if self._tree.span(each)[0] == binding.start), None)
        if param is None:
            return False
        written = param.annotation.annotation if param.annotation else None
        typed = self._file.module.code_for_node(written).strip("\"'") if written else ""
        if kind == "bool":
            return typed == "bool"
        if param.default is not None:
            return isinstance(param.default, cst.SimpleString | cst.FormattedString)
        if typed:
            return typed == "str"
        name, text = param.name.value, self._file.text(*self._tree.span(node))
        return name not in _UNCLEAR or re.search(rf"\{{{name}[}}:!]", text) is not None

    def _is_text(self, node: cst.BaseExpression, scope: Scope, depth: int) -> bool:
        if depth > _DEPTH:
            return False
        match node:
            case cst.SimpleString() | cst.ConcatenatedString():
                return node.evaluated_value != ""
            case cst.FormattedString():
                return True
            case cst.BooleanOperation(operator=cst.Or()):
                return self._is_text(node.right, scope, depth + 1)
            case cst.IfExp():
                return all(self._is_text(each, scope, depth + 1) for each in (node.body, node.orelse))
            case cst.Subscript():
                return not self._certainly or (dotted(node.value) or "").endswith("environ")
            case cst.Call(func=cst.Attribute(attr=cst.Name(value=name)) | cst.Name(value=name)):
                return self._is_text_of(node, name, scope, depth + 1)
            case cst.Attribute():
                return not self._certainly and tells_apart(node.attr.value) and node.attr.value != "env"
            case cst.Name():
                found = scope.find(node.value)
                plain = self._certainly or tells_apart(node.value)
                return plain and found is not None and self._are("str", found[1], found[0], depth + 1)
        return False

    def _is_text_of(self, call: cst.Call, name: str, scope: Scope, depth: int) -> bool:
        """Whether a call gives a text: of a text, of a variable of the process with a default, of the context."""
        if not self._certainly:
            return name in _READERS or name in _SAME
        if name in _SAME and isinstance(call.func, cst.Attribute):
            return self._is_text(call.func.value, scope, depth)
        if name in ("get", "getenv") and len(call.args) == 2:
            return self._is_text(call.args[1].value, scope, depth)
        return name == "str" and len(call.args) == 1 and self._is_text(call.args[0].value, scope, depth)


def _last(bindings: Iterable[Binding]) -> Binding:
    return max(bindings, key=lambda each: each.start)


def _is_truth(node: cst.BaseExpression) -> bool:
    """Whether an expression is certainly true or false."""
    if isinstance(node, cst.BooleanOperation):
        return _is_truth(node.left) and _is_truth(node.right)
    negates = isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not)
    return negates or isinstance(node, cst.Comparison)
