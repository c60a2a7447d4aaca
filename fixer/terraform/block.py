"""Blocks and attributes: what they say, and how to change them.

All edits keep what `terraform fmt` had right: a line that joins others aligned by their `=` is aligned with them, and
a file that was clean stays so. Texts to write are given unindented, with line feeds between their lines. The edits of
two calls go into one fix as long as they don't touch the same lines; `set_all`, `remove` and `delete_blocks` do
several things to the same lines.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from fixer.model import Absent, Edit, Finding, Fix, Lack, Language, Manual, Rule, Unknown, Value
from fixer.terraform import carrying, layout
from fixer.terraform.expression import Expr
from fixer.terraform.template import unescape

if TYPE_CHECKING:
    from tree_sitter import Node

    from fixer.terraform.file import TerraformFile
    from fixer.terraform.module import Module

META_ARGUMENTS = ("count", "for_each", "provider")
"""What a companion copies; see "Meta-Arguments" in the Terraform language documentation."""

_Tree: TypeAlias = "dict[str, str | _Tree]"


class EditError(ValueError):
    """An edit that has no right place: in a read-only file, or in one of several or dynamic blocks."""


class Attribute:
    """A `name = expression` in a block."""

    def __init__(self, block: Block, node: Node) -> None:
        """`node` is the tree's attribute."""
        self.block = block
        self.start, self.end = node.start_byte, node.end_byte
        name = node.children[0]
        self.name_end = name.end_byte
        self.name = block.file.text(self.start, self.name_end)
        self.expr = Expr(block.file, [node.children[-1]])

    def __repr__(self) -> str:
        return f"Attribute({self.name} = {self.expr.text})"


