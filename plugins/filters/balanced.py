"""A filter: brackets and quotes come in pairs.

A single quote is never asked for its partner: it may be an apostrophe.
"""

from collections.abc import Callable

from bot import Candidate, Filter, FilterContext, Reject, hookimpl

BRACKETS = "() [] {} ⟨⟩ （） ［］ ｛｝ 「」 『』 【】 〈〉 《》 〔〕 〖〗 ｢｣"
QUOTES = {  # what may close each: languages turn the same marks in different ways
    '"': '"', "“": "”", "„": "“”", "”": "”", "‟": "”", "«": "»", "»": "«»", "‹": "›", "›": "‹›", "〝": "〞〟",
}  # fmt: skip
_CLOSERS = {pair[0]: pair[1] for pair in BRACKETS.split()} | QUOTES
_CLOSING = frozenset("".join(_CLOSERS.values()))


def balanced() -> Filter:
    """Reject a text in which a bracket or a quote is not closed, or closes nothing."""

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        if fault := _fault(candidate.text):
            raise Reject(fault)
        return candidate

    return judge


def _fault(text: str) -> str:
    """The first mark without a partner, in words; "" if all have one."""
    waiting: list[str] = []  # opened and not closed
    for before, mark in zip(" " + text, text, strict=False):
        if waiting and mark in _CLOSERS[waiting[-1]]:
            waiting.pop()
        elif mark == '"' and before.isdigit():
            continue  # inches
        elif mark in _CLOSERS:
            waiting.append(mark)
        elif mark in _CLOSING:
            return f"{mark} closes nothing" if not waiting else f"{mark} closes {waiting[-1]}"
    return f"{waiting[-1]} is not closed" if waiting else ""


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"balanced": balanced}
