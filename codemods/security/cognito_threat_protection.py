"""Turn on multi-factor authentication and threat protection of Cognito user pools.

## Why

A password alone is guessed, phished or found in another site's leak. With multi-factor authentication it is not enough,
and with threat protection Cognito looks for the rest: leaked passwords, unusual places and devices, sign-ins by robots.

**Threat protection costs money**: it needs the feature plan Plus, which is billed for each active user. Where the code
tells environments apart it is therefore for production alone.

## CDK Python

`aws_cognito.UserPool` gets what it lacks; its L1 twin `CfnUserPool` the same in CloudFormation's words:

```python
cognito.UserPool(
    self,
    "Users",
    mfa=cognito.Mfa.OPTIONAL if is_production else None,
    mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
    feature_plan=cognito.FeaturePlan.PLUS if is_production else None,
    standard_threat_protection_mode=(
        cognito.StandardThreatProtectionMode.FULL_FUNCTION if is_production else None
    ),
)
```

The environment is what `stateful-removal-policy` takes too, `is_production` or a comparison; without one the settings
hold everywhere. Impact `behavior`: the pool is updated in place. `OPTIONAL` lets users choose a second factor, an
authenticator app; `mfa = "required"` asks all for it, also at their next sign-in, and the app has to know that
challenge.

## Terraform

`aws_cognito_user_pool` gets `mfa_configuration` with `software_token_mfa_configuration`, `user_pool_add_ons` and
`user_pool_tier`. Impact `behavior`, as above.

```hcl
resource "aws_cognito_user_pool" "users" {
  name              = "users"
  mfa_configuration = var.environment == "prod" ? "OPTIONAL" : "OFF"
  user_pool_tier    = var.environment == "prod" ? "PLUS" : null

  dynamic "software_token_mfa_configuration" {
    for_each = var.environment == "prod" ? [1] : []

    content {
      enabled = true
    }
  }

  user_pool_add_ons {
    advanced_security_mode = var.environment == "prod" ? "ENFORCED" : "OFF"
  }
}
```

## Not fixed

- A weaker setting that somebody chose: an audit only, another plan, `NO_ENFORCEMENT`, `Mfa.OFF`. Choose the
  stronger one, or keep it with `# iacfix: ignore[cognito-threat-protection] why`.
- `**arguments` that can't be looked into, settings that are overridden later, a variable whose default turns one off.
- An aws-cdk-lib before 2.182.0, version 1 of the CDK, and an aws provider before version 5, which do not have
  all of these settings: upgrade first.
- Terraform: override files, JSON, and a pool whose `lifecycle` ignores changes of the setting.

Not reported: a setting that depends on a condition, or comes from a parameter or a variable without default; `dynamic`
blocks.

## Options

- `mfa` (default `optional`, or `required`): whether users may or must have a second factor.
- `production` (default `prod`, `production`, `prd`): what the production environment is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from codemods.facts import cdk_since
from fixer.cdk import Call
from fixer.cdk.environment import Environments, in_production
from fixer.environment import PRODUCTION, check_production
from fixer.model import Absent, Findings, Fix, Impact, Known, Manual, Rule, Symbol, Unknown, Value
from fixer.terraform import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixer.cdk import CdkFile, Construct
    from fixer.model import Edit, Finding
    from fixer.terraform import Block, Module


@dataclass(frozen=True)
class Options:
    """Options of the rule."""

    mfa: Literal["optional", "required"] = "optional"
    """Whether users may or must have a second factor."""
    production: tuple[str, ...] = PRODUCTION
    """What the production environment is called."""

    def __post_init__(self) -> None:
        check_production(self.production)


rule = Rule(
    __name__,
    impact=Impact.BEHAVIOR,
    seeds=("S0-3.3",),
    scanners=("AwsSolutions-COG3", "AwsSolutions-COG8"),
    options=Options,
    keywords=("ognito",),
)

_NO_MFA = "has no multi-factor authentication"
_NO_THREATS = "has no threat protection; once fixed, the plan Plus is billed for each active user"
_CHOSEN = "Choose the stronger setting, or keep it with a suppression that says why"
_MODE = "advanced_security_mode"
_LOW_MFA = {"optional": "OPTIONAL", "required": "ON"}
_DOUBTFUL = "may lack multi-factor authentication or threat protection"


# ---- CDK Python --------------------------------------------------------------------------------

_POOL, _LOW_POOL = "aws_cognito.UserPool", "aws_cognito.CfnUserPool"
_THREATS = ("standard_threat_protection_mode", "advanced_security_mode", "feature_plan")
_LOW_THREATS = ("user_pool_add_ons", "user_pool_tier")
_STRONG = ("FULL_FUNCTION", "ENFORCED", "PLUS")
_NEWEST = "aws_cognito.UserPoolProps.standard_threat_protection_mode"
_ADD_ONS = "aws_cognito.CfnUserPool.UserPoolAddOnsProperty"


@rule.cdk
def cdk(file: CdkFile, options: Options) -> Findings:
    """User pools by their keywords."""
    for pool in file.constructs(_POOL, _LOW_POOL):
        mfa, threats = ("mfa_configuration", _LOW_THREATS) if pool.name == _LOW_POOL else ("mfa", _THREATS)
        values = [pool.value(name) for name in (mfa, *threats) if not pool.has(name)]
        if hidden := [value.why for value in values if isinstance(value, Unknown)]:
            manual = Manual(f"Its settings can't be judged: it {hidden[0]}", "Make sure that they are set there")
            yield pool.finding(rule, _DOUBTFUL, manual=manual)
            continue
        if not pool.overridden("mfa_configuration"):
            yield from _mfa(file, pool, mfa, options)
        if not any(map(pool.overridden, _LOW_THREATS)):
            yield from _threats(file, pool, threats, options)


def _mfa(file: CdkFile, pool: Construct, keyword: str, options: Options) -> Iterator[Finding]:
    """The finding for a pool whose users can't have a second factor."""
    value, at = pool.value(keyword), pool.argument(keyword)
    if _member(value) == "OFF":
        yield pool.finding(rule, _NO_MFA, manual=Manual("Somebody chose to be without it", _CHOSEN), at=at)
    elif value is Absent and pool.name == _LOW_POOL:
        made = {keyword: f'"{_LOW_MFA[options.mfa]}"'}
        if pool.value("enabled_mfas") is Absent:
            made["enabled_mfas"] = '["SOFTWARE_TOKEN_MFA"]'
        yield _lacking(pool, _NO_MFA, made, {}, (), options)
    elif value is Absent:
        second = {"mfa_second_factor": "aws_cognito.MfaSecondFactor"}
        second = {name: kind for name, kind in second.items() if pool.value(name) is Absent}
        spelled, imports = file.spell_all(("aws_cognito.Mfa", *second.values()), pool)
        always = {name: f"{spelled[kind]}(sms=False, otp=True)" for name, kind in second.items()}
        made = {keyword: f"{spelled['aws_cognito.Mfa']}.{options.mfa.upper()}"}
        yield _lacking(pool, _NO_MFA, made, always, imports, options)


