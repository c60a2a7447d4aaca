"""What a run looks for when it is to answer the findings of scanners, and what is said of those that it can't."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from fixer.model import Finding, Language, Rule
from fixer.project import Project
from fixer.result import Answered, Unanswered
from fixer.scanners.places import locate
from fixer.scanners.reported import Reported

if TYPE_CHECKING:
    from fixer.scanners import Report

_NO_RULE = "no rule of iacfix for it"
_NO_FILE = "its file is not in the project"
_SEVERAL_FILES = "several files of the project could be its file"
_OUTSIDE = "its file is not among the paths asked for"
_ERROR = "iacfix has an error with its file"
_NOT_THERE = "no such finding at its place (fixed already, or judged in order)"
_ID = re.compile(r'"(?P<id>.*)"$')


def _unselected(names: Iterable[str]) -> str:
    return f"not selected: {', '.join(sorted(names))}"


@dataclass(frozen=True)
class _Target:
    """One finding of a scanner that a finding of one of the rules may answer."""

    number: int
    rules: frozenset[str]
    path: str
    """Relative to the project's root; empty if it is not known."""
    reported: Reported

    def is_met(self, finding: Finding, lines: tuple[int, int]) -> bool:
        """Whether the finding, of one of the rules and in that file, is about the same."""
        subject = self.reported.subject
        if not self.path:
            return finding.language is Language.CDK and subject == _id_of(finding)
        if subject and subject in (finding.subject, _id_of(finding)):
            return True
        if self.reported.lines is None:
            return not subject
        return self.reported.lines[0] <= lines[1] and lines[0] <= self.reported.lines[1]


def _id_of(finding: Finding) -> str:
    """The id of the construct that it is about, which a subject such as `s3.Bucket "Data"` holds."""
    match = _ID.search(finding.subject) if finding.language is Language.CDK else None
    return match["id"] if match else ""


@dataclass(frozen=True)
class Answers:
    """Tells which findings of the scanners a finding answers; it can be sent to another process."""

    targets: Mapping[tuple[str, str], tuple[_Target, ...]]
    """By rule and path; the path is empty where it is not known."""

    def __call__(self, finding: Finding, path: str, lines: tuple[int, int]) -> frozenset[int]:
        """The numbers of the scanners' findings.

        Args:
            finding: As a rule has it.
            path: Where its file was before any fix.
            lines: First and last line of its block or call there.
        """
        targets = (*self.targets.get((finding.rule, path), ()), *self.targets.get((finding.rule, ""), ()))
        return frozenset(one.number for one in targets if one.is_met(finding, lines))


@dataclass(frozen=True)
class Sought:
    """The findings of all reports."""

    reports: tuple[str, ...]
    targets: tuple[_Target, ...]
    hopeless: tuple[tuple[str, str], ...]
    """The scanner's id and the reason of each that nothing can answer."""

    @cached_property
    def rules(self) -> frozenset[str]:
        """The names of the rules that may answer any."""
        return frozenset(name for target in self.targets for name in target.rules)

    def within(self, paths: Collection[str]) -> Answers:
        """The answers that findings in these files can give."""
        found: dict[tuple[str, str], list[_Target]] = {}
        for target in (one for path in ("", *paths) for one in self._by_path.get(path, ())):
            for name in target.rules:
                found.setdefault((name, target.path), []).append(target)
        return Answers({key: tuple(targets) for key, targets in found.items()})

    @cached_property
    def _by_path(self) -> dict[str, list[_Target]]:
        found: dict[str, list[_Target]] = {}
        for target in self.targets:
            found.setdefault(target.path, []).append(target)
        return found

    def answered(self, numbers: Collection[int], broken: Collection[str]) -> Answered:
        """What the reports say of it, given the numbers of the findings that were answered, and files with errors."""
        left = [
            (one.reported.rule, _ERROR if one.path in broken else _NOT_THERE)
            for one in self.targets
            if one.number not in numbers
        ]
        counts = Counter([*self.hopeless, *left])
        rows = sorted(counts.items(), key=lambda item: (item[0][1] != _NOT_THERE, item[0][1], -item[1], item[0][0]))
        total = len(self.targets) + len(self.hopeless)
        unmatched = tuple(Unanswered(rule, why, count) for (rule, why), count in rows)
        return Answered(self.reports, total, len(numbers), unmatched)


def seek(reports: Sequence[Report], project: Project, rules: Sequence[Rule], known: Sequence[Rule]) -> Sought:
    """Find out what the findings of the reports are to iacfix.

    Args:
        reports: As they were read.
        project: Whose files they speak of.
        rules: The rules of the run.
        known: All rules.
    """
    running, all_ids = _by_scanner(rules), _by_scanner(known)
    targets: list[_Target] = []
    hopeless: list[tuple[str, str]] = []
    for report in reports:
        places = locate({one.file for one in report.findings if one.file}, project.files, project.root)
        for one in report.findings:
            names, path = _named(one.rule, running), places.get(one.file, ("",))
            if why := _hopeless(one, names, path, all_ids, project):
                hopeless.append((one.rule, why))
            else:
                targets.append(_Target(len(targets), names, path[0], one))
    return Sought(tuple(one.name for one in reports), tuple(targets), tuple(hopeless))


def _hopeless(
    one: Reported, names: frozenset[str], path: tuple[str, ...], known: Mapping[str, frozenset[str]], project: Project
) -> str:
    """Why no finding can answer it; empty if one may."""
    if not names:
        others = _named(one.rule, known)
        return _unselected(others) if others else _NO_RULE
    if not path:
        return _NO_FILE
    if len(path) > 1:
        return _SEVERAL_FILES
    return _OUTSIDE if path[0] and not project.wanted(path[0]) else ""


# ---- the ids of checks -------------------------------------------------------------------------


def _by_scanner(rules: Iterable[Rule]) -> dict[str, frozenset[str]]:
    """The names of the rules that say the same as a scanner's check, by its plain id."""
    found: dict[str, frozenset[str]] = {}
    for rule in rules:
        for name in rule.scanners:
            found[_plain(name)] = found.get(_plain(name), frozenset()) | {rule.name}
    return found


def _plain(name: str) -> str:
    """An id in one spelling: `AVD-AWS-0086` is `aws-0086`, as trivy calls it now."""
    return name.casefold().removeprefix("avd-")


def _named(name: str, rules: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The rules for the id of a check, as its report has it.

    cdk-nag adds what a finding is about (`AwsSolutions-IAM5[Resource::*]`), the CDK puts the plugin before it
    (`cdk-nag::AwsSolutions-S2`), semgrep the folders of its rule (`terraform.aws.security.the-rule`).
    """
    plain = _plain(name.partition("[")[0].rpartition("::")[2])
    return rules.get(plain) or rules.get(plain.rpartition(".")[2], frozenset())
