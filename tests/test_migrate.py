"""Campaigns over a GitHub that is held to GitHub's own description, with real git below."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fake_github import GitHub, Repository, meanwhile, refused, secondary_limit, server_error
from fake_github import hang as hanging
from test_hostile_repository import commit, subtree
from test_hosting import ROSA, RULES, bucket, group

from fixer.cli import main
from fixer.hosting.credentials import NO_TOKEN, TokenCredentials
from fixer.hosting.github import Host
from fixer.hosting.plan import Words
from fixer.migrate import engine, planning, work
from fixer.migrate.campaign import Campaign, Engine, load, template
from fixer.migrate.engine import EngineError, executor
from fixer.migrate.journal import Journal, JournalError
from fixer.migrate.publishing import Clock, Publisher, Stop, is_open
from fixer.migrate.states import State
from fixer.migrate.syncing import sync
from fixer.request import Request

pytest_plugins = ("fake_github.fixture",)

NAME = "buckets"
BRANCH = f"iacfix/{NAME}"
ACME = '[repositories]\norganizations = ["acme"]\n'
FILES = {"main.tf": bucket("data"), "README.md": "Infra\n"}
NOON = 1_790_000_000.0
"""A Monday in September, 14:13 UTC."""


@dataclass
class Time:
    """Passes when it is waited for."""

    now: float = NOON
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)


class Desk:
    """Where somebody runs a campaign: a directory with its file and its journal, a token and a clock."""

    def __init__(self, github: GitHub, directory: Path, text: str = ACME) -> None:
        directory.mkdir(exist_ok=True)
        self.github, self.time, self.waits = github, Time(), list[float]()
        self.token = github.token("bot")
        self.file, self.journal = directory / f"{NAME}.toml", directory / f"{NAME}.journal"
        self.write(text)

    def write(self, text: str, fix: str = "") -> None:
        """Write the campaign's file; what it fixes is what these tests are about, whatever other rules there are."""
        head = f'version = 1\nname = "{NAME}"\n[fix]\nselect = {json.dumps(RULES)}\n{fix}'
        host = f'[github]\napi_url = "{self.github.url}"\n[engine]\njobs = 2\n'
        self.file.write_text(f"{head}{host}{text}")

    @property
    def campaign(self) -> Campaign:
        return load(self.file)

    @property
    def credentials(self) -> TokenCredentials:
        return TokenCredentials(self.token)

    @property
    def host(self) -> Host:
        return Host(self.github.url, self.credentials, patience=100, pace=0, sleep=self.waits.append)

    def __call__(self, *args: str, stdin: str = "", env: dict[str, str] | None = None) -> Result:
        """Run a verb in this process."""
        verb, *rest = args
        environment = {"GITHUB_TOKEN": self.token, "IACFIX_READ_TOKEN": None, **(env or {})}
        return CliRunner().invoke(main, ["migrate", verb, str(self.file), *rest], input=stdin, env=environment)

    def opened(self) -> Journal:
        return Journal(self.journal)

    def plan(self, **options: Any) -> int:
        """Discover and plan."""
        assert self("discover").exit_code in (0, 3)
        with self.opened() as journal:
            return planning.plan(journal, self.campaign, self.credentials, stopping=threading.Event(), **options)

    def publish(self, stopping: threading.Event | None = None, **options: Any) -> int | str:
        """Publish; how many, or why it stopped."""
        with self.opened() as journal:
            publisher = Publisher(
                journal, self.campaign, self.host, stopping or threading.Event(), clock=self.time.clock
            )
            try:
                return publisher.publish(**options)
            except Stop as stop:
                return str(stop)

    def sync(self) -> int:
        with self.opened() as journal:
            return sync(journal, self.host)

    def states(self) -> dict[str, str]:
        """The state of each repository, and why."""
        with Journal(self.journal, writing=False) as journal:
            return {one.name: f"{one.state.value}{one.reason and f': {one.reason}'}" for one in journal.repositories()}

    def counts(self) -> dict[str, int]:
        with Journal(self.journal, writing=False) as journal:
            return {state.value: number for state, number in journal.counts().items()}


@pytest.fixture
def desk(github: GitHub, tmp_path: Path) -> Desk:
    return Desk(github, tmp_path / "desk")


@pytest.fixture
def three(github: GitHub) -> list[Repository]:
    return many(github, 3)


