"""Keep CloudFront from caching what APIs answer.

## Why

`CachingOptimized`, which is the CDK's default, keeps an answer for a day and tells requests apart by their path alone.
In front of an API one caller gets what another one asked for, and old data. It also passes no query strings, cookies
and headers on.

A behavior is one of an API if its origin is a REST or HTTP API of API Gateway, or if its path is `/api` or below, as in
`/api/*`, and its origin is no S3 bucket.

## CDK Python

Such a `BehaviorOptions`, or call of `add_behavior`, without `cache_policy`, or with `CACHING_OPTIMIZED` or
`CACHING_OPTIMIZED_FOR_UNCOMPRESSED_OBJECTS`, gets

```python
cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
```

the second one if it has none and the project's aws-cdk-lib is 2.72.0 or newer. API Gateway refuses requests with
another host's name, so the host header stays behind. Impact `behavior`: the distribution is updated in place.

## Terraform

The same for cache behaviors of `aws_cloudfront_distribution`. The policies are named by data sources, which are added
above the first distribution if the module has none:

```hcl
data "aws_cloudfront_cache_policy" "caching_disabled" {
  name = "Managed-CachingDisabled"
}
```

A behavior with `forwarded_values` keeps these. Where it has no `default_ttl`, CloudFront keeps answers that say nothing
of it for a day: it becomes 0. Impact `behavior`.

## Not fixed

- Times to live that somebody chose: a `min_ttl` or `default_ttl` above 0, unless `max_ttl` is 0. Set them to 0, or keep
  them with `# iacfix: ignore[cloudfront-api-caching] why`.
- A policy that comes from a variable, a parameter, a condition or `**arguments`, times to live from variables, a path
  of an API whose origin can't be told, what `dynamic` blocks make, distributions in override files or `.tf.json`, and
  those whose `lifecycle` ignores changes: make sure there that nothing is cached.
- CDK version 1 without a cache policy: its early releases have none.
- Not judged: cache policies of your own, which somebody wrote for the API, `CfnDistribution` and
  `CloudFrontWebDistribution`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from codemods.facts import cdk_since
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Symbol, Unknown
from fixer.terraform import free_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixer.cdk import Argument, Call, CdkFile
    from fixer.model import Edit, Finding
    from fixer.terraform import Attribute, Block, Module

rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S1-4.3",),
    keywords=("aws_cloudfront",),
)

_CACHED = "caches what an API answers"
_DOUBTFUL = "may cache what an API answers"
_STEP = "Make sure that it caches nothing"
_PATH = re.compile(r"/?api(/.*|\*)?")


# ---- CDK Python --------------------------------------------------------------------------------

_POLICY = "aws_cloudfront.CachePolicy"
_DISABLED = f"{_POLICY}.CACHING_DISABLED"
_OPTIMIZED = (f"{_POLICY}.CACHING_OPTIMIZED", f"{_POLICY}.CACHING_OPTIMIZED_FOR_UNCOMPRESSED_OBJECTS")
_REQUESTS = "aws_cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER"
_ORIGINS = "aws_cloudfront_origins"
_BUCKETS = ("S3BucketOrigin", "S3Origin", "S3StaticWebsiteOrigin")
_API_DOMAIN = re.compile(r"execute-api|\b(rest_api_id|http_api_id|api_id|api_endpoint|api\w*\.url)\b")


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Behaviors by their origin and path."""
    for call in file.calls("aws_cloudfront.BehaviorOptions"):
        yield from _behavior(file, call, call.argument("origin"), _path_above(file, call))
    for call in file.methods("add_behavior"):
        given = [*call.positional, None, None]
        path, origin = given[0] or call.argument("path_pattern"), given[1] or call.argument("origin")
        yield from _behavior(file, call, origin, _text(path.node if path else None))


def _behavior(file: CdkFile, call: Call, origin: Argument | None, path: str) -> Iterator[Finding]:
    is_api = _is_api(file, call, origin, path)
    value, argument = call.value("cache_policy", shared=True), call.argument("cache_policy")
    caches = value is Absent or value in [Known(Symbol(name)) for name in _OPTIMIZED]
    if isinstance(value, Unknown) and is_api is not False:
        written = call.behind("cache_policy")
        if written is None or not isinstance(written.node, cst.Call):
            manual = Manual(f"cache_policy can't be judged: it {value.why}", _STEP)
            yield call.finding(rule, _DOUBTFUL, manual=manual, at=argument)
    elif caches and is_api is None:
        yield call.finding(rule, _DOUBTFUL, manual=Manual(f"The origin of {path} can't be told", _STEP))
    elif caches and is_api:
        if file.is_v1 and value is Absent:
            manual = Manual("Early releases of CDK version 1 have no cache policies", "Move to version 2, or set one")
            yield call.finding(rule, _CACHED, manual=manual)
        elif isinstance(own := call.value("cache_policy"), Unknown):
            yield call.finding(rule, _CACHED, manual=Manual(f"cache_policy {own.why}", _STEP))
        else:
            yield call.finding(rule, _CACHED, fix=Fix(_uncached(file, call), Impact.BEHAVIOR))


