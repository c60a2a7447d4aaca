"""Runs restricted to what scanners reported. `data/reports/README.md` says what wrote the reports that are read here.

trivy and KICS are not on PyPI: their two reports were written by hand, after their documentation.
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from fixer import engine
from fixer.cli import main
from fixer.facts import TerraformFacts
from fixer.model import Absent, Edit, Finding, Fix, Impact, Language, Move, Rule
from fixer.project import Unit
from fixer.report.json import schema
from fixer.scanners import Report, read
from fixer.scanners.places import locate
from fixer.scanners.reported import Reported, address, construct_id
from fixer.terraform import Module

DATA = Path(__file__).parent / "data" / "reports"
CHECKOV = DATA / "checkov.sarif"
API, WORKER = ("infra/main.tf", 1, "log-group-retention"), ("infra/main.tf", 5, "log-group-retention")
ORDERS = ("infra/main.tf", 9, "dynamodb-point-in-time-recovery")
RECEIPTS = ("infra/main.tf", 20, "s3-block-public-access")
ARCHIVE = [("infra/archive/main.tf", 1, "log-group-retention"), ("infra/archive/main.tf", 6, "s3-block-public-access")]
STOCK = ("cdk/app.py", 13, "dynamodb-point-in-time-recovery")
EXPORTS = ("cdk/app.py", 18, "s3-block-public-access")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project that the reports are about, and the working directory; three rules run, however many there are."""
    root = tmp_path / "project"
    shutil.copytree(DATA / "shop", root)
    rules = ["dynamodb-point-in-time-recovery", "log-group-retention", "s3-block-public-access"]
    (root / "iacfix.toml").write_text(f"select = {rules}\n")
    monkeypatch.setenv("IACFIX_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(root)
    return root


def iacfix(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def report(*arguments: str | Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(iacfix(*arguments, "--format", "json").stdout)
    jsonschema.validate(loaded, schema())
    return loaded


def places(told: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [(one["path"], one["line"], one["rule"]) for one in told["findings"]]


def sarif(path: Path, **changes: Any) -> Path:
    """A SARIF log with one finding, of the log group `worker`, which is on the lines 5 to 7."""
    location = {"artifactLocation": {"uri": "infra/main.tf"}, "region": {"startLine": 6, "endLine": 6}}
    result = {"ruleId": "CKV_AWS_66", "locations": [{"physicalLocation": {**location}}], **changes}
    path.write_text(json.dumps({"version": "2.1.0", "runs": [{"results": [result]}]}))
    return path


# ---- each form of a report ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "found", "matched", "total"),
    [
        ("checkov.json", [ORDERS], 1, 4),
        ("checkov.sarif", [*ARCHIVE, API, WORKER, RECEIPTS], 7, 7),
        ("semgrep.sarif", [ORDERS], 1, 1),
        ("trivy.json", [ARCHIVE[1], ORDERS], 2, 2),
        ("kics.json", [WORKER], 1, 2),
        ("AwsSolutions--Shop-NagReport.csv", [STOCK, EXPORTS], 2, 6),
        ("AwsSolutions--Shop-NagReport.json", [STOCK, EXPORTS], 2, 6),
        ("policy-validation-report.json", [STOCK], 1, 1),
    ],
)
def test_only_what_the_scanner_found_is_found(name: str, found: list[Any], matched: int, total: int) -> None:
    told = report("check", "--from", DATA / name)
    assert places(told) == found
    assert told["from"]["reports"] == [str(DATA / name)]
    assert (told["from"]["matched"], told["from"]["findings"]) == (matched, total)
    assert sum(one["count"] for one in told["from"]["unmatched"]) == total - matched


def test_without_reports_all_is_found_and_nothing_is_said_of_reports() -> None:
    told = report("check")
    assert "from" not in told
    reported = {*ARCHIVE, API, WORKER, ORDERS, RECEIPTS, STOCK, EXPORTS}
    assert {line for path, line, _ in set(places(told)) - reported if path == "cdk/app.py"} == {12, 14, 20}
    assert len(told["findings"]) == len(reported) + 3


def test_several_reports_count_together() -> None:
    told = report("check", "--from", DATA / "kics.json", "--from", DATA / "policy-validation-report.json")
    assert places(told) == [STOCK, WORKER]
    assert (told["from"]["matched"], told["from"]["findings"]) == (2, 3)


def test_checkov_writes_a_list_for_several_frameworks_and_counts_for_none(tmp_path: Path) -> None:
    alone = json.loads((DATA / "checkov.json").read_text())
    (tmp_path / "list.json").write_text(json.dumps([alone, {**alone, "results": {"failed_checks": []}}]))
    assert places(report("check", "--from", tmp_path / "list.json")) == [ORDERS]
    (tmp_path / "none.json").write_text('{"passed": 0, "failed": 0, "skipped": 0, "checkov_version": "3.3.30"}')
    assert report("check", "--from", tmp_path / "none.json")["from"]["findings"] == 0


def test_a_report_that_powershell_redirected_is_read(tmp_path: Path) -> None:
    (tmp_path / "report").write_text((DATA / "kics.json").read_text(), encoding="utf-16")
    assert len(read(tmp_path / "report").findings) == 2


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"kind": "pass"}, 0),
        ({"baselineState": "absent"}, 0),
        ({"suppressions": [{"kind": "inSource"}]}, 0),
        ({"suppressions": [{"kind": "external", "status": "rejected"}]}, 1),
        ({"ruleId": "rules.aws.ckv_aws_66"}, 1),
        ({"locations": []}, 1),
    ],
)
def test_what_of_sarif_is_a_finding(changes: dict[str, Any], counts: int, tmp_path: Path) -> None:
    assert report("check", "--from", sarif(tmp_path / "log", **changes))["from"]["findings"] == counts


