"""ABC, a notation of tunes as text (abcnotation.com/wiki/abc:standard:v2.1), read element by element.

A bar is right if its notes last as long as the metre says. The first bar of a section may be shorter, a
pickup; then the section's last one may be shorter by as much. It knows no corpus, nor how a tune sounds.
"""

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import regex

PITCH = r"(?:\^\^?|__?|=)?[A-Ga-g][,']{0,3}"
LENGTH = r"(?:[1-9]\d?)?(?:/(?:2|4|8|16)|/{1,3})?"
BROKEN = r">{1,3}|<{1,3}"
BAR = r"(?:\[\||\|\]|::|:\|{1,2}:?|:\|\]|\|{1,2}:?)"
TUPLET = r"\([2-9](?::[1-9]?(?::[1-9]?)?)?"
CHURCH = r"(?:ion|aeol|locr|dor|phryg|lyd|mixolyd)ian|ion|dor|phr|lyd|mix|aeo|loc"
MODE = rf"m(?:in(?:or)?)?|maj(?:or)?|{CHURCH}"
KEY = rf"([A-G][#b]?) ?((?i:{MODE}))?"
METRE = r"C\|?|[1-9]\d?/(?:1|2|4|8|16|32)"
UNIT = r"1/(?:1|2|4|8|16|32|64)"
FIELDS = rf"M: ?(?:{METRE})|L: ?(?:{UNIT})|K: ?(?:{KEY})"
NOTE = rf"{PITCH}{LENGTH}"

KINDS = {
    "field": FIELDS,
    "inline": rf"\[(?:{FIELDS})\]",
    "about": r"[A-JN-Zmr]:[^\n]*",
    "note": rf"{NOTE}(?:-|{BROKEN})?",
    "rest": rf"[zx]{LENGTH}(?:{BROKEN})?",
    "chord": rf"\[(?:{NOTE})+\]{LENGTH}(?:-|{BROKEN})?",
    "bar": rf"{BAR}(?:\[?[1-4])?|\[[1-4]",
    "tuplet": TUPLET,
    "slur": r"[()]",
    "aside": rf"\{{/?(?:{NOTE})+\}}|\"[^\"\n]{{1,20}}\"|![^!\s]{{1,20}}!|[.~HLMOPSTuv]",
    "space": r"[ \t`\\]",
    "newline": r"\n",
}
HEADER = ("field", "about", "newline")
BODY = tuple(kind for kind in KINDS if kind != "about")


def _pattern(kinds: Iterable[str], **others: str) -> regex.Pattern[str]:
    """A group for each kind; the longest match counts. others: what stands in place of a kind's own."""
    written = KINDS | others
    return regex.compile("(?p)" + "|".join(f"(?P<{kind}>{written[kind]})" for kind in kinds))


ABOVE, BEGUN = _pattern(HEADER), _pattern(BODY)
WITHIN = _pattern(kind for kind in BODY if kind != "field")
PLAIN_KEY = r"[A-G][#b]?(?:m|min|maj|dor|phr|lyd|mix|aeo|loc)?"
PLAIN_FIELDS = rf"M: ?(?:{METRE})|L: ?(?:{UNIT})|K: ?(?:{PLAIN_KEY})"
PLAIN_ABOUT = r"[NORSTXZ]:[^\n|]*"  # of a letter that is no note: who mistakes a title for notes goes on so
PLAIN_ABOVE = _pattern(HEADER, field=PLAIN_FIELDS, about=PLAIN_ABOUT)
PLAIN_PITCH = r"(?:\^\^?|__?|=)?(?:[A-G],{0,3}|[a-g]'{0,3})"
PLAIN_BAR = r"(?:\|[|:\]]?|:\|:?|::)(?:\[?[1-4])?|\[[1-4]"
HALVES = r"(?:[1-9]\d?)?(?:/2?)?"
PLAIN = _pattern(
    ("note", "rest", "bar", "space", "newline"),
    note=rf"{PLAIN_PITCH}{HALVES}-?",
    rest=rf"[zx]{HALVES}",
    bar=PLAIN_BAR,
)
PARTS = regex.compile(rf"(?P<pitch>{PITCH}|[zx])(?P<length>{LENGTH})")
DURATION = regex.compile(r"(\d*)(/*)(\d*)")
NOTES = regex.compile(rf"{PARTS.pattern}.*")  # of a chord: the first tells how long it is
ABOUT = regex.compile(KINDS["about"])
NO_TIME = Fraction(0)


