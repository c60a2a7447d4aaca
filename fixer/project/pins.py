"""Which version of aws-cdk-lib an app is pinned to, as its manifests and lock files tell."""

from __future__ import annotations

import ast
import codecs
import configparser
import json
import posixpath
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from fixer.project.files import directory_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LOCKED, _EXACT, _RANGE, _UNPINNED, _UNREADABLE = range(5)

_Wish = tuple[str, str, SpecifierSet]
"""File, distribution and versions that it asks for."""


@dataclass(frozen=True)
class Pin:
    """The lowest version that is allowed; None for the newest there is, `(1,)` for the newest of CDK v1."""

    version: tuple[int, ...] | None = None
    source: str = ""
    """File and requirement that say so; empty if none does."""


@dataclass(frozen=True)
class _Mention:
    major: int
    rank: int
    version: tuple[int, ...] | None
    source: str
    allowed: SpecifierSet

    def allows(self, other: _Mention) -> bool:
        """Whether the other one may say more exactly what this one leaves open."""
        if self.rank == _UNREADABLE:
            return True
        return self.major == other.major and other.version is not None and self.allowed.contains(_text(other.version))


class Pins:
    """The pins of a project.

    Args:
        root: The project's root.
        files: All its files.
    """

    def __init__(self, root: Path, files: Iterable[str]) -> None:
        self._root = root
        self._manifests: dict[str, list[str]] = {}
        for path in files:
            directory, name = directory_of(path), path.rpartition("/")[2]
            if directory.rpartition("/")[2] == "requirements" and name.endswith((".txt", ".in")):
                self._manifests.setdefault(directory_of(directory), []).append(path)
            elif _is_manifest(name):
                self._manifests.setdefault(directory, []).append(path)
        self._known: dict[str, list[_Mention]] = {}

    def of(self, directory: str) -> Pin:
        """The pin that counts in a directory.

        An exact version counts, the nearest first, a lock file's before others in the same directory. An open
        requirement is completed by an exact version further up if it allows that; else its lowest version counts.
        """
        best: _Mention | None = None
        here = directory
        while True:
            for mention in self._mentions(here):
                if best is not None and not best.allows(mention):
                    continue
                if mention.rank <= _EXACT:
                    return Pin(mention.version, mention.source)
                if best is None or mention.rank < best.rank:
                    best = mention
            if here == ".":
                return Pin(best.version, best.source) if best else Pin()
            here = directory_of(here)

    def experimental(self, directory: str) -> tuple[tuple[str, str], ...]:
        """The packages of experimental modules of the CDK that a directory's manifests ask for, each with its file.

        Names are as they are written; lock files, which follow the others, are not looked at.
        """
        found: dict[tuple[str, str], None] = {}
        for path in self._manifests.get(directory, ()):
            try:
                wishes = [] if path.rpartition("/")[2] in _LOCKS else list(self._wishes(path))
            except (ValueError, SyntaxError, OSError, configparser.Error, RecursionError, MemoryError):
                continue  # the pin says that it can't be read
            for file, name, _ in wishes:
                package = canonicalize_name(name)
                if package.startswith("aws-cdk-") and package.endswith("-alpha"):
                    found[name, file] = None
        return tuple(sorted(found))

    def _mentions(self, directory: str) -> list[_Mention]:
        """What the manifests of one directory say, the best first."""
        if directory not in self._known:
            paths = sorted(self._manifests.get(directory, ()), key=_order)
            found = [(at, mention) for at, path in enumerate(paths) for mention in self._read(path)]
            found.sort(key=lambda one: (-one[1].major, one[1].rank, one[0], one[1].version or ()))
            self._known[directory] = [mention for _, mention in found]
        return self._known[directory]

    def _read(self, path: str) -> Iterator[_Mention]:
        name = path.rpartition("/")[2]
        rank = _LOCKED if name in _LOCKS else None
        try:
            yield from [_mention(wish, rank) for wish in self._wishes(path) if _major(wish[1])]
        except (ValueError, SyntaxError, OSError, configparser.Error, RecursionError, MemoryError):
            yield _Mention(2, _UNREADABLE, None, f"{path} (unreadable)", SpecifierSet())

    def _wishes(self, path: str) -> Iterable[_Wish]:
        data = (self._root / path).read_bytes()
        name = path.rpartition("/")[2]
        if name not in _READERS:
            return self._requirements(path, data, {path})
        return [(path, *wish) for wish in _READERS[name](_decoded(data))]

    def _requirements(self, path: str, data: bytes, seen: set[str]) -> Iterator[_Wish]:
        """Requirements in pip's format, and those of the files that it names."""
        for line in re.sub(r"\\\r?\n", " ", _decoded(data)).splitlines():
            text = re.sub(r"(?:^|\s)#.*", "", line).strip()
            if included := re.match(r"(?:-r|-c|--requirement|--constraint)(?:\s*=\s*|\s*)(\S+)", text):
                inner = posixpath.normpath(posixpath.join(posixpath.dirname(path), included[1]))
                full = self._root / inner
                if inner not in seen and not inner.startswith("..") and full.is_file():
                    seen.add(inner)
                    yield from self._requirements(inner, full.read_bytes(), seen)
            elif "cdk" in text.lower() and not text.startswith("-"):
                yield (path, *_requirement(re.split(r"\s--", text)[0]))


