"""How many chunks and iterations a text makes: a document's arithmetic, and the corpus's own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.reports.sections import Figure, Section, Table
from bot.reproduction.lab import Lab
from bot.text.parts import Chunks, chunks, remark

COLUMNS = ("text", "characters", "batch", "chunks", "to learn from", "held out", "epochs", "iterations")
NOTE = (
    "A chunk is batch x {length} characters, a character a token; what fills no whole chunk is left out. The "
    "part to learn from is rounded down, the rest is held out; an iteration is a chunk that is learned from."
)


@dataclass(frozen=True)
class Text:
    """A text of so many characters, bytes and tokens: between two items of a corpus is one token more."""

    name: str
    characters: int
    bytes: int
    tokens: int


def step(
    lab: Lab,
    model: str,
    characters: int,
    batch_sizes: tuple[int, ...] = (50, 40),
    sequence_length: int = 50,
    epochs: int = 50,
    validation_share: float = 0.05,
    title: str = "The arithmetic of chunks",
) -> Section:
    """Of a document's text of so many characters, and of the corpus that `model` learns from.

    Figures, for each TEXT of document and corpus: TEXT.characters, TEXT.bytes, TEXT.warning; for each batch
    size TEXT.BATCH.chunks, TEXT.BATCH.train, TEXT.BATCH.held_out, TEXT.BATCH.iterations, TEXT.BATCH.parts.
    """
    there = [Text("document", characters, characters, characters), _corpus(lab, model)]
    made = {
        (text, batch): chunks(text.tokens, batch, sequence_length, validation_share, 0.0)
        for text in there
        for batch in batch_sizes
    }
    rows = [
        (text.name, text.characters, batch, one.all, one.train, one.held_out, epochs, one.train * epochs)
        for (text, batch), one in made.items()
    ]
    warnings = {text: _warning(text, [made[text, batch] for batch in batch_sizes]) for text in there}
    figures: dict[str, Figure] = {}
    for text in there:
        sizes = {"characters": float(text.characters), "bytes": float(text.bytes), "warning": warnings[text]}
        figures |= {f"{text.name}.{what}": value for what, value in sizes.items()}
    for (text, batch), one in made.items():
        figures |= {f"{text.name}.{batch}.{what}": value for what, value in _figures(one, epochs)}
    return Section(
        title=title,
        prose=[f"{text.name}: {said}" for text, said in warnings.items()],
        tables=[Table("Chunks", COLUMNS, rows, NOTE.format(length=sequence_length))],
        figures=figures,
    )


def _corpus(lab: Lab, model: str) -> Text:
    texts = [one.text for one in lab.corpus(model).documents]
    size = sum(map(len, texts))
    return Text("corpus", size, sum(len(text.encode()) for text in texts), size + len(texts) - 1)


def _warning(text: Text, made: Sequence[Chunks]) -> str:
    """By the batch size that makes fewest."""
    return remark(min(made, key=lambda one: one.all), text.bytes) or "Large enough."


def _figures(one: Chunks, epochs: int) -> Iterator[tuple[str, Figure]]:
    yield "chunks", float(one.all)
    yield "train", float(one.train)
    yield "held_out", float(one.held_out)
    yield "iterations", float(one.train * epochs)
    yield "parts", f"{one.all} = {one.train} + {one.held_out}"