@pytest.mark.parametrize(
    ("named", "lines", "found"),
    [
        ("module.shop.aws_cloudwatch_log_group.worker[0]", {}, [WORKER]),
        ("aws_cloudwatch_log_group.worker", {"startLine": 25}, [WORKER]),
        ("aws_cloudwatch_log_group.workers", {}, []),
        ("aws_cloudwatch_log_group.was", {"startLine": 7, "endLine": 30}, [WORKER]),
        ("", {"startLine": 2, "endLine": 5}, [API, WORKER]),
        ("", {"startLine": 4}, []),
        ("", {}, [API, WORKER]),
    ],
)
def test_a_place_is_an_address_or_lines_or_a_whole_file(
    named: str, lines: dict[str, int], found: list[Any], tmp_path: Path
) -> None:
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": "infra/main.tf"}, "region": lines}}
    if named:
        location["logicalLocations"] = [{"fullyQualifiedName": named}]
    assert places(report("check", "--from", sarif(tmp_path / "log", locations=[location]))) == found


def test_sarif_tells_rules_and_files_by_their_index(tmp_path: Path) -> None:
    run = {
        "tool": {"driver": {"rules": [{"id": "OTHER"}, {"id": "CKV_AWS_66"}]}},
        "originalUriBaseIds": {"ROOT": {"uri": "file:///ci/my%20shop/"}},
        "artifacts": [{}, {"location": {"uri": "infra/main%2Etf", "uriBaseId": "ROOT"}}],
        "results": [
            {
                "ruleIndex": 1,
                "locations": [{"physicalLocation": {"artifactLocation": {"index": 1}, "region": {"startLine": 2}}}],
            }
        ],
    }
    path = tmp_path / "log"
    path.write_text(json.dumps({"runs": [run]}))
    assert read(path) == Report(str(path), (Reported("CKV_AWS_66", "/ci/my shop/infra/main.tf", (2, 2)),))


# ---- what is fixed -----------------------------------------------------------------------------


