"""`--prove synth`: the app's own command before and after, and the templates that come of it.

It is run as the CDK's command line does it: through the shell, with the context and the place for the output in the
environment (aws-cdk's `lib/cxapp/exec.ts`). Nothing is bundled, looked up or deployed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fixer.facts import CdkFacts
from fixer.project import Unit
from fixer.project.apps import ancestors
from fixer.proof.scratch import BrokenError, MissingError, Scratch, remove
from fixer.proof.templates import Template, compare, read
from fixer.proof.trial import Trial, comparison
from fixer.result import FileChange

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
_TRACEBACK = "Traceback (most recent call last):"

Templates = dict[str, Template]


def trial(scratch: Scratch, unit: Unit) -> Trial[Templates]:
    """What synthesises the app before and after changes, and compares."""
    return comparison(unit.path, "synth", partial(_synthesise, scratch, unit), compare)


def _command(directory: Path) -> str:
    """The app's command as `cdk.json` gives it."""
    try:
        settings = json.loads((directory / "cdk.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        raise MissingError("there is no cdk.json that can be read") from None
    command = settings.get("app") if isinstance(settings, dict) else None
    if not isinstance(command, str) or not command.strip():
        raise MissingError("cdk.json gives no app")
    return command


def _synthesise(scratch: Scratch, unit: Unit, changes: Sequence[FileChange]) -> Templates:
    command = _command(scratch.root / unit.path)
    out = scratch.place / "assembly"
    try:  # all are made under the same path: if it gets into a template that is no difference
        with scratch.copy(changes) as copy:
            done = scratch.run("the app", command, copy, _environment(scratch, unit, copy, out))
        if done.code:
            why = _complaint(done.err) or _complaint(done.out) or f"exit code {done.code}"
            raise BrokenError(f"the app fails: {why}")
        return _templates(out)
    finally:
        remove(out)


def _templates(out: Path) -> Templates:
    try:
        templates = read(out)
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise BrokenError(f"the app's output can't be read: {error}") from error
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


def _complaint(text: str) -> str:
    """The line of an output that says why the app fails: of the last traceback, else the last that is not empty."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    starts = [number for number, line in enumerate(lines) if line == _TRACEBACK]
    raised = (line for line in lines[starts[-1] + 1 :] if not line[0].isspace()) if starts else iter(lines[-1:])
    return next(raised, "").strip()[:_SHOWN]
