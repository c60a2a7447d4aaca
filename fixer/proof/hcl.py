"""HCL, read by python-hcl2: what it finds changed is what the edits touch, and nothing else.

python-hcl2 reads some 0.2 MB/s and not every file that Terraform takes. A file that it can't read as it was is held
against this package's own reading alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

from fixer import terraform
from fixer.facts import TerraformFacts
from fixer.model import Edit
from fixer.proof.spans import Span, spans
from fixer.terraform import Attribute, Block

Path = tuple[str, ...]
"""Where something stands: types and labels of the blocks around it, and its own name; `()` names a block itself."""


def flaw(path: str, sources: Mapping[str, bytes], after: bytes, edits: Iterable[Edit]) -> str | None:
    """Why one file's edits must not be made; None if they are proven. The unit's sources are those before."""
    before = sources.get(path)
    module = terraform.load(TerraformFacts("."), {path.rpartition("/")[2]: after})
    if module.errors:
        return f"would not parse: {module.errors[0][1]}"
    old, new = _leaves(path, before or b""), _leaves(path, after)
    there, here = spans(edits) if before is not None else ([], [Span(0, len(after))])
    gone, come = _difference(old, new), _difference(new, old)
    for surplus, edited in ((gone, there), (come, here)):
        for (name, _), (number, places) in surplus.items():
            if sum(any(span.touches(*place) for span in edited) for place in places) < number:
                return f"{_shown(name)} would change outside of the edits"
    others = (source for name, source in sources.items() if name != path)
    return _second_opinion(before or b"", after, gone, come, others)


def clash(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str | None:
    """What the changed files declare that the module declares already; None if there is nothing."""
    changed = [path for path, source in after.items() if before.get(path) != source]
    old, new = (Counter(_declared(changed, sources)) for sources in (before, after))
    for path in new - old:
        if new[path] > 1 or any(_declares(after[one], path) for one in after.keys() - {*changed}):
            return f"{_shown(path)} would be declared twice"
    return None


_NAMED = {"resource": 4, "data": 4, "variable": 3, "output": 3, "module": 3}
"""Blocks that a module can have but once, by type, with the length of their paths."""


def _declared(paths: Iterable[str], sources: Mapping[str, bytes]) -> Iterator[Path]:
    for path in paths:
        for leaf in _leaves(path, sources.get(path, b"")):
            if not leaf[0][-1] and len(leaf[0]) == _NAMED.get(leaf[0][0]):
                yield leaf[0]


def _declares(source: bytes, path: Path) -> bool:
    kind, *labels = (re.escape(part.encode()) for part in path[:-1])
    return bool(
        re.search(
            rb"^[ \t]*%b[ \t]+%b[ \t]*\{" % (kind, rb"[ \t]+".join(rb'"?%b"?' % one for one in labels)), source, re.M
        )
    )


def _shown(path: Path) -> str:
    return ".".join(filter(None, path)) or "the file"


_Surplus = dict[tuple[Path, str], tuple[int, list[tuple[int, int]]]]
"""Attributes and blocks by path and text: how many more there are than in another file, and where all of them are."""


def _second_opinion(before: bytes, after: bytes, gone: _Surplus, come: _Surplus, others: Iterable[bytes]) -> str | None:
    """Whether python-hcl2 sees the same difference; `others` are files that something may come from."""
    here, there = Counter(_cut(before)), Counter(_cut(after))
    old, new = _read_all(here - there), _read_all(there - here)
    if old is None or new is None:
        old, new = _read(before), _read(after)
    if old is None:
        return None
    if new is None:
        if any(_read(source) is None for source in others):
            return None
        return "would not be read by python-hcl2, which reads the file as it is"
    for seen, told in ((old - new, gone), (new - old, come)):
        said = Counter[Path]()
        for (path, _), (number, _) in told.items():
            said[tuple(_NOT_ASCII.sub(_spelled, part) for part in path)] += number
        if unsaid := Counter(path for path, _ in seen.elements()) - said:
            return f"{_shown(min(unsaid))} would change, says python-hcl2, and no edit says so"
    return None


@lru_cache(maxsize=64)
def _cut(source: bytes) -> tuple[bytes, ...]:
    """What stands at the top of a file, one by one: what two files have in common needs no reading."""
    module = terraform.load(TerraformFacts("."), {"main.tf": source})
    bare = _without_comments(source)
    starts = [0, *(item.start for file in module.files for item in file.blocks), len(bare)]
    return tuple(part for start, end in pairwise(starts) if (part := bare[start:end].strip()))


def _read_all(parts: Counter[bytes]) -> Counter[tuple[Path, str]] | None:
    """All attributes and blocks of parts of a file; None if one can't be read alone."""
    found = Counter[tuple[Path, str]]()
    for part, number in parts.items():
        leaves = _read(part + b"\n")
        if leaves is None:
            return None
        for leaf, times in leaves.items():
            found[leaf] += times * number
    return found


