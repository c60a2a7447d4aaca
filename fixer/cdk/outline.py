"""A quick look at the files of an app through `ast`: what they import, which classes they define, what they call.

It decides which files are worth a lossless parse, and which CDK class a class of the project comes from.
It errs on the side of too many names: scopes are not told apart here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TypeAlias

_DEPTH = 20


@dataclass(frozen=True)
class ClassOutline:
    """A class statement: its bases as they are written, and whether it has an `__init__` of its own."""

    name: str
    bases: tuple[str, ...]
    own_init: bool


@dataclass
class Outline:
    """The names of one file. `words` is None if they could not be collected, so that any name may occur."""

    imports: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    classes: dict[str, ClassOutline] = field(default_factory=dict)
    words: set[str] | None = field(default_factory=set)

    def may_call(self, name: str) -> bool:
        """Whether a call of something with this last part of its name may be in the file."""
        return self.words is None or name in self.words


@dataclass(frozen=True)
class ProjectClass:
    """A class that the app itself defines, by the file it is in."""

    path: str
    name: str


Meaning: TypeAlias = "str | ProjectClass | None"
"""What a name stands for: a canonical CDK name, a class of the app, or something else."""


@dataclass(frozen=True)
class Subclass:
    """The CDK base of a class of the app."""

    name: str
    base: str
    own_init: bool
    """The class, or one between it and the CDK, has an `__init__`: calls of it don't show the construct's arguments."""


def canonical(dotted: str) -> str | None:
    """The name of something of the CDK without `aws_cdk.` (and v1's `core.`), or None if it is not of the CDK.

    `constructs.Construct` keeps its full name. The package itself is the empty string.
    """
    if dotted == "constructs" or dotted.startswith("constructs."):
        return dotted
    root, _, rest = dotted.partition(".")
    if root != "aws_cdk":
        return None
    return "" if rest == "core" else rest.removeprefix("core.")


def outline(source: bytes) -> Outline:
    """The outline of a file; SyntaxError, ValueError or RecursionError if this Python can't parse it."""
    result = Outline(words=set())
    words = result.words or set()
    stack: list[ast.AST] = [ast.parse(source)]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                target = alias.name if alias.asname else alias.name.partition(".")[0]
                result.imports.setdefault(alias.asname or target, []).append(target)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                target = join(module, alias.name)
                result.imports.setdefault(alias.asname or alias.name, []).append(target)
                words.add(alias.name)
        elif isinstance(node, ast.Call):
            words.update(_last(node.func))
        elif isinstance(node, ast.ClassDef):
            bases = tuple(base for base in map(_dotted, node.bases) if base)
            own = any(isinstance(item, ast.FunctionDef) and item.name == "__init__" for item in node.body)
            result.classes[node.name] = ClassOutline(node.name, bases, own)
            words.update(base.rpartition(".")[2] for base in bases)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Name | ast.Attribute):
            words.update(_last(node.value))
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in targets:
                if isinstance(name, ast.Name) and (dotted := _dotted(node.value)):
                    result.aliases[name.id] = dotted
        stack.extend(ast.iter_child_nodes(node))
    result.words = words
    return result


