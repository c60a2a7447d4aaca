"""Customer-managed KMS keys that several resources of a module share.

`lacks` finds what has no key of its own. It is given the one that is there for the purpose; if there is none, one is
added below the first that lacks it. A key that is there is used only if its policy allows what is needed, or can be
made to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixer.model import Absent, Edit, Known, Lack, Manual, Unknown
from fixer.terraform.companion import free_name, tags
from fixer.terraform.functions import behind, partition, texts
from fixer.terraform.policy_place import place
from fixer.terraform.policy_text import NewStatement, encoded_policy

if TYPE_CHECKING:
    from fixer.terraform.block import Attribute, Block
    from fixer.terraform.expression import Expr
    from fixer.terraform.file import TerraformFile
    from fixer.terraform.module import Module

KEY = "aws_kms_key"
ARGUMENT = "kms_key_id"
_POLICY = "aws_kms_key_policy"
_ALIAS = "aws_kms_alias"
_OF_AWS = "alias/aws/"
_SYMMETRIC = (Absent, Known("SYMMETRIC_DEFAULT"))
_USAGE = (Absent, Known("ENCRYPT_DECRYPT"))
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_INTERPOLATED = re.compile(r"\$\{[^}]*\}")
_IF = re.compile(r"\?\s*1\s*:\s*0\s*$")
"""A count that makes a resource or doesn't."""
_DATA_FILE = "data.tf"


@dataclass(frozen=True)
class Surroundings:
    """Where a key is, as texts for templates: `${data.aws_region.current.name}`."""

    partition: str
    account: str
    region: str


@dataclass(frozen=True)
class Purpose:
    """What a key is for.

    Attributes:
        noun: What it is called.
        description: What its description says.
        user: The type of the resources that use it, by their `kms_key_id`.
        words: Those in a key's name, description or alias that say that it is meant for this.
        others: Those that say that it is meant for something else.
        statement: What its policy must allow besides.
        shown_by: A regular expression of what a policy holds that allows it.
        narrowed_by: One of what it holds if it allows it for some resources only.
        unfit: Why a resource is not to be given a key, if it is not.
    """

    noun: str
    description: str
    user: str
    words: frozenset[str]
    others: frozenset[str]
    statement: Callable[[Surroundings], NewStatement]
    shown_by: str
    narrowed_by: str = r"(?!)"
    unfit: Callable[[Block], Manual | None] = lambda _: None


def lacks(module: Module, purpose: Purpose) -> Iterator[Lack]:
    """The resources that are not given a customer-managed key, and what mends that.

    One that is given a key is in order, also where that can't be seen; it is not if that is one of AWS's own.
    """
    found = [(one, lack) for one in module.all_resources(purpose.user) if (lack := _lack(module, one, purpose))]
    lacking = [one for one, lack in found if lack.manual is None]
    for user, lack in found:
        if lack.manual is not None:
            yield lack
            continue
        changes = _shared(module, user, [one for one in lacking if _is_beside(one, user)], purpose)
        if isinstance(changes, Manual):
            yield Lack(user, lack.value, manual=changes, at=lack.at)
        else:
            yield Lack(user, lack.value, changes, at=lack.at)


def _lack(module: Module, user: Block, purpose: Purpose) -> Lack | None:
    attribute = user.attribute(ARGUMENT)
    value = user.value(ARGUMENT)
    is_null = isinstance(value, Unknown) and value.why.endswith("whose default is null")
    if isinstance(value, Unknown) and attribute and not module.overridden(user) and not _is_of_aws(module, attribute):
        step = "Set the variable where the module is called, or change its default"
        return Lack(user, value, manual=Manual(f"{ARGUMENT} {value.why}", step), at=attribute) if is_null else None
    found = user.lack(ARGUMENT, '""', lambda given: bool(given) and _OF_AWS not in str(given))
    if found is None:
        return None
    step = f"Set {ARGUMENT} to the ARN of a key that is meant for it"
    if attribute and _is_of_aws(module, attribute) and not user.read_only:
        return Lack(user, value, at=attribute)
    if found.manual:
        return Lack(user, value, manual=Manual(found.manual.reason, step), at=found.at)
    if user.value("region") is not Absent:
        manual = Manual("It is in a region of its own", step)
    elif obstacle := user.no_companion(KEY):
        manual = obstacle
    elif unfit := purpose.unfit(user):
        manual = unfit
    else:
        return found
    return Lack(user, value, manual=manual, at=found.at)


