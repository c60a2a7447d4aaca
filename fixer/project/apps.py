"""CDK apps: which Python files make up one, and what its `cdk.json` says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fixer.facts import CdkFacts
from fixer.project.files import directory_of
from fixer.project.pins import Pins

_MANIFEST = re.compile(r"requirements[^/]*\.txt|pyproject\.toml|setup\.py|setup\.cfg|Pipfile")
"""A directory with such a file is a project of its own."""


def is_source(path: str) -> bool:
    """Whether it is a Python file; the `._` files that macOS leaves behind are none."""
    return path.endswith(".py") and not path.rpartition("/")[2].startswith("._")


def ancestors(directory: str) -> Iterator[str]:
    """The directory itself and those above it, up to the root."""
    while directory != ".":
        yield directory
        directory = directory_of(directory)
    yield "."


def group(python: Mapping[str, bool], files: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The sources of each app by its directory.

    A file belongs to the nearest app above it. Every directory with a `cdk.json` is an app. So is, for CDK code under
    none, the nearest directory above it with a Python project's manifest, else the topmost one with Python files.

    Args:
        python: All Python files, and whether they name `aws_cdk`.
        files: All files.

    Returns:
        The apps in which a file names `aws_cdk`.
    """
    python_directories = {directory_of(path) for path in python}
    declared: set[str] = set()
    manifests: set[str] = set()
    for path in files:
        name = path.rpartition("/")[2]
        if name == "cdk.json":
            declared.add(directory_of(path))
        elif _MANIFEST.fullmatch(name):
            manifests.add(directory_of(path))
    apps = set(declared)
    for directory in {directory_of(path) for path, uses_cdk in python.items() if uses_cdk}:
        above = tuple(ancestors(directory))
        if declared.isdisjoint(above):
            topmost = next(one for one in reversed(above) if one in python_directories)
            apps.add(next((one for one in above if one in manifests), topmost))
    home = {
        directory: next((one for one in ancestors(directory) if one in apps), None) for directory in python_directories
    }
    found: dict[str, list[str]] = {}
    used = set()
    for path, uses_cdk in python.items():
        app = home[directory_of(path)]
        if app is not None:
            found.setdefault(app, []).append(path)
            if uses_cdk:
                used.add(app)
    return {app: tuple(sorted(found[app])) for app in sorted(used)}


def facts(root: Path, directory: str, pins: Pins, errors: list[tuple[str, str]], *, shared: bool = False) -> CdkFacts:
    """What the app's manifests, `cdk.json` and `cdk.context.json` say; of a key in both, what the former says.

    `shared`: other apps are below the directory, which may go by its manifests too.
    """
    prefix = "" if directory == "." else f"{directory}/"
    context = _object(root, f"{prefix}cdk.context.json", errors)
    own = _object(root, f"{prefix}cdk.json", errors).get("context")
    if isinstance(own, dict):
        context.update(own)
    pin = pins.of(directory)
    experimental = () if shared else pins.experimental(directory)
    return CdkFacts(directory, pin.version, pin.source, context, experimental)


def _object(root: Path, path: str, errors: list[tuple[str, str]]) -> dict[str, Any]:
    """The object that a JSON file holds; empty if there is no such file, or if it is wrong, which is noted."""
    try:
        value = json.loads((root / path).read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        errors.append((path, f"can't be read: {error.strerror}"))
        return {}
    except (ValueError, RecursionError) as error:
        errors.append((path, f"is not valid JSON: {error}"))
        return {}
    return value if isinstance(value, dict) else {}
