from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class ApiStack(Stack):
    """The shop's API: a function behind API Gateway, and a queue for its receipts."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: dynamodb.ITable,
        receipts: s3.IBucket,
        **kwargs,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        queue = sqs.Queue(
            self,
            "ReceiptQueue",
            queue_name="shop-receipts.fifo",
            fifo=True,
            visibility_timeout=Duration.seconds(60),
        )

        log_group = logs.LogGroup(
            self, "OrdersLogs", log_group_name="/aws/lambda/shop-orders-api"
        )

        function = lambda_.Function(
            self,
            "OrdersFunction",
            function_name="shop-orders-api",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_asset("lambda/orders"),
            timeout=Duration.seconds(10),
            log_group=log_group,
            environment={
                "TABLE_NAME": "shop-orders",
                "BUCKET_NAME": receipts.bucket_name,
                "QUEUE_URL": queue.queue_url,
            },
        )
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["dynamodb:PutItem", "dynamodb:Query"],
                resources=[
                    f"arn:aws:dynamodb:{self.region}:{self.account}:table/shop-orders"
                ],
            )
        )
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["s3:PutObject"],
                resources=["arn:aws:s3:::shop-receipts/*"],
            )
        )
        queue.grant_send_messages(function)

        api = apigateway.RestApi(self, "Api", rest_api_name="shop-api")
        orders = api.root.add_resource("orders")
        orders.add_method("GET", apigateway.LambdaIntegration(function))
        orders.add_method("POST", apigateway.LambdaIntegration(function))

        cloudwatch.Alarm(
            self,
            "ThrottleAlarm",
            alarm_name="shop-orders-throttled",
            metric=table.metric_throttled_requests_for_operations(
                operations=[dynamodb.Operation.PUT_ITEM]
            ),
            threshold=1,
            evaluation_periods=1,
        )