def _is_of_aws(module: Module, attribute: Attribute) -> bool:
    """Whether a key is one of AWS's own that is looked up by its alias."""
    traversal = module.follow(attribute.expr).traversal
    block = module.resource(traversal.address) if traversal else None
    return block is not None and block.type == "data" and _OF_AWS in block.text()


def _provider(block: Block) -> str:
    return block.meta().get("provider", "")


def _is_beside(one: Block, other: Block) -> bool:
    return _provider(one) == _provider(other)


def _shared(module: Module, user: Block, lacking: Sequence[Block], purpose: Purpose) -> tuple[Edit, ...] | Manual:
    keys = _candidates(module, user, purpose)
    if isinstance(keys, Manual):
        return keys
    if keys:
        key = keys[0]
        edits = _extended(module, key, purpose)
        return edits if isinstance(edits, Manual) else (*user.set(ARGUMENT, f"{key.address}.arn"), *edits)
    counts = {one.meta().get("count") for one in lacking}
    count = counts.pop() if len(counts) == 1 else None
    if count and not _IF.search(count):
        count = None
    first, index = lacking[0], "[0]" if count else ""
    noun = "_".join(filter(None, (purpose.noun, _provider(user).partition(".")[2])))
    name = free_name(module, KEY, noun, "_key")
    return (*user.set(ARGUMENT, f"{KEY}.{name}{index}.arn"), *_added(module, first, name, count, purpose))


# ---- keys that are there -----------------------------------------------------------------------


def _candidates(module: Module, user: Block, purpose: Purpose) -> list[Block] | Manual:
    """The key to use, if there is one."""
    keys = [one for one in module.all_resources(KEY) if _is_fit(module, one) and _is_beside(one, user)]
    step = f"Set {ARGUMENT} to the key that it is to have"
    used: list[Block] = []
    for other in module.all_resources(purpose.user):
        attribute = other.attribute(ARGUMENT)
        if attribute is None or other is user or not _is_beside(other, user) or _is_of_aws(module, attribute):
            continue
        value = other.value(ARGUMENT)
        if value is Absent or (isinstance(value, Known) and (not value.value or _OF_AWS in str(value.value))):
            continue
        found = _key_behind(module, attribute.expr)
        if found is None or found not in keys:
            reason = f"{other.address} is given {attribute.expr.text}, and it can't be told whether that is for it too"
            return Manual(reason, step)
        if found not in used:
            used.append(found)
    named = [one for one in keys if _is_named_for(module, one, purpose)]
    best = [one for one in used if one in named] or used or named
    if len(best) > 1:
        return Manual(f"It can't be told which key is meant for it: {' or '.join(one.address for one in best)}", step)
    return best


def _key_behind(module: Module, expr: Expr) -> Block | None:
    if key := behind(module, expr, KEY):
        return key
    alias = behind(module, expr, _ALIAS)
    target = alias.attribute("target_key_id") if alias else None
    return behind(module, target.expr, KEY) if target else None


def _is_fit(module: Module, key: Block) -> bool:
    """Whether there is one such key, and data can be encrypted with it."""
    return (
        module.resource(key.address) is key
        and not module.overridden(key)
        and not {"count", "for_each"} & key.meta().keys()
        and key.value("customer_master_key_spec") in _SYMMETRIC
        and key.value("key_usage") in _USAGE
        and key.value("is_enabled") in (Absent, Known(True))
        and key.value("region") is Absent
    )


def _is_named_for(module: Module, key: Block, purpose: Purpose) -> bool:
    found = [key.name]
    if description := key.attribute("description"):
        found.append(description.expr.text)
    for alias in module.all_resources(_ALIAS):
        target, name = alias.attribute("target_key_id"), alias.attribute("name")
        if target and name and behind(module, target.expr, KEY) is key:
            found.append(name.expr.text)
    words = {word.lower() for text in found for word in _WORD.findall(_INTERPOLATED.sub(" ", text))}
    return bool(words & purpose.words) and not words & purpose.others


