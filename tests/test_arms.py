"""Which ways to sample earn approvals: the better one gets most, and none is given up."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import load
from bot.curation.taste import arms
from bot.curation.taste.measures import Share
from bot.host.wishes import allot, make_order, ways
from bot.house import House
from bot.records import Judged, Judgement, Mirostat, Rule, Sampling
from tests.queues import NOON, Clock, Queue, judged, outlet
from tests.test_taste import draft

MANY_SAID = 'mirostat surprise 2 rate 0.1, prefix "The ", stop "\\n"'
RULES_SAID = "constraints balanced and length max 9"
SHARES = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda it: Share(it[0], it[0] + it[1]))


def simulate(rates: dict[str, float], batches: int, seed: int, learns: bool) -> tuple[dict[str, int], int]:
    """Ten samples of each batch are decided on; what each arm was given, and how many were approved."""
    rng = np.random.default_rng(seed)
    earned, given = {arm: Share(0, 0) for arm in rates}, dict.fromkeys(rates, 0.0)
    for batch in range(batches):
        shares = arms.parts(arms.chances(earned, batch) if learns else dict.fromkeys(rates, 1 / len(rates)))
        chosen = rng.multinomial(10, [shares[arm] for arm in rates])
        for arm, count in zip(rates, map(int, chosen), strict=True):
            given[arm] += 100 * shares[arm] / batches
            earned[arm] = arms.joined([earned[arm], Share(int(rng.binomial(count, rates[arm])), count)])
    return given, arms.joined(earned.values()).count


def test_the_better_arm_gets_most_and_none_is_given_up():
    """After 400 decisions, in nine of ten simulations; and more is approved than by equal parts."""
    rates, most, gained = {"safe": 0.15, "balanced": 0.4, "wild": 0.2}, 0, 0
    for seed in range(20):
        given, approved = simulate(rates, 40, seed, learns=True)
        _, equal = simulate(rates, 40, seed, learns=False)
        most += given["balanced"] > 50
        gained += approved > equal
        assert min(given.values()) >= 100 * arms.FLOOR - 1e-9

    assert most >= 18
    assert gained >= 18


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), SHARES, min_size=1, max_size=15))
def test_a_division_adds_up_and_keeps_its_floor(earned):
    """Whatever was decided; of more than five arms the floors are half of the batch, in equal parts."""
    parts = arms.parts(arms.chances(earned, 1))

    assert sum(parts.values()) == pytest.approx(1)
    assert min(parts.values()) >= min(0.1, 0.5 / len(parts)) - 1e-12


def test_of_very_many_arms_the_best_still_gets_most():
    """Twelve are no reason to share alike for ever."""
    earned = {f"arm {n}": Share(5, 40) for n in range(11)} | {"best": Share(30, 40)}

    parts = arms.parts(arms.chances(earned, 1))

    assert parts["best"] > 0.5
    assert min(parts.values()) == pytest.approx(0.5 / 12)


def test_chances_are_those_of_being_the_best():
    """Against a numerical integral over two Beta distributions; and the same for the same seed."""
    earned = {"a": Share(12, 40), "b": Share(9, 40)}
    x = np.linspace(0, 1, 4001)
    a, b = (x**it.count * (1 - x) ** (it.total - it.count) for it in earned.values())
    expected = (a / a.sum()) @ np.cumsum(b / b.sum())

    found = arms.chances(earned, 1)
    assert found["a"] == pytest.approx(expected, abs=0.03)
    assert found == arms.chances(earned, 1)


def test_nothing_decided_is_nothing_known():
    """All arms have about the same chance."""
    found = arms.chances({"a": Share(0, 0), "b": Share(0, 0)}, 1)

    assert found["a"] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("earned", "funniest"),
    [
        ({}, ""),
        ({"a": Share(9, 10)}, ""),
        ({"a": Share(9, 10), "b": Share(0, 0)}, ""),
        ({"a": Share(6, 10), "b": Share(5, 10)}, ""),
        ({"a": Share(60, 100), "b": Share(30, 100)}, "a"),
        ({"a": Share(1, 1), "b": Share(60, 100), "c": Share(20, 100)}, "b"),
    ],
)
def test_the_funniest_is_named_when_it_is_sure(earned, funniest):
    """By the lower bound: one lucky draft does not win, nor does what is about as good."""
    assert arms.funniest(earned) == funniest


def test_arms_are_told_apart_by_all_that_makes_them():
    """Checkpoint, band or temperatures, what else shapes the draw; an edit is nobody's sample."""
    plain = draft("Ash")
    narrowed = replace(plain.candidate, sampling=Sampling((0.8, 0.8), top_k=40, min_p=0.05))
    wild = replace(plain.candidate, checkpoint="m/later", sampling=Sampling((1.0, 1.2), band="wild"))
    told = [
        plain,
        replace(plain, candidate=narrowed),
        replace(plain, candidate=wild),
        draft("Ashes", sampled="Ash"),
    ]

    found = arms.shares([Judgement(one, True, NOON) for one in [*told, plain]])

    assert found == {
        (plain.candidate.checkpoint, "0.7 to 0.9", "max_length 40"): Share(2, 2),
        (plain.candidate.checkpoint, "0.8", "top_k 40, min_p 0.05"): Share(1, 1),
        ("m/later", "wild", "plain"): Share(1, 1),
    }


