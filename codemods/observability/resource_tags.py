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
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from textwrap import indent
from typing import TYPE_CHECKING

from codemods.facts.terraform_aws import terraform_resource
from fixer.cdk.context import is_given, reads
from fixer.cdk.environment import Environments
from fixer.cdk.layout import end_of_line, fold, indent_at, start_of_line
from fixer.cdk.tagging import Tagged
from fixer.model import Edit, Findings, Fix, Impact, Manual, Rule
from fixer.terraform.environment import environment
from fixer.terraform.evaluate import is_early
from fixer.terraform.maps import adding, entries, one_line, with_others

if TYPE_CHECKING:
    from fixer.cdk import CdkFile, Construct
    from fixer.cdk.context import Read
    from fixer.model import Finding
    from fixer.terraform import Block, Expr, Module


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
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_CONFIGURE = "Name it in the configuration of iacfix: [rules.resource-tags], environment"


def _kind(key: str) -> str | None:
    """Which of the tags a key is."""
    words = {word.lower() for word in _WORD.findall(key)}
    return next((kind for kind, own in _KINDS.items() if own & words), None)


def _is(kind: str) -> Callable[[str], bool]:
    return lambda key: _kind(key) == kind


def _is_exactly(key: str, kind: str) -> bool:
    """Whether a key is the tag itself, such as `env` or `acme:environment`, and not `EnvironmentSuffix`."""
    words = _WORD.findall(key)
    return bool(words) and words[-1].lower() in _KINDS[kind]


def _listed(kinds: Iterable[str]) -> str:
    *others, last = kinds
    return f"{', '.join(others)} and {last}" if others else last


def _required(options: Options) -> list[str]:
    """The tags that a project has to have: its environment, and what it configures."""
    return ["Environment", *(kind for kind in ("Owner", "Project") if getattr(options, kind.lower()))]


# ---- CDK Python --------------------------------------------------------------------------------

