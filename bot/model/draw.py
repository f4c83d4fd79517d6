"""The next id of each row, by chance: what was written before, temperature, bars, truncations, then the draw.

It does not know whose rows they are, nor why an id is barred. A row's outcome does not depend on the others.

Shapes: n rows, V vocabulary_size.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bot.model.devices import with_doubles

Numbers = NDArray[Any]


class Truncation(NamedTuple):
    """What leaves out unlikely ids, in this order, each on what the one before left; see Sampling."""

    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    eta: float = 0.0


class Drawn(NamedTuple):
    """ids (n,) int64; losses (n,) at temperature 1 with nothing penalised, barred or left out; surprises (n,)
    of the shares that the truncations but mirostat left. Both in nats.
    """

    ids: Numbers
    losses: Numbers
    surprises: Numbers


def draw(
    logits: Tensor,
    inverse_temperatures: Numbers,
    barred: Numbers,
    uniforms: Numbers,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
) -> tuple[Numbers, Numbers]:
    """One id a row and its loss, as the compiled draw gives them; `draw_by` says the rest."""
    logits = with_doubles(logits)
    probabilities = _probabilities(logits, inverse_temperatures, barred)
    ids = _chosen(truncated(probabilities, Truncation(top_k, top_p, min_p)), uniforms)
    return _numbers(ids), _numbers(_losses(logits, ids))


def draw_by(
    logits: Tensor,
    inverse_temperatures: Numbers,
    barred: Numbers,
    uniforms: Numbers,
    truncation: Truncation,
    penalties: Numbers | None = None,
    limits: Numbers | None = None,
) -> Drawn:
    """One id a row by every rule there is.

    logits: (n, V). barred: (V,) or (n, V), -inf where an id must not be written, else 0. uniforms: (n,) in
    [0, 1). penalties: (n, V), see `penalised`. limits: (n,) nats; what surprises more is left out at last,
    but for the likeliest (mirostat, Basu et al. 2020, arXiv:2007.14966, in its second version).
    """
    logits = with_doubles(logits)
    scores = logits if penalties is None else penalised(logits, torch.from_numpy(penalties).to(logits))
    shares = truncated(_probabilities(scores, inverse_temperatures, barred), truncation)
    likelier = shares if limits is None else _within(shares, limits)
    ids = _chosen(likelier, uniforms)
    surprises = -_normal(shares).gather(1, ids[:, None]).log()[:, 0]
    return Drawn(_numbers(ids), _numbers(_losses(logits, ids)), _numbers(surprises))


def penalised(logits: Tensor, penalties: Tensor) -> Tensor:
    """Logits (n, V) above 0 divided, those below multiplied by the penalty of an id, 1 where there is none.

    Keskar et al. 2019 (arXiv:1909.05858), who divide all; that would favour what is unlikely.
    """
    return torch.where(logits > 0, logits / penalties, logits * penalties)


def truncated(probabilities: Tensor, truncation: Truncation) -> Tensor:
    """(n, V) with 0 where an id is left out; what is left is not brought to 1."""
    top_k, top_p, min_p, typical_p, eta = truncation
    if top_k or top_p < 1 or min_p:
        least = _least_kept(probabilities, top_k, top_p, min_p)
        probabilities = torch.where(probabilities >= least, probabilities, 0)
    if typical_p < 1:
        probabilities = torch.where(_typical(probabilities, typical_p), probabilities, 0)
    if eta:
        probabilities = torch.where(_above_eta(probabilities, eta), probabilities, 0)
    return probabilities


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


def _typical(probabilities: Tensor, share: float) -> Tensor:
    """Which stay: the fewest that have this share, those first whose surprise is nearest to the expected one.

    Meister et al. 2022 (arXiv:2202.00666).
    """
    shares = _normal(probabilities)
    oddness = (-shares.log() - _entropy(shares)).abs()  # inf where there is no probability
    order = _rising(oddness)
    mass = shares.gather(1, order).cumsum(1)
    last = torch.searchsorted(mass, share * mass[:, -1:])
    return (oddness <= oddness.gather(1, order.gather(1, last))) & (shares > 0)


def _above_eta(probabilities: Tensor, eta: float) -> Tensor:
    """Which stay: those of at least this probability or, if that is less, sqrt(eta) * exp(-entropy).

    Hewitt et al. 2022 (arXiv:2210.15191); their eta is the bound, their epsilon ours. The likeliest stay.
    """
    shares = _normal(probabilities)
    bound = (eta**0.5 * (-_entropy(shares)).exp()).clamp(max=eta)
    return shares >= torch.minimum(bound, shares.amax(1, keepdim=True))


def _within(probabilities: Tensor, limits: Numbers) -> Tensor:
    shares = _normal(probabilities)
    least = torch.from_numpy(np.exp(-limits)).to(shares)[:, None]
    return torch.where(shares >= torch.minimum(least, shares.amax(1, keepdim=True)), shares, 0)


def _probabilities(logits: Tensor, inverse_temperatures: Numbers, barred: Numbers) -> Tensor:
    scaled = logits * torch.from_numpy(inverse_temperatures).to(logits)[:, None]
    return (scaled + torch.from_numpy(barred).to(logits)).softmax(1)


def _chosen(probabilities: Tensor, uniforms: Numbers) -> Tensor:
    """(n,) by inverse transform."""
    below = probabilities.cumsum(1, dtype=torch.float64)
    aims = torch.from_numpy(uniforms).to(below.device)[:, None] * below[:, -1:]
    ids = torch.searchsorted(below, aims, right=True)  # so that what has probability 0 is never hit
    return ids.clamp_(max=below.shape[1] - 1)[:, 0]  # logits that are no numbers: the loss will tell


def _losses(logits: Tensor, ids: Tensor) -> Tensor:
    return -logits.log_softmax(1).gather(1, ids[:, None])[:, 0].double()


def _normal(probabilities: Tensor) -> Tensor:
    """In doubles, so that each row's sum is 1; sums are taken in order, alike for any number of rows."""
    doubled = probabilities.double()
    return doubled / doubled.cumsum(1)[:, -1:]


def _entropy(shares: Tensor) -> Tensor:
    """(n, 1) nats."""
    return -torch.xlogy(shares, shares).cumsum(1)[:, -1:]


def _falling(probabilities: Tensor) -> Tensor:
    """Each row from the likeliest down; on a CPU numpy sorts 20 times as fast as torch."""
    if probabilities.device.type == "cpu":
        return torch.from_numpy(np.sort(probabilities.numpy(), axis=1)[:, ::-1].copy())
    return probabilities.sort(dim=1, descending=True).values


def _rising(values: Tensor) -> Tensor:
    """The places of each row's values from the least up."""
    if values.device.type == "cpu":
        return torch.from_numpy(np.argsort(values.numpy(), axis=1))
    return values.argsort(dim=1)


def _numbers(tensor: Tensor) -> Numbers:
    numbers: Numbers = tensor.cpu().numpy()
    return numbers
