"""Write `codemods/facts/cdk_gone.zip`: what was in aws-cdk-lib once and is there no more.

    python tools/facts/cdk_gone.py [--cache DIRECTORY]

Looks at every tenth minor version and at the newest, by the jsii assemblies in the wheels on PyPI. A version in the
facts is therefore the first of those that does not have the thing, which may have gone up to nine minor versions
before. Needs pip and PyPI; the cache keeps what was learnt of a version.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import archive
from assembly import PACKAGE, Assembly
from cdk_api import LEFT_OUT, described
from packaging.version import Version

TARGET = Path(__file__).parents[2] / "codemods/facts/cdk_gone.zip"
STEP = 10
Names = dict[str, list[str]]
"""Members by type, "" among them for the type itself."""
Bases = dict[str, list[str]]


def looked_at() -> list[Version]:
    """The versions to look at, ascending."""
    command = [sys.executable, "-m", "pip", "index", "versions", PACKAGE]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (line,) = (line for line in listing.splitlines() if line.startswith("Available versions:"))
    versions = sorted(Version(text) for text in line.partition(":")[2].split(","))
    first = {version.minor: version for version in reversed(versions) if version.minor % STEP == 0}
    return sorted({*first.values(), versions[-1]})


def learn(version: Version, cache: Path) -> tuple[Names, Bases]:
    """The types of a version with their own members, and what they derive from; from the cache or from the wheel."""
    known = cache / f"{version}.json.gz"
    if not known.exists():
        with tempfile.TemporaryDirectory() as directory:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", directory]
            subprocess.run([*command, f"{PACKAGE}=={version}"], check=True)
            (wheel,) = Path(directory).glob("*.whl")
            with zipfile.ZipFile(wheel) as content:
                (name,) = (name for name in content.namelist() if name.endswith(".jsii.tgz"))
                assembly = Assembly(Path(content.extract(name, directory)))
        known.write_bytes(gzip.compress(json.dumps(read(assembly)).encode(), mtime=0))
        print(version, file=sys.stderr)
    names, bases = json.loads(gzip.decompress(known.read_bytes()))
    return names, bases


def read(assembly: Assembly) -> tuple[Names, Bases]:
    """What an assembly has."""
    names: Names = {}
    bases: Bases = {}
    for name, one in assembly.types.items():
        if name.partition(".")[0] not in LEFT_OUT:
            document = described(one, assembly)
            members = [*document.get("p", ()), *document.get("m", ()), *document.get("c", ())]
            names[name] = ["", *members]
            bases[name] = document.get("b", [])
    return names, bases


def whole(names: Names, bases: Bases, kind: str) -> set[str]:
    """The members of a type with those that it inherits."""
    found = {member for base in bases.get(kind, ()) for member in whole(names, bases, base)} - {""}
    return found | {*names.get(kind, ())}


def gone(learnt: list[tuple[Names, Bases]]) -> dict[str, Any]:
    """By module, the names that the newest version does not have, with the index of the version from which on.

    A member stands at each type that had it. What a type had is not listed if the whole type is gone.
    """
    documents: dict[str, Any] = defaultdict(dict)
    newest, _ = learnt[-1]
    for kind in sorted({name for names, _ in learnt for name in names}):
        module = kind.partition(".")[0] if kind[0].islower() else "aws_cdk"
        rest = kind.removeprefix(f"{module}.")
        states = [whole(names, bases, kind) for names, bases in learnt]
        own = {member for names, _ in learnt[:-1] for member in names.get(kind, ())} if kind in newest else {""}
        for member in sorted(own):
            held = [member in state for state in states]
            if not held[-1]:
                documents[module][f"{rest}.{member}".rstrip(".")] = len(held) - held[::-1].index(True)
    return documents


def main() -> None:
    """Look at the versions and write a document for each module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "cdk_gone")
    cache = parser.parse_args().cache
    cache.mkdir(parents=True, exist_ok=True)
    versions = looked_at()
    documents = gone([learn(version, cache) for version in versions])
    documents["_versions"] = {"versions": [str(version) for version in versions]}
    documents["_generated"] = archive.generated("cdk_gone.py", f"{PACKAGE} {versions[0]} to {versions[-1]}")
    archive.write(TARGET, documents)


if __name__ == "__main__":
    main()
