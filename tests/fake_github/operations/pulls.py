"""Pull requests."""

from __future__ import annotations

from fake_github.calls import Answer, Call, RefusedError, invalid, not_found, operation
from fake_github.state import Pull, Repository

BODY_LIMIT = 65_536
"""Characters of the body of a pull request or comment."""
STRANGERS = (
    "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a "
    "collaborator of the {} repository."
)


@operation("pulls/list", "pull_requests")
def pulls(call: Call) -> Answer:
    """As on GitHub, a `head` without an owner is no condition at all."""
    repository = call.repository
    repository.synchronize()
    state, head = call.query.get("state", "open"), call.query.get("head", "")
    found = [
        pull
        for pull in repository.pulls
        if state in {"all", pull.state}
        and (":" not in head or head == pull.label)
        and call.query.get("base", pull.base) == pull.base
    ]
    sort = call.query.get("sort", "created")
    found.sort(key=lambda pull: (pull.updated_at, pull.number) if sort == "updated" else ("", pull.number))
    if call.query.get("direction", "desc" if sort == "created" else "asc") == "desc":
        found.reverse()
    return Answer(found, show=lambda pull: call.github.view.pull(pull, call.token))


@operation("pulls/get", "pull_requests")
def pull(call: Call) -> Answer:
    return Answer(call.github.view.full_pull(call.pull, call.token))


@operation("pulls/create", "pull_requests", "write")
def create_pull(call: Call) -> Answer:
    repository = call.repository
    repository.synchronize()
    if call.token and call.token.kind == "actions" and not repository.actions_may_create_pulls:
        raise RefusedError(403, "GitHub Actions is not permitted to create or approve pull requests.")
    source, head = _head(call, repository)
    base = call.body["base"]
    head_sha, base_sha = source.branches.get(head), repository.branches.get(base)
    if base_sha is None:
        raise invalid("PullRequest", "base", "invalid")
    if head_sha is None:
        raise invalid("PullRequest", "head", "invalid")
    if "title" not in call.body:
        raise invalid("PullRequest", "title", "missing_field")
    check_length(call.body.get("body"))
    label = f"{source.owner.login}:{head}"
    if next(repository.pulls_of(label, base), None):
        raise invalid("PullRequest", None, "custom", f"A pull request already exists for {label}.")
    number = len(repository.pulls) + 1
    _check_commits(repository, source, (base, base_sha), (head, head_sha))
    repository.borrow(source, head_sha, number)
    made = Pull(
        repository=repository,
        number=number,
        title=call.body["title"],
        body=call.body.get("body"),
        user=call.account,
        head=head,
        head_repository=source,
        base=base,
        head_sha=head_sha,
        base_sha=base_sha,
        draft=call.body.get("draft", False),
        maintainer_can_modify=call.body.get("maintainer_can_modify", False),
    )
    repository.pulls.append(made)
    shown = call.github.view.full_pull(made, call.token)
    return Answer(shown, 201, headers={"Location": shown["url"]})


@operation("pulls/update", "pull_requests", "write")
def update_pull(call: Call) -> Answer:
    changed = call.pull
    check_length(call.body.get("body"))
    if "base" in call.body and call.body["base"] != changed.base:
        _change_base(changed, call.body["base"])
    if call.body.get("state", changed.state) != changed.state:
        if changed.state == "open":
            changed.close()
        else:
            reopen(changed)
    for name in ("title", "body", "maintainer_can_modify"):
        if name in call.body:
            setattr(changed, name, call.body[name])
    changed.touch()
    return Answer(call.github.view.full_pull(changed, call.token))


@operation("pulls/list-commits", "pull_requests")
def commits_of_pull(call: Call) -> Answer:
    pull, repository = call.pull, call.repository
    found = repository.git.log(f"{pull.base_sha}..{pull.head_sha}")
    return Answer([call.github.view.commit(repository, commit) for commit in reversed(found)])


@operation("pulls/list-files", "pull_requests")
def files_of_pull(call: Call) -> Answer:
    pull, repository = call.pull, call.repository
    base = repository.git.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha
    changed = repository.git.changed(base, pull.head_sha)
    return Answer([call.github.view.file(repository, pull.head_sha, file) for file in changed])


@operation("pulls/check-if-merged", "pull_requests")
def is_merged(call: Call) -> Answer:
    if not call.pull.merged:
        raise not_found()
    return Answer(None, 204)


