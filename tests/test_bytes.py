"""Outside of its edits iacfix does not move a byte: generated Terraform modules and CDK stacks, repaired.

A file is made of pieces. Each says whose it is: by the name of a resource, the id of a construct, or nobody's. What
stands between the pieces of those that were fixed must be found in the result whole, byte for byte, and in order.
"""

from __future__ import annotations

import ast
import re
import stat
import tempfile
from dataclasses import dataclass
from itertools import cycle, groupby
from pathlib import Path

import hcl2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_codemods import RULES, content

from fixer import config as configuration
from fixer import project as projects
from fixer.cache import Cache
from fixer.model import Impact, Status
from fixer.result import Outcome, Result
from fixer.run import run
from fixer.write import write

BOM = b"\xef\xbb\xbf"
SHARED = "shared"
"""Owner of what any repair of the file may change: the imports, and the call after which the suffix is read."""

APPENDED_TO = {"variables.tf", "provider.tf"}
"""Files that new blocks are added to at the end."""


CHOSEN = (
    "dynamodb-point-in-time-recovery",
    "env-suffix-names",
    "log-group-retention",
    "providers-in-provider-file",
    "s3-block-public-access",
)
"""The rules whose findings the generated sources are made for."""


@dataclass(frozen=True)
class Piece:
    """Text with line feeds, and whose it is; nobody's if `owner` is empty."""

    text: str
    owner: str = ""


@dataclass(frozen=True)
class Generated:
    """A file: its pieces as bytes, with whose they are, and its mode."""

    pieces: list[tuple[bytes, str]]
    mode: int

    @property
    def source(self) -> bytes:
        return b"".join(data for data, _ in self.pieces)

    def stretches(self, touched: set[str]) -> list[bytes]:
        """What stands between the pieces of the touched owners."""
        runs = groupby(self.pieces, lambda piece: piece[1] in touched)
        return [b"".join(data for data, _ in run) for is_touched, run in runs if not is_touched]


@st.composite
def files(draw: st.DrawFn, pieces: list[Piece]) -> Generated:
    """The pieces with some line endings, with or without a byte order mark and a final line break, of some mode."""
    newlines = cycle(draw(st.sampled_from([["\n"], ["\r\n"], ["\n", "\r\n", "\r\n"]])))
    made = [(BOM, "")] if draw(st.booleans()) else []
    made += [(re.sub("\n", lambda _: next(newlines), piece.text).encode(), piece.owner) for piece in pieces]
    if made and draw(st.booleans()):
        made[-1] = (made[-1][0].rstrip(b"\r\n"), made[-1][1])
    return Generated(made, draw(st.sampled_from([0o644, 0o600, 0o755])))


# ---- what every repair keeps ---------------------------------------------------------------------


def repair(root: Path, impact: Impact, command: str = "apply") -> Result:
    project = projects.discover(root, [root])
    config = configuration.load(root, root, None)
    rules = [RULES[name] for name in CHOSEN]
    return run(project, rules, config, command=command, impact=impact, jobs=1, cache=Cache(None))


def named(finding: Outcome) -> str:
    """The name of the resource, or the construct's id: `x` of `aws_s3_bucket.x` and of `s3.Bucket "x"`."""
    return re.findall(r"\w+", finding.subject)[-1]


def parses(name: str, source: bytes) -> bool:
    try:
        if name.endswith(".py"):
            ast.parse(source)
        else:
            hcl2.loads(source.decode("utf-8-sig"))
    except Exception:
        return False
    return True


def assert_is_kept(project: dict[str, Generated], impact: Impact) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for name, file in project.items():
            (root / name).write_bytes(file.source)
            (root / name).chmod(file.mode)
        before = content(root)
        check, result = repair(root, impact, "check"), repair(root, impact)
        assert [str(error) for error in result.errors] == []
        assert not result.counts[Status.FAILED]
        write(root, result.files)
        after = content(root)

        assert {**before, **{one.path: one.after for one in result.files}} == {**dict.fromkeys(before), **after}
        assert all(one.before == before.get(one.path) for one in result.files)
        for finding in check.outcomes:
            alone = dict(before)
            for edit in sorted(finding.replacements, key=lambda one: (one.offset, one.length))[::-1]:
                source, end = alone[edit.path], edit.offset + edit.length
                alone[edit.path] = source[: edit.offset] + edit.text.encode() + source[end:]
            assert_untouched_is_kept(project, alone, {named(finding)})
        fixed = {named(one) for one in result.outcomes if one.status is Status.FIXED}
        assert (before != after) == bool(fixed)
        assert_untouched_is_kept(project, after, fixed)
        assert all(stat.S_IMODE((root / name).stat().st_mode) == file.mode for name, file in project.items())
        again = repair(root, impact)
        assert again.files == ()
        assert not again.counts[Status.FIXED]


