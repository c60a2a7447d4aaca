"""The GitHub Action as the runner has it: an event and an environment go in, commands and files come out."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from fake_github import GitHub, Repository
from packaging.requirements import Requirement

from fixer.hosting import action
from fixer.hosting.inputs import Inputs
from fixer.hosting.runner import ActionError, Runner
from fixer.report.github import command
from fixer.result import FileChange
from fixer.write import WriteError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytest_plugins = ("fake_github.fixture",)

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
WORKFLOWS = sorted((ROOT / "examples/github").glob("*.yml"))
STEPS = ACTION["runs"]["steps"]
TOKEN = "ghs_0123456789abcdefSECRET"
RULES = "log-group-retention,s3-block-public-access,env-suffix-names"
"""Those that the snippets below are for."""
GROUP = 'resource "aws_cloudwatch_log_group" "orders" {\n  skip_destroy = true\n}\n'
KEPT = GROUP.replace("true\n", "true\n\n  retention_in_days = 30\n")
MANUAL = 'resource "aws_s3_bucket" "site" {}\n\nresource "aws_s3_bucket_website_configuration" "site" {\n'
MANUAL += '  bucket = aws_s3_bucket.site.id\n\n  index_document {\n    suffix = "index.html"\n  }\n}\n'
FORK = {"action": "opened", "pull_request": {"head": {"repo": {"fork": True, "full_name": "mallory/infra"}}}}
HOSTILE = ("::error::x.tf", "a##[set-output name=fixed]9.tf", "a\nfixed=9.tf", "</details><h1>.tf", "%0A::set-env::.tf")


# ---- the runner --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ran:
    """What a step came to."""

    code: int
    text: str
    commands: list[tuple[str, dict[str, str], str]]
    outputs: dict[str, str]
    summary: str

    def told(self, name: str) -> list[str]:
        return [message for command, _, message in self.commands if command == name]


@dataclass
class Job:
    """A job on a runner, in a directory of its own."""

    home: Path
    event: str = "pull_request"
    ref: str = "refs/pull/1/merge"
    sha: str = "0" * 40
    repository: str = "acme/infra"
    api_url: str = "http://127.0.0.1:9/api/v3"
    payload: object = field(default_factory=lambda: FORK)

    def __post_init__(self) -> None:
        for path in (self.workspace, self.temp):
            path.mkdir(parents=True)

    @property
    def workspace(self) -> Path:
        return self.home / "work/infra"

    @property
    def temp(self) -> Path:
        return self.home / "_temp"

    def write(self, files: Mapping[str, str]) -> None:
        for name, content in files.items():
            path = self.workspace / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def environment(self, **inputs: str) -> dict[str, str]:
        """What the runner gives a step, and the inputs as action.yml hands them on, defaults and all."""
        commands = self.home / "_commands"
        commands.mkdir(exist_ok=True)
        for name in ("event.json", "output", "summary"):
            (commands / name).write_text(json.dumps(self.payload) if name == "event.json" else "")
        given = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
        given |= {"token": TOKEN, "rules": RULES} | {name.replace("_", "-"): value for name, value in inputs.items()}
        assert given.keys() == ACTION["inputs"].keys()
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.api_url,
            "GITHUB_EVENT_NAME": self.event,
            "GITHUB_EVENT_PATH": str(commands / "event.json"),
            "GITHUB_OUTPUT": str(commands / "output"),
            "GITHUB_REF": self.ref,
            "GITHUB_REF_NAME": self.ref.split("/", 2)[-1],
            "GITHUB_REPOSITORY": self.repository,
            "GITHUB_SHA": self.sha,
            "GITHUB_STEP_SUMMARY": str(commands / "summary"),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(self.temp),
            **{variable(name): value for name, value in given.items()},
        }

    def run(self, **inputs: str) -> Ran:
        """`iacfix action`, in this process."""
        env = self.environment(**inputs)
        told: list[str] = []
        code = action.run(env, told.append)
        assert "IACFIX_TOKEN" not in env
        return self.came_to(code, "".join(told))

    def start(self, *argv: str, env: Mapping[str, str], cwd: Path | None = None) -> Ran:
        """A program, as the runner starts it: in the workspace."""
        for name in ("output", "summary"):
            (self.home / "_commands" / name).write_text("")
        done = subprocess.run(
            argv, check=False, env=env, cwd=cwd or self.workspace, capture_output=True, text=True, timeout=60
        )
        return self.came_to(done.returncode, done.stdout + done.stderr)

    def came_to(self, code: int, text: str) -> Ran:
        commands = self.home / "_commands"
        assert "Traceback" not in text
        return Ran(
            code,
            text,
            [found for line in text.split("\n") if (found := parsed_command(line))],
            parsed_outputs((commands / "output").read_bytes().decode()),
            (commands / "summary").read_bytes().decode(),
        )


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path / "runner")


def variable(name: str) -> str:
    """The variable that an input comes as."""
    return f"IACFIX_{name.upper().replace('-', '_')}"


def parsed_command(line: str) -> tuple[str, dict[str, str], str] | None:
    """A line as `ActionCommand.TryParseV2` of actions/runner reads it; None for one that is no command."""
    line = line.lstrip()
    if not line.startswith("::") or (end := line.find("::", 2)) < 0:
        return None
    name, _, rest = line[2:end].partition(" ")
    properties = dict(part.split("=", 1) for part in rest.split(",") if "=" in part)
    return (
        name,
        {key: unescaped(value, {"%3A": ":", "%2C": ","}) for key, value in properties.items()},
        unescaped(line[end + 2 :], {}),
    )


def unescaped(text: str, more: Mapping[str, str]) -> str:
    for escape, char in {"%0D": "\r", "%0A": "\n", **more, "%25": "%"}.items():
        text = text.replace(escape, char)
    return text


def parsed_outputs(text: str) -> dict[str, str]:
    """The file as `EnvFileKeyValuePairs` of actions/runner reads it."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            found[line[:equals]] = line[equals + 1 :]
            continue
        assert heredoc > 0, f"Invalid format {line!r}"
        name, delimiter = line[:heredoc], line[heredoc + 2 :]
        value = []
        for part in lines:
            if part == delimiter:
                break
            value.append(part)
        else:
            raise AssertionError("Matching delimiter not found")
        found[name] = "\n".join(value)
    return found


