import aws_cdk as cdk

from lib.orders_stack import OrdersStack

app = cdk.App()

environment_suffix = app.node.try_get_context("environmentSuffix") or "dev"
cdk.Tags.of(app).add("Environment", environment_suffix)

OrdersStack(app, "OrdersStack", environment_suffix=environment_suffix)

app.synth()
