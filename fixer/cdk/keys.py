"""Customer-managed KMS keys that several constructs of a class share.

`lacks` finds what has no key of its own. It is given the one that is there for the purpose; if there is none, the first
to be mended has one made, and the others find it when they are looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.classes import init_of, super_call
from fixer.cdk.companion import free_name
from fixer.cdk.layout import end_of_line, fold
from fixer.model import Absent, Edit, Known, Lack, Manual, Symbol, Unknown

if TYPE_CHECKING:
    from fixer.cdk.calls import Call, Construct
    from fixer.cdk.file import CdkFile
    from fixer.cdk.tree import Scope

KEY = "aws_kms.Key"
_PROPERTY = "kms_key_id"
_OF_AWS = "alias/aws/"
_STACKS = ("Stack", "NestedStack")
_ALLOWING = ("add_to_resource_policy", "grant", "grant_encrypt_decrypt", "grant_encrypt", "grant_decrypt")
_SPEC = (Known(Symbol("aws_kms.KeySpec.SYMMETRIC_DEFAULT")), Absent)
_USAGE = (Known(Symbol("aws_kms.KeyUsage.ENCRYPT_DECRYPT")), Absent)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@dataclass(frozen=True)
class Grant:
    """What a key must allow besides.

    Attributes:
        principal: Python source with `{Name}` for names of the CDK, and `{stack}` for the stack.
        names: The names of the CDK in it.
        actions: Of KMS.
        shown_by: A regular expression of what the source of such a grant holds.
        narrowed_by: One of what it holds if it is for some resources only.
    """

    principal: str
    names: tuple[str, ...]
    actions: tuple[str, ...]
    shown_by: str
    narrowed_by: str = r"(?!)"


@dataclass(frozen=True)
class Purpose:
    """What a key is for.

    Attributes:
        noun: What it is called: `logs` makes `logs_key` and `LogsKey`.
        description: What its description says.
        users: The constructs that use it, with the keyword for it: of an L1 construct, one that takes an ARN.
        words: Those in a key's name or description that say that it is meant for this.
        others: Those that say that it is meant for something else.
        grant: What the key must allow, if anything.
        unfit: Why a construct is not to be given a key, if it is not.
    """

    noun: str
    description: str
    users: Mapping[str, str]
    words: frozenset[str]
    others: frozenset[str]
    grant: Grant | None
    unfit: Callable[[Construct], Manual | None] = lambda _: None


def lacks(file: CdkFile, purpose: Purpose) -> Iterator[Lack]:
    """The constructs of a file that are not given a customer-managed key, and what mends that.

    One that is given a key is in order, also where that can't be seen; it is not if that is one of AWS's own.
    """
    found = [(one, _obstacle(one, purpose)) for one in file.constructs(*purpose.users) if _is_without(one, purpose)]
    lacking = [one for one, manual in found if manual is None]
    for one, manual in found:
        keyword = purpose.users[one.name]
        changes = manual or shared(one, lacking, purpose)
        if isinstance(changes, Manual):
            yield Lack(one, one.value(keyword), manual=changes, at=one.argument(keyword))
        else:
            yield Lack(one, one.value(keyword), changes)


def _is_without(user: Construct, purpose: Purpose) -> bool:
    keyword = purpose.users[user.name]
    if user.overridden(_PROPERTY):
        return False
    match user.value(keyword):
        case Known(str(name)):
            return _OF_AWS in name
        case Unknown():
            return not user.has(keyword)
        case value:
            return value is Absent


def _obstacle(user: Construct, purpose: Purpose) -> Manual | None:
    """Why a construct can't be given a key where it stands."""
    keyword = purpose.users[user.name]
    value, step = user.value(keyword), f"Make sure that {keyword} is set there"
    if isinstance(value, Unknown):
        return Manual(f"{keyword} can't be judged: it {value.why}", step)
    if user.file.is_v1:
        return Manual("Keys of CDK version 1 allow other things by default", f"Move to version 2, or set {keyword}")
    if user.is_super or not user.scope_text:
        return Manual("The class that it is made by may be used in any stack", f"Have the class take {keyword}")
    return purpose.unfit(user)


