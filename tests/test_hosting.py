"""A pull request's whole life, on a GitHub that is held to GitHub's own description, with real git below."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from fake_github import GitHub, Person, Repository, meanwhile, refused

from fixer.hosting import bot
from fixer.hosting.bot import Order, Served
from fixer.hosting.credentials import AppCredentials, Credentials, TokenCredentials
from fixer.hosting.errors import HostingError, Kind
from fixer.hosting.github import Host
from fixer.hosting.lifecycle import IDENTITY, Operation, Wish
from fixer.hosting.marker import Marker
from fixer.request import Request

pytest_plugins = ("fake_github.fixture",)

BUCKET = 'resource "aws_s3_bucket" "NAME" {\n  bucket = "orders-NAME"\n}\n'
GROUP = 'resource "aws_cloudwatch_log_group" "NAME" {\n  name = "/orders/NAME"\n}\n'
BRANCH = "iacfix/fixes"
ROSA = Person("Rosa", "rosa@example.com")
RULES = ("s3-block-public-access", "log-group-retention", "providers-in-provider-file")
"""What these tests have fixed, whatever other rules there are."""
ORDER = Order(Request(select=RULES, jobs=1, cached=False))


def bucket(name: str) -> str:
    return BUCKET.replace("NAME", name)


def group(name: str) -> str:
    return GROUP.replace("NAME", name)


class Bot:
    """iacfix, with a token for a repository that holds a bucket to fix."""

    def __init__(self, github: GitHub, repository: Repository, credentials: Credentials | None = None) -> None:
        self.github, self.repository, self.name = github, repository, repository.full_name
        self.waits: list[float] = []
        credentials = credentials or TokenCredentials(github.token("bot"))
        self.host = Host(github.url, credentials, patience=100, pace=0, sleep=self.waits.append)

    def serve(self, order: Order = ORDER) -> Served:
        return bot.serve(self.host, self.name, order)

    def __call__(self, order: Order = ORDER) -> Operation:
        return self.serve(order).published.operation

    def writes(self, order: Order = ORDER) -> tuple[Operation, int]:
        """What a run does, and how many requests of it ask for a change."""
        before = len(self.github.writes)
        return self(order), len(self.github.writes) - before

    def commits(self, branch: str = BRANCH) -> list[str]:
        """The messages of what the branch has over the default one."""
        git = self.repository.git
        return [one.message for one in git.log(f"{self.repository.default_branch}..{branch}")]


@pytest.fixture
def infra(github: GitHub) -> Repository:
    return github.repository("acme/infra", {"main.tf": bucket("data"), "README.md": "Infra\n"})


@pytest.fixture
def iacfix(github: GitHub, infra: Repository) -> Bot:
    return Bot(github, infra)


# ---- opening -----------------------------------------------------------------------------------


def test_it_opens_one_pull_request(iacfix: Bot, infra: Repository) -> None:
    served = iacfix.serve()
    [pull] = infra.open_pulls
    assert served.published.operation is Operation.CREATED
    assert (served.published.number, served.published.head) == (pull.number, pull.head_sha)
    assert (pull.head, pull.base, pull.draft) == (BRANCH, "main", False)
    assert "s3-block-public-access" in (pull.body or "")
    [commit] = infra.git.log(f"main..{BRANCH}")
    assert commit.parents == (infra.head,)
    assert IDENTITY.email in str(commit.author)
    assert commit.message.endswith("\n\nIacfix-Campaign: fixes")
    fixed = infra.read("main.tf", BRANCH).decode()
    assert fixed.startswith(bucket("data"))
    assert "aws_s3_bucket_public_access_block" in fixed
    assert infra.files(BRANCH) == infra.files()


def test_nothing_new_means_that_nothing_is_written(iacfix: Bot, github: GitHub) -> None:
    iacfix()
    assert iacfix.writes() == (Operation.UNCHANGED, 0)


def test_the_same_commit_is_made_each_time(github: GitHub) -> None:
    heads = set()
    for owner in ("acme", "apex"):
        repository = github.repository(f"{owner}/infra", {"main.tf": bucket("data")})
        heads.add(Bot(github, repository).serve().published.head)
    assert len(heads) == 1


def test_what_is_asked_for_besides(iacfix: Bot, infra: Repository, github: GitHub) -> None:
    github.organization("acme", members=["rosa"], teams=["platform"])
    label = github.label(infra, "infrastructure")
    wish = Wish(
        *("", ""),
        draft=True,
        labels=(label.name,),
        reviewers=("rosa", "nobody"),
        team_reviewers=("platform",),
    )
    served = iacfix.serve(replace(ORDER, title="Mend the buckets", commit_message="Mend", wish=wish))
    [pull] = infra.open_pulls
    assert (pull.title, pull.draft, pull.labels) == ("Mend the buckets", True, ["infrastructure"])
    assert iacfix.commits() == ["Mend\n\nIacfix-Campaign: fixes"]
    assert pull.reviewers == []  # one that GitHub does not know spoils all of them
    assert [problem.split(":")[0] for problem in served.published.problems] == ["reviewers were not set"]


def test_another_base_has_a_branch_of_its_own(iacfix: Bot, infra: Repository) -> None:
    infra.push("release/1.x", {"logs.tf": group("api")})
    iacfix()
    assert iacfix(replace(ORDER, base="release/1.x")) is Operation.CREATED
    assert [(pull.base, pull.head) for pull in infra.open_pulls] == [
        ("main", BRANCH),
        ("release/1.x", "iacfix/fixes--release-1-x-81caa6"),
    ]


def test_paths_restrict_it(iacfix: Bot, infra: Repository) -> None:
    infra.push("main", {"logs/main.tf": group("api")})
    iacfix(replace(ORDER, paths=("logs",)))
    assert infra.read("main.tf", BRANCH) == infra.read("main.tf")
    assert infra.read("logs/main.tf", BRANCH) != infra.read("logs/main.tf")


def test_modes_stay_and_files_come(iacfix: Bot, infra: Repository) -> None:
    infra.push("main", {"main.tf": ("100755", bucket("data")), "named.tf": 'provider "aws" {\n  region = "x"\n}\n'})
    iacfix()
    kinds = {entry.path: entry.mode for entry in infra.git.tree(BRANCH)}
    assert kinds["main.tf"] == "100755"
    assert set(infra.files(BRANCH)) - set(infra.files()) == {"provider.tf"}


# ---- going on ----------------------------------------------------------------------------------


def test_a_new_finding_updates_it(iacfix: Bot, infra: Repository) -> None:
    iacfix()
    base = infra.push("main", {"logs.tf": group("api")})
    assert iacfix() is Operation.UPDATED
    [pull] = infra.pulls
    [commit] = infra.git.log(f"main..{BRANCH}")
    assert commit.parents == (base,)
    assert "log-group-retention" in (pull.body or "")
    assert iacfix.writes() == (Operation.UNCHANGED, 0)


def test_a_base_that_moves_elsewhere_is_no_reason_to_rebuild(iacfix: Bot, infra: Repository) -> None:
    iacfix()
    infra.push("main", {"README.md": "More\n"})
    assert iacfix.writes() == (Operation.UNCHANGED, 0)
    infra.push("main", {"main.tf": "# one\n# two\n\n" + bucket("data")})
    infra.open_pulls[0].mergeable()
    assert iacfix.writes() == (Operation.UNCHANGED, 0)
    assert iacfix(replace(ORDER, wish=Wish("", "", always_rebase=True))) is Operation.UPDATED
    assert infra.git.is_ancestor(infra.head, infra.branches[BRANCH])


def test_a_conflict_is_a_reason(iacfix: Bot, infra: Repository) -> None:
    iacfix()
    infra.push("main", {"main.tf": bucket("data") + 'output "end" {\n  value = 1\n}\n'})
    infra.open_pulls[0].judged = None
    for _ in range(3):  # the host finds out in a while
        iacfix()
    assert infra.git.is_ancestor(infra.head, infra.branches[BRANCH])
    assert infra.open_pulls[0].mergeable()


def test_what_people_write_stays(iacfix: Bot, infra: Repository) -> None:
    iacfix()
    [pull] = infra.open_pulls
    pull.title = "Mine"
    pull.body = f"Before\n\n{(pull.body or '').strip()}\n\nAfter".replace("\n", "\r\n")  # as browsers send it
    assert iacfix.writes() == (Operation.UNCHANGED, 0)
    infra.push("main", {"logs.tf": group("api")})
    assert iacfix() is Operation.UPDATED
    assert pull.title == "Mine"
    assert pull.body.startswith("Before\n\n<!-- iacfix:begin -->")
    assert pull.body.endswith("<!-- iacfix:end -->\n\nAfter")


# ---- ending ------------------------------------------------------------------------------------


def test_what_was_fixed_by_hand_closes_it(iacfix: Bot, infra: Repository) -> None:
    iacfix()
    was = infra.push("main", {"main.tf": infra.read("main.tf", BRANCH)})
    infra.push("main", {"more.tf": "locals {}\n"})
    assert iacfix() is Operation.CLOSED
    [pull] = infra.pulls
    assert (pull.state, pull.merged, len(pull.comments)) == ("closed", False, 1)
    assert BRANCH not in infra.branches
    assert iacfix.writes() == (Operation.CLEAN, 0)
    infra.push("main", {"main.tf": bucket("data")})
    assert was
    assert iacfix() is Operation.CREATED  # it was no person's no


def test_nothing_to_fix_is_clean(github: GitHub) -> None:
    repository = github.repository("acme/infra", {"main.tf": "locals {}\n"})
    assert Bot(github, repository).writes() == (Operation.CLEAN, 0)


def test_a_persons_no_holds_until_the_changes_are_others(iacfix: Bot, infra: Repository) -> None:
    iacfix()
    infra.open_pulls[0].close()
    assert iacfix.writes() == (Operation.DECLINED, 0)
    infra.push("main", {"main.tf": "\n\n# moved\n\n" + bucket("data")})
    assert iacfix.writes() == (Operation.DECLINED, 0)
    infra.delete(BRANCH)
    assert iacfix.writes() == (Operation.DECLINED, 0)
    infra.push("main", {"logs.tf": group("api")})
    assert iacfix() is Operation.CREATED
    assert len(infra.pulls) == 2


@pytest.mark.parametrize("squash", [False, True], ids=["merge", "squash"])
def test_what_was_merged_is_done(iacfix: Bot, infra: Repository, squash: bool) -> None:
    iacfix()
    infra.open_pulls[0].merge(squash=squash)
    assert iacfix.writes() == (Operation.CLEAN, 0)
    infra.push("main", {"logs.tf": group("api")})
    assert iacfix() is Operation.CREATED
    assert len(infra.open_pulls) == 1


# ---- people ------------------------------------------------------------------------------------


def test_a_persons_commit_keeps_it_off(iacfix: Bot, infra: Repository) -> None:
    iacfix()
    mine = infra.push(BRANCH, {"main.tf": "# mine\n"}, ROSA)
    infra.push("main", {"logs.tf": group("api")})
    assert [iacfix() for _ in range(2)] == [Operation.QUARANTINED] * 2
    [pull] = infra.open_pulls
    assert (infra.branches[BRANCH], len(pull.comments)) == (mine, 1)
    infra.push("main", {"main.tf": "locals {}\n", "logs.tf": "\n"})
    assert iacfix() is Operation.QUARANTINED  # nothing is left to fix, and a person's work is still there
    assert infra.branches[BRANCH] == mine


def test_a_label_lets_it_build_anew(iacfix: Bot, infra: Repository, github: GitHub) -> None:
    iacfix()
    infra.push(BRANCH, {"main.tf": "# mine\n"}, ROSA)
    infra.open_pulls[0].labels.append(github.label(infra, "iacfix:rebase").name)
    assert iacfix() is Operation.UPDATED
    assert len(iacfix.commits()) == 1


def test_a_label_sends_it_away(iacfix: Bot, infra: Repository, github: GitHub) -> None:
    iacfix()
    infra.open_pulls[0].labels.append(github.label(infra, "iacfix:stop").name)
    infra.push("main", {"logs.tf": group("api")})
    assert iacfix.writes() == (Operation.STOPPED, 0)


def test_a_branch_of_a_person_is_not_taken(iacfix: Bot, infra: Repository) -> None:
    mine = infra.push(BRANCH, {"notes.md": "mine\n"}, ROSA)
    assert iacfix.writes() == (Operation.QUARANTINED, 0)
    assert infra.branches[BRANCH] == mine


def test_a_person_who_pushes_meanwhile_loses_nothing(iacfix: Bot, infra: Repository, github: GitHub) -> None:
    iacfix()
    infra.push("main", {"logs.tf": group("api")})
    pushed = []
    act = meanwhile(lambda: pushed.append(infra.push(BRANCH, {"main.tf": "# mine\n"}, ROSA)))
    github.fault("POST", "*/git-receive-pack", act)
    assert iacfix() is Operation.QUARANTINED
    assert [infra.branches[BRANCH]] == pushed


# ---- commits -----------------------------------------------------------------------------------


def test_a_commit_for_each_rule(iacfix: Bot, infra: Repository) -> None:
    infra.push("main", {"logs.tf": group("api")})
    order = replace(ORDER, by_rule=True)
    assert iacfix(order) is Operation.CREATED
    changed = [
        sorted(path.path for path in infra.git.changed(one.parents[0], one.sha))
        for one in infra.git.log(f"main..{BRANCH}")
    ]
    assert sorted(changed) == [["logs.tf"], ["main.tf"]]
    assert iacfix.writes(order) == (Operation.UNCHANGED, 0)


def test_commits_that_the_host_signs(iacfix: Bot, infra: Repository, github: GitHub) -> None:
    infra.push("main", {"gone.tf": "\n", "latin.py": b"# \xe9\n"})
    app = github.app()
    github.install(app, "acme")
    signing = Bot(github, infra, AppCredentials(str(app.id), app.private_key, github.url))
    order = replace(ORDER, wish=Wish("", "", signed=True))
    assert signing(order) is Operation.CREATED
    [pull] = infra.open_pulls
    assert pull.head_sha in infra.verified
    assert [request for request in github.writes if request.git] == []
    assert signing.writes(order) == (Operation.UNCHANGED, 0)
    infra.push("main", {"logs.tf": group("api")})
    assert signing(order) is Operation.UPDATED
    assert infra.branches[BRANCH] in infra.verified
    assert len(signing.commits()) == 1


# ---- left alone --------------------------------------------------------------------------------


def test_repositories_that_want_none_of_it(github: GitHub) -> None:
    files = {"main.tf": bucket("data")}
    kinds = {
        "archived": github.repository("acme/archived", files, archived=True),
        "topic": github.repository("acme/topic", files, topics=["no-iacfix"]),
        "off": github.repository("acme/off", {**files, "iacfix.toml": "enabled = false\n"}),
        "empty": github.repository("acme/empty"),
    }
    reasons = {}
    for kind, repository in kinds.items():
        done = Bot(github, repository).serve().published
        assert done.operation is Operation.SKIPPED
        reasons[kind] = done.reason
    assert reasons == {
        "archived": "it is archived",
        "topic": "it has the topic no-iacfix",
        "off": "iacfix.toml says enabled = false",
        "empty": "there is no branch main",
    }
    assert github.writes == []


def test_a_run_for_an_older_commit_leaves_it_to_the_newer(iacfix: Bot, infra: Repository) -> None:
    old = infra.head
    infra.push("main", {"README.md": "More\n"})
    assert iacfix.writes(replace(ORDER, expected=old)) == (Operation.SKIPPED, 0)
    assert iacfix(replace(ORDER, expected=infra.head)) is Operation.CREATED


def test_a_renamed_repository_is_found(iacfix: Bot, infra: Repository) -> None:
    infra.rename("acme/platform")
    assert iacfix() is Operation.CREATED
    assert iacfix.writes() == (Operation.UNCHANGED, 0)


def test_a_branch_named_like_the_folder_is_told(iacfix: Bot, infra: Repository) -> None:
    infra.push("iacfix", {"x": "y"})
    with pytest.raises(HostingError, match="there is a branch named iacfix"):
        iacfix()


# ---- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("permissions", [{"contents": "read"}, {"contents": "write"}], ids=["push", "open"])
def test_a_token_that_may_not(github: GitHub, infra: Repository, permissions: dict[str, str]) -> None:
    token = github.token("bot", {"metadata": "read", "pull_requests": "read", **permissions})
    with pytest.raises(HostingError) as caught:
        Bot(github, infra, TokenCredentials(token))()
    assert caught.value.kind is Kind.PERMISSION
    assert token not in str(caught.value)


def test_a_wrong_token(github: GitHub, infra: Repository) -> None:
    with pytest.raises(HostingError) as caught:
        Bot(github, infra, TokenCredentials("wrong"))()
    assert caught.value.kind is Kind.AUTH


def test_the_switch_for_actions_is_named(github: GitHub, infra: Repository) -> None:
    infra.actions_may_create_pulls = False
    with pytest.raises(HostingError, match="Allow GitHub Actions to create and approve pull requests") as caught:
        Bot(github, infra, TokenCredentials(github.actions_token(infra)))()
    assert caught.value.kind is Kind.PERMISSION


def test_an_app_that_is_not_installed(github: GitHub, infra: Repository) -> None:
    app = github.app()
    with pytest.raises(HostingError, match="is not installed there"):
        Bot(github, infra, AppCredentials(str(app.id), app.private_key, github.url))()


def test_no_repository(iacfix: Bot) -> None:
    with pytest.raises(HostingError) as caught:
        bot.serve(iacfix.host, "acme/none", ORDER)
    assert caught.value.kind is Kind.NOT_FOUND


def test_a_long_limit_is_not_waited_for(iacfix: Bot, github: GitHub) -> None:
    github.fault("GET", "*/pulls", refused(500, "broken"), times=None)
    with pytest.raises(HostingError) as caught:
        iacfix()
    assert caught.value.kind is Kind.TRANSIENT
    assert 0 < sum(iacfix.waits) < 100


# ---- two at once -------------------------------------------------------------------------------


def test_two_runs_at_once_make_one_pull_request(github: GitHub, infra: Repository) -> None:
    runs = [Bot(github, infra) for _ in range(3)]
    done: list[Operation] = []
    threads = [threading.Thread(target=lambda run=run: done.append(run())) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 3
    [pull] = infra.pulls
    mark = Marker.of(pull.body)
    assert mark
    assert mark.head == pull.head_sha == infra.branches[BRANCH]
    assert len(Bot(github, infra).commits()) == 1