@pytest.mark.parametrize(
    ("sampling", "sampler"),
    [
        (Sampling((0.5, 0.9), band="wild"), "plain"),
        (Sampling(mirostat=Mirostat(2.0), prefix="The ", stop=("\n",)), MANY_SAID),
        (Sampling(constraints=(Rule("balanced"), Rule("length", {"max": 9}))), RULES_SAID),
        (Sampling(max_length=60, repetition_penalty=1.2), "max_length 60, repetition_penalty 1.2"),
    ],
)
def test_a_sampler_is_told_in_words(sampling, sampler):
    """All that makes two of them differ, and nothing that both leave as it is."""
    assert arms.arm_of("m/epoch1", sampling).sampler == sampler


def test_what_is_like_an_arm_in_all_that_tells_the_arms_apart_counts_for_it():
    """For bands the drafts of every checkpoint, for checkpoints those of every band; others count nothing."""
    earned = {
        arms.Arm("m/a", "safe", "plain"): Share(1, 2),
        arms.Arm("m/a", "wild", "plain"): Share(2, 4),
        arms.Arm("m/b", "safe", "top_k 5"): Share(4, 8),
        arms.Arm("m/b", "0.8", "plain"): Share(8, 16),
    }
    bands = arms.Arm("m/a", "safe", "plain"), arms.Arm("m/a", "wild", "plain")
    checkpoints = arms.Arm("m/b", "safe", "plain"), arms.Arm("m/c", "safe", "plain")
    both = arms.Arm("m/a", "wild", "plain"), arms.Arm("m/b", "safe", "plain")

    assert [*arms.compared(bands, earned).values()] == [Share(5, 10), Share(2, 4)]
    assert [*arms.compared(checkpoints, earned).values()] == [Share(12, 24), Share(0, 0)]
    assert [*arms.compared(both, earned).values()] == [Share(2, 4), Share(4, 8)]
    assert [*arms.names(bands).values()] == ["safe", "wild"]
    assert [*arms.names(both).values()] == ["a, wild", "b, safe"]
    assert [*arms.names(bands[:1]).values()] == ["a, safe, plain"]


def test_the_store_counts_what_arms_have_earned(queue: Queue) -> None:
    """Of persons' decisions that stand, without edits; on either database."""
    one = judged("Ash")
    wild = replace(one.candidate, checkpoint="m/later", sampling=Sampling((1.0, 1.2), band="wild"))
    queue.drafts.add("metal", [replace(one, candidate=replace(wild, index=n)) for n in range(3)])
    ash, bone = queue.add("Ash", "Bone")
    for draft_ in (queue.drafts.get(1), queue.drafts.get(2), ash):
        queue.approve(draft_)
    queue.drafts.decide(3, queue.drafts.get(3).sha256, "reject", "ada")
    queue.approve(queue.drafts.edit(bone.id, "Bones", "ada", ()))

    assert queue.judgements.earned("metal") == {
        ("m/later", "wild", "plain"): Share(2, 3),
        (ash.candidate.checkpoint, "0.7 to 0.9", "max_length 40"): Share(1, 1),
    }


