"""plugins/README.md is true: its signatures are the program's, its examples load and work."""

import ast
import inspect
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

import bot
from bot import hookspecs, interfaces
from bot.config import Choice, shipped
from bot.config.reader import read
from bot.errors import Ask, BotError, Reject
from bot.model.automaton import allows
from bot.records import Candidate, Post, Sampling
from bot.registry import KINDS, Registry

README = (shipped() / "plugins" / "README.md").read_text()
EXAMPLES = dict(re.findall(r"```python\n# (plugins/\S+)\n(.*?)```", README, re.DOTALL))
SIGNATURES = "".join(re.findall(r"^```text\n(.*?)^```", README, re.DOTALL | re.MULTILINE)).splitlines()


def signatures(module) -> list[str]:
    """Every function and annotated attribute of a module, as it is written there."""
    found = []
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.FunctionDef):
            found.append(f"{node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}")
        elif isinstance(node, ast.AnnAssign):
            found.append(ast.unparse(node))
    return found


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """A user's folder that holds the examples as they stand in the README, and nothing else."""
    folder = tmp_path_factory.mktemp("user")
    for place, source in EXAMPLES.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(source)
    (folder / "posts").mkdir()
    (folder / "diary.txt").write_text("One.\n\nTwo,\nthree.\n")
    return Registry(folder / "plugins", folder)


def candidate(text: str) -> Candidate:
    return Candidate(text, text, "m/c", Sampling(), 1, 0, 0.8, 1.8, 1.0, "build", "cpu")


@pytest.mark.parametrize("signature", signatures(hookspecs))
def test_every_hook_is_documented_with_its_exact_signature(signature):
    """Arguments and result, word for word."""
    assert signature in SIGNATURES


@pytest.mark.parametrize(
    "signature",
    [
        signature
        for signature in signatures(interfaces)
        if not signature.startswith(("training_set", "profile"))
    ],
)
def test_what_a_plugins_objects_must_do_is_documented(signature):
    """Every method and attribute of the protocols, word for word."""
    assert signature in SIGNATURES


def test_nothing_is_documented_that_is_not_there():
    """A signature in the README belongs to a hook or a protocol."""
    assert set(SIGNATURES) <= {*signatures(hookspecs), *signatures(interfaces)}


def test_everything_a_plugin_may_import_is_named():
    """The door's names all stand in the README."""
    assert not [name for name in bot.__all__ if f"`{name}" not in README]


def test_there_is_one_example_of_each_kind():
    """Nobody has to guess how a plugin of a kind looks."""
    assert [place.split("/")[1] for place in EXAMPLES] == list(KINDS)


def test_a_corpus_is_at_most_fifteen_lines():
    """The most frequent plugin is the shortest."""
    assert len(EXAMPLES["plugins/corpora/paragraphs.py"].splitlines()) <= 15


def test_a_cell_is_under_forty_lines():
    """A paper's equations, and little else."""
    assert len(EXAMPLES["plugins/cells/mgu.py"].splitlines()) < 40


def test_the_examples_load(registry):
    """None of them is set aside, and each registers its own name."""
    reports = [report for report in registry.reports() if "user" in report.place]

    assert [report.failure for report in reports] == [""] * len(KINDS)
    assert {names for report in reports for names in report.registered.values()} == {
        *[("paragraphs",), ("words_and_gaps",), ("mgu",), ("alliteration",), ("tidy",), ("text_files",)],
        ("card",),
    }


def test_the_settings_shown_below_the_examples_build_them(registry, tmp_path):
    """The line of config.yaml under each example is one."""
    shown = re.findall(
        r"```\n\n`((?:corpus|tokenizer|cell|constraints|filters|targets|renderers): .*)`", README
    )
    assert len(shown) == len(KINDS)

    for kind, line in zip(KINDS, shown, strict=True):
        (tmp_path / "line.yaml").write_text(line)
        [choice] = read(tmp_path / "line.yaml").data.values()
        [(name, options)] = (choice[0] if isinstance(choice, list) else choice).items()
        sizes = {"input_size": 2, "hidden_size": 3} if kind == "cells" else {}
        assert registry.build(kind, Choice(name, options), **sizes)


def test_the_corpus_works(registry):
    """Paragraphs are items."""
    items = registry.build("corpora", Choice("paragraphs", {"path": "diary.txt"}))

    assert list(items) == ["One.", "Two,\nthree.\n"]


def test_the_tokenizer_works(registry):
    """Nothing is lost."""
    tokenizer = registry.build("tokenizers", Choice("words_and_gaps"))

    assert tokenizer.split("a  bc d") == ["a", "  ", "bc", " ", "d"]
    assert tokenizer.join(tokenizer.split("a  bc d\n")) == "a  bc d\n"


