"""The store of attachments: bytes by their sha256, never changed, pruned when nobody needs them."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import delete, update

from bot import Attachment
from bot.errors import NotFound, StoreError
from bot.store import MediaStore
from bot.store.media import KEPT
from bot.store.payload import payload, sight
from bot.store.tables import media as table
from tests.queues import outlet

PICTURE = Attachment("image/png", b"\x89PNG a picture", "a picture", "a.png", 4, 3)
SOUND = Attachment("audio/mpeg", b"ID3 a sound", "a sound", "a.mp3")


@pytest.fixture
def store(queue):
    return MediaStore(queue.database)


def test_bytes_come_back_as_they_were(store):
    """With everything that is said of them."""
    described = store.keep("k1", [PICTURE, SOUND])

    assert [one.sha256 for one in described] == [sha256(one.content).hexdigest() for one in (PICTURE, SOUND)]
    assert store.found("k1") == described
    assert store.attachments(described) == (PICTURE, SOUND)
    assert store.content(described[0].sha256) == PICTURE.content


def test_the_first_rendering_stays(store):
    """Two processes may have made it at once: what one of them has shown already counts."""
    first = store.keep("k1", [PICTURE])

    assert store.keep("k1", [replace(PICTURE, content=b"another")]) == first == store.found("k1")


def test_the_same_bytes_are_kept_once(store, queue):
    """Two texts may have the same picture."""
    store.keep("k1", [PICTURE])
    store.keep("k2", [PICTURE, PICTURE])

    with queue.database.read() as connection:
        assert len(connection.execute(table.select()).all()) == 1


def test_nothing_made_is_not_the_same_as_not_made(store):
    """So that it is not tried again and again."""
    store.keep("k1", [])

    assert store.found("k1") == ()
    assert store.found("k2") is None


def test_what_is_missing_or_damaged_is_named(store, queue):
    """Before anything is posted with it."""
    [picture, sound] = store.keep("k1", [PICTURE, SOUND])
    with queue.database.write() as connection:
        connection.execute(delete(table).where(table.c.sha256 == sound.sha256))
        connection.execute(update(table).values(content=b"rot"))

    with pytest.raises(StoreError, match=rf"a\.png: the attachment {picture.sha256} is damaged"):
        store.attachments([picture])
    with pytest.raises(StoreError, match=rf"a\.mp3: no attachment has the sha256 {sound.sha256}"):
        store.attachments([sound])
    with pytest.raises(NotFound, match="no attachment"):
        store.content(sound.sha256)


def test_a_delivery_carries_what_was_approved(store, queue):
    """The same at every reading, and its digest says so."""
    [picture] = store.keep("k1", [PICTURE])
    [draft] = queue.add("Ash")
    approved = replace(outlet("Ash"), media=(picture,), manner="unlisted", left_out="no sound")
    queue.approve(draft, approved)

    [delivery] = queue.deliveries.list()

    assert (delivery.media, delivery.manner) == ((picture,), "unlisted")
    assert delivery.payload == payload(delivery) == payload(approved)
    assert payload(replace(delivery, text="Ashes")) != delivery.payload


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Ashes"},
        {"manner": "unlisted"},
        {"account": "another"},
        {"media": ()},
    ],
)
def test_a_sight_is_of_all_that_people_will_see(store, change):
    """What goes where, as whom and how; not the order of the targets."""
    media = store.keep("k1", [PICTURE])
    one, other = replace(outlet("Ash"), media=media), outlet("Ash", "pad")

    assert sight([one, other]) == sight([other, one])
    assert sight([replace(one, **change), other]) != sight([one, other])
    told = replace(media[0], alt_text="a picture of ash")
    assert sight([replace(one, media=(told,)), other]) != sight([one, other])


def test_what_nobody_needs_is_removed_after_a_while(store, queue):
    """A month later; what a coming post needs stays, and a draft's picture is made again when asked for."""
    waiting, idle, young = (replace(PICTURE, content=bytes([number])) for number in (1, 2, 3))
    [needed] = store.keep("k1", [waiting])
    store.keep("k2", [idle])
    [draft] = queue.add("Ash")
    queue.approve(draft, replace(outlet("Ash"), media=(needed,)))
    assert store.prune() == 0
    queue.clock.pass_by((KEPT + timedelta(days=1)).total_seconds())
    kept = store.keep("k3", [young])

    assert store.prune() == 1
    assert store.attachments([needed, *kept]) == (waiting, young)
    assert store.found("k2") is None
