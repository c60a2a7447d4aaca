"""Turn on point-in-time recovery of DynamoDB tables, in the form that is not deprecated.

## Why

With point-in-time recovery a table can be restored to any second of the last 35 days; without it, a bad deployment or
a bad script is final. The CDK's `point_in_time_recovery` is deprecated: `point_in_time_recovery_specification` has
taken its place. (`point_in_time_recovery_enabled=True` straight on a table, often given as the remedy, is no property
of it and raises `TypeError`.)

## CDK Python

On `aws_dynamodb.Table`, `TableV2`, their properties (`TableProps` ...) and replicas (`ReplicaTableProps`,
`add_replica`), `point_in_time_recovery=X` and the misplaced `point_in_time_recovery_enabled=X` become

```python
point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
    point_in_time_recovery_enabled=X
)
```

with impact `none`: the template stays the same. A specification wins over every deprecated keyword of the same table,
those of its replicas too; so a table and the replicas in its call are rewritten together, what is without effect is
taken out, and a replica that is written elsewhere counts as `behavior`.

A table that has neither gets the specification, enabled, and one that says `False` is enabled: impact `behavior`. So
are `CfnTable` and the replicas of `CfnGlobalTable`. A replica that says nothing has what its table has. Where the
project pins an aws-cdk-lib before 2.178.0, which does not have the specification yet, `point_in_time_recovery=True`
is what is written.

## Terraform

`aws_dynamodb_table` gets the block, or the block's `enabled` becomes `true`; `replica` blocks and
`aws_dynamodb_table_replica` get the attribute `point_in_time_recovery = true`. Impact `behavior`. A replica that has
the block instead, which Terraform refuses, gets the attribute with the same value: impact `none`.

```hcl
point_in_time_recovery {
  enabled = true
}
```

## Not fixed

- A call with `**arguments` that can't be looked into, and a table whose setting an override changes later: set it
  there.
- A setting that comes from a parameter, from a variable that has no default or whose default is false, from a
  `dynamic` block, or that an override file changes: set it where the value comes from.
- A table whose `lifecycle` ignores changes of the setting, and replicas under a provider before version 4, which has
  no setting for them: turn it on where it is managed.
- Properties that stand apart (`TableProps` ...) while other code reads the setting by its name: rename it in both.
- Tables in `.tf.json` files: those files are not rewritten.
- A condition, such as `env == "prod"`, is a choice that the code makes; it is not reported, but for the deprecated
  name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from codemods.facts import cdk_since
from fixer.model import Absent, Edit, Finding, Findings, Fix, Impact, Known, Manual, Rule, Unknown
from fixer.terraform.lack import attribute_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fixer.cdk import Argument, Call, CdkFile, Construct
    from fixer.terraform import Attribute, Block, Module

rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S1-1.1",),
    scanners=(
        "CKV_AWS_28",
        "CKV_AWS_165",
        "AVD-AWS-0024",
        "aws-dynamodb-enable-recovery",
        "741f1291-47ac-4a85-a07b-3d32a9d6bd3e",
        "AwsSolutions-DDB3",
        "HIPAA.Security-DynamoDBPITREnabled",
        "NIST.800.53.R4-DynamoDBPITREnabled",
        "NIST.800.53.R5-DynamoDBPITREnabled",
    ),
    keywords=("aws_dynamodb",),
)

_OLD, _MISPLACED, _NEW = (
    "point_in_time_recovery",
    "point_in_time_recovery_enabled",
    "point_in_time_recovery_specification",
)
_MISSING = "has no point-in-time recovery"
_DOUBTFUL = "may have no point-in-time recovery"
_OFF = "turns point-in-time recovery off"


# ---- CDK Python --------------------------------------------------------------------------------
_DEPRECATED = f"{_OLD} is deprecated: {_NEW} has taken its place"

_TABLES = ("aws_dynamodb.Table", "aws_dynamodb.TableV2")
_PROPERTIES = tuple(f"aws_dynamodb.{name}" for name in ("TableProps", "TableOptions", "TablePropsV2", "TableOptionsV2"))
_REPLICA = "aws_dynamodb.ReplicaTableProps"
_SPECIFICATION = "aws_dynamodb.PointInTimeRecoverySpecification"
_LOW_REPLICA = "aws_dynamodb.CfnGlobalTable.ReplicaSpecificationProperty"
_LOW_SPECIFICATION = {
    "aws_dynamodb.CfnTable": "aws_dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty",
    _LOW_REPLICA: "aws_dynamodb.CfnGlobalTable.PointInTimeRecoverySpecificationProperty",
}
_ON = (_MISPLACED, "pointInTimeRecoveryEnabled", "PointInTimeRecoveryEnabled")
_CHOICE = ("depends on a condition", "is computed", "is the result of aws_dynamodb.")


@rule.cdk
def cdk(file: CdkFile, options: object) -> Findings:
    """Tables and replicas, by their keywords; then the specifications that say no."""
    tables = list(file.constructs(*_TABLES))
    low, low_global = (list(file.constructs(f"aws_dynamodb.{name}")) for name in ("CfnTable", "CfnGlobalTable"))
    replicas = [*file.calls(_REPLICA), *file.methods("add_replica")]
    loose = [one for one in replicas if _owner(one, tables) is None]
    for table in tables:
        yield from _table(file, table, [one for one in replicas if _owner(one, tables) is table], loose)
    for replica in loose:
        yield from _names(file, replica, Impact.BEHAVIOR)
    for name in _PROPERTIES:
        for properties in file.calls(name):
            yield from _properties(file, properties)
    for table in low:
        yield from _judged(file, table, _LOW_SPECIFICATION[table.name])
    for region in file.calls(_LOW_REPLICA):
        yield from _about(_owner(region, low_global), _judged(file, region, _LOW_SPECIFICATION[_LOW_REPLICA]))
    for table in low_global:
        yield from _dictionaries(table)
    for name in (_SPECIFICATION, *_LOW_SPECIFICATION.values()):
        for specification in file.calls(name):
            yield from _about(_owner(specification, [*tables, *low, *low_global]), _says(specification, _MISPLACED))


def _properties(file: CdkFile, properties: Call) -> Iterator[Finding]:
    """Findings for properties that stand apart from their table; what reads one of them must follow a new name."""
    readers = file.app.holding(f".{_OLD}")
    if readers and properties.has(_OLD):
        manual = Manual(f"{readers[0]} reads the setting by its name", f"Rename it to {_NEW} here and there at once")
        yield properties.finding(rule, _DEPRECATED, manual=manual, at=properties.argument(_OLD))
    else:
        yield from _names(file, properties, Impact.NONE)


def _owner(call: Call, tables: Sequence[Construct]) -> Construct | None:
    """The table in whose call it stands."""
    return next((table for table in tables if call.is_in(table)), None)


def _about(table: Construct | None, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings as ones about the table, so that what keeps the table's findings quiet keeps them quiet too."""
    for one in findings:
        yield replace(one, scope=(table.start, table.end), acknowledged=table.nag) if table else one


