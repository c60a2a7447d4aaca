"""Mend arguments and blocks that the AWS provider does not have.

## Why

`terraform validate` refuses an argument that a resource does not have, and with it the whole module. Most such names
are slips: a plural, a name that another resource has, or one that the provider had two versions ago.

## Terraform

Arguments and nested blocks of `aws_` resources and data sources, and of `provider "aws"`, are held against the
provider's schema: that of the newest major version, of 4, 5 and 6, that the module's constraints and its lock file
allow, as it was when iacfix was made. A name that is not there is fixed where exactly one right spelling exists:

- what the provider renamed, or is often confused: `name` of `aws_db_instance` to `db_name`, `log_destination_arn` of
  `aws_flow_log` to `log_destination`;
- a plural or singular, or other capitals and underscores, as far as the value is of the new argument's type:
  `taints { }` of `aws_eks_node_group` to `taint { }`;
- a block that is an argument, `tags { }` to `tags = { }`, and an argument that is a block, `settings = { }` to
  `settings { }`.

```hcl
resource "aws_flow_log" "vpc" {
  log_destination = aws_cloudwatch_log_group.flow.arn
}
```

References to a renamed argument follow. Impact `none`: Terraform did not plan the module before.

## Not fixed

- A name without exactly one right spelling: the nearest names are listed. Take one of them, or take the argument out.
- A name whose place is taken, a value of another type, a block of which the other spelling does not hold all that is in
  it, a `dynamic` block, and what stands in an override file or in JSON: change it there.
- Where nothing says the version of the provider, what only the newest one lacks: require a version.
- What a later minor version of the provider brought is reported too: keep it with
  `# iacfix: ignore[terraform-unknown-argument] why`.
- Not reported: types that the schema of that version does not have at all, what is in statements of WAF's rules and in
  QuickSight's resources, which hold each other without end, and `vpc` of `aws_eip`, which `terraform-deprecated` mends.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codemods.facts.terraform_aws import Body, NestedBlock, terraform_data, terraform_provider, terraform_resource
from codemods.facts.terraform_renamed import terraform_renamed
from fixer.model import Edit, Finding, Findings, Fix, Impact, Manual, Rule
from fixer.terraform import Attribute, Block, align

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fixer.terraform import Module

rule = Rule(__name__, impact=Impact.NONE, keywords=("aws_", '"aws"'))

_LANGUAGE = {
    "resource": {"count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection"},
    "data": {"count", "for_each", "provider", "depends_on", "lifecycle"},
    "provider": {"alias", "version", "for_each"},
}
"""What Terraform itself knows ("Meta-Arguments" in its documentation), or OpenTofu: `for_each` of a provider."""
_MENDED_ELSEWHERE = {("aws_eip", "vpc")}
_KNOWN = (4, 5, 6)
_CUT_SHORT = re.compile(r"aws_quicksight_|aws_wafv2_\w+\.rule\.statement")
"""Where blocks hold each other: the facts end somewhere there, the provider later."""


@rule.terraform
def terraform(module: Module, options: object) -> Findings:
    """All that resources and data sources hold and their type does not have."""
    majors = tuple(one for one in module.facts.aws_majors or _KNOWN if one in _KNOWN)
    for file in (*module.files, *module.fixed) if majors else ():
        for block in file.blocks:
            body = _facts(block)
            if body and majors[-1] in body.majors:
                place = _Place(block, body, _called(block), tuple(one for one in majors if one in body.majors))
                yield from place.findings()


def _facts(block: Block) -> Body | None:
    """What the schema says of a resource, a data source or the provider."""
    match block.type, block.labels:
        case "resource", (kind, _):
            return terraform_resource(kind)
        case "data", (kind, _):
            return terraform_data(kind)
        case "provider", ("aws",):
            return terraform_provider()
    return None


def _called(block: Block) -> str:
    return "provider.aws" if block.type == "provider" else block.labels[0]


@dataclass(frozen=True)
class _Place:
    """A block, and what may stand in it."""

    block: Block
    body: Body
    path: str
    """Its type and the blocks that lead to it: `aws_lambda_function.tracing_config`."""
    majors: Sequence[int]
    """The versions of the provider that may be in use, as far as they have it."""

    def findings(self) -> Findings:
        """What is unknown in it, and in the blocks in it."""
        for item in () if _CUT_SHORT.match(self.path) else self.block.items:
            name, inner = _named(item)
            if self.block.parent is None and name in _LANGUAGE[self.block.type]:
                continue
            missing = self._lacks(name)
            if missing and (self.path, name) not in _MENDED_ELSEWHERE:
                yield self._unknown(item, name)
            elif not missing and not self.block.file.is_json:
                yield from self._known(item, name, inner)

    def _lacks(self, name: str) -> bool:
        """Whether the newest version has nothing of that name that can be set, nor older and newer ones do.

        What one version lacks between two that have it is a gap in the facts.
        """
        found = self._majors(name)
        newest = self.majors[-1]
        return newest not in found and not (found and min(found) < newest < max(found))

    def _majors(self, name: str) -> tuple[int, ...]:
        attribute, nested = self.body.attributes.get(name), self.body.blocks.get(name)
        settable = attribute.majors if attribute and (attribute.optional or attribute.required) else ()
        return tuple(sorted({*settable, *(nested.majors if nested else ())}))

    def _known(self, item: Attribute | Block, name: str, inner: Sequence[Block]) -> Findings:
        """What is wrong with the form of something that is there, or in it."""
        attribute, nested = self.body.attributes.get(name), self.body.blocks.get(name)
        newest = self.majors[-1]
        if isinstance(item, Attribute):
            if nested and not attribute and item.expr.kind in ("object", "list"):
                yield self._as_block(item, nested)
        elif nested and newest in nested.majors:
            for block in inner:
                majors = tuple(one for one in self.majors if one in nested.majors)
                yield from _Place(block, nested, f"{self.path}.{name}", majors).findings()
        elif attribute and not nested and newest in attribute.majors and not _takes_blocks(attribute.type):
            yield self._as_argument(item, name, attribute.type)

    # ---- forms -----------------------------------------------------------------------------------

    def _as_block(self, item: Attribute, nested: NestedBlock) -> Finding:
        """An argument that is to be a block."""
        lines = []
        for key, value in item.expr.entries:
            known = nested.attributes.get(key.text)
            lines.append(f"{key.text} = {value.text}" if known and (known.optional or known.required) else "")
        message = f"writes {item.name} as an argument, which is a block"
        step = f"Write {item.name} {{ ... }}, once for each"
        if manual := self._read_only():
            return self._finding(message, item, manual)
        if item.expr.kind != "object" or not all(lines) or any("\n" in line for line in lines):
            return self._finding(message, item, Manual("Its value is not one object with arguments of the block", step))
        if any(item.start < start < item.end for start, _, _ in self.block.file.comments()):
            return self._finding(message, item, Manual("There are comments in it", step))
        text = align("\n".join([f"{item.name} {{", *(f"  {line}" for line in lines), "}"]))
        return self._finding(message, item, self.block.replace(item, text))

    def _as_argument(self, item: Block, name: str, kind: str) -> Finding:
        """A block that is to be an argument."""
        message = f"writes {name} as a block, which is an argument"
        plain = (
            item.type == name
            and len(self.block.blocks(name)) == 1
            and not any(isinstance(one, Block) for one in item.items)
        )
        if manual := self._read_only():
            return self._finding(message, item, manual)
        if not kind.startswith("map(") or not plain:
            return self._finding(message, item, Manual(f"Its value is to be a {kind}", f"Write {name} = ..."))
        return self._finding(message, item, _headed(item, name, f"{name} ="))

    # ---- names -----------------------------------------------------------------------------------

    def _unknown(self, item: Attribute | Block, name: str) -> Finding:
        """Something that is not there by that name."""
        message = f"has {name}, which {self.path} does not know"
        known = [one for one in (*self.body.attributes, *self.body.blocks) if not self._lacks(one)]
        right = terraform_renamed(self.path).get(name) or _slip(name, known)
        found = self._majors(name)
        if manual := self._read_only():
            return self._finding(message, item, manual)
        if found and not self.block.module.facts.aws_majors and not (right and set(self._majors(right)) >= set(found)):
            reason = f"Version {max(found)} of the provider has it still, and nothing here says the version"
            return self._finding(message, item, Manual(reason, "Require the version that the module is for"))
        if right is None or any(one not in self._majors(right) for one in self.majors):
            near = difflib.get_close_matches(name, known, 3, 0.7)
            since = f"Version {max(found)} of the provider had it" if found and max(found) < self.majors[-1] else ""
            since = since or (f"It came with version {min(found)} of the provider" if found else "")
            since = since or ("The provider tells it, and nobody sets it" if name in self.body.attributes else "")
            names = f"The nearest names are {', '.join(near)}" if near else "No name there is like it"
            return self._finding(message, item, Manual(since or names, "Take one that is there, or take it out"))
        if obstacle := self._obstacle(item, right):
            return self._finding(message, item, Manual(obstacle, f"Write {right} there"))
        if isinstance(item, Block):
            return self._finding(message, item, _headed(item, name, right))
        return self._finding(message, item, (*self.block.rename(name, right), *self._followed(name, right)))

    def _obstacle(self, item: Attribute | Block, right: str) -> str:
        """Why the right name can't be written in the place of the wrong one."""
        attribute, nested = self.body.attributes.get(right), self.body.blocks.get(right)
        if isinstance(item, Block) != bool(nested):
            return f"{right} is the right name, and {'a block' if nested else 'an argument'}"
        if self.block.holds(right) and not nested:
            return f"{right} is there as well"
        if self.block.parent is None and self.block.ignores_changes(
            item.name if isinstance(item, Attribute) else item.type
        ):
            return "Its lifecycle ignores changes of that"
        if isinstance(item, Attribute):
            is_list = item.expr.kind in ("list", "for")
            wants = attribute is not None and attribute.type.startswith(("list(", "set("))
            plain = item.expr.kind in ("list", "for", "string", "template", "number", "bool", "heredoc", "object")
            curated = right == terraform_renamed(self.path).get(item.name)
            if (is_list != wants) if plain else (not curated and wants != item.name.endswith("s")):
                return f"{right} is the right name, and takes a {attribute.type if attribute else 'block'}"
            uses = self.block.module.references(self.block.address) if self.block.parent is None else []
            if any(f".{item.name}" in one.traversal.rest[:-1] for one in uses):
                return f"Parts of {item.name} are used elsewhere"
        elif item.type == "dynamic":
            return f"{right} is the right name, and a dynamic block makes it"
        elif nested and any(_Place(item, nested, "", self.majors).unknown()):
            return f"{right} is the right name, and does not know all that is in it"
        return ""

    def unknown(self) -> Iterator[str]:
        """The names in it that are not there."""
        return (name for item in self.block.items for name, _ in (_named(item),) if self._lacks(name))

    def _followed(self, name: str, right: str) -> list[Edit]:
        """References to an argument by its new name."""
        if self.block.parent:
            return []
        found = self.block.module.references(self.block.address)
        return [one.renamed(right) for one in found if one.asks_for(name)]

    # ---- findings --------------------------------------------------------------------------------

    def _read_only(self) -> Manual | None:
        if self.block.read_only:
            return Manual(f"It is in {self.block.file.path}", "Change it there: iacfix does not rewrite such files")
        return None

    def _finding(self, message: str, item: Attribute | Block, answer: Manual | tuple[Edit, ...]) -> Finding:
        if isinstance(answer, Manual):
            return self.block.finding(rule, message, manual=answer, at=item)
        return self.block.finding(rule, message, fix=Fix(answer, Impact.NONE), at=item)


def _named(item: Attribute | Block) -> tuple[str, Sequence[Block]]:
    """What an item is called, and the blocks that it is, or that it makes."""
    if isinstance(item, Attribute):
        return item.name, ()
    if item.type == "dynamic" and item.labels:
        return item.labels[0], item.blocks("content")
    return item.type, (item,)


def _headed(block: Block, name: str, head: str) -> tuple[Edit, ...]:
    """Another beginning for a block, which makes something else of all that is in it."""
    text = block.file.text(block.start, block.end).replace("\r\n", "\n")
    return (block.file.edit(block.start, block.end, head + text.removeprefix(name)),)


def _takes_blocks(kind: str) -> bool:
    """Whether Terraform takes blocks for an argument of that type; see "Attributes as Blocks" in its documentation."""
    return kind.startswith(("list(object(", "set(object(")) or kind in ("any", "dynamic")


def _slip(name: str, known: Sequence[str]) -> str | None:
    """The one known name that differs by a plural, by capitals or by underscores alone."""
    plain = _plain(name)
    found = {one for one in known if _plain(one) in (plain, f"{plain}s", plain.removesuffix("s"))}
    return found.pop() if len(found) == 1 else None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
