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


def documents(archive: str, text: str = "") -> list[str]:
    """The names of an archive's documents, or of those that hold a text, which are not parsed."""
    import zipfile

    sought = text.encode()
    with files(__package__).joinpath(archive).open("rb") as stream, zipfile.ZipFile(stream) as opened:
        return [one.removesuffix(".json") for one in opened.namelist() if not text or sought in opened.read(one)]
