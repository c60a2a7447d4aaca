"""The command from the outside: what it prints where, what it exits with, and what it leaves."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from click.testing import CliRunner, Result

import fixer.run
import fixer.write
from fixer import config, engine
from fixer.cli import main
from fixer.model import Impact
from fixer.report.json import schema
from fixer.rules import load

ROOT = Path(__file__).parent.parent
COMMAND = (sys.executable, "-m", "fixer")
SOME = ("--select", "log-group-retention,s3-block-public-access,providers-in-provider-file")
GROUP = 'resource "aws_cloudwatch_log_group" "{}" {{\n  name = "orders"\n}}\n'
PUBLIC = (
    'resource "aws_s3_bucket" "site" {\n  tags = {}\n}\n\nresource "aws_s3_bucket_website_configuration" "site" {\n'
)
PUBLIC += '  bucket = aws_s3_bucket.site.id\n\n  index_document {\n    suffix = "index.html"\n  }\n}\n'
QUEUE = 'resource "aws_sqs_queue" "q" {\n  name = "orders"\n}\n'
STACK = """\
import aws_cdk as cdk
from aws_cdk import aws_logs as logs


class OrdersStack(cdk.Stack):
    def __init__(self, scope, construct_id):
        super().__init__(scope, construct_id)
        logs.LogGroup(self, "Orders")
"""
RETENTION = ("--select", "log-group-retention")
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IACFIX_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module and an app, each with a log group that keeps its events for ever."""
    root = tmp_path / "project"
    (root / "app").mkdir(parents=True)
    (root / "main.tf").write_text(GROUP.format("a"))
    (root / "app/cdk.json").write_text("{}")
    (root / "app/app.py").write_text(STACK)
    monkeypatch.chdir(root)
    return root


def iacfix(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="iacfix")


def command(*arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *arguments], check=False, timeout=60, capture_output=True, **more)


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def one_line(text: str | bytes) -> str:
    """The only line of what went to standard error."""
    text = text.decode() if isinstance(text, bytes) else text
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    return text[:-1]


# ---- check and apply ---------------------------------------------------------------------------


@pytest.mark.parametrize("impact", ["none", "behavior", "replacement"])
def test_the_examples_come_to_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, impact: str) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    done = iacfix("apply", "--impact", impact, "examples")
    assert ("[fixed]" in done.stdout, done.stderr) == (True, "")
    once = contents(tmp_path / "examples")
    assert once != contents(ROOT / "examples")
    assert "[fixed]" not in iacfix("apply", "--impact", impact, "examples").stdout
    assert contents(tmp_path / "examples") == once


def test_check_reports_and_changes_nothing(project: Path) -> None:
    before = contents(project)
    done = iacfix("check", *RETENTION)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "app/app.py:8:9: log-group-retention keeps its events for two years, the CDK's default; "
        "once fixed, CloudWatch deletes those older than 30 days [fixable]",
        "main.tf:1:1: log-group-retention keeps its events for ever; "
        "once fixed, CloudWatch deletes those older than 30 days [fixable]",
        "Found 2 findings (2 fixable) in 2 files.",
    ]
    assert done.stderr == ""
    assert contents(project) == before


def test_apply_fixes_and_is_done_then(project: Path) -> None:
    done = iacfix("apply", *RETENTION)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == ["Found 2 findings (2 fixed) in 2 files.", "Changed 2 files."]
    after = contents(project)
    assert b"retention_in_days = 30" in after["main.tf"]
    assert b"retention=logs.RetentionDays.ONE_MONTH" in after["app/app.py"]
    again = iacfix("apply", *RETENTION)
    assert (again.exit_code, again.stdout) == (0, "Found nothing in 2 files.\n")
    assert iacfix("check", *RETENTION).exit_code == 0
    assert contents(project) == after


def test_exit_non_zero_on_fix(project: Path) -> None:
    assert iacfix("apply", *RETENTION, "--exit-non-zero-on-fix").exit_code == 1
    assert iacfix("apply", *RETENTION, "--exit-non-zero-on-fix").exit_code == 0


def test_what_is_suppressed_is_no_finding(project: Path) -> None:
    (project / "main.tf").write_text("# iacfix: ignore[log-group-retention] audited\n" + GROUP.format("a"))
    done = iacfix("check", *RETENTION, "main.tf")
    assert (done.exit_code, done.stdout) == (0, "Found 1 finding (1 suppressed) in 1 file.\n")


