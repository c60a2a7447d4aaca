"""`--prove synth`: the app's own command before and after, and the templates that come of it.

It is run as the CDK's command line does it: through the shell, with the context and the place for the output in the
environment (aws-cdk's `lib/cxapp/exec.ts`). Nothing is bundled, looked up or deployed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fixer.facts import CdkFacts
from fixer.model import Impact
from fixer.project import Unit
from fixer.project.apps import ancestors
from fixer.proof.scratch import BrokenError, Scratch
from fixer.proof.templates import Template, compare, read
from fixer.proof.verdict import incomparable, judge, refute
from fixer.result import FileChange, Proof

KIND = "synth"
_CONTEXT = {
    "aws:cdk:bundling-stacks": [],
    "aws:cdk:enable-asset-metadata": False,
    "aws:cdk:enable-path-metadata": False,
    "aws:cdk:version-reporting": False,
}
"""What tools read and the deployed resources do not need; an asset is hashed by its sources."""
_PLACEHOLDERS = {"CDK_DEFAULT_ACCOUNT": "123456789012", "CDK_DEFAULT_REGION": "us-east-1"}
_LARGE = 32_000
"""Characters of context above which the app gets it in a file: systems bound the size of a variable."""
_SHOWN = 300
"""Characters of a line that an app ends with."""

Templates = dict[str, Template]


def prove(scratch: Scratch, unit: Unit, changes: Sequence[FileChange], declared: Impact) -> list[Proof]:
    """Synthesise the app before and after the changes, and compare."""
    try:
        command = _command(scratch.root / unit.path)
        before = _synthesise(scratch, unit, command, ())
    except BrokenError as error:
        return [incomparable(unit.path, KIND, str(error), before=False)]
    try:
        after = _synthesise(scratch, unit, command, changes)
    except BrokenError as error:
        return [refute(unit.path, KIND, f"the app does not synthesise any more: {error}")]
    difference = compare(before, after)
    if difference.excess(declared):  # what comes out differently at every synthesis says nothing
        try:
            difference = difference.without(compare(before, _synthesise(scratch, unit, command, ())))
        except BrokenError as error:
            return [incomparable(unit.path, KIND, f"a second synthesis fails: {error}", before=False)]
    return [judge(unit.path, KIND, difference, declared)]


def _command(directory: Path) -> str:
    """The app's command as `cdk.json` gives it."""
    try:
        settings = json.loads((directory / "cdk.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        raise BrokenError("there is no cdk.json that can be read") from None
    command = settings.get("app") if isinstance(settings, dict) else None
    if not isinstance(command, str) or not command.strip():
        raise BrokenError("cdk.json gives no app")
    return command


def _synthesise(scratch: Scratch, unit: Unit, command: str, changes: Sequence[FileChange]) -> Templates:
    out = scratch.place / "assembly"
    with scratch.copy(changes) as copy:
        done = scratch.run(command, copy, _environment(scratch, unit, copy, out))
    if done.code:
        shutil.rmtree(out, ignore_errors=True)
        raise BrokenError(_last_line(done.err) or _last_line(done.out) or f"exit code {done.code}")
    try:
        templates = read(out)
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise BrokenError(f"its output can't be read: {error}") from error
    finally:  # all are made under the same path: if it gets into a template that is no difference
        shutil.rmtree(out, ignore_errors=True)
    if not templates:
        raise BrokenError("the app writes no template")
    return templates


def _environment(scratch: Scratch, unit: Unit, copy: Path, out: Path) -> dict[str, str]:
    """The environment of the command: the caller's, and what the CDK's command line adds."""
    facts = unit.facts
    context: dict[str, Any] = {**(facts.context if isinstance(facts, CdkFacts) else {}), **_CONTEXT}
    environment = {**_PLACEHOLDERS, **os.environ}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment["PATH"] = os.pathsep.join([*_programs(scratch.root, unit.path), environment.get("PATH", os.defpath)])
    environment["PYTHONPATH"] = os.pathsep.join(_modules(scratch, copy, environment.get("PYTHONPATH", "")))
    environment["CDK_OUTDIR"] = str(out)
    environment["CDK_CONTEXT_JSON"] = text = json.dumps(context)
    if len(text) > _LARGE:
        file = scratch.place / "context.json"
        file.write_text(text, encoding="utf-8")
        environment["CDK_CONTEXT_JSON"] = "{}"
        environment["CONTEXT_OVERFLOW_LOCATION_ENV"] = str(file)
    return environment


def _programs(root: Path, directory: str) -> list[str]:
    """The programs of the nearest virtual environment, in the app's directory or above."""
    for above in ancestors(directory):
        for name in (".venv", "venv"):
            programs = root / above / name / "bin"
            if programs.is_dir():
                return [str(programs)]
    return []


def _modules(scratch: Scratch, copy: Path, given: str) -> list[str]:
    """Where Python looks first: in the copy, also for what an environment has installed as editable."""
    tree = str(scratch.place / "project")
    moved = [path.replace(str(scratch.root), tree, 1) for path in given.split(os.pathsep) if path]
    return [str(one) for one in (copy / "src", copy) if one.is_dir()] + moved


def _last_line(text: str) -> str:
    return next((line.strip()[:_SHOWN] for line in reversed(text.splitlines()) if line.strip()), "")
