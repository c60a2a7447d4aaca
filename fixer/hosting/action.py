"""What the GitHub Action does in a job: which work an event is for, that work, and its report in the runner's ways.

Nothing but workflow commands is printed, so that no name in a repository can become one.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fixer.hosting import lifecycle
from fixer.hosting.credentials import Credentials, basic, from_environment, redacted
from fixer.hosting.errors import HostingError
from fixer.hosting.inputs import PREFIX, FailOn, Inputs, Mode
from fixer.hosting.lifecycle import Operation, Published, Wish
from fixer.hosting.runner import ActionError, Runner, Tell
from fixer.model import Status
from fixer.report.github import command
from fixer.request import DisabledError, Request, RequestError
from fixer.write import LostError, WriteError

if TYPE_CHECKING:
    from fixer.hosting.bot import Order
    from fixer.result import FileChange, Result

_TITLE = {"title": "iacfix"}
FOUND, ERROR = 1, 2
"""Exit codes: `fail-on` says so; it can't be done at all."""

_MAKES_PULL_REQUESTS = ("push", "schedule", "workflow_dispatch", "repository_dispatch")
_REFUSED = {
    "pull_request_target": "it runs with the rights of the base branch on what a stranger sends",
    "workflow_run": "it runs with the rights of the default branch on what another run was sent",
}
_OPERATIONS = {
    Operation.CREATED: "created",
    Operation.UPDATED: "updated",
    Operation.CLOSED: "closed",
}


@dataclass(frozen=True)
class Work:
    """What an event is for."""

    mode: Mode
    base: str = ""
    """The branch to fix, in mode `pr`."""
    expected: str | None = None
    """The commit that the branch is to be at."""


@dataclass(frozen=True)
class Done:
    """What came of the work."""

    result: Result | None = None
    """What was found; None if nobody looked."""
    changes: tuple[FileChange, ...] = ()
    """What was changed, or could be."""
    published: Published = field(default_factory=lambda: Published(Operation.SKIPPED))
    notices: tuple[str, ...] = ()


# ---- the job -----------------------------------------------------------------------------------


def run(env: MutableMapping[str, str], tell: Tell) -> int:
    """Do what the job is for; returns the exit code.

    The token is taken out of the environment, so that no program that is started has it.
    """
    secret = env.pop(f"{PREFIX}TOKEN", "").strip()
    try:
        runner = Runner.of(env)
        for form in (secret, basic(secret)) if secret else ():
            tell(command("add-mask", {}, form) + "\n")
        inputs = Inputs.of(env)
        credentials = from_environment({f"{PREFIX}TOKEN": secret}, runner.api_url) if secret else None
        done = _done(runner, inputs, credentials)
        _report(runner, done, tell)
    except Exception as error:
        tell(command("error", _TITLE, redacted(_reason(error), [secret])) + "\n")
        return ERROR
    return _exit_code(inputs.fail_on, done.result)


def _reason(error: Exception) -> str:
    match error:
        case ActionError() | RequestError() | HostingError() | LostError():
            return str(error)
        case WriteError():
            return f"{error}; no file was changed"
        case BrokenExecutor():
            return "a worker process died, for want of memory perhaps"
        case OSError(filename=name, strerror=why):
            return f"{name}: {why}" if name else why or str(error)
        case _:
            from fixer.engine import defect

            return f"broke, which is a defect; please report it: {defect(error)}"


def _done(runner: Runner, inputs: Inputs, credentials: Credentials | None) -> Done:
    work = work_of(runner, inputs)
    if isinstance(work, str):
        return Done(notices=(work,))
    try:
        if work.mode is Mode.PR:
            return _served(runner, inputs, work, credentials)
        return _fixed(runner, inputs) if work.mode is Mode.FIX else _checked(runner, inputs)
    except DisabledError as error:
        return Done(notices=(f"Off, as {error} says enabled = false.",))


