"""A corpus from a text file, one item a line or a piece between empty lines."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

from bot import CorpusError, Document, hookimpl, read_lines

LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\uff21-\uff3a\uff41-\uff5a]")  # full width as well


class Lines:
    """The lines of a file.

    pieces: what stands between two empty lines is one item, its line breaks are kept. latin: whether lines
    with Latin letters are kept. `steps` tells, once it was read, how many lines there were and went.
    """

    def __init__(self, path: Path, encoding: str = "utf-8-sig", pieces: bool = False, latin: bool = True):
        self._path, self._encoding, self._pieces, self._latin = path, encoding, pieces, latin
        self.steps: list[tuple[str, int]] = []

    def __iter__(self) -> Iterator[Document]:
        self._read = self._dropped = 0
        kept = self._kept()
        if self._pieces:
            runs = groupby(kept, key=lambda line: bool(line.strip()))
            kept = ("".join(run) for is_text, run in runs if is_text)
        yield from (Document(text, source=self._path.stem) for text in kept)
        if not self._read:
            msg = f"{self._path}: the file is empty"
            raise CorpusError(msg)
        if not self._latin:
            self.steps = [("lines", self._read), ("lines with Latin letters left out", self._dropped)]

    def _kept(self) -> Iterator[str]:
        for line in read_lines(self._path, self._encoding):
            self._read += 1
            if self._latin or not LATIN.search(line):
                yield line
            else:
                self._dropped += 1


@hookimpl
def register_corpora() -> dict[str, Callable[..., Iterable[Document]]]:
    return {"lines": Lines}
