"""Bad input of any kind: one clear line on standard error, a non-zero exit, nothing lost, and the rest goes on."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fixer.cli import main

ROOT = Path(__file__).parent.parent
GROUP = b'resource "aws_cloudwatch_log_group" "orders" {\n  name = "orders"\n}\n'
FIXED = GROUP.replace(b'"orders"\n}', b'"orders"\n\n  retention_in_days = 30\n}')
STACK = b"""\
import aws_cdk as cdk
from aws_cdk import aws_logs as logs


class OrdersStack(cdk.Stack):
    def __init__(self, scope, construct_id):
        super().__init__(scope, construct_id)
        logs.LogGroup(self, "Orders")
"""
FIXED_STACK = STACK.replace(b'"Orders")', b'"Orders", retention=logs.RetentionDays.ONE_MONTH)')
FLAGS = ("--select", "log-group-retention", "--no-cache")
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is no repository, with a module that can be fixed."""
    root = tmp_path / "project"
    (root / "good").mkdir(parents=True)
    (root / "good/main.tf").write_bytes(GROUP)
    monkeypatch.chdir(root)
    monkeypatch.setenv("IACFIX_CACHE_DIR", str(tmp_path / "cache"))
    return root


def iacfix(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="iacfix")


def refused(project: Path, path: str, message: str) -> None:
    """The file gets one line in each kind of run and stays, and the good module is fixed."""
    before = (project / path).read_bytes()
    line = f"{path}: error: {message}\n"
    checked = iacfix("check", *FLAGS)
    assert (checked.exit_code, checked.stderr) == (2, line)
    tried = iacfix("apply", "--dry-run", *FLAGS)
    assert tried.exit_code == 2
    assert tried.stderr.startswith(("good/main.tf:1:1: ", line))
    assert tried.stdout.count("diff --git") == 1
    applied = iacfix("apply", *FLAGS)
    assert (applied.exit_code, applied.stderr) == (2, line)
    assert (project / path).read_bytes() == before
    assert (project / "good/main.tf").read_bytes() == FIXED


# ---- contents ----------------------------------------------------------------------------------

TOO_BIG = "is larger than 5 MB and left alone"
TERRAFORM = {
    "Latin-1": (GROUP + b"# \xe9\n", "line 4: is not UTF-8"),
    "UTF-16": (GROUP.decode().encode("utf-16"), "line 1: holds a NUL byte"),
    "NUL": (GROUP + b"\0", "line 4: holds a NUL byte"),
    "syntax error": (GROUP + b'resource "x" {{\n', "line 4: syntax error"),
    "unclosed block": (GROUP[:-2], "line 3: syntax error"),
    "prose": (b"no words of any rule in here, and no HCL {", "line 1: syntax error"),
    "merge conflict": (b"<<<<<<< HEAD\n" + GROUP + b"=======\n", "line 1: syntax error"),
    "10,000 brackets": (GROUP + b"x = " + b"[" * 10_000 + b"]" * 10_000 + b"\n", "line 4: is nested too deeply"),
    "10,000 templates": (GROUP + b'x = "' + b'${"' * 10_000 + b'"}' * 10_000 + b'"\n', "line 4: is nested too deeply"),
    "50 MB": (GROUP + b"# x\n" * 12_500_000, TOO_BIG),
    "one byte too many": (GROUP + b"#" * (5_000_001 - len(GROUP)), TOO_BIG),
}


@pytest.mark.parametrize(("content", "message"), TERRAFORM.values(), ids=TERRAFORM)
def test_terraform_that_can_not_be_read(project: Path, content: bytes, message: str) -> None:
    (project / "bad").mkdir()
    (project / "bad/main.tf").write_bytes(content)
    refused(project, "bad/main.tf", message)


PYTHON = {
    "Latin-1": (STACK + b"# \xe9\n", "is not UTF-8 (line 9); convert it first"),
    "another encoding": (b"# coding: latin-1\n" + STACK + b"# \xe9\n", "is not UTF-8 (line 10); convert it first"),
    "an unknown encoding": (
        b"# coding: martian\n" + STACK,
        "has an encoding that can't be read: unknown encoding: martian",
    ),
    "NUL": (STACK + b"\0", "holds NUL bytes"),
    "syntax error": (STACK + b"def (\n", "is not valid Python: invalid syntax (line 9)"),
    "tabs and spaces": (
        STACK + b"\tx = 1\n",
        "is not valid Python: inconsistent use of tabs and spaces in indentation (line 9)",
    ),
    "5,000 terms": (STACK + b"x = " + b"1 + " * 5_000 + b"1\n", "nests too deep to be read"),
    "900 terms": (STACK + b"x = " + b"1 + " * 900 + b"1\n", "nests too deep to be read"),
    "2,000 branches": (STACK + b"if a:\n    pass\n" + b"elif a:\n    pass\n" * 2_000, "nests too deep to be read"),
    "5 MB": (STACK + b"# x\n" * 1_250_000, TOO_BIG),
}


