"""The figures of any checkpoint: its losses, how far back it learns, what its gates do while it reads.

It brings together what the reports must not know: checkpoints, the model, texts for it to read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bot.house import House
from bot.interfaces import Tokenizer
from bot.model import checkpoint
from bot.model.checkpoint import Meta
from bot.model.counted import Model
from bot.model.inspection import activations, gradient_flow
from bot.model.language_model import LanguageModel
from bot.model.sampling import Sampler
from bot.model.threads import one_thread
from bot.model.watch import from_csv
from bot.records import Sampling
from bot.reports.drawing import Drawing
from bot.reports.gates import draw_gates, draw_states
from bot.reports.gradients import draw_flow
from bot.reports.losses import draw_losses
from bot.text.vocabulary import START, Vocabulary

STEPS, PLACES = 101, 32  # how far back the gradient is followed, from how many places
LONGEST, MOST = 60, 2048  # tokens shown; texts sampled at most
SAMPLING, SEED = Sampling((0.8, 0.8)), 1


@dataclass(frozen=True)
class Figures:
    """Of one checkpoint. text: what the gates are shown reading; "" for a text of the model's own."""

    house: House
    model: str
    which: str = "best"
    text: str = ""

    @cached_property
    def folder(self) -> Path:
        """The checkpoint's."""
        return self.house.checkpoint(self.model, self.which)

    def draw(self) -> Iterator[Drawing]:
        """One after the other. A model that is counted has no gradient and no gates."""
        history = self.folder / checkpoint.HISTORY
        rows = from_csv(history.read_bytes()) if history.exists() else []
        if rows:
            yield draw_losses(self.model, rows, self._meta.ngram_loss)
        if isinstance(self._loaded, LanguageModel):
            with one_thread():
                yield self._flow(self._loaded)
                yield from self._gates(self._loaded)

    def _flow(self, model: LanguageModel) -> Drawing:
        windows, meta = self._windows(), self._meta
        back = meta.settings.get("sequence_length", STEPS)
        trained = gradient_flow(model, windows)
        if checkpoint.is_imported(meta):  # from which weights it was trained nobody knows
            return draw_flow(self.model, trained, None, self._unit, back)
        new = self.house.model_maker(meta.cell)(
            vocabulary_size=meta.vocabulary_size,
            embedding_size=meta.embedding_size,
            hidden_size=meta.hidden_size,
            num_layers=meta.num_layers,
            head_norm=meta.head_norm,
            seed=meta.seed,
        )
        return draw_flow(self.model, trained, gradient_flow(new, windows), self._unit, back)

    def _gates(self, model: LanguageModel) -> Iterator[Drawing]:
        tokens = self._tokens()
        ids = [START, *self._vocabulary.encode(tokens)]
        for layer, seen in enumerate(activations(model, ids), 1):
            values = {name: value[1:] for name, value in seen.values.items()}  # START is no token to be shown
            yield (draw_gates if seen.are_gates else draw_states)(self.model, layer, values, tokens)

    def _windows(self) -> list[list[int]]:
        """PLACES windows of STEPS + 1 ids, fewer where it says little: its own texts one after the other."""
        ids: list[int] = []
        for text in self._texts(MOST):
            ids += [START, *self._vocabulary.encode(self._tokenizer.split(text))]
            if len(ids) >= (STEPS + 1) * PLACES:
                break
        length = min(STEPS + 1, len(ids))
        return [ids[at : at + length] for at in range(0, len(ids) - length + 1, length)][:PLACES]

    def _tokens(self) -> list[str]:
        """Of the text to be read: the one given, else the longest of a few of the model's own."""
        texts = [self.text] if self.text else list(self._texts(64))
        return max((self._tokenizer.split(text)[:LONGEST] for text in texts), key=len)

    def _texts(self, count: int) -> Iterator[str]:
        for first in range(0, count, 64):
            drawn = self._sampler.sample(SAMPLING, SEED, range(first, min(first + 64, count)))
            yield from (one.text for one in drawn)

    @property
    def _unit(self) -> str:
        """What one step reads."""
        name = self._meta.tokenizer.name
        return name if name in ("characters", "words") else "tokens"

    @cached_property
    def _meta(self) -> Meta:
        return checkpoint.read_meta(self.folder)

    @cached_property
    def _sampler(self) -> Sampler:
        return self.house.sampler(self.model, self.which)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.load(self.folder / checkpoint.VOCABULARY)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return self.house.tokenizer(self._meta.tokenizer)

    @cached_property
    def _loaded(self) -> Model:
        """On the CPU, whatever the device is that it is sampled on."""
        return self.house.load_model(self.folder, self._meta)


def write(drawing: Drawing, folder: Path) -> Path:
    """PNG, SVG and text, each replaced in one step; the picture's path. Raises CheckpointError."""
    checkpoint.make_folder(folder)
    for name, content in drawing.files().items():
        checkpoint.write_atomically(folder / name, content)
    return folder / f"{drawing.name}.png"
