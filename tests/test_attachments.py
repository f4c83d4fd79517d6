"""What goes with a text, from renderer to post: made before it is approved, posted as the same bytes."""

from hashlib import sha256

import pytest
from rich.console import Console
from sqlalchemy import delete, update

from bot import pipeline
from bot.cli.why import explanation
from bot.config import load
from bot.doctor import examine
from bot.errors import BotError, Conflict, GateError
from bot.house import House
from bot.records import Secret, Verdict
from bot.store.payload import sight
from bot.store.tables import deliveries, media
from bot.story import story
from tests.folders import fill
from tests.queues import Clock

PLUGIN = """
import os
from pathlib import Path
from bot import Attachment, BotError, Receipt, Takes, hookimpl

class Plate:
    \"\"\"A picture of other bytes each time, a sound, and words that say what the text tells it to say.\"\"\"
    def __init__(self, says: str = "", fails: bool = False):
        self.says, self.fails = says, fails
    def __call__(self, text):
        if self.fails:
            raise BotError("the plate is broken")
        picture = Attachment("image/png", os.urandom(100), self.says or "a plate", "plate.png", 4, 3)
        return [picture, Attachment("audio/mpeg", b"ID3" + text.encode(), "a gong", "gong.mp3")]

class Album:
    \"\"\"Keeps pictures in files.\"\"\"
    kind = "opaque"
    account = "album"
    max_length = None
    def __init__(self, path: Path, takes: tuple[str, ...] = ("image/*",), manner: str = ""):
        self.path, self.manner = path, manner
        self.takes = [Takes(takes, most=2, largest=10_000)] if takes else []
    def measure(self, text):
        return len(text)
    def post(self, post):
        self.path.mkdir(exist_ok=True)
        for one in post.media:
            (self.path / one.name).write_bytes(one.content)
        (self.path / "text").write_text(post.text)
        return Receipt(evidence="kept")
    def find(self, post):
        raise BotError("no")

@hookimpl
def register_renderers():
    return {"plate": Plate}

@hookimpl
def register_targets():
    return {"album": Album}
"""
ALBUM = "targets: [{album: {path: album}}]"


@pytest.fixture
def house(bot_folder, monkeypatch):
    """A bot whose texts get a picture and a sound, and whose target takes pictures."""
    monkeypatch.setattr(Secret, "_met", set())  # other tests' secrets are words of our reasons
    (bot_folder.parent / "plugins").mkdir()
    (bot_folder.parent / "plugins" / "plate.py").write_text(PLUGIN)
    before, _ = bot_folder.read_text().split("    targets:")
    bot_folder.write_text(f"{before}    renderers: [plate]\n    {ALBUM}\n")
    house = House(load(bot_folder), Clock())
    yield house
    house.renderings.close()


def changed(house, old, new):
    """The same house after its owner has edited config.yaml."""
    text = house.config.file.read_text()
    assert old in text
    house.config.file.write_text(text.replace(old, new))
    again = House(load(house.config.file), house.clock)
    again.renderings.close()
    return again


def posted(house):
    return pipeline.post_now(house, "night", lambda event: None)


def album(house):
    folder = house.config.folder / "album"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_what_was_looked_at_is_approved_and_posted(house):
    """The very bytes, although it would give others now; what the target does not take stays away."""
    draft = fill(house, seed=5).drafts[0]
    picture, sound = house.rendered("night", draft.text).media
    [outlet] = house.outlets("night", draft.text)
    house.desk("ann").approve(draft.id, draft.sha256, seen=sight([outlet]))

    assert posted(house).status == "posted"
    assert outlet.media == (picture,)
    assert album(house).keys() == {"plate.png", "text"}
    assert sha256(album(house)["plate.png"]).hexdigest() == picture.sha256
    assert house.media.content(sound.sha256) == b"ID3" + draft.text.encode()


def test_it_is_made_when_a_text_is_queued(house):
    """So that nobody who looks has to wait, and what is wrong stands on the draft."""
    draft = fill(house, seed=5).drafts[0]

    assert house.rendered("night", draft.text, anew=False).media
    assert Verdict("renderers", "accept") in draft.verdicts


def test_an_edit_gets_a_picture_of_its_own(house):
    """And so does the old text when the edit is undone: the one it had."""
    draft = fill(house, seed=5).drafts[0]
    edited = house.desk("ann").edit(draft.id, "Pale moon over salt")
    assert house.rendered("night", edited.text).media != house.rendered("night", draft.text).media

    back = house.desk("ann").undo(draft.id)
    assert house.rendered("night", back.text) == house.rendered("night", draft.text)


def test_what_has_changed_since_it_was_looked_at_is_not_approved(house):
    """Another renderer's settings, another manner of posting: look again."""
    draft = fill(house, seed=5).drafts[0]
    seen = sight(house.outlets("night", draft.text))
    other = changed(house, "renderers: [plate]", "renderers: [plate: {says: 'a dish'}]")

    with pytest.raises(Conflict, match="has changed: look again"):
        other.desk("ann").approve(draft.id, draft.sha256, seen=seen)
    shy = changed(other, "{path: album}", "{path: album, manner: in secret}")
    now = sight(other.outlets("night", draft.text))
    with pytest.raises(Conflict, match="has changed: look again"):
        shy.desk("ann").approve(draft.id, draft.sha256, seen=now)
    other.renderings.close()
    shy.renderings.close()


