"""Stages of API Gateway as CDK apps make them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fixer.cdk.calls import Call
from fixer.model import Absent, Edit, Known, Lack, Unknown, Value

if TYPE_CHECKING:
    from fixer.cdk.calls import Construct
    from fixer.cdk.file import CdkFile

REST_APIS = (
    "aws_apigateway.RestApi",
    "aws_apigateway.LambdaRestApi",
    "aws_apigateway.SpecRestApi",
    "aws_apigateway.StepFunctionsRestApi",
)
"""What makes a stage of its own, by `deploy_options`, unless it is told not to."""
REST_STAGES = ("aws_apigateway.Stage", "aws_apigateway.CfnStage")
OPTIONS = "aws_apigateway.StageOptions"


@dataclass(frozen=True)
class RestStage:
    """A stage of a REST API: one with a construct of its own, or the one that an API makes for itself."""

    construct: Construct

    @property
    def is_own(self) -> bool:
        """Whether the stage has a construct of its own, which takes its options directly."""
        return self.construct.name in REST_STAGES

    @property
    def options(self) -> Call | Value:
        """The call that takes the stage's options; Absent if the API is given none; Unknown if it can't be told."""
        return self.construct if self.is_own else self.construct.within("deploy_options", OPTIONS)

    def value(self, name: str) -> Value:
        """What an option is set to."""
        options = self.options
        return options.value(name, shared=True) if isinstance(options, Call) else options

    def lack(self, name: str, value: Any, since: tuple[int, ...] | None = None) -> Lack | None:
        """What is wrong with an option that is to have a value; see `Call.lack`."""
        if self.is_own:
            return self.construct.lack(name, value, since=since)
        return self.construct.lack(f"deploy_options.{name}", value, struct=OPTIONS, since=since)

    def lack_all(self, values: Mapping[str, str], step: str) -> Lack | None:
        """What is wrong with options that must all be there, whatever they are; see `Call.lack_all`."""
        if self.is_own:
            return self.construct.lack_all(values, step)
        return self.construct.lack_all(values, step, keyword="deploy_options", struct=OPTIONS)

    def set_all(
        self, values: Mapping[str, str], spelled: str, others: Mapping[str, str] | None = None
    ) -> tuple[Edit, ...]:
        """Give options that have none their values, Python expressions.

        Args:
            values: The options by their names.
            spelled: How `OPTIONS` is written there, should the API be given none yet.
            others: Keywords for the construct itself.
        """
        options, more = self.options, dict(others or {})
        if options is Absent:
            given = ", ".join(f"{name}={text}" for name, text in values.items())
            return self.construct.set_all({"deploy_options": f"{spelled}({given})", **more})
        if not isinstance(options, Call):
            raise ValueError("the options can't be told")
        if options is self.construct:
            return options.set_all({**values, **more})
        if more:
            return self.construct.set_all({"deploy_options": options.with_added(values), **more})
        return options.set_all(values)


def rest_stages(file: CdkFile) -> Iterator[RestStage]:
    """The stages of REST APIs that a file makes."""
    for construct in file.constructs(*REST_APIS, *REST_STAGES):
        deploys = construct.value("deploy", shared=True)
        if construct.name in REST_STAGES or isinstance(deploys, Unknown) or deploys in (Absent, Known(True)):
            yield RestStage(construct)


def method_settings(api: Construct) -> Iterator[Call]:
    """The calls that say how methods of a REST API are, such as `MethodOptions` and `add_method`, in its file.

    Those that may be of another one are given too if the file makes just this one, and that has no settings for all.
    """
    file, given = api.file, api.argument("default_method_options")
    is_alone = not given and len(list(file.constructs(*REST_APIS))) == 1
    for call in (*file.calls("aws_apigateway.MethodOptions"), *file.methods("add_method"), *file.methods("add_proxy")):
        is_default = given is not None and given.start <= call.start < given.end
        if is_default or is_alone or _root(call) == api.target:
            yield call


def _root(call: Call) -> str:
    """What a method's receiver comes from: `api` for `orders.add_method` after `orders = api.root.add_resource()`."""
    file = call.file
    receiver = file.receiver(call) if hasattr(call.node.func, "value") else ""
    known = {each.target: file.module.code_for_node(each.value) for each in file.tree.assignments}
    for _ in known:
        name = receiver.partition(".root")[0].partition(".add_")[0]
        if name not in known or name == receiver == known[name]:
            return name
        if not known[name].partition("(")[0].endswith((".add_resource", ".root", ".resource_for_path")):
            return name
        receiver = known[name]
    return receiver
