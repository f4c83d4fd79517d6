"""A constraint: every bar of a tune in ABC notation is as long as its metre says.

A bar line waits until the bar is full, a note that would overfill it does not come, and a tie or a repeat is
closed. What is written are notes and rests of half units and more: no chords, tuplets, dotted pairs, slurs,
words; and of the header metre, unit and key, a number, a title and what else has a letter that is no note.
It knows durations, not how a tune sounds.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import regex

from bot import Constraint, abc_notation, hookimpl

PITCH = regex.compile(rf"^{abc_notation.PITCH}")


class State(NamedTuple):
    """Where a reader stands, and what it has read of the next element: a note may still get a length."""

    place: abc_notation.Place
    begun: str = ""


class FullBars:
    """Also a pickup and its complement at the section's end; ABC as `bot.abc_notation` reads it.

    A state is the number of a `State`: numbers are compared quickly, and there are some ten thousand.
    """

    start = 0

    def __init__(self) -> None:
        self._states, self._numbers = [State(abc_notation.Place())], {State(abc_notation.Place()): 0}
        self._after: dict[tuple[int, str], int | None] = {}

    def advance(self, state: int, character: str) -> int | None:
        if (state, character) not in self._after:
            after = _advance(self._states[state], character)
            self._after[state, character] = None if after is None else self._number(after)
        return self._after[state, character]

    def alike(self, state: int) -> int:
        """Of a note begun, its pitch tells nothing of where the tune may end."""
        place, begun = self._states[state]
        return self._number(State(place, PITCH.sub("c", begun))) if place.body and not place.tied else state

    def missing(self, state: int) -> int:
        place, begun = self._states[state]
        if not place.body:
            header = "M:CK:C\n" if place.metre is None else "K:C\n"
            return max(1, len(f"{header}c") - len(begun))
        closed = _closed(self._states[state])
        if closed is None:
            return 1
        note = abc_notation.unfinished(closed._replace(repeat=False))
        return len(":|") * closed.repeat + len("c") * bool(note)

    def _number(self, state: State) -> int:
        number = self._numbers.setdefault(state, len(self._states))
        if number == len(self._states):
            self._states.append(state)
        return number


def _advance(state: State, character: str) -> State | None:
    whole = state.begun + character
    if _begins(state.place, whole):
        return None if _is_lost(state.place, whole) else State(state.place, _short(whole))
    place = None if _runs_on(state, character) else _closed(state)
    if place is None or not _begins(place, character) or _is_lost(place, character):
        return None
    return State(place, character)


def _runs_on(state: State, character: str) -> bool:
    """Whether other readers would read on: `M:3/8L:1/16`, `K:GG2`, or a line `E:|` as a field.

    A tokenizer of words has no line ends; it may write a key behind a metre, and a space behind a key.
    """
    if state.place.body:
        return character == ":" and state.place.fresh and PITCH.sub("", state.begun) == ""
    unended = state.begun not in ("", "\n") and character != "\n"
    return unended and character != (" " if state.begun[0] == "K" else "K")


def _begins(place: abc_notation.Place, text: str) -> bool:
    return _matches(abc_notation.elements(place, plain=True), text, partial=True)


@lru_cache(maxsize=1 << 16)
def _matches(pattern: regex.Pattern[str], text: str, partial: bool = False) -> bool:
    """There are few elements, and each is met in many places."""
    return pattern.fullmatch(text, partial=partial) is not None


def _is_lost(place: abc_notation.Place, begun: str) -> bool:
    """Whether it is a note that is too long already, however its length goes on, or not the one tied to.

    Nor may a key come before the metre, or a bar line after a short bar that no pickup makes up for.
    """
    if not place.body:
        return begun[0] == "K" and place.metre is None
    if place.tied and begun[0] in "^_=":
        return True  # a note tied to has the accidental of the one before
    if begun[0] in "|:[":
        return _is_short_within(place) and place.filled + place.pickup != place.metre
    pitch = PITCH.match(begun)
    if not (pitch or begun[0] in "zx") or _closed(State(place, begun)) is not None:
        return False
    if place.tied and pitch and place.tied.startswith(pitch[0].lstrip("^_=")):
        return _closed(State(place, f"{place.tied}/2")) is None  # its octave may still come
    return "/" in begun or _closed(State(place, f"{begun}/2")) is None


@lru_cache(maxsize=1 << 16)
def _closed(state: State) -> abc_notation.Place | None:
    """Behind what was begun; None if it is not whole, or must not stand there."""
    if not state.begun:
        return state.place
    if not _matches(abc_notation.elements(state.place, plain=True), state.begun):
        return None
    place, wrong = abc_notation.after(state.place, state.begun)
    cut = state.begun[0] in "|:[" and not state.begun.endswith("]") and _is_short_within(state.place)
    return None if wrong or cut else place


def _is_short_within(place: abc_notation.Place) -> bool:
    """A short bar that is not the tune's first; other readers take a line behind it for the tune's end."""
    return place.body and place.begun and 0 < place.filled < (place.metre or 0)


def _short(begun: str) -> str:
    """A title goes on alike, whatever it says so far."""
    return begun[:2] if abc_notation.is_about(begun) else begun


@hookimpl
def register_constraints() -> dict[str, Callable[..., Constraint]]:
    return {"full_bars": FullBars}
