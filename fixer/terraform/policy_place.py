"""A new statement in an IAM policy that is there: in its data source, in `jsonencode`, or in JSON text.

`place` finds where the statement goes; what is there keeps its layout, and the new statement takes it over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from fixer.model import Edit, Unknown
from fixer.terraform.expression import Chunk, Expr
from fixer.terraform.policy import known_statements
from fixer.terraform.policy_text import NewStatement, Style, written

if TYPE_CHECKING:
    from fixer.terraform.block import Block
    from fixer.terraform.file import TerraformFile
    from fixer.terraform.module import Module

_DOCUMENT = "data.aws_iam_policy_document."
_DEEPEST = 10
_COMMA = re.compile(rb"[ \t]*,")
_INNER = re.compile(rb"\n([ \t]*)\S")
_LAST_COMMA = re.compile(r",[ \t]*\r?\n\s*\]")
_TOKEN = re.compile(rb'"(?:\\.|[^"\\])*"|[{}\[\],:]|[^\s{}\[\],:"]+')

Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Place:
    """Where a policy takes a new statement."""

    block: Block
    """The top-level block in which the statement will stand: its `each` and `count` are those of this block."""
    _sids: frozenset[str]
    _add: Callable[[NewStatement], tuple[Edit, ...]]

    def add(self, statement: NewStatement) -> tuple[Edit, ...]:
        """Write the statement, last of all."""
        sid, number = statement.sid, 2
        while sid in self._sids:
            sid, number = f"{statement.sid}{number}", number + 1
        return self._add(replace(statement, sid=sid))


def place(module: Module, expr: Expr) -> Place | Unknown:
    """Where the policy that an expression gives takes a new statement, or why there is no right place."""
    found = _place(module, expr, 0)
    if isinstance(found, Unknown):
        return found
    at, add = found
    block, _ = at.file.enclosing(at.start)
    if block is None or at.file.read_only:
        return Unknown(f"stands in {at.file.path}, which is not rewritten")
    if module.overridden(block.top):
        return Unknown(f"is overridden in {getattr(module.override_of(block.top), 'file', at.file).path}")
    known, _ = known_statements(module, expr)
    return Place(block.top, frozenset(str(one.data.get("Sid")) for one in known), add)


_Found: TypeAlias = "tuple[Expr | Block, Callable[[NewStatement], tuple[Edit, ...]]]"


def _place(module: Module, expr: Expr, depth: int) -> _Found | Unknown:
    if depth > _DEEPEST:
        return Unknown("refers to itself")
    if expr.inner is not None:
        return _place(module, expr.inner, depth + 1)
    if expr.kind == "heredoc":
        return _in_text(expr)
    if expr.kind == "call" and expr.function == "jsonencode" and len(expr.elements) == 1:
        return _in_object(module, expr.elements[0])
    traversal = expr.traversal
    if traversal is None:
        return Unknown(f"is a call of {expr.function}()" if expr.kind == "call" else "is an expression")
    if traversal.names[0] == "local":
        own = _own(module, expr)
        return own if isinstance(own, Unknown) else _place(module, own, depth + 1)
    if traversal.address.startswith(_DOCUMENT) and traversal.rest[-1:] in ((".json",), (".minified_json",)):
        document = module.resource(traversal.address)
        if document is not None:
            return _in_document(module, document)
    return Unknown(f"is set by {traversal.text}")


def _own(module: Module, expr: Expr) -> Expr | Unknown:
    """The expression behind parentheses and a local that nothing else uses."""
    while expr.inner is not None:
        expr = expr.inner
    traversal = expr.traversal
    if traversal is None or traversal.names[0] != "local":
        return expr
    attribute = module.local(traversal.names[1]) if len(traversal.names) == 2 and not traversal.rest else None
    if attribute is None:
        return Unknown(f"is set by {traversal.text}")
    if _is_shared(module, traversal.address):
        return Unknown(f"is set by {traversal.text}, which other code uses too")
    return attribute.expr


def _is_shared(module: Module, address: str) -> bool:
    return len(module.references(address)) + len(module.references(address, fixed=True)) > 1


# ---- data sources ------------------------------------------------------------------------------


def _in_document(module: Module, document: Block) -> _Found | Unknown:
    if _is_shared(module, document.address):
        return Unknown(f"comes from {document.address}, which other code uses too")
    last = next((one for one in reversed(document.items) if _is_statement(one)), None)

    def add(statement: NewStatement) -> tuple[Edit, ...]:
        trailing = _LAST_COMMA.search(document.text()) is not None or "]" not in document.text()
        text = statement.block(trailing_comma=trailing)
        return document.append(text) if last is None else last.insert_after(text)  # type: ignore[union-attr]

    return document, add


def _is_statement(item: object) -> bool:
    kind, labels = getattr(item, "type", ""), getattr(item, "labels", ())
    return kind == "statement" or (kind == "dynamic" and labels == ("statement",))


# ---- jsonencode --------------------------------------------------------------------------------


def _in_object(module: Module, given: Expr) -> _Found | Unknown:
    policy = _own(module, given)
    if isinstance(policy, Unknown):
        return policy
    values = [value for key, value in policy.entries if key.text.strip('"') == "Statement"]
    if policy.kind != "object" or len(values) != 1:
        return Unknown("is an expression")
    listed = _own(module, values[0])
    if isinstance(listed, Unknown):
        return listed
    if listed.kind == "call" and listed.function == "concat":
        listed = next((one for one in reversed(listed.elements) if one.kind == "list"), listed)
    if listed.kind not in ("list", "object"):
        return Unknown("has statements that are an expression")
    elements = listed.elements if listed.kind == "list" else (listed,)
    file = listed.file

    def add(statement: NewStatement) -> tuple[Edit, ...]:
        style = _style(file, elements)
        lines = written(statement.data(), style)
        spans = [(one.start, one.end) for one in elements]
        edits = _joined(file, (listed.start, listed.end), spans, lines, style.step)
        block, _ = file.enclosing(listed.start)
        top = block.top if block else None
        return file.settle(top.start, file.tail(top.end), edits) if top else tuple(edits)

    return listed, add


# ---- text --------------------------------------------------------------------------------------


def _in_text(expr: Expr) -> _Found | Unknown:
    if any(isinstance(part, Expr) and part.kind == "directive" for part in expr.parts):
        return Unknown("is a template with a directive")
    spans = _statement_spans(expr)
    if spans is None:
        return Unknown("is a text without a list of statements")
    whole, elements = spans
    file = expr.file

    def add(statement: NewStatement) -> tuple[Edit, ...]:
        step = _step(file, elements[-1]) if elements else "  "
        lines = written(statement.data(), Style(quoted=True, separator=": ", comma=True, step=step, as_json=True))
        return tuple(_joined(file, whole, elements, lines, step, as_json=True))

    return expr, add


def _statement_spans(expr: Expr) -> tuple[Span, list[Span]] | None:
    """Where the value of the policy's `Statement` stands in JSON text, and the statements in it."""
    start, end = expr.content
    masked = bytearray(b"x" * (end - start))
    for part in expr.parts:
        if isinstance(part, Chunk):
            masked[part.start - start : part.end - start] = expr.file.source[part.start : part.end]
    tokens = [(match.group(), match.start() + start, match.end() + start) for match in _TOKEN.finditer(bytes(masked))]
    depth = 0
    for number, (token, _, _) in enumerate(tokens):
        depth += (token in (b"{", b"[")) - (token in (b"}", b"]"))
        if depth == 1 and token == b'"Statement"' and tokens[number + 1][0] == b":":
            values = _values(tokens[number + 2 :])
            if not values:
                return None
            kind, whole, inner = values
            return (whole, inner) if kind == b"[" else (whole, [whole]) if kind == b"{" else None
    return None


