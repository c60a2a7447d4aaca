"""Physical names as texts with holes: what in them tells environments apart, and where the suffix goes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fixer.environment import words_in
from fixer.holes import HOLE, Change, holes, shown
from fixer.model import Manual

if TYPE_CHECKING:
    from codemods.facts import Kind, PhysicalName

LONGEST_SUFFIX = 10
"""Characters that a suffix plausibly has, as `pr-1234567` has."""
_UNCLEAR = frozenset(["base", "basename", "namespace", "naming", "prefix"])
_LITERAL = frozenset(["dev", "development", "nonprod", "preprod", "prod", "production", "qa", "staging", "uat"])
_HOST = frozenset(["domain", "fqdn", "host", "hostname", "website"])
_DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}")
_KEPT_FIRST = (
    "aws-waf-logs-",
    "AmazonSageMaker-",
    "AmazonMSK_",
    "amazon-ebs-",
    "AmazonCloudWatch-",
    "ecr-pullthroughcache/",
)
"""Beginnings that a service demands of a name that it is to use."""
_FIXED = re.compile(
    r"dms-(?:vpc-role|cloudwatch-logs-role|access-for-endpoint)|vmimport|AWSServiceRole\w+|aws-service-role/.*|default|primary"
    r"|OrganizationAccountAccessRole|AWSControlTowerExecution|AWSCloudFormationStackSet(?:Administration|Execution)Role"
    r"|CloudWatch-CrossAccountSharingRole|RDSOSMetrics|/aws-glue/.*|/aws/(?:batch/job|datasync|lambda-insights)|alias/aws/.*"
)
"""Names that a service looks for as they are."""
_OWNER = re.compile(
    r"/aws/(?:lambda|codebuild|eks|containerinsights|imagebuilder|docdb|neptune|elasticbeanstalk|rds/(?:instance|cluster)"
    r"|ecs/containerinsights)/(?P<owner>[^/]+)(?:/|$)"
)
"""Log groups that a service names after a resource."""
_PATH = re.compile(r"/aws/|table/|service/|function[:/]")
"""How texts start that hold the names of resources in paths."""
_PLACEHOLDERS = {"account": "123456789012", "region": "us-east-1"}
_PLAIN_WORDS = frozenset(
    ("name", "id", "identifier", "group", "configuration", "instance", "api", "resource", "s3", "db")
)
_SYNONYMS = (frozenset(("function", "lambda")), frozenset(("machine", "sfn")), frozenset(("parameter", "param")))
_SERVICES: dict[str, set[str]] = {
    "alarm": {"cloudwatch"},
    "dashboard": {"cloudwatch"},
    "event-bus": {"events"},
    "event-rule": {"events"},
    "firehose-stream": {"firehose"},
    "iam-managed-policy": {"iam"},
    "load-balancer": {"elasticloadbalancing"},
    "log-group": {"logs"},
    "msk-cluster": {"kafka"},
    "opensearch-domain": {"es"},
    "opensearch-serverless-collection": {"aoss"},
    "s3-access-point": {"s3"},
    "secret": {"secretsmanager"},
    "state-machine": {"states"},
    "step-functions-activity": {"states"},
    "target-group": {"elasticloadbalancing"},
    "trail": {"cloudtrail"},
    "user-pool": {"cognito"},
}
"""How ARNs call the service, where that is not the first word of the kind."""


def is_unclear(code: str) -> bool:
    """Whether an expression is by its name a beginning that others choose, which may hold the environment."""
    return not _UNCLEAR.isdisjoint(words_in(code))


def written_environment(text: str) -> Manual | None:
    """Why the suffix can't be put into a name in which an environment is written, such as `prod` in `prod-orders`."""
    words = (word for piece in HOLE.split(text)[::2] for word in words_in(piece))
    for word in words:
        if word in _LITERAL:
            step = f"Write the environment suffix in the place of `{word}`"
            return Manual(f"The environment `{word}` is written into it", step)
    return None


def may_hold_environment(code: str) -> Manual:
    """Why the suffix can't be put into a name that has such an expression in it."""
    step = f"Put the environment suffix into {code}, or into the name"
    return Manual(f"{code} may hold the environment already", step)


def follows_none(owner: str) -> Manual:
    """Why the suffix can't be put into the name of a log group that a service writes for what has such a name."""
    reason = f"A service writes this log group for `{shown(owner)}`, which gets no suffix here"
    return Manual(reason, "Let its name follow the name of that resource")


def must_stay(name: str, kind: Kind) -> str | None:
    """Why somebody needs the name as it is; None if nobody does."""
    if _FIXED.fullmatch(name):
        return f"A service looks for `{name}` by that very name"
    if kind.name == "s3-bucket":
        words = {word for code in holes(name) for word in words_in(code)}
        if _DOMAIN.fullmatch(name) or not _HOST.isdisjoint(words):
            return "The bucket is named like a host, and a website's bucket must be"
    return None


def looks_like_host(name: str) -> bool:
    """Whether a name may be that of a host, which has dots."""
    return "." in name


