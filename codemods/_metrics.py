"""Metrics of CloudWatch that tell whether functions, tables and APIs do their work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric of a service that an alarm is for; source: "Metrics and dimensions" in the documentation of each.

    Attributes:
        key: What the option `alarms` calls it.
        names: Its name in CloudWatch, and those of others that do as well.
        methods: What the CDK calls it, should the construct have a method for it.
        label: The end of the alarm's name.
        what: What it counts or measures, for people.
        statistic: How the values of a period are put together.
        limit: The option for its threshold.
    """

    key: str
    names: tuple[str, ...]
    methods: tuple[str, ...]
    label: str
    what: str
    statistic: str
    limit: str


_LAMBDA = (
    Metric("lambda-errors", ("Errors",), ("metric_errors",), "errors", "errors", "Sum", "errors"),
    Metric("lambda-throttles", ("Throttles",), ("metric_throttles",), "throttles", "throttles", "Sum", "throttles"),
    Metric(
        "lambda-duration", ("Duration",), ("metric_duration",), "duration", "duration", "Maximum", "duration_percent"
    ),
)
_THROTTLED = (
    "metric_throttled_requests_for_operations",
    "metric_throttled_requests_for_operation",
    "metric_throttled_requests",
)
_DYNAMODB = tuple(
    Metric(
        f"dynamodb-{kind.lower()}-throttles",
        (f"{kind}ThrottleEvents", "ThrottledRequests"),
        _THROTTLED,
        f"{kind.lower()}_throttles",
        f"throttled {kind.lower()}s",
        "Sum",
        "table_throttles",
    )
    for kind in ("Read", "Write")
)


def _of_api(four: str, five: str, prefix: str) -> tuple[Metric, ...]:
    return (
        Metric("api-4xx", (four,), ("metric_client_error",), f"{prefix}4xx", "4XX responses", "Sum", "client_errors"),
        Metric("api-5xx", (five,), ("metric_server_error",), f"{prefix}5xx", "5XX responses", "Sum", "server_errors"),
        Metric("api-latency", ("Latency",), ("metric_latency",), f"{prefix}latency", "latency", "p95", "latency"),
    )


_REST = _of_api("4XXError", "5XXError", "")
_HTTP = _of_api("4xx", "5xx", "http_")


@dataclass(frozen=True)
class Service:
    """Where a type of resources reports its metrics.

    Attributes:
        resource: The type in Terraform.
        namespace: The namespace of the metrics.
        dimension: The dimension that holds the resource.
        attribute: The attribute, in Terraform, that is its value.
        name: The argument, in Terraform, that is the resource's name.
        metrics: What it reports that calls for somebody.
    """

    resource: str
    namespace: str
    dimension: str
    attribute: str
    name: str
    metrics: tuple[Metric, ...]


FUNCTIONS = Service("aws_lambda_function", "AWS/Lambda", "FunctionName", "function_name", "function_name", _LAMBDA)
TABLES = Service("aws_dynamodb_table", "AWS/DynamoDB", "TableName", "name", "name", _DYNAMODB)
REST_APIS = Service("aws_api_gateway_rest_api", "AWS/ApiGateway", "ApiName", "name", "name", _REST)
HTTP_APIS = Service("aws_apigatewayv2_api", "AWS/ApiGateway", "ApiId", "id", "name", _HTTP)
SERVICES = (FUNCTIONS, TABLES, REST_APIS, HTTP_APIS)
KEYS = tuple(dict.fromkeys(metric.key for service in SERVICES for metric in service.metrics))
"""What the alarms for these metrics are called in options."""
