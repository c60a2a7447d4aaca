"""The orders service: APIs, functions, tables, buckets and what goes with them."""

from typing import Any

import json

from aws_cdk import (
    CfnOutput,
    Duration,
    RemovalPolicy,
    Stack,
    aws_apigateway as apigateway,
    aws_apigatewayv2 as apigwv2,
    aws_apigatewayv2_integrations as integrations,
    aws_cloudfront as cloudfront,
    aws_cloudfront_origins as origins,
    aws_cloudwatch as cloudwatch,
    aws_cloudwatch_actions as cloudwatch_actions,
    aws_cognito as cognito,
    aws_dynamodb as dynamodb,
    aws_ec2 as ec2,
    aws_events as events,
    aws_events_targets as targets,
    aws_iam as iam,
    aws_kms as kms,
    aws_lambda as _lambda,
    aws_lambda_event_sources as lambda_event_sources,
    aws_logs as logs,
    aws_s3 as s3,
    aws_secretsmanager as secretsmanager,
    aws_sns as sns,
    aws_sqs as sqs,
)
from constructs import Construct


class OrdersStack(Stack):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        environment_suffix: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.logs_key = kms.Key(
            self, "LogsKey", description="Encrypts log groups", enable_key_rotation=True
        )
        self.logs_key.grant(
            iam.ServicePrincipal(
                f"logs.{self.region}.amazonaws.com",
                conditions={
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": self.format_arn(
                            service="logs", resource="*"
                        )
                    }
                },
            ),
            "kms:Encrypt*",
            "kms:Decrypt*",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:Describe*",
        )
        self.is_production = environment_suffix in ("prod", "production", "prd")

        self.environment_suffix = environment_suffix

        self.vpc = self._create_vpc()
        self.user_pool = self._create_user_pool()
        self._create_tables()
        self._create_buckets()
        self._create_secrets()
        self._create_queues()
        self._create_functions()
        self._create_rest_api()
        self._create_http_api()
        self._create_distribution()
        self._create_outputs()

    def _create_vpc(self) -> ec2.Vpc:
        vpc = ec2.Vpc(
            self,
            "OrdersVpc",
            vpc_name="orders-vpc",
            ip_addresses=ec2.IpAddresses.cidr("10.0.0.0/16"),
            max_azs=2,
            nat_gateways=1,
            flow_logs={
                "FlowLogs": ec2.FlowLogOptions(
                    destination=ec2.FlowLogDestination.to_cloud_watch_logs(
                        logs.LogGroup(
                            self,
                            "OrdersVpcFlowLogs",
                            retention=logs.RetentionDays.ONE_MONTH,
                            encryption_key=self.logs_key,
                        ),
                        iam.Role(
                            self,
                            "OrdersVpcFlowLogsRole",
                            assumed_by=iam.ServicePrincipal(
                                "vpc-flow-logs.amazonaws.com"
                            ),
                        ),
                    )
                )
            },
        )

        # Flow logs need a role of their own
        self.flow_log_role = iam.Role(
            self,
            "FlowLogRole",
            assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com"),
            inline_policies={
                "FlowLogs": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=[
                                "logs:CreateLogGroup",
                                "logs:CreateLogStream",
                                "logs:DescribeLogGroups",
                                "logs:DescribeLogStreams",
                                "logs:PutLogEvents",
                            ],
                            resources=["*"],
                        )
                    ]
                )
            },
        )

        return vpc

    def _create_user_pool(self) -> cognito.UserPool:
        user_pool = cognito.UserPool(
            self,
            "OrdersUserPool",
            user_pool_name=f"orders-users-{self.environment_suffix}",
            self_sign_up_enabled=True,
            sign_in_aliases=cognito.SignInAliases(email=True),
            password_policy=cognito.PasswordPolicy(
                min_length=12, require_digits=True, require_symbols=True
            ),
            standard_threat_protection_mode=cognito.StandardThreatProtectionMode.NO_ENFORCEMENT,
            removal_policy=(
                RemovalPolicy.RETAIN if self.is_production else RemovalPolicy.DESTROY
            ),
            mfa=cognito.Mfa.OPTIONAL if self.is_production else None,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
        )
        user_pool.add_client(
            "OrdersClient",
            user_pool_client_name="orders-client",
            auth_flows=cognito.AuthFlow(user_srp=True),
        )
        return user_pool

    def _create_tables(self) -> None:
        self.orders_table = dynamodb.Table(
            self,
            "OrdersTable",
            table_name=f"orders-{self.environment_suffix}",
            partition_key=dynamodb.Attribute(
                name="orderId", type=dynamodb.AttributeType.STRING
            ),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            removal_policy=(
                RemovalPolicy.RETAIN if self.is_production else RemovalPolicy.DESTROY
            ),
        )

        self.sessions_table = dynamodb.Table(
            self,
            "SessionsTable",
            table_name=f"sessions-{self.environment_suffix}",
            partition_key=dynamodb.Attribute(
                name="sessionId", type=dynamodb.AttributeType.STRING
            ),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expiresAt",
            removal_policy=(
                RemovalPolicy.RETAIN if self.is_production else RemovalPolicy.DESTROY
            ),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
        )

    def _create_buckets(self) -> None:
        self.uploads_bucket = s3.Bucket(
            self,
            "UploadsBucket",
            bucket_name=f"orders-uploads-{self.environment_suffix}",
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            removal_policy=(
                RemovalPolicy.RETAIN if self.is_production else RemovalPolicy.DESTROY
            ),
            auto_delete_objects=not self.is_production,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
        )

        self.reports_bucket = s3.Bucket(
            self,
            "ReportsBucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
        )

    def _create_secrets(self) -> None:
        secrets_key = kms.Key(
            self, "SecretsKey", description="Encrypts secrets", enable_key_rotation=True
        )
        self.api_secret = secretsmanager.Secret(
            self,
            "PaymentApiSecret",
            secret_name=f"orders/payment-api-{self.environment_suffix}",
            description="Key of the payment provider's API",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"username": "orders"}),
                generate_string_key="password",
            ),
            encryption_key=secrets_key,
        )

    def _create_queues(self) -> None:
        self.orders_queue = sqs.Queue(
            self,
            "OrdersQueue",
            queue_name=f"orders-queue-{self.environment_suffix}",
            visibility_timeout=Duration.seconds(300),
            dead_letter_queue=sqs.DeadLetterQueue(
                max_receive_count=3,
                queue=sqs.Queue(
                    self,
                    "OrdersQueueDeadLetterQueue",
                    encryption=sqs.QueueEncryption.SQS_MANAGED,
                    enforce_ssl=True,
                    retention_period=Duration.days(14),
                ),
            ),
        )
        self.alerts_topic = sns.Topic(
            self, "AlertsTopic", topic_name=f"orders-alerts-{self.environment_suffix}"
        )

        sessions_table_read_throttles_alarm = cloudwatch.Alarm(
            self,
            "SessionsTableReadThrottlesAlarm",
            metric=self.sessions_table.metric("ReadThrottleEvents", statistic="Sum"),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        sessions_table_read_throttles_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )
        sessions_table_write_throttles_alarm = cloudwatch.Alarm(
            self,
            "SessionsTableWriteThrottlesAlarm",
            metric=self.sessions_table.metric("WriteThrottleEvents", statistic="Sum"),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        sessions_table_write_throttles_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )

        orders_table_read_throttles_alarm = cloudwatch.Alarm(
            self,
            "OrdersTableReadThrottlesAlarm",
            metric=self.orders_table.metric("ReadThrottleEvents", statistic="Sum"),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        orders_table_read_throttles_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )
        orders_table_write_throttles_alarm = cloudwatch.Alarm(
            self,
            "OrdersTableWriteThrottlesAlarm",
            metric=self.orders_table.metric("WriteThrottleEvents", statistic="Sum"),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        orders_table_write_throttles_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )

    def _create_functions(self) -> None:
        lambda_role = iam.Role(
            self,
            "LambdaRole",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name(
                    "service-role/AWSLambdaBasicExecutionRole"
                )
            ],
        )
        lambda_role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:PutObject", "s3:PutObjectAcl", "sns:Publish"],
                resources=["*"],
            )
        )

        # Answers the APIs
        self.api_function = _lambda.Function(
            self,
            "ApiFunction",
            function_name=f"orders-api-{self.environment_suffix}",
            runtime=_lambda.Runtime.PYTHON_3_12,
            handler="index.handler",
            code=_lambda.Code.from_inline(
                'def handler(event, context):\n    return {"statusCode": 200}\n'
            ),
            role=lambda_role,
            memory_size=256,
            timeout=Duration.seconds(30),
            log_group=logs.LogGroup(
                self,
                "ApiFunctionLogGroup",
                retention=logs.RetentionDays.ONE_WEEK,
                encryption_key=self.logs_key,
            ),
            environment={
                "TABLE_NAME": self.orders_table.table_name,
                "SECRET_ARN": self.api_secret.secret_arn,
            },
            logging_format=_lambda.LoggingFormat.JSON,
            dead_letter_queue=sqs.Queue(
                self,
                "ApiFunctionDeadLetterQueue",
                encryption=sqs.QueueEncryption.SQS_MANAGED,
                enforce_ssl=True,
                retention_period=Duration.days(14),
            ),
            tracing=_lambda.Tracing.ACTIVE,
        )

        api_function_errors_alarm = cloudwatch.Alarm(
            self,
            "ApiFunctionErrorsAlarm",
            metric=self.api_function.metric_errors(),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        api_function_errors_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )
        api_function_throttles_alarm = cloudwatch.Alarm(
            self,
            "ApiFunctionThrottlesAlarm",
            metric=self.api_function.metric_throttles(),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        api_function_throttles_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )
        api_function_duration_alarm = cloudwatch.Alarm(
            self,
            "ApiFunctionDurationAlarm",
            metric=self.api_function.metric_duration(statistic="Maximum"),
            threshold=self.api_function.timeout.to_milliseconds() * 0.8,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        api_function_duration_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )

        self.orders_table.grant_read_write_data(self.api_function)
        self.api_secret.grant_read(self.api_function)

        # Works through the queue
        self.worker_function = _lambda.Function(
            self,
            "WorkerFunction",
            function_name=f"orders-worker-{self.environment_suffix}",
            runtime=_lambda.Runtime.PYTHON_3_12,
            handler="index.handler",
            code=_lambda.Code.from_inline(
                'def handler(event, context):\n    return {"statusCode": 200}\n'
            ),
            timeout=Duration.seconds(60),
            environment={"BUCKET_NAME": self.uploads_bucket.bucket_name},
            logging_format=_lambda.LoggingFormat.JSON,
            log_group=logs.LogGroup(
                self,
                "WorkerFunctionLogGroup",
                retention=logs.RetentionDays.ONE_MONTH,
                encryption_key=self.logs_key,
            ),
            tracing=_lambda.Tracing.ACTIVE,
        )

        worker_function_errors_alarm = cloudwatch.Alarm(
            self,
            "WorkerFunctionErrorsAlarm",
            metric=self.worker_function.metric_errors(),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        worker_function_errors_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )
        worker_function_throttles_alarm = cloudwatch.Alarm(
            self,
            "WorkerFunctionThrottlesAlarm",
            metric=self.worker_function.metric_throttles(),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        worker_function_throttles_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )
        worker_function_duration_alarm = cloudwatch.Alarm(
            self,
            "WorkerFunctionDurationAlarm",
            metric=self.worker_function.metric_duration(statistic="Maximum"),
            threshold=self.worker_function.timeout.to_milliseconds() * 0.8,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        worker_function_duration_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )

        self.worker_function.add_event_source(
            lambda_event_sources.SqsEventSource(self.orders_queue, batch_size=10)
        )
        self.uploads_bucket.grant_put(self.worker_function)

        # Makes the report of the night
        self.report_function = _lambda.Function(
            self,
            "ReportFunction",
            runtime=_lambda.Runtime.PYTHON_3_12,
            handler="index.handler",
            code=_lambda.Code.from_inline(
                "def handler(event, context):\n    return 1\n"
            ),
            memory_size=1024,
            logging_format=_lambda.LoggingFormat.JSON,
            dead_letter_queue=sqs.Queue(
                self,
                "ReportFunctionDeadLetterQueue",
                encryption=sqs.QueueEncryption.SQS_MANAGED,
                enforce_ssl=True,
                retention_period=Duration.days(14),
            ),
            tracing=_lambda.Tracing.ACTIVE,
            log_group=logs.LogGroup(
                self,
                "ReportFunctionLogGroup",
                retention=logs.RetentionDays.ONE_MONTH,
                encryption_key=self.logs_key,
            ),
        )

        report_function_errors_alarm = cloudwatch.Alarm(
            self,
            "ReportFunctionErrorsAlarm",
            metric=self.report_function.metric_errors(),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        report_function_errors_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )
        report_function_throttles_alarm = cloudwatch.Alarm(
            self,
            "ReportFunctionThrottlesAlarm",
            metric=self.report_function.metric_throttles(),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        report_function_throttles_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )
        report_function_duration_alarm = cloudwatch.Alarm(
            self,
            "ReportFunctionDurationAlarm",
            metric=self.report_function.metric_duration(statistic="Maximum"),
            threshold=2400,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        report_function_duration_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )

        self.reports_bucket.grant_put(self.report_function)
        rule = events.Rule(
            self,
            "NightlyRule",
            rule_name=f"orders-nightly-{self.environment_suffix}",
            schedule=events.Schedule.rate(Duration.days(1)),
        )
        rule.add_target(targets.LambdaFunction(self.report_function))

        self.audit_log_group = logs.LogGroup(
            self,
            "AuditLogGroup",
            log_group_name=f"/orders/audit-{self.environment_suffix}",
            removal_policy=(
                RemovalPolicy.RETAIN if self.is_production else RemovalPolicy.DESTROY
            ),
            retention=logs.RetentionDays.ONE_MONTH,
            encryption_key=self.logs_key,
        )

    def _create_rest_api(self) -> None:
        self.api = apigateway.RestApi(
            self,
            "OrdersApi",
            rest_api_name=f"orders-api-{self.environment_suffix}",
            description="The orders API",
            deploy_options=apigateway.StageOptions(
                stage_name="prod",
                access_log_destination=apigateway.LogGroupLogDestination(
                    logs.LogGroup(
                        self,
                        "OrdersApiAccessLogs",
                        retention=logs.RetentionDays.ONE_MONTH,
                        encryption_key=self.logs_key,
                    )
                ),
                access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
                    caller=True,
                    http_method=True,
                    ip=True,
                    protocol=True,
                    request_time=True,
                    resource_path=True,
                    response_length=True,
                    status=True,
                    user=True,
                ),
                throttling_rate_limit=1000,
                throttling_burst_limit=500,
                tracing_enabled=True,
            ),
            default_cors_preflight_options=apigateway.CorsOptions(
                allow_origins=apigateway.Cors.ALL_ORIGINS,
                allow_methods=apigateway.Cors.ALL_METHODS,
            ),
        )

        api_client_errors_alarm = cloudwatch.Alarm(
            self,
            "OrdersApiClientErrorsAlarm",
            metric=self.api.metric_client_error(),
            threshold=50,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        api_client_errors_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )
        api_server_errors_alarm = cloudwatch.Alarm(
            self,
            "OrdersApiServerErrorsAlarm",
            metric=self.api.metric_server_error(),
            threshold=5,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        api_server_errors_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )
        api_latency_alarm = cloudwatch.Alarm(
            self,
            "OrdersApiLatencyAlarm",
            metric=self.api.metric_latency(statistic="p95"),
            threshold=3000,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        api_latency_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )

        usage_plan = self.api.add_usage_plan(
            "UsagePlan",
            throttle=apigateway.ThrottleSettings(rate_limit=100, burst_limit=50),
            quota=apigateway.QuotaSettings(
                limit=1000000, period=apigateway.Period.MONTH
            ),
        )
        usage_plan.add_api_key(self.api.add_api_key("ApiKey"))
        usage_plan.add_api_stage(stage=self.api.deployment_stage)
        orders = self.api.root.add_resource("orders")
        integration = apigateway.LambdaIntegration(self.api_function)
        orders.add_method("GET", integration)
        orders.add_method("POST", integration, api_key_required=True)

    def _create_http_api(self) -> None:
        self.http_api = apigwv2.HttpApi(
            self, "OrdersHttpApi", api_name=f"orders-http-api-{self.environment_suffix}"
        )
        CfnOutput(
            self,
            "OrdersHttpApiUrl",
            value=self.http_api.api_endpoint,
            description="URL of the orders HTTP API",
            export_name=f"{self.stack_name}-OrdersHttpApiUrl-{self.environment_suffix}",
        )

        http_api_client_errors_alarm = cloudwatch.Alarm(
            self,
            "OrdersHttpApiClientErrorsAlarm",
            metric=self.http_api.metric_client_error(),
            threshold=50,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        http_api_client_errors_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )
        http_api_server_errors_alarm = cloudwatch.Alarm(
            self,
            "OrdersHttpApiServerErrorsAlarm",
            metric=self.http_api.metric_server_error(),
            threshold=5,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        http_api_server_errors_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )
        http_api_latency_alarm = cloudwatch.Alarm(
            self,
            "OrdersHttpApiLatencyAlarm",
            metric=self.http_api.metric_latency(statistic="p95"),
            threshold=3000,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        http_api_latency_alarm.add_alarm_action(
            cloudwatch_actions.SnsAction(self.alerts_topic)
        )

        default_stage = self.http_api.default_stage.node.default_child
        default_stage.default_route_settings = apigwv2.CfnStage.RouteSettingsProperty(
            throttling_rate_limit=1000, throttling_burst_limit=500
        )
        self.http_api.add_routes(
            path="/health",
            methods=[apigwv2.HttpMethod.GET],
            integration=integrations.HttpLambdaIntegration(
                "HealthIntegration", self.api_function
            ),
        )

    def _create_distribution(self) -> None:
        self.distribution = cloudfront.Distribution(
            self,
            "OrdersDistribution",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.RestApiOrigin(self.api),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            ),
            additional_behaviors={
                "/reports/*": cloudfront.BehaviorOptions(
                    origin=origins.S3BucketOrigin.with_origin_access_control(
                        self.reports_bucket
                    ),
                    viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                )
            },
        )

    def _create_outputs(self) -> None:
        CfnOutput(
            self,
            "ApiUrl",
            value=self.api.url,
            description="URL of the orders REST API",
            export_name=f"{self.stack_name}-ApiUrl-{self.environment_suffix}",
        )
        CfnOutput(
            self,
            "TableName",
            value=self.orders_table.table_name,
            description="Name of the orders table",
            export_name=f"{self.stack_name}-TableName-{self.environment_suffix}",
        )
        CfnOutput(
            self,
            "DistributionDomainName",
            value=self.distribution.domain_name,
            description="Where the shop calls",
            export_name=f"{self.stack_name}-DistributionDomainName-{self.environment_suffix}",
        )
