"""The engine of iacfix: reads CDK Python and Terraform projects, runs rules on them and writes what they change."""

__version__ = "0.1.0"
