"""Find the first version of aws-cdk-lib that has each thing the rules write, by bisecting the wheels on PyPI.

    python tools/facts/cdk_versions.py [--cache DIRECTORY]

Writes `codemods/facts/cdk_versions.json`. Needs pip, PyPI, and some 45 wheels of 50 MB, of which the cache keeps what
was learnt. To watch another thing, add its name to WATCHED.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
import zipfile
from bisect import bisect_left
from pathlib import Path

from assembly import PACKAGE, Assembly
from packaging.version import Version

TARGET = Path(__file__).parents[2] / "codemods/facts/cdk_versions.json"

TABLES = ("TableProps", "TableOptions", "TablePropsV2", "TableOptionsV2", "ReplicaTableProps")
RETENTION = (
    "ONE_DAY",
    "THREE_DAYS",
    "FIVE_DAYS",
    "ONE_WEEK",
    "TWO_WEEKS",
    "ONE_MONTH",
    "TWO_MONTHS",
    "THREE_MONTHS",
    "FOUR_MONTHS",
    "FIVE_MONTHS",
    "SIX_MONTHS",
    "ONE_YEAR",
    "THIRTEEN_MONTHS",
    "EIGHTEEN_MONTHS",
    "TWO_YEARS",
    "THREE_YEARS",
    "FIVE_YEARS",
    "SIX_YEARS",
    "SEVEN_YEARS",
    "EIGHT_YEARS",
    "NINE_YEARS",
    "TEN_YEARS",
    "INFINITE",
)

WATCHED = (
    "aws_dynamodb.TableV2",
    "aws_dynamodb.PointInTimeRecoverySpecification",
    "aws_dynamodb.PointInTimeRecoverySpecification.point_in_time_recovery_enabled",
    "aws_dynamodb.PointInTimeRecoverySpecification.recovery_period_in_days",
    *(f"aws_dynamodb.{table}.point_in_time_recovery" for table in TABLES),
    *(f"aws_dynamodb.{table}.point_in_time_recovery_specification" for table in TABLES),
    "aws_dynamodb.CfnTableProps.point_in_time_recovery_specification",
    "aws_dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty.recovery_period_in_days",
    "aws_dynamodb.CfnGlobalTable.ReplicaSpecificationProperty.point_in_time_recovery_specification",
    "aws_logs.LogGroupProps.retention",
    *(f"aws_logs.RetentionDays.{member}" for member in RETENTION),
    "aws_lambda.LoggingFormat.JSON",
    "aws_lambda.CfnFunction.LoggingConfigProperty",
    "aws_s3.BucketProps.block_public_access",
    "aws_s3.BlockPublicAccess",
    "aws_s3.BlockPublicAccess.BLOCK_ALL",
    "aws_s3.BlockPublicAccess.BLOCK_ACLS",
    "aws_s3.BlockPublicAccess.BLOCK_ACLS_ONLY",
    "aws_s3.CfnBucketProps.public_access_block_configuration",
)


class Releases:
    """All stable versions, and for each that was asked for: the watched names it has, and which are deprecated."""

    def __init__(self, cache: Path) -> None:
        """`cache` is a directory that keeps what was learnt of a version."""
        self.cache = cache
        cache.mkdir(parents=True, exist_ok=True)
        listing = subprocess.run(
            [sys.executable, "-m", "pip", "index", "versions", PACKAGE], capture_output=True, text=True, check=True
        ).stdout
        (line,) = (line for line in listing.splitlines() if line.startswith("Available versions:"))
        self.versions = sorted(Version(text) for text in line.partition(":")[2].split(","))

    def state(self, version: Version) -> dict[str, bool]:
        """The watched names that the version has; true if deprecated there."""
        known = self.cache / f"{version}.json"
        if known.exists() and set(WATCHED) <= set((learnt := json.loads(known.read_text()))["asked"]):
            return dict(learnt["state"])
        with tempfile.TemporaryDirectory() as directory:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", directory]
            subprocess.run([*command, f"{PACKAGE}=={version}"], check=True)
            (wheel,) = Path(directory).glob("*.whl")
            with zipfile.ZipFile(wheel) as content:
                (name,) = (name for name in content.namelist() if name.endswith(".jsii.tgz"))
                assembly = Assembly(Path(content.extract(name, directory)))
        state = look(assembly)
        known.write_text(json.dumps({"asked": WATCHED, "state": state}))
        print(version, f"{len(state)} of {len(WATCHED)}", file=sys.stderr)
        return state

    def first(self, name: str, *, deprecated: bool = False) -> Version | None:
        """The first version that has the name (that deprecates it); None if the newest has not."""

        def holds(version: Version) -> bool:
            state = self.state(version)
            return state.get(name, False) if deprecated else name in state

        if not holds(self.versions[-1]):
            return None
        return self.versions[bisect_left(self.versions, True, key=holds)]


def look(assembly: Assembly) -> dict[str, bool]:
    """Which of the watched names an assembly has, and whether they are deprecated there."""
    state = {}
    for name in WATCHED:
        if name in assembly.types:
            found = assembly.types[name]
        else:
            owner, _, member = name.rpartition(".")
            members = assembly.members(owner)
            if member not in members:
                continue
            found = members[member]
        state[name] = "deprecated" in found.get("docs", {})
    return state


def main() -> None:
    """Bisect for each watched name and write the facts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "cdk_versions")
    releases = Releases(parser.parse_args().cache)
    since = {name: releases.first(name) for name in WATCHED}
    if missing := [name for name, version in since.items() if version is None]:
        sys.exit(f"not in {releases.versions[-1]}: {', '.join(missing)}")
    deprecated = {name: releases.first(name, deprecated=True) for name in WATCHED}
    facts = {
        "generated": {
            "by": "tools/facts/cdk_versions.py",
            "from": f"{PACKAGE} {releases.versions[0]} to {releases.versions[-1]}",
            "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        },
        "since": {name: str(version) for name, version in since.items()},
        "deprecated": {name: str(version) for name, version in deprecated.items() if version},
    }
    TARGET.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
