"""A whole tune looked through: what is wrong and where, how many bars are right, which notes it has."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import regex

from bot.notation.keys import height, pentatonic_share, scale, signature
from bot.notation.reading import PITCH, Place, after, elements, unfinished

FOREIGN_WRITTEN = 3  # pitches that are told


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where: counted from 1."""

    line: int
    column: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}, sign {self.column}: {self.reason}"


@dataclass(frozen=True)
class Note:
    """pitch: as written. height: MIDI's number of what sounds. foreign: not of the tune's key."""

    line: int
    column: int
    pitch: str
    height: int
    foreign: bool


@dataclass(frozen=True)
class Survey:
    """faults: in order. bars: with notes or rests. wrong: how many of them have a fault."""

    faults: tuple[Fault, ...]
    bars: int
    wrong: int
    notes: tuple[Note, ...]

    @cached_property
    def pentatonic(self) -> float:
        """The share of the notes on one pentatonic scale, the best."""
        return pentatonic_share([note.height for note in self.notes])

    @cached_property
    def foreign(self) -> float:
        """The share of the notes that are not of the key."""
        return sum(note.foreign for note in self.notes) / max(1, len(self.notes))

    @cached_property
    def accidentals(self) -> float:
        """The share of the notes that have an accidental written."""
        return sum(note.pitch[0] in "^_=" for note in self.notes) / max(1, len(self.notes))


def survey(text: str) -> Survey:
    """Of one tune."""
    faults: list[Fault] = []
    notes: list[Note] = []
    bars, wrong, spoiled = 0, 0, False
    ear = Ear()
    place = Place()
    for at, element, kind, before, place, reason in _walk(text):
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        if reason and not (spoiled and place.filled):
            faults.append(Fault(line, column, reason))
        spoiled = spoiled or bool(reason)
        notes += [Note(line, column, *heard) for heard in ear.heard(kind, element)]
        if kind == "bar":
            bars, wrong = bars + bool(before.filled), wrong + (spoiled and bool(before.filled))
            spoiled = False
    if reason := unfinished(place):
        faults.append(Fault(text.count("\n") + 1, len(text) - text.rfind("\n"), reason))
        spoiled = True
    last = bool(place.filled)
    return Survey(tuple(faults), bars + last, wrong + (last and spoiled), tuple(notes))


def _walk(text: str) -> Iterator[tuple[int, str, str, Place, Place, str]]:
    """Each element with its kind, the place before and behind it, and what is wrong with it."""
    at, place = 0, Place()
    while at < len(text):
        found = elements(place).match(text, at)
        if found:
            moved, reason = after(place, found[0])
            kind = next(kind for kind, part in found.groupdict().items() if part is not None)
            yield at, found[0], kind, place, moved, reason
            at, place = found.end(), moved
        else:
            stray = text[at : at + 12].split("\n")[0]
            moved = place._replace(fresh=False)
            yield (
                at,
                text[at],
                "stray",
                place,
                moved,
                f"{stray!r} is not ABC" if stray else "a line ends here",
            )
            at, place = at + 1, moved


class Ear:
    """What each note sounds like: the key and the accidentals earlier in its bar count."""

    def __init__(self) -> None:
        self._altered, self._scale, self._here = signature("C"), scale("C"), dict[str, int]()

    def heard(self, kind: str, element: str) -> Iterator[tuple[str, int, bool]]:
        """Of an element's notes: as written, MIDI's number, whether it is foreign to the key."""
        if kind == "bar":
            self._here = {}
        if kind in ("field", "inline") and element.lstrip("[").startswith("K"):
            key = element.strip("[]")[2:].strip()
            self._altered, self._scale, self._here = signature(key), scale(key), {}
        if kind in ("note", "chord"):
            for pitch in regex.findall(PITCH, element):
                yield self._one(pitch)

    def _one(self, pitch: str) -> tuple[str, int, bool]:
        bare = pitch.lstrip("^_=")
        sounds = height(pitch, self._here.get(bare, self._altered[bare[0].upper()]))
        if bare != pitch:
            self._here[bare] = sounds - height(bare, 0)
        return pitch, sounds, sounds % 12 not in self._scale
