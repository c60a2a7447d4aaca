"""Where a file reads items of the CDK's context, and what it does if there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.calls import Call
from fixer.cdk.layout import Splice, end_of_line, relay, start_of_line
from fixer.cdk.tree import children, dotted
from fixer.cdk.values import evaluate
from fixer.model import Edit, Known, Unknown

if TYPE_CHECKING:
    from fixer.cdk.app import CdkApp
    from fixer.cdk.file import CdkFile
    from fixer.cdk.tree import Scope

_READ = re.compile(r"""get_context\(\s*["'](\w+)["']\s*\)(?:\s*or\s*(["']\w+["']))?""")
_TESTS = cst.If | cst.IfExp | cst.Assert | cst.While
_BRANCHES = cst.If | cst.IfExp | cst.Try | cst.While | cst.For | cst.BooleanOperation | cst.FunctionDef | cst.Lambda
_BARE = (
    cst.AnnAssign,
    cst.Arg,
    cst.Assign,
    cst.DictElement,
    cst.Element,
    cst.FormattedStringExpression,
    cst.Index,
    cst.Return,
    cst.Param,
)
"""What holds `x or y` without parentheses."""


class Read(Call):
    """A call of `node.try_get_context(key)` or `node.get_context(key)`."""

    @property
    def is_required(self) -> bool:
        """Whether it stops the program if there is no such item."""
        return self.name == "get_context"

    @cached_property
    def key(self) -> str | Unknown:
        """The item that it reads."""
        given = self.arguments[0] if self.arguments else None
        value = evaluate(self.file, given.node, self.scope) if given else Unknown("is not given")
        if isinstance(value, Known) and isinstance(value.value, str):
            return value.value
        return value if isinstance(value, Unknown) else Unknown("is no text")

    @property
    def _parent(self) -> cst.CSTNode:
        return self.file.tree.parents[self.node]

    @cached_property
    def is_provided_for(self) -> bool:
        """Whether the code says what happens if there is no such item: by `or`, or by asking whether there is one."""
        if _is_asked(self.file, self.node):
            return True
        if not isinstance(self._parent, cst.Assign | cst.AnnAssign | cst.BooleanOperation):
            return False
        targets = {each.target for each in self.file.tree.assignments if self._is_in(each.value)}
        homes = {text: self._home(text, self.scope) for text in targets}
        for node in self.file.tree.parents:
            text = dotted(node) if isinstance(node, cst.Name | cst.Attribute) else None
            if text in homes and _is_asked(self.file, node):
                scope = self.file.tree.scope_at(self.file.tree.span(node)[0])
                if self._home(text, scope) is homes[text]:
                    return True
        return False

    @staticmethod
    def _home(text: str, scope: Scope) -> Scope | None:
        """The scope that a name belongs to: the class for `self.x`."""
        head = text.partition(".")[0]
        found = scope.find(head)
        return scope.nearest("class") if head == "self" else found[0] if found else None

    def _is_in(self, value: cst.CSTNode) -> bool:
        """Whether a value is the call, or ends with it."""
        while isinstance(value, cst.BooleanOperation):
            value = value.right
        return value is self.node

    @property
    def given_to(self) -> tuple[str, str] | None:
        """The CDK's name of the call that takes it as it is, and the keyword."""
        argument = self._parent
        call = self.file.tree.parents.get(argument)
        if not isinstance(argument, cst.Arg) or argument.keyword is None or not isinstance(call, cst.Call):
            return None
        name = self.file.qualified_in(call.func, self.scope)
        return (name, argument.keyword.value) if name else None

    @cached_property
    def breaks_without(self) -> bool:
        """Whether the program certainly raises an exception if there is no such item."""
        if self.is_required or _breaks(self.file, self.node):
            return True
        parent = self._parent
        if not isinstance(parent, cst.Assign) or not isinstance(parent.targets[0].target, cst.Name):
            return False
        name, body = parent.targets[0].target.value, self.scope.node
        if len(self.scope.bindings.get(name, ())) > 1 or not isinstance(body, cst.FunctionDef | cst.Module):
            return False
        if any(isinstance(each, _BRANCHES) for each in self._above(parent, body)):
            return False
        return any(
            _breaks(self.file, node) and not any(isinstance(each, _BRANCHES) for each in self._above(node, body))
            for node in _below(body)
            if isinstance(node, cst.Name) and node.value == name and self.file.tree.span(node)[0] > self.end
        )

    def _above(self, node: cst.CSTNode, top: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes between one and the function or module that it is in."""
        for each in self.file.tree.above(node):
            if each is top:
                return
            yield each

    def with_default(self, text: str) -> tuple[Edit, ...]:
        """Let it give a text instead of nothing: `... or "dev"`, in parentheses where it stands in an operation."""
        quote = next((each.text[0] for each in self.arguments[:1] if each.text[0] in "\"'"), '"')
        splices = [Splice(self.end, self.end, f" or {quote}{text}{quote}")]
        last = isinstance(self._parent, cst.BooleanOperation) and isinstance(self._parent.operator, cst.Or)
        if not isinstance(self._parent, _BARE) and not last and not self.node.lpar:
            splices = [Splice(self.start, self.start, "("), Splice(self.end, self.end, f"{splices[0].text})")]
        if self.is_required:
            name = self.file.tree.span(self.node.func.attr)[0] if isinstance(self.node.func, cst.Attribute) else 0
            splices.append(Splice(name, name, "try_"))
        source, statement = self.file.source, self.site.statement
        place = (self.start, self.end)
        if statement is not None and statement.small is not None:
            place = self.file.tree.span(statement.node)
        start = start_of_line(source, place[0])
        region = source[start : end_of_line(source, place[1])]
        length = self.file.line_length
        return self.file.edits(relay(region, sorted(splices), start, length, self.file.unit, self.file.newline))


def reads(file: CdkFile) -> Iterator[Read]:
    """All reads of the context in a file, in its order."""
    found = [Read(file, call.site, name) for name in ("try_get_context", "get_context") for call in file.methods(name)]
    for each in sorted(found, key=lambda one: one.start):
        if re.search(r"(?:^|[._])node$", file.receiver(each)):
            yield each


def bare_reads(app: CdkApp) -> Iterator[Read]:
    """The reads of an app that may give None: of items without a default, which nothing is certain to give."""
    paths = app.holding("try_get_context")
    for file in (file for file in app.files() if file.path in paths):
        for read in reads(file):
            named = isinstance(read.key, str) and not is_given(app, read.key)
            if named and not read.is_required and not read.is_provided_for and not read.breaks_without:
                yield read


def items_read(app: CdkApp) -> frozenset[tuple[str, str]]:
    """The items that an app reads, but for its tests, each with the word that it has for a default, or an empty one."""
    return frozenset(
        (name, default.strip("\"'"))
        for path in app.holding("get_context")
        if path not in app.tests
        for name, default in _READ.findall(app.sources[path].decode(errors="replace"))
    )


def is_given(app: CdkApp, key: str) -> bool:
    """Whether an item is in `cdk.json`, or set by the code of the app."""
    if app.facts.context.get(key) is not None:
        return True
    quoted = rf"""["']{re.escape(key)}["']"""
    pattern = re.compile(rf"set_context\(\s*{quoted}|context\s*=\s*\{{[^}}]*{quoted}\s*:")
    return any(pattern.search(app.sources[path].decode("utf-8", "replace")) for path in app.holding(key))


def _is_asked(file: CdkFile, node: cst.CSTNode) -> bool:
    """Whether an expression's truth, or its being None, decides something."""
    parents = file.tree.parents
    parent = parents[node]
    while isinstance(parent, cst.BooleanOperation) or _is_not(parent) or isinstance(parent, cst.NamedExpr):
        if isinstance(parent, cst.BooleanOperation) and parent.left is node:
            return True
        if isinstance(parent, cst.NamedExpr) and parent.value is not node:
            return False
        node, parent = parent, parents[parent]
    if isinstance(parent, cst.Comparison):
        kinds = (cst.Is, cst.IsNot, cst.In, cst.NotIn)
        return parent.left is node and isinstance(parent.comparisons[0].operator, kinds)
    return isinstance(parent, _TESTS) and parent.test is node


def _is_not(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not)


def _breaks(file: CdkFile, node: cst.CSTNode) -> bool:
    """Whether an expression stands where None raises an exception: added to a text, or before a dot."""
    parent = file.tree.parents[node]
    while isinstance(parent, cst.BooleanOperation) and parent.right is node and isinstance(parent.operator, cst.Or):
        node, parent = parent, file.tree.parents[parent]
    if isinstance(parent, cst.Attribute | cst.Subscript):
        return parent.value is node
    if isinstance(parent, cst.BinaryOperation) and isinstance(parent.operator, cst.Add):
        other = parent.right if parent.left is node else parent.left
        return isinstance(other, cst.SimpleString | cst.FormattedString)
    return False


def _below(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for each in children(node):
        yield each
        yield from _below(each)
