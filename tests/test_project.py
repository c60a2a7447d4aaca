import dataclasses
import json
import os
import pickle
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from fixer.facts import CdkFacts
from fixer.model import Language
from fixer.project import Project, discover, root_of
from fixer.project.modules import Spoken, allowed_majors, locked_major, read
from fixer.project.pins import Pins, lowest_version

APP = b"import aws_cdk as cdk\n"


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(
        ["git", *identity, "-c", "protocol.file.allow=always", *arguments], cwd=root, check=True, capture_output=True
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q")
    return root


def found(root: Path, *paths: str, exclude: tuple[str, ...] = ()) -> Project:
    return discover(root, [root / path for path in paths or (".",)], exclude=exclude)


def shape(project: Project) -> dict[tuple[str, str], list[str]]:
    return {(unit.language.value, unit.path): list(unit.files) for unit in project.units}


# ---- root and wanted paths ---------------------------------------------------------------------


def test_the_root_is_the_git_work_tree(repository: Path):
    write(repository, {"a/b/main.tf": "", "c/main.tf": ""})
    assert root_of([repository / "a/b"]) == repository
    assert root_of([repository / "a/b/main.tf", repository / "c"]) == repository


def test_without_git_the_root_is_what_the_paths_share(tmp_path: Path):
    write(tmp_path, {"a/b/main.tf": "", "a/c/main.tf": ""})
    assert root_of([tmp_path / "a/b/main.tf"]) == tmp_path / "a/b"
    assert root_of([tmp_path / "a/b/main.tf", tmp_path / "a/c"]) == tmp_path / "a"


def test_paths_of_two_repositories_share_the_directory_above(tmp_path: Path):
    for name in ("one", "two"):
        write(tmp_path, {f"{name}/main.tf": "", f"{name}/.gitignore": "ignored.tf\n", f"{name}/ignored.tf": ""})
        git(tmp_path / name, "init", "-q")
    paths = [tmp_path / "one", tmp_path / "two/main.tf"]
    assert root_of(paths) == tmp_path
    assert shape(discover(tmp_path, paths)) == {
        ("terraform", "one"): ["one/main.tf"],
        ("terraform", "two"): ["two/main.tf"],
    }


def test_paths_limit_the_units_but_not_what_these_hold(repository: Path):
    write(repository, {"a/main.tf": 'module "b" { source = "../b" }\n', "a/x.tf": "", "b/main.tf": "", "c/main.tf": ""})
    project = found(repository, "b/main.tf", "a/x.tf")
    assert shape(project) == {("terraform", "a"): ["a/main.tf", "a/x.tf"], ("terraform", "b"): ["b/main.tf"]}
    assert [project.wanted(path) for path in ("a/x.tf", "a/main.tf", "b/main.tf")] == [True, False, True]
    assert project.units[1].facts.called_by == ("a/main.tf:1",)


def test_a_wanted_directory_is_no_prefix_of_a_name(repository: Path):
    project = found(write(repository, {"ab/main.tf": "", "a/main.tf": ""}), "a")
    assert project.wanted("a/main.tf")
    assert not project.wanted("ab/main.tf")
    assert list(shape(project)) == [("terraform", "a")]


def test_everything_can_be_pickled_and_written_as_json(repository: Path):
    write(repository, {"app.py": APP, "cdk.json": '{"context": {"a": [1, {"b": null}]}}', "main.tf": ""})
    project = found(repository)
    assert pickle.loads(pickle.dumps(project)) == project  # noqa: S301
    facts = [json.loads(json.dumps(dataclasses.asdict(unit.facts))) for unit in project.units]
    assert facts[0]["context"] == {"a": [1, {"b": None}]}
    assert [unit.language for unit in project.units] == [Language.CDK, Language.TERRAFORM]


# ---- which files -------------------------------------------------------------------------------


def test_git_decides_which_files_there_are(repository: Path):
    write(repository, {".gitignore": "ignored/\n", "ignored/main.tf": "", "new/main.tf": "", "old/main.tf": ""})
    write(repository, {"gone/main.tf": "", "forced.tf": "", "notes.txt": ""})
    git(repository, "add", "old", "gone")
    git(repository, "commit", "-qm", "old")
    (repository / "gone/main.tf").unlink()
    project = found(repository)
    assert [unit.path for unit in project.units] == [".", "new", "old"]
    assert project.files == (".gitignore", "forced.tf", "new/main.tf", "notes.txt", "old/main.tf")


def test_what_git_ignores_can_be_asked_for(repository: Path):
    write(repository, {".gitignore": "out/\nlocal.tf\n", "out/x/main.tf": "", "local.tf": "", "main.tf": ""})
    assert list(shape(found(repository, "out"))) == [("terraform", "out/x")]
    assert shape(found(repository, "local.tf")) == {("terraform", "."): ["local.tf", "main.tf"]}
    assert shape(found(repository / "out")) == {("terraform", "x"): ["x/main.tf"]}


def test_submodules_are_not_entered(repository: Path, tmp_path: Path):
    inner = tmp_path / "inner"
    write(inner, {"main.tf": ""})
    git(inner, "init", "-q")
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "inner")
    git(repository, "submodule", "-q", "add", str(inner), "inner")
    write(repository, {"main.tf": ""})
    assert list(shape(found(repository))) == [("terraform", ".")]
    assert root_of([repository / "inner"]) == repository / "inner"


