"""Say the types of what stacks and constructs take, and of what functions return.

## Why

Without annotations, an editor and a type checker know nothing of `scope` and `construct_id`, and mypy does not look
into the function at all: a misspelt keyword, or a bucket where a queue is wanted, is found by `cdk synth` or not before
the deployment.

## CDK Python

In files that import the CDK or a construct of the app:

- `-> None` for functions that return nothing;
- `scope: Construct`, `construct_id: str` and `**kwargs: Any` in the `__init__` of stacks, stages and constructs, for
  the parameters that are passed on to the CDK's own `__init__` as scope and id, whatever their names are;
- the class of what a function returns, if that is a construct which it makes itself.

```python
class Shop(Stack):
    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

    def _bucket(self) -> s3.Bucket:
        return s3.Bucket(self, "Data")
```

`Construct` and `Any` are imported where they are not yet. Annotations that are there stay. Impact `none`: the template
stays the same.

## Not fixed

- Functions whose result is used although they return nothing: one of both is wrong.
- Methods that a class or interface of the CDK has too, or that return something in another class of the app from which
  this one may come: both have to fit.
- Functions that are left to others: `...`, `NotImplementedError`, abstract methods.
- Not reported: other parameters, and values other than constructs that are returned, since their types are not known; a
  scope of which more than `node` is read, so that it must be more than a `Construct`, and one where that name is taken;
  parameters with a default; generators; functions with a `# type:` comment, or with `# noqa` on the line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from codemods._phrases import listed
from codemods.facts.cdk_api import cdk_type
from fixer.cdk.outline import ProjectClass, gives_value
from fixer.model import Edit, Finding, Findings, Fix, Impact, Language, Manual, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst as cst

    from fixer.cdk import CdkFile, Construct
    from fixer.cdk.signatures import Function

rule = Rule(
    __name__,
    impact=Impact.NONE,
    seeds=("S0-1.1",),
    scanners=("ANN001", "ANN003", "ANN201", "ANN202", "ANN204", "ANN205", "ANN206", "no-untyped-def"),
    keywords=("aws_cdk",),
)

_NOQA = re.compile(r"#\s*noqa(?:\s*$|\s*[^:\s]|\s*:.*\bANN)|#\s*type:\s*ignore", re.IGNORECASE)
_OPEN_BY = frozenset(("abstractmethod", "abstractproperty", "overload"))
_FREE = frozenset(("property", "staticmethod", "classmethod"))
_CONSTRUCT = "constructs.Construct"
_SAME_EVERYWHERE = frozenset(("__init__", "__post_init__", "visit"))
"""Methods that return nothing in every class; `visit` is that of aspects."""


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Functions with parameters or a result whose types are known and not said."""
    from fixer.cdk.signatures import functions

    for function in sorted(functions(file), key=lambda each: each.start):
        if not function.has_type_comment and not _is_noted(file, function):
            yield from _function(file, function)


def _function(file: CdkFile, function: Function) -> Iterator[Finding]:
    from fixer.cdk.signatures import type_names

    wanted = _parameters(file, function)
    returns, manual = _returned(file, function)
    named = type_names(file, (kind for kind in wanted.values() if "." in kind), function.start)
    known = {name: named.texts.get(kind, kind) for name, kind in wanted.items()}
    known = {name: kind for name, kind in known.items() if kind == "str" or kind in named.texts.values()}
    if known or (returns and not manual):
        missing = [f"`{name}`" for name in known] + (["what it returns"] if returns and not manual else [])
        edits = function.annotate(known, None if manual else returns)
        yield _finding(file, function, f"does not say the type of {listed(missing)}", fix=(*edits, *named.edits))
    if returns and manual:
        yield _finding(file, function, "does not say the type of what it returns", manual=manual)


def _finding(
    file: CdkFile, function: Function, message: str, *, fix: tuple[Edit, ...] = (), manual: Manual | None = None
) -> Finding:
    place = (function.start, function.end)
    made = Fix(fix, Impact.NONE) if fix else None
    text = f"{function.title} {message}"
    return Finding(rule.name, Language.CDK, file.path, *place, text, made, manual, function.title, place)


def _is_noted(file: CdkFile, function: Function) -> bool:
    return any(_NOQA.search(file.comment_on(at)) for at in (function.start, function.end))


# ---- parameters --------------------------------------------------------------------------------


def _parameters(file: CdkFile, function: Function) -> dict[str, str]:
    """The full names of the types of parameters that lack theirs."""
    made = _passed_on(file, function)
    if made is None:
        return {}
    found: dict[str, str] = {}
    base = "aws_cdk.core.Construct" if file.is_v1 else _CONSTRUCT
    for given, kind in ((made.scope_text, base), (made.id_argument.text if made.id_argument else None, "str")):
        parameter = function.parameters.get(given or "")
        if parameter is None or parameter.default is not None or parameter.annotation is not None or parameter.star:
            continue
        name = parameter.name.value
        if len(function.scope.bindings[name]) == 1 and (kind == "str" or _is_any_construct(file, function, name)):
            found[name] = kind
    star = function.node.params.star_kwarg
    if star is not None and star.annotation is None:
        found[star.name.value] = "typing.Any"
    return found


