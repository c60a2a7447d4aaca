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
from typing import TYPE_CHECKING, Any

from fixer.cdk import policy
from fixer.model import Absent, Findings, Fix, Impact, Manual, Rule, Unknown
from fixer.terraform import free_name
from fixer.terraform.policy import known_statements
from fixer.terraform.policy_place import place
from fixer.terraform.policy_text import NewStatement, encoded_policy

if TYPE_CHECKING:
    from collections.abc import Iterable

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
_EVERYBODY = (("*", ("*",)),)
_INSECURE = (("Bool", _KEY, ("false",)),)
_DENY_STEP = f"Make sure that its policy denies requests where {_KEY} is false"
_WEBSITE_REASON = "It hosts a website, and S3's website endpoints don't speak TLS"
_WEBSITE_STEP = f"Serve it through CloudFront with origin access control and run iacfix again, or {_KEEP}"


# ---- CDK Python --------------------------------------------------------------------------------

_BUCKETS = ("aws_s3.Bucket", "aws_s3.CfnBucket")
_KEYWORD = "enforce_ssl"
_WEBSITE = (
    "website_index_document",
    "website_error_document",
    "website_redirect",
    "website_routing_rules",
    "website_configuration",
)
_POLICIES = {"aws_s3.BucketPolicy": "document", "aws_s3.CfnBucketPolicy": "policy_document"}
_L1_POLICY = "aws_s3.CfnBucketPolicy"


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Buckets by their keyword, and by the policies that the file gives them."""
    for bucket in file.constructs(*_BUCKETS):
        policies = [each for each in file.constructs(*_POLICIES) if _owner(each, bucket)]
        missing = bucket.lack(_KEYWORD, value=True) if bucket.name == "aws_s3.Bucket" else None
        if (missing is None and bucket.name == "aws_s3.Bucket") or _is_denied(file, bucket, policies):
            continue
        if missing and isinstance(missing.value, Unknown):
            yield missing.finding(rule, _DOUBTFUL)
        elif website := next((one for one in _WEBSITE if bucket.value(one, shared=True) is not Absent), None):
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


def _owner(policy: Construct, bucket: Construct) -> str | None:
    """What a policy calls the bucket, if it is for it."""
    subject = policy.argument("bucket")
    name = re.sub(r"\.(bucket_name|ref)$", "", subject.text) if subject else ""
    return name if name and bucket.is_meant_by(name, policy) else None


def _unfixable(file: CdkFile, bucket: Construct) -> Manual | None:
    """Why it can't be told whether a bucket lacks something."""
    if file.is_v1:
        step = f"Move to version 2, or make sure that {_KEYWORD} is True"
        return Manual(f"Only late releases of CDK version 1 have {_KEYWORD}", step)
    owner, _, name = (bucket.target or "").rpartition(".")
    for path in file.app.holding("SecureTransport") if owner else ():
        if path != file.path and re.search(rf"\.{re.escape(name)}\b".encode(), file.app.sources[path]):
            return Manual(f"{path} may deny them already", _DENY_STEP)
    return None


# -- what denies already


def _is_denied(file: CdkFile, bucket: Construct, policies: list[Construct]) -> bool:
    """Whether a statement that the file gives the bucket refuses all requests without TLS."""
    if b"SecureTransport" not in file.source:
        return False
    calls: list[tuple[Call, str]] = [(each, _POLICIES[each.name]) for each in policies]
    calls += [(call, "statement") for each in policies for call in each.methods("add_statements", ".document")]
    calls += [(call, "permission") for call in bucket.methods("add_to_resource_policy")]
    calls += [(call, "statement") for call in bucket.methods("add_statements", ".policy.document")]
    calls += [
        (call, "permission") for call in file.methods("add_to_resource_policy") if _loops_over(file, call, bucket)
    ]
    for call, keyword in calls:
        for argument in (call.argument(keyword),) if call.keywords else call.positional:
            written = call.behind(argument) if argument else None
            if written and any(map(_refuses, policy.statements(written.text))):
                return True
    return any(_is_named(call, bucket) for call in file.calls("aws_iam.PolicyStatement"))


