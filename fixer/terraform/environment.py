"""Where a module has the name of its environment, and when that is production."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fixer.environment import HOLDER, PRODUCTION, names_one, tells_apart
from fixer.model import Absent, Known
from fixer.terraform.evaluate import is_early

if TYPE_CHECKING:
    from fixer.terraform.block import Block
    from fixer.terraform.module import Module

_WORKSPACE = "terraform.workspace"
_TRUTHS = ("is_production", "is_prod", "is_prd", "production")
_EACH = re.compile(r"(?:\b|_)(?:env|environment|stage)s?(?:\b|_)", re.IGNORECASE)
_NO_TEXT = ("bool", "for", "list", "null", "number", "object")
_NAMES = (
    "environment",
    "environment_name",
    "env_name",
    "env",
    "stage",
    "deployment_environment",
    "deploy_env",
    "target_environment",
    "environment_suffix",
    "env_suffix",
)
"""What a text for people comes from, the best one first; beside an API, `stage` may be its."""


def holds_text(module: Module, variable: str) -> bool:
    """Whether the module declares the variable, and its type may be a string."""
    declared = module.variable(variable)
    kind = declared.attribute("type") if declared else None
    return declared is not None and (kind is None or kind.expr.text in ("string", '"string"', "any"))


def environment(module: Module) -> str:
    """An expression for its name that certainly gives a text, before anything is made; empty if the module has none."""
    has_api = any(block.labels[0].startswith("aws_api") for block in module.blocks("resource"))
    found: dict[str, str] = {}
    for code in _holders(module):
        name = _snake(code.partition(".")[2])
        if _is_certain(module, code) and not (name == "stage" and has_api):
            found.setdefault(name, code)
    return next((found[name] for name in (*_NAMES, "workspace") if name in found), "")


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


def in_production(condition: str | None, wanted: str, elsewhere: str) -> str:
    """An expression that is the one in production and the other elsewhere; the one without a condition."""
    if condition is None:
        return wanted
    match wanted, elsewhere:
        case "true", "false":
            return condition
        case "false", "true":
            return negated(condition)
    return f"{condition} ? {wanted} : {elsewhere}"


def is_for_some(block: Block) -> bool:
    """Whether a resource is made in some environments alone, by its `count` or `for_each`."""
    times = " ".join(block.meta().get(name, "") for name in ("count", "for_each"))
    return tells_apart(times) and names_one(times)


def is_for_each(block: Block, names: Sequence[str] = PRODUCTION) -> bool:
    """Whether what `for_each` goes over are environments, by its name or by production that is in it."""
    over = block.attribute("for_each")
    if over is None:
        return False
    behind = [over.expr, *(block.module.follow(one) for one in (over.expr, *over.expr.elements))]
    either = "|".join(map(re.escape, names))
    return _EACH.search(over.expr.text) is not None or any(
        re.search(rf'"(?:{either})"|^\s*(?:{either})\s*[=:]', one.text, re.MULTILINE) for one in behind
    )


def _truths(module: Module) -> Iterator[str]:
    for name in _TRUTHS:
        local, variable = module.local(name), module.variable(name)
        kind = variable.attribute("type") if variable else None
        if local and (local.expr.kind in ("operation", "bool") or local.expr.function == "contains"):
            yield f"local.{name}"
        if kind and kind.expr.text == "bool":
            yield f"var.{name}"


def _holders(module: Module) -> Iterator[str]:
    """Variables, locals, and last the workspace, that by their names hold the environment and may be a text."""
    for variable in module.variables():
        if HOLDER.fullmatch(_snake(variable.name)) and holds_text(module, variable.name):
            yield f"var.{variable.name}"
    for block in module.blocks("locals"):
        for attribute in block.attributes():
            name = attribute.name
            if HOLDER.fullmatch(_snake(name)) and module.local(name) and attribute.expr.kind not in _NO_TEXT:
                yield f"local.{name}"
    uses = (reference.block for reference in module.references(_WORKSPACE))
    if any(block is not None and block.top.type != "terraform" for block in uses):
        yield _WORKSPACE


def _is_certain(module: Module, code: str) -> bool:
    """Whether what holds the environment gives a text that is not empty or secret, before anything is made."""
    root, _, name = code.partition(".")
    variable, local = module.variable(name), module.local(name)
    if root == "local":
        return local is not None and is_early(module, local.expr)
    if root != "var" or variable is None:
        return code == _WORKSPACE
    default = variable.attribute("default")
    value = module.resolve(default.expr) if default else None
    is_empty = isinstance(value, Known) and not (isinstance(value.value, str) and value.value)
    return not is_empty and variable.value("sensitive") != Known(True)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", name).lower()


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
