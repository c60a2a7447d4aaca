"""What a file gives for the parameters of its functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

if TYPE_CHECKING:
    from fixer.cdk.file import CdkFile
    from fixer.cdk.tree import Scope


def arguments_for(file: CdkFile, name: cst.Name, scope: Scope) -> list[tuple[cst.BaseExpression, Scope]] | None:
    """What the calls in a file give for a parameter, or its default where they give nothing, each with its scope.

    Args:
        file: The file.
        name: A name that is read.
        scope: The scope that it is read in.

    Returns:
        None if the name stands for no parameter, or is set to something else too.
    """
    found = scope.find(name.value)
    if found is None or len(found[1]) != 1 or found[1][0].value is not None or found[1][0].target is not None:
        return None
    function = found[0]
    if name.value not in _parameters(function):
        return None
    owner = function.parent
    called = owner.name if function.name == "__init__" and owner is not None else function.name
    offset = 1 if owner is not None and owner.kind == "class" else 0
    sites = [site for site in file.tree.calls if _last(site.node) == called]
    passed = [(_passed(site.node, name.value, function, offset), site.scope) for site in sites]
    return [(value, where) for value, where in passed if value is not None]


def _parameters(function: Scope) -> tuple[str, ...]:
    node = function.node
    if not isinstance(node, cst.FunctionDef):
        return ()
    return (*function.parameters, *(one.name.value for one in node.params.kwonly_params))


def _last(call: cst.Call) -> str | None:
    """The last part of the name of what is called."""
    function = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    return function.value if isinstance(function, cst.Name) else None


def _passed(call: cst.Call, parameter: str, function: Scope, offset: int) -> cst.BaseExpression | None:
    for each in call.args:
        if each.keyword is not None and each.keyword.value == parameter:
            return each.value
    positional = [each for each in call.args if each.keyword is None]
    index = function.parameters.index(parameter) - offset if parameter in function.parameters else -1
    if 0 <= index < len(positional) and not any(each.star for each in positional[: index + 1]):
        return positional[index].value
    node = function.node
    if isinstance(node, cst.FunctionDef):
        for param in (*node.params.params, *node.params.kwonly_params):
            if param.name.value == parameter:
                return param.default
    return None
