"""S3 buckets in both languages: what sets something of them, who else may, and what they are called."""

from __future__ import annotations

import pytest

from fixer.cdk import Construct, buckets, elsewhere
from fixer.cdk import load as load_app
from fixer.facts import CdkFacts, TerraformFacts
from fixer.terraform import Block, load
from fixer.terraform.buckets import (
    ACL,
    POLICY,
    VERSIONING,
    WEBSITE,
    arn,
    free_name,
    hosts_website,
    is_for_each,
    last_setting,
    own_and_settings,
    settings,
    sure_settings,
    who_is_told,
)

# ---- Terraform ---------------------------------------------------------------------------------

BUCKETS = """
resource "aws_s3_bucket" "orders" {
  bucket = "orders"
}

resource "aws_s3_bucket" "carts" {
  bucket = "carts"
}
"""


def declared(more: str, *, called: bool = False, **others: str) -> Block:
    """The first bucket of a module that holds two of them and more."""
    facts = TerraformFacts(called_by=("root.tf:1",) if called else ())
    files = {f"{name}.tf": text.encode() for name, text in others.items()}
    module = load(facts, {"main.tf": (BUCKETS + more).encode(), **files})
    assert not module.errors
    return next(module.declared("aws_s3_bucket"))


def setting(bucket: str, kind: str = POLICY, name: str = "x") -> str:
    return f'resource "{kind}" "{name}" {{\n  bucket = {bucket}\n}}\n'


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("aws_s3_bucket.orders.id", [True]),
        ('"orders"', [True]),
        ("aws_s3_bucket.carts.id", []),
        ("var.bucket", [False]),
    ],
)
def test_a_setting_is_for_its_bucket(reference: str, found: list[bool]) -> None:
    bucket = declared(setting(reference))
    assert [is_sure for _, is_sure in settings(bucket, ACL, POLICY)] == found
    sure, unclear = sure_settings(bucket, POLICY)
    assert [True for _ in sure] == [one for one in found if one]
    assert (unclear is not None) == (False in found)


def test_what_sets_something_of_a_bucket_is_the_bucket_its_override_and_resources() -> None:
    over = 'resource "aws_s3_bucket" "orders" {\n  acl = "private"\n}\n'
    bucket = declared(setting("aws_s3_bucket.orders.id") + setting("var.x", VERSIONING), main_override=over)
    found = [(one.file.path, one.labels[0], is_sure) for one, is_sure in own_and_settings(bucket, VERSIONING, POLICY)]
    assert found == [
        ("main.tf", "aws_s3_bucket", True),
        ("main_override.tf", "aws_s3_bucket", True),
        ("main.tf", VERSIONING, False),
        ("main.tf", POLICY, True),
    ]


def test_a_website_is_told_by_the_bucket_or_by_its_configuration() -> None:
    bucket = declared(setting("aws_s3_bucket.orders.id", WEBSITE) + setting("aws_s3_bucket.orders.id", ACL))
    assert [hosts_website(one) for one, _ in own_and_settings(bucket, WEBSITE, ACL)] == [False, True, False]
    own = load(TerraformFacts(), {"main.tf": b'resource "aws_s3_bucket" "a" {\n  website {\n  }\n}\n'})
    assert hosts_website(next(own.declared("aws_s3_bucket")))


@pytest.mark.parametrize(
    ("others", "suffix", "name"),
    [
        ([], "", "orders"),
        (["orders"], "", "orders_policy"),
        (["orders"], "_tls", "orders_tls"),
        (["orders", "orders_policy"], "", "orders_policy_policy"),
    ],
)
def test_a_setting_gets_a_name_that_is_free(others: list[str], suffix: str, name: str) -> None:
    bucket = declared("".join(setting("aws_s3_bucket.carts.id", name=one) for one in others))
    assert free_name(bucket, POLICY, suffix) == name


def test_a_setting_gets_no_name_that_another_bucket_s_would_get() -> None:
    more = setting("var.x", name="orders") + 'resource "aws_s3_bucket" "orders_policy" {\n}\n'
    assert free_name(declared(more), POLICY) == "orders_policy_policy"


def test_settings_right_below_a_bucket_belong_to_it() -> None:
    one, other, object_ = (f"aws_s3_bucket{kind}" for kind in ("_acl", "_versioning", "_object"))
    orders = 'resource "aws_s3_bucket" "orders" {\n}\n'

    def last(*kinds: str) -> str:
        texts = (setting("aws_s3_bucket.orders.id", kind) for kind in kinds)
        module = load(TerraformFacts(), {"main.tf": "\n".join([orders, *texts]).encode()})
        return last_setting(next(module.declared("aws_s3_bucket"))).labels[0]

    assert last() == "aws_s3_bucket"
    assert last(one, other, object_) == other
    assert last("aws_sns_topic", one) == "aws_s3_bucket"


@pytest.mark.parametrize(
    ("more", "called", "who"),
    [
        ("", True, None),
        ("locals {\n  name = aws_s3_bucket.orders.id\n}\n", True, None),
        ('module "m" {\n  source = "./m"\n  bucket = aws_s3_bucket.orders.id\n}\n', False, "module.m is given"),
        ('module "m" {\n  source = "./m"\n  arn = aws_s3_bucket.orders.arn\n}\n', False, None),
        ('module "m" {\n  source = "./m"\n  depends_on = [aws_s3_bucket.orders]\n}\n', False, None),
        ('output "o" {\n  value = aws_s3_bucket.orders.bucket\n}\n', False, None),
        ('output "o" {\n  value = aws_s3_bucket.orders.bucket\n}\n', True, "root.tf:1 gets"),
    ],
)
def test_others_are_told_a_bucket_s_name(more: str, called: bool, who: str | None) -> None:
    found = who_is_told(declared(more, called=called))
    assert (found or "").startswith(who or "")
    assert (found is None) == (who is None)


