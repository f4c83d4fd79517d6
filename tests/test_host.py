"""The model host: sampling and filters in a process of their own, set as the bot is set."""

import re
import shutil
from collections import Counter
from dataclasses import replace

import pytest

from bot import pipeline
from bot.config import load
from bot.doctor import examine
from bot.errors import BotError, CheckpointError
from bot.host import ModelHost, Order, Part, in_groups, make_order, open_host
from bot.host.orders import MOST_TOKENS
from bot.host.serving import SAMPLED
from bot.host.shelf import Shelf
from bot.house import House
from bot.records import Sampling
from tests.folders import Host, fill
from tests.queues import Clock

CHATTY = """
from bot import hookimpl

def judge(candidate, context):
    print("hello")
    return candidate

@hookimpl
def register_filters():
    return {"chatty": lambda: judge}
"""


def test_a_band_becomes_temperatures_by_the_checkpoints_own_calibration(house, bot_folder):
    """`band: wild` samples hotter than `band: safe`."""
    written = bot_folder.read_text()
    found = {}
    for band in ("safe", "wild"):
        bot_folder.write_text(written.replace("{temperature: [0.8, 1.2]}", f"{{band: {band}}}"))
        banded = House(load(bot_folder), Clock())
        [*candidates] = [draft.candidate for draft in fill(banded).drafts]
        assert {one.sampling.band for one in candidates} == {band}
        found[band] = candidates[0].sampling.temperature
    assert found["safe"][0] < found["wild"][1]


def test_quotas_share_a_batch_out_among_bands(house, bot_folder):
    """By largest remainder, in one order; each candidate keeps its own band, temperatures and index."""
    quotas = "{band: {safe: 1, wild: 2.5}}"
    bot_folder.write_text(bot_folder.read_text().replace("{temperature: [0.8, 1.2]}", quotas))
    shared = House(load(bot_folder), Clock())
    order = make_order(shared, "night", count=24, seed=3)

    [_, answer] = ModelHost(shared.config)([order])

    candidates = [judged.candidate for judged in answer]
    assert Counter(one.sampling.band for one in candidates) == {"safe": 7, "wild": 17}
    assert [one.index for one in candidates] == [*range(24)]
    for band in ("safe", "wild"):
        [low, high] = {one.sampling.temperature for one in candidates if one.sampling.band == band}.pop()
        assert all(low <= one.temperature <= high for one in candidates if one.sampling.band == band)
    drafts = fill(shared, seed=3).drafts
    assert pipeline.replay(shared, drafts[-1].id).identical


def test_a_batch_is_sampled_by_several_checkpoints_and_samplings(house, bot_folder):
    """Each sample keeps its own of both and replays; what one checkpoint has said the next does not say."""
    older = second_checkpoint(house)
    several = (
        "checkpoint: [best, older]\n    sampling: [{temperature: 0.9}, {temperature: 0.9, max_length: 4}]"
    )
    written = bot_folder.read_text().replace("sampling: {temperature: [0.8, 1.2]}", several)
    bot_folder.write_text(written)
    both = House(load(bot_folder), Clock())

    order = make_order(both, "night", count=202, seed=3)
    filled = fill(both, count=202, seed=3)

    names = [folder.name for folder in both.checkpoints_of("night")]
    assert names == [house.checkpoint("moons").name, older]
    parts = [(part.checkpoint, part.sampling.max_length, part.count) for part in order.parts]
    assert parts == [(names[0], 200, 51), (names[0], 4, 51), (names[1], 200, 50), (names[1], 4, 50)]
    drafts = filled.drafts
    assert {one.candidate.checkpoint for one in drafts} == {f"moons/{name}" for name in names}
    assert len({one.text.casefold() for one in drafts}) == len(drafts)
    assert len({one.candidate.index for one in drafts}) == len(drafts)
    for draft in (drafts[0], drafts[-1]):
        assert pipeline.replay(both, draft.id).identical
    assert {one.candidate.sampling.max_length for one in drafts} == {4, 200}


