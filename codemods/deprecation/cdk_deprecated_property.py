"""Replace what the CDK has deprecated.

## Why

What aws-cdk-lib deprecates goes on working for a while, prints a warning at every synthesis, and gets neither
corrections nor new features. What stands in its place is there already, and most of the time means the same.

## CDK Python

Keywords, members of classes and enumerations, methods and whole classes that aws-cdk-lib 2.275 marks as deprecated are
found, in every call whose class is certain. Where the replacement means the same, it is written:

```python
ip_addresses=ec2.IpAddresses.cidr("10.0.0.0/16")                 # cidr="10.0.0.0/16"
definition_body=sfn.DefinitionBody.from_chainable(chain)         # definition=chain
container_insights_v2=ecs.ContainerInsights.ENABLED              # container_insights=True
contributor_insights_specification=...                           # contributor_insights_enabled=True
health_checks=autoscaling.HealthChecks.ec2(...)                  # health_check=autoscaling.HealthCheck.ec2(...)
key_pair=ec2.KeyPair.from_key_pair_name(self, "WebKeyPair", k)   # key_name=k
ec2.SubnetType.PRIVATE_WITH_EGRESS                               # ec2.SubnetType.PRIVATE_WITH_NAT
```

and likewise `advanced_security_mode` of user pools, `log_format` and the log levels of functions, `timeout` and
`heartbeat` of tasks in Step Functions, `schema` of GraphQL APIs, `minimum_compression_size`, `type` of string
parameters, misspelt members such as `RDS_CA_RDS4096_G1`, `add_depends_on`, and `metric_...` of load balancers. Impact
`none`: the template stays the same. So it does for `S3Origin` of a website, which becomes `S3StaticWebsiteOrigin`, and
with an `origin_access_identity`.

Some replacements change the template. `iterator` and `parameters` of `Map` states become `item_processor` and
`item_selector`, `auto_delete_images` becomes `empty_on_delete`, without the function that empties the repository, and
`async_connect` of Fluentd becomes `async_`, with a new revision of the task definition (`behavior`). Another `S3Origin`
becomes `S3BucketOrigin.with_origin_access_control`, which takes the old access identity away (`replacement`).

If the project pins a version of aws-cdk-lib, only that is found which this version deprecates already.

## Not fixed

- What has no replacement, or one that means something else: versions of runtimes and engines, `instances` of database
  clusters, `latest_amazon_linux`, `CloudFrontWebDistribution`, ... The report has what the CDK says of it.
- A value that is not written out where its name matters, or that may be None.
- `S3Origin` of a bucket that is not made in the same file.
- `key_name` of auto scaling groups, which take a `key_pair` only with a feature flag, and of what has an id that can't
  be continued.
- Not reported: what is given in `**arguments`, or called on something whose class can't be told; files for version 1;
  `point_in_time_recovery` (see `dynamodb-point-in-time-recovery`), `log_retention` (see `lambda-log-group`), and
  `BlockPublicAccess.BLOCK_ACLS` (see `s3-block-public-access`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from codemods.deprecation._api.instead import Written, instead, known
from codemods.deprecation._api.names import split
from codemods.deprecation._api.origins import origin
from codemods.deprecation._api.replacements import NAMES, OTHERS
from codemods.deprecation._api.uses import Use, is_of_2, members, uses
from codemods.facts import cdk_deprecated_since, cdk_since
from codemods.facts.cdk_api import CdkType, cdk_owner, cdk_type
from fixer.model import Edit, Findings, Fix, Impact, Manual, Rule

if TYPE_CHECKING:
    from fixer.cdk import Call, CdkFile
    from fixer.cdk.references import Reference
    from fixer.model import Finding

rule = Rule(__name__, impact=Impact.REPLACEMENT, seeds=("S1-1.1",), keywords=("aws_cdk",))

_SPELLED = re.compile(r"<([\w.]+)>")
_LINK = re.compile(r"\{@link (\S+?) *\}")
_METRICS = "metric_"
_ORIGIN = "aws_cloudfront_origins.S3Origin"


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Keywords by the structs that have them, names as they are read, methods by the types of their receivers."""
    if file.is_v1 or not is_of_2(file):
        return
    values: list[tuple[int, int, str]] = []
    for use in uses(file):
        struct = cdk_type(use.signature.struct) if use.signature.struct else None
        if struct and "" not in struct.deprecated and not _is_deprecated(use.name):
            for name in struct.deprecated.keys() & use.keywords.keys():
                if use.call.has(name):
                    owner = f"{cdk_owner(struct.name, name)}.{name}"
                    argument = use.call.argument(name)
                    if owner not in OTHERS and _applies(file, owner):
                        yield _keyword(file, use, owner, struct)
                    given = filter(None, (argument, use.call.behind(name)))
                    values += [(one.start, one.end, struct.properties[name].type) for one in given]
    for reference in file.references:
        yield from _name(file, reference, values)
    for member in members(file):
        owner = f"{cdk_owner(member.owner.name, member.name)}.{member.name}"
        if member.call and member.name in member.owner.deprecated and _applies(file, owner):
            yield _method(file, member.call, member.owner, owner)