def assert_untouched_is_kept(project: dict[str, Generated], after: dict[str, bytes], fixed: set[str]) -> None:
    for name, file in project.items():
        source, repaired, at = file.source, after[name], 0
        if repaired == source:
            continue
        for stretch in file.stretches({SHARED, *fixed}):
            found = repaired.find(stretch, at)
            assert found >= 0, f"{name}: lost or moved: {stretch!r}"
            at = found + len(stretch)
        breaks, now = (set(re.findall(rb"\r?\n", text)) for text in (source, repaired))
        assert now <= breaks or not breaks
        assert repaired.startswith(BOM) == source.startswith(BOM)
        assert repaired.count(BOM) == source.count(BOM)
        assert name in APPENDED_TO or repaired.endswith(b"\n") == source.endswith(b"\n")
        assert parses(name, repaired) or not parses(name, source)


# ---- Terraform -----------------------------------------------------------------------------------


def pick(*options: str) -> st.SearchStrategy[str]:
    return st.sampled_from(options)


TEXT = st.text(st.sampled_from("aé漢🎉 \t\"'`${}[]()=#/*\\%<,\x0b\x0c\x85\u2028EOT"), max_size=12) | pick(
    'resource "aws_s3_bucket" "no" {', "s3.Bucket(self, 'No')", '"""', "<<EOT", "}", "a = 1  "
)
BLANK = pick("\n", "\n\n", "  \n", "\t\n")
HCL_COMMENT = st.builds("{}{}\n".format, pick("#", "# ", "//", "  # ", "\t//"), TEXT) | st.builds(
    "/*{} \n {} */\n".format, *[TEXT.map(lambda text: text.replace("/", ""))] * 2
)
HCL_TAIL = pick("", "", "", "  ", "\t", " # é", " // no: }", " /* x */ ", "   # aligned")
LEFT_ALONE = pick(
    'locals {\n  text = <<EOT\nresource "aws_s3_bucket" "no" {\n  bucket = "no-${path.module}"   \n}\nEOT\n}\n',
    'output "o" { value = "} # %{ if true }resource{}%{ endif }" }\n',
    'data "aws_s3_bucket" "there" {\n\tbucket="elsewhere"\n}\n',
    "moved {\n  from = aws_sns_topic.a // é\n  to   =   aws_sns_topic.b\n}   \n",
)
ARGUMENTS = {
    "aws_s3_bucket": 'bucket = "NAME-data" | force_destroy = true | tags = {\n  "a b" = "c" # d\n  e = [1,\n2]\n}',
    "aws_s3_bucket_public_access_block": "block_public_acls = false | ignore_public_acls = true",
    "aws_dynamodb_table": 'name = "NAME-orders" | hash_key="id" | attribute {\n    name = "id" // k\n  type   = "S"\n}'
    " | point_in_time_recovery {\n  enabled = false # cheap\n} | point_in_time_recovery { enabled = true }"
    " | point_in_time_recovery {} | lifecycle {\n  ignore_changes = [read_capacity]\n}",
    "aws_cloudwatch_log_group": 'name = "/NAME/api" | retention_in_days = null | retention_in_days = 7 | count = 2',
    "aws_sqs_queue": 'name = "NAME.fifo" | fifo_queue = true | name = "NAME-${var.environment_suffix}"',
    "aws_iam_policy": 'name = "${var.team}-NAME" | policy = jsonencode({ a = "b"\n  c : [ ] })'
    ' | policy = <<-E\n  {"a": "arn:aws:s3:::other"}\n  resource "x" "y" {   \n  E',
}


def chosen(table: dict[str, str], kind: str) -> st.SearchStrategy[list[str]]:
    """Some of the arguments that the table has for the kind, none of them twice, in any order."""
    return st.lists(pick(*table[kind].split(" | ")), unique_by=lambda one: one.replace("=", " ").split()[0])


