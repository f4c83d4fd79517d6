"""Which texts are alike, and that no two of them go out in one week."""

import doctest
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.curation import similarity
from bot.curation.similarity import WEEK, Used, allot, similar
from bot.records import Slot
from tests.queues import NOON, open_queue

WORDS = ("pale", "moon", "noon", "grave", "graves", "digger", "choir", "of")
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
hours = st.lists(st.integers(0, 24 * 16), max_size=12, unique=True).map(sorted)


def test_the_examples_hold():
    """Those of the docstrings."""
    assert not doctest.testmod(similarity).failed


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Wormhorn", "WORMHORN"),
        ("Wormhorn", "Wormhorns"),
        ("Wormhorn", "W0rmhorn"),
        ("Grave", "Grave Digger"),
        ("Blood of the Moon", "The Moon of Blood"),
        ("吾輩は猫である。", "吾輩は犬である。"),
    ],
)
def test_variations_are_alike(text, other):
    """Case, a letter, a word more, another order; whichever comes first."""
    assert similar(text, other)
    assert similar(other, text)


@pytest.mark.parametrize(
    ("text", "other"),
    [("Wormhorn", "Moonspell"), ("Corpse Grinder", "Corpse Eater"), ("The sea sleeps.", "The town wakes.")],
)
def test_different_texts_are_not(text, other):
    """One word in common is no repetition."""
    assert not similar(text, other)


@given(st.text(max_size=9), st.text(max_size=9))
def test_it_is_symmetric_and_every_text_is_like_itself(text, other):
    """Whatever they are made of."""
    assert similar(text, text)
    assert similar(text, other) == similar(other, text)


@given(
    st.lists(texts, max_size=9),
    hours,
    st.lists(st.tuples(st.none() | st.integers(-200, 200), texts), max_size=4),
)
def test_no_two_alike_are_allotted_to_one_week(queue, moments, used):
    """Nor any that is like what is used already; no text twice; none is passed over that could go."""
    moments = [NOON + timedelta(hours=hour) for hour in moments]
    used = [Used(None if hour is None else NOON + timedelta(hours=hour), text) for hour, text in used]

    chosen = allot(queue, moments, used)

    out = [(at, queue[n]) for at, n in zip(moments, chosen, strict=True) if n is not None]
    assert len({n for n in chosen if n is not None}) == len(out)
    for (at, text), (then, other) in [*combinations(out, 2), *((one, two) for one in out for two in used)]:
        assert (then and abs(at - then) >= WEEK) or not similar(text, other)
    for number, (at, n) in enumerate(zip(moments, chosen, strict=True)):
        taken = [
            *used,
            *((at, queue[m]) for at, m in zip(moments, chosen[:number], strict=False) if m is not None),
        ]
        for better in set(range(len(queue) if n is None else n)) - set(chosen[:number]):
            assert any(
                (not then or abs(at - then) < WEEK) and similar(queue[better], other) for then, other in taken
            )


@settings(max_examples=20)
@given(st.lists(texts, max_size=7, unique=True), hours)
def test_the_queue_keeps_the_promise(queued, moments):
    """On the database, slot by slot as they come; and it foresees each of them."""
    with TemporaryDirectory() as folder, open_queue(Path(folder)) as queue:
        for draft in queue.add(*queued):
            queue.approve(draft)
        moments = [NOON + timedelta(hours=hour) for hour in moments]
        foreseen = queue.deliveries.foreseen("metal", moments)

        taken = [queue.deliveries.take_slot(Slot("metal", at.date(), at.time(), "UTC", at)) for at in moments]

        assert [draft and draft.id for draft in taken] == [draft and draft.id for draft in foreseen]
        out = [(at, draft.text) for at, draft in zip(moments, taken, strict=True) if draft]
        for (at, text), (then, other) in combinations(out, 2):
            assert then - at >= WEEK or not similar(text, other)
