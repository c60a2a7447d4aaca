"""SARIF 2.1.0, which checkov, trivy, KICS and semgrep write. Source: the OASIS standard, 3.27 to 3.30."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from fixer.scanners.reported import Reported, ReportError, address, child, line_range, number, objects, text

_Object = Mapping[str, Any]
_NO_FAILURE = ("pass", "notApplicable", "informational")


def findings(log: _Object) -> Iterator[Reported]:
    """The results that are failures, are not suppressed and were not absent; one for each of their locations."""
    for run in objects(log, "runs"):
        rules = list(objects(child(child(run, "tool"), "driver"), "rules"))
        artifacts = list(objects(run, "artifacts"))
        for result in objects(run, "results"):
            if _is_open(result):
                rule = _rule(result, rules)
                for location in list(objects(result, "locations")) or [{}]:
                    yield _finding(rule, location, artifacts, child(run, "originalUriBaseIds"))


def _is_open(result: _Object) -> bool:
    """Whether it asks for anything; a suppression counts unless it is under review or was rejected."""
    if text(result, "kind") in _NO_FAILURE or text(result, "baselineState") == "absent":
        return False
    return not any(text(one, "status") in ("", "accepted") for one in objects(result, "suppressions"))


def _rule(result: _Object, rules: Sequence[_Object]) -> str:
    """The id of the result's rule; empty if it is told neither by itself nor by its place among the rules."""
    reference = child(result, "rule")
    if name := text(result, "ruleId") or text(reference, "id"):
        return name
    index = number(result, "ruleIndex") if "ruleIndex" in result else -1
    return text(rules[index], "id") if 0 <= index < len(rules) else ""


def _finding(rule: str, location: _Object, artifacts: Sequence[_Object], bases: _Object) -> Reported:
    physical = child(location, "physicalLocation")
    region = child(physical, "region")
    first = number(region, "startLine")
    names = [text(one, "fullyQualifiedName") or text(one, "name") for one in objects(location, "logicalLocations")]
    return Reported(
        rule,
        _path(child(physical, "artifactLocation"), artifacts, bases),
        line_range(first, number(region, "endLine")),
        address(names[0]) if names else "",
    )


def _path(artifact: _Object, artifacts: Sequence[_Object], bases: _Object) -> str:
    """The artifact's path, absolute where the log says what it is relative to."""
    index = number(artifact, "index") if "index" in artifact else -1
    if not text(artifact, "uri") and 0 <= index < len(artifacts):
        artifact = child(artifacts[index], "location")
    parts = _uri(artifact)
    base = _uri(child(bases, text(artifact, "uriBaseId")))
    folder = f"{unquote(base.path).rstrip('/')}/" if base.scheme == "file" and not parts.scheme else ""
    return folder + unquote(parts.path)


def _uri(location: _Object) -> SplitResult:
    try:
        return urlsplit(text(location, "uri"))
    except ValueError as error:
        raise ReportError(f"'uri' is no URI: {error}") from error
