"""Whether a target can take a text: by its own measure, and by what it would make of it.

It knows no draft and posts nothing.
"""

from collections.abc import Iterable, Mapping

from bot.interfaces import Target
from bot.records import Verdict

FIT = "targets"  # the verdict's filter


def objection(label: str, target: Target, text: str) -> str:
    """Why the target cannot take the text, "" if it can."""
    length = target.measure(text)
    if target.max_length is not None and length > target.max_length:
        return f"its length is {length}, and {label} takes {target.max_length}"
    object_to = getattr(target, "objection", None)
    reason = object_to(text) if object_to else ""
    return f"{label} does not take it: {reason}" if reason else ""


def judge(targets: Mapping[str, Target], text: str) -> Verdict:
    """A reject with every target's objection, for an approved text goes to all of them."""
    reasons = [reason for label, target in targets.items() if (reason := objection(label, target, text))]
    return Verdict(FIT, "reject" if reasons else "accept", _sentences(reasons))


def _sentences(reasons: Iterable[str]) -> str:
    return " ".join(f"{reason[0].upper()}{reason[1:].rstrip('.')}." for reason in reasons)
