"""What a run found and did: the one input of every report."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fixer.model import Impact, Language, Status


@dataclass(frozen=True)
class Region:
    """A place in a file: lines and columns from 1, columns in characters; the end column is one past the last."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Replacement:
    """One edit of a fix that is open: put `text` in place of the region, which is `length` bytes from `offset` on."""

    path: str
    region: Region
    offset: int
    length: int
    text: str


@dataclass(frozen=True)
class Outcome:
    """A finding, and what became of it."""

    rule: str
    language: Language
    path: str
    region: Region
    message: str
    impact: Impact
    """Of its fix; for a finding without one, of the rule."""
    status: Status
    reason: str = ""
    """Why it is not fixed: a sentence without a full stop; empty for `fixed` and `fixable`."""
    help: str = ""
    """What a person does next: a sentence without a full stop; empty for `fixed`."""
    subject: str = ""
    fingerprint: str = ""
    """Stable under changes elsewhere in the file: hex SHA-256 of rule, path, subject and the line's own text."""
    replacements: tuple[Replacement, ...] = ()
    """Of a `fixable` finding whose fix consists of edits alone, these."""


@dataclass(frozen=True)
class FileChange:
    """A file that the run changed, or would change; `before` is None for a new one, `after` for a deleted one."""

    path: str
    before: bytes | None
    after: bytes | None
    moved_from: str | None = None
    """The old name, where the file moved; `before` is then its content there."""

    @property
    def change(self) -> str:
        """One of `modified`, `created`, `moved`, `deleted`."""
        if self.moved_from is not None:
            return "moved"
        if self.before is None:
            return "created"
        return "deleted" if self.after is None else "modified"


@dataclass(frozen=True)
class FileError:
    """A file that could not be read, parsed or fixed; `path` may be empty for an error of the whole run."""

    path: str
    message: str


@dataclass(frozen=True)
class RuleInfo:
    """What the reports say of a rule."""

    name: str
    category: str
    summary: str
    impact: Impact
    scanners: tuple[str, ...]
    seeds: tuple[str, ...]
    languages: tuple[Language, ...]
    manual: str
    """The whole manual page, in Markdown."""


@dataclass(frozen=True)
class Result:
    """All of a run, in a fixed order: findings by path and place, files and errors by path."""

    root: Path
    command: str
    """`check`, `apply` or `apply --dry-run`."""
    rules: tuple[RuleInfo, ...]
    outcomes: tuple[Outcome, ...] = ()
    files: tuple[FileChange, ...] = ()
    errors: tuple[FileError, ...] = ()
    notes: tuple[str, ...] = ()
    """Things to know that are no errors: renamed literals elsewhere, unused suppressions, the bound on passes."""
    impact: Impact = Impact.BEHAVIOR
    """The greatest impact that the run was allowed."""
    files_scanned: int = 0
    seconds: float = 0.0
    counts: dict[Status, int] = field(init=False)

    def __post_init__(self) -> None:
        counts = dict.fromkeys(Status, 0)
        for outcome in self.outcomes:
            counts[outcome.status] += 1
        object.__setattr__(self, "counts", counts)

    def is_in_place(self, change: FileChange) -> bool:
        """Whether the file on the disk is as the run wants it."""
        path = self.root / change.path
        return change.after == (path.read_bytes() if path.is_file() else None)

    @property
    def withheld(self) -> int:
        """How many more fixes a greater `--impact` would make."""
        return sum(one.status is Status.FIXABLE and one.impact > self.impact for one in self.outcomes)
