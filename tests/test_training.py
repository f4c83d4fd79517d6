"""The training loop: what it learns, what it survives, and that it goes on exactly where it stood."""

import math
import signal
import threading
from collections.abc import Callable, Sequence
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bot.errors import BotError, CheckpointError, TrainingError
from bot.model.batches import ItemBatches
from bot.model.evaluation import evaluate
from bot.model.language_model import LanguageModel, begin_evenly
from bot.model.schedule import learning_rate, share_done
from bot.model.training import Result, train
from bot.model.training_state import Position, changes, load, load_losses, shaping, store
from bot.model.watch import Measurement
from bot.records import Progress
from bot.text.vocabulary import END, START
from tests.models import cell_makers, small_model, training_settings

NAMES = [[3 + (row * step) % 17 for step in range(1, 2 + row % 6)] for row in range(40)]  # short items
NOVEL = [[3 + (step * step) % 17 for step in range(60)], [3 + (5 * step) % 17 for step in range(45)]]  # long


def ignore(*_: object) -> None:
    """What is called while training, where a test does not care."""


def run(
    model: LanguageModel,
    state_file: Path,
    train_ids: Sequence[Sequence[int]] = NAMES,
    progress: Callable[[Progress], None] = ignore,
    save: Callable[[LanguageModel, Sequence[Measurement]], None] = ignore,
    resume: bool = False,
    sample: Callable[[LanguageModel], Sequence[str]] | None = None,
    evaluations: int = 0,
    about: dict[str, Any] | None = None,
    **settings: Any,
) -> Result:
    """Train for a moment; the clock ticks a second at every look."""
    ticks = count()
    return train(
        model,
        train_ids,
        NAMES[:5],
        training_settings(**settings),
        save=save,
        progress=progress,
        state_file=state_file,
        sample=sample,
        resume=resume,
        evaluations=evaluations,
        about=about,
        clock=lambda: float(next(ticks)),
    )


def weights(model: LanguageModel) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "run.safetensors"


def test_it_learns_a_line_by_heart(state_file: Path) -> None:
    """A network large enough for one line comes to know it."""
    line = list(range(3, 15))
    model = small_model()

    result = run(
        model,
        state_file,
        [line] * 8,
        max_steps=150,
        learning_rate=0.05,
        schedule="constant",
        evaluate_every=150,
    )

    assert result.history[-1].train_loss < 1
    assert evaluate(model, ItemBatches([line], 4, 32)) < 0.05


def test_the_first_loss_is_near_guessing(state_file: Path) -> None:
    """Before it has learnt anything a network is about as good as even guesses, ln V."""
    reports: list[Progress] = []

    run(small_model(), state_file, progress=reports.append, max_steps=1)

    assert reports[0].train_loss == pytest.approx(math.log(20), abs=0.3)


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("train_ids", [NAMES, NOVEL], ids=["items", "streams"])
def test_an_interrupted_run_goes_on_bit_by_bit(
    state_file: Path, train_ids: list[list[int]], optimizer: str
) -> None:
    """Ctrl-C after any step, then resume: weights and history equal those of a run that never stopped."""
    options: dict[str, Any] = {
        "train_ids": train_ids,
        "optimizer": optimizer,
        "sequence_length": 8,
        "weight_dropout": 0.3,
    }
    straight = small_model()
    expected = run(straight, state_file, **options)

    resumed = small_model()
    run(resumed, state_file, progress=interrupt_at(6), **options)
    other_process = small_model()
    result = run(other_process, state_file, resume=True, **options)

    assert torch.equal(weights(other_process), weights(straight))
    assert result == expected
    assert not torch.equal(weights(resumed), weights(straight))


@pytest.mark.parametrize("seconds", [10.0**place for place in range(8)])
def test_a_kept_state_comes_back_where_torch_would_have_put_it(tmp_path: Path, seconds: float) -> None:
    """Wherever it lies in the file: a matrix product may round otherwise by where its tensors begin."""
    state = {"carried.0.0": torch.randn(8, 8), "model.weight": torch.randn(8, 8)}
    store(tmp_path / "state", Position(seconds=seconds), state)

    _, loaded = load(tmp_path / "state")

    assert [tensor.data_ptr() % 64 for tensor in loaded.values()] == [0, 0]