def shared(user: Construct, lacking: Sequence[Construct], purpose: Purpose) -> tuple[Edit, ...] | Manual:
    """The edits that have a construct use the class's key for the purpose, and make that if there is none.

    Args:
        user: The construct.
        lacking: All constructs of its file that lack a key and can be given one, itself among them.
        purpose: What the key is for.
    """
    keyword = purpose.users[user.name]
    keys = _candidates(user, purpose)
    if isinstance(keys, Manual):
        return keys
    if keys:
        edits = _granted(user, keys[0], purpose) if purpose.grant else ()
        if isinstance(edits, Manual):
            return edits
        return (*user.set(keyword, _used(user, keys[0].target or "")), *edits)
    place = _place(user, [one for one in lacking if _is_beside(one, user)], purpose)
    if isinstance(place, Manual):
        return place
    made, imports = _made(user, place.name, purpose)
    return (*user.set(keyword, _used(user, place.name)), _inserted(user.file, place, made), *imports)


def _used(user: Construct, name: str) -> str:
    return f"{name}.key_arn" if user.name.rpartition(".")[2].startswith("Cfn") else name


def _is_beside(one: Construct, other: Construct) -> bool:
    """Whether two constructs are made by the same class, in the same parent."""
    same = one.scope.nearest("class") is other.scope.nearest("class")
    return same and one.scope_text == other.scope_text


# ---- keys that are there -----------------------------------------------------------------------


def _candidates(user: Construct, purpose: Purpose) -> list[Construct] | Manual:
    """The key to use, if there is one."""
    keys = [one for one in user.file.constructs(KEY) if _is_beside(one, user) and _is_fit(one)]
    visible = [one for one in keys if _is_visible(one, user)]
    used: list[Construct] = []
    for other in user.file.constructs(*purpose.users):
        given = other.argument(purpose.users[other.name])
        if given is None or other is user or not _is_beside(other, user) or other.value(given.name or "") is Absent:
            continue
        text = re.sub(r"\.(key_arn|key_id)$", "", given.text)
        found = next((one for one in keys if one.is_meant_by(text, other)), None)
        if found is None:
            noun = other.subject
            reason = f"{noun} is given `{given.text}`, and it can't be told whether that key is meant for this one too"
            return Manual(reason, f"Set {purpose.users[user.name]} to the key that it is to have")
        if found in visible and found not in used:
            used.append(found)
    named = [one for one in visible if _is_named_for(one, purpose)]
    best = [one for one in used if one in named] or used or named
    if len(best) > 1:
        names = " and ".join(str(one.target) for one in best)
        return Manual(f"It can't be told which of {names} is meant for it", f"Set {purpose.users[user.name]} to one")
    return best


def _is_fit(key: Construct) -> bool:
    """Whether data can be encrypted with a key, as far as it is written out."""
    return (
        not key.has_splat
        and not key.overrides
        and key.value("key_spec") in _SPEC
        and key.value("key_usage") in _USAGE
        and key.value("enabled") in (Absent, Known(True))
    )


def _is_named_for(key: Construct, purpose: Purpose) -> bool:
    texts = [key.target or "", key.id or ""]
    texts += [given.text for name in ("alias", "description") if (given := key.argument(name))]
    texts += [call.text.partition(".add_alias")[2] for call in key.methods("add_alias")]
    words = {word.lower() for text in texts for word in _WORD.findall(text)}
    return bool(words & purpose.words) and not words & purpose.others


def _is_visible(key: Construct, user: Construct) -> bool:
    """Whether the name of a key certainly means it where a construct is made."""
    target, whole = key.target, _whole(key)
    if target is None or whole is None or key.site.statement is None or whole is not key.site.statement.node:
        return False
    if _bindings(key, target) != 1 or not key.is_meant_by(target, user):
        return False
    mine, yours = key.scope.nearest("function"), user.scope.nearest("function")
    if mine is yours:
        return key.start < user.start
    if mine is None or yours is None or not target.startswith("self."):
        return False
    made = key.start if mine.name == "__init__" else _only_call(key, mine.name)
    begun = _begins(user, yours.name, frozenset())
    return made is not None and begun is not None and made < begun


def _bindings(key: Construct, target: str) -> int:
    """How often a name is assigned; 0 if it is no plain name."""
    owner, _, name = target.rpartition(".")
    if owner == "self":
        around = key.scope.nearest("class")
        return len(around.attributes.get(name, ())) if around else 0
    found = key.scope.find(target) if not owner else None
    return len(found[1]) if found else 0


