"""Reports against what reads them: git, patch, the official schemas, a terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator

from fixer.model import Impact, Language, Status
from fixer.report import FORMATS, diff, markdown, print_diff, print_text, render, sarif
from fixer.report import json as json_report
from fixer.result import FileChange, FileError, Outcome, Region, Replacement, Result, RuleInfo

SARIF_SCHEMA = json.loads((Path(__file__).parent / "data" / "sarif-2.1.0.schema.json").read_text(encoding="utf-8"))

MANUAL_PAGE = """Keep CloudWatch log events for a set time.

## Why

A log group without retention keeps
its events for ever.

It costs money.

## Options

- `days`: `30`
"""
RULES = (
    RuleInfo(
        "log-group-retention",
        "observability",
        "Keep CloudWatch log events for a set time",
        Impact.BEHAVIOR,
        ("CKV_AWS_66",),
        ("S4-9",),
        (Language.CDK, Language.TERRAFORM),
        MANUAL_PAGE,
    ),
    RuleInfo("env-suffix-names", "naming", "Name it", Impact.REPLACEMENT, (), (), (Language.TERRAFORM,), "Name it.\n"),
)


def outcome(status: Status, **changes: Any) -> Outcome:
    """A finding with that status and all that goes with it."""
    plain = Outcome(
        "log-group-retention",
        Language.TERRAFORM,
        "infra/main.tf",
        Region(3, 1, 5, 2),
        "keeps events for ever",
        Impact.BEHAVIOR,
        status,
        fingerprint="ab" * 32,
    )
    if status in (Status.MANUAL, Status.FAILED):
        plain = replace(plain, reason="The value is a variable", help="Give the variable a default")
    if status is Status.SUPPRESSED:
        plain = replace(plain, reason="Suppressed by iacfix: ignore")
    return replace(plain, **changes)


EDIT = Replacement("infra/main.tf", Region(4, 3, 4, 3), 40, 0, "retention_in_days = 30\n")
FULL = Result(
    Path("/project"),
    "check",
    RULES,
    (
        outcome(Status.FIXED, region=Region(1, 1, 1, 9)),
        outcome(Status.FIXABLE, replacements=(EDIT, Replacement("a b/ü:#%.tf", Region(1, 1, 1, 5), 0, 4, ""))),
        outcome(Status.FIXABLE, rule="env-suffix-names", impact=Impact.REPLACEMENT, path="a b/ü:#%.tf"),
        outcome(Status.MANUAL, rule="env-suffix-names", message="has | no `suffix`\nat all"),
        outcome(Status.SUPPRESSED, message="is kept quiet"),
        outcome(Status.FAILED, reason="The edit broke the file"),
    ),
    (
        FileChange("m.tf", b"a\n", b"b\n"),
        FileChange("new.tf", None, b"x\n"),
        FileChange("to.tf", b"a\n", b"a\n", "from.tf"),
        FileChange("old.tf", b"x\n", None),
    ),
    (FileError("bad.tf", "line 3: not HCL"), FileError("", "the whole run went wrong")),
    ("the literal 'x' is also in README.md",),
    files_scanned=1042,
    seconds=1.23456,
)
EMPTY = Result(Path("/project"), "check", (), files_scanned=1)
NASTY = "\x1b[31m\x07 \u202e\udcff é"
"""A terminal's command, a bidirectional override, a byte that was not UTF-8."""


# ---- all formats -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("result", [FULL, EMPTY], ids=["full", "empty"])
def test_every_format_can_be_encoded_and_is_a_function_of_the_result(name: str, result: Result) -> None:
    report = render(name, result)
    assert report == render(name, replace(result))
    report.encode("utf-8")
    assert report.endswith("\n") or not report


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_lets_hostile_text_through(name: str) -> None:
    hostile = replace(
        FULL,
        outcomes=tuple(replace(one, path=f"d/{NASTY}.tf", message=NASTY, reason=NASTY) for one in FULL.outcomes),
        errors=(FileError(f"d/{NASTY}.tf", NASTY),),
        notes=(NASTY,),
    )
    report = render(name, hostile)
    report.encode("utf-8")
    if name != "github":  # its readers are not terminals
        assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", report)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="no format 'html': one of text, json"):
        render("html", EMPTY)


