"""What pull requests have in common with issues: labels, comments, assignees."""

from __future__ import annotations

from typing import Any

from fake_github.calls import Answer, Call, RefusedError, invalid, not_found, operation
from fake_github.operations.pulls import check_length, reopen
from fake_github.state import Comment, Label, Pull, now

TALK = "issues|pull_requests"


@operation("issues/get", TALK)
def issue(call: Call) -> Answer:
    return Answer(call.github.view.issue(call.pull))


@operation("issues/update", TALK, "write")
def update_issue(call: Call) -> Answer:
    pull = call.pull
    check_length(call.body.get("body"))
    if call.body.get("state", pull.state) != pull.state:
        if pull.state == "open":
            pull.close()
        else:
            reopen(pull)
    for name in ("title", "body"):
        if name in call.body:
            setattr(pull, name, call.body[name])
    if "labels" in call.body:
        pull.labels = _labels(call, call.body["labels"])
    if "assignees" in call.body:
        pull.assignees = _assignable(call, call.body["assignees"])
    pull.touch()
    return Answer(call.github.view.issue(pull))


@operation("issues/add-assignees", TALK, "write")
def add_assignees(call: Call) -> Answer:
    pull = call.pull
    pull.assignees = list(dict.fromkeys([*pull.assignees, *_assignable(call, call.body["assignees"])]))[:10]
    return Answer(call.github.view.issue(pull), 201)


@operation("issues/list-labels-for-repo", TALK)
def labels(call: Call) -> Answer:
    return Answer([call.github.view.label(call.repository, label) for label in call.repository.labels.values()])


@operation("issues/get-label", TALK)
def label(call: Call) -> Answer:
    found = call.repository.labels.get(call.parameters["name"].lower())
    if found is None:
        raise not_found()
    return Answer(call.github.view.label(call.repository, found))


@operation("issues/create-label", TALK, "write")
def create_label(call: Call) -> Answer:
    name = call.body["name"]
    if name.lower() in call.repository.labels:
        raise invalid("Label", "name", "already_exists")
    made = Label(name, call.body.get("color", "ededed"), call.body.get("description"))
    call.repository.labels[name.lower()] = made
    return Answer(call.github.view.label(call.repository, made), 201)


@operation("issues/list-labels-on-issue", TALK)
def labels_of_pull(call: Call) -> Answer:
    return _labels_of(call, call.pull)


@operation("issues/add-labels", TALK, "write")
def add_labels(call: Call) -> Answer:
    pull = call.pull
    pull.labels = list(dict.fromkeys([*pull.labels, *_labels(call, call.body)]))
    pull.touch()
    return _labels_of(call, pull)


@operation("issues/set-labels", TALK, "write")
def set_labels(call: Call) -> Answer:
    pull = call.pull
    pull.labels = _labels(call, call.body)
    pull.touch()
    return _labels_of(call, pull)


@operation("issues/remove-label", TALK, "write")
def remove_label(call: Call) -> Answer:
    pull, name = call.pull, call.parameters["name"].lower()
    if name not in {label.lower() for label in pull.labels}:
        raise RefusedError(404, "Label does not exist")
    pull.labels = [label for label in pull.labels if label.lower() != name]
    pull.touch()
    return _labels_of(call, pull)


@operation("issues/remove-all-labels", TALK, "write")
def remove_labels(call: Call) -> Answer:
    call.pull.labels = []
    return Answer(None, 204)


@operation("issues/list-comments", TALK)
def comments(call: Call) -> Answer:
    pull = call.pull
    return Answer([call.github.view.comment(pull, comment) for comment in pull.comments])


@operation("issues/create-comment", TALK, "write")
def create_comment(call: Call) -> Answer:
    pull = call.pull
    if pull.locked:
        raise RefusedError(403, "Unable to create comment because issue is locked.")
    check_length(call.body["body"])
    shown = call.github.view.comment(pull, pull.comment(call.body["body"], call.account))
    return Answer(shown, 201, headers={"Location": shown["url"]})


@operation("issues/update-comment", TALK, "write")
def update_comment(call: Call) -> Answer:
    pull, comment = _comment(call)
    check_length(call.body["body"])
    comment.body, comment.updated_at = call.body["body"], now()
    return Answer(call.github.view.comment(pull, comment))


@operation("issues/delete-comment", TALK, "write")
def delete_comment(call: Call) -> Answer:
    pull, comment = _comment(call)
    pull.comments.remove(comment)
    return Answer(None, 204)


def _comment(call: Call) -> tuple[Pull, Comment]:
    for pull in call.repository.pulls:
        for comment in pull.comments:
            if str(comment.id) == call.parameters["comment_id"]:
                return pull, comment
    raise not_found()


def _labels_of(call: Call, pull: Pull) -> Answer:
    known = pull.repository.labels
    return Answer([call.github.view.label(pull.repository, known[name.lower()]) for name in pull.labels])


def _labels(call: Call, asked: Any) -> list[str]:
    """The names that a body has in one of GitHub's four ways; labels that the repository lacks are made."""
    given = asked.get("labels", []) if isinstance(asked, dict) else asked
    names = [each if isinstance(each, str) else each["name"] for each in ([given] if isinstance(given, str) else given)]
    return [call.repository.labels.setdefault(name.lower(), Label(name)).name for name in names]


def _assignable(call: Call, logins: list[str]) -> list[str]:
    """Those who can be assigned: GitHub drops the others without a word."""
    owner = call.repository.owner
    return [login for login in logins if login in call.repository.collaborators | owner.members | {owner.login}]
