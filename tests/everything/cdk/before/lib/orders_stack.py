"""The orders service: APIs, functions, tables, buckets and what goes with them."""

from typing import Any, Dict, List, Optional

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
    aws_codedeploy as codedeploy,
    aws_cognito as cognito,
    aws_dynamodb as dynamodb,
    aws_ec2 as ec2,
    aws_events as events,
    aws_events_targets as targets,
    aws_iam as iam,
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
        self, scope: Construct, construct_id: str, environment_suffix: str, **kwargs
    ):
        super().__init__(scope, construct_id, **kwargs)

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

    def _create_vpc(self):
        vpc = ec2.Vpc(
            self,
            "OrdersVpc",
            vpc_name="orders-vpc",
            cidr="10.0.0.0/16",
            max_azs=2,
            nat_gateways=1,
        )

        # Flow logs need a role of their own
        self.flow_log_role = iam.Role(
            self,
            "FlowLogRole",
            assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name(
                    "service-role/VPCFlowLogsDeliveryRolePolicy"
                )
            ],
        )

        return vpc

    def _create_user_pool(self):
        user_pool = cognito.UserPool(
            self,
            "OrdersUserPool",
            user_pool_name="orders-users",
            self_sign_up_enabled=True,
            sign_in_aliases=cognito.SignInAliases(email=True),
            password_policy=cognito.PasswordPolicy(
                min_length=12, require_digits=True, require_symbols=True
            ),
            advanced_security_mode=cognito.AdvancedSecurityMode.OFF,
            removal_policy=RemovalPolicy.DESTROY,
        )
        user_pool.add_client(
            "OrdersClient",
            user_pool_client_name="orders-client",
            auth_flows=cognito.AuthFlow(user_srp=True),
        )
        return user_pool

    def _create_tables(self):
        self.orders_table = dynamodb.Table(
            self,
            "OrdersTable",
            table_name="orders",
            partition_key=dynamodb.Attribute(
                name="orderId", type=dynamodb.AttributeType.STRING
            ),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery=True,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            removal_policy=RemovalPolicy.DESTROY,
        )

        self.sessions_table = dynamodb.Table(
            self,
            "SessionsTable",
            table_name="sessions",
            partition_key=dynamodb.Attribute(
                name="sessionId", type=dynamodb.AttributeType.STRING
            ),
            read_capacity=5,
            write_capacity=5,
            time_to_live_attribute="expiresAt",
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _create_buckets(self):
        self.uploads_bucket = s3.Bucket(
            self,
            "UploadsBucket",
            bucket_name="orders-uploads",
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            removal_policy=RemovalPolicy.DESTROY,
            auto_delete_objects=True,
        )

        self.reports_bucket = s3.Bucket(self, "ReportsBucket")

    def _create_secrets(self):
        self.api_secret = secretsmanager.Secret(
            self,
            "PaymentApiSecret",
            secret_name="orders/payment-api",
            description="Key of the payment provider's API",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"username": "orders"}),
                generate_string_key="password",
            ),
        )

    def _create_queues(self):
        self.orders_queue = sqs.Queue(
            self,
            "OrdersQueue",
            queue_name="orders-queue",
            visibility_timeout=Duration.seconds(300),
        )
        self.alerts_topic = sns.Topic(self, "AlertsTopic", topic_name="orders-alerts")

    def _create_functions(self):
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
            function_name="orders-api",
            runtime=_lambda.Runtime.PYTHON_3_12,
            handler="index.handler",
            code=_lambda.Code.from_inline(
                'def handler(event, context):\n    return {"statusCode": 200}\n'
            ),
            role=lambda_role,
            memory_size=256,
            timeout=Duration.seconds(60),
            log_retention=logs.RetentionDays.ONE_WEEK,
            environment={
                "TABLE_NAME": self.orders_table.table_name,
                "SECRET_ARN": self.api_secret.secret_arn,
            },
        )
        self.orders_table.grant_read_write_data(self.api_function)
        self.api_secret.grant_read(self.api_function)

        # Works through the queue
        self.worker_function = _lambda.Function(
            self,
            "WorkerFunction",
            function_name="orders-worker",
            runtime=_lambda.Runtime.PYTHON_3_12,
            handler="index.handler",
            code=_lambda.Code.from_inline(
                'def handler(event, context):\n    return {"statusCode": 200}\n'
            ),
            timeout=Duration.seconds(60),
            environment={"BUCKET_NAME": self.uploads_bucket.bucket_name},
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
        )
        self.reports_bucket.grant_put(self.report_function)
        rule = events.Rule(
            self,
            "NightlyRule",
            rule_name="orders-nightly",
            schedule=events.Schedule.rate(Duration.days(1)),
        )
        rule.add_target(targets.LambdaFunction(self.report_function))

        self.audit_log_group = logs.LogGroup(
            self,
            "AuditLogGroup",
            log_group_name="/orders/audit",
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _create_rest_api(self):
        self.api = apigateway.RestApi(
            self,
            "OrdersApi",
            rest_api_name="orders-api",
            description="The orders API",
            deploy_options=apigateway.StageOptions(stage_name="prod"),
            default_cors_preflight_options=apigateway.CorsOptions(
                allow_origins=apigateway.Cors.ALL_ORIGINS,
                allow_methods=apigateway.Cors.ALL_METHODS,
            ),
        )
        orders = self.api.root.add_resource("orders")
        integration = apigateway.LambdaIntegration(self.api_function)
        orders.add_method("GET", integration)
        orders.add_method("POST", integration, api_key_required=True)

    def _create_http_api(self):
        self.http_api = apigwv2.HttpApi(
            self, "OrdersHttpApi", api_name="orders-http-api"
        )
        self.http_api.add_routes(
            path="/health",
            methods=[apigwv2.HttpMethod.GET],
            integration=integrations.HttpLambdaIntegration(
                "HealthIntegration", self.api_function
            ),
        )

    def _create_distribution(self):
        self.distribution = cloudfront.Distribution(
            self,
            "OrdersDistribution",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.RestApiOrigin(self.api),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            ),
            additional_behaviors={
                "/reports/*": cloudfront.BehaviorOptions(
                    origin=origins.S3Origin(self.reports_bucket),
                    viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                )
            },
        )

    def _create_outputs(self):
        CfnOutput(self, "ApiUrl", value=self.api.url)
        CfnOutput(self, "TableName", value=self.orders_table.table_name)
        CfnOutput(
            self,
            "DistributionDomainName",
            value=self.distribution.domain_name,
            description="Where the shop calls",
        )