def test_manual_findings_say_why_and_what_next(project: Path) -> None:
    (project / "main.tf").write_text(PUBLIC)
    done = iacfix("apply", "--select", "s3-block-public-access", "main.tf")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].endswith("[manual]")
    assert [line.split(":")[0] for line in done.stdout.splitlines()[1:3]] == ["    why", "    next"]


def test_fixes_of_a_greater_impact_are_counted_and_made_on_request(project: Path) -> None:
    (project / "main.tf").write_text(QUEUE + QUEUE.replace('"q"', '"r"').replace("orders", "returns"))
    done = iacfix("apply", "main.tf")
    assert done.stdout.splitlines()[-1] == "2 more fixes with --impact replacement."
    assert "environment_suffix" not in (project / "main.tf").read_text()
    assert iacfix("apply", "main.tf", "--impact", "replacement").exit_code == 0
    assert (project / "main.tf").read_text().count("-${var.environment_suffix}") == 2


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ((), "Run iacfix apply"),
        (("--impact", "none"), "Run iacfix apply --impact behavior"),
        (("--impact", "replacement"), "Run iacfix apply"),
    ],
)
def test_a_fixable_finding_names_the_command_that_fixes_it(project: Path, flags: Sequence[str], says: str) -> None:
    for _ in ("worked out", "from the cache"):
        done = iacfix("check", *RETENTION, *flags, "--format", "json")
        assert {one["help"] for one in json.loads(done.stdout)["findings"]} == {says}


def test_a_file_limits_what_is_reported_and_fixed(project: Path) -> None:
    (project / "other.tf").write_text(GROUP.format("b"))
    assert iacfix("check", *RETENTION, "main.tf").stdout.count("[fixable]") == 1
    assert iacfix("apply", *RETENTION, "main.tf").exit_code == 0
    assert "retention_in_days" in (project / "main.tf").read_text()
    assert (project / "other.tf").read_text() == GROUP.format("b")


# ---- dry runs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", [("git", "apply"), ("patch", "-s", "-p1")])
def test_a_dry_run_prints_the_diff_alone(project: Path, tool: Sequence[str]) -> None:
    before = contents(project)
    done = command("apply", "--dry-run", *RETENTION)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == b"Would change 2 files."
    assert contents(project) == before
    subprocess.run(tool, input=done.stdout, check=True, cwd=project)
    patched = contents(project)
    for name, content in before.items():
        (project / name).write_bytes(content)
    iacfix("apply", *RETENTION)
    assert contents(project) == patched != before
    clean = command("apply", "--dry-run", *RETENTION)
    assert (clean.returncode, clean.stdout) == (0, b"")


def test_a_dry_run_tells_places_in_the_files_as_they_are(project: Path) -> None:
    (project / "main.tf").write_text('provider "aws" {\n  region = "eu-west-1"\n}\n\n' + GROUP.format("a") + PUBLIC)
    lines = {
        name: [(one["line"], one["rule"]) for one in json.loads(done.stdout)["findings"]]
        for name, done in {
            "check": iacfix("check", "main.tf", *SOME, "--format", "json"),
            "trial": iacfix("apply", "--dry-run", "main.tf", *SOME, "--format", "json"),
        }.items()
    }
    assert lines["trial"] == lines["check"]
    assert {rule for _, rule in lines["check"]} >= {"log-group-retention", "providers-in-provider-file"}
    applied = json.loads(iacfix("apply", "main.tf", *SOME, "--format", "json").stdout)["findings"]
    public = next(one for one in applied if one["rule"] == "s3-block-public-access")
    assert public["status"] == "manual"
    assert (project / "main.tf").read_text().splitlines()[public["line"] - 1].startswith('resource "aws_s3_bucket"')


def test_a_dry_run_with_a_report_in_a_file(project: Path, tmp_path: Path) -> None:
    done = iacfix("apply", "--dry-run", *RETENTION, "--format", "json", "--output", str(tmp_path / "report.json"))
    assert done.exit_code == 1
    assert done.stdout.startswith("diff --git a/app/app.py b/app/app.py\n")
    assert json.loads((tmp_path / "report.json").read_text())["summary"]["files_changed"] == 2


def test_a_quiet_dry_run_is_the_diff(project: Path) -> None:
    done = iacfix("apply", "--dry-run", "--quiet", *RETENTION)
    assert done.stdout.startswith("diff --git")
    assert done.stderr == ""


