"""A renderer: a tune in ABC notation as a score sheet, as MIDI, and played on plucked strings.

verovio engraves. Malformed ABC ends its process: a tune is read here first, and what is well-formed goes on.
"""

import base64
import importlib.util
import io
import re
import struct
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree as ET

import numpy as np

from bot import Attachment, BotError, hookimpl

LIBRARIES = {"verovio": "verovio", "resvg_py": "resvg-py", "mido": "mido", "soundfile": "soundfile"}
FONTS = ("STIXGeneral.ttf", "STIXGeneralBol.ttf", "STIXGeneralItalic.ttf", "DejaVuSans.ttf")  # matplotlib's
TALLEST = 4  # a sheet, in widths

LONGEST, MOST_BARS = 10_000, 400  # characters of a tune; bars that are played
FIELD = re.compile(r"([A-Za-z]):\s*(.*)")
KEY = re.compile(
    r"([A-G][#b]?)\s*(m(?:in(?:or)?)?|maj(?:or)?|(?:ion|dor|phr|lyd|mix|aeo|loc)[a-z]*)?", re.IGNORECASE
)
METRE, UNIT = re.compile(r"C\|?|([1-9]\d?)/(1|2|4|8|16|32)"), re.compile(r"1/(1|2|4|8|16|32)")
TEMPO = re.compile(r"(?:[1-9]\d?/\d{1,2}=)?([1-9]\d{1,2})")
LENGTH = r"(?:[1-9]\d?)?(?:/(?:2|4|8|16)|//?)?"
PITCH = r"(?:\^\^?|__?|=)?[A-Ga-g][,']{0,3}"
NOTE, NOTE_PARTS = PITCH + LENGTH, re.compile(rf"({PITCH})({LENGTH})")
BAR = r"\[\||\|\]|:{1,2}\|{1,2}:?|\|{1,2}:?|::"
TOKEN = re.compile(
    rf"(?P<bar>(?:{BAR})(?:\s*\[?[1-4](?![\d/:]))?|\[[1-4](?=[\s\w\"({{^=_]))"
    rf"|{NOTE}|[zx]{LENGTH}|\[(?:{NOTE})+(?P<chord>\]{LENGTH})|(?P<grace>\{{/?(?:{NOTE})+\}})"
    r"|\([2-9](?![\d:])|[()]|-|[<>]{1,2}|\"[^\"\n]{1,20}\"|![a-z]+!|[.~HLMOPSTuv](?=[\^_=A-Ga-g\[])"
    r"|[ \t\n`]+|\\\n"
)
ID = "{http://www.w3.org/XML/1998/namespace}id"
DOUBLES = {"x": "ss"}  # of accidentals that are written otherwise than they are played
MEI = "http://www.music-encoding.org/ns/mei"

RATE, LONGEST_SOUND = 32_000, 90.0  # samples a second; seconds
RING, ROOM = 3.0, 1.4  # seconds of a string and of its echo
PARTIALS, STIFFNESS, PLUCKED_AT, ECHO = 10, 0.0003, 0.17, 0.22