def interrupt_at(step: int) -> Callable[[Progress], None]:
    """Press Ctrl-C after that step."""
    return lambda progress: signal.raise_signal(signal.SIGINT) if progress.step == step else None


def test_an_interrupted_run_saves_its_model(state_file: Path) -> None:
    """Ctrl-C loses nothing: the present weights are measured and saved, the history stays as it was."""
    saved: list[tuple[int, ...]] = []

    result = run(
        small_model(),
        state_file,
        progress=interrupt_at(6),
        save=lambda _, history: saved.append(tuple(row.step for row in history)),
    )

    assert result.interrupted
    assert result.note == "interrupted"
    assert saved == [(4,), (4, 6)]
    assert [row.step for row in result.history] == [4]


def test_a_second_interrupt_is_not_held_back(state_file: Path) -> None:
    """Who presses Ctrl-C twice does not wait; the stored state is still whole."""

    before = signal.getsignal(signal.SIGINT)

    def twice(progress: Progress) -> None:
        if progress.step == 6:
            signal.raise_signal(signal.SIGINT)
            while signal.getsignal(signal.SIGINT) is not before:
                pass  # Python hears a signal between two instructions, not always the next two
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(small_model(), state_file, progress=twice)
    assert run(small_model(), state_file, resume=True).history[-1].step == 12


def test_the_same_seed_gives_the_same_run(state_file: Path) -> None:
    """Losses are equal to the last bit, and another seed gives others."""
    first = run(small_model(), state_file)
    torch.rand(3)
    again = run(small_model(), state_file)
    other = run(small_model(), state_file, seed=2)

    assert first == again
    assert first.history[-1].train_loss != other.history[-1].train_loss


def test_sampling_while_training_changes_nothing(state_file: Path) -> None:
    """Samples are reported at evaluations; what they draw does not touch the run or the caller."""
    plain, sampled, reports = small_model(), small_model(), []
    run(plain, state_file)
    before = torch.get_rng_state()

    run(
        sampled,
        state_file,
        progress=reports.append,
        sample=lambda model: [f"{torch.rand(()):.0f}"],
    )

    assert torch.equal(weights(plain), weights(sampled))
    assert torch.equal(torch.get_rng_state(), before)
    assert [bool(report.samples) for report in reports] == [False, False, False, True] * 3


def broken(model: LanguageModel, at: Callable[[int], bool]) -> LanguageModel:
    """The model with logits that are infinite in those training passes, counted from 1."""
    passes = count(1)

    def spoil(_module: object, _inputs: object, logits: Tensor) -> Tensor:
        return logits * math.inf if torch.is_grad_enabled() and at(next(passes)) else logits

    model.head.register_forward_hook(spoil)
    return model


def test_a_step_that_is_not_finite_is_skipped(state_file: Path) -> None:
    """The weights stay as they were, the run goes on and says what happened."""
    model, seen = broken(small_model(), at=lambda step: step == 3), {}

    def look(progress: Progress) -> None:
        seen[progress.step] = (weights(model), progress.note)

    result = run(model, state_file, progress=look)

    assert torch.equal(seen[3][0], seen[2][0])
    assert seen[3][1] == "a step was skipped: its gradient was not finite"
    assert not torch.equal(seen[4][0], seen[3][0])
    assert [row.step for row in result.history] == [4, 8, 12]


def test_steps_that_stay_broken_lead_back_to_the_last_good_weights(state_file: Path) -> None:
    """Five in a row: the weights of the last evaluation come back and the rate is halved."""
    model, seen = broken(small_model(), at=lambda step: 6 <= step <= 10), {}

    def look(progress: Progress) -> None:
        seen[progress.step] = (weights(model), progress)

    result = run(model, state_file, progress=look, schedule="constant", warmup_steps=0)

    assert torch.equal(seen[10][0], seen[8][0])
    assert "back to the last good weights" in seen[10][1].note
    assert seen[11][1].learning_rate == seen[4][1].learning_rate / 2
    assert result.history[-1].step == 12


