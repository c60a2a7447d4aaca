"""What is tagged, with which name of the environment, and how maps get further entries."""

from __future__ import annotations

import pytest

from fixer.cdk import load as load_app
from fixer.cdk.context import bare_reads, items_read
from fixer.cdk.environment import Environments
from fixer.cdk.tagging import Tagged, tag, taggings
from fixer.facts import CdkFacts, TerraformFacts
from fixer.model import Edit
from fixer.terraform import Module, load
from fixer.terraform.environment import environment
from fixer.terraform.evaluate import is_early
from fixer.terraform.maps import adding, entries, with_others
from fixer.terraform.tagging import TaggedModule

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


def tagged_module(text: str) -> TaggedModule:
    return TaggedModule(module(text), lambda kind: kind != "aws_iam_policy_attachment")


ONE_TAGGED = 'resource "aws_sqs_queue" "one" {\n  tags = { Env = "dev" }\n}\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        (ONE_TAGGED, True),
        (ONE_TAGGED + 'resource "aws_iam_policy_attachment" "x" {}\n', True),
        (ONE_TAGGED + 'resource "aws_sqs_queue" "two" {}\n', False),
        (ONE_TAGGED + 'resource "aws_sqs_queue" "two" {\n  tags = { Name = "two" }\n}\n', False),
        (ONE_TAGGED + 'module "more" {\n  source = "./more"\n}\n', False),
    ],
)
def test_a_module_may_have_a_tag_everywhere(text: str, expected: bool) -> None:
    assert tagged_module(text).has(lambda key: key == "Env") is expected


def test_a_module_writes_tags_in_many_places() -> None:
    text = ONE_TAGGED + (
        'locals {\n  name = { no = 1 }\n  common_tags = { Team = "a" }\n}\n'
        'provider "aws" {\n  default_tags {\n    tags = { Cost = "1" }\n  }\n}\nprovider "google" {}\n'
    )
    tagged = tagged_module(text)
    assert [(key, value.text) for key, value in tagged.written] == [("Env", '"dev"'), ("Cost", '"1"'), ("Team", '"a"')]
    (provider,) = tagged.providers
    assert list(tagged.defaults(provider).known) == ["Cost"]


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ('provider "aws" {\n}\n', '{\n      E = "x"\n    }'),
        (
            'provider "aws" {\n}\nprovider "aws" {\n  alias = "b"\n  default_tags {\n    tags = local.all\n  }\n}\n'
            "locals {\n  all = { A = 1 }\n}\n",
            'merge(local.all, { E = "x" })',
        ),
        (
            'provider "aws" {\n}\nlocals {\n  base = { A = 1 }\n}\n'
            'resource "aws_sqs_queue" "x" {\n  tags = merge(local.base, { B = 1 })\n}\n',
            'merge(local.base, { E = "x" })',
        ),
    ],
)
def test_a_provider_gets_the_tags_that_are_there_for_all(text: str, tags: str) -> None:
    tagged = tagged_module(text)
    edits = tagged.add(tagged.providers[0], {"E": '"x"'}, is_shared=lambda key: key == "A")
    assert applied(text, edits).startswith(f'provider "aws" {{\n  default_tags {{\n    tags = {tags}\n  }}\n}}\n')


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ('tags = { A = "x" }', None),
        ("tags = var.tags", "The default tags can't be judged: the map is set by variable tags, which has no default"),
    ],
)
def test_some_default_tags_can_not_be_told(inside: str, reason: str | None) -> None:
    tagged = tagged_module(f'variable "tags" {{}}\nprovider "aws" {{\n  default_tags {{\n    {inside}\n  }}\n}}\n')
    found = tagged.obstacle(tagged.providers[0], ["E"], "E")
    assert (found.reason if found else None) == reason


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


def test_a_construct_is_tagged_below_what_its_tags_read() -> None:
    source = HEAD + "app = cdk.App(\n          outdir='out')\nprint()\nenv_name = 'dev'\napp.synth()\n"
    (file,) = load_app(CdkFacts("."), {"app.py": source.encode()}).files()
    (app,) = file.constructs("App")
    right_below, later = tag(app, {"A": "'x'"}), tag(app, {"A": "env_name"}, below=source.index("env_name"))
    assert right_below
    assert later
    assert "out')\ncdk.Tags.of(app).add('A', 'x')\nprint()" in applied(source, right_below)
    assert "'dev'\ncdk.Tags.of(app).add('A', env_name)\napp" in applied(source, later)
    (nested,) = load_app(CdkFacts("."), {"app.py": f"{HEAD}for x in [cdk.App()]:\n    pass\n".encode()}).files()
    assert tag(next(nested.constructs("App")), {"A": "'x'"}) is None


def test_a_text_is_quoted_as_the_file_does() -> None:
    files = [next(load_app(CdkFacts("."), {"app.py": (HEAD + text).encode()}).files()) for text in ("", "x = 'y'\n")]
    assert [file.quoted("it's") for file in files] == ['"it\'s"', r"'it\'s'"]


def test_items_that_an_app_reads() -> None:
    body = """
one = app.node.try_get_context("one") or "dev"
two = app.node.try_get_context('two') or 'dev'
three = app.node.try_get_context("three")
four = app.node.get_context("four")
"""
    sources = {"app.py": (HEAD + "app = cdk.App()\n" + body).encode(), "tests/test_app.py": b"get_context('five')\n"}
    app = load_app(CdkFacts("."), sources)
    assert items_read(app) == {("one", "dev"), ("two", "dev"), ("three", ""), ("four", "")}
    assert [one.key for one in bare_reads(app)] == ["three"]