def _table(file: CdkFile, table: Construct, inside: Sequence[Call], loose: Sequence[Call]) -> Iterator[Finding]:
    """Findings for a table and the replicas in its call; `loose` are replicas that may be this table's or another's."""
    outdated = {one: old for one in inside if (old := one.argument(_OLD))}
    own, whole = table.argument(_OLD), table.argument("replicas")
    if outdated and own and whole and _has_specification(file) and not table.has(_NEW):
        fix = _together(file, table, own, whole, list(outdated.values()))
        for one, old in {table: own, **outdated}.items():
            yield from _about(table, [one.finding(rule, _DEPRECATED, fix=fix, at=old), *_off(file, one)])
        return
    without_effect = outdated if table.has(_NEW) else {}
    for replica, old in without_effect.items():
        message = f"{_OLD} has no effect beside the table's {_NEW}"
        fix = Fix(replica.remove(_OLD), Impact.NONE)
        yield from _about(table, [replica.finding(rule, message, fix=fix, at=old)])
    impact = Impact.BEHAVIOR if any(one.has(_OLD) for one in loose) else Impact.NONE
    yield from _names(file, table, impact)
    if not table.has(_OLD) and table.argument(_MISPLACED) is None:
        yield from _judged(file, table, _SPECIFICATION)
    for replica in inside:
        if replica not in without_effect:
            yield from _about(table, _names(file, replica, Impact.NONE))


def _together(file: CdkFile, table: Construct, own: Argument, whole: Argument, replicas: Sequence[Argument]) -> Fix:
    """Rewrite a table and the replicas in its call at once, since the new keyword wins over the old ones of both."""
    name, imports = file.spell(_SPECIFICATION, table)
    parts, at = [], whole.value_start
    for old in sorted(replicas, key=lambda one: one.start):
        parts += [file.text(at, old.start), f"{_NEW}={name}({_MISPLACED}={old.text})"]
        at = old.end
    text = "".join([*parts, file.text(at, whole.value_end)])
    edits = table.rewrite(set={"replicas": text}, replace={_OLD: (_NEW, f"{name}({_MISPLACED}={own.text})")})
    return Fix((*edits, *imports), Impact.NONE)


