"""Refuse requests to S3 buckets that don't use TLS.

## Why

S3 answers over plain HTTP too. Such a request carries its signature, its headers and the object itself readably through
the network. A bucket policy that denies everything where `aws:SecureTransport` is false refuses it.

## CDK Python

`aws_s3.Bucket` without `enforce_ssl`, or with `False`, gets

```python
enforce_ssl=True
```

and the CDK writes the statement into the bucket's policy, beside what `add_to_resource_policy` adds. A bucket that a
`BucketPolicy` or `CfnBucketPolicy` of the app is for must not get a second one: the statement joins the list of
statements there. `aws_s3.CfnBucket` without a policy gets a `CfnBucketPolicy` below it. Impact `behavior`: requests
over plain HTTP are refused from then on. cdk-nag's AwsSolutions-S10 passes then (measured with cdk-nag 2.38).

## Terraform

A bucket without a policy gets one, below it and what stands there for it, with the bucket's own `count`, `for_each`,
`provider` and `region`:

```hcl
resource "aws_s3_bucket_policy" "data" {
  bucket = aws_s3_bucket.data.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource = [
          aws_s3_bucket.data.arn,
          "${aws_s3_bucket.data.arn}/*"
        ]
        Condition = {
          Bool = {
            "aws:SecureTransport" = "false"
          }
        }
      }
    ]
  })
}
```

A policy that is there gets the statement, last of all and in its own style: a `statement` block in its
`aws_iam_policy_document`, an element in its `jsonencode`, or text in its JSON heredoc. Impact `behavior`.

A policy is in order if it denies everybody `s3:*` or `*`, on the bucket and its objects, where `aws:SecureTransport` is
false, under no other condition. One that denies less gets the whole statement too.

## Not fixed

- A bucket that hosts a website: S3's website endpoints don't speak TLS. Serve it through CloudFront with origin access
  control, then run iacfix again, or keep it with `# iacfix: ignore[s3-enforce-tls] why`.
- A policy that can't be judged or extended: a variable, a module's output, a file, a template with directives, a data
  source or local that other code uses too, a policy that is written as the bucket's own argument, an override file,
  `lifecycle.ignore_changes`, a policy that is not made for each of the buckets.
- A bucket whose name another module gets, by an argument or an output: that module may give it a policy, and a bucket
  has only one.
- `enforce_ssl` that can't be seen: `**arguments`, a parameter, a condition. CDK version 1, of which only late releases
  have it. A `CfnBucket` that nothing refers to by a name.
- Buckets in `.tf.json` files, declared twice, or under a provider that the module does not configure.
- Not reported: buckets that are only looked up, and those that a module from elsewhere makes.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from fixer.cdk import buckets as cdk_buckets
from fixer.cdk import policy
from fixer.cdk.buckets import HIGH_LEVEL, LOW_LEVEL, LOW_LEVEL_POLICY, BucketPolicy
from fixer.cdk.elsewhere import readers
from fixer.model import Findings, Fix, Impact, Manual, Rule, Unknown
from fixer.terraform.buckets import (
    BUCKET,
    POLICY,
    WEBSITE,
    arn,
    free_name,
    hosts_website,
    is_for_each,
    last_setting,
    own_and_settings,
    sure_settings,
    who_is_told,
)
from fixer.terraform.policy import known_statements
from fixer.terraform.policy_place import place
from fixer.terraform.policy_text import NewStatement, encoded_policy, insecure_refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixer.cdk import Call, CdkFile, Construct
    from fixer.model import Finding
    from fixer.terraform import Attribute, Block, Module
    from fixer.terraform.policy import Statement

rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S0-3.1",),
    scanners=(
        "CKV_AWS_379",
        "4bc4dd4c-7d8d-405e-a0fb-57fa4c31b4d9",
        "38c64e76-c71e-4d92-a337-60174d1de1c9",
        "AwsSolutions-S10",
        "HIPAA.Security-S3BucketSSLRequestsOnly",
        "NIST.800.53.R4-S3BucketSSLRequestsOnly",
        "NIST.800.53.R5-S3BucketSSLRequestsOnly",
        "PCI.DSS.321-S3BucketSSLRequestsOnly",
    ),
    keywords=("aws_s3",),
)

_OPEN = "lets requests without TLS in"
_DOUBTFUL = "may let requests without TLS in"
_KEEP = "keep it with a suppression that says why"
_KEY = "aws:SecureTransport"
_EVERYTHING = ("*", "s3:*")
_DENY_STEP = f"Make sure that its policy denies requests where {_KEY} is false"
_WEBSITE_REASON = "It hosts a website, and S3's website endpoints don't speak TLS"
_WEBSITE_STEP = f"Serve it through CloudFront with origin access control and run iacfix again, or {_KEEP}"


# ---- CDK Python --------------------------------------------------------------------------------

_KEYWORD = "enforce_ssl"


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Buckets by their keyword, and by the policies that the file gives them."""
    for bucket in file.constructs(HIGH_LEVEL, LOW_LEVEL):
        missing = bucket.lack(_KEYWORD, value=True) if bucket.name == HIGH_LEVEL else None
        if (missing is None and bucket.name == HIGH_LEVEL) or _is_denied(file, bucket):
            continue
        policies = list(cdk_buckets.policies(bucket))
        if missing and isinstance(missing.value, Unknown):
            yield missing.finding(rule, _DOUBTFUL)
        elif website := cdk_buckets.website(bucket):
            yield bucket.finding(rule, _OPEN, manual=Manual(f"{_WEBSITE_REASON} ({website})", _WEBSITE_STEP))
        elif manual := _unfixable(file, bucket):
            yield bucket.finding(rule, _DOUBTFUL, manual=manual)
        elif len(policies) > 1:
            manual = Manual("It has several policies, of which one is lost", "Make them one, then run iacfix again")
            yield bucket.finding(rule, _OPEN, manual=manual)
        elif policies:
            yield _joined(bucket, policies[0])
        elif missing:
            yield missing.finding(rule, _OPEN)
        else:
            yield _given_policy(file, bucket)


