import json
import os
from datetime import datetime, timezone

import boto3
from boto3.dynamodb.conditions import Key

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
queue = boto3.client("sqs")


def handler(event, context):
    customer = event["requestContext"]["authorizer"]["principalId"]
    if event["httpMethod"] == "GET":
        orders = table.query(KeyConditionExpression=Key("customer_id").eq(customer))
        return {"statusCode": 200, "body": json.dumps(orders["Items"], default=str)}

    order = {
        "customer_id": customer,
        "ordered_at": datetime.now(timezone.utc).isoformat(),
        "lines": json.loads(event["body"]),
    }
    table.put_item(Item=order)
    queue.send_message(
        QueueUrl=os.environ["QUEUE_URL"],
        MessageBody=json.dumps(order),
        MessageGroupId=customer,
        MessageDeduplicationId=order["ordered_at"],
    )
    return {"statusCode": 201, "body": json.dumps({"orderedAt": order["ordered_at"]})}
