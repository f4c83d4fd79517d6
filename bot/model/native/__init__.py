"""Passes and products compiled from C at first use, each the tested equal of torch's way.

`Kernel` names a cell's own C file; `CompiledCell` is a cell that uses it where it can.
"""

from bot.model.native.cell import CompiledCell
from bot.model.native.kernel import Kernel

__all__ = ["CompiledCell", "Kernel"]
