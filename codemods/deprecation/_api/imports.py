"""Imports of what the CDK does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from codemods.deprecation._api.names import nearest
from codemods.deprecation._api.repairs import MODULES
from codemods.deprecation._api.uses import is_caught, is_of_2
from codemods.facts.cdk_api import cdk_module, cdk_modules, cdk_type, cdk_types_called
from codemods.facts.cdk_gone import cdk_gone_in
from fixer.cdk.references import Reference
from fixer.cdk.tree import dotted, module_of
from fixer.model import Edit, Fix, Impact, Manual

if TYPE_CHECKING:
    from fixer.cdk import CdkFile
    from fixer.model import Finding, Rule

_FAILS = "the program fails with ImportError"


def unknown_imports(file: CdkFile, rule: Rule) -> Iterator[Finding]:
    """The findings for imports of modules and names that aws-cdk-lib does not have."""
    for node, _, typing_only in file.tree.imports:
        if typing_only or is_caught(file, node) or isinstance(node.names, cst.ImportStar):
            continue
        package = module_of(node) if isinstance(node, cst.ImportFrom) else ""
        module = package.removeprefix("aws_cdk").lstrip(".")
        if package and package.partition(".")[0] != "aws_cdk":
            continue
        if isinstance(node, cst.ImportFrom) and node.module and not _is_module(module):
            yield from _module(file, rule, node.module, module)
            continue
        for alias in node.names:
            name = dotted(alias.name) or ""
            if isinstance(node, cst.Import):
                if name.startswith("aws_cdk.") and alias.asname:
                    yield from _module(file, rule, alias.name, name.removeprefix("aws_cdk."))
            elif not module and not name[:1].isupper():
                yield from _module(file, rule, alias.name, name, alias=alias)
            elif name not in cdk_module(module) and not _is_module(f"{module}.{name}"):
                yield from _class(file, rule, node, alias, module)


def _is_module(name: str) -> bool:
    """Whether it is a module of the CDK, or one within such, as `aws_s3.mixins`."""
    module, _, rest = name.partition(".")
    return module in cdk_modules() and (not rest or any(one.startswith(f"{rest}.") for one in cdk_module(module)))


def _module(
    file: CdkFile, rule: Rule, node: cst.Name | cst.Attribute, module: str, *, alias: cst.ImportAlias | None = None
) -> Iterator[Finding]:
    """The finding for a module, where the import names it."""
    reference = Reference(file, node, module)
    if module == "core" or module.startswith("core."):
        if is_of_2(file) and file.app.facts.version is not None:
            reason = f"It is version 1's, and the project asks for version 2 ({file.app.facts.version_source})"
            manual = Manual(reason, "Import its names from aws_cdk, and Construct from constructs")
            yield reference.finding(rule, f"aws_cdk has no core: {_FAILS}", manual=manual)
        return
    if file.is_v1 or _is_module(module) or not module.startswith("aws_") or module.endswith("_alpha"):
        return
    message = f"aws_cdk has no {module}: {_FAILS}"
    if right := MODULES.get(module):
        start, end = file.tree.span(node.attr if isinstance(node, cst.Attribute) else node)
        text = right if alias is None or alias.asname else f"{right} as {module}"
        yield reference.finding(rule, message, fix=Fix((Edit(file.path, start, end, text),), Impact.NONE))
    else:
        near = nearest(module, cdk_modules(), 0.75)
        reason = f"What is meant can't be told; the nearest: {near}" if near else "No module has a name like it"
        yield reference.finding(rule, message, manual=Manual(reason, "Import the module that is meant"))


def _class(file: CdkFile, rule: Rule, node: cst.ImportFrom, alias: cst.ImportAlias, module: str) -> Iterator[Finding]:
    """The finding for a name that a module does not have."""
    name = dotted(alias.name) or ""
    full = f"{module}.{name}".lstrip(".")
    version, gone = file.app.facts.version, cdk_gone_in(full)
    if file.is_v1 or cdk_type(full) or (version and gone and tuple(version) < gone):
        return
    if not isinstance(alias.name, cst.Name | cst.Attribute) or node.module is None:
        return
    reference = Reference(file, alias.name, full)
    message = f"{'.'.join(filter(None, ('aws_cdk', module)))} has no {name}: {_FAILS}"
    others = ["constructs.Construct"] if full == "Construct" else [f"aws_cdk.{one}" for one in cdk_types_called(name)]
    if len(others) == 1 and len(tuple(node.names)) == 1:  # type: ignore[arg-type]
        place = file.tree.span(node.module)
        fix = Fix((Edit(file.path, *place, others[0].rpartition(".")[0]),), Impact.NONE)
        yield reference.finding(rule, message, fix=fix)
    elif others:
        yield reference.finding(
            rule, message, manual=Manual(f"{' and '.join(others)} may be meant", "Import the one that is meant")
        )
    else:
        near = nearest(name, cdk_module(module))
        reason = f"What is meant can't be told; the nearest: {near}" if near else "No class has a name like it"
        yield reference.finding(rule, message, manual=Manual(reason, "Import what is meant"))
