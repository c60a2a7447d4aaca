"""The arguments of `aws_s3_bucket` in the words of the resources that take their place.

Names and forms are those of the provider's schema; what an argument does when it is left out, and what the new resource
asks for, is in the provider's sources (`internal/service/s3/bucket.go`) and its guide to version 4.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from fixer.model import Absent, Known, Manual, Unknown, Value
from fixer.terraform import Attribute, Block
from fixer.terraform.carrying import body_of, span, text_of

VERSIONING = "aws_s3_bucket_versioning"
OWNERSHIP = "aws_s3_bucket_ownership_controls"
_ACL = "aws_s3_bucket_acl"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Instead:
    """What takes an argument's place."""

    body: str
    """The lines of the new resource; none if there is nothing to say any more."""
    after: str = ""
    """The type of the resource for the same bucket that must be there first."""
    key: str = ""
    """What its id for an import has behind the bucket's name and a comma, a template's text."""


Answer = Instead | Manual
_Judge = Callable[[Block, list[Attribute | Block]], Answer]


def _constant(block: Block, name: str) -> Value:
    """An argument's value as far as no variable can change it."""
    value, attribute = block.value(name), block.attribute(name)
    names = block.module.variables_behind(attribute.expr) if attribute else ()
    return Unknown(f"is set by variable {names[0]}") if names and isinstance(value, Known) else value


def _is(value: Value, truth: bool) -> bool:
    return value in (Known(truth), Known(str(truth).lower()))


def _expression(item: Attribute | Block, name: str) -> Answer:
    """An argument that only has another name."""
    assert isinstance(item, Attribute)  # noqa: S101  the schema has it so, and a block was sorted out
    return Instead(text_of(item, item.block.file, {item: f"{name} = {item.expr.text}"}))


# ---- one argument each -------------------------------------------------------------------------


def _acl(bucket: Block, items: list[Attribute | Block]) -> Answer:
    (item,) = items
    value = _constant(bucket, "acl")
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
    for block in bucket.module.all_resources(OWNERSHIP):
        attribute = block.attribute("bucket")
        means = bucket.module.refers_to(attribute.expr, bucket) if attribute else None
        if means is not False:
            return block.value("rule.object_ownership") if means else Unknown("can't be told")
    return Absent


def _grant(bucket: Block, items: list[Attribute | Block]) -> Answer:
    step = f"Write an {_ACL} with an access_control_policy"
    return Manual("The new resource asks for the owner's canonical id as well", step)


def _versioning(bucket: Block, items: list[Attribute | Block]) -> Answer:
    (block,) = items
    assert isinstance(block, Block)  # noqa: S101  a block was asked for
    enabled, mfa = _constant(block, "enabled"), _constant(block, "mfa_delete")
    if not (mfa is Absent or _is(mfa, False)):
        return Manual("mfa_delete asks for a device's code in the new resource", f"Write an {VERSIONING} with it")
    if enabled is Absent or _is(enabled, False):
        return Instead("")
    if isinstance(enabled, Unknown):
        step = f"Write an {VERSIONING}: Suspended where the bucket has had versions, Disabled where not"
        return Manual(f"enabled {enabled.why}, and what stands for false depends on the past", step)
    replaced: dict[Attribute | Block, str] = dict.fromkeys(block.items, "")
    replaced |= {item: 'status = "Enabled"' for item in block.attributes() if item.name == "enabled"}
    return Instead(_nested("versioning_configuration", body_of(block, replaced)))


def _encryption(bucket: Block, items: list[Attribute | Block]) -> Answer:
    return Instead("\n\n".join(body_of(item) for item in items if isinstance(item, Block)))


def _logging(bucket: Block, items: list[Attribute | Block]) -> Answer:
    (block,) = items
    assert isinstance(block, Block)  # noqa: S101  a block was asked for
    prefix = "" if block.attribute("target_prefix") else '\ntarget_prefix = ""'
    return Instead(body_of(block) + prefix)


