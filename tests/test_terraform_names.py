"""The names that `terraform-unknown-argument` puts right are those of the provider, and the wrong ones are not."""

from __future__ import annotations

import pytest

from codemods.facts.terraform_aws import Body, terraform_provider, terraform_resource
from codemods.facts.terraform_renamed import RENAMED, terraform_renamed


def body(path: str) -> Body:
    kind, *blocks = path.removeprefix("provider.").split(".")
    found: Body | None = terraform_provider() if kind == "aws" else terraform_resource(kind)
    for name in blocks:
        assert found
        found = found.blocks[name]
    assert found
    return found


@pytest.mark.parametrize(
    ("path", "wrong", "right"), [(path, *pair) for path, names in RENAMED.items() for pair in names.items()]
)
def test_right_names_are_the_provider_s(path: str, wrong: str, right: str) -> None:
    assert terraform_renamed(path)[wrong] == right
    found = body(path)
    assert found.majors[-1] == 6
    assert found.attributes[right].optional or found.attributes[right].required
    assert found.attributes[right].majors[-1] == 6
    old = found.attributes.get(wrong)
    assert old is None or 6 not in old.majors


def test_other_places_have_no_right_names() -> None:
    assert terraform_renamed("aws_nothing") == {}
