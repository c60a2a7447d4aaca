"""Lambda functions as CDK apps make them, and what calls them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fixer.cdk.calls import Construct
    from fixer.cdk.file import CdkFile

LOW_LEVEL = "aws_lambda.CfnFunction"
HIGH_LEVEL = (
    "aws_lambda.Function",
    "aws_lambda.DockerImageFunction",
    "aws_lambda.SingletonFunction",
    "aws_lambda_nodejs.NodejsFunction",
    "aws_lambda_python.PythonFunction",
    "aws_lambda_python_alpha.PythonFunction",
    "aws_lambda_go.GoFunction",
    "aws_lambda_go_alpha.GoFunction",
    "triggers.TriggerFunction",
)
"""What takes the keywords of `aws_lambda.FunctionOptions`."""

_STREAMS = (
    "KinesisEventSource",
    "DynamoEventSource",
    "SqsEventSource",
    "ManagedKafkaEventSource",
    "SelfManagedKafkaEventSource",
)
_MAPPINGS = ("aws_lambda.EventSourceMapping", "aws_lambda.CfnEventSourceMapping")
_TASKS = ("aws_stepfunctions_tasks.LambdaInvoke",)
_EDGE = ("aws_cloudfront.EdgeLambda", "aws_cloudfront.LambdaFunctionAssociation")


def is_at_edge(function: Construct) -> bool:
    """Whether CloudFront runs the function at its edge, where most settings of functions are not to be had."""
    return any(_mentions(call.text, function) for name in _EDGE for call in function.file.calls(name))


def feeders(function: Construct) -> Iterator[str]:
    """What feeds the function with messages or records, or waits for it: `SqsEventSource`, `LambdaInvoke`, ..."""
    for method in ("add_event_source", "add_event_source_mapping"):
        for call in function.methods(method):
            yield next((name for name in _STREAMS if name in call.text), method)
    if events := function.argument("events"):
        yield next((name for name in _STREAMS if name in events.text), "events")
    for name in (*_MAPPINGS, *_TASKS):
        for call in function.file.calls(name):
            if _mentions(call.text, function):
                yield name.rpartition(".")[2]


def _mentions(text: str, function: Construct) -> bool:
    return function.target is not None and bool(re.search(rf"(?<![\w.]){re.escape(function.target)}(?!\w)", text))


def functions(file: CdkFile, *, low_level: bool = True) -> Iterator[Construct]:
    """The Lambda functions that a file makes, but for those at CloudFront's edge."""
    for function in file.constructs(*HIGH_LEVEL, *((LOW_LEVEL,) if low_level else ())):
        if not is_at_edge(function):
            yield function
