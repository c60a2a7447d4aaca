"""Say what the AWS provider deprecates in its present words.

## Why

The provider warns of what it will refuse in its next major version: each plan is longer by its warnings, real ones
drown in them, and the day of the upgrade is a day of errors.

## Terraform

**Arguments of `aws_s3_bucket`** that are resources of their own since version 4.9 of the provider are split off: `acl`,
`versioning`, `server_side_encryption_configuration`, `logging`, `lifecycle_rule`, `website`, `cors_rule`, `policy`,
`acceleration_status`, `request_payer`, `object_lock_configuration` and `replication_configuration`. The new resources
stand below the bucket, with its `count`, `for_each`, `provider` and `region`, and with its comments.

```hcl
resource "aws_s3_bucket" "data" {
  bucket = "shop-data"
}

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id

  versioning_configuration {
    status = "Enabled"
  }
}
```

- Uses of `website_endpoint` and `website_domain` follow. What must wait for a bucket's policy, list or versions, such
  as a trail of CloudTrail, gets a `depends_on`.
- `acl = "private"` goes without a successor unless the module gives the bucket an object ownership with lists: a bucket
  is private anyway, and S3 refuses any `aws_s3_bucket_acl` for a bucket made since April 2023 that has no such
  ownership. With one, the list becomes an `aws_s3_bucket_acl` that waits for it.
- `versioning` with `enabled = false` goes too: a bucket without versions has none, one that had some stays suspended.
  Where a variable turns it on, the new resource has a `count` of one or none by that variable.
- `object_lock_configuration` leaves `object_lock_enabled = true` behind, and its rule becomes a resource.

Impact `behavior`: Terraform plans to add the new resources. Each of them sets what the bucket has already. Import them,
and a bucket that is deployed stays as it is. Where a root module (one that configures its providers and is not called)
requires Terraform 1.5 or later, an `import` block stands beside each: with a name that is written out from 1.5 on, by
reference from 1.6 on, with `for_each` from 1.7 on. Take the blocks out after the next apply, and before a first one:
Terraform refuses to import into an environment in which the bucket does not exist yet. Without them,
`terraform import` does the same.

**Rules of `aws_s3_bucket_lifecycle_configuration`** that have neither `filter` nor `prefix` get `filter {}`, which has
the same effect; a `prefix` moves into the filter. Impact `behavior`: the rule is updated in place and does what it
did before.

**`data.aws_region.current.name`** becomes `data.aws_region.current.region`, everywhere in the module, and the argument
`name` of the data source `region`: where version 6 of the provider or a later one is required, as earlier ones have no
such attribute. Impact `none`.

**`vpc = true`** of `aws_eip` becomes `domain = "vpc"`, which version 5 brought; version 6 refuses the former. Impact
`behavior`: a plan for a new address reads differently. One that is deployed stays as it is.

## Not fixed

- A bucket's `acl` that is not private, or not known, where the module sets no object ownership for the bucket: say
  which one it has in an `aws_s3_bucket_ownership_controls`, and run iacfix again.
- `versioning` that something else than variables turns on, or one of many buckets: what stands for false depends on
  whether the bucket has had versions. With `mfa_delete` it asks for a device's code.
- `grant`, which asks for the owner's canonical id; what a `dynamic` block makes; lifecycle rules without an `id`; rules
  with tags, a date or a redirection that is not written out.
- A bucket that has such a resource already, whose `lifecycle` ignores changes of the argument, or whose argument is
  used elsewhere (`aws_s3_bucket.data.versioning`); one that is declared twice, overridden, in JSON, or under a
  provider that the module does not configure; and one in a module that allows version 3 of the provider.
- A region whose module says nothing of the provider's version, or allows one before 6: `region` is not there. Require
  `>= 6.0`. Where only earlier versions are allowed, `name` is in order and not reported. An address where version 4
  is allowed is left alone the same way, and a bucket where only versions before 4 are.
- A use of the old name in an override file or in JSON, which iacfix does not change: change it there.
- A lifecycle rule with a `filter` beside its `prefix`, and an address whose `vpc` is false or can't be judged.

## Options

- `import_blocks` (default true): whether import blocks are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codemods.deprecation._terraform.buckets import buckets
from fixer.model import Edit, Findings, Fix, Impact, Known, Manual, Rule, Unknown
from fixer.terraform import Block

if TYPE_CHECKING:
    from fixer.terraform import Attribute, Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    import_blocks: bool = True
    """Whether import blocks are written beside the resources that a bucket is split into."""

    def __post_init__(self) -> None:
        if not isinstance(self.import_blocks, bool):
            raise ValueError("import_blocks: true or false is expected")


rule = Rule(__name__, impact=Impact.BEHAVIOR, options=Options, keywords=("aws_s3_bucket", "aws_region", "aws_eip"))


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """What each deprecation of the provider concerns in the module."""
    yield from buckets(module, rule, options.import_blocks)
    yield from _lifecycle_rules(module)
    yield from _regions(module)
    yield from _addresses(module)


def _obstacle(module: Module, block: Block, *names: str) -> Manual | None:
    """Why these arguments of a block can't be changed."""
    if block.read_only:
        return Manual(f"It is in {block.file.path}", "Change it there: iacfix does not rewrite such files")
    over = module.override_of(block.top)
    if over and any(over.holds(name) for name in names):
        return Manual(f"{over.file.path} overrides it", "Change both there and here")
    return None


