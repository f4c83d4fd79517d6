"""Foreign checkpoints: nothing in them runs, what is odd is refused, what is taken computes the same."""

import io
import random
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from bot.errors import CheckpointError
from bot.model.foreign import process
from bot.model.foreign.adopting import Marks, adopt, cell_of
from bot.model.foreign.content import tokens_of
from bot.model.language_model import build
from bot.text.vocabulary import END, MARKS, START, UNKNOWN
from tests.foreign import LETTERS, Network, OneHot, broken, saved, trained, wicked
from tests.models import cell_makers

NO_MARKS = Marks()
SEVERAL = """
import sys
from bot.errors import CheckpointError
from bot.model.foreign.process import confine, rehearse, translated

files = [open(path, "rb") for path in sys.argv[1:]]
rehearse()
confine(100_000)
for file in files:
    try:
        translated(file)
        print("read")
    except CheckpointError as error:
        print(error)
"""


def read_all(folder: Path, files: dict[str, bytes]) -> dict[str, str]:
    """What a confined process says of each file, "read" if it takes it; one process for all."""
    paths = []
    for number, content in enumerate(files.values()):
        paths.append(folder / f"{number}.pt")
        paths[-1].write_bytes(content)
    run = subprocess.run([sys.executable, "-c", SEVERAL, *paths], capture_output=True, text=True, check=False)
    lines = run.stdout.splitlines()
    assert (run.returncode, len(lines)) == (0, len(files)), run.stderr + run.stdout
    return dict(zip(files, lines, strict=True))


def read_here(content: object) -> process.Foreign:
    """The same without a process of its own."""
    return process._parsed(process.translated(io.BytesIO(saved(content))))


def test_nothing_in_a_wicked_file_runs(tmp_path):
    """More than 60 ways to be code: all are refused, by the name of what they would run."""
    mark = tmp_path / "mark"
    said = read_all(tmp_path, wicked(mark))

    assert len(said) > 60
    assert not mark.exists()
    assert {line for line in said.values() if "could run as code" not in line} == {said["bare pickle"]}
    assert "torch reads no weights from it" in said["bare pickle"]
    assert "(posix.system)" in said["os.system"]


def test_a_broken_file_is_refused_in_one_line(tmp_path):
    """Cut, compressed, or claiming 40 GB in 1 KB."""
    said = read_all(tmp_path, broken())

    assert "read" not in said.values()
    assert "more memory than a file of its size may" in said["40 GB, old"]
    assert "claims 10000000000 numbers" in said["40 GB, stretched"]
    assert "compressed or overlap" in said["compressed"]


def test_a_scrambled_file_breaks_nothing(tmp_path):
    """Bytes changed anywhere: it is refused, or read where only a number has changed."""
    dice, files = random.Random(1), {}
    for number in range(60):
        content = bytearray(saved(Network().state_dict(), legacy=number % 2 == 0))
        for _ in range(dice.choice((1, 3, 30))):
            content[dice.randrange(len(content))] = dice.randrange(256)
        files[str(number)] = bytes(content)
    said = read_all(tmp_path, files)

    assert len(said) == 60


