"""Names of the CDK taken apart, and what somebody may have meant by one that is none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from codemods.facts.cdk_api import cdk_type


def split(name: str) -> tuple[str, str]:
    """The longest type that a name begins with, and the member behind it; empty if there is none."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if cdk_type(".".join(parts[:end])):
            return ".".join(parts[:end]), parts[end] if end < len(parts) else ""
    return "", ""


def plain(name: str) -> str:
    """A name without its capitals and underscores."""
    return name.replace("_", "").lower()


def same(name: str, names: Iterable[str], *, plural: bool = False) -> str:
    """The only name that differs in capitals and underscores alone, or else in a plural; empty if there is no such."""
    known = {one: plain(one) for one in names}
    sought = plain(name)
    plurals = {f"{sought}s", sought.removesuffix("s"), f"{sought}es", sought.removesuffix("es")}
    for forms in ({sought}, plurals if plural else set()):
        found = [one for one, form in known.items() if form in forms]
        if found:
            return found[0] if len(found) == 1 else ""
    return ""


def nearest(name: str, names: Iterable[str], likeness: float = 0.6) -> str:
    """The names that look most alike, as a report lists them; empty if none does."""
    every = sorted(one for one in names if not one.startswith("_") and "." not in one)
    words = {part for part in name.lower().split("_") if len(part) > 2}
    found = difflib.get_close_matches(name, every, 3, likeness)
    found += [one for one in every if one not in found and words and words <= set(one.lower().split("_"))]
    return ", ".join(found[:3])
