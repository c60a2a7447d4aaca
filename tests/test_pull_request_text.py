"""The text of pull requests as GitHub's Markdown parser reads it: what stands there, and that nothing breaks out."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given
from hypothesis import strategies as st

from fixer import __version__
from fixer.model import Impact, Language, Status
from fixer.report import gfm, wording
from fixer.report.pull_request import REBASE_LABEL, STOP_LABEL, Place, body, commit_message, title
from fixer.request import Request
from fixer.result import (
    Answered,
    FileChange,
    FileError,
    Outcome,
    Proof,
    Region,
    Result,
    RuleInfo,
    Verdict,
)

EXAMPLES = Path(__file__).parent.parent / "examples"
COMMIT = "9f3c1d2e4b5a69788796a5b4c3d2e1f00f1e2d3c"
PLACE = Place("https://github.com/acme/infra", COMMIT)
FILES = f"https://github.com/acme/infra/blob/{COMMIT}/"


def info(name: str, summary: str, impact: Impact, manual: str = "") -> RuleInfo:
    return RuleInfo(name, "security", summary, impact, (), (), (Language.TERRAFORM,), manual)


WHY = """Block it.

## Why

Mistakes in `a.b` happen, e.g. at
night. They cost money.

They do.

## Terraform

Nothing.
"""
RULES = (
    info("block-public", "Block public access to buckets", Impact.BEHAVIOR, WHY),
    info("name-suffix", "Give names a suffix", Impact.REPLACEMENT, "Give.\n\n## Why\n\nNames clash\n"),
    info(
        "order",
        "Keep providers in order, wherever they stand, and whatever their names may be or have been",
        Impact.NONE,
    ),
    info("unused", "Never seen", Impact.NONE),
)
IMPACTS = {rule.name: rule.impact for rule in RULES}


def outcome(rule: str, status: Status = Status.FIXED, line: int = 3, **changes: Any) -> Outcome:
    plain = Outcome(
        rule, Language.TERRAFORM, "infra/main.tf", Region(line, 1, line, 9), "is open", IMPACTS[rule], status
    )
    if status in (Status.MANUAL, Status.FAILED):
        plain = replace(plain, reason="It is a `variable`", help="Look at it")
    return replace(plain, **changes)


def result(*outcomes: Outcome, **changes: Any) -> Result:
    files = tuple(
        FileChange(path, b"a\n", b"b\n")
        for path in dict.fromkeys(one.path for one in outcomes if one.status is Status.FIXED)
    )
    return replace(Result(Path("/project"), "apply", RULES, outcomes, files, files_scanned=9), **changes)


MIXED = result(
    outcome("order", line=1),
    *(outcome("block-public", line=line) for line in range(10, 30)),
    outcome("block-public", path="lib/deep/er/and/deeper/storage of things.tf", impact=Impact.NONE),
    outcome("name-suffix", path="old name.tf"),
    outcome("name-suffix", Status.FIXABLE, impact=Impact.REPLACEMENT),
    *(outcome("name-suffix", Status.MANUAL, line, path="lib/x.tf") for line in range(1, 8)),
    outcome("order", Status.FAILED, reason="the edit broke the file"),
    outcome("order", Status.SUPPRESSED),
    files=(
        FileChange("created.tf", None, b"x\n"),
        FileChange("gone.tf", b"x\n", None),
        FileChange("infra/main.tf", b"a\n", b"b\n"),
        FileChange("lib/deep/er/and/deeper/storage of things.tf", b"a\n", b"b\n"),
        FileChange("new.tf", b"a\n", b"b\n", "old name.tf"),
    ),
    errors=(FileError("bad.tf", "line 3: not HCL"), FileError("", "it all went wrong")),
    notes=tuple(f'"n{number}" was renamed and is still named in README.md:{number}' for number in range(7)),
    proofs=(
        Proof("app", "synth", Verdict.PROVEN, True, True, 1, 2, 0, 0),
        Proof("b", "synth", Verdict.NOT_COMPARABLE, False, None),
    ),
    answered=Answered(("report.sarif",), 30, 24),
)


# ---- what the parser sees ----------------------------------------------------------------------


@dataclass
class Element:
    tag: str
    href: str | None = None
    children: list[Element | str] = field(default_factory=list)

    def find(self, *tags: str) -> Iterator[Element]:
        for child in self.children:
            if isinstance(child, Element):
                if child.tag in tags:
                    yield child
                yield from child.find(*tags)

    @property
    def text(self) -> str:
        """What a reader sees; a break is a line break, and spaces without a width are gone."""
        if self.tag == "br":
            return "\n"
        pieces = (child if isinstance(child, str) else child.text for child in self.children)
        return "".join(pieces).replace(gfm.ZERO_WIDTH_SPACE, "")

    def strings(self, *, code: bool) -> Iterator[str]:
        """The runs of text, as GitHub's filters look at them; those in code and links only if asked for."""
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif code or child.tag not in ("code", "a"):
                yield from child.strings(code=code)

    @property
    def shape(self) -> tuple[Any, ...]:
        """The elements within elements, but for those that only format words."""
        words = ("code", "span", "wbr")
        inner = [child for child in self.children if isinstance(child, Element)]
        return self.tag, *(child.shape for child in inner if child.tag not in words)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("page")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert set(given) <= {"href", "align"}, f"<{tag}> has {given}"
        element = Element(tag, given.get("href"))
        self.open[-1].children.append(element)
        if tag not in ("br", "wbr"):
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def page(markdown: str) -> Element:
    """The elements that GitHub's parser makes of it, with raw HTML, and with its line ends, as in pull requests."""
    options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_HARDBREAKS | Options.CMARK_OPT_FOOTNOTES
    reader = Reader()
    reader.feed(cmarkgfm.github_flavored_markdown_to_html(markdown, options=options))
    reader.close()
    (whole,) = reader.open
    return whole


