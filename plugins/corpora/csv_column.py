"""A corpus from one column of a csv file, with conditions on other columns."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from bot import CorpusError, Document, hookimpl, read_lines


def csv_column(
    path: Path,
    column: str,
    where: dict[str, str] | None = None,
    encoding: str = "utf-8-sig",
    delimiter: str = ",",
) -> Iterator[Document]:
    """Yield a column of a csv file with a header, of the rows whose other columns equal `where`."""
    if len(delimiter) != 1:
        msg = f'{path}: delimiter {delimiter!r} is not one character (YAML writes a tab as "\\t")'
        raise CorpusError(msg)
    where = where or {}
    rows = matches = 0
    for rows, row in enumerate(_read(path, encoding, delimiter, [column, *where]), 1):  # noqa: B007
        if all(row[key] == value for key, value in where.items()):
            matches += 1
            yield Document(row[column] or "", source=column)  # a short row has None
    if where and not matches:
        conditions = " and ".join(f"{key} {value!r}" for key, value in where.items())
        msg = f"{path}: none of its {rows:,} rows has {conditions} (`where` compares exactly)"
        raise CorpusError(msg)


def _read(path: Path, encoding: str, delimiter: str, columns: Sequence[str]) -> Iterator[Mapping[str, str]]:
    csv.field_size_limit(2**31 - 1)  # the module's own limit, 128 KiB, is less than a short story
    # strict: a quote that is never closed would else swallow the rest of the file without a word
    reader = csv.DictReader(read_lines(path, encoding), delimiter=delimiter, strict=True)
    try:
        header = reader.fieldnames
        if not header:
            msg = f"{path}: empty: its first line must name the columns"
            raise CorpusError(msg)
        for column in columns:
            if column not in header:
                raise CorpusError(f"{path}:1: no column {column!r} {_there_are(column, header)}")
            if header.count(column) > 1:
                raise CorpusError(
                    f"{path}:1: {header.count(column)} columns are called {column!r}: rename one"
                )
        yield from reader
    except csv.Error as error:
        row = reader.line_num + 1  # line_num is where the last good row ended
        msg = f"{path}:{row}: {error} (a quote inside a quoted field is written twice)"
        raise CorpusError(msg) from error


def _there_are(column: str, header: Sequence[str]) -> str:
    text = f"(have {', '.join(header)})"
    if len(header) == 1 and (other := [sign for sign in ";\t|" if sign in header[0]]):
        return f"{text}. Is {other[0]!r} the `delimiter`?"
    alike = get_close_matches(column, header, n=1)
    return f"{text}. Did you mean {alike[0]!r}?" if alike else text


@hookimpl
def register_corpora() -> dict[str, Callable[..., Iterator[Document]]]:
    return {"csv_column": csv_column}