def test_only_what_the_scanner_found_is_fixed(project: Path) -> None:
    before = (project / "infra/main.tf").read_text()
    iacfix("apply", "--from", DATA / "kics.json")
    expected = before.replace('"/shop/worker"\n', '"/shop/worker"\n\n  retention_in_days = 30\n')
    assert (project / "infra/main.tf").read_text() == expected
    for other in ("infra/archive/main.tf", "cdk/app.py"):
        assert (project / other).read_bytes() == (DATA / "shop" / other).read_bytes()


PROGRAM = """\
import json, os, pathlib
kept = pathlib.Path("app.py").read_text().count("point_in_time_recovery_specification")
table = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "stock", "Kept": kept}}
out = pathlib.Path(os.environ["CDK_OUTDIR"])
out.mkdir()
(out / "Shop.template.json").write_text(json.dumps({"Resources": {"Stock": table}}))
"""
"""Stands in for the app, as the CDK takes its seconds: its template tells of the sources."""


@pytest.mark.parametrize(
    ("program", "status", "cells"),
    [
        (PROGRAM, "fixed", "0 | 1 | 0 | 0 | proven"),
        (PROGRAM.replace('"stock"', "str(kept)"), "failed", "0 | 0 | 1 (Shop.Stock) | 0 | refuted"),
    ],
)
def test_what_is_fixed_is_proven_on_request(project: Path, program: str, status: str, cells: str) -> None:
    (project / "cdk/cdk.json").write_text(json.dumps({"app": f"'{sys.executable}' make.py"}))
    (project / "cdk/make.py").write_text(program)
    before = (project / "cdk/app.py").read_text()
    arguments = ("apply", "--prove", "synth", "--from", DATA / "AwsSolutions--Shop-NagReport.csv")
    shown = iacfix(*arguments, "--dry-run", "--format", "markdown")
    assert f"| cdk | synth | ok | ok | {cells}" in shown.stdout
    assert "2 of 6 findings in " in shown.stderr
    told = report(*arguments)
    assert sorted((one["path"], one["rule"], one["status"]) for one in told["findings"]) == [
        (STOCK[0], STOCK[2], status),
        (EXPORTS[0], EXPORTS[2], "manual"),
    ]
    assert [(one["path"], one["verdict"]) for one in told["proofs"]] == [("cdk", cells.rpartition(" ")[2])]
    assert told["from"]["matched"] == 2
    after = (project / "cdk/app.py").read_text()
    assert (after == before) == (status == "failed")
    assert 's3.Bucket(self, "Receipts")' in after
    assert after.count("point_in_time_recovery_specification") == (status == "fixed")


def test_a_dry_run_shows_the_same() -> None:
    run = iacfix("apply", "--dry-run", "--from", DATA / "kics.json")
    assert [line for line in run.stdout.splitlines() if line[0] in "+-"] == [
        "--- a/infra/main.tf",
        "+++ b/infra/main.tf",
        "+",
        "+  retention_in_days = 30",
    ]
    assert "1 of 2 findings in" in run.stderr


def test_after_the_fixes_the_same_report_asks_for_nothing() -> None:
    iacfix("apply", "--from", CHECKOV)
    run = iacfix("check", "--from", CHECKOV)
    assert run.exit_code == 0
    assert "7 not, no such finding at its place (fixed already, or judged in order): " in run.stderr
    assert report("check", "--from", CHECKOV)["from"]["matched"] == 0


def test_a_restricted_run_neither_fills_nor_reads_the_cache() -> None:
    one_rule = ("check", "--select", "log-group-retention")
    assert places(report(*one_rule, "--from", DATA / "kics.json")) == [WORKER]
    assert len(places(report(*one_rule))) == 4
    assert places(report(*one_rule, "--from", DATA / "kics.json")) == [WORKER]
    assert len(places(report(*one_rule))) == 4