# ---- reports -----------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["json", "sarif", "github", "markdown", "text"])
@pytest.mark.parametrize("flags", [("check",), ("apply",), ("apply", "--dry-run")], ids=" ".join)
def test_formats(project: Path, flags: Sequence[str], format_: str, tmp_path: Path) -> None:
    (project / "bad.tf").write_text("resource {{{\n")
    printed = iacfix(*flags, *RETENTION, "--format", format_, "--no-cache")
    assert printed.exit_code == 2
    assert "bad.tf: error: line 1: syntax error" in printed.stderr.splitlines()
    if format_ == "json":
        jsonschema.validate(json.loads(printed.stdout), schema())
    elif format_ == "sarif":
        assert json.loads(printed.stdout)["version"] == "2.1.0"
    elif format_ == "github":
        assert "::error file=bad.tf" in printed.stdout
    elif format_ == "markdown":
        assert printed.stdout.startswith("## iacfix\n")


def test_a_report_in_a_file(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.sarif"
    done = iacfix("check", *RETENTION, "--format", "sarif", "--output", str(path))
    assert (done.exit_code, done.output) == (1, "")
    assert len(json.loads(path.read_text())["runs"][0]["results"]) == 2


@pytest.mark.parametrize("flags", [("check",), ("apply",), ("apply", "--dry-run")], ids=" ".join)
def test_a_report_in_a_missing_directory(project: Path, flags: Sequence[str]) -> None:
    before = contents(project)
    done = iacfix(*flags, "--output", "gone/report.json", "--format", "json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert one_line(done.stderr) == "iacfix: gone/report.json: its directory does not exist"
    assert contents(project) == before


def test_quiet(project: Path) -> None:
    assert iacfix("check", "-q").output == ""
    (project / "bad.tf").write_text("resource {{{\n")
    assert one_line(iacfix("check", "-q").stderr) == "bad.tf: error: line 1: syntax error"


def test_names_can_not_command_the_terminal(project: Path) -> None:
    (project / "a\x1b[31m\n.tf").write_text("resource {{{\n")
    assert one_line(iacfix("check", *RETENTION, "-q").stderr) == r"a\x1b[31m\n.tf: error: line 1: syntax error"
    done = iacfix("check", "gone\x1b[31m\n.tf")
    assert one_line(done.stderr) == r"iacfix: gone\x1b[31m .tf: no such file or directory"


def test_text_that_the_terminal_can_not_show(project: Path) -> None:
    (project / "ü.tf").write_text(GROUP.format("b"))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for arguments in (("check",), ("check", "--format", "markdown")):
        done = command(*arguments, env=environment)
        assert (done.returncode, done.stderr) == (1, b"")


# ---- selecting and configuring -----------------------------------------------------------------


def rules_of(done: Result) -> set[str]:
    return {one["rule"] for one in json.loads(done.stdout)["findings"]}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--select", "log-group-retention"), {"log-group-retention"}),
        (("--select", "observability"), {"log-group-retention"}),
        (("--select", "log-*-ret*,s3-*"), {"log-group-retention"}),
        (("--select", "s3-*", "--select", "naming"), {"env-suffix-names"}),
        (("--ignore", "log-*"), {"env-suffix-names"}),
        (("--ignore", "log-*", "--ignore", "naming"), set()),
    ],
)
def test_selecting(project: Path, flags: Sequence[str], expected: set[str]) -> None:
    assert rules_of(iacfix("check", "main.tf", "--format", "json", *flags)) == expected


@pytest.mark.parametrize("flag", ["--select", "--ignore"])
@pytest.mark.parametrize("name", ["s3-block-publik-access", "s3-block", "public"])
def test_an_unknown_rule_names_the_nearest(project: Path, flag: str, name: str) -> None:
    done = iacfix("check", flag, name)
    assert done.exit_code == 2
    assert one_line(done.stderr).endswith(f"matches {name!r}; did you mean 's3-block-public-access'?")


def test_the_nearest_configuration_counts(project: Path) -> None:
    (project / "iacfix.toml").write_text('ignore = ["all"]\n')
    (project / "app/.iacfix.toml").write_text("[rules.log-group-retention]\ndays = 90\n")
    assert iacfix("check").exit_code == 0
    assert iacfix("apply", "app", *RETENTION).exit_code == 0
    assert "RetentionDays.THREE_MONTHS" in (project / "app/app.py").read_text()


