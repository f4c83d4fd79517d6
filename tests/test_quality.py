"""The benchmark of quality keeps to its protocols."""

import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from benchmarks import quality
from tests.models import small_model

BRIEF = ["hidden_size=8", "training.max_steps=2", "training.batch_size=4", "training.sequence_length=16"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Small stand-ins under the names of the corpora."""
    words = [
        f"{first}{middle}{last}" for first in "abcdefghijkl" for middle in "aeiou" for last in "mnrst" * 5
    ]
    (tmp_path / "makemore_names.txt").write_text("\n".join(words), encoding="utf-8")
    (tmp_path / "tinyshakespeare.txt").write_text(" ".join(words * 4), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("preset", "tests"), [("tiny-60s", "val256 streaming dynamic"), ("names-3min", "test test-clean")]
)
def test_a_run_tells_its_figures(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], preset: str, tests: str, monkeypatch
) -> None:
    """One JSON object with the losses of the protocol, what was used and the n-gram; the log has the same."""
    command = [preset, "--data", str(data), "--runs", str(tmp_path), "--log", str(tmp_path / "log"), "--json"]
    monkeypatch.setattr("sys.argv", ["quality", *command, "--set", *BRIEF])

    quality.main()

    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((tmp_path / "log").read_text())
    told = {name.partition(",")[0] for name in found}
    assert {"parameters", "cpu_seconds", "wall_seconds", "ngram", *tests.split()} <= told
    assert found["ended"] == "all 2 steps done"


def test_settings_can_be_chosen_blind(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    """With --dev-only a run tells what it reached on `dev`, and nothing of the test part."""
    command = ["names-3min", "--data", str(data), "--runs", str(tmp_path), "--dev-only", "--json"]
    monkeypatch.setattr("sys.argv", ["quality", *command, "--set", *BRIEF])

    quality.main()

    found = json.loads(capsys.readouterr().out)
    assert found["dev"] > 0
    assert not [name for name in found if name.startswith("test")]


def test_windows_are_cold_and_do_not_overlap() -> None:
    """Every window of 256 begins in the initial state and predicts the next character 256 times."""
    model, ids = small_model(), [3 + (at * at) % 17 for at in range(2 * 256 + 100)]

    losses = [
        functional.cross_entropy(
            model(torch.tensor(ids[at : at + 256])[:, None])[0][:, 0], torch.tensor(ids[at + 1 : at + 257])
        ).item()
        for at in (0, 256)
    ]

    assert quality.windowed(model, ids) == pytest.approx(sum(losses) / 2, abs=1e-5)


def test_a_stream_forgets_nothing() -> None:
    """Read with the state carried, a text has the loss of one long window."""
    model, ids = small_model(), [3 + (at * at) % 17 for at in range(700)]

    whole = functional.cross_entropy(model(torch.tensor(ids[:-1])[:, None])[0][:, 0], torch.tensor(ids[1:]))

    assert quality.streamed(model, ids) == pytest.approx(whole.item(), abs=1e-5)


def test_a_model_that_goes_on_learning_gets_better() -> None:
    """Dynamic evaluation at rate 0 is the stream; at another the model learns, and is itself unchanged."""
    model, ids = small_model(), [3 + at % 5 for at in range(700)]
    before = [parameter.clone() for parameter in model.parameters()]

    assert quality.dynamic(model, ids, 0.0) == pytest.approx(quality.streamed(model, ids), abs=1e-5)
    assert quality.dynamic(model, ids, 0.3) < quality.streamed(model, ids) - 0.3
    assert all(map(torch.equal, before, model.parameters()))


def test_clean_names_were_never_seen(data: Path) -> None:
    """`test` is the last thousand of makemore's order; `test-clean` has none that is in the rest."""
    corpus = quality.names(data, 0.1)

    assert len(corpus.train) + len(corpus.dev) == 500
    assert corpus.ngram["test-clean"] > corpus.ngram["test"]
