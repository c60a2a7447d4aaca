"""What a project asks of iacfix: `iacfix.toml`, `.iacfix.toml` or `[tool.iacfix]` in `pyproject.toml`.

A rule's options are the fields of its own dataclass: the code here builds them from the file, and makes the JSON Schema
and the template of the file from them.
"""

from __future__ import annotations

import ast
import difflib
import fnmatch
import inspect
import itertools
import json
import os
import sys
import textwrap
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from fixer.model import Impact, Rule

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAMES = ("iacfix.toml", ".iacfix.toml", "pyproject.toml")
"""In one directory the first of them that speaks of iacfix counts; a nearer directory before one further up."""


class ConfigError(Exception):
    """A configuration that can't be used; the message is one line and names the file."""


@dataclass(frozen=True)
class Config:
    """What the file says; without a file, the defaults."""

    path: Path | None = None
    name: str = "configuration"
    """The file as messages name it: relative to the project's root."""
    enabled: bool = True
    """Whether iacfix does anything here."""
    select: tuple[str, ...] = ()
    """Rules to run: names, categories, globs, `default`, `all`; empty for the default ones."""
    ignore: tuple[str, ...] = ()
    """Rules not to run, named the same ways."""
    impact: Impact = Impact.BEHAVIOR
    """The greatest impact that a fix may have."""
    exclude: tuple[str, ...] = ()
    """Paths to leave alone: patterns as in `.gitignore`, made relative to the project's root."""
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The options given for rules, as read."""


# ---- reading the file --------------------------------------------------------------------------


def load(start: Path, root: Path, explicit: Path | None = None) -> Config:
    """Read the configuration that counts for a path.

    Args:
        start: The first path that the command got; the search goes from it up to the root.
        root: The project's root.
        explicit: A file to read instead of searching.

    Raises:
        ConfigError: the file can't be read, or has an unknown key or a wrong value. Rules and their options are looked
            at by `validate`.
    """
    root = root.resolve()
    if explicit is not None:
        table = _table(explicit, str(explicit))
        if table is None:
            raise ConfigError(f"{explicit}: has no [tool.iacfix]")
        return _config(explicit, str(explicit), table, root)
    here = start.resolve()
    for directory in (here, *here.parents):
        for path in (directory / name for name in NAMES):
            name = Path(os.path.relpath(path, root)).as_posix()
            if path.is_file() and (table := _table(path, name)) is not None:
                return _config(path, name, table, root)
        if directory == root:
            break
    return Config()


def _table(path: Path, name: str) -> dict[str, Any] | None:
    """What the file says of iacfix; None if it is a pyproject.toml that says nothing."""
    shared = path.name == "pyproject.toml"
    try:
        data = path.read_bytes()
        if shared and b"iacfix" not in data:
            return None
        table = tomllib.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{name}: can't be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{name}: is not valid TOML: {' '.join(str(error).split())}") from error
    if not shared:
        return table
    tool = table.get("tool")
    own = tool.get("iacfix") if isinstance(tool, dict) else None
    if own is None or isinstance(own, dict):
        return own
    raise ConfigError(f"{name}: tool.iacfix: expected a table, not {_shown(own)}")


_TOP: Mapping[str, Any] = {
    "enabled": bool,
    "select": tuple[str, ...],
    "ignore": tuple[str, ...],
    "impact": Literal["none", "behavior", "replacement"],
    "exclude": tuple[str, ...],
    "rules": dict[str, dict[str, Any]],
}


def _config(path: Path, name: str, table: Mapping[str, Any], root: Path) -> Config:
    values = {}
    for key, value in table.items():
        if key not in _TOP:
            raise ConfigError(f"{name}: unknown key {key!r}{nearest(key, _TOP)}")
        values[key] = _converted(value, _TOP[key], f"{name}: {key}")
    if "impact" in values:
        values["impact"] = Impact.of(values["impact"])
    base = Path(os.path.relpath(path.resolve().parent, root)).as_posix()
    if not base.startswith(".."):
        values["exclude"] = tuple(anchored(pattern, base) for pattern in values.get("exclude", ()))
    return Config(path, name, **values)


def anchored(pattern: str, directory: str) -> str:
    """The pattern of an ignore file in `directory`, as it has to stand in one at the root; both as in `.gitignore`."""
    sign, body = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    if directory == "." or not body.strip() or body.startswith("#"):
        return pattern
    between = "/" if "/" in body.rstrip("/") else "/**/"
    return f"{sign}{directory}{between}{body.removeprefix('/')}"


# ---- rules and their options -------------------------------------------------------------------


def validate(config: Config, rules: Sequence[Rule]) -> None:
    """Check what the file says of rules.

    Raises:
        ConfigError: it names a rule, an option or a selector that there is not, or gives a value that a rule refuses.
    """
    known = {rule.name: rule for rule in rules}
    for name in config.rules:
        if name not in known:
            raise ConfigError(f"{config.name}: rules: there is no rule {name!r}{nearest(name, known)}")
        options_for(known[name], config)
    try:
        selected(rules, config.select, config.ignore)
    except ConfigError as error:
        raise ConfigError(f"{config.name}: {error}") from error


def selected(rules: Sequence[Rule], select: Sequence[str], ignore: Sequence[str]) -> list[Rule]:
    """The rules to run, in their order.

    A selector is a rule's name, a category, a glob over names, `all`, or `default` for what runs if there is none.

    Raises:
        ConfigError: a selector matches no rule.
    """
    chosen = _matching(rules, select or ("default",)) - _matching(rules, ignore)
    return [rule for rule in rules if rule.name in chosen]


def _matching(rules: Sequence[Rule], selectors: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for selector in selectors:
        if selector == "default":
            found.update(rule.name for rule in rules if rule.default)
            continue
        names = {
            rule.name
            for rule in rules
            if selector in ("all", rule.name, rule.category) or fnmatch.fnmatchcase(rule.name, selector)
        }
        if not names:
            words = {"all", "default", *(rule.name for rule in rules), *(rule.category for rule in rules)}
            raise ConfigError(f"no rule or category matches {selector!r}{nearest(selector, words)}")
        found |= names
    return found


def options_for(rule: Rule, config: Config) -> Any:
    """An instance of the rule's option class, with what the file gives and the defaults.

    Raises:
        ConfigError: the class has no such option, or the value is of the wrong type or refused by the class.
    """
    return filled(rule.options, config.rules.get(rule.name, {}), f"{config.name}: rules.{rule.name}", "option")


Made = TypeVar("Made")


def filled(made: type[Made], table: Mapping[str, Any], where: str, word: str = "key") -> Made:
    """A dataclass with the values of a TOML table, each of the type that its field says.

    Args:
        made: The dataclass; it may refuse a value with a ValueError.
        table: The values.
        where: File and table, for messages.
        word: What messages call a key.

    Raises:
        ConfigError: there is no such field, or a value is of the wrong type or refused.
    """
    hints = typing.get_type_hints(made)
    known = {one.name for one in fields(made)}  # type: ignore[arg-type]
    values = {}
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f"{where}: unknown {word} {key!r}{nearest(key, known)}")
        values[key] = _converted(value, hints[key], f"{where}.{key}")
    try:
        return made(**values)
    except ValueError as error:
        culprits = [f".{key}" for key, value in values.items() if _refused(made, key, value)]
        raise ConfigError(f"{where}{culprits[0] if culprits else ''}: {error}") from error


def _refused(options: type[Any], key: str, value: Any) -> bool:
    """Whether the value is refused even if it is the only one given."""
    try:
        options(**{key: value})
    except ValueError:
        return True
    return False


def nearest(word: str, known: Iterable[str]) -> str:
    """A question that names the known word that is most like this one; empty if none is."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, 1) or [one for one in words if word and word in one]
    return f"; did you mean {near[0]!r}?" if near else ""


