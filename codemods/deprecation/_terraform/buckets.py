"""Buckets whose arguments have resources of their own: what is split off, and what that asks for elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from codemods._phrases import listed
from codemods.deprecation._terraform.arguments import PARTS, Part
from codemods.deprecation._terraform.instead import Instead
from fixer.model import Edit, Finding, Findings, Fix, Impact, Known, Manual, Rule
from fixer.terraform import Attribute, Block, Module, align
from fixer.terraform.buckets import BUCKET, OWNERSHIP, PUBLIC_ACCESS, WEBSITE, free_name, settings, sure_settings
from fixer.terraform.carrying import lost_comments
from fixer.terraform.companion import imported, waiting

_EXPORTED = ("website_domain", "website_endpoint")
"""Attributes of the bucket that its website configuration has too."""
_ASKING = re.compile(rb"\.website_(?:domain|endpoint)\b")
_WAITING = {
    "policy": (
        "aws_alb",
        "aws_cloudtrail",
        "aws_config_delivery_channel",
        "aws_elb",
        "aws_flow_log",
        "aws_lb",
        "aws_redshift_cluster",
        "aws_redshift_logging",
        "aws_ssm_resource_data_sync",
    ),
    "acl": ("aws_cloudfront_distribution", "aws_s3_bucket_logging"),
    "versioning": ("aws_s3_bucket_object_lock_configuration", "aws_s3_bucket_replication_configuration"),
}
"""Types of resources that AWS makes only where the bucket's argument is in force already: as long as the bucket sets
it, a reference to the bucket makes Terraform wait for both."""


def buckets(module: Module, rule: Rule, imports: bool) -> Findings:
    """A finding for all that can be split off a bucket, and one for each argument that can't."""
    majors = module.facts.aws_majors
    for bucket in module.declared(BUCKET):
        held = {name: items for name in PARTS if (items := _items(bucket, name))}
        if not held or max(majors, default=6) < 4:
            continue
        obstacle = _obstacle(module, bucket)
        if obstacle:
            yield bucket.finding(rule, _message(held), manual=obstacle)
            continue
        split = _Split(module, bucket, imports)
        for name, items in held.items():
            if manual := split.judge(name, items):
                yield bucket.finding(rule, _message([name]), manual=manual, at=items[0])
        if split.instead:
            yield split.finding(rule)


def _message(names: Iterable[str]) -> str:
    return f"sets {listed(names)} itself, which the provider deprecates for resources of their own"


def _items(bucket: Block, name: str) -> list[Attribute | Block]:
    """What a bucket has of that name, be it made by a `dynamic` block."""
    found: list[Attribute | Block | None] = [bucket.attribute(name), *bucket.blocks(name), bucket.dynamic(name)]
    return [one for one in found if one]


def _obstacle(module: Module, bucket: Block) -> Manual | None:
    """Why nothing can be split off a bucket."""
    majors = module.facts.aws_majors
    provider = bucket.meta().get("provider", "")
    if bucket.read_only:
        return Manual(f"It is in {bucket.file.path}", "Split it there: iacfix does not rewrite such files")
    if module.resource(bucket.address) is None:
        return Manual(f"{bucket.address} is declared more than once", "Keep one of them")
    if min(majors, default=6) < 4:
        step = "Require version 4.9 of the provider or a later one, and run iacfix again"
        return Manual(f"The module allows version {min(majors)} of the provider, which has no such resources", step)
    if module.incomplete:
        return Manual(f"{module.errors[0][0]} can't be read, and may hold them already", "Mend that file first")
    if "." in provider and not module.configures(provider):
        step = "Configure that provider first, or give the bucket one that is there"
        return Manual(f"No {provider} is configured in the module", step)
    return None