def git(*args: str, cwd: Path) -> str:
    return subprocess.run(["git", *args], check=True, cwd=cwd, capture_output=True, text=True).stdout


# ---- pull requests: only looked at -------------------------------------------------------------


def test_check_of_a_fork(job: Job) -> None:
    job.write({"main.tf": GROUP, "other.tf": MANUAL})
    git("init", "-q", cwd=job.workspace)
    ran = job.run(rules="log-group-retention,s3-block-*")
    assert ran.code == 0
    places = [(name, one["file"], one["line"]) for name, one, _ in ran.commands if "file" in one]
    assert places == [("warning", "main.tf", "1"), ("warning", "other.tf", "1")]
    assert ran.outputs["findings"] == "2"
    assert ran.outputs["fixed"] == "0"
    assert ran.outputs["pull-request-operation"] == "none"
    assert json.loads(ran.outputs["changed-files"]) == ["main.tf"]
    assert (job.workspace / "main.tf").read_text() == GROUP
    assert "`log-group-retention`" in ran.summary

    sarif = json.loads(Path(ran.outputs["sarif-path"]).read_text())
    assert [one["ruleId"] for one in sarif["runs"][0]["results"]] == ["log-group-retention", "s3-block-public-access"]
    report = json.loads(Path(ran.outputs["report-path"]).read_text())
    assert [one["status"] for one in report["findings"]] == ["fixable", "manual"]
    patch = Path(ran.outputs["patch-path"])
    assert patch.is_relative_to(job.temp)
    git("apply", str(patch), cwd=job.workspace)
    assert (job.workspace / "main.tf").read_text() == KEPT


def test_a_pull_request_is_only_checked_whatever_the_mode(job: Job) -> None:
    job.write({"main.tf": GROUP})
    for mode in ("pr", "fix", "check"):
        ran = job.run(mode=mode, prove="synth")
        assert (ran.code, ran.outputs["findings"]) == (0, "1")
        assert "nothing was run" in ran.told("notice")[-1]
        assert (job.workspace / "main.tf").read_text() == GROUP


def test_check_without_findings(job: Job) -> None:
    job.write({"main.tf": KEPT})
    ran = job.run(fail_on="any")
    assert ran.code == 0
    assert (ran.outputs["findings"], ran.outputs["patch-path"], ran.outputs["changed-files"]) == ("0", "", "[]")
    assert Path(ran.outputs["sarif-path"]).exists()


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
def test_events_with_rights_and_strange_code_are_refused(job: Job, event: str) -> None:
    job.event = event
    job.write({"main.tf": GROUP})
    for mode in ("check", "fix", "pr"):
        ran = job.run(mode=mode)
        assert ran.code == 2
        (told,) = ran.told("error")
        assert told.startswith(f"{event} is refused: it runs with the rights of")
        assert ran.outputs == {}


@pytest.mark.parametrize(
    ("files", "fail_on", "code"),
    [
        ({"main.tf": GROUP}, "never", 0),
        ({"main.tf": GROUP}, "fixable", 1),
        ({"main.tf": GROUP}, "any", 1),
        ({"main.tf": MANUAL}, "fixable", 0),
        ({"main.tf": MANUAL}, "any", 1),
        ({"main.tf": f"# iacfix: ignore[log-group-retention] audited\n{GROUP}"}, "any", 0),
        ({"main.tf": "resource {"}, "never", 0),
        ({"main.tf": "resource {"}, "fixable", 0),
        ({"main.tf": "resource {"}, "any", 1),
    ],
)
def test_fail_on(job: Job, files: dict[str, str], fail_on: str, code: int) -> None:
    job.write(files)
    ran = job.run(fail_on=fail_on)
    assert ran.code == code
    assert ran.outputs["pull-request-operation"] == "none"  # outputs are there all the same


