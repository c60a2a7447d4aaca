"""Where text goes in bracketed lists - arguments, elements, imported names - so that the layout stays what it was.

Works on bytes and spans alone. Lines that become too long are opened the way black does it, so that code that black
left alone before is left alone after.
"""

from __future__ import annotations

import difflib
import itertools
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

LINE_LENGTH = 88
"""black's default; a file with longer lines that could have been opened has its own, the longest of them."""

_TOKEN = re.compile(
    r"""(?P<string>'{3}(?:\\.|[^\\])*?'{3}|"{3}(?:\\.|[^\\])*?"{3}|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")"""
    r"""|(?P<comment>\#[^\n]*)|(?P<word>\w+)|(?P<newline>\n)|(?P<space>[^\S\n]+)|(?P<mark>[=!<>:]=|\*\*|//|<<|>>|.)""",
    re.DOTALL,
)
_OPENING, _CLOSING = "([{", ")]}"
_CONCATENATION = 12
_BINDING = {
    **dict.fromkeys(("async", "for"), 20),
    **dict.fromkeys(("if", "else"), 16),
    **dict.fromkeys(("and", "or"), 14),
    **dict.fromkeys(("<", ">", "==", "!=", "<=", ">=", "in", "is", "not"), 10),
    "|": 9,
    "^": 8,
    "&": 7,
    "<<": 6,
    ">>": 6,
    "+": 5,
    "-": 5,
    "*": 4,
    "/": 4,
    "//": 4,
    "%": 4,
    "@": 4,
}
"""What black splits lines before, and in which order: COMPREHENSION_PRIORITY and those below it in its brackets.py."""


