"""A whole run: reads the project, has its units worked on in parallel, and gathers the result."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, replace
from multiprocessing import active_children, get_all_start_methods, get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixer import __version__, engine, garbage
from fixer.cache import Cache, digest
from fixer.config import Config, options_for
from fixer.engine import ActiveRule, UnitResult
from fixer.model import Impact, Language, Rule, Status
from fixer.project import Project, Unit
from fixer.proof import prove
from fixer.result import FileChange, FileError, Outcome, Proof, Region, Replacement, Result, Verdict
from fixer.rules import describe

if TYPE_CHECKING:
    from fixer.scanners import Answers, Sought

PARALLEL_BYTES = 200_000
"""Less than this is done sooner in one process than other processes are started."""

_WINDOW = 64
"""Units that are under way at once, so that memory does not grow with the project."""

Progress = Callable[[int, int, str], None]
"""Told how many of how many units are done, and what is done now if that takes longer: `proving shop`."""

Prove = Callable[[Sequence[FileChange], Impact], Sequence[Proof]]
"""Proves changes whose fixes declare at most the impact."""

Measure = Callable[[Unit], AbstractContextManager[Prove]]
"""Gives what proves the changes of a unit, by running the project's own programs."""


def run(
    project: Project,
    rules: Sequence[Rule],
    config: Config,
    *,
    command: str,
    impact: Impact,
    jobs: int,
    cache: Cache,
    progress: Progress = lambda done, total, doing: None,
    sought: Sought | None = None,
    measure: Measure | None = None,
) -> Result:
    """Check or repair all units of the project; nothing is written.

    Args:
        project: What there is.
        rules: The rules to run.
        config: Gives the rules' options.
        command: `check`, or what the report calls a run that makes fixes.
        impact: The greatest impact that a fix may have.
        jobs: How many processes may work.
        cache: Holds what was found in units before.
        progress: See Progress.
        sought: Findings of scanners, to which the run is restricted; it then does without the cache.
        measure: See Measure; changes that it refutes are taken back.

    Raises:
        ConfigError: an option has a value that its rule refuses.
        BrokenProcessPool: a worker process died.
    """
    started = time.monotonic()
    active = [(rule, options_for(rule, config)) for rule in rules if not sought or rule.name in sought.rules]
    work = _Work(project, active, command, impact, Cache(None) if sought else cache, sought)
    answered: set[int] = set()
    outcomes: list[Outcome] = []
    renames: list[str] = []
    files, notes = [], []
    proofs: list[Proof] = []
    errors = [FileError(path, message) for path, message in project.errors]
    with garbage.by_hand():
        for done, (unit, made) in enumerate(zip(project.units, work.results(jobs), strict=True), 1):
            result = made
            shown: Sequence[Proof] = ()
            if measure and made.files:
                progress(done - 1, len(project.units), f"proving {_called(unit)}")
                result, shown = work.measured(unit, made, measure)
            proofs += shown
            errors += map(_refutal, filter(_is_refuted, shown))
            progress(done, len(project.units), "")
            outcomes += [_with_help(one, impact) for one in result.outcomes if project.wanted(one.path)]
            errors += [one for one in result.errors if project.wanted(one.path)]
            files += result.files
            notes += result.notes
            renames += result.renames
            answered |= {number for path, number in result.answered if project.wanted(path)}
    notes += mentions(project, renames, {change.path: change.after for change in files})
    return Result(
        project.root,
        command,
        tuple(describe(rule) for rule in rules),
        tuple(sorted(outcomes, key=lambda one: (one.path, one.region.line, one.region.column, one.rule))),
        tuple(sorted(files, key=lambda one: one.path)),
        tuple(sorted(set(errors), key=lambda one: (one.path, one.message))),
        tuple(notes),
        _unproven(proofs) if measure and files else (),
        impact=impact,
        files_scanned=len({path for unit in project.units for path in unit.files if project.wanted(path)}),
        seconds=time.monotonic() - started,
        answered=sought.answered(answered, {one.path for one in errors}) if sought else None,
        proofs=tuple(proofs),
    )


def _unproven(proofs: Sequence[Proof]) -> tuple[str, ...]:
    """The warning of a run that was to prove its changes, if it could prove and refute none of them."""
    if any(one.verdict is not Verdict.NOT_COMPARABLE for one in proofs):
        return ()
    if not proofs:
        return ("nothing was proven: there is no proof of the kind asked for of what was changed",)
    first, more = proofs[0], f", and {len(proofs) - 1} more" if len(proofs) > 1 else ""
    place = "" if first.path == "." else f"{first.path}: "
    return (f"nothing was proven: {place}{first.kind} is not comparable, as {first.reason}{more}",)


