"""The model host dies, hangs, fails at every stage: no order is lost, none answered twice, others go on."""

import threading
from dataclasses import replace
from functools import partial
from unittest.mock import Mock

import pytest

from bot.child import Child
from bot.config import load
from bot.errors import BotError, ChildError
from bot.host import Host, Order, Part
from bot.host.orders import MOST_TOKENS
from bot.host.serving import SAMPLED
from bot.records import Sampling
from tests.hosts import FragileHost, doom
from tests.queues import open_queue

CONFIG = """
models: {moons: {}}
bots: {ann: {model: moons}, bea: {model: moons}, cyd: {model: moons}, dot: {model: moons}}
"""
BOTS = ("ann", "bea", "cyd", "dot")


def order(bot: str, count: int = 5) -> Order:
    return Order(bot, "moons", (Part("epoch1", Sampling(), count),), seed=7)


ORDERS = [order(bot) for bot in BOTS]


@pytest.fixture
def folder(tmp_path):
    tmp_path.joinpath("config.yaml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def host(folder):
    with open_host(folder) as host:
        yield host


def open_host(folder, deadline=60.0) -> Host:
    return Host(Child(partial(FragileHost, load(folder / "config.yaml")), "model host"), deadline)


def ask(host, orders=ORDERS) -> list[tuple[str, str]]:
    """Who was answered, in order, and what went wrong with it."""
    return [
        (order.bot, str(answer) if isinstance(answer, Exception) else "")
        for order, answer in host.ask_all(orders)
    ]


def test_every_order_is_answered_with_its_own_samples(host):
    """As many as it asked for, in the orders' own order."""
    answers = list(host.ask_all([order("ann", 2), order("bea", 3)]))

    assert [(one.bot, [j.candidate.text for j in judged]) for one, judged in answers] == [
        ("ann", ["Ann 7 000", "Ann 7 001"]),
        ("bea", ["Bea 7 000", "Bea 7 001", "Bea 7 002"]),
    ]


STAGES = ["loading", "sampling", "sampled", "judging@bea", "judged@bea", "answered@bea", "judging@dot"]


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_any_stage_it_loses_and_doubles_nothing(stage, host, folder):
    """kill -9 once: at most one order fails, and is told; asked again it brings all its drafts, once."""
    doom(folder, f"die-{stage}.once")
    missing, rounds = list(ORDERS), 0
    with open_queue(folder) as queue:
        while missing:
            answers = list(host.ask_all(missing))
            assert sorted(one.bot for one, _ in answers) == sorted(one.bot for one in missing)
            for one, answer in answers:
                if not isinstance(answer, Exception):
                    queue.drafts.add(one.bot, answer)
            missing = [one for one, answer in answers if isinstance(answer, ChildError)]
            assert len(missing) <= 1 - rounds
            rounds += 1

        drafts = [(draft.bot, draft.candidate.index) for draft in queue.drafts.list()]
    assert sorted(drafts) == [(bot, index) for bot in BOTS for index in range(5)]


def test_one_that_hangs_is_found_and_the_others_go_on(folder):
    """It is named with its deadline."""
    doom(folder, "hang-judging@bea")
    hung = ("bea", "the model host gave no answer within 8 s and was killed")

    with open_host(folder, deadline=8) as host:
        assert ask(host) == [("ann", ""), hung, ("cyd", ""), ("dot", "")]


def test_one_that_broke_it_is_asked_alone_until_it_does_well(host, folder):
    """After the others, so that they need not be sampled twice for its sake."""
    doom(folder, "die-judging@bea")
    died = ("bea", "the model host died (exit code -9)")
    assert ask(host) == [("ann", ""), died, ("cyd", ""), ("dot", "")]
    assert ask(host) == [("ann", ""), ("cyd", ""), ("dot", ""), died]

    doom(folder)
    assert [bot for bot, _ in ask(host)] == ["ann", "cyd", "dot", "bea"]
    assert ask(host) == [(bot, "") for bot in BOTS]


def test_one_that_breaks_the_decode_is_found_by_asking_each_alone(host, folder):
    """In a decode it could be anyone."""
    doom(folder, "die-sampling@cyd")
    died = "the model host died (exit code -9)"

    assert ask(host) == [("ann", ""), ("bea", ""), ("cyd", died), ("dot", "")]


def test_what_is_wrong_with_one_order_is_no_fault_of_the_others(host, folder):
    """A setting that cannot be worked with fails its own bot, with its own words, and breaks nothing."""
    for stage in ("sampling", "judging"):
        doom(folder, f"fail-{stage}@bea")
        for _ in range(2):
            assert ask(host) == [
                ("ann", ""),
                ("bea", "a setting that a person must mend"),
                ("cyd", ""),
                ("dot", ""),
            ]


def test_where_all_break_it_they_are_not_all_tried(host, folder):
    """What kills every order is the model: two are tried alone, the others are told why they were not."""
    doom(folder, "die-loading")
    died = "the model host died (exit code -9)"
    spared = "not asked, for ann and bea had just broken the model host, each alone"

    assert ask(host) == [("ann", died), ("bea", died), ("cyd", spared), ("dot", spared)]


def test_another_thread_can_end_it(host, folder):
    """What is in hand is given up at once, and nothing else is begun."""
    doom(folder, "hang-judging@bea")
    got = []
    for one, _ in host.ask_all(ORDERS):
        got.append(one.bot)
        threading.Timer(0.1, host.kill).start()

    assert got == ["ann"]
    assert ask(host) == []


def test_more_work_may_take_longer():
    """The deadline is of what one question usually holds at most; ten times that has ten times as long."""
    child = Mock(ask_each=Mock(side_effect=lambda *_: iter([SAMPLED, []])))
    small = order("ann", 10)
    long = Sampling(max_length=10 * MOST_TOKENS // 4000)
    large = replace(small, parts=(Part("epoch1", long, 1000), Part("epoch1", long, 3000)))

    for one in (small, large):
        list(Host(child, 3.0).ask_all([one]))

    assert [deadline for (_, deadline), _ in child.ask_each.call_args_list] == [3.0, 30.0]


def test_an_order_has_a_bound():
    """More at one go than a bot's batch may hold would fill the memory."""
    with pytest.raises(BotError, match="bot ann: 5000 texts at one go; at most 4096, ask several times"):
        order("ann", 5000)
