"""Sampling: the same sample in any company, true to the model, never a mark."""

import math
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from statistics import fmean

import numpy as np
import pytest
import torch
from torch.nn import functional

from bot.errors import BotError
from bot.model import CompiledCell, packing, walk
from bot.model import sampling as sampling_module
from bot.model.language_model import LanguageModel, build
from bot.model.sampling import Sampler, calibrate
from bot.model.uniforms import counted_uniforms, sample_keys
from bot.model.walk import WIDTH, open_walk, torch_walk
from bot.records import Mirostat, Sampling
from bot.text.vocabulary import END, START, UNKNOWN, Vocabulary
from tests.models import cell_makers, small_model

VOCABULARY = Vocabulary([chr(ord("a") + number) for number in range(17)])  # 20 ids with the marks
SHORT = Sampling((0.7, 1.1), max_length=8)


class Letters:
    vocabulary_size = None

    def split(self, text):
        return list(text)

    def join(self, tokens):
        return "".join(tokens)


def sampler_of(model: LanguageModel, held_out_loss: float = 2.0, open_walk=open_walk) -> Sampler:
    return Sampler(model, VOCABULARY, Letters(), "names/epoch1", held_out_loss, open_walk)


def model_of(cell: str, hidden_size: int, layers: int) -> LanguageModel:
    with torch.random.fork_rng():
        torch.manual_seed(11)
        sizes = {"embedding_size": 24, "hidden_size": hidden_size, "num_layers": layers}
        return build(cell_makers()[cell], vocabulary_size=len(VOCABULARY), **sizes)


def compiles(make) -> bool:
    cell = make(4, 4)
    return isinstance(cell, CompiledCell) and cell.decodes()


@pytest.fixture
def biased():
    """biased(logits) -> a model that predicts these logits after anything."""

    def biased(logits: dict[int, float]) -> LanguageModel:
        model = small_model()
        with torch.no_grad():
            model.head.weight.zero_()
            model.head.bias.fill_(-1e4)
            for id, logit in logits.items():
                model.head.bias[id] = logit
        return model

    return biased


def assert_alone_as_among_others(sampler: Sampler, sampling: Sampling = SHORT) -> None:
    """Text, loss and all else are the same bits alone, among 256, and in any order of any others."""
    together = sampler.sample(sampling, 3, range(256))

    for index in (0, WIDTH + 1, 255):
        assert sampler.sample(sampling, 3, [index]) == [together[index]]
    backwards = range(255, 20, -3)
    assert sampler.sample(sampling, 3, backwards) == [together[index] for index in backwards]


@pytest.mark.parametrize("cell", sorted(cell_makers()))
@pytest.mark.parametrize(("hidden_size", "layers"), [(37, 2), (128, 1)])  # odd sizes end in remainders
def test_a_sample_does_not_depend_on_its_company(cell, hidden_size, layers):
    """In torch, whatever the cell."""
    assert_alone_as_among_others(sampler_of(model_of(cell, hidden_size, layers), open_walk=torch_walk))


@pytest.mark.parametrize("weights", ["float32", "int8"])
@pytest.mark.parametrize("cell", [name for name, make in cell_makers().items() if compiles(make)])
@pytest.mark.parametrize(("hidden_size", "layers"), [(37, 2), (128, 1)])
def test_nor_does_it_where_steps_are_compiled(cell, hidden_size, layers, weights):
    """With weights of 32 bits or of 8."""
    sampler, sampling = sampler_of(model_of(cell, hidden_size, layers)), replace(SHORT, weights=weights)

    assert_alone_as_among_others(sampler, sampling)
    assert weights in sampler.sample(sampling, 1, [0])[0].build


@pytest.mark.parametrize("open_walk", [torch_walk, open_walk])
def test_nor_does_it_at_the_size_of_real_models(open_walk):
    """512 units, truncated and not."""
    sampler = sampler_of(model_of("lstm", 512, 1), open_walk=open_walk)

    assert_alone_as_among_others(sampler)
    assert_alone_as_among_others(sampler, replace(SHORT, top_k=9, top_p=0.9, min_p=0.02))


@pytest.mark.parametrize("cell", ["lstm", "mogrifier_lstm"])
def test_nor_does_it_with_plain_weights(monkeypatch, cell):
    """Where torch offers no packed ones."""
    monkeypatch.setattr(packing, "_form", lambda weight: None)

    assert_alone_as_among_others(sampler_of(model_of(cell, 64, 2), open_walk=torch_walk))


