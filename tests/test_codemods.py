"""Every rule on its fixtures.

`tests/fixtures/<rule>/<cdk|terraform>/<case>/before` is what the rule gets and `after` what it must make of it; a case
without `after` must not change. `findings.txt` lists all findings: `path:line status impact message | reason`.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import black
import hcl2
import pytest

from fixer import config as configuration
from fixer import project as projects
from fixer.cache import Cache
from fixer.model import Impact, Language, Rule, Status
from fixer.result import Result
from fixer.rules import load, manual, summary
from fixer.run import run
from fixer.write import write

FIXTURES = Path(__file__).parent / "fixtures"
RULES = {rule.name: rule for rule in load()}
CASES = sorted(path.parent for path in FIXTURES.glob("*/*/*/before"))
TERRAFORM = shutil.which("terraform")


def case_id(case: Path) -> str:
    return "/".join(case.relative_to(FIXTURES).parts)


def content(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def run_rule(rule: Rule, directory: Path, command: str = "apply", impact: Impact = Impact.REPLACEMENT) -> Result:
    config = configuration.load(directory, directory, None)
    project = projects.discover(directory, [directory], exclude=())
    return run(project, [rule], config, command=command, impact=impact, jobs=1, cache=Cache(None))


def lines_of(result: Result) -> list[str]:
    return [
        f"{one.path}:{one.region.line} {one.status.value} {one.impact} {one.message}"
        + (f" | {one.reason}" if one.reason else "")
        for one in result.outcomes
    ]


@pytest.fixture(params=CASES, ids=case_id)
def case(request: pytest.FixtureRequest) -> Path:
    assert isinstance(request.param, Path)
    return request.param


def test_case(case: Path, tmp_path: Path) -> None:
    rule = RULES[case.parts[-3]]
    work = tmp_path / "case"
    shutil.copytree(case / "before", work)
    before = content(work)

    result = run_rule(rule, work)
    write(work, result.files)
    after = content(work)

    assert [str(error) for error in result.errors] == []
    expected = content(case / "after") if (case / "after").exists() else before
    assert {name: text.decode() for name, text in after.items()} == {
        name: text.decode() for name, text in expected.items()
    }
    expected_findings = case / "findings.txt"
    if expected_findings.exists():
        assert sorted(lines_of(result)) == sorted(expected_findings.read_text().splitlines())
    elif after == before:
        assert lines_of(result) == [], "a case that finds something without fixing it lists it in findings.txt"
    for name, text in after.items():
        if name.endswith(".py"):
            ast.parse(text)
        elif name.endswith(".tf") and text != before.get(name):
            hcl2.loads(text.decode("utf-8-sig"))
    again = run_rule(rule, work)
    assert again.files == ()
    assert [one for one in lines_of(again) if " fixed " in one] == []


def test_impact_is_respected(case: Path, tmp_path: Path) -> None:
    """With a smaller --impact, a fix of a greater one stays fixable."""
    rule = RULES[case.parts[-3]]
    work = tmp_path / "case"
    shutil.copytree(case / "before", work)
    result = run_rule(rule, work, impact=Impact.NONE)
    for outcome in result.outcomes:
        if outcome.status is Status.FIXED:
            assert outcome.impact is Impact.NONE
    if all(outcome.impact > Impact.NONE for outcome in result.outcomes):
        assert result.files == ()


def test_black_clean_stays_black_clean(case: Path) -> None:
    def clean(source: str) -> bool:
        return black.format_str(source, mode=black.Mode()) == source

    if not (case / "after").exists() or case.parts[-2] != "cdk":
        return
    before = content(case / "before")
    for name, text in content(case / "after").items():
        if name.endswith(".py") and name in before and clean(before[name].decode()):
            assert clean(text.decode()), name


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed: its fmt judges the Terraform fixtures")
def test_terraform_fixtures_are_formatted() -> None:
    directories = [case / "after" for case in CASES if case.parts[-2] == "terraform" and (case / "after").exists()]
    dirty = []
    for directory in directories:
        if "unformatted" in directory.parts[-2]:
            continue
        command = [TERRAFORM, "fmt", "-check", "-recursive", str(directory)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        dirty += [f"{directory.relative_to(FIXTURES)}: {line}" for line in done.stdout.splitlines()]
    assert dirty == []


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_rule_is_whole(rule: Rule) -> None:
    assert summary(rule)
    assert "## Why" in manual(rule)
    assert "## Not fixed" in manual(rule)
    for language in rule.languages:
        heading = "## CDK Python" if language is Language.CDK else "## Terraform"
        assert heading in manual(rule)
        cases = [case for case in CASES if case.parts[-3:-1] == (rule.name, language.value)]
        findings = {case: (case / "findings.txt") for case in cases}
        text = {case: path.read_text() if path.exists() else "" for case, path in findings.items()}
        assert any((case / "after").exists() for case in cases), "no case that is fixed"
        assert any(not (case / "after").exists() and not text[case] for case in cases), "no case that is in order"
        assert any(" manual " in text[case] for case in cases), "no manual case"
    assert replace(rule.options()) == rule.options()


def test_no_orphans() -> None:
    assert {path.name for path in FIXTURES.iterdir()} == set(RULES)
    for folder in FIXTURES.glob("*/*"):
        assert folder.name in {language.value for language in RULES[folder.parent.name].languages}, folder
    for folder in FIXTURES.glob("*/*/*"):
        assert {path.name for path in folder.iterdir()} <= {"before", "after", "findings.txt"}, folder
        assert (folder / "before").is_dir(), folder
