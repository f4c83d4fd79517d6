"""What a corpus holds: counts after each step, lengths, alphabet, some items as they are."""

import random
from collections import Counter
from statistics import quantiles

from bot.reports.sections import Samples, Section, Table
from bot.reproduction.lab import Lab


def step(lab: Lab, model: str, shown: int = 10) -> Section:
    """Of the corpus that `model` learns from; so many items are shown.

    Figures: read, empty, repeated, kept, characters, alphabet, median_length, longest.
    """
    corpus = lab.corpus(model)
    texts = [document.text for document in corpus.documents]
    lengths = sorted(map(len, texts))
    alphabet = Counter(character for text in texts for character in text)
    percentiles = quantiles(lengths, n=100) if len(lengths) > 1 else lengths * 99
    counts = corpus.counts
    figures = {
        **{name: float(count) for name, count in counts.items()},
        "alphabet": float(len(alphabet)),
        "median_length": percentiles[49],
        "longest": float(lengths[-1]),
    }
    rows = [
        ("items read", counts["read"]),
        ("empty", counts["empty"]),
        ("repeated", counts["repeated"]),
        ("kept", counts["kept"]),
        ("characters", counts["characters"]),
        ("distinct characters", len(alphabet)),
        ("median length, characters", percentiles[49]),
        ("95th percentile", percentiles[94]),
        ("longest", lengths[-1]),
    ]
    some = random.Random(1).sample(texts, min(shown, len(texts)))
    return Section(
        title="The corpus",
        prose=[f"{counts['kept']:,} distinct items of {counts['read']:,} that were read are learned from."],
        tables=[Table("What was read and what is kept", ("what", "count"), rows)],
        samples=[Samples("Some items", [text[:300] for text in some])] if some else (),
        figures=figures,
    )
