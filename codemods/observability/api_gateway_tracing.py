"""Trace the REST APIs of API Gateway with X-Ray.

## Why

With tracing on, a request's trace starts where the request comes in, at the API, and shows how long the API itself,
its authorizers and its integrations took. Without it, traces begin in the functions behind the API, and what was slow
or refused before them is not seen.

## CDK Python

The stage that `RestApi`, `LambdaRestApi`, `SpecRestApi` or `StepFunctionsRestApi` makes for itself gets
`tracing_enabled=True` in its `deploy_options`, and so do `Stage` and `CfnStage`. Impact `behavior`: the stage is
updated in place.

## Terraform

`aws_api_gateway_stage` gets `xray_tracing_enabled = true`. Impact `behavior`, as above.

## Not fixed

- A stage that `aws_api_gateway_deployment`, or `CfnDeployment`, makes by its `stage_name`: it has no such setting.
  Declare the stage as a resource of its own.
- A setting that can't be judged: a condition, a variable without default, `**arguments`, options that are written as a
  dict or shared by several APIs, JSON.
- Not reported: HTTP and WebSocket APIs, which X-Ray does not trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixer.cdk.apis import rest_stages
from fixer.model import Absent, Findings, Impact, Manual, Rule

if TYPE_CHECKING:
    from fixer.cdk import CdkFile
    from fixer.terraform import Module

rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S0-5.2",),
    scanners=(
        "CKV_AWS_73",
        "AWS-0003",
        "AVD-AWS-0003",
        "aws-api-gateway-enable-tracing",
        "5813ef56-fa94-406a-b35d-977d4a56ff2b",
        "HIPAA.Security-APIGWXrayEnabled",
        "Serverless-APIGWXrayEnabled",
    ),
    keywords=("apigateway", "aws_api_gateway"),
)

_MESSAGE = "is not traced with X-Ray"
_OWN_STAGE = Manual(
    "The deployment makes the stage, by its stage_name, and can't have it traced",
    "Declare the stage as a resource of its own, then run iacfix again",
)


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Stages by `tracing_enabled`."""
    for stage in rest_stages(file):
        if found := stage.lack("tracing_enabled", True):
            yield found.finding(rule, _MESSAGE)
    for deployment in file.constructs("aws_apigateway.CfnDeployment"):
        if deployment.value("stage_name") is not Absent:
            yield deployment.finding(rule, _MESSAGE, manual=_OWN_STAGE)


@rule.terraform
def terraform(module: Module, options: object) -> Findings:
    """Stages by `xray_tracing_enabled`; deployments that make one themselves."""
    for stage in module.all_resources("aws_api_gateway_stage"):
        if found := stage.lack("xray_tracing_enabled", "true"):
            yield found.finding(rule, _MESSAGE)
    for deployment in module.all_resources("aws_api_gateway_deployment"):
        if deployment.value("stage_name") is not Absent:
            yield deployment.finding(rule, _MESSAGE, manual=_OWN_STAGE, at=deployment.attribute("stage_name"))
