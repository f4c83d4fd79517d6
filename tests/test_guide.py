"""What a text begins with, where it may end and what it may not repeat: for every text, on every walk."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from bot.errors import BotError
from bot.model.guide import Course, Guide, Stops
from bot.model.sampling import Sampler
from bot.model.walk import open_walk, torch_walk
from bot.records import Mirostat, Sampling
from bot.text.vocabulary import END, START, UNKNOWN, Vocabulary
from tests.models import small_model
from tests.test_sampling import VOCABULARY, Letters, assert_alone_as_among_others, sampler_of

HOT = Sampling((1.5, 1.5), max_length=12)
both_walks = pytest.mark.parametrize("open_walk", [torch_walk, open_walk], ids=["torch", "compiled"])


def sampler(open_walk=open_walk, vocabulary=VOCABULARY) -> Sampler:
    model = small_model(vocabulary_size=len(vocabulary))
    return Sampler(model, vocabulary, Letters(), "names/epoch1", 2.0, open_walk)


def texts(sampling: Sampling, open_walk=open_walk, count: int = 300) -> list[str]:
    return [one.text for one in sampler(open_walk).sample(sampling, 1, range(count))]


# prefix


@both_walks
def test_a_sample_begins_with_its_prefix(open_walk):
    """And goes on as chance will have it; the greatest length counts the prefix."""
    found = texts(replace(HOT, prefix="cab"), open_walk)

    assert {text[:3] for text in found} == {"cab"}
    assert len({text[3:] for text in found}) > 100
    assert max(map(len, found)) == 12


def test_what_follows_a_prefix_is_what_the_model_gives_after_it():
    """The first letter after it comes as often as the model says, within four standard deviations."""
    model = small_model(vocabulary_size=len(VOCABULARY))
    logits, _ = model(torch.tensor([START, *VOCABULARY.encode(list("cab"))])[:, None])
    logits[-1, 0, [START, UNKNOWN]] = -math.inf
    shares = logits[-1, 0].softmax(0).tolist()
    found = [text[3:4] for text in texts(Sampling((1.0, 1.0), 4, prefix="cab"), count=4000)]

    for id, share in enumerate(shares):
        letter = "" if id == END else (VOCABULARY.decode([id]) or [""])[0]
        if id not in (START, UNKNOWN):
            assert abs(found.count(letter) - 4000 * share) < 4 * math.sqrt(4000 * share)


def test_the_loss_of_a_sample_leaves_its_prefix_out():
    """It is the mean over what was drawn, the end mark counted, with the prefix read before it."""
    model = small_model(vocabulary_size=len(VOCABULARY))

    for one in sampler_of(model).sample(Sampling((1.0, 1.0), 200, prefix="cab"), 1, range(20)):
        ids = torch.tensor([START, *VOCABULARY.encode(list(one.text)), END])[:, None]
        logits, _ = model(ids[:-1])
        assert one.nll == pytest.approx(functional.cross_entropy(logits[3:, 0], ids[4:, 0]).item(), abs=1e-5)


@pytest.mark.parametrize(
    ("prefix", "message"),
    [("caX", "cannot begin with 'caX'.*'X'"), ("abcdefghijkl", "has 12 tokens, max_length is 12")],
)
def test_a_prefix_that_cannot_be_is_an_error(prefix, message):
    """Signs that the model never saw, or more of them than a sample may have."""
    with pytest.raises(BotError, match=message):
        texts(replace(HOT, prefix=prefix))


def test_a_prefix_is_never_read_as_unknown():
    """A vocabulary cut to a size knows a mark for the rest; a sample does not begin with that."""
    cut = Vocabulary(VOCABULARY.tokens, complete=False)
    with pytest.raises(BotError, match="does not know 'X'"):
        sampler(vocabulary=cut).sample(replace(HOT, prefix="caX"), 1, [0])


# lengths


@both_walks
def test_a_length_window_holds_for_every_sample(open_walk):
    """None is shorter, none is longer, and all lengths between occur."""
    found = texts(replace(HOT, min_length=4, max_length=7), open_walk, 600)

    assert {len(text) for text in found} == {4, 5, 6, 7}


def test_within_its_window_a_text_ends_as_often_as_before():
    """Only ends that come too early are forbidden: at the least length a text ends by the model's share."""
    model = small_model(vocabulary_size=5)
    two = Sampler(model, Vocabulary(["a", "b"]), Letters(), "names/epoch1", 1.0)
    found = [one.text for one in two.sample(Sampling((1.0, 1.0), 2, min_length=1), 1, range(4000))]
    first, _ = model(torch.tensor([[START], [3]]))
    a = first[0, 0, [3, 4]].softmax(0)[0].item()
    end = first[1, 0, [END, 3, 4]].softmax(0)[0].item()

    assert abs(found.count("a") - 4000 * a * end) < 4 * math.sqrt(4000 * a * end * (1 - a * end))


