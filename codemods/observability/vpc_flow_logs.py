"""Log the traffic of VPCs.

## Why

Without flow logs nobody can tell who spoke with whom in a network: not while something is wrong, and not afterwards.

## CDK Python

A `Vpc` without a flow log gets one, with a log group and a role of its own:

```python
vpc = ec2.Vpc(
    self,
    "Vpc",
    flow_logs={
        "FlowLogs": ec2.FlowLogOptions(
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(
                logs.LogGroup(self, "VpcFlowLogs", retention=logs.RetentionDays.ONE_MONTH),
                iam.Role(
                    self, "VpcFlowLogsRole", assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com")
                ),
            )
        )
    },
)
```

The CDK gives the role the permissions that it needs. A `CfnVPC` gets the same, and a `CfnFlowLog`, below it. Impact
`behavior`: resources are added.

A flow log without a destination, or with `FlowLogDestination.to_cloud_watch_logs()` that names no log group, gets the
same log group and role: the one that the CDK makes keeps events for a time that nobody chose. Impact `replacement`: the
flow log is made anew, and **events that are there stay in the old log group**.

## Terraform

An `aws_vpc` or `aws_default_vpc` without an `aws_flow_log` gets one, with a log group, a role and a policy, which all
have the VPC's own `count`, `for_each` and `provider`. The retention is the module's variable for it, if there is one. A
flow log to CloudWatch Logs that lacks its `log_destination` or `iam_role_arn`, which EC2 refuses, gets what is missing;
`log_destination_arn`, which the provider does not know, is made `log_destination`. Impact `behavior`: resources are
added.

## Not fixed

- A VPC where it can't be told whether a flow log is for it: one that is made in another file of the app, for a name
  that can't be followed, or by a module that is given the VPC.
- `**arguments` that may bring `flow_logs`, an id that can't be told, CDK version 1, a `CfnVPC` without a name.
- In Terraform, a VPC that is in JSON, declared twice, or whose provider the module does not configure.
- Not reported: VPCs that are only looked up, those of modules from elsewhere, and flow logs of subnets and interfaces.

## Options

- `days` (default 30): how long the events are kept, where the module has no variable for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from codemods._logs import LOG_GROUP, Retention, log_group, retention_member
from fixer.cdk.companion import free_name as free_variable
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Unknown
from fixer.terraform import free_name, tag_lines
from fixer.terraform.functions import behind
from fixer.terraform.policy_text import NewStatement, encoded_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fixer.cdk import Call, CdkFile, Construct
    from fixer.model import Finding
    from fixer.terraform import Block, Module


rule = Rule(
    __name__,
    impact=Impact.REPLACEMENT,
    seeds=("S2-1.1",),
    scanners=(
        "CKV2_AWS_11",
        "AWS-0178",
        "AVD-AWS-0178",
        "aws-ec2-require-vpc-flow-logs-for-all-vpcs",
        "f83121ea-03da-434f-9277-9cd247ab3047",
        "AwsSolutions-VPC7",
        "HIPAA.Security-VPCFlowLogsEnabled",
        "NIST.800.53.R4-VPCFlowLogsEnabled",
        "NIST.800.53.R5-VPCFlowLogsEnabled",
        "PCI.DSS.321-VPCFlowLogsEnabled",
    ),
    options=Retention,
    keywords=("Vpc", "CfnVPC", "low_log", "FlowLog", "aws_vpc", "aws_default_vpc", "aws_flow_log"),
)

_MESSAGE = "has no flow log"
_SERVICE = "vpc-flow-logs.amazonaws.com"
_ACTIONS = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
"""What the CDK gives a role for flow logs."""
_NEXT = "Make sure that it has a flow log, or keep it with a suppression that says why"

# ---- CDK Python --------------------------------------------------------------------------------

_VPC = "aws_ec2.Vpc"
_LOW_LEVEL = "aws_ec2.CfnVPC"
_KEYWORD = "flow_logs"
_OPTIONS = "aws_ec2.FlowLogOptions"
_DESTINATION = "aws_ec2.FlowLogDestination"
_FLOW_LOG = "aws_ec2.FlowLog"
_ROLE, _GROUP, _PRINCIPAL = "aws_iam.Role", "aws_logs.LogGroup", "aws_iam.ServicePrincipal"
_LOW_LEVEL_LOG = "aws_ec2.CfnFlowLog"
_SUBJECTS = ("aws_ec2.FlowLogResourceType.from_vpc", _LOW_LEVEL_LOG)
_WORDS = ("FlowLog(", "add_flow_log(")
_UNNAMED = "writes to a log group that the CDK makes, which keeps events for a time that nobody chose"


@rule.cdk
def cdk(file: CdkFile, options: Retention) -> Findings:
    """VPCs by the flow logs that the app makes, and flow logs by where they write."""
    for vpc in file.constructs(_VPC, _LOW_LEVEL):
        value = vpc.value(_KEYWORD) if vpc.name == _VPC else Absent
        logged = _is_logged(file, vpc)
        if logged or (value is not Absent and vpc.has(_KEYWORD)):
            continue
        manual = _obstacle(file, vpc)
        if isinstance(value, Unknown):
            manual = Manual(f"{_KEYWORD} can't be judged: it {value.why}", _NEXT)
        elif logged is None:
            manual = Manual("It can't be told for which VPC a flow log is", _NEXT)
        fix = None if manual else _beside(vpc, options) if vpc.name == _LOW_LEVEL else _within(vpc, options)
        yield vpc.finding(rule, _MESSAGE, fix=fix, manual=manual)
    yield from _unnamed(file, options)


def _within(vpc: Construct, options: Retention) -> Fix:
    """A flow log by the keyword of a `Vpc`."""
    spelled, imports = vpc.file.spell_all(sorted((*_names(options), _DESTINATION, _OPTIONS)), vpc)
    text = f'{{"FlowLogs": {spelled[_OPTIONS]}(destination={_destination(vpc, spelled, options)})}}'
    return Fix((*vpc.set(_KEYWORD, text), *imports), Impact.BEHAVIOR)


def _beside(vpc: Construct, options: Retention) -> Fix:
    """A flow log below a `CfnVPC`, which takes none itself."""
    spelled, imports = vpc.file.spell_all(sorted((*_names(options), _LOW_LEVEL_LOG)), vpc)
    stem = (vpc.target or "").rpartition(".")[2]
    group, role = free_variable(vpc, f"{stem}_flow_logs"), free_variable(vpc, f"{stem}_flow_logs_role")
    group_text, role_text = _companions(vpc, spelled, options)
    log = vpc.companion(
        spelled[_LOW_LEVEL_LOG],
        "FlowLog",
        f"resource_id={vpc.target}.ref",
        'resource_type="VPC"',
        'traffic_type="ALL"',
        f"log_group_name={group}.log_group_name",
        f"deliver_logs_permission_arn={role}.role_arn",
    )
    actions = ", ".join(f'"{action}"' for action in _ACTIONS)
    lines = (f"{group} = {group_text}", f"{role} = {role_text}", f"{group}.grant({role}, {actions})", log)
    return Fix((*(vpc.insert_after("\n".join(lines)) or ()), *imports), Impact.BEHAVIOR)


def _is_logged(file: CdkFile, vpc: Construct) -> bool | None:
    """Whether something gives a VPC a flow log; None if that can't be told."""
    if any(vpc.methods("add_flow_log")):
        return True
    others = [one for one in file.constructs(_VPC, _LOW_LEVEL) if one is not vpc]
    unclear = False
    for call, text in _subjects(file):
        if vpc.is_meant_by(_named(text), call):
            return True
        unclear = unclear or not any(one.is_meant_by(_named(text), call) for one in others)
    return None if unclear else False


