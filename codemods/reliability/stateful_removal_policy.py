"""Keep data in production when its resource is removed.

## Why

`RemovalPolicy.DESTROY`, `force_destroy` and `skip_final_snapshot` are handy in development: nothing is left behind. In
production one removed line, one renamed construct or one `terraform destroy` in the wrong place deletes the data. The
same code serves both if the setting depends on the environment.

## CDK Python

`RemovalPolicy.DESTROY` of buckets, tables, databases, user pools, log groups, keys, file systems, repositories and
search domains, as the keyword `removal_policy` or by `apply_removal_policy()`, for L2 and L1 constructs, becomes
`RETAIN` in production and stays `DESTROY` elsewhere. Databases of RDS, Neptune and Redshift become `SNAPSHOT`.
`auto_delete_objects`, `empty_on_delete` and `auto_delete_images` follow, since the CDK refuses them without `DESTROY`:

```python
is_production = environment_suffix in ("prod", "production", "prd")

s3.Bucket(
    self,
    "Uploads",
    removal_policy=RemovalPolicy.RETAIN if is_production else RemovalPolicy.DESTROY,
    auto_delete_objects=not is_production,
)
```

The environment is what the code has where `env-suffix-names` looks for it too: a parameter, a variable, an attribute
of `self` or of the props. What the code compares with the name of production already is taken first, and with that
name alone; then what names the environment; then the suffix. `is_production` is used if it is there; a line makes it
where there are several names, more than two uses, or other methods than `__init__`. Where a removal policy depends on
a condition already and `auto_delete_objects=True` does not, it gets the same condition: impact `none`.

Impact `behavior`: in production nothing is replaced, the resource is updated in place, and what empties the bucket is
taken away. Elsewhere the template stays the same.

## Terraform

- `force_destroy` of buckets, backup vaults and public repositories, and `force_delete` of repositories: true but in
  production.
- `skip_final_snapshot` of databases, clusters and warehouses likewise; `final_snapshot_identifier` is added if it is
  missing: the identifier of the database with `-final`.
- `deletion_protection` that is false, and the like of tables, user pools and log groups: true in production.
- `deletion_window_in_days` of keys that is less than 30: 30 in production.

```hcl
resource "aws_s3_bucket" "uploads" {
  bucket        = "uploads-${var.environment_suffix}"
  force_destroy = var.environment != "prod"
}
```

The environment is `local.is_production` or the like, or else a variable, a local or `terraform.workspace`, chosen as
above: with the names that the module compares it with, or that its default is. Impact `behavior`.

## Not fixed

- Code that does not tell environments apart: this may be production or not. Choose what it needs, or give it a
  parameter or variable for its environment and run iacfix again. (CDK: see the option `context`.)
- `**arguments` that can't be looked into; `auto_delete_objects` from a parameter; a policy that a module's constant
  holds; code for CDK version 1 with `auto_delete_objects=True`, since some of its releases empty the bucket when that
  is turned off.
- Terraform: a setting that a variable's default or a local makes; one that an override file or a JSON file has, or
  whose changes `lifecycle` ignores; what `for_each` makes for each environment; several databases without an
  identifier, which need a name each for their snapshots.

Not reported: what is kept by default; a policy that depends on a condition or comes from a parameter or a variable
without default; resources that are made in some environments alone (`if env_name != "prod":`, `count = var.env ==
"dev" ? 1 : 0`); read replicas, members of clusters and secondary clusters, whose data are another's;
`prevent_destroy`; queues, layers and other things that hold no data of their own.

## Options

- `production` (default `prod`, `production`, `prd`): what the production environment is called.
- `context` (default empty): CDK: the item of the context to read, `environmentSuffix` for example, where the code has
  no environment. The fix then adds the line that reads it, with the default `dev`, and changes nothing until somebody
  gives the item in production: impact `none`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from fixer.cdk.environment import Environments, in_production, is_for_some, negated
from fixer.environment import PRODUCTION, check_production
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Symbol, Unknown
from fixer.terraform import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixer.cdk import Argument, Call, CdkFile, Construct
    from fixer.model import Finding, Value
    from fixer.terraform import Block, Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    production: tuple[str, ...] = PRODUCTION
    """What the production environment is called."""
    context: str = ""
    """CDK: the item of the context to read where the code has no environment; nothing is read if it is empty."""

    def __post_init__(self) -> None:
        check_production(self.production)
        if self.context and not re.fullmatch(r"[A-Za-z_]\w*", self.context):
            raise ValueError("context: expects a name of letters, digits and underscores")


rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S1-2.3", "S2-1.1b"),
    options=Options,
    keywords=("DESTROY", "force_destroy", "force_delete", "skip_final_snapshot", "deletion_"),
)

_UNDIVIDED = "The code does not tell environments apart here, so this may be production"


# ---- CDK Python --------------------------------------------------------------------------------

_RETAINED = (
    "aws_cognito.CfnUserPool",
    "aws_cognito.UserPool",
    "aws_docdb.CfnDBCluster",
    "aws_docdb.DatabaseCluster",
    "aws_dynamodb.CfnGlobalTable",
    "aws_dynamodb.CfnTable",
    "aws_dynamodb.Table",
    "aws_dynamodb.TableV2",
    "aws_ecr.CfnRepository",
    "aws_ecr.Repository",
    "aws_efs.CfnFileSystem",
    "aws_efs.FileSystem",
    "aws_elasticsearch.CfnDomain",
    "aws_elasticsearch.Domain",
    "aws_fsx.CfnFileSystem",
    "aws_fsx.LustreFileSystem",
    "aws_kms.CfnKey",
    "aws_kms.Key",
    "aws_logs.CfnLogGroup",
    "aws_logs.LogGroup",
    "aws_opensearchservice.CfnDomain",
    "aws_opensearchservice.Domain",
    "aws_s3.Bucket",
    "aws_s3.CfnBucket",
)
_SNAPSHOT = (
    "aws_neptune.CfnDBCluster",
    "aws_rds.CfnDBCluster",
    "aws_rds.CfnDBInstance",
    "aws_rds.DatabaseCluster",
    "aws_rds.DatabaseClusterFromSnapshot",
    "aws_rds.DatabaseInstance",
    "aws_rds.DatabaseInstanceFromSnapshot",
    "aws_rds.ServerlessCluster",
    "aws_rds.ServerlessClusterFromSnapshot",
    "aws_redshift.CfnCluster",
)
"""Of these the CDK takes `SNAPSHOT`: the list in `applyRemovalPolicy` of its core/lib/cfn-resource.ts."""
_PART_OF_OTHERS = ("db_cluster_identifier", "source_db_instance_identifier")
"""What an instance with one of these holds is kept by its cluster or its source."""
_KEYWORD = "removal_policy"
_EMPTYING = ("auto_delete_objects", "empty_on_delete", "auto_delete_images")
"""What the CDK refuses without `DESTROY`."""
_DESTROY = "RemovalPolicy.DESTROY"
_MESSAGE = "is deleted with its data when it is removed, in production too"
_FEW = 2
"""Conditions that stand where they are needed."""
_REFUSED = "{} does not follow the removal policy, and the CDK refuses it without DESTROY"


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Stateful constructs that are to be destroyed, by their keyword or by what is called on them."""
    environments = Environments(file, options.context or "environmentSuffix")
    for construct in file.constructs(*_RETAINED, *_SNAPSHOT):
        if any(construct.has(keyword) for keyword in _PART_OF_OTHERS) or is_for_some(construct):
            continue
        value = construct.value(_KEYWORD)
        if value == Known(Symbol(_DESTROY)):
            written = construct.behind(_KEYWORD)
            if written is not None:
                yield _destroyed(environments, construct, written, construct.argument(_KEYWORD), options)
        elif isinstance(value, Unknown) and not construct.has(_KEYWORD):
            manual = Manual(f"The removal policy can't be judged: it {value.why}", "Make sure that production keeps it")
            yield construct.finding(rule, "may be deleted with its data when it is removed", manual=manual)
        elif finding := _follows(file, construct):
            yield finding
        for call in _applied(construct):
            argument = next(iter(call.arguments), None)
            written = call.behind(argument) if argument else None
            name = file.qualified(written.node) if written else None
            if argument and written and name == _DESTROY and not is_for_some(call):
                yield _destroyed(environments, construct, written, argument, options)


