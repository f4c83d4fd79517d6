"""The shipped filters, one by one."""

import math
import re
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import Ask, BotError, Candidate, Filter, Reject
from bot.config import Choice
from bot.curation import gate
from bot.curation.chain import Context
from bot.curation.earlier import Earlier
from bot.curation.normal import fingerprint
from bot.curation.novelty import HashedTrainingSet, TextTrainingSet, build_index
from bot.curation.profile import CorpusProfile
from bot.records import Document, Sampling
from bot.registry import Registry
from tests.mentions import HASHTAGS, LINKS, MENTIONS

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
        "1 character, fewer than 2",
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
        *("⒵⒪⒰⒩⒟⒮", "🅩🅞🅤🅝🅓🅢", "🆉🅾🆄🅽🅳🆂", "🇿🇴🇺🇳🇩🇸", "ᶻᵒᵘⁿᵈˢ", "zØuɴđꜱ", "ΖΟUΝDS", "z̷͓o̷u͓̖n̷ds"),
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
        *("z*unds", "z*****s", "z0*nds", "zo-nds", "(z#unds!)", "eg*d", "znds", "sdnuoz", "zonuds", "zowndz"),
        *(
            "egads",
            "gadzook's",
            "zounds666",
            "666zounds",
            "OldBigOafMan",
            "z'o'u'n'd's",
            "zoun-\nds",
            "|_|n zounDS1",
        ),
    ],
)
def test_what_seems_to_hide_a_word_needs_a_person(text):
    """Letters apart, repeated, replaced, masked, missing, in another order or word: likely, but not sure."""
    assert verdict(listed(), text).startswith("? seems to hide the blocked word ")


@pytest.mark.parametrize(
    "text", ["Megadeth", "legado", "gad zoo", "big loaf", "bounds", "Egadi", "e g", "g a d", ""]
)
def test_innocent_neighbours_pass(text):
    """A short word inside a longer one, or spelled across half words, is chance."""
    assert verdict(listed(), text) == ""


@pytest.mark.parametrize(
    ("text", "disguise"),
    [
        ("z0unds", "letters set apart, repeated or replaced, or the word within another"),
        ("z*unds", "letters masked"),
        ("znds", "vowels left out"),
        ("sdnuoz", "spelled backwards"),
        ("zuonds", "letters swapped"),
        ("sounds", "spelled by sound"),
    ],
)
def test_a_doubt_says_which_word_and_which_disguise(text, disguise):
    """The reviewer sees at once what to look for."""
    assert verdict(listed(), text) == f"? seems to hide the blocked word 'zounds': {disguise}"


@pytest.mark.parametrize(
    ("word", "vetoed", "asked", "innocent"),
    [
        (
            "баламут",
            ["БАЛАМУТ", "бaлaмyт", "ба\u0336ламут"],
            ["б4ламут", "балaмуты", "6 а л а м у т"],
            ["балет"],
        ),
        ("жмот", ["жмoт"], ["жмоты", "жмотом", "ж*от", "томж", "жм0т"], ["жмых"]),
        ("ばかやろう", ["ばかやろう"], ["バカヤロウ", "ば か や ろ う", "ばか・やろう"], ["ばら"]),
        ("馬鹿", ["大馬鹿者", "馬\u200b鹿"], ["馬 鹿", "馬・鹿"], ["馬", "鹿と馬"]),
        ("バカ", ["バカ", "ﾊﾞｶ"], ["ばか", "バ カ", "ソバカス"], ["カバ"]),
        ("لئيم", ["لـئـيـم", "لَئِيم", "لئیم"], ["ل ئ ي م"], ["كريم"]),
        ("मूर्ख", ["मूर्ख", "मू\u200dर्ख"], ["म ू र ् ख", "मूर्खता"], ["मुख"]),
        ("μωρός", ["ΜΩΡΌΣ", "μωρος"], ["μ-ω-ρ-ό-ς"], ["μωρό"]),
    ],
)
def test_the_owners_words_may_be_of_any_script(word, vetoed, asked, innocent):
    """Each with the disguises of its own."""
    filter = listed(words=(word,))
    said = {text: verdict(filter, text)[:2] for text in (*vetoed, *asked, *innocent)}

    assert said == dict.fromkeys(vetoed, "ha") | dict.fromkeys(asked, "? ") | dict.fromkeys(innocent, "")


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


def test_a_hidden_word_is_named_as_it_is_and_not_as_a_dictionary_disguises_it():
    """Whichever of them the dictionary has first."""
    for words in (["d@rn", "darn"], ["darn", "d@rn"]):
        assert verdict(build("blocklist", words=words, languages=[]), "d.a.r.n").startswith(
            "? seems to hide the blocked word 'darn'"
        )


def test_a_list_that_blocks_nothing_is_refused():
    """Nobody believes in a protection that is not there."""
    with pytest.raises(BotError, match="it blocks nothing"):
        build("blocklist", languages=[])


NAMES = ["Grave Moon", "Moon Grave", "Pale Grave", "Grave", "Moon", "Pale", "Pale Moon"]
SHAPE = Context(TEXTS, (), lambda: CorpusProfile.of(NAMES[:5], NAMES[5:]))


