"""Calls and constructs: what they are given, and the edits that change it.

Edits keep the layout of the call. A new keyword goes after the last argument, but before the first `**x` (which may
carry more, so ask `value` first). The edits of two methods must not be joined into one fix: use `rewrite`, which takes
all that shall happen to one call at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fixer.cdk.layout import Brackets, Item, Splice, end_of_line, fold, indent_at, relay, splice, start_of_line
from fixer.cdk.outline import ProjectClass
from fixer.model import Absent, Edit, Finding, Fix, Lack, Language, Manual, Rule, Unknown, Value

if TYPE_CHECKING:
    import libcst as cst

    from fixer.cdk.file import CdkFile
    from fixer.cdk.tree import Scope, Site
    from fixer.cdk.values import Entry


@dataclass(frozen=True)
class Argument:
    """One argument as it is written; `name` is None for a positional one. `node` is the value."""

    name: str | None
    start: int
    end: int
    value_start: int
    value_end: int
    text: str
    node: cst.BaseExpression


class Call:
    """A call of something that has a name of the CDK, or of a method."""

    def __init__(self, file: CdkFile, site: Site, name: str) -> None:
        """Take the file, where the call is, and the canonical name of what is called."""
        self.file = file
        self.site = site
        self.node = site.node
        self.name = name
        self.path = file.path
        self.start, self.end = file.tree.span(site.node)

    def __repr__(self) -> str:
        """For messages of tests and debuggers."""
        return f"<{type(self).__name__} {self.name} {self.path}:{self.line}>"

    @property
    def scope(self) -> Scope:
        """The scope that the call is in."""
        return self.site.scope

    @property
    def line(self) -> int:
        """The line that the call starts on, from 1."""
        return self.file.source.count(b"\n", 0, self.start) + 1

    def is_in(self, other: Call) -> bool:
        """Whether it is written within another call of the file."""
        return other.start < self.start < other.end

    @property
    def text(self) -> str:
        """The call as it is written."""
        return self.file.text(self.start, self.end)

    @property
    def function(self) -> str | None:
        """The name of the function around the call."""
        scope = self.scope.nearest("function")
        return scope.name if scope else None

    @property
    def class_name(self) -> str | None:
        """The name of the class around the call."""
        scope = self.scope.nearest("class")
        return scope.name if scope else None

    # -- what it is given

    @property
    def has_splat(self) -> bool:
        """Whether `**x` is among the arguments."""
        return any(each.star == "**" for each in self.node.args)

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """All arguments but `*x` and `**x`, in order."""
        return tuple(self._argument(each) for each in self.node.args if not each.star)

    @property
    def positional(self) -> tuple[Argument, ...]:
        """The arguments without a keyword."""
        return tuple(each for each in self.arguments if each.name is None)

    @property
    def keywords(self) -> tuple[Argument, ...]:
        """The arguments with a keyword."""
        return tuple(each for each in self.arguments if each.name is not None)

    def argument(self, keyword: str) -> Argument | None:
        """The argument with that keyword, if it is written in the call itself."""
        return next((each for each in self.arguments if each.name == keyword), None)

    def value(self, keyword: str, *, shared: bool = False) -> Value:
        """What a keyword is set to.

        Absent: certainly nothing, or None. Known: plain data; a name of the CDK is a Symbol. Unknown: a variable, a
        call, or `**x` might carry it. A dict literal behind `**` is looked into; one that other code uses too, and
        that can't be changed for this call alone, only if `shared`.
        """
        from fixer.cdk.values import argument_value, evaluate

        argument = self.argument(keyword)
        if argument is not None:
            return argument_value(evaluate(self.file, argument.node, self.scope))
        entry = self._entry(keyword)
        if entry is None:
            return Absent
        if isinstance(entry, Unknown):
            return entry
        if entry.shared and not shared:
            return Unknown(f"is set in `{entry.shared}`, which other code uses too")
        return argument_value(evaluate(self.file, entry.value, self.scope))

    def behind(self, given: str | Argument) -> Argument | None:
        """The expression that an argument, or the one of a keyword, stands for, as if it were written in the call.

        Names that are assigned once are followed, dict literals behind `**` are looked into. None if the call does
        not show the keyword.
        """
        from fixer.cdk.values import behind

        argument = self.argument(given) if isinstance(given, str) else given
        entry = self._entry(given) if argument is None and isinstance(given, str) else None
        written = argument.node if argument else None if isinstance(entry, Unknown) or entry is None else entry.value
        if written is None:
            return None
        node = behind(self.file, written, self.scope)
        start, end = self.file.tree.outer_span(node)
        name = given if isinstance(given, str) else given.name
        return Argument(name, start, end, start, end, self.file.text(start, end), node)

    def call_behind(self, given: str | Argument, *names: str) -> Call | None:
        """The call of one of these, by their full names, that an argument, or the one of a keyword, stands for."""
        written = self.behind(given)
        span = (written.start, written.end) if written else None
        return next((one for one in self.file.calls(*names) if (one.start, one.end) == span), None)

    def _entry(self, keyword: str) -> Entry | Unknown | None:
        from fixer.cdk.values import splat_entries

        for each in self.node.args:
            if each.star == "**":
                entries = splat_entries(self.file, each.value, self.scope)
                if isinstance(entries, Unknown):
                    return entries
                if keyword in entries:
                    return entries[keyword]
        return None

    def _argument(self, node: cst.Arg) -> Argument:
        tree = self.file.tree
        start, end = tree.span(node)
        value_start, value_end = tree.outer_span(node.value)
        name = node.keyword.value if node.keyword is not None else None
        return Argument(name, start, end, value_start, value_end, self.file.text(value_start, value_end), node.value)

    def within(self, keyword: str, struct: str) -> Call | Value:
        """The call that makes the struct that a keyword is set to, such as `deploy_options=StageOptions(...)`.

        Absent if there is none. Unknown if it can't be told, is a dict, or can't be changed for this call alone.
        """
        from fixer.cdk.lack import within

        return within(self, keyword, struct)

    def lack(
        self,
        path: str,
        value: Any,
        *,
        struct: str = "",
        accepts: Callable[[Any], bool] | None = None,
        since: tuple[int, ...] | None = None,
        properties: tuple[str, ...] = (),
    ) -> Lack | None:
        """What is wrong with a setting that is to have a value; None if it has it.

        Args:
            path: The keyword, or one within the struct of a keyword: `deploy_options.tracing_enabled`.
            value: Plain data, or a Symbol.
            struct: The struct's full name; empty if the path is a keyword alone.
            accepts: Whether a known value is right; by default the wanted one alone.
            since: The first version of aws-cdk-lib that has the setting; None if that does not matter.
            properties: What it is called in CloudFormation, in snake case, to know what is set on it afterwards.
        """
        from fixer.cdk.lack import Wanted, lack

        return lack(
            self,
            Wanted(path, value, struct, accepts or (lambda found: bool(found == value)), since, properties),
        )

    def lack_all(self, values: Mapping[str, str], step: str, *, keyword: str = "", struct: str = "") -> Lack | None:
        """What is wrong with settings that must all be there, whatever they are; None if they are.

        Args:
            values: The settings, with the Python expressions to give to those that lack.
            step: What to do where that can't be told.
            keyword: The keyword whose struct takes them; empty if the call does itself.
            struct: The struct's full name.
        """
        from fixer.cdk.lack import lack_all

        return lack_all(self, values, step, keyword, struct)

    # -- edits

    def set(self, keyword: str, text: str) -> tuple[Edit, ...]:
        """Give a keyword the value that `text` says: in place of the one it has, or as a new argument."""
        return self.rewrite(set={keyword: text})

    def set_all(self, values: Mapping[str, str]) -> tuple[Edit, ...]:
        """The same for several keywords at once."""
        return self.rewrite(set=values)

    def put(self, text: str, start: int | None = None, end: int | None = None) -> tuple[Edit, ...]:
        """Put text in the place of a part of the call, between two bytes of the file; of all of it by default."""
        place = (self.start if start is None else start, self.end if end is None else end)
        return self.file.edits(self._relaid([Splice(*place, self.file.lines(text))]))

    def append(self, keyword: str, text: str, *keys: str) -> tuple[Edit, ...] | None:
        """Add an element, last, to the list literal that a keyword is given; `keys` lead to it through dict literals.

        None if no list literal stands there.
        """
        from fixer.cdk.values import list_brackets

        argument = self.argument(keyword)
        found = list_brackets(self.file, argument.node, keys) if argument else None
        if found is None:
            return None
        return self.file.edits(self._relaid(found.insert([self.file.lines(text)], len(found.items) - 1)))

    def remove(self, keyword: str) -> tuple[Edit, ...]:
        """Take a keyword out, with its comma, and with its line and the comment on it if it has the line to itself."""
        return self.rewrite(remove=(keyword,))

    def rename(self, keyword: str, new: str) -> tuple[Edit, ...]:
        """Give a keyword another name and leave its value as it is written."""
        return self.rewrite(rename={keyword: new})

    def replace(self, keyword: str, new: str, text: str) -> tuple[Edit, ...]:
        """Put another keyword with another value in the place of one."""
        return self.rewrite(replace={keyword: (new, text)})

    def rewrite(
        self,
        *,
        set: Mapping[str, str] | None = None,  # noqa: A002  the verb of the vocabulary
        remove: Iterable[str] = (),
        rename: Mapping[str, str] | None = None,
        replace: Mapping[str, tuple[str, str]] | None = None,
        drop: Mapping[str, Iterable[int]] | None = None,
        within: Mapping[Call, Iterable[str]] | None = None,
    ) -> tuple[Edit, ...]:
        """All changes to the arguments of one call, as edits that don't overlap.

        `drop` takes elements, by number, out of list literals that keywords are given in the call; `within` takes
        keywords out of calls in this one.
        If something is removed and something new is set, the new takes the place of the old. KeyError if a keyword to
        remove, rename or replace is neither in the call nor in a dict that belongs to it alone.
        """
        replaced = dict(replace or {})
        added = {name: text for name, text in (set or {}).items() if not self.has(name)}
        gone = []
        for name in remove:
            if added and self.argument(name) is not None:
                new = next(iter(added))
                replaced[name] = (new, added.pop(new))
            else:
                gone.append(name)
        splices: list[Splice] = []
        for name, text in (set or {}).items():
            if self.has(name):
                splices.append(self._at(name, value=text))
        for name, new in (rename or {}).items():
            splices.append(self._at(name, key=new))
        for name, (new, text) in replaced.items():
            splices += (self._at(name, key=new), self._at(name, value=text))
        for name, indexes in (drop or {}).items():
            splices += self._dropped(name, indexes)
        for call, names in (within or {}).items():
            splices += call._removals(names)
        splices += self._removals(gone)
        if added:
            splices += self._insertion([f"{name}={text}" for name, text in added.items()])
        return self.file.edits(self._relaid(splices))

    def with_added(self, values: Mapping[str, str]) -> str:
        """The text of the call with further keywords, to be written as the argument of another one."""
        added = self._insertion([f"{name}={text}" for name, text in values.items()])
        local = [Splice(start - self.start, end - self.start, text) for start, end, text in added]
        return splice(self.file.source[self.start : self.end], local).decode()

    def _dropped(self, keyword: str, indexes: Iterable[int]) -> list[Splice]:
        from fixer.cdk.values import list_brackets

        argument = self.argument(keyword)
        found = list_brackets(self.file, argument.node) if argument else None
        if found is None:
            raise KeyError(keyword)
        return found.remove(indexes)

    def has(self, keyword: str) -> bool:
        """Whether a keyword is certainly given: in the call itself, or in a dict literal behind `**`."""
        return self.argument(keyword) is not None or not isinstance(self._entry(keyword), Unknown | None)

    def _own_entry(self, keyword: str) -> Entry:
        entry = self._entry(keyword)
        if entry is None or isinstance(entry, Unknown) or entry.shared:
            raise KeyError(keyword)
        return entry

    def _at(self, keyword: str, *, key: str | None = None, value: str | None = None) -> Splice:
        """Another name or another value for a keyword, in the call or in the dict that brings it."""
        argument = self.argument(keyword)
        if argument is not None:
            if value is not None:
                return Splice(argument.value_start, argument.value_end, self.file.lines(value))
            return Splice(argument.start, argument.start + len(keyword.encode()), key or keyword)
        entry = self._own_entry(keyword)
        node = entry.key if value is None else entry.value
        start, end = self.file.tree.outer_span(node)
        if value is not None:
            return Splice(start, end, self.file.lines(value))
        return Splice(start, end, self.file.text(start, end).replace(keyword, key or keyword))

    def _removals(self, keywords: Iterable[str]) -> list[Splice]:
        own: list[int] = []
        splices: list[Splice] = []
        for keyword in keywords:
            index = next(
                (at for at, each in enumerate(self.node.args) if each.keyword and each.keyword.value == keyword), None
            )
            if index is not None:
                own.append(index)
            else:
                entry = self._own_entry(keyword)
                splices += entry.brackets.remove([entry.index])
        return splices + (self.brackets.remove(own) if own else [])

    @cached_property
    def brackets(self) -> Brackets:
        """The layout of the argument list."""
        tree = self.file.tree
        items = []
        for each in self.node.args:
            start, end = tree.span(each)
            items.append(Item(start, end, tree.comma(each.comma)))
        opening = tree.span(self.node.whitespace_before_args)[0]
        return Brackets(self.file.source, opening, self.end - 1, items, self.file.newline, self.file.unit)

    def _insertion(self, texts: list[str]) -> list[Splice]:
        stars = [at for at, each in enumerate(self.node.args) if each.star == "**"]
        after = (stars[0] if stars else len(self.node.args)) - 1
        splices: list[Splice] = []
        if len(self.node.args) == 1 and self.file.is_bare_generator(self.node.args[0]):
            start, end = self.file.tree.span(self.node.args[0])
            splices = [Splice(start, start, "("), Splice(end, end, ")")]
        return splices + self.brackets.insert([self.file.lines(each) for each in texts], after)

    def _relaid(self, splices: list[Splice]) -> list[Splice]:
        source = self.file.source
        first, last = min(each.start for each in splices), max(each.end for each in splices)
        if self.start <= first and last <= self.end:
            statement = self.site.statement
            begin, end = (self.start, self.end) if statement is None else self.file.tree.span(statement.node)
            simple = statement is not None and statement.small is not None
            first, last = min(self.start, begin), max(self.end, end) if simple else self.end
        start = start_of_line(source, first)
        region = source[start : end_of_line(source, last)]
        return relay(region, splices, start, self.file.line_length, self.file.unit, self.file.newline)

    def _line_statement(self) -> tuple[int, int] | None:
        statement = self.site.statement
        if statement is None or not statement.is_line or statement.count > 1:
            return None
        return self.file.tree.span(statement.node)

    def insert_before(self, text: str) -> tuple[Edit, ...] | None:
        """Put statements, a line each, before the one that holds the call, above the comments right over it.

        None if the statement shares its line with others, or is no whole line.
        """
        place = self._line_statement()
        if place is None:
            return None
        source, indent = self.file.source, indent_at(self.file.source, place[0])
        at = start_of_line(source, place[0])
        if at == 0 or source[at : place[0]].strip():
            return None if source[at : place[0]].strip() else self._inserted(0, text, indent, before=True)
        while at and source[start_of_line(source, at - 1) : at].startswith(f"{indent}#".encode()):
            at = start_of_line(source, at - 1)
        return self._inserted(at, text, indent, before=True)

    def insert_after(
        self, text: str, *, apart: bool = False, returned: bool = False, below: int = 0
    ) -> tuple[Edit, ...] | None:
        """Put statements, a line each, after the one that holds the call; with `apart` between blank lines.

        None if the statement shares its line with others, holds a block, or leaves the function (`return`); with
        `returned` a `return` will do, since another edit makes it an assignment. `below` is an offset in another
        statement of the same block: if that comes later, they go after it.
        """
        place = self._line_statement()
        if place is None or self.site.statement is None or self.site.statement.small is None:
            return None
        if type(self.site.statement.small).__name__ in (("Raise",) if returned else ("Return", "Raise")):
            return None
        if below > place[1]:
            later = next((each for each in self.file.tree.statements if each[0] <= below < each[1]), None)
            if later is None:
                return None
            place = later
        source = self.file.source
        at, indent = end_of_line(source, place[1]), indent_at(source, place[0])
        following = source[at : at + 1000].split(b"\n", 2)[1:2]
        if apart:
            goes_on = bool(following and following[0].strip()) and following[0].startswith(indent.encode())
            text = f"\n{text}\n\n" if goes_on else f"\n{text}"
        return self._inserted(at, text, indent, before=False)

    def _inserted(self, at: int, text: str, indent: str, *, before: bool) -> tuple[Edit, ...]:
        newline, limit, unit = self.file.newline, self.file.line_length, self.file.unit
        lines = [
            each
            for line in text.removesuffix("\n").split("\n")
            for each in (fold(f"{indent}{line}", limit, unit, inside=False) if line.strip() else [""])
        ]
        made = (
            "".join(f"{each}{newline}" for each in lines) if before else "".join(f"{newline}{each}" for each in lines)
        )
        return (Edit(self.path, at, at, made),)

    # -- findings

    @property
    def nag(self) -> frozenset[str]:
        """The cdk-nag rules that are acknowledged for it: none, if it is no construct."""
        return frozenset()

    @property
    def overrides(self) -> tuple[str, ...]:
        """What is set on it afterwards: nothing, if it is no construct."""
        return ()

    @property
    def subject(self) -> str:
        """What a report calls it."""
        return self.name.removeprefix("aws_")

    def finding(
        self,
        rule: Rule,
        message: str,
        *,
        fix: Fix | None = None,
        manual: Manual | None = None,
        at: Argument | None = None,
    ) -> Finding:
        """A finding about this call, or about one of its arguments; with a fix, or with what a person must do."""
        whole = (self.start, self.end)
        place = (at.start, at.end) if at is not None else whole
        return Finding(rule.name, Language.CDK, self.path, *place, message, fix, manual, self.subject, whole, self.nag)


class Construct(Call):
    """A call that makes a construct, or the `super().__init__` of a class of the app that derives from one."""

    def __init__(
        self,
        file: CdkFile,
        site: Site,
        name: str,
        *,
        is_super: bool = False,
        subclass: str | None = None,
        opaque: bool = False,
        offset: int = 0,
    ) -> None:
        """Take what a call has, and how the class of the app that stands between takes part, if one does.

        `opaque`: that class decides the arguments. `offset`: how many positional arguments come before the scope.
        """
        super().__init__(file, site, name)
        self.is_super = is_super
        self.subclass = subclass
        self.opaque = opaque
        self._offset = offset

    def _given(self, index: int, *keywords: str) -> Argument | None:
        """A positional argument, or the one with one of these keywords."""
        if any(each.star == "*" for each in self.node.args[: index + self._offset + 1]):
            return None
        if len(self.positional) > index + self._offset:
            return self.positional[index + self._offset]
        return next((found for each in keywords if (found := self.argument(each)) is not None), None)

    @cached_property
    def scope_text(self) -> str | None:
        """The construct's parent as it is written, such as `self`; None if it is no name that can be read there."""
        found = self._given(0, "scope")
        first = re.match(r"\w+", found.text) if found else None
        return found.text if found and first and first[0] in self.file.names_in_scope(self) else None

    @cached_property
    def id_argument(self) -> Argument | None:
        """The argument that is the construct's id."""
        return self._given(1, "id", "construct_id", "id_")

    @cached_property
    def id(self) -> str | None:
        """The construct's id, if it is a literal or a name that is assigned one."""
        from fixer.cdk.values import evaluate

        found = self.id_argument
        value = evaluate(self.file, found.node, self.scope) if found is not None else None
        text = getattr(value, "value", None)
        return text if isinstance(text, str) else None

    @property
    def parent_class(self) -> str | None:
        """The CDK's class of the construct's parent, such as `Stack`, if that is the class of the app around it."""
        around = self.scope.nearest("class")
        if around is None or self.scope_text != "self":
            return None
        found = self.file.app.index.subclass(ProjectClass(self.path, around.name))
        return found.base if found else None

    @cached_property
    def target(self) -> str | None:
        """What the construct is assigned to: `bucket`, `self.bucket`; `self` in a class that derives from it."""
        return "self" if self.is_super else self.file.later.target(self.site)

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """All that the construct, or a function's version, is assigned to: `target`, and what that is assigned to."""
        return self.file.later.names(self)

    @cached_property
    def nag(self) -> frozenset[str]:
        """The cdk-nag rules that the file acknowledges for this construct, or for the stack that it is in."""
        return self.file.later.nag(self)

    @cached_property
    def overrides(self) -> tuple[str, ...]:
        """What the file sets on the construct afterwards: snake-case properties and paths of CloudFormation.

        `*` stands for a path that is not a literal.
        """
        return self.file.later.overrides(self)

    def is_meant_by(self, text: str, at: Call) -> bool:
        """Whether a name, such as `bucket` or `self.bucket`, stands for it where a call is."""
        return self.file.later.is_meant(self, text, at.scope)

    def free_id(self, suffix: str) -> str | None:
        """Python source of an id for a construct that goes with this one, in the same scope and style.

        `LogGroup` makes `"OrdersLogGroup"` of `"Orders"`. None if its own id can't be told or continued.
        """
        from fixer.cdk.companion import free_id

        return free_id(self, suffix)

    def no_companion(self, suffix: str, step: str) -> Manual | None:
        """Why no construct of such an id can be made in the same scope; None if one can.

        Args:
            suffix: As for `free_id`.
            step: What to do instead.
        """
        from fixer.cdk.companion import words

        if self.free_id(suffix) is not None and self.scope_text:
            return None
        noun = " ".join(words(suffix)).lower()
        if self._given(0, "scope") and not self.scope_text:
            return Manual(f"Its parent is no name that is known there, to make its {noun} in", step)
        return Manual(f"Its id can't be told, to make that of its {noun}", step)

    def companion(self, name: str, suffix: str, *arguments: str) -> str:
        """Python source of a construct that goes with this one, in the same scope.

        Args:
            name: Its class, as the file spells it.
            suffix: As for `free_id`.
            arguments: What else it is given: `removal_policy=x`.

        Raises:
            ValueError: the id or the scope can't be told; ask `no_companion` first.
        """
        own_id = self.free_id(suffix)
        if own_id is None or self.scope_text is None:
            raise ValueError(f"no id for another construct in the scope of {self.subject}")
        return f"{name}({', '.join((self.scope_text, own_id, *arguments))})"

    def methods(self, name: str, through: str = "") -> Iterator[Call]:
        """Calls of a method on what the construct is assigned to, under all its names; `through`: on a part of it."""
        return self.file.later.methods(self, name, through)

    def overridden(self, name: str) -> bool:
        """Whether a property, in snake case, is set afterwards, as a whole or in part."""
        wanted = name.replace("_", "").lower()
        paths = [each.removeprefix("Properties.").replace("_", "").lower() for each in self.overrides]
        return any(path == "*" or path.split(".")[0] == wanted for path in paths)

    @property
    def subject(self) -> str:
        """What a report calls it: class and id, such as `s3.Bucket "Data"`."""
        return f'{super().subject} "{self.id}"' if self.id is not None else super().subject
