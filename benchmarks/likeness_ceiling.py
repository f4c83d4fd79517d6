"""A ceiling for benchmarks.likeness: how well anything tells a corpus's items from their letters shuffled.

    python -m benchmarks.likeness_ceiling FILE [--items 1000] [--epochs 8] [--seed 1] [--json]

The same parts of the corpus, judged by referees that no filter could afford:

    by heart      knows every item of the corpus, those measured too; a shuffled one that is an item as well,
                  nobody can tell
    permutations  by the lemma of Neyman and Pearson the best test there is, if the model is right: how likely
                  a text is among --orders random orders of its own letters. By the profile's n-grams, by an
                  LSTM of 256 units that was trained on the rest of the corpus, and by both together

The losses on the real items, in nats a character, tell how much more the LSTM knows than the n-grams.
"""

import argparse
import json
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.likeness import area, items_of, shuffled
from bot.curation.ngrams import fit
from bot.curation.profile import CorpusProfile

BATCH, HIDDEN, PADDING = 128, 256, -100
Likely = Callable[[Sequence[str]], NDArray[Any]]  # the log-likelihood of each text


class Reader(nn.Module):
    """Its own, so that the referee is no product of what it judges."""

    def __init__(self, texts: Sequence[str], seed: int):
        super().__init__()
        torch.manual_seed(seed)
        self.ids = {letter: id for id, letter in enumerate(sorted({*"".join(texts)}), 1)}  # 0: begin and end
        self.embedding = nn.Embedding(len(self.ids) + 1, 32)
        self.lstm = nn.LSTM(32, HIDDEN, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(HIDDEN, len(self.ids) + 1))

    def losses(self, texts: Sequence[str]) -> Tensor:
        """(B, T) of each character and of the end."""
        ids = [[self.ids[letter] for letter in text] for text in texts]
        longest = max(map(len, ids)) + 1
        read, wanted = (
            torch.zeros(len(ids), longest, dtype=torch.long),
            torch.full((len(ids), longest), PADDING),
        )
        for row, text in enumerate(ids):
            read[row, 1 : len(text) + 1] = torch.tensor(text)
            wanted[row, : len(text) + 1] = torch.tensor([*text, 0])
        logits = self.head(self.lstm(self.embedding(read))[0])
        return cross_entropy(logits.transpose(1, 2), wanted, reduction="none", ignore_index=PADDING)

    def train_on(self, texts: Sequence[str], epochs: int, draw: random.Random) -> None:
        left, optimizer = list(texts), torch.optim.AdamW(self.parameters(), 3e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * (len(left) // BATCH))
        for _ in range(epochs):
            draw.shuffle(left)
            for at in range(0, len(left) - BATCH + 1, BATCH):
                losses = self.losses(left[at : at + BATCH])
                optimizer.zero_grad()
                losses[losses > 0].mean().backward()
                optimizer.step()
                schedule.step()
        self.eval()

    @torch.inference_mode()
    def __call__(self, texts: Sequence[str]) -> NDArray[Any]:
        parts = [texts[at : at + 2000] for at in range(0, len(texts), 2000)]
        return np.concatenate([-self.losses(part).sum(1).numpy() for part in parts])


def among_orders(likely: Likely, texts: Sequence[str], orders: int, seed: int) -> NDArray[Any]:
    """How much likelier each text is than its letters in any order, by some of them and itself."""
    draw = random.Random(seed)
    others = likely([shuffled(text, draw) for text in texts for _ in range(orders)])
    own = likely(texts)
    return (
        own
        - np.logaddexp(own, np.logaddexp.reduce(others.reshape(-1, orders), axis=1))
        + math.log(orders + 1)
    )


def measure(path: Path, size: int, epochs: int, orders: int, seed: int) -> dict[str, Any]:
    items, draw = items_of(path), random.Random(seed)
    draw.shuffle(items)
    size = min(size, len(items) // 10)
    measured, real, train = items[:size], items[size : 2 * size], items[2 * size :]
    mixed = [shuffled(text, draw) for text in real]
    grams, profile, known = fit(train), CorpusProfile.of(train, measured), {*items}
    reader = Reader(items, seed)
    reader.train_on(train, epochs, draw)

    def by_grams(texts: Sequence[str]) -> NDArray[Any]:
        return np.array([grams.log_probabilities(text)[0].sum() for text in texts])

    def by_permutations(likely: Likely) -> float:
        scores = [among_orders(likely, texts, orders, seed) for texts in (real, mixed)]
        return round(area(*scores), 4)

    characters = sum(len(text) + 1 for text in real)
    return {
        "corpus": path.name,
        "shuffled_are_items": round(fmean(text in known for text in mixed), 4),
        "by heart": round(area(np.ones(size), [float(text in known) for text in mixed]), 4),
        "our likeness": round(area([*map(profile.likeness, real)], [*map(profile.likeness, mixed)]), 4),
        "permutations, n-grams": by_permutations(by_grams),
        "permutations, LSTM": by_permutations(reader),
        "permutations, both": by_permutations(lambda texts: 0.6 * reader(texts) + 0.4 * by_grams(texts)),
        "loss of n-grams": round(float(-by_grams(real).sum() / characters), 4),
        "loss of LSTM": round(float(-reader(real).sum() / characters), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--orders", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    chosen = parser.parse_args()
    found = measure(chosen.file, chosen.items, chosen.epochs, chosen.orders, chosen.seed)
    print(
        json.dumps(found) if chosen.json else "\n".join(f"{name:22} {value}" for name, value in found.items())
    )


if __name__ == "__main__":
    main()
