"""`iacfix pr`: fixes as a pull request."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fixer.cli.frame import ERROR, FOUND, Failure
from fixer.cli.options import HOW, PROVE, WHAT, names, progress, request_of, takes

if TYPE_CHECKING:
    from fixer.hosting.bot import Order, Served
    from fixer.hosting.checkout import Checkout
    from fixer.hosting.credentials import Credentials


def _campaign(_: click.Context, __: click.Parameter, value: str) -> str:
    from fixer.hosting.lifecycle import CAMPAIGN, is_campaign

    if not is_campaign(value):
        raise click.BadParameter(f"{CAMPAIGN}.")
    return value


ACCESS = (
    click.option("--api-url", envvar="GITHUB_API_URL", metavar="URL", help="The API of a GitHub Enterprise Server."),
    click.option(
        "--token-file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Read the token from this file, not from IACFIX_TOKEN, GITHUB_TOKEN or GH_TOKEN.",
    ),
    click.option("--app-id", metavar="ID", default="", help="Act as this GitHub App."),
    click.option(
        "--app-key",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="The private key of the app.",
    ),
)
"""Who iacfix is to the host."""

SHAPE = (
    click.option("--title", default="", help="The title.  [default: what was fixed]"),
    click.option("--commit-message", default="", metavar="TEXT", help="The message.  [default: what was fixed]"),
    click.option("--draft", is_flag=True, help="Open it as a draft."),
    click.option("--labels", multiple=True, callback=names, metavar="NAME,...", help="Labels to give it."),
    click.option("--reviewers", multiple=True, callback=names, metavar="USER,...", help="Whom to ask for a review."),
    click.option("--team-reviewers", multiple=True, callback=names, metavar="TEAM,...", help="Teams to ask, by slug."),
    click.option(
        "--commits",
        type=click.Choice(["one", "rule"]),
        default="one",
        show_default=True,
        help="One commit, or one for each rule, so that a reviewer can drop one.",
    ),
    click.option("--sign-commits", is_flag=True, help="Commit through the API; GitHub signs for apps and jobs."),
)
"""What the pull request is like."""


@click.command(short_help="Open or update a pull request with the fixes.")
@click.argument("path", default=".", type=click.Path(path_type=Path, exists=True))
@click.option("--dry-run", is_flag=True, help="Print title, text and diff for what is here; ask and touch nobody.")
@click.option("--base", metavar="BRANCH", help="The branch to fix.  [default: the repository's default branch]")
@click.option("--branch", metavar="NAME", help="The branch to make.  [default: iacfix/CAMPAIGN]")
@click.option(
    "--campaign",
    default="fixes",
    callback=_campaign,
    metavar="NAME",
    show_default=True,
    help="Pull requests of different campaigns live side by side.",
)
@takes(*SHAPE)
@click.option("--repository", metavar="OWNER/NAME", help="The repository.  [default: that of the remote origin]")
@takes(*ACCESS, *WHAT, *PROVE, *HOW)
def pr(path: Path, dry_run: bool, **flags: Any) -> None:
    """Fix a branch as it is on GitHub, and open or update one pull request with the fixes.

    The checkout at PATH is not touched: it tells which repository is meant, and, below its top, which part of it. What
    is on the branch comes from the host, so local changes do not count. Run it again as often as you like: nothing new
    means that nothing happens, a pull request with nothing left to fix is closed, one that a person closed stays
    closed, and a branch with a person's commits is left alone.

    With --dry-run no host is asked: exit 1 if there is something to fix.
    """
    from fixer.hosting.errors import HostingError
    from fixer.project import root_of
    from fixer.request import DisabledError, RequestError

    try:
        root = root_of([path])
        order = _order(path, root, flags)
        if dry_run:
            from fixer.hosting.checkout import Checkout

            sys.exit(_preview(Checkout(root), order, flags))
        sys.exit(_serve(root, order, flags))
    except (HostingError, RequestError) as error:
        raise Failure(str(error)) from error
    except DisabledError as error:
        click.echo(f"iacfix: off, as {error} says enabled = false", err=True)
        sys.exit(0)


def _order(path: Path, root: Path, flags: dict[str, Any]) -> Order:
    from fixer.hosting.bot import Order
    from fixer.hosting.lifecycle import Wish

    below = path.resolve().relative_to(root).as_posix()
    keys = ("draft", "labels", "reviewers", "team_reviewers")
    return Order(
        request_of(flags),
        () if below == "." else (below,),
        base=flags["base"],
        branch=flags["branch"],
        campaign=flags["campaign"],
        by_rule=flags["commits"] == "rule",
        title=flags["title"],
        commit_message=flags["commit_message"],
        wish=Wish("", "", signed=flags["sign_commits"], **{key: flags[key] for key in keys}),
    )


def _preview(checkout: Checkout, order: Order, flags: dict[str, Any]) -> int:
    from fixer.hosting.bot import preview
    from fixer.report import print_diff, print_errors

    with progress(quiet=flags["quiet"]) as tell:
        plan = preview(checkout, order, tell)
    if plan.proposal.commits:
        click.echo(f"{plan.proposal.title}\n\n{plan.proposal.body}".encode())
        print_diff(plan.result, sys.stdout)
    print_errors(plan.result, sys.stderr)
    return ERROR if plan.result.errors else FOUND if plan.proposal.commits else 0


def _serve(root: Path, order: Order, flags: dict[str, Any]) -> int:
    from fixer.hosting.bot import serve
    from fixer.hosting.checkout import Checkout, Origin
    from fixer.hosting.credentials import from_environment
    from fixer.hosting.github import Host

    name = flags["repository"]
    origin = None if name and flags["api_url"] else Checkout(root).origin()
    api_url = flags["api_url"] or (origin or Origin("github.com", "")).api_url
    credentials = from_environment(os.environ, api_url, flags["token_file"], flags["app_id"], flags["app_key"])
    with redacting(credentials), progress(quiet=flags["quiet"]) as tell:
        served = serve(Host(api_url, credentials), name or (origin.name if origin else ""), order, tell)
    _tell(served, quiet=flags["quiet"])
    return ERROR if served.plan and served.plan.result.errors else 0


@contextmanager
def redacting(credentials: Credentials | None) -> Iterator[None]:
    """Let no error out that holds a secret."""
    from fixer.engine import defect
    from fixer.hosting.errors import HostingError
    from fixer.request import RequestError

    try:
        yield
    except (HostingError, RequestError) as error:
        raise Failure(_redacted(credentials, str(error))) from None
    except (click.ClickException, click.exceptions.Exit, OSError):
        raise
    except Exception as error:
        text = f"broke, which is a defect; please report it: {defect(error)}"
        raise Failure(_redacted(credentials, text)) from None


def _redacted(credentials: Credentials | None, text: str) -> str:
    return credentials.redact(text) if credentials else text


def _tell(served: Served, *, quiet: bool) -> None:
    """Print what was done, as one line that begins with the operation's name."""
    from fixer.report import print_errors

    done = served.published
    if served.plan:
        print_errors(served.plan.result, sys.stderr)
    for problem in done.problems:
        click.echo(f"warning: {problem}", err=True)
    if not quiet:
        click.echo(" ".join(filter(None, (done.operation.value, done.url, done.reason and f"({done.reason})"))))
