"""Whether importing a module of the app does nothing but define what is in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fixer.cdk.app import CdkApp

_HARMLESS = frozenset(
    [
        "Path",
        "TypeVar",
        "compile",
        "dict",
        "dirname",
        "field",
        "float",
        "frozenset",
        "getLogger",
        "get",
        "getenv",
        "int",
        "join",
        "list",
        "namedtuple",
        "realpath",
        "abspath",
        "set",
        "str",
        "tuple",
    ]
)
_DECORATORS = frozenset(
    ["abstractmethod", "cached_property", "classmethod", "dataclass", "implements", "property", "staticmethod"]
)
_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.Pass)


def acting(app: CdkApp, path: str, module: str) -> str | None:
    """The file of the app that does more than to define things when a file imports a module, with all that this loads.

    None if there is none; also if the module is none of the app's. `module` is dotted, with leading dots if relative.
    """
    seen: set[str] = set()
    waiting = list(files(app, path, module))
    while waiting:
        each = waiting.pop()
        if each in seen or each == path:
            continue
        seen.add(each)
        try:
            tree = ast.parse(app.sources[each])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return each
        if not all(map(_defines, tree.body)):
            return each
        for node in ast.walk(tree):
            for name in _modules(node):
                waiting += files(app, each, name)
    return None


def files(app: CdkApp, path: str, module: str) -> Iterator[str]:
    """The files of the app that are run when a file imports a module: its packages' and its own."""
    level = len(module) - len(module.lstrip("."))
    parts = module[level:].split(".")
    for length in range(1, len(parts) + 1):
        found = app.index.definition(path, "." * level + ".".join([*parts[:length], "x"]))
        if found is not None:
            yield found[0]


def _modules(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        yield from (f"{module}{'' if module.endswith('.') else '.'}{alias.name}" for alias in node.names)


def _defines(node: ast.stmt) -> bool:
    """Whether a statement of a module or class has no effect outside of it."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return all(_name(each) in _DECORATORS for each in node.decorator_list)
        case ast.ClassDef():
            return all(_name(each) in _DECORATORS for each in node.decorator_list) and all(map(_defines, node.body))
        case ast.Assign(value=ast.expr() as value) | ast.AnnAssign(value=ast.expr() as value):
            return _is_harmless(value)
        case ast.AnnAssign():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=test):
            if _name(test) == "TYPE_CHECKING" or ast.unparse(test).startswith("__name__ =="):
                return True
            return _is_harmless(test) and all(map(_defines, [*node.body, *node.orelse]))
        case ast.Try():
            return all(isinstance(each, _DEFINITIONS) for each in node.body)
    return isinstance(node, _DEFINITIONS)


def _is_harmless(value: ast.expr) -> bool:
    calls = (node for node in ast.walk(value) if isinstance(node, ast.Call))
    return all(_name(each) in _HARMLESS for each in calls)


def _name(node: ast.expr) -> str:
    """The last part of what an expression names or calls."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
