"""A batch's gradient, computed in parts."""

import pytest
import torch
from torch import Tensor

from bot.model.batches import IGNORED, Batch
from bot.model.evaluation import cross_entropy
from bot.model.gradient import BackPropagation
from bot.model.language_model import LanguageModel, States
from bot.model.noise import draw
from tests.models import cell_makers, small_model, training_settings

SEED = torch.Generator().manual_seed(1)
IDS = torch.randint(20, (7, 33), generator=SEED)
TARGETS = torch.where(
    torch.rand(7, 33, generator=SEED) < 0.2, IGNORED, torch.randint(20, (7, 33), generator=SEED)
)
BATCH = Batch(IDS, TARGETS, fresh=True)


def in_parts(model: LanguageModel, shards: int) -> tuple[float, States, list[Tensor]]:
    settings = training_settings(dropout=0.3, weight_dropout=0.3, embedding_dropout=0.1)
    noise = draw(model, 33, settings, torch.Generator().manual_seed(2))
    before = tuple(tuple(t + 0.1 for t in layer) for layer in model.initial_state(33))
    loss, after = BackPropagation(model, shards)(BATCH, before, noise)
    return loss, after, [parameter.grad for parameter in model.parameters()]


@pytest.mark.parametrize("cell", sorted(cell_makers()))
def test_parts_give_what_the_whole_gives(cell: str) -> None:
    """Loss, state and gradient of a batch in three parts are those of the batch at once, but for rounding."""
    model = small_model(cell, layers=2)

    whole, parts = in_parts(model, 1), in_parts(model, 3)

    torch.testing.assert_close(parts, whole, atol=1e-6, rtol=1e-4)


def test_the_same_parts_give_the_same_bits() -> None:
    """Whichever thread is first, the parts are added in their order."""
    model = small_model(layers=2)
    loss, _, gradients = in_parts(model, 3)

    for _ in range(10):
        again, _, same = in_parts(model, 3)
        assert again == loss
        assert all(torch.equal(*pair) for pair in zip(same, gradients, strict=True))


def test_the_gradient_is_that_of_the_mean_loss() -> None:
    """Without noise and parts: what torch's own backward gives; ended rows count for nothing."""
    model = small_model()

    loss, _ = BackPropagation(model, 2)(BATCH, None, draw(model, 33, training_settings(dropout=0.0), SEED))
    ours = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    expected = cross_entropy(model(IDS)[0], TARGETS)
    expected.backward()

    assert loss == pytest.approx(expected.item(), abs=1e-6)
    torch.testing.assert_close(
        ours, [parameter.grad for parameter in model.parameters()], atol=1e-6, rtol=1e-4
    )


def test_where_memory_is_short_the_parts_become_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that does not fit is computed in more parts, and so are all after it; the gradient stays."""
    model, widest = small_model(), []
    forward = type(model).forward

    def scarce(self: LanguageModel, ids: Tensor, *others: object) -> object:
        if ids.shape[1] > 9:
            msg = "CUDA out of memory. Tried to allocate 2.00 GiB"
            raise torch.OutOfMemoryError(msg)
        widest.append(ids.shape[1])
        return forward(self, ids, *others)

    whole = in_parts(model, 1)
    monkeypatch.setattr(type(model), "forward", scarce)
    parts = in_parts(model, 1)

    torch.testing.assert_close(parts, whole, atol=1e-6, rtol=1e-4)
    assert widest == [8, 8, 8, 9]


def test_what_is_not_for_want_of_memory_is_raised() -> None:
    """Noise for other rows than the batch has, for one."""
    model = small_model()
    noise = draw(model, 5, training_settings(), SEED)

    with pytest.raises(RuntimeError, match="size"):
        BackPropagation(model, 1)(BATCH, None, noise)