def _unfixable(file: CdkFile, bucket: Construct) -> Manual | None:
    """Why it can't be told whether a bucket lacks something."""
    if file.is_v1:
        step = f"Move to version 2, or make sure that {_KEYWORD} is True"
        return Manual(f"Only late releases of CDK version 1 have {_KEYWORD}", step)
    others = (path for path in readers(bucket) if path in file.app.holding("SecureTransport"))
    return next((Manual(f"{path} may deny them already", _DENY_STEP) for path in others), None)


# -- what denies already


def _is_denied(file: CdkFile, bucket: Construct) -> bool:
    """Whether a statement that the file gives the bucket refuses all requests without TLS."""
    if b"SecureTransport" not in file.source:
        return False
    texts = [written.text for _, written in cdk_buckets.given(bucket)]
    texts += [one.text for one in file.calls("aws_iam.PolicyStatement") if _names(one, bucket)]
    return any(_is_whole(one) for text in texts for one in policy.statements(text))


def _names(statement: Call, bucket: Construct) -> bool:
    """Whether a statement, wherever it goes, is about the bucket by its name."""
    resources = statement.argument("resources")
    names = re.findall(r"[\w.]+(?=\.\w)", resources.text) if resources else []
    return any(bucket.is_meant_by(name, statement) for name in names)


def _is_whole(statement: policy.Statement) -> bool:
    """Whether a statement refuses everybody all requests without TLS, to the bucket and its objects."""
    if not statement.refuses_insecure(*_EVERYTHING):
        return False
    if (resources := statement.resources) is None:
        return not isinstance(statement.parts["resource"], ast.Constant)
    objects = [re.search(r"\*['\")]*$", one) is not None for one in resources]
    return any(objects) and (not all(objects) or "'*'" in resources)


# -- what is written


def _joined(bucket: Construct, held: BucketPolicy) -> Finding:
    """The finding for a bucket whose policy takes the statement."""
    if edits := held.joined(_refusal(bucket, held.bucket)):
        return held.construct.finding(rule, _OPEN, fix=Fix(edits, Impact.BEHAVIOR))
    reason = "Its policy has no list of statements that is written out there"
    return held.construct.finding(rule, _OPEN, manual=Manual(reason, _DENY_STEP))


def _given_policy(file: CdkFile, bucket: Construct) -> Finding:
    """The finding for an L1 bucket that gets a policy of its own."""
    name, edits = bucket.target, None
    if name and not bucket.no_companion("Policy", "") and not bucket.is_super:
        statement = _refusal(bucket, name)
        spelled, imports = file.spell_all((*statement.uses, LOW_LEVEL_POLICY), bucket)
        document = statement.document(spelled)
        given = (f"bucket={name}.ref", f"policy_document={document}")
        edits = bucket.insert_after(bucket.companion(spelled[LOW_LEVEL_POLICY], "Policy", *given))
    if edits is None:
        reason = "It is not assigned to a name that a policy could refer to"
        return bucket.finding(rule, _OPEN, manual=Manual(reason, "Assign it to one, and run iacfix again"))
    return bucket.finding(rule, _OPEN, fix=Fix((*edits, *imports), Impact.BEHAVIOR))


