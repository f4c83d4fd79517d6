"""The feed target: a valid Atom file at every moment, each post in it once."""

import xml.etree.ElementTree as ET

import feedparser
import pytest

from bot import NotSent
from bot.errors import ConfigError
from tests.plugins.targets.posts import SOUND, picture, post, target


@pytest.fixture
def feed(tmp_path):
    return target(
        "feed", tmp_path, path="feed.xml", title="Invented & <true>", link="https://example.org/f.xml"
    )


def read(feed):
    parsed = feedparser.parse(feed.path.read_bytes())
    assert not parsed.bozo, parsed.bozo_exception
    return parsed


def test_a_reader_accepts_it(feed):
    """All that RFC 4287 requires is there: ids, titles, dates, authors, the feed's own address."""
    feed.post(post("Crypt of Ash"))

    parsed = read(feed)
    [entry] = parsed.entries
    assert parsed.version == "atom10"
    assert (parsed.feed.title, parsed.feed.author) == ("Invented & <true>", "metal")
    assert parsed.feed.id == "https://example.org/f.xml"
    assert parsed.feed.updated == entry.updated == entry.published == "2026-03-01T12:00:00Z"
    assert [(link.rel, link.href) for link in parsed.feed.links] == [("self", "https://example.org/f.xml")]
    assert entry.id.startswith("urn:uuid:")
    assert entry.title == entry.content[0].value == "Crypt of Ash"
    assert entry.author == "metal"


def test_newest_first_and_no_more_than_the_limit(tmp_path):
    """The newest entries stay, in the order of their dates, also when an older post comes late."""
    feed = target("feed", tmp_path, path="feed.xml", limit=3)
    for minute in (1, 2, 5, 4, 3):
        feed.post(post(f"at {minute}", key=f"k{minute}", minutes=minute))

    assert [entry.title for entry in read(feed).entries] == ["at 5", "at 4", "at 3"]
    assert read(feed).feed.updated == "2026-03-01T12:05:00Z"


def test_the_same_post_again_changes_nothing(feed):
    """A repeated put leaves the file untouched, byte for byte and as the same file."""
    first = feed.post(post("a\r\nb\rc"))
    feed.post(post("other", key="k2"))
    before, inode = feed.path.read_bytes(), feed.path.stat().st_ino

    assert feed.post(post("a\r\nb\rc")) == first
    assert (feed.path.read_bytes(), feed.path.stat().st_ino) == (before, inode)


def test_entries_outlive_a_restart(feed, tmp_path):
    """Another process reads the entries back and keeps their ids and the feed's own."""
    feed.post(post("first", key="k1"))
    before = read(feed)
    again = target("feed", tmp_path, path="feed.xml", link="https://example.org/moved.xml")
    again.post(post("second", key="k2", minutes=1))

    after = read(again)
    assert [entry.title for entry in after.entries] == ["second", "first"]
    assert after.entries[1].id == before.entries[0].id
    assert after.feed.id == before.feed.id
    assert again.find(post("first", key="k1")).remote_id == before.entries[0].id
    assert again.find(post("third", key="k3")) is None


def test_a_feed_without_a_link_has_an_id_of_its_own(tmp_path):
    """Two unpublished feeds never share an id, and each keeps its."""
    ids = []
    for name in ("a.xml", "b.xml"):
        feed = target("feed", tmp_path, path=name)
        feed.post(post(key="k1"))
        ids.append(read(feed).feed.id)
        feed.post(post(key="k2"))
        assert read(feed).feed.id == ids[-1]
    assert ids[0] != ids[1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>&amp; ]]> \"'", "<b>&amp; ]]> \"'"),
        ("bell\x07 null\x00 esc\x1b", "bell\ufffd null\ufffd esc\ufffd"),
        ("not a character \uffff, half a pair \ud83e", "not a character \ufffd, half a pair \ufffd"),
        ("  墓 🤘\n\n  end  ", "  墓 🤘\n\n  end  "),
    ],
)
def test_any_text_is_well_formed(feed, text, shown):
    """What XML cannot hold is replaced, all else is kept to the last space."""
    feed.post(post(text))

    read(feed)
    content = ET.parse(feed.path).find(".//{*}content")
    assert content.text == shown
    feed.post(post("next", key="k2"))
    assert [c.text for c in ET.parse(feed.path).iterfind(".//{*}content")] == ["next", shown]


@pytest.mark.parametrize("content", [b"", b"<feed", b"<rss/>", b"notes of mine"])
def test_a_file_that_is_no_feed_is_left_alone(feed, content):
    """A broken or foreign file is an error that says what to do, and is never overwritten."""
    feed.path.write_bytes(content)

    with pytest.raises(NotSent, match=r"feed\.xml: not .*move (it|this one) away"):
        feed.post(post())
    assert feed.path.read_bytes() == content


