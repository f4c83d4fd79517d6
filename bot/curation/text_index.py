"""The texts of a corpus as arrays in which near and copied ones are found: built once, mapped from then on.

A folder of .npy files, in normal form and as the texts were, so it is as private as the corpus itself.
It takes about 18 bytes a character and 50 an item; building keeps it in memory, and a third more.
It does not know what a copy is.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bot.curation import halves
from bot.curation.keys import NO_KEYS, SHINGLES, WORDS, Keys, distinct, window_counts, window_keys
from bot.curation.normal import normal_form
from bot.curation.suffixes import MOST_BYTES, PADDING, sort_suffixes
from bot.errors import BotError
from bot.records import Document

VERSION = 1
BATCH = 1 << 20  # characters read at a time
_NAMES = "sources.json"

Array = NDArray[Any]


@dataclass(frozen=True)
class TextIndex:
    """Item r has the row r in every array; keys are sorted, with rows in their lower 32 bits."""

    forms: Array  # UTF-8 of the normal forms, a line feed behind each, PADDING behind all
    starts: Array  # where each form begins, and where the last one ends
    lengths: Array  # characters of each form
    bags: Array  # halves.bags
    halves: Array  # halves.entries
    suffixes: Array  # of `forms`
    phrases: Array  # of runs of words that count as a copy
    shingles: Array  # of shorter runs of words, without rows
    texts: Array  # UTF-8 of the items as they were
    text_starts: Array
    origins: Array  # of each item the place of its source in `sources`
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def size(self) -> int:
        """Bytes of memory; the system takes those that are mapped back when it wants them."""
        return sum(array.nbytes for _, array in self._arrays() if not isinstance(array.base, np.memmap))

    def form(self, row: int) -> str:
        return _decoded(self.forms[self.starts[row] : self.starts[row + 1] - 1])

    def item(self, row: int) -> tuple[str, str]:
        """The text as it was, and its source."""
        text = self.texts[self.text_starts[row] : self.text_starts[row + 1]]
        return _decoded(text), self.sources[self.origins[row]]

    def row_at(self, byte: int) -> int:
        """The item whose form holds a byte of `forms`."""
        return int(self.starts.searchsorted(byte, side="right")) - 1

    def save(self, folder: Path) -> None:
        for name, array in self._arrays():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        (folder / _NAMES).write_text(json.dumps(self.sources))

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Map what was saved. Raises OSError or ValueError if it is not all there."""
        names = [field.name for field in fields(cls) if field.name != "sources"]
        arrays = {name: _mapped(folder / f"{name}.npy") for name in names}
        return cls(**arrays, sources=tuple(json.loads((folder / _NAMES).read_text())))

    def _arrays(self) -> Iterator[tuple[str, Array]]:
        for field in fields(self):
            if field.name != "sources":
                yield field.name, getattr(self, field.name)


def build(items: Iterable[Document | str]) -> TextIndex:
    """Walks the items once. Raises BotError for more text than a suffix array of 32 bits can hold."""
    parts = _Parts()
    for batch in _batches(items):
        parts.add(batch)
    return parts.finish()


class _Parts:
    """An index as it grows."""

    def __init__(self) -> None:
        self._forms, self._texts = bytearray(), bytearray()
        self._sizes, self._text_sizes, self._origins = list[int](), list[int](), list[int]()
        self._arrays: dict[str, list[Array]] = {
            name: [NO_KEYS] for name in ("lengths", "bags", "halves", "phrases", "shingles")
        }
        self._sources: dict[str, int] = {}

    def add(self, batch: Sequence[Document]) -> None:
        forms = [normal_form(document.text) for document in batch]
        self._hash(forms, len(self._sizes))
        self._sizes += _append(self._forms, forms, b"\n")
        self._text_sizes += _append(self._texts, [document.text for document in batch])
        sources = self._sources
        self._origins += [sources.setdefault(document.source, len(sources)) for document in batch]
        if len(self._forms) > MOST_BYTES:
            msg = f"more than {MOST_BYTES:,} bytes of text: too much for one novelty index"
            raise BotError(msg)

    def _hash(self, forms: Sequence[str], first: int) -> None:
        add = self._arrays
        add["lengths"].append(np.fromiter(map(len, forms), np.uint64, len(forms)))
        add["bags"].append(halves.bags(forms))
        add["halves"] += halves.entries(forms, first)
        rows = np.arange(first, first + len(forms), dtype=np.uint64)
        phrases = np.repeat(rows, window_counts(WORDS, forms))
        add["phrases"].append(phrase_entries(window_keys(WORDS, forms)) | phrases)
        add["shingles"].append(window_keys(SHINGLES, forms))

    def finish(self) -> TextIndex:
        forms = bytes(self._forms)
        arrays = {name: distinct(self._arrays.pop(name)) for name in ("halves", "phrases", "shingles")}
        return TextIndex(
            forms=np.frombuffer(forms + PADDING, np.uint8),
            starts=_offsets(self._sizes),
            suffixes=sort_suffixes(forms) if forms else np.empty(0, np.int32),
            texts=np.frombuffer(bytes(self._texts), np.uint8),
            text_starts=_offsets(self._text_sizes),
            origins=np.array(self._origins, np.uint32),
            sources=tuple(self._sources),
            lengths=np.concatenate(self._arrays["lengths"]).astype(np.int32),
            bags=np.concatenate(self._arrays["bags"]),
            **arrays,
        )


def phrase_entries(keys: Keys) -> Keys:
    """Where entries of the index under these keys of windows would begin."""
    return keys << np.uint64(32)


def _batches(items: Iterable[Document | str]) -> Iterator[list[Document]]:
    batch, size = list[Document](), 0
    for item in items:
        document = Document(item) if isinstance(item, str) else item
        batch.append(document)
        size += len(document.text)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _append(data: bytearray, texts: Iterable[str], end: bytes = b"") -> list[int]:
    """The bytes that each text took."""
    encoded = [text.encode("utf-8", "surrogatepass") + end for text in texts]
    data += b"".join(encoded)
    return list(map(len, encoded))


def _offsets(sizes: Sequence[int]) -> Array:
    return np.fromiter(accumulate(sizes, initial=0), np.int64, len(sizes) + 1)


def _decoded(data: Array) -> str:
    return data.tobytes().decode("utf-8", "surrogatepass")


def _mapped(path: Path) -> Array:
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except EOFError as error:
        raise ValueError(f"{path}: is empty") from error
