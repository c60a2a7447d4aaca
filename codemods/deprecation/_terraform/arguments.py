"""The arguments of `aws_s3_bucket` in the words of the resources that take their place.

Names and forms are those of the provider's schema; what an argument does when it is left out, and what the new resource
asks for, is in the provider's sources (`internal/service/s3/bucket.go`) and its guide to version 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from codemods.deprecation._terraform.instead import Instead, constant
from codemods.deprecation._terraform.lifecycle import lifecycle
from codemods.deprecation._terraform.replication import replication
from fixer.model import Absent, Known, Manual, Unknown, Value
from fixer.terraform import Attribute, Block
from fixer.terraform.buckets import ACL, OWNERSHIP, POLICY, VERSIONING, WEBSITE, settings
from fixer.terraform.carrying import body_of, in_place, joined, nested, text_of

Answer = Instead | Manual
_Judge = Callable[[Block, list[Attribute | Block]], Answer]


def _is(value: Value, truth: bool) -> bool:
    return value in (Known(truth), Known(str(truth).lower()))


def _expression(item: Attribute | Block, name: str) -> Answer:
    """An argument that only has another name."""
    assert isinstance(item, Attribute)  # noqa: S101  the schema has it so, and a block was sorted out
    return Instead(text_of(item, item.block.file, {item: f"{name} = {item.expr.text}"}))


# ---- one argument each -------------------------------------------------------------------------


def _acl(bucket: Block, items: list[Attribute | Block]) -> Answer:
    (item,) = items
    value = constant(bucket, "acl")
    ownership = _ownership(bucket)
    if value == Known("private") and ownership in (Absent, Known("BucketOwnerEnforced")):
        return Instead("")
    if ownership in (Known("BucketOwnerPreferred"), Known("ObjectWriter")) and isinstance(item, Attribute):
        key = str(value.value) if isinstance(value, Known) else f"${{{item.expr.text}}}"
        return Instead(text_of(item, bucket.file), after=OWNERSHIP, key=key)
    if ownership is Absent:
        said = str(value.value) if isinstance(value, Known) else f"It {value.why}" if isinstance(value, Unknown) else ""
        reason = f"S3 takes such a list ({said}) only where the bucket's object ownership allows lists"
        step = f"Add an {OWNERSHIP} that says what the bucket has, and run iacfix again"
        return Manual(reason, step)
    reason = "Whether the bucket's object ownership allows lists can't be told, or it does not"
    return Manual(reason, f"Settle that in its {OWNERSHIP}, and run iacfix again")


def _ownership(bucket: Block) -> Value:
    """The object ownership that the module sets for a bucket."""
    for block, is_sure in settings(bucket, OWNERSHIP):
        return block.value("rule.object_ownership") if is_sure else Unknown("can't be told")
    return Absent


def _grant(bucket: Block, items: list[Attribute | Block]) -> Answer:
    step = f"Write an {ACL} with an access_control_policy"
    return Manual("The new resource asks for the owner's canonical id as well", step)


def _versioning(bucket: Block, items: list[Attribute | Block]) -> Answer:
    (block,) = items
    assert isinstance(block, Block)  # noqa: S101  a block was asked for
    enabled, mfa = constant(block, "enabled"), constant(block, "mfa_delete")
    if not (mfa is Absent or _is(mfa, False)):
        return Manual("mfa_delete asks for a device's code in the new resource", f"Write an {VERSIONING} with it")
    if enabled is Absent or _is(enabled, False):
        return Instead("")
    attribute = block.attribute("enabled")
    when = ""
    if isinstance(enabled, Unknown):
        is_one = not bucket.meta().keys() & {"count", "for_each"} and "null" not in enabled.why
        when = attribute.expr.text if attribute and is_one else ""
        if not attribute or not when or {one.names[0] for one in attribute.expr.traversals()} - {"var", "local"}:
            step = f"Write an {VERSIONING}: Suspended where the bucket has had versions, Disabled where not"
            return Manual(f"enabled {enabled.why}, and what stands for false depends on the past", step)
    replaced: dict[Attribute | Block, str] = dict.fromkeys(block.items, "")
    replaced |= {item: 'status = "Enabled"' for item in block.attributes() if item.name == "enabled"}
    return Instead(nested("versioning_configuration", body_of(block, replaced)), when=when)


def _encryption(bucket: Block, items: list[Attribute | Block]) -> Answer:
    return Instead("\n\n".join(body_of(item) for item in items if isinstance(item, Block)))


def _logging(bucket: Block, items: list[Attribute | Block]) -> Answer:
    (block,) = items
    assert isinstance(block, Block)  # noqa: S101  a block was asked for
    prefix = "" if block.attribute("target_prefix") else '\ntarget_prefix = ""'
    return Instead(body_of(block) + prefix, others=ACL)


def _website(bucket: Block, items: list[Attribute | Block]) -> Answer:
    (block,) = items
    assert isinstance(block, Block)  # noqa: S101  a block was asked for
    replaced: dict[Attribute | Block, str] = {}
    for name, key in (("index_document", "suffix"), ("error_document", "key")):
        if attribute := block.attribute(name):
            replaced[attribute] = in_place(attribute, name, f"{key} = {attribute.expr.text}")
    if attribute := block.attribute("redirect_all_requests_to"):
        value = constant(block, attribute.name)
        if not isinstance(value, Known):
            reason = f"redirect_all_requests_to can't be judged: it {value.why}" if isinstance(value, Unknown) else ""
            return Manual(reason or "It redirects nowhere", "Write its host and its protocol on their own")
        target = urlsplit(str(value.value)) if "://" in str(value.value) else urlsplit(f"//{value.value}")
        lines = [f'host_name = "{target.netloc}{target.path}"']
        lines += [f'protocol = "{target.scheme}"'] if target.scheme else []
        replaced[attribute] = in_place(attribute, attribute.name, "\n".join(lines))
    lines = [text_of(item, block.file) for item in block.items if item not in replaced]
    blocks = [text_of(item, block.file, replaced) for item in block.items if item in replaced]
    return Instead(joined(lines, blocks))


def _cors(bucket: Block, items: list[Attribute | Block]) -> Answer:
    return Instead("\n\n".join(text_of(item, bucket.file) for item in items))


def _object_lock(bucket: Block, items: list[Attribute | Block]) -> Answer:
    (block,) = items
    assert isinstance(block, Block)  # noqa: S101  a block was asked for
    if constant(block, "object_lock_enabled") != Known("Enabled"):
        step = "Set object_lock_enabled of the bucket as it was when the bucket was made"
        return Manual("It does not say that object lock is enabled", step)
    rules = [text_of(rule, bucket.file) for rule in block.blocks("rule")]
    here = "" if bucket.attribute("object_lock_enabled") else "object_lock_enabled = true"
    return Instead("\n\n".join(rules), here=here)


# ---- all ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A resource type, and the arguments of the bucket that it takes the place of."""

    kind: str
    judge: _Judge
    is_block: bool = True


PARTS = {
    "versioning": Part(VERSIONING, _versioning),
    "acl": Part(ACL, _acl, is_block=False),
    "grant": Part(ACL, _grant),
    "policy": Part(POLICY, lambda bucket, items: _expression(items[0], "policy"), is_block=False),
    "server_side_encryption_configuration": Part("aws_s3_bucket_server_side_encryption_configuration", _encryption),
    "logging": Part("aws_s3_bucket_logging", _logging),
    "lifecycle_rule": Part("aws_s3_bucket_lifecycle_configuration", lifecycle),
    "website": Part(WEBSITE, _website),
    "cors_rule": Part("aws_s3_bucket_cors_configuration", _cors),
    "acceleration_status": Part(
        "aws_s3_bucket_accelerate_configuration", lambda bucket, items: _expression(items[0], "status"), is_block=False
    ),
    "request_payer": Part(
        "aws_s3_bucket_request_payment_configuration",
        lambda bucket, items: _expression(items[0], "payer"),
        is_block=False,
    ),
    "object_lock_configuration": Part("aws_s3_bucket_object_lock_configuration", _object_lock),
    "replication_configuration": Part("aws_s3_bucket_replication_configuration", replication),
}
"""In the order in which their resources stand below the bucket."""
