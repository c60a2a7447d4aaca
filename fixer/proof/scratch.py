"""Copies of a directory to run commands in, and running them; all is gone afterwards, also if interrupted."""

from __future__ import annotations

import os
import re
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


_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
"""What colours a terminal's text or has it do something else: control sequences of ECMA-48."""


class BrokenError(Exception):
    """A command failed; the message is the clause that says which and why."""


class MissingError(BrokenError):
    """There is no command to run."""


@dataclass(frozen=True)
class Done:
    """A command that ended: its exit code, and its output as the project's own directory would have given it.

    The output is without colours, and names files of the copy by their paths in the project.
    """

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
            remove(tree)

    def run(self, name: str, command: str | Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Done:
        """Run a command, a text in the shell, with its output kept; errors call it by the name.

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
                raise BrokenError(f"{name} can't be started: {error.strerror}") from error
            try:
                code = process.wait(self.timeout)
            except subprocess.TimeoutExpired as error:
                raise BrokenError(f"{name} took longer than {self.timeout:g} s") from error
            finally:
                _end(process)
        return Done(code, self._told(out), self._told(err))

    def _told(self, output: Path) -> str:
        text = _ESCAPES.sub("", output.read_text("utf-8", "replace"))
        tree = self.place / "project"
        return text.replace(f"{tree}{os.sep}", "").replace(str(tree), ".")


def remove(tree: Path) -> None:
    """Remove a directory with all that is in it, also what a command made unwritable."""
    for directory, names, _ in os.walk(tree):
        for inner in (Path(directory, name) for name in names):
            if not inner.is_symlink():
                with suppress(OSError):
                    inner.chmod(stat.S_IRWXU)
    shutil.rmtree(tree, ignore_errors=True)


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
    with _termination_raised():
        place = Path(tempfile.mkdtemp(prefix="iacfix-")).resolve()
        try:
            yield Scratch(root, directory, place, timeout)
        finally:
            remove(place)


_ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def _termination_raised() -> Iterator[None]:
    """Have the signals that end the program do it as an exception does, which tidies up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = [(one, signal.signal(one, leave)) for one in _ENDINGS if signal.getsignal(one) is not signal.SIG_IGN]
    try:
        yield
    finally:
        for one, handler in before:
            signal.signal(one, handler)


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
