"""Large buffers, used again instead of being given back to the system and asked for anew, page by page.

There are never more than were lent at once.
"""

import threading

import torch
from torch import Tensor

_free: list[Tensor] = []
_lock = threading.Lock()


def lend(size: int) -> Tensor:
    """At least so many floats in a row; what stands in them is left from before."""
    with _lock:
        _free.sort(key=len)
        for place, buffer in enumerate(_free):
            if len(buffer) >= size:
                return _free.pop(place)
        if _free:
            _free.pop()  # too small is replaced, not kept beside
    return torch.empty(size)


def take_back(buffer: Tensor) -> None:
    with _lock:
        _free.append(buffer)
