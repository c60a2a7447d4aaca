"""Describe outputs, check their form, and give their exports the name of the environment.

## Why

Outputs are what a stack or module tells those who use it: people after a deployment, pipelines, other stacks. One
without a description has to be looked up in the code. One that is wrong, an empty URL or the name in the place of an
ARN, is found by whoever uses it. An export with a fixed name makes the second environment of an account fail.

## CDK Python

A `CfnOutput` whose value is an attribute of a construct that the file makes is described by what it is:

```python
CfnOutput(self, "Orders", value=orders_bucket.bucket_name, description="Name of the orders bucket")
```

Impact `none`: descriptions deploy nothing. Where the code has its environment in a variable, an output of a stack that
gives an attribute gets an export too, named in the manner of the others in its class; if there are none, after its
stack, whose name is unique, and the environment:

```python
export_name=f"{self.stack_name}-Orders-{environment_suffix}"
```

Impact `behavior`: the output changes, no resource does. An `export_name` that is written out gets the suffix. Impact
`replacement`: **the export is renamed; CloudFormation refuses that while another stack imports it**.

An HTTP API of a stack that has no output for its URL gets one. REST APIs have one: the CDK makes it.

## Terraform

An output whose value is an attribute of a resource or data source in the module, also in `try(...)`, `one(...)`, a
splat, or a condition with nothing on the other side, is described by what it is. In modules that need Terraform 1.2 or
later, those whose value is certainly an ARN or a URL get a check of its form:

```hcl
output "function_arn" {
  description = "ARN of the orders Lambda function"
  value       = aws_lambda_function.orders.arn

  precondition {
    condition     = can(regex("^arn:aws[a-z-]*:", aws_lambda_function.orders.arn))
    error_message = "The ARN of the orders Lambda function is not an ARN."
  }
}
```

Impact `none`: the plan is the same. The stage of an API that has no output for its URL gets one, in `outputs.tf` if
there is such a file. Impact `behavior`: an output is added.

## Not fixed

- An output whose value does not say what it is: a variable, a literal, an attribute of a module or of what other files
  make. Write the description by hand.
- In the CDK, an output with `**arguments`, and an export that is imported in the app by its name.
- An API in the CDK that is assigned to no variable; in Terraform, an API's stage with `count` or `for_each`.
- Not reported: exports in code that has no environment (a `stage` is an API's more often), of nested stacks and of
  constructs that are no stack, and export names that are computed; REST APIs and APIs without a default stage;
  checks of values that are sensitive, conditional, or from resources with `count` or `for_each`; outputs in override
  files and in JSON; version 1 of the CDK but for descriptions.

## Options

- `exports` (default true): CDK: give outputs exports, and exports the suffix, where the code has an environment.
- `preconditions` (default true): Terraform: check the form of ARNs and URLs.
- `outputs` (default `["api"]`): what gets an output if it has none: `api`, `function`, or nothing. An output for each
  function, its ARN, is noise in most projects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from codemods._phrases import distinction, phrase, spelled, words
from codemods.facts.terraform_aws import terraform_resource
from codemods.observability._outputs import PARTS, meaning, meaning_of_output, of_resource
from fixer.cdk.environment import Environments
from fixer.cdk.functions import functions
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Unknown
from fixer.terraform import free_name, placed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixer.cdk import CdkFile, Construct
    from fixer.model import Finding
    from fixer.terraform import Block, Module

_OUTPUTS = ("api", "function")


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    exports: bool = True
    """CDK: give outputs exports, and exports the suffix, where the code has an environment."""
    preconditions: bool = True
    """Terraform: check the form of outputs that are ARNs and URLs."""
    outputs: tuple[str, ...] = ("api",)
    """What gets an output if it has none: `api` for its URL, `function` for its ARN."""

    def __post_init__(self) -> None:
        """Refuse other outputs with ValueError."""
        if unknown := [name for name in self.outputs if name not in _OUTPUTS]:
            raise ValueError(f"outputs must be of {', '.join(_OUTPUTS)}, not {', '.join(unknown)}")


rule = Rule(
    __name__,
    impact=Impact.REPLACEMENT,
    seeds=("S2-5.3",),
    scanners=("terraform_documented_outputs", "59312e8a-a64e-41e7-a252-618533dd1ea8"),
    options=Options,
    keywords=("CfnOutput", "output", "aws_apigatewayv2", "aws_api_gateway", "aws_lambda"),
)

_NOT_DESCRIBED = "has no description"
_WRITE = "Write a description that says what it is"

# ---- CDK Python --------------------------------------------------------------------------------

_OUTPUT = "CfnOutput"
_EXPORTABLE = re.compile(r"[A-Za-z0-9:-]{1,128}")
_OF_APIS = ("stage", "stage_name")
"""Names that hold an API's stage more often than an environment."""
_APIS = {
    f"{module}.{name}": attribute
    for module in ("aws_apigatewayv2", "aws_apigatewayv2_alpha")
    for name, attribute in (("HttpApi", "api_endpoint"), ("HttpStage", "url"), ("WebSocketStage", "url"))
}


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Outputs by their keywords; APIs and functions by the outputs of the app."""
    for output in file.constructs(_OUTPUT):
        yield from _described(output)
        if options.exports and not file.is_v1:
            yield from _exported(output)
    if not file.is_v1:
        yield from _without_output(file, options)


def _described(output: Construct) -> Findings:
    value = output.value("description", shared=True)
    if output.overridden("description") or not (value is Absent or isinstance(value, Unknown) or value == Known("")):
        return
    if isinstance(value, Unknown):
        if not output.has("description"):
            manual = Manual(f"The description can't be judged: it {value.why}", "Make sure that it has one")
            yield output.finding(rule, "may have no description", manual=manual)
    elif (meant := meaning_of_output(output)) is None:
        manual = Manual("Its value does not say what it is", _WRITE)
        yield output.finding(rule, _NOT_DESCRIBED, manual=manual)
    else:
        yield output.finding(rule, _NOT_DESCRIBED, fix=Fix(output.set("description", f'"{meant}"'), Impact.NONE))


def _exported(output: Construct) -> Findings:
    """The finding for an export that is missing, or is called the same in all environments."""
    value, given = output.value("export_name", shared=True), output.argument("export_name")
    if output.parent_class != "Stack" or output.overridden("export_name"):
        return
    source = Environments(output.file).there(output.scope, output.start)
    if source is None or source.code.rpartition(".")[2] in _OF_APIS:
        return
    match value:
        case Known(str(name)) if given and isinstance(given.node, cst.SimpleString) and _EXPORTABLE.fullmatch(name):
            message = "exports the same name in all environments; once fixed, it is renamed"
            importer = next(
                (path for path in output.file.app.holding("import_value") if _imports(output, path, name)), ""
            )
            if importer:
                manual = Manual(f"{importer} imports it by its name", "Give it the suffix in both places")
                yield output.finding(rule, message, manual=manual, at=given)
            else:
                suffixed = f'f"{name}-{{{source.code}}}"'
                fix = Fix(output.set("export_name", suffixed), Impact.REPLACEMENT)
                yield output.finding(rule, message, fix=fix, at=given)
        case _ if value is Absent and not given and (made := _export(output, source.code)):
            fix = Fix(output.set("export_name", made), Impact.BEHAVIOR)
            yield output.finding(rule, "has no export for its environment", fix=fix)


def _imports(output: Construct, path: str, name: str) -> bool:
    source = output.file.app.sources[path].decode()
    return re.search(rf"import_value\s*\(\s*[\"']{re.escape(name)}[\"']", source) is not None


def _export(output: Construct, environment: str) -> str | None:
    """Python source of a name that no other export has; None for what is no attribute of something, or has no id."""
    own = (output.id or "").replace("_", "-")
    written = output.behind("value")
    node = written.node if written else None
    if not _EXPORTABLE.fullmatch(own) or not isinstance(node, cst.Attribute) or not PARTS.search(node.attr.value):
        return None
    mates = (one for one in output.file.constructs(_OUTPUT) if one.class_name == output.class_name)
    others = [given.text for one in mates if (given := one.argument("export_name"))]
    by_stack = [text for text in others if "self.stack_name" in text]
    if by_stack and not all(f"{{{environment}}}" in text for text in by_stack):
        return f'f"{{self.stack_name}}-{own}"'
    taken = any(re.search(rf"[\"']{own}-".encode(), source) for source in output.file.app.sources.values())
    if any(f"-{{{environment}}}" in text for text in others) and not by_stack and not taken:
        return f'f"{own}-{{{environment}}}"'
    return f'f"{{self.stack_name}}-{own}-{{{environment}}}"'


def _without_output(file: CdkFile, options: Options) -> Findings:
    """APIs and functions of stacks that no output of the app gives."""
    apis = file.constructs(*_APIS) if "api" in options.outputs else ()
    of_lambda = functions(file, low_level=False) if "function" in options.outputs else ()
    for one in (*apis, *of_lambda):
        if not one.is_super and one.parent_class == "Stack" and _serves(one) and not _is_given(one):
            part, attribute = ("URL", _APIS[one.name]) if one.name in _APIS else ("ARN", "function_arn")
            fix = _output(one, part, attribute)
            manual = Manual("It is assigned to no variable, or its id can't be continued", "Add an output for it")
            yield one.finding(rule, f"has no output for its {part}", fix=fix, manual=None if fix else manual)


def _output(one: Construct, part: str, attribute: str) -> Fix | None:
    """An output for an attribute of an API or function, if it can be read."""
    suffix = part.capitalize()
    if one.target is None or one.no_companion(suffix, ""):
        return None
    noun = words(one.name.rpartition(".")[2])
    own = distinction(one.target.rpartition(".")[2], noun) or distinction(one.id or "", noun)
    described = f'description="{phrase(part, spelled(noun), own)}"'
    name, imports = one.file.spell(_OUTPUT, one)
    output = one.companion(name, suffix, f"value={one.target}.{attribute}", described)
    edits = (_last_output(one) or one).insert_after(output)
    return Fix((*edits, *imports), Impact.BEHAVIOR) if edits else None


def _serves(one: Construct) -> bool:
    """Whether what is asked at the address certainly answers: an API by the stage that it makes for itself."""
    if not one.name.endswith(".HttpApi"):
        return True
    stage, disabled = one.value("create_default_stage"), one.value("disable_execute_api_endpoint")
    return stage in (Absent, Known(True)) and disabled in (Absent, Known(False))


def _is_given(one: Construct) -> bool:
    """Whether an output of the app mentions it, or may."""
    names = [target.rpartition(".")[2] for target in one.targets]
    if not names:
        return False
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})\b")
    for output in one.file.constructs(_OUTPUT, include_subclass_calls=True):
        written = output.behind("value")
        if output.value("value") is Absent or (written and pattern.search(written.text)):
            return True
    others = (path for path in one.file.app.holding(_OUTPUT) if path != one.path)
    shared = [name.rpartition(".")[2] for name in one.targets if "." in name]
    return any(name in one.file.app.sources[path].decode() for path in others for name in shared)


def _last_output(one: Construct) -> Construct | None:
    """The last output of the method that the construct is made in, if both stand right in it."""
    function = one.scope.nearest("function")
    if function is None or not one.file.is_unconditional(function, one.start):
        return None
    found = [
        output
        for output in one.file.constructs(_OUTPUT)
        if output.scope.nearest("function") is function and one.file.is_unconditional(function, output.start)
    ]
    return found[-1] if found and found[-1].start > one.start else None


# ---- Terraform ---------------------------------------------------------------------------------

_ARN = 'regex("^arn:aws[a-z-]*:", {})'
_URLS = {
    ("aws_api_gateway_stage", "invoke_url"): 'regex("^https://", {})',
    ("aws_apigatewayv2_api", "api_endpoint"): 'regex("^(https|wss)://", {})',
    ("aws_apigatewayv2_stage", "invoke_url"): 'regex("^(https|wss)://", {})',
    ("aws_lambda_function_url", "function_url"): 'regex("^https://", {})',
}
_FILES = ("outputs.tf", "output.tf")
_STAGES = {"aws_api_gateway_stage": "rest_api_id", "aws_apigatewayv2_stage": "api_id"}


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """Outputs by their description and the form of their value; stages and functions by the outputs."""
    for output in module.outputs():
        if not module.overridden(output):
            yield from _judged(module, output, options)
    if "api" in options.outputs and not module.incomplete:
        for kind, argument in _STAGES.items():
            yield from _not_given(module, kind, "invoke_url", argument)
    if "function" in options.outputs and not module.incomplete:
        yield from _not_given(module, "aws_lambda_function", "arn", "")


def _judged(module: Module, output: Block, options: Options) -> Iterator[Finding]:
    """The finding for an output without a description, without a check of its form, or without both."""
    value, given = output.attribute("value"), output.attribute("description")
    is_bare = given is None or given.expr.text.strip('" ') == ""
    if value is None:
        return
    meant = meaning(module, value.expr)
    check = _check(module, output, meant or "") if options.preconditions else ""
    if is_bare and meant is None:
        yield output.finding(rule, _NOT_DESCRIBED, manual=Manual("Its value does not say what it is", _WRITE))
    elif is_bare or check:
        message = " and ".join(
            [*([_NOT_DESCRIBED] if is_bare else []), *(["does not check its form"] if check else [])]
        )
        text = f'"{meant}"'
        if not is_bare:
            edits = output.append(check)
        elif given is None:
            edits = output.lead("description", text, check)
        else:
            edits = (*output.set("description", text), *(output.append(check) if check else ()))
        yield output.finding(rule, message, fix=Fix(edits, Impact.NONE))


def _check(module: Module, output: Block, meaning: str) -> str:
    """The precondition for an output that is certainly an ARN or a URL; empty if there is none, or it has one."""
    value = output.attribute("value")
    found = value.expr.traversal if value else None
    if found is None or output.holds("precondition") or not module.requires_terraform(1, 2) or not meaning:
        return ""
    if output.attribute("sensitive") or output.attribute("ephemeral") or len(found.rest) != 1:
        return ""
    resource, name = module.resource(found.address), found.rest[0][1:]
    kind = resource.labels[0] if resource and resource.type == "resource" else ""
    body = terraform_resource(kind)
    attribute = body.attributes.get(name) if body else None
    if attribute is None or attribute.optional or attribute.required:
        return ""
    form = _ARN if name == "arn" else _URLS.get((kind, name), "")
    what = "an ARN" if name == "arn" else "a URL"
    message = f'"The {meaning[0].lower() if meaning[1].islower() else meaning[0]}{meaning[1:]} is not {what}."'
    condition = f"can({form.format(found.text)})"
    return f"precondition {{\n  condition     = {condition}\n  error_message = {message}\n}}" if form else ""


def _not_given(module: Module, kind: str, attribute: str, argument: str) -> Findings:
    """The resources of a type that no output gives, themselves or what they are for."""
    for one in module.resources(kind):
        if module.resource(one.address) is not one or _is_output(module, one, argument):
            continue
        message = f"has no output for its {'URL' if argument else 'ARN'}"
        if one.meta().keys() & {"count", "for_each"}:
            manual = Manual("There may be several of it", "Add an output that gives them all")
            yield one.finding(rule, message, manual=manual)
        else:
            reference = f"{one.address}.{attribute}"
            lines = [f'description = "{of_resource(module, one.address, (f".{attribute}",))}"', f"value = {reference}"]
            stem = one.name if one.name not in ("this", "main", "default") else "api"
            name = free_name(module, "output", f"{stem}_{attribute}", "_2")
            text = f'output "{name}" {{\n' + "".join(f"  {line}\n" for line in lines) + "}\n"
            yield one.finding(rule, message, fix=Fix(placed(one, text, _FILES), Impact.BEHAVIOR))


def _is_output(module: Module, one: Block, argument: str) -> bool:
    """Whether an output gives the resource or what its argument refers to, also through a local."""
    given = one.attribute(argument) if argument else None
    owners = {found.address for found in given.expr.traversals()} if given else set()
    return any(module.gives(address) for address in (one.address, *owners))
