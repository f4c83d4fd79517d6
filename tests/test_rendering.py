"""Renderings: made once and kept as the same bytes; a renderer that fails costs only its own attachments."""

import os
import sys
import time
from functools import partial

import pytest

from bot import Attachment, BotError, Secret
from bot.errors import ConfigError
from bot.records import Rendered
from bot.rendering import ENOUGH, GIVEN_UP, LARGEST, MOST, Renderings
from bot.store import MediaStore
from tests.queues import open_queue

SOON = 30  # seconds


def note(text: str, **changes) -> Attachment:
    given = {"media_type": "text/plain", "content": text.encode(), "alt_text": text, "name": "note.txt"}
    return Attachment(**given | changes)


def wild(text):
    """A renderer that does what the text says."""
    match text:
        case "raise":
            raise RuntimeError("it\nbroke")
        case "no tune":
            raise BotError("this is no tune")
        case "leak":
            raise RuntimeError(Secret("hunter2-and-more").reveal())
        case "exit":
            sys.exit(3)
        case "die":
            os._exit(3)
        case "hang":
            time.sleep(SOON)
        case "print":
            print("noise")
        case "nothing":
            return []
        case "a word":
            return ["word"]
        case "a number":
            return 7
        case "no type":
            return [note(text, media_type="picture")]
        case "a path":
            return [note(text, name="../../etc/passwd")]
        case "no words":
            return [note(text, alt_text=" ")]
        case "too large":
            return [note(text, content=b"x" * (LARGEST + 1))]
        case "no bytes":
            return [note(text, content="text")]
        case "too many":
            return [note(text)] * (MOST + 1)
    return [note(text, content=os.urandom(8))]


def build(folder, bot, label):
    if label == "broken":
        raise ConfigError("config.yaml:3: renderers: no option 'colour'")
    with (folder / "built").open("a") as file:
        file.write(f"{bot}/{label}\n")
    return wild if label == "wild" else lambda text: [note(text)]


@pytest.fixture
def queue(tmp_path):
    with open_queue(tmp_path) as queue:
        yield queue


@pytest.fixture
def media(queue):
    return MediaStore(queue.database)


@pytest.fixture
def renderings(tmp_path, media):
    renderings = Renderings(partial(build, tmp_path), media, SOON)
    yield renderings
    renderings.close()


BOTH = {"wild": "wild v1", "calm": "calm v1"}


def of(renderings, text, recipes=BOTH):
    return renderings.of("metal", recipes, text)


def test_what_was_made_is_kept_and_never_made_again(renderings, media, tmp_path):
    """A renderer that gives other bytes each time is asked once: by this process, and by the next."""
    first = of(renderings, "Ash")
    again = of(renderings, "Ash")
    with open_queue(tmp_path) as other:
        later = Renderings(partial(build, tmp_path), MediaStore(other.database))
        third = of(later, "Ash")

    assert first == again == third
    assert [one.name for one in first.media] == ["note.txt", "note.txt"]
    assert media.content(first.media[1].sha256) == b"Ash"
    assert (tmp_path / "built").read_text() == "metal/wild\nmetal/calm\n"


def test_other_settings_or_another_text_are_made_anew(renderings):
    """What an owner changes in a renderer holds for all that is not approved yet."""
    first = of(renderings, "Ash", {"wild": "wild v1"})

    assert of(renderings, "Ash", {"wild": "wild v2"}).media[0].sha256 != first.media[0].sha256
    assert of(renderings, "Bone", {"wild": "wild v1"}).media[0].sha256 != first.media[0].sha256


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise", "RuntimeError: it broke"),
        ("no tune", "this is no tune"),
        ("leak", "RuntimeError: ***"),
        ("exit", "SystemExit: 3"),
        ("die", "the renderers' process died (exit code 3)"),
        ("a word", "it gave 'word', no attachment"),
        ("a number", "TypeError: 'int' object is not iterable"),
        ("no type", "it gave the media type 'picture': write one as image/png"),
        ("a path", "it gave the file name '../../etc/passwd': letters, digits and '._-' alone"),
        ("no words", "note.txt: no alt text, or one of over 2000 characters"),
        ("too large", "note.txt: no bytes, or over 8 MiB"),
        ("no bytes", "note.txt: no bytes, or over 8 MiB"),
        ("too many", "it gave 9 attachments, and 8 is the most"),
    ],
)
def test_a_renderer_that_fails_says_why_and_stops_no_other(renderings, text, reason):
    """Whatever it does, its own attachments are missing, and the next renderer's are there."""
    rendered = of(renderings, text)

    assert rendered.reasons == (f"wild: {reason}",)
    assert [one.alt_text for one in rendered.media] == [text]


def test_a_renderer_that_hangs_is_given_up(renderings):
    """At its deadline; the others go on, and its next text has another chance."""
    of(renderings, "Ash")  # its process is up
    renderings._deadline = 0.5

    of(renderings, "hang", {"wild": BOTH["wild"]})
    renderings._deadline = SOON
    hung = of(renderings, "hang")

    assert hung.reasons == ("wild: the renderers' process gave no answer within 0.5 s and was killed",)
    assert [one.alt_text for one in hung.media] == ["hang"]
    assert of(renderings, "Bone").reasons == ()


def test_a_renderer_that_breaks_its_process_again_and_again_is_asked_no_more(renderings):
    """It would hold up everybody; the others are asked as before."""
    for text in ["die"] * ENOUGH:
        of(renderings, text, {"wild": f"wild {text}"})
        renderings._failed.clear()

    rendered = of(renderings, "Ash")

    assert rendered.reasons == ("wild: it broke its process 3 times, and is asked no more until a new start",)
    assert len(rendered.media) == 1
    assert renderings.given_up("metal") == f"the renderer wild: {GIVEN_UP}"
    assert renderings.given_up("another") == ""


def test_a_failure_is_remembered(renderings, tmp_path):
    """The same text does not break the process a second time while this one lives."""
    of(renderings, "die")
    of(renderings, "die")

    assert (tmp_path / "built").read_text() == "metal/wild\nmetal/calm\n"


def test_nothing_may_be_made(renderings):
    """Of a text that needs no picture."""
    assert of(renderings, "nothing", {"wild": "w"}) == Rendered()


def test_a_renderer_that_cannot_be_built_is_an_error(renderings):
    """With the line of the configuration: nothing is looked at or approved without it."""
    with pytest.raises(ConfigError, match="no option 'colour'"):
        of(renderings, "Ash", {"broken": "b"})


def test_a_renderer_does_not_spoil_a_commands_output(renderings, capfd):
    """What it prints goes to stderr."""
    of(renderings, "print")

    assert capfd.readouterr().out == ""


def test_to_look_makes_nothing(renderings):
    """What is not made yet is said to be so."""
    assert renderings.kept(BOTH, "Ash").reasons == ("wild: not made yet", "calm: not made yet")
    made = of(renderings, "Ash")
    assert renderings.kept(BOTH, "Ash") == made
