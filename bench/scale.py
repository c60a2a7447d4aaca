"""A campaign over thousands of synthetic repositories, killed on the way and not; see docs/scale.md.

    python -m bench.scale --repositories 5000

The host is tests/fake_github, on loopback, with real git. The coordinator is a process of its own, in which the clock
of the publisher jumps ahead wherever it would wait: the pace that GitHub asks for is worked out in docs/scale.md.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from fixer.hosting.credentials import TokenCredentials
from fixer.hosting.github import Host
from fixer.migrate import planning, sources
from fixer.migrate.campaign import load
from fixer.migrate.journal import Journal
from fixer.migrate.publishing import Clock, Publisher
from fixer.migrate.states import State

_VARIANTS = 200
"""Repositories with different content; the others are copies of these, as far as git's objects go."""
_CAMPAIGN = """\
version = 1
name = "scale"
[github]
api_url = "{url}"
[repositories]
organizations = ["acme"]
[publish]
max_open = 1000000
waves = ["rest"]
rate_per_hour = 500
[engine]
jobs = {jobs}
"""


# ---- the coordinator ---------------------------------------------------------------------------


class _Time:
    """Time that passes when it is waited for, from where an earlier run was."""

    def __init__(self, now: float) -> None:
        self.now = now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)


def coordinate(file: Path) -> None:
    """Discover, plan and publish as `iacfix migrate run` does, but for the clock; a line for each step."""
    campaign = load(file)
    credentials = TokenCredentials(os.environ["GITHUB_TOKEN"])
    host = Host(campaign.github.api_url, credentials, pace=0)
    with Journal(file.with_suffix(".journal")) as journal:
        journal.begin(campaign.name, campaign.digest, "bench")
        if not journal.count():
            found = [vars(one) for one in sources.find(campaign, host, sys.stdin)]
            journal.add([{**one, "state": State.DISCOVERED.value, "reason": ""} for one in found])
            print("discovered", flush=True)
        stopping = threading.Event()
        planning.plan(journal, campaign, credentials, stopping=stopping, tell=lambda: print("planned", flush=True))
        clock = _Time(max([time.time(), *journal.spent(0)])).clock
        tell = lambda: print("published", flush=True)  # noqa: E731
        Publisher(journal, campaign, host, stopping, tell=tell, clock=clock).publish()


# ---- around it ---------------------------------------------------------------------------------


@dataclass
class Run:
    """What a campaign took.

    Attributes:
        seconds: Of discovering, planning and publishing, starts of processes among the stage that they are in.
        memory: The coordinator's resident memory in MB, with the number of steps that were done by then.
        resumed: Seconds from each further start of the coordinator to the first step that it did.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    memory: list[tuple[int, float]] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)
    steps: int = 0


def run(file: Path, token: str, kills: Sequence[int]) -> Run:
    """Run the campaign to its end, killed after so many steps each."""
    done = Run()
    waiting = list(kills)
    last = time.monotonic()
    for is_first in (True, *(False for _ in kills)):
        begun = time.monotonic()
        command = [sys.executable, "-m", "bench.scale", "--coordinate", os.fspath(file)]
        env = {**os.environ, "GITHUB_TOKEN": token}
        is_resumed = is_first
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                now = time.monotonic()
                if not is_resumed:
                    done.resumed.append(now - begun)
                    is_resumed = True
                done.seconds[line.strip()] = done.seconds.get(line.strip(), 0) + now - last
                last = now
                done.steps += 1
                if done.steps % 10 == 0:
                    done.memory.append((done.steps, _resident(process.pid)))
                if waiting and done.steps >= waiting[0]:
                    waiting.pop(0)
                    process.kill()
                    break
        if process.returncode == 0:
            return done
        if process.returncode != -9:
            raise SystemExit(f"the coordinator failed with exit code {process.returncode}")
    raise SystemExit("the coordinator was killed more often than it was started")


def _resident(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmRSS")), 0.0)


def _files(number: int) -> dict[str, str]:
    """A repository's content: Terraform of a few modules, of which one in ten has nothing to fix."""
    chance = random.Random(number)  # noqa: S311 - the same in every run
    files = {"README.md": f"# Service {number}\n" * 20, "docs/notes.md": "Notes\n" * 200}
    for module in range(chance.randint(1, 4)):
        parts = [f'locals {{\n  service = "service-{number}"\n}}\n']
        for resource in range(chance.randint(0, 6) if number % 10 else 0):
            name = f"{chance.choice(('data', 'logs', 'events'))}_{resource}"
            parts.append(f'resource "aws_s3_bucket" "{name}" {{\n  bucket = "acme-{number}-{module}-{resource}"\n}}\n')
            parts.append(f'resource "aws_cloudwatch_log_group" "{name}" {{\n  name = "/acme/{number}/{module}"\n}}\n')
        files[f"modules/m{module}/main.tf"] = "\n".join(parts)
    return files


