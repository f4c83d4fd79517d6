"""A foreign checkpoint becomes a folder that samples like any other, or leaves nothing behind."""

import io
import json

import pytest
from typer.testing import CliRunner

from bot import importing
from bot.cli.app import app
from bot.config import load
from bot.curation import gate
from bot.errors import CheckpointError
from bot.figures import Figures
from bot.house import House
from bot.importing import bring_in, tokens_in
from bot.model import checkpoint
from bot.model.foreign import process
from bot.model.foreign.adopting import Marks
from bot.records import Sampling
from bot.text.vocabulary import Vocabulary
from tests.foreign import LETTERS, Network, Payload, saved, trained
from tests.queues import Clock

ENDED = Marks(end="c")


@pytest.fixture
def house(tmp_path):
    tmp_path.joinpath("config.yaml").write_text("models: {known: {corpus: {lines: {path: words.txt}}}}")
    words = [first + second for first in LETTERS for second in LETTERS]
    tmp_path.joinpath("words.txt").write_text("\n".join(words))
    return House(load(tmp_path / "config.yaml"), Clock())


@pytest.fixture
def here(monkeypatch):
    """Files are read in this process: what a confined one does, test_foreign.py says."""

    def read(path):
        return process._parsed(process.translated(io.BytesIO(path.read_bytes())))

    monkeypatch.setattr(importing, "read", read)


@pytest.fixture
def network(tmp_path):
    """A trained network's file, with its letters."""
    content = {"model": trained(Network("gru")).state_dict(), "chars": LETTERS}
    tmp_path.joinpath("net.pt").write_bytes(saved(content))
    return tmp_path / "net.pt"


def test_it_samples_like_any_other(house, here, network):
    """`best` names it; texts end at the token that ends one and hold letters of the network only."""
    imported = bring_in(house, network, "letters", None, ENDED, "tanh")
    texts = [one.text for one in house.sampler("letters").sample(Sampling(max_length=30), 1, range(50))]

    assert house.checkpoint("letters") == imported.folder
    assert set("".join(texts)) <= set(LETTERS) - {"c"}
    assert len({len(text) for text in texts}) > 3


def test_its_surprise_is_measured_by_its_own_texts(house, here, network):
    """What it has not read nobody knows; so a band means the same as for any other model."""
    meta = bring_in(house, network, "letters", None, ENDED, "tanh").meta

    surprises = dict(meta.calibration)
    assert surprises[1.0] == pytest.approx(1.0)
    assert surprises[0.4] < 1 < surprises[1.3]
    assert meta.settings["imported"] == "net.pt"
    assert meta.cell == checkpoint.Plugin("gru")


def test_copies_are_told_by_the_corpus_of_the_configuration(house, here, network):
    """Without one none can be."""
    known = bring_in(house, network, "known", None, ENDED, "tanh")
    unknown = bring_in(house, network, "unknown", None, ENDED, "tanh")

    assert (known.known_items, unknown.known_items) == (121, 0)
    assert house.training_set("known", known.folder).nearest("ab", 0).item == "ab"
    assert house.training_set("unknown", unknown.folder).nearest("ab", 0) is None


def test_its_card_says_what_is_known_of_it(house, here, network):
    """Where it came from, what its texts are like; copies only where its corpus is."""
    known, unknown = (
        (bring_in(house, network, name, None, ENDED, "tanh").folder / "README.md").read_text(encoding="utf-8")
        for name in ("known", "unknown")
    )

    assert "brought it in on 2026" in known
    assert "from `net.pt`, SHA-256 `" in known
    assert "are exact copies of items" in known
    assert "Copies of what it has read cannot be told" in unknown
    assert unknown.count("Temperature ") == 3


def test_a_corpus_that_cannot_be_read_is_told(house, here, network, tmp_path):
    """The import goes on without it."""
    tmp_path.joinpath("words.txt").unlink()

    imported = bring_in(house, network, "known", None, ENDED, "tanh")
    result = CliRunner().invoke(app, ["import", str(network), "known", "--config", str(house.config.file)])

    assert imported.known_items == 0
    assert "words.txt: there is no such file" in imported.unread
    assert "Copies of what it has read cannot be told: " in result.stderr
    assert "config.yaml:1:" in result.stderr


