"""Learning rates and optimizers."""

from itertools import pairwise

import pytest
import torch

from bot.model.schedule import learning_rate, make_optimizer, share_done
from tests.models import small_model, training_settings


def test_the_cosine_falls_from_the_full_rate_to_a_hundredth() -> None:
    """After the warm-up the rate falls smoothly to 1 % at the end of the run."""
    settings = training_settings(learning_rate=1.0, max_steps=100, warmup_steps=10)
    rates = [learning_rate(settings, step, epoch=0.0) for step in range(101)]

    assert rates[0] == pytest.approx(0.1, abs=1e-3)
    assert max(rates) == pytest.approx(rates[9], abs=0.02)
    assert all(later < earlier for earlier, later in pairwise(rates[10:]))
    assert rates[100] == pytest.approx(0.01)


def test_the_constant_rate_is_constant_after_the_warm_up() -> None:
    """Nothing but the warm-up changes it."""
    settings = training_settings(schedule="constant", learning_rate=0.5, warmup_steps=0)

    assert {learning_rate(settings, step, step / 3) for step in range(12)} == {0.5}


def test_the_rate_drops_at_the_start_of_epochs() -> None:
    """Three epochs at 5e-4, times a quarter at the start of the second and the third."""
    settings = training_settings(
        schedule="epochs", learning_rate=5e-4, decay=0.25, decay_after=1, warmup_steps=0
    )

    rates = [learning_rate(settings, 10, epoch) for epoch in (0.0, 0.99, 1.0, 1.5, 2.0)]

    assert rates == pytest.approx([5e-4, 5e-4, 1.25e-4, 1.25e-4, 3.125e-5])


def test_a_run_ends_by_steps_or_epochs_whichever_comes_first() -> None:
    """The share done is the greater of the two."""
    settings = training_settings(max_steps=100, max_epochs=4)

    assert share_done(settings, 10, 1.0) == 0.25
    assert share_done(settings, 60, 1.0) == 0.6
    assert share_done(settings, 200, 1.0) == 1.0


@pytest.mark.parametrize("name", ["adamw", "adam", "rmsprop", "sgd"])
def test_every_optimizer_takes_a_step_downhill(name: str) -> None:
    """A few updates lower the loss."""
    model = small_model()
    optimizer = make_optimizer(model, training_settings(optimizer=name))
    ids = torch.zeros(3, 2, dtype=torch.long)
    losses = []
    for _ in range(5):
        loss = -model(ids)[0].log_softmax(-1)[..., 1].mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    assert losses[-1] < losses[0]


def test_only_matrices_decay() -> None:
    """AdamW pulls weight matrices towards nothing; biases and gains are left alone."""
    model = small_model("mi_lstm")
    matrices, vectors = make_optimizer(model, training_settings(weight_decay=0.1)).param_groups

    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.1, 0.0)
    assert len(vectors["params"]) == 5  # alpha, beta1, beta2, bias and the head's bias