@lru_cache(maxsize=64)
def _read(source: bytes) -> Counter[tuple[Path, str]] | None:
    """All attributes and blocks as python-hcl2 reads them; None if it can't."""
    import hcl2
    from hcl2.utils import SerializationOptions

    options = SerializationOptions(with_comments=False, wrap_objects=True, wrap_tuples=True)
    try:
        text = _without_comments(source).decode("utf-8-sig").replace("\r\n", "\n")
        content = hcl2.loads(_NOT_ASCII.sub(_spelled, text), serialization_options=options)
    except Exception:  # whatever a parser that is not ours fails with, it has no opinion then
        return None
    return Counter(_parts(content, ()))


def _without_comments(source: bytes) -> bytes:
    """The same with blanks for comments: python-hcl2 8.1.4 takes one before a bracket for a part of a name."""
    module = terraform.load(TerraformFacts("."), {"main.tf": source})
    bare = bytearray(source)
    for start, end, _ in (comment for file in module.files for comment in file.comments()):
        bare[start:end] = _TEXT.sub(b" ", source[start:end])
    return bytes(bare)


_TEXT = re.compile(rb"[^\r\n]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def _spelled(match: re.Match[str]) -> str:
    """A letter that python-hcl2 does not take in a name, by its number."""
    return f"u{ord(match[0]):x}"


def _parts(body: dict[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    for key, value in body.items():
        if key == _MARK:
            continue
        if isinstance(value, list):
            for block in value:
                labels = [key]
                while _MARK not in block:
                    ((label, block),) = block.items()  # noqa: PLW2901
                    labels.append(label.strip('"'))
                yield (*path, *labels, ""), ""
                yield from _parts(block, (*path, *labels))
        else:
            yield (*path, key), str(value)


_MARK = "__is_block__"


@lru_cache(maxsize=64)
def _leaves(path: str, source: bytes) -> tuple[tuple[Path, str, int, int], ...]:
    """All attributes and blocks as this package reads them: path, text and place of each."""
    module = terraform.load(TerraformFacts("."), {path.rpartition("/")[2]: source})
    return tuple(leaf for file in module.files for leaf in _items(file.blocks, ()))


def _items(items: Iterable[Attribute | Block], path: Path) -> Iterator[tuple[Path, str, int, int]]:
    for item in items:
        if isinstance(item, Attribute):
            yield (*path, item.name), "".join(item.expr.text.split()), item.start, item.end
        else:
            inner = (*path, item.type, *item.labels)
            yield (*inner, ""), "", item.start, item.end
            yield from _items(item.items, inner)


def _difference(one: Iterable[tuple[Path, str, int, int]], other: Iterable[tuple[Path, str, int, int]]) -> _Surplus:
    """What of the one is not in the other."""
    places: dict[tuple[Path, str], list[tuple[int, int]]] = {}
    for path, text, start, end in one:
        places.setdefault((path, text), []).append((start, end))
    there = Counter((path, text) for path, text, _, _ in other)
    return {key: (len(found) - there[key], found) for key, found in places.items() if len(found) > there[key]}
