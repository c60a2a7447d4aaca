"""Terraform modules: blocks, values, references, and edits to them.

Rules are written in these words: `module.resources("aws_s3_bucket")`, `block.value("a.b")`, `block.set("a.b", "true")`.
"""

from fixer.terraform.block import Attribute, Block, EditError, delete_blocks
from fixer.terraform.companion import free_name, known_to, placed, tag_lines, tags
from fixer.terraform.expression import Chunk, Expr, Traversal
from fixer.terraform.file import TerraformFile
from fixer.terraform.layout import align
from fixer.terraform.module import Module, load
from fixer.terraform.references import Reference
from fixer.terraform.syntax import ParseError

__all__ = [
    "Attribute",
    "Block",
    "Chunk",
    "EditError",
    "Expr",
    "Module",
    "ParseError",
    "Reference",
    "TerraformFile",
    "Traversal",
    "align",
    "delete_blocks",
    "free_name",
    "known_to",
    "load",
    "placed",
    "tag_lines",
    "tags",
]
