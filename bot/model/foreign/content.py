"""What a file of torch.save holds: one network's tensors, and a vocabulary if there is one.

Only tensors and plain values are unpickled (weights_only), and there is no way round that. It does not know
what the tensors mean.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import torch
from torch import Tensor

from bot.errors import CheckpointError

DEEPEST = 5  # how far dictionaries are searched
TOO_LARGE = "it asks for more memory than a file of its size may"

Tensors = dict[str, Tensor]


def unpickled(file: BinaryIO) -> Any:
    """The object in the file."""
    _check_parts(file)
    return torch.load(file, map_location="cpu", weights_only=True)


def state_of(content: Any) -> Tensors:
    """The tensors of the one network in it, by name, wherever they are."""
    found = [
        {str(name): value for name, value in place.items() if isinstance(value, Tensor)}
        for place in _dictionaries(content)
        if any(isinstance(name, str) and name.endswith("weight_ih_l0") for name in place)
    ]
    if len(found) != 1:
        msg = f"it holds {len(found) or 'no'} networks of nn.RNN, nn.GRU or nn.LSTM, and one is wanted"
        raise CheckpointError(msg)
    return found[0]


def vocabulary_of(content: Any, size: int) -> list[str]:
    """The tokens by their ids, if the file has one vocabulary of this size; [] otherwise.

    It may be a list of tokens, ids by token or tokens by id.
    """
    values = [value for place in _dictionaries(content) for value in (place, *place.values())]
    found = {tuple(tokens) for value in values if len(tokens := tokens_of(value)) == size}
    return list(found.pop()) if len(found) == 1 else []


def tokens_of(value: Any) -> list[str]:
    """The tokens of what may be a vocabulary, [] if it is none."""
    if isinstance(value, Mapping):
        ids_first = all(type(key) is int for key in value)
        by_id = value if ids_first else {id: token for token, id in value.items() if type(id) is int}
        ids = range(len(value))
        value = [by_id[id] for id in ids] if all(id in by_id for id in ids) else []
    if not isinstance(value, list | tuple) or not all(isinstance(token, str) for token in value):
        return []
    return list(value) if len(set(value)) == len(value) else []


def complaint(error: Exception) -> CheckpointError:
    """What an invented file provokes, in one line."""
    text = str(error)
    if isinstance(error, CheckpointError):
        return error
    if isinstance(error, MemoryError) or "memory" in text:
        return CheckpointError(TOO_LARGE)
    if beyond := re.search(r"GLOBAL ([\w.]+)", text):
        msg = f"it holds more than weights and plain values ({beyond[1]}), and that could run as code"
        return CheckpointError(msg)
    first = (text.splitlines() or [""])[0]
    return CheckpointError(f"torch reads no weights from it ({type(error).__name__}: {first:.200})")


def _check_parts(file: BinaryIO) -> None:
    """torch stores the parts of its archives as they are; what unpacks to more than the file is a trap."""
    size = file.seek(0, io.SEEK_END)
    if zipfile.is_zipfile(file):
        entries = zipfile.ZipFile(file).infolist()
        packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
        if packed or sum(entry.file_size for entry in entries) > size:
            raise CheckpointError("its parts are compressed or overlap: torch.save writes them one by one")
    file.seek(0)


def _dictionaries(value: Any, depth: int = 0) -> Iterator[Mapping[Any, Any]]:
    if isinstance(value, Mapping) and depth < DEEPEST:
        yield value
        for inner in value.values():
            yield from _dictionaries(inner, depth + 1)
