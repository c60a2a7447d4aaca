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

import ast
import re
from typing import TYPE_CHECKING

from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Symbol, Unknown
from fixer.terraform import free_name
from fixer.terraform.policy import statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixer.cdk import Argument, Call, CdkFile, Construct
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

_KEYWORDS = {
    "aws_s3.Bucket": "block_public_access",
    "aws_s3.CfnBucket": "public_access_block_configuration",
}
_SETTINGS = ("aws_s3.BlockPublicAccess", "aws_s3.CfnBucket.PublicAccessBlockConfigurationProperty")
_WEBSITE = (
    "website_index_document",
    "website_error_document",
    "website_redirect",
    "website_routing_rules",
    "website_configuration",
)
_PUBLIC_LISTS = ("publicread", "publicreadwrite", "authenticatedread")
"""Both ways to write the canned lists, without their capitals and underscores."""
_BLOCKED_BY_DEFAULT = "@aws-cdk/aws-s3:publicAccessBlockedByDefault"
_POLICIES = {"aws_s3.BucketPolicy": "document", "aws_s3.CfnBucketPolicy": "policy_document"}
_WRITTEN = ("PolicyStatement", "PolicyDocument")
_ADDING = ("add_any_principal", "add_principals", "add_arn_principal")
_PRINCIPALS = ("Principal", "principals")
_ALL_BUT = {"NotPrincipal", "not_principals"}
_EVERYBODY = ("AnyPrincipal", "StarPrincipal", "Anyone")


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
    value, argument = bucket.value(keyword, shared=True), bucket.behind(keyword)
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
            off, why = _written_out(file, argument) or ([], f"{keyword} can't be judged: it {value.why}")
    if off and (public := _public_in_cdk(file, bucket)):
        yield bucket.finding(rule, _PARTIAL, manual=Manual(public, _PUBLIC_STEP), at=at)
    elif off:
        manual = Manual(f"Somebody chose what it leaves open: {', '.join(off)}", f"Block all public access, or {_KEEP}")
        yield bucket.finding(rule, _PARTIAL, manual=manual, at=at)
    elif why:
        step = f"Make sure that {keyword} blocks all public access there"
        yield bucket.finding(rule, _DOUBTFUL, manual=Manual(why, step), at=at)


def _written_out(file: CdkFile, argument: Argument | None) -> tuple[list[str], str] | None:
    """What a call of `BlockPublicAccess` or its L1 twin leaves off, and why it can't be judged; None if it is none."""
    for name in _SETTINGS if argument else ():
        for call in file.calls(name):
            if argument and (call.start, call.end) == (argument.value_start, argument.value_end):
                default = Known(name == _SETTINGS[0] and dict(file.app.facts.context).get(_BLOCKED_BY_DEFAULT) is True)
                values = {flag: call.value(flag, shared=True) for flag in _FLAGS}
                values = {flag: default if value is Absent else value for flag, value in values.items()}
                unknown = [(flag, value.why) for flag, value in values.items() if isinstance(value, Unknown)]
                off = [flag for flag, value in values.items() if value == Known(False)]
                return off, f"{unknown[0][0]} can't be judged: it {unknown[0][1]}" if unknown else ""
    return None


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
    for keyword in _WEBSITE:
        if bucket.value(keyword, shared=True) is not Absent:
            return f"It hosts a website ({keyword})"
    access = bucket.value("access_control", shared=True)
    if isinstance(access, Unknown):
        return f"Its access control list can't be judged: it {access.why}"
    if isinstance(access, Known):
        name = str(getattr(access.value, "name", access.value)).rpartition(".")[2]
        if name.replace("_", "").lower() in _PUBLIC_LISTS:
            return f"Its access control list is public ({name})"
    return _made_public(file, bucket) or next(_public_statements(file, bucket), None)


def _made_public(file: CdkFile, bucket: Construct) -> str | None:
    """Whether public access is granted to the bucket later on."""
    if any(bucket.methods("grant_public_access")) or any(bucket.methods("public_access", ".grants")):
        return "It is made public by grant_public_access()"
    owner, _, name = (bucket.target or "").rpartition(".")
    for path in file.app.holding("grant_public_access"):
        # `self.data` is at hand wherever the stack is; what has no name is given to somebody in this file.
        if path == file.path if bucket.target is None else owner and path != file.path:
            source = file.app.sources[path]
            pattern = rf"\.{re.escape(name)}\s*\.\s*grant_public_access" if name else "grant_public_access"
            if match := re.search(pattern.encode(), source):
                line = source.count(b"\n", 0, match.start()) + 1
                return f"It may be made public by grant_public_access() in {path}:{line}"
    return None


def _public_statements(file: CdkFile, bucket: Construct) -> Iterator[str]:
    """What makes its bucket policies public, or keeps them from being judged."""
    for call, keyword in _policies(file, bucket):
        for argument in (call.argument(keyword),) if call.keywords else call.positional:
            written = call.behind(argument) if argument else None
            if argument is None or written is None:
                continue
            later = (more for name in _ADDING for more in file.methods(name) if file.receiver(more) == argument.text)
            added = any(more.name == "add_any_principal" or _allows_everybody(more.text) for more in later)
            if _allows_everybody(written.text) or (added and "DENY" not in written.text):
                yield "Its policy allows everybody something"
            elif not _is_written_out(written.text):
                yield f"Its policy can't be judged: {argument.text.splitlines()[0]} is not written out there"


