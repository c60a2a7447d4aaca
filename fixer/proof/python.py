"""Python, read by its own parser: outside of the edits its tree is the same, and names that come in are known."""

from __future__ import annotations

import ast
import builtins
import itertools
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from fixer.model import Edit
from fixer.proof.spans import Span, spans

_KNOWN = frozenset((*dir(builtins), "__file__", "__name__", "__doc__", "__spec__", "__path__", "__class__"))


_ATOMS = (ast.Constant, ast.JoinedStr, ast.Name, ast.alias)


def flaw(path: str, sources: Mapping[str, bytes], after: bytes, edits: Iterable[Edit]) -> str | None:
    """Why one file's edits must not be made; None if they are proven. The unit's sources are those before."""
    from fixer.cdk import syntax_error

    before = sources.get(path, b"")
    if problem := syntax_error(after):
        return f"would not parse: {problem}"
    try:
        old, new = ast.parse(before), ast.parse(after)
    except (SyntaxError, ValueError):
        return None  # newer than this Python: LibCST reads it, and nobody else here does
    there, here = spans(edits)
    for one, other in itertools.zip_longest(_kept(old, before, there), _kept(new, after, here)):
        if one is None or other is None or one[1] != other[1]:
            line = (one or other or (0, ""))[0]
            return f"the code on line {line} would change outside of the edits"
    if twice := _repeated(new) - _repeated(old):
        return f"{min(twice)} would be given twice in a call"
    for name in _Names(after, here).unknown(new):
        return f"{UNKNOWN} {name}"
    return None


UNKNOWN = "nothing there is called"
"""What is wrong with a name that comes with edits, and that nothing gives a meaning."""


def undefined(source: bytes) -> frozenset[str]:
    """The names that a file reads where nothing gives them a meaning.

    Raises:
        SyntaxError: it is no Python.
    """
    return frozenset(_Names(source, [Span(0, len(source))]).unknown(ast.parse(source)))


def _repeated(tree: ast.AST) -> set[str]:
    """The keywords that calls have more than once, which Python's compiler takes amiss, and its parser does not."""
    calls = (Counter(each.arg for each in node.keywords) for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {name for names in calls for name, number in names.items() if name and number > 1}


def clash(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str | None:
    """What files can't both declare: nothing in Python."""
    return None


class _Lines:
    """Offsets of lines and columns, as the parser counts them."""

    def __init__(self, source: bytes) -> None:
        self._mark = len(BOM_UTF8) if source.startswith(BOM_UTF8) else 0
        # The parser takes a lone carriage return for the end of a line too.
        ends = source.replace(b"\r\n", b" \n").replace(b"\r", b"\n")
        self._starts = [0, *itertools.accumulate(len(line) + 1 for line in ends.split(b"\n"))]

    def span(self, node: ast.AST) -> tuple[int, int] | None:
        """Where the node is, with its decorators; None for one without a place, such as an operator."""
        if not isinstance(node, ast.expr | ast.stmt | ast.keyword | ast.arg | ast.alias | ast.excepthandler):
            return None
        if node.end_lineno is None or node.end_col_offset is None:
            return None
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        first = decorators[0] if decorators else node
        return self._offset(first.lineno, first.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column + (self._mark if line == 1 else 0)


def _kept(tree: ast.AST, source: bytes, edited: Sequence[Span]) -> Iterator[tuple[int, str]]:
    """The largest parts of the tree that no edit meets, in their order, each with its line.

    What is in an f-string has no right place before Python 3.12: one that is edited is left out whole.
    """
    lines = _Lines(source)
    edited = [span.with_space(source) for span in edited]
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if place := lines.span(node):
            if not any(span.meets(*place) for span in edited):
                yield getattr(node, "lineno", 0), ast.dump(node)
                continue
            if isinstance(node, _ATOMS) or any(span.holds(*place) for span in edited):
                continue
        waiting += sorted(ast.iter_child_nodes(node), key=lambda child: lines.span(child) or (0, 0), reverse=True)


class _Names:
    """Looks for names that come with edits and that nothing in the file gives a meaning."""

    def __init__(self, source: bytes, edited: Sequence[Span]) -> None:
        self._lines, self._edited = _Lines(source), edited

    def unknown(self, tree: ast.Module) -> Iterator[str]:
        """The names that are read in what the edits brought, and bound nowhere that they could be read from."""
        if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(tree)):
            return
        yield from self._scope(tree, (_bound(tree),))

    def _scope(self, scope: ast.AST, known: tuple[dict[str, int], ...]) -> Iterator[str]:
        waiting = list(ast.iter_child_nodes(scope))
        while waiting:
            node = waiting.pop()
            if isinstance(node, _SCOPES):
                outer = known[:-1] if isinstance(scope, ast.ClassDef) else known
                yield from self._scope(node, (*outer, _bound(node)))
                continue
            match node:
                case ast.Name(ctx=ast.Load()) if self._is_new(node) and not self._is_bound(node, scope, known):
                    yield node.id
            waiting += ast.iter_child_nodes(node)

    @staticmethod
    def _is_bound(node: ast.Name, scope: ast.AST, known: tuple[dict[str, int], ...]) -> bool:
        """Whether it has a meaning there: in its own function only if that comes first."""
        if node.id in _KNOWN:
            return True
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef) and node.id in known[-1]:
            return known[-1][node.id] <= node.lineno
        return any(node.id in names for names in known)

    def _is_new(self, node: ast.AST) -> bool:
        place = self._lines.span(node)
        return place is not None and any(span.touches(*place) for span in self._edited)


_SCOPES = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


def _bound(scope: ast.AST) -> dict[str, int]:
    """The names that a scope binds, each with the first line that does."""
    found: dict[str, int] = {}
    waiting = [scope]
    while waiting:
        node = waiting.pop()
        names: Iterable[str | None] = ()
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Name(ctx=ast.Store()):
                names = (node.id,)
            case ast.arg():
                names = (node.arg,)
            case ast.Import() | ast.ImportFrom():
                names = [alias.asname or alias.name.partition(".")[0] for alias in node.names]
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() if node is not scope:
                names = (node.name,)
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
                names = (node.name,)
            case ast.MatchMapping():
                names = (node.rest,)
            case ast.Global() | ast.Nonlocal():
                names, line = node.names, 0
        for name in filter(None, names):
            found[name] = min(found.get(name, line), line)
        if node is scope or not isinstance(node, _SCOPES):
            waiting += ast.iter_child_nodes(node)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            waiting += [part for part in ast.walk(node) if isinstance(part, ast.NamedExpr)]
    return found
