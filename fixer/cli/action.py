"""`iacfix action`: what `action.yml` runs in a job of GitHub Actions."""

from __future__ import annotations

import os
import sys

import click


@click.command(short_help="Do the work of the GitHub Action, in a job.")
def action() -> None:
    """Do what a job of GitHub Actions was started for; action.yml runs this.

    The event and the runner's files come from the GITHUB_ variables, the action's inputs from variables such as
    IACFIX_FAIL_ON. All that is printed are workflow commands.

    Exit codes: 0 done, 1 the input fail-on says so, 2 an error.
    """
    from fixer.hosting.action import run

    sys.exit(run(os.environ, lambda text: click.echo(text.encode("utf-8", "backslashreplace"), nl=False)))
