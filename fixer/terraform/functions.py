"""Lambda functions as Terraform modules declare them, what calls them, and what their roles allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fixer.model import Edit
from fixer.terraform.companion import free_name

if TYPE_CHECKING:
    from fixer.terraform.block import Block
    from fixer.terraform.expression import Expr
    from fixer.terraform.module import Module

_DOCUMENTS = ("aws_iam_policy", "aws_iam_policy_document")
_DEEPEST = 5
_EDGE = "lambda_function_association"
_MAPPING = "aws_lambda_event_source_mapping"


def functions(module: Module) -> Iterator[Block]:
    """The functions that the module declares, but for those that CloudFront runs at its edge."""
    for block in module.all_resources("aws_lambda_function"):
        if not is_at_edge(block):
            yield block


def is_at_edge(function: Block) -> bool:
    """Whether CloudFront runs the function at its edge, where most settings of functions are not to be had."""
    found = function.module.references(function.address)
    return any(one.block is not None and _EDGE in one.block.top.text() for one in found)


def feeders(function: Block) -> Iterator[Block]:
    """The event source mappings that feed the function."""
    for mapping in function.module.all_resources(_MAPPING):
        target = mapping.attribute("function_name")
        if target and function.module.refers_to(target.expr, function, "function_name"):
            yield mapping


def role_of(function: Block) -> Block | None:
    """The role that the function runs with, if the module declares it."""
    attribute = function.attribute("role")
    if attribute is None:
        return None
    return behind(function.module, attribute.expr, "aws_iam_role")


def behind(module: Module, expr: Expr, kind: str) -> Block | None:
    """The resource of a type that an expression such as `aws_iam_role.x.arn` refers to, through locals too."""
    traversal = module.follow(expr).traversal
    if traversal is None or traversal.names[0] != kind:
        return None
    return module.resource(traversal.address)


def allows(role: Block, *words: str) -> bool:
    """Whether a policy of the role holds one of these words: actions such as `sqs:SendMessage`, names of policies.

    Looks at its inline policies, at those that are attached to it in the module, and at the documents behind them.
    """
    return any(word in text for policy in _policies(role) for text in texts(role.module, policy) for word in words)


def _policies(role: Block) -> Iterator[Expr]:
    """Documents of policies that the role has, and ARNs of those that are attached to it."""
    yield from (one.expr for inline in role.blocks("inline_policy") if (one := inline.attribute("policy")))
    if arns := role.attribute("managed_policy_arns"):
        yield arns.expr
    for kind, name in (("aws_iam_role_policy", "policy"), ("aws_iam_role_policy_attachment", "policy_arn")):
        for block in role.module.all_resources(kind):
            owner, policy = block.attribute("role"), block.attribute(name)
            if owner and policy and behind(role.module, owner.expr, "aws_iam_role") is role:
                yield policy.expr


def texts(module: Module, expr: Expr, depth: int = 0) -> Iterator[str]:
    """The source of a policy, and of the policies and documents that it refers to."""
    yield expr.text
    for traversal in module.follow(expr).traversals() if depth < _DEEPEST else ():
        block = module.resource(traversal.address)
        if block is not None and block.labels[0] in _DOCUMENTS:
            yield block.text()
            for attribute in block.attributes():
                yield from texts(module, attribute.expr, depth + 1)


def attached(role: Block, name: str, policy: str) -> tuple[Edit, ...]:
    """Attach a managed policy to a role, right below it.

    Args:
        role: The role.
        name: What the attachment's name adds to the role's.
        policy: HCL of the policy's ARN.
    """
    kind = "aws_iam_role_policy_attachment"
    free = free_name(role.module, kind, f"{role.name}_{name}", f"_{name}")
    return role.insert_after(role.companion(kind, free, f"policy_arn = {policy}", "role", "name"))


def partition(module: Module) -> str:
    """The partition in an ARN as HCL in a template: that of the module's own data source, if it has one."""
    found = next(module.data("aws_partition"), None)
    return f"${{{found.address}.partition}}" if found and not found.meta() else "aws"
