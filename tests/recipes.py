"""A small recipe on a corpus of its own, for tests of what runs recipes."""

from contextlib import contextmanager
from pathlib import Path

from bot.config.recipe import load_recipe

RECIPE = """\
title: Moons
document: "A note on moons, by nobody"
data:
  moons.txt: {what: names of moons, source: an almanac, credit: Thanks to who looked up.}
defaults:
  corpus: {lines: {path: moons.txt}}
  hidden_size: 8
  embedding_size: 4
  training: {max_steps: 20, max_minutes: null, batch_size: 8, evaluate_every: 10, warmup_steps: 0, shards: 1}
models:
  plain: {cell: rnn}
  gated: {cell: gru, training: {learning_rate: 0.004}}
scales:
  smoke:
    defaults: {training: {max_steps: 10}}
    steps: {samples: {count: 3}}
assumed: ["The moons are sorted by nobody."]
steps:
  - corpus: {model: plain}
  - train: {models: [plain, gated]}
  - samples: {models: [plain], count: 5}
published:
  - {id: M.1, what: moons, published: "40", ours: corpus.kept, value: 40}
  - {id: M.2, what: loss, published: "1.0", ours: train.plain.held_out, value: 1.0, document_scale: true}
"""


def write_recipe(folder: Path, text: str = RECIPE) -> Path:
    """The recipe, with its data in a folder beside it."""
    (folder / "data" / "deep").mkdir(parents=True, exist_ok=True)
    names = [f"{first}{last}" for first in "ABCDEFGH" for last in ("tlas", "rope", "mas", "lio", "nus")]
    (folder / "data" / "deep" / "moons.txt").write_text("\n".join(names))
    path = folder / "moons.yaml"
    path.write_text(text)
    return path


def small(folder: Path, scale="smoke", text: str = RECIPE):
    """That recipe, read."""
    return load_recipe(write_recipe(folder, text), scale)


class Silent:
    """A screen that keeps what it was told. stop_at: the step at which Ctrl-C is pressed, 0 for never."""

    def __init__(self, stop_at: int = 0):
        self.lines: list[str] = []
        self.trained: list[str] = []
        self.stop_at = stop_at

    def tell(self, line: str) -> None:
        self.lines.append(line)

    @contextmanager
    def training(self, trainer):
        self.trained.append(trainer.name)
        yield self._progress

    def _progress(self, progress) -> None:
        if progress.step == self.stop_at:
            import signal

            signal.raise_signal(signal.SIGINT)
