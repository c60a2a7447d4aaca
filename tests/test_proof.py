"""The proofs that every change goes through catch a fix that is wrong, each in its own way."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fixer.engine import apply
from fixer.facts import CdkFacts, TerraformFacts
from fixer.model import Change, Create, Delete, Edit, Language
from fixer.project import Unit
from fixer.proof import prove

MODULE = b"""\
# The queue of orders.
resource "aws_sqs_queue" "orders" {
  name = "orders"

  tags = {
    Team = "shop"
  }
}

resource "aws_sqs_queue" "mail" {
  name = "mail"
}
"""
STACK = b"""\
from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs


class OrdersStack(Stack):
    def __init__(self, scope, construct_id):
        super().__init__(scope, construct_id)
        sqs.Queue(self, "Orders", fifo=True)
        sqs.Queue(self, "Mail")
"""


def flaw(name: str, source: bytes, *changes: Change) -> str | None:
    """What is wrong with changes to one file."""
    facts = CdkFacts() if name.endswith(".py") else TerraformFacts()
    unit = Unit(Language.CDK if name.endswith(".py") else Language.TERRAFORM, ".", (name,), facts)
    return prove(unit, {name: source}, apply(changes, {name: source})[0], changes)


def put(name: str, source: bytes, old: bytes, new: str) -> Edit:
    """The edit that puts text in the place of the only such bytes."""
    assert source.count(old) == 1
    start = source.index(old)
    return Edit(name, start, start + len(old), new)


def lied(name: str, source: bytes, old: bytes, new: bytes, *told: Edit) -> str | None:
    """What is wrong with a file that is changed in another way than its edits say."""
    facts = CdkFacts() if name.endswith(".py") else TerraformFacts()
    unit = Unit(Language.CDK if name.endswith(".py") else Language.TERRAFORM, ".", (name,), facts)
    assert old in source
    return prove(unit, {name: source}, {name: source.replace(old, new)}, told)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"orders"\n\n', '"orders-${var.suffix}"\n\n'),
        (b'"orders"\n\n', '"orders"\n\n  delay_seconds = 1\n\n'),
        (b'\n  tags = {\n    Team = "shop"\n  }\n', ""),
        (b'resource "aws_sqs_queue" "mail" {\n  name = "mail"\n}\n', ""),
        (b"# The queue of orders.\n", "# Queues.\n"),
    ],
)
def test_terraform_that_is_right(old: bytes, new: str) -> None:
    assert flaw("main.tf", MODULE, put("main.tf", MODULE, old, new)) is None


def test_files_that_come_and_go() -> None:
    assert flaw("main.tf", MODULE, Delete("main.tf"), Create("queues.tf", MODULE.decode())) is None
    assert flaw("main.tf", MODULE, Create("variables.tf", "variable {\n")) == "variables.tf: would not parse: " + (
        "line 2: syntax error"
    )


def test_terraform_that_would_not_parse() -> None:
    edit = put("main.tf", MODULE, b'"mail"\n}', '"mail"\n')
    assert flaw("main.tf", MODULE, edit) == "main.tf: would not parse: line 13: syntax error"


def test_what_a_module_would_declare_twice() -> None:
    sources = {"main.tf": MODULE, "data.tf": b'data "aws_region" "current" {}\n', "other.tf": b""}
    unit = Unit(Language.TERRAFORM, ".", tuple(sources), TerraformFacts())
    for name in ("current", "here"):
        change = Edit("main.tf", len(MODULE), len(MODULE), f'\ndata "aws_region" "{name}" {{}}\n')
        assert bool(prove(unit, sources, apply([change], sources)[0], [change])) is (name == "current")
    both = [Edit(one, 0, 0, 'data "aws_region" "here" {}\n') for one in ("main.tf", "other.tf")]
    problem = prove(unit, sources, apply(both, sources)[0], both)
    assert problem == "data.aws_region.here would be declared twice"


def test_an_edit_that_swallows_what_follows() -> None:
    edit = put("main.tf", MODULE, b'"orders"\n\n', '"orders"\n\n  /*')
    closed = MODULE.replace(b'name = "mail"', b'name = "mail" */ }\nresource "a" "b" {')
    assert flaw("main.tf", closed, edit) == "main.tf: resource.a.b would change outside of the edits"


def test_terraform_that_changes_where_no_edit_is() -> None:
    assert lied("main.tf", MODULE, b'"mail"\n', b'"post"\n', put("main.tf", MODULE, b'"shop"', '"shop"')) == (
        "main.tf: resource.aws_sqs_queue.mail.name would change outside of the edits"
    )


def test_what_python_hcl2_sees_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from fixer.proof import hcl

    monkeypatch.setattr(hcl, "_leaves", lambda path, source: ())
    edit = put("main.tf", MODULE, b'"shop"', '"store"')
    assert flaw("main.tf", MODULE, edit) == (
        "main.tf: resource.aws_sqs_queue.orders.tags would change, says python-hcl2, and no edit says so"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"fifo=True", "fifo=True, queue_name=construct_id"),
        (b'"Mail")', '"Mail", fifo=True)'),
        (b", fifo=True", ""),
        (b'"Mail")\n', '(\n            "Mail"\n        ))\n'),
        (b'        sqs.Queue(self, "Mail")', '        name = "mail"\n        sqs.Queue(self, name)'),
        (b'"Mail"', 'f"{construct_id}-{sqs}"'),
        (b"import aws_sqs as sqs", "import aws_sqs as sqs, aws_s3 as s3"),
        (b'sqs.Queue(self, "Mail")', "[each for each in (1, 2)]"),
    ],
)
def test_python_that_is_right(old: bytes, new: str) -> None:
    assert flaw("app.py", STACK, put("app.py", STACK, old, new)) is None


def test_an_edit_of_a_decorator() -> None:
    source = STACK.replace(b"class OrdersStack", b"@sqs.of(Stack.nothing)\nclass OrdersStack")
    assert flaw("app.py", source, put("app.py", source, b"nothing", "something")) is None
    message = lied("app.py", source, b'"Mail"', b'"Post"', put("app.py", source, b"nothing", "something"))
    assert message is not None
    assert message.endswith("would change outside of the edits")


def test_python_that_would_not_parse() -> None:
    message = flaw("app.py", STACK, put("app.py", STACK, b"fifo=True)", "fifo=True"))
    assert message is not None
    assert message.startswith("app.py: would not parse: ")


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        (b"fifo=True", "fifo=is_fifo", "is_fifo"),
        (b"fifo=True", "fifo=s3.IS_FIFO", "s3"),
        (b"        super()", "        print(later)\n        later = 1\n        super()", "later"),
        (b"fifo=True", "fifo=OrdersStack.fifo, x=[self for _ in y]", "y"),
    ],
)
def test_a_name_that_nothing_gives_a_meaning(old: bytes, new: str, name: str) -> None:
    assert flaw("app.py", STACK, put("app.py", STACK, old, new)) == f"app.py: nothing there is called {name}"


@pytest.mark.parametrize(
    ("old", "new"), [(b'"Mail"', b'"Post"'), (b"(self, scope, construct_id)", b"(self, scope, construct_id, more)")]
)
def test_python_that_changes_where_no_edit_is(old: bytes, new: bytes) -> None:
    told = put("app.py", STACK, b"fifo=True", "fifo=True")
    message = lied("app.py", STACK, old, new, told)
    assert message is not None
    assert message.endswith("would change outside of the edits")


def test_a_keyword_that_a_call_would_have_twice() -> None:
    edit = put("app.py", STACK, b"fifo=True", "fifo=True, fifo=False")
    assert flaw("app.py", STACK, edit) == "app.py: fifo would be given twice in a call"


def test_an_edit_that_changes_how_the_rest_is_read() -> None:
    edit = put(
        "app.py", STACK, b'        sqs.Queue(self, "Orders"', '        if scope:\n            sqs.Queue(self, "Orders"'
    )
    assert flaw("app.py", STACK, edit) is None
    swallowed = put("app.py", STACK, b"fifo=True)\n", 'fifo=True)\n        """')
    closed = STACK + b'        # """\n'
    assert flaw("app.py", closed, swallowed) == "app.py: the code on line 9 would change outside of the edits"


def test_nothing_of_it_is_imported_before_it_is_needed() -> None:
    program = (
        "import sys, fixer.run; print([name for name in ('hcl2', 'lark', 'fixer.proof.hcl') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
