"""The benchmarks that compare cells: equal budgets, and nothing lost when they are interrupted."""

import json
import signal
from pathlib import Path

import pytest
import torch

from benchmarks import budget, initial_values, league
from tests.models import cell_makers

SYLLABLES = [first + second for first in "bdfgklmnrst" for second in "aeiou"]


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(a + b for a in SYLLABLES for b in SYLLABLES), encoding="utf-8")
    return path


def run(module, monkeypatch: pytest.MonkeyPatch, text: Path, *options: str) -> None:
    command = ["--corpus", str(text), "--runs", str(text.parent / "runs"), "--json", *options]
    monkeypatch.setattr("sys.argv", ["benchmark", *command])
    module.main()


@pytest.mark.parametrize("items", [True, False])
def test_no_tested_character_is_learnt_from(text: Path, items: bool) -> None:
    """A tenth is tested on; the other parts do not overlap either."""
    corpus = budget.read(text, items)

    learnt = sum(map(len, corpus.train)) + sum(map(len, corpus.watched))
    assert learnt / (corpus.characters - items * len(SYLLABLES) ** 2) == pytest.approx(0.9, abs=0.01)


def test_every_cell_plays_in_the_league() -> None:
    """Also one that is new; those it has a learning rate for are there."""
    assert set(league.cells()) == cell_makers().keys()
    assert league.TUNED.keys() <= cell_makers().keys()


@pytest.mark.parametrize("cell", league.cells())
def test_the_cells_are_equally_large(cell: str) -> None:
    """No multiple of 8 units comes nearer to the number of parameters."""
    layers, _ = league.shape(cell)
    units = league.units_for(60_000, cell, layers, vocabulary_size=30)

    off = [
        abs(sum(map(torch.numel, league.model(cell, layers, size, 30, 0).parameters())) - 60_000)
        for size in (units - 8, units, units + 8)
    ]
    assert min(off) == off[1]


def test_the_league_writes_a_page_and_a_figure(text: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    """With every cell, its losses and the n-gram; made anew from kept runs they are the same."""
    options = ("--cells", "rnn", "min_gru", "--seconds", "0.05", "--seeds", "2", "--parameters", "20000")
    run(league, monkeypatch, text, *options, "--out", str(tmp_path / "docs"))
    found = json.loads(capsys.readouterr().out)
    first = [path.read_bytes() for path in sorted((tmp_path / "docs").iterdir())]

    run(league, monkeypatch, text, *options, "--out", str(tmp_path / "docs"))

    assert json.loads(capsys.readouterr().out) == found
    assert [path.read_bytes() for path in sorted((tmp_path / "docs").iterdir())] == first
    page = (tmp_path / "docs" / "league.md").read_text()
    assert [row["cell"] in page for row in found["rows"]] == [True, True]
    assert "5-gram" in page
    assert (tmp_path / "docs" / "league.svg").read_text().count("min_gru")


def test_an_interrupted_contest_goes_on_where_it_stopped(text: Path, monkeypatch, capsys) -> None:
    """Ctrl-C in the middle of a run costs neither the runs before it nor the steps it has made."""
    options = ("--cells", "mi_rnn", "--steps", "6", "--hidden-size", "8", "--seeds", "2")
    run(initial_values, monkeypatch, text, *options, "--runs", str(text.parent / "uninterrupted"))
    expected = json.loads(capsys.readouterr().out)
    steps = []

    def interrupt(share: float) -> None:
        steps.append(share)
        if len(steps) == 15:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(budget, "_outcome", interrupted(interrupt))
        with pytest.raises(SystemExit, match="goes on from here"):
            run(initial_values, monkeypatch, text, *options)
    run(initial_values, monkeypatch, text, *options)

    assert json.loads(capsys.readouterr().out) == expected
    assert not list((text.parent / "runs").glob("*.safetensors"))


def interrupted(look):
    """A contest that tells `look` how far it is."""
    outcome = budget._outcome
    return lambda contest, corpus, runs, _: outcome(contest, corpus, runs, look)


def test_the_first_start_is_the_cells_own() -> None:
    """What the others are compared with is what a user gets."""
    for name, starts in initial_values.STARTS.items():
        cell = cell_makers()[name](3, 4)
        own = [vector.flatten()[0].item() for vector in (cell.alpha, cell.beta1, cell.beta2)]
        assert own == [float(value) for value in starts[0].split()]
