"""Write a run's changes to disk: all of them or none.

Every new content is first written whole beside its target, then all targets are renamed into place. Whatever goes
wrong before the last rename (a file changed meanwhile, a full disk, an interrupt) puts back those already in place.
A process that is killed outright leaves each file as the old or the new one, never a part; what it leaves besides is a
hidden file or two that the next `clean` removes. New files come first and removed ones last, so that nothing is ever
missing from the tree.

Runs that write below the same root wait for each other. Runs on roots that overlap do not: each refuses a file that
the other has changed. A hard link is broken: the file's other names keep the old content.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fixer.result import FileChange

if sys.platform != "win32":
    import fcntl

_OURS = re.compile(r"\.iacfix-(\d+)-[0-9a-f]{16}\.tmp")
_STALE_AFTER = 24 * 60 * 60
_HELD = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class WriteError(Exception):
    """A file that can't be written, and why. Nothing was written, unless it is a LostError.

    `str` gives one line for people: `main.tf: read-only`.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path = path
        self.message = message

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class LostError(WriteError):
    """A file that could not be put back as it was; the message says where its old content is."""


def write(root: Path, changes: Sequence[FileChange]) -> None:
    """Make all changes below `root`, or none.

    A file keeps its mode, and its owner and extended attributes where that is allowed; a new file gets the mode that
    the umask gives. Missing directories are made. A symbolic link within `root` is followed and stays. Raises
    WriteError with the tree as it was. SIGINT, SIGTERM and SIGHUP are held back while it works; one that comes before
    all is in place finds the tree as it was.
    """
    root = Path(os.path.realpath(root))
    steps = _plan(root, changes)
    if not steps:
        return
    with _signals_held() as raise_if_held, _locked(root, raise_if_held):
        made: list[Path] = []
        try:
            clean({step.target.parent for step in steps})
            for step in steps:
                with _reported(step):
                    step.check()
            for step in steps:
                raise_if_held()
                with _reported(step):
                    _make_directories(step.target.parent, made)
                    step.stage()
            for step in steps:
                raise_if_held()
                with _reported(step):
                    step.check()
                    step.commit()
            _sync({step.target.parent for step in steps} | {directory.parent for directory in made})
            raise_if_held()
        except BaseException as error:
            if lost := _undo(steps):
                raise lost from error
            raise
        finally:
            for step in steps:
                step.tidy()
            for directory in reversed(made):
                with suppress(OSError):  # one that holds something stays
                    directory.rmdir()


def clean(directories: Iterable[Path]) -> None:
    """Remove what killed runs left in these directories, not in those below them.

    A file whose process lives is left alone for a day; what can't be removed stays, as it does no harm.
    """
    for directory in directories:
        with suppress(OSError), os.scandir(directory) as entries:
            for entry in entries:
                match = _OURS.fullmatch(entry.name)
                if match and entry.is_file(follow_symlinks=False) and _is_stale(entry, int(match[1])):
                    Path(entry.path).unlink(missing_ok=True)


def _is_stale(entry: os.DirEntry[str], pid: int) -> bool:
    changed = entry.stat(follow_symlinks=False).st_ctime  # the mtime of a backup is that of the file it backs up
    return changed < time.time() - _STALE_AFTER or not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # os.kill would end it
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


# ---- steps -------------------------------------------------------------------------------------