# stops


@both_walks
def test_a_sample_ends_before_its_first_stop(open_walk):
    """Compared with the same samples without: each is cut where the first stop begins, and only there."""
    free, stops = texts(HOT, open_walk), ("ab", "c", "bad")
    found = texts(replace(HOT, stop=stops), open_walk)

    assert found == [text[: min(len(text), *(text.find(s) % 99 for s in stops))] for text in free]
    assert 10 < sum(text != whole for text, whole in zip(found, free, strict=True)) < 290


def test_a_stop_counts_only_in_what_was_drawn_and_after_the_least_length():
    """A prefix may hold one, and so may what is too short to end."""
    found = texts(replace(HOT, prefix="abc", min_length=5, stop=("c", "d")))

    assert {text[:3] for text in found} == {"abc"}
    assert min(map(len, found)) == 5
    assert not any(sign in text[5:] for text in found for sign in "cd")
    assert any("d" in text[:5] for text in found)


@given(
    st.lists(st.sampled_from("abc "), max_size=12),
    st.lists(st.text("abc ", min_size=1), min_size=1, max_size=3),
)
def test_a_stop_is_seen_as_soon_as_it_is_there(letters, stops):
    """Also where tokens are long and joined by spaces: told token by token, it is told in time."""
    words = ["a", "ab", "c", "ca b"]

    def join(ids):
        return " ".join(words[id] for id in ids)

    ids = ["abc ".index(letter) for letter in letters]
    watch = Stops(tuple(stops), join, free=0)
    told = [watch.reached(ids[: n + 1]) for n in range(len(ids))]

    texts = [join(ids[: n + 1]) for n in range(len(ids))]
    whole = next((n for n, text in enumerate(texts) if any(stop in text for stop in stops)), None)
    assert (told.index(True) if True in told else None) == whole
    if whole is not None:
        assert texts[whole].startswith(watch.cut(ids[: whole + 1]))
        assert not any(stop in watch.cut(ids[: whole + 1]) for stop in stops)


def test_a_stop_counts_only_after_what_may_be_a_text():
    """Where a constraint forbids the end, the text goes on; it is cut at the first stop that counts."""
    watch = Stops(("b", "cc"), lambda ids: "".join("abc"[id] for id in ids), 0, lambda text: len(text) != 1)
    ids = [0, 1, 0, 2, 2]

    assert [watch.reached(ids[:n]) for n in range(1, 6)] == [False, False, False, False, True]
    assert watch.cut(ids) == "aba"


# repetitions


@both_walks
@pytest.mark.parametrize("length", [1, 2, 3])
def test_no_run_of_tokens_is_written_twice(open_walk, length):
    """Neither one of the prefix's."""
    found = texts(
        replace(HOT, no_repeat_ngram=length, max_length=40, min_length=12, prefix="abba"[: 2 * length])
    )

    for text in found if length > 1 else [text[2:] for text in found]:
        runs = [text[n : n + length] for n in range(len(text) - length + 1)]
        assert len(set(runs)) == len(runs)
    assert length > 1 or not any(set(text[2:]) & set("ab") for text in found)


