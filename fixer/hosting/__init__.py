"""Fixes on a host of git repositories: branches, commits and pull requests, on GitHub or GitHub Enterprise Server.

`store` keeps a bare repository of its own, through `plumbing`, and never touches anybody's checkout; `github` speaks to
the API; `plan` works out what to change on a branch as it is on the host; `lifecycle` brings branch and pull request in
line with that; `bot` is all of it for one repository, and `action` that in a job of GitHub Actions.
"""
