"""Reports of scanners: what they found, and which of iacfix's findings say the same.

A report is told by its content, not by its name. See `read` for the forms that are known.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixer.scanners import checkov, kics, nag, sarif, trivy
from fixer.scanners.reported import Reported, ReportError
from fixer.scanners.sought import Answers, Sought, seek

__all__ = ["Answers", "Report", "ReportError", "Reported", "Sought", "read", "seek"]

KNOWN = "SARIF, the JSON of checkov, trivy, KICS or cdk-nag, cdk-nag's CSV, or the CDK's validation report"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_COUNTS = frozenset({"passed", "failed", "checkov_version"})
"""The keys of what checkov writes where it had nothing to look at."""


@dataclass(frozen=True)
class Report:
    """What one report holds; the findings in its own order."""

    name: str
    """The file, as it was named."""
    findings: tuple[Reported, ...]


def read(path: Path) -> Report:
    """Read a report: SARIF 2.1.0, or the own form of checkov, trivy, KICS, cdk-nag or the CDK's policy validation.

    Raises:
        ReportError: it can't be read, or is none of these; the message names it.
    """
    try:
        return Report(str(path), tuple(_findings(_text(path.read_bytes()))))
    except OSError as error:
        raise ReportError(f"{path}: can't be read: {error.strerror}") from error
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error


def _text(data: bytes) -> str:
    """The text in UTF-8, or in the UTF-16 that PowerShell redirects to files."""
    try:
        return data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReportError("is no text in UTF-8") from error


def _findings(content: str) -> Iterator[Reported]:
    if content.startswith(",".join(nag.COLUMNS)):
        yield from nag.rows(content)
        return
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"is no report that iacfix knows: {KNOWN}") from error
    for part in data if isinstance(data, list) and data else [data]:  # checkov lists one for each framework
        form = _form(part)
        if form is None:
            raise ReportError(f"is no report that iacfix knows: {KNOWN}")
        yield from form(part)


def _form(data: Any) -> Callable[[Mapping[str, Any]], Iterator[Reported]] | None:
    """What reads that JSON, by the keys that it has."""
    match data:
        case {"runs": list()}:
            return sarif.findings
        case {"check_type": str(), "results": dict()}:
            return checkov.findings
        case {"SchemaVersion": int()} | {"Results": list()}:
            return trivy.findings
        case {"queries": list()}:
            return kics.findings
        case {"pluginReports": list()}:
            return nag.violations
        case {"lines": list()}:
            return nag.lines
        case dict() if data.keys() >= _COUNTS:
            return checkov.findings
    return None
