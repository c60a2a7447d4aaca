"""Wheels of PyPI as a source of facts: downloaded once, never installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def download(package: str, cache: Path) -> Path:
    """The wheel of a package, `name==version`, from the cache or from PyPI."""
    name, _, version = package.partition("==")
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    if not list(cache.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(cache), package]
        subprocess.run(command, check=True)
    (wheel,) = cache.glob(pattern)
    return wheel
