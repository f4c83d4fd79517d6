"""The one form in which texts are compared, and its fingerprint. It does not know what is compared."""

import unicodedata
from hashlib import blake2b


def normal_form(text: str) -> str:
    """NFKC and casefold, white space collapsed: texts of one normal form are the same text to the bot.

    >>> normal_form("  Ｂlack   METAL ")
    'black metal'
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


def fingerprint(text: str) -> int:
    """64 bits of the normal form's BLAKE2b hash, signed so that a database's integer holds them."""
    digest = blake2b(normal_form(text).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