def _mentions(at: Construct, method: str) -> Iterator[int]:
    """Where the class around speaks of one of its methods."""
    around = at.scope.nearest("class")
    if around is not None:
        text = at.file.source[around.start : around.end]
        for found in re.finditer(rf"\bself\.{re.escape(method)}\b".encode(), text):
            yield around.start + found.start()


def _only_call(at: Construct, method: str) -> int | None:
    """Where `__init__` calls a method, if that is the only place, and is run once."""
    places = list(_mentions(at, method))
    scope = at.file.tree.scope_at(places[0]) if len(places) == 1 else None
    if scope is None or scope.kind != "function" or scope.name != "__init__":
        return None
    found = _statement(at.file, scope, places[0])
    return places[0] if isinstance(found, cst.SimpleStatementLine) else None


def _begins(at: Construct, method: str, seen: frozenset[str]) -> int | None:
    """From where in `__init__` on a method may be running; None if that can't be told."""
    if method in seen:
        return None
    starts: list[int | None] = []
    for place in _mentions(at, method):
        caller = at.file.tree.scope_at(place).nearest("function")
        if caller is None:
            return None
        starts.append(place if caller.name == "__init__" else _begins(at, caller.name, seen | {method}))
    known = [one for one in starts if one is not None]
    return min(known) if known and len(known) == len(starts) else None


def _granted(user: Construct, key: Construct, purpose: Purpose) -> tuple[Edit, ...] | Manual:
    """The edits that have a key allow what it must; none if it does so already."""
    grant = purpose.grant
    assert grant is not None  # noqa: S101  the caller has looked
    step = f"Have its policy allow this one too, and set {purpose.users[user.name]} to it"
    there = [text for name in _ALLOWING for call in key.methods(name) for text in _given(call)]
    policy = key.behind("policy")
    if policy:
        there.append(policy.text)
    if any(re.search(grant.narrowed_by, text) for text in there):
        return Manual(f"The policy of {key.target} speaks of certain resources", step)
    if any(re.search(grant.shown_by, text) for text in there):
        return ()
    name = key.target or ""
    if policy or any("(" not in text for text in there):
        return Manual(f"The policy of {name} can't be judged", step)
    text, imports = _grant_text(user, name, grant)
    edits = key.insert_after(text)
    return (*edits, *imports) if edits else Manual(f"{name} is made within another statement", "Make it on its own")


def _given(call: Call) -> Iterator[str]:
    """What a method is given, as it would be written in the call."""
    for argument in call.arguments:
        if written := call.behind(argument):
            yield written.text if argument is call.arguments[0] else f"({written.text})"


# ---- new keys ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """Where a new key goes: a line's start or end, and what it is called."""

    at: int
    indent: str
    name: str
    after: bool
    is_apart: bool = False
    """Whether a blank line comes between: above a comment, which belongs to what follows, and where one is already."""


def _place(user: Construct, lacking: Sequence[Construct], purpose: Purpose) -> _Place | Manual:
    functions = {one.scope.nearest("function") for one in lacking}
    function = user.scope.nearest("function")
    is_method = function is not None and function.parent is not None and function.parent.kind == "class"
    around = user.scope.nearest("class")
    if (function is None) is not (around is None) or (function and not is_method):
        return Manual("It is made by a function that any construct may call", "Give it a key there")
    runs_once = function is None or function.name == "__init__" or _only_call(user, function.name) is not None
    if len(functions) == 1 and runs_once:
        first = min(lacking, key=lambda one: one.start)
        statement = _whole(first)
        if statement is None:
            return Manual("The body of its function is on one line", "Give it a line of its own")
        start = user.file.tree.span(statement)[0]
        at, indent = _above(user.file, start)
        return _Place(
            at, indent, free_name(first, f"{purpose.noun}_key"), after=False, is_apart=at < start - len(indent)
        )
    return _in_init(user, around, purpose) if around and user.scope_text == "self" else _NO_INIT


_NO_INIT = Manual("It can't be told where a key for all of them would be made", "Make one, and give it to them")


