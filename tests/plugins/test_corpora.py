"""The shipped corpora, on the files people really have."""

from collections import Counter
from pathlib import Path

import pytest

from bot import BotError, CorpusError, Document
from bot.config import Choice
from bot.registry import Registry

NAMES = [f"Motörhead {number}" for number in range(30)]


@pytest.fixture
def read(tmp_path: Path):
    """read(corpus, **options) -> its documents; paths are relative to the test's folder."""

    def read(name: str, **options: object) -> list[Document]:
        return list(Registry(None, tmp_path).build("corpora", Choice(name, options)))

    return read


@pytest.fixture
def write(tmp_path: Path):
    """write(name, content) -> name, for use as an option."""

    def write(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return write


def texts(documents: list[Document]) -> list[str]:
    return [document.text.strip() for document in documents]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_lines_reads_any_line_end_and_encoding(read, write, end, encoding):
    """Line ends and the byte order mark are no part of an item, whatever system wrote the file."""
    path = write("names.txt", end.join(NAMES).encode(encoding))
    options = {} if encoding.startswith("utf-8") else {"encoding": encoding}

    assert texts(read("lines", path=path, **options)) == NAMES


def test_lines_names_its_source(read, write):
    """Every item says which file it came from."""
    assert {one.source for one in read("lines", path=write("bands.txt", "a\nb"))} == {"bands"}


def test_latin_1_read_as_utf_8_is_shown_with_its_cure(read, write):
    """The message names line and byte, shows the place in a likely encoding and the option to set."""
    path = write("names.txt", b"plain\r\nna\xefve caf\xe9\r\n")

    with pytest.raises(
        CorpusError, match=r"names\.txt:2: byte 0xEF is not utf-8\. .*`encoding:`.*'naïve café'"
    ):
        read("lines", path=path)


def test_the_wrong_byte_is_found_deep_in_a_file(read, write):
    """Files are decoded piece by piece; the line is counted over all of them."""
    path = write("names.txt", b"good line\n" * 20_000 + b"bad \xff\n" + b"good line\n" * 20_000)

    with pytest.raises(CorpusError, match=r":20001: byte 0xFF"):
        read("lines", path=path)


def test_a_file_that_ends_within_a_character_is_refused(read, write):
    """A download cut short in the middle of a letter is not taken for whole."""
    with pytest.raises(CorpusError, match=r":1: byte 0xC3"):
        read("lines", path=write("names.txt", "Motö".encode()[:-1]))


@pytest.mark.parametrize(
    "content", ["Rot".encode("utf-16-le"), "Öde".encode("utf-16-le"), "Öde".encode("utf-16")]
)
def test_utf_16_is_recognised(read, write, content):
    """Zero bytes and the byte order mark point to UTF-16, not to a broken text."""
    with pytest.raises(CorpusError, match=r":1: .*`encoding: utf-16`"):
        read("lines", path=write("names.txt", content))


def test_utf_8_read_as_utf_16_is_refused(read, write):
    """The opposite mistake is one line too."""
    with pytest.raises(CorpusError, match="not utf-16"):
        read("lines", path=write("names.txt", "Öde\n"), encoding="utf-16")


@pytest.mark.parametrize("encoding", ["klingon", "base64"])
def test_an_unknown_encoding_is_named(read, write, encoding):
    """Neither a misspelt encoding nor one that is not for text is tried."""
    with pytest.raises(CorpusError, match=f"no text encoding is called '{encoding}'"):
        read("lines", path=write("names.txt", "a"), encoding=encoding)


def test_a_missing_file_brings_to_mind_the_one_that_is_there(read, write):
    """A misspelt file name is answered with its likeliest neighbour."""
    write("bands.txt", "a")

    with pytest.raises(CorpusError, match=r"bnads\.txt: there is no such file\. Did you mean 'bands\.txt'\?"):
        read("lines", path="bnads.txt")


def test_a_missing_folder_is_named(read):
    """Where the folder is wrong, the file's name is not what to look at."""
    with pytest.raises(CorpusError, match="Nor is there a folder"):
        read("lines", path="nowhere/bands.txt")


def test_a_folder_is_no_file_of_lines(read, write):
    """What the system says of an unreadable path is passed on in one line."""
    write("bands/a.txt", "a")

    with pytest.raises(CorpusError, match="cannot be read: Is a directory"):
        read("lines", path="bands")


@pytest.mark.parametrize("corpus", ["lines", "csv_column"])
def test_an_empty_file_is_refused(read, write, corpus):
    """An empty file is a mistake worth a sentence."""
    options = {"column": "name"} if corpus == "csv_column" else {}

    with pytest.raises(CorpusError, match="empty"):
        read(corpus, path=write("names", b""), **options)


def test_one_giant_line_is_one_item(read, write):
    """A line of 10 MB is read as it is."""
    [document] = read("lines", path=write("giant.txt", b"abc def " * 1_310_720))

    assert len(document.text) == 8 * 1_310_720


def test_lines_streams(read, write):
    """The first items are there before a later error is met."""
    corpus = Registry(None, Path()).look_up("corpora", "lines")
    documents = corpus(Path("/proc/self/status"))

    assert next(iter(documents)).text.startswith("Name:")


def test_csv_column_takes_one_column_and_says_so(read, write):
    """Quoted fields keep their commas, doubled quotes and line breaks, and CRLF within them is one break."""
    path = write("songs.csv", '\ufeffid,text\r\n1,"first, line\r\nsecond ""line"""\r\n2,plain\r\n')

    documents = read("csv_column", path=path, column="text")

    assert documents == [Document('first, line\nsecond "line"', "text"), Document("plain", "text")]


def test_csv_column_keeps_the_rows_asked_for(read, write):
    """`where` compares other columns, all of them."""
    path = write("bands.csv", "name,genre,country\nA,Death,SE\nB,Death,US\nC,Folk,SE\n")

    assert texts(read("csv_column", path=path, column="name", where={"genre": "Death", "country": "SE"})) == [
        "A"
    ]


def test_csv_column_keeps_the_rows_of_any_value_of_a_list(read, write):
    """What is left is told with all of them."""
    path = write("bands.csv", "name,genre\nA,Death\nB,Doom\nC,Folk\n")

    corpus = read("csv_column", path=path, column="name", where={"genre": ["Folk", "Death"]})

    assert texts(corpus) == ["A", "C"]


def test_csv_column_takes_short_and_long_rows(read, write):
    """A row with too few fields gives an empty text, one with too many is read as far as the header goes."""
    path = write("bands.csv", "id,name\n1\n2,B,more\n")

    assert texts(read("csv_column", path=path, column="name")) == ["", "B"]


def test_csv_column_reads_other_delimiters(read, write):
    """Tabs and semicolons are an option."""
    assert texts(
        read("csv_column", path=write("a.tsv", "id\tname\n1\tA, B\n"), column="name", delimiter="\t")
    ) == ["A, B"]


@pytest.mark.parametrize("size", [131_073, 2_000_000])
def test_csv_column_has_no_small_limit_of_field_size(read, write, size):
    """A whole story in one field is fine, though Python's csv module stops at 131,072."""
    [document] = read("csv_column", path=write("stories.csv", f"text\n{'x' * size}\n"), column="text")

    assert len(document.text) == size


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            "name,genre\nA,B\n",
            {"column": "nmae"},
            r"no column 'nmae' \(have name, genre\)\. Did you mean 'name'\?",
        ),
        ("name,genre\nA,B\n", {"column": "name", "where": {"gener": "B"}}, r"no column 'gener'.*'genre'"),
        ("name,name\nA,B\n", {"column": "name"}, r":1: 2 columns are called 'name': rename one"),
        ("name;genre\nA;B\n", {"column": "name"}, r"Is ';' the `delimiter`\?"),
        (
            "name,genre\nA,B\n",
            {"column": "name", "where": {"genre": "C"}},
            r"none of its 1 rows has genre 'C'",
        ),
        (
            "name,genre\nA,B\n",
            {"column": "name", "where": {"genre": ["C", "D"]}},
            r"has genre 'C' or 'D' .*; genre there: 'B' 1",
        ),
        ("name,genre\nA,B\n", {"column": "name", "delimiter": "\\t"}, r"is not one character"),
        ('id,name\n1,"A\n2,B\n3,C\n', {"column": "name"}, r":2: unexpected end of data"),
        ('id,name\n1,A\n2,"B" C\n', {"column": "name"}, r":3: .*written twice"),
        (b"id,name\n1,caf\xe9\n", {"column": "name"}, r":2: byte 0xE9"),
    ],
)
def test_csv_column_says_what_is_wrong(read, write, content, options, message):
    """Every mistake is one line: where, what, and what would be right."""
    with pytest.raises(CorpusError, match=message):
        read("csv_column", path=write("bands.csv", content), **options)


