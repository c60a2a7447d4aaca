"""Whatever fails while a campaign publishes, and wherever it is killed: going on ends as if nothing had been."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
from fake_github import GitHub, meanwhile
from test_faults import EVERY, FAULTS
from test_hosting import bucket
from test_migrate import ACME, BRANCH, Desk, Time, planned_at_once

from fixer.migrate import engine
from fixer.migrate.journal import Journal
from fixer.migrate.states import State

pytest_plugins = ("fake_github.fixture",)

FILES = {"main.tf": bucket("data"), "README.md": "Infra\n"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixer.migrate.engine.limited", planned_at_once)


def facts(desk: Desk) -> list[Any]:
    """What the journal says in the end, but for times and for the owner."""
    with Journal(desk.journal, writing=False) as journal:
        found = []
        for one in journal.repositories():
            plan, pull = journal.plan(one), journal.pull_request(one)
            assert plan is not None
            assert pull is not None
            about = (one.name.partition("/")[2], one.state, one.reason)
            found.append((*about, plan["fingerprint"], plan["base"], pull["branch"], pull["number"], pull["head"]))
        return found


def go_on(desk: Desk) -> None:
    """Run it until there is nothing left to do, with as much time as it wants."""
    for _ in range(8):
        desk.plan()
        desk.publish(all_waves=True)
        if set(desk.counts()) == {"open"}:
            return
        desk.time.now += 3600
        with desk.opened() as journal:  # what waits for another try waits by the real clock
            for one in journal.repositories(State.DEFERRED):
                journal.retry(one, State.DISCOVERED)


# ---- faults ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_fault_at_each_step(github: GitHub, tmp_path: Path) -> None:
    github.repository("acme/undisturbed", FILES)
    desk = Desk(github, tmp_path / "first", f"{ACME}[stop_if]\nfailed = 1.0\n")
    desk.plan()
    before = len(github.log)
    assert desk.publish() == 1
    steps = len(github.log) - before
    planned = []
    for step in range(1, steps + 1):
        for number, fault in enumerate(FAULTS):
            if EVERY or (number + step) % 3 == 0:
                name = github.repository(f"acme/step-{step}-{number}-end", FILES).full_name
                planned.append((name, f"{fault} at step {step}", fault, step))
    desk.plan()
    faults = [github.fault("*", f"*{name}*", FAULTS[fault](), nth=step) for name, _, fault, step in planned]
    go_on(desk)
    assert all(fault.seen > fault.nth for fault in faults)
    for name, what, _, _ in planned:
        infra = github.repositories[name]
        assert [pull.state for pull in infra.pulls] == ["open"], what
        assert infra.pulls[0].head_sha == infra.branches[BRANCH], what
        assert len(infra.git.log(f"main..{BRANCH}")) == 1, what
    rows = facts(desk)
    assert {row[1:] for row in rows} == {rows[0][1:]}


# ---- kill -9 -----------------------------------------------------------------------------------


def coordinate(file: str, token: str, scratch: str) -> None:
    """A whole campaign, as a process of its own."""
    import threading

    from fixer.hosting.credentials import TokenCredentials
    from fixer.hosting.github import Host
    from fixer.migrate import planning, sources
    from fixer.migrate.campaign import load
    from fixer.migrate.publishing import Publisher

    tempfile.tempdir = scratch
    engine.limited = planned_at_once
    campaign = load(Path(file))
    credentials = TokenCredentials(token)
    host = Host(campaign.github.api_url, credentials, pace=0)
    with Journal(Path(file).with_suffix(".journal")) as journal:
        found = [vars(one) for one in sources.find(campaign, host, None)]  # type: ignore[arg-type]
        journal.add([{**one, "state": "discovered", "reason": ""} for one in found])
        planning.plan(journal, campaign, credentials, stopping=threading.Event())
        Publisher(journal, campaign, host, threading.Event(), clock=Time().clock).publish()


def campaign_of_three(github: GitHub, tmp_path: Path, name: str) -> Desk:
    for at in range(3):
        github.repository(f"{name}/infra-{at}", FILES)
    desk = Desk(github, tmp_path / name, f'[repositories]\norganizations = ["{name}"]\n')
    desk.file.write_text(desk.file.read_text().replace("jobs = 2", "jobs = 1"))
    return desk


@pytest.mark.slow
def test_it_is_killed_at_each_step(github: GitHub, tmp_path: Path) -> None:
    undisturbed = campaign_of_three(github, tmp_path, "undisturbed")
    go_on(undisturbed)
    wanted = facts(undisturbed)
    steps = len(github.log)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["test_migrate_faults", "github", "git", "fixer.cdk", "fixer.terraform"])
    for step in range(1, steps + 1) if EVERY else range(2, steps + 1, 7):
        desk = campaign_of_three(github, tmp_path, f"step-{step}")
        github.faults.clear()
        process = context.Process(target=coordinate, args=(os.fspath(desk.file), desk.token, os.fspath(tmp_path)))
        killed = github.fault("*", "*", meanwhile(process.kill, after=step % 2 == 0), nth=step)
        process.start()
        process.join(60)
        assert (process.exitcode, killed.seen >= step) == (-signal.SIGKILL, True), f"step {step}"
        github.faults.clear()
        go_on(desk)
        assert facts(desk) == wanted, f"step {step}"
        for at in range(3):
            infra = github.repositories[f"step-{step}/infra-{at}"]
            assert [pull.state for pull in infra.pulls] == ["open"], f"step {step}"
            assert sorted(infra.branches) == [BRANCH, "main"], f"step {step}"
