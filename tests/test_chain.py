"""The chain: filters in the order of the configuration, then the gate, and what became of a batch."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.curation.chain import Chain, Context, Drop, Funnel, funnel
from bot.curation.earlier import Earlier
from bot.curation.gate import COPY, SAFETY
from bot.curation.normal import fingerprint
from bot.curation.novelty import TextTrainingSet
from bot.errors import Ask, BotError, Reject
from bot.records import Candidate, Match, Sampling, Span, Verdict

SAMPLING, FILE = Sampling(), Path(__file__).name
GATE = (Verdict(SAFETY, "accept"), Verdict(COPY, "accept"))


def candidate(text: str) -> Candidate:
    return Candidate(text, text, "metal/best", SAMPLING, 1, 0, 0.8, 1.5, 0.9, "torch", "cpu")


def context(seen=()) -> Context:
    return Context(TextTrainingSet([]), seen)


def judge(text: str, *filters):
    """What a chain of filters, named a, b, c ..., says of one text."""
    (judged,) = Chain(list(zip("abcdef", filters, strict=False)), context()).judge([candidate(text)])
    return judged


def keep(candidate, context):
    return candidate


def trim(candidate, context):
    return replace(candidate, text=candidate.text.strip())


def ask(candidate, context):
    raise Ask("looks odd")


def reject(candidate, context):
    raise Reject("is dull")


def test_without_filters_there_is_the_gate():
    """It cannot be left out."""
    assert judge("Wormhorn").verdicts == GATE
    assert not judge("@bob").kept


def test_each_filter_says_its_word_in_order():
    """What it did and why; the gate has the last word."""
    judged = judge(" Wormhorn", keep, trim, ask)

    assert judged.verdicts == (
        Verdict("a", "accept"),
        Verdict("b", "trim", "was ' Wormhorn'"),
        Verdict("c", "ask", "looks odd"),
        *GATE,
    )
    assert judged.kept


def test_a_trimmed_text_goes_on_and_the_raw_one_stays():
    """Later filters and the gate see what will be posted; replay needs what was sampled."""

    def only_trimmed(candidate, context):
        assert candidate.text == "Wormhorn"
        return candidate

    judged = judge(" Wormhorn ", trim, only_trimmed)

    assert judged.kept
    assert (judged.candidate.text, judged.candidate.raw_text) == ("Wormhorn", " Wormhorn ")


def test_the_first_veto_ends_the_questions():
    """Nobody is asked after it, not even the gate; a doubt before it stays on record."""
    judged = judge("@bob", ask, reject, keep)

    assert judged.verdicts == (Verdict("a", "ask", "looks odd"), Verdict("b", "reject", "is dull"))
    assert not judged.kept


def broken(candidate, context):
    raise ZeroDivisionError("by zero")


def deep(candidate, context):
    return json.loads(candidate.text)


def line_of(filter):
    """The one after its first."""
    return filter.__code__.co_firstlineno + 1


def leaving(candidate, context):
    raise SystemExit(3)


def forgetful(candidate, context):
    return None


def textual(candidate, context):
    return candidate.text


def emptied(candidate, context):
    return replace(candidate, text=None)


def meddling(candidate, context):
    return replace(candidate, text="x", seed=7)


@pytest.mark.parametrize(
    ("filter", "reason"),
    [
        (broken, f"ZeroDivisionError: by zero ({FILE}:{line_of(broken)})"),
        (leaving, f"SystemExit: 3 ({FILE}:{line_of(leaving)})"),
        (deep, f"JSONDecodeError: Expecting value: line 1 column 1 (char 0) ({FILE}:{line_of(deep)})"),
        (lambda: None, "TypeError: <lambda>() takes 0 positional arguments but 2 were given"),
        (forgetful, "it returned NoneType, not a Candidate"),
        (textual, "it returned str, not a Candidate"),
        (emptied, "it changed more than the candidate's text"),
        (meddling, "it changed more than the candidate's text"),
    ],
)
def test_a_filter_that_fails_has_vetoed(filter, reason):
    """Whatever it does, the text is not let through unjudged and the others are not harmed."""
    judged = judge("Wormhorn", keep, filter, keep)

    assert judged.verdicts[1:] == (Verdict("b", "reject", f"the filter failed: {reason}"),)
    assert judged.candidate == candidate("Wormhorn")


def test_ctrl_c_is_no_verdict():
    """A person who wants to stop is not taken for a broken filter."""

    def interrupted(candidate, context):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge("Wormhorn", interrupted)


def new(candidate, context):
    if context.seen(candidate.text):
        raise Reject("seen")
    return candidate


def test_what_was_kept_has_been_seen():
    """A batch holds no twins, nor what was queued before it; what was vetoed has not been seen."""
    chain = Chain([("new", new)], context({fingerprint("Old")}))
    texts = ["OLD", "Wormhorn", "ＷＯＲＭＨＯＲＮ", "@bob", "@bob"]

    assert [one.kept for one in chain.judge(map(candidate, texts))] == [False, True, False, False, False]
    assert [one.verdicts[-1].filter for one in chain.judge([candidate("@bob")])] == [COPY]


def test_recent_posts_reach_the_gate():
    """A chain without any filter repeats no post."""
    (judged,) = Chain([], context()).judge([candidate("Wormhorn")], ["wormhorn"])

    assert judged.verdicts[-1].reason == "It repeats the recent post “wormhorn”."


def test_the_kept_carry_their_evidence():
    """How near they come to the corpus, to what was queued and posted, and to those kept before them."""
    context = Context(TextTrainingSet(["Wormwood"]), earlier=Earlier(["Ashes"], ["Bone"]))
    texts = ["Wormhorn", "@bob", "Ash", "Bones", "Wormhorns"]
    worm, bob, ash, bones, worms = Chain([], context).judge(map(candidate, texts))

    assert worm.evidence.nearest == Match(3, "Wormwood")
    assert worm.evidence.copied == Span("Worm", "Wormwood")
    assert bob.evidence is None
    assert [one.evidence.earlier for one in (ash, bones, worms)] == [
        Match(2, "Ashes", "draft"),
        Match(1, "Bone", "post"),
        Match(1, "Wormhorn", "draft"),
    ]


def longer_than(size: int):
    def filter(candidate, context):
        if len(candidate.text) <= size:
            raise Reject(f"not over {size}")
        return candidate

    return filter


def test_the_funnel_shows_what_each_filter_dropped():
    """In the order of the chain, with three examples at most, and the gate at its end."""
    chain = Chain([("one", longer_than(1)), ("odd", ask), ("two", longer_than(2))], context())
    judged = chain.judge(map(candidate, ["a", "bb", "c", "d", "e", "ccc", "#metal"]))

    assert funnel(judged) == Funnel(
        sampled=7,
        drops=(
            Drop("one", 4, (("a", "not over 1"), ("c", "not over 1"), ("d", "not over 1"))),
            Drop("odd", 0, ()),
            Drop("two", 1, (("bb", "not over 2"),)),
            Drop(SAFETY, 1, (("#metal", "“#metal” would become a hashtag."),)),
            Drop(COPY, 0, ()),
        ),
        asked=1,
        kept=1,
    )


def test_an_empty_batch_has_an_empty_funnel():
    """Nothing sampled, nothing dropped."""
    assert funnel([]) == Funnel(0, (), 0, 0)


def test_filters_that_no_candidate_reached_stand_in_the_funnel_too():
    """Or one would think they are not asked at all."""
    judged = Chain([("one", longer_than(1)), ("two", keep)], context()).judge([candidate("a")])

    assert [drop.filter for drop in funnel(judged, ["one", "two"]).drops] == ["one", "two"]


@given(st.lists(st.text("ab@# ", max_size=4)))
def test_nothing_gets_lost_in_the_funnel(texts):
    """What was sampled was dropped by one filter or kept."""
    shown = funnel(Chain([("one", longer_than(1)), ("new", new)], context()).judge(map(candidate, texts)))

    assert shown.sampled == len(texts) == sum(drop.count for drop in shown.drops) + shown.kept


def test_a_setting_that_a_person_must_mend_ends_the_batch():
    """A BotError judges no text: it goes through, and nothing is kept by mistake."""

    def mistaken(candidate, context):
        msg = "edits: 2 needs the corpus"
        raise BotError(msg)

    with pytest.raises(BotError, match="needs the corpus"):
        Chain([("mistaken", mistaken)], Context(TextTrainingSet([]))).judge([candidate("Wormhorn")])


def test_opinions_change_nothing_and_all_are_heard():
    """Of a text that a person wrote each filter says what it thinks; what it would trim it asks about."""
    chain = Chain([("a", reject), ("b", trim), ("c", keep), ("d", ask)], context())

    assert chain.opinions(candidate(" Ash")) == (
        Verdict("a", "reject", "is dull"),
        Verdict("b", "ask", "would make it 'Ash'"),
        Verdict("c", "accept"),
        Verdict("d", "ask", "looks odd"),
    )


def test_what_the_gate_asks_about_is_kept_for_a_person():
    """It counts among those asked about in the funnel."""
    judged = judge("Wоrmhorn")

    assert judged.kept
    assert judged.verdicts[0].outcome == "ask"
    assert funnel([judged]).asked == 1
