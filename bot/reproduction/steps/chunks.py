"""How many chunks and iterations a text makes: a document's arithmetic, and the corpus's own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.reports.sections import Cell, Figure, Section, Table
from bot.reproduction.lab import Lab
from bot.text.parts import Chunks, chunks, remark

COLUMNS = ("text", "characters", "batch", "chunks", "to learn from", "held out", "published", "iterations")
DOCUMENT, CORPUS = "document", "corpus"
NOTE = (
    "A chunk is batch x {length} characters, a character a token; what fills no whole chunk is left out. The "
    "part to learn from is rounded down, the rest is held out; an iteration is a chunk that is learned from, "
    "here in {epochs} epochs."
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
    """A text and its chunks by batch size. published: what was, by batch size."""

    text: Text
    chunks: Mapping[int, Chunks]
    published: Mapping[int, Chunks]

    @property
    def warning(self) -> str:
        """By the batch size that makes fewest chunks."""
        fewest = min(self.chunks.values(), key=lambda one: one.all)
        return remark(fewest, self.text.bytes) or "Large enough."


def step(
    lab: Lab,
    model: str,
    characters: int,
    published: dict[int, tuple[int, int]],
    sequence_length: int = 50,
    epochs: int = 50,
    validation_share: float = 0.05,
    title: str = "The arithmetic of chunks",
) -> Section:
    """Of a document's text of so many characters, and of the corpus that `model` learns from.

    published: by batch size the chunks of the document's text to learn from, and those held out.
    Figures, for each TEXT of document and corpus: TEXT.characters, TEXT.bytes, TEXT.warning; for each batch
    size TEXT.BATCH.chunks, TEXT.BATCH.parts (as 182 = 172 + 10), TEXT.BATCH.iterations; and of the document
    document.BATCH.verdict.
    """
    known = {batch: Chunks(train, held_out, 0) for batch, (train, held_out) in published.items()}
    texts = [(Text(DOCUMENT, characters, characters, characters), known), (_corpus(lab, model), {})]
    counted = [
        Counted(
            text,
            {batch: chunks(text.tokens, batch, sequence_length, validation_share, 0.0) for batch in known},
            there,
        )
        for text, there in texts
    ]
    note = NOTE.format(length=sequence_length, epochs=epochs)
    return Section(
        title=title,
        prose=[f"{one.text.name}: {one.warning}" for one in counted],
        tables=[Table("Chunks", COLUMNS, [row for one in counted for row in _rows(one, epochs)], note)],
        figures={f"{one.text.name}.{it}": value for one in counted for it, value in _figures(one, epochs)},
    )


def _corpus(lab: Lab, model: str) -> Text:
    texts = [one.text for one in lab.corpus(model).documents]
    size = sum(map(len, texts))
    return Text(CORPUS, size, sum(len(text.encode()) for text in texts), size + len(texts) - 1)


def _rows(one: Counted, epochs: int) -> Iterator[Sequence[Cell]]:
    for batch, it in one.chunks.items():
        published = _parts(one.published[batch]) if batch in one.published else None
        counts = it.all, it.train, it.held_out, published, it.train * epochs
        yield one.text.name, one.text.characters, batch, *counts


def _parts(one: Chunks) -> str:
    return f"{one.all} = {one.train} + {one.held_out}"


def _figures(one: Counted, epochs: int) -> Iterator[tuple[str, Figure]]:
    yield "characters", float(one.text.characters)
    yield "bytes", float(one.text.bytes)
    yield "warning", one.warning
    for batch, it in one.chunks.items():
        yield f"{batch}.chunks", float(it.all)
        yield f"{batch}.parts", _parts(it)
        yield f"{batch}.iterations", float(it.train * epochs)
        if batch in one.published:
            yield f"{batch}.verdict", "the same" if it == one.published[batch] else "different"
