"""Starts the command, and answers an interrupt that comes before it can do so itself."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command `iacfix` and exit."""
    try:
        from fixer.cli import main as command

        command(prog_name="iacfix")
    except KeyboardInterrupt:
        sys.stderr.write("iacfix: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
