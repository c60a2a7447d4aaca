"""Let the capacity of DynamoDB tables follow their load.

## Why

A table with a fixed capacity is paid for around the clock, used or not, and throttles its callers when the load is
greater than somebody once guessed. Billed on demand it costs what is asked of it, and follows any load. Auto scaling
does the same more slowly, for tables whose load is steady enough to make the units cheaper.

## CDK Python

`aws_dynamodb.Table` and `CfnTable` that are provisioned, by `billing_mode` or because nothing is said, and that nothing
scales, are billed on demand. Their capacities go, and those of their global secondary indexes, which DynamoDB refuses
then:

```python
billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST
```

Impact `behavior`: the table is updated in place. A table with replicas that says nothing is billed on demand already,
as `TableV2` is. With the option `mode = "autoscaling"` a table gets, right below,

```python
orders.auto_scale_read_capacity(min_capacity=5, max_capacity=100).scale_on_utilization(
    target_utilization_percent=70
)
```

and the same for writing: from the capacity that it has to `max_capacity`, or to twice what it has if that is more. A
table that is scaled anywhere in the app is in order in both modes. cdk-nag's `DynamoDBAutoScalingEnabled` passes.

## Terraform

`aws_dynamodb_table` gets `billing_mode = "PAY_PER_REQUEST"`; its capacities and those of its indexes go. Impact
`behavior`. What scales the table in the same module goes too, since a table on demand can't be scaled: targets,
policies and schedules of `aws_appautoscaling_*`, however they refer to it. Terraform destroys these, so the impact of
such a fix is `replacement`, though the table stays.

```hcl
resource "aws_dynamodb_table" "orders" {
  name         = "orders"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
}
```

Variables that nothing uses any more are named in the finding, and stay: whoever calls the module may pass them.

With `mode = "autoscaling"` a table that nothing scales gets a target and a policy for reading and one for writing, with
its own `count`, `for_each` and `provider`, and its `lifecycle` ignores changes of the capacity, which Terraform would
else take back at every apply. Impact `behavior`.

## Not fixed

- A table that something which can't be told may scale, or a function that gives tables an index with a capacity.
- `**arguments` that can't be looked into, capacities that are overridden later, and those that other code or a
  `dynamic` block gives.
- A table that speaks of reserved capacity, which is paid for in any case.
- A billing mode that a variable's default or a local makes: change it there. Tables in override files and JSON.
- A table whose `lifecycle` ignores changes of its capacity or billing mode while nothing in the module scales it.
- A capacity that something else refers to, such as an output.
- `Billing.provisioned()` of `TableV2` with a fixed capacity to read.
- Auto scaling of tables with global secondary indexes, of `CfnTable`, and of tables that nothing holds in a variable.

Not reported: a mode that depends on a condition or comes from a parameter, or from a variable without default;
`CfnGlobalTable`.

## Options

- `mode` (default `on-demand`, or `autoscaling`): what tables with a fixed capacity get.
- `max_capacity` (default 100): autoscaling: the units that a table scales to, or twice what it has now if that is more.
- `target_utilization` (default 70): autoscaling: the per cent of the capacity that are to be used, from 20 to 90.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fixer.cdk.scaling import LOW_TABLE, READING, TABLE, WRITING, doubtful, is_scaled, unclear
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Symbol, Unknown
from fixer.terraform import delete_blocks
from fixer.terraform.references import unused_without
from fixer.terraform.scaling import Scaling, scaling, target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixer.cdk import CdkFile, Construct
    from fixer.model import Edit, Finding
    from fixer.terraform import Attribute, Block, Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    mode: Literal["on-demand", "autoscaling"] = "on-demand"
    """What tables with a fixed capacity get."""
    max_capacity: int = 100
    """Autoscaling: the units that a table scales to, or twice what it has now if that is more."""
    target_utilization: int = 70
    """Autoscaling: the per cent of the capacity that are to be used, from 20 to 90."""

    def __post_init__(self) -> None:
        if self.max_capacity < 1:
            raise ValueError("max_capacity: expects 1 or more")
        if not 20 <= self.target_utilization <= 90:
            raise ValueError("target_utilization: expects 20 to 90")


rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S0-4.1", "S4-6"),
    scanners=(
        "HIPAA.Security-DynamoDBAutoScalingEnabled",
        "NIST.800.53.R4-DynamoDBAutoScalingEnabled",
        "NIST.800.53.R5-DynamoDBAutoScalingEnabled",
    ),
    options=Options,
    keywords=("aws_dynamodb",),
)

_FIXED = "has a constant capacity, whatever its load"
_DOUBTFUL = "may have a constant capacity"
_SCALED = "is scaled by rules of its own instead of being billed on demand"
_STEP = "Choose on-demand billing, or give it auto scaling"
_TAKE_OUT = "Take the capacities out of the table and its indexes, and choose PAY_PER_REQUEST"
_ON_DEMAND = "PAY_PER_REQUEST"
_LEAST = 5
"""The capacity that the CDK gives where none is said."""


# ---- CDK Python --------------------------------------------------------------------------------

_MODE, _READ, _WRITE, _LOW = "billing_mode", "read_capacity", "write_capacity", "provisioned_throughput"
_LOW_INDEX = "aws_dynamodb.CfnTable.GlobalSecondaryIndexProperty"
_PROVISIONED = "aws_dynamodb.Billing.provisioned"
_INDEX = "add_global_secondary_index"


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Tables whose billing mode is provisioned, by their keyword or by default."""
    tables = list(file.constructs(TABLE, LOW_TABLE))
    for table in tables:
        if not table.overridden(_MODE) and (why := _is_provisioned(table)) is not None and not is_scaled(table):
            yield from _provisioned(table, tables, why, options)
    for billing in file.calls(_PROVISIONED):
        capacity = billing.behind(_READ)
        if capacity and (file.qualified(getattr(capacity.node, "func", capacity.node)) or "").endswith(".fixed"):
            manual = Manual("Its indexes and replicas may have capacities of their own", _STEP)
            yield billing.finding(rule, "has a constant capacity to read, whatever its load", manual=manual)


