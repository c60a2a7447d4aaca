"""Alarms of CloudWatch as Terraform modules declare them: what they watch, and whom they notify."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fixer.model import Absent, Known, Manual
from fixer.terraform.companion import free_name, tags

if TYPE_CHECKING:
    from fixer.terraform.block import Block
    from fixer.terraform.expression import Expr
    from fixer.terraform.module import Module

ALARM = "aws_cloudwatch_metric_alarm"
TOPIC = "aws_sns_topic"
_PARTS = ("GlobalSecondaryIndexName", "Method", "Route")
"""Dimensions of metrics that are of a part of the resource alone."""
_NAMED = re.compile(r"alarm|alert", re.IGNORECASE)
_OTHER = re.compile(r"security|guardduty|complian|audit|billing|budget|cost|drift|backup|deploy", re.IGNORECASE)
"""Topics for other alarms than those of operation."""
_MONITORING = re.compile(r"alarm|monitor|observab|cloudwatch", re.IGNORECASE)
_SCALING = re.compile(r"\b(each|count)\.")


def is_watched(module: Module, block: Block, metrics: Sequence[str], dimension: str) -> bool | None:
    """Whether an alarm of the module watches a metric of a resource; None if that can't be told.

    Args:
        module: The module.
        block: The resource.
        metrics: The names of the metric; an alarm for any of them will do.
        dimension: The dimension that holds the resource, such as `FunctionName`.
    """
    found = {_watches(module, part, block, metrics, dimension) for part in _parts(module)}
    found |= set(_modules(module, block))
    return True if True in found else None if None in found else False


def _parts(module: Module) -> Iterator[Block]:
    """What has `metric_name` and `dimensions`: alarms, and the metrics of their queries."""
    for alarm in module.all_resources(ALARM):
        yield from (one for one in alarm.walk() if one is alarm or one.type == "metric")


def _watches(module: Module, part: Block, block: Block, metrics: Sequence[str], dimension: str) -> bool | None:
    name, space = part.attribute("metric_name"), part.attribute("namespace")
    if name is None:
        return False
    values = _values(module, part, name.expr)
    if values is not None and not values & {*metrics}:
        return False
    others = _values(module, part, space.expr) if space else None
    if others is not None and "AWS/" not in "".join(others):
        return False
    dimensions = part.attribute("dimensions")
    if dimensions is None:
        return values is not None or None
    entries = module.follow(dimensions.expr).entries
    keys = {key.text.strip('"'): value for key, value in entries}
    if not entries:
        return None if _may_mean(module, part, dimensions.expr, block) else False
    if dimension not in keys or any(one in keys for one in _PARTS):
        return False
    meant = module.refers_to(keys[dimension], block)
    if meant is None and not _may_mean(module, part, keys[dimension], block):
        return False
    return meant if values is not None else (None if meant is not False else False)


def _values(module: Module, part: Block, expr: Expr) -> set[str] | None:
    """The texts that an argument may be: its own, or those of the `for_each`; None if that can't be told."""
    value = module.resolve(expr)
    if isinstance(value, Known):
        return {str(value.value)}
    each = part.top.attribute("for_each")
    if each is None or not any(one.names[0] == "each" for one in expr.traversals()):
        return None
    over = module.follow(each.expr)
    if over.kind not in ("object", "list", "call"):
        return None
    inside = [one for one in over.file.strings if over.start <= one.start and one.end <= over.end]
    return {over.file.text(*one.content) for one in inside} or None


def _may_mean(module: Module, part: Block, expr: Expr, block: Block) -> bool:
    """Whether what can't be told may be the resource: not if it comes of others alone."""
    each = part.top.attribute("for_each")
    exprs = [module.follow(expr), *((module.follow(each.expr),) if each else ())]
    found = [one for expr in exprs for one in expr.traversals() if one.names[0] not in ("each", "count")]
    resources = [one for one in found if one.names[0].startswith("aws_")]
    if resources and len(resources) == len(found):
        return any(one.address == block.address for one in resources)
    return True


def _modules(module: Module, block: Block) -> Iterator[bool | None]:
    """What is to be said of the modules that are given the resource: one for alarms has some for it."""
    for one in module.references(block.address):
        top = one.block.top if one.block else None
        if top and top.type == "module":
            source = top.attribute("source")
            text = f"{top.name} {source.expr.text if source else ''}"
            if _MONITORING.search(text):
                yield True if "alarm" in text.lower() else None


# ---- topics ------------------------------------------------------------------------------------


def notified(module: Module, block: Block) -> str | Manual | None:
    """The ARN, in HCL, of the topic that alarms for a resource are to notify: that of others, or one that is for them.

    Returns:
        None if the module has none; Manual if it has one that can't be used.
    """
    topics = [*_used(module), *_meant(module)]
    fitting = [text for text in topics if not _SCALING.search(text)]
    for text in fitting:
        topic = module.resource(text.removesuffix(".arn").partition("[")[0])
        if topic is None or topic.meta().get("provider") == block.meta().get("provider"):
            if topic and ({*topic.meta()} - {"provider"}):
                return Manual(f"{topic.address} is made by count or for_each", "Add alarms that notify it")
            return text
    return None


