"""Names in Terraform modules: which of them want the suffix, and the other places of the module that follow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from codemods.facts import physical_names
from codemods.naming._suffix import names
from codemods.naming._suffix.terraform_places import holds_only_names, means
from fixer.environment import HOLDER, tells_apart
from fixer.holes import HOLE, Change, holes, occurrences, shown
from fixer.model import Edit, Fix, Impact, Known, Manual
from fixer.terraform.companion import new_variable
from fixer.terraform.environment import holds_text
from fixer.terraform.texts import Text, repeating

if TYPE_CHECKING:
    from codemods.facts import PhysicalName
    from codemods.naming.env_suffix_names import Options
    from fixer.model import Change as FileEdit
    from fixer.terraform import Attribute, Block, Expr, Module, Traversal

_TEXT_FUNCTIONS = frozenset(
    ["format", "join", "lower", "replace", "substr", "title", "trim", "trimprefix", "trimspace", "trimsuffix", "upper"]
)
_REPLACED = re.compile(r"(?:deploy(?:ment)?_?)?(?:env(?:ironment)?|stage)(?:_?name)?")
_UNIQUE = re.compile(r"aws_(?:caller_identity|region|partition|canonical_user_id|availability_zones?)")


@dataclass(frozen=True)
class Name:
    """A physical name as it stands in a resource, or in the local that the resource takes it from."""

    block: Block
    attribute: Attribute
    physical: PhysicalName
    expr: Expr
    """What is to change: the argument's value, or that of the local."""
    text: str
    changes: tuple[Change, ...] = ()
    manual: Manual | None = None
    message: str = ""


