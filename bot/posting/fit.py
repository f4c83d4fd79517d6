"""Whether a target can take a text: by its own measure, and by what it would make of it.

It knows no draft and posts nothing.
"""

from collections.abc import Iterable, Mapping

from bot.errors import PluginError
from bot.interfaces import Target
from bot.records import Secret, Verdict

FIT = "targets"  # the verdict's filter
MOST_USD = 1e6  # for a post


def objection(label: str, target: Target, text: str) -> str:
    """Why the target cannot take the text, "" if it can."""
    length = target.measure(text)
    if target.max_length is not None and length > target.max_length:
        return f"its length is {length}, and {label} takes {target.max_length}"
    object_to = getattr(target, "objection", None)
    reason = object_to(text) if object_to else ""
    return f"{label} does not take it: {reason}" if reason else ""


def cost(label: str, target: Target, text: str) -> float:
    """What a post of the text costs there, in USD. Raises PluginError if the target gives no sum of money."""
    ask = getattr(target, "cost", None)
    try:
        usd = float(ask(text)) if ask else 0.0
    except Exception as error:
        msg = f"{label} cannot say what a post costs: {Secret.redact(str(error))}"
        raise PluginError(msg) from error
    if not 0 <= usd < MOST_USD:
        msg = f"{label} says that a post costs {usd:g} USD"
        raise PluginError(msg)
    return usd


def judge(targets: Mapping[str, Target], text: str) -> Verdict:
    """A reject with every target's objection, for an approved text goes to all of them."""
    reasons = [reason for label, target in targets.items() if (reason := objection(label, target, text))]
    return Verdict(FIT, "reject" if reasons else "accept", _sentences(reasons))


def _sentences(reasons: Iterable[str]) -> str:
    return " ".join(f"{reason[0].upper()}{reason[1:].rstrip('.')}." for reason in reasons)
