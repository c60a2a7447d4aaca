"""Phrases for descriptions: what attributes of constructs and resources are, in the words of AWS."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

_SPELLED = {
    **{
        word: word.upper()
        for word in [
            "acl",
            "acm",
            "ai",
            "alb",
            "ami",
            "api",
            "arn",
            "asg",
            "aws",
            "az",
            "cidr",
            "cname",
            "db",
            "dlq",
            "dms",
            "dns",
            "ebs",
            "ec2",
            "ecr",
            "ecs",
            "efs",
            "eip",
            "eks",
            "elb",
            "emr",
            "etl",
            "fsx",
            "http",
            "hls",
            "https",
            "iam",
            "id",
            "iot",
            "ip",
            "ipv4",
            "ipv6",
            "json",
            "jwt",
            "kms",
            "lb",
            "mfa",
            "ml",
            "mq",
            "msk",
            "nacl",
            "nat",
            "nfs",
            "nlb",
            "oac",
            "oai",
            "oidc",
            "pr",
            "qa",
            "rds",
            "s3",
            "saml",
            "sdk",
            "sftp",
            "sg",
            "sms",
            "sns",
            "sql",
            "sqs",
            "ssh",
            "ssl",
            "ssm",
            "sso",
            "sts",
            "tcp",
            "tls",
            "ttl",
            "tv",
            "udp",
            "ui",
            "uri",
            "url",
            "vpc",
            "vpn",
            "waf",
            "www",
            "xml",
        ]
    },
    **{f"{word}s": f"{word.upper()}s" for word in ("arn", "id", "ip", "url", "api", "az")},
    "aurora": "Aurora",
    "apigateway": "API Gateway",
    "apigatewayv2": "API Gateway",
    "appsync": "AppSync",
    "athena": "Athena",
    "cloudformation": "CloudFormation",
    "cloudfront": "CloudFront",
    "cloudtrail": "CloudTrail",
    "cloudwatch": "CloudWatch",
    "cloud9": "Cloud9",
    "codebuild": "CodeBuild",
    "codecommit": "CodeCommit",
    "codedeploy": "CodeDeploy",
    "codepipeline": "CodePipeline",
    "cognito": "Cognito",
    "dax": "DAX",
    "docdb": "DocumentDB",
    "dynamodb": "DynamoDB",
    "elasticache": "ElastiCache",
    "elasticsearch": "Elasticsearch",
    "eventbridge": "EventBridge",
    "fargate": "Fargate",
    "firehose": "Firehose",
    "glue": "Glue",
    "graphql": "GraphQL",
    "grafana": "Grafana",
    "guardduty": "GuardDuty",
    "inspector": "Inspector",
    "kinesis": "Kinesis",
    "lambda": "Lambda",
    "memorydb": "MemoryDB",
    "documentdb": "DocumentDB",
    "mariadb": "MariaDB",
    "mysql": "MySQL",
    "neptune": "Neptune",
    "oauth": "OAuth",
    "opensearch": "OpenSearch",
    "postgres": "Postgres",
    "postgresql": "PostgreSQL",
    "redis": "Redis",
    "redshift": "Redshift",
    "rest": "REST",
    "route53": "Route 53",
    "sagemaker": "SageMaker",
    "secretsmanager": "Secrets Manager",
    "ses": "SES",
    "sfn": "Step Functions",
    "timestream": "Timestream",
    "wafv2": "WAF",
    "websocket": "WebSocket",
    "xray": "X-Ray",
}
_FILLERS = frozenset(
    [
        "a",
        "an",
        "aws",
        "cdk",
        "cfn",
        "construct",
        "default",
        "demo",
        "example",
        "foo",
        "main",
        "my",
        "new",
        "obj",
        "res",
        "resource",
        "sample",
        "the",
        "this",
    ]
)
"""Words of names that say nothing of what is named."""
_COMPOUND = re.compile(
    r"ApiGateway|AppSync|Cloud(?:9|Formation|Front|Trail|Watch)|Code(?:Build|Commit|Deploy|Pipeline)|Doc(?:ument)?DB|DynamoDB"
    r"|ElastiCache|EventBridge|GuardDuty|IPv[46]|M(?:emory|aria)DB|MySQL|OAuth|OpenSearch|PostgreSQL|SageMaker|SecretsManager|WebSocket"
)
"""Names of services that are one word."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SHORT = {
    **dict.fromkeys(("alb", "elb", "lb", "nlb"), "balancer"),
    **dict.fromkeys(("fn", "func"), "function"),
    "ddb": "dynamodb",
    "sg": "security",
}
"""What short words stand for."""
_LOOSE = frozenset(("and", "by", "for", "from", "in", "of", "on", "or", "to", "use", "using", "with"))
"""Words that make no phrase in front of a noun."""
_MOST = 4
"""More words than these make no phrase."""


def words(name: str) -> list[str]:
    """The words of a name in snake or camel case, in small letters; digits stay with the word before them."""
    found: list[str] = []
    name = _COMPOUND.sub(lambda match: f"_{match[0].lower()}_", name)
    for match in _WORD.finditer(name):
        joined = match[0].isdigit() and found and name[match.start() - 1].isalpha()
        found[len(found) - 1 if joined else len(found) :] = [found[-1] + match[0] if joined else match[0].lower()]
    return found


def spelled(parts: Sequence[str]) -> str:
    """Words as they are written within a sentence: `rest api` is `REST API`."""
    return " ".join(_SPELLED.get(word, word) for word in parts).replace("API gateway", "API Gateway")


def distinction(name: str, known: Collection[str]) -> str:
    """What the name of a construct or resource says besides the words that are known of it; empty if nothing."""
    own = [word for word in words(name) if not word.isdigit() and word not in _FILLERS and not _is_among(word, known)]
    is_clear = all(len(word) > len("fn") or word in _SPELLED for word in own) and _LOOSE.isdisjoint(own)
    is_whole = not any(word.endswith(noun) and len(noun) > len("fn") for word in own for noun in known)
    return spelled(own) if is_clear and is_whole and len(own) <= _MOST else ""


def _is_among(word: str, known: Collection[str]) -> bool:
    """Whether a word is one of others, or short for one."""
    whole = _SHORT.get(word, word)
    return any(other == whole or (len(whole) > 1 and other.startswith(whole)) for other in known)


def phrase(part: str, noun: str, own: str = "") -> str:
    """`Name`, `S3 bucket` and `orders` make `Name of the orders S3 bucket`."""
    start = part if part[:1].isupper() else part[:1].upper() + part[1:]
    return f"{start} of the {own} {noun}" if own else f"{start} of the {noun}"


def listed(names: Iterable[str]) -> str:
    """`one, two and three`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def plural(noun: str) -> str:
    """The plural of the last word."""
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if re.search(r"(?:s|x|ch|sh)$", noun) else f"{noun}s"
