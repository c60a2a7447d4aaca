"""What takes the place of a bucket's argument."""

from __future__ import annotations

from dataclasses import dataclass

from fixer.model import Known, Unknown, Value
from fixer.terraform import Block


@dataclass(frozen=True)
class Instead:
    """What takes an argument's place."""

    body: str = ""
    """The lines of the new resource; none if there is nothing to say any more."""
    after: str = ""
    """The type of the resource for the same bucket that must be there first."""
    others: str = ""
    """The type of the resource for each other bucket it refers to that must be there first."""
    key: str = ""
    """What its id for an import has behind the bucket's name and a comma, a template's text."""
    when: str = ""
    """The condition on which it is there at all."""
    here: str = ""
    """What stands in the argument's place in the bucket."""


def constant(block: Block, name: str) -> Value:
    """An argument's value as far as no variable can change it."""
    value, attribute = block.value(name), block.attribute(name)
    names = block.module.variables_behind(attribute.expr) if attribute else ()
    return Unknown(f"is set by variable {names[0]}") if names and isinstance(value, Known) else value