def test_paths_and_configuration(job: Job) -> None:
    config = "[rules.log-group-retention]\ndays = 90\n"
    job.write({"a/main.tf": GROUP, "b/main.tf": GROUP, "c/main.tf": GROUP, "ci/iacfix.toml": config})
    git("init", "-q", cwd=job.workspace)
    ran = job.run(paths="a\n  c/main.tf\n", config="ci/iacfix.toml")
    assert json.loads(ran.outputs["changed-files"]) == ["a/main.tf", "c/main.tf"]
    assert "= 90" in Path(ran.outputs["patch-path"]).read_text()
    off = job.run(config="ci/off.toml")
    assert (off.code, off.told("error")) == (2, ["ci/off.toml: is not in the workspace; run actions/checkout before"])


def test_rules_and_impact(job: Job) -> None:
    job.write({"main.tf": GROUP.replace("skip_destroy = true", 'name = "orders"')})
    assert job.run().outputs["findings"] == "2"
    assert job.run(ignore="log-group-retention").outputs["findings"] == "1"
    assert job.run(rules="naming", ignore="env-*").outputs["findings"] == "0"
    for impact, changed in (("none", "[]"), ("behavior", '["main.tf"]')):
        assert job.run(impact=impact, rules="log-group-retention").outputs["changed-files"] == changed


def test_paths_are_those_of_the_checkout(job: Job) -> None:
    """Not of a directory below it, nor of a work tree above the workspace."""
    job.write({"a/main.tf": GROUP, "sub/a/main.tf": GROUP})
    assert json.loads(job.run(paths="a").outputs["changed-files"]) == ["a/main.tf"]
    git("init", "-q", cwd=job.home)
    assert json.loads(job.run(paths="a").outputs["changed-files"]) == ["a/main.tf"]
    git("init", "-q", cwd=job.workspace / "sub")  # as `path: sub` of actions/checkout has it
    assert json.loads(job.run(paths="sub").outputs["changed-files"]) == ["a/main.tf"]


def test_a_moved_file_is_two_changed_files() -> None:
    done = action.Done(changes=(FileChange("b.tf", b"x", b"x", moved_from="a.tf"), FileChange("b.tf", b"x", b"y")))
    assert json.loads(action.outputs(done, {})["changed-files"]) == ["a.tf", "b.tf"]


def test_a_project_that_wants_none_of_it(job: Job) -> None:
    job.write({"main.tf": GROUP, "iacfix.toml": "enabled = false\n"})
    ran = job.run(fail_on="any")
    assert (ran.code, ran.outputs["findings"]) == (0, "0")
    assert "enabled = false" in ran.told("notice")[0]


def test_a_link_does_not_lead_out_of_the_workspace(job: Job) -> None:
    (job.home / "secret").mkdir()
    (job.home / "secret/main.tf").write_text(GROUP)
    (job.workspace / "link").symlink_to(job.home / "secret")
    ran = job.run(paths="link", mode="fix")
    assert (ran.code, ran.told("error")) == (2, ["link: leads out of the workspace"])
    assert job.run(paths="link/main.tf").code == 2


# ---- mode fix ----------------------------------------------------------------------------------


def test_fix_writes_into_the_workspace(job: Job) -> None:
    job.event, job.ref, job.payload = "push", "refs/heads/main", {}
    job.write({"main.tf": GROUP, "other.tf": MANUAL})
    ran = job.run(mode="fix", token="")
    assert (job.workspace / "main.tf").read_text() == KEPT
    assert (job.workspace / "other.tf").read_text() == MANUAL
    assert (ran.code, ran.outputs["fixed"], ran.outputs["findings"]) == (0, "1", "2")
    assert json.loads(ran.outputs["changed-files"]) == ["main.tf"]
    assert job.run(mode="fix", fail_on="fixable").code == 0


def test_no_program_of_the_project_is_given_the_token(job: Job) -> None:
    stack = (
        "import os, json\n"
        "from aws_cdk import aws_logs as logs\n"
        "open('seen', 'w').write(json.dumps(dict(os.environ)))\n"
        "def build(scope):\n    logs.LogGroup(scope, 'Orders')\n"
    )
    seen = job.home / "seen"
    app = f"{sys.executable} -c \"import os; open({str(seen)!r}, 'w').write(str(dict(os.environ)))\""
    job.event, job.ref, job.payload = "push", "refs/heads/main", {}
    job.write({"app.py": stack, "cdk.json": json.dumps({"app": app})})
    ran = job.start(*COMMAND, env=job.environment(mode="fix", prove="synth"))
    assert ran.code == 0, ran.text
    assert "GITHUB_WORKSPACE" in seen.read_text()
    assert TOKEN not in seen.read_text()


# ---- mode pr -----------------------------------------------------------------------------------

COMMAND = (sys.executable, "-I", "-m", "fixer", "action")


@pytest.fixture
def infra(github: GitHub, job: Job) -> Repository:
    """A repository on the host, and the job of the push that brought its head."""
    made = github.repository("acme/infra", {"main.tf": GROUP, "README.md": "x"})
    job.api_url, job.repository = github.url, "acme/infra"
    job.event, job.ref, job.payload, job.sha = "push", "refs/heads/main", {}, made.head
    return made


