"""The report of a campaign: of real plans, with hostile names and contents, looked at in a real browser."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import cmarkgfm
import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from fixer.cli import main
from fixer.cli.live import pace
from fixer.hosting.errors import Kind
from fixer.migrate.campaign import template
from fixer.migrate.journal import Journal
from fixer.migrate.report import collect, schema, write
from fixer.migrate.states import State

BUCKET = 'resource "aws_s3_bucket" "data" {\n  bucket = "data"\n}\n'
HOSTILE = '# </pre></script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">\n'
RTL = "# \u202e} ;1 == 1 \u05e9\u05dc\u05d5\u05dd\n"
NAMES = {
    "formula": "=cmd|' /C calc'!A0",
    "image": 'acme/<img src=x onerror="window.hacked=1">',
    "script": "acme/</script><script>window.hacked=1</script>",
    "turned": "acme/\u202egnp.exe",
    "plain": "acme/plain",
}
"""Of repositories that no plan could be made for."""


def git(directory: Path, *arguments: str) -> str:
    command = ("git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments)
    return subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout


def repository(path: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content, encoding="utf-8")
    git(path, "init", "-q")
    git(path, "add", "-A")
    git(path, "commit", "-qm", "all")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["migrate", *map(str, arguments)])


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that is planned: three repositories here, and those of NAMES, which are on a host and failed."""
    directory = tmp_path_factory.mktemp("campaign")
    many = "".join(BUCKET.replace('"data"', f'"data-{number}"') for number in range(150))
    repository(directory / "repos/hostile", {"<b>&.tf": BUCKET + HOSTILE + RTL, "iacfix.toml": 'ignore = ["naming"]\n'})
    repository(directory / "repos/large", {"main.tf": many})
    repository(directory / "repos/clean", {"main.tf": 'variable "a" {}\n'})
    file = directory / "wave.toml"
    fix = '[fix]\nselect = ["s3-block-public-access", "env-suffix-names"]\n'
    file.write_text(f'version = 1\nname = "wave"\n{fix}[repositories]\npaths = ["repos/*"]\n[engine]\njobs = 1\n')
    for verb in ("discover", "plan"):
        result = run(verb, file)
        assert result.exit_code == 0, result.output
    with Journal(directory / "wave.journal") as journal:
        journal.add([found(number, name) for number, name in enumerate(NAMES.values())])
        for number, name in enumerate(NAMES.values()):
            one = next(one for one in journal.repositories(State.DISCOVERED) if one.name == name)
            attempt = journal.attempt(one, "plan")
            journal.ended(attempt, "git" if number % 2 else "timeout", f"@risk {name} {HOSTILE}")
            journal.move(one, State.FAILED, f"-risk {HOSTILE}")
        clean = journal.find("repos/clean")
        assert clean
        pull = {"branch": "iacfix/wave", "number": 7, "head": "0" * 40, "state": "merged"}
        journal.opened(clean, **pull, url="javascript:window.hacked=1")
        journal.move(clean, State.MERGED)
    return file


def found(number: int, name: str) -> dict[str, Any]:
    page = f"https://github.com/acme/r{number}?a=\"'><b>" if name == NAMES["image"] else "https://github.com/acme/r"
    there = {"host": "https://api.github.com", "node": f"R_{number}", "name": name, "url": f"{page}.git", "page": page}
    return {**there, "branch": "main", "kilobytes": 1, "state": "discovered", "reason": ""}


@pytest.fixture(scope="module")
def document(campaign: Path) -> dict[str, Any]:
    return collect(campaign.with_suffix(".journal"))


@pytest.fixture(scope="module")
def directory(campaign: Path, document: dict[str, Any]) -> Path:
    there = campaign.with_name("out")
    write(document, there)
    return there


def named(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in document["repositories"] if one["name"] == name)


# ---- the document ------------------------------------------------------------------------------


def test_the_document_follows_its_schema(directory: Path) -> None:
    Draft202012Validator.check_schema(schema())
    Draft202012Validator(schema()).validate(json.loads((directory / "report.json").read_text()))


def test_an_empty_journal_has_a_report_too(tmp_path: Path) -> None:
    with Journal(tmp_path / "none.journal"):
        pass
    report = collect(tmp_path / "none.journal")
    Draft202012Validator(schema()).validate(report)
    write(report, tmp_path / "out")
    assert "There are none" in (tmp_path / "out/report.html").read_text()