_READ = re.compile(r"""get_context\(\s*["'](\w+)["']\s*\)(?:\s*or\s*(["']\w+["']))?""")


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Apps, and stages, which an app's tags don't reach, if neither they nor all of their stacks are tagged."""
    for root in file.constructs("App", "Stage"):
        tagged = Tagged(root)
        missing = [kind for kind in _required(options) if not tagged.has(_is(kind))]
        if missing and tagged.stacks:
            yield from _Root(root, tagged, options).findings(missing)


class _Root:
    """An app or a stage that has to tag what is made in it."""

    def __init__(self, root: Construct, tagged: Tagged, options: Options) -> None:
        self.root, self.file, self.tagged, self.options = root, root.file, tagged, options

    def findings(self, missing: list[str]) -> Findings:
        """What it does not tag."""
        values = {kind: value for kind in missing if (value := self._value(kind))}
        if manual := self._obstacle(missing):
            yield self.root.finding(rule, _untagged(missing), manual=manual)
            return
        if values:
            tags = {self._spelling(kind): value for kind, value in values.items()}
            yield self._finding(list(values), [(self.root, tags)])
        if unknown := [kind for kind in missing if kind not in values]:
            stacks = self.tagged.bare(_is("Environment")) or []
            held = [(stack, {self._spelling("Environment"): _held(stack)}) for stack in stacks]
            if held and (read := self._bare_read()):
                reason = f"{read.path}:{read.line} reads the environment from the context, which may not have it"
                yield self.root.finding(rule, _untagged(unknown), manual=Manual(reason, "Give it a default there"))
            elif held and all(value for _, tags in held for value in tags.values()):
                yield self._finding(unknown, held)
            else:
                manual = Manual("No variable, parameter or context that it reads names the environment", _CONFIGURE)
                yield self.root.finding(rule, _untagged(unknown), manual=manual)

    def _obstacle(self, missing: list[str]) -> Manual | None:
        """Why it can't be tagged."""
        names = _listed(missing)
        if self.file.is_v1:
            return Manual("It is written for version 1 of the CDK", f"Tag it with {names} there")
        if unclear := self.tagged.unclear:
            where = f"{unclear.call.path}:{unclear.call.line}"
            return Manual(f"The keys of the tags in {where} can't be told", f"Make sure that {names} is among them")
        if self.root.target is None:
            return Manual("It has no name here", f"Assign it to a variable, and tag that with {names}")
        keys = {self._spelling(kind) for kind in missing}
        if given := next((place for key, place in self.tagged.properties() if key in keys), None):
            reason = f"{given} gives the tag as a property, which a tag of the {self.root.name.lower()} replaces"
            return Manual(reason, "Give it there with Tags.of(), then run iacfix again")
        return None

    def _finding(self, kinds: list[str], tags: list[tuple[Construct, dict[str, str]]]) -> Finding:
        changes: list[Edit] = []
        for construct, values in tags:
            edits = _tagging(construct, values)
            if edits is None:
                names = _listed(values)
                manual = Manual("Its statement is not on a line of its own", f"Tag it with {names} there")
                return self.root.finding(rule, _untagged(kinds), manual=manual)
            changes += edits
        return self.root.finding(rule, _untagged(kinds), fix=Fix(tuple(changes), Impact.BEHAVIOR))

    def _said(self, kind: str) -> list[tuple[str, str]]:
        """Keys of a kind that the app gives, with their values as far as they are literals."""
        return [(key, one.value) for one in self.tagged.taggings for key in one.keys or () if _is_exactly(key, kind)]

    def _spelling(self, kind: str) -> str:
        """The tag's key as the app writes it: IAM takes no two that differ in their capitals alone."""
        counts = Counter(key for key, _ in self._said(kind))
        return counts.most_common(1)[0][0] if counts else kind

    def _value(self, kind: str) -> str:
        """The code for a tag at the root; empty if nothing says it there."""
        if kind == "Environment" and (found := _held(self.root) or self._of_context()):
            return found
        stacks = self.tagged.bare(_is(kind)) if kind == "Environment" else None
        if stacks and all(map(_held, stacks)):
            return ""
        said = {value for _, value in self._said(kind)}
        value = said.pop() if len(said) == 1 else ""
        value = value or getattr(self.options, kind.lower())
        return self._quoted(value) if value else ""

    def _of_context(self) -> str:
        """What the stacks read from the context, if they all read the same item with the same default."""
        app = self.file.app
        reads = {
            found.groups()
            for path in app.holding("get_context")
            if path not in app.tests
            for found in _READ.finditer(app.sources[path].decode(errors="replace"))
            if _kind(found[1]) == "Environment"
        }
        name, default = reads.pop() if len(reads) == 1 else ("", "")
        if not default:
            return ""
        return f"{self.root.target}.node.try_get_context({self._quoted(name)}) or {self._quoted(default[1:-1])}"

    def _bare_read(self) -> Read | None:
        """What may give stacks None for their environment: a tag can't have that for its value."""
        app = self.file.app
        paths = app.holding("try_get_context")
        files = (file for file in app.files() if file.path in paths)
        for read in (read for file in files for read in reads(file)):
            named = isinstance(read.key, str) and _kind(read.key) == "Environment" and not is_given(app, read.key)
            if named and not read.is_required and not read.is_provided_for and not read.breaks_without:
                return read
        return None

    def _quoted(self, text: str) -> str:
        source = self.file.source
        return f"'{text}'" if source.count(b"'") > source.count(b'"') else f'"{text}"'


def _held(construct: Construct) -> str:
    found = Environments(construct.file).certain(construct)
    return found.code if found and _place(construct, [found.code]) is not None else ""


def _tagging(construct: Construct, tags: Mapping[str, str]) -> tuple[Edit, ...] | None:
    """The edits that tag a construct below it, and below what holds the values; None if there is no such line."""
    file, place = construct.file, _place(construct, tags.values())
    if place is None:
        return None
    name, imports = file.spell("Tags", construct)
    quote = '"' if file.source.count(b'"') >= file.source.count(b"'") else "'"
    indent = indent_at(file.source, place)
    lines = [f"{indent}{name}.of({construct.target}).add({quote}{key}{quote}, {value})" for key, value in tags.items()]
    folded = [each for line in lines for each in fold(line, file.line_length, file.unit, inside=False)]
    return (Edit(file.path, place, place, "".join(file.newline + each for each in folded)), *imports)