def test_a_pull_request_and_its_life(job: Job, github: GitHub, infra: Repository) -> None:
    token = github.actions_token(infra)
    ran = job.run(token=token, labels="iacfix,\naws", title="Mend it", fail_on="never")
    assert ran.code == 0, ran.text
    (pull,) = infra.pulls
    assert (pull.title, pull.base, pull.head, pull.draft) == ("Mend it", "main", "iacfix/fixes", False)
    assert set(pull.labels) == {"iacfix", "aws"}
    assert infra.read("main.tf", "iacfix/fixes").decode() == KEPT
    assert ran.outputs["pull-request-number"] == "1"
    assert ran.outputs["pull-request-operation"] == "created"
    assert ran.outputs["pull-request-head-sha"] == infra.branches["iacfix/fixes"]
    assert (ran.outputs["fixed"], ran.outputs["findings"]) == ("1", "1")
    assert json.loads(ran.outputs["changed-files"]) == ["main.tf"]
    assert f"[Pull request 1]({ran.outputs['pull-request-url']}): created." in ran.summary

    writes = len(github.writes)
    again = job.run(token=token, labels="iacfix,\naws", title="Mend it")
    assert (again.outputs["pull-request-operation"], again.outputs["pull-request-number"]) == ("none", "1")
    assert len(github.writes) == writes

    job.sha = infra.push("main", {"main.tf": KEPT})
    last = job.run(token=token)
    assert (last.outputs["pull-request-operation"], last.outputs["changed-files"]) == ("closed", "[]")
    assert "iacfix/fixes" not in infra.branches
    assert pull.state == "closed"


def test_inputs_reach_the_pull_request(job: Job, github: GitHub, infra: Repository) -> None:
    github.organization("acme", members=["bob"], teams=["platform"])
    infra.push("main", {"stacks/main.tf": GROUP, "other.tf": GROUP.replace("orders", "bills")})
    job.sha = infra.head
    ran = job.run(
        token=github.token(),
        paths="stacks",
        branch="bots/mend",
        draft="true",
        commit_message="Mend logs\n\nFor a month.",
        reviewers="bob",
        team_reviewers="platform",
        delete_branch="false",
    )
    assert ran.code == 0, ran.text
    (pull,) = infra.pulls
    assert (pull.head, pull.draft) == ("bots/mend", True)
    message = git("log", "-1", "--format=%B", "bots/mend", cwd=infra.bare)
    assert message.startswith("Mend logs\n\nFor a month.\n")
    assert (set(pull.reviewers), set(pull.teams)) == ({"bob"}, {"platform"})
    assert infra.read("main.tf", "bots/mend").decode() == GROUP
    assert infra.read("stacks/main.tf", "bots/mend").decode() == KEPT
    job.sha = infra.push("main", {"stacks/main.tf": KEPT})
    assert (
        job.run(token=github.token(), paths="stacks", branch="bots/mend", delete_branch="false").outputs[
            "pull-request-operation"
        ]
        == "closed"
    )
    assert "bots/mend" in infra.branches


def test_commits_by_rule_that_github_signs(job: Job, github: GitHub, infra: Repository) -> None:
    job.sha = infra.push("main", {"main.tf": f'{GROUP}\nresource "aws_s3_bucket" "a" {{}}\n'})
    ran = job.run(token=github.actions_token(infra), campaign="logs", commits="rule", sign_commits="true")
    assert (ran.code, infra.pulls[0].head) == (0, "iacfix/logs"), ran.text
    above = git("log", "--format=%s", f"{job.sha}..iacfix/logs", cwd=infra.bare).splitlines()
    made = [one for one in github.calls if (one.method, one.path.rpartition("/")[2]) == ("POST", "commits")]
    assert len(above) == len(made) == 2


def test_a_run_for_an_older_commit_leaves_the_work_to_the_newer(job: Job, github: GitHub, infra: Repository) -> None:
    newer = infra.push("main", {"README.md": "y"})
    ran = job.run(token=github.actions_token(infra))
    assert (ran.code, ran.outputs["pull-request-operation"], github.writes) == (0, "none", [])
    assert f"main has moved on to {newer[:12]}" in ran.told("notice")[0]
    job.event = "schedule"  # what is due is due for the branch as it is
    assert job.run(token=github.actions_token(infra)).outputs["pull-request-operation"] == "created"


def test_a_push_to_another_branch_works_for_the_base_as_it_is(job: Job, github: GitHub, infra: Repository) -> None:
    job.ref, job.sha = "refs/heads/feature", "1" * 40
    ran = job.run(token=github.actions_token(infra), base="main")
    assert (ran.outputs["pull-request-operation"], infra.pulls[0].base) == ("created", "main")


