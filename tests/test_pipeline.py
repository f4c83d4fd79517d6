"""The flow: train, fill, review, post, run, replay, on a small model and a real database."""

import json
import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot import pipeline
from bot.config import load
from bot.errors import BotError, CheckpointError, ChildError, CorpusError, PluginError, TrainingError
from bot.events import Approved, Delivered, Failed, Filled, SlotTaken
from bot.host import ModelHost, open_host
from bot.house import House
from bot.model import checkpoint
from bot.model.training import Result
from bot.records import Judged, Sampling, Verdict
from bot.trainer import Trainer
from tests.folders import moons, write_folder


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Host:
    """The model host without its process."""

    def __init__(self, house):
        self._answer = ModelHost(house.config)

    def ask(self, order, deadline):
        return self._answer(order)


CHATTY = """
from bot import hookimpl

def judge(candidate, context):
    print("hello")
    return candidate

@hookimpl
def register_filters():
    return {"chatty": lambda: judge}
"""

HALF = """
from bot import hookimpl

class Half:
    kind = "put"
    account = "half"
    max_length = None
    def measure(self, text): return len(text)
    def post(self, post): return None
    def find(self, post): return None
    CHANGE

@hookimpl
def register_targets():
    return {"half": Half}
"""


@pytest.fixture
def house(bot_folder):
    return House(load(bot_folder), Clock())


def fill(house, **options):
    return pipeline.fill(house, Host(house), "night", **options)


def test_training_leaves_a_checkpoint_that_says_what_it_is(house):
    """The folder holds weights, vocabulary, index, history and a card; meta.json has the losses."""
    folder = house.checkpoint("moons")
    meta = checkpoint.read_meta(folder)

    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "history.csv",
        "meta.json",
        "novelty.index",
        "vocabulary.json",
        "weights.safetensors",
    }
    assert meta.corpus["kept"] == len(moons())
    assert meta.ngram_loss is not None
    assert len(meta.calibration) == 5


def test_the_card_counts_copies_before_and_after_the_filter(house):
    """The card names the share of exact copies, and that none is left after the index has vetoed."""
    card = (house.checkpoint("moons") / "README.md").read_text(encoding="utf-8")

    assert "are exact copies" in card
    assert "left after it: 0." in card


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


def test_a_vetoed_copy_names_the_item_where_the_corpus_is_at_hand(house):
    """With the corpus at hand the reason quotes the training item, without it only that there is one."""
    text = moons()[0] + "s"
    known = house.training_set("moons", house.checkpoint("moons"))
    (house.config.folder / "moons.txt").unlink()
    hashed = house.training_set("moons", house.checkpoint("moons"))

    assert known.nearest(text, 1).item == moons()[0]
    assert hashed.nearest(text, 1).item is None
    assert hashed.nearest(text, 1).distance == 1


def test_a_corpus_that_has_changed_does_not_vouch_for_the_model(house):
    """An item taken out of the corpus after the training is still known by its hash."""
    removed, *others = moons()
    (house.config.folder / "moons.txt").write_text("\n".join(others))

    known = house.training_set("moons", house.checkpoint("moons"))

    assert known.nearest(removed, 0).distance == 0


def test_a_corpus_plugin_that_fails_stops_only_training(house, bot_folder):
    """Training names the plugin and the line of the settings; a fill does without the corpus."""
    plugin = bot_folder.parent / "plugins" / "corpora" / "broken.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(
        "from bot import hookimpl\n\n\ndef broken():\n    yield 'one'\n    raise KeyError('two')\n\n\n"
        "@hookimpl\ndef register_corpora():\n    return {'broken': broken}\n"
    )
    bot_folder.write_text(bot_folder.read_text().replace("{lines: {path: moons.txt}}", "broken"))
    house = House(load(bot_folder), Clock())

    with pytest.raises(PluginError, match=r"config\.yaml:4:\d+: .*the corpus failed: KeyError: 'two'"):
        house.corpus("moons")
    assert fill(house, seed=5).drafts


def test_a_text_without_a_space_to_cut_it_at_can_be_learned_by_words(tmp_path):
    """One text of one giant word, held out in part: the vocabulary knows both parts."""
    tmp_path.joinpath("giant.txt").write_text("abcdefghij" * 2_000)
    tmp_path.joinpath("config.yaml").write_text(
        "models: {giant: {corpus: {lines: {path: giant.txt}}, tokenizer: words}}"
    )

    trainer = Trainer(House(load(tmp_path / "config.yaml")), "giant")

    assert len(trainer.held_out) == 1


def test_a_training_that_ends_before_its_first_checkpoint_says_so(house, monkeypatch):
    """A shipped checkpoint of the same name is not touched."""
    shutil.rmtree(house.config.checkpoints_folder)
    hopeless = Result((), False, "given up: the losses left all bounds again after 3 lower learning rates")
    monkeypatch.setattr("bot.trainer.train", lambda *_, state_file, **__: state_file.touch() or hopeless)

    with pytest.raises(TrainingError, match="moons: no checkpoint was made"):
        pipeline.train(house, "moons", lambda progress: None)


