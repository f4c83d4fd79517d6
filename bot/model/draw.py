"""The next id of each row, by chance: temperature, then what is barred, then truncations, then the draw.

What forbids an id outright, for all rows or for one, belongs into `barred`; what leaves out unlikely ids
belongs into `_least_kept`. It does not know whose rows they are.

Shapes: n rows, V vocabulary_size.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bot.model.devices import with_doubles

Numbers = NDArray[Any]


def draw(
    logits: Tensor,
    inverse_temperatures: Numbers,
    barred: Numbers,
    uniforms: Numbers,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
) -> tuple[Numbers, Numbers]:
    """One id a row and its loss at temperature 1 with nothing barred or left out: (n,) int64, (n,) float64.

    logits: (n, V). barred: (V,) or (n, V), -inf where an id must not be written, else 0. uniforms: (n,) in
    [0, 1). A row's outcome does not depend on the other rows.
    """
    logits = with_doubles(logits)
    scaled = logits * torch.from_numpy(inverse_temperatures).to(logits)[:, None]
    probabilities = (scaled + torch.from_numpy(barred).to(logits)).softmax(1)
    if top_k or top_p < 1 or min_p:
        least = _least_kept(probabilities, top_k, top_p, min_p)
        probabilities = torch.where(probabilities >= least, probabilities, 0)
    below = probabilities.cumsum(1, dtype=torch.float64)
    aims = torch.from_numpy(uniforms).to(below.device)[:, None] * below[:, -1:]
    ids = torch.searchsorted(below, aims, right=True)  # so that what has probability 0 is never hit
    ids = ids.clamp_(max=logits.shape[1] - 1)  # logits that are no numbers: the loss will tell
    losses = -logits.log_softmax(1).gather(1, ids)
    return ids[:, 0].cpu().numpy(), losses[:, 0].double().cpu().numpy()


def _least_kept(probabilities: Tensor, top_k: int, top_p: float, min_p: float) -> Tensor:
    """The least probability that stays in each row, (n, 1); so equal ones stay or go together.

    top-k: the k likeliest (Fan et al. 2018, arXiv:1805.04833); top-p: of these, the fewest that have that
    share of their probability (Holtzman et al. 2020, arXiv:1904.09751); min-p: of these, what has that share
    of the likeliest one's (Nguyen et al. 2024, arXiv:2407.01082).
    """
    ranked = kept = _falling(probabilities)
    least = min_p * ranked[:, :1]
    if top_k:
        fewest = ranked[:, min(top_k, ranked.shape[1]) - 1, None]
        least, kept = torch.maximum(least, fewest), torch.where(ranked >= fewest, ranked, 0)
    if top_p < 1:
        mass = kept.cumsum(1, dtype=torch.float64)
        last = torch.searchsorted(mass, top_p * mass[:, -1:])
        least = torch.maximum(least, ranked.gather(1, last))
    return least


def _falling(probabilities: Tensor) -> Tensor:
    """Each row from the likeliest down; on a CPU numpy sorts 20 times as fast as torch."""
    if probabilities.device.type == "cpu":
        return torch.from_numpy(np.sort(probabilities.numpy(), axis=1)[:, ::-1].copy())
    return probabilities.sort(dim=1, descending=True).values