@pytest.mark.parametrize("fault", ["place", "number"])
def test_where_company_would_tell_every_sample_has_its_place(monkeypatch, fault):
    """Steps whose bits depend on a row's place or on how many there are still give the same samples."""

    def step(self, ids, state):
        logits, after = true_step(self, ids, state)
        drift = torch.arange(len(ids))[:, None] if fault == "place" else torch.tensor(float(len(ids)))
        return logits + 1e-2 * drift * torch.linspace(0, 1, logits.shape[1]), after

    true_step = walk.NetworkSteps.step
    monkeypatch.setattr(walk.NetworkSteps, "step", step)
    sampler = sampler_of(model_of("gru", 64, 1), open_walk=torch_walk)

    assert_alone_as_among_others(sampler)


def test_what_several_ask_for_is_sampled_side_by_side():
    """Each request gets what it gets alone, whatever the others' temperatures, truncations and lengths."""
    sampler = sampler_of(small_model(vocabulary_size=len(VOCABULARY)))
    requests = [
        (SHORT, 1, range(40)),
        (Sampling((1.5, 1.5), 70, top_k=3), 2, [9, 3]),
        (replace(SHORT, weights="int8"), 1, range(5)),
        (Sampling(min_p=0.1), 1, []),
    ]

    assert sampler.sample_many(requests) == [sampler.sample(*request) for request in requests]


@pytest.mark.parametrize("hidden_size", [37, 512])
def test_the_number_of_threads_plays_no_part(hidden_size):
    """One thread or two, a replay gives the same bits; the setting itself is left as it was."""
    sampler = sampler_of(model_of("lstm", hidden_size, 1))
    before = torch.get_num_threads()
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(sampler.sample(SHORT, 3, range(32)))
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)

    assert found[0] == found[1]


def test_candidates_come_in_the_order_asked_for_with_their_provenance():
    """Each says everything needed to sample it again; an index asked for twice is given twice."""
    candidates = sampler_of(small_model()).sample(SHORT, 9, [5, 70, 5])

    assert [candidate.index for candidate in candidates] == [5, 70, 5]
    assert candidates[0] == candidates[2]
    one = candidates[1]
    assert (one.checkpoint, one.sampling, one.seed, one.device) == ("names/epoch1", SHORT, 9, "cpu")
    assert one.text == one.raw_text
    assert one.surprise == one.nll / 2.0
    assert torch.__version__ in one.build


def test_seed_and_index_decide():
    """Another seed gives other texts, and so does another index."""
    sampler = sampler_of(small_model())

    texts = [[one.text for one in sampler.sample(SHORT, seed, range(64))] for seed in (1, 2, 2**64 - 1, -5)]

    assert all(first != second for first, second in pairwise(texts))
    assert len(set(texts[0])) > 50


