"""A report as one HTML file that needs nothing beside it, and as Markdown with its pictures.

The page is light or dark as the reader's system is, and reads on a phone: broad tables become cards. It does
not know what is reported. Whatever stands in a section is text: it is escaped.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from bot.reports.drawing import BLUE, GREEN, GREY, INK, ORANGE, PALE, PURPLE, SKY, YELLOW, Drawing
from bot.reports.markdown import fenced, plain
from bot.reports.sections import Beside, Cell, Report, Samples, Section, Table, shown

STYLE = Path(__file__).with_name("page.css")
PICTURES = "pictures"  # the folder beside the Markdown
NUMBER = re.compile(r"[+-]?\d[\d,]*(\.\d+)?( ?%)?")  # written out
RIGHT = ' class="number"'
COLUMNS = ("", "what", "published", "ours", "verdict")  # of what stands side by side
THEME = {  # colours of drawings that follow the page from light to dark
    "#ffffff": "card",
    INK: "ink",
    GREY: "soft",
    PALE: "line",
    BLUE: "blue",
    ORANGE: "orange",
    GREEN: "green",
    PURPLE: "purple",
    SKY: "sky",
    YELLOW: "yellow",
}


def html(report: Report) -> str:
    """The whole page."""
    sections = [_section(number, section) for number, section in enumerate(report.sections.values(), start=1)]
    body = "\n".join([*_head(report), *sections, *_lists(report)])
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n"
        f"</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _head(report: Report) -> Iterator[str]:
    yield f"<header>\n<h1>{escape(report.title)}</h1>"
    yield f'<p class="soft">After {escape(report.document)}</p>'
    if report.warning:
        yield f'<p class="warning"><strong>Content warning.</strong> {escape(report.warning)}</p>'
    if report.partial:
        yield f'<p class="partial"><strong>PARTIAL.</strong> {escape(report.partial)}</p>'
    yield f"<p>{escape(report.scale)}</p>\n</header>"
    if report.beside:
        yield '<section aria-labelledby="beside">\n<h2 id="beside">Published and ours</h2>'
        yield f"{_beside(report.beside)}</section>"


def _beside(rows: Iterable[Beside]) -> str:
    lines = []
    for row in rows:
        note = f'<br><span class="soft">{escape(row.note)}</span>' if row.note else ""
        cells = (row.id, row.what, row.published, row.ours or "–", row.verdict)
        tags = [f'<th scope="row">{escape(cells[0])}</th>']
        tags += [
            f'<td data-label="{name}"><span>{escape(cell)}{note if name == "verdict" else ""}</span></td>'
            for name, cell in zip(COLUMNS[1:], cells[1:], strict=True)
        ]
        lines.append(f"<tr>{''.join(tags)}</tr>")
    heads = '<th scope="col"><span class="unseen">id</span></th>' + "".join(
        f'<th scope="col">{name}</th>' for name in COLUMNS[1:]
    )
    return (
        f'<table class="cards"><thead><tr>{heads}</tr></thead>\n<tbody>\n'
        + "\n".join(lines)
        + "\n</tbody></table>\n"
    )


def _section(number: int, section: Section) -> str:
    name = f"s{number}"
    parts = [f'<section aria-labelledby="{name}">\n<h2 id="{name}">{escape(section.title)}</h2>']
    parts += [f"<p>{escape(sentence)}</p>" for sentence in section.prose]
    parts += [_table(table) for table in section.tables]
    parts += [_figure(f"{name}-{at}", drawing) for at, drawing in enumerate(section.drawings, 1)]
    parts += [_samples(samples) for samples in section.samples]
    return "\n".join([*parts, "</section>"])


def _table(table: Table) -> str:
    kinds = [_kind([row[at] for row in table.rows]) for at in range(len(table.columns))]
    pairs = zip(table.columns, kinds, strict=True)
    heads = "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for name, kind in pairs)
    rows = "\n".join(f"<tr>{''.join(map(_cell, row, kinds))}</tr>" for row in table.rows)
    note = f'<p class="soft">{escape(table.note)}</p>' if table.note else ""
    title = escape(table.title)
    return (
        f'<div class="wide" role="region" aria-label="{title}" tabindex="0">\n<table>\n<caption>{title}'
        f"</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>\n{note}"
    )


def _kind(column: Iterable[Cell]) -> str:
    """Numbers stand to the right, those that are written out too, and so does their column's name."""
    numbers = all(not isinstance(value, str) or NUMBER.fullmatch(value) for value in column)
    return RIGHT if numbers else ""


