"""Which repositories a campaign is for: those of organisations, of searches, in lists, and on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from fixer.hosting.credentials import NO_TOKEN
from fixer.hosting.errors import HostingError, Kind
from fixer.hosting.lifecycle import OPT_OUT
from fixer.migrate.campaign import Campaign

if TYPE_CHECKING:
    from fixer.hosting.github import Host, Info

_NAME = re.compile(r"[\w.-]+/[\w.-]+")
STDIN = "-"
"""The list that comes in on standard input."""
_URL = re.compile(r"(?:https?|file)://\S+")


@dataclass(frozen=True)
class Found:
    """A repository that the campaign is for, or is not, and why."""

    host: str
    """The API's address; empty for one without a host."""
    node: str
    """GitHub's id for it, or its URL."""
    name: str
    url: str
    page: str = ""
    branch: str = ""
    """The default branch; empty for whatever HEAD is."""
    kilobytes: int = 0
    skipped: str = ""
    """Why it is left alone; empty if it is not."""


def find(campaign: Campaign, host: Host | None, stdin: TextIO) -> Iterator[Found]:
    """All repositories of the campaign, each once; the host may be None if the campaign needs none.

    Raises:
        HostingError: the host fails or is missing, or a repository is named that there is not.
    """
    seen: set[tuple[str, str]] = set()
    for one in (*_hosted(campaign, host, stdin), *_local(campaign)):
        if (one.host, one.node) not in seen:
            seen.add((one.host, one.node))
            yield one


def needs_host(campaign: Campaign) -> bool:
    """Whether a host must be asked to find the campaign's repositories, but for what standard input may name.

    Raises:
        HostingError: a list can't be read.
    """
    asked = campaign.repositories
    if asked.organizations or asked.search or asked.names:
        return True
    files = [campaign.path.parent / file for file in asked.files if file != STDIN]
    return any(_NAME.fullmatch(line) for file in files for line in _lines(file))


# ---- on the host -------------------------------------------------------------------------------


def _hosted(campaign: Campaign, host: Host | None, stdin: TextIO) -> Iterator[Found]:
    asked = campaign.repositories
    names = list(asked.names)
    for file in asked.files:
        for line in _lines(stdin if file == STDIN else campaign.path.parent / file):
            if _NAME.fullmatch(line):
                names.append(line)
            else:
                yield _of_url(line, campaign)
    if host is None:
        if names:
            raise HostingError(Kind.AUTH, f"{names[0]}: {NO_TOKEN}")
        return
    for owner in asked.organizations:
        yield from (
            _judged(one, campaign, host) for one in host.repositories_of(owner) if _has_topic(one, asked.topics)
        )
    for query in asked.search:
        yield from (_judged(one, campaign, host) for one in host.search(query))
    for name in names:
        yield _judged(host.repository(name).info, campaign, host)


def _has_topic(one: Info, topics: tuple[str, ...]) -> bool:
    return not topics or not set(topics).isdisjoint(one.topics)


def _judged(one: Info, campaign: Campaign, host: Host) -> Found:
    reason = _left_out(one.name, campaign) or _unfit(one, campaign)
    return Found(host.api_url, one.node, one.name, one.clone_url, one.page, one.default_branch, one.kilobytes, reason)


def _unfit(one: Info, campaign: Campaign) -> str:
    """Why what the host knows of a repository leaves it out; empty if it doesn't."""
    asked = campaign.repositories
    if one.archived and not asked.archived:
        return "it is archived"
    if one.is_fork and not asked.forks:
        return "it is a fork"
    if OPT_OUT in one.topics:
        return f"it has the topic {OPT_OUT}"
    if one.kilobytes > asked.max_size_mb * 1000:
        return f"it is larger than {asked.max_size_mb} MB"
    return ""


def _left_out(name: str, campaign: Campaign) -> str:
    """Why the patterns leave a repository out; empty if they don't."""
    if not any(fnmatchcase(name, glob) for glob in campaign.repositories.include):
        return "no include pattern matches it"
    if any(fnmatchcase(name, glob) for glob in campaign.repositories.exclude):
        return "an exclude pattern matches it"
    return ""


# ---- elsewhere ---------------------------------------------------------------------------------


def _local(campaign: Campaign) -> Iterator[Found]:
    here = campaign.path.parent.resolve()
    for text in campaign.repositories.paths:
        if _URL.fullmatch(text):
            yield _of_url(text, campaign)
            continue
        found = sorted(here.glob(text)) if not Path(text).is_absolute() else sorted(Path("/").glob(text.lstrip("/")))
        for path in found:
            if path.is_dir() and is_repository(path):
                yield _of_url(str(path), campaign)


def is_repository(path: Path) -> bool:
    """Whether the directory is a git repository, bare or with a work tree."""
    return (path / ".git").exists() or ((path / "HEAD").is_file() and (path / "objects").is_dir())


def _of_url(text: str, campaign: Campaign) -> Found:
    if not _URL.fullmatch(text):
        path = (campaign.path.parent / text).resolve()
        if not is_repository(path):
            raise HostingError(Kind.NOT_FOUND, f"{text}: is no git repository, and no owner/name either")
        text = path.as_uri()
    name = "/".join(text.rstrip("/").removesuffix(".git").rsplit("/", 2)[-2:])
    return Found("", text, name, text, skipped=_left_out(name, campaign))


def _lines(source: TextIO | Path) -> Iterator[str]:
    try:
        content = source.read_text(encoding="utf-8-sig") if isinstance(source, Path) else source.read()
    except OSError as error:
        raise HostingError(Kind.NOT_FOUND, f"{source}: {error.strerror}") from error
    for line in content.splitlines():
        if name := line.partition("#")[0].strip():
            yield name
