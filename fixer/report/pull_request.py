"""The title, the commit message and the text of a pull request that holds the fixes of a run.

The reader has a minute: what changes, whether deployed infrastructure does, and what is left to do by hand. All that
comes from the repository is shown as itself: it can't become markup, a mention or a link.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from fixer import __version__
from fixer.model import Impact, Status
from fixer.report import wording
from fixer.report.gfm import LIMIT, Section, code, link, page, path, prose, table, text, unlinked
from fixer.result import Outcome, Result, RuleInfo

STOP_LABEL = "iacfix:stop"
"""On a pull request: iacfix leaves it as it is."""
REBASE_LABEL = "iacfix:rebase"
"""On a pull request: iacfix makes its branch anew, whoever committed to it."""

_WIDTH = 72
"""Characters of a title, and of a line of a commit message."""
_LONGEST = 400
"""Characters of a text in a cell."""
_NAMED = 3
"""So many rules or files are named; what is more is counted."""
_OPEN_ROWS = 5
"""A section with more rows is folded."""
_MAX_LINES = 12
"""So many lines of a file are told for a rule."""

_IMPACTS = {Impact.NONE: "none", Impact.BEHAVIOR: "behavior", Impact.REPLACEMENT: "**replacement**"}
_RULE_COLUMNS = ("rule, what and why", "impact", "fixes", "files")
_RULE_ALIGN = ("---", "---", "--:", "---")
_RISK = (
    "These are destroyed and created again, or get another name, and their data may be lost. Look at the plan, or at "
    "the difference of the templates, before you merge."
)
_SENTENCE = re.compile(r"((?:`[^`]*`|[^`])+?[.!?])(?=\s+[^a-z\s]|$)")
"""A sentence with its stop; what goes on with a small letter is an abbreviation's."""


@dataclass(frozen=True)
class Place:
    """Where the pull request will be."""

    repository: str = ""
    """The repository's page, such as `https://github.com/acme/infra`; empty for no links."""
    commit: str = ""
    """The hash of the base commit, whose files are linked; empty for no links."""

    def url(self, file: str, line: int = 0) -> str:
        """The page of a file as it was before the changes, at a line if one is given; empty if it is not known."""
        if not (self.repository and self.commit):
            return ""
        there = quote(file.encode("utf-8", "surrogateescape"))
        return f"{self.repository.rstrip('/')}/blob/{self.commit}/{there}" + (f"#L{line}" if line else "")


# ---- what was fixed ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Fixed:
    """The findings of one rule that the run fixed."""

    rule: str
    info: RuleInfo | None
    outcomes: tuple[Outcome, ...]
    impact: Impact = field(init=False)
    """The greatest of its fixes."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "impact", max(one.impact for one in self.outcomes))

    @property
    def summary(self) -> str:
        return wording.one_line(self.info.summary if self.info else "") or self.rule

    @property
    def why(self) -> str:
        """The first sentence below `## Why` in the rule's manual, in Markdown; empty if it has none."""
        _, _, section = f"\n{self.info.manual if self.info else ''}".partition("\n## Why\n")
        paragraph = " ".join(section.partition("\n## ")[0].strip().partition("\n\n")[0].split())
        found = _SENTENCE.match(paragraph)
        return wording.one_line(found[1] if found else paragraph)

    @property
    def paths(self) -> dict[str, int]:
        """The files with its findings, each with the line of the first one."""
        first: dict[str, int] = {}
        for one in self.outcomes:
            first.setdefault(one.path, one.region.line)
        return first


def _fixed(result: Result) -> list[_Fixed]:
    """What was fixed, by rule: the greatest impact first, then the most fixes."""
    rules: dict[str, list[Outcome]] = {}
    for outcome in result.outcomes:
        if outcome.status is Status.FIXED:
            rules.setdefault(outcome.rule, []).append(outcome)
    known = {info.name: info for info in result.rules}
    found = [_Fixed(rule, known.get(rule), tuple(outcomes)) for rule, outcomes in rules.items()]
    return sorted(found, key=lambda one: (-one.impact, -len(one.outcomes), one.rule))