def _used(module: Module) -> list[str]:
    """The topics that alarms notify: those for alarms first, then by how many notify them."""
    found: Counter[str] = Counter()
    for alarm in module.all_resources(ALARM):
        actions = alarm.attribute("alarm_actions")
        for one in actions.expr.elements if actions and actions.expr.kind == "list" else ():
            traversal = one.traversal
            if traversal and (traversal.names[0] in ("var", "local") or TOPIC in traversal.names):
                found[one.text] += 1
    return sorted(found, key=lambda text: (bool(_OTHER.search(text)), not _NAMED.search(text), -found[text]))


def _meant(module: Module) -> Iterator[str]:
    """Topics that are for alarms by what they are called, and variables for the ARN of such a topic."""
    for topic in (*module.resources(TOPIC), *module.data(TOPIC)):
        if _NAMED.search(topic.name) and not _OTHER.search(topic.name):
            yield f"{topic.address}.arn"
    for variable in module.variables():
        name = variable.name
        has_value = variable.attribute("default") is None or variable.value("default") not in (Absent, Known(""))
        if has_value and _NAMED.search(name) and name.endswith("arn") and not _OTHER.search(name):
            yield f"var.{name}"


def topic_for(module: Module, block: Block) -> tuple[str, str, str]:
    """A topic that the module has not: its ARN in HCL, the text of it, and that of data sources that it needs.

    It has a key that CloudWatch may use, which the AWS managed one does not let it, and a policy that lets CloudWatch
    publish and refuses requests without TLS; source: "Configure a CloudWatch alarm to publish to an encrypted topic",
    AWS re:Post.
    """
    provider = block.meta().get("provider")
    region = f"_{provider.rpartition('.')[2]}" if provider and "." in provider else ""
    name = free_name(module, TOPIC, f"alarms{region}", "_2", [one.name for one in module.all_resources("aws_kms_key")])
    needed, account = _account(module)
    texts = []
    shared = tags(block)
    more = f"\ntags = {shared}" if shared and not _SCALING.search(shared) else ""
    topic = f"{TOPIC}.{name}.arn"
    root = f'"arn:${{{account[1]}.partition}}:iam::${{{account[0]}.account_id}}:root"'
    service = 'Principal = { Service = "cloudwatch.amazonaws.com" }'
    key = _policy(
        ('Effect = "Allow"', f"Principal = {{ AWS = {root} }}", 'Action = "kms:*"', 'Resource = "*"'),
        ('Effect = "Allow"', service, 'Action = ["kms:Decrypt", "kms:GenerateDataKey*"]', 'Resource = "*"'),
    )
    access = _policy(
        ('Effect = "Allow"', service, 'Action = "sns:Publish"', f"Resource = {topic}"),
        (
            'Effect = "Deny"',
            'Principal = "*"',
            'Action = "sns:Publish"',
            f"Resource = {topic}",
            'Condition = { Bool = { "aws:SecureTransport" = "false" } }',
        ),
    )
    lines: tuple[str, ...]
    lines = ('description = "Encrypts what alarms report"', "enable_key_rotation = true", f"\npolicy = {key}", more)
    texts.append(_resource("aws_kms_key", name, provider, *lines))
    lines = ('name_prefix = "alarms-"', f"kms_master_key_id = aws_kms_key.{name}.arn", more)
    texts.append(_resource(TOPIC, name, provider, *lines))
    texts.append(_resource(f"{TOPIC}_policy", name, provider, f"arn = {topic}", f"\npolicy = {access}"))
    return topic, "\n\n".join(texts), "\n\n".join(needed)


def _account(module: Module) -> tuple[list[str], list[str]]:
    """Data sources that are still to be declared, and the the addresses of those for the account and the partition."""
    texts, names = [], []
    for kind in ("aws_caller_identity", "aws_partition"):
        there = next((one for one in module.data(kind) if not one.meta()), None)
        name = there.name if there else free_name(module, f"data.{kind}", "current", "_account")
        names.append(f"data.{kind}.{name}")
        if there is None:
            texts.append(f'data "{kind}" "{name}" {{}}')
    return texts, names


def _resource(kind: str, name: str, provider: str | None, *lines: str) -> str:
    body = "\n".join(line for line in lines if line)
    meta = f"provider = {provider}\n\n" if provider else ""
    inside = "\n".join(f"  {line}" if line else "" for line in f"{meta}{body}".splitlines())
    return f'resource "{kind}" "{name}" {{\n{inside}\n}}'


def _policy(*statements: Sequence[str]) -> str:
    made = ["    {\n" + "".join(f"      {field}\n" for field in fields) + "    }" for fields in statements]
    return 'jsonencode({\n  Version = "2012-10-17"\n  Statement = [\n' + ",\n".join(made) + "\n  ]\n})"