def tables(whole: Element) -> list[list[list[str]]]:
    """The tables' rows, the one of the columns' names too; all rows of one are equally long."""
    found = [[[cell.text for cell in row.find("th", "td")] for row in one.find("tr")] for one in whole.find("table")]
    for rows in found:
        assert len({len(row) for row in rows}) == 1
    return found


def paragraphs(whole: Element) -> list[str]:
    """Those at the top of the page."""
    return [child.text for child in whole.children if isinstance(child, Element) and child.tag == "p"]


# ---- the text ----------------------------------------------------------------------------------


def test_what_the_text_says() -> None:
    whole = page(body(MIXED, PLACE))
    assert paragraphs(whole)[:5] == [
        "iacfix repairs 23 findings of 3 rules in 5 files.",
        "20 of the 23 fixes update resources in place, or add some. 2 of the 23 fixes change nothing that is deployed.",
        "Not in here: 1 finding whose fix has a greater impact than behavior, 7 findings left for you, "
        "1 finding whose fix failed, 1 finding suppressed in the code, 2 errors.",
        "Proofs: 1 synth not comparable, 1 synth proven.",
        "24 of 30 findings in report.sarif matched.",
    ]
    assert [one.text.strip() for one in whole.find("blockquote")] == [
        "[!WARNING]\n\n1 of the 23 fixes replaces or renames deployed resources (name-suffix). These are destroyed "
        "and created again, or get another name, and their data may be lost. Look at the plan, or at the difference of "
        "the templates, before you merge."
    ]
    assert [one.text for one in whole.find("h3")] == [
        "Look at these, too",
        "Failed, and not changed",
        "Errors",
        "Proofs",
    ]
    assert [one.text for one in whole.find("summary")] == [
        "And 2 more",
        "Left for you (7)",
        "Files (5)",
        "How to stop this",
    ]
    assert [len(list(one.find("li"))) for one in whole.find("ul")] == [5, 2]
    rules, manual, failed, errors, proofs, files, stop = tables(whole)
    assert rules == [
        ["rule, what and why", "impact", "fixes", "files"],
        ["name-suffix\nGive names a suffix. Names clash.", "replacement", "1", "old name.tf"],
        [
            "block-public\nBlock public access to buckets. Mistakes in a.b happen, e.g. at night.",
            "behavior (20)\nnone (1)",
            "21",
            "infra/main.tf\nlib/deep/er/and/deeper/storage of things.tf",
        ],
        [f"order\n{RULES[2].summary}.", "none", "1", "infra/main.tf"],
    ]
    assert manual[:2] == [
        ["place", "finding", "next step"],
        ["lib/x.tf:1", "name-suffix\nIs open. It is a variable.", "Look at it"],
    ]
    assert len(manual) == 8
    assert failed[1:] == [["infra/main.tf:3", "order\nIs open. The edit broke the file.", "Look at it"]]
    assert errors[1:] == [["bad.tf", "line 3: not HCL"], ["", "it all went wrong"]]
    assert [row[:5] for row in proofs[1:]] == [
        ["app", "synth", "ok", "ok", "1"],
        ["b", "synth", "failed", "not run", ""],
    ]
    assert files[1:] == [
        ["created.tf", "created", "goes with the others"],
        ["gone.tf", "deleted", "goes with the others"],
        ["infra/main.tf", "modified", f"block-public {', '.join(map(str, range(10, 22)))} and 8 more\norder 1"],
        ["lib/deep/er/and/deeper/storage of things.tf", "modified", "block-public 3"],
        ["new.tf from old name.tf", "moved", "name-suffix 3"],
    ]
    assert stop[1][1] == "put # iacfix: ignore[name-suffix] reason on its line, or on the one above"
    assert stop[2][1] == 'put ignore = ["name-suffix"] into iacfix.toml; its options go there below [rules.name-suffix]'
    assert {one.text for one in list(whole.find("details"))[-1].find("code")} >= {STOP_LABEL, REBASE_LABEL}
    assert f"iacfix {__version__};" in paragraphs(whole)[-1]


