"""What a person sees of a draft is what is posted, and nothing in a text escapes notice."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from bot.records import Draft, Evidence, Match, Measure, Span, Verdict
from bot.review.card import COPIED, WARM, marked, place_of, show, where, why
from tests.queues import NOON, judged, outlet


def draft(
    text: str = "Wormhorn",
    *verdicts: Verdict,
    sampled: str = "Wormhorn",
    evidence: Evidence | None = None,
) -> Draft:
    return Draft(1, "metal", text, "pending", 1, "", judged(sampled).candidate, verdicts, NOON, evidence)


def lines(what: RenderableType) -> list[str]:
    out = StringIO()
    Console(file=out, width=90).print(what)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ash\u200b", "AshU+200B"),
        ("\u202eAsh", "U+202EAsh"),
        ("A\x1b[31msh", "AU+001B[31msh"),
        ("Ash\r", "AshU+000D"),
        ("Ash\nBone", "Ash\nBone"),
        ("[bold]Ash[/]", "[bold]Ash[/]"),
        ("Дым 灰", "Дым 灰"),
    ],
)
def test_what_cannot_be_seen_is_shown(text: str, shown: str) -> None:
    """Control, bidi and invisible characters by their code points; markup is text."""
    assert show(text).plain == shown


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])))
def test_what_can_be_seen_is_left_as_it_is(text: str) -> None:
    """Every other character is the one that will be posted."""
    assert show(text).plain == text


def test_why_it_is_here() -> None:
    """The model, the temperature, and its surprise in words."""
    card = lines(why(draft()))

    assert "model death_metal/epoch12.00_1.8132_3fa9c1" in card
    assert "sampled temperature 0.83, surprise 1.04 (typical)" in card


def test_verdicts_with_a_reason_come_first() -> None:
    """What a filter asked about is not lost among those that had nothing to say."""
    verdicts = Verdict("length", "accept"), Verdict("blocklist", "ask", "seems to hide a word")

    assert lines(why(draft("Wormhorn", *verdicts)))[2:] == [
        "filters ? blocklist seems to hide a word",
        "✓ length",
    ]


def test_the_nearest_item_is_shown_where_it_is_known() -> None:
    """With its text if the corpus is at hand, else as a distance alone."""
    known, hashed = Evidence(8, 3, Match(2, "Wormhole", "bands.csv")), Evidence(8, 1, Match(1))

    assert "nearest Wormhole (bands.csv), 2 edits away" in lines(why(draft(evidence=known)))
    assert "nearest an item of the corpus, 1 edit away" in lines(why(draft(evidence=hashed)))


def test_what_was_copied_is_marked_in_the_text_and_named() -> None:
    """The stretch, its share of the text, and the item it stands in; invisible characters still show."""
    near = Evidence(10, 3, copied=Span("horn", "Hornet", "insects.txt", start=6))
    [span] = [span for span in marked(draft("W\u200borm horn", evidence=near)).spans if span.style == COPIED]

    assert marked(draft("W\u200borm horn", evidence=near)).plain == "WU+200Borm horn"
    assert "WU+200Borm horn"[span.start : span.end] == "horn"
    assert "copied horn, 40% of the text, from Hornet (insects.txt)" in lines(why(draft(evidence=near)))


def test_an_earlier_text_and_the_overlap_are_shown() -> None:
    """What the queue or a post said nearly so before, and how much of a long text stands in the corpus."""
    near = Evidence(90, 3, overlap=0.25, earlier=Match(2, "Wormhole", "post"))

    assert lines(why(draft(evidence=near)))[2:4] == [
        "overlap 25% of its runs of 5 words stand in the corpus",
        "earlier Wormhole (post), 2 edits away",
    ]


def test_an_edited_draft_shows_what_it_read_at_first() -> None:
    """A person sees that it is no longer the model's own."""
    assert "first read Wormhorn" in lines(why(draft("Wormhorns")))


def test_where_it_goes() -> None:
    """Each target with its account and length, and its text where it differs."""
    outlets = outlet("Wormhorn", "feed"), outlet("Wormhorn #metal", "x", "@wormhorn")

    assert lines(where(draft(), outlets)) == [
        "goes to feed 8 characters",
        "x (@wormhorn) 15 characters",
        "Wormhorn #metal",
    ]
    assert lines(where(draft(), ())) == ["goes to nowhere: the bot has no target yet"]


def test_a_place_is_not_named_twice() -> None:
    """An account may begin with what the target is called."""
    assert place_of("feed", "feed feed.xml") == "feed (feed.xml)"
    assert place_of("feed-2", "feed other.xml") == "feed-2 (feed other.xml)"
    assert place_of("x", "xavier") == "x (xavier)"
    assert place_of("console", "console") == "console"


def test_what_the_nearest_item_has_too_is_warm() -> None:
    """In runs that are no accident, whatever the case; the longest copied stretch is underlined as ever."""
    near = Evidence(12, 3, Match(2, "wormwood", "bands.csv"), Span("rm", "x", start=2))
    shown = marked(draft("Wormhornwood", evidence=near))
    styles = {shown.plain[span.start : span.end]: span.style for span in shown.spans}

    assert styles == {"Wo": WARM, "rm": COPIED, "horn": "bold", "wood": WARM}


def test_by_hashes_alone_nothing_is_warm() -> None:
    near = Evidence(8, 1, Match(1, None))

    assert [span.style for span in marked(draft("Wormhorn", evidence=near)).spans] == ["bold"]


def test_a_text_is_measured_as_its_target_counts() -> None:
    """And what the target has against it is said."""
    one = draft("Wormhorn")
    measures = {"x": Measure(16, 280), "feed": Measure(8, None, "feed does not take it: no reason")}
    card = lines(where(one, [outlet("Wormhorn", "x"), outlet("Wormhorn", "feed")], measures))

    assert "goes to x length 16 of 280" in card
    assert card[1:3] == ["feed length 8, of any", "feed does not take it: no reason"]
