"""Where a model computes, what is done where memory runs out there, and the passes that cuDNN makes fast.

Every line that only a GPU makes matter stands here. Tests run them with fakes and on the CPU; none was
measured on a GPU: docs/devices.md lists them. It does not know what is computed.

Shapes: T time steps, B rows, E input_size, H hidden_size.
"""

import copy
import gc
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from bot.errors import DeviceError
from bot.model.cell import State

log = logging.getLogger(__name__)

CPU = torch.device("cpu")
LACKS = ("out of memory", "not enough memory", "can't allocate memory")  # how backends say it

Answer = TypeVar("Answer")
Model = TypeVar("Model", bound=nn.Module)

# Weights lie where the cell keeps them; that cuDNN copies them together once a window costs little.
warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")


def choose(setting: str) -> torch.device:
    """The device that auto, cpu, cuda or mps means here. Raises DeviceError where there is none such.

    auto: CUDA where there is any, else the CPU. Apple's mps is for those who ask for it.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if setting == "auto":
        return torch.device("cuda" if there["cuda"] else "cpu")
    if not there[setting]:
        have = ", ".join(name for name, is_there in there.items() if is_there)
        msg = f"device {setting}: PyTorch {torch.__version__} finds none here (have {have}); set device: auto"
        raise DeviceError(msg)
    return torch.device(setting)


def put(model: Model, setting: str) -> Model:
    """Move a model to the device that a setting means, or to the CPU where it does not fit there."""
    return within_memory(lambda _, device: model.to(device), 1, choose(setting))


def moved(model: Model, device: torch.device) -> Model:
    """A copy of a model on another device; who else holds the model keeps it where it is."""
    parameters = {id(t): nn.Parameter(t.detach().to(device), t.requires_grad) for t in model.parameters()}
    return copy.deepcopy(model, parameters | {id(t): t.to(device) for t in model.buffers()})


def name_of(device: torch.device) -> str:
    """What a sample's provenance calls the device: another graphics card may round otherwise."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def within_memory(
    attempt: Callable[[int, torch.device], Answer], batch: int, device: torch.device, smallest: int = 1
) -> Answer:
    """attempt(batch, device), each time it runs out of memory with half the batch, at last on the CPU.

    Raises DeviceError where not even `smallest` fits into the CPU's memory, and what else `attempt` raises.
    """
    lack = ""
    for size, place in _rungs(batch, device, smallest):
        try:
            return attempt(size, place)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            lack = str(error).partition("\n")[0]  # the error itself would keep alive what filled the memory
            log.warning("not enough memory on %s for a batch of %d (%.200s)", place, size, lack)
        give_back(place)
    msg = f"there is not enough memory, not even for a batch of {smallest} on the CPU ({lack:.200})"
    raise DeviceError(msg)


def with_doubles(tensor: Tensor) -> Tensor:
    """The same where double precision can be computed with: Apple's mps cannot."""
    return tensor.cpu() if tensor.device.type == "mps" else tensor


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is short, on whatever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(lack in str(error).lower() for lack in LACKS)


def _rungs(batch: int, device: torch.device, smallest: int) -> Iterator[tuple[int, torch.device]]:
    for place in dict.fromkeys((device, CPU)):
        size = batch
        while size >= smallest:
            yield size, place
            size //= 2


def give_back(device: torch.device) -> None:
    """Let go of what a broken attempt has left in the device's memory."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


# One layer's window in one call: cuDNN's on CUDA, torch's own pass elsewhere. inputs (T, B, E), each of the
# state (B, H). weights: weight_ih (G*H, E), weight_hh (G*H, H), bias_ih (G*H,), bias_hh where a cell has two.


def cudnn_lstm(inputs: Tensor, state: State, *weights: Tensor) -> tuple[Tensor, State]:
    """The LSTM of gates i f g o: outputs (T, B, H) and the state (h, c) after them."""
    h, c = state
    outputs, h, c = torch.lstm(inputs, (h[None], c[None]), _four(weights), *_one_layer())
    return outputs, (h[0], c[0])


def cudnn_gru(inputs: Tensor, state: State, *weights: Tensor) -> tuple[Tensor, State]:
    """The GRU of gates r z n whose reset gate opens Uh + b'."""
    outputs, h = torch.gru(inputs, state[0][None], _four(weights), *_one_layer())
    return outputs, (h[0],)


def cudnn_rnn(
    inputs: Tensor, state: State, *weights: Tensor, nonlinearity: Literal["tanh", "relu"] = "tanh"
) -> tuple[Tensor, State]:
    """The plain recurrent network."""
    walk = torch.rnn_relu if nonlinearity == "relu" else torch.rnn_tanh
    outputs, h = walk(inputs, state[0][None], _four(weights), *_one_layer())
    return outputs, (h[0],)


def _four(weights: tuple[Tensor, ...]) -> list[Tensor]:
    return [*weights, torch.zeros_like(weights[2])] if len(weights) == 3 else [*weights]


def _one_layer() -> tuple[bool, int, float, bool, bool, bool]:
    """has_biases, num_layers, dropout, train, bidirectional, batch_first."""
    return True, 1, 0.0, torch.is_grad_enabled(), False, False  # cuDNN goes back only where it trained