@pytest.mark.parametrize("cell", sorted(cell_makers()))
def test_the_loss_is_the_models_own(cell):
    """What a sample's nll says is what the model gives its text in one pass, end mark included."""
    model = small_model(cell, layers=2, vocabulary_size=len(VOCABULARY))

    for candidate in sampler_of(model).sample(Sampling((0.5, 2.0), 200), 1, range(20)):
        ids = torch.tensor([START, *VOCABULARY.encode(list(candidate.text)), END])[:, None]
        logits, _ = model(ids[:-1])
        loss = functional.cross_entropy(logits[:, 0], ids[1:, 0])
        assert candidate.nll == pytest.approx(loss.item(), abs=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_come_as_often_as_the_temperature_says(biased, temperature):
    """Frequencies are the softmax of logits over temperature, within four standard deviations."""
    logits = {END: 0.0, 3: 1.0, 4: 0.5, 5: -1.0}
    sampling = Sampling((temperature, temperature), max_length=1)
    total = sum(math.exp(logit / temperature) for logit in logits.values())

    counts = Counter(one.text for one in sampler_of(biased(logits)).sample(sampling, 1, range(4000)))

    for id, logit in logits.items():
        share = math.exp(logit / temperature) / total
        text = "" if id == END else VOCABULARY.tokens[id - 3]
        assert abs(counts[text] - 4000 * share) < 4 * math.sqrt(4000 * share * (1 - share))


def exact_lengths(model: LanguageModel, letters: list[int], longest: int) -> list[float]:
    """The probability of each length, all texts enumerated; those that do not end are cut."""
    shares = [0.0] * (longest + 1)

    def walk_on(ids: list[int], share: float) -> None:
        if len(ids) > longest:
            shares[longest] += share
            return
        logits, _ = model(torch.tensor(ids)[:, None])
        found = logits[-1, 0, [END, *letters]].softmax(0).tolist()
        shares[len(ids) - 1] += share * found[0]
        for letter, its_share in zip(letters, found[1:], strict=True):
            walk_on([*ids, letter], share * its_share)

    with torch.no_grad():
        walk_on([START], 1.0)
    return shares


@pytest.mark.parametrize("open_walk", [torch_walk, open_walk])
def test_lengths_are_the_models_own(open_walk):
    """Not one text is dropped: short and long ones are as frequent as the sum over all texts says."""
    model, letters = small_model(vocabulary_size=5), [3, 4]
    sampler = Sampler(model, Vocabulary(["a", "b"]), Letters(), "names/epoch1", 1.0, open_walk)
    expected = exact_lengths(model, letters, 7)

    texts = [one.text for one in sampler.sample(Sampling((1.0, 1.0), 7), 1, range(4000))]

    counts = Counter(map(len, texts))
    for length, share in enumerate(expected):
        assert abs(counts[length] - 4000 * share) < 4 * math.sqrt(4000 * share * (1 - share))


def test_marks_are_never_written(biased):
    """However much a model wants START or UNKNOWN, they are read only; the loss tells what it thought."""
    model = biased({START: 50.0, UNKNOWN: 50.0, END: 0.0, 3: 0.0})

    candidates = sampler_of(model).sample(SHORT, 1, range(100))

    assert {sign for one in candidates for sign in one.text} == {"a"}
    assert all(one.nll > 49 for one in candidates)


def test_a_text_ends_at_its_greatest_length(biased):
    """A model that never ends is cut off; a text of no token at all is a text."""
    endless = sampler_of(biased({3: 0.0})).sample(replace(SHORT, max_length=7), 1, [0, 1])
    empty = sampler_of(biased({END: 0.0})).sample(SHORT, 1, [0, 1])

    assert [one.text for one in endless] == ["aaaaaaa", "aaaaaaa"]
    assert [one.text for one in empty] == ["", ""]


def test_temperatures_are_spread_evenly_over_their_range():
    """Each sample draws its own from its seed; none lies outside."""
    candidates = sampler_of(small_model()).sample(Sampling((0.6, 1.0), 1), 1, range(2000))
    drawn = np.array([one.temperature for one in candidates])

    counts, _ = np.histogram(drawn, bins=10, range=(0.6, 1.0))

    assert counts.sum() == 2000
    assert counts.min() > 140


def test_the_cooler_the_likelier():
    """Lower temperatures give texts the model finds likelier."""
    sampler = sampler_of(small_model(vocabulary_size=len(VOCABULARY)))

    losses = [
        fmean(one.nll for one in sampler.sample(Sampling((temperature, temperature), 30), 1, range(200)))
        for temperature in (0.1, 0.5, 2.0)
    ]

    assert losses == sorted(losses)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"temperature": (0.0, 0.0)}, "temperature 0 to 0: a temperature is above 0"),
        ({"temperature": (0.9, 0.5)}, "temperature 0.9 to 0.5: .* the lower one comes first"),
        ({"temperature": (1.0, math.inf)}, "temperature 1 to inf"),
        ({"max_length": 0}, "lengths from 0 to 0: at least 1 for the greatest"),
        ({"min_length": 9, "max_length": 8}, "lengths from 9 to 8"),
        ({"top_k": -1}, "top_k -1: it is at least 0"),
        ({"top_p": 0.0}, "top_p 0: it is above 0 and at most 1"),
        ({"typical_p": 1.1}, "typical_p 1.1: it is above 0 and at most 1"),
        ({"min_p": 2.0}, "min_p 2: it lies between 0, which is off, and 1"),
        ({"eta": math.nan}, "eta nan: it lies between"),
        ({"repetition_penalty": 0.0}, "repetition_penalty 0: it is above 0"),
        ({"mirostat": Mirostat(0.0)}, "mirostat 0, 0.1: a surprise is above 0"),
        ({"no_repeat_ngram": -2}, "no_repeat_ngram -2: it is at least 0"),
        ({"stop": ("a", "")}, "an empty text to stop at"),
        ({"top_p": 2.0, "top_k": -1}, "top_k -1.*; top_p 2"),
    ],
)
def test_impossible_settings_are_refused(setting, message):
    """In one line that names each of them and says what would be right."""
    with pytest.raises(BotError, match=f"cannot sample with .*{message}"):
        sampler_of(small_model()).sample(Sampling(**setting), 1, [0])