def _refusal(bucket: Construct, name: str) -> policy.NewStatement:
    resources = (f"{name}.bucket_arn", f'{name}.arn_for_objects("*")')
    if bucket.name == LOW_LEVEL:
        resources = (f"{name}.attr_arn", f'f"{{{name}.attr_arn}}/*"')
    return policy.insecure_refused(("s3:*",), resources)


# ---- Terraform ---------------------------------------------------------------------------------


@rule.terraform
def terraform(module: Module, options: object) -> Findings:
    """Buckets by the policies that the module holds for them, in whichever file."""
    for bucket in module.declared(BUCKET):
        holders, unclear = sure_settings(bucket, POLICY)
        policies = [one for block in (bucket, *holders) if (one := block.attribute("policy"))]
        judged = [known_statements(module, policy.expr) for policy in policies]
        if any(_refuses(one) for known, _ in judged for one in known):
            continue
        gap = next((gap for _, gap in judged if gap), None)
        doubt = None if policies else unclear or _given_by_others(bucket)
        if manual := doubt or _left_alone(bucket, policies):
            is_doubtful = doubt or (module.incomplete and not policies)
            yield bucket.finding(rule, _DOUBTFUL if is_doubtful else _OPEN, manual=manual)
        elif gap:
            manual = Manual(f"Its policy can't be judged: it {gap.why}", _DENY_STEP)
            yield policies[0].block.finding(rule, _DOUBTFUL, manual=manual)
        elif policies:
            yield _extended(module, bucket, policies[0])
        else:
            text = f"policy = {encoded_policy(_deny(bucket.reference('arn')))}"
            added = bucket.companion(POLICY, free_name(bucket, POLICY), f"\n{text}")
            yield bucket.finding(rule, _OPEN, fix=Fix(last_setting(bucket).insert_after(added), Impact.BEHAVIOR))


def _given_by_others(bucket: Block) -> Manual | None:
    who = who_is_told(bucket)
    return Manual(f"{who}, and may give it a policy", _DENY_STEP) if who else None


def _left_alone(bucket: Block, policies: Sequence[Attribute]) -> Manual | None:
    """Why nothing is written for a bucket."""
    for block, is_sure in own_and_settings(bucket, WEBSITE):
        if hosts_website(block):
            perhaps = "" if is_sure else f", if {block.address} is for this bucket"
            return Manual(f"{_WEBSITE_REASON}{perhaps}", _WEBSITE_STEP)
    if len(policies) > 1:
        names = " and ".join(one.block.address for one in policies)
        return Manual(f"It has several policies, of which one is lost: {names}", "Make them one, then run iacfix again")
    return None if policies else bucket.no_companion(POLICY)


def _refuses(statement: Statement) -> bool:
    """Whether a statement refuses all requests without TLS, to the bucket and its objects as far as they are known."""
    resources = statement.listed("Resource")
    known = [one for one in resources if isinstance(one, str)]
    objects = any(one.endswith("*") for one in known)
    bucket = any(one == "*" or not one.endswith("/*") for one in known)
    is_whole = bool(resources) and ((objects and bucket) or len(known) < len(resources))
    return is_whole and statement.refuses_insecure(*_EVERYTHING)


def _extended(module: Module, bucket: Block, policy: Attribute) -> Finding:
    """The finding for a bucket whose policy takes the statement."""
    holder = policy.block
    found = place(module, policy.expr)
    if holder is bucket:
        manual = Manual("Its policy is an argument of the bucket, which can't name itself", f"Make it an {POLICY}")
    elif not is_for_each(holder, bucket):
        manual = Manual(f"{holder.address} is not made for every one of these buckets", _DENY_STEP)
    elif holder.ignores_changes("policy"):
        manual = Manual("The lifecycle ignores changes of the policy", "Make sure that what manages it denies them")
    elif module.overridden(holder):
        manual = Manual(f"{holder.address} is overridden", f"{_DENY_STEP} there")
    elif isinstance(found, Unknown):
        manual = Manual(f"Its policy can't be extended: it {found.why}", _DENY_STEP)
    elif (name := arn(bucket, holder, found.block)) is None:
        manual = Manual(f"It can't be told what {found.block.address} has to call the bucket", _DENY_STEP)
    else:
        return holder.finding(rule, _OPEN, fix=Fix(found.add(_deny(name)), Impact.BEHAVIOR))
    return holder.finding(rule, _OPEN, manual=manual)


def _deny(arn: str) -> NewStatement:
    return insecure_refused(("s3:*",), (f"${{{arn}}}", f"${{{arn}}}/*"))
