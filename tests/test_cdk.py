"""The CDK vocabulary: what it recognises, what it knows of values, and that its edits change what they say alone."""

from __future__ import annotations

import ast
import keyword
import re
import subprocess
import sys
from itertools import pairwise
from textwrap import dedent

import black
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

from fixer.cdk import Call, CdkApp, CdkFile, Construct, load
from fixer.cdk.companion import free_name
from fixer.cdk.context import reads
from fixer.cdk.effects import acting
from fixer.cdk.functions import is_named_for
from fixer.cdk.layout import end_of_line, fold, longest_line, start_of_line
from fixer.cdk.outline import gives_value
from fixer.cdk.signatures import Function, functions, type_names
from fixer.cdk.tree import Tree
from fixer.facts import CdkFacts
from fixer.model import Absent, Edit, Impact, Known, Language, Manual, Rule, SourceError, Symbol, Unknown

PATH = "app/stack.py"


def app_of(sources: dict[str, str]) -> CdkApp:
    return load(CdkFacts("app"), {f"app/{name}.py": text.encode() for name, text in sources.items()})


def file_of(source: str | bytes) -> CdkFile:
    data = source if isinstance(source, bytes) else source.encode()
    app = load(CdkFacts("app"), {PATH: data})
    assert app.errors == []
    return next(app.files())


def bucket_of(call: str, *, before: str = "", base: str = "from aws_cdk import aws_s3 as s3\n") -> Construct:
    """The only bucket of a file."""
    (found,) = file_of(f"{base}{before}{call}\n").constructs("aws_s3.Bucket")
    return found


def applied(source: bytes, edits: tuple[Edit, ...]) -> bytes:
    places = sorted(edits)
    assert all(one.end <= other.start for one, other in pairwise(places))
    for edit in reversed(places):
        source = source[: edit.start] + edit.text.encode() + source[edit.end :]
    return source


def changed(call: Call, edits: tuple[Edit, ...] | None) -> str:
    """The source after the edits, from the line of the import on."""
    assert edits is not None
    return applied(call.file.source, edits).decode()


# ---- names -------------------------------------------------------------------------------------

STYLES = {
    "module alias": ("from aws_cdk import aws_s3 as s3", "s3.Bucket"),
    "module": ("from aws_cdk import aws_s3", "aws_s3.Bucket"),
    "root alias": ("import aws_cdk as cdk", "cdk.aws_s3.Bucket"),
    "root": ("import aws_cdk", "aws_cdk.aws_s3.Bucket"),
    "class": ("from aws_cdk.aws_s3 import Bucket", "Bucket"),
    "class alias": ("from aws_cdk.aws_s3 import Bucket as B", "B"),
    "dotted alias": ("import aws_cdk.aws_s3 as s3", "s3.Bucket"),
    "dotted": ("import aws_cdk.aws_s3", "aws_cdk.aws_s3.Bucket"),
    "core is the alias of version 2": ("import aws_cdk as core", "core.aws_s3.Bucket"),
    "version 1": ("from aws_cdk import core, aws_s3", "aws_s3.Bucket"),
    "try": ("try:\n    from aws_cdk import aws_s3 as s3\nexcept ImportError:\n    s3 = None", "s3.Bucket"),
    "alias of the class": ("from aws_cdk import aws_s3\nBucket = aws_s3.Bucket", "Bucket"),
    "alias of the alias": ("import aws_cdk as cdk\ns3 = cdk.aws_s3\nB = s3.Bucket", "B"),
    "parenthesised list": ("from aws_cdk import (\n    Stack,\n    aws_s3 as s3,\n)", "s3.Bucket"),
}


@pytest.mark.parametrize(("imports", "spelled"), STYLES.values(), ids=STYLES)
def test_import_styles(imports: str, spelled: str) -> None:
    file = file_of(f'{imports}\n\n\ndef make(scope):\n    data = {spelled}(scope, "Data", versioned=True)\n')
    (bucket,) = file.constructs("aws_s3.Bucket")
    assert (bucket.name, bucket.id, bucket.scope_text, bucket.target) == ("aws_s3.Bucket", "Data", "scope", "data")
    assert bucket.value("versioned") == Known(True)
    assert list(file.constructs("aws_s3.CfnBucket")) == []
    assert file.qualified(bucket.node.func) == "aws_s3.Bucket"
    assert (bucket.function, bucket.class_name) == ("make", None)


@pytest.mark.parametrize(
    "source",
    [
        "from aws_cdk.aws_s3 import *\nBucket(self, 'x')",
        "from boto import s3\nimport aws_cdk\ns3.Bucket(self, 'x')",
        "from aws_cdk import aws_s3 as s3\ndef f(s3):\n    s3.Bucket(self, 'x')",
        "from aws_cdk import aws_s3 as s3\ndef f():\n    s3 = boto3.resource('s3')\n    s3.Bucket('x')",
        "import aws_cdk\ndef f():\n    from aws_cdk import aws_s3 as s3\ndef g():\n    s3.Bucket(self, 'x')",
        "from aws_cdk import aws_s3 as s3\n[s3.Bucket(self, 'x') for s3 in modules]",
        "from aws_cdk import aws_s3 as s3\n(lambda s3: s3.Bucket(self, 'x'))(1)",
        "from aws_cdk import aws_s3 as s3\ns3.Bucket.from_bucket_name(self, 'x', 'y')",
        "from aws_cdk import aws_s3\n# aws_s3.Bucket(self, 'x')",
    ],
)
def test_other_things_are_not_buckets(source: str) -> None:
    assert list(file_of(source + "\n").constructs("aws_s3.Bucket")) == []


def test_an_import_in_the_function_counts_there() -> None:
    assert bucket_of("def f():\n    from aws_cdk import aws_s3 as s\n    s.Bucket(self, 'x')", base="").id == "x"


@pytest.mark.parametrize(
    ("imports", "is_v1"),
    [
        ("from aws_cdk import core", True),
        ("from aws_cdk.core import Stack", True),
        ("import aws_cdk.core as cdk", True),
        ("import aws_cdk as core", False),
        ("from aws_cdk import Stack", False),
    ],
)
def test_version_1_is_told_by_its_imports(imports: str, is_v1: bool) -> None:
    assert file_of(f"{imports}\n").is_v1 is is_v1


def test_names_of_version_1_lose_core() -> None:
    file = file_of("from aws_cdk import core\ncore.Stack(app, 'x')\ncore.Duration.days(3)\n")
    assert [each.name for each in file.constructs("Stack")] == ["Stack"]
    assert len(list(file.calls("Duration.days"))) == 1


def test_all_constructs_are_told_from_other_calls() -> None:
    file = file_of(
        dedent("""\
        from aws_cdk import App, Duration, Stack, aws_s3 as s3, aws_lambda as lambda_
        app = App()
        stack = Stack(app)
        s3.LifecycleRule(enabled=True)
        Duration.days(3)
        lambda_.Function(scope=stack, id="Fn", code=lambda_.Code.from_asset("x"))
        """)
    )
    assert [each.name for each in file.constructs()] == ["Stack", "aws_lambda.Function"]
    assert [each.id for each in file.constructs("aws_lambda.Function")] == ["Fn"]


def test_methods_are_found_by_name_with_their_receiver() -> None:
    file = file_of("import aws_cdk\nself.data.grant_public_access('x', a=1)\nf(1).grant_public_access()\n")
    assert [file.receiver(each) for each in file.methods("grant_public_access")] == ["self.data", "f(1)"]
    assert [each.value("a") for each in file.methods("grant_public_access")] == [Known(1), Absent]