def test_links_go_to_the_files_before_the_changes() -> None:
    links = Counter(one.href for one in page(body(MIXED, PLACE)).find("a"))
    assert links == {
        f"{FILES}old%20name.tf#L3": 1,
        f"{FILES}old%20name.tf": 1,
        f"{FILES}infra/main.tf#L10": 1,
        f"{FILES}infra/main.tf#L1": 1,
        f"{FILES}infra/main.tf#L3": 1,
        f"{FILES}infra/main.tf": 1,
        f"{FILES}lib/deep/er/and/deeper/storage%20of%20things.tf#L3": 1,
        f"{FILES}lib/deep/er/and/deeper/storage%20of%20things.tf": 1,
        **{f"{FILES}lib/x.tf#L{line}": 1 for line in range(1, 8)},
        f"{FILES}bad.tf": 1,
        f"{FILES}gone.tf": 1,
    }
    shown = {one.text for one in page(body(MIXED, PLACE)).find("a")}
    assert "lib/deep/er/and/deeper/storage of things.tf" in shown
    found = outcome("order", Status.MANUAL, path="new.tf")  # by a rule that looked after the fixes
    assert FILES + "new.tf#L3" not in body(replace(MIXED, outcomes=(*MIXED.outcomes, found)), PLACE)
    for nowhere in (None, Place("https://github.com/acme/infra"), Place(commit=COMMIT)):
        assert not list(page(body(MIXED, nowhere)).find("a"))


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([outcome("order")], ["Nothing that is deployed changes: templates and plans stay the same."]),
        (
            [outcome("block-public")],
            ["No deployed resource is replaced. The fix updates a resource in place, or adds one."],
        ),
        (
            [outcome("block-public")] * 2 + [outcome("order")],
            [
                "No deployed resource is replaced. 2 of the 3 fixes update resources in place, or add some. "
                "1 of the 3 fixes changes nothing that is deployed."
            ],
        ),
        ([outcome("name-suffix")], []),
        ([outcome("name-suffix"), outcome("order")], ["1 of the 2 fixes changes nothing that is deployed."]),
    ],
)
def test_impact_in_words(outcomes: list[Outcome], said: list[str]) -> None:
    whole = page(body(result(*outcomes)))
    assert paragraphs(whole)[1:-1] == said
    alerts = [one.text for one in whole.find("blockquote")]
    assert len(alerts) == (IMPACTS["name-suffix"] in {one.impact for one in outcomes})
    assert all(one.lstrip().startswith("[!WARNING]\n") for one in alerts)


def test_a_result_without_fixes_has_a_text_too() -> None:
    nothing = result()
    assert paragraphs(page(body(nothing)))[0] == "iacfix repairs 0 findings of 0 rules in 0 files."
    assert (title(nothing), commit_message(nothing)) == ("Fix 0 findings", "Fix 0 findings\n")


def test_a_few_findings_stay_unfolded() -> None:
    few = result(outcome("order"), *[outcome("order", Status.MANUAL)] * 5)
    assert "Left for you" in [one.text for one in page(body(few)).find("h3")]
    assert [one.text for one in page(body(few)).find("summary")] == ["Files (1)", "How to stop this"]


