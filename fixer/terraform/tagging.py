"""Which tags a module gives: those of its resources, and the `default_tags` of its providers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from textwrap import indent
from typing import TYPE_CHECKING

from fixer.model import Manual
from fixer.terraform.evaluate import is_early
from fixer.terraform.maps import Entries, adding, entries, one_line, with_others

if TYPE_CHECKING:
    from fixer.model import Edit
    from fixer.terraform.block import Block
    from fixer.terraform.expression import Expr
    from fixer.terraform.module import Module

_DEFAULTS = "default_tags"
_FIRST, _DUPLICATES = 4, 5
"""Majors of the provider: all of 4 have default_tags, and from 5 on a resource may set one of them too."""
_REGIONAL = re.compile(r"region|primary|secondary|replica|standby|role|\bdr\b|[a-z]{2}-[a-z]+-\d", re.IGNORECASE)
"""What tells the providers of one module apart, so that their tags are not the same."""


class TaggedModule:
    """What is tagged in a module, by its resources themselves and by its `aws` providers."""

    def __init__(self, module: Module, takes_tags: Callable[[str], bool]) -> None:
        """Take the module, and what tells whether resources of a type take tags."""
        self._module = module
        blocks = [one for file in (*module.files, *module.fixed) for one in file.blocks if not _is_override(one)]
        self.providers = [one for one in blocks if (one.type, one.labels) == ("provider", ("aws",))]
        """The providers of AWS, each alias."""
        self._resources = [one for one in blocks if one.type == "resource" and takes_tags(one.labels[0])]
        self._tags = {one: tags.expr for one in self._resources if (tags := one.attribute("tags"))}
        self._defaults = {
            one: tags.expr
            for one in self.providers
            for inner in one.blocks(_DEFAULTS)
            if (tags := inner.attribute("tags"))
        }

    def has(self, wanted: Callable[[str], bool]) -> bool:
        """Whether all that is made in the module has a tag with such a key by itself, or there is nothing to tag."""
        calls_others = any(self._module.blocks("module"))
        return not calls_others and all(any(map(wanted, self._keys(one))) for one in self._resources)

    def _keys(self, resource: Block) -> Iterable[str]:
        tags = self._tags.get(resource)
        return entries(self._module, tags).known if tags else ()

    def defaults(self, provider: Block) -> Entries:
        """The tags that a provider gives to all that it makes."""
        given = self._defaults.get(provider)
        return entries(self._module, given) if given else Entries({}, "")

    @cached_property
    def written(self) -> list[tuple[str, Expr]]:
        """Keys and values of all tags that the module writes out, those in locals too."""
        named = [
            one.expr for block in self._module.blocks("locals") for one in block.attributes() if "tags" in one.name
        ]
        maps = (*self._tags.values(), *self._defaults.values(), *named)
        return [pair for tags in maps for pair in entries(self._module, tags).known.items()]

    # ---- changes ---------------------------------------------------------------------------------

    def obstacle(self, provider: Block, keys: Iterable[str], called: str) -> Manual | None:
        """Why a provider can't be given further default tags; None if it can.

        Args:
            provider: One of `providers`.
            keys: The keys of the tags.
            called: What a person calls them: `Environment and Owner`.
        """
        where = self._module.override_of(provider)
        why = self.defaults(provider).why
        newest = max(self._module.facts.aws_majors, default=_DUPLICATES)
        if provider.read_only:
            return Manual("The provider is written in JSON, which is not rewritten", f"Add {called} there")
        if where and where.holds(_DEFAULTS):
            return Manual(f"{where.file.path} overrides the default tags", f"Make sure that they hold {called}")
        if provider.dynamic(_DEFAULTS) or len(provider.blocks(_DEFAULTS)) > 1:
            return Manual("A dynamic block makes the default tags", f"Make sure that they hold {called}")
        if why:
            return Manual(f"The default tags can't be judged: the map {why}", f"Make sure that it holds {called}")
        if newest < _FIRST:
            return Manual("The provider has default_tags from version 3.38 on", "Upgrade it and run iacfix again")
        if newest < _DUPLICATES and not {key for one in self._tags for key in self._keys(one)}.isdisjoint(keys):
            reason = "Resources set the tag too, which the provider plans to change for ever before its version 5"
            return Manual(reason, "Upgrade the provider, or tag the other resources one by one")
        return None

    def add(self, provider: Block, tags: Mapping[str, str], is_shared: Callable[[str], bool]) -> tuple[Edit, ...]:
        """Give a provider further default tags; one that has none gets those that the module has for all.

        Args:
            provider: One of `providers`.
            tags: HCL expressions by their keys.
            is_shared: Whether a key shows that a local, which resources are tagged with, holds the tags for all.
        """
        if given := self._defaults.get(provider):
            return provider.file.settle(provider.start, provider.end, adding(given, tags))
        body = f"tags = {self._map(provider, tags, is_shared)}"
        if there := provider.blocks(_DEFAULTS):
            return there[0].append(body)
        return provider.append(f"{_DEFAULTS} {{\n" + indent(body, "  ") + "\n}")

    def _map(self, provider: Block, tags: Mapping[str, str], is_shared: Callable[[str], bool]) -> str:
        """The map of tags that another provider or most resources have, with these, or else these alone."""
        for other, expr in self._defaults.items():
            found = self.defaults(other)
            if other is not provider and not found.why and not _REGIONAL.search(expr.text):
                return with_others(expr, {key: value for key, value in tags.items() if key not in found.known})
        for name, known in self._locals(is_shared):
            rest = {key: value for key, value in tags.items() if key not in known}
            return f"merge(local.{name}, {one_line(rest)})" if rest else f"local.{name}"
        return "{\n" + "".join(f"  {key} = {value}\n" for key, value in tags.items()) + "}"

    def _locals(self, is_shared: Callable[[str], bool]) -> Iterator[tuple[str, Mapping[str, Expr]]]:
        """Locals that hold the tags of resources, such a key among them, by how often they are used."""
        used = Counter(
            one.names[1]
            for tags in self._tags.values()
            for one in tags.traversals()
            if one.names[0] == "local" and len(one.names) == len(one.steps) + 1 == 2
        )
        for name, _ in used.most_common():
            local = self._module.local(name)
            if local and is_early(self._module, local.expr):
                found = entries(self._module, local.expr)
                if not found.why and any(map(is_shared, found.known)):
                    yield name, found.known


def _is_override(block: Block) -> bool:
    return block.read_only and not block.file.is_json
