"""Where a file reads names of the CDK: classes, members of enumerations, modules."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from fixer.model import Edit, Finding, Fix, Language, Manual, Rule

if TYPE_CHECKING:
    from fixer.cdk.file import CdkFile
    from fixer.cdk.tree import Scope

_WRITTEN = (
    cst.Import,
    cst.ImportFrom,
    cst.ImportAlias,
    cst.AsName,
    cst.AssignTarget,
    cst.Param,
    cst.Global,
    cst.Nonlocal,
)
"""What gives a name its meaning, or takes it, instead of reading it."""


class Reference:
    """A name of the CDK that is read: `s3.BlockPublicAccess.BLOCK_ALL`."""

    def __init__(self, file: CdkFile, node: cst.Name | cst.Attribute, name: str) -> None:
        """Take the file, the node, and the canonical name that the node has."""
        self.file = file
        self.node = node
        self.name = name
        self.path = file.path
        self.start, self.end = file.tree.span(node)

    def __repr__(self) -> str:
        """For messages of tests and debuggers."""
        return f"<Reference {self.name} {self.path}:{self.line}>"

    @property
    def line(self) -> int:
        """The line that it starts on, from 1."""
        return self.file.source.count(b"\n", 0, self.start) + 1

    @cached_property
    def scope(self) -> Scope:
        """The scope that it is in."""
        return self.file.tree.scope_at(self.start)

    @property
    def text(self) -> str:
        """The name as it is written."""
        return self.file.text(self.start, self.end)

    @property
    def called(self) -> cst.Call | None:
        """The call of what it names; None if it is only read."""
        parent = self.file.tree.parents.get(self.node)
        return parent if isinstance(parent, cst.Call) and parent.func is self.node else None

    def part(self, name: str) -> Reference | None:
        """The beginning of it that has a name: `s3.BlockPublicAccess`; None if it is not written out there."""
        node = self.node
        for _ in range(self.name.count(".") - name.count(".") if name else 0):
            if not isinstance(node, cst.Attribute) or not isinstance(node.value, cst.Name | cst.Attribute):
                return None
            node = node.value
        return Reference(self.file, node, name)

    def rename(self, last: str) -> tuple[Edit, ...]:
        """Give its last part another name; KeyError if it is a name that an import brings."""
        if not isinstance(self.node, cst.Attribute):
            raise KeyError(self.text)
        return (Edit(self.path, *self.file.tree.span(self.node.attr), last),)

    def replace(self, text: str) -> tuple[Edit, ...]:
        """Put something else in its place."""
        return (Edit(self.path, self.start, self.end, text),)

    def finding(self, rule: Rule, message: str, *, fix: Fix | None = None, manual: Manual | None = None) -> Finding:
        """A finding about it; one about what is called has the whole call as its scope."""
        call = self.called
        scope = (self.start, self.end if call is None else self.file.tree.span(call)[1])
        subject = self.name.removeprefix("aws_")
        return Finding(rule.name, Language.CDK, self.path, self.start, self.end, message, fix, manual, subject, scope)


def references(file: CdkFile) -> Iterator[Reference]:
    """The names of the CDK that a file reads, in order, each as long as it is written; no imports."""
    tree = file.tree
    found = []
    for node, parent in tree.parents.items():
        if not isinstance(node, cst.Name) or node.value not in file.outline.imports or isinstance(parent, _WRITTEN):
            continue
        if getattr(parent, "keyword", None) is node or getattr(parent, "attr", None) is node:
            continue
        whole: cst.Name | cst.Attribute = node
        above = parent
        while isinstance(above, cst.Attribute) and above.value is whole:
            whole, above = above, tree.parents[above]
        if isinstance(above, cst.AssignTarget | cst.AnnAssign) and above.target is whole:
            continue
        if name := file.qualified(whole):
            found.append(Reference(file, whole, name))
    return iter(sorted(found, key=lambda one: one.start))
