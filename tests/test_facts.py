"""The facts agree with the real CDK, and their patterns with names that AWS takes and refuses."""

from __future__ import annotations

import datetime
import functools
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from codemods.facts import Kind, Version, _archive, cdk_deprecated_since, cdk_since, log_retention, physical_names
from codemods.facts.cdk_api import cdk_keywords, cdk_module, cdk_modules, cdk_owner, cdk_type, cdk_types_called
from codemods.facts.cdk_gone import cdk_gone_in, cdk_newest
from codemods.facts.terraform_aws import terraform_data, terraform_provider, terraform_resource

ROOT = Path(__file__).parents[1]


def kind(name: str) -> Kind:
    return physical_names().kinds[name]


def test_importing_reads_nothing() -> None:
    code = """
import sys
import codemods.facts.cdk_api, codemods.facts.cdk_gone, codemods.facts.terraform_aws
from codemods.facts import _archive, physical_names
print(physical_names.cache_info().currsize, _archive.document.cache_info().currsize, "aws_cdk" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0 0 False\n"


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
    """Those that are to be exact: of the version before it is known that it does not have the name."""
    prop = "aws_dynamodb.{}.point_in_time_recovery_specification"
    assert {cdk_since(prop.format(props)) for props in ("TableProps", "TablePropsV2", "ReplicaTableProps")} == {
        (2, 178, 0)
    }
    assert cdk_since("aws_dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty.recovery_period_in_days") == (
        (2, 174, 0)
    )
    assert cdk_since("aws_dynamodb.TableV2") == (2, 95, 0)
    assert cdk_since("aws_logs.RetentionDays.THREE_YEARS") == (2, 70, 0)
    assert cdk_since("aws_logs.RetentionDays.NINE_YEARS") == (2, 25, 0)
    assert cdk_since("aws_s3.BlockPublicAccess.BLOCK_ACLS_ONLY") == (2, 196, 0)
    assert cdk_since("aws_s3.BlockPublicAccess.BLOCK_ALL") == (2, 0, 0)
    assert cdk_deprecated_since("aws_dynamodb.TableProps.point_in_time_recovery") == (2, 178, 0)
    assert cdk_deprecated_since("aws_s3.BlockPublicAccess.BLOCK_ACLS") == (2, 196, 0)
    assert cdk_deprecated_since("aws_s3.BlockPublicAccess.BLOCK_ALL") is None


CHANGELOG = {
    "aws_lambda.LogFormat": (2, 110, 0),
    "aws_lambda.LoggingFormat": (2, 127, 0),
    "aws_lambda.LoggingFormat.JSON": (2, 127, 0),
    "aws_lambda.FunctionProps.logging_format": (2, 127, 0),
    "aws_lambda.Function.logging_format": (2, 127, 0),
    "aws_lambda.DockerImageFunction.logging_format": (2, 127, 0),
    "aws_s3.Bucket.replication_rules": (2, 177, 0),
    "aws_cognito.PasswordPolicy.password_history_size": (2, 178, 0),
    "aws_ecs.FargateService.availability_zone_rebalancing": (2, 178, 0),
    "aws_ecs.ServiceConnectService.tls": (2, 178, 0),
    "aws_sns.Topic.fifo_throughput_scope": (2, 178, 0),
}
"""What CHANGELOG.v2.md and the API reference of the CDK say."""


@pytest.mark.parametrize(("name", "true"), CHANGELOG.items())
def test_first_versions_are_the_next_that_was_read(name: str, true: Version) -> None:
    made = _archive.document("cdk_versions.zip", "_generated")
    assert made
    read = [tuple(map(int, version.split("."))) for version in made["read"].split()]
    found = cdk_since(name)
    assert found == min(version for version in read if version >= true)
    assert found < (true[0], true[1] + 2, 0)


def test_keywords_of_a_construct_have_a_first_version() -> None:
    assert cdk_since("aws_lambda.Function", "logging_format") == cdk_since("aws_lambda.FunctionProps.logging_format")
    assert cdk_since("aws_lambda.Function", "timeout") == (2, 0, 0)
    assert cdk_since("aws_dynamodb.TableV2", "table_name") == cdk_since("aws_dynamodb.TableV2")
    both = ("point_in_time_recovery", "point_in_time_recovery_specification")
    assert cdk_since("aws_dynamodb.TableV2", *both) == (2, 178, 0)
    assert cdk_since("aws_s3.BucketProps", "bucket_name") == (2, 0, 0)
    assert cdk_since("aws_s3.Bucket", "bucket_name", "nothing_such") is None
    assert cdk_since("aws_logs.RetentionDays", "ONE_DAY") is None, "it takes no keywords"


def test_what_the_newest_cdk_does_not_have_has_no_first_version() -> None:
    for name in ("aws_s3.Bucket.nothing_such", "aws_s3.Nothing", "aws_s3", "Nothing", ""):
        assert cdk_since(name) is None
        assert cdk_deprecated_since(name) is None


@pytest.mark.parametrize("module", ["", "aws_ec2", "aws_lambda", "aws_s3"])
def test_all_of_the_cdk_has_a_first_version(module: str) -> None:
    """A member is not there before its type, nor deprecated before it is there."""
    for short in cdk_module(module):
        name = f"{module}.{short}".lstrip(".")
        found, since = cdk_type(name), cdk_since(name)
        assert found
        assert since
        for member in (*found.properties, *found.methods, *found.constants):
            assert (cdk_since(f"{name}.{member}") or (0, 0, 0)) >= since, f"{name}.{member}"
        for member in found.deprecated:
            full = f"{name}.{member}".rstrip(".")
            assert (cdk_deprecated_since(full) or (0, 0, 0)) >= (cdk_since(full) or (99, 0, 0)), full


def test_days_that_logs_can_be_kept() -> None:
    days = log_retention()
    assert (days[30], days[545], days[3653]) == ("ONE_MONTH", "EIGHTEEN_MONTHS", "TEN_YEARS")
    assert 45 not in days
    assert list(days) == sorted(days)


def test_constructs_of_the_cdk() -> None:
    bucket = cdk_type("aws_s3.Bucket")
    assert bucket
    assert bucket.initializer
    assert (bucket.kind, bucket.initializer.positional, bucket.initializer.struct) == (
        "class",
        ("scope", "id"),
        "aws_s3.BucketProps",
    )
    assert bucket.methods["add_to_resource_policy"].positional == ("permission",)
    assert bucket.methods["from_bucket_name"].positional == ("scope", "id", "bucket_name")
    assert bucket.properties["bucket_name"].type == "str"
    assert "node" in bucket.properties, "what it inherits is a part of it"
    assert cdk_keywords("aws_s3.Bucket")["block_public_access"].type == "aws_s3.BlockPublicAccess"
    assert cdk_keywords("aws_dynamodb.TableV2")["partition_key"].required
    assert not cdk_keywords("aws_dynamodb.TableV2")["table_name"].required
    assert cdk_keywords("aws_s3.CfnBucket.PublicAccessBlockConfigurationProperty").keys() >= {"block_public_acls"}
    assert cdk_keywords("aws_s3.Buckets") == {}
    assert cdk_type("aws_s4.Bucket") is None


def test_members_of_the_cdk_that_are_deprecated() -> None:
    props, access = cdk_type("aws_dynamodb.TableProps"), cdk_type("aws_s3.BlockPublicAccess")
    assert props
    assert access
    assert props.replaced["point_in_time_recovery"] == "point_in_time_recovery_specification"
    assert access.replaced == {"BLOCK_ACLS": "BLOCK_ACLS_ONLY"}
    assert access.constants == {"BLOCK_ACLS", "BLOCK_ACLS_ONLY", "BLOCK_ALL"}
    assert "metric" not in props.deprecated
    runtimes = cdk_type("aws_lambda.Runtime")
    assert runtimes
    assert "NODEJS_14_X" in runtimes.deprecated
    assert "PYTHON_3_13" not in runtimes.deprecated


def test_every_replacement_is_a_member() -> None:
    """What is to be used instead is there, in every type of some large modules."""
    for module in (
        "aws_dynamodb",
        "aws_ec2",
        "aws_ecs",
        "aws_lambda",
        "aws_rds",
        "aws_s3",
        "aws_elasticloadbalancingv2",
    ):
        for name in cdk_module(module):
            found = cdk_type(f"{module}.{name}")
            assert found
            members = {*found.properties, *found.methods, *found.constants}
            assert set(found.replaced.values()) <= members, found.name
            assert found.replaced.keys() <= found.deprecated.keys()


def test_names_are_pythons() -> None:
    """jsii puts the words of a constant apart, and a `_` behind a keyword, but leaves the members of enumerations."""
    services, responses = cdk_type("aws_ec2.InterfaceVpcEndpointAwsService"), cdk_type("aws_apigateway.ResponseType")
    codes = cdk_type("aws_elasticloadbalancingv2.HttpCodeElb")
    assert services
    assert responses
    assert codes
    assert "LAMBDA_" in services.constants
    assert "DEFAULT_5_XX" in responses.constants
    assert "ELB_5XX_COUNT" in codes.constants


def test_what_methods_give() -> None:
    bucket, vpc = cdk_type("aws_s3.Bucket"), cdk_type("aws_ec2.Vpc")
    assert bucket
    assert vpc
    assert bucket.methods["from_bucket_name"].returns == "aws_s3.IBucket"
    assert vpc.methods["add_gateway_endpoint"].returns == "aws_ec2.GatewayVpcEndpoint"
    assert bucket.methods["url_for_object"].returns == ""
    assert {"to_string", "is_construct", "with_"} <= bucket.methods.keys()


def test_owners_and_modules_of_names() -> None:
    assert cdk_owner("aws_lambda.FunctionProps", "log_format") == "aws_lambda.FunctionOptions"
    assert cdk_owner("aws_ec2.VpcProps", "cidr") == "aws_ec2.VpcProps"
    assert cdk_owner("aws_ec2.VpcProps", "nothing_such") == "aws_ec2.VpcProps"
    assert cdk_types_called("SnsAction") == ("aws_cloudwatch_actions.SnsAction",)
    assert {"aws_lambda.Function", "aws_cloudfront.Function"} <= {*cdk_types_called("Function")}
    assert cdk_types_called("NothingSuch") == ()
    assert {"", "aws_s3", "pipelines"} <= cdk_modules()


def test_what_the_cdk_had_once() -> None:
    assert cdk_gone_in("aws_ec2.CfnSubnetProps.ipv6_cidr_blocks") == (2, 160, 0)
    assert cdk_gone_in("aws_ec2.CfnSubnetProps.ipv6_cidr_block") is None
    assert cdk_gone_in("aws_ec2.CfnSubnetProps.never_there") is None
    assert cdk_newest() >= (2, 275, 0)


def test_resources_of_terraform() -> None:
    table = terraform_resource("aws_dynamodb_table")
    assert table
    assert table.majors == (4, 5, 6)
    assert table.attributes["name"].required
    assert not table.attributes["arn"].optional
    assert table.attributes["tags"].type == "map(string)"
    recovery = table.blocks["point_in_time_recovery"]
    assert (recovery.nesting, recovery.min, recovery.max) == ("list", 0, 1)
    assert recovery.attributes["enabled"].required
    assert recovery.attributes["recovery_period_in_days"].majors == (5, 6)
    assert table.attributes["region"].majors == (6,)
    queue = terraform_data("aws_sqs_queue")
    assert queue
    assert queue.attributes["url"].computed
    assert "ignore_tags" in terraform_provider().blocks
    assert terraform_resource("aws_sqs_que") is None
    assert terraform_resource("google_storage_bucket") is None


def test_physical_names_are_arguments() -> None:
    names, missing = physical_names(), []
    for kind, arguments in names.terraform.items():
        found = terraform_resource(kind)
        missing += [f"{kind}.{one}" for one in arguments if not (found and one in found.attributes)]
    for construct, arguments in names.cdk.items():
        missing += [f"{construct}.{one}" for one in arguments if one not in cdk_keywords(construct)]
    assert missing == []


def test_blocks_within_themselves_end() -> None:
    acl = terraform_resource("aws_wafv2_web_acl")
    assert acl
    statement = acl.blocks["rule"].blocks["statement"].blocks["not_statement"].blocks["statement"]
    assert "ip_set_reference_statement" in statement.blocks


@pytest.mark.parametrize("archive", ["cdk_api.zip", "cdk_gone.zip", "cdk_versions.zip", "terraform_aws.zip"])
def test_archives_are_small_and_say_what_made_them(archive: str) -> None:
    made = _archive.document(archive, "_generated")
    assert made
    assert (ROOT / made["by"]).exists()
    assert re.search(r" \d+\.\d+\.\d+", made["from"])
    datetime.date.fromisoformat(made["date"])
    assert (ROOT / "codemods/facts" / archive).stat().st_size < 900_000


@pytest.mark.slow
@pytest.mark.parametrize("module", ["", "aws_dynamodb", "aws_ec2", "aws_iam", "aws_lambda", "aws_logs", "aws_s3"])
def test_the_installed_cdk_is_the_same(module: str) -> None:
    package = importlib.import_module(f"aws_cdk.{module}".rstrip("."))
    for name in cdk_module(module):
        found, there = cdk_type(f"{module}.{name}".lstrip(".")), functools.reduce(getattr, name.split("."), package)
        assert found
        if found.kind == "enum":
            assert found.constants == {member.name for member in there}
        assert {member for member in {*found.properties, *found.methods} if not hasattr(there, member)} == set(), name
        if found.kind == "struct" or (found.kind == "class" and found.initializer):
            parameters = {*inspect.signature(there.__init__).parameters} - {"self"}
            made = found.initializer
            positional = {*made.positional, made.variadic} if made else set()
            assert {*positional, *cdk_keywords(found.name)} >= parameters - {"args", "kwargs"}, name


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
