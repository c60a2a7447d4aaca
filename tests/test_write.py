"""What `write` leaves on the disk, whatever happens to it."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import resource
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import fixer.write
from fixer.result import FileChange
from fixer.write import WriteError, clean, write

Tree = dict[str, object]


def tree(root: Path) -> Tree:
    """Everything below a directory: content and mode of files, where links lead, and directories."""

    def look(path: Path) -> object:
        if path.is_symlink():
            return ("link", str(path.readlink()))
        if path.is_dir():
            return "directory"
        return (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) if path.is_file() else "special"

    return {path.relative_to(root).as_posix(): look(path) for path in sorted(root.rglob("*"))}


def leftovers(root: Path) -> list[str]:
    return [name for name in tree(root) if Path(name).name.startswith(".iacfix-")]


def modified(path: str, before: bytes, after: bytes) -> FileChange:
    return FileChange(path, before, after)


def refusal(root: Path, *changes: FileChange) -> str:
    """The line that the changes are refused with; the tree must stay."""
    before = tree(root)
    with pytest.raises(WriteError) as caught:
        write(root, changes)
    assert tree(root) == before
    return str(caught.value)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    return root


@pytest.fixture
def project(root: Path) -> Path:
    return lay_out(root)


def lay_out(root: Path) -> Path:
    """A project in which `MANY` has a change of every kind."""
    (root / "net").mkdir(exist_ok=True)
    for name, content in BEFORE.items():
        (root / name).write_bytes(content)
    for name in AFTER.keys() - BEFORE.keys():
        (root / name).unlink(missing_ok=True)
    return root


BEFORE = {"main.tf": b"a\r\n" * 3000, "net/vpc.tf": b"", "old.tf": b"gone", "stack.py": b"x = 1\n", "same.tf": b"s"}
AFTER = {
    "main.tf": b"b\n",
    "net/vpc.tf": b"vpc",
    "provider.tf": b"new",
    "stack.py": b"",
    "same.tf": b"s",
    "new.tf": b"G",
}
MANY = (
    FileChange("main.tf", BEFORE["main.tf"], AFTER["main.tf"]),
    FileChange("net/vpc.tf", b"", b"vpc"),
    FileChange("provider.tf", None, b"new"),
    FileChange("stack.py", b"x = 1\n", b""),
    FileChange("new.tf", b"gone", b"G", moved_from="old.tf"),
)


def contents(root: Path) -> dict[str, bytes]:
    names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return {name: (root / name).read_bytes() for name in names if not Path(name).name.startswith(".iacfix-")}


def in_child(work: Callable[[], object]) -> int:
    """Do something in a process of its own; its exit code, negative for the signal that ended it."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


# ---- what is written ---------------------------------------------------------------------------


def test_changes_of_every_kind(project: Path) -> None:
    write(project, MANY)
    assert contents(project) == AFTER
    assert leftovers(project) == []


def test_nothing_to_do(project: Path) -> None:
    write(project, ())
    assert contents(project) == BEFORE


def test_deleted(project: Path) -> None:
    write(project, [FileChange("old.tf", b"gone", None)])
    assert not (project / "old.tf").exists()


def test_moved_without_change(project: Path) -> None:
    (project / "old.tf").chmod(0o640)
    write(project, [FileChange("deep/er/new.tf", b"gone", b"gone", moved_from="old.tf")])
    assert not (project / "old.tf").exists()
    assert tree(project)["deep/er/new.tf"] == (b"gone", 0o640)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o664, 0o200 | 0o444])
def test_mode_is_kept(project: Path, mode: int) -> None:
    (project / "main.tf").chmod(mode)
    write(project, MANY)
    assert stat.S_IMODE((project / "main.tf").stat().st_mode) == mode


def test_new_files_get_the_mode_of_the_umask(project: Path) -> None:
    old = os.umask(0o027)
    try:
        write(project, [FileChange("provider.tf", None, b"new"), FileChange("new/x.tf", None, b"x")])
    finally:
        os.umask(old)
    assert tree(project)["provider.tf"] == (b"new", 0o640)
    assert stat.S_IMODE((project / "new").stat().st_mode) == 0o750


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owner_is_kept(project: Path) -> None:
    os.chown(project / "main.tf", 12345, 23456)
    (project / "main.tf").chmod(0o640)
    write(project, MANY)
    found = (project / "main.tf").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12345, 23456, 0o640)