def torn(model: LanguageModel, at: Callable[[int], bool], factor: float) -> LanguageModel:
    """The model whose embedding's gradient is multiplied in those training passes, counted from 1."""
    passes = count(1)

    def tear(gradient: Tensor) -> Tensor:
        return gradient * factor if at(next(passes)) else gradient

    model.embedding.weight.register_hook(tear)
    return model


UNCUT: dict[str, Any] = {"shards": 1, "schedule": "constant", "warmup_steps": 0, "max_steps": 60}


def test_a_gradient_that_explodes_is_not_followed(state_file: Path) -> None:
    """A finite but absurd norm, seen before it is clipped: the weights stay as they were, the run goes on."""
    model, seen = torn(small_model(), at=lambda step: step == 30, factor=1e8), {}

    def look(progress: Progress) -> None:
        seen[progress.step] = (weights(model), progress.note, progress.gradient_norm)

    result = run(model, state_file, progress=look, **UNCUT)

    assert torch.equal(seen[30][0], seen[29][0])
    assert seen[30][1].startswith("a step was skipped: its gradient exploded (norm ")
    assert seen[30][2] > 1e4 > 1e3 * seen[29][2]
    assert not torch.equal(seen[31][0], seen[30][0])
    assert result.history[-1].gradient_norm < 10  # a step that was not made is in no mean


def test_gradients_that_go_on_exploding_lead_back(state_file: Path) -> None:
    """Five in a row: the last good weights, half the rate, and why."""
    model, seen = torn(small_model(), at=lambda step: 33 <= step < 38, factor=1e8), {}

    def look(progress: Progress) -> None:
        seen[progress.step] = (weights(model), progress)

    run(model, state_file, progress=look, evaluate_every=10, **UNCUT)

    assert torch.equal(seen[37][0], seen[30][0])
    assert not torch.equal(seen[37][0], seen[32][0])
    assert seen[37][1].note.startswith("5 steps in a row were skipped: its gradient exploded")
    assert seen[37][1].note.endswith("back to the last good weights, at half the learning rate")
    assert seen[40][1].learning_rate == seen[4][1].learning_rate / 2


def test_a_gradient_that_never_arrives_is_named(state_file: Path) -> None:
    """Sixteen layers of lstm: next to nothing of the gradient reaches the first, and the loss stays."""
    notes: list[str] = []

    model = small_model(layers=16)

    result = run(model, state_file, progress=lambda now: notes.append(now.note), max_steps=125)

    assert result.history[-1].gradient_reach < 1e-6
    assert any(note.startswith("vanishing gradients: only ") for note in notes)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "mi_lstm"])
def test_a_healthy_run_is_let_alone(state_file: Path, cell: str) -> None:
    """Nothing is skipped, rolled back or remarked on."""
    notes: list[str] = []

    run(small_model(cell), state_file, progress=lambda now: notes.append(now.note), max_steps=200)

    assert set(notes) == {""}


def test_a_hopeless_run_ends_with_what_was_good(state_file: Path) -> None:
    """If lower rates do not help either the run ends, in plain words, and has saved finite weights only."""
    saved: list[bool] = []
    model = broken(small_model(), at=lambda step: step > 4)

    result = run(
        model,
        state_file,
        max_steps=100,
        save=lambda model, _: saved.append(bool(weights(model).isfinite().all())),
    )

    assert result.note.startswith("given up: ")
    assert result.best is not None
    assert result.best.step == 4
    assert saved == [True]
    assert weights(model).isfinite().all()


def test_a_rate_far_too_high_is_lowered(state_file: Path) -> None:
    """A run that diverges at an evaluation goes back and on at a lower rate; nothing of it is saved."""
    notes: list[str] = []
    run(
        small_model(),
        state_file,
        progress=lambda progress: notes.append(progress.note),
        optimizer="sgd",
        learning_rate=1e6,
        gradient_clip=1e6,
        schedule="constant",
        warmup_steps=0,
    )

    assert any(note.startswith("diverged: the training loss is") for note in notes)


