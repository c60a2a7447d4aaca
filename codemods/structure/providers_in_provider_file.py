"""Keep every provider block of a Terraform module in its provider file.

## Why

Who wants to know which account, which region and which default tags a module works with looks into `provider.tf`. A
provider block in `main.tf` is found late, and in a directory that has a `provider.tf` as well it leads to two that
contradict each other.

## Terraform

Each `provider` block in another file moves as it is to the end of `provider.tf`, with the comments right above it: to
`providers.tf` if the module has that one and no `provider.tf`, and to a new file if it has none. Several keep their
order. A file that holds nothing after the move is removed.

```hcl
# provider.tf
provider "aws" {
  region = var.aws_region
}
```

The `terraform` block with `required_providers` stays where it is unless the option `versions` names its file.

Impact `none`: Terraform reads all files of a directory as one.

## Not fixed

- Two provider blocks for the same provider and alias: Terraform refuses them, and only a person knows which one is
  right. Keep one of them; it moves in the next run.
- A module with a file that can't be read: that file may hold a provider block too. Mend it first.
- A block in a file that stands in for another, `main.tofu` beside `main.tf`: OpenTofu reads only the first, Terraform
  only the second. Give both a provider file of their own.
- With `versions`, a `terraform` block that holds a backend or other settings too: give `required_providers` a
  `terraform` block of its own.
- Provider blocks in override files and in `.tf.json` are there to be apart, and are not reported.

## Options

- `file` (default `provider.tf`): the file that provider blocks belong in.
- `versions` (default empty): the file that `terraform` blocks with `required_providers` move to, such as `versions.tf`;
  empty leaves them where they are.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixer.model import Change, Create, Delete, Findings, Fix, Impact, Known, Manual, Rule
from fixer.terraform import Attribute, delete_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fixer.terraform import Block, Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    file: str = "provider.tf"
    """The file that provider blocks belong in."""
    versions: str = ""
    """The file that terraform blocks with required_providers belong in; empty leaves them where they are."""

    def __post_init__(self) -> None:
        for name, value in (("file", self.file), ("versions", self.versions)):
            optional = name == "versions" and not value
            if not optional and ("/" in value or not value.endswith((".tf", ".tofu")) or _is_override(value)):
                raise ValueError(f"{name}: a file name that ends in .tf is expected, such as provider.tf")


rule = Rule(__name__, impact=Impact.NONE, seeds=("S4-1",), options=Options, keywords=("provider",))

_USUAL = ("provider.tf", "providers.tf")
_VERSIONS = ("required_version", "required_providers")


def _is_override(name: str) -> bool:
    stem = name.rpartition(".")[0]
    return stem == "override" or stem.endswith("_override")


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """One finding for each block that stands elsewhere; each moves by itself, so that one can be kept where it is."""
    blocks = list(module.blocks("provider"))
    twice = _twice(blocks)
    for block, first in twice.items():
        line = first.file.source.count(b"\n", 0, first.start) + 1
        reason = f"{first.file.path}:{line} configures the same provider and alias"
        manual = Manual(reason, "Keep one of the two, or give one of them an alias")
        yield block.finding(rule, "is configured twice, which Terraform refuses", manual=manual)
    apart = {*twice, *twice.values()}
    yield from _move(module, (block for block in blocks if block not in apart), _home(module, options.file), "provider")
    if options.versions:
        settings = (block for block in module.blocks("terraform") if block.blocks("required_providers"))
        yield from _move(module, settings, options.versions, "required_providers")


def _home(module: Module, wanted: str) -> str:
    """The provider file's name: the configured one, or the usual one that is there."""
    names = {posixpath.basename(file.path) for file in module.files}
    if wanted in names or wanted not in _USUAL:
        return wanted
    return next((name for name in _USUAL if name in names), wanted)


def _twice(blocks: Iterable[Block]) -> dict[Block, Block]:
    """The blocks that repeat the provider and alias of an earlier one, with that one."""
    first: dict[tuple[str, ...], Block] = {}
    repeated = {}
    for block in blocks:
        alias = block.value("alias")
        key = (*block.labels, str(alias.value) if isinstance(alias, Known) else "", block.file.path.rpartition(".")[2])
        if first.setdefault(key, block) is not block:
            repeated[block] = first[key]
    return repeated


def _move(module: Module, blocks: Iterable[Block], home: str, what: str) -> Findings:
    """Findings for the blocks that stand outside the file `home`."""
    path = posixpath.join("" if module.path == "." else module.path, home)
    message = f"{what} block outside {home}"
    for block in blocks:
        if block.file.path != path:
            manual = _obstacle(module, block)
            if manual is not None:
                yield block.finding(rule, message, manual=manual)
            else:
                yield block.finding(rule, message, fix=Fix(_changes(module, block, path), Impact.NONE))


def _obstacle(module: Module, block: Block) -> Manual | None:
    """Why a block can't be moved."""
    if module.incomplete:
        return Manual(f"{module.errors[0][0]} can't be read, and may hold such a block too", "Mend that file first")
    stem, _, suffix = block.file.path.rpartition(".")
    twin = f"{stem}.{'tf' if suffix == 'tofu' else 'tofu'}"
    if any(file.path == twin for file in module.files):
        reason = f"{block.file.path} and {twin} stand in for each other"
        return Manual(reason, "Give each of the two tools a provider file of its own")
    others = [_name(item) for item in block.items if _name(item) not in _VERSIONS]
    if block.type == "terraform" and others:
        return Manual(f"It holds more than versions: {', '.join(others)}", "Give the versions a block of their own")
    return None


def _name(item: Attribute | Block) -> str:
    return item.name if isinstance(item, Attribute) else item.type


def _changes(module: Module, block: Block, path: str) -> tuple[Change, ...]:
    text = block.text().strip("\r\n")
    target = next((file for file in module.files if file.path == path), None)
    there: Change = target.appended(text) if target else Create(path, text + block.file.newline)
    start, end = block.span
    rest = block.file.source[:start] + block.file.source[end:]
    is_all = not rest.removeprefix(b"\xef\xbb\xbf").strip()
    return (there, Delete(block.file.path)) if is_all else (there, *delete_blocks([block]))
