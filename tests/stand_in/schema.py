"""The facts about the AWS provider as the schema that Terraform's plugin protocol speaks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from tf.gen import tfplugin_pb2 as pb

from codemods.facts import physical_names
from codemods.facts.terraform_aws import Body, terraform_data, terraform_provider, terraform_resource

NESTINGS = {"single": 1, "list": 2, "set": 3, "map": 4}
REPLACING = {
    "aws_cloudwatch_log_group": ("log_group_class", "name_prefix"),
    "aws_dynamodb_table": ("hash_key", "local_secondary_index", "range_key"),
    "aws_dynamodb_table_replica": ("global_table_arn", "kms_key_arn", "table_class_override"),
    "aws_s3_bucket_public_access_block": ("bucket",),
    "aws_sqs_queue": ("fifo_queue", "name_prefix"),
}
"""Attributes with `ForceNew` in the provider's sources (`internal/service`), of the types that fixes are made in.
Physical names come on top."""
TOKEN = re.compile(r"[\w-]+|[(){}=,]")


def schema(major: int, names: Iterable[str]) -> pb.GetProviderSchema.Response:
    """The schema of a major version, with those resource types and data sources that are named."""
    answer = pb.GetProviderSchema.Response(provider=_message(terraform_provider(), major))
    answer.server_capabilities.get_provider_schema_optional = True
    for name in names:
        for types, body in (
            (answer.resource_schemas, terraform_resource(name)),
            (answer.data_source_schemas, terraform_data(name)),
        ):
            if body and major in body.majors:
                types[name].CopyFrom(_message(body, major))
    return answer


def replacing(name: str) -> list[str]:
    """The attributes of a resource type that can't be updated in place, as far as is known."""
    names = physical_names().terraform.get(name, {}).values()
    return [*REPLACING.get(name, ()), *(one.argument for one in names if one.kind.replaces)]


def empty() -> pb.GetProviderSchema.Response:
    """The schema of a provider that takes no settings and has no types."""
    answer = pb.GetProviderSchema.Response()
    answer.provider.block.SetInParent()
    answer.server_capabilities.get_provider_schema_optional = True
    return answer


def _message(body: Body, major: int) -> pb.Schema:
    return pb.Schema(version=0, block=_block(body, major))


def _block(body: Body, major: int) -> pb.Schema.Block:
    attributes = [
        pb.Schema.Attribute(
            name=name,
            type=json.dumps(type_of(one.type)).encode(),
            required=one.required,
            optional=one.optional,
            computed=one.computed,
        )
        for name, one in sorted(body.attributes.items())
        if major in one.majors
    ]
    blocks = [
        pb.Schema.NestedBlock(
            type_name=name,
            block=_block(one, major),
            nesting=NESTINGS[one.nesting],
            min_items=one.min,
            max_items=one.min if one.nesting == "single" else one.max,  # Terraform wants them alike
        )
        for name, one in sorted(body.blocks.items())
        if major in one.majors
    ]
    return pb.Schema.Block(attributes=attributes, block_types=blocks)


def type_of(text: str) -> Any:
    """The protocol's form of a type: `["list", ["object", {"name": "string"}]]` of `list(object({name=string}))`."""
    return _type(TOKEN.findall(text)[::-1])


def _type(tokens: list[str]) -> Any:
    """Take a type off the end of the tokens, which are in reverse."""
    head = tokens.pop()
    if not tokens or tokens[-1] != "(":
        return "dynamic" if head == "any" else head
    tokens.pop()
    inner = _members(tokens) if head == "object" else _type(tokens)
    tokens.pop()
    return [head, inner]


def _members(tokens: list[str]) -> dict[str, Any]:
    members = {}
    while tokens.pop() != "}":  # the opening brace, or the comma before a member
        if tokens[-1] != "}":
            name = tokens.pop()
            tokens.pop()
            members[name] = _type(tokens)
    return members
