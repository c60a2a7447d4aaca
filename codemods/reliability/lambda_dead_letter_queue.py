"""Keep the events that a Lambda function could not process.

## Why

An event that Lambda accepts for later is tried three times, then it is gone; a message that a function can't process
comes back from its queue again and again until it expires. A dead-letter queue keeps both, to be looked at and sent
again.

## CDK Python

A function gets a queue of its own, and the CDK lets its role send to it:

```python
dead_letter_queue=sqs.Queue(
    self,
    "OrdersDeadLetterQueue",
    encryption=sqs.QueueEncryption.SQS_MANAGED,
    enforce_ssl=True,
    retention_period=Duration.days(14),
)
```

Where SQS feeds the function, the source queue gets a dead-letter queue instead: messages that fail there never come to
the function's own. Impact `behavior`: the function, or its source queue, is updated in place.

## Terraform

`aws_lambda_function` gets `dead_letter_config` and a queue below it, which refuses requests without TLS, and its role
the permission to send to it. Where SQS feeds the function, the source queue gets a `redrive_policy` and such a queue; a
FIFO queue a FIFO one. Impact `behavior`, as above.

## Not fixed

- A `CfnFunction`, and in Terraform a function whose role is not in the module: the role must allow `sqs:SendMessage`.
- A function that reads a stream: give its event source a destination for failures (`on_failure`,
  `destination_config`).
- A source queue that is not declared beside its function, and settings that can't be judged.
- Not reported: functions with a destination for failures (`on_failure`), and those at CloudFront's edge.

## Options

- `days` (default 14): how long the queues keep what could not be processed, from 1 to 14.
- `receives` (default 3): how often a message is received before it goes to the dead-letter queue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codemods.facts import cdk_since
from fixer.cdk.functions import HIGH_LEVEL, sources
from fixer.cdk.functions import functions as cdk_functions
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Unknown
from fixer.terraform import free_name, tags
from fixer.terraform.functions import behind, feeders, functions, role_of
from fixer.terraform.policy_text import NewStatement, encoded_policy

if TYPE_CHECKING:
    from fixer.cdk import Call, CdkFile, Construct
    from fixer.model import Finding, Lack
    from fixer.terraform import Block, Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    days: int = 14
    """How long the queues keep what could not be processed, from 1 to 14 days."""
    receives: int = 3
    """How often a message is received before it goes to the dead-letter queue, from 1 to 1000 times."""

    def __post_init__(self) -> None:
        """Refuse what SQS does not take with ValueError."""
        if not 1 <= self.days <= 14:
            raise ValueError("days: SQS keeps messages for 1 to 14 days")
        if not 1 <= self.receives <= 1000:
            raise ValueError("receives: SQS takes 1 to 1000")


rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S2-3.3",),
    scanners=(
        "CKV_AWS_116",
        "Serverless-LambdaDLQ",
        "HIPAA.Security-LambdaDLQ",
        "NIST.800.53.R5-LambdaDLQ",
    ),
    options=Options,
    keywords=("aws_lambda",),
)

_MESSAGE = "loses events that it can't process"
_OF_QUEUE = "feeds a function, and has no dead-letter queue"
_STREAM = Manual(
    "It reads a stream, and no destination for failures is to be seen",
    "Give its event source one: on_failure in the CDK, destination_config in Terraform",
)
_PERMISSION = "give it a dead-letter queue and allow its role sqs:SendMessage there"

# ---- CDK Python --------------------------------------------------------------------------------

_KEYWORDS = ("dead_letter_queue", "dead_letter_topic", "dead_letter_queue_enabled", "on_failure")
_QUEUES = ("aws_sqs.Queue", "aws_sqs.QueueEncryption.SQS_MANAGED", "Duration")
_SETTING = "aws_sqs.DeadLetterQueue"
_FROM_QUEUE = "aws_lambda_event_sources.SqsEventSource"


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Functions by what keeps their failed events; where SQS feeds them, their source queues."""
    for function in cdk_functions(file):
        fed = list(sources(function))
        for source in fed:
            yield from _fed(file, function, source, options)
        if not fed and not _keeps(function):
            yield _alone(file, function, options)


def _keeps(function: Construct) -> bool:
    """Whether something keeps what the function could not process."""
    return (
        any(function.argument(each) and function.value(each) not in (Absent, Known(False)) for each in _KEYWORDS)
        or function.has("dead_letter_config")
        or function.overridden("dead_letter_config")
        or any("on_failure" in call.text for call in function.methods("configure_async_invoke"))
    )


