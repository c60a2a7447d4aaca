"""Lambda functions as Terraform modules declare them, what calls them, and what their roles allow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from fixer.model import Edit, Known
from fixer.terraform.companion import free_name

if TYPE_CHECKING:
    from fixer.terraform.block import Block
    from fixer.terraform.expression import Expr
    from fixer.terraform.module import Module

_DOCUMENTS = ("aws_iam_policy", "aws_iam_policy_document")
_GRANTS = (
    ("aws_iam_role_policy", "role", "policy"),
    ("aws_iam_role_policy_attachment", "role", "policy_arn"),
    ("aws_iam_policy_attachment", "roles", "policy_arn"),
)
"""Resources that give a role a policy, with their arguments for both."""
_DEEPEST = 5
_EDGE = "lambda_function_association"
_EDGE_SERVICE = "edgelambda.amazonaws.com"
_MAPPING = "aws_lambda_event_source_mapping"
_GROUP = "aws_cloudwatch_log_group"
_FOLDER = "/aws/lambda/"
_OF_ANOTHER = re.compile(re.escape(_FOLDER) + r"\$\{aws_lambda_function\.[\w-]+(?:\[[^\]{}]*\])?\.function_name\}")
"""The name of a log group that is some function's own, once those of the one that is looked at are sorted out."""
_EACH = re.compile(r"\$\{each\.(?:key|value)\}")


def functions(module: Module) -> Iterator[Block]:
    """The functions that the module declares, but for those that CloudFront runs at its edge."""
    for block in module.declared("aws_lambda_function"):
        if not is_at_edge(block):
            yield block


