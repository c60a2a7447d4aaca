"""What a change does to the resources of a template or plan, and how that compares with what its fixes declare."""

from __future__ import annotations

from dataclasses import dataclass, fields

from fixer.model import Impact

_SHOWN = 3


@dataclass(frozen=True)
class Difference:
    """The names of resources that differ, each in one of the groups, sorted."""

    added: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    """Updated in place, as far as is known."""
    replaced: frozenset[str] = frozenset()
    """Destroyed and created again, under the same id or another."""
    removed: frozenset[str] = frozenset()
    other: frozenset[str] = frozenset()
    """Parts that are no resources, such as outputs."""
    doubtful: frozenset[str] = frozenset()
    """Those of the changed ones that may be replaced, depending on what is deployed."""

    @property
    def doubt(self) -> str:
        """In words, what can't be told; empty if all can."""
        return f"{_list(self.doubtful)} may be replaced, depending on what is deployed" if self.doubtful else ""

    @property
    def impact(self) -> Impact:
        """The least impact that a fix with this difference may declare."""
        if self.replaced or self.removed:
            return Impact.REPLACEMENT
        return Impact.BEHAVIOR if self.added or self.changed or self.other else Impact.NONE

    def without(self, noise: Difference) -> Difference:
        """What is left when those that differ anyway, in whatever way, are not counted."""
        known = frozenset().union(*(getattr(noise, one.name) for one in fields(noise)))
        return Difference(*(getattr(self, one.name) - known for one in fields(self)))

    def excess(self, declared: Impact) -> str:
        """In words, what goes beyond the declared impact; empty if nothing does."""
        if self.impact <= declared:
            return ""
        groups = [("replaced", self.replaced), ("removed", self.removed)]
        if declared is Impact.NONE:
            groups += [("added", self.added), ("changed", self.changed), ("changed", self.other)]
        return "; ".join(f"{_list(names)} {_is(names)} {word}" for word, names in groups if names)


def _is(names: frozenset[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _list(names: frozenset[str]) -> str:
    shown = sorted(names)[:_SHOWN]
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    *first, last = [*shown, *more]
    return f"{', '.join(first)} and {last}" if first else last