@pytest.mark.parametrize(("content", "message"), PYTHON.values(), ids=PYTHON)
def test_python_that_can_not_be_read(project: Path, content: bytes, message: str) -> None:
    (project / "app").mkdir()
    (project / "app/cdk.json").write_text("{}")
    (project / "app/app.py").write_bytes(content)
    refused(project, "app/app.py", message)


def test_10000_brackets_of_python(project: Path) -> None:
    """In a process of its own, since it is what could end one."""
    (project / "cdk.json").write_text("{}")
    (project / "app.py").write_bytes(STACK + b"x = " + b"[" * 10_000 + b"]" * 10_000 + b"\n")
    program = [sys.executable, "-m", "fixer", "check", *FLAGS, "-q"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(program, check=False, capture_output=True, timeout=60, env=environment)
    assert done.returncode == 2
    assert done.stderr == b"app.py: error: is not valid Python: too many nested parentheses (line 9)\n"


def test_a_suppression_in_a_file_that_nests_too_deep(project: Path) -> None:
    (project / "cdk.json").write_text("{}")
    (project / "app.py").write_bytes(STACK + b"x = " + b"1 + " * 900 + b"1  # iacfix: ignore\n")
    refused(project, "app.py", "nests too deep to be read")


@pytest.mark.parametrize("name", ["cdk.json", "cdk.context.json"])
def test_settings_of_an_app_that_can_not_be_read(project: Path, name: str) -> None:
    (project / "cdk.json").write_text("{}")
    (project / "app.py").write_bytes(STACK)
    (project / name).write_text("{")
    done = iacfix("apply", *FLAGS)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"{name}: error: is not valid JSON: ")
    assert done.stderr.count("\n") == 1
    assert (project / "app.py").read_bytes() == FIXED_STACK


def fixes(project: Path, path: str, before: bytes, after: bytes) -> None:
    (project / path).parent.mkdir(exist_ok=True)
    (project / path).write_bytes(before)
    done = iacfix("apply", *FLAGS)
    assert (done.exit_code, done.stderr) == (0, "")
    assert (project / path).read_bytes() == after
    assert iacfix("apply", "--dry-run", *FLAGS).stdout == ""


