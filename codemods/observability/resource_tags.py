"""Tag what a project makes with its environment, its owner and its project.

## Why

A bill, an alarm or a stray database names a resource. Whose it is, and whether anybody needs it still, only its tags
say: costs can be split by them, and policies can go by them. Tags that every resource has to set are forgotten in one
of them; given once, at the root, none is.

Only what is known is written: the name of the environment where the code holds one, and what the configuration says.
Nothing is made up.

## CDK Python

An app that is not tagged, and not all of whose stacks are, gets a tag of its own:

```python
app = cdk.App()
environment_suffix = app.node.try_get_context("environmentSuffix") or "dev"
cdk.Tags.of(app).add("Environment", environment_suffix)
```

The value is a variable or parameter that certainly holds a text there (`environment_name`, `env_name`, `environment`,
`environment_suffix` and the like); else what all the stacks read from the context, with the default that they have;
else, if each stack has such a name of its own, each class of stacks gets `Tags.of(self).add(...)`; else the one literal
that the app's tags have already. A `Stage` is treated as an app is: an app's tags do not reach what is made in it.

Impact `behavior`: the stacks and their resources are updated in place. A tag nearer to a resource stays as it is.

## Terraform

Each `aws` provider of a root module, each alias, that gives no such tag gets it in its `default_tags`:

```hcl
provider "aws" {
  region = var.aws_region

  default_tags {
    tags = {
      Environment = var.environment
    }
  }
}
```

What is there is kept: an object gets another entry, anything else is put into `merge()`. A provider without
`default_tags` gets the map that another provider of the module has, if that speaks of no region or role such as
`primary`, or the local that the module tags its resources with. The value is the one that the module's tags have, if
they all have the same; else a variable or a local (`environment`, `env_name`, `environment_suffix` and the like), else
`terraform.workspace` if the module mentions it.

Impact `behavior`: resources are updated in place. A tag of the same key that a resource sets itself counts for it.

In both languages a key is written as the code writes it already, and one that says the same counts: `env`, `stage`,
`acme:environment`, `EnvironmentSuffix`; `ProjectName`.

## Not fixed

- An app, or a module (reported once), in which nothing certainly holds the name of the environment: set the option
  `environment`, or read it from the context or a variable, then run iacfix again.
- CDK: stacks that are given the environment, where the app reads it from the context without a default.
- CDK: tags in a loop over something that is not written out; an app that has no name; version 1; a resource or stack
  that has the tag as a property (`CfnTag`, `tags=`), whose value a tag of the app would replace.
- Terraform: default tags from a variable or a `dynamic` block, in an override file or in JSON; a provider older than
  version 4, which may not have them; one older than 5 where resources set the same tag, since it would plan a change
  for ever.
- Not reported: owner and project that are not configured; a module that others call, whose provider's tags are its
  caller's matter; one all of whose resources carry the tags, or that has none to tag; tags that the command line
  or `cdk.json` give.

## Options

- `environment` (default empty): the tag `Environment`, where the code holds no name of its environment.
- `owner` (default empty): the tag `Owner`; empty: none is asked for.
- `project` (default empty): the tag `Project`; empty: none is asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from codemods._phrases import listed
from codemods.facts.terraform_aws import terraform_resource
from fixer.cdk.context import bare_reads, items_read
from fixer.cdk.environment import Environments
from fixer.cdk.tagging import Tagged, tag
from fixer.model import Edit, Findings, Fix, Impact, Manual, Rule
from fixer.terraform.environment import environment
from fixer.terraform.evaluate import is_early
from fixer.terraform.tagging import TaggedModule

if TYPE_CHECKING:
    from fixer.cdk import CdkFile, Construct
    from fixer.model import Finding
    from fixer.terraform import Expr, Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    environment: str = ""
    """The tag Environment, where the code holds no name of its environment."""
    owner: str = ""
    """The tag Owner; empty: none."""
    project: str = ""
    """The tag Project; empty: none."""

    def __post_init__(self) -> None:
        """Refuse what AWS takes in no tag with ValueError."""
        for field in fields(self):
            if not re.fullmatch(r"[\w +\-=.:/@]{0,256}", getattr(self, field.name)):
                raise ValueError(f"{field.name}: AWS takes letters, digits, spaces and + - = . _ : / @ in tags")


rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S1-5.1", "S2-5.1"),
    scanners=("aws_provider_missing_default_tags", "aws_resource_missing_tags", "e38a8e0a-b88b-4902-b3fe-b0fcb17d5c10"),
    options=Options,
    keywords=("aws",),
)

_KINDS = {
    "Environment": frozenset(("env", "environment", "stage")),
    "Owner": frozenset(("owner",)),
    "Project": frozenset(("project",)),
}
"""The tags, and the words of keys that say the same in a project's own way: `acme:environment`, `ProjectName`."""
_ENVIRONMENT = "Environment"
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_CONFIGURE = "Name it in the configuration of iacfix: [rules.resource-tags], environment"


