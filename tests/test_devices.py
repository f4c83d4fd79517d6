"""Devices: what a setting chooses, what is done where memory runs out, and cuDNN's passes on the CPU."""

from functools import partial
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bot.config import Choice
from bot.errors import DeviceError
from bot.model import devices, noise
from bot.model.devices import CPU, choose, cudnn_gru, cudnn_lstm, cudnn_rnn, within_memory
from bot.model.sampling import Sampler
from bot.model.walk import open_walk
from bot.records import Sampling
from bot.registry import Registry
from bot.text.vocabulary import Vocabulary
from tests.models import cell_makers, small_model, training_settings

CUDA = torch.device("cuda")
PASSES = {
    "lstm": (cudnn_lstm, ("weight_ih", "weight_hh", "bias")),
    "gru": (cudnn_gru, ("weight_ih", "weight_hh", "bias_ih", "bias_hh")),
    "rnn": (cudnn_rnn, ("weight_ih", "weight_hh", "bias")),
}


@pytest.fixture
def cuda(monkeypatch):
    """A graphics card that is not there."""
    emptied = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append("cuda"))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "A Card 3000")
    return emptied


class Small:
    """A device's memory: attempts that need more raise as the backends do."""

    def __init__(self, fits, error):
        self.fits, self.error, self.asked = fits, error, []

    def __call__(self, batch, device):
        self.asked.append((batch, device.type))
        if batch > self.fits[device.type]:
            raise self.error
        return f"{batch} on {device.type}"


def test_what_a_device_cannot_compute_is_computed_on_the_cpu():
    """Draws want double precision, which Apple's device lacks; elsewhere they stay where they are."""
    apple = SimpleNamespace(device=torch.device("mps"), cpu=lambda: "on the CPU")
    other = torch.zeros(1)

    assert devices.with_doubles(apple) == "on the CPU"
    assert devices.with_doubles(other) is other


def test_auto_takes_the_cpu_where_there_is_nothing_else():
    """Also where only Apple's device is: it has to be asked for."""
    assert choose("auto") == choose("cpu") == CPU


def test_auto_takes_a_graphics_card_where_there_is_one(cuda):
    """And the provenance of a sample names it."""
    assert choose("auto") == choose("cuda") == CUDA
    assert devices.name_of(CUDA) == "A Card 3000"
    assert devices.name_of(CPU) == "cpu"


@pytest.mark.parametrize("setting", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_an_error(setting, monkeypatch):
    """It says what there is."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    with pytest.raises(DeviceError, match=rf"device {setting}: .* \(have cpu\); set device: auto"):
        choose(setting)


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: not enough memory: you tried"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"),
    MemoryError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error)[:24] or "MemoryError")
def test_where_memory_runs_out_the_batch_is_halved(error, cuda):
    """As often as it takes, and what an attempt has left behind is given back."""
    attempt = Small({"cuda": 8, "cpu": 99}, error)

    assert within_memory(attempt, 32, CUDA) == "8 on cuda"
    assert attempt.asked == [(32, "cuda"), (16, "cuda"), (8, "cuda")]
    assert cuda == ["cuda", "cuda"]


def test_what_does_not_fit_at_all_goes_to_the_cpu(cuda):
    """With the whole batch again."""
    attempt = Small({"cuda": 0, "cpu": 99}, ERRORS[0])

    assert within_memory(attempt, 4, CUDA) == "4 on cpu"
    assert attempt.asked == [(4, "cuda"), (2, "cuda"), (1, "cuda"), (4, "cpu")]


def test_what_does_not_fit_anywhere_is_an_error():
    """In one line that quotes the last complaint."""
    attempt = Small({"cpu": 1}, RuntimeError("not enough memory: you tried\nmuch"))

    with pytest.raises(DeviceError, match=r"a batch of 2 on the CPU \(not enough memory: you tried\)$"):
        within_memory(attempt, 8, CPU, smallest=2)
    assert attempt.asked == [(8, "cpu"), (4, "cpu"), (2, "cpu")]


def test_another_error_is_not_mended():
    """A bug is not tried again with less."""
    attempt = Small({"cpu": 0}, RuntimeError("the sizes of tensors must match"))

    with pytest.raises(RuntimeError, match="must match"):
        within_memory(attempt, 8, CPU)
    assert len(attempt.asked) == 1


def test_real_memory_that_runs_out_is_known_as_such():
    """What torch raises on this machine's CPU."""
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 60, dtype=torch.uint8)

    assert devices.is_out_of_memory(raised.value)


def test_a_model_goes_where_the_setting_says(cuda):
    """And to the CPU where it does not fit there."""
    asked = []

    class Large(torch.nn.Module):
        def to(self, device):
            asked.append(device.type)
            if device.type == "cuda":
                raise ERRORS[0]
            return self

    model = Large()

    assert devices.put(model, "cpu") is model
    assert devices.put(model, "cuda") is model
    assert asked == ["cpu", "cuda", "cpu"]


