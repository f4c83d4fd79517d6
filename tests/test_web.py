"""The pages without a browser: every decision is a plain form, and who is too late sees what is there now."""

import html
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest

from bot.curation.chain import Drop, Funnel
from bot.records import Evidence, Match, Receipt, Span, Status, Verdict
from bot.store.fills import Fills
from bot.web.asked import place
from bot.web.office import Curve
from bot.web.overview import HEIGHT, WIDTH, plot
from tests.pages import log_in, open_app, poster
from tests.queues import open_queue, slot


@pytest.fixture
def queue(tmp_path: Path):
    with open_queue(tmp_path) as queue:
        yield queue


@pytest.fixture
def client(queue, tmp_path):
    return log_in(open_app(queue, tmp_path))


@pytest.fixture
def post(client):
    return poster(client)


def shown(draft) -> dict[str, str]:
    """What a draft's form brings along."""
    return {"sha256": draft.sha256, "was": draft.status}


def test_a_card_says_what_why_and_where(queue, client):
    """The text, the model, the surprise, the nearest item, the verdicts, the target with its limit."""
    near = Evidence(8, 3, Match(2, "Wormwood", "bands.csv"), Span("Worm", "Wormwood", "bands.csv"))
    queue.add("Wormhorn", verdicts=[Verdict("blocklist", "ask", "seems to hide a word")], evidence=near)
    card = client.get("/review").text

    for part in ("epoch12.00_1.8132_3fa9c1", "1.04, wild", "Wormwood", "2 edits", "blocklist", "8 of 40"):
        assert part in card
    assert '<span class="copied">Worm</span>' in card


def test_decisions_are_plain_forms(queue, client, post):
    """Each leads back to the review, and is recorded under the name of whoever is logged in."""
    drafts = queue.add("Wormhorn", "Ash", "Mournspire", "Scar Sonata", "Crypt", "Bone")
    assert post("/drafts/1/approve", back="/review?bot=metal", **shown(drafts[0])).headers["location"] == (
        "/review?bot=metal"
    )
    post("/drafts/2/reject", reason="dull", **shown(drafts[1]))
    post("/drafts/3/snooze", days="7", **shown(drafts[2]))
    post("/drafts/5/snooze", until="3h", **shown(drafts[4]))
    post("/drafts/6/reject", remark="heard it before", **shown(drafts[5]))
    post("/drafts/4/edit", text="Scar\r\nSonata II", **shown(drafts[3]))

    statuses = [queue.drafts.get(id).status for id in (1, 2, 3, 4)]
    assert statuses == ["approved", "rejected", "snoozed", "pending"]
    assert queue.drafts.decisions(2)[0].reason == "dull"
    assert queue.drafts.decisions(1)[0].actor == "ada"
    assert queue.drafts.get(3).snoozed_until == queue.clock() + timedelta(days=7)
    assert queue.drafts.get(4).text == "Scar\nSonata II"
    assert queue.drafts.get(5).snoozed_until == queue.clock() + timedelta(hours=3)
    assert queue.drafts.decisions(6)[0].remark == "heard it before"


def test_what_is_no_time_is_told_and_puts_nothing_off(queue, post):
    [draft] = queue.add("Wormhorn")
    answer = post("/drafts/1/snooze", until="soon", **shown(draft))

    assert answer.status_code == 422
    assert "write 3h, 2d, 1w or a day" in answer.text
    assert queue.drafts.get(1).status == "pending"


def test_a_draft_can_be_noted_and_made_a_favourite(queue, client, post):
    [draft] = queue.add("Wormhorn")
    post("/drafts/1/note", text="for Friday", sha256=draft.sha256)
    post("/drafts/1/star", starred="true", sha256=draft.sha256)

    page = client.get("/queue?starred=true").text
    assert "for Friday" in page
    assert "Wormhorn" in page
    post("/drafts/1/star", starred="false", sha256=draft.sha256)
    assert "No drafts here" in client.get("/queue?starred=true").text


def test_who_is_too_late_sees_what_is_there_now(queue, client, post):
    """409 with the draft as it is, as a page and for the script; the first decision stands."""
    [draft] = queue.add("Wormhorn")
    queue.approve(draft)
    page = post("/drafts/1/reject", **shown(draft))
    told = post("/drafts/1/reject", as_json=True, **shown(draft))

    assert (page.status_code, told.status_code) == (409, 409)
    assert "was pending when you looked at it" in page.text
    assert 'class="status approved"' in page.text
    assert told.json()["status"] == "approved"
    assert queue.drafts.get(1).status == "approved"


def test_what_would_be_posted_otherwise_than_shown_is_not_approved(queue, client, post):
    """The form tells what the card has shown; another target or attachment is a reason to look again."""
    [draft] = queue.add("Wormhorn")
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', client.get("/review").text)[1]

    assert post("/drafts/1/approve", seen="0" * 64, **shown(draft)).status_code == 409
    assert post("/drafts/1/approve", seen=seen, **shown(draft)).status_code == 303


