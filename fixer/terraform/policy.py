"""IAM policies as they stand in a module: `jsonencode`, JSON text and policy document data sources.

Everybody is who "The meaning of public" in the guide to S3 Block Public Access says; conditions are not weighed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fixer.model import Known, Unknown
from fixer.terraform.expression import Chunk, Expr
from fixer.terraform.template import undouble, unescape

if TYPE_CHECKING:
    from fixer.terraform.block import Block
    from fixer.terraform.module import Module

_DOCUMENT = "data.aws_iam_policy_document."
_DEEPEST = 10
_SOME_TEXT = "interpolated"
"""Stands for text that is only known to be no bare `*`."""
_MORE = Unknown("has statements that are an expression")
"""Stands for what `concat` adds to a list and is not written out there."""


@dataclass(frozen=True)
class Statement:
    """A statement of a policy, as far as it is written out."""

    effect: str | Unknown
    """`Allow` or `Deny`."""
    everybody: bool | Unknown
    """Whether its principal is `*`, alone or as an AWS account, or everybody but some."""
    data: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What it says under the names of IAM's JSON, also where a data source spells them otherwise.

    Parts that are not known are Unknown. Interpolations in text stand as some word: `"word/*"`.
    """

    def listed(self, name: str) -> tuple[Any, ...]:
        """What is under `Action`, `Resource` and the like, one value or several; some may be Unknown."""
        found = self.data.get(name, ())
        return tuple(found) if isinstance(found, list | tuple) else (found,)

    def conditions(self) -> list[tuple[str, str, tuple[Any, ...]]] | Unknown:
        """Its conditions as test, key and values: `Bool`, `aws:SecureTransport`, `("false",)`."""
        found = self.data.get("Condition", {})
        if not isinstance(found, dict):
            return found if isinstance(found, Unknown) else Unknown("is an expression")
        conditions = []
        for test, keys in found.items():
            if not isinstance(keys, dict):
                return keys if isinstance(keys, Unknown) else Unknown("is an expression")
            for key, values in keys.items():
                conditions.append((test, key, tuple(values) if isinstance(values, list) else (values,)))
        return conditions

    def refuses_insecure(self, *actions: str) -> bool:
        """Whether it refuses everybody one of these actions, in lower case, without TLS, whatever else is the case."""
        conditions = self.conditions()
        if self.effect != "Deny" or self.everybody is not True or "NotPrincipal" in self.data:
            return False
        if isinstance(conditions, Unknown) or len(conditions) != 1:
            return False
        test, key, values = conditions[0]
        if test not in ("Bool", "BoolIfExists") or key.lower() != "aws:securetransport":
            return False
        is_false = [str(one).lower() for one in values] == ["false"]
        return is_false and any(isinstance(one, str) and one.lower() in actions for one in self.listed("Action"))


def statements(module: Module, expr: Expr, depth: int = 0) -> list[Statement] | Unknown:
    """The statements of the policy that an expression gives, or why they are not known."""
    found, gap = known_statements(module, expr, depth)
    return found if gap is None else gap


def known_statements(module: Module, expr: Expr, depth: int = 0) -> tuple[list[Statement], Unknown | None]:
    """The statements that are known of the policy that an expression gives, and why there may be more."""
    found = _statements(module, expr, depth)
    return ([], found) if isinstance(found, Unknown) else found if isinstance(found, tuple) else (found, None)


def _statements(
    module: Module, expr: Expr, depth: int
) -> list[Statement] | tuple[list[Statement], Unknown | None] | Unknown:
    if depth > _DEEPEST:
        return Unknown("refers to itself")
    if expr.inner is not None:
        return _statements(module, expr.inner, depth + 1)
    if expr.kind == "null":
        return []
    if expr.kind in ("string", "template", "heredoc"):
        return _of_text(expr)
    if expr.kind == "call" and expr.function == "jsonencode" and len(expr.elements) == 1:
        return _of_data(_plain(module, expr.elements[0]))
    traversal = expr.traversal
    if traversal is None:
        return Unknown(f"is a call of {expr.function}()" if expr.kind == "call" else "is an expression")
    if traversal.names[0] == "local":
        followed = module.follow(expr)
        if followed is not expr:
            return _statements(module, followed, depth + 1)
    if traversal.address.startswith(_DOCUMENT) and traversal.rest[-1:] in ((".json",), (".minified_json",)):
        document = module.resource(traversal.address)
        if document is not None and not module.overridden(document):
            return _of_document(module, document, depth)
    return Unknown(f"is set by {traversal.text}")


def _of_text(expr: Expr) -> list[Statement] | tuple[list[Statement], Unknown | None] | Unknown:
    """Of JSON text; what is interpolated counts as some string."""
    plain = undouble if expr.kind == "heredoc" else unescape
    text = "".join(plain(part.text) if isinstance(part, Chunk) else _SOME_TEXT for part in expr.parts)
    if any(isinstance(part, Expr) and part.kind == "directive" for part in expr.parts):
        return Unknown("is a template with a directive")
    if not text.strip():
        return []
    try:
        return _of_data(json.loads(text))
    except ValueError:
        return Unknown("is a text that can't be read as JSON")


