"""The shipped constraints: what each lets through, and that every sample of the shipped model is right."""

import re
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import abc_notation
from bot.config import Choice, load, shipped
from bot.errors import BotError, ConfigError
from bot.house import House
from bot.model.automaton import allows
from bot.model.sampling import Sampler
from bot.records import Mirostat, Rule, Sampling
from bot.registry import Registry
from bot.text.vocabulary import Vocabulary
from tests.models import small_model
from tests.tunes import RIGHT, WRONG

REGISTRY = Registry(None, Path())
ASKED = 1000  # samples


def build(name, **options):
    return REGISTRY.build("constraints", Choice(name, options))


# pattern

PIECES = ["a", "b", "[ab]", "[^a]", ".", r"\d", r"\w", r"\.", "(ab|c)", "(a|)", "(b*c)"]
TIMES = ["", "*", "+", "?", "{2}", "{1,}", "{0,2}", "{3}"]
expressions = st.lists(
    st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(TIMES)).map("".join), max_size=4).map(
        "".join
    ),
    min_size=1,
    max_size=3,
).map("|".join)


@given(expressions, st.text("abc1. \n", max_size=8))
def test_a_pattern_matches_what_pythons_own_matches(regex, text):
    """In all that both understand."""
    assert allows(build("pattern", regex=regex), text) == bool(re.fullmatch(regex, text))


@given(expressions, st.text("abc1.", max_size=4))
def test_a_pattern_knows_how_far_its_end_is(regex, text):
    """No shorter ending matches, and some text of just that length does if its letters are well chosen."""
    pattern, state = build("pattern", regex=regex), None
    for state in accumulate(text, lambda s, c: s and pattern.advance(s, c), initial=pattern.start):
        if state is None:
            return
    far, ends = pattern.missing(state), {state}
    for steps in range(far + 1):
        assert any(pattern.missing(one) == 0 for one in ends) == (steps == far)
        ends = {after for one in ends for c in "abc1." if (after := pattern.advance(one, c)) is not None}


@pytest.mark.parametrize(
    ("regex", "message"),
    [
        ("(a", "at character 3: a ( that nothing closes"),
        ("a)", "at character 2: a ) that nothing has opened"),
        ("a**", "at character 3: a repetition of a repetition"),
        ("*a", "at character 1: '*' means nothing here: write \\* for the sign itself"),
        ("^a", "'^' means nothing here"),
        ("a{3,2}", "expected {2}, {2,} or {2,4}"),
        ("a{x}", "expected a number"),
        ("[a", "at character 3: it ends too early"),
        ("[]", "nothing stands between [ and ]"),
        ("[z-a]", "z-a is no range"),
        ("\\b", "\\b is not understood"),
        ("\\", "it ends too early"),
        ("(?=a)a", "at character 2: (? is not understood: no looking around"),
        ("a(?<!b)", "at character 3: (? is not understood: no looking around"),
        (
            "(?:a)",
            "at character 2: (? is not understood: no looking around, no names, no flags; (a|b) is a group",
        ),
        ("(a{2000}){2000}", "too long with its repetitions written out"),
        ("(" * 60 + ")" * 60, "more than 50 groups within groups"),
    ],
)
def test_what_is_not_understood_is_told_with_its_place(regex, message):
    """Nothing is guessed, and no expression takes for ever."""
    with pytest.raises(ConfigError, match=re.escape(message)):
        build("pattern", regex=regex)


def test_a_pattern_that_makes_others_explode_takes_no_time():
    """Each character is looked at once, however often the groups could be told apart."""
    assert not allows(build("pattern", regex="(a*)*b"), "a" * 5000)


# balanced


@pytest.mark.parametrize("text", ["", "a", "(a) [b]", "([{}])", '"a (b)"', "“«a»”", '("a")', "it's", "a > b"])
def test_closed_signs_are_balanced(text):
    """In any order of opening, and quotations within brackets or the other way round."""
    assert allows(build("balanced"), text)


