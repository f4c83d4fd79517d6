"""Keeps the queues filled: what a bot asks the host for, and what becomes of the answer."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from bot.curation.chain import funnel
from bot.curation.forced import forced
from bot.curation.variety import ruts, variety
from bot.errors import BotError, ChildError, Unavailable
from bot.events import Approved, Failed, Filled, Tell
from bot.host import Answer, Host, Order, in_groups, informed, make_order
from bot.house import House
from bot.posting.strikes import ENOUGH
from bot.records import Secret
from bot.review.policies import FOR_PEOPLE, run_policy

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)
REST = timedelta(minutes=5)  # after a turn that failed or brought nothing
QUARANTINE = 12  # times REST, for a bot whose filter fails
DOUBLINGS = 6  # of REST, for a bot that breaks the host again and again: to some five hours
Made = TypeVar("Made")


def enqueue(house: House, order: Order, answer: Answer) -> Filled:
    """Queue what an order brought, in one transaction. Raises what it failed of."""
    if isinstance(answer, Exception):
        raise answer
    for name in order.checkpoints:
        house.checkpoint(order.model, name)  # if a training has removed it, no draft can be replayed
    judged = house.fitting(order.bot, answer)
    drafts = house.drafts.add(order.bot, judged)
    if house.bot(order.bot).renderers:
        house.media.prune()
    texts = [draft.text for draft in drafts]
    asked = cache(house.asked)
    sampled = [(draft.candidate.raw_text, asked(draft.candidate.sampling)) for draft in drafts]
    stuck = ruts(texts, house.usual(order.model, order.checkpoints), lambda kind: forced(kind, sampled))
    became = funnel(judged, [choice.name for choice in house.bot(order.bot).filters])
    house.fills.keep(order.bot, became)
    return Filled(order.bot, became, drafts, waiting(house, order.bot), variety(texts), stuck)


def waiting(house: House, bot: str) -> int:
    """The drafts in the bot's queue that may still be posted."""
    return house.drafts.count("pending", bot) + house.drafts.count("approved", bot)


def stock(house: House, bot: str) -> int:
    """The drafts that posts will come from; what a policy leaves to a person may never be one of them."""
    for_people = house.bot(bot).review in FOR_PEOPLE
    return waiting(house, bot) if for_people else house.drafts.count("approved", bot)


class Filling:
    """One turn: bots whose stock runs low get more, by their review policies and then from their models.

    All that need more ask together: the host samples for those of one model in one decode.
    """

    def __init__(self, house: House, host: Host, tell: Tell, stop: threading.Event):
        self._house, self._host, self._tell, self._stop = house, host, tell, stop
        self._resting: dict[str, datetime] = {}  # bot -> until when
        self._broken: Counter[str] = Counter()  # bot -> how often in a row its order broke the host
        self._before: dict[str, int] = {}  # bot -> its stock when its turn began
        self._outage: Unavailable | None = None

    def __call__(self) -> None:
        """Raises Unavailable where the database fails: that is no bot's fault, and all have to wait."""
        self._outage = None
        self._turn()
        if self._outage:
            raise self._outage

    def _turn(self) -> None:
        orders = [order for bot in self._awake() if (order := self._guarded(bot, self._wish, bot))]
        for group in in_groups(orders):
            if self._stop.is_set():
                return
            for order, answer in self._host.ask_all([informed(self._house, order) for order in group]):
                self._guarded(order.bot, self._take, order, answer)
                if self._stop.is_set():
                    return  # what is in hand is broken off, as it shall be

    def _awake(self) -> list[str]:
        return [bot for bot in self._house.config.bots if not self._is_resting(bot)]

    def _is_resting(self, bot: str) -> bool:
        """A rest that is longer than any was begun by a wrong clock."""
        now = self._house.clock()
        return now < self._resting.get(bot, now) <= now + REST * (1 << DOUBLINGS)

    def _wish(self, bot: str) -> Order | None:
        """What a bot still needs when its policy has approved what it wants; None if nothing."""
        enough = self._house.bot(bot).queue_size
        self._before[bot] = stock(self._house, bot)
        if self._before[bot] >= enough or (self._approve(bot) and stock(self._house, bot) >= enough):
            return None
        return make_order(self._house, bot)

    def _take(self, order: Order, answer: Answer) -> None:
        bot, filled = order.bot, enqueue(self._house, order, answer)
        self._tell(filled)
        self._approve(bot)
        del self._broken[bot]
        if failing := failing_filter(filled):
            self._tell(Failed(bot, failing))
            self._rest(bot, QUARANTINE)
            return
        if given_up := self._house.renderings.given_up(bot):
            self._tell(Failed(bot, given_up))
        if stock(self._house, bot) <= self._before[bot]:
            self._rest(bot)

    def _guarded(self, bot: str, act: Callable[..., Made], *given: Any) -> Made | None:
        """A bot's turn, or a part of it, that harms no other."""
        if self._stop.is_set() or self._outage:
            return None
        try:
            return act(*given)
        except Unavailable as error:
            self._outage = error
        except Exception as error:  # also what a plugin raised in the host
            if not self._stop.is_set():
                self._fail(bot, error)
        return None

    def _fail(self, bot: str, error: Exception) -> None:
        """One that broke the host rests twice as long every time: all others had to wait for it."""
        if not isinstance(error, BotError):
            log.error("bot %s was not filled", bot, exc_info=error)
        reason = Secret.redact(str(error)) or type(error).__name__
        self._tell(Failed(bot, reason, isinstance(error, ChildError)))
        self._rest(bot, times=2 ** min(self._broken[bot], DOUBLINGS))
        self._broken[bot] += isinstance(error, ChildError)

    def _rest(self, bot: str, times: int = 1) -> None:
        self._resting[bot] = self._house.clock() + REST * times

    def _approve(self, bot: str) -> bool:
        """Whether its policy has approved any."""
        policy = self._house.bot(bot).review
        if approved := run_policy(policy, bot, self._house.drafts, self._house.desk, self._house.liking):
            self._tell(Approved(bot, policy, approved))
        return bool(approved)


def failing_filter(filled: Filled) -> str:
    """Which filter fails instead of judging, "" if none does: where nothing is left after three failures."""
    failed = [drop for drop in filled.funnel.drops if drop.failed]
    if filled.drafts or sum(drop.failed for drop in failed) < ENOUGH:
        return ""
    worst = max(failed, key=lambda drop: drop.failed)
    reason = worst.examples[0][1]
    return f"the filter {worst.filter} fails, which counts as a veto, and is asked again in an hour: {reason}"
