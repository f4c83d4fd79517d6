"""A recipe run from beginning to end: steps bound, time estimated, trained, reported.

Run again it goes on where it was: nothing is trained twice.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.config.recipe import Recipe
from bot.model.checkpoint import make_folder, write_atomically
from bot.reports.page import PICTURES, html, markdown
from bot.reports.sections import Report, Section
from bot.reproduction import beside
from bot.reproduction.estimate import estimate, fit
from bot.reproduction.lab import Interrupted, Lab, Screen
from bot.reproduction.steps import Step, make_step

PAGE, TEXT = "report.html", "report.md"
SCALES = {
    "smoke": "Smoke scale: all steps, on models far smaller and shorter trained than the document's. Where a "
    "figure says nothing about the document's, its row says so.",
    "document": "The document's scale.",
}


def reproduce(recipe: Recipe, data: Path, folder: Path, screen: Screen, hours: float = 1.0) -> Path:
    """Run a recipe and write its report; the page's path.

    hours: what all trainings of the document's scale may take. Raises Interrupted once the report says how
    far it went, ConfigError, CorpusError.
    """
    lab = Lab(recipe, data, folder, screen)
    steps = [make_step(choice, lab) for choice in recipe.steps]
    for step in steps:
        lab.add(step.models(lab))
    trained = [name for step in steps for name in step.trains(lab)]
    if recipe.scale == "document":
        seconds = estimate(lab, dict.fromkeys(trained))
        for step in steps:
            seconds |= step.seconds(lab)
        if seconds:
            fit(lab, seconds, hours)
    sections: dict[str, Section] = {}
    try:
        for step in steps:
            sections[step.name] = _done(step, lab)
    except Interrupted as stop:
        write(report(lab, sections, f"{stop}."), folder)
        raise
    return write(report(lab, sections), folder)


def _done(step: Step, lab: Lab) -> Section:
    lab.tell(f"{step.name} ...")
    return step.section(lab)


def report(lab: Lab, sections: Mapping[str, Section], interrupted: str = "") -> Report:
    """What there is to tell. interrupted: why not all is there, "" if it is."""
    recipe = lab.recipe
    partial = [interrupted] if interrupted else []
    cut = {one.model: (one.share, one.goal) for one in lab.outcomes if one.share < 1} | lab.short
    partial += [
        f"{name} went to {share:.1%} of the document's {goal}." for name, (share, goal) in cut.items()
    ]
    return Report(
        title=recipe.title,
        document=recipe.document,
        scale=SCALES[recipe.scale],
        warning=recipe.warning,
        partial=" ".join(partial),
        beside=beside.rows(recipe, sections, bool(partial)),
        assumed=recipe.assumed,
        facts=list(_facts(recipe)),
        sections=sections,
    )


def _facts(recipe: Recipe) -> Iterator[str]:
    for name, file in recipe.data.items():
        yield " ".join(filter(None, (f"{name}: {file.what}. From {file.source}.", file.credit)))


def write(told: Report, folder: Path) -> Path:
    """Page, Markdown and pictures, each replaced in one step; the page's path."""
    make_folder(folder / PICTURES)
    text, pictures = markdown(told)
    for name, content in pictures.items():
        write_atomically(folder / name, content)
    write_atomically(folder / TEXT, text.encode())
    write_atomically(folder / PAGE, html(told).encode())
    return folder / PAGE
