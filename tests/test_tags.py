"""What is tagged, with which name of the environment, and how maps get further entries."""

from __future__ import annotations

import pytest

from fixer.cdk import load as load_app
from fixer.cdk.environment import Environments
from fixer.cdk.tagging import Tagged, taggings
from fixer.facts import CdkFacts, TerraformFacts
from fixer.model import Edit
from fixer.terraform import Module, load
from fixer.terraform.environment import environment
from fixer.terraform.evaluate import is_early
from fixer.terraform.maps import adding, entries, with_others

# ---- Terraform ---------------------------------------------------------------------------------


def module(text: str) -> Module:
    return load(TerraformFacts("."), {"main.tf": text.encode()})


def applied(text: str, edits: tuple[Edit, ...]) -> str:
    source = text.encode()
    for edit in sorted(edits, key=lambda one: -one.start):
        source = source[: edit.start] + edit.text.encode() + source[edit.end :]
    return source.decode()


@pytest.mark.parametrize(
    ("expr", "keys", "why"),
    [
        ('{ A = 1, "b:c" = 2 }', ["A", "b:c"], ""),
        ("merge(local.base, { C = 3 })", ["B", "C"], ""),
        ("merge(local.base, var.more)", ["B", "D"], "is set by var.more"),
        ("merge(var.lists...)", [], "is a call of merge()"),
        ("{ (var.key) = 1 }", [], "has computed keys"),
        ("var.none", [], "is set by variable none, which has no default"),
        ("local.loop", [], "is nested too deeply, or refers to itself"),
    ],
)
def test_entries(expr: str, keys: list[str], why: str) -> None:
    text = (
        "locals {\n  base = { B = 1 }\n  loop = local.loop\n}\n"
        'variable "more" {\n  default = { D = 1 }\n}\nvariable "none" {}\n'
    )
    there = module(f"{text}locals {{\n  it = {expr}\n}}\n")
    local = there.local("it")
    assert local
    found = entries(there, local.expr)
    assert list(found.known) == keys
    assert found.why == why


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{\n    E = "x"\n  }'),
        ("{ A = 1 }", '{ A = 1, E = "x" }'),
        ("{\n    A = 1 # one\n  }", '{\n    A = 1 # one\n    E = "x"\n  }'),
        ('{\n    "A" : 1,\n  }', '{\n    "A" : 1,\n    "E" : "x",\n  }'),
        ("{\n    # none\n  }", '{\n    # none\n    E = "x"\n  }'),
        ("local.a", 'merge(local.a, { E = "x" })'),
        ("merge(local.a, { A = 1 })", 'merge(local.a, { A = 1, E = "x" })'),
        ("merge(local.a, local.b)", 'merge(local.a, local.b, { E = "x" })'),
        (
            "merge(\n    local.a,\n    local.b\n  )",
            'merge(\n    local.a,\n    local.b,\n    {\n      E = "x"\n    }\n  )',
        ),
    ],
)
def test_adding(before: str, after: str) -> None:
    text = "locals {{\n  it = {}\n}}\n"
    there = module(text.format(before))
    local = there.local("it")
    assert local
    assert applied(text.format(before), adding(local.expr, {"E": '"x"'})) == text.format(after)
    assert with_others(local.expr, {"E": '"x"'}) == after.replace("\n  ", "\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('variable "environment" {\n  type = string\n}\nvariable "environment_suffix" {}\n', "var.environment"),
        ('variable "environmentSuffix" {\n  default = "dev"\n}\n', "var.environmentSuffix"),
        ('variable "environment" {\n  default = ""\n}\n', ""),
        ('variable "environment" {\n  type = object({ name = string })\n}\n', ""),
        ('locals {\n  env = "${terraform.workspace}"\n}\n', "local.env"),
        ("locals {\n  env = data.aws_region.x.name\n}\n", ""),
        ("locals {\n  name = terraform.workspace\n}\n", "terraform.workspace"),
        ('variable "stage" {}\n', "var.stage"),
        ('variable "stage" {}\nresource "aws_api_gateway_stage" "x" {}\n', ""),
    ],
)
def test_environment(text: str, expected: str) -> None:
    assert environment(module(text)) == expected


