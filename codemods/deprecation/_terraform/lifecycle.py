"""Lifecycle rules of a bucket in the words of `aws_s3_bucket_lifecycle_configuration`."""

from __future__ import annotations

import re

from codemods.deprecation._terraform.instead import Instead
from fixer.model import Absent, Known, Manual
from fixer.terraform import Attribute, Block
from fixer.terraform.buckets import VERSIONING
from fixer.terraform.carrying import in_place, joined, lost_comments, nested, text_of

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def lifecycle(bucket: Block, items: list[Attribute | Block]) -> Instead | Manual:
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
    text = joined(lines, blocks)
    return nested("rule", "\n".join([*lost_comments([(rule, rule.file)], text), text]))


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
                inner = in_place(item, "abort_incomplete_multipart_upload", days)
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
        return nested("filter", nested("and", f"prefix = {start or chr(34) * 2}\n{said}"))
    return nested("filter", f"prefix = {start}") if start else "filter {}"