def test_text_folder_takes_a_file_for_a_document(read, write):
    """Files come by name, whole, each with its own as the source; other files are left alone."""
    write("stories/b.txt", "two\r\nlines\r\n")
    write("stories/a.txt", "one")
    write("stories/notes.md", "no")
    write("stories/old/c.txt", "deep")

    assert read("text_folder", path="stories") == [
        Document("one", "a.txt"),
        Document("two\nlines\n", "b.txt"),
    ]
    assert texts(read("text_folder", path="stories", pattern="**/*.txt")) == ["one", "two\nlines", "deep"]


def test_text_folder_takes_a_paragraph_for_a_document(read, write):
    write("stories/a.txt", "DAGON\n\nI am writing.\n  \nIt was night.")

    assert read("text_folder", path="stories", paragraphs=True) == [
        Document("DAGON\n", "a.txt"),
        Document("I am writing.\n", "a.txt"),
        Document("It was night.", "a.txt"),
    ]


def test_text_folder_keeps_letters_digits_and_the_signs_that_are_named(write, tmp_path):
    """What is left out is counted."""
    write("stories/a.txt", "Ça, 12° #of\tit!")
    options = {"path": "stories", "keep": ",!"}
    corpus = Registry(None, tmp_path).build("corpora", Choice("text_folder", options))

    assert texts(list(corpus)) == ["Ça, 12 of\tit!"]
    assert ("signs left out", 2) in corpus.steps


