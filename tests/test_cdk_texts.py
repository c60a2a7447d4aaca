"""String expressions of CDK code as texts with holes, what these hold, and how expressions are put into them."""

from __future__ import annotations

import libcst as cst
import pytest

from fixer.cdk import CdkFile, load
from fixer.cdk.parameters import arguments_for
from fixer.cdk.texts import NoPlaceError, Text, Texts
from fixer.cdk.tree import Scope
from fixer.cdk.values import imported_text
from fixer.facts import CdkFacts
from fixer.holes import Change, hole, shown


def file_of(source: str, **others: str) -> CdkFile:
    files = {"app.py": f"from aws_cdk import Stack\n{source}", **{f"{name}.py": text for name, text in others.items()}}
    found = load(CdkFacts("."), {path: text.encode() for path, text in files.items()}).file("app.py")
    assert found is not None
    return found


def assigned(file: CdkFile, target: str) -> cst.BaseExpression:
    return next(one.value for one in file.tree.assignments if one.target == target)


def read(file: CdkFile, target: str) -> Text:
    return Texts(file).read(assigned(file, target))


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ('"orders"', "orders"),
        ('f"{env}-orders-{x.y}"', "{env}-orders-{x.y}"),
        ('"a" "b"', "ab"),
        ('"a-" + env', "a-{env}"),
        ('f"{{a}}-{x!r}"', "{a}-{x!r}"),
        ("env", "{env}"),
        ('"a-{}".format(env)', "{'a-{}'.format(env)}"),
    ],
)
def test_an_expression_as_a_text(code: str, text: str) -> None:
    found = read(file_of(f"name = {code}\n"), "name")
    assert shown(found.text) == text
    assert len(found.starts) == len(found.ends) == len(found.pieces) == len(found.text)


@pytest.mark.parametrize(
    ("code", "change", "made"),
    [
        ('"orders"', Change(6, 6, before="-"), 'f"orders-{s}"'),
        ('"orders"', Change(0, 0, after="-"), 'f"{s}-orders"'),
        ('"{orders}"', Change(8, 8, before="-"), 'f"{{orders}}-{s}"'),
        ('f"{env}-orders"', Change(0, 5), 'f"{s}-orders"'),
        ('f"{env}-orders"', Change(0, 6, drop=True), 'f"orders"'),
        ("env", Change(5, 5, before="-"), 'f"{env}-{s}"'),
        ("env", Change(0, 0, after="-"), 'f"{s}-{env}"'),
        ("f(x)", Change(6, 6, before="-"), 'f(x) + f"-{s}"'),
        ('"a-" + env', Change(7, 7, before="-"), '"a-" + env + f"-{s}"'),
    ],
)
def test_an_expression_is_put_into_a_text(code: str, change: Change, made: str) -> None:
    file = file_of(f"name = {code}\n")
    texts = Texts(file)
    splices = texts.splices(texts.read(assigned(file, "name")), 0, (change,), "s")
    source = file.source
    for start, end, text in sorted(splices, key=lambda one: -one.start):
        source = source[:start] + text.encode() + source[end:]
    assert source.decode().partition("name = ")[2] == f"{made}\n"


@pytest.mark.parametrize(("code", "change"), [('"a-b"', Change(0, 2, drop=True)), ("a + '' + b", Change(3, 3))])
def test_some_places_take_no_expression(code: str, change: Change) -> None:
    file = file_of(f"name = {code}\n")
    texts = Texts(file)
    with pytest.raises(NoPlaceError):
        list(texts.splices(texts.read(assigned(file, "name")), 0, (change,), "s"))


def test_a_change_is_applied_and_moved() -> None:
    change = Change(2, 4, before="<", after=">")
    assert change.apply("abcdef", "x") == "ab<x>ef"
    assert change.moved(1).apply("abcdef", "x") == "abc<x>f"
    assert Change(2, 4, drop=True).apply("abcdef", "x") == "abef"


def test_strings_are_found_as_a_whole() -> None:
    file = file_of('a = "x" "y"\nb = "x" + y\nc = [f"{x}", "z"]\nf(a)\n')
    texts = Texts(file)
    assert {shown(one.text) for one in texts.strings} == {"xy", "x{y}", "{x}", "z"}
    assert [texts.code(one.node) for one in texts.holding(hole("a")) if one.is_bare] == ["a"]


def test_names_mean_the_same_where_they_are_the_same() -> None:
    source = """
a = 1
class Shop(Stack):
    def one(self):
        x = f"{self.b}-{a}"
        y = f"{self.b}-{a}"
    def two(self, a):
        z = 1
class Other(Stack):
    def one(self):
        w = 1
"""
    file = file_of(source)
    texts = Texts(file)

    def scope(target: str) -> Scope:
        return file.tree.scope_at(file.tree.span(assigned(file, target))[0])

    text = read(file, "x").text
    found = {name: texts.mean_the_same(text, scope("x"), assigned(file, name)) for name in ("y", "z", "w")}
    assert found == {"y": True, "z": False, "w": False}


# ---- what parameters and imports are -----------------------------------------------------------


@pytest.mark.parametrize(
    ("calls", "values"),
    [
        ("", []),
        ("Shop('S', 'one')", ["'one'"]),
        ("Shop('S', name='one')\nShop('S', 'two')", ["'one'", "'two'"]),
        ("Shop('S')", ["'none'"]),
        ("Shop(*all)", ["'none'"]),
        ("Other('S', 'one')", []),
    ],
)
def test_calls_give_parameters(calls: str, values: list[str]) -> None:
    file = file_of(
        f"class Shop(Stack):\n    def __init__(self, id, name='none', *, kind='x'):\n        used = name\n\n{calls}\n"
    )
    node = assigned(file, "used")
    assert isinstance(node, cst.Name)
    given = arguments_for(file, node, file.tree.scope_at(file.tree.span(node)[0]))
    assert given is not None
    assert [file.text(*file.tree.span(value)) for value, _ in given] == values


@pytest.mark.parametrize("body", ["name = 1\n    used = name", "used = other", "name: str\n    used = name"])
def test_what_is_no_parameter_is_given_nothing(body: str) -> None:
    file = file_of(f"other = 1\ndef f(name):\n    {body}\n")
    node = assigned(file, "used")
    assert isinstance(node, cst.Name)
    given = arguments_for(file, node, file.tree.scope_at(file.tree.span(node)[0]))
    assert given is None or "name: str" in body


@pytest.mark.parametrize(
    ("constants", "text"),
    [
        ('NAME = "orders"\n', "orders"),
        ("NAME: str = 'orders'\n", "orders"),
        ('NAME = "orders"\nNAME = "carts"\n', None),
        ("NAME = make()\n", None),
    ],
)
def test_a_constant_of_another_file(constants: str, text: str | None) -> None:
    file = file_of("from constants import NAME\nused = NAME\n", constants=constants)
    node = assigned(file, "used")
    assert isinstance(node, cst.Name)
    assert imported_text(file, node, file.tree.scope) == text
