"""A foreign network and its vocabulary -> a language model of ours that computes the same, which is checked.

A foreign network knows no marks. START reads what `start` reads, or nothing; END is written where `end` would
be, which is no token then; what has no place in the network is never written.

Shapes: T time steps, B rows, V tokens of the network.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from bot.errors import CheckpointError
from bot.model.foreign.process import Foreign
from bot.model.language_model import LanguageModel
from bot.text.vocabulary import MARKS, Vocabulary

NEVER = -1e4  # a logit whose probability is 0 in every type of number
CLOSE = 1e-4  # what sums in another order may differ by, of the largest logit
NETWORKS = {1: nn.RNN, 3: nn.GRU, 4: nn.LSTM}  # by their gates

Nonlinearity = Literal["tanh", "relu"]


@dataclass(frozen=True)
class Marks:
    """The tokens that stand before a text and after it, "" for none; without `start` it is `end`."""

    start: str = ""
    end: str = ""


def cell_of(foreign: Foreign, nonlinearity: Nonlinearity) -> tuple[str, dict[str, str]]:
    """The name of the cell that such a layer is, and its options."""
    name = NETWORKS[foreign.gates].__name__.lower()
    return name, {"nonlinearity": nonlinearity} if foreign.gates == 1 else {}


@dataclass(frozen=True)
class Adopted:
    """A model and its vocabulary."""

    model: LanguageModel
    vocabulary: Vocabulary


def adopt(
    foreign: Foreign,
    tokens: Sequence[str],
    marks: Marks,
    make_model: Callable[..., LanguageModel],
    nonlinearity: Nonlinearity = "tanh",
) -> Adopted:
    """tokens: in the order of the network's ids. make_model(**sizes): a new model of its cell.

    Raises CheckpointError where the tokens do not fit.
    """
    if not len(set(tokens)) == len(tokens) == foreign.size:
        msg = f"a vocabulary of {len(set(tokens))} different tokens for a network of {foreign.size}"
        raise CheckpointError(msg)
    start, end = (_id(token, tokens) for token in (marks.start or marks.end, marks.end))
    kept = [id for id in range(len(tokens)) if id != end]
    model = make_model(
        vocabulary_size=len(MARKS) + len(kept),
        embedding_size=foreign.tensors["embedding"].shape[1],
        hidden_size=foreign.tensors["head.weight"].shape[1],
        num_layers=foreign.layers,
    )
    model.load_state_dict(_state(foreign, model, start, end, kept))
    _compare(foreign, model, kept, nonlinearity)
    return Adopted(model, Vocabulary([tokens[id] for id in kept]))


def _id(token: str, tokens: Sequence[str]) -> int | None:
    if token and token not in tokens:
        raise CheckpointError(f"the network's vocabulary has no token {token!r}")
    return tokens.index(token) if token else None


def _state(
    foreign: Foreign, model: LanguageModel, start: int | None, end: int | None, kept: Sequence[int]
) -> dict[str, Tensor]:
    """The model's tensors; a mark's row is a token's or zeros, and what has none is never written."""
    tensors = foreign.tensors
    state = {
        "embedding.weight": _rows(tensors["embedding"], (start, end, None), kept),
        "head.weight": _rows(tensors["head.weight"], (None, end, None), kept),
        "head.bias": _rows(tensors["head.bias"][:, None], (None, end, None), kept, NEVER)[:, 0],
    }
    for name in model.state_dict().keys() - state.keys():
        layer, part = name.removeprefix("cells.").split(".")
        both = tensors[f"{layer}.bias_ih"] + tensors[f"{layer}.bias_hh"]
        state[name] = both if part == "bias" else tensors[f"{layer}.{part}"]
    return state


def _rows(table: Tensor, marks: Sequence[int | None], kept: Sequence[int], missing: float = 0.0) -> Tensor:
    none = torch.full_like(table[0], missing)
    return torch.stack([none if id is None else table[id] for id in marks] + [table[id] for id in kept])


@torch.no_grad()
def _compare(foreign: Foreign, model: LanguageModel, kept: Sequence[int], nonlinearity: Nonlinearity) -> None:
    """Raise CheckpointError unless torch's own network gives the same logits as the model for random ids."""
    ids = torch.randint(len(kept), (24, 4), generator=torch.Generator().manual_seed(0))  # (T, B)
    theirs = _theirs(foreign, torch.tensor(kept)[ids], nonlinearity)[..., list(kept)]
    ours = model(ids + len(MARKS))[0][..., len(MARKS) :]
    apart, scale = float((ours - theirs).abs().max()), float(theirs.abs().max())
    if not apart <= CLOSE * max(1.0, scale):
        msg = f"the imported model computes something else: its logits are up to {apart:.2g} away"
        raise CheckpointError(msg)


def _theirs(foreign: Foreign, ids: Tensor, nonlinearity: Nonlinearity) -> Tensor:
    """What torch's modules make of the same tensors: ids (T, B) -> logits (T, B, V)."""
    tensors, layers = foreign.tensors, foreign.layers
    sizes = tensors["embedding"].shape[1], tensors["head.weight"].shape[1], layers
    plain = {"nonlinearity": nonlinearity} if foreign.gates == 1 else {}
    network = NETWORKS[foreign.gates](*sizes, **plain)
    parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    network.load_state_dict({f"{p}_l{n}": tensors[f"{n}.{p}"] for n in range(layers) for p in parts})
    outputs, _ = network(nn.functional.embedding(ids, tensors["embedding"]))
    logits: Tensor = nn.functional.linear(outputs, tensors["head.weight"], tensors["head.bias"])
    return logits
