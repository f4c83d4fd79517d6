"""The plugins of tunes: what is read, repaired, cut into tokens and let pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import Reject, abc_notation
from bot.config import Choice
from bot.errors import ConfigError
from bot.model.automaton import allows
from bot.registry import Registry
from tests.test_plugin_contracts import candidate
from tests.tunes import RIGHT, WRONG

REGISTRY = Registry(None, None)
TOKENS = REGISTRY.build("tokenizers", Choice("abc", {}))


def judge(name, text, **options):
    return REGISTRY.build("filters", Choice(name, options))(candidate(text), None)


@given(st.text() | st.sampled_from([*RIGHT.values()]))
def test_nothing_is_lost_by_cutting_a_text_into_tokens(text):
    assert TOKENS.join(TOKENS.split(text)) == text


def test_a_note_a_bar_line_and_a_metre_are_a_token_each():
    assert TOKENS.split("M:2/4\nK:Dmin\n^f,2 d |]") == [
        *("M:", "2/4", "\n", "K:", "Dmin", "\n", "^f,2", " ", "d", " ", "|]"),
    ]


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_tune_is_rejected_with_its_place(name):
    text, reason = WRONG[name]
    with pytest.raises(Reject, match="line"):
        judge("valid_tune", text, min_bars=1)
    assert reason in " ".join(map(str, abc_notation.survey(text).faults))


def test_a_tune_of_few_bars_is_rejected():
    with pytest.raises(Reject, match="has 2 bars, not 4 to 200"):
        judge("valid_tune", RIGHT["plain"])


def test_foreign_notes_are_named():
    with pytest.raises(Reject, match=r"50% of its notes are not of the key: \^f in line 4"):
        judge("in_scale", "M:2/4\nL:1/4\nK:C\n^f c |]")


def test_a_corpus_repairs_what_it_can_and_counts_what_it_leaves_out(tmp_path):
    """A line without its bar line, a tie to nothing; left out: two voices, a chord, a bar too long."""
    head = "M:2/4\nL:1/8\nK:C\n"
    bodies = ["c2 d2\ne4", "c2 d2- |\ne4 |]", "V:1\nc4 |]", "[ce]4 |]", "c4 d | e4 |]"]
    (tmp_path / "t.abc").write_text("\n\n".join(f"X:{n}\n{head}{body}" for n, body in enumerate(bodies)))
    corpus = Registry(None, tmp_path).build(
        "corpora", Choice("abc_files", {"paths": ["t.abc"], "fields": "MLK"})
    )
    texts = [one.text for one in corpus]

    assert texts == [f"{head}c2 d2 |\ne4 |]"]
    assert dict(corpus.steps)["tunes"] == 5
    assert dict(corpus.steps)["with bars that add up"] == 2


def test_a_tune_is_learned_in_other_keys_too(tmp_path):
    """Of its mode, with at most four sharps or flats; each sounds the same but higher or lower."""
    own = "M:2/4\nL:1/8\nK:Ddor\nD2 ^FA |\nd4 |]"
    (tmp_path / "t.abc").write_text(f"X:1\n{own}\n\nX:2\nM:2/4\nL:1/8\nK:G\nG4 |\nK:D\nF4 |]\n")
    options = {"paths": ["t.abc"], "fields": "MLK", "transpose": True}
    first, changing, *others = Registry(None, tmp_path).build("corpora", Choice("abc_files", options))

    assert first.text == own
    assert not first.variant_of
    assert not changing.variant_of  # it changes its key on the way: where to, is not looked for
    assert {one.variant_of for one in others} == {own}
    keys = {one.text.split("\n")[2] for one in others}
    assert keys == {f"K:{tonic}dor" for tonic in ("C", "E", "F", "F#", "G", "A", "B", "Bb")}
    heights = [note.height for note in abc_notation.survey(own).notes]
    for one in others:
        by = {
            note.height - height
            for note, height in zip(abc_notation.survey(one.text).notes, heights, strict=True)
        }
        assert len(by) == 1
        assert abs(by.pop()) <= 6
        assert not abc_notation.survey(one.text).faults


def test_one_key_and_many_exclude_each_other(tmp_path):
    with pytest.raises(ConfigError, match="set one of them"):
        Registry(None, tmp_path).build(
            "corpora", Choice("abc_files", {"paths": ["t.abc"], "into": "C", "transpose": True})
        )


HEAD = "M:2/4\nL:1/8\nK:G\n"


@pytest.mark.parametrize(
    "text",
    [
        "T:Two Bars\n" + HEAD + "G2 B2 | d4 |]",
        HEAD + "|: G2 B2 | d4 :|\nG4",
        HEAD + "G | B2 d2 | G3",  # a pickup and its complement
        HEAD + "G4- | G4",
        "M:C|K:C C8",  # as a tokenizer without line ends writes it
    ],
)
def test_a_tune_of_full_bars_may_be_written(text):
    assert allows(REGISTRY.build("constraints", Choice("full_bars", {})), text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEAD,  # no note
        "K:G\nG4",  # no metre before the key
        HEAD + "G2 B2 | d3 |]",
        HEAD + "G2 B3",
        HEAD + "G4 | B2 | d4",  # a short bar within
        HEAD + "|: G4",  # never repeated
        HEAD + "G4- | B4",
        HEAD + "G4- | ^G4",
        "M:2/4L:1/8\nK:G\nG4",
        "M:2/4\nL:1/8\nK:GG4",
        HEAD + "|: G4 | G3\nE:|",  # others read a field E:
        "T:G2 | B2\n" + HEAD + "G4",  # notes for a title
        "C:e4\n" + HEAD + "G4",
    ],
)
def test_what_is_no_tune_of_full_bars_may_not_be_written(text):
    assert not allows(REGISTRY.build("constraints", Choice("full_bars", {})), text)


@pytest.mark.parametrize("before", ["|: G4 | G3", "|: G4 | G3\n", "G3"])
@pytest.mark.parametrize("behind", [":|", "|", "|]", " :|", "2", "/", "-E4 |"])
def test_no_end_goes_by_a_pitch(before, behind):
    """What the constraint calls alike is: an end found for one note is one for all."""
    bars = REGISTRY.build("constraints", Choice("full_bars", {}))

    assert len({allows(bars, HEAD + before + note + behind) for note in ("E", "=E", "^e'", "C,", "g")}) == 1
