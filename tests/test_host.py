"""The model host: sampling and filters in a process of their own, set as the bot is set."""

import pytest

from bot import pipeline
from bot.config import load
from bot.errors import BotError, ChildError
from bot.host import open_host
from bot.house import House
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
    """The child answers with judged candidates; what is wrong there is raised here."""
    with open_host(house.config) as host:
        filled = pipeline.fill(house, host, "night", seed=5)
        with pytest.raises(BotError, match="no bot 'day'"):
            host.ask(pipeline.Order("day", 1, 1, frozenset(), ()), 60)

    assert filled.drafts


def test_a_host_that_was_killed_is_told_and_started_again(house):
    """A crash there is an error here, and the next question is answered."""
    with open_host(house.config) as host:
        pipeline.fill(house, host, "night", seed=5)
        host._process.kill()
        with pytest.raises(ChildError, match="died"):
            pipeline.fill(house, host, "night", seed=6)

        assert pipeline.fill(house, host, "night", seed=6).funnel.sampled == 24