def test_numbers_are_those_of_the_plans(document: dict[str, Any]) -> None:
    summary = document["summary"]
    states = {"planned": 2, "merged": 1, "failed": len(NAMES)}
    assert {state: number for state, number in summary["states"].items() if number} == states
    assert summary["repositories"] == 3 + len(NAMES)
    assert summary["findings"]["fixed"] == 151  # a bucket in the one, 150 in the other
    rule = next(one for one in document["rules"] if one["rule"] == "s3-block-public-access")
    assert (rule["repositories"], rule["fixed"]) == (2, 151)
    assert document["failures"][0] | {"error": "", "repository": ""} == {
        "kind": "timeout",
        "attempts": 3,
        "repositories": 3,
        "error": "",
        "repository": "",
    }
    assert summary["pull_requests"] == {"open": 0, "merged": 1, "closed": 0}


def test_lines_are_counted_as_git_counts_them(campaign: Path, document: dict[str, Any], tmp_path: Path) -> None:
    shown = run("show", "repos/large", campaign).stdout
    (tmp_path / "diff").write_text(shown[shown.index("diff --git") :], encoding="utf-8", newline="")
    counted = git(campaign.parent / "repos/large", "apply", "--numstat", str(tmp_path / "diff")).split()
    (file,) = named(document, "repos/large")["plan"]["files"]
    assert counted == [str(file["added"]), str(file["removed"]), file["path"]]


def test_progress_begins_with_all_to_do_and_ends_as_it_is(document: dict[str, Any]) -> None:
    first, *_, last = document["progress"]
    assert first["states"]["discovered"] == document["summary"]["repositories"]
    assert last["states"] == document["summary"]["states"]
    times = [point["at"] for point in document["progress"]]
    assert times == sorted(times)


def test_those_skipped_when_they_were_found_were_never_to_do(tmp_path: Path) -> None:
    with Journal(tmp_path / "a.journal") as journal:
        journal.begin("a", "", "0")
        journal.add([{**found(1, "acme/a"), "state": "skipped", "reason": "it is a fork"}, found(2, "acme/b")])
        journal.move(journal.repositories(State.DISCOVERED)[0], State.CLEAN)
    first, last = collect(tmp_path / "a.journal")["progress"]
    assert (first["states"]["skipped"], first["states"]["discovered"]) == (1, 1)
    assert (last["states"]["skipped"], last["states"]["clean"]) == (1, 1)


def test_a_long_diff_is_cut_and_says_so(document: dict[str, Any], directory: Path) -> None:
    diff = named(document, "repos/large")["plan"]["diff"]
    assert diff["left_off"] > 0
    assert diff["lines"] == diff["text"].count("\n") + diff["left_off"]
    assert f"{diff['left_off']:,} more lines left off" in (directory / "report.html").read_text()


def test_diffs_can_be_left_out(campaign: Path, tmp_path: Path) -> None:
    assert run("report", campaign, "--no-diffs", "--output", tmp_path).exit_code == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert named(report, "repos/large")["plan"]["diff"] is None
    assert named(report, "repos/large")["plan"]["files"][0]["added"] > 0
    assert "<pre" not in (tmp_path / "report.html").read_text()


# ---- its other forms ---------------------------------------------------------------------------


def test_no_cell_is_a_formula(directory: Path) -> None:
    text = (directory / "repos.csv").read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["repository"] for row in rows if "cmd" in row["repository"]] == ["'=cmd|' /C calc'!A0"]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert all(row["reason"].startswith("'-risk") for row in rows if row["state"] == "failed")
    assert {row["repository"]: row["s3-block-public-access"] for row in rows}["repos/large"] == "150"
    assert len(rows) == 3 + len(NAMES)


def test_each_finding_has_a_line(directory: Path, document: dict[str, Any]) -> None:
    lines = [json.loads(line) for line in (directory / "findings.jsonl").read_text().splitlines()]
    assert Counter(one["status"] for one in lines) == Counter(
        {status: number for status, number in document["summary"]["findings"].items() if number}
    )
    large = git(directory.parent / "repos/large", "rev-parse", "HEAD").strip()
    assert {one["base"] for one in lines if one["repository"] == "repos/large"} == {large}


def test_markdown_holds_no_html_of_others(directory: Path) -> None:
    shown = cmarkgfm.github_flavored_markdown_to_html((directory / "report.md").read_text())
    assert "repos/large" in shown
    for tag in ("<img", "<script", "<b>", "javascript:"):
        assert tag not in shown