def work_of(runner: Runner, inputs: Inputs) -> Work | str:
    """What the event is for, or why it is for nothing.

    Raises:
        ActionError: the event is one that iacfix must not or can't work for.
    """
    if runner.event in _REFUSED:
        raise ActionError(f"{runner.event} is refused: {_REFUSED[runner.event]}; use pull_request")
    if runner.event == "pull_request":
        return Work(Mode.CHECK)
    if runner.event == "push" and runner.payload.get("deleted") is True:
        return "Nothing to do: the branch or tag was deleted."
    if inputs.mode is not Mode.PR:
        return Work(inputs.mode)
    if runner.event not in _MAKES_PULL_REQUESTS:
        names = f"{', '.join(_MAKES_PULL_REQUESTS[:-1])} or {_MAKES_PULL_REQUESTS[-1]}"
        raise ActionError(f"{runner.event} is no event for mode pr: use {names}, or another mode")
    if lifecycle.is_own(runner.branch) or (inputs.branch and runner.branch == inputs.branch):
        return f"Nothing to do: {runner.branch} is a branch of iacfix's own."
    if not runner.branch and not inputs.base:
        return f"Nothing to do: {runner.ref or 'a detached commit'} is no branch, and the input base names none."
    base = inputs.base or runner.branch
    return Work(Mode.PR, base, runner.sha if runner.event == "push" and base == runner.branch else None)


def _exit_code(fail_on: FailOn, result: Result | None) -> int:
    if result is None or fail_on is FailOn.NEVER:
        return 0
    counts = dict(result.counts)
    del counts[Status.SUPPRESSED]
    if fail_on is FailOn.ANY:
        return FOUND if result.errors or any(counts.values()) else 0
    return FOUND if counts[Status.FIXABLE] or counts[Status.FIXED] else 0


# ---- the work ----------------------------------------------------------------------------------


def _served(runner: Runner, inputs: Inputs, work: Work, credentials: Credentials | None) -> Done:
    from fixer.hosting.bot import serve
    from fixer.hosting.github import Host

    if credentials is None:
        raise ActionError("the input token is empty, and mode pr needs one")
    served = serve(Host(runner.api_url, credentials), runner.repository, _order(runner, inputs, work))
    result = served.plan.result if served.plan else None
    done = served.published
    reason = (f"{done.operation.value}: {done.reason}",) if done.reason else ()
    return Done(result, result.files if result else (), done, (*reason, *done.problems))


def _order(runner: Runner, inputs: Inputs, work: Work) -> Order:
    from fixer.hosting.bot import Order

    wish = Wish(
        work.base,
        inputs.branch,
        draft=inputs.draft,
        labels=inputs.labels,
        reviewers=inputs.reviewers,
        team_reviewers=inputs.team_reviewers,
        signed=inputs.sign_commits,
        delete_branch=inputs.delete_branch,
    )
    return Order(
        _request(runner, inputs, proofs=inputs.prove),
        inputs.paths,
        base=work.base,
        branch=inputs.branch or None,
        campaign=inputs.campaign,
        by_rule=inputs.commits == "rule",
        title=inputs.title,
        commit_message=inputs.commit_message,
        expected=work.expected,
        wish=wish,
    )


def _checked(runner: Runner, inputs: Inputs) -> Done:
    """What is found in the workspace, and the changes that would fix it; nothing is written there.

    No program of the project's is run: the workspace may hold what a stranger sent.
    """
    paths, root = _paths_and_root(runner, inputs)
    request = _request(runner, inputs, paths)
    result = request.perform("check", root=root)
    changes = request.perform("apply --dry-run", root=root).files if result.counts[Status.FIXABLE] else ()
    left = ("The input prove is for the modes fix and pr: nothing was run.",) if inputs.prove else ()
    return Done(result, changes, notices=left)


def _fixed(runner: Runner, inputs: Inputs) -> Done:
    from fixer.write import write

    paths, root = _paths_and_root(runner, inputs)
    result = _request(runner, inputs, paths, inputs.prove).perform("apply", root=root)
    write(result.root, result.files)
    return Done(result, result.files)


