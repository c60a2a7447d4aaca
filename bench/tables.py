"""The tables that are printed: measured results as ratios to one of them, growth, and aims. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

MEGABYTE = 1_000_000

FLAT = 1.5
"""Memory is called flat if 16 times the source takes at most this many times the memory."""


@dataclass(frozen=True)
class Result:
    """What was measured of a tool: seconds of wall and processor time of each run, the peak memory in bytes.

    `remark` is what the tool found, or why it could not be measured; then there are no runs.
    """

    tool: str
    wall: tuple[float, ...] = ()
    processor: tuple[float, ...] = ()
    peak: int = 0
    remark: str = ""

    @property
    def seconds(self) -> float | None:
        """The median wall time; None if there is none."""
        return median(self.wall) if self.wall else None


@dataclass(frozen=True)
class Aim:
    """Something to reach: a measured value that must be below (or above) a bound; no value where not measured."""

    text: str
    value: float | None
    bound: float
    unit: str
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """`met`, `not met` or `not measured`."""
        if self.value is None:
            return "not measured"
        return "met" if (self.value >= self.bound if self.at_least else self.value <= self.bound) else "not met"


def ratio(value: float | None, base: float | None) -> float | None:
    """`value / base`; None if one of them was not measured."""
    return value / base if value is not None and base else None


def ratio_table(results: Sequence[Result], base: Result) -> str:
    """Each tool's median, processor time and peak, and how many times those of `base` its time and memory are."""
    rows = []
    for result in results:
        if result.seconds is None:
            rows.append((result.tool, "-", "-", "-", "-", "-", result.remark))
            continue
        rows.append(
            (
                result.tool,
                f"{result.seconds:.2f}",
                f"{median(result.processor):.2f}",
                f"{result.peak / MEGABYTE:.0f}",
                _times(ratio(result.seconds, base.seconds)),
                _times(ratio(result.peak, base.peak or None)),
                result.remark,
            )
        )
    return markdown(("tool", "wall s", "CPU s", "peak MB", "wall, relative", "memory, relative", "found"), rows)


def growth_table(language: str, rows: Iterable[tuple[int, int, float, Result, Result]]) -> str:
    """One row for each doubling: factor, files, megabytes, and the results of a cold and of a warm run."""
    cells = [
        (
            f"{language} {factor}x",
            str(files),
            f"{megabytes:.2f}",
            _number(cold.seconds),
            _number(ratio(megabytes, cold.seconds)),
            _number(warm.seconds),
            _number(cold.peak / MEGABYTE if cold.peak else None, 0),
            _number(warm.peak / MEGABYTE if warm.peak else None, 0),
        )
        for factor, files, megabytes, cold, warm in rows
    ]
    head = ("corpus", "files", "MB", "cold s", "cold MB/s", "warm s", "cold peak MB", "warm peak MB")
    return markdown(head, cells)


def aims_table(aims: Iterable[Aim]) -> str:
    """The aims, what was measured, and whether it is met."""
    rows = [
        (aim.text, f"{_number(aim.value)} {aim.unit}".rstrip() if aim.value is not None else "-", aim.verdict)
        for aim in aims
    ]
    return markdown(("aim", "measured", ""), rows)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A markdown table; all columns but the first and the last are numbers, set right."""
    rules = ["---", *["---:"] * (len(head) - 2), "---"]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rules, *rows))


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
