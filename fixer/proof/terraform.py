"""Running `terraform` or `tofu` on a copy of a module: what `--prove validate` and `--prove plan` have in common."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fixer.proof.scratch import BrokenError, Done, Scratch

_ERROR = re.compile(r"^[ \t│╷]*Error: (?!\w+ encountered problems)(.+)$", re.MULTILINE)
"""The first that says something: terraform may have a sentence on the errors that follow before them."""
_INNER = ("TF_DATA_DIR", "TF_LOG", "TF_LOG_CORE", "TF_LOG_PROVIDER", "TF_LOG_PATH")
"""Variables that would have terraform write into the project or beside the answer."""


class Terraform:
    """The program, run in a copy of a module.

    Raises:
        BrokenError: by the constructor, if there is no such program; by each method, if the command fails.
    """

    def __init__(self, scratch: Scratch, copy: Path) -> None:
        self._scratch, self._copy = scratch, copy
        found = next(filter(None, map(shutil.which, ("terraform", "tofu"))), None)
        if found is None:
            raise BrokenError("neither terraform nor tofu is on the PATH")
        self._program = found
        self._environment = _environment(scratch)

    def init(self, *options: str) -> None:
        """Fetch modules and providers, and turn to the backend if the options do not forbid it.

        The providers that the module has already are tried first, which takes no network.
        """
        command = ("init", "-input=false", "-no-color", *options)
        providers = _known(self._scratch) / "providers"
        if providers.is_dir() and not self._run(*command, f"-plugin-dir={providers}").code:
            return
        self.must(*command)

    def must(self, *arguments: str) -> str:
        """What the command prints."""
        done = self._run(*arguments)
        if done.code:
            said = _ERROR.search(f"{done.err}\n{done.out}")
            raise BrokenError(said[1].strip() if said else f"terraform {arguments[0]} ends with exit code {done.code}")
        return done.out

    def told(self, *arguments: str) -> dict[str, Any]:
        """The object that the command prints as JSON, whatever its exit code."""
        done = self._run(*arguments)
        try:
            said = json.loads(done.out)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise BrokenError(f"terraform {arguments[0]} prints no JSON (exit code {done.code})")
        return said

    def _run(self, *arguments: str) -> Done:
        return self._scratch.run([self._program, *arguments], self._copy, self._environment)


def _environment(scratch: Scratch) -> Mapping[str, str]:
    """The caller's environment and workspace; what one run downloads is kept for the next."""
    environment = {name: value for name, value in os.environ.items() if name not in _INNER}
    if not _has_cache(environment):
        cache = scratch.place / "plugins"
        cache.mkdir(exist_ok=True)
        environment["TF_PLUGIN_CACHE_DIR"] = str(cache)
    selected = _known(scratch) / "environment"
    if "TF_WORKSPACE" not in environment and selected.is_file():
        environment["TF_WORKSPACE"] = selected.read_text(encoding="utf-8").strip()
    return {**environment, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}


def _known(scratch: Scratch) -> Path:
    """Where terraform keeps what it knows of the module."""
    return scratch.root / scratch.directory / ".terraform"


def _has_cache(environment: Mapping[str, str]) -> bool:
    """Whether the caller has a cache of providers; the files are those of terraform's and OpenTofu's documentation."""
    if "TF_PLUGIN_CACHE_DIR" in environment:
        return True
    named = (environment.get("TF_CLI_CONFIG_FILE"), "~/.terraformrc", "~/.tofurc")
    settings = [Path(one).expanduser() for one in named if one]
    return any(b"plugin_cache_dir" in one.read_bytes() for one in settings if one.is_file())
