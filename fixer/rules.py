"""Finds the rules: every module with a `rule` in the packages that the entry-point group `iacfix.codemods` names."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points

from fixer.model import Language, Rule
from fixer.result import RuleInfo

GROUP = "iacfix.codemods"
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
        package = importlib.import_module(package_name)
        for module in pkgutil.walk_packages(package.__path__, package_name + "."):
            if "._" in module.name:
                continue  # a part of a rule, which may be slow to import
            rule = getattr(importlib.import_module(module.name), "rule", None)
            if isinstance(rule, Rule):
                yield rule
    except ImportError as error:
        raise RuleError(f"the rules of {package_name} can't be imported: {error}") from error


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