@pytest.mark.parametrize("open_walk", [torch_walk, open_walk], ids=["torch", "compiled"])
def test_a_model_that_computes_no_numbers_is_an_error(open_walk):
    """It names the checkpoint; nothing is made up."""
    model = small_model()
    with torch.no_grad():
        model.head.weight.fill_(math.nan)

    with pytest.raises(BotError, match="computes no numbers: its state has grown beyond all bounds"):
        sampler_of(model, open_walk=open_walk).sample(Sampling((1.0, 1.0)), 1, range(3))


def test_sampling_leaves_torchs_random_numbers_alone():
    """Samples shown while training do not change the run."""
    before = torch.get_rng_state()

    sampler_of(small_model()).sample(SHORT, 1, range(10))

    assert torch.equal(torch.get_rng_state(), before)


def test_nothing_asked_for_is_nothing_sampled():
    """No index, no candidate."""
    assert sampler_of(small_model()).sample(SHORT, 1, []) == []


def test_random_numbers_are_splitmix64s():
    """The sequence of key 0 is the reference implementation's of state 0."""
    reference = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]

    found = counted_uniforms(np.zeros(3, np.uint64), np.arange(3))

    assert found.tolist() == [(number >> 12) / 2**52 for number in reference]


def test_random_numbers_of_neighbours_are_unrelated():
    """Over seeds, samples and positions they are even and uncorrelated."""
    table = np.array(
        [counted_uniforms(sample_keys(seed, np.arange(100)), np.arange(100)) for seed in range(100)]
    )

    assert abs(table.mean() - 0.5) < 0.012
    for a, b in ((table[1:], table[:-1]), (table[:, 1:], table[:, :-1])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.04


def test_calibration_maps_temperature_to_surprise(monkeypatch):
    """A sweep from cool to hot; surprise is measured against the held-out loss."""
    monkeypatch.setattr(sampling_module, "CALIBRATION", (0.2, 1.0, 3.0))
    sampler = sampler_of(small_model(vocabulary_size=len(VOCABULARY)), held_out_loss=4.0)

    points = calibrate(sampler, samples=100)

    assert [temperature for temperature, _ in points] == [0.2, 1.0, 3.0]
    assert points[0][1] < points[1][1] < points[2][1]
    alone = sampler.sample(Sampling((1.0, 1.0)), 0, range(100))
    assert points[1][1] == fmean(one.nll for one in alone) / 4.0


def test_suggestions_are_the_models_own_probabilities(biased):
    """At temperature 1, the end of the text among them; what is never written is not suggested."""
    sampler = sampler_of(biased({3: 2.0, 5: 1.0, END: 0.5, UNKNOWN: 9.0, START: 9.0}))
    found = sampler.suggest("ab", 4)

    weights = [math.exp(logit) for logit in (2.0, 1.0, 0.5)]
    assert [it.probability for it in found[:3]] == pytest.approx([it / sum(weights) for it in weights])
    letters = [VOCABULARY.decode([id])[0] for id in (3, 5)]
    assert [(it.token, it.text) for it in found[:3]] == [
        *((letter, f"ab{letter}") for letter in letters),
        ("", "ab"),
    ]


def test_suggestions_follow_what_was_written():
    """They are what a whole pass over the same text gives, and a sample in between changes nothing."""
    model = small_model()
    sampler = sampler_of(model)
    ids = [START, *VOCABULARY.encode(list("abc"))]
    with torch.no_grad():
        logits, _ = model(torch.tensor(ids).unsqueeze(1))  # (T, 1)
    barred = logits[-1, 0].clone()
    barred[[START, UNKNOWN]] = -math.inf
    expected = torch.softmax(barred, 0).sort(descending=True).values[:5].tolist()

    for _ in range(2):
        assert [it.probability for it in sampler.suggest("abc", 5)] == pytest.approx(expected, rel=1e-4)
        sampler.sample(SHORT, 1, range(3))
