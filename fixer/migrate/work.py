"""Planning for one repository, in a process of its own that may take so long, and so much memory, and no more."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fixer import report
from fixer.hosting import plan
from fixer.hosting.credentials import VARIABLES
from fixer.hosting.errors import HostingError
from fixer.hosting.plan import Words
from fixer.hosting.plumbing import Remote
from fixer.hosting.store import Entry, Store
from fixer.project.files import LEFT_OUT
from fixer.request import DisabledError, Request, RequestError

_MATTERS = re.compile(
    r".*(?:\.(?:py|tf|tofu|tf\.json|tofu\.json|tfvars|toml|cfg|lock|lock\.hcl|gitattributes)"
    r"|/requirements[^/]*\.(?:txt|in)|/cdk(?:\.context)?\.json|/pyvenv\.cfg)",
    re.IGNORECASE,
)
"""Files that decide what is found, matched with a slash before the path."""
_GRACE = 10
"""Seconds that a process gets to end by itself."""
_LARGEST_FILE = 2**31


@dataclass(frozen=True)
class Task:
    """What a worker has to know; it holds no token that may write."""

    number: int
    """The repository's, in the journal."""
    url: str
    words: Words
    request: Request = field(default_factory=Request)
    page: str = ""
    branch: str = ""
    """Empty for what HEAD is."""
    paths: tuple[str, ...] = ()
    by_rule: bool = False
    known: str = ""
    """The commit that there is a plan for already."""
    token: str = ""
    """For reading, and only if it is needed for that."""
    timeout: float = 300
    """Seconds."""
    memory: int = 2_000
    """Megabytes."""


@dataclass(frozen=True)
class Outcome:
    """What came of a task."""

    number: int
    base: str = ""
    """The commit that was looked at."""
    is_known: bool = False
    """Whether that is the one that there is a plan for already; the rest is empty then."""
    fingerprint: str = ""
    proposal: bytes = b""
    """See `Proposal.pack`; empty if there is nothing to fix."""
    report: bytes = b""
    """The JSON report, compressed with zlib."""
    skipped: str = ""
    """Why nothing was looked at."""
    kind: str = ""
    """The class of the failure, if it failed: one of `errors.Kind`, `timeout`, `memory`, `crash`, `config`."""
    error: str = ""
    milliseconds: int = 0


def make(task: Task, scratch: Path) -> Outcome:
    """Plan, here and now."""
    started = time.monotonic()
    try:
        outcome = _planned(task, scratch)
    except DisabledError as error:
        outcome = Outcome(task.number, skipped=f"{error} says enabled = false")
    except RequestError as error:
        outcome = Outcome(task.number, kind="config", error=str(error))
    except HostingError as error:
        outcome = Outcome(task.number, kind=error.kind.value, error=str(error))
    except MemoryError:
        outcome = Outcome(task.number, kind="memory", error=f"it takes more than {task.memory} MB")
    return Outcome(**{**vars(outcome), "milliseconds": round(1000 * (time.monotonic() - started))})


def _planned(task: Task, scratch: Path) -> Outcome:
    store = Store(scratch)
    remote = Remote(task.url, lambda: task.token)
    ref = f"refs/heads/{task.branch}" if task.branch else "HEAD"
    refs = store.refs(remote, ref)
    if ref not in refs:
        return Outcome(task.number, skipped=f"there is no branch {task.branch}" if task.branch else "it is empty")
    if refs[ref] == task.known:
        return Outcome(task.number, task.known, is_known=True)
    base = store.fetch(remote, ref, contents=False)
    store.fetch_contents(remote, base, [entry.blob for entry in store.entries(base) if _matters(entry)])
    made = plan.make(
        *(store, base, scratch, task.request, task.paths),
        words=task.words,
        page=task.page,
        by_rule=task.by_rule,
        wanted=_matters,
    )
    proposal = made.proposal
    packed = proposal.pack() if proposal.commits else b""
    told = zlib.compress(report.render("json", made.result).encode())
    return Outcome(task.number, base, fingerprint=proposal.fingerprint, proposal=packed, report=told)


