"""What a run found and did: the one input of every report."""

from __future__ import annotations

import enum
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


class Verdict(str, enum.Enum):
    """What a proof on request came to."""

    PROVEN = "proven"
    REFUTED = "refuted"
    """The changes do more than their fixes declare, or harm; they were taken back."""
    NOT_COMPARABLE = "not comparable"
    """There is no proof, such as where it can't be run before the changes either."""


@dataclass(frozen=True)
class Proof:
    """What running the project's own programs before and after the changes of one app or module shows."""

    path: str
    """The directory of the app or module; `.` is the root."""
    kind: str
    """`synth`, `validate` or `plan`."""
    verdict: Verdict
    before: bool | None
    """Whether the run without the changes succeeded; None if there was none."""
    after: bool | None
    """The same of the run with them."""
    added: int = 0
    """How many resources the changes add, and so on."""
    changed: int = 0
    replaced: int = 0
    removed: int = 0
    reason: str = ""
    """Why it is not proven, or what is in doubt: a sentence without a capital and a full stop; may be empty."""
    replaced_resources: tuple[str, ...] = ()
    """Their names, sorted, as the template or plan has them: `Shop.Orders`, `aws_s3_bucket.data`."""
    removed_resources: tuple[str, ...] = ()


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
class Unanswered:
    """Findings of scanners, of one check and for one reason, that no finding of the run says the same as."""

    rule: str
    """The scanner's id of its check."""
    reason: str
    """Why: a sentence without a capital and a full stop."""
    count: int


@dataclass(frozen=True)
class Answered:
    """What the run is to the reports of scanners that it was restricted to."""

    reports: tuple[str, ...]
    """The files, as they were named."""
    findings: int
    """How many they hold."""
    matched: int
    """How many of these a finding of the run says the same as."""
    unmatched: tuple[Unanswered, ...] = ()


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
    warnings: tuple[str, ...] = ()
    """What was asked for and did not come about, though nothing went wrong: that nothing was proven."""
    impact: Impact = Impact.BEHAVIOR
    """The greatest impact that the run was allowed."""
    files_scanned: int = 0
    seconds: float = 0.0
    answered: Answered | None = None
    """Of a run that was restricted to what scanners reported."""
    proofs: tuple[Proof, ...] = ()
    """Of the apps and modules with changes, by path, if they were asked for."""
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
