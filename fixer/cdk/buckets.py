"""S3 buckets as CDK apps make them: the policies that they are given, and what makes them websites."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixer.cdk import policy
from fixer.model import Absent

if TYPE_CHECKING:
    from fixer.cdk.calls import Argument, Call, Construct
    from fixer.model import Edit

HIGH_LEVEL = "aws_s3.Bucket"
LOW_LEVEL = "aws_s3.CfnBucket"
LOW_LEVEL_POLICY = "aws_s3.CfnBucketPolicy"
_POLICIES = {"aws_s3.BucketPolicy": "document", LOW_LEVEL_POLICY: "policy_document"}
_NAME = re.compile(r"\.(bucket_name|ref)$")
_WEBSITE = (
    "website_index_document",
    "website_error_document",
    "website_redirect",
    "website_routing_rules",
    "website_configuration",
)


def website(bucket: Construct) -> str | None:
    """The keyword that makes, or may make, a bucket a website; None if there is none."""
    return next((one for one in _WEBSITE if bucket.value(one, shared=True) is not Absent), None)


@dataclass(frozen=True)
class BucketPolicy:
    """A policy with a construct of its own."""

    construct: Construct
    bucket: str
    """What it calls the bucket."""

    @property
    def keyword(self) -> str:
        """What it is given its document by."""
        return _POLICIES[self.construct.name]

    def joined(self, statement: policy.NewStatement) -> tuple[Edit, ...] | None:
        """The edits that give it another statement; None if its statements are not written out there."""
        return policy.joined(self.construct, self.keyword, statement)


def policies(bucket: Construct) -> Iterator[BucketPolicy]:
    """The policies that are for a bucket by a construct of their own."""
    for construct in bucket.file.constructs(*_POLICIES):
        subject = construct.argument("bucket")
        name = _NAME.sub("", subject.text) if subject else ""
        if name and bucket.is_meant_by(name, construct):
            yield BucketPolicy(construct, name)


def given(bucket: Construct) -> Iterator[tuple[Argument, Argument]]:
    """What the file gives a bucket as policies and as statements: as it is written, and the expression behind that."""
    for call, keyword in _giving(bucket):
        for argument in (call.argument(keyword),) if call.keywords else call.positional:
            written = call.behind(argument) if argument else None
            if argument and written:
                yield argument, written


def _giving(bucket: Construct) -> Iterator[tuple[Call, str]]:
    """The calls that give a bucket a policy or statements of one, and the keyword that they take it by."""
    yield from ((call, "permission") for call in bucket.methods("add_to_resource_policy"))
    looped = (call for call in bucket.file.methods("add_to_resource_policy") if _loops_over(call, bucket))
    yield from ((call, "permission") for call in looped)
    yield from ((call, "statement") for call in bucket.methods("add_statements", ".policy.document"))
    for one in policies(bucket):
        yield one.construct, one.keyword
        yield from ((call, "statement") for call in one.construct.methods("add_statements", ".document"))


def _loops_over(call: Call, bucket: Construct) -> bool:
    """Whether a method is called on the variable of a loop over a list or tuple that names the bucket."""
    loop = rf"\bfor {re.escape(call.file.receiver(call))} in [(\[]([^)\]]*)[)\]]:"
    found = re.search(loop, call.file.text(0, call.start))
    return found is not None and any(bucket.is_meant_by(one.strip(), call) for one in found[1].split(","))