class Splice(NamedTuple):
    """Replace the bytes `start:end` by `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Item:
    """One element between brackets, and the offset of the comma after it, if there is one."""

    start: int
    end: int
    comma: int | None

    @property
    def stop(self) -> int:
        """Where the element ends with its comma."""
        return self.end if self.comma is None else self.comma + 1


@dataclass(frozen=True)
class Brackets:
    """A list of items between the offsets `open` (after the bracket) and `close` (before the other)."""

    source: bytes
    open: int
    close: int
    items: Sequence[Item]
    newline: str
    unit: str
    """One step of indentation."""

    def insert(self, texts: Sequence[str], after: int) -> list[Splice]:
        """Add items after the one at that index; -1 is the front."""
        if not self.items:
            return [self._only(texts)]
        if after < 0:
            return [self._front(texts)]
        item = self.items[after]
        line_end = end_of_line(self.source, item.stop)
        rest = self.source[item.stop : line_end].strip()
        gap = self._gap(after)
        text = f",{gap}".join(texts)
        if item.comma is not None:
            at = line_end if gap != " " and (not rest or rest.startswith(b"#")) else item.stop
            return [Splice(at, at, f"{gap}{text},")]
        if gap != " " and rest.startswith(b"#"):
            return [Splice(item.end, item.end, ","), Splice(line_end, line_end, gap + text)]
        # black gives a list its last comma as soon as there is a second element.
        last = "," if gap != " " and len(self.items) == 1 and b"\n" in self.source[item.end : self.close] else ""
        return [Splice(item.end, item.end, f",{gap}{text}{last}")]

    def remove(self, gone: Iterable[int]) -> list[Splice]:
        """Take items away, each with its comma, and with its line if nothing else is on it."""
        away = sorted(set(gone))
        if away and len(away) == len(self.items) and b"#" not in self.source[self.open : self.close]:
            return [Splice(self.open, self.close, "")]
        spans: list[tuple[int, int]] = []
        for index in away:
            kept = next((each for each in range(index - 1, -1, -1) if each not in away), None)
            spans += self._removal(index, None if kept is None else self.items[kept])
        return [Splice(*self._with_line(start, end), "") for start, end in _union(spans)]

    def _with_line(self, start: int, end: int) -> tuple[int, int]:
        """What is taken away, with its line if that leaves nothing on it but a comment."""
        first, last = start_of_line(self.source, start), end_of_line(self.source, end)
        rest = self.source[end:last].strip()
        blank = not self.source[first:start].strip() and (not rest or rest.startswith(b"#"))
        if blank and self.open <= first < start < end <= last < self.close:
            return first, _after_newline(self.source, last)
        return start, end

    def _removal(self, index: int, kept: Item | None) -> Iterator[tuple[int, int]]:
        item, source = self.items[index], self.source
        line_end = end_of_line(source, item.stop)
        rest = source[item.stop : line_end].strip()
        alone = self.starts_line(item) and (not rest or rest.startswith(b"#"))
        last = item.comma is None
        if last and kept is not None and kept.comma is not None:
            if b"#" not in source[kept.end : item.start] and not (alone and rest):
                yield kept.end, item.end
                return
            yield kept.comma, kept.comma + 1
        if alone and self.open <= start_of_line(source, item.start):
            yield start_of_line(source, item.start), _after_newline(source, line_end)
        elif not last and index + 1 < len(self.items) and rest and not rest.startswith(b"#"):
            yield item.start, self.items[index + 1].start
        elif not last and index and not self.starts_line(item):
            yield self.items[index - 1].stop, item.stop
        else:
            yield item.start, item.stop

    def starts_line(self, item: Item) -> bool:
        """Whether only white space stands before the item on its line."""
        return not self.source[start_of_line(self.source, item.start) : item.start].strip()

    def _gap(self, after: int) -> str:
        item = self.items[after]
        single = len(self.items) == 1 and item.comma is None and not self.source[item.end : self.close].strip()
        if single and b"\n" in self.source[item.end : self.close] and b"\n" not in self.source[item.start : item.end]:
            return " "
        return self.newline + indent_at(self.source, item.start) if self.starts_line(item) else " "

    def _only(self, texts: Sequence[str]) -> Splice:
        inside = self.source[self.open : self.close]
        if b"\n" not in inside:
            return Splice(self.close if inside.strip() else self.open, self.close, ", ".join(texts))
        at = end_of_line(self.source, self.open)
        gap = f"{self.newline}{indent_at(self.source, self.open)}{self.unit}"
        return Splice(at, at, "".join(f"{gap}{each}," for each in texts))

    def _front(self, texts: Sequence[str]) -> Splice:
        first = self.items[0]
        gap = self.newline + indent_at(self.source, first.start) if self.starts_line(first) else " "
        return Splice(first.start, first.start, "".join(f"{each},{gap}" for each in texts))


def _union(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    open_span: tuple[int, int] | None = None
    for start, end in sorted(spans):
        if open_span is not None and start <= open_span[1]:
            open_span = open_span[0], max(end, open_span[1])
            continue
        if open_span is not None:
            yield open_span
        open_span = start, end
    if open_span is not None:
        yield open_span


# ---- lines -------------------------------------------------------------------------------------


def start_of_line(source: bytes, offset: int) -> int:
    """Where the line of an offset starts; the first one behind its byte-order mark."""
    found = source.rfind(b"\n", 0, offset) + 1
    return found or min(offset, len(BOM_UTF8) * source.startswith(BOM_UTF8))


def end_of_line(source: bytes, offset: int) -> int:
    """Where the line of an offset ends, before its line ending; the line that it goes on in behind a lone backslash."""
    end = source.find(b"\n", offset)
    while end >= 0 and source[offset:end].strip() == b"\\":
        offset, end = end + 1, source.find(b"\n", end + 1)
    if end < 0:
        return len(source)
    return end - 1 if end > offset and source[end - 1 : end] == b"\r" else end


def _after_newline(source: bytes, line_end: int) -> int:
    return min(len(source), source.find(b"\n", line_end) + 1 or len(source))


def indent_at(source: bytes, offset: int) -> str:
    """The white space that the line of an offset starts with."""
    start = start_of_line(source, offset)
    line = source[start : end_of_line(source, start)]
    return line[: len(line) - len(line.lstrip(b" \t"))].decode()


def splice(source: bytes, splices: Iterable[Splice]) -> bytes:
    """The source with every splice made; they must not overlap. Those at one offset keep their order."""
    parts: list[bytes] = []
    at = 0
    for start, end, text in sorted(splices, key=lambda each: (each.start, each.end)):
        parts += (source[at:start], text.encode())
        at = end
    return b"".join((*parts, source[at:]))


def difference(old: bytes, new: str, base: int, newline: str) -> list[Splice]:
    """The splices that turn one text into the other, token by token; offsets count from `base`.

    `new` has line feeds. Lines that stay keep their endings, new ones end in `newline`.
    """
    before, after = (re.findall(rb"\w+|\r?\n|[^\S\r\n]+|.", text, re.DOTALL) for text in (old, new.encode()))
    offsets = [base]
    for each in before:
        offsets.append(offsets[-1] + len(each))
    alike = [b"\n" if each == b"\r\n" else each for each in before]
    matcher = difflib.SequenceMatcher(None, alike, after, autojunk=False)
    return [
        Splice(offsets[start], offsets[end], b"".join(after[new_start:new_end]).decode().replace("\n", newline))
        for kind, start, end, new_start, new_end in matcher.get_opcodes()
        if kind != "equal"
    ]


# ---- opening lines -----------------------------------------------------------------------------


def longest_line(source: bytes) -> int:
    """The line length that a file keeps: black's, or that of its longest line which holds brackets to open."""
    length = LINE_LENGTH
    if max(map(len, source.split(b"\n")), default=0) <= LINE_LENGTH:
        return length
    for line in _Lines(source.decode("utf-8", "replace").replace("\r\n", "\n")):
        if len(line.text) <= length or line.in_string:
            continue
        code, comment = _split_comment(line.text)
        # black leaves a line alone that is too long because of its `# type: ignore`, or has one.
        if not comment and _can_open(code):
            length = len(code)
    return length