def _applied(construct: Construct) -> Iterator[Call]:
    yield from construct.methods("apply_removal_policy")
    yield from construct.methods("apply_removal_policy", ".node.default_child")


def _destroyed(
    environments: Environments, construct: Construct, written: Argument, at: Argument | None, options: Options
) -> Finding:
    """The finding for a removal policy that is written as `DESTROY`."""
    file = construct.file
    place = file.tree.scope_at(written.value_start), written.value_start
    attribute, often = _uses(file, written)
    impact, why = Impact.BEHAVIOR, _UNDIVIDED
    condition = environments.production(*place, options.production, attribute=attribute, often=often)
    if condition is None and options.context:
        made = environments.production_by_context(*place, options.production, attribute=attribute)
        condition, impact, why = (None, impact, made) if isinstance(made, str) else (made, Impact.NONE, why)
    if file.is_v1 and construct.value("auto_delete_objects") == Known(True):
        reason = "Some releases of CDK version 1 empty the bucket when auto_delete_objects is turned off"
        step = "Upgrade to version 2 first, or choose RETAIN by hand"
        return construct.finding(rule, _MESSAGE, manual=Manual(reason, step), at=at)
    if condition is None:
        step = "Choose RETAIN if it is, or give the code the name of its environment and run iacfix again"
        return construct.finding(rule, _MESSAGE, manual=Manual(why, step), at=at)
    kept = "SNAPSHOT" if construct.name in _SNAPSHOT else "RETAIN"
    prefix = written.text.removesuffix("DESTROY")
    if prefix == written.text:
        manual = Manual(f"{written.text} is imported under a name of its own", f"Choose {kept} in production")
        return construct.finding(rule, _MESSAGE, manual=manual, at=at)
    values = {written: in_production(condition, f"{prefix}{kept}", written.text)}
    for keyword in _EMPTYING:
        value, argument = construct.value(keyword), construct.behind(keyword)
        if value == Known(True) and argument is not None:
            values[argument] = in_production(condition, "False", "True")
        elif isinstance(value, Unknown):
            step = f"Give both the same condition: the CDK refuses {keyword} without DESTROY"
            manual = Manual(f"{keyword} can't be judged: it {value.why}", step)
            return construct.finding(rule, _MESSAGE, manual=manual, at=at)
    edits = (*file.put_all(values), *condition.edits)
    return construct.finding(rule, _MESSAGE, fix=Fix(edits, impact), at=at)


