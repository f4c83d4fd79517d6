"""The score renderer: what is written is engraved and played, and what is no tune gets a reason."""

import io
import sys
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import mido
import numpy as np
import pytest
import soundfile

from bot import BotError
from bot.config import Choice
from bot.errors import ConfigError
from bot.registry import Registry
from bot.rendering import Renderings
from bot.store import MediaStore
from tests.plugins.renderers.tunes import MOON, REEL, TUNES, perturbed
from tests.queues import open_queue

HEAD = "T:x\nM:4/4\nL:1/4\nK:C\n"


def score(**options):
    return Registry(None, Path()).build("renderers", Choice("score", options))


SCORE = score()
PLUGIN = sys.modules[type(SCORE).__module__]


def made(kind, text):
    [attachment] = score(gives=[kind])(text)
    return attachment


def pitches(text):
    """The notes of its MIDI, in order."""
    midi = mido.MidiFile(file=io.BytesIO(made("midi", text).content))
    return [event.note for event in midi if event.type == "note_on" and event.velocity]


def letters(text):
    """The same as letters, for tunes in C without accidentals."""
    return "".join("C D EF G A B"[pitch % 12] for pitch in pitches(text))


def pixels(attachment):
    from matplotlib.image import imread

    return imread(io.BytesIO(attachment.content))[..., :3]


@pytest.mark.parametrize("text", TUNES)
def test_a_tune_is_a_score_a_sound_and_midi(text):
    """The score first, for places that take pictures; each has its type, a name of its tune, and words."""
    png, mp3, midi, svg = SCORE(text)

    assert [one.media_type for one in (png, mp3, midi, svg)] == [
        *("image/png", "audio/mpeg", "audio/midi", "image/svg+xml")
    ]
    assert png.content.startswith(b"\x89PNG")
    assert (png.width, png.height) == pixels(png).shape[1::-1]
    assert len({one.name.rpartition(".")[0] for one in (png, mp3, midi, svg)}) == 1
    assert ET.fromstring(svg.content).tag.endswith("svg")
    assert soundfile.info(io.BytesIO(mp3.content)).format == "MP3"
    assert 1000 < len(png.content) < 100_000


def test_the_words_say_what_there_is_to_see_and_to_hear():
    """Title, key, metre, length; so that who cannot see or hear it knows."""
    png, mp3, midi, svg = SCORE(REEL)

    assert png.alt_text == svg.alt_text
    assert png.alt_text == "The score of the tune “Reel of Ash”, in Dm, metre 6/8, 4 bars."
    assert midi.alt_text == "The tune “Reel of Ash”, played."
    assert mp3.alt_text == "The tune “Reel of Ash”, played on plucked strings, 10 seconds."
    assert (png.name, mp3.name) == ("reel-of-ash.png", "reel-of-ash.mp3")


def test_only_what_is_asked_for_is_made_in_that_order():
    """The first that a place takes is what it gets."""
    assert [one.media_type for one in score(gives=["mp3", "png"])(MOON)] == ["audio/mpeg", "image/png"]