def _subjects(file: CdkFile) -> Iterator[tuple[Call, str]]:
    """What flow logs are for, as it is written: `self.vpc`, `vpc.vpc_id`."""
    for name in _SUBJECTS:
        for call in file.calls(name):
            given = call.argument("resource_id") or call.argument("vpc") or next(iter(call.positional), None)
            if given and call.value("resource_type") in (Absent, Known("VPC")):
                yield call, given.text
    for call in file.methods("add_flow_log"):
        yield call, file.receiver(call)


def _obstacle(file: CdkFile, vpc: Construct) -> Manual | None:
    elsewhere = sorted({path for word in _WORDS for path in file.app.holding(word)} - file.app.tests - {file.path})
    unclear = next((path for path in elsewhere if (other := file.app.file(path)) and not _is_for_its_own(other)), None)
    if file.is_v1:
        return Manual("It is written for CDK version 1", "Move to version 2, or add a flow log")
    if unclear:
        return Manual(f"{unclear} makes flow logs, and it can't be told for which VPC", _NEXT)
    if manual := vpc.no_companion("FlowLogs", f"Give it {_KEYWORD}"):
        return manual
    if vpc.name == _LOW_LEVEL and (not vpc.target or vpc.is_super or vpc.insert_after("x") is None):
        reason = "It is not assigned to a name that a flow log could refer to"
        return Manual(reason, "Assign it, and run iacfix again")
    return None


def _is_for_its_own(file: CdkFile) -> bool:
    """Whether all flow logs that a file makes are for VPCs that it makes too."""
    vpcs = list(file.constructs(_VPC, _LOW_LEVEL))
    return all(any(vpc.is_meant_by(_named(text), call) for vpc in vpcs) for call, text in _subjects(file))


