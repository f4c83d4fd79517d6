"""The process that reads a foreign file and can do nothing else, and its parent's side.

    python -m bot.model.foreign.process < FILE    safetensors on stdout, or one line on stderr and exit code 3

Before it looks at the file it gives up opening files and sockets, writing files, starting processes, all
memory and time but some, and being root; it has no environment to tell. What it says is parsed, never
unpickled.
"""

import codecs
import io
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import psutil
import safetensors.torch
import torch
from torch import nn

from bot.errors import CheckpointError
from bot.model.foreign.content import Tensors, complaint, state_of, unpickled, vocabulary_of
from bot.model.foreign.network import named

LARGEST = 2**30  # bytes of a file
SECONDS = 60  # of CPU
ROOM = 2**28  # bytes of memory, beside several times the file's size
REFUSED = 3  # exit code
NOBODY = 65534  # user and group
PACKAGES = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "bot.model.foreign.process"]


@dataclass(frozen=True)
class Foreign:
    """A network's tensors as network.named names them, its gates, and its tokens, () if it names none."""

    tensors: Tensors
    gates: int
    vocabulary: tuple[str, ...]

    @property
    def size(self) -> int:
        """Tokens it knows."""
        return len(self.tensors["head.weight"])

    @property
    def layers(self) -> int:
        return sum(name.endswith("weight_hh") for name in self.tensors)


def read(path: Path) -> Foreign:
    """The network of a file, read in a process of its own. Raises CheckpointError in one line."""
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such file")
    if (size := path.stat().st_size) > LARGEST:
        raise CheckpointError(f"{path}: {size} bytes, and at most {LARGEST} are read")
    env = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    with path.open("rb") as file:
        try:
            run = subprocess.run(
                COMMAND, stdin=file, capture_output=True, cwd=PACKAGES, env=env, timeout=4 * SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise CheckpointError(f"{path}: reading it takes too long") from error
    if run.returncode:
        raise CheckpointError(f"{path}: {_why(run.returncode, run.stderr.decode(errors='replace'))}")
    return _parsed(run.stdout)


def _why(code: int, said: str) -> str:
    last = (said.splitlines() or [""])[-1]
    if code == REFUSED:
        return last
    if code == -signal.SIGXCPU:
        return f"reading it takes more than {SECONDS} s"
    return f"reading it broke the process that did so (exit code {code}: {last:.200})"


def _parsed(answer: bytes) -> Foreign:
    (length,) = struct.unpack_from("<Q", answer)
    said = json.loads(answer[8 : 8 + length])["__metadata__"]
    return Foreign(safetensors.torch.load(answer), int(said["gates"]), tuple(json.loads(said["vocabulary"])))


# from here on in the confined process


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rehearse()
    confine(sys.stdin.buffer.seek(0, io.SEEK_END))
    try:
        sys.stdout.buffer.write(translated(sys.stdin.buffer))
    except CheckpointError as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)


def translated(file: BinaryIO) -> bytes:
    """A file's network as safetensors whose metadata say the gates and the vocabulary."""
    try:
        content = unpickled(file)
        tensors, gates = named(state_of(content))
        vocabulary = vocabulary_of(content, len(tensors["head.weight"]))
        said = {"gates": str(gates), "vocabulary": json.dumps(vocabulary)}
        return bytes(safetensors.torch.save(tensors, said))
    except Exception as error:  # whatever an invented file provokes
        raise complaint(error) from error


def rehearse() -> None:
    """Read files of our own: what is imported on the way must be there before nothing can be opened."""
    codecs.lookup("cp437")  # in which some archives name their parts
    network = nn.ModuleDict({"rnn": nn.LSTM(2, 3), "embedding": nn.Embedding(2, 2), "head": nn.Linear(3, 2)})
    for zipped in (True, False):
        torch.save(network.state_dict(), file := io.BytesIO(), _use_new_zipfile_serialization=zipped)
        translated(io.BytesIO(file.getvalue()))


def confine(size: int) -> None:
    """From here on this process computes, and reads and writes what it has open, for a while."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limits = {
        resource.RLIMIT_CPU: int(used.ru_utime + used.ru_stime) + SECONDS,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_NOFILE: 0,
    }
    if sys.platform == "linux":  # elsewhere the system knows no such limit
        limits[resource.RLIMIT_AS] = psutil.Process().memory_info().vms + ROOM + 8 * size
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))
    if os.geteuid() == 0:
        leave_root()


def leave_root() -> None:
    """Become nobody, as far as the system lets it: not all limits bind root, and it may lift the others."""
    for leave in (partial(os.setgroups, []), partial(os.setgid, NOBODY), partial(os.setuid, NOBODY)):
        with suppress(OSError):  # a container may know no such user
            leave()


if __name__ == "__main__":
    main()