def test_a_spike_that_is_over_is_no_divergence(state_file: Path) -> None:
    """A few steps far above all bounds, then as before: the run is not taken back."""
    model, passes, notes = small_model(), count(1), []

    def spoil(_module: object, _inputs: object, logits: Tensor) -> Tensor:
        return logits * 1e4 if torch.is_grad_enabled() and next(passes) in (5, 6) else logits

    model.head.register_forward_hook(spoil)
    result = run(
        model,
        state_file,
        progress=lambda now: notes.append(now.note),
        evaluate_every=12,
        learning_rate=1e-4,
        shards=1,
    )

    assert not any("diverged" in note for note in notes)
    assert [row.step for row in result.history] == [12]
    assert result.history[0].train_loss > 100


def test_a_run_brought_back_once_is_judged_anew(state_file: Path) -> None:
    """The losses of the steps that were taken back do not count against the steps after them."""
    notes: list[str] = []
    model = small_model()

    def spoil(progress: Progress) -> None:
        notes.append(progress.note)
        if progress.step == 6:
            with torch.no_grad():
                model.head.bias.copy_(1e4 * torch.randn(20))

    result = run(model, state_file, progress=spoil, max_steps=16)

    assert [note.partition(":")[0] for note in notes if note] == ["diverged"]
    assert [row.step for row in result.history] == [4, 12, 16]
    assert result.history[-1].train_loss < 4


def test_who_stops_a_run_that_diverges_goes_back_to_what_was_good(state_file: Path) -> None:
    """Ctrl-C between the disaster and its discovery, twice: the run goes on as if it had not been stopped."""
    notes: list[str] = []
    model = small_model()

    def spoil(progress: Progress) -> None:
        if progress.step == 5:
            with torch.no_grad():
                model.head.bias.copy_(1e4 * torch.randn(20))
        if progress.step == 6:
            signal.raise_signal(signal.SIGINT)

    run(model, state_file, progress=spoil, max_steps=16)
    run(small_model(), state_file, progress=interrupt_at(7), max_steps=16, resume=True)
    result = run(
        small_model(),
        state_file,
        progress=lambda now: notes.append(now.note),
        max_steps=16,
        resume=True,
    )

    assert [note.partition(":")[0] for note in notes if note] == ["diverged"]
    assert [row.step for row in result.history] == [4, 12, 16]
    assert result.history[-1].train_loss < 4


def test_a_training_does_not_die_of_its_samples(state_file: Path) -> None:
    """A model that cannot be sampled is told of, and trained on."""
    notes: list[str] = []

    def sample(_: object) -> list[str]:
        raise BotError("it writes no numbers")

    result = run(small_model(), state_file, progress=lambda now: notes.append(now.note), sample=sample)

    assert result.history[-1].step == 12
    assert notes.count("it writes no numbers") == 3


def test_it_stops_when_nothing_gets_better(state_file: Path) -> None:
    """After `patience` evaluations without a better loss the run ends early."""
    result = run(small_model(), state_file, optimizer="sgd", learning_rate=1e-12, patience=2, max_steps=1000)

    assert result.note == "stopped early: no better held-out loss in 2 evaluations"
    assert len(result.history) <= 5


def test_a_run_can_be_measured_in_epochs(state_file: Path) -> None:
    """Whole passes over the corpus, and an evaluation after the last."""
    reports: list[Progress] = []

    result = run(small_model(), state_file, progress=reports.append, max_epochs=3, max_steps=10_000)

    assert result.note == "all 3 epochs done"
    assert result.history[-1].epoch == 3.0
    assert result.history[-1].step == 30


def test_a_finished_run_can_be_made_longer(state_file: Path) -> None:
    """More steps than before, resumed: training in stages."""
    run(small_model(), state_file, schedule="constant")

    result = run(small_model(), state_file, schedule="constant", max_steps=20, resume=True)

    assert [row.step for row in result.history] == [4, 8, 12, 16, 20]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"learning_rate": 0.5}, r"learning_rate 0\.01 \(now 0\.5\)"),
        ({"seed": 3, "dropout": 0.0}, r"dropout 0\.2 \(now 0\.0\), seed 1 \(now 3\)"),
        ({"train_ids": NAMES[1:]}, "other texts"),
        ({"about": {"tokenizer": "words"}}, r"tokenizer characters \(now words\)"),
    ],
)
def test_another_run_is_not_resumed(state_file: Path, change: dict[str, Any], named: str) -> None:
    """Other settings are named with both values, other texts and another network are named, and refused."""
    about = {"tokenizer": "characters"}
    run(small_model(), state_file, about=about)

    with pytest.raises(TrainingError, match=f"begun with {named}; --fresh"):
        run(small_model(), state_file, resume=True, **{"about": about, **change})
    with pytest.raises(TrainingError, match="begun with another network; --fresh"):
        run(small_model("gru"), state_file, resume=True, about=about)


