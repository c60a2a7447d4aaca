"""Copies of a directory to run commands in, and running them; all is gone afterwards, also if interrupted."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import FrameType

from fixer.result import FileChange

_LEFT_OUT = frozenset({".git", ".nox", ".terraform", ".terragrunt-cache", ".tox", "__pycache__", "cdk.out"})
"""What tools write: it is made again where it is needed."""
_LINKED = frozenset({"node_modules", "site-packages", "third_party", "vendor"})
"""Other people's files: needed, large, and nothing that a run writes to; so are virtual environments."""


class BrokenError(Exception):
    """A command failed; the message is the line of its output that says why."""


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Scratch:
    """A directory of ours, for the runs on one directory of a project."""

    root: Path
    """The project's."""
    directory: str
    """What is copied, relative to the root."""
    place: Path
    """A real path; what is in it goes with it."""
    timeout: float
    """Seconds that a command may take."""

    @contextmanager
    def copy(self, changes: Sequence[FileChange] = ()) -> Iterator[Path]:
        """A fresh copy of the directory with the changes made, always under the same path.

        What is beside it in the project is beside the copy too, as links.
        """
        tree = self.place / "project"
        try:
            yield _mirror(self.root, self.directory, tree, changes)
        finally:
            shutil.rmtree(tree, ignore_errors=True)

    def run(self, command: str | Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Done:
        """Run a command, a text in the shell, with its output kept.

        Raises:
            BrokenError: it took too long, or can't be started.
        """
        temporary = self.place / "tmp"
        temporary.mkdir(exist_ok=True)
        out, err = self.place / "out", self.place / "err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            try:
                process = subprocess.Popen(
                    command,
                    shell=isinstance(command, str),
                    cwd=cwd,
                    env={**environment, "TMPDIR": str(temporary)},
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    start_new_session=True,
                )
            except OSError as error:
                raise BrokenError(f"can't be started: {error.strerror}") from error
            try:
                code = process.wait(self.timeout)
            except subprocess.TimeoutExpired as error:
                raise BrokenError(f"took longer than {self.timeout:g} s") from error
            finally:
                _end(process)
        return Done(code, out.read_text("utf-8", "replace"), err.read_text("utf-8", "replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the command and of all that it started."""
    with suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def scratch(root: Path, directory: str, timeout: float) -> Iterator[Scratch]:
    """A scratch directory that is removed at the end, whatever ends it but a kill."""
    with (
        _termination_raised(),
        tempfile.TemporaryDirectory(prefix="iacfix-", ignore_cleanup_errors=True) as place,
    ):
        yield Scratch(root, directory, Path(place).resolve(), timeout)


@contextmanager
def _termination_raised() -> Iterator[None]:
    """Have SIGTERM end the program as an exception does, which tidies up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# ---- copies ------------------------------------------------------------------------------------


def _mirror(root: Path, directory: str, tree: Path, changes: Sequence[FileChange]) -> Path:
    """Copy a directory of the project to its place below `tree`, and link what is beside it and above."""
    source, target = root, tree
    for part in PurePosixPath(directory).parts:
        target.mkdir()
        for entry in os.scandir(source):
            if entry.name not in {part, ".git"}:
                (target / entry.name).symlink_to(entry.path)
        source, target = source / part, target / part
    _copy(source, target)
    for change in changes:
        if change.moved_from is not None:
            (tree / change.moved_from).unlink(missing_ok=True)
        if change.after is None:
            (tree / change.path).unlink(missing_ok=True)
        else:
            _put(tree / change.path, change.after, within=target)
    return target


def _put(path: Path, content: bytes, within: Path) -> None:
    """Write a file of the copy; where a link leads out of it, put the file in the link's place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() and not path.resolve().is_relative_to(within):
        path.unlink()
    path.write_bytes(content)


def _copy(source: Path, target: Path) -> None:
    target.mkdir()
    for entry in os.scandir(source):
        copied = target / entry.name
        if entry.is_symlink():
            copied.symlink_to(Path(entry.path).readlink())
        elif entry.is_dir():
            if entry.name in _LINKED or Path(entry.path, "pyvenv.cfg").exists():
                copied.symlink_to(entry.path)
            elif entry.name not in _LEFT_OUT:
                _copy(Path(entry.path), copied)
        elif stat.S_ISREG(entry.stat().st_mode):
            shutil.copy2(entry.path, copied)
