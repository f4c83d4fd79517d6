"""From what a corpus plugin yields to distinct documents, some of them held out.

It does not know where documents come from, nor how they are cut into tokens.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.errors import CorpusError
from bot.records import Document

FEWEST_ITEMS = 10  # with fewer, only long texts can be learned from and held out
FEWEST_CHARACTERS = 10_000
MOST_SOURCES = 20  # of more it is not told how many documents each has: one file a document, mostly
SHORTEST_CUT = 1_000  # characters; a shorter document is not cut in two


@dataclass(frozen=True)
class Corpus:
    """Distinct documents in the order they were read, and what became of the rest."""

    name: str
    documents: tuple[Document, ...]
    empty: int
    repeated: int
    steps: tuple[tuple[str, int], ...] = ()  # what a corpus plugin says of what it left out, and how many

    @cached_property
    def sources(self) -> dict[str, int]:
        """How many of the kept documents came from each source; {} where that says nothing or too much."""
        counts = Counter(document.source for document in self.documents)
        return dict(counts) if 1 < len(counts) <= MOST_SOURCES else {}

    @cached_property
    def characters(self) -> int:
        return sum(len(document.text) for document in self.documents)

    @cached_property
    def sha256(self) -> str:
        """Of the texts in order, a NUL after each: the same corpus gives the same digest anywhere."""
        digest = hashlib.sha256()
        for document in self.documents:
            digest.update(document.text.encode() + b"\0")
        return digest.hexdigest()

    @property
    def counts(self) -> dict[str, int]:
        """Items read, empty, repeated and kept, and the characters of the kept ones."""
        kept = len(self.documents)
        read = kept + self.empty + self.repeated
        return {
            "read": read,
            "empty": self.empty,
            "repeated": self.repeated,
            "kept": kept,
            "characters": self.characters,
        }


def gather(documents: Iterable[Document | str], name: str) -> Corpus:
    """Strip the documents, drop the empty ones and exact repetitions; `name` is for the messages.

    Raises CorpusError when an item is no text and when too little is left to learn from.
    """
    kept: dict[str, Document] = {}
    empty = repeated = 0
    for number, item in enumerate(documents, 1):
        document = _document(item, f"corpus {name}, item {number}")
        if not document.text:
            empty += 1
        elif document.text in kept:
            repeated += 1
        else:
            kept[document.text] = document
    steps = tuple((str(what), int(count)) for what, count in getattr(documents, "steps", ()))
    corpus = Corpus(name, tuple(kept.values()), empty, repeated, steps)
    if len(originals(corpus.documents)) < FEWEST_ITEMS and corpus.characters < FEWEST_CHARACTERS:
        raise CorpusError(_too_small(corpus))
    return corpus


def split(
    documents: Sequence[Document], share: float, seed: int
) -> tuple[tuple[Document, ...], tuple[Document, ...]]:
    """(train, held out): a random `share` of the documents, at least one, is held out; order is kept.

    A variant goes with what it varies and is left out where that is held out. Of fewer than ten documents the
    end of each long one is held out instead, and no variant is learned from: it would tell those ends.
    """
    own = originals(documents)
    if len(own) < FEWEST_ITEMS:
        return _cut_ends(own, share)
    count = min(max(1, round(len(own) * share)), len(own) - 1)
    held_out = tuple(own[at] for at in sorted(random.Random(seed).sample(range(len(own)), count)))
    texts = {document.text for document in held_out}
    train = tuple(one for one in documents if one.text not in texts and one.variant_of not in texts)
    return train, held_out


def originals(documents: Sequence[Document]) -> Sequence[Document]:
    """Those that vary no other."""
    return [document for document in documents if not document.variant_of]


def _document(item: object, place: str) -> Document:
    if isinstance(item, str):
        item = Document(item)
    if not isinstance(item, Document) or not isinstance(item.text, str):
        msg = f"{place}: {item!r:.60} is no text: a corpus yields str or Document"
        raise CorpusError(msg)
    try:
        item.text.encode()
    except UnicodeEncodeError as error:
        msg = f"{place}: half a surrogate pair, no character; was the file read with the right encoding?"
        raise CorpusError(msg) from error
    return Document(item.text.strip(), item.source, item.variant_of.strip())


def _too_small(corpus: Corpus) -> str:
    counts = corpus.counts
    return (
        f"corpus {corpus.name}: {counts['kept']} items with {counts['characters']} characters are too few "
        f"to learn from (read {counts['read']}, {counts['empty']} empty, {counts['repeated']} repeated): "
        f"it takes {FEWEST_ITEMS} items or {FEWEST_CHARACTERS:,} characters, better a thousand items"
    )


def _cut_ends(
    documents: Sequence[Document], share: float
) -> tuple[tuple[Document, ...], tuple[Document, ...]]:
    train: list[Document] = []
    held_out: list[Document] = []
    for document in documents:
        text = document.text
        at = len(text) if len(text) < SHORTEST_CUT else _word_end(text, int(len(text) * (1 - share)))
        train.append(Document(text[:at].strip(), document.source))
        held_out.append(Document(text[at:].strip(), document.source))
    return tuple(train), tuple(document for document in held_out if document.text)


def _word_end(text: str, at: int) -> int:
    """The next space within a hundred characters, else `at` itself: one giant line may have none."""
    return next((place for place in range(at, min(at + 100, len(text) - 1)) if text[place].isspace()), at)
