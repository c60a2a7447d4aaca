"""What is known of a name that is not there: that it was, that it comes later, or what looks like it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from codemods.deprecation._api.names import nearest
from codemods.facts import cdk_since
from codemods.facts.cdk_gone import cdk_gone_in
from fixer.model import Manual

if TYPE_CHECKING:
    from fixer.cdk import CdkFile


def was_there(file: CdkFile, name: str) -> bool:
    """Whether the version that the project pins still has it."""
    version, gone = file.app.facts.version, cdk_gone_in(name)
    return version is not None and gone is not None and tuple(version) < gone


def gone_since(name: str) -> Manual | None:
    """Which version does not have any more what others had."""
    gone = cdk_gone_in(name)
    if gone is None:
        return None
    return Manual(f"aws-cdk-lib {'.'.join(map(str, gone))} has it no more", "Use what has taken its place")


def comes_later(file: CdkFile, name: str) -> Manual | None:
    """Why what is meant can't be written: the version that the project pins may not have it."""
    since = cdk_since(name)
    if since is None or file.has_since(since):
        return None
    last, wanted = name.rpartition(".")[2], ".".join(map(str, since))
    return Manual(f"{last} may be meant, which came to aws-cdk-lib by {wanted}", f"Require aws-cdk-lib {wanted}")


def guess(name: str, names: Iterable[str], meant: str = "") -> Manual:
    """The names that may be meant, for somebody to choose from."""
    near = meant or nearest(name, names)
    if not near:
        return Manual("Nothing there has a name like it", "Look in the documentation for what does it")
    return Manual(f"What is meant can't be told; the nearest: {near}", "Write what is meant")