def test_what_is_no_utf_8_is_written_all_the_same(document: dict[str, Any], tmp_path: Path) -> None:
    copy = json.loads(json.dumps(document))
    plan = named(copy, "repos/hostile")["plan"]
    plan["findings"][0].update(path="caf\udce9.tf", status="manual", reason="\udcff")
    plan["diff"]["text"] += "+\udce9\n"
    write(copy, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "caf\\udce9.tf" in page
    assert "+\\udce9\n" in page
    assert json.loads((tmp_path / "report.json").read_text()) == copy


def test_no_password_of_an_address_is_told(tmp_path: Path) -> None:
    url = "https://rosa:hunter2@git.example.com/acme/a.git"
    with Journal(tmp_path / "wave.journal") as journal:
        journal.begin("wave", "", "0")
        journal.add([{**found(1, "acme/a"), "node": url, "url": url, "page": ""}])
        one = journal.repositories()[0]
        journal.ended(journal.attempt(one, "plan"), "git", f"fatal: no {url}")
        journal.move(one, State.FAILED, f"fatal: no '{url}'")
    there = tmp_path / "wave.toml"
    assert run("report", there).exit_code == 0
    said = [run("export", there).stdout, run("show", "acme/a", there).stdout]
    said += [path.read_text(encoding="utf-8") for path in (tmp_path / "wave-report").iterdir()]
    assert not [text for text in said if "hunter2" in text or "rosa" in text]
    assert "https://git.example.com/acme/a.git" in said[0]


# ---- verbs -------------------------------------------------------------------------------------


def test_status_tells_every_state_and_the_last_failures(campaign: Path) -> None:
    said = run("status", campaign).stdout
    assert [line.split()[0] for line in said.splitlines()[: len(State)]] == [state.value for state in State]
    assert "acme/plain: timeout: @risk acme/plain" in said
    assert "\u202e" not in said
    told = json.loads(run("status", campaign, "--format", "json").stdout)
    assert (told["version"], told["repositories"], told["states"]["failed"]) == (1, 3 + len(NAMES), len(NAMES))
    assert told["failures"][0]["repository"] == "acme/plain"


def test_show_tells_of_one_repository(campaign: Path) -> None:
    said = run("show", "hostile", campaign).stdout
    assert said.startswith("repos/hostile: planned\n")
    assert "s3-block-public-access: 1 fixed" in said
    assert "+  block_public_acls       = true" in said
    assert "pull request 7, merged" in run("show", "repos/clean", campaign).stdout
    failed = run("show", NAMES["plain"], campaign).stdout
    assert "plan: timeout: @risk acme/plain" in failed
    missing = run("show", "nowhere", campaign)
    assert (missing.exit_code, missing.stderr.count("\n")) == (2, 1)


def test_export_gives_every_row(campaign: Path) -> None:
    rows = [json.loads(line) for line in run("export", campaign).stdout.splitlines()]
    with sqlite3.connect(campaign.with_suffix(".journal")) as db:
        for table in ("campaign", "repository", "plan", "pull_request", "attempt", "event"):
            (number,) = db.execute(f"select count(*) from {table}").fetchone()  # noqa: S608
            assert sum(row["table"] == table for row in rows) == number > 0
    plan = next(row for row in rows if row["table"] == "plan" and row["proposal"])
    assert plan["proposal"]["commits"][0]["files"][0]["change"] == "modified"


@pytest.mark.parametrize("verb", ["report", "export", "status"])
def test_it_can_be_asked_while_it_works(verb: str, campaign: Path, tmp_path: Path) -> None:
    there = tmp_path / "wave.toml"
    shutil.copy(campaign, there)
    shutil.copy(campaign.with_suffix(".journal"), tmp_path)
    with Journal(tmp_path / "wave.journal") as journal:
        journal.add([found(99, "acme/new")])
        assert run(verb, there).exit_code == 0
    assert verb != "report" or "acme/new" in (tmp_path / "wave-report/report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", ["report", "export", "status"])
def test_without_a_journal_a_line_says_so(verb: str, tmp_path: Path) -> None:
    result = run(verb, tmp_path / "none.toml")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "there is no such journal" in result.stderr


@pytest.mark.parametrize("verb", ["report", "export"])
def test_a_plan_that_cannot_be_read_is_one_line(verb: str, campaign: Path, tmp_path: Path) -> None:
    journal = tmp_path / "broken.journal"
    shutil.copy(campaign.with_suffix(".journal"), journal)
    with sqlite3.connect(journal) as db:
        db.execute("update plan set proposal = 'no' where proposal is not null")
    result = run(verb, campaign, "--journal", journal)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "can't be read" in result.stderr


# ---- the manual --------------------------------------------------------------------------------

ROOT = Path(__file__).parents[1]
MANUAL = (ROOT / "docs/migrate.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The manual's first block of code in the language."""
    return MANUAL.partition(f"```{language}\n")[2].partition("```")[0]


def test_the_manual_has_the_file_that_init_writes() -> None:
    assert block("toml") == template("wave")


def test_the_manual_knows_all_verbs_states_and_classes_of_failures() -> None:
    group = main.commands["migrate"]
    assert isinstance(group, click.Group)
    verbs = re.findall(r"^\| `(\w+) ", MANUAL.partition("| verb |")[2].partition("\n\n")[0], re.MULTILINE)
    assert sorted(verbs) == sorted(group.commands)
    names = [*(state.value for state in State), *(kind.value for kind in Kind)]
    assert [name for name in names if f"`{name}`" not in MANUAL] == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a shell")
def test_the_demonstration_of_the_manual_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", "-euc", block("sh")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "planned           1" in done.stdout
    assert (tmp_path / "demo/demo-report/report.html").is_file()
    assert git(tmp_path / "demo/repos/shop", "status", "--porcelain") == ""


# ---- while it works ----------------------------------------------------------------------------


def planned_again(campaign: Path, tmp_path: Path, *flags: str, stderr: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fixer", "migrate", "plan", str(campaign), "--refresh", *flags]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    there = tmp_path / "copy.journal"
    shutil.copy(campaign.with_suffix(".journal"), there)
    command += ["--journal", str(there)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=environment)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize(("flags", "shown"), [((), True), (("--quiet",), False)])
def test_a_terminal_shows_how_it_goes_on(flags: tuple[str, ...], shown: bool, campaign: Path, tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = planned_again(campaign, tmp_path, *flags, stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 65536):
            said += piece
    except OSError:  # the other side was closed
        pass
    os.close(ours)
    process.communicate()
    assert (b"0 done" in said) is shown
    assert (b"timeout: @risk" in said) is shown
    assert b"\xe2\x80\xae" not in said


@pytest.mark.parametrize(
    ("done", "left", "seconds", "said"),
    [
        (0, 9, 0.0, "0 done; 9 left"),
        (30, 60, 60.0, "30 done, 30.0 a minute; 60 left, about 2 minutes"),
        (2, 1, 60.0, "2 done, 2.0 a minute; 1 left, about 30 seconds"),
        (1, 3000, 60.0, "1 done, 1.0 a minute; 3,000 left, about 50 h 0 min"),
        (5, 0, 10.0, "5 done, 30.0 a minute"),
    ],
)
def test_the_pace_and_the_time_left(done: int, left: int, seconds: float, said: str) -> None:
    assert pace(done, left, seconds) == said


def test_a_pipe_is_told_nothing_of_it(campaign: Path, tmp_path: Path) -> None:
    process = planned_again(campaign, tmp_path, stderr=subprocess.PIPE)
    out, err = process.communicate()
    assert (out, err) == (b"planned for 2\n", b"")


# ---- the page, in a browser --------------------------------------------------------------------

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        there = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield there
        there.close()


class Opened:
    """The page in a browser; nothing but it may be asked for, and nothing may be complained of."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.requests: list[str] = []
        self.answers: list[str] = []
        self.complaints: list[str] = []
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.on("request", lambda one: self.requests.append(one.url))
        self.page.on("response", lambda one: self.answers.append(one.url))
        self.page.on("console", lambda one: self.complaints.append(one.text))
        self.page.on("pageerror", lambda one: self.complaints.append(str(one)))
        self.page.goto(path.as_uri())
        self.only = [path.as_uri()]

    def shown(self) -> list[str]:
        return [name.strip() for name in self.page.locator("#list > li:visible .name").all_inner_texts()]

    def open_all(self) -> None:
        self.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        self.page.locator("pre:not([data-done])").first.wait_for(state="detached")


@pytest.fixture
def opened(browser: Any, directory: Path) -> Iterator[Opened]:
    there = Opened(browser, directory / "report.html")
    yield there
    there.context.close()
    assert there.requests == there.only
    assert there.complaints == []


@in_browser
def test_nothing_of_others_acts(opened: Opened) -> None:
    opened.open_all()
    page = opened.page
    assert page.evaluate("window.hacked") is None
    assert page.locator("img, b, iframe, #list script").count() == 0
    assert sorted(opened.shown())[0] == NAMES["formula"]
    assert NAMES["script"] in opened.shown()
    assert HOSTILE.strip() in page.locator("pre").first.inner_text()
    assert {link.split(":")[0] for link in page.eval_on_selector_all("main a", "all => all.map((a) => a.href)")} == {
        "https"
    }
    assert "\u202e" not in page.content()
    assert "\\u202e" in page.locator("pre").first.inner_text()


@in_browser
def test_the_policy_holds(browser: Any, directory: Path) -> None:
    there = Opened(browser, directory / "report.html")
    script = """() => new Promise((done) => {
      addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
      (MAKE)();
      setTimeout(() => done("nothing"), 5000);
    })"""
    wanted = {
        "() => document.body.append(Object.assign(document.createElement('script'), {text: 'hacked=1'}))": "script-src",
        "() => document.body.setAttribute('onclick', 'hacked = 1')": "script-src",
        "() => document.body.append(Object.assign(new Image(), {src: 'https://example.com/a.png'}))": "img-src",
        "() => document.body.setAttribute('style', 'color: red')": "style-src",
        "() => fetch('https://example.com').catch(() => 0)": "connect-src",
    }
    for make, directive in wanted.items():
        assert there.page.evaluate(script.replace("MAKE", make)).startswith(directive)
    assert there.page.evaluate("window.hacked") is None
    assert there.answers == there.only
    there.context.close()


@in_browser
def test_search_and_filters(opened: Opened) -> None:
    page = opened.page
    everything = opened.shown()
    assert len(everything) == 3 + len(NAMES)
    page.get_by_label("Search").fill("REPOS large")
    assert opened.shown() == ["repos/large"]
    assert page.get_by_role("status").inner_text() == "1 of 8 repositories"
    page.get_by_label("Search").fill("timeout")
    assert len(opened.shown()) == 3
    page.get_by_role("button", name="Show all").click()
    page.locator("#shown", has_text=re.compile("^8 of")).wait_for()
    page.get_by_label("merged").check()
    assert opened.shown() == ["repos/clean"]
    page.get_by_label("planned").check()
    assert opened.shown() == ["repos/clean", "repos/hostile", "repos/large"]
    page.locator("select").select_option("s3-block-public-access")
    assert opened.shown() == ["repos/hostile", "repos/large"]


@in_browser
def test_the_keyboard_is_enough(opened: Opened) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("hostile")
    assert opened.shown() == ["repos/hostile"]
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#list summary')"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.locator("#list > li:visible > details[open]").wait_for()
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent"))
    assert any(text.startswith("The diff: 1 file") for text in reached)


@in_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme: str, browser: Any, directory: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    there = Opened(browser, directory / "report.html", color_scheme=scheme)
    there.open_all()
    found = Axe().run(there.page).response["violations"]
    there.context.close()
    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found] == []


@in_browser
@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_does_not_scroll_sideways(width: int, browser: Any, directory: Path) -> None:
    there = Opened(browser, directory / "report.html", viewport={"width": width, "height": 800})
    there.open_all()
    assert there.page.evaluate("document.documentElement.scrollWidth") == width
    there.context.close()


@in_browser
def test_without_scripts_all_is_there(browser: Any, directory: Path) -> None:
    there = Opened(browser, directory / "report.html", java_script_enabled=False)
    assert there.page.locator("#list > li").count() == 3 + len(NAMES)
    assert there.page.get_by_role("status").inner_text() == "Search and filter need JavaScript; all else is here."
    assert there.page.locator("form").is_hidden()
    there.context.close()


@in_browser
def test_thousands_are_shown_some_at_a_time(browser: Any, tmp_path: Path) -> None:
    with Journal(tmp_path / "many.journal") as journal:
        journal.begin("many", "", "0")
        journal.add([found(number, f"acme/r{number:04}") for number in range(2000)])
    write(collect(tmp_path / "many.journal"), tmp_path)
    there = Opened(browser, tmp_path / "report.html")
    assert there.page.get_by_role("status").inner_text() == "2000 of 2000 repositories, the first 200 shown"
    there.page.get_by_role("button", name="Show more").press("Enter")
    assert len(there.shown()) == 400
    assert there.page.evaluate("document.activeElement.querySelector('.name').textContent") == "acme/r0200"
    there.page.get_by_label("Search").fill("r1999")
    assert there.shown() == ["acme/r1999"]
    there.context.close()