def test_what_drifts_is_not_early() -> None:
    there = module("locals {\n  a = timestamp()\n  b = local.a\n  c = var.c\n}\n")
    found = {name: local.expr for name in "abc" if (local := there.local(name))}
    assert {name: is_early(there, expr) for name, expr in found.items()} == {"a": False, "b": False, "c": True}


# ---- CDK Python --------------------------------------------------------------------------------

HEAD = "import os\nimport aws_cdk as cdk\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('env_name = "dev"\napp = cdk.App()\n', "env_name"),
        ('app = cdk.App()\nenvironment_suffix = app.node.try_get_context("e") or "dev"\n', "environment_suffix"),
        ('app = cdk.App()\nenvironment_suffix = app.node.try_get_context("e")\n', None),
        ('app = cdk.App()\nenvironment = os.environ.get("E", "dev").lower()\n', "environment"),
        ('app = cdk.App()\nenvironment = os.environ["E"]\n', "environment"),
        ('app = cdk.App()\nenvironment = os.getenv("E")\n', None),
        ("app = cdk.App()\nenv = cdk.Environment()\n", None),
        ('app = cdk.App()\nif os:\n    env_name = "dev"\n', None),
        ('if __name__ == "__main__":\n    app = cdk.App()\n    env_name = "dev"\n', "env_name"),
        ('app = cdk.App()\napp.synth()\nenv_name = "dev"\n', None),
        ("def main(env_name: str):\n    app = cdk.App()\n", "env_name"),
        ("def main(env_name: str = None):\n    app = cdk.App()\n", None),
        ("def main(environment):\n    app = cdk.App()\n", None),
        ('env_name = "dev"\nenv_name = os.getenv("E")\napp = cdk.App()\n', None),
        ('ENVIRONMENT = "dev"\nenv_name = ENVIRONMENT\napp = cdk.App()\n', "env_name"),
        ('stage_name = "v1"\napp = cdk.App()\n', None),
    ],
)
def test_environment_in_python(body: str, expected: str | None) -> None:
    (file,) = load_app(CdkFacts("."), {"app.py": (HEAD + body).encode()}).files()
    (app,) = file.constructs("App")
    found = Environments(file).certain(app)
    assert (found.code if found else None) == expected


def test_taggings() -> None:
    body = """
app = cdk.App()
cdk.Tags.of(app).add("A", "1")
tags = cdk.Tags.of(app)
tags.add(key="B", value=name)
for key, value in {"C": 1, "D": 2}.items():
    cdk.Tags.of(app).add(key, value)
for key, value in [("E", 1)]:
    cdk.Tags.of(app).add(key, value)
for key, value in given.items():
    cdk.Tags.of(app).add(key, value)
names.add("no tag")
"""
    (file,) = load_app(CdkFacts("."), {"app.py": (HEAD + body).encode()}).files()
    found = [(each.target, each.keys, each.value) for each in taggings(file)]
    assert found == [
        ("app", ("A",), "1"),
        ("app", ("B",), ""),
        ("app", ("C", "D"), ""),
        ("app", ("E",), ""),
        ("app", None, ""),
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", False),
        ('cdk.Tags.of(app).add("E", "x")', True),
        ('cdk.Tags.of(one).add("E", "x")', False),
        ('cdk.Tags.of(one).add("E", "x")\ncdk.Tags.of(two).add("E", "x")', True),
        ('def tag(scope):\n    cdk.Tags.of(scope).add("E", "x")\ntag(app)', True),
        ('def tag(scope):\n    cdk.Tags.of(scope).add("E", "x")\ntag(other)', False),
    ],
)
def test_tagged(more: str, expected: bool) -> None:
    body = 'app = cdk.App()\none = cdk.Stack(app, "One")\ntwo = cdk.Stack(app, "Two")\n'
    (file,) = load_app(CdkFacts("."), {"app.py": f"{HEAD}{body}{more}\n".encode()}).files()
    (app,) = file.constructs("App")
    assert Tagged(app).has(lambda key: key == "E") is expected
