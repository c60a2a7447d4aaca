"""The constants that expressions stand for, as far as they are certain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fixer.model import Absent, Known, Unknown, Value
from fixer.terraform.expression import Chunk, Expr, Traversal
from fixer.terraform.template import flush, undouble, unescape

if TYPE_CHECKING:
    from fixer.terraform.module import Module

_DEEPEST = 60
"""Expressions in each other; what is deeper is not judged."""
_INDEX = re.compile(r'\[\s*(?:(?P<number>\d+)|"(?P<key>[^"$%\\]*)")\s*\]')
_DRIFTING = re.compile(r"\b(?:timestamp|plantimestamp|uuid|bcrypt)\s*\(")
_REASONS = {
    "conditional": "depends on a condition",
    "for": "is a for expression",
    "operation": "is an expression",
    "access": "is an expression",
    "directive": "is a template with a directive",
}


def evaluate(module: Module, expr: Expr, *, follow: bool = True) -> Value:
    """The value of an expression.

    Known for literals, lists, objects, templates all of whose parts are known and, if `follow`, for locals and for
    variables by their default. Unknown for all else: nothing is computed but the sign and the negation.
    """
    return _Evaluation(module, follow).value(expr, 0)


def follow(module: Module, expr: Expr) -> Expr:
    """The expression that stands behind locals, variables' defaults, parentheses and templates such as `"${x}"`.

    `local.names["a"]` leads to the entry of the object. It is `expr` itself where no way leads on.
    """
    found: Expr | None = expr
    for _ in range(_DEEPEST):
        if found is None:
            break
        expr = found
        found = expr.inner or (_source(module, expr.traversal) if expr.traversal else None)
    return expr


def is_early(module: Module, expr: Expr, depth: int = 0) -> bool:
    """Whether an expression depends on variables and constants alone, so that a provider can be configured with it."""
    if depth > _DEEPEST or _DRIFTING.search(expr.text):
        return False
    for one in expr.traversals():
        local = module.local(one.names[1]) if one.names[0] == "local" and len(one.names) > 1 else None
        if local and not is_early(module, local.expr, depth + 1):
            return False
        if not local and one.steps and one.names[0] not in ("var", "terraform", "path"):
            return False
    return True


def index(step: str) -> str | int | None:
    """The key or number that a step asks for: `.x`, `["x"]`, `[0]`, `.0`; None if that is an expression or a splat."""
    if step.startswith("."):
        name = step[1:]
        return int(name) if name.isdigit() else None if name == "*" else name
    match = _INDEX.fullmatch(step)
    if match is None:
        return None
    return int(match["number"]) if match["number"] else match["key"]


def key(expr: Expr) -> str | None:
    """The key that an object's entry is written with; None if that is an expression."""
    if expr.kind == "traversal" and expr.traversal and not expr.traversal.steps:
        return expr.traversal.text
    if expr.kind == "string":
        return "".join(unescape(part.text) for part in expr.parts if isinstance(part, Chunk))
    return expr.text if expr.kind == "number" else None


def _source(module: Module, traversal: Traversal) -> Expr | None:
    """The part of a local or a default that the traversal leads to."""
    if len(traversal.names) < 2:
        return None
    found: Expr | None = None
    if traversal.names[0] == "local":
        attribute = module.local(traversal.names[1])
        found = attribute.expr if attribute else None
    elif traversal.names[0] == "var":
        variable = module.variable(traversal.names[1])
        default = variable.attribute("default") if variable and not module.overridden(variable) else None
        found = default.expr if default else None
    return entry(found, traversal.rest) if found else None


def entry(expr: Expr, steps: Sequence[str]) -> Expr | None:
    """The expression in lists and objects that the steps lead to."""
    found: Expr | None = expr
    for step in steps:
        while found and found.kind == "parenthesis":
            found = found.inner
        found = _entry(found, index(step)) if found else None
    return found


def _entry(expr: Expr, wanted: str | int | None) -> Expr | None:
    if wanted is None:
        return None
    if expr.kind == "list" and isinstance(wanted, int):
        return expr.elements[wanted] if wanted < len(expr.elements) else None
    if expr.kind == "object":
        keys = [key(name) for name, _ in expr.entries]
        if None not in keys and str(wanted) in keys:
            return expr.entries[keys.index(str(wanted))][1]
    return None