BOM = b"\xef\xbb\xbf"
ODD: dict[str, Callable[[bytes], bytes]] = {
    "BOM": lambda content: BOM + content,
    "CRLF": lambda content: content.replace(b"\n", b"\r\n"),
    "BOM and CRLF": lambda content: BOM + content.replace(b"\n", b"\r\n"),
    "no final newline": lambda content: content[:-1],
    "blank lines around": lambda content: b"\n\n\n" + content + b"\n\n\n",
    "a later line that ends otherwise": lambda content: content + b"# a\r\n# b\n",
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_is_odd_but_right_is_fixed(project: Path, odd: Callable[[bytes], bytes]) -> None:
    fixes(project, "m/main.tf", odd(GROUP), odd(FIXED))
    (project / "cdk.json").write_text("{}")
    fixes(project, "app.py", odd(STACK), odd(FIXED_STACK))


@pytest.mark.parametrize("content", [b"", b"\n", BOM, b"\r\n\r\n", b"# only this", b"/* and this */"])
def test_empty_files(project: Path, content: bytes) -> None:
    (project / "good/empty.tf").write_bytes(content)
    fixes(project, "good/main.tf", GROUP, FIXED)
    assert (project / "good/empty.tf").read_bytes() == content


# ---- names and kinds of files ------------------------------------------------------------------


@posix
@pytest.mark.parametrize(
    "name", ["a b.tf", "new\nline.tf", "-x.tf", "quo\"te'.tf", "ü€😀.tf", "$(touch gone).tf", "*.tf"]
)
def test_names(project: Path, name: str) -> None:
    fixes(project, name, GROUP, FIXED)
    assert not (project / "gone").exists()


@posix
@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names")
@pytest.mark.parametrize("asked", [".", "caf\udce9", "caf\udce9/main.tf"])
def test_names_that_are_not_utf_8(project: Path, asked: str) -> None:
    (project / "caf\udce9").mkdir()
    (project / "caf\udce9/main.tf").write_bytes(GROUP)
    (project / ".git").mkdir()
    done = iacfix("apply", *FLAGS, "-q", asked)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "caf\\xe9/main.tf: error: has a name that is not UTF-8 and is left alone\n"
    assert (project / "caf\udce9/main.tf").read_bytes() == GROUP


def test_a_directory_named_like_a_file(project: Path) -> None:
    fixes(project, "x.tf/main.tf", GROUP, FIXED)


@posix
def test_links(project: Path, tmp_path: Path) -> None:
    """A link within the project is followed; one out of it, to nowhere or in a circle is left alone."""
    (tmp_path / "outside.tf").write_bytes(GROUP)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/main.tf").write_bytes(GROUP)
    (project / "good/outside.tf").symlink_to(tmp_path / "outside.tf")
    (project / "good/dangling.tf").symlink_to("nowhere.tf")
    (project / "good/one.tf").symlink_to("two.tf")
    (project / "good/two.tf").symlink_to("one.tf")
    (project / "good/up").symlink_to("..")
    (project / "away").symlink_to(tmp_path / "outside")
    (project / "linked").mkdir()
    (project / "linked/main.tf").symlink_to("../good/main.tf")
    done = iacfix("apply", *FLAGS)
    assert done.exit_code == 2
    assert done.stderr == "good/outside.tf: error: is a symbolic link out of the project and left alone\n"
    assert (project / "good/main.tf").read_bytes() == FIXED
    assert (project / "linked/main.tf").is_symlink()
    assert (tmp_path / "outside.tf").read_bytes() == (tmp_path / "outside/main.tf").read_bytes() == GROUP


@posix
def test_a_circle_of_links_is_no_path(project: Path) -> None:
    (project / "self.tf").symlink_to("self.tf")
    done = iacfix("apply", *FLAGS, "self.tf")
    assert (done.exit_code, done.stderr) == (2, "iacfix: self.tf: no such file or directory\n")


@posix
@pytest.mark.parametrize("asked", [".", "pipe.tf"])
def test_a_pipe_is_not_waited_for(project: Path, asked: str) -> None:
    (project / ".git").mkdir()
    os.mkfifo(project / "pipe.tf")
    done = iacfix("apply", *FLAGS, "-q", asked)
    assert (done.exit_code, done.stderr) == (2, "pipe.tf: error: is no regular file and left alone\n")


def test_a_read_only_file_stops_all(project: Path) -> None:
    (project / "other").mkdir()
    (project / "other/main.tf").write_bytes(GROUP)
    (project / "other/main.tf").chmod(0o444)
    done = iacfix("apply", *FLAGS)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "iacfix: other/main.tf: read-only; no file was changed\n"
    assert (project / "good/main.tf").read_bytes() == GROUP
    assert iacfix("check", *FLAGS).exit_code == 1


def test_a_file_that_changes_meanwhile(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(root: Path, changes: Sequence[object]) -> None:
        (project / "good/main.tf").write_bytes(GROUP + b"# mine\n")
        original(root, changes)  # type: ignore[arg-type]

    import fixer.write

    original = fixer.write.write
    monkeypatch.setattr(fixer.write, "write", write)
    done = iacfix("apply", *FLAGS)
    assert done.exit_code == 2
    assert done.stderr == "iacfix: good/main.tf: changed on disk since it was read; no file was changed\n"
    assert (project / "good/main.tf").read_bytes() == GROUP + b"# mine\n"


# ---- what an ordinary user may not do ----------------------------------------------------------


@pytest.fixture
def open_project(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project that every user of the machine can reach."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        root = Path(name)
        root.chmod(0o777)
        for module in ("good", "other"):
            (root / module).mkdir()
            (root / module).chmod(0o777)
            (root / module / "main.tf").write_bytes(GROUP)
            (root / module / "main.tf").chmod(0o666)
        monkeypatch.chdir(root)
        yield root


def as_ordinary_user(*arguments: str) -> tuple[int, str]:
    """Exit code and standard error of a run by somebody who is not root."""
    iacfix("check", *FLAGS)  # so that all is imported: a user may not reach the interpreter's own files
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            done = iacfix(*arguments)
            os.write(writer, done.stderr.encode())
            os._exit(done.exit_code)
        finally:
            os._exit(99)
    os.close(writer)
    with os.fdopen(reader) as stream:
        text = stream.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text


@posix
@pytest.mark.parametrize(
    ("target", "mode", "line"),
    [
        ("other/main.tf", 0, "other/main.tf: error: can't be read: Permission denied\n"),
        ("other", 0, "other: error: can't be read: Permission denied\n"),
    ],
)
def test_what_may_not_be_read_does_not_stop_the_others(open_project: Path, target: str, mode: int, line: str) -> None:
    (open_project / target).chmod(mode)
    assert as_ordinary_user("apply", *FLAGS) == (2, line)
    (open_project / target).chmod(0o777)
    assert (open_project / "good/main.tf").read_bytes() == FIXED
    assert (open_project / "other/main.tf").read_bytes() == GROUP


@posix
def test_a_read_only_directory_stops_all(open_project: Path) -> None:
    (open_project / "other").chmod(0o555)
    line = "iacfix: other/main.tf: its directory is read-only; no file was changed\n"
    assert as_ordinary_user("apply", *FLAGS) == (2, line)
    assert (open_project / "good/main.tf").read_bytes() == GROUP
    assert as_ordinary_user("check", *FLAGS) == (1, "")


@posix
def test_reports_and_settings_that_may_not_be_written(open_project: Path) -> None:
    (open_project / "other").chmod(0o555)
    code, errors = as_ordinary_user("check", *FLAGS, "--output", "other/report")
    assert (code, errors) == (2, "iacfix: other/report: Permission denied\n")
    assert as_ordinary_user("init", "other") == (2, "iacfix: other/iacfix.toml: Permission denied\n")


# ---- git ---------------------------------------------------------------------------------------


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


@pytest.mark.parametrize("repository", [False, True])
@pytest.mark.parametrize("there", [False, True])
def test_with_and_without_git(project: Path, monkeypatch: pytest.MonkeyPatch, there: bool, repository: bool) -> None:
    if repository:
        git(project, "init", "-q")
    if not there:
        monkeypatch.setenv("PATH", "")
    fixes(project, "good/main.tf", GROUP, FIXED)


def test_a_repository_that_is_broken(project: Path) -> None:
    (project / ".git").write_text("gitdir: gone\n")
    fixes(project, "good/main.tf", GROUP, FIXED)


# ---- killed ------------------------------------------------------------------------------------

KILLED = """
import os, sys, fixer.__main__, fixer.write
original = fixer.write.write
def write(*arguments):
    os.write({0}, b".")
    original(*arguments)
    os.write({0}, b".")
fixer.write.write = write
fixer.__main__.main()
"""


@posix
def test_killed_while_it_writes(project: Path) -> None:
    """At random moments from the first file that is prepared to the last one in place."""
    paths = [project / f"m{at:02}/main.tf" for at in range(40)]
    for path in paths:
        path.parent.mkdir()
    mode = stat.S_IMODE((project / "good/main.tf").stat().st_mode)
    choose = random.Random(11)  # noqa: S311
    seen = set()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for attempt in range(12):
        for path in paths:
            path.write_bytes(GROUP)
        reader, writer = os.pipe()
        program = [sys.executable, "-c", KILLED.format(writer), "apply", *FLAGS, "-q", "--jobs", "1"]
        with subprocess.Popen(program, pass_fds=[writer], env=environment) as process:
            os.close(writer)
            assert os.read(reader, 1) == b"."
            subprocess_at = len(paths) * choose.random()
            while attempt and process.poll() is None and placed(paths) < subprocess_at:
                pass
            process.kill()
        os.close(reader)
        assert process.returncode == -signal.SIGKILL
        contents = [path.read_bytes() for path in paths]
        assert set(contents) <= {GROUP, FIXED}
        seen.add(contents.count(FIXED))
        done = iacfix("apply", *FLAGS)
        assert (done.exit_code, done.stderr) == (0, "")
        assert {path.read_bytes() for path in paths} == {FIXED}
        assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {mode}
    assert len(seen) > 2, "no run was killed in the middle"


def placed(paths: Sequence[Path]) -> int:
    return sum(path.stat().st_size == len(FIXED) for path in paths)
