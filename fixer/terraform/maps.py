"""Objects such as those of tags: which entries they have, through `merge()` and locals, and how to add others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixer.model import Edit, Unknown
from fixer.terraform import evaluate

if TYPE_CHECKING:
    from fixer.terraform.expression import Expr
    from fixer.terraform.file import TerraformFile
    from fixer.terraform.module import Module

_DEEPEST = 20


@dataclass(frozen=True)
class Entries:
    """The entries of an object by their keys, and why there may be others; `why` completes "it ...", "" if not."""

    known: Mapping[str, Expr]
    why: str


def entries(module: Module, expr: Expr, depth: int = 0) -> Entries:
    """The entries of an expression that gives an object: of literals, `merge()`, locals and variables' defaults."""
    if depth > _DEEPEST:
        return Entries({}, "is nested too deeply, or refers to itself")
    if expr.inner:
        return entries(module, expr.inner, depth + 1)
    if expr.kind == "object":
        return _of_object(expr)
    if expr.kind == "call" and expr.function in ("merge", "tomap") and not expr.text.rstrip(") \n").endswith("..."):
        known: dict[str, Expr] = {}
        whys = []
        for element in expr.elements:
            found = entries(module, element, depth + 1)
            known.update(found.known)
            whys += [found.why] if found.why else []
        return Entries(known, whys[0] if whys else "")
    traversal = expr.traversal
    if traversal and len(traversal.names) == len(traversal.steps) + 1 == 2:
        if traversal.names[0] == "local" and (local := module.local(traversal.names[1])):
            return entries(module, local.expr, depth + 1)
        variable = module.variable(traversal.names[1]) if traversal.names[0] == "var" else None
        default = variable.attribute("default") if variable and not module.overridden(variable) else None
        if default:
            return Entries(entries(module, default.expr, depth + 1).known, f"is set by {traversal.address}")
    value = module.resolve(expr)
    return Entries({}, value.why if isinstance(value, Unknown) else "is no object that is written out")


def _of_object(expr: Expr) -> Entries:
    keys = [(evaluate.key(name), value) for name, value in expr.entries]
    known = {key: value for key, value in keys if key is not None}
    return Entries(known, "" if len(known) == len(keys) else "has computed keys")


def adding(expr: Expr, wanted: Mapping[str, str]) -> tuple[Edit, ...]:
    """The edits that give an object further entries, HCL expressions by their keys.

    They go into the literal that the expression is, or that the last argument of its `merge()` is; anything else is
    put into a `merge()`, so that a local stays what it is for others.

    Raises:
        EditError: the file is read-only.
    """
    file = expr.file
    if expr.kind == "object":
        return _into_object(expr, wanted)
    if expr.kind == "call" and expr.function == "merge" and expr.elements:
        last = expr.elements[-1]
        if last.kind == "object":
            return _into_object(last, wanted)
        line, comma = file.line_start(last.start), ""
        apart = file.starts_line(last.start) and line != file.line_start(expr.start)
        rest = file.text(last.end, expr.end)
        if apart:
            indent = file.indent(last.start)
            body = "".join(f"\n{indent}  {key} = {value}" for key, value in wanted.items())
            place = last.end + (rest.index(",") + 1 if rest.lstrip().startswith(",") else 0)
            comma = "" if place > last.end else ","
            return (file.edit(place, place, f"{comma}\n{indent}{{{body}\n{indent}}}"),)
        return (file.edit(last.end, last.end, f", {one_line(wanted)}"),)
    return (file.edit(expr.start, expr.end, f"merge({expr.text}, {one_line(wanted)})"),)


def with_others(expr: Expr, wanted: Mapping[str, str]) -> str:
    """The text of an object as it is with further entries, for use at another place: its further lines move left."""
    file = expr.file
    text = file.source[expr.start : expr.end]
    for edit in sorted(adding(expr, wanted) if wanted else (), key=lambda edit: -edit.start):
        text = text[: edit.start - expr.start] + edit.text.encode() + text[edit.end - expr.start :]
    indent = file.indent(expr.start)
    return text.decode().replace("\r\n", "\n").replace(f"\n{indent}", "\n")


def one_line(wanted: Mapping[str, str]) -> str:
    """An object on one line."""
    return "{ " + ", ".join(f"{key} = {value}" for key, value in wanted.items()) + " }"


def _into_object(expr: Expr, wanted: Mapping[str, str]) -> tuple[Edit, ...]:
    file, pairs = expr.file, expr.entries
    if not pairs:
        outer = file.indent(expr.start)
        if b"#" in file.source[expr.start : expr.end] or b"//" in file.source[expr.start : expr.end]:
            place = file.line_start(expr.end - 1)
            lines = "".join(f"{outer}  {key} = {value}\n" for key, value in wanted.items())
            return (file.edit(place, place, lines),)
        lines = "".join(f"\n{outer}  {key} = {value}" for key, value in wanted.items())
        return (file.edit(expr.start, expr.end, f"{{{lines}\n{outer}}}"),)
    name, last = pairs[-1]
    sign = ":" if file.text(name.end, last.start).strip() == ":" else "="
    quote = '"' if all(key.kind == "string" for key, _ in pairs) else ""
    texts = [f"{quote}{key}{quote} {sign} {value}" for key, value in wanted.items()]
    if not file.starts_line(name.start):
        return (file.edit(last.end, last.end, "".join(f", {text}" for text in texts)),)
    place, comma = _line_below(file, last.end)
    indent = file.indent(name.start)
    return (file.edit(place, place, "".join(f"\n{indent}{text}{comma}" for text in texts)),)


def _line_below(file: TerraformFile, end: int) -> tuple[int, str]:
    """Where the line of the last entry ends, and the comma that lines end in there."""
    rest = file.text(end, file.line_end(end))
    comma = "," if rest.lstrip().startswith(",") else ""
    return file.tail(end + rest.index(",") + 1 if comma else end), comma
