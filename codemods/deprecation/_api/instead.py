"""What to write in the place of a keyword that is deprecated, for the value that a call gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from codemods.deprecation._api.replacements import KEYWORDS, Keyword
from fixer.cdk.calls import Construct
from fixer.model import Absent, Impact, Known, Manual, Symbol, Unknown

if TYPE_CHECKING:
    from codemods.deprecation._api.uses import Use
    from fixer.cdk import Argument, Call, CdkFile

_GETTERS = ("get", "try_get_context", "getenv")
_HEALTH = "aws_autoscaling.CommonAutoScalingGroupProps.health_check"
_CHECKS = {
    "aws_autoscaling.HealthCheck.ec2": "<aws_autoscaling.HealthChecks>.ec2({})",
    "aws_autoscaling.HealthCheck.elb": "<aws_autoscaling.HealthChecks>.with_additional_checks("
    "additional_types=[<aws_autoscaling.AdditionalHealthCheckType>.ELB]{})",
}
_TEMPLATES = "@aws-cdk/aws-autoscaling:generateLaunchTemplateInsteadOfLaunchConfig"
_KEY_PAIR = "<aws_ec2.KeyPair>.from_key_pair_name"


@dataclass(frozen=True)
class Written:
    """What stands in the place of a keyword; `text` is None to take it out."""

    keyword: str
    text: str | None
    impact: Impact = Impact.NONE


def known(owner: str) -> str:
    """The keyword that has certainly taken the place of one."""
    if owner == _HEALTH:
        return "health_checks"
    if owner.startswith("aws_") and owner.endswith("Props.key_name"):
        return "key_pair"
    return KEYWORDS[owner].new if owner in KEYWORDS else ""


def instead(file: CdkFile, use: Use, owner: str, argument: Argument) -> Written | Manual | None:
    """What to write, or why that can't be told; None if there is nothing that means the same."""
    name = owner.rpartition(".")[2]
    if use.call.value(name) is Absent and known(owner):
        return Written("", None)
    if owner == _HEALTH:
        return _health_check(file, argument)
    if known(owner) == "key_pair" and owner.startswith("aws_autoscaling."):
        step = f"Turn on {_TEMPLATES} in cdk.json, which replaces launch configurations, and give it a key_pair"
        return Manual("Groups take key_pair only with a feature flag", step)
    if known(owner) == "key_pair":
        return _key_pair(file, use.call, argument)
    found = KEYWORDS.get(owner)
    if found is None:
        return None
    if found.values:
        return _translated(file, use.call, found, argument)
    if found.text != "{}" and _may_be_none(use.call, argument):
        return Manual(f"{argument.text} may be None", f"Give {found.new} only if there is a value")
    return Written(found.new, found.text.replace("{}", argument.text), found.impact)


def _translated(file: CdkFile, call: Call, found: Keyword, argument: Argument) -> Written | Manual:
    """The member for a value that is written out, or for both values of a condition."""
    value = call.value(str(argument.name))
    if isinstance(value, Known):
        key = value.value.name.rpartition(".")[2] if isinstance(value.value, Symbol) else repr(value.value)
        if key in found.values:
            return Written(found.new, found.values[key] or None, found.impact)
        return Manual(f"{key} has no counterpart", "Choose what takes its place")
    if {"True", "False"} <= found.values.keys() and _is_condition(argument.node):
        text = argument.text if argument.node.lpar or not isinstance(argument.node, cst.IfExp) else f"({argument.text})"
        written = f"{found.values['True']} if {text} else {found.values['False']}"
        return Written(found.new, written, found.impact)
    why = value.why if isinstance(value, Unknown) else "is not there"
    return Manual(f"The value can't be judged: it {why}", f"Write {found.new or 'it'} for each value that it may have")


def _is_condition(node: cst.BaseExpression) -> bool:
    """Whether an expression is certainly true or false."""
    if isinstance(node, cst.BooleanOperation):
        return _is_condition(node.left) and _is_condition(node.right)
    if isinstance(node, cst.UnaryOperation):
        return isinstance(node.operator, cst.Not)
    if isinstance(node, cst.IfExp):
        return _is_condition(node.body) and _is_condition(node.orelse)
    return isinstance(node, cst.Comparison) or (isinstance(node, cst.Name) and node.value in ("True", "False"))


def _may_be_none(call: Call, argument: Argument) -> bool:
    """Whether the value is the default of a parameter, or of a look-up, and this is None."""
    node = argument.node
    if isinstance(node, cst.Call):
        function = getattr(node.func, "attr", node.func)
        return getattr(function, "value", "") in _GETTERS and len(node.args) == 1
    if not isinstance(node, cst.Name):
        return isinstance(node, cst.IfExp) and "None" in argument.text
    found = call.scope.find(node.value)
    if found is None:
        return False
    owner, bindings = found
    parameters = owner.node.params if isinstance(owner.node, cst.FunctionDef | cst.Lambda) else None
    every = (*parameters.params, *parameters.kwonly_params) if parameters else ()
    if any(one.name.value == node.value and getattr(one.default, "value", "") == "None" for one in every):
        return True
    return any(
        getattr(one.value, "value", "") == "None"
        or (
            isinstance(one.value, cst.Call)
            and getattr(getattr(one.value.func, "attr", None), "value", "") in _GETTERS
            and len(one.value.args) == 1
        )
        for one in bindings
    )


def _health_check(file: CdkFile, argument: Argument) -> Written | Manual:
    """The new form of `HealthCheck.ec2(grace=...)` and `HealthCheck.elb(grace=...)`."""
    for name, text in _CHECKS.items():
        for call in file.calls(name):
            if (call.start, call.end) == (argument.value_start, argument.value_end):
                grace = call.argument("grace")
                if len(call.node.args) > (1 if grace else 0):
                    return Manual(
                        f"{name.rpartition('.')[2]} has arguments that it does not take", "Give it grace alone"
                    )
                period = f"grace_period={grace.text}" if grace else ""
                joined = f", {period}" if period and "[" in text else period
                return Written("health_checks", text.replace("{}", joined))
    return Manual("The health check is not written out there", "Make HealthChecks there and give it as health_checks")


def _key_pair(file: CdkFile, call: Call, argument: Argument) -> Written | Manual:
    """A key pair that is looked up by its name, beside the construct that uses it."""
    if not isinstance(call, Construct):
        made = [one for one in file.constructs(call.name) if (one.start, one.end) == (call.start, call.end)]
        if not made:
            return Manual("The construct that it is for can't be told", "Give it a key_pair")
        call = made[0]
    if _may_be_none(call, argument):
        return Manual(f"{argument.text} may be None", "Give key_pair only if there is a key")
    identifier = call.free_id("KeyPair")
    if identifier is None or call.scope_text is None or call.is_super:
        return Manual("There is no id for the key pair that is certainly free", "Make it by KeyPair.from_key_pair_name")
    return Written("key_pair", f"{_KEY_PAIR}({call.scope_text}, {identifier}, {argument.text})")