def _passed_on(file: CdkFile, function: Function) -> Construct | None:
    """The call of the CDK's own `__init__` in that of a construct, if it takes a scope and an id."""
    if function.name != "__init__" or function.owner.kind != "class":
        return None
    for each in file.constructs():
        if each.is_super and each.scope is function.scope:
            known = cdk_type(each.name)
            takes = known.initializer.positional if known and known.initializer else ()
            if takes[:2] == ("scope", "id") or each.name in ("Construct", _CONSTRUCT):
                return each
    return None


def _is_any_construct(file: CdkFile, function: Function, name: str) -> bool:
    """Whether the function reads nothing of its scope that a mere construct does not have."""
    start, end = file.tree.span(function.node)
    return re.search(rf"(?<![\w.]){name}\s*\.(?!\s*node\b)", file.text(start, end)) is None


# ---- results -----------------------------------------------------------------------------------


def _returned(file: CdkFile, function: Function) -> tuple[str | None, Manual | None]:
    """The type of what the function returns, if it is known and not said, and why it can't be written down."""
    if function.node.returns is not None or function.is_generator:
        return None, None
    if function.returns_nothing:
        return "None", _open(function) or _conflict(file, function) or _used(file, function)
    if function.ends_with_return and _FREE.issuperset(function.decorators):
        texts = {_made(file, function, each) for each in function.returned}
        if len(texts) == 1 and (text := texts.pop()):
            return text, _open(function) or _conflict(file, function)
    return None, None


def _open(function: Function) -> Manual | None:
    if function.is_left_open or not _OPEN_BY.isdisjoint(function.decorators):
        return Manual("It is left to others what it returns", "Say what they have to return")
    return None


def _conflict(file: CdkFile, function: Function) -> Manual | None:
    """What other classes may say of the method."""
    if function.owner.kind != "class" or function.name in _SAME_EVERYWHERE:
        return None
    step = "Give all of them the same type"
    index, own = file.app.index, ProjectClass(file.path, function.owner.name)
    subclass = index.subclass(own)
    known = cdk_type(subclass.base) if subclass else None
    if known and (function.name in known.methods or function.name in known.properties):
        return Manual(f"{known.name} has {function.name} too", step)
    node = function.owner.node
    decorators = [file.text(*file.tree.span(each)) for each in getattr(node, "decorators", ())]
    if any("implements" in each for each in decorators) and not function.name.startswith("_"):
        return Manual("The class implements an interface", step)
    outline = file.outline.classes.get(function.owner.name)
    related = function.owner.name in index.parents or any(
        isinstance(index.lookup(file.path, base), ProjectClass) for base in (outline.bases if outline else ())
    )
    if related and _differs(file, function):
        return Manual(f"Another class of the app has {function.name}, which returns something else", step)
    return None


def _differs(file: CdkFile, function: Function) -> bool:
    """Whether another function of that name in the app may return something else."""
    others = file.app.definitions(function.name)
    if not function.returns_nothing:
        return len(others) > 1
    return any(map(gives_value, others))


def _used(file: CdkFile, function: Function) -> Manual | None:
    """Where the file uses the result of what returns nothing."""
    for site in file.tree.calls:
        called = site.node.func
        name = getattr(getattr(called, "attr", called), "value", None)
        is_method = function.owner.kind == "class"
        if name != function.name or hasattr(called, "attr") != is_method:
            continue
        if type(site.parent).__name__ not in ("Expr", "Await", "Lambda"):
            line = file.source.count(b"\n", 0, file.tree.span(site.node)[0]) + 1
            return Manual(f"It returns nothing, but line {line} uses what it returns", "See what is meant")
    return None


def _made(file: CdkFile, function: Function, node: cst.BaseExpression | None) -> str | None:
    """The class of a construct that an expression makes, as an annotation of the function writes it."""
    from fixer.cdk.signatures import made_by

    call = made_by(function, node)
    if call is None:
        return None
    head = call.text.partition(".")[0]
    found = function.owner.find(head)
    if found is None or found[0].kind != "module" or len(found[1]) != 1:
        return None
    binding = found[1][0]
    if isinstance(call.meaning, str):
        known = cdk_type(call.meaning)
        is_class = known is not None and known.kind == "class" and bool(known.initializer)
        return call.text if is_class and binding.start < function.start and not binding.typing_only else None
    if file.app.index.subclass(call.meaning) is None or "." in call.text or binding.typing_only:
        return None
    above = binding.start < function.start and function.owner.name != head
    return call.text if above or "annotations" in file.outline.imports else f'"{call.text}"'
