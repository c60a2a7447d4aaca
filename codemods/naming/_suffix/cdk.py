"""Names in CDK code: which of them want the suffix, and the other places of the app that follow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, TypeGuard

import libcst as cst

from codemods.facts import physical_names
from codemods.naming._suffix import names
from codemods.naming._suffix.cdk_parts import Parts
from codemods.naming._suffix.cdk_places import Places
from fixer.cdk.environment import Environments, Source
from fixer.cdk.layout import Splice
from fixer.cdk.texts import NoPlaceError, Text, Texts
from fixer.cdk.tree import dotted
from fixer.cdk.values import single_value
from fixer.holes import HOLE, Change, core, hole, holes, occurrences, shown
from fixer.model import Edit, Fix, Impact, Manual, Unknown

if TYPE_CHECKING:
    from codemods.facts import PhysicalName
    from codemods.naming.env_suffix_names import Options
    from fixer.cdk import Argument, CdkFile, Construct
    from fixer.cdk.tree import Scope


@dataclass(frozen=True)
class Name:
    """A physical name as it stands in a construct, or in the variable that the construct takes it from."""

    construct: Construct
    argument: Argument
    physical: PhysicalName
    node: cst.BaseExpression
    """What is to change: the argument's value, or that of the variable."""
    scope: Scope
    text: str = ""
    changes: tuple[Change, ...] = ()
    random: tuple[cst.BaseExpression, ...] = ()
    """Parts that come out differently at every synthesis."""
    manual: Manual | None = None
    message: str = ""


@cache
def _arguments() -> re.Pattern[bytes]:
    """Any keyword that is a physical name of some construct."""
    words = {argument for arguments in physical_names().cdk.values() for argument in arguments}
    return re.compile(rf"\b(?:{'|'.join(sorted(words))})\s*=".encode())