# ---- lifecycle rules ---------------------------------------------------------------------------


def _lifecycle_rules(module: Module) -> Findings:
    for block in module.all_resources("aws_s3_bucket_lifecycle_configuration"):
        for one in block.nested("rule"):
            prefix = one.attribute("prefix")
            if one.holds("filter") and not prefix:
                continue
            message = "has a prefix outside of a filter" if prefix else "has a rule without a filter"
            obstacle = _obstacle(module, block, "rule")
            if prefix and one.holds("filter"):
                obstacle = Manual("It has a filter as well", "Keep one of the two; S3 refuses both")
            if obstacle:
                yield one.finding(rule, message, manual=obstacle)
            else:
                yield one.finding(rule, message, fix=Fix(_filtered(one, prefix), Impact.BEHAVIOR))


def _filtered(one: Block, prefix: Attribute | None) -> tuple[Edit, ...]:
    """What gives a rule a filter above its first nested block."""
    said = prefix and one.file.text(prefix.start, one.file.tail(prefix.end))
    text = f"filter {{\n  {said}\n}}" if said else "filter {}"
    gone = one.take_out(prefix) if prefix else ()
    first = next((item for item in one.items if isinstance(item, Block)), None)
    if first is None:
        return (*gone, *one.append(text))
    above = one.file.line_start(first.leading_comments_start - 1)
    return (*gone, *first.insert_before(text, apart=one.file.is_blank(above) or above <= one.start))


# ---- regions -----------------------------------------------------------------------------------


def _regions(module: Module) -> Findings:
    """A data source and all that asks it for its name, if a version with the newer attribute may be in use."""
    majors = module.facts.aws_majors
    for data in module.data("aws_region"):
        old = [one for one in module.references(data.address) if one.asks_for("name")]
        fixed = [one for one in module.references(data.address, fixed=True) if one.asks_for("name")]
        if not (old or fixed or data.attribute("name")) or max(majors, default=6) < 6:
            continue
        message = "is asked for its name, which is deprecated for region"
        obstacle = _obstacle(module, data, "name")
        if min(majors, default=0) < 6:
            said = f"The module allows version {min(majors)}" if majors else "Nothing here says the version"
            reason = f"{said} of the provider, and region is there from version 6 on"
            obstacle = Manual(reason, "Require version 6 of the provider and run iacfix again")
        elif fixed:
            step = "Change it there, and run iacfix again"
            obstacle = Manual(f"{fixed[0].file.path} asks for it too, which iacfix does not change", step)
        elif module.incomplete:
            obstacle = Manual(f"{module.errors[0][0]} can't be read, and may ask for it too", "Mend that file first")
        if obstacle:
            yield data.finding(rule, message, manual=obstacle)
        else:
            edits = [one.renamed("region") for one in old]
            renamed = data.rename("name", "region") if data.attribute("name") else ()
            yield data.finding(rule, message, fix=Fix((*edits, *renamed), Impact.NONE))


# ---- addresses ---------------------------------------------------------------------------------


def _addresses(module: Module) -> Findings:
    majors = module.facts.aws_majors
    for address in module.all_resources("aws_eip"):
        vpc = address.attribute("vpc")
        if vpc is None or max(majors, default=6) < 5:
            continue
        message = "has the argument vpc, which version 6 of the provider refuses"
        obstacle = _obstacle(module, address, "vpc", "domain")
        value = address.value("vpc")
        used = next((one for one in module.references(address.address) if one.asks_for("vpc")), None)
        if min(majors, default=6) < 5:
            reason = "The module allows version 4 of the provider, in which domain can't be set"
            obstacle = Manual(reason, "Require version 5 of the provider and run iacfix again")
        elif value != Known(True):
            why = f"It {value.why}" if isinstance(value, Unknown) else "It is not true"
            obstacle = Manual(why, 'Remove it where the address is one of a VPC, and set domain = "vpc"')
        elif address.holds("domain") or address.ignores_changes("vpc"):
            obstacle = Manual("domain, or ignore_changes, is there as well", "Keep domain alone")
        elif used:
            obstacle = Manual(f"{used.traversal.text} is used", "Use domain there, and run iacfix again")
        if obstacle:
            yield address.finding(rule, message, manual=obstacle, at=vpc)
        else:
            edits = address.replace(vpc, 'domain = "vpc"')
            yield address.finding(rule, message, fix=Fix(edits, Impact.BEHAVIOR), at=vpc)
