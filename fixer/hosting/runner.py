"""The runner of GitHub Actions: what it tells a job by environment and files, and how a job answers.

Sources: "Variables reference" and "Workflow commands for GitHub Actions" in GitHub's documentation; `file-command.ts`
in `packages/core/src` of actions/toolkit for the form of the files.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Tell = Callable[[str], None]
"""Prints lines; on the runner each begins with `::`, so that it is a command and nothing else."""

_SUMMARY_BYTES = 900 * 1024
"""GitHub refuses a step's summary of more than 1 MiB, whole."""
_CUT = "\n\nThe rest is left off: it is too long for a summary.\n"
_BRANCH = "refs/heads/"


class ActionError(Exception):
    """The workflow asks for what can't be done; the message is one line for people."""


@dataclass(frozen=True)
class Runner:
    """What a job was started for, and where its answers go."""

    event: str
    """Such as `push`."""
    payload: Mapping[str, Any]
    """What GitHub says of the event."""
    ref: str
    """The whole name, such as `refs/heads/main`; empty for none."""
    sha: str
    """The commit that the job is for."""
    repository: str
    """Owner and name."""
    api_url: str
    workspace: Path | None
    """Where the workflow checks the repository out."""
    temp: Path
    """A directory that is emptied after the job."""
    output: Path | None
    """Where outputs are written to."""
    summary: Path | None
    """Where the step's summary is written to."""

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Runner:
        """What the environment says.

        Raises:
            ActionError: it is not that of a job.
        """

        def path(name: str) -> Path | None:
            return Path(env[name]) if env.get(name) else None

        for name in ("GITHUB_EVENT_NAME", "GITHUB_REPOSITORY", "RUNNER_TEMP"):
            if not env.get(name):
                raise ActionError(f"{name} is not set: this command is for jobs of GitHub Actions")
        return cls(
            event=env["GITHUB_EVENT_NAME"],
            payload=_payload(path("GITHUB_EVENT_PATH")),
            ref=env.get("GITHUB_REF", ""),
            sha=env.get("GITHUB_SHA", ""),
            repository=env["GITHUB_REPOSITORY"],
            api_url=env.get("GITHUB_API_URL") or "https://api.github.com",
            workspace=path("GITHUB_WORKSPACE"),
            temp=Path(env["RUNNER_TEMP"]),
            output=path("GITHUB_OUTPUT"),
            summary=path("GITHUB_STEP_SUMMARY"),
        )

    @property
    def branch(self) -> str:
        """The branch that the job is for; empty for a tag, a pull request or none."""
        return self.ref.removeprefix(_BRANCH) if self.ref.startswith(_BRANCH) else ""

    def give(self, outputs: Mapping[str, str]) -> None:
        """Set outputs of the step.

        Raises:
            ActionError: a value holds the delimiter that was drawn for it, which nobody can know before.
        """
        if self.output is None:
            return
        text = "".join(_assignment(name, value) for name, value in outputs.items())
        with self.output.open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)

    def summarize(self, text: str) -> None:
        """Add Markdown to the step's summary; lines for which there is no room are left off."""
        if self.summary is None:
            return
        taken = self.summary.stat().st_size if self.summary.exists() else 0
        with self.summary.open("ab") as file:
            file.write(_clipped(text.encode("utf-8", "backslashreplace"), _SUMMARY_BYTES - taken))


def _payload(path: Path | None) -> Mapping[str, Any]:
    if path is None:
        return {}
    try:
        payload = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ActionError(f"GITHUB_EVENT_PATH: the event can't be read: {error}") from error
    return payload if isinstance(payload, dict) else {}


def _assignment(name: str, value: str) -> str:
    delimiter = f"iacfix_{secrets.token_hex(16)}"
    if delimiter in name or delimiter in value:
        raise ActionError(f"the output {name} holds the delimiter of its own value")
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _clipped(text: bytes, room: int) -> bytes:
    """As many whole lines as there is room for, in bytes."""
    if len(text) <= room:
        return text
    kept, _, _ = text[: max(room - len(_CUT), 0)].rpartition(b"\n")
    return kept + _CUT.encode() if kept else b""
