"""What the rules write is there: all constructs, keywords, attributes and blocks that are new in a fixture's `after`.

The facts of `codemods.facts` judge it: the types of aws-cdk-lib, and the schema of the AWS provider.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hcl2
import pytest

from codemods.facts import Version, cdk_deprecated_since, cdk_since
from codemods.facts.cdk_api import CdkType, cdk_keywords, cdk_module, cdk_type
from codemods.facts.terraform_aws import Body, terraform_data, terraform_provider, terraform_resource

FIXTURES = Path(__file__).parent / "fixtures"
CDK = sorted(path.parent for path in FIXTURES.glob("*/cdk/*/after"))
TERRAFORM = sorted(path.parent for path in FIXTURES.glob("*/terraform/*/after"))
Flaws = Iterator[str]


def case_id(case: Path) -> str:
    return "/".join(case.relative_to(FIXTURES).parts)


# ---- CDK Python --------------------------------------------------------------------------------


@dataclass
class Program:
    """One file's names: what is imported from the CDK, and which variables hold a construct."""

    tree: ast.Module
    version: Version | None = None
    """The lowest version of aws-cdk-lib that the program is for; None for the newest."""
    imported: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, source: str, version: Version | None = None) -> Program:
        program = cls(ast.parse(source), version)
        for node in ast.walk(program.tree):
            if isinstance(node, ast.Import):
                program.imported |= {
                    one.asname: one.name[len("aws_cdk") :].lstrip(".")
                    for one in node.names
                    if one.asname and one.name.partition(".")[0] == "aws_cdk"
                }
                if any(one.name == "aws_cdk" and not one.asname for one in node.names):
                    program.imported["aws_cdk"] = ""
            elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "aws_cdk":
                inside = (node.module or "").partition(".")[2]
                for one in node.names:
                    name = one.name
                    if name == "core":  # a module that version 1 has
                        program.version, name = (1, 0, 0), ""
                    program.imported[one.asname or one.name] = ".".join(filter(None, (inside, name)))
        for node in ast.walk(program.tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                kind = program.name(node.value.func) or ""
                if cdk_type(kind):
                    program.variables |= {ast.unparse(target): kind for target in node.targets}
        return program

    def name(self, node: ast.AST) -> str | None:
        """The CDK's name of an expression: `aws_s3.Bucket`; None if it is not of the CDK."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id)
        if isinstance(node, ast.Attribute) and (owner := self.name(node.value)) is not None:
            return f"{owner}.{node.attr}" if owner else node.attr
        return None

    def owner(self, node: ast.Attribute) -> CdkType | None:
        """The type whose member the attribute is."""
        return cdk_type(self.variables.get(ast.unparse(node.value)) or self.name(node.value) or "")

    def uses(self) -> Iterator[tuple[str, ast.expr]]:
        """Each call and member of something of the CDK, with what tells it apart from others."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and (kind := cdk_type(self.name(node.func) or "")):
                yield f"{kind.name}({', '.join(ast.unparse(one) for one in node.keywords)})", node
            elif isinstance(node, ast.Attribute) and (kind := self.owner(node)):
                yield f"{kind.name}.{node.attr}", node
            elif isinstance(node, ast.Attribute | ast.Name) and (name := self.name(node)) and not is_there(name):
                yield name, node

    def flaws(self, node: ast.expr) -> Flaws:
        """What the facts say against a use."""
        if isinstance(node, ast.Attribute) and (kind := self.owner(node)):
            known = {*kind.properties, *kind.methods, *kind.constants, *dir(object)}
            if node.attr not in known and not cdk_type(f"{kind.name}.{node.attr}"):
                yield f"{kind.name} has no {node.attr}"
            yield from self.age_flaws(kind, node.attr)
        elif isinstance(node, ast.Call) and (kind := cdk_type(self.name(node.func) or "")):
            yield from self.call_flaws(node, kind)
        elif not self.version or self.version >= (2,):
            yield f"there is no {self.name(node)}"

    def call_flaws(self, node: ast.Call, kind: CdkType) -> Flaws:
        positional = kind.initializer.positional if kind.initializer else ()
        struct = cdk_type(kind.initializer.struct) if kind.initializer else kind
        keywords = cdk_keywords(kind.name)
        given = {one.arg: one.value for one in node.keywords if one.arg not in positional}
        yield from self.age_flaws(kind, "")
        for name, value in given.items():
            if name is not None and name not in keywords:
                yield f"{kind.name} takes no {name}"
            elif name is not None and struct:
                yield from self.age_flaws(struct, name)
                if not self.fits(value, keywords[name].type):
                    yield f"{kind.name}({name}) is {keywords[name].type}, not {ast.unparse(value)}"
        if None not in given:
            missing = (name for name, one in keywords.items() if one.required and name not in given)
            yield from (f"{kind.name} needs {name}" for name in missing)

    def age_flaws(self, kind: CdkType, member: str) -> Flaws:
        """Whether a type or its member is deprecated, or not there yet, in the version that the program is for."""
        name = f"{kind.name}.{member}".rstrip(".")
        version = self.version or (99, 0, 0)
        if member in kind.deprecated and version >= (cdk_deprecated_since(name) or (0, 0, 0)):
            yield f"{name} is deprecated: {kind.deprecated[member]}"
        if version[0] > 1 and version < (cdk_since(name) or (0, 0, 0)):
            yield f"{name} is not in {version}"

    def fits(self, value: ast.expr, expected: str) -> bool:
        """Whether a literal or something of the CDK is of the type; what can't be told fits."""
        kinds = alternatives(expected)
        if "Any" in kinds:
            return True
        if isinstance(value, ast.Constant):
            return value.value is None or {bool: "bool", int: "float", float: "float", str: "str"}.get(
                type(value.value)
            ) in [kind.partition("[")[0] for kind in kinds]
        if isinstance(value, ast.JoinedStr):
            return "str" in kinds
        if isinstance(value, ast.List):
            inner = [kind[5:-1] for kind in kinds if kind.startswith("list[")]
            return bool(inner) and all(self.fits(one, " | ".join(inner)) for one in value.elts)
        if isinstance(value, ast.Dict):
            structs = [cdk_keywords(kind) for kind in kinds]
            keys = {key.value for key in value.keys if isinstance(key, ast.Constant)}
            return any(kind.startswith("dict[") for kind in kinds) or any(keys <= struct.keys() for struct in structs)
        own = self.name(value.func if isinstance(value, ast.Call) else value)
        made = cdk_type(own or "") if isinstance(value, ast.Call) else self.constant(value)
        return made is None or any(kind in lineage(made) for kind in kinds)

    def constant(self, value: ast.expr) -> CdkType | None:
        """The type of which an expression is a constant."""
        if not isinstance(value, ast.Attribute):
            return None
        kind = self.owner(value)
        return kind if kind and kind.name != "Aws" and value.attr in kind.constants else None


def is_there(name: str) -> bool:
    """Whether the CDK has a type or a module."""
    return cdk_type(name) is not None or bool(cdk_module(name))


def alternatives(text: str) -> list[str]:
    """The types of a union: `str | list[str | float]` are two."""
    parts, depth = [""], 0
    for word in text.split(" | "):
        parts[-1] += f" | {word}" if depth else word
        depth += word.count("[") - word.count("]")
        parts += [""] if depth == 0 else []
    return parts[:-1]


def lineage(kind: CdkType) -> set[str]:
    """A type and all that it is as well."""
    return {kind.name, *kind.bases}.union(*(lineage(base) for base in map(cdk_type, kind.bases) if base))


def pinned_cdk(directory: Path) -> Version | None:
    """The lowest version of aws-cdk-lib that a fixture's requirements allow."""
    path = directory / "requirements.txt"
    found = re.search(r"aws-cdk-lib\W+(\d+)\.(\d+)\.(\d+)", path.read_text()) if path.exists() else None
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def cdk_flaws(before: str, after: str, version: Version | None = None) -> list[str]:
    """What is wrong with what is new in a file."""
    old, new = Program.read(before, version), Program.read(after, version)
    left = Counter(name for name, _ in old.uses())
    had = Counter(flaw for _, node in old.uses() for flaw in old.flaws(node))
    flaws = []
    for name, node in new.uses():
        if left[name]:
            left[name] -= 1
            continue
        for flaw in new.flaws(node):
            if had[flaw]:
                had[flaw] -= 1
            else:
                flaws.append(f"line {node.lineno}: {flaw}")
    return flaws


@pytest.mark.parametrize("case", CDK, ids=case_id)
def test_cdk(case: Path) -> None:
    for path in (case / "after").rglob("*.py"):
        name = path.relative_to(case / "after")
        before = case / "before" / name
        source = before.read_text() if before.exists() else ""
        assert cdk_flaws(source, path.read_text(), pinned_cdk(case / "after")) == [], name


PREFACE = "from aws_cdk import RemovalPolicy, aws_dynamodb as dynamodb, aws_s3 as s3\n"


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        ("s3.Bucket(self, 'B', versioned=True, removal_policy=RemovalPolicy.RETAIN)", None),
        ("s3.Bucket(self, 'B', block_public_access=s3.BlockPublicAccess(block_public_acls=True))", None),
        ("s3.Bucket(self, 'B', block_public_acess=x)", "aws_s3.Bucket takes no block_public_acess"),
        ("s3.Buket(self, 'B')", "there is no aws_s3.Buket"),
        ("from aws_cdk import aws_s4\naws_s4.Bucket(self, 'B')", "there is no aws_s4"),
        ("s3.Bucket(self, 'B', versioned='yes')", "aws_s3.Bucket(versioned) is bool, not 'yes'"),
        (
            "s3.Bucket(self, 'B', encryption=RemovalPolicy.RETAIN)",
            "aws_s3.Bucket(encryption) is aws_s3.BucketEncryption, not RemovalPolicy.RETAIN",
        ),
        ("print(s3.BlockPublicAccess.BLOCK_EVERYTHING)", "aws_s3.BlockPublicAccess has no BLOCK_EVERYTHING"),
        ("print(s3.BlockPublicAccess.BLOCK_ACLS)", "aws_s3.BlockPublicAccess.BLOCK_ACLS is deprecated: use BLOCK_ACLS"),
        (
            "b = s3.CfnBucket(self, 'B', public_access_block_configuration={'block_all': True})",
            "aws_s3.CfnBucket(public_access_block_configuration) is ",
        ),
        ("dynamodb.TableV2(self, 'T')", "aws_dynamodb.TableV2 needs partition_key"),
        (
            "dynamodb.Table(self, 'T', partition_key=key, point_in_time_recovery=True)",
            "aws_dynamodb.TableProps.point_in_time_recovery is deprecated: use point_in_time_recovery_specification",
        ),
        ("b = s3.Bucket(self, 'B')\nprint(b.name)", "aws_s3.Bucket has no name"),
        ("b = s3.Bucket(self, 'B')\nprint(b.bucket_name, b.add_to_resource_policy)", None),
    ],
)
def test_what_is_wrong_in_the_cdk_is_found(line: str, flaw: str | None) -> None:
    found = cdk_flaws(PREFACE, PREFACE + line)
    assert found == [] if flaw is None else found and all(flaw in one for one in found), found


