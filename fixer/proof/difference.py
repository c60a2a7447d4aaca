"""What a change does to the resources of a template or plan, and how that compares with what its fixes declare."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from fixer.model import Impact
from fixer.report.wording import listed


@dataclass(frozen=True)
class Difference:
    """The names of resources that differ, each in one of the groups."""

    added: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    """Updated in place, as far as is known."""
    replaced: frozenset[str] = frozenset()
    """Destroyed and created again, under the same id or another, which then follows in parentheses."""
    removed: frozenset[str] = frozenset()
    other: frozenset[str] = frozenset()
    """Parts that are no resources, such as outputs."""
    doubtful: frozenset[str] = frozenset()
    """Those of the changed ones that may be replaced, depending on what is deployed."""

    @property
    def doubt(self) -> str:
        """In words, what can't be told; empty if all can."""
        return f"{listed(self.doubtful)} may be replaced, depending on what is deployed" if self.doubtful else ""

    @property
    def impact(self) -> Impact:
        """The least impact that a fix with this difference may declare."""
        if self.replaced or self.removed:
            return Impact.REPLACEMENT
        return Impact.BEHAVIOR if self.added or self.changed or self.other else Impact.NONE

    def beyond(self, noise: Difference) -> Difference:
        """What is left without the resources that are replaced, removed and added at every run anyway.

        Added ones can't be told apart, as they have another name each time.
        """
        gone = frozenset(map(_old_name, noise.replaced | noise.removed))
        return replace(
            self,
            added=frozenset() if noise.added else self.added,
            replaced=frozenset(one for one in self.replaced if _old_name(one) not in gone),
            removed=self.removed - gone,
        )

    def excess(self, declared: Impact) -> str:
        """In words, what goes beyond the declared impact; empty if nothing does."""
        if self.impact <= declared:
            return ""
        groups = [("replaced", self.replaced), ("removed", self.removed)]
        if declared is Impact.NONE:
            groups += [("added", self.added), ("changed", self.changed), ("changed", self.other)]
        return "; ".join(f"{listed(names)} {_is(names)} {word}" for word, names in groups if names)


def _old_name(name: str) -> str:
    return name.partition(" (")[0]


def _is(names: frozenset[str]) -> str:
    return "is" if len(names) == 1 else "are"


# ---- noise -------------------------------------------------------------------------------------

_ABSENT = object()


def settled(before: Any, again: Any, after: Any) -> Any:
    """What is after a change, a value of JSON, but as it was `before` where that is different `again` without a change.

    Only the innermost values that differ between the two are settled. What the change adds, removes or gives another
    type or length stays as it is `after`.
    """
    if before == again or after is _ABSENT:
        return after
    if isinstance(before, dict) and isinstance(again, dict):
        if not isinstance(after, dict):
            return after
        keys = {**before, **after}
        inner = {key: settled(*(one.get(key, _ABSENT) for one in (before, again, after))) for key in keys}
        return {key: value for key, value in inner.items() if value is not _ABSENT}
    if isinstance(before, list) and isinstance(again, list) and len(before) == len(again):
        if not isinstance(after, list) or len(after) != len(before):
            return after
        return [settled(*each) for each in zip(before, again, after, strict=True)]
    return before
