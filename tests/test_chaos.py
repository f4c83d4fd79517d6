"""Plugins that raise, hang, exit, make noise or answer nonsense: no other bot misses anything; it is told."""

import json
import shutil
import threading
from functools import partial

import pytest

from bot import delivering, pipeline
from bot.child import Child
from bot.config import load
from bot.doctor import examine
from bot.events import Delivered, Failed, Filled, Halted, SlotTaken
from bot.host import Host, ModelHost
from bot.house import House
from bot.posting.sender import Sender
from tests.chaos import MODES, TEXTS, configure, plug_in
from tests.hosts import FragileHost
from tests.queues import Clock, judged

DEADLINE = 10.0  # seconds; a child starts within it, also on a busy machine


@pytest.fixture
def folder(bot_folder):
    """The trained folder with the plugin."""
    return plug_in(bot_folder)


@pytest.mark.parametrize("mode", MODES)
def test_a_target_in_chaos_costs_others_no_slot(folder, mode):
    """The other bot posts at every slot; the bad one's account rests after three failures, which is told."""
    house, events = configure(folder, f"targets: [{{chaos: {{mode: {mode}}}}}]"), []
    for bot in ("bad", "good"):
        for draft in house.drafts.add(bot, [judged(text) for text in TEXTS]):
            house.desk("ann").approve(draft.id)
    sender = Sender(delivering.Targets(house.config), DEADLINE, fetch=house.media.attachments)
    with pipeline.closing(sender):
        courier = pipeline.open_courier(house, sender, events.append)
        posting = pipeline.Posting(house, courier, events.append, threading.Event())
        for _ in TEXTS:
            house.clock.pass_by(60)
            posting()

    slots = [event.slot.at for event in events if isinstance(event, SlotTaken) and event.slot.bot == "good"]
    told = [event.delivery for event in events if isinstance(event, Delivered)]
    assert len(slots) == len(TEXTS)
    assert [it.state for it in told if it.bot == "good"] == ["sent"] * len(TEXTS)
    bad = [it.state for it in told if it.bot == "bad"]
    if mode == "noise":
        assert bad == ["sent"] * len(TEXTS)
        return
    assert "sent" not in bad
    [halt] = house.halts("bad")
    assert "its target failed 3 times in ten minutes" in halt.reason
    assert [event.halt for event in events if isinstance(event, Halted)] == [halt]
    assert house.halts("good") == []


@pytest.mark.parametrize("mode", MODES)
def test_a_filter_in_chaos_costs_others_no_fill(folder, mode):
    """The other bot is filled in the same turn; of the bad one nothing is queued, and it is told."""
    house, events = configure(folder, f"filters: [{{chaos: {{mode: {mode}}}}}]"), []
    host = Host(Child(partial(FragileHost, house.config), "model host"), DEADLINE)
    with host:
        pipeline.Filling(house, host, events.append, threading.Event())()

    filled = {event.bot: event for event in events if isinstance(event, Filled)}
    failed = {event.bot: event.reason for event in events if isinstance(event, Failed)}
    assert len(filled["good"].drafts) == house.bot("good").batch_size
    if mode == "noise":
        assert filled["bad"].drafts
        assert not failed
        return
    assert house.drafts.list(bot="bad") == []
    assert [*failed] == ["bad"]
    assert mode in ("hang", "exit") or "the filter chaos fails" in failed["bad"]


def break_model(folder, mode, part):
    """Another model like moons, whose checkpoint or corpus needs the plugin."""
    checkpoints = folder.parent / "checkpoints"
    shutil.copytree(checkpoints / "moons", checkpoints / "broken")
    corpus = f"{{chaos: {{mode: {mode}}}}}" if part == "corpus" else "{lines: {path: moons.txt}}"
    folder.write_text(folder.read_text().replace("models:", f"models:\n  broken: {{corpus: {corpus}}}", 1))
    for path in checkpoints.glob("broken/*/meta.json") if part != "corpus" else ():
        meta = json.loads(path.read_text())
        path.write_text(json.dumps(meta | {part: {"name": "chaos", "options": {"mode": mode}}}))


@pytest.mark.proof
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["constraint", "tokenizer", "cell", "corpus"])
def test_what_is_in_chaos_in_the_host_costs_others_no_fill(folder, kind, mode):
    """Constraints, tokenizers, cells and corpora, in the real model host: the other bot is filled at once."""
    rule = f"sampling: {{constraints: [{{chaos: {{mode: {mode}}}}}]}}"
    chaos = rule if kind == "constraint" else "review: manual"
    configure(folder, chaos)
    if kind != "constraint":
        break_model(folder, mode, kind)
        folder.write_text(folder.read_text().replace("bad: {model: moons", "bad: {model: broken"))
    house, events = House(load(folder), Clock()), []
    with Host(Child(partial(ModelHost, house.config), "model host"), 60.0) as host:
        pipeline.Filling(house, host, events.append, threading.Event())()

    filled = {event.bot: event for event in events if isinstance(event, Filled)}
    assert filled["good"].drafts
    assert {event.bot for event in events} <= {"good", "bad"}
    if kind != "corpus" and mode in ("raise", "hang", "exit"):
        assert "bad" in {event.bot for event in events if isinstance(event, Failed)}


def test_what_is_stopped_the_doctor_says(folder):
    """With what lifts it."""
    house = configure(folder, "targets: [console]")
    house.switches.rest("console", "the program", "denied 3 times")

    found = {it.what: it for it in examine(folder)}
    assert not found["bot bad: stops"].ok
    assert found["bot bad: stops"].text == "console rests: denied 3 times; lift it with: bot resume bad"
    assert found["bot good: stops"].ok