def test_what_reads_unlike_the_corpus_is_rejected():
    """With how unlike it is; the least likeness is the owner's choice."""
    text = "xqzj kfw"

    assert verdict(build("name_like"), "Grave Moon", context=SHAPE) == ""
    reason = verdict(build("name_like"), text, context=SHAPE)
    assert re.fullmatch(
        r"reads unlike the corpus: likeness -\d+\.\d\d, under -2 \(real items: about 0\)", reason
    )
    assert verdict(build("name_like", min=-1000.0), text, context=SHAPE) == ""


def test_a_likeness_is_not_rounded_up_to_what_it_lies_under():
    """-2.003 is not told as -2.00."""

    class Close:
        def likeness(self, text):
            return -2.003

    reason = verdict(build("name_like"), "Grave", context=Context(TEXTS, (), Close))
    assert reason == "reads unlike the corpus: likeness -2.01, under -2 (real items: about 0)"


def test_without_a_profile_it_is_said_what_would_help():
    """It is no judgement of the text."""
    with pytest.raises(BotError, match="no profile"):
        verdict(build("name_like"), "Grave Moon")


@pytest.mark.parametrize(
    "text",
    [
        "He came.", "“Go!” he said.", "'Go!'", "He said “go.”", "(It rained.)", "¿Qué?", "Is it?!", "3 men.",
        "That is all…", "»Ja.«", "Он пришёл.", "吾輩は猫である。", "「行け。」", "वह आया।", "هل أنت هنا؟",
    ],
)  # fmt: skip
def test_a_sentence_is_complete(text):
    """In Latin, Cyrillic, Han, Devanagari, Arabic; with quotes and brackets around its ends."""
    assert verdict(build("complete_sentence"), text) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("He came", "breaks off: it ends in 'came', without a full stop or the like"),
        ("He came,", "breaks off: it ends in 'came,', without a full stop or the like"),
        ("吾輩は猫である", "breaks off: it ends in '吾輩は猫である', without a full stop or the like"),
        ("he came.", "begins in the middle of a sentence: 'he'"),
        (", he came.", "begins in the middle of a sentence: ','"),
        ("… and came.", "begins in the middle of a sentence: 'and'"),
        ("“”", "is no sentence: it has no word"),
    ],
)
def test_half_a_sentence_is_rejected(text, reason):
    """With the word where it breaks."""
    assert verdict(build("complete_sentence"), text) == reason


@pytest.mark.parametrize(
    "text",
    [
        "(a [b] c)", "“a”", "„a“", "„a”", "”a”", "«a»", "»a«", "‹a›", '"a" and "b"', "「a『b』」", "（a）",
        "it's ‘so’, dogs' and '90s", '12" vinyl', "",
    ],
)  # fmt: skip
def test_pairs_are_balanced(text):
    """As English, German, French, Danish and Japanese set them; apostrophes and inches are no quotes."""
    assert verdict(build("balanced"), text) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(a", "( is not closed"),
        ("a)", ") closes nothing"),
        ("(a]", "] closes ("),
        ("“a", "“ is not closed"),
        ("a”b", "” is not closed"),
        ('"a', '" is not closed'),
        ("「a", "「 is not closed"),
        ("([)]", ") closes ["),
    ],
)
def test_a_mark_without_its_partner_is_named(text, reason):
    """The first one."""
    assert verdict(build("balanced"), text) == reason


def test_words_of_the_corpus_are_real():
    """A share of them suffices; of those that are not known three are named."""
    filter = build("real_words", min=0.5)

    assert verdict(filter, "PALE grave of xq", context=SHAPE) == ""
    assert verdict(filter, "Pale xq, xq zj vk", context=SHAPE) == (
        "20% of its words are known, less than 50%: not 'xq', 'zj'"
    )
    assert verdict(filter, "1984!", context=SHAPE) == "has no word"


def test_words_of_dictionaries_and_of_a_file_are_real(tmp_path):
    """With or without those of the corpus; then no profile is needed."""
    (tmp_path / "own.txt").write_text("Wormhorn\n")
    filter = build("real_words", tmp_path, path="own.txt", dictionaries=["en", "de"], corpus=False)

    assert verdict(filter, "Wormhorn’s quick brown foxes überall") == ""
    assert verdict(filter, "Wormhorn qick") == "50% of its words are known, less than 85%: not 'qick'"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dictionaries": ["tlh"]}, r"no dictionary is called 'tlh' \(have ar, de, en,"),
        ({"corpus": False}, "it knows no word"),
        ({"min": 85.0}, "min 85 is no share"),
    ],
)
def test_words_that_nobody_could_know_are_refused(options, message):
    """With what would be right."""
    with pytest.raises(BotError, match=message):
        build("real_words", **options)


def test_a_long_text_tells_its_language():
    """With what it is taken for."""
    filter = build("language", languages=["en", "de"])

    assert verdict(filter, "The moon is over the harbour and nobody sleeps") == ""
    assert verdict(filter, "Der Mond steht über dem Hafen und niemand schläft") == ""
    reason = verdict(filter, "La lune est sur le port et personne ne dort cette nuit")
    assert re.fullmatch(r"is not in en or de but looks like fr \(\d+% sure\)", reason)