def _is_provisioned(table: Construct) -> str | None:
    """Empty if the table is certainly provisioned, why that can't be told, or None if it is not or code chooses."""
    match table.value(_MODE):
        case Unknown(why):
            return None if table.has(_MODE) else why
        case Known(Symbol(name)):
            return "" if name.endswith(".PROVISIONED") else None
        case Known(value):
            return "" if value == "PROVISIONED" else None
    return "" if table.value("replication_regions") is Absent else None


def _provisioned(table: Construct, tables: list[Construct], why: str, options: Options) -> Iterator[Finding]:
    at = table.argument(_MODE)
    unknown = [
        (keyword, value.why) for keyword in (_READ, _WRITE, _LOW) if isinstance(value := table.value(keyword), Unknown)
    ]
    hidden = [reason for keyword, reason in unknown if not table.has(keyword) or "other code" in reason]
    step = "Make sure that it is billed on demand, or scaled"
    if why or hidden:
        reason = f"The capacity can't be judged: it {why or hidden[0]}"
        yield table.finding(rule, _DOUBTFUL, manual=Manual(reason, step), at=at)
    elif place := doubtful(table, tables):
        reason = f"It may be scaled: {place} scales a table that can't be told"
        yield table.finding(rule, _DOUBTFUL, manual=Manual(reason, step), at=at)
    elif table.overridden(_LOW):
        yield table.finding(rule, _DOUBTFUL, manual=Manual("An override sets its capacity later", step), at=at)
    elif "reserved" in table.text.lower():
        manual = Manual("It speaks of reserved capacity, which is paid for in any case", _STEP)
        yield table.finding(rule, _FIXED, manual=manual, at=at)
    else:
        made = _on_demand(table, tables) if options.mode == "on-demand" else _autoscaled(table, options)
        fix, by_hand = (made, None) if isinstance(made, Fix) else (None, made)
        yield table.finding(rule, _FIXED, fix=fix, manual=by_hand, at=at)


