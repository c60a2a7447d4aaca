"""What is known of a CDK app apart from its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CdkFacts:
    """Plain facts of one app, found by whoever looked for the app; they can be pickled."""

    path: str = "."
    """The folder that holds `cdk.json`, relative to the project's root; `.` is the root itself."""
    version: tuple[int, ...] | None = None
    """The lowest version of aws-cdk-lib that the project's pin allows; None if that is unknown."""
    version_source: str = ""
    """The file that says so, such as `requirements.txt`."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """The items under `context` in `cdk.json`."""
