"""Training as a person sees it: a line an evaluation, the losses as curves, a bar with time left, a report.

Where nobody watches, in a file or a pipe, curves and bar come once, at the end.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from bot import records
from bot.cli.curve import Curve, draw
from bot.cli.plain import plain
from bot.cli.profile_table import duration, show_profile
from bot.house import House
from bot.model.watch import Measurement
from bot.trainer import Trained, Trainer, opened

NARROW, WIDE = 60, 100  # letters; a window below has no room for curves, above they stay as they are
LOW, LINES = 20, 8  # lines, of the window and of the curves


def train_on_screen(house: House, model: str, fresh: bool) -> None:
    console = Console(highlight=False, stderr=True)
    console.print(f"Reading the corpus of {model} ...")
    with opened(house, model) as trainer:
        plan = trainer.plan(fresh)
        if plan.why:
            console.print(plan.why)
        if plan.do == "nothing":
            return
        _prepare(console, trainer)
        if not trainer.is_counted:
            console.print(
                f"A 5-gram model of the same split reaches {trainer.ngram_loss:.4f}: the line to beat."
            )
        console.print("Losses are nats per token; lower is better.")
        with watched(console, trainer) as show:
            trained = trainer.run(show, fresh)
    _report(console, trainer, trained)


@contextmanager
def watched(console: Console, trainer: Trainer) -> Iterator[Callable[[records.Progress], None]]:
    """A training's lines, curves and bar; it is told of every step."""
    with _Live(console) as bar:
        yield _Lines(bar, trainer).show


def profile_on_screen(house: House, model: str) -> None:
    """Where the time of a training goes, as a table on stdout."""
    console = Console(highlight=False, stderr=True)
    console.print(f"Reading the corpus of {model} ...")
    trainer = Trainer(house, model)
    _prepare(console, trainer)
    console.print("Making 50 steps and an evaluation, keeping nothing ...")
    show_profile(Console(highlight=False), trainer.profile())


def _prepare(console: Console, trainer: Trainer) -> None:
    counts = trainer.corpus.counts
    console.print(
        f"{counts['kept']:,} items, {counts['characters']:,} characters "
        f"({counts['read']:,} read, {counts['repeated']:,} repeated, {counts['empty']:,} empty); "
        f"{len(trainer.held_out):,} held out."
    )
    for told in (dict(trainer.corpus.steps), trainer.corpus.sources):
        if told:
            console.print(", ".join(f"{what} {count:,}" for what, count in told.items()))
    if not trainer.is_counted:
        console.print(f"The network learns {trainer.parameters:,} numbers.")
    if trainer.remark:
        console.print(trainer.remark)
    console.print("Fitting the baseline and the novelty index ...")
    trainer.prepare()


class _Live(Progress):
    """The bar, and over it the curves where there is room for them."""

    def __init__(self, console: Console):
        self.curves: tuple[Curve, ...] = ()
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn(
                "{task.fields[left]} left, {task.fields[pace]:.3g} steps/s, "
                "{task.fields[speed]:,.0f} tokens/s"
            ),
            console=console,
        )

    def get_renderables(self) -> Iterator[RenderableType]:
        if self.curves and _has_room(self.console):
            yield draw(self.curves, min(self.console.width, WIDE), LINES)
        yield from super().get_renderables()


def _has_room(console: Console) -> bool:
    """Also for the letters themselves."""
    return console.width >= NARROW and console.height >= LOW and console.encoding == "utf-8"


class _Lines:
    """Moves the bar and the curves, and prints above them what an evaluation found."""

    def __init__(self, bar: _Live, trainer: Trainer):
        self._bar, self._trainer = bar, trainer
        self._task = bar.add_task("starting", total=None, left="?", pace=0.0, speed=0.0)

    def show(self, progress: records.Progress) -> None:
        self._bar.update(
            self._task,
            description=f"step {progress.step}, epoch {progress.epoch:.2f}, loss {progress.train_loss:.4f}",
            completed=progress.step,
            total=progress.steps,
            left=duration(progress.seconds_left),
            pace=progress.steps_per_second,
            speed=progress.tokens_per_second,
        )
        if progress.validation_loss is not None:
            self._evaluated(progress, progress.validation_loss)
            self._bar.curves = _curves(self._trainer.history, self._trainer.ngram_loss)
        if progress.note:
            self._bar.console.print(Text(f"  {progress.note}", style="yellow"))

    def _evaluated(self, progress: records.Progress, held_out_loss: float) -> None:
        line = Text.assemble(
            f"step {progress.step:>6}  training {progress.train_loss:.4f}  held out ",
            (f"{held_out_loss:.4f}", "bold"),
        )
        for text in progress.samples[:4]:
            line.append("  ·  ", style="dim").append_text(plain(text[:40]))
        line.truncate(self._bar.console.width, overflow="ellipsis")
        self._bar.console.print(line)


def _curves(history: Sequence[Measurement], ngram_loss: float) -> tuple[Curve, ...]:
    """None before there are two evaluations to draw a line between."""
    if len(history) < 2:
        return ()
    steps = tuple(row.step for row in history)
    return (
        Curve("5-gram", steps[:1], (ngram_loss,), "dim"),
        Curve("training", steps, tuple(row.train_loss for row in history), "yellow"),
        Curve("held out", steps, tuple(row.held_out_loss for row in history), "bold cyan"),
    )


def _report(console: Console, trainer: Trainer, trained: Trained) -> None:
    best, better = trained.best, trained.better
    console.print(f"Ended: {trained.result.note}.")
    console.print(f"Best held-out loss {best.held_out_loss:.4f} at step {best.step}.")
    if not trainer.is_counted:
        gain = trainer.ngram_loss - best.held_out_loss
        verdict = (
            f"{gain:.4f} better" if gain > 0 else f"{-gain:.4f} worse: more data, more steps or the n-gram"
        )
        console.print(f"5-gram {trainer.ngram_loss:.4f}: the model is {verdict}.")
    if trained.meta.test_loss is not None:
        console.print(f"Loss on what was kept apart to test with: {trained.meta.test_loss:.4f}.")
    if better:
        console.print(f"`best` is still an earlier run's, {better.held_out_loss:.4f} at step {better.step}.")
    console.print(f"{trained.folder}: weights, loss history, model card (README.md).")
    if trained.result.interrupted:
        console.print(f"The same command goes on from here: bot train {trainer.name}")