def _decoded(data: bytes) -> str:
    """The text, by its byte-order mark as pip does; Windows shells write requirements in UTF-16."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


# ---- versions ----------------------------------------------------------------------------------


@cache
def _major(name: str) -> int:
    """2 for aws-cdk-lib, 1 for the packages of v1 (not the alpha ones of v2), 0 for all others."""
    name = canonicalize_name(name)
    if name == "aws-cdk-lib":
        return 2
    return int(name == "aws-cdk-core" or (name.startswith("aws-cdk-aws-") and not name.endswith("-alpha")))


def _mention(wish: _Wish, rank: int | None) -> _Mention:
    path, name, versions = wish
    major = _major(name)
    lowest = lowest_version(versions, major)
    if rank is None:
        exact = any(one.operator.startswith("==") and not one.version.endswith(".*") for one in versions)
        rank = _EXACT if exact else _RANGE if lowest else _UNPINNED
    if lowest is None and major == 1:
        lowest = (1,)
    return _Mention(major, rank, lowest, f"{path}: {name}{versions}", versions)


def lowest_version(versions: SpecifierSet, major: int) -> tuple[int, ...] | None:
    """The lowest version of a major one that is allowed, with three parts; None if nothing bounds it."""
    start = Version(f"{major}.0.0")
    bounds = [
        Version(one.version.removesuffix(".*")) for one in versions if one.operator in (">=", ">", "==", "===", "~=")
    ]
    if not any(bound >= start for bound in bounds) and versions.contains(f"{major}.999999.0"):
        return None
    lowest = max(start, *bounds) if bounds else start
    parts = (*lowest.release, 0, 0)[:3]
    for patch in range(parts[2], parts[2] + 100):  # what `>` and `!=` rule out
        if versions.contains(_text((*parts[:2], patch)), prereleases=True):
            return (*parts[:2], patch)
    return parts


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


# ---- formats -----------------------------------------------------------------------------------

_Named = tuple[str, SpecifierSet]


def _requirement(text: str) -> _Named:
    wish = Requirement(text)
    return wish.name, wish.specifier


def _strings(values: Any) -> Iterator[_Named]:
    """Those of a list of requirements that name the CDK."""
    for value in values if isinstance(values, list) else ():
        if isinstance(value, str) and "cdk" in value.lower():
            yield _requirement(value)


def _table(data: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _caret(table: Mapping[str, Any]) -> Iterator[_Named]:
    """Requirements by name in the format of Poetry, which that of Pipenv is a part of."""
    for name, value in table.items():
        if not _major(name):
            continue
        for one in value if isinstance(value, list) else [value]:
            text = one.get("version", "*") if isinstance(one, dict) else one
            parts = [part.strip() for part in str(text).partition("||")[0].split(",")]
            yield name, SpecifierSet(",".join(_standard(part) for part in parts if part not in ("", "*")))


def _standard(part: str) -> str:
    """Poetry's `^2.1`, `~2.1` and `2.1` in the words of the standard; upper bounds do not matter here."""
    if part[0].isdigit():
        return f"=={part}"
    return re.sub(r"^(?:\^|~(?!=))\s*", ">=", part)


