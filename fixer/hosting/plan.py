"""What iacfix would change on a branch as it is on the host: fixes, and the commits that make them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fixer.hosting.layout import lay_out
from fixer.hosting.marker import fingerprint
from fixer.hosting.proposal import Commit, Proposal
from fixer.hosting.store import Entry, Store
from fixer.model import Status
from fixer.project.files import SOURCES, printable
from fixer.report import pull_request as text
from fixer.request import Request, RequestError
from fixer.result import FileChange, FileError, Result
from fixer.run import Progress

TRAILER = "Iacfix-Campaign"
"""The line of a commit's message that says which campaign made it."""


@dataclass(frozen=True)
class Words:
    """What commits and pull request say; empty for what was fixed."""

    campaign: str
    title: str = ""
    commit_message: str = ""

    def message(self, result: Result, rule: str | None) -> str:
        """The message of the commit for a rule, or for all."""
        said = self.commit_message or text.commit_message(result, rule)
        return f"{said.rstrip()}\n\n{TRAILER}: {self.campaign}\n"


@dataclass(frozen=True)
class Plan:
    """Fixes for one commit."""

    result: Result
    proposal: Proposal


def make(
    store: Store,
    base: str,
    scratch: Path,
    request: Request,
    paths: Sequence[str] = (),
    *,
    words: Words,
    page: str = "",
    by_rule: bool = False,
    wanted: Callable[[Entry], bool] = lambda entry: True,
    progress: Progress = lambda done, total, doing: None,
) -> Plan:
    """Work out the fixes for a commit.

    Args:
        store: Holds the commit.
        base: Its hash.
        scratch: A directory for its files, which is gone afterwards.
        request: What to look for; its paths do not count.
        paths: Files and directories of the commit; empty for all.
        words: What is to be said.
        page: The repository's address for people, that links go to; may be empty.
        by_rule: Whether each rule gets a commit of its own.
        wanted: Which files are laid out.
        progress: Told how many of how many units are done.

    Raises:
        RequestError, DisabledError: see `Request.perform`.
    """
    root = scratch / "files"
    try:
        root.mkdir()
        refused = lay_out(store, base, root, wanted)
        for path in paths:
            if not (root / path).exists():
                raise RequestError(f"{path}: there is no such file or directory on the branch")
        request = replace(request, paths=tuple(root / path for path in paths) or (root,))
        result = request.perform("apply", root=root, progress=progress)
        steps = _steps(result, request, root, by_rule=by_rule)
        proposal = Proposal(
            base,
            fingerprint(result.outcomes, result.files),
            words.title or text.title(result),
            text.body(result, text.Place(page, base)),
            tuple(Commit(words.message(result, rule), files) for rule, files in steps),
        )
        return Plan(replace(result, errors=(*result.errors, *_left_out(refused))), proposal)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _left_out(paths: Sequence[str]) -> list[FileError]:
    message = "is left alone, as its name is no safe one, or differs from another in case alone"
    return [FileError(printable(path), message) for path in paths if path.endswith(SOURCES)]


def _steps(
    result: Result, request: Request, root: Path, *, by_rule: bool
) -> list[tuple[str | None, tuple[FileChange, ...]]]:
    """The files of each commit, and the rule it is for; the last one has all that the rules do together."""
    if not result.files:
        return []
    rules = [info.name for info in result.rules if _is_fixed_by(info.name, result)]
    if not by_rule or len(rules) < 2:
        return [(None, result.files)]
    steps: list[tuple[str | None, tuple[FileChange, ...]]] = []
    for number, rule in enumerate(rules[:-1], 1):
        some = replace(request, select=tuple(rules[:number]), proofs=()).perform("apply", root=root)
        if some.files and (not steps or some.files != steps[-1][1]):
            steps.append((rule, some.files))
    return [*steps, (rules[-1], result.files)]


def _is_fixed_by(rule: str, result: Result) -> bool:
    return any(one.rule == rule and one.status is Status.FIXED for one in result.outcomes)
