"""What stands in the place of what aws-cdk-lib has deprecated, where it means the same.

A name of the CDK in `<>` is written as the file imports it; `{}` is the value as it was. That the templates stay the
same where the impact is `none` was tried with aws-cdk-lib 2.275.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fixer.model import Impact


@dataclass(frozen=True)
class Keyword:
    """What to write instead of a keyword."""

    new: str
    """The keyword; empty if it is to be taken out."""
    text: str = "{}"
    values: Mapping[str, str] = field(default_factory=dict)
    """What to write for each value, by its `repr`, or by a member's name; no other value is known if there are any."""
    impact: Impact = Impact.NONE


def _members(owner: str, names: str) -> dict[str, str]:
    return {name: f"<{owner}>.{name}" for name in names.split()}


def _literals(owner: str, names: str) -> dict[str, str]:
    return {repr(name): f"<{owner}>.{name}" for name in names.split()}


_INSIGHTS = Keyword("contributor_insights_specification", "<aws_dynamodb.ContributorInsightsSpecification>(enabled={})")
_SCALABILITY = Keyword(
    "cluster_scalability_type", values=_members("aws_rds.ClusterScalabilityType", "STANDARD LIMITLESS")
)
_PARAMETERS = Keyword("item_selector", impact=Impact.BEHAVIOR)
_WORKER = "aws_stepfunctions_tasks.WorkerTypeV2"
_THREATS = "aws_cognito.StandardThreatProtectionMode"

KEYWORDS: Mapping[str, Keyword] = {
    "aws_apigateway.RestApiProps.minimum_compression_size": Keyword("min_compression_size", "<Size>.bytes({})"),
    "aws_appsync.GraphqlApiProps.schema": Keyword("definition", "<aws_appsync.Definition>.from_schema({})"),
    "aws_codedeploy.ServerDeploymentGroupProps.load_balancer": Keyword("load_balancers", "[{}]"),
    "aws_cognito.UserPoolProps.advanced_security_mode": Keyword(
        "standard_threat_protection_mode",
        values={
            "ENFORCED": f"<{_THREATS}>.FULL_FUNCTION",
            "AUDIT": f"<{_THREATS}>.AUDIT_ONLY",
            "OFF": f"<{_THREATS}>.NO_ENFORCEMENT",
        },
    ),
    "aws_dynamodb.GlobalSecondaryIndexProps.contributor_insights_enabled": _INSIGHTS,
    "aws_dynamodb.ReplicaGlobalSecondaryIndexOptions.contributor_insights": _INSIGHTS,
    "aws_dynamodb.TableOptions.contributor_insights_enabled": _INSIGHTS,
    "aws_dynamodb.TableOptionsV2.contributor_insights": _INSIGHTS,
    "aws_ec2.VpcProps.cidr": Keyword("ip_addresses", "<aws_ec2.IpAddresses>.cidr({})"),
    "aws_ecr.RepositoryProps.auto_delete_images": Keyword("empty_on_delete", impact=Impact.BEHAVIOR),
    "aws_ecs.ClusterProps.container_insights": Keyword(
        "container_insights_v2",
        values={"True": "<aws_ecs.ContainerInsights>.ENABLED", "False": "<aws_ecs.ContainerInsights>.DISABLED"},
    ),
    "aws_ecs.FluentdLogDriverProps.async_connect": Keyword("async_", impact=Impact.BEHAVIOR),
    "aws_eks_v2.KubectlProviderOptions.security_group": Keyword("security_groups", "[{}]"),
    "aws_kinesisfirehose.CommonDestinationProps.processor": Keyword("processors", "[{}]"),
    "aws_lambda.EcrImageCodeProps.tag": Keyword("tag_or_digest"),
    "aws_lambda.FunctionOptions.application_log_level": Keyword(
        "application_log_level_v2",
        values=_literals("aws_lambda.ApplicationLogLevel", "TRACE DEBUG INFO WARN ERROR FATAL"),
    ),
    "aws_lambda.FunctionOptions.log_format": Keyword(
        "logging_format",
        values={"'JSON'": "<aws_lambda.LoggingFormat>.JSON", "'Text'": "<aws_lambda.LoggingFormat>.TEXT"},
    ),
    "aws_lambda.FunctionOptions.system_log_level": Keyword(
        "system_log_level_v2", values=_literals("aws_lambda.SystemLogLevel", "DEBUG INFO WARN")
    ),
    "aws_logs.QueryStringProps.filter": Keyword("filter_statements", "[{}]"),
    "aws_logs.QueryStringProps.parse": Keyword("parse_statements", "[{}]"),
    "aws_logs.QueryStringProps.stats": Keyword("stats_statements", "[{}]"),
    "aws_rds.DatabaseClusterFromSnapshotProps.cluster_scailability_type": _SCALABILITY,
    "aws_rds.DatabaseClusterProps.cluster_scailability_type": _SCALABILITY,
    "aws_ssm.StringParameterProps.type": Keyword("", values={"STRING": ""}),
    "aws_stepfunctions.MapJsonPathProps.parameters": _PARAMETERS,
    "aws_stepfunctions.MapJsonataProps.parameters": _PARAMETERS,
    "aws_stepfunctions.MapProps.parameters": _PARAMETERS,
    "aws_stepfunctions.StateMachineProps.definition": Keyword(
        "definition_body", "<aws_stepfunctions.DefinitionBody>.from_chainable({})"
    ),
    "aws_stepfunctions.TaskStateBaseOptions.heartbeat": Keyword(
        "heartbeat_timeout", "<aws_stepfunctions.Timeout>.duration({})"
    ),
    "aws_stepfunctions.TaskStateBaseOptions.timeout": Keyword(
        "task_timeout", "<aws_stepfunctions.Timeout>.duration({})"
    ),
    "aws_stepfunctions_tasks.EmrCreateCluster.SpotProvisioningSpecificationProperty.timeout_duration_minutes": Keyword(
        "timeout", "<Duration>.minutes({})"
    ),
    "aws_stepfunctions_tasks.WorkerConfigurationProperty.worker_type": Keyword(
        "worker_type_v2",
        values={
            "STANDARD": f"<{_WORKER}>.STANDARD",
            "G_025X": f"<{_WORKER}>.G_025_X",
            "G_1X": f"<{_WORKER}>.G_1_X",
            "G_2X": f"<{_WORKER}>.G_2_X",
            "G_4X": f"<{_WORKER}>.G_4_X",
            "G_8X": f"<{_WORKER}>.G_8_X",
            "Z_2X": f"<{_WORKER}>.Z_2_X",
        },
    ),
}
"""By the struct that has the keyword itself."""


