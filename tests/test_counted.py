"""The contract of every registered model that is counted instead of trained."""

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from bot import pipeline
from bot.config import load
from bot.errors import CheckpointError, TrainingError
from bot.house import House
from bot.model import CountedModel, checkpoint
from bot.model.checkpoint import WEIGHTS, Plugin, publish, read_meta
from bot.model.counted import count
from bot.model.language_model import build
from bot.model.sampling import Sampler
from bot.model.weights import load_model, pack
from bot.records import Sampling
from bot.text.vocabulary import END, START, Vocabulary
from tests.checkpoints import META
from tests.folders import moons, write_folder
from tests.models import cell_makers, counted_makers

LETTERS = Vocabulary(list("abc"))
TRAIN = [LETTERS.encode(list(text)) for text in ("abba", "ab", "cab", "abacab", "", "bab") * 3]
HELD_OUT = [LETTERS.encode(list(text)) for text in ("abab", "cc", "b", "")]
CONFIG = "models: {{moons: {{corpus: {{lines: {{path: moons.txt}}}}, cell: {cell}}}}}"


class Letters:
    vocabulary_size = None

    def split(self, text):
        return list(text)

    def join(self, tokens):
        return "".join(tokens)


@pytest.fixture(params=sorted(counted_makers()))
def name(request) -> str:
    return request.param


@pytest.fixture
def model(name) -> CountedModel:
    model = counted_makers()[name](len(LETTERS))
    model.fit(TRAIN)
    return model


def shelve(root: Path, model: CountedModel) -> Path:
    sizes = {"vocabulary_size": len(LETTERS), "embedding_size": 0, "hidden_size": 0, "num_layers": 0}
    return publish(root, replace(META, **sizes), pack(model), {})


def loaded(folder: Path, name: str) -> CountedModel:
    def make(vocabulary_size, **_):
        return counted_makers()[name](vocabulary_size)

    return load_model(folder, read_meta(folder), make)


def test_there_is_one():
    """An n-gram model comes with the program."""
    assert "ngram" in counted_makers()


def test_its_loss_is_the_sum_of_its_steps(model):
    """What it says of a corpus is what its steps say, token by token; what may come next adds up to one."""
    total, tokens = 0.0, 0
    for sequence in HELD_OUT:
        state = model.initial_state(1)
        for id, wanted in zip([START, *sequence], [*sequence, END], strict=True):
            logits, state = model.step(torch.tensor([id]), state)
            assert logits.exp().sum().item() == pytest.approx(1)
            total -= logits[0, wanted].item()
            tokens += 1

    assert model.loss(HELD_OUT) == pytest.approx(total / tokens)


def test_samples_do_not_depend_on_their_company(model):
    """The same bits alone and among 300, truncated or not."""
    sampler = Sampler(model, LETTERS, Letters(), "names/all", 1.0)

    for sampling in (Sampling((0.7, 1.2), 12), Sampling(top_k=2, top_p=0.9)):
        together = sampler.sample(sampling, 5, range(300))
        assert all(sampler.sample(sampling, 5, [index]) == [together[index]] for index in (0, 31, 299))


def test_samples_are_its_own(model):
    """Each comes as often as the probabilities of its tokens say, within four standard deviations."""
    sampler = Sampler(model, LETTERS, Letters(), "names/all", 1.0)

    counts = Counter(one.text for one in sampler.sample(Sampling((1.0, 1.0)), 1, range(4000)))

    for text in ("", "ab", "abba", "b"):
        sequence = LETTERS.encode(list(text))
        share = torch.tensor(-model.loss([sequence]) * (len(text) + 1)).exp().item()
        assert abs(counts[text] - 4000 * share) < 4 * (4000 * share * (1 - share)) ** 0.5


def test_a_checkpoint_holds_all_of_it(tmp_path, model, name):
    """Loaded again it says the same, and the same counts give the same bytes."""
    again = loaded(shelve(tmp_path, model), name)

    assert again.loss(HELD_OUT) == model.loss(HELD_OUT)
    assert pack(again) == pack(model)


def test_a_file_that_makes_no_sense_is_refused(tmp_path, model, name):
    """Tables of the right shape with numbers that no counting gives: one line, no traceback."""
    for buffer in model.buffers():
        buffer.neg_()

    with pytest.raises(CheckpointError, match="make no sense"):
        loaded(shelve(tmp_path, model), name)


def test_a_network_s_file_is_refused(tmp_path, model, name):
    """Tensors of other names and shapes are not its tables, and a network wants sizes."""
    folder = publish(tmp_path, replace(META, vocabulary_size=len(LETTERS)), pack(torch.nn.Linear(2, 3)), {})

    with pytest.raises(CheckpointError, match=r"meta\.json implies"):
        loaded(folder, name)
    tables = shelve(tmp_path, model)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_model(tables, read_meta(tables), partial(build, cell_makers()["gru"]))


def test_nothing_to_count_is_an_error(model):
    """An empty corpus, or one of which nothing is held out."""
    with pytest.raises(TrainingError, match="0 held out"):
        count(model, TRAIN, [], save=lambda *_: None, progress=lambda _: None)


def test_it_is_trained_and_sampled_by_the_same_commands(tmp_path, name):
    """One pass, a held-out loss, a calibrated checkpoint whose card says what it is, and texts."""
    house, shown = House(load(write_folder(tmp_path, CONFIG.format(cell=name)))), []

    trained = pipeline.train(house, "moons", shown.append)

    meta = checkpoint.read_meta(house.checkpoint("moons"))
    assert (trained.folder / WEIGHTS).exists()
    assert meta.held_out_loss == shown[-1].validation_loss
    assert len(meta.calibration) == 5
    assert meta.cell == Plugin(name, {})
    assert (meta.embedding_size, meta.hidden_size, meta.num_layers) == (0, 0, 0)
    assert f"A language model of characters: {name}" in (trained.folder / "README.md").read_text()
    texts = [one.text for one in pipeline.sample(house, "moons", Sampling(), seed=3, count=50)]
    assert set("".join(texts)) <= set("".join(moons()))
    assert not (tmp_path / "checkpoints" / "moons" / "run.safetensors").exists()
