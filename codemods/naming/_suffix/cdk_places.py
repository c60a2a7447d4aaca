"""What the strings and variables of CDK code are there for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from codemods.facts import physical_names
from codemods.naming._suffix import names
from fixer.cdk.tree import dotted

if TYPE_CHECKING:
    from codemods.facts import PhysicalName
    from fixer.cdk.texts import Text, Texts
    from fixer.cdk.tree import Scope

_NAMING_ONLY = re.compile(
    r"(?:\w+_)?(?:comment|description|label|message|namespace|title)|name|user_?name|mode|id|construct_id|engine"
    r"|(?:\w+_)?(?:database|db|display|export|metric|parameter_group_family|stage)_?name|handler|index|entry|directory|path|runtime"
)
_ASIDE_CALLS = frozenset(
    [
        "add_dimension",
        "asset",
        "debug",
        "error",
        "exists",
        "exit",
        "from_asset",
        "from_docker_build",
        "from_inline",
        "get",
        "get_context",
        "getLogger",
        "getenv",
        "info",
        "isdir",
        "isfile",
        "join",
        "open",
        "Path",
        "print",
        "set_context",
        "try_get_context",
        "warning",
        "Exception",
        "ValueError",
        "KeyError",
        "RuntimeError",
        "Tag",
    ]
)
_GIVING = frozenset(
    ["environment", "add_environment", "CfnOutput", "string_value", "resources", "resource_id", "variables"]
)
"""What hands names on to others, whatever these call them."""


@dataclass(frozen=True)
class Place:
    """What an expression is there for."""

    role: str = ""
    """`id`: a construct's id. `name`: a physical name. `part`: in one. `other`: it means no resource. Empty: it may."""
    labels: tuple[str, ...] = ()
    """The keywords, keys and functions around it, from the inside."""
    target: str | None = None
    """The variable that it is the value of."""


class Places:
    """Judges the places of one file."""

    def __init__(self, texts: Texts) -> None:
        """Take the file's texts."""
        self.texts = texts

    def at(self, node: cst.BaseExpression) -> Place:
        """What a text is there for."""
        inner: cst.CSTNode = node
        labels: list[str] = []
        for outer in self.texts.tree.above(node):
            start = self.texts.tree.outer_span(inner)[0] if isinstance(inner, cst.BaseExpression) else -1
            if start in self.ids:
                return Place("id")
            if start in self.own_names:
                return Place("name" if inner is node else "part")
            match outer:
                case cst.Expr():
                    return Place("other" if inner is node else "", tuple(labels))
                case cst.Assign() | cst.AnnAssign():
                    target = outer.targets[0].target if isinstance(outer, cst.Assign) else outer.target
                    return Place("", (*labels, dotted(target) or ""), dotted(target) if inner is node else None)
                case cst.Return() | cst.SimpleStatementLine():
                    return Place("", tuple(labels))
                case (
                    cst.Comparison()
                    | cst.Subscript()
                    | cst.Annotation()
                    | cst.Param()
                    | cst.Assert()
                    | cst.Raise()
                    | cst.Decorator()
                ):
                    return Place("other")
                case cst.DictElement():
                    label = self.texts.code(outer.key).strip("\"'")
                    if outer.key is inner or _NAMING_ONLY.fullmatch(label.lower()):
                        return Place("other")
                    labels.append(label)
                case cst.Arg() if outer.keyword is not None:
                    if _NAMING_ONLY.fullmatch(outer.keyword.value) or "tag" in outer.keyword.value:
                        return Place("other")
                    labels.append(outer.keyword.value)
                case cst.Call():
                    last = (
                        outer.func.attr.value if isinstance(outer.func, cst.Attribute) else self.texts.code(outer.func)
                    )
                    if (
                        last in _ASIDE_CALLS
                        or "Tags.of" in self.texts.code(outer.func)
                        or last.endswith(("Error", "Exception"))
                    ):
                        return Place("other")
                    labels.append(last)
            inner = outer
        return Place("other")

    @cached_property
    def ids(self) -> frozenset[int]:
        """Where the ids of constructs start."""
        found = (each.id_argument for each in self.texts.file.constructs(include_subclass_calls=True))
        return frozenset(each.value_start for each in found if each)

    @cached_property
    def own_names(self) -> frozenset[int]:
        """Where the values of physical names start."""
        facts = physical_names().cdk
        return frozenset(
            argument.value_start
            for construct in self.texts.file.constructs(*facts)
            for argument in construct.keywords
            if argument.name in facts[construct.name]
        )

    def in_id(self, node: cst.BaseExpression) -> bool:
        return any(
            self.texts.tree.outer_span(one)[0] in self.ids
            for one in (node, *self.texts.tree.above(node))
            if isinstance(one, cst.BaseExpression)
        )

    def is_free(self, target: str, value: cst.BaseExpression) -> bool:
        """Whether a variable that holds a name is no part of an id or of a physical name."""
        found = self.texts.tree.scope_at(self.texts.tree.span(value)[0])
        container = found.nearest("class") if "." in target else found
        uses = self.texts.uses(target, container or self.texts.tree.scope)
        return not any(self.at(use).role in ("id", "name", "part") for use in uses)

    def may_change(self, text: str, value: cst.BaseExpression, owner: Scope) -> bool:
        """Whether a variable that holds a name can change itself: it is in no id, in no path and in no other name."""
        start = self.texts.tree.span(value)[0]
        container = owner if "." not in text else owner.nearest("class")
        if container is None or not self.texts.file.is_unconditional(owner, start):
            return False
        uses = self.texts.uses(text, container)
        return all(self.at(use).role not in ("id", "part", "other") for use in uses)

    def means(self, text: Text, start: int, wanted: str, physical: PhysicalName) -> bool:
        """Whether the place means the resource by its name."""
        place = self.at(text.node)
        if place.role:
            return False
        if place.target and not self.is_free(place.target, text.node):
            return False
        about = bool(place.labels) and names.is_about(place.labels[0], names.subject_words(physical))
        given = not _GIVING.isdisjoint(place.labels)
        return names.is_meant(text.text, start, wanted, physical, about=about, given=given)

    def is_given_to(self, target: str, other: str) -> bool:
        """Whether a method of `target` is called with `other`, so that the one may depend on the other."""
        mention = re.compile(rf"(?<![\w.]){re.escape(other)}\b")
        return any(
            isinstance(site.node.func, cst.Attribute)
            and dotted(site.node.func.value) == target
            and any(mention.search(self.texts.code(each.value)) for each in site.node.args)
            for site in self.texts.tree.calls
        )