class Score:
    """Attachments of the kinds that `gives` names, the first ones first.

    width: of the PNG, in pixels. font_path: a font file (TTF or OTF) for titles in a script like Chinese.
    """

    def __init__(
        self,
        gives: tuple[Literal["png", "svg", "midi", "mp3"], ...] = ("png", "mp3", "midi", "svg"),
        width: int = 1600,
        font_path: Path | None = None,
    ):
        missing = [name for module, name in LIBRARIES.items() if importlib.util.find_spec(module) is None]
        if missing:
            msg = f"the renderer score needs {missing[0]}: pip install {' '.join(missing)}"
            raise BotError(msg)
        if not 400 <= width <= 4096:
            msg = f"width is {width}: it may be 400 to 4096 pixels"
            raise ValueError(msg)
        if font_path and not font_path.is_file():
            msg = f"{font_path}: no such font file"
            raise ValueError(msg)
        self.gives, self.width, self.font_path = gives, width, font_path

    def __call__(self, text: str) -> list[Attachment]:
        tune = read(text)
        return [getattr(self, f"_{kind}")(tune) for kind in dict.fromkeys(self.gives)]

    def _png(self, tune: "Tune") -> Attachment:
        from resvg_py import svg_to_bytes

        svg = engraved(tune)
        self._check_signs(svg)
        fonts = {"font_files": [str(font) for font in self._fonts], "skip_system_fonts": True}
        look = {"background": "#ffffff", "width": self.width, "serif_family": "STIXGeneral"}
        png = bytes(svg_to_bytes(svg, **look, **fonts))
        width, height = struct.unpack(">II", png[16:24])
        return Attachment("image/png", png, tune.seen, f"{tune.name}.png", width, height)

    def _svg(self, tune: "Tune") -> Attachment:
        return Attachment("image/svg+xml", engraved(tune).encode(), tune.seen, f"{tune.name}.svg")

    def _midi(self, tune: "Tune") -> Attachment:
        return Attachment("audio/midi", performed(tune), f"{tune.heard}.", f"{tune.name}.mid")

    def _mp3(self, tune: "Tune") -> Attachment:
        import soundfile

        file, sound = io.BytesIO(), sounded(performed(tune))
        soundfile.write(file, sound, RATE, format="MP3", bitrate_mode="VARIABLE", compression_level=0.6)
        heard = f"{tune.heard} on plucked strings, {len(sound) / RATE:.0f} seconds."
        return Attachment("audio/mpeg", file.getvalue(), heard, f"{tune.name}.mp3")

    @cached_property
    def _fonts(self) -> list[Path]:
        import matplotlib

        ours = [Path(matplotlib.get_data_path(), "fonts", "ttf", name) for name in FONTS]
        return [*([self.font_path] if self.font_path else []), *ours]

    def _check_signs(self, svg: str) -> None:
        """A sign that no font has would vanish."""
        from matplotlib.font_manager import get_font

        fonts = [get_font(font) for font in self._fonts]
        for sign in "".join(ET.fromstring(svg).itertext()):
            if not sign.isspace() and not any(font.get_char_index(ord(sign)) for font in fonts):
                msg = f"no font here has the sign {sign!r}: name one in font_path"
                raise BotError(msg)


# reading


@dataclass(frozen=True)
class Bar:
    """ending: the turn in which it is played, 0 for each; opens, repeats: a repeat; double: its line."""

    notes: str
    ending: int = 0
    opens: bool = False
    repeats: bool = False
    double: bool = False


@dataclass(frozen=True)
class Tune:
    """A tune that is well-formed. header: in order, K last."""

    header: dict[str, str]
    bars: tuple[Bar, ...]

    @property
    def written(self) -> str:
        """ABC, without repeats and endings, of which verovio knows little."""
        return self._with(bar.notes for bar in self.bars)

    @property
    def played(self) -> str:
        """ABC with every repeat written out."""
        return self._with(_walk(self.bars))

    @property
    def name(self) -> str:
        """Of its files."""
        plain = unicodedata.normalize("NFKD", self.header.get("T", "")).encode("ascii", "ignore").decode()
        return "-".join(re.findall(r"[a-z0-9]+", plain.lower()))[:60] or "tune"

    @property
    def seen(self) -> str:
        metre = f", metre {self.header['M']}" if "M" in self.header else ""
        bars = f"{len(self.bars)} bar{'s' * (len(self.bars) > 1)}"
        return f"The score of {self._title}, in {self.header['K']}{metre}, {bars}."

    @property
    def heard(self) -> str:
        return f"{self._title[0].upper()}{self._title[1:]}, played"

    @property
    def _title(self) -> str:
        return f"the tune “{self.header['T']}”" if "T" in self.header else "a tune without a name"

    def _with(self, bars: Iterable[str]) -> str:
        header = "\n".join(f"{name}:{value}" for name, value in self.header.items())
        return header + "\n" + " |\n".join(bars) + " |]\n"


