"""The running mean of the weights."""

import pytest
import torch
from torch import Tensor, nn

from bot.model.averaging import Average

UPDATES = 400


def walked(share: float) -> tuple[nn.Linear, Average]:
    """A layer whose one weight was t after update t, and its mean."""
    layer = nn.Linear(1, 1, bias=False)
    average = Average(layer, share)
    for update in range(1, UPDATES + 1):
        with torch.no_grad():
            layer.weight.fill_(update)
        average.update(update)
    return layer, average


def mean_of(layer: nn.Linear, average: Average) -> float:
    with average.in_place():
        return layer.weight.item()


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_the_mean_is_as_old_as_the_share_says(share: float) -> None:
    """After any number of updates the mean lags by that share of them."""
    assert mean_of(*walked(share)) == pytest.approx((1 - share) * UPDATES, rel=0.01)


def test_the_first_update_leaves_nothing_of_the_beginning() -> None:
    """The weights that were drawn do not count."""
    layer = nn.Linear(1, 1, bias=False)
    average = Average(layer, 0.1)
    with torch.no_grad():
        layer.weight.fill_(7)

    average.update(1)

    assert mean_of(layer, average) == 7


def test_the_newest_weights_come_back() -> None:
    """Whatever happens inside, training goes on with the weights it had, in the same memory."""
    layer, average = walked(0.1)
    memory: Tensor = layer.weight.data_ptr()

    with pytest.raises(RuntimeError), average.in_place():
        raise RuntimeError

    assert layer.weight.item() == UPDATES
    assert layer.weight.data_ptr() == memory


def test_without_a_share_nothing_is_kept() -> None:
    """The model is its own mean, and there is nothing to store."""
    layer, average = walked(0.0)

    assert mean_of(layer, average) == UPDATES
    assert average.tensors() == {}


def test_a_stored_mean_is_gone_on_with() -> None:
    """Stored and restored, the mean is the same."""
    layer, average = walked(0.1)
    again = Average(layer, 0.1)

    again.restore(average.tensors())

    assert mean_of(layer, again) == mean_of(layer, average)