def test_its_title_stands_over_it():
    """Letters are drawn, not left out: a title darkens the head of the sheet."""
    titled, bare = (
        pixels(made("png", f"{HEAD}CDEF|")),
        pixels(made("png", f"{HEAD}CDEF|".replace("T:x\n", ""))),
    )

    assert titled.shape[0] > bare.shape[0]
    assert titled[: titled.shape[0] // 4].min() < 0.5
    assert titled[0].min() == 1.0  # on white paper


def test_a_title_without_a_font_gets_a_reason_and_not_a_gap(tmp_path):
    """With a font that has its signs it is drawn."""
    text = MOON.replace("Harbour", "港")
    with pytest.raises(BotError, match="no font here has the sign '港': name one in font_path"):
        SCORE(text)

    draw_font(tmp_path / "harbour.ttf", "港")
    [png] = score(gives=["png"], font_path=str(tmp_path / "harbour.ttf"))(text)
    head = pixels(png)[: png.height // 4]
    [other] = score(gives=["png"])(MOON.replace("Harbour", ""))
    assert (head < 0.5).sum() > (pixels(other)[: png.height // 4] < 0.5).sum() + 500  # a square is there


def draw_font(path, signs):
    """A font whose signs are squares."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 700), (700, 700), (700, 0)):
        pen.lineTo(corner)
    pen.closePath()
    names = [".notdef", *(f"u{ord(sign):04X}" for sign in signs)]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(sign): f"u{ord(sign):04X}" for sign in signs})
    font.setupGlyf(dict.fromkeys(names, pen.glyph()))
    font.setupHorizontalMetrics(dict.fromkeys(names, (800, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Squares", "styleName": "Regular", "psName": "Squares"}, mac=False)
    font.setupOS2(sTypoAscender=800, sTypoDescender=-200)
    font.setupPost()
    font.save(path)


def test_no_tune_sounds_of_the_one_before():
    """verovio keeps a key: whatever was rendered before, the same tune is the same bytes."""
    tunes = [
        *TUNES,
        "K:C\nFGAB|",
        "M:6/8\nL:1/4\nQ:90\nK:Am\n^F F f _B B|F c3|",
        "K:F#\nFGAB|",
        "K:Eb\nFGAB|",
    ]
    renderer = score(gives=["midi", "svg"])

    once = [renderer(tune) for tune in tunes]

    assert [renderer(tune) for tune in reversed(tunes)] == once[::-1]
    assert pitches("K:C\nFGAB|") == [65, 67, 69, 71]
    assert pitches("K:Am\n^F F f _B B|F c3|") == [66, 66, 77, 70, 70, 65, 72]


@pytest.mark.parametrize(
    ("music", "heard"),
    [
        ("CDEF|GABc|]", "CDEFGABC"),
        ("|:C4|D4:|E4|", "CDCDE"),
        ("C4|D4:|E4|", "CDCDE"),
        ("|:C4:|:D4:|", "CCDD"),
        ("|:C4::D4:|", "CCDD"),
        ("|:C4|1D4:|2E4|]", "CDCE"),
        ("|:C4|[1D4:|[2E4|]F4|", "CDCEF"),
        ("|:C4|1D4|E4:|2F4||G4|", "CDECFG"),
        ("|:C4|1D4:|2E4:|3F4|]", "CDCECF"),
        ("|:C4|1D4:|2E4::F4|G4:|", "CDCEFGFG"),
        ("C4||D4||E4:|", "CDECDE"),
        ("[CEG]4|z4|", "CEG"),
    ],
)
def test_repeats_and_endings_are_played_as_they_are_written(music, heard):
    """In MIDI and sound every turn is written out."""
    assert letters(HEAD + music) == heard


def test_pitches_and_lengths_are_the_tunes():
    """Key, accidentals, octaves; a chord's length behind its bracket counts for each of its notes."""
    assert pitches("L:1/4\nK:D\nF C ^c =c | F, f f' _B |") == [66, 61, 73, 72, 54, 78, 90, 70]
    midi = mido.MidiFile(file=io.BytesIO(made("midi", "L:1/8\nQ:1/4=60\nK:C\n[CE]4 G2|").content))
    assert midi.length == pytest.approx(3, abs=0.02)


def test_endings_have_brackets_and_repeats_have_dots():
    """Which verovio does not read from ABC."""
    svg = made("svg", REEL).content.decode()

    assert svg.count('class="ending') >= 2
    assert made("svg", f"{HEAD}|:CDEF|GABc:|").content != made("svg", f"{HEAD}CDEF|GABc|").content


def test_what_sounds_is_the_note_that_is_written():
    """An A of 440 Hz, from the first moment to its end, and never louder than the file can hold."""
    mp3 = made("mp3", "L:1/1\nQ:1/4=60\nK:C\nA|")
    sound, rate = soundfile.read(io.BytesIO(mp3.content))
    spectrum = np.abs(np.fft.rfft(sound[:rate] * np.hanning(rate)))

    assert spectrum.argmax() == pytest.approx(440, abs=2)
    assert 0.3 < np.abs(sound).max() <= 1
    assert len(sound) / rate == pytest.approx(4 + 1.4, abs=0.2)
    assert np.abs(sound[-100:]).max() < 0.01


def test_a_long_tune_is_faded_out():
    """No sound is longer than a minute and a half."""
    mp3 = made("mp3", "L:1/1\nQ:1/4=60\nK:C\n" + "A|" * 60)

    assert soundfile.info(io.BytesIO(mp3.content)).duration == pytest.approx(91.4, abs=0.3)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Rotting Grave", "no line K: stands before the notes"),
        ("K:C\n", "there is no note in it"),
        ("K:C\nz4|", "there is no note in it"),
        ("K:H\nABC|", "'H' is not a key"),
        ("M:0/4\nK:C\nABC|", "'0/4' is not a metre"),
        ("L:1/3\nK:C\nABC|", "'1/3' is not a length"),
        ("K:C\nAB|C]|", r"'\]\|' is not what can stand behind 'AB\|C'"),
        ('K:C\n"AB|', "is not what can stand"),
        ("K:C\nAB|\nK:G\nAB|", "'K:G' stands among the notes"),
        ("K:C\nV:1\nAB|", "one voice"),
        ("K:C\n" + "A" * 10_000, "characters, and a tune has at most"),
        ("K:C\n" + "ABcd efga|\n" * 400, "too long for one sheet"),
    ],
)
def test_what_is_no_tune_gets_a_reason(text, reason):
    """In one line, for who decides on the draft."""
    with pytest.raises(BotError, match=reason) as caught:
        SCORE(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"width": 100}, "400 to 4096"),
        ({"font_path": "nowhere.ttf"}, "no such font file"),
        ({"gives": ["wav"]}, "gives"),
    ],
)
def test_wrong_options_are_told(options, reason):
    """When the configuration is read."""
    with pytest.raises(ConfigError, match=reason):
        score(**options)


def test_a_missing_library_is_named(monkeypatch):
    """One line that says what to install."""
    monkeypatch.setitem(sys.modules, "verovio", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "verovio" else object())

    with pytest.raises(ConfigError, match=r"needs verovio: pip install verovio$"):
        score()


def build(bot, label):
    """Called in the renderers' process; sound is left out, which hangs on the MIDI alone."""
    return score(gives=["png", "midi", "svg"])


def test_five_hundred_tunes_with_slips_of_the_pen_end_no_process(tmp_path):
    """verovio crashes on malformed ABC: whatever a model writes, there is a score or a reason in words."""
    with open_queue(tmp_path) as queue:
        renderings = Renderings(partial(build), MediaStore(queue.database))
        rendered = [renderings.of("folk", {"score": "s"}, perturbed(seed)) for seed in range(500)]
        renderings.close()

    drawn = [one for one in rendered if one.media]
    reasons = [reason for one in rendered for reason in one.reasons]
    assert len(drawn) + len(reasons) == 500
    assert len(drawn) > 150
    assert not [reason for reason in reasons if "process" in reason or "Error" in reason]