def test_a_broken_attempt_is_let_go_of(monkeypatch):
    """Apple's memory is given back too."""
    given_back = []
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: given_back.append("mps"))

    assert within_memory(Small({"mps": 1, "cpu": 1}, MemoryError()), 2, torch.device("mps")) == "1 on mps"
    assert given_back == ["mps"]


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("training", [True, False])
def test_a_pass_in_one_call_equals_the_steps(name, training):
    """Outputs, state and gradients, from a carried state."""
    walk, names = PASSES[name]
    check(walk, cell_makers()[name](5, 7).double(), names, training)


def test_the_relu_network_has_its_pass_too():
    """h = max(0, Wx + Uh + b)."""
    relu = cell_makers()["rnn"](5, 7, nonlinearity="relu").double()

    check(partial(cudnn_rnn, nonlinearity="relu"), relu, PASSES["rnn"][1], training=True)


def check(walk, cell, names, training):
    torch.manual_seed(0)
    weights = [getattr(cell, name) for name in names]
    inputs = torch.randn(6, 3, 5, dtype=torch.float64)
    state = tuple(torch.randn_like(tensor) for tensor in cell.initial_state(3))
    with torch.set_grad_enabled(training):
        outputs, after = walk(inputs, state, *weights)
        expected, expected_after = cell._walk(cell.project(inputs), state)
        for got, wanted in zip((outputs, *after), (expected, *expected_after), strict=True):
            torch.testing.assert_close(got, wanted)
        if training:
            gradients = torch.autograd.grad(outputs.square().sum(), weights)
            wanted = torch.autograd.grad(expected.square().sum(), weights)
            torch.testing.assert_close(gradients, wanted)


class Narrow:
    """A walk with memory for a few rows at a time."""

    def __init__(self, walk, fits):
        self._walk, self._fits, self.tried = walk, fits, []

    def __getattr__(self, name):
        return getattr(self._walk, name)

    def step(self, ids, rows):
        self.tried.append(len(rows))
        if len(rows) > self._fits:
            raise ERRORS[0]
        return self._walk.step(ids, rows)


def sampler_of(model, open_walk):
    letters = Vocabulary([chr(ord("a") + number) for number in range(17)])
    characters = Registry(None, Path()).build("tokenizers", Choice("characters"))
    return Sampler(model, letters, characters, "names/epoch1", 2.0, open_walk)


def texts(sampler):
    return [one.text for one in sampler.sample(Sampling(max_length=9), 3, range(40))]


def test_where_memory_runs_out_fewer_samples_stand_side_by_side(caplog):
    """They are the same samples, and it is said."""
    model, walks = small_model(), []

    def narrow(model, weights):
        walks.append(Narrow(open_walk(model, weights), fits=12))
        return walks[-1]

    assert texts(sampler_of(model, narrow)) == texts(sampler_of(model, open_walk))
    assert walks[0].tried[:3] == [40, 20, 10]
    assert "not enough memory on cpu for a batch of 40" in caplog.text


def test_a_model_that_finds_no_memory_to_sample_goes_to_the_cpu(monkeypatch):
    """And stays there, for this sampler; whoever else holds the model finds it where it was."""
    model, far = small_model(), small_model().to("meta")
    monkeypatch.setattr(devices, "moved", lambda model, device: {"cpu": small_model()}[device.type])

    def crowded(model, weights):
        if model.embedding.weight.is_meta:
            raise ERRORS[0]
        return open_walk(model, weights)

    sampler = sampler_of(far, crowded)

    assert texts(sampler) == texts(sampler_of(model, open_walk))
    assert sampler.sample(Sampling(max_length=1), 1, [0])[0].device == "cpu"
    assert far.embedding.weight.is_meta


def test_a_moved_model_is_a_copy():
    """Here to a device without memory, as no other is at hand."""
    model = small_model()
    copy = devices.moved(model, torch.device("meta"))

    assert all(tensor.is_meta for tensor in copy.state_dict().values())
    assert not any(tensor.is_meta for tensor in model.state_dict().values())
    assert copy.state_dict().keys() == model.state_dict().keys()


@pytest.mark.parametrize("cell", sorted(cell_makers()))
def test_no_tensor_is_left_behind_on_the_cpu(cell):
    """Noise, states, window and gradient of every cell are where its weights are; here, mere shapes."""
    model = devices.moved(small_model(cell, layers=2), torch.device("meta"))
    settings = training_settings(dropout=0.5, embedding_dropout=0.1, weight_dropout=0.3)
    drawn = noise.draw(model, 4, settings, torch.Generator().manual_seed(1))
    logits, state = model(torch.zeros(5, 4, dtype=torch.int64, device="meta"), noise=drawn)
    gradients = torch.autograd.grad(logits.sum(), list(model.parameters()), allow_unused=True)

    found = [logits, *chain(*state), *(gradient for gradient in gradients if gradient is not None)]
    assert all(tensor.is_meta for tensor in found)
