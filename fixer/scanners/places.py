"""Which file of the project a report means: scanners write paths relative to where they ran, or of another machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_Parts = tuple[str, ...]


@dataclass(frozen=True)
class _Base:
    """How a report's paths become the project's: parts that are taken off at their start, or put there."""

    off: _Parts = ()
    on: _Parts = ()


def locate(paths: Iterable[str], files: Iterable[str], root: Path) -> dict[str, tuple[str, ...]]:
    """The project's file for each path of one report.

    A path means a file if one of the two ends with the other. Of several the one that shares the longest end with the
    path counts, then the one whose directory explains most of the report's paths, then the one at the root.

    Args:
        paths: As the report has them.
        files: The project's, relative to its root.
        root: The project's, absolute.

    Returns:
        For each path no file, one, or several that nothing tells apart.
    """
    wanted = {path: _parts(path) for path in paths}
    by_end = _by_end(files, {parts[-1] for parts in wanted.values() if parts})
    above = root.parts[1:]
    found = {path: _candidates(parts, by_end, above) for path, parts in wanted.items()}
    votes = Counter(base for candidates in found.values() for base in candidates)
    stripped = [base for base in votes if base.off]
    best = max((_shared(base.off, above), votes[base]) for base in stripped) if stripped else (0, 0)
    allowed = {base for base in votes if not base.off or (_shared(base.off, above), votes[base]) == best}
    return {path: _best(candidates, wanted[path], above, votes, allowed) for path, candidates in found.items()}


def _parts(path: str) -> _Parts:
    return tuple(one for one in path.replace("\\", "/").split("/") if one not in ("", ".", ".."))


def _shared(one: _Parts, other: _Parts) -> int:
    """How many parts the two have in common at their ends."""
    count = 0
    for mine, theirs in zip(reversed(one), reversed(other), strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _by_end(files: Iterable[str], names: Collection[str]) -> dict[_Parts, list[_Parts]]:
    """The files of these names, by each end of their path."""
    found: dict[_Parts, list[_Parts]] = {}
    for file in files:
        if file.rpartition("/")[2] in names:
            parts = tuple(file.split("/"))
            for start in range(len(parts)):
                found.setdefault(parts[start:], []).append(parts)
    return found


def _candidates(path: _Parts, by_end: Mapping[_Parts, list[_Parts]], above: _Parts) -> dict[_Base, _Parts]:
    """The files that the path may mean, by the base that makes them of it."""
    found = {_Base(on=file[: len(file) - len(path)]): file for file in by_end.get(path, ())}
    for start in range(1, len(path)):
        if path[start:] in by_end.get(path[start:], ()):
            found[_Base(off=path[:start])] = path[start:]
    if above and path[: len(above)] == above:  # it is absolute, and of this machine
        return {base: file for base, file in found.items() if base.off == above}
    return found


def _best(
    candidates: Mapping[_Base, _Parts], path: _Parts, above: _Parts, votes: Mapping[_Base, int], allowed: set[_Base]
) -> tuple[str, ...]:
    """The files of the first rank, as paths."""
    ranks = {
        base: (_shared(path, (*above, *file)), votes[base], base == _Base())
        for base, file in candidates.items()
        if base in allowed
    }
    first = max(ranks.values(), default=None)
    return tuple("/".join(candidates[base]) for base, rank in ranks.items() if rank == first)