class Block:
    """A block, at the top level or in another one."""

    def __init__(self, file: TerraformFile, node: Node, parent: Block | None) -> None:
        """`node` is the tree's block."""
        self.file, self.parent = file, parent
        self.start, self.end = node.start_byte, node.end_byte
        self._body: Node | None = None
        words = []
        for child in node.children:
            match child.type:
                case "identifier":
                    words.append(file.text(child.start_byte, child.end_byte))
                case "string_lit":
                    words.append(unescape(file.text(child.start_byte + 1, child.end_byte - 1)))
                case "block_start":
                    self._opening = child.end_byte
                case "body":
                    self._body = child
                case "block_end":
                    self._closing = child.start_byte
        self.type = words[0]
        self.labels = tuple(words[1:])

    def __repr__(self) -> str:
        return f"Block({self.address})"

    @property
    def module(self) -> Module:
        """The module that it belongs to."""
        return self.file.module

    @property
    def read_only(self) -> bool:
        """Whether it stands in an override file or in JSON, which are never changed."""
        return self.file.read_only

    @property
    def name(self) -> str:
        """Its last label; its type if it has none."""
        return self.labels[-1] if self.labels else self.type

    @property
    def top(self) -> Block:
        """The top-level block that it is in: itself, if it is one."""
        block = self
        while block.parent:
            block = block.parent
        return block

    @property
    def address(self) -> str:
        """What it is called: `aws_s3_bucket.x`, `data.t.n`, `var.y`, `provider.aws.alias`; inside another: `a.b`."""
        if self.parent:
            return f"{self.parent.address}.{self.name if self.type == 'dynamic' else self.type}"
        words = {"resource": (), "variable": ("var",)}.get(self.type, (self.type,))
        alias = self.attribute("alias") if self.type == "provider" else None
        return ".".join((*words, *self.labels, *((alias.expr.text.strip('"'),) if alias else ())))

    # ---- reading ---------------------------------------------------------------------------------

    @cached_property
    def items(self) -> tuple[Attribute | Block, ...]:
        """The attributes and blocks right in it, in order."""
        found: list[Attribute | Block] = []
        for child in self._body.children if self._body else ():
            if child.type == "attribute":
                found.append(Attribute(self, child))
            elif child.type == "block":
                found.append(Block(self.file, child, self))
        return tuple(found)

    @cached_property
    def _attributes(self) -> dict[str, Attribute]:
        return {item.name: item for item in self.items if isinstance(item, Attribute)}

    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes right in it, in order."""
        return tuple(item for item in self.items if isinstance(item, Attribute))

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name right in it."""
        return self._attributes.get(name)

    def blocks(self, kind: str) -> list[Block]:
        """The blocks of that type right in it; those that a `dynamic` block makes are not among them."""
        return [item for item in self.items if isinstance(item, Block) and item.type == kind]

    def dynamic(self, kind: str) -> Block | None:
        """The `dynamic` block that makes blocks of that type, if there is one."""
        return next((item for item in self.blocks("dynamic") if item.labels == (kind,)), None)

    def nested(self, kind: str) -> list[Block]:
        """The blocks of that type right in it, and what a `dynamic` block makes them of."""
        dynamic = self.dynamic(kind)
        return [*self.blocks(kind), *(dynamic.blocks("content") if dynamic else ())]

    def holds(self, name: str) -> bool:
        """Whether an argument or nested block of that name is right in it, or made by a `dynamic` block."""
        return bool(self.attribute(name) or self.blocks(name) or self.dynamic(name))

    def walk(self) -> Iterator[Block]:
        """It and all blocks in it, in order."""
        waiting = [self]
        while waiting:
            block = waiting.pop()
            yield block
            waiting += reversed([item for item in block.items if isinstance(item, Block)])

    def value(self, path: str) -> Value:
        """What an argument is set to, such as `retention_in_days` or `point_in_time_recovery.enabled`.

        Absent if it is certainly not set: it is not there, or `null`. Follows locals, and variables by their default:
        `module.variables_behind(attribute(...).expr)` tells whether one is involved. Unknown if a `dynamic` block or
        several blocks are on the way, if it is itself a block, or if an override file sets it too.
        """
        block = self
        first, *others = path.split(".")
        where = self.module.override_of(self.top)
        if where and (self.parent or where.holds(first)):
            return Unknown(f"is overridden in {where.file.path}")
        while True:
            if block.dynamic(first):
                return Unknown("is set by a dynamic block")
            if attribute := block.attribute(first):
                return self.module.setting(attribute.expr, others)
            blocks = block.blocks(first)
            if not blocks:
                return Absent
            if not others:
                return Unknown("is a block")
            if len(blocks) > 1:
                return Unknown(f"is set in several {first} blocks")
            (block,) = blocks
            first, *others = others

    def lack(self, path: str, expr: str | None = None, accepts: Callable[[Any], bool] | None = None) -> Lack | None:
        """What is wrong with an argument that is to have a value; None if it has it, or is judged elsewhere.

        Args:
            path: The argument, such as `tracing_config.mode`.
            expr: The HCL expression to give it; None if it must be there, whatever it is: the rule brings what sets it.
            accepts: Whether a known value is right; by default one that is equal to `expr`.
        """
        from fixer.terraform.lack import lack

        return lack(self, path, expr, accepts)

    def lack_all(self, values: Mapping[str, str], accepts: Callable[[Any], bool] = lambda _: True) -> Lack | None:
        """What is wrong with arguments that must all be there, whatever they are; None if nothing is, as for `lack`.

        Args:
            values: The arguments, with the HCL expressions to give to those that lack.
            accepts: Whether a known value is right; by default any is.
        """
        from fixer.terraform.lack import lack_all

        return lack_all(self, values, accepts)

    def unchangeable(self, path: str, step: str) -> Manual | None:
        """Why an argument can't be set where it stands, whatever it is; None if it can.

        Args:
            path: The argument, such as `tracing_config.mode`.
            step: What to do there instead.
        """
        from fixer.terraform.lack import unchangeable

        return unchangeable(self, path, step)

    def overridden(self, path: str, step: str) -> Manual | None:
        """Why an argument can't be judged that an override file sets too; None if none does.

        Args:
            path: The argument, such as `tracing_config.mode`.
            step: What to do there instead.
        """
        from fixer.terraform.lack import overridden

        return overridden(self, path, step)

    def given(self, path: str) -> Manual | None:
        """Why it is for variables, which give an argument, to give it another value; None if it comes from none."""
        from fixer.terraform.lack import attribute_at, given

        attribute = attribute_at(self, path)
        return given(attribute, path, self.value(path)) if attribute else None

    def meta(self) -> dict[str, str]:
        """The source text of `count`, `for_each` and `provider`, those that it has."""
        found = ((name, self.attribute(name)) for name in META_ARGUMENTS)
        return {name: attribute.expr.text for name, attribute in found if attribute}

    def ignores_changes(self, name: str) -> bool:
        """Whether its `lifecycle` ignores changes of that argument or nested block, or of all."""
        listed = [found for one in self.blocks("lifecycle") if (found := one.attribute("ignore_changes"))]
        return any(
            each.text.strip('"') in (name, "all", "*") or each.text.strip('"').startswith((f"{name}.", f"{name}["))
            for one in listed
            for each in (one.expr.elements if one.expr.kind == "list" else (one.expr,))
        )

    def ignore_changes(self, *names: str) -> tuple[Edit, ...] | None:
        """Have its `lifecycle` ignore changes of these arguments too; None if that has no list to continue."""
        there = self.blocks("lifecycle")
        listed = there[0].attribute("ignore_changes") if there else None
        if listed and listed.expr.kind != "list":
            return None
        known = [one.text for one in listed.expr.elements] if listed else []
        ignored = f"[{', '.join((*known, *names))}]"
        if there:
            return there[0].set("ignore_changes", ignored)
        return self.append(f"lifecycle {{\n  ignore_changes = {ignored}\n}}")

    def reference(self, attribute: str) -> str:
        """An expression for the attribute of this resource, for use in a block with the same `count` or `for_each`."""
        return f"{self.address}{self.index}.{attribute}"

    @property
    def index(self) -> str:
        """`[count.index]` or `[each.key]` if it is made several times, for what is made as often as it; else empty."""
        indices = {"count": "[count.index]", "for_each": "[each.key]"}
        return "".join(indices.get(name, "") for name in self.meta())

    def no_companion(self, kind: str) -> Manual | None:
        """Why no resource of that type can be made to go with this one; None if one can."""
        from fixer.terraform.companion import obstacle

        return obstacle(self, kind)

    def companion(self, kind: str, name: str, body: str, reference: str = "bucket", attribute: str = "id") -> str:
        """The text of a resource that goes with this one: as many times, with the same provider, in the same region.

        Args:
            kind: The new resource's type.
            name: Its name.
            body: The lines that follow the reference; start it with a blank line to keep them apart.
            reference: The argument that refers to this resource.
            attribute: The attribute of this resource that it is set to.
        """
        meta = "".join(f"{key} = {_unindented(value)}\n" for key, value in self.meta().items())
        own = f"{reference} = {self.reference(attribute)}\n" if reference else ""
        own += _region(self, kind)
        lines = f"{own}{body.rstrip() if own else body.strip()}\n"
        inside = _indented(f"{meta}\n{lines}" if meta else lines, "  ").strip("\n")
        return layout.align(f'resource "{kind}" "{name}" {{\n{inside}\n}}\n')

    def finding(
        self,
        rule: Rule,
        message: str,
        *,
        fix: Fix | None = None,
        manual: Manual | None = None,
        at: Attribute | Block | None = None,
    ) -> Finding:
        """A finding about this block, or about a part of it; one in a JSON file points to the file's start."""
        place = at or self
        start, end = (0, 0) if self.file.is_json else (place.start, place.end)
        scope = None if self.file.is_json else (self.top.start, self.top.end)
        subject = self.top.address
        return Finding(rule.name, Language.TERRAFORM, self.file.path, start, end, message, fix, manual, subject, scope)

    # ---- where it stands -------------------------------------------------------------------------

    @property
    def leading_comments_start(self) -> int:
        """Where the comments right above it start; where its line starts if there are none."""
        return self.file.head(self.start) if self.file.starts_line(self.start) else self.start

    @property
    def span(self) -> tuple[int, int]:
        """It, with the comments right above it and those on its last line."""
        return self.leading_comments_start, self.file.tail(self.end)

    def text(self) -> str:
        """Its text, with the comments right above it and those on its last line."""
        return self.file.text(*self.span)

    # ---- editing ---------------------------------------------------------------------------------

    def set(self, name: str, expr: str) -> tuple[Edit, ...]:
        """Give an argument a value; see `set_all`."""
        return self.set_all({name: expr})

    def set_all(self, values: Mapping[str, str]) -> tuple[Edit, ...]:
        """Give arguments their values, HCL expressions.

        An argument that is there keeps its place. A new one joins the lines of arguments above the nested blocks if
        its name fits their alignment, else it stands apart. A name such as `a.b` sets `b` in the block `a`, which is
        added if there is none.

        Raises:
            EditError: there are several blocks `a`, a dynamic one, or an attribute of that name.
        """
        tree: _Tree = {}
        for path, expr in values.items():
            *outer, last = path.split(".")
            branch = tree
            for name in outer:
                inner = branch.setdefault(name, {})
                if isinstance(inner, str):
                    raise EditError(f"{name} can't be a block and a value")
                branch = inner
            branch[last] = expr
        return self._settled(self._set(tree))

    def _set(self, tree: _Tree) -> list[Edit]:
        edits: list[Edit] = []
        lines: list[str] = []
        blocks: list[str] = []
        for name, wanted in tree.items():
            attribute, there = self.attribute(name), self.blocks(name)
            if self.dynamic(name) or len(there) > 1 or (attribute if isinstance(wanted, dict) else there):
                raise EditError(f"{self.address} has {name} in a form that can't be set")
            if isinstance(wanted, dict):
                if there:
                    edits += there[0]._set(wanted)
                else:
                    blocks.append(_block_text(name, wanted))
            elif attribute:
                text = _indented(wanted, self.file.indent(attribute.start)).lstrip(" \t")
                edits.append(self.file.edit(attribute.expr.start, attribute.expr.end, text))
            else:
                lines.append(f"{name} = {wanted}")
        if lines or blocks:
            edits += self._add(lines, blocks)
        return edits

    def _add(self, lines: Sequence[str], blocks: Sequence[str]) -> list[Edit]:
        """Insert new attributes and new blocks."""
        attributes = _indented("\n".join(lines), self._inner_indent)
        nested = _indented("\n\n".join(blocks), self._inner_indent)
        if self._is_open:
            added = [self._insert_attributes(lines, attributes)] if lines else []
            return [*added, *self._insert_blocks("\n\n".join(blocks), nested)] if blocks else added
        new = "\n\n".join(filter(None, (attributes, nested)))
        close = f"\n{self.file.indent(self.start)}"
        if not self._content:
            return [self.file.edit(self._opening, self._closing, f"\n{new}{close}")]
        start, end = self._content
        separator = "\n\n" if blocks and not lines else "\n"
        return [
            self.file.edit(self._opening, start, f"\n{self._inner_indent}"),
            self.file.edit(end, self._closing, f"{separator}{new}{close}"),
        ]

    def _insert_attributes(self, lines: Sequence[str], text: str) -> Edit:
        run, fits = self._run_for([line.split(" = ")[0] for line in lines], any("\n" in line for line in lines))
        place = self.file.line_end(self.file.tail(run[-1].end if run else self._opening))
        if fits:
            return self.file.edit(place, place, f"\n{text}")
        following = self.file.next_line(place)
        apart = following < self.file.line_start(self._closing) and not self.file.is_blank(following)
        return self.file.edit(place, place, ("\n\n" if run else "\n") + text + ("\n" if apart else ""))

    def _run_for(self, names: Sequence[str], is_long: bool) -> tuple[list[Attribute], bool]:
        """The run of lines that new attributes go behind, and whether they fit its alignment."""
        nested = next((item.start for item in self.items if isinstance(item, Block)), self.end)
        runs = sorted(self._runs(), key=lambda run: (run[0].start < nested, run[0].start), reverse=True)
        plain = [run for run in runs if any(item.name not in (*META_ARGUMENTS, "depends_on") for item in run)]
        width = max(map(len, names))
        for run in () if is_long else plain:
            if width <= max(len(item.name) for item in run):
                return run, True
        meta = [run for run in runs if any(item.name in META_ARGUMENTS for item in run)]
        above = [run for run in (*plain, *meta) if run[0].start < nested]
        return (above[0] if above else []), False

    def _runs(self) -> Iterator[list[Attribute]]:
        """The single-line attributes that stand below each other."""

        def place(pair: tuple[int, Attribute]) -> int:
            return pair[0]

        number, last = 0, -1
        found: list[tuple[int, Attribute]] = []
        for item in self.items:
            single = isinstance(item, Attribute) and self.file.line_end(item.start) >= item.end
            if not single or self.file.line_start(item.start) != last:
                number += 1
            last = self.file.next_line(item.end)
            if isinstance(item, Attribute) and single:
                found.append((number, item))
        for _, group in groupby(found, place):
            yield [item for _, item in group]

    @property
    def _is_open(self) -> bool:
        """Whether its brackets end and start a line."""
        source = self.file.source
        first, last = self._content or (self._closing, self._opening)
        opens = b"\n" in source[self._opening : first] or self.file.tail(self._opening) != self._opening
        return opens and b"\n" in source[last : self._closing]

    @property
    def _content(self) -> tuple[int, int] | None:
        """Where what its brackets hold starts and ends, without white space."""
        inside = self.file.source[self._opening : self._closing]
        if not inside.strip():
            return None
        start = self._opening + len(inside) - len(inside.lstrip())
        return start, self._opening + len(inside.rstrip())

    @property
    def _inner_indent(self) -> str:
        own = self.file.indent(self.start)
        for item in self.items:
            if self.file.starts_line(item.start) and len(inner := self.file.indent(item.start)) > len(own):
                return inner
        return own + ("\t" if "\t" in own else "  ")

    def _in_own_steps(self, text: str) -> str:
        """Text that is indented in steps of two spaces, in the steps of this block."""
        step = self._inner_indent.removeprefix(self.file.indent(self.start)) or "  "
        return text if step == "  " else _restepped(text, step)

    def _insert_last(self, text: str) -> Edit:
        """Insert indented text above its closing bracket, with a blank line before it."""
        line = self.file.line_start(self._closing)
        place = self.file.line_end(self.file.line_start(line - 1))
        has_content = self._content is not None and not self.file.is_blank(self.file.line_start(place))
        below_opening = self.file.line_start(self._opening) == self.file.line_start(place)
        return self.file.edit(place, place, ("\n\n" if has_content and not below_opening else "\n") + text)

    def _insert_blocks(self, text: str, indented: str) -> tuple[Edit, ...]:
        """Insert nested blocks at its end, but above a `lifecycle` block there."""
        last = self.items[-1] if self.items else None
        if isinstance(last, Block) and last.type == "lifecycle" and self.file.starts_line(last.start):
            return last.insert_before(text)
        return (self._insert_last(indented),)

    def append(self, text: str) -> tuple[Edit, ...]:
        """Add a nested block, or lines, below a blank line: at its end, but above a `lifecycle` block there."""
        text = layout.align(self._in_own_steps(text.strip("\n")))
        if not self._is_open:
            return self._settled(self._add([], [text]))
        return self._settled(self._insert_blocks(text, _indented(text, self._inner_indent)))

    def lead(self, name: str, expr: str, nested: str = "") -> tuple[Edit, ...]:
        """Give it a new argument ahead of all that is in it.

        Args:
            name: The argument, which it must not have yet.
            expr: The HCL expression to give it, of one line.
            nested: A nested block to be added at its end.
        """
        below = layout.align(self._in_own_steps(nested.strip("\n")))
        if not self._content or not self.items:
            return self._settled(self._add([f"{name} = {expr}"], [below] if nested else []))
        line, below = f"{self._inner_indent}{name} = {expr}\n", _indented(below, self._inner_indent)
        first, last = self._content
        if self._is_open:
            place = self.file.head(self.items[0].start)
            ends = self._insert_blocks(nested, below) if nested else ()
            return self._settled([self.file.edit(place, place, line), *ends])
        end = f"\n\n{below}\n" if nested else "\n"
        return self._settled(
            [
                self.file.edit(self._opening, first, f"\n{line}{self._inner_indent}"),
                self.file.edit(last, self._closing, end + self.file.indent(self.start)),
            ]
        )

    def remove(self, *names: str) -> tuple[Edit, ...]:
        """Take out arguments, with the comments on their line; the comments above them stay.

        A name such as `a.b` takes `b` out of the block `a`, which stays.

        Raises:
            EditError: one of them is not there.
        """
        return self._settled(self._removals(names))

    def _removals(self, names: Iterable[str]) -> list[Edit]:
        spans: dict[Block, list[tuple[int, int]]] = {}
        for path in names:
            block, attribute = self._find(path)
            start = attribute.start
            if self.file.starts_line(start):
                start = self.file.line_start(start)
            spans.setdefault(block, []).append((start, self.file.tail(attribute.end)))
        removals = (self.file.remove(ends, block._opening, block._closing) for block, ends in spans.items())
        return [edit for found in removals for edit in found]

    def rewrite(
        self,
        *,
        set: Mapping[str, str] | None = None,  # noqa: A002  the verb of the vocabulary
        remove: Iterable[str] = (),
        within: Mapping[Block, Iterable[str]] | None = None,
    ) -> tuple[Edit, ...]:
        """Several changes at once: arguments that get a value, and those that are taken out.

        A new argument takes the place of one that is taken out. `within` takes arguments out of blocks in this one.

        Raises:
            EditError: what is to be taken out is not there; see `set_all` for the others.
        """
        gone, values = list(remove), dict(set or {})
        edits = []
        for name in [name for name in values if not self.attribute(name)][: len(gone)]:
            _, attribute = self._find(gone.pop(0))
            edits.append(self.file.edit(attribute.start, attribute.end, f"{name} = {values.pop(name)}"))
        edits += self._set(dict(values)) + self._removals(gone)
        for block, names in (within or {}).items():
            edits += block._removals(names)
        return self._settled(edits)

    def replace(self, attribute: Attribute, text: str) -> tuple[Edit, ...]:
        """Put another attribute, or a nested block, in the place of one right in it; comments stay."""
        text = _indented(text, self.file.indent(attribute.start)).lstrip(" \t")
        return self._settled([self.file.edit(attribute.start, attribute.end, text)])

    def take_out(
        self, *items: Attribute | Block, instead: Mapping[Attribute | Block, str] | None = None
    ) -> tuple[Edit, ...]:
        """Take out arguments and nested blocks right in it, with the comments right above them and on their lines.

        Args:
            items: What to take out.
            instead: Those that something else takes the place of, and what; their comments stay.
        """
        there = instead or {}
        spans = (carrying.span(item, self.file) for item in items if item not in there)
        edits = self.file.remove(spans, self._opening, self._closing)
        for item, text in there.items():
            new = _indented(text, self.file.indent(item.start)).lstrip(" \t")
            edits.append(self.file.edit(item.start, item.end, new))
        return self._settled(edits)

    @property
    def inside(self) -> tuple[int, int]:
        """Where what its brackets hold starts and ends, white space and all."""
        return self._opening, self._closing

    def rename(self, name: str, new: str) -> tuple[Edit, ...]:
        """Give the argument another name; `new` is a name alone even where `name` is a path.

        Raises:
            EditError: it is not there.
        """
        _, attribute = self._find(name)
        return self._settled([self.file.edit(attribute.start, attribute.name_end, new)])

    def _find(self, path: str) -> tuple[Block, Attribute]:
        *outer, last = path.split(".")
        block = self
        for name in outer:
            blocks = block.blocks(name)
            if len(blocks) != 1:
                raise EditError(f"{block.address} has not one {name} block")
            (block,) = blocks
        attribute = block.attribute(last)
        if attribute is None:
            raise EditError(f"{block.address} has no {last}")
        return block, attribute

    def insert_after(self, text: str) -> tuple[Edit, ...]:
        """Add text below it and a blank line; for a nested block, text in the same body."""
        place = self.file.line_end(self.file.tail(self.end))
        text = _indented(layout.align(text.strip("\n")), self.file.indent(self.start))
        following = self.file.next_line(place)
        end = self.file.line_start(self.parent._closing) if self.parent else len(self.file.source)
        apart = following < end and not self.file.is_blank(following)
        return (self.file.edit(place, place, f"\n\n{text}" + ("\n" if apart else "")),)

    def insert_before(self, text: str, *, apart: bool = True) -> tuple[Edit, ...]:
        """Add text above it and the comments right above it, with a blank line between unless not `apart`."""
        place = self.leading_comments_start
        text = _indented(layout.align(text.strip("\n")), self.file.indent(self.start))
        return (self.file.edit(place, place, f"{text}\n\n" if apart else f"{text}\n"),)

    def delete(self) -> tuple[Edit, ...]:
        """Take it out, with the comments right above it and those on its last line."""
        return delete_blocks([self])

    def _settled(self, edits: Iterable[Edit]) -> tuple[Edit, ...]:
        top = self.top
        return self.file.settle(top.start, self.file.tail(top.end), edits)


