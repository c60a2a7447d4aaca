"""The cache gives back what was put in, or nothing, and never fails."""

from __future__ import annotations

import errno
import importlib
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fixer.cache
from fixer.cache import Cache, default_directory, digest
from fixer.config import Config
from fixer.model import Impact
from fixer.project import discover
from fixer.run import run

KEY = digest([b"a unit"])
VALUE = {"findings": [{"path": "ünï/main.tf", "line": 3, "fix": None}], "ok": True, "text": "\udcff"}
DAY = 24 * 60 * 60


def entry(directory: Path, key: str = KEY) -> Path:
    (found,) = [path for path in directory.rglob("*") if path.is_file() and path.parent.name + path.name == key]
    return found


def age(path: Path, days: float) -> None:
    then = time.time() - days * DAY
    os.utime(path, (then, then))


def in_child(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


# ---- values and keys ---------------------------------------------------------------------------


def test_gives_back_what_was_put_in(tmp_path: Path) -> None:
    Cache(tmp_path / "cache").put(KEY, VALUE)
    assert Cache(tmp_path / "cache").get(KEY) == VALUE


def test_absent(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.get(KEY) is None
    cache.put(KEY, VALUE)
    assert cache.get(digest([b"another"])) is None


def test_last_value_counts(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(KEY, 1)
    cache.put(KEY, 2)
    assert cache.get(KEY) == 2


def test_no_directory() -> None:
    cache = Cache(None)
    cache.put(KEY, VALUE)
    assert cache.get(KEY) is None


def test_value_that_json_can_not_hold(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        Cache(tmp_path).put(KEY, {"bytes": b"x"})
    assert Cache(tmp_path).get(KEY) is None


def test_asking_leaves_no_trace(tmp_path: Path) -> None:
    Cache(tmp_path / "cache").get(KEY)
    assert list(tmp_path.iterdir()) == []


def test_digest_tells_lists_apart() -> None:
    lists = [[], [b""], [b"", b""], [b"ab"], [b"a", b"b"], [b"b", b"a"], [b"ab", b""], [b"\x01" + bytes(7)]]
    assert len({digest(parts) for parts in lists}) == len(lists)
    assert digest(iter([b"a", b"b"])) == digest([b"a", b"b"])
    assert len(digest([])) == 64
    assert set(digest([])) <= set("0123456789abcdef")


@given(st.lists(st.binary(max_size=9), max_size=4), st.lists(st.binary(max_size=9), max_size=4))
def test_digests_are_the_same_for_the_same_list_alone(one: list[bytes], other: list[bytes]) -> None:
    assert (digest(one) == digest(other)) == (one == other)


# ---- damage ------------------------------------------------------------------------------------


def cut(data: bytes) -> Iterator[bytes]:
    yield from (data[:n] for n in range(len(data)))


def flipped(data: bytes) -> Iterator[bytes]:
    yield from (data[:n] + bytes([data[n] ^ 1]) + data[n + 1 :] for n in range(len(data)))


@pytest.mark.parametrize("damage", [cut, flipped])
def test_damaged_entry_is_absent_and_made_again(tmp_path: Path, damage: Callable[[bytes], Iterator[bytes]]) -> None:
    cache = Cache(tmp_path)
    cache.put(KEY, VALUE)
    path = entry(tmp_path)
    for data in damage(path.read_bytes()):
        path.write_bytes(data)
        assert cache.get(KEY) is None
    cache.put(KEY, VALUE)
    assert cache.get(KEY) == VALUE


@pytest.mark.parametrize("data", [b"", b"\0" * 4096, b"{}", os.urandom(999), b"gASVBQAAAAAAAAB9lC4="])
def test_foreign_entry_is_absent(tmp_path: Path, data: bytes) -> None:
    cache = Cache(tmp_path)
    cache.put(KEY, VALUE)
    entry(tmp_path).write_bytes(data)
    assert cache.get(KEY) is None


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"nul", b"[" * 200_000])
def test_entry_with_a_right_sum_that_is_no_json(tmp_path: Path, body: bytes) -> None:
    cache = Cache(tmp_path)
    cache.put(KEY, VALUE)
    entry(tmp_path).write_bytes(fixer.cache._sum(KEY, body) + body)
    assert cache.get(KEY) is None


def test_entry_under_the_name_of_another(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    other = digest([b"another"])
    cache.put(KEY, VALUE)
    cache.put(other, 2)
    entry(tmp_path, other).write_bytes(entry(tmp_path).read_bytes())
    assert cache.get(other) is None


def test_directory_in_the_place_of_an_entry(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(KEY, VALUE)
    path = entry(tmp_path)
    path.unlink()
    path.mkdir()
    assert cache.get(KEY) is None
    cache.put(KEY, VALUE)
    assert cache.get(KEY) is None


def test_file_in_the_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"mine")
    cache = Cache(tmp_path / "cache")
    cache.put(KEY, VALUE)
    assert cache.get(KEY) is None
    assert (tmp_path / "cache").read_bytes() == b"mine"


# ---- where nothing can be written --------------------------------------------------------------


def full(self: Path, data: bytes) -> int:
    with self.open("wb") as file:
        file.write(data[:10])
    raise OSError(errno.ENOSPC, "No space left on device")


def test_full_disk_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Cache(tmp_path).put(KEY, VALUE)
    tries = []

    def count(self: Path, data: bytes) -> int:
        tries.append(self)
        return full(self, data)

    monkeypatch.setattr(Path, "write_bytes", count)
    cache = Cache(tmp_path)
    for n in range(5):
        cache.put(digest([bytes([n])]), n)
    assert len(tries) == 1
    assert cache.get(KEY) == VALUE
    assert cache.get(digest([b"\0"])) is None
    assert not list(tmp_path.rglob("*.tmp"))


def test_limit_on_the_size_of_files(tmp_path: Path) -> None:
    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        cache = Cache(tmp_path)
        cache.put(KEY, "x" * 5000)
        assert cache.get(KEY) is None

    assert in_child(work) == 0
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user")
@pytest.mark.parametrize("mode", [0o755, 0o700], ids=["read-only", "unreadable"])
def test_cache_of_another_user(mode: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        cache = Cache(directory / "cache")
        cache.put(KEY, VALUE)
        for path in directory.rglob("*"):
            path.chmod(mode if path.is_dir() else 0o644)
        age(entry(directory), 3)

        def work() -> None:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            mine = Cache(directory / "cache")
            assert mine.get(KEY) == (VALUE if mode == 0o755 else None)
            mine.put(digest([b"x"]), 1)
            assert mine.get(digest([b"x"])) is None
            Cache(directory / "new").put(KEY, 1)

        assert in_child(work) == 0
        assert not (directory / "new").exists()


# ---- several processes -------------------------------------------------------------------------


def test_several_processes(tmp_path: Path) -> None:
    """All write and read the same keys; a reader sees nothing or a whole value."""
    keys = [digest([bytes([n])]) for n in range(20)]
    children = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            code = 9
            try:
                cache = Cache(tmp_path)
                for _ in range(10):
                    for key in keys:
                        cache.put(key, [key] * (500 * (number + 1)))
                        assert set(cache.get(key) or ()) == {key}
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * 4
    assert not list(tmp_path.rglob("*.tmp"))


def test_killed_while_it_writes(tmp_path: Path) -> None:
    Cache(tmp_path).put(KEY, VALUE)

    def work() -> None:
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(Path, "replace", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
            Cache(tmp_path).put(KEY, "new")

    assert in_child(work) == -signal.SIGKILL
    cache = Cache(tmp_path)
    assert cache.get(KEY) == VALUE
    (left,) = tmp_path.rglob("*.tmp")
    age(left, 2)
    age(tmp_path / "results-1/pruned", 2)
    cache.put(KEY, VALUE)
    assert not left.exists()


# ---- size and age ------------------------------------------------------------------------------


def test_unused_entries_go(tmp_path: Path) -> None:
    old, recent, new = (digest([part]) for part in (b"old", b"recent", b"new"))
    Cache(tmp_path).put(old, 1)
    Cache(tmp_path).put(recent, 2)
    age(entry(tmp_path, old), 31)
    age(entry(tmp_path, recent), 29)
    Cache(tmp_path).put(new, 3)
    assert Cache(tmp_path).get(recent) == 2, "pruned today already"
    age(entry(tmp_path, recent), 29)
    age(tmp_path / "results-1/pruned", 1.1)
    cache = Cache(tmp_path)
    cache.put(KEY, 4)
    assert [cache.get(key) for key in (old, recent, new, KEY)] == [None, 2, 3, 4]


def test_use_keeps_an_entry(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(KEY, VALUE)
    age(entry(tmp_path), 31)
    assert cache.get(KEY) == VALUE
    age(tmp_path / "results-1/pruned", 2)
    Cache(tmp_path).put(digest([b"x"]), 1)
    assert cache.get(KEY) == VALUE


def test_least_used_go_above_the_greatest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [digest([bytes([n])]) for n in range(10)]
    cache = Cache(tmp_path)
    for n, key in enumerate(keys):
        cache.put(key, "x" * 6000)  # two blocks
        age(entry(tmp_path, key), n)
    age(tmp_path / "results-1/pruned", 2)
    monkeypatch.setattr(fixer.cache, "_MAX_BYTES", 5 * 4096)
    Cache(tmp_path).put(KEY, "last")  # one block
    assert [key in {path.parent.name + path.name for path in tmp_path.rglob("*")} for key in keys] == [True] * 2 + [
        False
    ] * 8
    assert Cache(tmp_path).get(KEY) == "last"


def test_pruning_touches_no_file_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where someone names a directory that holds other things."""
    Cache(tmp_path).put(KEY, VALUE)
    inside = tmp_path / "results-1"
    shard = entry(tmp_path).parent
    outside = tmp_path / "outside"
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    (inside / "00").symlink_to(outside)
    (shard / ("c" * 62)).symlink_to(tmp_path / "main.tf")
    (inside / "mine").mkdir()
    names = [
        tmp_path / "main.tf",
        inside / "main.tf",
        shard / "main.tf",
        shard / "x.tmp",
        inside / "mine" / "a",
        inside / "ab",
    ]
    names += [outside / ("a" * 62), inside / "mine" / ("b" * 62)]
    for path in names:
        path.write_bytes(b"x" * 5000)
        age(path, 99)
    age(inside / "pruned", 2)
    monkeypatch.setattr(fixer.cache, "_MAX_BYTES", 0)
    Cache(tmp_path).put(KEY, VALUE)
    assert not [path for path in names if not path.exists()]
    assert (shard / ("c" * 62)).is_symlink()
    assert Cache(tmp_path).get(KEY) is None


def test_other_processes_prune_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [digest([bytes([n])]) for n in range(5)]
    for key in keys:
        Cache(tmp_path).put(key, 1)
        age(entry(tmp_path, key), 31)
    age(tmp_path / "results-1/pruned", 2)
    unlink = Path.unlink

    def gone_already(self: Path, missing_ok: bool = False) -> None:
        unlink(self, missing_ok=True)
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", gone_already)
    Cache(tmp_path).put(KEY, VALUE)
    assert Cache(tmp_path).get(KEY) == VALUE
    assert [Cache(tmp_path).get(key) for key in keys] == [None] * 5


# ---- where it is -------------------------------------------------------------------------------


def test_directory_by_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IACFIX_CACHE_DIR", str(tmp_path / "mine"))
    assert default_directory() == tmp_path / "mine"


@pytest.mark.parametrize("value", ["", None])
def test_directory_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("IACFIX_CACHE_DIR", raising=False)
    if value is not None:
        monkeypatch.setenv("IACFIX_CACHE_DIR", value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    directory: Any = default_directory()
    assert directory.name == "iacfix"
    assert directory.is_absolute()


def test_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IACFIX_CACHE_DIR", raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_args, **_kw: Path("~/.cache/iacfix"))
    assert default_directory() is None


def test_cache_is_the_users_alone(tmp_path: Path) -> None:
    Cache(tmp_path / "cache").put(KEY, VALUE)
    assert entry(tmp_path).parent.stat().st_mode & 0o077 == 0


# ---- what outdates it --------------------------------------------------------------------------

RULE = """
from pathlib import Path
from fixer.model import Impact, Manual, Rule
rule = Rule(__name__, impact=Impact.NONE, keywords=("aws_s3_bucket",))

@rule.terraform
def terraform(module, options):
    for bucket in module.resources("aws_s3_bucket"):
        known = Path(__file__).parents[1].joinpath("facts/words.zip").read_text()
        yield bucket.finding(rule, known, manual=Manual("It says so", "Read it"))
"""


def test_data_of_rules_outdates_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    category, data = tmp_path / "worded/cost", tmp_path / "worded/facts/words.zip"
    for folder in (category, data.parent, tmp_path / "project"):
        folder.mkdir(parents=True)
    (category / "word.py").write_text(RULE)
    (tmp_path / "project/main.tf").write_text('resource "aws_s3_bucket" "a" {}\n')
    monkeypatch.syspath_prepend(tmp_path)
    rule = importlib.import_module("worded.cost.word").rule
    cache = Cache(tmp_path / "cache")

    def message() -> str:
        project = discover(tmp_path / "project", [tmp_path / "project"])
        result = run(project, [rule], Config(), command="check", impact=Impact.NONE, jobs=1, cache=cache)
        return result.outcomes[0].message

    data.write_text("first")
    assert message() == "first"
    data.write_text("other words")
    assert message() == "other words"
    with monkeypatch.context() as patched:
        patched.setattr("fixer.run._work", None)
        assert message() == "other words", "from the cache"
    for name in [name for name in sys.modules if name.partition(".")[0] == "worded"]:
        del sys.modules[name]
