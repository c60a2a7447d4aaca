"""Name the managed policies of AWS as AWS does.

## Why

A policy of AWS is found by its whole name, path and all. `AWSLambdaBasicExecutionRole` is none, as it lacks
`service-role/`; nor is `service-role/ConfigRole`. Neither the CDK nor Terraform looks: the deployment fails half-way
with `NoSuchEntity`, when the role exists already.

## CDK Python

The name that `ManagedPolicy.from_aws_managed_policy_name` gets, and each ARN of a managed policy that is written out,
such as `arn:aws:iam::aws:policy/AmazonS3FullAccess`, is mended where one right name certainly is meant:

- the path is wrong: `AWSLambdaBasicExecutionRole` becomes `service-role/AWSLambdaBasicExecutionRole`;
- letters have the wrong case: `amazons3fullaccess` becomes `AmazonS3FullAccess`;
- it is `AWSConfigRole`, which AWS replaced in 2022, or `ConfigRole`: `service-role/AWS_ConfigRole`.

`VPCFlowLogsDeliveryRolePolicy` has never existed. The role gets what flow logs need instead, as an inline policy:

```python
inline_policies={
    "FlowLogs": iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                actions=[
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:DescribeLogGroups",
                    "logs:DescribeLogStreams",
                    "logs:PutLogEvents",
                ],
                resources=["*"],
            )
        ]
    )
}
```

Impact `behavior`. A policy that does not exist can't have been attached, so nothing is replaced.

## Terraform

The same for ARNs, also those with a partition that is interpolated. For `VPCFlowLogsDeliveryRolePolicy` the
`aws_iam_role_policy_attachment` attaches an `aws_iam_policy` of the module, which is added below it.

## Not fixed

- A name that is like no policy's, or only like one: the finding tells the nearest. It may be newer than iacfix's list,
  whose date the finding tells, or the name of a policy of your own.
- `VPCFlowLogsDeliveryRolePolicy` in a place where no other policy can be put, such as a list in a variable.
- A name that is an element or a key of `for_each`: the resource's address would change with it.
- What stands in override files and `.tf.json`.
- Not judged: names that are put together from parts, and ARNs of the partitions of China and of the US government,
  which have lists of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import libcst as cst

from codemods.facts.iam import managed_policies, managed_policies_date, nearest_managed_policy
from fixer.model import Absent, Edit, Finding, Findings, Fix, Impact, Language, Manual, Rule
from fixer.terraform import Chunk, free_name
from fixer.terraform.policy_text import NewStatement, encoded_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixer.cdk import Argument, Call, CdkFile
    from fixer.terraform import Attribute, Block, Module, TerraformFile

rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S2-2.3",),
    keywords=("aws:policy/", "from_aws_managed_policy_name"),
)

_CURATED = {"AWSConfigRole": "AWS_ConfigRole", "ConfigRole": "AWS_ConfigRole"}
"""AWSConfigRole was replaced in July 2022, says the guide to AWS Config, "AWS managed policies"."""
_FLOW_LOGS = "VPCFlowLogsDeliveryRolePolicy"
_FLOW_LOG_ACTIONS = (
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
)
"""What the guide to VPC says under "IAM role for publishing flow logs to CloudWatch Logs"."""
_ARN = re.compile(r"(?P<partition>[\w-]*):iam::aws:policy/(?P<name>[\w+=,.@/-]*\w)(?=[\"'\\]|\Z)")
_OTHER_PARTITIONS = re.compile(r"aws-.+")


@dataclass(frozen=True)
class _Wrong:
    """A name that no policy has."""

    name: str
    right: str | None
    """The policy that certainly is meant."""

    @property
    def message(self) -> str:
        """What a finding says."""
        return f"names a managed policy that AWS does not have: {self.name}"

    @property
    def manual(self) -> Manual:
        """Why it is left to a person."""
        if self.is_flow_logs:
            reason = "There is no such policy, and nothing can be put in its place here"
            return Manual(reason, f"Give the role an inline policy that allows {', '.join(_FLOW_LOG_ACTIONS)}")
        nearest = nearest_managed_policy(self.name.rpartition("/")[2])
        like = f"the nearest is {nearest.full_name}" if nearest else "none is like it"
        reason = f"AWS has no policy of that name as of {managed_policies_date()}, and {like}"
        return Manual(reason, "Name the policy that is meant, or write one of your own")

    @property
    def is_flow_logs(self) -> bool:
        """Whether it is the policy for flow logs that has never existed."""
        return self.name.rpartition("/")[2] == _FLOW_LOGS


def _judged(name: str) -> _Wrong | None:
    """What is wrong with the whole name of a policy; None if AWS has it."""
    policies = managed_policies()
    bare = name.rpartition("/")[2]
    exact = policies.get(_CURATED.get(bare, bare))
    if exact is None:
        alike = [one for one in policies.values() if one.name.lower() == bare.lower()]
        exact = alike[0] if len(alike) == 1 else None
    if exact and exact.full_name == name:
        return None
    return _Wrong(name, exact.full_name if exact else None)


# ---- CDK Python --------------------------------------------------------------------------------

_BY_NAME = "aws_iam.ManagedPolicy.from_aws_managed_policy_name"


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Names that the CDK makes ARNs of, and ARNs."""
    for call in file.calls(_BY_NAME):
        argument = call.argument("managed_policy_name") or next(iter(call.positional), None)
        written = call.behind(argument) if argument else None
        if argument and written and isinstance(written.node, cst.SimpleString):
            name = str(written.node.evaluated_value)
            if wrong := _judged(name):
                yield _mended(file, call, argument, written, wrong)
    if b":iam::aws:policy/" in file.source:
        yield from _arns_in_python(file)


