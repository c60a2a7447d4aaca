"""String expressions of CDK code as texts with holes: what they say, and how to write into them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.layout import Splice
from fixer.cdk.tree import dotted
from fixer.holes import HOLE, Change, hole, holes

if TYPE_CHECKING:
    from fixer.cdk import CdkFile
    from fixer.cdk.tree import Scope, Tree

TEXT_METHODS = frozenset(
    ["capitalize", "format", "join", "lower", "replace", "rstrip", "lstrip", "strip", "title", "upper"]
)
_ESCAPE = r"\\N\{[^}]*\}|\\x..|\\u.{4}|\\U.{8}|\\[0-7]{1,3}|\\."
_TOKEN = re.compile(rf"(?P<escape>{_ESCAPE})|(?P<plain>.)", re.DOTALL)
_RAW_TOKEN = re.compile(r"(?P<escape>\Z.)|(?P<plain>.)", re.DOTALL)
_BRACES = re.compile(r"\{\{|\}\}")


@dataclass(frozen=True)
class _Piece:
    """A string literal as it stands in the source; `is_plain` if it is no f-string yet."""

    node: cst.SimpleString | cst.FormattedString
    is_plain: bool


@dataclass
class Text:
    """A string expression as a text with holes, and for each of its characters its place and the literal it is in."""

    node: cst.BaseExpression
    text: str = ""
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    pieces: list[_Piece | None] = field(default_factory=list)

    def add(self, text: str, start: int, end: int, piece: _Piece | None) -> None:
        """Add characters that stand for the bytes `start:end`."""
        self.text += text
        self.starts += [start] * len(text)
        self.ends += [end] * len(text)
        self.pieces += [piece] * len(text)

    @property
    def is_bare(self) -> bool:
        """Whether it is one expression that is no string literal."""
        return HOLE.fullmatch(self.text) is not None and self.pieces[0] is None


class NoPlaceError(Exception):
    """An expression can't be put into a text there; the message says why."""