@pytest.mark.parametrize("options", [{"nonlinearity": "relu"}, {}])
def test_a_network_of_the_same_shape_is_another_one(state_file: Path, options: dict[str, Any]) -> None:
    """Another option of its cell, or a norm before the head, is another run."""
    run(small_model("rnn"), state_file)
    cell = cell_makers()["rnn"](6, 8, **options)
    other = LanguageModel([cell], vocabulary_size=20, embedding_size=6, head_norm=not options)

    with pytest.raises(TrainingError, match="begun with another network;"):
        run(other, state_file, resume=True)


@pytest.mark.parametrize("content", [None, b"", b"\xff" * 100, b"\x02\0\0\0\0\0\0\0{}"])
def test_what_is_no_state_is_refused(state_file: Path, content: bytes | None) -> None:
    """A missing or foreign file is named."""
    if content is not None:
        state_file.write_bytes(content)

    with pytest.raises(CheckpointError, match=r"run\.safetensors"):
        run(small_model(), state_file, resume=True)


def test_it_trains_outside_the_main_thread_too(state_file: Path) -> None:
    """Where Ctrl-C cannot be heard, training works all the same."""
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(run(small_model(), state_file)))

    thread.start()
    thread.join()

    assert results[0].history[-1].step == 12


def test_nothing_to_learn_from_is_an_error(state_file: Path) -> None:
    """An empty corpus is said to be one."""
    with pytest.raises(TrainingError, match="0 items to train on, 5 held out"):
        run(small_model(), state_file, [])


def test_a_run_can_be_measured_in_minutes(state_file: Path) -> None:
    """By the clock: the rate falls with it, and it stops when the minutes are used."""
    reports: list[Progress] = []

    result = run(
        small_model(),
        state_file,
        progress=reports.append,
        max_minutes=1,
        max_steps=10_000,
        warmup_steps=0,
    )

    assert result.note == "the one minute used"
    assert result.history[-1].step == 31  # two looks at the clock a step, a second each
    rates = [report.learning_rate for report in reports]
    assert rates == sorted(rates, reverse=True)
    assert reports[15].learning_rate == pytest.approx(0.005, rel=0.1)
    assert reports[-1].learning_rate < 0.0003


def test_whichever_is_further_on_lowers_the_rate() -> None:
    """With steps and minutes set, the run goes by the clock where it is well ahead, else by its steps."""
    settings = training_settings(max_steps=100, max_minutes=10, warmup_steps=0)

    assert learning_rate(settings, 50, 1.0, 120.0) == learning_rate(settings, 50, 1.0, 0.0)
    assert learning_rate(settings, 10, 1.0, 300.0) == pytest.approx(learning_rate(settings, 50, 1.0, 0.0))
    assert share_done(settings, 10, 1.0, 300.0) == 0.5
    assert share_done(settings, 50, 1.0, 120.0) == 0.5


def test_a_run_that_its_steps_end_knows_no_clock(state_file: Path) -> None:
    """With minutes to spare it is the same bit by bit, interrupted or not, though its steps take a while."""
    straight, slow = small_model(), small_model()
    run(straight, state_file, max_minutes=None)

    run(slow, state_file, progress=interrupt_at(6), max_minutes=10)
    result = run(slow, state_file, max_minutes=10, resume=True)

    assert result.note == "all 12 steps done"
    assert torch.equal(weights(slow), weights(straight))