def _threats(file: CdkFile, pool: Construct, keywords: tuple[str, ...], options: Options) -> Iterator[Finding]:
    """The finding for a pool without threat protection."""
    values = {name: pool.value(name) for name in keywords}
    if pool.name == _LOW_POOL:
        add_ons = pool.within("user_pool_add_ons", _ADD_ONS)
        values["user_pool_add_ons"] = add_ons if not isinstance(add_ons, Call) else add_ons.value(_MODE)
    members = {name: _member(value) for name, value in values.items() if value is not Absent}
    plans = ("feature_plan", "user_pool_tier")
    protection = [member for name, member in members.items() if name not in plans]
    weak = {name: member for name, member in members.items() if member not in (*_STRONG, "")}
    if "" in members.values() or (protection and not weak):
        return
    if weak:
        name, member = next(iter(weak.items()))
        manual = Manual(f"Somebody chose {name}: {member}", _CHOSEN)
        yield pool.finding(rule, _NO_THREATS, manual=manual, at=pool.argument(name))
    elif too_old := file.too_old(_NEWEST.rpartition(".")[2], cdk_since(_NEWEST)):
        yield pool.finding(rule, _NO_THREATS, manual=too_old)
    elif pool.name == _LOW_POOL:
        name, imports = file.spell(_LOW_POOL, pool)
        made = {"user_pool_tier": '"PLUS"', "user_pool_add_ons": f'{name}.UserPoolAddOnsProperty({_MODE}="ENFORCED")'}
        yield _lacking(pool, _NO_THREATS, _absent(made, values), {}, imports, options)
    else:
        plan, mode = "aws_cognito.FeaturePlan", "aws_cognito.StandardThreatProtectionMode"
        spelled, imports = file.spell_all((plan, mode), pool)
        made = {"feature_plan": f"{spelled[plan]}.PLUS", _THREATS[0]: f"{spelled[mode]}.FULL_FUNCTION"}
        yield _lacking(pool, _NO_THREATS, _absent(made, values), {}, imports, options)


def _absent(made: Mapping[str, str], values: Mapping[str, Value]) -> dict[str, str]:
    return {name: text for name, text in made.items() if values[name] is Absent}


