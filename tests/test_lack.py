"""Settings that are to have a value, in both languages, and what goes with resources."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fixer.cdk import Construct
from fixer.cdk import load as load_app
from fixer.facts import CdkFacts, TerraformFacts
from fixer.model import Impact, Lack, Rule, Symbol
from fixer.terraform import Module, free_name, load, placed, tag_lines, tags
from fixer.terraform.companion import imported
from fixer.terraform.functions import allows, functions, role_of

RULE = Rule("codemods.security.some_rule", Impact.BEHAVIOR)


def module(**files: str) -> Module:
    return load(TerraformFacts("."), {f"{name}.tf": text.encode() for name, text in files.items()})


def function(body: str, more: str = "") -> Lack | None:
    there = module(main=f'resource "aws_lambda_function" "f" {{\n{body}\n}}\n{more}')
    (block,) = functions(there)
    return block.lack("tracing_config.mode", '"Active"')


@pytest.mark.parametrize(
    "body",
    [
        'tracing_config {\n  mode = "Active"\n}',
        "tracing_config {\n  mode = local.mode\n}",
        'tracing_config {\n  mode = "${local.mode}"\n}',
    ],
)
def test_a_block_in_order(body: str) -> None:
    assert function(body, 'locals {\n  mode = "Active"\n}\n') is None


@pytest.mark.parametrize(
    ("body", "more", "reason"),
    [
        ('dynamic "tracing_config" {\nfor_each = []\ncontent {}\n}', "", "it is set by a dynamic block"),
        ("tracing_config {\n  mode = var.m\n}", 'variable "m" {}', "it is set by variable m, which has no default"),
        (
            "tracing_config {\n  mode = var.m\n}",
            'variable "m" {\n  default = "PassThrough"\n}',
            'tracing_config.mode comes from var.m, which is "PassThrough" by default',
        ),
        ("tracing_config {\n  mode = var.m\n}", 'variable "m" {\n  default = null\n}', "whose default is null"),
        ("tracing_config {\n  mode = local.m\n}", 'locals {\n  m = "PassThrough"\n}', "comes from local.m"),
        ("lifecycle {\n  ignore_changes = [tracing_config]\n}", "", "ignores changes of tracing_config.mode"),
        ("", 'resource "aws_lambda_function" "f" {}', "is declared more than once"),
    ],
)
def test_a_block_that_a_person_must_look_at(body: str, more: str, reason: str) -> None:
    there = module(main=f'resource "aws_lambda_function" "f" {{\n{body}\n}}\n{more}')
    found = next(functions(there)).lack("tracing_config.mode", '"Active"')
    assert found is not None
    assert found.manual is not None
    assert reason in found.manual.reason
    assert found.finding(RULE, "x").manual == found.manual


def test_an_override_is_not_looked_at_for_itself() -> None:
    there = module(main='resource "aws_lambda_function" "f" {}', override='resource "aws_lambda_function" "f" {}')
    base, override = there.all_resources("aws_lambda_function")
    assert base.lack("timeout", "3") is not None
    assert override.lack("timeout", "3") is None


def test_what_an_override_sets_too_can_not_be_judged() -> None:
    text = 'resource "aws_lambda_function" "f" {\n  timeout = 3\n}\n'
    there = module(main=text, main_override=text.replace("3", "9"))
    (block,) = functions(there)
    found = block.overridden("timeout", "Look there")
    assert found
    assert found.reason == "timeout can't be judged: it is overridden in main_override.tf"
    assert block.overridden("memory_size", "Look there") is None
    assert next(iter(functions(module(main=text)))).overridden("timeout", "Look there") is None


def test_what_is_accepted() -> None:
    there = module(main='resource "aws_lambda_function" "f" {\n  timeout = "20"\n  publish = "true"\n}\n')
    (block,) = functions(there)
    assert block.lack("publish", "true") is None
    assert block.lack("timeout", "20") is None
    assert block.lack("timeout", "30") is not None
    assert block.lack("timeout", "30", lambda value: int(value) <= 30) is None


@pytest.mark.parametrize(
    ("body", "changes", "reason"),
    [
        ("timeout = 1\n  memory_size = var.size", "", ""),
        ("memory_size = local.size", 'timeout = "3"', ""),
        ("timeout = null", 'memory_size = "128" "3"', ""),
        ("", 'timeout     = "3" memory_size = "128"', ""),
        ("timeout = -1\n  memory_size = 1", '"3"', ""),
        ("lifecycle {\n  ignore_changes = [timeout]\n}", "", "ignores changes of timeout"),
    ],
)
def test_arguments_that_must_all_be_there(body: str, changes: str, reason: str) -> None:
    there = module(main=f'resource "aws_lambda_function" "f" {{\n  {body}\n}}\n')
    found = next(functions(there)).lack_all({"timeout": '"3"', "memory_size": '"128"'}, lambda value: value != -1)
    assert (found is None) is not bool(changes or reason)
    made = " ".join(" ".join(edit.text.split("\n")).strip() for edit in found.changes) if found else ""
    assert " ".join(sorted(made.split())) == " ".join(sorted(changes.split()))
    assert reason in (found.manual.reason if found and found.manual else "")


def test_names_tags_and_places() -> None:
    there = module(
        main='resource "aws_sqs_queue" "a" {\n  tags = merge(var.tags, { Name = "a" })\n}\n'
        'resource "aws_sqs_queue" "b" {\n  tags = { Name = "b", Team = "x" }\n}\n'
        'resource "aws_sqs_queue" "c" {\n  tags = local.tags\n}\nresource "aws_sqs_queue" "d" {}\n'
        'resource "aws_sqs_queue" "e" {\n  tags = {\n    Name = "b"\n    Team = "x"\n    Cost = var.cost\n  }\n}\n',
        alarms="",
    )
    found = {block.name: block for block in there.resources("aws_sqs_queue")}
    assert {name: tags(block) for name, block in found.items()} == {
        "a": "var.tags",
        "b": '{ Team = "x" }',
        "c": "local.tags",
        "d": None,
        "e": '{\n  Team = "x"\n  Cost = var.cost\n}',
    }
    assert tag_lines(found["c"]) == ("\ntags = local.tags",)
    assert tag_lines(found["d"]) == ()
    assert free_name(there, "aws_sqs_queue", "new", "_dlq") == "new"
    assert free_name(there, "aws_sqs_queue", "a", "_dlq", {"a_dlq"}) == "a_dlq_dlq"
    assert [edit.path for edit in placed(found["a"], "x {}\n", ("monitoring.tf", "alarms.tf"))] == ["alarms.tf"]
    assert [edit.path for edit in placed(found["a"], "x {}\n", ("monitoring.tf",))] == ["main.tf"]


def test_what_a_role_allows() -> None:
    there = module(
        main='resource "aws_lambda_function" "f" {\n  role = local.role\n}\nlocals {\n  role = aws_iam_role.r.arn\n}\n'
        'resource "aws_iam_role" "r" {}\nresource "aws_iam_role" "other" {}\n'
        'resource "aws_iam_role_policy_attachment" "a" {\n  role = aws_iam_role.r.name\n'
        "  policy_arn = aws_iam_policy.p.arn\n}\n"
        'resource "aws_iam_policy" "p" {\n  policy = data.aws_iam_policy_document.d.json\n}\n'
        'data "aws_iam_policy_document" "d" {\n  statement {\n    actions = ["sqs:SendMessage"]\n  }\n}\n'
    )
    (block,) = functions(there)
    role = role_of(block)
    assert role is not None
    assert role.address == "aws_iam_role.r"
    assert allows(role, "sqs:SendMessage")
    assert not allows(role, "xray:Put")
    other = there.resource("aws_iam_role.other")
    assert other is not None
    assert not allows(other, "sqs:SendMessage")


@pytest.mark.parametrize(
    ("version", "lines", "key", "made"),
    [
        ("1.4", 'name = "orders"', "", ""),
        ("1.5", 'name = "orders"', "", 'to = t.new\n  id = "orders"'),
        ("1.5", 'name = "orders"', "private", 'to = t.new\n  id = "orders,private"'),
        ("1.5", "name = var.x", "", ""),
        ("1.6", "name = var.x", "", "to = t.new\n  id = t.own.id"),
        ("1.6", "name = var.x", "private", 'to = t.new\n  id = "${t.own.id},private"'),
        ("1.6", "for_each = var.x", "", ""),
        ("1.7", "for_each = var.x", "", "for_each = var.x\n\n  to = t.new[each.key]\n  id = t.own[each.key].id"),
        ("1.7", "count = 2", "", ""),
    ],
)
def test_a_companion_that_is_there_is_imported(version: str, lines: str, key: str, made: str) -> None:
    facts = TerraformFacts(".", terraform=f">= {version}")
    text = f'provider "aws" {{\n}}\nresource "t" "own" {{\n  {lines}\n}}\n'
    block = load(facts, {"main.tf": text.encode()}).resource("t.own")
    assert block is not None
    assert imported(block, "t.new", "name", key) == (f"import {{\n  {made}\n}}" if made else "")
    called = load(TerraformFacts(".", ("a.tf:1",), terraform=f">= {version}"), {"main.tf": text.encode()})
    (other,) = called.resources("t")
    assert imported(other, "t.new", "name", key) == ""


# ---- CDK Python --------------------------------------------------------------------------------

APP = """from aws_cdk import Stack, aws_apigateway as apigateway, aws_lambda as lambda_


