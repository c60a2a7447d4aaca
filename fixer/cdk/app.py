"""One CDK app: its facts, its files, and the index of the classes that it derives from the CDK's."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator, Mapping
from functools import cached_property
from io import BytesIO

from fixer.cdk.file import CdkFile
from fixer.cdk.outline import Index, Outline, outline
from fixer.facts import CdkFacts
from fixer.model import SourceError

_TEST = re.compile(r"(?:.*/)?(?:tests?/.*|test_[^/]*\.py|[^/]*_test\.py|conftest\.py)")
"""Where tests are, from the app's directory on: as pytest finds them, and the directories that it is commonly given."""


class CdkApp:
    """The Python files of one app. What could not be read is in `errors`, as path and message."""

    def __init__(self, facts: CdkFacts, sources: Mapping[str, bytes]) -> None:
        """Take the facts and all Python files of the app, its Lambda code too, by their project-relative paths."""
        self.facts = facts
        self.sources = sources
        self.errors: list[tuple[str, str]] = []
        self._holding: dict[str, tuple[str, ...]] = {}
        self._outlines: dict[str, Outline] = {}
        self._definitions: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        self.index = Index(facts.path, sources, self._outlines)
        self._outline_all()

    @cached_property
    def subclasses(self) -> dict[str, str]:
        """Classes of the app by name, with the CDK class that each comes from: `{"MyBucket": "aws_s3.Bucket"}`."""
        return {each.name: found.base for each, found in self.index.subclasses()}

    def holding(self, word: str) -> tuple[str, ...]:
        """The paths of the files that hold a word, Lambda code and all."""
        if word not in self._holding:
            sought = word.encode()
            self._holding[word] = tuple(path for path, source in self.sources.items() if sought in source)
        return self._holding[word]

    def definitions(self, name: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """All functions and methods of that name in the app's files, but for those that this Python can't parse."""
        if name not in self._definitions:
            self._definitions[name] = [each for path in self.holding(f"def {name}") for each in self._named(path, name)]
        return self._definitions[name]

    def _named(self, path: str, name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        try:
            tree = ast.parse(self.sources[path])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                yield node

    @cached_property
    def tests(self) -> frozenset[str]:
        """The paths of the app's tests: they stand where tests do, and no other file of the app imports them."""
        above = "" if self.facts.path == "." else f"{self.facts.path}/"
        tests = {path for path in self.sources if _TEST.fullmatch(path.removeprefix(above))}
        programs = [path for path in self._outlines if path not in tests] if tests else []
        while programs:
            found = tests.intersection(self.index.imported(programs.pop()))
            tests -= found
            programs += found & self._outlines.keys()
        return frozenset(tests)

    def files(self) -> Iterator[CdkFile]:
        """Files that import the CDK or a class of the app that comes from it, but no tests, each read in its turn."""
        for path in sorted(self._outlines.keys() - self.tests):
            yield CdkFile(self, path, self.sources[path], self._outlines[path])

    def file(self, path: str) -> CdkFile | None:
        """One of the files that `files` gives; None for any other."""
        found = self._outlines.get(path) if path not in self.tests else None
        return CdkFile(self, path, self.sources[path], found) if found is not None else None

    def _outline_all(self) -> None:
        waiting = {path: source for path, source in self.sources.items() if b"\0" not in source}
        for path in self.sources.keys() - waiting.keys():
            if b"aws_cdk" in self.sources[path]:
                self.errors.append((path, "holds NUL bytes"))
        concerned = [path for path, source in waiting.items() if b"aws_cdk" in source]
        aside: dict[str, Outline] = {}
        known: set[str] = set()
        while concerned or aside:
            for path in concerned:
                found = self._outline(path, waiting.pop(path))
                if found is not None:
                    aside[path] = found
            taken = {path: found for path, found in aside.items() if _concerns(found, known)}
            self._outlines.update(taken)
            fresh = {each.name for each, _ in self.index.subclasses()} - known
            aside = {path: found for path, found in aside.items() if path not in taken}
            known |= fresh
            if not fresh:
                break
            words = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in sorted(fresh)).encode())
            concerned = [path for path, source in waiting.items() if words.search(source)]

    def _outline(self, path: str, source: bytes) -> Outline | None:
        problem = _encoding_problem(source)
        if problem is not None:
            self._error(path, problem)
            return None
        try:
            return outline(source)
        except (RecursionError, MemoryError):
            self._error(path, "nests too deep to be read")
            return None
        except SyntaxError as error:
            return self._outline_of_newer(path, source, f"is not valid Python: {error.msg} (line {error.lineno})")

    def _outline_of_newer(self, path: str, source: bytes, message: str) -> Outline | None:
        """The outline of a file in a syntax that is newer than this Python, through LibCST."""
        from fixer.cdk.tree import Tree

        try:
            return Tree(source).outline()
        except SourceError:
            self._error(path, message)
            return None

    def _error(self, path: str, message: str) -> None:
        self.errors.append((path, message))


def _encoding_problem(source: bytes) -> str | None:
    """Why a file can't be read as UTF-8, which is all that is read here."""
    try:
        source.decode("utf-8")
        encoding, _ = tokenize.detect_encoding(BytesIO(source).readline)
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        return f"is not UTF-8 (line {line}); convert it first"
    except SyntaxError as error:
        return f"has an encoding that can't be read: {error.msg}"
    if encoding.startswith("utf-8") or source.isascii():
        return None
    return f"says that it is {encoding}; convert it to UTF-8 first"


def _concerns(found: Outline, classes: set[str]) -> bool:
    targets = [target for each in found.imports.values() for target in each]
    if any(target.partition(".")[0] == "aws_cdk" for target in targets):
        return True
    return any(target.rpartition(".")[2] in classes for target in targets) or bool(
        found.words is not None and found.words & classes
    )


def load(facts: CdkFacts, sources: Mapping[str, bytes]) -> CdkApp:
    """Read an app from its facts and all its Python files; what can't be read is in `CdkApp.errors`, never raised."""
    return CdkApp(facts, sources)
