"""One Python file of a CDK app, parsed when a rule first asks for something that may be in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from fixer.cdk.calls import Call, Construct
from fixer.cdk.layout import Splice, end_of_line, indent_at, longest_line, relay, start_of_line
from fixer.cdk.outline import Outline, ProjectClass
from fixer.model import Edit, Manual

if TYPE_CHECKING:
    import libcst as cst

    from fixer.cdk.app import CdkApp
    from fixer.cdk.calls import Argument
    from fixer.cdk.imports import Imports
    from fixer.cdk.later import Later
    from fixer.cdk.references import Reference
    from fixer.cdk.tree import Scope, Site, Tree

OLDEST = (2, 0, 0)
"""What this version of aws-cdk-lib has, version 1 may have had too."""


class CdkFile:
    """A file of an app: its constructs and calls, by the names that the CDK's documentation has for them.

    Names are `module.Class` without `aws_cdk.`, however the file imports them: `aws_s3.Bucket`, `Stack`.
    """

    def __init__(self, app: CdkApp, path: str, source: bytes, outline: Outline) -> None:
        """Take what the app knows of the file; the source is UTF-8."""
        self.app = app
        self.path = path
        self.source = source
        self.outline = outline

    def __repr__(self) -> str:
        """For messages of tests and debuggers."""
        return f"<CdkFile {self.path}>"

    @cached_property
    def tree(self) -> Tree:
        """The parsed file; SourceError if LibCST can't read what `ast` could."""
        from fixer.cdk.tree import Tree

        return Tree(self.source)

    @property
    def module(self) -> cst.Module:
        """LibCST's module."""
        return self.tree.module

    @cached_property
    def newline(self) -> str:
        """The file's line ending: that of its first line."""
        end = self.source.find(b"\n")
        return "\r\n" if end > 0 and self.source[end - 1 : end] == b"\r" else "\n"

    @cached_property
    def unit(self) -> str:
        """One step of the file's indentation."""
        return self.module.default_indent

    @cached_property
    def line_length(self) -> int:
        """How long lines may get before they are opened."""
        return longest_line(self.source)

    @cached_property
    def is_v1(self) -> bool:
        """Whether the file is written for version 1 of the CDK (`from aws_cdk import core`)."""
        targets = [target for each in self.outline.imports.values() for target in each]
        return any(target == "aws_cdk.core" or target.startswith("aws_cdk.core.") for target in targets)

    def has_since(self, since: tuple[int, ...] | None) -> bool:
        """Whether every aws-cdk-lib that the project allows has what came by a version; one of no version is there.

        A project that pins none has the newest. What the oldest of version 2 has, version 1 may have had too.
        """
        if since is None or since <= OLDEST:
            return True
        return not self.is_v1 and (self.app.facts.version is None or self.app.facts.version >= since)

    def too_old(self, name: str, since: tuple[int, ...] | None) -> Manual | None:
        """Why something can't be written that came to aws-cdk-lib by a version; None if it can."""
        if since is None or self.has_since(since):
            return None
        facts = self.app.facts
        source = f" ({facts.version_source})" if facts.version_source else ""
        lowest = ".".join(map(str, facts.version or ()))
        reason = f"aws-cdk-lib {lowest} may not have {name} yet{source}"
        if self.is_v1:
            reason = f"The file is written for version 1 of the CDK, which may not have {name}"
        return Manual(reason, f"Require aws-cdk-lib {'.'.join(map(str, since))} and run iacfix again")

    def text(self, start: int, end: int) -> str:
        """The source between two byte offsets."""
        return self.source[start:end].decode()

    def quoted(self, text: str) -> str:
        """A text of one line as Python source, with the quotes that the file has more of."""
        quote = "'" if self.source.count(b"'") > self.source.count(b'"') else '"'
        escaped = text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
        return f"{quote}{escaped}{quote}"

    def elsewhere(self, *words: str) -> tuple[str, ...]:
        """The paths of the app's other files, but for its tests, that hold one of these words."""
        found = dict.fromkeys(path for word in words for path in self.app.holding(word))
        return tuple(path for path in found if path != self.path and path not in self.app.tests)

    def lines(self, text: str) -> str:
        """Text with the file's line endings."""
        return text if self.newline == "\n" else text.replace("\r\n", "\n").replace("\n", self.newline)

    def edits(self, splices: Iterable[Splice]) -> tuple[Edit, ...]:
        """Edits of this file."""
        return tuple(Edit(self.path, *each) for each in sorted(splices, key=lambda each: (each.start, each.end)))

    def relaid(self, splices: Iterable[Splice]) -> tuple[Edit, ...]:
        """Edits of this file, with lines opened that they make too long."""
        groups: dict[tuple[int, int], list[Splice]] = {}
        for each in dict.fromkeys(splices):
            groups.setdefault(self._lines_of_statement(each.start), []).append(each)
        made: list[Splice] = []
        for (start, end), found in groups.items():
            made += relay(self.source[start:end], found, start, self.line_length, self.unit, self.newline)
        return self.edits(made)

    def put_all(self, values: Mapping[Argument, str]) -> tuple[Edit, ...]:
        """Put Python source in the place of what arguments are given, wherever in the file that is written."""
        return self.relaid(Splice(one.value_start, one.value_end, text) for one, text in values.items())

    def _lines_of_statement(self, offset: int) -> tuple[int, int]:
        """The whole lines of the statement around an offset, or just its line."""
        statements = self.tree.statements
        number = bisect_right(statements, offset, key=lambda span: span[0]) - 1
        start, end = statements[number] if number >= 0 and offset <= statements[number][1] else (offset, offset)
        return start_of_line(self.source, start), end_of_line(self.source, end)

    def is_unconditional(self, owner: Scope, start: int) -> bool:
        """Whether the statement at an offset stands right in the body of a function or module."""
        indent = indent_at(self.source, start)
        return indent == (self.body_indent(owner) if owner.kind == "function" else "")

    def body_indent(self, function: Scope) -> str | None:
        """The indentation of a function's body; None if it is on the line of its `def`."""
        body = getattr(function.node, "body", None)
        if type(body).__name__ != "IndentedBlock":
            return None
        return indent_at(self.source, self.tree.span(body.body[0])[0])  # type: ignore[union-attr]

    def comments(self) -> list[tuple[int, int, str]]:
        """All comments with where they start and end, in order."""
        return self.tree.comments if b"#" in self.source else []

    def comment_on(self, offset: int) -> str:
        """The comment that ends the line of an offset, as Python counts lines; empty if there is none."""
        comments = self.comments()
        end = self.source.find(b"\n", offset)
        index = bisect_left(comments, (end if end >= 0 else len(self.source) + 1,))
        start, _, text = comments[index - 1] if index else (-1, 0, "")
        return text if start >= start_of_line(self.source, offset) else ""

    # -- constructs and calls

    def constructs(self, *names: str, include_subclass_calls: bool = False) -> Iterator[Construct]:
        """Constructs of these classes in the order of the file, or all constructs without a name.

        A class of the app that derives from one of them counts as it: the `super().__init__(...)` in it is the
        construct. A call of such a class is given too if the class has no `__init__`; if it has one, only with
        `include_subclass_calls`, since the call doesn't show what the class passes on.
        """
        if names and not self._may_hold(names):
            return
        for each in self._constructs if names else self._certain:
            if (each.name in names or not names) and (include_subclass_calls or not each.opaque):
                yield each

    def calls(self, *names: str) -> Iterator[Call]:
        """Calls of anything of the CDK by its full name: `Duration.days`; all of them without a name."""
        if not names or any(self.outline.may_call(name.rpartition(".")[2]) for name in names):
            for each in self._calls:
                if not names or each.name in names:
                    yield each

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """The names of the CDK that the file reads, in order, each as long as it is written; no imports."""
        from fixer.cdk.references import references

        return tuple(references(self))

    @cached_property
    def method_calls(self) -> tuple[Call, ...]:
        """The calls `x.name(...)` that are of no name of the CDK, by the name of the method."""
        sites = ((site, getattr(site.node.func, "attr", None)) for site in self.tree.calls)
        return tuple(
            Call(self, site, attribute.value)
            for site, attribute in sites
            if attribute is not None and not self.meaning(site.node.func, site.scope)
        )

    def methods(self, name: str) -> Iterator[Call]:
        """Calls `x.name(...)` of any receiver; `receiver` gives its text."""
        if self.outline.may_call(name):
            for site in self.tree.calls:
                attribute = getattr(site.node.func, "attr", None)
                if attribute is not None and attribute.value == name:
                    yield Call(self, site, name)

    def call_around(self, offset: int) -> Call | None:
        """The innermost call that holds a byte, of whatever."""
        sites = [site for site in self.tree.calls if self._holds(site, offset)]
        if not sites:
            return None
        site = max(sites, key=lambda site: self.tree.span(site.node)[0])
        return Call(self, site, self.qualified_in(site.node.func, site.scope) or "")

    def _holds(self, site: Site, offset: int) -> bool:
        start, end = self.tree.span(site.node)
        return start <= offset < end

    def receiver(self, call: Call) -> str:
        """What stands before the dot of a method call."""
        start, end = self.tree.outer_span(getattr(call.node.func, "value", call.node.func))
        return self.text(start, end)

    def _may_hold(self, names: Iterable[str]) -> bool:
        words = {name.rpartition(".")[2] for name in names}
        if any(self.outline.may_call(word) for word in words):
            return True
        return any(base in names and self.outline.may_call(name) for name, base in self.app.subclasses.items())

    @cached_property
    def _calls(self) -> list[Call]:
        named = ((site, self.qualified_in(site.node.func, site.scope)) for site in self.tree.calls)
        return [Call(self, site, name) for site, name in named if name]

    @cached_property
    def written_ids(self) -> frozenset[tuple[str | None, str]]:
        """The ids of all constructs as they are written, but in double quotes, each with the class that makes it."""
        made = ((each.class_name, each.id_argument) for each in self.constructs())
        return frozenset((owner, given.text.replace("'", '"')) for owner, given in made if given is not None)

    @cached_property
    def _certain(self) -> list[Construct]:
        """Those of the constructs that are some by what they are given too."""
        return [each for each in self._constructs if _looks_like_construct(each)]

    @cached_property
    def _constructs(self) -> list[Construct]:
        found = []
        for site in self.tree.calls:
            meaning = self.meaning(site.node.func, site.scope)
            if isinstance(meaning, ProjectClass):
                subclass = self.app.index.subclass(meaning)
                if subclass is not None:
                    opaque = subclass.own_init
                    found.append(Construct(self, site, subclass.base, subclass=meaning.name, opaque=opaque))
            elif meaning and not meaning.endswith(".__init__"):
                found.append(Construct(self, site, meaning))
            else:
                found.extend(self._super_calls(site))
        return found

    def _super_calls(self, site: Site) -> Iterator[Construct]:
        """`super().__init__(...)` or `Base.__init__(self, ...)` in a class that derives from the CDK."""
        owner = site.scope.nearest("class")
        attribute = getattr(site.node.func, "attr", None)
        if (
            owner is None
            or attribute is None
            or attribute.value != "__init__"
            or site.scope.nearest("function") is None
        ):
            return
        receiver = site.node.func.value  # type: ignore[attr-defined]
        by_super = getattr(getattr(receiver, "func", None), "value", None) == "super"
        each = ProjectClass(self.path, owner.name)
        subclass = self.app.index.subclass(each)
        if subclass is None or not (by_super or self.meaning(receiver, site.scope) is not None):
            return
        last = self.app.index.super_decides(each)
        offset = 0 if by_super else 1
        yield Construct(self, site, subclass.base, is_super=last, subclass=owner.name, opaque=not last, offset=offset)

    # -- names

    def qualified(self, node: cst.CSTNode) -> str | None:
        """The CDK's name of a name or attribute node, such as `aws_s3.BlockPublicAccess.BLOCK_ALL`, or None."""
        return self.qualified_in(node, self.tree.scope_at(self.tree.span(node)[0]))

    def qualified_in(self, node: cst.CSTNode, scope: Scope) -> str | None:
        """The same for a scope that is known already."""
        meaning = self.meaning(node, scope)
        return meaning if isinstance(meaning, str) and meaning else None

    def meaning(self, node: cst.CSTNode, scope: Scope) -> str | ProjectClass | None:
        """What a name or attribute node in a scope stands for: a name of the CDK, or a class of the app."""
        target = self.tree.target(node, scope)
        if target is None:
            return None
        if target.startswith(":"):
            return ProjectClass(self.path, target[1:])
        return self.app.index.meaning(self.path, target)

    def names_in_scope(self, at: Call) -> frozenset[str]:
        """All names that can be read where a call is."""
        return frozenset(name for scope in at.scope.visible() for name in scope.bindings)

    def spell(self, name: str, at: Call | Reference) -> tuple[str, tuple[Edit, ...]]:
        """How to write a CDK name where a call is, and the edits of imports that this needs."""
        spelled, edits = self.spell_all((name,), at)
        return spelled[name], edits

    def spell_all(self, names: Iterable[str], at: Call | Reference) -> tuple[dict[str, str], tuple[Edit, ...]]:
        """The same for several names of one fix: their import edits don't overlap."""
        from fixer.cdk.spelling import Speller

        return Speller(self, at).spell(names)

    def spell_call(self, name: str, values: Mapping[str, str], at: Call | Reference) -> tuple[str, tuple[Edit, ...]]:
        """How to call something of the CDK with keywords where a call is, and the edits of imports that this needs."""
        spelled, edits = self.spell(name, at)
        return f"{spelled}({', '.join(f'{key}={text}' for key, text in values.items())})", edits

    @cached_property
    def imports(self) -> Imports:
        """What the file imports, and whether anything reads it."""
        from fixer.cdk.imports import Imports

        return Imports(self)

    @cached_property
    def later(self) -> Later:
        """What the file does to its constructs after it has made them."""
        from fixer.cdk.later import Later

        return Later(self)

    def is_bare_generator(self, node: cst.Arg) -> bool:
        """Whether an argument is a generator without parentheses of its own, which allows no second argument."""
        value = node.value
        return type(value).__name__ == "GeneratorExp" and not value.lpar


def _looks_like_construct(each: Construct) -> bool:
    """Whether a call of some CDK name makes a construct: a class with a parent and an id; a stack may lack the id."""
    last = each.name.rpartition(".")[2]
    if not last[:1].isupper():
        return False
    if each.is_super or each.subclass is not None or last in ("Stack", "NestedStack", "Stage"):
        return True
    return each.scope_text is not None and each.id_argument is not None
