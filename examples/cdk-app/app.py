#!/usr/bin/env python3
import aws_cdk as cdk

from stacks.api_stack import ApiStack
from stacks.storage_stack import StorageStack

app = cdk.App()

storage = StorageStack(app, "ShopStorage")
ApiStack(app, "ShopApi", table=storage.orders, receipts=storage.receipts)

app.synth()