def test_text_folder_takes_a_share_the_same_each_time(read, write):
    for number in range(400):
        write(f"stories/{number:03}.txt", str(number))
    first = read("text_folder", path="stories", share=0.25)

    assert 60 < len(first) < 140
    with pytest.raises(BotError, match="share 0 is not above 0"):
        read("text_folder", path="stories", share=0.0)
    assert read("text_folder", path="stories", share=0.25) == first


def test_text_folder_stops_after_so_many_characters(read, write):
    """Of those that are kept; what was there is counted to its end."""
    write("stories/a.txt", "o#ne")
    write("stories/b.txt", "twofold")
    write("stories/c.txt", "three")

    assert texts(read("text_folder", path="stories", keep="", first=6)) == ["one", "two"]
    assert texts(read("text_folder", path="stories", first=4)) == ["o#ne"]
    with pytest.raises(BotError, match="first 0: no character would be read"):
        read("text_folder", path="stories", first=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "nowhere"}, "no such folder"),
        ({"path": "stories/a.txt"}, "a file, not a folder"),
        ({"path": "stories", "pattern": "*.md"}, r"no file in this folder matches '\*\.md'"),
        ({"path": "stories", "pattern": ""}, "no pattern of file names"),
        ({"path": "stories", "pattern": "/etc/*"}, "no pattern of file names"),
    ],
)
def test_text_folder_says_what_is_wrong(read, write, options, message):
    """A folder that is not there, or holds nothing of the kind, is an error."""
    write("stories/a.txt", "one")

    with pytest.raises(CorpusError, match=message):
        read("text_folder", **options)


def test_unicode_names_needs_no_file(read):
    """Thousands of names, each in sentence case, none of them a mere number."""
    names = texts(read("unicode_names"))

    assert len(names) > 10_000
    assert "Greek small letter alpha" in names
    assert all(name and name[0].isupper() and not any(sign.isdigit() for sign in name) for name in names)


