"""`bot export`: what is chosen, in what order, and a document that shows each text as it is."""

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from bot.cli.app import app
from bot.errors import BotError
from bot.model.checkpoint import Meta, Plugin
from bot.records import Mirostat, Receipt, Rule, Sampling
from bot.reports.article import Chapter, article
from bot.review.chosen import best, chosen, favourites_left_out
from bot.store.histories import Histories
from tests.queues import Queue, judged, outlet

META = Meta(
    model="death_metal",
    tokenizer=Plugin("characters"),
    cell=Plugin("mi_lstm"),
    vocabulary_size=60,
    embedding_size=8,
    hidden_size=512,
    num_layers=2,
    precision="float32",
    step=100,
    epoch=12.0,
    train_loss=1.7,
    held_out_loss=1.8132,
)


def found(queue: Queue) -> list[str]:
    return [one.draft.text for one in chosen(queue.drafts, Histories(queue.database), "metal")]


def best_of(queue: Queue) -> list[str]:
    return [one.draft.text for one in best(chosen(queue.drafts, Histories(queue.database), "metal"))]


def post(queue: Queue, url: str = "") -> None:
    """The bot's next approved draft."""
    queue.deliveries.schedule_now("metal")
    sending = queue.deliveries.begin_sending(queue.deliveries.claim("me", 90))
    queue.deliveries.settle(sending, "sent", "there", Receipt(f"k{sending.id}", url))


def told(queue: Queue, meta: Meta | None = META) -> str:
    chapter = Chapter("metal", "All.", chosen(queue.drafts, Histories(queue.database), "metal"))
    return article("Texts", [chapter], lambda name: meta)


def test_what_nobody_approved_is_not_chosen(queue: Queue):
    """Neither what waits, nor what was rejected, nor what was approved and that was undone."""
    waits, no, undone, yes, other = queue.add("Waits", "No", "Undone", "Yes", "Other")
    queue.drafts.decide(no.id, no.sha256, "reject", "ada")
    queue.approve(undone)
    queue.drafts.undo(undone.id, "ada")
    for draft in (yes, other):
        queue.approve(draft)
    queue.drafts.star(waits.id, True, "ada")

    assert found(queue) == ["Yes", "Other"]
    assert favourites_left_out(queue.drafts, "metal") == [waits.id]


def test_the_best_are_the_favourites(queue: Queue):
    """Those with a note first, then what is probably liked, then the oldest; also one a policy approved."""
    texts = queue.add("Old", "New", "Liked", "Noted", "Plain")
    for draft in texts[1:]:
        queue.approve(draft)
    queue.drafts.decide(texts[0].id, texts[0].sha256, "approve", "auto", "auto", [outlet("Old")])
    for draft in texts[:4]:
        queue.drafts.star(draft.id, True, "ada")
    queue.drafts.note(texts[3].id, "the very one", "ada")
    queue.judgements.score({texts[2].id: 0.9})

    assert best_of(queue) == ["Noted", "Liked", "Old", "New"]


def test_without_favourites_the_best_are_what_a_person_approved(queue: Queue):
    """Nothing that only a policy looked at."""
    by_policy, by_hand = queue.add("By policy", "By hand")
    queue.drafts.decide(by_policy.id, by_policy.sha256, "approve", "auto", "auto", [outlet("By policy")])
    queue.approve(by_hand)

    assert best_of(queue) == ["By hand"]


def test_an_edited_text_is_told_with_what_it_was(queue: Queue):
    """Step by step; an edit that was taken back is not told."""
    [draft] = queue.add("Wormhron")
    for text in ("Wormhorn", "Wormhorns", "Nothing"):
        queue.drafts.edit(draft.id, text, "ada", [])
    queue.approve(queue.drafts.undo(draft.id, "ada"))

    [one] = chosen(queue.drafts, Histories(queue.database), "metal")

    assert (one.draft.text, one.earlier) == ("Wormhorns", ("Wormhron", "Wormhorn"))
    assert "Edited: `Wormhron` → `Wormhorn` → `Wormhorns`." in told(queue)


def test_a_copy_that_went_out_again_counts_as_the_first_one(queue: Queue):
    """One text, two posts; a copy that reads otherwise by now is a text of its own."""
    [first] = queue.add("Wormhorn")
    queue.approve(first)
    post(queue)
    queue.drafts.star(first.id, True, "ada")
    queue.clock.pass_by(86400)
    queue.approve(queue.drafts.recycle(first.id))
    post(queue, "https://example.org/@metal/2")
    other = queue.drafts.recycle(first.id)
    queue.approve(queue.drafts.edit(other.id, "Wormhorns", "ada", []))

    one, another = chosen(queue.drafts, Histories(queue.database), "metal")

    assert [it.url for it in one.posts] == ["", "https://example.org/@metal/2"]
    assert (one.starred, another.starred) == (True, False)
    assert (another.draft.text, another.earlier) == ("Wormhorns", ("Wormhorn",))
    assert "posted 2026-03-01 12:00 UTC on console, 2026-03-02 12:00 UTC on console" in told(queue)


