"""The operations of the REST API: what each does to the state, and what it refuses in which words.

The words are GitHub's where they are known from its documentation or from what people quote in issues.
"""

from fake_github.calls import RULES
from fake_github.operations import accounts, apps, git, issues, pulls

__all__ = ["RULES", "accounts", "apps", "git", "issues", "pulls"]