# ---- text --------------------------------------------------------------------------------------


def test_text() -> None:
    assert render("text", FULL).splitlines() == [
        "infra/main.tf:1:1: log-group-retention keeps events for ever [fixed]",
        "infra/main.tf:3:1: log-group-retention keeps events for ever [fixable]",
        "a b/ü:#%.tf:3:1: env-suffix-names keeps events for ever [fixable with --impact replacement]",
        "infra/main.tf:3:1: env-suffix-names has | no `suffix` at all [manual]",
        "    why: The value is a variable",
        "    next: Give the variable a default",
        "infra/main.tf:3:1: log-group-retention keeps events for ever [failed]",
        "    why: The edit broke the file",
        "    next: Give the variable a default",
        "bad.tf: error: line 3: not HCL",
        "error: the whole run went wrong",
        "note: the literal 'x' is also in README.md",
        "Found 6 findings (1 fixed, 1 fixable, 1 manual, 1 suppressed, 1 failed) in 1,042 files.",
        "1 more fix with --impact replacement.",
        "2 errors.",
    ]


def test_text_of_nothing() -> None:
    assert render("text", EMPTY) == "Found nothing in 1 file.\n"


@pytest.mark.parametrize(
    ("command", "last"), [("apply", "Changed 4 files."), ("apply --dry-run", "Would change 4 files.")]
)
def test_text_of_an_apply_counts_the_files(command: str, last: str) -> None:
    assert render("text", replace(FULL, command=command, errors=())).splitlines()[-1] == last


def test_the_impact_asked_for_is_the_one_that_withholds_nothing() -> None:
    findings = tuple(outcome(Status.FIXABLE, impact=impact) for impact in Impact)
    none = render("text", replace(FULL, outcomes=findings, impact=Impact.NONE))
    assert "(1 fixable)" in none
    assert "2 more fixes with --impact replacement." in none
    behavior = render("text", replace(FULL, outcomes=findings[:2], impact=Impact.NONE))
    assert "1 more fix with --impact behavior." in behavior
    assert "more fix" not in render("text", replace(FULL, outcomes=findings, impact=Impact.REPLACEMENT))


def on_terminal(show: Any, result: Result) -> str:
    """What `show` prints on a real terminal, its line ends made plain."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        show(result, stream)
    printed = b""
    try:
        while chunk := os.read(master, 65536):
            printed += chunk
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(master)
    return printed.decode().replace("\r\n", "\n")


def without_styles(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which only the terminal itself decides."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "72")
    return monkeypatch


def test_a_terminal_gets_colours_whole_lines_and_a_table(terminal: pytest.MonkeyPatch) -> None:
    printed = on_terminal(print_text, FULL)
    assert "\x1b[36m[fixable]" in printed
    lines = [line.rstrip() for line in without_styles(printed).splitlines()]
    plain = render("text", FULL).splitlines()
    assert [line for line in lines if line in plain] == plain
    assert [line.split() for line in lines if line and line not in plain] == [
        ["rule", "fixed", "fixable", "manual", "suppressed", "failed"],
        ["env-suffix-names", "1", "1"],
        ["log-group-retention", "1", "1", "1", "1"],
    ]


def test_no_color_takes_the_colours_away(terminal: pytest.MonkeyPatch) -> None:
    terminal.setenv("NO_COLOR", "1")
    printed = on_terminal(print_text, FULL)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9][;m]", printed)
    assert without_styles(printed).startswith("infra/main.tf:1:1: ")


def test_force_color_colours_a_pipe(terminal: pytest.MonkeyPatch) -> None:
    plain = io.StringIO()
    print_text(FULL, plain)
    assert plain.getvalue() == render("text", FULL)
    terminal.setenv("FORCE_COLOR", "1")
    forced = io.StringIO()
    print_text(FULL, forced)
    assert "\x1b[36m[fixable]" in forced.getvalue()


def test_a_stream_that_knows_ascii_alone_gets_escapes() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_text(FULL, stream)
    stream.flush()
    assert rb"a b/\xfc:#%.tf:3:1: env-suffix-names" in raw.getvalue()


# ---- diff --------------------------------------------------------------------------------------

Tree = Mapping[str, bytes]
ENVIRONMENT = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}


def lay(root: Path, tree: Tree) -> None:
    for name, content in tree.items():
        path = Path(os.fsdecode(os.fsencode(root) + b"/" + name.encode("utf-8", "surrogateescape")))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def read(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.relative_to(root).parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def sides(files: Iterable[FileChange]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The trees before and after the changes."""
    changes = list(files)
    before = {one.moved_from or one.path: one.before for one in changes if one.before is not None}
    after = {one.path: one.after for one in changes if one.after is not None}
    return before, after


