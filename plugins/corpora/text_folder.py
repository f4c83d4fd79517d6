"""A corpus from a folder of text files, one document a file."""

from collections.abc import Callable, Iterator
from pathlib import Path

from bot import CorpusError, Document, hookimpl, read_lines


def text_folder(path: Path, pattern: str = "*.txt", encoding: str = "utf-8-sig") -> Iterator[Document]:
    """Yield the files of a folder that match a pattern (`**/*.txt` looks into its folders too), by name."""
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
    for file in files:
        yield Document("".join(read_lines(file, encoding)), source=str(file.relative_to(path)))


@hookimpl
def register_corpora() -> dict[str, Callable[..., Iterator[Document]]]:
    return {"text_folder": text_folder}
