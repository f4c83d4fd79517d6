"""Where a run stands in its corpus: the batch to learn from next, epoch after epoch. It does not learn."""

from itertools import islice

from bot.model.batches import IGNORED, Batch, Batches
from bot.model.training_state import Position


class Reading:
    """Goes through the batches and notes in `position` how far it has come: it can go on from there."""

    batch: Batch  # the one to learn from next

    def __init__(self, batches: Batches, seed: int, position: Position):
        self._batches, self._seed, self._position = batches, seed, position
        self._open()

    @property
    def epoch(self) -> float:
        """Passes over the corpus, the present one by the share of its tokens."""
        return self._position.epoch + self._position.tokens / self._batches.tokens

    @property
    def tokens(self) -> int:
        """Of the present batch."""
        return int((self.batch.targets != IGNORED).sum())

    def take_next(self) -> None:
        position = self._position
        position.batch, position.tokens = position.batch + 1, position.tokens + self.tokens
        batch = next(self._coming, None)
        if batch is not None:
            self.batch = batch
            return
        position.epoch, position.batch, position.tokens = position.epoch + 1, 0, 0
        self._open()

    def _open(self) -> None:
        """Line up the batches of the present epoch that are still to come."""
        batches = self._batches.epoch(self._seed, self._position.epoch)
        self._coming = islice(batches, self._position.batch, None)
        self.batch = next(self._coming)
