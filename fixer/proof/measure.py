"""Proof on request: the project's own programs are run on copies of it, before and after the changes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fixer.model import Impact, Language
from fixer.project import Unit
from fixer.proof.scratch import scratch
from fixer.proof.verdict import incomparable
from fixer.result import FileChange, Proof, Verdict

KINDS = {"synth": Language.CDK, "validate": Language.TERRAFORM, "plan": Language.TERRAFORM}
"""What can be asked for, each the module of that name, and the language that it is for."""

Prove = Callable[[Sequence[FileChange], Impact], list[Proof]]
"""The proofs of a unit's changes, whose fixes declare at most that impact, up to one that refutes them."""


@dataclass(frozen=True)
class Measure:
    """Proves the changes of one unit after the other."""

    root: Path
    """The project's."""
    kinds: Collection[str]
    """Some of `KINDS`."""
    timeout: float
    """Seconds that each command may take."""

    @contextmanager
    def __call__(self, unit: Unit) -> Iterator[Prove]:
        """What proves the unit's changes, several sets of them if need be.

        Only scratch directories are written to, which are gone again.
        """
        with ExitStack() as stack:
            trials: dict[str, Callable[[Sequence[FileChange], Impact], Proof]] = {}

            def proof(kind: str, changes: Sequence[FileChange], declared: Impact) -> Proof:
                try:
                    if kind not in trials:
                        place = stack.enter_context(scratch(self.root, unit.path, self.timeout))
                        trials[kind] = importlib.import_module(f"fixer.proof.{kind}").trial(place, unit)
                    return trials[kind](changes, declared)
                except OSError as error:
                    where = f"{error.filename}: " if error.filename else ""
                    reason = f"it can't be copied: {where}{error.strerror or error}"
                    return incomparable(unit.path, kind, reason, before=None)

            def prove(changes: Sequence[FileChange], declared: Impact) -> list[Proof]:
                proofs: list[Proof] = []
                for kind, language in KINDS.items():
                    refuted = any(one.verdict is Verdict.REFUTED for one in proofs)
                    if kind in self.kinds and language is unit.language and not refuted:
                        proofs.append(proof(kind, changes, declared))
                return proofs

            yield prove
