"""Sources told with every token: what is read and asked for, and how a text goes from one to another."""

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bot import pipeline
from bot.config import load
from bot.errors import BotError, ConfigError
from bot.house import House
from bot.model.checkpoint import read_meta
from bot.model.layouts import lay_out
from bot.model.sampling import Sampler
from bot.model.tags import PAIRED, UNTAGGED, TaggedBatches, Way, cross, word_ends
from bot.model.walk import open_walk, torch_walk
from bot.records import Sampling, Sources
from bot.text.vocabulary import END, START, Vocabulary
from bot.trainer import Trainer
from tests.models import small_model
from tests.test_sampling import Letters, assert_alone_as_among_others

SIZE = 10
LAYOUTS = pytest.mark.parametrize("layout", ["auto", "excerpts"])
VOCABULARY = Vocabulary(["a", "b", " "])
EVERY = np.ones(SIZE, bool)

texts = st.lists(
    st.tuples(st.lists(st.integers(3, 9), min_size=1, max_size=9), st.integers(1, 2)), min_size=2
)


def tagged(layout, pairs, batch_size=2, length=4, ends=~EVERY) -> TaggedBatches:
    carrying = [[id + SIZE * tag for id in ids] for ids, tag in pairs]
    return TaggedBatches(carrying, settings_of(layout, batch_size, length), ends)


def settings_of(layout, batch_size=2, length=4) -> SimpleNamespace:
    return SimpleNamespace(layout=layout, batch_size=batch_size, sequence_length=length)


@LAYOUTS
@given(pairs=texts)
def test_tags_change_nothing_of_what_is_asked_for(layout, pairs):
    """Inputs without their tags, and targets, are those of a model that knows no sources."""
    plain = lay_out([ids for ids, _ in pairs], settings_of(layout))

    for ours, theirs in zip(tagged(layout, pairs).epoch(1, 0), plain.epoch(1, 0), strict=True):
        assert torch.equal(ours.inputs % SIZE, theirs.inputs)
        assert torch.equal(ours.targets, theirs.targets)
        assert ours.fresh == theirs.fresh


@LAYOUTS
@given(pairs=texts)
def test_every_token_is_read_under_the_tag_of_its_text(layout, pairs):
    """START too: it has the tag of the text that begins. Here a text's ids say which it is."""
    pairs = [([3 + 3 * (tag - 1) + id % 3 for id in ids], tag) for ids, tag in pairs]

    for batch in tagged(layout, pairs).in_order():
        rows = zip(batch.inputs.T.tolist(), batch.targets.T.tolist(), strict=True)
        for read, asked in (pair for row in rows for pair in zip(*row, strict=True)):
            told = read % SIZE if asked in (END, -100) else asked
            if told not in (START, END):
                assert read // SIZE == 1 + (told - 3) // 3


def test_an_eighth_of_the_rows_is_read_without_a_tag():
    """The same ones whenever the epoch is read again, others in the next; a text is told whole or not."""
    batches = tagged("auto", [([3, 4, 5, 6, 7], 1)] * 4000, batch_size=16, length=6)

    def untold(number: int) -> list[list[bool]]:
        return [(batch.inputs < SIZE).all(0).tolist() for batch in batches.epoch(1, number)]

    once, again, other = untold(0), untold(0), untold(1)
    share = sum(map(sum, once)) / sum(map(len, once))
    assert abs(share - UNTAGGED) < 0.02
    assert once == again != other