def test_a_real_run(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    run = Request(paths=(tmp_path,), impact=Impact.REPLACEMENT, jobs=1, cached=False).perform("apply", root=tmp_path)
    whole = page(body(run, PLACE))
    rules = {one.rule for one in run.outcomes if one.status is Status.FIXED}
    assert len(rules) > 1
    assert {row[0].partition("\n")[0] for row in tables(whole)[0][1:]} == rules
    places = {f"{FILES}{one.path}#L{one.region.line}" for one in run.outcomes}
    files = {FILES + (one.moved_from or one.path) for one in run.files if one.before is not None}
    assert {one.href for one in whole.find("a")} <= places | files


# ---- the limit ---------------------------------------------------------------------------------


def test_ends_at_whole_rows_and_keeps_the_last_lines() -> None:
    many = [outcome("name-suffix", Status.MANUAL, number, path=f"dir/{number}.tf") for number in range(1, 3_000)]
    text = body(result(outcome("order"), *many), PLACE)
    assert gfm.LIMIT - 1_000 < len(text) <= gfm.LIMIT
    whole = page(text)
    rules, manual, stop = tables(whole)
    assert (len(rules), len(stop)) == (2, 7)
    assert manual[-1] == [
        f"dir/{len(manual) - 1}.tf:{len(manual) - 1}",
        "name-suffix\nIs open. It is a variable.",
        "Look at it",
    ]
    left_off = 2_999 - (len(manual) - 1) + 1  # and the one file
    assert paragraphs(whole)[-2] == f"{left_off:,} more rows left off: this text ends at {gfm.LIMIT:,} characters."
    assert paragraphs(whole)[-1].startswith(f"Made by iacfix {__version__}")


def test_a_page_keeps_any_limit_and_leaves_no_row_between_out() -> None:
    rows = ("first", "x" * 300, "last")
    folded = [gfm.table("", ("a", "b"), [("c", "d")]).folded("More") for _ in range(30)]
    for limit in range(240, 3_000, 7):
        text = gfm.page(["opening"], [gfm.Section(("### Some", ""), rows), *folded], ["", "closing"], limit=limit)
        assert len(text) <= limit
        assert text.startswith("opening\n")
        assert text.endswith("\nclosing\n")
        assert page(text).tag == "page"  # whose elements are all closed
        shown = [row in text.splitlines() for row in rows] + [number < text.count("| c | d |") for number in range(30)]
        assert shown == sorted(shown, reverse=True)
        assert re.findall(r"(\d+) more rows? left off", text) == ([] if all(shown) else [str(33 - sum(shown))])


def test_one_long_text_does_not_push_out_the_others() -> None:
    long = "x" * 70_000
    some = [
        outcome("order", Status.MANUAL, path=long, message=long, reason=long, help=long),
        outcome("order", Status.MANUAL),
    ]
    whole = page(body(result(outcome("order"), *some, notes=(long,), errors=(FileError("a.tf", long),))))
    assert tables(whole)[1][-1][0] == "infra/main.tf:3"
    assert "left off" not in whole.text


# ---- nothing breaks out ------------------------------------------------------------------------

HOSTILE = [
    "</details></td></table><script>alert(1)</script><img src=x onerror=y>",
    "<!-- iacfix:end --> <!-- iacfix:v1 {} --> --> --!> ]]>",
    "a | b || c \\| d",
    "`a` ``b`` ``` c | `",
    "[x](https://evil.example) ![y](https://evil.example/z.png) [z]: https://evil.example",
    "<https://evil.example> https://evil.example www.evil.example WWW.EVIL.EXAMPLE ftp://evil.example a@evil.example",
    "mailto:a@evil.example xmpp:a@evil.example a@.tf a@_b.c a@-b.c",
    "@someone @org/team (@someone) _@someone `@someone`",
    "Fixes #1, closes GH-2, resolves acme/infra#3 and someone#4; `fixes #5` GHSA-jfh8-c2jp-5v3q",
    "9f3c1d2e4b5a69788796a5b4c3d2e1f00f1e2d3c 9f3c1d2 someone@9f3c1d2 acme/infra@9f3c1d2 9f3c1d2...0f1e2d3",
    ":smile: :+1: a:white_check_mark:b ::100:: :-1:",
    "$x^2$ and $$y$$ and ${var.a}-${var.b} $`z`$",
    "**bold** __bold__ _it_ ~~gone~~ ***",
    "[^1] [^1]: note",
    "- [ ] task",
    "+ item",
    "12. item",
    "7) item",
    "# heading",
    "> [!NOTE]",
    "--- | ---",
    "&lt;b&gt; &amp; &#64;someone &commat;someone &#x3c;b&#x3e;",
    "line\n\n## heading\r\n\r\n> quote\u2028\x0b\x0c- item",
    "\x1b[31m\x07 \u202e\u2066rtl\u200b\ufeff \udcff \U000e0041",
    "back\\slash\\",
    "\\`",
    "a" * 1_000 + "`" * 50,
]
"""What somebody might name a file or a resource, or write into one, to be more in a pull request than text."""

LINKED = {
    "mention": re.compile(r"(?<![\w`])@[a-z0-9]", re.IGNORECASE),
    "reference": re.compile(r"#\d|\bGH-\d|\bGHSA-\w", re.IGNORECASE),
}
"""What GitHub looks for in all text; in code too, as mail readers quote that without its form."""
LINKED_OUTSIDE_CODE = {
    "commit": re.compile(r"\b(?=[0-9]*[a-f])[0-9a-f]{7,40}\b"),
    "emoji": re.compile(r":[\w+-]+:"),
    "url": re.compile(r"://|\bwww\.", re.IGNORECASE),
    "formula": re.compile(r"\$[^$]+\$"),
}


def hostile(text: str, few: bool = False) -> Result:
    """A result with the text wherever something of the repository may stand."""
    said = {"path": text, "message": text, "reason": text, "help": text}
    left = [
        outcome("order", status, **said) for status in (Status.MANUAL, Status.FAILED) for _ in range(1 if few else 6)
    ]
    fixed = [
        outcome("order", path=text, message=text),
        outcome("block-public", path=f"a/{text}/b", impact=Impact.REPLACEMENT),
    ]
    return result(
        *fixed,
        *left,
        files=(
            FileChange(text, b"a", b"b"),
            FileChange(f"a/{text}/b", None, b"b"),
            FileChange(f"{text}.tf", b"a", b"a", f"b/{text}"),
        ),
        errors=(FileError(text, text),),
        notes=(text,) * (1 if few else 7),
        proofs=(Proof(text, "synth", Verdict.REFUTED, True, True, 1, 0, 1, 0, text),),
        answered=Answered((text,), 2, 1),
    )


def assert_harmless(text: str, few: bool) -> None:
    """The page has the elements that it has for a plain word, no links but ours, and nothing that GitHub links."""
    run = hostile(text, few)
    markdown = body(run, PLACE)
    markdown.encode()
    assert len(markdown) <= gfm.LIMIT
    whole, plain = page(markdown), page(body(hostile("plain", few), PLACE))
    assert whole.shape == plain.shape
    assert all((one.href or "").startswith(FILES) for one in whole.find("a"))
    assert "<!--" not in markdown
    assert "-->" not in markdown
    assert not re.search(r"[^\n\x20-\x7e\xa0-\uffff\U00010000-\U0010ffff]|[\u2028-\u202e\u2066-\u2069]", markdown)
    for what, pattern in LINKED.items():
        assert not [one for one in whole.strings(code=True) if pattern.search(one)], what
    for what, pattern in LINKED_OUTSIDE_CODE.items():
        assert not [one for one in whole.strings(code=False) if pattern.search(one)], what


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_the_repository_breaks_out(text: str, few: bool) -> None:
    assert_harmless(text, few)


SIGNS = "`|<>&!#@*_~[](){}^$:;/\\\"'=+-. \n\t\r0179afbwx"
PIECES = st.one_of(st.sampled_from(HOSTILE[:-1]), st.text(SIGNS, max_size=12), st.text(max_size=8))


@given(st.lists(PIECES, min_size=1, max_size=5).map("".join).filter(str.strip), st.booleans())
def test_no_text_breaks_out(text: str, few: bool) -> None:
    assert_harmless(text, few)


def assert_shown(text: str) -> None:
    expected = wording.one_line(text)
    (shown,) = tables(page("\n".join((*gfm.table("", ("a", "b"), ()).head, f"| {gfm.text(text)} | b |"))))
    assert shown[1] == [expected, "b"]
    assert page(f"- {gfm.text(text)}").text.strip() == expected
    for made in (gfm.code(text), gfm.path(text)):
        assert page(f"x {made}").text.strip() == f"x {expected}".strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_shown_as_it_is(text: str) -> None:
    assert_shown(text)


@given(st.lists(PIECES, max_size=5).map("".join))
def test_any_text_is_shown_as_it_is(text: str) -> None:
    assert_shown(text)


@pytest.mark.parametrize(
    ("text", "markdown", "shown"),
    [
        ("name `a-${b.c}` is `d|e` `", "name `a-${b.c}` is <code>d\\|e</code> \\`", "name a-${b.c} is d|e `"),
        ("`@a/b` and `x`", "<code>@&#8203;a/b</code> and `x`", "@a/b and x"),
        ("`` `", "\\`\\` \\`", "`` `"),
    ],
)
def test_what_stands_in_backticks_is_code(text: str, markdown: str, shown: str) -> None:
    assert gfm.prose(text) == markdown
    assert page(markdown).text.strip() == shown


def test_long_paths_may_be_broken_and_account_numbers_stay_whole() -> None:
    assert gfm.path("infra/main.tf:12") == "`infra/main.tf:12`"
    assert (
        gfm.path("a/long_way/of/directories/x.tf")
        == r"<code>a/<wbr>long\_way/<wbr>of/<wbr>directories/<wbr>x.tf</code>"
    )
    assert gfm.text("account 123456789012") == "account 123456789012"


# ---- title and commit message ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([outcome("block-public")] * 3, "Block public access to buckets"),
        ([outcome("order")], "Keep providers in order, wherever they stand"),
        (
            [outcome("order"), outcome("block-public"), outcome("block-public"), outcome("name-suffix")],
            "Fix 4 findings: name-suffix, block-public and order",
        ),
        ([outcome("order"), outcome("name-suffix", Status.MANUAL)], "Keep providers in order, wherever they stand"),
    ],
)
def test_title(outcomes: list[Outcome], expected: str) -> None:
    assert title(result(*outcomes)) == expected


