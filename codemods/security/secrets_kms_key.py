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

## Terraform

`aws_secretsmanager_secret` gets `kms_key_id`: the module's key for secrets, which is the one that other secrets of the
same provider use, or whose name, description or alias says so. If there is none, it is added below the first secret,
with rotation. Its policy lets in whoever may read the secret through Secrets Manager, as that of AWS's own key does, so
that nobody loses a secret:

```hcl
resource "aws_kms_key" "secrets" {
  description         = "Encrypts secrets"
  enable_key_rotation = true
  policy              = jsonencode({ ... })
}
```

A key that is there gets the statement if it lacks it. Impact `behavior`.

## Not fixed

- A secret whose key can't be told: `**arguments`, a class that derives from `Secret`, CDK version 1; a variable whose
  default is null, an override file, `lifecycle.ignore_changes`, JSON, a `region` of its own, a provider that the module
  does not configure.
- Where several keys may be meant, or where other secrets use a key that the class or module does not make, such as a
  parameter or a variable: it can't be seen what that one allows.
- A key whose policy can't be extended, or a CDK key that is given an object from elsewhere as its policy.
- A secret that a function makes for whichever construct calls it: give it a key there.

A secret that is given a key is in order, also where it can't be seen: a parameter, a variable, a condition. Secrets
that databases make for themselves, replicas, and secrets that are only looked up, are not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixer.cdk.keys import Grant, Purpose, lacks
from fixer.model import Findings, Impact, Rule
from fixer.terraform import keys
from fixer.terraform.policy_text import NewStatement

if TYPE_CHECKING:
    from fixer.cdk import CdkFile
    from fixer.terraform import Module
    from fixer.terraform.keys import Surroundings

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
_WORDS = frozenset(("secret", "secrets", "secretsmanager"))
_OTHERS = frozenset(("eks", "kubernetes", "k8s", "cluster"))
"""Words for secrets of other kinds."""

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
        words=_WORDS,
        others=_OTHERS,
        grant=_GRANT if by_hand else None,
    )
    for found in lacks(file, purpose):
        yield found.finding(rule, _MESSAGE)


# ---- Terraform ---------------------------------------------------------------------------------


def _statement(at: Surroundings) -> NewStatement:
    """What lets in those of the account who come through Secrets Manager; the policy of `aws/secretsmanager` has it."""
    return NewStatement(
        "AllowSecretsManager",
        _ACTIONS,
        ("*",),
        principals=(("AWS", ("*",)),),
        conditions=(
            ("StringEquals", "kms:CallerAccount", (at.account,)),
            ("StringEquals", "kms:ViaService", (f"secretsmanager.{at.region}.amazonaws.com",)),
        ),
    )


_MODULE_KEY = keys.Purpose(
    "secrets",
    "Encrypts secrets",
    "aws_secretsmanager_secret",
    _WORDS,
    _OTHERS,
    _statement,
    shown_by=r"secretsmanager\.[^\"]*amazonaws",
)


@rule.terraform
def terraform(module: Module, options: object) -> Findings:
    """Secrets by their `kms_key_id`."""
    for found in keys.lacks(module, _MODULE_KEY):
        yield found.finding(rule, _MESSAGE)