def _named(subject: str) -> str:
    return re.sub(r"\.(vpc_id|ref|attr_vpc_id)$", "", subject)


def _names(options: Retention) -> tuple[str, ...]:
    return (_GROUP, retention_member(options.days), _ROLE, _PRINCIPAL)


def _companions(owner: Construct, spelled: Mapping[str, str], options: Retention) -> tuple[str, str]:
    """A log group and a role for flow logs, beside a construct."""
    prefix = "" if owner.name == _FLOW_LOG else "FlowLogs"
    retention = spelled[retention_member(options.days)]
    group = owner.companion(spelled[_GROUP], prefix or "LogGroup", f"retention={retention}")
    principal = f'{spelled[_PRINCIPAL]}("{_SERVICE}")'
    return group, owner.companion(spelled[_ROLE], f"{prefix}Role", f"assumed_by={principal}")


def _destination(owner: Construct, spelled: Mapping[str, str], options: Retention) -> str:
    return f"{spelled[_DESTINATION]}.to_cloud_watch_logs({', '.join(_companions(owner, spelled, options))})"


def _unnamed(file: CdkFile, options: Retention) -> Findings:
    """Flow logs whose log group the CDK makes."""
    for call, owner in _flow_logs(file):
        written = call.behind("destination")
        is_bare = written is not None and re.fullmatch(r"[\w.]*\.to_cloud_watch_logs\(\s*\)", written.text)
        if not is_bare and call.value("destination") is not Absent:
            continue
        if owner is None or file.is_v1 or not _is_in_reach(call, owner):
            manual = Manual("Its parent can't be told, to make a log group there", "Give it a log group and a role")
            yield call.finding(rule, _UNNAMED, manual=manual)
            continue
        spelled, imports = file.spell_all(sorted((*_names(options), _DESTINATION)), owner)
        edits = call.set("destination", _destination(owner, spelled, options))
        yield call.finding(rule, _UNNAMED, fix=Fix((*edits, *imports), Impact.REPLACEMENT))


def _flow_logs(file: CdkFile) -> Iterator[tuple[Call, Construct | None]]:
    """The calls that take a flow log's destination, each with the construct that it belongs to."""
    found: list[tuple[Call, Construct | None]] = []
    for owner in file.constructs(_VPC, _FLOW_LOG):
        found.append((owner, owner))
        found += [(call, owner) for call in owner.methods("add_flow_log")]
    yield from ((call, owner) for call, owner in found if call.name != _VPC)
    for call in file.calls(_OPTIONS):
        yield call, next((owner for each, owner in found if call.is_in(each)), None)


def _is_in_reach(call: Call, owner: Construct) -> bool:
    """Whether the construct's parent can be named where a call is, and new ids beside it."""
    is_same = call.scope.nearest("function") is owner.scope.nearest("function")
    return (is_same or owner.scope_text == "self") and not owner.no_companion("Role", "")


# ---- Terraform ---------------------------------------------------------------------------------

_LOG = "aws_flow_log"
_IAM_ROLE, _IAM_POLICY = "aws_iam_role", "aws_iam_role_policy"
_MISSPELT = "log_destination_arn"
_TO_CLOUDWATCH = (Absent, Known("cloud-watch-logs"))


@rule.terraform
def terraform(module: Module, options: Retention) -> Findings:
    """VPCs by the flow logs of the module, and flow logs by what they lack."""
    for vpc in module.declared("aws_vpc", "aws_default_vpc"):
        found = {is_sure for _, is_sure in module.resources_for(vpc, _LOG, "vpc_id")}
        if True not in found:
            yield _vpc(module, vpc, options, unclear=bool(found))
    for log in module.resources(_LOG):
        yield from _incomplete(module, log, options)


def _vpc(module: Module, vpc: Block, options: Retention, *, unclear: bool) -> Finding:
    manual = vpc.no_companion(_LOG)
    taker = next((one.block for one in module.references(vpc.address) if _is_module_of_flow_logs(one.block)), None)
    if unclear:
        manual = Manual("It can't be told for which VPC a flow log of the module is", _NEXT)
    elif taker:
        manual = Manual(f"{taker.top.address} is given the VPC, and may give it a flow log", _NEXT)
    if manual:
        return vpc.finding(rule, _MESSAGE, manual=manual)
    group, group_text = _group(vpc, vpc.reference("id"), options)
    role, role_texts = _role(module, vpc, group)
    lines = (f"iam_role_arn = {role}.arn", f"log_destination = {group}.arn", 'traffic_type = "ALL"', *tag_lines(vpc))
    log = vpc.companion(_LOG, free_name(module, _LOG, vpc.name, "_vpc"), "\n".join(lines), reference="vpc_id")
    text = "\n".join((log, group_text, *role_texts))
    return vpc.finding(rule, _MESSAGE, fix=Fix(vpc.insert_after(text), Impact.BEHAVIOR))


