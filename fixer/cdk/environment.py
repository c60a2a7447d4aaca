"""Where CDK code has the name or suffix of its environment, or can read it from the context."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.classes import first_own_call, init_of, method_at, super_call
from fixer.cdk.holding import Held, Holding
from fixer.cdk.layout import end_of_line, indent_at, start_of_line
from fixer.environment import PRODUCTION, names_one, tells_apart
from fixer.model import Edit

if TYPE_CHECKING:
    from fixer.cdk.calls import Call, Construct
    from fixer.cdk.file import CdkFile
    from fixer.cdk.tree import Scope

_NAMES = (
    "environment_name",
    "env_name",
    "environment",
    "env",
    "deployment_environment",
    "deployment_env",
    "deploy_env",
    "target_environment",
    "target_env",
)
_STAGES = ("stage_name", "stage")
"""What may be that of an API instead."""
_SUFFIXES = ("environment_suffix", "env_suffix")
_TRUTHS = ("is_production", "is_prod", "is_prd", "production")
"""Names that say whether the environment is production."""
_LINE = 88

_TOO_EARLY = "The suffix can't be read before super().__init__()"


@dataclass(frozen=True)
class Source:
    """How code gets at the environment: an expression, where its value comes from, and the edits that it needs."""

    code: str
    origin: str
    """Expressions of one origin have one value."""
    edits: tuple[Edit, ...] = ()
    start: int = 0
    """From where on it is there, for what is there already: 0 for a parameter."""


def in_production(condition: Source | None, wanted: str, elsewhere: str) -> str:
    """Python source that is the one in production and the other elsewhere; the one without a condition."""
    if condition is None:
        return wanted
    match wanted, elsewhere:
        case "True", "False":
            return condition.code
        case "False", "True":
            return negated(condition.code)
    return f"{wanted} if {condition.code} else {elsewhere}"


def negated(code: str) -> str:
    """The opposite of a condition."""
    for operator, opposite in ((" == ", " != "), (" not in ", " in "), (" in ", " not in ")):
        left, found, right = code.partition(operator)
        if found and re.fullmatch(r"[\w.]+", left) and not re.search(r" (?:and|or|if) ", right):
            return f"{left}{opposite}{right}"
    return f"not {code}" if re.fullmatch(r"[\w.]+", code) else f"not ({code})"


def is_for_some(call: Call) -> bool:
    """Whether a call is made in some environments alone, by a condition around it."""
    for node in call.file.tree.above(call.node):
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            return False
        if isinstance(node, cst.If | cst.IfExp):
            code = call.file.module.code_for_node(node.test)
            if tells_apart(code) or names_one(code.replace("_", " ")):
                return True
    return False


class Environments:
    """Finds, or makes, what holds the environment in one file."""

    def __init__(self, file: CdkFile, context: str = "environmentSuffix", default: str = "dev") -> None:
        """Take the file, the item of the context that holds the environment, and what it is where none is given."""
        self._file, self._item, self._default = file, context, default
        self._name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", context).lower()
        self._holders = tuple(dict.fromkeys((self._name, *_SUFFIXES, *_NAMES, *_STAGES)))

    # ---- what is there ---------------------------------------------------------------------------

    def there(self, scope: Scope, at: int) -> Source | None:
        """A name that holds the suffix at an offset of the file."""
        return self._held(self._holders, scope, at) or self._of_props(scope)

    def certain(self, construct: Construct) -> Source | None:
        """A name that certainly holds the environment where a construct is, or below it before `synth()`.

        `Source.start` tells from where on.
        """
        ends = [call.start for call in construct.methods("synth") if call.scope is construct.scope]
        end, at = min(ends, default=construct.scope.end), construct.start
        holding = Holding(self._file, construct.scope, at, certainly=True)
        for held in holding.texts(each for name in (*_NAMES, *_SUFFIXES) for each in (name, name.upper())):
            value = held.binding.value
            below = value is not None and holding.block(value) is holding.block(construct.node)
            if held.start < at or (below and held.start < end):
                return self._source(held)
        return None

    def _held(self, names: Iterable[str], scope: Scope, at: int) -> Source | None:
        found = (held for held in Holding(self._file, scope, at).texts(names) if held.start < at)
        return next(map(self._source, found), None)

    def _source(self, held: Held) -> Source:
        value = held.binding.value
        text = self._file.module.code_for_node(value) if value is not None else ""
        is_item = re.search(rf"get_context\(\s*[\"']{self._item}[\"']", text) is not None
        return Source(held.code, self._context if is_item else held.code.removeprefix("self."), start=held.start)

    def production(
        self, scope: Scope, at: int, names: Sequence[str] = PRODUCTION, *, attribute: bool = False, often: bool = False
    ) -> Source | None:
        """A condition that is true in production, one of the environments called `names`, at an offset of the file.

        A truth value that the code has already (`is_production`); else a comparison of what holds the environment,
        with the names that the code compares it with elsewhere, if it does. A comparison with several names, one that
        is needed often, or for a method that does not see what `__init__` has, comes with a line that makes a truth
        value of it: of `self`, if more than `__init__` needs it (`attribute`). None if the code has no environment.
        """
        truths = (held for held in Holding(self._file, scope, at).truths(_TRUTHS) if held.start < at)
        if found := next(truths, None):
            return self._source(found)
        source = self._holder(scope, at, names)
        wanted = self._compared(source.code.rpartition(".")[2], names) if source else []
        if source and len(wanted or names) == 1 and not often:
            return Source(self._comparison(source, names), source.origin)
        if made := self._truth(scope, at, names, attribute=attribute):
            return made
        return Source(self._comparison(source, names), source.origin) if source else None

    def production_by_context(self, scope: Scope, at: int, names: Sequence[str], *, attribute: bool) -> Source | str:
        """The same of an environment that a new line reads from the context; or why that can't be done."""
        made = self.make(scope, at, attribute=attribute)
        return Source(self._comparison(made, names), made.origin, made.edits) if isinstance(made, Source) else made

    def _holder(self, scope: Scope, at: int, names: Sequence[str]) -> Source | None:
        """What holds the environment, best what is compared with a name of production, and else the suffix last."""
        holders = sorted(self._holders, key=lambda name: (not self._compared(name, names), "suffix" in name))
        return self._held(holders, scope, at) or self._of_props(scope)

    def _comparison(self, source: Source, names: Sequence[str]) -> str:
        quoted = [f'"{name}"' for name in self._compared(source.code.rpartition(".")[2], names) or names]
        return f"{source.code} == {quoted[0]}" if len(quoted) == 1 else f"{source.code} in ({', '.join(quoted)})"

    def _truth(self, scope: Scope, at: int, names: Sequence[str], *, attribute: bool) -> Source | None:
        """The line in `__init__` that says whether the environment is production."""
        owner = scope.nearest("class")
        init = init_of(owner) if owner else None
        place = super_call(self._file, init) if init else None
        function = method_at(owner, at) if owner else None
        source = self._holder(init, init.end, names) if init else None
        if owner is None or init is None or place is None or function is None or source is None:
            return None
        inside = function is init and not attribute
        name = _TRUTHS[0]
        end = max(place[1], self._assigned(init, source.code))
        if name in (init.bindings if inside else owner.attributes):
            return None
        if end > (at if function is init else first_own_call(self._file, owner, init)):
            return None
        code = name if inside else f"self.{name}"
        return Source(code, code, (self._line(end, f"{code} = {self._comparison(source, names)}", place[0]),))

    def _compared(self, name: str, names: Sequence[str]) -> list[str]:
        """Those of the names, as they are spelled, that the file compares what holds the environment with, or sets."""
        text = self._file.source.decode()
        equal = re.findall(rf"\b{name}\s*[!=]=\s*[\"'](\w+)[\"']", text)
        listed = re.findall(rf"\b{name}\s+(?:not\s+)?in\s*[(\[{{]([^)\]}}]*)", text)
        given = re.findall(rf"\b{name}\s*(?::\s*str\s*)?=\s*[\"'](\w+)[\"']", text)
        found = {*equal, *given, *(word for each in listed for word in re.findall(r"[\w-]+", each))}
        return _spelled(found, names)

    def _of_props(self, scope: Scope) -> Source | None:
        function = scope.nearest("function")
        node = function.node if function else None
        if function is None or not isinstance(node, cst.FunctionDef):
            return None
        optional = {one.name.value for one in node.params.params if one.default is not None or self._is_optional(one)}
        text = self._file.text(*self._file.tree.span(node))
        if not any(f"{word}." in text for word in ("props", "config", "settings")):
            return None  # the pattern is slow
        pattern = rf"(?<![\w.])(\w*(?:props|config|settings))\.({'|'.join(self._holders)})\b(?!\s*(?:=[^=]|\.|\())"
        for found in re.finditer(pattern, text):
            if found[1] in function.bindings and found[1] not in optional and found[2] != "env":
                return Source(found[0], found[2])
        return None

    def _is_optional(self, param: cst.Param) -> bool:
        kind = self._file.module.code_for_node(param.annotation.annotation) if param.annotation else ""
        return "Optional" in kind or "None" in kind

    @property
    def _context(self) -> str:
        return f"context {self._item}"

    # ---- what is made ----------------------------------------------------------------------------

    def make(self, scope: Scope, at: int, *, attribute: bool) -> Source | str:
        """A line that puts the suffix into a variable, or into an attribute of the class; or why that can't be done."""
        owner = scope.nearest("class")
        init = init_of(owner) if owner else None
        if owner is None:
            return "The suffix can't be read here: no class is around it"
        if init is None:
            return f"The suffix can't be read here: {owner.name} has no __init__ that calls super().__init__()"
        place = super_call(self._file, init)
        function = method_at(owner, at)
        if place is None or function is None:
            return f"The suffix can't be read here: {owner.name} has no __init__ that calls super().__init__()"
        name = self._name
        if function is init and at < place[1]:
            return self._before_super(init, place, name) if at >= place[0] else _TOO_EARLY
        inside = function is init and not attribute
        if (inside and name in init.bindings) or (not inside and name in owner.attributes):
            return f"{'' if inside else 'self.'}{name} is there, but it does not certainly hold the suffix here"
        value, origin = self._read("self"), self._context
        end = place[1]
        if not inside and (found := self.there(init, init.end)) and not found.code.startswith("self."):
            end = max(end, self._assigned(init, found.code))
            value, origin = found.code, found.origin
            if end > first_own_call(self._file, owner, init):
                return f"{found.code} is set too late for it"
        code = name if inside else f"self.{name}"
        return Source(code, origin, (self._line(end, f"{code} = {value}", place[0]),))

    def _before_super(self, init: Scope, place: tuple[int, int], name: str) -> Source | str:
        if len(init.parameters) < 2 or name in init.bindings:
            return _TOO_EARLY
        source = self._file.source
        start, indent = start_of_line(source, place[0]), indent_at(source, place[0])
        line = self._folded(f"{name} = {self._read(init.parameters[1])}", indent)
        return Source(name, self._context, (Edit(self._file.path, start, start, f"{line}{self._file.newline}"),))

    def _read(self, construct: str) -> str:
        return f'{construct}.node.try_get_context("{self._item}") or "{self._default}"'

    def _line(self, end: int, line: str, like: int) -> Edit:
        source = self._file.source
        at = end_of_line(source, end)
        return Edit(self._file.path, at, at, self._file.newline + self._folded(line, indent_at(source, like)))

    def _folded(self, line: str, indent: str) -> str:
        if len(indent) + len(line) <= max(_LINE, self._file.line_length):
            return indent + line
        target, _, value = line.partition(" = ")
        return self._file.lines(f"{indent}{target} = (\n{indent}{self._file.unit}{value}\n{indent})")

    def _assigned(self, function: Scope, name: str) -> int:
        """Where the statement of the function's body that assigns the name ends; 0 for a parameter."""
        body = getattr(function.node, "body", None)
        first, _, rest = name.partition(".")
        owner = function.parent if first == "self" else None
        bindings = owner.attributes.get(rest, ()) if owner else function.bindings.get(first, ())
        start = max((one.start for one in bindings if one.value), default=-1)
        for statement in getattr(body, "body", ()):
            span = self._file.tree.span(statement)
            if span[0] <= start < span[1]:
                return span[1]
        return 0


def _spelled(found: Iterable[str], names: Sequence[str]) -> list[str]:
    return sorted((one for one in found if one.lower() in names), key=lambda one: (names.index(one.lower()), one))