# ---- the app -----------------------------------------------------------------------------------


def test_names_that_are_read() -> None:
    source = """
    import aws_cdk as cdk
    from aws_cdk import aws_s3 as s3
    from aws_cdk.aws_logs import RetentionDays


    def days(wanted: s3.IBucket, s3=None):
        return s3.Bucket


    class Shop(cdk.Stack):
        bucket = s3.Bucket(cdk.App(), "Data", encryption=s3.BucketEncryption.S3_MANAGED.value)
        days = RetentionDays.ONE_DAY
        other = bucket.RetentionDays
    """
    found = file_of(dedent(source)).references
    assert [(one.name, one.line) for one in found] == [
        ("aws_s3.IBucket", 7),
        ("Stack", 11),
        ("aws_s3.Bucket", 12),
        ("App", 12),
        ("aws_s3.BucketEncryption.S3_MANAGED.value", 12),
        ("aws_logs.RetentionDays.ONE_DAY", 13),
    ]
    bucket, encryption = found[2], found[4]
    assert bucket.called
    assert encryption.called is None
    part = encryption.part("aws_s3.BucketEncryption.S3_MANAGED")
    assert part
    assert part.text == "s3.BucketEncryption.S3_MANAGED"
    assert applied(part.file.source, part.rename("KMS")).count(b"s3.BucketEncryption.KMS.value") == 1
    assert encryption.part("aws_s3") is not None
    days = found[5].part("aws_logs.RetentionDays")
    assert days
    assert days.part("aws_logs") is None, "the import does not write it out there"
    with pytest.raises(KeyError):
        days.rename("Days")


def test_calls_of_names_and_of_methods_are_told_apart() -> None:
    file = file_of("import aws_cdk as cdk\napp = cdk.App()\ncdk.Duration.days(1)\napp.synth()\nprint(app.node.id())\n")
    assert [call.name for call in file.calls()] == ["App", "Duration.days"]
    assert [call.name for call in file.calls("Duration.days", "Stack")] == ["Duration.days"]
    assert [(call.name, file.receiver(call)) for call in file.method_calls] == [("synth", "app"), ("id", "app.node")]


def test_subclasses_are_followed_through_files() -> None:
    app = app_of(
        {
            "base": "from aws_cdk import aws_s3\nclass Base(aws_s3.Bucket):\n    def __init__(self, scope, id, **kw):\n"
            "        super().__init__(scope, id, versioned=True, **kw)\n",
            "lib/__init__": "from .middle import Middle\n",
            "lib/middle": "from base import Base\nclass Middle(Base):\n    pass\n",
            "stack": "from lib import Middle\nMiddle(scope, 'Data')\n",
            "plain": "def handler(event, context): ...\n",
        }
    )
    assert app.subclasses == {"Base": "aws_s3.Bucket", "Middle": "aws_s3.Bucket"}
    files = {file.path: file for file in app.files()}
    assert "app/plain.py" not in files
    (inner,) = files["app/base.py"].constructs("aws_s3.Bucket")
    assert (inner.is_super, inner.subclass, inner.value("versioned")) == (True, "Base", Known(True))
    assert list(files["app/stack.py"].constructs("aws_s3.Bucket")) == []
    (outer,) = files["app/stack.py"].constructs("aws_s3.Bucket", include_subclass_calls=True)
    assert (outer.subclass, outer.id, outer.is_super) == ("Middle", "Data", False)


def test_a_subclass_without_init_leaves_the_arguments_to_its_calls() -> None:
    app = app_of(
        {"a": "from aws_cdk import aws_s3\nclass B(aws_s3.Bucket):\n    x = 1\n\nB(self, 'x', versioned=True)\n"}
    )
    (found,) = next(app.files()).constructs("aws_s3.Bucket")
    assert (found.subclass, found.value("versioned")) == ("B", Known(True))


def test_super_init_of_a_class_below_another_of_the_app_is_no_construct() -> None:
    init = "    def __init__(self, scope, id):\n        {}\n"
    app = app_of(
        {
            "a": "from aws_cdk import aws_s3\nclass A(aws_s3.Bucket):\n"
            + init.format("aws_s3.Bucket.__init__(self, scope, id, versioned=True)")
            + "class B(A):\n"
            + init.format("super().__init__(scope, id)")
        }
    )
    (found,) = next(app.files()).constructs("aws_s3.Bucket")
    assert (found.subclass, found.scope_text, found.value("versioned")) == ("A", "scope", Known(True))


def test_what_cannot_be_read_is_an_error_and_the_rest_is_read() -> None:
    app = load(
        CdkFacts(),
        {
            "latin.py": b"import aws_cdk  # \xe9\n",
            "cookie.py": b"# coding: latin-1\nimport aws_cdk  # \xe9\n",
            "nul.py": b"import aws_cdk\0\n",
            "syntax.py": b"import aws_cdk\n\nx = (\n",
            "other.py": b"print 'python 2'\n",
            "good.py": b"\xef\xbb\xbfimport aws_cdk\naws_cdk.Stack(app, '\xc3\xa9')\n",
        },
    )
    errors = dict(app.errors)
    assert sorted(errors) == ["cookie.py", "latin.py", "nul.py", "syntax.py"]
    assert "line 3" in errors["syntax.py"]
    assert "UTF-8" in errors["latin.py"]
    assert [[each.id for each in file.constructs("Stack")] for file in app.files()] == [["é"]]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("\x0cimport aws_cdk\n", "has a form feed in a place where LibCST loses it"),
        ("import aws_cdk\nx = 1\ry = 2\n", "has a carriage return without a line feed (line 2)"),
        ("import aws_cdk\n\x0c\nx = 1\r\ny = '\u2028'", None),
        ("\ufeffimport aws_cdk\r\n\r\n", None),
        ("\n# \x0c\nimport aws_cdk  # x", None),
    ],
)
def test_a_file_in_which_places_would_be_wrong_is_an_error(source: str, message: str | None) -> None:
    data = source.encode()
    if message is None:
        assert Tree(data).scope.bindings
        return
    with pytest.raises(SourceError, match=re.escape(message)):
        Tree(data)


def test_deep_nesting_is_an_error_of_the_file() -> None:
    app = load(CdkFacts(), {"deep.py": b"import aws_cdk\nx = " + b"-" * 100_000 + b"1\n"})
    assert [path for path, _ in app.errors] == ["deep.py"]
    assert list(app.files()) == []


