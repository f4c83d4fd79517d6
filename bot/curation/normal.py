"""The form in which two texts count as the same, and its fingerprint."""

import unicodedata
from hashlib import blake2b


def normal_form(text: str) -> str:
    """NFKC, casefolded, each run of white space one space, none at the ends."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


def fingerprint(text: str) -> int:
    """64 bits of the normal form, unsigned; the same on every machine."""
    return int.from_bytes(blake2b(normal_form(text).encode(), digest_size=8).digest(), "big")