def _loops_over(file: CdkFile, call: Call, bucket: Construct) -> bool:
    """Whether a method is called on the variable of a loop over a list or tuple that names the bucket."""
    loop = rf"\bfor {re.escape(file.receiver(call))} in [(\[]([^)\]]*)[)\]]:"
    found = re.search(loop, file.text(0, call.start))
    return found is not None and any(bucket.is_meant_by(one.strip(), call) for one in found[1].split(","))


def _is_named(statement: Call, bucket: Construct) -> bool:
    """Whether a statement, wherever it goes, refuses requests without TLS to the bucket by its name."""
    resources = statement.argument("resources")
    names = re.findall(r"[\w.]+(?=\.\w)", resources.text) if resources else []
    if not any(bucket.is_meant_by(name, statement) for name in names):
        return False
    return any(map(_refuses, policy.statements(statement.text)))


def _refuses(statement: policy.Statement) -> bool:
    """Whether a statement refuses everybody all requests without TLS, to the bucket and its objects."""
    insecure = re.fullmatch(r"\{bool(ifexists)?:\{aws:securetransport:false\}\}", statement.conditions)
    if not (insecure and statement.denies and statement.everybody and statement.names(*_EVERYTHING)):
        return False
    if (resources := statement.resources) is None:
        return not isinstance(statement.parts["resource"], ast.Constant)
    objects = [re.search(r"\*['\")]*$", one) is not None for one in resources]
    return any(objects) and (not all(objects) or "'*'" in resources)


# -- what is written


def _joined(bucket: Construct, holder: Construct) -> Finding:
    """The finding for a bucket whose policy takes the statement."""
    edits = policy.joined(holder, _POLICIES[holder.name], _deny(bucket, _owner(holder, bucket) or ""))
    if edits:
        return holder.finding(rule, _OPEN, fix=Fix(edits, Impact.BEHAVIOR))
    reason = "Its policy has no list of statements that is written out there"
    return holder.finding(rule, _OPEN, manual=Manual(reason, _DENY_STEP))


def _given_policy(file: CdkFile, bucket: Construct) -> Finding:
    """The finding for an L1 bucket that gets a policy of its own."""
    name, edits = bucket.target, None
    if name and not bucket.no_companion("Policy", "") and not bucket.is_super:
        statement = _deny(bucket, name)
        spelled, imports = file.spell_all((*statement.uses, _L1_POLICY), bucket)
        document = statement.document(spelled)
        given = (f"bucket={name}.ref", f"policy_document={document}")
        edits = bucket.insert_after(bucket.companion(spelled[_L1_POLICY], "Policy", *given))
    if edits is None:
        reason = "It is not assigned to a name that a policy could refer to"
        return bucket.finding(rule, _OPEN, manual=Manual(reason, "Assign it to one, and run iacfix again"))
    return bucket.finding(rule, _OPEN, fix=Fix((*edits, *imports), Impact.BEHAVIOR))


def _deny(bucket: Construct, name: str) -> policy.NewStatement:
    resources = (f"{name}.bucket_arn", f'{name}.arn_for_objects("*")')
    if bucket.name == "aws_s3.CfnBucket":
        resources = (f"{name}.attr_arn", f'f"{{{name}.attr_arn}}/*"')
    return policy.NewStatement("DenyInsecureTransport", ("s3:*",), resources, "Deny", _EVERYBODY, _INSECURE)


# ---- Terraform ---------------------------------------------------------------------------------

_POLICY = "aws_s3_bucket_policy"
_WEBSITE_BLOCK = "aws_s3_bucket_website_configuration"


