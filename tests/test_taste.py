"""The taste: what is learned from decisions, against reference solutions, and what must hold for any."""

import string
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.curation.taste import features
from bot.curation.taste.learner import Learner
from bot.curation.taste.logistic import sigmoid, solve
from bot.curation.taste.model import EDITED, Scales, examples, fit
from bot.curation.taste.prequential import FIRST, GRID, learn
from bot.records import Draft, Judgement, Verdict
from tests.queues import NOON, judged

TEXTS = st.text(string.ascii_letters + " éßあ\U0001f480", max_size=30)
SCALES = Scales(1.0, 2.0)


def draft(text: str, id: int = 1, surprise: float = 1.04, sampled: str | None = None) -> Draft:
    candidate = replace(judged(sampled or text).candidate, surprise=surprise)
    return Draft(id, "metal", text, "pending", 1 if sampled is None else 2, str(id), candidate, (), NOON)


def decisions(count: int, seed: int = 0, liked: str = "o") -> list[Judgement]:
    """Words of random letters, approved where they hold `liked`, but for a tenth of them."""
    rng = np.random.default_rng(seed)
    made = []
    for n in range(count):
        text = "".join(rng.choice(list("abdeiklmnorstuz"), rng.integers(4, 12))).title()
        approved = (liked in text.casefold()) != (rng.random() < 0.1)
        made.append(Judgement(draft(text, n, rng.uniform(0.6, 1.2)), approved, NOON + timedelta(seconds=n)))
    return made


def problem(n: int = 30, width: int = 5, seed: int = 1):
    """Features, labels and weights."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, width))
    y = (x[:, 0] + rng.normal(size=n) > 0).astype(float)
    return x, y, rng.uniform(0.2, 1.0, n)


def penalised(w, x, y, weights):
    """What the primal weights minimise."""
    logits = x @ w
    return weights @ (np.logaddexp(0, logits) - y * logits) + w @ w / 2


def test_the_dual_finds_the_optimum_that_descent_finds():
    """Plain gradient descent in the primal, long enough, ends at the same weights."""
    x, y, weights = problem()
    w = np.zeros(x.shape[1])
    for _ in range(20_000):
        w -= 0.02 * (x.T @ (weights * (sigmoid(x @ w) - y)) + w)

    found = x.T @ solve(x @ x.T, y, weights)

    assert found == pytest.approx(w, abs=1e-8)


def test_no_step_from_the_optimum_is_downhill():
    """By finite differences of the penalised loss, in every direction."""
    x, y, weights = problem(seed=2)
    found = x.T @ solve(x @ x.T, y, weights)
    least = penalised(found, x, y, weights)

    for step in 1e-4 * np.vstack([np.eye(5), -np.eye(5)]):
        assert penalised(found + step, x, y, weights) > least
    slopes = [
        (penalised(found + step, x, y, weights) - penalised(found - step, x, y, weights)) / 2e-4
        for step in 1e-4 * np.eye(5)
    ]
    assert slopes == pytest.approx(np.zeros(5), abs=1e-6)


@given(st.integers(1, 25), st.floats(0.01, 1000), st.integers(0, 1000))
def test_the_solver_ends_at_the_optimum_whatever_the_scale(n, scale, seed):
    """Where a full step of Newton overshoots too; the optimum is where coefficients are what is left over."""
    x, y, weights = problem(n, seed=seed)
    kernel = scale * (x @ x.T)

    a = solve(kernel, y, weights)

    assert a == pytest.approx(weights * (y - sigmoid(kernel @ a)), abs=1e-6)


def test_a_fit_that_begins_elsewhere_ends_at_the_same_taste():
    """A start is a matter of time only."""
    known = examples(decisions(60))
    cold = fit(known, SCALES)
    warm = fit(known, SCALES, np.full(60, 0.3))

    assert warm.coefficients == pytest.approx(cold.coefficients, abs=1e-7)


def test_weights_give_the_logits_of_the_kernel():
    """A taste applied to what it was learned from says what the dual says."""
    known = examples(decisions(40))
    taste, a = fit(known, SCALES)

    p = taste.judge(known.numbers, known.grams)

    assert known.weights * (known.labels - p) == pytest.approx(a, abs=1e-5)


@given(TEXTS)
def test_a_texts_grams_have_length_one(text):
    """Or none at all; what differs in case and blanks alone is the same."""
    same = features.grams([text, f"  {text.swapcase()} ".replace(" ", "  ")])
    norm = np.linalg.norm(same[0])

    assert norm == pytest.approx(1.0, abs=1e-5) or norm == 0
    if text.isascii():
        assert (same[0] == same[1]).all()


@given(st.lists(TEXTS, max_size=6))
def test_grams_of_many_are_the_grams_of_each(texts):
    """No n-gram reaches from one text into the next."""
    alone = [features.grams([text])[0] for text in texts]

    assert (features.grams(texts) == np.array(alone).reshape(len(texts), features.BUCKETS)).all()


@settings(max_examples=25)
@given(TEXTS)
def test_grams_are_the_signed_sum_of_those_that_are_read(text):
    """What is told of single n-grams is what was learned: by brute force over `cut`."""
    row = np.zeros(features.BUCKETS)
    for gram in features.cut(text):
        [bucket], [sign] = features.placed(features.hash_of(gram))
        row[bucket] += sign

    found = features.grams([text])[0]
    assert found == pytest.approx(row / max(np.linalg.norm(row), 1e-9), abs=1e-6)


def test_the_numbers_of_a_draft():
    """Length, words, surprise, alliteration and a filter's question; an edit's surprise is unknown."""
    asked = replace(draft("Black Bile Rite", surprise=0.9), verdicts=(Verdict("blocklist", "ask", "?"),))
    rows = features.numbers([asked, draft("Ash", surprise=0.9, sampled="Ashes")])

    named = dict(zip(features.NUMBERS, rows.T, strict=True))
    assert named["length"] == pytest.approx(np.log1p([15, 3]))
    assert named["words"] == pytest.approx(np.log1p([3, 1]))
    assert named["alliteration"] == pytest.approx([0.5, 0])
    assert named["a filter's question"] == pytest.approx([1, 0])
    assert named["surprise"] == pytest.approx([0.9, np.nan], nan_ok=True)


def test_what_is_unknown_counts_as_average():
    """An edit is judged by the rest; nothing becomes nan."""
    taste = fit(examples(decisions(40)), SCALES).taste
    edited = draft("Ashes", surprise=9.0, sampled="Ash")
    average = draft("Ashes", surprise=taste.mean[features.NUMBERS.index("surprise")])

    assert np.isfinite(taste([edited])).all()
    typical = features.NUMBERS.index("distance of the surprise from 1")
    without = replace(
        taste, number_weights=taste.number_weights * (np.arange(len(features.NUMBERS)) != typical)
    )
    assert without([edited]) == pytest.approx(without([average]))


def test_an_approved_edit_counts_half():
    """It shows the owner's words, not a sampled text."""
    whole = Judgement(draft("Ash"), True, NOON)
    edited = Judgement(draft("Ashes", sampled="Ash"), True, NOON)

    assert list(examples([whole, edited]).weights) == [1.0, EDITED]