def _website(bucket: Block, items: list[Attribute | Block]) -> Answer:
    (block,) = items
    assert isinstance(block, Block)  # noqa: S101  a block was asked for
    replaced: dict[Attribute | Block, str] = {}
    for name, key in (("index_document", "suffix"), ("error_document", "key")):
        if attribute := block.attribute(name):
            replaced[attribute] = _in_place(attribute, name, f"{key} = {attribute.expr.text}")
    if attribute := block.attribute("redirect_all_requests_to"):
        value = _constant(block, attribute.name)
        if not isinstance(value, Known):
            reason = f"redirect_all_requests_to can't be judged: it {value.why}" if isinstance(value, Unknown) else ""
            return Manual(reason or "It redirects nowhere", "Write its host and its protocol on their own")
        target = urlsplit(str(value.value)) if "://" in str(value.value) else urlsplit(f"//{value.value}")
        lines = [f'host_name = "{target.netloc}{target.path}"']
        lines += [f'protocol = "{target.scheme}"'] if target.scheme else []
        replaced[attribute] = _in_place(attribute, attribute.name, "\n".join(lines))
    lines = [text_of(item, block.file) for item in block.items if item not in replaced]
    blocks = [text_of(item, block.file, replaced) for item in block.items if item in replaced]
    return Instead("\n\n".join(filter(None, ("\n".join(lines), *blocks))))


def _cors(bucket: Block, items: list[Attribute | Block]) -> Answer:
    return Instead("\n\n".join(text_of(item, bucket.file) for item in items))


def _object_lock(bucket: Block, items: list[Attribute | Block]) -> Answer:
    step = "Set object_lock_enabled of the bucket, and write an aws_s3_bucket_object_lock_configuration with its rule"
    return Manual("Whether the bucket has it was decided when it was made", step)


def _replication(bucket: Block, items: list[Attribute | Block]) -> Answer:
    step = "Write an aws_s3_bucket_replication_configuration, and import it"
    return Manual("The new resource says the same in other blocks", step)


# ---- lifecycle rules ---------------------------------------------------------------------------


def _lifecycle(bucket: Block, items: list[Attribute | Block]) -> Answer:
    texts: list[str] = []
    for rule in items:
        assert isinstance(rule, Block)  # noqa: S101  a block was asked for
        found = _rule(rule)
        if isinstance(found, Manual):
            return found
        texts.append(found)
    noncurrent = any("noncurrent_version" in text for text in texts)
    return Instead("\n\n".join(texts), after=VERSIONING if noncurrent else "")


def _rule(rule: Block) -> str | Manual:
    enabled = rule.attribute("enabled")
    if not rule.attribute("id") or not enabled:
        step = "Give it the id that S3 shows for the bucket, and run iacfix again"
        return Manual("A rule has no id, and S3 has one for it that only it knows", step)
    scope = _filter(rule)
    if isinstance(scope, Manual):
        return scope
    lines: list[str] = []
    blocks = [scope]
    for item in rule.items:
        found = _part(rule, item)
        if isinstance(found, Manual):
            return found
        is_block = isinstance(item, Block) or item.name.startswith("abort_")
        (blocks if is_block else lines).append(found)
    text = "\n\n".join(["\n".join(filter(None, lines)), *filter(None, blocks)])
    return _nested("rule", "\n".join([*lost_comments([rule], text), text]))


def lost_comments(items: Sequence[Attribute | Block], text: str) -> list[str]:
    """The comments in items and right above them that a text does not have."""
    found = []
    for item in items:
        file = item.file if isinstance(item, Block) else item.block.file
        start, end = span(item, file)
        found += [said for place, _, said in file.comments() if start <= place < end and said not in text]
    return found


