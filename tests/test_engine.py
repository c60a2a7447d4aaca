"""Conflicts, passes, failures and suppressions, with rules made for it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

import pytest

from fixer import engine
from fixer.facts import CdkFacts, TerraformFacts
from fixer.model import Absent, Create, Delete, Edit, Finding, Fix, Impact, Known, Language, Manual, Move, Rule, Status
from fixer.project import Unit
from fixer.proof import prove
from fixer.terraform import Module

QUEUE = b'resource "aws_sqs_queue" "q" {\n  name = "q"\n}\n'


def terraform_rule(name: str, check: object, scanners: tuple[str, ...] = ()) -> Rule:
    module = ModuleType(f"made.tests.{name}")
    sys.modules[module.__name__] = module
    rule = Rule(module.__name__, impact=Impact.BEHAVIOR, scanners=scanners, keywords=("aws_sqs_queue",))
    rule.check_terraform = check  # type: ignore[assignment]
    return rule


def sets(name: str, argument: str, impact: Impact = Impact.BEHAVIOR, scanners: tuple[str, ...] = ()) -> Rule:
    def check(module: Module, options: object) -> Iterator[Finding]:
        for queue in module.resources("aws_sqs_queue"):
            if queue.value(argument) is Absent:
                yield queue.finding(rule, f"lacks {argument}", fix=Fix(queue.set(argument, "1"), impact))

    rule = terraform_rule(name, check, scanners)
    return rule


def unit(*paths: str) -> Unit:
    return Unit(Language.TERRAFORM, ".", paths, TerraformFacts("."))


def repair(source: bytes, *rules: Rule, impact: Impact = Impact.BEHAVIOR) -> engine.UnitResult:
    return engine.repair(unit("main.tf"), {"main.tf": source}, [(rule, None) for rule in rules], impact, prove=prove)


def statuses(result: engine.UnitResult) -> list[tuple[str, Status]]:
    return [(one.rule, one.status) for one in result.outcomes]


def test_fixes_that_touch_are_made_one_pass_after_the_other() -> None:
    result = repair(QUEUE, sets("delay", "delay_seconds"), sets("wait", "receive_wait_time_seconds"))
    assert result.files[0].after is not None
    text = result.files[0].after.decode()
    assert text.count("delay_seconds") == 1
    assert text.count("receive_wait_time_seconds") == 1
    assert statuses(result) == [("delay", Status.FIXED), ("wait", Status.FIXED)]


def test_the_same_edit_of_two_fixes_is_made_once() -> None:
    def check(module: Module, options: object) -> Iterator[Finding]:
        for queue in module.resources("aws_sqs_queue"):
            if b"shared" not in queue.file.source:
                shared = Edit("main.tf", 0, 0, "# shared\n")
                yield queue.finding(rule, queue.name, fix=Fix((*queue.set("a", "1"), shared), Impact.NONE))

    rule = terraform_rule("share", check)
    two = QUEUE + b"\n" + QUEUE.replace(b'"q"', b'"r"')
    result = repair(two, rule)
    assert result.files[0].after is not None
    assert result.files[0].after.count(b"# shared") == 1
    assert statuses(result) == [("share", Status.FIXED)] * 2


def test_a_greater_impact_waits() -> None:
    rule = sets("rename", "delay_seconds", Impact.REPLACEMENT)
    result = repair(QUEUE, rule)
    assert statuses(result) == [("rename", Status.FIXABLE)]
    assert result.files == []
    assert result.outcomes[0].impact is Impact.REPLACEMENT
    assert statuses(repair(QUEUE, rule, impact=Impact.REPLACEMENT)) == [("rename", Status.FIXED)]


def named(name: str) -> Rule:
    def check(module: Module, options: object) -> Iterator[Finding]:
        for queue in module.resources("aws_sqs_queue"):
            if queue.value("name") != Known(name):
                yield queue.finding(rule, f"is not {name}", fix=Fix(queue.set("name", f'"{name}"'), Impact.NONE))

    rule = terraform_rule(name, check)
    return rule


def test_a_fix_that_settles_nothing_is_not_made_and_the_others_are() -> None:
    def flip(module: Module, options: object) -> Iterator[Finding]:
        for queue in module.resources("aws_sqs_queue"):
            other = '"b"' if b'"a"' in queue.file.source else '"a"'
            yield queue.finding(rule, "flips", fix=Fix(queue.set("name", other), Impact.NONE))

    rule = terraform_rule("flip", flip)
    result = repair(QUEUE, rule, sets("good", "delay_seconds"))
    assert sorted(statuses(result)) == [("flip", Status.FAILED), ("good", Status.FIXED)]
    assert result.errors[0].message == "flip: The fix fails its proof: the rule finds the same again after it"
    assert [file.after for file in result.files] == [QUEUE.replace(b'"q"\n}', b'"q"\n\n  delay_seconds = 1\n}')]


def test_rules_that_undo_each_other_stop_at_the_bound() -> None:
    result = repair(QUEUE, named("a"), named("b"))
    assert any(f"stopped after {engine.MAX_PASSES} passes" in note for note in result.notes)
    fixed = Counter(statuses(result))
    assert fixed["a", Status.FIXED] + fixed["b", Status.FIXED] == engine.MAX_PASSES


def test_a_fix_that_breaks_a_file_is_not_made_and_the_others_are() -> None:
    def broken(module: Module, options: object) -> Iterator[Finding]:
        for queue in module.resources("aws_sqs_queue"):
            yield queue.finding(rule, "breaks", fix=Fix((Edit("main.tf", 0, 0, "}{"),), Impact.NONE))

    rule = terraform_rule("broken", broken)
    result = repair(QUEUE, rule, sets("good", "delay_seconds"))
    assert sorted(statuses(result)) == [("broken", Status.FAILED), ("good", Status.FIXED)]
    assert result.files[0].after is not None
    assert b"}{" not in result.files[0].after
    assert "would not parse" in result.errors[0].message


def test_fixes_that_fail_beside_each_other_alone_are_made_one_pass_after_the_other() -> None:
    """Two that bring the same: the second one finds it there."""

    def wants(module: Module, options: object) -> Iterator[Finding]:
        known = module.resource("data.aws_region.current")
        text = "" if known else '\ndata "aws_region" "current" {}\n'
        for queue in module.resources("aws_sqs_queue"):
            if queue.value("region") is Absent:
                changes = (
                    *queue.set("region", "data.aws_region.current.name"),
                    *(queue.insert_after(text) if text else ()),
                )
                yield queue.finding(rule, "has no region", fix=Fix(changes, Impact.NONE))

    rule = terraform_rule("wants", wants)
    sources = {"a.tf": QUEUE, "b.tf": QUEUE.replace(b'"q"', b'"r"')}
    result = engine.repair(unit(*sources), sources, [(rule, None)], Impact.NONE, prove=prove)
    assert statuses(result) == [("wants", Status.FIXED)] * 2
    assert result.errors == []
    assert b"".join(file.after or b"" for file in result.files).count(b'data "aws_region"') == 1


def test_late_rules_come_when_the_others_have_nothing_left_to_make() -> None:
    seen = []

    def check(module: Module, options: object) -> Iterator[Finding]:
        for queue in module.resources("aws_sqs_queue"):
            if queue.value("late") is Absent:
                seen.append(queue.value("delay_seconds"))
                yield queue.finding(rule, "lacks late", fix=Fix(queue.set("late", "1"), Impact.NONE))

    rule = replace(terraform_rule("late", check), late=True)
    rule.check_terraform = check
    two = QUEUE + b"\n" + QUEUE.replace(b'"q"', b'"r"')
    result = repair(two, rule, sets("delay", "delay_seconds"))
    assert result.files[0].after is not None
    assert result.files[0].after.index(b"delay_seconds") < result.files[0].after.index(b"late")
    assert sorted(statuses(result)) == [("delay", Status.FIXED)] * 2 + [("late", Status.FIXED)] * 2
    assert seen == [Absent, Absent, Known(1), Known(1)]


@pytest.mark.parametrize(
    "changes",
    [
        (Edit("main.tf", 5, 2, ""),),
        (Edit("main.tf", 0, 10_000, ""),),
        (Edit("main.tf", 0, 4, "a"), Edit("main.tf", 2, 6, "b")),
        (Edit("other.tf", 0, 0, "x"),),
        (Create("main.tf", "x"),),
        (Move("gone.tf", "new.tf"),),
    ],
)
def test_an_impossible_fix_fails(changes: tuple[Edit, ...]) -> None:
    def check(module: Module, options: object) -> Iterator[Finding]:
        for queue in module.resources("aws_sqs_queue"):
            yield queue.finding(rule, "can't", fix=Fix(changes, Impact.NONE))

    rule = terraform_rule("impossible", check)
    result = repair(QUEUE, rule)
    assert statuses(result) == [("impossible", Status.FAILED)]
    assert result.files == []
    assert len(result.errors) == 1


def test_a_rule_that_raises_is_one_error_and_the_others_go_on() -> None:
    def raises(module: Module, options: object) -> Iterator[Finding]:
        raise RuntimeError("oh\nno")

    result = repair(QUEUE, terraform_rule("raises", raises), sets("good", "delay_seconds"))
    assert statuses(result) == [("good", Status.FIXED)]
    assert [error.message for error in result.errors] == [
        error.message for error in result.errors if "raises" in error.message and "oh no" in error.message
    ]
    assert len(result.errors) == 1


def test_files_are_created_moved_and_deleted() -> None:
    def check(module: Module, options: object) -> Iterator[Finding]:
        for queue in module.resources("aws_sqs_queue"):
            if queue.file.path == "main.tf":
                changes = (Create("new.tf", "# new\n"), Move("main.tf", "queue.tf"), Delete("old.tf"))
                yield queue.finding(rule, "moves", fix=Fix(changes, Impact.NONE))

    rule = terraform_rule("moves", check)
    sources = {"main.tf": QUEUE, "old.tf": b"# old\n"}
    result = engine.repair(unit(*sources), sources, [(rule, None)], Impact.NONE, prove=prove)
    found = {change.path: (change.change, change.moved_from) for change in result.files}
    assert found == {"new.tf": ("created", None), "queue.tf": ("moved", "main.tf"), "old.tf": ("deleted", None)}


def test_only_wanted_files_are_fixed() -> None:
    sources = {"a.tf": QUEUE, "b.tf": QUEUE.replace(b'"q"', b'"r"')}
    rules = [(sets("delay", "delay_seconds"), None)]
    result = engine.repair(unit(*sources), sources, rules, Impact.BEHAVIOR, frozenset({"b.tf"}), prove=prove)
    assert [change.path for change in result.files] == ["b.tf"]


SUPPRESSIONS = [
    ("# iacfix: ignore[delay] why\n{}", True),
    ("// iacfix: ignore[other, delay]\n{}", True),
    ("# iacfix: ignore\n{}", True),
    ("# iacfix: ignore[other]\n{}", False),
    ("# iacfix: ignore[delay]\n\n{}", False),
    ("# iacfix: ignore-file[delay]\n\n\n{}", True),
    ("# checkov:skip=CKV_X_1:why\n{}", True),
    ("# checkov:skip=CKV_X_2:why\n{}", False),
    ("#tfsec:ignore:ckv_x_1\n{}", True),
    ("# trivy:ignore:CKV_X_1\n{}", True),
    ("# kics-scan ignore-block\n{}", True),
    ("# kics-scan ignore-line\n{}", True),
    ("# kics-scan ignore\n\n{}", True),
    ("# kics-scan disable=CKV_X_1\n\n{}", True),
    ('variable "iacfix" {{\n  default = "# iacfix: ignore[delay]"\n}}\n{}', False),
]


@pytest.mark.parametrize(("text", "suppressed"), SUPPRESSIONS)
def test_suppressions(text: str, suppressed: bool) -> None:
    source = text.format(QUEUE.decode()).encode()
    result = repair(source, sets("delay", "delay_seconds", scanners=("CKV_X_1",)))
    expected = Status.SUPPRESSED if suppressed else Status.FIXED
    assert statuses(result) == [("delay", expected)]
    assert (result.files == []) is suppressed


def test_checkov_skips_inside_the_block() -> None:
    source = QUEUE.replace(b"{\n", b"{\n  # checkov:skip=CKV_X_1: known\n")
    assert statuses(repair(source, sets("delay", "delay_seconds", scanners=("CKV_X_1",)))) == [
        ("delay", Status.SUPPRESSED)
    ]


def test_unused_suppressions_are_reported() -> None:
    source = QUEUE.replace(b'"q"\n', b'"q" # iacfix: ignore[delay] not on the line of the block\n')
    rules = [(sets("delay", "delay_seconds"), None), (sets("wait", "wait"), None)]
    result = engine.check(unit("main.tf"), {"main.tf": source}, rules)
    assert result.notes == ["main.tf:2: this suppression of delay suppresses nothing"]


def test_regions_count_characters() -> None:
    source = "\ufeffä = 1\nbb = ü\n".encode()
    region = engine.region_of(source, source.index("ü".encode()), len(source) - 1)
    assert (region.line, region.column, region.end_line, region.end_column) == (2, 6, 2, 7)
    assert engine.region_of(source, 3, 5).column == 1


def test_fingerprints_survive_changes_elsewhere() -> None:
    rules = [(sets("delay", "delay_seconds"), None)]
    before = engine.check(unit("main.tf"), {"main.tf": QUEUE}, rules)
    after = engine.check(unit("main.tf"), {"main.tf": b"# a comment\n\n" + QUEUE}, rules)
    assert before.outcomes[0].fingerprint == after.outcomes[0].fingerprint
    assert before.outcomes[0].region != after.outcomes[0].region


def test_units_without_a_rules_words_are_dismissed() -> None:
    rules = [(sets("delay", "delay_seconds"), None)]
    assert engine.concerns({"main.tf": QUEUE}, rules)
    assert not engine.concerns({"main.tf": b'resource "aws_sns_topic" "t" {}\n'}, rules)


def test_python_that_would_not_parse_is_not_written() -> None:
    module = ModuleType("made.tests.python")
    sys.modules[module.__name__] = module
    rule = Rule(module.__name__, impact=Impact.NONE)

    @rule.cdk
    def check(file: object, options: object) -> Iterator[Finding]:
        fix = Fix((Edit("app.py", 0, 0, "(\n"),), Impact.NONE)
        yield Finding(rule.name, Language.CDK, "app.py", 0, 1, "breaks", fix)
        yield Finding(rule.name, Language.CDK, "app.py", 0, 1, "stays", None, Manual("Why", "What"))

    source = b'import aws_cdk as cdk\n\ncdk.Stack(None, "x")\n'
    app = Unit(Language.CDK, ".", ("app.py",), CdkFacts(".", None, "", ()))
    result = engine.repair(app, {"app.py": source}, [(rule, None)], Impact.NONE, prove=prove)
    assert statuses(result) == [("python", Status.FAILED), ("python", Status.MANUAL)]
    assert result.files == []


def test_what_comes_up_later_is_told_where_its_subject_stood() -> None:
    def check(module: Module, options: object) -> Iterator[Finding]:
        for queue in module.resources("aws_sqs_queue"):
            if b"# first" not in queue.file.source:
                edit = Edit("main.tf", 0, 0, "# first\n# of\n# all\n")
                yield queue.finding(rule, "lacks a heading", fix=Fix((edit,), Impact.NONE))
            elif queue.value("delay_seconds") is Absent:
                yield queue.finding(rule, "lacks delay", fix=Fix(queue.set("delay_seconds", "1"), Impact.NONE))

    rule = terraform_rule("heading", check)
    result = repair(b"\n" + QUEUE, rule)
    assert [(one.message, one.region.line) for one in result.outcomes] == [("lacks a heading", 2), ("lacks delay", 2)]
