"""The norm of a model's gradient: measured first, so that a step can still be refused, then clipped."""

import torch
from torch.nn.utils import clip_grad_value_, clip_grads_with_norm_, get_total_norm

from bot.model.language_model import LanguageModel


def norms(model: LanguageModel) -> tuple[float, float]:
    """The norm of the whole gradient and the share of it that belongs to the embedding, reached last."""
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    norm, embedding = get_total_norm(gradients).item(), model.embedding.weight.grad
    reached = 0.0 if embedding is None else get_total_norm(embedding).item()
    return norm, reached / norm if norm else 0.0


def clip(model: LanguageModel, norm: float, greatest: float | None, by: str) -> None:
    """Shrink the gradient, whose norm that is, to the greatest one allowed; by value: each of its numbers."""
    if greatest is None:
        return
    if by == "value":
        clip_grad_value_(model.parameters(), greatest)
    else:
        clip_grads_with_norm_(model.parameters(), greatest, torch.tensor(norm))
