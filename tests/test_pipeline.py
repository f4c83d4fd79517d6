"""The flow: fill, post, run, replay, on a small model and a real database."""

import json
import shutil
import threading
from dataclasses import replace

import pytest

from bot import pipeline
from bot.config import load
from bot.errors import BotError, ChildError
from bot.events import Approved, Delivered, Failed, Filled, Halted, Held, SlotTaken
from bot.filling import REST
from bot.house import House
from bot.records import Judged, Sampling, Verdict
from tests.folders import Host, fill, moons
from tests.hosts import candidate
from tests.queues import Clock


def test_a_fill_queues_what_the_filters_keep(house):
    """All samples are accounted for: kept ones are pending drafts, the others are in the funnel."""
    filled = fill(house, seed=5)

    assert filled.funnel.sampled == 24
    assert filled.funnel.kept + sum(drop.count for drop in filled.funnel.drops) == 24
    assert [draft.status for draft in filled.drafts] == ["pending"] * filled.funnel.kept
    assert not {draft.text for draft in filled.drafts} & set(moons())


def test_nothing_is_queued_twice(house):
    """The same seed again brings the same texts, and every one of them was seen before."""
    first = fill(house, seed=5)

    assert first.drafts
    assert not fill(house, seed=5).drafts


def test_posting_now_leaves_other_bots_alone(house, bot_folder):
    """What another bot has due waits for `bot run`."""
    draft = fill(house, seed=5).drafts[0]
    [other] = house.drafts.add("day", [Judged(replace(draft.candidate, index=99, text="Noon"), ())])
    house.drafts.decide(other.id, other.sha256, "approve", "ann", outlets=house.outlets("night", "Noon"))
    house.deliveries.schedule_now("day")
    house.desk("ann").approve(draft.id)

    assert pipeline.post_now(house, "night", lambda event: None).status == "posted"
    assert house.drafts.get(other.id).status == "scheduled"


def test_a_bot_without_a_target_is_told_at_the_start(house, bot_folder):
    """It runs, but nothing of it can be posted."""
    bot_folder.write_text(bot_folder.read_text().split("    targets:")[0])
    stop, events = threading.Event(), []
    stop.set()

    pipeline.run(House(load(bot_folder), Clock()), events.append, stop)

    assert "no target" in next(event for event in events if isinstance(event, Failed)).reason


def test_an_approved_draft_is_posted_to_every_target(house):
    """Approve, post: the file and the feed have the text, the draft is posted."""
    draft = fill(house, seed=5).drafts[0]
    house.desk("ann").approve(draft.id)
    events = []

    posted = pipeline.post_now(house, "night", events.append)

    assert posted.id == draft.id
    assert [event.delivery.state for event in events] == ["sent", "sent"]
    assert house.drafts.get(draft.id).status == "posted"
    [line] = (house.config.folder / "posts.jsonl").read_text().splitlines()
    assert json.loads(line)["text"] == draft.text
    assert draft.text in (house.config.folder / "feed.xml").read_text()


def test_nothing_is_posted_unless_approved(house):
    """With pending drafts only, posting finds nothing to do."""
    fill(house, seed=5)

    assert pipeline.post_now(house, "night", lambda event: None) is None
    assert not (house.config.folder / "posts.jsonl").exists()


def test_the_gate_forbids_an_approved_text_that_a_post_has_become_equal_to(house):
    """Two drafts edited to the same text: the second is refused before anything is sent."""
    first, second = fill(house, seed=5).drafts[:2]
    desk = house.desk("ann")
    for draft in (first, second):
        desk.edit(draft.id, "A moon that nobody has seen")
        desk.approve(draft.id)

    pipeline.post_now(house, "night", lambda event: None)
    pipeline.post_now(house, "night", lambda event: None)

    assert house.drafts.get(first.id).status == "posted"
    assert house.drafts.get(second.id).status == "refused"
    assert len((house.config.folder / "posts.jsonl").read_text().splitlines()) == 1


def test_a_replay_gives_the_same_bytes(house):
    """Every draft of a batch is sampled again from its provenance, alone."""
    for draft in fill(house, seed=5).drafts[:5]:
        replayed = pipeline.replay(house, draft.id)

        assert replayed.promised
        assert replayed.identical


def test_a_replay_elsewhere_promises_nothing(house):
    """Another build is named as such."""
    draft = fill(house, seed=5).drafts[0]
    elsewhere = replace(draft.candidate, build="torch 1.0")

    replayed = replace(pipeline.replay(house, draft.id), draft=replace(draft, candidate=elsewhere))

    assert not replayed.promised


def test_samples_do_not_depend_on_how_many_are_asked_for(house):
    """Sample k is the same among three and among twenty."""
    sampling = Sampling((1.0, 1.0))

    few = pipeline.sample(house, "moons", sampling, seed=3, count=3)
    many = pipeline.sample(house, "moons", sampling, seed=3, count=20)

    assert few == many[:3]


