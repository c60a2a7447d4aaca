"""The tables of the rules on the CDK's API agree with the facts about it."""

from __future__ import annotations

import re

import pytest

from codemods.deprecation._api import repairs
from codemods.deprecation._api.names import nearest, same, split
from codemods.deprecation._api.replacements import KEYWORDS, NAMES, OTHERS
from codemods.facts.cdk_api import cdk_modules, cdk_owner, cdk_type


@pytest.mark.parametrize("name", sorted(KEYWORDS))
def test_keywords_and_what_takes_their_place(name: str) -> None:
    owner, _, member = name.rpartition(".")
    struct, found = cdk_type(owner), KEYWORDS[name]
    assert struct
    assert member in struct.deprecated
    assert cdk_owner(owner, member) == owner, "the rule looks it up by the struct that has it itself"
    assert not found.new or (found.new in struct.properties and found.new not in struct.deprecated)
    written = [found.text, *found.values.values()]
    for spelled, rest in re.findall(r"<([\w.]+)>\.?(\w*)", " ".join(written)):
        one = cdk_type(spelled)
        assert one, spelled
        assert not rest or rest in {*one.constants, *one.methods}, spelled
        assert "" not in one.deprecated


@pytest.mark.parametrize("name", sorted(NAMES))
def test_names_and_what_takes_their_place(name: str) -> None:
    owner, _, member = name.rpartition(".")
    found = cdk_type(owner)
    assert found
    assert member in found.deprecated
    assert cdk_owner(owner, member) == owner
    new = NAMES[name].new
    assert new in found.constants or len(found.methods[new].positional) >= len(found.methods[member].positional)
    assert new not in found.deprecated


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_what_other_rules_are_about_is_deprecated(name: str) -> None:
    owner, _, member = name.rpartition(".")
    found = cdk_type(owner)
    assert found
    assert member in found.deprecated


@pytest.mark.parametrize("name", sorted(repairs.KEYWORDS))
def test_keywords_that_are_not_there_and_what_is_meant(name: str) -> None:
    owner, _, member = name.rpartition(".")
    struct, new = cdk_type(owner), repairs.KEYWORDS[name].new
    assert struct
    assert member not in struct.properties
    assert not new or new in struct.properties


def test_names_and_modules_that_are_not_there_and_what_is_meant() -> None:
    for name, new in repairs.NAMES.items():
        owner, _, member = name.rpartition(".")
        found = cdk_type(owner)
        assert found
        assert member not in found.constants
        assert new in found.constants
    assert not cdk_modules() & repairs.MODULES.keys()
    assert cdk_modules() >= {*repairs.MODULES.values()}


@pytest.mark.parametrize(
    ("name", "names", "expected"),
    [
        ("bucketName", ["bucket_name", "bucket"], "bucket_name"),
        ("S3MANAGED", ["S3_MANAGED", "KMS"], "S3_MANAGED"),
        ("subnet", ["subnets", "vpc"], "subnets"),
        ("policies", ["policy", "policie"], "policie"),
        ("subnets", ["sub_nets", "subnets_"], ""),
        ("queue", ["topic"], ""),
    ],
)
def test_slips(name: str, names: list[str], expected: str) -> None:
    assert same(name, names, plural=True) == expected


def test_names_taken_apart() -> None:
    assert split("aws_lambda.Runtime.PYTHON_3_13.bundling_image") == ("aws_lambda.Runtime", "PYTHON_3_13")
    assert split("aws_s3.CfnBucket.CorsRuleProperty") == ("aws_s3.CfnBucket.CorsRuleProperty", "")
    assert split("aws_s3.Bukket") == ("", "")
    assert nearest("arn", ["bucket_arn", "name"]) == "bucket_arn"