def _names(file: CdkFile, call: Call, impact: Impact) -> Iterator[Finding]:
    """Findings for keywords that are deprecated or wrong; `impact` is what the new name with the same value does."""
    old, misplaced = call.argument(_OLD), call.argument(_MISPLACED)
    if call.has(_NEW):
        for surplus in filter(None, (old, misplaced)):
            fix = Fix(call.remove(str(surplus.name)), Impact.NONE)
            message = f"sets {surplus.name} beside {_NEW}, which the CDK refuses"
            yield call.finding(rule, message, fix=fix, at=surplus)
    elif misplaced is not None:
        fix = _put(file, call, misplaced.text, Impact.NONE, _MISPLACED)
        if old is not None:
            fix = Fix(call.remove(_MISPLACED), Impact.NONE)
        yield call.finding(
            rule, f"{_MISPLACED} is no property of it: the program fails with TypeError", fix=fix, at=misplaced
        )
    elif call.has(_OLD) and _has_specification(file):
        value = call.value(_OLD)
        text = old.text if old else repr(value.value) if isinstance(value, Known) else None
        if value is Absent:
            text, impact = "True", Impact.BEHAVIOR
        if text is None:
            reason = f"The setting can't be rewritten: it {value.why if isinstance(value, Unknown) else 'is not there'}"
            yield call.finding(rule, _DEPRECATED, manual=Manual(reason, f"Put {_NEW} in its place there"))
        else:
            yield call.finding(rule, _DEPRECATED, fix=_put(file, call, text, impact, _OLD), at=old)
            yield from _off(file, call)
    elif call.has(_OLD):
        yield from _says(call, _OLD)


def _off(file: CdkFile, call: Call) -> Iterator[Finding]:
    """The finding for an old keyword that is False: once it has its new name, the specification has the finding."""
    if call.value(_OLD) == Known(False):
        fix = _put(file, call, "True", Impact.BEHAVIOR, _OLD)
        yield call.finding(rule, _OFF, fix=fix, at=call.argument(_OLD))


def _says(call: Call, keyword: str) -> Iterator[Finding]:
    """The finding for a keyword that must be True, if it is not."""
    value, argument = call.value(keyword), call.argument(keyword)
    if value in (Absent, Known(False)):
        message = _MISSING if keyword == _OLD else _OFF
        yield call.finding(rule, message, fix=Fix(call.set(keyword, "True"), Impact.BEHAVIOR), at=argument)
    elif isinstance(value, Unknown) and not value.why.startswith(_CHOICE):
        yield call.finding(rule, _DOUBTFUL, manual=_unseen(value), at=argument)


def _judged(file: CdkFile, call: Call, specification: str) -> Iterator[Finding]:
    """Findings for a specification that is missing, or that is a dictionary which says no."""
    value, argument = call.value(_NEW), call.argument(_NEW)
    later = _set_later(call)
    if later is not None:
        if later:
            reason = f"An override sets {later} after the table is made"
            yield call.finding(rule, _DOUBTFUL, manual=Manual(reason, "Make sure that the override turns it on"))
    elif isinstance(value, Unknown):
        if not value.why.startswith(_CHOICE):
            yield call.finding(rule, _DOUBTFUL, manual=_unseen(value), at=argument)
    elif argument and specification == _SPECIFICATION and (manual := file.too_old(_NEW, cdk_since(_SPECIFICATION))):
        yield call.finding(rule, _DOUBTFUL, manual=manual, at=argument)
    elif value is Absent or _says_no(value.value):
        fix = _put(file, call, "True", Impact.BEHAVIOR, specification=specification)
        yield call.finding(rule, _MISSING, fix=fix, at=argument)


def _says_no(value: object) -> bool:
    return isinstance(value, dict) and not any(value.get(key) for key in _ON)


def _set_later(call: Call) -> str | None:
    """What an override sets after the call, empty if that is certainly right; None if nothing does."""
    paths = {path: path.replace("_", "").lower() for path in getattr(call, "overrides", ())}
    concerned = [path for path, plain in paths.items() if path == "*" or "pointintimerecovery" in plain]
    if not concerned:
        return None
    written = [
        (one.positional[0].text.strip("\"'"), one.positional[1].text)
        for name in ("add_property_override", "add_override")
        for one in call.file.methods(name)
        if len(one.positional) > 1
    ]
    for path in concerned:
        # What is assigned to the property is a specification, which is judged where it is made.
        values = ["True"] if path.islower() else [value for at, value in written if at == path]
        if not values or not all("True" in value and "False" not in value for value in values):
            return "something that can't be read" if path == "*" else path
    return ""