def read(text: str) -> Tune:
    """Raises BotError with what is wrong with it."""
    if len(text) > LONGEST:
        msg = f"{len(text)} characters, and a tune has at most {LONGEST}"
        raise BotError(msg)
    lines = [line.partition("%")[0].strip() for line in text.splitlines()]
    fields, music = _parted([line for line in lines if line])
    bars = tuple(_bars("\n".join(music)))
    if not any(_sounds(bar.notes, "[A-Ga-g]") for bar in bars):
        msg = "there is no note in it"
        raise BotError(msg)
    return Tune(_header(fields), bars)


def _parted(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """The fields of the header, and the lines of music behind it."""
    fields: dict[str, str] = {}
    for number, line in enumerate(lines):
        found = FIELD.fullmatch(line)
        if not found:
            break
        fields.setdefault(found[1], found[2])
        if found[1] == "K":
            return fields, [line for line in lines[number + 1 :] if not _is_aside(line)]
    msg = "no line K: stands before the notes, so it is no tune in ABC notation"
    raise BotError(msg)


def _is_aside(line: str) -> bool:
    """Whether a line among the notes has words or remarks. Raises BotError for what changes the notes."""
    found = FIELD.fullmatch(line)
    if found and found[1] in "KLMUVXm":
        msg = f"{line[:20]!r} stands among the notes: a tune here has one key, one metre and one voice"
        raise BotError(msg)
    return bool(found)


def _header(fields: dict[str, str]) -> dict[str, str]:
    """What is engraved of it. Raises BotError for a key, metre or length that is none."""
    key = _matched(KEY, fields["K"] or "C", "a key, as G or Dmin")
    header = {"X": "1"} | {name: " ".join(fields[name].split()) for name in "TC" if fields.get(name)}
    if fields.get("M", "none") != "none":
        header["M"] = _matched(METRE, fields["M"], "a metre, as 6/8")[0]
    header["L"] = _matched(UNIT, fields.get("L", "1/8"), "a length of notes, as 1/8")[0]
    if tempo := TEMPO.fullmatch(fields.get("Q", "")):
        header["Q"] = tempo[0] if "=" in tempo[0] else f"1/4={tempo[0]}"
    return header | {"K": f"{key[1][0].upper()}{key[1][1:]}{(key[2] or '')[:3].lower()}"}


def _matched(pattern: re.Pattern[str], value: str, what: str) -> re.Match[str]:
    found = pattern.fullmatch(value)
    if not found:
        msg = f"{value[:20]!r} is not {what}"
        raise BotError(msg)
    return found


def _bars(music: str) -> Iterator[Bar]:
    notes, ending, opens = "", 0, False
    for token in _tokens(music):
        line = token["bar"]
        if line is None:
            notes += "" if token["grace"] else _spread(token) if token["chord"] else token[0]
            continue
        if _sounds(notes):
            yield Bar(" ".join(notes.split()), ending, opens, line.startswith(":"), line in ("||", "|]"))
            opens = False
        notes = ""
        number = line[-1] if line[-1].isdigit() else "0"
        ending = ending if line == "|" else int(number)  # it lasts until another, a repeat or a double bar
        opens = opens or line.rstrip("[1234 \n\t").endswith(":")
    if _sounds(notes):
        yield Bar(" ".join(notes.split()), ending, opens)


def _tokens(music: str) -> Iterator[re.Match[str]]:
    """Raises BotError where none begins."""
    at = 0
    while at < len(music):
        found = TOKEN.match(music, at)
        if not found:
            here, before = music[at : at + 12].split("\n")[0], music[max(0, at - 12) : at]
            msg = f"{here!r} is not what can stand behind {before!r}"
            raise BotError(msg)
        yield found
        at = found.end()


def _spread(token: re.Match[str]) -> str:
    """A chord with its length at every note: behind the bracket verovio would not see it."""
    length = _length(token["chord"])
    notes = [(one[1], _length(one[2]) * length) for one in NOTE_PARTS.finditer(token[0].partition("]")[0])]
    return f"[{''.join(f'{pitch}{length}' for pitch, length in notes)}]"


def _length(written: str) -> Fraction:
    """As 3, /, //, /4 or 3/2."""
    over, slashes, under = re.fullmatch(r"(\d*)(/*)(\d*)", written.lstrip("]")).groups()
    return Fraction(int(over or 1), int(under or 2 ** len(slashes)))


def _sounds(notes: str, what: str = "[A-Ga-gzx]") -> bool:
    """Whether there is a note or a rest, beside what is said about them."""
    return re.search(what, re.sub(r'"[^"]*"|![^!]*!', "", notes)) is not None


def _walk(bars: tuple[Bar, ...]) -> Iterator[str]:
    """The bars' notes in the order in which they are played."""
    at = start = played = 0
    turn = 1
    while at < len(bars) and played < MOST_BARS:
        bar = bars[at]
        if at > start and (bar.opens or (bars[at - 1].ending and not bar.ending)):
            start, turn = at, 1
        here = bar.ending in (0, turn)
        if here:
            yield bar.notes
            played += 1
        following = bars[at + 1].ending if at + 1 < len(bars) else 0
        if here and bar.repeats and (turn == 1 or following == turn + 1):
            at, turn = start, turn + 1
            continue
        if here and bar.repeats and not following:
            start, turn = at + 1, 1
        at += 1


# engraving


def engraved(tune: Tune) -> str:
    """SVG."""
    mei = _mei(tune.written)
    _set_head(mei, tune)
    _set_lines(next(mei.iter("section")), tune.bars)
    svg: str = _loaded(ET.tostring(mei, "unicode"), "mei").renderToSVG(1)
    _, _, width, height = map(float, svg.partition('viewBox="')[2].partition('"')[0].split())
    if height > TALLEST * width:
        msg = f"the tune is too long for one sheet: {height / width:.0f} times as high as wide"
        raise BotError(msg)
    return svg


def performed(tune: Tune) -> bytes:
    """MIDI."""
    return base64.b64decode(_loaded(ET.tostring(_mei(tune.played), "unicode"), "mei").renderToMIDI())


def _mei(abc: str) -> ET.Element:
    mei = ET.fromstring(_loaded(abc, "abc").getMEI())
    for element in mei.iter():
        element.tag = element.tag.rpartition("}")[2]  # all are of one namespace
    mei.set("xmlns", MEI)
    if next(mei.iter("scoreDef")).get("keysig") is None:
        _make_natural(mei)
    _number(mei)
    return mei


def _number(mei: ET.Element) -> None:
    """Names for what refers to each other, the same for the same tune whatever came before it."""
    names = {element.get(ID): f"n{number}" for number, element in enumerate(mei.iter()) if element.get(ID)}
    for element in mei.iter():
        for name, value in element.attrib.items():
            if name == ID or value.startswith("#"):
                new = names[value.removeprefix("#")]
                element.set(name, f"#{new}" if value.startswith("#") else new)


def _make_natural(mei: ET.Element) -> None:
    """In a key without accidentals verovio still plays those of the tune before: take them away."""
    for measure in mei.iter("measure"):
        written: dict[tuple[str | None, str | None], str] = {}
        for note in measure.iter("note"):
            pitch = note.get("pname"), note.get("oct")
            if sign := note.get("accid") or next((one.get("accid") for one in note.iter("accid")), None):
                written[pitch] = DOUBLES.get(sign, sign)
            note.attrib.pop("accid.ges", None)
            note.attrib |= {"accid.ges": written[pitch]} if pitch in written else {}


def _loaded(data: str, notation: str) -> Any:
    """verovio with a tune in it."""
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    sheet = {"pageWidth": 1600, "pageHeight": 60_000, "adjustPageHeight": True, "footer": "none"}
    steady = {"xmlIdSeed": 1, "expandNever": True, "smuflTextFont": "none"}
    toolkit.setOptions({"inputFrom": notation} | sheet | steady)
    if not toolkit.loadData(data) or not toolkit.getPageCount():
        msg = "verovio cannot read it"
        raise BotError(msg)
    return toolkit


def _set_head(mei: ET.Element, tune: Tune) -> None:
    """The title large, who it is by small and slanted."""
    for line in mei.iter("rend"):
        is_title = line.text == tune.header.get("T")
        line.attrib |= {"fontsize": "130%"} if is_title else {"fontsize": "85%", "fontstyle": "italic"}


def _set_lines(section: ET.Element, bars: Sequence[Bar]) -> None:
    """Repeats and double lines, and over each ending a bracket with its number."""
    measures = section.findall("measure")
    if len(measures) != len(bars):
        msg = f"verovio reads {len(measures)} bars where {len(bars)} are written"
        raise BotError(msg)
    bracket = ET.Element("none")
    for measure, bar, following in zip(measures, bars, [*bars[1:], None], strict=True):
        plain = "end" if following is None else "dbl" if bar.double else "single"
        measure.attrib |= {"right": "rptend" if bar.repeats else plain}
        measure.attrib |= {"left": "rptstart"} if bar.opens else {}
        if bar.ending:
            if bracket.get("n") != str(bar.ending):
                bracket = ET.Element("ending", n=str(bar.ending), label=f"{bar.ending}.")
                section.insert(list(section).index(measure), bracket)
            section.remove(measure)
            bracket.append(measure)


# playing


def sounded(midi: bytes) -> np.ndarray:
    """What is heard: samples from -1 to 1."""
    notes = list(_notes(midi))
    end = min(LONGEST_SOUND, max(start + length for start, length, _ in notes))
    dry = np.zeros(int((end + ROOM) * RATE))
    for start, length, pitch in notes:
        if start < end:
            string = _released(_string(pitch), length)[: len(dry) - int(start * RATE)]
            dry[int(start * RATE) : int(start * RATE) + len(string)] += string
    sound = dry + ECHO * _convolved(dry, _room())
    sound[-int(ROOM * RATE) :] *= np.linspace(1, 0, int(ROOM * RATE)) ** 2
    return 0.8 * sound / np.abs(sound).max()


def _notes(midi: bytes) -> Iterator[tuple[float, float, int]]:
    """When each begins and how long it is held, in seconds, and its pitch."""
    import mido

    now, held = 0.0, dict[int, float]()
    for event in mido.MidiFile(file=io.BytesIO(midi)):
        now += event.time
        if event.type == "note_on" and event.velocity:
            held[event.note] = now
        elif event.type in ("note_on", "note_off") and event.note in held:
            start = held.pop(event.note)
            yield start, now - start, event.note


@cache
def _string(pitch: int) -> np.ndarray:
    """A plucked string that nobody stops: each partial higher, softer and sooner gone than the one before."""
    t, frequency = np.arange(int(RING * RATE)) / RATE, 440 * 2 ** ((pitch - 69) / 12)
    sound = np.zeros_like(t)
    for k in range(1, PARTIALS + 1):
        partial = k * frequency * np.sqrt(1 + STIFFNESS * k * k)
        if partial < 0.4 * RATE:
            loud = abs(np.sin(np.pi * k * PLUCKED_AT)) / k**1.2
            sound += (
                loud
                * np.exp(-t * (0.9 + 0.55 * k) * (frequency / 330) ** 0.5)
                * np.sin(2 * np.pi * partial * t)
            )
    return sound * np.minimum(1, t / 0.003)


def _released(string: np.ndarray, length: float) -> np.ndarray:
    """The same until a finger stops it."""
    held, fading = int(length * RATE), int(0.25 * RATE)
    stopped = string[: held + fading].copy()
    tail = stopped[held:]
    tail *= np.linspace(1, 0, len(tail)) ** 2
    return stopped


@cache
def _room() -> np.ndarray:
    """The echo of a small room."""
    noise = np.random.default_rng(1).standard_normal(int(ROOM * RATE))
    echo = np.convolve(noise, np.ones(6) / 6, "same") * np.exp(-np.arange(len(noise)) / RATE * 5.5)
    return echo / np.sqrt((echo**2).sum())


def _convolved(sound: np.ndarray, echo: np.ndarray) -> np.ndarray:
    size = 1 << (len(sound) + len(echo)).bit_length()
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echo, size), size)[: len(sound)]


@hookimpl
def register_renderers():
    return {"score": Score}
