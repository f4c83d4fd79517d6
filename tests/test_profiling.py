"""A training measured part by part."""

from pathlib import Path

import pytest

from bot.model.profiling import Profile, profile
from tests.models import small_model, training_settings
from tests.test_training import NAMES


def measured(tmp_path: Path, **settings: object) -> Profile:
    return profile(
        small_model(),
        NAMES,
        NAMES[:5],
        training_settings(**settings),
        save=lambda *_: None,
        state_file=tmp_path / "run",
        sample=lambda model: [],
        steps=20,
    )


@pytest.mark.parametrize("settings", [{}, {"batch_size": 16, "shards": 2, "weight_dropout": 0.3}])
def test_every_part_of_a_step_takes_time(tmp_path: Path, settings: dict) -> None:
    """Also where threads share the passes out; what is left over is named too."""
    found = measured(tmp_path, **settings)

    assert list(found.parts) == [
        *("batches", "noise", "forward", "backward", "clip", "optimizer", "rest"),
        *("evaluation", "samples", "saving"),
    ]
    assert min(found.parts.values()) > 0
    assert found.seconds == pytest.approx(sum(found.parts.values()))


def test_an_evaluation_is_spread_over_its_steps(tmp_path: Path) -> None:
    """A thing done once in four steps costs each of them a quarter."""
    found = measured(tmp_path, evaluate_every=4)

    assert {name: found.parts[name] for name in found.once} == pytest.approx(
        {name: span / 4 for name, span in found.once.items()}
    )


@pytest.mark.parametrize(
    ("settings", "steps"), [({"max_steps": 1000}, 1000), ({"max_steps": 1000, "max_epochs": 6}, 60)]
)
def test_the_whole_run_is_foreseen(tmp_path: Path, settings: dict, steps: int) -> None:
    """All its steps, or those of all its epochs: about ten batches each."""
    assert measured(tmp_path, **settings).steps == pytest.approx(steps, abs=3)


def test_minutes_end_the_foreseen_run_at_the_speed_that_was_measured(tmp_path: Path) -> None:
    """Not at that of the first steps, which are slow."""
    found = measured(tmp_path, max_steps=10**9, max_minutes=5)

    a_step = sum(span for name, span in found.parts.items() if name not in found.once)
    assert found.steps * a_step == pytest.approx(5 * 60, rel=0.01)