@pytest.mark.skipif(sys.platform != "linux", reason="extended attributes of Linux")
def test_extended_attributes_are_kept(project: Path) -> None:
    try:
        os.setxattr(project / "main.tf", "user.note", b"keep me")
    except OSError:
        pytest.skip("the file system has no extended attributes")
    write(project, MANY)
    assert os.getxattr(project / "main.tf", "user.note") == b"keep me"


def test_large_file(project: Path) -> None:
    before = os.urandom(1 << 20) * 50
    (project / "large.tf").write_bytes(before)
    write(project, [modified("large.tf", before, before + b"\n")])
    assert (project / "large.tf").read_bytes() == before + b"\n"


def test_many_files(root: Path) -> None:
    names = [f"m{n % 10}/f{n}.tf" for n in range(200)]
    write(root, [FileChange(name, None, name.encode()) for name in names])
    write(root, [modified(name, name.encode(), b"b") for name in names])
    assert contents(root) == dict.fromkeys(names, b"b")


@pytest.mark.parametrize("name", ["a b.tf", "ünï.tf", "-rf.tf", "new\nline.tf", ".hidden.tf", "n" * 255, "\udcff.tf"])
def test_names(root: Path, name: str) -> None:
    write(root, [FileChange(name, None, b"1")])
    write(root, [modified(name, b"1", b"2")])
    assert (root / name).read_bytes() == b"2"


def test_hard_link_keeps_the_old_content_under_its_other_name(project: Path, tmp_path: Path) -> None:
    (tmp_path / "other.tf").hardlink_to(project / "main.tf")
    write(project, MANY)
    assert (project / "main.tf").read_bytes() == AFTER["main.tf"]
    assert (tmp_path / "other.tf").read_bytes() == BEFORE["main.tf"]


def test_both_names_of_a_hard_link_may_change(project: Path) -> None:
    (project / "net/main.tf").hardlink_to(project / "main.tf")
    write(project, [modified("main.tf", BEFORE["main.tf"], b"1"), modified("net/main.tf", BEFORE["main.tf"], b"2")])
    assert ((project / "main.tf").read_bytes(), (project / "net/main.tf").read_bytes()) == (b"1", b"2")


def test_relative_root(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.parent)
    write(Path("project"), MANY)
    assert contents(project) == AFTER


def test_root_that_is_a_link(project: Path) -> None:
    (project.parent / "link").symlink_to(project)
    write(project.parent / "link", MANY)
    assert contents(project) == AFTER


