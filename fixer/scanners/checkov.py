"""checkov's own JSON, `checkov -o json`: a report for each framework, or one alone. Source: what checkov 3.3 writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fixer.scanners.reported import Reported, ReportError, address, child, line_range, objects, text


def findings(report: Mapping[str, Any]) -> Iterator[Reported]:
    """The checks that failed."""
    for check in objects(child(report, "results"), "failed_checks"):
        lines = check.get("file_line_range") or [0, 0]
        if not isinstance(lines, list) or len(lines) != 2 or not all(isinstance(one, int) for one in lines):
            raise ReportError("'file_line_range' is no pair of lines")
        path = text(check, "file_abs_path") or text(check, "repo_file_path") or text(check, "file_path").lstrip("/")
        yield Reported(text(check, "check_id"), path, line_range(*lines), address(text(check, "resource")))
