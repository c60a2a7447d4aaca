"""Where a module has the name of its environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fixer.environment import HOLDER, PRODUCTION
from fixer.model import Absent, Known

if TYPE_CHECKING:
    from fixer.terraform.module import Module

_WORKSPACE = "terraform.workspace"
_TRUTHS = ("is_production", "is_prod", "is_prd", "production")
_NO_TEXT = ("bool", "list", "null", "number", "object")


def holds_text(module: Module, variable: str) -> bool:
    """Whether the module declares the variable, and its type may be a string."""
    declared = module.variable(variable)
    kind = declared.attribute("type") if declared else None
    return declared is not None and (kind is None or kind.expr.text in ("string", '"string"', "any"))


def production(module: Module, names: Sequence[str] = PRODUCTION) -> str | None:
    """An expression that is true in production, one of the environments called `names`, anywhere in the module.

    A truth value that the module has already (`local.is_production`); else a comparison of what holds the environment,
    a variable, a local or the workspace, with the names that the module compares it with elsewhere, if it does. None
    if the module has no environment.
    """
    if truth := next(_truths(module), None):
        return truth
    found = {code: _compared(module, code, names) for code in _holders(module)}
    code = min(found, key=lambda code: (not found[code], "suffix" in code.lower()), default=None)
    if code is None:
        return None
    quoted = [f'"{name}"' for name in found[code] or names]
    return f"{code} == {quoted[0]}" if len(quoted) == 1 else f"contains([{', '.join(quoted)}], {code})"


def negated(condition: str) -> str:
    """The opposite of a condition that `production` gives."""
    return condition.replace(" == ", " != ") if " == " in condition else f"!{condition}"


def _truths(module: Module) -> Iterator[str]:
    for name in _TRUTHS:
        local, variable = module.local(name), module.variable(name)
        kind = variable.attribute("type") if variable else None
        if local and (local.expr.kind in ("operation", "bool") or local.expr.function == "contains"):
            yield f"local.{name}"
        if kind and kind.expr.text == "bool":
            yield f"var.{name}"


def _holders(module: Module) -> Iterator[str]:
    for variable in module.variables():
        if HOLDER.fullmatch(variable.name.lower()) and holds_text(module, variable.name):
            yield f"var.{variable.name}"
    for block in module.blocks("locals"):
        for attribute in block.attributes():
            name = attribute.name
            if HOLDER.fullmatch(name.lower()) and module.local(name) and attribute.expr.kind not in _NO_TEXT:
                yield f"local.{name}"
    uses = (reference.block for reference in module.references(_WORKSPACE))
    if any(block is not None and block.top.type != "terraform" for block in uses):
        yield _WORKSPACE


def _compared(module: Module, code: str, names: Sequence[str]) -> list[str]:
    """Those of the names, as they are spelled, that the module compares the environment with, or sets it to."""
    word = re.escape(code)
    listed = rf"contains\(\s*\[([^\]]*)\]\s*,\s*(?:lower\(\s*)?{word}\b"
    root, _, name = code.partition(".")
    variable = module.variable(name) if root == "var" else None
    default = variable.value("default") if variable else Absent
    found = {str(default.value)} if isinstance(default, Known) else set()
    for file in module.files:
        text = file.source.decode()
        found.update(re.findall(rf'\b{word}\s*[!=]=\s*"([\w-]+)"', text))
        found.update(name for each in re.findall(listed, text) for name in re.findall(r'"([\w-]+)"', each))
    return sorted((one for one in found if one.lower() in names), key=lambda one: (names.index(one.lower()), one))