def _on_demand(table: Construct, tables: list[Construct]) -> Fix | Manual:
    """Bill the table by its requests; a capacity of it or of an index is an error then."""
    if place := unclear(tables, (_INDEX,), "_capacity"):
        return Manual(f"It may have an index with a capacity of its own: {place} makes one for a table", _TAKE_OUT)
    if table.name == LOW_TABLE:
        return _low_on_demand(table)
    edits: list[Edit] = []
    for index in table.methods(_INDEX):
        if any(isinstance(index.value(name), Unknown) and not index.has(name) for name in (_READ, _WRITE)):
            return Manual(f"The capacity of its index in line {index.line} can't be judged", _TAKE_OUT)
        if gone := [name for name in (_READ, _WRITE) if index.has(name)]:
            edits += index.rewrite(remove=gone)
    name, imports = table.file.spell("aws_dynamodb.BillingMode", table)
    gone = [keyword for keyword in (_READ, _WRITE) if table.has(keyword)]
    edits += table.rewrite(set={_MODE: f"{name}.{_ON_DEMAND}"}, remove=gone)
    return Fix((*edits, *imports), Impact.BEHAVIOR)


def _low_on_demand(table: Construct) -> Fix | Manual:
    own = [_LOW] if table.argument(_LOW) else []
    indexes = [one for one in table.file.calls(_LOW_INDEX) if one.is_in(table)]
    if (table.argument("global_secondary_indexes") and not indexes) or (table.has(_LOW) and not own):
        return Manual("Its indexes or its capacity are written elsewhere", _TAKE_OUT)
    within = {index: [_LOW] for index in indexes if index.argument(_LOW)}
    return Fix(table.rewrite(set={_MODE: f'"{_ON_DEMAND}"'}, remove=own, within=within), Impact.BEHAVIOR)


def _autoscaled(table: Construct, options: Options) -> Fix | Manual:
    """Scale the table between the capacity that it has and the greatest."""
    step = f"Call {READING}() and {WRITING}() on it, and scale_on_utilization() on what they give"
    if table.name == LOW_TABLE or table.target is None:
        return Manual("It has no methods to scale it" if table.target else "Nothing holds it to be scaled", step)
    if any(True for _ in table.methods(_INDEX)):
        return Manual("Its indexes have to be scaled too", step)
    lines = []
    for method, keyword in ((READING, _READ), (WRITING, _WRITE)):
        value = table.value(keyword)
        least = _LEAST if value is Absent else value.value if isinstance(value, Known) else None
        if not isinstance(least, int):
            return Manual(f"{keyword} is no number that can be read", step)
        lines.append(
            f"{table.target}.{method}(min_capacity={least}, max_capacity={max(2 * least, options.max_capacity)})"
            f".scale_on_utilization(target_utilization_percent={options.target_utilization})"
        )
    edits = table.insert_after("\n".join(lines))
    return Fix(edits, Impact.BEHAVIOR) if edits else Manual("It is made within another statement", step)


# ---- Terraform ---------------------------------------------------------------------------------

_KIND, _BLOCK_INDEX = "aws_dynamodb_table", "global_secondary_index"
_DIMENSIONS = {_READ: "Read", _WRITE: "Write"}


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """Tables whose billing mode is provisioned, by their argument or by default."""
    on_demand = options.mode == "on-demand"
    for table in module.declared(_KIND):
        mode, at = table.value(_MODE), table.attribute(_MODE)
        where = module.override_of(table)
        own = where.attribute(_MODE) if where else None
        if own and module.literal(own.expr) == Known(_ON_DEMAND):
            continue
        if isinstance(mode, Unknown) and mode.why.startswith("is overridden"):
            manual = Manual(f"The billing mode can't be judged: it {mode.why}", _STEP)
            yield table.finding(rule, _DOUBTFUL, manual=manual, at=at)
        if mode is not Absent and mode != Known("PROVISIONED"):
            continue
        found = scaling(module, table)
        if not on_demand and (found.blocks or found.doubtful):
            continue
        message = _SCALED if found.blocks else _FIXED
        if obstacle := _obstacle(table, found):
            yield table.finding(rule, message, manual=obstacle, at=at)
        else:
            message, made = (
                _without_capacity(table, found, message) if on_demand else (message, _with_targets(table, options))
            )
            fix, by_hand = (made, None) if isinstance(made, Fix) else (None, made)
            yield table.finding(rule, message, fix=fix, manual=by_hand, at=at)