def is_named(function: Block, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns is for the function: for its name in the module or in AWS, or for its address."""
    name = function.value("function_name")
    names = (function.name, function.address, name.value if isinstance(name, Known) else None)
    return any(fnmatchcase(str(one), pattern) for one in names if one for pattern in patterns)


def is_at_edge(function: Block) -> bool:
    """Whether CloudFront runs the function at its edge, where most settings of functions are not to be had."""
    found = function.module.references(function.address)
    if any(one.block is not None and _EDGE in one.block.top.text() for one in found):
        return True
    role = role_of(function)
    trust = role.attribute("assume_role_policy") if role else None
    return trust is not None and any(_EDGE_SERVICE in text for text in texts(function.module, trust.expr))


def feeders(function: Block) -> Iterator[Block]:
    """The event source mappings that feed the function."""
    for mapping, is_sure in function.module.resources_for(function, _MAPPING, "function_name"):
        if is_sure:
            yield mapping


def writes_to(function: Block, name: Expr) -> bool | None:
    """Whether the function writes its logs to the log group that an argument names; None if that can't be judged.

    That is the group of its `logging_config`, else `/aws/lambda/` and the function's own name.
    """
    module, own = function.module, function.attribute("function_name")
    chosen = next((found for one in function.blocks("logging_config") if (found := one.attribute("log_group"))), None)
    verdicts = set()
    for group in module.all_resources(_GROUP):
        meant = module.refers_to(name, group, "name")
        if meant is not False:
            by_choice = module.refers_to(chosen.expr, group, "name") if chosen else False
            by_name = is_named_for(group, function) if not chosen else False
            verdict = True if True in (by_choice, by_name) else None if None in (by_choice, by_name) else False
            verdicts.add(verdict if meant else None if verdict is not False else False)
    if verdicts:
        return True if True in verdicts else None if None in verdicts else False
    if chosen:
        return "".join(chosen.expr.text.split()) == "".join(name.text.split())
    return _is_default(function, name) if own else None


def is_named_for(group: Block, function: Block) -> bool | None:
    """Whether the name of a log group is the one that Lambda makes of the function's; None if that can't be judged."""
    name, each = group.attribute("name"), group.attribute("for_each")
    if name is None:
        return False
    if each and _EACH.search(name.expr.text) and _mentions(each.expr, function):
        return _FOLDER in name.expr.text
    inside = [one for one in group.file.strings if each and each.expr.start <= one.start and one.end <= each.expr.end]
    return _is_default(function, name.expr, inside)


def _is_default(function: Block, group: Expr, each: Iterable[Expr] = ()) -> bool | None:
    """Whether the name of a group, whose `each` are these strings, is the one that Lambda makes of the function's."""
    module, own = function.module, function.attribute("function_name")
    followed = module.follow(group)
    if _mentions(followed, function):
        return _FOLDER in followed.text
    if own is None:
        return False
    mine, theirs = module.resolve(own.expr), module.resolve(group)
    if isinstance(mine, Known) and isinstance(theirs, Known):
        return bool(theirs.value == f"{_FOLDER}{mine.value}")
    wanted = {_FOLDER + _squeezed(one) for one in (own.expr, module.follow(own.expr))}
    texts = {_squeezed(group), _squeezed(followed)}
    if any(map(_EACH.search, texts)):
        texts = {_EACH.sub(_squeezed(one), text) for text in texts for one in each} or texts
    if wanted & texts:
        return True
    if all(map(_OF_ANOTHER.fullmatch, texts)):
        return False
    return None if any(_may_be_equal(one, other) for one in texts for other in wanted) else False


def _mentions(expr: Expr, function: Block) -> bool:
    return any(one.address == function.address for one in expr.traversals())


def _squeezed(expr: Expr) -> str:
    """The expression for use within a template, without white space."""
    return "".join(expr.in_template.split())


def _may_be_equal(one: str, other: str) -> bool:
    """Whether two templates may come out as the same text, by what stands before and behind their interpolations."""
    if "${" not in one + other:
        return one == other
    starts = [text.partition("${")[0] for text in (one, other)]
    ends = [text.rpartition("}")[2][::-1] for text in (one, other)]
    return all(a.startswith(b) or b.startswith(a) for a, b in (starts, ends))


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
    for kind, owners, name in _GRANTS:
        for block in role.module.all_resources(kind):
            owner, policy, each = block.attribute(owners), block.attribute(name), block.attribute("for_each")
            elements = owner.expr.elements if owner and owner.expr.kind == "list" else (owner.expr,) if owner else ()
            if policy and any(behind(role.module, one, "aws_iam_role") is role for one in elements):
                yield policy.expr
                yield from (each.expr,) if each else ()


def texts(module: Module, expr: Expr, depth: int = 0) -> Iterator[str]:
    """The source of a policy, and of the policies and documents that it refers to."""
    yield expr.text
    for traversal in module.follow(expr).traversals() if depth < _DEEPEST else ():
        block = module.resource(traversal.address)
        if block is not None and block.labels[0] in _DOCUMENTS:
            yield block.text()
            for attribute in block.attributes():
                yield from texts(module, attribute.expr, depth + 1)


def attached(role: Block, name: str, policy: str) -> tuple[Edit, ...] | None:
    """Attach a managed policy to a role: right below it, or in its `managed_policy_arns`, which tolerate no others.

    None if these are not written out there.

    Args:
        role: The role.
        name: What the attachment's name adds to the role's.
        policy: HCL of the policy's ARN.
    """
    if listed := role.attribute("managed_policy_arns"):
        return _joined(role, listed.expr, policy) if listed.expr.kind == "list" else None
    kind = "aws_iam_role_policy_attachment"
    free = free_name(role.module, kind, f"{role.name}_{name}", f"_{name}")
    return role.insert_after(role.companion(kind, free, f"policy_arn = {policy}", "role", "name"))


def _joined(role: Block, listed: Expr, element: str) -> tuple[Edit, ...]:
    """Add an element to the end of a list, on a line of its own where the others have theirs."""
    if not listed.elements:
        return role.set("managed_policy_arns", f"[{element}]")
    file, last = role.file, listed.elements[-1]
    follows = file.text(last.end, listed.end).lstrip().startswith(",")
    if "\n" not in file.text(last.end, listed.end):
        return (file.edit(last.end, last.end, f", {element}"),)
    place = file.line_end(last.end)
    line = f"\n{file.indent(last.start)}{element}"
    if follows:
        return (file.edit(place, place, f"{line},"),)
    if place == last.end:
        return (file.edit(place, place, f",{line}"),)
    return (file.edit(last.end, last.end, ","), file.edit(place, place, line))


def partition(module: Module) -> str:
    """The partition in an ARN as HCL in a template: that of the module's own data source, if it has one."""
    found = next(module.data("aws_partition"), None)
    return f"${{{found.address}.partition}}" if found and not found.meta() else "aws"