def test_libcst_stays_out_until_a_file_needs_it() -> None:
    script = (
        "import sys; from fixer.cdk import load; from fixer.facts import CdkFacts\n"
        "app = load(CdkFacts(), {'a.py': b'from aws_cdk import aws_s3\\naws_s3.Bucket(self, \"x\")\\n'})\n"
        "print([list(f.constructs('aws_sqs.Queue')) for f in app.files()], 'libcst' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[[]] False"


def test_spans_are_those_of_libcst() -> None:
    file = file_of('import aws_cdk\n\n\ndef f(é, *a):\n\tx = ("ü"  # ß\n\t   "b")\n\n\treturn [é, (x)]\n')
    expected = MetadataWrapper(file.module, unsafe_skip_copy=True).resolve(ByteSpanPositionProvider)
    for node, span in expected.items():
        if node is not file.module:
            assert file.tree.span(node) == (span.start, span.start + span.length)


def test_comments_come_with_their_bytes() -> None:
    source = "# é\nimport aws_cdk  # two\nx = '# no'\n"
    found = file_of(source).comments()
    assert [text for _, _, text in found] == ["# é", "# two"]
    assert all(source.encode()[start:end].decode() == text for start, end, text in found)


TWICE = Unknown("is set from the variable `NAME`, which is assigned more than once")

# ---- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ("", "True", Known(True)),
        ("", "-3", Known(-3)),
        ("", "None", Absent),
        ("", "'a' 'b'", Known("ab")),
        ("", "(\n    1.5\n)", Known(1.5)),
        ("", "[1, {'a': False}]", Known([1, {"a": False}])),
        ("", "s3.BlockPublicAccess.BLOCK_ALL", Known(Symbol("aws_s3.BlockPublicAccess.BLOCK_ALL"))),
        ("ALL = s3.BlockPublicAccess.BLOCK_ALL\n", "ALL", Known(Symbol("aws_s3.BlockPublicAccess.BLOCK_ALL"))),
        ("NAME = 'x'\n", "NAME", Known("x")),
        (
            "NAME = 'x'\nNAME = 'y'\n",
            "NAME",
            TWICE,
        ),
        ("NAME = 1\nNAME += 1\n", "NAME", TWICE),
        ("x = []\nx.append(1)\n", "x", Unknown("is set from the variable `x`, which is changed elsewhere")),
        ("", "a if b else c", Unknown("depends on a condition")),
        ("", "f'{x}'", Unknown("is an f-string")),
        ("", "make()", Unknown("is the result of a call")),
        ("", "s3.Foo.bar(3)", Unknown("is the result of aws_s3.Foo.bar(...)")),
        ("", "[*x]", Unknown("is a list that unpacks another")),
        ("", "os.environ", Unknown("is set from `os.environ`")),
        ("", "(y := 3)", Known(3)),
    ],
)
def test_values(before: str, text: str, expected: object) -> None:
    assert bucket_of(f"s3.Bucket(self, 'x', k={text})", before=before).value("k") == expected


@pytest.mark.parametrize(
    ("before", "splat", "expected"),
    [
        ("", "**{'k': 1}", Known(1)),
        ("", "**{'other': 1}", Absent),
        ("", "**{'other': 1, **more}", Unknown("may be set in the dict that it unpacks")),
        ("props = {'k': 1}\n", "**props", Known(1)),
        ("props = dict(k=1)\n", "**props", Unknown("may be set in **props")),
        ("props = {'a': 1}\nprops['k'] = 2\n", "**props", Unknown("may be set in **props, which is changed elsewhere")),
        ("props = {'k': 1}\nf(**props)\n", "**props", Unknown("is set in `props`, which other code uses too")),
        ("props = {'a': 1}\nf(**props)\n", "**props", Absent),
        ("", "**kwargs", Unknown("may be set in **kwargs")),
    ],
)
def test_splats_are_looked_into(before: str, splat: str, expected: object) -> None:
    bucket = bucket_of(f"s3.Bucket(self, 'x', {splat})", before=before)
    assert bucket.value("k") == expected
    assert bucket.has_splat


def test_values_of_classes_and_parameters() -> None:
    file = file_of(
        dedent("""\
        from aws_cdk import Stack, aws_s3 as s3
        class S(Stack):
            DAYS = 3
            def __init__(self, scope, id, days, **kw):
                self.size = 4
                s3.Bucket(self, "x", a=self.DAYS, b=self.size, c=days, d=S.DAYS, e=self.other)
        """)
    )
    (bucket,) = file.constructs("aws_s3.Bucket")
    values = [bucket.value(name) for name in "abcde"]
    assert values == [
        Known(3),
        Known(4),
        Unknown("is set from the parameter `days`"),
        Known(3),
        Unknown("is set from `self.other`"),
    ]
    assert bucket.class_name == "S"


# ---- what happens later ------------------------------------------------------------------------


def test_overrides_and_acknowledgements_belong_to_their_construct() -> None:
    file = file_of(
        dedent("""\
        from typing import cast
        from aws_cdk import Stack, aws_s3 as s3
        from cdk_nag import NagSuppressions, NagPackSuppression
        class S(Stack):
            def __init__(self, scope, id):
                super().__init__(scope, id)
                self.a = s3.Bucket(self, "A")
                cfn = cast(s3.CfnBucket, self.a.node.default_child)
                cfn.add_property_override("VersioningConfiguration.Status", "Enabled")
                cfn.bucket_encryption = 1
                b = s3.CfnBucket(self, "B")
                b.logging_configuration = 2
                b.add_override(path, 3)
                NagSuppressions.add_resource_suppressions(
                    self.a, [{"id": "AwsSolutions-S1", "reason": "x"}, NagPackSuppression(id="AwsSolutions-S2")]
                )
                NagSuppressions.add_resource_suppressions(construct=[b], suppressions=LIST)
            def other(self):
                b = s3.CfnBucket(self, "C")
        LIST = [{"id": "AwsSolutions-S10"}]
        """)
    )
    (a,) = file.constructs("aws_s3.Bucket")
    b, c = file.constructs("aws_s3.CfnBucket")
    assert (a.target, b.target, c.target) == ("self.a", "b", "b")
    assert a.overrides == ("bucket_encryption", "VersioningConfiguration.Status")
    assert a.overridden("versioning_configuration")
    assert not a.overridden("logging_configuration")
    assert b.overrides == ("logging_configuration", "*")
    assert b.overridden("anything")
    assert (a.nag, b.nag) == (frozenset({"AwsSolutions-S1", "AwsSolutions-S2"}), frozenset({"AwsSolutions-S10"}))
    assert (c.overrides, c.nag) == ((), frozenset())


# ---- edits of arguments ------------------------------------------------------------------------

ONE = "s3.Bucket(self, 'x', a=1, b=2)"
HUNG = "s3.Bucket(self, 'x',\n    a=1,  # one\n    b=2)"
BLACK = 's3.Bucket(\n    self,\n    "x",\n    a=1,  # one\n    # above\n    b=2,  # two\n)'
OPEN = "s3.Bucket(\n    self,\n    'x',\n    a=1,\n    b=2  # two\n)"
SPLAT = "s3.Bucket(\n    self,\n    'x',\n    **props,\n)"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ONE, "s3.Bucket(self, 'x', a=1, b=2, z=9)"),
        (HUNG, "s3.Bucket(self, 'x',\n    a=1,  # one\n    b=2,\n    z=9)"),
        (BLACK, 's3.Bucket(\n    self,\n    "x",\n    a=1,  # one\n    # above\n    b=2,  # two\n    z=9,\n)'),
        (OPEN, "s3.Bucket(\n    self,\n    'x',\n    a=1,\n    b=2,  # two\n    z=9\n)"),
        (SPLAT, "s3.Bucket(\n    self,\n    'x',\n    z=9,\n    **props,\n)"),
        ("s3.Bucket(**props)", "s3.Bucket(z=9, **props)"),
        ("s3.Bucket(*args, **props)", "s3.Bucket(*args, z=9, **props)"),
        ("s3.Bucket()", "s3.Bucket(z=9)"),
        ("s3.Bucket(\n)", "s3.Bucket(\n    z=9,\n)"),
        ("s3.Bucket(self, 'x',)", "s3.Bucket(self, 'x', z=9,)"),
        ("s3.Bucket( self, 'x' )", "s3.Bucket( self, 'x', z=9 )"),
        ("s3.Bucket(self, \\\n    'x')", "s3.Bucket(self, \\\n    'x',\n    z=9)"),
        ("s3.Bucket(\n\tself,\n\t'x'\n)", "s3.Bucket(\n\tself,\n\t'x',\n\tz=9\n)"),
        ("s3.Bucket(\n    self, 'x'\n    # last\n)", "s3.Bucket(\n    self, 'x', z=9\n    # last\n)"),
        ("s3.Bucket(self, a=lambda x, y: x)", "s3.Bucket(self, a=lambda x, y: x, z=9)"),
        ("s3.Bucket(x for x in y)", "s3.Bucket((x for x in y), z=9)"),
        ("s3.Bucket(self, z=(1\n    + 2), b=3)", "s3.Bucket(self, z=9, b=3)"),
        ("s3.Bucket(self, **{'z': 1})", "s3.Bucket(self, **{'z': 9})"),
        ("s3.Bucket(\r\n    self,\r\n    'x',\r\n)", "s3.Bucket(\r\n    self,\r\n    'x',\r\n    z=9,\r\n)"),
    ],
)
def test_set(before: str, after: str) -> None:
    base = "from aws_cdk import aws_s3 as s3" + ("\r\n" if "\r" in before else "\n")
    bucket = bucket_of(before, base=base)
    assert changed(bucket, bucket.set("z", "9")) == f"{base}{after}\n"


