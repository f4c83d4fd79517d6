"""A corpus in three parts: to learn from, held out while it learns, and to test with once at the end.

It does not know where documents come from or who learns from them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.errors import CorpusError
from bot.interfaces import Tokenizer
from bot.records import Document
from bot.text.corpus import originals, split
from bot.text.vocabulary import END, Vocabulary

FEW_CHUNKS = 100  # of a stream; with fewer its losses say little
FEW_CHARACTERS = 1_000_000
NEARLY = 1e-9  # a share of chunks that is whole but for the rounding of floats

Ids = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Part:
    """Documents and their ids. The ids of a stream's part are one sequence with END between two texts."""

    documents: tuple[Document, ...] = ()
    ids: Ids = ()


@dataclass(frozen=True)
class Chunks:
    """How many chunks of batch_size x sequence_length tokens one text makes, part by part."""

    train: int
    held_out: int
    test: int

    @property
    def all(self) -> int:
        return self.train + self.held_out + self.test


@dataclass(frozen=True)
class Parts:
    """The three parts, the vocabulary of all, and what is odd about them, "" if nothing is."""

    vocabulary: Vocabulary
    train: Part
    held_out: Part
    test: Part = Part()
    remark: str = ""


def of_documents(
    documents: Sequence[Document], tokenizer: Tokenizer, validation_share: float, test_share: float, seed: int
) -> Parts:
    """Whole documents fall to one part or another; of fewer than ten the ends of long ones are held out.

    validation_share, test_share: of the documents. Raises CorpusError where a part would be empty.
    """
    train, held_out, test = divide(documents, validation_share, test_share, seed)
    if test_share and not (held_out and test):
        raise CorpusError(f"{len(documents)} documents are too few for a part to test with: set test_share 0")
    tokens = [[tokenizer.split(one.text) for one in part] for part in (train, held_out, test)]
    vocabulary = Vocabulary.build([one for part in tokens for one in part], tokenizer.vocabulary_size)
    first, second, third = (
        Part(part, [vocabulary.encode(one) for one in ids])
        for part, ids in zip((train, held_out, test), tokens, strict=True)
    )
    return Parts(vocabulary, first, second, third)


def divide(
    documents: Sequence[Document], validation_share: float, test_share: float, seed: int
) -> tuple[tuple[Document, ...], tuple[Document, ...], tuple[Document, ...]]:
    """What is learned from, held out and tested with; see `split`."""
    rest, test = split(documents, test_share, seed) if test_share else (tuple(documents), ())
    train, held_out = split(rest, validation_share / (1 - test_share), seed)
    return train, held_out, test


def of_stream(
    documents: Sequence[Document],
    tokenizer: Tokenizer,
    validation_share: float,
    test_share: float,
    batch_size: int,
    sequence_length: int,
) -> Parts:
    """All documents as one text, cut into whole chunks: first those to learn from, the last ones held out.

    Variants are left out: nobody could say which parts of the text tell the same. Raises CorpusError where
    the chunks are too few for the parts.
    """
    documents = originals(documents)
    split = [tokenizer.split(one.text) for one in documents]
    vocabulary = Vocabulary.build(split, tokenizer.vocabulary_size)
    ids = [id for one in split for id in (*vocabulary.encode(one), END)][:-1]
    chunk = batch_size * sequence_length
    count = chunks(len(ids), batch_size, sequence_length, validation_share, test_share)
    if not count.train or not count.held_out or (test_share and not count.test):
        msg = f"layout stream: {len(ids):,} tokens make {count.all} chunks of {batch_size} x "
        msg += f"{sequence_length}, too few for all parts: a smaller batch_size or sequence_length would help"
        raise CorpusError(msg)
    bounds = [0, count.train, count.train + count.held_out, count.all]
    train, held_out, test = (
        _part(ids[first * chunk : last * chunk], vocabulary, tokenizer) for first, last in pairwise(bounds)
    )
    size = sum(len(one.text.encode()) for one in documents)
    return Parts(vocabulary, train, held_out, test, remark=remark(count, size))


def chunks(
    tokens: int, batch_size: int, sequence_length: int, validation_share: float, test_share: float
) -> Chunks:
    """The arithmetic of Karpathy's char-rnn: what makes no whole chunk is left out, a part is rounded down.

    Without a part to test with, all that is not learned from is held out.
    """
    count = tokens // (batch_size * sequence_length)
    train = int(count * (1 - validation_share - test_share) + NEARLY)
    held_out = int(count * validation_share + NEARLY) if test_share else count - train
    return Chunks(train, held_out, count - train - held_out)


def _part(ids: Sequence[int], vocabulary: Vocabulary, tokenizer: Tokenizer) -> Part:
    joined = (tokenizer.join(vocabulary.decode(text)) for text in _between_ends(ids))
    return Part(tuple(Document(text) for text in joined if text), [ids] if ids else [])


def texts(ids: Ids) -> list[Sequence[int]]:
    """The single texts of a stream's part; elsewhere each sequence is one, and none has an END in it."""
    return [text for sequence in ids for text in _between_ends(sequence)]


def _between_ends(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    start = 0
    for at, id in enumerate(ids):
        if id == END:
            yield ids[start:at]
            start = at + 1
    yield ids[start:]


def remark(count: Chunks, size: int) -> str:
    """What is odd about a stream of so many chunks and bytes, "" if nothing is."""
    few = []
    if size < FEW_CHARACTERS:
        few.append(f"{size:,} bytes are less than {FEW_CHARACTERS:,}")
    if count.all < FEW_CHUNKS:
        few.append(f"{count.all} chunks are fewer than {FEW_CHUNKS}: a smaller batch_size would make more")
    return f"A small corpus for a stream: {'; '.join(few)}." if few else ""
