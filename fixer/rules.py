"""Finds the rules: every module with a `rule` in the packages that the entry-point group `iacfix.codemods` names.

Within them, packages and modules with a leading underscore are parts of rules, and a package `facts` is what rules
read. Only the rules import these, which may be slow.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from types import ModuleType

from fixer.model import Language, Rule
from fixer.result import RuleInfo

GROUP = "iacfix.codemods"
FACTS = "facts"
LANGUAGES = {Language.CDK: "CDK Python", Language.TERRAFORM: "Terraform"}


class RuleError(Exception):
    """A package of rules that can't be used; the message is one line."""


def load() -> tuple[Rule, ...]:
    """All installed rules, by name.

    Raises:
        RuleError: a package can't be imported, or two rules have one name.
    """
    found: dict[str, Rule] = {}
    for entry in entry_points(group=GROUP):
        for rule in _rules_of(entry.value):
            if found.setdefault(rule.name, rule) is not rule:
                raise RuleError(f"two rules are named {rule.name}: {found[rule.name].module} and {rule.module}")
    if not found:
        raise RuleError(f"no rules are installed (entry-point group {GROUP})")
    return tuple(found[name] for name in sorted(found))


def _rules_of(package_name: str) -> Iterator[Rule]:
    try:
        for module in _modules_of(importlib.import_module(package_name)):
            rule = getattr(module, "rule", None)
            if isinstance(rule, Rule):
                yield rule
    except ImportError as error:
        raise RuleError(f"the rules of {package_name} can't be imported: {error}") from error


def _modules_of(package: ModuleType) -> Iterator[ModuleType]:
    """All modules that may hold a rule."""
    for _, name, is_package in pkgutil.iter_modules(package.__path__):
        if name.startswith("_") or (is_package and name == FACTS):
            continue
        module = importlib.import_module(f"{package.__name__}.{name}")
        yield module
        if is_package:
            yield from _modules_of(module)


def manual(rule: Rule) -> str:
    """The rule's manual page in Markdown: the docstring of its module."""
    return inspect.cleandoc(sys.modules[rule.module].__doc__ or "")


def summary(rule: Rule) -> str:
    """What the rule does, in one sentence: the first line of its manual page, without the full stop."""
    return manual(rule).partition("\n")[0].rstrip(".")


def page(rule: Rule) -> str:
    """The rule's whole page in Markdown: what it is, and its manual below."""
    title, _, rest = manual(rule).partition("\n")
    rows = [
        ("Languages", ", ".join(LANGUAGES[language] for language in rule.languages)),
        ("Category", rule.category),
        ("Impact", f"up to `{rule.impact}`"),
        ("Says the same", ", ".join(f"`{one}`" for one in rule.scanners) or "no scanner"),
    ]
    table = "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])
    return f"# {rule.name}\n\n{title}\n\n{table}\n{rest.rstrip()}\n"


def describe(rule: Rule) -> RuleInfo:
    """What the reports say of the rule."""
    return RuleInfo(
        rule.name, rule.category, summary(rule), rule.impact, rule.scanners, rule.seeds, rule.languages, manual(rule)
    )