def _extended(module: Module, key: Block, purpose: Purpose) -> tuple[Edit, ...] | Manual:
    """The edits that have a key's policy allow what is needed; none if it does so already."""
    policies = [key.attribute("policy")]
    for block in module.all_resources(_POLICY):
        owner = block.attribute("key_id")
        if owner and module.refers_to(owner.expr, key) is not False:
            policies.append(block.attribute("policy"))
    given = [one.expr for one in policies if one]
    written = [text for expr in given for text in texts(module, expr)]
    step = f"Make sure that its policy allows this one too, and set {ARGUMENT} to it"
    if any(re.search(purpose.narrowed_by, text, re.DOTALL) for text in written):
        return Manual(f"The policy of {key.address} speaks of certain resources", step)
    if any(re.search(purpose.shown_by, text) for text in written):
        return ()
    if key.read_only or key.ignores_changes("policy") or len(given) > 1:
        return Manual(f"The policy of {key.address} can't be changed where it stands", step)
    data = _Data(module, key)
    statement = purpose.statement(data.surroundings)
    if not given:
        edits = key.set("policy", encoded_policy(_owner(data.surroundings), statement))
    else:
        found = place(module, given[0])
        if isinstance(found, Unknown):
            return Manual(f"The policy of {key.address} can't be extended: it {found.why}", step)
        edits = found.add(statement)
    return (*edits, *data.edits(key))


# ---- new keys ----------------------------------------------------------------------------------


class _Data:
    """The data sources that a policy needs: those that are there, and those to be added."""

    def __init__(self, module: Module, beside: Block) -> None:
        self._module, self._provider = module, _provider(beside)
        self._new: list[str] = []
        account = self._source("aws_caller_identity")
        region = self._source("aws_region")
        majors = module.facts.aws_majors
        attribute = "region" if majors == (6,) else "name" if majors and 6 not in majors else "id"
        self.surroundings = Surroundings(partition(module), f"${{{account}.account_id}}", f"${{{region}.{attribute}}}")

    def _source(self, kind: str) -> str:
        for block in self._module.data(kind):
            own = {one.name for one in block.attributes()} - {"provider"}
            if _provider(block) == self._provider and not own:
                return block.address
        stem = "_".join(filter(None, ("current", self._provider.partition(".")[2])))
        name = free_name(self._module, f"data.{kind}", stem, "_2")
        inside = f" {{\n  provider = {self._provider}\n}}" if self._provider else " {}"
        self._new.append(f'data "{kind}" "{name}"{inside}')
        return f"data.{kind}.{name}"

    @property
    def text(self) -> str:
        """The blocks to be added."""
        return "\n\n".join(self._new)

    def edits(self, beside: Block) -> tuple[Edit, ...]:
        """What adds them: to `data.tf` if there is one, else below a block."""
        if not self._new:
            return ()
        there = self.file
        return (there.appended(self.text),) if there else beside.insert_after(self.text)

    @property
    def file(self) -> TerraformFile | None:
        """`data.tf`, if the module has one."""
        return next((one for one in self._module.files if one.path.rpartition("/")[2] == _DATA_FILE), None)


def _owner(at: Surroundings) -> NewStatement:
    """What lets the account's own policies give permissions for the key; AWS's default policy for keys."""
    root = f"arn:{at.partition}:iam::{at.account}:root"
    return NewStatement("EnableIAMPolicies", ("kms:*",), ("*",), principals=(("AWS", (root,)),))


def _indented(text: str, width: int) -> str:
    return "\n".join(" " * width + line if line else "" for line in text.split("\n"))


def _added(module: Module, first: Block, name: str, count: str | None, purpose: Purpose) -> tuple[Edit, ...]:
    """What adds a key below the first resource that lacks one; `count` is the condition that all of them have."""
    data = _Data(module, first)
    statements = [_owner(data.surroundings), purpose.statement(data.surroundings)]
    meta = "".join(f"{key} = {text}\n" for key, text in (("count", count), ("provider", _provider(first))) if text)
    meta += "\n" if meta else ""
    policy = encoded_policy(*statements)
    lines = f'{meta}description = "{purpose.description}"\nenable_key_rotation = true\npolicy = {policy}\n'
    if (shared := tags(first)) and not re.search(r"\b(?:each|count)\.", shared):
        lines += f"\ntags = {shared}\n"
    key = f'resource "{KEY}" "{name}" {{\n{_indented(lines.rstrip(), 2)}\n}}'
    if data.file is None or data.file is first.file:
        return first.insert_after("\n\n".join(filter(None, (data.text, key))))
    return (*data.edits(first), *first.insert_after(key))
