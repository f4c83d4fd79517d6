"""ABC notation: a library that plugins have by the door, as `bot.abc_notation`. It knows no corpus."""

from bot.notation.keys import pentatonic_share, scale, signature, transposed
from bot.notation.reading import (
    BAR,
    KINDS,
    LENGTH,
    PITCH,
    TUPLET,
    Place,
    after,
    elements,
    is_about,
    unfinished,
)
from bot.notation.survey import Fault, Note, Survey, survey

__all__ = [
    "BAR",
    "KINDS",
    "LENGTH",
    "PITCH",
    "TUPLET",
    "Fault",
    "Note",
    "Place",
    "Survey",
    "after",
    "elements",
    "is_about",
    "pentatonic_share",
    "scale",
    "signature",
    "survey",
    "transposed",
    "unfinished",
]