def test_unicode_names_takes_a_part(read):
    """A range of code points, a prefix in any case, or both."""
    assert texts(read("unicode_names", first=0x2660, last=0x2661)) == ["Black spade suit", "White heart suit"]
    assert all(name.startswith("Runic ") for name in texts(read("unicode_names", prefix="runic")))


def test_unicode_names_refuses_what_is_no_code_point(read):
    """Unicode ends at 0x10FFFF."""
    with pytest.raises(CorpusError, match="code points run from 0 to 0x10FFFF"):
        read("unicode_names", last=0x110000)


def mixed(read, write, **options):
    """Six items against three, one of them in both, one twice."""
    write("short.txt", "a\nb\n\n b \nc\n")
    write("long.txt", "c\nd\ne\nf\ng\nh\n")
    sources = {name: {"lines": {"path": f"{name}.txt"}} for name in ("short", "long")}
    return read("mix", sources=sources, **options)


def test_a_mix_takes_as_many_items_of_each_source(read, write):
    """Every item says by which name its source was called; what both have counts for the first."""
    counts = Counter(document.source for document in mixed(read, write))

    assert counts == {"short": 3, "long": 3}
    assert "c" not in [one.text for one in mixed(read, write) if one.source == "long"]


def test_a_mix_that_is_not_balanced_takes_all(read, write):
    """Each text once."""
    assert sorted(texts(mixed(read, write, balance=False))) == list("abcdefgh")


def test_the_seed_of_a_mix_decides_what_is_left_out(read, write):
    """The same seed gives the same mix."""
    assert mixed(read, write, seed=3) == mixed(read, write, seed=3)
    assert len({tuple(texts(mixed(read, write, seed=seed))) for seed in range(9)}) > 1


def test_a_mix_tells_what_it_left_out(tmp_path, write):
    """How many distinct items a source had, and how many were taken."""
    write("few.txt", "a\na\nb\n")
    sources = {"few": {"lines": {"path": "few.txt"}}, "signs": {"unicode_names": {"last": 0x7A}}}

    corpus = Registry(None, tmp_path).build("corpora", Choice("mix", {"sources": sources}))
    items = list(corpus)

    assert corpus.steps == [
        ("few: distinct", 2),
        ("signs: distinct", 90),
        ("few: taken", 2),
        ("signs: taken", 2),
    ]
    assert len(items) == 4


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({"one": "unicode_names"}, "a mix has two sources at least"),
        (
            {"one": "unicode_names", "two": "unicode_names"},
            "source two: it has no item that the sources before",
        ),
        (
            {"one": "unicode_names", "two": "unicode_nams"},
            "no corpus is called 'unicode_nams' .* Did you mean",
        ),
        ({"one": "unicode_names", "two": {"lines": {}}}, "the option 'path' is missing"),
        ({"one": "unicode_names", "Two": "lines"}, "should match pattern"),
        (["unicode_names"], "expected a mapping of names to values, not a list"),
    ],
)
def test_a_mix_that_cannot_be_is_refused(read, sources, said):
    """One line says what would be right."""
    with pytest.raises(BotError, match=said):
        read("mix", sources=sources)


def test_csv_column_tells_what_each_condition_leaves(tmp_path, write):
    """In the order given, and how many characters were left out that are not ASCII."""
    rows = ["Rock,en,café", "Rock,fr,rue", "Pop,en,plain", "Rock,en,“so”"]
    write("songs.csv", "Genre,Language,Lyrics\n" + "\n".join(rows) + "\n")
    options = {"path": "songs.csv", "column": "Lyrics", "where": {"Genre": "Rock", "Language": "en"}}

    corpus = Registry(None, tmp_path).build("corpora", Choice("csv_column", options | {"ascii": True}))

    assert texts(corpus) == ["caf", "so"]
    assert corpus.steps == [
        ("rows", 4),
        ("Genre Rock", 3),
        ("Language en", 2),
        ("characters left out that are not ASCII", 3),
    ]
