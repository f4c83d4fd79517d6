"""The next draft to decide: mostly what the owner will probably like, and some to learn from.

Why a draft was picked, and how probable that was, is noted when it is shown. It decides nothing, and no
decision waits for it: it learns when it is told to catch up.
"""

from collections.abc import Callable, Collection, Sequence
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.curation.taste.learner import Learner
from bot.curation.taste.model import MOST, Taste
from bot.curation.taste.picking import Lottery
from bot.records import Draft, Judgement, Reason
from bot.store.drafts import Drafts
from bot.store.judgements import Judgements

LOOKED_AT = 2000  # drafts that wait, the oldest: in a longer queue the others wait their turn


class Picked(NamedTuple):
    """A draft to be shown; why, and how probable that was, where drafts compete."""

    draft: Draft
    reason: Reason | None = None
    propensity: float = 1.0


class Shortlist:
    """explore: a bot's share of drafts shown to learn from; None shows its oldest first and notes nothing.

    One thread at a time.
    """

    def __init__(
        self,
        drafts: Drafts,
        judgements: Judgements,
        explore: Callable[[str], float | None],
        random: Random | None = None,
    ):
        self._drafts, self._judgements, self._explore = drafts, judgements, explore
        self._random = random or Random()
        self._known: dict[str, _Known] = {}

    def next(self, bot: str | None = None, skipped: Collection[int] = ()) -> Draft | None:
        """A pending draft that was not skipped, None if none is left; of all bots, the oldest one's first.

        That it is shown, and why, is noted.
        """
        picked = self.pick(bot, skipped)
        if picked is None:
            return None
        self.note(picked)
        return picked.draft

    def pick(self, bot: str | None = None, skipped: Collection[int] = ()) -> Picked | None:
        """The same, to be shown later; `note` it then."""
        if bot is None or self._explore(bot) is None:
            pending = self._drafts.list("pending", bot, limit=len(skipped) + 1)
            oldest = next((draft for draft in pending if draft.id not in skipped), None)
            if oldest is None or self._explore(oldest.bot) is None:
                return Picked(oldest) if oldest else None
            bot = oldest.bot
        waiting = self._drafts.list("pending", bot, limit=len(skipped) + LOOKED_AT)
        pending = [draft for draft in waiting if draft.id not in skipped]
        return self._pick(bot, pending) if pending else None

    def note(self, picked: Picked) -> None:
        """Note that it is shown now."""
        if picked.reason is not None:
            self._judgements.show(picked.draft, picked.reason, picked.propensity)

    def catch_up(self, bot: str) -> None:
        """Learn from the decisions on a bot's drafts that were made since, and judge those that wait."""
        if self._explore(bot) is None:
            return
        known = self._known.setdefault(bot, _Known())
        known.learn(self._judgements.list(bot, MOST))
        pending = self._drafts.list("pending", bot, limit=LOOKED_AT)
        if (scores := known.judge(pending)) is not None:
            self._store(pending, scores)

    def _store(self, pending: Sequence[Draft], scores: NDArray[np.float64]) -> None:
        """Keep what has changed, so that lists can be sorted by it."""
        rounded = {draft.id: round(float(score), 2) for draft, score in zip(pending, scores, strict=True)}
        self._judgements.score({it.id: rounded[it.id] for it in pending if it.score != rounded[it.id]})

    def _pick(self, bot: str, pending: Sequence[Draft]) -> Picked:
        if bot not in self._known:
            self.catch_up(bot)
        surprises = np.array([draft.candidate.surprise for draft in pending])
        lottery = Lottery(surprises, self._known[bot].judge(pending), self._explore(bot) or 0.0)
        pick = lottery.draw(self._random)
        return Picked(pending[pick.index], pick.reason, pick.propensity)


class _Known:
    """A bot's taste, and what it says of drafts: each is judged once."""

    def __init__(self) -> None:
        self._learner = Learner()
        self._taste: Taste | None = None
        self._judged: dict[tuple[int, str], float] = {}

    def learn(self, judgements: Sequence[Judgement]) -> None:
        taste = self._learner(judgements)
        if taste is not self._taste:
            self._taste, self._judged = taste, {}

    def judge(self, drafts: Sequence[Draft]) -> NDArray[np.float64] | None:
        """The probability of each that it would be approved; None while there is no taste."""
        if self._taste is None:
            return None
        new = [draft for draft in drafts if (draft.id, draft.sha256) not in self._judged]
        if new:
            keys = ((draft.id, draft.sha256) for draft in new)
            self._judged |= zip(keys, map(float, self._taste(new)), strict=True)
        return np.array([self._judged[draft.id, draft.sha256] for draft in drafts])
