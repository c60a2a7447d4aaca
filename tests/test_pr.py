"""`iacfix pr` as a person calls it."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fake_github import GitHub, Repository, refused
from test_hosting import BRANCH, RULES, bucket, group

from fixer.cli import main
from fixer.hosting.checkout import Checkout, Origin
from fixer.hosting.credentials import TokenCredentials, from_environment, redacted
from fixer.hosting.errors import HostingError

pytest_plugins = ("fake_github.fixture",)


def git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=Rosa", "-c", "user.email=rosa@example.com", *arguments],
        cwd=directory,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def without_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IACFIX_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_API_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def infra(github: GitHub) -> Repository:
    return github.repository("acme/infra", {"main.tf": bucket("data"), "logs/main.tf": group("api")})


@pytest.fixture
def checkout(infra: Repository, tmp_path: Path) -> Path:
    directory = tmp_path / "checkout"
    git(tmp_path, "clone", "--quiet", str(infra.bare), str(directory))
    git(directory, "remote", "set-url", "origin", infra.clone_url)
    return directory


def iacfix(*arguments: str | Path, token: str = "", **env: str) -> Result:
    runner = CliRunner(env={"GITHUB_TOKEN": token or None, "IACFIX_CACHE_DIR": None, **env})
    return runner.invoke(main, ["pr", "--select", ",".join(RULES), "--no-cache", "--jobs", "1", *map(str, arguments)])


# ---- the preview -------------------------------------------------------------------------------


def test_a_dry_run_shows_title_text_and_diff(checkout: Path, github: GitHub) -> None:
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    done = iacfix(checkout, "--dry-run", "--title", "Mend the buckets")
    assert done.exit_code == 1
    title, text, diff = done.stdout.partition("\n\n")[0], *done.stdout.partition("\n\n")[2].split("diff --git", 1)
    assert title == "Mend the buckets"
    assert "s3-block-public-access" in text
    assert "iacfix:v1" not in text
    applied = subprocess.run(["git", "apply", "-"], cwd=checkout, input=f"diff --git{diff}", text=True, check=False)
    assert applied.returncode == 0
    assert "aws_s3_bucket_public_access_block" in (checkout / "main.tf").read_text()
    git(checkout, "checkout", "--quiet", ".")
    assert {path: path.read_bytes() for path in before if path.name != "index"} == {
        path: content for path, content in before.items() if path.name != "index"
    }
    assert github.log == []


def test_a_dry_run_goes_by_what_is_committed(checkout: Path) -> None:
    (checkout / "main.tf").write_text("locals {}\n")
    (checkout / "new.tf").write_text(bucket("new"))
    done = iacfix(checkout, "--dry-run")
    assert "orders-data" in done.stdout
    assert "orders-new" not in done.stdout


def test_a_dry_run_with_nothing_to_fix(checkout: Path) -> None:
    (checkout / "main.tf").write_text("locals {}\n")
    git(checkout, "commit", "--quiet", "-am", "Mended")
    git(checkout, "update-ref", "refs/remotes/origin/main", "HEAD")
    done = iacfix(checkout / "main.tf", "--dry-run")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_it_is_off(checkout: Path) -> None:
    (checkout / "iacfix.toml").write_text("enabled = false\n")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "-m", "Off")
    git(checkout, "update-ref", "refs/remotes/origin/main", "HEAD")
    done = iacfix(checkout, "--dry-run")
    assert (done.exit_code, done.stderr) == (0, "iacfix: off, as iacfix.toml says enabled = false\n")


# ---- for real ----------------------------------------------------------------------------------


def test_it_opens_a_pull_request_for_the_part_that_was_named(checkout: Path, infra: Repository, github: GitHub) -> None:
    done = iacfix(checkout / "logs", token=github.token("bot"))
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"created {github.origin}/acme/infra/pull/1\n"
    assert [path.path for path in infra.git.changed("main", BRANCH)] == ["logs/main.tf"]
    assert git(checkout, "status", "--porcelain") == ""
    assert "iacfix" not in git(checkout, "for-each-ref")
    again = iacfix(checkout / "logs", token=github.token("bot"))
    assert again.stdout == f"unchanged {github.origin}/acme/infra/pull/1\n"


def test_quiet_says_nothing(checkout: Path, github: GitHub) -> None:
    done = iacfix(checkout, "--quiet", token=github.token("bot"))
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_a_file_that_can_not_be_read_is_told_and_the_rest_is_fixed(
    checkout: Path, infra: Repository, github: GitHub
) -> None:
    infra.push("main", {"broken/main.tf": "x = \n"})
    done = iacfix(checkout, token=github.token("bot"))
    assert done.exit_code == 2
    assert done.stderr == "broken/main.tf: error: line 2: syntax error\n"
    assert done.stdout.startswith("created ")


def test_a_repository_without_a_checkout(tmp_path: Path, infra: Repository, github: GitHub) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    where = ("--repository", "acme/infra", "--api-url", github.url)
    assert iacfix(empty, *where, token=github.token("bot")).exit_code == 0
    assert len(infra.open_pulls) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "there is no token: set GITHUB_TOKEN, or give --token-file or an app's key"),
        (("--app-id", "7"), "an app needs both its id and the file of its private key"),
        (("--token-file", "none"), "none: No such file or directory"),
        (("--base", "none", "--dry-run"), "there is no branch none"),
        (("--branch", "main"), "'main' can't be the branch of a pull request to main"),
        (("--branch", "a..b"), "'a..b' can't be the branch of a pull request to main"),
        (("--select", "none"), "none"),
    ],
    ids=str,
)
def test_what_can_not_be_done_is_one_line(
    checkout: Path, github: GitHub, arguments: tuple[str, ...], message: str
) -> None:
    token = "" if arguments[:1] in ((), ("--app-id",), ("--token-file",)) else github.token("bot")
    done = iacfix(checkout, *arguments, token=token)
    assert done.exit_code == 2
    assert done.stderr.startswith("iacfix: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert github.writes == []


def test_no_git_repository(tmp_path: Path) -> None:
    done = iacfix(tmp_path)
    assert (done.exit_code, done.stderr) == (2, f"iacfix: {tmp_path}: is not in a git repository\n")


def test_no_git(checkout: Path) -> None:
    done = iacfix(checkout, "--dry-run", PATH=str(checkout))
    assert (done.exit_code, done.stderr) == (2, "iacfix: git is not installed, or not on the PATH\n")


def test_no_host(checkout: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixer.hosting.github.time.sleep", lambda seconds: None)
    done = iacfix(checkout, "--api-url", "http://127.0.0.1:9/api/v3", token=github.token("bot"))
    assert done.exit_code == 2
    assert done.stderr == "iacfix: acme/infra: reading the repository failed: the host can't be reached\n"


def test_a_defect_tells_no_secret(checkout: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    token = github.token("bot")

    def broken(*_: object) -> None:
        raise KeyError(token)

    monkeypatch.setattr("fixer.hosting.bot.serve", broken)
    done = iacfix(checkout, token=token)
    assert done.exit_code == 2
    assert done.stderr.startswith("iacfix: broke, which is a defect; please report it: KeyError in broken")
    assert token not in done.stderr


def test_a_message_of_the_host_tells_no_secret(checkout: Path, github: GitHub) -> None:
    token = github.token("bot")
    github.fault("GET", "/repos/*", refused(403, f"no {token}"), times=None)
    done = iacfix(checkout, token=token)
    assert done.stderr == "iacfix: acme/infra: reading the repository failed: no ***\n"


# ---- credentials -------------------------------------------------------------------------------


def test_a_token_from_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("ghp_secret\n")
    path.chmod(0o644)
    with pytest.raises(HostingError, match="others can read this secret"):
        from_environment({}, "", path)
    path.chmod(stat.S_IRUSR)
    assert from_environment({}, "", path).token("") == "ghp_secret"


def test_the_first_variable_counts() -> None:
    env = {"GH_TOKEN": "third", "GITHUB_TOKEN": "second", "IACFIX_TOKEN": " "}
    assert from_environment(env, "").token("") == "second"


def test_every_form_of_a_secret_is_taken_out() -> None:
    text = "a/b+c= a%2Fb%2Bc%3D YS9iK2M9 eC1hY2Nlc3MtdG9rZW46YS9iK2M9"
    assert TokenCredentials("a/b+c=").redact(text) == "*** *** *** ***"
    assert redacted("text", [""]) == "text"


# ---- where a checkout comes from ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "api", "name"),
    [
        ("https://github.com/acme/infra.git", "https://api.github.com", "acme/infra"),
        ("https://user@github.com/acme/infra", "https://api.github.com", "acme/infra"),
        ("git@github.com:acme/infra.git", "https://api.github.com", "acme/infra"),
        ("ssh://git@git.example.com:2222/acme/in.fra.git", "https://git.example.com/api/v3", "acme/in.fra"),
        ("https://git.example.com:8443/acme/infra.git/", "https://git.example.com:8443/api/v3", "acme/infra"),
    ],
)
def test_the_origin(url: str, api: str, name: str) -> None:
    origin = Origin.of(url)
    assert (origin.api_url, origin.name) == (api, name)


@pytest.mark.parametrize("url", ["", "../infra", "/srv/infra.git", "file:///srv/infra.git", "https://github.com/acme"])
def test_no_origin(url: str) -> None:
    with pytest.raises(HostingError, match="give --repository"):
        Origin.of(url)


def test_the_default_branch_of_a_checkout(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "-b", "trunk")
    with pytest.raises(HostingError, match="there is no branch trunk"):
        Checkout(tmp_path).commit_of(None)
    (tmp_path / "x").write_text("")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "x")
    assert Checkout(tmp_path).commit_of(None) == ("trunk", git(tmp_path, "rev-parse", "HEAD"))
    git(tmp_path, "checkout", "--quiet", "--detach")
    assert Checkout(tmp_path).commit_of(None) == ("HEAD", git(tmp_path, "rev-parse", "HEAD"))


def test_a_hook_and_its_variables_have_no_say(checkout: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", os.fspath(checkout.parent))
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(checkout / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", os.fspath(checkout))
    assert iacfix(checkout, token=github.token("bot")).exit_code == 0