# ---- data --------------------------------------------------------------------------------------


def _plain(module: Module, expr: Expr) -> Any:
    """An expression as plain data; parts that are not known are Unknown. A `for` gives a list of one."""
    if expr.traversal and expr.traversal.names[0] == "local":
        expr = module.follow(expr)
    if expr.kind == "object":
        return {key.text.strip('"'): _plain(module, value) for key, value in expr.entries}
    if expr.kind == "list":
        return [_plain(module, element) for element in expr.elements]
    if expr.kind == "for" and (result := expr.result) is not None:
        return [_plain(module, result)]
    if expr.kind == "call" and expr.function == "concat":
        parts = [_plain(module, element) for element in expr.elements]
        return [one for part in parts for one in (part if isinstance(part, list) else [_MORE])]
    if expr.kind == "call" and expr.function == "format" and expr.elements:
        written = module.literal(expr.elements[0])
        has_text = isinstance(written, Known) and str(written.value).strip("%sv")
        return _SOME_TEXT if has_text else Unknown("is formatted text")
    value = module.resolve(expr)
    if isinstance(value, Known) and not (value.value == [] and module.variables_behind(expr)):
        return value.value
    traversal = expr.traversal
    source = module.resource(traversal.address) if traversal else None
    if expr.kind == "template" and expr.inner is None:
        return "".join(unescape(part.text) if isinstance(part, Chunk) else _SOME_TEXT for part in expr.parts)
    if source and source.type in ("resource", "data"):
        return _SOME_TEXT
    return Unknown(f"is set by {traversal.text}" if traversal else "is an expression")


def _of_data(policy: Any) -> tuple[list[Statement], Unknown | None] | Unknown:
    if not isinstance(policy, dict):
        return Unknown("is an expression")
    found = policy.get("Statement", [])
    if isinstance(found, Unknown):
        return _MORE
    listed = found if isinstance(found, list) else [found]
    known = [_statement(one) for one in listed if one is not _MORE]
    return known, _MORE if len(known) < len(listed) else None


def _statement(data: Any) -> Statement:
    if not isinstance(data, dict):
        unknown = Unknown("is in a statement that is an expression")
        return Statement("Allow", unknown)
    effect = data.get("Effect", "Allow")
    everybody = True if "NotPrincipal" in data else _everybody(data.get("Principal"))
    return Statement(effect if isinstance(effect, Unknown) else str(effect), everybody, data)


def _everybody(principal: Any) -> bool | Unknown:
    if isinstance(principal, dict):
        found = [_everybody(one) for kind, one in principal.items() if kind in ("AWS", "*")]
    elif isinstance(principal, list):
        found = [_everybody(one) for one in principal]
    else:
        return principal if isinstance(principal, Unknown) else principal == "*"
    return _any(found)


def _any(found: list[bool | Unknown]) -> bool | Unknown:
    if any(one is True for one in found):
        return True
    return next((one for one in found if isinstance(one, Unknown)), False)


# ---- documents ---------------------------------------------------------------------------------


_NAMES = {
    "sid": "Sid",
    "effect": "Effect",
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}


def _of_document(module: Module, document: Block, depth: int) -> tuple[list[Statement], Unknown | None]:
    found = [_of_block(module, one) for one in document.nested("statement")]
    gap: Unknown | None = None
    for name in ("source_json", "override_json", "source_policy_documents", "override_policy_documents"):
        attribute = document.attribute(name)
        if attribute is None:
            continue
        parts = attribute.expr.elements if attribute.expr.kind == "list" else (attribute.expr,)
        for part in parts:
            more, missing = known_statements(module, part, depth + 1)
            found += more
            gap = gap or missing
    return found, gap


def _of_block(module: Module, block: Block) -> Statement:
    effect = block.value("effect")
    name: str | Unknown = "Allow"
    if isinstance(effect, Known):
        name = str(effect.value)
    elif isinstance(effect, Unknown):
        name = effect
    found: list[bool | Unknown] = [True for _ in block.nested("not_principals")]
    for principals in block.nested("principals"):
        kind = principals.value("type")
        identifiers = principals.attribute("identifiers")
        if isinstance(kind, Known) and kind.value not in ("AWS", "*"):
            continue
        found.append(_everybody(_plain(module, identifiers.expr)) if identifiers else False)
    return Statement(name, _any(found), _data(module, block))


def _data(module: Module, block: Block) -> dict[str, Any]:
    """What a statement's block says, under the names of IAM's JSON, but for the principals."""
    found = {_NAMES[one.name]: _plain(module, one.expr) for one in block.attributes() if one.name in _NAMES}
    conditions: dict[str, Any] = {}
    for condition in block.nested("condition"):
        parts = [condition.attribute(name) for name in ("test", "variable", "values")]
        test, variable, values = (_plain(module, one.expr) if one else Unknown("is not there") for one in parts)
        keys = conditions.setdefault(str(test), {})
        keys[str(variable)] = values
    return found | ({"Condition": conditions} if conditions else {})
