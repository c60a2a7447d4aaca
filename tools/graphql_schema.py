"""Cut GitHub's GraphQL schema down to what the fake GitHub of the tests answers.

    npm pack @octokit/graphql-schema@15.26.1
    python tools/graphql_schema.py octokit-graphql-schema-15.26.1.tgz            writes tests/fake_github/schema.graphql
    python tools/graphql_schema.py --check octokit-graphql-schema-15.26.1.tgz    exit 1 where that file differs

What is written are the types and fields below, as GitHub has them, and the scalars, enums and inputs that they need.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from graphql import (
    REMOVE,
    DirectiveDefinitionNode,
    DirectiveNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    NamedTypeNode,
    Node,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    Visitor,
    VisitorAction,
    parse,
    print_ast,
    visit,
)

TARGET = Path(__file__).parent.parent / "tests/fake_github/schema.graphql"
CONNECTION = ["nodes", "pageInfo", "totalCount"]
FIELDS = {
    "Actor": ["login"],
    "Blob": ["byteSize", "id", "isBinary", "isTruncated", "oid", "text"],
    "Commit": ["id", "oid"],
    "ConvertPullRequestToDraftPayload": ["clientMutationId", "pullRequest"],
    "GitObject": ["id", "oid"],
    "Label": ["id", "name"],
    "LabelConnection": CONNECTION,
    "MarkPullRequestReadyForReviewPayload": ["clientMutationId", "pullRequest"],
    "Mutation": ["convertPullRequestToDraft", "markPullRequestReadyForReview"],
    "Node": ["id"],
    "PageInfo": ["endCursor", "hasNextPage", "hasPreviousPage", "startCursor"],
    "PullRequest": [
        *("baseRefName", "baseRefOid", "body", "closed", "closedAt", "createdAt", "fullDatabaseId", "headRefName"),
        *("headRefOid", "id", "isDraft", "labels", "mergeable", "merged", "mergedAt", "number", "repository", "state"),
        *("title", "updatedAt", "url", "author"),
    ],
    "PullRequestConnection": CONNECTION,
    "Query": ["id", "node", "nodes", "rateLimit", "repository", "viewer"],
    "RateLimit": ["cost", "limit", "nodeCount", "remaining", "resetAt", "used"],
    "Ref": ["id", "name", "target"],
    "Repository": [
        *("databaseId", "defaultBranchRef", "id", "isArchived", "isDisabled", "isFork", "isPrivate", "name"),
        *("nameWithOwner", "object", "pullRequest", "pullRequests", "ref", "repositoryTopics", "url"),
    ],
    "RepositoryTopic": ["id", "topic"],
    "RepositoryTopicConnection": CONNECTION,
    "Topic": ["id", "name"],
    "User": ["id", "login"],
    "Bot": ["id", "login"],
}
DESCRIPTION = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""')
Needed = (EnumTypeDefinitionNode, InputObjectTypeDefinitionNode, ScalarTypeDefinitionNode)


class Scissors(Visitor):
    """Takes away types, fields and interfaces that are not kept, and all directives."""

    def __init__(self, kept: set[str]) -> None:
        super().__init__()
        self.kept = kept

    def enter(self, node: Node, _key: Any, _parent: Any, path: list[Any], ancestors: list[Any]) -> VisitorAction:
        if isinstance(node, TypeDefinitionNode):
            return None if node.name.value in self.kept else REMOVE
        if isinstance(node, FieldDefinitionNode):
            owner = next(each for each in reversed(ancestors) if isinstance(each, TypeDefinitionNode))
            return None if node.name.value in FIELDS[owner.name.value] else REMOVE
        if isinstance(node, NamedTypeNode) and "interfaces" in path[-2:]:
            return None if node.name.value in FIELDS else REMOVE
        return REMOVE if isinstance(node, (DirectiveNode, DirectiveDefinitionNode)) else None


def cut(text: str) -> str:
    """The part of a schema that we keep; KeyError if GitHub has a type or a field of ours no more."""
    document = parse(DESCRIPTION.sub("", text), no_location=True)
    types = {node.name.value: node for node in document.definitions if isinstance(node, TypeDefinitionNode)}
    kept = set(FIELDS)
    waiting = [name for owner, fields in FIELDS.items() for name in _names(_fields(types[owner], fields))]
    while waiting:
        name = waiting.pop()
        if name not in kept and isinstance(types.get(name), Needed):
            kept.add(name)
            waiting += _names(getattr(types[name], "fields", ()))
    return print_ast(visit(document, Scissors(kept))) + "\n"


def _fields(node: TypeDefinitionNode, wanted: list[str]) -> list[Any]:
    """The fields of a type that are wanted."""
    fields = {field.name.value: field for field in getattr(node, "fields", ())}
    return [fields[name] for name in wanted]


def _names(fields: Iterable[Any]) -> Iterator[str]:
    """The types that fields and their arguments refer to."""
    for field in fields:
        for node in (field, *(getattr(field, "arguments", None) or ())):
            kind = node.type
            while not isinstance(kind, NamedTypeNode):
                kind = kind.type
            yield kind.name.value


def read(package: Path) -> str:
    """The text to write, from the tarball of the npm package."""
    with tarfile.open(package) as archive:
        names = ("package/package.json", "package/LICENSE.md", "package/schema.graphql")
        about, terms, schema = (_member(archive, name) for name in names)
    version = json.loads(about)["version"]
    head = f"From @octokit/graphql-schema {version} schema.graphql by tools/graphql_schema.py\n\n{terms}"
    return "".join(f"# {line}".rstrip() + "\n" for line in head.splitlines()) + "\n" + cut(schema)


def _member(archive: tarfile.TarFile, name: str) -> str:
    member = archive.extractfile(name)
    if member is None:
        raise FileNotFoundError(f"{name} is no file of the package")
    return member.read().decode()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("package", type=Path, help="the tarball of the npm package @octokit/graphql-schema")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the file differs")
    arguments = parser.parse_args()
    text = read(arguments.package)
    if arguments.check:
        same = TARGET.read_text() == text
        print(f"{TARGET.name}: {'as in the package' if same else 'differs from the package'}", file=sys.stderr)
        return 0 if same else 1
    TARGET.write_text(text)
    print(f"{TARGET.name}: {len(FIELDS)} types, {len(text)} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