# ---- title and commit message ------------------------------------------------------------------


def title(result: Result) -> str:
    """One line, at most 72 characters: the summary of the one rule that fixed something, or which fixed how much."""
    return _title(_fixed(result))


def _title(fixed: list[_Fixed]) -> str:
    if len(fixed) == 1:
        return _shortened(unlinked(fixed[0].summary))
    start = f"Fix {wording.count(sum(len(one.outcomes) for one in fixed), 'finding')}"
    for named in range(len(fixed), 0, -1):
        names = _listed([one.rule for one in fixed], named, "rule")
        if len(whole := f"{start}: {names}") <= _WIDTH:
            return whole
    return f"{start} of {wording.count(len(fixed), 'rule')}" if fixed else start


def _listed(names: list[str], named: int, noun: str) -> str:
    """The first names, and how many more there are: `a, b and 2 more rules`."""
    left = len(names) - named
    if left > 0:
        return f"{', '.join(names[:named])} and {wording.count(left, f'more {noun}')}"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _shortened(summary: str) -> str:
    """As much of a summary as a title holds: up to a comma if there is one that far, else up to a word."""
    if len(summary) <= _WIDTH:
        return summary
    clause = summary[: _WIDTH + 1].rpartition(",")[0]
    return clause if len(clause) > _WIDTH // 2 else textwrap.shorten(summary, _WIDTH, placeholder="…")


def commit_message(result: Result, rule: str | None = None) -> str:
    """A subject of at most 72 characters, an empty line, and a paragraph for each rule, wrapped at 72 characters.

    Args:
        result: What the run fixed.
        rule: The one rule that the commit is about; None for all of them.
    """
    fixed = [one for one in _fixed(result) if rule in (None, one.rule)]
    paragraphs = ("\n".join(textwrap.wrap(_paragraph(one), _WIDTH, break_on_hyphens=False)) for one in fixed)
    return "\n\n".join((_title(fixed), *paragraphs)) + "\n"


def _paragraph(one: _Fixed) -> str:
    told = " ".join(wording.sentence(part) for part in (one.summary, one.why) if part)
    done = f"{wording.count(len(one.outcomes), 'finding')} in {wording.count(len(one.paths), 'file')}"
    return unlinked(f"{one.rule}: {told} {done}, impact {one.impact}.")


# ---- text --------------------------------------------------------------------------------------


def body(result: Result, place: Place | None = None) -> str:
    """The text of the pull request in GitHub's Markdown, with a newline at its end.

    What would make it longer than `gfm.LIMIT` is left off by whole rows, and a sentence says how many.
    """
    fixed = _fixed(result)
    sections = _sections(result, fixed, _Sources(result, place or Place()))
    return page(_opening(result, fixed), sections, _closing(fixed), limit=LIMIT)


class _Sources:
    """Links to the files as they were before the changes."""

    def __init__(self, result: Result, place: Place) -> None:
        self._place = place
        self._absent = {one.path for one in result.files if one.change in ("created", "moved")}

    def file(self, file: str, line: int = 0) -> str:
        """The file's path, linked at that line if one is given."""
        return link(path(_cut(file)), self._url(file, line))

    def finding(self, one: Outcome) -> str:
        """The path and the line of a finding, linked."""
        return link(path(f"{_cut(one.path)}:{one.region.line}"), self._url(one.path, one.region.line))

    def _url(self, file: str, line: int) -> str:
        return "" if file in self._absent else self._place.url(file, line)


def _cut(raw: str) -> str:
    return raw if len(raw) <= _LONGEST else f"{raw[:_LONGEST]}…"


# ---- the first lines ---------------------------------------------------------------------------


