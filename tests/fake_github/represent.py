"""The state as GitHub's API shows it: one function per kind of object, JSON out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from fake_github.bare import Changed, Commit, Entry
from fake_github.state import (
    Account,
    App,
    Comment,
    Installation,
    Label,
    Pull,
    Repository,
    Token,
    node_id,
)

Json = dict[str, Any]

USER_URLS = """
followers_url: /followers
following_url: /following{/other_user}
gists_url: /gists{/gist_id}
starred_url: /starred{/owner}{/repo}
subscriptions_url: /subscriptions
organizations_url: /orgs
repos_url: /repos
events_url: /events{/privacy}
received_events_url: /received_events
"""
REPOSITORY_URLS = """
archive_url: /{archive_format}{/ref}
assignees_url: /assignees{/user}
blobs_url: /git/blobs{/sha}
branches_url: /branches{/branch}
collaborators_url: /collaborators{/collaborator}
comments_url: /comments{/number}
commits_url: /commits{/sha}
compare_url: /compare/{base}...{head}
contents_url: /contents/{+path}
contributors_url: /contributors
deployments_url: /deployments
downloads_url: /downloads
events_url: /events
forks_url: /forks
git_commits_url: /git/commits{/sha}
git_refs_url: /git/refs{/sha}
git_tags_url: /git/tags{/sha}
hooks_url: /hooks
issue_comment_url: /issues/comments{/number}
issue_events_url: /issues/events{/number}
issues_url: /issues{/number}
keys_url: /keys{/key_id}
labels_url: /labels{/name}
languages_url: /languages
merges_url: /merges
milestones_url: /milestones{/number}
notifications_url: /notifications{?since,all,participating}
pulls_url: /pulls{/number}
releases_url: /releases{/id}
stargazers_url: /stargazers
statuses_url: /statuses/{sha}
subscribers_url: /subscribers
subscription_url: /subscription
tags_url: /tags
teams_url: /teams
trees_url: /git/trees{/sha}
"""


def _links(table: str) -> list[tuple[str, str]]:
    return [(name, path) for name, _, path in (line.partition(": ") for line in table.strip().splitlines())]


_USER_LINKS = _links(USER_URLS)
_REPOSITORY_LINKS = _links(REPOSITORY_URLS)


class View:
    """Shows objects with the addresses of one server.

    `origin` is `http://127.0.0.1:PORT`; the accounts are by login in lower case.
    """

    def __init__(self, origin: str, accounts: Mapping[str, Account]) -> None:
        self.origin = origin
        self.api = f"{origin}/api/v3"
        self.accounts = accounts

    # Accounts

    def account(self, account: Account) -> Json:
        """`simple-user`."""
        url = f"{self.api}/users/{quote(account.login)}"
        return {
            "login": account.login,
            "id": account.id,
            "node_id": node_id(account.kind, account.id),
            "avatar_url": f"{self.origin}/avatars/u/{account.id}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.origin}/{quote(account.login)}",
            **{name: url + path for name, path in _USER_LINKS},
            "type": account.kind,
            "site_admin": False,
        }

    def person(self, account: Account, repositories: int) -> Json:
        """`public-user`."""
        absent = ("bio", "blog", "company", "email", "hireable", "location", "name")
        return {
            **self.account(account),
            **dict.fromkeys(absent),
            "followers": 0,
            "following": 0,
            "public_gists": 0,
            "public_repos": repositories,
            "created_at": "2020-01-01T00:00:00Z",
            "updated_at": "2020-01-01T00:00:00Z",
        }

    def organization(self, account: Account, repositories: int) -> Json:
        """`organization-full`."""
        url = f"{self.api}/orgs/{account.login}"
        return {
            "login": account.login,
            "id": account.id,
            "node_id": node_id("Organization", account.id),
            "url": url,
            "repos_url": f"{url}/repos",
            "events_url": f"{url}/events",
            "hooks_url": f"{url}/hooks",
            "issues_url": f"{url}/issues",
            "members_url": f"{url}/members{{/member}}",
            "public_members_url": f"{url}/public_members{{/member}}",
            "avatar_url": f"{self.origin}/avatars/u/{account.id}",
            "html_url": f"{self.origin}/{account.login}",
            "description": None,
            "followers": 0,
            "following": 0,
            "has_organization_projects": True,
            "has_repository_projects": True,
            "public_gists": 0,
            "public_repos": repositories,
            "type": "Organization",
            "archived_at": None,
            "created_at": "2020-01-01T00:00:00Z",
            "updated_at": "2020-01-01T00:00:00Z",
        }

    def team(self, organization: Account, slug: str) -> Json:
        """`team`; without its `parent` it is a `team-simple`."""
        url = f"{self.api}/organizations/{organization.id}/team/{organization.teams[slug]}"
        return {
            "id": organization.teams[slug],
            "node_id": node_id("Team", organization.teams[slug]),
            "name": slug,
            "slug": slug,
            "description": None,
            "privacy": "closed",
            "permission": "push",
            "url": url,
            "html_url": f"{self.origin}/orgs/{organization.login}/teams/{slug}",
            "members_url": f"{url}/members{{/member}}",
            "repositories_url": f"{url}/repos",
            "type": "organization",
            "organization_id": organization.id,
            "parent": None,
        }

    # Apps

    def app(self, app: App) -> Json:
        """`integration`."""
        return {
            "id": app.id,
            "slug": app.slug,
            "node_id": node_id("Integration", app.id),
            "owner": self.account(app.owner),
            "name": app.slug,
            "description": None,
            "external_url": self.origin,
            "html_url": f"{self.origin}/apps/{app.slug}",
            "created_at": app.created_at,
            "updated_at": app.created_at,
            "permissions": dict(app.permissions),
            "events": [],
            "installations_count": len(app.installations),
        }

    def installation(self, installation: Installation) -> Json:
        """`installation`."""
        return {
            "id": installation.id,
            "account": self.account(installation.account),
            "repository_selection": "all" if installation.repositories is None else "selected",
            "access_tokens_url": f"{self.api}/app/installations/{installation.id}/access_tokens",
            "repositories_url": f"{self.api}/installation/repositories",
            "html_url": f"{self.origin}/settings/installations/{installation.id}",
            "app_id": installation.app.id,
            "app_slug": installation.app.slug,
            "target_id": installation.account.id,
            "target_type": installation.account.kind,
            "permissions": dict(installation.permissions),
            "events": [],
            "created_at": installation.created_at,
            "updated_at": installation.created_at,
            "single_file_name": None,
            "suspended_by": None,
            "suspended_at": installation.created_at if installation.suspended else None,
        }

    # Repositories

    def repository(self, repository: Repository, token: Token | None) -> Json:
        """`repository`, and so what `minimal-repository` and the search show."""
        url = f"{self.api}/repos/{repository.full_name}"
        writes = token is not None and token.allows("contents", "write")
        opened = sum(pull.state == "open" for pull in repository.pulls)
        return {
            "id": repository.id,
            "node_id": node_id("Repository", repository.id),
            "name": repository.name,
            "full_name": repository.full_name,
            "private": repository.private,
            "owner": self.account(repository.owner),
            "html_url": f"{self.origin}/{repository.full_name}",
            "description": repository.description,
            "fork": repository.parent is not None,
            "url": url,
            **{name: url + path for name, path in _REPOSITORY_LINKS},
            "git_url": f"git:{repository.clone_url.removeprefix('http:')}",
            "ssh_url": f"git@127.0.0.1:{repository.full_name}.git",
            "clone_url": repository.clone_url,
            "svn_url": f"{self.origin}/{repository.full_name}",
            "mirror_url": None,
            "homepage": None,
            "language": repository.language,
            "license": None,
            "topics": list(repository.topics),
            "visibility": "private" if repository.private else "public",
            "default_branch": repository.default_branch,
            "archived": repository.archived,
            "disabled": repository.disabled,
            "size": repository.size,
            **dict.fromkeys(("forks", "forks_count", "stargazers_count", "watchers", "watchers_count"), 0),
            "open_issues": opened,
            "open_issues_count": opened,
            **dict.fromkeys(("has_issues", "has_projects", "has_wiki", "has_downloads"), True),
            **dict.fromkeys(("has_pages", "has_discussions", "is_template", "web_commit_signoff_required"), False),
            "allow_forking": True,
            "created_at": repository.created_at,
            "updated_at": repository.created_at,
            "pushed_at": repository.pushed_at,
            "permissions": {
                "admin": False,
                "maintain": False,
                "push": writes and not repository.archived,
                "triage": writes,
                "pull": True,
            },
        }

    def full_repository(self, repository: Repository, token: Token | None) -> Json:
        """`full-repository`."""
        family = {}
        if repository.parent is not None:
            family = dict.fromkeys(("parent", "source"), self.repository(repository.parent, token))
        if repository.owner.kind == "Organization":
            family["organization"] = self.account(repository.owner)
        return {
            **self.repository(repository, token),
            **family,
            "network_count": 0,
            "subscribers_count": 0,
            **dict.fromkeys(("allow_squash_merge", "allow_merge_commit", "allow_rebase_merge"), True),
            **dict.fromkeys(("allow_auto_merge", "allow_update_branch"), False),
            "delete_branch_on_merge": repository.delete_branch_on_merge,
        }

    # Pull requests

    def pull(self, pull: Pull, token: Token | None) -> Json:
        """`pull-request-simple`."""
        url = f"{self.api}/repos/{pull.repository.full_name}/pulls/{pull.number}"
        issue = f"{self.api}/repos/{pull.repository.full_name}/issues/{pull.number}"
        html = f"{self.origin}/{pull.repository.full_name}/pull/{pull.number}"
        addresses = {
            "html": html,
            "issue": issue,
            "comments": f"{issue}/comments",
            "review_comments": f"{url}/comments",
            "review_comment": f"{self.api}/repos/{pull.repository.full_name}/pulls/comments{{/number}}",
            "commits": f"{url}/commits",
            "statuses": f"{self.api}/repos/{pull.repository.full_name}/statuses/{pull.head_sha}",
        }
        return {
            **self._issue(pull, html),
            "url": url,
            "id": pull.id,
            "node_id": node_id("PullRequest", pull.id),
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            **{f"{name}_url": address for name, address in addresses.items()},
            "requested_reviewers": [self.account(self.accounts[login.lower()]) for login in pull.reviewers],
            "requested_teams": [self.team(pull.repository.owner, slug) for slug in pull.teams],
            "draft": pull.draft,
            "merged_at": pull.merged_at,
            "merge_commit_sha": pull.merge_sha,
            "auto_merge": None,
            "head": self._side(pull.head_repository, pull.head, pull.head_sha, token),
            "base": self._side(pull.repository, pull.base, pull.base_sha, token),
            "_links": {name: {"href": address} for name, address in {"self": url, **addresses}.items()},
        }

    def full_pull(self, pull: Pull, token: Token | None) -> Json:
        """`pull-request`."""
        git = pull.repository.git
        base = git.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha
        changed = git.changed(base, pull.head_sha)
        mergeable = self.mergeable(pull)
        shown = self.pull(pull, token)
        for team in shown["requested_teams"]:
            del team["parent"]
        return {
            **shown,
            "merged": pull.merged,
            "merged_by": pull.merged_by and self.account(pull.merged_by),
            "mergeable": mergeable,
            "rebaseable": mergeable,
            "mergeable_state": self._state(pull, mergeable),
            "maintainer_can_modify": pull.maintainer_can_modify,
            "comments": len(pull.comments),
            "review_comments": 0,
            "commits": git.count(pull.base_sha, pull.head_sha),
            "additions": sum(file.additions for file in changed),
            "deletions": sum(file.deletions for file in changed),
            "changed_files": len(changed),
        }

    def mergeable(self, pull: Pull) -> bool | None:
        """Whether it can be merged. That is not known when it is first asked for; GitHub finds out then."""
        known = pull.judged == (pull.head_sha, pull.base_sha)
        pull.judged = (pull.head_sha, pull.base_sha)
        return pull.mergeable() if known and pull.state == "open" else None

    def issue(self, pull: Pull) -> Json:
        """`issue`, which each pull request is as well."""
        url = f"{self.api}/repos/{pull.repository.full_name}/issues/{pull.number}"
        html = f"{self.origin}/{pull.repository.full_name}/pull/{pull.number}"
        pulls = url.replace("/issues/", "/pulls/")
        return {
            **self._issue(pull, html),
            "url": url,
            "id": pull.id,
            "node_id": node_id("PullRequest", pull.id),
            "repository_url": f"{self.api}/repos/{pull.repository.full_name}",
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "comments": len(pull.comments),
            "draft": pull.draft,
            "state_reason": None,
            "pull_request": {
                "url": pulls,
                "html_url": html,
                "diff_url": f"{html}.diff",
                "patch_url": f"{html}.patch",
                "merged_at": pull.merged_at,
            },
        }

    def _issue(self, pull: Pull, html: str) -> Json:
        return {
            "html_url": html,
            "number": pull.number,
            "state": pull.state,
            "locked": pull.locked,
            "title": pull.title,
            "body": pull.body,
            "user": self.account(pull.user),
            "labels": [self._worn(pull, name) for name in pull.labels],
            "assignee": self.account(self.accounts[pull.assignees[0].lower()]) if pull.assignees else None,
            "assignees": [self.account(self.accounts[login.lower()]) for login in pull.assignees],
            "milestone": None,
            "author_association": "NONE",
            "active_lock_reason": None,
            "created_at": pull.created_at,
            "updated_at": pull.updated_at,
            "closed_at": pull.closed_at,
        }

    def _side(self, repository: Repository, branch: str, sha: str, token: Token | None) -> Json:
        return {
            "label": f"{repository.owner.login}:{branch}",
            "ref": branch,
            "sha": sha,
            "user": self.account(repository.owner),
            "repo": self.repository(repository, token),
        }

    def _state(self, pull: Pull, mergeable: bool | None) -> str:
        if mergeable is None:
            return "unknown"
        if not mergeable:
            return "dirty"
        if pull.draft:
            return "draft"
        behind = pull.repository.strict and not pull.repository.git.is_ancestor(pull.base_sha, pull.head_sha)
        return "behind" if behind else "clean"

    def label(self, repository: Repository, label: Label) -> Json:
        """`label`."""
        return {
            "id": label.id,
            "node_id": node_id("Label", label.id),
            "url": f"{self.api}/repos/{repository.full_name}/labels/{quote(label.name)}",
            "name": label.name,
            "color": label.color,
            "default": False,
            "description": label.description,
        }

    def _worn(self, pull: Pull, name: str) -> Json:
        """A label on a pull request: in lists its description is described as a text, though GitHub has null there."""
        shown = self.label(pull.repository, pull.repository.labels[name.lower()])
        return {**shown, "description": shown["description"] or ""}

    def comment(self, pull: Pull, comment: Comment) -> Json:
        """`issue-comment`."""
        url = f"{self.api}/repos/{pull.repository.full_name}/issues"
        return {
            "id": comment.id,
            "node_id": node_id("IssueComment", comment.id),
            "url": f"{url}/comments/{comment.id}",
            "html_url": f"{self.origin}/{pull.repository.full_name}/pull/{pull.number}#issuecomment-{comment.id}",
            "issue_url": f"{url}/{pull.number}",
            "body": comment.body,
            "user": self.account(comment.user),
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "author_association": "NONE",
        }

    # Git

    def ref(self, repository: Repository, name: str, sha: str) -> Json:
        """`git-ref`."""
        url = f"{self.api}/repos/{repository.full_name}/git"
        kind = repository.git.kind(sha) or "commit"
        return {
            "ref": name,
            "node_id": node_id("Ref", repository.id),
            "url": f"{url}/{quote(name)}",
            "object": {"type": kind, "sha": sha, "url": f"{url}/{kind}s/{sha}"},
        }

    def git_commit(self, repository: Repository, commit: Commit) -> Json:
        """`git-commit`."""
        url = f"{self.api}/repos/{repository.full_name}/git"
        html = f"{self.origin}/{repository.full_name}/commit"
        return {
            "sha": commit.sha,
            "node_id": node_id("Commit", repository.id),
            "url": f"{url}/commits/{commit.sha}",
            "html_url": f"{html}/{commit.sha}",
            "author": _person(commit.author),
            "committer": _person(commit.committer),
            "tree": {"sha": commit.tree, "url": f"{url}/trees/{commit.tree}"},
            "message": commit.message,
            "parents": [
                {"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{html}/{sha}"} for sha in commit.parents
            ],
            "verification": self._verification(repository, commit),
        }

    def commit(self, repository: Repository, commit: Commit, files: Iterable[Changed] | None = None) -> Json:
        """`commit`; with its files if they are given."""
        url = f"{self.api}/repos/{repository.full_name}"
        html = f"{self.origin}/{repository.full_name}/commit"
        shown: Json = {
            "url": f"{url}/commits/{commit.sha}",
            "sha": commit.sha,
            "node_id": node_id("Commit", repository.id),
            "html_url": f"{html}/{commit.sha}",
            "comments_url": f"{url}/commits/{commit.sha}/comments",
            "commit": {
                "url": f"{url}/git/commits/{commit.sha}",
                "author": _person(commit.author),
                "committer": _person(commit.committer),
                "message": commit.message,
                "comment_count": 0,
                "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
                "verification": self._verification(repository, commit),
            },
            "author": None,
            "committer": None,
            "parents": [
                {"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{html}/{sha}"} for sha in commit.parents
            ],
        }
        if files is None:
            return shown
        listed = list(files)
        additions, deletions = sum(file.additions for file in listed), sum(file.deletions for file in listed)
        stats = {"additions": additions, "deletions": deletions, "total": additions + deletions}
        return {**shown, "stats": stats, "files": [self.file(repository, commit.sha, file) for file in listed]}

    def file(self, repository: Repository, sha: str, file: Changed) -> Json:
        """`diff-entry`, without the patch."""
        path = quote(file.path)
        return {
            "sha": file.sha,
            "filename": file.path,
            "status": file.status,
            "additions": file.additions,
            "deletions": file.deletions,
            "changes": file.additions + file.deletions,
            "blob_url": f"{self.origin}/{repository.full_name}/blob/{sha}/{path}",
            "raw_url": f"{self.origin}/{repository.full_name}/raw/{sha}/{path}",
            "contents_url": f"{self.api}/repos/{repository.full_name}/contents/{path}?ref={sha}",
        }

    def tree(self, repository: Repository, sha: str, entries: Iterable[Entry]) -> Json:
        """`git-tree`."""
        url = f"{self.api}/repos/{repository.full_name}/git"
        lines = []
        for entry in entries:
            line: Json = {"path": entry.path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha}
            if entry.size is not None:
                line["size"] = entry.size
            if entry.kind != "commit":
                line["url"] = f"{url}/{entry.kind}s/{entry.sha}"
            lines.append(line)
        return {"sha": sha, "url": f"{url}/trees/{sha}", "tree": lines, "truncated": False}

    def content(self, repository: Repository, ref: str, entry: Entry) -> Json:
        """An entry of `content-directory`, and all of `content-file` but the content."""
        path = quote(entry.path)
        url = f"{self.api}/repos/{repository.full_name}/contents/{path}?ref={quote(ref)}"
        git = f"{self.api}/repos/{repository.full_name}/git/{entry.kind}s/{entry.sha}"
        html = f"{self.origin}/{repository.full_name}/blob/{quote(ref)}/{path}"
        kinds = {"tree": "dir", "blob": "symlink" if entry.mode == "120000" else "file", "commit": "submodule"}
        return {
            "name": entry.path.rpartition("/")[2],
            "path": entry.path,
            "sha": entry.sha,
            "size": entry.size or 0,
            "type": kinds[entry.kind],
            "url": url,
            "html_url": html,
            "git_url": git,
            "download_url": html.replace("/blob/", "/raw/") if entry.kind == "blob" else None,
            "_links": {"self": url, "git": git, "html": html},
        }

    def _verification(self, repository: Repository, commit: Commit) -> Json:
        signed = commit.sha in repository.verified
        return {
            "verified": signed,
            "reason": "valid" if signed else "unsigned",
            "signature": "-----BEGIN PGP SIGNATURE-----" if signed else None,
            "payload": f"tree {commit.tree}" if signed else None,
            "verified_at": commit.committer[2] if signed else None,
        }


def _person(who: tuple[str, str, str]) -> Json:
    name, email, date = who
    return {"name": name, "email": email, "date": date}