def _is_module_of_flow_logs(block: Block | None) -> bool:
    return block is not None and block.top.type == "module" and "flow" in block.top.text().lower()


def _incomplete(module: Module, log: Block, options: Retention) -> Findings:
    """A flow log to CloudWatch Logs without a log group or without a role."""
    if module.overridden(log):
        return
    if log.attribute(_MISSPELT):
        yield _misspelt(module, log)
        return
    if log.value("log_destination_type") not in _TO_CLOUDWATCH:
        return
    destination, name = log.attribute("log_destination"), log.attribute("log_group_name")
    has_group = log.value("log_destination") is not Absent or log.value("log_group_name") is not Absent
    has_role = log.value("iam_role_arn") is not Absent
    if has_group and has_role:
        return
    group = behind(module, destination.expr, LOG_GROUP) if destination else None
    given = name or log.attribute("iam_role_arn") or (destination if group is None else None)
    message = f"has no {'role' if has_group else 'log group'}, so that EC2 refuses it"
    if (has_group and group is None) or (given and module.variables_behind(given.expr)) or log.attribute("region"):
        if destination and group is None and not name and has_group:
            return  # a bucket or a stream, whose type is given by what it is
        manual = Manual("It can't be told what it is given", "Set log_destination and iam_role_arn")
        yield log.finding(rule, message, manual=manual)
        return
    values: dict[str, str] = {}
    texts: list[str] = []
    where = destination.expr.text.removesuffix(".arn") if destination else ""
    if group is None:
        where, text = _group(log, None, options)
        values["log_destination"] = f"{where}.arn"
        texts.append(text)
    if not has_role:
        role, more = _role(module, log, where)
        values["iam_role_arn"] = f"{role}.arn"
        texts += more
    edits = (*log.set_all(values), *log.insert_after("\n".join(texts)))
    yield log.finding(rule, message, fix=Fix(edits, Impact.BEHAVIOR))


def _misspelt(module: Module, log: Block) -> Finding:
    """The finding for a flow log that is given an argument that the provider does not know."""
    message = f"is given {_MISSPELT}, which the provider does not know"
    attribute = log.attribute(_MISSPELT)
    if attribute is None or log.holds("log_destination") or log.holds("log_group_name"):
        manual = Manual("It is given another destination too", f"Keep one of them, and take {_MISSPELT} out")
        return log.finding(rule, message, manual=manual, at=attribute)
    values = {"log_destination": attribute.expr.text}
    is_bucket = behind(module, attribute.expr, "aws_s3_bucket") or re.match(r'"arn:[\w-]+:s3:', attribute.expr.text)
    if is_bucket and not log.holds("log_destination_type"):
        values["log_destination_type"] = '"s3"'
    fix = Fix(log.rewrite(set=values, remove=[_MISSPELT]), Impact.BEHAVIOR)
    return log.finding(rule, message, fix=fix, at=attribute)


def _stem(block: Block) -> str:
    return block.name if "flow" in block.name else f"{block.name}_flow_logs"


def _group(beside: Block, called: str | None, options: Retention) -> tuple[str, str]:
    """The address and text of a log group; `called` is the end of what CloudWatch calls it, if that is known."""
    line = f'name = "/aws/vpc-flow-logs/${{{called}}}"' if called else 'name_prefix = "/aws/vpc-flow-logs/"'
    return log_group(beside, _stem(beside), line, options)


def _role(module: Module, beside: Block, group: str) -> tuple[str, list[str]]:
    """The address of a role for flow logs, and the texts of it and of its policy."""
    name = free_name(module, _IAM_ROLE, _stem(beside), "_2")
    address = f"{_IAM_ROLE}.{name}{beside.index}"
    trust = encoded_policy(NewStatement("", ("sts:AssumeRole",), (), principals=(("Service", (_SERVICE,)),)))
    lines = ('name_prefix = "vpc-flow-logs-"', f"assume_role_policy = {trust}", *tag_lines(beside))
    allowed = encoded_policy(NewStatement("", _ACTIONS, (f"${{{group}.arn}}:*",)))
    body = f'name = "publish-flow-logs"\nrole = {address}.id\npolicy = {allowed}'
    return address, [
        beside.companion(_IAM_ROLE, name, "\n".join(lines), reference=""),
        beside.companion(_IAM_POLICY, free_name(module, _IAM_POLICY, name, "_2"), body, reference=""),
    ]