def many(github: GitHub, number: int) -> list[Repository]:
    return [github.repository(f"acme/infra-{at}", FILES) for at in range(number)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are made at once, by nobody: what is tested is what becomes of them."""
    monkeypatch.setattr("fixer.migrate.engine.limited", planned_at_once)


def planned_at_once(task: work.Task) -> work.Outcome:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as scratch:
        return work.make(task, Path(scratch))


# ---- the campaign's file -----------------------------------------------------------------------


def test_the_template_says_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.toml"
    assert CliRunner().invoke(main, ["migrate", "init", str(path)]).output == f"wrote {path}\n"
    assert path.read_text() == template(NAME)
    assert load(path) == Campaign(NAME, path=path)
    windows = "\n".join(line.removeprefix("# ") for line in path.read_text().partition("# [[windows]]")[2].splitlines())
    lines = [line for line in windows.splitlines() if " = " in line]
    path.write_text(f'version = 1\nname = "{NAME}"\n[[windows]]\n' + "\n".join(lines))
    assert len(load(path).windows) == 1
    again = CliRunner().invoke(main, ["migrate", "init", str(path)])
    assert (again.exit_code, again.stderr) == (2, f"iacfix: {path}: is there already\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = 3", "name: lower-case letters, digits, '.', '_' and '-' only"),
        ('name = "a..b"', "name: lower-case letters, digits, '.', '_' and '-' only"),
        ('nam = "x"', "unknown key 'nam'; did you mean 'name'?"),
        ("[fix]\ntimeout = 3", "fix: unknown key 'timeout'; did you mean 'timeout_s'?"),
        ("[fix]\ntimeout_s = 0", "fix.timeout_s: at least 1 s and 200 MB are needed"),
        ('[fix]\nimpact = "all"', "fix.impact: expected one of "),
        ("[publish]\nrate_per_hour = 501", "publish.rate_per_hour: 1 to 500 an hour, and at least one at once"),
        ('[publish]\nwaves = ["rest", "5"]', 'publish.waves: a wave is a number, and the last one may be "rest"'),
        ('[[windows]]\nstart = "9"', "windows[0].start: a window is from one time (08:00) to a later one (16:00)"),
        ('[[windows]]\ntimezone = "Mars"', "windows[0].timezone: there is no time zone 'Mars'"),
        ("windows = 3", "windows: expected [[windows]]"),
        ("windows = [3]", "windows: expected [[windows]]"),
        ("engine = 3", "engine: expected a table"),
        ("[fix", "is not valid TOML: "),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.toml"
    name = "" if text.startswith("nam") else 'name = "x"\n'
    path.write_text(f"version = 1\n{name}{text}\n")
    ran = CliRunner().invoke(main, ["migrate", "status", str(path)])
    ran = CliRunner().invoke(main, ["migrate", "plan", str(path)])
    assert ran.exit_code == 2
    assert ran.stderr.startswith(f"iacfix: {path}: {said}")
    assert ran.stderr.count("\n") == 1


def test_a_campaign_of_another_version_or_none(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    missing = CliRunner().invoke(main, ["migrate", "plan", str(path)])
    assert (missing.exit_code, missing.stderr) == (2, f"iacfix: {path}: can't be read: No such file or directory\n")
    path.write_text('version = 2\nname = "x"\n')
    later = CliRunner().invoke(main, ["migrate", "plan", str(path)])
    assert (later.exit_code, later.stderr) == (2, f"iacfix: {path}: version: expected 1, the version of this form\n")


# ---- discovering -------------------------------------------------------------------------------


def test_an_organisation_with_what_is_left_out(github: GitHub, desk: Desk) -> None:
    github.repository("acme/infra", FILES)
    github.repository("acme/old", FILES, archived=True)
    github.repository("acme/large", FILES, size=3_000_000)
    github.repository("acme/no", FILES, topics=["no-iacfix"])
    github.repository("acme/web-app", FILES)
    github.repository("acme/infra-test", FILES)
    github.organization("other")
    upstream = github.repository("other/lib", FILES)
    github.fork(upstream, "rosa")
    desk.write(
        '[repositories]\norganizations = ["acme", "rosa"]\n'
        'include = ["acme/*", "rosa/*"]\nexclude = ["*/web-*", "*-test"]\n'
    )
    ran = desk("discover")
    assert (ran.exit_code, ran.output) == (0, "7 repositories, 7 of them new\n")
    assert desk.states() == {
        "acme/infra": "discovered",
        "acme/infra-test": "skipped: an exclude pattern matches it",
        "acme/large": "skipped: it is larger than 2000 MB",
        "acme/no": "skipped: it has the topic no-iacfix",
        "acme/old": "skipped: it is archived",
        "acme/web-app": "skipped: an exclude pattern matches it",
        "rosa/lib": "skipped: it is a fork",
    }
    assert github.writes == []


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5])
def test_an_organisation_is_read_page_by_page(
    github: GitHub, desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr("fixer.hosting.github._PER_PAGE", 2)
    github.organization("acme")
    for one in range(number):
        github.repository(f"acme/infra-{one}", FILES)
    assert [one.name for one in desk.host.repositories_of("acme")] == [f"acme/infra-{one}" for one in range(number)]
    assert sum("/orgs/acme/repos" in str(one) for one in github.calls) == number // 2 + 1


def test_topics_searches_names_files_and_paths(github: GitHub, desk: Desk) -> None:
    for name, topics in {"one": ["aws"], "two": [], "three": ["aws"], "four": [], "five": []}.items():
        github.repository(f"acme/{name}", FILES, topics=topics)
    github.repository("apex/found", FILES)
    here = desk.file.parent
    for name in ("clones/a", "clones/b", "single"):
        clone(github.repositories["acme/one"], here / name)
    (here / "clones/no-repository").mkdir()
    (here / "list.txt").write_text("# ours\nacme/four  # the fourth\n\nsingle\nhttps://git.example.com/x/y.git\n")
    desk.write(
        '[repositories]\norganizations = ["acme"]\ntopics = ["aws"]\nsearch = ["org:apex found"]\n'
        'names = ["acme/two", "acme/one"]\n'
        'files = ["list.txt", "-"]\npaths = ["clones/*", "https://git.example.com/x/z"]\n'
    )
    ran = desk("discover", stdin="acme/five\nacme/four\n")
    assert ran.exit_code == 0, ran.output
    assert sorted(desk.states()) == [
        *("acme/five", "acme/four", "acme/one", "acme/three", "acme/two", "apex/found", "clones/a", "clones/b"),
        *("desk/single", "x/y", "x/z"),
    ]


def test_a_list_on_standard_input_needs_a_token_for_what_is_on_the_host_alone(github: GitHub, desk: Desk) -> None:
    clone(github.repository("acme/one", FILES), desk.file.parent / "clones/a")
    desk.write('[repositories]\nfiles = ["-"]\n')
    none: dict[str, Any] = {"GITHUB_TOKEN": None, "IACFIX_TOKEN": None, "GH_TOKEN": None}
    ran = desk("discover", stdin="./clones/a\n", env=none)
    assert (ran.exit_code, ran.output) == (0, "1 repositories, 1 of them new\n")
    ran = desk("discover", stdin="./clones/a\nacme/one\n", env=none)
    assert (ran.exit_code, ran.stderr) == (2, f"iacfix: acme/one: {NO_TOKEN}\n")
    assert desk("discover", stdin="./clones/a\nacme/one\n").exit_code == 0
    assert sorted(desk.states()) == ["acme/one", "clones/a"]


def test_patterns_hold_for_paths_and_urls_too(github: GitHub, desk: Desk) -> None:
    one = github.repository("acme/one", FILES)
    for name in ("clones/a", "clones/b-test", "old/c"):
        clone(one, desk.file.parent / name)
    desk.write(
        '[repositories]\npaths = ["clones/*", "old/*", "https://git.example.com/x/z"]\n'
        'include = ["clones/*", "x/*"]\nexclude = ["*-test"]\n'
    )
    assert desk("discover").exit_code == 0
    assert desk.states() == {
        "clones/a": "discovered",
        "clones/b-test": "skipped: an exclude pattern matches it",
        "old/c": "skipped: no include pattern matches it",
        "x/z": "discovered",
    }


def test_a_campaign_that_is_named_from_elsewhere(
    github: GitHub, desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clone(github.repository("acme/one", FILES), desk.file.parent / "clones/a")
    desk.write('[repositories]\npaths = ["clones/*"]\n')
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(main, ["migrate", "discover", str(desk.file.relative_to(tmp_path))])
    assert (ran.exit_code, ran.output) == (0, "1 repositories, 1 of them new\n")


def clone(repository: Repository, target: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", repository.bare, target], check=True)


def test_a_renamed_repository_keeps_its_row(github: GitHub, desk: Desk, quick: None) -> None:
    infra = github.repository("acme/infra", FILES)
    desk.plan()
    desk.publish()
    infra.rename("acme/platform")
    assert desk("discover").output == "1 repositories, 0 of them new\n"
    assert desk.states() == {"acme/platform": "open"}
    infra.archived = True
    desk("discover")
    assert desk.states() == {"acme/platform": "open"}  # what has begun is not forgotten


def test_what_is_skipped_may_change(github: GitHub, desk: Desk, quick: None) -> None:
    infra = github.repository("acme/infra", FILES)
    desk.plan()
    infra.archived = True
    desk("discover")
    assert desk.states() == {"acme/infra": "skipped: it is archived"}
    infra.archived, infra.topics = False, ["no-iacfix"]
    desk("discover")
    assert desk.states() == {"acme/infra": "skipped: it has the topic no-iacfix"}
    infra.topics = []
    desk("discover")
    assert desk.states() == {"acme/infra": "discovered"}


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('names = ["acme/none"]', "acme/none: reading the repository failed: Not Found"),
        ('organizations = ["nobody"]', "nobody: listing repositories failed: Not Found"),
        ('files = ["none.txt"]', "none.txt: No such file or directory"),
        ('files = ["list.txt"]', "nonsense: is no git repository, and no owner/name either"),
    ],
)
def test_what_there_is_not(github: GitHub, desk: Desk, section: str, said: str) -> None:
    github.organization("acme")
    (desk.file.parent / "list.txt").write_text("acme/infra\nnonsense\n")
    desk.write(f"[repositories]\n{section}\n")
    ran = desk("discover")
    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)
    assert ran.stderr.endswith(f"{said}\n")


def test_no_host_needs_no_token(github: GitHub, desk: Desk, three: list[Repository]) -> None:
    here = desk.file.parent
    clone(three[0], here / "a")
    (here / "list.txt").write_text("a\n")
    desk.write('[repositories]\nfiles = ["list.txt"]\n')
    ran = desk("discover", env={"GITHUB_TOKEN": ""})
    assert (ran.exit_code, ran.output) == (0, "1 repositories, 1 of them new\n")
    ran = desk("plan", env={"GITHUB_TOKEN": ""})
    assert (ran.exit_code, desk.counts()) == (0, {"planned": 1})
    ran = desk("publish", env={"GITHUB_TOKEN": ""})
    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)
    desk.write('[repositories]\nnames = ["acme/infra-0"]\n')
    ran = desk("discover", env={"GITHUB_TOKEN": ""})
    assert (ran.exit_code, ran.stderr[:31]) == (2, "iacfix: there is no token: set ")


# ---- planning ----------------------------------------------------------------------------------


def test_planning_writes_nothing_and_fetches_what_matters(github: GitHub, desk: Desk, tmp_path: Path) -> None:
    files = {**FILES, "video.mp4": b"\0" * 5000, "docs/guide.md": "Long\n", "vars.tfvars": 'x = "y"\n'}
    infra = github.repository("acme/infra", files)
    task = work.Task(1, infra.clone_url, Words(NAME), Request(select=RULES, jobs=1, cached=False))
    assert work.make(task, tmp_path / "scratch").proposal
    command = ["git", "-C", tmp_path / "scratch/store.git", "cat-file", "--batch-check", "--batch-all-objects"]
    there = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    blobs = {entry.path: entry.sha for entry in infra.git.tree("main", recursive=True) if entry.kind == "blob"}
    assert {path for path, sha in blobs.items() if f"{sha} blob" in there} == {"main.tf", "vars.tfvars"}
    assert (github.writes, list(infra.branches)) == ([], ["main"])


def test_plans_are_kept_and_made_anew(github: GitHub, desk: Desk, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    [infra, _] = many(github, 2)
    assert desk.plan() == 2
    assert desk.counts() == {"planned": 2}
    assert github.writes == []
    assert desk.plan() == 0
    made = []
    monkeypatch.setattr("fixer.migrate.work.plan.make", lambda *args, **kwargs: made.append(args) or 1 / 0)
    assert desk.plan(refresh=True) == 2  # looked at, and found to be as it was
    assert (made, desk.counts()) == ([], {"planned": 2})
    monkeypatch.undo()
    monkeypatch.setattr("fixer.migrate.engine.limited", planned_at_once)
    base = infra.push("main", {"logs.tf": group("api")})
    assert desk.plan(refresh=True) == 2
    assert plan_of(desk, "acme/infra-0")["base"] == base
    desk.write(ACME, fix='ignore = ["s3-block-public-access"]\n')
    assert desk.plan() == 2  # something else is asked for
    assert desk.counts() == {"clean": 1, "planned": 1}
    monkeypatch.setattr("fixer.migrate.planning.__version__", "99")
    assert desk.plan() == 2  # and so does another iacfix
    assert plan_of(desk, "acme/infra-0")["key"].startswith("99:")


def plan_of(desk: Desk, name: str) -> dict[str, Any]:
    with Journal(desk.journal, writing=False) as journal:
        repository = journal.find(name)
        assert repository
        row = journal.plan(repository)
    assert row
    return row


def test_a_part_of_them(github: GitHub, desk: Desk, quick: None) -> None:
    many(github, 5)
    assert desk.plan(limit=2) == 2
    assert desk.plan(shard=(1, 2)) + desk.plan(shard=(2, 2)) == 3
    assert desk.counts() == {"planned": 5}
    bad = desk("plan", "--shard", "3/2")
    assert (bad.exit_code, bad.stderr) == (2, "iacfix: --shard: expected I/N, such as 2/4\n")


def test_what_need_not_be_planned(github: GitHub, desk: Desk, quick: None) -> None:
    github.repository("acme/clean", {"main.tf": "locals {}\n"})
    github.repository("acme/empty")
    github.repository("acme/off", {**FILES, "iacfix.toml": "enabled = false\n"})
    github.repository("acme/wrong", {**FILES, "iacfix.toml": "colour = 3\n"})
    desk.plan()
    states = desk.states()
    assert states.pop("acme/wrong").startswith("failed: iacfix.toml: unknown key 'colour'")
    assert states == {
        "acme/clean": "clean",
        "acme/empty": "skipped: there is no branch main",
        "acme/off": "skipped: iacfix.toml says enabled = false",
    }
    assert desk("plan").exit_code == 3


def test_one_that_can_not_be_read_waits(github: GitHub, desk: Desk, quick: None) -> None:
    many(github, 2)
    github.fault("GET", "/acme/infra-0.git/*", server_error(503))
    assert desk.plan() == 2
    assert desk.counts() == {"planned": 1, "deferred": 1}
    assert desk.plan() == 0  # it is not its time
    assert desk("retry").output == "1 to be tried again\n"
    assert desk.plan() == 1
    assert desk.counts() == {"planned": 2}


def test_it_gives_up_until_somebody_asks(github: GitHub, desk: Desk, quick: None) -> None:
    many(github, 1)
    github.fault("GET", "/acme/infra-0.git/*", server_error(503), times=6)
    assert desk("discover").exit_code == 0
    for state in [State.DEFERRED] * 4 + [State.FAILED]:
        desk.plan()
        with desk.opened() as journal:
            [one] = journal.repositories()
            assert one.state is state
            journal.move(one, state)  # its time has come
    assert desk("plan").exit_code == 3
    assert desk("retry").output == "1 to be tried again\n"
    desk.plan()
    assert desk.counts() == {"deferred": 1}  # as if it had not failed before
    desk("retry")
    desk.plan()
    assert desk.counts() == {"planned": 1}


# ---- planning in processes ---------------------------------------------------------------------


LONG = f"1000.{os.getpid()}"
"""Seconds that no other process sleeps."""
HARM = {
    "hang": f"__import__('subprocess').run(['sleep', '{LONG}'])",
    "eat": "bytearray(10**10)",
    "die": "__import__('os').kill(__import__('os').getpid(), 11)",
}


@dataclass(frozen=True)
class Harmful(work.Task):
    """A task that does harm where it is carried out: what a repository could bring a parser to do."""

    harm: str = ""

    def __reduce__(self) -> tuple[Any, ...]:
        module = "__import__('fixer.migrate.work', fromlist=['Task'])"
        fields = f"{self.number}, {self.url!r}, None, timeout={self.timeout}, memory={self.memory}"
        made = f"setattr({module}, '_planned', lambda *_: {HARM[self.harm]}) or {module}.Task({fields})"
        return eval, (made,)


@pytest.mark.parametrize("run", [work._in_process, work._in_command], ids=["process", "command"])
@pytest.mark.parametrize(
    ("name", "kind", "error"),
    [
        ("hang", "timeout", "it takes longer than 2 s"),
        ("eat", "memory", "it takes more than 500 MB"),
        ("die", "crash", "the process that planned for it died (code -11)"),
    ],
)
def test_one_that_does_harm(
    name: str, kind: str, error: str, run: Callable[[work.Task, Path], work.Outcome], tmp_path: Path
) -> None:
    task = Harmful(7, "file:///nowhere", Words(name), timeout=2, memory=500, harm=name)
    outcome = run(task, tmp_path)
    assert (outcome.number, outcome.kind, outcome.error) == (7, kind, error)
    assert not [line for line in processes() if LONG in line]


def processes() -> list[str]:
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()


def test_harm_stays_where_it_is(github: GitHub, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four repositories in real processes: one hangs, one dies, one eats memory, and the fourth is planned for."""
    many(github, 4)
    scratch = desk.file.parent / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", os.fspath(scratch))
    desk.write(ACME, fix="timeout_s = 20\nmemory_mb = 700\n")
    original = planning._task

    def harmful(one: Any, *rest: Any) -> work.Task:
        task = original(one, *rest)
        harm = dict(zip(("infra-0", "infra-1", "infra-2"), HARM, strict=True)).get(one.name.partition("/")[2])
        return Harmful(task.number, task.url, task.words, timeout=3, memory=500, harm=harm) if harm else task

    monkeypatch.setattr("fixer.migrate.planning._task", harmful)
    assert desk.plan() == 4
    assert desk.states() == {
        "acme/infra-0": "failed: it takes longer than 3 s",
        "acme/infra-1": "failed: it takes more than 500 MB",
        "acme/infra-2": "failed: the process that planned for it died (code -11)",
        "acme/infra-3": "planned",
    }
    assert list(scratch.iterdir()) == []


def test_what_has_not_begun_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, release, begun = iter([True, True, False, False]), threading.Event(), []

    def goes_on() -> bool:
        """Not after two were submitted; the first of them ends once the second has been looked at."""
        if (answer := next(answers, None)) is None:
            release.set()
        return bool(answer)

    def waits(task: work.Task) -> work.Outcome:
        begun.append(task.number)
        release.wait()
        return work.Outcome(task.number)

    monkeypatch.setattr("fixer.migrate.engine.limited", waits)
    tasks = [work.Task(number, "file:///nowhere", Words(NAME)) for number in range(9)]
    with executor(Engine(jobs=1)) as (threads, window):
        outcomes = list(engine.outcomes(tasks, threads, window, goes_on=goes_on))
    assert ([one.number for one in outcomes], begun) == ([0], [0])


# ---- publishing --------------------------------------------------------------------------------


def test_pull_requests_are_opened_and_followed(
    github: GitHub, desk: Desk, quick: None, three: list[Repository]
) -> None:
    desk.plan()
    assert desk.publish() == 3
    assert desk.counts() == {"open": 3}
    for infra in three:
        [pull] = infra.open_pulls
        assert (pull.head, infra.branches[BRANCH]) == (BRANCH, pull.head_sha)
    with desk.opened() as journal:
        rows = journal.pull_requests().values()
    assert [(row["branch"], row["number"], row["state"], row["head"]) for row in rows] == [
        (BRANCH, 1, "open", infra.branches[BRANCH]) for infra in three
    ]
    assert desk.publish() == 0
    three[0].open_pulls[0].merge()
    three[1].open_pulls[0].close()
    before = len(github.log)
    assert desk.sync() == 2
    assert [request.operation for request in github.log[before:]] == ["graphql"]
    assert list(desk.states().values()) == ["merged", "closed: somebody closed its pull request", "open"]
    assert desk.sync() == 0
    three[1].pulls[0].state = "open"
    assert desk.sync() == 1
    assert desk.counts() == {"merged": 1, "open": 2}


def test_waves(github: GitHub, desk: Desk, quick: None) -> None:
    many(github, 9)
    desk.write(ACME + '[publish]\nwaves = ["2", "3", "rest"]\n')
    desk.plan()
    assert desk.publish() == "this wave of 2 is done: look at its pull requests, then publish the next"
    assert desk.counts() == {"open": 2, "planned": 7}
    assert desk.publish(limit=1) == 1
    assert desk.publish() == "this wave of 2 is done: look at its pull requests, then publish the next"
    assert desk.counts() == {"open": 5, "planned": 4}
    assert desk.publish() == 4
    desk.write(ACME + '[publish]\nwaves = ["9"]\n')
    github.repository("acme/late", FILES)
    desk.plan()
    assert desk.publish() == "all waves are done, and there is more: add a wave to the campaign"
    assert desk.publish(all_waves=True) == 1


def test_the_rate_holds_over_restarts(github: GitHub, desk: Desk, quick: None) -> None:
    many(github, 7)
    desk.write(ACME + "[publish]\nrate_per_hour = 3\n")
    desk.plan()
    for _ in range(7):
        assert desk.publish(limit=1, all_waves=True) == 1
    assert desk.counts() == {"open": 7}
    assert desk.time.now - NOON == pytest.approx(2 * 3600, abs=10)
    assert max(desk.time.waits) <= 30  # it can be stopped meanwhile
    before = desk.time.now
    assert desk.publish(limit=1) == 0
    assert desk.time.now == before


def test_what_is_there_already_costs_nothing(github: GitHub, desk: Desk, quick: None) -> None:
    many(github, 4)
    desk.write(ACME + "[publish]\nrate_per_hour = 4\n")
    desk.plan()
    assert desk.publish() == 4
    writes = len(github.writes)
    for path in desk.file.parent.glob("*.journal*"):
        path.unlink()
    desk.plan()
    before = desk.time.now
    assert desk.publish() == 0
    assert (desk.counts(), len(github.writes), desk.time.now) == ({"open": 4}, writes, before)
    assert [len(infra.pulls) for infra in github.repositories.values()] == [1] * 4


def test_windows(github: GitHub, desk: Desk, quick: None, three: list[Repository]) -> None:
    window = '[[windows]]\ndays = ["mon"]\nstart = "17:00"\nend = "19:00"\ntimezone = "Europe/Berlin"\n'
    desk.write(window + ACME)
    desk.plan()
    assert desk.publish() == "it is outside of the hours in which pull requests may be opened"
    desk.time.now += 3600
    assert desk.publish() == 3
    [one] = desk.campaign.windows
    hours = [hour for hour in range(48) if is_open(one, NOON + 3600 * hour)]
    assert hours == [1, 2]  # 15:13 and 16:13 UTC, which is 17:13 and 18:13 in a Berlin summer
    assert github.writes != []


def test_a_window_may_end_while_it_waits(github: GitHub, desk: Desk, quick: None, three: list[Repository]) -> None:
    window = '[[windows]]\ndays = ["mon"]\nstart = "14:00"\nend = "15:30"\n'
    desk.write(f"{window}{ACME}[publish]\nrate_per_hour = 1\n")
    desk.plan()
    assert desk.publish() == "it is outside of the hours in which pull requests may be opened"
    assert desk.counts() == {"open": 2, "planned": 1}  # at 14:13 and at 15:13


def test_so_many_may_be_open(github: GitHub, desk: Desk, quick: None, three: list[Repository]) -> None:
    desk.write(ACME + "[publish]\nmax_open = 2\n")
    desk.plan()
    assert desk.publish() == "2 pull requests are open: wait until some are merged or closed"
    three[0].open_pulls[0].merge()
    desk.sync()
    assert desk.publish() == 1


def test_it_stops_where_people_do_not_want_it(github: GitHub, desk: Desk, quick: None) -> None:
    repositories = many(github, 8)
    desk.plan()
    assert "this wave of 5 is done" in str(desk.publish())
    for infra in repositories[:2]:
        infra.open_pulls[0].close()
    desk.sync()
    assert desk.publish() == "people closed 2 of 5 pull requests: look why before there are more"
    assert desk.counts() == {"open": 3, "closed": 2, "planned": 3}
    repositories[0].pulls[0].state = "open"
    desk.sync()
    assert desk.publish() == 3


def test_it_stops_where_many_fail(github: GitHub, desk: Desk, quick: None) -> None:
    repositories = many(github, 8)
    for infra in repositories[:2]:
        infra.push("iacfix", {"x": "y"})
    desk.write(ACME + "[stop_if]\nat_least = 3\n")
    desk.plan()
    assert desk.publish(all_waves=True) == "2 of 3 could not be published: look at them, then retry"
    for infra in repositories[:2]:
        infra.delete("iacfix")
    assert desk("retry").output == "2 to be tried again\n"
    assert desk.publish(all_waves=True) == 7
    assert desk.counts() == {"open": 8}


def test_a_base_that_moved_since_is_planned_again(github: GitHub, desk: Desk, quick: None) -> None:
    [infra] = many(github, 1)
    desk.plan()
    base = infra.push("main", {"logs.tf": group("api")})
    assert desk.publish() == 0
    assert desk.states() == {"acme/infra-0": "discovered: its branch has moved since it was planned"}
    assert github.writes == []
    desk.plan()
    assert desk.publish() == 1
    assert infra.git.is_ancestor(base, infra.branches[BRANCH])


def test_a_campaign_that_changed_since_is_planned_again(github: GitHub, desk: Desk, quick: None) -> None:
    many(github, 1)
    desk.plan()
    desk.write(ACME + '[pull_request]\ntitle = "Mend the buckets"\n')
    assert desk.publish() == 0
    assert desk.states() == {"acme/infra-0": "discovered: the campaign has changed since it was planned"}
    desk.plan()
    assert desk.publish() == 1
    assert github.repositories["acme/infra-0"].pulls[0].title == "Mend the buckets"


def test_it_goes_on_with_what_has_moved(github: GitHub, desk: Desk, quick: None, three: list[Repository]) -> None:
    desk.plan()
    desk.publish()
    three[0].push("main", {"logs.tf": group("api")})
    three[1].push("main", {"main.tf": "locals {}\n"})
    assert desk.plan(refresh=True) == 3
    assert list(desk.states().values()) == ["planned", "planned", "open"]
    assert desk.publish() == 2
    assert list(desk.states().values()) == ["open", "closed: nothing is left to fix", "open"]
    assert [len(infra.pulls) for infra in three] == [1, 1, 1]
    assert "log-group-retention" in (three[0].pulls[0].body or "")
    assert desk.sync() == 0


def test_what_people_say(github: GitHub, desk: Desk, quick: None, three: list[Repository]) -> None:
    desk.plan()
    desk.publish()
    three[0].open_pulls[0].close()
    three[1].push(BRANCH, {"main.tf": "# mine\n"}, ROSA)
    three[2].open_pulls[0].labels.append(github.label(three[2], "iacfix:stop").name)
    for path in desk.file.parent.glob("*.journal*"):
        path.unlink()  # it finds out again
    for infra in three[1:]:
        infra.push("main", {"logs.tf": group("api")})
    desk.plan()
    assert desk.publish() == 0
    assert desk.states() == {
        "acme/infra-0": "declined: it was closed with the same changes",
        "acme/infra-1": f"quarantined: the branch {BRANCH} holds commits that are not iacfix's",
        "acme/infra-2": "quarantined: it has the label iacfix:stop",
    }
    assert [len(infra.pulls) for infra in three] == [1, 1, 1]


def test_a_campaign_is_closed(github: GitHub, desk: Desk, quick: None, three: list[Repository]) -> None:
    desk.plan()
    desk.publish()
    three[0].open_pulls[0].merge()
    mine = three[1].push(BRANCH, {"main.tf": "# mine\n"}, ROSA)
    assert desk("close").output == "closed 1\n"
    assert three[2].pulls[0].state == "closed"
    assert three[2].pulls[0].comments[0].body.startswith(f"The campaign `{NAME}` has ended.")
    assert (BRANCH in three[2].branches, three[1].branches[BRANCH], three[1].pulls[0].state) == (False, mine, "open")
    desk.sync()
    assert [state.partition(":")[0] for state in desk.states().values()] == ["merged", "quarantined", "closed"]
    with desk.opened() as journal:
        assert journal.refusals() == 0  # it was nobody's no


@pytest.mark.parametrize(
    ("status", "message", "state"),
    [
        (403, "Resource not accessible by integration", "skipped"),
        (404, "Not Found", "skipped"),
        (422, "Something is wrong", "failed"),
    ],
)
def test_refusals_do_not_stop_the_others(
    github: GitHub, desk: Desk, quick: None, three: list[Repository], status: int, message: str, state: str
) -> None:
    desk.plan()
    github.fault("POST", "/repos/acme/infra-1/pulls", refused(status, message), times=None)
    assert desk.publish() == 2
    assert desk.states() == {
        "acme/infra-0": "open",
        "acme/infra-1": f"{state}: acme/infra-1: opening the pull request failed: {message}",
        "acme/infra-2": "open",
    }


def test_a_limit_pauses_all(github: GitHub, desk: Desk, quick: None, three: list[Repository]) -> None:
    desk.plan()
    github.fault("POST", "/repos/*/pulls", secondary_limit(403, 900), nth=2)
    assert str(desk.publish()).endswith("; go on in 900 s")
    requests = len(github.log)
    assert desk.publish() == "the host wants a pause; go on in 900 s"
    assert len(github.log) == requests
    desk.time.now += 901
    assert desk.publish() == 2
    assert desk.counts() == {"open": 3}


def test_a_token_that_is_wrong_stops_it(github: GitHub, desk: Desk, quick: None, three: list[Repository]) -> None:
    desk.plan()
    ran = desk("publish", env={"GITHUB_TOKEN": "ghp_wrong"})
    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)
    assert "Bad credentials" in ran.stderr
    assert desk.counts() == {"planned": 3}


