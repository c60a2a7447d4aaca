"""Strings of a module as texts with holes, each character with its place in the file, and all that repeat one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixer.holes import HOLE, Change, core, hole
from fixer.terraform.expression import Chunk
from fixer.terraform.template import unescape

if TYPE_CHECKING:
    from fixer.model import Edit
    from fixer.terraform.expression import Expr
    from fixer.terraform.file import TerraformFile
    from fixer.terraform.module import Module

_ESCAPE = re.compile(r"\\|\$\$\{|%%\{")
_TOKEN = re.compile(r"\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\.|\$\$\{|%%\{|.", re.DOTALL)


@dataclass(frozen=True)
class Text:
    """A string, or a bare expression, as a text with holes; see `fixer.holes`."""

    file: TerraformFile
    start: int
    end: int
    kind: str
    """The kind of the expression; see `Expr.kind`."""
    text: str
    offsets: tuple[int, ...]
    """Where in the file each character stands, and where the last one ends."""

    @property
    def is_bare(self) -> bool:
        """Whether it is an expression that is no string, one hole alone."""
        return self.kind not in ("string", "template", "heredoc")

    @property
    def code(self) -> str:
        """Its source."""
        return self.file.text(self.start, self.end)

    def put(self, first: int, last: int, made: str) -> Edit:
        """Put source in the place of the characters from `first` to `last`."""
        return self.file.edit(self.offsets[first], self.offsets[last], made)

    def replaced(self, made: str) -> Edit:
        """Put source in the place of all of it, its quotes too."""
        return self.file.edit(self.start, self.end, made)

    def changed(self, start: int, changes: Iterable[Change], code: str) -> Iterator[Edit]:
        """Put an expression into the text that stands at `start` of it, as the changes say."""
        for change in changes:
            made = "" if change.drop else f"{change.before}${{{code}}}{change.after}"
            if self.is_bare:
                own = f"${{{self.code}}}"
                yield self.replaced(f'"{made}{own}"' if change.after else f'"{own}{made}"')
            else:
                yield self.put(start + change.start, start + change.end, made)


def read(expr: Expr) -> Text | None:
    """An expression as a text with holes; None for a template with directives."""
    if expr.kind not in ("string", "template", "heredoc"):
        return _bare(expr.file, expr.start, expr.end, expr.kind)
    source = expr.file.source
    position, end = expr.content
    text, offsets = "", list[int]()
    for part in expr.parts:
        if isinstance(part, Chunk) and part.text.isascii() and not _ESCAPE.search(part.text):
            text += part.text
            offsets += range(part.start, part.end)
            position = part.end
        elif isinstance(part, Chunk):
            for token in _TOKEN.finditer(part.text):
                plain = unescape(token[0]) if expr.kind != "heredoc" else token[0]
                offsets += [part.start + len(part.text[: token.start()].encode())] * len(plain)
                text += plain
            position = part.end
        elif part.kind == "directive":
            return None
        else:
            made = hole(part.text)
            text, offsets = text + made, offsets + [position] * len(made)
            position = source.index(b"}", part.end) + 1
    return Text(expr.file, expr.start, expr.end, expr.kind, text, (*offsets, end))


def repeating(module: Module, text: str) -> Iterator[Text]:
    """All strings of a module, in all its files, that hold a text; for one hole alone also what refers to the same."""
    sought = core(text).encode()
    bare = HOLE.fullmatch(text)
    for file in (*module.files, *module.fixed):
        if sought not in file.source:
            continue
        strings = (one for one in file.strings if sought in file.source[one.start : one.end])
        found = [held for one in strings if (held := one.as_text) and text in held.text]
        yield from found
        for one in module.references(".".join(bare[1].split(".")[:2])) if bare else ():
            if one.file is file and not any(held.start <= one.start < held.end for held in found):
                made = _bare(file, one.start, one.end, "traversal")
                if made.text == text:
                    yield made


def _bare(file: TerraformFile, start: int, end: int, kind: str) -> Text:
    text = hole(file.text(start, end))
    return Text(file, start, end, kind, text, (start,) * len(text) + (end,))
