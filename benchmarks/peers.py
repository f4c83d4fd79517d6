"""Beside what one would take instead: nn.LSTM and Keras' LSTM, one text at a time, and markovify.

    python -m benchmarks.peers [--hidden-size 512] [--text FILE] [--rounds 5]

CPU seconds of one core. Learning and sampling are two contests: nn.LSTM is the control of both. The networks
learn from random ids and sample with untrained weights whose end mark's bias makes names of about 14
characters; n-gram models read the lines of --text, or the names of Unicode's characters. Keras and markovify
are no dependencies: `pip install keras markovify` adds them to the contest, Keras on torch.
"""

import argparse
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import pairs, sampling, training
from bot.config import Choice
from bot.model.sampling import Sampler
from bot.registry import Registry
from bot.text.vocabulary import END, START, Vocabulary

VOCABULARY, ORDER = training.VOCABULARY, 4  # markovify's state of 3 and the character after it
CONTROL = "nn.LSTM"
REGISTRY = Registry(None, Path())

Way = Callable[[], float]


class Keras:
    """Keras' LSTM with an embedding as wide as the layer, as its own examples build it."""

    def __init__(self, sizes: argparse.Namespace):
        os.environ["KERAS_BACKEND"] = "torch"
        import keras

        H, layers = sizes.hidden_size, keras.layers
        embedding, head = layers.Embedding(VOCABULARY, H), layers.Dense(VOCABULARY)
        lstm = layers.LSTM(H, return_sequences=True, return_state=True)
        ids, h, c = keras.Input((None,), dtype="int32"), keras.Input((H,)), keras.Input((H,))
        outputs, *state = lstm(embedding(ids), initial_state=[h, c])
        self.stepping = keras.Model([ids, h, c], [head(outputs), *state])
        self.learning = keras.Model(ids, head(lstm(embedding(ids))[0]))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.learning.compile(keras.optimizers.AdamW(1e-3, clipnorm=1.0), loss, jit_compile=False)
        bias = np.zeros(VOCABULARY)
        bias[END] = np.log((VOCABULARY - 3) / (sampling.MEAN - 1))
        head.set_weights([0.3 * head.get_weights()[0], bias])
        self._zeros, self._random = torch.zeros(1, H), np.random.default_rng(0)

    def learn(self, ids: np.ndarray) -> float:
        """ids (B, T + 1)."""
        self.learning.train_on_batch(ids[:, :-1], ids[:, 1:])
        return ids[:, 1:].size

    def sample(self, count: int = 4) -> float:
        with torch.inference_mode():
            return sum(len(self._text()) for _ in range(count))

    def _text(self) -> list[int]:
        ids, state = [START], [self._zeros, self._zeros]
        while len(ids) <= sampling.LONGEST and ids[-1] != END:
            logits, *state = self.stepping([torch.tensor([ids[-1:]]), *state], training=False)
            shares = logits[0, -1].softmax(0).double().numpy()
            ids.append(int(self._random.choice(VOCABULARY, p=shares / shares.sum())))
        return ids[1:]


class Markovify:
    """markovify over characters instead of words; it counts when it is made."""

    def __init__(self, lines: Sequence[str]):
        import markovify

        class Characters(markovify.NewlineText):
            def word_split(self, sentence: str) -> list[str]:
                return list(sentence)

            def word_join(self, words: Sequence[str]) -> str:
                return "".join(words)

        self.lines, self._kind = lines, Characters
        self.learn()

    def learn(self) -> float:
        state = {"state_size": ORDER - 1, "retain_original": False, "well_formed": False}
        self._chain = self._kind("\n".join(self.lines), **state)
        return sum(len(line) + 1 for line in self.lines)

    def sample(self, count: int = 2000) -> float:
        texts = (self._chain.make_sentence(test_output=False) for _ in range(count))
        return sum(len(text) + 1 for text in texts)


