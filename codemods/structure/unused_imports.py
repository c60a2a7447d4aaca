"""Take out the imports that nothing uses.

## Why

An import that nothing reads makes readers look for what it is there for, slows each `cdk synth` down, and has to be
installed: a project keeps an experimental package such as `aws-cdk.aws-lambda-python-alpha` for years because a file
that does not use it imports it. If the module is gone one day, the program breaks for nothing.

## CDK Python

In files that import the CDK or a construct of the app, names that an import brings and that nothing reads are taken
out: the statement with its lines and the comment on it, or only these names of it.

```python
from aws_cdk import Duration, Stack, aws_sns as sns   # before; only Stack is used
from aws_cdk import Stack                             # after
```

Impact `none`: the template stays the same. What counts as a use: code, annotations (those in strings and in
`# type:` comments too), `__all__`, and other files of the app that import the name from this one, read it as an
attribute of the module, or name it in a string, as `mock.patch("shop.stack.boto3")` does.

Once no file of the app mentions an experimental module, the requirement for its package (`aws-cdk.aws-...-alpha`) that
`requirements.txt`, `pyproject.toml`, `setup.py` or `setup.cfg` beside `cdk.json` still has is reported, on the app's
first file.

## Not fixed

- Modules of the app that do more than to define things when they are imported, a plain `import x` of a package that is
  not known to do nothing by that, and relative imports of modules that are not there: look what they do.
- A file of nothing but imports, which others may use, and a block that would be left empty.
- Imports in a class, which make attributes, and those that share their line with another statement.
- Files that read names by `eval`, `exec`, `globals`, `locals` or `vars`, that compute `__all__`, or whose docstrings
  hold the name in an example.
- Requirements: they are reported, the file is not rewritten.
- Not reported: `__init__.py`, tests, imports within `try`, `with` or `if TYPE_CHECKING`, `import *`, `x as x`,
  `from __future__`, and lines with `# noqa`, or pylint's or PyCharm's words for it.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from fixer.cdk.layout import start_of_line
from fixer.model import Finding, Findings, Fix, Impact, Language, Manual, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fixer.cdk import CdkFile
    from fixer.cdk.imports import Import, Imported

rule = Rule(
    __name__,
    impact=Impact.NONE,
    seeds=("S1-1.2",),
    scanners=("F401", "W0611", "unused-import"),
    keywords=("aws_cdk",),
    late=True,
)

_ACTING = frozenset(("antigravity", "readline", "rlcompleter", "this"))
_INERT = frozenset(
    [
        "attr",
        "aws_cdk",
        "aws_lambda_powertools",
        "boto3",
        "botocore",
        "cdk_nag",
        "constructs",
        "jsii",
        "numpy",
        "pandas",
        "pydantic",
        "requests",
        "yaml",
    ]
)
"""Packages that do nothing by being imported which is seen elsewhere."""
_KEPT_FILE = re.compile(
    r"#\s*(?:(?:ruff|flake8):\s*noqa(?!\s*:)|(?:ruff|flake8):\s*noqa\s*:.*\bF(?:4(?:0(?:1)?)?)?\b"
    r"|pylint:\s*disable\s*=.*\b(?:unused-import|W0611)\b)",
    re.IGNORECASE,
)
_KEPT = re.compile(
    r"#\s*noqa(?:\s*$|\s*[^:\s]|\s*:.*\bF(?:4(?:0(?:1)?)?)?\b)|pylint:\s*disable\s*=.*\b(?:unused-import|W0611)\b",
    re.IGNORECASE,
)
_KEPT_BELOW = re.compile(r"#\s*noinspection\b.*(?:PyUnresolvedReferences|PyUnusedImports)")


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Names that imports bring and nothing reads, by statement; and requirements that nothing needs any more."""
    if next(file.app.files()).path == file.path:
        yield from _requirements(file)
    if file.path.endswith("__init__.py") or _is_kept(file):
        return
    unused = {each: names for each in file.imports.statements if (names := _unused(file, each))}
    emptied = [each for each in unused if len(unused[each]) == len(each.names)]
    for statement, names in unused.items():
        whole = statement in emptied
        manuals = {name: _obstacle(file, statement, name) for name in names}
        shared = _no_place(statement, emptied) if whole else None
        for manual in dict.fromkeys([*manuals.values(), None] if shared is None else [shared]):
            some = [name for name in names if shared or manuals[name] == manual]
            if some:
                yield _finding(file, statement, some, manual)


