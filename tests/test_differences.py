"""The gradient check: it passes true gradients and finds a wrong one."""

import torch

from bot.model.differences import check
from tests.models import small_model


def test_true_gradients_pass_and_a_wrong_one_is_found(monkeypatch):
    """One sign turned in the head, and its error is as large as it can be."""
    model = small_model()
    right = check(model, [0, 5, 4, 3, 6])
    assert max(right.values()) < 1e-4

    model.head.weight.register_hook(torch.neg)
    wrong = check(model, [0, 5, 4, 3, 6])
    assert wrong["head.weight"] > 0.9
    assert wrong["head.bias"] < 1e-4