def _uses(file: CdkFile, written: Argument) -> tuple[bool, bool]:
    """Whether more methods of the class than `__init__` destroy something, and whether it does so often."""
    owner = file.tree.scope_at(written.value_start).nearest("class")
    methods = [one for one in owner.children if one.kind == "function"] if owner else []
    uses = {one.name: file.text(one.start, one.end).count(_DESTROY) for one in methods}
    return any(count for name, count in uses.items() if name != "__init__"), sum(uses.values()) > _FEW


def _follows(file: CdkFile, construct: Construct) -> Finding | None:
    """The finding for what empties a resource whatever its removal policy is."""
    policy = construct.behind(_KEYWORD)
    if policy is None or not isinstance(policy.node, cst.IfExp):
        return None
    then, otherwise = (file.qualified(node) for node in (policy.node.body, policy.node.orelse))
    keyword = next((one for one in _EMPTYING if construct.value(one) == Known(True)), None)
    written = construct.behind(keyword) if keyword else None
    if keyword is None or written is None or (then == _DESTROY) == (otherwise == _DESTROY):
        return None
    code = file.module.code_for_node(policy.node.test)
    fix = Fix(file.put_all({written: code if then == _DESTROY else negated(code)}), Impact.NONE)
    return construct.finding(rule, _REFUSED.format(keyword), fix=fix, at=construct.argument(keyword))


# ---- Terraform ---------------------------------------------------------------------------------

_FORCING = {
    "aws_backup_vault": "force_destroy",
    "aws_ecr_repository": "force_delete",
    "aws_ecrpublic_repository": "force_destroy",
    "aws_s3_bucket": "force_destroy",
    "aws_s3_directory_bucket": "force_destroy",
    "aws_s3tables_table_bucket": "force_destroy",
}
_CLUSTERS = ("aws_docdb_cluster", "aws_neptune_cluster", "aws_rds_cluster")
_SNAPSHOTTED = {"aws_db_instance": "identifier", "aws_redshift_cluster": "cluster_identifier"} | dict.fromkeys(
    _CLUSTERS, "cluster_identifier"
)
_PROTECTED = {
    "aws_cloudwatch_log_group": "deletion_protection_enabled",
    "aws_cognito_user_pool": "deletion_protection",
    "aws_db_instance": "deletion_protection",
    "aws_docdb_global_cluster": "deletion_protection",
    "aws_dynamodb_table": "deletion_protection_enabled",
    "aws_neptune_global_cluster": "deletion_protection",
    "aws_rds_global_cluster": "deletion_protection",
} | dict.fromkeys(_CLUSTERS, "deletion_protection")
_KEYS = ("aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key", "aws_kms_replica_external_key")
_LONGEST_WINDOW = 30
_SOURCES = ("replicate_source_db", "replication_source_identifier")
_UNPROTECTED = "turns its deletion protection off, in production too"
_SKIP, _FINAL, _WINDOW = "skip_final_snapshot", "final_snapshot_identifier", "deletion_window_in_days"


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """Stateful resources whose settings let them go with their data."""
    for settings in (_FORCING, dict.fromkeys(_SNAPSHOTTED, _SKIP), _PROTECTED, dict.fromkeys(_KEYS, _WINDOW)):
        for kind, name in settings.items():
            for block in module.declared(kind):
                if not _is_kept(block):
                    yield from _setting(block, name, options)


