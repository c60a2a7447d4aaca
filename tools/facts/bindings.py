"""Read a Terraform provider's schema from the bindings that the CDK for Terraform has on PyPI.

A wheel holds a jsii archive; each compiled file in it carries an inline source map with the TypeScript that was
generated from the real provider's schema. That text states the flags and the type of every attribute and the nesting of
every block. Not in it: which values an attribute takes, which attributes exclude each other, and blocks that the
bindings give up on as `any`.
"""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Member = tuple[str, frozenset[str], str]
"""Name, flags (computed, optional, required) and TypeScript of a member of a structure."""
Nested = tuple[str, str, bool]
"""How a structure is nested (struct, list, set or map), its name, and whether there is only one."""

_FLAGS = re.compile(
    r"^[ \t]*// (\w+) - computed: (true|false), optional: (true|false), required: (true|false)[ \t]*\n", re.M
)
_EXPORT = re.compile(r"^export ", re.M)
_CLASS = re.compile(r"export class (\w+) extends cdkt[fn]\.(\w+)")
_INTERFACE = re.compile(r"export interface (\w+)")
_TO_HCL = re.compile(r"export function \w+ToHclTerraform\(struct\?: ([\w.]+)")
_IN_HCL = re.compile(r'^\s*(\w+): \{\s*value: .*,\s*isBlock: (?:true|false),\s*type: "(\w+)"', re.M)
_FIELD = re.compile(r"/\*\*((?:(?!\*/).)*?)\*/\s*readonly (\w+)(\??): ([^;]+);", re.S)
_COMPLEX = re.compile(r'new ([\w.]+)\(this, "(\w+)"(?:, (true|false))?')
_SUFFIX = re.compile(r"(OutputReference|List|Map)$")
_RESOLVABLE = re.compile(r"\s*\|\s*(cdkt[fn]\.IResolvable|undefined)")
_METADATA = re.compile(r"providerName: '([\w-]+)',\s*providerVersion: '([\w.-]+)'")
_KINDS = {
    "TerraformResource": "resource_schemas",
    "TerraformDataSource": "data_source_schemas",
    "TerraformProvider": "provider",
}
_SCALARS = {"string": "string", "number": "number", "boolean": "bool"}
_GETTERS = {
    "getStringMapAttribute": ["map", "string"],
    "getNumberMapAttribute": ["map", "number"],
    "getBooleanMapAttribute": ["map", "bool"],
    "getAnyMapAttribute": "dynamic",
    "getNumberListAttribute": ["list", "number"],
    "getListAttribute": ["list", "string"],
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
}
_BORROWED = ("aws_wafv2_web_acl", "aws_wafv2_rule_group")
"""Their bindings give up on a rule's `statement`; `aws_wafv2_web_acl_rule` has the same."""
_DEPTH = 3
"""How often a block is followed into itself: the statements of a firewall's rule are within each other without end."""


@dataclass(frozen=True)
class Schema:
    """What a provider knows, in the shape that `terraform providers schema -json` prints."""

    name: str
    version: str
    provider: Json
    resource_schemas: dict[str, Json]
    data_source_schemas: dict[str, Json]


def read(wheel: Path) -> Schema:
    """The schema in a wheel; `ValueError` if it holds no provider's bindings."""
    return _read(wheel, nested=False)


def _read(wheel: Path, *, nested: bool) -> Schema:
    found: dict[str, dict[str, Json]] = {kind: {} for kind in _KINDS.values()}
    metadata = None
    for text in _sources(wheel):
        unit = _Unit(text, nested=nested)
        if not unit.main:
            continue
        found[unit.kind][unit.type] = {"version": 0, "block": unit.block(unit.main)}
        metadata = metadata or _METADATA.search(text)
        if unit.mixed:
            return _read(wheel, nested=True)
    if metadata is None:
        raise ValueError(f"{wheel}: holds no bindings of a provider")
    resources = found["resource_schemas"]
    for kind in _BORROWED:
        if kind in resources and "aws_wafv2_web_acl_rule" in resources:
            statement = resources["aws_wafv2_web_acl_rule"]["block"]["block_types"]["statement"]
            resources[kind]["block"]["block_types"]["rule"]["block"]["block_types"].setdefault("statement", statement)
    (provider,) = found["provider"].values()
    return Schema(metadata[1], metadata[2], provider, resources, found["data_source_schemas"])


