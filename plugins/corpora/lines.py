"""A corpus from a text file, one item a line."""

from collections.abc import Callable, Iterator
from pathlib import Path

from bot import CorpusError, Document, hookimpl, read_lines


def lines(path: Path, encoding: str = "utf-8-sig") -> Iterator[Document]:
    """Yield the lines of a file."""
    line = ""
    for line in read_lines(path, encoding):
        yield Document(line, source=path.stem)
    if not line:
        msg = f"{path}: the file is empty"
        raise CorpusError(msg)


@hookimpl
def register_corpora() -> dict[str, Callable[..., Iterator[Document]]]:
    return {"lines": lines}