# ---- types of options --------------------------------------------------------------------------

_PLAIN: Mapping[type, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
}


def _converted(value: Any, hint: Any, where: str) -> Any:
    """The value of a TOML file as the type wants it.

    Args:
        value: As read.
        hint: `bool`, `int`, `float`, `str`, `Any`, `Literal[...]`, `X | None`, `tuple[X, ...]` or `dict[str, X]`.
        where: File and key, for the message.

    Raises:
        ConfigError: the value is not of that type.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return _converted(value, _optional(hint), where)
    if origin is Literal:
        if any(value == one and type(value) is type(one) for one in arguments):
            return value
        words = ", ".join(_shown(one) for one in arguments)
        near = nearest(value, [one for one in arguments if isinstance(one, str)]) if isinstance(value, str) else ""
        raise ConfigError(f"{where}: expected one of {words}, not {_shown(value)}{near}")
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where}: expected a list, not {_shown(value)}")
        return tuple(_converted(one, arguments[0], f"{where}[{at}]") for at, one in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise ConfigError(f"{where}: expected a table, not {_shown(value)}")
        return {key: _converted(one, arguments[1], f"{where}.{key}") for key, one in value.items()}
    if type(value) is hint:
        return value
    if hint is float and type(value) is int:
        return float(value)
    raise ConfigError(f"{where}: expected {_PLAIN[hint]}, not {_shown(value)}")


def _optional(hint: Any) -> Any:
    """X of `X | None`; TOML has no null, so that a value is always an X."""
    (only,) = (one for one in typing.get_args(hint) if one is not types.NoneType)
    return only


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


# ---- schema and template -----------------------------------------------------------------------

_ABOUT: Mapping[str, str] = {
    "enabled": "Whether iacfix does anything here.",
    "select": "Rules to run: names, categories, globs such as s3-*, default or all.",
    "ignore": "Rules not to run, named the same ways.",
    "impact": "The greatest impact on deployed infrastructure that a fix may have.",
    "exclude": "Paths to leave alone: patterns as in .gitignore.",
    "rules": "Options of rules.",
}
_DEFAULTS: Mapping[str, Any] = {
    "enabled": True,
    "select": ["default"],
    "ignore": [],
    "impact": "behavior",
    "exclude": [],
}


def schema(rules: Sequence[Rule]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the configuration with these rules."""
    properties = {
        key: {"description": _ABOUT[key], **_type_schema(hint), "default": _DEFAULTS[key]}
        for key, hint in _TOP.items()
        if key != "rules"
    }
    properties["rules"] = {"description": _ABOUT["rules"], **_object({rule.name: _rule_schema(rule) for rule in rules})}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of iacfix",
        **_object(properties),
    }


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": dict(properties)}


