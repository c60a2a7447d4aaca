"""How far a repository has come in a campaign."""

from __future__ import annotations

import enum

CLOSED_BY_SOMEBODY = "somebody closed its pull request"
"""The reason of a repository that is closed since a person did not want the changes."""


class State(str, enum.Enum):
    """From found to merged, and the ways off."""

    DISCOVERED = "discovered"
    """Not planned yet, or to be planned again, since its branch has moved."""
    CLEAN = "clean"
    """Nothing to fix."""
    PLANNED = "planned"
    """There is a plan to publish."""
    OPEN = "open"
    """Its pull request is open."""
    MERGED = "merged"
    CLOSED = "closed"
    """A person closed its pull request, or it is no longer needed."""
    DECLINED = "declined"
    """A person had closed a pull request with the same changes before."""
    SKIPPED = "skipped"
    """It is left alone on purpose; the reason says why."""
    DEFERRED = "deferred"
    """To be tried again later."""
    QUARANTINED = "quarantined"
    """A person's commits are on the branch, or a label sent iacfix away."""
    FAILED = "failed"

    @property
    def is_waiting(self) -> bool:
        """Whether there is something left to do for it."""
        return self in (State.DISCOVERED, State.PLANNED, State.DEFERRED)
