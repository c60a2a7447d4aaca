"""IAM policies in CDK Python: statements as they are written, and new ones that join them.

A statement is a call of `aws_iam.PolicyStatement`, or a dictionary of IAM's JSON.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixer.model import Absent

if TYPE_CHECKING:
    from fixer.cdk.calls import Construct
    from fixer.cdk.file import CdkFile
    from fixer.model import Edit

_DOCUMENT = "aws_iam.PolicyDocument"
_STATEMENT = "aws_iam.PolicyStatement"
_EFFECT = "aws_iam.Effect"
_PRINCIPALS = {"Service": "aws_iam.ServicePrincipal", "AWS": "aws_iam.ArnPrincipal", "*": "aws_iam.AnyPrincipal"}
_EVERYBODY = ("AnyPrincipal", "StarPrincipal", "Anyone")
_MADE_BY = ("PolicyStatement", "PolicyDocument")
_ADDING = ("add_any_principal", "add_principals", "add_arn_principal")
_PRINCIPAL = ("Principal", "principals")
_ALL_BUT = {"NotPrincipal", "not_principals"}
_INSECURE = re.compile(r"\{bool(ifexists)?:\{aws:securetransport:false\}\}")
_FIELDS = frozenset(("effect", "action", "principal", "condition", "resource"))


# ---- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statement:
    """A statement as it is written: the source of each of its parts, by their names in IAM's JSON in lower case."""

    parts: Mapping[str, ast.expr]

    def text(self, name: str) -> str:
        """The source of a part; empty if it has none."""
        return ast.unparse(self.parts[name]) if name in self.parts else ""

    @property
    def denies(self) -> bool:
        """Whether its effect is certainly to deny."""
        return self.text("effect").rpartition(".")[2].strip("'\"").upper() == "DENY"

    @property
    def everybody(self) -> bool:
        """Whether everybody is among its principals."""
        return any(name in self.text("principal") for name in (*_EVERYBODY, "'*'"))

    @property
    def conditions(self) -> str:
        """Its conditions in lower case, without quotes, blanks and lists: `{bool:{aws:securetransport:false}}`."""
        return re.sub(r"[\s'\"\[\]]", "", self.text("condition")).lower()

    def names(self, *actions: str) -> bool:
        """Whether one of these, such as `s3:*`, is among its actions."""
        return any(f"'{action.lower()}'" in self.text("action").lower() for action in actions)

    @property
    def resources(self) -> list[str] | None:
        """The source of each resource; None if the list is not written out there."""
        found = self.parts.get("resource")
        return [ast.unparse(one) for one in found.elts] if isinstance(found, ast.List | ast.Tuple) else None

    def refuses_insecure(self, *actions: str) -> bool:
        """Whether it refuses everybody one of these actions without TLS, whatever else is the case."""
        is_insecure = _INSECURE.fullmatch(self.conditions) is not None
        return is_insecure and self.denies and self.everybody and self.names(*actions)


def statements(text: str) -> Iterator[Statement]:
    """The statements in Python source that have principals, actions, resources and conditions."""
    for node in ast.walk(ast.parse(f"({text}\n)", mode="eval")):
        parts: dict[str, ast.expr] = {}
        if isinstance(node, ast.Call):
            parts = {str(keyword.arg): keyword.value for keyword in node.keywords}
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            parts = {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}
        found = {name.lower().removesuffix("s"): value for name, value in parts.items()}
        if found.keys() >= _FIELDS:
            yield Statement(found)


def allows_everybody(text: str) -> bool:
    """Whether Python source that makes statements of a policy holds one that allows everybody something."""
    tree = ast.parse(f"({text}\n)", mode="eval")
    return any(_is_everybody(principal) for principal in _allowed(tree))


def is_written_out(text: str) -> bool:
    """Whether Python source is a policy or a statement, and not something that gives one."""
    node = ast.parse(f"({text}\n)", mode="eval").body
    if isinstance(node, ast.Call):
        unpacked = any(keyword.arg is None and not isinstance(keyword.value, ast.Dict) for keyword in node.keywords)
        return any(name in ast.unparse(node.func) for name in _MADE_BY) and not unpacked
    return isinstance(node, ast.Dict)


def is_widened(file: CdkFile, name: str) -> bool:
    """Whether a method of what a name stands for, such as `add_any_principal`, adds everybody to its principals."""
    later = (call for method in _ADDING for call in file.methods(method) if file.receiver(call) == name)
    return any(call.name == "add_any_principal" or allows_everybody(call.text) for call in later)


def _allowed(tree: ast.AST) -> Iterator[ast.AST]:
    """The principals of the statements that do not deny, by the keywords of calls and the keys of dictionaries."""
    for node in ast.walk(tree):
        fields: dict[object, ast.AST] = {}
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            fields = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
        elif isinstance(node, ast.Call):
            fields = {keyword.arg: keyword.value for keyword in node.keywords}
            if getattr(node.func, "attr", "") in _ADDING:
                yield from node.args
        effect = fields.get("Effect", fields.get("effect"))
        denies = getattr(effect, "attr", getattr(effect, "value", "")) in ("DENY", "Deny")
        yield from (value for key, value in fields.items() if key in _PRINCIPAL and not denies)
        if not denies and fields.keys() & _ALL_BUT:
            yield ast.Constant("*")


