"""A corpus from a folder of text files, one document a file or a paragraph."""

import random
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from bot import CorpusError, Document, hookimpl, read_lines


class TextFolder:
    """The files of a folder that match a pattern (`**/*.txt` looks into its folders too), by name.

    paragraphs: each line that is not empty is a document of its own, not each file. keep: the signs beside
    letters, digits and white space that are kept, all if None. share: of the documents, drawn by chance.
    first: so many characters are read, all if None; the document that they end in is cut off there.
    `steps` tells, once it was read, how many there were and what was left out.
    """

    def __init__(
        self,
        path: Path,
        pattern: str = "*.txt",
        encoding: str = "utf-8-sig",
        paragraphs: bool = False,
        keep: str | None = None,
        share: float = 1.0,
        first: int | None = None,
    ):
        if not 0 < share <= 1:
            msg = f"share {share:g} is not above 0 and at most 1"
            raise ValueError(msg)
        if first is not None and first < 1:
            msg = f"first {first}: no character would be read"
            raise ValueError(msg)
        self._first = sys.maxsize if first is None else first
        self._path, self._pattern, self._encoding = path, pattern, encoding
        self._paragraphs, self._keep, self._share = paragraphs, keep, share
        self.steps: list[tuple[str, int]] = []

    def __iter__(self) -> Iterator[Document]:
        draw = random.Random(1)  # the same documents every time
        files, there, left_out = _files(self._path, self._pattern), 0, 0
        room = self._first
        for document in self._documents(files):
            there += 1
            if room and (self._share == 1 or draw.random() < self._share):
                text = document.text if self._keep is None else _only(document.text, self._keep)
                left_out += len(document.text) - len(text)
                yield Document(text[:room], document.source)
                room = max(0, room - len(text))
        self.steps = [("files", len(files)), ("documents in them", there)]
        if self._keep is not None:
            self.steps.append(("signs left out", left_out))

    def _documents(self, files: Iterable[Path]) -> Iterator[Document]:
        for file in files:
            lines, source = read_lines(file, self._encoding), str(file.relative_to(self._path))
            texts = filter(str.strip, lines) if self._paragraphs else ["".join(lines)]
            yield from (Document(text, source) for text in texts)


def _only(text: str, keep: str) -> str:
    return "".join(sign for sign in text if sign.isalnum() or sign.isspace() or sign in keep)


def _files(path: Path, pattern: str) -> list[Path]:
    if not path.is_dir():
        msg = f"{path}: there is no such folder" if not path.exists() else f"{path}: a file, not a folder"
        raise CorpusError(msg)
    try:
        files = sorted(file for file in path.glob(pattern) if file.is_file())
    except (ValueError, NotImplementedError) as error:  # an empty pattern; an absolute one
        msg = f"{path}: {pattern!r} is no pattern of file names within the folder, such as '*.txt'"
        raise CorpusError(msg) from error
    if not files:
        msg = f"{path}: no file in this folder matches {pattern!r}"
        raise CorpusError(msg)
    return files


@hookimpl
def register_corpora() -> dict[str, Callable[..., Iterable[Document]]]:
    return {"text_folder": TextFolder}
