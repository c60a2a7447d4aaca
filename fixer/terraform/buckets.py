"""S3 buckets as modules declare them, and the resources that set something of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fixer.model import Manual
from fixer.terraform import companion

if TYPE_CHECKING:
    from fixer.terraform.block import Block

BUCKET = "aws_s3_bucket"
ACL = "aws_s3_bucket_acl"
OWNERSHIP = "aws_s3_bucket_ownership_controls"
POLICY = "aws_s3_bucket_policy"
PUBLIC_ACCESS = "aws_s3_bucket_public_access_block"
VERSIONING = "aws_s3_bucket_versioning"
WEBSITE = "aws_s3_bucket_website_configuration"
_ARGUMENT = "bucket"
"""The argument by which they all refer to the bucket."""
_NAMES = ((), (".id",), (".bucket",))
"""What asks a bucket for its name, or for all that it has."""


def settings(bucket: Block, *kinds: str) -> Iterator[tuple[Block, bool]]:
    """The resources of these types, in all files, that surely set something of a bucket, or may (False)."""
    for kind in kinds:
        yield from bucket.module.resources_for(bucket, kind, _ARGUMENT)


def sure_settings(bucket: Block, kind: str) -> tuple[list[Block], Manual | None]:
    """The resources of a type that surely are for a bucket, and why it can't be told whether there are others."""
    sure, unclear = [], None
    for block, is_sure in settings(bucket, kind):
        if is_sure:
            sure.append(block)
        else:
            step = "Refer to the bucket there by its address, or keep it with a suppression that says why"
            unclear = Manual(f"It can't be told whether {block.address} is for this bucket", step)
    return sure, unclear


def own_and_settings(bucket: Block, *kinds: str) -> Iterator[tuple[Block, bool]]:
    """The bucket itself, what overrides it, and the resources of these types for it; see `settings`."""
    yield bucket, True
    if over := bucket.module.override_of(bucket):
        yield over, True
    yield from settings(bucket, *kinds)


def hosts_website(block: Block) -> bool:
    """Whether a bucket, or what sets something of it, makes it a website."""
    return block.labels[0] == WEBSITE or block.holds("website")


def free_name(bucket: Block, kind: str, suffix: str = "") -> str:
    """The bucket's name, or one like it that no other resource of a type has, nor one for another bucket would get.

    Args:
        bucket: The bucket.
        kind: The type.
        suffix: What makes it another name; by default `_policy` for an `aws_s3_bucket_policy`.
    """
    others = {other.name for other in bucket.module.all_resources(BUCKET)} - {bucket.name}
    return companion.free_name(bucket.module, kind, bucket.name, suffix or kind.removeprefix(BUCKET), others)


def last_setting(bucket: Block) -> Block:
    """The last of the resources that follow a bucket directly in its file and set something of it; else itself."""
    blocks = bucket.file.blocks
    last = bucket
    for block in blocks[blocks.index(bucket) + 1 :]:
        kind, attribute = block.labels[0] if block.labels else "", block.attribute(_ARGUMENT)
        is_setting = kind.startswith(f"{BUCKET}_") and kind != f"{BUCKET}_object"
        if not is_setting or attribute is None or not bucket.module.refers_to(attribute.expr, bucket):
            break
        last = block
    return last


def who_is_told(bucket: Block) -> str | None:
    """Who else is given the bucket's name, and may set something of it: another module, by an argument or an output.

    Returns:
        Words for a report: `module.delivery is given the bucket's name`.
    """
    module = bucket.module
    for reference in module.references(bucket.address):
        block, attribute = reference.block.top if reference.block else None, reference.attribute
        is_name = reference.traversal.rest[-1:] in _NAMES or reference.rest.endswith("]")
        if block is None or not is_name or (attribute and attribute.name == "depends_on"):
            continue
        if block.type == "module":
            return f"{block.address} is given the bucket's name"
        if block.type == "output" and module.facts.called_by:
            return f"{module.facts.called_by[0]} gets the bucket's name from {block.address}"
    return None


# ---- many of them ------------------------------------------------------------------------------


def is_for_each(setting: Block, bucket: Block) -> bool:
    """Whether there is one of a bucket's settings for each bucket of the block, and none but these."""
    over = setting.attribute("for_each")
    is_chained = over is not None and over.expr.traversal is not None and over.expr.text == bucket.address
    return is_chained or _times(setting) == _times(bucket)


def arn(bucket: Block, setting: Block, at: Block) -> str | None:
    """The bucket's ARN as an expression for one of its settings.

    Args:
        bucket: The bucket.
        setting: What refers to it by its `bucket`.
        at: The block that the expression is to stand in: the setting, or a policy document that is made for it.

    Returns:
        None if it can't be told which of several buckets the block is for.
    """
    if not _times(bucket):
        return f"{bucket.address}.arn"
    attribute = setting.attribute(_ARGUMENT)
    expr = attribute.expr if attribute else None
    while expr is not None and expr.inner is not None:
        expr = expr.inner
    traversal = expr.traversal if expr else None
    if traversal is None or not traversal.rest or traversal.rest[-1:] not in _NAMES:
        return None
    if traversal.address not in (bucket.address, "each.value"):
        return None
    owner = traversal.text.rpartition(".")[0]
    is_there = at is setting or _times(at) == _times(setting) or f"{owner}." in at.text()
    return f"{owner}.arn" if is_there else None


def _times(block: Block) -> dict[str, str]:
    return {name: "".join(text.split()) for name, text in block.meta().items() if name != "provider"}
