"""What a program uses of the CDK's API: the parts that `cdk-deprecated-property` and `cdk-unknown-property` share."""