class Place(NamedTuple):
    """Where a reader has come to. Durations are in whole notes."""

    metre: Fraction | None = None
    compound: bool = False
    unit: Fraction | None = None
    body: bool = False
    fresh: bool = True  # at the beginning of a line
    filled: Fraction = NO_TIME  # of the bar
    opening: bool = True  # in the first bar of a section
    pickup: Fraction = NO_TIME  # how long the section's first bar was, if it was short
    factor: Fraction = Fraction(1)  # of the notes of a tuplet
    left: int = 0  # of its notes
    broken: Fraction = NO_TIME  # what the next note's length is multiplied by, 0: nothing
    tied: str = ""  # the pitch that must come next
    slurs: int = 0
    repeat: bool = False  # opened and not closed
    begun: bool = False  # whether a bar with notes is behind it


def elements(place: Place, plain: bool = False) -> regex.Pattern[str]:
    """What may stand there: one pattern with a group for each kind.

    plain: a tune of notes, rests, ties, bars and repeats alone, its lengths in half units.
    """
    if not place.body:
        return PLAIN_ABOVE if plain else ABOVE
    if plain:
        return PLAIN
    return BEGUN if place.fresh else WITHIN


@lru_cache(maxsize=1 << 16)
def after(place: Place, element: str) -> tuple[Place, str]:
    """The place behind one more element, and what is wrong with it there, "" if nothing is.

    The element is one that `elements` matches as a whole.
    """
    kind = _kind(elements(place), element)
    moved, wrong = _READ[kind](place, element)
    return moved._replace(fresh=kind == "newline"), wrong


@lru_cache(maxsize=1 << 16)
def _kind(pattern: regex.Pattern[str], element: str) -> str:
    groups = matched(pattern, element).groupdict()
    return next(kind for kind, text in groups.items() if text is not None)


def matched(pattern: regex.Pattern[str], text: str) -> regex.Match[str]:
    """The match of a whole text. Raises ValueError if there is none."""
    found = pattern.fullmatch(text)
    if found is None:
        msg = f"{text!r} is not what was expected of ABC"
        raise ValueError(msg)
    return found


def is_about(element: str) -> bool:
    """Whether it is a line of the header that says nothing of the music, as a title."""
    return ABOUT.fullmatch(element) is not None


def unfinished(place: Place) -> str:
    """Why a tune may not end there, "" if it may."""
    if not place.body:
        return "no line K: stands before the notes"
    if not place.filled and not place.begun:
        return "there is no note in it"
    if place.tied or place.slurs or place.repeat:
        return f"a {'tie' if place.tied else 'slur' if place.slurs else 'repeat'} is not closed"
    return _open(place) or _line(place, "|]")


def length(written: str) -> Fraction:
    """Of a note, as 3, /, //, /4 or 3/2: how many units."""
    over, slashes, under = matched(DURATION, written).groups()
    return Fraction(int(over or 1), int(under or 2 ** len(slashes)))


def _field(place: Place, element: str) -> tuple[Place, str]:
    name, value = element.strip("[]")[0], element.strip("[]")[2:].strip()
    wrong = "a field stands within a bar" if place.filled else ""
    if name == "K":
        wrong = wrong or ("" if place.metre else "no metre M: stands before the key")
        return place._replace(body=True), wrong
    if name == "L":
        return place._replace(unit=Fraction(value)), wrong
    metre = Fraction({"C": "4/4", "C|": "2/2"}.get(value, value))
    compound = value.partition("/")[0] in ("6", "9", "12")
    return place._replace(metre=metre, compound=compound), wrong


def _unit(place: Place) -> Fraction:
    """Without L: it is a sixteenth in a metre below 3/4, else an eighth."""
    return place.unit or Fraction(1, 16 if (place.metre or 1) < Fraction(3, 4) else 8)


def _note(place: Place, element: str) -> tuple[Place, str]:
    pitch, units, tie, sign = _told(element)
    wrong = f"{place.tied} is tied to {pitch}" if place.tied not in ("", pitch) else ""
    place, full = _lasting(place._replace(tied=pitch if tie else ""), units, sign)
    return place, wrong or full


@lru_cache(maxsize=1 << 16)
def _told(note: str) -> tuple[str, Fraction, str, str]:
    """Its name and octave, its length in units, its tie, its broken rhythm."""
    body, tie, sign = _tail(note)
    parts = matched(PARTS, body)
    return parts["pitch"].lstrip("^_="), length(parts["length"]), tie, sign


