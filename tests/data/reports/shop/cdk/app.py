import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct


class Shop(cdk.Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        dynamodb.Table(self, "Orders", partition_key=key, point_in_time_recovery=True)
        dynamodb.Table(self, "Stock", partition_key=key)
        s3.Bucket(self, "Receipts")
        s3.Bucket(
            self,
            "Exports",
            block_public_access=s3.BlockPublicAccess.BLOCK_ACLS,
        )
        logs.LogGroup(self, "Api")


app = cdk.App()
Shop(app, "Shop")
app.synth()
