"""A GitHub to test against: on loopback, in memory, with real git repositories below.

A test module names the fixture's module and takes what else it needs from here:

    from fake_github import GitHub, Person, secondary_limit, server_error

    pytest_plugins = ("fake_github.fixture",)

    def test_it(github: GitHub) -> None:
        repository = github.repository("acme/infra", {"main.tf": "..."}, collaborators={"alice"})
        token = github.token("iacfix-bot", {"contents": "write", "pull_requests": "write"})
        github.fault("POST", "/repos/*/pulls", server_error(502, after=True))
        ...                                               # run what is tested on github.url and repository.clone_url
        assert repository.read("main.tf", "iacfix/x") == b"..."
        assert [pull.title for pull in repository.open_pulls] == ["..."]
        assert [str(request) for request in github.writes] == [...]

- `github.url` is the API's address, as PyGithub's `base_url` wants it; `repository.clone_url` is git's, over HTTP with
  Basic authentication (`x-access-token` and the token). `repository.bare` is the path of the bare repository.
- Refs, commits and files are read from git each time: `repository.push(...)`, a `git push` into `repository.bare` and
  the API all change the same thing, and pull requests follow.
- `repository.push`, `.delete`, `.rename`, `.archived = True`, `pull.merge()`, `pull.close()`, `pull.comment(...)` are
  what people do meanwhile. They need no token and are not in the log.
- Tokens: `github.token` (classic, or fine-grained with permissions), `github.actions_token` (GITHUB_TOKEN),
  `github.app` and `github.install` (an app's key, which gets tokens by the API).
- Faults: `github.fault(method, path, failure, nth=1, times=1, writes=False)` with shell patterns; the failures are
  `secondary_limit`, `primary_limit`, `server_error`, `refused`, `reset`, `hang` and `meanwhile` (someone does something
  just before the request). Git's requests end in `/info/refs`, `/git-upload-pack` and `/git-receive-pack`.
- Each request and each answer is held to GitHub's OpenAPI description (`api.github.com.json`, made by
  `tools/openapi.py`), GraphQL to its schema (`schema.graphql`, made by `tools/graphql_schema.py`). What is not
  described is in `github.violations`, and the fixture fails the test.
- `github.log`, `github.calls` (the API's alone) and `github.writes` are the requests that came: who, what and when.

What it does not know: branch protection and rulesets, checks and statuses, issues that are no pull requests, reviews,
webhooks, organizations' policies, and secondary limits other than those that a test asks for. It needs git 2.38.
"""

from __future__ import annotations

from fake_github.bare import GitError, Person
from fake_github.faults import (
    Failure,
    Fault,
    Request,
    hang,
    meanwhile,
    primary_limit,
    refused,
    reset,
    secondary_limit,
    server_error,
)
from fake_github.server import GitHub
from fake_github.state import Account, App, Pull, Repository

__all__ = [
    "Account",
    "App",
    "Failure",
    "Fault",
    "GitError",
    "GitHub",
    "Person",
    "Pull",
    "Repository",
    "Request",
    "hang",
    "meanwhile",
    "primary_limit",
    "refused",
    "reset",
    "secondary_limit",
    "server_error",
]
