"""What `bot taste` shows: figures with what they cannot say, words for what was learned, JSON of all."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np

from bot.cli.taste_screen import show_taste
from bot.config import Bot
from bot.curation.taste.report import report
from bot.store.judgements import Allotment
from tests.test_taste import decisions


def test_what_was_learned_is_told_in_words():
    """The letter that decides comes first, with how many of the texts that have it were approved."""
    found = report(decisions(200), 0.8)

    assert found.remark == ""
    assert found.auc > 0.75
    assert found.auc_interval[0] > 0.6
    liked = [it for it in found.grams if it.weight > 0]
    assert sum("o" in it.gram for it in liked) >= 4
    assert all(it.approved.total >= 5 for it in found.grams)
    assert found.precision > 1.3 * found.base
    assert [point.decisions for point in found.curve] == [50, 100, 150, 200]


def test_figures_that_say_little_are_called_so():
    """Too few, all of one kind, few, and no signal at all."""
    told = decisions(200)
    rng = np.random.default_rng(3)
    chance = [replace(one, approved=bool(rng.random() < 0.4)) for one in told]

    assert "Too few" in report(told[:8], 0.9).remark
    assert "Too few" in report([replace(one, approved=False) for one in told], 0.9).remark
    assert "No taste is shown" in report(chance, 0.9).remark
    assert report([], 0.9).approved.total == 0


def test_weights_by_propensity_speak_of_what_waited():
    """Each decides for as many as its chance says; without any, none is told."""
    told = decisions(120)
    picked = [
        replace(one, reason="best" if n % 3 else "random", propensity=0.9 if n % 3 else 0.02)
        for n, one in enumerate(told)
    ]
    found = report(picked, 0.9)

    assert {name: share.total for name, share in found.by_reason.items()} == {"best": 80, "random": 40}
    assert 20 < found.worth < 45  # of 110 that were foretold: a third of them carries nearly all weight
    assert np.isnan(report(told, 0.9).auc_weighted)


def test_the_screen_shows_all_of_it(capsys):
    """And says of the policy that it does nothing, unless it is set."""
    told = [replace(one, reason="best", propensity=0.7) for one in decisions(200)]
    found = replace(report(told, 0.8), limit=0.7)
    show_taste(found, Bot(model="m"), 3, {"older, wild": Allotment(30, 0.2)})
    manual = capsys.readouterr().out
    show_taste(found, Bot(model="m", review="taste"), 3, {})
    acting = capsys.readouterr().out
    show_taste(replace(found, worth=7.0), Bot(model="m"), 0, {})
    rough = " ".join(capsys.readouterr().out.split())

    for part in (
        "200 decisions",
        "exploration 30%",
        "the best",
        "AUC",
        "chance",
        "Liked",
        "epoch12.00",
        "0.7 to 0.9",
    ):
        assert part in manual
    assert "would have approved" in manual
    assert "review: manual is set, so it does nothing" in manual
    assert re.search(r"divided among them .*\n.*\nolder, wild +30 +20%\n", manual)
    assert "does nothing" not in acting
    assert "not known yet (worth 7 decisions)" in rough
    assert "will approve 3" in acting


def test_generated_text_cannot_command_the_terminal(capsys):
    """An n-gram may hold anything."""
    told = [
        replace(one, draft=replace(one.draft, text=one.draft.text + "\x1b[31m"), approved=n % 2 == 0)
        for n, one in enumerate(decisions(60))
    ]
    show_taste(report(told, 0.8), Bot(model="m"), 0, {})

    assert "\x1b[31m" not in capsys.readouterr().out


def test_the_command_prints_json(bot_folder):
    """One object; what is not known is null."""
    command = [sys.executable, "-m", "bot", "taste", "night", "--json", "--config", str(bot_folder)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert told["bot"] == "night"
    assert told["explore"] == 0.3
    assert told["auc"] is None
    assert told["would_now"] == 0
    assert "Too few" in told["remark"]