def patched(tool: str, before: Tree, text: bytes) -> dict[str, bytes]:
    """The tree that the tool makes of `before` with the diff; it must say that all went well."""
    commands = {
        "git": [["git", "init", "-q"], ["git", "apply", "--check", "-"], ["git", "apply", "-"]],
        "patch": [["patch", "-p1", "--batch", "--silent"]],
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lay(root, before)
        for command in commands[tool]:
            done = subprocess.run(command, cwd=root, input=text, capture_output=True, env=ENVIRONMENT, check=False)
            assert done.returncode == 0, (command, done.stdout, done.stderr, text)
        return read(root)


CASES = {
    "edit in the middle": [FileChange("a.tf", b"".join(b"%d\n" % n for n in range(40)), b"0\n" * 3)],
    "two hunks": [
        FileChange("a.tf", b"".join(b"%d\n" % n for n in range(40)), b"".join(b"%d\n" % (n % 39) for n in range(40))),
    ],
    "crlf": [FileChange("a.py", b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\nd\r\n")],
    "crlf becomes lf": [FileChange("a.py", b"a\r\nb\r\n", b"a\nb\n")],
    "carriage returns alone": [FileChange("a.py", b"a\rb\rc", b"a\rB\rc")],
    "form feed and line separator": [
        FileChange("a.py", "a\x0cb\u2028c\x85d\n".encode(), "a\x0cB\u2028c\x85d\n".encode())
    ],
    "no final newline before": [FileChange("a.tf", b"a\nb", b"a\nb\n")],
    "no final newline after": [FileChange("a.tf", b"a\nb\n", b"a\nb")],
    "no final newline at all": [FileChange("a.tf", b"a\nb", b"a\nc")],
    "no final newline in context": [FileChange("a.tf", b"a\nb\nc", b"A\nb\nc")],
    "byte order mark": [FileChange("a.py", b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfb\n")],
    "bytes that are not utf-8": [FileChange("a.py", b"\xff\xfe\n\x80\n", b"\xff\xfe\n\x81\n")],
    "lines like headers": [
        FileChange("a.tf", b"-- a/x\n++ b/x\n@@ -1 +1 @@\ndiff --git a/q b/q\n", b"-- a/y\n++ b/z\n")
    ],
    "created": [FileChange("new/deep/a.tf", None, b"a\nb\n")],
    "created without final newline": [FileChange("a.tf", None, b"a")],
    "created empty": [FileChange("a.tf", None, b"")],
    "created empty, name with a space": [FileChange("a b.tf", None, b"")],
    "deleted": [FileChange("a.tf", b"a\nb\n", None)],
    "deleted without final newline": [FileChange("a.tf", b"a", None)],
    "deleted empty": [FileChange("a.tf", b"", None)],
    "filled": [FileChange("a.tf", b"", b"a\n")],
    "emptied": [FileChange("a.tf", b"a\n", b"")],
    "moved": [FileChange("b.tf", b"a\n", b"a\n", "a.tf")],
    "moved empty": [FileChange("b.tf", b"", b"", "a.tf")],
    "moved and edited": [FileChange("new/b.tf", b"a\nb\nc\n", b"a\nB\nc\n", "a.tf")],
    "moved and filled": [FileChange("b.tf", b"", b"B\n", "a.tf")],
    "moved and rewritten": [FileChange("b.tf", b"a\n", b"B\n", "a.tf")],
    "moved, names with spaces": [FileChange("new dir/b c.tf", b"a\n", b"a\n", "old dir/a b.tf")],
    "moved and edited, names with spaces": [FileChange("b c.tf", b"a\n", b"b\n", "a b.tf")],
    "moved, other names": [FileChange('ü"\\.tf', b"a\n", b"b\n", "é\t.tf")],
    "moved, and the old name taken again": [
        FileChange("b.tf", b"a\n", b"b\n", "a.tf"),
        FileChange("a.tf", None, b"c\n"),
    ],
    "name with spaces": [FileChange(" a  b /c d.tf", b"a\n", b"b\n")],
    "name with quotes": [FileChange('a"b\\c.tf', b"a\n", b"b\n"), FileChange("a'b.tf", None, b"b\n")],
    "name with controls": [FileChange("a\tb\nc\x01\x7f.tf", b"a\n", b"b\n")],
    "name in unicode": [FileChange("ünï/日本.tf", b"a\n", b"b\n"), FileChange("é.tf", None, b"b\n")],
    "name that is not utf-8": [FileChange("a\udcff.tf", b"a\n", b"b\n")],
    "name like an option": [FileChange("-R", b"a\n", b"b\n")],
    "many": list(FULL.files),
}


@pytest.mark.parametrize("tool", ["git", "patch"])
@pytest.mark.parametrize("name", CASES)
def test_diff_is_taken(tool: str, name: str) -> None:
    before, after = sides(CASES[name])
    assert patched(tool, before, diff.unified(CASES[name])) == after


@pytest.mark.parametrize("name", CASES)
def test_git_reads_the_names_in_the_diff(name: str, tmp_path: Path) -> None:
    command = ["git", "apply", "--numstat", "-z", "-"]
    text = diff.unified(CASES[name])
    done = subprocess.run(command, cwd=tmp_path, input=text, capture_output=True, env=ENVIRONMENT, check=True)
    rows = [row.split("\t", 2) for row in os.fsdecode(done.stdout).split("\0") if row]
    assert [path for _, _, path in rows] == [one.path for one in CASES[name]]


def test_diff_of_nothing_is_empty() -> None:
    assert diff.unified([]) == b""
    assert diff.unified([FileChange("a.tf", b"a\n", b"a\n")]) == b""


def test_diff_text() -> None:
    change = FileChange("a b.tf", b"one\r\ntwo\r\nthree", b"one\r\nTWO\r\nthree")
    assert diff.unified([change]) == (
        b'diff --git "a/a b.tf" "b/a b.tf"\n--- a/a b.tf\t\n+++ b/a b.tf\t\n@@ -1,3 +1,3 @@\n'
        b" one\r\n-two\r\n+TWO\r\n three\n\\ No newline at end of file\n"
    )


ends = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r", b""])
words = st.sampled_from([b"", b"a", b"b", b"}", b"\t x", b"-- a", b"++ b", b"@@", b"\xff", b"\x00", b"\\ No newline"])
lines = st.tuples(words, ends).map(b"".join)
texts = st.lists(lines, max_size=30)
paths = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8).map(
    lambda name: f"d/{name}.tf"
)


@st.composite
def changes(draw: st.DrawFn) -> FileChange:
    """A file changed in a few lines, made, removed or moved."""
    before = draw(texts)
    after = list(before)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(after)))
        after[at : at + draw(st.integers(0, 3))] = draw(st.lists(lines, max_size=3))
    path = draw(paths)
    old, new = b"".join(before), b"".join(after)
    kind = draw(st.sampled_from(["modified", "modified", "created", "deleted", "moved"]))
    return {
        "modified": FileChange(path, old, new),
        "created": FileChange(path, None, new),
        "deleted": FileChange(path, old, None),
        "moved": FileChange(f"new/{path}", old, new, path),
    }[kind]


@pytest.mark.parametrize("tool", ["git", "patch"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=st.lists(changes(), max_size=6, unique_by=lambda one: (one.moved_from or one.path).casefold()))
def test_diff_round_trips(tool: str, files: list[FileChange]) -> None:
    before, after = sides(files)
    text = diff.unified(files)
    if text:
        assert patched(tool, before, text) == after
    else:
        assert before == after


@given(old=st.lists(st.sampled_from("abc}"), max_size=25), new=st.lists(st.sampled_from("abc}"), max_size=25))
def test_diff_is_the_shortest(old: list[str], new: list[str]) -> None:
    common = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]  # lines in common of the first i and the first j
    for i, one in enumerate(old):
        for j, other in enumerate(new):
            common[i + 1][j + 1] = common[i][j] + 1 if one == other else max(common[i][j + 1], common[i + 1][j])
    before, after = ("".join(f"{line}\n" for line in lines).encode() for lines in (old, new))
    marks = Counter(line[:1] for line in diff.unified([FileChange("a.tf", before, after)]).splitlines()[3:])
    assert marks[b"-"] == len(old) - common[-1][-1]
    assert marks[b"+"] == len(new) - common[-1][-1]


def test_diff_of_a_long_file_of_few_different_lines_is_short() -> None:
    before = b'resource "a" "b" {\n  x = 1\n}\n\n' * 1_000
    text = diff.unified([FileChange("a.tf", before, before.replace(b"x = 1", b"x = 2", 3))])
    assert text.count(b"\n-  x = 1\n") == text.count(b"\n+  x = 2\n") == 3
    assert len(text.splitlines()) < 30


def test_diff_of_a_file_written_anew_is_taken() -> None:
    before, after = (b"".join(b"%d\n" % (n * step % 1_009) for n in range(1_000)) for step in (1, 7))
    text = diff.unified([FileChange("a.tf", before, after)])
    assert patched("git", {"a.tf": before}, text) == patched("patch", {"a.tf": before}, text) == {"a.tf": after}


def test_print_diff_to_a_pipe_is_the_very_bytes(terminal: pytest.MonkeyPatch) -> None:
    terminal.setenv("FORCE_COLOR", "1")
    change = FileChange("ü.py", b"\xff\r\n", b"\xfe\r\n")
    raw = io.BytesIO()
    pipe = io.TextIOWrapper(raw, encoding="ascii")
    pipe.write("before\n")
    print_diff(replace(FULL, files=(change,)), pipe)
    assert raw.getvalue() == b"before\n" + diff.unified([change])


def test_print_diff_on_a_terminal_is_coloured_and_harmless(terminal: pytest.MonkeyPatch) -> None:
    change = FileChange("a.py", b"--x\n\x1b[2J\t\xff\n", b"++y\n\x1b[2J\t\xff\n")
    printed = on_terminal(print_diff, replace(FULL, files=(change,)))
    assert "\x1b[31m---x" in printed
    assert "\x1b[32m+++y" in printed
    assert "\x1b[2J" not in printed
    assert r" \x1b[2J" in without_styles(printed)
    terminal.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in on_terminal(print_diff, replace(FULL, files=(change,)))


# ---- json --------------------------------------------------------------------------------------


def test_json_keeps_its_contract() -> None:
    report = json.loads(render("json", FULL))
    assert list(report) == ["version", "findings", "files", "errors", "notes", "summary"]
    assert report["version"] == 1
    assert report["findings"][3] == {
        "rule": "env-suffix-names",
        "language": "terraform",
        "path": "infra/main.tf",
        "line": 3,
        "column": 1,
        "end_line": 5,
        "end_column": 2,
        "message": "has | no `suffix`\nat all",
        "impact": "behavior",
        "status": "manual",
        "reason": "The value is a variable",
        "help": "Give the variable a default",
    }
    assert report["files"] == [
        {"path": "m.tf", "change": "modified", "from": None},
        {"path": "new.tf", "change": "created", "from": None},
        {"path": "to.tf", "change": "moved", "from": "from.tf"},
        {"path": "old.tf", "change": "deleted", "from": None},
    ]
    assert report["errors"][0] == {"path": "bad.tf", "message": "line 3: not HCL"}
    assert report["notes"] == ["the literal 'x' is also in README.md"]
    assert report["summary"] == {
        "files_scanned": 1042,
        "findings": 6,
        "fixed": 1,
        "fixable": 2,
        "manual": 1,
        "suppressed": 1,
        "files_changed": 4,
        "seconds": 1.235,
    }


@pytest.mark.parametrize("result", [FULL, EMPTY], ids=["full", "empty"])
def test_json_is_valid_by_its_schema(result: Result) -> None:
    schema = json_report.schema()
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(render("json", result)))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("findings", {"status": "unknown"}),
        ("findings", {"extra": 1}),
        ("findings", {"line": 0}),
        ("files", {"from": "x"}),
        ("files", {"change": "moved"}),
        ("errors", {"message": None}),
    ],
)
def test_the_json_schema_refuses(place: str, value: dict[str, Any]) -> None:
    report = json.loads(render("json", FULL))
    report[place][0].update(value)
    assert not Draft202012Validator(json_report.schema()).is_valid(report)


