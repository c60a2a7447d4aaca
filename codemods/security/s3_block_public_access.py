"""Block public access to S3 buckets.

## Why

One wrong access control list or bucket policy makes a bucket's objects readable to the world. The four settings of S3
Block Public Access make such a mistake harmless, whoever makes it. S3 turns them on for buckets made since April 2023,
but not for older ones, and nothing holds them there: written down, they are put back when somebody turns one off.

## CDK Python

`aws_s3.Bucket` without `block_public_access` gets

```python
block_public_access=s3.BlockPublicAccess.BLOCK_ALL
```

and `aws_s3.CfnBucket` without `public_access_block_configuration` the four settings. Impact `behavior`: the bucket is
updated in place; requests that were let in by a public list or policy are refused from then on. Where the
setting is missing, cdk-nag's AwsSolutions-S2 passes (measured with cdk-nag 2.38).

## Terraform

A bucket gets its `aws_s3_bucket_public_access_block` right below it, with the bucket's own `count`, `for_each`,
`provider` and `region`:

```hcl
resource "aws_s3_bucket_public_access_block" "data" {
  bucket = aws_s3_bucket.data.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
```

One that is there, in any file of the module, has its missing and false settings set to true. Impact `behavior`.

## Not fixed

- A bucket that is public on purpose: website hosting, `public_read_access=True`, `grant_public_access()`, a public
  access control list, or a policy that allows everybody something. Serve it through CloudFront with origin access
  control, then run iacfix again, or keep it with `# iacfix: ignore[s3-block-public-access] why`.
- A weaker setting that somebody chose in the CDK (`BLOCK_ACLS`, `BlockPublicAccess(...)` with a setting that is false
  or missing): choose `BLOCK_ALL`. With the feature flag `@aws-cdk/aws-s3:publicAccessBlockedByDefault` in `cdk.json` a
  missing setting counts as true, as it does for the CDK.
- What can't be judged: `**arguments`, a setting from a variable without default or a condition, a policy that is not
  written out in the module, an access block whose bucket can't be told, a bucket in `.tf.json` or declared twice, or
  under a provider that the module does not configure.
- Not reported: buckets that are only looked up, which are their owners' matter, and those that a module from elsewhere
  makes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixer.cdk import elsewhere
from fixer.cdk.buckets import HIGH_LEVEL, LOW_LEVEL, given, website
from fixer.cdk.policy import allows_everybody, is_widened, is_written_out
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Symbol, Unknown
from fixer.terraform.buckets import (
    ACL,
    BUCKET,
    POLICY,
    PUBLIC_ACCESS,
    WEBSITE,
    free_name,
    hosts_website,
    own_and_settings,
    sure_settings,
)
from fixer.terraform.policy import statements

if TYPE_CHECKING:
    from fixer.cdk import Call, CdkFile, Construct
    from fixer.terraform import Block, Expr, Module

rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S0-3.4", "S1-3.3", "S4-3"),
    scanners=(
        "CKV2_AWS_6",
        "CKV_AWS_53",
        "CKV_AWS_54",
        "CKV_AWS_55",
        "CKV_AWS_56",
        *(f"{prefix}AWS-{number}" for number in ("0086", "0087", "0091", "0093", "0094") for prefix in ("", "AVD-")),
        "aws-s3-block-public-acls",
        "aws-s3-block-public-policy",
        "aws-s3-ignore-public-acls",
        "aws-s3-no-public-buckets",
        "aws-s3-specify-public-access-block",
        "d0cc8694-fcad-43ff-ac86-32331d7e867f",
        "1a4bc881-9f69-4d44-8c9a-d37d08f54c50",
        "4fa66806-0dd9-4f8d-9480-3174d39c7c91",
        "1ec253ab-c220-4d63-b2de-5b40e0af9293",
        "AwsSolutions-S2",
        "HIPAA.Security-S3BucketLevelPublicAccessProhibited",
        "NIST.800.53.R5-S3BucketLevelPublicAccessProhibited",
        "PCI.DSS.321-S3BucketLevelPublicAccessProhibited",
    ),
    keywords=("aws_s3",),
)

_FLAGS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
_OPEN = "does not block public access"
_DOUBTFUL = "may not block public access"
_PARTIAL = "blocks public access in part"
_KEEP = "keep it with a suppression that says why"
_PUBLIC_STEP = f"Serve it through CloudFront with origin access control and run iacfix again, or {_KEEP}"


# ---- CDK Python --------------------------------------------------------------------------------

_KEYWORDS = {HIGH_LEVEL: "block_public_access", LOW_LEVEL: "public_access_block_configuration"}
_SETTINGS = ("aws_s3.BlockPublicAccess", "aws_s3.CfnBucket.PublicAccessBlockConfigurationProperty")
_PUBLIC_LISTS = ("publicread", "publicreadwrite", "authenticatedread")
"""Both ways to write the canned lists, without their capitals and underscores."""
_BLOCKED_BY_DEFAULT = "@aws-cdk/aws-s3:publicAccessBlockedByDefault"


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Buckets by their keyword; those that are public on purpose are left to people."""
    for bucket in file.constructs(*_KEYWORDS):
        keyword = _KEYWORDS[bucket.name]
        value = bucket.value(keyword, shared=True)
        step = f"Make sure that {keyword} blocks all public access"
        if later := [name for name in bucket.overrides if "publicaccessblock" in name.lower().replace("_", "")]:
            yield bucket.finding(rule, _DOUBTFUL, manual=Manual(f"{later[0]} is set on it afterwards", step))
        elif value is not Absent:
            yield from _judged(file, bucket, keyword)
        elif public := _public_in_cdk(file, bucket):
            yield bucket.finding(rule, _OPEN, manual=Manual(public, _PUBLIC_STEP))
        else:
            yield bucket.finding(rule, _OPEN, fix=_blocked(file, bucket, keyword))


