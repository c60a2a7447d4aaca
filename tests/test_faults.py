"""Whatever fails at whichever remote step, and wherever iacfix is killed: running again ends as if nothing had been."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from fake_github import GitHub, Repository, hang, meanwhile, primary_limit, reset, secondary_limit, server_error
from fake_github.faults import Failure
from test_hosting import BRANCH, RULES, Bot, bucket, group

from fixer.hosting.errors import HostingError
from fixer.hosting.lifecycle import Operation
from fixer.hosting.marker import Marker

pytest_plugins = ("fake_github.fixture",)

FAULTS: dict[str, Callable[[], Failure]] = {
    "502 before": lambda: server_error(502),
    "502 after": lambda: server_error(502, after=True),
    "reset before": reset,
    "reset after": lambda: reset(after=True),
    "403 with Retry-After": lambda: secondary_limit(403, 7),
    "403 without": lambda: secondary_limit(403),
    "429 with Retry-After": lambda: secondary_limit(429, 7),
    "429 without": lambda: secondary_limit(429),
    "primary limit": lambda: primary_limit(50),
}
"""What goes wrong, and whether before or after the request has had its effect."""

EVERY = "IACFIX_EVERY_FAULT" in os.environ
"""Whether each step meets each fault; else each meets a third of them, and each fault some steps."""


@dataclass(frozen=True)
class Scenario:
    """What a run has to do, and what there is to see in the end."""

    prepare: Callable[[Bot], object]
    operation: Operation
    """What an undisturbed run does."""
    is_done: Callable[[Bot], bool]


def opened(bot: Bot) -> bool:
    """One pull request, with all that is to fix, in one commit."""
    [pull] = bot.repository.pulls
    mark = Marker.of(pull.body)
    heads = {pull.head_sha, bot.repository.branches[BRANCH], mark and mark.head}
    return pull.state == "open" and len(heads) == 1 and len(bot.commits()) == 1 and not pull.comments


def closed(bot: Bot) -> bool:
    """No pull request and no branch; said once."""
    [pull] = bot.repository.pulls
    return (pull.state, len(pull.comments), bot.repository.branches.get(BRANCH)) == ("closed", 1, None)


def kept(bot: Bot) -> bool:
    """A person's commit, and one comment."""
    [pull] = bot.repository.pulls
    return bot.repository.read("main.tf", BRANCH) == b"# mine\n" and len(pull.comments) == 1


def to_update(bot: Bot) -> None:
    bot()
    bot.repository.push("main", {"logs.tf": group("api")})


def to_close(bot: Bot) -> None:
    bot()
    bot.repository.push("main", {"main.tf": "locals {}\n"})


def to_keep_off(bot: Bot) -> None:
    bot()
    bot.repository.push(BRANCH, {"main.tf": "# mine\n"})


SCENARIOS = {
    "open": Scenario(lambda bot: None, Operation.CREATED, opened),
    "update": Scenario(to_update, Operation.UPDATED, opened),
    "close": Scenario(to_close, Operation.CLOSED, closed),
    "keep off": Scenario(to_keep_off, Operation.QUARANTINED, kept),
}
FILES = {"main.tf": bucket("data")}
SELECT = ("--select", ",".join(RULES))


def steps_of(github: GitHub, scenario: Scenario) -> int:
    """How many requests an undisturbed run takes; it must do what it is for."""
    bot = Bot(github, github.repository("acme/undisturbed", FILES))
    scenario.prepare(bot)
    before = len(github.log)
    assert bot() is scenario.operation
    assert scenario.is_done(bot)
    return len(github.log) - before


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_fault_at_each_step(github: GitHub, name: str) -> None:
    scenario = SCENARIOS[name]
    for step in range(1, steps_of(github, scenario) + 1):
        for number, fault in enumerate(FAULTS):
            if not EVERY and (number + step) % 3:
                continue
            bot = Bot(github, github.repository(f"acme/step-{step}-{number}", FILES))
            scenario.prepare(bot)
            github.faults.clear()
            planned = github.fault("*", "*", FAULTS[fault](), nth=step)
            failures = [failure for _ in range(3) if (failure := failure_of(bot))]
            assert all(failure.kind.passes or str(failure).startswith("git ") for failure in failures), failures
            assert len(failures) < 3
            assert planned.seen >= step
            assert scenario.is_done(bot), f"{fault} at step {step}: {github.log[-20:]}"


