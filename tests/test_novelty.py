"""What the index knows of the corpus, against brute force over the texts."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from bot.curation.normal import normal_form
from bot.curation.novelty import HashedTrainingSet, TextTrainingSet, build_index
from bot.errors import BotError, CheckpointError
from bot.records import Match, Span

NAMES = st.text("abC ö", max_size=9)


def hashed(texts) -> HashedTrainingSet:
    return HashedTrainingSet(build_index(texts))


def letters(count: int, seed: int = 0) -> str:
    return "".join(random.Random(seed).choices(string.ascii_lowercase, k=count))


def edited(text: str):
    """The text with one edit at every place: a letter deleted, replaced, inserted."""
    for i in range(len(text)):
        yield text[:i] + text[i + 1 :]
        yield text[:i] + "ж" + text[i + 1 :]
        yield text[:i] + "ж" + text[i:]
    yield text + "ж"


def nearest_by_force(text: str, texts) -> int:
    return min(Levenshtein.distance(normal_form(text), normal_form(other)) for other in texts)


@given(st.lists(NAMES, min_size=1), NAMES)
def test_the_hashes_agree_with_brute_force(corpus, text):
    """Equal, one edit away or neither, as the edit distance to every item says."""
    distance = nearest_by_force(text, corpus)

    assert hashed(corpus).nearest(text, 1) == (Match(distance) if distance <= 1 else None)
    assert hashed(corpus).nearest(text, 0) == (Match(0) if distance == 0 else None)


@given(st.lists(NAMES, min_size=1), NAMES, st.integers(0, 4))
def test_the_texts_agree_with_brute_force(corpus, text, edits):
    """With the texts at hand any number of edits is known, and the item is one of the nearest."""
    distance = nearest_by_force(text, corpus)
    match = TextTrainingSet(corpus).nearest(text, edits)

    assert (match and match.distance) == (distance if distance <= edits else None)
    assert match is None or nearest_by_force(text, [match.item]) == distance


@pytest.mark.parametrize("length", [1, 2, 39, 40, 41, 78, 79, 80, 81, 82, 120, 200])
def test_no_edit_is_missed_at_any_length(length):
    """Short items are found by what they lack, long ones by their windows; between the two is no gap."""
    item = letters(length)
    training_set = hashed([item, "something else"])

    assert training_set.nearest(item, 1) == Match(0)
    assert [text for text in edited(item) if training_set.nearest(text, 1) != Match(1)] == []


@pytest.mark.parametrize("length", [0, 1, 2, 3, 5, 8, 155, 156, 157, 158, 159, 160, 161, 162, 400])
@pytest.mark.parametrize("edits", [1, 2, 3])
def test_no_near_item_is_missed_at_any_length(length, edits):
    """With the texts at hand: halves find the short ones, pieces the long ones; between the two is no gap."""
    chance, item = random.Random(f"{length} {edits}"), letters(length)
    training_set = TextTrainingSet([item, letters(60, 1), letters(170, 2)])
    texts = [changed(item, edits, chance) for _ in range(30)]
    training_set.expect(texts)

    assert [training_set.nearest(text, edits).distance for text in texts] == [
        nearest_by_force(text, [item]) for text in texts
    ]


def changed(text: str, edits: int, chance: random.Random) -> str:
    """The text after as many edits at random places."""
    for _ in range(edits):
        at, kind = chance.randrange(len(text) + 1), chance.choice(["delete", "replace", "insert"])
        text = text[:at] + ("" if kind == "delete" else "ж") + text[at + (kind != "insert") :]
    return text


@given(st.lists(NAMES, min_size=1), st.lists(NAMES, max_size=5))
def test_many_texts_are_answered_as_one_is(corpus, texts):
    """What is expected is looked up together; the answers are the same, and so is the evidence."""
    single, many = TextTrainingSet(corpus), TextTrainingSet(corpus)
    many.expect(texts)

    for text in texts:
        assert [many.nearest(text, edits) for edits in range(4)] == [
            single.nearest(text, edits) for edits in range(4)
        ]
        assert (many.longest(text), many.copied(text)) == (single.longest(text), single.copied(text))
    assert many.evidence(texts) == [single.evidence([text])[0] for text in texts]


@given(st.lists(NAMES, min_size=1), NAMES)
def test_the_longest_copied_stretch_agrees_with_brute_force(corpus, text):
    """No longer stretch of the text stands in any item, and this one stands in the item that is named."""
    form = normal_form(text)
    pieces = [form[i:j] for i in range(len(form)) for j in range(i, len(form) + 1)]
    longest = max(
        (len(piece) for piece in pieces if any(piece in normal_form(item) for item in corpus)), default=0
    )
    span = TextTrainingSet(corpus).longest(text)

    assert (span is None) == (longest == 0)
    if span is not None:
        assert text[span.start : span.start + len(span.text)] == span.text
        assert normal_form(span.text) in normal_form(span.item)
        assert len(span.text) >= longest


@given(st.lists(NAMES, min_size=1), NAMES)
def test_the_evidence_names_the_nearest_item_within_three_edits(corpus, text):
    """Exactly; what is further off is an item with the distance that it has."""
    [evidence] = TextTrainingSet(corpus).evidence([text])
    distance = nearest_by_force(text, corpus)

    assert distance > 3 or evidence.distance == distance
    assert evidence.nearest is None or evidence.distance == nearest_by_force(text, [evidence.nearest.item])


def test_the_overlap_counts_runs_of_five_words():
    """Those that stand in any item, as a share of the text's; a text with fewer than eight has none."""
    items = ["one two three four five six", "b c d e f, g"]
    known = TextTrainingSet(items)

    assert known.overlap("One, two! Three four five. a b c d e f g x y z") == 3 / 11
    assert known.overlap("one two three four five six seven eight nine ten eleven") is None
    assert TextTrainingSet([]).overlap("one two three four five six seven eight nine ten eleven 12") == 0