def _mended(file: CdkFile, call: Call, argument: Argument, written: Argument, wrong: _Wrong) -> Finding:
    if wrong.is_flow_logs:
        edits = _without_flow_logs(file, call)
    else:
        at = file.source.find(wrong.name.encode(), written.start, written.end)
        edits = _renamed(file, at, wrong) if at >= 0 else None
    if edits is None:
        return call.finding(rule, wrong.message, manual=wrong.manual, at=argument)
    return call.finding(rule, wrong.message, fix=Fix(edits, Impact.BEHAVIOR), at=argument)


def _renamed(file: CdkFile, start: int, wrong: _Wrong) -> tuple[Edit, ...] | None:
    """The right name in the place of the wrong one."""
    if wrong.right is None:
        return None
    end, around = start + len(wrong.name.encode()), file.call_around(start)
    return around.put(wrong.right, start, end) if around else (Edit(file.path, start, end, wrong.right),)


def _without_flow_logs(file: CdkFile, call: Call) -> tuple[Edit, ...] | None:
    """The inline policy in place of a managed one: of a role, or where one is added to it."""
    for added in file.methods("add_managed_policy"):
        if [(one.value_start, one.value_end) for one in added.arguments] == [(call.start, call.end)]:
            spelled, imports = file.spell_all(("aws_iam.PolicyStatement",), added)
            text = f"{file.receiver(added)}.add_to_policy({_allowing(spelled['aws_iam.PolicyStatement'])})"
            return (*added.put(text), *imports)
    for role in file.constructs("aws_iam.Role"):
        listed = role.argument("managed_policies")
        if listed is None or not isinstance(listed.node, cst.List) or role.value("inline_policies") is not Absent:
            continue
        spans = [file.tree.span(one.value) for one in listed.node.elements]
        if (call.start, call.end) in spans:
            spelled, imports = file.spell_all(("aws_iam.PolicyDocument", "aws_iam.PolicyStatement"), role)
            statement = _allowing(spelled["aws_iam.PolicyStatement"])
            inline = f'{{"FlowLogs": {spelled["aws_iam.PolicyDocument"]}(statements=[{statement}])}}'
            if len(spans) == 1:
                return (*role.replace("managed_policies", "inline_policies", inline), *imports)
            gone = {"managed_policies": (spans.index((call.start, call.end)),)}
            return (*role.rewrite(set={"inline_policies": inline}, drop=gone), *imports)
    return None


def _allowing(statement: str) -> str:
    actions = ", ".join(f'"{action}"' for action in _FLOW_LOG_ACTIONS)
    return f'{statement}(actions=[{actions}], resources=["*"])'


