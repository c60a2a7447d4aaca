"""Repair files that somebody sat on: mutants of real ones, each held against what iacfix promises.

    python tools/stress.py [--language cdk|terraform] [--mutants N] [--seed S] [--keep DIRECTORY] [DIRECTORY...]

A mutant is a file with one to four mutations, among the files that it came with. The rules that run by default repair
it with impact `replacement`, and then:

- `broke`: nothing may raise, say that it broke, or fail a proof, which stands for a mistake of a rule
- `crash`, `slow`: nor end the process, or take more than 20 seconds
- `touched`: what has a syntax error stays as it is
- `worse`: what a parser read before it reads after
- `outside`: lines without an edit are there as they were, in order
- `again`: a second run changes nothing
- `noise`: nothing is printed, and no warning given

Mutant N of a seed is always the same for the same files. With --keep those that show a defect stay there. Exit 1 if any
does.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children
from pathlib import Path

import hcl2

from fixer import config as configuration
from fixer import project as projects
from fixer.cache import Cache
from fixer.cdk import syntax_error
from fixer.facts import TerraformFacts
from fixer.model import Impact, Status
from fixer.proof.python import UNKNOWN, undefined
from fixer.result import Outcome, Result
from fixer.rules import load
from fixer.run import run
from fixer.terraform import load as load_module

SLOWEST = 20.0
"""Seconds that a mutant may take."""

LARGEST = 12_000
"""Bytes of a file that is mutated, and of those that it comes with: many small mutants find more than a few large."""

SUFFIXES = {"cdk": ".py", "terraform": ".tf"}
ROOT = Path(__file__).resolve().parent.parent

# ---- what is mutated -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Specimen:
    """A file to mutate, and where the files are that it comes with: a fixture, or its directory."""

    home: Path
    name: str
    """Its path in the home."""

    @property
    def source(self) -> bytes:
        """Its content."""
        return (self.home / self.name).read_bytes()

    def others(self) -> dict[str, bytes]:
        """The other files of the home that say something of it, by path."""
        inside = self.home.rglob("*") if self.home.name == "before" else self.home.glob("*")
        files = {path.relative_to(self.home).as_posix(): path for path in inside if path.is_file()}
        kinds = (Path(self.name).suffix, ".txt", ".toml", ".json")
        return {name: path.read_bytes() for name, path in files.items() if name != self.name and name.endswith(kinds)}


def specimens(directories: Iterable[Path], language: str) -> list[Specimen]:
    """The files of that language below the directories that are small enough and not what a fixture expects."""
    found = []
    for directory in directories:
        for path in sorted(directory.resolve().rglob(f"*{SUFFIXES[language]}")):
            if "after" in path.parts or not path.is_file() or not 0 < path.stat().st_size <= LARGEST:
                continue
            if language == "cdk" and b"aws_cdk" not in path.read_bytes():
                continue
            home = next((one for one in path.parents if one.name == "before"), path.parent)
            one = Specimen(home, path.relative_to(home).as_posix())
            if sum(map(len, one.others().values())) <= LARGEST:
                found.append(one)
    return found


# ---- mutations -----------------------------------------------------------------------------------

Mutation = Callable[[random.Random, bytes, bytes], bytes]
"""Makes another source of one; the third argument is that of another file, to take from."""

_TOKEN = re.compile(rb"\w+|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|[ \t]+|\n|.", re.DOTALL)
_NAME = re.compile(rb"\b[A-Za-z_]\w*")
_QUOTED = re.compile(rb"\"[^\"\n]*\"|'[^'\n]*'")
_INDENT = re.compile(rb"^[ \t]+", re.MULTILINE)
_BREAK = re.compile(rb"\r\n|\r|\n")
_ODD = (
    *(b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x00", b"\xef\xbb\xbf", b"\r", b"\x0c", b"\x0b", b"\x1a", b"\\"),
    *(one.encode() for one in ("\u2028", "\x85", "\u00a0", "\u200b", "é", "漢", "🎉", "e\u0301", "ﬁ", "\u202e")),
    *(rb"\ud800", rb"\N{BULLET}", b"$${", b"%{", b"${", b"{{", b"}}", b"\\\n", b"\\\r\n", b"\t", b"\r\r\n"),
)
_BRACKETS = (b"(", b")", b"[", b"]", b"{", b"}", b'"', b"'", b'"""', b"#", b"//", b"/*", b"*/", b"<<E\n", b"f'", b":")
_NAMES = (
    b"self",
    b"x",
    b"id",
    "é".encode(),
    b"__x",
    b"class",
    b"None",
    b"for",
    b"in",
    b"true",
    b"null",
    b"count",
    b"s3",
)


