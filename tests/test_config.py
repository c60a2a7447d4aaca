import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from fixer.config import (
    Config,
    ConfigError,
    anchored,
    descriptions,
    load,
    options_for,
    schema,
    selected,
    template,
    validate,
)
from fixer.model import Impact, Rule

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RETENTION = '''
"""Keep log events for a set time.

## Why
...
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fixer.model import Impact, Rule


@dataclass(frozen=True)
class Options:
    days: int = 30
    """Days to keep events;
    a value that the API accepts."""
    mode: Literal["all", "missing"] = "missing"
    """Which groups."""
    ratio: float = 0.5
    topic: str | None = None
    """Whom to tell."""
    names: tuple[str, ...] = ("a",)
    strict: bool = False

    def __post_init__(self) -> None:
        if self.days not in (1, 30):
            raise ValueError(f"expected 1 or 30 days, not {self.days}")
        if self.strict and self.mode == "all":
            raise ValueError("strict and all don't go together")


rule = Rule(__name__, impact=Impact.BEHAVIOR, options=Options)
'''
TAGS = '''
"""Tag everything."""

from dataclasses import dataclass, field

from fixer.model import Impact, Rule


@dataclass(frozen=True)
class Options:
    tags: dict[str, str] = field(default_factory=lambda: {"Owner": "platform"})
    """Tags to add."""


rule = Rule(__name__, impact=Impact.BEHAVIOR, options=Options)
'''
PLAIN = '"""{}."""\n\nfrom fixer.model import Impact, Rule\n\nrule = Rule(__name__, impact=Impact.NONE, default={})\n'


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Rule]]:
    """Rules as they are on disk: modules of a package."""
    root = tmp_path_factory.mktemp("rules")
    sources = {
        "cost/resource_tags": TAGS,
        "observability/log_group_retention": RETENTION,
        "security/s3_enforce_tls": PLAIN.format("Ask for TLS", True),
        "security/s3_strict": PLAIN.format("Ask for much", False),
    }
    for name, source in sources.items():
        path = root / "some_rules" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    sys.path.insert(0, str(root))
    yield [importlib.import_module(f"some_rules.{name.replace('/', '.')}").rule for name in sources]
    sys.path.remove(str(root))


def config_of(tmp_path: Path, text: str) -> Config:
    (tmp_path / "iacfix.toml").write_text(text)
    return load(tmp_path, tmp_path)


def names(rules: list[Rule]) -> list[str]:
    return [rule.name for rule in rules]


# ---- which file --------------------------------------------------------------------------------


def test_without_a_file_the_defaults_count(tmp_path: Path):
    config = load(tmp_path, tmp_path)
    assert config == Config()
    assert (config.enabled, config.impact, config.path) == (True, Impact.BEHAVIOR, None)


def test_the_nearest_file_counts(tmp_path: Path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/main.tf").touch()
    (tmp_path / "a/b/pyproject.toml").write_text('[tool.other]\nx = "iacfix"\n')
    (tmp_path / "a/.iacfix.toml").write_text('select = ["a"]')
    (tmp_path / "iacfix.toml").write_text('select = ["root"]')
    config = load(tmp_path / "a/b/main.tf", tmp_path)
    assert (config.select, config.path, config.name) == (("a",), tmp_path / "a/.iacfix.toml", "a/.iacfix.toml")
    (tmp_path / "a/b/pyproject.toml").write_text('[tool.iacfix]\nselect = ["b"]')
    assert load(tmp_path / "a/b/main.tf", tmp_path).select == ("b",)
    (tmp_path / "a/b/.iacfix.toml").write_text('select = ["hidden"]')
    assert load(tmp_path / "a/b", tmp_path).select == ("hidden",)


def test_nothing_above_the_root_counts(tmp_path: Path):
    (tmp_path / "iacfix.toml").write_text("enabled = false")
    (tmp_path / "root").mkdir()
    assert load(tmp_path / "root", tmp_path / "root").enabled


def test_a_file_can_be_given(tmp_path: Path):
    (tmp_path / "iacfix.toml").write_text("enabled = false")
    other = tmp_path / "other.toml"
    other.write_text('impact = "none"')
    config = load(tmp_path, tmp_path, other)
    assert (config.enabled, config.impact, config.path) == (True, Impact.NONE, other)


def test_a_broken_pyproject_that_does_not_speak_of_iacfix_is_passed_over(tmp_path: Path):
    (tmp_path / "pyproject.toml").write_text("[tool")
    assert load(tmp_path, tmp_path) == Config()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.toml", None, "can't be read: No such file or directory"),
        ("broken.toml", b"x = \n", "is not valid TOML: Invalid value (at line 1, column 5)"),
        ("latin.toml", b"x = '\xe9'", "is not valid TOML: 'utf-8' codec can't decode byte 0xe9 in position 5: "),
        ("pyproject.toml", b"[tool.other]\n", "has no [tool.iacfix]"),
        ("pyproject.toml", b"[tool]\niacfix = 1\n", "tool.iacfix: expected a table, not 1"),
    ],
)
def test_a_given_file_that_cannot_be_used(tmp_path: Path, name: str, content: bytes | None, message: str):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError) as error:
        load(tmp_path, tmp_path, tmp_path / name)
    assert str(error.value).startswith(f"{tmp_path / name}: {message}")


