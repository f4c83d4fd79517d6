"""Reads text files line by line, in little memory, and says in plain words what is wrong with one.

It knows line ends and damaged files. It does not know what a line means.
"""

import codecs
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from bot.errors import CorpusError
from bot.text import encodings

UTF_8 = "utf-8-sig"  # with or without a byte order mark
EXCERPT = 40  # bytes before and after a wrong one that its message shows
NUL = "a NUL byte: no text, or UTF-16; then set `encoding: utf-16`"


def read_lines(path: Path, encoding: str = UTF_8) -> Iterator[str]:
    r"""The lines of a text file, each with its end, which is always "\n" (\r\n and \r are read so too).

    The default is UTF-8, with or without a byte order mark; of a file that is surely in another encoding
    that one, which is logged. Raises CorpusError where there is no file, and where a byte does not belong to
    the encoding or to any text: it names the line and the cure.
    """
    try:
        if encoding == UTF_8:
            encoding = encodings.surely(path) or encoding
        with path.open(encoding=encoding) as file:
            for number, line in enumerate(file, 1):
                if "\0" in line:
                    raise CorpusError(f"{path}:{number}: {NUL}")
                yield line
    except UnicodeError as error:  # a missing UTF-16 mark is not a UnicodeDecodeError
        raise CorpusError(_wrong_encoding(path, encoding, error)) from error
    except LookupError as error:
        msg = f"{path}: no text encoding is called {encoding!r} (utf-8, cp1252, latin-1, utf-16 are some)"
        raise CorpusError(msg) from error
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: there is no such file.{_alike(path)}") from error
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error.strerror}") from error


def _wrong_encoding(path: Path, encoding: str, error: UnicodeError) -> str:
    """Where decoding fails, and what the place would read as in the encodings most often meant."""
    if not isinstance(error, UnicodeDecodeError):
        return f"{path}: not {encoding}: {error}"
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return f"{path}:1: opens with UTF-16's byte order mark. Set `encoding: utf-16`"
    line, byte, excerpt = _first_wrong_byte(path, encoding)
    if b"\0" in excerpt:
        return f"{path}:{line}: {NUL}"
    likely = encodings.likely(path)
    return (
        f"{path}:{line}: byte 0x{byte:02X} is not {encoding.removesuffix('-sig')}. Set `encoding:`; "
        f"with {likely} the place reads {excerpt.decode(likely, 'replace')!r}"
    )


def _first_wrong_byte(path: Path, encoding: str) -> tuple[int, int, bytes]:
    """Line, value and surroundings (within the line) of the first byte that cannot be decoded."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as file:
        while True:
            chunk = file.read(1 << 16)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                before, after = error.object[: error.start], error.object[error.start :]
                left = before.splitlines()[-1] if before and not before.endswith(b"\n") else b""
                excerpt = left[-EXCERPT:] + after[:EXCERPT].splitlines()[0]
                return line + before.count(b"\n"), after[0], excerpt.strip()


def _alike(path: Path) -> str:
    if not path.parent.is_dir():
        return f" Nor is there a folder {path.parent}"
    files = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    alike = get_close_matches(path.name, files, n=1, cutoff=0.75)
    return f" Did you mean {alike[0]!r}?" if alike else ""
