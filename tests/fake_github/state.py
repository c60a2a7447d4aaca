"""What the fake GitHub knows beside git: accounts, tokens, repositories and their pull requests."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from fake_github.bare import EPOCH, SOMEONE, Bare, Files, GitError, Person

_numbers = itertools.count(1001)


def next_id() -> int:
    return next(_numbers)


def node_id(kind: str, number: int) -> str:
    """An opaque id as GraphQL has it, in GitHub's older form."""
    return base64.b64encode(f"0{len(kind)}:{kind}{number}".encode()).decode()


def now() -> str:
    """The time as GitHub writes it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(eq=False)
class Account:
    """A person, an organization or a bot."""

    login: str
    kind: str = "User"
    members: set[str] = field(default_factory=set)
    """Of an organization: the logins of its members."""
    teams: dict[str, int] = field(default_factory=dict)
    """Of an organization: the ids of its teams by slug."""
    id: int = field(default_factory=next_id)


@dataclass(eq=False)
class Token:
    """A credential. `permissions`: level (`read`, `write`) by name; None is a classic token, which may do all."""

    value: str
    account: Account
    kind: str = "classic"
    """classic, fine-grained, installation, or actions (the GITHUB_TOKEN of a workflow)."""
    permissions: Mapping[str, str] | None = None
    repositories: frozenset[str] | None = None
    """Full names of the only repositories it is good for; None for all."""
    owner: str | None = None
    """Of an installation: the login of the account it is installed on."""
    limit: int = 5000
    remaining: int = 5000
    reset: int = 0
    """When the next hour begins, in seconds since 1970."""
    expires: float | None = None

    def allows(self, permission: str, level: str) -> bool:
        """Whether one of the permissions (`issues|pull_requests`) is given at that level."""
        if self.permissions is None or permission == "metadata":
            return True
        enough = {"read": {"read", "write", "admin"}, "write": {"write", "admin"}}[level]
        return any(self.permissions.get(name) in enough for name in permission.split("|"))


@dataclass(eq=False)
class Installation:
    """An app on an account. `repositories`: full names of the chosen ones; None for all."""

    app: App
    account: Account
    permissions: Mapping[str, str]
    repositories: frozenset[str] | None = None
    suspended: bool = False
    id: int = field(default_factory=next_id)
    created_at: str = field(default_factory=now)


@dataclass(eq=False)
class App:
    """A GitHub App; `private_key` is PEM."""

    slug: str
    private_key: str
    public_key: str
    owner: Account
    permissions: Mapping[str, str]
    id: int = field(default_factory=next_id)
    installations: list[Installation] = field(default_factory=list)
    created_at: str = field(default_factory=now)

    @property
    def bot(self) -> str:
        return f"{self.slug}[bot]"


@dataclass(frozen=True)
class Identity:
    """Who a request is from: a token, or an app with its JSON web token, or nobody."""

    token: Token | None = None
    app: App | None = None


@dataclass(eq=False)
class Label:
    """A label of a repository."""

    name: str
    color: str = "ededed"
    description: str | None = None
    id: int = field(default_factory=next_id)


@dataclass(eq=False)
class Comment:
    """A comment of a pull request."""

    body: str
    user: Account
    id: int = field(default_factory=next_id)
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)


@dataclass(eq=False)
class Pull:
    """A pull request.

    The commits of an open one are those that git has; `head_sha` and `base_sha` are those last seen.
    """

    repository: Repository
    number: int
    title: str
    body: str | None
    user: Account
    head: str
    head_repository: Repository
    base: str
    head_sha: str
    base_sha: str
    draft: bool = False
    maintainer_can_modify: bool = False
    state: str = "open"
    locked: bool = False
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    merged_by: Account | None = None
    merge_sha: str | None = None
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)
    closed_at: str | None = None
    merged_at: str | None = None
    judged: tuple[str, str] | None = None
    """The head and base whose merge was tried; of others it is not known yet whether they can be merged."""
    id: int = field(default_factory=next_id)

    @property
    def merged(self) -> bool:
        return self.merged_at is not None

    @property
    def label(self) -> str:
        """`owner:branch`, as GitHub names a head."""
        return f"{self.head_repository.owner.login}:{self.head}"

    def touch(self) -> None:
        self.updated_at = now()

    def close(self) -> None:
        """As a person does who does not want it."""
        self.state, self.closed_at = "closed", now()
        self.touch()

    def comment(self, body: str, user: Account) -> Comment:
        self.comments.append(Comment(body, user))
        self.touch()
        return self.comments[-1]

    def mergeable(self) -> bool:
        """Whether git can merge it."""
        return self.repository.git.merges(self.base_sha, self.head_sha)

    def merge(self, by: Account | None = None, *, squash: bool = False) -> str:
        """Merge it as a person does, and return the new commit; GitError if it conflicts."""
        self.repository.synchronize()
        if self.state != "open":
            raise GitError(f"#{self.number} is {self.state}")
        git = self.repository.git
        tree = git.merged_tree(self.base_sha, self.head_sha)
        if tree is None:
            raise GitError("Merge conflict")
        who = by or self.repository.owner
        stamp = (who.login, f"{who.login}@users.noreply.github.com", f"{self.repository.next_second()} +0000")
        parents = [self.base_sha] if squash else [self.base_sha, self.head_sha]
        message = f"{self.title} (#{self.number})" if squash else f"Merge pull request #{self.number} from {self.head}"
        sha = git.write_commit(tree, parents, message, stamp, stamp)
        git.set_ref(f"refs/heads/{self.base}", sha)
        self.finish(sha, who)
        if self.repository.delete_branch_on_merge and self.head_repository is self.repository:
            git.delete_ref(f"refs/heads/{self.head}")
        self.repository.synchronize()
        return sha

    def finish(self, sha: str, by: Account) -> None:
        """Note that it is merged by the commit."""
        self.merge_sha, self.merged_by, self.merged_at = sha, by, now()
        self.close()


@dataclass(eq=False)
class Repository:
    """A repository: what GitHub knows of it, around the bare one at `bare`.

    Tests read and change it directly, as people do who push and click; a token and the API are for the code under test.
    """

    owner: Account
    name: str
    git: Bare
    origin: str
    """The server's address, without a path."""
    default_branch: str = "main"
    private: bool = False
    archived: bool = False
    disabled: bool = False
    topics: list[str] = field(default_factory=list)
    description: str | None = None
    language: str | None = None
    parent: Repository | None = None
    collaborators: set[str] = field(default_factory=set)
    """Logins that may be asked for a review, beside the members of the organization."""
    actions_may_create_pulls: bool = True
    """The setting `Allow GitHub Actions to create and approve pull requests`."""
    strict: bool = False
    """Whether branches must be up to date before they are merged: then a moved base makes a pull request `behind`."""
    delete_branch_on_merge: bool = False
    size: int = 1
    """In kilobytes."""
    labels: dict[str, Label] = field(default_factory=dict, repr=False)
    """By name in lower case."""
    pulls: list[Pull] = field(default_factory=list, repr=False)
    verified: set[str] = field(default_factory=set, repr=False)
    """Commits that GitHub signed."""
    renamed: Callable[[Repository, str], None] = field(default=lambda _, __: None, repr=False)
    id: int = field(default_factory=next_id)
    created_at: str = field(default_factory=now)
    pushed_at: str = field(default_factory=now)
    commits: int = 0

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def bare(self) -> Path:
        """The path of the bare git repository."""
        return self.git.path

    @property
    def clone_url(self) -> str:
        return f"{self.origin}/{self.full_name}.git"

    @property
    def branches(self) -> dict[str, str]:
        """The head of each branch by its name, read from git."""
        return self.git.branches()

    @property
    def head(self) -> str:
        """The newest commit of the default branch."""
        return self.branches[self.default_branch]

    @property
    def open_pulls(self) -> list[Pull]:
        self.synchronize()
        return [pull for pull in self.pulls if pull.state == "open"]

    def pull(self, number: int) -> Pull:
        """A pull request, up to date with git; KeyError if there is none."""
        self.synchronize()
        for pull in self.pulls:
            if pull.number == number:
                return pull
        raise KeyError(number)

    def push(
        self,
        branch: str,
        files: Files,
        author: Person = SOMEONE,
        message: str = "Change",
        *,
        force_from: str | None = None,
    ) -> str:
        """Commit on a branch as `author` and return the commit. A new branch starts at the default one.

        `force_from`: the branch or commit to start anew from, whatever the branch has now.
        """
        heads = self.branches
        parent = heads.get(branch) or heads.get(self.default_branch)
        if force_from is not None:
            parent = heads.get(force_from, force_from)
        sha = self.git.commit(
            f"refs/heads/{branch}", files, parent=parent, message=message, author=author, seconds=self.next_second()
        )
        self.synchronize()
        return sha

    def delete(self, branch: str) -> None:
        """Delete a branch; its pull requests close."""
        self.git.delete_ref(f"refs/heads/{branch}")
        self.synchronize()

    def rename(self, name: str) -> None:
        """Give it another full name; requests for the old one are redirected."""
        self.renamed(self, name)

    def read(self, path: str, branch: str | None = None) -> bytes:
        """A file of a branch; GitError if it is not there."""
        return self.git.git("cat-file", "blob", f"refs/heads/{branch or self.default_branch}:{path}")

    def files(self, branch: str | None = None) -> list[str]:
        """The paths of all files of a branch."""
        entries = self.git.tree(f"refs/heads/{branch or self.default_branch}", recursive=True)
        return [entry.path for entry in entries if entry.kind != "tree"]

    def next_second(self) -> int:
        """The time of the next commit, in seconds since 1970: the same in every run."""
        self.commits += 1
        return EPOCH + 60 * self.commits

    def synchronize(self) -> None:
        """Bring pull requests up to what was pushed: new heads, gone branches, merges that were pushed."""
        if not any(pull.state == "open" for pull in self.pulls):
            return
        own = self.branches
        for pull in self.pulls:
            if pull.state == "open":
                heads = own if pull.head_repository is self else pull.head_repository.branches
                self._follow(pull, heads.get(pull.head), own.get(pull.base))

    def _follow(self, pull: Pull, head: str | None, base: str | None) -> None:
        if head is None or base is None:
            pull.close()
            return
        before = pull.base_sha
        if (head, base) == (pull.head_sha, before):
            return
        if head != pull.head_sha:
            self.borrow(pull.head_repository, head, pull.number)
        pull.head_sha, pull.base_sha = head, base
        pull.touch()
        if self.git.is_ancestor(head, base):
            if base != before:
                pull.finish(base, self.owner)
            else:
                pull.close()

    def borrow(self, source: Repository, sha: str, number: int) -> None:
        """Keep the commit as `refs/pull/<number>/head`, fetched from the fork if it is there."""
        if source is not self:
            self.git.git("fetch", "--quiet", "--no-tags", str(source.bare), sha)
        self.git.set_ref(f"refs/pull/{number}/head", sha)

    def pulls_of(self, head: str, base: str, state: str = "open") -> Iterator[Pull]:
        """The pull requests from `owner:branch` to a base."""
        return (pull for pull in self.pulls if (pull.label, pull.base, pull.state) == (head, base, state))