@operation("pulls/merge", "contents", "write")
def merge(call: Call) -> Answer:
    pull = call.pull
    asked = call.body or {}
    if asked.get("sha", pull.head_sha) != pull.head_sha:
        raise RefusedError(409, "Head branch was modified. Review and try the merge again.")
    if pull.state != "open" or pull.draft or not pull.mergeable():
        raise RefusedError(405, "Pull Request is not mergeable")
    sha = pull.merge(call.account, squash=asked.get("merge_method") == "squash")
    return Answer({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


@operation("pulls/list-requested-reviewers", "pull_requests")
def reviewers(call: Call) -> Answer:
    shown = call.github.view.pull(call.pull, call.token)
    return Answer({"users": shown["requested_reviewers"], "teams": shown["requested_teams"]})


@operation("pulls/request-reviewers", "pull_requests", "write")
def request_reviewers(call: Call) -> Answer:
    pull, owner = call.pull, call.repository.owner
    logins, teams = call.body.get("reviewers", []), call.body.get("team_reviewers", [])
    if pull.user.login in logins:
        raise RefusedError(422, "Review cannot be requested from pull request author.")
    allowed = {login.lower() for login in call.repository.collaborators | owner.members | {owner.login}}
    if not all(login.lower() in allowed for login in logins) or not all(slug in owner.teams for slug in teams):
        raise RefusedError(422, STRANGERS.format(call.repository.full_name))
    pull.reviewers = list(dict.fromkeys([*pull.reviewers, *logins]))
    pull.teams = list(dict.fromkeys([*pull.teams, *teams]))
    pull.touch()
    return Answer(call.github.view.pull(pull, call.token), 201)


@operation("pulls/remove-requested-reviewers", "pull_requests", "write")
def remove_reviewers(call: Call) -> Answer:
    pull = call.pull
    pull.reviewers = [login for login in pull.reviewers if login not in call.body["reviewers"]]
    pull.teams = [slug for slug in pull.teams if slug not in call.body.get("team_reviewers", [])]
    pull.touch()
    return Answer(call.github.view.pull(pull, call.token))


def _head(call: Call, repository: Repository) -> tuple[Repository, str]:
    """The repository and the branch that a new pull request is from."""
    owner, colon, branch = call.body["head"].rpartition(":")
    if call.body.get("head_repo"):
        name = call.body["head_repo"]
        source = call.github.find(name if "/" in name else f"{repository.owner.login}/{name}")
        return source, branch
    if not colon or owner == repository.owner.login:
        return repository, branch
    for fork in call.github.repositories.values():
        if fork.owner.login == owner and fork.parent is repository:
            return fork, branch
    raise invalid("PullRequest", "head", "invalid")


def _check_commits(repository: Repository, source: Repository, base: tuple[str, str], head: tuple[str, str]) -> None:
    names = [base[0], head[0]]
    if source is not repository:
        names = [f"{repository.owner.login}:{base[0]}", f"{source.owner.login}:{head[0]}"]
    if source.git.merge_base(base[1], head[1]) is None:
        raise invalid("PullRequest", None, "custom", f"The {names[1]} branch has no history in common with {names[0]}")
    if source.git.is_ancestor(head[1], base[1]):
        raise invalid("PullRequest", None, "custom", f"No commits between {names[0]} and {names[1]}")


def _change_base(pull: Pull, base: str) -> None:
    sha = pull.repository.branches.get(base)
    if sha is None:
        raise invalid("PullRequest", "base", "invalid")
    if next(pull.repository.pulls_of(pull.label, base), None):
        raise invalid(
            "PullRequest", "base", "custom",
            f"A pull request already exists for base branch '{base}' and head branch '{pull.head}'",
        )  # fmt: skip
    pull.base, pull.base_sha = base, sha


def check_length(body: str | None) -> None:
    if body and len(body) > BODY_LIMIT:
        raise invalid("Issue", "body", "custom", f"body is too long (maximum is {BODY_LIMIT} characters)")


def reopen(pull: Pull) -> None:
    head = pull.head_repository.branches.get(pull.head)
    why = None
    if pull.merged:
        why = "state cannot be changed. The pull request is already merged."
    elif head is None:
        why = f"state cannot be changed. The {pull.head} branch has been deleted."
    elif next(pull.repository.pulls_of(pull.label, pull.base), None):
        why = f"state cannot be changed. There is already an open pull request from {pull.label} to {pull.base}."
    elif not pull.head_repository.git.is_ancestor(pull.head_sha, head):
        why = f"state cannot be changed. The {pull.head} branch was force-pushed or recreated."
    if why:
        raise invalid("PullRequest", "state", "invalid", why)
    pull.state, pull.closed_at = "open", None
    pull.repository.synchronize()
