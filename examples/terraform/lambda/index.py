import json
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
receipts = boto3.client("s3")


def handler(event, context):
    for record in event["Records"]:
        order = json.loads(record["body"])
        table.put_item(Item=order)
        receipts.put_object(
            Bucket=os.environ["BUCKET_NAME"],
            Key=f"{order['customer_id']}/{order['ordered_at']}.json",
            Body=record["body"],
        )