@pytest.mark.parametrize("length", [40, 79, 80, 81, 200])
def test_two_edits_are_not_one(length):
    """An edit at either end, however long the item, is one too many."""
    item = letters(length)

    assert hashed([item]).nearest("ж" + item[1:-1] + "ж", 1) is None


@pytest.mark.parametrize("length", [120, 200])
def test_half_an_item_is_not_one_edit_from_it(length):
    """Of a long text all windows must be known but for one edit's."""
    item, other = letters(length), letters(length, seed=1)

    assert hashed([item]).nearest(item[: length // 2] + other[length // 2 :], 1) is None


@pytest.mark.parametrize("seed", range(50))
def test_every_planted_copy_is_found(seed):
    """40 characters of any item, in other letters' company, other case and other spacing."""
    items = [letters(200, seed=100 + i) for i in range(50)]
    start = random.Random(seed).randrange(160)
    planted = items[seed][start : start + 40]

    assert TextTrainingSet(items).copied(f"Ж  ж {planted.upper()}Ж") == Span(
        planted.upper(), items[seed], start=5
    )
    assert hashed(items).copied(f"Ж  ж {planted.upper()}Ж") == Span(planted.upper(), start=5)
    assert hashed(items).copied(f"ж {planted[:-1]}ж {planted[1:]}") is None


def test_eight_words_in_a_row_are_a_copy_whatever_stands_between_them():
    """Words are compared without their punctuation, and only as whole words."""
    item = "I saw a cat, it ran at me; so I ran."
    text, span = "See: a 'cat' - it ran... at me! So I: no", "a 'cat' - it ran... at me! So I"

    assert TextTrainingSet([item]).copied(text) == Span(span, item, start=5)
    assert hashed([item]).copied(text) == Span(span, start=5)
    assert hashed([item]).copied("a cat it ran at me so") is None
    assert hashed([item]).copied("a cat it ran at me so it") is None


@given(st.data())
def test_copied_agrees_with_brute_force(data):
    """A text made of pieces of the corpus has a copy in it exactly if 40 characters in a row are one."""
    items = [letters(60, seed) for seed in range(3)]
    cut = st.tuples(st.sampled_from(items), st.integers(0, 30), st.integers(25, 60))
    text = "".join(item[start : start + size] for item, start, size in data.draw(st.lists(cut, max_size=4)))
    windows = [text[i : i + 40] for i in range(len(text) - 39)]
    first = next((window for window in windows if any(window in item for item in items)), None)

    found = hashed(items).copied(text)

    assert (found and found.text[:40]) == first
    assert TextTrainingSet(items).copied(text) == (
        first
        and Span(
            longest_copy(text, first, items),
            next(item for item in items if first in item),
            start=text.index(first),
        )
    )


def longest_copy(text: str, opening: str, items) -> str:
    item = next(item for item in items if opening in item)
    end = text.index(opening) + 40
    while end < len(text) and text[text.index(opening) : end + 1] in item:
        end += 1
    return text[text.index(opening) : end]


def test_no_window_reaches_from_one_item_into_the_next():
    """Items are strangers to each other: their seam is nobody's text."""
    first, second = letters(50, 1), letters(50, 2)

    assert hashed([first, second]).copied(first[-20:] + second[:20]) is None


@pytest.mark.parametrize("length", [201, 202, 203, 204, 239, 240, 241])
def test_no_edit_of_a_long_item_is_missed(length):
    """Of which only every fourth window is known."""
    item = letters(length)
    training_set = hashed([item, letters(300, 1)])

    assert [text for text in edited(item) if training_set.nearest(text, 1) != Match(1)] == []
    assert training_set.nearest(item[:120] + letters(120, 2), 1) is None


@pytest.mark.parametrize("place", [40, 41, 42, 43, 150, 252])
def test_a_long_item_with_something_else_in_it_is_not_one_edit_from_it(place):
    """Of which 8 characters in a row are another's; fewer may pass for one edit."""
    item = letters(300)
    text = item[:place] + "ж" * 8 + item[place + 8 :]

    assert hashed([item]).nearest(text, 1) is None


@pytest.mark.parametrize("length", [201, 202, 203, 204])
def test_a_long_item_with_another_beginning_or_end_is_not_one_edit_from_it(length):
    """An edit can bare its first or last 40 characters, no more."""
    item, new = letters(length), "ж" * 41

    assert hashed([item]).nearest(new + item[41:], 1) is None
    assert hashed([item]).nearest(item[:-41] + new, 1) is None


@pytest.mark.parametrize("start", [*range(9), 200, *range(255, 261)])
def test_no_copy_out_of_a_long_item_is_missed(start):
    """40 characters wherever they begin, also its last ones; 36 never count."""
    item = letters(300)
    training_set, copy = hashed([item]), item[start : start + 40]

    found = training_set.copied(f"ж {copy}ж")
    assert found.text in copy
    assert len(found.text) >= 37
    assert training_set.copied(f"ж {copy[:36]}ж {copy[4:]}ж") is None


@pytest.mark.parametrize("start", [0, 1, 2, 3, 50, 51, 52])
def test_no_eight_words_of_a_long_item_are_missed(start):
    """Wherever they begin; six never count."""
    words = [letters(1 + i % 4, i) for i in range(60)]
    training_set = hashed([" ".join(words)])

    assert training_set.copied("ж, " + ", ".join(words[start : start + 8]) + ", ж")
    assert training_set.copied("ж, " + ", ".join(words[start : start + 6]) + ", ж") is None


def test_an_index_of_names_is_small_and_holds_no_name():
    """Under three bytes a character and a name: 33,000 names of 12 and a half take under 1.3 MB."""
    names = [letters(12 + i % 2, seed=i) for i in range(33_000)]
    index = build_index(names)

    assert len(index) < 1_300_000
    assert not any(name.encode() in index for name in names[:100])


def test_the_index_depends_on_the_items_alone():
    """Their order and repetition change no byte, so that the same corpus gives the same file."""
    items = [letters(10 + i, seed=i) for i in range(90)]

    assert build_index(items) == build_index([*reversed(items), *items])


def test_an_empty_corpus_knows_nothing():
    """No text is in it, not even the empty one."""
    assert hashed([]).nearest("", 1) is None
    assert hashed([]).nearest(letters(100), 1) is None
    assert hashed([]).copied(letters(100)) is None


def test_hashes_know_one_edit_at_most():
    """The message says what more would need."""
    with pytest.raises(BotError, match=r"2 edits: .* need the corpus itself"):
        hashed(["a"]).nearest("a", 2)


def test_a_file_is_mapped(tmp_path):
    """What was built is what is opened."""
    path = tmp_path / "novelty.index"
    path.write_bytes(build_index(["Wormhorn"]))

    assert HashedTrainingSet.open(path).nearest("wormhorm", 1) == Match(1)


@pytest.mark.parametrize(
    "content", [b"", b"novelty", b"novelty\x02" + bytes(8), build_index(["Wormhorn"])[:-1]]
)
def test_a_file_that_is_no_index_is_refused(tmp_path, content):
    """Empty, foreign, of another version, cut short: the message names the file."""
    path = tmp_path / "novelty.index"
    path.write_bytes(content)

    with pytest.raises(CheckpointError, match=r"novelty\.index"):
        HashedTrainingSet.open(path)


def test_a_missing_file_is_named(tmp_path):
    """A checkpoint without an index cannot tell what is new."""
    with pytest.raises(CheckpointError, match=r"novelty\.index: cannot be read"):
        HashedTrainingSet.open(tmp_path / "novelty.index")
