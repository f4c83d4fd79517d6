"""The shipped filters, one by one."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import Ask, BotError, Candidate, Filter, Reject
from bot.config import Choice
from bot.curation.chain import Context
from bot.curation.normal import fingerprint
from bot.curation.novelty import HashedTrainingSet, TextTrainingSet, build_index
from bot.records import Sampling
from bot.registry import Registry

SAMPLING = Sampling()
TEXTS = TextTrainingSet(["Wormhorn", "Grave Digger"])
CONTEXT = Context(TEXTS, {fingerprint("Old Hat")})


def build(name: str, folder: Path = Path(), **options: object) -> Filter:
    """A filter as config.yaml would make it."""
    return Registry(None, folder).build("filters", Choice(name, options))


def candidate(text: str, surprise: float = 1.0) -> Candidate:
    return Candidate(text, text, "metal/best", SAMPLING, 1, 0, 0.8, 1.5, surprise, "torch", "cpu")


def verdict(filter: Filter, text: str, surprise: float = 1.0, context: Context = CONTEXT) -> str:
    """ "" if the filter keeps the text, else its reason, after `?` if it only asks."""
    given = candidate(text, surprise)
    try:
        assert filter(given, context) == given
    except Ask as doubt:
        return f"? {doubt}"
    except Reject as veto:
        return str(veto)
    return ""


def test_length_counts_characters():
    """Both ends belong to what is kept."""
    filter = build("length", min=2, max=4)

    assert [verdict(filter, "ж" * size) for size in range(1, 6)] == [
        "1 characters, fewer than 2",
        *("", "", ""),
        "5 characters, more than 4",
    ]


def test_a_length_that_nothing_has_is_refused():
    """A typing error does not empty the queue for ever."""
    with pytest.raises(BotError, match="min 5 is more than max 4"):
        build("length", min=5, max=4)


def test_training_items_and_their_neighbours_are_not_new():
    """As many edits as are asked for, with the item where the texts are at hand."""
    filter = build("not_in_training", edits=2)

    assert verdict(filter, "WORMHORN") == "is a training item: 'Wormhorn'"
    assert verdict(filter, "Wormhorm") == "is 1 edit from a training item: 'Wormhorn'"
    assert verdict(filter, "Wormhrno") == "is 2 edits from a training item: 'Wormhorn'"
    assert verdict(filter, "Wormwood") == ""


def test_not_in_training_works_on_hashes_alone():
    """Without the corpus the verdict is the same and names no item."""
    context = Context(HashedTrainingSet(build_index(["Wormhorn"])))

    assert verdict(build("not_in_training"), "wormhorn", context=context) == "is a training item"
    assert verdict(build("not_in_training"), "wormhorns", context=context) == "is 1 edit from a training item"
    assert verdict(build("not_in_training", edits=0), "wormhorns", context=context) == ""


def test_fewer_than_no_edits_are_refused():
    """The message says what can be asked for."""
    with pytest.raises(BotError, match="edits -1: must be 0"):
        build("not_in_training", edits=-1)


def test_what_was_queued_before_is_not_queued_again():
    """Case and width make no new text."""
    filter = build("not_seen_before")

    assert verdict(filter, "ＯＬＤ hat") == "was queued before"
    assert verdict(filter, "New Hat") == ""


def test_surprise_outside_the_band_is_rejected():
    """By the band's name or by its ends, which belong to it; what is no number is never kept."""
    balanced, own = build("temperature_band", band="balanced"), build("temperature_band", min=0.8, max=1.0)

    for filter in (balanced, own):
        assert [bool(verdict(filter, "x", rho)) for rho in (0.79, 0.8, 1.0, 1.01, math.nan, math.inf)] == [
            *(True, False, False),
            *(True, True, True),
        ]
    assert verdict(own, "x", 0.5) == "surprise 0.50, under 0.8: too close to what the model knows"
    assert verdict(own, "x", 1.5) == "surprise 1.50, over 1: too close to noise"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"band": "mild"}, "no band is called 'mild' .have safe, balanced, wild"),
        ({"band": "safe", "max": 2.0}, "either `band` or `min` and `max`"),
        ({"min": 2.0, "max": 1.0}, "min 2 is more than max 1"),
    ],
)
def test_a_band_that_cannot_be_is_refused(options, message):
    """Each mistake with its own words."""
    with pytest.raises(BotError, match=message):
        build("temperature_band", **options)


# blocklist: the words here are harmless stand-ins

WORDS = ("gadzooks", "zounds", "egad", "big oaf")


