"""The fixed gate: nothing unsafe and no copy passes, and little else is held up."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from bot.curation.gate import COPY, MAX_CHARACTERS, SAFETY, judge
from bot.curation.keys import WORDS
from bot.curation.normal import normal_form
from bot.curation.novelty import HashedTrainingSet, TextTrainingSet, build_index
from tests.mentions import HASHTAGS, INNOCENT, LINKS, MENTIONS

NOTHING = TextTrainingSet([])
ITEM = "The wind went over the hill and took the old man's hat with it, and he never looked back."
LETTERS = st.text(string.ascii_letters, min_size=1)

HIDDEN = [
    *(
        "a\u200bb",
        "a\u00adb",
        "a\u202eb",
        "a\u2066b",
        "a\u200fb",
        "a\ufeffb",
        "a\ufe0fb",
        "a\u3164b",
        "a\u115fb",
    ),
    *(
        "a\uffa0b",
        "a\u2800b",
        "a\u034fb",
        "a\U000e0061b",
        "a\U000e0101b",
        "a\x00b",
        "a\x1b[31mb",
        "a\tb",
        "a\rb",
    ),
    *("a\x85b", "a\u2028b", "a\u2029b", "a\ue000b", "a\ud800b", "a\uffffb"),
]
MARKED = ["a" + "\u0301" * 4, "é" + "\u0301" * 3, "b" + "\u20dd\u0301\u0302\u0303"]
OVERSIZED = ["a b " * 1251, "ж\n" * 2499 + "𝕬" * 3000, "a " * 1001, "", " \n "]
UNSAFE = [
    *(text for group in (*MENTIONS.values(), *LINKS.values()) for text in group),
    *(*HASHTAGS, *HIDDEN, *MARKED, *OVERSIZED),
]


def outcomes(text: str, training_set=NOTHING, posts=()) -> dict[str, str]:
    return {verdict.filter: verdict.outcome for verdict in judge(text, training_set, posts)}


@pytest.mark.parametrize("text", UNSAFE, ids=ascii)
def test_what_notifies_links_tags_hides_or_overflows_is_refused(text):
    """Each by the rule that no one can override, with a sentence for a reason."""
    safety, copy = judge(text, NOTHING, [])

    assert (safety.filter, safety.outcome, copy.outcome) == (SAFETY, "reject", "accept")
    assert safety.reason.endswith(".")


@pytest.mark.parametrize("text", INNOCENT)
def test_what_only_looks_dangerous_passes(text):
    """Dots, at-signs and hashes that no platform acts on are nobody's business."""
    assert [verdict.reason for verdict in judge(text, NOTHING, [])] == ["", ""]


def test_there_are_sixty_mentions_and_thirty_links():
    """So many forms the gate is held to."""
    assert sum(map(len, MENTIONS.values())) >= 60
    assert sum(map(len, LINKS.values())) >= 30


@pytest.mark.parametrize(
    ("text", "word", "scripts"),
    [
        ("The Wоrmhorn", "Wоrmhorn", "Latin, Cyrillic"),
        ("αsh", "αsh", "Latin, Greek"),
        ("Пeсок!", "Пeсок", "Latin, Cyrillic"),
        ("Ꮃorm", "Ꮃorm", "Latin, Cherokee"),
        ("ΑБ", "ΑБ", "Greek, Cyrillic"),
    ],
)
def test_a_word_of_letters_that_look_alike_needs_a_person(text, word, scripts):
    """It is not refused, for it may be meant; but nobody sees what it is, and no filter that reads it."""
    safety, _ = judge(text, NOTHING, [])

    assert (safety.filter, safety.outcome) == (SAFETY, "ask")
    assert safety.reason == f"“{word}” is spelled with letters of several scripts: {scripts}."


@pytest.mark.parametrize("text", ["Worm Червь", "Tシャツ", "µTorrent", "Анти-Hero", "K-콘", "𝐖orm", "Đàn Ṽ"])
def test_scripts_that_do_not_mix_within_a_word_need_nobody(text):
    """Nor do letters that nobody confuses."""
    assert outcomes(text)[SAFETY] == "accept"


def test_what_is_refused_is_not_asked_about():
    """The worse comes first."""
    assert outcomes("@bоb")[SAFETY] == "reject"


