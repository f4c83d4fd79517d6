"""What the pages are handed: what they show, and whom they ask for a decision.

It makes nothing of it; `bot.page` does.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from threading import Lock

from bot.records import Draft, Verdict
from bot.review.decisions import Desk
from bot.review.shortlist import Shortlist
from bot.store.drafts import Drafts


@dataclass(frozen=True)
class Preview:
    """What one target would be given. length: in its own measure; limit: None if any will do.

    objection: why it would not take the text, "" if it would.
    """

    target: str
    account: str
    text: str
    length: int
    limit: int | None
    objection: str = ""

    @property
    def fits(self) -> bool:
        return not self.objection and (self.limit is None or self.length <= self.limit)


@dataclass(frozen=True)
class Office:
    """bots: of the configuration. desk: where a person decides.

    previews: of a draft as it is now; raises BotError if its bot is gone. gate: what speaks against it now.
    """

    bots: Sequence[str]
    drafts: Drafts
    desk: Callable[[str], Desk]
    shortlist: Shortlist
    previews: Callable[[Draft], Sequence[Preview]]
    gate: Callable[[Draft], Sequence[Verdict]]
    _one_at_a_time: Lock = field(default_factory=Lock)

    def next_draft(self, bot: str | None, skipped: Collection[int]) -> Draft | None:
        """The one to decide on next."""
        with self._one_at_a_time:
            return self.shortlist.next(bot, skipped)

    def learn(self, bot: str) -> None:
        """Let what was decided tell which draft comes next; nobody waits for it."""
        with self._one_at_a_time:
            self.shortlist.catch_up(bot)
