"""What `bot corpus` tells: a corpus in numbers, and what may be wrong with it."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bot.cli.app import app
from bot.errors import BotError
from bot.records import Document
from bot.text.corpus import Corpus, gather
from bot.text.statistics import CHUNK, FEW_CHUNKS, SMALL, Statistics, count_words, share_once

NIGHTS = [f"{hill}{number}の夜に月がのぼる。" for hill in "山川空森海" for number in "一二三四五六"]
ROOFS = [f"Mondlicht über den Dächern {number}" for number in range(30)]


def of(*texts: str) -> Statistics:
    return Statistics(Corpus("things", tuple(map(Document, texts)), 0, 0))


def long(characters: int) -> Statistics:
    return of("x" * characters)


def test_sizes_are_told_in_characters_and_in_bytes():
    found = of("Mönd", "月")

    assert (found.corpus.characters, found.bytes) == (5, 8)
    assert found.alphabet == {"M": 1, "ö": 1, "n": 1, "d": 1, "月": 1}


def test_words_are_counted_in_any_case_and_an_apostrophe_is_part_of_one():
    words = count_words(["The moon's moon", "the MOON, don’t"])

    assert words == {"the": 2, "moon's": 1, "moon": 2, "don’t": 1}
    assert share_once(words) == 0.5
    assert share_once({}) == 0


def test_the_rarest_characters_come_first():
    """Twenty at most; of equally rare ones the first in Unicode."""
    assert of("aab", "ca").rarest == ["b", "c", "a"]
    assert len(of("".join(map(chr, range(0x4E00, 0x4E00 + 30)))).rarest) == 20


@pytest.mark.parametrize(
    ("characters", "warnings"),
    [(FEW_CHUNKS * CHUNK - 1, 2), (FEW_CHUNKS * CHUNK, 1), (SMALL - 1, 1), (SMALL, 0)],
)
def test_what_is_too_small_is_warned_of(characters, warnings):
    """Below a million characters, and below a hundred chunks."""
    told = long(characters).warnings

    assert len(told) == warnings
    assert not told or told[0].startswith(f"{characters:,} characters: below 1,000,000")
    assert len(told) < 2 or told[1].startswith("99 chunks of 2,500 characters: below 100")


@given(st.lists(st.integers(1, 300), min_size=1, max_size=60), st.integers(2, 12))
def test_every_text_is_in_one_bar_of_the_histogram(lengths, most):
    """The bars follow each other, and the last one holds the longest."""
    found = of(*("x" * length for length in lengths))

    bars = found.histogram(most)

    assert len(bars) <= most
    assert sum(count for *_, count in bars) == len(lengths)
    assert all(sum(first <= length <= last for length in lengths) == n for first, last, n in bars)
    assert bars[0][0] == 0
    assert all(after[0] == before[1] + 1 for before, after in pairwise(bars))
    assert bars[-1][0] <= max(lengths) <= bars[-1][1]


def test_so_large_a_share_of_texts_is_not_longer():
    found = of(*("x" * length for length in range(1, 101)))

    assert [found.length_at(share) for share in (0, 0.5, 0.95, 1)] == [1, 51, 96, 100]
    assert of("abc").length_at(0.5) == 3


@pytest.fixture
def corpus(tmp_path):
    """corpus(bytes of a file, "--json") -> (stdout, stderr) of the command."""

    def corpus(content: bytes, *words: str, options: str = ""):
        (tmp_path / "moon.txt").write_bytes(content)
        file = tmp_path / "config.yaml"
        file.write_text(f"models: {{moon: {{corpus: {{lines: {{path: moon.txt{options}}}}}}}, bare: {{}}}}\n")
        result = CliRunner().invoke(app, ["corpus", "moon", *words, "--config", str(file)])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout, result.stderr

    return corpus


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "euc_jp"])
def test_the_same_texts_are_the_same_corpus_however_they_are_written(corpus, caplog, encoding, end):
    """What is not UTF-8 is named, by the name that people call it."""
    out, _ = corpus("".join(text + end for text in NIGHTS).encode(encoding), "--json")

    assert json.loads(out)["sha256"] == gather(NIGHTS, "nights").sha256
    called = {"cp932": "moon.txt is Shift_JIS", "euc_jp": "moon.txt is EUC-JP"}
    assert called.get(encoding, "") in caplog.text
    assert bool(caplog.text) == (encoding in called)


def test_an_encoding_that_could_be_several_is_asked_for(corpus):
    """With what the place would read as; once it is given the corpus is told."""
    content = "".join(f"{text}\n" for text in ROOFS).encode("latin-1")

    with pytest.raises(BotError, match=r"config\.yaml:1.*moon\.txt:1: byte 0xFC .*cp1252 .*über den Dächern"):
        corpus(content)
    out, _ = corpus(content, "--json", options=", encoding: latin-1")

    assert json.loads(out)["sha256"] == gather(ROOFS, "roofs").sha256


def test_everything_is_printed_on_lines_for_a_person(corpus):
    """Repetitions, empty lines, once-only words, lengths as bars, warnings."""
    lines = [f"the moon {number % 12}\tx" for number in range(40)]
    out, _ = corpus("\n".join([*lines, "", "  ", "one moon with a long name of its own"]).encode())

    rows = dict(line.split("  ", 1) for line in out.partition("\n\n")[0].splitlines())
    told = {what.strip(): value.strip() for what, value in rows.items()}
    assert told["items read"] == "43"
    assert told["empty, repeated"] == "2, 28"
    assert told["kept"] == "13"
    assert told["words"] == "57, 23 distinct"
    assert told["once only"] == "87% of the distinct words"  # not the, moon, x
    assert told["lengths"] == "12 characters in the middle, 12 to 36 mostly, 36 at most"
    assert out.count("█ 1\n") == 1
    assert out.count("\nwarning: ") == 2


def test_characters_that_cannot_be_seen_are_shown_by_their_code(corpus):
    """A space too: it would be a gap in the list."""
    out, _ = corpus("".join(f"a b\tc\u3000{number}\n" for number in range(10)).encode())

    [alphabet] = [line for line in out.splitlines() if line.startswith("alphabet")]
    assert alphabet.endswith(r" 0 1 2 3 4 5 6 7 8 9 \t \x20 a b c \u3000")


def test_a_program_gets_all_figures(corpus):
    out, _ = corpus("".join(f"{text}\n" for text in NIGHTS).encode(), "--json")
    found = json.loads(out)

    assert (found["kept"], found["characters"], found["bytes"]) == (30, 330, 990)
    assert found["alphabet"]["夜"] == 30
    assert found["lengths"] == dict.fromkeys(("5%", "25%", "50%", "75%", "95%"), 11)
    assert (found["longest"], found["distinct_words"], found["once_only_share"]) == (11, 30, 1.0)
    assert len(found["warnings"]) == 2


def test_words_are_told_only_where_spaces_stand_between_them(corpus):
    """Of Japanese text whole phrases are counted, nearly all of them once; a program is told so."""
    out, _ = corpus("".join(f"{text}\n" for text in NIGHTS).encode())
    found = json.loads(corpus("".join(f"{text}\n" for text in NIGHTS).encode(), "--json")[0])
    spaced = json.loads(corpus("".join(f"moon {n}\n" for n in range(20)).encode(), "--json")[0])

    assert "not counted: no spaces stand between them" in out
    assert (found["spaced"], spaced["spaced"]) == (False, True)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", r"moon\.txt: the file is empty"),
        (b"too\nfew\n", "2 items"),
        ("".join(NIGHTS).encode("utf-16"), "encoding: utf-16"),
    ],
)
def test_what_cannot_be_a_corpus_is_one_line_with_its_place(corpus, content, complaint):
    with pytest.raises(BotError, match=rf"config\.yaml:1:\d+: .*{complaint}") as raised:
        corpus(content)
    assert "\n" not in str(raised.value)
