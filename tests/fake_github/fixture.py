"""The fixture `github`, for tests that name this module in their `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_github.server import GitHub


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """A GitHub with nothing in it. The test fails if something was asked or answered that GitHub does not describe."""
    directory = tmp_path / "github"
    directory.mkdir()
    with GitHub(directory) as server:
        yield server
    assert server.violations == []