def test_a_title_names_as_many_rules_as_it_holds() -> None:
    rules = [f"rule-number-{number}-of-many" for number in range(5)]
    run = result(*(replace(outcome("order"), rule=rule) for rule in rules))
    assert title(run) == "Fix 5 findings: rule-number-0-of-many and 4 more rules"


def test_commit_message() -> None:
    assert commit_message(MIXED) == (
        "Fix 23 findings: name-suffix, block-public and order\n"
        "\n"
        "name-suffix: Give names a suffix. Names clash. 1 finding in 1 file,\n"
        "impact replacement.\n"
        "\n"
        "block-public: Block public access to buckets. Mistakes in `a.b` happen,\n"
        "e.g. at night. 21 findings in 2 files, impact behavior.\n"
        "\n"
        "order: Keep providers in order, wherever they stand, and whatever their\n"
        "names may be or have been. 1 finding in 1 file, impact none.\n"
    )
    assert commit_message(MIXED, "name-suffix") == (
        "Give names a suffix\n"
        "\n"
        "name-suffix: Give names a suffix. Names clash. 1 finding in 1 file,\n"
        "impact replacement.\n"
    )


def test_words_of_a_commit_message_stay_whole() -> None:
    rule = info("a", f"{'Turn it on in ' * 4}some point-in-time recoveries", Impact.NONE)
    text = commit_message(replace(result(replace(outcome("order"), rule="a")), rules=(rule,)))
    assert "point-in-time" in text.split()


