"""KICS' own JSON, `results.json`. Source: its documentation, "Results"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fixer.scanners.reported import Reported, line_range, number, objects, text


def findings(report: Mapping[str, Any]) -> Iterator[Reported]:
    """Each file of each query that found something; a resource's name there is often its tag, and is not read."""
    for query in objects(report, "queries"):
        for file in objects(query, "files"):
            line = number(file, "line")
            yield Reported(text(query, "query_id"), text(file, "file_name"), line_range(line, line))
