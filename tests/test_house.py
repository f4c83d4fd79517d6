"""The rooms wired together: what is known of a corpus, which targets and checkpoints are taken as such."""

import shutil

import pytest

from bot import pipeline
from bot.config import load
from bot.curation.novelty import FILE_NAME, build_index
from bot.doctor import examine
from bot.errors import CheckpointError, ConfigError, GateError, PluginError
from bot.house import House
from bot.model import checkpoint
from bot.records import Evidence, Match, Rule, Sampling, Span
from tests.folders import fill, moons, write_folder
from tests.queues import Clock

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


def test_a_vetoed_copy_names_the_item_where_the_corpus_is_at_hand(house):
    """With the corpus at hand the reason quotes the training item, without it only that there is one."""
    text = moons()[0] + "s"
    known = house.training_set("moons", house.checkpoint("moons"))
    shutil.rmtree(house.config.folder / ".novelty")
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


def test_an_older_checkpoint_gets_its_profile_from_the_corpus(house):
    """The same as training made, to the byte; then the corpus is not needed any more."""
    folder = house.checkpoint("moons")
    made = (folder / "corpus.profile").read_bytes()
    (folder / "corpus.profile").unlink()

    assert house.profile("moons", folder).packed() == made
    (house.config.folder / "moons.txt").unlink()
    assert house.profile("moons", folder).packed() == made


def test_an_older_checkpoint_without_its_corpus_says_what_it_lacks(house):
    """One that has changed is not the corpus that was learned."""
    folder = house.checkpoint("moons")
    (folder / "corpus.profile").unlink()
    (house.config.folder / "moons.txt").write_text("\n".join(moons()[1:]))

    with pytest.raises(CheckpointError, match=r"no profile of the corpus, .* let models.moons.corpus name"):
        house.profile("moons", folder)


def test_the_corpus_is_read_once(house):
    """Another start finds its texts ready to be searched, although they are at hand no more."""
    house.training_set("moons", house.checkpoint("moons"))
    (house.config.folder / "moons.txt").unlink()
    [kept] = (house.config.folder / ".novelty").iterdir()

    again = House(house.config).training_set("moons", house.checkpoint("moons"))

    assert again.nearest(moons()[0], 0) == Match(0, moons()[0], "moons")
    assert again.size < sum(file.stat().st_size for file in kept.iterdir()) / 100
    assert (house.config.folder / ".novelty").stat().st_mode & 0o077 == 0


def test_a_large_corpus_says_that_it_is_being_indexed(house, monkeypatch, capsys):
    """Once: the next start finds it ready."""
    monkeypatch.setattr("bot.house.trained.MANY", 400)
    for _ in range(2):
        House(house.config).training_set("moons", house.checkpoint("moons"))

    assert capsys.readouterr().err == "indexing the 400 texts of moons, once ...\n"


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


def test_every_draft_carries_its_evidence(house):
    """The nearest item, the copied stretch and where they stand; an edit is judged as what was sampled is."""
    draft = fill(house, seed=5).drafts[0]
    edited = house.desk("ada").edit(draft.id, f"{moons()[0]} too")

    assert draft.evidence.characters == len(draft.text)
    assert draft.evidence.copied.text in draft.text
    assert edited.evidence.nearest == Match(4, moons()[0], "moons")
    assert edited.evidence.copied == Span(moons()[0], moons()[0], "moons")


def test_without_the_corpus_the_evidence_is_what_hashes_know(house):
    """A text one edit from an item is near one, and nobody can say which."""
    (house.config.folder / "moons.txt").unlink()
    draft = fill(house, seed=5).drafts[0]
    edited = house.desk("ada").edit(draft.id, moons()[0] + "s")

    assert draft.evidence == Evidence(len(draft.text), within=1)
    assert edited.evidence == Evidence(len(edited.text), 1, Match(1))


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
    with pytest.raises(PluginError, match=rf"config\.yaml:\d+:\d+: .*the target has {message}"):
        with_half(bot_folder, change).outlets("night", "Pale moon")


def with_half(bot_folder, change: str) -> House:
    """The house with one more target in its folder, made from HALF."""
    folder = bot_folder.parent / "plugins" / "targets"
    folder.mkdir(parents=True)
    folder.joinpath("half.py").write_text(HALF.replace("CHANGE", change))
    bot_folder.write_text(bot_folder.read_text().replace("targets: [", "targets: [half, "))
    return House(load(bot_folder), Clock())


def test_a_text_too_long_for_a_target_is_not_queued(bot_folder):
    """Its length there is what counts; the funnel names the target."""
    house = with_half(bot_folder, "max_length = 15")
    filled = fill(house, seed=5)

    dropped = {drop.filter: drop for drop in filled.funnel.drops}["targets"]
    assert dropped.count > 0
    assert all(len(text) > 15 and why.endswith("and half takes 15.") for text, why in dropped.examples)
    assert all(len(draft.text) <= 15 for draft in filled.drafts)
    assert all(draft.verdicts[-1].filter == "targets" for draft in filled.drafts)


