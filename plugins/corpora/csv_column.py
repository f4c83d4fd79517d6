"""A corpus from one column of a csv file, with conditions on other columns."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from bot import CorpusError, Document, hookimpl, read_lines

MOST_TOLD = 8  # values of a column


class CsvColumn:
    """A column of a csv file with a header, of the rows whose other columns equal `where`, or one of a list.

    ascii: leave out every character that is not ASCII. `steps` tells, once it was read, how many rows each
    condition left, in the order in which they are given.
    """

    def __init__(
        self,
        path: Path,
        column: str,
        where: dict[str, str | tuple[str, ...]] | None = None,
        encoding: str = "utf-8-sig",
        delimiter: str = ",",
        ascii: bool = False,
    ):
        if len(delimiter) != 1:
            msg = f'{path}: delimiter {delimiter!r} is not one character (YAML writes a tab as "\\t")'
            raise CorpusError(msg)
        self._path, self._column, self._ascii = path, column, ascii
        self._where = {key: (it,) if isinstance(it, str) else it for key, it in (where or {}).items()}
        self._encoding, self._delimiter = encoding, delimiter
        self.steps: list[tuple[str, int]] = []

    def __iter__(self) -> Iterator[Document]:
        left, stripped = [0] * (1 + len(self._where)), 0  # rows after so many conditions; characters left out
        others = Counter[tuple[str, str]]()  # what stands where the first condition failed that ever did
        for row in _read(self._path, self._encoding, self._delimiter, [self._column, *self._where]):
            held = _conditions_held(row, self._where)
            for step in range(held + 1):
                left[step] += 1
            if held < len(self._where):
                key = list(self._where)[held]
                others[key, row[key] or ""] += 1
                continue
            text = row[self._column] or ""  # a short row has None
            plain = text.encode("ascii", "ignore").decode() if self._ascii else text
            stripped += len(text) - len(plain)
            yield Document(plain, source=self._column)
        if self._where and not left[-1]:
            raise CorpusError(f"{self._path}: {self._nothing(left, others)}")
        self.steps = self._told(left, stripped)

    def _told(self, left: Sequence[int], stripped: int) -> list[tuple[str, int]]:
        told = zip(
            ["rows", *(f"{key} {_or(value)}" for key, value in self._where.items())], left, strict=True
        )
        strip = [("characters left out that are not ASCII", stripped)] if self._ascii else []
        return [*(told if self._where else ()), *strip]

    def _nothing(self, left: Sequence[int], others: Counter[tuple[str, str]]) -> str:
        """Why no row is left, and what the column has where that became so."""
        conditions = " and ".join(f"{key} {_or(map(repr, values))}" for key, values in self._where.items())
        text = f"none of its {left[0]:,} rows has {conditions} (`where` compares exactly)"
        at = list(self._where)[left.index(0) - 1]
        there = [f"{value!r} {count:,}" for (key, value), count in others.most_common() if key == at]
        some = ", ".join(there[:MOST_TOLD]) + ", …" * (len(there) > MOST_TOLD)
        return f"{text}; {at} there: {some}" if some else text


def _or(values: Iterable[str]) -> str:
    return " or ".join(values)


def _conditions_held(row: Mapping[str, str], where: Mapping[str, Sequence[str]]) -> int:
    """How many of the conditions hold before the first that does not."""
    return next((at for at, (key, values) in enumerate(where.items()) if row[key] not in values), len(where))


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
def register_corpora() -> dict[str, Callable[..., Iterable[Document]]]:
    return {"csv_column": CsvColumn}
