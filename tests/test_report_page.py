"""A report is one page that needs nothing beside it, whatever stands in its texts."""

import re
import xml.etree.ElementTree as ElementTree

from bot.reports.curves import Line, draw_lines
from bot.reports.page import RIGHT, html, markdown
from bot.reports.sections import Beside, Report, Samples, Section, Table, shown

HOSTILE = "<script>alert(1)</script> & `*_|"


def report() -> Report:
    drawing = draw_lines("loss", "Loss", "Lower is better.", [Line("one", [1, 2, 3], [3.0, 2.0, 1.5])])
    section = Section(
        HOSTILE,
        prose=[HOSTILE],
        tables=[Table(HOSTILE, ("what", HOSTILE), [(HOSTILE, 1234.0), ("none", None)], HOSTILE)],
        drawings=[drawing, drawing],
        samples=[Samples(HOSTILE, [HOSTILE, "```\n````"], HOSTILE)],
    )
    return Report(
        title=HOSTILE,
        document=HOSTILE,
        scale="Smoke.",
        warning=HOSTILE,
        partial=HOSTILE,
        beside=[Beside("X.1", HOSTILE, "1", "2", HOSTILE, HOSTILE)],
        assumed=[HOSTILE],
        facts=[HOSTILE],
        sections={"first": section, "second": section},
    )


def test_the_page_loads_nothing_and_runs_nothing():
    page = html(report())
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!#)', page)
    assert not re.search(r"url\((?!#)|@import", page)


def test_the_page_is_well_formed_and_no_two_things_share_an_id():
    page = html(report()).removeprefix("<!DOCTYPE html>\n")
    page = re.sub(r"<meta ([^>]*)>", r"<meta \1/>", page).replace("<br>", "<br/>")
    root = ElementTree.fromstring(page)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


def test_every_figure_has_its_words():
    page = html(report())
    assert page.count("<figure>") == page.count("<summary>In words</summary>") == 4


def test_the_markdown_has_every_picture_beside_it():
    text, pictures = markdown(report())
    assert set(re.findall(r"\((pictures/[^)]*)\)", text)) == set(pictures)
    assert all(content.startswith(b"\x89PNG") for content in pictures.values())


def test_back_ticks_in_a_sample_do_not_end_its_fence():
    text, _ = markdown(report())
    assert "\n`````\n" in text


def test_numbers_are_shown_as_people_read_them():
    assert [shown(value) for value in (None, "x", 1234.0, 1.23456, 1234.56)] == [
        "–",
        "x",
        "1,234",
        "1.235",
        "1,234.6",
    ]


def test_numbers_stand_to_the_right_under_their_columns_name():
    """Those that are written out too; where nothing was measured, the dash stands as its column does."""
    rows = [("one", 1.5, "2.50", "a"), ("two", None, "63%", None)]
    page = html(Report("T", "D", "S", sections={"s": Section("S", tables=[Table("T", [*"abcd"], rows)])}))
    assert re.findall(r'<t[hd][^>]*?( class="number")?>([^<]*)', page.partition("<thead>")[2]) == [
        *(("", "a"), (RIGHT, "b"), (RIGHT, "c"), ("", "d")),
        *(("", "one"), (RIGHT, "1.5"), (RIGHT, "2.50"), ("", "a")),
        *(("", "two"), (RIGHT, "–"), (RIGHT, "63%"), ("", "–")),
    ]


def test_a_verdict_and_its_note_are_two_sentences():
    beside = [
        Beside("X.1", "it", "1", "2", "more", "A note."),
        Beside("X.2", "it", "1", "2", "More.", "Another."),
    ]
    text, _ = markdown(Report("T", "D", "S", beside=beside))
    assert "| more. A note. |" in text
    assert "| More. Another. |" in text
