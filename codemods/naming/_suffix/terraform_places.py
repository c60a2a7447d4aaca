"""What the strings and locals of Terraform code are there for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from codemods.facts import physical_names
from codemods.naming._suffix import names

if TYPE_CHECKING:
    from codemods.facts import PhysicalName
    from fixer.terraform import Module
    from fixer.terraform.texts import Text

_PATH_FUNCTIONS = re.compile(r"file\w*|templatefile|pathexpand|abspath|basename|dirname")
_NAMING_ONLY = frozenset(
    ("name", "name_prefix", "tags", "tags_all", "default_tags", "description", "comment", "label", "title", "sid")
)
_PATHS = frozenset(
    [
        "filename",
        "source",
        "source_dir",
        "source_file",
        "output_path",
        "output_file",
        "handler",
        "key",
        "path",
        "s3_key",
        "image_uri",
        "content_type",
        "runtime",
    ]
)
_GIVING = frozenset(["environment", "environment_variables", "variables", "env", "resources", "resource_id", "arn"])
"""What hands names on to others, whatever these call them."""
_ELSEWHERE = re.compile(r"aws_(?:route53|acm|ses|sesv2)_")
_ASIDE = frozenset(("terraform", "provider", "variable", "moved", "import", "removed", "check"))


def means(text: Text, start: int, wanted: str, physical: PhysicalName) -> bool:
    """Whether the place means the resource by its name."""
    place = text.file.place(text.start, text.end)
    block, attribute = place.block, place.attribute
    if block is None or attribute is None or block.top.type in _ASIDE or place.is_key:
        return False
    if any(_PATH_FUNCTIONS.fullmatch(one) for one in place.functions):
        return False
    kind = block.top.labels[0] if block.top.labels else ""
    if _ELSEWHERE.match(kind) or (
        block is block.top and attribute.name in physical_names().terraform.get(kind, {}) and block.type == "resource"
    ):
        return False
    labels = [attribute.name.lower(), *(key.lower() for key in place.keys)]
    if labels[0] in _NAMING_ONLY - {"name"} or (labels[-1] in _NAMING_ONLY and block.type != "data"):
        return False
    if text.text == wanted and labels[-1] in _PATHS:
        return False
    about = names.is_about([attribute.name, *place.keys][-1], names.subject_words(physical))
    about = about or (block.type == "data" and attribute.name == physical.argument)
    given = block.top.type in ("locals", "module", "output") or not _GIVING.isdisjoint((block.type, *labels))
    return names.is_meant(text.text, start, wanted, physical, about=about, given=given)


def holds_only_names(module: Module, address: str) -> bool:
    """Whether a local is a whole name wherever a name is made of it, so that it can change itself."""
    for one in module.references(address):
        attribute, block = one.attribute, one.block
        if attribute is None or block is None or block.top.type in ("locals", "module", *_ASIDE):
            return False
        if _ELSEWHERE.match(block.top.labels[0] if block.top.labels else ""):
            return False
        is_whole = (attribute.expr.inner or attribute.expr).text == address
        if not is_whole and attribute.name in physical_names().terraform.get(block.top.labels[0], {}):
            return False
    return not module.references(address, fixed=True)
