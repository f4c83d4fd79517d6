"""Copies planted among what is new: all are found, in either form of the index, and what is new passes."""

import random

import pytest

from bot.curation.gate import COPY, judge
from bot.curation.novelty import HashedTrainingSet, TextTrainingSet, build_index

SYLLABLES = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "ol")]
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
ONE_EDIT = ("deleted", "replaced", "inserted")


def words(chance: random.Random, count: int) -> str:
    return " ".join("".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(count))


def corpus(lines: int) -> list[str]:
    """Names of two or three words, every tenth a sentence of twelve."""
    chance = random.Random(lines)
    return [words(chance, 12 if i % 10 == 0 else chance.randint(2, 3)) for i in range(lines)]


def planted(name: str, sentence: str, chance: random.Random) -> dict[str, str]:
    """Ten ways to copy: of a name as a whole, of a sentence also in part."""
    at, half = chance.randrange(1, len(name) - 1), sentence.split()[2:10]
    start = chance.randrange(len(sentence) - 44)
    return {
        "as it is": name,
        "in capitals": name.upper(),
        "in full width": name.translate(FULL_WIDTH),
        "with other spaces": "  " + name.replace(" ", " \u3000 ") + "\n",
        "deleted": name[:at] + name[at + 1 :],
        "replaced": name[:at] + "ж" + name[at + 1 :],
        "inserted": name[:at] + "ж" + name[at:],
        "in a longer text": f"{words(chance, 3)}: {sentence}! {words(chance, 3)}",
        "44 characters of it": f"ж {sentence[start : start + 44]}ж".title(),
        "8 words of it, with commas": f"{words(chance, 2)}. {', '.join(half)}",
    }


def found(known: TextTrainingSet | HashedTrainingSet, text: str) -> bool:
    """By the filter for training items, at its default of one edit, or by the gate."""
    _, copy = judge(text, known, ())
    return copy.outcome == "reject" or known.nearest(text, 1) is not None


@pytest.mark.parametrize("lines", [33_000, pytest.param(1_000_000, marks=pytest.mark.proof)])
@pytest.mark.parametrize("form", [TextTrainingSet, lambda items: HashedTrainingSet(build_index(items))])
def test_fifty_planted_copies_of_fifty_are_found(lines, form):
    """Whole or in part, in other case, width, spacing and punctuation, or after an edit; nothing else is."""
    items, chance = corpus(lines), random.Random(50)
    known = form(items)
    pairs = [(chance.choice(items[1::10]), chance.choice(items[::10])) for _ in range(5)]
    copies = {(i, way): text for i, pair in enumerate(pairs) for way, text in planted(*pair, chance).items()}
    new = [words(random.Random(-i), 3 + i % 9) + " жж" for i in range(1, 51)]

    assert len(copies) == 50
    assert [key for key, text in copies.items() if not found(known, text)] == []
    assert [text for text in new if found(known, text)] == []


def test_the_gate_alone_finds_all_but_the_edited_ones():
    """A name one edit from an item is left to the filter, since it may be nobody's."""
    items, chance = corpus(1000), random.Random(7)
    known = TextTrainingSet(items)
    copies = planted(items[1], items[0], chance)

    assert [way for way, text in copies.items() if judge(text, known, ())[1].outcome == "accept"] == [
        *ONE_EDIT
    ]
    assert judge("new", known, ())[1].filter == COPY
