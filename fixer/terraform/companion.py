"""Resources that go with others: their names, their tags, and the files that they belong into."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from fixer.model import Change, Create, Edit, Known, Manual

if TYPE_CHECKING:
    from fixer.terraform.block import Block
    from fixer.terraform.expression import Expr
    from fixer.terraform.module import Module

_OWN = re.compile(r"Name|yor_trace|git_\w+", re.IGNORECASE)
"""Tags of one resource alone, which a companion must not share: its name, and what yor writes of its origin."""


def free_name(module: Module, kind: str, name: str, suffix: str, others: Collection[str] = ()) -> str:
    """The name itself, or one with as many suffixes as it takes, that no resource of that type has in the module.

    Args:
        module: Where it is to be free.
        kind: The type of the resource, or of the data source as `data.aws_region`; or `output`.
        name: What it would best be called.
        suffix: Such as `_logs`.
        others: Names that it must not have either.
    """
    is_data = kind.startswith("data.")
    found = module.data(kind.removeprefix("data.")) if is_data else module.all_resources(kind)
    found = module.outputs() if kind == "output" else found
    taken = {block.name for block in found}.union(others)
    while name in taken or (is_data and module.resource(f"{kind}.{name}")):
        name += suffix
    return name


def obstacle(block: Block, kind: str) -> Manual | None:
    """Why no resource of a type can be made to go with a block; None if one can."""
    module, provider = block.module, block.meta().get("provider", "")
    if block.read_only:
        return Manual(f"It is in {block.file.path}, which iacfix does not rewrite", f"Add an {kind} there")
    if module.resource(block.address) is None:
        return Manual(f"{block.address} is declared more than once", "Keep one of them")
    if module.incomplete:
        return Manual(f"A file of the module can't be read, and may hold its {kind}", "Mend the file first")
    if "." in provider and not module.configures(provider):
        step = "Configure that provider first, or give it one that is there"
        return Manual(f"No {provider} is configured in the module", step)
    return None


def known_to(block: Block, name: str) -> str | None:
    """The place of a call of the module whose caller may make a companion for the block itself; None if none may.

    That is one that gives the block its name, or is given anything of it.

    Args:
        block: The block.
        name: The argument that holds its name.
    """
    module, attribute = block.module, block.attribute(name)
    is_told = any(one.block and one.block.top.type == "output" for one in module.references(block.address))
    is_named = attribute is not None and bool(module.variables_behind(attribute.expr))
    return module.facts.called_by[0] if module.facts.called_by and (is_told or is_named) else None


def tags(block: Block) -> str | None:
    """The expression of the tags that a resource that goes with the block is to have too; None if there are none.

    That are those of the block without its `Name` and its origin: shared ones such as `var.tags`, alone or in a
    `merge`, or those written out. They hold for a block with the same `count` and `for_each`.
    """
    attribute = block.attribute("tags")
    return _shared(attribute.expr) if attribute else None


def tag_lines(block: Block) -> tuple[str, ...]:
    """The lines that give those `tags` to a resource that goes with the block, apart from those above; or none."""
    shared = tags(block)
    return (f"\ntags = {shared}",) if shared else ()


def _shared(expr: Expr) -> str | None:
    if expr.kind == "traversal":
        return expr.text
    if expr.kind == "call" and expr.function == "merge":
        parts = [text for element in expr.elements if (text := _shared(element))]
        return parts[0] if len(parts) == 1 else f"merge({', '.join(parts)})" if parts else None
    kept = [(key, value) for key, value in expr.entries if not _OWN.fullmatch(key.text.strip('"'))]
    if not kept or any("\n" in value.text for _, value in kept):
        return None
    if len(kept) == 1:
        return f"{{ {kept[0][0].text} = {kept[0][1].text} }}"
    return "{\n" + "".join(f"  {key.text} = {value.text}\n" for key, value in kept) + "}"


def placed(block: Block, text: str, files: Sequence[str] = ()) -> tuple[Edit, ...]:
    """Add a top-level block: to the first of these files that the module has, else below the one it goes with.

    Args:
        block: What it goes with.
        text: The new block, in the form of `terraform fmt`.
        files: Names such as `alarms.tf`.
    """
    names = {file.path.rpartition("/")[2]: file for file in block.module.files}
    there = next((names[name] for name in files if name in names), None)
    if there is None or there is block.file:
        return block.top.insert_after(text)
    return (there.appended(text),)


def new_variable(module: Module, name: str, description: str, default: str) -> tuple[Change, ...]:
    """Declare a variable for a text where the module has the others, or in `variables.tf`; nothing if it has it.

    Args:
        module: The module.
        name: What it is called.
        description: What its description says.
        default: The text that it is by default.
    """
    if module.variable(name):
        return ()
    lines = (f'description = "{description}"', "type        = string", f'default     = "{default}"')
    text = "\n".join([f'variable "{name}" {{', *(f"  {line}" for line in lines), "}\n"])
    path = "variables.tf" if module.path == "." else f"{module.path}/variables.tf"
    counts = {file: sum(block.type == "variable" for block in file.blocks) for file in module.files}
    own = next((file for file in module.files if file.path == path), None)
    most = max(counts, key=lambda file: counts[file], default=None)
    there = own or (most if most and counts[most] else None)
    return (there.appended(text) if there else Create(path, text),)


def imported(block: Block, address: str, name: str, key: str = "") -> str:
    """The `import` block that has Terraform take over a companion that is there already, where one can be written.

    That is in a root module, for a Terraform that knows such blocks and what they refer to.

    Args:
        block: What it goes with.
        address: The companion's address; its id is the id of the block.
        name: The argument that holds this id.
        key: What the companion's id has behind it and a comma, a template's text.
    """
    module, meta = block.module, block.meta()
    is_root = not module.facts.called_by and any(module.blocks("provider"))
    if not (is_root and module.requires_terraform(1, 5)) or "count" in meta:
        return ""
    own = block.reference("id")
    given = f'"${{{own}}},{key}"' if key else own
    if each := meta.get("for_each"):
        text = f"import {{\n  for_each = {each}\n\n  to = {address}[each.key]\n  id = {given}\n}}"
        return text if module.requires_terraform(1, 7) else ""
    if not module.requires_terraform(1, 6):
        attribute = block.attribute(name)
        known = module.literal(attribute.expr) if attribute else None
        if not isinstance(known, Known) or "${" in f"{known.value}{key}":
            return ""
        given = f'"{known.value},{key}"' if key else f'"{known.value}"'
    return f"import {{\n  to = {address}\n  id = {given}\n}}"


def waiting(block: Block, addresses: Sequence[str]) -> tuple[Edit, ...]:
    """Have a resource wait for others, by the `depends_on` that it has or a new one."""
    there = block.attribute("depends_on")
    if there is None:
        return block.append(f"depends_on = [{', '.join(addresses)}]")
    known = [one.text for one in there.expr.elements]
    new = [address for address in addresses if address not in known]
    if not known:
        return block.set("depends_on", f"[{', '.join(new)}]")
    last = there.expr.elements[-1]
    apart = f",\n{block.file.indent(last.start)}" if block.file.starts_line(last.start) else ", "
    return (block.file.edit(last.end, last.end, "".join(apart + address for address in new)),) if new else ()
