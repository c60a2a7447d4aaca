"""Collecting garbage by the amount of source that was read.

A file that was read is a hundred times its size in objects that hold each other. Python's own collections are too
frequent for speed and too rare for memory.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

BYTES = 120_000
"""Sources that are read between two collections."""

_read = 0


def read(size: int) -> None:
    """Take note that so many bytes of source were read, and collect what is left of them if that was enough."""
    global _read  # noqa: PLW0603  garbage is the process's
    _read += size
    if _read > BYTES:
        gc.collect()
        _read = 0


def leave_to_us() -> None:
    """Keep Python from collecting in this process; what is there so far is never looked at again."""
    gc.disable()
    gc.freeze()


@contextmanager
def by_hand() -> Iterator[None]:
    """Collect by `read` alone inside."""
    was_enabled = gc.isenabled()
    leave_to_us()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
