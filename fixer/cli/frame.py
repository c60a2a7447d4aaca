"""How every run ends: with an exit code, and at most one line of its own on standard error."""

from __future__ import annotations

import io
import os
import sys
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from typing import Any

import click

FOUND, ERROR, INTERRUPTED, CLOSED = 1, 2, 130, 141


class Failure(click.ClickException):
    """An error of the whole run: one line on standard error, exit code 2."""

    exit_code = ERROR

    def show(self, file: Any = None) -> None:
        """Print the line."""
        complain(self.message)


def complain(message: str) -> None:
    from fixer.report.wording import one_line

    click.echo(f"iacfix: {one_line(message)}", err=True)


def _drop_output() -> None:
    """Forget what could not be written, which Python would try again when it ends."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Commands(click.Group):
    """Lists commands in their order; ends every run with an exit code and at most one line, whatever happens."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        for name in ("stdout", "stderr"):
            if getattr(sys, name) is None:  # the caller closed it
                setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except (KeyboardInterrupt, click.Abort) as error:
            complain("; ".join(["interrupted", *error.args]))
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _drop_output()
            ctx.exit(CLOSED)
        except OSError as error:
            _drop_output()
            where = f"{error.filename}: " if error.filename else ""
            raise Failure(f"{where}{error.strerror or error}") from error
        except BrokenExecutor as error:
            raise Failure("a worker process died, for want of memory perhaps; --jobs 1 does without") from error
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            from fixer.engine import defect

            raise Failure(f"broke, which is a defect; please report it: {defect(error)}") from error
