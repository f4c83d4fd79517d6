"""How soon others go on after a plugin has raised, hung, ended its process or answered nonsense.

    python -m benchmarks.recovery [--turns 12] [--json]

Two bots whose slots come together: the target of one breaks, the other's is a file. Measured is the time from
what came of the broken one's call to the other's post, in the same turn: after a hang or an exit it holds the
start of a new process. Control: the same turn where the first target does its work. And the model host: from
its death, by SIGKILL, to the next order's answer, beside an order that finds it alive.
"""

import argparse
import json
import multiprocessing
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from string import ascii_lowercase
from typing import Any

from bot import delivering, pipeline
from bot.config import load
from bot.events import Delivered, Event, SlotTaken
from bot.host import Host, make_order, open_host
from bot.house import House
from bot.posting.sender import Sender
from tests.chaos import configure, plug_in
from tests.folders import copy_folder, train_folder
from tests.queues import judged

MODES = "calm", "raise", "nonsense", "exit", "hang"  # the first does its work: the control
DEADLINE = 3.0  # seconds, after which a call is broken off


def after_a_target(mode: str, turns: int, trained: Path) -> dict[str, Any]:
    """Seconds from the broken call to the next post, one a turn; and the slots the other bot has missed."""
    config = plug_in(copy_folder(trained, trained.parent.with_name(mode)))
    house = configure(config, f"targets: [{{chaos: {{mode: {mode}}}}}]")
    for bot in ("bad", "good"):
        for draft in house.drafts.add(bot, [judged(text) for text in _texts(bot, turns)]):
            house.desk("ann").approve(draft.id)
    told: list[tuple[float, Event]] = []
    sender = Sender(delivering.Targets(house.config), DEADLINE, fetch=house.media.attachments)
    with closing(sender):
        hear = partial(_hear, told)
        courier = pipeline.open_courier(house, sender, hear)
        posting = pipeline.Posting(house, courier, hear, threading.Event())
        for _ in range(turns):
            house.clock.pass_by(3600)  # an account that rests has rested then
            posting()
    slots = [event for _, event in told if isinstance(event, SlotTaken) and event.slot.bot == "good"]
    return {"seconds": _gaps(told), "missed": turns - len(slots)}


def _texts(bot: str, count: int) -> list[str]:
    """None like another."""
    draw = Random(bot)
    return ["".join(draw.choices(ascii_lowercase, k=16)) for _ in range(count)]


def _hear(told: list[tuple[float, Event]], event: Event) -> None:
    told.append((time.perf_counter(), event))


def _gaps(told: list[tuple[float, Event]]) -> list[float]:
    """From what came of a call of `bad` to the post of `good` right after it."""
    settled = [(at, event.delivery) for at, event in told if isinstance(event, Delivered)]
    return [
        later - at
        for (at, one), (later, other) in pairwise(settled)
        if (one.bot, other.bot, other.state) == ("bad", "good", "sent")
    ]


def after_the_host(turns: int, trained: Path) -> dict[str, list[float]]:
    """Seconds to the answer of an order, where the host lives, and where it has just been killed."""
    house = House(load(trained))
    with open_host(house.config) as host:
        _seconds(lambda: _order(house, host))  # it starts
        alive, killed = [], []
        for _ in range(turns):
            alive.append(_seconds(lambda: _order(house, host)))
            _kill_host()
            killed.append(_seconds(lambda: _order(house, host)))
    return {"alive": alive, "killed": killed}


def _kill_host() -> None:
    [process] = [one for one in multiprocessing.active_children() if one.name == "model host"]
    process.kill()
    process.join()


def _order(house: House, host: Host) -> None:
    [(_, answer)] = host.ask_all([make_order(house, "night")])
    if isinstance(answer, Exception):
        raise answer


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        trained = train_folder(Path(place) / "trained")
        targets = {mode: after_a_target(mode, chosen.turns, trained) for mode in MODES}
        host = after_the_host(min(chosen.turns, 5), trained)
    if chosen.json:
        print(json.dumps({"targets": targets, "host": host}))
        return
    for mode, found in targets.items():
        name = "control: it works" if mode == MODES[0] else f"the target: {mode}"
        print(f"{name:24} {_told(found['seconds'])}; slots of the other missed: {found['missed']}")
    print(f"{'control: the host lives':24} {_told(host['alive'])}")
    print(f"{'the host was killed':24} {_told(host['killed'])}")


def _told(seconds: list[float]) -> str:
    if not seconds:
        return "no post came after it"
    return f"{statistics.median(seconds):6.3f} s, at most {max(seconds):6.3f} s, of {len(seconds)}"


if __name__ == "__main__":
    main()