@pytest.mark.parametrize(
    ("ends", "steps"),
    [
        ({"max_steps": 160}, list(range(20, 161, 20))),
        ({"max_steps": 50}, [20, 40, 50]),
        ({"max_steps": 10_000, "max_epochs": 16}, list(range(20, 161, 20))),  # of ten batches each
    ],
)
def test_a_short_run_is_measured_often_enough(
    state_file: Path, ends: dict[str, Any], steps: list[int]
) -> None:
    """About eight times, however rarely it should be, but not more often than every twenty steps."""
    result = run(small_model(), state_file, evaluations=8, evaluate_every=250, **ends)

    assert [row.step for row in result.history] == steps


def test_a_run_of_few_minutes_is_measured_often_enough(state_file: Path) -> None:
    """By the clock: two looks at it a step, a second each, make 240 steps."""
    result = run(
        small_model(), state_file, evaluations=8, evaluate_every=250, max_minutes=8, max_steps=10_000
    )

    steps = [0, *(row.step for row in result.history)]
    assert {now - before for before, now in pairwise(steps)} == {30, 31}


@pytest.mark.parametrize("ends", [{"max_steps": 100}, {"max_steps": 10_000, "max_epochs": 10}])
def test_what_is_measured_often_enough_goes_on_bit_by_bit(state_file: Path, ends: dict[str, Any]) -> None:
    """Interrupted between two of its evaluations, too: the same history."""
    options: dict[str, Any] = {"evaluations": 8, "evaluate_every": 250, **ends}
    expected = run(small_model(), state_file, **options)

    run(small_model(), state_file, progress=interrupt_at(33), **options)

    assert run(small_model(), state_file, resume=True, **options) == expected


def test_a_short_run_warms_up_shortly() -> None:
    """In a tenth of its steps, and not in two thirds of them."""
    short = training_settings(max_steps=150, warmup_steps=100, schedule="constant")
    long = training_settings(max_steps=10_000, warmup_steps=100, schedule="constant")

    rates = [[learning_rate(which, step, 0.0, 0.0) for step in range(120)] for which in (short, long)]

    assert [rate.index(0.01) for rate in rates] == [15, 99]
    assert 0 < rates[0][0] < rates[0][7] < 0.01


def test_minutes_are_those_of_all_processes(state_file: Path) -> None:
    """A run gone on with has used up what it had used before."""
    options: dict[str, Any] = {"max_minutes": 1, "max_steps": 10_000}
    run(small_model(), state_file, progress=interrupt_at(20), **options)

    result = run(small_model(), state_file, resume=True, **options)

    assert result.note == "the one minute used"
    assert 30 <= result.history[-1].step <= 33


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_what_is_measured_is_what_is_saved(state_file: Path, share: float) -> None:
    """Both have the mean of the weights; without one both have the newest."""
    model, saved, newest = small_model(), [], []
    held_out = ItemBatches(NAMES[:5], 4, 8)

    result = run(
        model,
        state_file,
        averaging=share,
        save=lambda model, _: saved.append(evaluate(model, held_out)),
        progress=lambda progress: (
            newest.append(evaluate(model, held_out)) if progress.validation_loss else None
        ),
    )

    assert [row.held_out_loss for row in result.history] == saved
    assert (saved == newest) == (share == 0)


def test_progress_tells_speed_and_time_left(state_file: Path) -> None:
    """Tokens a second and seconds left follow the clock."""
    reports: list[Progress] = []

    run(small_model(), state_file, [[3] * 7] * 40, progress=reports.append)

    assert {report.tokens_per_second for report in reports} == {4 * 8}  # a batch a tick
    assert reports[0].seconds_left > reports[5].seconds_left > reports[-1].seconds_left == 0
    assert [report.steps for report in reports] == [12] * 12
    assert [report.step for report in reports if report.validation_loss] == [4, 8, 12]


@pytest.mark.parametrize("sequence_length", [3, 100])
def test_the_held_out_loss_is_the_mean_over_whole_items(sequence_length: int) -> None:
    """Item by item from the zero state, the end mark counted; windows and padding change nothing."""
    model = small_model()
    total, tokens = 0.0, 0
    for item in NAMES:
        logits, _ = model(torch.tensor([START, *item])[:, None])
        total -= logits.log_softmax(-1)[:, 0].gather(1, torch.tensor([*item, END])[:, None]).sum().item()
        tokens += len(item) + 1

    assert evaluate(model, ItemBatches(NAMES, 7, sequence_length)) == pytest.approx(total / tokens, abs=1e-5)


