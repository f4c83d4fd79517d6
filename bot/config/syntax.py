"""What a YAML parser complains of, in words for someone who writes a settings file.

It knows PyYAML's complaints and nothing of settings. A complaint that it does not know it quotes.
"""

import re
from typing import Any

_UNCLOSED = {  # what was being read: told of where that began
    "quoted scalar": "the quotation mark that opens here is not closed",
    "flow sequence": "the [ that opens here is not closed, or a comma is missing in it",
    "flow mapping": "the { that opens here is not closed, or a comma is missing in it",
    "simple key": "there is no colon after the name of a setting, which is written `name: value`",
}
_FOUND = {  # \1 is what was found
    r"mapping values are not allowed": "a second setting cannot begin within a line: put a text with a colon "
    "into quotes, or let the line begin where its neighbours do",
    r"sequence entries are not allowed": "an item of a list begins a line of its own, as `- item`",
    r"found character '\\t'": "a tab: indent with spaces",
    r"found character (.+) that cannot start": r"a text that begins with \1 needs quotes",
    r"unknown escape character|expected escape sequence": "in double quotes a backslash begins a sign of its "
    "own: use single quotes, or write two of them",
    r"expected <block end>": "the line does not begin where those do that it belongs to: check how it is "
    "indented",
    r"expected the node content, but found (.+)": r"there is no value where \1 stands",
    r"another document|<document start>": "a second document begins: a settings file is one, without ---",
}


def told(error: Any) -> tuple[Any, str]:
    """Of a MarkedYAMLError: the mark of the place, None if there is none, and what is wrong there."""
    context, problem = error.context or "", error.problem or ""
    here = error.problem_mark or error.context_mark
    for pattern, words in _FOUND.items():
        if found := re.search(pattern, problem):
            return here, found.expand(words)
    for read, words in _UNCLOSED.items():
        if read in context:
            return error.context_mark, words
    return here, "this is no YAML: " + ", ".join(filter(None, (context, problem)))
