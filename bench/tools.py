"""iacfix and its peers: how each is called, what it needs, and what its output says it found.

No peer reaches the network: no keys, no telemetry, no look for updates. Each runs with its own default of parallel
jobs.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent

CONCERNS = "dynamodb-point-in-time-recovery,s3-block-public-access,log-group-retention"
"""The rules that every peer has an equivalent for: bench/rules, and checkov's checks."""
CHECKOV_CHECKS = "CKV_AWS_28,CKV_AWS_53,CKV_AWS_54,CKV_AWS_55,CKV_AWS_56,CKV_AWS_66,CKV_AWS_338,CKV2_AWS_6"


@dataclass(frozen=True)
class Tool:
    """A command that takes a directory as its last argument.

    `found` turns the exit code and standard output into a few words on what it found, and raises ValueError where they
    are not those of a finished run. `missing` says why the tool can't run here. A tool that is `cached` runs once more
    before the others, to fill its cache.
    """

    name: str
    argv: tuple[str, ...]
    found: Callable[[int, bytes], str]
    env: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ("terraform", "cdk")
    cached: bool = False
    missing: str = ""


def iacfix(command: str, name: str, *options: str, cache: Path | None = None) -> Tool:
    """`iacfix check` with all its rules: cold, or with the cache in that directory."""
    env = {"IACFIX_CACHE_DIR": str(cache)} if cache else {}
    extra = () if cache else ("--no-cache",)
    argv = (command, "check", "--format", "json", *extra, *options)
    return Tool(name, argv, _iacfix_found, env=env, cached=cache is not None)


def peers(environments: Path) -> list[Tool]:
    """The peers in the order of the table; those from PyPI are installed below `environments` when first needed."""
    checkov, semgrep, ast_grep = (_installed(name, environments) for name in ("checkov", "semgrep", "ast-grep-cli"))
    scan = ("--compact", "--quiet", "--framework", "terraform", "--skip-download")
    quiet = {"CKV_SKIP_PACKAGE_UPDATE_CHECK": "true", "LOG_LEVEL": "CRITICAL", "BC_API_KEY": ""}
    rules = HERE / "rules"
    return [
        Tool(
            "checkov, all checks",
            (f"{checkov.path}/checkov", *scan, "-d"),
            _checkov_found,
            env=quiet,
            languages=("terraform",),
            missing=checkov.missing,
        ),
        Tool(
            "checkov, the same concerns",
            (f"{checkov.path}/checkov", *scan, "-c", CHECKOV_CHECKS, "-d"),
            _checkov_found,
            env=quiet,
            languages=("terraform",),
            missing=checkov.missing,
        ),
        Tool(
            "semgrep, the same concerns",
            (
                *(f"{semgrep.path}/semgrep", "scan", "--metrics", "off", "--disable-version-check", "--no-git-ignore"),
                *("--x-ignore-semgrepignore-files", "--json", "--config", str(rules / "semgrep.yml")),
            ),
            _semgrep_found,
            missing=semgrep.missing,
        ),
        Tool(
            "ast-grep, the same concerns",
            (f"{ast_grep.path}/ast-grep", "scan", "--json=stream", "--rule", str(rules / "ast-grep.yml")),
            _ast_grep_found,
            missing=ast_grep.missing,
        ),
        Tool(
            "terraform fmt -check -recursive",
            ("terraform", "fmt", "-check", "-recursive"),
            _terraform_found,
            env={"CHECKPOINT_DISABLE": "1"},
            languages=("terraform",),
            missing="" if shutil.which("terraform") else "terraform is not on the PATH",
        ),
    ]


@dataclass(frozen=True)
class _Environment:
    path: Path
    missing: str = ""


def _installed(distribution: str, environments: Path) -> _Environment:
    """The directory of commands of a distribution pinned in peers.txt, installed if it is not there yet."""
    pins = (HERE / "peers.txt").read_text(encoding="utf-8").splitlines()
    pin = next(line for line in pins if line.startswith(f"{distribution}=="))
    home = environments / pin.replace("==", "-")
    commands = home / "bin"
    if (home / "installed").exists():
        return _Environment(commands)
    venv.create(home, with_pip=True, clear=True)
    pip = [str(commands / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", pin]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        return _Environment(commands, f"pip could not install {pin}: {last_line(done.stderr)}")
    (home / "installed").touch()
    return _Environment(commands)


def last_line(text: str) -> str:
    """The last line that says something, cut to what fits into a table."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:120].replace("|", "/") if lines else "it printed nothing"


def _iacfix_found(_: int, output: bytes) -> str:
    report = json.loads(output)
    summary = report["summary"]
    unread = f", {len(report['errors'])} not read" if report["errors"] else ""
    return f"{summary['findings']} findings in {summary['files_scanned']} files{unread}"


def _checkov_found(code: int, output: bytes) -> str:
    if code not in (0, 1):
        raise ValueError(code)
    failed = re.search(rb"Failed checks: (\d+)", output)
    return f"{int(failed[1]) if failed else 0} findings"


def _semgrep_found(_: int, output: bytes) -> str:
    report = json.loads(output)
    unread = f", {len(report['errors'])} not read" if report["errors"] else ""
    return f"{len(report['results'])} findings in {len(report['paths']['scanned'])} files{unread}"


def _ast_grep_found(code: int, output: bytes) -> str:
    if code not in (0, 1):
        raise ValueError(code)
    return f"{len(output.splitlines())} findings"


def _terraform_found(code: int, output: bytes) -> str:
    if code == 2:  # the other files are done, but not listed
        return "some files not read"
    if code not in (0, 3):
        raise ValueError(code)
    return f"{len(output.splitlines())} files to format"
