"""Sorted 40-bit keys in a file, in about 3 bits a key more than there is to know; looked up where they lie.

Elias (1974) and Fano (1971), as Vigna has it (arXiv 1206.4300): a key's lower bits stand as they are, of its
upper bits only by how much they rise, one by one. It does not know what the keys are of.
"""

import mmap
import struct
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bot.curation.keys import Keys

BITS = 40  # of a key
_HEADER = struct.Struct("<8sQ")  # magic with version, number of keys
_MAGIC, _PLAIN = b"novelty\x02", b"novelty\x01"
_BLOCK = 32  # bytes that the rises are a multiple of
_AT_ONCE = 1 << 16  # keys packed at once, a multiple of 8
_SPARE = 8  # bytes behind the last lower bits: each is read with the seven after it

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]

_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
# (256, 8) where in each byte its first, second ... 1 stands
_IN_BYTE: Numbers = (_BITS.cumsum(axis=1)[:, None] > np.arange(8)[:, None]).argmax(axis=2)


class KeySet(Protocol):
    """Which of some keys it holds."""

    def holds(self, keys: Keys) -> NDArray[np.bool_]: ...


def pack(keys: Keys) -> bytes:
    """Of sorted keys, each once.

    Behind the header the rises: for each key a 1, before it as many 0 as its upper bits are above those of
    the key before; then the lower bits. Both begin with the lowest bit of a byte.
    """
    lower, packed = _lower_bits(len(keys)), []
    rises = np.zeros(_rises(len(keys)) * 8, np.uint8)
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        rises[(part >> np.uint64(lower)).astype(np.int64) + np.arange(start, start + len(part))] = 1
        packed.append(np.packbits(_bits(part, lower), bitorder="little").tobytes())
    header = _HEADER.pack(_MAGIC, len(keys))
    return b"".join([header, np.packbits(rises, bitorder="little").tobytes(), *packed, bytes(_SPARE)])


def unpack(data: bytes | mmap.mmap) -> KeySet | None:
    """What `pack` wrote, or this program's first versions; None if it is neither, cut short or damaged."""
    magic, count = _HEADER.unpack_from(data) if len(data) >= _HEADER.size else (b"", 0)
    if magic == _PLAIN and len(data) == _HEADER.size + 5 * count:
        return PlainKeys(data, count)
    if (
        magic == _MAGIC
        and len(data) == _HEADER.size + _rises(count) + -(-count * _lower_bits(count) // 8) + _SPARE
    ):
        keys = PackedKeys(data, count)
        return keys if keys.are_sound else None
    return None


class PackedKeys:
    """How many 0 there are before each word of the rises is counted once; nothing else is kept in memory."""

    def __init__(self, data: bytes | mmap.mmap, count: int):
        self._lower = _lower_bits(count)
        low = _HEADER.size + _rises(count)
        self._rises: Keys = np.ndarray(_rises(count) // 8, "<u8", data, _HEADER.size)
        self._low: Keys = np.ndarray(len(data) - low - 7, "<u8", data, low, strides=(1,))  # from each byte on
        ones = np.cumsum(np.bitwise_count(self._rises), dtype=np.int64)
        self._zeros = np.arange(len(ones) + 1) * 64 - np.concatenate([[0], ones])  # before each word
        self.are_sound = ones[-1] == count and self._rises[-1] < 1 << 63  # no question leads out of the file

    def holds(self, keys: Keys) -> NDArray[np.bool_]:
        """Keys with the same upper bits lie side by side, seldom more than a few: a 1 each, then a 0."""
        found, among = np.zeros(len(keys), np.bool_), np.arange(len(keys))
        if not len(keys):
            return found
        upper = (keys >> np.uint64(self._lower)).astype(np.int64)
        sought = keys & np.uint64((1 << self._lower) - 1)
        bit = self._behind(upper)
        while len(among := among[self._is_one(bit[among])]):
            found[among] |= self._lower_at(bit[among] - upper[among]) == sought[among]
            bit[among] += 1
        return found

    def _is_one(self, bit: Numbers) -> NDArray[np.bool_]:
        ones: Keys = (self._rises[bit >> 6] >> (bit & 63).astype(np.uint64)) & np.uint64(1)
        return ones.astype(np.bool_)

    def _behind(self, upper: Numbers) -> Numbers:
        """The bit behind as many 0 as this: there the keys with these upper bits begin."""
        word = np.maximum(np.searchsorted(self._zeros, upper) - 1, 0)
        bit = 64 * word + _select(~self._rises[word], upper - self._zeros[word]) + 1
        return np.where(upper == 0, 0, bit)

    def _lower_at(self, place: Numbers) -> Keys:
        bit = place * self._lower
        lower: Keys = self._low[bit >> 3] >> (bit & 7).astype(np.uint64)
        return lower & np.uint64((1 << self._lower) - 1)


class PlainKeys:
    """All upper 32 bits, then all lower 8: what checkpoints were given at first; held in memory."""

    def __init__(self, data: bytes | mmap.mmap, count: int):
        upper = np.frombuffer(data, "<u4", count, _HEADER.size).astype(np.uint64)
        lower = np.frombuffer(data, "u1", count, _HEADER.size + 4 * count)
        self._keys: Keys = (upper << np.uint64(8)) | lower

    def holds(self, keys: Keys) -> NDArray[np.bool_]:
        if not len(self._keys):
            return np.zeros(len(keys), np.bool_)
        found: NDArray[np.bool_] = self._keys.take(self._keys.searchsorted(keys), mode="clip") == keys
        return found


def _lower_bits(count: int) -> int:
    """So many that there are at most twice as many upper parts as keys: no other number takes less."""
    return BITS - max(count - 1, 0).bit_length()


def _rises(count: int) -> int:
    """Bytes: a bit for each key and for each upper part and a last 0, in whole blocks."""
    return -(-(count + (1 << BITS - _lower_bits(count)) + 1) // (8 * _BLOCK)) * _BLOCK


def _select(words: Keys, rank: Numbers) -> Numbers:
    """Where in each word the 1 stands that is the `rank`th from below: halved until it is one byte."""
    place = np.zeros(len(words), np.int64)
    for width in (32, 16, 8):
        below = np.bitwise_count(words & np.uint64((1 << width) - 1))
        above = rank > below
        rank = rank - above * below
        words = words >> (above * np.uint64(width))
        place += above * width
    place += _IN_BYTE[words & np.uint64(255), rank - 1]
    return place


def _bits(keys: Keys, lower: int) -> Bytes:
    """(n, lower) of each key its lower bits, the lowest first."""
    return ((keys[:, None] >> np.arange(lower, dtype=np.uint64)) & np.uint64(1)).astype(np.uint8)