def test_the_workers_have_their_part_of_the_reports(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixer.run.PARALLEL_BYTES", 0)
    assert places(report("check", "--jobs", "2", "--from", CHECKOV)) == [*ARCHIVE, API, WORKER, RECEIPTS]


# ---- what is not matched -----------------------------------------------------------------------


def unmatched(*arguments: str | Path) -> dict[str, str]:
    return {one["rule"]: one["reason"] for one in report("check", *arguments)["from"]["unmatched"]}


def test_each_finding_that_is_not_matched_has_a_reason(tmp_path: Path) -> None:
    assert unmatched("--from", DATA / "kics.json") == {
        "fd54f200-402c-4333-a5a4-36ef6709af2f": "no rule of iacfix for it"
    }
    (tmp_path / "log").write_text(CHECKOV.read_text().replace("infra/main.tf", "gone/main.tf"))
    assert "its file is not in the project" in unmatched("--from", tmp_path / "log").values()
    assert unmatched("--from", CHECKOV, "--ignore", "log-*") == {"CKV_AWS_66": "not selected: log-group-retention"}
    assert "its file is not among the paths asked for" in unmatched("--from", CHECKOV, "infra/archive", "cdk").values()
    elsewhere = [{"physicalLocation": {"artifactLocation": {"uri": "infra/main.tf"}, "region": {"startLine": 25}}}]
    log = sarif(tmp_path / "log", locations=elsewhere)
    assert unmatched("--from", log)["CKV_AWS_66"].startswith("no such finding at its place")


def test_a_file_that_can_not_be_parsed_is_not_called_in_order(project: Path) -> None:
    (project / "infra/main.tf").write_text("resource {")
    assert "iacfix has an error with its file" in unmatched("--from", CHECKOV).values()


def test_a_file_that_may_be_several_is_none(tmp_path: Path, project: Path) -> None:
    shutil.copytree(project / "infra", project / "other")
    location = {"artifactLocation": {"uri": "archive/main.tf"}, "region": {"startLine": 1}}
    log = sarif(tmp_path / "log", locations=[{"physicalLocation": location}])
    assert unmatched("--from", log) == {"CKV_AWS_66": "several files of the project could be its file"}


def test_standard_error_and_markdown_say_so_too() -> None:
    run = iacfix("check", "--from", DATA / "kics.json", "--format", "markdown")
    assert run.stderr.splitlines() == [
        f"1 of 2 findings in {DATA / 'kics.json'} matched.",
        "1 not, no rule of iacfix for it: fd54f200-402c-4333-a5a4-36ef6709af2f (1).",
    ]
    assert "| `fd54f200-402c-4333-a5a4-36ef6709af2f` | 1 | no rule of iacfix for it |" in run.stdout
    assert iacfix("check", "--quiet", "--from", CHECKOV).output == ""


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_no_report_commands_the_terminal(form: str, tmp_path: Path) -> None:
    run = iacfix("check", "--from", sarif(tmp_path / "log", ruleId="\x1b[31m\nCKV_\u202e|"), "--format", form)
    assert "CKV_" in run.stderr
    assert not set(run.output) & {"\x1b", "\u202e"}


# ---- reports that are none ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no report that iacfix knows"),
        (b"{}", "is no report that iacfix knows"),
        (b"[1]", "is no report that iacfix knows"),
        (b"[" * 100_000, "is no report that iacfix knows"),
        (b"a,b\n1,2\n", "is no report that iacfix knows"),
        (b"\xff\xfe\x00", "is no text in UTF-8"),
        (b"\x80", "is no text in UTF-8"),
        (b'{"runs": [1]}', "an item of 'runs' is no object"),
        (b'{"runs": [{"results": {}}]}', "'results' is no list"),
        (b'{"runs": [{"results": [{"ruleId": 1}]}]}', "'ruleId' is no string"),
        (b'{"runs": [{"results": [{"ruleId": "a", "locations": [{"physicalLocation": []}]}]}]}', "is no object"),
        (
            b'{"runs": [{"results": [{"locations": [{"physicalLocation": {"artifactLocation": {"uri": "//["}}}]}]}]}',
            "'uri' is no URI",
        ),
        (b'{"check_type": "a", "results": {"failed_checks": [{"file_line_range": ["a"]}]}}', "is no pair of lines"),
        (b'{"queries": [{"files": [{"line": "1"}]}]}', "'line' is no integer"),
        (b'{"Results": [{"Misconfigurations": [{"CauseMetadata": 1}]}]}', "'CauseMetadata' is no object"),
        (b'Rule ID,Resource ID,Compliance\n"' + b"a" * 200_000, "field larger than field limit"),
    ],
)
def test_what_is_no_report_is_refused_in_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    assert csv.field_size_limit() < 200_000
    path = tmp_path / "report"
    path.write_bytes(content)
    run = iacfix("check", "--from", path)
    assert run.exit_code == 2
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1
    assert run.stderr.startswith(f"iacfix: {path}: ")
    assert message in run.stderr


