"""Evidence that a change is right: it is looked at again by readers that had no part in making it.

`prove` is always on. It parses what changed with another parser than the one that the edits were made with, and holds
the difference against the edits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fixer import garbage
from fixer.model import Change, Edit, Language
from fixer.project import Unit

Sources = Mapping[str, bytes]


def prove(unit: Unit, before: Sources, after: Sources, changes: Iterable[Change]) -> str | None:
    """Why the changes must not be made; None if they are proven.

    Each changed file parses, nothing but what the edits touch means anything else, every name that they bring
    into Python is known there, and nothing that they bring into a Terraform module is declared there already.

    Args:
        unit: The module or app.
        before: The content of its files.
        after: The same with the changes made.
        changes: All changes that lead from one to the other.
    """
    edits: dict[str, list[Edit]] = {}
    for change in changes:
        if isinstance(change, Edit):
            edits.setdefault(change.path, []).append(change)
    if unit.language is Language.TERRAFORM:
        from fixer.proof import hcl as proof
    else:
        from fixer.proof import python as proof  # type: ignore[no-redef]
    changed = {path: source for path, source in after.items() if before.get(path) != source}
    garbage.read(sum(map(len, changed.values())))
    for path, source in changed.items():
        if problem := proof.flaw(path, before, source, edits.get(path, ())):
            return f"{path}: {problem}"
    return proof.clash(before, after)