def test_a_gradient_is_clipped_by_value(state_file: Path) -> None:
    """Each of its numbers is bounded, and not their norm; null bounds nothing."""
    after = {}
    for bound, by in ((1e-3, "value"), (1e-3, "norm"), (None, "norm")):
        model = small_model()
        before = weights(model)
        settings = {
            "optimizer": "sgd",
            "learning_rate": 1.0,
            "max_steps": 1,
            "averaging": 0.0,
            "evaluate_every": 1,
        }
        run(model, state_file, **UNCUT | settings | {"gradient_clip": bound, "clip_by": by})
        after[bound, by] = (weights(model) - before).abs()

    assert after[1e-3, "value"].max() == pytest.approx(1e-3, rel=1e-3)
    assert after[1e-3, "value"].norm() > 1e-3 > after[1e-3, "norm"].max()
    assert after[1e-3, "norm"].norm() == pytest.approx(1e-3, rel=1e-3)
    assert after[None, "norm"].norm() > 10 * after[1e-3, "value"].norm()


def test_weights_begin_evenly_where_they_shall() -> None:
    """Within the bound, but for the forget bias, which begins about 1; the same seed gives the same."""
    model, again = small_model(), small_model()
    begin_evenly(model, 0.08, seed=123)
    begin_evenly(again, 0.08, seed=123)

    matrices = torch.cat([one.detach().flatten() for one in model.parameters() if one.dim() > 1])
    forget = model.cells[0].bias.detach().chunk(4)[1]
    assert matrices.abs().max() <= 0.08
    assert matrices.std() == pytest.approx(0.08 / math.sqrt(3), rel=0.1)
    assert ((forget - 1).abs() <= 0.08).all()
    assert torch.equal(weights(model), weights(again))


def test_every_steps_loss_is_kept_with_the_run(state_file: Path) -> None:
    """Also across an interruption; not a number where a step was skipped. What the watch said is there."""
    spoilt = {"at": lambda step: step == 3}
    run(broken(small_model(), **spoilt), state_file, progress=interrupt_at(6))
    result = run(small_model(), state_file, resume=True)

    position, losses = load_losses(state_file)

    assert len(losses) == 12
    assert [math.isnan(loss) for loss in losses].index(True) == 2
    assert position.notes == [(3, "a step was skipped: its gradient was not finite")]
    assert position.history == list(result.history)


def test_a_run_may_give_up_at_once(state_file: Path) -> None:
    """Without roll-backs a run that diverges ends there, and what there is to tell of it is stored."""
    model = broken(small_model(), at=lambda step: step > 6)

    result = run(model, state_file, max_steps=100, rollbacks=0)

    position, losses = load_losses(state_file)
    assert result.gave_up
    assert position.ended == "given up: the losses left all bounds" == result.note
    assert [math.isnan(loss) for loss in losses] == [False] * 6 + [True] * 5
    assert position.notes[-1][1].startswith("5 steps in a row were skipped")


def test_a_run_from_before_a_setting_goes_on(state_file: Path) -> None:
    """What an older program did not store is what is the default now."""
    stored = shaping(training_settings())
    old = {name: value for name, value in stored.items() if name not in ("layout", "clip_by")}

    assert changes(old, stored) == []
    assert changes(stored, stored | {"layout": "stream"}) == ["layout auto (now stream)"]


@pytest.mark.parametrize("layout", ["stream", "excerpts"])
def test_other_layouts_are_gone_on_with_bit_by_bit(state_file: Path, layout: str) -> None:
    """Interrupted and gone on with, weights and losses equal those of a run that never stopped."""
    options: dict[str, Any] = {"train_ids": NOVEL, "layout": layout, "max_steps": 9, "batch_size": 2}
    straight = small_model()
    expected = run(straight, state_file, **options)

    run(small_model(), state_file, progress=interrupt_at(6), **options)
    other_process = small_model()
    result = run(other_process, state_file, resume=True, **options)

    assert torch.equal(weights(other_process), weights(straight))
    assert result == expected
