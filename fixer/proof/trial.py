"""Runs a program on copies of a unit, without its changes and with them, and judges what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fixer.model import Impact
from fixer.proof.difference import Difference
from fixer.proof.scratch import BrokenError, MissingError
from fixer.proof.verdict import incomparable, judge, refute
from fixer.result import FileChange, Proof, Verdict

Output = TypeVar("Output")

Run = Callable[[Sequence[FileChange]], Output]
"""What the program says with the changes; raises BrokenError if it fails."""

Compare = Callable[[Output, Output, "Output | None"], Difference]
"""What the second output does that the first does not, nor the third, if there is one: another run of the first."""


@dataclass
class Trial(Generic[Output]):
    """Proves the changes of one unit, several sets of them if need be; without changes it is run once for all."""

    path: str
    """The unit's."""
    kind: str
    run: Run[Output]
    judge: Callable[[Output, Output, Impact], Proof]
    """The proof that two outputs make, without the changes and with them, for the impact that these declare."""
    _before: Output | BrokenError | None = field(default=None, init=False)

    def __call__(self, changes: Sequence[FileChange], declared: Impact) -> Proof:
        """The proof of changes whose fixes declare at most that impact."""
        if self._before is None:
            self._before = self._output(())
        before = self._before
        if isinstance(before, BrokenError):
            ran = None if isinstance(before, MissingError) else False
            return incomparable(self.path, self.kind, str(before), before=ran)
        after = self._output(changes)
        if isinstance(after, BrokenError):
            return refute(self.path, self.kind, f"after the changes, {after}")
        return self.judge(before, after, declared)

    def _output(self, changes: Sequence[FileChange]) -> Output | BrokenError:
        try:
            return self.run(changes)
        except BrokenError as error:
            return error


def comparison(path: str, kind: str, run: Run[Output], compare: Compare[Output]) -> Trial[Output]:
    """A trial that compares resources; where they differ, a second run without the changes tells noise apart.

    That run serves for all sets of changes, until one seems to do more than is declared: then it is made anew, so that
    what changes with the time does so in it too.
    """
    known: list[Output] = []

    def judged(before: Output, after: Output, declared: Impact) -> Proof:
        (again,) = known
        return judge(path, kind, compare(before, after, again), declared, noise=compare(before, again, None))

    def compared(before: Output, after: Output, declared: Impact) -> Proof:
        difference = compare(before, after, None)
        if difference == Difference():
            return judge(path, kind, difference, declared, noise=difference)
        if known and (proof := judged(before, after, declared)).verdict is Verdict.PROVEN:
            return proof
        try:
            known[:] = [run(())]
        except BrokenError as error:
            return incomparable(path, kind, f"at a second run without the changes, {error}", before=False)
        return judged(before, after, declared)

    return Trial(path, kind, run, compared)
