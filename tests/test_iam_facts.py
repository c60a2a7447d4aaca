"""The facts on IAM hold what AWS has, are read in parts, and know all that the rules' fixtures name."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import get_args

import pytest

import fixer.rules
from codemods.facts import _archive, iam
from codemods.facts.iam import (
    action,
    actions,
    managed_policies,
    matching,
    nearest_action,
    nearest_managed_policy,
    resource_types,
    services,
)

ROOT = Path(__file__).parents[1]
FACTS = ROOT / "codemods/facts"
FIXTURES = ROOT / "tests/fixtures"


# ---- actions -----------------------------------------------------------------------------------


def test_actions_of_a_service() -> None:
    get = actions("s3")["GetObject"]
    assert (get.name, get.level) == ("s3:GetObject", "Read")
    assert "object" in get.resources
    assert "bucket" not in get.resources
    assert "s3:ExistingObjectTag/<key>" in get.condition_keys
    run = actions("ec2")["RunInstances"].resources
    assert (run["image"], run["key-pair"]) == (True, False)
    assert actions("sqs")["SendMessage"].resources == {"queue": True}
    assert actions("dynamodb")["ListTables"].resources == {}
    assert actions("dynamodb")["ListTables"].level == "List"
    assert actions("iam")["PassRole"].resources == {"role": True}
    assert actions("iam")["PassRole"].condition_keys == ("iam:AssociatedResourceArn", "iam:PassedToService")
    assert actions("iam")["PutRolePolicy"].level == "Permissions management"
    assert actions("ec2")["CreateTags"].level == "Tagging"
    assert actions("kms")["Decrypt"].resources == {"key": True}
    assert actions("lambda")["InvokeFunction"].level == "Write"


@pytest.mark.parametrize("service", ["", "s33", "S3", "_services", "../s3", "é"])
def test_service_that_is_not_known(service: str) -> None:
    assert actions(service) == {}
    assert resource_types(service) == {}


def test_action_in_any_case() -> None:
    found = action("S3:getobject")
    assert found is actions("s3")["GetObject"]
    for wrong in ("s3:GetObjects", "s3", "s3:", ":", "", "GetObject", "s3:Get*", "s3:GetObject:x", "nope:GetObject"):
        assert action(wrong) is None, wrong


def test_patterns() -> None:
    names = {one.name for one in matching("s3:Get*")}
    assert {"s3:GetObject", "s3:GetBucketPolicy"} <= names
    assert "s3:PutObject" not in names
    assert {one.name for one in matching("sqs:*Mess?ge")} == {
        "sqs:DeleteMessage",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    }
    assert {one.name for one in matching("SQS:sendMESSAGE")} == {"sqs:SendMessage"}
    assert len(matching("sqs:*")) == len(actions("sqs"))
    assert matching("sqs:[S]endMessage") == ()
    assert matching("*") == ()


def test_arns_of_resources() -> None:
    assert resource_types("s3")["object"].arn == "arn:${Partition}:s3:::${BucketName}/${ObjectName}"
    assert resource_types("s3")["bucket"].arn == "arn:${Partition}:s3:::${BucketName}"
    table = resource_types("dynamodb")["table"]
    assert table.arn == "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}"
    assert "aws:ResourceTag/${TagKey}" in table.condition_keys
    assert "code signing config" in resource_types("lambda")


def test_nearest_actions() -> None:
    assert nearest_action("s3:GetObjects") == "s3:GetObject"
    assert nearest_action("s3:listBuckets") == "s3:ListBucket"
    assert nearest_action("elasticloadbalancingv2:DescribeListener") == "elasticloadbalancing:DescribeListeners"
    assert nearest_action("s3:Frobnicate") is None
    assert nearest_action("frobnicate:GetObject") is None
    assert nearest_action("") is None


def test_every_service_is_consistent() -> None:
    """Each level is one of AWS's, each type of resource has an ARN, and no condition key is nobody's."""
    assert services()["s3"] == "Amazon S3"
    assert len(services()) > 400
    wrong = []
    for service in services():
        found, types = actions(service), resource_types(service)
        assert found, service
        wrong += [one.name for one in found.values() if one.level not in get_args(iam.Level)]
        wrong += [one.name for one in found.values() if not one.resources.keys() <= types.keys()]
        wrong += [one.name for one in found.values() if action(one.name.upper()) is not one]
        wrong += [
            one.arn for one in types.values() if not re.match(r"arn:\$\{Partition\}:[^:]+:[^:]*:[^:]*:.", one.arn)
        ]
        keys = {key for one in (*found.values(), *types.values()) for key in one.condition_keys}
        wrong += [key for key in keys if ":" not in key]
    assert wrong == []
    assert sum(len(actions(service)) for service in services()) > 20_000


# ---- managed policies --------------------------------------------------------------------------


def test_managed_policies() -> None:
    basic = managed_policies()["AWSLambdaBasicExecutionRole"]
    assert (basic.path, basic.full_name) == ("service-role/", "service-role/AWSLambdaBasicExecutionRole")
    assert basic.deprecated == ""
    assert managed_policies()["ReadOnlyAccess"].full_name == "ReadOnlyAccess"
    assert managed_policies()["ViewOnlyAccess"].path == "job-function/"
    assert "AmazonSSMManagedInstanceCore" in managed_policies()["AmazonEC2RoleforSSM"].deprecated
    assert "AWSLambdaFullAccess" not in managed_policies(), "AWS has withdrawn it"
    assert {one.path for one in managed_policies().values()} == {
        "",
        "aws-service-role/",
        "job-function/",
        "root-task/",
        "service-role/",
    }


def test_few_policies_are_deprecated() -> None:
    """A description that speaks of deprecating something else does not make one."""
    assert managed_policies()["EC2ImageBuilderLifecycleExecutionPolicy"].deprecated == ""
    assert 0 < sum(bool(one.deprecated) for one in managed_policies().values()) < 20


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("AWSLambdaBasicExecutionrole", "service-role/AWSLambdaBasicExecutionRole"),
        ("AmazonS3FullAcess", "AmazonS3FullAccess"),
        ("AWSLambdaFullAccess", "AWSLambda_FullAccess"),
        ("OrdersPolicy", None),
        ("", None),
    ],
)
def test_nearest_policies(wrong: str, right: str | None) -> None:
    found = nearest_managed_policy(wrong)
    assert (found.full_name if found else None) == right


# ---- the files ---------------------------------------------------------------------------------


def test_importing_reads_nothing_and_asking_one_part() -> None:
    code = """