@dataclass
class World:
    """A host with the repositories, and a campaign for them."""

    github: Any
    file: Path
    token: str


def _world(directory: Path, repositories: int, jobs: int) -> World:
    fake = importlib.import_module("fake_github")
    (directory / "host").mkdir(parents=True)
    github = fake.GitHub(directory / "host").__enter__()
    for number in range(repositories):
        github.repository(f"acme/service-{number:05}", _files(number % _VARIANTS))
    file = directory / "scale.toml"
    file.write_text(_CAMPAIGN.format(url=github.url, jobs=jobs))
    token = github.token("bot")
    github.tokens[token].limit = github.tokens[token].remaining = 10**9
    return World(github, file, token)


def _facts(journal: Path) -> Iterator[tuple[Any, ...]]:
    """All that a journal holds but for times, and for what the host alone decides: its address and its ids."""
    with Journal(journal, writing=False) as there:
        for one in there.repositories():
            plan, pull = there.plan(one), there.pull_request(one)
            report = json.loads(zlib.decompress(plan["report"])) if plan else {}
            report.get("summary", {}).pop("seconds", None)
            yield (
                *(one.name, one.branch, one.kilobytes, one.state, one.reason),
                plan and (plan["key"], plan["base"], plan["fingerprint"], json.dumps(report)),
                pull and (pull["branch"], pull["number"], pull["head"], pull["state"]),
            )


def _pull_requests(world: World) -> list[tuple[str, int, list[str]]]:
    return [(name, len(one.pulls), sorted(one.branches)) for name, one in sorted(world.github.repositories.items())]


@click.command(context_settings={"show_default": True})
@click.option("--repositories", default=500, type=click.IntRange(10), help="How many there are.")
@click.option("--kills", default=3, type=click.IntRange(0), help="How often the second run is killed.")
@click.option("--jobs", default=os.cpu_count() or 1, type=click.IntRange(1), help="Repositories planned at once.")
@click.option("--coordinate", "file", type=click.Path(path_type=Path), hidden=True)
def main(*, repositories: int, kills: int, jobs: int, file: Path | None) -> None:
    """Run the campaign undisturbed, and again killed on the way; print markdown, and fail where they differ."""
    if file:
        coordinate(file)
        return
    sys.path.insert(0, os.fspath(Path(__file__).parent.parent / "tests"))
    scratch = Path(tempfile.mkdtemp(prefix="iacfix-scale-"))
    try:
        _compare(scratch, repositories, kills, jobs)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _compare(scratch: Path, repositories: int, kills: int, jobs: int) -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {jobs} jobs\n")
    first = _world(scratch / "undisturbed", repositories, jobs)
    undisturbed = run(first.file, first.token, ())
    _tell(undisturbed, first, repositories)
    second = _world(scratch / "killed", repositories, jobs)
    at = [round(undisturbed.steps * (one + 1) / (kills + 1)) for one in range(kills)]
    killed = run(second.file, second.token, at)
    print(f"| killed after steps | {', '.join(map(str, at))} of {undisturbed.steps} |")
    print(f"| resumed after, seconds | {', '.join(f'{one:.1f}' for one in killed.resumed)} |")
    journals = [list(_facts(world.file.with_suffix(".journal"))) for world in (first, second)]
    is_same = journals[0] == journals[1] and _pull_requests(first) == _pull_requests(second)
    print(f"| the same journal and the same host in the end | {'yes' if is_same else 'no'} |")
    if not is_same:
        raise SystemExit(1)


def _tell(done: Run, world: World, repositories: int) -> None:
    journal = world.file.with_suffix(".journal")
    with Journal(journal, writing=False) as there:
        counts = there.counts()
    states = ", ".join(f"{number} {state.value}" for state, number in counts.items())
    print(f"| {repositories} repositories | {states} |")
    print("|---|---|")
    for stage, name in (("discovered", "discover"), ("planned", "plan"), ("published", "publish, pace left out")):
        seconds = done.seconds.get(stage, 0.0)
        print(f"| {name} | {seconds:.1f} s, {1000 * seconds / repositories:.0f} ms each |")
    shares = [done.memory[round((len(done.memory) - 1) * share)] for share in (0.1, 0.5, 1)] if done.memory else []
    told = ", ".join(f"{megabytes:.0f} MB after {steps} steps" for steps, megabytes in shares)
    print(f"| memory of the coordinator | {told}; {max((one for _, one in done.memory), default=0):.0f} MB at most |")
    print(f"| journal | {journal.stat().st_size / 1e6:.1f} MB |")
    begun = time.monotonic()
    command = [sys.executable, "-m", "fixer", "migrate", "report", os.fspath(world.file), "--output"]
    told_by = subprocess.run([*command, os.fspath(world.file.parent / "report")], capture_output=True, check=False)
    if told_by.returncode == 0:
        print(f"| report | {time.monotonic() - begun:.1f} s |")


if __name__ == "__main__":
    main()