class Texts:
    """The string expressions of one file."""

    def __init__(self, file: CdkFile) -> None:
        """Take the file."""
        self.file = file

    @property
    def tree(self) -> Tree:
        """The parsed file."""
        return self.file.tree

    def code(self, node: cst.CSTNode) -> str:
        """The source of a node."""
        return self.file.text(*self.tree.span(node))

    def is_text(self, node: cst.BaseExpression) -> bool:
        """Whether the expression builds a text itself."""
        match node:
            case cst.SimpleString():
                return "b" not in node.prefix.lower()
            case cst.FormattedString() | cst.ConcatenatedString():
                return True
            case cst.BinaryOperation(operator=cst.Add()):
                return self.is_text(node.left) or self.is_text(node.right)
            case cst.BinaryOperation(operator=cst.Modulo()):
                return self.is_text(node.left)
            case cst.Call(func=cst.Attribute(value=base, attr=cst.Name(value=method))):
                return method in TEXT_METHODS and self.is_text(base)
        return False

    def operands(self, node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
        """The expressions that a text is put together from."""
        match node:
            case cst.FormattedString():
                yield from (part.expression for part in node.parts if isinstance(part, cst.FormattedStringExpression))
            case cst.ConcatenatedString() | cst.BinaryOperation() | cst.BooleanOperation():
                yield from self.operands(node.left)
                yield from self.operands(node.right)
            case cst.IfExp():
                yield from self.operands(node.body)
                yield from self.operands(node.orelse)
            case cst.Tuple() | cst.List():
                for each in node.elements:
                    yield from self.operands(each.value)
            case cst.Call(func=cst.Attribute(value=base, attr=cst.Name(value=method))) if (
                method in TEXT_METHODS and self.is_text(base)
            ):
                joined = [each.value for each in node.args if isinstance(each.value, cst.List | cst.Tuple)]
                if method == "join" and not joined:
                    yield node
                    return
                yield from self.operands(base)
                for argument in node.args:
                    yield from self.operands(argument.value)
            case cst.SimpleString():
                return
            case _:
                yield node

    def hole_span(self, node: cst.BaseExpression) -> tuple[int, int]:
        """Where an expression stands, in an f-string with its `!r` and `:format`."""
        outer = self.tree.parents.get(node)
        if isinstance(outer, cst.FormattedStringExpression) and (outer.format_spec or outer.conversion):
            start, end = self.tree.span(outer)
            return start + 1, end - 1
        return self.tree.outer_span(node)

    def read(self, node: cst.BaseExpression) -> Text:
        """A string expression as text with holes."""
        made = Text(node)
        self._read_into(made, node)
        return made

    def _read_into(self, made: Text, node: cst.BaseExpression) -> None:
        match node:
            case cst.SimpleString() if "b" not in node.prefix.lower():
                start = self.tree.span(node)[0] + len(node.prefix) + len(node.quote)
                self._read_literal(made, node.raw_value, start, _Piece(node, is_plain=True), "r" in node.prefix.lower())
            case cst.FormattedString():
                piece = _Piece(node, is_plain=False)
                for part in node.parts:
                    start, end = self.tree.span(part)
                    if isinstance(part, cst.FormattedStringText):
                        self._read_literal(made, part.value, start, piece, "r" in node.prefix.lower())
                    elif isinstance(part, cst.FormattedStringExpression):
                        code = (
                            self.file.text(start + 1, end - 1)
                            if part.format_spec or part.conversion
                            else self.code(part.expression)
                        )
                        made.add(hole(code), start, end, piece)
            case cst.ConcatenatedString():
                self._read_into(made, node.left)
                self._read_into(made, node.right)
            case cst.BinaryOperation(operator=cst.Add()) if self.is_text(node):
                self._read_into(made, node.left)
                self._read_into(made, node.right)
            case _:
                made.add(hole(self.code(node)), *self.tree.outer_span(node), None)

    def _read_literal(self, made: Text, text: str, start: int, piece: _Piece, is_raw: bool) -> None:
        position = 0
        while position < len(text):
            brace = None if piece.is_plain else _BRACES.match(text, position)
            token = brace or (_RAW_TOKEN if is_raw else _TOKEN).match(text, position)
            assert token is not None  # noqa: S101
            plain = token[0][0] if brace or token["plain"] else "\ufffd"
            first = start + len(text[:position].encode())
            made.add(plain, first, first + len(token[0].encode()), piece)
            position = token.end()

    @cached_property
    def strings(self) -> list[Text]:
        """The string expressions of the file that are not parts of others."""
        found = []
        for node, parent in self.tree.parents.items():
            if isinstance(node, cst.BinaryOperation) and not isinstance(parent, cst.BinaryOperation):
                found += [self.read(node)] if self.is_text(node) else []
            elif isinstance(node, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString) and not isinstance(
                parent, cst.ConcatenatedString | cst.BinaryOperation
            ):
                found.append(self.read(node))
        return found

    @cached_property
    def loads(self) -> dict[str, list[cst.Name | cst.Attribute]]:
        """Where the file reads each dotted name."""
        found: dict[str, list[cst.Name | cst.Attribute]] = {}
        for node, parent in self.tree.parents.items():
            if not isinstance(node, cst.Name | cst.Attribute):
                continue
            if isinstance(parent, cst.AssignTarget | cst.AnnAssign | cst.Attribute | cst.Param):
                continue
            if not (isinstance(parent, cst.Arg) and parent.keyword is node) and (text := dotted(node)):
                found.setdefault(text, []).append(node)
        return found

    def uses(self, text: str, container: Scope) -> Iterator[cst.BaseExpression]:
        """Where a variable is read inside of a scope."""
        for node in self.loads.get(text, ()):
            if container.start <= self.tree.span(node)[0] < container.end:
                yield node

    def holding(self, wanted: str) -> Iterator[Text]:
        """The string expressions of the file that are not parts of others, and variables if the name is one."""
        yield from self.strings
        match = HOLE.fullmatch(wanted)
        for node in self.loads.get(match[1], ()) if match else ():
            if not isinstance(self.tree.parents[node], cst.FormattedStringExpression | cst.BinaryOperation):
                yield self.read(node)

    def mean_the_same(self, text: str, scope: Scope, node: cst.BaseExpression) -> bool:
        """Whether what is in the holes of a text from a scope means the same where another text stands."""
        there = self.tree.scope_at(self.tree.span(node)[0])
        for code in holes(text):
            root = re.match(r"\w+", code)
            if root is None:
                return False
            if root[0] == "self":
                if there.nearest("class") is not scope.nearest("class"):
                    return False
                continue
            one, other = scope.find(root[0]), there.find(root[0])
            if (one and one[0]) is not (other and other[0]):
                return False
        return True

    # ---- writing ---------------------------------------------------------------------------------

    def splices(self, text: Text, start: int, changes: tuple[Change, ...], code: str) -> Iterator[Splice]:
        """Put an expression into the text that stands at `start` of another, as the changes say.

        Raises:
            NoPlaceError: it can't be written there.
        """
        if text.is_bare:
            yield from self._around(text, changes, code)
            return
        plain: dict[int, _Piece] = {}
        for change in changes:
            first, last = start + change.start, start + change.end
            made = "" if change.drop else f"{change.before}{{{code}}}{change.after}"
            if last > first:
                if any(piece is None or piece.is_plain for piece in text.pieces[first:last]):
                    raise NoPlaceError("The part that goes is no part of an f-string")
                yield Splice(text.starts[first], text.ends[last - 1], made)
                continue
            left = text.pieces[first - 1] if first else None
            right = text.pieces[first] if first < len(text.text) else None
            if left is not None:
                at = text.ends[first - 1]
            elif right is not None:
                at = text.starts[first]
            else:
                outer = self.tree.outer_span(text.node)
                if first == len(text.text):
                    yield Splice(outer[1], outer[1], f' + f"{made}"')
                elif first == 0:
                    yield Splice(outer[0], outer[0], f'f"{made}" + ')
                else:
                    raise NoPlaceError("The place of the suffix is between two variables")
                continue
            yield Splice(at, at, made)
            piece = left or right
            if piece is not None and piece.is_plain:
                plain[self.tree.span(piece.node)[0]] = piece
        for begin, piece in plain.items():
            yield from self._formatted(begin, piece)

    def _formatted(self, begin: int, piece: _Piece) -> Iterator[Splice]:
        """Make a string literal an f-string."""
        node = piece.node
        assert isinstance(node, cst.SimpleString)  # noqa: S101
        prefix = node.prefix.lower().replace("u", "")
        yield Splice(begin, begin + len(node.prefix), f"f{prefix}")
        start = begin + len(node.prefix) + len(node.quote)
        for match in (_RAW_TOKEN if "r" in prefix else _TOKEN).finditer(node.raw_value):
            if match[0] in ("{", "}"):
                at = start + len(node.raw_value[: match.start()].encode())
                yield Splice(at, at, match[0])

    def _around(self, text: Text, changes: tuple[Change, ...], code: str) -> Iterator[Splice]:
        """Put an expression before or after a text that is one expression."""
        (change,) = changes
        start, end = self.tree.outer_span(text.node)
        made = f"{change.before}{{{code}}}{change.after}"
        if isinstance(text.node, cst.Name | cst.Attribute):
            bare = f"{{{self.code(text.node)}}}"
            yield Splice(start, end, f'f"{made}{bare}"' if change.after else f'f"{bare}{made}"')
        elif change.after:
            yield Splice(start, start, f'f"{made}" + ')
        else:
            yield Splice(end, end, f' + f"{made}"')
