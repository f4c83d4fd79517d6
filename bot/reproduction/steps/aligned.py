"""Pieces of a published sample, each beside the place of the corpus that most of its characters agree with.

The control is the same characters in another order: what agrees so far by chance.
"""

import random
from statistics import fmean

from bot.reports.sections import Section, Table
from bot.reproduction.lab import Lab
from bot.text.aligned import Reel

NOTE = (
    "Agree: share of characters that are the same at the same place. By chance: the same characters "
    "shuffled, at the place that suits them best."
)


def step(lab: Lab, model: str, texts: tuple[str, ...], title: str = "Where samples were read off") -> Section:
    """texts: pieces of some forty characters. The corpus is that of `model`.

    Figures: agree, chance (means); best, the place that agrees most with any.
    """
    reel = Reel(one.text for one in lab.corpus(model).documents)
    places = [reel.nearest(text) for text in texts]
    chances = [reel.nearest(_shuffled(text)).share for text in texts]
    rows = [
        (text, place.there, f"{place.share:.0%}", f"{chance:.0%}")
        for text, place, chance in zip(texts, places, chances, strict=True)
    ]
    agree, chance = fmean(place.share for place in places), fmean(chances)
    return Section(
        title=title,
        prose=[
            f"{agree:.0%} of the characters agree with one place of the corpus; by chance {chance:.0%} would."
        ],
        tables=[Table("Published and read", ("published", "stands over", "agree", "by chance"), rows, NOTE)],
        figures={"agree": agree, "chance": chance, "best": max(places, key=lambda place: place.share).there},
    )


def _shuffled(text: str) -> str:
    return "".join(random.Random(1).sample(text, len(text)))
