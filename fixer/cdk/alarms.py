"""Alarms of CloudWatch as CDK apps make them: what they watch, and whom they notify."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.calls import Call, Construct
from fixer.cdk.classes import init_of
from fixer.cdk.companion import free_name
from fixer.cdk.layout import end_of_line
from fixer.model import Absent, Edit, Known, Manual

if TYPE_CHECKING:
    from fixer.cdk.file import CdkFile
    from fixer.cdk.tree import Scope

_ALARMS = ("aws_cloudwatch.Alarm", "aws_cloudwatch.CfnAlarm")
_METRICS = ("aws_cloudwatch.Metric", "aws_cloudwatch.CfnAlarm", "aws_cloudwatch.CfnAlarm.MetricProperty")
TOPIC = "aws_sns.Topic"
_KEY, _PRINCIPAL = "aws_kms.Key", "aws_iam.ServicePrincipal"
_STATEMENT, _DENY, _ANYBODY = "aws_iam.PolicyStatement", "aws_iam.Effect.DENY", "aws_iam.AnyPrincipal"
_NAMED = re.compile(r"alarm|alert", re.IGNORECASE)
_OTHER = re.compile(r"security|guardduty|complian|audit|billing|budget|cost|drift|backup|deploy", re.IGNORECASE)
"""Topics for other alarms than those of operation."""
_STRING = re.compile(r"[\"']([^\"']*)[\"']")
_DIMENSION = re.compile(r"\b(?:[\w.]*DimensionProperty|dict)\(|\b(?:name|value)\s*=")
"""What is around the strings of a low-level alarm's dimension."""
_NAME = re.compile(r"\{(aws_[\w.]+)\}")
_ON_DASHBOARD = re.compile(r"Widget|add_widgets|Dashboard")


