"""A whole run: what it says of names that it changed, where else they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixer.project import Project
from fixer.run import mentions


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        ("main.tf", 'resource "aws_rds_cluster" "shop-db" {\n}\n', []),
        ("main.tf", 'module "shop-db" {\n}\n', []),
        ("main.tf", "  id = aws_rds_cluster.shop-db.id\n", []),
        ("main.tf", '  id = "${data.aws_rds_cluster.shop-db.id}-x"\n', []),
        ("main.tf", "  id = module.shop-db.id\n", []),
        ("main.tf", '  name = "shop-db"\n  names = ["a", "shop-db"]\n', [1, 2]),
        ("main.tf", '  host = "a.shop-db.b"\n  name = "x-${var.a}-y shop-db"\n', [1, 2]),
        ("main.tf", "# resource shop-db\n  x = <<-E\n  aws shop-db\n  E\n", [1, 3]),
        ("stack.py", 'iam.Role(self, "shop-db", role_name="a")\n', []),
        ("stack.py", "Role(\n    self.stack,\n    'shop-db',\n)\n", []),
        ("stack.py", 'Role(scope=self, id="shop-db")\nRole(self, id="shop-db")\n', [1]),
        ("stack.py", 'Table.from_table_name(self, "shop-db", "shop-db")\n', [1]),
        ("stack.py", 'Role(self, "A", role_name="shop-db")\nconnect(self, "shop-db")\n', [1, 2]),
        ("README.md", 'Role(self, "shop-db") and resource "a" "shop-db"\n', [1, 1]),
    ],
)
def test_names_elsewhere(tmp_path: Path, path: str, text: str, lines: list[int]) -> None:
    """A block's label, a reference and a construct's id are not the name that was changed."""
    (tmp_path / path).write_text(text)
    notes = mentions(Project(tmp_path, (), files=(path,)), ["shop-db"], {})
    places = ", ".join(f"{path}:{line}" for line in lines)
    assert notes == ([f'"shop-db" was renamed and is still named in {places}'] if lines else [])
