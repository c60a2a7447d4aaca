"""What there is: which files, which CDK apps and Terraform modules, and which versions these are pinned to.

Contents are only skimmed here, as bytes; the language packages parse them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from fixer.model import Language
from fixer.project import apps, modules
from fixer.project.files import Listing, directory_of, list_files, printable, read, root_of, skim
from fixer.project.pins import Pins
from fixer.project.units import Project, Unit

__all__ = ["Project", "Unit", "discover", "root_of"]


def discover(root: Path, paths: Sequence[Path], *, exclude: Sequence[str] = ()) -> Project:
    """Find the units of work.

    Args:
        root: The project's root, as `root_of` gives it; all of it is looked at.
        paths: Files and directories below the root: only what concerns them is reported and fixed.
        exclude: Patterns as in `.gitignore`, relative to the root, of what to leave alone.

    Returns:
        The units that hold a wanted file. What can't be looked at is among the errors, never raised.
    """
    root = root.resolve()
    asked = tuple(sorted({_relative(path, root) for path in paths})) or (".",)
    listing = list_files(root, asked, exclude)
    errors = list(listing.errors)
    found = Project(root, (), paths=(*asked, *map(printable, asked)))
    units = [
        unit
        for unit in (*_terraform(listing, errors), *_cdk(listing, found, errors))
        if any(map(found.wanted, unit.files))
    ]
    units.sort(key=lambda unit: (unit.path, unit.language))
    directories = {unit.path for unit in units}
    kept = sorted({error for error in errors if found.wanted(error[0]) or directory_of(error[0]) in directories})
    return Project(root, tuple(units), tuple(kept), listing.files, asked)


def _relative(path: Path, root: Path) -> str:
    real = path.resolve()
    return real.relative_to(root).as_posix() if real.is_relative_to(root) else "."


def _terraform(listing: Listing, errors: list[tuple[str, str]]) -> Iterable[Unit]:
    spoken: dict[str, modules.Spoken] = {}
    locks: dict[str, int] = {}
    for path in listing.files:
        if modules.is_source(path):
            data = skim(listing.root, path, errors)
            if data is not None:
                spoken[path] = modules.read(path, data)
        elif path.endswith(modules.LOCK_FILE):
            major = modules.locked_major(read(listing.root, path))
            if major is not None:
                locks[directory_of(path)] = major
    for facts, files in modules.find(spoken, listing.links, locks):
        yield Unit(Language.TERRAFORM, facts.path, files, facts)


def _cdk(listing: Listing, project: Project, errors: list[tuple[str, str]]) -> Iterable[Unit]:
    python = {}
    for path in listing.files:
        if apps.is_source(path):
            data = skim(listing.root, path, errors)
            if data is not None:
                python[path] = b"aws_cdk" in data
    pins = Pins(listing.root, listing.files)
    found = apps.group(python, listing.files)
    for directory, files in found.items():
        if any(map(project.wanted, files)):
            shared = any(directory in apps.ancestors(directory_of(other)) for other in found if other != ".")
            facts = apps.facts(listing.root, directory, pins, errors, shared=shared)
            yield Unit(Language.CDK, directory, files, facts)
