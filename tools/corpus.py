"""Run iacfix on copies of real repositories and say what a careful reader would check first.

    python tools/corpus.py [--impact replacement] [--keep DIRECTORY] REPOSITORY...

For each one, in a copy: does the command break, does every changed file still parse, is each that was clean for
`terraform fmt` or `black` still clean, and does a second run find nothing more to fix? Prints a line for each
repository, and what is wrong. With --keep the copies stay: `diff -ru DIRECTORY/NAME.before DIRECTORY/NAME`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import black

from fixer.cdk import syntax_error
from fixer.facts import TerraformFacts
from fixer.terraform import load as load_module


def iacfix(directory: Path, *arguments: str) -> tuple[dict[str, Any], float]:
    """The JSON report of a run in the directory, and the seconds that it took."""
    started = time.monotonic()
    command = [sys.executable, "-m", "fixer", *arguments, "--format", "json", "--no-cache", str(directory)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if not done.stdout:
        raise SystemExit(f"{directory}: exit {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout), time.monotonic() - started


def is_black(source: bytes) -> bool:
    """Whether black leaves the source alone."""
    try:
        return black.format_str(source.decode(), mode=black.Mode()) == source.decode()
    except (ValueError, black.InvalidInput):
        return False


def is_fmt(path: Path) -> bool:
    """Whether `terraform fmt` leaves the file alone."""
    return subprocess.run(["terraform", "fmt", "-check", str(path)], check=False, capture_output=True).returncode == 0


def worse(before: Path, after: Path) -> Iterator[str]:
    """What is wrong with a file that was changed."""
    source = after.read_bytes()
    if after.suffix == ".py":
        if error := syntax_error(source):
            yield f"does not parse: {error}"
        if before.exists() and is_black(before.read_bytes()) and not is_black(source):
            yield "is no longer black-clean"
    else:
        errors = load_module(TerraformFacts("."), {after.name: source}).errors
        yield from (f"does not parse: {message}" for _, message in errors)
        if shutil.which("terraform") and is_fmt(before if before.exists() else before.parent) and not is_fmt(after):
            yield "is no longer fmt-clean"


def examine(repository: Path, scratch: Path, impact: str) -> bool:
    """Run on one repository and print; whether all is well."""
    before, after = scratch / f"{repository.name}.before", scratch / repository.name
    for copy in (before, after):
        shutil.copytree(repository, copy, symlinks=True)
    report, seconds = iacfix(after, "apply", "--impact", impact)
    again, _ = iacfix(after, "apply", "--impact", impact)
    problems = [f"{one['path']}: {one['message']}" for one in report["errors"] if "broke" in one["message"]]
    for file in report["files"]:
        if file["change"] != "deleted":
            path = file["path"]
            problems += [f"{path}: {what}" for what in worse(before / (file["from"] or path), after / path)]
    problems += [f"{one['path']}: changed again by a second run" for one in again["files"]]
    counts = Counter((one["rule"], one["status"]) for one in report["findings"])
    said = ", ".join(f"{rule} {status} {number}" for (rule, status), number in sorted(counts.items()))
    scanned, changed, errors = report["summary"]["files_scanned"], len(report["files"]), len(report["errors"])
    print(f"{repository.name}: {scanned} files, {seconds:.1f} s, {changed} changed, {errors} errors; {said}")
    for problem in problems:
        print(f"  {problem}")
    return not problems


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path, metavar="REPOSITORY")
    parser.add_argument("--impact", default="replacement")
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        scratch = arguments.keep or Path(temporary)
        scratch.mkdir(parents=True, exist_ok=True)
        well = [examine(one.resolve(), scratch, arguments.impact) for one in arguments.repositories]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