def test_the_json_schema_leaves_no_object_open() -> None:
    def objects(node: Any) -> Iterable[dict[str, Any]]:
        if isinstance(node, dict):
            if node.get("type") == "object":
                yield node
            node = list(node.values())
        if isinstance(node, list):
            for one in node:
                yield from objects(one)

    found = list(objects(json_report.schema()))
    assert len(found) == 8
    for one in found:
        assert one["additionalProperties"] is False
        asked_for = {"from", "proofs"} if one is found[0] else set()
        assert {*one["required"], *asked_for} == one["properties"].keys()


# ---- sarif -------------------------------------------------------------------------------------


def sarif_run(result: Result) -> dict[str, Any]:
    """The run of the result's log, which the official schema takes."""
    log = json.loads(render("sarif", result))
    Draft4Validator(SARIF_SCHEMA).validate(log)
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize("result", [FULL, EMPTY], ids=["full", "empty"])
def test_sarif_is_valid_by_the_official_schema(result: Result) -> None:
    run = sarif_run(result)
    assert run["columnKind"] == "unicodeCodePoints"
    assert "originalUriBaseIds" not in run


def test_sarif_rules() -> None:
    first, second = sarif_run(FULL)["tool"]["driver"]["rules"]
    assert first["id"] == "log-group-retention"
    assert first["shortDescription"]["text"] == "Keep CloudWatch log events for a set time."
    assert first["fullDescription"]["text"].endswith("time. A log group without retention keeps its events for ever.")
    assert first["help"]["markdown"] == MANUAL_PAGE
    assert first["properties"]["tags"] == ["observability", "cdk", "terraform"]
    assert second["fullDescription"]["text"] == "Name it."
    assert "helpUri" not in first