@pytest.mark.parametrize(
    "piece", ["a", "1.", ".", "@ ", "#1", "a.b", "<", "[", "/u", "x:", "аa", "é", "(", "-", "1.1."]
)
def test_no_text_of_the_longest_length_holds_the_gate_up(piece):
    """Patterns in which one repetition stands within another would not come back before the night."""
    for text in (piece * (MAX_CHARACTERS // len(piece)), piece * (MAX_CHARACTERS // len(piece) - 1) + "!"):
        assert outcomes(text)[COPY] == "accept"


@given(before=st.text(), at=st.sampled_from("@＠﹫"), name=LETTERS, after=st.text())
def test_no_surroundings_make_a_mention_safe(before, at, name, after):
    """Whatever stands around it, an at-sign before a letter is refused."""
    assert outcomes(f"{before}{at}{name}{after}")[SAFETY] == "reject"


@given(st.text(), st.sampled_from(["\u200b", "\u202e", "\x07", "\u3164"]), st.text())
def test_no_surroundings_make_a_hidden_character_safe(before, hidden, after):
    """One is enough, wherever it stands."""
    assert outcomes(before + hidden + after)[SAFETY] == "reject"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello @bob and @eve", "“@bob” would notify somebody."),
        ("see foo.com", "“foo.com” would become a link."),
        ("#metal", "“#metal” would become a hashtag."),
        ("a\u200bb", "U+200B ZERO WIDTH SPACE is a character that readers cannot see."),
        ("a\u202eb", "U+202E RIGHT-TO-LEFT OVERRIDE changes the direction of reading."),
        ("a\x07b", "U+0007 is a control character."),
        ("a" + "\u0301" * 7, "7 combining marks sit on one character, more than 3."),
        ("x " * 2501, "It has 5002 characters, more than 5000. A line has 5002 characters, more than 2000."),
        ("", "There is nothing to read."),
    ],
)
def test_a_reason_is_a_sentence_that_names_what_is_wrong(text, reason):
    """A person understands it without looking the rule up."""
    assert judge(text, NOTHING, [])[0].reason == reason


def test_a_reason_shows_what_cannot_be_seen():
    """Nothing hidden travels in the reason itself."""
    reasons = (
        judge("@bob\u202e", TextTrainingSet([]), ["x"])[0].reason
        + judge("a\u202eb", NOTHING, ["a\u202eb"])[1].reason
    )

    assert "\u202e" not in reasons
    assert "“a<U+202E>b”" in reasons


@given(st.integers(0, len(ITEM) - 40), st.integers(40, len(ITEM)), st.text(max_size=9), st.text(max_size=9))
def test_no_text_shares_40_characters_with_the_corpus(start, size, before, after):
    """Whatever stands before and behind the stretch, in whatever case."""
    text = f"{before} {ITEM[start : start + size].upper()} {after}"

    assert outcomes(text, TextTrainingSet([ITEM]))[COPY] == "reject"


@given(st.integers(0, 10), st.sampled_from([" ", ", ", "... ", " - "]))
def test_no_text_shares_8_words_with_the_corpus(start, glue):
    """Whatever stands between the words."""
    words = ITEM.replace(",", "").rstrip(".").split()[start : start + 8]

    assert outcomes(glue.join(words), TextTrainingSet([ITEM]))[COPY] == "reject"


LINES = (ITEM, "One two three four five six seven eight nine ten; then nobody counted any more. Ｅnough!")
PIECES = st.builds(
    lambda line, start, size, change: change(line[start : start + size]),
    st.sampled_from(LINES),
    st.integers(0, 60),
    st.integers(20, 90),
    st.sampled_from(
        [str, str.upper, str.title, lambda text: text.replace(" ", "  \u3000"), lambda text: text + "."]
    ),
)


def shares(text: str, other: str) -> bool:
    """By brute force: 40 characters, or 8 words, in a row."""
    ours, theirs = normal_form(text), normal_form(other)
    words, theirs_words = (f" {' '.join(WORDS.split(form))} " for form in (ours, theirs))
    runs = [words.split()[i : i + 8] for i in range(len(words.split()) - 7)]
    return any(ours[i : i + 40] in theirs for i in range(len(ours) - 39)) or any(
        f" {' '.join(run)} " in theirs_words for run in runs
    )


