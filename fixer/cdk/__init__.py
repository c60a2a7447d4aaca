"""CDK Python: the typed vocabulary that rules are written in.

`load` reads an app; its files give constructs and calls by the CDK's own names, whatever the imports look like; these
say what they are given, and make edits that keep the layout. LibCST is imported when a file is first parsed.
"""

from fixer.cdk.app import CdkApp, load
from fixer.cdk.calls import Argument, Call, Construct
from fixer.cdk.file import CdkFile
from fixer.cdk.syntax import syntax_error

__all__ = ["Argument", "Call", "CdkApp", "CdkFacts", "CdkFile", "Construct", "SourceError", "load", "syntax_error"]
