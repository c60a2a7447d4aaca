"""What holds the name of the environment that a module is deployed to, and what is known before anything is made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fixer.model import Known

if TYPE_CHECKING:
    from fixer.terraform.block import Block
    from fixer.terraform.expression import Expr
    from fixer.terraform.module import Module

NAMES = (
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
"""Variables and locals that hold it, in snake or camel case, the best one first; beside an API, `stage` may be its."""
_DEEPEST = 20
_DRIFTING = re.compile(r"\b(?:timestamp|plantimestamp|uuid|bcrypt)\s*\(")
_NO_TEXT = ("list", "object", "for", "number", "bool", "null")


def environment(module: Module) -> str:
    """The expression for it, such as `var.environment` or `terraform.workspace`; empty if the module has none."""
    variables = {_snake(one.name): one for one in module.variables() if _is_text(one)}
    locals_ = {
        _snake(one.name): one.name
        for block in module.blocks("locals")
        for one in block.attributes()
        if one.expr.kind not in _NO_TEXT and is_early(module, one.expr)
    }
    has_api = any(block.labels[0].startswith("aws_api") for block in module.blocks("resource"))
    for name in (one for one in NAMES if one != "stage" or not has_api):
        if name in variables:
            return f"var.{variables[name].name}"
        if name in locals_:
            return f"local.{locals_[name]}"
    return "terraform.workspace" if module.references("terraform.workspace") else ""


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


def _is_text(variable: Block) -> bool:
    """Whether a variable gives a text that is not empty, as far as its declaration says."""
    kind, default = variable.attribute("type"), variable.attribute("default")
    value = variable.module.resolve(default.expr) if default else None
    is_empty = isinstance(value, Known) and not (isinstance(value.value, str) and value.value)
    typed = kind is None or kind.expr.text in ("string", '"string"', "any")
    return typed and not is_empty and variable.value("sensitive") != Known(True)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", name).lower()
