"""The optimizers and how their learning rate changes. It does not know what is being learnt.

Settings are read by attribute, as the configuration's Training has them.
"""

import math
from typing import Any

import torch
from torch import nn

FLOOR = 0.01  # share of the rate at which the cosine ends
WARM = 0.1  # share of a run in which the rate rises at most
LEAD = 0.05  # of a run's minutes over its steps, up to which the steps alone decide the rate


def make_optimizer(model: nn.Module, settings: Any) -> torch.optim.Optimizer:
    """Adam's second moment is averaged over about 100 steps (beta2 .99) unless set: short runs want that.

    Weight decay is AdamW's alone, and only of matrices: biases and gains have no reason to be small.
    """
    rate = settings.learning_rate
    if settings.optimizer == "rmsprop":
        return torch.optim.RMSprop(model.parameters(), lr=rate, alpha=settings.rmsprop_alpha)
    if settings.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), lr=rate)
    decay = settings.weight_decay if settings.optimizer == "adamw" else 0.0
    matrices = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, settings.beta2), fused=True)


def share_done(settings: Any, step: int, epoch: float, seconds: float) -> float:
    """How much of the run is over, 0 to 1: whichever of steps, epochs and minutes ends it first."""
    return min(1.0, max(_by_updates(settings, step, epoch), _by_clock(settings, seconds)))


def share_that_counts(settings: Any, step: int, epoch: float, seconds: float) -> float:
    """The same for what changes the run: the clock has a say only where it is well ahead of the updates.

    So a run that its steps or epochs end is the same bit by bit, though its first steps may be slow.
    """
    by_updates, by_clock = _by_updates(settings, step, epoch), _by_clock(settings, seconds)
    return min(1.0, by_clock if by_clock > by_updates + LEAD else by_updates)


def _by_updates(settings: Any, step: int, epoch: float) -> float:
    by_epochs = epoch / settings.max_epochs if settings.max_epochs else 0.0
    return max(float(step / settings.max_steps), by_epochs)


def _by_clock(settings: Any, seconds: float) -> float:
    return seconds / 60 / settings.max_minutes if settings.max_minutes else 0.0


def learning_rate(settings: Any, step: int, epoch: float, seconds: float) -> float:
    """The rate of the update that follows `step` updates, `epoch` passes over the corpus and so many seconds.

    It rises for `warmup_steps`, or for a tenth of the run if that is shorter, and falls by whichever of
    steps, epochs and minutes is further on. Where minutes end the run, the clock decides the rate: no two
    runs are then equal bit by bit.
    """
    done = share_that_counts(settings, step, epoch, seconds)
    warm = max((step + 1) / settings.warmup_steps, done / WARM) if settings.warmup_steps else 1.0
    return float(settings.learning_rate * min(1.0, warm) * _factor(settings, epoch, done))


def _factor(settings: Any, epoch: float, done: float) -> float:
    if settings.schedule == "cosine":
        return FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * done)) / 2
    if settings.schedule == "epochs":
        return math.pow(settings.decay, max(0, int(epoch) - settings.decay_after + 1))
    return 1.0
