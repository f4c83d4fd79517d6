"""What a corpus holds: counts after each step, lengths, alphabet, some items as they are."""

import random
from collections.abc import Sequence
from pathlib import Path

from bot.model.checkpoint import make_folder, write_atomically
from bot.reports.sections import Cell, Figure, Samples, Section, Table
from bot.reproduction.lab import Lab
from bot.text.statistics import Statistics


def step(lab: Lab, model: str, shown: int = 10, export: str = "", title: str = "The corpus") -> Section:
    """Of the corpus that `model` learns from; so many items are shown. export: a file to write all to.

    Figures: what the corpus itself tells of each of its steps; read, empty, repeated, kept, characters,
    bytes, alphabet, median_length, longest, warnings; words, distinct_words, once (share of the distinct
    words), where spaces stand between them; exported, the bytes that were written.
    """
    found = Statistics(lab.corpus(model))
    corpus, counts, texts = found.corpus, found.corpus.counts, found.texts
    figures: dict[str, Figure] = {
        **{name: float(count) for name, count in (*corpus.steps, *counts.items())},
        "bytes": float(found.bytes),
        "alphabet": float(len(found.alphabet)),
        "median_length": float(found.length_at(0.5)),
        "longest": float(found.lengths[-1]),
        "warnings": "; ".join(found.warnings) or "none",
    }
    if found.spaced:
        words = {"words": found.words.total(), "distinct_words": len(found.words), "once": found.once}
        figures |= {name: float(value) for name, value in words.items()}
    prose = [f"{counts['kept']:,} distinct items of {counts['read']:,} that were read are learned from."]
    if export:
        figures["exported"] = float(_write(lab.folder / export, texts))
        prose.append(f"All are in {export} beside this report: {figures['exported']:,.0f} bytes.")
    prose += [f"Warning: {one}." for one in found.warnings]
    some = random.Random(1).sample(texts, min(shown, len(texts)))
    return Section(
        title=title,
        prose=prose,
        tables=[Table("What was read and what is kept", ("what", "count"), _rows(found))],
        samples=[Samples("Some items", [text[:300] for text in some])] if some else (),
        figures=figures,
    )


def _rows(found: Statistics) -> list[tuple[str, Cell]]:
    counts = found.corpus.counts
    return [
        *found.corpus.steps,
        ("items read", counts["read"]),
        ("empty", counts["empty"]),
        ("repeated", counts["repeated"]),
        ("kept", counts["kept"]),
        *((f"from {source}", count) for source, count in found.corpus.sources.items()),
        ("characters", counts["characters"]),
        ("distinct characters", len(found.alphabet)),
        *_words(found),
        ("median length, characters", found.length_at(0.5)),
        ("95th percentile", found.length_at(0.95)),
        ("longest", found.lengths[-1]),
    ]


def _words(found: Statistics) -> list[tuple[str, Cell]]:
    if not found.spaced:
        return [("words", "not counted: no spaces between them")]
    return [
        ("words", found.words.total()),
        ("distinct words", len(found.words)),
        ("of these once only", f"{found.once:.0%}"),
    ]


def _write(file: Path, texts: Sequence[str]) -> int:
    """One text after another, a line between; how many bytes."""
    content = "\n".join(f"{text}\n" for text in texts).encode()
    make_folder(file.parent)
    write_atomically(file, content)
    return len(content)
