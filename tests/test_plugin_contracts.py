"""What holds for every registered plugin, whoever wrote it: documented, typed, true to its protocol.

Cells have their own contract tests in test_cells.py.
"""

import ast
import inspect
import os
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.config import Choice, shipped
from bot.errors import Ask, BotError, ConfigError, CorpusError, NotSent, Reject
from bot.interfaces import Constraint
from bot.model import CountedModel
from bot.model.automaton import allows
from bot.model.sampling import Sampler
from bot.records import Candidate, Document, Kind, Post, Receipt, Rule, Sampling, Secret, Takes
from bot.registry import KINDS, Registry
from bot.rendering import _fault
from bot.text.vocabulary import Vocabulary
from tests.models import small_model

REGISTRY = Registry(None, Path())
NAMES = [(kind, name) for kind in KINDS for name in REGISTRY.names(kind)]
FILES = sorted((shipped() / "plugins").rglob("*.py"))
OPTIONS = {  # of the plugins that cannot do without; paths are files of the `registry` fixture
    "lines": {"path": "names.txt"},
    "csv_column": {"path": "names.csv", "column": "name"},
    "text_folder": {"path": "texts"},
    "unicode_names": {"first": 0x41, "last": 0x5A},
    "mix": {"sources": {"files": {"lines": {"path": "names.txt"}}, "signs": "unicode_names"}},
    "feed": {"path": "feed.xml"},
    "jsonl": {"path": "posts.jsonl"},
    "bluesky": {"handle": "metal.example.social", "app_password": {"env": "CANARY"}},
    "notify": {"secret_url": {"env": "CANARY_SERVICE"}},
    "webhook": {"secret_url": {"env": "CANARY_URL"}},
    "mastodon": {"account": "metal@example.social", "access_token": {"env": "CANARY"}},
    "pattern": {"regex": "[A-Z][a-z]+( (of|the|[A-Z][a-z]+))*"},
    "acrostic": {"letters": "MC"},
    "abc_files": {"paths": ["tunes"]},
    "subwords": {"pieces": 40},
    "mash_up": {"first_path": "morbid.txt", "second_path": "cavern.txt"},
}
LEARNED = [
    f"{one} of the {other}\n{one}{other}" for one in ("Grave", "Rot", "Moon") for other in ("Ash", "Bone")
]
TUNE = "T:Moon\nM:2/4\nL:1/8\nK:G\nG2 B2 | d4 | B2 d2 | G4 |]"
WRITTEN = {"full_bars": "TKL:GCgc24/|"}  # signs without which a constraint lets nothing be written
TEXTS = {"score": "T:Moon\nK:G\nG2 B2 | d4 |]"}  # that a renderer can make something of, if it cannot of any
os.environ["CANARY"] = CANARY = "secret-of-the-contract-tests"
os.environ["CANARY_URL"] = f"https://example.org/{CANARY}"
os.environ["CANARY_SERVICE"] = f"jsons://bot:{CANARY}@example.org"
POST = Post("Rotting Grave & Sons <3", "k1", "metal", datetime(2026, 1, 1, tzinfo=UTC))


def names_of(kind: str, *, where=lambda name: True):
    return pytest.mark.parametrize("name", [name for name in REGISTRY.names(kind) if where(name)])


def has_file(name: str) -> bool:
    return "path" in OPTIONS.get(name, {})


def is_remote(name: str) -> bool:
    """Whether posting to it needs a server: tests/plugins/targets has one for each of them."""
    return any(isinstance(value, dict) for value in OPTIONS.get(name, {}).values())


def given_to(kind: str, name: str) -> set[str]:
    """What the program supplies."""
    if kind != "cells":
        return set()
    counted = issubclass(REGISTRY.look_up(kind, name), CountedModel)
    return {"vocabulary_size"} if counted else {"input_size", "hidden_size"}


def kind_of(target: str) -> Kind:
    return REGISTRY.build("targets", Choice(target, OPTIONS.get(target, {}))).kind


@pytest.fixture
def registry(tmp_path):
    """Every corpus and target finds its files here."""
    (tmp_path / "names.txt").write_text("Grave\nRot\n")
    (tmp_path / "names.csv").write_text("name\nGrave\nRot\n")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("Grave\n")
    (tmp_path / "tunes").mkdir()
    (tmp_path / "tunes" / "a.abc").write_text(f"X:1\n{TUNE}\n")
    return Registry(None, tmp_path)


