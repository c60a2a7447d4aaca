"""What goes back over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Reply:
    """An HTTP answer; `body` goes out as it is."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
