"""A network's tensors by our names. What is what is told by torch's names of recurrent weights and by shapes.

What goes in: an embedding, or one-hot inputs; layers of nn.RNN, nn.GRU or nn.LSTM; a linear head. Anything
else in it would be left out in silence, and is refused.

Shapes: V tokens, E embedding_size, H hidden_size, G gates.
"""

import re

import torch
from torch import Tensor

from bot.errors import CheckpointError
from bot.model.foreign.content import Tensors

RECURRENT = re.compile(r"(.*?)(weight|bias)_(ih|hh|hr)_l(\d{1,3})(_reverse)?")
GATES = (1, 3, 4)  # of nn.RNN, nn.GRU, nn.LSTM


def named(state: Tensors) -> tuple[Tensors, int]:
    """The tensors, and G; float32, each in memory of its own. Raises CheckpointError in one line.

    Their names: embedding (V, E), head.weight (V, H), head.bias (V,), and for each layer, from 0 on,
    0.weight_ih (G*H, E or H), 0.weight_hh (G*H, H), 0.bias_ih (G*H,), 0.bias_hh (G*H,).
    """
    for name, tensor in state.items():
        _check(name, tensor)
    recurrent = {name: match for name in state if (match := RECURRENT.fullmatch(name))}
    if len({match[1] for match in recurrent.values()}) != 1:
        raise CheckpointError("it has several recurrent parts, and only one can be imported")
    for name, match in recurrent.items():
        if match[5] or match[3] == "hr":
            raise CheckpointError(f"{name}: a network that reads both ways or projects cannot be imported")
    layers = {f"{int(match[4])}.{match[2]}_{match[3]}": state[name] for name, match in recurrent.items()}
    hidden_size, input_size = _complete(layers)
    ends = _ends({name: state[name] for name in state if name not in recurrent}, hidden_size, input_size)
    tensors = {name: tensor.float().contiguous().clone() for name, tensor in (layers | ends).items()}
    return tensors, len(layers["0.weight_ih"]) // hidden_size


def _check(name: str, tensor: Tensor) -> None:
    if tensor.layout != torch.strided or not tensor.is_floating_point():
        raise CheckpointError(f"{name}: {tensor.dtype} is no type of weights")
    if tensor.numel() * tensor.itemsize > tensor.untyped_storage().nbytes():
        raise CheckpointError(f"{name}: it claims {tensor.numel()} numbers, which the file has not")
    if not tensor.isfinite().all():
        raise CheckpointError(f"{name}: it holds values that are not finite")


def _complete(layers: Tensors) -> tuple[int, int]:
    """Fill in the biases that a network without any has not, compare all shapes; H and E."""
    rows, input_size = _size(layers, "0.weight_ih")
    _, hidden_size = _size(layers, "0.weight_hh")
    if rows not in [gates * hidden_size for gates in GATES]:
        raise CheckpointError(f"{rows} rows for {hidden_size} units: no nn.RNN, nn.GRU or nn.LSTM has these")
    count = 1 + max(int(name.partition(".")[0]) for name in layers)
    for layer in range(count):
        for bias in (f"{layer}.bias_ih", f"{layer}.bias_hh"):
            layers.setdefault(bias, torch.zeros(rows))
        width = hidden_size if layer else input_size
        expected = {"weight_ih": (rows, width), "weight_hh": (rows, hidden_size)}
        for name, shape in (expected | {"bias_ih": (rows,), "bias_hh": (rows,)}).items():
            if layers.get(f"{layer}.{name}", torch.empty(0)).shape != shape:
                raise CheckpointError(f"layer {layer}: its {name} is missing or not of the shape {shape}")
    return hidden_size, input_size


def _size(layers: Tensors, name: str) -> tuple[int, int]:
    tensor = layers.get(name)
    if tensor is None or tensor.dim() != 2 or not tensor.numel():
        raise CheckpointError(f"layer {name}: it is missing or no matrix")
    return tensor.shape[0], tensor.shape[1]


def _ends(others: Tensors, hidden_size: int, input_size: int) -> Tensors:
    """What stands before and after the recurrent layers."""
    head = _head(others, hidden_size)
    weight, bias = others.pop(head), others.pop(_bias_of(head), None)
    size = len(weight)
    if bias is None:
        bias = torch.zeros(size)
    if not others and input_size == size:
        return {"embedding": torch.eye(size), "head.weight": weight, "head.bias": bias}  # one-hot inputs
    embedding = next((name for name in others if others[name].shape == (size, input_size)), "")
    if strange := [name for name in others if name != embedding]:
        msg = f"{strange[0]}: only an embedding, recurrent layers and one linear head can be imported"
        raise CheckpointError(msg)
    if not embedding or bias.shape != (size,):
        msg = f"no embedding of {size} x {input_size} goes with its head of {size} x {hidden_size}"
        raise CheckpointError(msg)
    return {"embedding": others[embedding], "head.weight": weight, "head.bias": bias}


def _head(others: Tensors, hidden_size: int) -> str:
    """The name of the matrix (V, H) with a bias; without biases the only one, or one of two equal ones."""
    fitting = [name for name, it in others.items() if it.dim() == 2 and it.shape[1] == hidden_size]
    biased = [name for name in fitting if _bias_of(name) in others]
    candidates = biased or fitting
    equal = all(torch.equal(others[name], others[candidates[0]]) for name in candidates)
    if not candidates or (len(candidates) > 1 and not equal):
        which = ", ".join(candidates) or "there is none"
        msg = f"its linear head, a matrix of {hidden_size} columns, cannot be told ({which})"
        raise CheckpointError(msg)
    return candidates[-1]


def _bias_of(weight: str) -> str:
    return f"{weight.removesuffix('weight')}bias"