def _blocked(file: CdkFile, bucket: Construct, keyword: str) -> Fix:
    if keyword == "block_public_access":
        name, imports = file.spell("aws_s3.BlockPublicAccess", bucket)
        text = f"{name}.BLOCK_ALL"
    else:
        name, imports = file.spell("aws_s3.CfnBucket", bucket)
        text = f"{name}.PublicAccessBlockConfigurationProperty({', '.join(f'{flag}=True' for flag in _FLAGS)})"
    return Fix((*bucket.set(keyword, text), *imports), Impact.BEHAVIOR)


def _judged(file: CdkFile, bucket: Construct, keyword: str) -> Findings:
    """The finding for a setting that is there, or may be."""
    value, made = bucket.value(keyword, shared=True), bucket.call_behind(keyword, *_SETTINGS)
    at = bucket.argument(keyword)
    off: list[str] = []
    why = ""
    match value:
        case Known(Symbol(name=name)):
            off = [] if name.endswith(".BLOCK_ALL") else [name.rpartition(".")[2]]
        case Known(dict() as settings):
            off = [flag for flag in _FLAGS if settings.get(_camel(flag)) is not True]
        case Known():
            why = f"{keyword} is not what the CDK takes there"
        case Unknown():
            off, why = _left_off(made) if made else ([], f"{keyword} can't be judged: it {value.why}")
    if off and (public := _public_in_cdk(file, bucket)):
        yield bucket.finding(rule, _PARTIAL, manual=Manual(public, _PUBLIC_STEP), at=at)
    elif off:
        manual = Manual(f"Somebody chose what it leaves open: {', '.join(off)}", f"Block all public access, or {_KEEP}")
        yield bucket.finding(rule, _PARTIAL, manual=manual, at=at)
    elif why:
        step = f"Make sure that {keyword} blocks all public access there"
        yield bucket.finding(rule, _DOUBTFUL, manual=Manual(why, step), at=at)


def _left_off(made: Call) -> tuple[list[str], str]:
    """What a call of `BlockPublicAccess` or its L1 twin leaves off, and why it can't be judged."""
    is_default = dict(made.file.app.facts.context).get(_BLOCKED_BY_DEFAULT) is True
    default = Known(made.name == _SETTINGS[0] and is_default)
    values = {flag: made.value(flag, shared=True) for flag in _FLAGS}
    values = {flag: default if value is Absent else value for flag, value in values.items()}
    unknown = [(flag, value.why) for flag, value in values.items() if isinstance(value, Unknown)]
    off = [flag for flag, value in values.items() if value == Known(False)]
    return off, f"{unknown[0][0]} can't be judged: it {unknown[0][1]}" if unknown else ""


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _public_in_cdk(file: CdkFile, bucket: Construct) -> str | None:
    """Why the bucket is, or may be, public on purpose."""
    readable = bucket.value("public_read_access", shared=True)
    if isinstance(readable, Unknown):
        return f"It may be public: public_read_access {readable.why}"
    if readable not in (Absent, Known(False)):
        return "It is public: public_read_access is set"
    if keyword := website(bucket):
        return f"It hosts a website ({keyword})"
    access = bucket.value("access_control", shared=True)
    if isinstance(access, Unknown):
        return f"Its access control list can't be judged: it {access.why}"
    if isinstance(access, Known):
        name = str(getattr(access.value, "name", access.value)).rpartition(".")[2]
        if name.replace("_", "").lower() in _PUBLIC_LISTS:
            return f"Its access control list is public ({name})"
    return _made_public(bucket) or _public_policy_in_cdk(file, bucket)


def _made_public(bucket: Construct) -> str | None:
    """Whether public access is granted to the bucket later on."""
    if any(bucket.methods("grant_public_access")) or any(bucket.methods("public_access", ".grants")):
        return "It is made public by grant_public_access()"
    places = elsewhere.calls(bucket, "grant_public_access")
    return next((f"It may be made public by grant_public_access() in {place}" for place in places), None)