def _can_open(line: str) -> bool:
    if re.match(r"\s*(from|import) ", line):
        return False
    tokens = [each.group() for each in _TOKEN.finditer(line) if each.lastgroup not in ("space", "comment")]
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token in _OPENING) - (token in _CLOSING)
        if depth < 0:
            return False
        if depth and tokens[index + 1 : index + 2] and tokens[index + 1] not in _CLOSING:
            return _balanced(line)
    return False


@dataclass(frozen=True)
class _Line:
    start: int
    text: str
    depth: int
    in_string: bool


class _Lines:
    """The physical lines of a text, with the bracket depth at the start of each."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __iter__(self) -> Iterator[_Line]:
        starts, depths = [0], [0]
        broken: set[int] = set()
        depth = 0
        for token in _TOKEN.finditer(self._text):
            kind, value = token.lastgroup, token.group()
            if kind == "mark":
                depth += (value in _OPENING) - (value in _CLOSING)
            elif kind == "newline" or (kind == "string" and "\n" in value):
                if kind == "string":
                    broken.add(len(starts) - 1)
                for at in (each.end() + token.start() for each in re.finditer("\n", value)):
                    starts.append(at)
                    depths.append(depth)
                    if kind == "string":
                        broken.add(len(starts) - 1)
        for index, start in enumerate(starts):
            end = starts[index + 1] - 1 if index + 1 < len(starts) else len(self._text)
            yield _Line(start, self._text[start:end], depths[index], index in broken)


def _balanced(text: str) -> bool:
    depth = 0
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "mark":
            depth += (token.group() in _OPENING) - (token.group() in _CLOSING)
            if depth < 0 or token.group() in "'\"\\" or (token.group() == ";" and not depth):
                return False
    return depth == 0


def _closed_there(text: str) -> tuple[str, str]:
    """A line and the brackets at its end that other lines open: `x=f(1)` and `)` of `x=f(1))`."""
    rest = text.rstrip()
    while not _balanced(rest) and rest[-1:] in (")", "]", "}"):
        rest = rest[:-1]
    return (rest, text[len(rest) :]) if _balanced(rest) else (text, "")


def relay(region: bytes, splices: Sequence[Splice], base: int, limit: int, unit: str, newline: str) -> list[Splice]:
    """Open the lines that splices make too long, and close brackets that they make short enough again.

    `region` is the whole lines of one statement, from the offset `base` of the file on. Gives the splices back
    untouched if no line needs it.
    """
    local = [Splice(start - base, end - base, text) for start, end, text in splices]
    after = splice(region, local).decode().replace("\r\n", "\n")
    before = region.decode().replace("\r\n", "\n")
    new_lines = list(_Lines(after))
    old_texts = set(before.split("\n"))
    changed = {index for index, line in enumerate(new_lines) if line.text not in old_texts}
    texts = [line.text for line in new_lines]
    folded = False
    for index in sorted(changed):
        line = new_lines[index]
        text, closing = _closed_there(line.text)
        is_whole = not line.in_string and _balanced(text) and not text.lstrip().startswith(",")
        if len(line.text) > limit and is_whole and not _gained_comma(text, old_texts):
            texts[index] = "\n".join(fold(text, limit, unit, inside=line.depth > 0 and not closing)) + closing
            folded |= texts[index] != line.text
    if not folded:
        texts, folded = _join(texts, changed, set(before.split("\n")), before, limit)
    if not folded:
        return list(splices)
    return difference(region, "\n".join(texts), base, newline)


def _gained_comma(text: str, old: set[str]) -> bool:
    """Whether a line differs from one of the old ones by a comma alone."""
    return any(text[: each.start()] + text[each.end() :] in old for each in re.finditer(",", text))


def _join(texts: list[str], changed: set[int], old: set[str], before: str, limit: int) -> tuple[list[str], bool]:
    """Put `f(` / one line / `)` on one line if it only now fits there, as black does."""
    for index in changed:
        if not 0 < index < len(texts) - 1:
            continue
        head, body, tail = texts[index - 1], texts[index], texts[index + 1]
        opened = head.rstrip()[-1:] in _OPENING and tail.lstrip()[:1] in _CLOSING and head in old and tail in old
        if not opened or body.rstrip().endswith(",") or "#" in head + body + tail or not _balanced(body):
            continue
        joined = head.rstrip() + body.strip() + tail.strip()
        old_lines = before.split("\n")
        at = old_lines.index(head)
        was = "".join((head.rstrip(), old_lines[at + 1].strip(), tail.strip())) if at + 2 < len(old_lines) else ""
        if old_lines[at + 2 : at + 3] == [tail] and len(was) > limit >= len(joined):
            return [*texts[: index - 1], joined, *texts[index + 2 :]], True
    return texts, False


def fold(line: str, limit: int, unit: str, *, inside: bool) -> list[str]:
    """Open one line the way black does: inside brackets at its commas, else at the brackets that close last."""
    text = line.strip()
    if len(line) <= limit:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    text, comment = _split_comment(text)
    elements = _elements(text)
    if inside and len(elements) > 1 and not comment:
        opened = [fold(f"{indent}{each},", limit, unit, inside=True) for each in elements]
        return [each for part in opened for each in part]
    if inside and (condition := _condition(text)):
        head, body, tail = condition
        tail += f"  {comment}" if comment else ""
        return [f"{indent}{head}(", *fold(f"{indent}{unit}{body}", limit, unit, inside=True), f"{indent}){tail}"]
    clauses = _clauses(text) if inside and not comment else []
    if len(clauses) > 1:
        return [each for clause in clauses for each in fold(indent + clause, limit, unit, inside=True)]
    head, body = _statement(text)
    if not inside and body and not comment and _wants_parentheses(body, limit - len(indent), len(head), len(unit)):
        return [f"{indent}{head}(", *fold(f"{indent}{unit}{body}", limit, unit, inside=True), f"{indent})"]
    pairs = _last_brackets(text)
    if not pairs:
        return [line]
    start, end = next((each for each in pairs if len(indent) + each[0] < limit), pairs[0])
    head, body, tail = indent + text[: start + 1], text[start + 1 : end].strip(), indent + text[end:]
    single = f"{indent}{unit}{body}"
    importing = re.match(r"from |import ", text) is not None
    exploded = len(single) > limit or importing or _is_display(text, start)
    if exploded and len(_elements(body)) > 1:
        opened = [fold(f"{indent}{unit}{each},", limit, unit, inside=True) for each in _elements(body)]
        middle = [each for part in opened for each in part]
    else:
        middle = fold(single, limit, unit, inside=True)
    return [head, *middle, tail + (f"  {comment}" if comment else "")]


def _statement(text: str) -> tuple[str, str]:
    """A statement's `x = ` or `return `, and the expression behind it; nothing if it has no such form."""
    if text.startswith("return "):
        return "return ", text[7:]
    depth, cuts = 0, []
    for token in _TOKEN.finditer(text):
        value = token.group()
        if value in (*_OPENING, *_CLOSING):
            depth += 1 if value in _OPENING else -1
        elif value == "=" and not depth:
            cuts.append(token.end())
    if len(cuts) != 1 or text[cuts[0] : cuts[0] + 1] != " ":
        return "", ""
    return text[: cuts[0] + 1], text[cuts[0] + 1 :]