def failure_of(bot: Bot) -> HostingError | None:
    try:
        bot()
    except HostingError as error:
        return error
    return None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["open", "close"])
def test_it_is_killed_at_each_step(github: GitHub, tmp_path: Path, name: str) -> None:
    scenario = SCENARIOS[name]
    for step in range(1, steps_of(github, scenario) + 1):
        bot = Bot(github, github.repository(f"acme/step-{step}", FILES))
        scenario.prepare(bot)
        github.faults.clear()
        process = start(github, bot, tmp_path)
        github.fault("*", "*", meanwhile(lambda process=process: process.kill(), after=step % 2 == 0), nth=step)
        process.wait(60)
        assert process.returncode in (-signal.SIGKILL, 0)
        github.faults.clear()
        bot()
        assert scenario.is_done(bot), f"step {step}"


def start(github: GitHub, bot: Bot, directory: Path) -> subprocess.Popen[bytes]:
    """`iacfix pr` as a process of its own."""
    command = [
        sys.executable,
        "-m",
        "fixer",
        "pr",
        str(directory),
        *SELECT,
        "--no-cache",
        "--jobs",
        "1",
        "--api-url",
        github.url,
    ]
    env = {**os.environ, "GITHUB_TOKEN": github.token("bot")}
    return subprocess.Popen(
        [*command, "--repository", bot.name], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def test_a_host_that_hangs_is_not_waited_for(
    github: GitHub, monkeypatch: pytest.MonkeyPatch, infra: Repository
) -> None:
    monkeypatch.setattr("fixer.hosting.github._TIMEOUT", 1)
    bot = Bot(github, infra)
    github.fault("GET", "/repos/*", hang())
    assert bot() is Operation.CREATED


@pytest.fixture
def infra(github: GitHub) -> Repository:
    return github.repository("acme/infra", FILES)


# ---- secrets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["works", "fails"])
def test_the_token_is_seen_nowhere(github: GitHub, infra: Repository, tmp_path: Path, outcome: str) -> None:
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("there is no /proc that tells the arguments of other processes")
    token = github.token("bot", None if outcome == "works" else {"metadata": "read", "contents": "read"})
    seen: list[str] = []
    done = threading.Event()
    watcher = threading.Thread(target=watch, args=(token, tmp_path, seen, done))
    watcher.start()
    env = {**os.environ, "GITHUB_TOKEN": token, "TMPDIR": str(tmp_path), "GIT_TRACE": "1", "GIT_CURL_VERBOSE": "1"}
    command = [sys.executable, "-m", "fixer", "pr", str(tmp_path), *SELECT, "--no-cache", "--api-url", github.url]
    ran = subprocess.run([*command, "--repository", "acme/infra"], env=env, capture_output=True, text=True, check=False)
    done.set()
    watcher.join()
    assert ran.returncode == (0 if outcome == "works" else 2)
    assert re.fullmatch(r"created http\S+\n" if outcome == "works" else "", ran.stdout)
    assert seen == []
    for form in forms(token):
        assert form not in ran.stdout + ran.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "github"]


def forms(token: str) -> list[str]:
    import base64

    return [token, base64.b64encode(f"x-access-token:{token}".encode()).decode()]


def watch(token: str, directory: Path, seen: list[str], done: threading.Event) -> None:
    """Look for the token in the arguments of all processes and in all files that are there meanwhile."""
    while not done.is_set():
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                text = process.read_text()
            except OSError:
                continue
            seen += [text for form in forms(token) if form in text]
        files = (
            Path(here, name) for here, _, names in os.walk(directory) for name in names
        )  # what goes meanwhile is fine
        for path in files:
            try:
                content = path.read_bytes() if "objects" not in path.parts else b""
            except OSError:
                continue
            seen += [str(path) for form in forms(token) if form.encode() in content]
        time.sleep(0.01)  # between two looks, not for something to be there