@pytest.mark.parametrize(
    ("before", "gone", "after"),
    [
        (ONE, "a", "s3.Bucket(self, 'x', b=2)"),
        (ONE, "b", "s3.Bucket(self, 'x', a=1)"),
        (ONE, "ab", "s3.Bucket(self, 'x')"),
        (HUNG, "a", "s3.Bucket(self, 'x',\n    b=2)"),
        (HUNG, "b", "s3.Bucket(self, 'x',\n    a=1  # one\n    )"),
        (BLACK, "a", 's3.Bucket(\n    self,\n    "x",\n    # above\n    b=2,  # two\n)'),
        (BLACK, "b", 's3.Bucket(\n    self,\n    "x",\n    a=1,  # one\n    # above\n)'),
        (OPEN, "b", "s3.Bucket(\n    self,\n    'x',\n    a=1\n)"),
        (OPEN, "ab", "s3.Bucket(\n    self,\n    'x'\n)"),
        ("s3.Bucket(\n    a=1,\n    b=2,\n)", "ab", "s3.Bucket()"),
        ("s3.Bucket(a=1)", "a", "s3.Bucket()"),
        ("s3.Bucket(a=1,\n    b=2)", "a", "s3.Bucket(\n    b=2)"),
        ("s3.Bucket(\n    self, a=1,\n    b={\n        1: 2,\n    },\n)", "b", "s3.Bucket(\n    self, a=1,\n)"),
        ("s3.Bucket(self, **{'a': 1, 'b': 2})", "a", "s3.Bucket(self, **{'b': 2})"),
        ("s3.Bucket(self, a=1, **props)", "a", "s3.Bucket(self, **props)"),
    ],
)
def test_remove(before: str, gone: str, after: str) -> None:
    bucket = bucket_of(before)
    assert changed(bucket, bucket.rewrite(remove=gone)) == f"from aws_cdk import aws_s3 as s3\n{after}\n"


def test_rename_and_replace_leave_the_rest() -> None:
    bucket = bucket_of("s3.Bucket(self, a = ( 1 ),  b=2)")
    head = "from aws_cdk import aws_s3 as s3\n"
    assert changed(bucket, bucket.rename("a", "long")) == head + "s3.Bucket(self, long = ( 1 ),  b=2)\n"
    assert changed(bucket, bucket.replace("a", "c", "f()")) == head + "s3.Bucket(self, c = f(),  b=2)\n"
    both = bucket.rewrite(set={"y": "8", "z": "9"}, remove=("b",), rename={"a": "c"})
    assert changed(bucket, both) == head + "s3.Bucket(self, c = ( 1 ),  y=8, z=9)\n"
    with pytest.raises(KeyError):
        bucket.remove("nothing")


@pytest.mark.parametrize(
    ("before", "keys", "after"),
    [
        ("tags=[]", (), "tags=[9]"),
        ("tags=[1, 2]", (), "tags=[1, 2, 9]"),
        ("tags=[\n    1,\n    2,  # two\n]", (), "tags=[\n    1,\n    2,  # two\n    9,\n]"),
        ("tags=[\n    f(\n        1,\n    )\n]", (), "tags=[\n    f(\n        1,\n    ),\n    9,\n]"),
        ("tags={'a': {'b': [(1)]}}", ("a", "b"), "tags={'a': {'b': [(1), 9]}}"),
        ("tags=(1, 2)", (), None),
        ("tags={'a': [1]}", ("b",), None),
        ("tags=names", (), None),
    ],
)
def test_a_list_gets_another_element(before: str, keys: tuple[str, ...], after: str | None) -> None:
    bucket = bucket_of(f"s3.Bucket({before})")
    edits = bucket.append("tags", "9", *keys)
    if after is None:
        assert edits is None
    else:
        assert changed(bucket, edits) == f"from aws_cdk import aws_s3 as s3\ns3.Bucket({after})\n"


def test_a_list_loses_an_element_in_the_same_breath() -> None:
    bucket = bucket_of("s3.Bucket(\n    tags=[\n        a,\n        b,\n    ],\n)")
    both = bucket.rewrite(set={"z": "9"}, drop={"tags": (0,)})
    assert changed(bucket, both).endswith("s3.Bucket(\n    tags=[\n        b,\n    ],\n    z=9,\n)\n")
    with pytest.raises(KeyError):
        bucket.rewrite(drop={"names": (0,)})


def test_a_part_of_the_innermost_call_is_replaced() -> None:
    bucket = bucket_of("s3.Bucket(name=f(g('a')))")
    inner = bucket.file.call_around(bucket.file.source.index(b"'a'"))
    assert inner is not None
    assert inner.text == "g('a')"
    start = bucket.file.source.index(b"'a'")
    assert changed(inner, inner.put("'b'", start, start + 3)).endswith("s3.Bucket(name=f(g('b')))\n")
    assert changed(inner, inner.put("h()")).endswith("s3.Bucket(name=f(h()))\n")
    assert bucket.file.call_around(0) is None


def test_an_entry_of_a_dict_that_only_this_call_uses_is_renamed_in_place() -> None:
    bucket = bucket_of("s3.Bucket(self, **props)", before='props = {"a": 1}\n')
    assert '{"new": 1}' in changed(bucket, bucket.rename("a", "new"))


def test_a_line_that_gets_too_long_is_opened() -> None:
    bucket = bucket_of('data = s3.Bucket(self, "Data", versioned=True)', before="\n")
    value = "s3.BlockPublicAccess.BLOCK_ALL"
    once = changed(bucket, bucket.set("block_public_access", value))
    assert once.endswith(
        'data = s3.Bucket(\n    self, "Data", versioned=True, block_public_access=s3.BlockPublicAccess.BLOCK_ALL\n)\n'
    )
    twice = changed(bucket, bucket.set_all({"block_public_access": value, "enforce_ssl": "True"}))
    assert twice == black.format_str(twice, mode=black.Mode())
    assert twice.endswith("    enforce_ssl=True,\n)\n")