@pytest.mark.parametrize("text", ["(", ")", "(]", "([)]", '"', '("a)"', "a)(", "»a«"])
def test_open_and_crossed_signs_are_not(text):
    """Nor what is closed without having been opened."""
    assert not allows(build("balanced"), text)


def test_other_signs_can_be_balanced():
    """By the options; those that are not named do not count."""
    assert allows(build("balanced", pairs="<>", quotes="'"), "<a 'b'> (")
    with pytest.raises(ConfigError, match="every sign once"):
        build("balanced", pairs="(()")


# acrostic


@pytest.mark.parametrize("text", ["Doom", "dark ordinary old moon".title(), "Dead-end (Orb) - of Mud"])
def test_words_spell_letters(text):
    """Whatever their case; signs before a word, and between two, do not count."""
    letters = "".join(re.findall(r"(?:^|\s)\W*(\w)", text))

    assert allows(build("acrostic", letters=letters.swapcase()), text)


@pytest.mark.parametrize("text", ["", "D", "D O O", "D O O M X", "D O X M", "D O O M ", "- D O O"])
def test_other_words_do_not(text):
    """Too few, too many, a wrong one, a space left over."""
    assert not allows(build("acrostic", letters="DOOM"), text)


def test_lines_can_spell_too():
    """Then their other words are free."""
    lines = build("acrostic", letters="ab", of="lines")

    assert allows(lines, "all words go\n  but the first")
    assert not allows(lines, "all words go")
    assert not allows(lines, "all\nall")


def test_an_acrostic_of_signs_is_refused():
    """They stand before words, not for them."""
    with pytest.raises(ConfigError, match="an acrostic spells"):
        build("acrostic", letters="D-M")


# length


@given(st.integers(0, 5), st.integers(0, 5), st.text(max_size=8))
def test_a_length_is_counted_in_characters(least, more, text):
    """Both ends count; without `max` there is no upper one."""
    assert allows(build("length", min=least, max=least + more), text) == (
        least <= len(text) <= least + more or (least + more == 0)
    )
    assert allows(build("length", min=least), text) == (least <= len(text))


@pytest.mark.parametrize("options", [{"min": 3, "max": 2}, {"min": -1}, {"max": -1}])
def test_a_length_that_cannot_be_is_refused(options):
    """With what would be right."""
    with pytest.raises(ConfigError, match="min is at least 0"):
        build("length", **options)


# the shipped model


@pytest.fixture(scope="module")
def sampler():
    return House(load(shipped() / "config.yaml")).sampler("death_metal")


BRACKETED = Rule("pattern", {"regex": r"[A-Z][a-z]+ (\([A-Z][a-z]+\)|\[\d{2,4}\])"})
CASES = {
    "pattern": [Rule("pattern", {"regex": "([A-Z][a-z]{2,} )*of [A-Z][a-z]{2,}"})],
    "balanced": [Rule("balanced")],
    "acrostic": [Rule("acrostic", {"letters": "DOOM"})],
    "length": [Rule("length", {"min": 7, "max": 9})],
    "all": [
        Rule("pattern", {"regex": r"[\w ()]+"}),
        Rule("balanced"),
        Rule("acrostic", {"letters": "GR"}),
        Rule("length", {"min": 8, "max": 16}),
    ],
    "brackets of a pattern": [BRACKETED, Rule("balanced")],
}


def assert_all_right(sampler, sampling):
    found = sampler.sample(sampling, 1, range(ASKED))
    rules = [build(rule.name, **rule.options) for rule in sampling.constraints]
    right = [all(allows(rule, one.text) for rule in rules) for one in found]

    assert (sum(right), len(right)) == (ASKED, ASKED)
    return found


@pytest.mark.parametrize("rules", CASES.values(), ids=CASES)
def test_a_thousand_of_a_thousand_samples_are_right(sampler, rules):
    """Of the shipped model, from cool to hot."""
    assert_all_right(sampler, Sampling((0.5, 1.5), 40, constraints=tuple(rules)))


