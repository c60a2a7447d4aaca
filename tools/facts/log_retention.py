"""Write `codemods/facts/log_retention.json`: the days that CloudWatch Logs can keep events for, by the CDK's words.

    pip install aws-cdk-lib botocore
    python tools/facts/log_retention.py

The days of a member of `RetentionDays` come from synthesising a log group with it; the days that the API accepts from
the documentation of PutRetentionPolicy in botocore. The program fails if the two differ.
"""

from __future__ import annotations

import datetime
import gzip
import json
import re
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from aws_cdk import App, CfnElement, Stack, assertions, aws_logs

TARGET = Path(__file__).parents[2] / "codemods/facts/log_retention.json"


def accepted() -> set[int]:
    """The values that the documentation of PutRetentionPolicy lists."""
    spec = find_spec("botocore")
    if spec is None or spec.origin is None:
        sys.exit("pip install botocore")
    path = sorted((Path(spec.origin).parent / "data/logs").glob("*/service-2.json*"))[-1]
    model = json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    found = re.search(r"Possible values are: ([\d, and]+)\.", model["shapes"]["Days"]["documentation"])
    if found is None:
        sys.exit("the documentation of PutRetentionPolicy lists no values")
    return {int(days) for days in re.findall(r"\d+", found[1])}


def members() -> dict[str, int | None]:
    """The days of each member of RetentionDays; None if events are kept for ever."""
    stack = Stack(App(), "Retention")
    for member in aws_logs.RetentionDays:
        group = aws_logs.LogGroup(stack, member.name, retention=member)
        cast("CfnElement", group.node.default_child).override_logical_id(member.name.replace("_", ""))
    resources = assertions.Template.from_stack(stack).to_json()["Resources"]
    return {
        member.name: resources[member.name.replace("_", "")].get("Properties", {}).get("RetentionInDays")
        for member in aws_logs.RetentionDays
    }


def main() -> None:
    """Compare the two and write the facts."""
    days = members()
    if accepted() != set(days.values()) - {None}:
        sys.exit(f"the API accepts {sorted(accepted())}, the CDK has {days}")
    facts = {
        "generated": {
            "by": "tools/facts/log_retention.py",
            "from": f"aws-cdk-lib {version('aws-cdk-lib')}, botocore {version('botocore')}",
            "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        },
        "days": dict(sorted(days.items(), key=lambda item: item[1] or sys.maxsize)),
    }
    TARGET.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
