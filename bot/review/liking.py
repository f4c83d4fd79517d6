"""What the policy `taste` would approve: drafts as probable as those that the owner agreed on often enough.

It approves nothing itself: that is the policy's, and only where a bot's `review:` names it.
"""

import math

from bot.curation.taste.model import MOST, Taste, examples
from bot.curation.taste.prequential import FIRST, learn
from bot.curation.taste.threshold import threshold
from bot.records import Draft, Judgement
from bot.store.judgements import Judgements

HELD = 10  # one in so many is left to the owner, or nobody would notice that a taste has changed


class Liking:
    """One bot's; precision: the share of its approvals that the owner would make too, at least.

    It learns anew only when something was decided.
    """

    def __init__(self, judgements: Judgements, bot: str, precision: float):
        self._judgements, self._bot, self._precision = judgements, bot, precision
        self._learned_from: list[Judgement] | None = None
        self._taste: Taste | None = None
        self._limit = math.inf

    def catch_up(self) -> None:
        latest = list(self._judgements.list(self._bot, MOST))
        if latest == self._learned_from:
            return
        self._learned_from, self._taste, self._limit = latest, None, math.inf
        if len(latest) > FIRST:
            known = examples(latest)
            learned = learn(known)
            self._taste, self._limit = learned.taste, threshold(learned.scores, known.labels, self._precision)

    def __call__(self, draft: Draft) -> bool:
        """Whether the owner would surely enough approve it."""
        if self._taste is None or math.isinf(self._limit) or is_held(draft):
            return False
        return bool(self._taste([draft])[0] >= self._limit)


def is_held(draft: Draft) -> bool:
    """Whether it is one of those that are always left to the owner."""
    return int(draft.sha256[:8], 16) % HELD == 0