def _kind(key: str) -> str | None:
    """Which of the tags a key is."""
    words = {word.lower() for word in _WORD.findall(key)}
    return next((kind for kind, own in _KINDS.items() if own & words), None)


def _is(kind: str) -> Callable[[str], bool]:
    return lambda key: _kind(key) == kind


def _is_exactly(kind: str) -> Callable[[str], bool]:
    """Whether a key is the tag itself, such as `env` or `acme:environment`, and not `EnvironmentSuffix`."""
    return lambda key: any(word.lower() in _KINDS[kind] for word in _WORD.findall(key)[-1:])


def _spelling(kind: str, keys: Iterable[str]) -> str:
    """The tag's key as these, which the code has, write it: IAM takes no two that differ in their capitals alone."""
    counts = Counter(filter(_is_exactly(kind), keys))
    return counts.most_common(1)[0][0] if counts else kind


def _required(options: Options) -> list[str]:
    """The tags that a project has to have: its environment, and what it configures."""
    return [_ENVIRONMENT, *(kind for kind in ("Owner", "Project") if getattr(options, kind.lower()))]


# ---- CDK Python --------------------------------------------------------------------------------


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Apps, and stages, which an app's tags don't reach, if neither they nor all of their stacks are tagged."""
    for root in file.constructs("App", "Stage"):
        tagged = Tagged(root)
        missing = [kind for kind in _required(options) if not tagged.has(_is(kind))]
        if missing and tagged.stacks:
            yield from _untagged(root, tagged, missing, options)


def _untagged(root: Construct, tagged: Tagged, missing: list[str], options: Options) -> Findings:
    """The findings for an app or a stage that does not tag what is made in it."""
    said = [(key, one.value) for one in tagged.taggings for key in one.keys or ()]
    spelled = {kind: _spelling(kind, (key for key, _ in said)) for kind in missing}
    if manual := _obstacle(root, tagged, spelled):
        yield root.finding(rule, _untold(missing), manual=manual)
        return
    values = {kind: value for kind in missing if (value := _value(root, tagged, kind, said, options))}
    if values:
        yield _tagging(root, values, {root: {spelled[kind]: value for kind, value in values.items()}})
    if _ENVIRONMENT in missing and _ENVIRONMENT not in values:
        yield _of_stacks(root, tagged, spelled[_ENVIRONMENT])


def _untold(kinds: Iterable[str]) -> str:
    return f"does not tag what is made in it with {listed(kinds)}"


def _obstacle(root: Construct, tagged: Tagged, spelled: Mapping[str, str]) -> Manual | None:
    """Why it can't be tagged."""
    names = listed(spelled)
    if root.file.is_v1:
        return Manual("It is written for version 1 of the CDK", f"Tag it with {names} there")
    if unclear := tagged.unclear:
        where = f"{unclear.call.path}:{unclear.call.line}"
        return Manual(f"The keys of the tags in {where} can't be told", f"Make sure that {names} is among them")
    if root.target is None:
        return Manual("It has no name here", f"Assign it to a variable, and tag that with {names}")
    if given := next((place for key, place in tagged.properties() if key in spelled.values()), None):
        reason = f"{given} gives the tag as a property, which a tag of the {root.name.lower()} replaces"
        return Manual(reason, "Give it there with Tags.of(), then run iacfix again")
    return None


def _value(root: Construct, tagged: Tagged, kind: str, said: list[tuple[str, str]], options: Options) -> str:
    """The code for a tag at the root; empty if nothing says it there."""
    if kind == _ENVIRONMENT:
        if found := _held(root) or _of_context(root):
            return found
        if (stacks := tagged.bare(_is(kind))) and all(map(_held, stacks)):
            return ""
    texts = {text for key, text in said if _is_exactly(kind)(key)}
    text = (texts.pop() if len(texts) == 1 else "") or getattr(options, kind.lower())
    return root.file.quoted(text) if text else ""