def test_sarif_results() -> None:
    run = sarif_run(FULL)
    results = run["results"]
    assert [(one["kind"], one["level"], one["properties"]["status"]) for one in results] == [
        ("informational", "none", "fixed"),
        ("fail", "warning", "fixable"),
        ("fail", "warning", "fixable"),
        ("fail", "warning", "manual"),
        ("fail", "warning", "suppressed"),
        ("fail", "error", "failed"),
    ]
    for one in results:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
        assert one["partialFingerprints"] == {"iacfix/v1": "ab" * 32}
        assert one["locations"][0]["physicalLocation"]["region"]["startLine"]
    assert [one.get("suppressions") for one in results if "suppressions" in one] == [
        [{"kind": "inSource", "justification": "Suppressed by iacfix: ignore"}]
    ]
    assert results[3]["message"]["text"] == (
        "Has | no `suffix`\nat all. The value is a variable. Give the variable a default."
    )
    assert results[1]["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 3,
        "startColumn": 1,
        "endLine": 5,
        "endColumn": 2,
    }


def test_sarif_fixes_are_the_edits_file_by_file() -> None:
    fixes = [one["fixes"] for one in sarif_run(FULL)["results"] if "fixes" in one]
    removed, added = fixes[0][0]["artifactChanges"]
    assert len(fixes) == 1
    assert removed["replacements"] == [
        {"deletedRegion": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 5}}
    ]
    assert added["artifactLocation"] == {"uri": "infra/main.tf"}
    assert added["replacements"][0]["insertedContent"] == {"text": "retention_in_days = 30\n"}
    assert added["replacements"][0]["deletedRegion"]["startColumn"] == 3


