"""Write `fixer/proof/data/update_types.json`: the properties whose change makes CloudFormation replace a resource.

    pip install cfn-lint
    python tools/facts/update_types.py

The facts come from CloudFormation's resource provider schemas, as cfn-lint carries them: `createOnlyProperties` are
immutable, `conditionalCreateOnlyProperties` may be. Where the regions' schemas differ, a property counts as immutable
if it is so in one of them.
"""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[2] / "fixer/proof/data/update_types.json"
PREFIX = "/properties/"
KINDS = {"immutable": "createOnlyProperties", "conditional": "conditionalCreateOnlyProperties"}


def schemas() -> Path:
    """The directory that has a schema for each type of resource."""
    spec = find_spec("cfnlint")
    if spec is None or spec.origin is None:
        sys.exit("pip install cfn-lint")
    return Path(spec.origin).parent / "data/schemas"


def paths(pointers: Iterable[str]) -> set[str]:
    """JSON pointers as paths below `Properties`, `*` for each item of a list."""
    return {one.removeprefix(PREFIX).replace("/properties/", "/").replace("/items/", "/*/") for one in pointers}


def main() -> None:
    """Gather the properties of all types and write the facts, a type on each line."""
    found: dict[str, dict[str, set[str]]] = {}
    for file in sorted((schemas() / "resources").glob("*.json")):
        schema: dict[str, Any] = json.loads(file.read_bytes())
        for kind, key in KINDS.items():
            found.setdefault(schema["typeName"], {}).setdefault(kind, set()).update(paths(schema.get(key, ())))
    if len(found) < 1000:
        sys.exit(f"only {len(found)} types: cfn-lint keeps its schemas elsewhere now")
    source = json.loads((schemas() / "version.json").read_bytes())["schema_date"]
    generated = {
        "by": "tools/facts/update_types.py",
        "from": f"cfn-lint {version('cfn-lint')}, schemas of {source}",
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }
    lines = [
        f"  {json.dumps(name)}: {json.dumps([' '.join(sorted(kinds['immutable'])), conditional(kinds)])}"
        for name, kinds in sorted(found.items())
        if any(kinds.values())
    ]
    TARGET.parent.mkdir(exist_ok=True)
    head = json.dumps({"generated": generated}, indent=1)
    TARGET.write_text(f'{head[:-2]},\n "types": {{\n' + ",\n".join(lines) + "\n }\n}\n", encoding="utf-8")


def conditional(kinds: dict[str, set[str]]) -> str:
    """The properties that may be immutable and are nowhere so for certain."""
    return " ".join(sorted(kinds["conditional"] - kinds["immutable"]))


if __name__ == "__main__":
    main()
