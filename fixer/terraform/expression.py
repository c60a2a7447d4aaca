"""Expressions as they are written: what kind they are, what they are made of, and which names they mention."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from fixer.terraform import layout

if TYPE_CHECKING:
    from tree_sitter import Node

    from fixer.terraform.file import TerraformFile
    from fixer.terraform.texts import Text

_KINDS = {
    "variable_expr": "traversal",
    "function_call": "call",
    "for_expr": "for",
    "operation": "operation",
    "conditional": "conditional",
    "(": "parenthesis",
    "string_lit": "string",
    "numeric_lit": "number",
    "bool_lit": "bool",
    "null_lit": "null",
    "quoted_template": "string",
    "heredoc_template": "heredoc",
    "tuple": "list",
    "object": "object",
    "template_directive": "directive",
}
_WRAPPERS = ("expression", "literal_value", "template_expr", "collection_value")
_NAME = rb"[\w\-\x80-\xff]+"
_ROOT = re.compile(_NAME)
_STEP = re.compile(rb"\s*\.(?!\.)\s*(?P<name>" + _NAME + rb"|\*)|[ \t]*(?P<bracket>\[)")
_IN_BRACKETS = re.compile(rb'(?P<quote>")|(?P<open>\[)|(?P<close>\])')
_LONGER = {"data": 3, "ephemeral": 3}


@dataclass(frozen=True)
class Traversal:
    """A name and the steps from it, such as `aws_s3_bucket.x[0].bucket`. Offsets are those of the file."""

    text: str
    start: int
    end: int
    names: tuple[str, ...]
    """The names up to the first index or splat."""
    ends: tuple[int, ...]
    """Where each of them ends."""
    steps: tuple[str, ...]
    """What follows the first name, piece by piece: `.x`, `[0]`, `.bucket`."""

    @property
    def _length(self) -> int:
        return _LONGER.get(self.names[0], 2)

    @property
    def address(self) -> str:
        """What it leads to: `aws_s3_bucket.x`, `data.t.n`, `var.y`, `local.z`, `module.m`, `each.key`, `path.root`."""
        return ".".join(self.names[: self._length])

    @property
    def address_end(self) -> int:
        """Where the address ends in the file."""
        return self.ends[min(self._length, len(self.ends)) - 1]

    @property
    def rest(self) -> tuple[str, ...]:
        """The steps behind the address."""
        return self.steps[self._length - 1 :]


def traversal_at(source: bytes, start: int) -> Traversal:
    """The traversal whose first name starts there."""
    root = _ROOT.match(source, start)
    assert root is not None  # noqa: S101  the parser saw a name
    end = root.end()
    names, ends, steps = [root.group().decode()], [end], []
    plain = True
    while step := _STEP.match(source, end):
        if step["bracket"]:
            end = _closing(source, step.start("bracket"))
            steps.append(source[step.start("bracket") : end].decode())
            plain = False
        else:
            end = step.end()
            name = step["name"].decode()
            steps.append(f".{name}")
            plain = plain and not (name.isdigit() or name == "*")
            if plain:
                names.append(name)
                ends.append(end)
    return Traversal(source[start:end].decode(), start, end, tuple(names), tuple(ends), tuple(steps))


def _closing(source: bytes, opening: int) -> int:
    position, depth = opening + 1, 1
    while depth and (match := _IN_BRACKETS.search(source, position)):
        position = match.end()
        if match["quote"]:
            position = layout.skip_string(source, match.start())
        else:
            depth += 1 if match["open"] else -1
    return position


@dataclass(frozen=True)
class Chunk:
    """Literal text in a template, as it is written, escapes and all."""

    text: str
    start: int
    end: int


class Expr:
    """An expression in a file."""

    def __init__(self, file: TerraformFile, nodes: list[Node]) -> None:
        """`nodes` are a term and the steps behind it; wrappers around a single term are taken off."""
        self.file = file
        self.start, self.end = nodes[0].start_byte, nodes[-1].end_byte
        while len(nodes) == 1 and nodes[0].type in _WRAPPERS:
            nodes = [child for child in nodes[0].children if child.type != "comment"]
        while nodes[0].type in _WRAPPERS and nodes[0].child_count == 1:
            nodes = [nodes[0].children[0], *nodes[1:]]
        self._nodes = nodes

    @property
    def text(self) -> str:
        """Its source text."""
        return self.file.text(self.start, self.end)

    @cached_property
    def kind(self) -> str:
        """What it is.

        One of `string`, `template` (a quoted one with `${}` or `%{}`), `heredoc`, `number`, `bool`, `null`, `list`,
        `object`, `traversal`, `call`, `conditional`, `for`, `operation`, `parenthesis`, `directive` (a `%{}` part of a
        template) and `access` (steps behind something that is no name, such as `f(x)[0]`).
        """
        first = self._nodes[0]
        kind = _KINDS.get(first.type, "operation")
        if kind != "traversal" and len(self._nodes) > (3 if kind == "parenthesis" else 1):
            return "access"
        if kind == "string" and any(
            child.type.startswith("template_") and child.type != "template_literal" for child in first.children
        ):
            return "template"
        return kind

    @cached_property
    def content(self) -> tuple[int, int]:
        """Where the content of a string, template or heredoc starts and ends in the file, without its quotes."""
        if self.kind != "heredoc":
            return self.start + 1, self.end - 1
        source = self.file.source
        return source.index(b"\n", self.start) + 1, source.rindex(b"\n", self.start, self.end) + 1

    @cached_property
    def is_indented_heredoc(self) -> bool:
        """Whether it is a heredoc of the form `<<-`, whose indentation does not count."""
        return self.file.source.startswith(b"<<-", self.start)

    @cached_property
    def parts(self) -> tuple[Chunk | Expr, ...]:
        """The parts of a string, template or heredoc: literal text, interpolated expressions and directives."""
        if self.kind not in ("string", "template", "heredoc"):
            return ()
        position, end = self.content
        found: list[Chunk | Expr] = []
        for child in self._nodes[0].children:
            if child.type not in ("template_interpolation", "template_directive"):
                continue
            if position < child.start_byte:
                found.append(self._chunk(position, child.start_byte))
            inner = [node for node in child.children if node.type == "expression"]
            found.append(Expr(self.file, inner if child.type == "template_interpolation" and inner else [child]))
            position = child.end_byte
        if position < end:
            found.append(self._chunk(position, end))
        return tuple(found)

    def _chunk(self, start: int, end: int) -> Chunk:
        return Chunk(self.file.text(start, end), start, end)

    @cached_property
    def as_text(self) -> Text | None:
        """It as a text with holes; None for a template with directives."""
        from fixer.terraform.texts import read

        return read(self)

    @cached_property
    def has_strip_markers(self) -> bool:
        """Whether a `~` in the template takes away white space beside it."""
        return any(
            node.type == "strip_marker"
            for child in self._nodes[0].children
            if child.type == "template_interpolation"
            for node in child.children
        )

    @cached_property
    def elements(self) -> tuple[Expr, ...]:
        """The elements of a list, or the arguments of a call."""
        first = self._nodes[0]
        if self.kind == "call":
            first = next((child for child in first.children if child.type == "function_arguments"), first)
        return tuple(Expr(self.file, [child]) for child in first.children if child.type == "expression")

    @cached_property
    def entries(self) -> tuple[tuple[Expr, Expr], ...]:
        """Keys and values of an object."""
        pairs = []
        for element in self._nodes[0].children if self.kind == "object" else ():
            if element.type == "object_elem":
                key, value = (child for child in element.children if child.type == "expression")
                pairs.append((Expr(self.file, [key]), Expr(self.file, [value])))
        return tuple(pairs)

    @property
    def function(self) -> str:
        """The name of the function that a call calls; empty for other kinds."""
        first = self._nodes[0]
        return self.file.text(first.children[0].start_byte, first.children[0].end_byte) if self.kind == "call" else ""

    @cached_property
    def branches(self) -> tuple[Expr, ...]:
        """Condition, then and else of a conditional."""
        children = self._nodes[0].children if self.kind == "conditional" else ()
        return tuple(Expr(self.file, [child]) for child in children if child.type == "expression")

    @property
    def result(self) -> Expr | None:
        """What a `for` expression that gives a list has for each element; None for other kinds."""
        clause = self._nodes[0].children[0] if self.kind == "for" else None
        children = clause.children if clause and clause.type == "for_tuple_expr" else ()
        return next((Expr(self.file, [child]) for child in children if child.type == "expression"), None)

    @property
    def inner(self) -> Expr | None:
        """What a parenthesis holds, or the only part of a template such as `"${x}"`; None for other kinds."""
        if self.kind == "parenthesis":
            return Expr(self.file, [node for node in self._nodes if node.type == "expression"])
        if self.kind == "template" and len(self.parts) == 1:
            (part,) = self.parts
            return part if isinstance(part, Expr) and part.kind != "directive" else None
        return None

    @property
    def in_template(self) -> str:
        """Its text as a part of a template: `${x}`, or what its quotes hold."""
        if self.kind in ("string", "template"):
            return self.file.text(*self.content)
        return f"${{{self.text}}}"

    @property
    def operand(self) -> tuple[str, Expr] | None:
        """Operator and operand of a unary operation; None for other kinds."""
        children = self._nodes[0].children
        if self.kind != "operation" or not children or children[0].type != "unary_operation":
            return None
        operator, *nodes = children[0].children
        return operator.type, Expr(self.file, nodes)

    @property
    def traversal(self) -> Traversal | None:
        """The traversal that it is; None for other kinds."""
        return traversal_at(self.file.source, self.start) if self.kind == "traversal" else None

    def traversals(self) -> list[Traversal]:
        """All traversals in it, its own, those of templates and of indexes; not the bare keys of objects."""
        found = self.file.traversals
        first = bisect_left(found, self.start, key=lambda one: one.start)
        last = bisect_left(found, self.end, key=lambda one: one.start)
        return found[first:last]

    def variables(self) -> tuple[str, ...]:
        """The names of the variables that it mentions itself, each once."""
        found = (one.names[1] for one in self.traversals() if one.names[0] == "var" and len(one.names) > 1)
        return tuple(dict.fromkeys(found))

    def __repr__(self) -> str:
        return f"Expr({self.text!r})"