def test_two_names_of_one_checkpoint_are_one_way_to_sample(house, bot_folder):
    """`[best, latest]` right after the first training: nothing is sampled twice as often for it."""
    written = bot_folder.read_text().replace("sampling:", "checkpoint: [best, latest]\n    sampling:")
    bot_folder.write_text(written)

    [part] = make_order(House(load(bot_folder), Clock()), "night").parts

    assert part.count == 24


def second_checkpoint(house):
    """A copy of the only one; its name."""
    folder = house.checkpoint("moons")
    shutil.copytree(folder, folder.with_name("older"))
    return "older"


def test_a_bots_constraints_hold_for_its_drafts_and_their_replays(house, bot_folder):
    """In the host as anywhere; a draft keeps them, with the rest of what it was sampled by."""
    rules = "constraints: [{acrostic: {letters: sm}}, {length: {max: 12}}], min_length: 5"
    bot_folder.write_text(bot_folder.read_text().replace("temperature: [0.8, 1.2]", rules))
    constrained = House(load(bot_folder), Clock())

    drafts = fill(constrained).drafts

    assert drafts
    assert all(re.fullmatch(r"\W*s\S*\s+\W*m\S*", draft.text) for draft in drafts)
    assert all(5 <= len(draft.text) <= 12 for draft in drafts)
    assert constrained.drafts.get(drafts[0].id).candidate.sampling.constraints[0].options == {"letters": "sm"}
    assert pipeline.replay(constrained, drafts[0].id).identical


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("{acrostic: {leters: xy}}", r"config.yaml:\d+:\d+: .*no option 'leters'.*Did you mean 'letters'"),
        ("acrostics", r"config.yaml:\d+:\d+: .*no constraint is called 'acrostics'"),
    ],
)
def test_a_constraint_that_cannot_be_built_is_told_with_its_line(bot_folder, constraint, message):
    """Before the host is asked, and by bot doctor."""
    written = bot_folder.read_text().replace("temperature: [0.8, 1.2]", f"constraints: [{constraint}]")
    bot_folder.write_text(written)
    with pytest.raises(BotError, match=message):
        make_order(House(load(bot_folder), Clock()), "night")

    found = {finding.what: finding for finding in examine(bot_folder)}
    assert not found["bot night: constraints"].ok
    assert re.search(message, found["bot night: constraints"].text)


def test_a_setting_that_no_filter_can_work_with_is_an_error(house, bot_folder):
    """Two edits cannot be told from hashes alone: that is said, instead of dropping every sample for it."""
    text = bot_folder.read_text().replace("not_in_training,", "{not_in_training: {edits: 2}},")
    bot_folder.write_text(text)
    (house.config.folder / "moons.txt").unlink()

    with pytest.raises(BotError, match="corpus"):
        fill(House(load(bot_folder), Clock()))


def test_a_filter_that_prints_does_not_spoil_the_output(house, bot_folder, capsys):
    """What it prints goes to stderr: stdout belongs to the command."""
    folder = bot_folder.parent / "plugins" / "filters"
    folder.mkdir(parents=True)
    folder.joinpath("chatty.py").write_text(CHATTY)
    bot_folder.write_text(bot_folder.read_text().replace("not_seen_before]", "not_seen_before, chatty]"))
    house = House(load(bot_folder), Clock())

    pipeline.fill(house, Host(house), "night")

    assert capsys.readouterr().out == ""


def test_the_host_lives_in_a_process_of_its_own(house):
    """The child answers with judged candidates; what is wrong there is told here."""
    order = make_order(house, "night")
    stranger = replace(order, parts=(replace(order.parts[0], checkpoint="epoch9"),))
    with open_host(house.config) as host:
        filled = pipeline.fill(house, host, "night", seed=5)
        [(_, answer)] = host.ask_all([stranger])

    assert filled.drafts
    assert isinstance(answer, CheckpointError)
    assert "no checkpoint 'epoch9'" in str(answer)


def test_a_host_that_was_killed_is_started_again(house):
    """With nothing in hand a crash there harms nobody."""
    with open_host(house.config) as host:
        pipeline.fill(house, host, "night", seed=5)
        host._child._process.kill()
        host._child._process.join(60)

        assert pipeline.fill(house, host, "night", seed=6).funnel.sampled == 24