class Suffixer:
    """Gives the names of one module their suffix."""

    def __init__(self, module: Module, options: Options) -> None:
        """Take the module, and what the configuration says."""
        self.module, self.options = module, options
        self._added: dict[str, set[str]] = {}
        """References that the fixes so far add, by the address that they stand at."""

    # ---- the names -------------------------------------------------------------------------------

    @cached_property
    def names(self) -> list[Name]:
        """The names that want the suffix, whether they can have it or not."""
        found = []
        for kind, arguments in physical_names().terraform.items():
            for block in self.module.all_resources(kind):
                for argument, physical in arguments.items():
                    attribute = block.attribute(argument)
                    if attribute and (name := self._judge(Name(block, attribute, physical, attribute.expr, ""))):
                        found.append(name)
        found.sort(key=lambda name: (name.block.file.path, name.attribute.start))
        return [self._after_owner(name, found) for name in found]

    @cached_property
    def suffix(self) -> str:
        """What tells environments apart here: the configured variable, or what the module's names hold instead."""
        variable = f"var.{self.options.variable}"
        if self.module.variable(self.options.variable):
            return variable
        counts: dict[str, int] = {}
        for kind, arguments in physical_names().terraform.items():
            for block in self.module.resources(kind):
                for attribute in filter(None, map(block.attribute, arguments)):
                    read = attribute.expr.as_text
                    if self._replaces_environment and read and self._environments(read):
                        return variable
                    for one in self.module.traversals_behind(attribute.expr):
                        if (one.names[0] in ("var", "local") and HOLDER.fullmatch(one.names[-1]) and not one.rest) or (
                            one.text == "terraform.workspace"
                        ):
                            counts[one.text] = counts.get(one.text, 0) + 1
        usable = {
            code: count
            for code, count in counts.items()
            if not code.startswith("var.") or holds_text(self.module, code[4:])
        }
        return max(usable, key=lambda code: usable[code]) if usable else variable

    def _judge(self, name: Name) -> Name | None:
        """The name with what is to happen to it; None if it is in order, or somebody else's."""
        expr = name.expr
        read = expr.as_text
        deep = self.module.traversals_behind(expr)
        kinds = {one.names[0] for one in deep}
        label = name.physical.kind.label
        if expr.kind in ("null", "number", "bool") or read is None or not read.text:
            return None
        said = f"`{shown(read.text)}`"
        name = replace(name, text=read.text, message=f"{label} {said} has no environment suffix")
        if not kinds <= {"var", "local", "data", "each", "count", "path", "module", "terraform", "self"}:
            return None  # named after another resource, or random
        if any(one.text == "terraform.workspace" for one in deep):
            return None
        mine = [one for one in deep if one.names[0] not in ("each", "count", "path")]
        if any(tells_apart(self._word(one)) for one in mine):
            return self._of_environment(name, read, mine)
        if "count" in kinds and expr.kind == "traversal":
            return None
        given = [one.names[1] for one in mine if one.names[0] == "var" and len(one.names) > 1]
        if given and self.module.facts.called_by:
            return None  # the callers tell their resources apart
        if self.module.follow(expr).kind == "conditional":
            step = "Put the environment suffix into it by hand"
            return replace(name, manual=Manual("It depends on a condition", step))
        if expr.kind not in ("string", "template"):
            bare = self._bare(name, given, kinds)
            if bare is None or bare.manual:
                return bare
            name = bare
        if manual := names.written_environment(name.text) or self._unclear(mine) or self._hidden_end(name):
            return replace(name, manual=manual)
        change = names.place(name.text, name.physical.kind, self.options.position, self.options.separator)
        return self._checked(replace(name, changes=(change,)))

    def _hidden_end(self, name: Name) -> Manual | None:
        """Why the suffix can't go last: the end that a name must keep, such as `.fifo`, is in a variable."""
        end, whole = name.physical.kind.end, self.module.resolve(name.expr)
        if not end or name.text.endswith(end) or not isinstance(whole, Known):
            return None
        if self.options.position != "suffix" or not str(whole.value).endswith(end):
            return None
        return Manual(
            f"It ends with `{end}`, which must stay last, and which is not written here",
            f"Write `{end}` here and not in what it comes from, then run iacfix again",
        )

    @staticmethod
    def _word(traversal: Traversal) -> str:
        """The part of a traversal that people chose: `data.aws_caller_identity.env` is of no environment."""
        if traversal.names[0] == "data":
            return "" if _UNIQUE.fullmatch(traversal.names[1]) else "".join(traversal.rest)
        return "".join(traversal.steps)

    def _unclear(self, mine: Iterable[Traversal]) -> Manual | None:
        """Why it can't be told whether the environment is in it already."""
        for one in mine:
            variable = self.module.variable(one.names[1]) if one.names[0] == "var" and len(one.names) > 1 else None
            has_default = variable is not None and variable.attribute("default") is not None
            if one.names[0] == "module" or (
                names.is_unclear("".join(one.steps)) and one.names[0] == "var" and not has_default
            ):
                return names.may_hold_environment(one.text)
        return None

    def _of_environment(self, name: Name, read: Text, mine: list[Traversal]) -> Name | None:
        """A name that holds an environment: in order, but for modules that tell environments apart by the suffix."""
        variable = self.options.variable
        if not self._replaces_environment or any(variable in one.names for one in mine):
            return None
        if not all(_REPLACED.fullmatch(one.names[-1]) for one in mine if tells_apart(self._word(one))):
            return None  # another suffix, a branch, ...: as good
        if self.suffix != f"var.{variable}":
            return None
        changes = self._environments(read)
        message = f"{name.physical.kind.label} `{shown(read.text)}` has the environment, but no environment suffix"
        name = replace(name, message=message)
        if read.is_bare:
            return None
        if not changes:
            changes = (names.place(read.text, name.physical.kind, self.options.position, self.options.separator),)
        return self._checked(replace(name, changes=changes[:1]))

    @property
    def _replaces_environment(self) -> bool:
        """Whether `var.environment` gives way to the suffix: where the module has one, or nobody's calls lack it."""
        has_suffix = self.module.variable(self.options.variable) is not None or not self.module.facts.called_by
        return self.options.replace_environment and has_suffix

    @staticmethod
    def _environments(read: Text) -> tuple[Change, ...]:
        """The places of `var.environment` in a name."""
        return tuple(
            Change(match.start(), match.end())
            for match in HOLE.finditer(read.text)
            if match[1].startswith("var.") and _REPLACED.fullmatch(match[1][4:])
        )

    def _bare(self, name: Name, given: list[str], kinds: set[str]) -> Name | None:
        """A name that is no template: whoever gives it decides, unless that is this module itself."""
        expr, traversal = name.expr, name.expr.traversal
        if expr.kind == "call" and expr.function in _TEXT_FUNCTIONS and "\n" not in expr.text:
            return name if kinds <= {"var", "local", "data"} else None
        if traversal is None:
            manual = Manual(
                "The name is an expression that can't be judged", "Put the environment suffix into it by hand"
            )
            return replace(name, manual=manual) if expr.kind in ("call", "operation", "access") else None
        if traversal.names[0] == "var":
            default = self.module.resolve(expr)
            return name if isinstance(default, Known) and isinstance(default.value, str) and default.value else None
        if traversal.names[0] == "local" and len(traversal.names) > 1:
            local = self.module.local(traversal.names[1]) if not traversal.rest else None
            text = local.expr.as_text if local and local.expr.kind in ("string", "template") else None
            if (
                local
                and text
                and text.text
                and not local.block.read_only
                and holds_only_names(self.module, traversal.address)
            ):
                return replace(name, expr=local.expr, text=text.text)
            return name if local or isinstance(self.module.resolve(expr), Known) else None
        return (
            name
            if traversal.names[0] == "each" and not given and "module" not in kinds and "data" not in kinds
            else None
        )

    def _after_owner(self, name: Name, found: list[Name]) -> Name:
        """The name of a service's log group follows that of the resource that the service writes it for."""
        span = names.owner(name.text, name.physical.kind) if name.changes else None
        if span is None:
            return name
        for other in found:
            if other.text == name.text[slice(*span)] and other.changes and not other.manual:
                return replace(name, changes=tuple(one.moved(span[0]) for one in other.changes))
        return replace(name, manual=names.follows_none(name.text[slice(*span)]))

    def _checked(self, name: Name) -> Name:
        """The name, with a manual reason if it can't have the suffix."""
        block, kind = name.block, name.physical.kind
        reason = names.must_stay(name.text, kind) or names.wrong(name.text, name.changes, kind)
        step = "Choose the name by hand, or keep it with a suppression that says why"
        if self.module.overridden(block) or block.read_only:
            reason, step = (
                "It is in an override file or in JSON, which iacfix does not write",
                "Put the suffix into it there",
            )
        elif any(one.value("prevent_destroy") == Known(True) for one in block.blocks("lifecycle")):
            reason, step = "prevent_destroy forbids to replace it", "Rename it when it may be replaced"
        elif backend := self._backend(name.text):
            reason, step = f"The backend of {backend} names it", "Keep it with a suppression that says why"
        elif self.module.incomplete:
            reason, step = "A file of the module can't be read, and may name it too", "Mend the file first"
        elif "\\" in name.expr.text and name.expr.kind != "call":
            reason = "The name is written with escapes"
        elif (
            self.suffix.startswith("var.") and not self.module.variable(self.suffix[4:]) and self.module.facts.called_by
        ):
            where = self.module.facts.called_by[0]
            reason = f"The module is called in {where}, and its callers give it no {self.options.variable}"
            step = f'Declare variable "{self.options.variable}" in the module and pass it where the module is called'
        return replace(name, manual=Manual(reason, step)) if reason else name

    def _backend(self, text: str) -> str | None:
        for block in self.module.blocks("terraform"):
            for backend in block.blocks("backend"):
                if any(one.value(attribute.name) == Known(text) for one in [backend] for attribute in one.attributes()):
                    return f"{backend.file.path}"
        return None

    # ---- the fix ---------------------------------------------------------------------------------

    def fix(self, name: Name) -> Fix | Manual:
        """The edits of the name, of the places that follow it, and of the variable that it needs."""
        read = name.expr.as_text
        assert read is not None  # noqa: S101  it was judged
        edits = {read.file: list(self._edits(read, 0, name, None))}
        for text, start in self._followers(name):
            if text.file.read_only:
                reason = f"{text.file.path} names it too, which iacfix does not write"
                return Manual(reason, "Put the suffix into both by hand")
            edits.setdefault(text.file, []).extend(self._edits(text, start, name, self._reference(name, text)))
        changes = [edit for file, found in edits.items() for edit in file.settled(found)]
        literal = () if holes(name.text) else (name.text,)
        return Fix((*changes, *self._declaration()), Impact.REPLACEMENT, literal)

    def _edits(self, text: Text, start: int, name: Name, reference: str | None) -> Iterator[Edit]:
        """Give the name that stands at `start` of a text its suffix; `reference` can stand in its place."""
        if reference and text.text == name.text and text.kind != "heredoc":
            yield text.replaced(reference)
        elif reference and not text.is_bare:
            yield text.put(start, start + len(name.text), f"${{{reference}}}")
        else:
            yield from text.changed(start, name.changes, self.suffix)

    def _declaration(self) -> tuple[FileEdit, ...]:
        """The variable, if it is not there yet."""
        if self.suffix != f"var.{self.options.variable}":
            return ()
        description = "Suffix of names that tells the deployments of this configuration apart"
        return new_variable(self.module, self.options.variable, description, self.options.default)

    # ---- what follows ----------------------------------------------------------------------------

    def _followers(self, name: Name) -> Iterator[tuple[Text, int]]:
        """The other places of the module that hold the name: each text, and where the name stands in it."""
        for text in repeating(self.module, name.text):
            for start in occurrences(text.text, name.text):
                is_own = text.file is name.expr.file and text.start == name.expr.start
                if not is_own and means(text, start, name.text, name.physical):
                    yield text, start

    def _reference(self, name: Name, text: Text) -> str | None:
        """An expression that gives the new name in that place, if it can refer to the resource without a cycle."""
        block, attribute = text.file.enclosing(text.start)
        own = name.block
        if block is None or block.top is own or block.top.type == "data" or own.meta().keys() & {"count", "for_each"}:
            return None
        argument = name.physical.reference or name.physical.argument
        goal = block.top.address
        if block.top.type == "locals":
            goal = f"local.{attribute.name}" if attribute else ""
        if goal in self.module.dependencies(own.address, self._added):
            return None
        self._added.setdefault(goal, set()).add(own.address)
        return f"{own.address}.{argument}"