def test_a_hook_of_git_does_not_mislead(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(repository, {"main.tf": ""})
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    assert list(shape(found(repository))) == [("terraform", ".")]


def test_a_repository_runs_no_program_of_its_own(repository: Path, tmp_path: Path):
    script = tmp_path / "monitor"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    script.chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(script))
    write(repository, {"main.tf": ""})
    assert shape(found(repository))
    assert not (tmp_path / "ran").exists()


def test_without_git_all_files_count(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    write(repository, {".gitignore": "a.tf\n", "a.tf": "", "b/c/d.tf": ""})
    monkeypatch.setenv("PATH", str(tmp_path))
    project = found(repository)
    assert [unit.path for unit in project.units] == [".", "b/c"]
    assert project.files == (".gitignore", "a.tf", "b/c/d.tf")


def test_a_bare_repository_is_walked(tmp_path: Path):
    git(tmp_path, "init", "-q", "--bare", ".")
    write(tmp_path, {"main.tf": ""})
    assert list(shape(found(tmp_path))) == [("terraform", ".")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_that_git_distrusts_is_walked(repository: Path, monkeypatch: pytest.MonkeyPatch):
    write(repository, {".gitignore": "a.tf\n", "a.tf": ""})
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for path in (repository, *repository.rglob("*")):
        os.chown(path, 65534, 65534)
    assert shape(found(repository)) == {("terraform", "."): ["a.tf"]}


LEFT_BEHIND = [
    ".terraform/modules/x/main.tf",
    "a/.terragrunt-cache/x/main.tf",
    "cdk.out/asset.1/app.py",
    "node_modules/x/app.py",
    "lib/python3/site-packages/x/app.py",
    "a/vendor/x/main.tf",
    "third_party/main.tf",
    "__pycache__/app.py",
    ".tox/x/app.py",
]


@pytest.mark.parametrize("with_git", [True, False])
def test_what_tools_left_behind_is_left_out(tmp_path: Path, with_git: bool):
    if with_git:
        git(tmp_path, "init", "-q")
    write(tmp_path, dict.fromkeys(LEFT_BEHIND, APP))
    write(tmp_path, {"mine/pyvenv.cfg": "", "mine/lib/app.py": APP, "mine/main.tf": "", "vendors/main.tf": ""})
    project = found(tmp_path)
    assert shape(project) == {("terraform", "vendors"): ["vendors/main.tf"]}
    assert project.files == ("vendors/main.tf",)
    assert project.errors == ()


def test_excluded_and_linguists_files_are_left_out(repository: Path):
    write(repository, {f"{name}/main.tf": "" for name in ("a", "b", "c", "d/e", "gen", "gen/own")})
    attributes = (
        "gen/** linguist-generated\ngen/own/* -linguist-generated\n/c/*.tf linguist-vendored=true\n* text=auto\n"
    )
    write(repository, {".gitattributes": attributes, "d/.gitattributes": "e/*.tf linguist-generated=true\n"})
    assert [unit.path for unit in found(repository).units] == ["a", "b", "gen/own"]
    assert [unit.path for unit in found(repository, exclude=("/b/", "own")).units] == ["a"]


@pytest.mark.parametrize(
    ("head", "generated"),
    [
        ("# Code generated by protoc. DO NOT EDIT.\n", True),
        ("\n// @generated by a tool\n", True),
        ('"""Client.\n\nDO NOT EDIT\n"""\n', True),
        ("# This file was automatically generated by a tool\n", True),
        ("#\n#\n#\n#\n#\n# DO NOT EDIT\n", False),
        ('# Shows a QR code\ndescription = "Managed, DO NOT EDIT"\n', False),
        ("# A QR code generated by the function\n", False),
    ],
)
def test_generated_files_are_left_out(tmp_path: Path, head: str, generated: bool):
    write(tmp_path, {"main.tf": head})
    assert (found(tmp_path).units == ()) is generated


def test_a_large_source_is_an_error_and_other_large_files_are_not(tmp_path: Path):
    large = b" " * 5_000_001
    write(tmp_path, {"large.tf": large, "data.json": large, "main.tf": "", "sub/large.py": large})
    project = found(tmp_path)
    assert shape(project) == {("terraform", "."): ["main.tf"]}
    message = "is larger than 5 MB and left alone"
    assert project.errors == (("large.tf", message), ("sub/large.py", message))
    assert found(tmp_path, "main.tf").errors == (("large.tf", message),)  # it belongs to that file's module


def test_links_count_once_and_only_within_the_root(repository: Path, tmp_path: Path):
    write(tmp_path, {"outside.tf": ""})
    write(repository, {"real/main.tf": "", "circle/keep.tf": ""})
    (repository / "link.tf").symlink_to("real/main.tf")
    (repository / "outside.tf").symlink_to(tmp_path / "outside.tf")
    (repository / "dangling.tf").symlink_to("nowhere.tf")
    (repository / "self.tf").symlink_to("self.tf")
    (repository / "circle/up").symlink_to("..")
    (repository / "directory").symlink_to("real")
    assert shape(found(repository)) == {
        ("terraform", "circle"): ["circle/keep.tf"],
        ("terraform", "real"): ["real/main.tf"],
    }
    shutil.rmtree(repository / ".git")
    assert [unit.path for unit in found(repository).units] == ["circle", "real"]


def test_a_module_knows_what_a_linked_file_says(repository: Path):
    versions = 'terraform {\n  required_version = "~> 1.5"\n  required_providers { aws = { version = "~> 4.0" } }\n}\n'
    write(repository, {"shared/versions.tf": versions, "a/main.tf": ""})
    (repository / "a/versions.tf").symlink_to("../shared/versions.tf")
    unit = found(repository, "a").units[0]
    assert unit.files == ("a/main.tf",)
    assert (unit.facts.aws_majors, unit.facts.terraform) == ((4,), "~> 1.5")


def test_pipes_are_no_files(tmp_path: Path):
    write(tmp_path, {"main.tf": ""})
    os.mkfifo(tmp_path / "pipe.tf")
    assert shape(found(tmp_path)) == {("terraform", "."): ["main.tf"]}


@pytest.mark.parametrize("with_git", [True, False])
def test_odd_names(tmp_path: Path, with_git: bool):
    if with_git:
        git(tmp_path, "init", "-q")
    write(tmp_path, {"dé jà/new\nline.tf": "", '"quoted"/main.tf': ""})
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.tf"))).write_bytes(b"")
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))).write_bytes(b"")
    project = found(tmp_path)
    assert [unit.files for unit in project.units] == [('"quoted"/main.tf',), ("dé jà/new\nline.tf",)]
    assert project.errors == (("caf\\xe9.tf", "has a name that is not UTF-8 and is left alone"),)


