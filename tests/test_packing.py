"""Packed weights: the same numbers, whatever a cell does with a weight."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from bot.model import packing
from bot.model.packing import Packed, packed
from tests.models import small_model

USES = {
    "linear": lambda x, layer: functional.linear(x, layer.weight),
    "linear with a bias": lambda x, layer: functional.linear(x, layer.weight, layer.bias),
    "a bias by its name": lambda x, layer: functional.linear(x, layer.weight, bias=layer.bias),
    "its own forward": lambda x, layer: layer(x),
    "product": lambda x, layer: x @ layer.weight.T,
    "product of a part": lambda x, layer: x @ layer.weight.chunk(2)[1].T,
    "product turned twice": lambda x, layer: x @ layer.weight.T.T.T,
    "product in three dimensions": lambda x, layer: x[None] @ layer.weight.T,
    "product in double precision": lambda x, layer: (x.double() @ layer.weight.double().T).float(),
    "addmm": lambda x, layer: torch.addmm(x[:, :10], x, layer.weight.T),
    "addmm of a bias": lambda x, layer: torch.addmm(layer.bias, x, layer.weight.T),
    "addmm, half": lambda x, layer: torch.addmm(x[:, :10], x, layer.weight.T, alpha=0.5),
    "the weight itself": lambda x, layer: layer.weight.exp().sum(1),
}


@pytest.fixture
def layer() -> nn.Linear:
    torch.manual_seed(3)
    return nn.Linear(16, 10)


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
@torch.no_grad()
def test_a_packed_weight_gives_what_a_plain_one_gives(layer, use):
    """Where the packed form does not serve, the plain values do."""
    x = torch.randn(5, 16)
    twin, has_packed = packed(layer)

    found = use(x, twin)

    assert has_packed == isinstance(twin.weight, Packed)
    assert type(found) is torch.Tensor
    torch.testing.assert_close(found, use(x, layer), atol=1e-5, rtol=1e-5)


def test_the_module_itself_is_left_alone(layer):
    """It can be trained on; what is not a matrix is shared with its twin."""
    twin, _ = packed(layer)

    assert isinstance(layer.weight, nn.Parameter)
    assert twin.bias is layer.bias


def test_other_numbers_stay_plain(layer):
    """Double precision is for tests of gradients, not for speed."""
    twin, has_packed = packed(layer.double())

    assert not has_packed
    assert twin.weight is layer.weight


def test_without_torchs_private_operations_weights_stay_plain(monkeypatch):
    """Another torch may not have them."""
    monkeypatch.setattr(packing, "_form", lambda weight: None)
    model = small_model()

    twin, has_packed = packed(model)

    assert not has_packed
    assert all(twin.get_parameter(name) is weight for name, weight in model.named_parameters())