def _place(construct: Construct, codes: Iterable[str]) -> int | None:
    """Where the line ends below which a construct and what the code reads are there; None if that is no whole line."""
    file, held = construct.file, Environments(construct.file).certain(construct)
    last = max(construct.start, held.start if held and held.code in codes else 0)
    statement = next((each for each in file.tree.statements if each[0] <= last < each[1]), None)
    if statement is None or construct.insert_after("") is None:
        return None
    whole = start_of_line(file.source, statement[0])
    return None if file.source[whole : statement[0]].strip() else end_of_line(file.source, statement[1])


def _untagged(kinds: Iterable[str]) -> str:
    return f"does not tag what is made in it with {_listed(kinds)}"


# ---- Terraform ---------------------------------------------------------------------------------

_FIRST, _DUPLICATES = 4, 5
"""Majors of the provider: all of 4 have default_tags, and from 5 on a resource may set one of them too."""
_REGIONAL = re.compile(r"region|primary|secondary|replica|standby|role|\bdr\b|[a-z]{2}-[a-z]+-\d", re.IGNORECASE)
"""What tells the providers of one module apart, so that their tags are not the same."""


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """The providers of a root module, each alias, that do not give the tags by default."""
    if not module.facts.called_by:
        tagging = _Tagging(module, options)
        for provider in tagging.providers if tagging.is_needed else ():
            yield from tagging.findings(provider)