def _matters(entry: Entry) -> bool:
    return bool(_MATTERS.fullmatch("/" + entry.path)) and LEFT_OUT.isdisjoint(entry.path.split("/")[:-1])


# ---- in a process that can be killed -----------------------------------------------------------


def limited(task: Task) -> Outcome:
    """Plan in a process of its own; whatever becomes of that, there is an outcome, and nothing is left behind."""
    started = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="iacfix-"))
    try:
        # Dask's workers are daemons, which may have no children of the usual kind.
        run = _in_command if multiprocessing.current_process().daemon else _in_process
        outcome = run(task, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if not outcome.milliseconds:
        outcome = Outcome(**{**vars(outcome), "milliseconds": round(1000 * (time.monotonic() - started))})
    return outcome


def _in_process(task: Task, scratch: Path) -> Outcome:
    context: Any = multiprocessing.get_context("forkserver" if sys.platform != "win32" else "spawn")
    if sys.platform != "win32":
        context.set_forkserver_preload([__name__, "fixer.cdk", "fixer.terraform", "github", "git", "hcl2"])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(task, scratch, theirs))
    process.start()
    theirs.close()
    try:
        if not ours.poll(task.timeout):
            return Outcome(task.number, kind="timeout", error=f"it takes longer than {task.timeout:g} s")
        received: Outcome = ours.recv()
        return received
    except EOFError:
        process.join(_GRACE)
        return _died(task, process.exitcode)
    finally:
        ours.close()
        _end(process.pid)
        process.kill()  # it may not have had the time to lead a group of its own
        process.join()


def _in_command(task: Task, scratch: Path) -> Outcome:
    command = [sys.executable, "-I", "-c", f"from {__name__} import _main; _main()"]
    process = subprocess.Popen(
        command,
        env={name: value for name, value in os.environ.items() if name not in VARIABLES},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(pickle.dumps((task, scratch)), timeout=task.timeout)
        received: Outcome = pickle.loads(said)  # noqa: S301 - from our own child
        return received
    except subprocess.TimeoutExpired:
        return Outcome(task.number, kind="timeout", error=f"it takes longer than {task.timeout:g} s")
    except (EOFError, pickle.UnpicklingError):
        return _died(task, process.returncode)
    finally:
        _end(process.pid)
        process.wait()


def _main() -> None:
    """The child's side of `_in_command`."""
    task, scratch = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - from our own parent
    _limit(task)
    sys.stdout.buffer.write(pickle.dumps(make(task, scratch)))


def _child(task: Task, scratch: Path, pipe: Connection) -> None:
    """The child's side of `_in_process`."""
    if sys.platform != "win32":
        os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the coordinator decides
    for name in VARIABLES:
        os.environ.pop(name, None)
    _limit(task)
    outcome = make(task, scratch)
    try:
        pipe.send(outcome)
    except BrokenPipeError:  # the coordinator is no more
        shutil.rmtree(scratch, ignore_errors=True)


def _limit(task: Task) -> None:
    """Bound what this process and its children may take."""
    if sys.platform == "win32":
        return
    import resource

    os.nice(5)
    wanted = {
        resource.RLIMIT_AS: task.memory * 1_000_000,
        resource.RLIMIT_CPU: int(task.timeout) + 1,
        resource.RLIMIT_FSIZE: _LARGEST_FILE,
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in wanted.items():
        with suppress(ValueError, OSError):  # a lower one holds already
            resource.setrlimit(kind, (value, value))


def _died(task: Task, code: int | None) -> Outcome:
    if code == -signal.SIGXCPU:
        return Outcome(task.number, kind="timeout", error=f"it takes longer than {task.timeout:g} s")
    return Outcome(task.number, kind="crash", error=f"the process that planned for it died (code {code})")


def abandon() -> None:
    """End all processes that plan, now."""
    for process in multiprocessing.active_children():
        _end(process.pid)
        process.kill()


def _end(group: int | None) -> None:
    """End a process and all that it started."""
    if group is None or sys.platform == "win32":
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