def test_a_decision_is_foretold_from_those_before_it_alone():
    """Another future changes no score: the walk looks at nothing it could not have known."""
    first = decisions(120)
    mixed = first[:70] + [replace(one, approved=not one.approved) for one in first[70:]]

    scores, others = (learn(examples(told)).scores for told in (first, mixed))

    assert np.isnan(scores[:FIRST]).all()
    assert np.isfinite(scores[FIRST:]).all()
    assert scores[FIRST:70] == pytest.approx(others[FIRST:70], abs=1e-6)
    assert (scores[90:] != others[90:]).all()


def test_the_scales_are_those_that_foretold_best():
    """By brute force: each alone over the same blocks, the least loss wins."""
    known = examples(decisions(90))

    def loss(scales):
        p = learn(known, [scales]).scores[FIRST:]
        return -np.log(np.where(known.labels[FIRST:] > 0, p, 1 - p)).sum()

    assert learn(known).scales == min(GRID, key=loss)


def test_a_taste_is_found_where_there_is_one():
    """Ranks unseen words, where nothing is to be learned it stays near one half."""
    taste = learn(examples(decisions(200))).taste
    p = taste([draft("Oroboro"), draft("Aridesti")])

    assert p[0] > 0.6 > 0.4 > p[1]


def test_one_after_the_other_is_the_same_as_all_at_once():
    """Decisions that are added, taken back or too old change the taste as if it were learned anew."""
    told, learner = decisions(80), Learner()
    for known in (told[:30], told[:31], told[:60], told[:41] + told[42:60], told):
        kept = learner(known)
        anew = fit(examples(known), learner._scales).taste

        assert kept([draft("Oroboro")]) == pytest.approx(anew([draft("Oroboro")]), abs=1e-6)


def test_few_or_equal_decisions_are_no_taste():
    """Nothing is ranked by what is not known."""
    told = decisions(40)

    assert Learner()(told[: FIRST - 1]) is None
    assert Learner()([replace(one, approved=True) for one in told]) is None
    assert Learner()(told) is not None


def test_only_the_latest_decisions_count(monkeypatch):
    """Tastes change, and a fit must not take ever longer."""
    monkeypatch.setattr("bot.curation.taste.learner.MOST", 40)
    told, word = decisions(70), [draft("Oroboro")]

    assert Learner()(told)(word) == Learner()(told[30:])(word)
    assert Learner()(told)(word) != Learner()(told[:40])(word)


def test_the_same_decisions_give_the_same_taste_to_the_bit():
    """Nothing in it is drawn."""
    told = decisions(50)

    assert (learn(examples(told)).scores[FIRST:] == learn(examples(told)).scores[FIRST:]).all()