def _condition(text: str) -> tuple[str, str, str] | None:
    """The `x=`, the conditional expression and the comma of an argument among others, which black parenthesises."""
    body = text.removesuffix(",")
    name = re.match(r"\w+=(?!=)", body)
    head = name[0] if name else ""
    clauses = _clauses(body[len(head) :])
    is_condition = len(clauses) == 3 and clauses[1].startswith("if ") and clauses[2].startswith("else ")
    return (head, body[len(head) :], text[len(body) :]) if is_condition and (head or body != text) else None


def _wants_parentheses(expression: str, limit: int, head: int, unit: int) -> bool:
    """Whether black puts parentheses around the right-hand side of an assignment rather than open its own brackets.

    `head` and `unit` are the lengths of what is before the expression, and of a step of indentation.
    """
    operands, pairs = len(_clauses(expression)), _last_brackets(expression)
    if expression[-1] in _CLOSING and pairs:
        return operands > 2 or (operands > 1 and head + pairs[0][0] + 1 > limit)
    return operands > 1 or (not pairs and unit + len(expression) <= limit)


def _is_display(text: str, start: int) -> bool:
    """Whether a bracket opens a list, dict or tuple, which black gives a line for every element, not a call."""
    return re.search(r"[\w)\]}'\"]$", text[:start]) is None


