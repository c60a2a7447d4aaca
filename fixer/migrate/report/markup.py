"""Pieces of HTML in which text that came from elsewhere is text and no more."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from datetime import datetime

from fixer.report.wording import one_line

_URL = re.compile(r"https?://[^\s\"'<>\\]+")


def escaped(raw: str) -> str:
    """The text as itself, on one line."""
    return html.escape(one_line(raw))


def link(shown: str, url: str) -> str:
    """What is shown, which is HTML already, as a link, if there is an address of the web for it."""
    if not _URL.fullmatch(url):
        return shown
    return f'<a href="{html.escape(url)}" rel="noopener noreferrer">{shown}</a>'


def moment(time: str) -> str:
    """A time as the report has it, to the minute."""
    at = datetime.fromisoformat(time.replace("Z", "+00:00"))
    return f'<time datetime="{escaped(time)}">{at:%Y-%m-%d %H:%M} UTC</time>'


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: bool = False) -> str:
    """A table that can be scrolled by itself; its texts are HTML already, its first column names the rows.

    Empty if it has no rows.
    """
    if not rows:
        return ""
    sides = [' class="number"' if isinstance(cell, int) or numbers else ' class="text"' for cell in rows[0][1:]]
    heads = "".join(
        f'<th scope="col"{side if "number" in side else ""}>{name}</th>'
        for name, side in zip(columns, ("", *sides), strict=True)
    )
    body = "".join(f'<tr><th scope="row">{row[0]}</th>{_cells(row[1:], sides)}</tr>\n' for row in rows)
    return (
        f'<div class="wide" role="group" aria-label="{caption}" tabindex="0"><table><caption>{caption}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
    )


def _cells(cells: Sequence[object], sides: Sequence[str]) -> str:
    shown = (f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells)
    return "".join(f"<td{side}>{cell}</td>" for cell, side in zip(shown, sides, strict=True))
