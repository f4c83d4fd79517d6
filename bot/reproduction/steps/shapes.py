"""The tensors of a network with their shapes and how many numbers it learns, beside a plain network's."""

from collections.abc import Sequence

from bot.reports.sections import Figure, Section, Table
from bot.reproduction.lab import Lab

NOTE = "Rows x columns. An embedding's look-up is the product of a one-hot vector and a matrix of this shape."


def step(lab: Lab, models: tuple[str, ...], plain: tuple[int, int], title: str = "Shapes") -> Section:
    """plain: tokens C and units H of a network of one layer without gates and biases: 2HC + H^2 numbers.

    Figures: plain; for each model MODEL.parameters, MODEL.vocabulary.
    """
    tokens, units = plain
    figures: dict[str, Figure] = {"plain": float(2 * units * tokens + units**2)}
    tables = []
    for name in models:
        vocabulary = lab.vocabulary_size(name)
        shapes = _shapes(lab, name, vocabulary)
        figures |= {f"{name}.parameters": float(sum(count for *_, count in shapes))}
        figures |= {f"{name}.vocabulary": float(vocabulary)}
        tables.append(Table(f"{name}, {vocabulary:,} tokens", ("tensor", "shape", "numbers"), shapes, NOTE))
    formula = f"2HC + H² for C = {tokens:,} and H = {units:,}: {figures['plain']:,.0f}."
    return Section(title=title, prose=[formula], tables=tables, figures=figures)


def _shapes(lab: Lab, name: str, vocabulary: int) -> Sequence[tuple[str, str, int]]:
    model = lab.house.new_model(name, vocabulary)
    return [
        (what, " x ".join(f"{size:,}" for size in numbers.shape), numbers.numel())
        for what, numbers in model.named_parameters()
    ]
