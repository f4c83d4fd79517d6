"""Ids to samples: cells, the language model, training, checkpoints, sampling.

`from bot.model import Cell` is a cell plugin's door. It loads torch on first use, so that what
reads a checkpoint's metadata alone starts fast.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.model.cell import Cell, State
    from bot.model.native import CompiledCell, Kernel

__all__ = ["Cell", "CompiledCell", "Kernel", "State"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from bot.model import cell, native

    return getattr(cell if hasattr(cell, name) else native, name)