def test_what_a_target_objects_to_is_not_approved(bot_folder):
    """An edit meets it as well: before any call, with the target's own words."""
    house = with_half(bot_folder, "def objection(self, text): return 'a bell' if 'bell' in text else ''")
    draft = fill(house, seed=5).drafts[0]

    with pytest.raises(GateError, match="cannot have this text: Half does not take it: a bell"):
        house.desk("ada").edit(draft.id, "Pale bell")


def test_targets_that_cannot_be_made_do_not_stop_a_fill(bot_folder):
    """A secret may be missing where drafts are made; what posts needs it."""
    house = with_half(bot_folder, "def __init__(self): raise ValueError('no key')")

    assert fill(house, seed=5).drafts


def test_an_edit_is_judged_by_the_bots_filters(house):
    """What they say is stored with the revision, and the person who wrote it may approve it."""
    first, second, *_ = fill(house, seed=5).drafts
    edited = house.desk("ada").edit(first.id, second.text)

    said = {verdict.filter: verdict for verdict in edited.verdicts}
    assert said["not_seen_before"].outcome == "reject"
    assert said["gate.safety"].outcome == said["targets"].outcome == "accept"
    assert house.desk("ada").approve(first.id).status == "approved"


def test_a_policy_leaves_what_the_gate_asks_about(house):
    """It is judged where it is approved, whatever stands in the database."""
    draft = fill(house, seed=5).drafts[0]
    edited = house.desk("ada").edit(draft.id, "Pale mооn")

    assert {verdict.filter: verdict.outcome for verdict in edited.verdicts}["gate.safety"] == "ask"
    with pytest.raises(GateError, match="needs a person: “mооn” is spelled"):
        house.desk("policy").approve(draft.id, policy="automatic")
    assert house.desk("ada").approve(draft.id).status == "approved"


def test_a_vocabulary_of_another_model_is_refused(house):
    """Before anything is sampled: its ids would not be the model's."""
    file = house.checkpoint("moons") / "vocabulary.json"
    file.write_text('{"complete": true, "tokens": ["a"]}')

    with pytest.raises(CheckpointError, match=r"vocabulary\.json: 4 ids, the model has"):
        house.sampler("moons")


def test_a_model_that_was_never_trained_cannot_be_sampled(tmp_path):
    """The error says where it looked and what to do."""
    house = House(load(write_folder(tmp_path)))

    with pytest.raises(CheckpointError, match="bot train moons"):
        pipeline.sample(house, "moons", Sampling(), 1, 1)


def test_the_doctor_tries_the_filters_where_the_corpus_is_not_at_hand(house, bot_folder):
    """What hashes cannot tell is said before the first fill, with the filter's line."""
    text = bot_folder.read_text().replace("not_in_training,", "{not_in_training: {edits: 2}},")
    bot_folder.write_text(text)
    line = text[: text.index("not_in_training")].count("\n") + 1
    found = {finding.what: finding for finding in examine(bot_folder)}
    assert found["bot night: filters"].ok

    shutil.rmtree(house.config.folder / ".novelty", ignore_errors=True)
    (house.config.folder / "moons.txt").unlink()
    found = {finding.what: finding for finding in examine(bot_folder)}

    assert not found["bot night: filters"].ok
    assert f"config.yaml:{line}:" in found["bot night: filters"].text
    assert "not_in_training: 2 edits: hashes know one at most" in found["bot night: filters"].text


def test_a_missing_list_of_words_is_told_with_its_line(house, bot_folder):
    """And only a name that is very near is held up as what may have been meant."""
    text = bot_folder.read_text().replace("not_seen_before]", "{blocklist: {path: words.txt}}]")
    bot_folder.write_text(text)
    (bot_folder.parent / "worlds").mkdir()
    (bot_folder.parent / "notes.txt").touch()

    with pytest.raises(ConfigError, match=r"config.yaml:\d+:\d+: .*words.txt: there is no such file\.$"):
        House(load(bot_folder)).filters("night")


def test_the_gate_asks_the_corpora_of_all_checkpoints(house, bot_folder):
    """Whichever of them wrote a text; and of an edit the filters speak by its draft's own."""
    folder = house.checkpoint("moons")
    shutil.copytree(folder, other := folder.with_name("other"))
    (other / FILE_NAME).write_bytes(build_index(["Nothing But Rain"]))
    checkpoint.amend(other, corpus={"sha256": "0" * 64})
    text = bot_folder.read_text().replace("    sampling:", "    checkpoint: [best, other]\n    sampling:")
    bot_folder.write_text(text)
    both = House(load(bot_folder), Clock())
    drafts = {draft.candidate.checkpoint: draft for draft in fill(both, count=60).drafts}

    for copied in (moons()[0], "Nothing But Rain"):
        [said] = [verdict for verdict in both.gate("night", copied) if verdict.filter == "gate.copy"]
        assert said.outcome == "reject"
    outcomes = {
        name: {it.filter: it.outcome for it in both.opinions(draft, "nothing but rains")}["not_in_training"]
        for name, draft in drafts.items()
    }
    assert outcomes == {f"moons/{folder.name}": "accept", "moons/other": "reject"}


def test_what_was_asked_for_of_a_text(house):
    """Its prefix and all its constraints: what the rut alarm asks."""
    asked = house.asked(Sampling(prefix="sa", constraints=(Rule("length", {"max": 5}),)))

    assert [asked(text) for text in ("salt", "iron", "salt moon")] == [True, False, False]
