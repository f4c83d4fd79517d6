"""The loss of a run, evaluation by evaluation, beside the n-gram that it has to beat."""

from collections.abc import Sequence

from bot.model.watch import Measurement
from bot.reports.drawing import BLUE, GREY, ORANGE, Drawing, label_ends, new_figure, styled

CAPTION = (
    "Loss is how surprised the model is by the next token: lower is better, 0 would be certainty. "
    "Training: on what it learns from, with dropout at work, mean since the evaluation before; held out: "
    "on items it never saw. Where the held-out line rises while the other falls, the model learns by "
    "heart."
)


def draw_losses(model: str, history: Sequence[Measurement], ngram_loss: float | None) -> Drawing:
    """Both losses over steps. history: at least one measurement."""
    title = f"{model}: {_finding(history, ngram_loss)}"
    with styled():
        figure = new_figure(9, 5.4, title, CAPTION, right=1.45)
        axes = figure.subplots()
        steps = [row.step for row in history]
        marker = "o" if len(steps) < 3 else ""
        axes.plot(steps, [row.train_loss for row in history], color=ORANGE, marker=marker)
        axes.plot(steps, [row.held_out_loss for row in history], color=BLUE, marker=marker, linewidth=2.6)
        ends = [(steps[-1], history[-1].train_loss, f"training {history[-1].train_loss:.3f}", ORANGE)]
        ends += [(steps[-1], history[-1].held_out_loss, f"held out {history[-1].held_out_loss:.3f}", BLUE)]
        if ngram_loss is not None:
            axes.axhline(ngram_loss, color=GREY, linestyle=(0, (4, 3)), linewidth=1.4)
            ends += [(steps[-1], ngram_loss, f"5-gram {ngram_loss:.3f}", GREY)]
        best = _best(history)
        axes.plot(
            best.step,
            best.held_out_loss,
            "o",
            color=BLUE,
            markersize=9,
            markerfacecolor="white",
            clip_on=False,
        )
        axes.set(xlabel="step", ylabel="loss, nats per token", xlim=(0, max(steps)))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        label_ends(axes, ends)
    return Drawing("losses", figure, title, _text(history, ngram_loss))


def _finding(history: Sequence[Measurement], ngram_loss: float | None) -> str:
    best = _best(history)
    found = f"held-out loss {best.held_out_loss:.3f} at step {best.step:,}"
    if ngram_loss is None:
        return found
    gain = ngram_loss - best.held_out_loss
    return f"{found}, {abs(gain):.3f} {'below' if gain > 0 else 'above'} the 5-gram"


def _text(history: Sequence[Measurement], ngram_loss: float | None) -> str:
    first, last, best = history[0], history[-1], _best(history)
    line = "" if ngram_loss is None else f" A dashed line marks the 5-gram's loss, {ngram_loss:.3f}."
    return (
        f"Two lines over the steps {first.step:,} to {last.step:,}. "
        f"Training loss: from {first.train_loss:.3f} to {last.train_loss:.3f}. "
        f"Held-out loss: from {first.held_out_loss:.3f} to {last.held_out_loss:.3f}, "
        f"lowest at step {best.step:,} with {best.held_out_loss:.3f}, marked by a ring.{line} {CAPTION}"
    )


def _best(history: Sequence[Measurement]) -> Measurement:
    return min(history, key=lambda row: row.held_out_loss)
