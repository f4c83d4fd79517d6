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
from bot.model.checkpoint import WEIGHTS, Meta
from bot.model.counted import CountedModel, Model

PRECISIONS = {"float32": torch.float32, "float16": torch.float16}
NAMES = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64", torch.int32: "I32"}  # in a header
MAX_HEADER = 1 << 20  # bytes; a header takes about 100 a tensor

Header = dict[str, dict[str, object]]


def pack(model: Model, precision: str = "float32") -> bytes:
    """The weights in the given precision, whole numbers as they are; the same weights give the same bytes.

    Raises CheckpointError if one is not finite (float16 ends at 65,504).
    """
    tensors = {
        name: tensor.detach().to("cpu", _stored(tensor, precision)).contiguous()
        for name, tensor in model.state_dict().items()
    }
    if broken := _not_finite(tensors):
        msg = f"{broken} holds values that are not finite in {precision}"
        raise CheckpointError(msg)
    return bytes(safetensors.torch.save(tensors))


def load_model(folder: Path, meta: Meta, make_model: Callable[..., Model]) -> Model:
    """The model of a checkpoint, its weights in float32 on the CPU.

    make_model(vocabulary_size=..., ...) makes a model of meta.cell, as `language_model.build` does. The
    file's header is compared with the shapes that `meta` implies before memory is taken for either. Raises
    CheckpointError.
    """
    path = folder / WEIGHTS
    try:
        header = _header(path)
        model = _skeleton(meta, make_model, header)
        _compare(header, model.state_dict(), meta.precision, path)
        model.load_state_dict(_tensors(path, meta), assign=True)
        if isinstance(model, CountedModel):
            model.restored()
    except (PluginError, OSError, ValueError, TypeError, RuntimeError, OverflowError, struct.error) as error:
        msg = f"{path}: the weights cannot be read ({str(error).splitlines()[0]:.200})"
        raise CheckpointError(msg) from error
    return model


def _stored(tensor: torch.Tensor, precision: str) -> torch.dtype:
    return PRECISIONS[precision] if tensor.is_floating_point() else tensor.dtype


def _header(path: Path) -> Header:
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


def _skeleton(meta: Meta, make_model: Callable[..., Model], header: Header) -> Model:
    """The model without memory: shapes only. A counted one has no layers, and as many entries as the file."""
    layers = {
        "embedding_size": meta.embedding_size,
        "hidden_size": meta.hidden_size,
        "num_layers": meta.num_layers,
    }
    sizes = {"vocabulary_size": meta.vocabulary_size} | (layers if any(layers.values()) else {})
    if min(sizes.values()) < 1 or meta.num_layers > len(header):
        msg = f"meta.json has {sizes}, the file {len(header)} tensors"
        raise ValueError(msg)
    with torch.device("meta"), _Undrawn():
        model = make_model(**sizes, head_norm=meta.head_norm, sources=len(meta.sources))
        if isinstance(model, CountedModel):
            model.make_room({name: _length(entry) for name, entry in header.items()})
    return model


def _length(entry: dict[str, object]) -> int:
    match entry.get("shape"):
        case [int(length)]:
            return length
    return 0


class _Undrawn(TorchFunctionMode):
    """Draws nothing for weights that have no memory: torch would load its compiler for that, in 1.5 s."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        given = kwargs or {}
        if function in (torch.Tensor.normal_, torch.nn.init.normal_):
            return args[0] if args else given["tensor"]
        return function(*args, **given)


def _compare(header: Header, expected: dict[str, torch.Tensor], precision: str, path: Path) -> None:
    """Every expected tensor and no other, each in its shape and type, and just the bytes for them."""
    size = 0
    for name in expected.keys() | header.keys():
        said, tensor = header.get(name), expected.get(name)
        implied = None if tensor is None else (NAMES[_stored(tensor, precision)], list(tensor.shape))
        if said is None or tensor is None or (said.get("dtype"), said.get("shape")) != implied:
            msg = f"{name}: meta.json implies {implied}, the file has {said}"
            raise ValueError(msg)
        size += tensor.numel() * _stored(tensor, precision).itemsize
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
    stored = safetensors.torch.load(content).items()
    tensors = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in stored}
    if broken := _not_finite(tensors):
        msg = f"{broken} holds values that are not finite"
        raise ValueError(msg)
    return tensors


def _not_finite(tensors: dict[str, torch.Tensor]) -> str:
    """The name of a tensor with a value that is not finite, "" if there is none."""
    return next((name for name, tensor in tensors.items() if not tensor.isfinite().all()), "")