def _is_deprecated(name: str) -> bool:
    """Whether what is called, or the class that it is a function of, is deprecated as a whole."""
    found = cdk_type(name) or cdk_type(name.rpartition(".")[0])
    return found is not None and "" in found.deprecated


def _applies(file: CdkFile, name: str) -> bool:
    """Whether the version that the project pins deprecates it already."""
    version, since = file.app.facts.version, cdk_deprecated_since(name)
    return version is None or since is None or tuple(version) >= since


# ---- keywords ----------------------------------------------------------------------------------


def _keyword(file: CdkFile, use: Use, owner: str, struct: CdkType) -> Finding:
    call, name = use.call, owner.rpartition(".")[2]
    argument = call.argument(name)
    found = instead(file, use, owner, argument) if argument else _hidden(name)
    if isinstance(found, Written) and found.keyword and call.has(found.keyword):
        found = Manual(f"It has {found.keyword} as well", f"Take {name} out")
    if isinstance(found, Written) and (missing := _missing(file, struct, found)):
        found = missing
    now = known(owner)
    message = f"{name} is deprecated" + (f": {now} has taken its place" if now else "")
    if isinstance(found, Manual):
        return call.finding(rule, message, manual=found, at=argument)
    if found is None:
        return call.finding(
            rule, message, manual=_says(struct.deprecated[name], struct.replaced.get(name)), at=argument
        )
    edits: tuple[Edit, ...]
    if found.text is None:
        edits = call.remove(name)
    else:
        text, imports = _spell(file, found.text, call)
        edits = (*call.replace(name, found.keyword, text), *imports)
    return call.finding(rule, message, fix=Fix(edits, found.impact), at=argument)


def _hidden(name: str) -> Manual:
    return Manual(f"{name} is in a dictionary that the call unpacks", "Change it there")


def _missing(file: CdkFile, struct: CdkType, found: Written) -> Manual | None:
    """Why what is to be written is not there in the version that the project pins."""
    names = [f"{cdk_owner(struct.name, found.keyword)}.{found.keyword}", *_SPELLED.findall(found.text or "")]
    missing = (file.too_old(name.rpartition(".")[2], cdk_since(name)) for name in names if found.keyword)
    return next(filter(None, missing), None)


def _says(text: str, replacement: str | None) -> Manual:
    if replacement and text == f"use {replacement} instead":
        return Manual(f"{replacement} has taken its place, but is not the same", "Use it, and compare the templates")
    text = _LINK.sub(r"\1", text).rstrip(".")
    return Manual(f"The CDK says: {text}", "Do what it says, and compare the templates")


