"""Models compared by seeds, swept over settings, and every step's loss: the steps of recipes that do so."""

import re

import pytest
from typer.testing import CliRunner

from bot.cli.app import app
from bot.cli.compare import compare
from bot.errors import ConfigError
from bot.reproduction import Lab, reproduce
from bot.reproduction.steps.compare import loss
from tests.recipes import RECIPE, Silent, small

STEPS = """\
steps:
  - corpus: {model: plain, export: all.txt}
  - train: {models: [plain]}
  - compare: {models: [gated, plain], seeds: 2}
  - sweep: {model: plain, settings: {training.learning_rate: [0.001, 0.01]}}
  - iterations: {models: [plain]}
published:
  - {id: M.1, what: which, published: neither, ours: compare.plain.difference, verdict: compare.answer}
  - {id: M.2, what: combinations, published: "2", ours: sweep.runs, value: 2}
  - {id: M.3, what: steps, published: "10", ours: iterations.plain.steps, value: 10}
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The report of a recipe with these steps."""
    folder = tmp_path_factory.mktemp("compared")
    text = RECIPE.partition("steps:\n  - corpus")[0].replace("    steps: {samples: {count: 3}}\n", "") + STEPS
    recipe = small(folder, text=text)
    reproduce(recipe, folder / "data", folder / "out", Silent())
    return recipe, folder


def test_the_report_answers_which_is_better(done):
    text = (done[1] / "out" / "report.md").read_text()
    row = re.search(r"\| M\.1 .*", text)[0]
    assert re.search(r"[+-]\d\.\d{4} \([+-]\d", row)
    assert "gated: no difference shown over 2 seeds" in row or "than gated by" in row
    assert "| M.2 | combinations | 2 | 2 | the same |" in text
    assert "| M.3 | steps | 10 | 10 | the same |" in text


def test_those_compared_have_as_many_parameters_as_the_first(done):
    lab = Lab(done[0], done[1] / "data", done[1] / "out", Silent())
    vocabulary = lab.vocabulary_size("plain")
    text = (done[1] / "out" / "report.md").read_text().partition("## Compared")[2]
    units, parameters = re.search(r"\| plain \| rnn \| (\d+) \| ([\d,]+) \|", text).groups()
    aim = lab.parameters("gated", vocabulary)
    apart = [abs(lab.parameters("plain", vocabulary, int(units) + by) - aim) for by in (-1, 0, 1)]
    assert apart[1] == min(apart)
    assert lab.parameters("plain", vocabulary, int(units)) == int(parameters.replace(",", ""))


def test_every_model_of_a_seed_holds_out_the_same(done):
    lab = Lab(done[0], done[1] / "data", done[1] / "out", Silent())
    from bot.reproduction.steps.compare import models

    added = models(lab, ("gated", "plain"), 2)
    assert {name: model.training.seed for name, model in added.items()} == {
        "gated.seed1": 1,
        "gated.seed2": 2,
        "plain.seed1": 1,
        "plain.seed2": 2,
    }


def test_the_corpus_is_exported_whole(done):
    folder = done[1]
    written = (folder / "out" / "all.txt").read_text().split()
    assert sorted(written) == sorted((folder / "data" / "deep" / "moons.txt").read_text().split())


def test_a_loss_at_equal_time_is_that_of_the_steps_made_until_then(done):
    lab = Lab(done[0], done[1] / "data", done[1] / "out", Silent())
    outcome = lab.trained("plain")
    whole = loss(outcome)
    assert loss(outcome, outcome.cpu_seconds) == whole
    assert loss(outcome, 0.0) is None


CONFIG = """\
models:
  plain:
    corpus: {lines: {path: moons.txt}}
    cell: rnn
    hidden_size: 8
    training: {max_steps: 10, max_minutes: null, batch_size: 8, shards: 1}
  gated:
    corpus: {lines: {path: moons.txt}}
    cell: gru
    hidden_size: 8
    training: {max_steps: 10, max_minutes: null, batch_size: 8, shards: 1}
"""


def test_the_command_compares_models_of_ones_own(tmp_path):
    """They are trained beside the report, and the models' own checkpoints are left alone."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "moons.txt").write_text(
        "\n".join(f"{a}{b}{c}" for a in "XYZ" for b in "aeiou" for c in "lmn")
    )
    given = ["plain", "gated", "--seeds", "2", "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(app, ["compare", *given, "--config", str(tmp_path / "config.yaml")])

    assert result.exit_code == 0, result.output
    page = tmp_path / "out" / "compare-plain-gated" / "report.html"
    assert result.stdout.strip() == str(page)
    assert "plain and gated" in page.read_text()
    assert not (tmp_path / "checkpoints").exists()


def test_a_model_is_not_compared_with_itself(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    with pytest.raises(ConfigError, match="two models or more, each once"):
        compare(["plain", "plain"], config=tmp_path / "config.yaml")
