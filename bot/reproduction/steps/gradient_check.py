"""A network's gradients against finite differences: some numbers of every tensor, moved a little each way.

In double precision, on the first tokens of a real text, with the weights that a training begins with.
"""

from bot.model.differences import EACH, check
from bot.model.language_model import LanguageModel
from bot.reports.sections import Figure, Section, Table
from bot.reproduction.lab import Lab

TOKENS = 12  # of the text
NOTE = (
    "Largest relative error |a - n| / (|a| + |n|) over the numbers that were moved, a from back-propagation, "
    "n = (L(w + h) - L(w - h)) / 2h with h = 1e-5; what it is divided by is 1e-4 at least, since differences "
    "of losses near 9 are not exact."
)


def step(lab: Lab, models: tuple[str, ...], title: str = "Gradient check") -> Section:
    """Figures, for each model: MODEL.error, the largest of all; MODEL.checked, how many numbers."""
    figures: dict[str, Figure] = {}
    tables = []
    for name in models:
        with lab.opened(name) as trainer:
            ids, size = trainer.train_ids[0][: TOKENS + 1], trainer.vocabulary_size
        model = lab.house.new_model(name, size)
        assert isinstance(model, LanguageModel)
        errors = check(model, ids)
        figures |= {f"{name}.error": max(errors.values()), f"{name}.checked": float(EACH * len(errors))}
        rows = [(what, f"{error:.1e}") for what, error in errors.items()]
        tables.append(Table(name, ("tensor", "largest relative error"), rows, NOTE))
    return Section(title=title, tables=tables, figures=figures)