def test_a_configuration_can_be_named(project: Path, tmp_path: Path) -> None:
    (project / "iacfix.toml").write_text("nonsense")
    (tmp_path / "mine.toml").write_text('select = ["log-group-retention"]\nimpact = "none"\n')
    done = iacfix("apply", "--config", str(tmp_path / "mine.toml"))
    assert done.stdout.splitlines()[-1] == "2 more fixes with --impact behavior."
    assert iacfix("apply", "--config", str(tmp_path / "mine.toml"), "--impact", "behavior").exit_code == 0
    assert "retention_in_days" in (project / "main.tf").read_text()


def test_switched_off(project: Path) -> None:
    (project / "iacfix.toml").write_text("enabled = false\n")
    done = iacfix("apply")
    assert (done.exit_code, done.stdout) == (0, "")
    assert one_line(done.stderr).endswith("iacfix.toml says enabled = false")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = []", "iacfix: iacfix.toml: unknown key 'selct'; did you mean 'select'?"),
        ('select = ["s3-block"]', "iacfix: iacfix.toml: no rule or category matches 's3-block'; did you mean "),
        ("[rules.log-group-retention]\ndays = 31", "iacfix: iacfix.toml: rules.log-group-retention.days: "),
        ("[rules.log-group]\n", "iacfix: iacfix.toml: rules: there is no rule 'log-group'; did you mean "),
        ("= 1", "iacfix: iacfix.toml: is not valid TOML: "),
        ("\xff", "iacfix: iacfix.toml: is not valid TOML: "),
    ],
)
def test_a_wrong_configuration_is_one_line(project: Path, text: str, message: str) -> None:
    (project / "iacfix.toml").write_bytes(text.encode("latin-1"))
    before = contents(project)
    done = iacfix("apply")
    assert (done.exit_code, done.stdout) == (2, "")
    assert one_line(done.stderr).startswith(message)
    assert contents(project) == before


@pytest.mark.parametrize("path", ["gone.toml", "."])
def test_a_configuration_that_is_missing(project: Path, path: str) -> None:
    done = iacfix("check", "--config", path)
    assert done.exit_code == 2
    assert path in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("arguments", [["gone"], ["main.tf", "gone.tf"], ["main.tf/gone"]])
def test_a_path_that_does_not_exist(project: Path, arguments: Sequence[str]) -> None:
    done = iacfix("apply", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert one_line(done.stderr) == f"iacfix: {arguments[-1]}: no such file or directory"
    assert (project / "main.tf").read_text() == GROUP.format("a")


# ---- the other commands ------------------------------------------------------------------------


def test_rules(project: Path) -> None:
    names = [rule.name for rule in load()]
    plain = iacfix("rules")
    assert [line.split("\t")[0] for line in plain.stdout.splitlines()] == names
    rows = json.loads(iacfix("rules", "--format", "json").stdout)
    assert [row["name"] for row in rows] == names
    assert {Impact.of(row["impact"]) for row in rows} <= set(Impact)


def test_explain() -> None:
    done = iacfix("explain", "log-group-retention")
    assert done.exit_code == 0
    assert done.stdout.startswith("# log-group-retention\n")
    assert "## Why" in done.stdout
    unknown = iacfix("explain", "log-group-retentoin")
    assert unknown.exit_code == 2
    assert one_line(unknown.stderr).endswith("did you mean 'log-group-retention'?")


def test_init_writes_a_file_that_says_the_defaults(project: Path) -> None:
    before = json.loads(iacfix("check", "--format", "json").stdout)["findings"]
    assert iacfix("init").stdout == "wrote iacfix.toml\n"
    said = config.load(project, project)
    assert said.path == project / "iacfix.toml"
    config.validate(said, load())
    assert {(rule.name, config.options_for(rule, said)) for rule in load()} == {
        (rule.name, rule.options()) for rule in load()
    }
    assert json.loads(iacfix("check", "--format", "json").stdout)["findings"] == before


@pytest.mark.parametrize("name", ["iacfix.toml", ".iacfix.toml", "pyproject.toml"])
def test_init_leaves_a_configuration_alone(project: Path, name: str) -> None:
    (project / name).write_text("[tool.iacfix]\n" if name == "pyproject.toml" else "# mine\n")
    before = contents(project)
    done = iacfix("init")
    assert done.exit_code == 2
    assert one_line(done.stderr) == f"iacfix: {name}: is there already"
    assert contents(project) == before


def test_init_prints_its_schema(project: Path) -> None:
    made = json.loads(iacfix("init", "--schema").stdout)
    jsonschema.Draft202012Validator.check_schema(made)
    jsonschema.validate({"rules": {"log-group-retention": {"days": 90}}}, made)
    assert not (project / "iacfix.toml").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_shell(shell: str, project: Path) -> None:
    script = iacfix("completion", shell).stdout
    assert "_IACFIX_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script.encode(), check=True, timeout=20)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("iacfix ch", {"check"}),
        ("iacfix explain log-group-r", {"log-group-retention"}),
        ("iacfix check --select s3-block-public-access,log-group-r", {"s3-block-public-access,log-group-retention"}),
        ("iacfix check --impact r", {"replacement"}),
    ],
)
def test_completion(words: str, expected: set[str], project: Path) -> None:
    asked = {"_IACFIX_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = command(env={**os.environ, **asked})
    assert {line.partition(",")[2] for line in done.stdout.decode().splitlines()} == expected


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in main.commands)], ids=" ".join)
def test_help_fits_and_tells_all(arguments: Sequence[str]) -> None:
    done = iacfix(*arguments)
    assert done.exit_code == 0
    assert done.output.startswith("Usage: iacfix ")
    assert "..." not in re.sub(r"\[(ARGS|PATH)\]\.\.\.|[A-Z]+,\.\.\.", "", done.output)
    assert max(map(len, done.output.splitlines())) <= 100


