"""What a campaign is to do: a TOML file, made to be kept in git beside what it is for."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from fixer.config import ConfigError, descriptions, filled, nearest
from fixer.hosting.lifecycle import CAMPAIGN, is_campaign
from fixer.model import Impact

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_WAVE = re.compile(r"[1-9]\d*|rest")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True)
class Host:
    """Where the repositories are."""

    api_url: str = "https://api.github.com"
    """The API: GitHub's, or that of a GitHub Enterprise Server."""
    app_id: str = ""
    """The GitHub App to act as; its key is given on the command line."""


@dataclass(frozen=True)
class Repositories:
    """Which repositories."""

    organizations: tuple[str, ...] = ()
    """All repositories of these organisations or users."""
    topics: tuple[str, ...] = ()
    """Of these only those that have one of the topics."""
    search: tuple[str, ...] = ()
    """Queries of GitHub's search for repositories."""
    names: tuple[str, ...] = ()
    """Repositories by owner and name."""
    files: tuple[str, ...] = ()
    """Files with one repository a line: owner/name, a git URL or a path such as ./clones/a; - is standard input."""
    paths: tuple[str, ...] = ()
    """Git repositories on this machine, or git URLs, without a host to open pull requests on; globs are expanded."""
    include: tuple[str, ...] = ("*",)
    """Globs over owner/name, of which one must match; of a path or a URL over its last two parts."""
    exclude: tuple[str, ...] = ()
    """Globs over the same, of which none may match."""
    archived: bool = False
    """Whether archived repositories are planned for; nothing can be published there."""
    forks: bool = False
    """Whether forks are taken."""
    max_size_mb: int = 2000
    """Larger ones are skipped."""


@dataclass(frozen=True)
class Fix:
    """What to fix in each."""

    select: tuple[str, ...] = ()
    """Rules to run; empty for what the repository's own configuration says."""
    ignore: tuple[str, ...] = ()
    """Rules not to run."""
    impact: Literal["", "none", "behavior", "replacement"] = ""
    """The greatest impact that a fix may have; empty for what the repository's own configuration says."""
    paths: tuple[str, ...] = ()
    """Files and directories; empty for all."""
    base: str = ""
    """The branch; empty for the default one."""
    timeout_s: int = 300
    """How long one repository may take, seconds."""
    memory_mb: int = 2000
    """How much memory one repository may take."""

    def __post_init__(self) -> None:
        if self.timeout_s < 1 or self.memory_mb < 200:
            raise ValueError("at least 1 s and 200 MB are needed")


@dataclass(frozen=True)
class PullRequest:
    """What the pull requests are like."""

    title: str = ""
    """The title; empty for what was fixed."""
    commit_message: str = ""
    """The message; empty for what was fixed."""
    labels: tuple[str, ...] = ()
    """Labels to give them."""
    reviewers: tuple[str, ...] = ()
    """People to ask for a review."""
    team_reviewers: tuple[str, ...] = ()
    """Teams to ask, by slug."""
    draft: bool = False
    """Whether they are opened as drafts."""
    commits: Literal["one", "rule"] = "one"
    """One commit, or one for each rule."""
    sign_commits: bool = False
    """Whether commits are made through the API, which signs them."""
    rebase: Literal["conflicted", "behind"] = "conflicted"
    """When a branch is built anew: on conflicts, or whenever its base has moved."""


@dataclass(frozen=True)
class StopIf:
    """When to stop and let a person look: shares of what was published, from 0 to 1."""

    failed: float = 0.2
    """Of those that failed."""
    closed: float = 0.3
    """Of pull requests that people closed without a merge."""
    at_least: int = 5
    """So many must have been published before shares count."""


