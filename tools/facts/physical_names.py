"""Write `codemods/facts/physical_names.json`: which arguments are physical names, and what such names may look like.

    pip install aws-cdk-lib botocore cfn-lint
    terraform providers schema -json > schema.json       # of a module that requires hashicorp/aws; may be gzipped
    python tools/facts/physical_names.py --terraform schema.json --provider 6.62.0 [--candidates]

Needs Python 3.11. `physical_names.toml` says by hand what is a name. This program fails if a construct, property, type
or argument there does not exist, and looks up the rest: limits in the models of the AWS APIs (botocore), whether
CloudFormation replaces the resource in its schemas (cfn-lint), and the attribute that gives the name back in the CDK's
jsii assembly. `--candidates` prints what looks like a name and is neither in the list nor among its exclusions.
"""

from __future__ import annotations

import argparse
import datetime
import fnmatch
import gzip
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import tomllib
from assembly import PACKAGE, Assembly

CURATED = Path(__file__).with_suffix(".toml")
TARGET = Path(__file__).parents[2] / "codemods/facts/physical_names.json"
SECTIONS = ("references", "excluded")


class WrongFactError(Exception):
    """The curated list says something that is not so."""


# ---- what can be looked up ---------------------------------------------------------------------


def package(name: str) -> Path:
    """The directory of an installed package; it is not imported."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        sys.exit(f"pip install {name.replace('cfnlint', 'cfn-lint')}")
    return Path(spec.origin).parent


def read(path: Path) -> Any:
    """A JSON file, gzipped or not."""
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


@cache
def service(name: str) -> dict[str, Any]:
    """The newest model of a service's API."""
    models = sorted((package("botocore") / "data" / name).glob("*/service-2.json*"))
    if not models:
        raise WrongFactError(f"no such API: {name}")
    model: dict[str, Any] = read(models[-1])
    return model


def parameter(path: str) -> tuple[dict[str, Any], str]:
    """The shape of `service.Operation.member` and its documentation without line breaks."""
    name, operation, member = path.split(".")
    shapes = service(name)["shapes"]
    try:
        found = shapes[service(name)["operations"][operation]["input"]["shape"]]["members"][member]
    except KeyError:
        raise WrongFactError(f"no such parameter: {path}") from None
    return shapes[found["shape"]], " ".join(found.get("documentation", "").split())


@cache
def cloudformation() -> dict[str, str]:
    """Resource types and the names of their schemas' files."""
    index: dict[str, str] = read(package("cfnlint") / "data/schemas/providers/us-east-1.json")
    return index


def replaces(assembly: Assembly, l1: str, argument: str) -> bool | None:
    """Whether CloudFormation replaces the resource when the argument changes; None if it has no schema for it."""
    kind = assembly.types[l1]["docs"].get("custom", {}).get("cloudformationResource")
    if kind not in cloudformation():
        return None
    schema = read(package("cfnlint") / f"data/schemas/resources/{cloudformation()[kind]}.json")
    name = next((name for name in schema["properties"] if name.lower() == argument.replace("_", "")), None)
    if name is None:
        return None
    fixed = (*schema.get("createOnlyProperties", ()), *schema.get("conditionalCreateOnlyProperties", ()))
    return f"/properties/{name}" in fixed


# ---- the kinds ---------------------------------------------------------------------------------


def limits(kind: dict[str, Any]) -> dict[str, Any]:
    """`max`, `min` and `pattern` of a name: the curated ones, else the API's."""
    shape: dict[str, Any] = {}
    if api := kind.get("api"):
        shape, documentation = parameter(api)
        if (says := kind.get("says", "")) not in documentation:
            raise WrongFactError(f"the documentation of {api} does not say: {says}")
    elif "docs" not in kind:
        raise WrongFactError("neither api nor docs")
    pattern = kind.get("pattern") or shape.get("pattern")
    longest = kind.get("max") or shape.get("max")
    if not pattern or not longest:
        raise WrongFactError(f"no limits: max {longest}, pattern {pattern}")
    pattern = pattern.removeprefix("^").removesuffix("$")
    separator = kind.get("separator", "-")
    sample = f"{kind.get('start', '')}orders{separator}dev{kind.get('end', '')}"
    if not re.fullmatch(pattern, sample) or len(sample) > longest:
        raise WrongFactError(f"{sample} does not match {pattern}")
    found = {
        "label": kind["label"],
        "min": max(1, kind.get("min") or shape.get("min") or 1),
        "max": longest,
        "pattern": pattern,
        "separator": separator,
        "lower": not re.fullmatch(pattern, f"{kind.get('start', '')}Orders{separator}Dev"),
        "paths": kind.get("paths", False),
        "start": kind.get("start", ""),
        "end": kind.get("end", ""),
        "source": kind.get("docs") or f"botocore: {kind['api']}",
    }
    if found["paths"] and not re.fullmatch(pattern, f"{found['start']}shop/orders-dev"):
        raise WrongFactError(f"no paths in {pattern}")
    return found


def replacement(assembly: Assembly, kind: dict[str, Any]) -> bool:
    """Whether a new name means a new resource, on which all L1 constructs of the kind must agree."""
    if "replaces" in kind:
        return bool(kind["replaces"])
    answers = set()
    for path in kind["cdk"]:
        construct, _, argument = path.rpartition(".")
        if construct.partition(".")[2].startswith("Cfn"):
            answers.add(replaces(assembly, construct, argument))
    answers.discard(None)
    if len(answers) != 1:
        raise WrongFactError(f"say whether it replaces the resource: the schemas say {answers or 'nothing'}")
    return bool(answers.pop())