def _is_everybody(principal: ast.AST) -> bool:
    return any(
        (isinstance(node, ast.Constant) and node.value == "*")
        or (isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in _EVERYBODY)
        for node in ast.walk(principal)
    )


# ---- writing -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewStatement:
    """A statement to write. Resources are Python source: `bucket.bucket_arn`."""

    sid: str
    actions: Sequence[str]
    resources: Sequence[str]
    effect: str = "Allow"
    principals: Sequence[tuple[str, Sequence[str]]] = ()
    """Types with identifiers: `("Service", ("logs.amazonaws.com",))`; `("*", ("*",))` is everybody."""
    conditions: Sequence[tuple[str, str, Sequence[str]]] = ()
    """Test, key and values: `("Bool", "aws:SecureTransport", ("false",))`."""

    @property
    def uses(self) -> tuple[str, ...]:
        """The names of the CDK that it is written with, as a policy document."""
        kinds = (_PRINCIPALS[kind] for kind, _ in self.principals)
        return (_DOCUMENT, _STATEMENT, *((_EFFECT,) if self.effect != "Allow" else ()), *kinds)

    def call(self, spelled: Mapping[str, str]) -> str:
        """The statement as a call, by the spelling of the names that it uses."""
        parts = [f'sid="{self.sid}"']
        if self.effect != "Allow":
            parts.append(f"effect={spelled[_EFFECT]}.{self.effect.upper()}")
        if self.principals:
            made = [
                f"{spelled[_PRINCIPALS[kind]]}({'' if kind == '*' else _quoted(one)})"
                for kind, identifiers in self.principals
                for one in identifiers
            ]
            parts.append(f"principals=[{', '.join(made)}]")
        parts += [
            f"actions=[{', '.join(map(_quoted, self.actions))}]",
            f"resources=[{', '.join(self.resources)}]",
        ]
        if self.conditions:
            parts.append(f"conditions={self._conditions()}")
        return f"{spelled[_STATEMENT]}({', '.join(parts)})"

    def document(self, spelled: Mapping[str, str]) -> str:
        """A policy document with this statement alone."""
        return f"{spelled[_DOCUMENT]}(statements=[{self.call(spelled)}])"

    def dictionary(self) -> str:
        """The statement as a dictionary of IAM's JSON."""
        parts = {"Sid": _quoted(self.sid), "Effect": _quoted(self.effect)}
        if self.principals:
            kinds = ", ".join(f'"{kind}": {_listed(map(_quoted, ones))}' for kind, ones in self.principals)
            parts["Principal"] = '"*"' if list(self.principals) == [("*", ("*",))] else f"{{{kinds}}}"
        parts["Action"] = _listed(map(_quoted, self.actions))
        parts["Resource"] = _listed(self.resources)
        if self.conditions:
            parts["Condition"] = self._conditions()
        return f"{{{', '.join(f'{_quoted(name)}: {text}' for name, text in parts.items())}}}"

    def _conditions(self) -> str:
        tests: dict[str, list[str]] = {}
        for test, key, values in self.conditions:
            tests.setdefault(test, []).append(f'"{key}": {_listed(map(_quoted, values))}')
        inner = (f"{_quoted(test)}: {{{', '.join(keys)}}}" for test, keys in tests.items())
        return f"{{{', '.join(inner)}}}"


def insecure_refused(actions: Sequence[str], resources: Sequence[str]) -> NewStatement:
    """The statement that refuses everybody these actions without TLS."""
    everybody, insecure = ("*", ("*",)), ("Bool", "aws:SecureTransport", ("false",))
    return NewStatement("DenyInsecureTransport", actions, resources, "Deny", (everybody,), (insecure,))


def joined(policy: Construct, keyword: str, statement: NewStatement) -> tuple[Edit, ...] | None:
    """The edits that give a policy another statement, last of all; None if its statements are not written out there.

    Args:
        policy: What is given the policy document.
        keyword: The keyword that it is given by, as a `PolicyDocument` or as a dictionary.
        statement: What to add.
    """
    file = policy.file
    document = policy.call_behind(keyword, _DOCUMENT)
    if document is None and policy.argument(keyword):
        return policy.append(keyword, statement.dictionary(), "Statement")
    spelled, imports = file.spell_all(statement.uses, policy)
    edits: tuple[Edit, ...] | None = None
    if policy.value(keyword) is Absent:
        edits = policy.set(keyword, statement.document(spelled))
    elif document and document.value("statements") is Absent:
        edits = document.set("statements", f"[{statement.call(spelled)}]")
    elif document:
        edits = document.append("statements", statement.call(spelled))
    return (*edits, *imports) if edits else None


def _quoted(text: str) -> str:
    return f'"{text}"'


def _listed(texts: Iterator[str] | Sequence[str]) -> str:
    """One value, or a list of several."""
    found = list(texts)
    return found[0] if len(found) == 1 else f"[{', '.join(found)}]"
