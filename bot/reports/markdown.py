"""Texts in Markdown: nothing in them is read as Markdown's own, and nothing in them is lost."""

import re
from collections.abc import Sequence


def fenced(texts: Sequence[str]) -> str:
    """Texts as they are, between fences longer than any row of back-ticks in them."""
    fence = "`" * max(3, _longest_run(texts) + 1)
    return "\n".join([fence, *texts, fence])


def plain(text: str) -> str:
    """On one line, with nothing in it that Markdown would read as its own."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """On one line, letter by letter."""
    tick = "`" * (_longest_run([text]) + 1)
    line = " ".join(text.splitlines())
    return f"{tick} {line} {tick}" if not line.strip() or "`" in line or line != line.strip() else f"`{line}`"


def _longest_run(texts: Sequence[str]) -> int:
    """Of back-ticks."""
    return max((len(run) for text in texts for run in re.findall("`+", text)), default=0)
