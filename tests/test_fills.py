"""What became of a bot's last batch is kept in numbers, until the next."""

from dataclasses import replace

from bot.curation.chain import Drop, Funnel
from bot.store.fills import Fills
from tests.queues import NOON

FUNNEL = Funnel(96, (Drop("length", 80, (("A", "too short"),)), Drop("own", 9, (), failed=9)), 2, 7)


def test_the_last_fill_is_kept_without_its_texts(queue):
    fills = Fills(queue.drafts._database)
    assert fills.last("metal") is None
    fills.keep("metal", Funnel(8, (), 0, 8))
    fills.keep("metal", FUNNEL)
    fills.keep("folk", Funnel(1, (), 0, 1))

    numbers = tuple(replace(drop, examples=()) for drop in FUNNEL.drops)
    assert fills.last("metal") == (NOON, replace(FUNNEL, drops=numbers))
