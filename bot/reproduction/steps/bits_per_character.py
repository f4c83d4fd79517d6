"""Models with different tokens in one measure: bits per original character of what they never saw.

A token that a vocabulary lacks is paid for twice: the model's loss on UNKNOWN, and the token spelled out
letter by letter by a 3-gram of the words that the model has read.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.config import SamplingSettings
from bot.model.ngram import NGram
from bot.reports.sections import Figure, Section, Table
from bot.reproduction.lab import Lab
from bot.reproduction.sampling import draw
from bot.text.vocabulary import MARKS, UNKNOWN, Vocabulary

ORDER = 3
ANY = math.log(0x110000)  # nats for a character that was never read: any code point
NOTE = (
    "Bits: the loss on all held-out tokens and ends, with unknown ones spelled out, over the characters that "
    "the texts have. Unknown: share of held-out tokens that the vocabulary lacks. Round trip: whether the "
    "tokens of every held-out text give it back. The 5-gram is of characters."
)


@dataclass(frozen=True)
class Measured:
    """What a model's tokens cost. bits: per character; spelled: the part of them for unknown tokens."""

    bits: float
    spelled: float
    tokens: int
    characters: int
    unknown: float
    vocabulary: int
    is_lossless: bool
    emitted: int


def step(
    lab: Lab,
    models: tuple[str, ...],
    sampling: SamplingSettings,
    count: int = 50,
    title: str = "Bits per character",
) -> Section:
    """count: texts of each in which UNKNOWN is looked for.

    Figures, for each model: MODEL.bits, MODEL.unknown (share), MODEL.emitted, MODEL.round_trip; best, the
    model with the fewest bits.
    """
    found = {name: _measured(lab, name, sampling, count) for name in models if not lab.trained(name).failed}
    rows = [
        (
            name,
            f"{one.bits:.3f}",
            f"{one.spelled:.3f}",
            one.vocabulary,
            one.tokens,
            one.characters,
            f"{one.unknown:.2%}",
            one.emitted,
            "whole" if one.is_lossless else "not whole",
        )
        for name, one in found.items()
    ]
    columns = (
        "model",
        "bits per character",
        "for spelling",
        "vocabulary",
        "held-out tokens",
        "characters",
        "unknown",
        f"unknown in {count} samples",
        "round trip",
    )
    best = min(found, key=lambda name: found[name].bits, default="none")
    prose = [f"{best} needs the fewest bits per character."] if found else ["No model came to an end."]
    return Section(
        title=title,
        prose=prose,
        tables=[Table("Tokens compared", columns, rows, NOTE)],
        figures=_figures(found) | {"best": best},
    )


def _measured(lab: Lab, name: str, sampling: SamplingSettings, count: int) -> Measured:
    outcome = lab.trained(name)
    assert outcome.best is not None
    with lab.opened(name) as trainer:
        texts, vocabulary, split, join = trainer.held_out, trainer.vocabulary, trainer.split, trainer.join
        read = {token for one in trainer.train_documents for token in split(one.text)}
    tokens = [split(one.text) for one in texts]
    lacking = [token for one in tokens for token in one if token not in vocabulary]
    every, characters = sum(map(len, tokens)), sum(len(one.text) for one in texts)
    spelled = spelling(lacking, sorted(read)) / math.log(2)
    drawn = draw(lab, name, sampling, count, seed=1)
    return Measured(
        bits=(outcome.best.held_out_loss * (every + len(tokens)) / math.log(2) + spelled) / characters,
        spelled=spelled / characters,
        tokens=every,
        characters=characters,
        unknown=len(lacking) / every,
        vocabulary=len(vocabulary),
        is_lossless=all(join(one) == text.text for one, text in zip(tokens, texts, strict=True)),
        emitted=sum(one.text.count(MARKS[UNKNOWN]) for one in drawn),
    )


def spelling(words: Sequence[str], read: Sequence[str]) -> float:
    """Nats to spell words out, each with its end, by a 3-gram of the words that were read."""
    if not words:
        return 0.0
    letters = Vocabulary([*dict.fromkeys(letter for word in read for letter in word)], complete=False)
    spelled = NGram(order=ORDER, vocabulary_size=len(letters))
    spelled.fit([letters.encode(word) for word in read])
    ids = [letters.encode(word) for word in words]
    strange = sum(word.count(UNKNOWN) for word in ids)
    return spelled.loss(ids) * sum(len(word) + 1 for word in ids) + strange * ANY


def _figures(found: Mapping[str, Measured]) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    for name, one in found.items():
        figures |= {f"{name}.bits": one.bits, f"{name}.unknown": one.unknown}
        figures |= {f"{name}.emitted": float(one.emitted)}
        figures |= {f"{name}.round_trip": "whole" if one.is_lossless else "not whole"}
    return figures
