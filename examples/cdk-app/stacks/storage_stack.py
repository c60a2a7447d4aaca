from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct


class StorageStack(Stack):
    """What the shop keeps: orders, receipts, and the pages of the shop itself."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # Orders, by customer and time. Written by the API alone.
        self.orders = dynamodb.Table(
            self,
            "Orders",
            table_name="shop-orders",
            partition_key=dynamodb.Attribute(
                name="customer_id", type=dynamodb.AttributeType.STRING
            ),
            sort_key=dynamodb.Attribute(
                name="ordered_at", type=dynamodb.AttributeType.STRING
            ),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery=True,  # the auditors want 35 days
            removal_policy=RemovalPolicy.RETAIN,
        )

        # Stock, with capacity that follows the load.
        stock = dynamodb.Table(
            self,
            "Stock",
            table_name="shop-stock",
            partition_key=dynamodb.Attribute(
                name="sku", type=dynamodb.AttributeType.STRING
            ),
            read_capacity=5,
            write_capacity=5,
        )
        stock.auto_scale_read_capacity(
            min_capacity=5, max_capacity=50
        ).scale_on_utilization(target_utilization_percent=70)

        # Shopping carts; nobody misses them.
        dynamodb.TableV2(
            self,
            "Carts",
            partition_key=dynamodb.Attribute(
                name="cart_id", type=dynamodb.AttributeType.STRING
            ),
            point_in_time_recovery=False,
            time_to_live_attribute="expires_at",
        )

        self.receipts = s3.Bucket(
            self,
            "Receipts",
            bucket_name="shop-receipts",
            encryption=s3.BucketEncryption.S3_MANAGED,
            versioned=True,
        )

        # The shop's pages: everybody reads them, on purpose.
        pages = s3.Bucket(
            self,
            "Pages",
            bucket_name="shop-pages",
            website_index_document="index.html",
            public_read_access=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ACLS_ONLY,
        )

        CfnOutput(self, "PagesUrl", value=pages.bucket_website_url)