class Data(Stack):
    def __init__(self, scope, id, **kwargs):
        super().__init__(scope, id, **kwargs)
        {}
"""


def construct(line: str, name: str, version: tuple[int, ...] | None = None) -> Construct:
    app = load_app(CdkFacts(".", version), {"stack.py": APP.format(line).encode()})
    (file,) = app.files()
    return next(file.constructs(name))


def applied(found: Lack, line: str) -> str:
    source = APP.format(line).encode()
    for edit in sorted(found.changes, key=lambda one: -one.start):
        source = source[: edit.start] + edit.text.encode() + source[edit.end :]
    return source.decode().removeprefix(APP.partition("        {}")[0]).strip()


TRACING = Symbol("aws_lambda.Tracing.ACTIVE")
API = "aws_apigateway.RestApi"


def traced(found: Construct) -> Lack | None:
    return found.lack("tracing", TRACING, properties=("tracing_config",), since=(2, 1, 0))


def api_traced(found: Construct) -> Lack | None:
    return found.lack("deploy_options.tracing_enabled", True, struct="aws_apigateway.StageOptions")


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ('lambda_.Function(self, "F")', 'lambda_.Function(self, "F", tracing=lambda_.Tracing.ACTIVE)'),
        (
            'lambda_.Function(self, "F", tracing=lambda_.Tracing.DISABLED)',
            'lambda_.Function(self, "F", tracing=lambda_.Tracing.ACTIVE)',
        ),
        ('lambda_.Function(self, "F", tracing=lambda_.Tracing.ACTIVE)', None),
        ('lambda_.Function(self, "F", **{"tracing": lambda_.Tracing.ACTIVE})', None),
    ],
)
def test_a_keyword(line: str, after: str | None) -> None:
    found = traced(construct(line, "aws_lambda.Function"))
    assert (found and applied(found, line)) == after


@pytest.mark.parametrize(
    ("line", "after"),
    [
        (
            'apigateway.RestApi(self, "A")',
            'apigateway.RestApi(\n            self, "A", '
            "deploy_options=apigateway.StageOptions(tracing_enabled=True)\n        )",
        ),
        (
            'apigateway.RestApi(self, "A", deploy_options=apigateway.StageOptions(stage_name="x"))',
            'apigateway.RestApi(\n            self,\n            "A",\n'
            '            deploy_options=apigateway.StageOptions(stage_name="x", tracing_enabled=True),\n        )',
        ),
        ('apigateway.RestApi(self, "A", deploy_options=apigateway.StageOptions(tracing_enabled=True))', None),
    ],
)
def test_a_keyword_within_a_struct(line: str, after: str | None) -> None:
    found = api_traced(construct(line, API))
    assert (found and applied(found, line)) == after


LIMITS = {"throttling_rate_limit": "9", "throttling_burst_limit": "5"}
OPTIONS = "aws_apigateway.StageOptions"


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ("", "throttling_rate_limit=9, throttling_burst_limit=5"),
        ("throttling_rate_limit=id", "throttling_rate_limit=id, throttling_burst_limit=5"),
        ("throttling_rate_limit=1, throttling_burst_limit=id", None),
    ],
)
def test_settings_that_must_all_be_there(given: str, after: str | None) -> None:
    options = f", deploy_options=apigateway.StageOptions({given})" if given else ""
    line = f"apigateway.RestApi(self, id{options})"
    found = construct(line, API).lack_all(LIMITS, "Look there", keyword="deploy_options", struct=OPTIONS)
    made = "".join(applied(found, line).split()).replace(",)", ")") if found else None
    whole = f"apigateway.RestApi(self, id, deploy_options=apigateway.StageOptions({after}))"
    assert made == (after and "".join(whole.split()))


@pytest.mark.parametrize(
    ("line", "name", "struct", "reason"),
    [
        ("apigateway.Stage(self, id, **kwargs)", "aws_apigateway.Stage", "", "throttling_rate_limit can't be judged"),
        ("apigateway.RestApi(self, id, deploy_options={})", API, OPTIONS, "deploy_options can't be judged: it is writ"),
        (
            "apigateway.RestApi(self, id, deploy_options=apigateway.StageOptions(**kwargs))",
            API,
            OPTIONS,
            "deploy_options can't be judged: it may be set in **kwargs",
        ),
    ],
)
def test_settings_of_which_some_may_not_be_there(line: str, name: str, struct: str, reason: str) -> None:
    keyword = "deploy_options" if struct else ""
    found = construct(line, name).lack_all(LIMITS, "Look there", keyword=keyword, struct=struct)
    assert found is not None
    assert found.manual is not None
    assert found.manual.reason.startswith(reason)
    assert found.manual.next_step == "Look there"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('apigateway.RestApi(self, "A", deploy_options=apigateway.StageOptions(x=1))', True),
        ('o = apigateway.StageOptions(x=1); apigateway.RestApi(self, "A", deploy_options=o)', True),
        ('o = apigateway.StageOptions(x=1); apigateway.RestApi(self, "A", **{"deploy_options": o})', True),
        ('apigateway.RestApi(self, "A", deploy_options={"x": 1})', False),
        ('apigateway.StageOptions(x=1); apigateway.RestApi(self, "A")', False),
    ],
)
def test_a_call_behind_a_keyword(line: str, found: bool) -> None:
    call = construct(line, API).call_behind("deploy_options", "aws_apigateway.StageOptions")
    assert (call.text if call else None) == ("apigateway.StageOptions(x=1)" if found else None)


@pytest.mark.parametrize(
    ("line", "name", "lack", "reason"),
    [
        ('lambda_.Function(self, "F", **kwargs)', "aws_lambda.Function", traced, "may be set in **kwargs"),
        (
            'lambda_.Function(self, "F", tracing=kwargs["x"])',
            "aws_lambda.Function",
            traced,
            "is read from a collection",
        ),
        (
            'f = lambda_.Function(self, "F"); f.tracing_config = 3',
            "aws_lambda.Function",
            traced,
            "set on it afterwards",
        ),
        (
            't = lambda_.Tracing.DISABLED; lambda_.Function(self, "F", tracing=t)',
            "aws_lambda.Function",
            traced,
            "tracing comes from `t`",
        ),
        (
            'apigateway.RestApi(self, "A", deploy_options={"tracing_enabled": False})',
            API,
            api_traced,
            "it is written as a dict",
        ),
        (
            'o = apigateway.StageOptions(); apigateway.RestApi(self, "A", deploy_options=o)',
            API,
            api_traced,
            "it is set in `o`",
        ),
    ],
)
def test_a_keyword_that_a_person_must_look_at(
    line: str, name: str, lack: Callable[[Construct], Lack | None], reason: str
) -> None:
    found = lack(construct(line, name))
    assert found is not None
    assert found.manual is not None
    assert reason in found.manual.reason


def test_a_version_that_does_not_have_it() -> None:
    found = traced(construct('lambda_.Function(self, "F")', "aws_lambda.Function", (2, 0, 0)))
    assert found is not None
    assert found.manual is not None
    assert found.manual.reason == "aws-cdk-lib 2.0.0 may not have tracing yet"


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ('"Orders"', '"OrdersLogGroup"'),
        ("'orders-fn'", '"orders-fn-log-group"'),
        ('"orders_fn"', '"orders_fn_log_group"'),
        ('"Orders-Fn"', '"Orders-Fn-LogGroup"'),
        ('f"{id}-fn"', 'f"{id}-fn-log-group"'),
        ("id", 'f"{id}LogGroup"'),
        ("str(3)", None),
    ],
)
def test_an_id_that_goes_with_another(given: str, made: str | None) -> None:
    assert construct(f"lambda_.Function(self, {given})", "aws_lambda.Function").free_id("LogGroup") == made


def test_an_id_that_is_taken() -> None:
    line = 'lambda_.Function(self, "A"); lambda_.Version(self, "ALogGroup")'
    assert construct(line, "aws_lambda.Function").free_id("LogGroup") == '"ALogGroup2"'