def test_files_with_longer_lines_keep_them() -> None:
    long = f'other = make_something("{"x" * 70}", "y")\n'
    assert longest_line(long.encode()) == len(long) - 1
    assert longest_line(f'"""{"x(a) " * 30}"""\n# {"y" * 100}\n'.encode()) == 88
    assert longest_line(f"f(a)  # {'y' * 100}\n".encode()) == 88


def test_fold_opens_what_it_must() -> None:
    assert fold("f(a, b)", 6, "    ", inside=False) == ["f(", "    a,", "    b,", ")"]
    assert fold("x = f(g(a))", 8, "  ", inside=False) == ["x = f(", "  g(a)", ")"]
    assert fold("    k=[a, b],", 9, "    ", inside=True) == ["    k=[", "        a,", "        b,", "    ],"]
    assert fold("abcdefghijkl", 8, "  ", inside=False) == ["abcdefghijkl"]


# ---- statements --------------------------------------------------------------------------------


def test_what_is_given_is_replaced_where_it_is_written() -> None:
    bucket = bucket_of("s3.Bucket(x, 'x', versioned=on, bucket_name='a')", before="on = True\n")
    versioned, name = bucket.behind("versioned"), bucket.behind("bucket_name")
    assert versioned
    assert name
    after = changed(bucket, bucket.file.put_all({versioned: "False", name: "'b'"}))
    assert "on = False\ns3.Bucket(x, 'x', versioned=on, bucket_name='b')" in after


def test_statements_go_before_and_after_the_whole_statement() -> None:
    bucket = bucket_of("if x:\n    y = 1\n    # why\n    b = s3.Bucket(\n        self,\n        'x',\n    )  # c")
    after = changed(bucket, bucket.insert_after("one()\n\ntwo()"))
    assert after.endswith("    )  # c\n    one()\n\n    two()\n")
    assert "    y = 1\n    one()\n    # why\n    b = " in changed(bucket, bucket.insert_before("one()"))


def test_a_file_without_a_last_newline_gets_none() -> None:
    bucket = next(file_of("from aws_cdk import aws_s3 as s3\r\ns3.Bucket(self, 'x')").constructs("aws_s3.Bucket"))
    assert changed(bucket, bucket.insert_after("one()")).endswith("'x')\r\none()")


@pytest.mark.parametrize("line", ["if x: s3.Bucket(self, 'x')", "a = 1; s3.Bucket(self, 'x')"])
def test_shared_lines_take_no_statements(line: str) -> None:
    bucket = bucket_of(line)
    assert bucket.insert_after("one()") is None
    assert bucket.insert_before("one()") is None


def test_nothing_goes_after_a_return_or_a_header() -> None:
    assert bucket_of("def f():\n    return s3.Bucket(self, 'x')").insert_after("one()") is None
    header = bucket_of("with s3.Bucket(self, 'x') as b:\n    pass")
    assert header.insert_after("one()") is None
    assert changed(header, header.insert_before("one()")).endswith("one()\nwith s3.Bucket(self, 'x') as b:\n    pass\n")


# ---- spelling ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("imports", "call", "name", "spelled", "expected"),
    [
        ("from aws_cdk import aws_s3 as s3", "s3.Bucket", "aws_s3.BlockPublicAccess.BLOCK_ALL", "s3.{}", None),
        ("import aws_cdk as cdk", "cdk.aws_s3.Bucket", "aws_s3.BlockPublicAccess.BLOCK_ALL", "cdk.aws_s3.{}", None),
        ("import aws_cdk.aws_s3 as s3", "s3.Bucket", "aws_s3.BlockPublicAccess.BLOCK_ALL", "s3.{}", None),
        (
            "from aws_cdk.aws_s3 import Bucket",
            "Bucket",
            "aws_s3.BlockPublicAccess.BLOCK_ALL",
            "{}",
            "from aws_cdk.aws_s3 import Bucket, BlockPublicAccess",
        ),
        (
            "from aws_cdk.aws_s3 import (\n    Bucket,\n    CfnBucket,  # x\n)",
            "Bucket",
            "aws_s3.StorageClass.GLACIER",
            "{}",
            "from aws_cdk.aws_s3 import (\n    Bucket,\n    CfnBucket,  # x\n    StorageClass,\n)",
        ),
        (
            "from aws_cdk import aws_s3 as s3, Stack",
            "s3.Bucket",
            "RemovalPolicy.RETAIN",
            "{}",
            "from aws_cdk import aws_s3 as s3, RemovalPolicy, Stack",
        ),
        ("from aws_cdk import aws_s3", "aws_s3.Bucket", "Duration", "{}", "from aws_cdk import aws_s3, Duration"),
        (
            "from aws_cdk import aws_s3 as s3",
            "s3.Bucket",
            "aws_lambda.Runtime",
            "lambda_.{}",
            "from aws_cdk import aws_s3 as s3, aws_lambda as lambda_",
        ),
        (
            "import aws_cdk.aws_s3 as s3",
            "s3.Bucket",
            "Tags",
            "{}",
            "import aws_cdk.aws_s3 as s3\nfrom aws_cdk import Tags",
        ),
        ("from aws_cdk import core, aws_s3", "aws_s3.Bucket", "RemovalPolicy", "core.{}", None),
        (
            "from aws_cdk import aws_s3 as s3, aws_sqs as sqs, aws_logs as logs, aws_iam as iam",
            "s3.Bucket",
            "Duration",
            "{}",
            "from aws_cdk import (\n    aws_s3 as s3,\n    aws_sqs as sqs,\n    aws_logs as logs,\n"
            "    aws_iam as iam,\n    Duration,\n)",
        ),
    ],
)
def test_spell(imports: str, call: str, name: str, spelled: str, expected: str | None) -> None:
    rest = f"\n\ndef f(self):\n    {call}(self, 'x')\n"
    file = file_of(imports + rest)
    (bucket,) = file.constructs("aws_s3.Bucket")
    text, edits = file.spell(name, bucket)
    bare = name.split(".", 1)[1] if name.startswith("aws_") else name
    assert text == spelled.format(bare)
    assert changed(bucket, edits) == (expected or imports) + rest
    (again,) = file_of(applied(file.source, edits)).constructs("aws_s3.Bucket")
    assert again.file.spell(name, again) == (text, ())


def test_an_import_of_another_function_or_for_typing_alone_is_not_in_scope() -> None:
    bucket = bucket_of(
        "def f():\n    from aws_cdk import aws_kms as kms\ndef g():\n    s3.Bucket(self, 'x')",
        base="from typing import TYPE_CHECKING\nfrom aws_cdk import aws_s3 as s3\n"
        "if TYPE_CHECKING:\n    from aws_cdk import Duration\n",
    )
    spelled, edits = bucket.file.spell_all(["aws_kms.Key", "Tags"], bucket)
    assert spelled == {"aws_kms.Key": "aws_kms.Key", "Tags": "Tags"}
    assert "from aws_cdk import aws_s3 as s3, aws_kms, Tags\n" in changed(bucket, edits)
    text, edits = bucket.file.spell("Duration", bucket)
    assert text == "cdk_Duration"
    ast.parse(changed(bucket, edits))


def test_the_imports_of_the_file_are_extended_before_those_of_a_function() -> None:
    bucket = bucket_of(
        "def f(self):\n    from aws_cdk import aws_sqs as sqs\n    s3.Bucket(self, 'x')",
        base="from aws_cdk import aws_s3 as s3\n",
    )
    _, edits = bucket.file.spell("aws_kms.Key", bucket)
    assert changed(bucket, edits).startswith("from aws_cdk import aws_s3 as s3, aws_kms as kms\n")