def test_some_pairs_of_texts_are_crossed_where_a_word_ends():
    """Of two sources only; every token is there once, behind what came before it or at a seam."""
    texts = [([3, 4, 9, 5, 9, 6], 1), ([6, 7, 9, 8, 3], 2)] * 500
    carrying = [[id + SIZE * tag for id in ids] for ids, tag in texts]
    ends = np.arange(SIZE) == 9

    crossed = cross(carrying, ends, np.random.default_rng(1))
    mixed = [ids for ids in crossed if len({id // SIZE for id in ids}) > 1]
    assert sorted(id for ids in crossed for id in ids) == sorted(id for ids in carrying for id in ids)
    assert abs(len(mixed) / len(crossed) - PAIRED / 2) < 0.05
    seams = {tuple(pair) for ids in mixed for pair in pairwise(ids) if pair[0] // SIZE != pair[1] // SIZE}
    assert seams == {(19, 28), (29, 15), (29, 16)}
    assert cross([[3 + SIZE], [4 + 2 * SIZE]] * 9, ends, np.random.default_rng(1)) == [[13], [24]] * 9


def test_a_crossed_text_always_reads_its_tags():
    """Else the model would learn to cross by itself, where nobody asks for it."""
    texts = [([3, 9, 4], 1), ([5, 9, 6], 2)] * 200
    batches = tagged("auto", texts, batch_size=16, length=6, ends=np.arange(SIZE) == 9)

    rows = [row for batch in batches.epoch(1, 0) for row in (batch.inputs // SIZE).T.tolist()]
    assert {tuple(row[:4]) for row in rows} == {
        *((0, 0, 0, 0), (1, 1, 1, 1), (2, 2, 2, 2)),
        *((1, 1, 2, 2), (2, 2, 1, 1)),
    }


@pytest.mark.parametrize("open_walk", [torch_walk, open_walk], ids=["torch", "compiled"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "mi_lstm", "layer_norm_lstm"])
def test_a_tag_is_a_vector_beside_the_tokens_own(cell, open_walk):
    """Under none, each source and their mean, a walk gives what a network of that embedding gives."""
    model = small_model(cell, layers=2, vocabulary_size=SIZE, sources=2)
    walk, row = open_walk(model, "float32"), np.zeros(1, np.int64)
    ids = [START, 4, 9, 3]
    first, second = model.tags.weight.detach()
    for tag, vector in enumerate((torch.zeros(6), first, second, (first + second) / 2)):
        plain = small_model(cell, layers=2, vocabulary_size=SIZE)
        plain.load_state_dict(model.state_dict(), strict=False)
        with torch.no_grad():
            plain.embedding.weight += vector
            expected, _ = plain(torch.tensor(ids)[:, None])
            walk.begin(row)
            for id, logits in zip(ids, expected, strict=True):
                found = torch.as_tensor(walk.step(np.array([id + SIZE * tag]), row))
                torch.testing.assert_close(found, logits, atol=1e-5, rtol=1e-4)
            together, _ = model(torch.tensor(ids)[:, None] + SIZE * tag)
        torch.testing.assert_close(together, expected, atol=1e-5, rtol=1e-4)


def test_tags_learn():
    """A step's gradient reaches the tags that were read, and no other."""
    model = small_model(sources=2)
    logits, _ = model(torch.tensor([[START + 20], [5 + 20]]))
    logits.square().sum().backward()

    assert model.tags.weight.grad.abs().sum(1).gt(0).tolist() == [True, False]


def test_a_word_ends_at_a_space_or_where_there_are_none_with_every_token():
    assert word_ends(["", "", "a", " ", "b\n"]).tolist() == [False, False, False, True, True]
    assert word_ends(["", "私", "は"]).all()


@given(st.integers(2, 4), st.floats(0.1, 1.0), st.integers(0, 99))
def test_a_switch_leads_to_each_other_tag_alike(count, switch, seed):
    """As often as it says, never to the same one, and only where a word ends."""
    tags = tuple(range(1, count + 1))
    draws = np.random.default_rng(seed).random(4000)
    now = np.full(4000, 2)
    first, lengths = now, np.full(4000, 7)

    after = Way(tags, EVERY, switch).next(first, now, np.full(4000, 3), lengths, draws)
    moved = after[after != 2]
    assert len(moved) == (draws < switch).sum()
    shares = np.bincount(moved, minlength=count + 1)[[tag for tag in tags if tag != 2]] / max(1, len(moved))
    assert np.abs(shares - 1 / (count - 1)).max() < 0.12
    assert (Way(tags, ~EVERY, switch).next(first, now, np.full(4000, 3), lengths, draws) == 2).all()


def test_half_goes_over_once_and_for_good():
    way, now = Way((1, 2), EVERY, half=3), np.array([1])
    seen = []
    for length in range(1, 7):
        now = way.next(np.array([1]), now, np.array([3]), np.array([length]), np.array([0.99]))
        seen.append(int(now[0]))

    assert seen == [1, 1, 2, 2, 2, 2]


@pytest.mark.parametrize("sources", [Sources(("x", "y"), 0.5), Sources(("y", "x"), half=3), Sources(("x",))])
def test_a_sample_under_tags_is_the_same_in_any_company(sources):
    model = small_model(vocabulary_size=len(VOCABULARY), sources=2)
    sampler = Sampler(model, VOCABULARY, Letters(), "names/epoch1", 2.0, sources=("x", "y"))

    assert_alone_as_among_others(sampler, Sampling((1.0, 1.0), 12, sources=sources))


def write_sources(folder) -> None:
    draw = random.Random(1)
    for name, letters in (("north", "ab"), ("south", "xy")):
        words = ["".join(draw.choices(letters, k=3)) for _ in range(400)]
        (folder / f"{name}.txt").write_text("\n".join(" ".join(draw.sample(words, 4)) for _ in range(300)))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A model of two sources: words of a and b, and words of x and y."""
    folder = tmp_path_factory.mktemp("tagged")
    write_sources(folder)
    (folder / "config.yaml").write_text(CONFIG)
    house = House(load(folder / "config.yaml"))
    pipeline.train(house, "both", lambda progress: None)
    return house


CONFIG = """
models:
  both:
    corpus: {mix: {sources: {north: {lines: {path: north.txt}}, south: {lines: {path: south.txt}}}}}
    cell: gru
    hidden_size: 24
    embedding_size: 8
    source_tags: true
    training: {max_steps: 150, evaluate_every: 75, learning_rate: 0.02, batch_size: 32}
  alone: {corpus: {lines: {path: north.txt}}, source_tags: true}
"""


def written(house, sources: Sources) -> list[str]:
    sampling = Sampling((0.7, 0.7), 40, sources=sources)
    return [one.text for one in house.sampler("both").sample(sampling, 1, range(60))]


def kinds(text: str) -> list[str]:
    """Of each word, where its letters are from: n, s, or m for both."""
    return [
        "n" if set(word) <= set("ab") else "s" if set(word) <= set("xy") else "m" for word in text.split()
    ]


def test_a_model_writes_as_the_source_it_is_told(both):
    """Nineteen words in twenty; the sources stand in its checkpoint by name."""
    for name, kind in (("north", "n"), ("south", "s")):
        words = [it for text in written(both, Sources((name,))) for it in kinds(text)]
        assert words.count(kind) > 0.95 * len(words)


def test_a_switch_mixes_words_and_not_letters(both):
    """Told another source at each word's end, most texts have whole words of both."""
    found = [kinds(text) for text in written(both, Sources(("north", "south"), 1.0)) if " " in text]
    words = [it for text in found for it in text]

    assert words.count("m") < 0.2 * len(words)
    assert sum({"n", "s"} <= set(text) for text in found) > 0.8 * len(found) > 30


def test_without_sources_it_writes_like_the_mix(both):
    """Untagged rows taught it: each text is of one source, which one by chance."""
    sampling = Sampling((0.7, 0.7), 40)
    found = [kinds(one.text) for one in both.sampler("both").sample(sampling, 1, range(60))]

    assert 10 < sum(text.count("n") > text.count("s") for text in found) < 50


@pytest.mark.parametrize(
    ("sources", "said"), [(("east",), r"cannot write as 'east' \(north, south\)"), ((), "no source")]
)
def test_a_source_it_does_not_know_is_named_with_those_it_knows(both, sources, said):
    with pytest.raises(BotError, match=said):
        written(both, Sources(sources))


def test_a_model_without_tags_says_so(house):
    with pytest.raises(BotError, match="trained without source_tags"):
        house.sampler("moons").sample(replace(Sampling(), sources=Sources(("a",))), 1, [0])


def test_a_corpus_of_one_source_has_nothing_to_tell(both):
    with pytest.raises(ConfigError, match=r"models\.alone\.source_tags: .* `mix` names some"):
        Trainer(both, "alone")


# what is begun with, and which sources are learned from


def trainer_of(both, training: str, name: str = "more") -> Trainer:
    file = both.config.folder / "more.yaml"
    text = CONFIG.replace(
        "  alone:", f"  {name}:\n    {MIX}\n    {SHAPE}\n    training: {training}\n  alone:"
    )
    file.write_text(text)
    return Trainer(House(load(file)), name)


MIX = "corpus: {mix: {sources: {north: {lines: {path: north.txt}}, south: {lines: {path: south.txt}}}}}"
SHAPE = "cell: gru\n    hidden_size: 24\n    embedding_size: 8\n    source_tags: true"


def test_a_run_begins_with_another_models_weights(both):
    """Those of its best checkpoint, tags too."""
    model = trainer_of(both, "{init_from: both}")._new_model()
    theirs = both.load_model(both.checkpoint("both"), read_meta(both.checkpoint("both")))

    for name, tensor in theirs.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor)


def test_another_vocabulary_is_refused_by_its_tokens(both):
    """Their weights would mean other letters."""
    (both.config.folder / "north.txt").write_text("qq " * 4000)
    try:
        with pytest.raises(
            ConfigError, match=r"more\.training\.init_from: .* has another vocabulary \('a', 'b'"
        ):
            trainer_of(both, "{init_from: both}")._new_model()
    finally:
        write_sources(both.config.folder)


def test_another_shape_is_refused(both):
    with pytest.raises(ConfigError, match="has another shape"):
        trainer_of(both, "{init_from: both}\n    num_layers: 2")._new_model()


def test_a_share_of_named_sources_is_learned_from_and_all_are_held_out(both):
    trainer = trainer_of(both, "{learn_from: {south: 1.0, north: 0.3}}")
    learned, held = (
        Counter(it.source for it in trainer.train_documents),
        {it.source for it in trainer.held_out},
    )

    assert 0.2 < learned["north"] / learned["south"] < 0.4
    assert held == {"north", "south"}
    assert trainer_of(both, "{learn_from: {south: 1.0}}").vocabulary.tokens == trainer.vocabulary.tokens


def test_a_source_that_is_not_there_cannot_be_learned_from(both):
    with pytest.raises(ConfigError, match=r"no source 'east' \(there: north, south\)"):
        trainer_of(both, "{learn_from: {east: 1.0}}")


def test_the_held_out_loss_is_told_source_by_source(both):
    """Weighed by their tokens they make the whole."""
    trainer, folder = trainer_of(both, "{seed: 1}", "both_again"), both.checkpoint("both")
    losses = trainer.loss_by_source(folder)

    assert losses.keys() == {"north", "south"}
    assert min(losses.values()) <= read_meta(folder).held_out_loss <= max(losses.values())