def test_a_short_text_is_judged_by_its_script():
    """A name of two words has no language that a machine could tell."""
    assert verdict(build("language"), "Mare Tranquillitatis") == ""
    assert verdict(build("language"), "Ночь") == "is not written in Latin letters, as en is"
    assert verdict(build("language", languages=["ja"]), "Wormhorn") == (
        "is not written in Han or Hiragana or Katakana letters, as ja is"
    )
    assert verdict(build("language", languages=["ja", "en"]), "月 moon") == ""
    assert verdict(build("language"), "1984!") == ""


def test_a_language_that_does_not_exist_is_named():
    """By its code."""
    with pytest.raises(BotError, match="no language is called 'english'"):
        build("language", languages=["english"])
    with pytest.raises(BotError, match="no language would pass"):
        build("language", languages=[])


LAMP = "The lamp in the hall burned all night, and in the morning nobody could say who had lit it or why"
PIECES = Context(TextTrainingSet([Document("Storm of the Light's Bane", "bands.csv"), LAMP]))


def test_a_piece_of_an_item_is_no_invention():
    """By its share of the text, or by its length alone, and the item is named."""
    by_share, by_length = build("not_copied", share=0.5), build("not_copied", share=1.0, characters=9)

    assert verdict(by_share, "Storm of the Sun", context=PIECES) == (
        "shares 'Storm of the' with \"Storm of the Light's Bane\""
    )
    assert verdict(by_share, "A Storm of Red Ash", context=PIECES) == ""
    assert verdict(by_length, "A Long Storm of the Sun", context=PIECES).startswith("shares 'Storm of the'")
    assert verdict(by_length, "storm off", context=PIECES) == ""


def test_a_long_text_is_not_put_together_from_the_corpus():
    """Runs of five words that stand in it count, wherever they stand."""
    loose, strict = (build("not_copied", share=1.0, overlap=share) for share in (0.5, 0.1))
    text = "Somebody came home late. In the morning nobody could say if the dog had seen him or not"

    assert verdict(loose, text, context=PIECES) == ""
    assert verdict(strict, text, context=PIECES) == "14% of its runs of 5 words stand in the corpus"


def test_pieces_need_the_corpus_at_hand():
    """Hashes know long stretches only; the message says so instead of letting everything pass."""
    context = Context(HashedTrainingSet(build_index(["Wormhorn"])))

    with pytest.raises(BotError, match="need the corpus itself at hand"):
        verdict(build("not_copied"), "Wormwood", context=context)


def test_a_share_is_no_percentage():
    """The message says what can be asked for."""
    with pytest.raises(BotError, match="share 80: must be from 0 to 1"):
        build("not_copied", share=80.0)


def test_what_nearly_repeats_a_draft_or_a_post_is_not_queued():
    """As many edits as are asked for, with the text that it repeats; what the batch kept is a draft too."""
    filter = build("not_seen_before", edits=1)
    context = Context(TEXTS, earlier=Earlier(["Grey Hat", "Old Hat"], ["Old Hat"]))
    context.remember("New Hat")

    assert verdict(filter, "old hats", context=context) == "is 1 edit from the post 'Old Hat'"
    assert verdict(filter, "Gray hat", context=context) == "is 1 edit from the draft 'Grey Hat'"
    assert verdict(filter, "New Hut", context=context) == "is 1 edit from the draft 'New Hat'"
    assert verdict(filter, "Grim Hat", context=context) == ""
    assert verdict(build("not_seen_before"), "old hats", context=context) == ""


@pytest.mark.parametrize("text", [*chain(*MENTIONS.values(), *LINKS.values()), *HASHTAGS], ids=ascii)
def test_what_is_defused_passes_the_gate_and_notifies_nobody(text):
    """Each form of a mention, link or hashtag loses its sign; what it does not know is left to the gate."""
    trimmed = build("defuse")(candidate(text), CONTEXT)
    outcome = gate.judge(trimmed.text, TEXTS, [])[0].outcome

    assert outcome == ("reject" if "[" in text and "::" in text else "accept")
    assert not set("@＠﹫") & set(trimmed.text)


@pytest.mark.parametrize(
    ("text", "trimmed"),
    [
        ("Hail @bob and #metal!", "Hail bob and metal!"),
        ("bob@example.org", "bob at example. org"),
        ("see https://foo.com/bar.", "see https foo. com/bar."),
        ("The end.So he went", "The end. So he went"),
        ("a\u200bb\u202ec\td", "abc d"),
        ("W.A.S.P. No. 5, 5 @ 3, C#, #1, AC/DC", "W.A.S.P. No. 5, 5 @ 3, C#, #1, AC/DC"),
    ],
)
def test_a_defused_text_can_still_be_read(text, trimmed):
    """Nothing is taken away but the sign; what is harmless stays as it is."""
    assert build("defuse")(candidate(text), CONTEXT).text == trimmed
