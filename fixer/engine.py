"""Runs rules on units of work: one Terraform module or one CDK app each, alone, so that many run side by side.

A unit is examined, the fixes that do not touch each other are made on its sources in memory, and what results is
examined again, until there is nothing left to do. Nothing here reads or writes a file.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from fixer import garbage
from fixer.model import (
    CdkCheck,
    Change,
    Create,
    Delete,
    Edit,
    Finding,
    Fix,
    Impact,
    Language,
    Move,
    Rule,
    SourceError,
    Status,
    TerraformCheck,
)
from fixer.project import Unit
from fixer.result import FileChange, FileError, Outcome, Region, Replacement
from fixer.suppress import Suppressions, may_suppress

MAX_PASSES = 25
"""Fixes that touch each other wait for the next pass; two rules undo each other if more passes than so many leave as
much to do as before."""

VAIN_PASSES = 3
"""A fix settles nothing if in so many passes in a row its finding comes as often after it as before."""

Sources = Mapping[str, bytes]
ActiveRule = tuple[Rule, Any]
"""A rule and its options."""
Prove = Callable[[Unit, Sources, Sources, Iterable[Change]], str | None]
"""Why changes that lead from one content of a unit's files to another must not be made; None if they are proven."""
Answers = Callable[[Finding, str, tuple[int, int]], Iterable[int]]
"""The numbers of the scanners' findings that a finding answers, given its file, and first and last line of its block or
call there, before any fix. A finding that answers none is left out."""


