"""A unified diff, in git's form, that `git apply` and `patch -p1` both take.

Sources: git's `diff-generate-patch` and `core.quotePath` documentation for the headers and the quoting of names; tried
with git 2.39 and GNU patch 2.7, whose needs beyond git's are noted where they are met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import Match, SequenceMatcher
from typing import TextIO, TypeAlias

from fixer.report.wording import printable
from fixer.result import FileChange

_CONTEXT = 3
_MAX_DISTANCE = 600
"""Lines added and removed up to which the shortest way is looked for: its cost grows with their square."""
_EMPTY = b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
_NOTHING = b"0" * 40
_LETTERS = dict(zip(b'\a\b\t\n\v\f\r"\\', b'abtnvfr"\\', strict=True))
_STYLES = {"@": "cyan", "+": "green", "-": "red", "\\": "dim"}


def unified(files: Iterable[FileChange]) -> bytes:
    """The diff that makes each file's `after` out of its `before`; empty if nothing differs.

    Modes are not known here: a new file gets 100644, and a deleted one is said to have had it; where that is wrong git
    warns, no more.
    """
    return b"".join(line for file in files for line in (*_header(file), *_hunks(file)))


def show(files: Iterable[FileChange], stream: TextIO) -> None:
    """Print the diff to the stream; see `fixer.report.print_diff`."""
    if not stream.isatty():
        stream.flush()
        stream.buffer.write(unified(files))
        stream.buffer.flush()
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream)
    for file in files:
        for line in _header(file):
            console.print(Text(_visible(line), "bold"), soft_wrap=True)
        for line in _hunks(file):
            console.print(Text(_visible(line), _STYLES.get(chr(line[0]), "")), soft_wrap=True)


def _visible(line: bytes) -> str:
    text = line.decode("utf-8", "surrogateescape").rstrip("\n")
    return "\t".join(map(printable, text.split("\t")))


# ---- headers -----------------------------------------------------------------------------------


def _header(file: FileChange) -> Iterator[bytes]:
    old, new = file.moved_from or file.path, file.path
    if (file.before, old) == (file.after, new):
        return
    # patch cannot tell two names with spaces apart; git takes quoted ones there too
    yield b"diff --git %s %s\n" % (_name("a/" + old, quote=" " in old + new), _name("b/" + new, quote=" " in old + new))
    if file.change == "moved":
        yield b"rename from %s\nrename to %s\n" % (_name(old), _name(new))
    elif file.change == "created":
        yield b"new file mode 100644\n"
    elif file.change == "deleted":
        yield b"deleted file mode 100644\n"
        if not file.before:
            yield b"index %s..%s\n" % (_EMPTY, _NOTHING)  # else patch takes it for a mistake
    if (file.before or b"") != (file.after or b""):
        yield b"--- %s\n" % (b"/dev/null" if file.before is None else _delimited("a/" + old))
        yield b"+++ %s\n" % (b"/dev/null" if file.after is None else _delimited("b/" + new))


def _name(path: str, *, quote: bool = False) -> bytes:
    """The path as git writes it: in quotes, with escapes, if it has other bytes than printable ASCII."""
    raw = path.encode("utf-8", "surrogateescape")
    escaped = b"".join(_escaped(byte) for byte in raw)
    return b'"%s"' % escaped if quote or escaped != raw else raw


def _escaped(byte: int) -> bytes:
    if byte in _LETTERS:
        return b"\\%c" % _LETTERS[byte]
    return b"%c" % byte if 0x20 <= byte < 0x7F else b"\\%03o" % byte


def _delimited(path: str) -> bytes:
    """The path with the tab after it that ends a name with spaces."""
    name = _name(path)
    return name + b"\t" if b" " in name and not name.startswith(b'"') else name


# ---- hunks -------------------------------------------------------------------------------------


def _hunks(file: FileChange) -> Iterator[bytes]:
    old, new = _lines(file.before), _lines(file.after)
    if old == new:
        return
    for group in _ShortestEdit(old, new).get_grouped_opcodes(_CONTEXT):
        first, last = group[0], group[-1]
        yield b"@@ -%s +%s @@\n" % (_range(first[1], last[2]), _range(first[3], last[4]))
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                yield from _marked(b" ", old[old_start:old_end])
            else:
                yield from _marked(b"-", old[old_start:old_end])
                yield from _marked(b"+", new[new_start:new_end])


def _lines(content: bytes | None) -> list[bytes]:
    """The lines with their ends; only a newline ends a line, for git and for patch."""
    *lines, rest = (content or b"").split(b"\n")
    return [line + b"\n" for line in lines] + ([rest] if rest else [])


def _range(start: int, end: int) -> bytes:
    """The lines `start:end`, from 0, as a hunk counts them: from 1, an empty range by the line before it."""
    length = end - start
    if length == 1:
        return b"%d" % end
    return b"%d,%d" % (start + 1 if length else start, length)


def _marked(mark: bytes, lines: list[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield mark + line
        if not line.endswith(b"\n"):
            yield b"\n\\ No newline at end of file\n"


class _ShortestEdit(SequenceMatcher[bytes]):
    """Matches lines as git does, with the fewest added and removed; difflib takes lines that are frequent for noise.

    The algorithm is the greedy one of Myers, "An O(ND) Difference Algorithm and Its Variations" (1986).
    """

    def __init__(self, old: list[bytes], new: list[bytes]) -> None:
        super().__init__(None, old, new)
        self._old, self._new = old, new

    def get_matching_blocks(self) -> list[Match]:
        """The runs of equal lines in order, and an empty one at the end, as difflib wants it."""
        old, new = self._old, self._new
        reached: dict[int, tuple[int, _Path]] = {1: (0, None)}
        for distance in range(_MAX_DISTANCE):
            for diagonal in range(-distance, distance + 1, 2):
                below, above = reached.get(diagonal - 1, (-1, None)), reached.get(diagonal + 1, (-1, None))
                at, path = above if above[0] > below[0] else (below[0] + 1, below[1])
                start = at
                while at < len(old) and at - diagonal < len(new) and old[at] == new[at - diagonal]:
                    at += 1
                if at > start:
                    path = (Match(start, start - diagonal, at - start), path)
                if at >= len(old) and at - diagonal >= len(new):
                    return [*reversed(list(_unrolled(path))), Match(len(old), len(new), 0)]
                reached[diagonal] = at, path
        return super().get_matching_blocks()


_Path: TypeAlias = "tuple[Match, _Path] | None"
"""The runs of equal lines on the way to a place, the last one first."""


def _unrolled(path: _Path) -> Iterator[Match]:
    while path is not None:
        match, path = path
        yield match
