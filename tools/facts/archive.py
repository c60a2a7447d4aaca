"""Write facts that are too large for one file: a zip of JSON documents, each read by itself."""

from __future__ import annotations

import datetime
import json
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def generated(by: str, source: str) -> dict[str, str]:
    """What a document says of its own making."""
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    return {"by": f"tools/facts/{by}", "from": source, "date": today}


def write(target: Path, documents: Mapping[str, Any]) -> None:
    """Write each document as `<name>.json` into the zip."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, document in sorted(documents.items()):
            entry = zipfile.ZipInfo(f"{name}.json")
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, json.dumps(document, separators=(",", ":"), sort_keys=True), compresslevel=9)
    print(f"{target.name}: {len(documents)} documents, {target.stat().st_size} bytes", file=sys.stderr)
