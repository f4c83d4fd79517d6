"""A filter: keeps a text that the fixed gate would refuse for a mention, hashtag or link, without the sign.

What it does not see the gate still refuses.
"""

from collections.abc import Callable
from dataclasses import replace

import regex

from bot import Candidate, Filter, FilterContext, hookimpl

UNSEEN = regex.compile(r"[\p{C}\p{Default_Ignorable_Code_Point}\u2800--\n]", regex.VERSION1)
SPACE = regex.compile(r"[\t\r\x85\p{Zl}\p{Zp}]+")
STEPS = [  # each on what the one before has left
    (regex.compile(r"<[@!#]+&?(\w+)[^>\s]*>?|<(?:at|users)\b[ /]?(\w*)>?"), r"\1\2"),  # a chat's mention
    (regex.compile(r"\[~(\w+)\]|\[(?:id|club|public)\d+\|([^\]]*)\]|@\[(?:\d+:)*([^\]]*)\]"), r"\1\2\3"),
    (regex.compile(r"(?<=[\w+-])[@＠﹫]+(?=[\w\[*{<])"), " at "),
    (regex.compile(r"[@＠﹫]+(?=[\w\[*{<])"), ""),
    (regex.compile(r"(?<!\w)[#＃﹟]+(?=\w*\p{L}|\p{Extended_Pictographic})"), ""),
    (regex.compile(r"(?<![\w/])/?([urc])/(?=\w{3})"), r"\1 "),
    (regex.compile(r"(?<=\w)://|(?<=\w):(?=[/?+\w])(?<=[a-z]{3}:)"), " "),
    (regex.compile(r"(?<=[\w\p{Extended_Pictographic}])([.．｡。․])(?=[\w-]*\p{L}[\w-])"), r"\1 "),
    (regex.compile(r"(?<=\d)\.(?=\d+\.\d+\.\d)"), ". "),
]


def defuse() -> Filter:
    """Take the sign from mentions and hashtags, break addresses by a space, drop what cannot be seen."""

    def trim(candidate: Candidate, context: FilterContext) -> Candidate:
        text = UNSEEN.sub("", SPACE.sub(" ", candidate.text))
        for pattern, instead in STEPS:
            text = pattern.sub(instead, text)
        return replace(candidate, text=text)

    return trim


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"defuse": defuse}