def _pyproject(text: str) -> Iterator[_Named]:
    data = tomllib.loads(text)
    project, tool = _table(data, "project"), _table(data, "tool")
    yield from _strings(project.get("dependencies"))
    groups = (
        _table(project, "optional-dependencies"),
        _table(data, "dependency-groups"),
        _table(tool, "pdm", "dev-dependencies"),
    )
    for requirements in (one for group in groups for one in group.values()):
        yield from _strings(requirements)
    yield from _strings(_table(tool, "uv").get("dev-dependencies"))
    yield from _caret(_table(tool, "poetry", "dependencies"))
    yield from _caret(_table(tool, "poetry", "dev-dependencies"))
    for group in _table(tool, "poetry", "group").values():
        yield from _caret(_table(group, "dependencies"))


def _pipfile(text: str) -> Iterator[_Named]:
    data = tomllib.loads(text)
    for section in ("packages", "dev-packages"):
        yield from _caret(_table(data, section))


def _pipfile_lock(text: str) -> Iterator[_Named]:
    data = json.loads(text)
    for section in ("default", "develop"):
        yield from _caret(_table(data, section))


_LOCKED_PACKAGE = re.compile(r'^name = "(aws[-_.]cdk[-_.][^"]*)"\r?\nversion = "([^"]*)"', re.MULTILINE)


def _toml_lock(text: str) -> Iterator[_Named]:
    """The entries of poetry.lock, uv.lock, pdm.lock and pylock.toml: tools write name and version on two lines."""
    for name, version in _LOCKED_PACKAGE.findall(text):
        yield name, SpecifierSet(f"=={version}")


def _setup_cfg(text: str) -> Iterator[_Named]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    values = [parser.get("options", "install_requires", fallback="")]
    if parser.has_section("options.extras_require"):
        values += parser["options.extras_require"].values()
    for value in values:
        yield from _strings(value.splitlines())


_LITERAL = re.compile(r"\s*(aws[-_.]cdk[-_.][\w.-]*)")


def _setup_py(text: str) -> Iterator[_Named]:
    """Every string that begins as a requirement of the CDK does; one that goes on with a `{...}` is open."""
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        if match := _LITERAL.match(node.value):
            unfinished = node.value.rstrip().endswith(("=", ">", "<"))
            yield (match[1], SpecifierSet()) if unfinished else _requirement(node.value)


_LOCKS: Mapping[str, Callable[[str], Iterator[_Named]]] = {
    "uv.lock": _toml_lock,
    "poetry.lock": _toml_lock,
    "pdm.lock": _toml_lock,
    "pylock.toml": _toml_lock,
    "Pipfile.lock": _pipfile_lock,
}
_READERS: Mapping[str, Callable[[str], Iterator[_Named]]] = {
    **_LOCKS,
    "pyproject.toml": _pyproject,
    "Pipfile": _pipfile,
    "setup.cfg": _setup_cfg,
    "setup.py": _setup_py,
}
_REQUIREMENTS = re.compile(r"requirements[^/]*\.(?:txt|in)")
_BEFORE = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock", "requirements.txt", "pyproject.toml")


def _is_manifest(name: str) -> bool:
    return name in _READERS or _REQUIREMENTS.fullmatch(name) is not None


def _order(path: str) -> tuple[int, str]:
    """Where a manifest stands among those of its directory."""
    name = path.rpartition("/")[2]
    return (_BEFORE.index(name) if name in _BEFORE else len(_BEFORE), path)
