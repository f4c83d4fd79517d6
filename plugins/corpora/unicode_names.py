"""A corpus that needs no file: the names Unicode gives its characters, from the standard library."""

import unicodedata
from collections.abc import Callable, Iterator

from bot import CorpusError, Document, hookimpl


def unicode_names(first: int = 0x21, last: int = 0x10FFFF, prefix: str = "") -> Iterator[Document]:
    """Yield the names from one code point to another, as in "Greek small letter alpha".

    prefix: only names that begin so, in any case. Names that only count (ideographs, hieroglyphs
    by number, Hangul syllables) are left out.
    """
    if not 0 <= first <= last <= 0x10FFFF:
        msg = f"unicode_names: code points run from 0 to 0x10FFFF, not from {first:#x} to {last:#x}"
        raise CorpusError(msg)
    for point in range(first, last + 1):
        name = unicodedata.name(chr(point), "")
        if name and name.startswith(prefix.upper()) and not _counts(name):
            yield Document(name.capitalize(), source="unicode")


def _counts(name: str) -> bool:
    return name.startswith("HANGUL SYLLABLE") or any(sign.isdigit() for sign in name)


@hookimpl
def register_corpora() -> dict[str, Callable[..., Iterator[Document]]]:
    return {"unicode_names": unicode_names}
