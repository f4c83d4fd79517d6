"""What the words of a text are, and how it begins and ends. It does not know which of that is too much."""

from typing import Literal, NamedTuple

import regex

from bot.curation.normal import normal_form

Kind = Literal["begins with", "ends in", "ends in -"]

ENDING = 4  # letters
WORD = regex.compile(r"[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*")


class Habit(NamedTuple):
    """Something that texts of a kind have in common; `form` is a word or its end, in normal form."""

    kind: Kind
    form: str

    def __str__(self) -> str:
        """In words, after "42 %"."""
        return f"end in -{self.form}" if self.kind == "ends in -" else f"{self.verb} “{self.form}”"

    @property
    def verb(self) -> str:
        return self.kind.replace("begins", "begin").replace("ends", "end")


def words_of(text: str) -> list[str]:
    """The words of a text's normal form: letters with their marks, apostrophes inside."""
    found: list[str] = WORD.findall(normal_form(text).replace("’", "'"))
    return found


def habits_of(text: str) -> list[Habit]:
    """How a text begins and ends: words of those that have several, the last letters of all.

    >>> [str(habit) for habit in habits_of("Grave Digger")]
    ['begin with “grave”', 'end in “digger”', 'end in -gger']
    """
    words = words_of(text)
    found = [Habit("begins with", words[0]), Habit("ends in", words[-1])] if len(words) > 1 else []
    if words and len(words[-1]) > ENDING:
        found.append(Habit("ends in -", words[-1][-ENDING:]))
    return found