# ---- the journal -------------------------------------------------------------------------------


def test_two_coordinators_are_refused(github: GitHub, desk: Desk) -> None:
    github.organization("acme")
    with desk.opened():
        second = desk("plan")
        assert second.exit_code == 2
        assert second.stderr.startswith(f"iacfix: {desk.journal}: another iacfix is at it (process {os.getpid()} on ")
        assert desk("status").exit_code == 0  # who only looks is let in
    assert desk("discover").exit_code == 0


def test_the_lock_of_a_dead_one_is_taken_over(github: GitHub, desk: Desk) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from fixer.migrate.journal import Journal\n"
        f"with Journal(Path({os.fspath(desk.journal)!r})): print('held', flush=True); time.sleep(1000)"
    )
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(JournalError, match=f"another iacfix is at it .process {process.pid} on"):
            desk.opened()
        process.kill()
        process.wait()
        with desk.opened() as journal:
            assert journal.count() == 0


def test_what_is_no_journal(desk: Desk) -> None:
    said = f"iacfix: {desk.journal}: "
    assert desk("status").stderr == f"{said}there is no such journal; start with iacfix migrate discover\n"
    desk.journal.write_text("no database, but long enough to be told from one" * 100)
    assert desk("discover").stderr == f"{said}is no journal that can be used: file is not a database\n"
    desk.journal.unlink()
    with sqlite3.connect(desk.journal) as other:
        other.execute("create table recipes (name text)")
    other.close()
    assert desk("discover").stderr == f"{said}is no journal, but a database of something else\n"
    with sqlite3.connect(desk.journal) as other:
        other.execute("pragma user_version = 2")
    other.close()
    assert desk("status").stderr == f"{said}was written by a later iacfix\n"


