"""What a campaign came to: one JSON document made from the journal, and every other form of it from that alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fixer.migrate.report.document import collect, schema, told
from fixer.migrate.report.rows import exported

__all__ = ["collect", "exported", "schema", "told", "write"]


def write(report: dict[str, Any], directory: Path) -> list[Path]:
    """Write all forms of the report into a directory, which is made if need be; returns the files.

    Raises:
        OSError: a file can't be written.
    """
    from fixer.migrate.report import markdown, page, tables

    forms = {
        "report.json": _dumped(report),
        "report.md": markdown.render(report),
        "report.html": page.render(report),
        "repos.csv": tables.repositories(report),
        "findings.jsonl": tables.findings(report),
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in forms.items():
        (directory / name).write_text(text, encoding="utf-8", newline="")
    return [directory / name for name in forms]


def _dumped(report: dict[str, Any]) -> str:
    """The report with a line for each repository: indenting all of it would take longer than making it."""
    repositories = ",\n".join(json.dumps(one) for one in report["repositories"])
    rest = json.dumps({key: value for key, value in report.items() if key != "repositories"})
    return f'{rest[:-1]},\n"repositories": [\n{repositories}\n]}}\n'