class Alarms:
    """What the alarms of a file watch, and the topics that they notify."""

    def __init__(self, file: CdkFile, watchable: Sequence[Construct]) -> None:
        """Take the file, and all that it makes that alarms may watch."""
        self._file = file
        self.watchable = watchable
        found = [(one.start, one.end) for name in _ALARMS for one in file.calls(name)]
        found += [file.tree.span(site.node) for site in file.tree.calls if _is_alarming(site.node.func)]
        self._spans = found

    # ---- what they watch -------------------------------------------------------------------------

    def is_watched(self, construct: Construct, methods: Sequence[str], metrics: Sequence[str]) -> bool | None:
        """Whether an alarm watches a metric of a construct; None if that can't be told.

        Args:
            construct: One of those that may be watched.
            methods: Methods of the construct that give the metric.
            metrics: Names of the metric in CloudWatch; an alarm for any of them will do.
        """
        verdicts = {self._verdict(construct, call, methods) for call in self._uses(methods, metrics)}
        if True not in verdicts and self._elsewhere(construct, methods, metrics):
            verdicts.add(None)
        return True if True in verdicts else None if None in verdicts else False

    def _uses(self, methods: Sequence[str], metrics: Sequence[str]) -> Iterator[Call]:
        """Calls that give the metric, of whatever, and calls of which that can't be told."""
        for method in methods:
            yield from self._file.methods(method)
        yield from (call for call in self._file.methods("metric") if _names(call, metrics))
        for name in _METRICS:
            for call in self._file.calls(name):
                value = call.value("metric_name")
                if value is not Absent and (not isinstance(value, Known) or value.value in metrics):
                    yield call

    def _verdict(self, construct: Construct, call: Call, methods: Sequence[str]) -> bool | None:
        meant = self._is_of(construct, call, methods)
        if meant is False:
            return False
        alarmed = self._is_alarmed(call)
        return None if alarmed is None or (alarmed and meant is None) else alarmed

    def _is_of(self, construct: Construct, call: Call, methods: Sequence[str]) -> bool | None:
        if call.name not in _METRICS:
            receiver = self._file.receiver(call)
            return self._is_meant(construct, {receiver}, call)
        space = call.value("namespace")
        if isinstance(space, Known) and not str(space.value).startswith("AWS/"):
            return False
        given = next((one for one in map(call.argument, ("dimensions_map", "dimensions")) if one), None)
        if given is None:
            return None if call.has_splat else True
        text = given.text
        words = set(re.findall(r"[A-Za-z_][\w.]*", text))
        owners = {word.rpartition(".")[0] for word in words}
        is_sure = isinstance(call.value("metric_name"), Known)
        meant = self._is_meant(construct, owners | words, call)
        if meant is not None:
            return meant if is_sure or not meant else None
        named = next((one for one in map(construct.argument, _PHYSICAL) if one), None)
        if named and named.text in text:
            return True if is_sure else None
        is_literal = not re.search(r"[A-Za-z_]", _DIMENSION.sub("", _STRING.sub("", text)))
        own = construct.value(named.name) if named and named.name else Absent
        if is_literal and (own is Absent or isinstance(own, Known)):
            return isinstance(own, Known) and str(own.value) in _STRING.findall(text)
        return None

    def _is_meant(self, construct: Construct, texts: set[str], call: Call) -> bool | None:
        """Whether one of these names stands for a construct where a call is; None if it may be anything."""
        if any(construct.is_meant_by(text, call) for text in texts):
            return True
        owner = call.scope.nearest("class")
        for one in self.watchable:
            handed = self._handed(one) if one.scope.nearest("class") is owner else {}
            if found := texts & {*handed}:
                return one is construct and (True if all(handed[text] for text in found) else None)
            if any(one.is_meant_by(text, call) for text in texts):
                return False
        return None

    def _handed(self, construct: Construct) -> dict[str, bool]:
        """What a construct is assigned to that a method of the class returns, and whether the method is called once."""
        function, owner = construct.scope.nearest("function"), construct.scope.nearest("class")
        if function is None or owner is None or not self._returns(construct, function):
            return {}
        sites = [
            site
            for site in self._file.tree.calls
            if isinstance(site.node.func, cst.Attribute)
            and site.node.func.attr.value == function.name
            and site.scope.nearest("class") is owner
        ]
        targets = [self._file.later.target(site) for site in sites]
        return {target: len(sites) == 1 for target in targets if target and target.startswith("self.")}

    def _returns(self, construct: Construct, function: Scope) -> bool:
        """Whether the function around a construct returns it."""
        small = construct.site.statement.small if construct.site.statement else None
        if isinstance(small, cst.Return):
            return small.value is construct.node
        text = self._file.text(function.start, function.end)
        return bool(construct.target and re.search(rf"\breturn {re.escape(construct.target)}\s*$", text, re.MULTILINE))

    def _is_alarmed(self, call: Call) -> bool | None:
        """Whether a metric goes to an alarm: right there, or by the name that it is assigned to."""
        if any(start <= call.start and call.end <= end for start, end in self._spans):
            return True
        statement = call.site.statement
        small = statement.small if statement else None
        if isinstance(small, cst.Assign | cst.AnnAssign):
            target = small.targets[0].target if isinstance(small, cst.Assign) else small.target
            name = self._file.text(*self._file.tree.span(target))
            pattern = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
            if any(pattern.search(self._file.text(*span)) for span in self._spans):
                return True
        around = self._file.text(*self._file.tree.span(statement.node)) if statement else call.text
        return False if _ON_DASHBOARD.search(around) else None

    def _elsewhere(self, construct: Construct, methods: Sequence[str], metrics: Sequence[str]) -> bool:
        """Whether another file of the app may make an alarm for it: one that has such, where it is handed out."""
        owner, _, name = (construct.target or "").rpartition(".")
        sources = construct.file.app.sources
        handed = re.compile(rf"\.{re.escape(name)}\b".encode())
        if owner != "self" or not any(handed.search(sources[path]) for path in construct.file.elsewhere(name)):
            return False
        words = (*(f".{method}(" for method in methods), *(f'"{metric}"' for metric in metrics))
        return any(b"larm(" in sources[path] for path in construct.file.elsewhere(*words))

    # ---- whom they notify ------------------------------------------------------------------------

    def topic(self, construct: Construct, arn: str = "") -> Place | Manual | None:
        """The topic that the alarms for a construct are to notify, if the class around has one: how it is read there.

        That is the one with the ARN, if one is given; else one that alarms notify, or that is called after alarms.
        Manual if it can't be used for the construct.
        """
        for name in _required(construct.scope.nearest("function")):
            if not arn and _NAMED.search(name) and "topic" in name.lower():
                return Place(name, construct)
        topics = [one for one in self._topics(construct) if one.target]
        if arn:
            chosen = [one for one in topics if arn in one.text]
        else:
            named = [one for one in topics if _NAMED.search(_called(one))]
            chosen = [one for one in topics if self._is_notified(one)] + named
        found = [
            self._placed(construct, one) for one in sorted(chosen, key=lambda one: bool(_OTHER.search(_called(one))))
        ]
        return next((one for one in found if isinstance(one, Place)), found[0] if found else None)

    def _topics(self, construct: Construct) -> Iterator[Construct]:
        owner = construct.scope.nearest("class")
        given = (Construct(self._file, call.site, call.name) for call in self._file.calls(f"{TOPIC}.from_topic_arn"))
        for topic in (*self._file.constructs(TOPIC), *given):
            if topic.scope.nearest("class") is owner:
                yield topic

    def _is_notified(self, topic: Construct) -> bool:
        return any(
            topic.is_meant_by(each.text, call)
            for call in self._file.calls("aws_cloudwatch_actions.SnsAction")
            for each in call.arguments
        )

    def _placed(self, construct: Construct, topic: Construct) -> Place | Manual:
        """Where alarms for the construct can read the topic: below the later one of both."""
        manual = Manual(
            f"The topic for alarms, {topic.target}, is made where it can't be told whether it is there for it",
            "Add alarms that notify it",
        )
        functions = [one.scope.nearest("function") for one in (construct, topic)]
        is_local = not (topic.target or "").startswith("self.")
        if functions[0] is None or (functions[0] is not functions[1] and is_local):
            return manual
        if not self._is_steady(topic):
            return manual
        orders = [self._order(construct), self._order(topic)]
        if functions[0] is functions[1]:
            orders = [construct.start, topic.start]
        if None in orders or orders[0] == orders[1]:
            return manual
        if orders[1] < orders[0]:  # type: ignore[operator]
            return Place(topic.target or "", construct)
        is_seen = functions[0] is functions[1] or (construct.target or "").startswith("self.")
        is_readable = is_seen and self._is_steady(construct) and construct.scope_text == "self"
        return Place(topic.target or "", topic) if is_readable else manual

    def _is_steady(self, construct: Construct) -> bool:
        """Whether it is certainly made where its function runs."""
        function, statement = construct.scope.nearest("function"), construct.site.statement
        if function is None or statement is None:
            return False
        return self._file.is_unconditional(function, self._file.tree.span(statement.node)[0])

    def _order(self, construct: Construct) -> int | None:
        """A number that is higher the later the class makes a construct; None if that can't be told."""
        function, owner = construct.scope.nearest("function"), construct.scope.nearest("class")
        if function is None or owner is None or function.name == "__init__":
            return construct.start if function else None
        calls = [
            call
            for call in self._file.methods(function.name)
            if self._file.receiver(call) == "self" and call.scope.nearest("class") is owner
        ]
        makers = [call for call in calls if call.function == "__init__"]
        return makers[0].start if len(calls) == len(makers) == 1 else None

    def new_topic(self, construct: Construct, arn: str, enforces_since: tuple[int, ...] | None) -> Place | Manual:
        """A topic for all alarms of the class around a construct, `self.alarm_topic`, that is still to be made.

        It has a key that CloudWatch may use, which the AWS managed one does not let it, and a policy that lets
        CloudWatch publish; source: "Configure a CloudWatch alarm to publish to an encrypted topic", AWS re:Post.
        Manual if there is no place for it.

        Args:
            construct: What its first alarms are for.
            arn: That of a topic that there is, to be read; empty for a new one.
            enforces_since: The first version of aws-cdk-lib whose topics have `enforce_ssl`.
        """
        home, step = self._home(construct), "Add an alarm that notifies a topic"
        if home is None or home.insert_after("x") is None:
            reason = "It is not made by a method of a class with an __init__ that could make the topic of its alarms"
            return Manual(reason, step)
        if self._has_other(construct):
            reason = "The class has an alarm_topic or AlarmTopic that can't be judged"
            return Manual(reason, "Add alarms that notify it, if it is a topic for alarms")
        is_old = not self._file.has_since(enforces_since)
        read = f'self.alarm_topic = {{{TOPIC}}}.from_topic_arn(self, "AlarmTopic", "{arn}")'
        return Place("self.alarm_topic", construct, home, (read,) if arn else _new_topic(is_old=is_old))

    def _home(self, construct: Construct) -> Call | None:
        """The call of the base class's `__init__` in the class around, below which all its methods' topic is made.

        None if there is none, or the construct is not made by a method of a class that is a construct itself.
        """
        owner, function = construct.scope.nearest("class"), construct.scope.nearest("function")
        if owner is None or function is None or function.parameters[:1] != ("self",):
            return None
        init = init_of(owner)
        peers = [one for one in self._file.constructs() if one.scope.nearest("class") is owner]
        if init is None or not any(one.scope_text == "self" for one in peers):
            return None
        for call in self._file.methods("__init__"):
            statement = call.site.statement
            if call.scope is init and statement and statement.count == 1:
                start = self._file.tree.span(statement.node)[0]
                is_before = function is not init or start < construct.start
                return call if is_before and self._file.is_unconditional(init, start) else None
        return None

    def _has_other(self, construct: Construct) -> bool:
        """Whether the class around a construct has an `alarm_topic` or `AlarmTopic` already."""
        owner = construct.scope.nearest("class")
        made = (one for one in self._file.constructs() if one.scope.nearest("class") is owner)
        return owner is not None and ("alarm_topic" in owner.attributes or any(one.id == "AlarmTopic" for one in made))


