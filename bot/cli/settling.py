"""What is in doubt, told and settled by number, for `bot settle`."""

from bot.cli.app import say
from bot.cli.plain import plain
from bot.errors import BotError
from bot.records import Delivery
from bot.review.outgoing import Outgoing


def list_doubts(outgoing: Outgoing) -> None:
    doubts = outgoing.uncertain()
    for doubt in doubts:
        print(f"{doubt.draft}  {doubt.target} ({doubt.account})  {plain(doubt.text)}  {plain(doubt.reason)}")
    if doubts:
        say("Look there, then: bot settle ID --posted ADDRESS, or --not-posted, or --cancel")
    else:
        say("Nothing is in doubt.")


def settle_doubt(
    outgoing: Outgoing, draft: int, target: str | None, posted: str | None, not_posted: bool, cancel: bool
) -> None:
    """Raises BotError unless exactly one thing is said of exactly one delivery."""
    if (posted is not None) + not_posted + cancel != 1:
        msg = f"draft {draft}: say one of --posted ADDRESS, --not-posted and --cancel"
        raise BotError(msg)
    doubt = _of_draft(outgoing, draft, target)
    if posted is not None:
        settled = outgoing.was_posted(doubt.id, posted, doubt.fence)
    elif not_posted:
        settled = outgoing.was_not_posted(doubt.id, doubt.fence)
    else:
        settled = outgoing.cancel(doubt.id, doubt.fence)
    say(f"draft {draft} on {settled.target}: {settled.state}")


def _of_draft(outgoing: Outgoing, draft: int, target: str | None) -> Delivery:
    doubts = [it for it in outgoing.uncertain() if it.draft == draft and target in (None, it.target)]
    if not doubts:
        at = f" on {target}" if target else ""
        msg = f"draft {draft}{at} is not in doubt; what is: bot settle"
        raise BotError(msg)
    if len(doubts) > 1:
        msg = f"draft {draft} is in doubt on {', '.join(it.target for it in doubts)}: add --target"
        raise BotError(msg)
    return doubts[0]
