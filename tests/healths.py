"""What tests of health share: rooms without a trained model, an examiner that looks anew at every call."""

from collections import namedtuple

from bot.config import load
from bot.health import Examiner
from bot.health.examiner import LEAST
from bot.house import House
from bot.posting.turns import Turns
from bot.pulse import PulseFile
from tests.queues import Clock, judged, outlet

MINUTE = 60  # seconds, within which the truth must be told
Usage = namedtuple("Usage", "free")


def opened(config):
    """As `bot run` opens it before it posts."""
    house = House(load(config), Clock())
    house.lineage.examine()
    return house


def examiner(house, free=LEAST, **options):
    """One that takes a minute for nothing: it looks anew at every call."""
    ticks = iter(range(0, 10_000, MINUTE))
    return Examiner(house, lambda: next(ticks), lambda folder: Usage(free), **options)


def failing(house, **options):
    return red(examiner(house, **options))


def red(examining):
    return {check.name: check.text for check in examining.examine().checks if not check.ok}


def text_of(health, name):
    return next(check.text for check in health.checks if check.name == name)


def approved(house, text="Moon", target="jsonl"):
    [draft] = house.drafts.add("night", [judged(text)])
    return house.drafts.decide(draft.id, draft.sha256, "approve", "ada", outlets=[outlet(text, target)])


def run_pulse(house, **jobs):
    """A living `bot run` that has looked at its jobs, named by how many seconds they have been silent."""
    pulse = PulseFile(house.config.run_folder, "1.0", house.clock)
    turns = {name: Turns(name, lambda: None, 120) for name in jobs}
    for turn in turns.values():
        turn()
        turn.look(0)
    pulse.beat({name: turns[name].look(seconds) for name, seconds in jobs.items()}, 1)
    return pulse