@given(path=st.text(st.characters(exclude_characters="\0"), min_size=1).map(lambda name: name.replace("\\", "/")))
def test_sarif_uris_are_relative_and_give_the_path_back(path: str) -> None:
    path = path.encode("utf-8", "replace").decode()
    uri = sarif_run(replace(FULL, outcomes=(outcome(Status.FIXABLE, path=path),)))["results"][0]["locations"][0][
        "physicalLocation"
    ]["artifactLocation"]["uri"]
    assert re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri)  # of RFC 3986, without a scheme
    assert unquote_to_bytes(uri) == path.encode()


def test_sarif_keeps_a_path_that_is_not_utf8() -> None:
    run = sarif_run(replace(FULL, outcomes=(outcome(Status.FIXABLE, path="a\udcff.tf"),)))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%FF.tf"


def test_sarif_tells_of_errors_and_notes() -> None:
    (invocation,) = sarif_run(FULL)["invocations"]
    assert invocation["executionSuccessful"] is False
    told = [(one["level"], one["message"]["text"]) for one in invocation["toolExecutionNotifications"]]
    assert told == [
        ("error", "line 3: not HCL"),
        ("error", "the whole run went wrong"),
        ("note", "the literal 'x' is also in README.md"),
    ]
    first = invocation["toolExecutionNotifications"][0]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "bad.tf"
    assert sarif_run(EMPTY)["invocations"][0] == {"executionSuccessful": True, "toolExecutionNotifications": []}


