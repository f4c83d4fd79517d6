"""Checkpoints as other programs write them, good, broken and wicked."""

import io
import os
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

LETTERS = [chr(ord("a") + number) for number in range(11)]
KINDS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class Network(nn.Module):
    """What tutorials build: embedding, recurrent layers, a linear head."""

    def __init__(self, kind="lstm", layers=2, letters=11, bias=True, head_bias=True, **options):
        super().__init__()
        self.encoder = nn.Embedding(letters, 6)
        self.rnn = KINDS[kind](6, 10, layers, bias=bias, **options)
        self.decoder = nn.Linear(10, letters, bias=head_bias)

    def forward(self, ids):
        outputs, _ = self.rnn(self.encoder(ids))
        return self.decoder(outputs)


class OneHot(nn.Module):
    """What the first of them built: the recurrent layers read one-hot letters."""

    def __init__(self, letters=11):
        super().__init__()
        self.letters = letters
        self.lstm = nn.LSTM(letters, 10)
        self.linear = nn.Linear(10, letters)

    def forward(self, ids):
        outputs, _ = self.lstm(functional.one_hot(ids, self.letters).float())
        return self.linear(outputs)


def trained(network: nn.Module) -> nn.Module:
    """After some steps on a line of letters."""
    torch.manual_seed(0)
    ids = torch.randint(len(LETTERS), (40, 8))
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(15):
        optimizer.zero_grad()
        logits = network(ids[:-1])
        functional.cross_entropy(logits.flatten(0, 1), ids[1:].flatten()).backward()
        optimizer.step()
    return network.eval()


def saved(content: object, legacy: bool = False) -> bytes:
    """As torch.save writes it, today or before torch 1.6."""
    torch.save(content, file := io.BytesIO(), _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


class Payload:
    """Unpickled, it is the call of a function."""

    def __init__(self, function, *arguments):
        self._call = function, arguments

    def __reduce__(self):
        return self._call


def wicked(mark: Path) -> dict[str, bytes]:
    """Files that, unpickled as they ask for, run code; whatever they run makes the file `mark`."""
    import builtins
    import ctypes
    import functools
    import importlib
    import operator
    import pty
    import runpy
    import shutil
    import subprocess
    import types
    import urllib.request

    text, python = str(mark), f"open({str(mark)!r}, 'w')"
    calls = {
        "os.system": (os.system, f"touch {text}"),
        "os.popen": (os.popen, f"touch {text}"),
        "os.mkdir": (os.mkdir, text),
        "os.execv": (os.execv, "/usr/bin/touch", ["touch", text]),
        "os._exit": (os._exit, 0),
        "os.kill": (os.kill, os.getpid(), 9),
        "sys.exit": (sys.exit, 0),
        "subprocess": (subprocess.Popen, ["touch", text]),
        "check_output": (subprocess.check_output, ["touch", text]),
        "eval": (builtins.eval, python),
        "exec": (builtins.exec, python),
        "open": (builtins.open, text, "w"),
        "io.open": (io.open, text, "w"),
        "compile": (builtins.compile, python, "x", "exec"),
        "__import__": (builtins.__import__, "this"),
        "getattr": (builtins.getattr, "x", "upper"),
        "import_module": (importlib.import_module, "this"),
        "runpy": (runpy.run_path, __file__),
        "touch": (Path.touch, mark),
        "write_text": (Path.write_text, mark, "x"),
        "copy": (shutil.copy, __file__, text),
        "rmtree": (shutil.rmtree, "/nowhere"),
        "urlopen": (urllib.request.urlopen, "http://127.0.0.1:9/"),
        "pty": (pty.spawn, "/bin/true"),
        "ctypes": (ctypes.CDLL, None),
        "partial": (functools.partial, os.system, f"touch {text}"),
        "methodcaller": (operator.methodcaller, "system"),
        "function": (types.SimpleNamespace,),
        "pickle.loads": (pickle.loads, pickle.dumps(Payload(os.system, f"touch {text}"))),
        "torch.load": (torch.load, text),
        "torch.hub": (torch.hub.load, "nobody/nothing", "model"),
        "module": (nn.Linear, 1, 1),
    }
    state = Network().state_dict()
    files = {}
    for name, (function, *arguments) in calls.items():
        content = {"state": state, "more": Payload(function, *arguments)}
        files |= {name: saved(content), f"{name}, old": saved(content, legacy=True)}
    return files | {"whole module": saved(Network()), "bare pickle": pickle.dumps(Payload(os.system, "true"))}


def broken() -> dict[str, bytes]:
    """Files that are cut, scrambled, or claim more than they hold."""
    new, old = saved(Network().state_dict()), saved(Network().state_dict(), legacy=True)
    files = {"empty": b"", "text": b"no checkpoint\n" * 9, "zip of nothing": zipped({})}
    for name, whole in (("new", new), ("old", old)):
        files |= {f"{name}, first {part} of 8": whole[: len(whole) * part // 8] for part in range(1, 8)}
    files["compressed"] = zipped({"x/data.pkl": bytes(50_000_000)}, zipfile.ZIP_DEFLATED)
    files["40 GB, old"] = claiming(10_000_000_000)
    files["40 GB, stretched"] = saved(claims({"rnn.weight_ih_l0": torch.zeros(1).expand(10_000_000_000)}))
    lists = b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b"."
    files["nested"] = zipped({"x/data.pkl": lists, "x/version": b"3\n", "x/byteorder": b"little"})
    files["endless names"] = saved({f"rnn.weight_ih_l{'9' * 5000}": torch.zeros(1), "rnn.weight_ih_l0": 1})
    return files


def zipped(parts: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w", how) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def claims(more: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return Network().state_dict() | more


def claiming(numbers: int) -> bytes:
    """An old file of 1 KB whose one tensor is said to have so many numbers."""

    class Storage:
        pass

    class Tensor:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (Storage(), 0, (numbers,), (1,), False, OrderedDict())

    class Pickler(pickle.Pickler):
        def persistent_id(self, it):
            if isinstance(it, Storage):
                return ("storage", torch.FloatStorage, "0", "cpu", numbers, None)
            return None

    file = io.BytesIO()
    system = {
        "protocol_version": 1001,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    for head in (0x1950A86A20F9469CFC6C, 1001, system):
        pickle.dump(head, file, 2)
    Pickler(file, 2).dump({"rnn.weight_ih_l0": Tensor()})
    pickle.dump(["0"], file, 2)
    file.write(struct.pack("<q", numbers) + bytes(64))
    return file.getvalue()
