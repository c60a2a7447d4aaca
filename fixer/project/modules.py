"""Terraform modules: who calls whom, and which versions of the aws provider and of Terraform they allow.

Files are read with a small tokeniser here, as bytes, and only where a word in them matters; it follows no expressions.
"""

from __future__ import annotations

import itertools
import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fixer.facts import TerraformFacts
from fixer.project.files import directory_of

MAJORS = (2, 3, 4, 5, 6)
"""The major versions of the aws provider that iacfix tells apart."""

LOCK_FILE = ".terraform.lock.hcl"

_SUFFIXES = (".tf", ".tofu", ".tf.json", ".tofu.json")


@dataclass(frozen=True)
class Spoken:
    """What one file says."""

    calls: tuple[tuple[str, int], ...] = ()
    """Sources of the local modules that it calls, each with its line."""
    aws: tuple[str, ...] = ()
    """Constraints on the aws provider."""
    terraform: str | None = None


def is_source(path: str) -> bool:
    """Whether Terraform or OpenTofu reads the file; they pass over hidden ones and those that editors leave behind."""
    return path.endswith(_SUFFIXES) and not path.rpartition("/")[2].startswith((".", "#"))


# ---- one file ----------------------------------------------------------------------------------

_BLOCKS = frozenset({"module", "provider", "terraform"})
_OTHER_BLOCKS = frozenset(
    {"check", "data", "ephemeral", "import", "locals", "moved", "output", "removed", "resource", "variable"}
)
_WORDS = (b'"./', b'"../', b"required_version", b"required_providers", b'provider "aws"')
"""A file with none of them says nothing here."""
_HEADER = re.compile(rb'^[ \t]*(?:module|terraform|provider)\b[ \t]*(?:"[^"\n]*"|\w*)[ \t]*\{', re.MULTILINE)
_FOREIGN = re.compile(
    rb"<<-?[ \t]*(?P<tag>[\w-]+)[ \t]*\r?\n.*?^[ \t]*(?P=tag)\b|^[ \t]*/\*.*?\*/", re.DOTALL | re.MULTILINE
)
"""Heredocs and long comments: they may hold what looks like a block."""
_TOKEN = re.compile(
    rb"""
      (?: \# | // ) [^\n]*  |  /\* .*? \*/
    | " (?P<string> (?: \\. | [^"\\\n] )* ) "
    | (?P<word> [A-Za-z_] [\w-]* )
    | (?P<mark> [{}=\n,] )
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def read(path: str, data: bytes) -> Spoken:
    """What a file says; nothing if it can't be understood."""
    if path.endswith(".json"):
        said = _json_settings(data)
    elif any(word in data for word in _WORDS):
        said = _settings(data)
    else:
        return Spoken()
    calls: list[tuple[str, int]] = []
    aws: list[str] = []
    terraform = None
    for where, value, line in said:
        match where:
            case ("module", _, "source") if value.startswith(("./", "../")):
                calls.append((value, line))
            case ("terraform", "required_providers", "aws") | ("terraform", "required_providers", "aws", "version"):
                aws.append(value)
            case ("provider", "aws", "version"):
                aws.append(value)
            case ("terraform", "required_version"):
                terraform = value
    return Spoken(tuple(calls), tuple(aws), terraform)


_Setting = tuple[tuple[str, ...], str, int]
"""Blocks and names that lead to a literal string, the string, and its line."""


def _settings(data: bytes) -> Iterator[_Setting]:
    """The literal strings of the blocks that matter, each read from its first line to its last brace."""
    data = _FOREIGN.sub(lambda match: b"\n" * match[0].count(b"\n"), data)
    at = 0
    while header := _HEADER.search(data, at):
        path: list[tuple[str, ...]] = []
        words: list[str] = []
        for token in _TOKEN.finditer(data, header.start()):
            at = token.end()
            mark = token["mark"]
            if token["string"] is not None:
                text = token["string"].decode("utf-8", "replace")
                if len(words) == 2 and words[1] == "=":
                    line = data.count(b"\n", 0, token.start()) + 1
                    yield (*itertools.chain(*path), words[0]), text, line
                words.append(text)
            elif token["word"]:
                word = token["word"].decode()
                first = not token.start() or data[token.start() - 1] == _NEWLINE
                if first and (word in _BLOCKS or word in _OTHER_BLOCKS):
                    path, words = [], []  # whatever braces were miscounted before
                words.append(word)
            elif mark == b"=":
                words.append("=")
            elif mark:
                if mark == b"{":
                    path.append(tuple(word for word in words if word != "="))
                elif mark == b"}" and path:
                    path.pop()
                    if not path:
                        break
                words = []
        else:
            return


_NEWLINE = ord("\n")


def _json_settings(data: bytes) -> Iterator[_Setting]:
    """The same of a file in JSON; the line is that of the first place where the string stands."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    todo: list[tuple[tuple[str, ...], Any]] = [((), document)]
    while todo:
        where, value = todo.pop()
        if isinstance(value, dict):
            todo += [((*where, key), inner) for key, inner in value.items() if where or key in _BLOCKS]
        elif isinstance(value, list):
            todo += [(where, inner) for inner in value]
        elif isinstance(value, str):
            at = data.find(json.dumps(value).encode())
            yield where, value, data.count(b"\n", 0, max(at, 0)) + 1


_LOCKED_AWS = re.compile(rb'^provider "[^"\n]*/hashicorp/aws" \{\s*version\s*=\s*"(\d+)\.', re.MULTILINE)


def locked_major(data: bytes) -> int | None:
    """The major version of the aws provider that a lock file names."""
    match = _LOCKED_AWS.search(data)
    return int(match[1]) if match else None


# ---- version constraints -----------------------------------------------------------------------

_CONSTRAINT = re.compile(r"(=|!=|>=|<=|>|<|~>|)\s*v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+].*)?")


def allowed_majors(constraints: Iterable[str]) -> tuple[int, ...]:
    """The major versions of which the constraints, taken together, allow a release.

    Missing parts of a version are zero, and `~>` lets the minor version grow unless all three parts are given, as in
    `MeetingConstraints` of the Go module apparentlymart/go-versions, which Terraform uses. What is no constraint counts
    as none.
    """
    terms = [
        (match[1], int(match[2]), match[3], match[4])
        for text in constraints
        for part in text.split(",")
        if (match := _CONSTRAINT.fullmatch(part.strip()))
    ]
    return tuple(major for major in MAJORS if _meets(major, terms))


def _meets(major: int, terms: Iterable[tuple[str, int, str | None, str | None]]) -> bool:
    low, high = (major, 0, 0), (major + 1, 0, 0)
    for operator, first, second, third in terms:
        version = (first, int(second or 0), int(third or 0))
        after = (*version[:2], version[2] + 1)
        if operator in ("", "=", ">=", "~>"):
            low = max(low, version)
        elif operator == ">":
            low = max(low, after)
        if operator in ("", "=", "<="):
            high = min(high, after)
        elif operator == "<":
            high = min(high, version)
        elif operator == "~>":
            high = min(high, (first + 1, 0, 0) if third is None else (first, version[1] + 1, 0))
    return low < high


# ---- the modules of a project ------------------------------------------------------------------


def find(
    spoken: Mapping[str, Spoken], links: Mapping[str, str], locks: Mapping[str, int]
) -> Iterator[tuple[TerraformFacts, tuple[str, ...]]]:
    """The modules and their files.

    Args:
        spoken: What each file says.
        links: Symbolic links and what they lead to: a module that takes a file so is told what it says there.
        locks: The aws provider's major version by the directory of the lock file.
    """
    modules: dict[str, list[str]] = {}
    for path in spoken:
        modules.setdefault(directory_of(path), []).append(path)
    calls: dict[str, list[tuple[str, int]]] = {}
    callers: dict[str, set[str]] = {}
    constraints: dict[str, list[str]] = {}
    terraform: dict[str, str] = {}
    linked = {link: spoken[target] for link, target in links.items() if is_source(link) and target in spoken}
    for path, said in sorted({**linked, **spoken}.items()):
        directory = directory_of(path)
        constraints.setdefault(directory, []).extend(said.aws)
        if said.terraform is not None:
            terraform.setdefault(directory, said.terraform)
        for source, line in said.calls:
            called = posixpath.normpath(posixpath.join(directory, source))
            calls.setdefault(called, []).append((path, line))
            callers.setdefault(called, set()).add(directory)
    majors = _majors(constraints, callers, locks)
    for directory, files in sorted(modules.items()):
        called_by = tuple(f"{path}:{line}" for path, line in sorted(calls.get(directory, ())))
        facts = TerraformFacts(directory, called_by, majors.get(directory, ()), terraform.get(directory))
        yield facts, tuple(sorted(files))


def _majors(
    constraints: Mapping[str, list[str]], callers: Mapping[str, set[str]], locks: Mapping[str, int]
) -> dict[str, tuple[int, ...]]:
    """The majors that each directory allows; one that says nothing itself allows what its callers do."""
    known = {directory: allowed_majors(texts) for directory, texts in constraints.items() if texts}
    known.update({directory: (major,) for directory, major in locks.items()})
    silent = [directory for directory in callers if directory not in known]
    growing = True
    while growing:
        growing = False
        for directory in silent:
            union = tuple(sorted({major for caller in callers[directory] for major in known.get(caller, ())}))
            if union != known.get(directory, ()):
                known[directory] = union
                growing = True
    return known
