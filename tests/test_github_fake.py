"""The fake GitHub that other tests rest on, held to GitHub's description, to two clients by others, and to git."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import jwt
import pytest
import requests
from fake_github import (
    GitHub,
    Repository,
    hang,
    meanwhile,
    primary_limit,
    refused,
    reset,
    secondary_limit,
    server_error,
)
from fake_github.bare import ISOLATED, SOMEONE
from fake_github.description import Description
from fake_github.faults import Failure
from fake_github.operations import RULES
from git import Git, GitCommandError
from github import Auth, Github, GithubException, GithubIntegration, InputGitTreeElement
from githubkit import GitHub as Kit

pytest_plugins = ("fake_github.fixture",)
FILES = {"main.tf": "a = 1\n", "stacks/app.py": "print()\n", "iacfix.toml": "enabled = true\n"}
QUIET = {**ISOLATED, "GIT_ASKPASS": "true"}
ME = ("-c", "user.name=bot", "-c", "user.email=bot@example.com")


def header(token: str | None) -> list[str]:
    """Options that have git send the token."""
    if token is None:
        return []
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return ["-c", f"http.extraHeader=Authorization: Basic {basic}"]


@pytest.fixture
def infra(github: GitHub) -> Repository:
    """A repository with a branch that changes a file."""
    made = github.repository("acme/infra", FILES, collaborators={"alice"}, topics=["terraform"])
    github.organization("acme", members=["bob"], teams=["platform"])
    made.push("iacfix/x", {"main.tf": "a = 2\n"})
    return made


class TestGithubkit:
    """A client that is generated from the same description, by other people: each answer fits its models."""

    def test_every_operation(self, github: GitHub, infra: Repository) -> None:
        client = Kit(github.token(), base_url=github.url, auto_retry=False, http_cache=False)
        asks = client.rest("2022-11-28")
        self._pulls(asks, infra)
        self._issues(asks)
        self._repositories(asks, infra)
        self._git(asks, infra)
        assert asks.pulls.merge("acme", "infra", 1, merge_method="squash").parsed_data.merged is True
        asks.pulls.check_if_merged("acme", "infra", 1)
        assert infra.read("main.tf") == b"a = 2\n"
        self._apps(github)
        done = {request.operation for request in github.log if 200 <= request.status < 300}
        assert done == github.description.operations.keys()

    def _pulls(self, asks: Any, infra: Repository) -> None:
        at = ("acme", "infra")
        made = asks.pulls.create(*at, title="T", head="iacfix/x", base="main", body="B").parsed_data
        assert (made.number, made.head.sha, made.mergeable) == (1, infra.branches["iacfix/x"], None)
        assert asks.pulls.get(*at, 1).parsed_data.mergeable is True
        assert asks.pulls.update(*at, 1, title="U").parsed_data.title == "U"
        assert [pull.number for pull in asks.pulls.list(*at).parsed_data] == [1]
        assert [file.filename for file in asks.pulls.list_files(*at, 1).parsed_data] == ["main.tf"]
        assert len(asks.pulls.list_commits(*at, 1).parsed_data) == 1
        wanted = {"reviewers": ["alice", "bob"], "team_reviewers": ["platform"]}
        assert len(asks.pulls.request_reviewers(*at, 1, data=wanted).parsed_data.requested_reviewers) == 2
        left = asks.pulls.remove_requested_reviewers(*at, 1, data={"reviewers": ["bob"]}).parsed_data
        assert [each.login for each in left.requested_reviewers] == ["alice"]
        assert [each.slug for each in asks.pulls.list_requested_reviewers(*at, 1).parsed_data.teams] == ["platform"]

    def _issues(self, asks: Any) -> None:
        at = ("acme", "infra")
        assert asks.issues.create_label(*at, name="iacfix", color="ff0000").parsed_data.color == "ff0000"
        assert asks.issues.get_label(*at, "IACFIX").parsed_data.name == "iacfix"
        added = asks.issues.add_labels(*at, 1, data={"labels": ["iacfix", "new"]}).parsed_data
        assert [each.name for each in added] == ["iacfix", "new"]
        assert len(asks.issues.list_labels_for_repo(*at).parsed_data) == 2
        assert [each.name for each in asks.issues.remove_label(*at, 1, "new").parsed_data] == ["iacfix"]
        assert [each.name for each in asks.issues.list_labels_on_issue(*at, 1).parsed_data] == ["iacfix"]
        assert len(asks.issues.set_labels(*at, 1, data={"labels": ["a", "b"]}).parsed_data) == 2
        asks.issues.remove_all_labels(*at, 1)
        assert asks.issues.get(*at, 1).parsed_data.labels == []
        said = asks.issues.create_comment(*at, 1, body="hello").parsed_data
        assert asks.issues.update_comment(*at, said.id, body="there").parsed_data.body == "there"
        assert [each.body for each in asks.issues.list_comments(*at, 1).parsed_data] == ["there"]
        asks.issues.delete_comment(*at, said.id)
        assert (
            asks.issues.add_assignees(*at, 1, assignees=["alice", "nobody"]).parsed_data.assignees[0].login == "alice"
        )
        assert asks.issues.update(*at, 1, labels=["c"]).parsed_data.state == "open"

    def _repositories(self, asks: Any, infra: Repository) -> None:
        at = ("acme", "infra")
        assert asks.repos.get(*at).parsed_data.default_branch == "main"
        assert asks.repos.get_all_topics(*at).parsed_data.names == ["terraform"]
        assert asks.repos.get_branch(*at, "iacfix/x").parsed_data.commit.sha == infra.branches["iacfix/x"]
        assert len(asks.repos.list_branches(*at).parsed_data) == 2
        assert asks.repos.get_commit(*at, "iacfix/x").parsed_data.files[0].filename == "main.tf"
        assert len(asks.repos.list_commits(*at, sha="iacfix/x").parsed_data) == 2
        compared = asks.repos.compare_commits(*at, "main...iacfix/x").parsed_data
        assert (compared.status, compared.ahead_by, compared.behind_by) == ("ahead", 1, 0)
        assert asks.repos.get_content(*at, "iacfix.toml").parsed_data.size == 15
        assert [each.path for each in asks.repos.get_content(*at, "stacks").parsed_data] == ["stacks/app.py"]
        for listed in (asks.repos.list_for_org("acme"), asks.repos.list_for_authenticated_user()):
            assert [each.full_name for each in listed.parsed_data] == ["acme/infra"]
        assert asks.repos.list_for_user("bob").parsed_data == []
        assert asks.search.repos(q="org:acme topic:terraform archived:false").parsed_data.total_count == 1
        assert asks.orgs.get("acme").parsed_data.public_repos == 1
        assert asks.users.get_authenticated().parsed_data.login == "iacfix-bot"
        assert asks.users.get_by_username("bob").parsed_data.login == "bob"
        assert asks.rate_limit.get().parsed_data.resources.core.limit == 5000

    def _git(self, asks: Any, infra: Repository) -> None:
        at = ("acme", "infra")
        blob = asks.git.create_blob(*at, content="Yg==", encoding="base64").parsed_data
        assert asks.git.get_blob(*at, blob.sha).parsed_data.content == "Yg==\n"
        entry = {"path": "b.tf", "mode": "100644", "type": "blob", "sha": blob.sha}
        tree = asks.git.create_tree(*at, tree=[entry], base_tree=infra.head).parsed_data
        assert {each.path for each in asks.git.get_tree(*at, tree.sha, recursive="1").parsed_data.tree} == {
            "b.tf", "iacfix.toml", "main.tf", "stacks", "stacks/app.py",
        }  # fmt: skip
        commit = asks.git.create_commit(*at, message="m", tree=tree.sha, parents=[infra.head]).parsed_data
        assert asks.git.get_commit(*at, commit.sha).parsed_data.verification.verified is False
        made = asks.git.create_ref(*at, ref="refs/heads/iacfix/api", sha=commit.sha).parsed_data
        assert made.ref == "refs/heads/iacfix/api"
        assert asks.git.get_ref(*at, "heads/iacfix/api").parsed_data.object_.sha == commit.sha
        fresh = infra.branches["iacfix/x"]
        moved = asks.git.update_ref(*at, "heads/iacfix/api", sha=fresh, force=True).parsed_data
        assert moved.object_.sha == fresh
        assert len(asks.git.list_matching_refs(*at, "heads/iacfix/").parsed_data) == 2
        asks.git.delete_ref(*at, "heads/iacfix/api")

    def _apps(self, github: GitHub) -> None:
        app = github.app()
        installed = github.install(app, "acme")
        claims = {"iss": str(app.id), "iat": int(time.time()) - 10, "exp": int(time.time()) + 60}
        client = Kit(jwt.encode(claims, app.private_key, "RS256"), base_url=github.url, http_cache=False)
        asks = client.rest("2022-11-28").apps
        assert asks.get_authenticated().parsed_data.slug == "iacfix"
        assert [each.id for each in asks.list_installations().parsed_data] == [installed.id]
        assert asks.get_installation(installed.id).parsed_data.app_slug == "iacfix"
        assert asks.get_org_installation("acme").parsed_data.id == installed.id
        assert asks.get_repo_installation("acme", "infra").parsed_data.id == installed.id
        github.user("carol")
        private = github.install(app, "carol")
        assert asks.get_user_installation("carol").parsed_data.id == private.id
        token = asks.create_installation_access_token(installed.id, repositories=["infra"]).parsed_data
        own = Kit(token.token, base_url=github.url, http_cache=False)
        found = own.rest("2022-11-28").apps.list_repos_accessible_to_installation().parsed_data
        assert [each.full_name for each in found.repositories] == ["acme/infra"]


def client(github: GitHub, token: str, **options: Any) -> Github:
    """PyGithub, with neither its pauses nor its retries."""
    plain = {"retry": None, "seconds_between_requests": 0, "seconds_between_writes": 0, "timeout": 5}
    return Github(base_url=github.url, auth=Auth.Token(token), **{**plain, **options})


class TestPyGithub:
    """The client that the tool itself uses."""

    def test_a_pull_request_from_its_making_to_its_merge(self, github: GitHub, infra: Repository) -> None:
        repository = client(github, github.token("bot")).get_repo("acme/infra")
        pull = repository.create_pull(base="main", head="iacfix/x", title="Fix", body="Because", draft=True)
        pull.add_to_labels("iacfix", "terraform")
        pull.create_review_request(reviewers=["alice"], team_reviewers=["platform"])
        pull.as_issue().create_comment("hello")
        pull.edit(title="Fix it", body="Because of that")
        kept = infra.pull(1)
        assert (kept.title, kept.body, kept.draft, kept.user.login) == ("Fix it", "Because of that", True, "bot")
        assert (kept.labels, kept.reviewers, kept.teams) == (["iacfix", "terraform"], ["alice"], ["platform"])
        assert [comment.body for comment in kept.comments] == ["hello"]
        kept.draft = False
        infra.delete_branch_on_merge = True
        assert repository.get_pull(1).merge(merge_method="squash").merged
        assert infra.read("main.tf") == b"a = 2\n"
        assert (infra.pull(1).merged, infra.pull(1).state, infra.open_pulls) == (True, "closed", [])
        assert infra.branches.keys() == {"main"}

    def test_a_commit_by_the_git_data_api(self, github: GitHub, infra: Repository) -> None:
        repository = client(github, github.token()).get_repo("acme/infra")
        parent = repository.get_git_commit(infra.head)
        elements = [
            InputGitTreeElement("main.tf", "100644", "blob", content="a = 9\n"),
            InputGitTreeElement("stacks/app.py", "100644", "blob", sha=None),
        ]
        tree = repository.create_git_tree(elements, base_tree=parent.tree)
        commit = repository.create_git_commit("Nine", tree, [parent])
        repository.create_git_ref("refs/heads/iacfix/api", commit.sha)
        assert infra.branches["iacfix/api"] == commit.sha
        assert infra.files("iacfix/api") == ["iacfix.toml", "main.tf"]
        assert infra.read("main.tf", "iacfix/api") == b"a = 9\n"
        assert infra.git.says("fsck", "--strict") == ""

    def test_pages(self, github: GitHub, infra: Repository) -> None:
        for number in range(250):
            github.repository(f"acme/r{number:03}", FILES)
        found = client(github, github.token(), per_page=100).get_organization("acme").get_repos(sort="full_name")
        assert [each.name for each in found] == ["infra", *(f"r{number:03}" for number in range(250))]
        pages = [request.query for request in github.calls if request.operation == "repos/list-for-org"]
        assert [dict(parse_qsl(query)).get("page", "1") for query in pages] == ["1", "2", "3"]
        assert found.totalCount == 251
        assert len(list(found.reversed)) == 251

    def test_contents(self, github: GitHub, infra: Repository) -> None:
        repository = client(github, github.token()).get_repo("acme/infra")
        assert repository.get_contents("iacfix.toml", ref="main").decoded_content == b"enabled = true\n"
        infra.push("main", {"link": ("120000", "main.tf"), "big": b"\xff" * 70_000})
        assert repository.get_contents("big").decoded_content == b"\xff" * 70_000
        assert repository.get_contents("link").target == "main.tf"
        with pytest.raises(GithubException, match="404"):
            repository.get_contents("absent")

    def test_an_app(self, github: GitHub, infra: Repository) -> None:
        app = github.app("iacfix")
        github.install(app, "acme", ["acme/infra"])
        other = github.repository("acme/other", FILES, private=True)
        login = Auth.AppAuth(app.id, app.private_key)
        installation = GithubIntegration(base_url=github.url, auth=login).get_repo_installation("acme", "infra")
        auth = login.get_installation_auth(installation.id, {"contents": "write", "pull_requests": "write"})
        repository = Github(base_url=github.url, auth=auth).get_repo("acme/infra")
        made = repository.create_pull(base="main", head="iacfix/x", title="T", body="B")
        assert (made.user.login, made.user.type) == ("iacfix[bot]", "Bot")
        commit = repository.create_git_commit("m", repository.get_git_tree("main"), [])
        assert commit.raw_data["verification"]["verified"] is True
        with pytest.raises(GithubException, match="404"):
            Github(base_url=github.url, auth=auth).get_repo(other.full_name)
        elsewhere = github.repository("globex/infra", FILES).push("iacfix/x", {"main.tf": "a = 2\n"})
        with pytest.raises(GithubException, match="Resource not accessible by integration"):
            Github(base_url=github.url, auth=auth).get_repo("globex/infra").create_git_ref("refs/heads/x", elsewhere)
        kept = Auth.Token(auth.token)
        github.clock = lambda: time.time() + 3601
        with pytest.raises(GithubException, match="401"):
            Github(base_url=github.url, auth=kept).get_repo("acme/infra")
        stranger = GithubIntegration(base_url=github.url, auth=Auth.AppAuth(app.id + 1, app.private_key))
        with pytest.raises(GithubException, match="401"):
            stranger.get_repo_installation("acme", "infra")


class TestRules:
    """What GitHub refuses, and what it does without being asked."""

    @pytest.mark.parametrize(
        ("asked", "message"),
        [
            ({"head": "iacfix/x", "base": "main"}, "A pull request already exists for acme:iacfix/x."),
            ({"head": "acme:iacfix/x", "base": "main"}, "A pull request already exists for acme:iacfix/x."),
            ({"head": "same", "base": "main"}, "No commits between main and same"),
            ({"head": "lone", "base": "main"}, "The lone branch has no history in common with main"),
            ({"head": "absent", "base": "main"}, '"field": "head"'),
            ({"head": "iacfix/x", "base": "absent"}, '"field": "base"'),
            ({"head": "nobody:iacfix/x", "base": "main"}, '"field": "head"'),
            (
                {"head": "iacfix/y", "base": "main", "body": "x" * 65_537},
                "body is too long (maximum is 65536 characters)",
            ),
        ],
    )
    def test_no_pull_request(self, github: GitHub, infra: Repository, asked: dict[str, str], message: str) -> None:
        api = client(github, github.token()).get_repo("acme/infra")
        api.create_pull(base="main", head="iacfix/x", title="T")
        infra.push("iacfix/y", {"main.tf": "a = 3\n"})
        infra.git.set_ref("refs/heads/same", infra.head)
        infra.git.commit("refs/heads/lone", {"a": "b"}, parent=None, message="m", author=SOMEONE, seconds=1)
        with pytest.raises(GithubException) as caught:
            api.create_pull(title="U", **asked)
        assert caught.value.status == 422
        assert message in str(caught.value)
        assert len(infra.pulls) == 1

    def test_a_pull_request_from_a_fork(self, github: GitHub, infra: Repository) -> None:
        fork = github.fork(infra, "carol")
        sha = fork.push("patch", {"main.tf": "a = 4\n"})
        api = client(github, github.token("carol")).get_repo("acme/infra")
        pull = api.create_pull(base="main", head="carol:patch", title="T")
        assert (pull.head.sha, pull.head.repo.full_name) == (sha, "carol/infra")
        api.create_pull(base="main", head="iacfix/x", title="U")
        assert [each.number for each in api.get_pulls(head="carol:patch")] == [1]
        assert [each.number for each in api.get_pulls(head="patch")] == [2, 1], "without its owner it is no condition"
        newer = fork.push("patch", {"main.tf": "a = 5\n"})
        assert api.get_pull(1).head.sha == newer
        infra.pull(1).merge()
        assert infra.read("main.tf") == b"a = 5\n"
        assert "patch" not in infra.branches

    def test_git_decides_what_a_pull_request_is(self, github: GitHub, infra: Repository) -> None:
        api = client(github, github.token()).get_repo("acme/infra")
        assert api.create_pull(base="main", head="iacfix/x", title="T").mergeable is None
        assert (api.get_pull(1).mergeable, api.get_pull(1).mergeable_state) == (True, "clean")
        infra.push("main", {"main.tf": "a = 7\n"})
        assert (api.get_pull(1).mergeable, api.get_pull(1).mergeable_state) == (None, "dirty")
        sha = infra.push("iacfix/x", {"main.tf": "a = 8\n"}, force_from="main")
        pull = api.get_pull(1)
        assert (pull.head.sha, pull.commits, pull.additions, pull.deletions) == (sha, 1, 1, 1)
        infra.delete("iacfix/x")
        assert api.get_pull(1).state == "closed"
        with pytest.raises(GithubException, match="branch has been deleted"):
            api.get_pull(1).edit(state="open")

    def test_a_merge_that_was_pushed(self, github: GitHub, infra: Repository) -> None:
        api = client(github, github.token()).get_repo("acme/infra")
        pull = api.create_pull(base="main", head="iacfix/x", title="T")
        infra.git.set_ref("refs/heads/main", pull.head.sha)
        assert (api.get_pull(1).merged, api.get_pull(1).state) == (True, "closed")

    def test_a_head_that_is_pushed_back_closes_it(self, github: GitHub, infra: Repository) -> None:
        api = client(github, github.token()).get_repo("acme/infra")
        api.create_pull(base="main", head="iacfix/x", title="T")
        infra.git.set_ref("refs/heads/iacfix/x", infra.head)
        assert (api.get_pull(1).merged, api.get_pull(1).state) == (False, "closed")

    def test_reopening(self, github: GitHub, infra: Repository) -> None:
        api = client(github, github.token()).get_repo("acme/infra")
        api.create_pull(base="main", head="iacfix/x", title="T").edit(state="closed")
        api.get_pull(1).edit(state="open")
        assert infra.pull(1).state == "open"
        infra.pull(1).close()
        api.create_pull(base="main", head="iacfix/x", title="U")
        with pytest.raises(GithubException, match="already an open pull request"):
            api.get_pull(1).edit(state="open")
        infra.pull(2).close()
        infra.push("iacfix/x", {"main.tf": "a = 8\n"}, force_from="main")
        with pytest.raises(GithubException, match="force-pushed or recreated"):
            api.get_pull(1).edit(state="open")

    def test_reviewers_and_assignees(self, github: GitHub, infra: Repository) -> None:
        api = client(github, github.token("bot")).get_repo("acme/infra")
        pull = api.create_pull(base="main", head="iacfix/x", title="T")
        for asked in ({"reviewers": ["alice", "stranger"]}, {"team_reviewers": ["nobodies"]}, {"reviewers": ["bot"]}):
            with pytest.raises(GithubException, match="422"):
                pull.create_review_request(**asked)
        assert infra.pull(1).reviewers == []
        pull.add_to_assignees("alice", "stranger")
        assert infra.pull(1).assignees == ["alice"]

    def test_refs(self, github: GitHub, infra: Repository) -> None:
        api = client(github, github.token()).get_repo("acme/infra")
        old, new = infra.head, infra.branches["iacfix/x"]
        ref = api.get_git_ref("heads/iacfix/x")
        refusals: list[tuple[Callable[[], object], str]] = [
            (lambda: api.create_git_ref("refs/heads/iacfix/x", old), "Reference already exists"),
            (lambda: api.create_git_ref("refs/heads/iacfix", old), "Reference update failed"),
            (lambda: api.create_git_ref("refs/heads/z", "1" * 40), "Object does not exist"),
            (lambda: ref.edit(old), "Update is not a fast forward"),
            (lambda: api.get_git_ref("heads/main").delete(), "Cannot delete the default branch"),
        ]
        for call, message in refusals:
            with pytest.raises(GithubException, match=message) as caught:
                call()
            assert caught.value.status == 422
        assert infra.branches == {"iacfix/x": new, "main": old}
        ref.edit(old, force=True)
        assert infra.branches["iacfix/x"] == old
        ref.delete()
        assert infra.branches == {"main": old}
        with pytest.raises(GithubException, match="Reference does not exist"):
            ref.delete()

    def test_archived(self, github: GitHub, infra: Repository) -> None:
        infra.archived = True
        api = client(github, github.token()).get_repo("acme/infra")
        assert api.archived
        with pytest.raises(GithubException, match="Repository was archived so is read-only") as caught:
            api.create_pull(base="main", head="iacfix/x", title="T")
        assert caught.value.status == 403

    @pytest.mark.parametrize(
        ("permissions", "words"),
        [
            ({"contents": "write", "pull_requests": "read"}, "Resource not accessible by personal access token"),
            ({"contents": "write", "pull_requests": "write"}, None),
        ],
    )
    def test_permissions(
        self, github: GitHub, infra: Repository, permissions: dict[str, str], words: str | None
    ) -> None:
        api = client(github, github.token("bot", permissions)).get_repo("acme/infra")
        if words is None:
            api.create_pull(base="main", head="iacfix/x", title="T").add_to_labels("a")
            return
        with pytest.raises(GithubException, match=words) as caught:
            api.create_pull(base="main", head="iacfix/x", title="T")
        assert caught.value.status == 403
        assert caught.value.headers["x-accepted-github-permissions"] == "pull_requests=write"

    def test_actions(self, github: GitHub, infra: Repository) -> None:
        infra.actions_may_create_pulls = False
        api = client(github, github.actions_token(infra)).get_repo("acme/infra")
        with pytest.raises(GithubException, match="GitHub Actions is not permitted to create or approve pull requests"):
            api.create_pull(base="main", head="iacfix/x", title="T")
        infra.actions_may_create_pulls = True
        assert api.create_pull(base="main", head="iacfix/x", title="T").user.login == "github-actions[bot]"

    def test_private_ones_are_not_there_for_others(self, github: GitHub) -> None:
        github.repository("acme/secret", FILES, private=True)
        other = github.token("bot", {"contents": "write"}, repositories=["acme/infra"])
        for headers in ({}, {"Authorization": f"Bearer {other}"}):
            assert requests.get(f"{github.url}/repos/acme/secret", headers=headers, timeout=5).status_code == 404
        wrong = requests.get(f"{github.url}/repos/acme/secret", headers={"Authorization": "Bearer x"}, timeout=5)
        assert (wrong.status_code, wrong.json()["message"]) == (401, "Bad credentials")

    def test_renamed(self, github: GitHub, infra: Repository) -> None:
        infra.rename("acme/landscape")
        token = github.token()
        assert client(github, token).get_repo("acme/infra").full_name == "acme/landscape"
        headers = {"Authorization": f"Bearer {token}"}
        moved = requests.get(f"{github.url}/repos/acme/infra/pulls?state=all", headers=headers, timeout=5)
        assert (moved.status_code, [each.status_code for each in moved.history]) == (200, [301])
        body = {"title": "T", "head": "iacfix/x", "base": "main"}
        posted = requests.post(f"{github.url}/repos/acme/infra/pulls", json=body, headers=headers, timeout=5)
        assert (posted.status_code, [each.status_code for each in posted.history]) == (201, [307])
        assert infra.pull(1).title == "T"

    def test_an_empty_repository(self, github: GitHub) -> None:
        empty = github.repository("acme/empty")
        api = client(github, github.token()).get_repo("acme/empty")
        assert list(api.get_branches()) == []
        with pytest.raises(GithubException, match="Git Repository is empty"):
            list(api.get_commits())
        empty.push("main", {"a": "b"})
        assert [each.name for each in api.get_branches()] == ["main"]


class TestLimits:
    def test_the_hour(self, github: GitHub, infra: Repository) -> None:
        token = github.token()
        github.tokens[token].remaining = 2
        headers = {"Authorization": f"Bearer {token}"}
        answers = [requests.get(f"{github.url}/repos/acme/infra", headers=headers, timeout=5) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 403]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
        assert answers[2].json()["message"].startswith("API rate limit exceeded for user ID")
        free = requests.get(f"{github.url}/rate_limit", headers=headers, timeout=5)
        assert (free.status_code, free.json()["rate"]["remaining"]) == (200, 0)
        github.tokens[token].reset = 0
        assert requests.get(f"{github.url}/repos/acme/infra", headers=headers, timeout=5).status_code == 200

    def test_the_clock(self, github: GitHub, infra: Repository) -> None:
        seconds = [10.0, 10.0, 10.0, 50.0, 69.0, 70.0, 71.0]
        token = github.token()
        pull = client(github, token).get_repo("acme/infra").create_pull(base="main", head="iacfix/x", title="T")
        github.log.clear()
        ticking = {"now": 0.0}
        github.clock = lambda: ticking["now"]
        for now in seconds:
            ticking["now"] = now
            pull.add_to_labels("iacfix")
        assert [request.at for request in github.log] == seconds
        assert (github.busiest(1), github.busiest(60), github.busiest(3600)) == (3, 5, 7)

    def test_what_is_unchanged_is_free(self, github: GitHub, infra: Repository) -> None:
        token = github.token()
        headers = {"Authorization": f"Bearer {token}"}
        first = requests.get(f"{github.url}/repos/acme/infra/pulls", headers=headers, timeout=5)
        known = {**headers, "If-None-Match": first.headers["ETag"]}
        again = requests.get(f"{github.url}/repos/acme/infra/pulls", headers=known, timeout=5)
        assert (again.status_code, again.content, github.tokens[token].remaining) == (304, b"", 4999)
        client(github, token).get_repo("acme/infra").create_pull(base="main", head="iacfix/x", title="T")
        assert requests.get(f"{github.url}/repos/acme/infra/pulls", headers=known, timeout=5).status_code == 200


class TestGit:
    """Git over HTTP, with the git that people have."""

    def clone(self, github: GitHub, repository: Repository, token: str | None, target: Path, *options: str) -> Git:
        """A clone; the token stays in its configuration."""
        Git().execute(
            ["git", *header(token), "clone", "-q", *options, "--", repository.clone_url, str(target)], env=QUIET
        )
        return Git(target)

    def push(self, clone: Git, token: str | None, *refs: str) -> None:
        clone.execute(["git", *header(token), "push", "-q", "origin", *refs], env=QUIET)

    def test_push_and_lease(self, github: GitHub, infra: Repository, tmp_path: Path) -> None:
        token = github.token("bot")
        clone = self.clone(github, infra, token, tmp_path / "clone")
        commit = clone.execute(["git", *ME, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "m"], env=QUIET)
        old = infra.branches["iacfix/x"]
        api = client(github, token).get_repo("acme/infra")
        api.create_pull(base="main", head="iacfix/x", title="T")
        self.push(clone, token, f"--force-with-lease=refs/heads/iacfix/x:{old}", f"{commit}:refs/heads/iacfix/x")
        assert api.get_pull(1).head.sha == infra.branches["iacfix/x"] == commit
        with pytest.raises(GitCommandError, match="stale info"):
            self.push(clone, token, f"--force-with-lease=refs/heads/iacfix/x:{old}", "HEAD:refs/heads/iacfix/x")
        assert infra.pull(1).state == "open"
        self.push(clone, token, ":refs/heads/iacfix/x")
        assert infra.pull(1).state == "closed"
        pushes = [request for request in github.writes if request.git]
        assert [(request.operation, request.login, request.status) for request in pushes] == [
            ("git-receive-pack", "bot", 200),
            ("git-receive-pack", "bot", 200),
        ]

    def test_a_large_push_comes_in_chunks(self, github: GitHub, infra: Repository, tmp_path: Path) -> None:
        token = github.token()
        clone = self.clone(github, infra, token, tmp_path / "clone")
        (tmp_path / "clone/large.bin").write_bytes(os.urandom(3_000_000))
        clone.execute(["git", "add", "large.bin"])
        clone.execute(["git", *ME, "commit", "-qm", "large"], env=QUIET)
        self.push(clone, token, "HEAD:large")
        assert len(infra.read("large.bin", "large")) == 3_000_000

    def test_shallow_and_blobless(self, github: GitHub, infra: Repository, tmp_path: Path) -> None:
        infra.push("main", {"main.tf": "a = 3\n"})
        clone = self.clone(github, infra, None, tmp_path / "clone", "--depth=1", "--filter=blob:none", "--bare")
        assert clone.execute(["git", "rev-list", "--count", "HEAD"]) == "1"
        assert clone.execute(["git", "cat-file", "blob", "HEAD:main.tf"]) == "a = 3"

    @pytest.mark.parametrize(
        ("kind", "message"),
        [
            ("nobody", "could not read Username|Authentication failed|terminal prompts disabled"),
            ("wrong", "Authentication failed|401"),
            ("reader", r"Permission to acme/infra.git denied to bot"),
            ("archived", "This repository was archived so it is read-only"),
        ],
    )
    def test_no_push(self, github: GitHub, infra: Repository, tmp_path: Path, kind: str, message: str) -> None:
        clone = self.clone(github, infra, None, tmp_path / "clone")
        tokens = {"nobody": None, "wrong": "x", "reader": github.token("bot", {"contents": "read"})}
        infra.archived = kind == "archived"
        with pytest.raises(GitCommandError, match=message):
            self.push(clone, tokens.get(kind, github.token()), "HEAD:refs/heads/new")
        assert "new" not in infra.branches

    def test_pull_refs_can_be_fetched_but_not_pushed(self, github: GitHub, infra: Repository, tmp_path: Path) -> None:
        token = github.token()
        client(github, token).get_repo("acme/infra").create_pull(base="main", head="iacfix/x", title="T")
        clone = self.clone(github, infra, token, tmp_path / "clone")
        clone.execute(["git", "fetch", "-q", "origin", "refs/pull/1/head"])
        assert clone.execute(["git", "rev-parse", "FETCH_HEAD"]) == infra.branches["iacfix/x"]
        with pytest.raises(GitCommandError, match="hidden ref"):
            self.push(clone, token, "HEAD:refs/pull/1/head")

    def test_renamed_and_absent(self, github: GitHub, infra: Repository, tmp_path: Path) -> None:
        infra.rename("acme/landscape")
        url = f"{github.origin}/acme/infra.git"
        Git().execute(["git", "clone", "-q", url, str(tmp_path / "clone")], env=QUIET)
        assert (tmp_path / "clone/main.tf").exists()
        with pytest.raises(GitCommandError, match="not found"):
            Git().execute(["git", "clone", "-q", f"{github.origin}/acme/absent.git", str(tmp_path / "no")], env=QUIET)


class TestFaults:
    """What goes wrong on demand; what is asserted is the effect on GitHub as well as the answer."""

    BODY: ClassVar = {"title": "T", "head": "iacfix/x", "base": "main"}

    def post(self, github: GitHub, timeout: float = 5) -> requests.Response:
        headers = {"Authorization": f"Bearer {github.token()}"}
        return requests.post(f"{github.url}/repos/acme/infra/pulls", json=self.BODY, headers=headers, timeout=timeout)

    @pytest.mark.parametrize(
        ("failure", "status", "header"),
        [
            (secondary_limit(), 403, None),
            (secondary_limit(429), 429, None),
            (secondary_limit(429, retry_after=7), 429, ("Retry-After", "7")),
            (primary_limit(reset_in=9), 403, ("X-RateLimit-Reset", "1009")),
            (server_error(500), 500, None),
            (refused(403, "Resource not accessible by integration"), 403, None),
        ],
    )
    def test_refusals(
        self, github: GitHub, infra: Repository, failure: Failure, status: int, header: tuple[str, str] | None
    ) -> None:
        github.clock = lambda: 1000.0
        fault = github.fault("POST", "/repos/*/pulls", failure)
        answer = self.post(github)
        assert answer.status_code == status
        assert answer.json()["message"] == failure.message
        assert "Retry-After" not in answer.headers or header
        assert header is None or answer.headers[header[0]] == header[1]
        assert infra.pulls == []
        assert self.post(github).status_code == 201
        assert fault.seen == 2

    def test_after_the_effect(self, github: GitHub, infra: Repository) -> None:
        github.fault("POST", "/repos/*/pulls", server_error(502, after=True))
        assert self.post(github).status_code == 502
        assert len(infra.pulls) == 1
        assert "already exists" in self.post(github).text

    @pytest.mark.parametrize("after", [False, True])
    def test_a_broken_connection(self, github: GitHub, infra: Repository, after: bool) -> None:
        github.fault("POST", "/repos/*/pulls", reset(after=after))
        with pytest.raises(requests.ConnectionError):
            self.post(github)
        assert len(infra.pulls) == after
        assert [request.status for request in github.writes] == [0]

    @pytest.mark.parametrize("after", [False, True])
    def test_no_answer(self, github: GitHub, infra: Repository, after: bool) -> None:
        github.fault("POST", "/repos/*/pulls", hang(after=after))
        with pytest.raises(requests.ReadTimeout):
            self.post(github, timeout=0.2)
        assert len(infra.pulls) == after

    def test_the_nth_and_all_that_follow(self, github: GitHub, infra: Repository) -> None:
        github.fault("*", "*", server_error(503), nth=2, times=None, writes=True)
        api = client(github, github.token())
        pull = api.get_repo("acme/infra").create_pull(base="main", head="iacfix/x", title="T")
        for _ in range(2):
            with pytest.raises(GithubException, match="503"):
                pull.edit(title="U")
        assert api.get_repo("acme/infra").get_pull(1).title == "T"

    @pytest.mark.parametrize(
        ("method", "path", "message"),
        [("GET", "*/info/refs", "stale info"), ("POST", "*/git-receive-pack", "rejected")],
    )
    def test_someone_is_faster(
        self, github: GitHub, infra: Repository, tmp_path: Path, method: str, path: str, message: str
    ) -> None:
        token, old = github.token(), infra.branches["iacfix/x"]
        Git().execute(["git", "clone", "-q", infra.clone_url, str(tmp_path / "clone")], env=QUIET)
        theirs = []
        github.fault(method, path, meanwhile(lambda: theirs.append(infra.push("iacfix/x", {"main.tf": "theirs\n"}))))
        push = ["push", f"--force-with-lease=iacfix/x:{old}", "origin", "HEAD:iacfix/x"]
        with pytest.raises(GitCommandError, match=message):
            Git(tmp_path / "clone").execute(["git", *header(token), *push], env=QUIET)
        assert infra.branches["iacfix/x"] == theirs[0]

    def test_a_push_that_took_effect_without_an_answer(self, github: GitHub, infra: Repository, tmp_path: Path) -> None:
        Git().execute(["git", "clone", "-q", infra.clone_url, str(tmp_path / "clone")], env=QUIET)
        github.fault("POST", "*/git-receive-pack", reset(after=True))
        with pytest.raises(GitCommandError):
            Git(tmp_path / "clone").execute(
                ["git", *header(github.token()), "push", "origin", "HEAD:refs/heads/new"], env=QUIET
            )
        assert infra.branches["new"] == infra.head

    def test_renamed_meanwhile(self, github: GitHub, infra: Repository) -> None:
        github.fault("POST", "/repos/*/pulls", meanwhile(lambda: infra.rename("acme/landscape")))
        assert self.post(github).status_code == 201
        assert [request.status for request in github.log] == [307, 201]


class TestGraphql:
    """Many repositories by one request; PyGithub sends what it is given."""

    def test_the_state_of_many(self, github: GitHub, infra: Repository) -> None:
        for number in range(3):
            made = github.repository(f"acme/r{number}", FILES)
            made.push("iacfix/x", {"main.tf": "a = 2\n"})
            client(github, github.token()).get_repo(made.full_name).create_pull(base="main", head="iacfix/x", title="T")
        made.pull(1).merge()
        github.log.clear()
        about = """fragment about on Repository {
            nameWithOwner isArchived file: object(expression: "HEAD:iacfix.toml") { ... on Blob { text } }
            pullRequest(number: 1) { state mergeable headRefOid author { login } labels(first: 5) { nodes { name } } }
        }"""
        asked = [f'r{number}: repository(owner: "acme", name: "r{number}") {{ ...about }}' for number in range(3)]
        query = f"query {{ {' '.join(asked)} rateLimit {{ remaining }} }} {about}"
        _, answer = client(github, github.token()).requester.graphql_query(query, {})
        data = answer["data"]
        assert [data[f"r{number}"]["pullRequest"]["state"] for number in range(3)] == ["OPEN", "OPEN", "MERGED"]
        assert data["r0"]["pullRequest"]["headRefOid"] == github.find("acme/r0").branches["iacfix/x"]
        assert data["r0"]["file"]["text"] == "enabled = true\n"
        assert [(request.path, request.operation, request.writes) for request in github.log] == [
            ("/graphql", "graphql", False)
        ]

    def test_drafts(self, github: GitHub, infra: Repository) -> None:
        api = client(github, github.token())
        pull = api.get_repo("acme/infra").create_pull(base="main", head="iacfix/x", title="T")
        pull.convert_to_draft()
        assert infra.pull(1).draft
        pull.mark_ready_for_review()
        assert not infra.pull(1).draft
        assert [request.writes for request in github.log if request.path == "/graphql"] == [True, True]
        reader = client(github, github.token("bot", {"pull_requests": "read"})).get_repo("acme/infra").get_pull(1)
        with pytest.raises(GithubException, match="Resource not accessible by personal access token"):
            reader.convert_to_draft()

    def test_pages(self, github: GitHub, infra: Repository) -> None:
        api = client(github, github.token())
        for number in range(5):
            infra.push(f"iacfix/{number}", {"main.tf": f"a = {number}{number}\n"})
            api.get_repo("acme/infra").create_pull(base="main", head=f"iacfix/{number}", title="T")
        query = """query($after: String) { repository(owner: "acme", name: "infra") {
            pullRequests(first: 2, after: $after, states: [OPEN]) {
                nodes { number } totalCount pageInfo { hasNextPage endCursor } } } }"""
        seen, after, more = [], None, True
        while more:
            _, answer = api.requester.graphql_query(query, {"after": after})
            page = answer["data"]["repository"]["pullRequests"]
            seen.append([node["number"] for node in page["nodes"]])
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        assert seen == [[1, 2], [3, 4], [5]]

    def test_what_is_not_there(self, github: GitHub) -> None:
        query = 'query { repository(owner: "acme", name: "absent") { name } viewer { login } }'
        headers = {"Authorization": f"Bearer {github.token('bot')}"}
        answer = requests.post(f"{github.origin}/api/graphql", json={"query": query}, headers=headers, timeout=5)
        assert answer.status_code == 200
        (error,) = answer.json()["errors"]
        assert (error["type"], error["path"]) == ("NOT_FOUND", ["repository"])
        assert answer.json()["data"] == {"repository": None, "viewer": {"login": "bot"}}

    def test_a_wrong_query(self, github: GitHub) -> None:
        headers = {"Authorization": f"Bearer {github.token()}"}
        body = {"query": "query { viewer { loggin } }"}
        answer = requests.post(f"{github.origin}/api/graphql", json=body, headers=headers, timeout=5)
        (violation,) = github.violations
        github.violations.clear()
        assert "loggin" in violation
        assert "data" not in answer.json()


class TestDescription:
    """Nothing passes that GitHub does not describe."""

    def test_each_operation_has_its_rule(self) -> None:
        assert RULES.keys() == Description.of_github().operations.keys()

    @pytest.mark.parametrize(
        ("method", "path", "body", "problem"),
        [
            ("POST", "/repos/acme/infra/pulls", {"head": "iacfix/x", "base": "main", "tilte": "T"}, "tilte"),
            ("POST", "/repos/acme/infra/pulls", {"head": 1, "base": "main", "title": "T"}, "/head"),
            ("POST", "/repos/acme/infra/pulls", {"title": "T"}, '"head" is a required property'),
            ("GET", "/repos/acme/infra/pulls?state=merged", None, "parameter state"),
            ("GET", "/repos/acme/infra/pulls?stat=open", None, "no parameter 'stat'"),
            ("GET", "/repos/acme/infra/stargazers", None, "not among the operations"),
        ],
    )
    def test_a_wrong_request(
        self, github: GitHub, infra: Repository, method: str, path: str, body: object, problem: str
    ) -> None:
        headers = {"Authorization": f"Bearer {github.token()}"}
        answer = requests.request(method, github.url + path, json=body, headers=headers, timeout=5)
        (violation,) = github.violations
        github.violations.clear()
        assert problem in violation
        assert answer.status_code == (404 if "stargazers" in path else 422)

    @pytest.mark.parametrize(("change", "problem"), [({"colour": "red"}, "colour"), ({"color": 7}, "/0/color")])
    def test_a_wrong_answer(
        self,
        github: GitHub,
        infra: Repository,
        monkeypatch: pytest.MonkeyPatch,
        change: dict[str, object],
        problem: str,
    ) -> None:
        right = github.view.label
        monkeypatch.setattr(github.view, "label", lambda *about: {**right(*about), **change})
        github.label(infra, "iacfix")
        headers = {"Authorization": f"Bearer {github.token()}"}
        answer = requests.get(f"{github.url}/repos/acme/infra/labels", headers=headers, timeout=5)
        (violation,) = github.violations
        github.violations.clear()
        assert problem in violation
        assert answer.status_code == 500


def test_thousands_of_repositories(github: GitHub) -> None:
    made = [github.repository(f"acme/r{number}", FILES) for number in range(5000)]
    assert len({repository.head for repository in made[::500]}) == 1
    assert len(list((github.directory).iterdir())) == 11
    made[7].push("iacfix/x", {"main.tf": "a = 2\n"})
    api = client(github, github.token(), per_page=100)
    pull = api.get_repo("acme/r7").create_pull(base="main", head="iacfix/x", title="T")
    assert pull.changed_files == 1
    assert made[8].branches.keys() == {"main"}
