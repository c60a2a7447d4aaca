"""Makes proofs: what a comparison shows, held against what the fixes declare."""

from __future__ import annotations

from fixer.model import Impact
from fixer.proof.difference import Difference
from fixer.result import Proof, Verdict


def judge(path: str, kind: str, difference: Difference, declared: Impact) -> Proof:
    """The proof of two runs that succeeded."""
    excess = difference.excess(declared)
    return Proof(
        path,
        kind,
        Verdict.REFUTED if excess else Verdict.PROVEN,
        before=True,
        after=True,
        added=len(difference.added),
        changed=len(difference.changed),
        replaced=len(difference.replaced),
        removed=len(difference.removed),
        reason=f"the fixes declare the impact {declared}, but {excess}" if excess else difference.doubt,
    )


def refute(path: str, kind: str, reason: str) -> Proof:
    """The proof of changes after which the run fails, which it did not before."""
    return Proof(path, kind, Verdict.REFUTED, before=True, after=False, reason=reason)


def incomparable(path: str, kind: str, reason: str, *, before: bool | None) -> Proof:
    """No proof, and why; `before` is None if nothing was run."""
    return Proof(path, kind, Verdict.NOT_COMPARABLE, before=before, after=None, reason=reason)