def _spell(file: CdkFile, text: str, at: Call | Reference) -> tuple[str, tuple[Edit, ...]]:
    """Text with the names of the CDK in it as the file writes them, and the edits of imports that this needs."""
    names = tuple(dict.fromkeys(_SPELLED.findall(text)))
    spelled, imports = file.spell_all(names, at) if names else ({}, ())
    return _SPELLED.sub(lambda match: spelled[match[1]], text), imports


# ---- names -------------------------------------------------------------------------------------


def _name(file: CdkFile, reference: Reference, values: list[tuple[int, int, str]]) -> Iterator[Finding]:
    """The finding for a class or a member of one that is deprecated, unless the keyword that it is given to has it."""
    owner, member = split(reference.name)
    found = cdk_type(owner) if owner else None
    if found is None:
        return
    if any(start <= reference.start < end and owner in kind for start, end, kind in values):
        return
    name = f"{cdk_owner(owner, member)}.{member}"
    if "" in found.deprecated and _applies(file, owner):
        whole = reference.part(owner) or reference
        if owner == _ORIGIN:
            yield origin(file, whole, rule)
        else:
            message = f"{owner.rpartition('.')[2]} is deprecated"
            yield whole.finding(rule, message, manual=_says(found.deprecated[""], None))
    elif member and member in found.deprecated and name not in OTHERS and _applies(file, name):
        part = reference.part(f"{owner}.{member}")
        yield _member(file, part or reference, found, name, written=part is not None)


def _member(file: CdkFile, reference: Reference, owner: CdkType, name: str, *, written: bool) -> Finding:
    member = name.rpartition(".")[2]
    now = NAMES.get(name)
    message = f"{owner.name.rpartition('.')[2]}.{member} is deprecated" + (f": its name is {now.new}" if now else "")
    if now is None or not written:
        manual = _says(owner.deprecated[member], owner.replaced.get(member))
        return reference.finding(rule, message, manual=manual)
    since = cdk_since(f"{name.rpartition('.')[0]}.{now.new}")
    if too_old := file.too_old(now.new, since):
        return reference.finding(rule, message, manual=too_old)
    return reference.finding(rule, message, fix=Fix(reference.rename(now.new), now.impact))


# ---- methods -----------------------------------------------------------------------------------


def _method(file: CdkFile, call: Call, owner: CdkType, name: str) -> Finding:
    member = name.rpartition(".")[2]
    now, impact = (NAMES[name].new, NAMES[name].impact) if name in NAMES else (_metric(owner, member), Impact.NONE)
    message = f"{member} is deprecated" + (f": its name is {now}" if now else "")
    if not now:
        return call.finding(rule, message, manual=_says(owner.deprecated[member], owner.replaced.get(member)))
    since = cdk_since(f"{name.rpartition('.')[0]}.{now.partition('.')[0]}")
    if too_old := file.too_old(now, since):
        return call.finding(rule, message, manual=too_old)
    takes = owner.methods[now].positional if now in owner.methods else owner.methods[member].positional
    if other := [one.name for one in call.keywords if one.name in {*owner.methods[member].positional} - {*takes}]:
        manual = Manual(f"{now} does not take {other[0]} by that name", f"Call {now} with it")
        return call.finding(rule, message, manual=manual)
    start, end = file.tree.span(getattr(call.node.func, "attr", call.node.func))
    return call.finding(rule, message, fix=Fix((Edit(file.path, start, end, now),), impact))


def _metric(owner: CdkType, member: str) -> str:
    """Where the metrics of load balancers are now: `metrics.request_count`, if it takes the same."""
    metrics = owner.properties.get("metrics")
    found = cdk_type(metrics.type) if metrics else None
    now = member.removeprefix(_METRICS)
    if found and member.startswith(_METRICS) and found.methods.get(now) == owner.methods[member]:
        return f"metrics.{now}"
    return ""
