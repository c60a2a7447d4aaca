"""`iacfix rules`, `explain`, `init` and `completion`: about the rules, their options and the command itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fixer.cli.frame import Failure
from fixer.cli.options import complete_rule

if TYPE_CHECKING:
    from fixer.model import Rule


def _all_rules() -> tuple[Rule, ...]:
    from fixer.rules import RuleError, load

    try:
        return load()
    except RuleError as error:
        raise Failure(str(error)) from error


@click.command()
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to list them.")
def rules(format_: str) -> None:
    """List the rules."""
    from fixer.rules import describe

    infos = [describe(rule) for rule in _all_rules()]
    if format_ == "json":
        import json

        keys = ("name", "category", "summary", "scanners", "languages")
        rows = [{**{key: getattr(info, key) for key in keys}, "impact": str(info.impact)} for info in infos]
        click.echo(json.dumps(rows, indent=2))
        return
    if not sys.stdout.isatty():
        for info in infos:
            click.echo(f"{info.name}\t{','.join(info.languages)}\t{info.impact}\t{info.summary}")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("rule", "languages", "impact", "what it does", box=None, pad_edge=False)
    for info in infos:
        table.add_row(info.name, ", ".join(info.languages), str(info.impact), info.summary)
    Console().print(table)


@click.command()
@click.argument("rule", metavar="RULE", shell_complete=complete_rule)
def explain(rule: str) -> None:
    """Print the manual page of a rule."""
    from fixer.config import nearest
    from fixer.rules import page

    known = {one.name: one for one in _all_rules()}
    if rule not in known:
        raise Failure(f"there is no rule {rule!r}{nearest(rule, known)}")
    text = page(known[rule])
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        click.echo(text.encode(), nl=False)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the configuration instead.")
def init(directory: Path, schema: bool) -> None:
    """Write an iacfix.toml that says what the defaults are."""
    from fixer import config as configuration

    if schema:
        import json

        click.echo(json.dumps(configuration.schema(_all_rules()), indent=2))
        return
    text = configuration.template(_all_rules())
    try:
        there = configuration.load(directory, directory)
    except configuration.ConfigError as error:
        raise Failure(f"there is a configuration already: {error}") from error
    if there.path:
        raise Failure(f"{directory / there.name}: is there already")
    path = directory / "iacfix.toml"
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    click.echo(f"wrote {path}")


@click.command(short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a shell's completion script: for bash, eval "$(iacfix completion bash)" puts it to use.

    zsh takes the same line with its own name, and fish: iacfix completion fish | source
    """
    from click.shell_completion import get_completion_class

    if kind := get_completion_class(shell):
        click.echo(kind(context.find_root().command, {}, "iacfix", "_IACFIX_COMPLETE").source())
