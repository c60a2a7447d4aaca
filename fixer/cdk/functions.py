"""Lambda functions as CDK apps make them, and what calls them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from fixer.model import Absent, Known

if TYPE_CHECKING:
    from fixer.cdk.calls import Argument, Call, Construct
    from fixer.cdk.file import CdkFile
    from fixer.model import Value

LOW_LEVEL = "aws_lambda.CfnFunction"
HIGH_LEVEL = (
    "aws_lambda.Function",
    "aws_lambda.DockerImageFunction",
    "aws_lambda.SingletonFunction",
    "aws_lambda_nodejs.NodejsFunction",
    "aws_lambda_python.PythonFunction",
    "aws_lambda_python_alpha.PythonFunction",
    "aws_lambda_go.GoFunction",
    "aws_lambda_go_alpha.GoFunction",
    "triggers.TriggerFunction",
)
"""What takes the keywords of `aws_lambda.FunctionOptions`."""

_STREAMS = (
    "KinesisEventSource",
    "DynamoEventSource",
    "SqsEventSource",
    "ManagedKafkaEventSource",
    "SelfManagedKafkaEventSource",
)
_MAPPINGS = ("aws_lambda.EventSourceMapping", "aws_lambda.CfnEventSourceMapping")
_GROUPS = ("aws_logs.LogGroup", "aws_logs.CfnLogGroup")
_FOLDER = "/aws/lambda/"
_FIRST_TEXT = re.compile(r"""f?(["'])(?P<text>(?:(?!\1).)*)\1""", re.DOTALL)
_EDGE = ("aws_cloudfront.EdgeLambda", "aws_cloudfront.LambdaFunctionAssociation")


def is_at_edge(function: Construct) -> bool:
    """Whether CloudFront runs the function at its edge, where most settings of functions are not to be had."""
    return any(involves(call, function) for name in _EDGE for call in function.file.calls(name))


def sources(function: Construct) -> Iterator[Call]:
    """What makes the event sources of the function: calls of `SqsEventSource` and the like, and of mappings."""
    file = function.file
    places = [(call.start, call.end) for call in function.methods("add_event_source")]
    if events := function.argument("events"):
        places.append((events.start, events.end))
    for name in _STREAMS:
        for call in file.calls(f"aws_lambda_event_sources.{name}"):
            if any(start <= call.start and call.end <= end for start, end in places):
                yield call
    yield from function.methods("add_event_source_mapping")
    for name in _MAPPINGS:
        yield from (call for call in file.calls(name) if mentions(call.text, function))


def writes_to(function: Construct, group: Argument | str, at: Call) -> bool | None:
    """Whether the function writes its logs to a log group, or to the one of that name; None if that can't be judged.

    That is the group of its `log_group`, else `/aws/lambda/` and the function's own name.

    Args:
        function: The function.
        group: The group as it is written: an argument of the call, or what its method is called on.
        at: The call that it is written in.
    """
    written = None if isinstance(group, str) else at.behind(group)
    text = (group if isinstance(group, str) else group.text).removesuffix(".log_group_name")
    behind = written.text if written else text
    if mentions(text, function, at) or mentions(behind, function, at):
        return True
    made = next((one for one in at.file.constructs(*_GROUPS) if one.is_meant_by(text, at)), None)
    chosen = function.argument("log_group")
    if made is not None:
        return made.is_meant_by(chosen.text, function) if chosen else is_named_for(made, function)
    if chosen is not None:
        return chosen.text == text or None
    if written is not None and isinstance(at.value(written.name or ""), Known):
        return _is_default(at.value(written.name or ""), function)
    return None


def is_named_for(group: Construct, function: Construct) -> bool | None:
    """Whether the name of a log group is the one that Lambda makes of the function's; None if that can't be judged."""
    named = group.behind("log_group_name")
    if named is None:
        return None if group.has_splat else False
    if mentions(named.text, function):
        return True
    if isinstance(group.value("log_group_name"), Known):
        return _is_default(group.value("log_group_name"), function)
    if named.text.isidentifier():
        return None
    own = (function.argument("function_name"), function.behind("function_name"))
    names = {_bare(one.text) for one in own if one}
    wanted = {f"{_FOLDER}{text}" for name in names for text in (name, f"{{{name}}}", f" + {name}")}
    if _bare(named.text) in wanted:
        return True
    return None if any(_may_be_equal(named.text, one) for one in wanted) else False


def _may_be_equal(named: str, wanted: str) -> bool:
    """Whether a name may come out as the wanted one, by what stands before and behind what is put into both."""
    first = _FIRST_TEXT.match(named)
    if first is None:
        return True
    texts = (first["text"], wanted)
    starts, ends = [text.partition("{")[0] for text in texts], [text.rpartition("}")[2][::-1] for text in texts]
    pairs = (starts, ends) if first.end() == len(named) else (starts,)
    return all(a.startswith(b) or b.startswith(a) for a, b in pairs)


def _bare(text: str) -> str:
    """A text without its quotes, and without those of what it adds to."""
    return re.sub(r"""^f?["']|["'](?= \+ )|["']$""", "", text)


def _is_default(name: Value, function: Construct) -> bool | None:
    """Whether a name that is known is the one that Lambda makes of the function's."""
    own = function.value("function_name")
    if not isinstance(name, Known) or not str(name.value).startswith(_FOLDER) or own is Absent:
        return False
    return name.value == f"{_FOLDER}{own.value}" if isinstance(own, Known) else None


def mentions(text: str, construct: Construct, at: Call | None = None) -> bool:
    """Whether Python source speaks of a construct by what it is assigned to.

    Args:
        text: The source.
        construct: A function, or any other.
        at: The call that it is the source of; a name that stands for something else there does not count.
    """
    return any(
        re.search(rf"(?<![\w.]){re.escape(target)}(?!\w)", text) and (at is None or construct.is_meant_by(target, at))
        for target in construct.targets
    )


def involves(call: Call, function: Construct) -> bool:
    """Whether a call makes the function among its arguments, or is given it or something of it."""
    return (call.start < function.start and function.end < call.end) or mentions(call.text, function, call)


def is_named(function: Construct, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns is for the function: for its id, its name, or what it is assigned to."""
    name = function.value("function_name")
    names = (function.id, name.value if isinstance(name, Known) else None, function.target, function.subclass)
    return any(fnmatchcase(str(one), pattern) for one in names if one for pattern in patterns)


def functions(file: CdkFile, *, low_level: bool = True) -> Iterator[Construct]:
    """The Lambda functions that a file makes, but for those at CloudFront's edge."""
    for function in file.constructs(*HIGH_LEVEL, *((LOW_LEVEL,) if low_level else ())):
        if not is_at_edge(function):
            yield function