def _member(value: Value) -> str:
    """The last part of a constant's name, or a text; empty for what can't be told or is not there."""
    found = value.value if isinstance(value, Known) else ""
    return (found.name if isinstance(found, Symbol) else str(found)).rpartition(".")[2]


def _lacking(
    pool: Construct,
    message: str,
    made: Mapping[str, str],
    always: Mapping[str, str],
    imports: tuple[Edit, ...],
    options: Options,
) -> Finding:
    """The finding with the settings added, those of `made` for production if the code tells it apart."""
    environments = Environments(pool.file)
    method = pool.function not in (None, "__init__")
    alone = any(pool.has(name) for name in (*_THREATS, *_LOW_THREATS)) and len(made) == 1
    condition = environments.production(pool.scope, pool.start, options.production, attribute=method, often=not alone)
    added = condition.edits if condition else ()
    values = {name: in_production(condition, text, "None") for name, text in made.items()}
    edits = pool.set_all({**values, **always})
    return pool.finding(rule, message, fix=Fix((*edits, *imports, *added), Impact.BEHAVIOR))


# ---- Terraform ---------------------------------------------------------------------------------

_MFA, _TOKEN, _ADDED, _TIER = (
    "mfa_configuration",
    "software_token_mfa_configuration",
    "user_pool_add_ons",
    "user_pool_tier",
)
_SET_IT = "Make sure that it is set there"
_FACTORS = (_TOKEN, "sms_configuration", "email_mfa_configuration")


@rule.terraform
def terraform(module: Module, options: Options) -> Findings:
    """User pools by their arguments and blocks."""
    for pool in module.declared("aws_cognito_user_pool"):
        condition = environment.production(module, options.production)
        for message, name, found in (
            (_NO_MFA, _MFA, _with_mfa(pool, condition, options)),
            (_NO_THREATS, _TIER, _protected(pool, condition)),
        ):
            if found:
                fix, manual = (None, found) if isinstance(found, Manual) else (Fix(found, Impact.BEHAVIOR), None)
                yield pool.finding(rule, message, fix=fix, manual=manual, at=pool.attribute(name))


def _with_mfa(pool: Block, condition: str | None, options: Options) -> tuple[Edit, ...] | Manual | None:
    """The edits that let users have a second factor, or why they are not made; None if it is in order."""
    value, attribute = pool.value(_MFA), pool.attribute(_MFA)
    if isinstance(value, Unknown):
        return pool.overridden(_MFA, _SET_IT)
    if value is not Absent and value != Known("OFF"):
        return None
    if value == Known("OFF"):
        names = pool.module.variables_behind(attribute.expr) if attribute else ()
        return Manual(
            f"var.{names[0]} turns it off by default" if names else "Somebody chose to be without it", _CHOSEN
        )
    if obstacle := pool.unchangeable(_MFA, _SET_IT):
        return obstacle
    if pool.holds(_TOKEN) or pool.holds("email_mfa_configuration"):
        condition = None  # Cognito refuses a factor where there is to be none
    wanted = f'"{_LOW_MFA[options.mfa]}"'
    settings = {_MFA: environment.in_production(condition, wanted, '"OFF"')}
    if not any(pool.holds(name) for name in _FACTORS):
        made = f'dynamic "{_TOKEN}"'
        some = {
            f"{made}.for_each": environment.in_production(condition, "[1]", "[]"),
            f"{made}.content.enabled": "true",
        }
        settings |= some if condition else {f"{_TOKEN}.enabled": "true"}
    return pool.set_all(settings)


def _protected(pool: Block, condition: str | None) -> tuple[Edit, ...] | Manual | None:
    """The edits that turn threat protection on, or why they are not made; None if it is in order."""
    mode, tier = pool.value(f"{_ADDED}.{_MODE}"), pool.value(_TIER)
    for name, value, strong in ((_ADDED, mode, "ENFORCED"), (_TIER, tier, "PLUS")):
        if isinstance(value, Unknown):
            return pool.overridden(name, _SET_IT)
        if value is not Absent and value.value != strong:
            return Manual(f"Somebody chose {name}: {value.value}", _CHOSEN)
    if mode is not Absent:
        return None
    if obstacle := pool.unchangeable(_ADDED, _SET_IT) or pool.unchangeable(_TIER, _SET_IT):
        return obstacle
    majors = pool.module.facts.aws_majors
    if majors and min(majors) < 5:
        return Manual("The provider's version has no user_pool_tier", "Upgrade the provider to version 5")
    plan = {_TIER: environment.in_production(condition, '"PLUS"', "null")} if tier is Absent else {}
    enforced = environment.in_production(condition, '"ENFORCED"', '"OFF"')
    return pool.set_all({**plan, f"{_ADDED}.{_MODE}": enforced})