# ---- its content -------------------------------------------------------------------------------


def test_all_keys(tmp_path: Path):
    config = config_of(
        tmp_path,
        'enabled = false\nselect = ["s3-*"]\nignore = ["x"]\nimpact = "replacement"\nexclude = ["/a/"]\n'
        "[rules.log-group-retention]\ndays = 30\n",
    )
    assert config == Config(
        tmp_path / "iacfix.toml",
        "iacfix.toml",
        enabled=False,
        select=("s3-*",),
        ignore=("x",),
        impact=Impact.REPLACEMENT,
        exclude=("/a/",),
        rules={"log-group-retention": {"days": 30}},
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slect = []", "unknown key 'slect'; did you mean 'select'?"),
        ("zzz = 1", "unknown key 'zzz'"),
        ('select = "all"', 'select: expected a list, not "all"'),
        ("select = [1]", "select[0]: expected a string, not 1"),
        ("enabled = 1", "enabled: expected true or false, not 1"),
        (
            'impact = "behaviour"',
            'impact: expected one of "none", "behavior", "replacement", not "behaviour"; did you mean \'behavior\'?',
        ),
        ("rules = []", "rules: expected a table, not []"),
        ("[rules]\nx = 1", "rules.x: expected a table, not 1"),
        (f'exclude = "{"a" * 80}"', f'exclude: expected a list, not "{"a" * 56}...'),
    ],
)
def test_wrong_keys_and_values(tmp_path: Path, text: str, message: str):
    with pytest.raises(ConfigError) as error:
        config_of(tmp_path, text)
    assert str(error.value) == f"iacfix.toml: {message}"


@pytest.mark.parametrize(
    ("pattern", "from_root"),
    [
        ("*.tf", "a/b/**/*.tf"),
        ("x/", "a/b/**/x/"),
        ("/x", "a/b/x"),
        ("x/y", "a/b/x/y"),
        ("**/x/y", "a/b/**/x/y"),
        ("!x", "!a/b/**/x"),
        ("", ""),
        ("# x", "# x"),
    ],
)
def test_patterns_hold_from_their_directory_on(tmp_path: Path, pattern: str, from_root: str):
    assert anchored(pattern, "a/b") == from_root
    assert anchored(pattern, ".") == pattern
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/iacfix.toml").write_text(f"exclude = [{json.dumps(pattern)}]")
    assert load(tmp_path / "a/b", tmp_path).exclude == (from_root,)


# ---- options -----------------------------------------------------------------------------------


def test_options_have_their_types(tmp_path: Path, rules: list[Rule]):
    config = config_of(
        tmp_path,
        '[rules.log-group-retention]\ndays = 1\nmode = "all"\nratio = 1\ntopic = "t"\nnames = ["x", "y"]\n'
        '[rules.resource-tags.tags]\nOwner = "me"\n',
    )
    options = options_for(rules[1], config)
    assert (options.days, options.mode, options.topic, options.names) == (1, "all", "t", ("x", "y"))
    assert isinstance(options.ratio, float)
    assert options_for(rules[0], config).tags == {"Owner": "me"}
    validate(config, rules)


def test_options_that_are_not_given_have_their_defaults(rules: list[Rule]):
    options = options_for(rules[1], Config())
    assert (options.days, options.topic, options.names) == (30, None, ("a",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[rules.log-group-retension]",
            "rules: there is no rule 'log-group-retension'; did you mean 'log-group-retention'?",
        ),
        (
            "[rules.log-group-retention]\nday = 1",
            "rules.log-group-retention: unknown option 'day'; did you mean 'days'?",
        ),
        ("[rules.s3-enforce-tls]\nx = 1", "rules.s3-enforce-tls: unknown option 'x'"),
        ('[rules.log-group-retention]\ndays = "1"', 'rules.log-group-retention.days: expected an integer, not "1"'),
        ("[rules.log-group-retention]\ndays = true", "rules.log-group-retention.days: expected an integer, not true"),
        ("[rules.log-group-retention]\nratio = true", "rules.log-group-retention.ratio: expected a number, not true"),
        ("[rules.log-group-retention]\ntopic = 1", "rules.log-group-retention.topic: expected a string, not 1"),
        ("[rules.log-group-retention]\nnames = {}", "rules.log-group-retention.names: expected a list, not {}"),
        (
            '[rules.log-group-retention]\nmode = "al"',
            'rules.log-group-retention.mode: expected one of "all", "missing", not "al"; did you mean \'all\'?',
        ),
        ("[rules.resource-tags]\ntags = {a = 1}", "rules.resource-tags.tags.a: expected a string, not 1"),
        (
            "[rules.log-group-retention]\nratio = 1.5\ndays = 7",
            "rules.log-group-retention.days: expected 1 or 30 days, not 7",
        ),
        (
            '[rules.log-group-retention]\nstrict = true\nmode = "all"',
            "rules.log-group-retention: strict and all don't go together",
        ),
        ('select = ["securty"]', "no rule or category matches 'securty'; did you mean 'security'?"),
        ('ignore = ["x-*"]', "no rule or category matches 'x-*'"),
    ],
)
def test_wrong_options_and_names(tmp_path: Path, rules: list[Rule], text: str, message: str):
    with pytest.raises(ConfigError) as error:
        validate(config_of(tmp_path, text), rules)
    assert str(error.value) == f"iacfix.toml: {message}"


