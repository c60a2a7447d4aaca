"""What can go wrong with a host, by what is to be done about it."""

from __future__ import annotations

import enum


class Kind(str, enum.Enum):
    """Classes of failures."""

    AUTH = "auth"
    """The token is missing, wrong or expired."""
    PERMISSION = "permission"
    """The token may not do this."""
    NOT_FOUND = "not_found"
    RATE_PRIMARY = "rate_primary"
    """The hour's requests are used up."""
    RATE_SECONDARY = "rate_secondary"
    """Too much in too short a time."""
    TRANSIENT = "transient"
    """The host or the network fails; the same may work in a while."""
    GIT = "git"
    STALE = "stale"
    """A branch is not where it was: somebody pushed meanwhile."""
    EXISTS = "exists"
    """What was to be made is there already."""
    EMPTY = "empty"
    """A pull request without a difference."""
    INVALID = "invalid"
    """The host refuses what was sent."""

    @property
    def passes(self) -> bool:
        """Whether trying again later may help."""
        return self in (Kind.RATE_PRIMARY, Kind.RATE_SECONDARY, Kind.TRANSIENT)


class HostingError(Exception):
    """A remote step failed; `str` is one line for people.

    Args:
        kind: See Kind.
        message: What failed and why.
        wait: Seconds after which the host allows the same again, if it said so.
    """

    def __init__(self, kind: Kind, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.wait = wait