def test_a_commit_message_mentions_and_closes_nothing() -> None:
    rule = info(
        "loud", "Fixes #12 for @someone", Impact.NONE, "x\n\n## Why\n\nSee `@aws-cdk/aws-s3:flag` and acme/infra#3."
    )
    run = replace(result(replace(outcome("order"), rule="loud")), rules=(rule,))
    for text in (title(run), commit_message(run), *page(body(run)).strings(code=True)):
        assert not any(pattern.search(text) for pattern in LINKED.values())
    assert commit_message(run).replace(gfm.ZERO_WIDTH_SPACE, "").startswith("Fixes #12 for @someone\n\nloud: Fixes #12")


WORDS = st.lists(st.text("abc, -`.", min_size=1, max_size=90), max_size=12).map(" ".join)


@given(
    st.lists(
        st.tuples(st.sampled_from([name * size for name in ("a", "bc-") for size in (1, 20, 90)]), WORDS, WORDS),
        max_size=6,
    )
)
def test_titles_and_commit_messages_keep_their_bounds(given_rules: list[tuple[str, str, str]]) -> None:
    rules = tuple(info(name, summary, Impact.NONE, f"x\n\n## Why\n\n{why}") for name, summary, why in given_rules)
    run = replace(result(*(replace(outcome("order"), rule=rule.name) for rule in rules)), rules=rules)
    assert 0 < len(title(run)) <= 72
    assert "\n" not in title(run)
    subject, *others = commit_message(run).splitlines()
    assert subject == title(run)
    assert all(len(line) <= 72 for line in others)
    assert not others or others[0] == ""
