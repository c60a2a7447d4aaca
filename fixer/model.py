"""The words that the whole program shares: edits, fixes, findings, values and rules.

Paths are relative to the project's root, with `/` between their parts. Offsets count bytes.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from fixer.cdk import CdkFile
    from fixer.terraform import Module


class Language(str, enum.Enum):
    """The languages that iacfix repairs."""

    CDK = "cdk"
    TERRAFORM = "terraform"


class Impact(enum.IntEnum):
    """What applying a fix does to the infrastructure that is already deployed."""

    NONE = 0
    """The synthesised template or the plan stays the same."""
    BEHAVIOR = 1
    """Something is updated in place, or a resource is added."""
    REPLACEMENT = 2
    """Something is destroyed and created again, or renamed."""

    def __str__(self) -> str:
        """The name that the command line uses."""
        return self.name.lower()

    @classmethod
    def of(cls, name: str) -> Impact:
        """The impact of that name, in lower case; KeyError if there is none."""
        return cls[name.upper()]


# ---- values ------------------------------------------------------------------------------------


class _Absent(enum.Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "Absent"


Absent = _Absent.ABSENT
"""The argument is certainly not there."""


@dataclass(frozen=True)
class Symbol:
    """A name of the CDK's own API as a value, such as `aws_logs.RetentionDays.ONE_MONTH`."""

    name: str


@dataclass(frozen=True)
class Known:
    """The argument's value, as plain data: str, bool, int, float, None, list, dict or Symbol."""

    value: Any


@dataclass(frozen=True)
class Unknown:
    """The argument may be there, or is there with a value that can't be judged; `why` completes "it ..."."""

    why: str


Value: TypeAlias = "_Absent | Known | Unknown"


class SourceError(Exception):
    """A file is nothing that can be read; the message says where."""


# ---- changes -----------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Edit:
    """Replace the bytes `start:end` of a file; `start == end` inserts."""

    path: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, order=True)
class Create:
    """A new file; it must not exist."""

    path: str
    text: str


@dataclass(frozen=True, order=True)
class Move:
    """Give a file another name; the new one must not exist."""

    path: str
    to: str


@dataclass(frozen=True, order=True)
class Delete:
    """Remove a file."""

    path: str


Change: TypeAlias = Edit | Create | Move | Delete


@dataclass(frozen=True)
class Fix:
    """Changes that belong together: all are made, or none."""

    changes: tuple[Change, ...]
    impact: Impact
    renames: tuple[str, ...] = ()
    """Literals that exist no more under that name; the engine lists where else the project has them."""


@dataclass(frozen=True)
class Manual:
    """Why iacfix did not fix a finding, and what a person does about it. Both are sentences without a full stop."""

    reason: str
    next_step: str


class Status(str, enum.Enum):
    """What became of a finding."""

    FIXED = "fixed"
    FIXABLE = "fixable"
    MANUAL = "manual"
    SUPPRESSED = "suppressed"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One thing that a rule complains of: it has a fix, or says why it has none."""

    rule: str
    language: Language
    path: str
    start: int
    end: int
    message: str
    fix: Fix | None = None
    manual: Manual | None = None
    subject: str = ""
    """What it is about: the Terraform address or the construct's id."""
    scope: tuple[int, int] | None = None
    """The bytes of the whole block or call, in which a suppression counts; the finding's own if None."""
    acknowledged: frozenset[str] = frozenset()
    """Ids of scanners' checks that the code acknowledges for the subject (cdk-nag)."""

    def __post_init__(self) -> None:
        if (self.fix is None) == (self.manual is None):
            raise ValueError(f"{self.rule}: a finding has either a fix or a manual reason")


Findings: TypeAlias = Iterable[Finding]


class Subject(Protocol):
    """What a finding can be about: a construct, a call, a block."""

    def finding(
        self, rule: Rule, message: str, *, fix: Fix | None = None, manual: Manual | None = None, at: Any = None
    ) -> Finding:
        """A finding about it, or about a part of it."""


@dataclass(frozen=True)
class Lack:
    """A setting that is not what it should be, and what mends that, or why it can't be mended where it stands."""

    subject: Subject
    value: Value
    """What it is set to."""
    changes: tuple[Edit, ...] = ()
    """What gives it the right value; empty if there is a `manual`."""
    manual: Manual | None = None
    at: Any = None
    """The argument or attribute, if it is written there."""

    def finding(
        self,
        rule: Rule,
        message: str,
        *,
        impact: Impact = Impact.BEHAVIOR,
        also: Iterable[Change] = (),
        manual: Manual | None = None,
    ) -> Finding:
        """The finding for it.

        Args:
            rule: The rule that found it.
            message: What is wrong.
            impact: That of the fix.
            also: What else belongs to the fix; must not touch the same call or block.
            manual: Why it is not to be mended by itself, if it could be.
        """
        if reason := self.manual or manual:
            return self.subject.finding(rule, message, manual=reason, at=self.at)
        return self.subject.finding(rule, message, fix=Fix((*self.changes, *also), impact), at=self.at)


def at_most(limit: float) -> Callable[[Any], bool]:
    """What `lack` accepts where a setting has a limit: a number up to it, or its text, which Terraform takes too."""

    def accepts(value: Any) -> bool:
        try:
            return float(str(value)) <= limit
        except ValueError:
            return False

    return accepts


@dataclass(frozen=True)
class Caller:
    """What calls a function."""

    what: str
    """What a report calls it: `LambdaIntegration`, `aws_lambda_permission.api`."""
    waits: bool
    """Whether somebody waits for the answer; else it hands over work, or that can't be told."""


# ---- rules -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NoOptions:
    """Options of a rule that has none."""


CdkCheck: TypeAlias = "Callable[[CdkFile, Any], Findings]"
TerraformCheck: TypeAlias = "Callable[[Module, Any], Findings]"


@dataclass
class Rule:
    """A codemod: its name, what it says about itself, and a function for each language.

    `module` is the `__name__` of the file that holds it: the last part in kebab-case is the rule's name, the part
    before it the category, and the module's docstring its manual.
    """

    module: str
    impact: Impact
    seeds: tuple[str, ...] = ()
    """Rows of the failure analyses that asked for the rule."""
    scanners: tuple[str, ...] = ()
    """Ids of the scanners' checks that say the same."""
    options: type[Any] = NoOptions
    keywords: tuple[str, ...] = ()
    """A file that holds none of these words can't concern the rule; such files are dismissed unparsed."""
    default: bool = True
    """Whether the rule runs when no rules are selected."""
    late: bool = False
    """Whether its fixes wait until other rules have none left to make: it is about what those bring, or come to use."""
    check_cdk: CdkCheck | None = field(default=None, init=False)
    check_terraform: TerraformCheck | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """The rule's name in kebab-case."""
        return self.module.rpartition(".")[2].replace("_", "-")

    @property
    def category(self) -> str:
        """The folder that the rule is in."""
        return self.module.split(".")[-2]

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages that the rule covers."""
        both = ((Language.CDK, self.check_cdk), (Language.TERRAFORM, self.check_terraform))
        return tuple(language for language, check in both if check is not None)

    def cdk(self, check: CdkCheck) -> CdkCheck:
        """Decorate the function for CDK Python."""
        self.check_cdk = check
        return check

    def terraform(self, check: TerraformCheck) -> TerraformCheck:
        """Decorate the function for Terraform."""
        self.check_terraform = check
        return check
