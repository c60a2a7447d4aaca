"""What outputs certainly give, in words: attributes of constructs and of resources."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from codemods._phrases import distinction, phrase, plural, spelled, words
from codemods.facts import physical_names
from codemods.facts.cdk_api import cdk_type
from codemods.facts.terraform_aws import terraform_data, terraform_resource

if TYPE_CHECKING:
    from codemods.facts.terraform_aws import Body
    from fixer.cdk import Construct
    from fixer.terraform import Block, Expr, Module

# ---- CDK Python --------------------------------------------------------------------------------

PARTS = re.compile(
    r"(?:^|_)((?:(?:public|private|regional|dual_stack)_)*(?:dns_name|domain_name|ip)|website_(?:url|domain_name)|(?:full_)?arn|"
    r"availability_zone|endpoint_address|endpoint|hostname|id|name|port|socket_address|ur[il])$"
)
"""What an attribute of a construct is of it, behind what it calls the construct."""
_URL = re.compile(r"https?://")


def meaning_of_output(output: Construct) -> str | None:
    """What the value of an output certainly is; None if that can't be told."""
    written = output.behind("value")
    match written.node if written else None:
        case cst.Attribute() as node:
            return _attribute(output, node)
        case cst.FormattedString(parts=[cst.FormattedStringText(value=start), cst.FormattedStringExpression() as part]):
            if _URL.fullmatch(start) and isinstance(part.expression, cst.Attribute):
                return _attribute(output, part.expression, "URL")
        case cst.BinaryOperation(left=cst.SimpleString() as text, operator=cst.Add(), right=cst.Attribute() as node):
            if _URL.fullmatch(str(text.evaluated_value)):
                return _attribute(output, node, "URL")
    return None


def _attribute(output: Construct, node: cst.Attribute, part: str = "") -> str | None:
    """The phrase for an attribute of a construct, or of what its attributes lead to."""
    steps, root, file = [node.attr.value], node.value, output.file
    made = _made(output, file.module.code_for_node(root))
    while made is None and isinstance(root, cst.Attribute):
        steps.insert(0, root.attr.value)
        root = root.value
        made = _made(output, file.module.code_for_node(root))
    known = made.name if made else ""
    for step in steps[:-1]:
        holder = cdk_type(known)
        known = holder.properties[step].type if holder and step in holder.properties else ""
    owner = cdk_type(known)
    split = PARTS.search(steps[-1])
    if made is None or owner is None or split is None or steps[-1] not in owner.properties:
        return None
    if owner.properties[steps[-1]].type not in ("str", "int", "float"):
        return None
    generated = steps[-1].startswith("attr_")
    own = words(steps[-1].removeprefix("attr_")[: -len(split[1])])
    if generated and own:
        return None
    behind = steps[-2] if len(steps) > 1 else owner.name.rpartition(".")[2].removeprefix("Cfn")
    kind = words(behind)
    noun = kind if not own or (own[-1] != kind[-1] and set(own) < set(kind)) else own
    related = {
        *noun,
        *kind,
        *words(made.name),
        *split[1].split("_"),
        *(("endpoint", "gateway") if "api" in kind else ()),
    }
    names = ((made.target or "").rpartition(".")[2], made.id or "")
    qualifier = next((found for name in names if (found := distinction(name, related))), "")
    if split[1].split("_") == noun:
        return None
    return phrase(part or spelled(split[1].split("_")), spelled(noun), qualifier)


def _made(output: Construct, text: str) -> Construct | None:
    """The one construct of the file that a name certainly stands for where the output is."""
    found = [one for one in output.file.constructs() if one.target and one.is_meant_by(text, output)]
    return found[0] if len(found) == 1 and not found[0].is_super else None


# ---- Terraform ---------------------------------------------------------------------------------

_NOUNS = {
    "aws_alb": "load balancer",
    "aws_api_gateway_rest_api": "REST API",
    "aws_apigatewayv2_api": "API",
    "aws_cloudtrail": "CloudTrail trail",
    "aws_cloudwatch_event_bus": "EventBridge bus",
    "aws_cloudwatch_event_rule": "EventBridge rule",
    "aws_cloudwatch_metric_alarm": "CloudWatch alarm",
    "aws_db_instance": "database instance",
    "aws_db_subnet_group": "database subnet group",
    "aws_eip": "Elastic IP address",
    "aws_instance": "EC2 instance",
    "aws_kinesis_firehose_delivery_stream": "Firehose delivery stream",
    "aws_lambda_function_url": "Lambda function",
    "aws_lb": "load balancer",
    "aws_lb_target_group": "target group",
    "aws_secretsmanager_secret": "secret",
    "aws_ssm_parameter": "SSM parameter",
}
_SCALARS = ("string", "number")
_LISTS = ("list(string)", "set(string)")
_NOTHING = ("null", '""', "''")


def meaning(module: Module, expr: Expr) -> str | None:
    """What an expression certainly is; None if that can't be told."""
    if expr.inner:
        return meaning(module, expr.inner)
    if expr.kind == "traversal" and expr.traversal:
        return of_resource(module, expr.traversal.address, expr.traversal.rest)
    if expr.kind == "conditional":
        real = [branch for branch in expr.branches[1:] if branch.text not in _NOTHING]
        found = meaning(module, real[0]) if len(real) == 1 else None
        return f"{found}, if there is one" if found else None
    if expr.kind == "call" and expr.function in ("one", "try") and expr.elements:
        first, *others = expr.elements
        if all(other.text in _NOTHING for other in others) and first.traversal:
            rest = tuple("[0]" if step in ("[*]", ".*") else step for step in first.traversal.rest)
            found = of_resource(module, first.traversal.address, rest)
            return f"{found}, if there is one" if found else None
    return None


def of_resource(module: Module, address: str, steps: tuple[str, ...]) -> str | None:
    """The phrase for an attribute of a resource in the module, of one of its instances, or of all."""
    resource = module.resource(address)
    *index, last = steps or ("",)
    body = _schema(resource) if resource else None
    attribute = body.attributes.get(last.removeprefix(".")) if body and last.startswith(".") else None
    if resource is None or attribute is None or len(index) > 1 or attribute.type not in (*_SCALARS, *_LISTS):
        return None
    is_many = index in (["[*]"], [".*"])
    if (index and not is_many and not re.fullmatch(r"\[\d+\]|\.\d+", index[0])) or (
        is_many and attribute.type in _LISTS
    ):
        return None
    if not index and {"count", "for_each"} & resource.meta().keys():
        return None
    kind, name = resource.labels[0], last[1:]
    own = words(kind)[1:]
    is_doubled = len(own) > 1 and own[0] == f"{own[1]}s"
    noun = _NOUNS.get(kind) or spelled(own[is_doubled:])
    part = spelled(_part(kind, name, own))
    qualifier = distinction(resource.name, {*own, *words(noun), *words(name)})
    return phrase(plural(part), plural(noun), qualifier) if is_many else phrase(part, noun, qualifier)


def _schema(block: Block) -> Body | None:
    find = {"resource": terraform_resource, "data": terraform_data}.get(block.type)
    return find(block.labels[0]) if find else None


def _part(kind: str, name: str, own: list[str]) -> list[str]:
    """What an attribute is of its resource: `function_name` of a function, and `bucket` of a bucket, is its name."""
    parts = words(name)
    if name in physical_names().terraform.get(kind, {}):
        return ["name"]
    first = next((number for number, word in enumerate(parts) if word not in own), len(parts) - 1)
    return parts[first:] if 0 < first < len(parts) and parts[first - 1] == own[-1] else parts
