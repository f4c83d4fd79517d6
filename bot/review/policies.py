"""Policies decide where no person does, and say so: each decision carries the policy's name.

A policy approves or leaves alone. It never rejects, never overrides the gate, and never decides on a draft
that somebody has decided on before: what a person has undone or edited stays a person's.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from bot.errors import BotError, Conflict, GateError
from bot.records import Draft, Favourite
from bot.review.decisions import Desk
from bot.store.drafts import Drafts

ACTOR = "policy"
RECYCLE = (
    "recycle"  # no `review:`, but what an owner asks for who stars a draft and lets favourites come again
)
MANUAL = "manual"  # the policy that leaves all to a person
TASTE = "taste"  # the one that approves what the owner surely would, and leaves the rest to them
FOR_PEOPLE = (MANUAL, TASTE)  # where what is pending waits for a person


def never(draft: Draft) -> bool:
    return False


def unquestioned(draft: Draft) -> bool:
    """No filter asked for a person."""
    return all(verdict.outcome != "ask" for verdict in draft.verdicts)


POLICIES: Mapping[str, Callable[[Draft], bool]] = {
    MANUAL: never,
    "automatic": unquestioned,
    TASTE: unquestioned,  # and liked, see `run_policy`
    "demo": unquestioned,  # the same, so that the records tell a demonstration from a choice
}


def look_up(name: str, bot: str) -> Callable[[Draft], bool]:
    """The policy that a bot names. Raises BotError if none is called so."""
    if name not in POLICIES:
        msg = f"bots.{bot}.review: no policy is called {name!r} (have {', '.join(POLICIES)})"
        raise BotError(msg)
    return POLICIES[name]


def run_policy(
    name: str,
    bot: str,
    drafts: Drafts,
    open_desk: Callable[[str], Desk],
    open_liking: Callable[[str], Callable[[Draft], bool]],
) -> list[Draft]:
    """Approve the bot's pending drafts that the policy wants; those the gate forbids wait for a person.

    open_desk: the desk for an actor. open_liking: what a bot's owner would surely approve, asked only by the
    policy `taste`. Raises BotError if no policy is called so.
    """
    wants, desk, approved = look_up(name, bot), open_desk(ACTOR), []
    likes = open_liking(bot) if name == TASTE else lambda draft: True
    for draft in drafts.list("pending", bot):
        if not wants(draft) or drafts.decisions(draft.id) or not likes(draft):
            continue
        try:
            approved.append(desk.approve(draft.id, draft.sha256, policy=name))
        except (GateError, Conflict):
            continue
    return approved


def recycle(bot: str, silent_since: datetime, drafts: Drafts, desk: Desk) -> Draft | None:
    """Approve a copy of the favourite that was silent for longest, if since then at least."""
    for favourite in recyclable(bot, drafts, desk):
        if favourite.at > silent_since:
            break
        copy = drafts.recycle(favourite.draft.id)
        return desk.approve(copy.id, copy.sha256, policy=RECYCLE)
    return None


def recyclable(bot: str, drafts: Drafts, desk: Desk) -> Iterator[Favourite]:
    """The favourites that may go out again, that of the longest silence first."""
    for favourite in drafts.favourites(bot):
        said = desk.gate(bot, favourite.draft.text, favourite.draft.id)
        if all(verdict.outcome not in ("reject", "ask") for verdict in said):
            yield favourite