def test_file_system_without_hard_links(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    write(project, MANY)
    assert contents(project) == AFTER
    assert leftovers(project) == []


# ---- links -------------------------------------------------------------------------------------


def test_link_within_the_project_is_followed(project: Path) -> None:
    (project / "link.tf").symlink_to("net/vpc.tf")
    write(project, [modified("link.tf", b"", b"vpc")])
    assert (project / "link.tf").readlink() == Path("net/vpc.tf")
    assert (project / "net/vpc.tf").read_bytes() == b"vpc"
    assert not (project / "net/vpc.tf").is_symlink()


def test_linked_directory_within_the_project(project: Path) -> None:
    (project / "alias").symlink_to("net")
    write(project, [modified("alias/vpc.tf", b"", b"vpc"), FileChange("alias/new.tf", None, b"n")])
    assert (project / "net/vpc.tf").read_bytes() == b"vpc"
    assert (project / "net/new.tf").read_bytes() == b"n"


def test_link_to_a_link(project: Path) -> None:
    (project / "one.tf").symlink_to("two.tf")
    (project / "two.tf").symlink_to(project / "main.tf")
    write(project, [modified("one.tf", BEFORE["main.tf"], b"1")])
    assert (project / "main.tf").read_bytes() == b"1"


def test_two_names_of_one_file_that_agree(project: Path) -> None:
    (project / "link.tf").symlink_to("net/vpc.tf")
    write(project, [modified("link.tf", b"", b"vpc"), modified("net/vpc.tf", b"", b"vpc")])
    assert (project / "net/vpc.tf").read_bytes() == b"vpc"


def test_two_names_of_one_file_that_differ(project: Path) -> None:
    (project / "link.tf").symlink_to("net/vpc.tf")
    line = refusal(project, modified("net/vpc.tf", b"", b"vpc"), modified("link.tf", b"", b"other"))
    assert line == "link.tf: is the same file as net/vpc.tf, which changes in another way"


def test_link_out_of_the_project(project: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.tf").write_bytes(b"o")
    (project / "x.tf").symlink_to(tmp_path / "outside.tf")
    assert refusal(project, *MANY, modified("x.tf", b"o", b"p")) == "x.tf: is a symbolic link out of the project"
    assert (tmp_path / "outside.tf").read_bytes() == b"o"


@pytest.mark.parametrize("before", [None, b"o"])
def test_directory_that_is_a_link_out_of_the_project(project: Path, tmp_path: Path, before: bytes | None) -> None:
    (tmp_path / "outside").mkdir()
    if before is not None:
        (tmp_path / "outside/x.tf").write_bytes(before)
    (project / "linked").symlink_to(tmp_path / "outside")
    line = refusal(project, *MANY, FileChange("linked/x.tf", before, b"p"))
    assert line == "linked/x.tf: is below a symbolic link out of the project"


def test_link_to_a_neighbour_whose_name_starts_like_the_project(project: Path) -> None:
    (project.parent / "project-2").mkdir()
    (project / "x").symlink_to("../project-2")
    assert "out of the project" in refusal(project, FileChange("x/x.tf", None, b"p"))


@pytest.mark.parametrize("path", ["../x.tf", "net/../../x.tf", "/tmp/x.tf"])
def test_path_out_of_the_project(project: Path, path: str) -> None:
    assert refusal(project, FileChange(path, None, b"x")) == f"{path}: is outside the project"


def test_dangling_link_is_no_free_name(project: Path) -> None:
    (project / "x.tf").symlink_to("nowhere.tf")
    assert refusal(project, FileChange("x.tf", None, b"x")) == "x.tf: exists already"


def test_links_in_a_circle(project: Path) -> None:
    (project / "x.tf").symlink_to("y.tf")
    (project / "y.tf").symlink_to("x.tf")
    assert refusal(project, modified("x.tf", b"x", b"y")) == "x.tf: is not a regular file"


@pytest.mark.parametrize(
    "change", [FileChange("x.tf", b"", None), FileChange("y.tf", b"", b"", moved_from="x.tf")], ids=["deleted", "moved"]
)
def test_links_are_not_moved_or_deleted(project: Path, change: FileChange) -> None:
    (project / "x.tf").symlink_to("net/vpc.tf")
    assert refusal(project, change) == "x.tf: is a symbolic link, which is neither moved nor deleted"


# ---- what is refused ---------------------------------------------------------------------------


def test_changed_since_it_was_read(project: Path) -> None:
    (project / "stack.py").write_bytes(b"x = 2\n")
    assert refusal(project, *MANY) == "stack.py: changed on disk since it was read"


def test_removed_since_it_was_read(project: Path) -> None:
    (project / "stack.py").unlink()
    assert refusal(project, *MANY) == "stack.py: removed since it was read"


def test_moved_file_changed_since_it_was_read(project: Path) -> None:
    (project / "old.tf").write_bytes(b"back")
    assert refusal(project, *MANY) == "old.tf: changed on disk since it was read"


@pytest.mark.parametrize("name", ["provider.tf", "new.tf"])
def test_new_file_exists(project: Path, name: str) -> None:
    (project / name).write_bytes(b"mine")
    assert refusal(project, *MANY) == f"{name}: exists already"


@pytest.mark.parametrize("mode", [0o400, 0o444, 0o555])
def test_read_only_file(project: Path, mode: int) -> None:
    (project / "main.tf").chmod(mode)
    assert refusal(project, *MANY) == "main.tf: read-only"


def test_read_only_file_is_not_moved(project: Path) -> None:
    (project / "old.tf").chmod(0o444)
    assert refusal(project, *MANY) == "old.tf: read-only"


def test_read_only_directory(project: Path) -> None:
    (project / "net").chmod(0o555)
    assert refusal(project, *MANY) == "net/vpc.tf: its directory is read-only"
    assert refusal(project, FileChange("net/a/b/x.tf", None, b"x")) == "net/a/b/x.tf: its directory is read-only"
    (project / "net").chmod(0o755)


@pytest.mark.parametrize("kind", ["fifo", "directory", "device"])
def test_what_is_no_regular_file(project: Path, kind: str) -> None:
    (project / "main.tf").unlink()
    if kind == "fifo":
        os.mkfifo(project / "main.tf")
    elif kind == "directory":
        (project / "main.tf").mkdir()
    elif os.geteuid() == 0:
        os.mknod(project / "main.tf", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    else:
        pytest.skip("only root can make devices")
    assert refusal(project, *MANY) == "main.tf: is not a regular file"


def test_directory_that_is_a_file(project: Path) -> None:
    assert refusal(project, *MANY, FileChange("same.tf/x.tf", None, b"x")).startswith("same.tf/x.tf: ")


def test_root_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"main\.tf: removed since it was read"):
        write(tmp_path / "none", [modified("main.tf", b"a", b"b")])


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user of the machine can reach and write."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user")
@pytest.mark.parametrize(
    ("mode", "owner", "message"),
    [
        (0o644, 0, "main.tf: read-only"),  # somebody else's
        (0o200, 65534, "main.tf: permission denied"),  # may be written, not read
    ],
)
def test_files_of_an_ordinary_user(open_directory: Path, mode: int, owner: int, message: str) -> None:
    lay_out(open_directory)
    (open_directory / "net").chmod(0o777)
    for path in open_directory.rglob("*.*"):
        os.chown(path, 65534, 65534)
    os.chown(open_directory / "main.tf", owner, owner)
    (open_directory / "main.tf").chmod(mode)

    def work() -> None:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        with pytest.raises(WriteError) as caught:
            write(open_directory, MANY)
        assert str(caught.value) == message

    assert in_child(work) == 0
    assert contents(open_directory) == BEFORE
    assert leftovers(open_directory) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user")
def test_sticky_directory_with_a_file_of_another_user(open_directory: Path) -> None:
    lay_out(open_directory)
    (open_directory / "net").chmod(0o1777)
    (open_directory / "net/vpc.tf").chmod(0o666)
    for name in ("main.tf", "old.tf", "stack.py"):
        os.chown(open_directory / name, 65534, 65534)

    def work() -> None:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        with pytest.raises(WriteError, match=r"net/vpc\.tf: belongs to another user"):
            write(open_directory, MANY)

    assert in_child(work) == 0
    assert contents(open_directory) == BEFORE
    assert leftovers(open_directory) == []


def test_file_that_is_too_large_for_the_disk(project: Path) -> None:
    before = tree(project)

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        with pytest.raises(WriteError, match=r"net/vpc\.tf: file too large"):
            write(project, [*MANY[:1], FileChange("net/vpc.tf", b"", b"v" * 30_000), *MANY[2:]])

    assert in_child(work) == 0
    assert tree(project) == before


# ---- what fails in the middle ------------------------------------------------------------------


class Calls:
    """Counts the calls that change the disk, and lets `at` happen before or after one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: Callable[[int], None], *, after: bool = False) -> None:
        self.count = 0
        for owner, name in (
            (Path, "replace"),
            (Path, "rename"),
            (Path, "hardlink_to"),
            (Path, "unlink"),
            (Path, "mkdir"),
            (Path, "open"),
            (Path, "chmod"),
            (os, "fsync"),
        ):
            monkeypatch.setattr(owner, name, self._wrapped(getattr(owner, name), at, after))

    def _wrapped(self, call: Callable[..., Any], at: Callable[[int], None], after: bool) -> Callable[..., Any]:
        def wrapper(*arguments: Any, **keywords: Any) -> Any:
            self.count += 1
            number = self.count
            if not after:
                at(number)
            result = call(*arguments, **keywords)
            if after:
                at(number)
            return result

        return wrapper


WITH_DIRECTORY = (*MANY, FileChange("deep/er/x.tf", None, b"x"))


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), MemoryError()]
)
@pytest.mark.parametrize("links", [True, False], ids=["links", "copies"])
def test_failure_of_any_one_call(root: Path, error: BaseException, links: bool) -> None:
    """Whichever call fails, the tree is the old one whole, or the new one whole where the call did not matter."""
    ended = []

    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    for nth in range(1, 1000):
        before = tree(lay_out(root))
        with pytest.MonkeyPatch.context() as monkeypatch:
            if not links:
                monkeypatch.setattr(Path, "hardlink_to", refuse)

            def fail(number: int, nth: int = nth) -> None:
                if number == nth:
                    raise error

            calls = Calls(monkeypatch, fail)
            try:
                write(root, WITH_DIRECTORY)
                ended.append("new")
            except (WriteError, KeyboardInterrupt, MemoryError):
                ended.append("old")
        if calls.count < nth:
            break
        after = contents(root)
        assert set(leftovers(root)) <= {name for name in tree(root) if name.endswith(".tmp")}
        if ended[-1] == "new" or after.get("deep/er/x.tf"):
            assert after == {**AFTER, "deep/er/x.tf": b"x"}
            shutil.rmtree(root / "deep")
        else:
            assert {name: look for name, look in tree(root).items() if not name.endswith(".tmp")} == before
        for name in leftovers(root):
            (root / name).unlink()
    assert ended.count("old") > 20
    assert ended[-1] == "new"


def test_what_can_not_be_put_back_is_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace
    count = 0

    def fail_for_good(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count > 1:
            raise OSError(errno.EIO, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_for_good)
    with pytest.raises(WriteError) as caught:
        write(project, [modified("main.tf", BEFORE["main.tf"], b"1"), modified("stack.py", b"x = 1\n", b"2")])
    (kept,) = project.glob(".iacfix-*.old")
    clean([project])
    assert str(caught.value) == (
        f"main.tf: could not be put back (input/output error); its old content is in {kept.resolve()}"
    )
    assert kept.read_bytes() == BEFORE["main.tf"]
    assert contents(project) == {**BEFORE, "main.tf": b"1"}
    assert leftovers(project) == [kept.name]


@pytest.mark.parametrize(
    ("name", "made_up"),
    [*((name, b"somebody else's") for name in ("main.tf", "provider.tf", "stack.py", "old.tf", "new.tf"))]
    + [(name, None) for name in ("main.tf", "stack.py", "old.tf")],
)
def test_file_changes_while_others_are_renamed(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str, made_up: bytes | None
) -> None:
    """Someone else's change is found just before the file's turn, and survives."""
    check = fixer.write._Step.check
    checked: list[str] = []

    def look(step: fixer.write._Step) -> None:
        if step.path == name and name in checked:
            if made_up is None:
                (project / name).unlink()
            else:
                (project / name).write_bytes(made_up)
        checked.append(step.path)
        check(step)

    monkeypatch.setattr(fixer.write._Step, "check", look)
    with pytest.raises(WriteError, match=name):
        write(project, MANY)
    expected = {**BEFORE, name: made_up}
    assert contents(project) == {name: content for name, content in expected.items() if content is not None}
    assert leftovers(project) == []


def test_directory_becomes_a_link_meanwhile(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = fixer.write._Step.stage

    def swap(step: fixer.write._Step) -> None:
        stage(step)
        if step.path == "net/vpc.tf":
            (project / "net").rename(tmp_path / "away")
            (project / "net").symlink_to(tmp_path / "away")

    monkeypatch.setattr(fixer.write._Step, "stage", swap)
    with pytest.raises(WriteError, match="out of the project"):
        write(project, MANY)
    assert (tmp_path / "away/vpc.tf").read_bytes() == b""
    assert {name: content for name, content in contents(project).items() if "/" not in name} == {
        name: content for name, content in BEFORE.items() if "/" not in name
    }


def test_contents_are_safe_on_the_disk_before_names_are_given(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    fsync, commit = os.fsync, fixer.write._Step.commit

    def note_sync(descriptor: int) -> None:
        log.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def note_commit(step: fixer.write._Step) -> None:
        log.append("commit")
        commit(step)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(fixer.write._Step, "commit", note_commit)
    write(project, MANY)
    assert log == ["file"] * 5 + ["commit"] * 6 + ["directory"] * 2


# ---- signals and kills -------------------------------------------------------------------------


def at_line(nth: int, act: Callable[[], object]) -> Callable[[], int]:
    """Act when the nth line of write.py is about to run in this thread; the function ends that and counts lines."""
    lines = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        if frame.f_code.co_filename != fixer.write.__file__:
            return None
        if event == "line":
            lines += 1
            if lines == nth:
                act()
        return trace

    former = sys.gettrace()
    sys.settrace(trace)

    def stop() -> int:
        sys.settrace(former)
        return lines

    return stop


def test_interrupt_at_any_line(root: Path) -> None:
    """Ctrl-C before all is in place finds the tree as it was; later, the new one. It is never lost."""
    seen = []
    for nth in range(1, 5000):
        before = tree(lay_out(root))
        stop = at_line(nth, lambda: signal.raise_signal(signal.SIGINT))
        interrupted = False
        try:
            write(root, MANY)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            lines = stop()
        if lines < nth:
            break
        assert interrupted
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert leftovers(root) == []
        new = contents(root) == AFTER
        assert new or tree(root) == before
        seen.append(new)
    assert len(seen) > 100
    assert seen == sorted(seen)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_termination_leaves_the_tree_as_it_was(project: Path, number: signal.Signals) -> None:
    before = tree(project)

    def work() -> None:
        with pytest.MonkeyPatch.context() as monkeypatch:
            Calls(monkeypatch, lambda nth: os.kill(os.getpid(), number) if nth == 20 else None)
            write(project, MANY)

    assert in_child(work) == -number
    assert tree(project) == before


def test_ignored_signal_stays_ignored(project: Path) -> None:
    def work() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        stop = at_line(60, lambda: signal.raise_signal(signal.SIGHUP))
        write(project, MANY)
        stop()

    assert in_child(work) == 0
    assert contents(project) == AFTER


def test_handler_of_the_caller_is_called(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came: list[int] = []
    former = signal.signal(signal.SIGTERM, lambda number, _frame: came.append(number))
    try:
        Calls(monkeypatch, lambda nth: signal.raise_signal(signal.SIGTERM) if nth == 5 else None)
        with pytest.raises(KeyboardInterrupt):
            write(project, MANY)
    finally:
        signal.signal(signal.SIGTERM, former)
    assert came == [signal.SIGTERM]
    assert contents(project) == BEFORE


def test_outside_the_main_thread(project: Path) -> None:
    thread = threading.Thread(target=write, args=(project, MANY))
    thread.start()
    thread.join()
    assert contents(project) == AFTER


def survived(root: Path) -> None:
    """After a kill every file is whole, nothing is missing, and the next run can clean up and go on."""
    found = contents(root)
    for name in BEFORE.keys() | AFTER.keys():
        assert found.get(name) in (BEFORE.get(name), AFTER.get(name)), name
    assert found.keys() <= BEFORE.keys() | AFTER.keys()
    assert "old.tf" in found or "new.tf" in found
    assert not [name for name in leftovers(root) if name.endswith((".tf", ".py"))]
    clean([root, root / "net"])
    assert leftovers(root) == []
    lay_out(root)
    write(root, MANY)
    assert contents(root) == AFTER


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("links", [True, False], ids=["links", "copies"])
def test_killed_at_any_call(root: Path, after: bool, links: bool) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    for nth in range(1, 1000):
        lay_out(root)

        def work(nth: int = nth) -> None:
            with pytest.MonkeyPatch.context() as monkeypatch:
                if not links:
                    monkeypatch.setattr(Path, "hardlink_to", refuse)
                calls = Calls(monkeypatch, lambda number: os._exit(7) if number == nth else None, after=after)
                write(root, MANY)
                os._exit(0 if calls.count < nth else 7)  # the nth call failed, and so had no end to be killed at

        code = in_child(work)
        survived(root)
        if code == 0:
            break
        assert code == 7
    assert nth > 25


def test_killed_at_any_line(root: Path) -> None:
    for nth in range(1, 5000, 3):
        lay_out(root)

        def work(nth: int = nth) -> None:
            at_line(nth, lambda: os.kill(os.getpid(), signal.SIGKILL))
            write(root, MANY)

        code = in_child(work)
        survived(root)
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert nth > 100


def test_killed_at_random_moments(root: Path) -> None:
    """A child writes to and fro; it is killed after some rounds, wherever it then is."""
    chance = random.Random(20)  # noqa: S311
    back = [
        FileChange("old.tf", b"G", b"gone", moved_from="new.tf"),
        *(FileChange(name, AFTER.get(name), BEFORE.get(name)) for name in AFTER.keys() - {"new.tf", "same.tf"}),
    ]
    for _ in range(40):
        lay_out(root)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                while True:
                    write(root, MANY)
                    os.write(writer, b".")
                    write(root, back)
            finally:
                os._exit(1)
        os.close(writer)
        for _ in range(chance.randint(1, 4)):
            assert os.read(reader, 1) == b"."
        sum(range(chance.randint(0, 300_000)))  # some work, so that the kill meets another place each time
        os.kill(pid, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
        os.close(reader)
        survived(root)


# ---- several runs, and what they leave ---------------------------------------------------------


def test_two_runs_at_once(root: Path) -> None:
    """Of several runs with the same change one makes it, the others find the file changed."""
    lay_out(root)
    children = []
    for number in range(6):
        pid = os.fork()
        if pid == 0:
            code = 9
            try:
                after = bytes([65 + number]) * 10
                write(root, [FileChange(path, BEFORE[path], after) for path in ("main.tf", "net/vpc.tf", "stack.py")])
                code = 0
            except WriteError as error:
                code = 1 if error.message == "changed on disk since it was read" else 2
            finally:
                os._exit(code)
        children.append(pid)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children)
    assert codes == [0, 1, 1, 1, 1, 1]
    assert len({(root / path).read_bytes() for path in ("main.tf", "net/vpc.tf", "stack.py")}) == 1
    assert leftovers(root) == []


@pytest.fixture
def lock(project: Path) -> Iterator[int]:
    """Another run's lock on the project."""
    descriptor = os.open(project, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield descriptor
    os.close(descriptor)


def test_waits_for_another_run(project: Path, monkeypatch: pytest.MonkeyPatch, lock: int) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        assert contents(project) == BEFORE
        waits.append(seconds)
        if len(waits) == 3:
            fcntl.flock(lock, fcntl.LOCK_UN)

    monkeypatch.setattr(time, "sleep", wait)
    write(project, MANY)
    assert len(waits) == 3
    assert contents(project) == AFTER


def test_interrupt_while_it_waits(project: Path, monkeypatch: pytest.MonkeyPatch, lock: int) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        write(project, MANY)
    assert contents(project) == BEFORE


def test_file_system_without_locks(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    write(project, MANY)
    assert contents(project) == AFTER


def dead_process() -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def test_clean_removes_what_dead_processes_left(project: Path) -> None:
    dead = dead_process()
    ours = [f".iacfix-{dead}-{n:016x}.tmp" for n in range(3)] + [f".iacfix-{10**30}-{1:016x}.tmp"]
    others = [
        f".iacfix-{os.getpid()}-0123456789abcdef.tmp",  # of a living process
        ".iacfix-1-0123456789abcdef.tmp",
        f".iacfix-{dead}-0123456789abcdef.old",
        f".iacfix-{dead}-short.tmp",
        f"x.iacfix-{dead}-0123456789abcdef.tmp",
        ".iacfix-.tmp",
        ".iacfix.toml",
    ]
    for name in ours + others:
        (project / name).write_bytes(b"")
    (project / f".iacfix-{dead}-aaaaaaaaaaaaaaaa.tmp").mkdir()
    (project / f".iacfix-{dead}-bbbbbbbbbbbbbbbb.tmp").symlink_to("main.tf")
    clean([project, project / "missing", project / "main.tf"])
    assert not [name for name in ours if (project / name).exists()]
    assert not [name for name in others if not (project / name).exists()]
    assert (project / f".iacfix-{dead}-bbbbbbbbbbbbbbbb.tmp").is_symlink()
    assert (project / f".iacfix-{dead}-aaaaaaaaaaaaaaaa.tmp").is_dir()


def test_clean_removes_old_ones_of_a_number_that_is_used_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = project / f".iacfix-{os.getpid()}-0123456789abcdef.tmp"
    left.write_bytes(b"")
    clean([project])
    assert left.exists()
    monkeypatch.setattr(fixer.write, "_STALE_AFTER", -10)
    clean([project])
    assert not left.exists()


def test_a_run_cleans_where_it_writes(project: Path) -> None:
    (project / f".iacfix-{dead_process()}-0123456789abcdef.tmp").write_bytes(b"")
    write(project, MANY)
    assert leftovers(project) == []


def test_error_has_its_parts() -> None:
    error = WriteError("a/main.tf", "read-only")
    assert (error.path, error.message, str(error)) == ("a/main.tf", "read-only", "a/main.tf: read-only")
