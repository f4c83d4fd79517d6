"""A running mean of a model's weights: what is measured and saved while training goes on with the newest.

It does not know how the weights come about.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

PREFIX = "average."


class Average:
    """The mean over about the latest `share` of all updates, however many those will be; 0: the newest alone.

    Update t of the run weighs t^(1/share - 2), so that the mean is as old as `share` of the run (Karras et
    al. 2024, arXiv:2312.02696). Near the end of a cosine it takes out the noise that the rate still makes.
    """

    def __init__(self, model: nn.Module, share: float):
        self._share = share
        self._names, self._newest = zip(*model.named_parameters(), strict=True)
        self._means = [weights.detach().clone() for weights in self._newest] if share else []

    @torch.no_grad()
    def update(self, updates: int) -> None:
        """Take in the weights after so many updates."""
        if self._means:
            kept = (1 - 1 / updates) ** (1 / self._share - 1)
            torch._foreach_lerp_(self._means, self._newest, 1 - kept)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model has the mean for its weights in here, the newest again afterwards."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def tensors(self) -> dict[str, Tensor]:
        """What to store: the means by name."""
        return {PREFIX + name: mean for name, mean in zip(self._names, self._means, strict=False)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` gave."""
        for name, mean in self.tensors().items():
            mean.copy_(tensors[name])

    @torch.no_grad()
    def _swap(self) -> None:
        for newest, mean in zip(self._newest, self._means, strict=False):
            aside = newest.clone()
            newest.copy_(mean)
            mean.copy_(aside)
