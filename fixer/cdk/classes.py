"""Classes of an app and their `__init__`: where it calls that of the base class, and where methods start to run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.layout import indent_at

if TYPE_CHECKING:
    from fixer.cdk.file import CdkFile
    from fixer.cdk.tree import Scope


def init_of(owner: Scope) -> Scope | None:
    """The scope of a class's `__init__`."""
    return next((one for one in owner.children if one.kind == "function" and one.name == "__init__"), None)


def method_at(owner: Scope, at: int) -> Scope | None:
    """The method of a class that an offset is in, if it has a `self`."""
    method = next((one for one in owner.children if one.kind == "function" and one.start <= at < one.end), None)
    return method if method is not None and method.parameters[:1] == ("self",) else None


def super_call(file: CdkFile, init: Scope) -> tuple[int, int] | None:
    """Where the statement stands, right in its body, in which an `__init__` calls that of the base class."""
    for site in file.tree.calls:
        function = site.node.func
        if site.scope is init and isinstance(function, cst.Attribute) and function.attr.value == "__init__":
            statement = site.statement
            if statement and statement.is_line and statement.count == 1:
                span = file.tree.span(statement.node)
                if indent_at(file.source, span[0]) == file.body_indent(init):
                    return span
    return None


def first_own_call(file: CdkFile, owner: Scope, init: Scope) -> int:
    """Where `__init__` first calls a method of its class; its end if it calls none."""
    return min(_own_calls(file, owner, init), default=init.end)


def _own_calls(file: CdkFile, owner: Scope, init: Scope) -> Iterator[int]:
    for site in file.tree.calls:
        function = site.node.func
        if (
            site.scope.nearest("function") is init
            and isinstance(function, cst.Attribute)
            and isinstance(function.value, cst.Name)
            and function.value.value == "self"
            and function.attr.value in owner.bindings
        ):
            yield file.tree.span(site.node)[0]
