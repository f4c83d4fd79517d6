"""Random numbers that are counted, not drawn in turn: any of them is had without those before it.

So a sample's numbers are its own, whatever else is sampled. SplitMix64 (Steele, Lea and Flood 2014).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def sample_keys(seed: int, indices: Numbers) -> Numbers:
    """uint64: where in the random numbers each sample's own begin."""
    return _mix(_mix(np.array([seed % 2**64], np.uint64)) + indices.astype(np.uint64) * GOLDEN)


def counted_uniforms(keys: Numbers, positions: Numbers) -> Numbers:
    """The number at each position of each key's own sequence, in [0, 1) with 52 bits."""
    return (_mix(keys + (positions.astype(np.uint64) + np.uint64(1)) * GOLDEN) >> np.uint64(12)) * 2.0**-52


def _mix(x: Numbers) -> Numbers:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Numbers = x ^ (x >> np.uint64(31))
    return mixed