@dataclass(frozen=True)
class Named:
    """The name that a member has now, on the same type."""

    new: str
    impact: Impact = Impact.NONE


_ENDPOINT = "aws_ec2.InterfaceVpcEndpointAwsService"

NAMES: Mapping[str, Named] = {
    "aws_apigateway.AccessLogField.context_account_id": Named("context_caller_account_id"),
    "aws_docdb.CaCertificate.RDS_CA_RDS2048_G1": Named("RDS_CA_RSA2048_G1"),
    "aws_docdb.CaCertificate.RDS_CA_RDS4096_G1": Named("RDS_CA_RSA4096_G1"),
    f"{_ENDPOINT}.APP_MESH": Named("APP_MESH_ENVOY_MANAGEMENT"),
    f"{_ENDPOINT}.CLOUDWATCH": Named("CLOUDWATCH_MONITORING"),
    f"{_ENDPOINT}.CLOUDWATCH_EVENTS": Named("EVENTBRIDGE"),
    f"{_ENDPOINT}.CODEWHISPERER": Named("Q_DEVELOPER_CODE_WHISPERER"),
    f"{_ENDPOINT}.PAYMENT_CRYTOGRAPHY_DATAPLANE": Named("PAYMENT_CRYPTOGRAPHY_DATAPLANE"),
    f"{_ENDPOINT}.PINPOINT": Named("PINPOINT_SMS_VOICE_V2"),
    f"{_ENDPOINT}.SES": Named("EMAIL_SMTP"),
    "aws_ec2.SubnetType.PRIVATE_WITH_NAT": Named("PRIVATE_WITH_EGRESS"),
    "aws_rds.CaCertificate.RDS_CA_RDS2048_G1": Named("RDS_CA_RSA2048_G1"),
    "aws_rds.CaCertificate.RDS_CA_RDS4096_G1": Named("RDS_CA_RSA4096_G1"),
    "aws_stepfunctions.Map.iterator": Named("item_processor", Impact.BEHAVIOR),
    "CfnResource.add_dependency": Named("add_resource_dependency"),
    "CfnResource.add_depends_on": Named("add_resource_dependency"),
    "CfnResource.remove_dependency": Named("remove_resource_dependency"),
    "SecretValue.plain_text": Named("unsafe_plain_text"),
    "Stack.add_dependency": Named("add_stack_dependency"),
}
"""Members of classes and enumerations, and methods, by the type that has them itself."""

OTHERS = frozenset(
    (
        *(
            f"aws_dynamodb.{struct}.point_in_time_recovery"
            for struct in ("TableOptions", "TableOptionsV2", "ReplicaTableProps")
        ),
        "aws_lambda.FunctionOptions.log_retention",
        "aws_lambda.FunctionOptions.log_removal_policy",
        "aws_s3.BlockPublicAccess.BLOCK_ACLS",
    )
)
"""What another rule is about."""