def _part(rule: Block, item: Attribute | Block) -> str | Manual:
    """What an argument or block of a rule becomes; nothing if it goes into the filter or goes."""
    file = rule.file
    if isinstance(item, Attribute):
        match item.name:
            case "enabled":
                value = rule.module.literal(item.expr)
                known = {True: '"Enabled"', False: '"Disabled"'}
                is_switch = isinstance(value, Known) and isinstance(value.value, bool)
                switch = f"({item.expr.text})" if item.expr.kind in ("operation", "conditional") else item.expr.text
                status = known[value.value] if is_switch else f'{switch} ? "Enabled" : "Disabled"'  # type: ignore[union-attr]
                return text_of(item, file, {item: f"status = {status}"})
            case "abort_incomplete_multipart_upload_days":
                if rule.module.literal(item.expr) == Known(0):
                    return ""
                days = f"days_after_initiation = {item.expr.text}"
                inner = _in_place(item, "abort_incomplete_multipart_upload", days)
                return text_of(item, file, {item: inner})
            case "prefix" | "tags":
                return ""
        return text_of(item, file)
    replaced: dict[Attribute | Block, str] = {}
    for block in item.walk():
        kind = block.parent.name if block.type == "content" and block.parent else block.type
        count, date = block.attribute("days"), block.attribute("date")
        if kind.startswith("noncurrent_version") and block.type != "dynamic":
            if count is None:
                return Manual(f"{kind} has no days, which the new resource asks for", "Say after how many days")
            replaced[count] = f"noncurrent_days = {count.expr.text}"
        if date:
            value = rule.module.literal(date.expr)
            if not (isinstance(value, Known) and _DATE.match(str(value.value))):
                return Manual(
                    f"{date.expr.text} may be a date without a time, which the new resource refuses", "Add it"
                )
            if _DATE.fullmatch(str(value.value)):
                replaced[date] = f'date = "{value.value}T00:00:00Z"'
    return text_of(item, file, replaced)


def _filter(rule: Block) -> str | Manual:
    """The filter that is for the same objects as a rule's prefix and tags."""
    prefix, tags = rule.attribute("prefix"), rule.attribute("tags")
    start = prefix.expr.text if prefix and rule.value("prefix") not in (Absent, Known("")) else ""
    if tags and rule.value("tags") not in (Absent, Known({})):
        if tags.expr.kind != "object" or not tags.expr.entries:
            step = "Write the tags there, or the new resource with them"
            return Manual("The rule's tags can't be judged, and the new resource refuses an empty map", step)
        said = text_of(tags, rule.file)
        return _nested("filter", _nested("and", f"prefix = {start or chr(34) * 2}\n{said}"))
    return _nested("filter", f"prefix = {start}") if start else "filter {}"


def _nested(kind: str, body: str) -> str:
    lines = (f"  {line}" if line else "" for line in body.split("\n"))
    return "\n".join([f"{kind} {{", *lines, "}"])


def _in_place(attribute: Attribute, kind: str, body: str) -> str:
    """A block for the place of an attribute."""
    return _nested(kind, body).replace("\n", "\n" + attribute.block.file.indent(attribute.start))


# ---- all ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A resource type, and the arguments of the bucket that it takes the place of."""

    kind: str
    judge: _Judge
    is_block: bool = True


PARTS = {
    "versioning": Part(VERSIONING, _versioning),
    "acl": Part(_ACL, _acl, is_block=False),
    "grant": Part(_ACL, _grant),
    "policy": Part("aws_s3_bucket_policy", lambda bucket, items: _expression(items[0], "policy"), is_block=False),
    "server_side_encryption_configuration": Part("aws_s3_bucket_server_side_encryption_configuration", _encryption),
    "logging": Part("aws_s3_bucket_logging", _logging),
    "lifecycle_rule": Part("aws_s3_bucket_lifecycle_configuration", _lifecycle),
    "website": Part("aws_s3_bucket_website_configuration", _website),
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
    "replication_configuration": Part("aws_s3_bucket_replication_configuration", _replication),
}
"""In the order in which their resources stand below the bucket."""