def _values(tokens: Sequence[tuple[bytes, int, int]]) -> tuple[bytes, Span, list[Span]] | None:
    """The value that the tokens start with: its first token, where it stands, and where the values in it do."""
    depth = 0
    inner: list[Span] = []
    opened = 0
    for token, first, last in tokens:
        if token in (b"{", b"["):
            depth += 1
            opened = first if depth == 2 else opened
        elif token in (b"}", b"]"):
            depth -= 1
            if depth == 1:
                inner.append((opened, last))
        if depth == 0:
            return tokens[0][0], (tokens[0][1], last), inner
    return None


# ---- writing -----------------------------------------------------------------------------------


def _style(file: TerraformFile, elements: Sequence[Expr]) -> Style:
    """The style of the last statement."""
    last = elements[-1] if elements else None
    if last is None or not last.entries:
        return Style()
    key, value = last.entries[0]
    between = file.text(key.end, value.start)
    return Style(
        quoted=key.text.startswith('"'),
        separator=between if ":" in between else " = ",
        comma=_COMMA.match(file.source, value.end) is not None,
        step=_step(file, (last.start, last.end)),
        trailing_comma=_LAST_COMMA.search(last.text) is not None,
    )


def _step(file: TerraformFile, span: Span) -> str:
    """One step of indentation in a statement."""
    outer, inner = file.indent(span[1]), _INNER.search(file.source, *span)
    return (inner[1].decode().removeprefix(outer) if inner else "") or "  "


def _joined(
    file: TerraformFile,
    whole: Span,
    elements: Sequence[Span],
    lines: Sequence[str],
    step: str,
    *,
    as_json: bool = False,
) -> list[Edit]:
    """The edits that put a statement behind the others; one that is in no list gets one."""
    if not elements:
        outer = file.indent(whole[0])
        text = "".join(f"\n{outer}{step}{line}" for line in lines)
        return [file.edit(whole[0] + 1, whole[1] - 1, f"{text}\n{outer}")]
    start, end = elements[-1]
    comma = _COMMA.match(file.source, end)
    at = comma.end() if comma else end
    if not file.starts_line(start) and (elements[-1] == whole or not file.starts_line(whole[1] - 1)):
        return _beside(file, whole, elements[-1], at, lines, step, as_json=as_json)
    text = "".join(f"\n{file.indent(end)}{line}" for line in lines)
    if comma or file.tail(end) == end:
        at = file.tail(at) if comma else at
        return [file.edit(at, at, f"{text}," if comma else f",{text}")]
    return [file.edit(end, end, ","), file.edit(file.tail(end), file.tail(end), text)]


def _beside(
    file: TerraformFile, whole: Span, last: Span, at: int, lines: Sequence[str], step: str, *, as_json: bool
) -> list[Edit]:
    """The edits that open a statement on the line where the last one ends: `}, {`, indented as `terraform fmt` wants.

    `at` is where the last one ends with its comma, if it has one.
    """
    start, end = last
    outer = file.indent(end)
    text = " " + f"\n{outer}".join(lines)
    edits = (
        [file.edit(file.line_start(end), end - 1, outer + step)] if file.starts_line(end - 1) and not as_json else []
    )
    if last == whole:
        return [file.edit(start, start, "["), *edits, file.edit(end, end, f",{text}]")]
    return [*edits, file.edit(at, at, f"{text}," if at > end else f",{text}")]
