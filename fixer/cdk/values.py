"""What an expression is worth: known, or unknown and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.layout import Brackets, Item
from fixer.cdk.tree import Binding, Scope, children, dotted
from fixer.model import Absent, Known, Symbol, Unknown, Value

if TYPE_CHECKING:
    from fixer.cdk.file import CdkFile

_DEPTH = 12
_CONSTANTS = {"True": True, "False": False, "None": None}
_WHYS: dict[type[cst.CSTNode], str] = {
    cst.IfExp: "depends on a condition",
    cst.BooleanOperation: "depends on a condition",
    cst.Lambda: "is a lambda",
    cst.FormattedString: "is an f-string",
    cst.BinaryOperation: "is computed",
    cst.UnaryOperation: "is computed",
    cst.Comparison: "is computed",
    cst.Subscript: "is read from a collection",
    cst.Await: "is the result of a call",
}


@dataclass(frozen=True)
class Entry:
    """A key with its value in a dict literal that a call takes as `**`."""

    key: cst.BaseExpression
    value: cst.BaseExpression
    brackets: Brackets
    index: int
    shared: str = ""
    """The name of the dict if something else uses it too, so that it can't be changed for one call alone."""


def evaluate(file: CdkFile, node: cst.BaseExpression, scope: Scope, depth: int = 0) -> Value:
    """The value of an expression read in a scope; names that are assigned once are followed."""
    if depth > _DEPTH:
        return Unknown("is set from a variable")
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString | cst.Integer | cst.Float | cst.UnaryOperation):
        return _literal(node)
    if isinstance(node, cst.Name) and node.value in _CONSTANTS:
        return Known(_CONSTANTS[node.value])
    if isinstance(node, cst.Name | cst.Attribute):
        return _named(file, node, scope, depth)
    if isinstance(node, cst.List | cst.Tuple):
        values = [evaluate(file, each.value, scope, depth + 1) for each in node.elements if not _starred(each)]
        if len(values) < len(node.elements):
            return Unknown("is a list that unpacks another")
        return _first_unknown(values) or Known([each.value for each in values if isinstance(each, Known)])
    if isinstance(node, cst.Dict):
        return _dict(file, node, scope, depth)
    if isinstance(node, cst.Call):
        name = file.qualified(node.func)
        return Unknown(f"is the result of {name}(...)" if name else "is the result of a call")
    if isinstance(node, cst.NamedExpr):
        return evaluate(file, node.value, scope, depth + 1)
    return Unknown(_WHYS.get(type(node), "is computed"))


def _literal(node: cst.BaseExpression) -> Value:
    if isinstance(node, cst.UnaryOperation):
        if isinstance(node.operator, cst.Minus) and isinstance(node.expression, cst.Integer | cst.Float):
            return Known(-node.expression.evaluated_value)
        return Unknown("is computed")
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString | cst.Integer | cst.Float):
        value = node.evaluated_value
        if value is not None:
            return Known(value)
    return Unknown("is an f-string")


def _starred(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.StarredElement | cst.StarredDictElement)


def _first_unknown(values: list[Value]) -> Unknown | None:
    return next((each for each in values if isinstance(each, Unknown)), None)


def _dict(file: CdkFile, node: cst.Dict, scope: Scope, depth: int) -> Value:
    result: dict[object, object] = {}
    for each in node.elements:
        if not isinstance(each, cst.DictElement):
            return Unknown("is a dict that unpacks another")
        key, value = (evaluate(file, part, scope, depth + 1) for part in (each.key, each.value))
        unknown = _first_unknown([key, value])
        if unknown is not None:
            return unknown
        if isinstance(key, Known) and isinstance(value, Known) and isinstance(key.value, str | int | float):
            result[key.value] = value.value
        else:
            return Unknown("is a dict with computed keys")
    return Known(result)


def _named(file: CdkFile, node: cst.Name | cst.Attribute, scope: Scope, depth: int) -> Value:
    name = file.qualified_in(node, scope)
    if name and not _is_chosen(node, scope):
        return Known(Symbol(name))
    found = single_value(file, node, scope)
    if isinstance(found, Unknown):
        return found
    value, owner = found
    if isinstance(value, cst.Dict | cst.List) and not only_read(file, node, owner):
        return Unknown(f"is set from the variable `{dotted(node)}`, which is changed elsewhere")
    return evaluate(file, value, owner, depth + 1)


def _is_chosen(node: cst.Name | cst.Attribute, scope: Scope) -> bool:
    """Whether a variable is set to one of several values, such as in the branches of a condition."""
    found = scope.find(node.value) if isinstance(node, cst.Name) else None
    return found is not None and len([each for each in found[1] if each.value is not None]) > 1


def single_value(
    file: CdkFile, node: cst.Name | cst.Attribute, scope: Scope
) -> tuple[cst.BaseExpression, Scope] | Unknown:
    """The expression that a name or `self.name` is assigned, with its scope, if there is exactly one assignment."""
    text = dotted(node)
    owner: Scope | None = None
    bindings: list[Binding] = []
    if isinstance(node, cst.Name):
        found = scope.find(node.value)
        if found is not None:
            owner, bindings = found
    elif isinstance(node.value, cst.Name):
        owner = _class_scope(file, node.value.value, scope)
        if owner is not None:
            bindings = [*owner.bindings.get(node.attr.value, ()), *owner.attributes.get(node.attr.value, ())]
    if owner is None or not bindings:
        return Unknown(f"is set from `{text}`" if text else "is read from the result of an expression")
    if len(bindings) > 1:
        return Unknown(f"is set from the variable `{text}`, which is assigned more than once")
    value = bindings[0].value
    if value is None:
        return Unknown(f"is set from the import `{text}`" if bindings[0].target else bindings[0].why)
    return value, file.tree.scope_at(bindings[0].start)