def reference(assembly: Assembly, path: str, curated: dict[str, str]) -> str | None:
    """The attribute of a construct that gives the name back, mostly called as the property is; None without one."""
    construct, _, argument = path.rpartition(".")
    name = curated.get(path, argument)
    member = assembly.members(construct).get(name, {})
    if member.get("type", {}).get("primitive") == "string":
        return name
    if path in curated:
        raise WrongFactError(f"{construct} has no attribute {name}")
    return None


# ---- the whole ---------------------------------------------------------------------------------


def facts(curated: dict[str, Any], assembly: Assembly, resources: dict[str, Any], provider: str) -> dict[str, Any]:
    """The document to write; exits with everything that is wrong in the curated list."""
    kinds: dict[str, Any] = {}
    cdk: dict[str, dict[str, str]] = {}
    terraform: dict[str, dict[str, str]] = {}
    references: dict[str, str | None] = {}
    wrong: list[str] = []

    for name, kind in curated.items():
        if name in SECTIONS:
            continue
        try:
            kinds[name] = limits(kind) | {"replaces": replacement(assembly, kind)}
        except WrongFactError as error:
            wrong.append(f"{name}: {error}")
        for path in kind["cdk"]:
            construct, _, argument = path.rpartition(".")
            if construct not in assembly.types or argument not in assembly.props(construct):
                wrong.append(f"{name}: no such property: {path}")
                continue
            cdk.setdefault(construct, {})[argument] = name
            try:
                given = reference(assembly, path, curated["references"])
            except WrongFactError as error:
                wrong.append(f"{name}: {error}")
            else:
                if given != argument:
                    references[path] = given
        for path in kind["terraform"]:
            resource, _, argument = path.rpartition(".")
            attribute = resources.get(resource, {}).get("block", {}).get("attributes", {}).get(argument, {})
            if attribute.get("type") != "string" or not (attribute.get("optional") or attribute.get("required")):
                wrong.append(f"{name}: no such argument: {path}")
            terraform.setdefault(resource, {})[argument] = name
    if wrong:
        sys.exit("\n".join(wrong))
    return {
        "generated": {
            "by": "tools/facts/physical_names.py",
            "from": f"{PACKAGE} {assembly.version}, aws provider {provider}, "
            f"botocore {version('botocore')}, cfn-lint {version('cfn-lint')}",
            "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        },
        "cdk": dict(sorted(cdk.items())),
        "references": dict(sorted(references.items())),
        "terraform": dict(sorted(terraform.items())),
        "kinds": dict(sorted(kinds.items())),
    }


def candidates(assembly: Assembly, resources: dict[str, Any], namespaces: set[str]) -> Iterator[str]:
    """What looks like a physical name, in the services that the list covers.

    In the CDK: a string property that ends with name or identifier, and is one of the resource's primary identifiers
    (the members of its reference interface), is plainly `name`, or is documented as a generated or physical name.
    """
    for construct, self_ in assembly.types.items():
        namespace, _, short = construct.partition(".")
        if namespace not in namespaces or self_["kind"] != "class" or self_.get("abstract") or "." in short:
            continue
        identifiers = set(assembly.members(f"interfaces.{namespace}.{short.removeprefix('Cfn')}Reference"))
        for argument, member in assembly.props(construct).items():
            docs = member.get("docs", {})
            text = docs.get("summary", "") + docs.get("remarks", "")
            own = argument in (*identifiers, "name") or "hysical" in text or "generates a unique" in text
            named = argument == "name" or argument.endswith(("_name", "identifier"))
            if member.get("type", {}).get("primitive") == "string" and named and own and "deprecated" not in docs:
                yield f"{construct}.{argument}"
    for resource, schema in resources.items():
        attribute = schema["block"]["attributes"].get("name", {})
        if attribute.get("type") == "string" and (attribute.get("optional") or attribute.get("required")):
            yield f"{resource}.name"


def main() -> None:
    """Check the list and write the facts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--terraform", type=Path, required=True, help="what `terraform providers schema -json` printed")
    parser.add_argument("--provider", required=True, help="the version of the aws provider that printed it")
    parser.add_argument("--candidates", action="store_true", help="print what is not in the list but looks like a name")
    arguments = parser.parse_args()

    curated = tomllib.loads(CURATED.read_text())
    assembly = Assembly.installed()
    (schema,) = (v for k, v in read(arguments.terraform)["provider_schemas"].items() if k.endswith("/hashicorp/aws"))
    resources = schema["resource_schemas"]
    document = facts(curated, assembly, resources, arguments.provider)
    TARGET.write_text(compact(document))

    if arguments.candidates:
        listed = {
            f"{owner}.{name}"
            for part in ("cdk", "terraform")
            for owner, names in document[part].items()
            for name in names
        }
        namespaces = {construct.partition(".")[0] for construct in document["cdk"]}
        types = {resource.split("_")[1] for resource in document["terraform"]}
        known = {name: schema for name, schema in resources.items() if name.split("_")[1] in types}
        excluded = [glob for globs in curated["excluded"].values() for glob in globs]
        for candidate in candidates(assembly, known, namespaces):
            if candidate not in listed and not any(fnmatch.fnmatchcase(candidate, glob) for glob in excluded):
                print(candidate)


def compact(document: dict[str, Any]) -> str:
    """JSON with one line for each entry of the parts."""
    parts = []
    for part, entries in document.items():
        lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in entries.items())
        parts.append(f' "{part}": {{\n{lines}\n }}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    main()