class _Tagging:
    """What the providers of one module have to tag."""

    def __init__(self, module: Module, options: Options) -> None:
        self.module, self.options = module, options
        self._has_complained = False
        blocks = [one for file in (*module.files, *module.fixed) for one in file.blocks if not _is_override(one)]
        self.providers = [one for one in blocks if (one.type, one.labels) == ("provider", ("aws",))]
        self.resources = [one for one in blocks if one.type == "resource" and _is_tagged(one)]
        self.tags = {one: tags.expr for one in self.resources if (tags := one.attribute("tags"))}
        self.defaults = {
            one: tags.expr
            for one in self.providers
            for inner in one.blocks("default_tags")
            if (tags := inner.attribute("tags"))
        }

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to tag that does not certainly carry the tags itself."""
        if any(self.module.blocks("module")):
            return True
        return any(one not in self.tags or self._missing(self.tags[one]) for one in self.resources)

    def _missing(self, tags: Expr) -> list[str]:
        kinds = {_kind(key) for key in entries(self.module, tags).known}
        return [kind for kind in _required(self.options) if kind not in kinds]

    def findings(self, provider: Block) -> Findings:
        """What a provider does not give."""
        given = self.defaults.get(provider)
        missing = self._missing(given) if given else _required(self.options)
        values = {kind: value for kind in missing if (value := self._value(kind))}
        if missing and (manual := self._obstacle(provider, given, missing)):
            yield provider.finding(rule, _message(missing), manual=manual)
            return
        if values:
            tags = {self._spelling(kind): value for kind, value in values.items()}
            yield provider.finding(rule, _message(values), fix=Fix(self._edits(provider, tags), Impact.BEHAVIOR))
        unknown = [kind for kind in missing if kind not in values]
        if unknown and not self._has_complained:  # what the module lacks is said once, not for each region
            self._has_complained = True
            manual = Manual("No variable, local or tag of the module holds the name of the environment", _CONFIGURE)
            yield provider.finding(rule, _message(unknown), manual=manual)

    def _obstacle(self, provider: Block, given: Expr | None, missing: list[str]) -> Manual | None:
        """Why a provider is not given the tags."""
        names = _listed(missing)
        where = self.module.override_of(provider)
        why = entries(self.module, given).why if given else ""
        newest = max(self.module.facts.aws_majors, default=_DUPLICATES)
        if provider.read_only:
            return Manual("The provider is written in JSON, which is not rewritten", f"Add {names} there")
        if where and where.holds("default_tags"):
            return Manual(f"{where.file.path} overrides the default tags", f"Make sure that they hold {names}")
        if provider.dynamic("default_tags") or len(provider.blocks("default_tags")) > 1:
            return Manual("A dynamic block makes the default tags", f"Make sure that they hold {names}")
        if why:
            return Manual(f"The default tags can't be judged: the map {why}", f"Make sure that it holds {names}")
        if newest < _FIRST:
            return Manual("The provider has default_tags from version 3.38 on", "Upgrade it and run iacfix again")
        keys = {key for tags in self.tags.values() for key in entries(self.module, tags).known}
        if newest < _DUPLICATES and keys & {self._spelling(kind) for kind in missing}:
            reason = "Resources set the tag too, which the provider plans to change for ever before its version 5"
            return Manual(reason, "Upgrade the provider, or tag the other resources one by one")
        return None

    # ---- values ----------------------------------------------------------------------------------

    @cached_property
    def _written(self) -> list[tuple[str, Expr]]:
        """Keys and values of all tags that the module writes out."""
        named = [one.expr for block in self.module.blocks("locals") for one in block.attributes() if "tags" in one.name]
        maps = (*self.tags.values(), *self.defaults.values(), *named)
        return [pair for tags in maps for pair in entries(self.module, tags).known.items()]

    def _said(self, kind: str) -> list[tuple[str, Expr]]:
        return [(key, value) for key, value in self._written if _is_exactly(key, kind)]

    def _spelling(self, kind: str) -> str:
        """The tag's key as the module writes it: IAM takes no two that differ in their capitals alone."""
        counts = Counter(key for key, _ in self._said(kind))
        return counts.most_common(1)[0][0] if counts else kind

    def _value(self, kind: str) -> str:
        """An expression for the tag; empty if nothing says it."""
        said = {value.text: value for _, value in self._said(kind)}
        if len(said) == 1 and all(is_early(self.module, value) for value in said.values()):
            return next(iter(said))
        configured = getattr(self.options, kind.lower())
        held = environment(self.module) if kind == "Environment" else ""
        return held or (f'"{configured}"' if configured else "")

    # ---- edits -----------------------------------------------------------------------------------

    def _edits(self, provider: Block, tags: Mapping[str, str]) -> tuple[Edit, ...]:
        if given := self.defaults.get(provider):
            return provider.file.settle(provider.start, provider.end, adding(given, tags))
        body = f"tags = {self._map(provider, tags)}"
        if there := provider.blocks("default_tags"):
            return there[0].append(body)
        return provider.append("default_tags {\n" + indent(body, "  ") + "\n}")

    def _map(self, provider: Block, tags: Mapping[str, str]) -> str:
        """The map of tags that another provider or most resources have, with these, or else these alone."""
        for other, expr in self.defaults.items():
            found = entries(self.module, expr)
            if other is not provider and not found.why and not _REGIONAL.search(expr.text):
                return with_others(expr, {key: value for key, value in tags.items() if key not in found.known})
        for name, known in self._common():
            rest = {key: value for key, value in tags.items() if key not in known}
            return f"merge(local.{name}, {one_line(rest)})" if rest else f"local.{name}"
        return "{\n" + "".join(f"  {key} = {value}\n" for key, value in tags.items()) + "}"

    def _common(self) -> Iterator[tuple[str, Mapping[str, Expr]]]:
        """Locals that hold the tags of resources, the environment among them."""
        used = Counter(
            one.names[1]
            for tags in self.tags.values()
            for one in tags.traversals()
            if one.names[0] == "local" and len(one.names) == len(one.steps) + 1 == 2
        )
        for name, _ in used.most_common():
            local = self.module.local(name)
            if local and is_early(self.module, local.expr):
                found = entries(self.module, local.expr)
                if not found.why and any(_is_exactly(key, "Environment") for key in found.known):
                    yield name, found.known


def _is_tagged(resource: Block) -> bool:
    body = terraform_resource(resource.labels[0])
    return body is not None and "tags" in body.attributes


def _is_override(block: Block) -> bool:
    return block.read_only and not block.file.is_json


def _message(kinds: Iterable[str]) -> str:
    return f"tags nothing with {_listed(kinds)} by default"