def test_a_directory_that_cannot_be_read_is_an_error():
    """Root may read everything: it becomes nobody meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        root = write(Path(name).resolve(), {"open/main.tf": "", "closed/main.tf": ""})
        root.chmod(0o755)
        (root / "closed").chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            project = found(root)
        finally:
            os.seteuid(user)
            (root / "closed").chmod(0o755)
    assert shape(project) == {("terraform", "open"): ["open/main.tf"]}
    assert project.errors == (("closed", "can't be read: Permission denied"),)


def test_nothing_there(tmp_path: Path):
    project = found(tmp_path)
    assert (project.units, project.errors, project.files) == ((), (), ())


# ---- CDK apps ----------------------------------------------------------------------------------


def test_apps_are_where_cdk_json_is(repository: Path):
    write(
        repository,
        {
            "cdk.json": "{}",
            "app.py": APP,
            "lambda/handler.py": "",
            "tests/test_app.py": "",
            "inner/cdk.json": "{}",
            "inner/app.py": APP,
            "inner/stacks/x.py": "",
            "node/cdk.json": "{}",
            "node/lambda/handler.py": "",
        },
    )
    assert shape(found(repository)) == {
        ("cdk", "."): ["app.py", "lambda/handler.py", "tests/test_app.py"],
        ("cdk", "inner"): ["inner/app.py", "inner/stacks/x.py"],
    }


def test_code_under_no_cdk_json_is_grouped_by_its_manifest(repository: Path):
    write(
        repository,
        {
            "one/setup.py": "",
            "one/stacks/a.py": APP,
            "one/lambda/requirements.txt": "",
            "one/lambda/handler.py": "",
            "two/requirements-dev.txt": "",
            "two/deep/er/b.py": APP,
            "three/app.py": APP,
            "three/stacks/c.py": APP,
            "three/stacks/deep/d.py": "",
            "four/lib/e.py": APP,
            "five/nothing.py": "",
        },
    )
    assert shape(found(repository)) == {
        ("cdk", "four/lib"): ["four/lib/e.py"],
        ("cdk", "one"): ["one/lambda/handler.py", "one/setup.py", "one/stacks/a.py"],
        ("cdk", "three"): ["three/app.py", "three/stacks/c.py", "three/stacks/deep/d.py"],
        ("cdk", "two"): ["two/deep/er/b.py"],
    }


def test_the_context_of_an_app(repository: Path):
    cdk_json = b'\xef\xbb\xbf{"app": "python app.py", "context": {"a": 1, "b": ["x"]}}'
    write(repository, {"x/cdk.json": cdk_json, "x/cdk.context.json": '{"a": 2, "c": true}', "x/app.py": APP})
    unit = found(repository).units[0]
    assert unit.facts.path == "x"
    assert unit.facts.context == {"a": 1, "b": ["x"], "c": True}


def test_a_broken_cdk_json_is_an_error_and_still_an_app(repository: Path):
    write(repository, {"cdk.json": "{", "app.py": APP, "list/cdk.json": "[]", "list/app.py": APP})
    project = found(repository, "app.py")
    assert list(shape(project)) == [("cdk", ".")]
    assert [path for path, _ in project.errors] == ["cdk.json"]
    assert project.errors[0][1].startswith("is not valid JSON: ")
    assert found(repository, "list").units[0].facts.context == {}


# ---- versions of the CDK -----------------------------------------------------------------------

UV_LOCK = 'version = 1\n\n[[package]]\nname = "aws-cdk-lib"\nversion = "2.150.1"\nsource = { registry = "x" }\n'
PINS = [
    ({}, None, ""),
    ({"requirements.txt": "boto3\n"}, None, ""),
    ({"requirements.txt": "aws-cdk-lib==2.118.0\n"}, (2, 118, 0), "requirements.txt: aws-cdk-lib==2.118.0"),
    ({"requirements.txt": "aws-cdk-lib\n"}, None, "requirements.txt: aws-cdk-lib"),
    ({"requirements.txt": "aws_cdk_lib >= 2.100.0, < 3.0.0  # why\n"}, (2, 100, 0), None),
    ({"requirements.txt": "aws-cdk-lib<3\n"}, None, None),
    ({"requirements.txt": "aws-cdk-lib<2.90\n"}, (2, 0, 0), None),
    ({"requirements.txt": "aws-cdk-lib>2.90.1,!=2.90.2\n"}, (2, 90, 3), None),
    ({"requirements.txt": "aws-cdk-lib~=2.50\n"}, (2, 50, 0), None),
    ({"requirements.txt": "aws-cdk-lib==2.*\n"}, (2, 0, 0), None),
    ({"requirements.txt": "aws-cdk-lib===2.1.0\n"}, (2, 1, 0), None),
    ({"requirements.txt": "aws-cdk-lib==2.0.0rc24\n"}, (2, 0, 0), None),
    ({"requirements.txt": "aws-cdk-lib[x]==2.7.0 ; python_version >= '3.8' \\\n  --hash=sha256:00\n"}, (2, 7, 0), None),
    (
        {"requirements.txt": "aws-cdk-lib==2.9; python_version<'3.9'\naws-cdk-lib==2.11; python_version>='3.9'"},
        (2, 9, 0),
        None,
    ),
    ({"requirements.txt": "aws-cdk-lib @ https://example.com/aws_cdk_lib-2.1.0-py3-none-any.whl\n"}, None, None),
    ({"requirements.txt": "aws-cdk-lib==2.5.0\n".encode("utf-16")}, (2, 5, 0), None),
    ({"requirements.txt": b"\xef\xbb\xbfaws-cdk-lib==2.5.0\r\n"}, (2, 5, 0), None),
    ({"requirements.txt": "aws-cdk.aws-glue-alpha==2.5.0a0\naws-cdk-asset-awscli-v1==2.2.1\n"}, None, ""),
    (
        {"requirements.txt": "aws-cdk.core==1.83.0\naws-cdk.aws-s3==1.83.0\n"},
        (1, 83, 0),
        "requirements.txt: aws-cdk.core==1.83.0",
    ),
    ({"requirements.txt": "aws-cdk.aws-lambda\n"}, (1,), None),
    (
        {
            "requirements.txt": "-r base.txt\n-e .\n",
            "base.txt": "-c c.txt\naws-cdk-lib\n",
            "c.txt": "aws-cdk-lib==2.3.0\n-r base.txt",
        },
        (2, 3, 0),
        "c.txt: aws-cdk-lib==2.3.0",
    ),
    ({"requirements.txt": "-r ../../outside.txt\n-r https://example.com/r.txt\n--requirement=none.txt\n"}, None, ""),
    ({"requirements.in": "aws-cdk-lib>=2\n", "requirements.txt": "aws-cdk-lib==2.77.0\n"}, (2, 77, 0), None),
    ({"requirements/dev.txt": "aws-cdk-lib==2.160.0\n"}, (2, 160, 0), "requirements/dev.txt: aws-cdk-lib==2.160.0"),
    ({"lambda/requirements.txt": "aws-cdk-lib==2.160.0\n"}, None, ""),
    ({"requirements.txt": "aws-cdk-lib=2.1\n"}, None, "requirements.txt (unreadable)"),
    ({"requirements.txt": b"aws-cdk-lib==2.1 # \xff\n"}, None, "requirements.txt (unreadable)"),
    ({"requirements.txt": b"\xff\xfe\x00", "setup.py": "install_requires=['aws-cdk-lib==2.8.0']"}, (2, 8, 0), None),
    ({"pyproject.toml": '[project]\ndependencies = ["aws-cdk-lib>=2.262.0,<3.0.0"]\n'}, (2, 262, 0), None),
    ({"pyproject.toml": '[project.optional-dependencies]\ninfra = ["aws-cdk-lib~=2.5.1"]\n'}, (2, 5, 1), None),
    (
        {"pyproject.toml": '[dependency-groups]\ninfra = [{include-group = "a"}, "aws-cdk-lib==2.5.1"]\n'},
        (2, 5, 1),
        None,
    ),
    ({"pyproject.toml": '[tool.poetry.dependencies]\naws-cdk-lib = "^2.10"\n'}, (2, 10, 0), None),
    ({"pyproject.toml": '[tool.poetry.group.dev.dependencies]\naws-cdk-lib = "~2.10.3"\n'}, (2, 10, 3), None),
    (
        {"pyproject.toml": '[tool.poetry.dependencies]\naws-cdk-lib = {version = "2.10.3", extras = []}\n'},
        (2, 10, 3),
        None,
    ),
    ({"pyproject.toml": '[tool.poetry.dependencies]\naws-cdk-lib = "*"\n'}, None, "pyproject.toml: aws-cdk-lib"),
    (
        {"pyproject.toml": '[tool.poetry.dependencies]\naws-cdk-lib = [{version="^2.9"}, {version="^2.99"}]'},
        (2, 9, 0),
        None,
    ),
    ({"pyproject.toml": '[tool.pdm.dev-dependencies]\ninfra = ["aws-cdk-lib==2.5.1"]\n'}, (2, 5, 1), None),
    ({"pyproject.toml": "[project\n"}, None, "pyproject.toml (unreadable)"),
    ({"pyproject.toml": 'project = 1\ntool = ["x"]\n'}, None, ""),
    ({"Pipfile": '[packages]\naws-cdk-lib = "~=2.60"\n'}, (2, 60, 0), None),
    (
        {
            "Pipfile": '[packages]\naws-cdk-lib = "*"\n',
            "Pipfile.lock": '{"default": {"aws-cdk-lib": {"version": "==2.61.0"}}}',
        },
        (2, 61, 0),
        "Pipfile.lock: aws-cdk-lib==2.61.0",
    ),
    ({"setup.cfg": "[options]\ninstall_requires =\n  boto3\n  aws-cdk-lib>=2.4;python_version>'3'\n"}, (2, 4, 0), None),
    ({"setup.cfg": "[options.extras_require]\ninfra = aws-cdk-lib==2.4%0\n"}, None, "setup.cfg (unreadable)"),
    (
        {"setup.py": "import setuptools\nsetuptools.setup(install_requires=['aws-cdk.core==1.76.0'])\n"},
        (1, 76, 0),
        "setup.py: aws-cdk.core==1.76.0",
    ),
    ({"setup.py": "V = '1.76.0'\nsetup(install_requires=[f'aws-cdk.core=={V}'])\n"}, (1,), None),
    ({"setup.py": "setup(\n"}, None, "setup.py (unreadable)"),
    ({"requirements.txt": "aws-cdk-lib>=2.100\n", "uv.lock": UV_LOCK}, (2, 150, 1), "uv.lock: aws-cdk-lib==2.150.1"),
    ({"poetry.lock": UV_LOCK.replace("\n", "\r\n")}, (2, 150, 1), None),
    ({"pylock.toml": UV_LOCK.replace("[[package]]", "[[packages]]")}, (2, 150, 1), None),
]


@pytest.mark.parametrize(("files", "version", "source"), PINS, ids=[str(at) for at in range(len(PINS))])
def test_pins(tmp_path: Path, files: dict[str, str | bytes], version: tuple[int, ...] | None, source: str | None):
    pin = Pins(write(tmp_path, files), files).of(".")
    assert pin.version == version
    assert source is None or pin.source == source


ABOVE = [
    ("aws-cdk-lib==2.5.0", "2.9.0", (2, 5, 0), "a/b/requirements.txt: aws-cdk-lib==2.5.0"),
    ("aws-cdk-lib>=2.5.0", "2.9.0", (2, 9, 0), "uv.lock: aws-cdk-lib==2.9.0"),
    ("aws-cdk-lib", "2.9.0", (2, 9, 0), "uv.lock: aws-cdk-lib==2.9.0"),
    ("aws-cdk-lib>=2.50.0", "2.9.0", (2, 50, 0), "a/b/requirements.txt: aws-cdk-lib>=2.50.0"),
    ("aws-cdk.core", "2.9.0", (1,), "a/b/requirements.txt: aws-cdk.core"),
    ("boto3", "2.9.0", (2, 9, 0), "uv.lock: aws-cdk-lib==2.9.0"),
    ("aws-cdk-lib=2", "2.9.0", (2, 9, 0), "uv.lock: aws-cdk-lib==2.9.0"),
]


@pytest.mark.parametrize(("own", "locked", "version", "source"), ABOVE)
def test_a_lock_file_further_up(tmp_path: Path, own: str, locked: str, version: tuple[int, ...], source: str):
    files = {"a/b/requirements.txt": own, "uv.lock": UV_LOCK.replace("2.150.1", locked)}
    pin = Pins(write(tmp_path, files), files).of("a/b")
    assert (pin.version, pin.source) == (version, source)


def test_experimental_packages_reach_the_unit(repository: Path):
    write(
        repository,
        {
            "cdk.json": "{}",
            "app.py": "import aws_cdk",
            "requirements.txt": "-r more.txt\naws-cdk-lib\naws_cdk.aws_glue_alpha==2.1.0a0  # glue\n",
            "more.txt": "aws-cdk.aws-msk-alpha",
            "setup.cfg": "[options]\ninstall_requires = aws-cdk.aws-batch-alpha>=2\n",
            "poetry.lock": '[[package]]\nname = "aws-cdk-aws-ses-alpha"\nversion = "2.1.0a0"\n',
        },
    )
    (unit,) = found(repository).units
    assert isinstance(unit.facts, CdkFacts)
    assert unit.facts.experimental == (
        ("aws-cdk.aws-batch-alpha", "setup.cfg"),
        ("aws-cdk.aws-msk-alpha", "more.txt"),
        ("aws_cdk.aws_glue_alpha", "requirements.txt"),
    )
    write(repository, {"other/cdk.json": "{}", "other/app.py": "import aws_cdk"})
    assert [unit.facts.experimental for unit in found(repository).units] == [(), ()]


def test_the_pin_reaches_the_unit(repository: Path):
    write(repository, {"x/cdk.json": "{}", "x/app.py": APP, "requirements.txt": "aws-cdk-lib==2.3.4\n"})
    facts = found(repository).units[0].facts
    assert (facts.version, facts.version_source) == ((2, 3, 4), "requirements.txt: aws-cdk-lib==2.3.4")


def test_the_lowest_version_of_a_contradiction_is_its_bound():
    assert lowest_version(SpecifierSet(">=2.9,<2.3"), 2) == (2, 9, 0)


# ---- Terraform modules -------------------------------------------------------------------------


def test_modules_are_directories(repository: Path):
    names = ["main.tf", "main_override.tf", "x.tofu", "y.tf.json", "z.tofu.json"]
    others = ["terraform.tfvars", ".hidden.tf", "._main.tf", "x.tftest.hcl", "a.tf.bak"]
    write(repository, {f"m/{name}": "{}" if name.endswith("json") else "" for name in names + others})
    assert shape(found(repository)) == {("terraform", "m"): [f"m/{name}" for name in sorted(names)]}


CALLS = """
# module "a" { source = "./comment" }
/* module "b" {
  source = "./long"
} */
locals {
  text = <<-EOT
    module "c" {
      source = "./heredoc"
    }
  EOT
  other = { module = { source = "./object" } }
}
module "d" {
  source = "./d/" # why
  settings = { source = "./nested" }
  more = "${jsonencode({ a = "}" })}"
}
module e { source = "../x/e" }
module "f" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "~> 5.0"
}
resource "x" "y" {
  module = "}"
  source = "./resource"
}
module "g" {
  for_each = toset(["{"])
  providers = {
    aws = aws.other
  }
  "source" = "./g"
}
"""


def test_calls_of_modules():
    assert read("main.tf", CALLS.encode()).calls == (("./d/", 15), ("../x/e", 19), ("./g", 33))


def test_calls_without_heredocs_and_comments():
    source = "\n".join(f'module "m{at}" {{\n  x = {{ source = "./no" }}\n  source = "./m{at}"\n}}' for at in range(3))
    assert read("main.tf", source.encode()).calls == (("./m0", 3), ("./m1", 7), ("./m2", 11))


@pytest.mark.parametrize(
    ("source", "aws", "terraform"),
    [
        ('terraform {\n required_version = ">= 1.5"\n}\n', (), ">= 1.5"),
        (
            'terraform { required_providers { aws = { source = "hashicorp/aws", version = "~> 5.0" } } }',
            ("~> 5.0",),
            None,
        ),
        ('terraform {\n required_providers {\n "aws" = "~> 2.0"\n random = "~> 3.0"\n }\n}', ("~> 2.0",), None),
        ('provider "aws" {\n region = "eu-west-1"\n version = "~> 2.7"\n}\n', ("~> 2.7",), None),
        ('provider "google" {\n version = "~> 2.7"\n}\nterraform {\n # required_version = "1"\n}\n', (), None),
        ('resource "x" "y" {\n required_version = "1"\n}\n', (), None),
        ('terraform {\r\n  required_version = "1.2.3"\r\n}\r\n', (), "1.2.3"),
        ("terraform {\n required_version = var.x\n", (), None),
    ],
)
def test_versions_in_hcl(source: str, aws: tuple[str, ...], terraform: str | None):
    assert read("versions.tf", source.encode()) == Spoken((), aws, terraform)


def test_json_syntax():
    document = {
        "module": [{"x": [{"source": "./x", "other": {"source": "./y"}}]}],
        "terraform": {"required_version": ">= 1.1", "required_providers": {"aws": {"version": "~> 4.1"}}},
        "provider": {"aws": {"version": "!= 4.5.0"}},
        "resource": {"module": {"x": {"source": "./z"}}},
    }
    said = read("main.tf.json", json.dumps(document, indent=1).encode())
    assert (said.calls, sorted(said.aws), said.terraform) == ((("./x", 6),), ["!= 4.5.0", "~> 4.1"], ">= 1.1")
    assert read("broken.tf.json", b'{"module": ') == Spoken()
    assert read("deep.tf.json", b"[" * 100_000) == Spoken()


@pytest.mark.parametrize(
    ("constraints", "majors"),
    [
        (["~> 5.0"], (5,)),
        (["~> 5.1.0"], (5,)),
        (["~> 5"], (5,)),
        (["~>5.41"], (5,)),
        ([">= 4.9, < 6"], (4, 5)),
        ([">= 4.9, < 5.0.0"], (4,)),
        (["= 3.1"], (3,)),
        (["5.13.1"], (5,)),
        ([">= 4.17, <= 5.0.0"], (4, 5)),
        (["<= 5"], (2, 3, 4, 5)),
        (["> 5.0"], (5, 6)),
        (["> 5.0, != 5.1.0"], (5, 6)),
        ([">= 4.0", "~> 5.3"], (5,)),
        ([">= 6.0", "< 6.0"], ()),
        (["~> 1.60"], ()),
        ([">= 6.0.0-beta1"], (6,)),
        (["nonsense"], (2, 3, 4, 5, 6)),
    ],
)
def test_majors_of_the_provider(constraints: list[str], majors: tuple[int, ...]):
    assert allowed_majors(constraints) == majors


def test_the_lock_file_names_the_major():
    lock = (
        '# comment\n\nprovider "registry.terraform.io/hashicorp/archive" {\n  version = "2.4.0"\n}\n\n'
        'provider "registry.opentofu.org/hashicorp/aws" {\n  version     = "6.9.0"\n  constraints = ">= 5.0.0"\n}\n'
    )
    assert locked_major(lock.encode()) == 6
    assert locked_major(b"") is None


def provider(constraint: str) -> str:
    return f'terraform {{\n  required_providers {{\n    aws = {{ version = "{constraint}" }}\n  }}\n}}\n'


def test_modules_take_their_callers_versions(repository: Path):
    lock = 'provider "registry.terraform.io/hashicorp/aws" {\n  version = "6.9.0"\n}\n'
    write(
        repository,
        {
            "old/main.tf": provider("~> 4.0") + 'module "x" {\n  source = "../modules/x"\n}\n',
            "new/main.tf": provider(">= 5.0") + 'module "x" {\n  source = "../modules/x/"\n}\n',
            "new/.terraform.lock.hcl": lock,
            "modules/x/main.tf": 'module "y" {\n  source = "../y"\n}\nmodule "z" { source = "./../z" }\n',
            "modules/y/main.tf": 'module "x" {\n  source = "../x"\n}\n',
            "modules/z/main.tf": provider("~> 5.0"),
            "alone/main.tf": 'module "out" {\n  source = "../../../elsewhere"\n}\n',
        },
    )
    facts = {unit.path: unit.facts for unit in found(repository).units}
    majors = {path: one.aws_majors for path, one in facts.items()}
    assert majors == {
        "alone": (),
        "modules/x": (4, 6),
        "modules/y": (4, 6),
        "modules/z": (5,),
        "new": (6,),
        "old": (4,),
    }
    assert facts["modules/x"].called_by == ("modules/y/main.tf:2", "new/main.tf:7", "old/main.tf:7")


def test_a_module_that_calls_the_root(repository: Path):
    write(repository, {"main.tf": "", "examples/a/main.tf": provider("~> 5.0") + 'module "a" { source = "../.." }'})
    root = found(repository).units[0].facts
    assert (root.path, root.called_by, root.aws_majors) == (".", ("examples/a/main.tf:6",), (5,))