@given(st.integers(1, 4), st.lists(st.integers(3, 6), max_size=12))
def test_what_would_repeat_is_barred_and_nothing_else(length, ids):
    """Against looking all runs up."""
    guide, barred = Guide(Course(prefix=tuple(ids[:5]), no_repeat_ngram=length)), np.zeros(8, np.float32)
    for id in ids[5:]:
        guide.write(id)
    guide.bar(barred)

    runs = {tuple(ids[n : n + length]) for n in range(len(ids) - length + 1)}
    context = ids[len(ids) - length + 1 :] if length > 1 else []
    repeated = [id for id in range(8) if len(context) == length - 1 and (*context, id) in runs]
    assert np.flatnonzero(np.isinf(barred)).tolist() == repeated


def test_where_nothing_else_is_left_a_run_may_come_again():
    """Two letters and a least length: rather repeated than not written."""
    two = Sampler(small_model(vocabulary_size=5), Vocabulary(["a", "b"]), Letters(), "names/epoch1", 1.0)

    found = two.sample(replace(HOT, no_repeat_ngram=1, min_length=6), 1, range(20))

    assert {one.text[:2] for one in found} == {"ab", "ba"}
    assert all(len(one.text) >= 6 for one in found)


def test_a_penalty_makes_repetitions_rarer():
    """The stronger, the more different letters a text has."""

    def different(penalty: float) -> int:
        found = texts(Sampling((1.0, 1.0), 20, min_length=20, repetition_penalty=penalty))
        return sum(len(set(text)) for text in found)

    assert different(1.0) < different(1.5) < different(4.0)


# mirostat


@pytest.mark.parametrize("surprise", [1.6, 2.0])
def test_mirostat_brings_long_texts_to_their_target(surprise):
    """Where the model itself would give 2.4 nats a token, by Zipf's law."""
    model = small_model(vocabulary_size=len(VOCABULARY))
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.fill_(-1e4)
        model.head.bias[3:] = -torch.arange(1.0, 18).log()
    sampling = Sampling((1.0, 1.0), 400, mirostat=Mirostat(surprise, 0.1))

    losses = [one.nll for one in sampler_of(model).sample(sampling, 1, range(20))]

    assert max(abs(loss - surprise) for loss in losses) < 0.1
    assert abs(sum(losses) / len(losses) - surprise) < 0.05


# together


EVERYTHING = replace(
    HOT,
    top_k=12,
    min_p=0.01,
    typical_p=0.95,
    eta=0.001,
    mirostat=Mirostat(2.0, 0.2),
    repetition_penalty=1.2,
    no_repeat_ngram=3,
    min_length=3,
    prefix="ab",
    stop=("cc", "d"),
)


@both_walks
@pytest.mark.parametrize(
    "sampling",
    [
        replace(HOT, typical_p=0.8),
        replace(HOT, eta=0.05),
        replace(HOT, mirostat=Mirostat(1.5, 0.3)),
        replace(HOT, repetition_penalty=1.4),
        replace(HOT, no_repeat_ngram=2, min_length=3),
        replace(HOT, prefix="abc", stop=("d",)),
        EVERYTHING,
    ],
    ids=["typical", "eta", "mirostat", "penalty", "lengths", "stop", "everything"],
)
def test_whatever_is_asked_for_a_sample_does_not_depend_on_its_company(open_walk, sampling):
    """Its random numbers, its limits and what it has written are its own."""
    assert_alone_as_among_others(sampler(open_walk), sampling)


@both_walks
def test_different_wishes_go_into_one_decode(open_walk):
    """Each request gets what it gets alone."""
    model = sampler(open_walk)
    wishes = [
        HOT,
        EVERYTHING,
        replace(HOT, prefix="ba"),
        replace(HOT, eta=0.1),
        replace(HOT, top_k=2, min_length=5),
    ]
    requests = [(sampling, 7, range(30)) for sampling in wishes]

    assert model.sample_many(requests) == [model.sample(*request) for request in requests]