EACH = 'resource "aws_s3_bucket" "many" {\n  for_each = var.names\n}\n'


@pytest.mark.parametrize(
    ("lines", "fits", "name"),
    [
        (
            "for_each = var.names\n  bucket = aws_s3_bucket.many[each.key].id",
            True,
            "aws_s3_bucket.many[each.key].arn",
        ),
        ("for_each = aws_s3_bucket.many\n  bucket = each.value.id", True, "each.value.arn"),
        ('bucket = aws_s3_bucket.many["a"].id', False, 'aws_s3_bucket.many["a"].arn'),
        ("for_each = var.names\n  bucket = each.key", True, None),
    ],
)
def test_a_setting_of_many_buckets_calls_each_by_its_own_name(lines: str, fits: bool, name: str | None) -> None:
    text = f'{EACH}resource "{POLICY}" "x" {{\n  {lines}\n}}\ndata "aws_iam_policy_document" "d" {{\n}}\n'
    module = load(TerraformFacts(), {"main.tf": text.encode()})
    (bucket,), (policy,), (document,) = (
        module.resources("aws_s3_bucket"),
        module.resources(POLICY),
        module.data(DOCUMENT),
    )
    assert is_for_each(policy, bucket) == fits
    assert arn(bucket, policy, policy) == name
    assert arn(bucket, policy, document) == (name if not fits else None)


DOCUMENT = "aws_iam_policy_document"


def test_one_bucket_is_called_by_its_address_everywhere() -> None:
    bucket = declared(setting("var.bucket"))
    (policy,) = bucket.module.resources(POLICY)
    assert arn(bucket, policy, policy) == "aws_s3_bucket.orders.arn"


# ---- CDK Python --------------------------------------------------------------------------------

HEAD = """from aws_cdk import Stack, aws_iam as iam, aws_s3 as s3


class Shop(Stack):
    def __init__(self, scope, id):
        super().__init__(scope, id)
"""


def made(*lines: str, others: dict[str, str] | None = None) -> Construct:
    """The first bucket that the lines make in the constructor of a stack."""
    text = HEAD + "".join(f"        {line}\n" for line in lines)
    sources = {"shop.py": text.encode(), **{path: more.encode() for path, more in (others or {}).items()}}
    file = load_app(CdkFacts("."), sources).file("shop.py")
    assert file is not None
    return next(file.constructs(buckets.HIGH_LEVEL, buckets.LOW_LEVEL))


BUCKET = 'orders = s3.Bucket(self, "Orders")'


@pytest.mark.parametrize(
    ("given", "keyword"),
    [
        ("", None),
        (", website_index_document=None", None),
        (', website_index_document="index.html"', "website_index_document"),
        (", website_redirect=target", "website_redirect"),
    ],
)
def test_a_website_is_told_by_keywords(given: str, keyword: str | None) -> None:
    assert buckets.website(made(f'orders = s3.Bucket(self, "Orders"{given})')) == keyword


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([], []),
        (["orders.add_to_resource_policy(one)"], ["one"]),
        (["orders.add_to_resource_policy(permission=one)"], ["one"]),
        (["carts.add_to_resource_policy(one)"], []),
        (["orders.policy.document.add_statements(one, two)"], ["one", "two"]),
        (["for each in (orders, carts):", "    each.add_to_resource_policy(one)"], ["one"]),
        (["for each in [carts]:", "    each.add_to_resource_policy(one)"], []),
        (['s3.CfnBucketPolicy(self, "P", bucket=orders.bucket_name, policy_document=one)'], ["one"]),
        (
            ['p = s3.BucketPolicy(self, "P", bucket=orders, document=one)', "p.document.add_statements(two)"],
            ["one", "two"],
        ),
    ],
)
def test_a_bucket_is_given_policies_and_statements(lines: list[str], found: list[str]) -> None:
    bucket = made(BUCKET, 'carts = s3.Bucket(self, "Carts")', *lines)
    assert [argument.text.removeprefix("permission=") for argument, _ in buckets.given(bucket)] == found


def test_a_policy_says_what_it_calls_its_bucket() -> None:
    (policy,) = buckets.policies(made(BUCKET, 's3.CfnBucketPolicy(self, "P", bucket=orders.ref, policy_document={})'))
    assert (policy.bucket, policy.keyword) == ("orders", "policy_document")


@pytest.mark.parametrize(
    ("lines", "other", "read", "called"),
    [
        ([BUCKET], "shop.orders.grant()", [], []),
        (["self.orders = s3.Bucket(self, 'Orders')"], "\nshop.orders.grant()", ["a.py"], ["a.py:2"]),
        ([BUCKET, "self.store = orders"], "shop.store.grant()", ["a.py"], ["a.py:1"]),
        (["self.orders = s3.Bucket(self, 'Orders')"], "shop.orders_2.grant()", [], []),
        (["self.orders = s3.Bucket(self, 'Orders')"], "shop.orders.name", ["a.py"], []),
        (["use(s3.Bucket(self, 'Orders'))", "it.grant()"], "it.grant()", [], ["shop.py:8"]),
    ],
)
def test_other_files_may_use_what_is_an_attribute(
    lines: list[str], other: str, read: list[str], called: list[str]
) -> None:
    bucket = made(*lines, others={"a.py": other})
    assert list(elsewhere.readers(bucket)) == read
    assert list(elsewhere.calls(bucket, "grant")) == called
