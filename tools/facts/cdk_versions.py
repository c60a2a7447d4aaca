"""Write `codemods/facts/cdk_versions.zip`: since when aws-cdk-lib has, and deprecates, each type and member.

    python tools/facts/cdk_versions.py [--cache DIRECTORY] [--every N]

Reads the jsii assembly of every Nth minor version on PyPI from the oldest on, and of the newest, and bisects between
them for the names in EXACT. Needs pip, PyPI and, for every second, some 150 wheels of 20 to 50 MB, one at a time. The
cache keeps what was learnt, half a megabyte each; what it knows of further versions is taken as well.

The facts are for what the newest version has. Its age is the first of the versions read that has it, as have all
that were read after: an upper bound, for the real one may lie between it and the version read before. `_generated`
says which were read.

A member has no version of its own in the documents if it came with its type, or with what the type inherits it from; a
deprecation, if it came with the member, the type's or the inherited one's. What has none then is of the oldest version.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import zipfile
from bisect import bisect_left
from collections import defaultdict
from pathlib import Path
from typing import Any

import archive
from assembly import PACKAGE, Assembly
from cdk_api import LEFT_OUT, pairs
from packaging.version import Version

TARGET = Path(__file__).parents[2] / "codemods/facts/cdk_versions.zip"

TABLES = ("TableProps", "TableOptions", "TablePropsV2", "TableOptionsV2", "ReplicaTableProps")
EXACT = (
    ("aws_dynamodb.TableV2", ""),
    *((f"aws_dynamodb.{table}", "point_in_time_recovery_specification") for table in TABLES),
    ("aws_dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty", "recovery_period_in_days"),
    *(("aws_logs.RetentionDays", f"{number}_YEARS") for number in ("THREE", "SIX", "SEVEN", "EIGHT", "NINE")),
    ("aws_s3.BlockPublicAccess", "BLOCK_ACLS_ONLY"),
)
"""Types and members whose first version is to be the real one; "" is the type itself."""

Types = dict[str, dict[str, list[str]]]
"""By name: what a type inherits from `b`, its own members `m`, and those deprecated `d`."""
Members = dict[str, frozenset[str]]
"""Of each type, the members that are there, or are deprecated."""
Since = dict[str, dict[str, Version]]
"""By type and member, the first version."""


class Releases:
    """The stable versions, and what each that is asked for has."""

    def __init__(self, cache: Path) -> None:
        """`cache` is a directory that keeps what was learnt of a version."""
        self.cache = cache
        cache.mkdir(parents=True, exist_ok=True)
        listing = subprocess.run(
            [sys.executable, "-m", "pip", "index", "versions", PACKAGE], capture_output=True, text=True, check=True
        ).stdout
        (line,) = (line for line in listing.splitlines() if line.startswith("Available versions:"))
        self.versions = sorted(Version(text) for text in line.partition(":")[2].split(","))

    def sample(self, every: int) -> list[Version]:
        """The first release of each `every`th minor version, from the oldest on, and the newest of all."""
        minors = {version.release[:2]: version for version in reversed(self.versions)}
        return sorted({*sorted(minors.values())[::every], self.versions[-1]})

    def known(self) -> list[Version]:
        """The versions that the cache knows."""
        return [version for version in self.versions if self._file(version).exists()]

    def types(self, version: Version) -> Types:
        """The types of a version, from the cache or from its wheel."""
        file = self._file(version)
        if not file.exists():
            with tempfile.TemporaryDirectory() as directory:
                command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", directory]
                subprocess.run([*command, f"{PACKAGE}=={version}"], check=True)
                (wheel,) = Path(directory).glob("*.whl")
                with zipfile.ZipFile(wheel) as content:
                    (name,) = (name for name in content.namelist() if name.endswith(".jsii.tgz"))
                    assembly = Assembly(Path(content.extract(name, directory)))
            condensed = {name: condense(one) for name, one in assembly.types.items()}
            file.write_bytes(gzip.compress(json.dumps(condensed, separators=(",", ":")).encode(), mtime=0))
            print(version, len(condensed), "types", file=sys.stderr)
        types: Types = json.loads(gzip.decompress(file.read_bytes()))
        return types

    def narrow(self, name: str, member: str) -> None:
        """Read versions between those that are known until the first that has the member is known."""

        def has(version: Version) -> bool:
            return member in members(self.types(version), "m").get(name, ())

        known = self.known()
        after = bisect_left(known, True, key=has)
        if after == len(known):
            sys.exit(f"not in {known[-1]}: {name} {member}")
        low, high = (self.versions.index(known[max(at, 0)]) for at in (after - 1, after))
        bisect_left(self.versions, True, low, high, key=has)

    def _file(self, version: Version) -> Path:
        return self.cache / f"{version}.json.gz"


def condense(one: dict[str, Any]) -> dict[str, list[str]]:
    """What is kept of a type of the assembly. A class has itself what it implements of interfaces."""
    bases = one.get("interfaces", ()) if one["kind"] == "interface" else filter(None, [one.get("base")])
    own = {"": one, **dict(pairs(one))}
    document = {
        "b": [base.removeprefix(f"{PACKAGE}.") for base in bases if base.startswith(f"{PACKAGE}.")],
        "m": sorted(own.keys() - {""}),
        "d": sorted(name for name, member in own.items() if "deprecated" in member.get("docs", {})),
    }
    return {key: value for key, value in document.items() if value}


def members(types: Types, part: str) -> Members:
    """What each type has (`m`), or what of it is deprecated (`d`), also inherited; "" is the type itself."""
    found: Members = {}

    def of(name: str) -> frozenset[str]:
        if name not in found:
            one = types.get(name, {})
            inherited = frozenset[str]().union(*map(of, one.get("b", ()))) - {"", *one.get("m", ())}
            found[name] = inherited.union(one.get(part, ()), [""] if part == "m" else [])
        return found[name]

    return {name: of(name) for name in types}


def first(releases: Releases) -> dict[str, Since]:
    """By part, for all that the newest version has, the oldest one known since which it is always there."""
    *older, newest = releases.known()
    types = releases.types(newest)
    left = {part: members(types, part) for part in ("m", "d")}
    since = {part: {name: dict.fromkeys(one, newest) for name, one in found.items()} for part, found in left.items()}
    for version in reversed(older):
        types = releases.types(version)
        for part, remains in left.items():
            there = members(types, part)
            for name, found in remains.items():
                remains[name] = found & there.get(name, frozenset())
                since[part][name].update(dict.fromkeys(remains[name], version))
    return since


def written(types: Types, since: Since, least: Since) -> dict[str, Any]:
    """By module, type and member, the versions that don't follow from `least` or from others."""
    documents: dict[str, Any] = defaultdict(lambda: defaultdict(dict))
    told = {name: found for name, found in since.items() if name.partition(".")[0] not in LEFT_OUT}
    for name, found in told.items():
        module, _, rest = name.partition(".") if name[0].islower() else ("aws_cdk", "", name)
        for member, version in found.items():
            others = [(name, ""), *((base, member) for base in types[name].get("b", ()))] if member else []
            earlier = [told[base][of] for base, of in others if of in told.get(base, {})]
            if version != max([least[name][member], *earlier]):
                documents[module][rest][member] = str(version)
    return documents


def main() -> None:
    """Read the versions and write a document for each module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "cdk_versions")
    parser.add_argument("--every", type=int, default=2)
    arguments = parser.parse_args()
    releases = Releases(arguments.cache)
    for version in releases.sample(arguments.every):
        releases.types(version)
    for name, member in EXACT:
        releases.narrow(name, member)
    oldest, *_, newest = read = releases.known()
    types = releases.types(newest)
    since = first(releases)
    oldest_of_all = {name: dict.fromkeys(found, oldest) for name, found in since["m"].items()}
    parts = {"since": written(types, since["m"], oldest_of_all), "deprecated": written(types, since["d"], since["m"])}
    documents = {
        module: {part: found[module] for part, found in parts.items() if module in found}
        for module in {module for found in parts.values() for module in found}
    }
    made = archive.generated("cdk_versions.py", f"{PACKAGE} {oldest} to {newest}, {len(read)} versions")
    documents["_generated"] = made | {"read": " ".join(map(str, read))}
    archive.write(TARGET, documents)


if __name__ == "__main__":
    main()
