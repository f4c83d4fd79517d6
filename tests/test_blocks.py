"""Block mode: what is read and asked for, its loss, and that a run goes on exactly where it stood."""

import math

import pytest
import torch

from bot.errors import TrainingError
from bot.model.blocks import BlockBatches, binary_cross_entropy, block_goal, go_on, predict
from bot.model.gradient import BackPropagation
from bot.model.noise import SILENCE
from bot.model.training import train
from bot.text.vocabulary import END
from tests.models import small_model, training_settings

TEXT = [3 + (step * step) % 11 for step in range(120)]
BLOCK = 6
NEXT_BLOCK = block_goal()


@pytest.fixture
def run(tmp_path):
    """run(model, **settings) -> the result; a second call goes on with the first."""
    file = tmp_path / "run.safetensors"

    def run(model, resume=False, **settings):
        chosen = {"batch_size": 4, "sequence_length": BLOCK, "max_steps": 1000, "dropout": 0.1} | settings
        return train(
            model,
            [TEXT],
            [TEXT[:30]],
            training_settings(**chosen),
            save=lambda *_: None,
            progress=lambda _: None,
            state_file=file,
            resume=resume,
            goal=NEXT_BLOCK,
        )

    return run


def weights(model):
    return [parameter.clone() for parameter in model.parameters()]


def test_what_is_asked_for_is_the_block_after_the_one_that_is_read():
    [batch] = BlockBatches([list(range(3, 15))], batch_size=8, block=4).in_order()
    assert batch.inputs.T.tolist() == [[3, 4, 5, 6], [7, 8, 9, 10]]
    assert batch.targets.T.tolist() == [[7, 8, 9, 10], [11, 12, 13, 14]]
    assert batch.fresh


def test_texts_are_laid_end_to_end_and_what_fills_no_block_is_left_out():
    batches = BlockBatches([[3, 4, 5], [6, 7, 8, 9]], batch_size=8, block=3)
    assert batches.inputs.tolist() + batches.targets.tolist() == [[3, 4, 5], [END, 6, 7]]
    assert batches.tokens == 3


def test_a_block_may_begin_one_token_later():
    [batch] = BlockBatches([list(range(3, 12))], batch_size=8, block=4, ahead=1).in_order()
    assert batch.inputs.T.tolist() == [[3, 4, 5, 6], [7, 8, 9, 10]]
    assert batch.targets.T.tolist() == [[4, 5, 6, 7], [8, 9, 10, 11]]


def test_an_epoch_has_every_pair_once_in_an_order_of_its_own():
    batches = BlockBatches([TEXT], batch_size=4, block=BLOCK)
    epochs = [
        [
            tuple(row)
            for batch in batches.epoch(1, number)
            for row in torch.cat((batch.inputs, batch.targets)).T.tolist()
        ]
        for number in range(2)
    ]
    assert len(epochs[0]) == 19
    assert epochs[0] != epochs[1]
    assert sorted(epochs[0]) == sorted(epochs[1])


def test_one_block_is_too_few():
    with pytest.raises(TrainingError, match="7 tokens are too few for a block of 4 and what comes 4 later"):
        BlockBatches([TEXT[:7]], batch_size=4, block=4)


def test_the_loss_is_that_of_every_token_being_right_or_wrong_by_itself():
    """By hand: 1/2, 1/4, 1/4 and the first is right, then the second."""
    logits = torch.tensor([[[0.5, 0.25, 0.25]], [[0.5, 0.25, 0.25]]]).log()
    first = -(math.log(0.5) + 2 * math.log(0.75))
    second = -(math.log(0.25) + math.log(0.5) + math.log(0.75))
    targets = torch.tensor([[0], [1]])
    assert binary_cross_entropy(logits, targets, reduction="sum").item() == pytest.approx(first + second)
    assert binary_cross_entropy(logits, targets).item() == pytest.approx((first + second) / 2)


