"""Texts that would do harm, as drafts and notes in a real browser: no script runs, nothing is hidden."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.records import Evidence, Match, Span, Verdict
from bot.web.shown import BLANK, is_plain, pieces
from tests.browser import WATCH, Visit, come_in, open_browser, served
from tests.hostile import HIDDEN, PAYLOADS
from tests.queues import Queue, open_queue


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Iterator[tuple[Any, Queue, Visit]]:
    """Every payload as a draft, as its nearest item and as what a filter said; a visitor who has come in."""
    folder = tmp_path_factory.mktemp("hostile")
    with open_queue(folder) as queue, open_browser() as browser:
        for payload in PAYLOADS:
            near = Match(2, payload, payload)
            evidence = Evidence(len(payload), 3, near, Span(payload[1:4], payload, payload, 1), earlier=near)
            queue.add(payload, verdicts=[Verdict("blocklist", "ask", payload)], evidence=evidence)
        for draft in queue.drafts.list(limit=20):
            queue.drafts.note(draft.id, draft.text, "ada")
        with served(queue, folder) as (app, here):
            yield browser, queue, come_in(browser, here, app)


def test_there_are_enough():
    assert len(PAYLOADS) >= 150


def test_the_watch_sees_a_script_and_what_the_policy_stops(hostile):
    """The control: in a page without a policy the payload runs; put into ours it is stopped, and told."""
    browser, _, inside = hostile
    bare = browser.new_context()
    bare.add_init_script(WATCH)
    page = bare.new_page()
    page.set_content("<img src=x onerror=alert(1)>")
    page.wait_for_function("window.ran")
    inside.go("/overview")
    inside.page.evaluate("document.body.innerHTML += '<img src=x onerror=alert(1)>'")
    inside.page.wait_for_function("window.violations.length")

    assert inside.ran() is None
    inside.complaints.clear()


def test_in_lists_nothing_runs(hostile):
    """All of them, page by page; each is there to be read."""
    _, _, inside = hostile
    inside.go("/queue?status=all&sort=oldest")
    shown = 0
    while True:
        shown += inside.page.locator(".what").count()
        assert_harmless(inside)
        more = inside.page.locator("a[rel=next]")
        if not more.count():
            break
        more.click()
    assert shown == len(PAYLOADS)


def test_on_cards_nothing_runs(hostile):
    """As the server writes them; every third, for all are put there by the script below."""
    _, queue, inside = hostile
    for draft in queue.drafts.list()[::3]:
        inside.go(f"/drafts/{draft.id}")
        assert_harmless(inside)
        assert inside.page.locator("h1.text").count() == 1


def test_on_cards_that_the_script_puts_there_nothing_runs(hostile):
    """Passed over one by one by the key; the script parses them, and parses nothing else into the page."""
    _, queue, inside = hostile
    inside.go("/review")
    for draft in queue.drafts.list("pending"):
        card = inside.page.locator(f'.card[data-id="{draft.id}"]')
        card.wait_for()
        assert inside.page.locator("#notice").count() == 1
        inside.page.keyboard.press("s")
    inside.page.locator(".nothing").wait_for()

    assert_harmless(inside)


@pytest.mark.parametrize("payload", ['"><script>alert(1)</script>', "' onfocus=alert(1) autofocus x='"])
@pytest.mark.parametrize("field", ["search", "bot", "status", "after"])
def test_in_addresses_nothing_runs(hostile, field, payload):
    _, _, inside = hostile
    inside.page.goto(f"{inside.here}/queue?status=all&{field}={payload}")
    assert_harmless(inside)


def assert_harmless(inside: Visit) -> None:
    assert inside.ran() is None
    assert inside.violations() == []
    failed = [line for line in inside.complaints if "status of 4" not in line]
    assert failed == []
    assert inside.page.url.startswith(inside.here)


@pytest.mark.parametrize("point", HIDDEN, ids=lambda point: f"U+{point:04X}")
def test_what_cannot_be_seen_is_shown(point):
    """By its code point, apart from the text, which stands as it is."""
    text = HIDDEN[point]
    found = pieces(text)

    assert [piece.text for piece in found if piece.name] == [f"U+{point:04X}"]
    assert "".join(piece.text for piece in found if not piece.name) == text.replace(chr(point), "")
    assert not is_plain(text)


def test_what_can_be_seen_stays_as_it_is():
    for text in ("Wormhorn", "zwei\nZeilen", "日本語", "قهوة", "éà ñ", "👩", "क्षि"):
        assert "".join(piece.text for piece in pieces(text)) == text
        assert is_plain(text)
    assert all(not is_plain(character) for character in BLANK)


def test_what_is_copied_and_what_is_near_are_marked():
    """The longest copied stretch, and what else the nearest item has."""
    evidence = Evidence(11, 3, Match(4, "Scar Sons"), Span("Sona", "Arsona", "bands", 5))

    assert [(piece.text, piece.heat) for piece in pieces("Scar Sonata", evidence)] == [
        ("Scar ", "near"),
        ("Sona", "copied"),
        ("ta", ""),
    ]
