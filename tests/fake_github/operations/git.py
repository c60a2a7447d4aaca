"""Branches, commits, files, and git's own objects."""

from __future__ import annotations

import base64
import binascii

from fake_github.bare import GitError
from fake_github.calls import Answer, Call, RefusedError, not_found, operation
from fake_github.represent import Json
from fake_github.state import Repository, now


@operation("repos/list-branches", "contents")
def branches(call: Call) -> Answer:
    url = f"{call.github.view.api}/repos/{call.repository.full_name}/commits"
    return Answer(
        [
            {"name": name, "commit": {"sha": sha, "url": f"{url}/{sha}"}, "protected": False}
            for name, sha in call.repository.branches.items()
        ]
    )


@operation("repos/get-branch", "contents")
def branch(call: Call) -> Answer:
    repository, name = call.repository, call.parameters["branch"]
    sha = repository.branches.get(name)
    if sha is None:
        raise RefusedError(404, "Branch not found")
    url = f"{call.github.view.api}/repos/{repository.full_name}/branches/{name}"
    html = f"{call.github.view.origin}/{repository.full_name}/tree/{name}"
    return Answer(
        {
            "name": name,
            "commit": call.github.view.commit(repository, repository.git.read_commit(sha)),
            "_links": {"self": url, "html": html},
            "protected": False,
            "protection": {"enabled": False},
            "protection_url": f"{url}/protection",
        }
    )


@operation("repos/list-commits", "contents")
def commits(call: Call) -> Answer:
    repository = call.repository
    if not repository.branches:
        raise RefusedError(409, "Git Repository is empty.")
    start = _resolved(repository, call.query.get("sha", repository.default_branch))
    return Answer([call.github.view.commit(repository, commit) for commit in repository.git.log(start)])


@operation("repos/get-commit", "contents")
def commit(call: Call) -> Answer:
    repository = call.repository
    found = repository.git.read_commit(_resolved(repository, call.parameters["ref"], status=422))
    files = repository.git.changed(found.parents[0], found.sha) if found.parents else []
    return Answer(call.github.view.commit(repository, found, files))


@operation("repos/compare-commits-with-basehead", "contents")
def compare(call: Call) -> Answer:
    repository, git = call.repository, call.repository.git
    names = call.parameters["basehead"].split("...")
    if len(names) != 2:
        raise not_found()
    base, head = (_resolved(repository, name.rpartition(":")[2]) for name in names)
    fork = git.merge_base(base, head)
    if fork is None:
        raise RefusedError(404, f"No common ancestor between {names[0]} and {names[1]}.")
    ahead, behind = git.count(base, head), git.count(head, base)
    words = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind", (False, False): "identical"}
    view = call.github.view
    html = f"{view.origin}/{repository.full_name}/compare/{call.parameters['basehead']}"
    found = list(reversed(git.log(f"{base}..{head}")))
    return Answer(
        {
            "url": f"{view.api}/repos/{repository.full_name}/compare/{call.parameters['basehead']}",
            "html_url": html,
            "permalink_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "base_commit": view.commit(repository, git.read_commit(base)),
            "merge_base_commit": view.commit(repository, git.read_commit(fork)),
            "status": words[ahead > 0, behind > 0],
            "ahead_by": ahead,
            "behind_by": behind,
            "total_commits": ahead,
            "commits": [view.commit(repository, commit) for commit in found],
            "files": [view.file(repository, head, file) for file in git.changed(fork, head)],
        }
    )


@operation("repos/get-content", "contents")
def content(call: Call) -> Answer:
    repository, path = call.repository, call.parameters["path"].strip("/")
    ref = call.query.get("ref", repository.default_branch)
    sha = _resolved(repository, ref)
    entries = repository.git.tree(sha, path=path)
    if not entries:
        raise not_found()
    (entry,) = entries
    if entry.kind == "tree":
        below = repository.git.tree(sha, path=f"{path}/")
        return Answer([call.github.view.content(repository, ref, each) for each in below])
    shown = call.github.view.content(repository, ref, entry)
    if entry.kind == "commit":
        return Answer({**shown, "submodule_git_url": None})
    raw = repository.git.blob(entry.sha)
    if entry.mode == "120000":
        return Answer({**shown, "target": raw.decode()})
    return Answer({**shown, "encoding": "base64", "content": base64.encodebytes(raw).decode()})


@operation("git/get-ref", "contents")
def ref(call: Call) -> Answer:
    name = f"refs/{call.parameters['ref']}"
    sha = call.repository.git.refs().get(name)
    if sha is None:
        raise not_found()
    return Answer(call.github.view.ref(call.repository, name, sha))


@operation("git/list-matching-refs", "contents")
def matching_refs(call: Call) -> Answer:
    start = f"refs/{call.parameters['ref']}"
    found = {name: sha for name, sha in call.repository.git.refs().items() if name.startswith(start)}
    return Answer([call.github.view.ref(call.repository, name, sha) for name, sha in found.items()])


@operation("git/create-ref", "contents", "write")
def create_ref(call: Call) -> Answer:
    name, sha, git = call.body["ref"], call.body["sha"], call.repository.git
    if not name.startswith("refs/") or name.count("/") < 2:
        raise RefusedError(422, f"Reference name must start with 'refs/' and have at least two slashes: {name}")
    if name in git.refs():
        raise RefusedError(422, "Reference already exists")
    _put_ref(call, name, sha)
    return Answer(call.github.view.ref(call.repository, name, sha), 201)


