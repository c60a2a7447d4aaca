"""Read the jsii assembly of aws-cdk-lib: every type of the CDK with its members and their documentation."""

from __future__ import annotations

import gzip
import json
import keyword
import re
import tarfile
from importlib.resources import files
from pathlib import Path
from typing import Any

PACKAGE = "aws-cdk-lib"
WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


UNIT = re.compile(r"([KMGTPEZY])iB")


def snake(name: str) -> str:
    """The Python name of a camelCase member; as jsii has it, the unit GiB is one word."""
    return WORD.sub("_", UNIT.sub(r"\1ib", name)).lower()


def constant(name: str) -> str:
    """The Python name of a static property that never changes: jsii puts its words apart once more, `DEFAULT_5_XX`."""
    name = snake(name)
    return (f"{name}_" if keyword.iskeyword(name) else name).upper()


class Assembly:
    """The types of one version of aws-cdk-lib."""

    def __init__(self, archive: Path) -> None:
        """Read the `.jsii.tgz` that the wheel holds in `aws_cdk/_jsii`."""
        with tarfile.open(archive) as tar:
            document = _member(tar, "package/.jsii")
            if document.get("schema") == "jsii/file-redirect":
                document = _member(tar, f"package/{document['filename']}")
        self.version: str = document["version"]
        self.types: dict[str, dict[str, Any]] = {
            name.removeprefix(f"{PACKAGE}."): self_ for name, self_ in document["types"].items()
        }

    @classmethod
    def installed(cls) -> Assembly:
        """That of the aws-cdk-lib in this environment."""
        (archive,) = (Path(str(path)) for path in files("aws_cdk._jsii").iterdir() if path.name.startswith(PACKAGE))
        return cls(archive)

    def members(self, name: str) -> dict[str, dict[str, Any]]:
        """The members of a type and of what it inherits, by Python name: properties, methods, enum members."""
        found: dict[str, dict[str, Any]] = {}
        self_ = self.types.get(name)
        if self_ is None:
            return found
        for base in (*self_.get("interfaces", ()), *filter(None, [self_.get("base")])):
            found |= self.members(base.removeprefix(f"{PACKAGE}."))
        for kind in ("properties", "methods", "members"):
            for member in self_.get(kind, ()):
                enum, name = kind == "members", str(member["name"])
                found[name if enum else constant(name) if member.get("const") else snake(name)] = member
        return found

    def props(self, construct: str) -> dict[str, dict[str, Any]]:
        """The keyword arguments of a construct: the members of the interface that its initializer takes."""
        parameters = self.types[construct].get("initializer", {}).get("parameters", ())
        if not parameters or "fqn" not in parameters[-1]["type"]:
            return {}
        return self.members(parameters[-1]["type"]["fqn"].removeprefix(f"{PACKAGE}."))


def _member(tar: tarfile.TarFile, name: str) -> dict[str, Any]:
    stream = next((tar.extractfile(member) for member in tar if member.name == name), None)
    if stream is None:
        raise FileNotFoundError(name)
    content = stream.read()
    document: dict[str, Any] = json.loads(gzip.decompress(content) if name.endswith(".gz") else content)
    return document