@dataclass
class _Step:
    """One file to make (`before` is None), to replace, or to remove (`after` is None)."""

    root: Path
    path: str
    target: Path
    """The real file, with all links resolved."""
    before: bytes | None
    after: bytes | None
    model: Path | None
    """The file whose mode, owner and attributes the new content gets."""
    staged: Path | None = None
    backup: Path | None = None
    placed: os.stat_result | None = None
    """The staged file, which is the target once it is in place."""
    begun: bool = False

    def check(self) -> None:
        """Raise WriteError unless the target is what it was when it was read, and may be written."""
        if _resolve(self.root, self.path) != self.target:
            raise WriteError(self.path, "changed on disk since it was read")
        found = _lstat(self.target)
        if self.before is None:
            if found or os.path.lexists(self.root / self.path):
                raise WriteError(self.path, "exists already")
        elif found is None:
            raise WriteError(self.path, "removed since it was read")
        elif not stat.S_ISREG(found.st_mode):
            raise WriteError(self.path, "is not a regular file")
        elif not _is_writable(self.target, found):
            raise WriteError(self.path, "read-only")
        elif self.target.read_bytes() != self.before:
            raise WriteError(self.path, "changed on disk since it was read")
        directory = _nearest_directory(self.target.parent)
        if not _is_writable(directory, directory.stat()):
            raise WriteError(self.path, "its directory is read-only")
        if found and _is_stuck(found, directory.stat()):
            raise WriteError(self.path, "belongs to another user, and its directory lets only its owner replace it")

    def stage(self) -> None:
        """Write the new content beside the target, and keep the old one there too."""
        if self.after is not None:
            self.staged = _beside(self.target)
            _write_new(self.staged, self.after, self.model)
            self.placed = self.staged.stat()
        if self.before is not None:
            self.backup = _beside(self.target)
            try:
                self.backup.hardlink_to(self.target)
            except OSError:  # this file system, or this system, forbids links
                _write_new(self.backup, self.before, self.target)

    def commit(self) -> None:
        self.begun = True
        if self.staged is None:
            self.target.unlink()
        elif self.before is None:
            _move_to_free_name(self.staged, self.target)
        else:
            self.staged.replace(self.target)

    def undo(self) -> None:
        """Put the old state back, unless someone else has changed the target since."""
        found = _lstat(self.target)
        ours = found is None if self.placed is None else found is not None and os.path.samestat(found, self.placed)
        if not self.begun or not ours:
            return
        if self.backup is None:
            self.target.unlink()
        else:
            self.backup.replace(self.target)

    def keep_backup(self) -> Path | None:
        """Give the backup a name that `clean` leaves alone; return it."""
        kept, self.backup = self.backup, None
        if kept is not None:
            with suppress(OSError):
                kept = kept.rename(kept.with_suffix(".old"))
        return kept

    def tidy(self) -> None:
        """Remove what is beside the target; what can't be removed does no harm."""
        for extra in (self.staged, self.backup):
            if extra is not None:
                with suppress(OSError):
                    extra.unlink(missing_ok=True)


def _plan(root: Path, changes: Sequence[FileChange]) -> list[_Step]:
    """What to do, new files first and removed ones last."""
    steps: dict[Path, _Step] = {}
    for change in changes:
        old = None if change.moved_from is None else _own(root, change.moved_from)
        if old is not None:
            _add(steps, _Step(root, change.path, _resolve(root, change.path), None, change.after, old))
            _add(steps, _Step(root, change.moved_from or "", old, change.before, None, None))
        elif change.after is None:
            _add(steps, _Step(root, change.path, _own(root, change.path), change.before, None, None))
        else:
            target = _resolve(root, change.path)
            model = None if change.before is None else target
            _add(steps, _Step(root, change.path, target, change.before, change.after, model))
    return sorted(steps.values(), key=lambda step: (step.before is not None, step.after is None))


def _add(steps: dict[Path, _Step], step: _Step) -> None:
    """Add a step; two names of one file are fine if they say the same."""
    other = steps.setdefault(step.target, step)
    if (other.before, other.after) != (step.before, step.after):
        raise WriteError(step.path, f"is the same file as {other.path}, which changes in another way")


def _resolve(root: Path, path: str) -> Path:
    """The real file that a path means; WriteError if that is not below `root`."""
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise WriteError(path, "is outside the project")
    named = root / path
    target = Path(os.path.realpath(named))
    if not target.is_relative_to(root):
        where = "is" if named.is_symlink() else "is below"
        raise WriteError(path, f"{where} a symbolic link out of the project")
    return target


def _own(root: Path, path: str) -> Path:
    """The real file that a path means, which is to go; WriteError if it is a link."""
    target = _resolve(root, path)
    if (root / path).is_symlink():
        raise WriteError(path, "is a symbolic link, which is neither moved nor deleted")
    return target


def _undo(steps: Sequence[_Step]) -> WriteError | None:
    """Undo all steps, the last one first; return an error for one that can't be undone."""
    return next(filter(None, [_undo_one(step) for step in reversed(steps)]), None)


def _undo_one(step: _Step) -> WriteError | None:
    try:
        step.undo()
    except OSError as error:
        kept = step.keep_backup()
        rest = f"; its old content is in {kept}" if kept else ""
        return LostError(step.path, f"could not be put back ({_reason(error)}){rest}")
    return None