def test_an_edit_in_another_tab_is_noticed(queue, post):
    [draft] = queue.add("Wormhorn")
    queue.drafts.edit(1, "Wormhorn II", "bob", ())

    assert post("/drafts/1/approve", **shown(draft)).status_code == 409


def test_what_the_gate_forbids_is_said_and_may_be_overridden(queue, client, post):
    """Only where a person may insist is there a button for it."""
    copied, mention = queue.add("Copied", "@ada")
    refused = post("/drafts/1/approve", **shown(copied))
    forbidden = post("/drafts/2/approve", **shown(mention))

    assert (refused.status_code, forbidden.status_code) == (422, 422)
    assert "Approve anyway" in refused.text
    assert "Approve anyway" not in forbidden.text
    post("/drafts/1/approve", override="true", **shown(copied))
    assert queue.drafts.decisions(1)[0].override


def test_undo_takes_ones_own_last_decision_back(queue, client, post):
    drafts = queue.add("Wormhorn", "Ash")
    post("/drafts/1/approve", **shown(drafts[0]))
    post("/drafts/2/reject", **shown(drafts[1]))

    assert post("/undo").headers["location"] == "/drafts/2"
    assert post("/undo", as_json=True).json()["id"] == 1
    assert post("/undo", as_json=True).status_code == 409
    assert [draft.status for draft in queue.drafts.list()] == ["pending", "pending"]


def test_undo_is_refused_once_a_delivery_is_claimed(queue, post):
    [draft] = queue.add("Wormhorn")
    post("/drafts/1/approve", **shown(draft))
    queue.deliveries.schedule_now("metal")
    assert queue.deliveries.claim("worker", 60)

    assert post("/undo").status_code == 409
    assert post("/drafts/1/undo", sha256=draft.sha256, was="posting").status_code == 409
    assert queue.drafts.get(1).status == "posting"


def test_a_draft_of_a_bot_that_is_gone_can_be_rejected(queue, client, post):
    [draft] = queue.add("Wormhorn", bot="gone")

    assert "there is no bot &#39;gone&#39;" in client.get("/review").text
    assert post("/drafts/1/reject", **shown(draft)).status_code == 303


def test_lists_are_searched_sorted_and_turned_page_by_page(queue, client):
    queue.add(*(f"Band {number:03}" for number in range(120)))
    first = client.get("/queue?sort=oldest").text
    assert first.count('class="what"') == 50
    next = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "Band 050" in client.get(next).text
    assert client.get("/queue?search=band%20077").text.count('class="what"') == 1
    for nonsense in ("nonsense", "9223372036854775808", "-1", "1_2"):
        assert client.get(f"/queue?after={nonsense}").status_code == 422


def test_many_are_decided_at_once_and_taken_back_at_once(queue, client, post):
    """First they are counted; what is asked about is left; if others match by then, nothing is decided."""
    queue.add("Worm I", "Worm II", "@worm", "Ash")
    page = client.get("/queue/all?search=worm").text
    assert "3 drafts match" in page
    post("/queue/approve?search=worm", count="3", newest="3")
    assert [draft.status for draft in queue.drafts.list()] == ["approved", "approved", "pending", "pending"]
    assert "1 were left" in client.get("/queue").text

    post("/undo")
    assert {draft.status for draft in queue.drafts.list()} == {"pending"}
    assert post("/queue/reject", count="9", newest="9", reason="dull").status_code == 409


def test_more_like_this(queue, client):
    queue.add("Wormhorn", "Wormborn", "Ash")

    assert client.get("/drafts/1/like").text.index("Wormborn") < client.get("/drafts/1/like").text.index(
        "Ash"
    )


def test_the_model_goes_on_from_what_somebody_wrote(queue, client, post):
    """For the script with the likeliest next tokens, as a page with a form each; nothing is changed."""
    [draft] = queue.add("Wormwood")
    told = post("/drafts/1/regrow", as_json=True, text="Worm").json()
    page = post("/drafts/1/regrow", text="Worm").text

    assert told["texts"] == [{"text": "Wormhorn", "why": ""}]
    assert told["next"][0] == {"token": "h", "text": "Wormh"}
    assert "Take this" in page
    assert queue.drafts.get(1) == draft


def test_the_order_of_what_waits_is_changed_by_buttons(queue, client, post):
    for draft in queue.add("Wormhorn", "Ash", "Mournspire"):
        queue.approve(draft)
    answer = post("/drafts/3/move", to="first", back="/calendar?bot=metal")

    assert answer.headers["location"] == "/calendar?bot=metal#draft-3"
    assert [draft.id for draft in queue.deliveries.waiting("metal")] == [3, 1, 2]
    page = client.get("/calendar").text
    assert page.index("Mournspire") < page.index("Wormhorn") < page.index("Ash")


