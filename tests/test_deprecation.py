"""The tables of `cdk-deprecated-property` agree with the facts about the CDK."""

from __future__ import annotations

import re

import pytest

from codemods.deprecation._api.replacements import KEYWORDS, NAMES, OTHERS
from codemods.facts.cdk_api import cdk_owner, cdk_type


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
