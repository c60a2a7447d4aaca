"""Encrypt CloudWatch log groups with a customer-managed KMS key.

## Why

CloudWatch Logs encrypts events with keys of its own, which nobody else can shut or watch. With a customer-managed key,
CloudTrail shows each use, and who shuts the key shuts the logs.

## CDK Python

`LogGroup` and `CfnLogGroup` get the stack's key for logs: the one that other log groups use, or whose name says so. If
there is none, it is made above the first log group, with rotation. The CDK does not let CloudWatch Logs use the key, so
the grant that AWS documents is made too; without it the log group can't be created:

```python
logs_key = kms.Key(self, "LogsKey", description="Encrypts log groups", enable_key_rotation=True)
logs_key.grant(
    iam.ServicePrincipal(
        f"logs.{self.region}.amazonaws.com",
        conditions={
            "ArnLike": {"kms:EncryptionContext:aws:logs:arn": self.format_arn(service="logs", resource="*")}
        },
    ),
    "kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*",
)
logs.LogGroup(self, "Api", encryption_key=logs_key)
```

Impact `behavior`: the log group is updated in place. **Events that are there already stay encrypted as they are.**

## Terraform

`aws_cloudwatch_log_group` gets `kms_key_id`: the module's key for logs, which is the one that other log groups of the
same provider use, or whose name, description or alias says so. If there is none, it is added below the first log group,
with rotation and a policy that lets `logs.<region>.amazonaws.com` use it for log groups of the account. A key that is
there gets that statement if it lacks it.

```hcl
resource "aws_cloudwatch_log_group" "api" {
  name       = "api"
  kms_key_id = aws_kms_key.logs.arn
}
```

Impact `behavior`, as above.

## Not fixed

- A log group whose key can't be told: `**arguments`, a class that derives from `LogGroup`, CDK version 1; a variable
  whose default is null, an override file, `lifecycle.ignore_changes`, JSON, a `region` of its own, a provider that the
  module does not configure.
- Where several keys may be meant, or where other log groups use a key that the class or module does not make, such as a
  parameter or a variable: it can't be seen what that one allows.
- A key whose policy speaks of certain log groups, or can't be extended.
- A log group that a function makes for whichever construct calls it: give it a key there.
- A log group of the class `DELIVERY`.

A log group that is given a key is in order, also where it can't be seen: a parameter, a variable, a condition. Log
groups that other services make, and that are only looked up, are not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixer.cdk.keys import Grant, Purpose, lacks
from fixer.model import Findings, Impact, Known, Manual, Rule, Symbol
from fixer.terraform import keys
from fixer.terraform.policy_text import NewStatement

if TYPE_CHECKING:
    from fixer.cdk import CdkFile, Construct
    from fixer.terraform import Block, Module
    from fixer.terraform.keys import Surroundings

rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S1-3.2",),
    scanners=(
        "CKV_AWS_158",
        "AWS-0017",
        "AVD-AWS-0017",
        "aws-cloudwatch-log-group-customer-key",
        "0afbcfe9-d341-4b92-a64c-7e6de0543879",
        "terraform.aws.security.aws-cloudwatch-log-group-unencrypted.aws-cloudwatch-log-group-unencrypted",
        "HIPAA.Security-CloudWatchLogGroupEncrypted",
        "NIST.800.53.R4-CloudWatchLogGroupEncrypted",
        "NIST.800.53.R5-CloudWatchLogGroupEncrypted",
        "PCI.DSS.321-CloudWatchLogGroupEncrypted",
    ),
    keywords=("aws_cloudwatch_log_group", "LogGroup"),
    late=True,
)

_MESSAGE = "is not encrypted with a key of the account"
_WORDS = frozenset(("log", "logs", "logging", "loggroup", "loggroups", "cloudwatch", "cloudwatchlogs"))
_OTHERS = frozenset(("s3", "bucket", "buckets", "trail", "cloudtrail", "alarm", "alarms", "sns", "topic"))
"""Words for logs in other places, and for other things of CloudWatch."""
_DESCRIPTION = "Encrypts log groups"
_CONTEXT = "kms:EncryptionContext:aws:logs:arn"
_ACTIONS = ("kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*")
"""See "Encrypt log data in CloudWatch Logs using AWS Key Management Service" in the service's user guide."""
_NARROWED_BY = r"aws:logs:arn.{0,200}?log-group:(?!\*?[\"'])"
"""A name of log groups in the condition on what is encrypted."""
_IS_DELIVERY = (Known("DELIVERY"), Known(Symbol("aws_logs.LogGroupClass.DELIVERY")))


def _unfit(group: Construct | Block) -> Manual | None:
    if group.value("log_group_class") in _IS_DELIVERY:
        return Manual("It is not documented that log groups of the class DELIVERY take a key", "Try it by hand")
    return None


# ---- CDK Python --------------------------------------------------------------------------------

_PRINCIPAL = "aws_iam.ServicePrincipal"
_STACK_KEY = Purpose(
    "logs",
    _DESCRIPTION,
    {"aws_logs.LogGroup": "encryption_key", "aws_logs.CfnLogGroup": "kms_key_id"},
    _WORDS,
    _OTHERS,
    Grant(
        f'{{{_PRINCIPAL}}}(f"logs.{{{{stack}}.region}}.amazonaws.com", conditions={{"ArnLike": {{"{_CONTEXT}": '
        '{stack}.format_arn(service="logs", resource="*")}})',
        (_PRINCIPAL,),
        _ACTIONS,
        shown_by=r"[\"']logs\.",
        narrowed_by=_NARROWED_BY,
    ),
    _unfit,
)


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Log groups by their keyword for the key."""
    for found in lacks(file, _STACK_KEY):
        yield found.finding(rule, _MESSAGE)


# ---- Terraform ---------------------------------------------------------------------------------


def _statement(at: Surroundings) -> NewStatement:
    return NewStatement(
        "AllowCloudWatchLogs",
        _ACTIONS,
        ("*",),
        principals=(("Service", (f"logs.{at.region}.amazonaws.com",)),),
        conditions=(("ArnLike", _CONTEXT, (f"arn:{at.partition}:logs:{at.region}:{at.account}:*",)),),
    )


_MODULE_KEY = keys.Purpose(
    "logs",
    _DESCRIPTION,
    "aws_cloudwatch_log_group",
    _WORDS,
    _OTHERS,
    _statement,
    shown_by=r"[\"']logs\.[^\"']*amazonaws",
    narrowed_by=_NARROWED_BY,
    unfit=_unfit,
)


@rule.terraform
def terraform(module: Module, options: object) -> Findings:
    """Log groups by their `kms_key_id`."""
    for found in keys.lacks(module, _MODULE_KEY):
        yield found.finding(rule, _MESSAGE)