def _rule_schema(rule: Rule) -> dict[str, Any]:
    hints = typing.get_type_hints(rule.options)
    about = descriptions(rule.options)
    properties = {}
    for one in fields(rule.options):
        properties[one.name] = {"description": about.get(one.name, ""), **_type_schema(hints[one.name])}
        default = _default(one)
        if default is not None:
            properties[one.name]["default"] = default
    return {"description": _summary(rule), **_object(properties)}


_TYPE_NAMES: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


def _type_schema(hint: Any) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return {}
    if origin in (typing.Union, types.UnionType):
        return _type_schema(_optional(hint))
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _type_schema(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type_schema(arguments[1])}
    return {"type": _TYPE_NAMES[hint]}


def _default(one: Field[Any]) -> Any:
    """The field's default as JSON has it; None if there is none."""
    factory: Any = one.default_factory
    value = factory() if factory is not MISSING else None if one.default is MISSING else one.default
    return list(value) if isinstance(value, tuple) else value


def descriptions(options: type[Any]) -> dict[str, str]:
    """The string below each field of a dataclass, on one line, by the field's name; none where there is no source."""
    found: dict[str, str] = {}
    for cls in reversed(options.__mro__[:-1]):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
        except (OSError, TypeError):
            continue
        body = typing.cast(ast.ClassDef, tree.body[0]).body
        for one, below in itertools.pairwise(body):
            match one, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = " ".join(text.split())
    return found


def _summary(rule: Rule) -> str:
    module = sys.modules.get(rule.module)
    return inspect.cleandoc((module and module.__doc__) or "").partition("\n")[0]


def template(rules: Sequence[Rule]) -> str:
    """An `iacfix.toml` that says what the defaults are; all of it but comments could be left out."""
    lines = []
    for key, default in _DEFAULTS.items():
        lines += [*_comment(_ABOUT[key]), f"{key} = {_toml(default)}", ""]
    for rule in rules:
        about = descriptions(rule.options)
        options = fields(rule.options)
        if not options:
            continue
        lines += [*_comment(_summary(rule)), f"[rules.{rule.name}]"]
        for one in options:
            default = _default(one)
            lines += _comment(about.get(one.name, ""))
            lines.append(f"# {one.name} =" if default is None else f"{one.name} = {_toml(default)}")
        lines.append("")
    return "\n".join(lines)


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 98)]


def _toml(value: Any) -> str:
    render: Callable[[Any], str] = json.dumps
    if isinstance(value, dict):
        return "{" + ", ".join(f"{render(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return render(value)
