"""The jsonl target: every line whole, found again by its key."""

import errno
import json
import os
import subprocess
import sys

import pytest

from bot import NotSent
from tests.plugins.targets.posts import NOON, SOUND, picture, post, target

NASTY = ["plain", "Grüße 墓 🤘", 'quotes " and \\', "two\nlines", "a\u2028b\u0085c", "\x00\x1b", "  spaces  "]


@pytest.fixture
def jsonl(tmp_path):
    return target("jsonl", tmp_path, path="posts.jsonl")


def lines(jsonl):
    return [json.loads(line) for line in jsonl.path.read_bytes().split(b"\n")[:-1]]


def test_a_post_is_one_line(jsonl):
    """One JSON object a line, with the key first."""
    receipt = jsonl.post(post())

    assert receipt.remote_id == "k1"
    assert list(lines(jsonl)[0].items()) == [
        ("key", "k1"),
        ("bot", "metal"),
        ("text", "Crypt of Ash"),
        ("created_at", NOON.isoformat()),
    ]


def test_any_text_survives(jsonl):
    """Texts with quotes, breaks and control characters come back as they were, a line each."""
    for number, text in enumerate(NASTY):
        jsonl.post(post(text, key=f"k{number}"))

    assert [line["text"] for line in lines(jsonl)] == NASTY


def test_found_by_key_alone(jsonl):
    """A post is there if its key is, whatever the texts say; nothing is there before there is a file."""
    assert jsonl.find(post()) is None
    jsonl.post(post("the key is k2", key="k1"))

    assert jsonl.find(post(key="k2")) is None
    assert jsonl.find(post(key="k1")).evidence


@pytest.mark.parametrize("cut", [1, 2, 12, 40, -1])
def test_a_torn_last_line(jsonl, cut):
    """After a kill at any byte the file is whole again with the next post, which is there exactly once."""
    jsonl.post(post("first", key="k1"))
    size = jsonl.path.stat().st_size
    jsonl.post(post("second", key="k2"))
    whole = jsonl.path.stat().st_size
    os.truncate(jsonl.path, size + cut if cut > 0 else whole + cut)

    if jsonl.find(post(key="k2")) is None:
        jsonl.post(post("second", key="k2"))
    jsonl.post(post("third", key="k3"))

    assert [line["key"] for line in lines(jsonl)] == ["k1", "k2", "k3"]


def test_a_file_of_somebody_else(jsonl):
    """A last line that is not ours is neither cut off nor run into."""
    jsonl.path.write_bytes(b"dear diary,\ntoday")

    with pytest.raises(NotSent, match=r"posts\.jsonl: the last line is not one of ours"):
        jsonl.post(post())
    assert jsonl.path.read_bytes() == b"dear diary,\ntoday"


def test_lines_of_somebody_else_are_passed_over(jsonl):
    """Broken and foreign lines in the middle do not hide what comes after them."""
    jsonl.path.write_bytes(b'\xff\n[1]\n{"key": 7}\n{}\nnull\n')
    jsonl.post(post())

    assert jsonl.find(post()) is not None


def test_a_place_that_cannot_be_written(tmp_path):
    """A folder that cannot be made is certainly not sent, and named."""
    (tmp_path / "nowhere").write_text("a file stands in its place")
    with pytest.raises(NotSent, match=r"nowhere/posts\.jsonl: "):
        target("jsonl", tmp_path, path="nowhere/posts.jsonl").post(post())


def test_a_missing_folder_is_made(tmp_path):
    """A new place needs no preparation."""
    target("jsonl", tmp_path, path="new/one/posts.jsonl").post(post())

    assert (tmp_path / "new/one/posts.jsonl").exists()


def test_a_full_disk_leaves_nothing_behind(jsonl, monkeypatch):
    """If a line cannot be brought to the disk, it is taken away again: certainly not sent."""
    jsonl.post(post(key="k1"))
    before = jsonl.path.read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotSent, match="No space left"):
        jsonl.post(post(key="k2"))
    assert jsonl.path.read_bytes() == before


def test_two_writers_do_not_mix(jsonl):
    """Processes that write at the same time leave whole lines, each of them once."""
    code = (
        "import sys; from pathlib import Path; from tests.plugins.targets.posts import post, target\n"
        "jsonl = target('jsonl', Path(sys.argv[1]), path='posts.jsonl')\n"
        "for n in range(30): jsonl.post(post('x' * 5000, key=f'{sys.argv[2]}-{n}'))"
    )
    command = [sys.executable, "-c", code, str(jsonl.path.parent)]
    writers = [subprocess.Popen([*command, name]) for name in "ab"]

    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert sorted(line["key"] for line in lines(jsonl)) == sorted(f"{w}-{n}" for w in "ab" for n in range(30))


def test_attachments_lie_beside_the_file_and_are_named_in_the_line(jsonl, tmp_path):
    """With their types and words; the bytes are there before the line is."""
    jsonl.post(post(media=(picture(), SOUND)))

    [line] = lines(jsonl)
    assert [(one["media_type"], one["alt_text"]) for one in line["media"]] == [
        ("image/png", picture().alt_text),
        ("audio/mpeg", "a gong"),
    ]
    assert [(tmp_path / one["file"]).read_bytes() for one in line["media"]] == [
        *(picture().content, SOUND.content)
    ]
    assert jsonl.find(post()).remote_id == "k1"


def test_no_room_for_an_attachment_is_no_post(jsonl, tmp_path):
    """Neither a line nor a part of one."""
    (tmp_path / "posts.media").write_text("a file stands in its place")

    with pytest.raises(NotSent, match=r"posts\.media: "):
        jsonl.post(post(media=(picture(),)))
    assert jsonl.path.read_bytes() == b""
