"""Durations as the CDK writes them: `Duration.minutes(5)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.values import evaluate
from fixer.model import Absent, Known, Unknown

if TYPE_CHECKING:
    from fixer.cdk.calls import Call
    from fixer.model import Value

_SECONDS = {"millis": 0.001, "seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


def seconds(call: Call, keyword: str) -> Value:
    """The seconds of the duration that a keyword is set to; a number counts as seconds, as in low-level constructs."""
    value = call.value(keyword, shared=True)
    if value is Absent or (isinstance(value, Known) and isinstance(value.value, int | float)):
        return value
    made = call.behind(keyword)
    if made is None or not isinstance(made.node, cst.Call):
        return value if isinstance(value, Unknown) else Unknown("is no duration")
    owner, _, unit = (call.file.qualified_in(made.node.func, call.scope) or "").rpartition(".")
    if owner not in ("Duration", "core.Duration") or unit not in _SECONDS or len(made.node.args) != 1:
        return value if isinstance(value, Unknown) else Unknown("is no duration")
    amount = evaluate(call.file, made.node.args[0].value, call.scope)
    if isinstance(amount, Known) and isinstance(amount.value, int | float):
        return Known(amount.value * _SECONDS[unit])
    return amount if isinstance(amount, Unknown) else Unknown("is no duration")
