"""Ids to samples: cells, the language model, training, checkpoints, sampling.

`from bot.model import Cell` is a cell plugin's door. It loads torch on first use, so that what
reads a checkpoint's metadata alone starts fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.model.cell import Cell, State, input_weight, recurrent_weight
    from bot.model.counted import CountedModel
    from bot.model.native.cell import CompiledCell
    from bot.model.native.kernel import Kernel

__all__ = ["Cell", "CompiledCell", "CountedModel", "Kernel", "State", "input_weight", "recurrent_weight"]

_HOMES = {
    "Cell": "cell",
    "CompiledCell": "native.cell",
    "CountedModel": "counted",
    "Kernel": "native.kernel",
    "State": "cell",
    "input_weight": "cell",
    "recurrent_weight": "cell",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