@rule.terraform
def terraform(module: Module, options: object) -> Findings:
    """Buckets by the policies that the module holds for them, in whichever file."""
    for bucket in module.declared("aws_s3_bucket"):
        policies, unclear = _policies_of(module, bucket)
        judged = [known_statements(module, policy.expr) for policy in policies]
        if any(_denies(one) for known, _ in judged for one in known):
            continue
        gap = next((gap for _, gap in judged if gap), None)
        if manual := unclear or _left_alone(module, bucket, policies):
            is_doubtful = unclear or (module.incomplete and not policies)
            yield bucket.finding(rule, _DOUBTFUL if is_doubtful else _OPEN, manual=manual)
        elif gap:
            manual = Manual(f"Its policy can't be judged: it {gap.why}", _DENY_STEP)
            yield policies[0].block.finding(rule, _DOUBTFUL, manual=manual)
        elif policies:
            yield from _extended(module, bucket, policies[0])
        else:
            yield bucket.finding(rule, _OPEN, fix=_with_policy(module, bucket))


def _policies_of(module: Module, bucket: Block) -> tuple[list[Attribute], Manual | None]:
    """The arguments that hold policies of the bucket, and why it can't be told whether there are others."""
    found = [bucket.attribute("policy")]
    unclear = None
    for block, is_sure in module.resources_for(bucket, _POLICY, "bucket"):
        if is_sure:
            found.append(block.attribute("policy"))
        else:
            step = f"Refer to the bucket there by its address, or {_KEEP}"
            unclear = Manual(f"It can't be told whether {block.address} is for this bucket", step)
    policies = [one for one in found if one]
    if policies:
        return policies, None
    return [], unclear or _given_away(module, bucket)


def _given_away(module: Module, bucket: Block) -> Manual | None:
    """Why another module may give the bucket a policy: it is given the bucket's name."""
    for reference in module.references(bucket.address):
        block, attribute = reference.block.top if reference.block else None, reference.attribute
        if attribute and attribute.name == "depends_on":
            continue
        names = reference.traversal.rest[-1:] in ((), (".id",), (".bucket",)) or reference.rest.endswith("]")
        if block is None or not names:
            continue
        if block.type == "module":
            return Manual(f"{block.address} is given the bucket's name, and may give it a policy", _DENY_STEP)
        if block.type == "output" and module.facts.called_by:
            who = module.facts.called_by[0]
            return Manual(f"{who} gets the bucket's name from {block.address}, and may give it a policy", _DENY_STEP)
    return None


def _left_alone(module: Module, bucket: Block, policies: list[Attribute]) -> Manual | None:
    """Why nothing is written for a bucket."""
    if website := _website(module, bucket):
        return Manual(website, _WEBSITE_STEP)
    if len(policies) > 1:
        names = " and ".join(one.block.address for one in policies)
        return Manual(f"It has several policies, of which one is lost: {names}", "Make them one, then run iacfix again")
    return None if policies else bucket.no_companion(_POLICY)


def _website(module: Module, bucket: Block) -> str | None:
    """Why requests without TLS may be needed: website endpoints take no others."""
    for one in filter(None, (bucket, module.override_of(bucket))):
        if one.holds("website"):
            return _WEBSITE_REASON
    for block, is_sure in module.resources_for(bucket, _WEBSITE_BLOCK, "bucket"):
        return _WEBSITE_REASON if is_sure else f"{_WEBSITE_REASON}, if {block.address} is for this bucket"
    return None


def _denies(statement: Statement) -> bool:
    """Whether a statement refuses everybody all requests without TLS, whatever else is asked for."""
    conditions = statement.conditions()
    if statement.effect != "Deny" or statement.everybody is not True or "NotPrincipal" in statement.data:
        return False
    if isinstance(conditions, Unknown) or len(conditions) != 1:
        return False
    test, key, values = conditions[0]
    insecure = test in ("Bool", "BoolIfExists") and key.lower() == _KEY.lower() and _is_false(values)
    whole = any(isinstance(one, str) and one.lower() in _EVERYTHING for one in statement.listed("Action"))
    return insecure and whole and _is_whole(statement.listed("Resource"))


def _is_false(values: Iterable[object]) -> bool:
    return [str(one).lower() for one in values] == ["false"]


def _is_whole(resources: tuple[Any, ...]) -> bool:
    """Whether resources are both the bucket and its objects, as far as they are known."""
    known = [one for one in resources if isinstance(one, str)]
    objects = any(one.endswith("*") for one in known)
    bucket = any(one == "*" or not one.endswith("/*") for one in known)
    return bool(resources) and ((objects and bucket) or len(known) < len(resources))


