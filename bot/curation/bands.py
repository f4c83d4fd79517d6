"""From bands of surprise to a checkpoint's temperatures, and how samples are shared out among bands.

It does not know a model: the sweep that maps temperature to surprise is handed in.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from bot.errors import BotError
from bot.records import BANDS

Key = TypeVar("Key")


def temperatures(band: str, calibration: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The lowest and the highest temperature of `band`, by linear interpolation in the sweep.

    calibration: (temperature, mean surprise) pairs. Beyond the sweep its ends are taken. Where noise
    makes surprise fall with temperature it is held level, so that the map never turns back.
    Raises BotError for a band that does not exist or a sweep that maps nothing.
    """
    if band not in BANDS:
        msg = f"no band is called {band!r} (have {', '.join(BANDS)})"
        raise BotError(msg)
    if len(calibration) < 2:
        msg = f"band {band!r}: the checkpoint is not calibrated: bot calibrate MODEL, or set `temperature:`"
        raise BotError(msg)
    sweep = _rising(calibration)
    low, high = BANDS[band]
    return _temperature(low, sweep), _temperature(high, sweep)


def apportion(count: int, shares: Mapping[Key, float]) -> dict[Key, int]:
    """`count` in proportion to the shares, each within one of its own, by largest remainder.

    shares: above 0, in any unit. Of equal remainders the first counts.
    """
    whole = sum(shares.values())
    exact = {name: count * share / whole for name, share in shares.items()}
    counts = {name: int(part) for name, part in exact.items()}
    by_remainder = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in by_remainder[: count - sum(counts.values())]:
        counts[name] += 1
    return counts


def bands_of(surprise: float) -> list[str]:
    """The bands that a surprise lies in: two where one ends and the next begins."""
    return [name for name, (low, high) in BANDS.items() if low <= surprise <= high]


def _rising(calibration: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The sweep by temperature, each surprise at least the one before."""
    rising: list[tuple[float, float]] = []
    for temperature, surprise in sorted(calibration):
        rising.append((temperature, max(surprise, rising[-1][1]) if rising else surprise))
    return rising


def _temperature(surprise: float, sweep: Sequence[tuple[float, float]]) -> float:
    """The lowest temperature at which the sweep reaches `surprise`."""
    if surprise <= sweep[0][1]:
        return sweep[0][0]
    for (cool, low), (warm, high) in pairwise(sweep):
        if low < surprise <= high:
            return cool + (warm - cool) * (surprise - low) / (high - low)
    return sweep[-1][0]
