"""Proof on request: the project's own programs are run on copies of it, before and after the changes."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from fixer.model import Impact, Language
from fixer.project import Unit
from fixer.proof.scratch import scratch
from fixer.proof.verdict import incomparable
from fixer.result import FileChange, Proof, Verdict

KINDS = {"synth": Language.CDK, "validate": Language.TERRAFORM, "plan": Language.TERRAFORM}
"""What can be asked for, each the module of that name, and the language that it is for."""


@dataclass(frozen=True)
class Measure:
    """Proves the changes of one unit after the other."""

    root: Path
    """The project's."""
    kinds: Collection[str]
    """Some of `KINDS`."""
    timeout: float
    """Seconds that each command may take."""

    def __call__(self, unit: Unit, changes: Sequence[FileChange], declared: Impact) -> list[Proof]:
        """The proofs of a unit's changes, whose fixes declare at most that impact, up to one that refutes them.

        Only scratch directories are written to, which are gone again.
        """
        proofs: list[Proof] = []
        for kind, language in KINDS.items():
            if kind in self.kinds and language is unit.language and not _is_refuted(proofs):
                prove = importlib.import_module(f"fixer.proof.{kind}").prove
                try:
                    with scratch(self.root, unit.path, self.timeout) as place:
                        proofs += prove(place, unit, changes, declared)
                except OSError as error:
                    where = f"{error.filename}: " if error.filename else ""
                    reason = f"it can't be copied: {where}{error.strerror or error}"
                    proofs.append(incomparable(unit.path, kind, reason, before=None))
        return proofs


def _is_refuted(proofs: Sequence[Proof]) -> bool:
    return any(one.verdict is Verdict.REFUTED for one in proofs)