def test_so_are_they_where_room_is_short(sampler):
    """Exactly as many tokens as the shortest right text has: none is cut before its end."""
    short = Sampling((1.5, 1.5), 7, constraints=(Rule("acrostic", {"letters": "DOOM"}),))

    found = assert_all_right(sampler, short)

    assert all(re.fullmatch(r"[Dd]\s[Oo]\s[Oo]\s[Mm]", one.text) for one in found)


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_so_are_they_whatever_else_is_asked_for(sampler, weights):
    """With every truncation, penalty, window, prefix and stop there is: constraints win."""
    everything = Sampling(
        (0.9, 1.3),
        30,
        top_k=3,
        top_p=0.7,
        min_p=0.1,
        typical_p=0.6,
        eta=0.1,
        mirostat=Mirostat(1.0, 0.3),
        repetition_penalty=1.5,
        no_repeat_ngram=2,
        min_length=9,
        prefix="Gra",
        stop=("e", "x)"),
        weights=weights,
        constraints=tuple(CASES["all"]),
    )

    found = assert_all_right(sampler, everything)

    assert {one.text[:3] for one in found} == {"Gra"}
    assert sampler.sample(everything, 1, [7]) == [found[7]]


def test_masking_leaves_the_odds_of_what_is_allowed_alone(sampler):
    """A constraint that allows everything changes no sample, one that allows most leaves most as it was."""
    free = Sampling((0.8, 0.8), 40)
    samples = [one.text for one in sampler.sample(free, 1, range(300))]

    def sampled(*rules):
        return [one.text for one in sampler.sample(replace(free, constraints=rules), 1, range(300))]

    assert sampled(Rule("length")) == samples
    assert sum(a == b for a, b in zip(sampled(Rule("balanced")), samples, strict=True)) > 280


def test_what_no_text_can_satisfy_is_an_error(sampler):
    """Before anything is sampled: constraints that exclude each other, a length too short, a wrong prefix."""
    doom = Rule("acrostic", {"letters": "DOOM"})
    for impossible in (
        Sampling(constraints=(doom, Rule("length", {"max": 6}))),
        Sampling(max_length=6, constraints=(doom,)),
        Sampling(prefix="Gra", constraints=(doom,)),
        Sampling(constraints=(Rule("pattern", {"regex": "漢+"}),)),
    ):
        with pytest.raises(BotError, match=r"no text of 0 to .* can satisfy"):
            sampler.sample(impossible, 1, [0])


# full_bars


RICH = "tuplet", "broken rhythm", "slur", "another metre"
PLAIN = [text for name, text in RIGHT.items() if name not in RICH]


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_tune_is_allowed_if_it_is_plain(name):
    """Character by character; tuplets, dotted pairs, slurs and changes of metre are not written."""
    assert allows(build("full_bars"), RIGHT[name]) == (RIGHT[name] in PLAIN)


@pytest.mark.parametrize("name", [name for name in WRONG if name not in ("no key", "no note")])
def test_a_tune_whose_bars_do_not_add_up_is_not(name):
    assert not allows(build("full_bars"), WRONG[name][0])


def test_all_tunes_of_a_model_that_knows_nothing_have_full_bars():
    """Of random weights: what is sampled after a header is valid, and without the constraint nothing is."""
    split = REGISTRY.build("tokenizers", Choice("abc", {}))
    vocabulary = Vocabulary.build([split.split(text) for text in PLAIN])
    rules = {"constraint": lambda rule: build(rule.name, **rule.options)}
    sampler = Sampler(small_model(vocabulary_size=len(vocabulary)), vocabulary, split, "folk/1", 2.0, **rules)
    prefix = "M:2/4\nL:1/8\nK:C\nc2 d2 |"
    asked = Sampling((1.0, 1.0), 60, prefix=prefix, constraints=(Rule("full_bars"),))
    texts = [one.text for one in sampler.sample(asked, 1, range(6))]
    free = [one.text for one in sampler.sample(replace(asked, constraints=()), 1, range(6))]

    assert [text for text in texts if abc_notation.survey(text).faults] == []
    assert all(abc_notation.survey(text).faults for text in free)