def test_a_batch_goes_where_approvals_came_from(queue: Queue) -> None:
    """A tenth for the others, what is none of them left out; how it was divided can be read afterwards."""
    one = judged("Ash")
    for band, verdict in (("safe", "reject"), ("wild", "approve"), ("", "approve")):
        sampled = replace(one.candidate, sampling=Sampling((0.7, 0.9), band=band), checkpoint=f"m/{band}")
        judged_ = [replace(one, candidate=replace(sampled, nll=1.0, index=n)) for n in range(8)]
        for draft_ in queue.drafts.add("metal", judged_):
            if verdict == "approve":
                queue.approve(draft_)
            else:
                queue.drafts.decide(draft_.id, draft_.sha256, "reject", "ada")

    house = SimpleNamespace(judgements=queue.judgements)
    safe, wild = (arms.Arm("m/now", band, "plain") for band in ("safe", "wild"))
    counts = allot(house, "metal", 100, [safe, wild], 1)

    assert counts == {safe: 10, wild: 90}
    division = queue.judgements.last_division("metal")
    assert {name: it.samples for name, it in division.items()} == {"safe": 10, "wild": 90}


def test_a_bots_checkpoints_and_samplings_compete(house, bot_folder):
    """The one whose drafts were approved gets most of the batch, every other its floor."""
    shutil.copytree(folder := house.checkpoint("moons"), folder.with_name("older"))
    several = "checkpoint: [best, older]\n    taste: {allocation: auto}\n"
    several += "    sampling: [{temperature: 0.9}, {temperature: 0.9, min_p: 0.05}]"
    bot_folder.write_text(bot_folder.read_text().replace("sampling: {temperature: [0.8, 1.2]}", several))
    compared = House(load(bot_folder), Clock())
    one = judged("Ash").candidate
    for seed, way in enumerate(ways(compared, "night").values()):
        made = replace(one, checkpoint=way.arm.checkpoint, sampling=way.sampling, seed=seed)
        drafts = [Judged(replace(made, text=f"Ash {n}", index=n), ()) for n in range(12)]
        for draft_ in compared.drafts.add("night", drafts):
            liked = way.checkpoint.name == "older" and way.sampling.min_p > 0
            given = {"outlets": [outlet(draft_.text)]} if liked else {}
            verdict = "approve" if liked else "reject"
            compared.drafts.decide(draft_.id, draft_.sha256, verdict, "ada", **given)

    parts = make_order(compared, "night", count=100, seed=1).parts

    counts = {(part.checkpoint, part.sampling.min_p): part.count for part in parts}
    assert counts == {
        (folder.name, 0.0): 10,
        (folder.name, 0.05): 10,
        ("older", 0.0): 10,
        ("older", 0.05): 70,
    }
    division = compared.judgements.last_division("night")
    assert division["older, min_p 0.05"].samples == 70


def test_a_bot_speaks_with_the_checkpoint_that_earned_most(house, monkeypatch):
    """If it is still there; with the best one while that is undecided."""
    [best] = {house.checkpoint("moons").name}
    bots = {"night": house.config.bots["night"].model_copy(update={"checkpoint": "funniest"})}
    house.config = house.config.model_copy(update={"bots": bots})
    assert [folder.name for folder in house.checkpoints_of("night")] == [best]

    shelf = house.checkpoint("moons").parent
    (shelf / "older").symlink_to(shelf / best)
    earned = {
        arms.Arm("moons/older", "wild", "plain"): Share(60, 80),
        arms.Arm(f"moons/{best}", "0.8", "plain"): Share(20, 80),
        arms.Arm("x/y", "0.8", "plain"): Share(9, 9),
    }
    monkeypatch.setattr(house.judgements, "earned", lambda bot: earned)
    assert [folder.name for folder in house.checkpoints_of("night")] == ["older"]

    (shelf / "older").unlink()
    assert [folder.name for folder in house.checkpoints_of("night")] == [best]