def _held(construct: Construct) -> str:
    """What certainly holds the environment in a line below a construct; empty if nothing does."""
    found = Environments(construct.file).certain(construct)
    return found.code if found and construct.insert_after("", below=found.start) else ""


def _of_context(root: Construct) -> str:
    """What the stacks read from the context, if they all read the same item with the same default."""
    items = {one for one in items_read(root.file.app) if _kind(one[0]) == _ENVIRONMENT}
    name, default = items.pop() if len(items) == 1 else ("", "")
    if not default:
        return ""
    return f"{root.target}.node.try_get_context({root.file.quoted(name)}) or {root.file.quoted(default)}"


def _of_stacks(root: Construct, tagged: Tagged, key: str) -> Finding:
    """The finding for the environment that is not known at the root, but may be to each stack."""
    stacks = tagged.bare(_is(_ENVIRONMENT)) or []
    held = {stack: {key: _held(stack)} for stack in stacks}
    bare = (one for one in bare_reads(root.file.app) if _kind(str(one.key)) == _ENVIRONMENT)
    if stacks and (read := next(bare, None)):
        reason = f"{read.path}:{read.line} reads the environment from the context, which may not have it"
        return root.finding(rule, _untold([_ENVIRONMENT]), manual=Manual(reason, "Give it a default there"))
    if stacks and all(tags[key] for tags in held.values()):
        return _tagging(root, [_ENVIRONMENT], held)
    manual = Manual("No variable, parameter or context that it reads names the environment", _CONFIGURE)
    return root.finding(rule, _untold([_ENVIRONMENT]), manual=manual)


def _tagging(root: Construct, kinds: Iterable[str], tags: Mapping[Construct, Mapping[str, str]]) -> Finding:
    """The finding for tags that these constructs get."""
    changes: list[Edit] = []
    for construct, values in tags.items():
        held = Environments(construct.file).certain(construct)
        edits = tag(construct, values, held.start if held and held.code in values.values() else 0)
        if edits is None:
            manual = Manual("Its statement is not on a line of its own", f"Tag it with {listed(values)} there")
            return root.finding(rule, _untold(kinds), manual=manual)
        changes += edits
    return root.finding(rule, _untold(kinds), fix=Fix(tuple(changes), Impact.BEHAVIOR))


# ---- Terraform ---------------------------------------------------------------------------------


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """The providers of a root module, each alias, that do not give the tags by default."""
    tagged, required = TaggedModule(module, _takes_tags), _required(options)
    if module.facts.called_by or all(tagged.has(_is(kind)) for kind in required):
        return
    spelled = {kind: _spelling(kind, (key for key, _ in tagged.written)) for kind in required}
    values = {kind: _expression(module, tagged, kind, options) for kind in required}
    has_complained = False
    for provider in tagged.providers:
        given = {_kind(key) for key in tagged.defaults(provider).known}
        missing = [kind for kind in required if kind not in given]
        keys = [spelled[kind] for kind in missing]
        if missing and (manual := tagged.obstacle(provider, keys, listed(missing))):
            yield provider.finding(rule, _ungiven(missing), manual=manual)
            continue
        if known := [kind for kind in missing if values[kind]]:
            tags = {spelled[kind]: values[kind] for kind in known}
            edits = tagged.add(provider, tags, is_shared=_is_exactly(_ENVIRONMENT))
            yield provider.finding(rule, _ungiven(known), fix=Fix(edits, Impact.BEHAVIOR))
        if len(known) < len(missing) and not has_complained:  # what the module lacks is said once, not for each region
            has_complained = True
            manual = Manual("No variable, local or tag of the module holds the name of the environment", _CONFIGURE)
            yield provider.finding(rule, _ungiven([_ENVIRONMENT]), manual=manual)


def _takes_tags(kind: str) -> bool:
    body = terraform_resource(kind)
    return body is not None and "tags" in body.attributes


def _ungiven(kinds: Iterable[str]) -> str:
    return f"tags nothing with {listed(kinds)} by default"


def _expression(module: Module, tagged: TaggedModule, kind: str, options: Options) -> str:
    """An expression for the tag; empty if nothing says it."""
    said: dict[str, Expr] = {value.text: value for key, value in tagged.written if _is_exactly(kind)(key)}
    if len(said) == 1 and all(is_early(module, value) for value in said.values()):
        return next(iter(said))
    configured = getattr(options, kind.lower())
    held = environment(module) if kind == _ENVIRONMENT else ""
    return held or (f'"{configured}"' if configured else "")
