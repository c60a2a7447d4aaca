"""How a campaign went on, as a chart whose areas differ in their patterns too, and as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fixer.migrate.report.markup import moment, table
from fixer.migrate.states import State

_LEFT = {
    "trouble": ("needs a person", (State.FAILED, State.QUARANTINED)),
    "open": ("pull request open", (State.OPEN,)),
    "planned": ("planned", (State.PLANNED,)),
    "todo": ("to plan", (State.DISCOVERED, State.DEFERRED)),
}
"""What is left to do, from the bottom of the chart to its top."""
_PATTERNS = {
    "trouble": '<path d="M0 0L8 8M8 0L0 8" stroke="currentColor" stroke-width="1.5"/>',
    "open": '<path d="M0 8L8 0" stroke="currentColor" stroke-width="3"/>',
    "planned": '<rect width="8" height="8" fill="currentColor"/>',
    "todo": '<circle cx="4" cy="4" r="1.7" fill="currentColor"/>',
}

_WIDTH, _HEIGHT, _EDGE = 760, 200, 6


def burndown(progress: list[dict[str, Any]]) -> str:
    """How many repositories are left, and how far these are, over time."""
    if len(progress) < 2:
        return ""
    times = [datetime.fromisoformat(point["at"].replace("Z", "+00:00")).timestamp() for point in progress]
    start, span = times[0], max(times[-1] - times[0], 0.001)
    across = [_WIDTH * (time - start) / span for time in times]
    heights = {
        key: [sum(point["states"][state.value] for state in states) for point in progress]
        for key, (_, states) in _LEFT.items()
    }
    highest = max(1, *map(sum, zip(*heights.values(), strict=True)))
    base = [0] * len(progress)
    areas = []
    for key, values in heights.items():
        top = [below + value for below, value in zip(base, values, strict=True)]
        areas.append(_area(key, across, [_y(one, highest) for one in base], [_y(one, highest) for one in top]))
        base = top
    about = (
        f"{base[-1]:,} of {sum(progress[0]['states'].values()):,} repositories have something left to do at the end."
    )
    return (
        f'<p>{about}</p>\n<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{about} The numbers are below.">'
        f"<defs>{''.join(map(_pattern, _LEFT))}</defs>{''.join(areas)}{_axes(highest)}</svg>\n"
        f'<div class="ends"><span>{moment(progress[0]["at"])}</span><span>{moment(progress[-1]["at"])}</span></div>\n'
        f"{_legend()}\n{_numbers(progress)}"
    )


def _axes(highest: int) -> str:
    lines = "".join(f"M0 {_y(number, highest)}H{_WIDTH}" for number in (0, highest))
    return f'<path d="{lines}" stroke="currentColor" stroke-opacity=".4"/>'


def _y(number: int, highest: int) -> float:
    return round(_HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * number / highest, 1)


def _area(key: str, across: Sequence[float], base: Sequence[float], top: Sequence[float]) -> str:
    """Steps, since a number holds until the next moment."""
    there = [f"H{x:.1f}V{y}" for x, y in zip(across, top, strict=True)]
    back = [f"H{x:.1f}V{y}" for x, y in reversed(list(zip(across, (base[0], *base), strict=False)))]
    path = f"M{across[0]:.1f} {base[0]}{''.join(there)}V{base[-1]}{''.join(back)}Z"
    return f'<path class="{key}" d="{path}" fill="url(#p-{key})" stroke="currentColor"/>'


def _pattern(key: str) -> str:
    inner = f'<g class="{key}">{_PATTERNS[key]}</g>'
    return f'<pattern id="p-{key}" width="8" height="8" patternUnits="userSpaceOnUse">{inner}</pattern>'


def _legend() -> str:
    entries = (
        f'<li><svg viewBox="0 0 26 16" aria-hidden="true"><rect class="{key}" width="26" height="16" '
        f'fill="url(#p-{key})" stroke="currentColor"/></svg>{name}</li>'
        for key, (name, _) in reversed(_LEFT.items())
    )
    return f'<ul class="legend">{"".join(entries)}</ul>'


def _numbers(progress: list[dict[str, Any]]) -> str:
    every = max(1, len(progress) // 12)
    some = [*progress[:-1][::every], progress[-1]]
    states = [state for state in State if any(point["states"][state.value] for point in some)]
    rows = [(point["at"].replace("T", " "), *(point["states"][state.value] for state in states)) for point in some]
    told = table("Repositories by state, over time", ("time", *(state.value for state in states)), rows)
    return f"<details><summary>The numbers</summary>{told}</details>\n"
