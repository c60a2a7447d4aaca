"""The facts agree with the real CDK, and their patterns with names that AWS takes and refuses."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

from codemods.facts import Kind, cdk_deprecated_since, cdk_since, log_retention, physical_names


def kind(name: str) -> Kind:
    return physical_names().kinds[name]


def test_importing_reads_nothing() -> None:
    code = "import sys, codemods.facts as f; print(f.physical_names.cache_info().currsize, 'aws_cdk' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0 False\n"
    )


def test_kinds_of_names_in_both_languages() -> None:
    names = physical_names()
    assert names.cdk["aws_s3.Bucket"]["bucket_name"].kind is names.terraform["aws_s3_bucket"]["bucket"].kind
    assert names.cdk["aws_dynamodb.Table"]["table_name"].reference == "table_name"
    assert names.cdk["aws_apigatewayv2.HttpApi"]["api_name"].reference == "http_api_name"
    assert names.cdk["aws_cognito.UserPool"]["user_pool_name"].reference is None
    assert names.terraform["aws_lambda_function"]["function_name"].reference == "function_name"


@pytest.mark.parametrize(
    "owner",
    [
        "aws_route53.ARecord",
        "aws_route53.HostedZone",
        "aws_apigateway.Stage",
        "aws_iam.Policy",
        "aws_iam.CfnServiceLinkedRole",
    ],
)
def test_what_is_no_physical_name_in_the_cdk(owner: str) -> None:
    assert owner not in physical_names().cdk


@pytest.mark.parametrize(
    "owner",
    ["aws_route53_zone", "aws_route53_record", "aws_acm_certificate", "aws_iam_role_policy", "aws_api_gateway_stage"],
)
def test_what_is_no_physical_name_in_terraform(owner: str) -> None:
    assert owner not in physical_names().terraform


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("s3-bucket", ["my-data-dev", "a.b-c"], ["My-data", "a", "-data", "data-", "a..b", "x" * 64]),
        ("dynamodb-table", ["Orders-dev", "a.b_c"], ["ab", "a b", "x" * 256]),
        ("lambda-function", ["orders_v2-dev", "x" * 64], ["x" * 65, "a.b"]),
        ("sqs-queue", ["orders-dev", "orders-dev.fifo", "x" * 75 + ".fifo"], ["orders.fifo-dev", "x" * 76 + ".fifo"]),
        ("sns-topic", ["orders-dev.fifo"], ["orders.dev"]),
        ("iam-role", ["orders-role@dev"], ["x" * 65, "rôle", "a/b"]),
        ("log-group", ["/aws/lambda/orders-dev"], ["a b"]),
        ("ssm-parameter", ["/shop/db/host-dev", "host-dev"], ["/shop//host", "/shop/"]),
        ("kms-alias", ["alias/orders-dev", "orders-dev"], ["alias/aws/s3", "a b"]),
        ("rds-instance", ["orders-dev"], ["1orders", "orders--dev", "orders-"]),
        ("load-balancer", ["orders-dev"], ["x" * 33, "-orders", "internal-orders"]),
        ("ecr-repository", ["shop/orders-dev"], ["Shop", "shop/"]),
        ("glue-database", ["orders_dev"], ["orders-dev"]),
    ],
)
def test_names_that_aws_takes_and_refuses(name: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not kind(name).allows(text)] == []
    assert [text for text in bad if kind(name).allows(text)] == []


def test_traits_of_names() -> None:
    assert {name for name in ("s3-bucket", "ecr-repository", "iam-role", "dynamodb-table") if kind(name).lower} == {
        "s3-bucket",
        "ecr-repository",
    }
    assert kind("sqs-queue").end == ".fifo"
    assert kind("kms-alias").start == "alias/"
    assert kind("log-group").paths
    assert kind("glue-database").separator == "_"
    assert kind("s3-bucket").replaces
    assert not kind("user-pool").replaces


@pytest.mark.parametrize("name", sorted(physical_names().kinds))
def test_patterns_do_not_backtrack_for_ever(name: str) -> None:
    found = kind(name)
    assert not found.allows("a" * (min(found.max, 400) - 1) + "\0")


def test_first_versions_of_the_cdk() -> None:
    prop = "aws_dynamodb.{}.point_in_time_recovery_specification"
    assert {cdk_since(prop.format(props)) for props in ("TableProps", "TablePropsV2", "ReplicaTableProps")} == {
        (2, 178, 0)
    }
    assert cdk_deprecated_since("aws_dynamodb.TableProps.point_in_time_recovery") == (2, 178, 0)
    assert cdk_since("aws_s3.BlockPublicAccess.BLOCK_ALL") == (2, 0, 0)
    assert cdk_deprecated_since("aws_s3.BlockPublicAccess.BLOCK_ALL") is None
    assert cdk_since("aws_s3.Bucket.nothing_such") is None


def test_days_that_logs_can_be_kept() -> None:
    days = log_retention()
    assert (days[30], days[545], days[3653]) == ("ONE_MONTH", "EIGHTEEN_MONTHS", "TEN_YEARS")
    assert 45 not in days
    assert list(days) == sorted(days)


@pytest.mark.slow
def test_python_signatures_have_the_arguments() -> None:
    """The facts have Python's names of the properties: the installed aws-cdk-lib has such keyword arguments."""
    missing = []
    for construct, arguments in physical_names().cdk.items():
        module, _, name = construct.rpartition(".")
        parameters = inspect.signature(getattr(importlib.import_module(f"aws_cdk.{module}"), name).__init__).parameters
        missing += [f"{construct}.{argument}" for argument in arguments if argument not in parameters]
    assert missing == []


@pytest.mark.slow
def test_retention_members_are_those_of_the_cdk() -> None:
    logs = importlib.import_module("aws_cdk.aws_logs")
    assert set(log_retention().values()) == {member.name for member in logs.RetentionDays} - {"INFINITE"}
