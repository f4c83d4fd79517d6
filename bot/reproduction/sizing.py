"""How large a layer must be for a model to have so many parameters. It does not know what is counted."""

from collections.abc import Callable

LARGEST = 1 << 14  # units of a layer


def fitting(count: Callable[[int], int], parameters: int) -> int:
    """The units with which `count` comes nearest to so many parameters; more units never count less."""
    low, high = 1, 1
    while count(high) < parameters and high < LARGEST:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < parameters else (low, middle)
    return min(low, high, key=lambda units: abs(count(units) - parameters))
