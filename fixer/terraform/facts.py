"""What is known of a Terraform module from outside its directory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TerraformFacts:
    """The surroundings of one module directory; plain data, so that it can be hashed and sent to another process."""

    path: str = "."
    """The directory, relative to the project; `.` is the project's root."""
    called_by: tuple[str, ...] = ()
    """Places such as `main.tf:12` that call this directory as a local module."""
    aws_majors: tuple[int, ...] = ()
    """Major versions of the aws provider that the constraints and the lock file allow; empty if nothing is said."""
    terraform: str | None = None
    """The text of `required_version`."""