# ---- selecting ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("select", "ignore", "chosen"),
    [
        ([], [], ["resource-tags", "log-group-retention", "s3-enforce-tls"]),
        (["all"], [], ["resource-tags", "log-group-retention", "s3-enforce-tls", "s3-strict"]),
        (["default", "s3-strict"], ["cost"], ["log-group-retention", "s3-enforce-tls", "s3-strict"]),
        (["security"], [], ["s3-enforce-tls", "s3-strict"]),
        (["s3-*", "resource-tags"], ["s3-strict"], ["resource-tags", "s3-enforce-tls"]),
        ([], ["*"], []),
        (["s3-strict"], ["default"], ["s3-strict"]),
    ],
)
def test_selecting(rules: list[Rule], select: list[str], ignore: list[str], chosen: list[str]):
    assert names(selected(rules, select, ignore)) == chosen


def test_a_selector_that_matches_nothing_names_the_nearest(rules: list[Rule]):
    with pytest.raises(
        ConfigError, match=r"^no rule or category matches 's3-enforce-tsl'; did you mean 's3-enforce-tls'\?$"
    ):
        selected(rules, ["s3-enforce-tsl"], [])


# ---- schema and template -----------------------------------------------------------------------

VALID = [
    "",
    'enabled = true\nselect = ["all"]\nignore = []\nimpact = "none"\nexclude = ["*.tf"]',
    '[rules.log-group-retention]\ndays = 1\nmode = "all"\nratio = 1\ntopic = "t"\nnames = []\nstrict = true',
    '[rules.resource-tags]\ntags = {a = "b"}\n[rules.s3-strict]',
]
INVALID = [
    "slect = []",
    "select = [1]",
    'impact = "some"',
    "[rules.nothing]",
    "[rules.log-group-retention]\nday = 1",
    '[rules.log-group-retention]\ndays = "1"',
    '[rules.log-group-retention]\nmode = "some"',
    "[rules.resource-tags]\ntags = {a = 1}",
    "[rules.s3-strict]\nx = 1",
]


def test_the_schema_says_what_the_code_does(tmp_path: Path, rules: list[Rule]):
    validator = jsonschema.Draft202012Validator(json.loads(json.dumps(schema(rules))))
    validator.check_schema(validator.schema)
    for text in VALID:
        assert not list(validator.iter_errors(tomllib.loads(text))), text
    for text in INVALID:
        assert list(validator.iter_errors(tomllib.loads(text))), text
        with pytest.raises(ConfigError):
            validate(config_of(tmp_path, text), rules)


def test_the_schema_tells_of_rules_and_options(rules: list[Rule]):
    rule = schema(rules)["properties"]["rules"]["properties"]["log-group-retention"]
    assert rule["description"] == "Keep log events for a set time."
    assert rule["properties"]["days"] == {
        "description": "Days to keep events; a value that the API accepts.",
        "type": "integer",
        "default": 30,
    }
    assert rule["properties"]["mode"]["enum"] == ["all", "missing"]
    assert rule["properties"]["topic"] == {"description": "Whom to tell.", "type": "string"}
    assert rule["properties"]["names"]["default"] == ["a"]


def test_every_object_of_the_schema_is_closed(rules: list[Rule]):
    todo = [schema(rules)]
    while todo:
        one = todo.pop()
        if one.get("type") == "object" and "properties" in one:
            assert one["additionalProperties"] is False
            todo += one["properties"].values()


def test_a_class_without_source_has_no_descriptions():
    assert descriptions(type("Options", (), {})) == {}


def test_the_template_is_the_defaults(tmp_path: Path, rules: list[Rule]):
    text = template(rules)
    config = config_of(tmp_path, text)
    validate(config, rules)
    assert names(selected(rules, config.select, config.ignore)) == names(selected(rules, (), ()))
    assert (config.enabled, config.impact, config.exclude) == (True, Impact.BEHAVIOR, ())
    for rule in rules:
        assert options_for(rule, config) == rule.options()
    assert "# Days to keep events; a value that the API accepts.\ndays = 30\n" in text
    jsonschema.validate(tomllib.loads(text), schema(rules))
