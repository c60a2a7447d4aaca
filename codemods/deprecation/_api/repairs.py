"""What programs write that the CDK does not have, where exactly one thing can be meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Repair:
    """The keyword that is meant."""

    new: str
    """Empty if it is to be taken out."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What to write for each value, by its `repr` or a member's name; no other value is known if there are any."""


_SWITCH = {"True": "True", "False": "False"}

KEYWORDS: Mapping[str, Repair] = {
    "aws_autoscaling.CommonAutoScalingGroupProps.subnets": Repair("vpc_subnets"),
    "aws_autoscaling.ElbHealthCheckOptions.grace_period": Repair("grace"),
    "aws_autoscaling.Ec2HealthCheckOptions.grace_period": Repair("grace"),
    "aws_cloudwatch.CreateAlarmOptions.treatment_missing_data": Repair("treat_missing_data"),
    "aws_dynamodb.TableOptions.time_to_live": Repair("time_to_live_attribute"),
    "aws_dynamodb.TableOptions.ttl_attribute": Repair("time_to_live_attribute"),
    "aws_ec2.AmazonLinux2ImageSsmParameterProps.generation": Repair("", values={"AMAZON_LINUX_2": ""}),
    "aws_ec2.AmazonLinux2023ImageSsmParameterProps.generation": Repair("", values={"AMAZON_LINUX_2023": ""}),
    "aws_ec2.InstanceProps.subnet_selection": Repair("vpc_subnets"),
    "aws_ec2.InstanceProps.subnets": Repair("vpc_subnets"),
    "aws_iam.PolicyProps.policy_document": Repair("document"),
    "aws_lambda.FunctionOptions.environment_variables": Repair("environment"),
    "aws_lambda.FunctionOptions.memory": Repair("memory_size"),
    "aws_lambda.FunctionOptions.reserved_concurrency": Repair("reserved_concurrent_executions"),
    "aws_lambda_event_sources.StreamEventSourceProps.max_batching_window_time": Repair("max_batching_window"),
    "aws_lambda_event_sources.SqsEventSourceProps.max_batching_window_time": Repair("max_batching_window"),
    "aws_rds.DatabaseInstanceNewProps.backup_window": Repair("preferred_backup_window"),
    "aws_rds.DatabaseInstanceNewProps.enabled_cloudwatch_logs_exports": Repair("cloudwatch_logs_exports"),
    "aws_rds.DatabaseInstanceProps.encryption_key": Repair("storage_encryption_key"),
    "aws_rds.DatabaseInstanceReadReplicaProps.encryption_key": Repair("storage_encryption_key"),
    "aws_rds.DatabaseInstanceNewProps.maintenance_window": Repair("preferred_maintenance_window"),
    "aws_rds.DatabaseInstanceNewProps.performance_insights_enabled": Repair("enable_performance_insights"),
    "aws_rds.SubnetGroupProps.subnets": Repair("vpc_subnets"),
    "aws_s3.BucketProps.versioning": Repair("versioned", values=_SWITCH),
    "aws_s3.BucketProps.versioning_enabled": Repair("versioned"),
    "aws_sns.TopicProps.kms_master_key": Repair("master_key"),
    "aws_sqs.QueueProps.kms_master_key": Repair("encryption_master_key"),
    "aws_vpclattice.CfnTargetGroup.HealthCheckConfigProperty.interval_seconds": Repair("health_check_interval_seconds"),
    "aws_vpclattice.CfnTargetGroup.HealthCheckConfigProperty.timeout_seconds": Repair("health_check_timeout_seconds"),
}
"""By the struct that the call takes, or one that it derives from."""

_DAYS = {
    "ONE_WEEK": "SEVEN SEVEN_DAYS DAYS_7",
    "TWO_WEEKS": "FOURTEEN FOURTEEN_DAYS DAYS_14",
    "ONE_MONTH": "THIRTY THIRTY_DAYS DAYS_30",
    "TWO_MONTHS": "SIXTY SIXTY_DAYS DAYS_60",
    "THREE_MONTHS": "NINETY NINETY_DAYS DAYS_90",
    "FOUR_MONTHS": "DAYS_120",
    "FIVE_MONTHS": "DAYS_150",
    "SIX_MONTHS": "ONE_HUNDRED_EIGHTY_DAYS DAYS_180",
    "ONE_YEAR": "TWELVE_MONTHS DAYS_365",
}

NAMES: Mapping[str, str] = {
    "aws_dynamodb.BillingMode.ON_DEMAND": "PAY_PER_REQUEST",
    **{f"aws_logs.RetentionDays.{wrong}": right for right, every in _DAYS.items() for wrong in every.split()},
}
"""Members of classes and enumerations by what they are called, with their names."""

MODULES: Mapping[str, str] = {
    "aws_api_gateway": "aws_apigateway",
    "aws_application_autoscaling": "aws_applicationautoscaling",
    "aws_cloud_watch": "aws_cloudwatch",
    "aws_elb": "aws_elasticloadbalancing",
    "aws_elbv2": "aws_elasticloadbalancingv2",
    "aws_elbv2_targets": "aws_elasticloadbalancingv2_targets",
    "aws_eventbridge": "aws_events",
    "aws_eventbridge_targets": "aws_events_targets",
    "aws_secrets_manager": "aws_secretsmanager",
    "aws_step_functions": "aws_stepfunctions",
    "aws_step_functions_tasks": "aws_stepfunctions_tasks",
}

UNITS: Mapping[str, str] = {
    "_in_seconds": "seconds",
    "_seconds": "seconds",
    "_in_minutes": "minutes",
    "_minutes": "minutes",
    "_in_hours": "hours",
    "_hours": "hours",
    "_in_days": "days",
    "_days": "days",
    "_millis": "millis",
    "_ms": "millis",
}
"""Ends of keywords that say the unit of a number, with the methods of `Duration`."""