@pytest.fixture(scope="module")
def with_files(tmp_path_factory):
    """Filters find theirs here; hypothesis asks for one folder for all its examples."""
    folder = tmp_path_factory.mktemp("filters")
    (folder / "morbid.txt").write_text("morbid\n" * 9)
    (folder / "cavern.txt").write_text("cavern\n" * 9)
    return Registry(None, folder)


class Unknowing:
    """A context that has seen nothing, and its own training set, which is empty, and its own profile."""

    @property
    def training_set(self):
        return self

    @property
    def profile(self):
        return self

    def likeness(self, text):
        return 0.0

    def knows(self, word):
        return word in ("morbid", "cavern")

    def seen(self, text):
        return False

    def nearest(self, text, edits):
        return None

    def copied(self, text):
        return None

    def longest(self, text):
        return None

    def overlap(self, text):
        return None

    def nearest_seen(self, text, edits):
        return None


def candidate(text: str, surprise: float = 1.0) -> Candidate:
    return Candidate(text, text, "m/c", Sampling(), 1, 0, 0.8, 1.8 * surprise, surprise, "build", "cpu")


# ---- files and factories ------------------------------------------------------------------------


def test_no_shipped_plugin_fails():
    """All of them load, and none registers a name of another."""
    assert [report.failure for report in REGISTRY.reports() if report.failure] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_says_what_it_is_and_marks_its_hook(path):
    """A module docstring, one hook of its kind, decorated."""
    tree = ast.parse(path.read_text())
    hooks = [node for node in tree.body if isinstance(node, ast.FunctionDef) and "register_" in node.name]

    assert ast.get_docstring(tree)
    assert [hook.name for hook in hooks] == [f"register_{path.parent.name}"]
    assert [ast.unparse(mark) for mark in hooks[0].decorator_list] == ["hookimpl"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_is_called_what_it_gives(path):
    """Who reads a name in config.yaml finds its file."""
    assert path.stem in REGISTRY.names(path.parent.name)


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_a_factory_is_documented(kind, name):
    """Its docstring is what `bot plugins` shows."""
    assert inspect.getdoc(REGISTRY.look_up(kind, name))


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_every_option_has_a_type_that_can_be_checked(kind, name):
    """So a mistake in config.yaml is found with its line, and a path begins at the right folder."""
    parameters = inspect.signature(REGISTRY.look_up(kind, name), eval_str=True).parameters.values()

    for parameter in parameters:
        hint = parameter.annotation
        assert hint is not parameter.empty, f"{parameter.name} is not annotated"
        assert parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        secret = Secret in (hint, *get_args(hint))
        assert secret == bool(re.search("key|token|secret|password", parameter.name)), parameter.name
        assert secret or TypeAdapter(hint)
        assert ("path" in parameter.name) == (Path in (hint, *get_args(hint))), parameter.name


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_only_files_must_be_named(kind, name):
    """A plugin works with the options it cannot do without; OPTIONS says which those are."""
    parameters = inspect.signature(REGISTRY.look_up(kind, name)).parameters.values()
    mandatory = {parameter.name for parameter in parameters if parameter.default is parameter.empty}

    assert mandatory <= OPTIONS.get(name, {}).keys() | given_to(kind, name)


# ---- corpora ------------------------------------------------------------------------------------


@names_of("corpora")
def test_a_corpus_yields_documents(registry, name):
    """Each item is a Document or a text, and reading twice gives the same."""
    choice = Choice(name, OPTIONS.get(name, {}))

    items = list(registry.build("corpora", choice))

    assert items
    assert all(isinstance(item, Document | str) for item in items)
    assert items == list(registry.build("corpora", choice))


@names_of("corpora", where=has_file)
def test_a_corpus_says_which_file_is_missing(tmp_path, name):
    """No traceback for a path that leads nowhere."""
    choice = Choice(name, OPTIONS[name])

    with pytest.raises(CorpusError, match=str(tmp_path / choice.options["path"])):
        list(Registry(None, tmp_path).build("corpora", choice))


# ---- tokenizers ---------------------------------------------------------------------------------


@cache
def _tokenizer(name):
    """One that learns has learned from the words of a few texts."""
    tokenizer = REGISTRY.build("tokenizers", Choice(name, OPTIONS.get(name, {})))
    learned = tokenizer.learn(LEARNED) if hasattr(tokenizer, "learn") else {}
    return (
        REGISTRY.build("tokenizers", Choice(name, OPTIONS.get(name, {}) | learned)) if learned else tokenizer
    )


@names_of("tokenizers")
@given(text=st.text(max_size=60) | st.text("ab '-.\n\t", max_size=60))
def test_a_tokenizer_loses_nothing_but_white_space(name, text):
    """Tokens are texts with something in them, and together they are the text again."""
    tokenizer = _tokenizer(name)

    tokens = tokenizer.split(text)

    assert all(isinstance(token, str) and token for token in tokens)
    assert tokenizer.join(tokens).split() == text.split()
    assert tokenizer.split(tokenizer.join(tokens)) == tokens


@names_of("tokenizers")
def test_a_tokenizer_says_how_many_tokens_it_keeps(name):
    """A number, or None for all."""
    size = REGISTRY.build("tokenizers", Choice(name)).vocabulary_size

    assert size is None or size > 0


# ---- constraints --------------------------------------------------------------------------------

SIGNS = ["M", "c", "o", "r", " ", "(", ")", '"', "\n", "1", "-"]


def constraint(name: str) -> Constraint:
    return REGISTRY.build("constraints", Choice(name, OPTIONS.get(name, {})))


@names_of("constraints")
@given(text=st.lists(st.sampled_from(SIGNS), max_size=12))
def test_a_constraint_is_an_automaton(name, text):
    """Its states can be kept and compared, and the same character leads from the same state to the same."""
    found = constraint(name)
    state = found.start
    for character in text:
        if state is None:
            break
        after = found.advance(state, character)
        assert after == found.advance(state, character)
        assert hash(after) == hash(found.advance(state, character))
        state = after


@names_of("constraints")
@given(text=st.lists(st.sampled_from(SIGNS), max_size=12))
def test_what_a_constraint_says_is_missing_is_never_too_much(name, text):
    """A character brings an end nearer by one at most, so that what is said to be far is far."""
    found = constraint(name)
    state, missing = found.start, found.missing(found.start)
    for character in text:
        state = found.advance(state, character)
        if state is None:
            break
        assert found.missing(state) >= max(0, missing - 1)
        missing = found.missing(state)


@names_of("constraints")
@pytest.mark.parametrize("tokenizer", REGISTRY.names("tokenizers"))
def test_every_sample_satisfies_its_constraint(name, tokenizer):
    """Of a model that knows nothing, in few tokens: the constraint alone makes them right."""
    tokenizer = _tokenizer(tokenizer)
    words = ["Morbid", "Cavern", "Crypt", "M", "C", "oc", *'morbidcavernMC (-)"\n', *WRITTEN.get(name, "")]
    vocabulary = Vocabulary(list(dict.fromkeys(token for word in words for token in tokenizer.split(word))))
    model = small_model(vocabulary_size=len(vocabulary))
    build = {"constraint": lambda rule: constraint(rule.name)}
    sampler = Sampler(model, vocabulary, tokenizer, "m/c", 2.0, **build)

    found = sampler.sample(Sampling((2.0, 2.0), 12, constraints=(Rule(name),)), 1, range(300))

    assert all(allows(constraint(name), one.text) for one in found)
    assert len({one.text for one in found}) > 5


# ---- filters ------------------------------------------------------------------------------------


@names_of("filters")
@given(text=st.text(max_size=60), surprise=st.floats(0, 3))
def test_a_filter_keeps_asks_or_rejects_in_words(with_files, name, text, surprise):
    """It touches nothing but the text, gives its reason in one line, and judges the same text alike."""
    judge = with_files.build("filters", Choice(name, OPTIONS.get(name, {})))
    given_candidate = candidate(text, surprise)

    def outcome() -> Candidate | str:
        try:
            return judge(given_candidate, Unknowing())
        except (Ask, Reject) as signal:
            return str(signal)

    match outcome():
        case Candidate() as kept:
            assert replace(kept, text=text) == given_candidate
        case reason:
            assert len(reason.splitlines()) == 1
    assert outcome() == outcome()


@names_of("filters")
def test_a_filter_lets_an_ordinary_text_pass(with_files, name):
    """With its own defaults and a training set that holds nothing."""
    judge = with_files.build("filters", Choice(name, OPTIONS.get(name, {})))
    own = {"complete_sentence": "This is a cavern.", "valid_tune": TUNE}
    text = own.get(name, "Morbid Cavern")

    assert judge(candidate(text), Unknowing()).text == text


# ---- targets ------------------------------------------------------------------------------------


@names_of("targets")
def test_a_target_declares_itself(registry, name):
    """Its kind is one of four, its account has a name, its limit is a number or None."""
    target = registry.build("targets", Choice(name, OPTIONS.get(name, {})))

    assert target.kind in get_args(Kind)
    assert target.account
    assert target.max_length is None or target.max_length > 0


@names_of("targets")
def test_a_target_says_what_it_takes_and_how_it_posts(registry, name):
    """Sets of attachments that can be chosen from, and a manner in words, if it has them."""
    target = registry.build("targets", Choice(name, OPTIONS.get(name, {})))

    for takes in getattr(target, "takes", ()):
        assert isinstance(takes, Takes)
        assert takes.most > 0
        assert all(re.fullmatch(r"(\*|[a-z]+)/(\*|[\w.+-]+)", kind) for kind in takes.media_types)
    assert isinstance(getattr(target, "manner", ""), str)


@names_of("targets")
@given(text=st.text(max_size=60))
def test_a_target_measures_every_text(name, text):
    """Never less than nothing, and more text is never shorter."""
    target = REGISTRY.build("targets", Choice(name, OPTIONS.get(name, {})))

    assert target.measure("") == 0
    assert 0 <= target.measure(text) <= target.measure(f"{text} a")


@names_of("targets")
def test_a_target_shows_no_secret(registry, name):
    """Neither in what is stored beside each post nor in what a log may show."""
    target = registry.build("targets", Choice(name, OPTIONS.get(name, {})))

    assert CANARY not in f"{target.account} {target!r} {vars(target) if hasattr(target, '__dict__') else ''}"


@pytest.mark.parametrize(
    ("name", "library"), [("mastodon", "mastodon"), ("bluesky", "atproto"), ("notify", "apprise")]
)
def test_a_target_names_the_library_it_lacks(monkeypatch, name, library):
    """One line that says what to install, when the configuration is read."""
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(ConfigError, match=r"needs (\S+): pip install \1$"):
        REGISTRY.build("targets", Choice(name, OPTIONS[name]))


@names_of("targets", where=lambda name: not is_remote(name))
def test_a_target_gives_a_receipt(registry, name, capsys):
    """A post that went through leaves an id, an address or other evidence."""
    receipt = registry.build("targets", Choice(name, OPTIONS.get(name, {}))).post(POST)

    assert isinstance(receipt, Receipt)
    assert receipt.remote_id or receipt.evidence


@names_of("targets", where=lambda name: not is_remote(name) and kind_of(name) == "put")
def test_a_target_of_kind_put_may_post_twice(registry, name):
    """The same key is the same post."""
    target = registry.build("targets", Choice(name, OPTIONS.get(name, {})))

    assert target.post(POST).remote_id == target.post(POST).remote_id


@names_of("targets", where=lambda name: has_file(name) and kind_of(name) != "opaque")
def test_a_target_that_can_be_asked_finds_its_post(registry, name):
    """What is not there is not found; what was posted is, also by another object of the same account."""
    choice = Choice(name, OPTIONS.get(name, {}))
    target = registry.build("targets", choice)

    assert target.find(POST) is None
    receipt = target.post(POST)
    assert registry.build("targets", choice).find(POST).remote_id == receipt.remote_id


@names_of("targets", where=has_file)
def test_a_target_whose_folder_cannot_be_made_has_not_sent(tmp_path, name):
    """Certainly nothing was posted, and it may be tried again."""
    (tmp_path / "nowhere").write_text("a file stands in its place")
    target = Registry(None, tmp_path).build("targets", Choice(name, {"path": "nowhere/file"}))

    with pytest.raises(NotSent):
        target.post(POST)


# ---- renderers ----------------------------------------------------------------------------------


@names_of("renderers")
@given(text=st.text(min_size=1, max_size=60).filter(str.strip))
@settings(max_examples=30, deadline=None)
def test_a_renderer_gives_attachments_or_a_reason(name, text):
    """A reason in one line, or what can be kept: bytes, a type, a name, words for who cannot see it."""
    render = REGISTRY.build("renderers", Choice(name, OPTIONS.get(name, {})))

    def outcome():
        try:
            return [*render(text)]
        except BotError as error:
            return str(error)

    match outcome():
        case str() as reason:
            assert len(reason.splitlines()) == 1
        case made:
            assert [_fault(one) for one in made] == [""] * len(made)


@names_of("renderers")
def test_a_renderer_gives_the_same_bytes_again(name):
    """Also in another object, as after a start: what was approved can be made once more and compared."""
    text = TEXTS.get(name, "Rotting Grave & Sons <3")
    once, again = (REGISTRY.build("renderers", Choice(name, OPTIONS.get(name, {}))) for _ in range(2))

    assert once(text) == once(text) == again(text) != []
