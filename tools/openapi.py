"""Cut GitHub's description of its REST API down to the operations that the fake GitHub of the tests answers.

    npm pack @octokit/openapi@23.0.2
    python tools/openapi.py octokit-openapi-23.0.2.tgz            writes tests/fake_github/api.github.com.json
    python tools/openapi.py --check octokit-openapi-23.0.2.tgz    exit 1 where that file differs from the package

What is written is a valid OpenAPI document: the operations below, all components that they refer to, and no prose.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "tests/fake_github/api.github.com.json"
MEMBER = "package/generated/api.github.com.json"
WANTED = {
    "apps": [
        "create-installation-access-token",
        "get-authenticated",
        "get-installation",
        "get-org-installation",
        "get-repo-installation",
        "get-user-installation",
        "list-installations",
        "list-repos-accessible-to-installation",
    ],
    "git": [
        "create-blob",
        "create-commit",
        "create-ref",
        "create-tree",
        "delete-ref",
        "get-blob",
        "get-commit",
        "get-ref",
        "get-tree",
        "list-matching-refs",
        "update-ref",
    ],
    "issues": [
        "add-assignees",
        "add-labels",
        "create-comment",
        "create-label",
        "delete-comment",
        "get",
        "get-label",
        "list-comments",
        "list-labels-for-repo",
        "list-labels-on-issue",
        "remove-all-labels",
        "remove-label",
        "set-labels",
        "update",
        "update-comment",
    ],
    "orgs": ["get"],
    "pulls": [
        "check-if-merged",
        "create",
        "get",
        "list",
        "list-commits",
        "list-files",
        "list-requested-reviewers",
        "merge",
        "remove-requested-reviewers",
        "request-reviewers",
        "update",
    ],
    "rate-limit": ["get"],
    "repos": [
        "compare-commits-with-basehead",
        "get",
        "get-all-topics",
        "get-branch",
        "get-commit",
        "get-content",
        "list-branches",
        "list-commits",
        "list-for-authenticated-user",
        "list-for-org",
        "list-for-user",
    ],
    "search": ["repos"],
    "users": ["get-authenticated", "get-by-username"],
}
OPERATIONS = frozenset(f"{group}/{name}" for group, names in WANTED.items() for name in names)
PROSE = frozenset({"summary", "description", "example", "examples", "externalDocs", "tags", "title"})
NAMED = frozenset(
    {"properties", "schemas", "parameters", "responses", "headers", "content", "mapping", "patternProperties"}
)
"""Keys whose value is a mapping by free name: a schema may well have a property `description`."""


def bare(node: Any, *, named: bool = False) -> Any:
    """The node without prose and extensions; `named`: the keys of this mapping are names, not words of OpenAPI."""
    if isinstance(node, list):
        return [bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if named or not (key in PROSE or key.startswith("x-"))}
    return {
        key: value if key in {"enum", "default"} and not named else bare(value, named=not named and key in NAMED)
        for key, value in kept.items()
    }


def references(node: Any) -> Iterator[tuple[str, str]]:
    """The components that a node refers to: their kind and their name."""
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        target = node.get("$ref")
        if isinstance(target, str):
            _, _, kind, name = target.split("/")
            yield kind, name
        for item in node.values():
            yield from references(item)


def subset(document: dict[str, Any]) -> dict[str, Any]:
    """The document with our operations and the components they need; KeyError if GitHub has one of them no more."""
    paths: dict[str, Any] = {}
    found = set()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if operation["operationId"] in OPERATIONS:
                found.add(operation["operationId"])
                paths.setdefault(path, {})[method] = _described(bare(operation))
    if missing := OPERATIONS - found:
        raise KeyError(f"not in the description: {', '.join(sorted(missing))}")
    components: dict[str, dict[str, Any]] = {}
    waiting = sorted(set(references(paths)))
    while waiting:
        kind, name = waiting.pop()
        if name not in components.setdefault(kind, {}):
            node = bare(document["components"][kind][name])
            components[kind][name] = {"description": "", **node} if kind == "responses" else node
            waiting += sorted(set(references(node)))
    return {"openapi": document["openapi"], "paths": paths, "components": components}


def _described(operation: dict[str, Any]) -> dict[str, Any]:
    """The operation with the empty descriptions of its responses, which OpenAPI demands."""
    responses = operation["responses"]
    operation["responses"] = {
        status: response if "$ref" in response else {"description": "", **response}
        for status, response in responses.items()
    }
    return operation


def read(package: Path) -> dict[str, Any]:
    """The document to write, from the tarball of the npm package."""
    with tarfile.open(package) as archive:
        about, document = (json.loads(_member(archive, name)) for name in ("package/package.json", MEMBER))
        terms = _member(archive, "package/LICENSE").decode()
    info = {
        "title": "GitHub REST API, the part that the tests use",
        "version": about["version"],
        "license": {"name": about["license"], "x-text": terms},
        "x-source": f"{about['name']} {about['version']} {MEMBER.removeprefix('package/')} by tools/openapi.py",
    }
    return {"info": info, **subset(document)}


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise FileNotFoundError(f"{name} is no file of the package")
    return member.read()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("package", type=Path, help="the tarball of the npm package @octokit/openapi")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the file differs")
    arguments = parser.parse_args()
    text = json.dumps(read(arguments.package), separators=(",", ":"), sort_keys=True) + "\n"
    if arguments.check:
        same = TARGET.read_text() == text
        print(f"{TARGET.name}: {'as in the package' if same else 'differs from the package'}", file=sys.stderr)
        return 0 if same else 1
    TARGET.write_text(text)
    print(f"{TARGET.name}: {len(OPERATIONS)} operations, {len(text)} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
