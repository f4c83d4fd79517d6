"""The keys a text is found by: 40-bit hashes of it, of it without a character, of its windows.

Everything here takes normal forms and is vectorised. It does not know where keys are kept.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, groupby
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bot.curation.normal import fingerprint

Keys: TypeAlias = NDArray[np.uint64]
NO_KEYS: Keys = np.empty(0, dtype=np.uint64)
NOWHERE: NDArray[np.int64] = np.empty(0, dtype=np.int64)

# One edit leaves 40 characters in a row untouched in an item of 80 or more, so windows find longer ones;
# only items up to this length need a key for each character that may be lacking.
SHORT = 80


def mix(values: Keys) -> Keys:
    """SplitMix64's finaliser (Steele et al. 2014): every input bit reaches every output bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


# A short text's hash is the sum of code * FACTOR[place + 1], modulo 2**64: multilinear hashing (Lemire and
# Kaser 2014, arXiv 1202.4961). LACKING[i] is added where the character at i was left out.
FACTOR = mix(np.arange(1, SHORT + 2, dtype=np.uint64))
LACKING = mix(np.arange(1001, 1001 + SHORT + 2, dtype=np.uint64))
_STEP = FACTOR[1:] - FACTOR[:-1]


def _key(hashes: Keys) -> Keys:
    """The 40 upper bits, the best mixed ones."""
    return hashes >> np.uint64(24)


def code_points(text: str) -> Keys:
    """The code points plus one: a code of 0 would hash like no character."""
    data = text.encode("utf-32-le", "surrogatepass")
    return np.frombuffer(data, dtype="<u4").astype(np.uint64) + np.uint64(1)


def hashes(texts: Sequence[str]) -> tuple[Keys, Keys]:
    """Of texts of one length: (texts, 1) hashes of each, (texts, length) of each without its character i.

    Where one is left out, every code behind it moves to the place before: a step back in FACTOR.
    """
    length = len(texts[0])
    codes = code_points("".join(texts)).reshape(len(texts), length)
    terms = codes * FACTOR[1 : length + 1]
    steps = codes * _STEP[:length]
    whole: Keys = terms.sum(axis=1, keepdims=True)
    lacking: Keys = steps.cumsum(axis=1) + (whole - steps.sum(axis=1, keepdims=True)) - terms
    return whole, lacking


def exact_key(form: str) -> Keys:
    """(1,): the key of an item that equals this text."""
    if len(form) <= SHORT:
        return _key(hashes([form])[0][0])
    return _key(np.array([_unsigned(form)], dtype=np.uint64))


def item_keys(forms: Iterable[str]) -> Iterator[Keys]:
    """The keys an item leaves in an index: itself, and if short itself without each of its characters."""
    for length, group in groupby(sorted(forms, key=len), key=len):
        if length > SHORT:
            yield from map(exact_key, group)
            continue
        whole, lacking = hashes(list(group))
        yield _key(whole).ravel()
        yield _key(lacking + LACKING[:length]).ravel()


def near_keys(form: str) -> Keys:
    """The keys that items within one edit of this text of at most SHORT characters leave; exact_key first."""
    size = len(form)
    wholes, lackings = hashes([form])
    whole, lacking = wholes[0], lackings[0]
    equal = lacking + LACKING[:size]  # items that differ at i: both lack the same there
    longer = whole + LACKING[: size + 1]  # items that are this text once they lack their character i
    return _key(np.concatenate([whole, lacking, equal, longer]))


class Cut(NamedTuple):
    """A way to cut a text into units, `width` of which in a row are taken for a copy."""

    split: Callable[[str], Sequence[str]]
    places: Callable[[str], Sequence[tuple[int, int]]]  # where each unit begins and ends
    glue: str
    width: int
    values: Callable[[Sequence[Sequence[str]]], Keys]  # one for each unit of all the texts
    stride: int = 1  # of a text only every so many windows are known, and its last


def _character_values(texts: Sequence[Sequence[str]]) -> Keys:
    return mix(code_points("".join(chain.from_iterable(texts))))


def _word_values(texts: Sequence[Sequence[str]]) -> Keys:
    return np.fromiter(map(_unsigned, chain.from_iterable(texts)), dtype=np.uint64)


@lru_cache(maxsize=1 << 16)
def _unsigned(text: str) -> int:
    return fingerprint(text) & (1 << 64) - 1


def _word_places(form: str) -> list[tuple[int, int]]:
    return [found.span() for found in _WORD.finditer(form)]


_WORD = re.compile(r"\w+(?:['’]\w+)*")
CHARACTERS = Cut(str, lambda form: [(i, i + 1) for i in range(len(form))], "", 40, _character_values)
WORDS = Cut(_WORD.findall, _word_places, " ", 8, _word_values)
SHINGLES = WORDS._replace(width=5)
CUTS = (CHARACTERS, WORDS)

# Of a long text fewer windows are known, and smaller ones: no 40 characters, no 8 words lack one.
LONG = 200
LONG_CHARACTERS = CHARACTERS._replace(width=37, stride=4)
LONG_WORDS = WORDS._replace(width=7, stride=2)
LONG_CUTS = (LONG_CHARACTERS, LONG_WORDS)


def window_keys(cut: Cut, forms: Iterable[str]) -> Keys:
    """The keys of all windows, in order; none reaches from one text into the next."""
    keys, _, _ = _placed(cut, forms)
    return keys


def known_keys(cut: Cut, forms: Iterable[str]) -> Keys:
    """The keys of those windows that an index knows: every `stride`th of a text, and its last."""
    keys, places, behind = _placed(cut, forms)
    known: Keys = keys[(places % cut.stride == 0) | (behind == 0)]
    return known


def _placed(cut: Cut, forms: Iterable[str]) -> tuple[Keys, NDArray[np.int64], NDArray[np.int64]]:
    """The keys of all windows; where each begins in its text; how many follow it there."""
    texts = [units for units in map(cut.split, forms) if len(units) >= cut.width]
    if not texts:
        return NO_KEYS, NOWHERE, NOWHERE
    sizes = np.array([len(units) for units in texts])
    places = np.concatenate([np.arange(size) for size in sizes])
    behind = np.repeat(sizes, sizes) - cut.width - places
    inside = (behind >= 0)[: len(places) - cut.width + 1]
    keys = _key(_windows(cut.values(texts), cut.width)[inside])
    return keys, places[: len(inside)][inside], behind[: len(inside)][inside]


def window_counts(cut: Cut, forms: Iterable[str]) -> list[int]:
    """How many windows each text has."""
    return [max(0, len(cut.split(form)) - cut.width + 1) for form in forms]


def distinct(keys: Iterable[Keys]) -> Keys:
    """Sorted, each once; np.unique hashes instead, which takes many times as long."""
    joined = np.concatenate([NO_KEYS, *keys])
    joined.sort()
    return joined[np.append(True, joined[1:] != joined[:-1])] if len(joined) else joined


def _windows(values: Keys, width: int) -> Keys:
    """One hash for each `width` values in a row, put together from two overlapping shorter ones."""
    have = 1
    while have < width:
        shift = min(have, width - have)
        values = mix(values[:-shift]) + values[shift:]
        have += shift
    return values