def test_the_calendar_says_why_a_slot_passes_and_what_is_unusual(queue, tmp_path):
    """Nothing approved is another thing than nothing but what is like the week's posts."""

    def coming(hour, draft=None, late=0, **more):
        at = slot(hour).at
        told = {"draft": draft, "text": "Wormhorn" if draft else "", "missed": False, "again": False} | more
        return SimpleNamespace(slot=slot(hour), at=at + timedelta(hours=late), targets=(), cost=0.0, **told)

    slots = [
        coming(9),
        coming(10, 1, missed=True),
        coming(11, 2, again=True),
        coming(12, 3, late=1),
        coming(14),
    ]
    outlook = SimpleNamespace(bot="metal", zone="UTC", ends=None, slots=slots, left=0, dry=slot(14), cost=0.0)
    page = log_in(open_app(queue, tmp_path, outlook=lambda bot, days: outlook)).get("/calendar").text

    said = re.findall(r"<time>(.*?)</time>.*?<span class=\"(?:soft|asks)\">(.*?)</span>", page)
    assert [(at, html.unescape(text)) for at, text in said] == [
        ("09:00", "what is approved is like the week's posts"),
        ("10:00", "missed, made up"),
        ("11:00", "a favourite, again"),
        ("13:00", "held up"),
        ("14:00", "nothing approved"),
    ]


def in_doubt(queue):
    """A delivery of which nobody knows what became."""
    [draft] = queue.add("Wormhorn")
    queue.approve(draft)
    queue.deliveries.take_slot(slot(12))
    sending = queue.deliveries.begin_sending(queue.deliveries.claim("worker", 60))
    return queue.deliveries.settle(sending, "uncertain", "No answer came.")


@pytest.mark.parametrize(
    ("what", "state"), [("posted", "sent"), ("not-posted", "planned"), ("cancel", "cancelled")]
)
def test_what_is_in_doubt_is_settled_by_who_has_looked(queue, client, post, what, state):
    doubtful = in_doubt(queue)
    assert "Was it posted on console?" in client.get("/drafts/1").text
    post(f"/deliveries/{doubtful.id}/{what}", fence=str(doubtful.fence), where="https://example.org/1")

    assert queue.deliveries.get(doubtful.id).state == state
    assert post(f"/deliveries/{doubtful.id}/{what}", fence="1", where="x").status_code == 409


def test_posts_are_told_with_their_address_if_it_is_one(queue, client):
    """An address that is none a browser should follow is no link."""
    for number, url in enumerate(["https://example.org/1", "javascript:alert(1)"]):
        draft = queue.add(f"Worm {number}")[0]
        queue.approve(draft)
        queue.deliveries.schedule_now("metal")
        sending = queue.deliveries.begin_sending(queue.deliveries.claim("worker", 60))
        queue.deliveries.settle(sending, "sent", "", Receipt(str(number), url))
    page = client.get("/overview").text

    assert 'href="https://example.org/1"' in page
    assert "javascript" not in page


def test_what_became_of_a_bots_last_batch_is_shown(queue, tmp_path):
    """Filter by filter, as it was told when it was queued."""
    fills = Fills(queue.drafts._database)
    fills.keep("metal", Funnel(96, (Drop("length", 80, ()), Drop("own", 9, (), 9)), 0, 7))
    standing = SimpleNamespace(
        bot="metal", model="m", drafts=dict.fromkeys(get_args(Status), 0), next_slot=None, last_post_at=None
    )
    office = {"standings": lambda: [standing], "last_fill": fills.last}
    page = log_in(open_app(queue, tmp_path, **office)).get("/overview").text

    assert "7 kept of 96" in page
    assert re.search(r">length</th><td[^>]*>−80<", page)
    assert "it broke on 9 of them" in page


def test_all_posts_are_stopped_and_let_go_again(queue, client, post):
    post("/stop")
    assert "All bots are stopped" in client.get("/overview").text
    assert post("/stop").status_code == 409
    post("/resume")
    assert "All bots are stopped" not in client.get("/overview").text


def test_an_attachment_is_no_page(queue, tmp_path):
    """A picture is shown; what could be a page is a file, and neither may do anything."""
    client = log_in(open_app(queue, tmp_path, media=lambda sha256: b"<script>alert(1)</script>"))
    page = client.get(f"/media/{'0' * 64}?kind=text/html")
    picture = client.get(f"/media/{'0' * 64}?kind=image/png")

    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["content-disposition"] == "attachment"
    assert picture.headers["content-type"] == "image/png"
    assert any("sandbox" in policy for policy in page.headers.get_list("content-security-policy"))


def test_a_curve_stays_in_its_frame():
    """Enormous first losses are cut, and the step furthest right is the last one."""
    drawn = plot(Curve("moons", "best", [1, 50, 100], [90.0, 2.0, 1.0], [80.0, 2.1, 1.5], 1.8))
    points = [pair.split() for pair in drawn.held_out[1:].split(" L")]

    assert [float(x) for x, _ in points] == [3.2, WIDTH / 2, WIDTH]
    assert all(0 <= float(y) <= HEIGHT for _, y in points)
    assert drawn.best == 1.5


@pytest.mark.parametrize(
    "asked",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\n/b"],
)
def test_a_form_leads_to_no_other_site(asked):
    assert place(asked) == "/review"
