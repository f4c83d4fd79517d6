"""What is said of a training run's losses."""

import math

import pytest

from bot.model.watch import Measurement, as_csv, has_diverged, is_spike, remark


def history(*losses: tuple[float, float]) -> list[Measurement]:
    """Measurements 100 steps apart from pairs of training and held-out loss."""
    return [
        Measurement(100 * (at + 1), at / 2, 0.01, 1.0, train_loss, held_out_loss)
        for at, (train_loss, held_out_loss) in enumerate(losses)
    ]


def test_nothing_is_said_of_a_run_that_goes_well() -> None:
    """Falling losses, or too few to tell, need no remark."""
    assert remark(history((3.0, 3.1), (2.5, 2.6), (2.2, 2.4), (2.1, 2.3)), 100) == ""
    assert remark([], 100) == ""


def test_over_fitting_is_named_with_the_best_step() -> None:
    """Three evaluations of rising held-out loss and falling training loss are over-fitting."""
    course = history((2.0, 2.2), (1.8, 2.0), (1.6, 2.1), (1.4, 2.2), (1.2, 2.3))

    assert remark(course, 100).startswith("over-fitting: the held-out loss has risen since step 200 (2.0000)")


def test_a_network_that_learns_nothing_is_named() -> None:
    """Three evaluations no better than guessing evenly are not learning."""
    assert remark(history(*[(4.6, 4.6)] * 3), 100).startswith("not learning: after 300 steps")


@pytest.mark.parametrize(
    ("train_loss", "held_out_loss", "diverged"),
    [
        (4.7, 4.7, False),
        (0.1, 30.0, False),
        (30.0, 4.0, True),
        (math.nan, 4.0, True),
        (4.0, math.nan, True),
        (4.0, math.inf, True),
    ],
)
def test_divergence_is_worse_than_guessing(train_loss: float, held_out_loss: float, diverged: bool) -> None:
    """A first loss near ln V is no divergence, nor is over-fitting; NaN and training losses far above are."""
    assert has_diverged(history((train_loss, held_out_loss))[0], 100) is diverged


def test_a_spike_stands_out() -> None:
    """Twice the usual loss and more is a spike."""
    assert is_spike(6.0, usual=2.0)
    assert not is_spike(3.0, usual=2.0)


def test_the_history_is_a_table() -> None:
    """One line a measurement under the names of the columns."""
    lines = as_csv(history((3.0, 3.1), (2.5, 2.6))).decode().splitlines()

    assert lines == [
        "step,epoch,learning_rate,gradient_norm,train_loss,held_out_loss",
        "100,0.0,0.01,1.0,3.0,3.1",
        "200,0.5,0.01,1.0,2.5,2.6",
    ]