def _uncached(file: CdkFile, call: Call) -> tuple[Edit, ...]:
    wanted = {"cache_policy": _DISABLED}
    if call.value("origin_request_policy") is Absent and file.has_since(cdk_since(_REQUESTS)):
        wanted["origin_request_policy"] = _REQUESTS
    spelled, imports = file.spell_all(wanted.values(), call)
    return (*call.set_all({keyword: spelled[name] for keyword, name in wanted.items()}), *imports)


def _is_api(file: CdkFile, call: Call, origin: Argument | None, path: str) -> bool | None:
    """Whether a behavior is one of an API; None if its path says so, and its origin is not known."""
    written = call.behind(origin) if origin else None
    name = file.qualified(written.node.func) if written and isinstance(written.node, cst.Call) else None
    module, _, kind = (name or "").partition(".")
    if module != _ORIGINS:
        return None if _PATH.fullmatch(path) else False
    if kind.startswith(_BUCKETS):
        return False
    is_domain = kind == "HttpOrigin" and written is not None and _API_DOMAIN.search(_domain(file, written)) is not None
    return kind == "RestApiOrigin" or is_domain or _PATH.fullmatch(path) is not None


def _domain(file: CdkFile, origin: Argument) -> str:
    """The source of an origin, and of what its domain stands for."""
    made = next((one for one in file.calls(f"{_ORIGINS}.HttpOrigin") if one.start == origin.start), None)
    given = made.argument("domain_name") or next(iter(made.positional), None) if made else None
    written = made.behind(given) if made and given else None
    return f"{origin.text} {written.text}" if written else origin.text


def _path_above(file: CdkFile, call: Call) -> str:
    """The key that behaviors stand under in a dict."""
    above = file.tree.parents.get(call.node)
    return _text(above.key) if isinstance(above, cst.DictElement) else ""


def _text(node: cst.BaseExpression | None) -> str:
    return str(node.evaluated_value) if isinstance(node, cst.SimpleString) else ""


# ---- Terraform ---------------------------------------------------------------------------------

_CACHE = "aws_cloudfront_cache_policy"
_REQUEST = "aws_cloudfront_origin_request_policy"
_NAMES = {_CACHE: "Managed-CachingDisabled", _REQUEST: "Managed-AllViewerExceptHostHeader"}
_LABELS = {_CACHE: "caching_disabled", _REQUEST: "all_viewer_except_host_header"}
_OPTIMIZED_NAMES = ("Managed-CachingOptimized", "Managed-CachingOptimizedForUncompressedObjects")
_OPTIMIZED_IDS = ("658327ea-f89d-4fab-a63d-7e88639e58f6", "b2884449-e4de-46a7-ac36-70bc7f1ddd6d")
"""From "Use managed cache policies" in the guide to CloudFront; the CDK has them too."""
_API = re.compile(r"execute-api|\baws_api_gateway_|\baws_apigatewayv2_")
_BUCKET = re.compile(r"\baws_s3_bucket|\.s3[.-]")
_KINDS = ("default_cache_behavior", "ordered_cache_behavior")


@rule.terraform
def terraform(module: Module, options: object) -> Findings:
    """Behaviors of distributions by their origin and path."""
    for distribution in module.declared("aws_cloudfront_distribution"):
        for kind in _KINDS:
            for behavior in distribution.blocks(kind):
                yield from _judged(module, distribution, behavior)
            if dynamic := distribution.dynamic(kind):
                content = "".join(one.text() for one in dynamic.blocks("content"))
                if _API.search(distribution.text()) and "cache_policy_id" in content:
                    manual = Manual("Its behaviors are made by a dynamic block", _STEP)
                    yield dynamic.finding(rule, _DOUBTFUL, manual=manual)