def _new_topic(*, is_old: bool) -> tuple[str, ...]:
    """The statements that make a topic, for versions of the CDK whose topics have `enforce_ssl`, or older ones."""
    principal = f'{{{_PRINCIPAL}}}("cloudwatch.amazonaws.com")'
    who = f'effect={{{_DENY}}}, principals=[{{{_ANYBODY}}}()], actions=["sns:Publish"]'
    what = 'resources=[self.alarm_topic.topic_arn], conditions={"Bool": {"aws:SecureTransport": "false"}}'
    settings = f'self, "AlarmTopic", master_key=alarm_topic_key{"" if is_old else ", enforce_ssl=True"}'
    refusal = f"self.alarm_topic.add_to_resource_policy({{{_STATEMENT}}}({who}, {what}))"
    return (
        f'alarm_topic_key = {{{_KEY}}}(self, "AlarmTopicKey", enable_key_rotation=True)',
        f"self.alarm_topic = {{{TOPIC}}}({settings})",
        f'alarm_topic_key.grant({principal}, "kms:Decrypt", "kms:GenerateDataKey*")',
        f"self.alarm_topic.grant_publish({principal})",
        *((refusal,) if is_old else ()),
    )


_PHYSICAL = ("function_name", "table_name", "rest_api_name", "api_name", "name")


