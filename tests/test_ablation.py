"""The ablation takes the default recipe apart: each way is the default but for what it names."""

import json
from pathlib import Path

import pytest

from benchmarks import ablation
from bot.config import Model


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(a + b + c for a in "bdfgk" for b in "aeiou" for c in "lmnrst"))
    return path


def run(monkeypatch: pytest.MonkeyPatch, text: Path, *options: str) -> None:
    command = ["--corpus", str(text), "--items", "--runs", str(text.parent / "runs"), "--seeds", "2"]
    monkeypatch.setattr("sys.argv", ["ablation", *command, "--seconds", "0.02", *options])
    ablation.main()


def test_the_default_is_what_a_user_gets() -> None:
    """But for the budget, the seed and one thread."""
    settings = ablation.contest(ablation.DEFAULT, 1, 60, 30).settings
    budgeted = {"max_steps", "max_minutes", "evaluate_every", "shards"}

    ours, theirs = settings.model_dump(exclude=budgeted), Model().training.model_dump(exclude=budgeted)
    assert ours == theirs


@pytest.mark.parametrize("way", [way for way in ablation.OTHERS if way != ablation.DEFAULT])
def test_every_way_is_another_of_the_same_size(way: str) -> None:
    """Something is different, and not the number of parameters."""
    default, other = (ablation.contest(name, 1, 60, 30) for name in (ablation.DEFAULT, way))
    models = [contest.make() for contest in (default, other)]
    counts = [sum(parameter.numel() for parameter in model.parameters()) for model in models]

    assert (default.settings, repr(models[0])) != (other.settings, repr(models[1]))
    assert counts[1] == counts[0]


def test_each_way_stands_beside_the_default(text: Path, monkeypatch, capsys) -> None:
    """The default is worse than itself by nothing; a table for people says the same."""
    run(monkeypatch, text, "--ways", "constant rate", "--json")
    found = json.loads(capsys.readouterr().out)

    run(monkeypatch, text, "--ways", "constant rate")

    assert [row["way"] for row in found["rows"]] == [ablation.DEFAULT, "constant rate"]
    assert found["rows"][0]["worse"] == 0
    table = capsys.readouterr().out
    assert f"| constant rate | {found['rows'][1]['parameters']:,} | {found['rows'][1]['loss']:.3f} |" in table