@dataclass
class UnitResult:
    """What came of one unit; findings by path and place."""

    outcomes: list[Outcome] = field(default_factory=list)
    files: list[FileChange] = field(default_factory=list)
    errors: list[FileError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    renames: list[str] = field(default_factory=list)
    """Literals that the fixes made took away."""
    answered: set[tuple[str, int]] = field(default_factory=set)
    """File, and number of a scanner's finding, of all that a finding answered."""


def concerns(sources: Sources, rules: Sequence[ActiveRule]) -> bool:
    """Whether any rule may have something to say: one of its words is in one of the files.

    Without rules none has; what can't be parsed is still told then.
    """
    words = {word.encode() for rule, _ in rules for word in rule.keywords}
    if any(not rule.keywords for rule, _ in rules):
        return True
    pattern = re.compile(b"|".join(re.escape(word) for word in sorted(words)))
    return any(pattern.search(source) for source in sources.values())


# ---- one look ----------------------------------------------------------------------------------


@dataclass
class _Look:
    """What the rules say of a unit as it stands."""

    findings: list[tuple[Finding, Rule, str | None]] = field(default_factory=list)
    """Each with who suppresses it, if anybody does."""
    errors: list[FileError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _look(unit: Unit, sources: Sources, rules: Sequence[ActiveRule]) -> _Look:
    look = _Look()
    steps = _cdk_steps if unit.language is Language.CDK else _terraform_steps
    for found, suppressions in steps(unit, sources, rules, look):
        for finding, rule in found:
            there = suppressions.get(finding.path)
            look.findings.append((finding, rule, there.reason(finding, rule) if there else None))
        for path, there in suppressions.items():
            for line, name in there.unused(rule.name for rule, _ in rules if unit.language in rule.languages):
                look.notes.append(f"{path}:{line}: this suppression of {name} suppresses nothing")
    look.findings.sort(key=lambda one: (one[0].path, one[0].start, one[0].end, one[0].rule, one[0].message))
    return look


_Step = tuple[list[tuple[Finding, Rule]], dict[str, Suppressions]]


def _terraform_steps(unit: Unit, sources: Sources, rules: Sequence[ActiveRule], look: _Look) -> Iterator[_Step]:
    from fixer import terraform

    module = terraform.load(unit.facts, sources)  # type: ignore[arg-type]
    look.errors += [FileError(path, message) for path, message in module.errors]
    found = []
    for rule, options in rules:
        if rule.check_terraform:
            found += _findings(rule, rule.check_terraform, module, options, unit.path, look)
    suppressions = {
        file.path: Suppressions(file.source, file.comments()) for file in module.files if may_suppress(file.source)
    }
    yield found, suppressions
    garbage.read(sum(map(len, sources.values())))


def _cdk_steps(unit: Unit, sources: Sources, rules: Sequence[ActiveRule], look: _Look) -> Iterator[_Step]:
    from fixer import cdk

    app = cdk.load(unit.facts, sources)  # type: ignore[arg-type]
    for file in app.files():
        found = []
        suppressions = {}
        try:
            for rule, options in rules:
                if rule.check_cdk:
                    found += _findings(rule, rule.check_cdk, file, options, file.path, look)
            if may_suppress(file.source) or any(finding.acknowledged for finding, _ in found):
                suppressions[file.path] = Suppressions(file.source, file.comments())
        except SourceError as error:
            look.errors.append(FileError(file.path, str(error)))
        else:
            yield found, suppressions
        garbage.read(len(file.source))
    look.errors += [FileError(path, message) for path, message in app.errors]


def _findings(
    rule: Rule, check: CdkCheck | TerraformCheck, model: Any, options: Any, path: str, look: _Look
) -> list[tuple[Finding, Rule]]:
    """The rule's findings. The one place where an error of a rule is caught: the others go on."""
    try:
        return [(finding, rule) for finding in check(model, options)]
    except SourceError:
        raise
    except Exception as error:
        look.errors.append(FileError(path, f"rule {rule.name} broke: {defect(error)}"))
        return []


def defect(error: BaseException) -> str:
    """One line that says what broke and where, for whoever mends it."""
    where = error.__traceback__
    while where and where.tb_next:
        where = where.tb_next
    place = f" in {where.tb_frame.f_code.co_name}:{where.tb_lineno}" if where else ""
    return " ".join(f"{type(error).__name__}{place}: {error}".split())


# ---- checking and repairing --------------------------------------------------------------------


def check(unit: Unit, sources: Sources, rules: Sequence[ActiveRule], answers: Answers | None = None) -> UnitResult:
    """Report what the rules find in the unit, with the fixes that they offer."""
    look = _look(unit, sources, rules)
    answered = _restrict(look, answers, _Before(sources))
    outcomes = [_report(one, sources) for one in look.findings]
    return UnitResult(outcomes, errors=look.errors, notes=look.notes, answered=answered)


def repair(
    unit: Unit,
    sources: Sources,
    rules: Sequence[ActiveRule],
    impact: Impact,
    wanted: frozenset[str] | None = None,
    *,
    prove: Prove,
    trial: bool = False,
    answers: Answers | None = None,
    without: Collection[Impact] = (),
) -> UnitResult:
    """Make all fixes of at most the given impact, in memory, but for those that fail their proof.

    Args:
        unit: The module or app.
        sources: The content of its files.
        rules: The rules to run, with their options.
        impact: The greatest impact that a fix may have.
        wanted: Only findings in these files are fixed, and in those that come into being; None for all.
        prove: Says why changes must not be made.
        trial: Nothing will be written: what remains is told where it stands now, not where it would stand then.
        answers: Only findings that answer one of the scanners' are fixed and reported; None for all.
        without: Fixes of these impacts are not made.

    Returns:
        The fixed findings, those that remain, and each file as it was and as it is to be. What was fixed is told
        where it stood.
    """
    failed: dict[tuple[str, ...], str] = {}
    impacts = {one for one in Impact if one <= impact}.difference(without)
    while True:
        result = _attempt(unit, sources, rules, impacts, wanted, prove, failed, answers, trial=trial)
        if result is not None:
            return result


def _attempt(
    unit: Unit,
    sources: Sources,
    rules: Sequence[ActiveRule],
    impacts: Collection[Impact],
    wanted: frozenset[str] | None,
    prove: Prove,
    failed: dict[tuple[str, ...], str],
    answers: Answers | None,
    *,
    trial: bool,
) -> UnitResult | None:
    """Make the fixes that did not fail before; None if one turns out to settle nothing, which `failed` then holds."""
    now = dict(sources)
    result = UnitResult()
    moved: dict[str, str] = {}
    last: dict[tuple[str, ...], int] = {}
    vain: dict[tuple[str, ...], int] = {}
    left = 0
    before = _Before(sources)
    for turn in itertools.count():
        look = _look(unit, now, rules)
        result.answered |= _restrict(look, answers, before)
        open_fixes = [
            _Candidate(finding, finding.fix, rule)
            for finding, rule, suppressed in look.findings
            if finding.fix and not suppressed and finding.fix.impact in impacts and _key(finding) not in failed
            if wanted is None or finding.path in wanted or finding.path not in sources
        ]
        if turn == 0:
            origins = _Origins(look, sources, before)
        there = Counter(_key(one.finding) for one in open_fixes)
        vain = {key: vain.get(key, 0) + 1 for key, number in last.items() if there[key] >= number}
        if idle := [key for key, passes in vain.items() if passes == VAIN_PASSES]:
            failed.update(dict.fromkeys(idle, "The fix fails its proof: the rule finds the same again after it"))
            return None
        if not open_fixes or (turn >= MAX_PASSES and len(open_fixes) >= left):
            break
        left = len(open_fixes)
        made = _make([one for one in open_fixes if not one.rule.late] or open_fixes, now, unit, failed, prove)
        last = {key: there[key] for key in (_key(one.finding) for one in made.fixed)}
        for one in made.fixed:
            fixed = _report((one.finding, one.rule, None), now, Status.FIXED)
            result.outcomes.append(origins.of(one.finding, fixed))
            result.renames += one.fix.renames
        before.make(change for one in made.fixed for change in one.fix.changes)
        now = made.sources
        moved.update(made.moved)
    if open_fixes:
        look.notes.append(
            f"{unit.path}: stopped after {MAX_PASSES} passes with {len(open_fixes)} fixes left to make; run again"
        )
    for finding, rule, suppressed in look.findings:
        if reason := failed.get(_key(finding)):
            result.errors.append(FileError(finding.path, f"{rule.name}: {reason}"))
            outcome = _report((finding, rule, None), now, Status.FAILED, reason)
        else:
            outcome = _report((finding, rule, suppressed), now)
        result.outcomes.append(origins.of(finding, outcome) if trial else outcome)
    result.outcomes.sort(key=lambda one: (one.path, one.region.line, one.region.column, one.rule, one.message))
    result.files = _file_changes(sources, now, moved)
    result.errors += look.errors
    result.notes = look.notes
    return result


def _restrict(look: _Look, answers: Answers | None, before: _Before) -> set[tuple[str, int]]:
    """Leave only the findings that answer one of the scanners'; what these are, by file and number."""
    if answers is None:
        return set()
    kept = []
    answered: set[tuple[str, int]] = set()
    for one in look.findings:
        path, *lines = before.place(one[0])
        if numbers := answers(one[0], path, (lines[0], lines[1])):
            kept.append(one)
            answered.update((path, number) for number in numbers)
    look.findings = kept
    return answered


class _Before:
    """Where things stood before any fix."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._passes: list[tuple[Change, ...]] = []

    def make(self, changes: Iterable[Change]) -> None:
        """Take note of the changes of a pass."""
        self._passes.append(tuple(dict.fromkeys(changes)))

    def place(self, finding: Finding) -> tuple[str, int, int]:
        """File, first and last line of the finding's block or call; lines are 0 in a file that was not there."""
        start, end = finding.scope or (finding.start, finding.end)
        path, first = self._origin(finding.path, min(start, finding.start))
        _, last = self._origin(finding.path, max(end, finding.end, 1) - 1)
        source = self._sources.get(path)
        return (path, 0, 0) if source is None else (path, _line(source, first), _line(source, max(first, last)))

    def region(self, finding: Finding) -> Region | None:
        """The finding's own place; None in a file that was not there, or that had another name."""
        (path, start), (_, end) = (self._origin(finding.path, offset) for offset in (finding.start, finding.end))
        source = self._sources.get(path) if path == finding.path else None
        return None if source is None else region_of(source, start, max(start, end))

    def _origin(self, path: str, offset: int) -> tuple[str, int]:
        for changes in reversed(self._passes):
            path = next((one.path for one in changes if isinstance(one, Move) and one.to == path), path)
            offset = _unedited(offset, sorted(one for one in changes if isinstance(one, Edit) and one.path == path))
        return path, offset


def _unedited(offset: int, edits: Sequence[Edit]) -> int:
    """What an offset was before the edits, which are in order; within new text, where that was put."""
    shift = 0
    for edit in edits:
        if offset < edit.start + shift:
            break
        length = len(edit.text.encode())
        if offset < edit.start + shift + length:
            return edit.start
        shift += length - (edit.end - edit.start)
    return offset - shift


def _line(source: bytes, offset: int) -> int:
    return source.count(b"\n", 0, offset) + 1


def _key(finding: Finding) -> tuple[str, ...]:
    return (finding.rule, finding.path, finding.subject, finding.message)


class _Origins:
    """Where the findings stood before any fix; of those that only came up later, where what they are about stood."""

    def __init__(self, look: _Look, sources: Sources, before: _Before) -> None:
        self._before = before
        self._known: dict[tuple[str, ...], deque[Outcome]] = {}
        for one in look.findings:
            self._known.setdefault(_key(one[0]), deque()).append(_report(one, sources))

    def of(self, finding: Finding, outcome: Outcome) -> Outcome:
        """The outcome at its origin; of those that nothing but their place tells apart, the first one that is left."""
        left = self._known.get(_key(finding))
        if not left:
            region = self._before.region(finding)
            return replace(outcome, region=region, replacements=()) if region else outcome
        origin = left.popleft()
        return replace(outcome, region=origin.region, replacements=origin.replacements if outcome.replacements else ())


def _file_changes(before: Sources, after: Sources, moved: Mapping[str, str]) -> list[FileChange]:
    changes = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if path in moved and new is not None:
            changes.append(FileChange(path, before.get(moved[path]), new, moved[path]))
        elif old != new and path not in moved.values():
            changes.append(FileChange(path, old, new))
    return changes


# ---- making fixes ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Candidate:
    finding: Finding
    fix: Fix
    rule: Rule


@dataclass
class _Made:
    sources: dict[str, bytes]
    moved: dict[str, str]
    fixed: list[_Candidate]


def _make(
    candidates: Sequence[_Candidate],
    sources: Sources,
    unit: Unit,
    failed: dict[tuple[str, ...], str],
    prove: Prove,
) -> _Made:
    """Make the fixes that do not touch each other, the first by place winning; `failed` takes those that can't be."""
    chosen: list[_Candidate] = []
    taken = _Taken()
    for one in candidates:
        if problem := _impossible(one.fix, sources):
            failed[_key(one.finding)] = problem
        elif taken.take(one.fix):
            chosen.append(one)
    made = _Made(*apply(taken.changes, sources), chosen)
    if prove(unit, sources, made.sources, taken.changes) is None:
        return made
    # One of them fails its proof: find out which, one by one. What fails beside others alone waits for the next pass.
    good = _Made({**sources}, {}, [])
    kept = _Taken()
    for one in chosen:
        trial = _Taken(kept.changes)
        trial.take(one.fix)
        after, moved = apply(trial.changes, sources)
        if problem := prove(unit, sources, after, trial.changes):
            alone = one.fix.changes
            if not good.fixed or (problem := prove(unit, sources, apply(alone, sources)[0], alone)):
                failed[_key(one.finding)] = f"The fix fails its proof: {problem}"
        else:
            kept = trial
            good = _Made(after, moved, [*good.fixed, one])
    return good


class _Taken:
    """The changes of the fixes chosen so far."""

    def __init__(self, changes: Iterable[Change] = ()) -> None:
        self.changes: dict[Change, None] = dict.fromkeys(changes)
        self._at: dict[str, list[Change]] = {}
        for change in self.changes:
            self._note(change)

    def _note(self, change: Change) -> None:
        for path in _paths(change):
            self._at.setdefault(path, []).append(change)

    def take(self, fix: Fix) -> bool:
        """Add the fix's changes unless one of them touches one that is there; the same change twice is one."""
        new = [change for change in fix.changes if change not in self.changes]
        if any(_touch(one, other) for one in new for path in _paths(one) for other in self._at.get(path, ())):
            return False
        for change in new:
            self.changes[change] = None
            self._note(change)
        return True


def _touch(one: Change, other: Change) -> bool:
    if isinstance(one, Edit) and isinstance(other, Edit):
        return one.path == other.path and one.start <= other.end and other.start <= one.end
    return bool(_paths(one) & _paths(other))


def _paths(change: Change) -> set[str]:
    return {change.path, change.to} if isinstance(change, Move) else {change.path}


def _impossible(fix: Fix, sources: Sources) -> str | None:
    """Why the fix can't be made as it stands: a mistake of its rule; None if it can."""
    edits = sorted(one for one in fix.changes if isinstance(one, Edit))
    for one, following in pairwise(edits):
        if one.path == following.path and following.start < one.end:
            return "The fix has edits that overlap"
    for change in fix.changes:
        there = change.path in sources
        if isinstance(change, Create) and there:
            return f"The fix would create {change.path}, which is there already"
        if isinstance(change, Move) and (not there or change.to in sources):
            return f"The fix can't move {change.path} to {change.to}"
        if isinstance(change, Edit) and not (there and 0 <= change.start <= change.end <= len(sources[change.path])):
            return f"The fix edits a place that {change.path} does not have"
    return None


def apply(changes: Iterable[Change], sources: Sources) -> tuple[dict[str, bytes], dict[str, str]]:
    """The sources after the changes, and the old name of each file that moved. Edits must not overlap."""
    after = dict(sources)
    moved: dict[str, str] = {}
    edits: dict[str, list[Edit]] = {}
    for change in changes:
        if isinstance(change, Edit):
            edits.setdefault(change.path, []).append(change)
        elif isinstance(change, Create):
            after[change.path] = change.text.encode()
    for path, mine in edits.items():
        source = sources[path]
        parts: list[bytes] = []
        at = 0
        for edit in sorted(mine, key=lambda one: (one.start, one.end)):
            parts += [source[at : edit.start], edit.text.encode()]
            at = edit.end
        after[path] = b"".join([*parts, source[at:]])
    for change in changes:
        if isinstance(change, Delete):
            del after[change.path]
        elif isinstance(change, Move):
            after[change.to] = after.pop(change.path)
            moved[change.to] = change.path
    return after, moved


# ---- reporting ---------------------------------------------------------------------------------


def _report(
    found: tuple[Finding, Rule, str | None], sources: Sources, status: Status | None = None, reason: str = ""
) -> Outcome:
    finding, rule, suppressed = found
    help_text = ""
    if status is None:
        if suppressed:
            status, reason, help_text = Status.SUPPRESSED, suppressed, "Remove the suppression to have it back"
        elif finding.manual:
            status, reason, help_text = Status.MANUAL, finding.manual.reason, finding.manual.next_step
        else:
            status = Status.FIXABLE
    source = sources[finding.path]
    region = region_of(source, finding.start, finding.end)
    line = source[source.rfind(b"\n", 0, finding.start) + 1 : finding.end].partition(b"\n")[0].strip()
    told = "\0".join([finding.rule, finding.path, finding.subject, finding.message])
    identity = told.encode(errors="backslashreplace") + b"\0" + line
    fix = finding.fix if status is Status.FIXABLE else None
    edits = [one for one in fix.changes if isinstance(one, Edit)] if fix and not _impossible(fix, sources) else []
    whole = fix and len(edits) == len(fix.changes)
    replacements = tuple(
        Replacement(
            one.path, region_of(sources[one.path], one.start, one.end), one.start, one.end - one.start, one.text
        )
        for one in (edits if whole else ())
    )
    return Outcome(
        finding.rule,
        finding.language,
        finding.path,
        region,
        finding.message,
        finding.fix.impact if finding.fix else rule.impact,
        status,
        reason,
        help_text,
        finding.subject,
        hashlib.sha256(identity).hexdigest(),
        replacements,
    )


def region_of(source: bytes, start: int, end: int) -> Region:
    """The lines and columns of the bytes `start:end`; a byte-order mark takes no column."""
    return Region(*_position(source, start), *_position(source, end))


def _position(source: bytes, offset: int) -> tuple[int, int]:
    line_start = source.rfind(b"\n", 0, offset) + 1
    before = source[line_start:offset].decode("utf-8", "replace").lstrip("\ufeff")
    return source.count(b"\n", 0, offset) + 1, len(before) + 1