class _Split:
    """What is split off one bucket."""

    def __init__(self, module: Module, bucket: Block, imports: bool) -> None:
        self._module, self._bucket, self._imports = module, bucket, imports
        self.instead: dict[str, Instead] = {}
        """By argument, what takes its place."""

    def judge(self, name: str, items: list[Attribute | Block]) -> Manual | None:
        """Take an argument in; why not, if it can't be split off."""
        part = PARTS[name]
        if manual := self._in_the_way(part, name, items):
            return manual
        found = part.judge(self._bucket, items)
        if isinstance(found, Manual):
            return found
        self.instead[name] = found
        return None

    def _in_the_way(self, part: Part, name: str, items: list[Attribute | Block]) -> Manual | None:
        """What keeps an argument where it is, whatever it says."""
        bucket, module = self._bucket, self._module
        if self._bucket.dynamic(name):
            return Manual("A dynamic block makes it", f"Write an {part.kind} with a dynamic block")
        if part.is_block != isinstance(items[0], Block):
            return Manual(f"The provider knows no such form of {name}", f"Write an {part.kind}")
        over = module.override_of(bucket)
        if over and over.holds(name):
            return Manual(f"{over.file.path} overrides it", f"Write an {part.kind}, and take it out at both places")
        if bucket.ignores_changes(name):
            step = f"Take it out, or ignore changes of an {part.kind} in its place"
            return Manual("The bucket's lifecycle ignores changes of it", step)
        if found := next(settings(bucket, part.kind), None):
            return Manual(f"{found[0].address} is, or may be, for this bucket too", "Keep one of the two")
        return self._used(part, name)

    def _used(self, part: Part, name: str) -> Manual | None:
        """What else in the module counts on the argument, and can't follow."""
        for fixed in (False, True):
            for one in self._module.references(self._bucket.address, fixed=fixed):
                attribute = next((step[1:] for step in one.traversal.rest if step[1:].isidentifier()), "")
                top = one.block.top if one.block else None
                if fixed and top and top.labels and top.labels[0] in _WAITING.get(name, ()):
                    return Manual(f"{top.address} waits for it in {one.file.path}", f"Write an {part.kind}")
                if attribute == name or (fixed and name == "website" and attribute in _EXPORTED):
                    return Manual(f"{one.file.path} uses {one.traversal.text}", "Use the new resource there")
        if name == "website" and (path := self._elsewhere()):
            step = f"Ask the {part.kind} for it, and run iacfix again"
            return Manual(f"{path} asks something for a website's endpoint or domain that may be the bucket", step)
        return None

    def _elsewhere(self) -> str:
        """A file that asks something that is no bucket by its address for what a bucket tells of its website."""
        for file in (*self._module.files, *self._module.fixed):
            known = [one for one in file.traversals if one.address.startswith("aws_s3_bucket")]
            comments = [(start, end) for start, end, _ in file.comments()]
            for match in _ASKING.finditer(file.source):
                spans = [*comments, *((one.start, one.end) for one in known)]
                if not any(start <= match.start() < end for start, end in spans):
                    return file.path
        return ""

    # ---- what is written -------------------------------------------------------------------------

    def finding(self, rule: Rule) -> Finding:
        """The finding for all that can be split off."""
        bucket = self._bucket
        items = {name: _items(bucket, name) for name in self.instead}
        texts = [text for name, instead in self.instead.items() if instead.body for text in self._texts(name, instead)]
        here = {found[0]: text for name, found in items.items() if (text := self.instead[name].here)}
        edits = list(bucket.take_out(*(item for found in items.values() for item in found), instead=here))
        edits += bucket.insert_after("\n\n".join(texts)) if texts else ()
        edits += self._followed() if "website" in self.instead else []
        edits += [edit for block, addresses in self._waiting().items() for edit in waiting(block, addresses)]
        message = _message(items)
        if texts and not any(text.startswith("import ") for text in texts):
            message += "; bring these in by terraform import where the bucket is deployed"
        return bucket.finding(rule, message, fix=Fix(tuple(edits), Impact.BEHAVIOR))

    def _texts(self, argument: str, instead: Instead) -> Iterator[str]:
        """The new resource, and what imports it."""
        bucket, kind = self._bucket, PARTS[argument].kind
        name = free_name(self._bucket, kind)
        after = self._first(instead.after) + self._others(argument, instead.others) + self._opened(argument)
        last = f"\n\ndepends_on = [{', '.join(dict.fromkeys(after))}]" if after else ""
        apart = "" if kind.endswith("_acl") else "\n"
        text = bucket.companion(kind, name, f"{apart}{instead.body}{last}").rstrip("\n")
        if instead.when:
            text = _counted(text, instead.when)
        items = ((item, bucket.file) for item in _items(bucket, argument) if not instead.here)
        yield "\n".join([*lost_comments(items, text), text])
        if self._imports and not instead.when and (text := imported(bucket, f"{kind}.{name}", "bucket", instead.key)):
            yield text

    def _first(self, kind: str) -> list[str]:
        """The address of the resource of a type that is for the bucket, or will be."""
        if found := sure_settings(self._bucket, kind)[0]:
            return [found[0].address]
        if kind == OWNERSHIP:
            return []
        mine = (one for name, one in self.instead.items() if PARTS[name].kind == kind and one.body)
        return [f"{kind}.{free_name(self._bucket, kind)}"] if any(mine) else []

    def _opened(self, argument: str) -> list[str]:
        """The address of the bucket's access block, where it is that which lets a public list or policy in."""
        setting = {"acl": "block_public_acls", "policy": "block_public_policy"}.get(argument, "")
        found = sure_settings(self._bucket, PUBLIC_ACCESS)[0] if setting else []
        return [block.address for block in found if block.value(setting) != Known(True)]

    def _others(self, argument: str, kind: str) -> list[str]:
        """The addresses of the resources of a type for the other buckets that an argument refers to."""
        found = []
        names = [name for name, part in PARTS.items() if part.kind == kind]
        for item in _items(self._bucket, argument) if kind else ():
            spans = (item.start, item.end)
            for one in self._bucket.file.traversals:
                other = self._module.resource(one.address) if spans[0] <= one.start < spans[1] else None
                if other and other is not self._bucket and other.labels[:1] == (BUCKET,):
                    split = _Split(self._module, other, self._imports)
                    for name in names if not (other.read_only or _obstacle(self._module, other)) else ():
                        if items := _items(other, name):
                            split.judge(name, items)
                    found += split._first(kind)
        return found

    def _waiting(self) -> dict[Block, list[str]]:
        """The resources that must wait for what is split off, with its addresses."""
        found: dict[Block, list[str]] = {}
        for argument, kinds in _WAITING.items():
            instead = self.instead.get(argument)
            address = f"{PARTS[argument].kind}.{free_name(self._bucket, PARTS[argument].kind)}"
            for one in self._module.references(self._bucket.address) if instead and instead.body else ():
                block = one.block.top if one.block else None
                if block and block.type == "resource" and block.labels[0] in kinds:
                    found.setdefault(block, [])
                    found[block] += [address] if address not in found[block] else []
        return found

    def _followed(self) -> list[Edit]:
        """References to what the bucket tells of its website, as references to the website configuration."""
        address = f"{WEBSITE}.{free_name(self._bucket, WEBSITE)}"
        return [
            one.file.edit(one.start, one.address_end, address)
            for one in self._module.references(self._bucket.address)
            if any(step[1:] in _EXPORTED for step in one.traversal.rest)
        ]


def _counted(text: str, when: str) -> str:
    """A resource that is there on a condition."""
    condition = f"({when})" if "?" in when else when
    head, _, rest = text.partition("\n")
    apart = "" if rest.startswith("  provider ") else "\n"
    return align(f"{head}\n  count = {condition} ? 1 : 0\n{apart}{rest}")