def test_a_journal_belongs_to_one_campaign(github: GitHub, desk: Desk) -> None:
    github.organization("acme")
    desk("discover")
    desk.file.write_text(desk.file.read_text().replace(f'name = "{NAME}"', 'name = "others"'))
    for verb in ("discover", "plan", "publish"):
        ran = desk(verb)
        assert (ran.exit_code, ran.stderr) == (2, f"iacfix: {desk.journal}: belongs to the campaign '{NAME}'\n")


# ---- from the outside --------------------------------------------------------------------------


def test_exit_codes(github: GitHub, desk: Desk, three: list[Repository]) -> None:
    desk.write(ACME + '[publish]\nwaves = ["1", "rest"]\n')
    ran = desk("run")
    assert (ran.exit_code, ran.output.splitlines()[:2]) == (4, ["3 repositories, 3 of them new", "planned for 3"])
    assert ran.stderr == "iacfix: this wave of 1 is done: look at its pull requests, then publish the next\n"
    ran = desk("run")
    assert (ran.exit_code, ran.output.splitlines()[-1]) == (0, "published 2")
    github.repository("acme/wrong", {**FILES, "iacfix.toml": "colour = 3\n"})
    assert desk("run").exit_code == 3
    assert desk("publish", "--quiet").output == ""