def test_its_figures_show_no_network_before_training(house, here, network):
    """From which weights another program began nobody knows."""
    bring_in(house, network, "letters", None, ENDED, "tanh")

    flow = next(Figures(house, "letters").draw())

    assert "before training" not in flow.text
    assert "Layer 2" in flow.text


def test_importing_again_with_a_corpus_makes_copies_known(house, here, network):
    """As the command itself advises: the same weights, and now a copy is vetoed."""
    first = bring_in(house, network, "letters", None, ENDED, "tanh")
    house.config.file.write_text("models: {letters: {corpus: {lines: {path: words.txt}}}}")
    house = House(load(house.config.file), Clock())
    second = bring_in(house, network, "letters", None, ENDED, "tanh")

    assert (first.known_items, second.known_items) == (0, 121)
    assert [outcome(house, folder) for folder in (first.folder, second.folder)] == ["accept", "reject"]
    assert house.checkpoint("letters") == second.folder
    assert checkpoint.read_meta(second.folder).corpus["sha256"] == house.corpus("letters").sha256
    assert house.training_set("letters", second.folder).nearest("ab", 0).item == "ab"


def outcome(house, folder):
    """What the gate's rule against copies says of an item of words.txt."""
    return gate.judge("ab", house.known_texts(folder), [])[1].outcome


@pytest.mark.parametrize("wrong", [["b", "a", *LETTERS[2:]], LETTERS[::-1]])
def test_importing_again_with_the_right_tokens_puts_them_right(house, here, tmp_path, wrong):
    """Whether the weights stay the same or not, since another row is the end's; `best` is the last one."""
    tmp_path.joinpath("bare.pt").write_bytes(saved(trained(Network("gru")).state_dict()))
    for tokens in (wrong, LETTERS):
        tmp_path.joinpath("tokens.json").write_text(json.dumps(tokens))
        bring_in(house, tmp_path / "bare.pt", "letters", tmp_path / "tokens.json", ENDED, "tanh")
        there = Vocabulary.load(house.checkpoint("letters") / checkpoint.VOCABULARY).tokens

        assert there == tuple(token for token in tokens if token != "c")


def test_importing_again_with_another_tokenizer_reads_by_it(house, here, network):
    """It stands in meta.json alone."""
    bring_in(house, network, "letters", None, ENDED, "tanh")
    house.config.file.write_text("models: {letters: {tokenizer: words}}")
    bring_in(House(load(house.config.file), Clock()), network, "letters", None, ENDED, "tanh")

    assert checkpoint.read_meta(house.checkpoint("letters")).tokenizer.name == "words"


@pytest.mark.parametrize("order", [(Marks(), ENDED), (ENDED, Marks())])
def test_the_last_import_is_the_best(house, here, network, order):
    """Losses of their own texts do not compare: whichever is lower, a person has just asked for this one."""
    first, second = (bring_in(house, network, "letters", None, marks, "tanh") for marks in order)

    assert first.meta.held_out_loss != second.meta.held_out_loss
    assert house.checkpoint("letters") == house.checkpoint("letters", "latest") == second.folder
    assert (first.before, second.before) == ("", first.folder.name)


def test_the_same_import_again_changes_nothing(house, here, network):
    """One folder, and no other best to tell of."""
    first, second = (bring_in(house, network, "letters", None, ENDED, "tanh") for _ in range(2))

    assert first.folder == second.folder
    assert second.before == ""
    assert checkpoint.names(house.config.checkpoints_folder, "letters") == [first.folder.name]


