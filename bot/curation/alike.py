"""A text as it looks: letters of other scripts that readers take for Latin ones, read as these.

By Unicode's list of confusables. It does not know what is made of the likeness.
"""

from functools import cache

import regex

_FOREIGN = regex.compile(
    r"[[\p{Greek}\p{Cyrillic}\p{Armenian}\p{Coptic}\p{Cherokee}\p{Lisu}]&&\p{L}]", regex.V1
)


def as_latin(text: str) -> str:
    """The text with a Latin letter for each letter of another script that looks like one.

    >>> as_latin("Веnd")  # its first two letters are Cyrillic
    'Bend'
    """
    return _FOREIGN.sub(lambda found: _latin(found[0]), text)


@cache
def _latin(letter: str) -> str:
    """Its look-alike of the same case, else of the other, else itself."""
    from confusable_homoglyphs.confusables import is_confusable  # reads a megabyte

    found = is_confusable(letter, greedy=True) or ()
    alike = [one["c"] for row in found for one in row["homoglyphs"] if regex.fullmatch("[A-Za-z]", one["c"])]
    same_case = [one for one in alike if one.isupper() == letter.isupper()]
    return next(iter(same_case + alike), letter)
