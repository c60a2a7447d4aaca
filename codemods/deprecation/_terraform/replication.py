"""A bucket's replication in the words of `aws_s3_bucket_replication_configuration`.

A rule with a filter is sent to S3 in another form than one with a prefix alone, and says what becomes of delete
markers; see `resourceBucketInternalReplicationConfigurationUpdate` in the provider's sources.
"""

from __future__ import annotations

from codemods.deprecation._terraform.instead import Instead
from fixer.model import Known, Manual
from fixer.terraform import Attribute, Block
from fixer.terraform.buckets import VERSIONING
from fixer.terraform.carrying import joined, lost_comments, nested, text_of

_TIMES = {"metrics": "event_threshold", "replication_time": "time"}
_MINUTES = "15"
"""The number of minutes that the provider takes for both where none is given."""


def replication(bucket: Block, items: list[Attribute | Block]) -> Instead | Manual:
    """The configuration, if it is written out."""
    (block,) = items
    assert isinstance(block, Block)  # noqa: S101  a block was asked for
    if any(one.type == "dynamic" for one in block.walk()):
        step = "Write an aws_s3_bucket_replication_configuration with a dynamic block"
        return Manual("A dynamic block makes part of it", step)
    lines = [text_of(item, block.file) for item in block.items if isinstance(item, Attribute)]
    rules = [_rule(rule) for rule in block.blocks("rules")]
    if manual := next((rule for rule in rules if isinstance(rule, Manual)), None):
        return manual
    return Instead(joined(lines, map(str, rules)), after=VERSIONING, others=VERSIONING)


def _rule(rule: Block) -> str | Manual:
    lines, blocks = [], []
    markers = rule.attribute("delete_marker_replication_status")
    scope = next((one for one in rule.blocks("filter") if one.items), None)
    for item in rule.items:
        if isinstance(item, Attribute):
            lines += [text_of(item, rule.file)] if item is not markers else []
        elif item.type == "filter":
            found = _filter(item) if item is scope else ""
            if isinstance(found, Manual):
                return found
            blocks.append(found)
        elif item.type == "destination":
            blocks.append(_destination(item))
        elif item.type == "source_selection_criteria":
            blocks.append(_criteria(item))
    if scope:
        status = markers.expr.text if markers else '"Disabled"'
        blocks.append(nested("delete_marker_replication", f"status = {status}"))
    text = joined(lines, blocks)
    return nested("rule", "\n".join([*lost_comments([(rule, rule.file)], text), text]))


def _filter(block: Block) -> str | Manual:
    prefix, tags = block.attribute("prefix"), block.attribute("tags")
    start = prefix.expr.text if prefix else '""'
    if tags is None or block.value("tags") == Known({}):
        return nested("filter", f"prefix = {start}")
    if tags.expr.kind != "object" or not tags.expr.entries:
        step = "Write the tags there, or the new resource with them"
        return Manual("The rule's tags can't be judged, and the new resource refuses an empty map", step)
    return nested("filter", nested("and", f"prefix = {start}\n{text_of(tags, block.file)}"))


def _destination(block: Block) -> str:
    lines, blocks = [], []
    for item in block.items:
        if isinstance(item, Block) and item.type in _TIMES:
            status, minutes = item.attribute("status"), item.attribute("minutes")
            inner = nested(_TIMES[item.type], f"minutes = {minutes.expr.text if minutes else _MINUTES}")
            said = status.expr.text if status else '"Enabled"'
            blocks.append(nested(item.type, f"status = {said}\n\n{inner}"))
        elif isinstance(item, Block):
            blocks.append(text_of(item, block.file))
        elif item.name == "account_id":
            lines.append(text_of(item, block.file, {item: f"account = {item.expr.text}"}))
        elif item.name == "replica_kms_key_id":
            blocks.append(nested("encryption_configuration", text_of(item, block.file)))
        else:
            lines.append(text_of(item, block.file))
    return nested("destination", joined(lines, blocks))


def _criteria(block: Block) -> str:
    """What is replicated besides; a switch is a status there."""
    replaced: dict[Attribute | Block, str] = {}
    for inner in block.blocks("sse_kms_encrypted_objects"):
        if enabled := inner.attribute("enabled"):
            known = {True: '"Enabled"', False: '"Disabled"'}
            value = block.module.literal(enabled.expr)
            is_switch = isinstance(value, Known) and isinstance(value.value, bool)
            switch = enabled.expr.text if enabled.expr.traversal else f"({enabled.expr.text})"
            status = known[value.value] if is_switch else f'{switch} ? "Enabled" : "Disabled"'  # type: ignore[union-attr]
            replaced[enabled] = f"status = {status}"
    return text_of(block, block.file, replaced)
