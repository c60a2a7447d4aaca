"""The command `iacfix`: flags, printing and exit codes, and nothing else."""

from __future__ import annotations

import click

from fixer import __version__
from fixer.cli import about, action, hosted, local, migrate
from fixer.cli.frame import Commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="iacfix", message="%(prog)s %(version)s")
def main() -> None:
    """Repair AWS CDK (Python) and Terraform code, and leave every other byte alone.

    Exit codes: 0 nothing to report, 1 findings or changes, 2 an error, 130 interrupted.
    """


for command in (
    *(local.check, local.apply),
    *(hosted.pr, action.action, migrate.migrate),
    *(about.rules, about.explain, about.init, about.completion),
):
    main.add_command(command)
