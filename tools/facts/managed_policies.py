"""Write `codemods/facts/managed_policies.json`: the IAM policies that AWS manages, by path.

    python tools/facts/managed_policies.py [--cache DIRECTORY]

Needs pip, PyPI and a wheel of 2 MB, which the cache keeps. The source is `iam-floyd`, which takes the names, the paths
and the descriptions from AWS's reference of managed policies. `moto` 5.2.5 has the same paths, nine names fewer, two of
policies that are gone, and no descriptions: only these tell what is deprecated.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import archive
from wheels import download

TARGET = Path(__file__).parents[2] / "codemods/facts/managed_policies.json"
PACKAGE = "iam-floyd==0.851.0"
LICENCE = "Apache-2.0"
DEPRECATED = re.compile(r"This policy (is on a deprecation path|will soon be deprecated)\.")


def policies(source: str) -> Iterator[tuple[str, str]]:
    """Name with its path, and description, of each constant of the module."""
    (owner,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    for one, following in pairwise(owner.body):
        match one, following:
            case ast.Assign(value=ast.Constant(str(name))), ast.Expr(value=ast.Constant(str(description))):
                yield name, " ".join(description.split())


def main() -> None:
    """Read the wheel and write the names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "iam")
    with zipfile.ZipFile(download(PACKAGE, parser.parse_args().cache)) as wheel:
        source = wheel.read("iam_floyd/_aws_managed_policies.py").decode()
    names: dict[str, list[str]] = defaultdict(list)
    deprecated = {}
    for full_name, description in policies(source):
        path, slash, name = full_name.rpartition("/")
        names[path + slash].append(name)
        if DEPRECATED.match(description):
            deprecated[name] = description
    facts = {
        "generated": {
            **archive.generated("managed_policies.py", PACKAGE.replace("==", " ")),
            "licence": LICENCE,
        },
        "deprecated": dict(sorted(deprecated.items())),
        "policies": {path: sorted(some) for path, some in sorted(names.items())},
    }
    TARGET.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
