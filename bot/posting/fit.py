"""Whether a target can take a text and what goes with it: by its own measure, and what it would make of it.

It knows no draft and posts nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from bot.errors import PluginError
from bot.interfaces import Target
from bot.records import Media, Secret, Takes, Verdict

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


def judge(targets: Mapping[str, Target], text: str, media: Sequence[Media] = ()) -> Verdict:
    """A reject with every target's objection, for an approved text goes to all of them.

    One that takes the text but none of the attachments is no objection; the reason tells it.
    """
    reasons = [reason for label, target in targets.items() if (reason := objection(label, target, text))]
    if reasons:
        return Verdict(FIT, "reject", _sentences(reasons))
    lost = [reason for label, target in targets.items() if (reason := left_out(label, target, media))]
    return Verdict(FIT, "accept", _sentences(lost))


def chosen(target: Target, media: Sequence[Media]) -> tuple[Media, ...]:
    """What the target takes of it: the first that it can, and what it takes together with that one."""
    for one in media:
        for takes in getattr(target, "takes", ()):
            if _fits(takes, one):
                return tuple(_together(takes, media))
    return ()


def left_out(label: str, target: Target, media: Sequence[Media]) -> str:
    """What people should know of attachments that the target posts none of, "" if there is nothing to say."""
    if not media or chosen(target, media):
        return ""
    return f"{label} takes none of {', '.join(map(str, media))}: it posts the text alone"


def manner(target: Target) -> str:
    """How the target posts a text, "" if there is nothing to say of it."""
    return str(getattr(target, "manner", ""))


def _fits(takes: Takes, one: Media) -> bool:
    small = takes.largest is None or one.size <= takes.largest
    fits = takes.in_all is None or one.size <= takes.in_all
    return small and fits and any(fnmatchcase(one.media_type, pattern) for pattern in takes.media_types)


def _together(takes: Takes, media: Sequence[Media]) -> Iterable[Media]:
    size = count = 0
    for one in filter(lambda one: _fits(takes, one), media):
        if count < takes.most and (takes.in_all is None or size + one.size <= takes.in_all):
            size, count = size + one.size, count + 1
            yield replace(one, alt_text=_cut(one.alt_text, takes.longest_alt_text))


def _cut(text: str, longest: int | None) -> str:
    """The text at most so long, with a sign where it was cut."""
    return text if longest is None or len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _sentences(reasons: Iterable[str]) -> str:
    return " ".join(f"{reason[0].upper()}{reason[1:].rstrip('.')}." for reason in reasons)
