"""Read facts that are kept as a zip of JSON documents, each by itself."""

from __future__ import annotations

import functools
import io
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import zipfile


@functools.cache
def _opened(archive: str) -> zipfile.ZipFile:
    """An archive in this folder, read into memory: workers that are forked would share the place in an open file."""
    import zipfile

    return zipfile.ZipFile(io.BytesIO(files(__package__).joinpath(archive).read_bytes()))


@functools.cache
def document(archive: str, name: str) -> dict[str, Any] | None:
    """A document of an archive in this folder; None if there is none of the name."""
    try:
        content = _opened(archive).read(f"{name}.json")
    except KeyError:
        return None
    found: dict[str, Any] = json.loads(content)
    return found


def documents(archive: str, text: str = "") -> list[str]:
    """The names of an archive's documents, or of those that hold a text, which are not parsed."""
    sought, opened = text.encode(), _opened(archive)
    return [one.removesuffix(".json") for one in opened.namelist() if not text or sought in opened.read(one)]