def _arns_in_python(file: CdkFile) -> Iterator[Finding]:
    parents = file.tree.parents
    for node in parents:
        if not isinstance(node, cst.SimpleString | cst.FormattedString) or isinstance(parents[node], cst.Expr):
            continue
        start, end = file.tree.span(node)
        text = file.text(start, end)
        for match in _ARN.finditer(text):
            wrong = _judged(match["name"])
            if wrong is None or _OTHER_PARTITIONS.fullmatch(match["partition"]):
                continue
            first = start + len(text[: match.start("name")].encode())
            last = first + len(wrong.name.encode())
            edits, around = _renamed(file, first, wrong), file.call_around(first)
            fix = Fix(edits, Impact.BEHAVIOR) if edits else None
            manual = None if fix else wrong.manual
            subject, nag = (around.subject, around.nag) if around else ("", frozenset())
            yield Finding(
                rule.name, Language.CDK, file.path, first, last, wrong.message, fix, manual, subject, None, nag
            )


# ---- Terraform ---------------------------------------------------------------------------------

_POLICY = "aws_iam_policy"
_ATTACHMENT = "aws_iam_role_policy_attachment"


@rule.terraform
def terraform(module: Module, options: object) -> Findings:
    """ARNs of managed policies, in whichever string."""
    for file in (*module.files, *module.fixed):
        for start, end, wrong in _wrong_in(file):
            block, attribute = file.enclosing(start)
            if block is None:
                continue
            changes: tuple[Edit, ...] = ()
            manual = wrong.manual
            if wrong.is_flow_logs:
                changes = () if file.read_only else _own_policy(module, block, attribute)
            elif wrong.right and (obstacle := _obstacle(file, start, end)):
                manual = Manual(obstacle, f"Name {wrong.right} there")
            elif wrong.right:
                changes = (file.edit(start, end, wrong.right),)
            if changes:
                found = block.finding(rule, wrong.message, fix=Fix(changes, Impact.BEHAVIOR))
            else:
                found = block.finding(rule, wrong.message, manual=manual)
            yield found if file.is_json else replace(found, start=start, end=end)


def _obstacle(file: TerraformFile, start: int, end: int) -> str:
    """Why a name is not mended where it stands; empty if it is."""
    if file.read_only:
        return f"It is in {file.path}, which iacfix does not rewrite"
    place = file.place(start, end)
    is_key = place.is_key or not place.keys
    if place.attribute and place.attribute.name == "for_each" and is_key:
        return "It is a key of for_each, so the address of the resource would change with it"
    return ""


def _wrong_in(file: TerraformFile) -> Iterator[tuple[int, int, _Wrong]]:
    """The wrong names in a file, and where they stand."""
    if b":iam::aws:policy/" not in file.source:
        return
    for expr in file.strings:
        for number, part in enumerate(expr.parts):
            if not isinstance(part, Chunk):
                continue
            for match in _ARN.finditer(part.text):
                is_whole = match.end() < len(part.text) or number == len(expr.parts) - 1
                wrong = _judged(match["name"]) if is_whole else None
                if wrong and not _OTHER_PARTITIONS.fullmatch(match["partition"]):
                    start = part.start + len(part.text[: match.start("name")].encode())
                    yield start, start + len(wrong.name.encode()), wrong


def _own_policy(module: Module, block: Block, attribute: Attribute | None) -> tuple[Edit, ...]:
    """An attachment's own policy for flow logs; nothing where it can't be attached."""
    if block.labels[:1] != (_ATTACHMENT,) or attribute is None or attribute.name != "policy_arn":
        return ()
    if module.overridden(block):
        return ()
    name = free_name(module, _POLICY, block.name, "_policy")
    allowed = encoded_policy(NewStatement("FlowLogs", _FLOW_LOG_ACTIONS, ("*",)))
    body = f'name_prefix = "vpc-flow-logs-"\n\npolicy = {allowed}'
    text = block.companion(_POLICY, name, body, reference="")
    return (*block.set("policy_arn", f"{_POLICY}.{name}{block.index}.arn"), *block.insert_after(text))