@dataclass(frozen=True)
class Place:
    """How a topic is read, and the call below whose statement that can be done; what makes it, if that is to be done.

    Attributes:
        topic: How it is read.
        below: The call below which it can be.
        home: The call that it is to be made below.
        lines: The statements that make it, with `{aws_sns.Topic}` for names of the CDK.
    """

    topic: str
    below: Call
    home: Call | None = None
    lines: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the CDK that making it takes."""
        return tuple(dict.fromkeys((TOPIC, *_NAME.findall("".join(self.lines))))) if self.lines else ()

    def made(self, spelled: Mapping[str, str], imports: Sequence[Edit]) -> tuple[Edit, ...] | Manual:
        """The edits that make it, none if it is there; Manual if what is to be imported comes too late for it.

        Args:
            spelled: How names of the CDK are written below, `names` among them.
            imports: The edits that import them.
        """
        if self.home is None:
            return ()
        found = [self.below.scope.find(text.partition(".")[0]) for text in spelled.values()]
        inside = any(one is not None and one[0].kind == "function" for one in found)
        if inside or any(one.start > self.home.start for one in imports):
            return Manual("Modules are imported below where the topic of its alarms would be made", "Import them above")
        text = _NAME.sub(lambda name: spelled[name[1]], "\n".join(self.lines))
        return self.home.insert_after(text, apart=True) or ()


@dataclass(frozen=True)
class Named:
    """What a construct can be read by: a name, the edits that give it that name, and whether it was returned."""

    name: str
    edits: tuple[Edit, ...] = ()
    is_returned: bool = False


def named(construct: Construct) -> Named | None:
    """What a construct can be read by.

    A construct that is a statement of its own, or is returned at once, is assigned to a new variable; None if it has no
    name otherwise.
    """
    if construct.target or construct.is_super:
        return Named(construct.target or "self")
    statement = construct.site.statement
    small = statement.small if statement else None
    source = construct.file.source
    if not isinstance(small, cst.Expr | cst.Return) or small.value is not construct.node:
        return None
    line = source[construct.start : end_of_line(source, construct.start)].rstrip()
    if b"\n" in source[construct.start : construct.end] and not line.endswith(b"("):
        return None  # its arguments are aligned with its bracket
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", construct.id or construct.name.rpartition(".")[2])
    stem = "_".join(words).lower()
    if not stem.isidentifier():
        return None
    name = free_name(construct, stem)
    start = construct.file.tree.span(small)[0] if isinstance(small, cst.Return) else construct.start
    edits = (Edit(construct.path, start, construct.start, f"{name} = "),)
    return Named(name, edits, isinstance(small, cst.Return))


def _is_alarming(function: cst.BaseExpression) -> bool:
    """Whether a call is of a method or function for alarms: `create_alarm`, `self._add_alarms`."""
    name = function.attr if isinstance(function, cst.Attribute) else function
    text = name.value.lower() if isinstance(name, cst.Name) else ""
    return "alarm" in text and not text.startswith("add_alarm_action")


def _names(call: Call, metrics: Sequence[str]) -> bool:
    """Whether `x.metric(...)` is of one of these metrics, or may be."""
    given = call.positional[0] if call.positional else call.argument("metric_name")
    text = given.text.strip("\"'") if given else ""
    is_literal = given is not None and isinstance(given.node, cst.SimpleString)
    return text in metrics or not is_literal


def _required(function: Scope | None) -> list[str]:
    """The parameters of a function that have no default."""
    node = getattr(function, "node", None)
    if not isinstance(node, cst.FunctionDef):
        return []
    return [one.name.value for one in (*node.params.params, *node.params.kwonly_params) if one.default is None]


def _called(topic: Construct) -> str:
    """What a topic is called: its variable, id, and names."""
    return " ".join(
        (topic.target or "", *(one.text for one in topic.arguments if isinstance(one.node, cst.SimpleString)))
    )
