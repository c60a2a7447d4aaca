"""All rules at once: on a CDK app and a Terraform module, written as such things come out of a generator.

Each rule holds what it promises on its own; here they meet, on the same functions, buckets and log groups. They come to
rest in few passes, whatever their order, and what comes of it is proven as a whole.
"""

from __future__ import annotations

import functools
import random
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import black
import pytest
import test_synth
from test_codemods import RULES, TERRAFORM, content, lines_of
from test_synth import node  # noqa: F401

from fixer import config as configuration
from fixer import engine
from fixer import project as projects
from fixer.cache import Cache
from fixer.model import Impact, Rule
from fixer.proof.difference import Difference
from fixer.result import Result
from fixer.run import run
from fixer.write import write

EVERYTHING = Path(__file__).parent / "everything"
LANGUAGES = ("cdk", "terraform")
DEFAULT = tuple(rule for rule in RULES.values() if rule.default)
FEW = 8
"""Passes are for fixes that touch each other, or that build on others: of these there is no long chain."""

language = pytest.mark.parametrize("language", LANGUAGES)


def repair(directory: Path, impact: Impact, rules: Collection[Rule] = DEFAULT) -> Result:
    """Apply rules to a directory, as `iacfix apply` does."""
    config = configuration.load(directory, directory, None)
    project = projects.discover(directory, [directory], exclude=())
    result = run(project, list(rules), config, command="apply", impact=impact, jobs=1, cache=Cache(None))
    write(directory, result.files)
    return result


def copy(language: str, place: Path) -> Path:
    shutil.copytree(EVERYTHING / language / "before", place)
    return place


@language
def test_all_come_to_rest(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    look = engine._look
    monkeypatch.setattr(engine, "_look", lambda *given: looks.append(given) or look(*given))
    work = copy(language, tmp_path / "work")
    result = repair(work, Impact.REPLACEMENT)
    assert [str(error) for error in result.errors] == []
    assert len(looks) <= FEW + 1
    assert content(work) == content(EVERYTHING / language / "after")
    assert sorted(lines_of(result)) == (EVERYTHING / language / "findings.txt").read_text().splitlines()

    again = repair(work, Impact.REPLACEMENT)
    assert again.files == ()
    left = Counter(one.status for one in result.outcomes if one.status != "fixed")
    assert Counter(one.status for one in again.outcomes) == left


@pytest.mark.slow
@language
def test_their_order_does_not_matter(language: str, tmp_path: Path) -> None:
    for seed in range(3):
        rules = random.Random(seed).sample(DEFAULT, len(DEFAULT))  # noqa: S311  an order, no secret
        work = copy(language, tmp_path / str(seed))
        repair(work, Impact.REPLACEMENT, rules)
        assert content(work) == content(EVERYTHING / language / "after"), [rule.name for rule in rules]


@language
def test_they_come_to_rest_with_the_default_impact(language: str, tmp_path: Path) -> None:
    work = copy(language, tmp_path / "work")
    result = repair(work, Impact.BEHAVIOR)
    assert [str(error) for error in result.errors] == []
    assert max(one.impact for one in result.outcomes if one.status == "fixed") is Impact.BEHAVIOR
    assert repair(work, Impact.BEHAVIOR).files == ()


@pytest.mark.slow
@language
def test_rules_that_run_one_after_the_other_come_to_rest(language: str, tmp_path: Path) -> None:
    work = copy(language, tmp_path / "work")
    for rule in DEFAULT:
        assert [str(error) for error in repair(work, Impact.REPLACEMENT, [rule]).errors] == [], rule.name
    repair(work, Impact.REPLACEMENT)
    result = repair(work, Impact.REPLACEMENT)
    assert result.files == ()
    assert {one.status.value for one in result.outcomes} <= {"manual"}


def test_python_stays_formatted() -> None:
    for path in (EVERYTHING / "cdk").rglob("*.py"):
        source = path.read_text()
        assert black.format_str(source, mode=black.Mode()) == source, path


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed")
def test_terraform_stays_formatted() -> None:
    command = [str(TERRAFORM), "fmt", "-check", "-recursive", str(EVERYTHING / "terraform")]
    assert subprocess.run(command, check=False, capture_output=True, text=True).stdout == ""


# ---- what they do, as a whole ------------------------------------------------------------------


def steps(language: str, tmp_path: Path, rules: Collection[Rule] = DEFAULT) -> Iterator[tuple[Impact, Path, Path]]:
    """The fixes of each impact, least first, as the directory before and after them."""
    state = copy(language, tmp_path / "before")
    for impact in Impact:
        after = tmp_path / str(impact)
        shutil.copytree(state, after)
        repair(after, impact, rules)
        yield impact, state, after
        state = after


@pytest.mark.slow
@pytest.mark.usefixtures("node")
def test_the_templates_change_as_declared(tmp_path: Path) -> None:
    was = first = test_synth.stacks(EVERYTHING / "cdk" / "before")
    for impact, before, after in steps("cdk", tmp_path):
        now = test_synth.stacks(after)
        shown = test_synth.difference(was, now, functools.partial(test_synth.stacks, before))
        assert shown.impact is impact, shown
        was = now
    made = test_synth.stacks(EVERYTHING / "cdk" / "after")
    names = test_synth.synthesised(made).keys()
    assert names
    assert test_synth.complaints(made, names) - test_synth.complaints(first, names) == Counter()


@pytest.fixture(scope="module")
def provider() -> Iterator[Mapping[int, str]]:
    """The setting of TF_REATTACH_PROVIDERS by the AWS provider's major version."""
    pytest.importorskip("tf", reason="the package tf, of the extra `test`, needs Python 3.11")
    from stand_in.provider import serving
    from stand_in.schema import schema

    texts = [path.read_text() for path in (EVERYTHING / "terraform").rglob("*.tf")]
    words = {word for text in texts for word in re.findall(r"\baws_\w+", text)}
    with ExitStack() as stack:
        yield {5: stack.enter_context(serving(aws=schema(5, sorted(words))))}


@pytest.mark.slow
@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed")
def test_the_plans_change_as_declared(tmp_path: Path, provider: Mapping[int, str]) -> None:
    from test_validate import difference, essence, modules

    # What the stand-in makes up for a URL is none, which is what the preconditions of outputs refuse.
    rules = [rule for rule in DEFAULT if rule.name != "output-validation"]
    for impact, before, after in steps("terraform", tmp_path, rules):
        (old,), (new,) = modules(before, provider), modules(after, provider)
        if impact is Impact.NONE:
            assert essence(new.plan()) == essence(old.plan())
            continue
        shown = difference(old, new)
        assert isinstance(shown, Difference), old.plan()
        assert shown.impact is impact, shown
    (whole,) = modules(shutil.copytree(EVERYTHING / "terraform" / "after", tmp_path / "whole"), provider)
    assert whole.validate() == []
