"""The one form in which texts are compared, and its fingerprint. It does not know what is compared."""

import unicodedata
from bisect import bisect_left
from hashlib import blake2b


def normal_form(text: str) -> str:
    """NFKC and casefold, white space collapsed: texts of one normal form are the same text to the bot.

    >>> normal_form("  Ｂlack   METAL ")
    'black metal'
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


def standing(text: str, start: int, end: int) -> tuple[int, int]:
    """Where in `text` the stretch from `start` to `end` of its normal form stands.

    >>> standing("  Ｂlack   METAL ", 6, 11)
    (10, 15)
    """
    form = normal_form(text)
    first = _reaching(text, start) if form[start] == " " else _reaching(text, start + 1) - 1
    last = _reaching(text, end - 1) + 1 if form[end - 1] == " " else _reaching(text, end)
    while last < len(text) and unicodedata.combining(text[last]):
        last += 1
    return first, last


def _reaching(text: str, length: int) -> int:
    """The least number of characters whose normal form has `length`; it never shrinks as more are read."""
    return bisect_left(range(len(text)), length, key=lambda size: len(normal_form(text[:size])))


def fingerprint(text: str) -> int:
    """64 bits of the normal form's BLAKE2b hash, signed so that a database's integer holds them."""
    digest = blake2b(normal_form(text).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