def _judged(module: Module, distribution: Block, behavior: Block) -> Iterator[Finding]:
    path = behavior.value("path_pattern")
    is_path = isinstance(path, Known) and _PATH.fullmatch(str(path.value)) is not None
    is_api = _origin_is_api(module, distribution, behavior, is_path=is_path)
    wanted, why = _caching(module, behavior)
    if is_api is False or not (wanted or why):
        return
    if why:
        yield behavior.finding(rule, _DOUBTFUL, manual=Manual(why, _STEP))
    elif is_api is None:
        yield behavior.finding(rule, _DOUBTFUL, manual=Manual("Its origin can't be told", _STEP))
    elif distribution.read_only or module.overridden(distribution):
        yield behavior.finding(rule, _CACHED, manual=Manual("It is in a file that iacfix does not rewrite", _STEP))
    elif distribution.ignores_changes(behavior.type):
        yield behavior.finding(rule, _CACHED, manual=Manual("The lifecycle ignores changes of it", _STEP))
    else:
        added: list[str] = []
        values = {name: _source(module, name, text, added) for name, text in wanted.items()}
        # All fixes that add something touch the same place, so that each sees what the one before has added.
        first = next(module.resources("aws_cloudfront_distribution"), distribution)
        above = first.insert_before("\n\n".join(added)) if added else ()
        fix = Fix((*behavior.set_all(values), *above), Impact.BEHAVIOR)
        yield behavior.finding(rule, _CACHED, fix=fix)


def _caching(module: Module, behavior: Block) -> tuple[dict[str, str], str]:
    """What keeps a behavior from caching, nothing if it does not cache; and why that can't be told."""
    policy = behavior.attribute("cache_policy_id")
    if policy is None:
        return _times(module, behavior) if behavior.holds("forwarded_values") else ({}, "")
    value, traversal = module.resolve(policy.expr), module.follow(policy.expr).traversal
    if module.variables_behind(policy.expr):
        return {}, f"cache_policy_id comes from {policy.expr.text}"
    if traversal and traversal.address.startswith(f"data.{_CACHE}."):
        source = module.resource(traversal.address)
        name = source.value("name") if source else Absent
        is_optimized = isinstance(name, Known) and name.value in _OPTIMIZED_NAMES
    else:
        is_optimized = isinstance(value, Known) and value.value in _OPTIMIZED_IDS
        if isinstance(value, Unknown) and not traversal:
            return {}, f"cache_policy_id can't be judged: it {value.why}"
    wanted = {"cache_policy_id": _CACHE} if is_optimized else {}
    if wanted and behavior.value("origin_request_policy_id") is Absent:
        wanted["origin_request_policy_id"] = _REQUEST
    return wanted, ""


def _times(module: Module, behavior: Block) -> tuple[dict[str, str], str]:
    """The same for times to live: a greatest one counts only where an answer asks to be cached."""
    values = {name: behavior.value(name) for name in ("min_ttl", "default_ttl", "max_ttl")}
    for name, value in values.items():
        attribute = behavior.attribute(name)
        if isinstance(value, Unknown):
            return {}, f"{name} can't be judged: it {value.why}"
        if attribute and module.variables_behind(attribute.expr):
            return {}, f"{name} comes from {attribute.expr.text}"
    if values["max_ttl"] == Known(0):
        return {}, ""
    for name in ("min_ttl", "default_ttl"):
        value = values[name]
        if isinstance(value, Known) and value != Known(0):
            return {}, f"Somebody chose how long it keeps answers: {name} is {value.value}"
    return ({"default_ttl": "0"}, "") if values["default_ttl"] is Absent else ({}, "")


def _source(module: Module, argument: str, kind: str, added: list[str]) -> str:
    """The value of an argument: the id that a data source for a managed policy gives, which may have to be added."""
    if kind not in _NAMES:
        return kind
    for source in module.data(kind):
        if source.value("name") == Known(_NAMES[kind]) and not source.meta():
            return f"{source.address}.id"
    name = free_name(module, f"data.{kind}", _LABELS[kind], "_2")
    added.append(f'data "{kind}" "{name}" {{\n  name = "{_NAMES[kind]}"\n}}')
    return f"data.{kind}.{name}.id"


def _origin_is_api(module: Module, distribution: Block, behavior: Block, *, is_path: bool) -> bool | None:
    """Whether a behavior is one of an API; None if its path says so, and its origin is not known."""
    target = behavior.attribute("target_origin_id")
    found = next((one for one in distribution.blocks("origin") if target and _is_named(module, one, target)), None)
    domain = found.attribute("domain_name") if found else None
    if found is None or domain is None:
        return None if is_path else False
    text = f"{domain.expr.text} {module.follow(domain.expr).text}"
    for traversal in domain.expr.traversals():
        if traversal.names[0] == "local" and (attribute := module.local(traversal.names[1])):
            text += f" {attribute.expr.text}"
    if _BUCKET.search(text) or found.holds("s3_origin_config") or found.holds("origin_access_control_id"):
        return False
    return _API.search(text) is not None or is_path


def _is_named(module: Module, origin: Block, target: Attribute) -> bool:
    name = origin.attribute("origin_id")
    if name is None:
        return False
    same = "".join(name.expr.text.split()) == "".join(target.expr.text.split())
    value = module.resolve(name.expr)
    return same or (isinstance(value, Known) and value == module.resolve(target.expr))