def test_the_loss_is_torchs_own_of_a_softmax_and_one_hot_targets():
    logits, targets = torch.randn(5, 3, 7), torch.randint(7, (5, 3))
    one_hot = torch.nn.functional.one_hot(targets, 7).float()
    theirs = torch.nn.functional.binary_cross_entropy(logits.softmax(-1), one_hot, reduction="sum")
    assert binary_cross_entropy(logits, targets, "sum").item() == pytest.approx(theirs.item(), rel=1e-5)


def test_certainty_in_a_wrong_token_has_a_finite_loss_and_gradient():
    logits = torch.tensor([[[200.0, 0.0]]], requires_grad=True)
    loss = binary_cross_entropy(logits, torch.tensor([[1]]))
    loss.backward()
    assert math.isfinite(loss.item())
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("cell", ["lstm", "layer_norm_lstm"])
def test_the_gradient_reaches_every_parameter(cell):
    model = small_model(cell, layers=2)
    [batch, *_] = BlockBatches([TEXT], batch_size=19, block=BLOCK).in_order()
    BackPropagation(model, 2, NEXT_BLOCK.loss)(batch, None, SILENCE)
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())


def test_it_learns_what_can_be_known(run):
    """Of a text of period 12 every place of the next block follows from the place before it: by counting."""
    model = small_model()
    file_settings = {"max_steps": 150, "dropout": 0.0, "weight_dropout": 0.0, "learning_rate": 0.02}
    history = run(model, **file_settings).history
    assert history[-1].train_loss < 0.8 * NEXT_BLOCK.guess([TEXT], [TEXT])


def test_a_run_in_stages_is_the_same_as_one_that_never_stopped(run, tmp_path):
    straight, staged = small_model(layers=2), small_model(layers=2)
    constant = {"schedule": "constant", "evaluate_every": 5}
    whole = run(straight, max_epochs=5, **constant)
    for epochs in (2, 5):
        parts = run(staged, resume=epochs > 2, max_epochs=epochs, **constant)
    assert all(map(torch.equal, weights(straight), weights(staged)))
    assert parts.history[-1].held_out_loss == whole.history[-1].held_out_loss


def test_a_run_of_next_tokens_is_not_gone_on_with_as_blocks(run, tmp_path):
    model = small_model()
    keep = {"save": lambda *_: None, "progress": lambda _: None, "state_file": tmp_path / "run.safetensors"}
    settings = training_settings(batch_size=4, sequence_length=BLOCK, max_steps=10)
    train(model, [TEXT], [TEXT[:30]], settings, **keep)
    with pytest.raises(TrainingError, match="goal None"):
        run(model, resume=True, max_steps=20)


def test_blocks_are_predicted_as_they_are_evaluated():
    """The same with 1 or 300 blocks at once; at temperature 0 nothing is drawn."""
    model, batches = small_model(), BlockBatches([TEXT * 16], batch_size=8, block=BLOCK)
    blocks = batches.inputs.tolist()[:300]
    predicted = predict(model, blocks)
    assert predicted == [predict(model, [block])[0] for block in blocks[:3]] + predicted[3:]
    assert all(len(block) == BLOCK for block in predicted)
    assert predict(model, blocks, temperature=1.0, seed=1) == predict(model, blocks, temperature=1.0, seed=1)
    assert predict(model, blocks, temperature=1.0, seed=1) != predict(model, blocks, temperature=1.0, seed=2)


def test_fed_with_its_own_output_it_goes_on():
    model = small_model()
    first = predict(model, [TEXT[:BLOCK]])[0]
    assert (
        go_on(model, TEXT[:BLOCK], 3)
        == first + (second := predict(model, [first])[0]) + predict(model, [second])[0]
    )


def test_who_knows_only_frequencies_is_the_same_everywhere():
    """Of two tokens as frequent as each other: 2 ln 2 at every place."""
    assert NEXT_BLOCK.guess([[1, 0] * 10], [[1, 0] * 5]) == pytest.approx(2 * math.log(2))
