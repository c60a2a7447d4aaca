"""The inputs of the GitHub Action, as `action.yml` hands them on in the environment."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from typing import Any, TypeVar

from fixer.hosting.lifecycle import CAMPAIGN, is_campaign
from fixer.hosting.runner import ActionError
from fixer.model import Impact

PREFIX = "IACFIX_"
"""The input `fail-on` comes as `IACFIX_FAIL_ON`: a composite action gets no variables of the runner's."""

Member = TypeVar("Member", bound=enum.Enum)


class Mode(str, enum.Enum):
    """What to do."""

    CHECK = "check"
    FIX = "fix"
    PR = "pr"


class FailOn(str, enum.Enum):
    """What fails the job."""

    NEVER = "never"
    FIXABLE = "fixable"
    """A finding that iacfix can fix, or has fixed."""
    ANY = "any"
    """Any finding that is not suppressed, or a file that can't be read."""


@dataclass(frozen=True)
class Inputs:
    """The inputs of the action but for the token; an empty one counts as not given."""

    mode: Mode = Mode.PR
    paths: tuple[str, ...] = ()
    """Relative to the repository's top."""
    rules: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    impact: Impact | None = None
    config: str = ""
    prove: tuple[str, ...] = ()
    fail_on: FailOn = FailOn.NEVER
    base: str = ""
    branch: str = ""
    campaign: str = "fixes"
    title: str = ""
    commit_message: str = ""
    commits: str = "one"
    sign_commits: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    team_reviewers: tuple[str, ...] = ()
    draft: bool = False
    delete_branch: bool = True

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Inputs:
        """What the workflow gave.

        Raises:
            ActionError: an input has a value that it can't have.
        """
        given: dict[str, Any] = {}
        for name in (one.name for one in fields(cls)):
            value = env.get(f"{PREFIX}{name.upper()}", "").strip()
            if value:
                try:
                    given[name] = _READERS[name](value)
                except ValueError as error:
                    raise ActionError(f"the input {name.replace('_', '-')} {error}") from error
        return cls(**given)


# ---- what values they take ---------------------------------------------------------------------


def _line(value: str) -> str:
    if "\n" in value:
        raise ValueError("takes one line")
    return value


def _names(value: str) -> tuple[str, ...]:
    return tuple(filter(None, (one.strip() for one in value.replace("\n", ",").split(","))))


def _below(value: str) -> str:
    """A path within the repository."""
    path = PurePosixPath(_line(value))
    if path.is_absolute() or ".." in path.parts or "\0" in value:
        raise ValueError(f"takes paths within the repository, not {value!r}")
    return path.as_posix()


def _paths(value: str) -> tuple[str, ...]:
    return tuple(path for path in (_below(one.strip()) for one in value.splitlines() if one.strip()) if path != ".")


def _proofs(value: str) -> tuple[str, ...]:
    return tuple(_one_of("synth", "validate", "plan")(one) for one in _names(value))


def _boolean(value: str) -> bool:
    """As `getBooleanInput` of actions/toolkit has it: the core schema of YAML 1.2."""
    if value not in ("true", "True", "TRUE", "false", "False", "FALSE"):
        raise ValueError(f"takes true or false, not {value!r}")
    return value.lower() == "true"


def _one_of(*values: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in values:
            raise ValueError(f"takes {', '.join(values[:-1])} or {values[-1]}, not {value!r}")
        return value

    return read


def _member(kind: type[Member]) -> Callable[[str], Member]:
    read = _one_of(*(str(one.value) for one in kind))
    return lambda value: kind(read(value))


def _impact(value: str) -> Impact:
    return Impact.of(_one_of("none", "behavior", "replacement")(value))


def _campaign(value: str) -> str:
    if not is_campaign(value):
        raise ValueError(f"takes {CAMPAIGN}")
    return value


_READERS: dict[str, Callable[[str], Any]] = {
    "mode": _member(Mode),
    "paths": _paths,
    "rules": _names,
    "ignore": _names,
    "impact": _impact,
    "config": _below,
    "prove": _proofs,
    "fail_on": _member(FailOn),
    "base": _line,
    "branch": _line,
    "campaign": _campaign,
    "title": _line,
    "commit_message": str,
    "commits": _one_of("one", "rule"),
    "sign_commits": _boolean,
    "labels": _names,
    "reviewers": _names,
    "team_reviewers": _names,
    "draft": _boolean,
    "delete_branch": _boolean,
}
