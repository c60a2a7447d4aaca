"""Repositories that mean harm: they are fixed or refused, and nothing else happens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_github import GitHub, Repository
from test_hosting import BRANCH, Bot, bucket

from fixer.hosting.errors import HostingError
from fixer.hosting.layout import lay_out
from fixer.hosting.lifecycle import Operation
from fixer.hosting.plumbing import Remote
from fixer.hosting.store import Store

pytest_plugins = ("fake_github.fixture",)


def commit(repository: Repository, *entries: tuple[str, str, str | bytes]) -> str:
    """Put a commit with these entries (mode, name, and content or hash) on the default branch, unchecked."""
    git = repository.git
    lines = b""
    for mode, name, content in entries:
        kind = {"160000": "commit", "040000": "tree"}.get(mode, "blob")
        sha = content if kind != "blob" else git.write_blob(content.encode() if isinstance(content, str) else content)
        lines += f"{mode} {kind} {sha}\t".encode() + os.fsencode(name) + b"\0"
    tree = git.git("mktree", "-z", "--missing", stdin=lines).decode().strip()
    stamp = ("Mallory", "mallory@example.com", "1700000000 +0000")
    sha = git.write_commit(tree, [], "Harm", stamp, stamp)
    git.set_ref("refs/heads/main", sha)
    return sha


def subtree(repository: Repository, name: str, content: str) -> str:
    blob = repository.git.write_blob(content.encode())
    return repository.git.git("mktree", "-z", stdin=f"100644 blob {blob}\t{name}\0".encode()).decode().strip()


@pytest.fixture
def infra(github: GitHub) -> Repository:
    return github.repository("acme/infra", {"main.tf": bucket("data")})


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that links could lead to."""
    path = tmp_path / "outside.tf"
    path.write_text(bucket("outside"))
    return path


def test_what_git_takes_is_fixed_and_does_nothing(github: GitHub, infra: Repository, outside: Path) -> None:
    ran = outside.with_name("ran")
    run = f"touch {ran}"
    commit(
        infra,
        ("100644", "main.tf", bucket("data")),
        ("100644", ".gitattributes", "*.tf filter=evil diff=evil merge=evil working-tree-encoding=UTF-16\n"),
        ("120000", "evil.tf", os.fspath(outside)),
        ("120000", "config", "../../../store.git/config"),
        ("160000", "module", "1" * 40),
        ("100644", ".lfsconfig", "[lfs]\n  url = ext::sh -c evil\n"),
        ("100644", "lfs.tf", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
        ("100644", "libcst.py", f"import os\nos.system({run!r})\n"),
        ("100644", "sitecustomize.py", f"import os\nos.system({run!r})\n"),
        ("100644", "conftest.py", f"import os\nos.system({run!r})\n"),
        ("100644", "a\n::error::b.tf", bucket("newline")),
        ("100644", "<details><script>@org.tf", bucket("markup")),
        ("100644", "latin-\udce9.tf", bucket("latin")),
        ("100644", "CASE.tf", bucket("one")),
        ("100644", "case.tf", bucket("two")),
        ("040000", "broken", subtree(infra, "nul.tf", "\0")),
        ("040000", "hooks", subtree(infra, "post-checkout", f"#!/bin/sh\n{run}\n")),
    )
    bot = Bot(github, infra)
    assert bot() is Operation.CREATED
    changed = {path.path for path in infra.git.changed("main", BRANCH)}
    assert "main.tf" in changed
    assert not changed & {"evil.tf", "config", "module", "lfs.tf", "broken/nul.tf"}
    was, now = (infra.git.git("ls-tree", "-r", "-z", branch).split(b"\0") for branch in ("main", BRANCH))
    assert {os.fsdecode(line.partition(b"\t")[2]) for line in set(was) - set(now)} == changed
    assert outside.read_text() == bucket("outside")
    assert not ran.exists()
    [pull] = infra.pulls
    assert "<script>" not in (pull.body or "")
    assert "@org" not in (pull.body or "")
    assert "\n::error::" not in (pull.body or "")


@pytest.mark.parametrize("name", ["..", ".", ".git", ".GIT", "git~1", ".git\u200c"])
def test_what_git_does_not_take_is_refused(github: GitHub, infra: Repository, name: str, tmp_path: Path) -> None:
    tree = subtree(infra, "config", "[core]\n  fsmonitor = touch ran\n")
    commit(infra, ("100644", "main.tf", bucket("data")), ("040000", name, tree))
    with pytest.raises(HostingError, match=r"^git fetch: .*(error|fatal)"):
        Bot(github, infra)()
    assert github.writes == []
    assert not [path for path in tmp_path.rglob("config") if "github" not in path.parts]


@pytest.mark.parametrize(
    "name",
    [
        "../up.tf",
        "/root.tf",
        "a/../../up.tf",
        ".git/config",
        "a/.GIT/x.tf",
        ".git ./x",
        ".git::$INDEX",
        "a\\b.tf",
        "x\x01.tf",
    ],
)
def test_names_that_lead_elsewhere_are_not_laid_out(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from fixer.hosting.store import Entry

    store = Store(tmp_path / "store")
    blob = store.blob(b"harm")
    entries = [Entry(name, "100644", blob), Entry("fine.tf", "100644", blob)]
    monkeypatch.setattr(store, "entries", lambda commit: iter(entries))
    target = tmp_path / "deep" / "files"
    target.mkdir(parents=True)
    assert lay_out(store, "HEAD", target) == [name]
    assert [path for path in (tmp_path / "deep").rglob("*") if path.is_file()] == [target / "fine.tf"]


@pytest.mark.parametrize("url", ["ext::sh -c touch% ran", "--upload-pack=touch ran", "file:///etc", "-o"])
def test_a_url_is_a_url_only(tmp_path: Path, url: str) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(HostingError):
        store.fetch(Remote(url), "refs/heads/main")
    assert not (tmp_path / "store" / "ran").exists()


def test_a_bomb_of_files_is_borne(github: GitHub, infra: Repository) -> None:
    infra.push("main", {f"many/{number}/notes.txt": "x" for number in range(3000)})
    assert Bot(github, infra)() is Operation.CREATED
