"""The loss of a model on a corpus, in nats per token, one end mark an item counted.

It does not know where the batches come from or what is done about the loss.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from bot.model.batches import IGNORED, Batches
from bot.model.language_model import LanguageModel


@torch.no_grad()
def evaluate(model: LanguageModel, batches: Batches, loss: Callable[..., Tensor] | None = None) -> float:
    """Mean loss over a corpus, nats per token. loss: cross-entropy, if none is given."""
    device = model.embedding.weight.device
    total, tokens, state = 0.0, 0, None
    for batch in batches.in_order():
        logits, state = model(batch.inputs.to(device), None if batch.fresh else state)
        total += (loss or cross_entropy)(logits, batch.targets.to(device), reduction="sum").item()
        tokens += int((batch.targets != IGNORED).sum())
    return total / tokens


def cross_entropy(logits: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """Cross-entropy of (T, B, V) logits and (T, B) targets."""
    return functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction=reduction
    )
