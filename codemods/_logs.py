"""Log groups that rules add: how long they keep their events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codemods.facts import log_retention
from fixer.model import Known

if TYPE_CHECKING:
    from fixer.terraform import Block, Module

_WORDS = frozenset(("cloudwatch", "cw", "log", "logs", "group", "groups", "retention", "in", "days", "day", "period"))


def check_days(days: int) -> None:
    """Refuse days that CloudWatch Logs can't keep events for.

    Raises:
        ValueError: it can't.
    """
    if days not in log_retention():
        raise ValueError(f"days: CloudWatch Logs accepts {', '.join(map(str, log_retention()))}")


def retention_member(days: int) -> str:
    """The member of the CDK's enum for the days, by its full name."""
    return f"aws_logs.RetentionDays.{log_retention()[days]}"


def retention_variable(module: Module) -> str | None:
    """The module's variable for the retention of logs, if there is just one whose default is no obstacle."""
    found = []
    for variable in module.variables():
        words = set(variable.name.lower().split("_"))
        if "retention" in words and words <= _WORDS and _gives_days(module, variable):
            found.append(f"var.{variable.name}")
    return found[0] if len(found) == 1 else None


def _gives_days(module: Module, variable: Block) -> bool:
    """Whether the default is a number of days that CloudWatch accepts, or the caller has to give a number."""
    kind, default = variable.attribute("type"), variable.attribute("default")
    if default is None:
        return kind is not None and kind.expr.text == "number"
    value = module.resolve(default.expr)
    return isinstance(value, Known) and type(value.value) is int and value.value in log_retention()