def test_sarif_stays_within_githubs_limit_and_keeps_what_matters() -> None:
    many = (outcome(Status.SUPPRESSED),) * 20_000 + (outcome(Status.MANUAL),) * 10_000
    run = json.loads(sarif.render(replace(EMPTY, outcomes=many)))["runs"][0]
    kept = Counter(one["properties"]["status"] for one in run["results"])
    assert kept == {"manual": 10_000, "suppressed": 15_000}
    (cut,) = run["invocations"][0]["toolExecutionNotifications"]
    assert cut == {"level": "warning", "message": {"text": "5,000 results left off: GitHub takes 25,000 of a run."}}


def test_sarif_takes_a_finding_of_a_rule_that_is_not_listed() -> None:
    (one,) = sarif_run(replace(EMPTY, outcomes=(outcome(Status.MANUAL),)))["results"]
    assert "ruleIndex" not in one


# ---- github ------------------------------------------------------------------------------------


def test_github() -> None:
    assert render("github", FULL).splitlines() == [
        "::error file=bad.tf,title=iacfix::line 3: not HCL",
        "::error title=iacfix::the whole run went wrong",
        "::notice file=infra/main.tf,line=1,endLine=1,col=1,title=log-group-retention (fixed)::Keeps events for ever.",
        "::warning file=infra/main.tf,line=3,endLine=5,title=log-group-retention (fixable)::Keeps events for ever.",
        "::warning file=a b/ü%3A#%25.tf,line=3,endLine=5,title=env-suffix-names (fixable)::Keeps events for ever.",
        "::warning file=infra/main.tf,line=3,endLine=5,title=env-suffix-names (manual)"
        "::Has | no `suffix`%0Aat all. The value is a variable. Give the variable a default.",
        "::error file=infra/main.tf,line=3,endLine=5,title=log-group-retention (failed)"
        "::Keeps events for ever. The edit broke the file. Give the variable a default.",
        "::notice title=iacfix::the literal 'x' is also in README.md",
    ]


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner reads it: split first, unescaped after."""
    match = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line, re.DOTALL)
    assert match
    properties = dict(pair.split("=", 1) for pair in match[2].split(","))

    def unescaped(value: str) -> str:
        for escape, plain in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            value = value.replace(escape, plain)
        return value

    return match[1], {key: unescaped(value) for key, value in properties.items()}, unescaped(match[3])


@given(path=st.text(min_size=1).filter(lambda text: text.isprintable() or "\n" in text), message=st.text(min_size=1))
def test_github_escapes_give_the_text_back(path: str, message: str) -> None:
    path, message = (text.encode("utf-8", "replace").decode() for text in (path, message))
    report = render("github", replace(EMPTY, errors=(FileError(path, message),)))
    assert report.endswith("\n")
    assert "\n" not in report[:-1]
    assert parsed(report[:-1]) == ("error", {"file": path, "title": "iacfix"}, message)


# ---- markdown ----------------------------------------------------------------------------------


def test_markdown() -> None:
    assert render("markdown", FULL).splitlines() == [
        "## iacfix",
        "",
        "Found 6 findings (1 fixed, 1 fixable, 1 manual, 1 suppressed, 1 failed) in 1,042 files. "
        "1 more fix with --impact replacement. 2 errors.",
        "",
        "| rule | fixed | fixable | manual | suppressed | failed |",
        "| --- | --: | --: | --: | --: | --: |",
        "| `env-suffix-names` | 0 | 1 | 1 | 0 | 0 |",
        "| `log-group-retention` | 1 | 1 | 0 | 1 | 1 |",
        "",
        "### Errors",
        "",
        "| file | error |",
        "| --- | --- |",
        "| bad.tf | line 3: not HCL |",
        "|  | the whole run went wrong |",
        "",
        "### Left for you",
        "",
        "| place | rule | finding | why | next step |",
        "| --- | --- | --- | --- | --- |",
        r"| infra/main.tf:3 | `env-suffix-names` | has \| no \`suffix\` at all | The value is a variable "
        "| Give the variable a default |",
        "| infra/main.tf:3 | `log-group-retention` | keeps events for ever | The edit broke the file "
        "| Give the variable a default |",
        "",
        "### Notes",
        "",
        "- the literal 'x' is also in README.md",
    ]


def test_markdown_of_nothing() -> None:
    assert render("markdown", EMPTY) == "## iacfix\n\nFound nothing in 1 file.\n"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a | b", r"a \| b"),
        ("`code`", r"\`code\`"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("&lt;", "&amp;lt;"),
        ("@someone and @org/team", "@&#8203;someone and @&#8203;org/team"),
        ("fixes #123", r"fixes \#&#8203;123"),
        ("org/repo#1 GH-7", r"org/repo\#&#8203;1 GH-&#8203;7"),
        ("${var.name}__x__", r"\${var.name}\_\_x\_\_"),
        ("[x](y) ![z](q)", r"\[x\](y) \!\[z\](q)"),
        ("a\r\n  b", "a b"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_markdown_shows_text_as_it_is(text: str, escaped: str) -> None:
    report = render("markdown", replace(EMPTY, errors=(FileError(text, "e"),)))
    assert report.splitlines()[-1] == f"| {escaped} | e |"


def test_markdown_ends_at_whole_rows_and_says_so() -> None:
    many = tuple(outcome(Status.MANUAL, path=f"dir/{number}.tf") for number in range(5_000))
    report = render("markdown", replace(FULL, outcomes=many))
    assert len(report) <= markdown.LIMIT
    assert len(report) > markdown.LIMIT - 1_000
    *_, last_row, empty, closing = report.splitlines()
    rows = report.count("| `log-group-retention` | keeps")
    assert last_row == f"| dir/{rows - 1}.tf:3 | `log-group-retention` | keeps events for ever " + (
        "| The value is a variable | Give the variable a default |"
    )
    assert empty == ""
    assert closing == f"{5_000 - rows + 1:,} more rows left off: this text ends at 60,000 characters."  # 1: the note
    assert "### Notes" not in report
