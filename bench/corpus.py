"""What is measured: the Terraform and the CDK Python of some directories, copied into scratch.

Sizes are in bytes, a megabyte is 10^6 of them.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("terraform", "cdk")
MEGABYTE = 1_000_000

_SKIPPED = {"node_modules", "cdk.out", "site-packages", "__pycache__"}
_MARKERS = ("cdk.json", "requirements.txt")


@dataclass(frozen=True)
class Unit:
    """Files that belong together: a Terraform module's directory, or a CDK app.

    `files` and `markers` are relative to `root`. Markers tell an app and its versions; they are copied, never counted.
    """

    root: Path
    files: tuple[Path, ...]
    markers: tuple[Path, ...] = ()

    @property
    def size(self) -> int:
        """The bytes of the files."""
        return sum((self.root / file).stat().st_size for file in self.files)


@dataclass(frozen=True)
class Corpus:
    """A directory of copies, and how many files and bytes there are to measure in it."""

    root: Path
    files: int
    size: int

    @property
    def megabytes(self) -> float:
        """The size in megabytes."""
        return self.size / MEGABYTE


def units(root: Path, language: str) -> list[Unit]:
    """The units of a language below a directory; symbolic links, hidden and vendored directories are left out.

    CDK Python is every .py file that says `aws_cdk`: an app's other Python is dismissed at once, so counting it would
    flatter the figures.
    """
    together: dict[Path, list[Path]] = {}
    for file in _walk(root):
        if _wanted(file, language):
            together.setdefault(_home(root, file), []).append(file.relative_to(root))
    return [
        Unit(root, tuple(files), tuple((home / m).relative_to(root) for m in _MARKERS if (home / m).is_file()))
        for home, files in sorted(together.items())
    ]


def sample(found: Iterable[Unit], megabytes: float) -> list[Unit]:
    """Whole units up to about that size, at least one, drawn in an order that is the same every time."""
    chosen: list[Unit] = []
    size = 0
    for unit in sorted(found, key=lambda u: hashlib.sha256(u.files[0].as_posix().encode()).digest()):
        if not chosen or size + unit.size <= megabytes * MEGABYTE:
            chosen.append(unit)
            size += unit.size
    return chosen


def lay_out(chosen: Sequence[Unit], target: Path, copies: Iterable[int] = (0,)) -> Corpus:
    """Copy the units to `target/copy-00/1-<name of their root>/...`, once for each number; what is there stays.

    Returns all that is in `target` now, counted as `chosen` times the copies there.
    """
    numbers = {root: number for number, root in enumerate(dict.fromkeys(unit.root for unit in chosen), start=1)}
    for copy in copies:
        for unit in chosen:
            into = target / f"copy-{copy:02}" / f"{numbers[unit.root]}-{unit.root.name}"
            for path in (*unit.files, *unit.markers):
                _copy(unit.root / path, into / path)
    there = sum(1 for _ in target.glob("copy-*"))
    return Corpus(target, there * sum(len(u.files) for u in chosen), there * sum(u.size for u in chosen))


def doubled(chosen: Sequence[Unit], target: Path, times: int) -> Iterator[tuple[int, Corpus]]:
    """The same units once, twice, four times ...: doubled `times` times, as copies side by side in one directory.

    Yields the factor and the corpus at that moment; the directory grows when the next one is asked for.
    """
    there = 0
    for factor in (2**n for n in range(times + 1)):
        yield factor, lay_out(chosen, target, range(there, factor))
        there = factor


def repeated(chosen: Sequence[Unit], target: Path, files: int) -> Corpus:
    """Exactly `files` files: the units over and over, the last one cut short."""
    taken = size = 0
    for round_ in itertools.count():
        for unit in chosen:
            part = unit.files[: files - taken]
            for path in (*part, *unit.markers):
                _copy(unit.root / path, target / f"copy-{round_:02}" / unit.root.name / path)
            taken += len(part)
            size += Unit(unit.root, part).size
            if taken == files:
                return Corpus(target, taken, size)
    raise AssertionError("unreachable")


def _walk(root: Path) -> Iterator[Path]:
    for here, directories, files in os.walk(root):
        directories[:] = sorted(d for d in directories if not d.startswith(".") and d not in _SKIPPED)
        yield from (path for path in (Path(here, name) for name in sorted(files)) if not path.is_symlink())


def _wanted(file: Path, language: str) -> bool:
    if language == "terraform":
        return file.suffix in (".tf", ".tofu")
    return file.suffix == ".py" and b"aws_cdk" in file.read_bytes()


def _home(root: Path, file: Path) -> Path:
    inside = itertools.takewhile(lambda directory: directory != root.parent, file.parents)
    return next((directory for directory in inside if (directory / "cdk.json").is_file()), file.parent)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