def _cell(value: Cell, kind: str) -> str:
    """kind: of its column."""
    return f"<td{kind if isinstance(value, str | None) else RIGHT}>{escape(shown(value))}</td>"


def _figure(name: str, drawing: Drawing) -> str:
    return (
        f"<figure>\n{inline(name, drawing.svg().decode())}\n<figcaption><details><summary>In words</summary>"
        f"<p>{escape(drawing.text)}</p></details></figcaption>\n</figure>"
    )


def inline(name: str, svg: str) -> str:
    """An SVG file as a part of a page: its ids begin with `name`, its colours follow the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'((?:xlink:)?href="|url\()#', rf"\1#{name}-", svg)
    for colour, variable in THEME.items():
        svg = re.sub(rf"{colour}\b", f"var(--{variable})", svg, flags=re.IGNORECASE)
    return re.sub(
        r'(<svg\b[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", svg)
    )


def _samples(samples: Samples) -> str:
    items = "\n".join(f"<li>{escape(text)}</li>" for text in samples.texts)
    note = f'<p class="soft">{escape(samples.note)}</p>' if samples.note else ""
    shape = "samples verses" if any("\n" in text for text in samples.texts) else "samples"
    texts = f'{note}<ul class="{shape}">\n{items}\n</ul>'
    if samples.folded:
        return f"<details><summary>{escape(samples.title)}</summary>\n{texts}\n</details>"
    return f"<h3>{escape(samples.title)}</h3>\n{texts}"


def _lists(report: Report) -> Iterator[str]:
    for title, items in (("Settings that were assumed", report.assumed), ("Data and credits", report.facts)):
        if items:
            name = title.partition(" ")[0].lower()
            yield f'<section aria-labelledby="{name}">\n<h2 id="{name}">{title}</h2>\n<ul>'
            yield "\n".join(f"<li>{escape(item)}</li>" for item in items) + "\n</ul>\n</section>"


def markdown(report: Report) -> tuple[str, dict[str, bytes]]:
    """The page as Markdown, and the pictures that it shows by their path beside it."""
    pictures: dict[str, bytes] = {}
    parts = [f"# {plain(report.title)}", f"After {plain(report.document)}"]
    if report.warning:
        parts.append(f"> **Content warning.** {plain(report.warning)}")
    if report.partial:
        parts.append(f"> **PARTIAL.** {plain(report.partial)}")
    parts.append(plain(report.scale))
    if report.beside:
        rows = [(row.id, row.what, row.published, row.ours or "–", _said(row)) for row in report.beside]
        parts += ["## Published and ours", _grid(("id", *COLUMNS[1:]), rows)]
    for name, section in report.sections.items():
        parts += _in_markdown(name, section, pictures)
    for title, items in (("Settings that were assumed", report.assumed), ("Data and credits", report.facts)):
        if items:
            parts += [f"## {title}", "\n".join(f"- {plain(item)}" for item in items)]
    return "\n\n".join(parts) + "\n", pictures


def _said(row: Beside) -> str:
    """Verdict and note in one cell."""
    return (
        f"{row.verdict.removesuffix('.')}. {row.note}"
        if row.verdict and row.note
        else row.verdict or row.note
    )


def _in_markdown(name: str, section: Section, pictures: dict[str, bytes]) -> Iterator[str]:
    yield f"## {plain(section.title)}"
    yield from map(plain, section.prose)
    for table in section.tables:
        yield f"**{plain(table.title)}**"
        yield _grid(table.columns, table.rows)
        if table.note:
            yield plain(table.note)
    for drawing in section.drawings:
        path = f"{PICTURES}/{name}-{drawing.name}.png"
        pictures[path] = drawing.png()
        yield f"![{plain(drawing.title)}]({path})"
        yield plain(drawing.text)
    for samples in section.samples:
        yield f"### {plain(samples.title)}"
        if samples.note:
            yield plain(samples.note)
        yield fenced(samples.texts)


def _grid(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    lines = ["| " + " | ".join(map(plain, columns)) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(plain(shown(cell)) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