def _span(rng: random.Random, size: int, most: int) -> tuple[int, int]:
    start = rng.randint(0, size)
    return start, min(size, start + rng.randint(1, most))


def _inserted(source: bytes, at: int, text: bytes) -> bytes:
    return source[:at] + text + source[at:]


def cut_bytes(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Take out some bytes."""
    start, end = _span(rng, len(source), rng.choice((1, 8, 200)))
    return source[:start] + source[end:]


def cut_lines(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Take out some lines."""
    lines = source.splitlines(keepends=True)
    start, end = _span(rng, len(lines), 4)
    return b"".join(lines[:start] + lines[end:])


def double_span(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Have some bytes or lines twice."""
    parts = [source[at : at + 1] for at in range(len(source))] if rng.random() < 0.3 else source.splitlines(True)
    start, end = _span(rng, len(parts), 30)
    return b"".join(parts[:end] + parts[start:])


def swap_lines(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Swap two lines."""
    return _swapped(rng, source.splitlines(keepends=True), range(len(source.splitlines())))


def swap_tokens(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Swap two words or strings."""
    tokens = _TOKEN.findall(source)
    return _swapped(rng, tokens, [at for at, one in enumerate(tokens) if one[:1].isalnum() or one[:1] in b"\"'"])


def _swapped(rng: random.Random, parts: list[bytes], places: Sequence[int]) -> bytes:
    if len(places) > 1:
        one, other = rng.sample(places, 2)
        parts[one], parts[other] = parts[other], parts[one]
    return b"".join(parts)


def cut_bracket(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Take out a bracket or quote."""
    places = [at for at in range(len(source)) if source[at] in b"()[]{}\"'"]
    at = rng.choice(places) if places else 0
    return source[:at] + source[at + 1 :]


def add_bracket(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Put in a bracket, a quote or what opens a comment or heredoc."""
    return _inserted(source, rng.randint(0, len(source)), rng.choice(_BRACKETS))


def add_odd(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Put odd bytes anywhere."""
    return _inserted(source, rng.randint(0, len(source)), rng.choice(_ODD))


def add_odd_inside(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Put odd bytes into strings and at the ends of lines, where they may be allowed, in several places."""
    places = [match.end() - 1 for match in _QUOTED.finditer(source)] if rng.random() < 0.6 else []
    places = places or [match.start() for match in re.finditer(rb"(?m)$", source)]
    odd = rng.choice(_ODD)
    for at in sorted(rng.sample(places, min(len(places), rng.randint(1, 4))), reverse=True):
        source = _inserted(source, at, odd if rng.random() < 0.7 else b"  # " + odd)
    return source


def rename(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Call a name something else, everywhere or in one place."""
    found = list(_NAME.finditer(source))
    if not found:
        return source
    match = rng.choice(found)
    new = rng.choice((*_NAMES, match.group() + b"2", rng.choice(found).group()))
    if rng.random() < 0.5:
        return re.sub(rb"\b" + match.group() + rb"\b", lambda _: new, source)
    return source[: match.start()] + new + source[match.end() :]


def indent(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Indent all of it by other steps, or some lines further."""
    if rng.random() < 0.6:
        step = rng.choice((b"\t", b" ", b"  ", b"   ", b"        "))
        width = rng.choice((2, 4))
        return _INDENT.sub(lambda match: step * (len(match.group().expandtabs(width)) // width), source)
    lines = source.splitlines(keepends=True)
    start, end = _span(rng, len(lines), rng.choice((1, 10, 400)))
    more = rng.choice((b" ", b"\t", b"    ", b"  "))
    return b"".join([*lines[:start], *(more + one for one in lines[start:end]), *lines[end:]])


def space(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Put blanks, comments or line breaks between tokens, in many places."""
    odd = rng.choice(
        (b" ", b"  ", b"\t", b"\n", b"\n\n", b" # c\n", b"/* ) */", b" \\\n", b"\r\n", b"\x0c", b" // }\n")
    )
    share = rng.choice((0.003, 0.02, 0.2))
    inside = rng.random() < 0.6
    made, depth = [], 0
    for token in _TOKEN.findall(source):
        depth += (token in b"([{") - (token in b")]}")
        made.append(token + odd if rng.random() < share and (depth > 0 or not inside) else token)
    return b"".join(made)


def nest(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Nest a string or name, or the rest of the file, deeply."""
    times = rng.choice((1, 1, 2, 10, 60, 150, 400, 1000))
    opening, closing = rng.choice(
        (
            *(
                (b"(", b")"),
                (b"[", b"]"),
                (b"f(", b")"),
                (b"{a=", b"}"),
                (b"-", b""),
                (b"not ", b""),
                (b"(lambda: ", b")()"),
            ),
            *((b"", b".x"), (b"", b"[0]"), (b"", b" + 1"), (b'"${', b'}"'), (b'f"{', b'}"'), (b"x if y else ", b"")),
        )
    )
    found = [*_QUOTED.finditer(source), *_NAME.finditer(source)]
    if rng.random() < 0.15 or not found:
        block = rng.choice((b"a {\n", b"if x:\n", b"class A:\n def f(self):\n  x=1\n", b"try:\n x\nfinally:\n "))
        return _inserted(source, rng.choice((0, len(source))), block * times + (b"}\n" * times) * (block[0:1] == b"a"))
    match = rng.choice(found)
    return source[: match.start()] + opening * times + match.group() + closing * times + source[match.end() :]


def lengthen(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Make a line very long, or join some."""
    places = [match.end() - 1 for match in _QUOTED.finditer(source)]
    if rng.random() < 0.5 and places:
        return _inserted(source, rng.choice(places), b"x" * rng.choice((60, 200, 5000, 60_000)))
    lines = source.splitlines(keepends=True)
    start, end = _span(rng, len(lines), 30)
    joined = [one.rstrip(b"\r\n") + rng.choice((b" ", b";", b"")) for one in lines[start:end]]
    return b"".join([*lines[:start], *joined, *lines[end:]])


def line_endings(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """End all or some lines in another way."""
    ends = rng.choice(([b"\r\n"], [b"\r"], [b"\r\n", b"\n"], [b"\n", b"\n", b"\r"], [b"\n", b"\r\r\n"], [b"\n\x0c"]))
    return _BREAK.sub(lambda _: rng.choice(ends), source)


def ends(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Have the file begin or end in another way."""
    if rng.random() < 0.5:
        return rng.choice((b"\xef\xbb\xbf", b"\n\n", b"#!/x\n", b"# coding: latin-1\n", b"\x0c", b"\r\n")) + source
    return source.rstrip(b"\r\n") + rng.choice((b"", b"", b"  ", b"\n\n\n", b" # x", b"\\", b"\x1a", b"\n\t", b";"))


def wrap(rng: random.Random, source: bytes, _: bytes) -> bytes:
    """Put some lines, or all, into a comment, a heredoc, a string or a block."""
    lines = source.splitlines(keepends=True)
    start, end = _span(rng, len(lines), rng.choice((1, 5, 1000)))
    start = rng.choice((0, start))
    before, after = rng.choice(
        (
            *((b"/*\n", b"*/\n"), (b"x = <<EOT\n", b"EOT\n"), (b"x = <<-E\n", b"  E\n"), (b'x = """\n', b'"""\n')),
            *((b"x = f'''{\n", b"}'''\n"), (b"f'''\n", b"'''\n"), (b"if x:\n", b""), (b"b {\n", b"}\n")),
            *((b"(\n", b")\n"), (b"x = [\n", b"]\n"), (b"def f():\n", b""), (b"locals {\n a = {\n", b" }\n}\n")),
        )
    )
    more = rng.choice((b"", b"", b" ", b"    "))
    return b"".join([*lines[:start], before, *(more + one for one in lines[start:end]), after, *lines[end:]])


def splice(rng: random.Random, source: bytes, other: bytes) -> bytes:
    """Put part of another file, or all of it, before, behind or into this one."""
    lines, more = source.splitlines(keepends=True), other.splitlines(keepends=True)
    start, end = _span(rng, len(more), 40) if rng.random() < 0.6 else (0, len(more))
    at = rng.choice((0, len(lines), rng.randint(0, len(lines))))
    return b"".join([*lines[:at], *more[start:end], *lines[at:]])


MUTATIONS: tuple[tuple[Mutation, int], ...] = (
    (cut_bytes, 2),
    (cut_lines, 3),
    (double_span, 3),
    (swap_lines, 2),
    (swap_tokens, 4),
    (cut_bracket, 1),
    (add_bracket, 2),
    (add_odd, 2),
    (add_odd_inside, 6),
    (rename, 6),
    (indent, 4),
    (space, 6),
    (nest, 4),
    (lengthen, 3),
    (line_endings, 4),
    (ends, 3),
    (wrap, 4),
    (splice, 4),
)
"""Each with its weight: what mostly leaves the file valid has more."""


def mutant(rng: random.Random, source: bytes, other: bytes) -> bytes:
    """The source after one to four mutations."""
    mutations, weights = zip(*MUTATIONS, strict=True)
    for mutation in rng.choices(mutations, weights, k=rng.choice((1, 1, 1, 2, 2, 3, 4))):
        source = mutation(rng, source, other)
    return source


# ---- what is promised ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant; each defect is a kind and what was seen."""

    changed: bool = False
    refused: bool = False
    defects: tuple[tuple[str, str], ...] = ()


def examine(root: Path, name: str) -> Verdict:
    """Repair the project, of which the file of that name is the mutant; it is written."""
    started = time.monotonic()
    noise = io.StringIO()
    with warnings.catch_warnings(record=True) as warned, contextlib.redirect_stderr(noise):
        warnings.simplefilter("always", SyntaxWarning)
        with contextlib.redirect_stdout(noise):
            verdict = _examine(root, name)
    defects = [*verdict.defects]
    if noise.getvalue():
        defects.append(("noise", noise.getvalue()[:300]))
    defects += [("noise", str(one.message)) for one in warned if issubclass(one.category, SyntaxWarning)]
    if (seconds := time.monotonic() - started) > SLOWEST:
        defects.append(("slow", f"{seconds:.0f} s"))
    return Verdict(verdict.changed, verdict.refused, tuple(defects))


def _examine(root: Path, name: str) -> Verdict:
    before = _content(root)
    try:
        result = _run(root, "apply")
        defects = list(_broken(result, before))
        if result.files:
            check = _run(root, "check")
            after = _written(root, before, result)
            defects += _betrayed(before, after, check, result)
            again = _run(root, "apply")
            defects += [("again", f"{one.path} is changed by a second run") for one in again.files]
            defects += _broken(again, after)
    except Exception as error:
        return Verdict(defects=(("broke", f"raised {type(error).__name__}: {error}"),))
    refused = any(one.path == name for one in result.errors)
    return Verdict(bool(result.files), refused, tuple(defects))


def _content(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


_RULES = [rule for rule in load() if rule.default]


def _run(root: Path, command: str) -> Result:
    project = projects.discover(root, [root])
    config = configuration.Config()
    return run(project, _RULES, config, command=command, impact=Impact.REPLACEMENT, jobs=1, cache=Cache(None))


def _broken(result: Result, before: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    for error in result.errors:
        name = error.message.partition(f"{UNKNOWN} ")[2]
        if name and name in undefined(before[error.path]):
            continue  # a rule took up what the file itself says, and the proof saw that it means nothing
        if " broke" in error.message or "The fix " in error.message:
            yield "broke", f"{error.path}: {error.message}"
    yield from (("broke", note) for note in result.notes if "stopped after" in note)


def _written(root: Path, before: dict[str, bytes], result: Result) -> dict[str, bytes]:
    """The content after the changes are written, plainly and quickly: `fixer.write` has tests of its own."""
    after = dict(before)
    for change in result.files:
        if gone := change.moved_from or (change.path if change.after is None else None):
            (root / gone).unlink()
            del after[gone]
        if change.after is not None:
            (root / change.path).write_bytes(change.after)
            after[change.path] = change.after
    return after


def _betrayed(
    before: dict[str, bytes], after: dict[str, bytes], check: Result, result: Result
) -> Iterator[tuple[str, str]]:
    whole = check.counts[Status.FIXABLE] == result.counts[Status.FIXED]  # else some only came up after others
    whole = whole and all(one.replacements for one in check.outcomes if one.status is Status.FIXABLE)
    origins = {one.path: one.moved_from or one.path for one in result.files}
    for name, new in after.items():
        old = before.get(origins.get(name, name), b"")
        if new != old:
            known: dict[str, str] | None = None
            for judge, problem in _problems(name, new):
                known = dict(_problems(name, old)) if known is None else known
                if judge == "python-hcl2" and any(judge in dict(_problems(*one)) for one in before.items()):
                    continue  # which does not read all that Terraform does; a block may be moved from another file
                if judge not in known:
                    yield "worse", f"{name}: {judge}: {problem}"
                else:
                    yield "touched", f"{name}: {judge}: {problem}"
            if whole and (lost := _lost(name, old, new, check.outcomes)) is not None:
                yield "outside", f"{name}: lost or moved: {lost!r}"


def _lost(name: str, old: bytes, new: bytes, outcomes: Iterable[Outcome]) -> bytes | None:
    """The first stretch of lines without an edit that is no longer there in its place."""
    edited: set[int] = set()
    for one in outcomes:
        for edit in one.replacements:
            if edit.path == name:
                first = old.count(b"\n", 0, edit.offset)
                edited.update(range(first, first + old.count(b"\n", edit.offset, edit.offset + edit.length) + 1))
    at = 0
    stretch = b""
    for number, line in enumerate([*old.split(b"\n"), None]):
        if line is not None and number not in edited:
            stretch += line + b"\n"
            continue
        found = new.find(stretch[:-1], at)
        if found < 0:
            return stretch
        at, stretch = found + len(stretch[:-1]), b""
    return None


def _problems(name: str, source: bytes) -> Iterator[tuple[str, str]]:
    """Which of the parsers that know the language don't read the source, and why."""
    if name.endswith(".py"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if syntax_error(source):  # else it is for a newer Python
                yield "ast", str(error)
        return
    yield from (("tree-sitter-hcl", message) for _, message in load_module(TerraformFacts("."), {name: source}).errors)
    try:
        text = source.decode("utf-8-sig").replace("\r\n", "\n")
        hcl2.loads(re.sub(r"[^\x00-\x7f]", "u", text))  # it takes no other letters in names
    except Exception as error:  # whatever a parser that is not ours fails with
        yield "python-hcl2", str(error).partition("\n")[0]
    if _TERRAFORM:
        command = [_TERRAFORM, "fmt", "-no-color", "-"]
        environment = {**os.environ, "TF_CLI_CONFIG_FILE": os.devnull}
        done = subprocess.run(command, check=False, input=source, capture_output=True, env=environment)
        if done.returncode:
            yield "terraform", " ".join(done.stderr.decode(errors="replace").split())


_TERRAFORM = shutil.which("terraform")

# ---- the run -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Campaign:
    """Mutants of one language: that of a number is always the same."""

    language: str
    seed: int
    specimens: Sequence[Specimen]

    def prepare(self, number: int, root: Path) -> str:
        """Put the mutant's project below `root`, which is emptied; the mutant's path in it."""
        rng = random.Random(f"{self.seed} {self.language} {number}")  # noqa: S311 - no secret
        one, other = rng.choice(self.specimens), rng.choice(self.specimens)
        shutil.rmtree(root, ignore_errors=True)
        files = {**one.others(), one.name: mutant(rng, one.source, other.source)}
        for name, source in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source)
        return one.name


def _judged(campaign: Campaign, number: int, root: Path) -> Verdict:
    return examine(root, campaign.prepare(number, root))


def verdicts(campaign: Campaign, numbers: Iterable[int], scratch: Path) -> Iterator[tuple[int, Verdict]]:
    """What becomes of each mutant, one after the other in a process that may end or hang."""
    pool = ProcessPoolExecutor(1)
    try:
        for number in numbers:
            try:
                yield number, pool.submit(_judged, campaign, number, scratch / "root").result(SLOWEST * 3)
                continue
            except BrokenProcessPool:
                defect = ("crash", "the process died")
            except TimeoutError:
                defect = ("slow", f"more than {SLOWEST * 3:.0f} s")
                for worker in active_children():
                    worker.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            pool = ProcessPoolExecutor(1)
            yield number, Verdict(defects=(defect,))
    finally:
        pool.shutdown(cancel_futures=True)


def stress(campaign: Campaign, mutants: int, keep: Path | None, first: int = 0) -> Counter[str]:
    """Run the campaign; prints each defect, and returns how many mutants there were of which kind."""
    counts = Counter[str]()
    with tempfile.TemporaryDirectory() as directory:
        for number, verdict in verdicts(campaign, range(first, first + mutants), Path(directory)):
            counts["mutants"] += 1
            counts["changed"] += verdict.changed
            counts["refused"] += verdict.refused
            for kind in {kind for kind, _ in verdict.defects}:
                counts[kind] += 1
            for kind, seen in dict.fromkeys(verdict.defects):
                print(f"{campaign.language} {number}: {kind}: {seen}", flush=True)
            if verdict.defects and keep:
                campaign.prepare(number, keep / f"{campaign.language}-{campaign.seed}-{number}")
            if sys.stderr.isatty():
                print(f"\r{campaign.language}: {counts['mutants']} of {mutants}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return counts


SOUND = ("mutants", "changed", "refused")
"""What is counted and is no defect."""


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directories", nargs="*", type=Path, metavar="DIRECTORY")
    parser.add_argument("--language", choices=SUFFIXES, help="only that one")
    parser.add_argument("--mutants", type=int, default=1000, metavar="N", help="of each language")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first mutant")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY")
    arguments = parser.parse_args()
    directories = arguments.directories or [ROOT / "tests" / "fixtures", ROOT / "examples"]
    flawed = False
    for language in [arguments.language] if arguments.language else SUFFIXES:
        found = specimens(directories, language)
        if not found:
            parser.error(f"no {SUFFIXES[language]} file to mutate below {', '.join(map(str, directories))}")
        counts = stress(Campaign(language, arguments.seed, found), arguments.mutants, arguments.keep, arguments.first)
        print(f"{language}: " + ", ".join(f"{counts[kind]} {kind}" for kind in (*SOUND, *(counts.keys() - SOUND))))
        flawed |= bool(counts.keys() - set(SOUND))
    return int(flawed)


if __name__ == "__main__":
    sys.exit(main())