def _alone(file: CdkFile, function: Construct, options: Options) -> Finding:
    keyword = "dead_letter_queue"
    value = function.value(keyword)
    if function.name not in HIGH_LEVEL:
        manual = Manual("Its role must allow it to send messages to the queue", f"Find the role, {_PERMISSION}")
        return function.finding(rule, _MESSAGE, manual=manual)
    if isinstance(value, Unknown):
        manual = Manual(f"{keyword} can't be judged: it {value.why}", f"Make sure that {keyword} is set there")
        return function.finding(rule, _MESSAGE, manual=manual)
    if obstacle := _obstacle(function):
        return function.finding(rule, _MESSAGE, manual=obstacle)
    spelled, imports = file.spell_all(_QUEUES, function)
    gone = [each for each in ("dead_letter_queue_enabled",) if function.has(each)]
    edits = function.rewrite(set={keyword: _queue(function, spelled, options)}, remove=gone)
    return function.finding(rule, _MESSAGE, fix=Fix((*edits, *imports), Impact.BEHAVIOR))


def _fed(file: CdkFile, function: Construct, source: Call, options: Options) -> Findings:
    """The finding for what feeds a function: a queue without a queue for what fails, or a stream without one."""
    named = source.argument("queue") or source.argument("event_source_arn")
    given = named or next(iter(source.positional), None) if source.name == _FROM_QUEUE else named
    text = given.text.removesuffix(".queue_arn") if given else ""
    queue = next((one for one in file.constructs("aws_sqs.Queue") if one.is_meant_by(text, source)), None)
    if queue is None and source.name != _FROM_QUEUE and ("on_failure" in source.text or "destination_c" in source.text):
        return
    if queue is None and source.name.startswith("aws_lambda_event_sources") and source.name != _FROM_QUEUE:
        yield function.finding(rule, _MESSAGE, manual=_STREAM)
        return
    if queue is None:
        step = "Look at what feeds it where that is made, and give it a dead-letter queue"
        yield function.finding(rule, _MESSAGE, manual=Manual("What feeds it is not made in this file", step))
        return
    value, fifo = queue.value("dead_letter_queue"), queue.value("fifo")
    if queue.argument("dead_letter_queue") or queue.overridden("redrive_policy"):
        return
    unknown = next((one for one in (value, fifo) if isinstance(one, Unknown)), None)
    doubt = Manual(f"It can't be judged: a setting {unknown.why}", "Look there") if unknown else _obstacle(queue)
    if doubt:
        yield queue.finding(rule, _OF_QUEUE, manual=doubt)
        return
    spelled, imports = file.spell_all((*_QUEUES, _SETTING), queue)
    made = _queue(queue, spelled, options, *(("fifo=True",) if fifo == Known(True) else ()))
    text = f"{spelled[_SETTING]}(max_receive_count={options.receives}, queue={made})"
    yield queue.finding(rule, _OF_QUEUE, fix=Fix((*queue.set("dead_letter_queue", text), *imports), Impact.BEHAVIOR))


def _obstacle(construct: Construct) -> Manual | None:
    since = max(filter(None, (cdk_since("aws_sqs.Queue", "enforce_ssl"), cdk_since(_QUEUES[1]))), default=None)
    return construct.file.too_old("enforce_ssl of queues", since) or construct.no_companion(
        "DeadLetterQueue", "Give it a dead_letter_queue"
    )


def _queue(construct: Construct, spelled: Mapping[str, str], options: Options, *more: str) -> str:
    queue, encryption, duration = (spelled[name] for name in _QUEUES)
    settings = (f"encryption={encryption}", "enforce_ssl=True", f"retention_period={duration}.days({options.days})")
    return construct.companion(queue, "DeadLetterQueue", *settings, *more)


# ---- Terraform ---------------------------------------------------------------------------------

_QUEUE = "aws_sqs_queue"


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """Functions by their `dead_letter_config`; where SQS feeds them, the `redrive_policy` of their source queues."""
    for function in functions(module):
        fed = list(feeders(function))
        for mapping in fed:
            yield from _mapped(module, function, mapping, options)
        is_kept = any(_has_destination(one) for one, _ in module.resources_for(function, _INVOKE, "function_name"))
        if not fed and not is_kept and (found := function.lack("dead_letter_config.target_arn")):
            yield _of_function(module, function, found, options)


_INVOKE = "aws_lambda_function_event_invoke_config"


def _has_destination(block: Block) -> bool:
    return any(one.holds("on_failure") for one in block.blocks("destination_config"))


