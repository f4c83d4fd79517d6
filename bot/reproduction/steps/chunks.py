"""How many chunks and iterations a text makes: a document's arithmetic, and the corpus's own."""

from collections.abc import Iterator, Mapping
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


@dataclass(frozen=True)
class Counted:
    """A text and its chunks by batch size."""

    text: Text
    chunks: Mapping[int, Chunks]

    @property
    def warning(self) -> str:
        """By the batch size that makes fewest chunks."""
        fewest = min(self.chunks.values(), key=lambda one: one.all)
        return remark(fewest, self.text.bytes) or "Large enough."


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
    counted = [
        Counted(
            text,
            {
                batch: chunks(text.tokens, batch, sequence_length, validation_share, 0.0)
                for batch in batch_sizes
            },
        )
        for text in (Text("document", characters, characters, characters), _corpus(lab, model))
    ]
    rows = [
        (one.text.name, one.text.characters, batch, it.all, it.train, it.held_out, epochs, it.train * epochs)
        for one in counted
        for batch, it in one.chunks.items()
    ]
    figures = {f"{one.text.name}.{what}": value for one in counted for what, value in _figures(one, epochs)}
    return Section(
        title=title,
        prose=[f"{one.text.name}: {one.warning}" for one in counted],
        tables=[Table("Chunks", COLUMNS, rows, NOTE.format(length=sequence_length))],
        figures=figures,
    )


def _corpus(lab: Lab, model: str) -> Text:
    texts = [one.text for one in lab.corpus(model).documents]
    size = sum(map(len, texts))
    return Text("corpus", size, sum(len(text.encode()) for text in texts), size + len(texts) - 1)


def _figures(one: Counted, epochs: int) -> Iterator[tuple[str, Figure]]:
    yield "characters", float(one.text.characters)
    yield "bytes", float(one.text.bytes)
    yield "warning", one.warning
    for batch, it in one.chunks.items():
        yield f"{batch}.chunks", float(it.all)
        yield f"{batch}.train", float(it.train)
        yield f"{batch}.held_out", float(it.held_out)
        yield f"{batch}.iterations", float(it.train * epochs)
        yield f"{batch}.parts", f"{it.all} = {it.train} + {it.held_out}"