def _chord(place: Place, element: str) -> tuple[Place, str]:
    body, _, sign = _tail(element)
    notes, _, behind = body[1:].rpartition("]")
    first = matched(NOTES, notes)
    return _lasting(place._replace(tied=""), length(first["length"]) * length(behind), sign)


def _tail(element: str) -> tuple[str, str, str]:
    """A note without what follows it, its tie, its broken rhythm."""
    body = element.rstrip("<>-")
    tail = element[len(body) :]
    return body, tail.strip("<>"), tail.strip("-")


def _lasting(place: Place, units: Fraction, sign: str) -> tuple[Place, str]:
    """After a note of so many units. sign: of a broken rhythm, that it shares with the next."""
    share = Fraction(1, 2 ** len(sign))
    own, next_one = {"": (Fraction(1), NO_TIME), ">": (2 - share, share), "<": (share, 2 - share)}[sign[:1]]
    lasts = units * _unit(place) * own * (place.broken or 1) * (place.factor if place.left else 1)
    filled = place.filled + lasts
    wrong = "two broken rhythms meet" if sign and place.broken else ""
    if place.metre and filled > place.metre:
        wrong = f"{_beats(filled, place)} in a bar of {_beats(place.metre, place)}"
    left = max(0, place.left - 1)
    factor = place.factor if left else Fraction(1)
    return place._replace(filled=filled, broken=next_one, left=left, factor=factor), wrong


def _beats(time: Fraction, place: Place) -> str:
    units = time / _unit(place)
    return f"{units} unit{'s' * (units != 1)}"


def _bar(place: Place, element: str) -> tuple[Place, str]:
    line = element.rstrip("[1234") or "|"  # without the number of an ending
    wrong = _open(place) or _line(place, line)
    closes, opens = line.startswith(":"), line.endswith(":")
    if opens and not closes and place.repeat:
        wrong = wrong or "a repeat is opened within another"
    starts = place.opening and place.filled and place.metre and place.filled < place.metre
    moved = place._replace(
        filled=NO_TIME,
        opening=(line != "|" and not element[-1].isdigit()) or (place.opening and not place.filled),
        pickup=place.filled if starts else place.pickup,
        repeat=opens or (place.repeat and not closes),
        begun=place.begun or bool(place.filled),
        left=0,
        factor=Fraction(1),
        broken=NO_TIME,
    )
    return moved, wrong


def _open(place: Place) -> str:
    """What a bar line must not cut."""
    if place.left:
        return "a tuplet goes beyond the bar"
    return "a broken rhythm goes beyond the bar" if place.broken else ""


def _line(place: Place, line: str) -> str:
    """Why this line must not end the bar."""
    if not place.filled:
        return "an empty bar" if line == "|" else ""
    short = place.metre is not None and place.filled < place.metre
    if not short or (place.opening and line != "|]") or (line != "|" and _complete(place)):
        return ""
    return f"{_beats(place.filled, place)} in a bar of {_beats(place.metre or NO_TIME, place)}"


def _complete(place: Place) -> bool:
    return place.filled + place.pickup == place.metre


def _tuplet(place: Place, element: str) -> tuple[Place, str]:
    numbers = element[1:].split(":")
    notes = int(numbers[0])
    usual = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(notes, 3 if place.compound else 2)
    time = int(numbers[1]) if len(numbers) > 1 and numbers[1] else usual
    count = int(numbers[2]) if len(numbers) > 2 and numbers[2] else notes
    wrong = "a tuplet within another" if place.left else ""
    return place._replace(factor=Fraction(time, notes), left=count), wrong


def _slur(place: Place, element: str) -> tuple[Place, str]:
    slurs = place.slurs + (1 if element == "(" else -1)
    wrong = (
        "a slur is closed that nothing opened" if slurs < 0 else "a slur within a slur" if slurs > 1 else ""
    )
    return place._replace(slurs=min(1, max(0, slurs))), wrong


def _aside(place: Place, element: str) -> tuple[Place, str]:
    return place, ""


def _newline(place: Place, element: str) -> tuple[Place, str]:
    return place, "an empty line ends a tune" if place.fresh else ""


_READ = {
    "field": _field,
    "inline": _field,
    "about": _aside,
    "note": _note,
    "rest": _note,
    "chord": _chord,
    "bar": _bar,
    "tuplet": _tuplet,
    "slur": _slur,
    "aside": _aside,
    "space": _aside,
    "newline": _newline,
}
