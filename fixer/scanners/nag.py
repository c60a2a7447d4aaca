"""What cdk-nag and other validation of the AWS CDK leave in `cdk.out`: constructs, but neither files nor lines.

Sources: what cdk-nag 2.38 and aws-cdk-lib 2.275 write. The CDK's documentation calls the report of the policy
validation `policy-validation-report.json`, aws-cdk-lib 2.275 calls it `validation-report.json`; the keys are the same.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Any

from fixer.scanners.reported import Reported, ReportError, construct_id, objects, text

COLUMNS = ("Rule ID", "Resource ID", "Compliance")
"""The first columns of cdk-nag's `*-NagReport.csv`."""
_FAILED = "Non-Compliant"


def rows(table: str) -> Iterator[Reported]:
    """The rows of a `*-NagReport.csv` that do not comply."""
    try:
        for row in csv.DictReader(table.splitlines(keepends=True)):
            if row["Compliance"] == _FAILED:
                yield _reported(row["Rule ID"] or "", row["Resource ID"] or "")
    except csv.Error as error:
        raise ReportError(str(error)) from error


def lines(report: Mapping[str, Any]) -> Iterator[Reported]:
    """The lines of a `*-NagReport.json` that do not comply."""
    for line in objects(report, "lines"):
        if text(line, "compliance") == _FAILED:
            yield _reported(text(line, "ruleId"), text(line, "resourceId"))


def violations(report: Mapping[str, Any]) -> Iterator[Reported]:
    """The constructs in a report of the CDK's policy validation."""
    for plugin in objects(report, "pluginReports"):
        for violation in objects(plugin, "violations"):
            for construct in objects(violation, "violatingConstructs"):
                yield _reported(text(violation, "ruleName"), text(construct, "constructPath"))


def _reported(rule: str, path: str) -> Reported:
    return Reported(rule, subject=construct_id(path))