@pytest.mark.parametrize(
    ("event", "ref", "payload", "inputs", "told"),
    [
        ("push", "refs/heads/iacfix/fixes", {}, {}, "iacfix/fixes is a branch of iacfix's own"),
        ("push", "refs/heads/iacfix/fixes", {}, {"base": "main"}, "iacfix/fixes is a branch of iacfix's own"),
        ("push", "refs/heads/bots/mend", {}, {"branch": "bots/mend"}, "bots/mend is a branch of iacfix's own"),
        ("workflow_dispatch", "refs/heads/iacfix/x", {}, {}, "iacfix/x is a branch of iacfix's own"),
        ("push", "refs/tags/v1", {}, {}, "refs/tags/v1 is no branch"),
        ("workflow_dispatch", "refs/tags/v1", {}, {}, "refs/tags/v1 is no branch"),
        ("push", "", {}, {}, "a detached commit is no branch"),
        ("push", "refs/heads/main", {"deleted": True}, {}, "the branch or tag was deleted"),
        ("push", "refs/heads/main", {"deleted": True}, {"mode": "check"}, "the branch or tag was deleted"),
    ],
)
def test_nothing_is_asked_for_what_is_no_base(
    job: Job,
    github: GitHub,
    infra: Repository,
    event: str,
    ref: str,
    payload: dict[str, Any],
    inputs: dict[str, str],
    told: str,
) -> None:
    job.event, job.ref, job.payload = event, ref, payload
    ran = job.run(token=github.actions_token(infra), **inputs)
    assert ran.code == 0
    assert told in ran.told("notice")[0]
    assert github.log == []
    assert ran.outputs == {
        **dict.fromkeys(ACTION["outputs"], ""),
        "pull-request-operation": "none",
        "changed-files": "[]",
        "findings": "0",
        "fixed": "0",
    }


def test_an_event_that_has_no_base(job: Job) -> None:
    job.event, job.ref = "issue_comment", "refs/heads/main"
    ran = job.run()
    assert (ran.code, len(ran.told("error"))) == (2, 1)
    assert "issue_comment is no event for mode pr: use push, schedule" in ran.told("error")[0]


def test_the_switch_of_the_organisation_is_named(job: Job, github: GitHub, infra: Repository) -> None:
    infra.actions_may_create_pulls = False
    ran = job.run(token=github.actions_token(infra))
    assert ran.code == 2
    (told,) = ran.told("error")
    assert "Allow GitHub Actions to create and approve pull requests" in told


def test_a_token_that_may_not(job: Job, github: GitHub, infra: Repository) -> None:
    token = github.actions_token(infra, {"metadata": "read", "contents": "read"})
    ran = job.run(token=token)
    assert (ran.code, len(ran.told("error"))) == (2, 1)
    assert token not in ran.told("error")[0]
    assert job.run(token="").told("error") == ["the input token is empty, and mode pr needs one"]
    assert job.run(token=f"{token} {token}").told("error") == ["the token is empty or holds white space"]


# ---- the token ---------------------------------------------------------------------------------


def test_the_token_is_nowhere(job: Job, github: GitHub, infra: Repository, tmp_path: Path) -> None:
    """Not in what is printed, but for the command that hides it, nor in a file, nor on a command line."""
    token = github.actions_token(infra)
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    real, log, shims = shutil.which("git"), tmp_path / "argv", tmp_path / "shims"
    shims.mkdir()
    shim = shims / "git"
    shim.write_text(f'#!/bin/sh\nprintf "%s\\n" "$0" "$@" >> {log}\nexec {real} "$@"\n')
    shim.chmod(0o755)
    env = job.environment(token=token)
    env["PATH"] = f"{shims}{os.pathsep}{env['PATH']}"

    ran = job.start(*COMMAND, env=env)
    assert (ran.code, ran.outputs["pull-request-operation"]) == (0, "created"), ran.text
    assert ran.told("add-mask") == [token, basic]
    rest = "\n".join(line for line in ran.text.split("\n") if not line.startswith("::add-mask::"))
    texts = [rest, log.read_text(), *(path.read_bytes().decode(errors="replace") for path in everything(job.home))]
    texts += [path.read_bytes().decode(errors="replace") for path in everything(infra.bare)]
    assert "push" in log.read_text()
    assert not [text for text in texts if token in text or basic in text]


def everything(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if stat.S_ISREG(path.lstat().st_mode)]


def test_an_error_that_holds_the_token_is_redacted(job: Job) -> None:
    job.event, job.ref, job.payload = "push", "refs/heads/main", {}
    job.api_url = f"http://127.0.0.1:9/{TOKEN}"
    job.repository = f"acme/{TOKEN}"
    ran = job.run(mode="check", paths=f"gone-{TOKEN}")
    assert ran.code == 2
    assert ran.told("error") == ["gone-***: is not in the workspace; run actions/checkout before"]