def test_a_renderer_that_fails_needs_a_person(house):
    """The reason stands on the draft, no policy approves it, and a person may let the text go alone."""
    broken = changed(house, "renderers: [plate]", "renderers: [plate: {fails: true}]")
    draft = fill(broken, seed=5).drafts[0]
    assert Verdict("renderers", "ask", "plate: the plate is broken") in draft.verdicts

    with pytest.raises(GateError, match="needs a person: plate: the plate is broken"):
        broken.desk("policy").approve(draft.id, policy="automatic")
    broken.desk("ann").approve(draft.id)
    assert posted(broken).status == "posted"
    assert album(broken).keys() == {"text"}
    broken.renderings.close()


def test_a_renderer_that_cannot_be_built_stops_the_approval_and_not_the_queue(house, caplog):
    """Its owner is told once where the mistake is, also by the doctor."""
    broken = changed(house, "renderers: [plate]", "renderers: [plate: {says: 7}]")
    drafts = fill(broken, seed=5).drafts
    assert len(drafts) > 1
    assert len(caplog.messages) == 1

    with pytest.raises(BotError, match=r"config\.yaml:\d+:\d+: .*says"):
        broken.desk("ann").approve(drafts[0].id)
    broken.renderings.close()
    [found] = [finding for finding in examine(house.config.file) if "renderers" in finding.what]
    assert not found.ok
    assert "says" in found.text


def test_why_names_what_goes_with_a_draft(house):
    """What was made, what its deliveries took along, and that something was not made yet."""
    draft = fill(house, seed=5).drafts[0]
    made = house.rendered("night", draft.text).media
    assert story(house, draft.id).attachments.media == made

    house.desk("ann").approve(draft.id)
    posted(house)
    other = changed(house, "renderers: [plate]", "renderers: [plate: {says: 'a dish'}]")
    told = story(other, draft.id)
    assert told.attachments.media == made[:1]
    assert told.attachments.reasons == ("plate: not made yet",)

    console = Console(width=100)
    with console.capture() as capture:
        console.print(explanation(told))
    assert "plate.png (100 B): a plate" in capture.get()
    assert "plate: not made yet" in capture.get()


def test_what_a_picture_is_said_to_show_passes_the_gate_too(house):
    """Alt texts are read by people: none of them may notify anybody."""
    rude = changed(house, "renderers: [plate]", "renderers: [plate: {says: 'hail @ada'}]")
    draft = fill(rude, seed=5, count=4)

    assert not draft.drafts
    rude.renderings.close()


def test_a_target_that_takes_none_of_it_posts_the_text_and_says_so(house):
    """On the draft, before anybody approves it."""
    deaf = changed(house, "{path: album}", "{path: album, takes: [video/mp4]}")
    draft = fill(deaf, seed=5).drafts[0]
    sound = f"gong.mp3 ({3 + len(draft.text.encode())} B)"
    said = f"Album takes none of plate.png (100 B), {sound}: it posts the text alone."
    assert Verdict("targets", "accept", said) in draft.verdicts

    deaf.desk("policy").approve(draft.id, policy="automatic")
    assert posted(deaf).status == "posted"
    assert album(deaf).keys() == {"text"}
    deaf.renderings.close()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (delete(media), "plate.png: no attachment has the sha256"),
        (update(media).values(content=b"rot"), "is damaged"),
        (update(deliveries).values(media=[]), "what would be posted is not what was approved"),
        (update(deliveries).values(text="Another"), "what would be posted is not what was approved"),
    ],
)
def test_what_is_not_there_as_it_was_approved_is_refused_before_any_call(house, statement, reason):
    """Missing or damaged bytes, a row that somebody has changed: nothing is posted, and it says why."""
    draft = fill(house, seed=5).drafts[0]
    house.desk("ann").approve(draft.id)
    with house.database.write() as connection:
        connection.execute(statement)

    assert posted(house).status == "refused"
    assert album(house) == {}
    [delivery] = house.deliveries.list(draft=draft.id)
    assert reason in delivery.reason


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("takes: [video/mp4]", "approved with plate.png, but album does not take that any more"),
        ("manner: in secret", "approved to be posted 'plain', but it would be 'in secret'"),
    ],
)
def test_a_target_that_was_changed_after_the_approval_posts_nothing(house, options, reason):
    """What people would see is not what was approved: it must be approved again."""
    draft = fill(house, seed=5).drafts[0]
    house.desk("ann").approve(draft.id)
    other = changed(house, "{path: album}", f"{{path: album, {options}}}")

    assert posted(other).status == "refused"
    [delivery] = other.deliveries.list(draft=draft.id)
    assert delivery.reason == reason
    assert other.desk("ann").approve(draft.id).status == "approved"
    other.renderings.close()


def test_who_asks_for_an_approved_draft_again_finds_its_picture(house):
    """Long after: bytes that a delivery still needs are never pruned."""
    draft = fill(house, seed=5).drafts[0]
    house.desk("ann").approve(draft.id)
    house.clock.pass_by(100 * 24 * 3600)
    house.media.prune()

    assert posted(house).status == "posted"
    assert "plate.png" in album(house)


def test_a_bot_without_renderers_starts_no_process(bot_folder):
    """Nothing is asked, and nothing goes with its texts."""
    house = House(load(bot_folder), Clock())
    draft = fill(house, seed=5).drafts[0]

    assert house.rendered("night", draft.text).media == ()
    assert "renderings" not in vars(house)