class Suffixer:
    """Gives the names in one file their suffix."""

    def __init__(self, file: CdkFile, options: Options) -> None:
        """Take the file, and what the configuration says."""
        self.file, self.options = file, options
        self.texts = Texts(file)
        self.places = Places(self.texts)
        self.parts = Parts(self.texts, self.places)
        self.suffixes = Environments(file, options.context, options.default)
        self._others: dict[str, Suffixer] = {}

    # ---- the names -------------------------------------------------------------------------------

    @cached_property
    def names(self) -> list[Name]:
        """The names that want the suffix, whether they can have it or not."""
        facts = physical_names().cdk
        if not _arguments().search(self.file.source):
            return []
        found = []
        for construct in self.file.constructs(*facts):
            for argument in construct.keywords:
                physical = facts[construct.name].get(argument.name or "")
                if physical is not None:
                    name = self._judge(Name(construct, argument, physical, argument.node, construct.scope))
                    if name is not None:
                        found.append(name)
        return [name for one in found if (name := self._after_owner(one, found)) is not None]

    def _judge(self, name: Name) -> Name | None:
        """The name with what is to happen to it; None if it is in order, or somebody else's."""
        if not self.texts.is_text(name.node):
            given = self._given(name)
            if given is None or given.manual:
                return given
            name = given
        leaves = list(self.parts.leaves(name.node, name.scope))
        kinds = {kind for kind, _ in leaves}
        read = self.texts.read(name.node)
        if not read.text:
            return None
        name = replace(name, text=read.text, message=self._lacking(name, shown(read.text)))
        if "random" in kinds:
            said = f"{name.physical.kind.label} `{shown(read.text)}`"
            name = replace(name, message=f"{said} comes out differently at every synthesis")
            return self._checked(self._without_random(name, read, apart="apart" in kinds))
        if "apart" in kinds:
            return None
        texts = " ".join(text for kind, text in leaves if kind == "text")
        if manual := names.written_environment(texts):
            return replace(name, manual=manual)
        if unclear := next((code for kind, code in leaves if kind == "unclear"), None):
            return replace(name, manual=names.may_hold_environment(unclear))
        change = names.place(name.text, name.physical.kind, self.options.position, self.options.separator)
        return self._checked(replace(name, changes=(change,)))

    def _given(self, name: Name) -> Name | None:
        """A name that is no text: whoever gives it decides, unless that is the app itself."""
        node = name.node
        if isinstance(node, cst.IfExp | cst.BooleanOperation):
            kinds = {kind for kind, _ in self.parts.leaves(node, name.scope)}
            if "random" in kinds and "apart" not in kinds:
                return name
            if "text" not in kinds or "apart" in kinds:
                return None
            if self._is_default(node, name.scope):
                return replace(name, node=node.right)
            message = self._lacking(name, self.texts.code(node))
            step = "Put the environment suffix into each of its values that lacks it"
            return replace(name, message=message, manual=Manual("It depends on a condition", step))
        if not isinstance(node, cst.Name | cst.Attribute):
            return None
        found = single_value(self.file, node, name.scope)
        if isinstance(found, Unknown):
            return name if isinstance(node, cst.Name) and self.parts.is_given_plainly(node, name.scope) else None
        value, owner = found
        if not self.texts.is_text(value):
            inner = self._given(replace(name, node=value, scope=owner))
            if inner is None or inner.manual or inner.node is value:
                return name if inner is not None and not inner.manual else inner
            if self._is_home(node, name.scope, owner) and self.places.may_change(dotted(node) or "", value, owner):
                return inner
            step = "Put the environment suffix into each of its values that lacks it"
            return replace(
                inner,
                node=node,
                message=self._lacking(name, self.texts.code(value)),
                manual=Manual("It depends on a condition", step),
            )
        text = dotted(node) or ""
        if self._is_home(node, name.scope, owner) and self.places.may_change(text, value, owner):
            return replace(name, node=value, scope=owner)
        return name

    def _is_default(self, node: cst.BaseExpression, scope: Scope) -> TypeGuard[cst.BooleanOperation]:
        """Whether it is `x or "text"` with an `x` that others may give."""
        if not isinstance(node, cst.BooleanOperation) or not isinstance(node.operator, cst.Or):
            return False
        given = {kind for kind, _ in self.parts.leaves(node.left, scope)}
        return self.texts.is_text(node.right) and not given & {"text", "unclear"}

    @staticmethod
    def _lacking(name: Name, text: str) -> str:
        return f"{name.physical.kind.label} `{text}` has no environment suffix"

    @staticmethod
    def _is_home(node: cst.BaseExpression, scope: Scope, owner: Scope) -> bool:
        """Whether a variable is set in the function that reads it, or an attribute in `__init__`."""
        if owner.kind != "function":
            return False
        return owner is scope.nearest("function") if isinstance(node, cst.Name) else owner.name == "__init__"

    def _without_random(self, name: Name, read: Text, *, apart: bool) -> Name:
        """The name with the suffix in the place of its random part, or without that part if it needs no suffix."""
        operands = [one for one in self.texts.operands(name.node) if self.parts.is_random(one, name.scope)]
        if not apart:
            try:
                sources = [found for one in operands for found in self.parts.sources(one, name.scope)]
            except NoPlaceError as error:
                return replace(
                    name, manual=Manual(str(error), "Put the environment suffix in the place of the random part")
                )
            if sources:
                return replace(name, random=tuple(sources))
        else:
            changes = []
            for match in HOLE.finditer(read.text):
                if (
                    any(hole(self.texts.code(one)) == match[0] for one in operands)
                    and read.pieces[match.start()] is not None
                ):
                    start, end = match.span()
                    if start and read.text[start - 1] in "-_./":
                        start -= 1
                    elif read.text[end : end + 1] in ("-", "_", "."):
                        end += 1
                    changes.append(Change(start, end, drop=True))
            if changes and len(changes) == len(operands):
                return replace(name, changes=tuple(changes))
        step = "Take the random part out, and put the environment suffix in its place"
        return replace(name, manual=Manual("Its random part can't be told from the rest", step))

    def _checked(self, name: Name) -> Name:
        """The name, with a manual reason if it can't have the suffix."""
        kind = name.physical.kind
        reason = names.must_stay(name.text, kind) or names.wrong(name.text, name.changes, kind)
        if not reason and kind.end and kind.end in self.texts.code(name.node) and not name.text.endswith(kind.end):
            reason = f"{kind.end} must stay last in it"
        if kind.name == "s3-bucket" and not reason:
            keywords = {argument.name for argument in name.construct.keywords}
            if names.looks_like_host(name.text) and keywords & {"website_index_document", "website_redirect"}:
                reason = "The bucket is named like a host, and a website's bucket must be"
        step = "Choose the name by hand, or keep it with a suppression that says why"
        return replace(name, manual=Manual(reason, step)) if reason and not name.manual else name

    def _after_owner(self, name: Name, found: list[Name]) -> Name | None:
        """The name of a service's log group follows that of the resource that the service writes it for."""
        span = names.owner(name.text, name.physical.kind) if name.changes else None
        if span is None or name.manual:
            return name
        own = name.text[slice(*span)]
        for other in found:
            if other.manual or not other.changes or other is name:
                continue
            if other.text == own:
                return replace(name, changes=tuple(one.moved(span[0]) for one in other.changes))
            text = self.parts.variable_text(own, name.scope)
            if text == other.text and len(other.changes) == 1:
                change = other.changes[0]
                at = span[1] if change.start == len(text) else span[0]
                return replace(name, changes=(replace(change, start=at, end=at),))
            if other.node is not other.argument.node and own == hole(other.argument.text):
                return None  # the variable that both take it from changes
        return replace(name, manual=names.follows_none(own))

    # ---- the fix ---------------------------------------------------------------------------------

    @cached_property
    def _outside_init(self) -> frozenset[str]:
        """The classes that need the suffix in more methods than `__init__`."""
        found = set()
        for name in self.names:
            if name.manual:
                continue
            owner = name.scope.nearest("class")
            if owner is None:
                continue
            sought = core(name.text)
            at = self.texts.tree.span(name.node)[0]
            for method in owner.children:
                if method.kind != "function" or method.name == "__init__":
                    continue
                held = len(sought) > 4 and sought in self.file.text(method.start, method.end)
                if held or method.start <= at < method.end:
                    found.add(owner.name)
        return frozenset(found)

    def _suffix(self, scope: Scope, at: int) -> Source | str:
        """The suffix at a place: one that is there, or one that is made."""
        owner = scope.nearest("class")
        there = self.suffixes.there(scope, at)
        if there:
            return there
        return self.suffixes.make(scope, at, attribute=owner is not None and owner.name in self._outside_init)

    def fix(self, name: Name) -> Fix | Manual:
        """The edits of the name, of the places that follow it, and of the line that reads the suffix."""
        at = min(self.texts.tree.span(node)[0] for node in (name.random or (name.node,)))
        step = "Give the place a name that holds the environment suffix"
        extra: list[Edit] = []
        origin, code = "", ""
        needs = bool(name.random) or any(not change.drop for change in name.changes)
        if needs:
            suffix = self._suffix(name.scope, at)
            if isinstance(suffix, str):
                return Manual(suffix, step)
            extra += suffix.edits
            origin, code = suffix.origin, suffix.code
        splices: dict[CdkFile, list[Splice]] = {}
        own = splices.setdefault(self.file, [])
        try:
            if name.random:
                own += (Splice(*self.texts.hole_span(node), code) for node in name.random)
            else:
                own += self.texts.splices(self.texts.read(name.node), 0, name.changes, code)
                for other, text, start in self._followers(name):
                    reference = other._reference(name, text) if other is self else None
                    if reference:
                        own.append(Splice(*self.texts.tree.outer_span(text.node), reference))
                        continue
                    scope = other.texts.tree.scope_at(other.texts.tree.span(text.node)[0])
                    there = other._suffix(scope, other.texts.tree.span(text.node)[0])
                    line = other.file.source.count(b"\n", 0, other.texts.tree.span(text.node)[0]) + 1
                    if isinstance(there, str):
                        return Manual(f"{other.file.path}:{line} names it too: {there[0].lower()}{there[1:]}", step)
                    if there.origin != origin:
                        return Manual(f"{other.file.path}:{line} names it too, and has the suffix from elsewhere", step)
                    extra += there.edits
                    splices.setdefault(other.file, []).extend(
                        other.texts.splices(text, start, name.changes, there.code)
                    )
        except NoPlaceError as error:
            return Manual(str(error), "Write the suffix into it by hand")
        edits = [edit for file, found in splices.items() for edit in file.relaid(found)]
        literal = () if holes(name.text) or name.random else (name.text,)
        return Fix(tuple(dict.fromkeys((*extra, *edits))), Impact.REPLACEMENT, literal)

    def _followers(self, name: Name) -> Iterator[tuple[Suffixer, Text, int]]:
        """The other places of the app that hold the name: the file, each text, and where the name stands in it."""
        yield from ((self, text, start) for text, start in self._places(name, self))
        if holes(name.text):
            return
        core = name.text.encode()
        for path in sorted(self.file.app.sources):
            if path != self.file.path and core in self.file.app.sources[path]:
                file = self._others[path].file if path in self._others else self.file.app.file(path)
                if file is not None:
                    other = self._others.setdefault(path, Suffixer(file, self.options))
                    yield from ((other, text, start) for text, start in other._places(name, self))

    def _places(self, name: Name, home: Suffixer) -> Iterator[tuple[Text, int]]:
        """The places of this file that hold a name of the file of `home`."""
        own = name.node if home is self else None
        for text in self.texts.holding(name.text):
            if text.node is own or name.text not in text.text:
                continue
            if home is self and not self.texts.mean_the_same(name.text, name.scope, text.node):
                continue
            for start in occurrences(text.text, name.text):
                if self.places.means(text, start, name.text, name.physical):
                    yield text, start

    def _reference(self, name: Name, text: Text) -> str | None:
        """What gives the new name there, if the construct is made before and needs nothing of the place."""
        construct = name.construct
        target, reference = construct.target, name.physical.reference
        if not reference or not target or text.text != name.text or construct.is_super or text.is_bare:
            return None
        at = self.texts.tree.span(text.node)[0]
        here, there = construct.scope.nearest("function"), self.texts.tree.scope_at(at).nearest("function")
        if here is None or here is not there or at < construct.end or construct.scope is not here:
            return None
        if not self.texts.file.is_unconditional(here, construct.start) or self.places.at(text.node).role:
            return None
        bound = [
            one
            for one in self.texts.tree.assignments
            if one.target == target and one.scope.nearest("class") is here.nearest("class")
        ]
        if len(bound) != 1:
            return None
        statement = next(
            (one for one in self.texts.tree.above(text.node) if isinstance(one, cst.SimpleStatementLine)), None
        )
        assigned = [
            dotted(each.target)
            for small in (statement.body if statement else ())
            if isinstance(small, cst.Assign)
            for each in small.targets
        ]
        if any(self.places.is_given_to(target, each) for each in assigned if each):
            return None
        return f"{target}.{reference}"
