"""What a corpus holds: counts after each step, lengths, alphabet, some items as they are."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles

from bot.model.checkpoint import make_folder, write_atomically
from bot.reports.sections import Figure, Samples, Section, Table
from bot.reproduction.lab import Lab


def step(lab: Lab, model: str, shown: int = 10, export: str = "", title: str = "The corpus") -> Section:
    """Of the corpus that `model` learns from; so many items are shown. export: a file to write all to.

    Figures: what the corpus itself tells of each of its steps; read, empty, repeated, kept, characters,
    alphabet, median_length, longest; exported, the bytes that were written.
    """
    corpus = lab.corpus(model)
    texts = [document.text for document in corpus.documents]
    lengths = sorted(map(len, texts))
    alphabet = Counter(character for text in texts for character in text)
    percentiles = quantiles(lengths, n=100) if len(lengths) > 1 else lengths * 99
    counts = corpus.counts
    figures: dict[str, Figure] = {
        **{name: float(count) for name, count in (*corpus.steps, *counts.items())},
        "alphabet": float(len(alphabet)),
        "median_length": percentiles[49],
        "longest": float(lengths[-1]),
    }
    rows = [
        *corpus.steps,
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
    prose = [f"{counts['kept']:,} distinct items of {counts['read']:,} that were read are learned from."]
    if export:
        figures["exported"] = float(_write(lab.folder / export, texts))
        prose.append(f"All are in {export} beside this report: {figures['exported']:,.0f} bytes.")
    some = random.Random(1).sample(texts, min(shown, len(texts)))
    return Section(
        title=title,
        prose=prose,
        tables=[Table("What was read and what is kept", ("what", "count"), rows)],
        samples=[Samples("Some items", [text[:300] for text in some])] if some else (),
        figures=figures,
    )


def _write(file: Path, texts: Sequence[str]) -> int:
    """One text after another, a line between; how many bytes."""
    content = "\n".join(f"{text}\n" for text in texts).encode()
    make_folder(file.parent)
    write_atomically(file, content)
    return len(content)
