"""Embedding, cells and head put together."""

import pytest
import torch
from torch.nn import functional

from bot.model.noise import draw
from tests.models import cell_makers, small_model, training_settings

IDS = torch.randint(20, (5, 3), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("cell", sorted(cell_makers()))
def test_the_pass_equals_the_chain_of_its_parts(cell: str) -> None:
    """Embedding, project, step and head in a row give what the model gives."""
    model = small_model(cell, layers=2)
    expected, _ = model(IDS)

    state = list(model.initial_state(3))
    for ids, logits in zip(IDS, expected, strict=True):
        output = model.embedding(ids)
        for layer, part in enumerate(model.cells):
            output, state[layer] = part.step(part.project(output), state[layer])
        torch.testing.assert_close(model.read(output), logits, atol=1e-6, rtol=1e-5)


def test_a_normed_head_reads_no_scale() -> None:
    """With head_norm, outputs at twice the scale and shifted say the same; without, they do not."""
    outputs = torch.randn(3, 8, generator=torch.Generator().manual_seed(1))

    for norm in (True, False):
        model = small_model(head_norm=norm)
        same = torch.allclose(model.read(outputs), model.read(2 * outputs + 1), atol=1e-4)
        assert same is norm


def test_a_carried_state_continues_the_text() -> None:
    """Two windows with the state carried give what one long window gives."""
    model = small_model("gru", layers=2)
    whole, _ = model(IDS)

    first, state = model(IDS[:2])
    second, _ = model(IDS[2:], state)

    torch.testing.assert_close(torch.cat([first, second]), whole, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("share", ["dropout", "embedding_dropout", "weight_dropout"])
def test_noise_alone_makes_passes_differ(share: str) -> None:
    """Each draw differs from the other; the same draw and no draw give the same again."""
    model, generator = small_model(), torch.Generator().manual_seed(1)
    settings = training_settings(**({"dropout": 0.0} | {share: 0.5}))
    first, other = draw(model, 3, settings, generator), draw(model, 3, settings, generator)

    assert torch.equal(model(IDS, noise=first)[0], model(IDS, noise=first)[0])
    assert not torch.equal(model(IDS, noise=first)[0], model(IDS, noise=other)[0])
    assert torch.equal(model(IDS)[0], model(IDS)[0])


def test_noise_on_weights_thins_them_and_passes_gradients_to_the_rest() -> None:
    """About the given share of the recurrent weights gets no gradient; the weights themselves stay."""
    model = small_model()
    weights = model.cells[0].weight_hh
    before = weights.clone()
    noise = draw(model, 3, training_settings(weight_dropout=0.4), torch.Generator().manual_seed(1))

    model(IDS, noise=noise)[0].square().sum().backward()

    assert torch.equal(weights, before)
    assert 0.2 < (weights.grad == 0).double().mean() < 0.6


def test_noise_keeps_sums_as_they_are_on_average() -> None:
    """What stays is scaled up by what is left out, and outputs lose the same units at every step."""
    model = small_model()
    noise = draw(model, 500, training_settings(dropout=0.25), torch.Generator().manual_seed(1))

    assert noise.outputs[0].unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert noise.outputs[0].mean().item() == pytest.approx(1, abs=0.03)
    ones = noise.on_outputs(0, torch.ones(4, 500, 8))
    assert torch.equal(ones[0], ones[3])


def test_the_seed_decides_the_weights() -> None:
    """Equal seeds give equal models, other seeds others, and the caller's random numbers stay."""
    before = torch.get_rng_state()
    first, again, other = small_model(seed=1), small_model(seed=1), small_model(seed=2)

    assert torch.equal(first.cells[0].weight_hh, again.cells[0].weight_hh)
    assert not torch.equal(first.cells[0].weight_hh, other.cells[0].weight_hh)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_new_model_guesses_evenly() -> None:
    """The first loss is near ln V, whatever the cell."""
    for cell in cell_makers():
        logits, _ = small_model(cell, vocabulary_size=50)(IDS)
        loss = functional.cross_entropy(logits.flatten(0, 1), IDS.flatten())
        assert loss.item() == pytest.approx(torch.tensor(50.0).log().item(), abs=0.35)
