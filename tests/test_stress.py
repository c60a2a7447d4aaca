"""Mutants of the fixtures and examples, repaired: `python -m tools.stress` runs more of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tools import stress
from tools.stress import Campaign, Specimen, examine, mutant, specimens

DIRECTORIES = [stress.ROOT / "tests" / "fixtures", stress.ROOT / "examples"]
MUTANTS = 250

STACK = """\
from aws_cdk import Stack
from aws_cdk import aws_s3 as s3


class DataStack(Stack):
    def __init__(self, scope, construct_id, **kwargs):
        super().__init__(scope, construct_id, **kwargs)
        # the data
        s3.Bucket(self, "Data")
"""
QUEUE = 'sqs.Queue(self, "Data", queue_name="of-{}".format( 1 ) )'
BUCKET = '# the data\nresource "aws_s3_bucket" "data" {\n  bucket = "orders-data"\n}\n'


@pytest.mark.slow
@pytest.mark.parametrize("language", ["cdk", "terraform"])
def test_mutants_are_repaired_or_left_alone(
    language: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stress, "LARGEST", 3000)  # small ones are quick
    counts = stress.stress(Campaign(language, 1, specimens(DIRECTORIES, language)), MUTANTS, keep=None)
    assert capfd.readouterr().out == ""
    assert counts["mutants"] == MUTANTS
    assert counts["changed"] > MUTANTS // 5, "mutants that nothing is to be done for show nothing"
    assert counts.keys() <= set(stress.SOUND)


def test_a_mutant_is_the_same_each_time() -> None:
    source = STACK.encode()
    made = [[mutant(random.Random(number), source, source) for number in range(300)] for _ in range(2)]  # noqa: S311
    assert made[0] == made[1]
    assert len(set(made[0])) > 200


@pytest.mark.parametrize(("name", "source"), [("stack.py", STACK), ("main.tf", BUCKET)])
def test_a_sound_file_shows_no_defect(tmp_path: Path, name: str, source: str) -> None:
    (tmp_path / name).write_text(source)
    verdict = examine(tmp_path, name)
    assert (verdict.changed, verdict.refused, verdict.defects) == (True, False, ())


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (
            "stack.py",
            STACK.replace(
                "        super()", '        s3.Bucket(self, "Logs", bucket_name="orders-logs")\n        super()'
            ),
        ),
        ("main.tf", BUCKET.replace('"orders-data"', "local./* */name") + 'locals {\n  name = "orders-data"\n}\n'),
        ("main.tf", BUCKET.replace('"orders-data"', "local")),
    ],
    ids=["construct before super", "comment in an address", "address of nothing"],
)
def test_what_mutants_found_is_judged(tmp_path: Path, name: str, source: str) -> None:
    (tmp_path / name).write_text(source)
    assert examine(tmp_path, name).defects == ()


@pytest.mark.parametrize(
    "source",
    [BUCKET + "x = \n", BUCKET.replace('"data"', '"data" "x"'), BUCKET.replace("orders", r"orders\ud800")],
    ids=["no value", "three labels", "half a character"],
)
def test_a_broken_file_is_refused(tmp_path: Path, source: str) -> None:
    (tmp_path / "main.tf").write_text(source)
    verdict = examine(tmp_path, "main.tf")
    assert (verdict.changed, verdict.refused, verdict.defects) == (False, True, ())


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("stack.py", STACK.replace('"Data"', r'"Data", bucket_name="a\N{BULLET}b{c}"')),
        ("stack.py", STACK.replace('"Data"', r'"\ud800"')),
        ("stack.py", STACK.replace('"Data"', '"Data", versioned=1or 2')),
        ("stack.py", STACK.replace('s3.Bucket(self, "Data")', QUEUE).replace("aws_s3 as s3", "aws_sqs as sqs")),
        ("main.tf", BUCKET.replace('"data"', '"é"')),
        ("main.tf", BUCKET + 'provider "aws" { /* ) */\n  region = /* ( */ "x"\n}\n'),
        ("main.tf", BUCKET.replace('"data" {', '"data" /* ) */{')),
    ],
    ids=[
        *("named character", "surrogate", "warning", "space before a bracket"),
        *("name that is not ASCII", "text that python-hcl2 can't read", "comment before a bracket"),
    ],
)
def test_what_mutants_found_is_repaired(tmp_path: Path, name: str, source: str) -> None:
    (tmp_path / name).write_text(source)
    verdict = examine(tmp_path, name)
    assert (verdict.changed, verdict.refused, verdict.defects) == (True, False, ())


class Wrong:
    """A run that does something wrong to the file that it repaired."""

    def __init__(self, old: bytes, new: bytes) -> None:
        self.old, self.new, self.apply = old, new, stress._written

    def __call__(self, root: Path, before: dict[str, bytes], result: stress.Result) -> dict[str, bytes]:
        after = self.apply(root, before, result)
        after = {name: source.replace(self.old, self.new) for name, source in after.items()}
        for name, source in after.items():
            (root / name).write_bytes(source)
        return after


@pytest.mark.parametrize(
    ("name", "old", "new", "kind"),
    [
        ("stack.py", b"# the data\n", b"", "outside"),
        ("stack.py", b"Stack\n", b"Stack\r\n", "outside"),
        ("stack.py", b"s3.BlockPublicAccess.BLOCK_ALL", b"s3.", "worse"),
        ("main.tf", b"= true", b"= ", "worse"),
        ("main.tf", b"block_public_acls       = true", b"block_public_acls       = false", "again"),
    ],
)
def test_what_is_wrong_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: bytes, new: bytes, kind: str
) -> None:
    alone = [one for one in stress._RULES if one.name == "s3-block-public-access"]
    monkeypatch.setattr(stress, "_RULES", alone)  # what is outside of edits shows where no pass builds on another
    monkeypatch.setattr(stress, "_written", Wrong(old, new))
    (tmp_path / name).write_text({"stack.py": STACK, "main.tf": BUCKET}[name])
    assert kind in {kind for kind, _ in examine(tmp_path, name).defects}


def test_a_rule_that_breaks_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(stress, "_RULES", [rule for rule in stress._RULES if rule.name == "s3-block-public-access"])
    monkeypatch.setattr(stress._RULES[0], "check_terraform", broken)
    (tmp_path / "main.tf").write_text(BUCKET)
    ((kind, seen),) = examine(tmp_path, "main.tf").defects
    assert kind == "broke"
    assert "ZeroDivisionError" in seen


def test_a_process_that_dies_is_told_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "before" / "main.tf"
    source.parent.mkdir()
    source.write_text(BUCKET)
    monkeypatch.setattr(stress, "_judged", _dies_on_the_second)
    campaign = Campaign("terraform", 0, [Specimen(source.parent, "main.tf")])
    seen = dict(stress.verdicts(campaign, range(3), tmp_path))
    assert [[kind for kind, _ in seen[number].defects] for number in range(3)] == [[], ["crash"], []]


def _dies_on_the_second(campaign: Campaign, number: int, root: Path) -> stress.Verdict:
    if number == 1:
        import os

        os._exit(3)
    return stress.Verdict()