# ---- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"mode": "repair"}, "the input mode takes check, fix or pr, not 'repair'"),
        ({"impact": "all"}, "the input impact takes none, behavior or replacement, not 'all'"),
        ({"fail_on": "x\n::error::y"}, r"the input fail-on takes never, fixable or any, not 'x\n::error::y'"),
        ({"draft": "yes"}, "the input draft takes true or false, not 'yes'"),
        ({"sign_commits": "1"}, "the input sign-commits takes true or false, not '1'"),
        ({"commits": "many"}, "the input commits takes one or rule, not 'many'"),
        ({"prove": "synth,guess"}, "the input prove takes synth, validate or plan, not 'guess'"),
        ({"paths": "a\n../b"}, "the input paths takes paths within the repository, not '../b'"),
        ({"paths": "/etc"}, "the input paths takes paths within the repository, not '/etc'"),
        ({"config": "a/../../b"}, "the input config takes paths within the repository, not 'a/../../b'"),
        ({"title": "a\nb"}, "the input title takes one line"),
        ({"rules": "no-such-rule", "mode": "check"}, None),
        ({"paths": "gone", "mode": "check"}, "gone: is not in the workspace; run actions/checkout before"),
    ],
)
def test_bad_input_is_one_line(job: Job, inputs: dict[str, str], told: str | None) -> None:
    job.write({"main.tf": GROUP})
    ran = job.run(**inputs)
    (line,) = ran.told("error")
    assert ran.code == 2
    assert told in (line, None)
    assert all(parsed_command(line) for line in ran.text.strip().split("\n"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError(f"{TOKEN} is odd"), r"broke, which is a defect; please report it: ValueError in .*: \*\*\* is odd"),
        (OSError(28, "No space left on device", "/tmp/x"), "/tmp/x: No space left on device"),
        (BrokenExecutor(), "a worker process died, for want of memory perhaps"),
        (WriteError("main.tf", "read-only"), "main.tf: read-only; no file was changed"),
    ],
)
def test_what_breaks_is_one_line(job: Job, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str) -> None:
    def perform(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("fixer.request.Request.perform", perform)
    ran = job.run(mode="fix")
    (line,) = ran.told("error")
    assert ran.code == 2
    assert re.fullmatch(told, line)
    assert ran.outputs == {}


def test_bad_surroundings_are_one_line(job: Job) -> None:
    env = job.environment()
    (job.home / "_commands/event.json").write_text("{")
    assert "the event can't be read" in job.start(*COMMAND, env=env).told("error")[0]
    (job.home / "_commands/event.json").write_text("[]")
    gone = job.start(*COMMAND, env={**env, "GITHUB_WORKSPACE": str(job.home / "gone")}, cwd=job.home)
    assert (gone.code, gone.told("error")) == (
        2,
        ["GITHUB_WORKSPACE is no directory: run actions/checkout before"],
    )
    alone = job.start(*COMMAND, env={"PATH": env["PATH"], "IACFIX_TOKEN": TOKEN})
    assert TOKEN not in alone.text
    assert (alone.code, alone.told("error")) == (
        2,
        ["GITHUB_EVENT_NAME is not set: this command is for jobs of GitHub Actions"],
    )
    full = job.start(*COMMAND, env={**env, "GITHUB_OUTPUT": "/dev/full"})
    assert (full.code, len(full.told("error"))) == (2, 1)


# ---- hostile names -----------------------------------------------------------------------------


def test_names_of_files_command_nothing(job: Job) -> None:
    names = ["b##[add-mask]a.tf", *(f"d{number}/{name}" for number, name in enumerate(HOSTILE))]
    job.write({**dict.fromkeys(names, GROUP), "sub/::stop-commands::x.tf": "resource {"})
    job.write({"::error::top.py": "x = '\\d'\n"})  # which Python warns of
    ran = job.start(*COMMAND, env=job.environment(), cwd=job.temp)
    assert ran.code == 0, ran.text
    lines = ran.text.strip().split("\n")
    assert {(parsed_command(line) or ("no command",))[0] for line in lines} == {"add-mask", "warning", "error"}
    assert sorted({one["file"] for name, one, _ in ran.commands if name == "warning"}) == names
    assert json.loads(ran.outputs["changed-files"]) == names
    assert ran.outputs.keys() == ACTION["outputs"].keys()
    assert ran.outputs["fixed"] == "0"
    assert "<h1>" not in ran.summary
    assert "</details>" not in ran.summary


def test_a_name_that_is_no_text(job: Job) -> None:
    name = os.fsdecode(b"caf\xe9.tf")
    try:
        job.write({name: GROUP})
    except OSError:
        pytest.skip("this file system has none")
    ran = job.start(*COMMAND, env=job.environment())
    assert (ran.code, ran.outputs["findings"]) == (0, "0"), ran.text
    assert [one["file"] for kind, one, _ in ran.commands if kind == "error"] == ["caf\\xe9.tf"]
    assert "not UTF-8" in ran.summary


def test_an_output_can_not_end_itself(monkeypatch: pytest.MonkeyPatch, job: Job) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: "known")
    runner = Runner.of(job.environment())
    with pytest.raises(ActionError, match="delimiter"):
        runner.give({"title": "a\niacfix_known\nfixed=9"})
    assert runner.output is not None
    assert runner.output.read_text() == ""


def test_a_message_is_one_command() -> None:
    line = command("error", {"title": "iacfix"}, "a\r\n::set-output name=x::y % z")
    assert "\n" not in line
    assert parsed_command(line) == ("error", {"title": "iacfix"}, "a\r\n::set-output name=x::y % z")