from codemods.facts import _archive, iam
print(_archive.document.cache_info().currsize, iam.managed_policies.cache_info().currsize)
iam.actions("s3"), iam.actions("sqs"), iam.action("sns:publish")
print(_archive.document.cache_info().currsize, iam.managed_policies.cache_info().currsize)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0 0\n1 0\n"


@pytest.mark.parametrize("name", ["iam_actions.zip", "managed_policies.json"])
def test_files_are_small_and_say_what_made_them(name: str) -> None:
    path = FACTS / name
    made = (
        _archive.document(name, "_generated") if path.suffix == ".zip" else json.loads(path.read_bytes())["generated"]
    )
    assert made
    assert (ROOT / made["by"]).exists()
    assert re.match(r"[\w-]+ \d+\.\d+\.\d+", made["from"])
    assert re.match(r"(MIT|Apache-2\.0)\b", made["licence"])
    datetime.date.fromisoformat(made["date"])
    assert path.stat().st_size < 300_000


def test_all_facts_are_small() -> None:
    assert sum(path.stat().st_size for path in FACTS.iterdir() if path.suffix in (".zip", ".json")) < 2_000_000


# ---- what fixtures name ------------------------------------------------------------------------

_QUOTE = r"""[\\"']"""
_ACTION = re.compile(rf"(?<={_QUOTE})[a-z][a-z0-9-]*:[A-Z*][A-Za-z0-9*?]*(?={_QUOTE})")
_POLICY = re.compile(
    r":iam::aws:policy/([\w+=,.@/-]+)"
    rf"|from_aws_managed_policy_name\(\s*(?:managed_policy_name=)?{_QUOTE}([^\"'{{}}]+){_QUOTE}"
)