def _request(runner: Runner, inputs: Inputs, paths: tuple[Path, ...] = (), proofs: tuple[str, ...] = ()) -> Request:
    return Request(
        paths,
        select=inputs.rules,
        ignore=inputs.ignore,
        impact=inputs.impact,
        config=_there(runner, inputs.config) if inputs.config else None,
        cached=False,  # what a job leaves behind may be read by another one's
        proofs=proofs,
    )


def _paths_and_root(runner: Runner, inputs: Inputs) -> tuple[tuple[Path, ...], Path]:
    """Where to look, and the work tree that holds it, or else the workspace; nothing above that."""
    from fixer.project import root_of

    paths = tuple(_there(runner, path) for path in inputs.paths or (".",))
    workspace, root = _workspace(runner), root_of(paths)
    is_checkout = root.is_relative_to(workspace) and (root / ".git").exists()
    return paths, root if is_checkout else workspace


def _there(runner: Runner, path: str) -> Path:
    """A path of the workspace, by its real name."""
    workspace = _workspace(runner)
    real = Path(os.path.realpath(workspace / path))
    if not real.is_relative_to(workspace):
        raise ActionError(f"{path}: leads out of the workspace")
    if not real.exists():
        raise ActionError(f"{path}: is not in the workspace; run actions/checkout before")
    return real


def _workspace(runner: Runner) -> Path:
    if runner.workspace is None or not runner.workspace.is_dir():
        raise ActionError("GITHUB_WORKSPACE is no directory: run actions/checkout before")
    return Path(os.path.realpath(runner.workspace))


# ---- the report --------------------------------------------------------------------------------


def _report(runner: Runner, done: Done, tell: Tell) -> None:
    from fixer.report import render

    if done.result:
        tell(render("github", done.result))
    for notice in done.notices:
        tell(command("notice", _TITLE, notice) + "\n")
    runner.summarize(_summary(done))
    runner.give(outputs(done, _files(runner, done)))


def _summary(done: Done) -> str:
    from fixer.report import gfm, render

    made = done.published
    parts = [render("markdown", done.result) if done.result else "## iacfix\n"]
    if made.number:
        parts.append(f"{gfm.link(f'Pull request {made.number}', made.url)}: {made.operation.value}.\n")
    parts += [f"{gfm.text(notice)}\n" for notice in done.notices]
    return "\n".join(parts) + "\n"


def _files(runner: Runner, done: Done) -> dict[str, str]:
    """Write reports and the patch to a new directory; returns where each is, by the output's name."""
    if done.result is None:
        return {}
    from fixer.report import render
    from fixer.report.diff import unified

    directory = Path(tempfile.mkdtemp(prefix="iacfix-", dir=runner.temp))
    contents = {
        "sarif-path": ("iacfix.sarif", render("sarif", done.result).encode()),
        "report-path": ("iacfix.json", render("json", done.result).encode()),
        **({"patch-path": ("iacfix.patch", unified(done.changes))} if done.changes else {}),
    }
    for name, content in contents.values():
        (directory / name).write_bytes(content)
    return {output: str(directory / name) for output, (name, _) in contents.items()}


def outputs(done: Done, files: Mapping[str, str]) -> dict[str, str]:
    """The outputs of the action, by name; all of them are always there."""
    counts = done.result.counts if done.result else {}
    made = done.published
    return {
        "pull-request-number": str(made.number or ""),
        "pull-request-url": made.url,
        "pull-request-operation": _OPERATIONS.get(made.operation, "none"),
        "pull-request-head-sha": made.head,
        "changed-files": json.dumps(sorted(set(_changed(done)))),
        "findings": str(sum(number for status, number in counts.items() if status is not Status.SUPPRESSED)),
        "fixed": str(counts.get(Status.FIXED, 0)),
        **{name: files.get(name, "") for name in ("sarif-path", "report-path", "patch-path")},
    }


def _changed(done: Done) -> Iterator[str]:
    for change in done.changes:
        yield change.path
        if change.moved_from is not None:
            yield change.moved_from
