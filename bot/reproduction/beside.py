"""Published figures beside ours: which measured value a row quotes, and what to say of the two."""

from collections.abc import Mapping

from bot.config.recipe import Recipe, Row, quoted
from bot.reports.sections import Beside, Figure, Section, shown

NOT_MEASURED = "not measured"
TOO_SMALL = "smoke scale: says nothing about the document's"


def rows(recipe: Recipe, sections: Mapping[str, Section], partial: bool) -> list[Beside]:
    """partial: whether trainings went to a fraction only."""
    return [_row(row, recipe, sections, partial) for row in recipe.published]


def _row(row: Row, recipe: Recipe, sections: Mapping[str, Section], partial: bool) -> Beside:
    found = [figure(name, sections) for name in quoted(row.ours)]
    ours = "; ".join(NOT_MEASURED if value is None else shown(value) for value in found)
    verdict = _verdict(row, found, sections)
    if row.document_scale and recipe.scale == "smoke":
        verdict = TOO_SMALL
    elif row.document_scale and partial:
        verdict = f"partial run. {verdict}"
    return Beside(row.id, row.what, row.published, ours, verdict, row.note)


def figure(name: str, sections: Mapping[str, Section]) -> Figure | None:
    """The measured value of STEP.NAME, None where there is none."""
    step, _, rest = name.partition(".")
    return sections[step].figures.get(rest) if step in sections else None


def _verdict(row: Row, found: list[Figure | None], sections: Mapping[str, Section]) -> str:
    if (said := figure(row.verdict, sections)) is not None:
        return shown(said)
    if row.value is not None and len(found) == 1 and found[0] is not None:
        return compared(found[0], row.value, row.tolerance)
    if found and all(value is None for value in found):
        return NOT_MEASURED
    return row.verdict


def compared(ours: Figure, published: Figure, tolerance: float) -> str:
    """In plain words."""
    if isinstance(ours, str) or isinstance(published, str):
        return "the same" if ours == published else "different"
    off = ours - published
    if off == 0:
        return "the same"
    size = f"{shown(abs(off))} {'above' if off > 0 else 'below'} the published {shown(published)}"
    if abs(off) <= tolerance:
        return f"similar: {size}, within {shown(tolerance)}"
    return f"different: {size}"