def test_a_long_text_has_a_short_title(feed):
    """The title is one line of at most 100 characters; the content is everything."""
    feed.post(post("dark\nness " * 50))

    [entry] = read(feed).entries
    assert len(entry.title) == 100
    assert entry.title.endswith("…")
    assert "\n" not in entry.title


def test_it_keeps_the_file_as_it_was_shared(feed, tmp_path):
    """A mode once given stays; a link is followed, not replaced; nothing else is left in the folder."""
    feed.post(post(key="k1"))
    feed.path.chmod(0o604)
    (tmp_path / "link.xml").symlink_to(feed.path)
    target("feed", tmp_path, path="link.xml").post(post(key="k2"))

    assert (tmp_path / "link.xml").is_symlink()
    assert feed.path.stat().st_mode & 0o777 == 0o604
    assert len(read(feed).entries) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["feed.xml", "link.xml"]


def test_a_place_that_cannot_be_written(tmp_path):
    """A folder that cannot be made is certainly not sent, and named."""
    (tmp_path / "nowhere").write_text("a file stands in its place")
    with pytest.raises(NotSent, match=r"nowhere/feed\.xml: "):
        target("feed", tmp_path, path="nowhere/feed.xml").post(post())


def test_a_missing_folder_is_made(tmp_path):
    """A new place needs no preparation."""
    target("feed", tmp_path, path="new/one/feed.xml").post(post())

    assert (tmp_path / "new/one/feed.xml").exists()


def test_a_feed_keeps_something(tmp_path):
    """A limit below one is refused when the configuration is read."""
    with pytest.raises(ConfigError, match="at least 1"):
        target("feed", tmp_path, path="feed.xml", limit=0)


# ---- attachments ----------------------------------------------------------------------------------


def test_attachments_are_enclosures_and_seen_in_the_entry(feed):
    """A reader finds their addresses, types and sizes, shows the picture and plays the sound."""
    feed.post(post("a\nb <i>", media=(picture(), SOUND)))

    [entry] = read(feed).entries
    one, other = entry.enclosures
    assert (one.type, int(one.length), one.title) == ("image/png", len(picture().content), picture().alt_text)
    assert one.href.startswith("https://example.org/f")
    assert (other.type, other.href.rpartition("-")[2]) == ("audio/mpeg", "gong.mp3")
    page = ET.fromstring(f"<div>{ET.parse(feed.path).find('.//{*}content').text}</div>")
    assert "".join(page[0].itertext()) == "ab <i>"
    assert page.find(".//img").attrib == {
        "src": one.href,
        "alt": picture().alt_text,
        "width": "4",
        "height": "3",
    }
    assert page.find(".//audio").get("src") == other.href
    assert entry.title == "a b <i>"


def test_attachments_lie_beside_the_feed(feed, tmp_path):
    """As bytes, under the names that the entries give, relative where the feed has no address."""
    feed.post(post(media=(picture(), SOUND)))
    bare = target("feed", tmp_path, path="bare.xml")
    bare.post(post(media=(picture(),)))

    for link in ET.parse(bare.path).iterfind(".//{*}link[@rel='enclosure']"):
        assert (tmp_path / link.get("href")).read_bytes() == picture().content
    assert sorted(path.name.partition("-")[2] for path in (tmp_path / "feed.media").iterdir()) == [
        *("gong.mp3", "plate.png")
    ]


def test_the_same_post_with_a_picture_again_changes_nothing(feed):
    """A put stays a put."""
    first = feed.post(post(media=(picture(),)))
    before = feed.path.read_bytes()

    assert feed.post(post(media=(picture(),))) == first
    assert feed.path.read_bytes() == before


def test_attachments_go_with_their_entries(tmp_path):
    """What no entry names any more is removed; a file of the owner's in that folder is not."""
    feed = target("feed", tmp_path, path="feed.xml", limit=2)
    feed.post(post(key="k1", media=(picture(1), SOUND)))
    (tmp_path / "feed.media" / "notes.txt").write_text("mine")
    feed.post(post(key="k2", minutes=1, media=(picture(2), SOUND)))
    feed.post(post(key="k3", minutes=2, media=(picture(3),)))

    assert len(list((tmp_path / "feed.media").glob("*plate.png"))) == 2
    assert len(list((tmp_path / "feed.media").glob("*gong.mp3"))) == 1
    assert (tmp_path / "feed.media" / "notes.txt").exists()


def test_no_room_for_a_picture_is_no_post(feed, monkeypatch):
    """It is there before the entry that names it, or neither is."""
    feed.post(post("first", key="k0"))
    before = feed.path.read_bytes()
    (feed.path.parent / "feed.media").write_text("a file stands in its place")

    with pytest.raises(NotSent):
        feed.post(post(media=(picture(),)))
    assert feed.path.read_bytes() == before
