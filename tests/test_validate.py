"""What Terraform says of the fixtures: `validate` finds nothing new in `after`, and a fix does what it declares.

The fixes are made in steps, those of each declared impact alone. With `none` the plan is the same. Else all that is
there before is created, and the plan that follows the step changes in place with `behavior`, and replaces something
with `replacement`. The providers are those of `stand_in`, with the schema of the major version that a fixture pins.
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
from test_codemods import case_id
from test_synth import steps

from fixer.model import Impact
from fixer.proof.difference import Difference
from fixer.proof.plan import compare

pytest.importorskip("tf", reason="the package tf, of the extra `test`, needs Python 3.11")

from stand_in.provider import serving
from stand_in.schema import empty, schema, type_of

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(path.parent for path in FIXTURES.glob("*/terraform/*/after"))
TERRAFORM = shutil.which("terraform")
PINNED = re.compile(r"(?<!required_)version\s*=\s*\"~> (\d)")
PLACE = re.compile(r"(at|on) \S+?\.tf(\.json)?(:\d+(,\d+-\d+)?| line \d+)|\baws_\w+\.\w+")
"""What differs between two diagnostics that say the same: where, and of which resource."""
SECONDS = 60

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed"),
]


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

    def init(self) -> None:
        """Have modules found; without any, Terraform does not ask for it."""
        if any(re.search(r"^\s*module \"", path.read_text(), re.M) for path in self.directory.glob("*.tf")):
            self.run("init", "-backend=false", "-input=false")

    def validate(self) -> list[str]:
        """The diagnostics, without the lines that they are about."""
        self.init()
        return [described(one) for one in json.loads(self.run("validate", "-json"))["diagnostics"]]

    def apply(self) -> None:
        """Have everything created, as far as Terraform takes the module."""
        self.init()
        self.run("apply", "-input=false", "-auto-approve")

    def plan(self) -> Any:
        """What is planned; the diagnostics if Terraform refuses the module."""
        self.init()
        command = ("plan", "-input=false", "-refresh=false", "-json", "-out=plan")
        lines = [json.loads(line) for line in self.run(*command).splitlines()]
        if errors := [described(line["diagnostic"]) for line in lines if line.get("type") == "diagnostic"]:
            return errors
        return json.loads(self.run("show", "-json", "plan"))


def essence(plan: Any) -> Any:
    """What must be the same in two plans that are."""
    if isinstance(plan, list):
        return plan
    parts = ("planned_values", "resource_changes", "output_changes", "prior_state")
    return {key: plan.get(key) for key in parts} | {"providers": plan["configuration"].get("provider_config")}


def described(diagnostic: dict[str, Any]) -> str:
    context = (diagnostic.get("snippet") or {}).get("context") or ""
    detail = PLACE.sub("there", diagnostic.get("detail", ""))
    return f"{diagnostic['severity']}: {diagnostic['summary']}: {detail} ({context})"


def modules(directory: Path, providers: Mapping[int, str]) -> Iterator[Terraform]:
    """Terraform in each directory of a fixture's copy that holds its files."""
    for place in sorted({path.parent for path in sources(directory)}):
        yield Terraform(place, providers[major(directory)], required(place))


def required(directory: Path) -> dict[str, str]:
    """A value for each variable of a module that has no default."""
    found = {}
    for path in directory.glob("*.tf"):
        for name, body in re.findall(r"^variable \"(\w+)\" \{(.*?)\}$", path.read_text(), re.M | re.S):
            if "default" not in body:
                kind = re.search(r"type\s*=\s*(.+)", body)
                value = example(type_of(kind[1]) if kind else "string")
                found[name] = value if isinstance(value, str) else json.dumps(value)
    return found


def example(kind: Any) -> Any:
    """A value of a type; one entry in what may have several, so that something is done for each."""
    if isinstance(kind, str):
        return {"number": 1, "bool": True}.get(kind, "made-up")
    if kind[0] == "object":
        return {name: example(inner) for name, inner in kind[1].items()}
    return {"made-up": example(kind[1])} if kind[0] == "map" else [example(kind[1])]


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_nothing_new_is_wrong(case: Path, tmp_path: Path, providers: Mapping[int, str]) -> None:
    said = []
    for state in ("before", "after"):
        shutil.copytree(case / state, tmp_path / state)
        said.append({diagnostic for module in modules(tmp_path / state, providers) for diagnostic in module.validate()})
    assert said[1] - said[0] == set()


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_impact(case: Path, tmp_path: Path, providers: Mapping[int, str]) -> None:
    for impact, before, after in steps(case, tmp_path):
        states = tuple(zip(modules(before, providers), modules(after, providers), strict=True))
        if impact is Impact.NONE:
            for old, new in states:
                if not isinstance(was := old.plan(), list):
                    assert essence(new.plan()) == essence(was)
        else:
            shown = [one for one in (difference(old, new) for old, new in states) if one is not None]
            assert max((one.impact for one in shown), default=impact) is impact, shown


def difference(before: Terraform, after: Terraform) -> Difference | None:
    """What the change does to what is deployed; None where Terraform refuses the module before it."""
    before.apply()
    was = before.plan()
    if isinstance(was, list):
        return None
    if (state := before.directory / "terraform.tfstate").exists():
        shutil.copy(state, after.directory)
    now = after.plan()
    assert not isinstance(now, list), now
    return compare(was, now)


@pytest.mark.parametrize(
    ("old", "new", "impact"),
    [
        ("30", "15 * 2", Impact.NONE),
        ("30", "60", Impact.BEHAVIOR),
        ('"orders"', '"orders-prod"', Impact.REPLACEMENT),
        ('"a"', '"b"', Impact.REPLACEMENT),
    ],
)
def test_what_a_change_does_is_seen(
    old: str, new: str, impact: Impact, tmp_path: Path, providers: Mapping[int, str]
) -> None:
    text = 'resource "aws_sqs_queue" "a" {\n  name          = "orders"\n  delay_seconds = 30\n}\n'
    for state, source in (("before", text), ("after", text.replace(old, new))):
        (tmp_path / state).mkdir()
        (tmp_path / state / "main.tf").write_text(source)
    shown = difference(*(Terraform(tmp_path / state, providers[6], {}) for state in ("before", "after")))
    assert shown is not None
    assert shown.impact is impact


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


def test_types_are_read() -> None:
    assert type_of("list(object({name=string,ports=set(number)}))") == [
        "list",
        ["object", {"name": "string", "ports": ["set", "number"]}],
    ]
    assert type_of("object({})") == ["object", {}]
    assert type_of("any") == "dynamic"