@dataclass(frozen=True)
class Window:
    """When pull requests may be opened."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ("mon", "tue", "wed", "thu", "fri")
    """Days of the week."""
    start: str = "08:00"
    """From this time on."""
    end: str = "16:00"
    """To this time."""
    timezone: str = "UTC"
    """The time zone, by its name in the IANA database."""

    def __post_init__(self) -> None:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        if not (_TIME.fullmatch(self.start) and _TIME.fullmatch(self.end)) or self.start >= self.end:
            raise ValueError("a window is from one time (08:00) to a later one (16:00)")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no time zone {self.timezone!r}") from error


@dataclass(frozen=True)
class Publish:
    """How fast."""

    rate_per_hour: int = 120
    """Pull requests an hour; GitHub takes some 165 with labels and reviewers, 500 without."""
    max_open: int = 200
    """So many of the campaign may be open at once."""
    waves: tuple[str, ...] = ("5", "50", "rest")
    """How many are published before the next wave is let go by a further `publish`."""

    def __post_init__(self) -> None:
        if not 0 < self.rate_per_hour <= 500 or self.max_open < 1:
            raise ValueError("1 to 500 an hour, and at least one at once")
        if not all(map(_WAVE.fullmatch, self.waves)) or "rest" in self.waves[:-1]:
            raise ValueError('a wave is a number, and the last one may be "rest"')


@dataclass(frozen=True)
class Engine:
    """Who does the planning."""

    kind: Literal["local", "dask"] = "local"
    """Processes here, or a Dask cluster."""
    jobs: int = 0
    """Repositories at once; 0 for one for each core, or for what the cluster takes."""
    scheduler: str = ""
    """The cluster's address."""


@dataclass(frozen=True)
class Campaign:
    """All of it."""

    name: str
    github: Host = field(default_factory=Host)
    repositories: Repositories = field(default_factory=Repositories)
    fix: Fix = field(default_factory=Fix)
    pull_request: PullRequest = field(default_factory=PullRequest)
    publish: Publish = field(default_factory=Publish)
    stop_if: StopIf = field(default_factory=StopIf)
    windows: tuple[Window, ...] = ()
    engine: Engine = field(default_factory=Engine)
    path: Path = Path()
    """The file that says so."""

    @property
    def impact(self) -> Impact | None:
        """The greatest impact that a fix may have; None for what the repository says."""
        return Impact.of(self.fix.impact) if self.fix.impact else None

    @property
    def digest(self) -> str:
        """Of all that decides what is planned."""
        return hashlib.sha256(json.dumps([self.name, asdict(self.fix), asdict(self.pull_request)]).encode()).hexdigest()

    def with_engine(self, **changes: Any) -> Campaign:
        """The same, done by another engine."""
        return replace(self, engine=replace(self.engine, **changes))


_SECTIONS: dict[str, type[Any]] = {
    "github": Host,
    "repositories": Repositories,
    "fix": Fix,
    "pull_request": PullRequest,
    "publish": Publish,
    "stop_if": StopIf,
    "engine": Engine,
}
VERSION = 1


def load(path: Path) -> Campaign:
    """Read a campaign's file.

    Raises:
        ConfigError: it can't be read, or says something that is not known or not right; one line that names it.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: is not valid TOML: {' '.join(str(error).split())}") from error
    known = {"version", "name", "windows", *_SECTIONS}
    for key in table:
        if key not in known:
            raise ConfigError(f"{path}: unknown key {key!r}{nearest(key, known)}")
    if table.get("version") != VERSION:
        raise ConfigError(f"{path}: version: expected {VERSION}, the version of this form")
    name = table.get("name")
    if not isinstance(name, str) or not is_campaign(name):
        raise ConfigError(f"{path}: name: {CAMPAIGN}")
    sections = {key: filled(made, _table(table, key, path), f"{path}: {key}") for key, made in _SECTIONS.items()}
    windows = table.get("windows", [])
    if not isinstance(windows, list) or not all(isinstance(one, dict) for one in windows):
        raise ConfigError(f"{path}: windows: expected [[windows]]")
    made = tuple(filled(Window, one, f"{path}: windows[{at}]") for at, one in enumerate(windows))
    return Campaign(name, **sections, windows=made, path=path)


def _table(table: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: {key}: expected a table")
    return found


def template(name: str) -> str:
    """A campaign's file that says what there is to say, with the defaults."""
    lines = [f"version = {VERSION}", f"name = {json.dumps(name)}"]
    for key, made in _SECTIONS.items():
        lines += ["", f"[{key}]", *_lines(made)]
    lines += ["", "# [[windows]]", *(f"# {line.removeprefix('# ')}" for line in _lines(Window))]
    return "\n".join(lines) + "\n"


def _lines(made: type[Any]) -> Iterator[str]:
    about, default = descriptions(made), made()
    for one in fields(made):
        value = getattr(default, one.name)
        yield f"# {about[one.name]}"
        yield f"{one.name} = {json.dumps(list(value) if isinstance(value, tuple) else value)}"