@st.composite
def providers(draw: st.DrawFn, name: str) -> list[Piece]:
    """A provider block, to which the comments and the blank lines around it belong, between other comments."""
    text = f'provider "{name}" {{\n  region="x"\n}}{draw(HCL_TAIL)}\n{draw(pick("", "  " + chr(10)))}'
    comments = "".join(draw(st.lists(HCL_COMMENT, max_size=2)))
    return [
        Piece(draw(HCL_COMMENT)[:-1] + draw(pick("", "  "))),
        Piece(f"\n\n{comments}{text}", name),
        Piece(draw(HCL_COMMENT)),
    ]


@st.composite
def blocks(draw: st.DrawFn, name: str) -> list[Piece]:
    """A resource or provider with arguments in any order and layout, and perhaps an output that holds its name."""
    kind = draw(pick(*ARGUMENTS, "provider"))
    if kind == "provider":
        return draw(providers(name))
    arguments = [one.replace("NAME", name) for one in draw(chosen(ARGUMENTS, kind))]
    if kind.endswith("access_block"):
        arguments.insert(draw(st.integers(0, len(arguments))), f"bucket = aws_s3_bucket.{name}.id")
    head = draw(pick('resource "{}" "{}" {{', "resource {} {} {{", 'resource  "{}"  "{}"{{')).format(kind, name)
    # A block on one line holds one argument at most, and no block.
    whole = "".join(arguments)
    if len(arguments) < 2 and "\n" not in whole and "{" not in whole.partition("=")[0] and draw(st.booleans()):
        body = draw(pick(" {} ", "{}")).format(*arguments or [""])
    else:
        indent = draw(pick("", "  ", "    ", "\t", "   "))
        body = f"{draw(HCL_TAIL)}\n"
        for one in arguments:
            spaced = one.replace(" = ", draw(pick(" = ", "=", "   =  ", "\t= ")), 1).replace("\n", f"\n{indent}")
            between, tail = draw(st.just("") | BLANK | HCL_COMMENT), "" if "<<" in one else draw(HCL_TAIL)
            body += f"{between}{indent}{spaced}{tail}\n"
    made = [Piece(f"{head}{body}}}{draw(HCL_TAIL)}\n", name)]
    if kind == "aws_s3_bucket" and f'"{name}-data"' in body and draw(st.booleans()):
        made.append(Piece(f'output "{name}" {{\n  value="a/{name}-data"\n}}\n', name))
    return made


@st.composite
def modules(draw: st.DrawFn) -> dict[str, Generated]:
    """A `main.tf` of blocks between noise, and perhaps the files that new blocks go to."""
    noise = st.lists((BLANK | HCL_COMMENT | LEFT_ALONE).map(Piece), max_size=3)
    pieces = draw(noise)
    for number in range(draw(st.integers(1, 4))):
        pieces += [*draw(blocks(f"n{number}")), *draw(noise)]
    if draw(st.booleans()):
        pieces += draw(providers("last"))[:-1]
    made = {"main.tf": draw(files(pieces))}
    for name in draw(st.sets(st.sampled_from(sorted(APPENDED_TO)))):
        others = [Piece("# top\n"), *draw(noise)] if draw(st.booleans()) else []
        made[name] = draw(files(others))
    return made


@pytest.mark.parametrize("impact", [Impact.BEHAVIOR, Impact.REPLACEMENT], ids=str)
@given(project=modules())
def test_terraform(impact: Impact, project: dict[str, Generated]) -> None:
    assert_is_kept(project, impact)


# ---- CDK Python ----------------------------------------------------------------------------------

PY_COMMENT = st.builds("{}#{}\n".format, pick("", "  ", "        "), TEXT)
PY_NOISE = (BLANK | PY_COMMENT) | pick(
    "INx = '''\n  s3.Bucket(self, 'No', bucket_name=\"no\")   \n\t# é\n'''\n",
    'INy = [ 1,2 ,\n   # s3.Bucket(self, "No")\n  3]   \n',
    'INif scope: print( f"{scope}" ) ;  z=1\n',
    "INdef made( a,\n\n  b = lambda a : {'b' :a }):\nIN  return  a\t\n",
)
MODULES = ["aws_s3", "aws_dynamodb", "aws_logs", "aws_sqs"]
SHORT = [f"{name} as {name.removeprefix('aws_')}" for name in MODULES]
IMPORTS = [
    ("", f"from aws_cdk import Stack\nfrom aws_cdk import {','.join(SHORT)}\n"),
    ("", f"from aws_cdk import (Stack , # é\n {', '.join(SHORT)} ,)   \n"),
    ("", f"from aws_cdk import (\n    Stack,\n    {f',{chr(10)}    '.join(SHORT)},\n)\n"),
    ("aws_", f"from aws_cdk import {', '.join(MODULES)}, Stack # all\n"),
    ("cdk.aws_", "import os, aws_cdk as cdk;  Stack = cdk.Stack\n"),
]
KEYWORDS = {
    "s3.Bucket": 'bucket_name="NAME-data" | versioned=True | enforce_ssl = True'
    " | block_public_access=PREs3.BlockPublicAccess.BLOCK_ACLS",
    "dynamodb.Table": 'table_name="NAME-orders" | point_in_time_recovery=True | point_in_time_recovery = False'
    ' | partition_key=PREdynamodb.Attribute(name="id", type=PREdynamodb.AttributeType.STRING) | read_capacity=(\n  5)',
    "logs.LogGroup": 'log_group_name="/NAME/" + "api" | retention=None | retention=PRElogs.RetentionDays.ONE_DAY',
    "sqs.Queue": "queue_name='NAME.fifo' | fifo=True | queue_name=f'NAME-{self.region}' "
    "| queue_name='NAME-{}'.format( 1 )",
}