def _is_refuted(proof: Proof) -> bool:
    return proof.verdict is Verdict.REFUTED


def _refutal(proof: Proof) -> FileError:
    return FileError(proof.path, f"the changes were taken back, as {proof.kind} refutes them: {proof.reason}")


def _with_help(outcome: Outcome, impact: Impact) -> Outcome:
    """Say how an open fix is made, which depends on the run's impact."""
    if outcome.status is not Status.FIXABLE:
        return outcome
    more = f" --impact {outcome.impact}" if outcome.impact > impact else ""
    return replace(outcome, help=f"Run iacfix apply{more}")


def _called(unit: Unit) -> str:
    if unit.path != ".":
        return unit.path
    return "this app" if unit.language is Language.CDK else "this module"


# ---- units, in parallel and cached -------------------------------------------------------------


class _Work:
    def __init__(
        self,
        project: Project,
        rules: Sequence[ActiveRule],
        command: str,
        impact: Impact,
        cache: Cache,
        sought: Sought | None,
    ) -> None:
        self.project, self.rules, self.command, self.impact, self.cache = project, rules, command, impact, cache
        self.sought = sought
        told = [(rule.name, repr(options)) for rule, options in rules]
        self._identity = json.dumps([__version__, sys.version, told, _code_of(rules)]).encode()

    def results(self, jobs: int) -> Iterator[UnitResult]:
        """The result of each unit, in the order of the units."""
        pool: ProcessPoolExecutor | None = None
        waiting: deque[tuple[str, Future[UnitResult] | UnitResult]] = deque()
        size = 0
        try:
            for unit in self.project.units:
                key, todo = self._prepare(unit)
                if isinstance(todo, UnitResult):
                    waiting.append(("", todo))
                else:
                    size += sum(map(len, todo.values()))
                    if pool is None and jobs > 1 and size > PARALLEL_BYTES:
                        pool = _pool(jobs, self.rules)
                    answers = self.sought.within(unit.files) if self.sought else None
                    task = (unit, todo, self.command, self.impact, self._wanted(unit), answers)
                    waiting.append((key, _submit(pool, *task) if pool else _work(self.rules, *task)))
                while len(waiting) > _WINDOW:
                    yield self._finish(*waiting.popleft())
            while waiting:
                yield self._finish(*waiting.popleft())
        except BaseException:
            for worker in active_children():  # they only compute: nothing is lost, and nobody waits for them
                worker.terminate()
            raise
        finally:
            if pool:
                pool.shutdown(cancel_futures=True)

    def _prepare(self, unit: Unit) -> tuple[str, UnitResult | dict[str, bytes]]:
        """The cache's key and, if there is nothing to work out, the result, else the sources."""
        sources: dict[str, bytes] = {}
        problems = UnitResult()
        for path in unit.files:
            try:
                with open(f"{self.project.root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123 - half Path's time
                    sources[path] = file.readall()
            except OSError as error:
                problems.errors.append(FileError(path, f"can't be read: {error.strerror}"))
        if problems.errors:
            problems.notes.append(f"{unit.path}: left alone, since a file of it can't be read")
            return "", problems
        if not self.cache.keeps:
            return "", sources
        facts = json.dumps(asdict(unit.facts), sort_keys=True, default=str).encode()
        parts = [self._identity, unit.language.value.encode(), facts]
        for path in sorted(sources):
            parts += [path.encode("utf-8", "surrogateescape"), sources[path]]
        key = digest(parts)
        stored = self.cache.get(key)
        if stored is not None:
            known = _decoded(stored)
            if known and not (self.command != "check" and self._has_work(known)):
                return "", known
        return key, sources

    def _has_work(self, known: UnitResult) -> bool:
        return any(one.status is Status.FIXABLE and one.impact <= self.impact for one in known.outcomes)

    def measured(self, unit: Unit, result: UnitResult, measure: Measure) -> tuple[UnitResult, Sequence[Proof]]:
        """The unit's result without the fixes that are refuted, and the proofs: of what is left, and of what is not.

        The fixes of each impact are measured together with those of the lesser ones, which have stood by then, and
        against their own impact; those that do not stand are taken back alone.
        """
        refuted: dict[Impact, Proof] = {}
        stood: Sequence[Proof] = ()
        fell: list[Proof] = []
        files: list[FileChange] = []
        with measure(unit) as prove:
            for impact in (one for one in Impact if one <= self.impact):
                step = result if impact is self.impact and not refuted else self._without(refuted, unit, impact)
                if step.files == files:
                    continue
                shown = prove(step.files, impact)
                if bad := next(filter(_is_refuted, shown), None):
                    refuted[impact] = bad
                    fell += shown
                else:
                    files, stood = step.files, shown
        return self._without(refuted, unit, self.impact) if refuted else result, (*stood, *fell)

    def _without(self, refuted: Mapping[Impact, Proof], unit: Unit, impact: Impact) -> UnitResult:
        """The unit's result with fixes of at most the impact, but for those of the refuted ones, which are failed."""
        sources = {path: (self.project.root / path).read_bytes() for path in unit.files}
        wanted = self._wanted(unit)
        answers = self.sought.within(unit.files) if self.sought else None
        result = _work(self.rules, unit, sources, self.command, impact, wanted, answers, refuted)
        result.outcomes = [
            replace(
                one,
                status=Status.FAILED,
                reason=f"The fixes of impact {one.impact} in {_called(unit)} fail their proof by {proof.kind}",
                help=f"Run with --ignore {one.rule} for the fixes of other rules",
                replacements=(),
            )
            if one.status is Status.FIXABLE and one.path in wanted and (proof := refuted.get(one.impact))
            else one
            for one in result.outcomes
        ]
        return result

    def _wanted(self, unit: Unit) -> frozenset[str]:
        return frozenset(path for path in unit.files if self.project.wanted(path))

    def _finish(self, key: str, got: Future[UnitResult] | UnitResult) -> UnitResult:
        result = got.result() if isinstance(got, Future) else got
        if key and not result.files and not any(one.status in (Status.FIXED, Status.FAILED) for one in result.outcomes):
            self.cache.put(key, _encoded(result))
        return result


def _work(
    rules: Sequence[ActiveRule],
    unit: Unit,
    sources: dict[str, bytes],
    command: str,
    impact: Impact,
    wanted: frozenset[str],
    answers: Answers | None,
    without: Collection[Impact] = (),
) -> UnitResult:
    mine = [one for one in rules if unit.language in one[0].languages]
    if not engine.concerns(sources, mine):
        mine = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # of Python's parser, about the code that is read
            if command == "check":
                return engine.check(unit, sources, mine, answers)
            trial = "--dry-run" in command
            return engine.repair(
                unit, sources, mine, impact, wanted, prove=prove, trial=trial, answers=answers, without=without
            )
    except Exception as error:
        path = min(wanted, default=unit.path)
        return UnitResult(errors=[FileError(path, f"left alone, as iacfix broke on it: {engine.defect(error)}")])


_worker_rules: Sequence[ActiveRule] = ()


def _pool(jobs: int, rules: Sequence[ActiveRule]) -> ProcessPoolExecutor:
    """Worker processes that have the rules; forked where that is quick and safe."""
    global _worker_rules  # noqa: PLW0603
    _worker_rules = rules
    method = "fork" if "fork" in get_all_start_methods() and os.uname().sysname == "Linux" else None
    names = [(rule.name, options) for rule, options in rules]
    return ProcessPoolExecutor(jobs, get_context(method), _start_worker, (names,))


def _submit(pool: ProcessPoolExecutor, *task: Any) -> Future[UnitResult]:
    with _interrupts_held():  # a worker that is started here would answer them with a traceback
        return pool.submit(_in_worker, *task)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker(names: list[tuple[str, Any]]) -> None:
    global _worker_rules  # noqa: PLW0603
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the coordinator decides
    garbage.leave_to_us()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if not _worker_rules:
        from fixer.rules import load

        known = {rule.name: rule for rule in load()}
        _worker_rules = [(known[name], options) for name, options in names]


def _end_with_parent() -> None:
    """A worker would wait for ever for one that was killed."""
    if parent := parent_process():
        parent.join()
        os._exit(1)


def _in_worker(
    unit: Unit,
    sources: dict[str, bytes],
    command: str,
    impact: Impact,
    wanted: frozenset[str],
    answers: Answers | None,
) -> UnitResult:
    return _work(_worker_rules, unit, sources, command, impact, wanted, answers)


# ---- what the cache holds ----------------------------------------------------------------------


def _code_of(rules: Sequence[ActiveRule]) -> list[tuple[str, int, int]]:
    """Size and time of the engine's and the rules' own files, data too, so that a change of them outdates the cache."""
    folders = {Path(__file__).parent}
    for rule, _ in rules:
        folders.add(Path(sys.modules[rule.module.partition(".")[0]].__path__[0]))
    found = []
    for folder in sorted(folders):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.parent.name != "__pycache__":
                stat = path.stat()
                found.append((path.name, stat.st_size, stat.st_mtime_ns))
    return found


def _encoded(result: UnitResult) -> Any:
    return {
        "outcomes": [{**asdict(one), "impact": int(one.impact)} for one in result.outcomes],
        "errors": [asdict(one) for one in result.errors],
        "notes": result.notes,
    }


def _decoded(stored: Any) -> UnitResult | None:
    """The result that was stored; None if it is not of this form."""
    try:
        outcomes = []
        for one in stored["outcomes"]:
            replacements = tuple(
                Replacement(**{**part, "region": Region(**part["region"])}) for part in one["replacements"]
            )
            outcomes.append(
                Outcome(
                    **{
                        **one,
                        "language": Language(one["language"]),
                        "region": Region(**one["region"]),
                        "impact": Impact(one["impact"]),
                        "status": Status(one["status"]),
                        "replacements": replacements,
                    }
                )
            )
        errors = [FileError(**one) for one in stored["errors"]]
        return UnitResult(outcomes, errors=errors, notes=list(stored["notes"]))
    except (KeyError, TypeError, ValueError):
        return None


# ---- renamed literals --------------------------------------------------------------------------

MAX_MENTIONS = 10
_MENTION_BYTES = 1_000_000
_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_TO_WORDS = bytes(byte if byte in _WORD else 32 for byte in range(256))


def _any_of(names: Sequence[str]) -> re.Pattern[bytes]:
    """Matches each of the names where it is no part of a longer word."""
    either = b"|".join(re.escape(one.encode()) for one in sorted(names, key=len, reverse=True))
    return re.compile(rb"(?<![\w-])(?:" + either + rb")(?![\w-])")


_LABEL = re.compile(rb"^[ \t]*[\w-]+[ \t]+(?:\"[\w-]*\"[ \t]+)?\"$")
_REFERENCE = re.compile(rb"(?<![\w.-])(?:data\.)?(?:module|[a-z][a-z0-9]*_\w+)\.$")
_CONSTRUCT_ID = re.compile(rb"\b[A-Z]\w*(?:\.from_\w+)?\(\s*[\w.]+\s*,\s*(?:(?:construct_)?id\s*=\s*)?[\"']$")
_REACH = 200
"""Bytes before a name that show what it is."""


def _is_address(path: str, text: bytes, start: int, end: int) -> bool:
    """Whether it is what only the code itself calls something: a block's label, a reference, a construct's id.

    Another of these would replace the resource, which has its physical name from elsewhere.
    """
    before = text[max(0, start - _REACH) : start]
    if path.endswith(".tf"):
        is_label = text[end : end + 1] == b'"' and _LABEL.search(before.rpartition(b"\n")[2])
        return bool(is_label or _REFERENCE.search(before))
    return path.endswith(".py") and text[end : end + 1] in {b'"', b"'"} and bool(_CONSTRUCT_ID.search(before))


def mentions(project: Project, literals: Sequence[str], changed: Mapping[str, bytes | None]) -> list[str]:
    """Notes on where else in the project the old names stand; `changed` files count with their new content.

    Files above a megabyte and those that hold NUL bytes are not searched.
    """
    patterns: dict[bytes, list[str]] = {}
    for name in sorted(set(literals), key=lambda one: (-len(one), one)):
        if words := name.encode().translate(_TO_WORDS).split():
            patterns.setdefault(words[0], []).append(name)
    if not patterns:
        return []
    places: dict[str, list[str]] = {}
    for path in project.files:
        full = project.root / path
        try:
            if full.stat().st_size > _MENTION_BYTES:
                continue
            text = changed[path] if path in changed else full.read_bytes()
        except OSError:
            continue
        if text is None or b"\0" in text:
            continue
        names = [name for word in patterns.keys() & set(text.translate(_TO_WORDS).split()) for name in patterns[word]]
        for match in _any_of(names).finditer(text) if names else ():
            if _is_address(path, text, *match.span()):
                continue
            line = text.count(b"\n", 0, match.start()) + 1
            places.setdefault(match.group().decode(), []).append(f"{path}:{line}")
    notes = []
    for name, found in sorted(places.items()):
        more = f" and {len(found) - MAX_MENTIONS} more" if len(found) > MAX_MENTIONS else ""
        notes.append(f'"{name}" was renamed and is still named in {", ".join(found[:MAX_MENTIONS])}{more}')
    return notes
