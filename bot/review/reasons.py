"""Why drafts are rejected, by the names that are stored."""

from collections.abc import Mapping

from bot.errors import BotError

REASONS: Mapping[str, str] = {
    "dull": "not funny",
    "no_word": "not a word",
    "copied": "copied",
    "offensive": "offensive",
    "long": "too long",
}


def check(reason: str) -> None:
    """Raises BotError for a name that is none; "" is no reason at all."""
    if reason and reason not in REASONS:
        msg = f"no reason is called {reason!r} (have {', '.join(REASONS)}); write it as a remark"
        raise BotError(msg)