def test_bots_of_one_model_are_sampled_in_one_decode(house):
    """Each gets what it would have got alone, by its own sampling, filters and queue."""
    host, orders = ModelHost(house.config), three_orders(house)
    expected = [answer for order in orders for answer in host([order]) if answer != SAMPLED]
    sampler, decodes = host._models("moons", *orders[0].checkpoints).sampler, []
    decode = sampler.sample_many
    sampler.sample_many = lambda requests: decodes.append(len(requests)) or decode(requests)

    assert list(host(orders)) == [SAMPLED, *expected]
    assert [len(answer) for answer in expected] == [7, 40, 7]
    assert decodes == [3]


def three_orders(house):
    """Of one bot, to be told apart by all that a decode must keep apart."""
    order = make_order(house, "night", count=7, seed=1)
    hot = Sampling((1.3, 1.3), max_length=5)
    [own] = order.parts
    return [
        order,
        replace(order, parts=(replace(own, count=40),), seed=2),
        replace(order, parts=(replace(own, sampling=hot),)),
    ]


def test_orders_go_together_by_checkpoint_and_size():
    """Few questions, none so large that it takes for ever; an order larger than that goes alone."""

    def order(bot, model="moons", count=100, most=200, names=("epoch1",)):
        return Order(bot, model, tuple(Part(it, Sampling(max_length=most), count) for it in names), seed=1)

    def grouped(orders):
        return [[one.bot for one in group] for group in in_groups(orders)]

    assert grouped([]) == []
    assert grouped([order("a"), order("b", "suns"), order("c")]) == [["a", "c"], ["b"]]
    half = [
        order(name, count=1000, most=MOST_TOKENS // 2000) for name in "abc"
    ]  # of what one question may hold
    assert grouped(half) == [["a", "b"], ["c"]]
    large = order("large", count=4096, most=100_000)
    assert grouped([order("a"), large, order("b")]) == [["a"], ["large"], ["b"]]
    two, reverse = ("epoch1", "epoch2"), ("epoch2", "epoch1")
    assert grouped([order("a"), order("b", names=two), order("c", names=reverse)]) == [["a"], ["b", "c"]]


class Thing:
    def __init__(self, size):
        self.size = size


def shelf(budget, weighed=0):
    loaded = []

    def load(name, size):
        loaded.append(name)
        return Thing(int(size))

    return Shelf(budget, load, lambda name, size: weighed), loaded


def test_what_was_not_used_for_longest_makes_room():
    """And only as much as is needed."""
    held, loaded = shelf(budget=10)
    for key in [("a", "4"), ("b", "4"), ("a", "4"), ("c", "2"), ("d", "3"), ("a", "4"), ("b", "4")]:
        held(*key)

    assert loaded == ["a", "b", "c", "d", "b"]
    assert held.size <= 10


def test_room_is_made_before_it_is_needed():
    """By what a model will take, so far as that is known before it is loaded."""
    held, _ = shelf(budget=10, weighed=6)
    held("a", "6")
    with pytest.raises(ZeroDivisionError):
        Shelf.__call__(broken(held), "b", "6")

    assert held.size == 0


def broken(held):
    held._load = lambda *key: 1 / 0
    return held


@pytest.mark.parametrize(("size", "weighed"), [("11", 0), ("5", 11)])
def test_what_exceeds_the_budget_alone_is_refused(size, weighed):
    """In one line with both sizes and the setting; what is held stays."""
    held, _ = shelf(budget=10)
    held("a", "4")
    held._weigh = lambda *key: weighed
    with pytest.raises(
        BotError, match=r"b/\d+ takes 0\.0 MiB of memory, and host\.memory is 0\.0 MiB: raise it"
    ):
        held("b", size)

    assert held.size == 4


def test_a_budget_holds_real_models(house, bot_folder):
    """One that is too small for a model is an error that the bot's turn tells."""
    bot_folder.write_text(bot_folder.read_text() + "host: {memory: 3KiB}\n")
    order = make_order(house, "night")
    with pytest.raises(BotError, match=r"moons/epoch\S+ takes .* host\.memory is"):
        list(ModelHost(load(bot_folder))([order]))