def unknown(text: str) -> Iterator[str]:
    """The names of actions and managed policies in a text that the facts do not have."""
    for name in _ACTION.findall(text):
        service = name.partition(":")[0]
        described = (*actions(service).values(), *resource_types(service).values())
        keys = {key.partition("/")[0] for one in described for key in one.condition_keys}
        if service != "aws" and name not in keys and not matching(name):
            yield name
    for name in (arn or named for arn, named in _POLICY.findall(text)):
        found = managed_policies().get(name.rpartition("/")[2])
        if found is None or found.full_name != name:
            yield name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('actions = ["s3:GetObject", "s3:Get*", "ec2:*"]', []),
        ("actions=['s3:GetObjects', 'sqs:Foo*', 'nope:*']", ["s3:GetObjects", "sqs:Foo*", "nope:*"]),
        (r'policy = "{\"Action\": \"s3:Frob\"}"', ["s3:Frob"]),
        ('"aws:SecureTransport" "iam:PassedToService" "arn:aws:s3:::x" "a: B"', []),
        ('"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"', []),
        ('"arn:${p}:iam::aws:policy/AWSLambdaBasicExecutionRole"', ["AWSLambdaBasicExecutionRole"]),
        ('iam.ManagedPolicy.from_aws_managed_policy_name(\n    "ReadOnlyAccess"\n)', []),
        ("from_aws_managed_policy_name(managed_policy_name='ReadAccess')", ["ReadAccess"]),
    ],
)
def test_what_counts_as_a_name(text: str, names: list[str]) -> None:
    assert list(unknown(text)) == names


def test_fixtures_name_what_there_is() -> None:
    """But for those of the rule that finds wrong names."""
    wrong = [
        f"{path.relative_to(FIXTURES)}: {name}"
        for path in sorted(FIXTURES.glob("*/*/*/*/**/*"))
        if path.is_file() and path.relative_to(FIXTURES).parts[0] != "iam-unknown-managed-policy"
        for name in unknown(path.read_text(errors="replace"))
    ]
    assert wrong == []


# ---- the search for rules ----------------------------------------------------------------------


def test_search_for_rules_imports_no_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of rules may hold facts and parts of rules that are slow to import."""
    files = {
        "__init__.py": "",
        "facts/__init__.py": "raise RuntimeError",
        "cost/__init__.py": "",
        "cost/_part/__init__.py": "raise RuntimeError",
        "cost/_parts.py": "raise RuntimeError",
        "cost/facts.py": "from fixer.model import Impact, Rule\nrule = Rule(__name__, impact=Impact.NONE)",
        "cost/deep/__init__.py": "",
        "cost/deep/own_rule.py": "from fixer.model import Impact, Rule\nrule = Rule(__name__, impact=Impact.NONE)",
    }
    for name, text in files.items():
        path = tmp_path / "rules_of_others" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("others", "rules_of_others", fixer.rules.GROUP)
    monkeypatch.setattr(fixer.rules, "entry_points", lambda group: [entry])
    assert [rule.name for rule in fixer.rules.load()] == ["facts", "own-rule"]


def test_rules_are_found_without_the_facts_they_do_not_read() -> None:
    code = "import sys; from fixer.rules import load; load(); print(*(set(sys.modules) & set(sys.argv[1:])))"
    facts = {f"codemods.facts.{path.stem}" for path in FACTS.glob("[a-z]*.py")}
    readers = [path for path in FACTS.parent.rglob("*.py") if path.parent != FACTS or path.stem == "__init__"]
    rules = "".join(path.read_text() for path in readers)
    done = subprocess.run([sys.executable, "-c", code, *facts], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {name for name in facts if name in rules}