def _of_function(module: Module, function: Block, found: Lack, options: Options) -> Finding:
    role, name = role_of(function), function.attribute("function_name")
    if found.manual or name is None:
        return found.finding(rule, _MESSAGE, manual=Manual("It has no function_name", "Give it one"))
    if role is None or role.read_only or (role.meta() and role.meta() != function.meta()):
        reason = "Its role is not in the module" if role is None else f"{role.address} is made in another way than it"
        return found.finding(rule, _MESSAGE, manual=Manual(reason, f"Find the role, {_PERMISSION}"))
    queue = free_name(module, _QUEUE, f"{function.name}_dlq", "_2")
    target = f"{_QUEUE}.{queue}{function.index}.arn"
    edits = function.set("dead_letter_config.target_arn", target)
    made = _companions(function, queue, f"{name.expr.in_template}-dlq", options)
    send = NewStatement("SendToDeadLetterQueue", ("sqs:SendMessage",), (f"${{{target}}}",))
    kind = "aws_iam_role_policy"
    own = free_name(module, kind, f"{function.name}_dlq", "_2")
    lines = [f"role = {role.address}{function.index if role.meta() else ''}.id", f"\npolicy = {encoded_policy(send)}"]
    text = "\n".join((*made, function.companion(kind, own, "\n".join(lines), reference="")))
    return found.finding(rule, _MESSAGE, also=(*edits, *function.insert_after(text)))


def _mapped(module: Module, function: Block, mapping: Block, options: Options) -> Findings:
    """The finding for what feeds a function: a queue without a queue for what fails, or a stream without one."""
    attribute = mapping.attribute("event_source_arn")
    queue = behind(module, attribute.expr, _QUEUE) if attribute else None
    if queue is None:
        if attribute and "sqs" not in attribute.expr.text.lower() and "queue" not in attribute.expr.text.lower():
            if not mapping.holds("destination_config"):
                yield function.finding(rule, _MESSAGE, manual=_STREAM)
        else:
            step = "Look at the source queue where it is declared, and give it a redrive_policy"
            yield function.finding(rule, _MESSAGE, manual=Manual("Its source queue is not in the module", step))
        return
    if any(module.resources_for(queue, "aws_sqs_queue_redrive_policy", "queue_url")):
        return
    found = queue.lack("redrive_policy")
    name, fifo = queue.attribute("name"), queue.value("fifo_queue")
    if found is None:
        return
    if found.manual:
        yield found.finding(rule, _OF_QUEUE)
    elif name is None or fifo not in (Absent, Known(True), Known(False)):
        manual = Manual("Its name or kind can't be judged", "Give it a redrive_policy")
        yield found.finding(rule, _OF_QUEUE, manual=manual)
    else:
        is_fifo = fifo == Known(True)
        called = name.expr.in_template.removesuffix(".fifo") + ("-dlq.fifo" if is_fifo else "-dlq")
        free = free_name(module, _QUEUE, f"{queue.name}_dlq", "_2")
        fields = f"  deadLetterTargetArn = {_QUEUE}.{free}{queue.index}.arn\n  maxReceiveCount = {options.receives}\n"
        edits = queue.set("redrive_policy", f"jsonencode({{\n{fields}}})")
        text = "\n".join(_companions(queue, free, called, options, is_fifo=is_fifo))
        yield found.finding(rule, _OF_QUEUE, also=(*edits, *queue.insert_after(text)))


def _companions(block: Block, name: str, called: str, options: Options, *, is_fifo: bool = False) -> Iterator[str]:
    """A queue that goes with a block, and its policy."""
    lines = [f'name = "{called}"', *(("fifo_queue = true",) if is_fifo else ())]
    lines += [f"message_retention_seconds = {options.days * 86400}", "sqs_managed_sse_enabled = true"]
    if shared := tags(block):
        lines.append(f"\ntags = {shared}")
    yield block.companion(_QUEUE, name, "\n".join(lines), reference="")
    queue = f"{_QUEUE}.{name}{block.index}"
    deny = NewStatement(
        "DenyInsecureTransport",
        ("sqs:*",),
        (f"${{{queue}.arn}}",),
        effect="Deny",
        principals=(("*", ("*",)),),
        conditions=(("Bool", "aws:SecureTransport", ("false",)),),
    )
    lines = [f"queue_url = {queue}.id", f"\npolicy = {encoded_policy(deny)}"]
    kind = "aws_sqs_queue_policy"
    yield block.companion(kind, free_name(block.module, kind, name, "_2"), "\n".join(lines), reference="")
