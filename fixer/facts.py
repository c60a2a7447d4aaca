"""What is known of a unit of work apart from its sources: plain data, that can be hashed and sent to a process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CdkFacts:
    """The surroundings of one CDK app."""

    path: str = "."
    """The folder that holds `cdk.json`, relative to the project's root; `.` is the root itself."""
    version: tuple[int, ...] | None = None
    """The lowest version of aws-cdk-lib that the project's pin allows; None if that is unknown."""
    version_source: str = ""
    """The file that says so, such as `requirements.txt`."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """The items under `context` in `cdk.json`."""
    experimental: tuple[tuple[str, str], ...] = ()
    """Packages of experimental modules, such as `aws-cdk.aws-glue-alpha`, that the manifests in the app's own folder
    ask for, each with the file that does; none if other apps below it may use them too."""


@dataclass(frozen=True)
class TerraformFacts:
    """The surroundings of one module directory."""

    path: str = "."
    """The directory, relative to the project; `.` is the project's root."""
    called_by: tuple[str, ...] = ()
    """Places such as `main.tf:12` that call this directory as a local module."""
    aws_majors: tuple[int, ...] = ()
    """Major versions of the aws provider that the constraints and the lock file allow; empty if nothing is said."""
    terraform: str | None = None
    """The text of `required_version`."""