def imported_text(file: CdkFile, node: cst.Name, scope: Scope) -> str | None:
    """The text of a constant that the file imports from another one of the app."""
    target = file.tree.target(node, scope)
    found_in = file.app.index.definition(file.path, target) if target else None
    if found_in is None:
        return None
    path, constant = found_in
    pattern = rf"^{re.escape(constant)}\s*(?::\s*str\s*)?=\s*([\"'])([^\"'\\\n]*)\1\s*$"
    found = re.findall(pattern, file.app.sources[path].decode("utf-8", "replace"), re.MULTILINE)
    return found[0][1] if len(found) == 1 else None


def behind(file: CdkFile, node: cst.BaseExpression, scope: Scope) -> cst.BaseExpression:
    """The expression that a name stands for if it is assigned once; others stand for themselves."""
    for _ in range(_DEPTH):
        found = single_value(file, node, scope) if isinstance(node, cst.Name | cst.Attribute) else None
        if found is None or isinstance(found, Unknown):
            break
        node, scope = found
    return node


def _class_scope(file: CdkFile, name: str, scope: Scope) -> Scope | None:
    """The class that `self` or a class's own name stands for, unless a class of the app derives from it."""
    inner = scope.nearest("class")
    if name in ("self", "cls"):
        found = inner
    else:
        at = scope.find(name)
        found = None
        if at is not None and len(at[1]) == 1 and at[1][0].is_class:
            found = next((each for each in at[0].children if each.kind == "class" and each.name == name), None)
    return None if found is None or found.name in file.app.index.parents else found


def only_read(file: CdkFile, node: cst.Name | cst.Attribute, owner: Scope) -> bool:
    """Whether a variable that holds a list or dict is nowhere changed in place or given away."""
    text = dotted(node)
    return text is not None and all(harmless for harmless in _uses(owner.node or file.module, text))


def use_count(file: CdkFile, node: cst.Name | cst.Attribute, owner: Scope) -> int:
    """How often a variable is read, in the scope that owns it."""
    text = dotted(node)
    return 0 if text is None else sum(1 for _ in _uses(owner.node or file.module, text))


def _uses(node: cst.CSTNode, text: str) -> Iterator[bool]:
    """For every use of a dotted name below a node: whether it can't change what the name holds."""
    for each in children(node):
        if isinstance(each, cst.Name | cst.Attribute) and dotted(each) == text:
            if isinstance(node, cst.Arg):
                yield node.star == "**" or node.keyword is not None
            elif not isinstance(node, cst.AssignTarget | cst.AnnAssign):
                yield isinstance(node, cst.Comparison | cst.For | cst.CompFor | cst.FormattedStringExpression)
        elif isinstance(each, cst.CSTNode):
            yield from _uses(each, text)


def splat_entries(file: CdkFile, node: cst.BaseExpression, scope: Scope) -> dict[str, Entry] | Unknown:
    """The entries of a dict literal, or of a variable that is assigned one once and is not changed."""
    shared = ""
    if isinstance(node, cst.Name | cst.Attribute):
        text = dotted(node) or "..."
        found = single_value(file, node, scope)
        if isinstance(found, Unknown) or not isinstance(found[0], cst.Dict):
            return Unknown(f"may be set in **{text}")
        if not only_read(file, node, found[1]):
            return Unknown(f"may be set in **{text}, which is changed elsewhere")
        shared = text if use_count(file, node, found[1]) > 1 else ""
        node = found[0]
    if not isinstance(node, cst.Dict):
        return Unknown("may be set in the dict that it unpacks")
    brackets = dict_brackets(file, node)
    result: dict[str, Entry] = {}
    for index, each in enumerate(node.elements):
        key = _literal(each.key) if isinstance(each, cst.DictElement) else None
        if not isinstance(each, cst.DictElement) or not isinstance(key, Known) or not isinstance(key.value, str):
            return Unknown("may be set in the dict that it unpacks")
        result[key.value] = Entry(each.key, each.value, brackets, index, shared)
    return result


def dict_brackets(file: CdkFile, node: cst.Dict) -> Brackets:
    """The layout of a dict literal."""
    tree = file.tree
    start, end = tree.span(node)
    items = []
    for each in node.elements:
        first, last = tree.span(each)
        if isinstance(each, cst.DictElement):
            first, last = tree.outer_span(each.key)[0], tree.outer_span(each.value)[1]
        items.append(Item(first, last, tree.comma(each.comma)))
    return Brackets(file.source, start + 1, end - 1, items, file.newline, file.unit)


def list_brackets(file: CdkFile, node: cst.BaseExpression, keys: Iterable[str] = ()) -> Brackets | None:
    """The layout of a list literal, or of the one that keys lead to in dict literals; None if there is none."""
    for key in keys:
        elements = node.elements if isinstance(node, cst.Dict) else ()
        entries = [each for each in elements if isinstance(each, cst.DictElement) and _literal(each.key) == Known(key)]
        if len(entries) != 1:
            return None
        node = entries[0].value
    if not isinstance(node, cst.List):
        return None
    tree = file.tree
    start, end = tree.span(node)
    items = []
    for each in node.elements:
        outer = tree.outer_span(each.value) if isinstance(each, cst.Element) else tree.span(each)
        items.append(Item(*outer, tree.comma(each.comma)))
    return Brackets(file.source, start + 1, end - 1, items, file.newline, file.unit)


def argument_value(value: Value) -> Value:
    """`None` means to the CDK that an argument is not there."""
    return Absent if isinstance(value, Known) and value.value is None else value
