import sys
from pathlib import Path

import pytest

from bench import corpus, tables
from bench.measure import TooSlowError, run
from bench.tables import Aim, Result
from bench.tools import iacfix


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8", newline="")


def below(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    write(
        root,
        {
            "net/main.tf": 'resource "aws_vpc" "a" {}\n',
            "net/more.tofu": "locals {}\n",
            "net/.terraform/modules/x/main.tf": "locals {}\n",
            "net/readme.md": "no\n",
            "db/main.tf": "locals {}\n",
            "service/cdk.json": "{}\n",
            "service/requirements.txt": "aws-cdk-lib\n",
            "service/app.py": "import aws_cdk as cdk\n",
            "service/lib/stack.py": "from aws_cdk import Stack\n",
            "service/handler.py": "import boto3\n",
            "service/node_modules/aws/x.py": "import aws_cdk\n",
        },
    )
    return root


def test_units_are_module_directories_and_cdk_apps(project: Path) -> None:
    assert [[file.as_posix() for file in unit.files] for unit in corpus.units(project, "terraform")] == [
        ["db/main.tf"],
        ["net/main.tf", "net/more.tofu"],
    ]
    (app,) = corpus.units(project, "cdk")
    assert [file.as_posix() for file in app.files] == ["service/app.py", "service/lib/stack.py"]
    assert [file.as_posix() for file in app.markers] == ["service/cdk.json", "service/requirements.txt"]


def test_a_sample_holds_whole_units_up_to_the_size_and_at_least_one(project: Path) -> None:
    found = corpus.units(project, "terraform")
    assert len(corpus.sample(found, 0)) == 1
    assert corpus.sample(found, 1) == corpus.sample(reversed(found), 1)
    assert len(corpus.sample(found, 1)) == 2


def test_doubling_lays_whole_copies_side_by_side(project: Path, tmp_path: Path) -> None:
    chosen = corpus.units(project, "cdk")
    target = tmp_path / "growth"
    seen = [
        (factor, grown.files, grown.size, len(below(target))) for factor, grown in corpus.doubled(chosen, target, 2)
    ]
    size = chosen[0].size
    assert seen == [(1, 2, size, 4), (2, 4, 2 * size, 8), (4, 8, 4 * size, 16)]
    assert below(target)[:4] == [
        "copy-00/1-project/service/app.py",
        "copy-00/1-project/service/cdk.json",
        "copy-00/1-project/service/lib/stack.py",
        "copy-00/1-project/service/requirements.txt",
    ]


def test_repeating_gives_exactly_that_many_files(project: Path, tmp_path: Path) -> None:
    on = corpus.repeated(corpus.units(project, "terraform"), tmp_path / "many", 7)
    assert (on.files, len(below(on.root))) == (7, 7)
    assert on.size == sum(path.stat().st_size for path in on.root.rglob("*") if path.is_file())


def test_ratios_are_of_medians_and_a_tool_without_figures_says_why() -> None:
    base = Result("iacfix", (2.0, 1.0, 9.0), (1.0, 1.0, 1.0), 50_000_000, "3 findings")
    other = Result("checkov", (60.0, 50.0, 70.0), (61.0, 61.0, 61.0), 200_000_000, "4 findings")
    absent = Result("terraform", remark="terraform is not on the PATH")
    assert tables.ratio_table([base, other, absent], base).splitlines()[2:] == [
        "| iacfix | 2.00 | 1.00 | 50 | 1.00 | 1.00 | 3 findings |",
        "| checkov | 60.00 | 61.00 | 200 | 30.00 | 4.00 | 4 findings |",
        "| terraform | - | - | - | - | - | terraform is not on the PATH |",
    ]


def test_there_is_no_ratio_to_what_was_not_measured() -> None:
    absent = Result("iacfix", remark="did not start")
    other = Result("checkov", (60.0,), (61.0,), 200_000_000, "4 findings")
    assert (
        tables.ratio_table([other], absent).splitlines()[2] == "| checkov | 60.00 | 61.00 | 200 | - | - | 4 findings |"
    )


def test_growth_shows_speed_and_memory() -> None:
    cold, warm = Result("cold", (2.0,), (2.0,), 80_000_000), Result("warm", (0.5,), (0.5,), 60_000_000)
    assert tables.growth_table("cdk", [(4, 8, 1.0, cold, warm)]).splitlines()[2] == (
        "| cdk 4x | 8 | 1.00 | 2.00 | 0.50 | 0.50 | 80 | 60 |"
    )


@pytest.mark.parametrize(
    ("value", "at_least", "verdict"),
    [
        (30, True, "met"),
        (29, True, "not met"),
        (30, False, "met"),
        (31, False, "not met"),
        (None, True, "not measured"),
    ],
)
def test_an_aim_is_met_at_its_bound(value: float | None, at_least: bool, verdict: str) -> None:
    assert Aim("an aim", value, 30, "times", at_least).verdict == verdict


def test_a_run_tells_output_exit_code_and_the_memory_of_its_children() -> None:
    child = "x = bytearray(60_000_000); print(len(x)); input()"
    parent = (
        "import subprocess, sys, time\n"
        f"children = [subprocess.Popen([sys.executable, '-c', {child!r}], stdin=-1, stdout=-1) for _ in range(2)]\n"
        "lines = [child.stdout.readline() for child in children]\n"
        "time.sleep(1)  # for whoever looks at them\n"
        "for child in children: child.communicate(b'\\n')\n"
        "print(b''.join(lines)); sys.exit(3)\n"
    )
    done = run([sys.executable, "-c", parent], {}, 60, watch=True)
    assert (done.code, done.output, done.errors) == (3, b"b'60000000\\n60000000\\n'\n", b"")
    assert done.peak >= 60_000_000


def test_a_command_that_does_not_end_is_ended() -> None:
    with pytest.raises(TooSlowError):
        run([sys.executable, "-c", "import signal; signal.pause()"], {}, 0.1)


def test_a_tool_says_that_its_output_is_not_a_result() -> None:
    tool = iacfix("iacfix", "cold", "--jobs", "1")
    assert tool.argv == ("iacfix", "check", "--format", "json", "--no-cache", "--jobs", "1")
    assert tool.found(1, b'{"errors": [{}], "summary": {"findings": 2, "files_scanned": 9}}') == (
        "2 findings in 9 files, 1 not read"
    )
    with pytest.raises(ValueError, match="Expecting value"):
        tool.found(2, b"Usage: iacfix")
