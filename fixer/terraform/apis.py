"""Stages of API Gateway as Terraform modules declare them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fixer.model import Absent
from fixer.terraform.functions import behind

if TYPE_CHECKING:
    from fixer.terraform.block import Attribute, Block
    from fixer.terraform.module import Module

REST_API = "aws_api_gateway_rest_api"
REST_STAGE = "aws_api_gateway_stage"
DEPLOYMENT = "aws_api_gateway_deployment"
_OWNERS = {
    REST_STAGE: ("rest_api_id", REST_API),
    DEPLOYMENT: ("rest_api_id", REST_API),
    "aws_apigatewayv2_stage": ("api_id", "aws_apigatewayv2_api"),
}
"""Of each type of stages: the argument for its API, and the type of that."""


def rest_stages(module: Module) -> Iterator[Block]:
    """The stages of REST APIs: resources of their own, and deployments that make another one by their `stage_name`."""
    stages = list(module.declared(REST_STAGE))
    yield from (stage for stage in stages if stage.value("stage_name") is not Absent)
    for deployment in module.declared(DEPLOYMENT):
        if deployment.value("stage_name") is not Absent and not any(_is_same(one, deployment) for one in stages):
            yield deployment


def _is_same(stage: Block, deployment: Block) -> bool:
    """Whether the stage that a deployment makes is also a resource of its own."""
    given = [(stage.attribute(name), deployment.attribute(name)) for name in ("rest_api_id", "stage_name")]
    return all(own and its and own.expr.text == its.expr.text for own, its in given)


def api_of(stage: Block) -> Block | None:
    """The API that a stage is of, if the module declares it."""
    argument, kind = _OWNERS[stage.labels[0]]
    given = stage.attribute(argument)
    return behind(stage.module, given.expr, kind) if given else None


def of_same_api(stage: Block, kind: str) -> Iterator[Block]:
    """The resources of a type, such as methods, that are of the same REST API as a stage by their `rest_api_id`."""
    own, api = stage.attribute("rest_api_id"), api_of(stage)
    for block in stage.module.all_resources(kind):
        its = block.attribute("rest_api_id")
        same = its and own and its.expr.text == own.expr.text
        if same or (api and its and behind(stage.module, its.expr, REST_API) is api):
            yield block


def is_meant(stage: Block, api: Attribute | None, name: Attribute | None) -> bool | None:
    """Whether what names an API and a stage of it, as settings and usage plans do, means a stage of a REST API.

    None if that can't be told.
    """
    own = stage.attribute("rest_api_id")
    if api is None or name is None or own is None:
        return None
    if any(one.address == stage.address for one in name.expr.traversals()):
        return True
    if not any(one.address == stage.address for one in api.expr.traversals()) and api.expr.text != own.expr.text:
        return False
    return stage.module.refers_to(name.expr, stage, "stage_name")