# ---- the same whatever way ---------------------------------------------------------------------


def many(root: Path, count: int, size: int = 1) -> None:
    """Modules of so many log groups each, and a broken one."""
    for at in range(count):
        (root / f"m{at:02}").mkdir(exist_ok=True)
        (root / f"m{at:02}/main.tf").write_text("\n".join(GROUP.format(f"g{one}") for one in range(size)))
    (root / "broken").mkdir(exist_ok=True)
    (root / "broken/main.tf").write_text('resource "aws_cloudwatch_log_group" {{{')


def report(*arguments: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(iacfix(*arguments, "--format", "json").stdout)
    del told["summary"]["seconds"]
    return told


def test_jobs_and_cache_do_not_matter(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many(project, 12)
    monkeypatch.setattr(fixer.run, "PARALLEL_BYTES", 0)
    expected = report("check", "--jobs", "1", "--no-cache")
    assert len(expected["findings"]) > 12
    assert len(expected["errors"]) == 1
    assert not (tmp_path / "cache").exists()
    for jobs in "312":  # the first one fills the cache
        assert report("check", "--jobs", jobs) == expected
    assert report("check", "--jobs", "2", "--no-cache") == expected
    trial = report("apply", "--dry-run", "--jobs", "1", "--no-cache")
    assert report("apply", "--dry-run", "--jobs", "3") == trial
    assert report("check") == expected
    assert len(trial["files"]) >= 13


def test_a_warm_cache_spares_the_work(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = report("check")
    monkeypatch.setattr(engine, "check", None)
    assert report("check") == expected
    (project / "main.tf").write_text(GROUP.format("b"))
    assert report("check")["errors"] != []


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda _: b"",
    "cut": lambda data: data[:-5],
    "garbled": lambda data: data[:20] + b"\xff" + data[21:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_cache_counts_as_none(project: Path, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    expected = report("check")
    stored = [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.name != "pruned"]
    assert len(stored) == 2
    for path in stored:
        path.write_bytes(damage(path.read_bytes()))
    assert report("check") == expected


def test_a_cache_of_another_form_counts_as_none(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = report("check")
    for value in ([], {}, {"outcomes": [{}]}, {"outcomes": 3, "errors": [], "notes": []}, "text"):
        monkeypatch.setattr("fixer.cache.Cache.get", lambda *_, value=value: value)
        assert report("check") == expected


def test_a_cache_that_can_not_be_written(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = report("check", "--no-cache")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("IACFIX_CACHE_DIR", str(tmp_path / "file/cache"))
    assert report("check") == expected


def test_options_and_rules_are_part_of_the_cache(project: Path) -> None:
    assert report("check", *RETENTION, "main.tf")["findings"]
    assert not report("check", "--select", "s3-*", "main.tf")["findings"]
    (project / "iacfix.toml").write_text("[rules.log-group-retention]\ndays = 90\n")
    assert "90 days" in report("check", *RETENTION, "main.tf")["findings"][0]["message"]


# ---- terminals ---------------------------------------------------------------------------------


def on_terminal(*arguments: str, **variables: str) -> tuple[int, str]:
    """Exit code and what a terminal of 100 columns shows."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **variables}
    with subprocess.Popen([*COMMAND, *arguments], stdout=follower, stderr=follower, env=environment) as process:
        os.close(follower)
        shown = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # how Linux tells that nobody writes any more
                break
            if not part:
                break
            shown += part
        os.close(leader)
    return process.returncode, shown.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colour_and_a_table(project: Path) -> None:
    code, shown = on_terminal("check", *RETENTION)
    assert code == 1
    assert "\x1b[36m[fixable]\x1b[0m" in shown
    plain = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert re.search(r"^rule +fixable *$", plain, re.MULTILINE)
    assert plain.endswith("Found 2 findings (2 fixable) in 2 files.\n")
    code, shown = on_terminal("check", *RETENTION, NO_COLOR="1")
    assert code == 1
    assert not re.search(r"\x1b\[[\d;]*3\dm", shown)


def test_a_terminal_gets_a_coloured_diff(project: Path) -> None:
    code, shown = on_terminal("apply", "--dry-run", "main.tf", *RETENTION)
    assert code == 1
    assert "\x1b[32m+  retention_in_days = 30\x1b[0m" in shown


def test_pages_on_a_terminal(project: Path) -> None:
    for arguments in (("rules",), ("explain", "log-group-retention")):
        code, shown = on_terminal(*arguments)
        assert code == 0
        assert "log-group-retention" in re.sub(r"\x1b\[[\d;]*m", "", shown)
        assert "\t" not in shown


def test_a_pipe_gets_no_colour(project: Path) -> None:
    done = command("check", *RETENTION)
    assert b"\x1b" not in done.stdout


# ---- closed pipes, full disks ------------------------------------------------------------------


OUTPUTS = (
    ("check",),
    ("check", "--format", "json"),
    ("apply", "--dry-run"),
    ("rules",),
    ("explain", "log-group-retention"),
    ("init", "--schema"),
)


@pytest.mark.parametrize("arguments", OUTPUTS, ids=" ".join)
def test_a_closed_pipe_is_silent(project: Path, arguments: Sequence[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with subprocess.Popen([*COMMAND, *arguments], stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (141, b"")


def test_the_first_line_of_many(project: Path) -> None:
    (project / "main.tf").write_text("\n".join(GROUP.format(f"g{at}") for at in range(1500)))
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m fixer check {' '.join(RETENTION)} | head -1"],
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(project: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*COMMAND, "check"], stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == 2
    assert one_line(done.stderr) == "iacfix: No space left on device"


def test_closed_streams(project: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m fixer apply {' '.join(RETENTION)} >&- 2>&-"], check=False, timeout=60
    )
    assert done.returncode == 0
    assert "retention_in_days" in (project / "main.tf").read_text()


# ---- interrupts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "line"),
    [(("check",), "iacfix: interrupted"), (("apply",), "iacfix: interrupted; no file was changed")],
)
def test_an_interrupt_is_one_line(project: Path, tmp_path: Path, arguments: Sequence[str], line: str) -> None:
    before = contents(project)
    os.mkfifo(tmp_path / "config.toml")
    flags = ("--config", str(tmp_path / "config.toml"))
    with subprocess.Popen([*COMMAND, *arguments, *flags], stdout=-1, stderr=-1) as process:
        descriptor = os.open(tmp_path / "config.toml", os.O_WRONLY)  # waits until it is read from
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
        os.close(descriptor)
    assert process.returncode == 130
    assert (out, one_line(errors)) == (b"", line)
    assert contents(project) == before


@pytest.mark.parametrize(("late", "says"), [(False, "no file was changed"), (True, "all fixes were made")])
def test_an_interrupt_while_files_are_written(
    project: Path, monkeypatch: pytest.MonkeyPatch, late: bool, says: str
) -> None:
    def write(*arguments: Any) -> None:
        if late:
            original(*arguments)
        raise KeyboardInterrupt

    original = fixer.write.write
    monkeypatch.setattr(fixer.write, "write", write)
    done = iacfix("apply", *RETENTION)
    assert done.exit_code == 130
    assert one_line(done.stderr) == f"iacfix: interrupted; {says}"
    assert ("retention_in_days" in (project / "main.tf").read_text()) is late


ANNOUNCED = "import os, fixer.__main__; os.write({}, b'.'); fixer.__main__.main()"


def test_interrupts_at_any_moment(project: Path) -> None:
    many(project, 30, size=40)
    before = contents(project)
    started = time.monotonic()
    assert command("apply", *RETENTION, "--jobs", "2", "--dry-run", "--no-cache").returncode == 2
    takes = time.monotonic() - started
    choose = random.Random(7)  # noqa: S311
    interrupted = 0
    for _ in range(6):
        reader, writer = os.pipe()
        program = [sys.executable, "-c", ANNOUNCED.format(writer), "apply", *RETENTION, "--jobs", "2", "--no-cache"]
        with subprocess.Popen(program, stdout=-1, stderr=-1, pass_fds=[writer], start_new_session=True) as process:
            os.close(writer)
            os.read(reader, 1)
            select.select([process.stdout], [], [], choose.uniform(0.01, takes))
            os.killpg(process.pid, signal.SIGINT)  # as the terminal does: the workers too
            _, errors = process.communicate(timeout=60)
            os.close(reader)
        changed = contents(project) != before
        assert b"Traceback" not in errors, errors.decode()
        assert process.returncode in (2, 130)
        if process.returncode == 130:
            interrupted += 1
            assert one_line(errors).startswith("iacfix: interrupted")
            assert changed is (b"all fixes were made" in errors)
        assert not [name for name in contents(project) if ".iacfix-" in name]
        for name, content in before.items():
            (project / name).write_bytes(content)
    assert interrupted


# ---- workers -----------------------------------------------------------------------------------


def children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def until(condition: Callable[[], Any]) -> Any:
    """What the condition gives once it holds."""
    for _ in range(6000):
        if found := condition():
            return found
        time.sleep(0.005)
    raise AssertionError("it never came true")


@pytest.fixture
def working(project: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """A run with two workers that have much to do, and these."""
    many(project, 24, size=300)
    with subprocess.Popen(
        [*COMMAND, "check", *RETENTION, "--jobs", "2", "--no-cache"], stdout=-1, stderr=-1
    ) as process:
        yield process, until(lambda: len(found := children(process.pid)) == 2 and found)
        process.kill()


def is_there(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


@linux
def test_a_worker_that_dies_is_one_line(working: tuple[subprocess.Popen[bytes], list[int]]) -> None:
    process, workers = working
    os.kill(workers[0], signal.SIGKILL)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, b"")
    assert one_line(errors) == "iacfix: a worker process died, for want of memory perhaps; --jobs 1 does without"


@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_go_with_a_run_that_is_killed(
    working: tuple[subprocess.Popen[bytes], list[int]], number: signal.Signals
) -> None:
    process, workers = working
    process.send_signal(number)
    process.communicate(timeout=60)
    until(lambda: not any(map(is_there, workers)))


# ---- defects -----------------------------------------------------------------------------------


def test_a_unit_that_iacfix_breaks_on_does_not_stop_the_others(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("oh\nno")

    monkeypatch.setattr("fixer.cdk.load", broken)
    done = iacfix("apply", *RETENTION, "--no-cache")
    assert done.exit_code == 2
    assert re.fullmatch(
        r"app/app\.py: error: left alone, as iacfix broke on it: RuntimeError in broken:\d+: oh no",
        one_line(done.stderr),
    )
    assert "retention_in_days" in (project / "main.tf").read_text()


def test_any_other_defect_is_one_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("oh\nno")

    monkeypatch.setattr("fixer.project.discover", broken)
    done = iacfix("apply")
    assert done.exit_code == 2
    assert one_line(done.stderr).startswith(
        "iacfix: broke, which is a defect; please report it: RuntimeError in broken:"
    )


def test_wrong_usage_is_exit_2() -> None:
    for arguments in (["check", "--format", "xml"], ["check", "--jobs", "0"], ["nonsense"], []):
        done = iacfix(*arguments)
        assert done.exit_code == 2
        assert "Usage: iacfix" in done.output
        assert isinstance(done.exception, SystemExit | click.exceptions.Exit)
