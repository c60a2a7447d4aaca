"""What the names in CDK code are made of: texts, random parts, parts that tell environments apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from codemods.naming._suffix import names
from fixer.cdk.parameters import arguments_for
from fixer.cdk.texts import TEXT_METHODS, NoPlaceError
from fixer.cdk.tree import dotted
from fixer.cdk.values import imported_text, single_value
from fixer.environment import tells_apart
from fixer.holes import HOLE
from fixer.model import Unknown

if TYPE_CHECKING:
    from codemods.naming._suffix.cdk_places import Places
    from fixer.cdk.texts import Texts
    from fixer.cdk.tree import Scope

_DEPTH = 8
_RANDOM = re.compile(
    r"\buuid[14]\(|\brandom\.|\brandint\(|\bchoices?\(|\bsecrets\.\w+\(|\btoken_(?:hex|urlsafe)\(|\btime\.time|\btime_ns\("
    r"|\bdate(?:time)?\.(?:now|utcnow|today)\(|\burandom\(|\bstrftime\("
)
_UNIQUE = re.compile(r"unique_?(?:id|resource_?name)|\bnode\.(?:addr|id|path)\b|PhysicalName", re.IGNORECASE)
_IDS = frozenset(("construct_id", "id", "id_", "_id", "stack_id"))


class Parts:
    """Judges the parts of names in one file."""

    def __init__(self, texts: Texts, places: Places) -> None:
        """Take the file's texts and places."""
        self.texts, self.places = texts, places

    def leaves(self, node: cst.BaseExpression, scope: Scope, depth: int = 0) -> Iterator[tuple[str, str]]:
        """The parts of an expression that decide: each `text`, `random`, `apart`, `unclear` or `given`, its source."""
        if depth > _DEPTH:
            return
        match node:
            case cst.SimpleString():
                yield "text", str(node.evaluated_value)
            case cst.FormattedString():
                for part in node.parts:
                    if isinstance(part, cst.FormattedStringText):
                        yield "text", part.value
                    elif isinstance(part, cst.FormattedStringExpression):
                        yield from self.leaves(part.expression, scope, depth + 1)
            case cst.ConcatenatedString() | cst.BinaryOperation() | cst.BooleanOperation():
                yield from self.leaves(node.left, scope, depth + 1)
                yield from self.leaves(node.right, scope, depth + 1)
            case cst.IfExp():
                yield from self.leaves(node.body, scope, depth + 1)
                yield from self.leaves(node.orelse, scope, depth + 1)
            case cst.Tuple() | cst.List():
                for each in node.elements:
                    yield from self.leaves(each.value, scope, depth + 1)
            case cst.Call():
                yield from self._leaves_of_call(node, scope, depth)
            case cst.Name() | cst.Attribute():
                yield from self._leaves_of_name(node, scope, depth)
            case _:
                yield self._kind(self.texts.code(node)), self.texts.code(node)

    def _kind(self, code: str) -> str:
        if _RANDOM.search(code):
            return "random"
        if tells_apart(code) or _UNIQUE.search(code):
            return "apart"
        return "unclear" if names.is_unclear(code) else "given"

    def _leaves_of_call(self, node: cst.Call, scope: Scope, depth: int) -> Iterator[tuple[str, str]]:
        code = self.texts.code(node)
        if _RANDOM.search(code):
            yield "random", code
            return
        func = node.func
        if isinstance(func, cst.Attribute) and func.attr.value in TEXT_METHODS:
            yield from self.leaves(func.value, scope, depth + 1)
            for each in node.args:
                yield from self.leaves(each.value, scope, depth + 1)
        elif isinstance(func, cst.Name) and func.value == "str" and node.args:
            yield from self.leaves(node.args[0].value, scope, depth + 1)
        elif self._function_tells_apart(node, scope):
            yield "apart", code
        else:
            yield self._kind(code), code

    def _function_tells_apart(self, node: cst.Call, scope: Scope) -> bool:
        """Whether a function of this file, which gives the text, deals with environments."""
        last = (dotted(node.func) or "").rpartition(".")[2]
        for owner in scope.chain():
            for each in owner.children:
                if each.kind == "function" and each.name == last:
                    return tells_apart(self.texts.file.text(each.start, each.end))
        return False

    def _leaves_of_name(self, node: cst.Name | cst.Attribute, scope: Scope, depth: int) -> Iterator[tuple[str, str]]:
        code = self.texts.code(node)
        found = single_value(self.texts.file, node, scope)
        if not isinstance(found, Unknown) and self._is_construct(found[0], found[1]):
            yield "apart", code
        elif not isinstance(found, Unknown) and _RANDOM.search(self.texts.code(found[0])):
            yield "random", code
        elif (
            tells_apart(code)
            or _UNIQUE.search(code)
            or (isinstance(node, cst.Name) and node.value in _IDS and not isinstance(found, tuple))
        ):
            yield "apart", code
        elif not isinstance(found, Unknown):
            yield from self.leaves(found[0], found[1], depth + 1)
        elif isinstance(node, cst.Attribute):
            yield self._kind_of_attribute(node, scope), code
        else:
            given = arguments_for(self.texts.file, node, scope) or []
            for value, where in given:
                yield from self.leaves(value, where, depth + 1)
            if not given:
                yield self._kind(code), code

    def _is_construct(self, node: cst.BaseExpression, scope: Scope) -> bool:
        if not isinstance(node, cst.Call):
            return False
        name = self.texts.file.qualified_in(node.func, scope) or ""
        last = name.rpartition(".")[2]
        return last[:1].isupper() or last.startswith(("from_", "add_"))

    def _id_of(self, node: cst.Call) -> str:
        return self.texts.code(node.args[1].value) if len(node.args) > 1 else ""

    def _is_parameter(self, node: cst.BaseExpression, scope: Scope) -> bool:
        return isinstance(node, cst.Call) and self.texts.file.qualified_in(node.func, scope) == "CfnParameter"

    def _kind_of_attribute(self, node: cst.Attribute, scope: Scope) -> str:
        """What `x.attribute` is: unique if `x` is a construct, whose name or token it is."""
        base = node.value
        if isinstance(base, cst.Name | cst.Attribute):
            found = single_value(self.texts.file, base, scope)
            if not isinstance(found, Unknown) and isinstance(found[0], cst.Call):
                name = self.texts.file.qualified_in(found[0].func, found[1]) or ""
                if self._is_parameter(*found):
                    kind = self._kind(self.texts.code(node) + self._id_of(found[0]))
                    return "given" if kind == "random" else kind
                if self._is_construct(found[0], found[1]) and not name.startswith("Environment"):
                    return "apart"
        if re.fullmatch(r"(?:attr_\w+|\w+_(?:name|arn|id)|ref)", node.attr.value) and isinstance(
            base, cst.Name | cst.Attribute
        ):
            root = dotted(base) or ""
            if root not in ("self", "props", "config", "settings", "Aws", "cdk.Aws", "core.Aws") and not re.search(
                r"(?:props|config|settings|params|options|constants?|cfg)$", root, re.IGNORECASE
            ):
                return "apart"
        return self._kind(self.texts.code(node))

    def is_given_plainly(self, node: cst.Name, scope: Scope) -> bool:
        """Whether a parameter is only ever given texts that the app writes out, or an import is such a constant."""
        given = arguments_for(self.texts.file, node, scope)
        if given is None:
            return imported_text(self.texts.file, node, scope) is not None
        return bool(given) and all(
            self.texts.is_text(value) or (isinstance(value, cst.Name) and self.is_given_plainly(value, where))
            for value, where in given
        )

    def variable_text(self, text: str, scope: Scope) -> str | None:
        """The literal that a variable holds, if a text is that variable alone."""
        match = HOLE.fullmatch(text)
        found = scope.find(match[1]) if match else None
        if found is None or len(found[1]) != 1 or not isinstance(found[1][0].value, cst.SimpleString):
            return None
        return str(found[1][0].value.evaluated_value)

    def is_random(self, node: cst.BaseExpression, scope: Scope) -> bool:
        return any(kind == "random" for kind, _ in self.leaves(node, scope))

    def sources(self, node: cst.BaseExpression, scope: Scope) -> Iterator[cst.BaseExpression]:
        """What the suffix takes the place of: the part itself, or the value of the variable that it is."""
        found = single_value(self.texts.file, node, scope) if isinstance(node, cst.Name) else None
        if not isinstance(found, tuple) or not isinstance(node, cst.Name):
            yield node
            return
        value, owner = found
        here = owner.kind == "function" and owner is scope.nearest("function")
        here = here and self.texts.file.is_unconditional(owner, self.texts.tree.span(value)[0])
        if not here or any(self.places.in_id(use) for use in self.texts.uses(node.value, owner)):
            if self.texts.is_text(value) or isinstance(value, cst.BooleanOperation | cst.IfExp):
                raise NoPlaceError("Its random part stands in a variable that other code uses too")
            yield node
        elif self.texts.is_text(value) or isinstance(value, cst.BooleanOperation | cst.IfExp):
            for one in self.texts.operands(value):
                if self.is_random(one, owner):
                    yield from self.sources(one, owner)
        else:
            yield value
