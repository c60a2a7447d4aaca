"""Encrypt secrets of Secrets Manager with a customer-managed KMS key.

## Why

Secrets Manager encrypts a secret with the key that AWS manages for it, `aws/secretsmanager`: its policy can't be
changed, it can't be shut, and no other account can be given the secret. A key of one's own can be shut for all secrets
at once, and its policy says who may use them.

## CDK Python

`Secret`, `DatabaseSecret` and `CfnSecret` get the stack's key for secrets: the one that other secrets use, or whose
name says so. If there is none, it is made above the first secret, with rotation:

```python
secrets_key = kms.Key(self, "SecretsKey", description="Encrypts secrets", enable_key_rotation=True)
secret = secretsmanager.Secret(self, "Database", encryption_key=secrets_key)
```

What reads a secret by `grant_read` of the CDK is given the key too. Where the app gives such permissions by hand, or
makes a `CfnSecret`, the key lets in whoever may read the secret through Secrets Manager, as AWS's own key does.
Impact `behavior`: the secret is updated in place. **What reads it by permissions from outside of the app needs
`kms:Decrypt` for the key** where that is not so.

## Not fixed

- A secret whose key can't be told: `**arguments`, a class that derives from `Secret`, CDK version 1.
- Where several keys may be meant, or where other secrets use a key that the class does not make, such as a parameter:
  it can't be seen what that one allows.
- A key whose policy speaks of certain resources, or is an object from elsewhere.
- A secret that a function makes for whichever construct calls it: give it a key there.

A secret that is given a key is in order, also where it can't be seen: a parameter, a condition. Secrets that databases
make for themselves, and those that are only looked up, are not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixer.cdk.keys import Grant, Purpose, lacks
from fixer.model import Findings, Impact, Rule

if TYPE_CHECKING:
    from fixer.cdk import CdkFile

rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S2-3.4",),
    scanners=(
        "CKV_AWS_149",
        "AWS-0098",
        "AVD-AWS-0098",
        "aws-ssm-secret-use-customer-key",
        "a2f548f2-188c-4fff-b172-e9a6acb216bd",
        "b0d3ef3f-845d-4b1b-83d6-63a5a380375f",
        "terraform.aws.security.aws-secretsmanager-secret-unencrypted.aws-secretsmanager-secret-unencrypted",
        "HIPAA.Security-SecretsManagerUsingKMSKey",
        "NIST.800.53.R5-SecretsManagerUsingKMSKey",
        "PCI.DSS.321-SecretsManagerUsingKMSKey",
    ),
    keywords=("secretsmanager", "DatabaseSecret"),
)

_MESSAGE = "is encrypted with a key that AWS manages"

# ---- CDK Python --------------------------------------------------------------------------------

_LOW_LEVEL = "aws_secretsmanager.CfnSecret"
_SECRETS = {
    "aws_secretsmanager.Secret": "encryption_key",
    "aws_rds.DatabaseSecret": "encryption_key",
    "aws_docdb.DatabaseSecret": "encryption_key",
    _LOW_LEVEL: "kms_key_id",
}
_BY_HAND = "secretsmanager:"
_PRINCIPAL = "aws_iam.AnyPrincipal"
_ACTIONS = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncrypt*",
    "kms:GenerateDataKey*",
    "kms:CreateGrant",
    "kms:DescribeKey",
)
"""What the policy of `aws/secretsmanager` allows, to those of the account who come through Secrets Manager."""
_GRANT = Grant(
    f'{{{_PRINCIPAL}}}().with_conditions({{"StringEquals": {{"kms:CallerAccount": {{stack}}.account, '
    '"kms:ViaService": f"secretsmanager.{{stack}.region}.amazonaws.com"}})',
    (_PRINCIPAL,),
    _ACTIONS,
    shown_by=r"secretsmanager\.",
)


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Secrets by their keyword for the key."""
    by_hand = set(file.app.holding(_BY_HAND)) - file.app.tests or any(file.constructs(_LOW_LEVEL))
    purpose = Purpose(
        "secrets",
        "Encrypts secrets",
        _SECRETS,
        words=frozenset(("secret", "secrets", "secretsmanager")),
        others=frozenset(("eks", "kubernetes", "cluster")),
        grant=_GRANT if by_hand else None,
    )
    for found in lacks(file, purpose):
        yield found.finding(rule, _MESSAGE)