@operation("git/update-ref", "contents", "write")
def update_ref(call: Call) -> Answer:
    name, sha, git = f"refs/{call.parameters['ref']}", call.body["sha"], call.repository.git
    old = git.refs().get(name)
    if old is None:
        raise RefusedError(422, "Reference does not exist")
    if git.kind(sha) == "commit" and not call.body.get("force") and not git.is_ancestor(old, sha):
        raise RefusedError(422, "Update is not a fast forward")
    _put_ref(call, name, sha)
    return Answer(call.github.view.ref(call.repository, name, sha))


@operation("git/delete-ref", "contents", "write")
def delete_ref(call: Call) -> Answer:
    name, git = f"refs/{call.parameters['ref']}", call.repository.git
    if name not in git.refs():
        raise RefusedError(422, "Reference does not exist")
    if name == f"refs/heads/{call.repository.default_branch}":
        raise RefusedError(422, "Cannot delete the default branch")
    git.delete_ref(name)
    call.repository.synchronize()
    return Answer(None, 204)


@operation("git/get-blob", "contents")
def blob(call: Call) -> Answer:
    sha, git = call.parameters["file_sha"], call.repository.git
    if git.kind(sha) != "blob":
        raise not_found()
    raw = git.blob(sha)
    url = f"{call.github.view.api}/repos/{call.repository.full_name}/git/blobs/{sha}"
    text = base64.encodebytes(raw).decode()
    return Answer({"sha": sha, "node_id": sha, "size": len(raw), "url": url, "content": text, "encoding": "base64"})


@operation("git/create-blob", "contents", "write")
def create_blob(call: Call) -> Answer:
    raw = call.body["content"].encode()
    if call.body.get("encoding") == "base64":
        try:
            raw = base64.b64decode(raw)
        except binascii.Error:
            raise RefusedError(422, "content is not valid Base64") from None
    sha = call.repository.git.write_blob(raw)
    return Answer({"sha": sha, "url": f"{call.github.view.api}/repos/{call.repository.full_name}/git/blobs/{sha}"}, 201)


@operation("git/get-tree", "contents")
def tree(call: Call) -> Answer:
    sha = _resolved(call.repository, call.parameters["tree_sha"], kinds=("commit", "tree"))
    entries = call.repository.git.tree(sha, recursive=call.query.get("recursive") is not None)
    top = call.repository.git.says("rev-parse", f"{sha}^{{tree}}")
    return Answer(call.github.view.tree(call.repository, top, entries))


@operation("git/create-tree", "contents", "write")
def create_tree(call: Call) -> Answer:
    git = call.repository.git
    entries = []
    for entry in call.body["tree"]:
        sha = entry.get("sha")
        if "content" in entry:
            sha = git.write_blob(entry["content"].encode())
        elif sha is not None and git.kind(sha) != entry.get("type", "blob"):
            raise RefusedError(422, f"tree.sha {sha} is not a valid {entry.get('type', 'blob')}")
        entries.append((entry["path"], entry.get("mode", "100644"), sha))
    try:
        sha = git.write_tree(call.body.get("base_tree"), entries)
    except GitError as error:
        raise RefusedError(422, f"GitRPC::BadObjectState: {error}") from None
    return Answer(call.github.view.tree(call.repository, sha, git.tree(sha)), 201)


@operation("git/get-commit", "contents")
def git_commit(call: Call) -> Answer:
    sha = call.parameters["commit_sha"]
    if call.repository.git.kind(sha) != "commit":
        raise not_found()
    return Answer(call.github.view.git_commit(call.repository, call.repository.git.read_commit(sha)))


@operation("git/create-commit", "contents", "write")
def create_commit(call: Call) -> Answer:
    repository, git, asked = call.repository, call.repository.git, call.body
    if git.kind(asked["tree"]) != "tree":
        raise RefusedError(422, "Tree SHA does not exist")
    if any(git.kind(parent) != "commit" for parent in asked.get("parents", [])):
        raise RefusedError(422, "Parent SHA does not exist or is not a commit object")
    login = call.account.login
    own = (login, f"{call.account.id}+{login}@users.noreply.github.com", now())
    author = _signature(asked["author"]) if "author" in asked else own
    committer = _signature(asked["committer"]) if "committer" in asked else author
    sha = git.write_commit(asked["tree"], asked.get("parents", []), asked["message"], author, committer)
    if call.account.kind == "Bot" and not {"author", "committer"} & asked.keys():
        repository.verified.add(sha)
    return Answer(call.github.view.git_commit(repository, git.read_commit(sha)), 201)


def _signature(given: Json) -> tuple[str, str, str]:
    return given["name"], given["email"], given.get("date", now())


def _put_ref(call: Call, name: str, sha: str) -> None:
    if call.repository.git.kind(sha) != "commit":
        raise RefusedError(422, "Object does not exist")
    try:
        call.repository.git.set_ref(name, sha)
    except GitError:
        raise RefusedError(422, "Reference update failed") from None
    call.repository.pushed_at = now()
    call.repository.synchronize()


def _resolved(repository: Repository, name: str, *, status: int = 404, kinds: tuple[str, ...] = ("commit",)) -> str:
    """The object that a branch's, a tag's or an object's name means."""
    refs = repository.git.refs()
    sha = refs.get(f"refs/heads/{name}") or refs.get(f"refs/tags/{name}") or refs.get(f"refs/{name}") or name
    if repository.git.kind(sha) not in kinds:
        raise RefusedError(status, f"No commit found for SHA: {name}")
    return sha
