"""IAM policies and statements to write, in all the forms in which modules have them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Data: TypeAlias = "str | Sequence[str] | Mapping[str, Data]"
_REFERENCE = re.compile(r"\$\{([^{}]+)\}")


@dataclass(frozen=True)
class Style:
    """How the objects of a policy are written."""

    quoted: bool = False
    separator: str = " = "
    comma: bool = False
    step: str = "  "
    trailing_comma: bool = False
    as_json: bool = False


@dataclass(frozen=True)
class NewStatement:
    """A statement to write. Texts are what stands between the quotes: `${aws_s3_bucket.data.arn}/*`."""

    sid: str
    """Another one like it is written if the policy has it; empty for a statement without one."""
    actions: Sequence[str]
    resources: Sequence[str]
    """Empty for the policy of a role, which says who may assume it."""
    effect: str = "Allow"
    principals: Sequence[tuple[str, Sequence[str]]] = ()
    """Types with identifiers: `("Service", ("logs.amazonaws.com",))`; `("*", ("*",))` is everybody."""
    conditions: Sequence[tuple[str, str, Sequence[str]]] = ()
    """Test, key and values: `("Bool", "aws:SecureTransport", ("false",))`."""

    def encoded(self, *, trailing_comma: bool = False) -> str:
        """The statement as an object for `jsonencode`, in the form of `terraform fmt` but for aligned `=`."""
        return "\n".join(written(self.data(), Style(trailing_comma=trailing_comma)))

    def block(self, *, trailing_comma: bool = True) -> str:
        """The statement as a block of `aws_iam_policy_document`."""
        style = Style(trailing_comma=trailing_comma)
        lines = (
            [f'sid = "{self.sid}"', f'effect = "{self.effect}"'] if self.effect != "Allow" else [f'sid = "{self.sid}"']
        )
        for name, values in (("actions", self.actions), ("resources", self.resources)):
            lines += [f"{name} = {_listed(values, style)}"] if values else []
        nested = [
            f'principals {{\ntype = "{kind}"\nidentifiers = {_listed(values, style)}\n}}'
            for kind, values in self.principals
        ]
        nested += [
            f'condition {{\ntest = "{test}"\nvariable = "{key}"\nvalues = {_listed(values, style)}\n}}'
            for test, key, values in self.conditions
        ]
        return _stepped("\n\n".join(["statement {\n" + "\n".join(lines), *nested]) + "\n}")

    def data(self) -> dict[str, Data]:
        """The statement under the names of IAM's JSON."""
        data: dict[str, Data] = {**({"Sid": self.sid} if self.sid else {}), "Effect": self.effect}
        if self.principals:
            everybody = list(self.principals) == [("*", ("*",))]
            data["Principal"] = "*" if everybody else {kind: _one_or_all(values) for kind, values in self.principals}
        data |= {"Action": _one_or_all(self.actions)}
        data |= {"Resource": _one_or_all(self.resources)} if self.resources else {}
        conditions: dict[str, dict[str, Data]] = {}
        for test, key, values in self.conditions:
            conditions.setdefault(test, {})[key] = _one_or_all(values)
        return data | ({"Condition": conditions} if conditions else {})


def insecure_refused(actions: Sequence[str], resources: Sequence[str]) -> NewStatement:
    """The statement that refuses everybody these actions without TLS."""
    everybody, insecure = ("*", ("*",)), ("Bool", "aws:SecureTransport", ("false",))
    return NewStatement("DenyInsecureTransport", actions, resources, "Deny", (everybody,), (insecure,))


def encoded_policy(*statements: NewStatement) -> str:
    """A policy of these statements as a call of `jsonencode`, in the form of `terraform fmt` but for aligned `=`."""
    listed = ",\n".join(one.encoded() for one in statements).replace("\n", "\n    ")
    return f'jsonencode({{\n  Version = "2012-10-17"\n  Statement = [\n    {listed}\n  ]\n}})'


def written(data: Data, style: Style) -> list[str]:
    """An object, list or text, line by line."""
    if isinstance(data, str):
        return [_text(data, style)]
    if isinstance(data, Mapping):
        opening, closing, comma = "{", "}", style.comma
        parts = []
        for key, value in data.items():
            first, *others = written(value, style)
            name = key if key.isidentifier() and not style.quoted else f'"{key}"'
            parts.append([f"{name}{style.separator}{first}", *others])
    else:
        opening, closing, comma = "[", "]", True
        parts = [written(value, style) for value in data]
    trailing = style.trailing_comma and not style.as_json and isinstance(data, list | tuple)
    lines = [opening]
    for number, part in enumerate(parts, 1):
        end = "," if comma and (number < len(parts) or trailing) else ""
        lines += [f"{style.step}{line}" for line in (*part[:-1], f"{part[-1]}{end}")]
    return [*lines, closing]


def _text(text: str, style: Style) -> str:
    reference = _REFERENCE.fullmatch(text)
    if reference and not style.as_json:
        return reference[1]
    return f'"{text}"' if "${" in text else json.dumps(text, ensure_ascii=False)


def _listed(values: Sequence[str], style: Style) -> str:
    """A list, on one line if it has one element."""
    if len(values) == 1:
        return f"[{_text(values[0], style)}]"
    return "\n".join(written(list(values), style))


def _one_or_all(values: Sequence[str]) -> str | Sequence[str]:
    return values[0] if len(values) == 1 else list(values)


def _stepped(text: str) -> str:
    """HCL with its brackets' insides indented by two spaces."""
    lines, depth = [], 0
    for line in (one.strip() for one in text.split("\n")):
        depth -= line.startswith(("}", "]"))
        lines.append("  " * depth + line if line else "")
        depth += line.endswith(("{", "["))
    return "\n".join(lines)