def _opening(result: Result, fixed: list[_Fixed]) -> Iterator[str]:
    rules, files = wording.count(len(fixed), "rule"), wording.count(len(result.files), "file")
    yield f"iacfix repairs **{wording.count(result.counts[Status.FIXED], 'finding')}** of {rules} in {files}."
    yield from _impact(fixed, result.counts[Status.FIXED])
    if left := ", ".join(_left(result)):
        yield from ("", f"Not in here: {left}.")
    if result.proofs:
        verdicts = Counter(f"{one.kind} {one.verdict.value}" for one in result.proofs)
        yield from ("", f"Proofs: {', '.join(f'{number:,} {which}' for which, number in sorted(verdicts.items()))}.")
    if result.answered:
        yield from ("", text(_cut(wording.answered(result)[0])))


def _impact(fixed: list[_Fixed], found: int) -> Iterator[str]:
    """What becomes of deployed infrastructure, in words."""
    counts = Counter(outcome.impact for one in fixed for outcome in one.outcomes)
    replacing, updating = counts[Impact.REPLACEMENT], counts[Impact.BEHAVIOR]
    if replacing:
        rules = _listed([code(one.rule) for one in fixed if one.impact is Impact.REPLACEMENT], _NAMED, "rule")
        share = _share(
            replacing, found, "replace or rename deployed resources", "replaces or renames deployed resources"
        )
        yield from ("", "> [!WARNING]", f"> **{share}** ({rules}). {_RISK}")
    elif found and not updating:
        yield from ("", "**Nothing that is deployed changes:** templates and plans stay the same.")
        return
    others = (
        "" if replacing or not found else "**No deployed resource is replaced.**",
        _share(updating, found, "update resources in place, or add some.", "updates a resource in place, or adds one."),
        _share(counts[Impact.NONE], found, "change nothing that is deployed.", "changes nothing that is deployed."),
    )
    if any(others):
        yield from ("", " ".join(filter(None, others)))


def _share(number: int, total: int, many: str, one: str) -> str:
    """What so many of all fixes do; empty if none does it."""
    if not number:
        return ""
    if number == total:
        return f"The fix {one}" if total == 1 else f"All {total:,} fixes {many}"
    return f"{number:,} of the {total:,} fixes {one if number == 1 else many}"


def _left(result: Result) -> Iterator[str]:
    """What the run found and this does not repair."""
    counts = result.counts
    reasons = (
        (result.withheld, "finding", f"whose fix has a greater impact than `{result.impact}`"),
        (counts[Status.MANUAL], "finding", "left for you"),
        (counts[Status.FAILED], "finding", "whose fix failed"),
        (counts[Status.SUPPRESSED], "finding", "suppressed in the code"),
        (len(result.errors), "error", ""),
    )
    return (f"{wording.count(number, noun)} {why}".strip() for number, noun, why in reasons if number)


# ---- sections ----------------------------------------------------------------------------------


def _sections(result: Result, fixed: list[_Fixed], sources: _Sources) -> Iterator[Section]:
    yield table("", _RULE_COLUMNS, (_rule_row(one, sources) for one in fixed), _RULE_ALIGN)
    yield from _notes(result)
    for status, name in ((Status.MANUAL, "Left for you"), (Status.FAILED, "Failed, and not changed")):
        left = (_finding_row(one, sources) for one in result.outcomes if one.status is status)
        yield _folding(name, table("", ("place", "finding", "next step"), left))
    errors = ((sources.file(one.path), text(_cut(one.message))) for one in result.errors)
    yield _folding("Errors", table("", ("file", "error"), errors))
    proofs = (tuple(text(_cut(cell)) for cell in wording.proof_cells(one)) for one in result.proofs)
    yield _folding("Proofs", table("", wording.PROOF_COLUMNS, proofs))
    yield _folding("Files", table("", ("file", "change", "fixes, by line"), _file_rows(result, fixed, sources)), most=0)