def _obstacle(table: Block, found: Scaling) -> Manual | None:
    """Why the table is left to people."""
    module, mode = table.module, table.attribute(_MODE)
    if table.read_only or any(one.read_only for one in found.blocks):
        return Manual("It is in an override file or in JSON, which is not rewritten", _STEP)
    if mode and (names := module.variables_behind(mode.expr)):
        reason = f"The billing mode comes from var.{', var.'.join(names)}, PROVISIONED by default"
        return Manual(reason, "Set the variable where the module is called, or change its default")
    if mode and mode.expr.traversals():
        return Manual(f"The billing mode comes from {mode.expr.text}", "Change it there")
    if module.incomplete:
        return Manual("A file of the module can't be read, and may scale it", "Mend the file first")
    if found.doubtful:
        return Manual(f"{found.doubtful[0].address} may be for it", "Choose on-demand billing, or leave it scaled")
    if module.override_of(table):
        return Manual("An override file changes the table", _STEP)
    if table.ignores_changes(_MODE):
        return Manual("The lifecycle ignores changes of the billing mode", "Change it where it is managed")
    if not found.blocks and any(table.ignores_changes(name) for name in (_READ, _WRITE)):
        return Manual("The lifecycle ignores changes of the capacity, so something else may scale it", _STEP)
    if "reserved" in table.text().lower():
        return Manual("It speaks of reserved capacity, which is paid for in any case", _STEP)
    return None


def _capacities(table: Block) -> dict[Block, list[Attribute]]:
    """The capacities of the table and of its indexes, by the block that they are in."""
    blocks = [table, *table.blocks(_BLOCK_INDEX)]
    return {block: [one for name in (_READ, _WRITE) if (one := block.attribute(name))] for block in blocks}


def _without_capacity(table: Block, found: Scaling, message: str) -> tuple[str, Fix | Manual]:
    """The message, and how the table and its indexes lose their capacities, and what scales them goes."""
    module, dynamic = table.module, table.dynamic(_BLOCK_INDEX)
    if dynamic and "_capacity" in dynamic.text():
        return message, Manual(
            "A dynamic block gives its indexes capacities", f"Take them out, and choose {_ON_DEMAND}"
        )
    capacities = _capacities(table)
    gone = {block.address for block in found.blocks}
    for address in (table.address, *gone):
        for one in (*module.references(address), *module.references(address, fixed=True)):
            place = one.block.top if one.block else None
            kept = place is None or place.address not in gone
            if kept and (address in gone or one.rest.endswith((f".{_READ}", f".{_WRITE}"))):
                where = place.address if place else one.file.path
                return message, Manual(
                    f"{where} refers to {address}{one.rest}", f"Take that out, and choose {_ON_DEMAND}"
                )
    taken = [*(one for listed in capacities.values() for one in listed)]
    taken += [one for block in found.blocks for one in block.attributes()]
    if variables := unused_without(module, [one.expr for one in taken]):
        message += f"; once fixed, nothing uses {', '.join(variables)}"
    within = {block: [one.name for one in listed] for block, listed in capacities.items()}
    edits = table.rewrite(set={_MODE: f'"{_ON_DEMAND}"'}, remove=within.pop(table), within=within)
    changes = (*edits, *delete_blocks(found.blocks))
    return message, Fix(changes, Impact.REPLACEMENT if found.blocks else Impact.BEHAVIOR)


def _with_targets(table: Block, options: Options) -> Fix | Manual:
    """Scale the table between the capacity that it has and the greatest."""
    step = "Write an aws_appautoscaling_target and an aws_appautoscaling_policy for each"
    if table.holds(_BLOCK_INDEX):
        return Manual("Its indexes have to be scaled too", step)
    if any(table.attribute(name) is None for name in _DIMENSIONS):
        return Manual("It has no capacity to start from", f"Set {_READ} and {_WRITE}, or choose {_ON_DEMAND}")
    ignoring = table.ignore_changes(*_DIMENSIONS)
    if ignoring is None:
        return Manual("Its lifecycle ignores changes in a way that can't be continued", step)
    texts = [
        target(table, word, *_range(table, name, options), options.target_utilization)
        for name, word in _DIMENSIONS.items()
    ]
    return Fix((*ignoring, *table.insert_after("\n".join(texts))), Impact.BEHAVIOR)


def _range(table: Block, name: str, options: Options) -> tuple[str, str]:
    """The least capacity, which it has now, and the greatest."""
    attribute = table.attribute(name)
    assert attribute is not None  # noqa: S101
    least, known = attribute.expr.text, table.module.literal(attribute.expr)
    if isinstance(known, Known) and isinstance(known.value, int):
        return least, str(max(2 * known.value, options.max_capacity))
    return least, f"max(2 * {least}, {options.max_capacity})"