@contextmanager
def _reported(step: _Step) -> Iterator[None]:
    """Turn the system's errors into one that names the file."""
    try:
        yield
    except OSError as error:
        raise WriteError(step.path, _reason(error)) from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


# ---- files -------------------------------------------------------------------------------------


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_writable(path: Path, found: os.stat_result) -> bool:
    """Whether we may write it; for root too, who may write anything, the mode says what its owner wants."""
    return bool(found.st_mode & 0o222) and os.access(path, os.W_OK)


def _is_stuck(found: os.stat_result, directory: os.stat_result) -> bool:
    """Whether the directory is sticky, like `/tmp`, and holds us off: a link to the file could not be removed again."""
    if sys.platform == "win32" or not directory.st_mode & stat.S_ISVTX:
        return False
    return os.geteuid() not in (0, found.st_uid, directory.st_uid)


def _nearest_directory(path: Path) -> Path:
    """The path itself, or the first one above it that exists."""
    return next(one for one in (path, *path.parents) if os.path.lexists(one))


def _beside(target: Path) -> Path:
    return target.with_name(f".iacfix-{os.getpid()}-{secrets.token_hex(8)}.tmp")


def _write_new(path: Path, content: bytes, model: Path | None) -> None:
    """Make a file that is safe on the disk; it looks like `model` before it holds anything."""
    with path.open("xb") as file:
        if model is not None:
            _copy_looks(model, path)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _copy_looks(model: Path, path: Path) -> None:
    wanted = model.stat()
    if sys.platform != "win32":
        for owner in ((wanted.st_uid, -1), (-1, wanted.st_gid)):
            with suppress(OSError):  # only root may give files away
                os.chown(path, *owner)
    if path.stat().st_mode != wanted.st_mode:
        path.chmod(stat.S_IMODE(wanted.st_mode))
    if sys.platform == "linux":
        with suppress(OSError):  # not every file system has them
            for name in os.listxattr(model):
                with suppress(OSError):  # some belong to the system
                    os.setxattr(path, name, os.getxattr(model, name))


def _move_to_free_name(path: Path, target: Path) -> None:
    """Give a file a second name that nothing has yet, or where links are not possible, its only one."""
    try:
        target.hardlink_to(path)
    except FileExistsError:
        raise
    except OSError:
        path.rename(target)


def _make_directories(directory: Path, made: list[Path]) -> None:
    """Make a directory and those above it, and note each one made."""
    if not directory.is_dir():
        _make_directories(directory.parent, made)
        directory.mkdir()
        made.append(directory)


def _sync(directories: Iterable[Path]) -> None:
    """Ask for the directories to be safe on the disk; some file systems can't."""
    if sys.platform == "win32":
        return
    for directory in directories:
        with suppress(OSError):
            descriptor = os.open(directory, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


# ---- other runs and signals --------------------------------------------------------------------


@contextmanager
def _locked(root: Path, raise_if_held: Callable[[], None]) -> Iterator[None]:
    """Wait for other runs on this root; the lock is on the directory itself and goes with the process.

    Where the file system has no locks there is none, and runs find each other's changes by the content of the files.
    """
    with ExitStack() as stack:
        if sys.platform != "win32":
            with suppress(OSError):
                descriptor = os.open(root, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                while not _lock(descriptor):
                    raise_if_held()
                    time.sleep(0.02)
        yield


def _lock(descriptor: int) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@contextmanager
def _signals_held() -> Iterator[Callable[[], None]]:
    """Hold signals back; yields a function that raises KeyboardInterrupt if one has come.

    It is raised again at the end, for whoever handles it. Python runs handlers in the main thread alone.
    """
    came: list[int] = []
    handlers = {}

    def raise_if_held() -> None:
        if came:
            raise KeyboardInterrupt

    try:
        if threading.current_thread() is threading.main_thread():
            for number in _HELD:
                handler = signal.getsignal(number)
                if handler not in (signal.SIG_IGN, None):
                    handlers[number] = handler
                    signal.signal(number, lambda number, _frame: came.append(number))
        yield raise_if_held
    finally:
        for number, handler in reversed(handlers.items()):  # SIGINT last: it raises here if it comes
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