def test_filling_stops_when_the_queue_is_full(house):
    """One turn fills, the next has nothing to do."""
    events = []
    filling = pipeline.Filling(house, Host(house), events.append, threading.Event())

    filling()
    filling()

    assert [type(event) for event in events] == [Filled]


def test_a_policy_approves_in_its_own_name(house, bot_folder):
    """What a policy decides is recorded with its name."""
    bot_folder.write_text(
        bot_folder.read_text().replace("batch_size: 24", "batch_size: 24\n    review: automatic")
    )
    house = House(load(bot_folder), Clock())
    events = []

    pipeline.Filling(house, Host(house), events.append, threading.Event())()

    approved = next(event for event in events if isinstance(event, Approved))
    decisions = house.drafts.decisions(approved.drafts[0].id)
    assert [(decision.actor, decision.policy) for decision in decisions] == [("policy", "automatic")]


class Doubtful(Host):
    """A host whose filters want a person to see every text."""

    def ask_all(self, orders):
        doubt = Verdict("eye", "ask", "who knows")
        for order, judged in super().ask_all(orders):
            yield order, [replace(one, verdicts=(*one.verdicts, doubt)) for one in judged]


def test_what_waits_for_a_person_does_not_starve_a_policy(house, bot_folder):
    """Drafts that no policy approves are no stock: it rests after a batch that brought none, then goes on."""
    bot_folder.write_text(
        bot_folder.read_text().replace("batch_size: 24", "batch_size: 24\n    review: automatic")
    )
    house = House(load(bot_folder), Clock())
    events = []
    filling = pipeline.Filling(house, Doubtful(house), events.append, threading.Event())

    filling()
    filling()
    assert [type(event) for event in events] == [Filled]
    assert house.drafts.count("pending", "night") >= house.bot("night").queue_size

    house.clock.pass_by(REST.total_seconds())
    filling()
    assert [type(event) for event in events] == [Filled, Filled]


class Counting:
    """A host that writes down how many orders it was asked for at a time."""

    def __init__(self):
        self.questions = []

    def ask_all(self, orders):
        self.questions.append((orders[0].model, len(orders)))
        for order in orders:
            yield order, [Judged(candidate(order, index), ()) for index in range(order.count)]


def test_many_bots_ask_in_as_few_questions_as_there_are_models(house, bot_folder):
    """Dozens that share three models are three decodes; each has its own drafts."""
    models = {f"moons{number}": {} for number in range(3)}
    names = [f"bot{number:02}" for number in range(60)]
    bots = {
        name: {"model": f"moons{at % 3}", "batch_size": 3, "queue_size": 3} for at, name in enumerate(names)
    }
    for name in models:
        shutil.copytree(bot_folder.parent / "checkpoints" / "moons", bot_folder.parent / "checkpoints" / name)
    bot_folder.write_text(json.dumps({"models": models, "bots": bots}))
    house, host, events = House(load(bot_folder), Clock()), Counting(), []
    filling = pipeline.Filling(house, host, events.append, threading.Event())

    filling()
    filling()

    assert host.questions == [(name, 20) for name in models]
    assert [event.waiting for event in events] == [3] * 60
    assert house.drafts.list(bot="bot07")[2].text.startswith("Bot07")


def test_what_breaks_the_host_again_and_again_is_asked_less_and_less(house):
    """It rests twice as long each time, so that the others need not wait for it; then as it did at first."""

    class Breaking:
        answer = ChildError("the model host gave no answer within 300 s and was killed")
        asked = 0

        def ask_all(self, orders):
            self.asked += 1
            for order in orders:
                yield order, self.answer

    host, events = Breaking(), []
    filling = pipeline.Filling(house, host, events.append, threading.Event())

    def asked_within(rests):
        for _ in range(rests):
            filling()
            house.clock.pass_by(REST.total_seconds())
        before, host.asked = host.asked, 0
        return before

    assert asked_within(1 + 2 + 4 + 8) == 4
    assert {event.reason for event in events} == {str(host.answer)}
    host.answer = []
    assert asked_within(3) == 3


def test_a_fill_that_was_broken_off_by_the_end_is_no_failure(house):
    """Once stopped, what the killed host says is not told, and nothing else is begun."""
    stop, events = threading.Event(), []

    class Killed:
        def ask_all(self, orders):
            stop.set()
            for order in orders:
                yield order, ChildError("the model host died (exit code -9)")

    filling = pipeline.Filling(house, Killed(), events.append, stop)
    filling()
    filling()

    assert events == []


def test_one_bot_that_fails_does_not_stop_the_others(house, bot_folder):
    """A bot whose model was never trained fails by name and rests; the other is filled."""
    text = bot_folder.read_text().replace("bots:", "bots:\n  lost: {model: nowhere}")
    bot_folder.write_text(text.replace("models:", "models:\n  nowhere: {}"))
    house = House(load(bot_folder), Clock())
    events = []
    filling = pipeline.Filling(house, Host(house), events.append, threading.Event())

    filling()
    filling()

    assert [type(event) for event in events] == [Failed, Filled]
    assert "nowhere" in events[0].reason