def delete_blocks(blocks: Iterable[Block]) -> tuple[Edit, ...]:
    """Take out several blocks at once, of any files, each with its comments and one of the blank lines around it."""
    bodies: dict[tuple[TerraformFile, Block | None], list[tuple[int, int]]] = {}
    for block in blocks:
        bodies.setdefault((block.file, block.parent), []).append(block.span)
    edits: list[Edit] = []
    for (file, parent), spans in bodies.items():
        if parent:
            edits += parent._settled(file.remove(spans, parent._opening, parent._closing))
        else:
            edits += file.remove(spans, len(BOM_UTF8) if file.source.startswith(BOM_UTF8) else 0, len(file.source))
    return tuple(edits)


def _block_text(name: str, tree: _Tree) -> str:
    lines = [f"{key} = {value}" for key, value in tree.items() if isinstance(value, str)]
    blocks = [_block_text(key, value) for key, value in tree.items() if not isinstance(value, str)]
    inside = "\n\n".join(filter(None, ["\n".join(lines), *blocks]))
    return f"{name} {{\n{_indented(inside, '  ')}\n}}"


def _indented(text: str, indent: str) -> str:
    """The text with each line indented, but for blank lines and the inside of heredocs and comments."""
    data = text.replace("\r\n", "\n").encode()
    parts = []
    for line in layout.lines(data):
        content = data[line.start : line.end].decode()
        parts.append(indent + content if content.strip() else "")
    return "\n".join(parts)


def _restepped(text: str, step: str) -> str:
    """The text with the two spaces of each step of its indentation replaced, but inside of heredocs and comments."""
    data = text.encode()
    lines = (data[line.start : line.end].decode() for line in layout.lines(data))
    split = ((len(line) - len(line.lstrip(" ")), line.lstrip(" ")) for line in lines)
    return "\n".join(step * (width // 2) + " " * (width % 2) + line for width, line in split)


def _unindented(expr: str) -> str:
    """An expression of a top-level block as it would stand at the line's start: its further lines move left."""
    data = expr.replace("\r\n", "\n").encode()
    first, *others = (data[line.start : line.end].decode() for line in layout.lines(data))
    return "\n".join([first, *(line.removeprefix("  ") for line in others)])


def _region(block: Block, kind: str) -> str:
    """The line with the region that a resource has of its own, from provider 6 on, for another type that has one."""
    region = block.attribute("region")
    if region is None or kind.startswith("aws_iam_") or max(block.module.facts.aws_majors, default=6) < 6:
        return ""
    return f"region = {region.expr.text}\n"
