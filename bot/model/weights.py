"""A model's weights as bytes and back, in the safetensors format. Nothing is believed before it is checked.

It does not know where the bytes are kept: that is checkpoint's affair.
"""

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch.overrides import TorchFunctionMode

from bot.errors import CheckpointError, PluginError
from bot.model.cell import Cell
from bot.model.checkpoint import WEIGHTS, Meta
from bot.model.language_model import LanguageModel, build

TYPES = {"float32": (torch.float32, "F32", 4), "float16": (torch.float16, "F16", 2)}  # torch, header, bytes
MAX_HEADER = 1 << 20  # bytes; a header takes about 100 a tensor

Shapes = dict[str, tuple[int, ...]]


def pack(model: LanguageModel, precision: str = "float32") -> bytes:
    """The weights in the given precision; the same weights give the same bytes.

    Raises CheckpointError if one is not finite (float16 ends at 65,504).
    """
    dtype, _, _ = TYPES[precision]
    tensors = {
        name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in model.state_dict().items()
    }
    if broken := _not_finite(tensors):
        msg = f"{broken} holds values that are not finite in {precision}"
        raise CheckpointError(msg)
    return bytes(safetensors.torch.save(tensors))


def load_model(folder: Path, meta: Meta, make_cell: Callable[[int, int], Cell]) -> LanguageModel:
    """The model of a checkpoint, its weights in float32 on the CPU.

    make_cell(input_size, hidden_size) makes one layer of meta.cell. The file's header is compared with the
    shapes that `meta` implies before memory is taken for either. Raises CheckpointError.
    """
    path = folder / WEIGHTS
    try:
        header = _header(path)
        model = _skeleton(meta, make_cell, most_layers=len(header))
        expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
        _compare(header, expected, meta.precision, path)
        tensors = _tensors(path, meta)
    except (PluginError, OSError, ValueError, TypeError, RuntimeError, OverflowError, struct.error) as error:
        msg = f"{path}: the weights cannot be read ({str(error).splitlines()[0]:.200})"
        raise CheckpointError(msg) from error
    model.load_state_dict(tensors, assign=True)
    return model


def _header(path: Path) -> dict[str, dict[str, object]]:
    """What the file says of its tensors, by name; its size is known to agree."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > MAX_HEADER:
            msg = f"a header of {length} bytes"
            raise ValueError(msg)
        header = json.loads(file.read(length))
    if not isinstance(header, dict) or not all(isinstance(entry, dict) for entry in header.values()):
        msg = "the header is no table of tensors"
        raise ValueError(msg)
    header.pop("__metadata__", None)
    return header


def _skeleton(meta: Meta, make_cell: Callable[[int, int], Cell], most_layers: int) -> LanguageModel:
    """The model without memory: shapes only."""
    sizes = {
        "vocabulary_size": meta.vocabulary_size,
        "embedding_size": meta.embedding_size,
        "hidden_size": meta.hidden_size,
        "num_layers": meta.num_layers,
    }
    if min(sizes.values()) < 1 or meta.num_layers > most_layers:
        msg = f"meta.json has {sizes}, the file {most_layers} tensors"
        raise ValueError(msg)
    with torch.device("meta"), _Undrawn():
        return build(make_cell, **sizes, head_norm=meta.head_norm)


class _Undrawn(TorchFunctionMode):
    """Draws nothing for weights that have no memory: torch would load its compiler for that, in 1.5 s."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        given = kwargs or {}
        if function in (torch.Tensor.normal_, torch.nn.init.normal_):
            return args[0] if args else given["tensor"]
        return function(*args, **given)


def _compare(header: dict[str, dict[str, object]], expected: Shapes, precision: str, path: Path) -> None:
    """Every expected tensor and no other, each in its shape and type, and just the bytes for them."""
    _, dtype, width = TYPES[precision]
    for name in expected.keys() | header.keys():
        said, shape = header.get(name), expected.get(name)
        if said is None or shape is None or said.get("shape") != list(shape) or said.get("dtype") != dtype:
            msg = f"{name}: meta.json implies {dtype} {shape}, the file has {said}"
            raise ValueError(msg)
    size = width * sum(torch.Size(shape).numel() for shape in expected.values())
    with path.open("rb") as file:
        start = 8 + struct.unpack("<Q", file.read(8))[0]
    if path.stat().st_size != start + size:
        msg = f"{path.stat().st_size} bytes, {start + size} expected"
        raise ValueError(msg)


def _tensors(path: Path, meta: Meta) -> dict[str, torch.Tensor]:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != meta.weights_sha256:
        msg = "the file has changed since it was published (sha256)"
        raise ValueError(msg)
    tensors = {name: tensor.float() for name, tensor in safetensors.torch.load(content).items()}
    if broken := _not_finite(tensors):
        msg = f"{broken} holds values that are not finite"
        raise ValueError(msg)
    return tensors


def _not_finite(tensors: dict[str, torch.Tensor]) -> str:
    """The name of a tensor with a value that is not finite, "" if there is none."""
    return next((name for name, tensor in tensors.items() if not tensor.isfinite().all()), "")