def start(desk: Desk, *args: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Run a verb in a process of its own."""
    verb, *rest = args
    command = [sys.executable, "-m", "fixer", "migrate", verb, str(desk.file), *rest]
    environment = {**os.environ, "GITHUB_TOKEN": desk.token, **(env or {})}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_it_is_interrupted(github: GitHub, desk: Desk, three: list[Repository]) -> None:
    desk.plan()
    process = start(desk, "publish")
    act = meanwhile(lambda: process.send_signal(signal.SIGINT), after=True)
    github.fault("POST", "/repos/*/pulls", act, nth=2)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, "published 2\n")
    assert "iacfix: stopping after what is under way" in errors
    assert errors.endswith("iacfix: interrupted; run it again to go on\n")
    assert desk.counts() == {"open": 2, "planned": 1}
    assert desk.publish() == 1


def test_it_is_interrupted_twice(github: GitHub, desk: Desk, tmp_path: Path) -> None:
    [infra] = many(github, 1)
    desk("discover")
    process = start(desk, "plan")
    asked = threading.Event()
    github.fault("GET", f"/{infra.full_name}.git/*", meanwhile(asked.set))
    github.fault("GET", f"/{infra.full_name}.git/*", hanging(), times=None)
    assert asked.wait(60)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert "interrupt again to stop at once" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert desk.counts() == {"discovered": 1}


def test_a_hostile_repository_does_nothing_here(github: GitHub, desk: Desk) -> None:
    evil, _ = many(github, 2)
    outside = desk.file.parent / "outside.tf"
    outside.write_text(bucket("outside"))
    ran = desk.file.parent / "ran"
    code = f"import os\nos.system('touch {ran}')\n"
    commit(
        evil,
        ("100644", "main.tf", bucket("data")),
        ("120000", "evil.tf", os.fspath(outside)),
        ("160000", "module", "1" * 40),
        ("100644", ".gitattributes", "*.tf filter=evil working-tree-encoding=UTF-16\n"),
        ("100644", "libcst.py", code),
        ("100644", "sitecustomize.py", code),
        ("040000", "deep", subtree(evil, "deep.tf", f"locals {{ x = {'[' * 100_000}{']' * 100_000} }}\n")),
        ("100644", "<script>@acme.tf", bucket("markup")),
    )
    assert desk.plan() == 2
    assert desk.states() == {"acme/infra-0": "planned", "acme/infra-1": "planned"}
    assert desk.publish() == 2
    assert {one.path for one in evil.git.changed("main", BRANCH)} == {"main.tf", "<script>@acme.tf"}
    assert outside.read_text() == bucket("outside")
    assert not ran.exists()


# ---- on a cluster ------------------------------------------------------------------------------


def test_no_token_that_may_write_leaves_this_machine(github: GitHub, desk: Desk) -> None:
    local, dask = desk.campaign, desk.campaign.with_engine(kind="dask", scheduler="tcp://127.0.0.1:1")
    write, read = desk.credentials, {planning.READ_TOKEN: "read-only"}
    assert planning.reading(local, write, {})("acme/infra") == desk.token
    assert planning.reading(local, write, read)("acme/infra") == "read-only"
    assert planning.reading(dask, write, read)("acme/infra") == "read-only"
    assert planning.reading(dask, write, {planning.READ_TOKEN: ""})("acme/infra") == ""
    assert planning.reading(dask, None, {})("acme/infra") == ""
    with pytest.raises(EngineError, match="no token that may write is given to a cluster: set IACFIX_READ_TOKEN"):
        planning.reading(dask, write, {})


def test_a_cluster_that_is_not_there(github: GitHub, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    many(github, 1)
    desk("discover")
    refused = desk("plan", "--scheduler", "tcp://127.0.0.1:1")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "set IACFIX_READ_TOKEN to one that may only read" in refused.stderr
    monkeypatch.setitem(sys.modules, "distributed", None)
    missing = desk("plan", "--scheduler", "tcp://127.0.0.1:1", env={"IACFIX_READ_TOKEN": ""})
    assert (missing.exit_code, missing.stderr) == (
        2,
        "iacfix: Dask is not installed: pip install 'iacfix[distributed]'\n",
    )


@pytest.mark.slow
def test_a_cluster_comes_to_the_same_journal(github: GitHub, desk: Desk, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'iacfix[distributed]'")
    many(github, 4)
    github.repository("acme/clean", {"main.tf": "locals {}\n"})
    github.repository("acme/wrong", {**FILES, "iacfix.toml": "colour = 3\n"})
    github.repository("acme/secret", FILES, private=True)
    reader = github.token("reader", {"metadata": "read", "contents": "read"})
    other = Desk(github, tmp_path / "other")
    other.token = desk.token
    desk.plan()
    other("discover")
    before = len(github.log)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", local_directory=os.fspath(tmp_path)
    ) as cluster:
        ran = other("plan", "--scheduler", cluster.scheduler_address, env={"IACFIX_READ_TOKEN": reader})
    assert (ran.exit_code, ran.output) == (3, "planned for 7\n")
    assert {request.login for request in github.log[before:]} == {"reader"}
    assert known(other) == known(desk)


def known(desk: Desk) -> list[Any]:
    """What a journal says, but for times."""
    found = []
    with Journal(desk.journal, writing=False) as journal:
        for one in journal.repositories():
            plan = journal.plan(one) or {}
            report = json.loads(zlib.decompress(plan["report"])) if plan else {}
            report.get("summary", {}).pop("seconds", None)
            found.append((one, {**plan, "report": report, "milliseconds": 0}))
    return found