@st.composite
def calls(draw: st.DrawFn, name: str, prefix: str, indent: str) -> list[Piece]:
    """A statement that makes a construct, with arguments in any order and layout; perhaps one that holds its name."""
    kind = draw(pick(*KEYWORDS))
    options = [one.replace("NAME", name).replace("PRE", prefix) for one in draw(chosen(KEYWORDS, kind))]
    items, last = ["self", f'"{name}"', *options], len(options) + 1
    target = draw(pick("", f"{name} = ", f"self.{name}=", f"{name}: object = ", "a=1; ", "if scope: "))
    head = f"{indent}{target}{prefix}{kind}("
    if draw(st.booleans()):
        text = ", ".join(items) + draw(pick("", ",", " ", " , "))
    else:
        step = draw(pick(f"{indent}    ", f"{indent}  ", f"{indent}\t", " " * len(head)))
        text = "" if len(step) == len(head) else f"\n{step}"
        for number, one in enumerate(items):
            comma = "," if number < last or draw(st.booleans()) else ""
            between = draw(st.just("") | BLANK | PY_COMMENT)
            text += f"{one}{comma}{draw(pick('', '', '  ', '  # é: )'))}\n{between}{step if number < last else indent}"
    statement = Piece(f"{head}{text}){draw(pick('', '', '  ', '  # é', ';', ' ; b = 0 # no'))}\n", name)
    return [statement, *draw(st.sampled_from([[], [Piece(f"{indent}print(f\"{name}\" , '{name}-data')\n", name)]]))]


@st.composite
def stacks(draw: st.DrawFn) -> dict[str, Generated]:
    """A stack whose constructs stand in `__init__`, in branches, in functions in it, and in another method."""
    unit = draw(pick("    ", "  ", "\t", " "))
    prefix, imports = draw(st.sampled_from(IMPORTS))
    pieces = [
        Piece(draw(pick("", "#!/usr/bin/env python3\n", '"""Text,  \n\n  s3.Bucket().\n"""\n'))),
        Piece(imports, SHARED),
        *map(Piece, draw(st.lists(BLANK | PY_COMMENT, max_size=2))),
        Piece(f"class A( Stack ):\n{unit}def __init__(self, scope, id, **kwargs):\n"),
        Piece(f"{unit * 2}super().__init__(scope, id, **kwargs)\n", SHARED),
    ]
    inner = draw(st.lists(pick("if scope :", "def f( ) :", "for _ in 'a' , :", "with a : # é"), max_size=1))
    method = draw(st.sampled_from([[], [f"\n\n{unit}def more(self, scope=None) :\n"]]))
    depths = [("", 2), *((f"{unit * 2}{one}\n", 3) for one in inner), *((one, 2) for one in method)]
    for number, (opening, depth) in enumerate(depths):
        pieces.append(Piece(opening))
        for name in [f"n{number}", f"m{number}"][: draw(st.integers(1, 2))]:
            pieces += [Piece(one.replace("IN", unit * depth)) for one in draw(st.lists(PY_NOISE, max_size=2))]
            pieces += draw(calls(name, prefix, unit * depth))
    return {"stack.py": draw(files(pieces))}


@pytest.mark.parametrize("impact", [Impact.BEHAVIOR, Impact.REPLACEMENT], ids=str)
@given(project=stacks())
def test_cdk(impact: Impact, project: dict[str, Generated]) -> None:
    assert_is_kept(project, impact)