@given(st.text(max_size=9), st.lists(PIECES, min_size=1, max_size=3), st.text(max_size=9), st.booleans())
def test_exactly_what_shares_8_words_or_40_characters_is_vetoed(before, pieces, after, by_hash):
    """Of the corpus and of the recent posts, whatever pieces of them it is put together from (P23)."""
    text = f"{before}{' '.join(pieces)}{after}"
    known = HashedTrainingSet(build_index(LINES)) if by_hash else TextTrainingSet(LINES)
    near = [
        line
        for line in LINES
        if shares(text, line) or Levenshtein.distance(*map(normal_form, (text, line))) < 2
    ]

    assert (outcomes(text, known)[COPY] == "reject") == any(
        shares(text, line) or normal_form(text) == normal_form(line) for line in LINES
    )
    assert (outcomes(text, NOTHING, LINES)[COPY] == "reject") == bool(near)


@given(st.sampled_from(LINES), st.integers(0, 80), st.sampled_from(["", "ж", " "]), st.booleans())
def test_nothing_nearly_equals_a_recent_post(post, at, put, replaced):
    """One edit of the last thousand posts is too near, wherever it is made."""
    text = (post[:at] + put + post[at + replaced :]).upper()

    assert outcomes(text, NOTHING, [*map(str, range(999)), post])[COPY] == "reject"


def test_a_copy_is_shown_with_its_item():
    """The reviewer sees what was copied, and from where if the texts are at hand."""
    reason = judge(ITEM[:45], TextTrainingSet([ITEM]), [])[1].reason

    assert reason.startswith(
        "“The wind went over the hill and took the old” stands in the corpus word for word in “The"
    )


@pytest.mark.parametrize(
    "text", ["wormhorn", " WORMHORN ", "The Hill Is Only A Hat", "The Hill is not a Hat"]
)
def test_a_recent_post_is_not_repeated(text):
    """A short text may not equal a post, one of 20 characters may not be within one edit of it."""
    assert (
        outcomes(text, posts=["Wormhorn", "The hill is nor a hat", "the hill is only a hat"])[COPY]
        == "reject"
    )


@pytest.mark.parametrize("text", ["Wormhorm", "Worm Horn", "The Hill Is Also A Hat"])
def test_what_only_resembles_a_recent_post_passes(text):
    """One letter more or less makes another short name."""
    assert outcomes(text, posts=["Wormhorn", "The hill is only a hat"])[COPY] == "accept"


def test_a_long_text_shares_no_stretch_with_a_recent_post():
    """The corpus's rule holds for posts as well."""
    reason = judge(f"Listen! {ITEM[:50]}", NOTHING, [ITEM])[1].reason

    assert reason.endswith("with a recent post.")


def test_a_giant_text_is_refused_for_its_size_alone():
    """Nobody waits for what else might be wrong with ten million characters."""
    safety, copy = judge("@bob " * 2_000_000, NOTHING, [])

    assert "would notify" not in safety.reason
    assert copy.outcome == "accept"


def test_an_item_of_the_corpus_is_a_copy_however_short():
    """One word that is an item is not ours to post, whoever wrote it; a person may override it."""
    known = TextTrainingSet(["Wormhorn", "Ash"])

    _, copy = judge("  WORMHORN", known, [])
    _, new = judge("Wormhorns", known, [])

    assert (copy.outcome, copy.reason) == ("reject", "It is an item of the corpus.")
    assert new.outcome == "accept"


@pytest.mark.parametrize(
    "corpus", [TextTrainingSet(["Bolt Thrower"]), HashedTrainingSet(build_index(["Bolt Thrower"]))]
)
def test_a_copy_in_look_alike_letters_is_a_copy(corpus):
    """A reader sees the item; the reason says what it looks like."""
    *_, copy = judge("B\u043elt Thr\u043ewer", corpus, [])

    assert copy.outcome == "reject"
    assert copy.reason == "It looks like “Bolt Thrower”. It is an item of the corpus."


def test_a_post_is_not_repeated_in_look_alike_letters():
    """Not even where each word is wholly of the other script."""
    assert outcomes("\u0422\u0410\u041e", NOTHING, ["TAO"])[COPY] == "reject"


def test_another_language_is_no_disguise():
    """A text of Cyrillic that looks like nothing known passes."""
    assert outcomes("Мгла над рекой", TextTrainingSet(["Bolt Thrower"]), ["TAO"])[COPY] == "accept"