def _in_init(user: Construct, around: Scope, purpose: Purpose) -> _Place | Manual:
    """Right below the call of `super().__init__`, where all methods come later."""
    init = init_of(around)
    place = super_call(user.file, init) if init else None
    if place is None:
        return _NO_INIT
    name, number = f"{purpose.noun}_key", 2
    while name in around.attributes or name in around.bindings:
        name, number = f"{purpose.noun}_key_{number}", number + 1
    at = end_of_line(user.file.source, place[1])
    is_apart = re.match(rb"\r?\n[ \t]*\r?\n", user.file.source[at:]) is not None
    return _Place(at, _above(user.file, place[0])[1], f"self.{name}", after=True, is_apart=is_apart)


def _above(file: CdkFile, start: int) -> tuple[int, str]:
    """The start of a statement's line, or of the comments right over it, and its indentation."""
    source = file.source
    line = source.rfind(b"\n", 0, start) + 1
    indent = source[line:start].decode()
    while line and source[source.rfind(b"\n", 0, line - 1) + 1 : line].startswith(f"{indent}#".encode()):
        line = source.rfind(b"\n", 0, line - 1) + 1
    return line, indent


def _whole(call: Construct) -> cst.CSTNode | None:
    """The statement right in the function, or in the file, that a call is in: outside of loops and conditions."""
    function = call.scope.nearest("function")
    return _statement(call.file, function, call.start)


def _statement(file: CdkFile, function: Scope | None, place: int) -> cst.CSTNode | None:
    block = getattr(function.node, "body", None) if function else file.module
    if not isinstance(block, cst.IndentedBlock | cst.Module):
        return None
    for each in block.body:
        start, end = file.tree.span(each)
        if start <= place < end:
            return each
    return None


def _made(user: Construct, name: str, purpose: Purpose) -> tuple[str, tuple[Edit, ...]]:
    """The lines that make a key, and the imports that they need."""
    grant = purpose.grant
    spelled, imports = user.file.spell_all(sorted((KEY, *_grant_names(user, grant))), user)
    made = (
        f"{name} = {spelled[KEY]}({user.scope_text}, {_free_id(user, purpose)}, "
        f'description="{purpose.description}", enable_key_rotation=True)'
    )
    return f"{made}\n{_grant_line(user, name, grant, spelled)}" if grant else made, imports


def _grant_names(user: Construct, grant: Grant | None) -> tuple[str, ...]:
    if grant is None:
        return ()
    return grant.names if user.parent_class in _STACKS else (*grant.names, "Stack")


def _grant_text(user: Construct, name: str, grant: Grant) -> tuple[str, tuple[Edit, ...]]:
    spelled, imports = user.file.spell_all(_grant_names(user, grant), user)
    return _grant_line(user, name, grant, spelled), imports


def _grant_line(user: Construct, name: str, grant: Grant, spelled: Mapping[str, str]) -> str:
    stack = user.scope_text if user.parent_class in _STACKS else f"{spelled['Stack']}.of({user.scope_text})"
    principal = grant.principal.replace("{stack}", stack or "")
    for one in grant.names:
        principal = principal.replace(f"{{{one}}}", spelled[one])
    actions = ", ".join(f'"{action}"' for action in grant.actions)
    return f"{name}.grant({principal}, {actions})"


def _free_id(user: Construct, purpose: Purpose) -> str:
    """An id in the style of the construct's own."""
    own = re.sub(r"\{[^}]*\}", "", user.id or (user.id_argument.text.lstrip("f") if user.id_argument else ""))
    mark = next((one for one in "-_" if one in own and own == own.lower()), "")
    noun = purpose.noun if mark else purpose.noun.capitalize()
    stem = f"{noun}{mark}key" if mark else f"{noun}Key"
    taken = {one.id for one in user.file.constructs() if _is_beside(one, user)}
    free, number = stem, 2
    while free in taken:
        free, number = f"{stem}{mark}{number}", number + 1
    return f'"{free}"'


def _inserted(file: CdkFile, place: _Place, text: str) -> Edit:
    lines = [
        one
        for line in text.removesuffix("\n").split("\n")
        for one in fold(f"{place.indent}{line}", file.line_length, file.unit, inside=False)
    ]
    if place.is_apart:
        lines = ["", *lines] if place.after else [*lines, ""]
    parts = [f"{file.newline}{line}" if place.after else f"{line}{file.newline}" for line in lines]
    return Edit(file.path, place.at, place.at, "".join(parts))
