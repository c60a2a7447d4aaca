"""What other files of an app do with a construct: they have it as an attribute of what holds it, `stack.data`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fixer.cdk.calls import Construct


def readers(construct: Construct) -> Iterator[str]:
    """The other files of the app that read an attribute of the construct's name: `.data` for `self.data`."""
    app = construct.file.app
    for name in _attributes(construct):
        for path in app.holding(name):
            if path != construct.path and re.search(rf"\.{re.escape(name)}\b".encode(), app.sources[path]):
                yield path


def calls(construct: Construct, method: str) -> Iterator[str]:
    """Where a method may be called on the construct without its file showing it, as `path:line`.

    That is on an attribute of its name in other files, and on anything in its own if it has no name.
    """
    app = construct.file.app
    places = [] if construct.targets else [(construct.path, method)]
    for name in _attributes(construct):
        called = rf"\.{re.escape(name)}\s*\.\s*{method}"
        places += [(path, called) for path in app.holding(method) if path != construct.path]
    for path, pattern in places:
        source = app.sources[path]
        if found := re.search(pattern.encode(), source):
            line = source.count(b"\n", 0, found.start()) + 1
            yield f"{path}:{line}"


def _attributes(construct: Construct) -> Iterator[str]:
    for owner, _, name in (target.rpartition(".") for target in construct.targets):
        if owner:
            yield name