class _Evaluation:
    def __init__(self, module: Module, follow: bool) -> None:
        self._module, self._follow = module, follow

    def value(self, expr: Expr, depth: int) -> Value:
        if depth > _DEEPEST:
            return Unknown("is nested too deeply, or refers to itself")
        match expr.kind:
            case "string" | "template" | "heredoc":
                return self._template(expr, depth + 1)
            case "number":
                return Known(_number(expr.text))
            case "bool":
                return Known(expr.text == "true")
            case "null":
                return Known(None)
            case "list":
                return self._list(expr, depth + 1)
            case "object":
                return self._object(expr, depth + 1)
            case "parenthesis" if expr.inner:
                return self.value(expr.inner, depth + 1)
            case "operation" if expr.operand:
                return self._unary(*expr.operand, depth + 1)
            case "traversal" if expr.traversal:
                return self._traversal(expr.traversal, depth + 1)
            case "call":
                return Unknown(f"is a call of {expr.function}()")
            case kind:
                return Unknown(_REASONS.get(kind, "is an expression"))

    def _template(self, expr: Expr, depth: int) -> Value:
        if expr.has_strip_markers:
            return Unknown("is a template with strip markers")
        if expr.inner:
            return self.value(expr.inner, depth)
        literals: list[str | None] = [part.text if isinstance(part, Chunk) else None for part in expr.parts]
        if expr.kind == "heredoc":
            if expr.is_indented_heredoc:
                literals = flush(literals)
            plain = [None if text is None else undouble(text).replace("\r\n", "\n") for text in literals]
        else:
            plain = [None if text is None else unescape(text) for text in literals]
        for number, part in enumerate(expr.parts):
            if isinstance(part, Expr):
                value = self.value(part, depth)
                if isinstance(value, Unknown):
                    return value
                text = _as_text(value)
                if text is None:
                    return Unknown("is a template of something that is no text")
                plain[number] = text
        return Known("".join(text or "" for text in plain))

    def _list(self, expr: Expr, depth: int) -> Value:
        found = []
        for element in expr.elements:
            value = self.value(element, depth)
            if not isinstance(value, Known):
                return value
            found.append(value.value)
        return Known(found)

    def _object(self, expr: Expr, depth: int) -> Value:
        found = {}
        for name, element in expr.entries:
            word = key(name)
            if word is None:
                named = self.value(name, depth)
                word = _as_text(named)
                if word is None:
                    return named if isinstance(named, Unknown) else Unknown("has a key that is no text")
            value = self.value(element, depth)
            if not isinstance(value, Known):
                return value
            found[word] = value.value
        return Known(found)

    def _unary(self, operator: str, operand: Expr, depth: int) -> Value:
        value = self.value(operand, depth)
        if not isinstance(value, Known):
            return value
        if operator == "!" and isinstance(value.value, bool):
            return Known(not value.value)
        if operator == "-" and isinstance(value.value, (int, float)) and not isinstance(value.value, bool):
            return Known(-value.value)
        return Unknown("is an expression")

    def _traversal(self, traversal: Traversal, depth: int) -> Value:
        address = traversal.address
        root = traversal.names[0]
        if root in ("each", "count", "self"):
            return Unknown(f"depends on {address}")
        if root not in ("local", "var") or len(traversal.names) < 2 or not self._follow:
            return Unknown(f"is taken from {address}")
        if found := _source(self._module, traversal):
            return self.value(found, depth)
        whole = self._local(address) if root == "local" else self._variable(traversal.names[1])
        if not isinstance(whole, Expr):
            return whole
        value = self.value(whole, depth)
        return descend(value, traversal.rest) if isinstance(value, Known) else value

    def _local(self, address: str) -> Expr | Unknown:
        attribute = self._module.local(address.partition(".")[2])
        return attribute.expr if attribute else Unknown(f"refers to {address}, which has not one definition here")

    def _variable(self, name: str) -> Expr | Unknown:
        variable = self._module.variable(name)
        if variable is None:
            return Unknown(f"refers to variable {name}, which has not one declaration here")
        if where := self._module.override_of(variable):
            return Unknown(f"is set by variable {name}, which is overridden in {where.file.path}")
        default = variable.attribute("default")
        return default.expr if default else Unknown(f"is set by variable {name}, which has no default")


def descend(value: Value, steps: Sequence[str]) -> Value:
    """The part of a known value that the steps lead to."""
    for step in steps:
        if not isinstance(value, Known):
            return value
        wanted, inside = index(step), value.value
        if isinstance(inside, dict) and wanted is not None and str(wanted) in inside:
            value = Known(inside[str(wanted)])
        elif isinstance(inside, list) and isinstance(wanted, int) and wanted < len(inside):
            value = Known(inside[wanted])
        else:
            return Unknown("is taken from a part of a value that can't be found")
    return value


def setting(module: Module, expr: Expr, keys: Sequence[str]) -> Value:
    """What an argument is set to, or the entry of an object that is its value; null is Absent.

    Unknown if it is null by a variable's default: setting it would take the variable's place.
    """
    for number, name in enumerate(keys):
        expr = follow(module, expr)
        if expr.kind != "object":
            return _of(module, expr, descend(evaluate(module, expr), [f".{key}" for key in keys[number:]]))
        found = _entry(expr, name)
        if found is None:
            return (
                Absent
                if all(key(entry) is not None for entry, _ in expr.entries)
                else Unknown("is an object with computed keys")
            )
        expr = found
    return _of(module, expr, evaluate(module, expr))


def _of(module: Module, expr: Expr, value: Value) -> Value:
    if value != Known(None):
        return value
    variables = module.variables_behind(expr)
    return Unknown(f"is set by variable {variables[0]}, whose default is null") if variables else Absent


def _number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        return int(number) if number.is_integer() else number


def _as_text(value: Value) -> str | None:
    """The text that a template makes of it: numbers, booleans and strings alone."""
    match value:
        case Known(bool() as truth):
            return "true" if truth else "false"
        case Known(int() | float() | str() as plain):
            return str(plain)
    return None
