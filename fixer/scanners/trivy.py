"""trivy's own JSON, `trivy config --format json`. Source: its documentation, "Reporting", and its `types.Report`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fixer.scanners.reported import Reported, address, child, line_range, number, objects, text


def findings(report: Mapping[str, Any]) -> Iterator[Reported]:
    """The misconfigurations that failed; vulnerabilities, secrets and licences are none of iacfix's."""
    for result in objects(report, "Results"):
        for one in objects(result, "Misconfigurations"):
            if text(one, "Status") not in ("PASS", "EXCEPTION"):
                cause = child(one, "CauseMetadata")
                lines = line_range(number(cause, "StartLine"), number(cause, "EndLine"))
                name = text(one, "ID") or text(one, "AVDID")
                yield Reported(name, text(result, "Target"), lines, address(text(cause, "Resource")))
