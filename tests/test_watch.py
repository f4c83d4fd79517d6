"""What is said of a training run's losses."""

import math
from dataclasses import replace

import pytest

from bot.model.watch import (
    SETTLED,
    Level,
    Measurement,
    as_csv,
    from_csv,
    has_diverged,
    is_spike,
    remark,
    trouble,
)


def history(*losses: tuple[float, float]) -> list[Measurement]:
    """Measurements 100 steps apart from pairs of training and held-out loss."""
    return [
        Measurement(100 * (at + 1), at / 2, 0.01, 1.0, 0.05, train_loss, held_out_loss)
        for at, (train_loss, held_out_loss) in enumerate(losses)
    ]


def with_gradients(course: list[Measurement], norm: float, reach: float) -> list[Measurement]:
    """The same with other gradients."""
    return [replace(row, gradient_norm=norm, gradient_reach=reach) for row in course]


def settled(norm: float = 0.5) -> Level:
    """The level of a run that has had this norm for a while."""
    level = Level()
    for _ in range(SETTLED):
        level.take(norm)
    return level


FALLING = history((3.0, 3.1), (2.5, 2.6), (2.2, 2.4), (2.1, 2.3))
FLAT = history(*[(3.1, 3.1)] * 3)


def test_nothing_is_said_of_a_run_that_goes_well() -> None:
    """Falling losses, or too few to tell, need no remark, however weak the gradient is."""
    assert remark(FALLING, 3.1) == ""
    assert remark(with_gradients(FALLING, norm=1e-9, reach=1e-9), 3.1) == ""
    assert remark([], 3.1) == ""


def test_nothing_is_said_of_a_run_that_has_learnt_all_it_can() -> None:
    """Losses that stay where they are, well below guessing, under an ordinary gradient."""
    assert remark(history(*[(1.6, 1.7)] * 5), 3.1) == ""


def test_over_fitting_is_named_with_the_best_step() -> None:
    """Three evaluations of rising held-out loss and falling training loss are over-fitting."""
    course = history((2.0, 2.2), (1.8, 2.0), (1.6, 2.1), (1.4, 2.2), (1.2, 2.3))

    assert remark(course, 3.1).startswith("over-fitting: the held-out loss has risen since step 200 (2.0000)")


def test_a_few_steps_are_too_few_to_say_that_nothing_is_learnt() -> None:
    """However often is measured in them."""
    often = [replace(row, step=row.step // 25) for row in history(*[(3.1, 3.1)] * 9)]

    assert remark(often, 3.1) == ""


def test_a_network_that_learns_nothing_is_named() -> None:
    """Three evaluations no better than knowing how frequent each token is are not learning."""
    assert remark(FLAT, 3.1) == (
        "not learning: after 300 steps the loss is 3.1000, to know how frequent each token is gives 3.1000; "
        "try another learning rate"
    )


def test_a_network_whose_gradients_always_exploded_is_told_so() -> None:
    """Where they were never usual there is nothing to compare with: the remedy names them."""
    assert "its gradients explode (norm 1e+05): a lower" in remark(with_gradients(FLAT, 1e5, 0.05), 3.1)


@pytest.mark.parametrize(
    ("norm", "reach", "where"),
    [
        (0.4, 1e-8, "only 1.0e-08 of the gradient reaches the first layer"),
        (1e-9, 0.05, "nothing pulls at the weights any more (norm 1.0e-09)"),
        (0.0, 0.0, "nothing pulls at the weights any more (norm 0.0e+00)"),
    ],
)
def test_vanishing_gradients_are_named_where_they_vanish(norm: float, reach: float, where: str) -> None:
    """On the way down to the first layer or everywhere, while the loss stays what it was."""
    said = remark(with_gradients(history(*[(2.5, 2.6)] * 3), norm, reach), 3.1)

    assert said.startswith(f"vanishing gradients: {where}, and the loss no longer falls; fewer layers")


@pytest.mark.parametrize(
    ("loss", "norm"), [(math.nan, 0.5), (math.inf, 0.5), (2.0, math.nan), (2.0, math.inf)]
)
def test_what_is_not_finite_is_refused(loss: float, norm: float) -> None:
    """Even as the very first step."""
    assert trouble(loss, norm, Level()) == "its gradient was not finite"


def test_a_finite_but_absurd_norm_is_refused() -> None:
    """More than a thousand times the usual norm has exploded; a hundred times is left to clipping."""
    assert trouble(2.0, 510.0, settled(0.5)) == "its gradient exploded (norm 510, usually 0.5)"
    assert trouble(2.0, 50.0, settled(0.5)) == ""


def test_no_norm_is_absurd_before_it_is_known_what_is_usual() -> None:
    """The first steps of a relu network have norms of thousands and come to rest."""
    assert trouble(11.9, 7000.0, Level()) == ""


def test_a_network_that_knows_its_corpus_by_heart_may_stumble() -> None:
    """Where the usual norm is next to nothing, an ordinary one has not exploded."""
    assert trouble(0.5, 20.0, settled(1e-4)) == ""


def test_what_is_usual_follows_the_run() -> None:
    """The mean is over the latest steps; a norm of 0 does not spoil it for ever."""
    level = settled(8.0)
    level.take(0.0)
    for _ in range(2000):
        level.take(0.25)

    assert level.norm == pytest.approx(0.25, rel=1e-3)


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
    assert has_diverged(train_loss, held_out_loss, 100, first_loss=4.6) is diverged


def test_who_began_far_above_guessing_may_take_time_to_come_down() -> None:
    """A relu network's first loss may be anything; worse than that is divergence all the same."""
    assert not has_diverged(11.0, 9.0, 100, first_loss=11.9)
    assert has_diverged(11.0, 9.0, 100, first_loss=10.0)


def test_a_spike_stands_out() -> None:
    """Well above the usual loss and above what losses differ by; where they differ much it takes more."""
    assert is_spike(3.2, usual=2.0, deviation=0.15)
    assert not is_spike(3.0, usual=2.0, deviation=0.15)
    assert not is_spike(3.2, usual=2.0, deviation=0.25)


def test_the_history_is_a_table() -> None:
    """One line a measurement under the names of the columns; read back it is the same."""
    lines = as_csv(history((3.0, 3.1), (2.5, 2.6))).decode().splitlines()

    assert lines == [
        "step,epoch,learning_rate,gradient_norm,gradient_reach,train_loss,held_out_loss",
        "100,0.0,0.01,1.0,0.05,3.0,3.1",
        "200,0.5,0.01,1.0,0.05,2.5,2.6",
    ]
    assert from_csv(as_csv(FALLING)) == FALLING


def test_an_older_table_lacks_a_column() -> None:
    """Its losses are there all the same."""
    [row] = from_csv(b"step,epoch,learning_rate,gradient_norm,train_loss,held_out_loss\n9,0.5,0.01,1,3,3.1\n")

    assert (row.step, row.train_loss, row.held_out_loss) == (9, 3.0, 3.1)
    assert math.isnan(row.gradient_reach)
