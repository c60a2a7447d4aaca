"""What tells the environments of a project apart: the words that both languages use for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

PRODUCTION = ("prod", "production", "prd")
"""What people call the production environment."""
HOLDER = re.compile(r"(?:(?:deploy(?:ment)?|target)_?)?(?:env(?:ironment)?|stage)(?:_?(?:name|suffix))?")
"""A variable that holds the environment, or the suffix that stands for it."""

_NAMED = re.compile(r"\b(?:prod|production|prd|dev|development|test|staging)\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ENVIRONMENT = frozenset(
    ["branch", "deployment", "env", "environment", "envname", "stage", "stagename", "suffix", "unique", "workspace"]
)
_STACK = re.compile(r"stack_?(?:name|id)(?![a-z])", re.IGNORECASE)
_NO_ENVIRONMENT = re.compile(r"\benv\.(?:account|region)\b|\bos\.environ\b|\benviron\b")


def check_production(names: Sequence[str]) -> None:
    """Refuse an option `production` that holds no names of environments, with ValueError."""
    if not names or not all(re.fullmatch(r"[\w-]+", name) for name in names):
        raise ValueError("production: expects names of letters, digits, underscores and hyphens")


def words_in(code: str) -> Iterator[str]:
    """The words that an expression is written with, in lower case, without those that only look like an environment."""
    for word in _WORD.findall(_NO_ENVIRONMENT.sub("", code)):
        yield word.lower()


def tells_apart(code: str) -> bool:
    """Whether an expression is by its name something that differs from one environment to the other."""
    return not _ENVIRONMENT.isdisjoint(words_in(code)) or _STACK.search(code) is not None


def names_one(code: str) -> bool:
    """Whether an expression holds the name of an environment, such as `prod` or `dev`."""
    return _NAMED.search(code) is not None
