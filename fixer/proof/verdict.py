"""Makes proofs: what a comparison shows, held against what the fixes declare."""

from __future__ import annotations

from fixer.model import Impact
from fixer.proof.difference import Difference
from fixer.result import Proof, Verdict


def judge(path: str, kind: str, difference: Difference, declared: Impact, noise: Difference) -> Proof:
    """The proof of two runs that succeeded; `noise` is what differs between two runs without the changes."""
    excess = difference.excess(declared)
    if not excess and difference == Difference() and declared > Impact.NONE:
        reason = "no effect is seen: nothing in the template or plan comes of the changed code"
        return Proof(path, kind, Verdict.NOT_COMPARABLE, before=True, after=True, reason=reason)
    if excess and not difference.beyond(noise).excess(declared):
        reason = f"{noise.excess(Impact.BEHAVIOR)} at every run, whatever is changed"
        return Proof(path, kind, Verdict.NOT_COMPARABLE, before=True, after=True, reason=reason)
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
        reason=f"the fixes declare the impact {declared}, but {excess}" if excess else _doubt(difference, declared),
        replaced_resources=tuple(sorted(difference.replaced)),
        removed_resources=tuple(sorted(difference.removed)),
    )


def _doubt(difference: Difference, declared: Impact) -> str:
    if declared > difference.impact and declared is Impact.REPLACEMENT and not difference.doubtful:
        return "nothing is seen to be replaced"
    return difference.doubt


def refute(path: str, kind: str, reason: str) -> Proof:
    """The proof of changes after which the run fails, which it did not before."""
    return Proof(path, kind, Verdict.REFUTED, before=True, after=False, reason=reason)


def incomparable(path: str, kind: str, reason: str, *, before: bool | None) -> Proof:
    """No proof, and why; `before` is None if nothing was run."""
    return Proof(path, kind, Verdict.NOT_COMPARABLE, before=before, after=None, reason=reason)
