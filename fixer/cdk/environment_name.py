"""What holds the name of the environment that an app, a stage or a stack is deployed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.tree import dotted

if TYPE_CHECKING:
    from fixer.cdk.calls import Call, Construct
    from fixer.cdk.tree import Binding, Scope, Tree

NAMES = (
    "environment_name",
    "env_name",
    "environment",
    "env",
    "deployment_environment",
    "deployment_env",
    "deploy_env",
    "target_environment",
    "target_env",
    "environment_suffix",
    "env_suffix",
)
"""Variables and parameters that hold it, in small letters or as constants, the best one first. `stage` is none: it is
an API's more often."""
_UNCLEAR = ("environment", "env")
"""Parameters that are as often an `aws_cdk.Environment`, or a dict of variables."""
_SAME = ("lower", "upper", "strip", "title", "capitalize", "replace")
_DEPTH = 8


@dataclass(frozen=True)
class Held:
    """How code reads the name, and where that is set: 0 for a parameter."""

    code: str
    start: int


def environment(construct: Construct) -> Held | None:
    """What certainly holds a text there, or below it before `synth()`; None if nothing does."""
    ends = [call.start for call in construct.methods("synth") if call.scope is construct.scope]
    search = _Search(construct, min(ends, default=construct.scope.end))
    names = (each for name in NAMES for each in (name, name.upper()))
    return next((found for name in names if (found := search.variable(name) or search.attribute(name))), None)


class _Search:
    def __init__(self, at: Call, end: int) -> None:
        self._at, self._end = at, end
        self._tree: Tree = at.file.tree
        self._blocks = list(self._around(at.node))

    def _around(self, node: cst.CSTNode) -> list[cst.CSTNode]:
        return [each for each in self._tree.above(node) if isinstance(each, cst.IndentedBlock | cst.Module)]

    def variable(self, name: str) -> Held | None:
        found = self._at.scope.find(name)
        if found is None or found[0].kind not in ("function", "module"):
            return None
        start = self._start(found[1], own=found[0] is self._at.scope)
        return Held(name, start) if start is not None and self._holds(*found, 0) else None

    def attribute(self, name: str) -> Held | None:
        owner = self._at.scope.nearest("class")
        bindings = owner.attributes.get(name, []) if owner else []
        if not bindings or any(self._tree.scope_at(each.start) is not self._at.scope for each in bindings):
            return None
        start = self._start(bindings, own=True)
        return Held(f"self.{name}", start) if start is not None and self._holds(self._at.scope, bindings, 0) else None

    def _start(self, bindings: list[Binding], *, own: bool) -> int | None:
        """Where it is set at last; None if that is too late, or below the construct in another block."""
        last = max(bindings, key=lambda each: each.start)
        if not own or last.start < self._at.start or last.value is None:
            return last.start if not own or last.start < self._end else None
        beside = self._around(last.value)[:1] == self._blocks[:1]
        return last.start if beside and last.start < self._end else None

    def _holds(self, owner: Scope, bindings: list[Binding], depth: int) -> bool:
        """Whether a name that is set in a scope certainly holds a text, wherever it is set."""
        first = min(bindings, key=lambda each: each.start)
        if depth > _DEPTH or any(each.target or each.is_class for each in bindings):
            return False
        if first.value is None:
            certain = self._is_text_parameter(first, owner)
        else:
            block = self._around(first.value)[0]
            certain = block in self._blocks or block is getattr(owner.node, "body", owner.node)
        rest = (each for each in bindings if each.value is not None or each is not first)
        return certain and all(each.value is not None and self._is_text(each.value, owner, depth) for each in rest)

    def _is_text(self, node: cst.BaseExpression, scope: Scope, depth: int) -> bool:
        match node:
            case cst.SimpleString() | cst.ConcatenatedString():
                return bool(node.evaluated_value) or node.evaluated_value is None
            case cst.FormattedString():
                return True
            case cst.BooleanOperation(operator=cst.Or()):
                return self._is_text(node.right, scope, depth)
            case cst.IfExp():
                return self._is_text(node.body, scope, depth) and self._is_text(node.orelse, scope, depth)
            case cst.Subscript():
                return (dotted(node.value) or "").endswith("environ")
            case cst.Call(func=cst.Attribute(attr=cst.Name(value=name))) | cst.Call(func=cst.Name(value=name)):
                return self._is_text_of(node, name, scope, depth)
            case cst.Name():
                found = scope.find(node.value)
                return found is not None and self._holds(*found, depth + 1)
        return False

    def _is_text_of(self, call: cst.Call, name: str, scope: Scope, depth: int) -> bool:
        """Whether a call gives a text: of a text, of a variable of the process with a default, of the context."""
        if name in _SAME and isinstance(call.func, cst.Attribute):
            return self._is_text(call.func.value, scope, depth + 1)
        if name in ("get", "getenv") and len(call.args) == 2:
            return self._is_text(call.args[1].value, scope, depth + 1)
        return name == "str" and len(call.args) == 1 and self._is_text(call.args[0].value, scope, depth + 1)

    def _is_text_parameter(self, binding: Binding, owner: Scope) -> bool:
        node = owner.node
        params = (
            (*node.params.posonly_params, *node.params.params, *node.params.kwonly_params)
            if isinstance(node, cst.FunctionDef)
            else ()
        )
        param = next((each for each in params if self._tree.span(each)[0] == binding.start), None)
        if param is None:
            return False
        kind = self._at.file.module.code_for_node(param.annotation.annotation).strip("\"'") if param.annotation else ""
        if param.default is not None:
            return isinstance(param.default, cst.SimpleString | cst.FormattedString)
        return kind == "str" or (not kind and param.name.value not in _UNCLEAR)