def _policies(file: CdkFile, bucket: Construct) -> Iterator[tuple[Call, str]]:
    """The calls that give the bucket a policy or statements of one, and the keyword that they take it by."""
    yield from ((call, "permission") for call in bucket.methods("add_to_resource_policy"))
    yield from ((call, "statement") for call in bucket.methods("add_statements", ".policy.document"))
    for policy in file.constructs(*_POLICIES):
        subject = policy.argument("bucket")
        if subject and bucket.is_meant_by(re.sub(r"\.(bucket_name|ref)$", "", subject.text), policy):
            yield policy, _POLICIES[policy.name]
            yield from ((call, "statement") for call in policy.methods("add_statements", ".document"))


def _allows_everybody(text: str) -> bool:
    """Whether Python source that makes statements of a policy holds one that allows everybody something."""
    tree = ast.parse(f"({text}\n)", mode="eval")
    return any(_is_everybody(principal) for principal in _allowed(tree))


def _is_written_out(text: str) -> bool:
    """Whether Python source is a policy or a statement, and not something that gives one."""
    node = ast.parse(f"({text}\n)", mode="eval").body
    if isinstance(node, ast.Call):
        unpacked = any(keyword.arg is None and not isinstance(keyword.value, ast.Dict) for keyword in node.keywords)
        return any(name in ast.unparse(node.func) for name in _WRITTEN) and not unpacked
    return isinstance(node, ast.Dict)


def _allowed(tree: ast.AST) -> Iterator[ast.AST]:
    """The principals of the statements that do not deny, by the keywords of calls and the keys of dictionaries."""
    for node in ast.walk(tree):
        fields: dict[object, ast.AST] = {}
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            fields = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
        elif isinstance(node, ast.Call):
            fields = {keyword.arg: keyword.value for keyword in node.keywords}
            if getattr(node.func, "attr", "") in _ADDING:
                yield from node.args
        effect = fields.get("Effect", fields.get("effect"))
        denies = getattr(effect, "attr", getattr(effect, "value", "")) in ("DENY", "Deny")
        yield from (value for key, value in fields.items() if key in _PRINCIPALS and not denies)
        if not denies and fields.keys() & _ALL_BUT:
            yield ast.Constant("*")


def _is_everybody(principal: ast.AST) -> bool:
    return any(
        (isinstance(node, ast.Constant) and node.value == "*")
        or (isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in _EVERYBODY)
        for node in ast.walk(principal)
    )


# ---- Terraform ---------------------------------------------------------------------------------

_BLOCK = "aws_s3_bucket_public_access_block"
_FLAG_LINES = "\n".join(f"{flag} = true" for flag in _FLAGS)
_CANNED = ("public-read", "public-read-write", "authenticated-read")
_GROUPS = "acs.amazonaws.com/groups/global/"


@rule.terraform
def terraform(module: Module, options: object) -> Findings:
    """Buckets by the access block that the module holds for them, in whichever file."""
    for bucket in module.declared("aws_s3_bucket"):
        block, unclear = _access_block(module, bucket)
        if block is not None:
            yield from _flags(module, bucket, block)
        elif unclear is not None:
            yield bucket.finding(rule, _DOUBTFUL, manual=unclear)
        elif public := _public_in_terraform(module, bucket):
            yield bucket.finding(rule, _OPEN, manual=Manual(public, _PUBLIC_STEP))
        elif obstacle := bucket.no_companion(_BLOCK):
            yield bucket.finding(rule, _DOUBTFUL if module.incomplete else _OPEN, manual=obstacle)
        else:
            text = bucket.companion(_BLOCK, _name(module, bucket), f"\n{_FLAG_LINES}")
            yield bucket.finding(rule, _OPEN, fix=Fix(bucket.insert_after(text), Impact.BEHAVIOR))


def _name(module: Module, bucket: Block) -> str:
    """The bucket's name, or one like it that neither another access block has nor would get."""
    others = {other.name for other in module.all_resources("aws_s3_bucket")} - {bucket.name}
    return free_name(module, _BLOCK, bucket.name, "_public_access", others)


def _access_block(module: Module, bucket: Block) -> tuple[Block | None, Manual | None]:
    """The bucket's access block, or why it can't be told whether there is one."""
    unclear = None
    for block, is_sure in module.resources_for(bucket, _BLOCK, "bucket"):
        if is_sure:
            return block, None
        step = f"Refer to the bucket there by its address, or {_KEEP}"
        unclear = Manual(f"It can't be told whether {block.address} is for this bucket", step)
    return None, unclear


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
    for one in filter(None, (bucket, module.override_of(bucket))):
        if one.blocks("website") or one.dynamic("website"):
            return "It hosts a website"
        if reason := _public_list(one) or _public_policy(module, one):
            return reason
    for kind in ("aws_s3_bucket_website_configuration", "aws_s3_bucket_acl", "aws_s3_bucket_policy"):
        for block, is_sure in module.resources_for(bucket, kind, "bucket"):
            if reason := _publishes(module, block):
                return reason if is_sure else f"{reason}, if {block.address} is for this bucket"
    return None


def _publishes(module: Module, block: Block) -> str | None:
    """Why a resource that goes with a bucket makes it public, or may."""
    if block.labels[0] == "aws_s3_bucket_website_configuration":
        return "It hosts a website"
    return _public_list(block) or _public_policy(module, block)


def _public_list(block: Block) -> str | None:
    acl = block.value("acl") if block.attribute("acl") else Absent
    if isinstance(acl, Known) and acl.value in _CANNED:
        return f"Its access control list is public ({acl.value})"
    if isinstance(acl, Unknown):
        return f"Its access control list can't be judged: it {acl.why}"
    if _GROUPS in block.text():
        return "Its access control list grants something to everybody"
    return None


def _public_policy(module: Module, block: Block) -> str | None:
    policy = block.attribute("policy")
    return _judge(module, policy.expr) if policy else None


def _judge(module: Module, policy: Expr) -> str | None:
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