def gives_value(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function returns or yields a value, or says that it does."""
    returns = function.returns
    if returns is not None and not (isinstance(returns, ast.Constant) and returns.value is None):
        return True
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Lambda():
                continue
            case ast.Return(value=None | ast.Constant(value=None)):
                continue
            case ast.Return() | ast.Yield() | ast.YieldFrom():
                return True
        waiting += ast.iter_child_nodes(node)
    return False


def join(module: str, name: str) -> str:
    """The dotted name of `name` in `module`, which may be relative (leading dots)."""
    return module + name if module.endswith(".") or not module else f"{module}.{name}"


def _last(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr


def _dotted(node: ast.expr) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


class Index:
    """Follows names from file to file of one app."""

    def __init__(self, root: str, paths: Mapping[str, object], outlines: Mapping[str, Outline]) -> None:
        """Take the app's folder, all its files' paths, and the outlines of those that were looked at."""
        self._root = "" if root in (".", "") else root.rstrip("/") + "/"
        self._outlines = outlines
        self._modules: dict[str, list[str]] = {}
        for path in sorted(paths, key=lambda each: (each.count("/"), each)):
            parts = path.removesuffix(".py").split("/")
            module = parts[-2] if parts[-1] == "__init__" and len(parts) > 1 else parts[-1]
            self._modules.setdefault(module, []).append(path)

    @cached_property
    def parents(self) -> frozenset[str]:
        """Last parts of all names that some class of the app has as a base."""
        return frozenset(
            base.rpartition(".")[2]
            for item in self._outlines.values()
            for each in item.classes.values()
            for base in each.bases
        )

    def subclasses(self) -> Iterator[tuple[ProjectClass, Subclass]]:
        """Every class of the app that comes from a class of the CDK."""
        for path, item in self._outlines.items():
            for name in item.classes:
                found = self.subclass(ProjectClass(path, name))
                if found is not None:
                    yield ProjectClass(path, name), found

    def subclass(self, each: ProjectClass, depth: int = 0) -> Subclass | None:
        """The CDK base of a class of the app, through any number of levels; None if it has none."""
        item = self._outlines.get(each.path)
        statement = item.classes.get(each.name) if item else None
        if statement is None or depth > _DEPTH:
            return None
        for base in statement.bases:
            meaning = self.lookup(each.path, base, depth + 1)
            if isinstance(meaning, str) and meaning:
                return Subclass(each.name, meaning, statement.own_init)
            if isinstance(meaning, ProjectClass) and meaning != each:
                found = self.subclass(meaning, depth + 1)
                if found is not None:
                    return Subclass(each.name, found.base, statement.own_init or found.own_init)
        return None

    def super_decides(self, each: ProjectClass) -> bool:
        """Whether `super().__init__` in this class reaches the CDK base itself, not an `__init__` of the app."""
        statement = self._outlines[each.path].classes[each.name]
        for base in statement.bases:
            meaning = self.lookup(each.path, base)
            if isinstance(meaning, ProjectClass):
                found = self.subclass(meaning)
                if found is not None:
                    return not found.own_init
        return True

    def lookup(self, path: str, dotted: str, depth: int = 0) -> Meaning:
        """What a dotted name means at the top of a file."""
        item = self._outlines.get(path)
        if item is None or depth > _DEPTH:
            return None
        head, _, rest = dotted.partition(".")
        if head in item.classes:
            return None if rest else ProjectClass(path, head)
        for target in item.imports.get(head, ()):
            meaning = self.meaning(path, join(target, rest) if rest else target, depth + 1)
            if meaning is not None:
                return meaning
        if head in item.aliases and item.aliases[head].partition(".")[0] != head:
            return self.lookup(path, join(item.aliases[head], rest) if rest else item.aliases[head], depth + 1)
        return None

    def meaning(self, path: str, dotted: str, depth: int = 0) -> Meaning:
        """What an absolute or relative (leading dots) dotted name means, seen from a file."""
        name = canonical(dotted)
        if name is not None:
            return name
        level = len(dotted) - len(dotted.lstrip("."))
        parts = dotted[level:].split(".")
        for length in range(len(parts) - 1, -1, -1):
            target = self._module(path, level, parts[:length])
            if target is not None and target != path:
                return self.lookup(target, ".".join(parts[length:]), depth + 1)
        return None

    def definition(self, path: str, dotted: str) -> tuple[str, str] | None:
        """The file of the app that a dotted import target of a file leads to, and the name that it has there."""
        level = len(dotted) - len(dotted.lstrip("."))
        module, _, name = dotted[level:].rpartition(".")
        target = self._module(path, level, module.split(".") if module else [])
        return (target, name) if target is not None else None

    def imported(self, path: str) -> Iterator[str]:
        """The files of the app that the imports of a file may lead to."""
        for dotted in (target for targets in self._outlines[path].imports.values() for target in targets):
            level = len(dotted) - len(dotted.lstrip("."))
            parts = dotted[level:].split(".")
            for length in (len(parts), len(parts) - 1):
                target = self._module(path, level, parts[:length])
                if target is not None:
                    yield target

    def _module(self, path: str, level: int, parts: list[str]) -> str | None:
        """The file of a module: below the importing file's folders if relative, else the nearest to the app's root."""
        if level:
            folder = PurePosixPath(path).parents[level - 1] if level <= len(PurePosixPath(path).parents) else None
            if folder is None:
                return None
            stem = str(folder.joinpath(*parts))
            known = self._modules.get(stem.rpartition("/")[2], ())
            return next((each for each in (f"{stem}.py", f"{stem}/__init__.py") if each in known), None)
        if not parts:
            return None
        known = self._modules.get(parts[-1], ())
        stem = "/".join(parts)
        exact = [f"{self._root}{stem}.py", f"{self._root}{stem}/__init__.py"]
        near = [each for each in known if f"/{each}".endswith((f"/{stem}.py", f"/{stem}/__init__.py"))]
        return next((each for each in [*exact, *near] if each in known), None)