FOREIGN = {
    "lstm": Network("lstm"),
    "gru": Network("gru"),
    "rnn": Network("rnn"),
    "relu": Network("rnn", nonlinearity="relu"),
    "one layer": Network("gru", layers=1),
    "no biases": Network("lstm", bias=False, head_bias=False),
    "one-hot": OneHot(),
    "half": Network("gru").half().float(),
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("end", ["", "c"])
def test_what_is_brought_in_computes_the_same(name, end):
    """Logits of a trained network of torch, position by position, whatever marks are named."""
    network = trained(FOREIGN[name])
    nonlinearity = "relu" if name == "relu" else "tanh"
    adopted = adopt_here(read_here(network.state_dict()), Marks(end=end), nonlinearity)
    kept = [letter for letter in LETTERS if letter != end]
    ids = torch.randint(len(kept), (20, 3), generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        ours, _ = adopted.model(ids + len(MARKS))
        theirs = network(torch.tensor([LETTERS.index(letter) for letter in kept])[ids])

    for id, letter in enumerate(kept, len(MARKS)):
        torch.testing.assert_close(ours[..., id], theirs[..., LETTERS.index(letter)], rtol=1e-4, atol=1e-5)
    if end:
        torch.testing.assert_close(ours[..., END], theirs[..., LETTERS.index(end)], rtol=1e-4, atol=1e-5)


def adopt_here(foreign, marks=NO_MARKS, nonlinearity="tanh"):
    name, options = cell_of(foreign, nonlinearity)
    return adopt(
        foreign, LETTERS, marks, partial(build, partial(cell_makers()[name], **options)), nonlinearity
    )


def test_marks_stand_where_a_person_puts_them():
    """START reads what `start` reads, END is written for `end`; the others have no chance at all."""
    network = trained(Network("gru"))
    foreign = read_here(network.state_dict())
    embedding = network.encoder.weight
    for marks, read in [
        (Marks(), torch.zeros(6)),
        (Marks(end="c"), embedding[2]),
        (Marks("b", "c"), embedding[1]),
        (Marks(start="b"), embedding[1]),
    ]:
        adopted = adopt_here(foreign, marks)
        assert torch.equal(adopted.model.embedding.weight[START], read)
        assert adopted.vocabulary.tokens == tuple(letter for letter in LETTERS if letter != marks.end)
        with torch.no_grad():
            chances = adopted.model(torch.tensor([[START], [5], [7]]))[0].softmax(-1)
        assert chances[..., [START, UNKNOWN]].sum() == 0
        assert (chances[..., END].min() > 0) == bool(marks.end)


@pytest.mark.parametrize(
    ("marks", "tokens", "message"),
    [
        (Marks(end="z"), LETTERS, "the network's vocabulary has no token 'z'"),
        (Marks(start="zz"), LETTERS, "has no token 'zz'"),
        (Marks(), LETTERS[:-1], "a vocabulary of 10 different tokens for a network of 11"),
        (Marks(), [*LETTERS[:-1], "a"], "a vocabulary of 10 different tokens for a network of 11"),
    ],
)
def test_marks_and_tokens_must_be_the_networks(marks, tokens, message):
    """Anything else would be another language."""
    foreign = read_here(Network().state_dict())
    with pytest.raises(CheckpointError, match=message):
        adopt(foreign, tokens, marks, partial(build, cell_makers()["lstm"]))


def test_a_model_that_computes_something_else_is_refused():
    """The nonlinearity of an nn.RNN is not in its weights: the wrong cell would babble, and is found out."""
    foreign = read_here(trained(FOREIGN["relu"]).state_dict())
    tanh = partial(build, cell_makers()["rnn"])
    with pytest.raises(CheckpointError, match="computes something else: its logits are up to"):
        adopt(foreign, LETTERS, Marks(), tanh, "relu")


BY_TOKEN = {letter: id for id, letter in enumerate(LETTERS)}
WRAPPED = {
    "bare": Network().state_dict(),
    "in a run": {"model": Network().state_dict(), "epoch": 7, "loss": 1.5},
    "parallel": {f"module.{name}": tensor for name, tensor in Network().state_dict().items()},
    "with its optimizer": {
        "net": (network := Network()).state_dict(),
        "optimizer": torch.optim.Adam(network.parameters()).state_dict(),
    },
}


@pytest.mark.parametrize("name", WRAPPED)
def test_a_network_is_found_wherever_it_is(name):
    """By torch's names of recurrent weights."""
    foreign = read_here(WRAPPED[name])

    assert (foreign.gates, foreign.layers, foreign.size) == (4, 2, 11)


@pytest.mark.parametrize(
    "vocabulary",
    [
        {"chars": LETTERS},
        {"stoi": BY_TOKEN},
        {"itos": dict(enumerate(LETTERS))},
        {"stoi": BY_TOKEN, "itos": dict(enumerate(LETTERS)), "args": {"hidden": 10}},
        {"data": {"vocab": tuple(LETTERS)}},
    ],
)
def test_a_vocabulary_in_the_file_is_found(vocabulary):
    """Ids by token, tokens by id or a list, told by its size."""
    assert read_here({"state": Network().state_dict(), **vocabulary}).vocabulary == tuple(LETTERS)


@pytest.mark.parametrize(
    "vocabulary",
    [{}, {"chars": LETTERS[:-1]}, {"one": LETTERS, "other": LETTERS[::-1]}, {"n": list(range(11))}],
)
def test_none_or_several_are_no_vocabulary(vocabulary):
    """Then a person must name it."""
    assert read_here({"state": Network().state_dict(), **vocabulary}).vocabulary == ()


@pytest.mark.parametrize(
    "value",
    [{"a": 0, "b": 2}, {0: "a", 2: "b"}, {"a": 0, "b": 0}, ["a", "a"], ["a", 1], "ab", {"a": True}, None, 5],
)
def test_what_is_no_vocabulary(value):
    """Ids from 0 on without a gap, and every token once."""
    assert tokens_of(value) == []


def state(**changes):
    """A network's tensors, some of them changed, or left out where None."""
    tensors = Network().state_dict() | changes
    return {name: tensor for name, tensor in tensors.items() if tensor is not None}


ODD = {
    "no networks": ({"encoder.weight": torch.zeros(3, 2)}, "no networks of nn.RNN, nn.GRU or nn.LSTM"),
    "two networks": ({"a": Network().state_dict(), "b": Network().state_dict()}, "holds 2 networks"),
    "two recurrent parts": (state(**{"other.weight_ih_l0": torch.zeros(1, 1)}), "several recurrent parts"),
    "both ways": (Network(bidirectional=True).state_dict(), "reads both ways or projects"),
    "projected": (Network(proj_size=5).state_dict(), "reads both ways or projects"),
    "a layer missing": (state(**{"rnn.weight_hh_l1": None}), "layer 1: its weight_hh is missing"),
    "another shape": (state(**{"rnn.bias_hh_l0": torch.zeros(7)}), "layer 0: its bias_hh is missing or not"),
    "other gates": (state(**{"rnn.weight_ih_l0": torch.zeros(20, 6)}), "20 rows for 10 units: no nn.RNN"),
    "no head": (
        state(**{"decoder.weight": None, "decoder.bias": None}),
        "linear head, a matrix of 10 columns",
    ),
    "two heads": (
        state(**{"aux.weight": torch.zeros(11, 10), "aux.bias": torch.zeros(11)}),
        "head, a matrix of 10 col",
    ),
    "no embedding": (state(**{"encoder.weight": None}), "no embedding of 11 x 6 goes with its head"),
    "something more": (
        state(**{"norm.weight": torch.zeros(10)}),
        "norm.weight: only an embedding, recurrent",
    ),
    "not finite": (state(**{"decoder.bias": torch.full((11,), torch.nan)}), "decoder.bias: it holds values"),
    "no floats": (state(**{"decoder.bias": torch.zeros(11, dtype=torch.int32)}), "torch.int32 is no type of"),
    "sparse": (state(**{"decoder.bias": torch.zeros(11).to_sparse()}), "is no type of weights"),
    "no dictionary": ([1, 2], "no networks"),
    "empty layers": (
        state(**{"rnn.weight_ih_l0": torch.zeros(0, 6), "rnn.weight_hh_l0": torch.zeros(0, 0)}),
        "no matrix",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_what_cannot_be_computed_here_is_refused(name):
    """Nothing of a network is left out in silence."""
    content, message = ODD[name]
    with pytest.raises(CheckpointError, match=message):
        read_here(content)


def test_what_cannot_be_told_is_refused():
    """Two equal shapes without biases: either could be the head. The very same weights are no question."""
    tensors = nn.ModuleDict({"e": nn.Embedding(11, 10), "r": nn.GRU(10, 10)}).state_dict()
    with pytest.raises(CheckpointError, match=r"cannot be told \(e\.weight, h\.weight\)"):
        read_here(tensors | {"h.weight": torch.ones(11, 10)})

    tied = read_here(tensors | {"h.weight": tensors["e.weight"]}).tensors
    assert torch.equal(tied["embedding"], tied["head.weight"])


def test_a_file_is_read_in_a_process_that_can_do_nothing_else(tmp_path):
    """No file, socket or process can be opened, no limit lifted nor much memory taken, whoever runs it."""
    script = """
import os, resource, socket, subprocess, sys
from bot.model.foreign.process import confine, rehearse

def tried(act):
    try:
        act()
        return "done"
    except (OSError, MemoryError, ValueError) as error:
        return type(error).__name__

by_root = os.geteuid() == 0
rehearse()
confine(1000)
print(
    tried(lambda: open("/etc/passwd")), tried(lambda: open("mark", "w")), tried(socket.socket),
    tried(lambda: subprocess.run(["true"])), tried(lambda: os.fork() or os._exit(0)),
    tried(lambda: bytearray(1 << 30)), tried(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9))),
    by_root and 0 in (*os.getresuid(), *os.getresgid(), *os.getgroups()),
)
"""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False
    )

    refused = ["OSError", "OSError", "OSError", "OSError", "BlockingIOError", "MemoryError", "ValueError"]
    assert run.stdout.split() == [*refused, "False"], run.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_system_without_nobody_reads_all_the_same(tmp_path):
    """Where root cannot become another user, as in some containers, the other limits stay."""
    tmp_path.joinpath("net.pt").write_bytes(saved(Network().state_dict()))
    refusing = """
import os, sys
from bot.model.foreign import process

def refuse(*_):
    raise OSError(22, "Invalid argument")

os.geteuid, os.setgroups, os.setgid, os.setuid = lambda: 0, refuse, refuse, refuse
process.main()
try:
    open("/etc/passwd")
except OSError:
    sys.exit(7)
"""
    with tmp_path.joinpath("net.pt").open("rb") as file:
        run = subprocess.run([sys.executable, "-c", refusing], stdin=file, capture_output=True, check=False)

    assert run.returncode == 7, run.stderr
    assert process._parsed(run.stdout).size == 11


def test_a_file_that_breaks_its_reader_is_told(tmp_path, monkeypatch):
    """Whatever becomes of the process is one line here."""
    path = tmp_path / "net.pt"
    path.write_bytes(saved(Network().state_dict()))
    for code, message in [
        ("import sys; sys.exit('oh')", r"broke the process that did so \(exit code 1: oh\)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "takes more than 60 s"),
        ("import os; os.abort()", "exit code -6"),
    ]:
        monkeypatch.setattr(process, "COMMAND", [sys.executable, "-c", code])
        with pytest.raises(CheckpointError, match=message):
            process.read(path)


def test_what_is_no_file_or_too_large_is_not_opened(tmp_path, monkeypatch):
    """A folder, nothing, or more than a gigabyte."""
    for path in (tmp_path, tmp_path / "none.pt"):
        with pytest.raises(CheckpointError, match="there is no such file"):
            process.read(path)
    monkeypatch.setattr(process, "LARGEST", 10)
    tmp_path.joinpath("large.pt").write_bytes(bytes(11))
    with pytest.raises(CheckpointError, match="11 bytes, and at most 10 are read"):
        process.read(tmp_path / "large.pt")
