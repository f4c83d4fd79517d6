"""Texts of models, as they come; nothing is filtered."""

from bot.config import SamplingSettings
from bot.reports.sections import Samples, Section
from bot.reproduction.lab import Lab
from bot.reproduction.sampling import draw, in_words

AS_EVER = SamplingSettings()


def step(
    lab: Lab,
    models: tuple[str, ...],
    sampling: SamplingSettings = AS_EVER,
    prefixes: tuple[str, ...] = (),
    count: int = 20,
    seed: int = 1,
    title: str = "Samples",
) -> Section:
    """So many texts of each model. prefixes: each text begins with one of these, drawn by chance.

    Figures: MODEL.first, the first text of each.
    """
    drawn = {
        model: [one.text for one in draw(lab, model, sampling, count, seed, prefixes)]
        for model in models
        if not lab.trained(model).failed
    }
    note = in_words(sampling, prefixes)
    return Section(
        title=title,
        samples=[
            Samples(model, texts, f"{note}, seed {seed}; nothing was chosen.")
            for model, texts in drawn.items()
        ],
        figures={f"{model}.first": texts[0] for model, texts in drawn.items() if texts},
    )