# ---- what goes with a construct ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("'Data'", '"DataLogs"'),
        ("'my-data'", '"my-data-logs"'),
        ("'my_data'", '"my_data_logs"'),
        ("f'{stage}-data'", "f'{stage}-data-logs'"),
        ("name", 'f"{name}Logs"'),
        ("'the \"Data\"'", "'the \"Data\"Logs'"),
        (r"'Data\n'", r"'Data\nLogs'"),
        ("'Data\u2028'", '"Data\u2028Logs"'),
        ("'Da' 'ta'", None),
        ("u'Data'", None),
    ],
)
def test_ids_that_go_with_another(own: str, expected: str | None) -> None:
    assert bucket_of(f"s3.Bucket(self, {own})").free_id("Logs") == expected


def test_a_variable_is_called_no_keyword() -> None:
    bucket = bucket_of("data = s3.Bucket(self, 'Global')")
    assert [free_name(bucket, name) for name in ("global", "data", "logs")] == ["global_2", "data_2", "logs"]


def test_a_scope_is_a_name_that_can_be_read() -> None:
    base = "from aws_cdk import Stack\nfrom aws_cdk import aws_s3 as s3\n"
    scopes = ("elf", "self", "self.parts", "Stack.of(self)", "stacks[0]", "lambda: 1")
    made = [bucket_of(f"def f(self, stacks):\n    s3.Bucket({one}, 'Data')", base=base) for one in scopes]
    assert [one.scope_text for one in made] == [None, "self", "self.parts", "Stack.of(self)", "stacks[0]", None]


def test_the_class_of_the_parent() -> None:
    source = """
        from aws_cdk import NestedStack, Stack, aws_s3 as s3
        from constructs import Construct

        class Base(Stack):
            def __init__(self, scope, id):
                super().__init__(scope, id)

        class Data(Base):
            def __init__(self, scope, id):
                super().__init__(scope, id)
                s3.Bucket(self, "A")
                s3.Bucket(scope, "B")

        class Nested(NestedStack):
            def make(self):
                s3.Bucket(self, "C")

        class Plain:
            def make(self):
                s3.Bucket(self, "D")

        def make(self):
            s3.Bucket(self, "E")
    """
    made = file_of(dedent(source)).constructs("aws_s3.Bucket")
    assert [one.parent_class for one in made] == ["Stack", None, "NestedStack", None, None]


def test_a_call_with_keywords() -> None:
    bucket = bucket_of('s3.Bucket(self, "B")')
    text, imports = bucket.file.spell_call("aws_s3.LifecycleRule", {"enabled": "True", "id": "x"}, bucket)
    assert text == "s3.LifecycleRule(enabled=True, id=x)"
    assert imports == ()


def test_what_has_no_parent_that_is_known_has_no_companion() -> None:
    made = bucket_of("def f(self):\n    s3.Bucket(elf, 'Data')").no_companion("Policy", "Look")
    assert made == Manual("Its parent is no name that is known there, to make its policy in", "Look")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("'/aws/lambda/' + NAME", True),
        ("f'/aws/lambda/{NAME}'", True),
        ("f'/aws/lambda/{OTHER}'", None),
        ("'/aws/lambda/{}'.format(NAME)", None),
        ("OTHER + NAME", None),
        ("'/aws/apigateway/' + NAME", False),
        ("'/ecs/{}'.format(NAME)", False),
        ("f'/aws/lambda/{OTHER}-canary'", None),
    ],
)
def test_whose_log_group_it_is_by_its_name(name: str, expected: bool | None) -> None:
    source = "from aws_cdk import aws_lambda as l, aws_logs as logs\nNAME = f()\nOTHER = f()\ndef f(self):\n"
    source += f"    l.Function(self, 'F', function_name=NAME)\n    logs.LogGroup(self, 'G', log_group_name={name})\n"
    file = file_of(source)
    (function,), (group,) = file.constructs("aws_lambda.Function"), file.constructs("aws_logs.LogGroup")
    assert is_named_for(group, function) is expected


def test_a_comma_at_the_start_of_a_line_stays() -> None:
    call = f"s3.Bucket(\n    self\n    , 'Data', bucket_name='{'x' * 60}'\n)"
    edits = bucket_of(call).set("versioned", "True")
    assert call[:-2] + ", versioned=True\n)" in changed(bucket_of(call), edits)


@pytest.mark.parametrize(
    ("source", "at", "start", "end"),
    [
        (b"a\nbc\nd", 3, 2, 4),
        (b"a\r\nbc\r\nd", 4, 3, 5),
        (b"\xef\xbb\xbfab\n", 4, 3, 5),
        (b"\xef\xbb\xbf\nab", 2, 2, 3),
        (b"a\nbc \\\n\nd", 4, 2, 7),
        (b"bc \\\r\nd\r\n", 2, 0, 7),
        (b"bc  # \\\nd", 2, 0, 7),
        (b"bc" + b"\\\n" * 5000 + b"d", 2, 0, 10003),
    ],
)
def test_lines(source: bytes, at: int, start: int, end: int) -> None:
    assert (start_of_line(source, at), end_of_line(source, at)) == (start, end)


def test_what_breaks_a_line_in_other_languages_breaks_none() -> None:
    bucket = bucket_of("s3.Bucket(self, 'Data')")
    edits = bucket.insert_after("print('a\u2028b')")
    assert edits is not None
    assert changed(bucket, edits).endswith("s3.Bucket(self, 'Data')\nprint('a\u2028b')\n")


# ---- findings ----------------------------------------------------------------------------------


def test_findings_say_what_and_where() -> None:
    bucket = bucket_of("s3.Bucket(self, 'Data', versioned=False)")
    rule = Rule("codemods.security.some_rule", Impact.NONE)
    found = bucket.finding(rule, "is bad", manual=Manual("it is", "look"), at=bucket.argument("versioned"))
    assert (found.subject, found.language, found.rule) == ('s3.Bucket "Data"', Language.CDK, "some-rule")
    assert bucket.file.text(found.start, found.end) == "versioned=False"


# ---- any layout --------------------------------------------------------------------------------

GAPS = st.sampled_from(["", " ", "  ", "\n    ", "\n", "  # note\n    ", "\n    # above\n    ", "\t", " \\\n  "])
VALUES = st.sampled_from(
    ["1", "'é,('", "(2)", "[1,\n 2]", "lambda a, b: (a, b)", "x if y else z", "{'k': ')'}", '"""\n#"""']
)


@st.composite
def calls(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from("abcdef"), unique=True, max_size=4))
    items = ["self", "'x'", *(f"{name}{draw(st.sampled_from(['=', ' = ']))}{draw(VALUES)}" for name in names)]
    if draw(st.booleans()):
        items.append("**props")
    text = "".join(f"{draw(GAPS)}{item}{draw(GAPS)}," for item in items)
    return f"s3.Bucket({text if draw(st.booleans()) else text[:-1]}{draw(GAPS)})"


