"""The page in a real browser: by keys, by thumb, without a script, in two tabs, when the network fails."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import dropwhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot import page as page_of
from bot import pipeline
from bot.curation.chain import Drop, Funnel
from bot.records import Check, Evidence, Match, Slot, Span, Verdict
from bot.store.fills import Fill
from bot.web.office import Curve
from tests.browser import DESKTOP, PHONE, come_in, open_browser, served, visit
from tests.folders import fill
from tests.queues import NOON, Queue, open_queue

PICTURES = Path(__file__).parents[1] / ".screenshots"  # kept for a person to look at
PAGES = ["review", "queue", "queue/all", "calendar", "overview", "drafts/1", "drafts/1/like"]
NAMES = [
    "Wormhorn",
    "Cryptic Vomithron",
    "Scar Sonata",
    "Mournspire",
    "Ashen Throatgrave",
    "Gorewalls of Iron",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with open_queue(tmp_path) as queue:
        queue.add(*NAMES)
        yield queue


@pytest.fixture
def site(queue, tmp_path):
    """The page over the queue, served."""
    with served(queue, tmp_path) as opened:
        yield opened


@pytest.fixture
def inside(browser, site):
    """Somebody who has come in, at the first card."""
    app, here = site
    visitor = come_in(browser, here, app)
    visitor.go("/review")
    yield visitor
    visitor.page.context.close()


def until(visitor, condition) -> None:
    """What is sent behind the card has arrived: it is asked again and again."""
    for _ in range(400):
        if condition():
            return
        visitor.page.wait_for_timeout(25)
    pytest.fail("it did not happen")


def card(visitor, id: int) -> Any:
    found = visitor.page.locator(f'.card[data-id="{id}"]')
    found.wait_for()
    return found


def test_the_whole_story_from_the_first_login_to_a_post(browser, house, bot_folder):
    """The printed link, cards decided by keys, and the approved one stands in the feed and the file."""
    fill(house, count=24)
    with page_of.serve(house, port=0) as link:
        visitor = visit(browser, link.partition("/login")[0])
        visitor.page.goto(link)
        visitor.page.keyboard.press("Enter")  # the button has the focus
        visitor.page.wait_for_url("**/review")
        first = visitor.page.locator("h1.text").inner_text()
        visitor.page.keyboard.press("a")
        visitor.page.wait_for_function(
            f"document.querySelector('h1.text')?.innerText !== {json.dumps(first)}"
        )
        visitor.page.keyboard.press("1")
        visitor.page.keyboard.press("s")
        visitor.page.wait_for_load_state("networkidle")
        posted = pipeline.post_now(house, "night", lambda event: None)
        visitor.go("/overview")
        shown = visitor.page.locator(".posts").inner_text()
    written = json.loads((bot_folder.parent / "posts.jsonl").read_text())

    assert posted.status == "posted"
    assert written["text"] == first == posted.text
    assert first in shown
    assert first in (bot_folder.parent / "feed.xml").read_text()
    assert house.drafts.counts()["rejected"] == 1
    assert visitor.complaints == []


def test_every_key_does_what_its_button_says(inside, queue):
    """The same keys as in the terminal; where a key opens a field, what is typed is text."""
    press = inside.page.keyboard.press
    press("a")
    card(inside, 2)
    press("4")
    card(inside, 3)
    press("f")
    until(inside, lambda: queue.drafts.get(3).starred)
    card(inside, 3).locator(".starred").wait_for()
    press("n")
    inside.page.keyboard.type("arrr")
    press("Control+Enter")
    until(inside, lambda: queue.drafts.get(3).note == "arrr")
    card(inside, 3).locator(".noted").wait_for()
    press("e")
    inside.page.keyboard.type(" II")
    press("Control+Enter")
    until(inside, lambda: queue.drafts.get(3).text == "Scar Sonata II")
    inside.page.get_by_text("revision 2").wait_for()
    press("z")
    card(inside, 4)
    press("s")
    card(inside, 5)
    press("r")
    card(inside, 6)
    until(inside, lambda: queue.drafts.get(5).status == "rejected")
    press("u")
    card(inside, 5)
    press("Z")
    inside.page.keyboard.type("3h")
    press("Enter")
    card(inside, 6)
    press("u")
    card(inside, 5)
    press("R")
    inside.page.keyboard.type("heard it before")
    press("Control+Enter")
    card(inside, 6)
    until(inside, lambda: queue.drafts.get(5).status == "rejected")
    assert queue.drafts.decisions(5)[-1].remark == "heard it before"
    press("u")
    card(inside, 5)

    statuses = [draft.status for draft in queue.drafts.list()]
    assert statuses == ["approved", "rejected", "snoozed", "pending", "pending", "pending"]
    assert queue.drafts.decisions(2)[0].reason == "offensive"
    press("/")
    inside.page.wait_for_url("**/queue")
    assert inside.complaints == []


def test_the_model_goes_on_from_the_cursor(inside, queue):
    inside.page.keyboard.press("g")
    inside.page.get_by_role("button", name="Wormhornhorn").click()
    inside.page.keyboard.press("Control+Enter")

    until(inside, lambda: queue.drafts.get(1).text == "Wormhornhorn")


def test_the_keys_are_told(inside):
    inside.page.keyboard.press("?")

    assert "goes out when its turn comes" in inside.page.locator(".help").inner_text()


def test_no_decision_waits_for_the_network(inside, queue):
    """While an answer is held back, the next card is there and can be decided on."""
    held: list[Any] = []
    inside.page.wait_for_load_state("networkidle")
    inside.page.route("**/drafts/*/approve", lambda route: held.append(route))
    inside.page.keyboard.press("a")
    card(inside, 2)
    assert queue.drafts.get(1).status == "pending"
    inside.page.keyboard.press("r")
    card(inside, 3)
    until(inside, lambda: queue.drafts.get(2).status == "rejected")
    held[0].continue_()
    until(inside, lambda: queue.drafts.get(1).status == "approved")


def test_a_decision_that_did_not_arrive_comes_back(inside, queue):
    """With the reason; nothing is taken for decided."""
    inside.page.route("**/drafts/*/approve", lambda route: route.abort())
    inside.page.keyboard.press("a")
    inside.page.locator("#alarm", has_text="network failed").wait_for()

    card(inside, 1)
    assert queue.drafts.get(1).status == "pending"
    inside.page.unroute("**/drafts/*/approve")
    inside.page.keyboard.press("a")
    card(inside, 2)


def test_two_tabs_never_decide_the_same_revision_twice(browser, site, inside, queue):
    """The second one is shown what is there now."""
    app, here = site
    other = come_in(browser, here, app)
    other.go("/review")
    card(other, 1)
    inside.page.keyboard.press("a")
    card(inside, 2)
    other.page.keyboard.press("r")
    other.page.locator("#alarm", has_text="draft 1 is approved by now").wait_for()

    assert card(other, 1).locator(".status").inner_text() == "approved"
    assert [decision.verdict for decision in queue.drafts.decisions(1)] == ["approve"]


def test_undo_is_refused_once_the_post_is_under_way(inside, queue):
    inside.page.keyboard.press("a")
    card(inside, 2)
    until(inside, lambda: queue.drafts.get(1).status == "approved")
    queue.deliveries.schedule_now("metal")
    queue.deliveries.claim("worker", 60)
    inside.page.keyboard.press("u")
    inside.page.locator("#alarm:not(:empty)").wait_for()

    assert queue.drafts.get(1).status == "posting"


def test_after_the_last_card_there_is_a_word(inside, queue):
    for _ in NAMES:
        inside.page.locator(".card").wait_for()
        inside.page.keyboard.press("r")
    inside.page.get_by_text("Nothing left to review").wait_for()


def test_without_a_script_every_button_is_a_form(browser, site, queue):
    """Log in by password, approve, reject with a reason, edit, undo."""
    app, here = site
    app.state.doors.passwords.set("ada", "correct horse battery")
    visitor = visit(browser, here, java_script_enabled=False)
    visitor.go("/login")
    visitor.page.get_by_label("Name").fill("ada")
    visitor.page.get_by_label("Password").fill("correct horse battery")
    visitor.page.get_by_role("button", name="Log in").click()
    visitor.page.get_by_role("button", name="Approve").click()
    assert visitor.page.locator("#notice").inner_text() == "Draft 1 is approved."
    visitor.page.get_by_role("button", name="not funny").click()
    visitor.page.locator("summary", has_text="Edit").click()
    visitor.page.locator("textarea[name=text]").first.fill("Scar Sonata II")
    visitor.page.get_by_role("button", name="Save").first.click()
    assert "revision 2" in visitor.page.locator(".where").inner_text()
    visitor.go("/review")
    visitor.page.get_by_role("button", name="Undo").click()

    assert [queue.drafts.get(id).status for id in (1, 2, 3)] == ["approved", "rejected", "pending"]
    assert queue.drafts.get(3).text == "Scar Sonata"


def test_one_thumb_reaches_what_decides(browser, site, queue):
    """On a phone the three are at the lower edge, and large; nothing is wider than the screen."""
    app, here = site
    phone = come_in(browser, here, app, **PHONE)
    for path in PAGES:
        phone.go(f"/{path}")
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390, path
    phone.go("/review")
    for name in ("Reject", "Skip", "Approve"):
        box = phone.page.locator(".thumb > *", has_text=name).bounding_box()
        assert box["height"] >= 48, name
        assert box["y"] > 700, name
    phone.page.locator(".thumb > *", has_text="Approve").tap()
    card(phone, 2)


def test_the_order_of_posts_is_changed_by_keys(inside, queue):
    for id in (1, 2, 3):
        queue.approve(queue.drafts.get(id))
    inside.go("/calendar")
    inside.page.locator("#draft-3 a").focus()
    inside.page.keyboard.press("Alt+ArrowUp")
    inside.page.wait_for_url("**/calendar#draft-3")

    assert [draft.id for draft in queue.deliveries.waiting("metal")] == [1, 3, 2]


# Of every control that can be reached: what a screen reader would call it.
NAMELESS = """() => [
    ...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea, summary')
  ].filter((it) => !(it.textContent.trim() || it.ariaLabel || it.labels?.length || it.hidden))
  .map((it) => it.outerHTML)"""


@pytest.mark.parametrize("path", PAGES)
def test_a_screen_reader_finds_its_way(inside, path):
    """Every control has a name, there is one heading of the first rank, a main part and live regions."""
    inside.go(f"/{path}")

    assert inside.page.evaluate(NAMELESS) == []
    for part in ("h1", "main", "[role=status]", "[role=alert]", "html[lang=en]"):
        assert inside.page.locator(part).count() == 1, part
    ids = inside.page.evaluate("[...document.querySelectorAll('[id]')].map((it) => it.id)")
    assert len(ids) == len(set(ids))


def test_what_happens_is_told_and_the_focus_follows(inside):
    """After a decision the next text has the focus, and the live region says what was done."""
    inside.page.keyboard.press("a")
    card(inside, 2)

    assert inside.page.evaluate("document.activeElement.innerText") == "Cryptic Vomithron"
    assert inside.page.locator("#notice").inner_text() == "Approved: draft 1"


# The least contrast that WCAG asks for, of the texts that are small.
CONTRAST = """() => {
  const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((it) => it / 255)
    .map((it) => it <= 0.03928 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4)
    .reduce((sum, it, at) => sum + it * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (it) => {
    for (; it; it = it.parentElement) {
      const found = rgb(getComputedStyle(it).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const speaks = (it) => [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll('main *, header *')]
    .filter((it) => it.checkVisibility() && speaks(it) && !it.matches('kbd, .unheard'))
    .map((it) => {
      const [one, two] = [light(rgb(getComputedStyle(it).color)), light(ground(it))].sort((a, b) => b - a);
      return [(one + 0.05) / (two + 0.05), it.outerHTML.slice(0, 80)];
    }).filter(([ratio]) => ratio < 4.5);
}"""


def test_what_cannot_be_read_and_what_has_no_name_would_be_found(inside):
    """The control of the two tests beside it."""
    inside.page.evaluate("""() => {
      const pale = document.createElement('p');
      pale.textContent = 'pale';
      pale.style.color = '#ddd';
      document.querySelector('main').append(pale, document.createElement('button'));
    }""")

    [(_, pale)] = inside.page.evaluate(CONTRAST)
    assert pale.endswith(">pale</p>")
    assert inside.page.evaluate(NAMELESS) == ["<button></button>"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_every_text_can_be_read_in_both_themes(browser, site, theme, path):
    app, here = site
    visitor = come_in(browser, here, app, color_scheme=theme, reduced_motion="reduce")
    visitor.go(f"/{path}")

    assert visitor.page.evaluate(CONTRAST) == []
    visitor.page.context.close()


def fortnight(queue):
    """An outlook over what is approved, three slots a day."""

    def outlook(bot: str, days: int):
        moments = [NOON + timedelta(days=day, hours=hour) for day in range(days) for hour in (-4, 1, 6)]
        drafts = queue.deliveries.foreseen(bot, moments)
        slots = [
            SimpleNamespace(
                slot=Slot(bot, at.date(), at.time(), "UTC", at),
                at=at,
                draft=draft and draft.id,
                text=draft.text if draft else "",
                targets=("feed",),
                cost=0.0,
                missed=False,
                again=False,
            )
            for at, draft in zip(moments, drafts, strict=True)
        ]
        filled = sum(1 for _ in dropwhile(lambda one: one.draft is None, reversed(slots)))
        dry = slots[filled].slot if filled < len(slots) else None
        return SimpleNamespace(bot=bot, zone="UTC", ends=None, slots=slots, left=0, dry=dry, cost=0.0)

    return outlook


@pytest.fixture(scope="module")
def show(tmp_path_factory, browser) -> Iterator[Any]:
    """A queue that has something of everything, to be looked at."""
    folder = tmp_path_factory.mktemp("show")
    near = Evidence(11, 3, Match(5, "Arsona", "bands.csv"), Span("Sona", "Arsona", "bands.csv", 5))
    kept = [Verdict(name, "accept") for name in ("length", "not_in_training", "gate.safety", "gate.copy")]
    asked = Verdict("blocklist", "ask", "seems to hide the blocked word 'arson'")
    with open_queue(folder) as queue:
        queue.add("Scar Sonata", verdicts=[asked, *kept], evidence=near)
        queue.add(*NAMES, *(f"{a} {b}" for a in ("Grave", "Iron", "Pale") for b in NAMES), verdicts=kept)
        queue.drafts.note(1, "Friday, with the picture", "ada")
        queue.drafts.star(1, True, "ada")
        for id in range(8, 20):
            queue.approve(queue.drafts.get(id))
        queue.deliveries.schedule_now("metal")
        for id in (20, 21):
            queue.drafts.decide(id, queue.drafts.get(id).sha256, "reject", "ada")
        sending = queue.deliveries.begin_sending(queue.deliveries.claim("worker", 60))
        queue.deliveries.settle(sending, "uncertain", "The answer never came.")
        standing = SimpleNamespace(
            bot="metal",
            model="death_metal",
            drafts=queue.drafts.counts("metal"),
            next_slot=NOON + timedelta(hours=6),
            last_post="Wormhorn",
            last_post_at=NOON - timedelta(hours=6),
            zone="UTC",
        )
        checks = [Check("run", True, ""), Check("queue metal", False, "2 drafts are left", NOON)]
        losses = [3, 2.2, 1.9, 1.7], [2.9, 2.1, 1.8, 1.75]
        curve = Curve("death_metal", "epoch12.00", [1, 10, 40, 90], *losses, 1.9)
        drops = [Drop("length", 41, ()), Drop("not_in_training", 12, ()), Drop("blocklist", 3, ())]
        more = {"standings": lambda: [standing], "health": lambda: checks, "curves": lambda: [curve]}
        more["last_fill"] = lambda bot: Fill(NOON, Funnel(96, tuple(drops), 2, 40))
        with served(queue, folder, outlook=fortnight(queue), **more) as (app, here):
            yield app, here


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("size", "device"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_every_page_has_its_picture_taken(browser, show, size, device, theme):
    """For a person to look at: .screenshots/PAGE-SIZE-THEME.png."""
    app, here = show
    PICTURES.mkdir(exist_ok=True)
    visitor = come_in(browser, here, app, color_scheme=theme, reduced_motion="reduce", **device)
    for path in ["drafts/1", "review", "queue", "queue/all", "drafts/8", "calendar", "overview", "login"]:
        visitor.go(f"/{path}")
        name = f"{re.sub('[^a-z0-9]+', '-', path)}-{size}-{theme}.png"
        visitor.page.screenshot(path=PICTURES / name)
        assert (PICTURES / name).stat().st_size > 5000
    assert visitor.complaints == []
    visitor.page.context.close()
