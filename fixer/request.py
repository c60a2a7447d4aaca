"""What somebody asks of iacfix: where to look, which rules to run and how far to go; and doing it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fixer import config as configuration
from fixer import project as projects
from fixer.cache import Cache, default_directory
from fixer.model import Impact, Rule
from fixer.result import Result
from fixer.rules import RuleError, load
from fixer.run import Measure, Progress, run

if TYPE_CHECKING:
    from fixer.project import Project
    from fixer.scanners import Sought


class RequestError(Exception):
    """It can't be done at all; the message is one line for people."""


class DisabledError(Exception):
    """The project's configuration says `enabled = false`; the message names the file."""


@dataclass(frozen=True)
class Request:
    """What to look at and how; the fields are the flags of the command line."""

    paths: tuple[Path, ...] = ()
    """Files and directories; empty for the current directory."""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    impact: Impact | None = None
    """The greatest impact that a fix may have; None for what the configuration says."""
    reports: tuple[Path, ...] = ()
    """Reports of scanners that the run is restricted to."""
    config: Path | None = None
    """A configuration file to read instead of the nearest."""
    jobs: int | None = None
    """Worker processes; None for one for each core."""
    cached: bool = True
    proofs: tuple[str, ...] = ()
    """What is to be proven with the project's own programs: `synth`, `validate`, `plan`."""
    proof_timeout: float = 300
    """Seconds that each of these programs may take."""

    def perform(
        self, command: str, *, root: Path | None = None, progress: Progress = lambda done, total, doing: None
    ) -> Result:
        """Check or repair; nothing is written.

        Args:
            command: `check`, or what the report calls a run that makes fixes.
            root: The project's root; by default the git work tree that holds the paths.
            progress: Told how many of how many units are done.

        Raises:
            RequestError: a path, the configuration, a rule or a report can't be used.
            DisabledError: the project wants none of it.
        """
        paths = self.paths or (Path(),)
        for path in paths:
            if not path.exists():
                raise RequestError(f"{path}: no such file or directory")
        root = root or projects.root_of(paths)
        try:
            config = configuration.load(paths[0], root, self.config)
            if not config.enabled:
                raise DisabledError(config.name)
            known = load()
            configuration.validate(config, known)
            rules = configuration.selected(known, self.select or config.select, (*config.ignore, *self.ignore))
            project = projects.discover(root, paths, exclude=config.exclude)
            return run(
                project,
                rules,
                config,
                command=command,
                impact=config.impact if self.impact is None else self.impact,
                jobs=self.jobs or _cores(),
                cache=Cache(default_directory() if self.cached else None),
                progress=progress,
                sought=self._sought(project, rules, known),
                measure=self._measure(root),
            )
        except (configuration.ConfigError, RuleError) as error:
            raise RequestError(str(error)) from error

    def _measure(self, root: Path) -> Measure | None:
        if not self.proofs:
            return None
        from fixer.proof.measure import Measure

        return Measure(root, self.proofs, self.proof_timeout)

    def _sought(self, project: Project, rules: Sequence[Rule], known: Sequence[Rule]) -> Sought | None:
        if not self.reports:
            return None
        from fixer.scanners import ReportError, read, seek

        try:
            return seek([read(path) for path in self.reports], project, rules, known)
        except ReportError as error:
            raise RequestError(str(error)) from error


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
