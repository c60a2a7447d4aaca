"""Arguments that the AWS provider calls otherwise than is often written.

Written by hand, from the provider's upgrade guides and documentation; the schema in `terraform_aws.zip` has all of the
right names.
"""

from __future__ import annotations

from collections.abc import Mapping

RENAMED: Mapping[str, Mapping[str, str]] = {
    "aws_alb": {"enable_drop_invalid_header_fields": "drop_invalid_header_fields"},
    "aws_api_gateway_method": {"authorization_type": "authorization"},
    "aws_api_gateway_stage": {"name": "stage_name"},
    "aws_apigatewayv2_stage.default_route_settings": {
        "throttle_burst_limit": "throttling_burst_limit",
        "throttle_rate_limit": "throttling_rate_limit",
    },
    "aws_autoscaling_attachment": {"alb_target_group_arn": "lb_target_group_arn"},
    "aws_batch_compute_environment": {
        "compute_environment_name": "name",
        "compute_environment_name_prefix": "name_prefix",
    },
    "aws_cloudwatch_event_target.retry_policy": {"maximum_event_age": "maximum_event_age_in_seconds"},
    "aws_config_configuration_recorder.recording_group": {"include_global_resources": "include_global_resource_types"},
    "aws_cloudwatch_log_group": {"retention_days": "retention_in_days"},
    "aws_db_instance": {
        "database_name": "db_name",
        "master_password": "password",
        "master_username": "username",
        "name": "db_name",
        "preferred_backup_window": "backup_window",
        "preferred_maintenance_window": "maintenance_window",
    },
    "aws_dynamodb_table": {"deletion_protection": "deletion_protection_enabled"},
    "aws_ec2_transit_gateway_peering_attachment_accepter": {
        "transit_gateway_peering_attachment_id": "transit_gateway_attachment_id"
    },
    "aws_elasticache_replication_group": {
        "availability_zones": "preferred_cache_cluster_azs",
        "number_cache_clusters": "num_cache_clusters",
        "replication_group_description": "description",
    },
    "aws_flow_log": {"log_destination_arn": "log_destination"},
    "aws_iam_account_password_policy": {
        "require_lowercase_letters": "require_lowercase_characters",
        "require_uppercase_letters": "require_uppercase_characters",
    },
    "aws_instance": {"image_id": "ami"},
    "aws_kms_key": {"key_policy": "policy"},
    "aws_lb": {"enable_drop_invalid_header_fields": "drop_invalid_header_fields"},
    "aws_rds_cluster": {
        "backup_window": "preferred_backup_window",
        "db_name": "database_name",
        "maintenance_window": "preferred_maintenance_window",
        "password": "master_password",
        "username": "master_username",
    },
    "aws_route": {"vpn_gateway_id": "gateway_id"},
    "aws_route53_health_check": {"interval": "request_interval"},
    "aws_s3_bucket": {"name": "bucket"},
    "aws_sagemaker_data_quality_job_definition": {"job_definition_name": "name"},
    "aws_sns_topic": {"kms_key_id": "kms_master_key_id"},
    "aws_sqs_queue": {
        "kms_key_id": "kms_master_key_id",
        "message_retention_period": "message_retention_seconds",
        "visibility_timeout": "visibility_timeout_seconds",
    },
    "provider.aws": {"s3_force_path_style": "s3_use_path_style"},
}


def terraform_renamed(path: str) -> Mapping[str, str]:
    """The right names by the wrong ones, for a place such as `aws_lambda_function.tracing_config` or `provider.aws`."""
    return RENAMED.get(path, {})