def owner(name: str, kind: Kind) -> tuple[int, int] | None:
    """Where in the name of a log group that a service writes the name of the resource stands that it writes it for."""
    match = _OWNER.match(name) if kind.name == "log-group" else None
    return match.span("owner") if match else None


def place(name: str, kind: Kind, position: str, separator: str) -> Change:
    """Where in the name the suffix goes: into the last segment of a path; what must be first or last stays so."""
    separator = separator if kind.separator == "-" else kind.separator
    end = len(name.rstrip("/")) or len(name)
    if kind.end and name.endswith(kind.end):
        end -= len(kind.end)
    if position == "suffix":
        return Change(end, end, before="" if name[:end].endswith(("-", "_", ".")) else separator)
    plain = HOLE.sub(lambda match: "x" * len(match[0]), name)
    start = plain.rfind("/", 0, end) + 1 if kind.paths or plain.startswith("/") else 0
    for first in (kind.start, *_KEPT_FIRST):
        if first and name.startswith(first, start):
            start += len(first)
    return Change(start, start, after=separator)


def wrong(name: str, changes: Iterable[Change], kind: Kind) -> str | None:
    """Why the service would not take the name with a suffix; None if it will, as far as one can tell."""
    made = name
    for change in sorted(changes, key=lambda one: -one.start):
        made = change.apply(made, "e" * LONGEST_SUFFIX)
    length = len(_filled(made, ""))
    if length > kind.max:
        return (
            f"With a suffix of {LONGEST_SUFFIX} characters the {kind.label} would have at least {length},"
            f" and {kind.max} is the most"
        )
    before, after = _filled(name, "x"), _filled(made, "x")
    if kind.allows(before) and not kind.allows(after):
        return f"The {kind.label} would hold characters that the service does not take"
    return None


def _filled(name: str, other: str) -> str:
    def value(match: re.Match[str]) -> str:
        words = set(words_in(match[1]))
        return next((text for word, text in _PLACEHOLDERS.items() if word in words), other)

    return HOLE.sub(value, name)


def in_address(text: str, start: int, kind: Kind) -> bool:
    """Whether the place is in an ARN or a URL of the service that the kind of name belongs to."""
    plain = HOLE.sub(lambda match: "x" * len(match[0]), text)
    head = re.split(r"[\s\"'`,=\\]", plain[:start])[-1]
    token = head + re.split(r"[\s\"'`,\\]", plain[start:])[0]
    services = _SERVICES.get(kind.name, {kind.name.partition("-")[0]})
    if head.startswith("arn:"):
        parts = head.split(":")
        return len(parts) > 2 and parts[2] in services and parts[4:5] != ["aws"]  # "aws" owns its managed policies
    if "://" in token or ".amazonaws.com" in token:
        return any(re.search(rf"\b{service}\b", token) for service in services)
    return False


def subject_words(physical: PhysicalName) -> frozenset[str]:
    """The words that code uses for what is named: `table`, `bucket`, `function` and `lambda`."""
    said = {*words_in(physical.kind.name), *words_in(physical.argument)} - _PLAIN_WORDS
    for group in _SYNONYMS:
        if said & group:
            said |= group
    return frozenset(said)


def is_about(label: str, subject: frozenset[str]) -> bool:
    """Whether a keyword, a key or a function is by its name about what is named."""
    return any(word in subject or word.removesuffix("s") in subject for word in words_in(label))


def is_meant(text: str, start: int, name: str, physical: PhysicalName, *, about: bool, given: bool) -> bool:
    """Whether a name that stands in a text means what is named.

    Args:
        text: The text.
        start: Where in it the name stands.
        name: The name.
        physical: What is named.
        about: Whether the text is by its label about that.
        given: Whether the text is handed on to others, whatever these call it.
    """
    bare = HOLE.fullmatch(name)
    about = about and (bare is None or is_about(bare[1], subject_words(physical)))
    if text == name:
        return about or (given and not is_common(name))
    is_path = about or _PATH.match(text) is not None
    return in_address(text, start, physical.kind) or (is_path and not is_common(name) and not re.search(r"\s", text))


def is_common(name: str) -> bool:
    """Whether a name is so short or so plain that the same text elsewhere says little."""
    plain = HOLE.sub("", name)
    return len(plain) < 5 or plain.lower() in _PLAIN


_PLAIN = frozenset(
    [
        "admin",
        "alarm",
        "alarms",
        "api",
        "app",
        "application",
        "backend",
        "backup",
        "bucket",
        "cluster",
        "config",
        "content",
        "data",
        "database",
        "default",
        "events",
        "frontend",
        "function",
        "handler",
        "images",
        "items",
        "lambda",
        "level",
        "logs",
        "main",
        "message",
        "messages",
        "metrics",
        "name",
        "orders",
        "password",
        "primary",
        "private",
        "processor",
        "production",
        "public",
        "queue",
        "role",
        "secret",
        "server",
        "service",
        "stack",
        "status",
        "storage",
        "stream",
        "table",
        "tasks",
        "test",
        "topic",
        "user",
        "username",
        "users",
        "value",
        "values",
        "vpc",
        "website",
        "worker",
    ]
)
