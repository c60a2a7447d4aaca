"""Running `terraform` or `tofu` on a copy of a module: what `--prove validate` and `--prove plan` have in common."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fixer.proof.scratch import BrokenError, Done, MissingError, Scratch

_INNER = ("TF_DATA_DIR", "TF_LOG", "TF_LOG_CORE", "TF_LOG_PROVIDER", "TF_LOG_PATH")
"""Variables that would have terraform write into the project or beside the answer."""


class Terraform:
    """The program, run in a copy of a module.

    Raises:
        MissingError: by the constructor, if there is no such program.
        BrokenError: by each method, if the command fails.
    """

    def __init__(self, scratch: Scratch, copy: Path) -> None:
        self._scratch, self._copy = scratch, copy
        found = next(filter(None, map(shutil.which, ("terraform", "tofu"))), None)
        if found is None:
            raise MissingError("there is no terraform or tofu on the PATH")
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
            said = first_error(f"{done.err}\n{done.out}") or f"exit code {done.code}"
            raise BrokenError(f"terraform {arguments[0]} fails: {said}")
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
        name = f"terraform {arguments[0]}"
        return self._scratch.run(name, [self._program, *arguments], self._copy, self._environment)


# ---- errors ------------------------------------------------------------------------------------

_FRAME = re.compile(r"^[│╷╵]", re.MULTILINE)
"""Drawn around an error on a terminal."""
_SUMMARY = re.compile(r"Error: (?!\w+ encountered problems)(.+)")
"""The first that says something: terraform may have a sentence on the errors that follow before them."""
_PLACE = re.compile(r"on (\S+) line (\d+)")
_SNIPPET = re.compile(r"\d+: |[├│]|\(source code not available\)")
"""A line of the code, or what is said of the values in it."""
_SHOWN = 300
"""Characters of an error's detail."""


def first_error(output: str) -> str:
    """The first error of a command's output, as `summary (file:line): detail`; empty if there is none."""
    lines = iter([line.strip() for line in _FRAME.sub("", output).splitlines()])
    summary = next(filter(None, map(_SUMMARY.fullmatch, lines)), None)
    if summary is None:
        return ""
    rest: list[str] = []
    for line in lines:
        if line.startswith(("Error: ", "Warning: ")):
            break
        rest.append(line)
    place = next(filter(None, map(_PLACE.match, rest)), None)
    paragraphs = "\n".join(line for line in rest if not _SNIPPET.match(line)).split("\n\n")
    details = (one for one in paragraphs if one.strip() and not _PLACE.match(one.strip()))
    return described(summary[1], f"{place[1]}:{place[2]}" if place else "", next(details, ""))


def described(summary: str, place: str, detail: str) -> str:
    """An error of terraform as one line; place and detail may be empty."""
    where = f" ({place})" if place else ""
    more = " ".join(detail.split())[:_SHOWN].rstrip(" .")
    return f"{summary.strip().removesuffix('.')}{where}" + (f": {more}" if more else "")


# ---- environment -------------------------------------------------------------------------------


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