@settings(max_examples=150, deadline=None)
@given(call=calls(), newline=st.sampled_from(["\n", "\r\n"]), bom=st.booleans(), data=st.data())
def test_edits_of_any_layout_change_what_they_say(call: str, newline: str, bom: bool, data: st.DataObject) -> None:
    frame = "from aws_cdk import aws_s3 as s3  # é\n\n\ndef f(self):\n    y = {}  # end\n    return y\n"
    text = frame.format(call).replace("\n", newline)
    source = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    (bucket,) = file_of(source).constructs("aws_s3.Bucket")
    names = [each.name or "" for each in bucket.keywords]
    gone = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    kept = [name for name in names if name not in gone]
    renamed = data.draw(st.sampled_from(kept)) if kept else None
    edits = bucket.rewrite(set={"z": "9"}, rename={renamed: "new"} if renamed else None)
    done = ast.parse(applied(source, edits).decode("utf-8-sig"))
    assert _keywords(done) == ["new" if name == renamed else name for name in names] + ["z"] + ["**"] * bucket.has_splat
    if gone:
        done = ast.parse(applied(source, bucket.rewrite(remove=gone)).decode("utf-8-sig"))
        assert _keywords(done) == kept + ["**"] * bucket.has_splat
    assert all(bucket.start < edit.start and edit.end < bucket.end for edit in edits)
    assert applied(source, edits).count(b"\r\n") == applied(source, edits).count(b"\n") or newline == "\n"


def _keywords(tree: ast.Module) -> list[str]:
    (call,) = (each for each in ast.walk(tree) if isinstance(each, ast.Call))
    assert [ast.unparse(each) for each in call.args] == ["self", "'x'"]
    return [each.arg or "**" for each in call.keywords]


def is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.text("abcdefgh_", min_size=3, max_size=25).filter(is_name), unique=True, max_size=5),
    inner=st.booleans(),
    depth=st.integers(0, 3),
    data=st.data(),
)
def test_what_black_left_alone_it_leaves_alone(names: list[str], inner: bool, depth: int, data: st.DataObject) -> None:
    mode = black.Mode()
    values = [data.draw(st.sampled_from(["True", '"a value"', "[one, two]", "s3.Other.ALL"])) for _ in names]
    call = f's3.Bucket(self, "Data", {", ".join(f"{a}={b}" for a, b in zip(names, values, strict=True))})'
    body = f"data = wrap({call}, 1)" if inner else f"data = {call}"
    nest = "".join(f"{'    ' * level}if x:\n" for level in range(depth)) + "    " * depth + body + "\n"
    source = black.format_str(f"from aws_cdk import aws_s3 as s3\n\n{nest}", mode=mode)
    (bucket,) = file_of(source).constructs("aws_s3.Bucket")
    changes = [
        bucket.set("zz", "s3.BlockPublicAccess.BLOCK_ALL"),
        bucket.set("zz", "s3.Some(one_thing=True, other=None)"),
    ]
    if names:
        changes += [bucket.rename(names[0], "a_new_and_much_longer_name"), bucket.set(names[-1], "1")]
    for edits in changes:
        result = applied(source.encode(), edits).decode()
        assert result == black.format_str(result, mode=mode)


@pytest.mark.parametrize(
    "statement",
    [
        'x = self.node.try_get_context("a-name-of-some-length-for-a-queue") or f"orders-queue-{environment_suffix}"',
        'x = f"orders-that-came-in-from-the-shop-and-wait-to-be-packed-by-hand-{environment_suffix}"',
        'x = "orders-that-came-in-from-the-shop-and-wait-to-be-packed" + by_hand + f"-{environment_suffix}"',
        'x = "orders-that-came-in-from-the-shop-and-wait-for" + self.node.try_get_context("what they wait for")',
        'x: str = one.of_those_things("with a name") if there_is_one_of_them else f"another-{environment_suffix}"',
        'return self.node.try_get_context("a-name-of-some-length-for-a-queue") or f"orders-{environment_suffix}"',
        'f(x=self.node.try_get_context("a-name-of-some-length-for-a-queue") or f"orders-queue-{suffix}", y=1)',
        "f(x=[one == 1 and other for one in several_of_them_with_a_long_name if one not in those_that_are_not])",
    ],
)
def test_a_line_is_opened_as_black_opens_it(statement: str) -> None:
    line = f"        {statement}"
    expected = black.format_str(f"class A:\n    def f(self):\n{line}\n", mode=black.Mode())
    assert fold(line, 88, "    ", inside=False) == expected.splitlines()[2:]


# ---- imports -----------------------------------------------------------------------------------


def unread(source: str, **others: str) -> list[str]:
    files = {"stack.py": source, **{f"{name}.py": text for name, text in others.items()}}
    app = load(CdkFacts(), {path: dedent(text).encode() for path, text in files.items()})
    file = app.file("stack.py")
    assert file
    return [
        name.written
        for each in file.imports.statements
        for name in each.names
        if not file.imports.is_read(name, each.scope) and not file.imports.is_taken_elsewhere(name)
    ]


@pytest.mark.parametrize(
    ("code", "read"),
    [
        ("print(sqs.Queue)", True),
        ("x.sqs = 1", False),
        ("f(sqs=1)", False),
        ("def f(sqs): return sqs", False),
        ("def f(x=sqs): pass", True),
        ("def f(x: sqs.Queue): pass", True),
        ("def f(x: 'sqs.Queue'): pass", True),
        ("x: 'List[sqs.Queue]' = []", True),
        ("x = cast('sqs.Queue', y)", True),
        ("x = Dict['sqs.Queue', str]", True),
        ("x = y['sqs']", False),
        ("x = []  # type: List[sqs.Queue]", True),
        ("x = 1  # type: ignore  # sqs", False),
        ("[sqs for sqs in (1, 2)]", False),
        ("[sqs for sqs in sqs.all]", True),
        ("class A:\n    sqs = sqs", True),
        ("class A:\n    sqs = 1\n    def f(self): return sqs", True),
        ("def f():\n    import sqs\n    sqs.x", False),
        ("def f():\n    global sqs\n    sqs = 1", True),
        ("sqs += 1", True),
        ("del sqs", True),
        ("__all__ = ['sqs']", True),
        ("__all__ = []\n__all__ += ('sqs',)", True),
        ("x = 'sqs'", False),
        ("f'{sqs}'", True),
        ("@sqs.x\nclass A: pass", True),
        ("lambda sqs: sqs", False),
        ("with f() as sqs: pass", False),
    ],
)
def test_what_reads_an_import(code: str, read: bool) -> None:
    assert unread(f"from aws_cdk import aws_sqs as sqs\n{code}\n") == ([] if read else ["sqs"])


@pytest.mark.parametrize(
    ("other", "taken"),
    [
        ("from stack import sqs", True),
        ("from shop.stack import (\n    a,  # (first)\n    sqs,\n)", True),
        ("from .stack import *\nsqs.Queue", True),
        ("from stack import a, \\\n    sqs", True),
        ("import stack\nstack.sqs", True),
        ("import stack as other\nother.sqs", True),
        ("mock.patch('shop.stack.sqs')", True),
        ("from stack import a\nfrom aws_cdk import aws_sqs as sqs", False),
        ("from aws_cdk import aws_x as stack\nstack.sqs", False),
        ("sqs.stack", False),
    ],
)
def test_what_takes_an_import_from_another_file(other: str, taken: bool) -> None:
    assert unread("from aws_cdk import aws_sqs as sqs\n", other=other) == ([] if taken else ["sqs"])