class OurNgram:
    """The model that `cell: ngram` names."""

    def __init__(self, lines: Sequence[str]):
        self._vocabulary = Vocabulary.build([list(line) for line in lines])
        self._ids = [self._vocabulary.encode(list(line)) for line in lines]
        self._characters = REGISTRY.build("tokenizers", Choice("characters", {}))
        self.learn()

    def learn(self) -> float:
        choice = Choice("ngram", {"order": ORDER})
        model = REGISTRY.build("cells", choice, vocabulary_size=len(self._vocabulary))
        model.fit(self._ids)
        self._sampler = Sampler(model, self._vocabulary, self._characters, "model/name", 1.0)
        return sum(len(ids) + 1 for ids in self._ids)

    def sample(self, count: int = 1024) -> float:
        found = self._sampler.sample(sampling.PLAIN, 1, range(count))
        return sum(len(one.text) + 1 for one in found)


def contests(sizes: argparse.Namespace, lines: Sequence[str]) -> tuple[dict[str, Way], dict[str, Way]]:
    """Learning and sampling by name."""
    ids = torch.randint(VOCABULARY, (sizes.steps + 1, sizes.batch_size))
    learning: dict[str, Way] = {
        CONTROL: training.step_of(training.Reference("LSTM", sizes, sizes.hidden_size), ids),
        "our lstm": training.our_step("lstm", sizes, ids),
    }
    drawing: dict[str, Way] = {CONTROL: sampling.OneAtATime(sizes)}
    for path in sampling.PATHS:
        sampler = sampling.our_sampler(path, sizes)
        drawing[f"our lstm ({path})"] = sampling.way(sampler, path, sampling.PLAIN, 1024)
    counted: dict[str, Any] = {"our ngram": OurNgram(lines)}
    if find_spec("markovify"):
        counted["markovify"] = Markovify(lines)
    learning |= {name: one.learn for name, one in counted.items()}
    drawing |= {name: one.sample for name, one in counted.items()}
    if find_spec("keras"):
        learning["Keras' LSTM"] = partial(Keras(sizes).learn, ids.T.numpy())
        drawing["Keras' LSTM"] = Keras(sizes).sample
    return learning, drawing


def verdict(contest: str, found: Sequence[pairs.Row]) -> str:
    """Who is first, and first among the networks."""
    ranked = sorted(found, key=lambda row: -row.rate)
    networks = [row for row in ranked if "lstm" in row.name.lower()]
    ahead = ", ".join(f"{networks[0].rate / row.rate:.1f} times {row.name}" for row in networks[1:])
    of_networks = f"of the networks {networks[0].name} is first, {ahead}"
    if ranked[0] is networks[0]:
        return f"{contest}: {of_networks}; nothing else is faster."
    lead = ranked[0].rate / networks[0].rate
    return f"{contest}: {ranked[0].name} is first, {lead:.1f} times any network; {of_networks}."


def corpus(text: Path | None) -> list[str]:
    if text:
        return list(filter(None, text.read_text("utf-8").splitlines()))
    return [document.text for document in REGISTRY.build("corpora", Choice("unicode_names", {}))]


def main() -> None:
    parser = pairs.parser(__doc__)
    for option, default in (("hidden-size", 512), ("layers", 1), ("batch-size", 64), ("steps", 100)):
        parser.add_argument(f"--{option}", type=int, default=default)
    parser.add_argument("--text", type=Path, help="a file of one item a line")
    chosen = parser.parse_args()
    chosen.cell = "lstm"
    torch.set_num_threads(1)
    absent = [name for name in ("keras", "markovify") if not find_spec(name)]
    found = {
        name: pairs.rows(pairs.interleaved(ways, chosen.rounds), CONTROL)
        for name, ways in zip(("learning", "sampling"), contests(chosen, corpus(chosen.text)), strict=True)
    }
    verdicts = [verdict(name, rows) for name, rows in found.items()]
    if chosen.json:
        tables = {name: [asdict(row) for row in rows] for name, rows in found.items()}
        print(json.dumps(tables | {"not installed": absent, "verdicts": verdicts}))
        return
    for name, rows in found.items():
        pairs.show(f"{name}, H {chosen.hidden_size}, one core", rows, "characters/s", as_json=False)
    print(*verdicts, *(f"{name}: not installed" for name in absent), sep="\n")


if __name__ == "__main__":
    main()