def test_a_summary_ends_where_github_would_refuse_it(job: Job) -> None:
    runner = Runner.of(job.environment())
    assert runner.summary is not None
    runner.summarize("short\n")
    runner.summarize("ä line\n" * 300_000)
    text = runner.summary.read_bytes().decode()
    assert 890 * 1024 < len(text.encode()) <= 900 * 1024
    assert text.startswith("short\nä line\n")
    assert text.endswith("ä line\n\nThe rest is left off: it is too long for a summary.\n")
    runner.summarize("more\n" * 1000)
    assert runner.summary.stat().st_size <= 900 * 1024


# ---- the steps of action.yml -------------------------------------------------------------------

SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
"""As the runner has it for `shell: bash`."""


def step(job: Job, number: int, given: Mapping[str, str], env: Mapping[str, str]) -> Ran:
    """Run a step of the action, its `env:` filled in as the runner does."""

    def filled(text: str) -> str:
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: given[found[1]], text)

    mapped = {name: filled(str(value)) for name, value in STEPS[number].get("env", {}).items()}
    return job.start(*SHELL, STEPS[number]["run"], env={**env, **mapped})


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A `python3` that makes virtual environments which see the packages installed here, with a pip that only notes.

    What pip itself would do needs an index of packages, which tests don't have.
    """
    directory = tmp_path / "python"
    directory.mkdir()
    pip = f"import json, sys; open({str(directory / 'pip')!r}, 'a').write(json.dumps(sys.argv[1:]) + chr(10))"
    site = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})"
    (directory / "made").write_text(
        "import pathlib, sys, venv\n"
        "venv.create(sys.argv[1], symlinks=True)\n"
        "place = next(pathlib.Path(sys.argv[1]).glob('lib/*/site-packages'))\n"
        f"(place / 'pip.py').write_text({pip!r})\n"
        f"(place / 'seen.pth').write_text({site!r})\n"
    )
    shim = directory / "python3"
    shim.write_text(
        f'#!/bin/sh\nif [ "$2" = -m ]; then exec {sys.executable} -I {directory}/made "$4"; fi\n'
        f'exec {sys.executable} "$@"\n'
    )
    shim.chmod(0o755)
    return directory


def test_the_steps_run_and_import_nothing_from_the_checkout(job: Job, python: Path) -> None:
    trap = f"open({str(job.home / 'trapped')!r}, 'a').write(__name__)\n"
    names = ("libcst", "click", "fixer", "sitecustomize", "usercustomize", "pip", "git", "github", "json", "yaml")
    job.write({"main.tf": GROUP, **{f"{name}.py": trap for name in names}})
    env = {name: value for name, value in job.environment().items() if not name.startswith("IACFIX_")}
    env |= {"PATH": f"{python}{os.pathsep}{env['PATH']}", "GITHUB_ACTION_PATH": str(ROOT)}

    installed = step(job, 0, {}, env)
    assert installed.code == 0, installed.text
    assert (job.home / "_commands/output").read_text().startswith("venv=")
    first, second = map(json.loads, (python / "pip").read_text().splitlines())
    assert first[-2:] == ["--requirement", str(ROOT / "requirements-action.txt")]
    assert {"--require-hashes", "--only-binary"} <= set(first)
    assert {"--no-index", "--no-deps", "--no-build-isolation", str(ROOT)} <= set(second)

    given = {f"inputs.{name}": str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
    given |= {"steps.install.outputs.venv": installed.outputs["venv"], "inputs.token": TOKEN}
    given |= {"inputs.rules": "log-group-retention", "inputs.fail-on": "fixable"}
    ran = step(job, 1, given, env)
    assert (ran.code, ran.outputs["findings"]) == (1, "1"), ran.text
    assert not (job.home / "trapped").exists()
    assert not (job.home / ".cache").exists()  # nothing that another job could read, or write


def test_runners_that_will_not_do(job: Job, python: Path) -> None:
    env = {**job.environment(), "GITHUB_ACTION_PATH": str(ROOT)}
    windows = step(job, 0, {}, {**env, "RUNNER_OS": "Windows"})
    assert (windows.code, windows.told("error")) == (2, ["iacfix needs a runner with Linux or macOS"])
    (python / "python3").write_text("#!/bin/sh\nexit 1\n")
    old = step(job, 0, {}, {**env, "PATH": f"{python}{os.pathsep}{env['PATH']}"})
    assert old.code == 2
    assert old.told("error") == ["There is no Python 3.10 or newer: run actions/setup-python before this action"]


# ---- what is written down ----------------------------------------------------------------------


def test_inputs_are_the_same_everywhere() -> None:
    names = {"token", *(one.name.replace("_", "-") for one in fields(Inputs))}
    assert ACTION["inputs"].keys() == names
    mapped = {key: value for key, value in STEPS[1]["env"].items() if key != "IACFIX_VENV"}
    assert mapped == {variable(name): f"${{{{ inputs.{name} }}}}" for name in names}
    defaults = {variable(name): str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
    assert Inputs.of(defaults) == Inputs()


def test_outputs_are_the_same_everywhere() -> None:
    assert ACTION["outputs"].keys() == action.outputs(action.Done(), {}).keys()
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.iacfix.outputs.{name} }}}}"


def test_the_page_has_all_inputs_and_outputs() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (.*) \|$", (ROOT / "docs/github.md").read_text(), re.MULTILINE)
    wanted = [(name, described(one)) for name, one in [*ACTION["inputs"].items(), *ACTION["outputs"].items()]]
    assert rows == wanted


def described(one: Mapping[str, Any]) -> str:
    text = " ".join(one["description"].split())
    default = one.get("default")
    return text if default is None else f"{text}. Default: `{str(default).strip('${} ')}`"


def test_no_expression_is_in_a_script() -> None:
    for each in STEPS:
        assert each["shell"] == "bash"
        assert "${{" not in each["run"]
    for path in WORKFLOWS:
        for of in yaml.safe_load(path.read_text())["jobs"].values():
            assert not [one for one in of["steps"] if "run" in one]


def test_others_actions_are_pinned_by_commit() -> None:
    for path in [ROOT / "action.yml", ROOT / "README.md", ROOT / "docs/github.md", *WORKFLOWS]:
        for line in re.findall(r"uses: (.*)", path.read_text()):
            assert re.match(r"OWNER/iacfix@v\d|[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$", line), line


def test_the_lock_holds_what_the_package_and_its_build_need() -> None:
    text = (ROOT / "requirements-action.txt").read_text()
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for line in [*project["project"]["dependencies"], *project["build-system"]["requires"]]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(locked[wanted.name.lower()]), line
    assert text.count("==") <= text.count("--hash=sha256:")


@pytest.mark.parametrize("path", [ROOT / "action.yml", *WORKFLOWS], ids=lambda path: path.name)
def test_zizmor_finds_nothing(path: Path) -> None:
    done = subprocess.run(
        [script("zizmor"), "--offline", "--no-config", "--persona", "pedantic", str(path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", [ROOT / "action.yml", *WORKFLOWS], ids=lambda path: path.name)
def test_schemas(path: Path) -> None:
    schema = "vendor.github-actions" if path.name == "action.yml" else "vendor.github-workflows"
    done = subprocess.run(
        [script("check-jsonschema"), "--builtin-schema", schema, str(path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


def test_the_workflow_of_the_readme(tmp_path: Path) -> None:
    (snippet,) = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    path = tmp_path / "iacfix.yml"
    path.write_text(snippet)
    test_schemas(path)
    workflow, whole = yaml.safe_load(snippet), yaml.safe_load(WORKFLOWS[0].read_text())
    assert workflow["permissions"] == whole["permissions"] == {}
    assert workflow["jobs"]["fix"]["permissions"] == whole["jobs"]["fix"]["permissions"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
def test_actionlint_finds_nothing(path: Path) -> None:
    done = subprocess.run(["actionlint", str(path)], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("number", range(len(STEPS)))
def test_shellcheck_finds_nothing(number: int) -> None:
    done = subprocess.run(
        [script("shellcheck"), "--shell=bash", "--severity=style", "-"],
        check=False,
        input=f"set -eo pipefail\n{STEPS[number]['run']}",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


def script(name: str) -> str:
    return str(Path(sysconfig.get_path("scripts")) / name)


# ---- pre-commit --------------------------------------------------------------------------------


def test_the_hooks_of_pre_commit(tmp_path: Path) -> None:
    """Run by pre-commit itself; its own installation of iacfix, which needs an index of packages, is left out."""
    manifest = ROOT / ".pre-commit-hooks.yaml"
    hooks = [{**one, "language": "system"} for one in yaml.safe_load(manifest.read_text())]
    env = {**os.environ, "HOME": str(tmp_path), "PRE_COMMIT_HOME": str(tmp_path / "cache")}
    env["PATH"] = f"{sysconfig.get_path('scripts')}{os.pathsep}{env['PATH']}"
    project = tmp_path / "project"
    project.mkdir()
    (project / "main.tf").write_text(GROUP)
    (project / "app.tofu").write_text(GROUP.replace("orders", "bills"))
    (project / "notes.md").write_text(GROUP)
    (project / "iacfix.toml").write_text(f"select = {json.dumps(RULES.split(','))}\n")
    (project / ".pre-commit-config.yaml").write_text(json.dumps({"repos": [{"repo": "local", "hooks": hooks}]}))
    git("init", "-q", cwd=project)
    git("add", ".", cwd=project)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "pre_commit", *arguments]
        return subprocess.run(argv, check=False, cwd=project, env=env, capture_output=True, text=True, timeout=60)

    assert run("validate-manifest", str(manifest)).returncode == 0
    checked = run("run", "iacfix-check", "--all-files")
    assert (checked.returncode, (project / "main.tf").read_text()) == (1, GROUP), checked.stdout
    assert "log-group-retention" in checked.stdout
    fixed = run("run", "iacfix-fix", "--all-files")
    assert (fixed.returncode, (project / "main.tf").read_text()) == (1, KEPT), fixed.stdout
    assert "exit code: 1" in fixed.stdout  # its own, whatever pre-commit makes of changed files
    assert "retention_in_days" in (project / "app.tofu").read_text()
    assert (project / "notes.md").read_text() == GROUP
    assert run("run", "iacfix-fix", "--all-files").returncode == 0