def listed(**options: object) -> Filter:
    return build("blocklist", **{"words": WORDS, "languages": ()} | options)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "zounds",
            "ZOUNDS!",
            "oh, Zounds and more",
            "ｚｏｕｎｄｓ",
            "zöünds",
            "zo\u200bunds",
            "zo\u00adunds",
        ),
        *(
            "zоunds",
            "zοunds",
            "zoυnds",
            "zᴏunds",
            "𝐳𝐨𝐮𝐧𝐝𝐬",
            "ⓩⓞⓤⓝⓓⓢ",
            "z̶o̶u̶n̶d̶s̶",
            "z\u0332o\u0332unds",
            "_zounds_",
        ),
        *("Big  Oaf", "big\noaf", "ＥＧＡＤ", "zoun\u2064ds", "zounds\ufe0f", "zo\u034funds"),
    ],
)
def test_a_whole_word_is_vetoed_in_any_dress(text):
    """Case, width, marks, look-alikes and invisible characters hide nothing."""
    assert verdict(listed(), text).startswith("has the blocked word ")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "z o u n d s",
            "z.o.u.n.d.s",
            "z-o-u-n-d-s",
            "zzoouunnddss",
            "zoooounds",
            "z0unds",
            "zound5",
            "g4dz00ks",
        ),
        *(
            "g@dzooks",
            "e.g.a.d",
            "e9ad",
            "egaaad",
            "gadzookses",
            "Oddzoundsman",
            "bigoaf",
            "b1g 0af",
            "zoun d$!",
        ),
    ],
)
def test_what_seems_to_hide_a_word_needs_a_person(text):
    """Letters apart, repeated, replaced by digits, or inside another word: likely, but not sure."""
    assert verdict(listed(), text).startswith("? seems to hide the blocked word ")


@pytest.mark.parametrize(
    "text", ["Megadeth", "legado", "gad zoo", "big loaf", "bounds", "Egadi", "e g", "g a d", ""]
)
def test_innocent_neighbours_pass(text):
    """A short word inside a longer one, or spelled across half words, is chance."""
    assert verdict(listed(), text) == ""


@pytest.fixture(scope="module")
def stand_ins() -> Filter:
    return listed()


@given(before=st.text(), word=st.sampled_from(WORDS), after=st.text())
def test_a_word_between_spaces_never_passes(stand_ins, before, word, after):
    """Whatever stands around it."""
    assert verdict(stand_ins, f"{before} {word} {after}")


def test_a_doubled_letter_in_a_word_must_be_doubled_in_the_text():
    """Repeats are ignored in the text alone: a word's own double letter counts."""
    filter = listed(words=("poop",))

    assert verdict(filter, "p o o o p") != ""
    assert verdict(filter, "p o p") == verdict(filter, "pop") == ""


def test_languages_without_spaces_are_searched_through():
    """There no space marks where a word begins."""
    filter = listed(words=("馬鹿", "ばか"))

    assert verdict(filter, "大馬鹿者") == "has the blocked word '馬鹿'"
    assert verdict(filter, "はか") == ""  # without its mark the letter is another


def test_the_owners_file_holds_a_word_a_line(tmp_path):
    """Empty lines and notes are none."""
    (tmp_path / "words.txt").write_text("# never\n\nhullabaloo\n  tosh pot \n", "utf-8")
    filter = build("blocklist", tmp_path, path="words.txt", languages=[])

    assert verdict(filter, "what a Hullabaloo") == "has the blocked word 'hullabaloo'"
    assert verdict(filter, "tosh pot") == "has the blocked word 'tosh pot'"
    assert verdict(filter, "never") == ""


def test_english_is_blocked_unless_told_otherwise():
    """By a dictionary of a declared dependency; its words may be let in one by one."""
    assert verdict(build("blocklist"), "Bollocks!") == "has the blocked word 'bollocks'"
    assert verdict(build("blocklist", allow=["BOLLOCKS"]), "Bollocks!") == ""
    assert verdict(build("blocklist"), "Scunthorpe Assassins") == ""


def test_a_dictionary_that_does_not_exist_is_named():
    """The message lists those there are."""
    with pytest.raises(BotError, match=r"'klingon' \(have arabic, "):
        build("blocklist", languages=["klingon"])


def test_a_list_that_blocks_nothing_is_refused():
    """Nobody believes in a protection that is not there."""
    with pytest.raises(BotError, match="it blocks nothing"):
        build("blocklist", languages=[])