def _extended(module: Module, bucket: Block, policy: Attribute) -> Findings:
    """The finding for a bucket whose policy takes the statement."""
    holder = policy.block
    found = place(module, policy.expr)
    manual = None
    if holder is bucket:
        manual = Manual("Its policy is an argument of the bucket, which can't name itself", f"Make it an {_POLICY}")
    elif not _goes_with(holder, bucket):
        manual = Manual(f"{holder.address} is not made for every one of these buckets", _DENY_STEP)
    elif holder.ignores_changes("policy"):
        manual = Manual("The lifecycle ignores changes of the policy", "Make sure that what manages it denies them")
    elif module.overridden(holder):
        manual = Manual(f"{holder.address} is overridden", f"{_DENY_STEP} there")
    elif isinstance(found, Unknown):
        manual = Manual(f"Its policy can't be extended: it {found.why}", _DENY_STEP)
    elif (arn := _arn(bucket, holder, found.block)) is None:
        manual = Manual(f"It can't be told what {found.block.address} has to call the bucket", _DENY_STEP)
    else:
        edits = found.add(_statement(arn))
        yield holder.finding(rule, _OPEN, fix=Fix(edits, Impact.BEHAVIOR))
    if manual:
        yield holder.finding(rule, _OPEN, manual=manual)


def _statement(arn: str) -> NewStatement:
    resources = (f"${{{arn}}}", f"${{{arn}}}/*")
    return NewStatement("DenyInsecureTransport", ("s3:*",), resources, "Deny", _EVERYBODY, _INSECURE)


def _goes_with(holder: Block, bucket: Block) -> bool:
    """Whether there is a policy for each bucket of the block, and none but these."""
    mine, theirs = (_times(one) for one in (holder, bucket))
    over = holder.attribute("for_each")
    chained = over is not None and over.expr.traversal is not None and over.expr.text == bucket.address
    return mine == theirs or chained


def _times(block: Block) -> dict[str, str]:
    return {name: "".join(text.split()) for name, text in block.meta().items() if name != "provider"}


def _arn(bucket: Block, holder: Block, at: Block) -> str | None:
    """The bucket's ARN as an expression for a policy that stands in a block."""
    if not _times(bucket):
        return f"{bucket.address}.arn"
    attribute = holder.attribute("bucket")
    expr = attribute.expr if attribute else None
    while expr is not None and expr.inner is not None:
        expr = expr.inner
    traversal = expr.traversal if expr else None
    if traversal is None or traversal.rest[-1:] not in ((".id",), (".bucket",)):
        return None
    if traversal.address not in (bucket.address, "each.value"):
        return None
    owner = traversal.text.rpartition(".")[0]
    there = at is holder or _times(at) == _times(holder) or f"{owner}." in at.text()
    return f"{owner}.arn" if there else None


def _with_policy(module: Module, bucket: Block) -> Fix:
    """A policy below the bucket and what goes with it there."""
    policy = f"policy = {encoded_policy(_statement(bucket.reference('arn')))}"
    text = bucket.companion(_POLICY, _name(module, bucket), f"\n{policy}")
    return Fix(_last_companion(module, bucket).insert_after(text), Impact.BEHAVIOR)


def _last_companion(module: Module, bucket: Block) -> Block:
    """The last of the bucket's own settings that follow it directly in its file."""
    blocks = bucket.file.blocks
    last = bucket
    for block in blocks[blocks.index(bucket) + 1 :]:
        kind, attribute = block.labels[0] if block.labels else "", block.attribute("bucket")
        is_setting = kind.startswith("aws_s3_bucket_") and kind != "aws_s3_bucket_object"
        if not is_setting or attribute is None or not module.refers_to(attribute.expr, bucket):
            break
        last = block
    return last


def _name(module: Module, bucket: Block) -> str:
    """The bucket's name, or one like it that neither another policy has nor would get."""
    others = {other.name for other in module.all_resources("aws_s3_bucket")} - {bucket.name}
    return free_name(module, _POLICY, bucket.name, "_policy", others)