def test_every_setting_is_told(queue: Queue):
    """Model, checkpoint, how it was sampled, how to sample it again, when it was approved."""
    unusual = Sampling(
        (0.7, 0.9), 40, top_k=5, prefix="`a|", mirostat=Mirostat(2.0), constraints=(Rule("x"),)
    )
    one = judged("Wormhorn")
    queue.drafts.add("metal", [replace(one, candidate=replace(one.candidate, sampling=unusual))])
    [draft] = queue.drafts.list()
    queue.approve(draft)

    text = told(queue)

    assert "Model `death_metal`, checkpoint `epoch12.00_1.8132_3fa9c1`: epoch 12.00, held-out loss" in text
    assert "2 × `mi_lstm` of 512 units." in text
    assert "Temperature 0.830 (drawn from 0.7 to 0.9), surprise 1.04, at most 40 tokens, top k 5," in text
    for said in ('`` "`a|" ``', '`{"surprise": 2.0, "rate": 0.1}`', '`[{"name": "x", "options": {}}]`'):
        assert said in text
    assert "seed 7, sample 3, torch 2.13.0, cpu." in text
    assert "approved by hand on 2026-03-01 12:00 UTC." in text


def test_a_checkpoint_that_is_gone_is_told_by_its_name(queue: Queue):
    queue.approve(*queue.add("Wormhorn"))

    assert "`epoch12.00_1.8132_3fa9c1`: epoch 12.00, held-out loss 1.8132." in told(queue, None)


@pytest.mark.parametrize(
    "text",
    [
        "```\n# no head",
        "~~~~\n<b>x</b>\n````",
        "*a* [b](c) | d",
        "    indented",
        "> q\n- l\n1. n",
        "a\n\nb  ",
    ],
)
def test_a_text_is_shown_as_it_is(queue: Queue, text):
    """Whatever it holds, Markdown reads one block of code, and no note, name or edit becomes markup."""
    [draft] = queue.add(text)
    queue.drafts.note(draft.id, f"{text} <script> ![x](y) `", "ada")
    queue.approve(queue.drafts.edit(draft.id, f"{text}!", "ada", []))

    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(told(queue))

    kinds = [token.type for token in tokens]
    assert [token.content for token in tokens if token.type == "fence"] == [f"{text}!\n"]
    assert kinds.count("heading_open") == 3
    assert kinds.count("list_item_open") == 5
    inside = {child.type for token in tokens for child in token.children or ()}
    assert inside <= {"text", "text_special", "code_inline"}


def test_what_cannot_be_seen_is_made_visible(queue: Queue):
    [draft] = queue.add("Wormhorn")
    queue.drafts.note(draft.id, "\x1b[2J\u202e", "ada")
    queue.approve(draft)

    assert "Note: U+001B\\[2JU+202E\n" in told(queue)


def test_nobody_is_named_and_no_address_but_that_of_the_post(queue: Queue):
    """What a target told is a link only where it is one that holds no password."""
    for text, url in [
        ("One", "https://ada:pw@example.org/1"),
        ("Two", "javascript:x"),
        ("Three", "https://e.org/3"),
    ]:
        queue.approve(*queue.add(text), outlet(text, "mail", "mail ada@example.org"))
        post(queue, url)

    text = told(queue)

    assert "ada" not in text
    assert "javascript" not in text
    assert "on mail (<https://e.org/3>)." in text


@pytest.fixture
def export(house):
    """export("--best") of the bot `night` -> (stdout, stderr)."""

    def export(*words):
        result = CliRunner().invoke(app, ["export", "night", *words, "--config", str(house.config.file)])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout, result.stderr

    return export


def test_an_empty_queue_says_what_to_do(export, tmp_path):
    """And no file is made."""
    with pytest.raises(BotError, match=r"night: nothing is approved yet\. Choose first: bot review night"):
        export("--out", str(tmp_path / "best.md"))
    with pytest.raises(BotError, match="no favourite is approved, nor anything by hand"):
        export("--best")

    assert not (tmp_path / "best.md").exists()


def test_a_file_is_replaced_only_when_asked(house, export, tmp_path):
    """It says how many texts are in it, and which favourites are not."""
    one, two = house.drafts.add("night", [judged("Salt Ladder"), judged("Iron Choir")])
    house.desk("ada").approve(one.id)
    house.drafts.star(two.id, True, "ada")
    file = tmp_path / "best.md"
    file.write_text("mine")

    with pytest.raises(BotError, match=r"best\.md is there already"):
        export("--out", str(file))
    assert file.read_text() == "mine"
    out, err = export("--best", "--out", str(file), "--force")

    assert out == ""
    assert f"favourites that are not approved are left out: {two.id}" in err
    assert err.endswith("best.md: 1 text\n")
    assert file.read_text(encoding="utf-8").startswith(
        "# The best of night\n\n## night\n\nApproved by hand: 1 of 1"
    )


def test_at_most_so_many_are_told(house, export):
    for draft in house.drafts.add("night", [judged("Salt Ladder"), judged("Iron Choir")]):
        house.desk("ada").approve(draft.id)

    out, _ = export("-n", "1")

    assert "Approved: 1 of 2 approved texts." in out
    assert "Salt Ladder" in out
    assert "Iron Choir" not in out