def test_the_reviewer_is_shown_the_nearest_item_of_the_corpus(house):
    """With its distance where the corpus is at hand; nothing where only hashes are."""
    draft = replace(fill(house, seed=5).drafts[0], text=f"{moons()[0]} too")

    assert house.nearest(draft).item == moons()[0]
    (house.config.folder / "moons.txt").unlink()
    assert House(house.config).nearest(draft) is None


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

    def ask(self, order, deadline):
        doubt = Verdict("eye", "ask", "who knows")
        return [replace(one, verdicts=(*one.verdicts, doubt)) for one in super().ask(order, deadline)]


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

    house.clock.now += pipeline.REST
    filling()
    assert [type(event) for event in events] == [Filled, Filled]


def test_a_fill_that_was_broken_off_by_the_end_is_no_failure(house):
    """Once stopped, what the killed host says is not told, and nothing else is begun."""
    stop, events = threading.Event(), []

    class Killed:
        def ask(self, order, deadline):
            stop.set()
            raise ChildError("the model host died (exit code -9)")

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
        def ask(self, order, deadline):
            raise RuntimeError("a tokenizer divided by nothing")

    events = []
    filling = pipeline.Filling(house, Broken(), events.append, threading.Event())
    filling()
    filling()

    assert [event.reason for event in events] == ["a tokenizer divided by nothing"]
    assert "Traceback" in caplog.text


def test_a_filter_that_prints_does_not_spoil_the_output(house, bot_folder, capsys):
    """What it prints goes to stderr: stdout belongs to the command."""
    folder = bot_folder.parent / "plugins" / "filters"
    folder.mkdir(parents=True)
    folder.joinpath("chatty.py").write_text(CHATTY)
    bot_folder.write_text(bot_folder.read_text().replace("not_seen_before]", "not_seen_before, chatty]"))
    house = House(load(bot_folder), Clock())

    pipeline.fill(house, Host(house), "night")

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('kind = "maybe"', r"the kind 'maybe' \(have put, key, query, opaque\)"),
        ("account = None", "the account None"),
        ("post = None", "no method 'post'"),
        ("del max_length", "no 'max_length'"),
    ],
)
def test_a_target_that_is_none_is_told_before_anything_is_approved(house, bot_folder, change, message):
    """The line names the target's place in config.yaml and what it lacks."""
    folder = bot_folder.parent / "plugins" / "targets"
    folder.mkdir(parents=True)
    folder.joinpath("half.py").write_text(HALF.replace("CHANGE", change))
    bot_folder.write_text(bot_folder.read_text().replace("targets: [", "targets: [half, "))

    with pytest.raises(PluginError, match=rf"config\.yaml:\d+:\d+: .*the target has {message}"):
        House(load(bot_folder)).outlets("night", "Pale moon")


def test_a_vocabulary_of_another_model_is_refused(house):
    """Before anything is sampled: its ids would not be the model's."""
    file = house.checkpoint("moons") / "vocabulary.json"
    file.write_text('{"complete": true, "tokens": ["a"]}')

    with pytest.raises(CheckpointError, match=r"vocabulary\.json: 4 ids, the model has"):
        house.sampler("moons")


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
    with pipeline.closing(pipeline.open_sender(house.config)) as sender:
        courier = pipeline.open_courier(house, sender, events.append)
        posting = pipeline.Posting(house, courier, events.append, threading.Event())
        for _ in range(2):
            house.clock.now += timedelta(seconds=4)
            posting()
            posting()

    taken = [event.draft.id for event in events if isinstance(event, SlotTaken)]
    assert taken == [second.id, first.id]
    assert sum(isinstance(event, Delivered) for event in events) == 4


def test_a_slot_without_an_approved_draft_passes(house):
    """It is told, and a draft approved afterwards waits for the next one."""
    events = []
    with pipeline.closing(pipeline.open_sender(house.config)) as sender:
        courier = pipeline.open_courier(house, sender, events.append)
        posting = pipeline.Posting(house, courier, events.append, threading.Event())
        house.clock.now += timedelta(seconds=4)
        posting()
        posting()

    assert [event.draft for event in events] == [None]


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


def test_a_model_without_a_corpus_cannot_be_trained(tmp_path):
    """The error names the setting."""
    house = House(load(write_folder(tmp_path, "models: {bare: {}}")))

    with pytest.raises(CorpusError, match=r"models\.bare"):
        pipeline.train(house, "bare", lambda progress: None)


def test_a_model_that_was_never_trained_cannot_be_sampled(tmp_path):
    """The error says where it looked and what to do."""
    house = House(load(write_folder(tmp_path)))

    with pytest.raises(CheckpointError, match="bot train moons"):
        pipeline.sample(house, "moons", Sampling(), 1, 1)