def _dictionaries(table: Construct) -> Iterator[Finding]:
    """The finding for replicas that are dictionaries, which are not rewritten."""
    replicas = table.value("replicas")
    for replica in replicas.value if isinstance(replicas, Known) and isinstance(replicas.value, list) else ():
        keys = (_NEW, "pointInTimeRecoverySpecification", "PointInTimeRecoverySpecification")
        if isinstance(replica, dict) and not any(replica.get(key) and not _says_no(replica[key]) for key in keys):
            manual = Manual("The replica is written as a dictionary", f"Give it a {_NEW}")
            yield table.finding(rule, "has a replica without point-in-time recovery", manual=manual)


def _put(
    file: CdkFile,
    call: Call,
    value: str,
    impact: Impact,
    instead_of: str | None = None,
    specification: str = _SPECIFICATION,
) -> Fix:
    """Write the setting, in the form that the project's CDK knows, in the place of another keyword or at the end."""
    imports: tuple[Edit, ...] = ()
    keyword, text = _OLD, value
    if specification != _SPECIFICATION or _has_specification(file):
        name, imports = file.spell(specification, call)
        keyword, text = _NEW, f"{name}({_MISPLACED}={value})"
    edits = call.replace(instead_of, keyword, text) if instead_of else call.set(keyword, text)
    return Fix((*edits, *imports), impact)


def _has_specification(file: CdkFile) -> bool:
    """Whether every aws-cdk-lib that the project allows has the specification; if it pins none, it has the newest."""
    return file.has_since(cdk_since(_SPECIFICATION))


def _unseen(value: Unknown) -> Manual:
    return Manual(f"The setting can't be judged: it {value.why}", "Make sure that it is turned on there")


# ---- Terraform ---------------------------------------------------------------------------------


@rule.terraform
def terraform(module: Module, options: object) -> Findings:
    """Tables by their block, replicas by their attribute."""
    for table in module.declared("aws_dynamodb_table"):
        yield from _setting(table, table, "point_in_time_recovery.enabled")
        for replica in table.nested("replica"):
            yield from _setting(table, replica, "point_in_time_recovery")
    for alone in module.declared("aws_dynamodb_table_replica"):
        yield from _setting(alone, alone, "point_in_time_recovery")


def _setting(table: Block, block: Block, path: str) -> Iterator[Finding]:
    """The finding for a setting that must be true, if it is not."""
    part = "" if block is table else "a replica without "
    message = f"has {part or 'no '}point-in-time recovery"
    value, attribute = block.value(path), attribute_at(block, path)
    misplaced = [one for one in block.blocks(path) if block is not table and len(one.items) == 1]
    if len(misplaced) == 1 and (enabled := misplaced[0].attribute("enabled")) and not table.read_only:
        edit = block.file.edit(misplaced[0].start, misplaced[0].end, f"{path} = {enabled.expr.text}")
        fix = Fix(block.file.settle(block.start, block.end, [edit]), Impact.NONE)
        message = "has a block for a replica's point-in-time recovery, which Terraform refuses: it is an attribute"
        yield table.finding(rule, message, fix=fix, at=misplaced[0])
    elif isinstance(value, Unknown):
        if not _is_choice(table, attribute):
            doubtful = f"may have {part or 'no '}point-in-time recovery"
            yield table.finding(rule, doubtful, manual=_unseen(value), at=attribute or block)
    elif value is Absent or value.value in (False, "false"):
        if manual := _obstacle(table, block, path):
            yield table.finding(rule, message, manual=manual, at=attribute or block)
        else:
            fix = Fix(_turn_on(block, path), Impact.BEHAVIOR)
            yield table.finding(rule, message, fix=fix, at=attribute or block)


def _is_choice(table: Block, attribute: Attribute | None) -> bool:
    """Whether the setting depends on a condition that the code writes out."""
    if attribute is None or table.module.overridden(table):
        return False
    return table.module.follow(attribute.expr).kind in ("conditional", "operation")


def _obstacle(table: Block, block: Block, path: str) -> Manual | None:
    """Why the setting can't be made true here."""
    majors = table.module.facts.aws_majors
    if manual := block.unchangeable(path, "Make sure that it is turned on there") or block.given(path):
        return manual
    if (block is not table or table.labels[0] == "aws_dynamodb_table_replica") and majors and max(majors) < 4:
        return Manual("The provider's version has no such setting for replicas", "Upgrade the provider to version 4")
    return None


def _turn_on(block: Block, path: str) -> tuple[Edit, ...]:
    nested, _, name = path.partition(".")
    if name and not block.blocks(nested):
        return block.append(f"{nested} {{\n  {name} = true\n}}")
    return block.set(path, "true")