def _finding(file: CdkFile, statement: Import, names: Sequence[Imported], manual: Manual | None) -> Finding:
    whole = (statement.start, statement.end)
    start, end = whole if len(names) == len(statement.names) else (names[0].start, names[0].end)
    listed = ", ".join(f"`{name.written}`" for name in names)
    message = f"{listed} {'are' if len(names) > 1 else 'is'} imported, but not used"
    fix = None if manual else Fix(statement.without(names), Impact.NONE)
    return Finding(rule.name, Language.CDK, file.path, start, end, message, fix, manual, names[0].target, whole)


def _unused(file: CdkFile, statement: Import) -> list[Imported]:
    """The names of a statement that nothing in the app reads."""
    if statement.typing_only or statement.is_guarded or statement.is_from("__future__"):
        return []
    return [
        name
        for name in statement.names
        if not name.exported
        and not file.imports.is_read(name, statement.scope)
        and not _is_noted(file, statement, name)
        and not (statement.scope.kind == "module" and file.imports.is_taken_elsewhere(name))
    ]


# ---- what people wrote -------------------------------------------------------------------------


def _is_kept(file: CdkFile) -> bool:
    """Whether a comment keeps all unused imports of the file; pylint's does so if it has its line to itself."""
    return any(
        _KEPT_FILE.match(text) and not file.source[file.source.rfind(b"\n", 0, start) + 1 : start].strip()
        for start, _, text in file.comments()
    )


def _is_noted(file: CdkFile, statement: Import, name: Imported) -> bool:
    """Whether a comment on the name's line, or on the statement's first or last, keeps it."""
    if any(_KEPT.search(file.comment_on(at)) for at in (statement.start, statement.end, name.start)):
        return True
    first = start_of_line(file.source, statement.start)
    return first > 0 and _KEPT_BELOW.match(file.comment_on(first - 1)) is not None


# ---- what stands in the way --------------------------------------------------------------------


def _no_place(statement: Import, emptied: Sequence[Import]) -> Manual | None:
    """Why the whole statement can't go."""
    if not statement.has_its_lines:
        return Manual("It shares its line with another statement", "Take it out there")
    going = {each.around[0] for each in emptied}
    left = [each for each in statement.siblings if each not in going]
    if statement.scope.kind == "module" and len(statement.around) == 2 and all(map(_is_import_or_text, left)):
        return Manual("The file holds nothing but imports, so others may use them", "Delete the file if none does")
    if not left:
        return Manual("Its block would be left empty", "Take the block out")
    return None


def _is_import_or_text(node: object) -> bool:
    body = getattr(node, "body", ())
    kinds = {type(getattr(each, "value", each)).__name__ for each in body} if isinstance(body, list | tuple) else {""}
    return kinds <= {"Import", "ImportFrom", "SimpleString", "ConcatenatedString"}


def _obstacle(file: CdkFile, statement: Import, name: Imported) -> Manual | None:
    """Why one of its names can't go."""
    if statement.scope.kind == "class":
        return Manual("It is an attribute of the class", "Make sure that nothing reads it there")
    if by := file.imports.read_by_name:
        return Manual(f"The file reads names by {by}()", "Make sure that this is none of them")
    if file.imports.exports_unknown:
        return Manual("__all__ is computed", "Make sure that it does not hold the name")
    if file.imports.in_doctest(name.name):
        return Manual("An example in a docstring has the name", "Import it there, and take it out here")
    return _effect(file, statement, name)


def _effect(file: CdkFile, statement: Import, name: Imported) -> Manual | None:
    """What the import may be there for besides its name."""
    from fixer.cdk.effects import acting, files

    step = "Take it out if nothing needs what that does"
    own = list(files(file.app, file.path, name.target))
    if own:
        found = acting(file.app, file.path, name.target)
        return Manual(f"Importing it runs code in {found}", step) if found else None
    root = name.module.partition(".")[0]
    if not root:
        return Manual(f"The module {name.module} is not there", "Find out where it went")
    if root in sys.stdlib_module_names:
        return Manual(f"Importing {root} does something", step) if root in _ACTING else None
    if not statement.is_from("") and not name.renamed and root not in _INERT:
        return Manual(f"Importing {name.target} may be meant for what that does", step)
    return None


# ---- requirements ------------------------------------------------------------------------------


def _requirements(file: CdkFile) -> Iterator[Finding]:
    """Experimental packages that the app asks for and no file of it mentions."""
    for package, manifest in file.app.facts.experimental:
        module = re.sub(r"[-_.]+", "_", package).lower().removeprefix("aws_cdk_")
        if not file.app.holding(module):
            message = f"{manifest} asks for {package}, whose module nothing in the app imports"
            manual = Manual(f"{manifest} is not rewritten", "Take the requirement out there")
            yield Finding(rule.name, Language.CDK, file.path, 0, 0, message, None, manual, package)