def _public_policy_in_cdk(file: CdkFile, bucket: Construct) -> str | None:
    """What makes its bucket policies public, or keeps them from being judged."""
    for argument, written in given(bucket):
        is_widened_later = "DENY" not in written.text and is_widened(file, argument.text)
        if allows_everybody(written.text) or is_widened_later:
            return "Its policy allows everybody something"
        if not is_written_out(written.text):
            return f"Its policy can't be judged: {argument.text.splitlines()[0]} is not written out there"
    return None


# ---- Terraform ---------------------------------------------------------------------------------

_FLAG_LINES = "\n".join(f"{flag} = true" for flag in _FLAGS)
_CANNED = ("public-read", "public-read-write", "authenticated-read")
_GROUPS = "acs.amazonaws.com/groups/global/"


@rule.terraform
def terraform(module: Module, options: object) -> Findings:
    """Buckets by the access block that the module holds for them, in whichever file."""
    for bucket in module.declared(BUCKET):
        blocks, unclear = sure_settings(bucket, PUBLIC_ACCESS)
        if blocks:
            yield from _flags(module, bucket, blocks[0])
        elif unclear is not None:
            yield bucket.finding(rule, _DOUBTFUL, manual=unclear)
        elif public := _public_in_terraform(module, bucket):
            yield bucket.finding(rule, _OPEN, manual=Manual(public, _PUBLIC_STEP))
        elif obstacle := bucket.no_companion(PUBLIC_ACCESS):
            yield bucket.finding(rule, _DOUBTFUL if module.incomplete else _OPEN, manual=obstacle)
        else:
            name = free_name(bucket, PUBLIC_ACCESS, "_public_access")
            text = bucket.companion(PUBLIC_ACCESS, name, f"\n{_FLAG_LINES}")
            yield bucket.finding(rule, _OPEN, fix=Fix(bucket.insert_after(text), Impact.BEHAVIOR))


def _flags(module: Module, bucket: Block, block: Block) -> Findings:
    """The finding for an access block with settings that are missing or false, or that can't be judged."""
    values = {flag: block.value(flag) for flag in _FLAGS}
    off = [flag for flag, value in values.items() if value in (Absent, Known(False), Known("false"))]
    unknown = {flag: value.why for flag, value in values.items() if isinstance(value, Unknown)}
    message = f"leaves {', '.join(off)} off" if off else f"may leave {', '.join(unknown)} off"
    chosen = {name for flag in off if (one := block.attribute(flag)) for name in module.variables_behind(one.expr)}
    if not off and not unknown:
        return
    if public := _public_in_terraform(module, bucket):
        yield block.finding(rule, message, manual=Manual(public, _PUBLIC_STEP))
    elif unknown:
        flag, why = next(iter(unknown.items()))
        yield block.finding(
            rule, message, manual=Manual(f"{flag} can't be judged: it {why}", f"Make sure that {flag} is true")
        )
    elif block.read_only:
        step = f"Set them there: iacfix does not rewrite {block.file.path}"
        yield block.finding(rule, message, manual=Manual(f"It is in {block.file.path}", step))
    elif chosen:
        names = ", ".join(f"var.{name}" for name in sorted(chosen))
        step = "Set the variable where the module is called, or change its default"
        yield block.finding(rule, message, manual=Manual(f"The value comes from {names}, false by default", step))
    else:
        yield block.finding(rule, message, fix=Fix(block.set_all(dict.fromkeys(off, "true")), Impact.BEHAVIOR))


def _public_in_terraform(module: Module, bucket: Block) -> str | None:
    """Why the bucket is, or may be, public on purpose."""
    for block, is_sure in own_and_settings(bucket, WEBSITE, ACL, POLICY):
        if reason := _publishes(module, block):
            return reason if is_sure else f"{reason}, if {block.address} is for this bucket"
    return None


def _publishes(module: Module, block: Block) -> str | None:
    """Why a bucket, or what sets something of it, makes it public, or may."""
    if hosts_website(block):
        return "It hosts a website"
    policy = block.attribute("policy")
    return _public_list(block) or (_public_policy(module, policy.expr) if policy else None)


def _public_list(block: Block) -> str | None:
    acl = block.value("acl") if block.attribute("acl") else Absent
    if isinstance(acl, Known) and acl.value in _CANNED:
        return f"Its access control list is public ({acl.value})"
    if isinstance(acl, Unknown):
        return f"Its access control list can't be judged: it {acl.why}"
    if _GROUPS in block.text():
        return "Its access control list grants something to everybody"
    return None


def _public_policy(module: Module, policy: Expr) -> str | None:
    """Whether a policy allows everybody something, or may."""
    found = statements(module, policy)
    if isinstance(found, Unknown):
        return f"Its policy can't be judged: it {found.why}"
    for statement in found:
        if statement.effect != "Deny" and statement.everybody is True:
            return "Its policy allows everybody something"
        if statement.effect != "Deny" and isinstance(statement.everybody, Unknown):
            return f"Its policy can't be judged: a principal {statement.everybody.why}"
    return None
