"""GitHub's own description of its REST API, `api.github.com.json`, as a judge of requests and answers.

The file is made by `tools/openapi.py`. OpenAPI 3.0 is not quite JSON Schema: what differs (`nullable`) is translated.
And the world is closed: a property that GitHub does not describe is a fault, in requests and in answers.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

DOCUMENT = Path(__file__).parent / "api.github.com.json"
LONG = frozenset({"ref", "path", "branch", "basehead"})
"""Parameters that may hold slashes."""
ERRORS = frozenset({301, 307, 400, 401, 403, 404, 405, 409, 410, 422, 429, 500, 502, 503})
"""What each operation may answer with a `basic-error`, whether it is described for it or not."""
OLDER = frozenset({"issues/add-labels", "issues/set-labels"})
"""Operations whose body may be a bare list of labels: earlier descriptions say so, and PyGithub sends that."""
MISTAKEN = {
    ("apps/list-installations", "200"): {"type": "array", "items": {"$ref": "#/components/schemas/installation"}}
}
"""Answers whose description nothing can satisfy: there an account is a person and an enterprise at the same time."""
COMBINED = ("oneOf", "anyOf")


@dataclass(frozen=True)
class Operation:
    """One method on one path: `pulls/create` is POST /repos/{owner}/{repo}/pulls."""

    name: str
    method: str
    path: str
    pattern: re.Pattern[str]
    queries: Mapping[str, Mapping[str, Any]]
    """The schema of each parameter of the query."""
    raw: Mapping[str, Any]

    @property
    def writes(self) -> bool:
        return self.method not in {"GET", "HEAD"}


class Description:
    """The operations, by path; and whether a body is as described."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.operations = {operation.name: operation for operation in self._read()}

    @classmethod
    @functools.cache
    def of_github(cls) -> Description:
        return cls(json.loads(DOCUMENT.read_text()))

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation that a request means, with the parameters of its path decoded."""
        for operation in self.operations.values():
            if operation.method == method and (match := operation.pattern.fullmatch(path)):
                return operation, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    def request_problem(self, operation: Operation, query: Mapping[str, str], body: object) -> str | None:
        """What GitHub would not understand in a request; None if all of it is described."""
        for name, value in query.items():
            if name not in operation.queries:
                return f"{operation.name} has no parameter {name!r}"
            if problem := _problem(
                self._validator("query", operation.name, name), _typed(value, operation.queries[name])
            ):
                return f"parameter {name}: {problem}"
        described = operation.raw.get("requestBody")
        if described is None:
            return None if body is None else f"{operation.name} takes no body"
        if body is None:
            return f"{operation.name} needs a body" if described.get("required") else None
        if operation.name in OLDER and isinstance(body, list):
            body = {"labels": body}
        return _problem(self._validator("body", operation.name, ""), body)

    def response_problem(self, operation: Operation, status: int, body: object) -> str | None:
        """What GitHub would not answer; None if the answer is described."""
        if str(status) not in operation.raw["responses"] and status not in ERRORS:
            return f"{operation.name} does not answer {status}"
        validator = self._validator("response", operation.name, str(status))
        if validator is None:
            return None if body is None else f"{operation.name} has no body with {status}"
        return _problem(validator, body)

    @functools.cache  # noqa: B019 - there is one description for as long as the process lives
    def _validator(self, kind: str, operation: str, part: str) -> jsonschema_rs.Validator | None:
        raw = self.operations[operation].raw
        node: Mapping[str, Any] | None
        if kind == "query":
            node = self.operations[operation].queries[part]
        elif kind == "body":
            node = raw["requestBody"]["content"]["application/json"]["schema"]
        else:
            node = MISTAKEN.get((operation, part)) or self._answer(raw["responses"].get(part), int(part))
        if node is None:
            return None
        return jsonschema_rs.Draft202012Validator(
            {**translated(node), "components": {"schemas": self._components}}, validate_formats=True
        )

    @functools.cached_property
    def _components(self) -> dict[str, Any]:
        """All schemas, translated; each use of one closes it."""
        return {
            name: translated(schema, closed=False) for name, schema in self.document["components"]["schemas"].items()
        }

    def _answer(self, response: Mapping[str, Any] | None, status: int) -> Mapping[str, Any] | None:
        """The schema of an answer; errors are a `basic-error` where nothing else is said."""
        content = self._resolved(response).get("content", {}) if response is not None else {}
        if not content:
            return {"$ref": "#/components/schemas/basic-error"} if status >= 300 else None
        media: Mapping[str, Mapping[str, Any]] = content.get("application/json") or next(iter(content.values()))
        return media["schema"]

    def _resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in node:
            return node
        _, _, kind, name = node["$ref"].split("/")
        found: Mapping[str, Any] = self.document["components"][kind][name]
        return found

    def _read(self) -> Iterator[Operation]:
        for path, item in self.document["paths"].items():
            for method, raw in item.items():
                parameters = [self._resolved(parameter) for parameter in raw.get("parameters", ())]
                queries = {each["name"]: each["schema"] for each in parameters if each["in"] == "query"}
                yield Operation(raw["operationId"], method.upper(), path, _pattern(path), queries, raw)


def translated(node: Any, *, closed: bool = True) -> Any:
    """A schema of OpenAPI 3.0 in JSON Schema; `closed`: properties that it does not name are refused."""
    if isinstance(node, list):
        return [translated(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: value for key, value in node.items() if key not in {"nullable", "properties", *COMBINED, "allOf"}}
    for key in ("items", "additionalProperties", *COMBINED):
        if key in node:
            result[key] = translated(node[key])
    if "allOf" in node:
        result["allOf"] = [translated(item, closed=False) for item in node["allOf"]]
    if "properties" in node:
        result["properties"] = {name: translated(schema) for name, schema in node["properties"].items()}
    if closed and "additionalProperties" not in node and {"properties", "allOf", "$ref"} & node.keys():
        result["unevaluatedProperties"] = False
    return _nullable(result) if node.get("nullable") else result


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _pattern(path: str) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        name = match[1]
        return f"(?P<{name}>{'.+' if name in LONG else '[^/]+'})"

    return re.compile(re.sub(r"\{(\w+)\}", group, path))


def _typed(value: str, schema: Mapping[str, Any]) -> object:
    """A value of the query in the type that its schema wants."""
    if schema.get("type") == "boolean" and value in {"true", "false"}:
        return value == "true"
    return int(value) if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", value) else value


def _problem(validator: jsonschema_rs.Validator | None, instance: object) -> str | None:
    if validator is None:
        return None
    try:
        validator.validate(instance)
    except jsonschema_rs.ValidationError as error:
        return f"/{'/'.join(map(str, error.instance_path))}: {error.message[:300]}"
    return None