def test_the_cell_works(registry):
    """It walks a window as its equation says, carries its state and learns."""
    import torch

    cell = registry.build("cells", Choice("mgu"), input_size=2, hidden_size=3).double()
    inputs, h = torch.randn(5, 4, 2).double(), torch.randn(4, 3).double()

    outputs, (last,) = cell.unroll(inputs, (h,))

    w_f, w_n, b_f, b_n = *cell.weight_ih.chunk(2), *cell.bias.chunk(2)
    for x, output in zip(inputs, outputs, strict=True):
        f = torch.sigmoid(x @ w_f.T + h @ cell.weight_hh_f.T + b_f)
        h = (1 - f) * h + f * torch.tanh(x @ w_n.T + (f * h) @ cell.weight_hh_n.T + b_n)
        torch.testing.assert_close(output, h, atol=1e-12, rtol=0)
    assert torch.equal(outputs[-1], last)
    assert all(part.any() for part in torch.autograd.grad(last.sum(), [*cell.parameters()]))


def test_the_constraint_works(registry):
    """All words begin alike, and a space is never the last sign."""
    alike = registry.build("constraints", Choice("alliteration", {"words": 2}))

    assert allows(alike, "Grim Graves")
    assert allows(alike, "grim old Graves") is allows(alike, "Grim") is allows(alike, "Grim grey ") is False


def test_a_constraint_is_under_forty_lines():
    """Three things to say, whatever the tokens are."""
    assert len(EXAMPLES["plugins/constraints/alliteration.py"].splitlines()) < 40


def test_the_filter_works(registry):
    """It mends, asks and rejects."""
    tidy, context = registry.build("filters", Choice("tidy", {"most_words": 2})), SimpleNamespace()

    assert tidy(candidate("Rotting Grave -"), context).text == "Rotting Grave"
    with pytest.raises(Ask, match="has a digit"):
        tidy(candidate("Grave 13"), context)
    with pytest.raises(Reject, match="3 words, more than 2"):
        tidy(candidate("a b c"), context)


def test_the_target_works(registry):
    """The same post twice is one file, and it is found."""
    target = registry.build("targets", Choice("text_files", {"folder": "posts"}))
    post = Post("Rotting Grave", "k1", "metal", datetime(2026, 1, 1, tzinfo=UTC))

    assert target.find(post) is None
    assert target.post(post) == target.post(post) == target.find(post)
    assert [file.read_text() for file in target.folder.iterdir()] == ["Rotting Grave"]


def test_the_renderer_works(registry):
    """A picture with its text for a description, or a reason."""
    card = registry.build("renderers", Choice("card"))

    [made] = card("Rot & <Grave>")

    assert (made.media_type, made.alt_text, made.width) == ("image/svg+xml", "Rot & <Grave>", 800)
    assert ET.fromstring(made.content)[1].text == "Rot & <Grave>"
    with pytest.raises(BotError, match="several lines"):
        card("Rot\nGrave")


# ---- docs/targets.md ------------------------------------------------------------------------------

TARGETS = (shipped() / "docs" / "targets.md").read_text()
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", TARGETS, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("section", SECTIONS)
def test_the_settings_shown_for_a_target_build_it(section, tmp_path, monkeypatch):
    """Copied as they stand, with the secrets where the text says."""
    [example] = re.findall(r"```yaml\n(.*?)```", SECTIONS[section], re.DOTALL)
    for name in re.findall(r"env: (\w+)", example):
        monkeypatch.setenv(name, "https://example.org" if "WEB" in name else "mailtos://a:b@example.org")
        assert (
            "console" in section or f"export {name}=" in SECTIONS[section] or f" {name}=" in SECTIONS[section]
        )
    (tmp_path / "config.yaml").write_text(example)

    for choice in read(tmp_path / "config.yaml").data["targets"]:
        [(name, options)] = choice.items() if isinstance(choice, dict) else [(choice, {})]
        assert Registry(None, tmp_path).build("targets", Choice(name, options))
        assert name in section


@pytest.mark.parametrize("name", sorted(Registry(None, Path()).names("targets")))
def test_every_option_of_a_target_is_told(name):
    """By its name, and no target is left out."""
    [text] = [text for section, text in SECTIONS.items() if name in section.split(", ")]
    options = inspect.signature(Registry(None, Path()).look_up("targets", name)).parameters

    assert not [option for option in options if f"`{option}" not in text and f"{option}: " not in text]
    assert f"| `{name}` |" in TARGETS