# ---- Terraform ---------------------------------------------------------------------------------

META = {"count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection", "alias", "version"}
REFERENCE = re.compile(r"(?<![\w.\"])(data\.)?(aws_\w+)\.[\w-]+(?:\[[^\]]*\])?\.(\w+)")
PINNED = re.compile(r"(?<!required_)version\s*=\s*\"~> (\d)")
Use = tuple[tuple[str, ...], str, Any]
"""Where it stands (kind, type and blocks around it), its name, and its value; `()` for a block."""


def unquoted(text: str) -> str:
    return text.strip('"')


def bodies(document: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """The resources, data sources and AWS providers of a file."""
    for kind in ("resource", "data"):
        for entry in document.get(kind, ()):
            for type_, named in entry.items():
                yield from (((kind, unquoted(type_)), body) for body in named.values() if isinstance(body, dict))
    for entry in document.get("provider", ()):
        yield from (((f"provider {unquoted(name)}", ""), body) for name, body in entry.items())


def uses_in(place: tuple[str, ...], body: dict[str, Any]) -> Iterator[Use]:
    """Each attribute and block in a body, those of `dynamic` blocks as what they stand for."""
    for name, value in body.items():
        if name in META or name.startswith("__"):
            continue
        if name == "dynamic":
            for entry in value:
                for label, inner in entry.items():
                    yield place, unquoted(label), ()
                    for content in inner.get("content", ()):
                        yield from uses_in((*place, unquoted(label)), content)
        elif isinstance(value, list) and value and isinstance(value[0], dict) and "__is_block__" in value[0]:
            for inner in value:
                yield place, name, ()
                yield from uses_in((*place, name), inner)
        else:
            yield place, name, value


def uses(directory: Path) -> list[Use]:
    """Each attribute and block of the AWS provider's things, and each reference to them."""
    found: list[Use] = []
    for path in sorted(directory.rglob("*.tf")):
        text = path.read_bytes().decode("utf-8-sig")
        for place, body in bodies(hcl2.loads(text)):
            found += uses_in(place, body)
        for data, type_, name in REFERENCE.findall(re.sub(r"(?m)(#|//).*$", "", text)):
            found.append((("reference", "data" if data else "resource", type_), name, None))
    return found


def schema(place: tuple[str, ...]) -> Body | None:
    """What the facts have at a place; None if they have no such type or block."""
    kind, type_, *blocks = place
    find = {"resource": terraform_resource, "data": terraform_data}.get(kind)
    body = find(type_) if find else terraform_provider()
    for name in blocks:
        body = body.blocks.get(name) if body else None
    return body


def has_type(value: Any, kind: str) -> bool:
    """Whether Terraform takes a literal for the type; what is an expression fits."""
    head = kind.partition("(")[0]
    if kind == "any" or value is None or (isinstance(value, str) and "${" in value):
        return True
    if isinstance(value, dict):
        return head in ("map", "object")
    if isinstance(value, list):
        return head in ("list", "set", "tuple")
    if isinstance(value, bool):
        return head in ("bool", "string")
    if isinstance(value, int | float):
        return head in ("number", "string")
    text = unquoted(str(value))
    return head == "string" or (head == "bool" and text in ("true", "false")) or (head == "number" and text.isdigit())


def terraform_flaws(use: Use, major: int | None) -> Flaws:
    """What the facts say against a use, for a major version of the provider; None for one that they do not have."""
    place, name, value = use
    if place[0].startswith("provider ") and place[0] != "provider aws":
        return
    if place[0] not in ("reference", "provider aws") and not place[1].startswith("aws_"):
        return
    place = place[1:] if place[0] == "reference" else place
    body, where = schema(place), " ".join(filter(None, place))
    if body is None:
        yield f"there is no {where}"
        return
    block, attribute = body.blocks.get(name), body.attributes.get(name)
    found = block if value == () else attribute or (block if value is None else None)
    if found is None:
        yield f"{where} has no {'block' if value == () else 'attribute'} {name}"
    elif major and major not in found.majors:
        yield f"{where} has {name} in {found.majors}, not in {major}"
    elif attribute and value is not None and not has_type(value, attribute.type):
        yield f"{where}.{name} is {attribute.type}, not {value}"
    elif attribute and use[0][0] != "reference" and not (attribute.required or attribute.optional):
        yield f"{where}.{name} can't be set"


def new_flaws(before: Path, after: Path) -> list[str]:
    """What is wrong with what is new in a module."""
    pinned = [int(one) for path in after.rglob("*.tf") for one in PINNED.findall(path.read_text())]
    major = max(pinned, default=6)
    left = Counter(map(repr, uses(before)))
    flaws = []
    for use in uses(after):
        if left[repr(use)]:
            left[repr(use)] -= 1
        else:
            flaws += terraform_flaws(use, major if major >= 4 else None)
    return flaws


@pytest.mark.parametrize("case", TERRAFORM, ids=case_id)
def test_terraform(case: Path) -> None:
    assert new_flaws(case / "before", case / "after") == []


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ('resource "aws_sqs_queue" "a" {\n  name = "a"\n}\n', None),
        ('resource "aws_sqs_queue" "a" {\n  nam = "a"\n}\n', "resource aws_sqs_queue has no attribute nam"),
        ('resource "aws_sqs_queue" "a" {\n  arn = "a"\n}\n', "resource aws_sqs_queue.arn can't be set"),
        ('resource "aws_sqs_que" "a" {\n  name = "a"\n}\n', "there is no resource aws_sqs_que"),
        (
            'resource "aws_sqs_queue" "a" {\n  fifo_queue = "yes"\n}\n',
            'resource aws_sqs_queue.fifo_queue is bool, not "yes"',
        ),
        (
            'resource "aws_dynamodb_table" "a" {\n  point_in_time_recovery {\n    enable = true\n  }\n}\n',
            "resource aws_dynamodb_table point_in_time_recovery has no attribute enable",
        ),
        (
            'resource "aws_dynamodb_table" "a" {\n  point_in_time_recovery = { enabled = true }\n}\n',
            "resource aws_dynamodb_table has no attribute point_in_time_recovery",
        ),
        ('output "a" {\n  value = aws_sqs_queue.a.nam\n}\n', "resource aws_sqs_queue has no attribute nam"),
        (
            'terraform {\n  required_providers {\n    aws = { version = "~> 5.0" }\n  }\n}\n'
            'resource "aws_sqs_queue" "a" {\n  region = "eu-west-1"\n}\n',
            "resource aws_sqs_queue has region in (6,), not in 5",
        ),
    ],
)
def test_what_is_wrong_in_terraform_is_found(text: str, flaw: str | None, tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    (tmp_path / "after/main.tf").write_text(text)
    assert new_flaws(tmp_path / "before", tmp_path / "after") == ([flaw] if flaw else [])