def _sources(wheel: Path) -> Iterator[str]:
    """The TypeScript of each resource, data source and provider: that of one file, or of one folder of structures."""
    grouped: dict[str, list[str]] = {}
    with zipfile.ZipFile(wheel) as outer:
        (inner,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        archive = io.BytesIO(outer.read(inner))
    with tarfile.open(fileobj=archive, mode="r|gz") as tar:
        for member in tar:
            stream = tar.extractfile(member) if re.match(r"package/lib/.*\.js$", member.name) else None
            text = stream.read() if stream else b""
            _, mark, encoded = text.rpartition(b"sourceMappingURL=data:application/json;base64,")
            if mark:
                unit = re.sub(r"/index(-structs/.*)?\.js$", "", member.name)
                grouped.setdefault(unit, []).extend(json.loads(base64.b64decode(encoded.split()[0]))["sourcesContent"])
    for sources in grouped.values():
        yield "\n".join(sources)


class _Unit:
    """One resource, data source or provider: all the TypeScript that defines it."""

    def __init__(self, text: str, *, nested: bool) -> None:
        """`nested` if the provider has attributes of the newer sort, whose members have flags of their own."""
        self.nested, self.mixed = nested, False
        self.main = self.type = self.kind = ""
        self.classes: dict[str, str] = {}
        self.fields: dict[str, dict[str, tuple[bool, bool, str]]] = {}
        self.hcl: dict[str, dict[str, str]] = {}
        starts = [*(found.start() for found in _EXPORT.finditer(text)), len(text)]
        for begin, end in pairwise(starts):
            self._take(text[begin:end])

    def _take(self, part: str) -> None:
        if found := _CLASS.match(part):
            self.classes[found[1]] = part
            named = re.search(r'tfResourceType = "(\w+)"', part)
            if found[2] in _KINDS and named:
                self.main, self.type, self.kind = found[1], named[1], _KINDS[found[2]]
                self.hcl[self.main] = dict(_IN_HCL.findall(part))
        elif found := _INTERFACE.match(part):
            self.fields[found[1]] = _fields(part)
        elif found := _TO_HCL.match(part):
            self.hcl[_short(found[1]).removesuffix("OutputReference")] = dict(_IN_HCL.findall(part))

    def _members(self, struct: str) -> Iterator[Member]:
        """The members of a structure, or of the whole."""
        text = self.classes.get(struct if struct == self.main else f"{struct}OutputReference")
        if text is None:
            for name, (_, required, kind) in self.fields.get(struct, {}).items():
                yield name, frozenset({"required" if required else "optional"}), f"private _x?: {kind};"
            return
        found = list(_FLAGS.finditer(text))
        ends = [*(one.start() for one in found), len(text)][1:]
        for one, end in zip(found, ends, strict=True):
            stated = zip(("computed", "optional", "required"), one.groups()[1:], strict=True)
            yield one[1], frozenset(flag for flag, value in stated if value == "true"), text[one.end() : end]

    def _type(self, name: str, body: str, hcl: dict[str, str]) -> tuple[Any, Nested | None]:
        """The type constraint of a member, or the structure that it holds."""
        nesting = hcl.get(name, "")
        if found := _COMPLEX.search(body.split("\n", 1)[0]):
            wrap = "set" if found[3] == "true" else "list"
            if found[1].startswith(("cdktf.", "cdktn.")):
                return _builtin(_short(found[1]), wrap), None
            struct = _short(found[1])
            suffix = _SUFFIX.search(struct)
            struct = _SUFFIX.sub("", struct)
            if suffix and suffix[1] == "OutputReference":
                return None, (nesting if nesting in ("list", "set") else "struct", struct, True)
            return None, ("map" if suffix and suffix[1] == "Map" else wrap, struct, False)
        declared = re.match(r"\s*private _\w+\?: ([^;]+);", body)
        if not declared:
            kind: Any = next((kind for call, kind in _GETTERS.items() if call in body), "dynamic")
            return (_as_set(kind) if "Fn.tolist(" in body else kind), None
        text = _RESOLVABLE.sub("", declared[1]).strip()
        struct, many = _short(text.removesuffix("[]")), text.endswith("[]")
        if struct in self.fields:
            return None, (nesting if nesting in ("list", "set") else "list" if many else "struct", struct, not many)
        kind = _plain(text)
        return (_as_set(kind) if nesting == "set" or "Fn.tolist(" in body else kind), None

    def _object(self, nested: Nested, trail: tuple[str, ...]) -> Any:
        """The type constraint of a structure as an attribute."""
        nesting, struct, _ = nested
        if struct in trail:
            return "dynamic" if nesting == "struct" else [nesting, "dynamic"]
        members = {}
        for name, _, body in self._members(struct):
            kind, inner = self._type(name, body, self.hcl.get(struct, {}))
            members[name] = self._object(inner, (*trail, struct)) if inner else kind
        return ["object", members] if nesting == "struct" else [nesting, ["object", members]]

    def block(self, struct: str, trail: tuple[str, ...] = ()) -> Json:
        """The attributes and nested blocks of a structure."""
        docs = self.fields.get(f"{struct}Config" if struct == self.main else struct, {})
        attributes: Json = {}
        blocks: Json = {}
        for name, stated, body in self._members(struct):
            if name == "alias" and self.kind == "provider" and struct == self.main:
                continue
            flags = {"required": True} if "required" in stated else dict.fromkeys(sorted(stated), True)
            kind, inner = self._type(name, body, self.hcl.get(struct, {}))
            is_block = docs.get(name, (False,))[0] and "computed" not in flags
            if inner is None and not is_block:
                written = {"write_only": True} if "@deprecated Write-only:" in body else {}
                attributes[name] = {"type": kind, **flags, **written}
            elif inner and not is_block:
                attributes[name] = {**self._attribute(inner, flags, trail), **flags}
            elif inner and trail.count(inner[1]) < _DEPTH:
                blocks[name] = self._nested_block(inner, flags, trail)
        result = {"attributes": attributes, "block_types": blocks}
        return {key: value for key, value in result.items() if value}

    def _nested_block(self, nested: Nested, flags: Json, trail: tuple[str, ...]) -> Json:
        nesting, struct, single = nested
        block = {
            "nesting_mode": "single" if nesting == "struct" else nesting,
            "block": self.block(struct, (*trail, struct)),
        }
        if "required" in flags:
            block["min_items"] = 1
        if single and nesting != "struct":
            block["max_items"] = 1
        return block

    def _attribute(self, nested: Nested, flags: Json, trail: tuple[str, ...]) -> Json:
        """The type of an attribute that holds a structure; of the newer sort if the members' flags differ from its."""
        nesting, struct, _ = nested
        given = flags.keys() & {"optional", "required"}
        if given and not self.nested:
            self.mixed = self.mixed or any(stated != set(flags) for _, stated, _ in self._members(struct))
        if given and self.nested and struct not in trail:
            inner = self.block(struct, (*trail, struct)).get("attributes", {})
            mode = "single" if nesting == "struct" else nesting
            return {"nested_type": {"attributes": inner, "nesting_mode": mode}}
        return {"type": self._object(nested, trail)}


def _fields(part: str) -> dict[str, tuple[bool, bool, str]]:
    """Of each member of an interface, by Terraform's name: is it a block, is it required, its TypeScript type."""
    fields = {}
    for doc, _, optional, kind in _FIELD.findall(part):
        if link := re.search(r"\S+#(\w+) [\w.]+#\1\}", doc):
            block = re.match(rf"\s*\*\s*{link[1]} block\s*\n", doc)
            fields[link[1]] = (bool(block), not optional, kind)
    return fields


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _plain(text: str) -> Any:
    """The type constraint of a TypeScript type that holds no named structure."""
    text = _RESOLVABLE.sub("", text).strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    if text.endswith("[]"):
        return ["list", _plain(text[:-2])]
    if found := re.fullmatch(r"\{\s*\[key: string\]:\s*(.*?);?\s*\}", text, re.S):
        inner = _plain(found[1])
        return inner if inner == "dynamic" else ["map", inner]
    return _SCALARS.get(text, "dynamic")


def _builtin(name: str, wrap: str) -> Any:
    """The type constraint of StringMap, BooleanMapList and the like."""
    found = re.fullmatch(r"(String|Number|Boolean)(Map|List)(List)?", name)
    if not found:
        return "dynamic"
    kind = [found[2].lower(), _SCALARS[found[1].lower()]]
    return [wrap, kind] if found[3] else kind


def _as_set(kind: Any) -> Any:
    return ["set", kind[1]] if isinstance(kind, list) and kind[0] == "list" else kind
