"""Log groups that rules add: how long they keep their events, and what they look like in Terraform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codemods.facts import log_retention
from fixer.model import Known
from fixer.terraform import free_name, tag_lines

if TYPE_CHECKING:
    from fixer.terraform import Block, Module

_WORDS = frozenset(("cloudwatch", "cw", "log", "logs", "group", "groups", "retention", "in", "days", "day", "period"))


LOG_GROUP = "aws_cloudwatch_log_group"


@dataclass(frozen=True)
class Retention:
    """Options of the rules that set how long events are kept.

    Raises:
        ValueError: CloudWatch Logs does not keep events for so many days.
    """

    days: int = 30
    """Days to keep events, where no variable of the module says so; one of the values that CloudWatch Logs accepts."""

    def __post_init__(self) -> None:
        """Refuse other days."""
        if self.days not in log_retention():
            raise ValueError(f"days: CloudWatch Logs accepts {', '.join(map(str, log_retention()))}")


def log_group(beside: Block, name: str, called: str, retention: Retention, suffix: str = "_2") -> tuple[str, str]:
    """A log group that goes with a resource: how that refers to it, and its text.

    Args:
        beside: The resource.
        name: What the new one would best be called in Terraform.
        called: The argument that says what CloudWatch calls it.
        retention: How long it keeps events, where the module has no variable for it.
        suffix: What is added to the name if another log group has it.
    """
    free = free_name(beside.module, LOG_GROUP, name, suffix)
    days = retention_variable(beside.module) or retention.days
    lines = (called, f"retention_in_days = {days}", *tag_lines(beside))
    return f"{LOG_GROUP}.{free}{beside.index}", beside.companion(LOG_GROUP, free, "\n".join(lines), reference="")


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
