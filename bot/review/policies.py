"""Policies decide where no person does, and say so: each decision carries the policy's name.

A policy approves or leaves alone. It never rejects, never overrides the gate, and never decides on a draft
that somebody has decided on before: what a person has undone or edited stays a person's.
"""

from collections.abc import Callable, Mapping

from bot.errors import BotError, Conflict, GateError
from bot.records import Draft
from bot.review.decisions import Desk
from bot.store.drafts import Drafts

ACTOR = "policy"
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
