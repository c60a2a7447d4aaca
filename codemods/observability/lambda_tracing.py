"""Trace Lambda functions with X-Ray.

## Why

A request that goes through an API, functions, queues and tables fails or is slow somewhere. Without traces each
function's logs tell of that function alone; with active tracing X-Ray shows the whole way and the time that each
part takes. Lambda traces the first request in a second and five of a hundred others; X-Ray is paid by the trace.

## CDK Python

Functions (`aws_lambda.Function` and what derives from it) get `tracing=lambda_.Tracing.ACTIVE`; the CDK gives their
roles the permission to send traces. Impact `behavior`: the function, and its role's policy, are updated in place.

## Terraform

`aws_lambda_function` gets

```hcl
tracing_config {
  mode = "Active"
}
```

and the function's role, where no policy of it in the module speaks of X-Ray, the managed policy
`AWSXRayDaemonWriteAccess`, in its `managed_policy_arns` if it has these, else by an attachment right below it. Impact
`behavior`.

## Not fixed

- A `CfnFunction`, a function whose role the CDK is told not to change (`mutable=False`, `without_policy_updates()`),
  and in Terraform one whose role is not in the module: make sure that the role allows `xray:PutTraceSegments` and
  `xray:PutTelemetryRecords`, without which Lambda refuses to trace the function, and turn tracing on.
- A role with `managed_policy_arns` that are not written out there: Terraform takes every other policy off again. Add
  `AWSXRayDaemonWriteAccess` to them.
- A module with a file that can't be read, which may hold the role's policies.
- A mode that can't be judged: a condition, a variable without default, `**arguments`, a `dynamic` block, a function in
  `.tf.json` or declared twice.
- Not reported: functions at CloudFront's edge, which can't be traced so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixer.cdk.functions import HIGH_LEVEL
from fixer.cdk.functions import functions as cdk_functions
from fixer.model import Findings, Impact, Manual, Rule, Symbol, Unknown
from fixer.terraform.functions import allows, attached, functions, partition, role_of

if TYPE_CHECKING:
    from fixer.cdk import CdkFile
    from fixer.model import Lack
    from fixer.terraform import Module

rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S0-5.2",),
    scanners=(
        "CKV_AWS_50",
        "AWS-0066",
        "AVD-AWS-0066",
        "aws-lambda-enable-tracing",
        "8152e0cf-d2f0-47ad-96d5-d003a76eabd1",
        "9488c451-074e-4cd3-aee3-7db6104f542c",
        "Serverless-LambdaTracing",
    ),
    keywords=("aws_lambda",),
)

_OFF = "is not traced with X-Ray"
_DOUBTFUL = "may not be traced with X-Ray"
_PERMISSIONS = "allow it xray:PutTraceSegments and xray:PutTelemetryRecords, then turn tracing on"
_ELSEWHERE = Manual("Its role, which must allow that, is not in the module's files", f"Find the role, {_PERMISSIONS}")
_EXCLUSIVE = Manual(
    "Its role names all its policies in managed_policy_arns",
    "Add AWSXRayDaemonWriteAccess to them, then turn tracing on",
)
_INCOMPLETE = Manual("A file of the module can't be read, and may allow its role that", "Mend that file first")
_LOW_LEVEL = Manual("Its role must allow that", f"Find the role, {_PERMISSIONS}")
_FIXED_ROLE = Manual("The CDK does not change its role, which must allow that", f"Find the role, {_PERMISSIONS}")
_UNCHANGING = ("mutable=False", "without_policy_updates")


def _message(found: Lack) -> str:
    return _DOUBTFUL if isinstance(found.value, Unknown) else _OFF


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Functions by `tracing`; the roles of low-level ones are their authors' matter."""
    for function in cdk_functions(file):
        if function.name in HIGH_LEVEL:
            active = Symbol("aws_lambda.Tracing.ACTIVE")
            found = function.lack("tracing", active, properties=("tracing_config",))
            role = function.behind("role")
            manual = _FIXED_ROLE if role and any(word in role.text for word in _UNCHANGING) else None
        else:
            struct = "aws_lambda.CfnFunction.TracingConfigProperty"
            found = function.lack("tracing_config.mode", "Active", struct=struct)
            manual = _LOW_LEVEL
        if found:
            yield found.finding(rule, _message(found), manual=manual)


@rule.terraform
def terraform(module: Module, options: object) -> Findings:
    """Functions by the mode of their `tracing_config`; their roles get the permission."""
    for function in functions(module):
        if found := function.lack("tracing_config.mode", '"Active"'):
            role = role_of(function)
            if role is None or role.read_only:
                yield found.finding(rule, _message(found), manual=_ELSEWHERE)
            elif allows(role, "xray:Put", "xray:*", "AWSXray", "AWSXRay"):
                yield found.finding(rule, _message(found))
            elif module.incomplete:
                yield found.finding(rule, _message(found), manual=_INCOMPLETE)
            else:
                policy = f'"arn:{partition(module)}:iam::aws:policy/AWSXRayDaemonWriteAccess"'
                also = attached(role, "xray", policy)
                yield found.finding(rule, _message(found), also=also or (), manual=None if also else _EXCLUSIVE)
