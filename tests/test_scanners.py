"""What the rules say of scanners holds: each check that they name fails on a fixture's `before` and no more on `after`.

checkov pins much, and is run as a program: the one that `IACFIX_CHECKOV` names, or that is found on PATH (extra
`scanners`). cdk-nag comes with the extra `test`. The other scanners are no Python packages, and are not run.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_synth import modules, node, templates

from fixer.model import Rule
from fixer.rules import load

FIXTURES = Path(__file__).parent / "fixtures"
CHECKOV = os.environ.get("IACFIX_CHECKOV") or shutil.which("checkov")
NAG = re.compile(r"(AwsSolutions|HIPAA\.Security|NIST\.800\.53\.R5|PCI\.DSS\.321)-")
REPORTED = {
    "AwsSolutions-S2",
    "HIPAA.Security-S3BucketLevelPublicAccessProhibited",
    "NIST.800.53.R5-S3BucketLevelPublicAccessProhibited",
    "PCI.DSS.321-S3BucketLevelPublicAccessProhibited",
}
"""Checks that no fix makes pass: cdk-nag lets a bucket without the setting pass, and a weaker one is manual."""
GONE = {"AwsSolutions-COG3"}
"""Checks that cdk-nag has no more; what was acknowledged for them still counts."""
Failures = dict[str, set[str]]
"""By check: the things that it fails for, as `path resource`."""

__all__ = ["node"]
pytestmark = pytest.mark.slow


def named(rule: Rule, pattern: str) -> set[str]:
    """The checks that a rule names, of one scanner."""
    return {check for check in rule.scanners if re.match(pattern, check)}


def is_version_1(directory: Path) -> bool:
    return any(re.search(rb"import (.*, )?core\n", path.read_bytes()) for path in directory.rglob("*.py"))


def cases(rule: Rule, language: str) -> list[Path]:
    return sorted(path.parent for path in (FIXTURES / rule.name / language).glob("*/after"))


# ---- checkov -----------------------------------------------------------------------------------

WITH_CHECKOV = [rule for rule in load() if named(rule, "CKV")]


@pytest.fixture(scope="session")
def checkov(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Failures]:
    """What checkov fails in the Terraform fixtures and the CDK fixtures' templates, `before` and `after`."""
    if CHECKOV is None:
        pytest.skip("checkov is not installed: neither is IACFIX_CHECKOV set nor is it on PATH")
    root = tmp_path_factory.mktemp("checkov")
    for rule in WITH_CHECKOV:
        for case in cases(rule, "terraform"):
            for state in ("before", "after"):
                shutil.copytree(case / state, root / state / rule.name / case.name)
        for case in cases(rule, "cdk"):
            for state in ("before", "after"):
                synthesised(case / state, root / state / rule.name / case.name)
    checks = ",".join(sorted(check for rule in WITH_CHECKOV for check in named(rule, "CKV")))
    quiet = ["--framework", "terraform", "cloudformation", "--compact", "--quiet", "--skip-download", "--soft-fail"]
    done = subprocess.run(
        [CHECKOV, "-d", str(root), "-o", "json", "--check", checks, *quiet],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found: dict[str, Failures] = {"before": defaultdict(set), "after": defaultdict(set)}
    reports = json.loads(done.stdout)  # a list of the frameworks that found something, or the only one
    for report in reports if isinstance(reports, list) else [reports]:
        for one in report["results"]["failed_checks"]:
            _, state, path = one["file_path"].split("/", 2)
            found[state][one["check_id"]].add(f"{path} {one['resource']}")
    return found


def synthesised(directory: Path, target: Path) -> None:
    """Write the templates of a CDK fixture; none for version 1 of the CDK."""
    for name, template in ({} if is_version_1(directory) else templates(directory)).items():
        path = target / f"{re.sub(r'[^A-Za-z0-9]', '-', name)}.json"
        if not isinstance(template, str):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(template, indent=1))


@pytest.mark.parametrize("rule", WITH_CHECKOV, ids=lambda rule: rule.name)
def test_checkov(rule: Rule, checkov: dict[str, Failures]) -> None:
    unproven = {
        check
        for check in named(rule, "CKV")
        if not any(thing.startswith(f"{rule.name}/") for thing in checkov["before"][check] - checkov["after"][check])
    }
    assert unproven == set()


@pytest.mark.parametrize("rule", WITH_CHECKOV, ids=lambda rule: rule.name)
def test_a_fix_makes_nothing_fail(rule: Rule, checkov: dict[str, Failures]) -> None:
    worse = {check: checkov["after"][check] - checkov["before"][check] for check in named(rule, "CKV")}
    assert {check: things for check, things in worse.items() if things} == {}


# ---- cdk-nag -----------------------------------------------------------------------------------

WITH_NAG = [rule for rule in load() if named(rule, NAG.pattern)]


def nag(directory: Path) -> Failures:
    """What cdk-nag fails in the stacks of a fixture."""
    import aws_cdk as cdk
    import cdk_nag

    found: Failures = defaultdict(set)
    for module in modules(directory):
        for title, kind in inspect.getmembers(module, inspect.isclass):
            if not issubclass(kind, cdk.Stack) or kind.__module__ != module.__name__:
                continue
            try:
                app = cdk.App()
                stack = kind(app, title)
            except (TypeError, RuntimeError):
                continue  # not a stack that can be made without arguments, or an invented keyword
            for pack in packs(cdk_nag):
                cdk.Aspects.of(app).add(pack(reports=False))
            for message in app.synth().get_stack_by_name(stack.stack_name).messages:
                check, _, _ = str(message.entry.data).partition(":")
                found[check.split("[")[0]].add(f"{module.__name__} {message.id}")
    return found


def packs(package: Any) -> Iterator[Any]:
    for name in ("AwsSolutionsChecks", "HIPAASecurityChecks", "NIST80053R5Checks", "PCIDSS321Checks"):
        yield getattr(package, name)


@pytest.mark.parametrize("rule", WITH_NAG, ids=lambda rule: rule.name)
def test_cdk_nag(rule: Rule) -> None:
    unproven = named(rule, NAG.pattern) - REPORTED - GONE
    for case in cases(rule, "cdk"):
        if unproven and not is_version_1(case / "before"):
            before, after = nag(case / "before"), nag(case / "after")
            unproven -= {check for check in unproven if before[check] - after[check]}
    assert unproven == set()


@pytest.mark.parametrize("rule", WITH_NAG, ids=lambda rule: rule.name)
def test_cdk_nag_on_what_is_left_to_people(rule: Rule) -> None:
    unproven = named(rule, NAG.pattern) & REPORTED
    for findings in (FIXTURES / rule.name / "cdk").glob("*/findings.txt"):
        if unproven and " manual " in findings.read_text() and not is_version_1(findings.parent / "before"):
            unproven -= nag(findings.parent / "before").keys()
    assert unproven == set()
