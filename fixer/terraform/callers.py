"""What calls the Lambda functions of Terraform modules, as far as the module shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fixer.model import Caller, Known, Unknown

if TYPE_CHECKING:
    from fixer.terraform.block import Block
    from fixer.terraform.references import Reference

_WAITING = (
    "aws_api_gateway_authorizer",
    "aws_api_gateway_integration",
    "aws_api_gateway_rest_api",
    "aws_apigatewayv2_api",
    "aws_apigatewayv2_authorizer",
    "aws_apigatewayv2_integration",
    "aws_appsync_datasource",
    "aws_cognito_user_pool",
    "aws_lambda_function_url",
    "aws_lb_target_group_attachment",
)
"""Whatever is behind one of these has a client that waits for the function's answer."""
_NO_CALLERS = (
    "aws_appautoscaling_target",
    "aws_cloudwatch_dashboard",
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_metric_alarm",
    "aws_lambda_provisioned_concurrency_config",
)
"""They refer to functions, but don't call them."""
_PRINCIPALS = (
    "apigateway.amazonaws.com",
    "appsync.amazonaws.com",
    "cognito-idp.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
)
_USUAL = 30_000
"""Milliseconds that API Gateway waits at most, unless its quota is raised."""
_PERMISSION = "aws_lambda_permission"
_NAMING = (_PERMISSION, "aws_lambda_event_source_mapping", "aws_lambda_function_url")
"""Resources that may name the function by a literal."""
_DEEPEST = 5


def callers(function: Block) -> Iterator[Caller]:
    """What calls the function, each once, as far as its module shows it."""
    seen = {function.address}
    for block in (*_referring(function.address, function, seen, 0), *_naming(function)):
        if block.address not in seen and (caller := _judged(block)):
            yield caller
        seen.add(block.address)


def _referring(address: str, function: Block, seen: set[str], depth: int) -> Iterator[Block]:
    """The top-level blocks that refer to something, also through locals and aliases of the function."""
    module = function.module
    found: list[Reference] = [*module.references(address), *module.references(address, fixed=True)]
    for one in found:
        block = one.block.top if one.block else None
        if block is None or depth > _DEEPEST:
            continue
        if block.type == "locals" and one.attribute:
            yield from _referring(f"local.{one.attribute.name}", function, seen, depth + 1)
        elif block.labels[:1] == ("aws_lambda_alias",):
            yield from _referring(block.address, function, seen, depth + 1)
        else:
            yield block


def _naming(function: Block) -> Iterator[Block]:
    for kind in _NAMING:
        for block, is_sure in function.module.resources_for(function, kind, "function_name"):
            if is_sure:
                yield block


def _judged(block: Block) -> Caller | None:
    kind = block.labels[0] if block.type == "resource" else block.type
    if kind in _NO_CALLERS or kind in ("output", "check", "import", "moved", "removed"):
        return None
    if kind == _PERMISSION:
        return Caller(block.address, block.value("principal") in [Known(one) for one in _PRINCIPALS])
    return Caller(block.address, kind in _WAITING and not _is_patient(block))


def _is_patient(block: Block) -> bool:
    """Whether nobody waits, or longer than by default, or the answer is sent piece by piece."""
    limit = block.value("timeout_milliseconds")
    if block.value("invoke_mode") == Known("RESPONSE_STREAM") or isinstance(limit, Unknown):
        return True
    if isinstance(limit, Known) and not (str(limit.value).isdigit() and int(limit.value) <= _USUAL):
        return True
    return "X-Amz-Invocation-Type" in block.text()