@pytest.mark.parametrize(
    ("code", "acts"),
    [
        ("import os\n\n\ndef f():\n    os.remove('x')\n", False),
        ("print('x')\n", True),
        ("X = os.environ.get('X')\n", False),
        ("X = load()\n", True),
        ("class A(B):\n    '''It.'''\n    x: int = field(default=1)\n", False),
        ("@register\nclass A:\n    pass\n", True),
        ("@dataclass\nclass A:\n    pass\n", False),
        ("if __name__ == '__main__':\n    main()\n", False),
        ("from deeper import x\n", True),
        ("try:\n    import yaml\nexcept ImportError:\n    yaml = None\n", False),
        ("for x in y:\n    pass\n", True),
    ],
)
def test_what_importing_a_module_does(code: str, acts: bool) -> None:
    sources = {"app.py": "import aws_cdk\n", "other.py": code, "deeper.py": "f()\n"}
    app = load(CdkFacts(), {path: text.encode() for path, text in sources.items()})
    assert (acting(app, "app.py", "other.X") is not None) is acts
    assert acting(app, "app.py", "elsewhere.X") is None


# ---- signatures --------------------------------------------------------------------------------


def function_of(code: str) -> Function:
    file = file_of(f"import aws_cdk\n{dedent(code)}\n")
    return min(functions(file), key=lambda each: each.start)


@pytest.mark.parametrize(
    ("code", "nothing", "open_"),
    [
        ("def f(): pass", True, False),
        ("def f(): return", True, False),
        ("def f(): return None", True, False),
        ("def f(): return 1", False, False),
        ("def f():\n    if x:\n        return 1\n", False, False),
        ("def f():\n    def g(): return 1\n", True, False),
        ("def f():\n    return lambda: None", False, False),
        ("def f():\n    yield", False, False),
        ("def f():\n    x = yield from y", False, False),
        ("async def f():\n    await x", True, False),
        ("def f(): ...", True, True),
        ("def f():\n    '''It.'''\n    ...", True, True),
        ("def f():\n    raise NotImplementedError('x')", True, True),
        ("def f():\n    raise ValueError", True, False),
    ],
)
def test_what_a_function_returns(code: str, nothing: bool, open_: bool) -> None:
    function = function_of(code)
    assert function.returns_nothing is nothing
    assert function.is_left_open is open_
    other = ast.parse(dedent(code)).body[0]
    assert isinstance(other, ast.FunctionDef | ast.AsyncFunctionDef)
    assert gives_value(other) is not nothing


@pytest.mark.parametrize(
    ("code", "after"),
    [
        ("def f(a): pass", "def f(a: X) -> None: pass"),
        ("def f(a, /): pass", "def f(a: X, /) -> None: pass"),
        ("def f(*, a): pass", "def f(*, a: X) -> None: pass"),
        ("def f(a, b=(1, 2)) : pass", "def f(a: X, b=(1, 2)) -> None : pass"),
        ("def f(a, b: T[int]=g()): pass", "def f(a: X, b: T[int]=g()) -> None: pass"),
        ("async def f(b, **a):  # a (\n    pass", "async def f(b, **a: X) -> None:  # a (\n    pass"),
        ("def f(\n    a,  # )\n    # ):\n): pass", "def f(\n    a: X,  # )\n    # ):\n) -> None: pass"),
        ("@g(1)\ndef f(b, *a): pass", "@g(1)\ndef f(b, *a: X) -> None: pass"),
        (
            "def f(self, one_parameter, another_parameter, and_another_one, a, **the_others): pass",
            "def f(\n    self, one_parameter, another_parameter, and_another_one, a: X, **the_others\n) -> None: pass",
        ),
    ],
)
def test_annotate(code: str, after: str) -> None:
    function = function_of(code)
    edits = function.annotate({"a": "X"}, "None")
    assert applied(function.file.source, edits).decode().partition("\n")[2].rstrip("\n") == after


@pytest.mark.parametrize(
    ("imports", "text", "after"),
    [
        ("from typing import Any", "Any", "from typing import Any"),
        ("import typing as t", "t.Any", "import typing as t"),
        ("from typing import Optional", "Any", "from typing import Any, Optional"),
        ("import os", "Any", "import os\nfrom typing import Any"),
        ("from __future__ import x", "Any", "from __future__ import x\nfrom typing import Any\n"),
        ("import boto3", "Any", "from typing import Any\n\nimport boto3"),
        ("if TYPE_CHECKING:\n    from typing import Any", None, "if TYPE_CHECKING:\n    from typing import Any"),
        ("class Any: pass", None, "class Any: pass"),
    ],
)
def test_type_names(imports: str, text: str | None, after: str) -> None:
    file = file_of(f"{imports}\nimport aws_cdk\n\n\ndef f(): pass\n")
    named = type_names(file, ["typing.Any"], file.source.index(b"def"))
    assert named.texts == ({"typing.Any": text} if text else {})
    assert applied(file.source, named.edits).decode() == f"{after}\nimport aws_cdk\n\n\ndef f(): pass\n"


# ---- the context -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "provided", "breaks", "after"),
    [
        ("x = READ", False, False, "x = READ or 'd'"),
        ("x = READ or 1", True, False, None),
        ("x = y or READ", False, False, "x = y or READ or 'd'"),
        ("x = (y or READ) or 1", True, False, None),
        ("x = READ and 1", True, False, None),
        ("x = 'a' + READ", False, True, "x = 'a' + (READ or 'd')"),
        ("x = 'a' + (y or READ)", False, True, "x = 'a' + (y or READ or 'd')"),
        ("x = READ.lower()", False, True, "x = (READ or 'd').lower()"),
        ("x = READ[0]", False, True, "x = (READ or 'd')[0]"),
        ("x = READ\ny = 'a' + x", False, True, "x = READ or 'd'\ny = 'a' + x"),
        ("x = READ\nif y:\n    y = 'a' + x", False, False, "x = READ or 'd'\nif y:\n    y = 'a' + x"),
        ("if y:\n    x = READ\ny = 'a' + x", False, False, "if y:\n    x = READ or 'd'\ny = 'a' + x"),
        ("x = READ\nif not x: pass", True, False, None),
        ("x = READ\nif x is None: pass", True, False, None),
        ("x = READ\nif x == 'prod': pass", False, False, "x = READ or 'd'\nif x == 'prod': pass"),
        ("x = READ\ndef f(x):\n    return x or 1", False, False, "x = READ or 'd'\ndef f(x):\n    return x or 1"),
        ("f(READ, a=READ2)", False, False, "f(READ or 'd', a=READ2)"),
        ("x = y if READ else z", True, False, None),
        ("x = READ if y else z", False, False, "x = (READ or 'd') if y else z"),
        ("x = f'{READ}'", False, False, "x = f'{READ or \"d\"}'"),
        ("x = {'a': READ}", False, False, "x = {'a': READ or 'd'}"),
        ("x = lambda: READ", False, False, "x = lambda: (READ or 'd')"),
        ("print(READ == 'a')", False, False, "print((READ or 'd') == 'a')"),
    ],
)
def test_reads_of_the_context(code: str, provided: bool, breaks: bool, after: str | None) -> None:
    quote = '"' if "f'" in code else "'"
    read = f"app.node.try_get_context({quote}k{quote})"
    file = file_of(f"import aws_cdk\n{code.replace('READ', read, 1)}\n")
    (found,) = reads(file)
    assert found.key == "k"
    assert found.is_provided_for is provided
    assert found.breaks_without is breaks or provided
    if after is not None:
        assert (
            applied(file.source, found.with_default("d")).decode()
            == f"import aws_cdk\n{after.replace('READ', read, 1)}\n"
        )