def _folding(name: str, section: Section, most: int = _OPEN_ROWS) -> Section:
    """The section below its name, or folded if it has more rows than that."""
    if len(section.rows) > most:
        return section.folded(f"{name} ({len(section.rows):,})")
    return Section((f"### {name}", "", *section.head), section.rows)


def _notes(result: Result) -> Iterator[Section]:
    """The first notes are always open: they say what the changes may have missed."""
    rows = tuple(f"- {prose(_cut(note))}" for note in (*result.warnings, *result.notes))
    yield Section(("### Look at these, too", ""), rows[:_OPEN_ROWS])
    yield Section((), rows[_OPEN_ROWS:]).folded(f"And {len(rows) - _OPEN_ROWS:,} more")


def _rule_row(one: _Fixed, sources: _Sources) -> tuple[str, ...]:
    told = prose(" ".join(wording.sentence(part) for part in (one.summary, one.why) if part))
    first = [sources.file(file, line) for file, line in list(one.paths.items())[:_NAMED]]
    more = [f"and {len(one.paths) - len(first):,} more"] if len(one.paths) > len(first) else []
    return f"{code(one.rule)}<br>{told}", _impacts(one), f"{len(one.outcomes):,}", "<br>".join(first + more)


def _impacts(one: _Fixed) -> str:
    counts = Counter(outcome.impact for outcome in one.outcomes)
    if len(counts) == 1:
        return _IMPACTS[one.impact]
    return "<br>".join(f"{_IMPACTS[impact]} ({number:,})" for impact, number in sorted(counts.items(), reverse=True))


def _finding_row(one: Outcome, sources: _Sources) -> tuple[str, ...]:
    told = " ".join(wording.sentence(_cut(part)) for part in (one.message, one.reason) if part)
    return sources.finding(one), f"{code(one.rule)}<br>{prose(told)}", prose(_cut(one.help))


def _file_rows(result: Result, fixed: list[_Fixed], sources: _Sources) -> Iterator[tuple[str, ...]]:
    lines: dict[str, dict[str, list[int]]] = {}
    for outcome in (outcome for one in fixed for outcome in one.outcomes):
        lines.setdefault(outcome.path, {}).setdefault(outcome.rule, []).append(outcome.region.line)
    for change in result.files:
        old = change.moved_from or change.path
        rules = [f"{code(rule)} {_lines(at)}" for rule, at in lines.get(old, {}).items()]
        moved = f"{path(_cut(change.path))} from " if change.moved_from else ""
        yield f"{moved}{sources.file(old)}", change.change, "<br>".join(rules) or "goes with the others"


def _lines(lines: list[int]) -> str:
    more = f" and {len(lines) - _MAX_LINES:,} more" if len(lines) > _MAX_LINES else ""
    return ", ".join(f"{line}" for line in lines[:_MAX_LINES]) + more


# ---- the last lines ----------------------------------------------------------------------------


def _closing(fixed: list[_Fixed]) -> Iterator[str]:
    rule = fixed[0].rule if fixed else "RULE"
    comment, ignore, options = f"# iacfix: ignore[{rule}] reason", f'ignore = ["{rule}"]', f"[rules.{rule}]"
    rows = (
        ("keep one finding", f"put {code(comment)} on its line, or on the one above"),
        ("stop a rule", f"put {code(ignore)} into `iacfix.toml`; its options go there below {code(options)}"),
        ("refuse these changes", "close this pull request: it does not come back while the fixes are the same"),
        ("keep iacfix off it", f"add the label `{STOP_LABEL}`, or commit to its branch"),
        ("have its branch made anew", f"add the label `{REBASE_LABEL}`; commits of others on it are lost"),
        ("send iacfix away", "put `enabled = false` into `iacfix.toml` on the base branch"),
    )
    section = table("", ("to", "do this"), rows).folded("How to stop this")
    yield from ("", *section.head, *section.rows, *section.tail, "")
    yield f"<sub>Made by iacfix {__version__}; {code(f'iacfix explain {rule}')} tells all about a rule.</sub>"