def test_a_network_that_never_ends_is_cut(house, here, network):
    """At max_length, every text."""
    bring_in(house, network, "letters", None, Marks(), "tanh")
    sampler = house.sampler("letters")

    assert {len(one.text) for one in sampler.sample(Sampling(max_length=17), 1, range(20))} == {17}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.json", json.dumps(LETTERS)),
        ("ids.json", json.dumps({letter: id for id, letter in enumerate(LETTERS)})),
        ("lines.txt", "".join(f"{letter}\n" for letter in LETTERS)),
        ("text.txt", "kabcdefghij" * 3),
    ],
)
def test_tokens_are_named_by_a_file(tmp_path, name, content):
    """A JSON list or mapping, one a line, or a text of just these characters."""
    tmp_path.joinpath(name).write_text(content)

    assert list(tokens_in(tmp_path / name, 11)) == LETTERS


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("list.json", "[1, 2]", "0 tokens, and the network has 2 tokens"),
        ("list.json", "{", "no JSON can be read from it"),
        ("lines.txt", "a\nb\nc\n", "3 lines and 4 different characters, and the network has 2 tokens"),
        ("both.txt", "a\n\n", r"2 tokens; if both fit, write a JSON list"),
        ("twice.txt", "aa\naa\n", None),
    ],
)
def test_a_file_of_other_tokens_is_refused(tmp_path, name, content, message):
    """With what it holds and what is wanted; a text of two characters is one for a network of two."""
    tmp_path.joinpath(name).write_text(content)
    if message is None:
        assert tokens_in(tmp_path / name, 2) == ["\n", "a"]
        return
    with pytest.raises(CheckpointError, match=message):
        tokens_in(tmp_path / name, 2)


def test_without_a_vocabulary_there_is_no_language(house, here, tmp_path):
    """It is said how to name one."""
    tmp_path.joinpath("bare.pt").write_bytes(saved(Network().state_dict()))
    with pytest.raises(CheckpointError, match="name its tokens with --vocabulary FILE"):
        bring_in(house, tmp_path / "bare.pt", "letters", None, ENDED, "tanh")


def test_what_is_refused_leaves_nothing_behind(house, here, network):
    """Whatever is wrong is found before anything is written."""
    with pytest.raises(CheckpointError, match=r"net\.pt: the network's vocabulary has no token 'z'"):
        bring_in(house, network, "letters", None, Marks(end="z"), "tanh")

    assert not house.config.checkpoints_folder.exists()


def test_the_command(house, network, tmp_path):
    """In a process of its own, and what should be known is said."""
    words = ["import", str(network), "letters", "--config", str(tmp_path / "config.yaml")]
    result = CliRunner().invoke(app, words)

    assert result.exit_code == 0, result.exception
    assert result.stdout.strip() == str(house.checkpoint("letters"))
    told = ("2 x gru of 10 units, 11 tokens", "It knows no end", "Copies of what it has read", "Next: bot")
    assert [line for line in told if line not in result.stderr] == []
    assert "best was" not in result.stderr


def test_who_takes_over_a_models_name_is_told(house, here, network, tmp_path):
    """What `best` was and that it is still there, in one line; a shipped one as well."""
    before = house.checkpoint("death_metal")
    words = ["import", str(network), "death_metal", "--config", str(tmp_path / "config.yaml")]
    result = CliRunner().invoke(app, words)

    assert result.exit_code == 0, result.exception
    assert f"death_metal's best was {before.name}; it is still there" in result.stderr
    assert result.stdout.strip() == str(house.checkpoint("death_metal"))
    assert house.checkpoint("death_metal", before.name) == before


def test_the_command_refuses_what_could_run(house, tmp_path):
    """One line, no folder."""
    mark = tmp_path / "mark"
    content = {"model": Network().state_dict(), "more": Payload(mark.touch)}
    tmp_path.joinpath("bad.pt").write_bytes(saved(content))
    words = ["import", str(tmp_path / "bad.pt"), "letters", "--config", str(tmp_path / "config.yaml")]
    result = CliRunner().invoke(app, words)

    assert "bad.pt: it holds more than weights and plain values" in str(result.exception)
    assert not mark.exists()
    assert not house.config.checkpoints_folder.exists()


def test_a_break_is_typed_as_it_is_shown(house, here, tmp_path):
    """`--end '\\n'` is the end of a line."""
    content = {"model": trained(Network()).state_dict(), "chars": [*LETTERS[:-1], "\n"]}
    tmp_path.joinpath("net.pt").write_bytes(saved(content))
    words = ["import", str(tmp_path / "net.pt"), "letters", "--end", r"\n"]
    result = CliRunner().invoke(app, [*words, "--config", str(tmp_path / "config.yaml")])

    assert result.exit_code == 0, result.exception
    assert "It knows no end" not in result.stderr