def test_a_report_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none", "No such file or directory"), (tmp_path, "Is a directory")):
        run = iacfix("apply", "--from", path)
        assert (run.exit_code, run.stderr) == (2, f"iacfix: {path}: can't be read: {why}\n")


# ---- places ------------------------------------------------------------------------------------

FILES = ("main.tf", "a/main.tf", "a/s3.tf", "b/main.tf", "b/deep/x.tf")


@pytest.mark.parametrize(
    ("reported", "meant"),
    [
        ({"main.tf": ["main.tf"]}, "the root's own comes first"),
        ({"main.tf": ["main.tf"], "./a/s3.tf": ["a/s3.tf"]}, "relative to the root"),
        ({"/home/me/shop/main.tf": ["main.tf"], "/home/me/shop/a/main.tf": ["a/main.tf"]}, "absolute, and here"),
        ({"/home/me/shop/c/main.tf": []}, "absolute, and not here"),
        ({"/ci/work/a/s3.tf": ["a/s3.tf"], "/ci/work/main.tf": ["main.tf"]}, "absolute, and on another machine"),
        ({"../../path/a/s3.tf": ["a/s3.tf"], "../../path/b/main.tf": ["b/main.tf"]}, "above the working directory"),
        ({"shop/main.tf": ["main.tf"], "shop/a/s3.tf": ["a/s3.tf"], "c/main.tf": []}, "relative to one further up"),
        ({"main.tf": ["a/main.tf"], "s3.tf": ["a/s3.tf"]}, "relative to one further down, as the other file tells"),
        ({"deep/x.tf": ["b/deep/x.tf"], "s3.tf": ["a/s3.tf"]}, "of two scans"),
        ({"C:\\ci\\a\\s3.tf": ["a/s3.tf"]}, "of Windows"),
        ({"none.tf": [], "a": [], "/": []}, "none at all"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_the_file_that_a_path_means(reported: dict[str, list[str]], meant: str) -> None:
    found = locate(reported, FILES, Path("/home/me/shop"))
    assert {path: list(files) for path, files in found.items()} == reported, meant


def test_two_directories_that_explain_a_path_as_well_are_told() -> None:
    assert set(locate(["x.tf"], ("a/x.tf", "b/x.tf"), Path("/p"))["x.tf"]) == {"a/x.tf", "b/x.tf"}


def test_addresses_and_constructs() -> None:
    assert address('module.a["x.y"].module.b[0].aws_s3_bucket.this["k"]') == "aws_s3_bucket.this"
    assert address("aws_s3_bucket.data") == "aws_s3_bucket.data"
    assert construct_id("Shop/Data/Resource") == "Data"
    assert construct_id("Shop/Data/Resource/Default") == "Data"
    assert construct_id("Shop/Data/Policy/Resource") == "Policy"
    assert construct_id("Resource") == "Resource"


@pytest.mark.parametrize(
    "spelling",
    ["CKV_AWS_66", "ckv_aws_66", "rules.aws.CKV_AWS_66", "plugin::CKV_AWS_66", "CKV_AWS_66[Resource::*]"],
)
def test_a_check_is_known_in_each_spelling(spelling: str, tmp_path: Path) -> None:
    assert places(report("check", "--from", sarif(tmp_path / "log", ruleId=spelling))) == [WORKER]


@pytest.mark.parametrize("spelling", ["CKV_AWS_6", "CKV_AWS_667", "", "AWS_66", "::", "[x]"])
def test_another_check_is_not(spelling: str, tmp_path: Path) -> None:
    assert places(report("check", "--from", sarif(tmp_path / "log", ruleId=spelling))) == []


# ---- the engine --------------------------------------------------------------------------------


def sets(*arguments: str) -> Rule:
    """A rule that gives each queue the arguments, in that order, one in each pass."""
    rule = Rule("made.tests.sets", impact=Impact.BEHAVIOR, keywords=("aws_sqs_queue",))

    def check(module: Module, options: object) -> Iterator[Finding]:
        for queue in module.resources("aws_sqs_queue"):
            for one in arguments:
                if queue.value(one) is Absent:
                    yield queue.finding(rule, f"lacks {one}", fix=Fix(queue.set(one, "1"), Impact.BEHAVIOR))
                    break

    rule.check_terraform = check
    return rule


def repair(sources: dict[str, bytes], rule: Rule, answers: engine.Answers) -> engine.UnitResult:
    unit = Unit(Language.TERRAFORM, ".", tuple(sources), TerraformFacts("."))
    return engine.repair(unit, sources, [(rule, None)], Impact.BEHAVIOR, prove=lambda *_: None, answers=answers)


def at(path: str, line: int) -> Callable[..., frozenset[int]]:
    """Answers the finding of a scanner that is on that line of the file."""

    def answers(finding: Finding, where: str, lines: tuple[int, int]) -> frozenset[int]:
        return frozenset([7]) if where == path and lines[0] <= line <= lines[1] else frozenset()

    return answers


def test_places_are_those_before_any_fix() -> None:
    """The first queue's fixes move the second one onto lines that the report has nothing of."""
    queue = 'resource "aws_sqs_queue" "{}" {{\n}}\n'
    source = "".join(queue.format(name) for name in "abc").encode()
    rule = sets("delay_seconds", "max_message_size", "message_retention_seconds")
    result = repair({"main.tf": source}, rule, lambda finding, path, lines: [lines[0]] if lines[0] < 5 else [])
    assert result.files[0].after
    assert [block.count(b" = 1\n") for block in result.files[0].after.split(b"resource")] == [0, 3, 3, 0]
    assert result.answered == {("main.tf", 1), ("main.tf", 3)}
    second = repair({"main.tf": source}, rule, at("main.tf", 4))
    assert second.files[0].after
    assert [block.count(b" = 1\n") for block in second.files[0].after.split(b"resource")] == [0, 0, 3, 0]


def test_places_are_those_before_a_file_was_moved() -> None:
    rule = sets("delay_seconds", "max_message_size")
    plain = rule.check_terraform
    assert plain

    def check(module: Module, options: object) -> Iterator[Finding]:
        for finding in plain(module, options):
            assert finding.fix
            if finding.path == "old.tf":
                edits = tuple(one for one in finding.fix.changes if isinstance(one, Edit))
                moved = Fix((*edits, Move("old.tf", "new.tf")), Impact.BEHAVIOR)
                yield Finding(rule.name, Language.TERRAFORM, "old.tf", finding.start, finding.end, "is old", moved)
            else:
                yield finding

    rule.check_terraform = check
    source = b'resource "aws_sqs_queue" "a" {\n}\n'
    result = repair({"main.tf": source.replace(b'"a"', b'"m"'), "old.tf": source}, rule, at("old.tf", 2))
    assert [one.path for one in result.files] == ["new.tf"]
    assert result.files[0].after is not None
    assert result.files[0].after.count(b" = 1\n") == 2
    assert result.answered == {("old.tf", 7)}
