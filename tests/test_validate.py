"""What Terraform says of the fixtures: `validate` finds nothing new in `after`; without impact, the plan is the same.

The providers are those of `stand_in`, with the schema of the major version that a fixture pins.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from fixer.model import Impact
from fixer.rules import load

pytest.importorskip("tf", reason="the package tf, of the extra `test`, needs Python 3.11")

from stand_in.provider import serving
from stand_in.schema import empty, schema, type_of

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(path.parent for path in FIXTURES.glob("*/terraform/*/after"))
TERRAFORM = shutil.which("terraform")
PINNED = re.compile(r"(?<!required_)version\s*=\s*\"~> (\d)")
PLACE = re.compile(r"(at|on) \S+?\.tf(\.json)?(:\d+(,\d+-\d+)?| line \d+)|\baws_\w+\.\w+")
"""What differs between two diagnostics that say the same: where, and of which resource."""
RULES = {rule.name: rule for rule in load()}
SECONDS = 60

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed"),
]


def case_id(case: Path) -> str:
    return "/".join(case.relative_to(FIXTURES).parts)


def sources(directory: Path) -> list[Path]:
    return sorted(path for pattern in ("*.tf", "*.tf.json") for path in directory.rglob(pattern))


def major(directory: Path) -> int:
    """The provider's major version that a fixture is for: 6 if it does not say, and 4 for what is older."""
    pinned = [int(one) for path in sources(directory) for one in PINNED.findall(path.read_text())]
    return min(max(*pinned, 4), 6) if pinned else 6


@pytest.fixture(scope="session")
def providers() -> Iterator[Mapping[int, str]]:
    """The settings of TF_REATTACH_PROVIDERS by the AWS provider's major version."""
    words = {word for path in sources(FIXTURES) for word in re.findall(r"\baws_\w+", path.read_text())}
    schemas = {one: schema(one, sorted(words)) for one in (4, 5, 6)}
    with ExitStack() as stack:
        yield {one: stack.enter_context(serving(aws=schemas[one], random=empty())) for one in schemas}


class Terraform:
    """Terraform in a copy of a fixture."""

    def __init__(self, directory: Path, providers: str, variables: Mapping[str, str]) -> None:
        own = {key: value for key, value in os.environ.items() if not key.startswith(("TF_", "AWS_"))}
        settings = directory / "cli.tfrc"
        settings.write_text("disable_checkpoint = true\n")
        self.directory = directory
        self.environment = {**own, "TF_REATTACH_PROVIDERS": providers, "TF_CLI_CONFIG_FILE": str(settings)}
        self.environment |= {f"TF_VAR_{name}": value for name, value in variables.items()}

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(TERRAFORM), *arguments],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        return done.stdout

    def validate(self) -> list[str]:
        """The diagnostics, without the lines that they are about."""
        if any(re.search(r"^\s*module \"", path.read_text(), re.M) for path in self.directory.glob("*.tf")):
            self.run("init", "-backend=false", "-input=false")
        return [described(one) for one in json.loads(self.run("validate", "-json"))["diagnostics"]]

    def plan(self) -> Any:
        """What is planned; the diagnostics if it can't be."""
        lines = [json.loads(line) for line in self.run("plan", "-input=false", "-json", "-out=plan").splitlines()]
        if errors := [described(line["diagnostic"]) for line in lines if line.get("type") == "diagnostic"]:
            return errors
        shown = json.loads(self.run("show", "-json", "plan"))
        return {
            key: shown.get(key) for key in ("planned_values", "resource_changes", "output_changes", "prior_state")
        } | {"providers": shown["configuration"].get("provider_config")}


def described(diagnostic: dict[str, Any]) -> str:
    context = (diagnostic.get("snippet") or {}).get("context") or ""
    detail = PLACE.sub("there", diagnostic.get("detail", ""))
    return f"{diagnostic['severity']}: {diagnostic['summary']}: {detail} ({context})"


def directories(case: Path, state: str) -> Iterator[str]:
    """The directories of a fixture that hold Terraform."""
    yield from sorted({path.parent.relative_to(case / state).as_posix() for path in sources(case / state)})


def required(directory: Path) -> dict[str, str]:
    """A value for each variable of a module that has no default."""
    found = {}
    for path in directory.glob("*.tf"):
        for name, body in re.findall(r"^variable \"(\w+)\" \{(.*?)\}$", path.read_text(), re.M | re.S):
            if "default" not in body:
                kind = re.search(r"type\s*=\s*(\w+)", body)
                found[name] = {"number": "1", "bool": "true", "list": "[]", "set": "[]", "map": "{}"}.get(
                    kind[1] if kind else "", "made-up"
                )
    return found


def copied(case: Path, state: str, target: Path, providers: Mapping[int, str], directory: str) -> Terraform:
    shutil.copytree(case / state, target / state, dirs_exist_ok=True)
    return Terraform(target / state / directory, providers[major(case / state)], required(case / state / directory))


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_nothing_new_is_wrong(case: Path, tmp_path: Path, providers: Mapping[int, str]) -> None:
    known, found = (
        {
            diagnostic
            for directory in directories(case, state)
            for diagnostic in copied(case, state, tmp_path, providers, directory).validate()
        }
        for state in ("before", "after")
    )
    assert found - known == set()


WITHOUT_IMPACT = [case for case in CASES if RULES[case.parts[-3]].impact is Impact.NONE]


@pytest.mark.parametrize("case", WITHOUT_IMPACT, ids=case_id)
def test_the_plan_is_the_same(case: Path, tmp_path: Path, providers: Mapping[int, str]) -> None:
    for directory in directories(case, "after"):
        before = copied(case, "before", tmp_path, providers, directory)
        after = copied(case, "after", tmp_path, providers, directory)
        for one in (before, after):
            one.run("init", "-input=false")
        assert after.plan() == before.plan()


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ('resource "aws_sqs_queue" "a" {\n  name = "a"\n}\n', None),
        ('resource "aws_sqs_queue" "a" {\n  nam = "a"\n}\n', "Unsupported argument"),
        ('resource "aws_sqs_queue" "a" {\n  name = aws_sns_topic.b.name\n}\n', "Reference to undeclared resource"),
        ('resource "aws_dynamodb_table" "a" {\n  point_in_time_recovery {}\n}\n', "Missing required argument"),
        ('resource "aws_sqs_queue" "a" {\n  fifo_queue = "yes"\n}\n', "Incorrect attribute value type"),
    ],
)
def test_what_is_wrong_is_found(text: str, summary: str | None, tmp_path: Path, providers: Mapping[int, str]) -> None:
    (tmp_path / "main.tf").write_text(text)
    found = Terraform(tmp_path, providers[6], {}).validate()
    assert found == [] if summary is None else any(summary in one for one in found)


def test_a_changed_plan_is_seen(tmp_path: Path, providers: Mapping[int, str]) -> None:
    terraform = Terraform(tmp_path, providers[6], {})
    plans = []
    for name in ("a", "b"):
        (tmp_path / "main.tf").write_text(f'resource "aws_sqs_queue" "a" {{\n  name = "{name}"\n}}\n')
        plans.append(terraform.plan())
    assert plans[0]["resource_changes"][0]["change"]["after"]["name"] == "a"
    assert plans[0] != plans[1]


def test_types_are_read() -> None:
    assert type_of("list(object({name=string,ports=set(number)}))") == [
        "list",
        ["object", {"name": "string", "ports": ["set", "number"]}],
    ]
    assert type_of("object({})") == ["object", {}]
    assert type_of("any") == "dynamic"
