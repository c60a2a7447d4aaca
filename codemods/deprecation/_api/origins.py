"""The origins that have taken the place of `S3Origin`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.values import behind
from fixer.model import Absent, Finding, Fix, Impact, Manual, Unknown

if TYPE_CHECKING:
    from fixer.cdk import Call, CdkFile, Construct
    from fixer.cdk.references import Reference
    from fixer.model import Rule

_OLD = "aws_cloudfront_origins.S3Origin"
_BUCKET = "aws_cloudfront_origins.S3BucketOrigin"
_WEBSITE = "aws_cloudfront_origins.S3StaticWebsiteOrigin"
_MESSAGE = "S3Origin is deprecated"
_STEP = "Use S3BucketOrigin.with_origin_access_control, or S3StaticWebsiteOrigin for a website"
_HOSTING = ("website_index_document", "website_redirect")
"""Either makes a bucket a website for `S3Origin`."""


def origin(file: CdkFile, reference: Reference, rule: Rule) -> Finding:
    """The finding for a use of `S3Origin`, with the origin that the bucket needs."""
    call = next((one for one in file.calls(_OLD) if one.node is reference.called), None)
    if call is None:
        return reference.finding(rule, _MESSAGE, manual=Manual("It is not called here", _STEP))
    bucket = _bucket(file, call)
    if bucket is None:
        return reference.finding(rule, _MESSAGE, manual=Manual("Its bucket is not made in this file", _STEP))
    hosting = [bucket.value(keyword, shared=True) for keyword in _HOSTING]
    if unknown := [value.why for value in hosting if isinstance(value, Unknown)]:
        manual = Manual(f"Whether its bucket is a website can't be judged: it {unknown[0]}", _STEP)
        return reference.finding(rule, _MESSAGE, manual=manual)
    identity = call.value("origin_access_identity")
    if isinstance(identity, Unknown) and not call.has("origin_access_identity"):
        return reference.finding(rule, _MESSAGE, manual=Manual(f"Its identity {identity.why}", _STEP))
    website = any(value is not Absent for value in hosting)
    if website and call.has("origin_access_identity"):
        manual = Manual("Its bucket is a website, for which the identity counts nothing", _STEP)
        return reference.finding(rule, _MESSAGE, manual=manual)
    if website:
        name, method, impact = _WEBSITE, "", Impact.NONE
    elif identity is not Absent:
        name, method, impact = _BUCKET, ".with_origin_access_identity", Impact.NONE
    else:
        name, method, impact = _BUCKET, ".with_origin_access_control", Impact.REPLACEMENT
    spelled, imports = file.spell(name, reference)
    message = f"{_MESSAGE}: {name.rpartition('.')[2]}{method} has taken its place"
    edits = call.put(spelled + method, reference.start, reference.end)
    return reference.finding(rule, message, fix=Fix((*edits, *imports), impact))


def _bucket(file: CdkFile, call: Call) -> Construct | None:
    """The bucket that the origin is given, if the file makes it."""
    argument = call.argument("bucket") or (call.positional[0] if call.positional else None)
    node = behind(file, argument.node, call.scope) if argument else None
    if not isinstance(node, cst.Call):
        return None
    return next((one for one in file.constructs("aws_s3.Bucket") if one.node is node), None)
