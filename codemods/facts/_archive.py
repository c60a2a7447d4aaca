"""Read facts that are kept as a zip of JSON documents, each by itself."""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from typing import Any


@functools.cache
def document(archive: str, name: str) -> dict[str, Any] | None:
    """A document of an archive in this folder; None if there is none of the name."""
    import zipfile

    with files(__package__).joinpath(archive).open("rb") as stream, zipfile.ZipFile(stream) as opened:
        if f"{name}.json" not in opened.namelist():
            return None
        found: dict[str, Any] = json.loads(opened.read(f"{name}.json"))
        return found