def test_what_a_plugin_raises_in_the_host_fails_one_bot(house, caplog):
    """It is told and logged with its traceback, and the bot rests."""

    class Broken:
        def ask_all(self, orders):
            for order in orders:
                yield order, RuntimeError("a tokenizer divided by nothing")

    events = []
    filling = pipeline.Filling(house, Broken(), events.append, threading.Event())
    filling()
    filling()

    assert [event.reason for event in events] == ["a tokenizer divided by nothing"]
    assert "Traceback" in caplog.text


def test_a_policy_that_does_not_exist_is_told_at_the_start(house, bot_folder):
    """Before anything is sampled or posted."""
    bot_folder.write_text(
        bot_folder.read_text().replace("batch_size: 24", "batch_size: 24\n    review: automtic")
    )

    with pytest.raises(BotError, match=r"bots\.night\.review: no policy is called 'automtic'"):
        pipeline.run(House(load(bot_folder)), lambda event: None, threading.Event())


def test_a_slot_is_given_to_the_oldest_approved_draft_once(house):
    """Turn after turn within one slot posts one draft; the next slot posts the next."""
    first, second = fill(house, seed=5).drafts[:2]
    for draft in (second, first):
        house.desk("ann").approve(draft.id)
    events = []
    with pipeline.closing(pipeline.open_sender(house)) as sender:
        courier = pipeline.open_courier(house, sender, events.append)
        posting = pipeline.Posting(house, courier, events.append, threading.Event())
        for _ in range(2):
            house.clock.pass_by(4)
            posting()
            posting()

    taken = [event.draft.id for event in events if isinstance(event, SlotTaken)]
    assert taken == [second.id, first.id]
    assert sum(isinstance(event, Delivered) for event in events) == 4


def test_a_slot_without_an_approved_draft_passes(house):
    """It is told, and a draft approved afterwards waits for the next one."""
    events = []
    with pipeline.closing(pipeline.open_sender(house)) as sender:
        courier = pipeline.open_courier(house, sender, events.append)
        posting = pipeline.Posting(house, courier, events.append, threading.Event())
        house.clock.pass_by(4)
        posting()
        posting()

    assert [event.draft for event in events] == [None]


def test_between_slots_nobody_is_asked_for_them(house, monkeypatch):
    """300 bots would ask the database 300 times a second; a clock that is set back makes all look again."""
    asked, last_slot = [], house.deliveries.last_slot
    monkeypatch.setattr(house.deliveries, "last_slot", lambda bot: asked.append(bot) or last_slot(bot))
    sender, posting = posting_of(house, [])
    with sender:
        house.clock.pass_by(4)
        for _ in range(3):
            posting()
        looks = len(asked)
        posting()
        assert len(asked) == looks == 2  # one that takes the slot, one that finds no other
        house.clock.pass_by(-3600)
        posting()

    assert len(asked) == 3


def posting_of(house, events):
    sender = pipeline.open_sender(house)
    courier = pipeline.open_courier(house, sender, events.append)
    return pipeline.closing(sender), pipeline.Posting(house, courier, events.append, threading.Event())


def test_slots_of_a_stopped_bot_are_missed(house):
    """No draft is made due meanwhile, so none goes out in a heap when it is resumed; both are told."""
    for draft in fill(house, seed=5).drafts[:3]:
        house.desk("ann").approve(draft.id)
    events = []
    sender, posting = posting_of(house, events)
    with sender:
        house.switches.stop(None, "ann")
        for _ in range(3):
            house.clock.pass_by(4)
            posting()
        assert [(type(event), event.over) for event in events] == [(Halted, False)]
        house.switches.resume(None, [], "ann")
        posting()

    assert [type(event) for event in events[1:]] == [Halted, SlotTaken, Delivered, Delivered]
    assert house.drafts.count("approved", "night") == 2


def test_what_waits_for_a_limit_is_told_once(house, bot_folder):
    """And goes out when the limit allows it."""
    text = bot_folder.read_text().replace("    schedule:", "    limits: {per_hour: 1}\n    schedule:")
    bot_folder.write_text(text)
    house = House(load(bot_folder), Clock())
    for draft in fill(house, seed=5).drafts[:2]:
        house.desk("ann").approve(draft.id)
    events = []
    sender, posting = posting_of(house, events)
    with sender:
        for _ in range(5):
            house.clock.pass_by(4)
            posting()
        held = [event.hold.account for event in events if isinstance(event, Held)]
        assert sorted(held) == sorted(target.account for target in house.targets("night").values())
        assert sum(isinstance(event, Delivered) for event in events) == 2
        house.clock.pass_by(3600)
        posting()

    assert sum(isinstance(event, Delivered) for event in events) == 4