def _split_comment(text: str) -> tuple[str, str]:
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "comment":
            return text[: token.start()].rstrip(), token.group()
    return text, ""


def _elements(text: str) -> list[str]:
    """The parts between the commas of the top level; one part if there is a lambda, whose commas are its own."""
    depth, cuts = 0, [0]
    for token in _TOKEN.finditer(text):
        value = token.group()
        if token.lastgroup == "mark":
            depth += (value in _OPENING) - (value in _CLOSING)
            if value == "," and not depth:
                cuts.append(token.end())
        elif not depth and value in ("lambda", "for"):
            return [text]
    cuts.append(len(text) + 1)
    parts = [text[start : end - 1].strip() for start, end in itertools.pairwise(cuts)]
    return [part for part in parts if part]


def _clauses(text: str) -> list[str]:
    """The parts that black gives lines of their own inside brackets: it splits before what binds least.

    That is before `for` and `if` in `x for x in y if z`, before `or` in `f(a) or b == c`; one part if there is nothing
    to split, or a lambda.
    """
    depth, cuts, prefix = 0, list[tuple[int, int]](), None
    has_ended = in_loop = False  # an operand; what stands between `for` and `in`
    last = ""
    for token in _TOKEN.finditer(text):
        value, kind, start = token.group(), token.lastgroup or "", token.start()
        if kind == "space":
            continue
        if kind == "word" and text[token.end() : token.end() + 1] in ("'", '"'):
            prefix = start
            continue
        if value in (*_OPENING, *_CLOSING):
            depth += 1 if value in _OPENING else -1
            has_ended = value in _CLOSING
        elif value == "lambda" and not depth:
            return [text]
        elif not depth and in_loop and value == "in":
            has_ended = in_loop = False
        elif not depth and not in_loop:
            binding = _BINDING.get(value, 0)
            if value == "if" and any(_BINDING["for"] == each for each, _ in cuts):
                binding = _BINDING["for"]
            if kind == last == "string":
                cuts.append((_CONCATENATION, start if prefix is None else prefix))
            elif binding and has_ended:
                cuts.append((binding, start))
            in_loop = value == "for"
            has_ended = value not in _BINDING and (kind != "mark")
        last, prefix = kind, None
    loosest = max((binding for binding, _ in cuts), default=0)
    starts = [0, *(start for binding, start in cuts if binding == loosest), len(text)]
    return [part for start, end in itertools.pairwise(starts) if (part := text[start:end].strip())]


def _last_brackets(text: str) -> list[tuple[int, int]]:
    """The pairs of the top level that may be opened, best first: the last that holds something, then those it follows.

    `x` is such a pair of `f(x).g(y)` as well; black opens it if `f(x).g(` alone is too long.
    """
    stack: list[int] = []
    found: list[tuple[int, int]] = []
    for token in _TOKEN.finditer(text):
        if token.lastgroup != "mark":
            continue
        if token.group() in _OPENING:
            stack.append(token.start())
        elif token.group() in _CLOSING:
            if not stack:
                return []
            start = stack.pop()
            if not stack and text[start + 1 : token.start()].strip():
                found.append((start, token.start()))
    if stack:
        return []
    pairs = found[-1:]
    for each in reversed(found[:-1]):
        if not re.fullmatch(r"(\.\w+(\(\))?)*", text[each[1] + 1 : pairs[-1][0]]):
            break
        pairs.append(each)
    return pairs