def _is_kept(block: Block) -> bool:
    """Whether Terraform never destroys it, or its data are another's, or it is not for production."""
    kept = any(one.value("prevent_destroy") == Known(True) for one in block.blocks("lifecycle"))
    follower = block.holds("global_cluster_identifier") and not (
        block.holds("master_username") or block.holds("manage_master_user_password")
    )
    return kept or follower or environment.is_for_some(block) or any(block.holds(name) for name in _SOURCES)


def _setting(block: Block, name: str, options: Options) -> Iterator[Finding]:
    """The finding for a setting that must differ in production."""
    attribute, step = block.attribute(name), "Make sure that production keeps its data"
    if manual := block.overridden(name, step):
        yield block.finding(rule, "may be deleted with its data", manual=manual, at=attribute)
    elif told := _told(name, block.value(name)):
        message, kept, elsewhere = told
        condition = environment.production(block.module, options.production)
        if obstacle := _obstacle(block, name, condition, step, options):
            yield block.finding(rule, message, manual=obstacle, at=attribute)
            return
        changes = {name: environment.in_production(condition, kept, elsewhere)}
        if name == _SKIP and block.value(_FINAL) is Absent:
            changes[_FINAL] = _snapshot(block)
        yield block.finding(rule, message, fix=Fix(block.set_all(changes), Impact.BEHAVIOR), at=attribute)


def _told(name: str, value: Value) -> tuple[str, str, str] | None:
    """What is wrong with a setting, what it is to be in production, and what it is; None if nothing is known."""
    match value:
        case Known(int() as days) if name == _WINDOW and days < _LONGEST_WINDOW:
            message = f"can be rescued for {days} days after its deletion, in production too"
            return message, str(_LONGEST_WINDOW), str(days)
        case Known(True | "true") if name == _SKIP:
            return "is deleted without a final snapshot, in production too", "false", "true"
        case Known(True | "true") if name in _FORCING.values():
            return "is deleted with all that it holds, in production too", "false", "true"
        case Known(False | "false") if name in _PROTECTED.values():
            return _UNPROTECTED, "true", "false"
        case Known("INACTIVE") if name in _PROTECTED.values():
            return _UNPROTECTED, '"ACTIVE"', '"INACTIVE"'
    return None


def _obstacle(block: Block, name: str, condition: str | None, step: str, options: Options) -> Manual | None:
    """Why the setting can't follow the environment here."""
    attribute = block.attribute(name)
    manual = block.unchangeable(name, step)
    if manual or attribute is None:
        return manual
    if variables := block.module.variables_behind(attribute.expr):
        reason = f"The setting comes from var.{', var.'.join(variables)}"
        return Manual(reason, "Make sure that production sets it otherwise, or change the default")
    if attribute.expr.traversals():
        return Manual(f"The setting comes from {attribute.expr.text}", "Let that follow the environment")
    if environment.is_for_each(block, options.production):
        return Manual("for_each makes one of it for each environment", "Let the setting depend on each.key")
    if condition is None:
        step = "Give the module a variable for its environment and run iacfix again, or choose what production needs"
        return Manual(_UNDIVIDED, step)
    if name == _SKIP and block.value(_FINAL) is Absent and _identifier(block) is None and block.meta().keys() & _MANY:
        return Manual("Several of it need a name each for their final snapshots", f"Set {_FINAL} too")
    return None


_MANY = {"count", "for_each"}


def _identifier(block: Block) -> str | None:
    """What it is called, as the inside of a template."""
    attribute = block.attribute(_SNAPSHOTTED[block.labels[0]])
    if (
        attribute is None
        or "\n" in attribute.expr.text
        or attribute.expr.kind not in ("string", "template", "traversal")
    ):
        return None
    text = attribute.expr.text
    return text.strip('"') if attribute.expr.kind != "traversal" else f"${{{text}}}"


def _snapshot(block: Block) -> str:
    """A name for the final snapshot."""
    own = re.sub(r"[^a-zA-Z0-9]+", "-", block.name).strip("-")
    return f'"{_identifier(block) or own}-final"'
