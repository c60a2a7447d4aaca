"""What there is to work on: a project and its units."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fixer.facts import CdkFacts, TerraformFacts
from fixer.model import Language


@dataclass(frozen=True)
class Unit:
    """One Terraform module's directory or one CDK app: what rules look at together, and what a fix stays within."""

    language: Language
    path: str
    """Its directory; `.` is the root."""
    files: tuple[str, ...]
    """Its sources, sorted."""
    facts: CdkFacts | TerraformFacts
    """What is known of it from elsewhere; `dataclasses.asdict` of it can be written as JSON."""


@dataclass(frozen=True)
class Project:
    """All that was found below a root; paths are relative to it, with `/` between their parts."""

    root: Path
    units: tuple[Unit, ...]
    """Those with at least one wanted file, by path; each with all its files."""
    errors: tuple[tuple[str, str], ...] = ()
    """Path and message of what had to be left out."""
    files: tuple[str, ...] = ()
    """All files of any kind that are not left out, sorted."""
    paths: tuple[str, ...] = (".",)
    """What was asked for."""

    def wanted(self, path: str) -> bool:
        """Whether the path is, or is below, one that was asked for."""
        return any(one in (".", path) or path.startswith(f"{one}/") for one in self.paths)
