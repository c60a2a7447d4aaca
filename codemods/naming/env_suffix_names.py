"""Give the physical names of resources the suffix of their environment.

## Why

A name that is written out is the same in every deployment. The second environment in an account, or a deployment for
a pull request, fails because the name is taken, or writes to the first one's table. A name that is drawn at random is
no help: it changes with every synthesis, and the resource is replaced with it. A suffix per environment keeps
deployments apart.

Impact `replacement` for all fixes: a resource that gets another name is made anew, and the old one is deleted, kept
or left behind, data and all. `iacfix apply` renames only with `--impact replacement`; look at the diff of the
template or the plan before you deploy it, and move the data first.

## CDK Python

Which arguments are physical names is taken from the CDK's API (`bucket_name`, `table_name`, `function_name`, ...),
for L2 and L1 constructs. Names that are literals, f-strings, concatenations, `.format()`, `%`, or a variable that is
set to one get the suffix:

```python
bucket = s3.Bucket(self, "Data", bucket_name=f"orders-data-{environment_suffix}")
queue = sqs.Queue(self, "Jobs", queue_name=f"orders-{environment_suffix}.fifo", fifo=True)
```

The suffix is what the code has already: a parameter, a variable, `self.environment_suffix`, an attribute of the
props. If it has none, a line after `super().__init__()` reads it:

```python
environment_suffix = self.node.try_get_context("environmentSuffix") or "dev"
```

and an attribute of `self` if more than `__init__` needs it. A part that `random`, `uuid`, `secrets` or the clock make
at synthesis is replaced by the suffix.

**Other places follow**: an ARN, an environment variable, a `from_bucket_name()`, an output that holds the same name,
in all files of the app; as `table.table_name` where the construct is certainly made before, else with the same
suffix. `/aws/lambda/x` follows function `x`. What iacfix does not rewrite (Lambda code, comments, JSON, a
description) is listed in the report.

## Terraform

The names of resources get `-${var.environment_suffix}`; the variable is added to `variables.tf` (or to the file that
declares the others) with the default `dev` if the module lacks it.

```hcl
resource "aws_s3_bucket" "data" {
  bucket = "orders-data-${var.environment_suffix}"
}
```

- Names that hold `var.environment` or `var.stage`, `${var.project}-${var.environment}-data`, get the suffix in its
  place: several deployments of one environment, such as those for pull requests, have to be told apart too. Names in
  such a module that hold the environment in a local, `${local.prefix}-data`, get the suffix as well. Set the option
  `replace_environment` to false if the environment is enough.
- In a module whose names hold `terraform.workspace`, a local or the like instead, the names that lack it get the same.
- A name that a local or a variable's default holds gets the suffix where it is used, or in the local if all that use
  it mean the name.
- The same literal elsewhere in the module becomes a reference, `aws_s3_bucket.data.bucket`, also inside of policies
  and heredocs; or gets the same suffix where a reference would make a cycle, or `count` or `for_each` stands in the
  way.

## Not fixed

Reported, for a person to do:

- A name with a written-out environment (`prod-orders`): write the suffix in its place.
- A name that a prefix or another module's output may have given an environment already: put the suffix there, or in
  the name.
- A Terraform name that ends with `.fifo` by way of a variable.
- A name that would be too long (10 characters are reckoned for the suffix) or would hold a forbidden character.
- A name that a service looks for (`dms-vpc-role`), that a website's host must equal, that a backend names, or whose
  resource has `prevent_destroy`.
- A log group that a service names after a resource that is not renamed here.
- A name that stands elsewhere where the suffix can't be had, or may be another: give that place the suffix.
- CDK: a class without `super().__init__()`, code outside of a class, a name that depends on a condition, a variable
  with a random part that construct ids use too.
- Terraform: a module that others call and that has no such variable (declare it, and pass it in each call); override
  files and JSON; conditionals.

Not reported: names that hold something that differs by environment (a word like env, environment, stage, suffix,
branch, deployment, the stack's name or id, a construct's id, another resource's name, `random_*`); those that a
parameter, props, the context, a variable without default, or the caller of a module gives whole; looked-up resources
and data sources; zones, domains, records, certificates and identities of SES; construct ids, tags, export and stage
names.

## Options

- `variable` (default `environment_suffix`): the Terraform variable.
- `context` (default `environmentSuffix`): the item of the CDK's context; the Python variable is named after it.
- `default` (default `dev`): the suffix where none is given.
- `position` (default `suffix`, or `prefix`): where in the name; in a path, in its last segment. `.fifo` stays last,
  and `alias/`, `aws-waf-logs-` and the like stay first.
- `separator` (default `-`): what joins them; `_` where the service takes no hyphen.
- `replace_environment` (default true): Terraform: `var.environment` in names gives way to the suffix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fixer.model import Findings, Fix, Impact, Rule

if TYPE_CHECKING:
    from fixer.cdk import CdkFile
    from fixer.terraform import Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    variable: str = "environment_suffix"
    """The Terraform variable that holds the suffix."""
    context: str = "environmentSuffix"
    """The item of the CDK's context that holds the suffix."""
    default: str = "dev"
    """The suffix where none is given."""
    position: Literal["suffix", "prefix"] = "suffix"
    """Where in the name it goes; in a path, in its last segment."""
    separator: str = "-"
    """What joins it to the name; `_` is taken where the service takes no hyphen."""
    replace_environment: bool = True
    """Terraform: names that hold `var.environment` get the suffix in its place; if false, the environment is enough."""

    def __post_init__(self) -> None:
        for key in ("variable", "context"):
            if not re.fullmatch(r"[A-Za-z_]\w*", getattr(self, key)):
                raise ValueError(f"{key}: expects a name of letters, digits and underscores")
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", self.default):
            raise ValueError("default: expects lower-case letters, digits and hyphens")
        if self.separator not in ("", "-", "_", "."):
            raise ValueError("separator: expects -, _, . or nothing")


rule = Rule(
    __name__,
    impact=Impact.REPLACEMENT,
    seeds=("S0-1.2", "S2-2.1", "S2-1.1c", "S4-2"),
    options=Options,
    keywords=("aws_",),
)


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """Names in constructs that hold no environment suffix."""
    from codemods.naming._suffix.cdk import Suffixer

    suffixer = Suffixer(file, options)
    for name in suffixer.names:
        made = name.manual or suffixer.fix(name)
        fix, manual = (made, None) if isinstance(made, Fix) else (None, made)
        yield name.construct.finding(rule, name.message, fix=fix, manual=manual, at=name.argument)


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """Names in resources that hold no environment suffix."""
    from codemods.naming._suffix.terraform import Suffixer

    suffixer = Suffixer(module, options)
    for name in suffixer.names:
        made = name.manual or suffixer.fix(name)
        fix, manual = (made, None) if isinstance(made, Fix) else (None, made)
        yield name.block.finding(rule, name.message, fix=fix, manual=manual, at=name.attribute)
