"""Write `codemods/facts/cdk_api.zip`: the types of aws-cdk-lib with their members, in Python's names.

    pip install aws-cdk-lib
    python tools/facts/cdk_api.py

The source is the jsii assembly in the wheel, of which the Python package is generated as well.
"""

from __future__ import annotations

import keyword
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import archive
from assembly import PACKAGE, Assembly, constant, snake

TARGET = Path(__file__).parents[2] / "codemods/facts/cdk_api.zip"
PRIMITIVES = {"string": "str", "number": "float", "boolean": "bool", "any": "Any", "json": "Any", "date": "datetime"}
LEFT_OUT = ("interfaces", "cloud_assembly_schema", "cx_api")
"""Modules that programs do not build constructs with."""
FROM_CONSTRUCTS: dict[str, dict[str, str]] = {
    "constructs.Construct": {"with_": "*mixins", "to_string": "", "is_construct": "x"},
    "constructs.IConstruct": {"with_": "*mixins"},
}
"""Methods by bases from another package, which have `node` for everybody too."""
INSTEAD = re.compile(r"\buse (?:the )?`*([A-Za-z][\w.]*\w)", re.IGNORECASE)


def python(name: str) -> str:
    """Python's name of a property, method or parameter."""
    name = snake(name)
    return f"{name}_" if keyword.iskeyword(name) else name


def type_name(kind: dict[str, Any]) -> str:
    """A type as Python writes it, those of the CDK without `aws_cdk`."""
    if "primitive" in kind:
        return PRIMITIVES[kind["primitive"]]
    if "fqn" in kind:
        return str(kind["fqn"]).removeprefix(f"{PACKAGE}.")
    for how, sign in (("union", " | "), ("intersection", " & ")):
        if how in kind:
            return sign.join(map(type_name, kind[how]["types"]))
    inner = type_name(kind["collection"]["elementtype"])
    return f"list[{inner}]" if kind["collection"]["kind"] == "array" else f"dict[str, {inner}]"


def deprecation(text: str, owner: dict[str, Any]) -> str:
    """What to use instead, as Python names it, if the text says it and the owner has it; else the text."""
    text = " ".join(text.split()).lstrip("- ")
    named = INSTEAD.search(text)
    members = {member["name"] for kind in ("properties", "methods", "members") for member in owner.get(kind, ())}
    if named and (name := named[1].rpartition(".")[2]) in members:
        return f"={name if name.isupper() else python(name)}"
    return text[:160]


def signature(function: dict[str, Any], assembly: Assembly) -> str:
    """`scope, id, name=, *more, **aws_s3.BucketProps`: parameters, `=` behind those that may be missing, and a struct.

    A parameter that is called as a property of the struct has a `_` in Python. ` -> ` is before the type of the
    CDK that it gives.
    """
    parameters = list(function.get("parameters", ()))
    last = str(parameters[-1]["type"].get("fqn", "")).removeprefix(f"{PACKAGE}.") if parameters else ""
    struct = last if assembly.types.get(last, {}).get("datatype") else ""
    keywords = assembly.members(struct)
    parts = []
    for parameter in parameters[:-1] if struct else parameters:
        star, equals = "*" * parameter.get("variadic", False), "=" * parameter.get("optional", False)
        name = python(parameter["name"])
        parts.append(f"{star}{name}{'_' * (name in keywords)}{equals}")
    text = ", ".join([*parts, f"**{struct}"] if struct else parts)
    returned = function.get("returns", {}).get("type", {})
    return f"{text} -> {type_name(returned)}" if "fqn" in returned else text


def described(one: dict[str, Any], assembly: Assembly) -> dict[str, Any]:
    """A type: kind `k`, bases `b`, initializer `i`, properties `p`, methods `m`, constants `c`, deprecations `d`."""
    bases = (*filter(None, [one.get("base")]), *one.get("interfaces", ()))
    members = dict(pairs(one))
    deprecated = {
        name: deprecation(member["docs"]["deprecated"], one)
        for name, member in members.items()
        if "deprecated" in member.get("docs", {})
    }
    if text := one.get("docs", {}).get("deprecated"):
        deprecated[""] = deprecation(text, {})
    kind = "struct" if one.get("datatype") else one["kind"]
    constants = [name for name, member in pairs(one) if member.get("const") or kind == "enum"]
    document = {
        "k": kind[0],
        "b": [base.removeprefix(f"{PACKAGE}.") for base in bases if base.startswith(f"{PACKAGE}.")],
        "i": signature(one["initializer"], assembly) if "initializer" in one else "",
        "p": {
            python(member["name"]): type_name(member["type"]) + ("" if member.get("optional") else "!")
            for member in public(one, "properties")
            if not member.get("const")
        }
        | ({"node": "constructs.Node!"} if FROM_CONSTRUCTS.keys() & {*bases} else {}),
        "m": {name: text for base in bases for name, text in FROM_CONSTRUCTS.get(base, {}).items()}
        | {python(method["name"]): signature(method, assembly) for method in public(one, "methods")},
        "c": constants,
        "d": deprecated,
    }
    return {key: value for key, value in document.items() if value}


def public(one: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """A type's own members of a kind that are not for its subclasses alone."""
    return [member for member in one.get(kind, ()) if not member.get("protected")]


def pairs(one: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The members that a type itself has for others, by Python's name."""
    for kind in ("properties", "methods", "members"):
        for member in public(one, kind):
            enum, name = kind == "members", str(member["name"])
            yield (name if enum else constant(name) if member.get("const") else python(name)), member


def main() -> None:
    """Write a document for each module."""
    assembly = Assembly.installed()
    documents: dict[str, Any] = defaultdict(dict)
    for name, one in assembly.types.items():
        module, _, rest = name.partition(".") if name[0].islower() else ("", "", name)
        if module not in LEFT_OUT:
            documents[module or "aws_cdk"][rest] = described(one, assembly)
    documents["_generated"] = archive.generated("cdk_api.py", f"{PACKAGE} {assembly.version}")
    archive.write(TARGET, documents)


if __name__ == "__main__":
    main()
